// SPDX-License-Identifier: Apache-2.0
//! Certificates that come, change, break and go while the server runs.

use std::{fs, os::unix::fs::symlink, path::Path};

use tokio::time::{Instant, sleep};

use super::*;

struct Pair {
    der: Vec<u8>,
    certificate: String,
    key: String,
}

fn pair() -> Pair {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    Pair {
        der: made.cert.der().to_vec(),
        certificate: made.cert.pem(),
        key: made.signing_key.serialize_pem(),
    }
}

fn write(dir: &Path, pair: &Pair) {
    fs::write(dir.join("tls.crt"), &pair.certificate).unwrap();
    fs::write(dir.join("tls.key"), &pair.key).unwrap();
}

/// A folder as Kubernetes mounts a Secret: files link into `..data`, which links to one generation.
fn mount(dir: &Path, pair: &Pair) {
    fs::create_dir(dir.join("..1")).unwrap();
    write(&dir.join("..1"), pair);
    symlink("..1", dir.join("..data")).unwrap();
    for name in ["tls.crt", "tls.key"] {
        symlink(Path::new("..data").join(name), dir.join(name)).unwrap();
    }
}

/// What the kubelet does for a new generation.
fn swap(dir: &Path, pair: &Pair) {
    fs::create_dir(dir.join("..2")).unwrap();
    write(&dir.join("..2"), pair);
    symlink("..2", dir.join("..data_tmp")).unwrap();
    fs::rename(dir.join("..data_tmp"), dir.join("..data")).unwrap();
    fs::remove_dir_all(dir.join("..1")).unwrap();
}

async fn shown_soon(address: SocketAddr, want: &Pair) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while Client::new().certificate(address).await != want.der {
        assert!(
            Instant::now() < deadline,
            "the new certificate is never shown"
        );
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_mounted_secret_is_followed_through_the_swap_of_its_link() {
    let dir = tempfile::tempdir().unwrap();
    let (first, second) = (pair(), pair());
    mount(dir.path(), &first);
    let settings = Settings {
        metrics_cert_dir: Some(dir.path().to_owned()),
        ..settings()
    };
    let role = role(&settings).await;
    assert_eq!(Client::new().certificate(role.metrics).await, first.der);
    swap(dir.path(), &second);
    shown_soon(role.metrics, &second).await;
}

#[tokio::test]
async fn a_broken_pair_leaves_the_one_before_and_the_next_good_one_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    let (first, second) = (pair(), pair());
    write(dir.path(), &first);
    let settings = Settings {
        metrics_cert_dir: Some(dir.path().to_owned()),
        ..settings()
    };
    let role = role(&settings).await;
    // Half of a change: the certificate of one, the key of another.
    fs::write(dir.path().join("tls.crt"), &second.certificate).unwrap();
    sleep(Duration::from_secs(3)).await;
    assert_eq!(Client::new().certificate(role.metrics).await, first.der);
    fs::write(dir.path().join("tls.key"), &second.key).unwrap();
    shown_soon(role.metrics, &second).await;
    fs::remove_file(dir.path().join("tls.key")).unwrap();
    sleep(Duration::from_secs(3)).await;
    assert_eq!(Client::new().certificate(role.metrics).await, second.der);
}

#[tokio::test]
async fn a_folder_without_a_usable_pair_is_refused_at_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let refused = async || {
        let settings = Settings {
            metrics_cert_dir: Some(dir.path().to_owned()),
            health: None,
            ..settings()
        };
        let (_, waits) = watch::channel(Waits::new());
        let behind = Behind {
            waits,
            authorise: Arc::new(TokenFile("/nowhere".into())),
            tell: Arc::new(Told),
            metrics: Metrics::new("speaker", "1", None),
        };
        let refusal = start(&settings, behind, &Ends::at_once(&CancellationToken::new()))
            .await
            .unwrap_err();
        refusal.to_string()
    };
    let text = refused().await;
    assert!(
        text.contains("FLB-X012") && text.contains("tls.crt"),
        "{text}"
    );
    let (first, second) = (pair(), pair());
    fs::write(dir.path().join("tls.crt"), "nonsense").unwrap();
    fs::write(dir.path().join("tls.key"), &first.key).unwrap();
    let text = refused().await;
    assert!(text.contains("no certificate"), "{text}");
    fs::write(dir.path().join("tls.crt"), &second.certificate).unwrap();
    let text = refused().await;
    assert!(text.contains("do not fit"), "{text}");
    let body = first.key.lines().nth(1).unwrap();
    assert!(!text.contains(body), "a key is told");
    fs::write(dir.path().join("tls.key"), &first.certificate).unwrap();
    assert!(refused().await.contains("no private key"));
}

#[tokio::test]
async fn webhooks_begin_with_the_first_certificate_and_change_with_the_next() {
    let stop = CancellationToken::new();
    let identity = Identity::default();
    let address = hooks(false, &identity, &stop).await;
    let client = Client::new();
    assert!(
        client.connect(address).await.is_err(),
        "no certificate, no handshake"
    );
    for pair in [pair(), pair()] {
        identity
            .set_pem(pair.certificate.as_bytes(), pair.key.as_bytes())
            .unwrap();
        assert_eq!(client.certificate(address).await, pair.der);
        assert_eq!(client.post(address, "/measure", b"{}").await.body, "2");
    }
    assert!(identity.set_pem(b"", b"").is_err());
    assert_eq!(client.post(address, "/measure", b"{}").await.status, 200);
    stop.cancel();
}
