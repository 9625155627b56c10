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
    load::Urgent,
};
pub(crate) use put::{Change, Mode, STATUS};
pub use service::ServiceStatus;

/// Longest time of one write, and so how long before the gate's deadline the last one starts.
pub(crate) const LIMIT: Duration = Duration::from_secs(5);

/// Waits after trouble that passes.
const BACKOFF: Backoff = Backoff {
    first: Duration::from_millis(100),
    most: Duration::from_secs(10),
};

/// Refusals in a row before one counts. An API server that just started refuses everybody for a moment,
/// until it has read the rules.
const REFUSALS: u32 = 6;

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
    refusals: u32,
    /// Events and status objects make way for it, until it failed once.
    urgent: Option<Urgent>,
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
            refusals: 0,
            urgent: Some(self.cluster.load().urgent_one()),
        };
        self.queue.put(order.status.key.clone(), order);
    }

    /// How many Services wait to be written.
    #[must_use]
    pub fn backlog(&self) -> usize {
        self.queue.len()
    }
}

impl Worker {
    /// Works until `stop`; a write that is under way then still ends, so that the lease is not given up
    /// before it has.
    async fn run(self) {
        loop {
            let mut job = tokio::select! {
                biased;
                () = self.stop.cancelled() => return,
                job = self.writer.queue.next() => job,
            };
            let result = self.attempt(&job.value).await;
            if let Some(failure) = retried(&result, &mut job) {
                self.again(job, failure);
            } else if !self.end(job, result.map_err(Failure::fault)).await {
                return;
            }
        }
    }

    async fn attempt(&self, order: &Order) -> Result<Box<str>, Failure> {
        let entered = self.writer.gate.enter(order.term, LIMIT).await;
        let _pass = entered.ok_or(Failure::NotLeading)?;
        // A read and a write together must end within the limit, for the gate counts on it.
        let write = service::write(&self.writer.cluster, &self.mode, &order.status);
        let ended = tokio::time::timeout(LIMIT, write).await;
        Ok(ended.unwrap_or(Err(Error::Timeout(LIMIT)))?)
    }

    fn again(&self, mut job: Job<ServiceKey, Order>, failure: &Failure) {
        if job.failures == 0 {
            tracing::warn!(service = %job.key, %failure, "a status could not be written, it is tried again");
        }
        let pause = BACKOFF.after(job.failures);
        job.value.urgent = None;
        self.writer.queue.retry(job, pause);
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
        drop(job.value.urgent);
        let wrote = Wrote {
            key,
            sent_version: resource_version,
            result,
        };
        tokio::select! {
            biased;
            sent = self.results.send(wrote) => sent.is_ok(),
            () = self.stop.cancelled() => false,
        }
    }
}

/// Why an attempt failed.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("the gate is closed")]
    NotLeading,
    #[error(transparent)]
    Api(#[from] Error),
}

impl Failure {
    fn fault(self) -> WriteFault {
        let error = match self {
            Self::NotLeading => return WriteFault::NotLeading,
            Self::Api(error) => error,
        };
        match error.code() {
            Some(403) => WriteFault::Forbidden(error.to_string()),
            Some(404) => WriteFault::Gone,
            Some(409) => WriteFault::Conflict,
            _ => WriteFault::Other(error.to_string()),
        }
    }
}

/// The failure, if another attempt may well succeed.
fn retried<'a, T>(
    result: &'a Result<T, Failure>,
    job: &mut Job<ServiceKey, Order>,
) -> Option<&'a Failure> {
    let failure = result.as_ref().err()?;
    let Failure::Api(error) = failure else {
        return None;
    };
    let again = if error.is_forbidden() {
        job.value.refusals += 1;
        job.value.refusals < REFUSALS
    } else {
        error.is_passing()
    };
    again.then_some(failure)
}

#[cfg(test)]
mod tests;
