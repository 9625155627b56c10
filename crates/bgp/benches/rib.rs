// SPDX-License-Identifier: Apache-2.0
//! What RIB-out costs: 100,000 routes encoded, one change to its UPDATE, and the memory of both.

#![allow(missing_docs, reason = "a benchmark has no API")]

use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::BytesMut;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use ferrolb_bgp::{ConnId, Ends, Input, NextHops, Options, Output, PeerConfig, Speaker, wire};
use ferrolb_types::{Asn, Community, RouteAttributes, RouteTargets, RouterId, StandardCommunity};
use ipnet::{IpNet, Ipv4Net};

const ROUTES: u32 = 100_000;

fn prefix(n: u32) -> IpNet {
    Ipv4Net::new((0x0a00_0000 + n).into(), 32)
        .unwrap_or_default()
        .into()
}

/// Two communities; `kind` tells attribute sets apart.
fn targets(kind: u32) -> Option<RouteTargets> {
    let community = |low| Community::Standard(StandardCommunity(64500 << 16 | low));
    let communities = vec![community(1), community(1000 + kind)];
    Some(RouteTargets::All(Arc::new(RouteAttributes {
        local_pref: Some(100),
        communities,
    })))
}

/// A speaker that wants the routes announced, in this many attribute sets, and has one internal peer.
fn speaker(routes: u32, sets: u32) -> (Speaker, Instant) {
    let now = Instant::now();
    let id = RouterId([192, 0, 2, 1].into());
    let mut speaker = Speaker::new(Options {
        fallback_router_id: id,
        seed: 1,
    });
    for n in 0..routes {
        speaker.set_route(now, prefix(n), targets(n % sets));
    }
    speaker.set_synced(now);
    let asn = Asn(64500);
    let remote = [192, 0, 2, 2].into();
    speaker.set_peer(now, PeerConfig::new("r1".into(), asn, asn, remote));
    (speaker, now)
}

/// Brings the session up to where routes can be written.
fn establish(speaker: &mut Speaker, now: Instant) -> Option<ConnId> {
    let mut conn = None;
    while let Some(output) = speaker.poll() {
        if let Output::Connect { conn: id, .. } = output {
            conn = Some(id);
        }
    }
    let conn = conn?;
    let ends = Ends {
        local: ([192, 0, 2, 1], 40000).into(),
        remote: ([192, 0, 2, 2], 179).into(),
        next_hops: NextHops::default(),
    };
    let mut bytes = BytesMut::new();
    let id = RouterId([192, 0, 2, 2].into());
    let four = wire::Capability::FourOctetAs(Asn(64500));
    wire::Open::new(Asn(64500), 90, id, vec![four]).emit(&mut bytes);
    wire::emit_keepalive(&mut bytes);
    for input in [
        Input::Connected { conn, ends },
        Input::Received {
            conn,
            bytes: &bytes,
        },
    ] {
        speaker.handle(now, input);
        while speaker.poll().is_some() {}
    }
    Some(conn)
}

/// Writes everything there is to write, as a driver with a 64 KiB buffer would.
fn drain(speaker: &mut Speaker, now: Instant, conn: ConnId, buf: &mut BytesMut) -> usize {
    let mut written = 0;
    loop {
        buf.clear();
        let more = speaker.transmit(now, conn, buf, 64 * 1024);
        written += black_box(&buf[..]).len();
        if !more {
            return written;
        }
    }
}

fn encode(c: &mut Criterion) {
    for sets in [1, 10, 1000] {
        c.bench_function(
            &format!("encode 100,000 routes in {sets} attribute sets"),
            |b| {
                let mut buf = BytesMut::with_capacity(128 * 1024);
                b.iter_batched(
                    || {
                        let (mut speaker, now) = speaker(ROUTES, sets);
                        let conn = establish(&mut speaker, now);
                        (speaker, now, conn)
                    },
                    |(mut speaker, now, conn)| {
                        let written = conn.map(|conn| drain(&mut speaker, now, conn, &mut buf));
                        (speaker, written)
                    },
                    BatchSize::LargeInput,
                );
            },
        );
    }
}

fn establish_and_encode(c: &mut Criterion) {
    c.bench_function("session up to all of 100,000 routes written", |b| {
        let mut buf = BytesMut::with_capacity(128 * 1024);
        b.iter_batched(
            || speaker(ROUTES, 1),
            |(mut speaker, now)| {
                let conn = establish(&mut speaker, now);
                let written = conn.map(|conn| drain(&mut speaker, now, conn, &mut buf));
                (speaker, written)
            },
            BatchSize::LargeInput,
        );
    });
}

fn one_change(c: &mut Criterion) {
    let (mut speaker, now) = speaker(ROUTES, 1);
    let mut buf = BytesMut::with_capacity(128 * 1024);
    let Some(conn) = establish(&mut speaker, now) else {
        return;
    };
    drain(&mut speaker, now, conn, &mut buf);
    let mut n = 0_u32;
    c.bench_function("one change among 100,000 routes to its UPDATE", |b| {
        b.iter(|| {
            n = n.wrapping_add(7919);
            speaker.set_route(now, prefix(n % ROUTES), targets(1 + n % 2));
            while speaker.poll().is_some() {}
            drain(&mut speaker, now, conn, &mut buf)
        });
    });
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS"))
        .unwrap_or_default();
    line.split_whitespace()
        .nth(1)
        .and_then(|text| text.parse().ok())
        .unwrap_or_default()
}

/// Not timed: the growth of the process as routes are held, then as a peer has them.
fn memory(_: &mut Criterion) {
    let before = resident_kib();
    let (mut speaker, now) = speaker(ROUTES, 10);
    let held = resident_kib();
    let Some(conn) = establish(&mut speaker, now) else {
        return;
    };
    drain(
        &mut speaker,
        now,
        conn,
        &mut BytesMut::with_capacity(128 * 1024),
    );
    let sent = resident_kib();
    println!(
        "memory of 100,000 routes: {} KiB to hold them, {} KiB more once a peer has them",
        held.saturating_sub(before),
        sent.saturating_sub(held)
    );
    black_box(speaker.routes());
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    // Memory first, while the process is small.
    targets = memory, encode, establish_and_encode, one_change
}
criterion_main!(benches);
