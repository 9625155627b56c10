// SPDX-License-Identifier: Apache-2.0
//! The link table against a real kernel.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod common;

use std::time::Duration;

use common::{Namespace, connect, is_able};
use ferrolb_netio::links::{Link, LinkEvent, LinkWatch};
use tokio::time::timeout;

/// Reads events until the table looks as wanted.
async fn until(watch: &mut LinkWatch, what: &str, is_so: impl Fn(&LinkWatch) -> bool) {
    let reading = async {
        while !is_so(watch) {
            watch.next().await.unwrap();
        }
    };
    let result = timeout(Duration::from_secs(10), reading).await;
    assert!(
        result.is_ok(),
        "{what}: never; the table is {:?}",
        watch.links()
    );
}

fn link<'a>(watch: &'a LinkWatch, name: &str) -> Option<&'a Link> {
    watch.links().named(name)
}

async fn synced(watch: &mut LinkWatch) {
    while !watch.next().await.unwrap().contains(&LinkEvent::Synced) {}
}

#[test]
fn interfaces_and_addresses_are_followed() {
    if !is_able() {
        return;
    }
    let (node, peer) = (Namespace::new(), Namespace::new());
    connect(&node, &peer, "eth0");
    node.ip("address add 192.0.2.1/24 dev eth0");
    node.ip("address add 2001:db8::1/64 dev eth0");
    let (name, far) = (node.name().to_owned(), peer.name().to_owned());
    node.run(move || async move {
        let ip = |arguments: &str| {
            let mut all = vec!["-n", name.as_str()];
            all.extend(arguments.split_whitespace());
            common::ip(&all)
        };
        let mut watch = LinkWatch::open().unwrap();
        synced(&mut watch).await;
        // The kernel tells the carrier, and IPv6 addresses as usable, some time after "up".
        until(&mut watch, "ready", |w| {
            let eth0 = link(w, "eth0").unwrap();
            eth0.running && eth0.ipv6_link_local().is_some() && eth0.ipv6_global().is_some()
        })
        .await;
        let eth0 = link(&watch, "eth0").unwrap();
        assert!(eth0.up && eth0.broadcast && eth0.mac.is_some(), "{eth0:?}");
        assert_eq!(eth0.ipv4(), "192.0.2.1".parse().ok());
        assert_eq!(eth0.ipv6_global(), "2001:db8::1".parse().ok());
        let lo = link(&watch, "lo").unwrap();
        assert!(lo.loopback && lo.mac.is_none() && !lo.broadcast, "{lo:?}");

        ip("link set eth0 address 02:00:00:00:00:77");
        until(&mut watch, "new MAC", |w| {
            link(w, "eth0").unwrap().mac == Some([2, 0, 0, 0, 0, 0x77])
        })
        .await;
        ip("address del 192.0.2.1/24 dev eth0");
        until(&mut watch, "address gone", |w| {
            link(w, "eth0").unwrap().ipv4().is_none()
        })
        .await;
        common::ip(&["-n", &far, "link", "set", "eth0", "down"]);
        until(&mut watch, "carrier lost", |w| {
            let eth0 = link(w, "eth0").unwrap();
            eth0.up && !eth0.running
        })
        .await;
        ip("link set eth0 down");
        until(&mut watch, "down", |w| {
            let eth0 = link(w, "eth0").unwrap();
            !eth0.up && eth0.ipv6_link_local().is_none()
        })
        .await;
        ip("link add br0 type bridge");
        ip("link set eth0 master br0");
        until(&mut watch, "enslaved", |w| {
            link(w, "eth0").unwrap().master == link(w, "br0").map(|br0| br0.ifindex)
        })
        .await;
        ip("link set eth0 up");
        common::ip(&["-n", &far, "link", "set", "eth0", "up"]);
        ip("address add 192.0.2.1/24 dev eth0");
        until(&mut watch, "address of a port", |w| {
            link(w, "eth0").unwrap().ipv4().is_some()
        })
        .await;
        ip("link set eth0 nomaster");
        until(&mut watch, "released", |w| {
            link(w, "eth0").is_some_and(|eth0| eth0.master.is_none())
        })
        .await;
        let eth0 = link(&watch, "eth0").unwrap();
        assert_eq!(
            eth0.ipv4(),
            "192.0.2.1".parse().ok(),
            "it keeps its addresses"
        );
        ip("link set br0 name br1");
        until(&mut watch, "renamed", |w| {
            link(w, "br1").is_some() && link(w, "br0").is_none()
        })
        .await;
        ip("link del eth0");
        until(&mut watch, "gone", |w| link(w, "eth0").is_none()).await;
    });
}

#[test]
fn lost_events_are_made_good() {
    if !is_able() {
        return;
    }
    let node = Namespace::new();
    let name = node.name().to_owned();
    node.run(move || async move {
        let mut watch = LinkWatch::with_receive_buffer(4096).unwrap();
        synced(&mut watch).await;
        for n in 0..40 {
            let (a, b) = (format!("a{n}"), format!("b{n}"));
            common::ip(&[
                "-n", &name, "link", "add", &a, "type", "veth", "peer", "name", &b,
            ]);
        }
        common::ip(&["-n", &name, "link", "del", "a0"]);
        timeout(Duration::from_secs(10), synced(&mut watch))
            .await
            .unwrap();
        until(&mut watch, "complete", |w| {
            link(w, "b39").is_some() && link(w, "a0").is_none() && w.links().iter().count() == 79
        })
        .await;
    });
}
