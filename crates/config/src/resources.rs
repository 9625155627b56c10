// SPDX-License-Identifier: Apache-2.0
//! The present set of objects that the configuration depends on, as a source delivered them.
//!
//! Objects are kept whether they are good or not: judging them is the work of [`crate::compile`].

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    sync::Arc,
};

use ferrolb_api::{
    core::ObjectMeta,
    resource::{BFDProfile, BGPAdvertisement, BGPPeer, Community, IPAddressPool, L2Advertisement},
    view::{NodeView, SecretView},
};
use ferrolb_types::{Code, Diagnostic, Labels, NodeName, ObjectRef, codes};

/// A kind that the configuration is made of.
pub trait Kind: Clone + PartialEq + 'static {
    /// The kind as on the wire.
    const KIND: &'static str;
    /// The code for an object outside the namespace that is read.
    const ELSEWHERE: Code;
    /// The code for an object without a name.
    const NAMELESS: Code;

    /// The metadata of the object.
    fn metadata(&self) -> &ObjectMeta;

    /// The name of the object, empty where it has none.
    fn name(&self) -> &str {
        self.metadata().name.as_deref().unwrap_or_default()
    }

    /// How diagnostics name the object: as it is written.
    fn reference(&self) -> ObjectRef {
        let namespace = self.metadata().namespace.clone().unwrap_or_default();
        ObjectRef::new(Self::KIND, namespace, self.name())
    }

    #[doc(hidden)]
    fn all(resources: &Resources) -> &Objects<Self>;
    #[doc(hidden)]
    fn all_mut(resources: &mut Resources) -> &mut Objects<Self>;
}

/// Objects of one kind by namespace and name.
pub type Objects<K> = BTreeMap<(String, String), Arc<K>>;

macro_rules! kinds {
    ($($kind:ident $field:ident $elsewhere:path, $nameless:path;)*) => {$(
        impl Kind for $kind {
            const KIND: &'static str = stringify!($kind);
            const ELSEWHERE: Code = $elsewhere;
            const NAMELESS: Code = $nameless;

            fn metadata(&self) -> &ObjectMeta {
                &self.metadata
            }

            fn all(resources: &Resources) -> &Objects<Self> {
                &resources.$field
            }

            fn all_mut(resources: &mut Resources) -> &mut Objects<Self> {
                &mut resources.$field
            }
        }
    )*

        impl Resources {
            /// Whether an object of these kinds is among them, good or not.
            #[must_use]
            pub fn holds(&self, object: &ObjectRef) -> bool {
                let key = (self.or_own(Some(&object.namespace)), object.name.clone());
                match &*object.kind {
                    $(<$kind as Kind>::KIND => self.$field.contains_key(&key),)*
                    _ => false,
                }
            }

            fn is_of_these_kinds(object: &ObjectRef) -> bool {
                [$(<$kind as Kind>::KIND),*].contains(&&*object.kind)
            }
        }
    };
}

kinds! {
    IPAddressPool pools codes::pool::P050, codes::pool::P002;
    Community communities codes::community::C050, codes::community::C052;
    BGPPeer peers codes::peer::B050, codes::peer::B068;
    BFDProfile bfd_profiles codes::peer::B050, codes::peer::B068;
    BGPAdvertisement bgp_advertisements codes::advertisement::A050, codes::advertisement::A052;
    L2Advertisement l2_advertisements codes::advertisement::A050, codes::advertisement::A052;
}

/// What the configuration needs of a Node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct NodeFacts {
    pub(crate) labels: Labels,
    pub(crate) internal_ips: Vec<IpAddr>,
}

/// The present set of objects. Every `apply` and `delete` says whether anything changed, so that an
/// unchanged set need not be compiled again.
#[derive(Clone)]
pub struct Resources {
    namespace: String,
    pools: Objects<IPAddressPool>,
    communities: Objects<Community>,
    peers: Objects<BGPPeer>,
    bfd_profiles: Objects<BFDProfile>,
    bgp_advertisements: Objects<BGPAdvertisement>,
    l2_advertisements: Objects<L2Advertisement>,
    /// Objects that stand in the source and cannot be read at all, with the reason.
    unreadable: BTreeMap<ObjectRef, Diagnostic>,
    pub(crate) secrets: BTreeMap<(Arc<str>, Arc<str>), SecretView>,
    pub(crate) nodes: BTreeMap<NodeName, NodeFacts>,
    pub(crate) namespaces: BTreeSet<String>,
}

