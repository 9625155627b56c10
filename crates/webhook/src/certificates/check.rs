// SPDX-License-Identifier: Apache-2.0
//! Says whether what the Secret holds can be served, and until when.
//!
//! Certificates that others made (MetalLB's, with RSA keys, or cert-manager's) are good as long as an API
//! server would accept them.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rustls::{
    CertificateError, RootCertStore,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier},
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject},
    sign::CertifiedKey,
};
use x509_parser::{
    prelude::{FromDer, X509Certificate},
    time::ASN1Time,
};

use super::{Material, Names, issue};

/// How long before its end a certificate is renewed.
const AHEAD: Duration = Duration::from_secs(90 * 24 * 3600);

/// What to do with the certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing until then.
    Fine {
        /// When they are due to be renewed.
        until: SystemTime,
    },
    /// The serving certificate alone must be renewed: whoever trusts the authority goes on trusting.
    RenewLeaf(Reason),
    /// The authority too.
    RenewAll(Reason),
}

/// Why certificates must be renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// There is none, or it is no PEM text with a certificate.
    NoCertificate,
    /// There is no private key, or none that can be read.
    NoKey,
    /// The private key belongs to another certificate.
    OtherKey,
    /// The authority's certificate is not one of an authority.
    NoAuthority,
    /// Its time is over.
    Expired,
    /// Its time ends within 90 days.
    ExpiresSoon,
    /// Its time has not begun.
    NotYetValid,
    /// The authority has not signed it.
    OtherAuthority,
    /// It does not have the name of the Service.
    OtherNames,
    /// It is not for servers, or an API server would refuse it for another cause.
    Unusable,
    /// The serving certificate must be renewed and the authority's key is of a kind that cannot sign here
    /// (RSA as PKCS #1).
    CannotSign,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoCertificate => "there is no certificate",
            Self::NoKey => "there is no usable private key",
            Self::OtherKey => "the private key belongs to another certificate",
            Self::NoAuthority => "the certificate is not one of an authority",
            Self::Expired => "the certificate has expired",
            Self::ExpiresSoon => "the certificate expires within 90 days",
            Self::NotYetValid => "the certificate is not valid yet",
            Self::OtherAuthority => "the authority has not signed the certificate",
            Self::OtherNames => "the certificate does not have the name of the Service",
            Self::Unusable => "an API server would not accept the certificate",
            Self::CannotSign => "the authority's key is of a kind that cannot sign here",
        })
    }
}

/// Checks what the Secret holds.
#[must_use]
pub fn check(material: &Material, names: &Names, now: SystemTime) -> State {
    let (authority, ends) = match authority(material, now) {
        Ok(found) => found,
        Err(reason) => return State::RenewAll(reason),
    };
    match leaf(material, authority, names, now) {
        Ok(until) => State::Fine {
            until: until.min(ends),
        },
        Err(_) if issue::issuer(material).is_err() => State::RenewAll(Reason::CannotSign),
        Err(reason) => State::RenewLeaf(reason),
    }
}

/// The certificate of the authority, and when it is due.
fn authority(
    material: &Material,
    now: SystemTime,
) -> Result<(CertificateDer<'static>, SystemTime), Reason> {
    let chain = chain(&material.ca_certificate)?;
    let first = chain.first().cloned().ok_or(Reason::NoCertificate)?;
    let term = Term::of(&first)?;
    if !term.is_authority {
        return Err(Reason::NoAuthority);
    }
    let until = term.until(now)?;
    check_key(chain, &material.ca_key)?;
    Ok((first, until))
}

/// The first certificate as PEM, where it is one of an authority whose time is not over.
pub(super) fn trusted(pem: &[u8], now: SystemTime) -> Option<String> {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    const END: &str = "-----END CERTIFICATE-----";
    let text = std::str::from_utf8(pem).ok()?;
    let (begin, end) = (text.find(BEGIN)?, text.find(END)? + END.len());
    let first = format!("{}\n", text.get(begin..end)?);
    let der = CertificateDer::from_pem_slice(first.as_bytes()).ok()?;
    let term = Term::of(&der).ok()?;
    (term.is_authority && term.begins <= now && now < term.ends).then_some(first)
}

