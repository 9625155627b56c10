// SPDX-License-Identifier: Apache-2.0
//! The webhooks of the controller: their listener ([`super::reviews`] answers), and the certificate they
//! are served with.

use std::time::{Duration, SystemTime};

use ferrolb_kube_io::{
    Cluster,
    webhooks::{
        CertificateChange, CertificateNames, CertificateSecret, create_certificates,
        follow_certificates, inject_conversion, inject_webhooks, write_certificates,
    },
};
use ferrolb_webhook::certificates::{self, CA_CERTIFICATE, CERTIFICATE, KEY, Material, Names};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::{monitor::Monitor, reviews};
use crate::{
    args::WebhookMode,
    serve::{self, Ends, Identity, Serving, Wait, WebhookSettings, certificate},
};

/// The webhook configuration and the definition with a conversion that MetalLB's manifests have.
const CONFIGURATION: &str = "metallb-webhook-configuration";
const DEFINITION: &str = "bgppeers.metallb.io";
/// How often a certificate that nobody touches is looked at.
const LOOK: Duration = Duration::from_secs(12 * 60 * 60);
/// The pause after something that did not work, doubled each time up to the longest.
const RETRY: Duration = Duration::from_secs(5);
const LONGEST_RETRY: Duration = Duration::from_secs(60);
/// How long webhooks are answered once the role is to end: about as long as a Pod that ends stays among
/// the endpoints that the API server calls, which with `failurePolicy: Fail` lets nothing be written
/// when it finds nobody there.
const STAY: Duration = Duration::from_secs(3);

/// When the listeners of a controller close: at once, but for one that serves webhooks.
pub(super) fn ends(mode: WebhookMode, stop: &CancellationToken) -> Ends {
    match mode {
        WebhookMode::Disabled => Ends::at_once(stop),
        WebhookMode::Enabled | WebhookMode::OnlyWebhook => Ends::after(stop, STAY),
    }
}

/// Waits until the last request is answered.
pub(super) async fn ended(serving: Option<Serving>) {
    if let Some(serving) = serving {
        let _ = serving.task.await;
    }
}

/// Opens the listener, which is given, and keeps its certificate until the role is to end. Requests are
/// answered until the listener closes.
pub(super) async fn start(
    cluster: &Cluster,
    settings: &WebhookSettings,
    tls: &serve::tls::Options,
    monitor: &Monitor,
    ends: &Ends,
) -> Result<Serving, crate::args::Refusal> {
    let stop = &ends.stop;
    let identity = Identity::default();
    let router = reviews::router(cluster.clone());
    let serving = serve::webhooks(settings, tls, &identity, router, &monitor.metrics, ends).await?;
    tokio::spawn(tell(identity.clone(), monitor.clone(), stop.clone()));
    if settings.rotates {
        let keeper = Keeper::new(cluster.clone(), settings, identity);
        tokio::spawn(keeper.run(stop.clone()));
    } else {
        certificate::follow(settings.cert_dir.clone(), identity, stop.clone());
    }
    Ok(serving)
}

/// Tells that there is a certificate, once there is.
async fn tell(identity: Identity, monitor: Monitor, stop: CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = identity.comes() => monitor.has(Wait::Certificate),
    }
}

/// Keeps the certificate: in the Secret, before the listener, and with those who have to trust it.
struct Keeper {
    cluster: Cluster,
    secret: String,
    names: Names,
    identity: Identity,
    /// The Secret as it stands; nothing before it was looked for.
    present: Option<Stands>,
    /// Whether somebody may not trust the authority yet.
    inject: bool,
    look_at: Instant,
    /// The pause after the next failure.
    pause: Duration,
}

/// The Secret, or that there is none.
type Stands = Option<CertificateSecret>;

impl Keeper {
    fn new(cluster: Cluster, settings: &WebhookSettings, identity: Identity) -> Self {
        Self {
            names: Names::new(settings.service.as_str(), cluster.namespace()),
            secret: settings.secret.clone(),
            cluster,
            identity,
            present: None,
            inject: false,
            look_at: Instant::now() + LOOK,
            pause: RETRY,
        }
    }

