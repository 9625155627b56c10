// SPDX-License-Identifier: Apache-2.0
//! The frames against bytes from the wire, against an independent codec, and against any bytes.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use std::net::{Ipv4Addr, Ipv6Addr};

use etherparse::{
    EtherType, Icmpv6Type, NetSlice, SlicedPacket, TransportSlice,
    icmpv6::{NdpOptionSlice, NeighborAdvertisementPayloadSlice, NeighborSolicitationPayloadSlice},
};
use ferrolb_l2::{
    Config, Input, Interface, MacAddress, Responder, Scope,
    wire::{WireError, arp, ethernet, ipv6, ndp},
};
use proptest::prelude::*;

/// `who-has 192.0.2.1 tell 192.0.2.9`, written out after RFC 826.
const ARP_REQUEST: &str = "ffffffffffff020000000009 0806 0001 0800 06 04 0001 \
     020000000009 c0000209 000000000000 c0000201";

/// A solicitation for fe80::200:ff:fe00:1, written out after RFC 4861; the checksum was added up apart
/// from this crate.
const SOLICITATION: &str = "3333ff000001020000000009 86dd 60000000 0020 3a ff \
     fe80000000000000 00000000000000 09 ff02000000000000 00000001ff000001 \
     87 00 7989 00000000 fe80000000000000 020000fffe000001 01 01 020000000009";

fn hex(text: &str) -> Vec<u8> {
    let digits: String = text.split_whitespace().collect();
    let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    (0..digits.len()).step_by(2).map(byte).collect()
}

fn payload(frame: &[u8]) -> &[u8] {
    ethernet::Header::parse(frame).unwrap().1
}

#[test]
fn arp_vector_both_ways() {
    let bytes = hex(ARP_REQUEST);
    let packet = arp::Packet::parse(payload(&bytes)).unwrap();
    let want = arp::Packet {
        operation: arp::Operation::Request,
        sender_mac: MacAddress([2, 0, 0, 0, 0, 9]),
        sender: Ipv4Addr::new(192, 0, 2, 9),
        target_mac: MacAddress::ZERO,
        target: Ipv4Addr::new(192, 0, 2, 1),
    };
    assert_eq!(packet, want);
    let frame = packet.emit(MacAddress::BROADCAST);
    let (head, padding) = frame.as_bytes().split_at(42);
    assert_eq!((head, padding), (&bytes[..], &[0; 18][..]));
}

#[test]
fn solicitation_vector_both_ways() {
    let bytes = hex(SOLICITATION);
    let (header, body) = ethernet::Header::parse(&bytes).unwrap();
    let packet = ndp::Packet::parse(body).unwrap().unwrap();
    let target: Ipv6Addr = "fe80::200:ff:fe00:1".parse().unwrap();
    let source_link = Some(MacAddress([2, 0, 0, 0, 0, 9]));
    assert_eq!(
        packet.message,
        ndp::Message::Solicitation {
            target,
            source_link
        }
    );
    assert_eq!(packet.header.destination, ipv6::solicited_node(target));
    assert_eq!(
        packet.emit(header.source, header.destination).as_bytes(),
        bytes
    );
}

#[test]
fn what_the_protocols_forbid_is_refused() {
    let change = |at: usize, value: u8| {
        let mut bytes = hex(SOLICITATION);
        bytes[at] = value;
        bytes
    };
    let table = [
        ("hop limit 254", change(21, 254), WireError::HopLimit),
        ("not ICMPv6", change(20, 17), WireError::Protocol),
        ("not version 6", change(14, 0x40), WireError::Protocol),
        ("checksum", change(56, 0), WireError::Checksum),
        (
            "payload longer than the frame",
            change(19, 0xff),
            WireError::Truncated,
        ),
    ];
    for (name, bytes, want) in table {
        assert_eq!(ndp::Packet::parse(payload(&bytes)), Err(want), "{name}");
    }
    for (name, at, value, want) in [
        ("token ring", 15, 6, WireError::Protocol),
        ("short addresses", 18, 5, WireError::Protocol),
    ] {
        let mut bytes = hex(ARP_REQUEST);
        bytes[at] = value;
        assert_eq!(arp::Packet::parse(payload(&bytes)), Err(want), "{name}");
    }
}

