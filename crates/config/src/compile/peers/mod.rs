// SPDX-License-Identifier: Apache-2.0
//! Peers: rules B1 to B21 and M8 of the controller reference, sections 2.3 and 2.4.

mod connection;
mod password;
mod timers;
mod unsupported;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

use ferrolb_api::resource::{BGPPeer, BGPPeerSpec};
use ferrolb_types::{Asn, FieldPath, PeerName, RouterId, Secret, codes::peer as code};

use super::{
    bfd::BfdRules,
    nodes::{Nodes, Reach},
    report::{Parsed, Report},
    selectors,
    settle::Rules,
};
use crate::{
    compiled::{Connection, Peer, PeerAs},
    resources::{Kind, Resources},
};

/// What tells sessions of one node apart: the peer's address or interface, and the VRF.
type Identity = (Option<IpAddr>, Option<String>, Option<String>);

/// What [`PeerRules::into_parts`] gives.
type Parts = (
    BTreeMap<PeerName, Arc<Peer>>,
    BTreeMap<PeerName, Vec<PeerName>>,
    BTreeMap<String, Secret>,
);

/// A peer and the known nodes it is spoken with on: those it selects, less those of older peers of its
/// identity.
pub(crate) struct PeerForm {
    peer: Peer,
    reach: Reach,
    /// Those older peers.
    older: Vec<PeerName>,
}

/// The peers in force.
pub(crate) struct PeerRules<'r> {
    resources: &'r Resources,
    nodes: Nodes<'r>,
    bfd: &'r BfdRules,
    /// Peers that get routes of IPv6 pools (B21): `None` in the list stands for all.
    ipv6_peers: BTreeSet<Option<PeerName>>,
    /// Passwords from Secrets, of the last good versions.
    passwords: BTreeMap<String, Secret>,
    /// Oldest first.
    holders: BTreeMap<Identity, Vec<(PeerName, Reach)>>,
    older: BTreeMap<PeerName, Vec<PeerName>>,
    pub(crate) in_force: BTreeMap<PeerName, Arc<Peer>>,
}

impl<'r> PeerRules<'r> {
    pub(crate) fn new(
        resources: &'r Resources,
        bfd: &'r BfdRules,
        ipv6_peers: BTreeSet<Option<PeerName>>,
        passwords: BTreeMap<String, Secret>,
    ) -> Self {
        Self {
            resources,
            nodes: Nodes::new(resources),
            bfd,
            ipv6_peers,
            passwords,
            holders: BTreeMap::new(),
            older: BTreeMap::new(),
            in_force: BTreeMap::new(),
        }
    }

    /// The peers in force, the older ones beside each, and the passwords to remember with the last good
    /// versions.
    pub(crate) fn into_parts(self) -> Parts {
        let mut passwords = self.passwords;
        passwords.retain(|name, _| self.resources.exists::<BGPPeer>(name));
        (self.in_force, self.older, passwords)
    }

    fn parse_with(&self, object: &BGPPeer, kept: Option<&Secret>) -> Parsed<PeerForm> {
        let mut report = Report::new(object.reference());
        let spec = &object.spec;
        let r = &mut report;
        let password = match kept {
            Some(password) => Some(password.clone()),
            None => password::parse(r, spec, self.resources),
        };
        let peer = Peer {
            name: object.name().into(),
            nodes: selectors::any_of(r, &field("nodeSelectors"), &spec.node_selectors),
            my_asn: my_asn(r, spec),
            peer_as: peer_as(r, spec),
            local_asn: local_asn(r, spec),
            connection: connection::parse(r, spec),
            timers: timers::parse(r, spec),
            router_id: router_id(r, spec),
            password,
            bfd_profile: filled(spec.bfd_profile.as_ref()).cloned(),
            graceful_restart: spec.enable_graceful_restart.unwrap_or(false),
            dual_stack: spec.dual_stack_address_family.unwrap_or(false),
        };
        self.check_bfd(r, &peer);
        check_multihop(r, spec);
        unsupported::check(r, spec);
        let reach = self.nodes.reach(&peer.nodes);
        let older = Vec::new();
        let form = PeerForm { peer, reach, older };
        Parsed { form, report }
    }

    /// B18 and B21.
    fn check_bfd(&self, report: &mut Report, peer: &Peer) {
        let Some(name) = peer.bfd_profile.as_ref() else {
            return;
        };
        let at = field("bfdProfile");
        let Some(profile) = self.bfd.in_force.get(name) else {
            let cause = "there is no usable BFDProfile of this name";
            let remedy = "create the profile, or correct the name";
            report.refuse(code::B018, at, Some(name), cause, remedy);
            return;
        };
        let gets_ipv6 = |peer: &PeerName| {
            self.ipv6_peers.contains(&None) || self.ipv6_peers.contains(&Some(peer.clone()))
        };
        if profile.echo_mode && gets_ipv6(&peer.name) {
            let cause = "the profile asks for echo packets, which IPv6 does not have, and a pool with IPv6 \
                         addresses is advertised to the peer";
            let remedy = "use a profile without echoMode, or keep IPv6 pools from this peer";
            report.refuse(code::B021, at, Some(name), cause, remedy);
        }
    }
}

