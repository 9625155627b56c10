// SPDX-License-Identifier: Apache-2.0
//! Why a Service gets no address, each with its code, field, cause and remedy.

use std::{borrow::Cow, net::IpAddr};

use ferrolb_api::{
    annotations::{ADDRESS_POOL, ALLOW_SHARED_IP, LOAD_BALANCER_IPS},
    view::ServicePort,
};
use ferrolb_types::{
    Code, Diagnostic, FieldPath, ObjectRef, PoolName, ServiceKey, codes::allocation as codes,
};

/// Why a Service gets no address, or cannot keep the one it has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nothing is free in any pool the Service may draw from.
    #[error("no available IPs")]
    NoneFree,
    /// Nothing is free in the pool it asks for.
    #[error("no available IPs in pool \"{0}\"")]
    NoneFreeIn(PoolName),
    /// There is no usable pool at all.
    #[error("no address pool can be used")]
    NoPools,
    /// The Service has no cluster address, so its families are unknown.
    #[error("the Service has no cluster address")]
    NoClusterIps,
    /// `RequireDualStack` with fewer than two cluster addresses.
    #[error("RequireDualStack needs two cluster addresses")]
    TooFewClusterIps,
    /// The families of the cluster addresses cannot be told.
    #[error("the families of the cluster addresses cannot be told")]
    ClusterFamilies,
    /// Two cluster addresses, but the policy is not dual-stack.
    #[error("two cluster addresses need a dual-stack ipFamilyPolicy")]
    NotDualPolicy,
    /// The requested addresses cannot be read.
    #[error("invalid request \"{text}\": {cause}")]
    BadRequest {
        /// As typed.
        text: Box<str>,
        /// What is wrong with it.
        cause: &'static str,
        /// Whether it stood in the annotation.
        annotation: bool,
    },
    /// Addresses are requested by annotation and by `spec.loadBalancerIP`.
    #[error("addresses are requested both by annotation and by spec.loadBalancerIP")]
    TwoRequests,
    /// The families of the request are not those of the Service.
    #[error("the requested addresses {requested} are not of the families of the cluster addresses")]
    RequestFamilies {
        /// The request, as Events print it.
        requested: String,
    },
    /// A requested address lies in no pool.
    #[error("\"{0}\" is not allowed in config")]
    NotInAnyPool(IpAddr),
    /// The requested addresses lie in several pools.
    #[error("the requested addresses lie in the pools \"{0}\" and \"{1}\"")]
    SeveralPools(PoolName, PoolName),
    /// The requested address and the requested pool contradict each other.
    #[error("\"{address}\" lies in pool \"{actual}\", not in the requested pool \"{requested}\"")]
    OtherPool {
        /// The address.
        address: IpAddr,
        /// Where it lies.
        actual: PoolName,
        /// Where it should.
        requested: PoolName,
    },
    /// The requested pool does not exist.
    #[error("unknown pool \"{0}\"")]
    UnknownPool(PoolName),
    /// The pool is for other Services.
    #[error("pool \"{0}\" not compatible for IP assignment")]
    Incompatible(PoolName),
    /// The address is held by a Service that does not share with this one.
    #[error("\"{address}\" is in use by {holder}, which does not share it")]
    NotShared {
        /// The address.
        address: IpAddr,
        /// Who holds it.
        holder: ServiceKey,
    },
    /// The address is shared, but by Services with other endpoints.
    #[error("\"{address}\" is shared by {holder}, whose endpoints differ")]
    OtherBackends {
        /// The address.
        address: IpAddr,
        /// Who holds it.
        holder: ServiceKey,
    },
    /// The port is taken on a shared address.
    #[error("port {port} is already in use by {holder} on \"{address}\"")]
    PortTaken {
        /// The address.
        address: IpAddr,
        /// The port.
        port: ServicePort,
        /// Who uses it.
        holder: ServiceKey,
    },
    /// The pool is refused at present; nothing new is given from it.
    #[error("pool \"{0}\" is refused at present")]
    PoolRefused(PoolName),
    /// The status holds a combination of addresses that no Service can have.
    #[error("the addresses in the status are not one, or one of each family")]
    StatusFamilies,
}

