// SPDX-License-Identifier: Apache-2.0
//! The convergence of one Service: from what it asks for and what its status says to what it keeps,
//! loses or gets, and what is said about it.
//!
//! The numbers in comments are the steps of the behaviour reference, in its order. What a Service holds
//! wrongly is given back before anything new is tried, so a request that cannot be met costs the
//! address held before.

use ferrolb_api::view::{FamilyPolicy, ServiceView};
use ferrolb_types::{Family, Labels, PoolName};

use crate::{
    addresses::Addresses,
    allocator::{Allocator, Claim, Held},
    demand::{Families, requested, requested_pool, terms},
    outcome::{Event, EventType, Outcome, Reason, Standing, Wait},
    refusal::Refusal,
    tenancy::Terms,
};

/// What a convergence looks at.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// The Service.
    pub view: &'a ServiceView,
    /// The labels of its namespace. Nothing is to be given while they are not known.
    pub namespace_labels: Option<&'a Labels>,
    /// What its status says, or will say once earlier results are written.
    pub standing: &'a Standing,
    /// Whether nobody gives Services cluster addresses, so that families follow from the policy.
    pub implied_cluster_ips: bool,
}

/// Runs all steps for one Service.
pub fn converge(allocator: &mut Allocator, input: &Input<'_>) -> Outcome {
    let terms = terms(input.view);
    let mut pass = Pass::new(allocator, input, &terms);
    if pass.retain() == Next::Allocate {
        pass.complete();
    }
    pass.finish()
}

/// Books what the Service's status rightly holds and gives nothing new: what comes first for everyone
/// before anyone gets an address.
pub fn adopt(allocator: &mut Allocator, input: &Input<'_>) {
    let terms = terms(input.view);
    Pass::new(allocator, input, &terms).retain();
}

/// Where a pass stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Allocate,
    Stop,
}

struct Pass<'a> {
    allocator: &'a mut Allocator,
    input: &'a Input<'a>,
    claim: Claim<'a>,
    held: Option<Held>,
    outcome: Outcome,
}

impl<'a> Pass<'a> {
    fn new(allocator: &'a mut Allocator, input: &'a Input<'a>, terms: &'a Terms) -> Self {
        Self {
            allocator,
            input,
            claim: Claim {
                service: &input.view.key,
                labels: &input.view.labels,
                namespace_labels: input.namespace_labels,
                terms,
            },
            held: None,
            outcome: Outcome::default(),
        }
    }

    fn families(&self) -> Result<Families, Refusal> {
        Families::of(self.input.view, self.input.implied_cluster_ips)
    }

    /// Steps 1 to 12: what of the status is kept.
    fn retain(&mut self) -> Next {
        if let Err(next) = self.preconditions() {
            return next;
        }
        let standing = self.input.standing;
        if standing.addresses.is_empty() && !standing.invalid {
            self.clear();
            return Next::Allocate;
        }
        let addresses = Addresses::new(standing.addresses.iter().copied());
        let Some(addresses) = addresses.filter(|_| !standing.invalid) else {
            // 6
            self.warn("nolbIPsIPFamily", Refusal::StatusFamilies.to_string());
            self.drop_standing(Refusal::StatusFamilies.to_string());
            return Next::Allocate;
        };
        match self.families() {
            Ok(families) => self.keep(addresses, families),
            Err(refusal) => self.keep_unjudged(addresses, &refusal),
        }
    }

    /// Steps 1 to 5: whether the Service can hold anything.
    fn preconditions(&mut self) -> Result<(), Next> {
        let view = self.input.view;
        if !view.is_load_balancer() {
            self.clear();
            return Err(Next::Stop);
        }
        if self.allocator.is_empty() {
            return Err(self.deny(&Refusal::NoPools));
        }
        match self.families() {
            Err(refusal @ Refusal::NoClusterIps) => return Err(self.deny(&refusal)),
            Err(_) | Ok(Families::Dual) => return Ok(()),
            Ok(Families::One(_)) => {}
        }
        if view.policy == Some(FamilyPolicy::RequireDualStack) {
            self.warn(
                "not enough clusterips",
                Refusal::TooFewClusterIps.to_string(),
            );
            return Err(self.deny(&Refusal::TooFewClusterIps));
        }
        Ok(())
    }

