// SPDX-License-Identifier: Apache-2.0
//! What a role serves: health, metrics, its state, webhooks. Owns listeners, TLS and their bounds;
//! decides nothing and holds nothing back from the task that decides.
//!
//! | listener | by | paths | who may |
//! |---|---|---|---|
//! | health | HTTP | `/healthz`, `/readyz` | everybody who reaches it |
//! | metrics | HTTPS | `/metrics`, `/status` | who shows a token that [`Authorise`] lets pass |
//! | webhooks | HTTPS | those of the router given | everybody who reaches it; the API server checks our certificate |
//!
//! Nothing of a process is told by HTTP to somebody who is not known: on an API server the token is
//! reviewed there, on a folder it is compared with a file, and without either there are no metrics.
//!
//! `/status` is asked through the API server's `pods/proxy`, which passes on no `Authorization`: the
//! API server takes it off once it knows the caller. And a caller's own credentials must not travel
//! further than to the API server. So the caller asks it for a token of the ServiceAccount
//! `ferrolb-status` that lives ten minutes and is good for the audience [`STATUS_AUDIENCE`] alone, and
//! sends that in the header `X-Ferrolb-Token`. It is reviewed for that audience: a token of the API
//! server is refused there, and this one is refused by the API server.
//!
//! Bounds: connections at a time, the time to shake hands, to send a request's head and its body, to be
//! idle and to be answered, the size of a body, and the sum of the bodies held. On the listener of health
//! a connection has one request; on the others the one that has been idle, or whose request is not whole,
//! for longest makes room when all places are taken.

mod authorise;
mod body;
pub mod certificate;
pub(crate) mod folder;
mod health;
mod metrics;
mod places;
mod server;
mod snapshot;
pub mod tls;
mod webhooks;

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use ferrolb_telemetry::Metrics;
use tokio::{sync::watch, task::JoinHandle};
use tokio_util::sync::CancellationToken;

pub use authorise::{Ask, Authorise, TokenFile, Verdict};
pub(crate) use body::{Room, SMALL as SMALL_BODY};
pub use certificate::Identity;
pub use health::{Wait, Waits};
pub use metrics::{STATUS_AUDIENCE, STATUS_TOKEN, Tell};
pub use server::Bounds;
pub use snapshot::{bgp_peer, layer2_addresses};

use crate::args::Refusal;

/// A future of a trait object.
pub type Later<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What to serve of a role.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where to tell of health.
    pub health: Option<SocketAddr>,
    /// Where to tell of metrics and state.
    pub metrics: Option<SocketAddr>,
    /// Folder with the certificate of the metrics; without one it is self-signed.
    pub metrics_cert_dir: Option<PathBuf>,
    /// File with the token of a scraper, of a role on a folder.
    pub metrics_token_file: Option<PathBuf>,
    /// How to speak TLS.
    pub tls: tls::Options,
}

/// The end of a role, as its listeners see it.
#[derive(Clone, Debug)]
pub struct Ends {
    /// The role is to end: it is not ready any more, and who still comes is told to go elsewhere.
    pub stop: CancellationToken,
    /// Nothing is taken any more.
    pub close: CancellationToken,
}

impl Ends {
    /// The listeners end with the role.
    #[must_use]
    pub fn at_once(stop: &CancellationToken) -> Self {
        Self {
            stop: stop.clone(),
            close: stop.clone(),
        }
    }

    /// They stay for so long after `stop`: whoever calls a Pod goes on until it hears that the Pod ends.
    #[must_use]
    pub fn after(stop: &CancellationToken, stay: Duration) -> Self {
        let ends = Self {
            stop: stop.clone(),
            close: CancellationToken::new(),
        };
        let (stop, close) = (ends.stop.clone(), ends.close.clone());
        tokio::spawn(async move {
            stop.cancelled().await;
            tokio::time::sleep(stay).await;
            close.cancel();
        });
        ends
    }
}

