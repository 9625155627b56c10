// SPDX-License-Identifier: Apache-2.0
//! From an object's text to what its view needs. `managedFields`, foreign annotations, images of nodes and
//! the like are skipped where they stand; nothing is built only to be dropped.

use std::{collections::BTreeMap, fmt, marker::PhantomData};

use ferrolb_api::{
    annotations::{LEGACY_PREFIX, PREFIX},
    resource::{BFDProfile, BGPAdvertisement, BGPPeer, Community, IPAddressPool, L2Advertisement},
    view::{
        EndpointSliceView, Nameless, NamespaceView, NodeView, PASSWORD_KEY, SecretView, ServiceView,
    },
};
use ferrolb_config::{object::Object, unreadable::Unreadable};
use ferrolb_types::{Diagnostic, ObjectRef, codes::schema::V003};
use k8s_openapi::{
    ByteString, Metadata,
    api::{
        core::v1::{
            Namespace, Node, NodeAddress, NodeCondition, NodeStatus, Secret, Service, ServiceSpec,
            ServiceStatus,
        },
        discovery::v1::{Endpoint, EndpointSlice},
    },
    apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time},
};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, IgnoredAny, MapAccess, Visitor},
};

use super::{Meta, Watched};
use crate::{reflect::Listed, source::Decode};

/// What `kubectl apply` keeps on every object: the object once more.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// An object as it was seen.
#[derive(Debug)]
pub(super) struct Seen {
    /// Namespace; empty for what has none.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Its uid, where nothing else could be read of it.
    pub uid: Box<str>,
    /// Its resourceVersion.
    pub version: Box<str>,
    /// The object, or why it cannot be decoded.
    pub object: Result<(Object, Meta), Unreadable>,
}

