// SPDX-License-Identifier: Apache-2.0
//! The rtnetlink messages of links and addresses (rtnetlink(7)), in the byte order of the host.

use std::net::IpAddr;

use ipnet::IpNet;

use super::{Link, LinkAddress};

const IFLA_ADDRESS: u16 = 1;
const IFLA_IFNAME: u16 = 3;
const IFLA_MASTER: u16 = 10;
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_FLAGS: u16 = 8;

/// One message, as far as it concerns links and addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Message {
    /// An interface is there; its addresses are not told with it.
    Link(Link),
    /// An interface is gone.
    LinkGone { ifindex: u32 },
    /// An interface has an address.
    Address { ifindex: u32, address: LinkAddress },
    /// An interface lost an address.
    AddressGone { ifindex: u32, address: LinkAddress },
    /// The end of a dump.
    Done,
    /// The kernel refused the request: an error number.
    Error(i32),
    /// Nothing of concern.
    Other,
}

/// A message with the part of its header that matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Envelope {
    /// Zero for an event, otherwise the request that it answers.
    pub(super) sequence: u32,
    /// The dump was interrupted by changes and has to be made again.
    pub(super) interrupted: bool,
    pub(super) message: Message,
}

/// Reads the messages of one datagram; what is cut off at its end is left out.
pub(super) fn parse(mut datagram: &[u8]) -> Vec<Envelope> {
    let mut envelopes = Vec::new();
    while let Some((envelope, rest)) = parse_one(datagram) {
        envelopes.push(envelope);
        datagram = rest;
    }
    envelopes
}

/// ```text
/// u32 length | u16 type | u16 flags | u32 sequence | u32 port | payload, padded to 4 bytes
/// ```
fn parse_one(datagram: &[u8]) -> Option<(Envelope, &[u8])> {
    let (header, _) = datagram.split_first_chunk::<16>()?;
    let length = usize::try_from(u32_at(header, 0)?).ok()?;
    let payload = datagram.get(16..length)?;
    let interrupted = i32::from(u16_at(header, 6)?) & libc::NLM_F_DUMP_INTR != 0;
    let message = body(u16_at(header, 4)?, payload).unwrap_or(Message::Other);
    let rest = datagram
        .get(length.next_multiple_of(4)..)
        .unwrap_or_default();
    Some((
        Envelope {
            sequence: u32_at(header, 8)?,
            interrupted,
            message,
        },
        rest,
    ))
}

fn body(kind: u16, payload: &[u8]) -> Option<Message> {
    match kind {
        libc::RTM_NEWLINK => link(payload).map(Message::Link),
        libc::RTM_DELLINK => is_of_the_interface(payload)?.then_some(Message::LinkGone {
            ifindex: u32_at(payload, 4)?,
        }),
        libc::RTM_NEWADDR => {
            address(payload).map(|(ifindex, address)| Message::Address { ifindex, address })
        }
        libc::RTM_DELADDR => {
            address(payload).map(|(ifindex, address)| Message::AddressGone { ifindex, address })
        }
        kind if i32::from(kind) == libc::NLMSG_DONE => Some(Message::Done),
        kind if i32::from(kind) == libc::NLMSG_ERROR => {
            Some(Message::Error(u32_at(payload, 0)?.cast_signed()))
        }
        _ => None,
    }
}

/// ```text
/// u8 family | u8 pad | u16 hardware type | u32 ifindex | u32 flags | u32 change mask | attributes
/// ```
fn link(payload: &[u8]) -> Option<Link> {
    if !is_of_the_interface(payload)? {
        return None;
    }
    let flags = u32_at(payload, 8)?.cast_signed();
    let is_ethernet = u16_at(payload, 2)? == libc::ARPHRD_ETHER;
    let has = |flag| flags & flag != 0;
    let mut link = Link {
        ifindex: u32_at(payload, 4)?,
        name: String::new(),
        mac: None,
        up: has(libc::IFF_UP),
        running: has(libc::IFF_UP) && has(libc::IFF_RUNNING),
        broadcast: has(libc::IFF_BROADCAST),
        loopback: has(libc::IFF_LOOPBACK),
        noarp: has(libc::IFF_NOARP),
        master: None,
        addresses: Vec::new(),
    };
    for (kind, value) in attributes(payload.get(16..)?) {
        match kind {
            IFLA_ADDRESS if is_ethernet => link.mac = value.try_into().ok(),
            IFLA_IFNAME => link.name = name(value),
            IFLA_MASTER => link.master = u32_at(value, 0).filter(|master| *master != 0),
            _ => {}
        }
    }
    Some(link)
}

