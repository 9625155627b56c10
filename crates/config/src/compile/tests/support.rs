// SPDX-License-Identifier: Apache-2.0
//! A short notation for objects: `Kind name[#label=value][@seconds] spec`, the spec in YAML's flow style.
//!
//! `Node name {label: value}`, `Namespace name`, `Secret [namespace/]name {type: …, password: …}` and
//! `NodeIP name address` stand for what is no object of ours.

use std::collections::BTreeMap;

use ferrolb_api::{
    resource::{BFDProfile, BGPAdvertisement, BGPPeer, Community, IPAddressPool, L2Advertisement},
    view::{NodeView, SecretView},
};
use ferrolb_types::{Diagnostic, Labels, Secret};
use serde_json::{Value, json};

use crate::{
    compile::check,
    resources::{Kind, Resources},
};

pub(super) const NAMESPACE: &str = "metallb-system";

/// Resources holding the objects.
pub(super) fn resources<S: AsRef<str>>(objects: &[S]) -> Resources {
    let mut resources = Resources::new(NAMESPACE);
    for object in objects {
        apply(&mut resources, object.as_ref());
    }
    resources
}

/// Applies one object in the short notation.
pub(super) fn apply(resources: &mut Resources, text: &str) {
    let mut words = text.splitn(3, ' ');
    let (kind, name) = (words.next().unwrap(), words.next().unwrap());
    let rest = words.next().unwrap_or("{}");
    match kind {
        "IPAddressPool" => put::<IPAddressPool>(resources, name, rest),
        "Community" => put::<Community>(resources, name, rest),
        "BGPPeer" => put::<BGPPeer>(resources, name, rest),
        "BFDProfile" => put::<BFDProfile>(resources, name, rest),
        "BGPAdvertisement" => put::<BGPAdvertisement>(resources, name, rest),
        "L2Advertisement" => put::<L2Advertisement>(resources, name, rest),
        "Node" => node(resources, name, labels(rest), None),
        "NodeIP" => node(resources, name, Labels::new(), Some(rest)),
        "Namespace" => drop(resources.apply_namespace(name)),
        "Secret" => secret(resources, name, rest),
        other => panic!("no kind {other}"),
    }
}

fn put<K: Kind + serde::de::DeserializeOwned>(resources: &mut Resources, name: &str, spec: &str) {
    resources.apply(object::<K>(name, spec));
}

/// One object of ours.
pub(super) fn object<K: Kind + serde::de::DeserializeOwned>(name: &str, spec: &str) -> K {
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
    let spec: Value = serde_saphyr::from_str(spec).unwrap();
    let object = json!({"metadata": meta, "spec": spec});
    serde_json::from_value(object).unwrap()
}

fn labels(text: &str) -> Labels {
    Labels::from(&fields(text))
}

fn fields(text: &str) -> BTreeMap<String, String> {
    serde_saphyr::from_str(text).unwrap()
}

fn node(resources: &mut Resources, name: &str, labels: Labels, address: Option<&str>) {
    resources.apply_node(&NodeView {
        name: name.into(),
        labels,
        internal_ips: address.iter().map(|text| text.parse().unwrap()).collect(),
        network_unavailable: false,
    });
}

fn secret(resources: &mut Resources, name: &str, text: &str) {
    let (namespace, name) = name.split_once('/').unwrap_or((NAMESPACE, name));
    let fields = fields(text);
    let field = |name: &str| fields.get(name).cloned();
    resources.apply_secret(SecretView {
        namespace: namespace.into(),
        name: name.into(),
        kind: field("type").unwrap_or_default().into(),
        password: field("password").map(|text| Secret::new(text.as_bytes())),
    });
}

/// `P003 name spec.addresses[0]`, a warning with `~` before it.
pub(super) fn brief(diagnostic: &Diagnostic) -> String {
    let mark = if diagnostic.is_error() { "" } else { "~" };
    let code = diagnostic.code.id().trim_start_matches("FLB-");
    let object = &diagnostic.object.name;
    format!("{mark}{code} {object} {}", diagnostic.field)
        .trim_end()
        .to_owned()
}

/// The diagnostics of the present set, in brief, sorted.
pub(super) fn verdict(resources: &Resources) -> Vec<String> {
    let mut brief: Vec<String> = check(resources).iter().map(brief).collect();
    brief.sort();
    brief
}
