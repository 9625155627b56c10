// SPDX-License-Identifier: Apache-2.0
//! Where a peer is and how it is reached: rules B6 and B7, and the bounds of `peerPort`.

use std::net::IpAddr;

use ferrolb_api::resource::BGPPeerSpec;
use ferrolb_types::codes::peer as code;

use super::{Report, field, filled};
use crate::compiled::Connection;

pub(super) fn parse(report: &mut Report, spec: &BGPPeerSpec) -> Connection {
    let address = filled(spec.peer_address.as_ref());
    let interface = filled(spec.interface.as_ref());
    let remedy = "write peerAddress alone";
    match (address, interface) {
        (None, None) => {
            let cause = "it is not said where the peer is";
            report.refuse(code::B006, field("peerAddress"), None, cause, remedy);
        }
        (Some(_), Some(interface)) => {
            let cause = "peerAddress already says where the peer is";
            report.refuse(
                code::B006,
                field("interface"),
                Some(interface),
                cause,
                remedy,
            );
        }
        _ => {}
    }
    let address = ip(report, "peerAddress", address);
    let source = ip(
        report,
        "sourceAddress",
        filled(spec.source_address.as_ref()),
    );
    warn_of_other_family(report, address, source);
    Connection {
        address,
        interface: interface.cloned(),
        port: port(report, spec),
        source,
        multihop: spec.ebgp_multi_hop.unwrap_or(false),
        vrf: filled(spec.vrf.as_ref()).cloned(),
    }
}

fn ip(report: &mut Report, name: &'static str, text: Option<&String>) -> Option<IpAddr> {
    let text = text?;
    match text.parse::<IpAddr>() {
        Ok(address) => Some(address.to_canonical()),
        Err(_) => {
            let remedy = "write a plain IPv4 or IPv6 address";
            report.refuse(
                code::B007,
                field(name),
                Some(text),
                "it is no IP address",
                remedy,
            );
            None
        }
    }
}

fn warn_of_other_family(report: &mut Report, peer: Option<IpAddr>, source: Option<IpAddr>) {
    let Some((peer, source)) = peer.zip(source) else {
        return;
    };
    if peer.is_ipv4() != source.is_ipv4() {
        let cause =
            format!("no connection to {peer} can come from it, so the kernel's choice is used");
        let remedy = "write an address of the peer's family, or remove the field";
        let value = source.to_string();
        report.warn(
            code::B065,
            field("sourceAddress"),
            Some(&value),
            cause,
            remedy,
        );
    }
}

fn port(report: &mut Report, spec: &BGPPeerSpec) -> u16 {
    const DEFAULT: u16 = 179;
    let port = spec.peer_port.unwrap_or(DEFAULT);
    if !(1..=16384).contains(&port) {
        let remedy = "write a port from 1 to 16384, or remove the field for 179";
        let cause = "it is not between 1 and 16384";
        report.refuse(
            code::B062,
            field("peerPort"),
            Some(&port.to_string()),
            cause,
            remedy,
        );
    }
    port
}
