// SPDX-License-Identifier: Apache-2.0
//! One allocation and one release while a million Services hold addresses.
#![expect(
    clippy::expect_used,
    reason = "a benchmark whose set-up fails has nothing to measure"
)]

use std::{collections::BTreeMap, hint::black_box, sync::Arc};

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use ferrolb_alloc::{Allocator, Claim, Need, Terms};
use ferrolb_config::{
    Config,
    compiled::{Entry, Pool},
};
use ferrolb_types::{Family, Labels, PoolName, ServiceKey};

const HELD: u32 = 1_000_000;
const BATCH: u32 = 1_000;

fn pool(name: &str, range: &str) -> (PoolName, Arc<Pool>) {
    let range = range.parse().expect("a range");
    let pool = Pool {
        name: name.into(),
        entries: vec![Entry { index: 0, range }],
        auto_assign: true,
        avoid_buggy_ips: false,
        pinning: None,
        l2: Vec::new(),
        bgp: Vec::new(),
    };
    (pool.name.clone(), Arc::new(pool))
}

fn config(pools: impl IntoIterator<Item = (PoolName, Arc<Pool>)>) -> Config {
    Config {
        pools: pools.into_iter().collect::<BTreeMap<_, _>>(),
        ..Config::default()
    }
}

fn key(n: u32) -> ServiceKey {
    ServiceKey::new(format!("team-{}", n % 100), format!("service-{n}"))
}

fn allocate(allocator: &mut Allocator, service: &ServiceKey, family: Family) {
    let (labels, terms) = (Labels::new(), Terms::default());
    let claim = Claim {
        service,
        labels: &labels,
        namespace_labels: Some(&labels),
        terms: &terms,
    };
    let granted = allocator.allocate(&claim, Need::One(family), None);
    black_box(granted).expect("a free address");
}

fn release(allocator: &mut Allocator, service: &ServiceKey) {
    allocator.free(service);
    while allocator.next_freed().is_some() {}
}

/// Gives back what it set up: memory that is free again would be missing from the next one's count.
fn run(
    c: &mut Criterion,
    name: &str,
    config: &Config,
    family: Family,
) -> (Allocator, Vec<ServiceKey>) {
    let mut allocator = Allocator::default();
    allocator.set_config(config);
    let before = resident();
    let keys: Vec<ServiceKey> = (0..HELD).map(key).collect();
    let named = resident();
    for service in &keys {
        allocate(&mut allocator, service, family);
    }
    let bytes = resident().saturating_sub(named) / u64::from(HELD);
    let names = named.saturating_sub(before) / u64::from(HELD);
    println!("{name}: {bytes} bytes per held Service, and {names} for its name");
    let mut next = 0u32;
    let mut group = c.benchmark_group("allocate and free, 1,000,000 held");
    group.throughput(Throughput::Elements(u64::from(BATCH)));
    // A scattered thousand goes and comes back: each pair is one release and one allocation.
    group.bench_function(name, |b| {
        b.iter_batched(
            || {
                let chosen = (0..BATCH).map(|_| {
                    next = next.wrapping_add(611_953) % HELD;
                    keys[next as usize].clone()
                });
                chosen.collect::<Vec<_>>()
            },
            |chosen| {
                for service in &chosen {
                    release(&mut allocator, service);
                }
                for service in &chosen {
                    allocate(&mut allocator, service, family);
                }
                chosen
            },
            BatchSize::LargeInput,
        );
    });
    group.finish();
    (allocator, keys)
}

/// Resident memory of this process in bytes.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse::<u64>().ok());
    pages.unwrap_or(0) * 4096
}

fn benches(c: &mut Criterion) {
    let v4 = config([pool("p", "10.0.0.0/8")]);
    let v6 = config([pool("p", "2001:db8::/64")]);
    let small = (0..1_000u32).map(|n| {
        let (b, c) = (n >> 6, (n & 63) << 2);
        pool(&format!("pool-{n:04}"), &format!("10.{b}.{c}.0/22"))
    });
    let held = [
        run(c, "/8", &v4, Family::IPv4),
        run(c, "/64", &v6, Family::IPv6),
        run(c, "1,000 pools of /22", &config(small), Family::IPv4),
    ];
    drop(held);
}

criterion_group! {
    name = all;
    config = Criterion::default().sample_size(30).measurement_time(std::time::Duration::from_secs(3));
    targets = benches
}
criterion_main!(all);
