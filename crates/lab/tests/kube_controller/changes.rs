// SPDX-License-Identifier: Apache-2.0
//! Services and pools that change: cases 13 to 57 of the reference that are stories, and table 3.7.

use anyhow::Result;
use serde_json::json;

use crate::{
    case::{Case, Row, alone_without_a_class, run, run_without_class},
    lab,
    objects::{Svc, fixture, pool, svc},
};

const FAILED: &str = "W:AllocationFailed";
const GOT: &str = "IPAllocated";
/// The pool has none of the second family.
const ONE_OF_TWO: &str = "IPAllocated, AdditionalAssignFailed";
const MOVED: &str = "ClearAssignment, IPAllocated";

#[test]
fn stories() {
    run(&STORIES);
}

const STORIES: [Row; 12] = [
    ("13, the old address is free", |c| {
        c.pools(&fixture())?;
        c.put(&svc("a"))?;
        c.want("a", "1.2.3.0 @p1", GOT)?;
        c.put(&svc("b").ips("1.2.3.0"))?;
        c.want("b", "", FAILED)?;
        c.edit(&svc("a").from("p2"))?;
        c.want("a", "3.4.5.6 @p2", GOT)?;
        c.want("b", "1.2.3.0 @p1", GOT)
    }),
    ("27", |c| {
        c.pools(&[pool("p", "10.0.0.1/32")])?;
        c.put(&svc("s"))?;
        c.want("s", "10.0.0.1 @p", GOT)?;
        c.site.delete_pool("p")?;
        c.want("s", "", "")?;
        // Once there is a pool again, it fails for another reason, with an Event.
        c.forget("s");
        Ok(())
    }),
    ("33", |c| {
        c.pools(&[
            pool("a", "10.0.0.1/32").pinned("ns", "", 0),
            pool("b", "10.0.0.2/32").pinned("ns", "", 20),
            pool("c", "10.0.0.3/32").pinned("ns", "", 10),
        ])?;
        for (name, status) in [
            ("ns/1", "10.0.0.3 @c"),
            ("ns/2", "10.0.0.2 @b"),
            ("ns/3", "10.0.0.1 @a"),
        ] {
            let name = name.replace("/", "/s");
            c.put(&svc(&name))?;
            c.want(&name, status, GOT)?;
        }
        Ok(())
    }),
    ("34", |c| {
        c.pools(&[
            pool("a", "10.0.0.1/32").pinned("", "", 20),
            pool("b", "10.0.0.2/32").pinned("", "", 10),
        ])?;
        c.put(&svc("s"))?;
        c.want("s", "10.0.0.2 @b", GOT)
    }),
    ("35, and the label taken away", |c| {
        c.pools(&[
            pool("selected", "10.0.0.1/32").stage("prod"),
            pool("default", "10.0.1.1/32"),
        ])?;
        c.put(&svc("staged/old"))?;
        c.want("staged/old", "10.0.1.1 @default", GOT)?;
        c.put(&svc("staged/waits"))?;
        c.want("staged/waits", "", FAILED)?;
        label(c, "staged", &json!("prod"))?;
        c.want("staged/waits", "10.0.0.1 @selected", GOT)?;
        c.want_still("staged/old", "10.0.1.1 @default")?;
        label(c, "staged", &json!(null))?;
        c.want("staged/waits", "", "ClearAssignment, W:AllocationFailed")
    }),
    ("38", |c| {
        c.pools(&[
            pool("a", "10.0.0.1/32").pinned("ns", "", 1),
            pool("b", "10.0.0.2/32"),
        ])?;
        c.put(&svc("ns/one"))?;
        c.want("ns/one", "10.0.0.1 @a", GOT)?;
        c.put(&svc("ns/two"))?;
        c.want("ns/two", "10.0.0.2 @b", GOT)
    }),
    ("39", |c| {
        c.pools(&[
            pool("a", "10.0.0.1/32").pinned("ns", "", 1),
            pool("b", "10.0.0.2/32 fd00::2/128"),
        ])?;
        c.put(&svc("ns/s").families("46").prefer())?;
        c.want("ns/s", "10.0.0.1 @a", ONE_OF_TWO)
    }),
    ("40", |c| {
        c.pools(&fixture())?;
        c.put(&svc("s").team("metallb"))?;
        c.want("s", "19.20.21.0 @l8", GOT)?;
        c.edit(&svc("s").team("other"))?;
        c.want("s", "1.2.3.0 @p1", MOVED)
    }),
    ("53, IPv4 first", |c| primary(c, "46", "10.0.0.1 @a")),
    ("53, IPv6 first", |c| primary(c, "64", "fd00::1 @b")),
    ("54 to 56", |c| {
        c.pools(&[pool("x", "10.0.0.1/32")])?;
        c.put(&svc("s").families("46").prefer())?;
        c.want("s", "10.0.0.1 @x", ONE_OF_TWO)?;
        c.pools(&[pool("y", "10.0.1.1/32 fd00::1:1/128")])?;
        c.want_still("s", "10.0.0.1 @x")?;
        c.pools(&[pool("x", "10.0.0.1/32 fd00::1/128")])?;
        c.want("s", "10.0.0.1 fd00::1 @x", GOT)?;
        c.pools(&[pool("x", "fd00::1/128")])?;
        c.want("s", "10.0.1.1 fd00::1:1 @y", MOVED)
    }),
    ("57", |c| {
        c.pools(&[pool("x", "10.0.0.1/32")])?;
        let dual = || svc("s").families("46");
        c.put(&dual().prefer())?;
        c.want("s", "10.0.0.1 @x", ONE_OF_TWO)?;
        c.edit(&dual().require())?;
        c.want("s", "", FAILED)?;
        c.edit(&dual().prefer())?;
        c.want("s", "10.0.0.1 @x", ONE_OF_TWO)
    }),
];

