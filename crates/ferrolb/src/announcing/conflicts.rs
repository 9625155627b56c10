// SPDX-License-Identifier: Apache-2.0
//! Who else claims addresses announced here, for as long as that is news.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    time::{Duration, Instant},
};

/// How long a claim is told of after it was last seen. A station that goes on claiming shows itself sooner,
/// whenever its own entries in caches of others run out.
const TOLD_FOR: Duration = Duration::from_secs(600);

/// The last claim of each address.
#[derive(Debug, Default)]
pub(crate) struct Conflicts(BTreeMap<IpAddr, Claim>);

/// Another station's claim of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    /// Its MAC and the interface.
    pub(crate) by: String,
    /// When it was last seen.
    pub(crate) at: Instant,
}

impl Conflicts {
    /// Another station claims the address now.
    pub(super) fn note(&mut self, now: Instant, address: IpAddr, by: String) {
        self.0
            .retain(|_, claim| now.saturating_duration_since(claim.at) < TOLD_FOR);
        self.0.insert(address, Claim { by, at: now });
    }

    /// The address is no longer announced here.
    pub(super) fn forget(&mut self, address: IpAddr) {
        self.0.remove(&address);
    }

    /// The last claim of an address, unless it is long past.
    pub(super) fn of(&self, now: Instant, address: IpAddr) -> Option<&Claim> {
        let claim = self.0.get(&address)?;
        (now.saturating_duration_since(claim.at) < TOLD_FOR).then_some(claim)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_told_until_no_other_came_for_a_while() {
        let (address, start) = ("192.0.2.1".parse().unwrap(), Instant::now());
        let mut conflicts = Conflicts::default();
        assert_eq!(conflicts.of(start, address), None);
        conflicts.note(start, address, "a on eth0".to_owned());
        let last = start + TOLD_FOR - Duration::from_secs(1);
        let told = |conflicts: &Conflicts, now| {
            let claim = conflicts.of(now, address)?;
            Some((claim.by.clone(), now - claim.at))
        };
        let a_on = |ago| Some(("a on eth0".to_owned(), ago));
        assert_eq!(told(&conflicts, start), a_on(Duration::ZERO));
        assert_eq!(told(&conflicts, last), a_on(last - start));
        assert_eq!(told(&conflicts, start + TOLD_FOR), None);

        conflicts.note(last, address, "b on eth0".to_owned());
        let later = start + TOLD_FOR;
        let b_on = Some(("b on eth0".to_owned(), Duration::from_secs(1)));
        assert_eq!(told(&conflicts, later), b_on);
        assert_eq!(told(&conflicts, last + TOLD_FOR), None);
        conflicts.forget(address);
        assert_eq!(told(&conflicts, later), None);
    }
}
