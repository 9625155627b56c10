// SPDX-License-Identifier: Apache-2.0
//! What a role on a folder serves: what it says when it is asked, as metrics and as it stands.

use std::{sync::Arc, time::Duration};

use ferrolb_telemetry::{
    Metrics,
    metrics::{Beats, BgpPeer, Layer2Address, Messages, PeerLabels, PoolUsage, Protocol, Standing},
};
use ferrolb_types::{Code, PoolName, ServiceKey, Severity};
use serde_json::Value;
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    Authorise, Behind, Ends, Later, Settings, Tell, TokenFile, Wait, Waits, start as open,
};
use crate::{
    args::Refusal,
    status::{
        report::{MessageReport, Report, ServiceReport, SessionReport},
        socket::Question,
    },
};

/// How long the role may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often to look whether the role is ready.
const LOOK: Duration = Duration::from_millis(200);

/// Opens what `settings` name, of a role that answers `questions`, and that counts heartbeats where it announces.
///
/// # Errors
/// As [`super::start`].
pub(crate) async fn start(
    settings: &Settings,
    role: &'static str,
    node: Option<&str>,
    beats: Option<Beats>,
    questions: mpsc::Sender<Question>,
    stop: &CancellationToken,
) -> Result<(), Refusal> {
    if settings.health.is_none() && settings.metrics.is_none() {
        return Ok(());
    }
    let metrics = Metrics::new(role, env!("CARGO_PKG_VERSION"), node);
    if let Some(beats) = beats {
        metrics.own().tell_beats(beats);
    }
    let desk = Arc::new(Desk {
        questions,
        metrics: metrics.clone(),
    });
    let (ready, waits) = watch::channel(Waits::from([Wait::Manifests]));
    let token = settings.metrics_token_file.clone().unwrap_or_default();
    let behind = Behind {
        waits,
        authorise: Arc::new(TokenFile(token)) as Arc<dyn Authorise>,
        tell: Arc::clone(&desk) as Arc<dyn Tell>,
        metrics,
    };
    open(settings, behind, &Ends::at_once(stop)).await?;
    let stop = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            () = stop.cancelled() => {}
            () = desk.synced() => {
                let _ = ready.send(Waits::new());
                stop.cancelled().await;
            }
        }
    });
    Ok(())
}

/// Asks the role on behalf of who may.
struct Desk {
    questions: mpsc::Sender<Question>,
    metrics: Metrics,
}

impl Desk {
    async fn ask(&self) -> Option<Value> {
        let (tell, told) = oneshot::channel();
        let answer = async {
            self.questions.send(tell).await.ok()?;
            told.await.ok()
        };
        timeout(PATIENCE, answer).await.ok().flatten()
    }

    /// Ends when everything the role needs was read once.
    async fn synced(&self) {
        while !self
            .ask()
            .await
            .is_some_and(|report| report["synced"] == true)
        {
            sleep(LOOK).await;
        }
    }
}

impl Tell for Desk {
    fn metrics(&self) -> Later<'_, String> {
        Box::pin(async move {
            let report = self.ask().await.map(serde_json::from_value::<Report>);
            // Without an answer in time the figures of the time before stand.
            if let Some(Ok(report)) = report {
                fill(&self.metrics, &report);
            }
            self.metrics.render()
        })
    }

    fn status(&self) -> Later<'_, String> {
        Box::pin(async move { self.ask().await.unwrap_or_default().to_string() })
    }
}

fn fill(metrics: &Metrics, report: &Report) {
    let client = metrics.client();
    client.config_loaded.set(report.synced);
    let refused = report.faults.iter().any(|fault| fault.severity == "error");
    client.config_stale.set(refused);
    let own = metrics.own();
    own.ready.set(report.synced);
    own.tell_fault_counts(report.faults.iter().filter_map(|fault| {
        let severity = match fault.severity.as_str() {
            "error" => Severity::Error,
            _ => Severity::Warning,
        };
        Some((Code::find(&fault.code)?, severity))
    }));
    metrics.tell_pools(report.pools.iter().map(pool).collect());
    metrics
        .announced()
        .replace(report.services.iter().flat_map(announced));
    metrics.tell_bgp(report.sessions.iter().filter_map(session).collect());
    metrics.tell_layer2(report.addresses.iter().filter_map(layer2).collect());
    if report.role != "speaker" {
        own.tell_standing(standing(&report.services));
    }
}

fn standing(services: &[ServiceReport]) -> Standing {
    let count = |is_so: fn(&&ServiceReport) -> bool| services.iter().filter(is_so).count();
    Standing {
        served: count(|service| !service.addresses.is_empty()),
        waiting: count(|service| service.pending.is_some()),
    }
}

fn pool(pool: &crate::status::report::PoolReport) -> PoolUsage {
    PoolUsage {
        pool: PoolName::from(pool.pool.as_str()),
        ipv4_total: pool.ipv4_total,
        ipv6_total: pool.ipv6_total,
        ipv4_in_use: pool.ipv4_in_use,
        ipv6_in_use: pool.ipv6_in_use,
    }
}

/// A report says of each protocol `yes, …` or `no (…)`.
fn announced(
    service: &ServiceReport,
) -> impl Iterator<Item = (ServiceKey, Protocol, &[std::net::IpAddr])> {
    let key = service.service.split_once('/');
    let key = key.map(|(namespace, name)| ServiceKey::new(namespace, name));
    let said = [
        (Protocol::Bgp, &service.bgp),
        (Protocol::Layer2, &service.layer2),
    ];
    said.into_iter().filter_map(move |(protocol, text)| {
        let yes = text.as_ref().is_some_and(|text| text.starts_with("yes"));
        Some((
            key.clone().filter(|_| yes)?,
            protocol,
            service.addresses.as_slice(),
        ))
    })
}

fn session(session: &SessionReport) -> Option<BgpPeer> {
    let remote: std::net::SocketAddr = session.remote.parse().ok()?;
    Some(BgpPeer {
        labels: PeerLabels::bgp(remote.ip(), remote.port(), None),
        up: session.state == "Established",
        advertised: session.advertised,
        pending: session.pending,
        sent: messages(session.sent),
        received: messages(session.received),
        losses: session.flaps,
    })
}

fn messages(report: MessageReport) -> Messages {
    Messages {
        open: report.open,
        update: report.update,
        notification: report.notification,
        keepalive: report.keepalive,
        route_refresh: report.route_refresh,
    }
}

fn layer2(address: &crate::status::report::AddressReport) -> Option<Layer2Address> {
    Some(Layer2Address {
        address: address.address.parse().ok()?,
        requests_received: address.requests,
        responses_sent: address.responses,
        gratuitous_sent: address.gratuitous,
    })
}
