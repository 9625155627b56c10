// SPDX-License-Identifier: Apache-2.0
//! Judges objects before the API server stores them: the six validating webhooks.
//!
//! The rules are those of `ferrolb_config`, none is written here. This module decides which of their
//! verdicts deny a request: only faults that the request itself brings in (see `verdict`).
//!
//! The way of a request: [`read`] the body, get the lists that [`Request::needs`] names, [`Request::judge`].

mod review;
#[cfg(test)]
mod tests;
mod verdict;
mod wording;

use ferrolb_api::resource::{
    BFDProfile, BGPAdvertisement, BGPPeer, Community, IPAddressPool, L2Advertisement,
};
use ferrolb_config::Resources;
use ferrolb_types::{Diagnostic, ObjectRef, codes};

use self::{
    review::{Operation, Order},
    verdict::{Judge, Verdict},
};
use crate::Refusal;

/// One of the six validating webhooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Webhook {
    /// `metallb.io/v1beta2` BGPPeer.
    BGPPeer,
    /// BFDProfile.
    BFDProfile,
    /// BGPAdvertisement.
    BGPAdvertisement,
    /// Community.
    Community,
    /// IPAddressPool.
    IPAddressPool,
    /// L2Advertisement.
    L2Advertisement,
}

/// What is listed from the API server, all in the namespace of the `metallb.io` objects but Nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum List {
    /// Pools.
    IPAddressPools,
    /// Announcements by BGP.
    BGPAdvertisements,
    /// Announcements by layer 2.
    L2Advertisements,
    /// Peers, as `v1beta2`.
    BGPPeers,
    /// BFD profiles.
    BFDProfiles,
    /// Community aliases.
    Communities,
    /// Nodes, for their labels.
    Nodes,
}

impl Webhook {
    /// All six.
    pub const ALL: [Self; 6] = [
        Self::BGPPeer,
        Self::BFDProfile,
        Self::BGPAdvertisement,
        Self::Community,
        Self::IPAddressPool,
        Self::L2Advertisement,
    ];

    /// The path it is served at.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::BGPPeer => "/validate-metallb-io-v1beta2-bgppeer",
            Self::BFDProfile => "/validate-metallb-io-v1beta1-bfdprofile",
            Self::BGPAdvertisement => "/validate-metallb-io-v1beta1-bgpadvertisement",
            Self::Community => "/validate-metallb-io-v1beta1-community",
            Self::IPAddressPool => "/validate-metallb-io-v1beta1-ipaddresspool",
            Self::L2Advertisement => "/validate-metallb-io-v1beta1-l2advertisement",
        }
    }

    /// The webhook of a path.
    #[must_use]
    pub fn of_path(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|webhook| webhook.path() == path)
    }

    /// The kind it judges.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::BGPPeer => "BGPPeer",
            Self::BFDProfile => "BFDProfile",
            Self::BGPAdvertisement => "BGPAdvertisement",
            Self::Community => "Community",
            Self::IPAddressPool => "IPAddressPool",
            Self::L2Advertisement => "L2Advertisement",
        }
    }

    const fn version(self) -> &'static str {
        match self {
            Self::BGPPeer => "v1beta2",
            _ => "v1beta1",
        }
    }

    /// What a written object of the kind is judged beside.
    const fn lists(self) -> &'static [List] {
        match self {
            Self::BGPPeer => &[List::BGPPeers, List::Nodes, List::BFDProfiles],
            Self::BFDProfile => &[],
            Self::BGPAdvertisement => &[
                List::BGPAdvertisements,
                List::IPAddressPools,
                List::Nodes,
                List::Communities,
                List::BGPPeers,
            ],
            Self::Community => &[List::Communities],
            Self::IPAddressPool => &[List::IPAddressPools],
            Self::L2Advertisement => &[List::L2Advertisements, List::IPAddressPools],
        }
    }
}

/// A request that was read: what it needs is to be fetched, then it can be judged.
pub struct Request {
    uid: String,
    object: ObjectRef,
    /// Warnings that follow from the request alone.
    warnings: Vec<Diagnostic>,
    needs: &'static [List],
    judge: Box<dyn Judge>,
}

/// The answer to a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The `AdmissionReview` to send back, as JSON, with HTTP status 200.
    pub body: Vec<u8>,
    /// The object judged.
    pub object: ObjectRef,
    /// Whether the object may be stored.
    pub allowed: bool,
    /// Every error that denies it, and every warning, for the log.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads, looks up and judges in one go, for those whose lists need no waiting. `lookup` gives the objects
