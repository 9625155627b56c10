// SPDX-License-Identifier: Apache-2.0
//! How TLS is spoken: versions, cipher suites and curves, by the names MetalLB's flags give them.

use std::{fmt, sync::Arc};

use rustls::{
    ServerConfig, SupportedCipherSuite, SupportedProtocolVersion,
    crypto::{CryptoProvider, SupportedKxGroup, ring},
    server::NoServerSessionStorage,
    version::{TLS12, TLS13},
};

use super::{Identity, server::H2};
use crate::args::{Refusal, bad_value, excluded};

type Version = &'static SupportedProtocolVersion;

static TLS13_ALONE: [Version; 1] = [&TLS13];
static FROM_TLS12: [Version; 2] = [&TLS13, &TLS12];

/// Names a process-wide provider of cryptography, once, for every library that asks for one.
pub fn install_provider() {
    // A second call finds the first one's choice, which is the same.
    let _ = ring::default_provider().install_default();
}

/// How TLS is spoken.
#[derive(Clone)]
pub struct Options {
    versions: &'static [Version],
    provider: Arc<CryptoProvider>,
}

impl Default for Options {
    /// TLS 1.3 with everything there is.
    fn default() -> Self {
        Self {
            versions: &TLS13_ALONE,
            provider: Arc::new(ring::default_provider()),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("versions", &self.versions)
            .field("suites", &self.provider.cipher_suites)
            .field("groups", &self.provider.kx_groups)
            .finish()
    }
}

impl Options {
    /// Reads `--tls-min-version`, `--tls-cipher-suites` and `--tls-curve-preferences`; empty is the default.
    ///
    /// # Errors
    /// A name or a number that is not known or not offered, and suites where TLS 1.2 is not spoken.
    pub fn parse(version: &str, suites: &str, curves: &str) -> Result<Self, Refusal> {
        let versions = versions(version)?;
        if !suites.is_empty() && versions.len() == 1 {
            let mut refusal = excluded("--tls-cipher-suites", "--tls-min-version=VersionTLS13");
            "the suites of TLS 1.3, which is the lowest version by default, cannot be chosen"
                .clone_into(&mut refusal.cause);
            "leave the suites out, or set --tls-min-version=VersionTLS12"
                .clone_into(&mut refusal.remedy);
            return Err(refusal);
        }
        let mut provider = ring::default_provider();
        if !suites.is_empty() {
            provider.cipher_suites = cipher_suites(&provider.cipher_suites, suites)?;
        }
        if !curves.is_empty() {
            provider.kx_groups = groups(curves)?;
        }
        Ok(Self {
            versions,
            provider: Arc::new(provider),
        })
    }

    /// A server's side, showing whatever `identity` is at the time of each handshake.
    pub(super) fn server(
        &self,
        identity: &Identity,
        http2: bool,
    ) -> Result<Arc<ServerConfig>, Refusal> {
        let builder = ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_protocol_versions(self.versions)
            .map_err(|error| {
                let cause = error.to_string();
                bad_value("--tls-cipher-suites", "", &cause, "name a suite of TLS 1.2")
            })?;
        let mut config = builder
            .with_no_client_auth()
            .with_cert_resolver(identity.resolver());
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        if http2 {
            config.alpn_protocols.insert(0, H2.to_vec());
        }
        // A resumed session would go on with a certificate that was replaced.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Arc::new(config))
    }
}

fn versions(name: &str) -> Result<&'static [Version], Refusal> {
    match name {
        "" | "VersionTLS13" => Ok(&TLS13_ALONE),
        // Those below are not offered; a client that could speak 1.0 alone is refused in any case.
        "VersionTLS10" | "VersionTLS11" | "VersionTLS12" => Ok(&FROM_TLS12),
        _ => {
            let cause = "it names no version of TLS";
            let remedy = "write VersionTLS12 or VersionTLS13";
            Err(bad_value("--tls-min-version", name, cause, remedy))
        }
    }
}

/// The suites named. Those of TLS 1.3 are always offered, as in Go.
fn cipher_suites(
    all: &[SupportedCipherSuite],
    names: &str,
) -> Result<Vec<SupportedCipherSuite>, Refusal> {
    let mut chosen: Vec<SupportedCipherSuite> = all
        .iter()
        .filter(|suite| suite.tls13().is_some())
        .copied()
        .collect();
    for name in names.split(',').map(str::trim) {
        let suite = all.iter().find(|suite| is_called(**suite, name));
        let suite = *suite.ok_or_else(|| {
            let offered: Vec<String> = all.iter().map(|suite| go_name(*suite)).collect();
            let cause = "it names no cipher suite that is offered";
            let remedy = format!("choose from {}", offered.join(", "));
            bad_value("--tls-cipher-suites", name, cause, &remedy)
        })?;
        if !chosen.contains(&suite) {
            chosen.push(suite);
        }
    }
    Ok(chosen)
}

