// SPDX-License-Identifier: Apache-2.0
//! Decides, for the objects of one kind, which version of each is in force.
//!
//! First the present forms, oldest object first: what has no fault of its own and does not conflict with
//! an older one is in force, and so is what conflicts on some nodes alone: there the older one has its
//! place, and nothing changes on the others. Then, for each object that is refused otherwise, its last
//! good version, judged beside what is in force by then. Verdicts on conflicts therefore follow from the
//! present set alone, and every process that sees the same objects reaches the same ones.

use std::{collections::BTreeMap, sync::Arc};

use ferrolb_types::{Diagnostic, FieldPath, IpRange, ObjectRef};

use super::{
    last_good::{Keep, LastGood},
    report::{Parsed, Report},
};
use crate::{
    compiled::Refused,
    resources::{Kind, Resources},
};

/// The rules of one kind, and what is in force of it so far.
pub(crate) trait Rules<K> {
    /// What an object compiles to.
    type Form;

    /// Reads an object by itself.
    fn parse(&mut self, object: &K) -> Parsed<Self::Form>;

    /// Adds the faults that the form has beside what is in force.
    fn conflicts(&mut self, _form: &mut Self::Form, _report: &mut Report) {}

    /// Whether a form is in force although it has conflicts, because each is of some of its nodes alone.
    fn stands(&self, _form: &Self::Form) -> bool {
        false
    }

    /// Puts a form in force.
    fn enter(&mut self, form: Self::Form);

    /// Takes note of a form that older ones keep out, where younger ones are to be judged beside it too.
    fn contested(&mut self, _form: &Self::Form) {}

    /// What is to be remembered of an object whose form is in force.
    fn keep(&mut self, object: &Arc<K>, _form: &Self::Form) -> Arc<K> {
        object.clone()
    }

    /// Reads a last good version.
    fn parse_kept(&mut self, object: &K) -> Parsed<Self::Form> {
        self.parse(object)
    }

    /// Uses what can be used of a refused form without a last good version, and gives back the address
    /// ranges that could be read. `well_formed` tells that its only faults are conflicts.
    fn salvage(&mut self, _form: Self::Form, _well_formed: bool) -> Vec<IpRange> {
        Vec::new()
    }
}

/// Says of a fault whether a warning is enough.
pub(crate) type Tolerates = Box<dyn Fn(&Diagnostic) -> bool>;

/// What was refused and warned of.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) refused: BTreeMap<ObjectRef, Refused>,
    pub(crate) warnings: Vec<Diagnostic>,
    /// Of which faults that an object has by itself a warning is enough; absent means none.
    pub(crate) tolerates: Option<Tolerates>,
}

impl Outcome {
    fn refuse(&mut self, mut report: Report, last_good_in_force: bool, ranges: Vec<IpRange>) {
        let refused = Refused {
            diagnostics: report.errors.take(),
            last_good_in_force,
            ranges,
        };
        self.refused.insert(report.object, refused);
    }
}

/// Settles one kind; `rules` then holds what is in force.
pub(crate) fn settle<K: Keep, R: Rules<K>>(
    resources: &Resources,
    last_good: &mut LastGood,
    outcome: &mut Outcome,
    rules: &mut R,
) {
    let present = oldest_first::<K>(resources, outcome);
    K::kept(last_good).retain(|name, _| resources.exists::<K>(name));
    let mut refused = Vec::new();
    for object in present {
        let Parsed {
            mut form,
            mut report,
        } = rules.parse(object);
        if let Some(tolerates) = &outcome.tolerates {
            report.tolerate(tolerates);
        }
        let well_formed = report.is_clean();
        rules.conflicts(&mut form, &mut report);
        outcome.warnings.extend(report.warnings.take());
        let in_force = report.is_clean() || well_formed && rules.stands(&form);
        if !in_force {
            if well_formed && outcome.tolerates.is_some() {
                rules.contested(&form);
            }
            refused.push((object, form, report, well_formed));
            continue;
        }
        let version = rules.keep(object, &form);
        K::kept(last_good).insert(object.name().to_owned(), version);
        rules.enter(form);
        if !report.is_clean() {
            outcome.refuse(report, false, Vec::new());
        }
    }
    for (object, form, report, well_formed) in refused {
        let kept = K::kept(last_good).get(object.name()).cloned();
        if kept.is_some_and(|version| revive(&*version, rules)) {
            outcome.refuse(report, true, Vec::new());
        } else {
            let ranges = rules.salvage(form, well_formed);
            outcome.refuse(report, false, ranges);
        }
    }
    settle_unread(resources, last_good, outcome, rules);
}

/// Refuses what cannot be read at all; it goes on with its last good version.
fn settle_unread<K: Keep, R: Rules<K>>(
    resources: &Resources,
    last_good: &mut LastGood,
    outcome: &mut Outcome,
    rules: &mut R,
) {
    for (object, why) in resources.unread::<K>() {
        let kept = K::kept(last_good).get(&object.name).cloned();
        let goes_on = kept.is_some_and(|version| revive(&*version, rules));
        let mut report = Report::new(object.clone());
        report.errors.add(why.clone());
        outcome.refuse(report, goes_on, Vec::new());
    }
}

/// Puts a last good version in force, unless something is wrong with it by now.
fn revive<K, R: Rules<K>>(version: &K, rules: &mut R) -> bool {
    let Parsed {
        mut form,
        mut report,
    } = rules.parse_kept(version);
    let well_formed = report.is_clean();
    rules.conflicts(&mut form, &mut report);
    let good = report.is_clean() || well_formed && rules.stands(&form);
    if good {
        rules.enter(form);
    }
    good
}

/// The objects of the kind in the namespace that is read, by creation time and then by name. An object
/// without a creation time does not exist yet, so it is the youngest. Others are refused here.
fn oldest_first<'r, K: Kind>(resources: &'r Resources, outcome: &mut Outcome) -> Vec<&'r Arc<K>> {
    let mut list = Vec::new();
    for ((namespace, name), object) in K::all(resources) {
        let mut report = Report::new(object.reference());
        let meta = FieldPath::root().key("metadata");
        if namespace != resources.namespace() {
            let cause = format!("{} objects count in one namespace alone", K::KIND);
            let remedy = format!("create it in {}", resources.namespace());
            report.refuse(
                K::ELSEWHERE,
                meta.key("namespace"),
                Some(namespace),
                cause,
                remedy,
            );
        }
        if name.is_empty() {
            let remedy = "write metadata.name";
            report.refuse(
                K::NAMELESS,
                meta.key("name"),
                None,
                "it has no name",
                remedy,
            );
        }
        if report.is_clean() {
            list.push(object);
        } else {
            outcome.refuse(report, false, Vec::new());
        }
    }
    list.sort_by_cached_key(|object| {
        let created = object.metadata().creation_timestamp.as_ref();
        let created = created.map_or(i64::MAX, |time| time.0.as_second());
        (created, object.name().to_owned())
    });
    list
}
