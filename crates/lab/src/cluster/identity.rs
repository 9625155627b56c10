// SPDX-License-Identifier: Apache-2.0
//! The keys of a cluster: one authority, the API server's certificate, the key of ServiceAccounts.

use std::{
    fs,
    net::IpAddr,
    path::{Path, PathBuf},
};

use anyhow::Result;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

use super::Site;

/// Files of keys, and the authority that clients trust.
pub(super) struct Identity {
    dir: PathBuf,
    /// The authority's certificate, as PEM.
    pub(super) authority: String,
    /// The same, as DER.
    pub(super) authority_der: Vec<u8>,
}

impl Identity {
    pub(super) fn make(site: &Site) -> Result<Self> {
        let (authority, issuer) = authority()?;
        let identity = Self {
            dir: site.dir.clone(),
            authority: authority.pem(),
            authority_der: authority.der().to_vec(),
        };
        let (certificate, key) = serving(site.address, &issuer)?;
        fs::write(identity.file("ca.crt"), &identity.authority)?;
        fs::write(identity.file("api.crt"), certificate)?;
        fs::write(identity.file("api.key"), key)?;
        let accounts = KeyPair::generate()?;
        fs::write(identity.file("accounts.key"), accounts.serialize_pem())?;
        fs::write(identity.file("accounts.pub"), accounts.public_key_pem())?;
        Ok(identity)
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        Path::new(&self.dir).join(name)
    }
}

fn authority() -> Result<(rcgen::Certificate, Issuer<'static, KeyPair>)> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(Vec::new())?;
    params
        .distinguished_name
        .push(DnType::CommonName, "cluster of the lab");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![
        KeyUsagePurpose::KeyCertSign,
        KeyUsagePurpose::DigitalSignature,
    ];
    let certificate = params.self_signed(&key)?;
    Ok((certificate, Issuer::new(params, key)))
}

fn serving(address: IpAddr, issuer: &Issuer<'_, KeyPair>) -> Result<(String, String)> {
    let key = KeyPair::generate()?;
    let names = [
        &address.to_string(),
        "127.0.0.1",
        "::1",
        "localhost",
        "kubernetes.default.svc",
    ];
    let mut params = CertificateParams::new(names.map(str::to_owned))?;
    params
        .distinguished_name
        .push(DnType::CommonName, "kube-apiserver");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let certificate = params.signed_by(&key, issuer)?;
    Ok((certificate.pem(), key.serialize_pem()))
}
