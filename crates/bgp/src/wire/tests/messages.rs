// SPDX-License-Identifier: Apache-2.0
//! Header, OPEN, KEEPALIVE and ROUTE-REFRESH.

use ferrolb_types::{Asn, RouterId};

use super::*;

fn reset_of(bytes: &[u8], limit: MaxLength) -> ([u8; 2], Vec<u8>) {
    let reset = frame(bytes, limit).unwrap_err();
    (reset.notification.code.octets(), reset.notification.data)
}

#[test]
fn frames_are_cut_where_they_end() {
    let keepalive = emitted(emit_keepalive);
    assert_eq!(keepalive, hex("ffffffffffffffffffffffffffffffff 0013 04"));
    for length in 0..19 {
        let got = frame(&keepalive[..length], MaxLength::Standard);
        assert_eq!(got, Ok(Framing::Incomplete { needed: 19 }));
    }
    let two = [keepalive.clone(), keepalive].concat();
    let Ok(Framing::Whole(first)) = frame(&two, MaxLength::Standard) else {
        panic!()
    };
    assert_eq!((first.kind, first.wire_len()), (MessageType::KeepAlive, 19));
    let update = message(2, &[0; 40]);
    let got = frame(&update[..30], MaxLength::Standard);
    assert_eq!(got, Ok(Framing::Incomplete { needed: 59 }));
}

#[test]
fn wrong_headers_are_answered_as_rfc_4271_6_1_says() {
    let header = |length: u16, kind: u8| {
        let mut bytes = vec![0xff; 16];
        bytes.extend(length.to_be_bytes());
        bytes.push(kind);
        bytes
    };
    let mut marker = header(19, 4);
    marker[7] = 0xfe;
    assert_eq!(reset_of(&marker, MaxLength::Standard), ([1, 1], vec![]));
    let lengths: [(u16, u8); 8] = [
        (18, 4),
        (20, 4),
        (28, 1),
        (22, 2),
        (20, 3),
        (22, 5),
        (4097, 2),
        (0xffff, 2),
    ];
    for (length, kind) in lengths {
        let want = ([1, 2], length.to_be_bytes().to_vec());
        assert_eq!(
            reset_of(&header(length, kind), MaxLength::Standard),
            want,
            "{length} {kind}"
        );
    }
    for kind in [0, 6, 255] {
        assert_eq!(
            reset_of(&header(19, kind), MaxLength::Standard),
            ([1, 3], vec![kind])
        );
    }
}

#[test]
fn extended_messages_do_not_extend_open_and_keepalive() {
    let header = |length: u16, kind: u8| {
        let mut bytes = vec![0xff; 16];
        bytes.extend(length.to_be_bytes());
        bytes.push(kind);
        bytes
    };
    for kind in [2, 3, 5] {
        let bytes = header(0xffff, kind);
        let got = frame(&bytes, MaxLength::Extended);
        assert_eq!(got, Ok(Framing::Incomplete { needed: 0xffff }));
    }
    for kind in [1, 4] {
        let got = reset_of(&header(4097, kind), MaxLength::Extended);
        assert_eq!(got, ([1, 2], vec![0x10, 0x01]));
    }
}

fn both_ways(bytes: &[u8], open: &Open) {
    assert_eq!(emitted(|buf| open.emit(buf)), bytes);
    assert_eq!(
        parse(bytes, &Options::default()),
        Ok(Message::Open(open.clone()))
    );
}

fn router_id(text: &str) -> RouterId {
    RouterId(text.parse().unwrap())
}

