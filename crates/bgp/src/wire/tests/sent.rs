// SPDX-License-Identifier: Apache-2.0
//! UPDATEs we send: their bytes, how many prefixes fit, and that they read back.

use ferrolb_types::{Asn, Community, Family};
use ipnet::IpNet;

use super::*;

fn nets(texts: &[&str]) -> Vec<IpNet> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn said<'a>(next_hop: NextHop, communities: &'a [Community]) -> Announcement<'a> {
    Announcement {
        as_path: &[],
        next_hop,
        local_pref: Some(100),
        communities,
    }
}

fn v4() -> NextHop {
    NextHop::V4("192.0.2.1".parse().unwrap())
}

fn v6(link_local: Option<&str>) -> NextHop {
    let link_local = link_local.map(|text| text.parse().unwrap());
    NextHop::V6 {
        global: "2001:db8::1".parse().unwrap(),
        link_local,
    }
}

fn announced(
    family: Family,
    said: &Announcement<'_>,
    width: AsWidth,
    prefixes: &[&str],
) -> Vec<u8> {
    let attributes = EncodedAttributes::new(family, said, width);
    emitted(|buf| {
        let mut writer = UpdateWriter::announce(buf, &attributes, MaxLength::Standard);
        assert!(nets(prefixes).into_iter().all(|net| writer.push(net)));
        assert!(writer.finish());
    })
}

fn withdrawn(family: Family, prefixes: &[&str]) -> Vec<u8> {
    emitted(|buf| {
        let mut writer = UpdateWriter::withdraw(buf, family, MaxLength::Standard);
        assert!(nets(prefixes).into_iter().all(|net| writer.push(net)));
        assert!(writer.finish());
    })
}

/// The message reads back without fault, as an internal peer with these numbers would read it.
fn read_back(bytes: &[u8], as_width: AsWidth, announced: &[&str], withdrawn: &[&str]) {
    let options = Options {
        as_width,
        peer: PeerKind::Internal,
        ipv4_over_ipv6: true,
    };
    let Ok(Message::Update(update)) = parse(bytes, &options) else {
        panic!()
    };
    assert_eq!(update.faults(), []);
    assert_eq!(update.announced().collect::<Vec<_>>(), nets(announced));
    assert_eq!(update.withdrawn().collect::<Vec<_>>(), nets(withdrawn));
}

