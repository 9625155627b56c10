// SPDX-License-Identifier: Apache-2.0
//! Rendered manifests held against what the API server knows and stores.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests are tests"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use ferrolb_lab::cluster::{Call, Cluster};
use serde_json::Value;

/// The objects of an overlay.
pub struct Manifests(pub Vec<Value>);

impl Manifests {
    /// What kustomize makes of a folder.
    pub fn render(cluster: &Cluster, folder: &Path) -> Self {
        let folder = folder.to_string_lossy().into_owned();
        let yaml = cluster.kubectl(&["kustomize", &folder]).unwrap();
        Self(serde_saphyr::from_multiple(&yaml).unwrap())
    }

    /// The objects of a kind.
    pub fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        self.0.iter().filter(move |object| object["kind"] == kind)
    }

    /// Names that nothing here bears: roles and accounts of bindings and Pods, objects that Pods mount,
    /// Services of webhooks, labels that selectors look for.
    pub fn dangling(&self) -> Vec<String> {
        let mut wanted = Vec::new();
        for binding in self
            .of_kind("RoleBinding")
            .chain(self.of_kind("ClusterRoleBinding"))
        {
            wanted.push(reference(&binding["roleRef"], "kind"));
            let subjects =
                list(&binding["subjects"]).filter(|who| who["namespace"] == "metallb-system");
            wanted.extend(subjects.map(|who| reference(who, "kind")));
        }
        for workload in self.workloads() {
            let pod = &workload["spec"]["template"]["spec"];
            wanted.push(format!(
                "ServiceAccount {}",
                text(&pod["serviceAccountName"])
            ));
            wanted.extend(list(&pod["volumes"]).filter_map(mounted));
        }
        for webhook in self
            .of_kind("ValidatingWebhookConfiguration")
            .flat_map(|all| list(&all["webhooks"]))
        {
            wanted.push(format!(
                "Service {}",
                text(&webhook["clientConfig"]["service"]["name"])
            ));
        }
        for definition in self.of_kind("CustomResourceDefinition") {
            let service =
                &definition["spec"]["conversion"]["webhook"]["clientConfig"]["service"]["name"];
            wanted.extend(service.as_str().map(|name| format!("Service {name}")));
        }
        let there: BTreeSet<String> = self
            .0
            .iter()
            .map(|object| {
                format!(
                    "{} {}",
                    text(&object["kind"]),
                    text(&object["metadata"]["name"])
                )
            })
            .collect();
        wanted.retain(|name| !there.contains(name));
        wanted.extend(self.blind_selectors());
        wanted
    }

    fn workloads(&self) -> impl Iterator<Item = &Value> {
        self.of_kind("Deployment").chain(self.of_kind("DaemonSet"))
    }

    /// Services and budgets whose selector no Pod has the labels of.
    fn blind_selectors(&self) -> Vec<String> {
        let services = self
            .of_kind("Service")
            .map(|one| (one, &one["spec"]["selector"]));
        let budgets = self
            .of_kind("PodDisruptionBudget")
            .map(|one| (one, &one["spec"]["selector"]["matchLabels"]));
        let sees = |selector: &Value| {
            self.workloads().any(|workload| {
                lost(
                    selector,
                    &workload["spec"]["template"]["metadata"]["labels"],
                )
                .is_empty()
            })
        };
        let blind = services
            .chain(budgets)
            .filter(|(_, selector)| !selector.is_object() || !sees(selector));
        blind
            .map(|(one, _)| format!("selector of {}", text(&one["metadata"]["name"])))
            .collect()
    }
}

fn reference(of: &Value, kind: &str) -> String {
    format!("{} {}", text(&of[kind]), text(&of["name"]))
}

