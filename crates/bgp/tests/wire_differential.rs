// SPDX-License-Identifier: Apache-2.0
//! The wire codec beside two independent ones, rustbgpd-wire and netgauze-bgp-pkt: what we write reads
//! there as what we meant, what they write reads here, and on damaged messages nobody accepts
//! prefixes that the other cannot find.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bytes::{Bytes, BytesMut};
use ferrolb_bgp::wire::{
    Announcement, AsWidth, Capability, EncodedAttributes, Frame, Framing, MaxLength, Message,
    NextHop, Open, Options, PeerKind, SessionReset, Update, UpdateWriter, frame,
};
use ferrolb_types::{Asn, Community, Family, LargeCommunity, RouterId, StandardCommunity};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use netgauze_bgp_pkt::{BgpMessage, wire::deserializer::BgpParsingContext};
use netgauze_parse_utils::{reader::SliceReader, traits::ParseFromWithOneInput};
use proptest::prelude::*;
use rustbgpd_wire as theirs;

/// What an UPDATE of ours announces.
#[derive(Clone, Debug)]
struct Case {
    as_path: Vec<Asn>,
    next_hop: NextHop,
    local_pref: Option<u32>,
    communities: Vec<Community>,
    prefixes: Vec<IpNet>,
}

impl Case {
    fn family(&self) -> Family {
        self.prefixes
            .first()
            .map_or(Family::IPv4, |net| Family::of(net.addr()))
    }

    fn emit(&self, width: AsWidth) -> BytesMut {
        let said = Announcement {
            as_path: &self.as_path,
            next_hop: self.next_hop,
            local_pref: self.local_pref,
            communities: &self.communities,
        };
        let attributes = EncodedAttributes::new(self.family(), &said, width);
        let mut buf = BytesMut::new();
        let mut writer = UpdateWriter::announce(&mut buf, &attributes, MaxLength::Standard);
        assert!(self.prefixes.iter().all(|net| writer.push(*net)));
        assert!(writer.finish());
        buf
    }

    /// The same as the attributes of rustbgpd-wire, in ascending order.
    fn attributes(&self) -> Vec<theirs::PathAttribute> {
        use theirs::{AsPath, AsPathSegment, Origin, PathAttribute};
        let sequence = self.as_path.iter().map(|asn| asn.0).collect();
        let segments = match self.as_path.is_empty() {
            true => vec![],
            false => vec![AsPathSegment::AsSequence(sequence)],
        };
        let mut list = vec![
            PathAttribute::Origin(Origin::Igp),
            PathAttribute::AsPath(AsPath { segments }),
        ];
        if let NextHop::V4(address) = self.next_hop {
            list.push(PathAttribute::NextHop(address));
        }
        list.extend(self.local_pref.map(PathAttribute::LocalPref));
        let (standard, large) = self.split_communities();
        if !standard.is_empty() {
            list.push(PathAttribute::Communities(standard));
        }
        if !large.is_empty() {
            list.push(PathAttribute::LargeCommunities(large));
        }
        list
    }

    fn split_communities(&self) -> (Vec<u32>, Vec<theirs::LargeCommunity>) {
        let mut split = (Vec::new(), Vec::new());
        for community in &self.communities {
            match community {
                Community::Standard(one) => split.0.push(one.0),
                Community::Large(one) => split.1.push(theirs::LargeCommunity {
                    global_admin: one.global,
                    local_data1: one.local1,
                    local_data2: one.local2,
                }),
            }
        }
        split
    }

    fn entries(&self) -> Vec<theirs::Ipv4NlriEntry> {
        let v4 = self.prefixes.iter().filter_map(|net| match net {
            IpNet::V4(net) => Some(theirs::Ipv4Prefix::new(net.addr(), net.prefix_len())),
            IpNet::V6(_) => None,
        });
        v4.map(|prefix| theirs::Ipv4NlriEntry { path_id: 0, prefix })
            .collect()
    }
}

fn host_v4() -> impl Strategy<Value = Ipv4Addr> {
    (0x0100_0000u32..0x7f00_0000).prop_map(Ipv4Addr::from)
}

fn global_v6() -> impl Strategy<Value = Ipv6Addr> {
    any::<u64>().prop_map(|low| Ipv6Addr::from((0x2001_0db8u128 << 96) | u128::from(low)))
}

fn community() -> impl Strategy<Value = Community> {
    prop_oneof![
        any::<u32>().prop_map(|value| Community::Standard(StandardCommunity(value))),
        any::<[u32; 3]>().prop_map(|[global, local1, local2]| {
            Community::Large(LargeCommunity {
                global,
                local1,
                local2,
            })
        }),
    ]
}

