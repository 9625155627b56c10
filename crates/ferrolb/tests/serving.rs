// SPDX-License-Identifier: Apache-2.0
//! Health, metrics and state of a role on a folder, asked with curl.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::{net::TcpListener, process::Command};

use common::{Folder, eventually, layer2, pool, ran, service};

/// A port that was free a moment ago.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Status and body.
fn curl(url: &str, more: &[&str]) -> (String, String) {
    let mut command = Command::new("curl");
    command.args(["-sk", "--max-time", "20", "-w", "\n%{http_code}", url]);
    let ran = ran(command.args(more));
    let (body, status) = ran.out.rsplit_once('\n').unwrap_or_default();
    (status.to_owned(), body.to_owned())
}

#[test]
fn a_role_on_a_folder_tells_its_metrics_to_the_holder_of_the_token() {
    let text = [service("web"), pool("lan", "192.0.2.0/30"), layer2()].join("");
    let folder = Folder::with(&[("all.yaml", &text)]);
    let token = folder.root().join("token");
    std::fs::write(&token, "open-sesame\n").unwrap();
    let (metrics, health) = (free_port(), free_port());
    let more = [
        format!("--port={metrics}"),
        format!("--health-probe-port={health}"),
        format!("--metrics-token-file={}", token.display()),
    ];
    let more: Vec<&str> = more.iter().map(String::as_str).collect();
    let program = Command::new(common::PROGRAM);
    let mut controller = folder.start(program, "controller", "controller", &more);
    controller.await_synced();
    let health = format!("http://127.0.0.1:{health}");
    eventually("ready", || {
        (curl(&format!("{health}/readyz"), &[]).0 == "200").then_some(())
    });
    assert_eq!(curl(&format!("{health}/healthz"), &[]).0, "200");
    let base = format!("https://127.0.0.1:{metrics}");
    assert_eq!(curl(&format!("{base}/metrics"), &[]).0, "401");
    let right = ["-H", "Authorization: Bearer open-sesame"];
    let (status, text) = curl(&format!("{base}/metrics"), &right);
    assert_eq!(status, "200", "{text}");
    for line in [
        "metallb_allocator_addresses_total{pool=\"lan\"} 4",
        "metallb_allocator_addresses_in_use_total{pool=\"lan\"} 1",
        "metallb_k8s_client_config_loaded_bool 1",
        "metallb_k8s_client_config_stale_bool 0",
        "ferrolb_ready 1",
        "ferrolb_services{state=\"served\"} 1",
    ] {
        assert!(text.lines().any(|told| told == line), "{line} in {text}");
    }
    let (status, text) = curl(&format!("{base}/status"), &right);
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (status.as_str(), &report["role"]),
        ("200", &"controller".into())
    );
    assert!(controller.stop().success());
}

#[test]
fn a_port_that_is_taken_keeps_a_role_from_starting() {
    let folder = Folder::new();
    let held = TcpListener::bind("127.0.0.1:0").unwrap();
    let flag = format!("--health-probe-port={}", held.local_addr().unwrap().port());
    let ran = folder.run("controller", &[&flag]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.err.contains("FLB-X007") && ran.err.contains("--health-probe-port"),
        "{ran:#?}"
    );
}
