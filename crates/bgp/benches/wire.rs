// SPDX-License-Identifier: Apache-2.0
//! 100,000 IPv4 routes to octets and back, beside rustbgpd-wire in the same run.

#![allow(missing_docs)]

use std::{hint::black_box, net::Ipv4Addr};

use bytes::{Bytes, BytesMut};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ferrolb_bgp::wire::{
    Announcement, AsWidth, EncodedAttributes, Framing, MaxLength, Message, NextHop, Options,
    PeerKind, UpdateWriter, frame,
};
use ferrolb_types::{Community, Family};
use ipnet::Ipv4Net;
use rustbgpd_wire as theirs;

const ROUTES: u32 = 100_000;
const NEXT_HOP: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
/// As many /32 as fit 4096 octets with these attributes.
const PACKED: usize = 800;

fn nets() -> Vec<Ipv4Net> {
    (0..ROUTES)
        .map(|n| Ipv4Net::from(Ipv4Addr::from(0x0a00_0000 + n)))
        .collect()
}

fn attributes() -> EncodedAttributes {
    let communities: Vec<Community> = ["65000:1", "65000:2"]
        .iter()
        .filter_map(|text| text.parse().ok())
        .collect();
    let said = Announcement {
        as_path: &[ferrolb_types::Asn(65001)],
        next_hop: NextHop::V4(NEXT_HOP),
        local_pref: Some(100),
        communities: &communities,
    };
    EncodedAttributes::new(Family::IPv4, &said, AsWidth::Four)
}

fn encode(buf: &mut BytesMut, nets: &[Ipv4Net], per_message: usize) {
    let attributes = attributes();
    for chunk in nets.chunks(per_message) {
        let mut writer = UpdateWriter::announce(buf, &attributes, MaxLength::Standard);
        let all = chunk.iter().all(|net| writer.push_v4(*net));
        assert!(all && writer.finish());
    }
}

fn decode(mut bytes: &[u8]) -> usize {
    let options = Options {
        as_width: AsWidth::Four,
        peer: PeerKind::Internal,
        ipv4_over_ipv6: false,
    };
    let mut count = 0;
    while let Ok(Framing::Whole(frame)) = frame(bytes, MaxLength::Standard) {
        bytes = bytes.get(frame.wire_len()..).unwrap_or_default();
        if let Ok(Message::Update(update)) = Message::parse(frame, &options) {
            count += update.announced().count();
        }
    }
    count
}

fn their_encode(buf: &mut BytesMut, nets: &[Ipv4Net], per_message: usize) {
    use theirs::{AsPath, AsPathSegment, Ipv4NlriEntry, Ipv4Prefix, Origin, PathAttribute};
    let attributes = [
        PathAttribute::Origin(Origin::Igp),
        PathAttribute::AsPath(AsPath {
            segments: vec![AsPathSegment::AsSequence(vec![65001])],
        }),
        PathAttribute::NextHop(NEXT_HOP),
        PathAttribute::LocalPref(100),
        PathAttribute::Communities(vec![65000 << 16 | 1, 65000 << 16 | 2]),
    ];
    for chunk in nets.chunks(per_message) {
        let prefix = |net: &Ipv4Net| Ipv4Prefix::new(net.addr(), net.prefix_len());
        let entries: Vec<Ipv4NlriEntry> = chunk
            .iter()
            .map(|net| Ipv4NlriEntry {
                path_id: 0,
                prefix: prefix(net),
            })
            .collect();
        let mode = theirs::Ipv4UnicastMode::Body;
        let update = theirs::UpdateMessage::build(&entries, &[], &attributes, true, false, mode);
        assert!(update.encode(buf).is_ok());
    }
}

fn their_decode(bytes: &Bytes) -> usize {
    let (mut bytes, mut count) = (bytes.clone(), 0);
    while let Ok(theirs::Message::Update(update)) = theirs::decode_message(&mut bytes, 4096) {
        count += update
            .parse_revised(true, true, false, &[])
            .map_or(0, |parsed| parsed.update.announced.len());
    }
    count
}

fn wire(c: &mut Criterion) {
    let nets = nets();
    for (name, per_message) in [("packed", PACKED), ("one route per UPDATE", 1)] {
        let mut bytes = BytesMut::new();
        encode(&mut bytes, &nets, per_message);
        let mut reference = BytesMut::new();
        their_encode(&mut reference, &nets, per_message);
        assert_eq!(bytes, reference);
        let bytes = bytes.freeze();
        let mut group = c.benchmark_group(format!("100k routes, {name}"));
        group
            .throughput(Throughput::Elements(ROUTES.into()))
            .sample_size(20);
        let mut buf = BytesMut::with_capacity(bytes.len() + 4096);
        group.bench_function("encode", |b| {
            b.iter(|| {
                buf.clear();
                encode(&mut buf, black_box(&nets), per_message);
            });
        });
        group.bench_function("encode, rustbgpd-wire", |b| {
            b.iter(|| {
                buf.clear();
                their_encode(&mut buf, black_box(&nets), per_message);
            });
        });
        group.bench_function("decode", |b| b.iter(|| decode(black_box(&bytes))));
        group.bench_function("decode, rustbgpd-wire", |b| {
            b.iter(|| their_decode(black_box(&bytes)));
        });
        group.finish();
    }
}

criterion_group!(benches, wire);
criterion_main!(benches);
