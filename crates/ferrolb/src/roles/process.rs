// SPDX-License-Identifier: Apache-2.0
//! The process task: one loop that takes in what changed and settles it.
//!
//! Start: take the lock, read who holds what, read the last good texts, read the files as they are, and
//! only then decide. A process that announces waits besides until it knows who is alive.

use std::{
    collections::BTreeSet,
    fs,
    future::pending,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::anyhow;
use ferrolb_telemetry::metrics::Beats;
use ferrolb_types::{Diagnostic, NodeName, ObjectRef, codes};
use serde_json::Value;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

use super::{
    Role,
    assigning::Assigning,
    inputs::{self, Scan},
    node_name, report,
    roster::Roster,
};
use crate::{
    announcing::{Announcing, Heard, Settings},
    args::SpeakerArgs,
    folder::{Content, FileChange, Scanner},
    model::{Model, Taken, Update},
    serve,
    state::{Generation, LastGood, Loaded},
    status::{report::Fault, socket},
};

/// How often to try again what did not work: writing the state, reading a damaged one.
const RETRY: Duration = Duration::from_secs(1);

/// Runs a role until SIGTERM or SIGINT.
pub(super) async fn run(role: &Role) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    let (process, channels, questions) = Process::start(role, &stop)?;
    serve::folder::start(
        &role.args().serve,
        role.name(),
        process.node(),
        process.beats(),
        questions,
        &stop,
    )
    .await
    .map_err(|refusal| anyhow!("{refusal}"))?;
    end_on_signal(&stop)?;
    tracing::info!(role = role.name(), dir = %role.args().source.dir.display(), "running");
    process.run(channels, &stop).await;
    Ok(())
}

/// Cancels `stop` on SIGTERM or SIGINT.
pub(crate) fn end_on_signal(stop: &CancellationToken) -> anyhow::Result<()> {
    let (mut term, mut int) = (
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    );
    let stop = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
        stop.cancel();
    });
    Ok(())
}

/// Where inputs come from.
struct Channels {
    files: mpsc::Receiver<Scan>,
    /// Of a speaker: in the other roles the generation comes from within.
    state: Option<mpsc::Receiver<Loaded>>,
    questions: mpsc::Receiver<socket::Question>,
    /// Ends when the status socket is removed.
    socket: JoinHandle<()>,
}

/// Everything the process knows and does.
pub(super) struct Process {
    pub(super) role: Role,
    pub(super) started: Instant,
    pub(super) model: Model,
    pub(super) roster: Roster,
    pub(super) assigning: Option<Assigning>,
    pub(super) announcing: Option<Announcing>,
    memory: Option<LastGood>,
    /// What was wrong with the manifests when they were last looked at: each fault is logged once.
    logged: BTreeSet<Diagnostic>,
    /// Trouble with files and state, by what it concerns.
    pub(super) folder_fault: Option<Diagnostic>,
    pub(super) state_fault: Option<Diagnostic>,
    has_state: bool,
}

impl Process {
    fn start(role: &Role, stop: &CancellationToken) -> anyhow::Result<(Self, Channels, Questions)> {
        let source = &role.args().source;
        let state_dir = source.state_dir();
        let instance = role.instance().map_err(|fault| anyhow!("{fault}"))?;
        let mut scanner = Scanner::new(vec![source.dir.clone()], Some(&state_dir));
        // A folder that is not there at the start is a mistake on the command line, not a withdrawal.
        let first = scanner
            .scan()
            .map_err(|error| anyhow!("{}", source.unreadable(&error)))?;
        let assigning = role
            .assigns()
            .then(|| Assigning::open(&state_dir, source.lb_class.clone()));
        let assigning = assigning.transpose().map_err(|fault| anyhow!("{fault}"))?;
        let announcing = match role.speaker() {
            Some(args) => {
                let node = node_name(args).map_err(|fault| anyhow!("{fault}"))?;
                Some(Announcing::start(&settings(args, node), stop)?)
            }
            None => None,
        };
        let memory = open_memory(&state_dir, &instance, &source.dir);
        let mut model = Model::new(&source.namespace);
        model.refuse_bgp(role.speaker().and_then(|args| args.bgp.refusal()));
        let mut process = Self {
            role: role.clone(),
            started: Instant::now(),
            model,
            roster: Roster::default(),
            assigning,
            announcing,
            memory,
            logged: BTreeSet::new(),
            folder_fault: None,
            state_fault: None,
            has_state: false,
        };
        process.recall(&first);
        process.take_files(first);
        let (questions, asked, socket) = listen(&role.socket(&instance), stop)?;
        let channels = Channels {
            files: inputs::follow_folder(&source.dir, scanner)?,
            state: if role.assigns() {
                None
            } else {
                Some(inputs::follow_state(&state_dir)?)
            },
            questions: asked,
            socket,
        };
        Ok((process, channels, questions))
    }

