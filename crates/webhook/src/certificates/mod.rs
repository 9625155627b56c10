// SPDX-License-Identifier: Apache-2.0
//! The certificates that the webhooks are served with: an authority of our own and a leaf signed by it.
//!
//! [`check`] says whether the contents of the Secret can go on, [`is_usable`] whether they serve at least until
//! they are renewed, [`renew`] makes what is missing. Time comes
//! from outside, and nothing is written here: the Secret, the `caBundle` of the webhooks and the listener are
//! the business of others. No text that comes from here holds a key.

mod check;
mod issue;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, fmt, time::SystemTime};

use k8s_openapi::ByteString;

pub use check::{Reason, State, check, is_usable};
pub use issue::Error;

/// The key of the Secret with the certificate of the authority: what goes into `caBundle`.
pub const CA_CERTIFICATE: &str = "ca.crt";
/// The key of the Secret with the private key of the authority.
pub const CA_KEY: &str = "ca.key";
/// The key of the Secret with the certificate that is served.
pub const CERTIFICATE: &str = "tls.crt";
/// The key of the Secret with the private key of the certificate that is served.
pub const KEY: &str = "tls.key";

/// The contents of the Secret, each as PEM; empty where missing.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Material {
    /// The certificate of the authority; for a while after a change, that of the old one behind it. All of
    /// it goes into `caBundle`.
    pub ca_certificate: Vec<u8>,
    /// Its private key.
    pub ca_key: Vec<u8>,
    /// The certificate that is served.
    pub certificate: Vec<u8>,
    /// Its private key.
    pub key: Vec<u8>,
}

impl Material {
    /// Takes the four entries out of a Secret's `data`.
    #[must_use]
    pub fn from_secret(data: &BTreeMap<String, ByteString>) -> Self {
        let entry = |key: &str| {
            data.get(key)
                .map(|bytes| bytes.0.clone())
                .unwrap_or_default()
        };
        Self {
            ca_certificate: entry(CA_CERTIFICATE),
            ca_key: entry(CA_KEY),
            certificate: entry(CERTIFICATE),
            key: entry(KEY),
        }
    }

    /// The four entries for a Secret's `data`.
    #[must_use]
    pub fn to_secret(&self) -> BTreeMap<String, ByteString> {
        let entries = [
            (CA_CERTIFICATE, &self.ca_certificate),
            (CA_KEY, &self.ca_key),
            (CERTIFICATE, &self.certificate),
            (KEY, &self.key),
        ];
        let entries = entries.into_iter();
        entries
            .map(|(key, bytes)| (key.to_owned(), ByteString(bytes.clone())))
            .collect()
    }
}

impl fmt::Debug for Material {
    /// Sizes alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Material")
            .field("ca_certificate", &self.ca_certificate.len())
            .field("certificate", &self.certificate.len())
            .finish_non_exhaustive()
    }
}

/// The names that a Service is called by inside the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    service: String,
    namespace: String,
}

impl Names {
    /// The names of a Service.
    #[must_use]
    pub fn new(service: impl Into<String>, namespace: impl Into<String>) -> Self {
        Self {
            service: service.into(),
            namespace: namespace.into(),
        }
    }

    /// The name by which an API server calls a webhook.
    #[must_use]
    pub fn primary(&self) -> String {
        format!("{}.{}.svc", self.service, self.namespace)
    }

    /// Every name, the primary one first.
    #[must_use]
    pub fn all(&self) -> Vec<String> {
        let short = format!("{}.{}", self.service, self.namespace);
        vec![self.primary(), short, self.service.clone()]
    }
}

/// What the Secret must hold from now on; nothing where it can stay as it is.
///
/// # Errors
/// Where no certificate can be made: for a name that is none, a time beyond reason, or for want of
/// randomness.
pub fn renew(
    present: &Material,
    names: &Names,
    now: SystemTime,
) -> Result<Option<Material>, Error> {
    match check(present, names, now) {
        State::Fine { .. } => Ok(None),
        State::RenewLeaf(_) => issue::renewed_leaf(present, names, now).map(Some),
        State::RenewAll(_) => issue::all(present, names, now).map(Some),
    }
}
