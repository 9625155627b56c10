// SPDX-License-Identifier: Apache-2.0
//! Claims of other stations, held back for a while before they count as conflicts: when an address moves, its new
//! owner claims it before the former one has heard that it lost.

use std::{
    collections::{BTreeMap, VecDeque},
    net::IpAddr,
    time::{Duration, Instant},
};

use super::Event;

/// Longer than it takes to hear of another owner, also where a heartbeat or two are lost.
const HELD: Duration = Duration::from_secs(1);

/// Where an address is claimed.
type Place = (IpAddr, u32);

/// The claims held back.
#[derive(Debug, Default)]
pub(super) struct Claims {
    held: BTreeMap<Place, (Instant, Event)>,
    /// In the order they are due; those that were dropped meanwhile still stand here.
    order: VecDeque<(Instant, Place)>,
}

impl Claims {
    /// The address is claimed on this interface.
    pub(super) fn hold(&mut self, now: Instant, ifindex: u32, event: Event) {
        let Event::Conflict { address, .. } = &event;
        let (due, place) = (now + HELD, (*address, ifindex));
        self.held.insert(place, (due, event));
        self.order.push_back((due, place));
    }

    /// The address is not announced here any more: the claim was right.
    pub(super) fn drop_of(&mut self, address: IpAddr) {
        let places = self.held.range((address, 0)..=(address, u32::MAX));
        let places: Vec<Place> = places.map(|(place, _)| *place).collect();
        for place in places {
            self.held.remove(&place);
        }
    }

    /// The next one that counts at this time.
    pub(super) fn due(&mut self, now: Instant) -> Option<Event> {
        while let Some((due, place)) = self.order.pop_front_if(|(due, _)| *due <= now) {
            if self.held.get(&place).is_some_and(|(held, _)| *held == due) {
                return self.held.remove(&place).map(|(_, event)| event);
            }
        }
        None
    }

    /// When [`Self::due`] may next have something.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.order.front().map(|(due, _)| *due)
    }
}

#[cfg(test)]
mod tests {
    use ferrolb_l2::MacAddress;

    use super::*;

    fn claim(last: u8) -> Event {
        Event::Conflict {
            address: IpAddr::from([192, 0, 2, last]),
            interface: "eth0".into(),
            mac: MacAddress([2, 0, 0, 0, 0, 1]),
            claims: 1,
        }
    }

    #[test]
    fn what_is_announced_a_while_later_is_a_conflict_and_what_moved_is_none() {
        let (mut claims, now) = (Claims::default(), Instant::now());
        assert_eq!(claims.deadline(), None);
        for last in 1..=3 {
            claims.hold(now, 7, claim(last));
        }
        claims.drop_of(IpAddr::from([192, 0, 2, 2]));
        assert_eq!(claims.due(now + HELD / 2), None);
        assert_eq!(claims.deadline(), Some(now + HELD));
        assert_eq!(claims.due(now + HELD), Some(claim(1)));
        assert_eq!(claims.due(now + HELD), Some(claim(3)));
        assert_eq!(claims.due(now + HELD), None);
        assert_eq!(claims.deadline(), None);
    }

    #[test]
    fn one_that_comes_again_waits_its_own_time() {
        let (mut claims, now) = (Claims::default(), Instant::now());
        claims.hold(now, 7, claim(1));
        claims.drop_of(IpAddr::from([192, 0, 2, 1]));
        claims.hold(now + HELD / 2, 7, claim(1));
        assert_eq!(claims.due(now + HELD), None);
        assert_eq!(claims.due(now + HELD * 2), Some(claim(1)));
        assert_eq!(claims.deadline(), None);
    }
}
