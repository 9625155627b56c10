// SPDX-License-Identifier: Apache-2.0
//! Which faults deny a request.
//!
//! The cluster may hold faults already, and none of them is the doing of the object that comes in. So what
//! the rules say of the cluster with the object is compared with what they say of it as it was and of it
//! without the object. What is in the first alone is denied, on whichever object it shows: of two objects
//! that exclude each other the younger one has the fault. Faults that the object already had are warned of,
//! so that a broken object can be mended step by step and its finalizers removed.

use std::{collections::BTreeSet, sync::Arc};

use ferrolb_api::{core::ObjectMeta, resource::BGPPeer};
use ferrolb_config::{
    MOST_OF_A_CODE, Resources, check_tolerating, resources::Kind, unreadable::Unreadable,
};
use ferrolb_types::{
    Code, Diagnostic, ObjectRef, Segment,
    codes::{advertisement, selector},
};
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use super::{
    review::{Operation, Order},
    wording,
};

/// What was found.
pub(super) struct Verdict {
    /// The code of the answer where there are errors.
    pub status: u16,
    /// What denies the request.
    pub errors: Vec<Diagnostic>,
    /// What it is warned of.
    pub warnings: Vec<Diagnostic>,
}

impl Verdict {
    fn new(errors: Vec<Diagnostic>, warnings: Vec<Diagnostic>) -> Self {
        Self {
            status: 403,
            errors,
            warnings,
        }
    }

    pub fn refuse(status: u16, fault: Diagnostic) -> Self {
        Self {
            status,
            ..Self::new(vec![fault], Vec::new())
        }
    }
}

/// A request that waits for the objects of the cluster.
pub(super) trait Judge: Send {
    fn judge(self: Box<Self>, present: Resources) -> Verdict;
}

struct Decided(Verdict);

impl Judge for Decided {
    fn judge(self: Box<Self>, _present: Resources) -> Verdict {
        self.0
    }
}

/// Nothing to judge.
pub(super) fn allowed() -> Box<dyn Judge> {
    Box::new(Decided(Verdict::new(Vec::new(), Vec::new())))
}

/// Refused for what the request says by itself.
pub(super) fn decided(status: u16, fault: Diagnostic) -> Box<dyn Judge> {
    Box::new(Decided(Verdict::refuse(status, fault)))
}

struct Deletion {
    profile: ObjectRef,
}

/// The deletion of a BFDProfile.
pub(super) fn deletion(profile: ObjectRef) -> Box<dyn Judge> {
    Box::new(Deletion { profile })
}

impl Judge for Deletion {
    fn judge(self: Box<Self>, present: Resources) -> Verdict {
        // Peers refer to profiles of the namespace that is read alone.
        if self.profile.namespace != present.namespace() {
            return Verdict::new(Vec::new(), Vec::new());
        }
        let uses = |peer: &BGPPeer| peer.spec.bfd_profile.as_deref() == Some(&self.profile.name);
        let users: Vec<&str> = BGPPeer::all(&present)
            .iter()
            .filter(|((namespace, _), peer)| namespace == present.namespace() && uses(peer))
            .map(|((_, name), _)| name.as_str())
            .collect();
        let fault = wording::in_use(&self.profile, &users);
        Verdict::new(fault.into_iter().collect(), Vec::new())
    }
}

/// An object that is created or updated.
pub(super) struct Change<K> {
    pub new: K,
    /// What it was, where that could be read.
    pub old: Option<K>,
}

/// The creation or update that an order asks for.
pub(super) fn change<K>(
    order: &Order,
    object: &ObjectRef,
) -> Result<Box<dyn Judge>, Box<Diagnostic>>
where
    K: Kind + Send + DeserializeOwned + k8s_openapi::Metadata<Ty = ObjectMeta>,
{
    let mut new: K =
        decode(&order.object).map_err(|why| Box::new(wording::undecodable(object, why)))?;
    let meta = k8s_openapi::Metadata::metadata_mut(&mut new);
    meta.name = Some(object.name.clone());
    meta.namespace = Some(object.namespace.clone());
    if order.operation == Some(Operation::Create) {
        // Without a creation time it is the youngest, so conflicts show on it and not on what stands.
        meta.creation_timestamp = None;
    }
    let old = decode(&order.old_object).ok();
    Ok(Box::new(Change { new, old }))
}