    /// Step 7: nothing can be judged, so what is held stays held, unless somebody else holds it.
    fn keep_unjudged(&mut self, addresses: Addresses, refusal: &Refusal) -> Next {
        self.warn("noclusterIPsIPFamily", refusal.to_string());
        self.refuse(refusal);
        self.try_adopt(addresses);
        Next::Stop
    }

    /// Steps 8 to 12.
    fn keep(&mut self, addresses: Addresses, families: Families) -> Next {
        let view = self.input.view;
        let prefers = families == Families::Dual && prefers_dual(view);
        if !families.fit(&addresses) && !prefers {
            self.drop_standing("its families are not those of the Service");
            return Next::Allocate;
        }
        if !self.try_adopt(addresses) {
            return Next::Allocate;
        }
        let pool = self.held.as_ref().map(|held| &held.pool);
        if requested_pool(view).is_some_and(|requested| Some(&requested) != pool) {
            self.drop_standing("another pool is requested");
            return Next::Allocate;
        }
        match requested(view) {
            Err(refusal) => {
                self.warn("LoadBalancerFailed", refusal.to_string());
                self.refuse(&refusal);
                Next::Stop
            }
            Ok(Some(request)) if !request.same_set(&addresses) => {
                self.drop_standing("other addresses are requested");
                Next::Allocate
            }
            Ok(_) => Next::Allocate,
        }
    }

    /// Step 9.
    fn try_adopt(&mut self, addresses: Addresses) -> bool {
        let noted = self.input.standing.pool.as_ref().map(PoolName::as_str);
        match self.allocator.adopt(&self.claim, addresses, noted) {
            Ok(pool) => {
                self.outcome.reasons.push(Reason::Kept(pool.clone()));
                self.held = Some(Held { addresses, pool });
                true
            }
            Err(refusal) => {
                let message =
                    format!("current addresses {addresses} are no longer valid: {refusal}");
                self.say(EventType::Normal, "ClearAssignment", message);
                self.drop_standing(refusal.to_string());
                false
            }
        }
    }

    /// Steps 13 to 15.
    fn complete(&mut self) {
        match self.held.clone() {
            Some(held) => self.extend(&held),
            None => self.allocate(),
        }
    }

    /// Step 13, for Services whose cluster addresses are of both families and that left the choice to us.
    fn extend(&mut self, held: &Held) {
        let Some(wanted) = self.lacking(held) else {
            return;
        };
        match self.allocator.extend(&self.claim, wanted) {
            Ok(extended) => {
                let added = extended.addresses.of(wanted).into_iter();
                let added = Addresses::new(added).unwrap_or_default();
                self.say(EventType::Normal, "IPAllocated", assigned(added));
                self.outcome
                    .reasons
                    .push(Reason::Extended(extended.pool.clone()));
                self.held = Some(extended);
            }
            Err(refusal) => {
                let reason = Reason::NotExtended(refusal.to_string());
                self.outcome.reasons.push(reason);
                self.await_second(held, wanted);
            }
        }
    }

    /// The family that a Service which prefers both does not have.
    fn lacking(&self, held: &Held) -> Option<Family> {
        let view = self.input.view;
        let dual = self.families() == Ok(Families::Dual) && prefers_dual(view);
        let family = held.addresses.only_family().filter(|_| dual)?;
        matches!(requested(view), Ok(None)).then(|| family.other())
    }

    fn await_second(&mut self, held: &Held, wanted: Family) {
        let need = crate::demand::Need::One(wanted);
        self.outcome.wait = Some(Wait::Pool(held.pool.clone(), need));
    }

    /// Step 14.
    fn allocate(&mut self) {
        match self.try_allocate() {
            Ok(held) => {
                self.say(EventType::Normal, "IPAllocated", assigned(held.addresses));
                self.held = Some(held.clone());
                self.extend(&held);
            }
            Err(refusal) => {
                let service = self.claim.service;
                let message = format!("Failed to allocate IP for \"{service}\": {refusal}");
                self.warn("AllocationFailed", message);
                self.refuse(&refusal);
            }
        }
    }

