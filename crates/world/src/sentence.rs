// SPDX-License-Identifier: Apache-2.0
//! The words for a [`Reason`]: what is the case, and what to do about it.

use ferrolb_types::{Diagnostic, FieldPath, NodeName, ObjectRef, ServiceKey};

use crate::{
    decision::{Owner, Rule},
    reason::{Protocol, Reason},
};

/// On whose behalf a reason is put into words.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) node: &'a NodeName,
    pub(crate) protocol: Protocol,
    pub(crate) owner: Option<&'a Owner>,
}

impl Reason {
    /// The reason as a diagnostic on the Service: why `node` does not announce it by `protocol`.
    /// `owner` is the node elected, for [`Reason::NotOwner`].
    #[must_use]
    pub fn diagnostic(
        &self,
        service: &ServiceKey,
        node: &NodeName,
        protocol: Protocol,
        owner: Option<&Owner>,
    ) -> Diagnostic {
        let subject = Subject {
            node,
            protocol,
            owner,
        };
        let object = ObjectRef::new("Service", service.namespace(), service.name());
        let (cause, remedy) = (self.cause(subject), self.remedy(subject));
        let diagnostic = Diagnostic::error(self.code(), object, cause, remedy).at(self.field());
        match self.value() {
            Some(value) => diagnostic.value(value),
            None => diagnostic,
        }
    }

    /// The field of the Service the reason lies in; none where it lies elsewhere.
    fn field(&self) -> FieldPath {
        let status = || {
            FieldPath::root()
                .key("status")
                .key("loadBalancer")
                .key("ingress")
        };
        match self {
            Self::NotLoadBalancer => FieldPath::spec().key("type"),
            Self::OtherClass(_) => FieldPath::spec().key("loadBalancerClass"),
            Self::NoAddress
            | Self::InvalidAddress(_)
            | Self::NotInPool(_)
            | Self::SeveralPools(_)
            | Self::PoolRefused(_)
            | Self::Doubled(_) => status(),
            Self::NoLocalEndpoints => FieldPath::spec().key("externalTrafficPolicy"),
            Self::SharedWithSelectors(_) => FieldPath::root()
                .key("metadata")
                .key("annotations")
                .key(ferrolb_api::annotations::ALLOW_SHARED_IP),
            _ => FieldPath::root(),
        }
    }

    fn value(&self) -> Option<String> {
        match self {
            Self::OtherClass(class) => class.as_deref().map(str::to_owned),
            Self::InvalidAddress(text) => Some(text.to_string()).filter(|text| !text.is_empty()),
            Self::NotInPool(address) => Some(address.to_string()),
            Self::PoolRefused(both) => Some(both.0.to_string()),
            Self::Doubled(both) => Some(both.0.to_string()),
            _ => None,
        }
    }

    /// What is the case, as a clause.
    pub(crate) fn cause(&self, subject: Subject<'_>) -> String {
        let Subject { node, protocol, .. } = subject;
        match self {
            Self::NotSynced => "the first complete lists of objects are not in yet".into(),
            Self::NoSuchService => "there is no such Service".into(),
            Self::NotLoadBalancer => "the Service is not of type LoadBalancer".into(),
            Self::OtherClass(Some(_)) => "the load balancer class is another one's".into(),
            Self::OtherClass(None) => {
                "the Service has no load balancer class, and only those of a class are served"
                    .into()
            }
            Self::NoAddress => "no address is allocated".into(),
            Self::InvalidAddress(_) => "an entry of the status holds no IP address".into(),
            Self::NotInPool(_) => "the address lies in no pool".into(),
            Self::SeveralPools(both) => {
                format!("the addresses lie in two pools, {} and {}", both.0, both.1)
            }
            Self::PoolRefused(both) => {
                format!(
                    "the address lies in {}, which is refused as it stands",
                    both.1
                )
            }
            Self::Doubled(both) => format!(
                "the older Service {} holds the same address, and the two may not share it",
                both.1
            ),
            Self::NotAdvertised(pool) => format!("no {} selects the pool {pool}", kind(protocol)),
            Self::NoMatchingAdvertisement(pool) => format!(
                "no {} of the pool {pool} for this node matches the labels of the Service",
                kind(protocol)
            ),
            Self::NodeNotSelected(pool) => {
                format!(
                    "no {} of the pool {pool} selects the node {node}",
                    kind(protocol)
                )
            }
            Self::SharedWithSelectors(ad) => format!(
                "the Service shares its address, and the L2Advertisement {ad} selects Services by label, so that its sharers could be announced from different nodes"
            ),
            Self::ConflictingAdvertisements(both) => format!(
                "the BGPAdvertisements {} and {} give the same prefix different localPref for the same peers",
                both.0, both.1
            ),
            Self::UnknownNode => format!("there is no Node {node}"),
            Self::NetworkUnavailable => {
                format!("the condition NetworkUnavailable of the node {node} is True")
            }
            Self::Excluded => format!(
                "the node {node} carries the label {}",
                ferrolb_api::annotations::EXCLUDE_FROM_LOAD_BALANCERS
            ),
            Self::NotAlive => format!("the speaker on the node {node} is not alive"),
            Self::NoEndpoints => "no endpoint of the Service is usable on any node".into(),
            Self::NoLocalEndpoints => format!(
                "externalTrafficPolicy is Local and no endpoint on the node {node} is usable"
            ),
            Self::NoInterface => {
                format!("the node {node} has none of the interfaces to announce on")
            }
            Self::RefusesPool(pool) => format!(
                "the speaker on the node {node} refuses the pool {pool} and knows no good version of it"
            ),
            Self::NotOwner => not_owner(subject.owner),
        }
    }