/// of the lists it is asked for.
///
/// # Errors
/// Where the body is no `AdmissionReview` of `admission.k8s.io/v1` with a request.
pub fn review(
    webhook: Webhook,
    body: &[u8],
    lookup: impl FnOnce(&[List]) -> Result<Resources, String>,
) -> Result<Answer, Refusal> {
    let request = read(webhook, body)?;
    Ok(match lookup(request.needs()) {
        Ok(present) => request.judge(present),
        Err(why) => request.cannot_judge(&why),
    })
}

/// Reads the body of a request to the path of `webhook`.
///
/// # Errors
/// Where the body is no `AdmissionReview` of `admission.k8s.io/v1` with a request. An object that cannot
/// be read, or that belongs to another path, is no such error: it has an answer.
pub fn read(webhook: Webhook, body: &[u8]) -> Result<Request, Refusal> {
    let order = review::parse(body)?;
    let object = order.reference(webhook);
    let mut warnings = Vec::new();
    let (needs, judge) = match plan(webhook, &order, &object) {
        Ok(plan) => {
            warnings.extend(wording::deprecation(&order, &object));
            plan
        }
        Err(fault) => (&[][..], verdict::decided(400, *fault)),
    };
    Ok(Request {
        uid: order.uid,
        object,
        warnings,
        needs,
        judge,
    })
}

type Plan = (&'static [List], Box<dyn Judge>);

/// What is to be judged, and beside what.
fn plan(webhook: Webhook, order: &Order, object: &ObjectRef) -> Result<Plan, Box<Diagnostic>> {
    if order.kind.group != "metallb.io"
        || order.kind.kind != webhook.kind()
        || order.kind.version != webhook.version()
    {
        return Err(Box::new(wording::misdirected(webhook, order, object)));
    }
    let operation = order.operation.ok_or_else(|| {
        let cause = "the operation is none of CREATE, UPDATE, DELETE and CONNECT";
        let remedy = "send a request as an API server does";
        Diagnostic::error(codes::webhook::W001, object.clone(), cause, remedy)
    })?;
    match (operation, webhook) {
        // The status is written by the roles alone and has no rules.
        _ if !order.sub_resource.is_empty() => Ok((&[], verdict::allowed())),
        (Operation::Delete, Webhook::BFDProfile) => {
            let judge = verdict::deletion(object.clone());
            Ok((&[List::BGPPeers], judge))
        }
        (Operation::Delete | Operation::Connect, _) => Ok((&[], verdict::allowed())),
        (Operation::Create | Operation::Update, _) => {
            Ok((webhook.lists(), change(webhook, order, object)?))
        }
    }
}

fn change(
    webhook: Webhook,
    order: &Order,
    object: &ObjectRef,
) -> Result<Box<dyn Judge>, Box<Diagnostic>> {
    match webhook {
        Webhook::BGPPeer => verdict::change::<BGPPeer>(order, object),
        Webhook::BFDProfile => verdict::change::<BFDProfile>(order, object),
        Webhook::BGPAdvertisement => verdict::change::<BGPAdvertisement>(order, object),
        Webhook::Community => verdict::change::<Community>(order, object),
        Webhook::IPAddressPool => verdict::change::<IPAddressPool>(order, object),
        Webhook::L2Advertisement => verdict::change::<L2Advertisement>(order, object),
    }
}

impl Request {
    /// The lists that the verdict depends on; often none.
    #[must_use]
    pub fn needs(&self) -> &'static [List] {
        self.needs
    }

    /// The object it is about.
    #[must_use]
    pub fn object(&self) -> &ObjectRef {
        &self.object
    }

    /// Judges beside what is in the cluster: the objects of the lists needed, and no others, as the verdict
    /// must not depend on what happens to be known.
    #[must_use]
    pub fn judge(mut self, present: Resources) -> Answer {
        let namespace = present.namespace().to_owned();
        let verdict = self.judge.judge(present);
        self.warnings.extend(verdict.warnings);
        let verdict = Verdict {
            warnings: self.warnings,
            ..verdict
        };
        review::answer(&self.uid, self.object, verdict, &namespace)
    }

    /// The answer where what it needs could not be fetched. The webhook's `failurePolicy` has no say in
    /// it, as the webhook answers.
    #[must_use]
    pub fn cannot_judge(self, why: &str) -> Answer {
        let cause = format!("what it is to be judged beside cannot be read: {why}");
        let remedy = "try again once the API server answers the controller";
        let fault = Diagnostic::error(codes::webhook::W005, self.object.clone(), cause, remedy);
        review::answer(&self.uid, self.object, Verdict::refuse(500, fault), "")
    }
}
