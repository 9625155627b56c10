// SPDX-License-Identifier: Apache-2.0
//! Cases of the behaviour reference on restarts, changing pools, counters and classes, named by their
//! numbers, and what the engine makes of statuses it did not write.

use std::sync::Arc;

use ferrolb_api::view::{Protocol::Tcp, ServiceType};

use super::build::*;
use crate::{Engine, Kind, Options};

#[test]
fn case_70_restarts() {
    let pools = config([pool("p", "10.0.0.1/32"), pool("q", "10.0.0.2/32")]);
    let mut cluster = Cluster::new(&pools);
    // The ones that wait are older and come first by name.
    for (name, age) in [("y", 5), ("z", 6), ("a", 1), ("b", 2)] {
        cluster.put(svc(name).created(age));
    }
    for _ in 0..5 {
        cluster = cluster.restart(&pools);
        let held: Vec<_> = ["y", "z", "a", "b"].map(|name| cluster.status(name)).into();
        assert_eq!(held, ["10.0.0.1 @p", "10.0.0.2 @q", "", ""]);
        assert_eq!(cluster.writes(), 0);
    }
}

#[test]
fn cases_71_to_76_changed_pools() {
    let before = config([pool("p", "1.2.3.0/30")]);
    let table: &[(u32, ferrolb_config::Config, &str)] = &[
        (
            71,
            config([pool("q", "5.6.7.0/30")]),
            "5.6.7.0 @q | 5.6.7.1 @q",
        ),
        (72, config([]), " | "),
        (
            73,
            config([pool("q", "1.2.3.0/30")]),
            "1.2.3.0 @q | 1.2.3.1 @q",
        ),
        (
            74,
            config([pool("q", "1.2.3.1/32"), pool("r", "1.2.3.0/32 1.2.3.2/31")]),
            "1.2.3.0 @r | 1.2.3.1 @q",
        ),
        (
            75,
            config([pool("p", "1.2.3.1/32 1.2.3.2/31")]),
            "1.2.3.2 @p | 1.2.3.1 @p",
        ),
        (
            76,
            config([careful(pool("p", "1.2.3.0/30"))]),
            "1.2.3.2 @p | 1.2.3.1 @p",
        ),
    ];
    for (number, after, want) in table {
        let mut cluster = Cluster::new(&before);
        cluster.put(svc("a"));
        cluster.put(svc("b"));
        cluster.configure(after);
        let got = format!("{} | {}", cluster.status("a"), cluster.status("b"));
        assert_eq!(got, *want, "case {number}");
    }
}

#[test]
fn cases_77_and_78_addresses_some_clients_refuse() {
    for (range, usable) in [("1.2.4.0/31", "1.2.4.1"), ("1.2.4.254/31", "1.2.4.254")] {
        let mut cluster = Cluster::new(&config([careful(pool("p", range))]));
        cluster.put(svc("a"));
        cluster.put(svc("b"));
        assert_eq!(cluster.status("a"), format!("{usable} @p"), "case 77");
        assert_eq!(cluster.status("b"), "", "case 77");
    }
    let mut cluster = Cluster::new(&config([careful(pool("p", "1.2.4.0/24 fd00::/120"))]));
    for (name, request, status) in [
        ("a", "1.2.4.0", ""),
        ("b", "1.2.4.255", ""),
        ("c", "fd00::", "fd00:: @p"),
        ("d", "fd00::ff", "fd00::ff @p"),
    ] {
        let families = if request.contains(':') { "6" } else { "4" };
        cluster.put(svc(name).cluster(families).ips(request));
        assert_eq!(cluster.status(name), status, "case 78");
    }
}

#[test]
fn case_79_a_manual_pool_is_never_used_unasked() {
    let pools = config([manual(pool("m", "10.0.0.1/32")), pool("p", "10.0.0.2/32")]);
    let mut cluster = Cluster::new(&pools);
    cluster.put(svc("a"));
    cluster.events();
    cluster.put(svc("b"));
    assert_eq!(cluster.status("b"), "");
    assert_eq!(cluster.events(), "W:AllocationFailed");
}

fn counts(cluster: &Cluster, pool: &str) -> [i64; 6] {
    let counters = cluster.engine.allocator().counters(&pool.into()).unwrap();
    let (v4, v6) = (counters.ipv4, counters.ipv6);
    [
        v4.capacity,
        v4.available,
        v4.assigned,
        v6.capacity,
        v6.available,
        v6.assigned,
    ]
}

