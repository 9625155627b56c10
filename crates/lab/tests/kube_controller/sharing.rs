// SPDX-License-Identifier: Apache-2.0
//! Cases 58 to 69 of the reference: who may share an address.

use anyhow::Result;

use crate::{
    case::{Case, Row, run},
    objects::{Svc, pool, svc},
};

const FAILED: &str = "W:AllocationFailed";
const GOT: &str = "IPAllocated";
const MOVED: &str = "ClearAssignment, IPAllocated";

fn a() -> Svc {
    svc("a").share("share").ips("1.2.4.3")
}

fn b() -> Svc {
    svc("b").share("share").ips("1.2.4.3").port("TCP", 443)
}

fn meet(case: &mut Case<'_>, a: &Svc, b: &Svc, shares: bool) -> Result<()> {
    case.pools(&[pool("p", "1.2.4.0/24").careful()])?;
    case.put(a)?;
    case.want("a", "1.2.4.3 @p", GOT)?;
    case.put(b)?;
    match shares {
        true => case.want("b", "1.2.4.3 @p", GOT),
        false => case.want("b", "", FAILED),
    }
}

#[test]
fn sharing() {
    run(&SHARING);
}

const SHARING: [Row; 16] = [
    ("58", |c| meet(c, &a(), &b(), true)),
    ("59", |c| meet(c, &a(), &b().port("TCP", 80), false)),
    ("60", |c| meet(c, &a(), &b().port("UDP", 80), true)),
    ("61, another key", |c| {
        meet(c, &a(), &b().share("other"), false)
    }),
    ("61, no key", |c| meet(c, &a(), &b().share(""), false)),
    ("61, no key on either", |c| {
        meet(c, &a().share(""), &b().share(""), false)
    }),
    ("62, other selectors", |c| {
        meet(c, &a().local("b"), &b().local("c"), false)
    }),
    ("62, one selector", |c| {
        meet(c, &a().local("b"), &b().local("b"), true)
    }),
    ("63", |c| meet(c, &a(), &b().local("b"), false)),
    ("64", |c| {
        c.pools(&[pool("p", "1.2.4.0/24").careful()])?;
        c.put(&svc("a").share("k1"))?;
        c.want("a", "1.2.4.1 @p", GOT)?;
        c.edit(&svc("a").share("k2"))?;
        c.put(&svc("b").share("k2").ips("1.2.4.1").port("TCP", 443))?;
        c.want("b", "1.2.4.1 @p", GOT)?;
        c.want("a", "1.2.4.1 @p", "")
    }),
    ("65", |c| {
        c.pools(&[pool("p", "1.2.4.0/24").careful()])?;
        c.put(&svc("a").share("k"))?;
        c.want("a", "1.2.4.1 @p", GOT)?;
        c.put(&svc("b").share("k").port("TCP", 443))?;
        c.want("b", "1.2.4.1 @p", GOT)?;
        c.edit(&svc("a").share("other"))?;
        c.want("a", "1.2.4.2 @p", MOVED)?;
        c.want_still("b", "1.2.4.1 @p")
    }),
    ("66 and 67", |c| {
        let a = || svc("a").share("k");
        let b = || svc("b").share("k").port("TCP", 443);
        c.pools(&[pool("p", "1.2.4.1/32")])?;
        c.put(&a())?;
        c.want("a", "1.2.4.1 @p", GOT)?;
        c.put(&b())?;
        c.want("b", "1.2.4.1 @p", GOT)?;
        c.edit(&b().local("x"))?;
        c.want("b", "", "ClearAssignment, W:AllocationFailed")?;
        c.edit(&a().local("x"))?;
        c.want("b", "1.2.4.1 @p", GOT)?;
        c.want("a", "1.2.4.1 @p", "")?;
        c.edit(&a().local("y"))?;
        c.want("a", "", "ClearAssignment, W:AllocationFailed")?;
        c.edit(&b().local("y"))?;
        c.want("a", "1.2.4.1 @p", GOT)
    }),
    ("68", |c| {
        c.pools(&[pool("p", "10.0.0.0/30")])?;
        c.put(&svc("a").ips("10.0.0.0"))?;
        c.want("a", "10.0.0.0 @p", GOT)?;
        c.put(&svc("b").share("k").ips("10.0.0.2"))?;
        c.want("b", "10.0.0.2 @p", GOT)?;
        c.put(&svc("c").share("k").port("TCP", 443))?;
        c.want("c", "10.0.0.1 @p", GOT)
    }),
    ("69, deleted", |c| {
        full(c)?;
        c.delete("a")?;
        c.want("b", "10.0.0.1 @p", GOT)
    }),
    ("69, no load balancer any more", |c| {
        full(c)?;
        c.edit(&svc("a").kind("ClusterIP"))?;
        c.want("b", "10.0.0.1 @p", GOT)?;
        c.want("a", "", "")
    }),
    ("3.5, across namespaces", |c| {
        c.pools(&[pool("p", "10.0.0.1/32")])?;
        c.put(&svc("one/a").share("k"))?;
        c.want("one/a", "10.0.0.1 @p", GOT)?;
        c.put(&svc("two/a").share("k").port("TCP", 443))?;
        c.want("two/a", "10.0.0.1 @p", GOT)
    }),
];

fn full(case: &mut Case<'_>) -> Result<()> {
    case.pools(&[pool("p", "10.0.0.1/32")])?;
    case.put(&svc("a"))?;
    case.want("a", "10.0.0.1 @p", GOT)?;
    case.put(&svc("b"))?;
    case.want("b", "", FAILED)
}
