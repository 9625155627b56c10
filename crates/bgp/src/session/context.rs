// SPDX-License-Identifier: Apache-2.0
//! What a session may use of the speaker while it handles an input.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Instant,
};

use ferrolb_types::{PeerName, RouterId};

use crate::{ConnId, Event, Output, What, rib::Rib};

/// The speaker's shared parts, lent for one input.
pub(crate) struct Context<'a> {
    pub(crate) now: Instant,
    pub(crate) rib: &'a mut Rib,
    /// Whether the desired routes are complete: before that nothing is withdrawn.
    pub(crate) synced: bool,
    pub(crate) fallback_router_id: RouterId,
    pub(crate) out: &'a mut VecDeque<Output>,
    /// Which peer a connection belongs to.
    pub(crate) conns: &'a mut BTreeMap<ConnId, PeerName>,
    pub(crate) last_conn: &'a mut u64,
}

impl Context<'_> {
    /// A number for a new connection of `peer`.
    pub(crate) fn open(&mut self, peer: &PeerName) -> ConnId {
        *self.last_conn += 1;
        let conn = ConnId(*self.last_conn);
        self.conns.insert(conn, peer.clone());
        conn
    }

    /// The connection ends, and nobody speaks of it any more.
    pub(crate) fn close(&mut self, conn: ConnId) {
        self.conns.remove(&conn);
        self.out.push_back(Output::Close { conn });
    }

    /// Tells the driver what happened to `peer`.
    pub(crate) fn event(&mut self, peer: &PeerName, what: What) {
        self.out.push_back(Output::Event(Event {
            peer: peer.clone(),
            what,
        }));
    }
}
