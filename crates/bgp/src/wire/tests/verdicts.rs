// SPDX-License-Identifier: Apache-2.0
//! What becomes of UPDATEs with faults: the table of RFC 7606, row by row.

use Disposition::{AttributeDiscard as Discard, TreatAsWithdraw as Withdraw};

use super::*;

/// What an UPDATE leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Fine,
    Lesser(Disposition),
    Reset([u8; 2]),
}

const DISABLE_V6: Verdict = Verdict::Lesser(Disposition::DisableFamily(AfiSafi::IPV6_UNICAST));
const EXTERNAL: Options = Options {
    as_width: AsWidth::Four,
    peer: PeerKind::External,
    ipv4_over_ipv6: false,
};
const INTERNAL: Options = Options {
    peer: PeerKind::Internal,
    ..EXTERNAL
};
const OLD: Options = Options {
    as_width: AsWidth::Two,
    ..EXTERNAL
};

/// ORIGIN, AS_PATH of four-octet numbers, NEXT_HOP.
const GOOD: &str = "40 01 01 00  40 02 06 02 01 0000fde9  40 03 04 c0000201";

fn update(withdrawn: &str, attributes: &str, nlri: &str) -> Vec<u8> {
    let (withdrawn, attributes, nlri) = (hex(withdrawn), hex(attributes), hex(nlri));
    let length = |part: &[u8]| u16::try_from(part.len()).unwrap().to_be_bytes();
    let (first, second) = (length(&withdrawn), length(&attributes));
    message(
        2,
        &[&first, &*withdrawn, &second, &attributes, &nlri].concat(),
    )
}

fn verdict(bytes: &[u8], options: &Options) -> Verdict {
    match parse(bytes, options) {
        Ok(Message::Update(update)) => match update.disposition() {
            None => Verdict::Fine,
            Some(disposition) => Verdict::Lesser(disposition),
        },
        Ok(other) => panic!("{other:?}"),
        Err(reset) => Verdict::Reset(reset.notification.code.octets()),
    }
}

#[test]
fn attributes_beside_good_ones() {
    use Verdict::{Fine, Lesser, Reset};
    let table: &[(&str, &str, &Options, Verdict)] = &[
        ("nothing more", "", &EXTERNAL, Fine),
        ("MED", "80 04 04 00000001", &EXTERNAL, Fine),
        (
            "MED of 3 octets",
            "80 04 03 000001",
            &EXTERNAL,
            Lesser(Withdraw),
        ),
        (
            "MED transitive",
            "c0 04 04 00000001",
            &EXTERNAL,
            Lesser(Withdraw),
        ),
        (
            "LOCAL_PREF, external",
            "40 05 04 00000064",
            &EXTERNAL,
            Lesser(Discard),
        ),
        (
            "LOCAL_PREF of 3 octets, external",
            "40 05 03 000064",
            &EXTERNAL,
            Lesser(Discard),
        ),
        ("LOCAL_PREF", "40 05 04 00000064", &INTERNAL, Fine),
        (
            "LOCAL_PREF of 3 octets",
            "40 05 03 000064",
            &INTERNAL,
            Lesser(Withdraw),
        ),
        ("ATOMIC_AGGREGATE", "40 06 00", &EXTERNAL, Fine),
        (
            "ATOMIC_AGGREGATE of 1 octet",
            "40 06 01 00",
            &EXTERNAL,
            Lesser(Discard),
        ),
        ("AGGREGATOR", "c0 07 08 0000fde9 0a000001", &EXTERNAL, Fine),
        (
            "AGGREGATOR of 6 octets",
            "c0 07 06 fde9 0a000001",
            &EXTERNAL,
            Lesser(Discard),
        ),
        ("COMMUNITIES", "c0 08 08 00010001 00010002", &EXTERNAL, Fine),
        ("COMMUNITIES partial", "e0 08 04 00010001", &EXTERNAL, Fine),
        (
            "COMMUNITIES of 5 octets",
            "c0 08 05 0001000100",
            &EXTERNAL,
            Lesser(Withdraw),
        ),
        ("COMMUNITIES empty", "c0 08 00", &EXTERNAL, Lesser(Withdraw)),
        (
            "ORIGINATOR_ID, external",
            "80 09 04 0a000001",
            &EXTERNAL,
            Lesser(Discard),
        ),
        ("ORIGINATOR_ID", "80 09 04 0a000001", &INTERNAL, Fine),
        (
            "ORIGINATOR_ID of 5 octets",
            "80 09 05 0a00000100",
            &INTERNAL,
            Lesser(Withdraw),
        ),
        (
            "CLUSTER_LIST, external",
            "80 0a 04 0a000001",
            &EXTERNAL,
            Lesser(Discard),
        ),
        (
            "CLUSTER_LIST empty",
            "80 0a 00",
            &INTERNAL,
            Lesser(Withdraw),
        ),
        (
            "extended communities of 7",
            "c0 10 07 00000000000000",
            &EXTERNAL,
            Lesser(Withdraw),
        ),
        (
            "LARGE_COMMUNITIES",
            "c0 20 0c 000000010000000200000003",
            &EXTERNAL,
            Fine,
        ),
        (
            "LARGE_COMMUNITIES of 4",
            "c0 20 04 00000001",
            &EXTERNAL,
            Lesser(Withdraw),
        ),
        (
            "AS4_PATH from a new speaker",
            "c0 11 06 02 01 0000fde9",
            &EXTERNAL,
            Lesser(Discard),
        ),
        ("unknown optional", "c0 63 02 0102", &EXTERNAL, Fine),
        (
            "unknown optional, non-transitive",
            "80 63 02 0102",
            &EXTERNAL,
            Fine,
        ),
        (
            "unknown well-known",
            "40 63 02 0102",
            &EXTERNAL,
            Reset([3, 2]),
        ),
        ("second ORIGIN", "40 01 01 00", &EXTERNAL, Lesser(Discard)),
        (
            "second MP_UNREACH",
            "800f03000201 800f03000201",
            &EXTERNAL,
            Reset([3, 1]),
        ),
        (
            "overruns the list",
            "c0 08 08 00010001",
            &EXTERNAL,
            Lesser(Withdraw),
        ),
        ("cut after the flags", "40", &EXTERNAL, Lesser(Withdraw)),
    ];
    for (what, attributes, options, want) in table {
        let bytes = update("", &format!("{GOOD} {attributes}"), "08 0a");
        assert_eq!(verdict(&bytes, options), *want, "{what}");
    }
}

