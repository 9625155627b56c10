// SPDX-License-Identifier: Apache-2.0
//! A folder as its files come, change, break and go.

use ferrolb_types::{Diagnostic, FieldPath, ObjectRef, codes};

use crate::{
    manifest::folder::{Change, Folder},
    object::Object,
};

fn pool(name: &str, addresses: &str) -> String {
    format!(
        "apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata: {{name: {name}}}\nspec: {{addresses: [\"{addresses}\"]}}\n---\n"
    )
}

fn peer(graceful: bool) -> String {
    format!(
        "apiVersion: metallb.io/v1beta2\nkind: BGPPeer\nmetadata: {{name: p}}\nspec:\n  myASN: 1\n  enableGracefulRestart: {graceful}\n"
    )
}

fn object(name: &str) -> ObjectRef {
    ObjectRef::new("IPAddressPool", "lb", name)
}

/// Changes as `+name addresses` and `-name`.
fn changes(folder: &mut Folder) -> Vec<String> {
    let line = |change: Change| match change {
        Change::Delete(object) => format!("-{}", object.name),
        Change::Apply(manifest) => match &manifest.object {
            Object::IPAddressPool(pool) => {
                format!(
                    "+{} {}",
                    manifest.object.reference().name,
                    pool.spec.addresses.join(",")
                )
            }
            other => format!("+{}", other.reference().name),
        },
    };
    folder.take_changes().into_iter().map(line).collect()
}

fn faults(folder: &Folder) -> Vec<String> {
    let line = |d: &Diagnostic| {
        let place = d
            .position
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default();
        format!("{} {place}", d.code)
    };
    folder.diagnostics().iter().map(line).collect()
}

const NONE: [&str; 0] = [];

#[test]
fn a_file_comes_changes_and_goes() {
    let mut folder = Folder::new("lb");
    folder.update("a.yaml", Some(&(pool("x", "1") + &pool("w", "2"))));
    assert_eq!(changes(&mut folder), ["+w 2", "+x 1"]);
    assert_eq!(changes(&mut folder), NONE);
    folder.update("a.yaml", Some(&(pool("w", "2") + &pool("z", "3"))));
    assert_eq!(
        changes(&mut folder),
        ["-x", "+z 3"],
        "w is the same, only further up"
    );
    folder.update("a.yaml", Some(&(pool("z", "4") + &pool("w", "2"))));
    assert_eq!(changes(&mut folder), ["+z 4"]);
    folder.update("a.yaml", None);
    assert_eq!(changes(&mut folder), ["-w", "-z"]);
    assert_eq!(folder.objects().count() + folder.paths().count(), 0);
}

#[test]
fn what_comes_and_goes_between_two_looks_is_not_told() {
    let mut folder = Folder::new("lb");
    folder.update("a.yaml", Some(&pool("x", "1")));
    folder.update("a.yaml", None);
    assert_eq!(changes(&mut folder), NONE);
}

#[test]
fn a_broken_object_keeps_its_last_good_version() {
    let mut folder = Folder::new("lb");
    folder.update("a.yaml", Some(&(pool("x", "1") + &pool("w", "2"))));
    changes(&mut folder);
    // x is broken but can be told by its name; w is removed; z is new.
    let broken = pool("x", "1").replace("addresses", "adresses");
    folder.update("a.yaml", Some(&(broken + &pool("z", "3"))));
    assert_eq!(changes(&mut folder), ["-w", "+z 3"]);
    assert_eq!(
        faults(&folder),
        ["FLB-V002 a.yaml:4:1", "FLB-V001 a.yaml:4:8"]
    );
    assert!(folder.is_kept(&object("x")) && !folder.is_kept(&object("z")));
    // What is said of the old version has no place in the new text.
    assert_eq!(folder.position(&object("x"), &FieldPath::spec()), None);
    assert!(folder.position(&object("z"), &FieldPath::spec()).is_some());
    folder.update("a.yaml", Some(&pool("x", "5")));
    assert_eq!(changes(&mut folder), ["-z", "+x 5"]);
    assert_eq!(faults(&folder), NONE);
    assert!(!folder.is_kept(&object("x")));
}

#[test]
fn an_unreadable_part_keeps_all_that_was_there() {
    let mut folder = Folder::new("lb");
    folder.update("a.yaml", Some(&(pool("x", "1") + &pool("w", "2"))));
    folder.update("b.yaml", Some(&pool("z", "3")));
    changes(&mut folder);
    for bad in ["a: [", "a:\n\tb: c\n"] {
        folder.update("a.yaml", Some(&format!("{}{bad}", pool("w", "7"))));
        assert!(folder.manifest(&object("x")).is_some(), "{bad:?}");
    }
    assert_eq!(changes(&mut folder), ["+w 7"]);
    // Broken a second time, it still keeps what was good before the first.
    folder.update("a.yaml", Some("a: ["));
    assert_eq!(changes(&mut folder), NONE);
    assert_eq!(folder.objects().count(), 3);
    folder.update("a.yaml", Some(""));
    assert_eq!(changes(&mut folder), ["-w", "-x"]);
}

