// SPDX-License-Identifier: Apache-2.0
//! Makes the authority and the certificate it signs.
//!
//! Keys are ECDSA on P-256 (RFC 5480): they are made at once, where an RSA key takes seconds of computing.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose,
};
use time::OffsetDateTime;

use super::{Material, Names, check};

const HOUR: Duration = Duration::from_secs(3600);
const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
/// RFC 5280 appendix A: `ub-common-name`.
const LONGEST_COMMON_NAME: usize = 64;

/// Why no certificate could be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The library refused.
    #[error("the certificate cannot be made: {0}")]
    Issue(#[from] rcgen::Error),
    /// A time that no certificate can hold.
    #[error("the clock is beyond what a certificate can say")]
    Time,
    /// The authority cannot be used; `check` says so before.
    #[error("the authority cannot be used")]
    Authority,
}

/// A new authority and a new leaf. The certificate of the old authority stays behind the new one: until
/// every replica serves the new leaf, the old one must be trusted too.
pub(super) fn all(present: &Material, names: &Names, now: SystemTime) -> Result<Material, Error> {
    let key = KeyPair::generate()?;
    let mut certificates = authority(now)?.self_signed(&key)?.pem();
    certificates.push_str(&check::trusted(&present.ca_certificate, now).unwrap_or_default());
    let present = Material {
        ca_certificate: certificates.into_bytes(),
        ca_key: key.serialize_pem().into_bytes(),
        ..Material::default()
    };
    leaf(&present, names, now)
}

/// A new leaf of the present authority; nobody serves one of an older authority by now.
pub(super) fn renewed_leaf(
    present: &Material,
    names: &Names,
    now: SystemTime,
) -> Result<Material, Error> {
    let mut present = present.clone();
    if let Some(authority) = check::trusted(&present.ca_certificate, now) {
        present.ca_certificate = authority.into_bytes();
    }
    leaf(&present, names, now)
}

fn leaf(present: &Material, names: &Names, now: SystemTime) -> Result<Material, Error> {
    let issuer = issuer(present)?;
    let key = KeyPair::generate()?;
    let certificate = serving(names, now)?.signed_by(&key, &issuer)?;
    Ok(Material {
        certificate: certificate.pem().into_bytes(),
        key: key.serialize_pem().into_bytes(),
        ..present.clone()
    })
}

/// The authority, ready to sign.
pub(super) fn issuer(present: &Material) -> Result<Issuer<'static, KeyPair>, Error> {
    let text = |bytes| std::str::from_utf8(bytes).map_err(|_| Error::Authority);
    let key = KeyPair::from_pem(text(&present.ca_key)?)?;
    let issuer = Issuer::from_ca_cert_pem(text(&present.ca_certificate)?, key)?;
    Ok(issuer)
}

fn authority(now: SystemTime) -> Result<CertificateParams, Error> {
    let mut params = CertificateParams::default();
    // No alternative name: MetalLB, coming back, finds the authority wanting and makes one it can sign with.
    params.distinguished_name = DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::OrganizationName, "metallb");
    params.distinguished_name.push(DnType::CommonName, "cert");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![
        KeyUsagePurpose::KeyCertSign,
        KeyUsagePurpose::DigitalSignature,
    ];
    limit(&mut params, now, 10 * YEAR)?;
    Ok(params)
}

fn serving(names: &Names, now: SystemTime) -> Result<CertificateParams, Error> {
    let mut params = CertificateParams::new(names.all())?;
    let primary = names.primary();
    params.distinguished_name = DistinguishedName::new();
    if primary.len() <= LONGEST_COMMON_NAME {
        params.distinguished_name.push(DnType::CommonName, primary);
    }
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    limit(&mut params, now, YEAR)?;
    Ok(params)
}

/// Valid from an hour ago, for the sake of clocks that are behind.
fn limit(params: &mut CertificateParams, now: SystemTime, span: Duration) -> Result<(), Error> {
    let since = now.duration_since(UNIX_EPOCH).map_err(|_| Error::Time)?;
    params.not_before = moment(since.saturating_sub(HOUR))?;
    params.not_after = moment(since.checked_add(span).ok_or(Error::Time)?)?;
    Ok(())
}

fn moment(since: Duration) -> Result<OffsetDateTime, Error> {
    let seconds = i64::try_from(since.as_secs()).map_err(|_| Error::Time)?;
    OffsetDateTime::from_unix_timestamp(seconds).map_err(|_| Error::Time)
}
