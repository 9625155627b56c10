// SPDX-License-Identifier: Apache-2.0
//! The way to the API server: configuration, time limits, and one request at a time.
//!
//! Requests go by HTTP/1.1: each under way has a connection of its own, kept for the next, so that sixteen
//! small writes at once share no window and wait for no stream of another. Watches share one connection by
//! HTTP/2, each with a window of its own, so that one whose taker is slow holds back nobody else.

use std::{path::PathBuf, sync::Arc, time::Duration};

use serde::de::DeserializeOwned;

use crate::{
    Error,
    kubeconfig::{self, Way},
    load::Load,
    transport::{self, Clients},
};

/// Longest time for a connection to stand, TLS included.
const CONNECT: Duration = Duration::from_secs(5);

/// Longest time for a request to be taken off our hands.
const SEND: Duration = Duration::from_secs(10);

/// Longest time for a whole request, answer included, where the caller has no limit of its own.
pub(crate) const REQUEST: Duration = Duration::from_secs(30);

/// How to reach the API server, and as whom.
#[derive(Clone, Debug, Default)]
pub struct Connection {
    /// A kubeconfig named on the command line; otherwise `KUBECONFIG`, `~/.kube/config` or the service account.
    pub kubeconfig: Option<PathBuf>,
    /// A context in it.
    pub context: Option<String>,
    /// The namespace of the `metallb.io` objects.
    pub namespace: String,
    /// `User-Agent` of every request.
    pub user_agent: String,
}

/// The API server. Cheap to clone; every clone shares the connections.
#[derive(Clone)]
pub struct Cluster {
    client: kube::Client,
    watches: kube::Client,
    namespace: Arc<str>,
    load: Load,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster")
            .field("namespace", &self.namespace)
            .finish_non_exhaustive()
    }
}

impl Cluster {
    /// Prepares the way to the API server. Nothing is sent yet: a server that is down is no error here.
    ///
    /// # Errors
    /// [`Error::Config`] where neither a kubeconfig nor a service account can be used.
    pub async fn connect(connection: &Connection) -> Result<Self, Error> {
        let Way { mut config, proxy } = kubeconfig::way(connection).await?;
        config.connect_timeout = Some(CONNECT);
        // A watch may be silent for minutes; a peer that vanished is the kernel's to notice (`transport`).
        config.read_timeout = None;
        config.write_timeout = Some(SEND);
        // Retrying is ours: the client's own goes on for minutes, past any gate.
        config.default_retry = false;
        if !connection.user_agent.is_empty() {
            let agent = http::HeaderValue::from_str(&connection.user_agent).map_err(|_| {
                Error::Config("the user agent has characters a header cannot carry".into())
            })?;
            config.headers.push((http::header::USER_AGENT, agent));
        }
        let clients = transport::clients(&config, proxy.as_ref())?;
        Ok(Self::with_clients(clients, &connection.namespace))
    }

    pub(crate) fn with_clients(clients: Clients, namespace: &str) -> Self {
        Self {
            client: clients.requests,
            watches: clients.watches,
            namespace: namespace.into(),
            load: Load::default(),
        }
    }

    /// The namespace of the `metallb.io` objects.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The namespace that commands without one mean: that of the kubeconfig's context, in a Pod the Pod's.
    #[must_use]
    pub fn usual_namespace(&self) -> &str {
        self.client.default_namespace()
    }

    /// The version the API server tells, which shows that somebody is there.
    ///
    /// # Errors
    /// Whatever keeps the question from being answered.
    pub async fn version(&self) -> Result<String, Error> {
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Version {
            git_version: String,
        }
        let request = crate::request::get("/version")?;
        let version: Version = self.call(request, REQUEST).await?;
        Ok(version.git_version)
    }

    /// Sends a request and reads the answer, within `limit`.
    pub(crate) async fn call<T: DeserializeOwned>(
        &self,
        request: http::Request<Vec<u8>>,
        limit: Duration,
    ) -> Result<T, Error> {
        let text = self.text(request, limit).await?;
        serde_json::from_str(&text).map_err(|error| Error::answer(&error))
    }

    /// Sends a request and gives the answer's text, within `limit`.
    pub(crate) async fn text(
        &self,
        request: http::Request<Vec<u8>>,
        limit: Duration,
    ) -> Result<String, Error> {
        match tokio::time::timeout(limit, self.client.request_text(request)).await {
            Ok(answer) => Ok(answer?),
            Err(_) => Err(Error::Timeout(limit)),
        }
    }

    /// The client for watches.
    pub(crate) fn watches(&self) -> &kube::Client {
        &self.watches
    }

    /// How busy the writes that matter are; the others make way.
    pub(crate) fn load(&self) -> &Load {
        &self.load
    }
}
