// SPDX-License-Identifier: Apache-2.0
//! Joins the layer 2 responder to the interfaces of the host.
//!
//! One task owns everything: the table of links (netlink), a packet socket per protocol and qualifying
//! interface, the group memberships and the responder. Others send it commands and read
//! what it publishes:
//!
//! ```text
//! announce, withdraw, status ──► task ──► interfaces, links (latest value), events (conflicts)
//!                                 ▲ │
//!        netlink, frames, clock ──┘ └──► frames, memberships
//! ```
//!
//! It decides nothing: which addresses are owned is said by the commands, which interfaces qualify by
//! `qualify`, what is answered by the responder.

mod claims;
mod ports;
mod qualify;
mod said;
mod status;
mod task;

use std::{io, net::IpAddr, sync::Arc, time::Duration};

use ferrolb_l2::{Config, MacAddress, Scope};
use ferrolb_netio::links::{LinkWatch, Links};
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

pub use qualify::{Exclude, ExcludeError, Unsuitable};
pub use status::{AddressStatus, InterfaceStatus, Status};

/// Commands that may wait; a sender beyond that waits itself.
const COMMANDS: usize = 1024;
/// Events that may wait; later ones are dropped, and counted in the log.
const EVENTS: usize = 256;

/// What does not change while it runs.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Interfaces to leave alone, by name.
    pub exclude: Exclude,
    /// The timings of the responder.
    pub responder: Config,
}

/// Something to tell the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Another station says that an address announced here is its own, and did not win it.
    Conflict {
        /// The address both claim.
        address: IpAddr,
        /// Where the claim was seen.
        interface: Arc<str>,
        /// Who claims it.
        mac: MacAddress,
        /// How many claims were seen since the last report.
        claims: u64,
    },
}

#[derive(Debug)]
enum Command {
    Announce(IpAddr, Scope),
    Withdraw(IpAddr),
    Status(oneshot::Sender<Status>),
}

/// Speaks to the running task. Clones speak to the same one.
#[derive(Clone, Debug)]
pub struct Handle(mpsc::Sender<Command>);

impl Handle {
    /// From now on this node owns the address on the interfaces of the scope.
    pub async fn announce(&self, address: IpAddr, scope: Scope) {
        self.send(Command::Announce(address, scope)).await;
    }

    /// This node no longer owns the address.
    pub async fn withdraw(&self, address: IpAddr) {
        self.send(Command::Withdraw(address)).await;
    }

    /// What is owned and answered at present; `None` once the task has ended.
    pub async fn status(&self) -> Option<Status> {
        let (reply, status) = oneshot::channel();
        self.send(Command::Status(reply)).await;
        status.await.ok()
    }

    async fn send(&self, command: Command) {
        // The task ends only at shutdown; then there is nobody left to tell.
        let _ = self.0.send(command).await;
    }
}

/// A running responder.
#[derive(Debug)]
pub struct Layer2 {
    /// Takes commands.
    pub handle: Handle,
    /// The interfaces that are not excluded, and whether they are answered on. It changes for the first time
    /// once all are known, even where there are none.
    pub interfaces: watch::Receiver<Vec<InterfaceStatus>>,
    /// Every interface of the host with its addresses.
    pub links: watch::Receiver<Arc<Links>>,
    /// Conflicts.
    pub events: mpsc::Receiver<Event>,
    task: JoinHandle<()>,
}

impl Layer2 {
    /// Starts answering, in the network namespace of the calling thread, until `stop`.
    ///
    /// # Errors
    /// The netlink socket cannot be opened. Packet sockets that cannot be opened are no error: they
    /// show in the status of their interface and are tried again.
    pub fn start(settings: &Settings, stop: CancellationToken) -> io::Result<Self> {
        let (commands, commands_rx) = mpsc::channel(COMMANDS);
        let (interfaces_tx, interfaces) = watch::channel(Vec::new());
        let (links_tx, links) = watch::channel(Arc::default());
        let (events_tx, events) = mpsc::channel(EVENTS);
        let published = task::Published {
            interfaces: interfaces_tx,
            links: links_tx,
            events: events_tx,
        };
        let task = task::Task::new(settings, LinkWatch::open()?, commands_rx, published);
        let task = tokio::spawn(task.run(stop));
        Ok(Self {
            handle: Handle(commands),
            interfaces,
            links,
            events,
            task,
        })
    }

    /// Waits until the task has ended, a second at most.
    pub async fn finished(self) {
        // A task that ended by a panic has nothing left to wait for.
        let _ = tokio::time::timeout(Duration::from_secs(1), self.task).await;
    }
}
