// SPDX-License-Identifier: Apache-2.0
//! A speaker's world with 50,000 Services on 100 nodes: the full build, single changes, and memory.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use std::{collections::BTreeSet, sync::Arc};

use criterion::{Criterion, criterion_group, criterion_main};
use ferrolb_api::view::*;
use ferrolb_config::{Config, compiled::*, selector::AnyOf};
use ferrolb_types::{EndpointSliceKey, Labels, NodeName, ServiceKey};
use ferrolb_world::{Kind, Liveness, Options, World};

const SERVICES: usize = 50_000;
const NODES: usize = 100;

fn labels(pairs: &[(&str, String)]) -> Labels {
    let owned = pairs.iter().map(|(k, v)| ((*k).to_owned(), v.clone()));
    owned.collect()
}

fn node_name(n: usize) -> NodeName {
    format!("worker-{n:03}.example.internal").into()
}

fn key(n: usize) -> ServiceKey {
    ServiceKey::new("production", format!("service-{n}"))
}

fn service(n: usize, host: usize) -> ServiceView {
    let address = format!("10.{}.{}.{}", host >> 16, host >> 8 & 255, host & 255);
    ServiceView {
        key: key(n),
        created: Some(1_700_000_000),
        labels: labels(&[("app", format!("service-{n}")), ("tier", "web".into())]),
        annotations: ServiceAnnotations {
            allocated_from_pool: Some("pool".into()),
            ..ServiceAnnotations::default()
        },
        kind: ServiceType::LoadBalancer,
        class: None,
        cluster_ips: vec![ClusterIp::Address("10.96.0.1".parse().unwrap())],
        ipv6_first: false,
        policy: Some(FamilyPolicy::SingleStack),
        load_balancer_ip: None,
        ports: vec![ServicePort {
            protocol: Protocol::Tcp,
            port: 443,
        }],
        traffic_policy: TrafficPolicy::Cluster,
        selector: labels(&[("app", format!("service-{n}"))]),
        ingress: vec![Ingress::Address(address.parse().unwrap())],
    }
}

fn slice(n: usize, endpoints: usize) -> EndpointSliceView {
    let nodes: BTreeSet<usize> = (0..endpoints).map(|e| (n + e * 37) % NODES).collect();
    EndpointSliceView {
        key: EndpointSliceKey::new("production", format!("service-{n}-x7k2p")),
        service: Some(key(n)),
        usable: nodes
            .into_iter()
            .map(|node| UsableEndpoint {
                node: Some(node_name(node)),
                has_address: true,
            })
            .collect(),
    }
}

fn config() -> Arc<Config> {
    let pool = Pool {
        name: "pool".into(),
        entries: vec![Entry {
            index: 0,
            range: "10.0.0.0/8".parse().unwrap(),
        }],
        auto_assign: true,
        avoid_buggy_ips: false,
        pinning: None,
        l2: vec![Arc::new(L2Advertisement {
            name: "l2".into(),
            ..L2Advertisement::default()
        })],
        bgp: vec![Arc::new(BgpAdvertisement {
            name: "bgp".into(),
            services: AnyOf::default(),
            nodes: AnyOf::default(),
            peers: BTreeSet::new(),
            aggregation_length: 32,
            aggregation_length_v6: 128,
            local_pref: None,
            communities: ["64512:100".parse().unwrap()].into(),
        })],
    };
    Arc::new(Config {
        pools: [("pool".into(), Arc::new(pool))].into(),
        ..Config::default()
    })
}

/// Everything that comes in, ready to apply.
struct Objects {
    services: Vec<ServiceView>,
    slices: Vec<EndpointSliceView>,
    config: Arc<Config>,
}

impl Objects {
    fn new() -> Self {
        Self {
            services: (0..SERVICES).map(|n| service(n, n)).collect(),
            slices: (0..SERVICES).map(|n| slice(n, 3)).collect(),
            config: config(),
        }
    }

    fn world(&self) -> World {
        let mut world = World::new(Options {
            node: Some(node_name(0)),
            ..Options::default()
        });
        for n in 0..NODES {
            world.apply_node(NodeView {
                name: node_name(n),
                labels: labels(&[("kubernetes.io/hostname", node_name(n).to_string())]),
                internal_ips: Vec::new(),
                network_unavailable: false,
            });
        }
        self.services.iter().for_each(|s| world.apply_service(s));
        self.slices
            .iter()
            .for_each(|s| world.apply_endpoint_slice(s));
        world.set_config(Arc::clone(&self.config));
        for kind in [Kind::Services, Kind::EndpointSlices, Kind::Nodes] {
            world.synced(kind);
        }
        drain(&mut world);
        world
    }
}

fn drain(world: &mut World) -> usize {
    std::iter::from_fn(|| world.poll()).count()
}

/// Resident memory of this process in bytes, as the kernel counts it.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

fn memory(objects: &Objects) -> World {
    let before = resident();
    let world = objects.world();
    let held = resident() - before;
    let each = held / SERVICES;
    println!("memory: {SERVICES} Services on {NODES} nodes hold {held} bytes, {each} per Service");
    world
}

fn all(c: &mut Criterion) {
    let objects = Objects::new();
    let mut world = memory(&objects);
    let mut group = c.benchmark_group("world");
    group.sample_size(10);
    group.bench_function("full build, 50,000 Services", |b| {
        b.iter_with_large_drop(|| objects.world());
    });
    group.sample_size(50);
    let mut n = 0;
    let fewer: Vec<EndpointSliceView> = (0..SERVICES).map(|n| slice(n, 0)).collect();
    group.bench_function("endpoints of a Service gone", |b| {
        b.iter(|| {
            n += 1;
            let set = if (n / SERVICES).is_multiple_of(2) {
                &fewer
            } else {
                &objects.slices
            };
            world.apply_endpoint_slice(&set[n % SERVICES]);
            drain(&mut world)
        });
    });
    objects
        .slices
        .iter()
        .for_each(|s| world.apply_endpoint_slice(s));
    drain(&mut world);
    let moved: Vec<ServiceView> = (0..SERVICES).map(|n| service(n, n + 100_000)).collect();
    group.bench_function("a Service with another address", |b| {
        b.iter(|| {
            n += 1;
            let set = if (n / SERVICES).is_multiple_of(2) {
                &moved
            } else {
                &objects.services
            };
            world.apply_service(&set[n % SERVICES]);
            drain(&mut world)
        });
    });
    group.bench_function("a node lost and back", |b| {
        let most = Liveness::Nodes((0..NODES).filter(|n| *n != 7).map(node_name).collect());
        b.iter(|| {
            world.set_alive(&most);
            world.set_alive(&Liveness::AllNodes);
            drain(&mut world)
        });
    });
    group.bench_function("explain", |b| b.iter(|| world.explain(&key(4711))));
    group.finish();
}

criterion_group!(benches, all);
criterion_main!(benches);