/// Where webhooks listen and where their certificate comes from.
#[derive(Clone, Debug)]
pub struct WebhookSettings {
    /// Where to listen.
    pub address: SocketAddr,
    /// Whether HTTP/2 is offered.
    pub http2: bool,
    /// Folder with tls.crt and tls.key.
    pub cert_dir: PathBuf,
    /// Whether this program makes and renews the certificate.
    pub rotates: bool,
    /// Name of the Service.
    pub service: String,
    /// Name of the Secret that keeps the certificate.
    pub secret: String,
}

/// What is behind the listeners of a role.
pub struct Behind {
    /// What the role needs before it is ready.
    pub waits: watch::Receiver<Waits>,
    /// Who may read metrics and state.
    pub authorise: Arc<dyn Authorise>,
    /// What they read.
    pub tell: Arc<dyn Tell>,
    /// Where refused connections are counted.
    pub metrics: Metrics,
}

/// A listener that is open, until its task ends.
#[derive(Debug)]
pub struct Serving {
    /// Where.
    pub address: SocketAddr,
    /// Ends after the `close` it was started with, when what was under way is answered or given up.
    pub task: JoinHandle<()>,
}

/// The listeners of a role.
#[derive(Debug, Default)]
pub struct Served {
    /// `/healthz` and `/readyz`.
    pub health: Option<Serving>,
    /// `/metrics` and `/status`.
    pub metrics: Option<Serving>,
}

impl Served {
    /// Waits until the listeners have come to their end.
    pub async fn ended(self) {
        for serving in self.health.into_iter().chain(self.metrics) {
            let _ = serving.task.await;
        }
    }
}

/// Opens the listeners of a role and serves them to its end. They are open when this returns. Metrics end
/// with the role, whose state they tell; health stays as long as any listener.
///
/// # Errors
/// A port that cannot be opened, a certificate that cannot be used.
pub async fn start(settings: &Settings, behind: Behind, ends: &Ends) -> Result<Served, Refusal> {
    let mut served = Served::default();
    if let Some(address) = settings.health {
        let listener = server::bind(address, "--health-probe-port").await?;
        let refused = behind.metrics.own().refused_by("health");
        let router = health::router(behind.waits, &ends.stop);
        let mut server = server::Server::new(None, router, refused);
        // Probes come on a connection each; one that stayed would hold a place for nobody.
        server.keep_alive = false;
        served.health = Some(server.spawn(listener, address, ends));
    }
    if let Some(address) = settings.metrics {
        let listener = server::bind(address, "--port").await?;
        let identity = metrics_identity(settings.metrics_cert_dir.as_ref(), &ends.stop)?;
        let tls = settings.tls.server(&identity, true)?;
        let refused = behind.metrics.own().refused_by("metrics");
        let router = metrics::router(behind.authorise, behind.tell);
        let server = server::Server::new(Some(tls), router, refused);
        let ends = Ends::at_once(&ends.stop);
        served.metrics = Some(server.spawn(listener, address, &ends));
    }
    Ok(served)
}

fn metrics_identity(dir: Option<&PathBuf>, stop: &CancellationToken) -> Result<Identity, Refusal> {
    let Some(dir) = dir else {
        return Identity::self_signed("localhost");
    };
    let identity = Identity::default();
    identity.load(dir).map_err(|fault| fault.refusal(dir))?;
    certificate::follow(dir.clone(), identity.clone(), stop.clone());
    Ok(identity)
}

/// Opens the listener of the webhooks and serves `router` until it is to close. While `identity` is empty no
/// handshake succeeds.
///
/// # Errors
/// A port that cannot be opened.
pub async fn webhooks(
    settings: &WebhookSettings,
    tls: &tls::Options,
    identity: &Identity,
    router: axum::Router,
    metrics: &Metrics,
    ends: &Ends,
) -> Result<Serving, Refusal> {
    let listener = server::bind(settings.address, "port of the webhooks").await?;
    let refused = metrics.own().refused_by("webhooks");
    let tls = tls.server(identity, settings.http2)?;
    let server = server::Server::new(Some(tls), webhooks::bounded(router), refused);
    Ok(server.spawn(listener, settings.address, ends))
}

#[cfg(test)]
mod tests;
