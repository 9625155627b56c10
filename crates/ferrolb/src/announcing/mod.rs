// SPDX-License-Identifier: Apache-2.0
//! The half of a process that announces: the world, and the drivers that carry out its changes.
//!
//! Where objects come from is not its business: a role of a folder and one of a cluster feed it alike.

mod conflicts;
mod facts;
mod members;
mod peer;
pub(crate) mod report;
mod settings;

use std::{collections::BTreeSet, sync::Arc, time::Instant};

use ferrolb_api::view::ServiceView;
use ferrolb_bgp::{Options as BgpOptions, router_id_of_node};
use ferrolb_config::Config;
use ferrolb_l2::Scope;
use ferrolb_types::{NodeName, ServiceKey};
use ferrolb_world::{Announced, Change, Interfaces, Kind, Options, World};
use tokio_util::sync::CancellationToken;

use crate::{
    drivers::{bgp, heartbeat, layer2},
    intake::Update,
};
use conflicts::Conflicts;

pub(crate) use settings::Settings;

/// What a driver has to tell.
pub(crate) enum Heard {
    /// Nodes came or went, or told of themselves.
    Members(heartbeat::Changes),
    /// The interfaces of this node changed.
    Interfaces,
    /// Something happened in layer 2.
    Layer2(layer2::Event),
    /// A BGP session came up or went down.
    Sessions,
}

/// A Service of which this node announces something else than it did.
pub(crate) struct Turned {
    pub(crate) key: ServiceKey,
    pub(crate) before: Announced,
    pub(crate) now: Announced,
}

/// The world and its drivers.
pub(crate) struct Announcing {
    /// Everything known.
    pub(crate) world: World,
    pub(crate) node: NodeName,
    pub(crate) layer2: layer2::Layer2,
    pub(crate) bgp: bgp::Driver,
    pub(crate) heartbeat: heartbeat::Driver,
    conflicts: Conflicts,
    /// Namespace of the `metallb.io` objects, for diagnostics.
    pub(crate) namespace: String,
    told_bgp: bool,
    /// Whether nodes came, changed or went since the heartbeat was told of them.
    nodes_changed: bool,
    /// Whether it was told of them at all.
    told_nodes: bool,
    /// The nodes that were last said to be alive.
    living: BTreeSet<NodeName>,
    /// Whether it is known who is alive, without which layer 2 decides nothing.
    knows_alive: bool,
    /// Whether all else is known that layer 2 decides on.
    has_all: bool,
    /// Whether it is known where this node can announce.
    knows_interfaces: bool,
    /// What is configured, as far as this node could use it.
    config: Arc<Config>,
    /// Whether the others are told less of this node than there is.
    is_cut: bool,
}

impl Announcing {
    /// Opens the sockets and starts the drivers.
    pub(crate) fn start(settings: &Settings, stop: &CancellationToken) -> anyhow::Result<Self> {
        let node = &settings.node;
        let layer2 = layer2::Settings {
            exclude: settings.exclude()?,
            ..layer2::Settings::default()
        };
        let layer2 = layer2::Layer2::start(&layer2, stop.clone())
            .map_err(|error| settings::no_netlink("layer 2", &error))?;
        let options = BgpOptions {
            fallback_router_id: router_id_of_node(node.as_str()),
            seed: seed(node),
        };
        let bgp = bgp::Driver::start(options, stop.clone())
            .map_err(|error| settings::no_netlink("BGP", &error))?;
        let heartbeat = heartbeat::Driver::start(settings.heartbeat(), stop.clone())
            .map_err(|error| settings.no_heartbeat(&error))?;
        let world = World::new(Options {
            node: Some(node.clone()),
            lb_class: settings.lb_class.clone(),
            ignore_exclude_lb: settings.ignore_exclude_lb,
        });
        Ok(Self {
            world,
            node: node.clone(),
            layer2,
            bgp,
            heartbeat,
            conflicts: Conflicts::default(),
            namespace: settings.namespace.clone(),
            told_bgp: false,
            nodes_changed: true,
            told_nodes: false,
            living: BTreeSet::new(),
            knows_alive: false,
            has_all: false,
            knows_interfaces: false,
            config: Arc::default(),
            is_cut: false,
        })
    }

    /// A Service with the addresses it holds.
    pub(crate) fn apply_service(&mut self, view: &ServiceView) {
        self.world.apply_service(view);
    }