impl Rules<BGPPeer> for PeerRules<'_> {
    type Form = PeerForm;

    fn parse(&mut self, object: &BGPPeer) -> Parsed<PeerForm> {
        self.parse_with(object, None)
    }

    /// M8: one session per node and identity. While no node is known, peers are taken to share all.
    fn conflicts(&mut self, form: &mut PeerForm, report: &mut Report) {
        let holders = identity(&form.peer).and_then(|identity| self.holders.get(&identity));
        for (other, theirs) in holders.into_iter().flatten() {
            if self.nodes.is_unknown() || form.reach.shares_with(theirs) {
                form.reach.remove(theirs);
                form.older.push(other.clone());
                refuse_double(report, &form.peer.connection, other);
            }
        }
    }

    fn stands(&self, form: &PeerForm) -> bool {
        !form.reach.is_empty()
    }

    fn enter(&mut self, form: PeerForm) {
        let PeerForm { peer, reach, older } = form;
        if let Some(identity) = identity(&peer) {
            if !older.is_empty() {
                self.older.insert(peer.name.clone(), older);
            }
            let holders = self.holders.entry(identity).or_default();
            holders.push((peer.name.clone(), reach));
        }
        self.in_force.insert(peer.name.clone(), Arc::new(peer));
    }

    fn keep(&mut self, object: &Arc<BGPPeer>, form: &PeerForm) -> Arc<BGPPeer> {
        let name = object.name().to_owned();
        match (&form.peer.password, password::secret_name(&object.spec)) {
            (Some(password), Some(_)) => self.passwords.insert(name, password.clone()),
            _ => self.passwords.remove(&name),
        };
        object.clone()
    }

    fn parse_kept(&mut self, object: &BGPPeer) -> Parsed<PeerForm> {
        self.parse_with(object, self.passwords.get(object.name()))
    }
}

fn refuse_double(report: &mut Report, connection: &Connection, older: &PeerName) {
    let at = if connection.address.is_some() {
        "peerAddress"
    } else {
        "interface"
    };
    let value = connection.address.map(|address| address.to_string());
    let cause = format!(
        "the older BGPPeer {older} speaks with it on nodes of both, and this one has no effect there"
    );
    let remedy = "remove one of the two, or give them nodeSelectors without a common node";
    report.refuse(code::B060, field(at), value.as_deref(), cause, remedy);
}

fn field(name: &'static str) -> FieldPath {
    FieldPath::spec().key(name)
}

/// A text that is there and not empty.
fn filled(text: Option<&String>) -> Option<&String> {
    text.filter(|text| !text.is_empty())
}

fn identity(peer: &Peer) -> Option<Identity> {
    let Connection {
        address,
        interface,
        vrf,
        ..
    } = &peer.connection;
    let known = address.is_some() || interface.is_some();
    known.then(|| (*address, interface.clone(), vrf.clone()))
}

fn my_asn(report: &mut Report, spec: &BGPPeerSpec) -> Asn {
    if spec.my_asn == 0 {
        let cause = "0 is no AS number";
        report.refuse(
            code::B001,
            field("myASN"),
            Some("0"),
            cause,
            "write the AS of the nodes",
        );
    }
    Asn(spec.my_asn)
}

fn peer_as(report: &mut Report, spec: &BGPPeerSpec) -> PeerAs {
    let number = spec.peer_asn.unwrap_or(0);
    let dynamic = filled(spec.dynamic_asn.as_ref());
    if number != 0 && dynamic.is_some() {
        let value = dynamic.map(String::as_str);
        let cause = "peerASN already says which AS the peer has";
        let remedy = "keep one of peerASN and dynamicASN";
        report.refuse(code::B003, field("dynamicASN"), value, cause, remedy);
    }
    match dynamic.map(String::as_str) {
        None => {
            if number == 0 {
                let cause = "it is not said which AS the peer has";
                let remedy = "write the AS of the peer";
                report.refuse(code::B002, field("peerASN"), None, cause, remedy);
            }
            PeerAs::Exactly(Asn(number))
        }
        Some("internal") => PeerAs::Internal,
        Some("external") => PeerAs::External,
        Some(other) => {
            let cause = "it is neither internal nor external";
            let remedy = "write internal or external";
            report.refuse(code::B004, field("dynamicASN"), Some(other), cause, remedy);
            PeerAs::External
        }
    }
}

fn local_asn(report: &mut Report, spec: &BGPPeerSpec) -> Option<Asn> {
    if spec.local_asn == Some(0) {
        let remedy = "remove the field, or write the AS to show";
        report.refuse(
            code::B063,
            field("localASN"),
            Some("0"),
            "0 is no AS number",
            remedy,
        );
    }
    spec.local_asn.map(Asn)
}

fn check_multihop(report: &mut Report, spec: &BGPPeerSpec) {
    if spec.ebgp_multi_hop == Some(true) && spec.peer_asn == Some(spec.my_asn) {
        let cause = "the peer is of our own AS, and ebgpMultiHop is for other AS alone";
        let remedy = "remove ebgpMultiHop: internal peers may be any number of hops away";
        report.refuse(
            code::B005,
            field("ebgpMultiHop"),
            Some("true"),
            cause,
            remedy,
        );
    }
}

/// RFC 6286: a BGP Identifier is any four octets but zero.
fn router_id(report: &mut Report, spec: &BGPPeerSpec) -> Option<RouterId> {
    let text = filled(spec.router_id.as_ref())?;
    let at = field("routerID");
    let remedy = "write an IPv4 address other than 0.0.0.0";
    match text.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) if address != Ipv4Addr::UNSPECIFIED => Some(RouterId(address)),
        Ok(_) => {
            let cause = "a BGP Identifier is four octets, not all zero";
            report.refuse(code::B064, at, Some(text), cause, remedy);
            None
        }
        Err(_) => {
            report.refuse(code::B007, at, Some(text), "it is no IP address", remedy);
            None
        }
    }
}
