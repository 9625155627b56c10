// SPDX-License-Identifier: Apache-2.0
//! The kinds that are read, each with its schema and the way from JSON to an [`Object`].

use std::{collections::BTreeMap, sync::LazyLock};

use ferrolb_api::{core, crds, view};
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use super::{
    reader::Documents,
    schema::{Schema, Shape},
    tree::Node,
};
use crate::object::Object;

/// A kind that is read.
pub(crate) struct Kind {
    pub api_version: &'static str,
    pub name: &'static str,
    pub scope: Scope,
    pub name_form: NameForm,
    /// Builds the object from JSON that the schema admits.
    pub decode: fn(Json) -> Result<Object, String>,
}

/// Where objects of a kind live, and in which namespace those that name none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// In no namespace.
    Cluster,
    /// In the namespace `default`, as `kubectl apply` has it: what users of the cluster own.
    Default,
    /// In the namespace of the `metallb.io` objects, since they count nowhere else.
    Own,
}

impl Scope {
    /// The namespace of an object that names none; `own` is that of the `metallb.io` objects.
    pub fn namespace(self, own: &str) -> &str {
        match self {
            Self::Cluster => "",
            Self::Default => view::DEFAULT_NAMESPACE,
            Self::Own => own,
        }
    }
}

/// What a name may look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NameForm {
    /// RFC 1123 labels separated by dots, 253 characters.
    Subdomain,
    /// One RFC 1123 label, 63 characters.
    Label,
    /// One RFC 1035 label: as the other, but beginning with a letter.
    ServiceLabel,
}

/// Kinds of `metallb.io` that FerroLB writes itself and never reads from a file.
pub(crate) const WRITTEN: [&str; 3] = ["ConfigurationState", "ServiceBGPStatus", "ServiceL2Status"];

const POOL_GROUP: &str = "metallb.io/v1beta1";

/// Every kind that is read.
pub(crate) static KINDS: [Kind; 12] = [
    resource(POOL_GROUP, "IPAddressPool", |json| {
        typed(json, Object::IPAddressPool)
    }),
    resource(POOL_GROUP, "BGPAdvertisement", |json| {
        typed(json, Object::BGPAdvertisement)
    }),
    resource(POOL_GROUP, "L2Advertisement", |json| {
        typed(json, Object::L2Advertisement)
    }),
    resource("metallb.io/v1beta2", "BGPPeer", |json| {
        typed(json, Object::BGPPeer)
    }),
    resource(POOL_GROUP, "BGPPeer", |json| {
        typed(json, Object::BGPPeerV1Beta1)
    }),
    resource(POOL_GROUP, "BFDProfile", |json| {
        typed(json, Object::BFDProfile)
    }),
    resource(POOL_GROUP, "Community", |json| {
        typed(json, Object::Community)
    }),
    Kind {
        scope: Scope::Default,
        name_form: NameForm::ServiceLabel,
        ..resource("v1", "Service", |json| {
            reduced::<core::Service, view::ServiceView>(json, |view| Object::Service(view.into()))
        })
    },
    Kind {
        scope: Scope::Default,
        ..resource("discovery.k8s.io/v1", "EndpointSlice", |json| {
            reduced::<core::EndpointSlice, view::EndpointSliceView>(json, Object::EndpointSlice)
        })
    },
    Kind {
        scope: Scope::Cluster,
        ..resource("v1", "Node", |json| {
            reduced::<core::Node, view::NodeView>(json, Object::Node)
        })
    },
    Kind {
        scope: Scope::Cluster,
        name_form: NameForm::Label,
        ..resource("v1", "Namespace", |json| {
            reduced::<core::Namespace, view::NamespaceView>(json, Object::Namespace)
        })
    },
    resource("v1", "Secret", |json| {
        reduced::<core::Secret, view::SecretView>(json, Object::Secret)
    }),
];

const fn resource(
    api_version: &'static str,
    name: &'static str,
    decode: fn(Json) -> Result<Object, String>,
) -> Kind {
    Kind {
        api_version,
        name,
        scope: Scope::Own,
        name_form: NameForm::Subdomain,
        decode,
    }
}

fn typed<T: DeserializeOwned>(json: Json, wrap: fn(Box<T>) -> Object) -> Result<Object, String> {
    serde_json::from_value(json)
        .map(wrap)
        .map_err(|error| error.to_string())
}

fn reduced<T, V>(json: Json, wrap: fn(Box<V>) -> Object) -> Result<Object, String>
where
    T: DeserializeOwned,
    V: for<'t> TryFrom<&'t T, Error = view::Nameless>,
{
    let object: T = serde_json::from_value(json).map_err(|error| error.to_string())?;
    let view = V::try_from(&object).map_err(|error| error.to_string())?;
    Ok(wrap(Box::new(view)))
}

impl Kind {
    /// What the kind's objects must look like.
    pub fn schema(&self) -> &'static Schema {
        static ANY: LazyLock<Schema> = LazyLock::new(Schema::default);
        SCHEMAS.get(&(self.api_version, self.name)).unwrap_or(&ANY)
    }
}