fn prefixes_v4() -> impl Strategy<Value = Vec<IpNet>> {
    // Not multicast: netgauze refuses that.
    let net = (0..0xe000_0000u32, 0u8..=32)
        .prop_map(|(bits, len)| IpNet::V4(Ipv4Net::new(bits.into(), len).unwrap().trunc()));
    prop::collection::vec(net, 1..20)
}

fn prefixes_v6() -> impl Strategy<Value = Vec<IpNet>> {
    let net = (0..0xff00u128 << 112, 0u8..=128)
        .prop_map(|(bits, len)| IpNet::V6(Ipv6Net::new(bits.into(), len).unwrap().trunc()));
    prop::collection::vec(net, 1..20)
}

fn case(
    next_hop: impl Strategy<Value = NextHop>,
    prefixes: impl Strategy<Value = Vec<IpNet>>,
) -> impl Strategy<Value = Case> {
    let as_path = prop::collection::vec((1..=u32::MAX).prop_map(Asn), 0..4);
    // Each community once: rustbgpd-wire drops repetitions.
    let communities = prop::collection::btree_set(community(), 0..80);
    let pref = any::<Option<u32>>();
    (as_path, next_hop, pref, communities, prefixes).prop_map(
        |(as_path, next_hop, local_pref, communities, prefixes)| Case {
            as_path,
            next_hop,
            local_pref,
            communities: communities.into_iter().collect(),
            prefixes,
        },
    )
}

fn classic() -> impl Strategy<Value = Case> {
    case(host_v4().prop_map(NextHop::V4), prefixes_v4())
}

fn multiprotocol() -> impl Strategy<Value = Case> {
    let link_local = prop::option::of(Just(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1)));
    let next_hop = (global_v6(), link_local)
        .prop_map(|(global, link_local)| NextHop::V6 { global, link_local });
    case(next_hop, prop_oneof![prefixes_v4(), prefixes_v6()])
}

fn options(as_width: AsWidth) -> Options {
    Options {
        as_width,
        peer: PeerKind::Internal,
        ipv4_over_ipv6: true,
    }
}

fn whole(bytes: &[u8]) -> Frame<'_> {
    match frame(bytes, MaxLength::Standard) {
        Ok(Framing::Whole(frame)) => frame,
        other => panic!("{other:?}"),
    }
}

fn ours(bytes: &[u8]) -> Result<Update<'_>, SessionReset> {
    match Message::parse(whole(bytes), &options(AsWidth::Four))? {
        Message::Update(update) => Ok(update),
        other => panic!("{other:?}"),
    }
}

fn rustbgpd(bytes: &[u8]) -> Result<theirs::RevisedParsedUpdate, theirs::DecodeError> {
    match theirs::decode_message(&mut Bytes::copy_from_slice(bytes), 4096)? {
        theirs::Message::Update(update) => update.parse_revised(true, true, false, &[]),
        other => panic!("{other:?}"),
    }
}

fn netgauze(bytes: &[u8]) -> Option<BgpMessage> {
    let mut context = BgpParsingContext::asn2_default();
    context.set_asn4(true);
    BgpMessage::parse(&mut SliceReader::new(bytes), &mut context).ok()
}

fn their_prefixes(update: &theirs::ParsedUpdate) -> Vec<IpNet> {
    let classic = update.announced.iter().map(|entry| net_v4(entry.prefix));
    let reach = update
        .attributes
        .iter()
        .flat_map(|attribute| match attribute {
            theirs::PathAttribute::MpReachNlri(reach) => reach.announced.as_slice(),
            _ => &[],
        });
    let reach = reach.map(|entry| match entry.prefix {
        theirs::Prefix::V4(prefix) => net_v4(prefix),
        theirs::Prefix::V6(prefix) => IpNet::new(IpAddr::V6(prefix.addr), prefix.len).unwrap(),
    });
    classic.chain(reach).collect()
}

fn net_v4(prefix: theirs::Ipv4Prefix) -> IpNet {
    IpNet::new(IpAddr::V4(prefix.addr), prefix.len).unwrap()
}