#[test]
fn bad_mandatory_attributes() {
    let as_path = "40 02 06 02 01 0000fde9";
    let next_hop = "40 03 04 c0000201";
    let table = [
        ("ORIGIN 7", format!("40 01 01 07 {as_path} {next_hop}")),
        (
            "ORIGIN of 2 octets",
            format!("40 01 02 0000 {as_path} {next_hop}"),
        ),
        (
            "ORIGIN optional",
            format!("c0 01 01 00 {as_path} {next_hop}"),
        ),
        ("no ORIGIN", format!("{as_path} {next_hop}")),
        ("no AS_PATH", format!("40 01 01 00 {next_hop}")),
        ("no NEXT_HOP", format!("40 01 01 00 {as_path}")),
        ("nothing", String::new()),
        (
            "confederation",
            format!("40 01 01 00 40 02 06 03 01 0000fde9 {next_hop}"),
        ),
        (
            "segment 9",
            format!("40 01 01 00 40 02 06 09 01 0000fde9 {next_hop}"),
        ),
        (
            "empty segment",
            format!("40 01 01 00 40 02 02 02 00 {next_hop}"),
        ),
        (
            "segment overruns",
            format!("40 01 01 00 40 02 06 02 02 0000fde9 {next_hop}"),
        ),
        (
            "half a segment",
            format!("40 01 01 00 40 02 07 02 01 0000fde9 02 {next_hop}"),
        ),
        (
            "AS 0",
            format!("40 01 01 00 40 02 06 02 01 00000000 {next_hop}"),
        ),
        (
            "NEXT_HOP of 5 octets",
            format!("40 01 01 00 {as_path} 40 03 05 c000020100"),
        ),
        (
            "NEXT_HOP 0.0.0.0",
            format!("40 01 01 00 {as_path} 40 03 04 00000000"),
        ),
        (
            "NEXT_HOP multicast",
            format!("40 01 01 00 {as_path} 40 03 04 e0000001"),
        ),
    ];
    for (what, attributes) in table {
        let bytes = update("08 0b", &attributes, "08 0a 10 0b01");
        assert_eq!(
            verdict(&bytes, &EXTERNAL),
            Verdict::Lesser(Withdraw),
            "{what}"
        );
        let Ok(Message::Update(update)) = parse(&bytes, &EXTERNAL) else {
            panic!()
        };
        let withdrawn: Vec<String> = update.withdrawn().map(|net| net.to_string()).collect();
        assert_eq!(
            withdrawn,
            ["11.0.0.0/8", "10.0.0.0/8", "11.1.0.0/16"],
            "{what}"
        );
        assert_eq!(update.announced().count(), 0, "{what}");
    }
}

#[test]
fn prefixes_that_cannot_be_told_apart() {
    let table = [
        ("length 33", update("", GOOD, "21 0a00000100"), [3, 10]),
        ("overrun", update("", GOOD, "18 0a00"), [3, 10]),
        (
            "withdrawn length 33",
            update("21 0a00000100", "", ""),
            [3, 10],
        ),
        ("withdrawn overrun", update("20 0a", "", ""), [3, 10]),
        (
            "withdrawn exceed the message",
            message(2, &hex("0009 0000 00")),
            [3, 1],
        ),
        (
            "attributes exceed the message",
            message(2, &hex("0000 0009 40")),
            [3, 1],
        ),
    ];
    for (what, bytes, code) in table {
        assert_eq!(verdict(&bytes, &EXTERNAL), Verdict::Reset(code), "{what}");
    }
}