static SCHEMAS: LazyLock<BTreeMap<(&'static str, &'static str), Schema>> = LazyLock::new(|| {
    let core = document(include_str!("core.yaml"));
    let meta = core
        .as_ref()
        .and_then(|core| core.get("ObjectMeta"))
        .map(Schema::compile);
    let with_meta = |kind: &'static Kind| {
        let mut schema = crd_schema(kind)
            .or_else(|| core.as_ref()?.get(kind.name).map(Schema::compile))
            .unwrap_or_default();
        if let (Some(slot), Some(meta)) = (schema.property_mut("metadata"), &meta) {
            slot.clone_from(meta);
        }
        adjust(kind, &mut schema);
        ((kind.api_version, kind.name), schema)
    };
    KINDS.iter().map(with_meta).collect()
});

fn document(text: &'static str) -> Option<Node<'static>> {
    Documents::new(text).next()?.root
}

/// The schema of a kind's version in the CRD that defines it.
fn crd_schema(kind: &Kind) -> Option<Schema> {
    let (group, version) = kind.api_version.split_once('/')?;
    let crd = crds::all()
        .iter()
        .find(|crd| crd.kind == kind.name && group == "metallb.io")?;
    let document = document(crd.yaml)?;
    let versions = document.get("spec")?.get("versions")?.items();
    let found = versions
        .iter()
        .find(|v| v.get("name").and_then(Node::text) == Some(version))?;
    Some(Schema::compile(
        found.get("schema")?.get("openAPIV3Schema")?,
    ))
}

/// What no schema says: which fields hold secrets, and that LOCAL_PREF is never negative (the CRD admits
/// it, its readers do not).
fn adjust(kind: &Kind, schema: &mut Schema) {
    let hidden: &[&str] = match kind.name {
        "Secret" => &["data", "stringData"],
        _ => &[],
    };
    for field in hidden {
        if let Some(property) = schema.property_mut(field) {
            property.hide();
        }
    }
    let Some(spec) = schema.property_mut("spec") else {
        return;
    };
    for field in ["password", "passwordSecret"] {
        if let Some(property) = spec.property_mut(field) {
            property.hide();
        }
    }
    let preference = spec
        .property_mut("localPref")
        .map(|property| &mut property.shape);
    if let Some(Shape::Integer { minimum, .. }) = preference {
        *minimum = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::rules::Rule;

    #[test]
    fn every_kind_has_its_schema() {
        for kind in &KINDS {
            let mut schema = kind.schema().clone();
            assert!(schema.property_mut("apiVersion").is_some(), "{}", kind.name);
            let meta = schema.property_mut("metadata").expect(kind.name);
            assert!(meta.property_mut("annotations").is_some(), "{}", kind.name);
        }
    }

    #[test]
    fn every_crd_is_read_or_written() {
        for crd in crds::all() {
            let read = KINDS.iter().any(|kind| kind.name == crd.kind);
            assert_ne!(read, WRITTEN.contains(&crd.kind), "{}", crd.kind);
        }
    }

    fn visit<'n>(node: &'n Node<'n>, found: &mut Vec<&'n Node<'n>>) {
        if let Some(rules) = node.get("x-kubernetes-validations") {
            found.extend(rules.items());
        }
        node.members()
            .iter()
            .for_each(|member| visit(&member.value, found));
        node.items().iter().for_each(|item| visit(item, found));
    }

    #[test]
    fn every_rule_of_every_crd_is_implemented() {
        let mut count = 0;
        for crd in crds::all() {
            let document = document(crd.yaml).expect(crd.name);
            let mut rules = Vec::new();
            visit(&document, &mut rules);
            for entry in rules {
                let text = entry.get("rule").and_then(Node::text).expect("text");
                assert!(Rule::find(text).is_some(), "{}: {text}", crd.name);
                count += 1;
            }
        }
        assert_eq!(count, 10);
    }

    /// Keywords that `Schema` does not know must not stand in the schema of a kind that is read.
    #[test]
    fn every_keyword_is_understood() {
        const KNOWN: [&str; 16] = [
            "additionalProperties",
            "default",
            "description",
            "enum",
            "format",
            "items",
            "maximum",
            "minItems",
            "minimum",
            "properties",
            "required",
            "type",
            "x-kubernetes-int-or-string",
            "x-kubernetes-list-type",
            "x-kubernetes-map-type",
            "x-kubernetes-validations",
        ];
        fn check(kind: &str, schema: &Node<'_>) {
            for member in schema.members() {
                let known = KNOWN.contains(&member.key.as_ref());
                assert!(
                    known || member.key == "x-kubernetes-preserve-unknown-fields",
                    "{kind} {}",
                    member.key
                );
            }
            for member in schema
                .get("properties")
                .map(Node::members)
                .unwrap_or_default()
            {
                check(kind, &member.value);
            }
            schema
                .get("items")
                .into_iter()
                .for_each(|items| check(kind, items));
        }
        let core = document(include_str!("core.yaml")).expect("YAML");
        core.members()
            .iter()
            .for_each(|member| check(&member.key, &member.value));
        for crd in crds::all()
            .iter()
            .filter(|crd| !WRITTEN.contains(&crd.kind))
        {
            let document = document(crd.yaml).expect(crd.name);
            for version in document
                .get("spec")
                .and_then(|s| s.get("versions"))
                .expect("versions")
                .items()
            {
                check(
                    crd.kind,
                    version
                        .get("schema")
                        .and_then(|s| s.get("openAPIV3Schema"))
                        .expect("schema"),
                );
            }
        }
    }
}
