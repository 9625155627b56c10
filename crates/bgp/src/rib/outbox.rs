// SPDX-License-Identifier: Apache-2.0
//! What one session has announced of one family, and what it still owes.
//!
//! A slot that is owed stands in exactly one bucket, the one of the attribute set that was desired when
//! it was queued. The bucket is a hint: when the slot comes up, its present state decides, and if that
//! belongs elsewhere it moves there. Buckets take turns message by message, so none starves.

use std::collections::{BTreeMap, VecDeque, btree_map};
use std::sync::Arc;

use ferrolb_types::{PeerName, RouteAttributes};
use ipnet::IpNet;

use super::{AttributeId, Attributes, RouteId, Shared, Table, bits::Bits};

/// One message: a bucket taken out to be sent.
#[derive(Debug)]
pub(crate) struct Turn {
    bucket: Bucket,
    attributes: Option<Arc<RouteAttributes>>,
    queue: VecDeque<RouteId>,
}

impl Turn {
    /// The attributes to announce with; without them the message withdraws.
    pub(crate) fn attributes(&self) -> Option<&RouteAttributes> {
        self.attributes.as_deref()
    }
}

/// What a bucket says: announce with the set, or withdraw.
type Bucket = Option<AttributeId>;

/// One session's side of one family.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    /// By slot: the attribute set last sent.
    sent: Vec<Option<AttributeId>>,
    announced: usize,
    /// Nothing is to be announced, whatever is desired.
    withheld: bool,
    /// The slots that stand in a bucket.
    queued: Bits,
    /// The queued slots to be sent even when nothing changed.
    forced: Bits,
    owed: usize,
    /// The attribute sets with which routes fit no message. What was announced before is withdrawn.
    given_up: BTreeMap<RouteId, AttributeId>,
    buckets: BTreeMap<Bucket, VecDeque<RouteId>>,
    turns: VecDeque<Bucket>,
}

impl Outbox {
    /// An outbox that has sent nothing and owes all that is desired for `peer`, unless that is `withheld`.
    pub(super) fn open<N: Copy + Ord>(
        table: &Table<N>,
        shared: &mut Shared,
        peer: &PeerName,
        withheld: bool,
    ) -> Self {
        let mut outbox = Self::default();
        outbox.sent.reserve_exact(table.slots());
        outbox.withhold(withheld, table, shared, peer);
        outbox
    }

    /// Whether nothing is to be announced.
    pub(crate) fn is_withheld(&self) -> bool {
        self.withheld
    }

    /// Owes what there is to withdraw when all is `withheld`, and what there is to announce when it is not.
    pub(super) fn withhold<N: Copy + Ord>(
        &mut self,
        withheld: bool,
        table: &Table<N>,
        shared: &mut Shared,
        peer: &PeerName,
    ) {
        self.withheld = withheld;
        for id in table.ids() {
            self.mark(table, shared, id, peer);
        }
    }

    /// The number of prefixes the peer has.
    pub(crate) fn announced_count(&self) -> usize {
        self.announced
    }

    /// An upper bound of the changes not yet sent: one that was taken back counts until its turn.
    pub(crate) fn owed(&self) -> usize {
        self.owed
    }

    /// The number of routes that are given up because they do not fit even an empty message.
    pub(crate) fn unsendable(&self) -> usize {
        self.given_up.len()
    }

    /// Whether a pull may find something. `hold` keeps withdrawals back.
    pub(crate) fn has_work(&self, hold: bool) -> bool {
        self.turns.iter().any(|bucket| bucket.is_some() || !hold)
    }

    /// Queues the slot, unless it is queued or what was sent is right.
    pub(super) fn mark<N: Copy + Ord>(
        &mut self,
        table: &Table<N>,
        shared: &mut Shared,
        id: RouteId,
        peer: &PeerName,
    ) {
        self.try_again_if_other(table.desired(id, shared, peer), id, shared);
        let desired = self.desired(table, shared, id, peer);
        if desired != self.sent(id) && self.queued.insert(id.0) {
            self.owed += 1;
            self.put(desired, id);
        }
    }

    /// Queues everything desired or announced, to be sent whether changed or not. What did not fit may do by
    /// now, with another next hop.
    pub(super) fn resend<N: Copy + Ord>(
        &mut self,
        table: &Table<N>,
        shared: &mut Shared,
        peer: &PeerName,
    ) {
        self.give_nothing_up(shared);
        for id in table.ids() {
            let desired = self.desired(table, shared, id, peer);
            if desired.is_none() && self.sent(id).is_none() {
                continue;
            }
            self.forced.insert(id.0);
            if self.queued.insert(id.0) {
                self.owed += 1;
                self.put(desired, id);
            }
        }
    }

    /// Takes out the bucket whose turn it is. `hold` keeps withdrawals back.
    pub(super) fn turn(&mut self, attributes: &Attributes, hold: bool) -> Option<Turn> {
        let at = self
            .turns
            .iter()
            .position(|bucket| bucket.is_some() || !hold)?;
        let bucket = self.turns.remove(at)?;
        let queue = self.buckets.remove(&bucket)?;
        let attributes = bucket.and_then(|id| attributes.get(id)).cloned();
        Some(Turn {
            bucket,
            attributes,
            queue,
        })
    }