fn primary(case: &mut Case<'_>, families: &str, status: &str) -> Result<()> {
    case.pools(&[pool("a", "10.0.0.1/32"), pool("b", "fd00::1/128")])?;
    case.put(&svc("s").families(families).prefer())?;
    case.want("s", status, ONE_OF_TWO)
}

fn label(case: &Case<'_>, namespace: &str, stage: &serde_json::Value) -> Result<()> {
    let path = format!("/api/v1/namespaces/{}", case.site.namespace(namespace)?);
    let labels = json!({ "metadata": { "labels": { "stage": stage } } });
    let call = ferrolb_lab::cluster::Call::merge(&path, labels);
    case.site.lab.admin().call(&call)?.ok()?;
    Ok(())
}

/// Table 3.7, row by row, except where a case above or in `pools` is that row.
#[test]
fn existing_addresses_versus_changes() {
    run(&CHANGES);
}

const CHANGES: [Row; 9] = [
    ("3.7, the own pool and others grow", |c| {
        holds(c)?;
        c.pools(&[pool("p", "10.0.0.0/29"), pool("a", "10.1.0.0/30")])?;
        c.want_still("s", "10.0.0.1 @p")
    }),
    ("3.7, autoAssign and priority", |c| {
        holds(c)?;
        c.pools(&[pool("p", "10.0.0.1/32").manual()])?;
        c.want_still("s", "10.0.0.1 @p")?;
        c.pools(&[pool("p", "10.0.0.1/32").pinned("", "", 7)])?;
        c.want_still("s", "10.0.0.1 @p")
    }),
    ("3.7, serviceAllocation no longer matches", |c| {
        holds(c)?;
        c.pools(&[pool("q", "10.0.1.1/32")])?;
        c.pools(&[pool("p", "10.0.0.1/32").pinned("elsewhere", "", 1)])?;
        c.want("s", "10.0.1.1 @q", MOVED)
    }),
    ("3.7, every type that is no load balancer", |c| {
        holds(c)?;
        for kind in ["ClusterIP", "NodePort"] {
            c.edit(&svc("s").kind(kind))?;
            c.want("s", "", "")?;
            c.site.want_pool("p", [0, 1, 0, 0])?;
            c.delete("s")?;
            c.put(&svc("s"))?;
            c.want("s", "10.0.0.1 @p", GOT)?;
        }
        Ok(())
    }),
    ("3.7, ExternalName", |c| {
        holds(c)?;
        c.put(&svc("waits"))?;
        c.want("waits", "", FAILED)?;
        // The cluster address goes with the type, which only a replacement may say.
        let mut there = c.site.service("s")?;
        let metadata = there["metadata"].clone();
        there["spec"] = json!({ "type": "ExternalName", "externalName": "foo.example" });
        there["metadata"] = metadata;
        let path = c.site.path("s")?;
        let call = ferrolb_lab::cluster::Call::replace(&path, there);
        c.site.lab.admin().call(&call)?.ok()?;
        c.want("s", "", "")?;
        c.want("waits", "10.0.0.1 @p", GOT)
    }),
    ("3.7, the request is taken away", |c| {
        c.pools(&[pool("p", "10.0.0.0/30")])?;
        c.put(&svc("s").ips("10.0.0.3"))?;
        c.want("s", "10.0.0.3 @p", GOT)?;
        c.edit(&svc("s"))?;
        c.want_still("s", "10.0.0.3 @p")?;
        c.edit(&svc("s").ips("10.0.0.2"))?;
        c.want("s", "10.0.0.2 @p", GOT)?;
        c.edit(&svc("s").ips("10.9.9.9"))?;
        c.want("s", "", FAILED)
    }),
    ("3.7, ports and labels that matter to nobody", |c| {
        holds(c)?;
        c.edit(&svc("s").port("UDP", 53).team("x"))?;
        c.want_still("s", "10.0.0.1 @p")?;
        c.edit(&svc("s").local("y"))?;
        c.want_still("s", "10.0.0.1 @p")
    }),
    ("3.7, the families of the Service", |c| {
        c.pools(&[pool("p", "10.0.0.1/32 fd00::1/128")])?;
        c.put(&svc("s"))?;
        c.want("s", "10.0.0.1 @p", GOT)?;
        c.edit(&svc("s").families("46").prefer())?;
        c.want("s", "10.0.0.1 fd00::1 @p", GOT)?;
        c.edit(&svc("s").families("46").require())?;
        c.want_still("s", "10.0.0.1 fd00::1 @p")
    }),
    ("3.7, deleted and made again under its name", |c| {
        holds(c)?;
        c.put(&svc("t"))?;
        c.want("t", "", FAILED)?;
        c.delete("s")?;
        c.want("t", "10.0.0.1 @p", GOT)?;
        c.put(&svc("s"))?;
        c.want("s", "", FAILED)
    }),
];

