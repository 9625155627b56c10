// SPDX-License-Identifier: Apache-2.0
//! The task: waits for commands, links, frames and the clock, feeds the responder, does what it says.

mod following;

use std::{
    collections::BTreeMap,
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use ferrolb_l2::{Input, Output, Responder};
use ferrolb_netio::{
    links::{LinkEvent, LinkWatch, Links},
    packet::Protocol,
};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::{
    Command, Event, InterfaceStatus, Settings, Status,
    claims::Claims,
    ports::{Port, Ports},
    qualify::Exclude,
    said::Said,
    status,
};

/// The pause before what the kernel refused is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// Frames of ARP and neighbour discovery are far shorter than any link's largest frame.
const LONGEST_FRAME: usize = 2048;

/// What the task makes known.
pub(super) struct Published {
    pub(super) interfaces: watch::Sender<Vec<InterfaceStatus>>,
    pub(super) links: watch::Sender<Arc<Links>>,
    pub(super) events: mpsc::Sender<Event>,
}

pub(super) struct Task {
    exclude: Exclude,
    responder: Responder,
    watch: Option<LinkWatch>,
    /// Of the watch, of which there is one.
    said_of_watch: Said<()>,
    /// Whether all interfaces are known, and not just those the kernel told of so far.
    is_complete: bool,
    /// Whether they were told to anybody: that there are none is told as well.
    has_told: bool,
    ports: Ports,
    interfaces: BTreeMap<u32, InterfaceStatus>,
    commands: mpsc::Receiver<Command>,
    published: Published,
    claims: Claims,
    retry_at: Option<Instant>,
    unsent: u64,
}

/// What woke the task.
enum Wake {
    Stop,
    Command(Command),
    Links(io::Result<Vec<LinkEvent>>),
    Frame(Port, io::Result<usize>),
    Deadline,
}

impl Task {
    pub(super) fn new(
        settings: &Settings,
        watch: LinkWatch,
        commands: mpsc::Receiver<Command>,
        published: Published,
    ) -> Self {
        Self {
            exclude: settings.exclude.clone(),
            responder: Responder::new(&settings.responder),
            watch: Some(watch),
            said_of_watch: Said::default(),
            is_complete: false,
            has_told: false,
            ports: Ports::default(),
            interfaces: BTreeMap::new(),
            commands,
            published,
            claims: Claims::default(),
            retry_at: None,
            unsent: 0,
        }
    }

    pub(super) async fn run(mut self, stop: CancellationToken) {
        let mut buf = [0; LONGEST_FRAME];
        loop {
            match self.wait(&stop, &mut buf).await {
                Wake::Stop => return,
                Wake::Command(command) => self.on_command(command),
                Wake::Links(result) => self.on_links(result),
                Wake::Frame(port, result) => self.on_frame(port, result, &buf),
                Wake::Deadline => self.on_deadline(),
            }
        }
    }

    async fn wait(&mut self, stop: &CancellationToken, buf: &mut [u8]) -> Wake {
        let deadlines = [
            self.responder.deadline(),
            self.claims.deadline(),
            self.retry_at,
        ];
        let deadline = deadlines.into_iter().flatten().min();
        tokio::select! {
            () = stop.cancelled() => Wake::Stop,
            // All handles are gone: nobody can want anything any more.
            command = self.commands.recv() => command.map_or(Wake::Stop, Wake::Command),
            result = next_links(&mut self.watch) => Wake::Links(result),
            (port, result) = self.ports.receive(buf) => Wake::Frame(port, result),
            () = sleep_until(deadline) => Wake::Deadline,
        }
    }

    fn on_command(&mut self, command: Command) {
        match command {
            Command::Announce(address, scope) => self.feed(Input::Announce { address, scope }),
            Command::Withdraw(address) => {
                self.claims.drop_of(address);
                self.feed(Input::Withdraw { address });
            }
            Command::Status(reply) => {
                let status = Status {
                    interfaces: self.interfaces.values().cloned().collect(),
                    addresses: status::addresses(&self.responder),
                    malformed: self.responder.malformed(),
                    unsent: self.unsent,
                };
                // Who asked may have left meanwhile.
                let _ = reply.send(status);
            }
        }
    }

    fn on_frame(&mut self, (ifindex, protocol): Port, result: io::Result<usize>, buf: &[u8]) {
        match result {
            Ok(length) => {
                let bytes = buf.get(..length).unwrap_or_default();
                self.feed(Input::Frame { ifindex, bytes });
            }
            Err(error) => {
                // An interface that goes down says so here and over netlink. The socket is opened
                // again with the next news of the interface, or later: not in a tight loop.
                tracing::debug!(ifindex, ?protocol, %error, "socket closed");
                self.retry_later();
            }
        }
    }

    fn on_deadline(&mut self) {
        let now = Instant::now();
        if self.retry_at.is_some_and(|at| at <= now) {
            self.retry_at = None;
            self.retry();
        }
        while let Some(conflict) = self.claims.due(now) {
            self.report(conflict);
        }
        self.feed(Input::Timeout);
    }

    fn retry(&mut self) {
        if self.watch.is_none() {
            self.reopen_watch();
        }
        self.ports.retry_groups();
        for ifindex in self.ports.faulty() {
            self.refresh(ifindex);
        }
        if self.watch.is_none() || self.ports.is_incomplete() {
            self.retry_later();
        }
        self.publish();
    }

    fn retry_later(&mut self) {
        self.retry_at.get_or_insert_with(|| Instant::now() + RETRY);
    }

    fn feed(&mut self, input: Input<'_>) {
        self.responder.handle(Instant::now(), input);
        while let Some(output) = self.responder.poll() {
            match output {
                Output::SendArp { ifindex, frame } => {
                    self.send((ifindex, Protocol::Arp), frame.as_bytes());
                }
                Output::SendNdp { ifindex, frame } => {
                    self.send((ifindex, Protocol::Ndp), frame.as_bytes());
                }
                Output::JoinGroup { ifindex, group } => self.ports.join(ifindex, group),
                Output::LeaveGroup { ifindex, group } => self.ports.leave(ifindex, group),
                Output::Event(event) => self.hold(event),
            }
        }
        if self.ports.is_incomplete() {
            self.retry_later();
        }
    }

    fn send(&mut self, port: Port, frame: &[u8]) {
        if !self.ports.send(port, frame) {
            self.unsent = self.unsent.saturating_add(1);
        }
    }

    fn hold(&mut self, event: ferrolb_l2::Event) {
        let ferrolb_l2::Event::Conflict {
            address,
            ifindex,
            mac,
            claims,
        } = event;
        let known = self.interfaces.get(&ifindex);
        let event = Event::Conflict {
            address,
            interface: known.map_or("".into(), |known| known.name.clone()),
            mac,
            claims,
        };
        self.claims.hold(Instant::now(), ifindex, event);
    }

    fn report(&self, event: Event) {
        let Event::Conflict {
            address,
            interface,
            mac,
            claims,
        } = &event;
        tracing::warn!(%address, %interface, %mac, claims, "another station claims this address");
        if self.published.events.try_send(event).is_err() {
            tracing::debug!("an event was dropped: nobody takes them");
        }
    }
}

/// The next changes; never, where nothing is followed.
async fn next_links(watch: &mut Option<LinkWatch>) -> io::Result<Vec<LinkEvent>> {
    match watch {
        Some(watch) => watch.next().await,
        None => std::future::pending().await,
    }
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}