impl Resources {
    /// An empty set. Objects and Secrets count in `namespace` alone; an object that names no namespace
    /// belongs to it.
    #[must_use]
    pub fn new(namespace: impl Into<String>) -> Self {
        Self {
            namespace: namespace.into(),
            pools: Objects::new(),
            communities: Objects::new(),
            peers: Objects::new(),
            bfd_profiles: Objects::new(),
            bgp_advertisements: Objects::new(),
            l2_advertisements: Objects::new(),
            unreadable: BTreeMap::new(),
            secrets: BTreeMap::new(),
            nodes: BTreeMap::new(),
            namespaces: BTreeSet::new(),
        }
    }

    /// The namespace that is read.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Adds the object, or replaces the one of the same name.
    pub fn apply<K: Kind>(&mut self, object: K) -> bool {
        let key = self.key(object.metadata());
        let readable = self.forget_unreadable::<K>(&key);
        let all = K::all_mut(self);
        if all.get(&key).is_some_and(|present| **present == object) {
            return readable;
        }
        all.insert(key, Arc::new(object));
        true
    }

    /// An object stands in the source that cannot be read at all: where one of its name was read before,
    /// that one goes on, and otherwise its last good version, if somebody remembers it.
    pub fn refuse(&mut self, object: ObjectRef, why: Diagnostic) -> bool {
        if !Self::is_of_these_kinds(&object) || self.unreadable.get(&object) == Some(&why) {
            return false;
        }
        self.unreadable.insert(object, why);
        true
    }

    /// Removes an object; an empty namespace means the one that is read.
    pub fn delete<K: Kind>(&mut self, namespace: &str, name: &str) -> bool {
        let key = (self.or_own(Some(namespace)), name.to_owned());
        let was_unreadable = self.forget_unreadable::<K>(&key);
        K::all_mut(self).remove(&key).is_some() || was_unreadable
    }

    /// Adds or replaces a Node. Only labels and internal addresses matter.
    pub fn apply_node(&mut self, node: &NodeView) -> bool {
        let facts = NodeFacts {
            labels: node.labels.clone(),
            internal_ips: node.internal_ips.clone(),
        };
        self.nodes.insert(node.name.clone(), facts.clone()) != Some(facts)
    }

    /// Removes a Node.
    pub fn delete_node(&mut self, name: &NodeName) -> bool {
        self.nodes.remove(name).is_some()
    }

    /// Adds a Namespace. While none is known, no name of a namespace is called unknown.
    pub fn apply_namespace(&mut self, name: impl Into<String>) -> bool {
        self.namespaces.insert(name.into())
    }

    /// Removes a Namespace.
    pub fn delete_namespace(&mut self, name: &str) -> bool {
        self.namespaces.remove(name)
    }

    /// Adds or replaces a Secret.
    pub fn apply_secret(&mut self, secret: SecretView) -> bool {
        let key = (secret.namespace.clone(), secret.name.clone());
        self.secrets.insert(key, secret.clone()) != Some(secret)
    }

    /// Removes a Secret.
    pub fn delete_secret(&mut self, namespace: &str, name: &str) -> bool {
        self.secrets
            .remove(&(namespace.into(), name.into()))
            .is_some()
    }

    /// Whether an object of this name stands in the namespace that is read, good or not.
    pub(crate) fn exists<K: Kind>(&self, name: &str) -> bool {
        K::all(self).contains_key(&(self.namespace.clone(), name.to_owned()))
            || self.unread::<K>().any(|(object, _)| object.name == name)
    }

    /// The objects of a kind, in the namespace that is read, of which nothing could be read so far.
    pub(crate) fn unread<K: Kind>(&self) -> impl Iterator<Item = (&ObjectRef, &Diagnostic)> {
        self.unreadable.iter().filter(|(object, _)| {
            object.kind == K::KIND && object.namespace == self.namespace && !self.holds(object)
        })
    }

    fn forget_unreadable<K: Kind>(&mut self, (namespace, name): &(String, String)) -> bool {
        let object = ObjectRef::new(K::KIND, namespace.as_str(), name.as_str());
        self.unreadable.remove(&object).is_some()
    }

    fn key(&self, meta: &ObjectMeta) -> (String, String) {
        let namespace = self.or_own(meta.namespace.as_deref());
        (namespace, meta.name.clone().unwrap_or_default())
    }

    fn or_own(&self, namespace: Option<&str>) -> String {
        namespace
            .filter(|text| !text.is_empty())
            .unwrap_or(&self.namespace)
            .to_owned()
    }
}
