// SPDX-License-Identifier: Apache-2.0
//! One collection, for ever: list in pages, watch from there, and again whenever the watch cannot go on.
//! What the objects are, and what is made of them, its caller knows.

use std::time::Duration;

use futures::FutureExt;
use tokio::{sync::mpsc, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::{
    Cluster, Error,
    backoff::Backoff,
    diff::Diff,
    source::{Change, Changes, DEAD, Decode, Page, Source},
};

/// Objects told at once, at most.
const BATCH: usize = 256;

/// An object as far as following it goes.
pub(crate) trait Listed: Send + 'static {
    /// Its namespace; empty for what has none.
    fn namespace(&self) -> &str;
    /// Its name.
    fn name(&self) -> &str;
    /// Its resourceVersion.
    fn version(&self) -> &str;
}

/// Something that happened.
#[derive(Debug)]
pub(crate) enum Event<T> {
    /// New or changed.
    Set(T),
    /// Gone: namespace and name.
    Gone(String, String),
    /// The first complete list has been told.
    Synced,
    /// The collection cannot be read at present.
    Trouble(Error),
    /// It can be read again.
    Well,
}

/// What to follow, and what to make of it.
pub(crate) struct Follow<T, O> {
    /// The collection.
    pub source: Source,
    /// How its objects are read.
    pub decode: Decode<T>,
    /// What is told of an event, if anything.
    pub map: Box<dyn Fn(Event<T>) -> Option<O> + Send + Sync>,
    /// Its name, for the log.
    pub what: &'static str,
}

/// Waits after trouble that passes.
const BACKOFF: Backoff = Backoff {
    first: Duration::from_millis(200),
    most: Duration::from_secs(10),
};

/// Waits after a refusal: somebody has to grant it first, or the API server has just started.
const SLOW: Backoff = Backoff {
    first: Duration::from_secs(1),
    most: Duration::from_secs(60),
};

/// How often a kind is listed that may not be watched.
const LIST_AGAIN: Duration = Duration::from_secs(60);

/// Refusals of a watch in a row before it counts as not granted: an API server that just started refuses
/// everybody for a moment.
const REFUSALS: u32 = 4;

/// Failures to begin a watch after which the version it begins at is not trusted any more.
const STUBBORN: u32 = 5;

/// A watch that ends sooner, having told nothing, counts as a failure.
const TOO_SHORT: Duration = Duration::from_secs(1);

/// Nobody takes what is told.
struct Deserted;

/// Why a watch cannot go on.
enum End {
    /// The version is too old, or doubtful: list again, at once.
    Relist,
    /// Watching is not granted: list again after a while.
    NotGranted,
}

struct Follower<T, O> {
    cluster: Cluster,
    follow: Follow<T, O>,
    diff: Diff,
    out: mpsc::Sender<Vec<O>>,
    synced: bool,
    trouble: Option<String>,
    failures: u32,
    /// Refusals of the watch in a row.
    refusals: u32,
    /// Refusals of a list in a row.
    barred: u32,
}

/// Tells `out` of everything, until `stop` or until nobody takes it any more.
pub(crate) fn spawn<T: Listed, O: Send + 'static>(
    cluster: &Cluster,
    follow: Follow<T, O>,
    out: mpsc::Sender<Vec<O>>,
    stop: &CancellationToken,
) {
    let follower = Follower {
        cluster: cluster.clone(),
        follow,
        diff: Diff::default(),
        out,
        synced: false,
        trouble: None,
        failures: 0,
        refusals: 0,
        barred: 0,
    };
    let stop = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            () = stop.cancelled() => {}
            _deserted = follower.run() => {}
        }
    });
}

impl<T: Listed, O: Send> Follower<T, O> {
    async fn run(mut self) -> Result<(), Deserted> {
        loop {
            let version = match self.list().await? {
                Ok(version) => version,
                // A list that took too long for its pages' version begins anew at once, the first time.
                Err(error) if error.is_expired() && self.failures == 0 => {
                    self.failures = 1;
                    continue;
                }
                Err(error) => {
                    self.fault(&error).await?;
                    continue;
                }
            };
            match self.watch(version).await? {
                End::Relist => {}
                End::NotGranted => {
                    self.well().await?;
                    tokio::time::sleep(LIST_AGAIN).await;
                }
            }
        }
    }

    /// Lists everything and tells the differences.
    async fn list(&mut self) -> Result<Result<String, Error>, Deserted> {
        self.diff.begin();
        let (source, cluster) = (self.follow.source.clone(), self.cluster.clone());
        let mut text = source.page(&cluster, None).await;
        loop {
            let page = text.as_deref().map_err(Clone::clone).and_then(Page::read);
            let page = match page {
                Ok(page) => page,
                Err(error) => return Ok(Err(error)),
            };
            // The next page comes while this one is taken in.
            let next = async {
                let token = page.continued()?;
                Some(source.page(&cluster, Some(token)).await)
            };
            let (next, taken) = tokio::join!(next, self.take_in(&page));
            if let Err(error) = taken? {
                return Ok(Err(error));
            }
            let Some(next) = next else {
                self.complete().await?;
                return Ok(Ok(page.version()));
            };
            text = next;
        }
    }

    /// Tells what is new in a page.
    async fn take_in(&mut self, page: &Page<'_>) -> Result<Result<(), Error>, Deserted> {
        let items = match page.decode(self.follow.decode) {
            Ok(items) => items,
            Err(error) => return Ok(Err(error)),
        };
        let mut told = Vec::new();
        for seen in items {
            told.extend(self.see(seen));
            if told.len() == BATCH {
                self.tell(std::mem::take(&mut told)).await?;
            }
        }
        self.tell(told).await?;
        Ok(Ok(()))
    }

