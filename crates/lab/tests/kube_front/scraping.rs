// SPDX-License-Identifier: Apache-2.0
//! Metrics, health and TLS of both roles, with the rules and the account our manifests have for
//! Prometheus.

use std::fs;

use ferrolb_lab::{
    Process,
    cluster::{Call, load},
    routers::{Bird, Neighbor, RouterConfig},
    topology::Host,
};
use serde_json::{Value, json};

use super::{
    OURS, SOON,
    series::{CONTROLLER, Page, SPEAKER},
    stand::{STRANGER, Stand, code, curl, health, path, token},
    tls::{self, Pair},
};

const ROUTER_AS: u32 = 64500;
const NODE_AS: u32 = 64501;

/// The router, expecting these nodes.
pub fn router(stand: &Stand, password: Option<&str>) -> Bird {
    let router = &stand.net.routers[0];
    let mut config = RouterConfig::new(ROUTER_AS, router.id());
    for node in &stand.net.nodes {
        let neighbor = Neighbor::new(router.v4(), node.v4(), NODE_AS);
        config = config.with(match password {
            Some(password) => neighbor.keyed(password),
            None => neighbor,
        });
    }
    Bird::start(router.namespace(), &config).unwrap()
}

/// A pool, announced in layer 2 and to the router, and `default/s0` with endpoints on both nodes.
pub fn configure(stand: &Stand, peer: Value) {
    stand.make_nodes();
    let addresses = json!({ "addresses": ["203.0.113.0/28", "2001:db8:3::/124"] });
    stand.create("v1beta1", "IPAddressPool", "web", addresses);
    stand.create("v1beta1", "L2Advertisement", "lan", json!({}));
    stand.create("v1beta1", "BGPAdvertisement", "wan", json!({}));
    let mut spec = json!({
        "myASN": NODE_AS, "peerASN": ROUTER_AS, "peerAddress": stand.net.routers[0].v4(),
        "connectTime": "1s",
    });
    spec.as_object_mut()
        .unwrap()
        .extend(peer.as_object().unwrap().clone());
    stand.create("v1beta2", "BGPPeer", "router", spec);
    let services = load::Services {
        namespace: "default",
        count: 1,
        class: None,
        local: false,
    };
    let calls = [services.create(), services.endpoints(&["n1"])].concat();
    calls.iter().for_each(|call| drop(stand.done(call)));
}

/// What a role says at `/metrics` or `/status` to the holder of a token.
pub fn page_text(from: &Host, host: &Host, path: &str, token: &str) -> String {
    let bearer = format!("Authorization: Bearer {token}");
    let url = format!("https://{}:9120/{path}", host.v4());
    let said = curl(from.namespace(), &["-k", "-f", "-H", &bearer, &url]);
    said.success().unwrap()
}

/// The metrics, as the account of Prometheus sees them.
fn page(from: &Host, host: &Host, token: &str) -> Page {
    Page::read(&page_text(from, host, "metrics", token))
}

#[test]
fn who_may_reads_what_metallb_tells() {
    let Some(mut stand) = Stand::new("overlays/prometheus", 1, &["bird", "birdc"]) else {
        return;
    };
    stand.by_name = true;
    let stand = stand;
    let (host, node) = (&stand.net.client, stand.node("n1"));
    let controller = ready_once_it_has_lists(&stand, host);
    stand.endpoint(host);
    stand.called(&controller);
    configure(&stand, json!({}));
    let _router = router(&stand, None);
    let speaker = stand.start("speaker", node, &[]);
    stand.ready(&speaker);

    let cluster = &stand.cluster;
    cluster
        .kubectl(&["create", "namespace", "monitoring"])
        .unwrap();
    let account = [
        "create",
        "serviceaccount",
        "prometheus-k8s",
        "-n",
        "monitoring",
    ];
    cluster.kubectl(&account).unwrap();
    let account = cluster.service_account("monitoring", "prometheus-k8s");
    let prometheus = token(&account.unwrap());
    for at in [host, node] {
        only_who_may(&stand, at, &prometheus);
        tls_13_alone(at);
    }
    series_come(&stand, &prometheus);
    series_go(&stand, &prometheus);
    drop(controller);
    drop(speaker);
    flags_of_tls(&stand, host, &prometheus);
    no_port(&stand, node);
}

