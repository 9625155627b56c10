// SPDX-License-Identifier: Apache-2.0
//! Cases 1 to 57 of the behaviour reference where one Service meets fixture F: a table by number.

use ferrolb_api::view::ServiceType::{ClusterIp, NodePort};

use super::build::*;

/// Number, Service, status and annotation afterwards, Events.
type Case = (u32, Svc, &'static str, &'static str);

const FAILED: &str = "W:AllocationFailed";
const GOT: &str = "IPAllocated";

fn check(cases: Vec<Case>) {
    for (number, service, status, events) in cases {
        let name = service.0.key.to_string();
        let mut cluster = Cluster::new(&fixture());
        cluster.put(service.clone());
        assert_eq!(cluster.status(&name), status, "status of case {number}");
        assert_eq!(cluster.events(), events, "events of case {number}");
        let booked = cluster.engine.held().count();
        assert_eq!(
            booked,
            usize::from(!status.is_empty()),
            "bookings of case {number}"
        );
        cluster.writes();
        let mut again = cluster.restart(&fixture());
        assert_eq!(
            again.status(&name),
            status,
            "after a restart, case {number}"
        );
        assert_eq!(again.writes(), 0, "writes of a second pass, case {number}");
    }
}

#[test]
fn cases_1_to_14_requests() {
    check(vec![
        (1, svc("s").kind(ClusterIp), "", ""),
        (2, svc("s"), "1.2.3.0 @p1", GOT),
        (3, svc("s").field("1.2.3.1"), "1.2.3.1 @p1", GOT),
        (4, svc("s").ips("1.2.3.1"), "1.2.3.1 @p1", GOT),
        (5, svc("s").ips("1.2.3.1").field("1.2.3.1"), "", FAILED),
        (6, svc("s").field("not an ip"), "", FAILED),
        (
            7,
            svc("s").status("1.2.3.0", "p1").ips("1.2.3.0,"),
            "1.2.3.0 @p1",
            "W:LoadBalancerFailed",
        ),
        (8, svc("s").ips("1.2.3.0,1.2.3.1"), "", FAILED),
        (9, svc("s").field("3.4.5.6"), "3.4.5.6 @p2", GOT),
        (
            10,
            svc("s").status("1.2.3.1", "p1").field("9.9.9.9"),
            "",
            FAILED,
        ),
        (11, svc("s").ips("1.2.3.1").from("p2"), "", FAILED),
        (12, svc("s").from("p2"), "3.4.5.6 @p2", GOT),
        (
            13,
            svc("s").status("1.2.3.0", "p1").from("p2"),
            "3.4.5.6 @p2",
            GOT,
        ),
        (14, svc("s").from("does-not-exist"), "", FAILED),
    ]);
}

#[test]
fn cases_15_to_26_annotations_and_families() {
    let legacy = "metallb.universe.tf/address-pool";
    check(vec![
        (
            15,
            svc("s").from("p2").legacy(legacy),
            "3.4.5.6 @p2",
            "IPAllocated W:deprecatedAnnotation",
        ),
        (
            16,
            svc("s").from("").legacy(legacy),
            "1.2.3.0 @p1",
            "IPAllocated W:deprecatedAnnotation",
        ),
        (
            17,
            svc("s").status("2.3.4.5", "gone"),
            "1.2.3.0 @p1",
            "ClearAssignment IPAllocated",
        ),
        (
            18,
            svc("s").status("foo.example 10.10.10.10", ""),
            "1.2.3.0 @p1",
            "ClearAssignment IPAllocated",
        ),
        (19, svc("s").status("1.2.3.0", "p1").kind(NodePort), "", ""),
        (20, svc("s").cluster(""), "", ""),
        (
            21,
            svc("s").status("1.2.3.0 1.2.3.1 1.2.4.0", "p1"),
            "1.2.3.0 @p1",
            "W:nolbIPsIPFamily IPAllocated",
        ),
        (22, svc("s").cluster("6").field("1.2.3.1"), "", FAILED),
        (23, svc("s").ips("1000::"), "", FAILED),
        (24, svc("s").status("1000::", "p3"), "1.2.3.0 @p1", GOT),
        (
            25,
            svc("s").cluster("6").status("1.2.3.0", "p1"),
            "1000:: @p3",
            GOT,
        ),
        (26, svc("s").cluster("n"), "", FAILED),
        (
            26,
            svc("s").cluster("n").status("1.2.3.0", "p1"),
            "1.2.3.0 @p1",
            "W:noclusterIPsIPFamily",
        ),
    ]);
}

#[test]
fn cases_29_to_37_pinning() {
    check(vec![
        (29, svc("test-ns1/s"), "7.8.9.0 @n10", GOT),
        (30, svc("test-ns2/s"), "16.17.18.0 @n2", GOT),
        (31, svc("s").team("metallb"), "19.20.21.0 @l8", GOT),
        (32, svc("test-ns1/s").team("metallb"), "25.26.27.0 @b5", GOT),
        (36, svc("s").ips("7.8.9.0"), "", FAILED),
        (37, svc("test-ns1/s").from("b5"), "", FAILED),
        (37, svc("s").team("metallb").from("b5"), "", FAILED),
    ]);
}

#[test]
fn cases_41_to_52_dual_stack() {
    let dual = || svc("s").cluster("46");
    check(vec![
        (41, dual().require(), "1.2.4.0 1000::4:0 @p5", GOT),
        (
            41,
            svc("s").cluster("64").require().v6_first(),
            "1.2.4.0 1000::4:0 @p5",
            GOT,
        ),
        (
            42,
            svc("s")
                .cluster("64")
                .require()
                .status("foo.example 1000::", "p3"),
            "1.2.4.0 1000::4:0 @p5",
            GOT,
        ),
        (
            43,
            svc("s").require().from("p5"),
            "",
            "W:not enough clusterips",
        ),
        (44, dual().prefer(), "1.2.4.0 1000::4:0 @p5", GOT),
        // The reference says the second only on later passes.
        (
            45,
            dual().prefer().from("p1"),
            "1.2.3.0 @p1",
            "IPAllocated AdditionalAssignFailed",
        ),
        (
            46,
            svc("s").cluster("6").prefer().from("p3"),
            "1000:: @p3",
            GOT,
        ),
        (47, svc("s").prefer().from("p5"), "1.2.4.0 @p5", GOT),
        (48, dual().prefer().ips("1.2.3.1"), "", FAILED),
        (49, dual().prefer().field("1.2.3.1"), "", FAILED),
        (
            50,
            dual().require().ips("1.2.4.0,1000::4:0"),
            "1.2.4.0 1000::4:0 @p5",
            GOT,
        ),
        (
            50,
            dual().require().ips("1000::4:1, 1.2.4.0"),
            "1.2.4.0 1000::4:1 @p5",
            GOT,
        ),
        (51, dual().require().ips("1.2.3.0,1000::4:0"), "", FAILED),
        (52, svc("s").ips("1.2.4.0,1000::4:0"), "", FAILED),
    ]);
}

#[test]
fn a_held_pair_keeps_its_order_whatever_the_request_says() {
    let pair = svc("s").cluster("46").require();
    let held = pair
        .status("1000::4:1 1.2.4.0", "p5")
        .ips("1.2.4.0,1000::4:1");
    check(vec![(0, held, "1000::4:1 1.2.4.0 @p5", "")]);
}

#[test]
fn a_single_requested_address_is_kept_by_its_dual_holder() {
    let held = svc("s").cluster("46").prefer().status("1.2.4.0", "p5");
    check(vec![(0, held.ips("1.2.4.0"), "1.2.4.0 @p5", "")]);
}
