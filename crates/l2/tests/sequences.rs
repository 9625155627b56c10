// SPDX-License-Identifier: Apache-2.0
//! Any order of interfaces, addresses, requests and time: the responder against a plain model of what
//! it must do.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv6Addr},
    time::{Duration, Instant},
};

use ferrolb_l2::{
    Config, Input, Interface, MacAddress, Output, Responder, Scope,
    wire::{
        arp, ethernet,
        ipv6::{self, solicited_node},
        ndp,
    },
};
use proptest::prelude::*;

const CLIENT: MacAddress = MacAddress([2, 0xc, 0, 0, 0, 1]);

#[derive(Clone, Debug)]
enum Step {
    Interface {
        ifindex: u32,
        mac: u8,
        arp: bool,
        ndp: bool,
    },
    Gone(u32),
    Announce {
        address: usize,
        names: Option<BTreeSet<u32>>,
    },
    Withdraw(usize),
    Ask {
        ifindex: u32,
        address: usize,
    },
    Wait(u16),
}

/// Two of the IPv6 addresses share a solicited-node group.
fn addresses() -> Vec<IpAddr> {
    [
        "192.0.2.1",
        "192.0.2.2",
        "2001:db8::1",
        "2001:db8:1::1",
        "2001:db8::2",
    ]
    .map(|text| text.parse().unwrap())
    .into()
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (ifindex, address) = (1_u32..4, 0..addresses().len());
    let names = proptest::option::of(proptest::collection::btree_set(1_u32..4, 0..3));
    let step = prop_oneof![
        3 => (ifindex.clone(), 0..2_u8, any::<bool>(), any::<bool>())
            .prop_map(|(ifindex, mac, arp, ndp)| Step::Interface { ifindex, mac, arp, ndp }),
        1 => ifindex.clone().prop_map(Step::Gone),
        3 => (address.clone(), names).prop_map(|(address, names)| Step::Announce { address, names }),
        2 => address.clone().prop_map(Step::Withdraw),
        5 => (ifindex, address).prop_map(|(ifindex, address)| Step::Ask { ifindex, address }),
        2 => (0..20_000_u16).prop_map(Step::Wait),
    ];
    proptest::collection::vec(step, 1..60)
}

/// What must be, kept in the plainest way.
struct Model {
    responder: Responder,
    now: Instant,
    interfaces: BTreeMap<u32, Interface>,
    owned: BTreeMap<IpAddr, Scope>,
    joined: BTreeSet<(u32, Ipv6Addr)>,
}

impl Model {
    fn new() -> Self {
        // A small ration brings the pace into play.
        let config = Config {
            frames_per_tick: 4,
            ..Config::default()
        };
        Self {
            responder: Responder::new(&config),
            now: Instant::now(),
            interfaces: BTreeMap::new(),
            owned: BTreeMap::new(),
            joined: BTreeSet::new(),
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Interface {
                ifindex,
                mac,
                arp,
                ndp,
            } => self.interface(ifindex, mac, arp, ndp),
            Step::Gone(ifindex) => {
                self.interfaces.remove(&ifindex);
                self.feed(Input::InterfaceGone { ifindex });
            }
            Step::Announce { address, names } => self.announce(addresses()[address], names),
            Step::Withdraw(address) => {
                let address = addresses()[address];
                self.owned.remove(&address);
                self.feed(Input::Withdraw { address });
            }
            Step::Ask { ifindex, address } => self.ask(ifindex, addresses()[address]),
            Step::Wait(millis) => self.wait(Duration::from_millis(millis.into())),
        }
    }