/// Starts a controller that may not list one kind yet.
fn ready_once_it_has_lists(stand: &Stand, host: &Host) -> Process {
    let role = format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{OURS}/roles/controller");
    let whole = stand.done(&Call::get(&role));
    let rules = whole["rules"].as_array().unwrap().iter();
    let others: Vec<&Value> = rules
        .filter(|rule| !rule["resources"].to_string().contains("\"ipaddresspools\""))
        .collect();
    stand.done(&Call::merge(&role, json!({ "rules": others })));
    let controller = stand.start("controller", host, &[]);
    let here = host.namespace();
    stand.until("it answers", || health(here, "/healthz") == 200);
    for _ in 0..5 {
        assert_eq!(health(here, "/readyz"), 503);
    }
    let lines = [
        "waiting for the first list of Community\n",
        "waiting for the first list of IPAddressPool\n",
    ];
    stand.until("it waits for the two kinds of that rule alone", || {
        curl(here, &["http://127.0.0.1:17472/readyz"]).stdout == lines.concat()
    });
    stand.done(&Call::merge(&role, json!({ "rules": whole["rules"] })));
    controller
        .wait_for("it is ready", SOON, || Ok(health(here, "/readyz") == 200))
        .unwrap();
    controller
}

fn only_who_may(stand: &Stand, host: &Host, prometheus: &str) {
    let stranger = token(&stand.cluster.kubeconfig(STRANGER).unwrap());
    let role = token(&stand.account("speaker"));
    let rows: [(&str, Option<&str>, u16); 5] = [
        ("no token", None, 401),
        ("a token nobody gave", Some("forged"), 401),
        ("a token without the right", Some(&stranger), 403),
        ("a role's own token", Some(&role), 403),
        ("the token of Prometheus", Some(prometheus), 200),
    ];
    for (who, token, expected) in rows {
        let bearer = token.map(|token| format!("Authorization: Bearer {token}"));
        let header: Vec<&str> = bearer.iter().flat_map(|b| ["-H", b.as_str()]).collect();
        let url = format!("https://{}:9120/metrics", host.v4());
        let arguments = [&["-k"][..], &header, &[&url]].concat();
        let said = code(host.namespace(), &arguments);
        assert_eq!(said, expected, "{who} at {}", host.name());
    }
    let url = format!("https://{}:9120/metrics", host.v4());
    let said = curl(host.namespace(), &["-k", "-i", &url])
        .stdout
        .to_lowercase();
    assert!(said.contains("www-authenticate: bearer"), "{said}");
    let bearer = format!("Authorization: Bearer {prometheus}");
    let said = curl(host.namespace(), &["-k", "-i", "-H", &bearer, &url]).stdout;
    let kind = "content-type: text/plain; version=0.0.4; charset=utf-8";
    assert!(said.to_lowercase().contains(kind), "{said}");
    let plain = format!("http://{}:9120/metrics", host.v4());
    assert_eq!(code(host.namespace(), &[&plain]), 0, "nothing by HTTP");
    let state = format!("https://{}:9120/status", host.v4());
    let said = code(host.namespace(), &["-k", "-H", &bearer, &state]);
    assert_eq!(said, 403, "who reads metrics may not read the state");
}

fn tls_13_alone(host: &Host) {
    let url = format!("https://{}:9120/metrics", host.v4());
    assert_eq!(code(host.namespace(), &["-k", "--tls-max", "1.2", &url]), 0);
}

fn series_come(stand: &Stand, prometheus: &str) {
    let (host, node) = (&stand.net.client, stand.node("n1"));
    let peer = format!("{}:179", stand.net.routers[0].v4());
    let session = [("peer", peer.as_str()), ("vrf", "default")];
    let read = |at: &Host| page(host, at, prometheus);
    stand.until("the route is announced", || {
        let speaker = read(node);
        speaker.value("metallb_bgp_announced_prefixes_total", &session) == Some(1.0)
            && speaker.speaks_of("protocol", "layer2")
    });
    let speaker = read(node);
    speaker.is_as_metallb_has_it(&SPEAKER);
    assert_eq!(speaker.value("metallb_bgp_session_up", &session), Some(1.0));
    for protocol in ["bgp", "layer2"] {
        let labels = [
            ("service", "default/s0"),
            ("node", "n1"),
            ("protocol", protocol),
            ("ip", "203.0.113.0"),
        ];
        let announced = speaker.value("metallb_speaker_announced", &labels);
        assert_eq!(announced, Some(1.0), "{protocol}");
    }
    let controller = read(host);
    controller.is_as_metallb_has_it(&CONTROLLER);
    let pool = |name: &str| controller.value(name, &[("pool", "web")]);
    assert_eq!(pool("metallb_allocator_addresses_total"), Some(32.0));
    assert_eq!(pool("metallb_allocator_addresses_in_use_total"), Some(1.0));
    for page in [&speaker, &controller] {
        let loaded = page.value("metallb_k8s_client_config_loaded_bool", &[]);
        let stale = page.value("metallb_k8s_client_config_stale_bool", &[]);
        assert_eq!((loaded, stale), (Some(1.0), Some(0.0)));
    }
    assert_eq!(controller.value("ferrolb_leader", &[]), Some(1.0));
    let written = [("kind", "Service"), ("result", "written")];
    let written = controller.value("ferrolb_api_writes_total", &written);
    assert!(written.is_some_and(|count| count >= 1.0), "{controller:?}");
}

