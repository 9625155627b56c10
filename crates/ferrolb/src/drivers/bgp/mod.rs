// SPDX-License-Identifier: Apache-2.0
//! Joins the BGP speaker to TCP connections and the clock.
//!
//! ```text
//!   role ── Command ──►┐                     ┌─► connection task (1 per peer): connect, read
//!                      │  this task (1x):    │
//!   role ◄── Event ────┤  owns the Speaker ──┤
//!                      │                     └─► writer task (1 per connection): write
//!   links (netlink) ──►┘◄── Happened ────────────┘
//! ```
//!
//! Nothing here waits for a peer: connecting, reading and writing are tasks of their own, and a writer
//! holds one buffer at a time, pulled from the speaker only when the one before is in the kernel.

mod connection;
mod ends;

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    net::SocketAddr,
    time::{Duration, Instant},
};

use bytes::BytesMut;
use ferrolb_bgp::{
    Advertised, ConnId, Event, Fault, Input, Options, Output, PeerConfig, PeerStatus, Speaker, What,
};
use ferrolb_netio::links::{LinkEvent, LinkWatch};
use ferrolb_types::{Family, PeerName, RouteTargets};
use ipnet::IpNet;
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use connection::{Connection, Happened};

/// About how much is pulled from the speaker at a time.
const CHUNK: usize = 64 * 1024;
/// How long the last messages may take at the end.
const FAREWELL: Duration = Duration::from_secs(2);
/// The pause before interfaces that are not followed any more are followed again.
const RELINK: Duration = Duration::from_secs(1);

/// What a role wants.
#[derive(Debug)]
pub enum Command {
    /// Speak with this peer, or speak with it so from now on.
    Peer(Box<PeerConfig>),
    /// Speak with it no more.
    PeerGone(PeerName),
    /// Announce this prefix so, or no more.
    Route(IpNet, Option<RouteTargets>),
    /// The routes given so far are complete.
    Synced,
    /// Tell how things are.
    Status(oneshot::Sender<Status>),
    /// Tell of the sessions alone: that costs nothing per route.
    Sessions(oneshot::Sender<Vec<Session>>),
}

/// Families that are carried, with whom.
pub type Carried = BTreeSet<(PeerName, Family)>;

/// A session and whom it is with.
#[derive(Debug)]
pub struct Session {
    /// The peer's address and port, as configured.
    pub remote: SocketAddr,
    /// How it is.
    pub status: PeerStatus,
}

/// How things are.
#[derive(Debug)]
pub struct Status {
    /// Every peer.
    pub sessions: Vec<Session>,
    /// What each has from us.
    pub routes: BTreeMap<PeerName, Vec<Advertised>>,
}

/// A running speaker.
#[derive(Debug)]
pub struct Driver {
    /// Takes commands; none of them waits for a peer.
    pub commands: mpsc::Sender<Command>,
    /// The families that sessions carry now, with whom.
    pub carried: watch::Receiver<Carried>,
    task: JoinHandle<()>,
}

impl Driver {
    /// Starts a speaker until `stop`; then every session is ended with a Cease. Events go to the log.
    ///
    /// # Errors
    /// The kernel does not tell about its interfaces.
    pub fn start(options: Options, stop: CancellationToken) -> io::Result<Self> {
        let (commands, commands_rx) = mpsc::channel(1024);
        let (happened, happened_rx) = mpsc::channel(256);
        let (tell_carried, carried) = watch::channel(Carried::new());
        let driving = Driving {
            speaker: Speaker::new(options),
            links: LinkWatch::open()?,
            knows_links: false,
            relink_at: None,
            connections: BTreeMap::new(),
            tasks: TaskTracker::new(),
            happened,
            carried: tell_carried,
        };
        let task = tokio::spawn(driving.run(commands_rx, happened_rx, stop));
        Ok(Self {
            commands,
            carried,
            task,
        })
    }

    /// Waits until every session is ended.
    pub async fn finished(self) {
        // A task that ended by a panic has nothing left to wait for.
        let _ = tokio::time::timeout(FAREWELL * 2, self.task).await;
    }
}

