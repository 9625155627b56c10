// SPDX-License-Identifier: Apache-2.0
//! The answer rules as tables, ownership and conflicts over time.

use std::{
    net::{Ipv4Addr, Ipv6Addr},
    time::Duration,
};

use super::*;
use crate::wire::{
    Frame, arp,
    ipv6::{self, ALL_NODES, solicited_node},
    ndp,
};

const ETH0: MacAddress = MacAddress([2, 0, 0, 0, 0, 1]);
const ETH1: MacAddress = MacAddress([2, 0, 0, 0, 0, 2]);
const CLIENT: MacAddress = MacAddress([2, 0, 0, 0, 0, 9]);
const RIVAL: MacAddress = MacAddress([2, 0, 0, 0, 0, 8]);
const OTHER: MacAddress = MacAddress([2, 0, 0, 0, 0, 7]);

fn vip4() -> Ipv4Addr {
    Ipv4Addr::new(192, 0, 2, 1)
}

fn vip6() -> Ipv6Addr {
    "2001:db8::1".parse().unwrap()
}

fn link_local(n: u16) -> Ipv6Addr {
    Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, n)
}

fn interface(ifindex: u32, mac: MacAddress) -> Interface {
    let name = format!("eth{}", ifindex - 1).into();
    Interface {
        ifindex,
        name,
        mac,
        arp: true,
        ndp: Some(link_local(ifindex as u16)),
    }
}

fn drain(responder: &mut Responder) -> Vec<Output> {
    std::iter::from_fn(|| responder.poll()).collect()
}

fn feed(responder: &mut Responder, now: Instant, input: Input<'_>) -> Vec<Output> {
    responder.handle(now, input);
    drain(responder)
}

fn announce(address: impl Into<IpAddr>, scope: Scope) -> Input<'static> {
    Input::Announce {
        address: address.into(),
        scope,
    }
}

fn only(name: &str) -> Scope {
    Scope::Named([name.into()].into())
}

/// Two interfaces; both addresses announced, on `eth0` alone; the bursts over, no refresh.
fn quiet(now: Instant) -> Responder {
    let mut responder = Responder::new(&Config {
        refresh: None,
        ..Config::default()
    });
    feed(&mut responder, now, Input::Interface(interface(1, ETH0)));
    feed(&mut responder, now, Input::Interface(interface(2, ETH1)));
    feed(&mut responder, now, announce(vip4(), only("eth0")));
    feed(&mut responder, now, announce(vip6(), only("eth0")));
    while let Some(at) = responder.deadline() {
        feed(&mut responder, at, Input::Timeout);
    }
    responder
}

fn arp_request(sender: [u8; 4], target: Ipv4Addr) -> arp::Packet {
    arp::Packet {
        operation: arp::Operation::Request,
        sender_mac: CLIENT,
        sender: sender.into(),
        target_mac: MacAddress::ZERO,
        target,
    }
}

#[test]
fn arp_is_answered_as_the_table_says() {
    let asked = arp_request([192, 0, 2, 9], vip4());
    let unknown = arp_request([192, 0, 2, 9], Ipv4Addr::new(192, 0, 2, 2));
    let reply = arp::Packet {
        operation: arp::Operation::Reply,
        ..asked
    };
    let reverse = arp::Packet {
        operation: arp::Operation::Other(3),
        ..asked
    };
    let to_all = arp::Packet {
        sender_mac: MacAddress::BROADCAST,
        ..asked
    };
    let table = [
        ("broadcast request", 1, MacAddress::BROADCAST, asked, true),
        ("unicast request to our address", 1, ETH0, asked, true),
        (
            "probe",
            1,
            MacAddress::BROADCAST,
            arp_request([0; 4], vip4()),
            true,
        ),
        ("request to a foreign address", 1, OTHER, asked, false),
        ("request to our other interface", 1, ETH1, asked, false),
        ("not owned", 1, MacAddress::BROADCAST, unknown, false),
        (
            "owned, but not for this interface",
            2,
            MacAddress::BROADCAST,
            asked,
            false,
        ),
        ("unknown interface", 7, MacAddress::BROADCAST, asked, false),
        ("reply", 1, ETH0, reply, false),
        ("reverse request", 1, MacAddress::BROADCAST, reverse, false),
        (
            "sender that is a group",
            1,
            MacAddress::BROADCAST,
            to_all,
            false,
        ),
    ];
    let (now, want) = (Instant::now(), |packet: &arp::Packet| {
        packet.reply(ETH0).emit(CLIENT)
    });
    for (name, ifindex, destination, packet, answered) in table {
        let mut responder = quiet(now);
        let bytes = packet.emit(destination);
        let input = Input::Frame {
            ifindex,
            bytes: bytes.as_bytes(),
        };
        let out = feed(&mut responder, now, input);
        let answer = Output::SendArp {
            ifindex,
            frame: want(&packet),
        };
        assert_eq!(out, if answered { vec![answer] } else { vec![] }, "{name}");
        let (.., counters) = responder.addresses().next().unwrap();
        let count = u64::from(answered);
        assert_eq!(
            (counters.requests_received, counters.responses_sent),
            (count, count),
            "{name}"
        );
    }
}

