// SPDX-License-Identifier: Apache-2.0
//! Addresses with several holders, rightly or wrongly, and addresses of refused pools.

use ferrolb_config::compiled::Refused;
use ferrolb_types::ObjectRef;

use super::*;

fn pair(first: ServiceView, second: ServiceView) -> Scene {
    let names = [first.key.name().to_owned(), second.key.name().to_owned()];
    let mut scene = Scene::iris(&[], plain(vec![l2(&[])], vec![bgp_ad(&[])]));
    scene.services = vec![first, second];
    scene.slices = names.iter().map(|name| slice(name, &["iris1"])).collect();
    scene
}

#[test]
fn case_34_sharers_have_one_owner() {
    let scene = pair(
        sharing(service("a", &["10.20.30.1"]), 80),
        sharing(service("b", &["10.20.30.1"]), 443),
    );
    assert_eq!(scene.owners("a"), ["iris2"]);
    assert_eq!(scene.owners("b"), ["iris2"]);
}

#[test]
fn case_43_an_address_is_answered_while_anyone_holds_it() {
    let scene = pair(
        sharing(service("foo", &["10.20.30.1", "2001:db8::1"]), 80),
        sharing(service("bar", &["10.20.30.1"]), 443),
    );
    let mut world = scene.world("iris2");
    drain(&mut world);
    world.delete_service(&key("foo"));
    let gone = drain(&mut world);
    let address = "2001:db8::1".parse().unwrap();
    assert_eq!(
        gone[0],
        Change::Layer2 {
            address,
            announce: None
        }
    );
    assert_eq!(world.addresses().count(), 1);
    world.delete_service(&key("bar"));
    assert_eq!(world.addresses().count(), 0);
}

/// A second address shared by Services whose first addresses elect different nodes.
fn entangled() -> Scene {
    pair(
        sharing(service("dual", &["10.20.30.1", "10.20.30.2"]), 80),
        sharing(service("single", &["10.20.30.2"]), 443),
    )
}

#[test]
fn tied_services_elect_one_node_once_all_speakers_are_ours() {
    let mut scene = entangled();
    assert_eq!(scene.owners("dual"), ["iris2"]);
    assert_eq!(scene.owners("single"), ["iris1"], "as MetalLB elects");
    let mut world = scene.world("iris1");
    scene.facts = vec![facts("iris1", &["eth0"]), facts("iris2", &["eth0"])];
    assert_eq!(scene.owners("dual"), ["iris2"]);
    assert_eq!(scene.owners("single"), ["iris2"]);
    scene
        .facts
        .iter()
        .for_each(|f| world.apply_facts(f.clone()));
    assert!(world.announced(&key("single")).layer2.is_none());
    world.delete_facts(&"iris2".into());
    assert!(world.announced(&key("single")).layer2.is_some());
}

#[test]
fn the_older_holder_of_a_doubled_address_is_announced_alone() {
    let mut older = service("old", &["10.20.30.1"]);
    older.created = Some(1);
    let mut newer = service("anew", &["10.20.30.1"]);
    newer.created = Some(2);
    let scene = pair(newer, older);
    assert_eq!(scene.owners("old"), ["iris2"]);
    assert!(scene.owners("anew").is_empty());
    let mut world = scene.world("iris2");
    let (layer2, bgp) = world.refusals(&key("anew"));
    let reason = Reason::Doubled(Box::new(("10.20.30.1".parse().unwrap(), key("old"))));
    assert_eq!(
        (layer2.as_ref(), bgp.as_ref()),
        (Some(&reason), Some(&reason))
    );
    world.delete_service(&key("old"));
    assert!(world.announced(&key("anew")).bgp.is_some());
    assert_consistent(&world, "iris2");
}

#[test]
fn refused_pools_are_not_stood_for() {
    let object = ObjectRef::new("IPAddressPool", "metallb-system", "web");
    let refused = Refused {
        diagnostics: Vec::new(),
        last_good_in_force: false,
        ranges: vec!["10.20.0.0/16".parse().unwrap()],
    };
    let config = Config {
        refused: [(object.clone(), refused)].into(),
        ..Config::default()
    };
    let scene = Scene::iris(&["iris1"], config);
    let mut world = scene.world("iris2");
    let reason = Reason::PoolRefused(Box::new(("10.20.30.1".parse().unwrap(), object)));
    assert_eq!(world.refusals(&key("web")).0, Some(reason));
    world.set_config(Arc::new(plain(vec![l2(&[])], vec![])));
    assert!(world.announced(&key("web")).layer2.is_some());
    assert_consistent(&world, "iris2");
}

#[test]
fn explanations_in_words() {
    let mut scene = pair(service("a", &["10.20.30.1"]), service("b", &["10.20.30.2"]));
    scene.facts = vec![facts("iris1", &["eth0"])];
    let world = scene.world("iris1");
    let explanation = world.explain(&key("a"));
    let text = explanation.render();
    let want = "Service default/a
  10.20.30.1: it lies in 10.0.0.0/8, spec.addresses[0] of the pool web
  layer 2 owner: iris2, by the smaller hash among equal scores
";
    assert!(text.starts_with(want), "{text}");
    let refusal = "    layer 2: no, FLB-N019 the node iris2 is elected, by the smaller hash among equal \
                   scores; nothing: one node announces an address in layer 2\n";
    assert!(text.contains(refusal), "{text}");
    assert!(
        text.contains("BGP: 10.20.30.1/32 to peer1 with no attributes of its own (bgp)"),
        "{text}"
    );
    let json = serde_json::to_value(&explanation).unwrap();
    assert_eq!(json["election"]["owner"]["node"], "iris2");
    assert_eq!(json["nodes"][0]["layer2"]["Err"]["code"], "FLB-N019");
    let nowhere = world.explain(&key("none")).render();
    assert!(nowhere.contains("FLB-N022"), "{nowhere}");
}

#[test]
fn a_refusal_as_a_diagnostic() {
    let reason = Reason::NotInPool("192.0.2.1".parse().unwrap());
    let protocol = reason::Protocol::Layer2;
    let line = reason
        .diagnostic(&key("web"), &"iris1".into(), protocol, None)
        .to_string();
    assert_eq!(
        line,
        "FLB-N003 Service default/web status.loadBalancer.ingress \"192.0.2.1\": the address lies in \
         no pool; add the address to an IPAddressPool, or clear the status"
    );
}