fn mounted(volume: &Value) -> Option<String> {
    let secret = volume["secret"]["secretName"]
        .as_str()
        .map(|name| format!("Secret {name}"));
    secret.or_else(|| {
        volume["configMap"]["name"]
            .as_str()
            .map(|name| format!("ConfigMap {name}"))
    })
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// Fields of `wanted` that `found` lacks or has otherwise; more in `found` is no fault.
pub fn lost(wanted: &Value, found: &Value) -> Vec<String> {
    let mut all = Vec::new();
    collect(wanted, found, "", &mut all);
    all
}

fn collect(wanted: &Value, found: &Value, at: &str, all: &mut Vec<String>) {
    match (wanted, found) {
        (Value::Object(wanted), Value::Object(found)) => {
            for (key, value) in wanted {
                collect(
                    value,
                    found.get(key).unwrap_or(&Value::Null),
                    &format!("{at}/{key}"),
                    all,
                );
            }
        }
        (Value::Array(wanted), Value::Array(found)) if wanted.len() == found.len() => {
            for (index, (wanted, found)) in wanted.iter().zip(found).enumerate() {
                collect(wanted, found, &format!("{at}/{index}"), all);
            }
        }
        _ if wanted == found => {}
        _ => all.push(format!("{at}: {wanted} became {found}")),
    }
}

/// Every resource the API server serves: its path, its verbs, its kind.
pub struct Kinds {
    by_kind: BTreeMap<(String, String), (String, bool)>,
    verbs: BTreeMap<(String, String), BTreeSet<String>>,
}

impl Kinds {
    /// What a cluster serves now.
    pub fn of(cluster: &Cluster) -> Self {
        let mut kinds = Self {
            by_kind: BTreeMap::new(),
            verbs: BTreeMap::new(),
        };
        let get = |path: &str| {
            cluster
                .admin()
                .call(&Call::get(path))
                .unwrap()
                .ok()
                .unwrap()
        };
        kinds.add("/api/v1", &get("/api/v1"));
        for group in list(&get("/apis")["groups"]) {
            for version in list(&group["versions"]) {
                let path = format!("/apis/{}", text(&version["groupVersion"]));
                kinds.add(&path, &get(&path));
            }
        }
        kinds
    }

    fn add(&mut self, path: &str, served: &Value) {
        let version = text(&served["groupVersion"]).to_owned();
        let group = version.split_once('/').map_or("", |(group, _)| group);
        for resource in list(&served["resources"]) {
            let name = text(&resource["name"]);
            let verbs = list(&resource["verbs"]).map(|verb| text(verb).to_owned());
            let key = (group.to_owned(), name.to_owned());
            self.verbs.entry(key).or_default().extend(verbs);
            if !name.contains('/') {
                let key = (version.clone(), text(&resource["kind"]).to_owned());
                let place = (format!("{path}|{name}"), resource["namespaced"] == true);
                self.by_kind.insert(key, place);
            }
        }
    }

    /// An object as the API server has it.
    pub fn get(&self, cluster: &Cluster, object: &Value) -> Value {
        let key = (
            text(&object["apiVersion"]).to_owned(),
            text(&object["kind"]).to_owned(),
        );
        let (place, namespaced) = self
            .by_kind
            .get(&key)
            .unwrap_or_else(|| panic!("no kind {key:?}"));
        let (path, plural) = place.split_once('|').unwrap();
        let namespace = match namespaced {
            true => format!("/namespaces/{}", text(&object["metadata"]["namespace"])),
            false => String::new(),
        };
        let path = format!(
            "{path}{namespace}/{plural}/{}",
            text(&object["metadata"]["name"])
        );
        cluster
            .admin()
            .call(&Call::get(&path))
            .unwrap()
            .ok()
            .unwrap()
    }

    /// Resources and verbs of rules that the API server does not know.
    pub fn unknown_in_rules(&self, manifests: &Manifests) -> Vec<String> {
        let mut unknown = Vec::new();
        let roles = manifests
            .of_kind("Role")
            .chain(manifests.of_kind("ClusterRole"));
        for rule in roles.flat_map(|role| list(&role["rules"])) {
            for (group, resource) in list(&rule["apiGroups"])
                .flat_map(|group| list(&rule["resources"]).map(move |one| (text(group), text(one))))
            {
                let known = self.verbs.get(&(group.to_owned(), resource.to_owned()));
                let bad = list(&rule["verbs"]).map(text);
                let bad = bad.filter(|verb| !known.is_some_and(|all| all.contains(*verb)));
                unknown.extend(bad.map(|verb| format!("{verb} {group}/{resource}")));
            }
        }
        unknown
    }
}
