// SPDX-License-Identifier: Apache-2.0
//! The configuration of a process that speaks no BGP: what asks for BGP is refused with one reason, object
//! by object, and everything else is as it was. What is good of it is remembered all the same.

use std::sync::Arc;

use ferrolb_api::resource::{BGPAdvertisement, BGPPeer};
use ferrolb_config::{
    Config, Resources,
    compiled::{AddressIndex, Pool, Refused},
    resources::Kind,
};
use ferrolb_types::{Diagnostic, ObjectRef};

/// The configuration without peers and BGP advertisements. `why` stands beside what else is wrong with
/// each of them.
pub(crate) fn without(config: &Config, resources: &Resources, why: &Diagnostic) -> Config {
    let mut config = config.clone();
    config.peers.clear();
    // It leads to the pools as they were.
    config.index = AddressIndex::default();
    for pool in config
        .pools
        .values_mut()
        .filter(|pool| !pool.bgp.is_empty())
    {
        *pool = Arc::new(Pool {
            bgp: Vec::new(),
            ..Pool::clone(pool)
        });
    }
    for object in references::<BGPPeer>(resources).chain(references::<BGPAdvertisement>(resources))
    {
        let refused = config.refused.entry(object.clone()).or_insert(Refused {
            diagnostics: Vec::new(),
            last_good_in_force: false,
            ranges: Vec::new(),
        });
        refused.last_good_in_force = false;
        refused.diagnostics.push(Diagnostic {
            object,
            ..why.clone()
        });
    }
    config
}

fn references<K: Kind>(resources: &Resources) -> impl Iterator<Item = ObjectRef> {
    K::all(resources).values().map(|object| object.reference())
}

#[cfg(test)]
mod tests {
    use ferrolb_config::Compiler;
    use ferrolb_types::codes;
    use serde_json::json;

    use super::*;

    fn resources() -> Resources {
        let read = |value: serde_json::Value| value.to_string();
        let meta = |name: &str| json!({ "name": name, "namespace": "metallb-system" });
        let mut resources = Resources::new("metallb-system");
        let pool = json!({ "metadata": meta("p"), "spec": { "addresses": ["192.0.2.0/24"] } });
        resources.apply(
            serde_json::from_str::<ferrolb_api::resource::IPAddressPool>(&read(pool)).unwrap(),
        );
        let peer = |name: &str, asn: u32| {
            let spec = json!({ "myASN": asn, "peerASN": 64500, "peerAddress": "192.0.2.1" });
            read(json!({ "metadata": meta(name), "spec": spec }))
        };
        resources.apply(serde_json::from_str::<BGPPeer>(&peer("good", 64501)).unwrap());
        resources.apply(serde_json::from_str::<BGPPeer>(&peer("bad", 0)).unwrap());
        let ad = json!({ "metadata": meta("all"), "spec": {} });
        resources.apply(serde_json::from_str::<BGPAdvertisement>(&read(ad.clone())).unwrap());
        resources.apply(
            serde_json::from_str::<ferrolb_api::resource::L2Advertisement>(&read(ad)).unwrap(),
        );
        resources
    }

    #[test]
    fn what_asks_for_bgp_is_refused_and_layer_2_stays() {
        let resources = resources();
        let whole = Compiler::new().compile(&resources);
        let address = "192.0.2.7".parse().unwrap();
        let pool = |config: &Config| config.pool_of(address).cloned().unwrap();
        assert_eq!((pool(&whole).bgp.len(), pool(&whole).l2.len()), (1, 1));
        let object = ObjectRef::new("variable", "", "METALLB_BGP_TYPE");
        let why = Diagnostic::error(codes::command::X011, object, "no", "unset it");
        let config = without(&whole, &resources, &why);
        assert_eq!((pool(&config).bgp.len(), pool(&config).l2.len()), (0, 1));
        assert!(config.peers.is_empty());
        let told: Vec<String> = config
            .diagnostics()
            .filter(|one| one.code == codes::command::X011)
            .map(|one| one.object.to_string())
            .collect();
        assert_eq!(
            told,
            [
                "BGPAdvertisement metallb-system/all",
                "BGPPeer metallb-system/bad",
                "BGPPeer metallb-system/good"
            ]
        );
        let others = config.diagnostics().count() - told.len();
        assert!(others > 0, "what else is wrong is told too");
    }
}