#[test]
fn cases_80_and_81_addresses_in_use() {
    let mut cluster = Cluster::new(&config([pool("p", "192.168.10.0/30 fc00::/126")]));
    assert_eq!(counts(&cluster, "p"), [4, 4, 0, 4, 4, 0]);
    cluster.put(svc("s").cluster("46").require());
    assert_eq!(counts(&cluster, "p"), [4, 3, 1, 4, 3, 1]);
    cluster.delete("s");
    assert_eq!(counts(&cluster, "p"), [4, 4, 0, 4, 4, 0], "case 80");
    for (name, port) in [("a", 1), ("b", 2), ("c", 3)] {
        cluster.put(svc(name).share("k").port(Tcp, port));
        assert_eq!(counts(&cluster, "p")[2], 1, "case 81");
    }
    for (name, left) in [("b", 1), ("a", 1), ("c", 0)] {
        cluster.delete(name);
        assert_eq!(counts(&cluster, "p")[2], left, "case 81");
    }
}

#[test]
fn cases_82_to_84_capacities() {
    let two = || pool("p", "1.2.3.0/24 1.2.4.128/25");
    let large = careful(pool("p", "1.2.3.0/24 1.2.4.128/25 1000::/64"));
    let small = careful(pool("p", "1.2.3.0/31 1000::/127"));
    let max = i64::MAX;
    for (number, pool, total, v4, v6) in [
        (82, two(), 384, 384, 0),
        (82, careful(two()), 381, 381, 0),
        (83, large, max, 381, max),
        (84, small, 3, 1, 2),
    ] {
        let cluster = Cluster::new(&config([pool]));
        let counters = cluster.engine.allocator().counters(&"p".into()).unwrap();
        let capacity = (
            counters.total().capacity,
            counters.ipv4.capacity,
            counters.ipv6.capacity,
        );
        assert_eq!(capacity, (total, v4, v6), "case {number}");
    }
}

#[test]
fn case_85_classes() {
    for (ours, theirs, handled) in [
        ("", "", true),
        ("", "x", false),
        ("x", "", false),
        ("x", "x", true),
        ("x", "y", false),
    ] {
        let options = Options {
            lb_class: (!ours.is_empty()).then(|| ours.to_owned()),
            ..Options::default()
        };
        let cluster = Cluster::with(options, &fixture(), [svc("s").class(theirs).0], []);
        assert_eq!(
            !cluster.status("s").is_empty(),
            handled,
            "{ours:?} {theirs:?}"
        );
    }
}

#[test]
fn a_service_that_leaves_its_class_frees_its_address() {
    let options = Options {
        lb_class: Some("x".into()),
        ..Options::default()
    };
    let mut cluster = Cluster::with(options, &config([pool("p", "10.0.0.1/32")]), [], []);
    cluster.put(svc("a").class("x"));
    cluster.put(svc("b").class("x"));
    cluster.edit(svc("a").kind(ServiceType::ClusterIp));
    assert_eq!(cluster.status("a"), "");
    assert_eq!(cluster.status("b"), "10.0.0.1 @p");
}

#[test]
fn a_refused_pool_keeps_its_holders_and_gives_nothing_new() {
    let good = config([pool("p", "10.0.0.0/30")]);
    let mut cluster = Cluster::new(&good);
    cluster.put(svc("a"));
    cluster.put(svc("v6").cluster("6"));
    let broken = refused(config([]), "p", "10.0.0.0/30");
    cluster.configure(&broken);
    assert_eq!(cluster.status("a"), "10.0.0.0 @p");
    cluster.put(svc("b"));
    cluster.put(svc("c").ips("10.0.0.2"));
    assert_eq!(
        (cluster.status("b"), cluster.status("c")),
        (String::new(), String::new())
    );

    cluster = cluster.restart(&broken);
    assert_eq!(cluster.status("a"), "10.0.0.0 @p");
    let unreadable = refused(config([]), "p", "");
    cluster = cluster.restart(&unreadable);
    assert_eq!(cluster.status("a"), "10.0.0.0 @p");
    assert_eq!(cluster.writes(), 0);
    cluster.configure(&good);
    assert_eq!(cluster.status("a"), "10.0.0.0 @p");
    assert_eq!(cluster.status("c"), "10.0.0.2 @p");
    assert_eq!(cluster.status("b"), "10.0.0.1 @p");
}