/// RFC 4861 7.1.1, checksum right each time.
#[test]
fn forbidden_fields_are_refused_with_a_right_checksum() {
    let header = ipv6::Header {
        source: "fe80::9".parse().unwrap(),
        destination: "fe80::1".parse().unwrap(),
    };
    let target = "fe80::1".parse::<Ipv6Addr>().unwrap().octets();
    let message = |code: u8, target: [u8; 16], option: &[u8]| {
        let mut bytes = vec![135, code, 0, 0, 0, 0, 0, 0];
        bytes.extend_from_slice(&target);
        bytes.extend_from_slice(option);
        let sum = header.checksum(&bytes).to_be_bytes();
        bytes[2..4].copy_from_slice(&sum);
        let mut packet = vec![0x60, 0, 0, 0, 0, bytes.len() as u8, 58, 255];
        packet.extend_from_slice(&header.source.octets());
        packet.extend_from_slice(&header.destination.octets());
        packet.extend_from_slice(&bytes);
        ndp::Packet::parse(&packet)
    };
    assert!(matches!(message(0, target, &[]), Ok(Some(_))));
    assert!(
        matches!(message(0, target, &[14, 1, 1, 2, 3, 4, 5, 6]), Ok(Some(_))),
        "nonce option"
    );
    assert_eq!(message(1, target, &[]), Err(WireError::Forbidden), "code");
    assert_eq!(
        message(0, [0xff; 16], &[]),
        Err(WireError::Forbidden),
        "target is a group"
    );
    assert_eq!(
        message(0, target, &[1, 0]),
        Err(WireError::Forbidden),
        "option of length 0"
    );
    assert_eq!(
        message(0, target, &[1, 2, 0, 0]),
        Err(WireError::Truncated),
        "option too long"
    );
}

fn mac() -> impl Strategy<Value = MacAddress> {
    any::<[u8; 6]>().prop_map(MacAddress)
}

fn unicast6() -> impl Strategy<Value = Ipv6Addr> {
    any::<Ipv6Addr>().prop_filter("unicast", |a| !a.is_multicast() && !a.is_unspecified())
}

fn arp_packet() -> impl Strategy<Value = arp::Packet> {
    (
        any::<u16>(),
        mac(),
        any::<Ipv4Addr>(),
        mac(),
        any::<Ipv4Addr>(),
    )
        .prop_map(
            |(operation, sender_mac, sender, target_mac, target)| arp::Packet {
                operation: operation.into(),
                sender_mac,
                sender,
                target_mac,
                target,
            },
        )
}

fn ndp_packet() -> impl Strategy<Value = ndp::Packet> {
    let link = proptest::option::of(mac());
    (unicast6(), unicast6(), unicast6(), any::<[bool; 4]>(), link).prop_map(
        |(source, destination, target, [asks, router, solicited, overrides], link)| {
            let message = if asks {
                ndp::Message::Solicitation {
                    target,
                    source_link: link,
                }
            } else {
                let flags = ndp::Flags {
                    router,
                    solicited,
                    overrides,
                };
                ndp::Message::Advertisement {
                    target,
                    flags,
                    target_link: link,
                }
            };
            ndp::Packet {
                header: ipv6::Header {
                    source,
                    destination,
                },
                message,
            }
        },
    )
}

/// The link-layer address option as the independent codec reads it.
fn option_of<'a>(
    options: impl Iterator<Item = Result<NdpOptionSlice<'a>, impl std::fmt::Debug>>,
) -> Option<MacAddress> {
    options.map(Result::unwrap).find_map(|option| match option {
        NdpOptionSlice::SourceLinkLayerAddress(o) => {
            Some(MacAddress(o.link_layer_address().try_into().unwrap()))
        }
        NdpOptionSlice::TargetLinkLayerAddress(o) => {
            Some(MacAddress(o.link_layer_address().try_into().unwrap()))
        }
        _ => None,
    })
}

/// A responder with the addresses the random frames are likely to ask for.
fn responder() -> Responder {
    let (mut responder, now) = (
        Responder::new(&Config::default()),
        std::time::Instant::now(),
    );
    let mac = MacAddress([2, 0, 0, 0, 0, 1]);
    let ndp = "fe80::1".parse().ok();
    let eth0 = Interface {
        ifindex: 1,
        name: "eth0".into(),
        mac,
        arp: true,
        ndp,
    };
    responder.handle(now, Input::Interface(eth0));
    while responder.poll().is_some() {}
    for address in ["192.0.2.1", "fe80::200:ff:fe00:1"] {
        let address = address.parse().unwrap();
        responder.handle(
            now,
            Input::Announce {
                address,
                scope: Scope::All,
            },
        );
        while responder.poll().is_some() {}
    }
    responder
}