    async fn complete(&mut self) -> Result<(), Deserted> {
        self.barred = 0;
        let mut gone: Vec<O> = Vec::new();
        for (namespace, name) in self.diff.end() {
            gone.extend(self.map(Event::Gone(namespace, name)));
        }
        while gone.len() > BATCH {
            let rest = gone.split_off(BATCH);
            self.tell(std::mem::replace(&mut gone, rest)).await?;
        }
        if !self.synced {
            self.synced = true;
            gone.extend(self.map(Event::Synced));
        }
        self.tell(gone).await
    }

    /// Watches from `version`, as often as the server ends it, until that cannot go on.
    async fn watch(&mut self, mut version: String) -> Result<End, Deserted> {
        loop {
            let begun = Instant::now();
            let before = version.clone();
            let ended = match self.follow.source.watch(&self.cluster, &version).await {
                Ok(changes) => {
                    self.refusals = 0;
                    self.well().await?;
                    self.take(changes, &mut version).await?
                }
                Err(error) if error.is_forbidden() => {
                    if self.is_not_granted(&error) {
                        return Ok(End::NotGranted);
                    }
                    tokio::time::sleep(BACKOFF.after(self.refusals)).await;
                    continue;
                }
                Err(error) => Err(error),
            };
            match ended {
                Err(error) if error.is_expired() => return Ok(End::Relist),
                Err(error) => self.fault(&error).await?,
                Ok(()) if version == before && begun.elapsed() < TOO_SHORT => {
                    let pause = BACKOFF.after(self.failures);
                    self.failures = self.failures.saturating_add(1);
                    tokio::time::sleep(pause).await;
                }
                Ok(()) => self.failures = 0,
            }
            if self.failures >= STUBBORN {
                return Ok(End::Relist);
            }
        }
    }

    /// Takes changes until the watch ends, telling whatever is ready together.
    async fn take(
        &mut self,
        mut changes: Changes,
        version: &mut String,
    ) -> Result<Result<(), Error>, Deserted> {
        loop {
            let mut next = match tokio::time::timeout(DEAD, changes.next(self.follow.decode)).await
            {
                Ok(next) => Some(next),
                Err(_) => return Ok(Ok(())),
            };
            let mut told = Vec::new();
            let mut ended = None;
            while let Some(change) = next {
                match change {
                    Some(Ok(change)) => told.extend(self.note(change, version)),
                    Some(Err(error)) => ended = Some(Err(error)),
                    None => ended = Some(Ok(())),
                }
                if ended.is_some() || told.len() >= BATCH {
                    break;
                }
                next = changes.next(self.follow.decode).now_or_never();
            }
            self.tell(told).await?;
            if let Some(ended) = ended {
                return Ok(ended);
            }
            self.failures = 0;
        }
    }

    /// What a change has to tell.
    fn note(&mut self, change: Change<T>, version: &mut String) -> Option<O> {
        let mut reached = |now: &str| {
            if !now.is_empty() {
                now.clone_into(version);
            }
        };
        match change {
            Change::Set(seen) => {
                reached(seen.version());
                self.see(seen)
            }
            Change::Gone(seen) => {
                reached(seen.version());
                self.gone(&seen)
            }
            Change::Bookmark(now) => {
                reached(&now);
                None
            }
        }
    }

    fn see(&mut self, seen: T) -> Option<O> {
        let is_new = self.diff.see(seen.namespace(), seen.name(), seen.version());
        if is_new {
            self.map(Event::Set(seen))
        } else {
            None
        }
    }

    fn gone(&mut self, seen: &T) -> Option<O> {
        let (namespace, name) = (seen.namespace(), seen.name());
        let was_known = self.diff.gone(namespace, name);
        let gone = was_known.then(|| Event::Gone(namespace.to_owned(), name.to_owned()))?;
        self.map(gone)
    }

    fn map(&self, event: Event<T>) -> Option<O> {
        (self.follow.map)(event)
    }

    fn is_not_granted(&mut self, error: &Error) -> bool {
        self.refusals = self.refusals.saturating_add(1);
        if self.refusals == REFUSALS {
            let kind = self.follow.what;
            tracing::info!(kind, %error, "the kind may not be watched: it is listed every minute");
        }
        self.refusals >= REFUSALS
    }

    /// Tells of trouble, once per reason, and waits.
    async fn fault(&mut self, error: &Error) -> Result<(), Deserted> {
        let text = error.to_string();
        if self.trouble.as_deref() != Some(text.as_str()) {
            tracing::warn!(kind = self.follow.what, %error, "the kind cannot be read, it is tried again");
            self.trouble = Some(text);
            let trouble = self.map(Event::Trouble(error.clone()));
            self.tell(trouble.into_iter().collect()).await?;
        }
        // An API server that comes back refuses everybody for a moment: refusals have a count of their own,
        // or that moment would be followed by the pause of an outage as long as the one before.
        let pause = if error.is_passing() {
            self.barred = 0;
            BACKOFF.after(self.failures)
        } else {
            self.barred = self.barred.saturating_add(1);
            SLOW.after(self.barred - 1)
        };
        tokio::time::sleep(pause).await;
        self.failures = self.failures.saturating_add(1);
        Ok(())
    }

    async fn well(&mut self) -> Result<(), Deserted> {
        if self.trouble.take().is_some() {
            tracing::info!(kind = self.follow.what, "the kind can be read again");
            let well = self.map(Event::Well);
            self.tell(well.into_iter().collect()).await?;
        }
        Ok(())
    }

    async fn tell(&self, told: Vec<O>) -> Result<(), Deserted> {
        if told.is_empty() {
            return Ok(());
        }
        self.out.send(told).await.map_err(|_| Deserted)
    }
}