    /// What to do, as a clause.
    pub(crate) fn remedy(&self, subject: Subject<'_>) -> String {
        let kind = kind(subject.protocol);
        match self {
            Self::NotSynced => "wait until the sources have been read".into(),
            Self::NoSuchService => "check the namespace and the name".into(),
            Self::NotLoadBalancer => "set spec.type to LoadBalancer to announce it".into(),
            Self::OtherClass(_) => "nothing, if that is meant; otherwise set the class with --lb-class".into(),
            Self::NoAddress => "see why it got none: `ferrolb explain` says it of the address".into(),
            Self::InvalidAddress(_) => "clear the status, so that an address is allocated".into(),
            Self::NotInPool(_) => "add the address to an IPAddressPool, or clear the status".into(),
            Self::SeveralPools(_) => "clear the status, so that one pool gives all addresses".into(),
            Self::PoolRefused(_) | Self::RefusesPool(_) => {
                "mend the pool; `ferrolb check` shows its faults".into()
            }
            Self::Doubled(_) => "clear the status of one of them, or give both the same sharing key and different ports".into(),
            Self::NotAdvertised(_) => {
                format!("nothing, if that is meant; otherwise let {kind}s select the pool")
            }
            Self::NoMatchingAdvertisement(_) => {
                format!("change the labels of the Service or the serviceSelectors of the {kind}")
            }
            Self::NodeNotSelected(_) => {
                format!("change the labels of the node or the nodeSelectors of the {kind}")
            }
            Self::SharedWithSelectors(_) => {
                "remove the annotation, or use advertisements without serviceSelectors for this pool".into()
            }
            Self::ConflictingAdvertisements(_) => {
                "give both the same localPref, different aggregation lengths or different peers".into()
            }
            Self::UnknownNode => "check the name of the node".into(),
            Self::NetworkUnavailable => "see to the network of the node".into(),
            Self::Excluded => "remove the label, or start with --ignore-exclude-lb".into(),
            Self::NotAlive => "see to the speaker there and the network between the nodes".into(),
            Self::NoEndpoints => "see to the Pods the Service selects".into(),
            Self::NoLocalEndpoints => {
                "nothing, if that is meant; otherwise run a Pod there or use Cluster".into()
            }
            Self::NoInterface => {
                "see to the interfaces of the node, correct those of the L2Advertisement, or take the node out of it".into()
            }
            Self::NotOwner => "nothing: one node announces an address in layer 2".into(),
        }
    }
}

fn kind(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Layer2 => "L2Advertisement",
        Protocol::Bgp => "BGPAdvertisement",
    }
}

fn not_owner(owner: Option<&Owner>) -> String {
    let Some(owner) = owner else {
        return "another node is elected".into();
    };
    format!("the node {} is elected, {}", owner.node, owner.rule.words())
}

impl Rule {
    /// What put the elected node first, as a clause.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Only => "the only candidate",
            Self::Preference => "by a higher score from preferredNodeSelectors",
            Self::Hash => "by the smaller hash among equal scores",
            Self::Interfaces => "since those before it lack the interfaces",
        }
    }
}