impl Listed for Seen {
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

/// How objects of a kind are decoded.
pub(super) fn decoder(kind: Watched) -> Decode<Seen> {
    match kind {
        Watched::Services => service,
        Watched::EndpointSlices => slice,
        Watched::Nodes => node,
        Watched::Namespaces => namespace,
        Watched::Secrets => secret,
        Watched::IPAddressPools => {
            |text| ours::<IPAddressPool>(text, |it| Object::IPAddressPool(Box::new(it)))
        }
        Watched::BGPAdvertisements => {
            |text| ours::<BGPAdvertisement>(text, |it| Object::BGPAdvertisement(Box::new(it)))
        }
        Watched::L2Advertisements => {
            |text| ours::<L2Advertisement>(text, |it| Object::L2Advertisement(Box::new(it)))
        }
        Watched::BGPPeers => |text| ours::<BGPPeer>(text, |it| Object::BGPPeer(Box::new(it))),
        Watched::BFDProfiles => {
            |text| ours::<BFDProfile>(text, |it| Object::BFDProfile(Box::new(it)))
        }
        Watched::Communities => {
            |text| ours::<Community>(text, |it| Object::Community(Box::new(it)))
        }
    }
}

/// The refusal of an object that cannot be decoded.
pub(super) fn broken(kind: Watched, object: ObjectRef, why: &Unreadable) -> Diagnostic {
    // The message may quote a value, so not where a password may stand.
    let cause = match kind {
        Watched::Secrets | Watched::BGPPeers => "the object cannot be read as its kind".to_owned(),
        _ => format!("the object cannot be read as its kind: {}", why.cause),
    };
    Diagnostic::error(V003, object, cause, "compare it with the kind's definition")
        .at(why.field.clone())
}

// --- metadata

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct SlimMeta {
    name: String,
    namespace: String,
    uid: Box<str>,
    resource_version: Box<str>,
    generation: Option<i64>,
    creation_timestamp: Option<Time>,
    labels: Option<BTreeMap<String, String>>,
    #[serde(deserialize_with = "some_entries::<_, OurAnnotations, _>")]
    annotations: BTreeMap<String, String>,
}

impl SlimMeta {
    fn split(self) -> (ObjectMeta, Meta) {
        let text = |text: String| (!text.is_empty()).then_some(text);
        let object = ObjectMeta {
            name: text(self.name),
            namespace: text(self.namespace),
            creation_timestamp: self.creation_timestamp,
            labels: self.labels,
            annotations: (!self.annotations.is_empty()).then_some(self.annotations),
            ..ObjectMeta::default()
        };
        let meta = Meta {
            uid: self.uid,
            resource_version: self.resource_version,
            generation: self.generation,
        };
        (object, meta)
    }
}

/// What is left of an object that cannot be decoded.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Head {
    metadata: HeadMeta,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct HeadMeta {
    name: String,
    namespace: String,
    uid: Box<str>,
    resource_version: Box<str>,
}

fn unreadable(text: &str, why: Unreadable) -> Seen {
    let Head { metadata } = serde_json::from_str(text).unwrap_or_default();
    Seen {
        namespace: metadata.namespace,
        name: metadata.name,
        uid: metadata.uid,
        version: metadata.resource_version,
        object: Err(why),
    }
}

// --- core kinds

/// Reads the slim form, builds the API type of it and reduces that, so that there is one reduction.
fn core<S: DeserializeOwned, K>(
    text: &str,
    split: fn(S) -> (K, Meta),
    reduce: fn(&K) -> Result<Object, Nameless>,
) -> Seen {
    let slim: S = match serde_json::from_str(text) {
        Ok(slim) => slim,
        Err(error) => return unreadable(text, Unreadable::find_in::<S>(text, &error)),
    };
    let (object, meta) = split(slim);
    match reduce(&object) {
        Err(nameless) => unreadable(text, Unreadable::whole(nameless.to_string())),
        Ok(object) => {
            let reference = object.reference();
            Seen {
                namespace: reference.namespace,
                name: reference.name,
                uid: Box::default(),
                version: meta.resource_version.clone(),
                object: Ok((object, meta)),
            }
        }
    }
}

#[derive(Deserialize)]
struct SlimService {
    #[serde(default)]
    metadata: SlimMeta,
    spec: Option<ServiceSpec>,
    status: Option<ServiceStatus>,
}

fn service(text: &str) -> Seen {
    let split = |slim: SlimService| {
        let (metadata, meta) = slim.metadata.split();
        let object = Service {
            metadata,
            spec: slim.spec,
            status: slim.status,
        };
        (object, meta)
    };
    core(text, split, |object| {
        Ok(Object::Service(ServiceView::try_from(object)?.into()))
    })
}

#[derive(Deserialize)]
struct SlimSlice {
    #[serde(default)]
    metadata: SlimMeta,
    endpoints: Option<Vec<Endpoint>>,
}

fn slice(text: &str) -> Seen {
    let split = |slim: SlimSlice| {
        let (metadata, meta) = slim.metadata.split();
        let object = EndpointSlice {
            metadata,
            endpoints: slim.endpoints,
            ..EndpointSlice::default()
        };
        (object, meta)
    };
    core(text, split, |object| {
        Ok(Object::EndpointSlice(Box::new(
            EndpointSliceView::try_from(object)?,
        )))
    })
}

#[derive(Deserialize)]
struct SlimNode {
    #[serde(default)]
    metadata: SlimMeta,
    status: Option<SlimNodeStatus>,
}

#[derive(Deserialize)]
struct SlimNodeStatus {
    addresses: Option<Vec<NodeAddress>>,
    conditions: Option<Vec<NodeCondition>>,
}

fn node(text: &str) -> Seen {
    let split = |slim: SlimNode| {
        let (metadata, meta) = slim.metadata.split();
        let status = slim.status.map(|status| NodeStatus {
            addresses: status.addresses,
            conditions: status.conditions,
            ..NodeStatus::default()
        });
        let object = Node {
            metadata,
            status,
            ..Node::default()
        };
        (object, meta)
    };
    core(text, split, |object| {
        Ok(Object::Node(Box::new(NodeView::try_from(object)?)))
    })
}

#[derive(Deserialize)]
struct SlimNamespace {
    #[serde(default)]
    metadata: SlimMeta,
}

fn namespace(text: &str) -> Seen {
    let split = |slim: SlimNamespace| {
        let (metadata, meta) = slim.metadata.split();
        let object = Namespace {
            metadata,
            ..Namespace::default()
        };
        (object, meta)
    };
    core(text, split, |object| {
        Ok(Object::Namespace(Box::new(NamespaceView::try_from(
            object,
        )?)))
    })
}

#[derive(Deserialize)]
struct SlimSecret {
    #[serde(default)]
    metadata: SlimMeta,
    #[serde(rename = "type")]
    type_: Option<String>,
    #[serde(default, deserialize_with = "some_entries::<_, ThePassword, _>")]
    data: BTreeMap<String, ByteString>,
}

fn secret(text: &str) -> Seen {
    let split = |slim: SlimSecret| {
        let (metadata, meta) = slim.metadata.split();
        let object = Secret {
            metadata,
            type_: slim.type_,
            data: Some(slim.data),
            ..Secret::default()
        };
        (object, meta)
    };
    core(text, split, |object| {
        Ok(Object::Secret(Box::new(SecretView::try_from(object)?)))
    })
}

// --- our own kinds

fn ours<K>(text: &str, wrap: fn(K) -> Object) -> Seen
where
    K: DeserializeOwned + Metadata<Ty = ObjectMeta>,
{
    let mut object: K = match serde_json::from_str(text) {
        Ok(object) => object,
        Err(error) => return unreadable(text, Unreadable::find_in::<K>(text, &error)),
    };
    let meta = object.metadata_mut();
    meta.managed_fields = None;
    if let Some(annotations) = &mut meta.annotations {
        annotations.remove(LAST_APPLIED);
    }
    let told = Meta {
        uid: meta.uid.as_deref().unwrap_or_default().into(),
        // Told beside the object alone: in it, every write of a status would make it another one.
        resource_version: meta.resource_version.take().unwrap_or_default().into(),
        generation: meta.generation,
    };
    Seen {
        namespace: meta.namespace.clone().unwrap_or_default(),
        name: meta.name.clone().unwrap_or_default(),
        uid: Box::default(),
        version: told.resource_version.clone(),
        object: Ok((wrap(object), told)),
    }
}

// --- maps of which a few entries matter

trait Wanted {
    fn wants(key: &str) -> bool;
}

struct OurAnnotations;

impl Wanted for OurAnnotations {
    fn wants(key: &str) -> bool {
        key.starts_with(PREFIX) || key.starts_with(LEGACY_PREFIX)
    }
}

struct ThePassword;

impl Wanted for ThePassword {
    fn wants(key: &str) -> bool {
        key == PASSWORD_KEY
    }
}

fn some_entries<'de, D, W, V>(deserializer: D) -> Result<BTreeMap<String, V>, D::Error>
where
    D: Deserializer<'de>,
    W: Wanted,
    V: Deserialize<'de>,
{
    deserializer.deserialize_option(Entries::<W, V>(PhantomData))
}

struct Entries<W, V>(PhantomData<(W, V)>);

impl<'de, W: Wanted, V: Deserialize<'de>> Visitor<'de> for Entries<W, V> {
    type Value = BTreeMap<String, V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(BTreeMap::new())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = BTreeMap::new();
        while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            if W::wants(&key) {
                entries.insert(key.into_owned(), map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(entries)
    }
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;
