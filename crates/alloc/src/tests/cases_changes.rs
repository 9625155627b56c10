// SPDX-License-Identifier: Apache-2.0
//! Cases of the behaviour reference in which Services and who may hold what change, named by their numbers.

use std::sync::Arc;

use ferrolb_api::view::{
    Protocol::{Tcp, Udp},
    ServiceType,
};
use ferrolb_config::compiled::Pinning;

use super::build::*;
use crate::{Engine, Kind, Options};

#[test]
fn case_13_frees_the_old_address() {
    let mut cluster = Cluster::new(&fixture());
    cluster.put(svc("a"));
    cluster.put(svc("b").ips("1.2.3.0"));
    assert_eq!(cluster.status("b"), "");
    cluster.edit(svc("a").from("p2"));
    assert_eq!(cluster.status("a"), "3.4.5.6 @p2");
    assert_eq!(cluster.status("b"), "1.2.3.0 @p1");
}

#[test]
fn case_27_no_pools_clears_without_an_event() {
    let mut cluster = Cluster::new(&fixture());
    cluster.put(svc("s"));
    cluster.events();
    cluster.configure(&config([]));
    assert_eq!(
        (cluster.status("s").as_str(), cluster.events().as_str()),
        ("", "")
    );
}

#[test]
fn case_28_nothing_happens_before_everything_is_known() {
    let mut engine = Engine::new(Options::default());
    engine.apply_service(Arc::new(svc("s").0));
    engine.synced(Kind::Services);
    engine.synced(Kind::Namespaces);
    assert_eq!(engine.poll(), None);
    engine.set_config(&fixture());
    assert!(engine.poll().is_some());
    assert_eq!(engine.poll(), None);

    let mut engine = Engine::new(Options::default());
    engine.set_config(&fixture());
    engine.apply_service(Arc::new(svc("s").0));
    engine.synced(Kind::Namespaces);
    assert_eq!(engine.poll(), None);
    engine.synced(Kind::Services);
    assert!(engine.poll().is_some());
}

#[test]
fn cases_33_and_34_priorities() {
    let mut cluster = Cluster::new(&config([
        pinned(pool("a", "10.0.0.1/32"), "ns", "", 0),
        pinned(pool("b", "10.0.0.2/32"), "ns", "", 20),
        pinned(pool("c", "10.0.0.3/32"), "ns", "", 10),
    ]));
    for (name, status) in [
        ("1", "10.0.0.3 @c"),
        ("2", "10.0.0.2 @b"),
        ("3", "10.0.0.1 @a"),
    ] {
        let name = format!("ns/{name}");
        cluster.put(svc(&name));
        assert_eq!(cluster.status(&name), status);
    }
    let mut cluster = Cluster::new(&config([
        pinned(pool("a", "10.0.0.1/32"), "", "", 20),
        pinned(pool("b", "10.0.0.2/32"), "", "", 10),
    ]));
    cluster.put(svc("s"));
    assert_eq!(cluster.status("s"), "10.0.0.2 @b");
}

#[test]
fn case_35_a_label_added_to_the_namespace() {
    let mut selected = pool("selected", "10.0.0.1/32");
    selected.pinning = Some(Pinning {
        namespace_selectors: vec![label("stage", "prod")],
        ..Pinning::default()
    });
    let mut cluster = Cluster::new(&config([selected, pool("default", "10.0.1.1/32")]));
    cluster.put(svc("ns/old"));
    cluster.put(svc("ns/waits"));
    assert_eq!(cluster.status("ns/old"), "10.0.1.1 @default");
    assert_eq!(cluster.status("ns/waits"), "");
    cluster.namespace("ns", &[("stage", "prod")]);
    assert_eq!(cluster.status("ns/old"), "10.0.1.1 @default");
    assert_eq!(cluster.status("ns/waits"), "10.0.0.1 @selected");
    cluster.namespace("ns", &[]);
    assert_eq!(cluster.status("ns/waits"), "");
}

#[test]
fn case_38_a_full_pinned_pool() {
    let mut cluster = Cluster::new(&config([
        pinned(pool("a", "10.0.0.1/32"), "ns", "", 1),
        pool("b", "10.0.0.2/32"),
    ]));
    cluster.put(svc("ns/1"));
    cluster.put(svc("ns/2"));
    assert_eq!(cluster.status("ns/2"), "10.0.0.2 @b");
}

