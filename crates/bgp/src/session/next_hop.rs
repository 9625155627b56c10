// SPDX-License-Identifier: Apache-2.0
//! The next hops of a session: addresses of this end, which come and go while it is up.

use ferrolb_types::Family;

use super::{Connection, Context, Session};
use crate::{ConnId, Ends, NextHop, NextHops, Problem, What};

impl Session {
    /// The next hop of a family's routes on the established session.
    pub(crate) fn next_hop(&self, family: Family) -> Option<NextHop> {
        self.established()?.next_hop(family)
    }

    /// The families of which routes are exchanged: agreed upon, with a next hop here.
    pub(crate) fn carried(&self) -> impl Iterator<Item = Family> {
        let feeds = self.established().into_iter().flat_map(|link| &link.feeds);
        feeds
            .filter(|feed| !feed.outbox.is_withheld())
            .map(|feed| feed.family)
    }

    /// What our addresses are on the interface of a connection. Routes whose next hop is another now are
    /// announced anew; those that lost it are withdrawn, those that got one announced.
    pub(crate) fn next_hops_told(
        &mut self,
        ctx: &mut Context<'_>,
        conn: ConnId,
        next_hops: NextHops,
    ) {
        let links = [&mut self.ours, &mut self.theirs].into_iter().flatten();
        let Some(link) = links.into_iter().find(|link| link.id == conn) else {
            return;
        };
        let before = std::mem::replace(&mut link.ends.next_hops, next_hops);
        let before = Ends {
            next_hops: before,
            ..link.ends
        };
        let peer = &self.config.name;
        let Some(agreed) = &link.agreed else { return };
        for feed in &mut link.feeds {
            let old = agreed.next_hop(feed.family, &before);
            let new = agreed.next_hop(feed.family, &link.ends);
            if old == new {
                continue;
            }
            match (old, new) {
                (Some(_), Some(_)) => ctx.rib.resend(feed.family, &mut feed.outbox, peer),
                _ => ctx
                    .rib
                    .withhold(feed.family, &mut feed.outbox, new.is_none(), peer),
            }
            if new.is_none() {
                ctx.event(peer, What::Notice(Problem::no_next_hop(feed.family)));
            }
        }
        if link.feeds.iter().any(|feed| feed.has_work(ctx.synced)) {
            link.ask(ctx);
        }
    }
}

impl Connection {
    /// The next hop of a family's routes here, once both OPENs are exchanged.
    pub(super) fn next_hop(&self, family: Family) -> Option<NextHop> {
        self.agreed.as_ref()?.next_hop(family, &self.ends)
    }
}
