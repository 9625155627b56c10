// SPDX-License-Identifier: Apache-2.0
//! A filled registry against the text it must give, and against what another program reads in it.

use std::collections::BTreeMap;

use ferrolb_types::{Diagnostic, ObjectRef, PoolName, ServiceKey, codes};
use prometheus_parse::{Scrape, Value};

use super::*;

fn peer() -> BgpPeer {
    let messages = |first| Messages {
        open: first,
        update: first + 1,
        notification: first + 2,
        keepalive: first + 3,
        route_refresh: first + 4,
    };
    BgpPeer {
        labels: PeerLabels::bgp("192.0.2.1".parse().unwrap(), 179, None),
        up: true,
        advertised: 5000,
        pending: 7,
        sent: messages(10),
        received: messages(20),
        losses: 2,
    }
}

fn bfd() -> BfdPeer {
    BfdPeer {
        labels: PeerLabels::bfd("192.0.2.1".parse().unwrap(), Some("red")),
        up: false,
        control_input: 1,
        control_output: 2,
        echo_input: 3,
        echo_output: 4,
        up_events: 5,
        down_events: 6,
        notifications: 7,
    }
}

fn pool() -> PoolUsage {
    PoolUsage {
        pool: PoolName::from("web"),
        ipv4_total: 256,
        ipv6_total: u64::MAX,
        ipv4_in_use: 3,
        ipv6_in_use: 1,
    }
}

fn fault() -> Diagnostic {
    let object = ObjectRef::new("IPAddressPool", "metallb-system", "web");
    Diagnostic::error(codes::pool::P005, object, "c", "r")
}

fn filled() -> Metrics {
    let metrics = Metrics::new("speaker", "1.2.3", Some("node-a"));
    metrics.client().updates.add(41);
    metrics.client().update_errors.inc();
    metrics.client().config_loaded.set(true);
    let web = ServiceKey::new("shop", "web");
    let addresses = ["192.0.2.7".parse().unwrap(), "2001:db8::7".parse().unwrap()];
    metrics.announced().set(&web, Protocol::Bgp, addresses);
    metrics
        .announced()
        .set(&web, Protocol::Layer2, &addresses[..1]);
    metrics.tell_pools(vec![pool()]);
    metrics.tell_layer2(vec![Layer2Address {
        address: "192.0.2.7".parse().unwrap(),
        requests_received: 4,
        responses_sent: 3,
        gratuitous_sent: 10,
    }]);
    metrics.tell_bgp(vec![peer()]);
    metrics.tell_bfd(vec![bfd()]);
    let own = metrics.own();
    own.writes.of(["Service", "ok"]).add(2);
    own.writes.of(["Service", "conflict"]).inc();
    own.watch_reconnects.of(["Node"]).inc();
    own.refused_by("metrics").inc();
    own.ready.set(true);
    own.tell_leader(false);
    let dropped = Counter::default();
    own.count_dropped_events(dropped.clone());
    dropped.add(3);
    let beats = Beats::default();
    own.tell_beats(beats.clone());
    beats.unlisted.add(3);
    beats.unsent.add(2);
    own.tell_standing(Standing {
        served: 9,
        waiting: 1,
    });
    own.tell_faults(&[fault(), fault(), fault().warning()]);
    metrics
}

/// Without the figures of the process, which differ each time.
fn text(metrics: &Metrics) -> String {
    let mut page = Page::default();
    metrics.write(&mut page);
    page.render()
}

#[test]
fn a_filled_registry_gives_exactly_this_text() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/exposition.txt");
    let text = text(&filled());
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), text);
}

/// What another program reads: name and labels, and whether it is a counter, with its value.
fn read(text: &str) -> BTreeMap<String, (char, f64)> {
    let lines = text.lines().map(|line| Ok(line.to_owned()));
    let scrape = Scrape::parse(lines).unwrap();
    let value = |value: &Value| match value {
        Value::Counter(value) => ('c', *value),
        Value::Gauge(value) => ('g', *value),
        other => panic!("of no type MetalLB has: {other:?}"),
    };
    let samples = scrape.samples.iter().map(|sample| {
        let mut labels: Vec<String> = sample
            .labels
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        labels.sort();
        let series = format!("{}[{}]", sample.metric, labels.join(","));
        (series, value(&sample.value))
    });
    samples.collect()
}

