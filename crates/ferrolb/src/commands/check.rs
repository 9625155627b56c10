// SPDX-License-Identifier: Apache-2.0
//! `ferrolb check`: every fault of the manifests, with file, line and column, or of a cluster's objects.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, IsTerminal as _, stdout},
    path::{Path, PathBuf},
};

use anyhow::anyhow;
use ferrolb_config::render::render;
use ferrolb_types::Diagnostic;

use super::{Ending, block_on, failed, listed::Listed, print, refused};
use crate::{
    args::{CheckArgs, CheckChoice, ClusterArgs, Form, bad_path},
    folder::{Content, FileChange, Scanner},
    model::Model,
};

/// Checks and prints.
#[must_use]
pub fn run(args: &CheckArgs) -> Ending {
    let (paths, namespace) = match args.choose() {
        Ok(CheckChoice::Paths(paths, namespace)) => (paths, namespace),
        Ok(CheckChoice::Cluster(cluster)) => return check_cluster(args.output, &cluster),
        Err(refusal) => return refused(&refusal),
    };
    match read(&paths) {
        Ok(files) => check(args.output, &namespace, files),
        Err(error) => failed(&error),
    }
}

/// Reads every path; one that cannot be read at all is an error of its own.
fn read(paths: &[PathBuf]) -> anyhow::Result<Vec<FileChange>> {
    let mut files = Vec::new();
    for path in paths {
        let unreadable = |error: io::Error| {
            let cause = format!("it cannot be read: {error}");
            refusal(
                path,
                &cause,
                "name a file or a folder that is there and that this user may read",
            )
        };
        let meta = fs::metadata(path).map_err(unreadable)?;
        // A pipe has no second reading, and to pass over it would look like praise.
        if !meta.is_file() && !meta.is_dir() {
            let cause = "it is neither a file nor a folder";
            return Err(refusal(path, cause, "save it as a file first"));
        }
        let scan = Scanner::new(vec![path.clone()], None).scan();
        files.extend(scan.map_err(unreadable)?);
    }
    Ok(files)
}

fn refusal(path: &Path, cause: &str, remedy: &str) -> anyhow::Error {
    anyhow!("{}", bad_path("PATH", path, cause, remedy))
}

/// Checks the objects of a cluster; what its API server let in.
fn check_cluster(form: Form, args: &ClusterArgs) -> Ending {
    let listed = block_on(async {
        let cluster = crate::cluster::connect(args, "cli").await?;
        Listed::of(&cluster).await
    });
    match listed {
        Ok(listed) => tell(form, &listed.faults, &BTreeMap::new(), "the cluster"),
        Err(error) => failed(&error),
    }
}

fn check(form: Form, namespace: &str, files: Vec<FileChange>) -> Ending {
    let count = files.len();
    let texts: BTreeMap<String, String> = files.iter().filter_map(text).collect();
    let mut model = Model::new(namespace);
    model.take(files);
    tell(
        form,
        &model.diagnostics(),
        &texts,
        &format!("{count} files"),
    )
}

fn tell(
    form: Form,
    diagnostics: &[Diagnostic],
    texts: &BTreeMap<String, String>,
    what: &str,
) -> Ending {
    match form {
        Form::Json => print(&json(diagnostics)),
        Form::Text => print(&report(diagnostics, texts, what)),
    }
    if diagnostics.iter().any(Diagnostic::is_error) {
        Ending::Faults
    } else {
        Ending::Fine
    }
}

fn text(file: &FileChange) -> Option<(String, String)> {
    match &file.content {
        Content::Text(text) => Some((file.path.to_string_lossy().into_owned(), text.clone())),
        Content::Gone | Content::Unreadable(_) => None,
    }
}

fn json(diagnostics: &[Diagnostic]) -> String {
    serde_json::to_string_pretty(diagnostics).unwrap_or_default() + "\n"
}

fn report(diagnostics: &[Diagnostic], texts: &BTreeMap<String, String>, what: &str) -> String {
    let source = |name: &str| texts.get(name).map(String::as_str);
    let errors = diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.is_error())
        .count();
    let warnings = diagnostics.len() - errors;
    let found = render(diagnostics, &source, stdout().is_terminal());
    format!("{found}{what}, {errors} errors, {warnings} warnings\n")
}
