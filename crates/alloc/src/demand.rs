// SPDX-License-Identifier: Apache-2.0
//! What a Service asks for, read from its view: families, requested addresses and pool, terms of
//! sharing. Nothing here looks at pools.

use std::{net::IpAddr, sync::Arc};

use ferrolb_api::view::{ClusterIp, FamilyPolicy, ServiceView, TrafficPolicy};
use ferrolb_types::{Family, PoolName};

use crate::{addresses::Addresses, refusal::Refusal, tenancy::Terms};

/// The families of a Service's cluster addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Families {
    One(Family),
    Dual,
}

/// The families a Service needs addresses of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Need {
    /// One address of this family.
    One(Family),
    /// One of each.
    Both,
    /// One of each if a pool has both, otherwise one, rather of this family.
    Prefer(Family),
}

impl Families {
    /// The families of the Service.
    ///
    /// `implied` is for Services that no API server has given cluster addresses: their families
    /// follow from the policy, the first family and the requested addresses.
    pub(crate) fn of(view: &ServiceView, implied: bool) -> Result<Self, Refusal> {
        if implied && view.cluster_ips.is_empty() {
            return Ok(Self::implied(view));
        }
        let address = |ip: &ClusterIp| match ip {
            ClusterIp::Address(address) => Some(Family::of(address.to_canonical())),
            ClusterIp::Other(_) => None,
        };
        let families = match view.cluster_ips.as_slice() {
            [] => return Err(Refusal::NoClusterIps),
            [one] => address(one).map(Self::One),
            [one, two] => match (address(one), address(two)) {
                (Some(one), Some(two)) if one != two => Some(Self::Dual),
                _ => None,
            },
            _ => None,
        };
        families.ok_or(Refusal::ClusterFamilies)
    }

    fn implied(view: &ServiceView) -> Self {
        let dual = matches!(
            view.policy,
            Some(FamilyPolicy::PreferDualStack | FamilyPolicy::RequireDualStack)
        );
        let requested = requested(view).ok().flatten();
        match requested.map(|r| (r.only_family(), dual)) {
            Some((Some(family), false)) => Self::One(family),
            Some((None, _)) => Self::Dual,
            _ if dual => Self::Dual,
            _ => Self::One(primary(view)),
        }
    }

    /// Whether addresses of the status are of these families.
    pub(crate) fn fit(self, addresses: &Addresses) -> bool {
        match self {
            Self::One(family) => addresses.only_family() == Some(family),
            Self::Dual => addresses.only_family().is_none() && !addresses.is_empty(),
        }
    }

    /// The need that follows from the families and the policy.
    pub(crate) fn need(self, view: &ServiceView, implied: bool) -> Result<Need, Refusal> {
        match (self, view.policy) {
            (Self::One(family), _) => Ok(Need::One(family)),
            (Self::Dual, Some(FamilyPolicy::RequireDualStack)) => Ok(Need::Both),
            (Self::Dual, Some(FamilyPolicy::PreferDualStack)) => Ok(Need::Prefer(primary(view))),
            // Without an API server, a requested pair is itself the wish for both.
            (Self::Dual, _) if implied && view.cluster_ips.is_empty() => Ok(Need::Both),
            (Self::Dual, _) => Err(Refusal::NotDualPolicy),
        }
    }
}

/// The family a Service rather has an address of.
fn primary(view: &ServiceView) -> Family {
    if view.ipv6_first {
        Family::IPv6
    } else {
        Family::IPv4
    }
}

/// The addresses a Service requests.
pub(crate) fn requested(view: &ServiceView) -> Result<Option<Addresses>, Refusal> {
    let annotation = view.annotations.load_balancer_ips.as_deref();
    let annotation = annotation.filter(|text| !text.is_empty());
    match (annotation, view.load_balancer_ip.as_deref()) {
        (None, None) => Ok(None),
        (Some(_), Some(_)) => Err(Refusal::TwoRequests),
        (Some(text), None) => parse(text.split(',').map(str::trim), text, true).map(Some),
        (None, Some(text)) => parse([text].into_iter(), text, false).map(Some),
    }
}

fn parse<'a>(
    items: impl Iterator<Item = &'a str>,
    text: &str,
    annotation: bool,
) -> Result<Addresses, Refusal> {
    let bad = |cause| Refusal::BadRequest {
        text: text.into(),
        cause,
        annotation,
    };
    let parsed: Result<Vec<IpAddr>, _> = items.map(str::parse).collect();
    let parsed = parsed.map_err(|_| bad("an item is not an IP address"))?;
    Addresses::new(parsed)
        .map(Addresses::sorted)
        .ok_or_else(|| bad("more than one address of a family"))
}

/// The pool a Service requests.
pub(crate) fn requested_pool(view: &ServiceView) -> Option<PoolName> {
    let name = view.annotations.address_pool.as_deref();
    name.filter(|name| !name.is_empty()).map(PoolName::from)
}

/// On what terms a Service shares.
pub(crate) fn terms(view: &ServiceView) -> Terms {
    let Some(sharing) = sharing_key(view) else {
        return Terms::default();
    };
    Terms {
        sharing: Some(sharing),
        backend: backend(view),
        ports: view.ports.as_slice().into(),
    }
}

/// The key under which a Service shares, if it does.
pub(crate) fn sharing_key(view: &ServiceView) -> Option<Arc<str>> {
    let key = view.annotations.allow_shared_ip.as_deref();
    key.filter(|key| !key.is_empty()).map(Arc::from)
}

fn backend(view: &ServiceView) -> Arc<str> {
    if view.traffic_policy == TrafficPolicy::Cluster {
        return "".into();
    }
    let pairs = view
        .selector
        .iter()
        .map(|(key, value)| format!("{key}={value}"));
    pairs.collect::<Vec<_>>().join(",").into()
}