#[test]
fn case_39_a_pinned_single_stack_pool_beats_a_dual_one() {
    let mut cluster = Cluster::new(&config([
        pinned(pool("a", "10.0.0.1/32"), "ns", "", 1),
        pool("b", "10.0.0.2/32 fd00::2/128"),
    ]));
    cluster.put(svc("ns/s").cluster("46").prefer());
    assert_eq!(cluster.status("ns/s"), "10.0.0.1 @a");
}

#[test]
fn case_40_the_pool_no_longer_matches() {
    let mut cluster = Cluster::new(&fixture());
    cluster.put(svc("s").team("metallb"));
    cluster.events();
    cluster.edit(svc("s").team("other"));
    assert_eq!(cluster.status("s"), "1.2.3.0 @p1");
    assert_eq!(cluster.events(), "ClearAssignment IPAllocated");
}

#[test]
fn case_53_the_primary_family() {
    let pools = config([pool("a", "10.0.0.1/32"), pool("b", "fd00::1/128")]);
    let dual = || svc("s").cluster("46").prefer();
    for (service, status) in [(dual(), "10.0.0.1 @a"), (dual().v6_first(), "fd00::1 @b")] {
        let mut cluster = Cluster::new(&pools);
        cluster.put(service);
        assert_eq!(cluster.status("s"), status);
    }
}

#[test]
fn cases_54_to_56_pools_that_gain_or_lose_a_family() {
    let mut cluster = Cluster::new(&config([pool("x", "10.0.0.1/32")]));
    cluster.put(svc("s").cluster("46").prefer());
    let both = pool("x", "10.0.0.1/32 fd00::1/128");
    let other = pool("y", "10.0.1.1/32 fd00::1:1/128");

    cluster.configure(&config([pool("x", "10.0.0.1/32"), other.clone()]));
    assert_eq!(cluster.status("s"), "10.0.0.1 @x", "case 55");
    cluster.configure(&config([both, other.clone()]));
    assert_eq!(cluster.status("s"), "10.0.0.1 fd00::1 @x", "case 54");
    cluster.configure(&config([pool("x", "fd00::1/128"), other]));
    assert_eq!(cluster.status("s"), "10.0.1.1 fd00::1:1 @y", "case 56");
}

#[test]
fn case_57_requiring_both_families_and_back() {
    let mut cluster = Cluster::new(&config([pool("x", "10.0.0.1/32")]));
    cluster.put(svc("s").cluster("46").prefer());
    cluster.edit(svc("s").cluster("46").require());
    assert_eq!(cluster.status("s"), "");
    cluster.edit(svc("s").cluster("46").prefer());
    assert_eq!(cluster.status("s"), "10.0.0.1 @x");
}

#[test]
fn cases_58_to_63_who_may_share() {
    let a = || svc("a").share("share").ips("1.2.4.3");
    let b = || svc("b").share("share").ips("1.2.4.3").port(Tcp, 443);
    let table = [
        (58, a(), b(), true),
        (59, a(), b().port(Tcp, 80), false),
        (60, a(), b().port(Udp, 80), true),
        (61, a(), b().share("other"), false),
        (61, a(), b().share(""), false),
        (61, a().share(""), b().share(""), false),
        (62, a().local("b"), b().local("c"), false),
        (62, a().local("b"), b().local("b"), true),
        (63, a(), b().local("b"), false),
    ];
    for (number, a, b, shares) in table {
        let mut cluster = Cluster::new(&config([careful(pool("p", "1.2.4.0/24"))]));
        cluster.put(a);
        cluster.put(b);
        assert_eq!(cluster.status("a"), "1.2.4.3 @p", "case {number}");
        let status = if shares { "1.2.4.3 @p" } else { "" };
        assert_eq!(cluster.status("b"), status, "case {number}");
    }
}

