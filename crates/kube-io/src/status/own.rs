// SPDX-License-Identifier: Apache-2.0
//! `ServiceL2Status` and `ServiceBGPStatus`: the two differ in a name and in what their list is of.

use ferrolb_api::resource::{ServiceBGPStatus, ServiceL2Status};
use ferrolb_types::ServiceKey;
use k8s_openapi::Resource;
use serde::Deserialize;
use serde_json::{Value, json};

use super::naming;
use crate::{pods::Owner, reflect::Listed, request, source::Source};

/// Label: the node that speaks.
pub(super) const NODE: &str = "metallb.io/node";
/// Label: the Service's name.
pub(super) const SERVICE_NAME: &str = "metallb.io/service-name";
/// Label: its namespace.
pub(super) const SERVICE_NAMESPACE: &str = "metallb.io/service-namespace";

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Protocol {
    Layer2,
    Bgp,
}

impl Protocol {
    pub(super) const BOTH: [Self; 2] = [Self::Layer2, Self::Bgp];

    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::Layer2 => ServiceL2Status::KIND,
            Self::Bgp => ServiceBGPStatus::KIND,
        }
    }

    fn plural(self) -> &'static str {
        match self {
            Self::Layer2 => ServiceL2Status::URL_PATH_SEGMENT,
            Self::Bgp => ServiceBGPStatus::URL_PATH_SEGMENT,
        }
    }

    fn prefix(self) -> &'static str {
        match self {
            Self::Layer2 => "l2-",
            Self::Bgp => "bgp-",
        }
    }

    pub(super) fn collection(self, namespace: &str) -> String {
        request::collection(ServiceL2Status::API_VERSION, Some(namespace), self.plural())
    }

    pub(super) fn object(self, namespace: &str, name: &str) -> String {
        request::object(
            ServiceL2Status::API_VERSION,
            Some(namespace),
            self.plural(),
            name,
        )
    }

    /// The objects of our node.
    pub(super) fn of_node(self, namespace: &str, node: &str) -> Source {
        let selector = format!("{NODE}={}", naming::label(node));
        Source::new(
            self.collection(namespace),
            format!("labelSelector={}", request::escape(&selector)),
        )
    }

    /// The objects of all nodes for one Service.
    pub(super) fn of_service(self, namespace: &str, key: &ServiceKey) -> Source {
        let (service, of) = (naming::label(key.name()), naming::label(key.namespace()));
        let selector = format!("{SERVICE_NAME}={service},{SERVICE_NAMESPACE}={of}");
        Source::new(
            self.collection(namespace),
            format!("labelSelector={}", request::escape(&selector)),
        )
    }

    /// All objects.
    pub(super) fn of_all(self, namespace: &str) -> Source {
        Source::new(self.collection(namespace), String::new())
    }

    /// The name our object for this Service has. It is the same after a restart, so two can hardly arise.
    pub(super) fn name(self, node: &str, key: &ServiceKey) -> String {
        naming::object(self.prefix(), &[node, key.namespace(), key.name()])
    }

    /// A new object; its status has to follow.
    pub(super) fn new_object(
        self,
        namespace: &str,
        node: &str,
        key: &ServiceKey,
        owner: Option<&Owner>,
    ) -> Value {
        json!({
            "apiVersion": ServiceL2Status::API_VERSION,
            "kind": self.kind(),
            "metadata": {
                "name": self.name(node, key),
                "namespace": namespace,
                "labels": {
                    NODE: naming::label(node),
                    SERVICE_NAME: naming::label(key.name()),
                    SERVICE_NAMESPACE: naming::label(key.namespace()),
                },
                "ownerReferences": owner.into_iter().collect::<Vec<_>>(),
            },
        })
    }

    /// The status to write.
    pub(super) fn status(self, node: &str, key: &ServiceKey, list: &[String]) -> Value {
        let mut status = json!({
            "node": node, "serviceName": key.name(), "serviceNamespace": key.namespace(),
        });
        match self {
            Self::Layer2 => {
                status["interfaces"] = list.iter().map(|name| json!({ "name": name })).collect();
            }
            Self::Bgp => status["peers"] = list.into(),
        }
        json!({ "status": status })
    }
}

/// An object as it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Own {
    pub namespace: String,
    pub name: String,
    pub version: String,
    /// Uids of its owners.
    pub owners: Vec<String>,
    /// Value of the label for the node.
    pub node_label: String,
    /// Node of the status; empty before it is written.
    pub node: String,
    /// The Service of the status, or before that of the labels.
    pub service: (String, String),
    /// Whether there is a status.
    pub has_status: bool,
    /// Interfaces or peers, as written.
    pub list: Vec<String>,
}

impl Listed for Own {
    fn namespace(&self) -> &str {
        &self.namespace
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn version(&self) -> &str {
        &self.version
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Text {
    metadata: Meta,
    status: Option<Status>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Meta {
    name: String,
    namespace: String,
    resource_version: String,
    labels: Labels,
    owner_references: Vec<Reference>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Labels {
    #[serde(rename = "metallb.io/node")]
    node: String,
    #[serde(rename = "metallb.io/service-name")]
    service: String,
    #[serde(rename = "metallb.io/service-namespace")]
    namespace: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Reference {
    uid: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    node: String,
    service_name: String,
    service_namespace: String,
    interfaces: Vec<Interface>,
    peers: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Interface {
    name: String,
}

/// Reads an object; what cannot be read is empty, and so is replaced.
pub(super) fn decode(text: &str) -> Own {
    let Text { metadata, status } = serde_json::from_str(text).unwrap_or_default();
    let has_status = status
        .as_ref()
        .is_some_and(|status| !status.service_name.is_empty());
    let status = status.unwrap_or_default();
    let service = match has_status {
        true => (status.service_namespace, status.service_name),
        false => (metadata.labels.namespace, metadata.labels.service),
    };
    let mut list = status.peers;
    list.extend(
        status
            .interfaces
            .into_iter()
            .map(|interface| interface.name),
    );
    Own {
        namespace: metadata.namespace,
        name: metadata.name,
        version: metadata.resource_version,
        owners: metadata
            .owner_references
            .into_iter()
            .map(|owner| owner.uid)
            .collect(),
        node_label: metadata.labels.node,
        node: status.node,
        service,
        has_status,
        list,
    }
}
