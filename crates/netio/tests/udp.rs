// SPDX-License-Identifier: Apache-2.0
//! Datagrams and their source against a real kernel.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod common;

use std::{
    io::ErrorKind,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use common::{Namespace, connect, is_able};
use ferrolb_netio::udp::{self, Buffers, Datagrams};

/// What fits is of no matter here.
const SOME: Buffers = Buffers {
    receive: 1 << 16,
    send: 1 << 16,
};

async fn receive(socket: &Datagrams) -> (Vec<u8>, IpAddr) {
    let mut buffer = [0; 64];
    let next = std::future::poll_fn(|cx| socket.poll_receive(cx, &mut buffer));
    let (length, source) = tokio::time::timeout(Duration::from_secs(5), next)
        .await
        .unwrap()
        .unwrap();
    (buffer.get(..length).unwrap().to_vec(), source)
}

#[test]
fn a_datagram_comes_from_the_address_that_was_asked_for() {
    if !is_able() {
        return;
    }
    let namespace = Namespace::new();
    for address in ["192.0.2.1/32", "192.0.2.2/32"] {
        namespace.ip(&format!("address add {address} dev lo"));
    }
    for address in ["2001:db8::1/128", "2001:db8::2/128"] {
        namespace.ip(&format!("address add {address} dev lo nodad"));
    }
    namespace.run(|| async {
        for (any, to, own, foreign) in [
            ("0.0.0.0:7947", "192.0.2.1:7947", "192.0.2.2", "192.0.2.9"),
            (
                "[::]:7947",
                "[2001:db8::1]:7947",
                "2001:db8::2",
                "2001:db8::9",
            ),
        ] {
            let socket = Datagrams::open(any.parse().unwrap(), SOME).unwrap();
            let (to, own): (SocketAddr, IpAddr) = (to.parse().unwrap(), own.parse().unwrap());
            socket.send(b"one", to, Some(own)).unwrap();
            assert_eq!(receive(&socket).await, (b"one".to_vec(), own));
            // To an address of its own the kernel sends from that address.
            socket.send(b"two", to, None).unwrap();
            assert_eq!(receive(&socket).await, (b"two".to_vec(), to.ip()));
            let foreign = Some(foreign.parse().unwrap());
            let refused = socket.send(b"three", to, foreign).unwrap_err();
            assert!(udp::may_be_source(&refused), "{refused}");
        }
    });
}

#[tokio::test]
async fn the_receive_buffer_is_what_was_asked_for_or_what_the_kernel_grants() {
    let open = |receive| {
        let buffers = Buffers { receive, ..SOME };
        let socket = Datagrams::open("127.0.0.1:0".parse().unwrap(), buffers).unwrap();
        socket.receive_buffer().unwrap()
    };
    assert_eq!(open(100_000), 100_000);
    let most = std::fs::read_to_string("/proc/sys/net/core/rmem_max").unwrap();
    let most: usize = most.trim().parse().unwrap();
    assert_eq!(open(1 << 30), most.min(1 << 30));
}

#[test]
fn what_waits_for_a_neighbour_holds_up_no_sender_and_no_other_socket() {
    if !is_able() {
        return;
    }
    let [here, there] = [Namespace::new(), Namespace::new()];
    connect(&here, &there, "eth0");
    here.ip("address add 192.0.2.1/24 dev eth0");
    there.ip("address add 192.0.2.2/24 dev eth0");
    let (tell, is_open) = std::sync::mpsc::channel();
    let waiting = there.spawn(move || async move {
        let socket = Datagrams::open("0.0.0.0:7947".parse().unwrap(), SOME).unwrap();
        tell.send(()).unwrap();
        receive(&socket).await
    });
    is_open.recv().unwrap();
    here.run(|| async {
        let any = "0.0.0.0:0".parse().unwrap();
        let [full, free] = [any, any].map(|any| Datagrams::open(any, SOME).unwrap());
        let dark: SocketAddr = "192.0.2.3:7947".parse().unwrap();
        // A datagram counts as some hundreds of octets at least.
        let refused = (0..1000).find_map(|_| full.send(b"one", dark, None).err());
        assert_eq!(refused.unwrap().kind(), ErrorKind::WouldBlock);
        let living: SocketAddr = "192.0.2.2:7947".parse().unwrap();
        let refused = full.send(b"two", living, None).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::WouldBlock);
        free.send(b"three", living, None).unwrap();
    });
    let own: IpAddr = "192.0.2.1".parse().unwrap();
    assert_eq!(waiting.join().unwrap(), (b"three".to_vec(), own));
}
