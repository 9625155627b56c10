// SPDX-License-Identifier: Apache-2.0
//! Who holds an address, and whether another may join.

use std::{net::IpAddr, sync::Arc};

use ferrolb_api::view::ServicePort;
use ferrolb_types::ServiceKey;
use slab::Slab;

use crate::{
    holders::{Holders, NameHash, Named},
    refusal::Refusal,
};

/// On what terms a Service would share an address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Its sharing key; absent or empty means it does not share.
    pub sharing: Option<Arc<str>>,
    /// Its pod selector where only nodes with an endpoint take traffic; otherwise empty.
    pub backend: Arc<str>,
    /// Its ports.
    pub ports: Box<[ServicePort]>,
}

impl Terms {
    /// The sharing key, if the Service shares at all.
    #[must_use]
    pub fn key(&self) -> Option<&Arc<str>> {
        self.sharing.as_ref().filter(|key| !key.is_empty())
    }
}

/// Who holds an address, as its space remembers it: there are as many as addresses held, so it is small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Occupant(u32);

/// The same, told apart.
enum Tenancy {
    /// One Service that shares with nobody.
    Sole(NameHash),
    /// Services with one sharing key, by the number of what they share.
    Shared(usize),
}

impl Occupant {
    /// Of an address that is free.
    pub(crate) const NOBODY: Self = Self(0);

    /// Of hashes and of numbers of shared tenancies it is never set.
    const SHARED: u32 = 1 << 31;

    /// A Service that shares with nobody.
    pub(crate) fn sole(NameHash(hash): NameHash) -> Self {
        Self(hash & !Self::SHARED)
    }

    fn shared(index: usize) -> Self {
        // Memory ends long before two thousand million tenancies do.
        Self(u32::try_from(index).unwrap_or(u32::MAX) | Self::SHARED)
    }

    fn tenancy(self) -> Tenancy {
        let number = self.0 & !Self::SHARED;
        if number == self.0 {
            Tenancy::Sole(NameHash(number))
        } else {
            Tenancy::Shared(number as usize)
        }
    }
}

/// The holders of an address that may be shared.
#[derive(Debug)]
struct Shared {
    key: Arc<str>,
    backend: Arc<str>,
    /// Never empty.
    holders: Vec<(ServiceKey, Box<[ServicePort]>)>,
}

/// All holders, and who of them shares with whom.
#[derive(Debug, Default)]
pub(crate) struct Tenants {
    pub(crate) holders: Holders,
    shared: Slab<Shared>,
}

impl Tenants {
    /// The tenancy of a Service that comes first to an address.
    pub(crate) fn begin(&mut self, holder: Named<'_>, terms: &Terms) -> Occupant {
        let Some(key) = terms.key() else {
            return Occupant::sole(holder.hash);
        };
        Occupant::shared(self.shared.insert(Shared {
            key: Arc::clone(key),
            backend: Arc::clone(&terms.backend),
            holders: vec![(holder.service.clone(), terms.ports.clone())],
        }))
    }

    /// The key under which others may join.
    pub(crate) fn sharing_key(&self, occupant: Occupant) -> Option<&Arc<str>> {
        self.shared(occupant).map(|shared| &shared.key)
    }

    /// The Services that hold an address with this occupant.
    pub(crate) fn services(
        &self,
        (address, occupant): (IpAddr, Occupant),
    ) -> impl Iterator<Item = &ServiceKey> {
        let sole = match occupant.tenancy() {
            Tenancy::Sole(hash) => self.holders.holder(hash, address),
            Tenancy::Shared(_) => None,
        };
        let shared = self.shared(occupant).into_iter();
        let shared = shared.flat_map(|shared| shared.holders.iter().map(|(service, _)| service));
        sole.into_iter().chain(shared)
    }

    /// The terms on which a Service holds an address.
    pub(crate) fn terms(&self, occupant: Occupant, service: &ServiceKey) -> Terms {
        let Some(shared) = self.shared(occupant) else {
            return Terms::default();
        };
        let mut holders = shared.holders.iter();
        let own = holders.find(|(holder, _)| holder == service);
        Terms {
            sharing: Some(Arc::clone(&shared.key)),
            backend: Arc::clone(&shared.backend),
            ports: own.map(|(_, ports)| ports.clone()).unwrap_or_default(),
        }
    }

    /// Whether a Service may hold the address beside the holders other than itself.
    pub(crate) fn admits(
        &self,
        (address, occupant): (IpAddr, Occupant),
        me: &ServiceKey,
        terms: &Terms,
    ) -> Result<(), Refusal> {
        let mut services = self.services((address, occupant));
        let Some(other) = services.find(|service| *service != me) else {
            return Ok(());
        };
        match self.shared(occupant) {
            Some(shared) if terms.key() == Some(&shared.key) => fits(shared, address, me, terms),
            _ => Err(Refusal::NotShared {
                address,
                holder: other.clone(),
            }),
        }
    }

    /// Adds a holder that the present ones admit.
    pub(crate) fn join(&mut self, occupant: Occupant, service: &ServiceKey, terms: &Terms) {
        if let Some(shared) = self.shared_mut(occupant) {
            shared.holders.push((service.clone(), terms.ports.clone()));
        }
    }

    /// Takes a holder out; the key of the tenancy if somebody is left.
    pub(crate) fn leave(&mut self, occupant: Occupant, service: &ServiceKey) -> Left {
        let Tenancy::Shared(index) = occupant.tenancy() else {
            return Left::Nobody(None);
        };
        let Some(shared) = self.shared.get_mut(index) else {
            return Left::Nobody(None);
        };
        shared.holders.retain(|(holder, _)| holder != service);
        if !shared.holders.is_empty() {
            return Left::Others;
        }
        let shared = self.shared.try_remove(index);
        Left::Nobody(shared.map(|shared| shared.key))
    }

    fn shared(&self, occupant: Occupant) -> Option<&Shared> {
        match occupant.tenancy() {
            Tenancy::Sole(_) => None,
            Tenancy::Shared(index) => self.shared.get(index),
        }
    }

    fn shared_mut(&mut self, occupant: Occupant) -> Option<&mut Shared> {
        match occupant.tenancy() {
            Tenancy::Sole(_) => None,
            Tenancy::Shared(index) => self.shared.get_mut(index),
        }
    }
}

/// Whether a Service may join the holders other than itself, whose key it has.
fn fits(shared: &Shared, address: IpAddr, me: &ServiceKey, terms: &Terms) -> Result<(), Refusal> {
    for (other, ports) in shared.holders.iter().filter(|(other, _)| other != me) {
        crate::steps::step();
        if shared.backend != terms.backend {
            let holder = other.clone();
            return Err(Refusal::OtherBackends { address, holder });
        }
        if let Some(&port) = ports.iter().find(|port| terms.ports.contains(port)) {
            let holder = other.clone();
            return Err(Refusal::PortTaken {
                address,
                port,
                holder,
            });
        }
    }
    Ok(())
}

/// Who is left of a tenancy.
#[derive(Debug)]
pub(crate) enum Left {
    /// Somebody still holds the address.
    Others,
    /// The address is free; the key under which it was shared.
    Nobody(Option<Arc<str>>),
}