/// MetalLB's names, labels and types, as its documents and code give them.
const METALLB: &[(&str, char, f64)] = &[
    (
        "metallb_allocator_addresses_in_use_total[pool=web]",
        'g',
        4.0,
    ),
    (
        "metallb_allocator_addresses_total[pool=web]",
        'g',
        9_223_372_036_854_775_807.0,
    ),
    (
        "metallb_allocator_ipv4_addresses_in_use_total[pool=web]",
        'g',
        3.0,
    ),
    (
        "metallb_allocator_ipv4_addresses_total[pool=web]",
        'g',
        256.0,
    ),
    (
        "metallb_allocator_ipv6_addresses_in_use_total[pool=web]",
        'g',
        1.0,
    ),
    (
        "metallb_allocator_ipv6_addresses_total[pool=web]",
        'g',
        9_223_372_036_854_775_807.0,
    ),
    (
        "metallb_bfd_control_packet_input[peer=192.0.2.1,vrf=red]",
        'c',
        1.0,
    ),
    (
        "metallb_bfd_control_packet_output[peer=192.0.2.1,vrf=red]",
        'c',
        2.0,
    ),
    (
        "metallb_bfd_echo_packet_input[peer=192.0.2.1,vrf=red]",
        'c',
        3.0,
    ),
    (
        "metallb_bfd_echo_packet_output[peer=192.0.2.1,vrf=red]",
        'c',
        4.0,
    ),
    (
        "metallb_bfd_session_down_events[peer=192.0.2.1,vrf=red]",
        'c',
        6.0,
    ),
    ("metallb_bfd_session_up[peer=192.0.2.1,vrf=red]", 'g', 0.0),
    (
        "metallb_bfd_session_up_events[peer=192.0.2.1,vrf=red]",
        'c',
        5.0,
    ),
    (
        "metallb_bfd_zebra_notifications[peer=192.0.2.1,vrf=red]",
        'c',
        7.0,
    ),
    (
        "metallb_bgp_announced_prefixes_total[peer=192.0.2.1:179,vrf=default]",
        'g',
        5000.0,
    ),
    (
        "metallb_bgp_keepalives_received[peer=192.0.2.1:179,vrf=default]",
        'c',
        23.0,
    ),
    (
        "metallb_bgp_keepalives_sent[peer=192.0.2.1:179,vrf=default]",
        'c',
        13.0,
    ),
    (
        "metallb_bgp_notifications_sent[peer=192.0.2.1:179,vrf=default]",
        'c',
        12.0,
    ),
    (
        "metallb_bgp_opens_received[peer=192.0.2.1:179,vrf=default]",
        'c',
        20.0,
    ),
    (
        "metallb_bgp_opens_sent[peer=192.0.2.1:179,vrf=default]",
        'c',
        10.0,
    ),
    (
        "metallb_bgp_pending_prefixes_total[peer=192.0.2.1:179,vrf=default]",
        'g',
        7.0,
    ),
    (
        "metallb_bgp_route_refresh_sent[peer=192.0.2.1:179,vrf=default]",
        'c',
        14.0,
    ),
    (
        "metallb_bgp_session_up[peer=192.0.2.1:179,vrf=default]",
        'g',
        1.0,
    ),
    (
        "metallb_bgp_total_received[peer=192.0.2.1:179,vrf=default]",
        'c',
        110.0,
    ),
    (
        "metallb_bgp_total_sent[peer=192.0.2.1:179,vrf=default]",
        'c',
        60.0,
    ),
    (
        "metallb_bgp_updates_total[peer=192.0.2.1:179,vrf=default]",
        'c',
        11.0,
    ),
    (
        "metallb_bgp_updates_total_received[peer=192.0.2.1:179,vrf=default]",
        'c',
        21.0,
    ),
    ("metallb_k8s_client_config_loaded_bool[]", 'g', 1.0),
    ("metallb_k8s_client_config_stale_bool[]", 'g', 0.0),
    ("metallb_k8s_client_update_errors_total[]", 'c', 1.0),
    ("metallb_k8s_client_updates_total[]", 'c', 41.0),
    ("metallb_layer2_gratuitous_sent[ip=192.0.2.7]", 'c', 10.0),
    ("metallb_layer2_requests_received[ip=192.0.2.7]", 'c', 4.0),
    ("metallb_layer2_responses_sent[ip=192.0.2.7]", 'c', 3.0),
    (
        "metallb_speaker_announced[ip=192.0.2.7,node=node-a,protocol=bgp,service=shop/web]",
        'g',
        1.0,
    ),
    (
        "metallb_speaker_announced[ip=192.0.2.7,node=node-a,protocol=layer2,service=shop/web]",
        'g',
        1.0,
    ),
    (
        "metallb_speaker_announced[ip=2001:db8::7,node=node-a,protocol=bgp,service=shop/web]",
        'g',
        1.0,
    ),
];

