// SPDX-License-Identifier: Apache-2.0
//! Objects in, updates out: what every source, folder or API server, hands its objects to.
//!
//! Objects of the configuration are kept and compiled together; everything else is passed on as it is.

use std::sync::Arc;

use ferrolb_api::{
    resource as kind,
    view::{EndpointSliceView, NamespaceView, NodeView, ServiceView},
};
use ferrolb_config::{
    Config,
    compile::{Compiler, LastGood},
    convert::peer_from_v1beta1,
    object::Object,
    resources::Resources,
};
use ferrolb_types::{Diagnostic, EndpointSliceKey, NodeName, ObjectRef, ServiceKey};

use crate::refused_bgp;

/// One thing that is new, changed or gone.
#[derive(Clone, Debug)]
pub enum Update {
    /// A Service, as its source has it.
    Service(Arc<ServiceView>),
    /// A Service is gone.
    ServiceGone(ServiceKey),
    /// An EndpointSlice.
    Slice(EndpointSliceView),
    /// An EndpointSlice is gone.
    SliceGone(EndpointSliceKey),
    /// A Node.
    Node(NodeView),
    /// A Node is gone.
    NodeGone(NodeName),
    /// A Namespace.
    Namespace(NamespaceView),
    /// A Namespace is gone.
    NamespaceGone(String),
    /// The configuration.
    Config(Arc<Config>),
}

/// The objects that the configuration is made of, and what they compile to.
pub struct Intake {
    resources: Resources,
    compiler: Compiler,
    config: Option<Arc<Config>>,
    /// Why this process speaks no BGP, where it does not.
    no_bgp: Option<Diagnostic>,
    /// Whether something the configuration depends on has changed since it was compiled.
    stale: bool,
}

impl Intake {
    /// Nothing yet; `namespace` is that of the `metallb.io` objects.
    #[must_use]
    pub fn new(namespace: &str) -> Self {
        Self::restore(namespace, LastGood::default())
    }

    /// Nothing yet, with what an earlier process remembered of the objects it refused.
    #[must_use]
    pub fn restore(namespace: &str, last_good: LastGood) -> Self {
        Self {
            resources: Resources::new(namespace),
            compiler: Compiler::restore(last_good),
            config: None,
            no_bgp: None,
            stale: true,
        }
    }

    /// Where a reason is given, this process speaks no BGP: everything that asks for it is refused with
    /// that reason.
    pub fn refuse_bgp(&mut self, why: Option<Diagnostic>) {
        self.stale |= self.no_bgp != why;
        self.no_bgp = why;
    }

    /// The configuration; absent before the first [`Self::compile`].
    #[must_use]
    pub fn config(&self) -> Option<&Arc<Config>> {
        self.config.as_ref()
    }

    /// The objects, as they were last told.
    pub(crate) fn resources(&self) -> &Resources {
        &self.resources
    }

    /// The objects themselves.
    #[must_use]
    pub fn into_resources(self) -> Resources {
        self.resources
    }

    /// What is to be remembered for [`Self::restore`]; it holds passwords of peers.
    #[must_use]
    pub fn last_good(&self) -> &LastGood {
        self.compiler.last_good()
    }

    /// The configuration, where it differs from the one before. The first call always gives one.
    pub fn compile(&mut self) -> Option<Arc<Config>> {
        if !std::mem::take(&mut self.stale) {
            return None;
        }
        let mut config = self.compiler.compile(&self.resources);
        if let Some(why) = &self.no_bgp {
            config = Arc::new(refused_bgp::without(&config, &self.resources, why));
        }
        if self.config.as_ref() == Some(&config) {
            return None;
        }
        self.config = Some(Arc::clone(&config));
        Some(config)
    }

    /// Takes an object in; gives it back as an update where it is more than configuration.
    pub fn apply(&mut self, object: Object) -> Option<Update> {
        let resources = &mut self.resources;
        let (stale, update) = match object {
            Object::IPAddressPool(mut object) => {
                // The controller writes it with every allocation; nothing is compiled from it.
                object.status = None;
                (resources.apply(*object), None)
            }
            Object::BGPAdvertisement(object) => (resources.apply(*object), None),
            Object::L2Advertisement(object) => (resources.apply(*object), None),
            Object::BGPPeer(object) => (resources.apply(*object), None),
            Object::BGPPeerV1Beta1(object) => (resources.apply(peer_from_v1beta1(*object)), None),
            Object::BFDProfile(object) => (resources.apply(*object), None),
            Object::Community(object) => (resources.apply(*object), None),
            Object::Secret(view) => (resources.apply_secret(*view), None),
            Object::Service(view) => (false, Some(Update::Service(view))),
            Object::EndpointSlice(view) => (false, Some(Update::Slice(*view))),
            Object::Node(view) => (resources.apply_node(&view), Some(Update::Node(*view))),
            Object::Namespace(view) => (
                resources.apply_namespace(view.name.clone()),
                Some(Update::Namespace(*view)),
            ),
        };
        self.stale |= stale;
        update
    }

    /// An object stands in the source that cannot be read at all.
    pub fn refuse(&mut self, object: ObjectRef, why: Diagnostic) {
        self.stale |= self.resources.refuse(object, why);
    }

    /// An object is gone.
    pub fn delete(&mut self, object: &ObjectRef) -> Option<Update> {
        let (namespace, name) = (object.namespace.as_str(), object.name.as_str());
        let resources = &mut self.resources;
        let (stale, update) = match object.kind.as_ref() {
            "IPAddressPool" => (
                resources.delete::<kind::IPAddressPool>(namespace, name),
                None,
            ),
            "BGPAdvertisement" => (
                resources.delete::<kind::BGPAdvertisement>(namespace, name),
                None,
            ),
            "L2Advertisement" => (
                resources.delete::<kind::L2Advertisement>(namespace, name),
                None,
            ),
            "BGPPeer" => (resources.delete::<kind::BGPPeer>(namespace, name), None),
            "BFDProfile" => (resources.delete::<kind::BFDProfile>(namespace, name), None),
            "Community" => (resources.delete::<kind::Community>(namespace, name), None),
            "Secret" => (resources.delete_secret(namespace, name), None),
            "Service" => {
                let key = ServiceKey::new(namespace, name);
                (false, Some(Update::ServiceGone(key)))
            }
            "EndpointSlice" => {
                let key = EndpointSliceKey::new(namespace, name);
                (false, Some(Update::SliceGone(key)))
            }
            "Node" => {
                let node = NodeName::from(name);
                (resources.delete_node(&node), Some(Update::NodeGone(node)))
            }
            "Namespace" => (
                resources.delete_namespace(name),
                Some(Update::NamespaceGone(name.to_owned())),
            ),
            _ => (false, None),
        };
        self.stale |= stale;
        update
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pool(addresses: &str, assigned: i64) -> Object {
        let pool = json!({
            "metadata": { "name": "a", "namespace": "metallb-system" },
            "spec": { "addresses": [addresses] },
            "status": { "assignedIPv4": assigned, "assignedIPv6": 0, "availableIPv4": 9, "availableIPv6": 0 },
        });
        Object::IPAddressPool(serde_json::from_value(pool).unwrap())
    }

    #[test]
    fn counters_of_a_pool_are_no_change_of_the_configuration() {
        let mut intake = Intake::new("metallb-system");
        intake.apply(pool("192.0.2.0/24", 1));
        assert!(intake.compile().is_some());
        intake.apply(pool("192.0.2.0/24", 2));
        assert!(!intake.stale, "compiled again for nothing");
        intake.apply(pool("198.51.100.0/24", 2));
        assert!(intake.compile().is_some());
    }
}