impl Refusal {
    /// The reason code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::NoneFree | Self::NoneFreeIn(_) => codes::I001,
            Self::NoPools => codes::I002,
            Self::NoClusterIps => codes::I003,
            Self::TooFewClusterIps => codes::I004,
            Self::ClusterFamilies => codes::I005,
            Self::NotDualPolicy => codes::I006,
            Self::BadRequest { .. } => codes::I007,
            Self::TwoRequests => codes::I008,
            Self::RequestFamilies { .. } => codes::I009,
            Self::NotInAnyPool(_) => codes::I010,
            Self::SeveralPools(..) => codes::I011,
            Self::OtherPool { .. } => codes::I012,
            Self::UnknownPool(_) => codes::I013,
            Self::Incompatible(_) => codes::I014,
            Self::NotShared { .. } => codes::I015,
            Self::OtherBackends { .. } => codes::I016,
            Self::PortTaken { .. } => codes::I017,
            Self::PoolRefused(_) => codes::I018,
            Self::StatusFamilies => codes::I019,
        }
    }

    /// The refusal of this Service as a diagnostic.
    #[must_use]
    pub fn diagnostic(&self, service: &ServiceKey) -> Diagnostic {
        let object = ObjectRef::new("Service", service.namespace(), service.name());
        let diagnostic = Diagnostic::error(self.code(), object, self.to_string(), self.remedy())
            .at(self.field());
        match self.value() {
            Some(value) => diagnostic.value(value),
            None => diagnostic,
        }
    }

    fn field(&self) -> FieldPath {
        let annotation = |key: &'static str| {
            let metadata = FieldPath::root().key("metadata");
            metadata.key("annotations").key(key)
        };
        match self {
            Self::NoneFree | Self::NoPools | Self::Incompatible(_) | Self::PoolRefused(_) => {
                FieldPath::root()
            }
            Self::NoClusterIps | Self::ClusterFamilies => FieldPath::spec().key("clusterIPs"),
            Self::TooFewClusterIps | Self::NotDualPolicy => FieldPath::spec().key("ipFamilyPolicy"),
            Self::BadRequest {
                annotation: false, ..
            } => FieldPath::spec().key("loadBalancerIP"),
            Self::BadRequest { .. }
            | Self::TwoRequests
            | Self::RequestFamilies { .. }
            | Self::NotInAnyPool(_)
            | Self::SeveralPools(..)
            | Self::OtherPool { .. } => annotation(LOAD_BALANCER_IPS),
            Self::NoneFreeIn(_) | Self::UnknownPool(_) => annotation(ADDRESS_POOL),
            Self::NotShared { .. } | Self::OtherBackends { .. } => annotation(ALLOW_SHARED_IP),
            Self::PortTaken { .. } => FieldPath::spec().key("ports"),
            Self::StatusFamilies => FieldPath::root()
                .key("status")
                .key("loadBalancer")
                .key("ingress"),
        }
    }

    fn value(&self) -> Option<String> {
        match self {
            Self::BadRequest { text, .. } => Some(text.to_string()),
            Self::RequestFamilies { requested } => Some(requested.clone()),
            Self::NotInAnyPool(address)
            | Self::OtherPool { address, .. }
            | Self::NotShared { address, .. }
            | Self::OtherBackends { address, .. } => Some(address.to_string()),
            Self::NoneFreeIn(pool)
            | Self::UnknownPool(pool)
            | Self::Incompatible(pool)
            | Self::PoolRefused(pool) => Some(pool.to_string()),
            Self::PortTaken { port, .. } => Some(port.to_string()),
            _ => None,
        }
    }

    fn remedy(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::NoneFree => {
                "add addresses to a pool with autoAssign that is open to this Service and has its \
                 families, or free one"
            }
            Self::NoneFreeIn(_) => "add addresses to the pool, free one, or ask for another pool",
            Self::NoPools => "create an IPAddressPool, or mend those that are refused",
            Self::NoClusterIps => "give the Service a cluster address",
            Self::TooFewClusterIps => {
                "give the Service two cluster addresses, or use PreferDualStack or SingleStack"
            }
            Self::ClusterFamilies => "use one cluster address, or one of each family",
            Self::NotDualPolicy => "set ipFamilyPolicy to PreferDualStack or RequireDualStack",
            Self::BadRequest { .. } => {
                "write one address, or one of each family separated by a comma"
            }
            Self::TwoRequests => "remove one of the two requests",
            Self::RequestFamilies { .. } => {
                "request exactly one address for each family of the cluster addresses"
            }
            Self::NotInAnyPool(_) => "request an address of a pool, or add it to one",
            Self::SeveralPools(..) => "request addresses of one pool",
            Self::OtherPool { .. } => {
                "request an address of that pool, or drop one of the requests"
            }
            Self::UnknownPool(_) => "name an existing IPAddressPool",
            Self::Incompatible(_) => {
                "use a pool whose serviceAllocation matches, or change the labels or the pool"
            }
            Self::NotShared { .. } => {
                "use another address, or give both Services the same allow-shared-ip key"
            }
            Self::OtherBackends { .. } => {
                "use externalTrafficPolicy Cluster on both Services, or Local with equal selectors"
            }
            Self::PortTaken { .. } => "use another port or another address",
            Self::PoolRefused(_) => "mend the IPAddressPool; its own diagnostics say how",
            Self::StatusFamilies => "nothing: the status is written anew",
        })
    }
}