#[test]
fn a_file_that_cannot_be_read_keeps_its_content() {
    let mut folder = Folder::new("lb");
    folder.update("a.yaml", Some(&pool("x", "1")));
    changes(&mut folder);
    let file = ObjectRef::new("file", "", "a.yaml");
    folder.fail(
        "a.yaml",
        Diagnostic::error(codes::file::F001, file, "permission denied", "allow it"),
    );
    assert_eq!(changes(&mut folder), NONE);
    assert_eq!(folder.diagnostics().len(), 1);
    folder.update("a.yaml", Some(&pool("x", "1")));
    assert_eq!(
        (changes(&mut folder).len(), folder.diagnostics().len()),
        (0, 0)
    );
}

#[test]
fn of_two_definitions_the_first_file_wins() {
    let mut folder = Folder::new("lb");
    folder.update("b.yaml", Some(&pool("x", "2")));
    assert_eq!(changes(&mut folder), ["+x 2"]);
    folder.update("c.yaml", Some(&pool("x", "3")));
    assert_eq!(changes(&mut folder), NONE);
    assert_eq!(faults(&folder), ["FLB-F005 c.yaml:3:18"]);
    folder.update("a.yaml", Some(&pool("x", "1")));
    assert_eq!(changes(&mut folder), ["+x 1"]);
    assert_eq!(
        faults(&folder),
        ["FLB-F005 b.yaml:3:18", "FLB-F005 c.yaml:3:18"]
    );
    folder.update("a.yaml", None);
    assert_eq!(changes(&mut folder), ["+x 2"]);
    folder.update("b.yaml", Some(&pool("w", "2")));
    assert_eq!(changes(&mut folder), ["+w 2", "+x 3"]);
    assert_eq!(faults(&folder), NONE);
}

#[test]
fn a_change_an_api_server_would_refuse_is_taken_with_a_warning() {
    let mut folder = Folder::new("lb");
    folder.update("a.yaml", Some(&peer(false)));
    changes(&mut folder);
    folder.update("a.yaml", Some(&peer(true)));
    assert_eq!(changes(&mut folder), ["+p"]);
    assert_eq!(faults(&folder), ["FLB-V011 a.yaml:6:26"]);
    assert!(!folder.diagnostics()[0].is_error());
}

mod histories {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Act {
        Write(usize, Vec<(usize, usize)>),
        Remove(usize),
        Look,
    }

    fn act() -> impl Strategy<Value = Act> {
        let content = prop::collection::vec((0_usize..3, 0_usize..3), 0..3);
        prop_oneof![
            4 => (0_usize..3, content).prop_map(|(file, content)| Act::Write(file, content)),
            1 => (0_usize..3).prop_map(Act::Remove),
            2 => Just(Act::Look),
        ]
    }

    fn text(content: &[(usize, usize)]) -> String {
        content
            .iter()
            .map(|(name, value)| pool(&format!("n{name}"), &value.to_string()))
            .collect()
    }

    proptest! {
        /// Whoever follows the changes ends with what a new folder of the same files says.
        #[test]
        fn changes_add_up(acts in prop::collection::vec(act(), 0..30)) {
            let mut folder = Folder::new("lb");
            let mut files = BTreeMap::new();
            let mut followed = BTreeMap::new();
            for act in acts.into_iter().chain([Act::Look]) {
                match act {
                    Act::Write(file, content) => {
                        folder.update(&file.to_string(), Some(&text(&content)));
                        files.insert(file, content);
                    }
                    Act::Remove(file) => {
                        folder.update(&file.to_string(), None);
                        files.remove(&file);
                    }
                    Act::Look => for change in folder.take_changes() {
                        match change {
                            Change::Apply(manifest) => {
                                followed.insert(manifest.object.reference(), manifest.object.clone());
                            }
                            Change::Delete(object) => {
                                prop_assert!(followed.remove(&object).is_some());
                            }
                        }
                    },
                }
            }
            let mut fresh = Folder::new("lb");
            for (file, content) in &files {
                fresh.update(&file.to_string(), Some(&text(content)));
            }
            let now = fresh.objects().map(|(object, manifest)| (object.clone(), manifest.object.clone()));
            prop_assert_eq!(followed, now.collect::<BTreeMap<_, _>>());
            prop_assert_eq!(folder.diagnostics(), fresh.diagnostics());
        }
    }
}