/// A bridge tells of its ports with family `AF_BRIDGE`, when one joins and when one leaves; these are not news
/// of the interface itself.
fn is_of_the_interface(payload: &[u8]) -> Option<bool> {
    Some(i32::from(*payload.first()?) == libc::AF_UNSPEC)
}

/// ```text
/// u8 family | u8 prefix length | u8 flags | u8 scope | u32 ifindex | attributes
/// ```
fn address(payload: &[u8]) -> Option<(u32, LinkAddress)> {
    let [family, length, flags, ..] = *payload.first_chunk::<4>()?;
    let mut flags = u32::from(flags);
    let (mut local, mut other) = (None, None);
    for (kind, value) in attributes(payload.get(8..)?) {
        match kind {
            IFA_LOCAL => local = ip(family, value),
            IFA_ADDRESS => other = ip(family, value),
            IFA_FLAGS => flags = u32_at(value, 0)?,
            _ => {}
        }
    }
    // On a point-to-point link IFA_ADDRESS is the peer's.
    let net = IpNet::new(local.or(other)?, length).ok()?;
    let usable = flags & (libc::IFA_F_TENTATIVE | libc::IFA_F_DADFAILED) == 0
        || flags & libc::IFA_F_OPTIMISTIC != 0;
    let passing = flags & (libc::IFA_F_TEMPORARY | libc::IFA_F_DEPRECATED) != 0;
    let lasting = !passing && net.prefix_len() < net.max_prefix_len();
    let address = LinkAddress {
        net,
        usable,
        lasting,
    };
    Some((u32_at(payload, 4)?, address))
}

/// ```text
/// u16 length | u16 type | value, padded to 4 bytes
/// ```
fn attributes(mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let length = usize::from(u16_at(bytes, 0)?);
        let kind = u16_at(bytes, 2)?;
        let value = bytes.get(4..length)?;
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, value))
    })
}

fn ip(family: u8, value: &[u8]) -> Option<IpAddr> {
    match i32::from(family) {
        libc::AF_INET => <[u8; 4]>::try_from(value).ok().map(IpAddr::from),
        libc::AF_INET6 => <[u8; 16]>::try_from(value).ok().map(IpAddr::from),
        _ => None,
    }
}