/// When the serving certificate is due.
fn leaf(
    material: &Material,
    authority: CertificateDer<'static>,
    names: &Names,
    now: SystemTime,
) -> Result<SystemTime, Reason> {
    let chain = chain(&material.certificate)?;
    let first = chain.first().ok_or(Reason::NoCertificate)?;
    let until = Term::of(first)?.until(now)?;
    serves(material, authority, names, now)?;
    Ok(until)
}

/// Whether the certificate is good now for whoever trusts the authority in it and calls by the primary name,
/// be it due to be renewed or not.
#[must_use]
pub fn is_usable(material: &Material, names: &Names, now: SystemTime) -> bool {
    let authority = trusted(&material.ca_certificate, now);
    let authority = authority.and_then(|pem| CertificateDer::from_pem_slice(pem.as_bytes()).ok());
    authority.is_some_and(|authority| serves(material, authority, names, now).is_ok())
}

/// That the certificate convinces whoever trusts the authority.
fn serves(
    material: &Material,
    authority: CertificateDer<'static>,
    names: &Names,
    now: SystemTime,
) -> Result<(), Reason> {
    let chain = chain(&material.certificate)?;
    let (first, between) = chain.split_first().ok_or(Reason::NoCertificate)?;
    let mut roots = RootCertStore::empty();
    roots.add(authority).map_err(|_| Reason::NoAuthority)?;
    let provider = Arc::new(ring::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map_err(|_| Reason::NoAuthority)?;
    let name = ServerName::try_from(names.primary()).map_err(|_| Reason::OtherNames)?;
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    verifier
        .verify_server_cert(
            first,
            between,
            &name,
            &[],
            UnixTime::since_unix_epoch(since),
        )
        .map_err(|error| reason(&error))?;
    check_key(chain, &material.key)
}

fn chain(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Reason> {
    let all = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
    let all = all.map_err(|_| Reason::NoCertificate)?;
    Some(all)
        .filter(|all| !all.is_empty())
        .ok_or(Reason::NoCertificate)
}

/// What a certificate says of itself.
struct Term {
    is_authority: bool,
    begins: SystemTime,
    ends: SystemTime,
}

impl Term {
    fn of(der: &CertificateDer<'_>) -> Result<Self, Reason> {
        let (_, certificate) = X509Certificate::from_der(der).map_err(|_| Reason::NoCertificate)?;
        let moment = |time: ASN1Time| {
            let seconds = u64::try_from(time.timestamp()).unwrap_or(0);
            UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
        };
        let validity = certificate.validity();
        Ok(Self {
            is_authority: certificate.is_ca(),
            begins: moment(validity.not_before).ok_or(Reason::NotYetValid)?,
            ends: moment(validity.not_after).ok_or(Reason::Expired)?,
        })
    }

    /// When it is due to be renewed.
    fn until(&self, now: SystemTime) -> Result<SystemTime, Reason> {
        let until = self.ends.checked_sub(AHEAD).ok_or(Reason::Expired)?;
        match now {
            _ if now < self.begins => Err(Reason::NotYetValid),
            _ if now >= self.ends => Err(Reason::Expired),
            _ if now >= until => Err(Reason::ExpiresSoon),
            _ => Ok(until),
        }
    }
}

fn check_key(chain: Vec<CertificateDer<'static>>, pem: &[u8]) -> Result<(), Reason> {
    let key = PrivateKeyDer::from_pem_slice(pem).map_err(|_| Reason::NoKey)?;
    let key = ring::sign::any_supported_type(&key).map_err(|_| Reason::NoKey)?;
    let pair = CertifiedKey::new(chain, key);
    pair.keys_match().map_err(|_| Reason::OtherKey)
}

fn reason(error: &rustls::Error) -> Reason {
    let rustls::Error::InvalidCertificate(error) = error else {
        return Reason::Unusable;
    };
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => Reason::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            Reason::NotYetValid
        }
        CertificateError::UnknownIssuer | CertificateError::BadSignature => Reason::OtherAuthority,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            Reason::OtherNames
        }
        _ => Reason::Unusable,
    }
}
