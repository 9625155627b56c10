// SPDX-License-Identifier: Apache-2.0
//! Faults of the configuration as Events on the objects at fault, once each, so that whoever looks at an
//! object sees why it does not count.
//!
//! All speakers see the same faults. One of them tells, the first of the living by name, or one mistake
//! would be as many Events as there are nodes. The controller cannot: it reads neither the Secrets of
//! peers nor the Nodes.

use std::collections::{BTreeMap, BTreeSet};

use ferrolb_kube_io::{Meta, Note, Recorder, Subject, Told};
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
    account: Account,
}

/// What this process told and still holds.
#[derive(Debug, Default)]
struct Account {
    /// Whether this process is the one to tell.
    speaks: bool,
    told: BTreeSet<Diagnostic>,
}

impl Account {
    /// These faults there are now: gives those that are to be told.
    fn due(&mut self, now: BTreeSet<Diagnostic>) -> Vec<Diagnostic> {
        if !self.speaks {
            // What is mended and comes again is told again, whoever tells by then.
            self.told.retain(|fault| now.contains(fault));
            return Vec::new();
        }
        let due = now.difference(&self.told).cloned().collect();
        self.told = now;
        due
    }
}

impl Faults {
    pub(super) fn new(recorder: Recorder, share: Share) -> Self {
        Self {
            recorder,
            share,
            uids: BTreeMap::new(),
            account: Account {
                speaks: share == Share::Controller,
                told: BTreeSet::new(),
            },
        }
    }

    /// Of all speakers this one is to tell, or is not. Whoever begins goes through all faults, for the one
    /// before may have left some untold.
    pub(super) fn speak(&mut self, speaks: bool, diagnostics: impl FnOnce() -> Vec<Diagnostic>) {
        let before = std::mem::replace(&mut self.account.speaks, speaks);
        if speaks && !before {
            self.tell(&diagnostics());
        }
    }

    /// Takes note of which objects there are.
    pub(super) fn take(&mut self, batch: &[Told]) {
        for told in batch {
            match told {
                Told::Apply(object, meta) if object.is_ours() => {
                    self.note(object.reference(), meta);
                }
                Told::Broken(object, meta, _) => self.note(object.clone(), meta),
                Told::Delete(object) => drop(self.uids.remove(object)),
                _ => {}
            }
        }
    }

    fn note(&mut self, object: ObjectRef, meta: &Meta) {
        if api_version(&object.kind).is_some() && self.share.has(&object.kind) {
            self.uids.insert(object, meta.uid.clone());
        }
    }

    /// These are the faults now: what is new among them is told.
    pub(super) fn tell(&mut self, diagnostics: &[Diagnostic]) {
        let errors = diagnostics
            .iter()
            .filter(|one| one.is_error() && self.uids.contains_key(&one.object));
        for fault in self.account.due(errors.cloned().collect()) {
            if let Some(uid) = self.uids.get(&fault.object) {
                self.recorder
                    .note(subject(&fault.object, uid), note(&fault));
            }
        }
    }
}

/// The API version of a kind that the configuration is made of.
fn api_version(kind: &str) -> Option<&'static str> {
    match kind {
        "BGPPeer" => Some("metallb.io/v1beta2"),
        "IPAddressPool" | "Community" | "BGPAdvertisement" | "L2Advertisement" | "BFDProfile" => {
            Some("metallb.io/v1beta1")
        }
        _ => None,
    }
}

fn subject(object: &ObjectRef, uid: &str) -> Subject {
    Subject {
        kind: object.kind.clone(),
        api_version: api_version(&object.kind).unwrap_or_default().into(),
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

#[cfg(test)]
mod tests {
    use ferrolb_types::codes;

    use super::*;

    fn faults(names: &[&str]) -> BTreeSet<Diagnostic> {
        let fault = |name: &&str| {
            let object = ObjectRef::new("BGPPeer", "metallb-system", *name);
            Diagnostic::error(codes::peer::B001, object, "it is zero", "name one")
        };
        names.iter().map(fault).collect()
    }

    fn due(account: &mut Account, names: &[&str]) -> Vec<String> {
        let due = account.due(faults(names)).into_iter();
        due.map(|fault| fault.object.name).collect()
    }

    #[test]
    fn one_tells_each_fault_once() {
        let mut account = Account::default();
        assert!(due(&mut account, &["a"]).is_empty(), "another tells");
        account.speaks = true;
        assert_eq!(due(&mut account, &["a"]), ["a"], "it may have been untold");
        assert_eq!(due(&mut account, &["a", "b"]), ["b"]);
        assert_eq!(due(&mut account, &["b"]), [""; 0]);
        assert_eq!(due(&mut account, &["a", "b"]), ["a"], "it came again");
        account.speaks = false;
        assert!(due(&mut account, &["b", "c"]).is_empty());
        account.speaks = true;
        assert_eq!(due(&mut account, &["a", "b", "c"]), ["a", "c"]);
    }
}
