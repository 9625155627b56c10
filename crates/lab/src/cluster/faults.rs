// SPDX-License-Identifier: Apache-2.0
//! What goes wrong with API servers and their stores: killed, frozen, started again, history lost.

use std::time::Duration;

use anyhow::{Context, Result};

use super::{Call, Cluster, PATIENCE, children, end, lock, parts, store};

impl Cluster {
    /// Ends the API server at once (SIGKILL).
    ///
    /// # Errors
    /// The system cannot wait for it.
    pub fn stop_api(&self) -> Result<()> {
        end(&self.api)
    }

    /// Starts the API server, on the same port, and waits until it is ready.
    ///
    /// # Errors
    /// It ends, or does not get ready.
    pub fn start_api(&self) -> Result<Duration> {
        let spec = parts::api_server(&self.site, &self.identity, &self.options)?;
        let process = children::start(&self.site.namespace, &spec)?;
        let took = process.wait_for("the API server is ready", PATIENCE, || {
            Ok(self.admin.call(&Call::get("/readyz"))?.code == 200)
        })?;
        *lock(&self.api) = Some(process);
        Ok(took)
    }

    /// Stops the API server where it stands (SIGSTOP): connections stay, nothing answers.
    ///
    /// # Errors
    /// It does not run.
    pub fn freeze(&self) -> Result<()> {
        self.signal("STOP")
    }

    /// Lets a frozen API server go on.
    ///
    /// # Errors
    /// It does not run.
    pub fn thaw(&self) -> Result<()> {
        self.signal("CONT")
    }

    /// Kills the store and starts it again on the same data.
    ///
    /// # Errors
    /// It does not get ready.
    pub fn restart_etcd(&self) -> Result<()> {
        self.stop_etcd()?;
        self.start_etcd()
    }

    /// Kills the store: the API server stays and can read and write nothing.
    ///
    /// # Errors
    /// The system cannot wait for it.
    pub fn stop_etcd(&self) -> Result<()> {
        end(&self.etcd)
    }

    /// Starts the store on the data it left.
    ///
    /// # Errors
    /// It does not get ready.
    pub fn start_etcd(&self) -> Result<()> {
        let process = children::start(&self.site.namespace, &parts::etcd(&self.site))?;
        process.wait_for("etcd is healthy", PATIENCE, || store::healthy(&self.site))?;
        *lock(&self.etcd) = Some(process);
        Ok(())
    }

    /// Forgets all history in the store, up to a revision newer than any client has seen.
    ///
    /// # Errors
    /// The store does not answer.
    pub fn compact(&self) -> Result<()> {
        store::compact(&self.site)
    }

    /// Makes every resourceVersion that clients hold too old: the API server is killed, the history
    /// forgotten, the API server started. Each watch that comes back is told 410 Gone.
    ///
    /// # Errors
    /// A part does not get ready.
    pub fn expire(&self) -> Result<Duration> {
        self.stop_api()?;
        self.compact()?;
        self.start_api()
    }

    fn signal(&self, signal: &str) -> Result<()> {
        let api = lock(&self.api);
        api.as_ref()
            .context("the API server does not run")?
            .signal(signal)
    }
}