#[test]
fn of_two_holders_the_older_keeps_the_address() {
    let pools = config([pool("p", "10.0.0.0/30")]);
    let doubled = |name, age| svc(name).created(age).status("10.0.0.0", "p").0;
    let services = [doubled("a", 9), doubled("b", 1), svc("0").created(0).0];
    let mut cluster = Cluster::with(Options::default(), &pools, services, []);
    assert_eq!(cluster.status("b"), "10.0.0.0 @p");
    assert_eq!(cluster.status("0"), "10.0.0.1 @p");
    assert_eq!(cluster.status("a"), "10.0.0.2 @p");
    assert_eq!(cluster.events(), "IPAllocated ClearAssignment IPAllocated");
}

#[test]
fn a_status_edited_by_somebody_else() {
    let mut cluster = Cluster::new(&config([pool("p", "10.0.0.0/29")]));
    cluster.put(svc("z"));
    cluster.put(svc("a").ips("10.0.0.3"));
    cluster.edit(svc("a"));
    assert_eq!(
        cluster.status("a"),
        "10.0.0.3 @p",
        "a removed request costs nothing"
    );
    cluster.put(svc("a").status("10.0.0.5", "p"));
    assert_eq!(cluster.status("a"), "10.0.0.5 @p", "free: adopted");
    cluster.put(svc("a").status("10.0.0.0", "p"));
    assert_eq!(cluster.status("a"), "10.0.0.1 @p", "occupied: moved");
    cluster.put(svc("a").status("10.0.0.4", "p"));
    cluster.put(svc("a"));
    assert_eq!(cluster.status("a"), "10.0.0.1 @p", "wiped: first free");
    cluster.put(svc("a").status("10.0.0.1", "other"));
    assert_eq!(cluster.status("a"), "10.0.0.1 @p", "annotation put right");
}

#[test]
fn late_and_repeated_echoes_change_nothing() {
    let mut engine = Engine::new(Options::default());
    engine.set_config(&config([pool("p", "10.0.0.0/29")]));
    engine.synced(Kind::Services);
    engine.synced(Kind::Namespaces);
    let show = |engine: &mut Engine, svc: Svc| {
        engine.apply_service(Arc::new(svc.0));
        let mut out = Vec::new();
        while let Some(output) = engine.poll() {
            out.extend(output.outcome.ingress);
        }
        out
    };
    assert_eq!(show(&mut engine, svc("s")), [ip("10.0.0.0")]);
    let moved = || svc("s").ips("10.0.0.4");
    assert_eq!(show(&mut engine, moved()), [ip("10.0.0.4")]);
    let none: [std::net::IpAddr; 0] = [];
    assert_eq!(show(&mut engine, moved().status("10.0.0.0", "p")), none);
    assert_eq!(show(&mut engine, moved().status("10.0.0.4", "p")), none);
    assert_eq!(show(&mut engine, moved().status("10.0.0.4", "p")), none);
    let label = moved().status("10.0.0.4", "p").team("x");
    assert_eq!(show(&mut engine, label), none);
}

#[test]
fn without_an_api_server_the_families_are_implied() {
    let options = || Options {
        implied_cluster_ips: true,
        ..Options::default()
    };
    let pools = config([pool("p", "10.0.0.0/30 fd00::/126")]);
    let table = [
        (svc("s"), "10.0.0.0 @p"),
        (svc("s").v6_first(), "fd00:: @p"),
        (svc("s").prefer(), "10.0.0.0 fd00:: @p"),
        (svc("s").require(), "10.0.0.0 fd00:: @p"),
        (svc("s").ips("fd00::2"), "fd00::2 @p"),
        (svc("s").ips("fd00::2,10.0.0.2"), "10.0.0.2 fd00::2 @p"),
    ];
    for (service, status) in table {
        let service = service.cluster("");
        let cluster = Cluster::with(options(), &pools, [service.0], []);
        assert_eq!(cluster.status("s"), status);
    }
}

#[test]
fn an_address_freed_among_many_that_wait_concerns_one() {
    let mut cluster = Cluster::new(&config([
        pool("p", "10.0.0.1/32"),
        pinned(pool("q", "10.0.1.1/32"), "elsewhere", "", 1),
    ]));
    cluster.put(svc("first"));
    cluster.put(svc("elsewhere/x"));
    for n in 0..500 {
        cluster.put(svc(&format!("w{n}")).created(n));
    }
    let before = cluster.engine.convergences();
    cluster.delete("first");
    cluster.delete("elsewhere/x");
    assert_eq!(cluster.status("w0"), "10.0.0.1 @p");
    assert_eq!(cluster.engine.convergences() - before, 1);
}
