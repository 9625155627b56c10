// SPDX-License-Identifier: Apache-2.0
//! What a document says it is: API version, kind, namespace and name.

use ferrolb_types::{FieldPath, ObjectRef, codes::command::X013, codes::file as codes};

use super::{
    catalogue::{KINDS, Kind, Scope, WRITTEN},
    fault::Fault,
    suggest::nearest,
    tree::{Mark, Node, Value},
};
use crate::extras;

/// What to do with a document.
pub(super) enum Identity<'n> {
    /// It is an object of this kind.
    Known(&'static Kind),
    /// It is a list of objects.
    List(&'n Node<'n>),
    /// It is not used, which is worth saying.
    Unused(Fault),
    /// Nothing can be done with it.
    Refused(Fault),
}

/// Tells what a document is.
pub(super) fn identify<'n>(root: &'n Node<'n>) -> Identity<'n> {
    if !matches!(root.value, Value::Mapping(_)) {
        return Identity::Refused(Fault::new(
            codes::F003,
            root.at,
            "the document is no mapping, so no Kubernetes object",
            "begin it with `apiVersion:` and `kind:`; put `---` between objects",
        ));
    }
    match (text(root, "apiVersion"), text(root, "kind")) {
        (Ok((version, _)), Ok((kind, at))) => known(root, version, kind, at),
        (Err(fault), _) | (_, Err(fault)) => Identity::Refused(*fault),
    }
}

fn text<'n>(root: &'n Node<'_>, key: &'static str) -> Result<(&'n str, Mark), Box<Fault>> {
    let field = FieldPath::root().key(key);
    let Some(member) = root.member(key).filter(|member| !member.value.is_null()) else {
        let cause = format!("the document has no `{key}`, so no Kubernetes object");
        let remedy = format!("add `{key}` at its top");
        let fault = Fault::new(codes::F003, root.at, cause, remedy).field(field);
        return Err(Box::new(fault));
    };
    match member.value.text() {
        Some(text) => Ok((text, member.value.at)),
        None => {
            let cause = format!("`{key}` is no text");
            let fault = Fault::new(codes::F003, member.at, cause, "write a single word");
            Err(Box::new(fault.field(field)))
        }
    }
}

fn known<'n>(root: &'n Node<'n>, version: &str, kind: &str, at: Mark) -> Identity<'n> {
    let listed = root
        .get("items")
        .filter(|items| matches!(items.value, Value::Sequence(_)));
    if let (true, Some(items)) = (kind.ends_with("List"), listed) {
        return Identity::List(items);
    }
    if let Some(kind) = KINDS
        .iter()
        .find(|k| k.name == kind && k.api_version == version)
    {
        return Identity::Known(kind);
    }
    let (group, _) = version.split_once('/').unwrap_or(("", version));
    let ours = group == "metallb.io";
    if ours && WRITTEN.contains(&kind) {
        return Identity::Unused(unused(
            kind,
            at,
            "FerroLB writes objects of this kind itself and reads none",
        ));
    }
    if let Some(fault) = misnamed(root, version, group, kind, at) {
        return Identity::Refused(fault);
    }
    Identity::Unused(unused(
        kind,
        at,
        "objects of this kind have no bearing on load balancing",
    ))
}

fn unused(kind: &str, at: Mark, cause: &str) -> Fault {
    let fault = Fault::new(
        codes::F006,
        at,
        cause,
        "nothing need be done; it is passed over",
    );
    fault.field(FieldPath::root().key("kind")).value(kind)
}

/// What is to be said of FRR's configuration in the ConfigMap that MetalLB reads; `object` is the document,
/// `own` the namespace of the `metallb.io` objects.
pub(super) fn extras(root: &Node<'_>, object: &ObjectRef, own: &str) -> Option<Fault> {
    let is_there = object.namespace.is_empty() || object.namespace == own;
    if &*object.kind != "ConfigMap" || object.name != extras::NAME || !is_there {
        return None;
    }
    let text = root.get("data")?.member(extras::KEY)?;
    extras::says_something(text.value.text()?)
        .then(|| Fault::new(X013, text.at, extras::CAUSE, extras::REMEDY).field(extras::field()))
}

/// The fault where a kind or version of ours is meant but not hit.
fn misnamed(root: &Node<'_>, version: &str, group: &str, kind: &str, at: Mark) -> Option<Fault> {
    let versions: Vec<&str> = KINDS
        .iter()
        .filter(|k| k.name == kind)
        .map(|k| k.api_version)
        .collect();
    if !versions.is_empty() {
        // The kinds of other projects may well be called like ours.
        let same_group = |v: &&str| v.split_once('/').map_or("", |(group, _)| group) == group;
        if !versions.iter().any(same_group)
            && !["", "metallb.io", "discovery.k8s.io"].contains(&group)
        {
            return None;
        }
        let at = root
            .member("apiVersion")
            .map_or(at, |member| member.value.at);
        let remedy = format!("write `apiVersion: {}`", versions.first()?);
        let cause = format!("{kind} does not exist in this API version");
        let fault = Fault::new(codes::F004, at, cause, remedy);
        return Some(
            fault
                .field(FieldPath::root().key("apiVersion"))
                .value(version),
        );
    }
    let near = nearest(kind, KINDS.iter().map(|kind| kind.name));
    let remedy = match (near, kind) {
        (_, "AddressPool") => {
            "write an IPAddressPool and the advertisements that go with it".to_owned()
        }
        (Some(name), _) => format!("write `{name}` if that was meant"),
        (None, _) if group == "metallb.io" => {
            "use one of the kinds that `ferrolb crds` prints".to_owned()
        }
        (None, _) => return None,
    };
    // Elsewhere a similar word may be a kind that we simply do not know.
    if group != "metallb.io" && version != "v1" && version != "discovery.k8s.io/v1" {
        return None;
    }
    let fault = Fault::new(codes::F004, at, "no such kind exists", remedy);
    Some(fault.field(FieldPath::root().key("kind")).value(kind))
}

/// The object as far as the document names it; `own` is the namespace of the `metallb.io` objects.
pub(super) fn reference(root: &Node<'_>, own: &str) -> ObjectRef {
    let word = |node: Option<&Node<'_>>| node.and_then(Node::text).unwrap_or_default().to_owned();
    let meta = root.get("metadata");
    let kind = word(root.get("kind"));
    let known = KINDS.iter().find(|k| k.name == kind);
    let given = word(meta.and_then(|meta| meta.get("namespace")));
    let namespace = match known.map(|known| known.scope) {
        Some(Scope::Cluster) => String::new(),
        Some(scope) if given.is_empty() => scope.namespace(own).to_owned(),
        _ => given,
    };
    let name = word(meta.and_then(|meta| meta.get("name")));
    match (known, kind.is_empty()) {
        (Some(known), _) => ObjectRef::new(known.name, namespace, name),
        (None, true) => ObjectRef::new("document", namespace, name),
        (None, false) => ObjectRef::new(kind, namespace, name),
    }
}