    fn interface(&mut self, ifindex: u32, mac: u8, arp: bool, ndp: bool) {
        let mac = MacAddress([2, 0, 0, 0, ifindex as u8, mac]);
        let ndp = ndp.then(|| Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, ifindex as u16));
        let name = format!("eth{ifindex}").into();
        let interface = Interface {
            ifindex,
            name,
            mac,
            arp,
            ndp,
        };
        self.interfaces.insert(ifindex, interface.clone());
        self.feed(Input::Interface(interface));
    }

    fn announce(&mut self, address: IpAddr, names: Option<BTreeSet<u32>>) {
        let scope = names.map_or(Scope::All, |names| {
            Scope::Named(names.iter().map(|n| format!("eth{n}").into()).collect())
        });
        self.owned.insert(address, scope.clone());
        self.feed(Input::Announce { address, scope });
    }

    fn wait(&mut self, span: Duration) {
        let until = self.now + span;
        while let Some(at) = self.responder.deadline().filter(|at| *at <= until) {
            assert!(at > self.now, "a deadline in the past after a drain");
            self.now = at;
            self.feed(Input::Timeout);
        }
        self.now = until;
    }

    fn is_announced(&self, ifindex: u32, address: IpAddr) -> bool {
        let pair = self.interfaces.get(&ifindex).zip(self.owned.get(&address));
        pair.is_some_and(|(interface, scope)| {
            scope.includes(&interface.name) && interface.speaks_for(address)
        })
    }

    fn ask(&mut self, ifindex: u32, address: IpAddr) {
        let frame = match address {
            IpAddr::V4(target) => arp::Packet {
                operation: arp::Operation::Request,
                sender_mac: CLIENT,
                sender: [192, 0, 2, 200].into(),
                target_mac: MacAddress::ZERO,
                target,
            }
            .emit(MacAddress::BROADCAST),
            IpAddr::V6(target) => {
                let destination = solicited_node(target);
                let source = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0xc);
                let message = ndp::Message::Solicitation {
                    target,
                    source_link: Some(CLIENT),
                };
                let header = ipv6::Header {
                    source,
                    destination,
                };
                ndp::Packet { header, message }.emit(CLIENT, MacAddress::of_group(destination))
            }
        };
        let want = usize::from(self.is_announced(ifindex, address));
        let answers = self.feed(Input::Frame {
            ifindex,
            bytes: frame.as_bytes(),
        });
        assert_eq!(answers, want, "{address} asked on {ifindex}");
    }

    /// Feeds one input and checks everything that must hold afterwards. Gives the frames to the client.
    fn feed(&mut self, input: Input<'_>) -> usize {
        self.responder.handle(self.now, input);
        let mut answers = 0;
        while let Some(output) = self.responder.poll() {
            answers += self.check_output(output);
        }
        let needed: BTreeSet<_> = self.needed_groups();
        assert_eq!(self.joined, needed, "groups joined against groups needed");
        if let Some(at) = self.responder.deadline() {
            assert!(at > self.now, "due work was left undone");
        }
        answers
    }

    fn check_output(&mut self, output: Output) -> usize {
        match output {
            Output::JoinGroup { ifindex, group } => {
                assert!(self.joined.insert((ifindex, group)), "joined twice");
                0
            }
            Output::LeaveGroup { ifindex, group } => {
                assert!(
                    self.joined.remove(&(ifindex, group)),
                    "left, but not joined"
                );
                0
            }
            Output::SendArp { ifindex, frame } => {
                let (header, body) = ethernet::Header::parse(frame.as_bytes()).unwrap();
                let packet = arp::Packet::parse(body).unwrap();
                self.check_claim(ifindex, packet.sender.into(), packet.sender_mac);
                usize::from(header.destination == CLIENT)
            }
            Output::SendNdp { ifindex, frame } => {
                let (header, body) = ethernet::Header::parse(frame.as_bytes()).unwrap();
                let packet = ndp::Packet::parse(body).unwrap().unwrap();
                let ndp::Message::Advertisement {
                    target,
                    target_link,
                    ..
                } = packet.message
                else {
                    panic!("the responder asked something: {packet:?}");
                };
                self.check_claim(ifindex, target.into(), target_link.unwrap());
                usize::from(header.destination == CLIENT)
            }
            Output::Event(event) => panic!("nobody else claims anything: {event:?}"),
        }
    }

    fn check_claim(&self, ifindex: u32, address: IpAddr, mac: MacAddress) {
        assert!(
            self.is_announced(ifindex, address),
            "{address} claimed on {ifindex}"
        );
        assert_eq!(
            mac, self.interfaces[&ifindex].mac,
            "claimed for another hardware address"
        );
    }

    fn needed_groups(&self) -> BTreeSet<(u32, Ipv6Addr)> {
        let mut groups = BTreeSet::new();
        for ifindex in self.interfaces.keys() {
            for address in self
                .owned
                .keys()
                .filter(|a| self.is_announced(*ifindex, **a))
            {
                if let IpAddr::V6(v6) = address {
                    groups.insert((*ifindex, solicited_node(*v6)));
                }
            }
        }
        groups
    }
}

proptest! {
    #[test]
    fn any_history_answers_exactly_what_is_owned(steps in steps()) {
        let mut model = Model::new();
        for step in steps {
            model.step(step);
        }
        model.wait(Duration::from_secs(200));
    }
}