proptest! {
    #[test]
    fn classic_updates_are_the_same_octets(case in classic()) {
        let bytes = case.emit(AsWidth::Four);
        let update = theirs::UpdateMessage::build(
            &case.entries(), &[], &case.attributes(), true, false, theirs::Ipv4UnicastMode::Body,
        );
        let want = theirs::encode_message(&theirs::Message::Update(update)).unwrap();
        prop_assert_eq!(&bytes, &want);
        let got = ours(&want).unwrap();
        prop_assert_eq!(got.faults(), &[]);
        prop_assert_eq!(got.announced().collect::<Vec<_>>(), case.prefixes);
    }

    #[test]
    fn both_read_what_we_write(case in prop_oneof![classic(), multiprotocol()]) {
        let bytes = case.emit(AsWidth::Four);
        let got = rustbgpd(&bytes).unwrap();
        prop_assert!(got.malformed.is_empty(), "{:?}", got.malformed);
        prop_assert_eq!(&their_prefixes(&got.update), &case.prefixes);
        for attribute in case.attributes() {
            prop_assert!(got.update.attributes.contains(&attribute), "{attribute:?}");
        }
        let Some(BgpMessage::Update(update)) = netgauze(&bytes) else {
            return Err(TestCaseError::fail("netgauze does not read it"));
        };
        let extra = usize::from(matches!(case.next_hop, NextHop::V6 { .. }));
        prop_assert_eq!(update.path_attributes().len(), case.attributes().len() + extra);
        if extra == 0 {
            prop_assert_eq!(update.nlri().len(), case.prefixes.len());
        }
    }

    #[test]
    fn what_we_write_for_two_octet_peers_is_read(case in classic()) {
        let bytes = case.emit(AsWidth::Two);
        let options = options(AsWidth::Two);
        let Ok(Message::Update(update)) = Message::parse(whole(&bytes), &options) else {
            return Err(TestCaseError::fail("no UPDATE"));
        };
        prop_assert_eq!(update.faults(), &[]);
        let their = theirs::decode_message(&mut Bytes::copy_from_slice(&bytes), 4096).unwrap();
        let theirs::Message::Update(their) = their else { panic!() };
        let their = their.parse_revised(false, true, false, &[]).unwrap();
        prop_assert!(their.malformed.is_empty(), "{:?}", their.malformed);
        prop_assert_eq!(their_prefixes(&their.update), case.prefixes);
    }

    #[test]
    fn damaged_updates(
        case in prop_oneof![classic(), multiprotocol()],
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = case.emit(AsWidth::Four).to_vec();
        for (at, octet) in damage {
            // The header stays: framing has tests of its own.
            let at = 19 + at.index(bytes.len() - 19);
            bytes[at] = octet;
        }
        let (mine, their) = (ours(&bytes), rustbgpd(&bytes));
        netgauze(&bytes);
        if let (Ok(mine), Ok(their)) = (&mine, &their)
            && mine.faults().is_empty() && their.malformed.is_empty()
            && mine.mp_next_hop().is_some() == has_reach(&their.update)
        {
            prop_assert_eq!(mine.announced().collect::<Vec<_>>(), their_prefixes(&their.update));
        }
        // Where they cannot even find the classic prefixes, neither can we.
        if classic_is_broken(&bytes) {
            prop_assert!(mine.is_err() && their.is_err());
        }
    }

    #[test]
    fn opens_are_read_alike(
        asn in 1..=u32::MAX,
        hold_time in prop_oneof![Just(0u16), 3u16..],
        id in host_v4(),
    ) {
        let capabilities = vec![
            Capability::Multiprotocol(Family::IPv4.into()),
            Capability::Multiprotocol(Family::IPv6.into()),
            Capability::RouteRefresh,
            Capability::ExtendedMessage,
            Capability::FourOctetAs(Asn(asn)),
            Capability::EnhancedRouteRefresh,
        ];
        let open = Open::new(Asn(asn), hold_time, RouterId(id), capabilities);
        let mut bytes = BytesMut::new();
        open.emit(&mut bytes);
        let their = theirs::decode_message(&mut bytes.clone().freeze(), 4096).unwrap();
        let theirs::Message::Open(message) = &their else { panic!() };
        prop_assert_eq!((message.hold_time, message.bgp_identifier), (hold_time, id));
        prop_assert_eq!((message.four_byte_as(), message.capabilities.len()), (asn, 6));
        let Some(BgpMessage::Open(message)) = netgauze(&bytes) else {
            return Err(TestCaseError::fail("netgauze does not read it"));
        };
        prop_assert_eq!((message.my_asn4(), message.capabilities().len()), (asn, 6));
        let back = theirs::encode_message(&their).unwrap();
        prop_assert_eq!(
            Message::parse(whole(&back), &Options::default()),
            Ok(Message::Open(open))
        );
    }
}

fn has_reach(update: &theirs::ParsedUpdate) -> bool {
    let is_reach = |a: &theirs::PathAttribute| matches!(a, theirs::PathAttribute::MpReachNlri(_));
    update.attributes.iter().any(is_reach)
}

/// Whether the lengths of the message, or of a prefix in the classic fields, do not add up.
fn classic_is_broken(bytes: &[u8]) -> bool {
    let Ok(theirs::Message::Update(update)) =
        theirs::decode_message(&mut Bytes::copy_from_slice(bytes), 4096)
    else {
        return true;
    };
    let bare = theirs::UpdateMessage {
        path_attributes: Bytes::new(),
        ..update
    };
    bare.parse(true, false, &[]).is_err()
}
