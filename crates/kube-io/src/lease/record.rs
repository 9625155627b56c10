// SPDX-License-Identifier: Apache-2.0
//! What stands in a `Lease`. The object itself is kept as it is: labels, annotations and fields of newer
//! versions survive our renewals.

use std::time::Duration;

use k8s_openapi::{apimachinery::pkg::apis::meta::v1::MicroTime, jiff::Timestamp};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{API_VERSION, LeaseOptions};

/// The part of a Lease that shows whether its holder lives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Record {
    /// Empty when nobody holds it.
    pub holder: String,
    /// As written; compared, never read.
    pub renewed: String,
    /// How often it changed hands.
    pub transitions: i64,
    /// Zero where absent.
    seconds: u64,
}

impl Record {
    pub(super) fn of(lease: &Value) -> Self {
        let spec = &lease["spec"];
        let text = |key: &str| spec[key].as_str().unwrap_or_default().to_owned();
        Self {
            holder: text("holderIdentity"),
            renewed: text("renewTime"),
            transitions: spec["leaseTransitions"].as_i64().unwrap_or_default(),
            seconds: spec["leaseDurationSeconds"].as_u64().unwrap_or_default(),
        }
    }

    /// How long it holds after a renewal; ours where it does not say.
    fn duration(&self, ours: Duration) -> Duration {
        match self.seconds {
            0 => ours,
            seconds => Duration::from_secs(seconds),
        }
    }

    fn is_held_by_other_than(&self, identity: &str) -> bool {
        !self.holder.is_empty() && self.holder != identity
    }
}

/// What is known of who holds the Lease, by somebody who does not.
#[derive(Debug)]
pub(super) struct Seen {
    /// `None`: it is gone, or was written by somebody and not read since.
    record: Option<Record>,
    /// When it was first seen so.
    since: Instant,
    /// How long its holder may write after that.
    duration: Duration,
}

impl Seen {
    /// The Lease shows this record.
    pub(super) fn shown(before: Option<Self>, record: Record, options: &LeaseOptions) -> Self {
        match before {
            Some(before) if before.record.as_ref() == Some(&record) => before,
            _ => Self::since(record, Instant::now(), options),
        }
    }

    /// A record that was renewed then, or seen then.
    pub(super) fn since(record: Record, since: Instant, options: &LeaseOptions) -> Self {
        Self {
            duration: record.duration(options.duration),
            record: Some(record),
            since,
        }
    }

    /// Somebody may have begun to lead this moment.
    pub(super) fn somebody(duration: Duration) -> Self {
        Self {
            record: None,
            since: Instant::now(),
            duration,
        }
    }

    /// The Lease is gone. Its holder may have renewed it until the moment before, unless that was nobody,
    /// or we ourselves a short while ago.
    pub(super) fn gone(self, options: &LeaseOptions) -> Self {
        let over = self.since.elapsed() >= self.duration;
        match &self.record {
            None => self,
            Some(record) if record.holder.is_empty() => self,
            Some(record) if record.holder == options.identity && !over => self,
            Some(_) => Self::somebody(self.duration),
        }
    }

    /// How long another may still take itself for the leader.
    pub(super) fn left(&self, options: &LeaseOptions) -> Option<Duration> {
        let other = |record: &Record| record.is_held_by_other_than(&options.identity);
        let left = self.duration.saturating_sub(self.since.elapsed());
        (self.record.as_ref().is_none_or(other) && !left.is_zero()).then_some(left)
    }

    /// Its holder, where that is known.
    pub(super) fn holder(&self) -> Option<String> {
        let record = self.record.as_ref()?;
        (!record.holder.is_empty()).then(|| record.holder.clone())
    }
}

/// A new Lease, held by us.
pub(super) fn new(options: &LeaseOptions, namespace: &str) -> Value {
    let mut lease = json!({
        "apiVersion": API_VERSION,
        "kind": "Lease",
        "metadata": { "name": options.name, "namespace": namespace },
    });
    take(&mut lease, options, 0);
    lease
}

/// Makes us the holder.
pub(super) fn take(lease: &mut Value, options: &LeaseOptions, transitions: i64) {
    // Rounded up: others must never wait a shorter time than we count on.
    let seconds = options.duration.as_millis().div_ceil(1000);
    let spec = spec(lease);
    spec["holderIdentity"] = options.identity.as_str().into();
    spec["leaseDurationSeconds"] = u64::try_from(seconds).unwrap_or(u64::MAX).max(1).into();
    spec["acquireTime"] = now();
    spec["renewTime"] = now();
    spec["leaseTransitions"] = transitions.into();
}

/// Says that we are alive.
pub(super) fn renew(lease: &mut Value) {
    spec(lease)["renewTime"] = now();
}

/// Gives it up, so that another need not wait.
pub(super) fn release(lease: &mut Value) {
    let spec = spec(lease);
    spec["holderIdentity"] = "".into();
    spec["leaseDurationSeconds"] = 1.into();
    spec["renewTime"] = now();
}

fn spec(lease: &mut Value) -> &mut Value {
    if !lease.is_object() {
        *lease = json!({});
    }
    let spec = &mut lease["spec"];
    if !spec.is_object() {
        *spec = json!({});
    }
    spec
}

/// The API takes six decimals, no more and no fewer.
fn now() -> Value {
    serde_json::to_value(MicroTime(Timestamp::now())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_fields_survive() {
        let mut lease = json!({
            "metadata": { "name": "a", "resourceVersion": "7", "labels": { "x": "y" } },
            "spec": { "holderIdentity": "other", "leaseTransitions": 3, "strategy": "OldestEmulationVersion" },
        });
        let options = LeaseOptions::new("a", "me");
        take(&mut lease, &options, 4);
        let record = Record::of(&lease);
        assert_eq!(
            (record.holder.as_str(), record.transitions, record.seconds),
            ("me", 4, 12)
        );
        release(&mut lease);
        assert_eq!(lease["spec"]["strategy"], "OldestEmulationVersion");
        assert_eq!(lease["metadata"]["labels"]["x"], "y");
        assert!(!Record::of(&lease).is_held_by_other_than("me"));
    }

    #[test]
    fn times_have_six_decimals() {
        let text = now();
        let text = text.as_str().expect("a text");
        let (_, decimals) = text.split_once('.').expect("a point");
        assert_eq!(decimals.len(), 7, "{text}");
        assert!(decimals.ends_with('Z'), "{text}");
    }

    #[test]
    fn an_odd_lease_is_free() {
        for lease in [
            json!(null),
            json!({}),
            json!({"spec": null}),
            json!({"spec": {"holderIdentity": 7}}),
        ] {
            assert_eq!(Record::of(&lease), Record::default());
            let mut lease = lease;
            renew(&mut lease);
            assert!(lease["spec"]["renewTime"].is_string());
        }
    }
}
