// SPDX-License-Identifier: Apache-2.0
//! A short notation for objects and requests: `Kind name[#label=value][@seconds] spec`, the spec in YAML's
//! flow style. A name may have a namespace before it. `Node name {label: value}` is a node.

use ferrolb_api::{
    resource::{BFDProfile, BGPAdvertisement, BGPPeer, Community, IPAddressPool, L2Advertisement},
    view::NodeView,
};
use ferrolb_config::{Resources, resources::Kind};
use ferrolb_types::{Diagnostic, Labels};
use serde_json::{Value as Json, json};

use crate::admission::{Answer, List, Webhook, review};

pub(super) const NAMESPACE: &str = "metallb-system";

/// The parts of an object in the short notation: kind, name, and the object as JSON.
pub(super) fn object(text: &str) -> (&str, String, Json) {
    let mut words = text.splitn(3, ' ');
    let (kind, name) = (words.next().unwrap(), words.next().unwrap());
    let spec = words.next().unwrap_or("{}");
    let (name, created) = name.split_once('@').unwrap_or((name, ""));
    let (name, label) = name.split_once('#').unwrap_or((name, ""));
    let (namespace, name) = name.split_once('/').unwrap_or((NAMESPACE, name));
    let mut meta = json!({"name": name, "namespace": namespace});
    if let Some((key, value)) = label.split_once('=') {
        meta["labels"] = json!({ key: value });
    }
    if !created.is_empty() {
        meta["creationTimestamp"] = json!(format!("1970-01-01T00:00:{created:0>2}Z"));
    }
    let spec: Json = serde_saphyr::from_str(spec).unwrap();
    (
        kind,
        name.to_owned(),
        json!({"metadata": meta, "spec": spec}),
    )
}

/// The list that objects of a kind stand in.
fn list(kind: &str) -> List {
    match kind {
        "IPAddressPool" => List::IPAddressPools,
        "Community" => List::Communities,
        "BGPPeer" => List::BGPPeers,
        "BFDProfile" => List::BFDProfiles,
        "BGPAdvertisement" => List::BGPAdvertisements,
        "L2Advertisement" => List::L2Advertisements,
        "Node" => List::Nodes,
        other => panic!("no kind {other}"),
    }
}

/// What is in the cluster, of the lists asked for.
pub(super) fn listed(objects: &[&str], lists: &[List]) -> Resources {
    let mut resources = Resources::new(NAMESPACE);
    for text in objects {
        let (kind, name, json) = object(text);
        let list = list(kind);
        if !lists.contains(&list) {
            continue;
        }
        match list {
            List::IPAddressPools => put::<IPAddressPool>(&mut resources, json),
            List::Communities => put::<Community>(&mut resources, json),
            List::BGPPeers => put::<BGPPeer>(&mut resources, json),
            List::BFDProfiles => put::<BFDProfile>(&mut resources, json),
            List::BGPAdvertisements => put::<BGPAdvertisement>(&mut resources, json),
            List::L2Advertisements => put::<L2Advertisement>(&mut resources, json),
            List::Nodes => node(&mut resources, &name, &json),
        }
    }
    resources
}

/// Every pool of the cluster.
pub(super) fn pools(objects: &[&str]) -> Resources {
    listed(objects, &[List::IPAddressPools])
}

fn node(resources: &mut Resources, name: &str, json: &Json) {
    resources.apply_node(&NodeView {
        name: name.into(),
        labels: Labels::from(&serde_json::from_value(json["spec"].clone()).unwrap()),
        internal_ips: Vec::new(),
        network_unavailable: false,
    });
}

fn put<K: Kind + serde::de::DeserializeOwned>(resources: &mut Resources, json: Json) {
    resources.apply::<K>(serde_json::from_value(json).unwrap());
}

pub(super) fn webhook(kind: &str) -> Webhook {
    let mut all = Webhook::ALL.into_iter();
    all.find(|webhook| webhook.kind() == kind).unwrap()
}

/// The review an API server would send. An update's old object is the one of that name in the cluster.
pub(super) fn request(operation: &str, text: &str, objects: &[&str]) -> (Webhook, Json) {
    let (kind, name, json) = object(text);
    let webhook = webhook(kind);
    let same = |other: &&&str| {
        let (other_kind, other_name, _) = object(other);
        other_kind == kind && other_name == name
    };
    let old = match operation {
        "CREATE" => Json::Null,
        _ => objects
            .iter()
            .find(same)
            .map_or(Json::Null, |text| object(text).2),
    };
    let version = if kind == "BGPPeer" {
        "v1beta2"
    } else {
        "v1beta1"
    };
    let gvk = json!({"group": "metallb.io", "version": version, "kind": kind});
    let body = json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "request": {
            "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
            "kind": gvk, "requestKind": gvk, "operation": operation,
            "name": name, "namespace": json["metadata"]["namespace"],
            "object": if operation == "DELETE" { Json::Null } else { json },
            "oldObject": old,
        }
    });
    (webhook, body)
}

/// Sends a request, the cluster as given; `operation` and object are one text: `CREATE Kind name spec`.
pub(super) fn send(objects: &[&str], text: &str) -> Answer {
    let (operation, text) = text.split_once(' ').unwrap();
    let (webhook, body) = request(operation, text, objects);
    review(webhook, body.to_string().as_bytes(), |lists| {
        Ok(listed(objects, lists))
    })
    .unwrap()
}

pub(super) fn response(answer: &Answer) -> Json {
    let body: Json = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(body["apiVersion"], "admission.k8s.io/v1");
    assert_eq!(body["kind"], "AdmissionReview");
    assert_eq!(body["response"]["allowed"], answer.allowed);
    body["response"].clone()
}

/// `P003 name spec.addresses[0]`, a warning with `~` before it; sorted.
pub(super) fn brief(answer: &Answer) -> Vec<String> {
    let brief = |diagnostic: &Diagnostic| {
        let mark = if diagnostic.is_error() { "" } else { "~" };
        let code = diagnostic.code.id().trim_start_matches("FLB-");
        let text = format!(
            "{mark}{code} {} {}",
            diagnostic.object.name, diagnostic.field
        );
        text.trim_end().to_owned()
    };
    let mut all: Vec<String> = answer.diagnostics.iter().map(brief).collect();
    all.sort();
    all
}

/// One row: what it is about, what is in the cluster, the request, the diagnostics, and words of the
/// message.
pub(super) struct Row(
    pub &'static str,
    pub &'static [&'static str],
    pub &'static str,
    pub &'static [&'static str],
    pub &'static str,
);

pub(super) fn check_rows(rows: &[Row]) {
    for Row(about, objects, text, want, words) in rows {
        let answer = send(objects, text);
        assert_eq!(
            brief(&answer),
            *want,
            "{about}: {text}: {:?}",
            answer.diagnostics
        );
        let response = response(&answer);
        let denied = want.iter().any(|want| !want.starts_with('~'));
        assert_eq!(answer.allowed, !denied, "{about}: {text}");
        let message = response["status"]["message"].as_str().unwrap_or_default();
        assert!(message.contains(words), "{about}: {words:?} in {message:?}");
        if denied {
            assert_eq!(response["status"]["code"], 403, "{about}");
            for want in want.iter().filter(|want| !want.starts_with('~')) {
                let code = want.split(' ').next().unwrap();
                assert!(
                    message.contains(&format!("FLB-{code} ")),
                    "{about}: {message}"
                );
            }
        }
    }
}
