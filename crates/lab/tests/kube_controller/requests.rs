// SPDX-License-Identifier: Apache-2.0
//! Cases 1 to 52 of the reference where one Service meets fixture F.
//!
//! A real API server forbids some inputs of the reference; [`forbidden`] shows that it does:
//! a load balancer without a cluster address (20) or headless (26). On a dual-stack API server a Service
//! that prefers or requires both families has two cluster addresses, so 43, 46 and 47 cannot be made
//! here; 47 runs on a single-stack one, in `outages`.

use anyhow::Result;
use ferrolb_lab::cluster::Call;

use crate::{
    case::{Case, Row, run},
    lab,
    objects::{Svc, fixture, svc},
    site::Site,
};

const FAILED: &str = "W:AllocationFailed";
const GOT: &str = "IPAllocated";
const MOVED: &str = "ClearAssignment, IPAllocated";

/// The Service is there, with its status, before the controller starts.
fn meets(case: &mut Case<'_>, service: &Svc, status: &str, events: &str) -> Result<()> {
    case.put(service)?;
    case.pools(&fixture())?;
    if events.is_empty() {
        // Nothing shows that it was seen.
        case.settle()?;
    }
    case.want(&service.name, status, events)
}

#[test]
fn allocation() {
    run(&ALLOCATION);
}

const ALLOCATION: [Row; 26] = [
    ("1", |c| meets(c, &svc("s").kind("ClusterIP"), "", "")),
    ("2", |c| meets(c, &svc("s"), "1.2.3.0 @p1", GOT)),
    ("3", |c| {
        meets(c, &svc("s").field("1.2.3.1"), "1.2.3.1 @p1", GOT)
    }),
    ("4", |c| {
        meets(c, &svc("s").ips("1.2.3.1"), "1.2.3.1 @p1", GOT)
    }),
    ("5", |c| {
        meets(c, &svc("s").ips("1.2.3.1").field("1.2.3.1"), "", FAILED)
    }),
    ("6", |c| meets(c, &svc("s").field("not an ip"), "", FAILED)),
    ("7", |c| {
        let held = svc("s").status("1.2.3.0", "p1");
        meets(
            c,
            &held.ips("1.2.3.0,"),
            "1.2.3.0 @p1",
            "W:LoadBalancerFailed",
        )
    }),
    ("8", |c| {
        meets(c, &svc("s").ips("1.2.3.0,1.2.3.1"), "", FAILED)
    }),
    ("9", |c| {
        meets(c, &svc("s").field("3.4.5.6"), "3.4.5.6 @p2", GOT)
    }),
    ("10", |c| {
        let held = svc("s").status("1.2.3.1", "p1");
        meets(c, &held.field("9.9.9.9"), "", FAILED)
    }),
    ("11", |c| {
        meets(c, &svc("s").ips("1.2.3.1").from("p2"), "", FAILED)?;
        // Nothing is booked: another gets it.
        c.put(&svc("t").ips("1.2.3.1"))?;
        c.want("t", "1.2.3.1 @p1", GOT)
    }),
    ("12", |c| meets(c, &svc("s").from("p2"), "3.4.5.6 @p2", GOT)),
    ("13", |c| {
        let held = svc("s").status("1.2.3.0", "p1");
        meets(c, &held.from("p2"), "3.4.5.6 @p2", GOT)
    }),
    ("14", |c| {
        meets(c, &svc("s").from("does-not-exist"), "", FAILED)
    }),
    ("15", |c| {
        let service = svc("s").legacy_from("p2");
        meets(
            c,
            &service,
            "3.4.5.6 @p2",
            "IPAllocated, W:deprecatedAnnotation",
        )
    }),
    ("16", |c| {
        let service = svc("s").from("").legacy_from("p2");
        meets(
            c,
            &service,
            "1.2.3.0 @p1",
            "IPAllocated, W:deprecatedAnnotation",
        )
    }),
    ("17", |c| {
        meets(c, &svc("s").status("2.3.4.5", "gone"), "1.2.3.0 @p1", MOVED)
    }),
    ("18", |c| {
        let held = svc("s").status("host:foo.example 10.10.10.10", "");
        meets(c, &held, "1.2.3.0 @p1", MOVED)
    }),
    ("18, a host name beside a good address", |c| {
        meets(
            c,
            &svc("s").status("host:foo.example 1.2.3.1", "p1"),
            "1.2.3.1 @p1",
            "",
        )
    }),
    (
        "20, ExternalName: no cluster address, no load balancer",
        |c| {
            let service = svc("s").kind("ExternalName");
            let service = service
                .set("externalName", "foo.example")
                .set("ipFamilies", None::<String>);
            meets(c, &service.set("ipFamilyPolicy", None::<String>), "", "")
        },
    ),
    ("21", |c| {
        let held = svc("s").status("1.2.3.0 1.2.3.1 1.2.4.0", "p1");
        meets(c, &held, "1.2.3.0 @p1", "IPAllocated, W:nolbIPsIPFamily")
    }),
    ("22", |c| {
        meets(c, &svc("s").families("6").field("1.2.3.1"), "", FAILED)
    }),
    ("23", |c| meets(c, &svc("s").ips("1000::"), "", FAILED)),
    ("24", |c| {
        meets(c, &svc("s").status("1000::", "p3"), "1.2.3.0 @p1", GOT)
    }),
    ("25", |c| {
        let held = svc("s").families("6").status("1.2.3.0", "p1");
        meets(c, &held, "1000:: @p3", GOT)
    }),
    ("28", |c| {
        // A controller that may read no pool knows no configuration.
        c.put(&svc("s").status("2.3.4.5", "p"))?;
        c.want("s", "2.3.4.5 @p", "")?;
        c.pools(&fixture())?;
        c.want("s", "1.2.3.0 @p1", MOVED)
    }),
];

