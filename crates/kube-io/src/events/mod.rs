// SPDX-License-Identifier: Apache-2.0
//! Events on objects: core/v1 `Event`s, because that is the group MetalLB's roles grant.
//!
//! The same note on the same object again raises the count of the Event that stands, as `kubectl` expects.
//! An object that makes too much noise is held back, the queue is bounded, and what it cannot take is
//! dropped and counted: an Event tells of a decision, it never is one.

mod body;
mod tally;

use std::{
    borrow::Cow,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{
    Cluster, Error,
    backoff::Backoff,
    request::{self, PatchKind},
};
use tally::{Tally, Told};

/// Notes that may wait.
const QUEUE: usize = 8192;

/// Requests under way at once.
const CONCURRENCY: usize = 2;

/// Longest time of one request.
const LIMIT: Duration = Duration::from_secs(10);

/// Tries for one note while the API server is in trouble.
const TRIES: u32 = 4;

/// Waits between them.
const BACKOFF: Backoff = Backoff {
    first: Duration::from_millis(500),
    most: Duration::from_secs(10),
};

/// The object an Event is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Kind.
    pub kind: Cow<'static, str>,
    /// API version.
    pub api_version: Cow<'static, str>,
    /// Namespace; empty for what has none.
    pub namespace: Box<str>,
    /// Name.
    pub name: Box<str>,
    /// Uid.
    pub uid: Box<str>,
}

impl Subject {
    /// A Service.
    #[must_use]
    pub fn service(key: &ferrolb_types::ServiceKey, uid: &str) -> Self {
        Self {
            kind: "Service".into(),
            api_version: "v1".into(),
            namespace: key.namespace().into(),
            name: key.name().into(),
            uid: uid.into(),
        }
    }
}

/// What to say of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// `Warning` rather than `Normal`.
    pub warning: bool,
    /// The reason, one word where MetalLB has one word.
    pub reason: Cow<'static, str>,
    /// The sentence.
    pub message: String,
}

/// Who takes the notes.
#[derive(Clone, Debug)]
pub struct Recorder {
    queue: mpsc::Sender<(Subject, Note)>,
    dropped: Arc<AtomicU64>,
}

impl Recorder {
    /// Begins. `component` is `metallb-controller` or `metallb-speaker`; `host` the node.
    #[must_use]
    pub fn start(
        cluster: &Cluster,
        component: &'static str,
        host: &str,
        stop: &CancellationToken,
    ) -> Self {
        let (sender, queue) = mpsc::channel(QUEUE);
        let scribe = Scribe {
            cluster: cluster.clone(),
            component,
            host: host.into(),
        };
        tokio::spawn(run(scribe, queue, stop.clone()));
        Self {
            queue: sender,
            dropped: Arc::default(),
        }
    }

    /// Takes a note; never waits.
    pub fn note(&self, subject: Subject, note: Note) {
        let refused = self.queue.try_send((subject, note)).is_err();
        if refused && self.dropped.fetch_add(1, Ordering::Relaxed) == 0 {
            tracing::warn!(
                waiting = QUEUE,
                "too many Events wait to be written: some are dropped from now on"
            );
        }
    }

    /// The count of notes that the queue could not take.
    #[must_use]
    pub fn dropped(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.dropped)
    }
}

/// Who writes them down.
#[derive(Clone, Debug)]
struct Scribe {
    cluster: Cluster,
    component: &'static str,
    host: Arc<str>,
}

/// One task reads the queue and keeps the tally; a few requests run beside it. Two notes of one kind are
/// never under way at once, or both would create an Event.
async fn run(scribe: Scribe, mut queue: mpsc::Receiver<(Subject, Note)>, stop: CancellationToken) {
    let mut tally = Tally::new();
    let mut under_way = tokio::task::JoinSet::new();
    loop {
        let room = under_way.len() < CONCURRENCY;
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            Some(ended) = under_way.join_next() => {
                if let Ok((key, told)) = ended {
                    tally.told(&key, told);
                }
            }
            Some((subject, note)) = queue.recv(), if room => {
                if let Some((key, standing)) = tally.admit(&subject, &note) {
                    let scribe = scribe.clone();
                    under_way.spawn(async move { (key, scribe.write(&subject, &note, standing).await) });
                }
            }
            else => return,
        }
    }
}

impl Scribe {
    /// Writes the note, as a new Event or a higher count of the one that stands.
    async fn write(&self, subject: &Subject, note: &Note, standing: Option<Told>) -> Option<Told> {
        let mut standing = standing;
        for failures in 0..TRIES {
            self.cluster.load().make_way().await;
            match self.attempt(subject, note, standing).await {
                Ok(told) => return Some(told),
                // The Event that stood ran out: begin anew.
                Err(error) if error.is_not_found() && standing.is_some() => standing = None,
                Err(error) if error.is_passing() => {
                    tokio::time::sleep(BACKOFF.after(failures)).await;
                }
                Err(error) => {
                    tracing::debug!(%error, namespace = %subject.namespace, name = %subject.name, "an Event was refused");
                    return None;
                }
            }
        }
        tracing::debug!(namespace = %subject.namespace, name = %subject.name, "an Event could not be written");
        None
    }

    async fn attempt(
        &self,
        subject: &Subject,
        note: &Note,
        standing: Option<Told>,
    ) -> Result<Told, Error> {
        let namespace = body::namespace(subject);
        if let Some(told) = standing {
            let told = told.once_more();
            let name = body::name(subject, told.tail);
            let path = request::object("v1", Some(namespace), "events", &name);
            let request = request::patch(PatchKind::Merge, path, &body::recount(&told))?;
            let request = request::in_short(request);
            self.cluster.text(request, LIMIT).await?;
            return Ok(told);
        }
        let told = Told::new(body::tail()?);
        let event = body::event(subject, note, &told, self.component, &self.host);
        let path = request::collection("v1", Some(namespace), "events");
        let request = request::in_short(request::post(path, &event)?);
        match self.cluster.text(request, LIMIT).await {
            Ok(_) => Ok(told),
            // An earlier try of ours, whose answer was lost.
            Err(error) if error.is_conflict() => Ok(told),
            Err(error) => Err(error),
        }
    }
}