fn name(value: &[u8]) -> String {
    let text = value.split(|byte| *byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(text).into_owned()
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes
        .get(at..)?
        .first_chunk()
        .copied()
        .map(u16::from_ne_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes
        .get(at..)?
        .first_chunk()
        .copied()
        .map(u32::from_ne_bytes)
}

/// A request to list everything of a kind (`RTM_GETLINK` or `RTM_GETADDR`).
pub(super) fn dump(kind: u16, sequence: u32) -> Vec<u8> {
    let flags = u16::try_from(libc::NLM_F_REQUEST | libc::NLM_F_DUMP).unwrap_or_default();
    let mut request = Vec::with_capacity(32);
    request.extend_from_slice(&32_u32.to_ne_bytes());
    request.extend_from_slice(&kind.to_ne_bytes());
    request.extend_from_slice(&flags.to_ne_bytes());
    request.extend_from_slice(&sequence.to_ne_bytes());
    // Port 0 is filled in by the kernel; an all-zero body lists every family.
    request.resize(32, 0);
    request
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        let length = (value.len() + 4) as u16;
        let mut bytes = [length.to_ne_bytes(), kind.to_ne_bytes()].concat();
        bytes.extend_from_slice(value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    fn message(kind: u16, body: &[u8]) -> Vec<u8> {
        let mut bytes = ((body.len() + 16) as u32).to_ne_bytes().to_vec();
        bytes.extend_from_slice(&kind.to_ne_bytes());
        bytes.extend_from_slice(&[0; 10]);
        bytes.extend_from_slice(body);
        bytes
    }

    fn new_link() -> Vec<u8> {
        let flags = (libc::IFF_UP | libc::IFF_BROADCAST | libc::IFF_RUNNING) as u32;
        let mut body = vec![0, 0];
        body.extend_from_slice(&libc::ARPHRD_ETHER.to_ne_bytes());
        body.extend_from_slice(&[7_u32.to_ne_bytes(), flags.to_ne_bytes(), [0; 4]].concat());
        body.extend(attribute(IFLA_IFNAME, b"eth0\0"));
        body.extend(attribute(999, b"of a later kernel"));
        body.extend(attribute(IFLA_ADDRESS, &[2, 0, 0, 0, 0, 1]));
        message(libc::RTM_NEWLINK, &body)
    }

    fn new_address(flags: u8) -> Vec<u8> {
        let mut body = vec![libc::AF_INET as u8, 24, flags, 0];
        body.extend_from_slice(&7_u32.to_ne_bytes());
        body.extend(attribute(IFA_ADDRESS, &[192, 0, 2, 9]));
        body.extend(attribute(IFA_LOCAL, &[192, 0, 2, 1]));
        message(libc::RTM_NEWADDR, &body)
    }

    #[test]
    fn a_datagram_of_several_messages() {
        let bytes = [
            new_link(),
            new_address(0),
            message(libc::NLMSG_DONE as u16, &[0; 4]),
        ]
        .concat();
        let got: Vec<_> = parse(&bytes)
            .into_iter()
            .map(|envelope| envelope.message)
            .collect();
        let [
            Message::Link(link),
            Message::Address {
                ifindex: 7,
                address,
            },
            Message::Done,
        ] = &got[..]
        else {
            panic!("{got:?}")
        };
        assert_eq!(
            (link.name.as_str(), link.mac),
            ("eth0", Some([2, 0, 0, 0, 0, 1]))
        );
        assert!(link.up && link.running && link.broadcast && !link.noarp && !link.loopback);
        assert_eq!(
            (address.net.to_string(), address.usable),
            ("192.0.2.1/24".to_owned(), true)
        );
    }

    #[test]
    fn what_may_pass_to_another_node_or_away_is_not_lasting() {
        let lasting = |flags| match &parse(&new_address(flags))[0].message {
            Message::Address { address, .. } => address.lasting,
            other => panic!("{other:?}"),
        };
        assert!(lasting(0));
        assert!(!lasting(libc::IFA_F_SECONDARY as u8));
        assert!(!lasting(libc::IFA_F_DEPRECATED as u8));
    }

    #[test]
    fn a_bridge_that_loses_a_port_says_nothing_of_the_interface() {
        let gone = |family: i32| {
            let mut body = vec![family as u8, 0, 1, 0];
            body.extend_from_slice(&7_u32.to_ne_bytes());
            parse(&message(libc::RTM_DELLINK, &body)).remove(0).message
        };
        assert!(matches!(gone(libc::AF_BRIDGE), Message::Other));
        assert!(matches!(
            gone(libc::AF_UNSPEC),
            Message::LinkGone { ifindex: 7 }
        ));
    }

    #[test]
    fn a_tentative_address_is_not_usable() {
        let got = parse(&new_address(libc::IFA_F_TENTATIVE as u8));
        assert!(matches!(got[0].message, Message::Address { address, .. } if !address.usable));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_skipped(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            parse(&bytes);
        }

        #[test]
        fn damaged_messages_are_read_or_skipped(at in 0_usize..100, value: u8, cut in 0_usize..200) {
            let mut bytes = [new_link(), new_address(0)].concat();
            if let Some(byte) = bytes.get_mut(at) {
                *byte = value;
            }
            bytes.truncate(cut);
            parse(&bytes);
        }
    }
}