#[test]
fn cases_64_and_65_changed_terms() {
    let mut cluster = Cluster::new(&config([careful(pool("p", "1.2.4.0/24"))]));
    cluster.put(svc("a").share("k1"));
    cluster.edit(svc("a").share("k2"));
    assert_eq!(cluster.status("a"), "1.2.4.1 @p");
    cluster.put(svc("b").share("k2").port(Tcp, 443));
    assert_eq!(cluster.status("b"), "1.2.4.1 @p");
    cluster.events();
    cluster.edit(svc("a").share("k3"));
    assert_eq!(cluster.status("a"), "1.2.4.2 @p");
    assert_eq!(cluster.status("b"), "1.2.4.1 @p");
    assert_eq!(cluster.events(), "ClearAssignment IPAllocated");
    cluster.edit(svc("b").share("k2").port(Tcp, 443).local("x"));
    assert_eq!(
        cluster.status("b"),
        "1.2.4.1 @p",
        "alone, it may change in place"
    );
}

#[test]
fn cases_66_and_67_sharing_regained() {
    let mut cluster = Cluster::new(&config([pool("p", "1.2.4.1/32")]));
    let a = || svc("a").share("k");
    let b = || svc("b").share("k").port(Tcp, 443);
    let status = |cluster: &Cluster| (cluster.status("a"), cluster.status("b"));
    let both = || ("1.2.4.1 @p".to_owned(), "1.2.4.1 @p".to_owned());
    cluster.put(a());
    cluster.put(b());
    assert_eq!(status(&cluster), both());
    cluster.edit(b().local("x"));
    assert_eq!(cluster.status("b"), "");
    cluster.edit(a().local("x"));
    assert_eq!(status(&cluster), both(), "case 66");
    cluster.edit(a().local("y"));
    assert_eq!(cluster.status("a"), "");
    cluster.edit(b().local("y"));
    assert_eq!(status(&cluster), both(), "case 67");
}

#[test]
fn case_68_the_first_usable_address() {
    let mut cluster = Cluster::new(&config([pool("p", "10.0.0.0/30")]));
    cluster.put(svc("a").ips("10.0.0.0"));
    cluster.put(svc("b").share("k").ips("10.0.0.2"));
    cluster.put(svc("c").share("k").port(Tcp, 443));
    assert_eq!(cluster.status("c"), "10.0.0.1 @p");
    cluster.put(svc("d").share("k").port(Tcp, 444));
    assert_eq!(cluster.status("d"), "10.0.0.1 @p");
}

#[test]
fn case_69_a_freed_address_is_given_at_once() {
    for leave in [true, false] {
        let mut cluster = Cluster::new(&config([pool("p", "10.0.0.1/32")]));
        cluster.put(svc("a"));
        cluster.put(svc("b"));
        assert_eq!(cluster.status("b"), "");
        if leave {
            cluster.delete("a");
        } else {
            cluster.edit(svc("a").kind(ServiceType::ClusterIp));
            assert_eq!(cluster.status("a"), "");
        }
        assert_eq!(cluster.status("b"), "10.0.0.1 @p");
    }
}

#[test]
fn a_second_family_comes_when_it_is_freed_in_the_own_pool() {
    let mut cluster = Cluster::new(&config([pool("p", "10.0.0.0/31 fd00::1/128")]));
    cluster.put(svc("a").cluster("6"));
    cluster.put(svc("b").cluster("46").prefer());
    assert_eq!(cluster.status("b"), "10.0.0.0 @p");
    cluster.delete("a");
    assert_eq!(cluster.status("b"), "10.0.0.0 fd00::1 @p");
}

#[test]
fn a_pair_of_a_free_and_a_shared_address_is_noticed_whichever_comes_last() {
    for (sharer, holder) in [("6", "4"), ("4", "6")] {
        let mut cluster = Cluster::new(&config([pool("p", "10.0.0.1/32 fd00::1/128")]));
        cluster.put(svc("shares").cluster(sharer).share("k"));
        cluster.put(svc("holds").cluster(holder));
        let waits = svc("waits").cluster("46").require().share("k");
        cluster.put(waits.port(Tcp, 443));
        assert_eq!(cluster.status("waits"), "");
        cluster.delete("holds");
        assert_eq!(cluster.status("waits"), "10.0.0.1 fd00::1 @p");
    }
}
