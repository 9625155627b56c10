// SPDX-License-Identifier: Apache-2.0
//! Cases 70 to 84 of the reference: restarts, pools that change, counters in their status.

use anyhow::Result;
use ferrolb_lab::cluster::Call;
use serde_json::json;

use crate::{
    case::{Case, Row, run},
    objects::{pool, svc},
};

const FAILED: &str = "W:AllocationFailed";
const GOT: &str = "IPAllocated";
const MOVED: &str = "ClearAssignment, IPAllocated";
const MAX: i64 = i64::MAX;

#[test]
fn pools() {
    run(&POOLS);
}

const POOLS: [Row; 17] = [
    ("70", |c| {
        c.pools(&[pool("p", "10.0.0.1/32"), pool("q", "10.0.0.2/32")])?;
        // Those who wait come first by name.
        for (name, status) in [("y", "10.0.0.1 @p"), ("z", "10.0.0.2 @q")] {
            c.put(&svc(name))?;
            c.want(name, status, GOT)?;
        }
        for name in ["a", "b"] {
            c.put(&svc(name))?;
            c.want(name, "", FAILED)?;
        }
        for _ in 0..5 {
            c.restart()?;
            // Why it waits is said once by each process.
            c.want("a", "", FAILED)?;
            c.want("b", "", FAILED)?;
            c.want("y", "10.0.0.1 @p", "")?;
            c.want("z", "10.0.0.2 @q", "")?;
        }
        Ok(())
    }),
    ("71", |c| {
        two(c)?;
        c.pools(&[pool("q", "5.6.7.0/30")])?;
        c.site.delete_pool("p")?;
        c.want("a", "5.6.7.0 @q", MOVED)?;
        c.want("b", "5.6.7.1 @q", MOVED)
    }),
    ("72", |c| {
        two(c)?;
        c.site.delete_pool("p")?;
        c.want("a", "", "")?;
        c.want("b", "", "")?;
        c.forget("a");
        c.forget("b");
        Ok(())
    }),
    // Over the API a pool is renamed in two steps; until the old one is gone the new one is refused.
    ("73", |c| {
        two(c)?;
        c.pools(&[pool("q", "1.2.3.0/30")])?;
        c.settle()?;
        c.site.delete_pool("p")?;
        c.want("a", "1.2.3.0 @q", "")?;
        c.want("b", "1.2.3.1 @q", "")?;
        c.site.want_pool("q", [2, 2, 0, 0])
    }),
    ("74", |c| {
        two(c)?;
        c.pools(&[pool("q", "1.2.3.1/32"), pool("r", "1.2.3.0/32 1.2.3.2/31")])?;
        c.settle()?;
        c.site.delete_pool("p")?;
        c.want("a", "1.2.3.0 @r", "")?;
        c.want("b", "1.2.3.1 @q", "")
    }),
    ("75", |c| {
        two(c)?;
        c.pools(&[pool("p", "1.2.3.1/32 1.2.3.2/31")])?;
        c.want("a", "1.2.3.2 @p", MOVED)?;
        c.want_still("b", "1.2.3.1 @p")
    }),
    ("76", |c| {
        two(c)?;
        c.pools(&[pool("p", "1.2.3.0/30").careful()])?;
        c.want("a", "1.2.3.2 @p", MOVED)?;
        c.want_still("b", "1.2.3.1 @p")
    }),
    ("77, the first", |c| careful(c, "1.2.4.0/31", "1.2.4.1 @p")),
    ("77, the last", |c| {
        careful(c, "1.2.4.254/31", "1.2.4.254 @p")
    }),
    ("78", |c| {
        c.pools(&[pool("p", "1.2.4.0/24 fd00::/120").careful()])?;
        for (name, families, request, status) in [
            ("a", "4", "1.2.4.0", ""),
            ("b", "4", "1.2.4.255", ""),
            ("c", "6", "fd00::", "fd00:: @p"),
            ("d", "6", "fd00::ff", "fd00::ff @p"),
        ] {
            c.put(&svc(name).families(families).ips(request))?;
            c.want(name, status, if status.is_empty() { FAILED } else { GOT })?;
        }
        Ok(())
    }),
    ("79", |c| {
        c.pools(&[pool("m", "10.0.0.1/32").manual(), pool("p", "10.0.0.2/32")])?;
        c.put(&svc("a"))?;
        c.want("a", "10.0.0.2 @p", GOT)?;
        c.put(&svc("b"))?;
        c.want("b", "", FAILED)
    }),
    ("80", |c| {
        c.pools(&[pool("p", "192.168.10.0/30 fc00::/126")])?;
        c.site.want_pool("p", [0, 4, 0, 4])?;
        c.put(&svc("s").families("46").require())?;
        c.want("s", "192.168.10.0 fc00:: @p", GOT)?;
        c.site.want_pool("p", [1, 3, 1, 3])?;
        edit_status(c)?;
        c.site.want_pool("p", [1, 3, 1, 3])?;
        c.restart()?;
        edit_status(c)?;
        c.site.want_pool("p", [1, 3, 1, 3])?;
        c.delete("s")?;
        c.site.want_pool("p", [0, 4, 0, 4])
    }),
    ("81", |c| {
        c.pools(&[pool("p", "10.0.0.0/30")])?;
        for (name, port) in [("a", 1), ("b", 2), ("c", 3)] {
            c.put(&svc(name).share("k").port("TCP", port))?;
            c.want(name, "10.0.0.0 @p", GOT)?;
            c.site.want_pool("p", [1, 3, 0, 0])?;
        }
        for (name, left) in [("b", 1), ("a", 1), ("c", 0)] {
            c.delete(name)?;
            c.settle()?;
            c.site.want_pool("p", [left, 4 - left, 0, 0])?;
        }
        Ok(())
    }),
    ("82", |c| {
        c.pools(&[pool("p", "1.2.3.0/24 1.2.4.128/25")])?;
        c.site.want_pool("p", [0, 384, 0, 0])?;
        c.pools(&[pool("p", "1.2.3.0/24 1.2.4.128/25").careful()])?;
        c.site.want_pool("p", [0, 381, 0, 0])
    }),
    ("83", |c| {
        c.pools(&[pool("p", "1.2.3.0/24 1.2.4.128/25 1000::/64").careful()])?;
        c.site.want_pool("p", [0, 381, 0, MAX])?;
        c.put(&svc("s").families("6"))?;
        c.want("s", "1000:: @p", GOT)?;
        c.site.want_pool("p", [0, 381, 1, MAX - 1])
    }),
    ("84", |c| {
        c.pools(&[pool("p", "1.2.3.0/31 1000::/127").careful()])?;
        c.site.want_pool("p", [0, 1, 0, 2])
    }),
    ("3.10, many pools", |c| {
        let pools: Vec<_> = (0..60)
            .map(|n| pool(&format!("p{n}"), &format!("10.7.{n}.0/24")))
            .collect();
        c.pools(&pools)?;
        for n in 0..60 {
            c.site.want_pool(&format!("p{n}"), [0, 256, 0, 0])?;
        }
        Ok(())
    }),
];

fn two(case: &mut Case<'_>) -> Result<()> {
    case.pools(&[pool("p", "1.2.3.0/30")])?;
    case.put(&svc("a"))?;
    case.want("a", "1.2.3.0 @p", GOT)?;
    case.put(&svc("b"))?;
    case.want("b", "1.2.3.1 @p", GOT)
}

fn careful(case: &mut Case<'_>, range: &str, status: &str) -> Result<()> {
    case.pools(&[pool("p", range).careful()])?;
    case.put(&svc("a"))?;
    case.want("a", status, GOT)?;
    case.put(&svc("b"))?;
    case.want("b", "", FAILED)
}

/// Somebody writes nonsense into the status of pool `p`.
fn edit_status(case: &Case<'_>) -> Result<()> {
    let path = format!("{}/p/status", case.site.ours("ipaddresspools"));
    let status = json!({ "status": {
        "assignedIPv4": 40, "assignedIPv6": 41, "availableIPv4": 42, "availableIPv6": 43,
    }});
    let call = Call::merge(&path, status);
    case.site.lab.admin().call(&call)?.ok()?;
    Ok(())
}
