// SPDX-License-Identifier: Apache-2.0
//! Certificates that others made, good and bad, and who trusts what is served.

use std::{fs, path::Path};

use ferrolb_lab::{Namespace, topology::Host};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use serde_json::{Value, json};

use super::stand::code;

/// The name by which an API server calls our webhooks.
pub const NAME: &str = "metallb-webhook-service.metallb-system.svc";

/// An authority and what it signed, as PEM.
pub struct Pair {
    pub authority: String,
    authority_key: String,
    certificate: String,
    key: String,
}

impl Pair {
    /// For this name, good until that year.
    pub fn new(name: &str, until: i32) -> Self {
        let authority_key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        let common = format!("somebody's, until {until}");
        params.distinguished_name.push(DnType::CommonName, common);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        let authority = params.self_signed(&authority_key).unwrap();
        let authority_pem = authority_key.serialize_pem();
        let issuer = Issuer::new(params, authority_key);

        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        let certificate = params.signed_by(&key, &issuer).unwrap();
        Self {
            authority: authority.pem(),
            authority_key: authority_pem,
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        }
    }

    /// As the fields of a Secret that are to be set.
    pub fn string_data(&self) -> Value {
        json!({ "stringData": {
            "ca.crt": self.authority, "ca.key": self.authority_key,
            "tls.crt": self.certificate, "tls.key": self.key,
        }})
    }

    /// The same, of a Secret that nobody may change, without the key to sign another: it is good, due to be
    /// renewed, and cannot be.
    pub fn for_good(&self) -> Value {
        let mut fields = self.string_data();
        fields["immutable"] = true.into();
        fields["stringData"]
            .as_object_mut()
            .unwrap()
            .remove("ca.key");
        fields
    }

    /// As a Secret is mounted: files behind a link to a folder, swapped as a whole.
    pub fn mount(&self, dir: &Path, version: &str) {
        let version = dir.join(version);
        fs::create_dir_all(&version).unwrap();
        fs::write(version.join("tls.crt"), &self.certificate).unwrap();
        fs::write(version.join("tls.key"), &self.key).unwrap();
        let link = dir.join("..new");
        std::os::unix::fs::symlink(&version, &link).unwrap();
        fs::rename(link, dir.join("..data")).unwrap();
        for name in ["tls.crt", "tls.key"] {
            let _ = std::os::unix::fs::symlink(Path::new("..data").join(name), dir.join(name));
        }
    }
}

/// Whether somebody who trusts this authority alone, and calls a host by this name, is served.
pub fn is_trusted(from: &Namespace, host: &Host, name: &str, port: u16, authority: &Path) -> bool {
    let resolve = format!("{name}:{port}:{}", host.v4());
    let url = format!("https://{name}:{port}/nothing");
    let authority = authority.to_string_lossy();
    let said = code(from, &["--resolve", &resolve, "--cacert", &authority, &url]);
    said == 404
}
