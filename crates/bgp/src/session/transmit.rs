// SPDX-License-Identifier: Apache-2.0
//! What is written when the socket takes bytes: control messages first, then routes, a message of each
//! family in turn.

use bytes::BytesMut;
use ferrolb_types::{Family, RouteAttributes};

use super::{
    Connection, Context, Session,
    feed::{Feed, Refresh},
};
use crate::{
    ConnId, Ends, Negotiated, PeerConfig, RouteRefresh,
    wire::{self, Announcement, EncodedAttributes, RefreshSubtype, UpdateWriter},
};

/// LOCAL_PREF where none is configured.
const DEFAULT_LOCAL_PREF: u32 = 100;

impl Session {
    /// Appends about `budget` bytes of whole messages to `buf`; a little more when a message does not
    /// end there. Says whether more is waiting.
    pub(crate) fn transmit(
        &mut self,
        ctx: &mut Context<'_>,
        conn: ConnId,
        buf: &mut BytesMut,
        budget: usize,
    ) -> bool {
        if let Some(at) = self.closing.iter().position(|link| link.id == conn) {
            let mut link = self.closing.swap_remove(at);
            link.take_control(ctx.now, buf);
            ctx.close(conn);
            return false;
        }
        let Some(side) = self.side_of(conn) else {
            return false;
        };
        let Some(mut link) = self.slot(side).take() else {
            return false;
        };
        let more = self.write(ctx, &mut link, buf, budget);
        *self.slot(side) = Some(link);
        more
    }

    fn write(
        &mut self,
        ctx: &mut Context<'_>,
        link: &mut Connection,
        buf: &mut BytesMut,
        budget: usize,
    ) -> bool {
        let limit = buf.len().saturating_add(budget);
        link.take_control(ctx.now, buf);
        let mut feeds = std::mem::take(&mut link.feeds);
        while let Some(agreed) = &link.agreed
            && buf.len() < limit
        {
            let step = |feed: &mut Feed| self.step(ctx, link, agreed, feed, buf);
            if feeds
                .iter_mut()
                .map(step)
                .filter(|progress| *progress)
                .count()
                == 0
            {
                break;
            }
        }
        let more = feeds.iter().any(|feed| feed.has_work(ctx.synced));
        link.feeds = feeds;
        if !more {
            link.emptied();
        }
        more
    }

    /// Writes at most one message of a family. False when there is nothing to write.
    fn step(
        &mut self,
        ctx: &mut Context<'_>,
        link: &Connection,
        agreed: &Negotiated,
        feed: &mut Feed,
        buf: &mut BytesMut,
    ) -> bool {
        if feed.refresh == Refresh::Asked && ctx.synced {
            self.mark(agreed, feed.family, RefreshSubtype::Begin, buf);
            ctx.rib
                .resend(feed.family, &mut feed.outbox, &self.config.name);
            feed.refresh = Refresh::Sending { again: false };
        } else if feed.outbox.has_work(!ctx.synced) {
            self.routes(ctx, link, agreed, feed, buf);
        } else if let Refresh::Sending { again } = feed.refresh
            && ctx.synced
        {
            self.mark(agreed, feed.family, RefreshSubtype::End, buf);
            feed.refresh = if again { Refresh::Asked } else { Refresh::Idle };
        } else if ctx.synced && !feed.end_of_rib {
            wire::emit_end_of_rib(buf, feed.family);
            self.record.sent.update += 1;
            feed.end_of_rib = true;
        } else {
            return false;
        }
        true
    }

    fn routes(
        &mut self,
        ctx: &mut Context<'_>,
        link: &Connection,
        agreed: &Negotiated,
        feed: &mut Feed,
        buf: &mut BytesMut,
    ) {
        let limit = agreed.max_length();
        let (outbox, peer) = (&mut feed.outbox, &self.config.name);
        let Some(turn) = ctx.rib.turn(outbox, !ctx.synced) else {
            return;
        };
        let encoded = turn.attributes().and_then(|attributes| {
            encode(&self.config, agreed, &link.ends, feed.family, attributes)
        });
        let sent = match encoded {
            Some(encoded) => {
                let mut writer = UpdateWriter::announce(buf, &encoded, limit);
                ctx.rib.fill(feed.family, outbox, turn, peer, |prefix| {
                    writer.push(prefix)
                });
                writer.finish()
            }
            // Without a next hop nothing is desired: what stands in a bucket to be announced moves on.
            None => {
                let mut writer = UpdateWriter::withdraw(buf, feed.family, limit);
                ctx.rib.fill(feed.family, outbox, turn, peer, |prefix| {
                    writer.push(prefix)
                });
                writer.finish()
            }
        };
        self.record.sent.update += u64::from(sent);
    }

    fn mark(
        &mut self,
        agreed: &Negotiated,
        family: Family,
        subtype: RefreshSubtype,
        buf: &mut BytesMut,
    ) {
        if agreed.route_refresh == RouteRefresh::Enhanced {
            wire::RouteRefresh {
                family: family.into(),
                subtype,
            }
            .emit(buf);
            self.record.sent.route_refresh += 1;
        }
    }
}

/// What the session says of routes with these attributes; nothing where it has no next hop.
fn encode(
    config: &PeerConfig,
    agreed: &Negotiated,
    ends: &Ends,
    family: Family,
    attributes: &RouteAttributes,
) -> Option<EncodedAttributes> {
    let internal = config.is_internal();
    let announcement = Announcement {
        as_path: if internal {
            &[]
        } else {
            std::slice::from_ref(&config.my_asn)
        },
        next_hop: agreed.next_hop(family, ends)?,
        local_pref: internal.then(|| attributes.local_pref.unwrap_or(DEFAULT_LOCAL_PREF)),
        communities: &attributes.communities,
    };
    Some(EncodedAttributes::new(
        family,
        &announcement,
        agreed.as_width(),
    ))
}