    async fn run(mut self, stop: CancellationToken) {
        let names = CertificateNames {
            secret: self.secret.clone(),
            configuration: CONFIGURATION.to_owned(),
            crd: DEFINITION.to_owned(),
        };
        let mut changes = follow_certificates(&self.cluster, &names, &stop);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep_until(self.look_at) => {}
                batch = changes.recv() => match batch {
                    Some(batch) => batch.into_iter().for_each(|change| self.note(change)),
                    None => return,
                },
            }
            match self.settle().await {
                Ok(()) => (self.look_at, self.pause) = (Instant::now() + LOOK, RETRY),
                Err(error) => self.try_again(&error),
            }
        }
    }

    fn note(&mut self, change: CertificateChange) {
        match change {
            CertificateChange::Secret(secret) => {
                self.present = Some(secret);
                self.inject = true;
            }
            CertificateChange::Looked => drop(self.present.get_or_insert_default()),
            CertificateChange::Configuration | CertificateChange::Definition => self.inject = true,
        }
    }

    fn try_again(&mut self, error: &anyhow::Error) {
        self.look_at = Instant::now() + self.pause;
        let outrun = error.downcast_ref::<ferrolb_kube_io::Error>();
        if outrun.is_some_and(ferrolb_kube_io::Error::is_conflict) {
            tracing::info!("another replica wrote first; its certificate is awaited");
            return;
        }
        self.pause = (self.pause * 2).min(LONGEST_RETRY);
        let error = format!("{error:#}");
        tracing::warn!(error, "the certificate of the webhooks is not in order yet");
    }

    async fn settle(&mut self) -> anyhow::Result<()> {
        let Some(present) = &self.present else {
            return Ok(());
        };
        // First what is there and good: renewing it may be refused for ever, as where the Secret is immutable.
        let usable = |secret: &CertificateSecret| {
            certificates::is_usable(&material(secret), &self.names, SystemTime::now())
        };
        let shown = match present.as_ref().is_some_and(usable) {
            true => self.show().await,
            false => Ok(()),
        };
        match self.renew().await? {
            true => self.show().await,
            false => shown,
        }
    }

    /// Shows what the Secret holds to whoever calls.
    async fn show(&mut self) -> anyhow::Result<()> {
        let Some(Some(present)) = &self.present else {
            return Ok(());
        };
        let entry = |key: &str| present.data.get(key).map(Vec::as_slice).unwrap_or_default();
        // Those who call are told whom to trust before they see what they do not know.
        let trusted = match self.inject {
            true => self.trust(entry(CA_CERTIFICATE)).await,
            false => Ok(()),
        };
        self.identity.set_pem(entry(CERTIFICATE), entry(KEY))?;
        self.inject = trusted.is_err();
        Ok(trusted?)
    }

    /// Renews what is due; whether anything was.
    async fn renew(&mut self) -> anyhow::Result<bool> {
        let present = self.present.as_ref().and_then(Option::as_ref);
        let Some(written) = self.renewed(present).await? else {
            return Ok(false);
        };
        tracing::info!(secret = self.secret, "certificate of the webhooks renewed");
        self.present = Some(Some(written));
        self.inject = true;
        Ok(true)
    }

    /// The Secret with what was missing in it, or made anew where there is none.
    async fn renewed(
        &self,
        present: Option<&CertificateSecret>,
    ) -> anyhow::Result<Option<CertificateSecret>> {
        let nothing = CertificateSecret::default();
        let material = material(present.unwrap_or(&nothing));
        let Some(renewed) = certificates::renew(&material, &self.names, SystemTime::now())? else {
            return Ok(None);
        };
        let data = data(present.unwrap_or(&nothing), &renewed);
        // Where another replica is faster, the watch tells of its certificate.
        let written = match present {
            Some(present) => {
                let resource_version = present.resource_version.clone();
                let secret = CertificateSecret {
                    data,
                    resource_version,
                };
                write_certificates(&self.cluster, &self.secret, &secret).await?
            }
            None => create_certificates(&self.cluster, &self.secret, &data).await?,
        };
        Ok(Some(written))
    }

    async fn trust(&self, authority: &[u8]) -> Result<(), ferrolb_kube_io::Error> {
        inject_webhooks(&self.cluster, CONFIGURATION, authority).await?;
        inject_conversion(&self.cluster, DEFINITION, authority).await?;
        Ok(())
    }
}

fn material(secret: &CertificateSecret) -> Material {
    let entry = |key: &str| secret.data.get(key).cloned().unwrap_or_default();
    Material {
        ca_certificate: entry(CA_CERTIFICATE),
        ca_key: entry(certificates::CA_KEY),
        certificate: entry(CERTIFICATE),
        key: entry(KEY),
    }
}

/// What the Secret holds from now on: whatever else stands in it stays.
fn data(
    present: &CertificateSecret,
    renewed: &Material,
) -> std::collections::BTreeMap<String, Vec<u8>> {
    let mut data = present.data.clone();
    data.extend(
        renewed
            .to_secret()
            .into_iter()
            .map(|(key, bytes)| (key, bytes.0)),
    );
    data
}
