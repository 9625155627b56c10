// SPDX-License-Identifier: Apache-2.0
//! The flags of what a role serves: health, metrics, TLS.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
};

use clap::Args;

use super::{Refusal, missing};
use crate::serve::{self, tls};

/// MetalLB's ports.
const METRICS: u16 = 9120;
const HEALTH: u16 = 17472;

const EVERYWHERE: IpAddr = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// The flags of what a role serves.
#[derive(Clone, Debug, Default, Args)]
pub struct ServingFlags {
    /// Port of the metrics, by HTTPS; 0 is none [default: 9120; none with --dir].
    #[arg(long, value_name = "PORT")]
    pub port: Option<u16>,
    /// Port of /healthz and /readyz, by HTTP; 0 is none [default: 17472; none with --dir].
    #[arg(long, value_name = "PORT")]
    pub health_probe_port: Option<u16>,
    /// Folder with the tls.crt and tls.key of the metrics [default: self-signed].
    #[arg(long, value_name = "DIR")]
    pub metrics_cert_dir: Option<PathBuf>,
    /// With --dir: file with the token that a scraper must show; without it there are no metrics.
    #[arg(long, value_name = "FILE")]
    pub metrics_token_file: Option<PathBuf>,
    /// Lowest version of TLS: VersionTLS12 or VersionTLS13 [default: VersionTLS13].
    #[arg(long, value_name = "VERSION")]
    pub tls_min_version: Option<String>,
    /// Cipher suites of TLS 1.2 by their Go names, with commas.
    #[arg(long, value_name = "NAMES")]
    pub tls_cipher_suites: Option<String>,
    /// Curves by their numbers, with commas, the preferred one first: 29, 23, 24.
    #[arg(long, value_name = "NUMBERS")]
    pub tls_curve_preferences: Option<String>,
}

impl ServingFlags {
    /// Of a role on an API server. A speaker shares the network of its node and shows its health there alone.
    pub(super) fn on_cluster(&self, announces: bool) -> Result<serve::Settings, Refusal> {
        if self.metrics_token_file.is_some() {
            let cause = "it needs --dir: on an API server the scraper's own token is reviewed";
            return Err(missing("--metrics-token-file", cause, "leave it out"));
        }
        let health = if announces { LOOPBACK } else { EVERYWHERE };
        Ok(serve::Settings {
            health: socket(health, self.health_probe_port.unwrap_or(HEALTH)),
            metrics: socket(EVERYWHERE, self.port.unwrap_or(METRICS)),
            ..self.settings()?
        })
    }

    /// Of a role on a folder: nothing that was not asked for, and no metrics without a token.
    pub(super) fn on_folder(&self) -> Result<serve::Settings, Refusal> {
        let metrics = socket(EVERYWHERE, self.port.unwrap_or(0));
        if metrics.is_some() && self.metrics_token_file.is_none() {
            let cause = "without an API server nobody can review a scraper's token";
            let remedy = "name a file with the token it must show with --metrics-token-file";
            return Err(missing("--port", cause, remedy));
        }
        Ok(serve::Settings {
            health: socket(LOOPBACK, self.health_probe_port.unwrap_or(0)),
            metrics,
            ..self.settings()?
        })
    }

    fn settings(&self) -> Result<serve::Settings, Refusal> {
        let text = |flag: &Option<String>| flag.clone().unwrap_or_default();
        let cert_dir = self.metrics_cert_dir.clone();
        Ok(serve::Settings {
            health: None,
            metrics: None,
            metrics_cert_dir: cert_dir.filter(|dir| !dir.as_os_str().is_empty()),
            metrics_token_file: self.metrics_token_file.clone(),
            tls: tls::Options::parse(
                &text(&self.tls_min_version),
                &text(&self.tls_cipher_suites),
                &text(&self.tls_curve_preferences),
            )?,
        })
    }
}

fn socket(address: IpAddr, port: u16) -> Option<SocketAddr> {
    (port != 0).then(|| SocketAddr::new(address, port))
}