fn solicitation(
    source: Ipv6Addr,
    destination: Ipv6Addr,
    target: Ipv6Addr,
    source_link: Option<MacAddress>,
) -> ndp::Packet {
    let message = ndp::Message::Solicitation {
        target,
        source_link,
    };
    ndp::Packet {
        header: ipv6::Header {
            source,
            destination,
        },
        message,
    }
}

fn advertisement(destination: Ipv6Addr, solicited: bool, overrides: bool) -> ndp::Packet {
    let flags = ndp::Flags {
        router: false,
        solicited,
        overrides,
    };
    let target_link = Some(ETH0);
    let message = ndp::Message::Advertisement {
        target: vip6(),
        flags,
        target_link,
    };
    ndp::Packet {
        header: ipv6::Header {
            source: link_local(1),
            destination,
        },
        message,
    }
}

#[test]
fn solicitations_are_answered_as_the_table_says() {
    let (peer, group, none) = (link_local(9), solicited_node(vip6()), Ipv6Addr::UNSPECIFIED);
    let group_mac = MacAddress::of_group(group);
    let solicited = advertisement(peer, true, false).emit(ETH0, CLIENT);
    let to_all = advertisement(ALL_NODES, false, true);
    let to_all = to_all.emit(ETH0, MacAddress::of_group(ALL_NODES));
    let ask = |source, destination, link| solicitation(source, destination, vip6(), link);
    let foreign = solicitation(peer, group, "2001:db8::2".parse().unwrap(), Some(CLIENT));
    let table = [
        (
            "multicast",
            1,
            group_mac,
            ask(peer, group, Some(CLIENT)),
            Some(&solicited),
        ),
        (
            "multicast without option",
            1,
            group_mac,
            ask(peer, group, None),
            Some(&solicited),
        ),
        (
            "unicast",
            1,
            ETH0,
            ask(peer, vip6(), Some(CLIENT)),
            Some(&solicited),
        ),
        (
            "unicast without option",
            1,
            ETH0,
            ask(peer, vip6(), None),
            Some(&solicited),
        ),
        (
            "duplicate address probe",
            1,
            group_mac,
            ask(none, group, None),
            Some(&to_all),
        ),
        (
            "probe to a unicast address",
            1,
            ETH0,
            ask(none, vip6(), None),
            None,
        ),
        (
            "probe with an option",
            1,
            group_mac,
            ask(none, group, Some(CLIENT)),
            None,
        ),
        (
            "option with a group",
            1,
            group_mac,
            ask(peer, group, Some(group_mac)),
            None,
        ),
        (
            "to a foreign address",
            1,
            OTHER,
            ask(peer, vip6(), Some(CLIENT)),
            None,
        ),
        (
            "not for this interface",
            2,
            group_mac,
            ask(peer, group, Some(CLIENT)),
            None,
        ),
        ("not owned", 1, group_mac, foreign, None),
    ];
    let now = Instant::now();
    for (name, ifindex, destination, packet, answer) in table {
        let mut responder = quiet(now);
        let bytes = packet.emit(CLIENT, destination);
        let out = feed(
            &mut responder,
            now,
            Input::Frame {
                ifindex,
                bytes: bytes.as_bytes(),
            },
        );
        let want = answer.map(|frame| Output::SendNdp {
            ifindex,
            frame: frame.clone(),
        });
        assert_eq!(out, Vec::from_iter(want), "{name}");
    }
}

fn rounds(out: &[Output]) -> Vec<(u32, Frame)> {
    let sent = |output: &Output| match output {
        Output::SendArp { ifindex, frame } | Output::SendNdp { ifindex, frame } => {
            Some((*ifindex, frame.clone()))
        }
        _ => None,
    };
    out.iter().filter_map(sent).collect()
}