    fn try_allocate(&mut self) -> Result<Held, Refusal> {
        let view = self.input.view;
        let families = self.families()?;
        let pool = requested_pool(view);
        match requested(view)? {
            Some(request) => self.assign(request, families, pool.as_ref()),
            None => self.choose(families, pool.as_ref()),
        }
    }

    fn assign(
        &mut self,
        request: Addresses,
        families: Families,
        pool: Option<&PoolName>,
    ) -> Result<Held, Refusal> {
        if !families.fit(&request) {
            let requested = request.to_string();
            return Err(Refusal::RequestFamilies { requested });
        }
        self.outcome.wait = Some(Wait::Addresses(request));
        let pool = self.allocator.assign(&self.claim, request, pool)?;
        self.outcome.wait = None;
        self.outcome.reasons.push(Reason::Requested(pool.clone()));
        Ok(Held {
            addresses: request,
            pool,
        })
    }

    fn choose(&mut self, families: Families, pool: Option<&PoolName>) -> Result<Held, Refusal> {
        let need = families.need(self.input.view, self.input.implied_cluster_ips)?;
        self.outcome.wait = Some(match pool {
            Some(pool) => Wait::Pool(pool.clone(), need),
            None => Wait::Anywhere(need),
        });
        let granted = self.allocator.allocate(&self.claim, need, pool)?;
        self.outcome.wait = None;
        let name = granted.pool.clone();
        self.outcome.reasons.push(match (pool, granted.priority) {
            (Some(_), _) => Reason::RequestedPool(name),
            (None, Some(priority)) => Reason::Pinned(name, priority),
            (None, None) => Reason::Default(name),
        });
        Ok(Held {
            addresses: granted.addresses,
            pool: granted.pool,
        })
    }

    fn finish(mut self) -> Outcome {
        let desired = match &self.held {
            Some(held) => Standing::desired(held.addresses, Some(held.pool.clone())),
            None => Standing::default(),
        };
        self.outcome.changed = desired != *self.input.standing;
        if self.outcome.changed {
            self.remarks();
        }
        self.outcome.ingress = desired.addresses;
        self.outcome.pool = desired.pool;
        self.outcome
    }

    /// What is worth saying only when something else is written.
    fn remarks(&mut self) {
        let why = self.outcome.reasons.iter().find_map(|reason| match reason {
            Reason::NotExtended(why) => Some(why.clone()),
            _ => None,
        });
        if let Some(why) = why {
            self.say(EventType::Normal, "AdditionalAssignFailed", why);
        }
        for key in &self.input.view.annotations.deprecated {
            let message = format!("Annotation {key} is deprecated; use the prefix metallb.io/");
            self.warn("deprecatedAnnotation", message);
        }
    }

    fn clear(&mut self) {
        self.allocator.free(self.claim.service);
        self.held = None;
    }

    fn drop_standing(&mut self, why: impl Into<String>) {
        self.outcome.reasons.push(Reason::Dropped(why.into()));
        self.clear();
    }

    fn deny(&mut self, refusal: &Refusal) -> Next {
        self.refuse(refusal);
        self.clear();
        Next::Stop
    }

    fn refuse(&mut self, refusal: &Refusal) {
        self.outcome.refusal = Some(refusal.diagnostic(self.claim.service));
    }

    fn warn(&mut self, reason: &'static str, message: impl Into<String>) {
        self.say(EventType::Warning, reason, message);
    }

    fn say(&mut self, type_: EventType, reason: &'static str, message: impl Into<String>) {
        self.outcome.events.push(Event {
            type_,
            reason,
            message: message.into(),
        });
    }
}

fn prefers_dual(view: &ServiceView) -> bool {
    view.policy == Some(FamilyPolicy::PreferDualStack)
}

fn assigned(addresses: Addresses) -> String {
    format!("Assigned IP {addresses}")
}
