// SPDX-License-Identifier: Apache-2.0
//! Two connections with one peer: which is kept (RFC 4271 section 6.8, RFC 6286 section 2.3).

use ferrolb_types::{Asn, RouterId};

use super::{
    Connection, Context, Session, Side,
    lifecycle::{Ending, cease},
};
use crate::{Problem, wire::CeaseError};

/// The side whose connection is kept: that of the higher identifier, or of the higher AS where the
/// identifiers are equal.
fn dominant(ours: (RouterId, Asn), theirs: (RouterId, Asn)) -> Side {
    if ours > theirs {
        Side::Ours
    } else {
        Side::Theirs
    }
}

impl Session {
    /// The OPEN that came on `link` shows who the peer is. If there is another connection, one of the
    /// two is given up: the other at once, or this one by the error.
    ///
    /// The other connection is judged in OpenSent too, where the RFC leaves it open: the peer is known
    /// by its address, and both ends come to the same result.
    pub(super) fn resolve_collision(
        &mut self,
        ctx: &mut Context<'_>,
        link: &Connection,
        side: Side,
        peer_id: RouterId,
    ) -> Result<(), Ending> {
        let Some(other) = self.slot(side.other()).take() else {
            return Ok(());
        };
        let ours = (link.router_id, self.config.my_asn);
        let theirs = (peer_id, self.config.peer_asn);
        let goodbye = || {
            Ending::ours(
                cease(CeaseError::ConnectionCollisionResolution),
                Problem::collision(),
            )
        };
        if other.is_established() || dominant(ours, theirs) != side {
            *self.slot(side.other()) = Some(other);
            return Err(goodbye());
        }
        self.discard(ctx, other, goodbye());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_higher_identifier_then_the_higher_as_is_dominant() {
        let id = |last| RouterId([192, 0, 2, last].into());
        assert_eq!(dominant((id(2), Asn(1)), (id(1), Asn(9))), Side::Ours);
        assert_eq!(dominant((id(1), Asn(9)), (id(2), Asn(1))), Side::Theirs);
        assert_eq!(dominant((id(1), Asn(9)), (id(1), Asn(1))), Side::Ours);
        assert_eq!(dominant((id(1), Asn(1)), (id(1), Asn(9))), Side::Theirs);
    }
}
