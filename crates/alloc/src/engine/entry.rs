// SPDX-License-Identifier: Apache-2.0
//! What the engine remembers of one Service, and how it tells an echo from somebody else's edit.

use std::{mem, sync::Arc};

use ferrolb_api::view::ServiceView;
use ferrolb_types::{Diagnostic, ServiceKey};

use crate::outcome::{Outcome, Reason, Standing, Wait};

/// How many states of the status may be on their way at once before the oldest is forgotten.
const IN_FLIGHT: usize = 8;

/// The order in which Services are served: by creation, then by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Age {
    pub(super) created: Option<i64>,
    pub(super) key: ServiceKey,
}

impl Age {
    pub(super) fn of(view: &ServiceView) -> Self {
        Self {
            created: view.created,
            key: view.key.clone(),
        }
    }
}

/// One Service.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) view: Arc<ServiceView>,
    /// What the status says, or will say once everything decided is written.
    pub(super) base: Standing,
    /// What the source may show before that without anybody else having a hand in it: the state seen last,
    /// then everything decided since but the newest, which is `base`. Empty once the source shows that.
    earlier: Vec<Standing>,
    pub(super) refusal: Option<Box<Diagnostic>>,
    pub(super) reasons: Vec<Reason>,
    pub(super) wait: Option<Wait>,
}

/// What a new view of a known Service means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// Our own doing, or nothing at all.
    Echo,
    /// Something to converge on.
    Change,
    /// The same, and its status is somebody else's doing.
    Foreign,
}

impl Entry {
    pub(super) fn new(view: Arc<ServiceView>) -> Self {
        Self {
            base: Standing::of(&view),
            view,
            earlier: Vec::new(),
            refusal: None,
            reasons: Vec::new(),
            wait: None,
        }
    }

    /// Takes in a new view.
    pub(super) fn see(&mut self, view: Arc<ServiceView>) -> Seen {
        let observed = Standing::of(&view);
        let same = same_request(&self.view, &view);
        self.view = view;
        let ours = if same { Seen::Echo } else { Seen::Change };
        if let Some(index) = self.earlier.iter().position(|known| *known == observed) {
            // What was there before it cannot come again.
            self.earlier.drain(..index);
            return ours;
        }
        // There are very many entries, and nearly all are at rest: none keeps room for more.
        self.earlier = Vec::new();
        if self.base == observed {
            return ours;
        }
        self.base = observed;
        Seen::Foreign
    }

    /// What was decided stood when it was to be written. Where something else had been decided in between,
    /// that was never written, and no source will show it.
    pub(super) fn confirm(&mut self) {
        if Standing::of(&self.view) == self.base {
            self.earlier = Vec::new();
        }
    }

    /// Whether the source shows what was decided.
    pub(super) fn is_confirmed(&self) -> bool {
        self.earlier.is_empty()
    }

    /// Takes in a result; true if it is to be given out.
    pub(super) fn settle(&mut self, outcome: &mut Outcome) -> bool {
        let desired = Standing {
            addresses: outcome.ingress.clone(),
            pool: outcome.pool.clone(),
            ..Standing::default()
        };
        self.remember_reasons(outcome, desired == self.base);
        outcome.changed = self.base != desired;
        if outcome.changed {
            self.earlier.push(mem::replace(&mut self.base, desired));
        }
        if self.earlier.len() >= IN_FLIGHT {
            self.earlier.remove(1);
        }
        self.wait = outcome.wait.clone();
        let news = self.refusal.as_deref() != outcome.refusal.as_ref();
        self.refusal = outcome.refusal.clone().map(Box::new);
        outcome.changed || news
    }

    /// That something was kept says less than how it once came about.
    fn remember_reasons(&mut self, outcome: &Outcome, same: bool) {
        let kept = matches!(outcome.reasons.first(), Some(Reason::Kept(_)));
        if !(same && kept && self.reasons.iter().any(is_origin)) {
            self.reasons = outcome.reasons.clone();
            return;
        }
        self.reasons.retain(is_origin);
        let later = outcome.reasons.iter().skip(1).cloned();
        self.reasons.extend(later);
    }
}

fn is_origin(reason: &Reason) -> bool {
    !matches!(reason, Reason::NotExtended(_) | Reason::Dropped(_))
}

/// Whether two views differ at most in what we write ourselves.
fn same_request(a: &ServiceView, b: &ServiceView) -> bool {
    let (notes_a, notes_b) = (&a.annotations, &b.annotations);
    a.labels == b.labels
        && notes_a.address_pool == notes_b.address_pool
        && notes_a.load_balancer_ips == notes_b.load_balancer_ips
        && notes_a.allow_shared_ip == notes_b.allow_shared_ip
        && notes_a.deprecated == notes_b.deprecated
        && (a.kind, a.ipv6_first, a.policy, a.traffic_policy)
            == (b.kind, b.ipv6_first, b.policy, b.traffic_policy)
        && a.class == b.class
        && a.cluster_ips == b.cluster_ips
        && a.load_balancer_ip == b.load_balancer_ip
        && a.ports == b.ports
        && a.selector == b.selector
}
