// SPDX-License-Identifier: Apache-2.0
//! The metrics of both roles as MetalLB's dashboards and alerts know them: names, types, labels.

use std::collections::{BTreeMap, BTreeSet};

/// Name, type, labels in their order.
type Family = (&'static str, &'static str, &'static [&'static str]);

const GAUGE: &str = "gauge";
const COUNTER: &str = "counter";

const BOTH: [Family; 4] = [
    ("metallb_k8s_client_updates_total", COUNTER, &[]),
    ("metallb_k8s_client_update_errors_total", COUNTER, &[]),
    ("metallb_k8s_client_config_loaded_bool", GAUGE, &[]),
    ("metallb_k8s_client_config_stale_bool", GAUGE, &[]),
];

pub const CONTROLLER: [Family; 6] = [
    ("metallb_allocator_addresses_total", GAUGE, &["pool"]),
    ("metallb_allocator_ipv4_addresses_total", GAUGE, &["pool"]),
    ("metallb_allocator_ipv6_addresses_total", GAUGE, &["pool"]),
    ("metallb_allocator_addresses_in_use_total", GAUGE, &["pool"]),
    (
        "metallb_allocator_ipv4_addresses_in_use_total",
        GAUGE,
        &["pool"],
    ),
    (
        "metallb_allocator_ipv6_addresses_in_use_total",
        GAUGE,
        &["pool"],
    ),
];

const SESSION: &[&str] = &["peer", "vrf"];

pub const SPEAKER: [Family; 17] = [
    (
        "metallb_speaker_announced",
        GAUGE,
        &["ip", "node", "protocol", "service"],
    ),
    ("metallb_layer2_requests_received", COUNTER, &["ip"]),
    ("metallb_layer2_responses_sent", COUNTER, &["ip"]),
    ("metallb_layer2_gratuitous_sent", COUNTER, &["ip"]),
    ("metallb_bgp_session_up", GAUGE, SESSION),
    ("metallb_bgp_announced_prefixes_total", GAUGE, SESSION),
    ("metallb_bgp_pending_prefixes_total", GAUGE, SESSION),
    ("metallb_bgp_updates_total", COUNTER, SESSION),
    ("metallb_bgp_updates_total_received", COUNTER, SESSION),
    ("metallb_bgp_opens_sent", COUNTER, SESSION),
    ("metallb_bgp_opens_received", COUNTER, SESSION),
    ("metallb_bgp_notifications_sent", COUNTER, SESSION),
    ("metallb_bgp_keepalives_sent", COUNTER, SESSION),
    ("metallb_bgp_keepalives_received", COUNTER, SESSION),
    ("metallb_bgp_route_refresh_sent", COUNTER, SESSION),
    ("metallb_bgp_total_sent", COUNTER, SESSION),
    ("metallb_bgp_total_received", COUNTER, SESSION),
];

/// A page as a scraper reads it.
#[derive(Debug, Default)]
pub struct Page {
    types: BTreeMap<String, String>,
    /// Name and labels, with the value.
    series: BTreeMap<(String, Vec<(String, String)>), f64>,
}

impl Page {
    pub fn read(text: &str) -> Self {
        let mut page = Self::default();
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').unwrap();
                let before = page.types.insert(name.to_owned(), kind.to_owned());
                assert_eq!(before, None, "{name} twice");
            } else if !line.starts_with('#') && !line.is_empty() {
                let (series, value) = line.rsplit_once(' ').unwrap();
                let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
                let key = (name.to_owned(), pairs(labels.trim_end_matches('}')));
                let before = page.series.insert(key, value.parse().unwrap());
                assert_eq!(before, None, "{series} twice");
            }
        }
        page
    }

    /// The value of the one series of this name with these labels among its own.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let mut found = self.series.iter().filter(|((of, has), _)| {
            let with = |(key, value): &(&str, &str)| {
                let pair = ((*key).to_owned(), (*value).to_owned());
                has.contains(&pair)
            };
            of == name && labels.iter().all(with)
        });
        let (_, value) = found.next()?;
        assert!(found.next().is_none(), "{name} {labels:?} is ambiguous");
        Some(*value)
    }

    /// Whether any series has this label with this value.
    pub fn speaks_of(&self, label: &str, value: &str) -> bool {
        let mut all = self.series.keys().flat_map(|(_, labels)| labels);
        all.any(|(key, has)| key == label && has == value)
    }

    /// Panics unless what begins with `metallb_` is what is expected: names, types, labels.
    pub fn is_as_metallb_has_it(&self, role: &[Family]) {
        let expected: Vec<&Family> = BOTH.iter().chain(role).collect();
        let names: BTreeSet<&str> = expected.iter().map(|(name, ..)| *name).collect();
        for name in self.types.keys() {
            let known = ["ferrolb_", "process_"]
                .iter()
                .any(|start| name.starts_with(start));
            assert!(known || names.contains(name.as_str()), "{name} is nobody's");
        }
        for (name, kind, labels) in expected {
            assert_eq!(
                self.types.get(*name).map(String::as_str),
                Some(*kind),
                "{name}"
            );
            let of_name = self.series.keys().filter(|(of, _)| of == name);
            let mut count = 0;
            for (_, has) in of_name {
                let has: Vec<&str> = has.iter().map(|(key, _)| key.as_str()).collect();
                assert_eq!(has, *labels, "{name}");
                count += 1;
            }
            assert!(count > 0, "{name} has no series");
        }
    }
}

/// `a="b",c="d"`; no value here holds a quote or a comma.
fn pairs(labels: &str) -> Vec<(String, String)> {
    let pair = |pair: &str| {
        let (key, value) = pair.split_once('=')?;
        Some((key.to_owned(), value.trim_matches('"').to_owned()))
    };
    labels.split(',').filter_map(pair).collect()
}