#[test]
fn open_of_a_metallb_speaker() {
    let bytes = hex("ffffffffffffffffffffffffffffffff 0031 01
        04 fdea 005a 0a000001 14 02 12 0104 0001 0001 0104 0002 0001 4104 0000fdea");
    assert_eq!(bytes.len(), 49);
    let capabilities = vec![
        Capability::Multiprotocol(AfiSafi::IPV4_UNICAST),
        Capability::Multiprotocol(AfiSafi::IPV6_UNICAST),
        Capability::FourOctetAs(Asn(65002)),
    ];
    both_ways(
        &bytes,
        &Open::new(Asn(65002), 90, router_id("10.0.0.1"), capabilities),
    );
}

#[test]
fn open_with_every_capability_and_a_four_octet_as() {
    let bytes = hex("ffffffffffffffffffffffffffffffff 0053 01
        04 5ba0 00b4 c0000201 36 02 34
        0104 0002 0001  0200  0506 0001 0001 0002  0600
        400a c078 0001 01 80 0002 01 00  4104 fa56ea00  4600
        0506 0001 0001 0002  490401610162");
    let family = |family, forwarding| GracefulFamily { family, forwarding };
    let restart = GracefulRestart {
        restarting: true,
        notification: true,
        restart_time: 120,
        families: vec![
            family(AfiSafi::IPV4_UNICAST, true),
            family(AfiSafi::IPV6_UNICAST, false),
        ],
    };
    let next_hops = Capability::ExtendedNextHop(vec![ExtendedNextHop::IPV4_OVER_IPV6]);
    let open = Open::new(
        Asn(4_200_000_000),
        180,
        router_id("192.0.2.1"),
        vec![
            Capability::Multiprotocol(AfiSafi::IPV6_UNICAST),
            Capability::RouteRefresh,
            next_hops.clone(),
            Capability::ExtendedMessage,
            Capability::GracefulRestart(restart),
            Capability::FourOctetAs(Asn(4_200_000_000)),
            Capability::EnhancedRouteRefresh,
            next_hops,
            Capability::Unknown {
                code: 73,
                value: b"\x01a\x01b".to_vec(),
            },
        ],
    );
    assert_eq!((open.my_as, open.asn()), (23456, Asn(4_200_000_000)));
    both_ways(&bytes, &open);
}

#[test]
fn open_with_one_parameter_per_capability() {
    // As FRR writes it: each capability in a parameter of its own, with unknown ones among them.
    let bytes = hex("ffffffffffffffffffffffffffffffff 0035 01
        04 fde9 00b4 0a000002 18 0206 0104 0001 0001 0202 8000 0202 0200 0206 4104 0000fde9");
    let Ok(Message::Open(open)) = parse(&bytes, &Options::default()) else {
        panic!()
    };
    let codes: Vec<u8> = open.capabilities.iter().map(Capability::code).collect();
    assert_eq!(codes, [1, 128, 2, 65]);
    assert_eq!(open.asn(), Asn(65001));
}

#[test]
fn open_of_a_peer_without_four_octet_as() {
    let bytes = hex("ffffffffffffffffffffffffffffffff 002b 01
        04 fde9 00b4 0a000002 0e 020c 0104 0001 0001 0200 4002 0078");
    let Ok(Message::Open(open)) = parse(&bytes, &Options::default()) else {
        panic!()
    };
    assert_eq!((open.four_octet_as(), open.asn()), (None, Asn(65001)));
    let bare = hex("ffffffffffffffffffffffffffffffff 001d 01 04 fde9 0000 0a000002 00");
    both_ways(
        &bare,
        &Open::new(Asn(65001), 0, router_id("10.0.0.2"), vec![]),
    );
}

#[test]
fn open_with_long_parameters() {
    // RFC 9072: the third octet from the length says 255, then everything has two octets of length.
    let value = vec![7; 255];
    let long = Capability::Unknown { code: 200, value };
    let open = Open::new(Asn(65001), 90, router_id("10.0.0.2"), vec![long; 2]);
    let mut bytes = hex("04 fde9 005a 0a000002 ff ff 0205 02 0202");
    for _ in 0..2 {
        bytes.extend([200, 255]);
        bytes.extend([7; 255]);
    }
    both_ways(&message(1, &bytes), &open);
}

#[test]
fn open_never_exceeds_its_longest() {
    let long = Capability::Unknown {
        code: 200,
        value: vec![7; 300],
    };
    let open = Open::new(Asn(65001), 90, router_id("10.0.0.2"), vec![long; 20]);
    let bytes = emitted(|buf| open.emit(buf));
    let Ok(Message::Open(got)) = parse(&bytes, &Options::default()) else {
        panic!()
    };
    assert_eq!((bytes.len() <= 4096, got.capabilities.len()), (true, 15));
}

#[test]
fn faults_in_an_open() {
    let table = [
        ("version 3", "03 fde9 005a 0a000002 00", [2, 1], "0004"),
        ("AS 0", "04 0000 005a 0a000002 00", [2, 2], ""),
        (
            "four-octet AS 0",
            "04 fde9 005a 0a000002 08 0206 4104 00000000",
            [2, 2],
            "",
        ),
        ("identifier 0", "04 fde9 005a 00000000 00", [2, 3], ""),
        ("hold time 1", "04 fde9 0001 0a000002 00", [2, 6], ""),
        ("hold time 2", "04 fde9 0002 0a000002 00", [2, 6], ""),
        (
            "authentication",
            "04 fde9 005a 0a000002 04 0102 0000",
            [2, 4],
            "",
        ),
        (
            "parameters end early",
            "04 fde9 005a 0a000002 00 00",
            [2, 0],
            "",
        ),
        (
            "parameters overrun",
            "04 fde9 005a 0a000002 09 0206 4104 0000fde9",
            [2, 0],
            "",
        ),
        (
            "capability overruns",
            "04 fde9 005a 0a000002 08 0206 4105 0000fde9",
            [2, 0],
            "",
        ),
        (
            "capability too short",
            "04 fde9 005a 0a000002 07 0205 4103 00fde9",
            [2, 0],
            "",
        ),
        (
            "refresh with a value",
            "04 fde9 005a 0a000002 05 0203 0201 00",
            [2, 0],
            "",
        ),
        (
            "restart cut",
            "04 fde9 005a 0a000002 06 0204 4002 00",
            [2, 0],
            "",
        ),
    ];
    for (what, body, code, data) in table {
        let bytes = message(1, &hex(body));
        let reset = parse(&bytes, &Options::default()).unwrap_err();
        assert_eq!(reset.notification.code.octets(), code, "{what}: {reset}");
        assert_eq!(reset.notification.data, hex(data), "{what}");
    }
}

#[test]
fn route_refresh_both_ways() {
    let table = [
        (RefreshSubtype::Request, "0002 00 01"),
        (RefreshSubtype::Begin, "0002 01 01"),
        (RefreshSubtype::End, "0002 02 01"),
        (RefreshSubtype::Unknown(9), "0002 09 01"),
    ];
    for (subtype, body) in table {
        let refresh = RouteRefresh {
            family: AfiSafi::IPV6_UNICAST,
            subtype,
        };
        let bytes = message(5, &hex(body));
        assert_eq!(emitted(|buf| refresh.emit(buf)), bytes);
        assert_eq!(
            parse(&bytes, &Options::default()),
            Ok(Message::RouteRefresh(refresh))
        );
    }
}

#[test]
fn a_long_route_refresh_is_wrong_only_as_a_mark() {
    let filtered = message(5, &hex("0001 00 01 01 80 0000"));
    assert!(matches!(
        parse(&filtered, &Options::default()),
        Ok(Message::RouteRefresh(_))
    ));
    let mark = message(5, &hex("0001 01 01 00"));
    let reset = parse(&mark, &Options::default()).unwrap_err();
    assert_eq!(reset.notification.code.octets(), [7, 1]);
    assert_eq!(reset.notification.data, mark);
}