/// What is gone leaves no series behind.
fn series_go(stand: &Stand, prometheus: &str) {
    let (host, node) = (&stand.net.client, stand.node("n1"));
    let peer = format!("{}:179", stand.net.routers[0].v4());
    stand.done(&Call::delete(&format!(
        "{}/router",
        path("v1beta2", "bgppeers")
    )));
    stand.until("the peer's series are gone", || {
        !page(host, node, prometheus).speaks_of("peer", &peer)
    });
    stand.done(&Call::delete(&format!(
        "{}/web",
        path("v1beta1", "ipaddresspools")
    )));
    stand.until("the pool's series are gone", || {
        !page(host, host, prometheus).speaks_of("pool", "web")
    });
    stand.done(&Call::delete("/api/v1/namespaces/default/services/s0"));
    stand.until("the address's series are gone", || {
        let speaker = page(host, node, prometheus);
        !speaker.speaks_of("ip", "203.0.113.0") && !speaker.speaks_of("service", "default/s0")
    });
}

/// The flags hold for metrics and webhooks alike; the certificate of the metrics is replaced as that of
/// a mounted Secret is.
fn flags_of_tls(stand: &Stand, host: &Host, prometheus: &str) {
    let dir = stand.cluster.dir().join("metrics-cert");
    let (first, second) = (
        Pair::new("metrics.test", 2090),
        Pair::new("metrics.test", 2091),
    );
    first.mount(&dir, "1");
    let dir_flag = format!("--metrics-cert-dir={}", dir.display());
    let flags = [
        &dir_flag,
        "--tls-min-version=VersionTLS12",
        "--tls-cipher-suites=TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        "--tls-curve-preferences=24",
    ];
    let controller = stand.start("controller", host, &flags);
    stand.ready(&controller);
    let bearer = format!("Authorization: Bearer {prometheus}");
    let metrics = format!("https://{}:9120/metrics", host.v4());
    let webhook = format!("https://{}:9443/convert", host.v4());
    let good = [
        "--tls-max",
        "1.2",
        "--ciphers",
        "ECDHE-ECDSA-AES128-GCM-SHA256",
    ];
    let rows: [(&[&str], bool); 5] = [
        (&good, true),
        (
            &[
                "--tls-max",
                "1.2",
                "--ciphers",
                "ECDHE-ECDSA-AES256-GCM-SHA384",
            ],
            false,
        ),
        (&["--tlsv1.3"], true),
        (&["--tlsv1.3", "--curves", "P-384"], true),
        (&["--tlsv1.3", "--curves", "X25519"], false),
    ];
    // Ready is who can assign; the certificate of the webhooks is a matter of its own, and follows.
    stand.until("the webhooks' certificate is shown", || {
        code(
            host.namespace(),
            &[&["-k"], &good[..], &[&webhook]].concat(),
        ) == 405
    });
    for (flags, served) in rows {
        let at = |url: &str| {
            let arguments = [&["-k", "-H", &bearer], flags, &[url]].concat();
            code(host.namespace(), &arguments)
        };
        let expected = if served { (200, 405) } else { (0, 0) };
        assert_eq!((at(&metrics), at(&webhook)), expected, "{flags:?}");
    }
    let trusted = |pair: &Pair, name: &str| {
        let file = stand.cluster.dir().join(name);
        fs::write(&file, &pair.authority).unwrap();
        tls::is_trusted(host.namespace(), host, "metrics.test", 9120, &file)
    };
    assert!(trusted(&first, "first.pem") && !trusted(&second, "second.pem"));
    second.mount(&dir, "2");
    stand.until("the new certificate is shown", || {
        trusted(&second, "second.pem")
    });
    assert!(!trusted(&first, "first.pem"));
}

fn no_port(stand: &Stand, node: &Host) {
    let speaker = stand.start("speaker", node, &["--port=0"]);
    stand.ready(&speaker);
    let url = format!("https://{}:9120/metrics", node.v4());
    assert_eq!(code(node.namespace(), &["-k", &url]), 0);
}
