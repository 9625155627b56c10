// SPDX-License-Identifier: Apache-2.0
//! The table of interfaces, kept right by applying messages in the order the kernel sent them.

use std::collections::{BTreeMap, BTreeSet};

use super::{Link, LinkAddress, message::Message};

/// What changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkEvent {
    /// An interface appeared, or something about it or its addresses is different.
    Changed(Link),
    /// An interface is gone.
    Gone {
        /// Which one.
        ifindex: u32,
    },
    /// The table is complete: it was read as a whole. Comes again after a loss of events.
    Synced,
}

/// The interfaces by number.
#[derive(Clone, Debug, Default)]
pub struct Links {
    links: BTreeMap<u32, Link>,
    /// During a dump: what it has shown so far.
    shown: Option<Shown>,
}

#[derive(Clone, Debug, Default)]
struct Shown {
    links: BTreeSet<u32>,
    addresses: BTreeSet<(u32, ipnet::IpNet)>,
}

impl Links {
    /// The interface of that number.
    #[must_use]
    pub fn get(&self, ifindex: u32) -> Option<&Link> {
        self.links.get(&ifindex)
    }

    /// The interface of that name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Link> {
        self.iter().find(|link| link.name == name)
    }

    /// All of them, by number.
    pub fn iter(&self) -> impl Iterator<Item = &Link> {
        self.links.values()
    }

    /// A dump begins: what it does not show is gone.
    pub(super) fn begin_dump(&mut self) {
        self.shown = Some(Shown::default());
    }

    /// The dump is complete.
    pub(super) fn end_dump(&mut self) -> Vec<LinkEvent> {
        let Some(shown) = self.shown.take() else {
            return Vec::new();
        };
        let mut events = Vec::new();
        self.links.retain(|ifindex, _| {
            let is_shown = shown.links.contains(ifindex);
            if !is_shown {
                events.push(LinkEvent::Gone { ifindex: *ifindex });
            }
            is_shown
        });
        for (ifindex, link) in &mut self.links {
            let before = link.addresses.len();
            link.addresses
                .retain(|address| shown.addresses.contains(&(*ifindex, address.net)));
            if link.addresses.len() != before {
                events.push(LinkEvent::Changed(link.clone()));
            }
        }
        events.push(LinkEvent::Synced);
        events
    }

    /// Applies one message.
    pub(super) fn apply(&mut self, message: Message) -> Option<LinkEvent> {
        match message {
            Message::Link(link) => self.on_link(link),
            Message::LinkGone { ifindex } => self
                .links
                .remove(&ifindex)
                .map(|_| LinkEvent::Gone { ifindex }),
            Message::Address { ifindex, address } => self.on_address(ifindex, address),
            Message::AddressGone { ifindex, address } => self.on_address_gone(ifindex, address),
            Message::Done | Message::Error(_) | Message::Other => None,
        }
    }

    fn on_link(&mut self, mut link: Link) -> Option<LinkEvent> {
        if let Some(shown) = &mut self.shown {
            shown.links.insert(link.ifindex);
        }
        let before = self.links.get(&link.ifindex);
        if let Some(before) = before {
            link.addresses.clone_from(&before.addresses);
        }
        if before == Some(&link) {
            return None;
        }
        self.links.insert(link.ifindex, link.clone());
        Some(LinkEvent::Changed(link))
    }

    fn on_address(&mut self, ifindex: u32, address: LinkAddress) -> Option<LinkEvent> {
        if let Some(shown) = &mut self.shown {
            shown.addresses.insert((ifindex, address.net));
        }
        let link = self.links.get_mut(&ifindex)?;
        if link.addresses.contains(&address) {
            return None;
        }
        link.addresses.retain(|other| other.net != address.net);
        link.addresses.push(address);
        link.addresses.sort_unstable();
        Some(LinkEvent::Changed(link.clone()))
    }

    fn on_address_gone(&mut self, ifindex: u32, address: LinkAddress) -> Option<LinkEvent> {
        let link = self.links.get_mut(&ifindex)?;
        let before = link.addresses.len();
        link.addresses.retain(|other| other.net != address.net);
        (link.addresses.len() != before).then(|| LinkEvent::Changed(link.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(ifindex: u32) -> Link {
        Link {
            ifindex,
            name: format!("eth{ifindex}"),
            mac: Some([2, 0, 0, 0, 0, 1]),
            up: true,
            running: true,
            broadcast: true,
            loopback: false,
            noarp: false,
            master: None,
            addresses: Vec::new(),
        }
    }

    fn address(net: &str) -> LinkAddress {
        LinkAddress {
            net: net.parse().unwrap(),
            usable: true,
            lasting: true,
        }
    }

    #[test]
    fn a_dump_removes_what_it_does_not_show() {
        let mut links = Links::default();
        let (kept, lost) = (address("192.0.2.1/24"), address("192.0.2.2/24"));
        for message in [
            Message::Link(link(1)),
            Message::Link(link(2)),
            Message::Address {
                ifindex: 1,
                address: kept,
            },
            Message::Address {
                ifindex: 1,
                address: lost,
            },
        ] {
            assert!(links.apply(message).is_some());
        }
        links.begin_dump();
        assert_eq!(links.apply(Message::Link(link(1))), None, "known already");
        assert_eq!(
            links.apply(Message::Address {
                ifindex: 1,
                address: kept
            }),
            None
        );
        let want = Link {
            addresses: vec![kept],
            ..link(1)
        };
        let events = links.end_dump();
        assert_eq!(
            events,
            [
                LinkEvent::Gone { ifindex: 2 },
                LinkEvent::Changed(want),
                LinkEvent::Synced
            ]
        );
    }

    #[test]
    fn an_address_becomes_usable_in_place() {
        let mut links = Links::default();
        links.apply(Message::Link(link(1)));
        let tentative = LinkAddress {
            usable: false,
            ..address("fe80::1/64")
        };
        links.apply(Message::Address {
            ifindex: 1,
            address: tentative,
        });
        assert_eq!(links.get(1).unwrap().ipv6_link_local(), None);
        links.apply(Message::Address {
            ifindex: 1,
            address: address("fe80::1/64"),
        });
        assert_eq!(
            links.get(1).unwrap().ipv6_link_local(),
            "fe80::1".parse().ok()
        );
        assert_eq!(links.get(1).unwrap().addresses.len(), 1);
        links.apply(Message::AddressGone {
            ifindex: 1,
            address: tentative,
        });
        assert_eq!(links.get(1).unwrap().addresses, []);
    }
}
