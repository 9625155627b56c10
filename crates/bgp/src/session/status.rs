// SPDX-License-Identifier: Apache-2.0
//! The session as a [`PeerStatus`].

use std::time::{Duration, Instant};

use super::{Connection, Connector, Phase, Session};
use crate::{FamilyStatus, PeerStatus, Problem};

/// A peer that has not sent its OPEN after this is called silent.
const SILENT_AFTER: Duration = Duration::from_secs(5);

impl Session {
    /// Everything to be told about the peer at `now`.
    pub(crate) fn status(&self, now: Instant) -> PeerStatus {
        let link = [&self.ours, &self.theirs]
            .into_iter()
            .flatten()
            .max_by_key(|link| link.state());
        let next_attempt = match self.connector {
            Connector::Waiting(timer) => timer.at(),
            Connector::Idle | Connector::Connecting(..) => None,
        };
        PeerStatus {
            peer: self.config.name.clone(),
            state: self.record.state,
            since: self.record.since,
            link: link.map(Connection::link),
            negotiated: link.and_then(|link| link.agreed.clone()),
            families: self.family_status(),
            sent: self.record.sent,
            received: self.record.received,
            inbound: self.record.inbound,
            flaps: self.record.flaps,
            problems: self.problems(now),
            last_loss: self.record.last_loss.clone(),
            last_error: self.record.last_error.clone(),
            next_attempt,
        }
    }

    /// What keeps the established session from being as configured.
    pub(super) fn shortcomings(&self, link: &Connection) -> Vec<Problem> {
        let mut problems = Vec::new();
        problems.extend(self.source_problem(link));
        let Some(agreed) = &link.agreed else {
            return problems;
        };
        for family in self.config.families() {
            if !agreed.families.contains(&family) {
                problems.push(Problem::family_missing(&self.config, family));
            } else if link.next_hop(family).is_none() {
                problems.push(Problem::no_next_hop(family));
            }
        }
        problems
    }

    /// The configured source address was not used.
    pub(super) fn source_problem(&self, link: &Connection) -> Option<Problem> {
        let used = link.ends.local.ip();
        let source = self
            .config
            .source_address
            .filter(|source| *source != used)?;
        (!link.accepted).then(|| Problem::source_absent(source, used))
    }

    fn problems(&self, now: Instant) -> Vec<Problem> {
        if let Some(link) = self.established() {
            let mut problems = self.shortcomings(link);
            let given_up = link.feeds.iter().map(|feed| feed.outbox.unsendable()).sum();
            problems.extend((given_up > 0).then(|| Problem::too_large(given_up)));
            return problems;
        }
        let is_silent = |link: &&Connection| {
            link.phase == Phase::OpenSent
                && now.saturating_duration_since(link.since) >= SILENT_AFTER
        };
        if [&self.ours, &self.theirs]
            .into_iter()
            .flatten()
            .any(|link| is_silent(&link))
        {
            return vec![Problem::silent(&self.config)];
        }
        self.record.trouble.iter().cloned().collect()
    }

    fn family_status(&self) -> Vec<FamilyStatus> {
        let feeds = self
            .established()
            .map(|link| link.feeds.as_slice())
            .unwrap_or_default();
        let status = |family| match feeds.iter().find(|feed| feed.family == family) {
            Some(feed) => FamilyStatus {
                family,
                active: !feed.outbox.is_withheld(),
                advertised: feed.outbox.announced_count(),
                pending: feed.outbox.owed(),
                end_of_rib: feed.end_of_rib,
            },
            None => FamilyStatus {
                family,
                active: false,
                advertised: 0,
                pending: 0,
                end_of_rib: false,
            },
        };
        self.config.families().map(status).collect()
    }
}
