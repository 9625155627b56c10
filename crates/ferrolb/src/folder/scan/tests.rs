// SPDX-License-Identifier: Apache-2.0
//! Scans of real folders.

use std::os::unix::fs::symlink;

use super::*;

fn texts(changes: &[FileChange]) -> Vec<(String, Option<String>)> {
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    let text = |content: &Content| match content {
        Content::Text(text) => Some(text.clone()),
        Content::Gone => None,
        Content::Unreadable(why) => Some(format!("! {why}")),
    };
    changes
        .iter()
        .map(|c| (name(&c.path), text(&c.content)))
        .collect()
}

fn scanner(directory: &Path) -> Scanner {
    Scanner::new(vec![directory.to_owned()], Some(&directory.join("state")))
}

#[test]
fn tells_what_is_new_changed_and_gone() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str| directory.path().join(name);
    fs::write(file("b.yaml"), "b").unwrap();
    fs::write(file("a.yml"), "a").unwrap();
    fs::write(file("notes.txt"), "x").unwrap();
    fs::write(file(".hidden.yaml"), "x").unwrap();
    fs::create_dir(file("state")).unwrap();
    fs::write(file("state/x.yaml"), "x").unwrap();
    let mut scanner = scanner(directory.path());
    let first = scanner.scan().unwrap();
    assert_eq!(
        texts(&first),
        [
            ("a.yml".into(), Some("a".into())),
            ("b.yaml".into(), Some("b".into()))
        ]
    );
    fs::write(file("b.yaml"), "c").unwrap();
    fs::remove_file(file("a.yml")).unwrap();
    let second = scanner.scan().unwrap();
    assert_eq!(
        texts(&second),
        [("a.yml".into(), None), ("b.yaml".into(), Some("c".into()))]
    );
}

#[test]
fn what_was_told_is_not_told_again() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("a.yaml");
    fs::write(&file, "a").unwrap();
    let mut scanner = scanner(directory.path());
    assert_eq!(scanner.scan().unwrap().len(), 1);
    // So young that it is read again; then written anew with the same text.
    assert_eq!(texts(&scanner.scan().unwrap()), []);
    fs::write(&file, "a").unwrap();
    assert_eq!(texts(&scanner.scan().unwrap()), []);
    // The same length, hardly later.
    fs::write(&file, "b").unwrap();
    let changes = scanner.scan().unwrap();
    assert_eq!(texts(&changes), [("a.yaml".into(), Some("b".into()))]);
}

#[test]
fn a_file_that_is_being_written_waits_for_its_end() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("a.yaml");
    fs::write(&file, "whole").unwrap();
    let mut scanner = scanner(directory.path());
    assert_eq!(scanner.scan().unwrap().len(), 1);
    scanner.be_patient();
    fs::write(&file, "").unwrap();
    assert!(scanner.scan().unwrap().is_empty());
    let pause = scanner.pause().unwrap();
    fs::write(&file, "whole again").unwrap();
    std::thread::sleep(pause);
    let changes = scanner.scan().unwrap();
    assert_eq!(
        texts(&changes),
        [("a.yaml".into(), Some("whole again".into()))]
    );
    assert_eq!(scanner.pause(), None);
}

#[test]
fn a_file_that_is_replaced_is_not_gone() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("a.yaml");
    fs::write(&file, "one").unwrap();
    let mut scanner = scanner(directory.path());
    assert_eq!(scanner.scan().unwrap().len(), 1);
    scanner.be_patient();
    fs::remove_file(&file).unwrap();
    assert!(scanner.scan().unwrap().is_empty());
    fs::write(&file, "two").unwrap();
    std::thread::sleep(scanner.pause().unwrap());
    let changes = scanner.scan().unwrap();
    assert_eq!(texts(&changes), [("a.yaml".into(), Some("two".into()))]);
    fs::remove_file(&file).unwrap();
    assert!(scanner.scan().unwrap().is_empty() && scanner.pause().is_some());
    assert_eq!(texts(&scanner.scan().unwrap()), [("a.yaml".into(), None)]);
    assert!(scanner.scan().unwrap().is_empty() && scanner.pause().is_none());
}

#[test]
fn a_loop_of_links_ends() {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("sub")).unwrap();
    fs::write(directory.path().join("sub/a.yaml"), "a").unwrap();
    symlink(directory.path(), directory.path().join("sub/up")).unwrap();
    symlink("self", directory.path().join("self")).unwrap();
    let changes = scanner(directory.path()).scan().unwrap();
    assert_eq!(texts(&changes), [("a.yaml".into(), Some("a".into()))]);
}

#[test]
fn a_folder_that_vanishes_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("manifests");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("a.yaml"), "a").unwrap();
    let mut scanner = scanner(&folder);
    assert_eq!(scanner.scan().unwrap().len(), 1);
    fs::remove_dir_all(&folder).unwrap();
    assert!(scanner.scan().is_err());
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("a.yaml"), "b").unwrap();
    let changes = scanner.scan().unwrap();
    assert_eq!(texts(&changes), [("a.yaml".into(), Some("b".into()))]);
}

#[test]
fn files_of_a_folder_that_cannot_be_listed_are_not_gone() {
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("sub");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("a.yaml"), "a").unwrap();
    let mut scanner = scanner(directory.path());
    assert_eq!(scanner.scan().unwrap().len(), 1);
    let unlisted = scanner.changes(BTreeSet::from([folder]));
    let cause = Some("! the folder cannot be listed".into());
    assert_eq!(texts(&unlisted), [("sub".into(), cause)]);
    let again = texts(&scanner.scan().unwrap());
    assert_eq!(again.first(), Some(&("sub".into(), None)));
    assert!(
        again.iter().skip(1).all(|(_, text)| text.is_some()),
        "{again:?}"
    );
}

#[test]
fn what_is_no_text_is_said_to_be_unreadable() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("a.yaml"), [0xff, 0xfe]).unwrap();
    let changes = scanner(directory.path()).scan().unwrap();
    assert_eq!(
        texts(&changes),
        [("a.yaml".into(), Some("! it is not UTF-8 text".into()))]
    );
}
