// SPDX-License-Identifier: Apache-2.0
//! The report: the JSON of `ferrolb status -o json`, one object per process.
//!
//! Field names are stable; new ones may come. Times are in milliseconds, addresses and prefixes are texts.

use std::net::IpAddr;

use ferrolb_alloc::Counters;
use ferrolb_types::{Diagnostic, PoolName};
use serde::{Deserialize, Serialize};

/// Everything one process says of itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// `standalone`, `controller` or `speaker`.
    pub role: String,
    /// The node, of a role that announces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Version of the program.
    pub version: String,
    /// Process number.
    pub pid: u32,
    /// Time since the start.
    pub uptime_ms: u64,
    /// Who assigns instead, of a controller that stands by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leader: Option<String>,
    /// Whether everything the process needs was read once.
    pub synced: bool,
    /// What is refused or doubtful, errors first.
    pub faults: Vec<Fault>,
    /// The living nodes, once known, of a role that announces: itself once the others count on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alive: Option<Vec<String>>,
    /// Pools that a role that announces refuses, and knows no good version of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused_pools: Vec<String>,
    /// The Services of type `LoadBalancer` that are ours.
    pub services: Vec<ServiceReport>,
    /// The pools, of a role that assigns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pools: Vec<PoolReport>,
    /// BGP sessions.
    pub sessions: Vec<SessionReport>,
    /// The routes each peer has from us.
    pub routes: Vec<RouteReport>,
    /// Addresses answered in layer 2.
    pub addresses: Vec<AddressReport>,
    /// Interfaces of the node.
    pub interfaces: Vec<InterfaceReport>,
}

/// A diagnostic, as texts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// `error` or `warning`.
    pub severity: String,
    /// Reason code.
    pub code: String,
    /// Kind, namespace and name.
    pub object: String,
    /// Path of the field; empty for the object as a whole.
    pub field: String,
    /// The value at fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// What is wrong.
    pub cause: String,
    /// What to do.
    pub remedy: String,
    /// `file:line:column`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<String>,
    /// Whether the process goes on with the last good version of the object; of a role on an API server.
    #[serde(
        rename = "lastGood",
        default,
        skip_serializing_if = "std::ops::Not::not"
    )]
    pub last_good: bool,
}

impl From<&Diagnostic> for Fault {
    fn from(diagnostic: &Diagnostic) -> Self {
        Self {
            severity: if diagnostic.is_error() {
                "error"
            } else {
                "warning"
            }
            .to_owned(),
            code: diagnostic.code.to_string(),
            object: diagnostic.object.to_string(),
            field: diagnostic.field.to_string(),
            value: diagnostic.value.clone(),
            cause: diagnostic.cause.clone(),
            remedy: diagnostic.remedy.clone(),
            position: diagnostic.position.as_ref().map(ToString::to_string),
            last_good: false,
        }
    }
}

/// A Service and what this process does for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceReport {
    /// Namespace and name.
    pub service: String,
    /// The addresses it holds.
    pub addresses: Vec<IpAddr>,
    /// The pool they came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<String>,
    /// Why it has no address; of a role that assigns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending: Option<Fault>,
    /// Whether this node answers for it in layer 2, and if not the reason; of a role that announces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer2: Option<String>,
    /// Whether this node announces it by BGP, and if not the reason; of a role that announces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bgp: Option<String>,
}

/// How full a pool is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PoolReport {
    /// Its name.
    pub pool: String,
    /// IPv4 addresses it can give.
    pub ipv4_total: u64,
    /// IPv6 addresses it can give.
    pub ipv6_total: u64,
    /// IPv4 addresses somebody holds.
    pub ipv4_in_use: u64,
    /// IPv6 addresses somebody holds.
    pub ipv6_in_use: u64,
}

impl PoolReport {
    /// What the counters of a pool say.
    #[must_use]
    pub fn new(name: &PoolName, counters: &Counters) -> Self {
        let whole = |number: i64| u64::try_from(number).unwrap_or_default();
        Self {
            pool: name.to_string(),
            ipv4_total: whole(counters.ipv4.capacity),
            ipv6_total: whole(counters.ipv6.capacity),
            ipv4_in_use: whole(counters.ipv4.assigned),
            ipv6_in_use: whole(counters.ipv6.assigned),
        }
    }
}

/// BGP messages by type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MessageReport {
    /// OPEN.
    pub open: u64,
    /// UPDATE.
    pub update: u64,
    /// NOTIFICATION.
    pub notification: u64,
    /// KEEPALIVE.
    pub keepalive: u64,
    /// ROUTE-REFRESH.
    pub route_refresh: u64,
}

impl From<&ferrolb_bgp::Messages> for MessageReport {
    fn from(messages: &ferrolb_bgp::Messages) -> Self {
        Self {
            open: messages.open,
            update: messages.update,
            notification: messages.notification,
            keepalive: messages.keepalive,
            route_refresh: messages.route_refresh,
        }
    }
}

/// A BGP session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionReport {
    /// Name of the `BGPPeer`.
    pub peer: String,
    /// Address and port of the peer.
    pub remote: String,
    /// State of RFC 4271.
    pub state: String,
    /// Time in this state.
    pub since_ms: u64,
    /// Our address and port, while there is a connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local: Option<String>,
    /// The families carried.
    pub families: Vec<String>,
    /// Hold time in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_ms: Option<u64>,
    /// Time between keepalives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keepalive_ms: Option<u64>,
    /// Prefixes the peer has from us.
    pub advertised: usize,
    /// Changes still to be sent.
    pub pending: usize,
    /// Messages sent, by type.
    #[serde(default)]
    pub sent: MessageReport,
    /// Messages received, by type.
    #[serde(default)]
    pub received: MessageReport,
    /// UPDATEs sent.
    pub updates_sent: u64,
    /// UPDATEs received.
    pub updates_received: u64,
    /// Prefixes the peer announced, counted and not installed.
    pub prefixes_received: u64,
    /// How often an established session was lost.
    pub flaps: u64,
    /// What is wrong now.
    pub problems: Vec<Fault>,
    /// What last went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<Fault>,
    /// How long ago that was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error_ms: Option<u64>,
}

/// A route a peer has from us.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RouteReport {
    /// Name of the `BGPPeer`.
    pub peer: String,
    /// The prefix.
    pub prefix: String,
    /// The next hop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_hop: Option<IpAddr>,
    /// LOCAL_PREF, as configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local_pref: Option<u32>,
    /// Communities.
    pub communities: Vec<String>,
}

/// An address answered in layer 2.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AddressReport {
    /// The address.
    pub address: String,
    /// Where it is answered; empty for every interface.
    pub interfaces: Vec<String>,
    /// Requests seen.
    pub requests: u64,
    /// Answers sent.
    pub responses: u64,
    /// Unsolicited packets sent.
    pub gratuitous: u64,
    /// MAC and interface of another station that claims it, or did so some minutes ago.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conflict: Option<String>,
    /// Time since its last claim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conflict_ms: Option<u64>,
}

/// An interface of the node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterfaceReport {
    /// Its name.
    pub name: String,
    /// Its MAC.
    pub mac: String,
    /// Whether ARP is answered there.
    pub arp: bool,
    /// Whether NDP is answered there.
    pub ndp: bool,
    /// Why not, where either is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