fn decode<K: DeserializeOwned>(json: &Json) -> Result<K, Unreadable> {
    if !json.is_object() {
        return Err(Unreadable::whole("it is no object".to_owned()));
    }
    K::deserialize(json).map_err(|error| Unreadable::find::<K>(json, &error))
}

impl<K: Kind + Send> Judge for Change<K> {
    fn judge(self: Box<Self>, mut present: Resources) -> Verdict {
        let object = self.new.reference();
        judge(*self, &mut present, &mut |resources| {
            let object = object.clone();
            check_tolerating(resources, move |fault| tolerates(&object, fault))
        })
    }
}

/// Faults that keep no object out while `object` is judged: those that may come right, and those of other
/// objects, as whoever mends them must not find their addresses or names taken. A broken selector stays out,
/// for nobody can say what it was to select, and so does a broken aggregation.
fn tolerates(object: &ObjectRef, fault: &Diagnostic) -> bool {
    let is_unclear = selector::ALL.contains(&fault.code) || fault.code == advertisement::A006;
    wording::may_come_right(fault) || (fault.object != *object && !is_unclear)
}

/// Judges a change; `check` is what the rules say of a set of objects.
pub(super) fn judge<K: Kind>(
    change: Change<K>,
    present: &mut Resources,
    check: &mut dyn FnMut(&Resources) -> Vec<Diagnostic>,
) -> Verdict {
    let object = change.new.reference();
    let key = (object.namespace.clone(), object.name.clone());
    let standing = K::all(present).get(&key).cloned();
    let old = change.old.map(Arc::new).or(standing);
    present.apply(change.new);
    let found = check(present);
    let (errors, mut warnings): (Vec<_>, Vec<_>) =
        found.into_iter().partition(Diagnostic::is_error);
    warnings.retain(|warning| warning.object == object && wording::is_worth_saying(warning));
    if errors.is_empty() {
        return Verdict::new(errors, warnings);
    }
    let known = known_faults(&object, old, present, check);
    let own = known.iter().filter(|error| error.object == object);
    let own: BTreeSet<_> = own.filter_map(shape).collect();
    let was_there = |error: &Diagnostic| {
        known.contains(error)
            || is_cut(&known, error)
            || (error.object == object && shape(error).is_some_and(|shape| own.contains(&shape)))
    };
    let (had, brought): (Vec<_>, Vec<_>) = errors.into_iter().partition(was_there);
    let had = had.into_iter().filter(|error| error.object == object);
    warnings.extend(had.map(Diagnostic::warning));
    Verdict::new(brought, warnings)
}

/// What stays of a fault in a list while the list changes: an entry keeps its fault where an entry before it
/// is taken out.
fn shape(fault: &Diagnostic) -> Option<(Code, Vec<&Segment>, Option<&str>)> {
    let segments = fault.field.segments();
    let is_key = |segment: &&Segment| matches!(segment, Segment::Key(_));
    let keys: Vec<&Segment> = segments.iter().filter(is_key).collect();
    (keys.len() < segments.len()).then_some((fault.code, keys, fault.value.as_deref()))
}

/// Whether the object had more faults of this code than are told: then nobody can say which of them it had.
fn is_cut(known: &BTreeSet<Diagnostic>, error: &Diagnostic) -> bool {
    let alike = |one: &&Diagnostic| one.code == error.code && one.object == error.object;
    known.iter().filter(alike).count() > MOST_OF_A_CODE
}

/// The faults of the cluster as it was, and of the cluster without the object: what others have with each
/// other and had only hidden behind the object is not its doing.
fn known_faults<K: Kind>(
    object: &ObjectRef,
    old: Option<Arc<K>>,
    present: &mut Resources,
    check: &mut dyn FnMut(&Resources) -> Vec<Diagnostic>,
) -> BTreeSet<Diagnostic> {
    present.delete::<K>(&object.namespace, &object.name);
    let mut known: BTreeSet<Diagnostic> = check(present).into_iter().collect();
    if let Some(old) = old {
        present.apply(Arc::unwrap_or_clone(old));
        known.extend(check(present));
    }
    known
}
