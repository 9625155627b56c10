// SPDX-License-Identifier: Apache-2.0
//! Secrets of every kind that reach the roles, and everything that the roles and the commands say.

use ferrolb_lab::cluster::{ADMIN, Call};
use serde_json::{Value, json};

use super::{
    OURS,
    scraping::page_text,
    stand::{Stand, path, token},
};

/// The password of the session that stands.
pub const USED: &str = "canary-used-8c1f";
/// One in a peer that is refused, one in a Secret of a wrong type, one beside a Secret.
const REFUSED: &str = "canary-refused-77d2";
const MISTYPED: &str = "canary-mistyped-a09b";
const BESIDE: &str = "canary-beside-51ee";
const UNPRINTABLE: &str = "canary-long-e3";

/// What the peer that works has beside its addresses.
pub fn peer() -> Value {
    json!({ "passwordSecret": { "name": "used" } })
}

/// Puts them where people put them.
pub fn plant(stand: &Stand) {
    secret(stand, "used", "kubernetes.io/basic-auth", USED);
    secret(stand, "mistyped", "Opaque", MISTYPED);
    let peer = |name: &str, address: &str, more: Value| {
        let mut spec = json!({ "myASN": 1, "peerASN": 2, "peerAddress": address });
        spec.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        stand.create("v1beta2", "BGPPeer", name, spec);
    };
    let timers = json!({ "password": REFUSED, "holdTime": "1s" });
    peer("refused", "198.18.0.1", timers);
    peer(
        "mistyped",
        "198.18.0.2",
        json!({ "passwordSecret": { "name": "mistyped" } }),
    );
    let both = json!({ "password": BESIDE, "passwordSecret": { "name": "used" } });
    peer("both", "198.18.0.3", both);
    let long = json!({ "password": UNPRINTABLE.repeat(20) });
    peer("long", "198.18.0.4", long);
}

fn secret(stand: &Stand, name: &str, kind: &str, password: &str) {
    let object = json!({
        "metadata": { "name": name }, "type": kind,
        "stringData": { "username": "bgp", "password": password },
    });
    let path = format!("/api/v1/namespaces/{OURS}/secrets");
    stand.done(&Call::create(&path, object));
}

/// Everything that was said.
#[derive(Default)]
pub struct Heard(Vec<String>);

impl Heard {
    pub fn all(&mut self, texts: impl IntoIterator<Item = String>) {
        self.0.extend(texts);
    }

    /// What the roles wrote into the cluster, and what they serve.
    pub fn the_cluster(&mut self, stand: &Stand) {
        let written = [
            "configurationstates",
            "servicel2statuses",
            "servicebgpstatuses",
        ];
        for plural in written {
            let all = || stand.done(&Call::get(&path("v1beta1", plural)));
            stand.until(plural, || all()["items"] != json!([]));
            self.0.push(all().to_string());
        }
        for path in ["/api/v1/events", "/api/v1/services"] {
            let all = stand.done(&Call::get(path));
            assert_ne!(all["items"], json!([]), "{path}");
            self.0.push(all.to_string());
        }
        let admin = token(&stand.cluster.kubeconfig(ADMIN).unwrap());
        for host in [&stand.net.client, stand.node("n1")] {
            for path in ["metrics", "status"] {
                self.0.push(page_text(host, host, path, &admin));
            }
        }
    }

    /// Nothing of it holds a secret; that there is something to hold one is certain.
    pub fn is_clean(&self) {
        assert!(self.0.len() > 20 && self.0.iter().any(|text| text.contains("Established")));
        let secrets = [USED, REFUSED, MISTYPED, BESIDE, UNPRINTABLE];
        for text in &self.0 {
            for secret in secrets {
                assert!(!text.contains(secret), "{secret} in: {text}");
            }
            // How every key in PEM and every token of an account begins.
            for secret in ["PRIVATE KEY-----", "eyJhbGciOi", "token-of-"] {
                assert!(!text.contains(secret), "{secret} in: {text}");
            }
        }
    }
}