struct Driving {
    speaker: Speaker,
    links: LinkWatch,
    /// Whether the interfaces were told as a whole: before that an address may be missing.
    knows_links: bool,
    /// When to follow the interfaces again, after a fault.
    relink_at: Option<Instant>,
    connections: BTreeMap<ConnId, Connection>,
    /// The readers and writers; those of a closed connection still deliver its last message.
    tasks: TaskTracker,
    happened: mpsc::Sender<Happened>,
    carried: watch::Sender<Carried>,
}

impl Driving {
    async fn run(
        mut self,
        mut commands: mpsc::Receiver<Command>,
        mut happened: mpsc::Receiver<Happened>,
        stop: CancellationToken,
    ) {
        let mut farewell: Option<Instant> = None;
        loop {
            self.drain();
            if farewell.is_some_and(|end| Instant::now() >= end || self.all_is_said()) {
                return self.deliver().await;
            }
            let deadlines = [self.speaker.deadline(), farewell, self.relink_at];
            let due = deadlines.into_iter().flatten().min();
            tokio::select! {
                Some(command) = commands.recv() => self.obey(command),
                Some(happened) = happened.recv() => self.take(happened),
                changes = self.links.next(), if self.relink_at.is_none() => self.note_links(changes),
                () = sleep_until(due) => {
                    self.relink(Instant::now());
                    self.speaker.handle(Instant::now(), Input::Timeout);
                }
                () = stop.cancelled(), if farewell.is_none() => {
                    farewell = Some(Instant::now() + FAREWELL);
                    self.speaker.shutdown(Instant::now(), "the speaker is shutting down");
                }
            }
        }
    }

    /// Waits until the last messages have left: the process may end right after.
    async fn deliver(mut self) {
        for (_, connection) in std::mem::take(&mut self.connections) {
            connection.close();
        }
        self.tasks.close();
        // A peer that takes nothing any more goes without.
        let _ = tokio::time::timeout(FAREWELL, self.tasks.wait()).await;
    }

    /// Whether every NOTIFICATION is handed to its writer and every connection closed.
    fn all_is_said(&self) -> bool {
        self.speaker.is_finished() && self.connections.is_empty()
    }

    fn obey(&mut self, command: Command) {
        let now = Instant::now();
        match command {
            Command::Peer(config) => self.speaker.set_peer(now, *config),
            Command::PeerGone(name) => {
                self.speaker.remove_peer(now, &name);
                self.tell_carried();
            }
            Command::Route(prefix, targets) => self.speaker.set_route(now, prefix, targets),
            Command::Synced => self.speaker.set_synced(now),
            // Whoever asked may have gone.
            Command::Status(tell) => drop(tell.send(self.status(now))),
            Command::Sessions(tell) => drop(tell.send(self.sessions(now))),
        }
    }

    fn take(&mut self, happened: Happened) {
        let now = Instant::now();
        match happened {
            Happened::Connected(conn, stream) => match ends::ends(&stream, self.links.links()) {
                Ok(ends) => {
                    if let Some(connection) = self.connections.get_mut(&conn) {
                        connection.established(conn, (stream, ends), &self.happened, &self.tasks);
                        self.speaker.handle(now, Input::Connected { conn, ends });
                    }
                }
                Err(error) => self.connect_failed(now, conn, Fault::from(&error)),
            },
            Happened::ConnectFailed(conn, fault) => self.connect_failed(now, conn, fault),
            Happened::Received(conn, bytes) if self.connections.contains_key(&conn) => {
                self.speaker.handle(
                    now,
                    Input::Received {
                        conn,
                        bytes: &bytes,
                    },
                );
            }
            Happened::Closed(conn, fault) => self.closed(now, conn, fault),
            Happened::Written(conn) => self.written(now, conn),
            // Said of a connection that was closed in the meantime.
            Happened::Received(..) => {}
        }
    }

    fn connect_failed(&mut self, now: Instant, conn: ConnId, fault: Fault) {
        if self.connections.remove(&conn).is_some() {
            self.speaker
                .handle(now, Input::ConnectFailed { conn, fault });
        }
    }

    fn closed(&mut self, now: Instant, conn: ConnId, fault: Option<Fault>) {
        if let Some(connection) = self.connections.remove(&conn) {
            connection.close();
            self.speaker.handle(now, Input::Closed { conn, fault });
        }
    }

