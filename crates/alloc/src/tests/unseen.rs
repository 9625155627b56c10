// SPDX-License-Identifier: Apache-2.0
//! What the source does not show: writes that were never needed, and Namespaces that come late.

use std::sync::Arc;

use ferrolb_config::{Config, compiled::Pinning};

use super::build::*;
use crate::{Engine, Kind, Options};

/// An engine that shows what it decides to nobody.
struct Alone(Engine);

impl Alone {
    fn new() -> Self {
        let mut engine = Engine::new(Options::default());
        engine.set_config(&config([pool("p", "10.0.0.0/29")]));
        engine.synced(Kind::Services);
        engine.synced(Kind::Namespaces);
        Self(engine)
    }

    fn show(&mut self, svc: Svc) {
        self.0.apply_service(Arc::new(svc.0));
        while self.0.poll().is_some() {}
    }

    fn wanted(&self, name: &str) -> String {
        let desired = self.0.desired(&svc(name).0.key);
        let addresses = desired.into_iter().flat_map(|standing| &standing.addresses);
        let texts: Vec<String> = addresses.map(ToString::to_string).collect();
        texts.join(" ")
    }

    fn is_confirmed(&self, name: &str) -> bool {
        self.0.is_confirmed(&svc(name).0.key)
    }

    fn confirm(&mut self, name: &str) {
        self.0.confirm(&svc(name).0.key);
    }
}

/// Another address was requested, and the request was taken back before the write of it.
fn taken_back() -> Alone {
    let mut alone = Alone::new();
    let held = || svc("s").status("10.0.0.1", "p");
    alone.show(held());
    alone.show(held().ips("10.0.0.4"));
    assert_eq!(alone.wanted("s"), "10.0.0.4");
    alone.confirm("s");
    assert!(!alone.is_confirmed("s"), "something else stands");
    alone.show(held().ips("10.0.0.1"));
    assert_eq!(alone.wanted("s"), "10.0.0.1");
    assert!(!alone.is_confirmed("s"), "the write may be on its way");
    alone.confirm("s");
    assert!(alone.is_confirmed("s"));
    alone.show(held());
    alone
}

#[test]
fn an_edit_is_no_echo_of_what_was_never_written() {
    let mut alone = taken_back();
    alone.show(svc("s").status("10.0.0.4", "p"));
    assert_eq!(alone.wanted("s"), "10.0.0.4", "adopted");
    alone.show(svc("t").ips("10.0.0.4"));
    assert_eq!(alone.wanted("t"), "", "it is held");
}

#[test]
fn a_forged_status_takes_nothing_from_who_holds_it_for_sure() {
    let mut alone = taken_back();
    alone.show(svc("t").status("10.0.0.1", "p"));
    assert_eq!(alone.wanted("s"), "10.0.0.1");
    assert_eq!(alone.wanted("t"), "10.0.0.0", "moved");
}

/// A pool for tenants, and an open one.
fn pools() -> Config {
    let mut tenants = pool("tenants", "10.0.0.0/30");
    tenants.pinning = Some(Pinning {
        namespace_selectors: vec![label("tenant", "x")],
        ..Pinning::default()
    });
    config([tenants, pool("open", "10.0.1.0/30")])
}

fn awaiting(services: impl IntoIterator<Item = Svc>) -> Cluster {
    let options = Options {
        await_namespaces: true,
        ..Options::default()
    };
    Cluster::with(options, &pools(), services.into_iter().map(|svc| svc.0), [])
}

#[test]
fn a_service_waits_for_its_namespace() {
    let mut cluster = awaiting([]);
    cluster.put(svc("t1/s"));
    cluster.put(svc("plain/s"));
    cluster.configure(&pools());
    assert_eq!(cluster.status("t1/s"), "");
    assert_eq!(cluster.events(), "");
    cluster.namespace("t1", &[("tenant", "x")]);
    assert_eq!(cluster.status("t1/s"), "10.0.0.0 @tenants");
    assert_eq!(cluster.status("plain/s"), "");
    cluster.namespace("plain", &[]);
    assert_eq!(cluster.status("plain/s"), "10.0.1.0 @open");
}

#[test]
fn what_it_holds_it_keeps_meanwhile() {
    let mut cluster = awaiting([svc("t1/s").status("10.0.0.0", "tenants")]);
    cluster.namespace("t2", &[("tenant", "x")]);
    cluster.put(svc("t2/s"));
    assert_eq!(cluster.status("t2/s"), "10.0.0.1 @tenants");
    cluster.put(svc("t2/asks").ips("10.0.0.0"));
    assert_eq!(cluster.status("t2/asks"), "");
    cluster.events();
    cluster.namespace("t1", &[("tenant", "x")]);
    cluster.engine.delete_namespace("t1");
    cluster.run();
    assert_eq!(cluster.status("t1/s"), "10.0.0.0 @tenants");
    assert_eq!(cluster.events(), "", "nothing happened to it");
    cluster.namespace("t1", &[]);
    assert_eq!(cluster.status("t1/s"), "10.0.1.0 @open", "it is no tenant");
    assert_eq!(cluster.status("t2/asks"), "10.0.0.0 @tenants");
}

#[test]
fn where_no_namespace_is_awaited_it_has_no_labels() {
    let mut cluster = Cluster::new(&pools());
    cluster.put(svc("t1/s"));
    assert_eq!(cluster.status("t1/s"), "10.0.1.0 @open");
}
