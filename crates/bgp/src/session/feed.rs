// SPDX-License-Identifier: Apache-2.0
//! One address family of an established session: its outbox, End-of-RIB, and answers to ROUTE-REFRESH.

use ferrolb_types::Family;

use crate::rib::Outbox;

/// One family.
#[derive(Debug)]
pub(super) struct Feed {
    pub(super) family: Family,
    pub(super) outbox: Outbox,
    /// Whether End-of-RIB was sent (RFC 4724 section 2).
    pub(super) end_of_rib: bool,
    pub(super) refresh: Refresh,
}

/// Where the answer to a ROUTE-REFRESH stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refresh {
    /// None is asked for.
    Idle,
    /// Asked for, not begun.
    Asked,
    /// The routes are being sent again. `again` when asked for once more meanwhile.
    Sending {
        /// Another one follows.
        again: bool,
    },
}

impl Feed {
    /// A feed that has sent nothing.
    pub(super) fn new(family: Family, outbox: Outbox) -> Self {
        Self {
            family,
            outbox,
            end_of_rib: false,
            refresh: Refresh::Idle,
        }
    }

    /// The peer asks for everything again. However often it asks, at most one answer is waiting.
    pub(super) fn ask_refresh(&mut self) {
        self.refresh = match self.refresh {
            Refresh::Idle | Refresh::Asked => Refresh::Asked,
            Refresh::Sending { .. } => Refresh::Sending { again: true },
        };
    }

    /// Whether there is something to write.
    pub(super) fn has_work(&self, synced: bool) -> bool {
        // An answer before the routes are complete would make the peer drop the rest.
        let to_mark = self.refresh != Refresh::Idle || !self.end_of_rib;
        (synced && to_mark) || self.outbox.has_work(!synced)
    }
}