proptest! {
    #[test]
    fn arp_agrees_with_an_independent_codec(packet in arp_packet(), destination in mac()) {
        let frame = packet.emit(destination);
        prop_assert_eq!(frame.as_bytes().len(), 60);
        prop_assert_eq!(arp::Packet::parse(payload(frame.as_bytes())), Ok(packet));
        let sliced = SlicedPacket::from_ethernet(frame.as_bytes()).unwrap();
        let Some(NetSlice::Arp(arp)) = sliced.net else { panic!("no ARP: {sliced:?}") };
        prop_assert_eq!(arp.operation().0, u16::from(packet.operation));
        prop_assert_eq!(arp.sender_hw_addr(), &packet.sender_mac.0);
        prop_assert_eq!(arp.sender_protocol_addr(), &packet.sender.octets());
        prop_assert_eq!(arp.target_hw_addr(), &packet.target_mac.0);
        prop_assert_eq!(arp.target_protocol_addr(), &packet.target.octets());
    }

    #[test]
    fn ndp_agrees_with_an_independent_codec(packet in ndp_packet(), from in mac(), to in mac()) {
        let frame = packet.emit(from, to);
        prop_assert_eq!(ndp::Packet::parse(payload(frame.as_bytes())), Ok(Some(packet)));
        let sliced = SlicedPacket::from_ethernet(frame.as_bytes()).unwrap();
        prop_assert_eq!(sliced.payload_ether_type(), None::<EtherType>);
        let Some(NetSlice::Ipv6(ip)) = &sliced.net else { panic!("no IPv6") };
        let Some(TransportSlice::Icmpv6(icmp)) = &sliced.transport else { panic!("no ICMPv6") };
        let (source, destination) = (packet.header.source, packet.header.destination);
        prop_assert_eq!(ip.header().source_addr(), source);
        prop_assert_eq!(ip.header().destination_addr(), destination);
        prop_assert_eq!(ip.header().hop_limit(), 255);
        prop_assert!(icmp.is_checksum_valid(source.octets(), destination.octets()));
        match (icmp.icmp_type(), packet.message) {
            (Icmpv6Type::NeighborSolicitation, ndp::Message::Solicitation { target, source_link }) => {
                let body = NeighborSolicitationPayloadSlice::from_slice(icmp.payload()).unwrap();
                prop_assert_eq!(body.target_address(), target);
                prop_assert_eq!(option_of(body.options_iterator()), source_link);
            }
            (
                Icmpv6Type::NeighborAdvertisement(head),
                ndp::Message::Advertisement { target, flags, target_link },
            ) => {
                let body = NeighborAdvertisementPayloadSlice::from_slice(icmp.payload()).unwrap();
                prop_assert_eq!(body.target_address(), target);
                prop_assert_eq!(option_of(body.options_iterator()), target_link);
                let read = ndp::Flags {
                    router: head.router,
                    solicited: head.solicited,
                    overrides: head.r#override,
                };
                prop_assert_eq!(read, flags);
            }
            other => panic!("another message: {other:?}"),
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..160)) {
        let _ = arp::Packet::parse(&bytes);
        let _ = ndp::Packet::parse(&bytes);
        let mut responder = responder();
        responder.handle(std::time::Instant::now(), Input::Frame { ifindex: 1, bytes: &bytes });
    }

    /// A valid frame with some bytes overwritten and its end cut off reaches further than noise.
    #[test]
    fn damaged_frames_are_read_or_refused(
        solicits in any::<bool>(),
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        length in any::<prop::sample::Index>(),
    ) {
        let mut bytes = hex(if solicits { SOLICITATION } else { ARP_REQUEST });
        for (at, value) in damage {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        bytes.truncate(length.index(bytes.len() + 1));
        let mut responder = responder();
        responder.handle(std::time::Instant::now(), Input::Frame { ifindex: 1, bytes: &bytes });
        prop_assert!(std::iter::from_fn(|| responder.poll()).count() <= 2);
    }
}