    /// Gives `push` what is still owed of the bucket until it refuses; the rest goes back.
    pub(super) fn fill<N: Copy + Ord>(
        &mut self,
        table: &mut Table<N>,
        shared: &mut Shared,
        turn: Turn,
        peer: &PeerName,
        mut push: impl FnMut(N) -> bool,
    ) {
        let Turn {
            bucket, mut queue, ..
        } = turn;
        let mut is_empty = true;
        while let Some(id) = queue.pop_front() {
            let desired = self.desired(table, shared, id, peer);
            if desired != bucket {
                self.put(desired, id);
            } else if self.is_settled(id, desired) {
                self.settle(id);
            } else if table.prefix(id).is_some_and(&mut push) {
                is_empty = false;
                self.settle(id);
                self.record(id, desired, table, shared);
            } else if is_empty {
                self.give_up(id, desired, table, shared, peer);
            } else {
                queue.push_front(id);
                break;
            }
        }
        if !queue.is_empty() {
            self.buckets.insert(bucket, queue);
            self.turns.push_back(bucket);
        }
    }

    /// The session is over.
    pub(super) fn close<N: Copy + Ord>(mut self, table: &mut Table<N>, shared: &mut Shared) {
        self.give_nothing_up(shared);
        for (n, sent) in std::mem::take(&mut self.sent).into_iter().enumerate() {
            if let (Some(attributes), Ok(n)) = (sent, u32::try_from(n)) {
                shared.attributes.release(attributes);
                table.unhold(RouteId(n));
            }
        }
    }

    /// The prefixes the peer has, in slot order.
    pub(super) fn announced<'a, N: Copy + Ord + Into<IpNet>>(
        &'a self,
        table: &'a Table<N>,
        attributes: &'a Attributes,
    ) -> impl Iterator<Item = (IpNet, &'a Arc<RouteAttributes>)> + 'a {
        table
            .ids()
            .zip(&self.sent)
            .filter_map(|(id, sent)| Some((table.prefix(id)?.into(), attributes.get((*sent)?)?)))
    }

    fn desired<N: Copy + Ord>(
        &self,
        table: &Table<N>,
        shared: &Shared,
        id: RouteId,
        peer: &PeerName,
    ) -> Option<AttributeId> {
        let is_given_up = |attributes: &AttributeId| self.given_up.get(&id) == Some(attributes);
        table
            .desired(id, shared, peer)
            .filter(|attributes| !self.withheld && !is_given_up(attributes))
    }

    /// The route does not fit with these attributes.
    fn give_up<N: Copy + Ord>(
        &mut self,
        id: RouteId,
        attributes: Option<AttributeId>,
        table: &Table<N>,
        shared: &mut Shared,
        peer: &PeerName,
    ) {
        self.settle(id);
        if let Some(attributes) = attributes {
            // Held, so that its number does not come to mean another set.
            shared.attributes.retain(attributes);
            self.given_up.insert(id, attributes);
            self.mark(table, shared, id, peer);
        }
    }

    fn give_nothing_up(&mut self, shared: &mut Shared) {
        for attributes in std::mem::take(&mut self.given_up).into_values() {
            shared.attributes.release(attributes);
        }
    }

    /// A route that was given up and is desired otherwise now, or no more.
    fn try_again_if_other(
        &mut self,
        wanted: Option<AttributeId>,
        id: RouteId,
        shared: &mut Shared,
    ) {
        if let btree_map::Entry::Occupied(given_up) = self.given_up.entry(id)
            && Some(*given_up.get()) != wanted
        {
            shared.attributes.release(given_up.remove());
        }
    }

    fn sent(&self, id: RouteId) -> Option<AttributeId> {
        self.sent.get(id.0 as usize).copied().flatten()
    }

    /// Whether the peer already knows what the slot desires, or never needs to know.
    fn is_settled(&self, id: RouteId, desired: Option<AttributeId>) -> bool {
        let sent = self.sent(id);
        sent == desired && (sent.is_none() || !self.forced.has(id.0))
    }

    fn settle(&mut self, id: RouteId) {
        self.owed -= usize::from(self.queued.remove(id.0));
        self.forced.remove(id.0);
    }

    fn put(&mut self, bucket: Bucket, id: RouteId) {
        let queue = self.buckets.entry(bucket).or_default();
        if queue.is_empty() {
            self.turns.push_back(bucket);
        }
        queue.push_back(id);
    }

    fn record<N: Copy + Ord>(
        &mut self,
        id: RouteId,
        now: Option<AttributeId>,
        table: &mut Table<N>,
        shared: &mut Shared,
    ) {
        let index = id.0 as usize;
        if index >= self.sent.len() {
            self.sent.resize(index + 1, None);
        }
        let Some(entry) = self.sent.get_mut(index) else {
            return;
        };
        let before = std::mem::replace(entry, now);
        if let Some(attributes) = now {
            shared.attributes.retain(attributes);
        }
        if let Some(attributes) = before {
            shared.attributes.release(attributes);
        }
        match (before, now) {
            (None, Some(_)) => {
                self.announced += 1;
                table.hold(id);
            }
            (Some(_), None) => {
                self.announced -= 1;
                table.unhold(id);
            }
            _ => {}
        }
    }
}
