// SPDX-License-Identifier: Apache-2.0
//! Short forms for pools and Services, and a source that writes results back as a status.

use std::{collections::BTreeMap, net::IpAddr, sync::Arc};

use ferrolb_api::view::{
    ClusterIp, FamilyPolicy, Ingress, NamespaceView, Protocol, ServicePort, ServiceType,
    ServiceView, TrafficPolicy,
};
use ferrolb_config::{
    Config,
    compiled::{Entry, Pinning, Pool, Refused},
    selector::{Requirement, Selector},
};
use ferrolb_types::{Labels, ObjectRef, PoolName, ServiceKey};

use crate::{Engine, EventType, Kind, Options, Output};

pub(super) fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

pub(super) fn pool(name: &str, addresses: &str) -> Pool {
    let ranges = addresses
        .split_whitespace()
        .map(|text| text.parse().unwrap());
    Pool {
        name: PoolName::from(name),
        entries: ranges
            .enumerate()
            .map(|(index, range)| Entry { index, range })
            .collect(),
        auto_assign: true,
        avoid_buggy_ips: false,
        pinning: None,
        l2: Vec::new(),
        bgp: Vec::new(),
    }
}

pub(super) fn manual(mut pool: Pool) -> Pool {
    pool.auto_assign = false;
    pool
}

pub(super) fn careful(mut pool: Pool) -> Pool {
    pool.avoid_buggy_ips = true;
    pool
}

pub(super) fn label(key: &str, value: &str) -> Selector {
    Selector {
        requirements: vec![Requirement::In(key.into(), [value.to_owned()].into())],
    }
}

/// Pins a pool to a namespace and to Services of a team; empty means to none.
pub(super) fn pinned(mut pool: Pool, namespace: &str, team: &str, priority: i64) -> Pool {
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    pool.pinning = Some(Pinning {
        priority,
        namespaces: given(namespace).into_iter().collect(),
        namespace_selectors: Vec::new(),
        service_selectors: given(team).iter().map(|team| label("team", team)).collect(),
    });
    pool
}

pub(super) fn config(pools: impl IntoIterator<Item = Pool>) -> Config {
    let pools = pools.into_iter();
    Config {
        pools: pools
            .map(|pool| (pool.name.clone(), Arc::new(pool)))
            .collect(),
        ..Config::default()
    }
}

/// A configuration in which a pool is refused and these ranges of it could be read.
pub(super) fn refused(mut config: Config, name: &str, ranges: &str) -> Config {
    let refused = Refused {
        diagnostics: Vec::new(),
        last_good_in_force: false,
        ranges: ranges
            .split_whitespace()
            .map(|r| r.parse().unwrap())
            .collect(),
    };
    let object = ObjectRef::new("IPAddressPool", "metallb-system", name);
    config.refused.insert(object, refused);
    config
}

/// Fixture F.
pub(super) fn fixture() -> Config {
    config([
        pool("p1", "1.2.3.0/31"),
        manual(pool("p2", "3.4.5.6/32")),
        pool("p3", "1000::/127"),
        manual(pool("p4", "2000::1/128")),
        pool("p5", "1.2.4.0/31 1000::4:0/127"),
        pinned(pool("n10", "7.8.9.0/31"), "test-ns1", "", 10),
        pinned(pool("n11", "10.11.12.0/31"), "test-ns1", "", 11),
        pinned(pool("l9", "13.14.15.0/31"), "", "metallb", 9),
        pinned(pool("l8", "19.20.21.0/31"), "", "metallb", 8),
        pinned(pool("n2", "16.17.18.0/31"), "test-ns2", "", 0),
        pinned(pool("b8", "22.23.24.0/31"), "test-ns1", "metallb", 8),
        pinned(pool("b5", "25.26.27.0/31"), "test-ns1", "metallb", 5),
    ])
}

/// A Service under construction.
#[derive(Clone, Debug)]
pub(super) struct Svc(pub(super) ServiceView);

