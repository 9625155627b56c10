// SPDX-License-Identifier: Apache-2.0
//! Reads a BGP byte stream the way a peer would, independently of the crate's own codec.

use std::collections::BTreeMap;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

#[derive(Debug, Default)]
pub struct Tap {
    buffer: Vec<u8>,
    pub kinds: Vec<u8>,
    /// Prefix to its next hop and attributes (type to value), MP_REACH_NLRI left out.
    pub routes: BTreeMap<IpNet, Route>,
    pub updates: usize,
    pub notifications: Vec<(u8, u8, Vec<u8>)>,
    pub end_of_rib: Vec<u16>,
    pub marks: Vec<u8>,
    pub longest: usize,
    pub bogus_withdrawals: usize,
    pub open: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    pub next_hop: Vec<u8>,
    pub attributes: BTreeMap<u8, Vec<u8>>,
}

impl Tap {
    pub fn feed(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
        while self.buffer.len() >= 19 {
            let length = usize::from(u16::from_be_bytes([self.buffer[16], self.buffer[17]]));
            if self.buffer.len() < length {
                return;
            }
            let message: Vec<u8> = self.buffer.drain(..length).collect();
            assert_eq!(message[..16], [0xff; 16]);
            self.longest = self.longest.max(length);
            self.message(message[18], &message[19..]);
        }
    }

    fn message(&mut self, kind: u8, body: &[u8]) {
        self.kinds.push(kind);
        match kind {
            1 => self.open = body.to_vec(),
            2 => self.update(body),
            3 => self
                .notifications
                .push((body[0], body[1], body[2..].to_vec())),
            4 => assert!(body.is_empty()),
            5 => self.marks.push(body[2]),
            _ => panic!("message type {kind}"),
        }
    }

    fn update(&mut self, body: &[u8]) {
        let (withdrawn, rest) = counted(body);
        let (attributes, nlri) = counted(rest);
        if withdrawn.is_empty() && nlri.is_empty() && attributes.is_empty() {
            self.end_of_rib.push(1);
            return;
        }
        self.updates += 1;
        self.withdraw(nets(1, withdrawn));
        let mut map = BTreeMap::new();
        let mut rest = attributes;
        while let [flags, kind, tail @ ..] = rest {
            let (value, next) = if flags & 0x10 != 0 {
                counted(tail)
            } else {
                tail[1..].split_at(tail[0].into())
            };
            assert!(map.insert(*kind, value.to_vec()).is_none());
            rest = next;
        }
        self.multiprotocol(&mut map);
        let next_hop = map.get(&3).cloned().unwrap_or_default();
        for net in nets(1, nlri) {
            self.routes.insert(
                net,
                Route {
                    next_hop: next_hop.clone(),
                    attributes: map.clone(),
                },
            );
        }
    }

    fn multiprotocol(&mut self, map: &mut BTreeMap<u8, Vec<u8>>) {
        if let Some(value) = map.remove(&14) {
            let afi = u16::from_be_bytes([value[0], value[1]]);
            let (next_hop, nlri) = value[4..].split_at(value[3].into());
            for net in nets(afi, &nlri[1..]) {
                let next_hop = next_hop.to_vec();
                self.routes.insert(
                    net,
                    Route {
                        next_hop,
                        attributes: map.clone(),
                    },
                );
            }
        }
        if let Some(value) = map.remove(&15) {
            let afi = u16::from_be_bytes([value[0], value[1]]);
            if value.len() == 3 {
                self.end_of_rib.push(afi);
                self.updates -= 1;
            }
            self.withdraw(nets(afi, &value[3..]));
        }
    }

    fn withdraw(&mut self, nets: Vec<IpNet>) {
        for net in nets {
            self.bogus_withdrawals += usize::from(self.routes.remove(&net).is_none());
        }
    }
}

fn counted(bytes: &[u8]) -> (&[u8], &[u8]) {
    bytes[2..].split_at(u16::from_be_bytes([bytes[0], bytes[1]]).into())
}

fn nets(afi: u16, mut bytes: &[u8]) -> Vec<IpNet> {
    let mut found = Vec::new();
    while let [length, rest @ ..] = bytes {
        let (octets, rest) = rest.split_at(usize::from(*length).div_ceil(8));
        let mut full = [0; 16];
        full[..octets.len()].copy_from_slice(octets);
        let v4: [u8; 4] = full[..4].try_into().unwrap();
        found.push(match afi {
            1 => Ipv4Net::new(v4.into(), *length).unwrap().into(),
            _ => Ipv6Net::new(full.into(), *length).unwrap().into(),
        });
        bytes = rest;
    }
    found
}
