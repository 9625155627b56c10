// SPDX-License-Identifier: Apache-2.0
//! The certificate a server shows: made here, handed in, or read from a folder and followed there.
//!
//! A folder is looked at every other second by what `stat` says of the two files, through whatever symbolic
//! links: that sees a file written over, and the swap of a link by which Kubernetes changes a mounted
//! Secret. A pair that does not fit, as in the middle of a change, leaves the one before in place.

use std::{
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use ferrolb_types::{Diagnostic, ObjectRef, codes};
use rustls::{
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject as _},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

use crate::args::Refusal;

/// How often a folder is looked at.
const LOOK: Duration = Duration::from_secs(2);

/// Why a certificate cannot be used. None of it holds a part of a key.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// A file cannot be read.
    #[error("{0} cannot be read: {1}")]
    Unreadable(&'static str, io::Error),
    /// There is no certificate in what should hold one.
    #[error("it holds no certificate in PEM form")]
    NoCertificate,
    /// There is no private key in what should hold one.
    #[error("it holds no private key in PEM form")]
    NoKey,
    /// Certificate and key cannot be used together.
    #[error("certificate and key do not fit: {0}")]
    Unfit(rustls::Error),
    /// None could be made.
    #[error("none could be made: {0}")]
    Unmade(rcgen::Error),
}

impl Fault {
    /// As a diagnostic of the folder.
    #[must_use]
    pub fn refusal(&self, dir: &Path) -> Refusal {
        let object = ObjectRef::new("certificate", "", dir.display().to_string());
        let remedy = "put a tls.crt and the tls.key of it there";
        Box::new(Diagnostic::error(
            codes::command::X012,
            object,
            self.to_string(),
            remedy,
        ))
    }
}

/// The certificate a server shows; at first none, and then no handshake succeeds. A clone is the same one.
#[derive(Clone, Debug, Default)]
pub struct Identity(Arc<Shown>);

#[derive(Debug, Default)]
struct Shown(watch::Sender<Option<Arc<CertifiedKey>>>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.0.borrow().clone()
    }
}

impl Identity {
    /// A certificate made now, in memory alone, that nobody vouches for.
    ///
    /// # Errors
    /// It could not be made.
    pub fn self_signed(name: &str) -> Result<Self, Refusal> {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).map_err(Fault::Unmade);
        let identity = Self::default();
        made.and_then(|made| {
            let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
            identity.set(vec![made.cert.der().clone()], key.into())
        })
        .map_err(|fault| fault.refusal(Path::new("self-signed")))?;
        Ok(identity)
    }

    /// Shows this certificate, with those that vouch for it behind it, from the next handshake on.
    ///
    /// # Errors
    /// What is given holds no such thing, or does not fit; then the one before stays.
    pub fn set_pem(&self, certificate: &[u8], key: &[u8]) -> Result<(), Fault> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificate).collect();
        let chain = chain.ok().filter(|chain| !chain.is_empty());
        let chain = chain.ok_or(Fault::NoCertificate)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| Fault::NoKey)?;
        self.set(chain, key)
    }

    /// Shows the tls.crt and tls.key of a folder.
    ///
    /// # Errors
    /// As [`Identity::set_pem`], and files that cannot be read.
    pub fn load(&self, dir: &Path) -> Result<(), Fault> {
        let read = |name| fs::read(dir.join(name)).map_err(|error| Fault::Unreadable(name, error));
        self.set_pem(&read("tls.crt")?, &read("tls.key")?)
    }

    /// Whether there is one.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.0.0.borrow().is_some()
    }

    /// Ends once there is one.
    pub async fn comes(&self) {
        // It does not end otherwise: the sender is ours.
        let _ = self.0.0.subscribe().wait_for(Option::is_some).await;
    }

    pub(super) fn resolver(&self) -> Arc<dyn ResolvesServerCert> {
        Arc::clone(&self.0) as Arc<dyn ResolvesServerCert>
    }

    fn set(
        &self,
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Result<(), Fault> {
        let whole =
            CertifiedKey::from_der(chain, key, &ring::default_provider()).map_err(Fault::Unfit)?;
        self.0.0.send_replace(Some(Arc::new(whole)));
        Ok(())
    }
}

/// Follows the tls.crt and tls.key of a folder until `stop`: what is there now counts as known if
/// `identity` has one already.
pub fn follow(dir: PathBuf, identity: Identity, stop: CancellationToken) {
    let mut follower = Follower {
        known: identity.is_there().then(|| Stamp::of(&dir)).flatten(),
        dir,
        identity,
    };
    tokio::spawn(async move {
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = look.tick() => {}
            }
            let looked = tokio::task::spawn_blocking(move || {
                follower.look();
                follower
            });
            match looked.await {
                Ok(back) => follower = back,
                Err(_) => return,
            }
        }
    });
}

/// What `stat` says of both files. Two changes within one granule of the clock differ in the number of
/// the file or in its size, or the later one is seen as the first.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stamp([(u64, u64, i64, i64); 2]);

impl Stamp {
    fn of(dir: &Path) -> Option<Self> {
        let stat = |name| {
            let meta = fs::metadata(dir.join(name)).ok()?;
            Some((meta.ino(), meta.size(), meta.ctime(), meta.ctime_nsec()))
        };
        Some(Self([stat("tls.crt")?, stat("tls.key")?]))
    }
}

struct Follower {
    dir: PathBuf,
    identity: Identity,
    known: Option<Stamp>,
}

impl Follower {
    fn look(&mut self) {
        // Files that are gone change nothing: what is in use stays.
        let Some(stamp) = Stamp::of(&self.dir) else {
            return;
        };
        if self.known.as_ref() == Some(&stamp) {
            return;
        }
        match self.identity.load(&self.dir) {
            Ok(()) => tracing::info!(dir = %self.dir.display(), "certificate loaded"),
            Err(fault) => tracing::warn!("{}", fault.refusal(&self.dir)),
        }
        self.known = Some(stamp);
    }
}
