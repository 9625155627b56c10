// SPDX-License-Identifier: Apache-2.0
//! Certificates over time: made, checked, spoiled in every way, renewed.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use proptest::{collection::vec, prelude::*};
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use x509_parser::{pem::parse_x509_pem, prelude::X509Certificate, time::ASN1Time};

use super::{Material, Names, Reason, State, check, is_usable, renew};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn names() -> Names {
    Names::new("metallb-webhook-service", "metallb-system")
}

/// 1 January 2026.
fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_767_225_600)
}

fn fresh() -> Material {
    renew(&Material::default(), &names(), now())
        .unwrap()
        .unwrap()
}

fn with_certificate<T>(pem: &[u8], look: impl Fn(&X509Certificate<'_>) -> T) -> T {
    let (_, pem) = parse_x509_pem(pem).unwrap();
    look(&pem.parse_x509().unwrap())
}

#[test]
fn the_authority_is_as_metallb_names_it() {
    with_certificate(&fresh().ca_certificate, |ca| {
        assert_eq!(ca.subject().to_string(), "O=metallb, CN=cert");
        assert_eq!(ca.issuer(), ca.subject());
        // MetalLB wants the name `cert` here, and where it is missing, makes an authority of its own.
        assert!(ca.subject_alternative_name().unwrap().is_none());
        assert!(ca.is_ca() && ca.key_usage().unwrap().unwrap().value.key_cert_sign());
        let span = ca.validity().not_after.timestamp() - ca.validity().not_before.timestamp();
        assert_eq!(span, 10 * 365 * 24 * 3600 + 3600);
        ca.verify_signature(None).unwrap();
    });
}

#[test]
fn the_leaf_is_for_the_service() {
    let material = fresh();
    with_certificate(&material.certificate, |leaf| {
        assert_eq!(
            leaf.subject().to_string(),
            "CN=metallb-webhook-service.metallb-system.svc"
        );
        let alternatives = leaf.subject_alternative_name().unwrap().unwrap();
        let alternatives: Vec<_> = alternatives
            .value
            .general_names
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(alternatives.len(), 3);
        assert!(alternatives[0].contains("metallb-webhook-service.metallb-system.svc"));
        let usage = leaf.extended_key_usage().unwrap().unwrap().value;
        assert!(usage.server_auth && !usage.client_auth && !leaf.is_ca());
        let since = i64::try_from(now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
        assert_eq!(leaf.validity().not_before.timestamp(), since - 3600);
        assert_eq!(
            leaf.validity().not_after.timestamp(),
            since + 365 * 24 * 3600
        );
        with_certificate(&material.ca_certificate, |ca| {
            leaf.verify_signature(Some(ca.public_key())).unwrap();
        });
    });
}

#[test]
fn fresh_ones_are_fine_until_90_days_before_the_end() {
    let material = fresh();
    let until = now() + 275 * DAY;
    assert_eq!(check(&material, &names(), now()), State::Fine { until });
    assert_eq!(renew(&material, &names(), now()).unwrap(), None);
    let before = until - Duration::from_secs(1);
    assert_eq!(check(&material, &names(), before), State::Fine { until });
    let soon = State::RenewLeaf(Reason::ExpiresSoon);
    assert_eq!(check(&material, &names(), until), soon);
    let expired = State::RenewLeaf(Reason::Expired);
    assert_eq!(check(&material, &names(), now() + 365 * DAY), expired);
}

/// A leaf made late in the life of its authority does not outlast it.
#[test]
fn the_authority_is_due_too() {
    let late = now() + 3500 * DAY;
    let material = renew(&fresh(), &names(), late).unwrap().unwrap();
    let until = now() + 3560 * DAY;
    assert_eq!(check(&material, &names(), late), State::Fine { until });
}

/// Twelve years of looking every twelve hours: nobody ever meets an expired certificate, the authority
/// changes once, and the Secret is written as seldom as can be.
#[test]
fn twelve_years() {
    let (mut material, mut authorities, mut leaves) = (fresh(), 0, 0);
    for half_day in 0..12 * 365 * 2 {
        let now = now() + half_day * DAY / 2;
        // What is due is far away most of the time; checking each time would only take long.
        if half_day % 30 != 0 {
            continue;
        }
        if let Some(next) = renew(&material, &names(), now).unwrap() {
            leaves += 1;
            authorities += u32::from(next.ca_key != material.ca_key);
            material = next;
        }
        assert!(matches!(
            check(&material, &names(), now),
            State::Fine { .. }
        ));
    }
    assert_eq!(authorities, 1);
    assert!((14..=17).contains(&leaves), "{leaves}");
}

#[test]
fn a_renewed_leaf_keeps_the_authority() {
    let material = fresh();
    let later = now() + 300 * DAY;
    let next = renew(&material, &names(), later).unwrap().unwrap();
    assert_eq!(next.ca_certificate, material.ca_certificate);
    assert_eq!(next.ca_key, material.ca_key);
    assert_ne!(next.certificate, material.certificate);
    assert_ne!(next.key, material.key);
    assert!(matches!(check(&next, &names(), later), State::Fine { .. }));
}

type Spoil = fn(&mut Material, &Material);

#[test]
fn every_fault_has_its_verdict() {
    let table: &[(&str, Spoil, State)] = &[
        (
            "nothing",
            |m, _| *m = Material::default(),
            State::RenewAll(Reason::NoCertificate),
        ),
        (
            "ca.crt gone",
            |m, _| m.ca_certificate.clear(),
            State::RenewAll(Reason::NoCertificate),
        ),
        (
            "ca.crt no PEM",
            |m, _| m.ca_certificate = b"nonsense".to_vec(),
            State::RenewAll(Reason::NoCertificate),
        ),
        (
            "ca.key gone",
            |m, _| m.ca_key.clear(),
            State::RenewAll(Reason::NoKey),
        ),
        (
            "ca.key of another",
            |m, o| m.ca_key.clone_from(&o.ca_key),
            State::RenewAll(Reason::OtherKey),
        ),
        (
            "a leaf as ca.crt",
            |m, _| m.ca_certificate.clone_from(&m.certificate),
            State::RenewAll(Reason::NoAuthority),
        ),
        (
            "tls.crt gone",
            |m, _| m.certificate.clear(),
            State::RenewLeaf(Reason::NoCertificate),
        ),
        (
            "tls.crt no PEM",
            |m, _| m.certificate = b"nonsense".to_vec(),
            State::RenewLeaf(Reason::NoCertificate),
        ),
        (
            "tls.crt cut short",
            |m, _| m.certificate.truncate(300),
            State::RenewLeaf(Reason::NoCertificate),
        ),
        (
            "tls.key gone",
            |m, _| m.key.clear(),
            State::RenewLeaf(Reason::NoKey),
        ),
        (
            "tls.key no PEM",
            |m, _| m.key = b"nonsense".to_vec(),
            State::RenewLeaf(Reason::NoKey),
        ),
        (
            "tls.key of another",
            |m, o| m.key.clone_from(&o.key),
            State::RenewLeaf(Reason::OtherKey),
        ),
        (
            "another leaf",
            |m, o| m.certificate.clone_from(&o.certificate),
            State::RenewLeaf(Reason::OtherAuthority),
        ),
        (
            "another authority",
            |m, o| {
                m.ca_certificate.clone_from(&o.ca_certificate);
                m.ca_key.clone_from(&o.ca_key);
            },
            State::RenewLeaf(Reason::OtherAuthority),
        ),
    ];
    let (good, other) = (fresh(), fresh());
    for (about, spoil, want) in table {
        let mut material = good.clone();
        spoil(&mut material, &other);
        assert_eq!(check(&material, &names(), now()), *want, "{about}");
        let next = renew(&material, &names(), now()).unwrap().unwrap();
        assert!(
            matches!(check(&next, &names(), now()), State::Fine { .. }),
            "{about}"
        );
    }
}

#[test]
fn other_names_and_other_times() {
    let material = fresh();
    let other = Names::new("webhook", "elsewhere");
    assert_eq!(
        check(&material, &other, now()),
        State::RenewLeaf(Reason::OtherNames)
    );
    let early = now() - DAY;
    assert_eq!(
        check(&material, &names(), early),
        State::RenewAll(Reason::NotYetValid)
    );
    let late = now() + 3600 * DAY;
    assert_eq!(
        check(&material, &names(), late),
        State::RenewAll(Reason::ExpiresSoon)
    );
    let over = now() + 3650 * DAY;
    assert_eq!(
        check(&material, &names(), over),
        State::RenewAll(Reason::Expired)
    );
}

#[test]
fn what_is_due_is_usable_as_long_as_whoever_trusts_its_authority_is_served() {
    let (material, other) = (fresh(), fresh());
    let usable = |material: &Material, days| is_usable(material, &names(), now() + days * DAY);
    for (days, want) in [
        (0, true),
        (300, true),
        (364, true),
        (366, false),
        (3650, false),
    ] {
        assert_eq!(usable(&material, days), want, "after {days} days");
    }
    assert!(!is_usable(&material, &names(), now() - DAY), "too early");
    let elsewhere = Names::new("webhook", "elsewhere");
    assert!(!is_usable(&material, &elsewhere, now()), "another name");
    let table: [(&str, Spoil, bool); 6] = [
        ("nothing", |m, _| *m = Material::default(), false),
        ("ca.crt gone", |m, _| m.ca_certificate.clear(), false),
        (
            "ca.crt of another",
            |m, o| m.ca_certificate.clone_from(&o.ca_certificate),
            false,
        ),
        ("tls.key gone", |m, _| m.key.clear(), false),
        ("tls.key of another", |m, o| m.key.clone_from(&o.key), false),
        // Without it no other can be signed, but this one is.
        ("ca.key gone", |m, _| m.ca_key.clear(), true),
    ];
    for (name, spoil, want) in table {
        let mut spoiled = material.clone();
        spoil(&mut spoiled, &other);
        assert!(
            !matches!(check(&spoiled, &names(), now()), State::Fine { .. }),
            "{name}"
        );
        assert_eq!(usable(&spoiled, 0), want, "{name}");
    }
}

/// A replica may serve the old leaf for a minute yet: the new Secret trusts it too. A year later it does not.
#[test]
fn the_old_authority_is_trusted_for_a_while() {
    let old = fresh();
    let later = now() + 3600 * DAY;
    let served = renew(&old, &names(), later - 100 * DAY).unwrap().unwrap();
    assert_eq!(served.ca_key, old.ca_key);
    let new = renew(&served, &names(), later).unwrap().unwrap();
    assert_ne!(new.ca_key, old.ca_key);
    assert!(is_trusted(&new, &new.ca_certificate, later));
    assert!(is_trusted(&served, &new.ca_certificate, later));
    assert!(!is_trusted(&new, &served.ca_certificate, later));
    let next = renew(&new, &names(), later + 300 * DAY).unwrap().unwrap();
    assert_eq!(next.ca_key, new.ca_key);
    assert!(!is_trusted(&served, &next.ca_certificate, later));
    // An authority whose time is over is of no use to anybody.
    let over = renew(&old, &names(), now() + 3700 * DAY).unwrap().unwrap();
    assert_eq!(certificates(&over), 1);
    assert_eq!(certificates(&new), 2);
    assert_eq!(certificates(&next), 1);
}

fn certificates(material: &Material) -> usize {
    x509_parser::pem::Pem::iter_from_buffer(&material.ca_certificate).count()
}

/// Whether an API server with this `caBundle` would take the leaf.
fn is_trusted(leaf: &Material, bundle: &[u8], at: SystemTime) -> bool {
    let certificates = x509_parser::pem::Pem::iter_from_buffer(bundle);
    let mut certificates = certificates.map(|pem| pem.unwrap());
    certificates.any(|authority| {
        let authority = authority.parse_x509().unwrap();
        let since = at.duration_since(UNIX_EPOCH).unwrap().as_secs();
        let at = ASN1Time::from_timestamp(i64::try_from(since).unwrap()).unwrap();
        authority.validity().is_valid_at(at)
            && with_certificate(&leaf.certificate, |leaf| {
                leaf.validity().is_valid_at(at)
                    && leaf.verify_signature(Some(authority.public_key())).is_ok()
            })
    })
}

/// PEM as people write it: a text before, carriage returns, no line feed at the end.
#[test]
fn any_form_of_pem_is_renewed() {
    let material = fresh();
    let later = now() + 300 * DAY;
    let text = String::from_utf8(material.ca_certificate.clone()).unwrap();
    for text in [
        format!("subject=cert\n{text}"),
        text.replace('\n', "\r\n"),
        text.trim_end().to_owned(),
    ] {
        let material = Material {
            ca_certificate: text.clone().into_bytes(),
            ..material.clone()
        };
        assert_eq!(
            check(&material, &names(), later),
            State::RenewLeaf(Reason::ExpiresSoon),
            "{text}"
        );
        let next = renew(&material, &names(), later).unwrap().unwrap();
        assert_eq!(next.ca_key, material.ca_key);
        assert!(matches!(check(&next, &names(), later), State::Fine { .. }));
    }
}

/// A leaf that is not for servers, made with our own authority.
#[test]
fn a_leaf_for_clients_is_unusable() {
    let mut material = fresh();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let key = KeyPair::from_pem(&text(&material.ca_key)).unwrap();
    let issuer = Issuer::from_ca_cert_pem(&text(&material.ca_certificate), key).unwrap();
    let mut params = CertificateParams::new(names().all()).unwrap();
    params.is_ca = IsCa::NoCa;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let key = KeyPair::generate().unwrap();
    material.certificate = params.signed_by(&key, &issuer).unwrap().pem().into_bytes();
    material.key = key.serialize_pem().into_bytes();
    assert_eq!(
        check(&material, &names(), now()),
        State::RenewLeaf(Reason::Unusable)
    );
}

/// What MetalLB left behind: RSA keys as PKCS #1. They are served on, and replaced as a whole in the end.
#[test]
fn certificates_of_metallb_are_taken_over() {
    let material = Material {
        ca_certificate: include_bytes!("testdata/ca.crt").to_vec(),
        ca_key: include_bytes!("testdata/ca.key").to_vec(),
        certificate: include_bytes!("testdata/tls.crt").to_vec(),
        key: include_bytes!("testdata/tls.key").to_vec(),
    };
    let State::Fine { until } = check(&material, &names(), now()) else {
        panic!("{:?}", check(&material, &names(), now()));
    };
    assert!(until > now() + 200 * DAY);
    assert_eq!(
        check(&material, &names(), until),
        State::RenewAll(Reason::CannotSign)
    );
    let next = renew(&material, &names(), until).unwrap().unwrap();
    assert!(matches!(check(&next, &names(), until), State::Fine { .. }));
}

#[test]
fn long_names_have_no_common_name() {
    let names = Names::new("s".repeat(60), "n".repeat(60));
    let material = renew(&Material::default(), &names, now()).unwrap().unwrap();
    assert!(matches!(
        check(&material, &names, now()),
        State::Fine { .. }
    ));
    with_certificate(&material.certificate, |leaf| {
        assert!(leaf.subject().iter_common_name().next().is_none());
    });
}

#[test]
fn absurd_times_are_errors() {
    let far = now() + Duration::from_secs(400_000_000_000);
    assert!(renew(&Material::default(), &names(), far).is_err());
    let past = UNIX_EPOCH - DAY;
    assert!(renew(&Material::default(), &names(), past).is_err());
}

#[test]
fn the_secret_is_the_material() {
    let material = fresh();
    let secret = material.to_secret();
    let keys: Vec<_> = secret.keys().map(String::as_str).collect();
    assert_eq!(keys, ["ca.crt", "ca.key", "tls.crt", "tls.key"]);
    assert_eq!(Material::from_secret(&secret), material);
    assert_eq!(
        Material::from_secret(&Default::default()),
        Material::default()
    );
    assert!(!format!("{material:?}").contains("PRIVATE"));
}

proptest! {
    /// Whatever stands in the Secret, it can be judged and mended.
    #[test]
    fn any_bytes_are_mended(parts in vec(vec(any::<u8>(), 0..80), 4), which in 0usize..16) {
        let good = fresh();
        let part = |n: usize, good: &[u8]| {
            if which & (1 << n) == 0 { parts[n].clone() } else { good.to_vec() }
        };
        let material = Material {
            ca_certificate: part(0, &good.ca_certificate),
            ca_key: part(1, &good.ca_key),
            certificate: part(2, &good.certificate),
            key: part(3, &good.key),
        };
        let next = renew(&material, &names(), now()).unwrap().unwrap_or(material);
        let is_fine = matches!(check(&next, &names(), now()), State::Fine { .. });
        prop_assert!(is_fine);
    }
}