#[test]
fn another_program_reads_metallbs_names_labels_and_types() {
    let mut read = read(&text(&filled()));
    read.retain(|series, _| series.starts_with("metallb_"));
    let want = METALLB
        .iter()
        .map(|(series, kind, value)| ((*series).to_owned(), (*kind, *value)));
    assert_eq!(read, want.collect::<BTreeMap<_, _>>());
}

#[test]
fn what_is_deleted_leaves_no_series() {
    let metrics = filled();
    let web = ServiceKey::new("shop", "web");
    metrics.announced().set(&web, Protocol::Bgp, []);
    metrics.announced().set(&web, Protocol::Layer2, []);
    metrics.tell_pools(Vec::new());
    metrics.tell_layer2(Vec::new());
    metrics.tell_bgp(Vec::new());
    metrics.tell_bfd(Vec::new());
    metrics.own().tell_faults(&[]);
    let text = text(&metrics);
    for gone in [
        "{ip",
        "{peer",
        "{pool",
        "speaker_announced",
        "ferrolb_faults",
    ] {
        assert!(!text.contains(gone), "{gone} in {text}");
    }
    assert!(text.contains("metallb_k8s_client_updates_total 41"));
}

#[test]
fn an_ipv6_peer_and_one_without_address_are_named() {
    let bgp = |labels| BgpPeer { labels, ..peer() };
    let metrics = Metrics::new("speaker", "1", None);
    metrics.tell_bgp(vec![
        bgp(PeerLabels::bgp(
            "2001:db8::1".parse().unwrap(),
            1179,
            Some(""),
        )),
        bgp(PeerLabels::unnumbered("eth0", Some("red"))),
    ]);
    let text = text(&metrics);
    for line in [
        "metallb_bgp_session_up{peer=\"[2001:db8::1]:1179\",vrf=\"default\"} 1\n",
        "metallb_bgp_session_up{peer=\"eth0\",vrf=\"red\"} 1\n",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
}

#[test]
fn the_whole_page_can_be_read_with_the_figures_of_the_process() {
    let read = read(&filled().render());
    assert_eq!(read["process_cpu_seconds_total[]"].0, 'c');
    assert!(read["process_resident_memory_bytes[]"].1 > 100_000.0);
    let start = read["process_start_time_seconds[]"].1;
    let now = std::time::SystemTime::UNIX_EPOCH
        .elapsed()
        .unwrap()
        .as_secs_f64();
    assert!(
        (now - 86_400.0..now + 5.0).contains(&start),
        "{start} {now}"
    );
}

#[test]
fn announcing_costs_what_changes() {
    let metrics = Metrics::new("speaker", "1", Some("n"));
    let key = |n: u32| ServiceKey::new("default", format!("svc-{n}"));
    let address = |n: u32| [std::net::Ipv4Addr::from_bits(n).into()];
    for n in 0..20_000 {
        metrics.announced().set(&key(n), Protocol::Bgp, address(n));
    }
    assert_eq!(metrics.announced().count(Protocol::Bgp), 20_000);
    assert_eq!(metrics.announced().count(Protocol::Layer2), 0);
    assert_eq!(
        text(&metrics)
            .matches("\nmetallb_speaker_announced{")
            .count(),
        20_000
    );
    for n in 0..20_000 {
        metrics.announced().set(&key(n), Protocol::Bgp, []);
    }
    assert!(!text(&metrics).contains("announced"));
}
