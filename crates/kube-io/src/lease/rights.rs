// SPDX-License-Identifier: Apache-2.0
//! Whether a Lease is granted to us at all. Without one there is one writer, by assumption us; so that is
//! believed only after a while of nothing but refusals.

use std::{sync::atomic::Ordering, time::Duration};

use tokio::time::Instant;

use super::{Election, Leadership, Stand, record::Seen};
use crate::{Error, gate::State};

/// How long everything must be refused, without a break, before a Lease counts as not granted: an API
/// server that just started refuses everybody for a moment. A process that read or wrote one before
/// waits longer, for it has more reason to doubt, and others may lead meanwhile.
const REFUSED_FOR: Duration = Duration::from_secs(2);
pub(super) const REFUSED_AFTER_A_GRANT: Duration = Duration::from_secs(60);

/// How often it is asked meanwhile.
const ASK_AGAIN: Duration = Duration::from_millis(500);

/// How often a process without a Lease looks whether it is granted by now.
const RECHECK: Duration = Duration::from_secs(15);

impl Election {
    /// Refused once: for good only if it stays so for a while. Nothing is written meanwhile.
    pub(super) async fn refused(&self, error: &Error, seen: Option<Seen>) -> (Stand, Duration) {
        let begun = Instant::now();
        let doubt = match self.granted.load(Ordering::Relaxed) {
            true => REFUSED_AFTER_A_GRANT,
            false => REFUSED_FOR,
        };
        while begun.elapsed() < doubt {
            tokio::select! {
                () = self.stop.cancelled() => return (Stand::Out(seen), Duration::ZERO),
                () = tokio::time::sleep(ASK_AGAIN) => {}
            }
            match self.is_granted().await {
                Ok(false) => {}
                // A quota or a policy may refuse what the rules grant.
                Ok(true) => {
                    tracing::warn!(%error, "the lease was refused; the rules grant it by now");
                    return (Stand::Out(seen), self.options.retry / 4);
                }
                // Nobody answering refuses nothing.
                Err(_) => return (Stand::Out(seen), Duration::ZERO),
            }
        }
        tracing::warn!(%error, "no Lease is granted to us: there must be one writer alone");
        self.keeper.open(State::Always);
        self.tell(Leadership::Unneeded);
        (Stand::Forbidden, RECHECK)
    }

    pub(super) async fn look_again(&self) -> (Stand, Duration) {
        if !matches!(self.is_granted().await, Ok(true)) {
            return (Stand::Forbidden, RECHECK);
        }
        tracing::info!("a Lease is granted to us by now: elections begin");
        self.keeper.close();
        self.tell(Leadership::Waiting { holder: None });
        (Stand::Out(None), Duration::ZERO)
    }

    /// Whether everything an election takes is granted.
    async fn is_granted(&self) -> Result<bool, Error> {
        for verb in ["get", "create", "update"] {
            // RBAC cannot bind `create` to a name.
            let name = if verb == "create" {
                ""
            } else {
                &self.options.name
            };
            let access = crate::Access {
                verb: verb.into(),
                group: "coordination.k8s.io".into(),
                resource: "leases".into(),
                namespace: self.cluster.namespace().into(),
                name: name.into(),
                ..crate::Access::default()
            };
            if !self.cluster.may(&access).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
