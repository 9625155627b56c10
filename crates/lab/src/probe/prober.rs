// SPDX-License-Identifier: Apache-2.0
//! The handle on an asking process.

use std::{
    fs,
    net::SocketAddr,
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use anyhow::{Result, bail};

use super::{
    child::Pace,
    samples::{Mark, Outage, Samples},
};
use crate::{
    netns::Namespace,
    process::{Process, Spec},
    tools, wait,
};

static NEXT: AtomicU32 = AtomicU32::new(1);

/// A client asking one address; dropping it ends it.
pub struct Prober {
    process: Process,
    output: PathBuf,
    marks: AtomicU32,
}

impl Prober {
    /// Starts asking `target` from a namespace.
    ///
    /// # Errors
    /// The lab's program is not built or cannot be started.
    pub fn start(client: &Namespace, target: SocketAddr, pace: Pace) -> Result<Self> {
        let name = format!("probe{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let output = client.run().dir().join(format!("{name}.samples"));
        let mut spec = Spec::new(
            &name,
            tools::lab()?,
            [
                "probe".to_owned(),
                target.to_string(),
                format!("--interval-us={}", pace.interval.as_micros()),
                format!("--patience-us={}", pace.patience.as_micros()),
            ],
        );
        spec.output = Some(output.clone());
        Ok(Self {
            process: Process::start(client, &spec)?,
            output,
            marks: AtomicU32::new(1),
        })
    }

    /// Everything seen so far.
    #[must_use]
    pub fn samples(&self) -> Samples {
        Samples::parse(&fs::read_to_string(&self.output).unwrap_or_default())
    }

    /// Has the child note this moment.
    ///
    /// # Errors
    /// The child is gone.
    pub fn mark(&self) -> Result<Mark> {
        let name = format!("m{}", self.marks.fetch_add(1, Ordering::Relaxed));
        self.process.tell(&name)?;
        let what = "the probe notes a mark";
        wait::arrival(what, Duration::from_secs(5), || {
            Ok(self.samples().mark(&name))
        })
        .map(|(mark, _)| mark)
    }

    /// Waits until a condition on what was seen holds.
    ///
    /// # Errors
    /// Not within `patience`, or the child is gone.
    pub fn wait_for<T>(
        &self,
        what: &str,
        patience: Duration,
        mut seen: impl FnMut(&Samples) -> Option<T>,
    ) -> Result<T> {
        wait::arrival(what, patience, || {
            if let Some(status) = self.process.ended()? {
                bail!("the probe ended ({status}): {}", self.process.log());
            }
            Ok(seen(&self.samples()))
        })
        .map(|(value, _)| value)
    }

    /// Waits until a request begun now is answered; returns the node.
    ///
    /// # Errors
    /// None is answered within `patience`.
    pub fn answering(&self, patience: Duration) -> Result<String> {
        let now = self.mark()?;
        self.wait_for("an answer", patience, |samples| {
            samples.shares(now).into_keys().next()
        })
    }

    /// Waits until, after `mark`, requests have been answered for `calm` without a failure; returns
    /// what happened since the mark.
    ///
    /// # Errors
    /// Not within `patience`.
    pub fn outage_since(&self, mark: Mark, calm: Duration, patience: Duration) -> Result<Outage> {
        self.wait_for("calm after an outage", patience, |samples| {
            let outage = samples.outage(mark)?;
            let newest = samples.all().last()?.begun;
            let clean_from = mark.0 + outage.until_clean;
            (newest.saturating_sub(clean_from) >= calm).then_some(outage)
        })
    }
}