    /// This node, of a role that announces.
    fn node(&self) -> Option<&str> {
        let announcing = self.announcing.as_ref();
        announcing.map(|announcing| announcing.node.as_str())
    }

    /// Where it counts heartbeats, of a role that announces.
    fn beats(&self) -> Option<Beats> {
        let announcing = self.announcing.as_ref();
        announcing.map(|announcing| announcing.heartbeat.beats.clone())
    }

    async fn run(mut self, mut channels: Channels, stop: &CancellationToken) {
        let mut retry = interval(RETRY);
        retry.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.settle().await;
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                Some(scan) = channels.files.recv() => self.take_scan(scan),
                Some(loaded) = next(&mut channels.state) => self.take_state(loaded),
                heard = hear(&mut self.announcing) => self.take_heard(heard),
                Some(question) = channels.questions.recv() => {
                    self.answer(question).await;
                    continue;
                }
                _ = retry.tick(), if self.assigning.as_ref().is_some_and(Assigning::is_behind) => {}
            }
            self.settle().await;
        }
        tracing::info!("ending");
        if let Some(announcing) = self.announcing {
            announcing.finished().await;
        }
        let _ = channels.socket.await;
    }

    /// Carries everything through to the state file and the drivers.
    async fn settle(&mut self) {
        self.begin_assigning();
        if let Some(generation) = self.assigning.as_mut().and_then(Assigning::settle) {
            self.set_generation(generation);
        }
        if let Some(announcing) = &mut self.announcing {
            announcing.tell_nodes();
            if self.has_state {
                announcing.set_able();
            }
            if self.has_state && announcing.knows_alive() {
                announcing.begin();
            }
            announcing.settle().await;
        }
    }

    /// Lets the engine decide, once it is known who held what.
    fn begin_assigning(&mut self) {
        let Some(assigning) = &mut self.assigning else {
            return;
        };
        if assigning.has_begun() {
            return;
        }
        let Some(generation) = assigning.restore() else {
            return;
        };
        self.set_generation(generation);
        if let Some(assigning) = &mut self.assigning {
            for view in self.roster.overclaims() {
                assigning.apply_service(view);
            }
            assigning.begin();
        }
    }

    fn set_generation(&mut self, generation: impl Into<Arc<Generation>>) {
        self.has_state = true;
        for view in self.roster.set_generation(generation) {
            self.apply_service(&view);
        }
    }

    fn apply_service(&mut self, view: &Arc<ferrolb_api::view::ServiceView>) {
        if let Some(assigning) = &mut self.assigning {
            assigning.apply_service(Arc::clone(view));
        }
        if let Some(announcing) = &mut self.announcing {
            announcing.apply_service(&self.roster.decided(view));
        }
    }

    fn take_scan(&mut self, scan: Scan) {
        match scan {
            Ok(files) => {
                self.folder_fault = None;
                self.take_files(files);
            }
            Err(error) => {
                let object = ObjectRef::new(
                    "folder",
                    "",
                    self.role.args().source.dir.display().to_string(),
                );
                let remedy = "bring it back; until then everything stays as it last said";
                let fault = Diagnostic::error(codes::file::F001, object, error.to_string(), remedy);
                if self.folder_fault.as_ref() != Some(&fault) {
                    tracing::error!("{fault}");
                }
                self.folder_fault = Some(fault);
            }
        }
    }

    fn take_files(&mut self, files: Vec<FileChange>) {
        let Taken {
            updates,
            remember,
            diagnostics,
        } = self.model.take(files);
        for update in updates {
            self.apply(update);
        }
        let diagnostics = diagnostics.into_iter().collect();
        let new = BTreeSet::difference(&diagnostics, &self.logged);
        new.for_each(log);
        self.logged = diagnostics;
        self.remember(&remember);
    }

    fn apply(&mut self, update: Update) {
        if let Update::ServiceGone(key) = &update {
            self.roster.delete(key);
        }
        if let Update::Service(view) = update {
            let view = self.roster.apply(view);
            self.apply_service(&view);
            return;
        }
        if let Some(assigning) = &mut self.assigning {
            assigning.apply(&update);
        }
        if let Some(announcing) = &mut self.announcing {
            announcing.apply(&update);
        }
    }

    fn take_state(&mut self, loaded: Loaded) {
        self.state_fault = None;
        match loaded {
            Loaded::Current(generation) => self.set_generation(generation),
            // Whoever follows knew the damaged generation, or is about to hear it whole: a copy under way
            // is no order to go back.
            Loaded::Previous(generation, warning) => {
                log(&warning);
                self.state_fault = Some(*warning);
                if !self.has_state {
                    self.set_generation(generation);
                }
            }
            // Nothing was ever assigned; but a file that is gone is no order to withdraw.
            Loaded::Fresh if !self.has_state => self.set_generation(Generation::default()),
            Loaded::Fresh => {}
            Loaded::Unknown(fault) => {
                log(&fault);
                self.state_fault = Some(*fault);
            }
        }
    }

    fn take_heard(&mut self, heard: Heard) {
        let Some(announcing) = &mut self.announcing else {
            return;
        };
        match heard {
            Heard::Members(changes) => announcing.take_members(changes),
            Heard::Interfaces => announcing.tell_facts(),
            Heard::Layer2(event) => announcing.note(event),
            // Asked for when the status is.
            Heard::Sessions => {}
        }
    }

    async fn answer(&self, question: oneshot::Sender<Value>) {
        let report = report::of(self).await;
        // Whoever asked may have gone.
        let _ = question.send(serde_json::to_value(report).unwrap_or_default());
    }

    /// Everything that is refused or doubtful.
    pub(super) fn faults(&self) -> Vec<Fault> {
        let assigning = self.assigning.iter().flat_map(Assigning::faults);
        let own = self
            .folder_fault
            .iter()
            .chain(&self.state_fault)
            .chain(assigning);
        own.map(Fault::from)
            .chain(self.model.diagnostics().iter().map(Fault::from))
            .collect()
    }

    /// Whether everything needed to decide is in.
    pub(super) fn is_synced(&self) -> bool {
        let assigning = self.assigning.as_ref().is_none_or(Assigning::has_begun);
        assigning
            && self
                .announcing
                .as_ref()
                .is_none_or(|announcing| announcing.world.is_synced())
    }

    /// Takes in the last good texts of the files that are still there, before the files themselves.
    fn recall(&mut self, present: &[FileChange]) {
        let Some(memory) = &self.memory else { return };
        let copies = memory.of(present).unwrap_or_else(|error| {
            tracing::warn!(%error, code = %codes::state::T005, "the last good texts cannot be read");
            Vec::new()
        });
        let Taken { updates, .. } = self.model.take(copies);
        for update in updates {
            self.apply(update);
        }
    }

    fn remember(&self, files: &[FileChange]) {
        let Some(memory) = &self.memory else { return };
        for file in files {
            let done = match &file.content {
                Content::Text(text) => memory.keep(&file.path, text),
                Content::Gone | Content::Unreadable(_) => memory.forget(&file.path),
            };
            if let Err(error) = done {
                tracing::warn!(file = %file.path.display(), %error, "its last good text is not kept");
            }
        }
    }
}

