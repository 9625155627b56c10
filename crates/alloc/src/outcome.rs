// SPDX-License-Identifier: Apache-2.0
//! What the convergence of a Service results in: its addresses, what is said about it, and why.

use std::{fmt, net::IpAddr};

use ferrolb_api::view::{Ingress, ServiceView};
use ferrolb_types::{Diagnostic, PoolName};

use crate::{addresses::Addresses, demand::Need};

/// What a Service's status and annotation say, as far as allocation is concerned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The addresses, in order.
    pub addresses: Vec<IpAddr>,
    /// Whether there is a text in place of an address.
    pub invalid: bool,
    /// Whether there is an entry without an address.
    pub hostname: bool,
    /// The pool the annotation names.
    pub pool: Option<PoolName>,
}

impl Standing {
    /// What the view of a Service says.
    #[must_use]
    pub fn of(view: &ServiceView) -> Self {
        let has = |is: fn(&Ingress) -> bool| view.ingress.iter().any(is);
        let pool = view.annotations.allocated_from_pool.as_deref();
        Self {
            addresses: view.addresses().map(|a| a.to_canonical()).collect(),
            invalid: has(|entry| matches!(entry, Ingress::Invalid(_))),
            hostname: has(|entry| matches!(entry, Ingress::Hostname(_))),
            pool: pool.map(PoolName::from),
        }
    }

    /// What the status has to say when a Service holds these addresses of this pool.
    #[must_use]
    pub fn desired(addresses: Addresses, pool: Option<PoolName>) -> Self {
        Self {
            addresses: addresses.iter().collect(),
            pool,
            ..Self::default()
        }
    }

    /// Whether it says nothing at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The type of a Kubernetes Event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventType {
    /// For information.
    Normal,
    /// Something is wrong.
    Warning,
}

/// An Event on a Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Normal or Warning.
    pub type_: EventType,
    /// The reason, as MetalLB names it.
    pub reason: &'static str,
    /// The sentence.
    pub message: String,
}

/// A step on the way to the addresses a Service holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The status held them and they are still right.
    Kept(PoolName),
    /// The status held something that could not be kept.
    Dropped(String),
    /// They were requested one by one.
    Requested(PoolName),
    /// The pool was requested.
    RequestedPool(PoolName),
    /// First usable ones of a pinned pool with this priority; 0 is the last.
    Pinned(PoolName, i64),
    /// First usable ones of a pool open to all.
    Default(PoolName),
    /// The second family was added from the pool of the first.
    Extended(PoolName),
    /// The second family is not to be had from the pool of the first.
    NotExtended(String),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kept(pool) => write!(f, "kept: its status held it, of pool {pool}"),
            Self::Dropped(why) => write!(f, "what its status held was dropped: {why}"),
            Self::Requested(pool) => write!(f, "requested by address, of pool {pool}"),
            Self::RequestedPool(pool) => write!(f, "first usable of the requested pool {pool}"),
            Self::Pinned(pool, 0) => {
                write!(f, "first usable of pool {pool}, pinned without a priority")
            }
            Self::Pinned(pool, priority) => {
                write!(
                    f,
                    "first usable of pool {pool}, pinned with priority {priority}"
                )
            }
            Self::Default(pool) => write!(f, "first usable of pool {pool}, open to all"),
            Self::Extended(pool) => write!(f, "second family added, of the same pool {pool}"),
            Self::NotExtended(why) => write!(f, "no address of the second family: {why}"),
        }
    }
}

/// What a Service without all the addresses it wants waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wait {
    /// These addresses.
    Addresses(Addresses),
    /// Addresses of a pool.
    Pool(PoolName, Need),
    /// Addresses of any automatic pool.
    Anywhere(Need),
}

/// The result of a convergence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The addresses the status has to hold, in order; entries without an address go.
    pub ingress: Vec<IpAddr>,
    /// The pool the annotation has to name; `None` means it goes.
    pub pool: Option<PoolName>,
    /// What to say, in order.
    pub events: Vec<Event>,
    /// Why the Service has no address, or not the one it asks for.
    pub refusal: Option<Diagnostic>,
    /// Whether the status or the annotation has to be written.
    pub changed: bool,
    /// How the result came about.
    pub reasons: Vec<Reason>,
    /// What would help.
    pub wait: Option<Wait>,
}
