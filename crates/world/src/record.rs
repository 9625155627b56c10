// SPDX-License-Identifier: Apache-2.0
//! A Service reduced to what announcing depends on.

use std::{net::IpAddr, sync::Arc};

use ferrolb_api::view::{Ingress, ServicePort, ServiceView, TrafficPolicy};
use ferrolb_types::Labels;

use crate::reason::Reason;

/// What is kept of a Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// The addresses to announce, first one first; or why none is.
    pub(crate) addresses: Result<Arc<[IpAddr]>, Reason>,
    pub(crate) labels: Labels,
    pub(crate) created: Option<i64>,
    /// `externalTrafficPolicy: Local`.
    pub(crate) local: bool,
    /// Present with the annotation, whatever its value.
    pub(crate) sharing: Option<Box<Sharing>>,
}

/// What decides whether an address may be held together with another Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sharing {
    key: Box<str>,
    /// The Pod selector under `Local`; nothing under `Cluster`.
    backend: Labels,
    ports: Box<[ServicePort]>,
}

impl Record {
    /// Reduces a view, for a process that stands for `class`.
    pub(crate) fn new(view: &ServiceView, class: Option<&str>) -> Self {
        let addresses = addresses(view, class);
        let local = view.traffic_policy == TrafficPolicy::Local;
        let kept = addresses.is_ok();
        Self {
            labels: if kept {
                view.labels.clone()
            } else {
                Labels::new()
            },
            sharing: kept.then(|| Sharing::new(view)).flatten().map(Box::new),
            created: view.created,
            addresses,
            local,
        }
    }

    /// The addresses held; none where nothing can be announced.
    pub(crate) fn held(&self) -> &[IpAddr] {
        self.addresses.as_deref().unwrap_or_default()
    }

    /// Whether both may hold the same address.
    pub(crate) fn may_share(&self, other: &Self) -> bool {
        match (&self.sharing, &other.sharing) {
            (Some(a), Some(b)) => a.may_share(b),
            _ => false,
        }
    }
}

impl Sharing {
    fn new(view: &ServiceView) -> Option<Self> {
        let key = view.annotations.allow_shared_ip.clone()?;
        let mut ports = view.ports.clone();
        ports.sort_unstable();
        let backend = match view.traffic_policy {
            TrafficPolicy::Cluster => Labels::new(),
            TrafficPolicy::Local => view.selector.clone(),
        };
        Some(Self {
            key,
            backend,
            ports: ports.into(),
        })
    }

    fn may_share(&self, other: &Self) -> bool {
        !self.key.is_empty()
            && self.key == other.key
            && self.backend == other.backend
            && !self
                .ports
                .iter()
                .any(|port| other.ports.binary_search(port).is_ok())
    }
}

fn addresses(view: &ServiceView, class: Option<&str>) -> Result<Arc<[IpAddr]>, Reason> {
    if !view.is_load_balancer() {
        return Err(Reason::NotLoadBalancer);
    }
    if view.class.as_deref() != class {
        return Err(Reason::OtherClass(view.class.clone()));
    }
    if view.ingress.is_empty() {
        return Err(Reason::NoAddress);
    }
    view.ingress.iter().map(address).collect()
}

/// An IPv4-mapped address counts as the IPv4 address it maps, in the election text too.
fn address(entry: &Ingress) -> Result<IpAddr, Reason> {
    match entry {
        Ingress::Address(address) => Ok(address.to_canonical()),
        Ingress::Invalid(text) => Err(Reason::InvalidAddress(text.clone())),
        Ingress::Hostname(_) => Err(Reason::InvalidAddress(Box::default())),
    }
}