    /// Anything but a Service.
    pub(crate) fn apply(&mut self, update: &Update) {
        match update {
            Update::ServiceGone(key) => self.world.delete_service(key),
            Update::Slice(view) => self.world.apply_endpoint_slice(view),
            Update::SliceGone(key) => self.world.delete_endpoint_slice(key),
            Update::Node(view) => {
                self.nodes_changed = true;
                self.world.apply_node(view.clone());
            }
            Update::NodeGone(name) => {
                self.nodes_changed = true;
                self.world.delete_node(name);
            }
            Update::Config(config) => self.set_config(config),
            Update::Service(_) | Update::Namespace(_) | Update::NamespaceGone(_) => {}
        }
    }

    /// Waits until a driver has something to tell.
    pub(crate) async fn hear(&mut self) -> Heard {
        let (heartbeat, layer2, bgp) = (&mut self.heartbeat, &mut self.layer2, &mut self.bgp);
        tokio::select! {
            Ok(()) = heartbeat.members.changed() => Heard::Members(heartbeat.take()),
            Ok(()) = layer2.interfaces.changed() => Heard::Interfaces,
            Some(event) = layer2.events.recv() => Heard::Layer2(event),
            Ok(()) = bgp.carried.changed() => Heard::Sessions,
            // Every driver has ended: so will this process.
            else => std::future::pending().await,
        }
    }

    /// Everything is in, the living nodes included: decide from now on.
    pub(crate) fn begin(&mut self) {
        for kind in [Kind::Services, Kind::EndpointSlices, Kind::Nodes] {
            self.world.synced(kind);
        }
    }

    /// Another station claims an address announced here.
    pub(crate) fn note(&mut self, event: layer2::Event) {
        let layer2::Event::Conflict {
            address,
            interface,
            mac,
            ..
        } = event;
        let by = format!("{mac} on {interface}");
        self.conflicts.note(Instant::now(), address, by);
    }

    /// Carries out what changed in the world; gives the Services of which this node now announces
    /// something else.
    pub(crate) async fn settle(&mut self) -> Vec<Turned> {
        let mut services = Vec::new();
        while let Some(change) = self.world.poll() {
            services.extend(self.carry_out(change).await);
        }
        if self.world.is_synced() && !self.told_bgp {
            self.told_bgp = true;
            self.tell_bgp(bgp::Command::Synced).await;
        }
        self.stand_by();
        services
    }

    /// Waits until the drivers have said goodbye.
    pub(crate) async fn finished(self) {
        tokio::join!(
            self.layer2.finished(),
            self.bgp.finished(),
            self.heartbeat.finished()
        );
    }

    async fn carry_out(&mut self, change: Change) -> Option<Turned> {
        match change {
            Change::Layer2 {
                address,
                announce: Some(interfaces),
            } => {
                self.layer2
                    .handle
                    .announce(address, scope(&interfaces))
                    .await;
            }
            Change::Layer2 {
                address,
                announce: None,
            } => {
                self.conflicts.forget(address);
                self.layer2.handle.withdraw(address).await;
            }
            Change::Route { prefix, targets } => {
                self.tell_bgp(bgp::Command::Route(prefix, targets)).await;
            }
            Change::PeerDown(name) => self.tell_bgp(bgp::Command::PeerGone(name)).await,
            Change::PeerUp(peer) => match peer::config(&peer) {
                Some(config) => self.tell_bgp(bgp::Command::Peer(Box::new(config))).await,
                None => {
                    tracing::error!(peer = %peer.name, "the peer asks for what is not supported yet");
                }
            },
            Change::Service {
                key,
                before,
                announced,
            } => {
                let layer2 = announced.layer2.is_some();
                let bgp = announced.bgp.is_some();
                let what = if layer2 || bgp {
                    "announced"
                } else {
                    "withdrawn"
                };
                tracing::info!(service = %key, layer2, bgp, "{what} from this node");
                return Some(Turned {
                    key,
                    before,
                    now: announced,
                });
            }
        }
        None
    }

    async fn tell_bgp(&self, command: bgp::Command) {
        // The task ends only at shutdown; then there is nobody left to tell.
        let _ = self.bgp.commands.send(command).await;
    }
}

fn scope(interfaces: &Interfaces) -> Scope {
    match interfaces {
        Interfaces::All => Scope::All,
        Interfaces::Named(names) => {
            Scope::Named(names.iter().map(|name| Arc::from(name.as_str())).collect())
        }
    }
}

/// A number that differs between nodes and between starts, so that retries do not beat together.
fn seed(node: &NodeName) -> u64 {
    use std::hash::{BuildHasher as _, RandomState};
    RandomState::new().hash_one(node)
}