pub(super) fn svc(name: &str) -> Svc {
    let (namespace, name) = name.split_once('/').unwrap_or(("plain", name));
    Svc(ServiceView {
        key: ServiceKey::new(namespace, name),
        created: Some(0),
        labels: Labels::new(),
        annotations: Default::default(),
        kind: ServiceType::LoadBalancer,
        class: None,
        cluster_ips: vec![ClusterIp::Address(ip("10.96.0.1"))],
        ipv6_first: false,
        policy: None,
        load_balancer_ip: None,
        ports: vec![ServicePort {
            protocol: Protocol::Tcp,
            port: 80,
        }],
        traffic_policy: TrafficPolicy::Cluster,
        selector: Labels::new(),
        ingress: Vec::new(),
    })
}

impl Svc {
    pub(super) fn created(mut self, at: i64) -> Self {
        self.0.created = Some(at);
        self
    }

    pub(super) fn kind(mut self, kind: ServiceType) -> Self {
        self.0.kind = kind;
        self
    }

    pub(super) fn class(mut self, class: &str) -> Self {
        self.0.class = (!class.is_empty()).then(|| class.into());
        self
    }

    pub(super) fn team(mut self, team: &str) -> Self {
        self.0.labels = [("team", team)].into();
        self
    }

    /// Cluster addresses: `4`, `6`, `46`, `64`, or empty.
    pub(super) fn cluster(mut self, families: &str) -> Self {
        let address = |family| match family {
            '4' => ClusterIp::Address(ip("10.96.0.1")),
            '6' => ClusterIp::Address(ip("fd00::1")),
            _ => ClusterIp::Other("None".into()),
        };
        self.0.cluster_ips = families.chars().map(address).collect();
        self
    }

    pub(super) fn v6_first(mut self) -> Self {
        self.0.ipv6_first = true;
        self
    }

    pub(super) fn prefer(mut self) -> Self {
        self.0.policy = Some(FamilyPolicy::PreferDualStack);
        self
    }

    pub(super) fn require(mut self) -> Self {
        self.0.policy = Some(FamilyPolicy::RequireDualStack);
        self
    }

    /// The deprecated field.
    pub(super) fn field(mut self, address: &str) -> Self {
        self.0.load_balancer_ip = Some(address.into());
        self
    }

    pub(super) fn ips(mut self, text: &str) -> Self {
        self.0.annotations.load_balancer_ips = (!text.is_empty()).then(|| text.into());
        self
    }

    pub(super) fn from(mut self, pool: &str) -> Self {
        self.0.annotations.address_pool = Some(pool.into());
        self
    }

    pub(super) fn legacy(mut self, key: &str) -> Self {
        self.0.annotations.deprecated.push(key.into());
        self
    }

    pub(super) fn share(mut self, key: &str) -> Self {
        self.0.annotations.allow_shared_ip = Some(key.into());
        self
    }

    pub(super) fn port(mut self, protocol: Protocol, port: u16) -> Self {
        self.0.ports = vec![ServicePort { protocol, port }];
        self
    }

    /// `externalTrafficPolicy: Local` with a selector `a=<value>`.
    pub(super) fn local(mut self, value: &str) -> Self {
        self.0.traffic_policy = TrafficPolicy::Local;
        self.0.selector = [("a", value)].into();
        self
    }

    /// Status entries, and the pool the annotation names; a text that is no address is a hostname.
    pub(super) fn status(mut self, entries: &str, pool: &str) -> Self {
        let entry = |text: &str| match text.parse() {
            Ok(address) => Ingress::Address(address),
            Err(_) => Ingress::Hostname(text.into()),
        };
        self.0.ingress = entries.split_whitespace().map(entry).collect();
        self.0.annotations.allocated_from_pool = (!pool.is_empty()).then(|| pool.into());
        self
    }
}

/// An engine and a source that writes what the engine decides.
pub(super) struct Cluster {
    pub(super) engine: Engine,
    pub(super) services: BTreeMap<ServiceKey, ServiceView>,
    namespaces: Vec<NamespaceView>,
    /// Events since the last look, `W:` before the reason of a warning.
    events: Vec<String>,
    writes: usize,
}

impl Cluster {
    pub(super) fn new(config: &Config) -> Self {
        Self::with(Options::default(), config, [], [])
    }

