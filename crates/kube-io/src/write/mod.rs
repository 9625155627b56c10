// SPDX-License-Identifier: Apache-2.0
//! Status writes of Services: many at once, in order per Service, the newest wins, only while the gate is open.
//!
//! A write carries the resourceVersion it was decided on. Who wrote in between wins: that is told as
//! [`WriteFault::Conflict`], and the decision is made again by whoever decides. Trouble that passes is
//! retried here. The Events of a decision follow once its status is written.

mod put;
mod service;

use std::time::Duration;

use ferrolb_types::ServiceKey;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{
    Cluster, Error,
    backoff::Backoff,
    events::{Recorder, Subject},
    gate::Gate,
    latest::{Job, Latest},
};
pub(crate) use put::{Change, Mode};
pub use service::ServiceStatus;

/// Longest time of one write, and so how long before the gate's deadline the last one starts.
pub(crate) const LIMIT: Duration = Duration::from_secs(5);

/// Waits after trouble that passes.
const BACKOFF: Backoff = Backoff {
    first: Duration::from_millis(100),
    most: Duration::from_secs(10),
};

/// Results that may wait to be taken.
const RESULTS: usize = 1024;

/// How a writer works.
#[derive(Clone, Debug)]
pub struct WriterOptions {
    /// Writes under way at once.
    pub concurrency: usize,
    /// Who takes the Events of a decision.
    pub recorder: Option<Recorder>,
}

impl Default for WriterOptions {
    fn default() -> Self {
        Self {
            concurrency: 16,
            recorder: None,
        }
    }
}

/// How a write ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrote {
    /// The Service.
    pub key: ServiceKey,
    /// The resourceVersion the write was decided on.
    pub sent_version: Box<str>,
    /// The new resourceVersion (the old one where nothing had to be changed), or why not.
    pub result: Result<Box<str>, WriteFault>,
}

/// Why a write was not done. None of these is retried here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteFault {
    /// The Service was written since; decide again on what the watch tells.
    Conflict,
    /// The Service does not exist any more.
    Gone,
    /// RBAC allows neither PATCH nor PUT.
    Forbidden(String),
    /// We do not lead (any more).
    NotLeading,
    /// The API server refuses it, in its words.
    Other(String),
}

/// Where status writes are handed in. Clones share the queue.
#[derive(Clone, Debug)]
pub struct Writer {
    queue: Latest<ServiceKey, Order>,
    gate: Gate,
    cluster: Cluster,
}

/// A write, and the term it was decided in.
#[derive(Debug)]
struct Order {
    status: ServiceStatus,
    term: u64,
}

/// One of those who write.
#[derive(Clone)]
struct Worker {
    writer: Writer,
    recorder: Option<Recorder>,
    mode: put::Mode,
    results: mpsc::Sender<Wrote>,
    stop: CancellationToken,
}

impl Writer {
    /// Begins. The receiver must be read: writes wait for it.
    #[must_use]
    pub fn start(
        cluster: &Cluster,
        options: WriterOptions,
        gate: Gate,
        stop: &CancellationToken,
    ) -> (Self, mpsc::Receiver<Wrote>) {
        let (results, wrote) = mpsc::channel(RESULTS);
        let writer = Self {
            queue: Latest::new(),
            gate,
            cluster: cluster.clone(),
        };
        let worker = Worker {
            writer: writer.clone(),
            recorder: options.recorder,
            mode: put::Mode::new("services/status"),
            results,
            stop: stop.clone(),
        };
        for _ in 0..options.concurrency.max(1) {
            tokio::spawn(worker.clone().run());
        }
        (writer, wrote)
    }

    /// Hands in a write. One that still waits for the same Service is replaced and never told of.
    pub fn service_status(&self, status: ServiceStatus) {
        let order = Order {
            term: self.gate.term(),
            status,
        };
        self.cluster.load().begin();
        if self.queue.put(order.status.key.clone(), order).is_some() {
            self.cluster.load().end(1);
        }
    }

    /// How many Services wait to be written.
    #[must_use]
    pub fn backlog(&self) -> usize {
        self.queue.len()
    }
}

impl Worker {
    async fn run(self) {
        let stop = self.stop.clone();
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.work() => {}
        }
    }

    async fn work(self) {
        loop {
            let job = self.writer.queue.next().await;
            let entered = self.writer.gate.enter(job.value.term, LIMIT).await;
            let Some(pass) = entered else {
                if !self.end(job, Err(WriteFault::NotLeading)).await {
                    return;
                }
                continue;
            };
            // A read and a write together must end within the limit, for the gate counts on it.
            let write = service::write(&self.writer.cluster, &self.mode, &job.value.status);
            let result = tokio::time::timeout(LIMIT, write)
                .await
                .unwrap_or(Err(Error::Timeout(LIMIT)));
            drop(pass);
            let go_on = match result {
                Ok(version) => self.end(job, Ok(version)).await,
                Err(error) if error.is_passing() => self.again(job, &error),
                Err(error) => self.end(job, Err(fault(&error))).await,
            };
            if !go_on {
                return;
            }
        }
    }

    fn again(&self, job: Job<ServiceKey, Order>, error: &Error) -> bool {
        let pause = BACKOFF.after(job.failures);
        if job.failures == 0 {
            tracing::warn!(service = %job.key, %error, "a status could not be written, it is tried again");
        }
        if self.writer.queue.retry(job, pause).is_some() {
            self.writer.cluster.load().end(1);
        }
        true
    }

    /// Tells the result. False: nobody wants to know any more.
    async fn end(&self, job: Job<ServiceKey, Order>, result: Result<Box<str>, WriteFault>) -> bool {
        let ServiceStatus {
            key,
            uid,
            resource_version,
            events,
            ..
        } = job.value.status;
        if let (Ok(_), Some(recorder)) = (&result, &self.recorder) {
            for note in events {
                recorder.note(Subject::service(&key, &uid), note);
            }
        }
        self.writer.queue.done(&key);
        self.writer.cluster.load().end(1);
        let wrote = Wrote {
            key,
            sent_version: resource_version,
            result,
        };
        self.results.send(wrote).await.is_ok()
    }
}

fn fault(error: &Error) -> WriteFault {
    match error.code() {
        Some(403) => WriteFault::Forbidden(error.to_string()),
        Some(404) => WriteFault::Gone,
        Some(409) => WriteFault::Conflict,
        _ => WriteFault::Other(error.to_string()),
    }
}