#[test]
fn a_late_interface_and_a_new_hardware_address_get_groups_and_a_burst() {
    let (mut responder, now) = (Responder::new(&Config::default()), Instant::now());
    assert_eq!(feed(&mut responder, now, announce(vip4(), Scope::All)), []);
    assert_eq!(feed(&mut responder, now, announce(vip6(), Scope::All)), []);
    let out = feed(&mut responder, now, Input::Interface(interface(1, ETH0)));
    let group = solicited_node(vip6());
    assert_eq!(out[0], Output::JoinGroup { ifindex: 1, group });
    assert_eq!(rounds(&out).len(), 3);
    assert_eq!(
        feed(&mut responder, now, Input::Interface(interface(1, ETH0))),
        []
    );
    let out = feed(&mut responder, now, Input::Interface(interface(1, OTHER)));
    let frames = rounds(&out);
    assert_eq!(
        (out.len(), frames.len()),
        (3, 3),
        "a burst, and no group joined again"
    );
    for (_, frame) in frames {
        let (header, _) = ethernet::Header::parse(frame.as_bytes()).unwrap();
        assert_eq!(header.source, OTHER);
    }
    let silent = Interface {
        arp: false,
        ndp: None,
        ..interface(1, OTHER)
    };
    let out = feed(&mut responder, now, Input::Interface(silent));
    assert_eq!(out, [Output::LeaveGroup { ifindex: 1, group }]);
    assert_eq!(
        responder.deadline(),
        None,
        "nothing is announced on an interface that is down"
    );
    assert_eq!(
        rounds(&feed(
            &mut responder,
            now,
            Input::Interface(interface(1, OTHER))
        ))
        .len(),
        3
    );
}

#[test]
fn announcing_again_sends_nothing_and_withdrawing_falls_silent() {
    let now = Instant::now();
    let mut responder = quiet(now);
    assert_eq!(
        feed(&mut responder, now, announce(vip4(), only("eth0"))),
        []
    );
    let out = feed(&mut responder, now, announce(vip4(), Scope::All));
    assert!(
        rounds(&out).iter().all(|(ifindex, _)| *ifindex == 2),
        "eth0 had its burst: {out:?}"
    );
    feed(
        &mut responder,
        now,
        Input::Withdraw {
            address: vip4().into(),
        },
    );
    assert_eq!(responder.deadline(), None);
    let bytes = arp_request([192, 0, 2, 9], vip4()).emit(MacAddress::BROADCAST);
    assert_eq!(
        feed(
            &mut responder,
            now,
            Input::Frame {
                ifindex: 1,
                bytes: bytes.as_bytes()
            }
        ),
        []
    );
}

#[test]
fn a_named_scope_without_such_an_interface_is_announced_nowhere() {
    let now = Instant::now();
    let mut responder = quiet(now);
    feed(&mut responder, now, announce(vip4(), only("eth9")));
    assert_eq!(responder.announced_on(vip4().into()).count(), 0);
    assert_eq!(responder.addresses().count(), 2);
}

#[test]
fn another_claimant_is_reported_and_defended_against_unless_the_address_moved_there() {
    let second = Duration::from_secs(1);
    let (start, frame) = {
        let claim = arp::Packet::gratuitous(arp::Operation::Request, vip4(), RIVAL);
        (Instant::now(), claim.emit(MacAddress::BROADCAST))
    };
    let claim = Input::Frame {
        ifindex: 1,
        bytes: frame.as_bytes(),
    };
    let address = vip4().into();
    for withdraws in [false, true] {
        let mut responder = quiet(start);
        let now = start + 60 * second;
        let event = Event::Conflict {
            address,
            ifindex: 1,
            mac: RIVAL,
            claims: 1,
        };
        assert_eq!(
            feed(&mut responder, now, claim.clone()),
            [Output::Event(event)]
        );
        assert_eq!(
            feed(&mut responder, now + second, claim.clone()),
            [],
            "told once"
        );
        if withdraws {
            feed(&mut responder, now + second, Input::Withdraw { address });
            assert_eq!(responder.deadline(), None);
        } else {
            assert_eq!(responder.deadline(), Some(now + 2 * second));
            assert_eq!(
                rounds(&feed(&mut responder, now + 2 * second, Input::Timeout)).len(),
                2
            );
        }
    }
}

#[test]
fn claims_by_advertisement_count_and_our_own_do_not() {
    let now = Instant::now();
    let claim = advertisement(ALL_NODES, false, true);
    let ndp::Message::Advertisement { target, flags, .. } = claim.message else {
        panic!("{:?} is no advertisement", claim.message)
    };
    for (mac, reported) in [(RIVAL, 1), (ETH1, 0)] {
        let message = ndp::Message::Advertisement {
            target,
            flags,
            target_link: Some(mac),
        };
        let packet = ndp::Packet { message, ..claim };
        let frame = packet.emit(mac, MacAddress::of_group(ALL_NODES));
        let mut responder = quiet(now);
        let input = Input::Frame {
            ifindex: 1,
            bytes: frame.as_bytes(),
        };
        assert_eq!(feed(&mut responder, now, input).len(), reported, "{mac}");
    }
}
