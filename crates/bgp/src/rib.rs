// SPDX-License-Identifier: Apache-2.0
//! The only RIB: which prefixes are wanted, for whom, and what each session has said of them.
//!
//! [`Rib`] holds the desired routes, one small slot per prefix, with the targets and attribute sets
//! interned, since many prefixes share few of them. Per session and family an [`Outbox`] holds what was
//! sent (one interned id per slot) and which slots it still owes, in buckets by attribute set.
//!
//! A slot is owed at most once per session and its desired state is read when it is sent: the newest
//! state always wins, and the memory of a session is bounded by the number of slots however slow its
//! peer and however fast the routes change. A slot is kept while a session has its prefix announced, so
//! the slots in turn are bounded by what was announced and what is wanted.
//!
//! Knows no timers, no wire format and no sessions.

mod attributes;
mod bits;
mod outbox;
mod policy;
mod table;
#[cfg(test)]
mod tests;

use ferrolb_types::{Family, PeerName, RouteAttributes, RouteTargets};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::sync::Arc;

pub(crate) use attributes::{AttributeId, Attributes};
pub(crate) use outbox::{Outbox, Turn};
pub(crate) use policy::Policies;
pub(crate) use table::{RouteId, Table};

/// The desired routes of both families.
#[derive(Debug, Default)]
pub(crate) struct Rib {
    v4: Table<Ipv4Net>,
    v6: Table<Ipv6Net>,
    shared: Shared,
}

/// What the slots of both families refer to.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub(crate) attributes: Attributes,
    pub(crate) policies: Policies,
}

impl Rib {
    /// Wants `prefix` announced to `targets`, or to nobody. Gives the slot when something changed.
    /// Host bits of the prefix are ignored.
    pub(crate) fn set(&mut self, prefix: IpNet, targets: Option<RouteTargets>) -> Option<RouteId> {
        match prefix {
            IpNet::V4(net) => self.v4.set(net.trunc(), targets, &mut self.shared),
            IpNet::V6(net) => self.v6.set(net.trunc(), targets, &mut self.shared),
        }
    }

    /// The number of prefixes wanted.
    pub(crate) fn len(&self) -> usize {
        self.v4.len() + self.v6.len()
    }

    /// A session begins to carry `family`: everything wanted for `peer` is owed, or nothing while it is
    /// `withheld`.
    pub(crate) fn open(&mut self, family: Family, peer: &PeerName, withheld: bool) -> Outbox {
        match family {
            Family::IPv4 => Outbox::open(&self.v4, &mut self.shared, peer, withheld),
            Family::IPv6 => Outbox::open(&self.v6, &mut self.shared, peer, withheld),
        }
    }

    /// From now on nothing is to be announced on the session, or everything again.
    pub(crate) fn withhold(
        &mut self,
        family: Family,
        outbox: &mut Outbox,
        withheld: bool,
        peer: &PeerName,
    ) {
        match family {
            Family::IPv4 => outbox.withhold(withheld, &self.v4, &mut self.shared, peer),
            Family::IPv6 => outbox.withhold(withheld, &self.v6, &mut self.shared, peer),
        }
    }

    /// The slot changed: `outbox` owes it unless what it sent is still right.
    pub(crate) fn mark(
        &mut self,
        family: Family,
        outbox: &mut Outbox,
        id: RouteId,
        peer: &PeerName,
    ) {
        match family {
            Family::IPv4 => outbox.mark(&self.v4, &mut self.shared, id, peer),
            Family::IPv6 => outbox.mark(&self.v6, &mut self.shared, id, peer),
        }
    }

    /// Owes everything again, as after a ROUTE-REFRESH.
    pub(crate) fn resend(&mut self, family: Family, outbox: &mut Outbox, peer: &PeerName) {
        match family {
            Family::IPv4 => outbox.resend(&self.v4, &mut self.shared, peer),
            Family::IPv6 => outbox.resend(&self.v6, &mut self.shared, peer),
        }
    }

    /// Begins a message: what it says and whose turn it is. `hold` keeps withdrawals back.
    pub(crate) fn turn(&self, outbox: &mut Outbox, hold: bool) -> Option<Turn> {
        outbox.turn(&self.shared.attributes, hold)
    }

    /// Gives `push` the prefixes of the message until it refuses one; what it took counts as sent. It
    /// may get none though something was owed: the changes had been taken back.
    pub(crate) fn fill(
        &mut self,
        family: Family,
        outbox: &mut Outbox,
        turn: Turn,
        peer: &PeerName,
        mut push: impl FnMut(IpNet) -> bool,
    ) {
        match family {
            Family::IPv4 => {
                let push = |net| push(IpNet::V4(net));
                outbox.fill(&mut self.v4, &mut self.shared, turn, peer, push);
            }
            Family::IPv6 => {
                let push = |net| push(IpNet::V6(net));
                outbox.fill(&mut self.v6, &mut self.shared, turn, peer, push);
            }
        }
    }

    /// A session ends: nothing is announced on it any more.
    pub(crate) fn close(&mut self, family: Family, outbox: Outbox) {
        match family {
            Family::IPv4 => outbox.close(&mut self.v4, &mut self.shared),
            Family::IPv6 => outbox.close(&mut self.v6, &mut self.shared),
        }
    }

    /// What the session has announced, in no particular order.
    pub(crate) fn announced<'a>(
        &'a self,
        family: Family,
        outbox: &'a Outbox,
    ) -> Box<dyn Iterator<Item = (IpNet, &'a Arc<RouteAttributes>)> + 'a> {
        let attributes = &self.shared.attributes;
        match family {
            Family::IPv4 => Box::new(outbox.announced(&self.v4, attributes)),
            Family::IPv6 => Box::new(outbox.announced(&self.v6, attributes)),
        }
    }
}