#[test]
fn external_ipv4_with_communities() {
    let communities: Vec<Community> = ["65000:1", "large:1:2:3"]
        .iter()
        .map(|text| text.parse().unwrap())
        .collect();
    let said = Announcement {
        as_path: &[Asn(65001)],
        next_hop: v4(),
        local_pref: None,
        communities: &communities,
    };
    let prefixes = ["10.0.0.1/32", "10.1.0.0/16", "10.2.128.0/17", "0.0.0.0/0"];
    let bytes = announced(Family::IPv4, &said, AsWidth::Four, &prefixes);
    let want = hex("0000 002a
        40 01 01 00  40 02 06 02 01 0000fde9  40 03 04 c0000201  c0 08 04 fde80001
        c0 20 0c 00000001 00000002 00000003
        20 0a000001  10 0a01  11 0a0280  00");
    assert_eq!(bytes, message(2, &want));
    read_back(&bytes, AsWidth::Four, &prefixes, &[]);
}

#[test]
fn internal_ipv4_as_metallb_sends_it() {
    let bytes = announced(
        Family::IPv4,
        &said(v4(), &[]),
        AsWidth::Four,
        &["10.20.30.40/32"],
    );
    let want =
        hex("0000 0015 40 01 01 00 40 02 00 40 03 04 c0000201 40 05 04 00000064 20 0a141e28");
    assert_eq!(bytes, message(2, &want));
    read_back(&bytes, AsWidth::Four, &["10.20.30.40/32"], &[]);
}

#[test]
fn four_octet_as_towards_a_two_octet_peer() {
    let said = Announcement {
        as_path: &[Asn(4_200_000_000), Asn(65001)],
        next_hop: v4(),
        local_pref: None,
        communities: &[],
    };
    let bytes = announced(Family::IPv4, &said, AsWidth::Two, &["10.0.0.0/8"]);
    let want = hex(
        "0000 0021 40 01 01 00  40 02 06 02 02 5ba0 fde9  40 03 04 c0000201
        c0 11 0a 02 02 fa56ea00 0000fde9  08 0a",
    );
    assert_eq!(bytes, message(2, &want));
    read_back(&bytes, AsWidth::Two, &["10.0.0.0/8"], &[]);
    let small = Announcement {
        as_path: &[Asn(65001)],
        ..said
    };
    let bytes = announced(Family::IPv4, &small, AsWidth::Two, &["10.0.0.0/8"]);
    assert_eq!(bytes.len(), 23 + 4 + 7 + 7 + 2);
}

#[test]
fn ipv6_with_and_without_a_link_local_next_hop() {
    let bytes = announced(
        Family::IPv6,
        &said(v6(None), &[]),
        AsWidth::Four,
        &["2001:db8:1::/48"],
    );
    let want = hex("0000 002e
        90 0e 001c 0002 01 10 20010db8000000000000000000000001 00 30 20010db80001
        40 01 01 00 40 02 00 40 05 04 00000064");
    assert_eq!(bytes, message(2, &want));
    read_back(&bytes, AsWidth::Four, &["2001:db8:1::/48"], &[]);
    let both = said(v6(Some("fe80::1")), &[]);
    let bytes = announced(Family::IPv6, &both, AsWidth::Four, &["2001:db8::7/128"]);
    read_back(&bytes, AsWidth::Four, &["2001:db8::7/128"], &[]);
    let head =
        "90 0e 0036 0002 01 20 20010db8000000000000000000000001 fe800000000000000000000000000001";
    assert_eq!(bytes[23..63], hex(head));
}

#[test]
fn ipv4_over_an_ipv6_next_hop() {
    let bytes = announced(
        Family::IPv4,
        &said(v6(None), &[]),
        AsWidth::Four,
        &["10.0.0.0/24"],
    );
    let want = hex("0000 002b
        90 0e 0019 0001 01 10 20010db8000000000000000000000001 00 18 0a0000
        40 01 01 00 40 02 00 40 05 04 00000064");
    assert_eq!(bytes, message(2, &want));
    read_back(&bytes, AsWidth::Four, &["10.0.0.0/24"], &[]);
    // A peer that did not offer RFC 8950 would rightly refuse it.
    let Ok(Message::Update(update)) = parse(&bytes, &Options::default()) else {
        panic!()
    };
    let disabled = Disposition::DisableFamily(AfiSafi::IPV4_UNICAST);
    assert_eq!(update.disposition(), Some(disabled));
}

#[test]
fn withdrawals() {
    let bytes = withdrawn(Family::IPv4, &["10.0.0.1/32", "10.1.0.0/16"]);
    assert_eq!(bytes, message(2, &hex("0008 20 0a000001 10 0a01 0000")));
    read_back(&bytes, AsWidth::Four, &[], &["10.0.0.1/32", "10.1.0.0/16"]);
    let bytes = withdrawn(Family::IPv6, &["2001:db8::/32"]);
    assert_eq!(
        bytes,
        message(2, &hex("0000 000c 90 0f 0008 0002 01 20 20010db8"))
    );
    read_back(&bytes, AsWidth::Four, &[], &["2001:db8::/32"]);
}

#[test]
fn end_of_rib() {
    let table = [
        (Family::IPv4, "0000 0000"),
        (Family::IPv6, "0000 0006 80 0f 03 0002 01"),
    ];
    for (family, body) in table {
        let bytes = emitted(|buf| emit_end_of_rib(buf, family));
        assert_eq!(bytes, message(2, &hex(body)));
        let Ok(Message::Update(update)) = parse(&bytes, &Options::default()) else {
            panic!()
        };
        assert_eq!(
            (update.end_of_rib(), update.faults()),
            (Some(family), [].as_slice())
        );
    }
}

#[test]
fn long_communities_take_an_extended_length() {
    let communities: Vec<Community> = (0..100)
        .map(|n| format!("65000:{n}").parse().unwrap())
        .collect();
    let attributes = EncodedAttributes::new(Family::IPv4, &said(v4(), &communities), AsWidth::Four);
    let bytes = emitted(|buf| {
        let mut writer = UpdateWriter::announce(buf, &attributes, MaxLength::Standard);
        assert!(writer.push("10.0.0.0/8".parse().unwrap()));
        assert!(writer.finish());
    });
    assert_eq!(bytes[44..48], hex("d0 08 0190"));
    let Ok(Message::Update(update)) = parse(&bytes, &Options::default()) else {
        panic!()
    };
    assert_eq!(update.attributes().communities().count(), 100);
}

#[test]
fn messages_are_filled_to_the_last_octet() {
    let cases = [
        (Family::IPv4, v4()),
        (Family::IPv4, v6(None)),
        (Family::IPv6, v6(None)),
    ];
    for limit in [MaxLength::Standard, MaxLength::Extended] {
        for (family, next_hop) in cases {
            let attributes = EncodedAttributes::new(family, &said(next_hop, &[]), AsWidth::Four);
            let widest = usize::from(family.bits() / 8) + 1;
            for attributes in [Some(&attributes), None] {
                let len = filled(family, attributes, limit);
                assert!(
                    (limit.octets() - widest + 1..=limit.octets()).contains(&len),
                    "{len}"
                );
            }
        }
    }
}

/// The length of a full message that announces or, without attributes, withdraws.
fn filled(family: Family, attributes: Option<&EncodedAttributes>, limit: MaxLength) -> usize {
    let net: IpNet = match family {
        Family::IPv4 => "10.0.0.1/32".parse().unwrap(),
        Family::IPv6 => "2001:db8::1/128".parse().unwrap(),
    };
    let bytes = emitted(|buf| {
        let mut writer = match attributes {
            Some(attributes) => UpdateWriter::announce(buf, attributes, limit),
            None => UpdateWriter::withdraw(buf, family, limit),
        };
        while writer.push(net) {}
        assert!(writer.finish());
    });
    let options = Options {
        ipv4_over_ipv6: true,
        ..Options::default()
    };
    assert!(matches!(parse(&bytes, &options), Ok(Message::Update(_))));
    bytes.len()
}

#[test]
fn what_cannot_be_sent_leaves_no_trace() {
    let communities: Vec<Community> = (0..6000)
        .map(|n| format!("large:1:2:{n}").parse().unwrap())
        .collect();
    let net: IpNet = "10.0.0.0/8".parse().unwrap();
    for next_hop in [v4(), v6(None)] {
        let too_long =
            EncodedAttributes::new(Family::IPv4, &said(next_hop, &communities), AsWidth::Four);
        let attributes = EncodedAttributes::new(Family::IPv4, &said(next_hop, &[]), AsWidth::Four);
        let bytes = emitted(|buf| {
            let mut writer = UpdateWriter::announce(buf, &too_long, MaxLength::Extended);
            assert!(!writer.push(net));
            assert!(!writer.finish());
            let mut writer = UpdateWriter::announce(buf, &attributes, MaxLength::Standard);
            assert!(!writer.push("2001:db8::/32".parse().unwrap()));
            assert!(writer.push(net));
            drop(writer);
            assert!(!UpdateWriter::withdraw(buf, Family::IPv6, MaxLength::Standard).finish());
        });
        assert_eq!(bytes, []);
    }
}
