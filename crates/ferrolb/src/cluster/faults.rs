// SPDX-License-Identifier: Apache-2.0
//! Faults of the configuration as Events on the objects at fault, once each, so that whoever looks at an
//! object sees why it does not count.

use std::collections::{BTreeMap, BTreeSet};

use ferrolb_config::object::Object;
use ferrolb_kube_io::{Note, Recorder, Subject, Told};
use ferrolb_types::{Diagnostic, ObjectRef};

/// MetalLB's reason in `ConfigurationState`.
const REASON: &str = "ConfigurationError";

/// Which kinds a role speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Share {
    /// What the controller follows: pools and Communities.
    Controller,
    /// The others, which speakers alone follow.
    Speaker,
}

impl Share {
    fn has(self, kind: &str) -> bool {
        let is_the_controllers = ["IPAddressPool", "Community"].contains(&kind);
        is_the_controllers == (self == Self::Controller)
    }
}

/// The faults told so far.
pub(super) struct Faults {
    recorder: Recorder,
    share: Share,
    uids: BTreeMap<ObjectRef, Box<str>>,
    told: BTreeSet<Diagnostic>,
}

impl Faults {
    pub(super) fn new(recorder: Recorder, share: Share) -> Self {
        Self {
            recorder,
            share,
            uids: BTreeMap::new(),
            told: BTreeSet::new(),
        }
    }

    /// Takes note of which objects there are.
    pub(super) fn take(&mut self, batch: &[Told]) {
        for told in batch {
            match told {
                Told::Apply(object, meta) if is_configuration(object) => {
                    let object = object.reference();
                    if self.share.has(&object.kind) {
                        self.uids.insert(object, meta.uid.clone());
                    }
                }
                Told::Delete(object) => drop(self.uids.remove(object)),
                _ => {}
            }
        }
    }

    /// These are the faults now: what is new among them is told.
    pub(super) fn tell(&mut self, diagnostics: &[Diagnostic]) {
        let errors = diagnostics
            .iter()
            .filter(|one| one.is_error() && self.uids.contains_key(&one.object));
        let now: BTreeSet<Diagnostic> = errors.cloned().collect();
        for fault in now.difference(&self.told) {
            if let Some(uid) = self.uids.get(&fault.object) {
                self.recorder.note(subject(&fault.object, uid), note(fault));
            }
        }
        self.told = now;
    }
}

fn is_configuration(object: &Object) -> bool {
    matches!(
        object,
        Object::IPAddressPool(_)
            | Object::Community(_)
            | Object::BGPAdvertisement(_)
            | Object::L2Advertisement(_)
            | Object::BGPPeer(_)
            | Object::BFDProfile(_)
    )
}

fn subject(object: &ObjectRef, uid: &str) -> Subject {
    let api_version = match &*object.kind {
        "BGPPeer" => "metallb.io/v1beta2",
        _ => "metallb.io/v1beta1",
    };
    Subject {
        kind: object.kind.clone(),
        api_version: api_version.into(),
        namespace: object.namespace.as_str().into(),
        name: object.name.as_str().into(),
        uid: uid.into(),
    }
}

fn note(fault: &Diagnostic) -> Note {
    Note {
        warning: true,
        reason: REASON.into(),
        message: fault.to_string(),
    }
}