    fn drain(&mut self) {
        while let Some(output) = self.speaker.poll() {
            match output {
                Output::Connect { conn, how } => {
                    let connection = Connection::open(conn, how, self.happened.clone());
                    self.connections.insert(conn, connection);
                }
                Output::Close { conn } => {
                    if let Some(connection) = self.connections.remove(&conn) {
                        connection.close();
                    }
                }
                Output::WantWrite { conn } => {
                    if let Some(connection) = self.connections.get_mut(&conn) {
                        connection.wants_write = true;
                    }
                    self.pump(Instant::now(), conn);
                }
                Output::SetTtl { conn, ttl } => {
                    if let Some(connection) = self.connections.get(&conn) {
                        connection.set_ttl(ttl);
                    }
                }
                Output::Event(event) => self.tell(event),
            }
        }
    }

    fn written(&mut self, now: Instant, conn: ConnId) {
        if let Some(connection) = self.connections.get_mut(&conn) {
            connection.busy = false;
            self.pump(now, conn);
        }
    }

    /// Gives the writer its next buffer, if it is free and there is something to write.
    fn pump(&mut self, now: Instant, conn: ConnId) {
        let Some(connection) = self.connections.get_mut(&conn) else {
            return;
        };
        if connection.busy || !connection.wants_write {
            return;
        }
        let mut buffer = BytesMut::with_capacity(4096);
        connection.wants_write = self.speaker.transmit(now, conn, &mut buffer, CHUNK);
        connection.write(buffer);
    }

    fn sessions(&self, now: Instant) -> Vec<Session> {
        // Both go by the names of the peers.
        let configs = self.speaker.peers();
        let sessions = configs.zip(self.speaker.status(now));
        let session = |(config, status): (&PeerConfig, PeerStatus)| Session {
            remote: SocketAddr::new(config.remote, config.port),
            status,
        };
        sessions.map(session).collect()
    }

    fn status(&self, now: Instant) -> Status {
        let names: Vec<PeerName> = self.speaker.peers().map(|peer| peer.name.clone()).collect();
        let routes = names.into_iter().map(|name| {
            let routes = self.speaker.advertised(&name);
            (name, routes)
        });
        Status {
            sessions: self.sessions(now),
            routes: routes.collect(),
        }
    }

    fn tell(&self, event: Event) {
        let Event { peer, what } = event;
        tracing::info!(%peer, ?what, "BGP");
        if matches!(what, What::Established | What::Lost(_)) {
            self.tell_carried();
        }
    }

    fn tell_carried(&self) {
        let now: Carried = self.speaker.carried().collect();
        self.carried.send_if_modified(|before| {
            let is_changed = *before != now;
            *before = now;
            is_changed
        });
    }

    fn note_links(&mut self, changes: io::Result<Vec<LinkEvent>>) {
        match changes {
            Ok(events) => {
                self.knows_links |= events.contains(&LinkEvent::Synced);
                if self.knows_links {
                    self.tell_next_hops(Instant::now());
                }
            }
            Err(error) => {
                tracing::warn!(%error, "interfaces are not told any more; trying again");
                self.relink_at = Some(Instant::now() + RELINK);
            }
        }
    }

    /// Tells the speaker of each session whose interface has other addresses now.
    fn tell_next_hops(&mut self, now: Instant) {
        let mut told = Vec::new();
        for (conn, connection) in &mut self.connections {
            let Some(ends) = connection.ends() else {
                continue;
            };
            if let Some(next_hops) = ends::next_hops_if_changed(ends, self.links.links()) {
                ends.next_hops = next_hops;
                told.push((*conn, next_hops));
            }
        }
        for (conn, next_hops) in told {
            self.speaker
                .handle(now, Input::NextHops { conn, next_hops });
            self.drain();
        }
        self.tell_carried();
    }

    /// Follows the interfaces again, if that is due. Until it works, next hops may be out of date.
    fn relink(&mut self, now: Instant) {
        if self.relink_at.is_none_or(|at| now < at) {
            return;
        }
        self.relink_at = None;
        match LinkWatch::open() {
            Ok(links) => {
                self.links = links;
                self.knows_links = false;
            }
            Err(error) => self.note_links(Err(error)),
        }
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}
