// SPDX-License-Identifier: Apache-2.0
//! Who holds an address, and whether another may join.

use std::{net::IpAddr, sync::Arc};

use ferrolb_api::view::ServicePort;
use ferrolb_types::ServiceKey;
use slab::Slab;

use crate::{
    holders::{HolderId, Holders},
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

/// Who holds an address, as its space remembers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Occupant {
    /// One Service that shares with nobody.
    Sole(HolderId),
    /// Services with one sharing key.
    Shared(SharedId),
}

/// The number of a shared tenancy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SharedId(u32);

/// The holders of an address that may be shared.
#[derive(Debug)]
struct Shared {
    key: Arc<str>,
    backend: Arc<str>,
    /// Never empty.
    holders: Vec<(HolderId, Box<[ServicePort]>)>,
}

/// All holders, and who of them shares with whom.
#[derive(Debug, Default)]
pub(crate) struct Tenants {
    pub(crate) holders: Holders,
    shared: Slab<Shared>,
}

impl Tenants {
    /// The tenancy of a Service that comes first to an address.
    pub(crate) fn begin(&mut self, holder: HolderId, terms: &Terms) -> Occupant {
        let Some(key) = terms.key() else {
            return Occupant::Sole(holder);
        };
        let index = self.shared.insert(Shared {
            key: Arc::clone(key),
            backend: Arc::clone(&terms.backend),
            holders: vec![(holder, terms.ports.clone())],
        });
        // As many as there are holders at most.
        Occupant::Shared(SharedId(u32::try_from(index).unwrap_or(u32::MAX)))
    }

    /// The key under which others may join.
    pub(crate) fn sharing_key(&self, occupant: Occupant) -> Option<&Arc<str>> {
        self.shared(occupant).map(|shared| &shared.key)
    }

    /// The Services of a tenancy.
    pub(crate) fn services(&self, occupant: Occupant) -> impl Iterator<Item = &ServiceKey> {
        let ids = self.ids(occupant);
        ids.filter_map(|id| self.holders.service(id))
    }

    /// The terms on which a Service holds an address.
    pub(crate) fn terms(&self, occupant: Occupant, holder: HolderId) -> Terms {
        let Some(shared) = self.shared(occupant) else {
            return Terms::default();
        };
        let mut holders = shared.holders.iter();
        let own = holders.find(|(id, _)| *id == holder);
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
        me: Option<HolderId>,
        terms: &Terms,
    ) -> Result<(), Refusal> {
        let Some(other) = self.ids(occupant).find(|id| Some(*id) != me) else {
            return Ok(());
        };
        match self.shared(occupant) {
            Some(shared) if terms.key() == Some(&shared.key) => {
                self.fits(shared, address, me, terms)
            }
            _ => Err(self.refusal(other, |holder| Refusal::NotShared { address, holder })),
        }
    }

    fn fits(
        &self,
        shared: &Shared,
        address: IpAddr,
        me: Option<HolderId>,
        terms: &Terms,
    ) -> Result<(), Refusal> {
        for (id, ports) in shared.holders.iter().filter(|(id, _)| Some(*id) != me) {
            crate::steps::step();
            if shared.backend != terms.backend {
                return Err(self.refusal(*id, |holder| Refusal::OtherBackends { address, holder }));
            }
            if let Some(&port) = ports.iter().find(|port| terms.ports.contains(port)) {
                return Err(self.refusal(*id, |holder| Refusal::PortTaken {
                    address,
                    port,
                    holder,
                }));
            }
        }
        Ok(())
    }

    fn refusal(&self, holder: HolderId, why: impl FnOnce(ServiceKey) -> Refusal) -> Refusal {
        let holder = self.holders.service(holder).cloned();
        holder.map_or(Refusal::NoneFree, why)
    }

    /// Adds a holder that the present ones admit.
    pub(crate) fn join(&mut self, occupant: Occupant, holder: HolderId, terms: &Terms) {
        if let Some(shared) = self.shared_mut(occupant) {
            shared.holders.push((holder, terms.ports.clone()));
        }
    }

    /// Takes a holder out; the key of the tenancy if somebody is left.
    pub(crate) fn leave(&mut self, occupant: Occupant, holder: HolderId) -> Left {
        let Occupant::Shared(SharedId(index)) = occupant else {
            return Left::Nobody(None);
        };
        let Some(shared) = self.shared_mut(occupant) else {
            return Left::Nobody(None);
        };
        shared.holders.retain(|(id, _)| *id != holder);
        if !shared.holders.is_empty() {
            return Left::Others;
        }
        let shared = self.shared.try_remove(index as usize);
        Left::Nobody(shared.map(|shared| shared.key))
    }

    fn ids(&self, occupant: Occupant) -> impl Iterator<Item = HolderId> {
        let sole = match occupant {
            Occupant::Sole(holder) => Some(holder),
            Occupant::Shared(_) => None,
        };
        let shared = self.shared(occupant).into_iter();
        let shared = shared.flat_map(|shared| shared.holders.iter().map(|(id, _)| *id));
        sole.into_iter().chain(shared)
    }

    fn shared(&self, occupant: Occupant) -> Option<&Shared> {
        match occupant {
            Occupant::Sole(_) => None,
            Occupant::Shared(SharedId(index)) => self.shared.get(index as usize),
        }
    }

    fn shared_mut(&mut self, occupant: Occupant) -> Option<&mut Shared> {
        match occupant {
            Occupant::Sole(_) => None,
            Occupant::Shared(SharedId(index)) => self.shared.get_mut(index as usize),
        }
    }
}

/// Who is left of a tenancy.
#[derive(Debug)]
pub(crate) enum Left {
    /// Somebody still holds the address.
    Others,
    /// The address is free; the key under which it was shared.
    Nobody(Option<Arc<str>>),
}