    pub(super) fn with(
        options: Options,
        config: &Config,
        services: impl IntoIterator<Item = ServiceView>,
        namespaces: impl IntoIterator<Item = NamespaceView>,
    ) -> Self {
        let mut cluster = Self {
            engine: Engine::new(options),
            services: BTreeMap::new(),
            namespaces: namespaces.into_iter().collect(),
            events: Vec::new(),
            writes: 0,
        };
        cluster.engine.set_config(config);
        for view in &cluster.namespaces {
            cluster.engine.apply_namespace(view.clone());
        }
        cluster.engine.synced(Kind::Namespaces);
        for view in services {
            cluster.engine.apply_service(Arc::new(view.clone()));
            cluster.services.insert(view.key.clone(), view);
        }
        cluster.engine.synced(Kind::Services);
        cluster.run();
        cluster
    }

    /// Applies a Service as it stands; what its status held before goes.
    pub(super) fn put(&mut self, svc: Svc) {
        self.engine.apply_service(Arc::new(svc.0.clone()));
        self.services.insert(svc.0.key.clone(), svc.0);
        self.run();
    }

    /// Applies a Service with the status it has.
    pub(super) fn edit(&mut self, mut svc: Svc) {
        if let Some(old) = self.services.get(&svc.0.key) {
            svc.0.ingress.clone_from(&old.ingress);
            let pool = &old.annotations.allocated_from_pool;
            svc.0.annotations.allocated_from_pool.clone_from(pool);
        }
        self.put(svc);
    }

    pub(super) fn delete(&mut self, name: &str) {
        let key = svc(name).0.key;
        self.engine.delete_service(&key);
        self.services.remove(&key);
        self.run();
    }

    pub(super) fn configure(&mut self, config: &Config) {
        self.engine.set_config(config);
        self.run();
    }

    pub(super) fn namespace(&mut self, name: &str, labels: &[(&str, &str)]) {
        let view = NamespaceView {
            name: name.into(),
            labels: labels.iter().copied().collect(),
        };
        self.engine.apply_namespace(view.clone());
        self.namespaces.retain(|known| known.name != name);
        self.namespaces.push(view);
        self.run();
    }

    /// Writes what comes out and shows it to the engine, until nothing comes.
    pub(super) fn run(&mut self) {
        for _ in 0..10_000 {
            let Some(Output { key, outcome }) = self.engine.poll() else {
                return;
            };
            for event in &outcome.events {
                let warning = event.type_ == EventType::Warning;
                let mark = if warning { "W:" } else { "" };
                self.events.push(format!("{mark}{}", event.reason));
            }
            if !outcome.changed {
                continue;
            }
            self.writes += 1;
            let Some(view) = self.services.get_mut(&key) else {
                continue;
            };
            view.ingress = outcome
                .ingress
                .iter()
                .copied()
                .map(Ingress::Address)
                .collect();
            let pool = outcome.pool.as_ref().map(|pool| pool.as_str().into());
            view.annotations.allocated_from_pool = pool;
            self.engine.apply_service(Arc::new(view.clone()));
        }
        panic!("no end of writes");
    }

    /// The status: addresses, then the pool of the annotation after an `@`.
    pub(super) fn status(&self, name: &str) -> String {
        let view = &self.services[&svc(name).0.key];
        let mut words: Vec<String> = view.addresses().map(|a| a.to_string()).collect();
        let pool = &view.annotations.allocated_from_pool;
        words.extend(pool.iter().map(|pool| format!("@{pool}")));
        words.join(" ")
    }

    /// The reasons of all Events since the last call.
    pub(super) fn events(&mut self) -> String {
        std::mem::take(&mut self.events).join(" ")
    }

    /// Writes since the last call.
    pub(super) fn writes(&mut self) -> usize {
        std::mem::take(&mut self.writes)
    }

    /// The same cluster after a restart of the controller.
    pub(super) fn restart(&self, config: &Config) -> Self {
        Self::with(
            Options::default(),
            config,
            self.services.values().cloned(),
            self.namespaces.clone(),
        )
    }
}