fn go_name(suite: SupportedCipherSuite) -> String {
    let name = format!("{:?}", suite.suite());
    name.replacen("TLS13_", "TLS_", 1)
}

/// Go knows the ChaCha20 suites by a short name too.
fn is_called(suite: SupportedCipherSuite, name: &str) -> bool {
    let known = go_name(suite);
    known == name
        || (name.ends_with("_CHACHA20_POLY1305") && known.strip_suffix("_SHA256") == Some(name))
}

fn groups(numbers: &str) -> Result<Vec<&'static dyn SupportedKxGroup>, Refusal> {
    const FLAG: &str = "--tls-curve-preferences";
    let remedy = "choose from 29 (X25519), 23 (P-256) and 24 (P-384)";
    let mut chosen: Vec<&'static dyn SupportedKxGroup> = Vec::new();
    for number in numbers.split(',').map(str::trim) {
        let group = match number.parse::<u16>() {
            Ok(29) => ring::kx_group::X25519,
            Ok(23) => ring::kx_group::SECP256R1,
            Ok(24) => ring::kx_group::SECP384R1,
            Ok(4588) => {
                let cause = "the hybrid X25519MLKEM768 is not offered";
                return Err(bad_value(FLAG, number, cause, remedy));
            }
            Ok(1..) => return Err(bad_value(FLAG, number, "no such curve is offered", remedy)),
            Ok(0) | Err(_) => {
                let cause = "it is no number of a curve, which goes from 1 to 65535";
                return Err(bad_value(FLAG, number, cause, remedy));
            }
        };
        if chosen.iter().any(|known| known.name() == group.name()) {
            return Err(bad_value(
                FLAG,
                number,
                "it stands there twice",
                "write it once",
            ));
        }
        chosen.push(group);
    }
    Ok(chosen)
}

#[cfg(test)]
mod tests {
    use rustls::NamedGroup;

    use super::*;

    fn refused(version: &str, suites: &str, curves: &str) -> String {
        Options::parse(version, suites, curves)
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn the_lowest_version_is_13_unless_said() {
        for name in ["", "VersionTLS13"] {
            assert_eq!(Options::parse(name, "", "").unwrap().versions.len(), 1);
        }
        for name in ["VersionTLS10", "VersionTLS11", "VersionTLS12"] {
            assert_eq!(Options::parse(name, "", "").unwrap().versions.len(), 2);
        }
        let text = refused("TLS12", "", "");
        assert!(
            text.contains("FLB-X002") && text.contains("--tls-min-version"),
            "{text}"
        );
    }

    #[test]
    fn suites_go_with_tls_12_alone() {
        let suite = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256";
        for version in ["", "VersionTLS13"] {
            let text = refused(version, suite, "");
            assert!(
                text.contains("FLB-X008") && text.contains("--tls-cipher-suites"),
                "{text}"
            );
        }
        let options = Options::parse("VersionTLS12", suite, "").unwrap();
        let names: Vec<String> = options
            .provider
            .cipher_suites
            .iter()
            .map(|s| go_name(*s))
            .collect();
        assert_eq!(names.len(), 4, "{names:?}");
        assert_eq!(names.last().map(String::as_str), Some(suite));
    }

    #[test]
    fn gos_names_of_suites_are_known() {
        for name in [
            "TLS_AES_128_GCM_SHA256",
            "TLS_CHACHA20_POLY1305_SHA256",
            "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305",
            "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
            "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        ] {
            assert!(Options::parse("VersionTLS12", name, "").is_ok(), "{name}");
        }
        for name in [
            "TLS_RSA_WITH_AES_128_CBC_SHA",
            "garbage",
            "TLS_AES_128_GCM_SHA256,",
        ] {
            let text = refused("VersionTLS12", name, "");
            assert!(
                text.contains("FLB-X002") && text.contains("choose from"),
                "{text}"
            );
        }
    }

    #[test]
    fn curves_are_numbers_in_the_order_of_preference() {
        let options = Options::parse("", "", "24,29").unwrap();
        let names: Vec<NamedGroup> = options
            .provider
            .kx_groups
            .iter()
            .map(|g| g.name())
            .collect();
        assert_eq!(names, [NamedGroup::secp384r1, NamedGroup::X25519]);
        for (curves, word) in [
            ("X25519", "no number"),
            ("29,29", "twice"),
            ("4588", "X25519MLKEM768"),
            ("25", "offered"),
            ("0", "65535"),
            ("65536", "65535"),
            ("29,", "no number"),
        ] {
            let text = refused("", "", curves);
            assert!(
                text.contains(word) && text.contains("29 (X25519)") | text.contains("once"),
                "{text}"
            );
        }
    }
}