fn settings(args: &SpeakerArgs, node: NodeName) -> Settings {
    let source = &args.role.source;
    Settings {
        node,
        lb_class: source.lb_class.clone(),
        ignore_exclude_lb: source.ignore_exclude_lb,
        namespace: source.namespace.clone(),
        exclude_l2: args.exclude_l2.clone(),
        heartbeat_port: args.heartbeat_port,
        heartbeat_address: args.heartbeat_address,
    }
}

/// Without it a restart in the middle of a mistake forgets what was good, and nothing else.
fn open_memory(state_dir: &Path, instance: &str, folder: &Path) -> Option<LastGood> {
    LastGood::open(state_dir, instance, folder)
        .inspect_err(|error| tracing::warn!(%error, code = %codes::state::T005, "last good texts are not kept"))
        .ok()
}

/// Whom to ask.
type Questions = mpsc::Sender<socket::Question>;

/// Opens the status socket.
fn listen(
    path: &Path,
    stop: &CancellationToken,
) -> anyhow::Result<(Questions, mpsc::Receiver<socket::Question>, JoinHandle<()>)> {
    let (questions, receiver) = mpsc::channel(8);
    if let Some(parent) = path.parent() {
        // If this fails, so does what follows, and says so.
        let _ = fs::create_dir_all(parent);
    }
    let socket =
        socket::serve(path, questions.clone(), stop.clone()).map_err(|fault| anyhow!("{fault}"))?;
    Ok((questions, receiver, socket))
}

fn log(diagnostic: &Diagnostic) {
    let at = diagnostic.position.as_ref().map(ToString::to_string);
    if diagnostic.is_error() {
        tracing::error!(at, "{diagnostic}");
    } else {
        tracing::warn!(at, "{diagnostic}");
    }
}

async fn next<T>(channel: &mut Option<mpsc::Receiver<T>>) -> Option<T> {
    match channel {
        Some(channel) => channel.recv().await,
        None => pending().await,
    }
}

async fn hear(announcing: &mut Option<Announcing>) -> Heard {
    match announcing {
        Some(announcing) => announcing.hear().await,
        None => pending().await,
    }
}
