// SPDX-License-Identifier: Apache-2.0
//! Who holds an address, and whether another may join.

use std::{net::IpAddr, sync::Arc};

use ferrolb_api::view::ServicePort;
use ferrolb_types::ServiceKey;

use crate::refusal::Refusal;

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

/// The holders of one address.
#[derive(Clone, Debug)]
pub(crate) enum Tenancy {
    /// One Service that shares with nobody.
    Sole(ServiceKey),
    /// Services with one sharing key.
    Shared(Box<Shared>),
}

/// The holders of an address that may be shared.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    pub(crate) key: Arc<str>,
    pub(crate) backend: Arc<str>,
    /// Never empty.
    pub(crate) holders: Vec<(ServiceKey, Box<[ServicePort]>)>,
}

impl Tenancy {
    pub(crate) fn new(service: &ServiceKey, terms: &Terms) -> Self {
        match terms.key() {
            None => Self::Sole(service.clone()),
            Some(key) => Self::Shared(Box::new(Shared {
                key: Arc::clone(key),
                backend: Arc::clone(&terms.backend),
                holders: vec![(service.clone(), terms.ports.clone())],
            })),
        }
    }

    /// The key under which others may join.
    pub(crate) fn sharing_key(&self) -> Option<&Arc<str>> {
        match self {
            Self::Sole(_) => None,
            Self::Shared(shared) => Some(&shared.key),
        }
    }

    pub(crate) fn holders(&self) -> impl Iterator<Item = &ServiceKey> {
        let (sole, shared) = match self {
            Self::Sole(service) => (Some(service), None),
            Self::Shared(shared) => (None, Some(shared.holders.iter().map(|(key, _)| key))),
        };
        sole.into_iter().chain(shared.into_iter().flatten())
    }

    /// The terms on which a Service holds the address.
    pub(crate) fn terms(&self, service: &ServiceKey) -> Terms {
        match self {
            Self::Sole(_) => Terms::default(),
            Self::Shared(shared) => Terms {
                sharing: Some(Arc::clone(&shared.key)),
                backend: Arc::clone(&shared.backend),
                ports: shared
                    .holders
                    .iter()
                    .find(|(holder, _)| holder == service)
                    .map(|(_, ports)| ports.clone())
                    .unwrap_or_default(),
            },
        }
    }

    /// Whether `service` may hold the address beside the holders other than itself.
    pub(crate) fn admits(
        &self,
        address: IpAddr,
        service: &ServiceKey,
        terms: &Terms,
    ) -> Result<(), Refusal> {
        let Some(other) = self.holders().find(|holder| *holder != service) else {
            return Ok(());
        };
        let conflict = |holder: &ServiceKey| Refusal::NotShared {
            address,
            holder: holder.clone(),
        };
        match self {
            Self::Shared(shared) if terms.key() == Some(&shared.key) => {
                shared.admits(address, service, terms)
            }
            _ => Err(conflict(other)),
        }
    }

    pub(crate) fn join(&mut self, service: &ServiceKey, terms: &Terms) {
        if let Self::Shared(shared) = self {
            shared.holders.push((service.clone(), terms.ports.clone()));
        }
    }

    /// Takes a holder out; true if nobody is left.
    pub(crate) fn leave(&mut self, service: &ServiceKey) -> bool {
        match self {
            Self::Sole(_) => true,
            Self::Shared(shared) => {
                shared.holders.retain(|(holder, _)| holder != service);
                shared.holders.is_empty()
            }
        }
    }
}

impl Shared {
    fn admits(&self, address: IpAddr, service: &ServiceKey, terms: &Terms) -> Result<(), Refusal> {
        for (holder, ports) in self.holders.iter().filter(|(key, _)| key != service) {
            crate::steps::step();
            let holder = || holder.clone();
            if self.backend != terms.backend {
                return Err(Refusal::OtherBackends {
                    address,
                    holder: holder(),
                });
            }
            if let Some(&port) = ports.iter().find(|port| terms.ports.contains(port)) {
                return Err(Refusal::PortTaken {
                    address,
                    port,
                    holder: holder(),
                });
            }
        }
        Ok(())
    }
}
