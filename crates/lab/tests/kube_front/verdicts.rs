// SPDX-License-Identifier: Apache-2.0
//! The numbered cases of the behaviour reference that concern admission, 86 to 99, as the API server
//! answers them.
//!
//! Objects are written `Kind name spec`, the spec in YAML's flow style; a name may have a namespace
//! before it. `Node name {label: value}` is a node.

mod peers;
mod pools;

use ferrolb_lab::cluster::{Api, Call};
use http::{Method, Request};
use kube::client::Body;
use serde_json::{Value, json};

use super::{OURS, stand::Stand};

/// What is to become of a request.
#[derive(Clone, Copy, Debug)]
enum Want {
    /// It passes, without a word of ours.
    Passes,
    /// It passes, with this code in a warning.
    Warns(&'static str),
    /// The webhook denies it, with these words in its message.
    Denied(&'static [&'static str]),
    /// The kind's schema denies it, with these words.
    Schema(&'static str),
}
use Want::{Denied, Passes, Schema, Warns};

/// What it is about, what is there, the request, what is to become of it.
struct Row(&'static str, &'static [&'static str], &'static str, Want);

/// An object out of the short notation.
struct Object {
    collection: String,
    name: String,
    json: Value,
}

impl Object {
    fn read(text: &str) -> Self {
        let mut words = text.splitn(3, ' ');
        let (kind, name) = (words.next().unwrap(), words.next().unwrap());
        let spec = words.next().unwrap_or("{}");
        let spec: Value = serde_saphyr::from_str(spec).unwrap();
        if kind == "Node" {
            return Self::node(name, &spec);
        }
        let newest = match kind {
            "BGPPeer" => "v1beta2",
            _ => "v1beta1",
        };
        let (kind, version) = kind.split_once('/').unwrap_or((kind, newest));
        let (namespace, name) = name.split_once('/').unwrap_or((OURS, name));
        let plural = match kind {
            "Community" => "communities".to_owned(),
            kind => format!("{}s", kind.to_lowercase()),
        };
        Self {
            collection: format!("/apis/metallb.io/{version}/namespaces/{namespace}/{plural}"),
            name: name.to_owned(),
            json: json!({
                "apiVersion": format!("metallb.io/{version}"), "kind": kind,
                "metadata": { "name": name }, "spec": spec,
            }),
        }
    }

    fn node(name: &str, labels: &Value) -> Self {
        Self {
            collection: "/api/v1/nodes".to_owned(),
            name: name.to_owned(),
            json: json!({
                "apiVersion": "v1", "kind": "Node", "metadata": { "name": name, "labels": labels },
            }),
        }
    }

    fn path(&self) -> String {
        format!("{}/{}", self.collection, self.name)
    }

    fn request(&self, operation: &str) -> Request<Body> {
        let (method, path, content, body) = match operation {
            "CREATE" => (
                Method::POST,
                self.collection.clone(),
                "json",
                Some(&self.json),
            ),
            "UPDATE" => (
                Method::PATCH,
                self.path(),
                "merge-patch+json",
                Some(&self.json),
            ),
            _ => (Method::DELETE, self.path(), "json", None),
        };
        let body = body.map(|json| serde_json::to_vec(json).unwrap());
        Request::builder()
            .method(method)
            .uri(path)
            .header("Content-Type", format!("application/{content}"))
            .body(Body::from(body.unwrap_or_default()))
            .unwrap()
    }
}

/// What an API server said, warnings included.
#[derive(Debug)]
struct Said {
    code: u16,
    message: String,
    warnings: String,
}

fn send(api: &Api, request: Request<Body>) -> Said {
    let client = api.client();
    let answered = async move {
        let answer = client.send(request).await.unwrap();
        let code = answer.status().as_u16();
        let warnings = answer.headers().get_all("Warning").iter();
        let warnings = warnings
            .map(|one| one.to_str().unwrap().to_owned())
            .collect();
        let body = answer.into_body().collect_bytes().await.unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap();
        let message = body["message"].as_str().unwrap_or_default().to_owned();
        Said {
            code,
            message,
            warnings,
        }
    };
    api.run(answered).unwrap()
}

/// Every case, in order; says how many there were.
pub fn check(stand: &Stand) -> usize {
    let rows = || pools::POOLS.iter().chain(peers::PEERS);
    let faults: Vec<String> = rows().filter_map(|row| fault(stand, row)).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    rows().count()
}

/// What is wrong with a case, if anything.
fn fault(stand: &Stand, Row(about, present, request, want): &Row) -> Option<String> {
    let present: Vec<Object> = present.iter().map(|text| Object::read(text)).collect();
    for object in &present {
        stand.done(&Call::create(&object.collection, object.json.clone()));
    }
    let (operation, object) = request.split_once(' ').unwrap();
    let object = Object::read(object);
    let said = send(stand.cluster.admin(), object.request(operation));
    // In the order that lets BFD profiles go after the peers that use them.
    for object in present.iter().chain([&object]).rev() {
        stand.try_to(&Call::delete(&object.path()));
    }
    let good = want.is(&said);
    (!good).then(|| format!("{about}: {request}: {want:?}, but {said:?}"))
}

impl Want {
    fn is(self, said: &Said) -> bool {
        let passed = (200..300).contains(&said.code);
        match self {
            Passes => passed && !said.warnings.contains("FLB-"),
            Warns(code) => passed && said.warnings.contains(code),
            Denied(words) => {
                said.code == 403
                    && said.message.contains("denied the request")
                    && words.iter().all(|words| said.message.contains(words))
            }
            Schema(words) => said.code == 422 && said.message.contains(words),
        }
    }
}
