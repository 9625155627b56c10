// SPDX-License-Identifier: Apache-2.0
//! Connections and listeners against a real kernel.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod common;

use std::{io::ErrorKind, net::SocketAddr, time::Duration};

use common::{Namespace, connect as cable, is_able};
use ferrolb_netio::tcp::{Connect, Connection, Listen, Listener, TcpError, connect};
use ferrolb_types::Secret;
use tokio::time::timeout;

/// Two namespaces with 192.0.2.1 and .2, 2001:db8::1 and ::2.
fn pair() -> (Namespace, Namespace) {
    let (router, node) = (Namespace::new(), Namespace::new());
    cable(&router, &node, "eth0");
    for (namespace, host) in [(&router, 1), (&node, 2)] {
        namespace.ip(&format!("address add 192.0.2.{host}/24 dev eth0"));
        namespace.ip(&format!("address add 2001:db8::{host}/64 dev eth0 nodad"));
    }
    for namespace in [&router, &node] {
        until_usable(namespace);
    }
    (router, node)
}

/// Waits until no address is tentative: even without duplicate address detection it takes a carrier.
fn until_usable(namespace: &Namespace) {
    for _ in 0..500 {
        if namespace.ip("-6 address show tentative").trim().is_empty() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("addresses stay tentative");
}

fn listen(address: &str) -> Listen {
    Listen {
        address: address.parse().unwrap(),
        device: None,
    }
}

/// Listens in the namespace, with a key for `peer`, and takes one connection.
fn serve(
    router: &Namespace,
    address: &'static str,
    peer: &'static str,
    key: Option<&'static str>,
) -> std::thread::JoinHandle<Option<SocketAddr>> {
    let (ready, wait) = std::sync::mpsc::channel();
    let thread = router.spawn(move || async move {
        let listener = open_again(&listen(address)).await;
        let key = key.map(Secret::new);
        listener
            .set_key(peer.parse().unwrap(), key.as_ref())
            .unwrap();
        ready.send(()).unwrap();
        let accepted = timeout(Duration::from_millis(1500), listener.accept()).await;
        accepted.ok().map(|result| result.unwrap().1)
    });
    wait.recv().unwrap();
    thread
}

/// Opens a listener where one may have been closed a moment ago: a command that another test starts
/// holds the closed socket too, from its fork until its exec.
async fn open_again(options: &Listen) -> Listener {
    for _ in 0..500 {
        match Listener::open(options) {
            Err(TcpError::Address { source, .. }) if source.kind() == ErrorKind::AddrInUse => {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            opened => return opened.unwrap(),
        }
    }
    panic!("the port stays in use");
}

async fn dial(options: Connect) -> Option<Connection> {
    let result = timeout(Duration::from_millis(1200), connect(&options)).await;
    result.ok().map(Result::unwrap)
}

#[test]
fn md5_keys_must_agree_in_both_families() {
    if !is_able() {
        return;
    }
    let table = [
        ("right key", Some("secret"), Some("secret"), true),
        ("wrong key", Some("secret"), Some("Secret"), false),
        ("key missing here", Some("secret"), None, false),
        ("key missing there", None, Some("secret"), false),
        ("no key at all", None, None, true),
    ];
    for (address, peer) in [
        ("192.0.2.1:179", "192.0.2.2"),
        ("[2001:db8::1]:179", "2001:db8::2"),
    ] {
        let (router, node) = pair();
        for (name, theirs, ours, works) in table {
            let server = serve(&router, address, peer, theirs);
            let password = ours.map(Secret::new);
            let options = Connect {
                password,
                ..Connect::to(address.parse().unwrap())
            };
            let connected = node.run(move || async move { dial(options).await.is_some() });
            assert_eq!(connected, works, "{name}, {address}");
            assert_eq!(server.join().unwrap().is_some(), works, "{name}, {address}");
        }
    }
}

#[test]
fn a_password_that_is_too_long_is_refused() {
    if !is_able() {
        return;
    }
    let (_router, node) = pair();
    node.run(|| async {
        let password = Some(Secret::new(vec![b'x'; 81]));
        let options = Connect {
            password,
            ..Connect::to("192.0.2.1:179".parse().unwrap())
        };
        let error = connect(&options).await.unwrap_err();
        assert!(matches!(error, TcpError::Password(_)), "{error:?}");
        assert!(!error.to_string().contains("xxx"), "{error}");
    });
}

#[test]
fn the_source_is_used_or_its_absence_told() {
    if !is_able() {
        return;
    }
    let (router, node) = pair();
    node.ip("address add 192.0.2.77/24 dev eth0");
    for (source, missing, from) in [
        ("192.0.2.77", false, "192.0.2.77"),
        ("203.0.113.9", true, "192.0.2.2"),
    ] {
        let server = serve(&router, "192.0.2.1:179", "192.0.2.2", None);
        let source = source.parse().unwrap();
        let connection = node.run(move || async move {
            let device = Some("eth0".into());
            let to = Connect::to("192.0.2.1:179".parse().unwrap());
            let connection = dial(Connect {
                source: Some(source),
                device,
                ..to
            })
            .await
            .unwrap();
            (
                connection.source_missing,
                connection.local.ip(),
                connection.remote.port(),
            )
        });
        let want = (missing.then_some(source), from.parse().unwrap(), 179);
        assert_eq!(connection, want);
        assert_eq!(server.join().unwrap().unwrap().ip(), want.1);
    }
}

/// A router between: with TTL 1 the connection ends there, and a least TTL of 255 takes direct
/// neighbours alone.
#[test]
fn the_time_to_live_bounds_the_distance() {
    if !is_able() {
        return;
    }
    let (middle, node) = pair();
    let far = Namespace::new();
    cable(&middle, &far, "eth1");
    middle.ip("address add 198.51.100.1/24 dev eth1");
    middle.sysctl("net.ipv4.ip_forward=1");
    far.ip("address add 198.51.100.2/24 dev eth1");
    far.ip("route add default via 198.51.100.1");
    node.ip("route add default via 192.0.2.1");
    let table = [
        (None, None, true),
        (Some(2), None, true),
        (Some(1), None, false),
        (None, Some(255), false),
    ];
    for (ttl, min_ttl, works) in table {
        let server = serve(&far, "198.51.100.2:179", "192.0.2.2", None);
        let options = Connect {
            ttl,
            min_ttl,
            ..Connect::to("198.51.100.2:179".parse().unwrap())
        };
        let connected = node.run(move || async move {
            let result = timeout(Duration::from_millis(1200), connect(&options)).await;
            matches!(result, Ok(Ok(_)))
        });
        assert_eq!(connected, works, "ttl {ttl:?}, least {min_ttl:?}");
        server.join().unwrap();
    }
}

#[test]
fn faults_are_told_by_their_step() {
    if !is_able() {
        return;
    }
    let (_router, node) = pair();
    node.run(|| async {
        let to = Connect::to("192.0.2.1:179".parse().unwrap());
        let error = connect(&to).await.unwrap_err();
        let TcpError::Connect(refused) = error else {
            panic!("{error:?}")
        };
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        let device = Some("nowhere".to_owned());
        let error = connect(&Connect { device, ..to }).await.unwrap_err();
        assert!(matches!(error, TcpError::Device { .. }), "{error:?}");

        let first = Listener::open(&listen("[::]:179")).unwrap();
        let v4_beside_it = Listener::open(&listen("0.0.0.0:179")).unwrap();
        assert_eq!(v4_beside_it.local_addr().unwrap().port(), 179);
        let error = Listener::open(&listen("[::]:179")).unwrap_err();
        assert!(matches!(error, TcpError::Address { .. }), "{error:?}");
        drop(first);
        open_again(&listen("[::]:179")).await;
    });
}
