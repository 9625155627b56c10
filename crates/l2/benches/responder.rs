// SPDX-License-Identifier: Apache-2.0
//! From a request to its answer, in the machine alone, with thousands of addresses owned.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use std::{
    hint::black_box,
    net::{Ipv4Addr, Ipv6Addr},
    time::Instant,
};

use criterion::{Criterion, criterion_group, criterion_main};
use ferrolb_l2::{
    Config, Input, Interface, MacAddress, Responder, Scope,
    wire::{
        Frame, arp,
        ipv6::{self, solicited_node},
        ndp,
    },
};

const ADDRESSES: u16 = 5000;
const OURS: MacAddress = MacAddress([2, 0, 0, 0, 0, 1]);
const CLIENT: MacAddress = MacAddress([2, 0, 0, 0, 0, 2]);

fn responder(now: Instant) -> Responder {
    let mut responder = Responder::new(&Config::default());
    let ndp = "fe80::1".parse().ok();
    let interface = Interface {
        ifindex: 1,
        name: "eth0".into(),
        mac: OURS,
        arp: true,
        ndp,
    };
    responder.handle(now, Input::Interface(interface));
    for n in 0..ADDRESSES {
        for address in [v4(n).into(), v6(n).into()] {
            while responder.poll().is_some() {}
            responder.handle(
                now,
                Input::Announce {
                    address,
                    scope: Scope::All,
                },
            );
        }
    }
    while responder.poll().is_some() {}
    responder
}

fn v4(n: u16) -> Ipv4Addr {
    let [high, low] = n.to_be_bytes();
    Ipv4Addr::from([198, 18, high, low])
}

fn v6(n: u16) -> Ipv6Addr {
    Ipv6Addr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, n])
}

fn requests() -> [(&'static str, Frame); 2] {
    let (four, target) = (v4(2500), v6(2500));
    let arp = arp::Packet {
        operation: arp::Operation::Request,
        sender_mac: CLIENT,
        sender: [198, 18, 255, 1].into(),
        target_mac: MacAddress::ZERO,
        target: four,
    };
    let destination = solicited_node(target);
    let source = [0xfe80, 0, 0, 0, 0, 0, 0, 2].into();
    let ndp = ndp::Packet {
        header: ipv6::Header {
            source,
            destination,
        },
        message: ndp::Message::Solicitation {
            target,
            source_link: Some(CLIENT),
        },
    };
    [
        ("arp request to reply", arp.emit(MacAddress::BROADCAST)),
        (
            "solicitation to advertisement",
            ndp.emit(CLIENT, MacAddress::of_group(destination)),
        ),
    ]
}

fn answers(criterion: &mut Criterion) {
    let now = Instant::now();
    let mut responder = responder(now);
    for (name, frame) in requests() {
        criterion.bench_function(name, |bencher| {
            bencher.iter(|| {
                let bytes = black_box(frame.as_bytes());
                responder.handle(now, Input::Frame { ifindex: 1, bytes });
                let answer = responder.poll();
                while responder.poll().is_some() {}
                answer
            });
        });
    }
}

criterion_group!(benches, answers);
criterion_main!(benches);
