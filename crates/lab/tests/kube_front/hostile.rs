// SPDX-License-Identifier: Apache-2.0
//! Requests to the webhooks that no API server sends.

use std::fs;

use ferrolb_lab::topology::Host;

use super::stand::{Stand, code, curl};

const POOLS: &str = "/validate-metallb-io-v1beta1-ipaddresspool";

/// Anybody who reaches the port can send them: each is refused in words, none ends the process.
pub fn check(stand: &Stand, host: &Host) {
    let large = stand.cluster.dir().join("large");
    fs::write(&large, vec![b'x'; 10 * 1024 * 1024]).unwrap();
    let large = format!("@{}", large.display());
    let url = |path: &str| format!("https://{}:9443{path}", host.v4());
    let json = "Content-Type: application/json";
    let none = "Content-Type:";
    let rows: [(&str, &str, &[&str], u16); 10] = [
        ("10 MB", POOLS, &["-H", json, "--data-binary", &large], 413),
        (
            "10 MB by HTTP/1.1",
            POOLS,
            &["--http1.1", "-H", json, "--data-binary", &large],
            413,
        ),
        (
            "10 MB to convert",
            "/convert",
            &["-H", json, "--data-binary", &large],
            413,
        ),
        ("no JSON", POOLS, &["-H", json, "-d", "not json"], 400),
        (
            "no content type, no JSON",
            "/convert",
            &["-H", none, "-d", "not json"],
            400,
        ),
        ("JSON that is no review", POOLS, &["-d", "{}"], 400),
        ("JSON that is no review", "/convert", &["-d", "[]"], 400),
        ("nothing", POOLS, &["-X", "POST"], 400),
        (
            "a wrong path",
            "/validate-metallb-io-v1-pod",
            &["-d", "{}"],
            404,
        ),
        ("a GET", POOLS, &[], 405),
    ];
    for (what, path, arguments, expected) in rows {
        let url = url(path);
        let arguments = [&["-k"][..], arguments, &[url.as_str()]].concat();
        assert_eq!(code(host.namespace(), &arguments), expected, "{what}");
    }
    a_review_needs_no_content_type(host, &url(POOLS));
    let said = curl(host.namespace(), &["-k", "-d", "{", &url(POOLS)]);
    assert!(said.stdout.contains("FLB-W001"), "{said:?}");
    assert!(stand.is_called(), "the API server is still served");
}

fn a_review_needs_no_content_type(host: &Host, url: &str) {
    let review = r#"{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {"uid": "1",
        "kind": {"group": "metallb.io", "version": "v1beta1", "kind": "IPAddressPool"},
        "operation": "CREATE", "name": "p", "namespace": "metallb-system",
        "object": {"metadata": {"name": "p", "namespace": "metallb-system"}, "spec": {"addresses": ["x"]}}}}"#;
    let said = curl(
        host.namespace(),
        &["-k", "-H", "Content-Type:", "-d", review, url],
    );
    assert!(said.stdout.contains("\"allowed\":false"), "{said:?}");
}
