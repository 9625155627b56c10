// SPDX-License-Identifier: Apache-2.0
//! Two objects of which the older counts on the nodes of both, and the younger elsewhere.

use super::*;

/// Nodes of `rack: a` have an older peer and advertisement, nodes of `zone: edge` younger ones.
fn scene() -> Scene {
    let picky = |name: &str, (label, value): (&str, &str)| Peer {
        nodes: AnyOf(vec![any_of(label, &[value])]),
        ..peer(name, "192.0.2.1")
    };
    let ad = |name: &str, pref, (label, value): (&str, &str)| BgpAdvertisement {
        name: name.into(),
        nodes: AnyOf(vec![any_of(label, &[value])]),
        local_pref: Some(pref),
        ..bgp_ad(&[])
    };
    let (rack, zone) = (("rack", "a"), ("zone", "edge"));
    let ads = vec![ad("low", 1, rack), ad("high", 2, zone)];
    let pools = vec![pool("web", &["10.0.0.0/8"], vec![], ads)];
    let mut config = config(pools, vec![picky("old", rack), picky("young", zone)]);
    config
        .older_peers
        .insert("young".into(), vec!["old".into()]);
    let mut scene = Scene::iris(&["iris1"], config);
    scene.nodes = vec![node("iris1", &[zone]), node("iris2", &[zone])];
    scene
}

fn both() -> NodeView {
    node("iris1", &[("zone", "edge"), ("rack", "a")])
}

/// The peers and LOCAL_PREFs of a node.
fn told(world: &World) -> String {
    let peers: Vec<_> = world.peers().map(|peer| peer.name.as_str()).collect();
    let routes = world.routes().map(|(prefix, targets)| {
        let attributes = world
            .peers()
            .find_map(|peer| targets.for_peer(&peer.name)?.local_pref);
        format!("{prefix} {}", attributes.unwrap_or_default())
    });
    format!(
        "{}; {}",
        peers.join(" "),
        routes.collect::<Vec<_>>().join(" ")
    )
}

#[test]
fn a_label_of_one_node_changes_nothing_on_another() {
    let scene = scene();
    let (mut here, mut there) = (scene.world("iris1"), scene.world("iris2"));
    drain(&mut here);
    drain(&mut there);
    assert_eq!(told(&here), "young; 10.20.30.1/32 2");
    here.apply_node(both());
    there.apply_node(both());
    assert_eq!(drain(&mut there), []);
    assert_eq!(told(&there), "young; 10.20.30.1/32 2");
    assert_eq!(drain(&mut here)[0], Change::PeerDown("young".into()));
    assert_eq!(told(&here), "old; 10.20.30.1/32 1");
    assert_consistent(&here, "iris1");
    here.apply_node(node("iris1", &[("zone", "edge")]));
    assert_eq!(drain(&mut here)[0], Change::PeerDown("old".into()));
    assert_eq!(told(&here), "young; 10.20.30.1/32 2");
}

/// A peer that becomes the older one of others somewhere is no change to their sessions.
#[test]
fn an_older_peer_that_goes_leaves_the_younger_ones_session() {
    let scene = scene();
    let mut world = scene.world("iris2");
    drain(&mut world);
    let mut without = Config::clone(&scene.config);
    without.peers.remove("old");
    without.older_peers.clear();
    world.set_config(Arc::new(without));
    assert_eq!(drain(&mut world), []);
}

#[test]
fn what_is_overruled_is_explained_on_the_node() {
    let mut scene = scene();
    scene.nodes[0] = both();
    // Whoever asks hears the same of every node.
    for asked in ["iris1", "iris2"] {
        let text = scene.world(asked).explain(&key("web")).render();
        let of_bgp: Vec<&str> = text
            .lines()
            .filter(|line| line.starts_with("  node ") || line.starts_with("    BGP"))
            .collect();
        let want = [
            "  node iris1",
            "    BGP: 10.20.30.1/32 to old with no attributes of its own (low)",
            "    BGP: FLB-A008 the BGPAdvertisement high has no effect here, as the older low gives the pool \
             web the localPref 1 and not 2; make localPref equal, or give them nodeSelectors without a common node",
            "    BGP: FLB-B060 the BGPPeer young has no effect here, as the older old speaks with the same \
             router; remove one of the two, or give them nodeSelectors without a common node",
            "  node iris2",
            "    BGP: 10.20.30.1/32 to young with no attributes of its own (high)",
        ];
        assert_eq!(of_bgp, want);
    }
}
