// SPDX-License-Identifier: Apache-2.0
//! What happens in the cluster, reduced at the border.
//!
//! One task per kind lists in pages, then watches. Each object is decoded on its own, straight from the
//! text of the answer into what its view needs, and dropped; only its key and a number for its
//! resourceVersion are kept, so that a list after a gap tells differences alone, deletions among them.
//! All tasks feed one bounded channel: whoever takes slowly slows the watches, never fills the memory.
//!
//! This is written on the plain requests of the client rather than on `kube::runtime::watcher`: that one
//! fails a whole page for one object that cannot be decoded, says nothing when a watch stands again, and
//! does not let a kind be listed that may not be watched.

mod decode;
mod kind;

use ferrolb_config::object::Object;
use ferrolb_types::{Diagnostic, ObjectRef};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{
    Cluster, Error, extras,
    reflect::{self, Event, Follow},
    source::Source,
};
use decode::{Seen, broken, decoder};
pub use kind::Watched;

/// Batches that may wait to be taken.
const WAITING: usize = 8;

/// Which version of an object was told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meta {
    /// Its uid.
    pub uid: Box<str>,
    /// Its resourceVersion.
    pub resource_version: Box<str>,
    /// Its generation, where its kind has one.
    pub generation: Option<i64>,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// The object is new or changed.
    Apply(Object, Meta),
    /// The object is gone.
    Delete(ObjectRef),
    /// The object cannot be decoded: its last good version stays.
    Broken(ObjectRef, Meta, Box<Diagnostic>),
    /// The first complete list of the kind has been told.
    Synced(Watched),
    /// The kind cannot be read at present, for this reason; it is tried again. Told once per reason.
    Trouble(Watched, Error),
    /// Whether somebody has configuration for FRR ([`ferrolb_config::extras`]), which is not used.
    Extras(bool),
    /// That is known by now, or cannot be known.
    ExtrasKnown,
    /// The trouble is over.
    Well(Watched),
}

/// Tells of everything of these kinds, until `stop` or until the receiver is dropped.
#[must_use]
pub fn follow(
    cluster: &Cluster,
    kinds: &[Watched],
    stop: &CancellationToken,
) -> mpsc::Receiver<Vec<Told>> {
    let (sender, receiver) = mpsc::channel(WAITING);
    spawn(cluster, kinds, &sender, stop);
    receiver
}

/// As [`follow`], and of the ConfigMap with configuration for FRR.
#[must_use]
pub fn follow_with_extras(
    cluster: &Cluster,
    kinds: &[Watched],
    stop: &CancellationToken,
) -> mpsc::Receiver<Vec<Told>> {
    let (sender, receiver) = mpsc::channel(WAITING);
    spawn(cluster, kinds, &sender, stop);
    extras::spawn(cluster, sender, stop);
    receiver
}

fn spawn(
    cluster: &Cluster,
    kinds: &[Watched],
    sender: &mpsc::Sender<Vec<Told>>,
    stop: &CancellationToken,
) {
    for kind in kinds {
        let kind = *kind;
        let follow = Follow {
            source: kind.source(cluster.namespace()),
            decode: decoder(kind),
            map: Box::new(move |event| Some(told(kind, event))),
            what: kind.kind(),
        };
        reflect::spawn(cluster, follow, sender.clone(), stop);
    }
}

/// Reads everything of a kind once: `Apply` and `Broken`, sorted as the API server sorts.
///
/// # Errors
/// That it may not be listed, or nobody answers.
pub async fn list(cluster: &Cluster, kind: Watched) -> Result<Vec<Told>, Error> {
    all_of(cluster, kind, &kind.source(cluster.namespace())).await
}

/// As [`list`], for whoever needs the names and labels of a core kind alone: spec and status of the objects
/// are empty. A Node with all its images is many times as big as its metadata.
///
/// # Errors
/// As [`list`].
pub async fn list_metadata(cluster: &Cluster, kind: Watched) -> Result<Vec<Told>, Error> {
    let source = kind.source(cluster.namespace()).of_metadata_alone();
    all_of(cluster, kind, &source).await
}

async fn all_of(cluster: &Cluster, kind: Watched, source: &Source) -> Result<Vec<Told>, Error> {
    let mut all: Vec<Told> = Vec::new();
    let mut continued = None;
    loop {
        let (objects, next) = source
            .objects(cluster, continued.as_deref(), decoder(kind))
            .await?;
        all.extend(objects.into_iter().map(|seen| apply(kind, seen)));
        continued = next;
        if continued.is_none() {
            return Ok(all);
        }
    }
}

fn told(kind: Watched, event: Event<Seen>) -> Told {
    match event {
        Event::Set(seen) => apply(kind, seen),
        Event::Gone(namespace, name) => Told::Delete(ObjectRef::new(kind.kind(), namespace, name)),
        Event::Synced => Told::Synced(kind),
        Event::Trouble(why) => Told::Trouble(kind, why),
        Event::Well => Told::Well(kind),
    }
}

fn apply(kind: Watched, seen: Seen) -> Told {
    match seen.object {
        Ok((object, meta)) => Told::Apply(object, meta),
        Err(error) => {
            let object = ObjectRef::new(kind.kind(), seen.namespace, seen.name);
            let diagnostic = broken(kind, object.clone(), &error);
            let meta = Meta {
                uid: seen.uid,
                resource_version: seen.version,
                generation: None,
            };
            Told::Broken(object, meta, Box::new(diagnostic))
        }
    }
}

#[cfg(test)]
mod tests;