#[test]
fn pinning() {
    run(&PINNING);
}

const PINNING: [Row; 7] = [
    ("29", |c| meets(c, &svc("test-ns1/s"), "7.8.9.0 @n10", GOT)),
    ("30", |c| {
        meets(c, &svc("test-ns2/s"), "16.17.18.0 @n2", GOT)
    }),
    ("31", |c| {
        meets(c, &svc("s").team("metallb"), "19.20.21.0 @l8", GOT)
    }),
    ("32", |c| {
        meets(c, &svc("test-ns1/s").team("metallb"), "25.26.27.0 @b5", GOT)
    }),
    ("36", |c| meets(c, &svc("s").ips("7.8.9.0"), "", FAILED)),
    ("37, the namespace alone", |c| {
        meets(c, &svc("test-ns1/s").from("b5"), "", FAILED)
    }),
    ("37, the label alone", |c| {
        meets(c, &svc("s").team("metallb").from("b5"), "", FAILED)
    }),
];

fn dual() -> Svc {
    svc("s").families("46")
}

#[test]
fn dual_stack() {
    run(&DUAL_STACK);
}

const DUAL_STACK: [Row; 13] = [
    ("41", |c| {
        meets(c, &dual().require(), "1.2.4.0 1000::4:0 @p5", GOT)
    }),
    ("41, IPv6 first", |c| {
        let service = svc("s").families("64").require();
        meets(c, &service, "1.2.4.0 1000::4:0 @p5", GOT)
    }),
    ("42", |c| {
        let held = svc("s").families("64").require();
        let held = held.status("host:foo.example 1000::", "p3");
        meets(c, &held, "1.2.4.0 1000::4:0 @p5", GOT)
    }),
    ("44", |c| {
        meets(c, &dual().prefer(), "1.2.4.0 1000::4:0 @p5", GOT)
    }),
    ("45", |c| {
        let events = "IPAllocated, AdditionalAssignFailed";
        meets(c, &dual().prefer().from("p1"), "1.2.3.0 @p1", events)
    }),
    ("45, held: a second family cannot be had", |c| {
        let held = dual().prefer().from("p1").status("1.2.3.0", "p1");
        meets(c, &held, "1.2.3.0 @p1", "")
    }),
    ("48", |c| {
        meets(c, &dual().prefer().ips("1.2.3.1"), "", FAILED)
    }),
    ("49", |c| {
        meets(c, &dual().prefer().field("1.2.3.1"), "", FAILED)
    }),
    ("50", |c| {
        let service = dual().require().ips("1.2.4.0,1000::4:0");
        meets(c, &service, "1.2.4.0 1000::4:0 @p5", GOT)
    }),
    ("50, in the other order", |c| {
        let service = dual().require().ips("1000::4:1, 1.2.4.0");
        meets(c, &service, "1.2.4.0 1000::4:1 @p5", GOT)
    }),
    ("a held pair keeps its order", |c| {
        let held = dual().require().ips("1.2.4.0,1000::4:1");
        let held = held.status("1000::4:1 1.2.4.0", "p5");
        meets(c, &held, "1000::4:1 1.2.4.0 @p5", "")
    }),
    ("51", |c| {
        meets(c, &dual().require().ips("1.2.3.0,1000::4:0"), "", FAILED)
    }),
    ("52", |c| {
        meets(c, &svc("s").ips("1.2.4.0,1000::4:0"), "", FAILED)
    }),
];

#[test]
fn forbidden() {
    let Some(lab) = lab::shared() else { return };
    let site = Site::new(&lab).unwrap();
    let path = format!(
        "/api/v1/namespaces/{}/services",
        site.namespace("plain").unwrap()
    );
    let headless = svc("s").set("clusterIP", "None");
    let none = svc("s").set("clusterIP", "");
    let refused = |service: &Svc| {
        let call = Call::create(&path, service.object(Some("x")));
        lab.admin().call(&call).unwrap()
    };
    let answer = refused(&headless);
    assert_eq!(answer.code, 422, "26, headless: {}", answer.body);
    // 20: an empty field is filled, so there is always one.
    let made = refused(&none).ok().unwrap();
    assert!(made["spec"]["clusterIP"].is_string(), "20: {made}");
    // 43, 46, 47: both families are there, so both are given.
    for policy in [svc("t").prefer(), svc("u").require()] {
        let policy = policy.set("ipFamilies", None::<String>);
        let made = refused(&policy).ok().unwrap();
        assert_eq!(
            made["spec"]["clusterIPs"].as_array().unwrap().len(),
            2,
            "{made}"
        );
    }
}