fn holds(case: &mut Case<'_>) -> Result<()> {
    case.pools(&[pool("p", "10.0.0.1/32")])?;
    case.put(&svc("s"))?;
    case.want("s", "10.0.0.1 @p", GOT)
}

/// Services without a class, which no other site may serve at the time.
#[test]
fn without_a_class() {
    let Some(lab) = lab::shared() else { return };
    run_without_class(
        &lab,
        &[
            ("19", |c| {
                c.pools(&[pool("p", "1.2.3.0/32")])?;
                c.put(&svc("s"))?;
                c.want("s", "1.2.3.0 @p", GOT)?;
                c.put(&svc("waits"))?;
                c.want("waits", "", FAILED)?;
                c.edit(&svc("s").kind("NodePort"))?;
                c.want("s", "", "")?;
                c.want("waits", "1.2.3.0 @p", GOT)
            }),
            ("19, while the controller is away", |c| {
                c.put(&svc("s").status("1.2.3.0", "p"))?;
                c.edit(&svc("s").kind("NodePort"))?;
                c.pools(&[pool("p", "1.2.3.0/32")])?;
                c.want("s", "", "")
            }),
            ("85, a controller without a class", |c| {
                c.pools(&[pool("p", "10.0.0.0/30")])?;
                served(c, &svc("theirs").class("x"), &svc("ours"))
            }),
        ],
    );
}

#[test]
fn classes() {
    let _only = alone_without_a_class();
    run(&[
        ("85, a controller with a class: none", |c| {
            c.pools(&[pool("p", "10.0.0.0/30")])?;
            served(c, &svc("theirs").class(""), &svc("ours"))
        }),
        ("85, a controller with a class: another", |c| {
            c.pools(&[pool("p", "10.0.0.0/30")])?;
            served(c, &svc("theirs").class("y"), &svc("ours"))
        }),
        ("85, what others hold is not reserved", |c| {
            c.put(&svc("theirs").class("y").status("10.0.0.0", "p"))?;
            c.pools(&[pool("p", "10.0.0.0/30")])?;
            c.put(&svc("ours"))?;
            c.want("ours", "10.0.0.0 @p", GOT)?;
            c.want("theirs", "10.0.0.0 @p", "")
        }),
    ]);
}

fn served(case: &mut Case<'_>, theirs: &Svc, ours: &Svc) -> Result<()> {
    case.put(theirs)?;
    case.put(ours)?;
    case.want("ours", "10.0.0.0 @p", GOT)?;
    case.want("theirs", "", "")
}
