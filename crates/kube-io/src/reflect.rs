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

/// Waits after a refusal: somebody has to grant it first, or the API server has just started. A kind that
/// may not be watched is listed after each of them, so that nobody is blind while it is not clear which.
const SLOW: Backoff = Backoff {
    first: Duration::from_secs(1),
    most: Duration::from_secs(60),
};

/// Refusals of a watch in a row after which the wait is at its longest.
const REFUSALS: u32 = 7;

/// Failures to begin a watch after which the version it begins at is not trusted any more.
const STUBBORN: u32 = 5;

/// A watch that ends sooner, having told nothing, counts as a failure.
const TOO_SHORT: Duration = Duration::from_secs(1);

/// A watch that stood as long did not fail to begin, however it ends.
const STOOD: Duration = Duration::from_secs(30);

/// After this time without a line, not even a bookmark, it is asked whether the version watched from lies
/// in the future of a store that was put back: such a watch is taken, and tells nothing for ever.
const QUIET: Duration = Duration::from_secs(75);

/// Nobody takes what is told.
struct Deserted;

/// Why a watch cannot go on.
enum End {
    /// The version is too old, or doubtful: list again, at once.
    Relist,
    /// Watching is refused: list again after a while.
    Refused,
}

/// How a watch that had begun ended.
enum Over {
    /// As the server does after its time, or it fell silent.
    Orderly,
    /// By a fault.
    Failed(Error),
    /// What was watched from is no version of this store any more.
    Ahead,
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
                End::Refused => {
                    self.well().await?;
                    tokio::time::sleep(SLOW.after(self.refusals - 1)).await;
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
            let over = match self.follow.source.watch(&self.cluster, &version).await {
                Ok(changes) => {
                    self.refusals = 0;
                    self.well().await?;
                    self.take(changes, &mut version).await?
                }
                Err(error) if error.is_forbidden() => {
                    self.refused(&error);
                    return Ok(End::Refused);
                }
                Err(error) => Over::Failed(error),
            };
            if begun.elapsed() >= STOOD {
                self.failures = 0;
            }
            match over {
                Over::Ahead => return Ok(End::Relist),
                Over::Failed(error) if error.is_expired() => return Ok(End::Relist),
                Over::Failed(error) => self.fault(&error).await?,
                Over::Orderly if version == before && begun.elapsed() < TOO_SHORT => {
                    let pause = BACKOFF.after(self.failures);
                    self.failures = self.failures.saturating_add(1);
                    tokio::time::sleep(pause).await;
                }
                Over::Orderly => self.failures = 0,
            }
            if self.failures >= STUBBORN {
                return Ok(End::Relist);
            }
        }
    }

    /// Takes changes until the watch ends.
    async fn take(&mut self, mut changes: Changes, version: &mut String) -> Result<Over, Deserted> {
        loop {
            let next = tokio::select! {
                biased;
                next = changes.next(self.follow.decode) => next,
                true = self.is_ahead_after_all(version) => return Ok(Over::Ahead),
                () = tokio::time::sleep(DEAD) => return Ok(Over::Orderly),
            };
            if let Some(over) = self.gather(next, &mut changes, version).await? {
                return Ok(over);
            }
            self.failures = 0;
        }
    }

    /// Tells of a change, and of whatever is ready with it.
    async fn gather(
        &mut self,
        first: Option<Result<Change<T>, Error>>,
        changes: &mut Changes,
        version: &mut String,
    ) -> Result<Option<Over>, Deserted> {
        let mut next = Some(first);
        let mut told = Vec::new();
        let mut over = None;
        while let Some(change) = next {
            match change {
                Some(Ok(change)) => told.extend(self.note(change, version)),
                Some(Err(error)) => over = Some(Over::Failed(error)),
                None => over = Some(Over::Orderly),
            }
            if over.is_some() || told.len() >= BATCH {
                break;
            }
            next = changes.next(self.follow.decode).now_or_never();
        }
        self.tell(told).await?;
        Ok(over)
    }

    /// After some silence: whether the collection's version is older than the one watched from. Whoever
    /// cannot be asked, or counts otherwise, is believed.
    async fn is_ahead_after_all(&self, version: &str) -> bool {
        tokio::time::sleep(QUIET).await;
        let Ok(now) = self.follow.source.version(&self.cluster).await else {
            return false;
        };
        let number = |version: &str| version.parse::<u64>().ok();
        number(&now)
            .zip(number(version))
            .is_some_and(|(now, watched)| now < watched)
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

    fn refused(&mut self, error: &Error) {
        self.refusals = self.refusals.saturating_add(1);
        if self.refusals == REFUSALS {
            let kind = self.follow.what;
            tracing::info!(kind, %error, "the kind may not be watched: it is listed every minute");
        }
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