#[test]
fn mp_attributes() {
    use Verdict::{Fine, Lesser, Reset};
    let v6 = "20010db8000000000000000000000001";
    let path = "40 01 01 00  40 02 00";
    let table: &[(&str, String, Verdict)] = &[
        (
            "next hop of 16",
            format!("800e1a 0002 01 10 {v6} 00 20 20010db8 {path}"),
            Fine,
        ),
        (
            "next hop of 32",
            format!("800e2a 0002 01 20 {v6}{v6} 00 20 20010db8 {path}"),
            Fine,
        ),
        (
            "next hop of 4",
            format!("800e0e 0002 01 04 0a000001 00 20 20010db8 {path}"),
            DISABLE_V6,
        ),
        (
            "next hop overruns",
            format!("800e09 0002 01 10 0a000001 00 {path}"),
            DISABLE_V6,
        ),
        (
            "length 129",
            format!("800e1a 0002 01 10 {v6} 00 81 20010db8 {path}"),
            DISABLE_V6,
        ),
        (
            "prefix overruns",
            format!("800e17 0002 01 10 {v6} 00 20 20 {path}"),
            DISABLE_V6,
        ),
        (
            "withdrawn overruns",
            "800f05 0002 01 20 20".to_owned(),
            DISABLE_V6,
        ),
        ("no family", "800f02 0002".to_owned(), Reset([3, 9])),
        (
            "another family",
            format!("800e08 0019 46 02 0102 00 01 {path}"),
            Fine,
        ),
        (
            "IPv4 in MP",
            format!("800e0b 0001 01 04 0a000001 00 08 0a {path}"),
            Fine,
        ),
        (
            "no ORIGIN",
            format!("800e1a 0002 01 10 {v6} 00 20 20010db8 40 02 00"),
            Lesser(Withdraw),
        ),
        (
            "wrong flags",
            format!("c00e1a 0002 01 10 {v6} 00 20 20010db8 {path}"),
            Lesser(Withdraw),
        ),
    ];
    for (what, attributes, want) in table {
        let bytes = update("", attributes, "");
        assert_eq!(verdict(&bytes, &INTERNAL), *want, "{what}");
    }
}

#[test]
fn a_grave_fault_without_prefixes_resets() {
    // RFC 7606 section 5.2.
    let table = [
        (
            "only attributes, bad",
            update("", "40 01 01 07", ""),
            Verdict::Reset([3, 1]),
        ),
        ("only attributes, good", update("", GOOD, ""), Verdict::Fine),
        (
            "only a discarded one",
            update("", "40 06 01 00", ""),
            Verdict::Lesser(Discard),
        ),
        (
            "withdrawn, bad",
            update("08 0a", "40 01 01 07", ""),
            Verdict::Reset([3, 1]),
        ),
    ];
    for (what, bytes, want) in table {
        assert_eq!(verdict(&bytes, &EXTERNAL), want, "{what}");
    }
}

#[test]
fn two_octet_sessions() {
    let old = "40 01 01 00  40 02 04 02 01 fde9  40 03 04 c0000201";
    let table = [
        ("good", old.to_owned(), Verdict::Fine),
        (
            "four-octet path",
            GOOD.to_owned(),
            Verdict::Lesser(Withdraw),
        ),
        (
            "AS4_PATH",
            format!("{old} c0 11 06 02 01 fa56ea00"),
            Verdict::Fine,
        ),
        (
            "AGGREGATOR",
            format!("{old} c0 07 06 fde9 0a000001"),
            Verdict::Fine,
        ),
        (
            "AS4_AGGREGATOR of 7",
            format!("{old} c0 12 07 00000000000000"),
            Verdict::Lesser(Discard),
        ),
    ];
    for (what, attributes, want) in table {
        assert_eq!(
            verdict(&update("", &attributes, "08 0a"), &OLD),
            want,
            "{what}"
        );
    }
}

#[test]
fn attributes_are_read() {
    let attributes = format!(
        "{GOOD} 80 04 04 00000007 40 05 04 00000064 40 06 00 c0 08 04 fde80001
         c0 20 0c 000000010000000200000003 c0 63 00"
    );
    let bytes = update("", &attributes, "08 0a");
    let Ok(Message::Update(update)) = parse(&bytes, &INTERNAL) else {
        panic!()
    };
    let got = update.attributes();
    assert_eq!(got.origin, Some(Origin::Igp));
    assert_eq!(
        got.as_path.and_then(|path| path.first()),
        Some(ferrolb_types::Asn(65001))
    );
    assert_eq!(got.next_hop, Some("192.0.2.1".parse().unwrap()));
    assert_eq!(
        (got.med, got.local_pref, got.atomic_aggregate),
        (Some(7), Some(100), true)
    );
    assert_eq!(
        got.communities().map(|c| c.to_string()).collect::<Vec<_>>(),
        ["65000:1"]
    );
    assert_eq!(
        got.large_communities()
            .map(|c| c.to_string())
            .collect::<Vec<_>>(),
        ["large:1:2:3"]
    );
    assert_eq!((got.unknown, update.end_of_rib()), (1, None));
}
