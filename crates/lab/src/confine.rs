// SPDX-License-Identifier: Apache-2.0
//! A program with no more than the security context of a Pod leaves it: a user, a few capabilities and no
//! way to gain more, one folder to write in.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

use crate::{Process, process::Spec};

/// Makes the root read-only but for a folder, and goes on as the rest says.
const SCRIPT: &str =
    r#"mount --bind "$1" "$1" && mount -o remount,bind,ro / && shift && exec "$@""#;

/// What a container may do.
#[derive(Clone, Copy, Debug)]
pub struct Confines {
    /// Its user and group.
    pub user: u32,
    /// Its capabilities, as `setpriv` lists them: `-all,+net_raw`.
    pub capabilities: &'static str,
}

impl Confines {
    /// The same program within these confines, from a copy that every user may run. It may write in
    /// `folder` alone, which becomes its own, and read the files named.
    ///
    /// # Errors
    /// Something cannot be copied or given away.
    pub fn apply(&self, mut spec: Spec, folder: &Path, reads: &[&Path]) -> Result<Spec> {
        fs::create_dir_all(folder)?;
        let program = self.copy(Path::new(&spec.program), folder)?;
        for path in reads.iter().chain([&folder]) {
            let given = chown(path, Some(self.user), Some(self.user));
            given.with_context(|| path.display().to_string())?;
        }
        let (user, capabilities) = (self.user, self.capabilities);
        let before = [
            "--mount".to_owned(),
            "sh".to_owned(),
            "-c".to_owned(),
            SCRIPT.to_owned(),
            "sh".to_owned(),
            folder.display().to_string(),
            "setpriv".to_owned(),
            format!("--reuid={user}"),
            format!("--regid={user}"),
            "--clear-groups".to_owned(),
            format!("--bounding-set={capabilities}"),
            "--inh-caps=-all".to_owned(),
            "--no-new-privs".to_owned(),
            program.display().to_string(),
        ];
        let before = before.into_iter().map(Into::into);
        spec.arguments = before.chain(spec.arguments).collect();
        spec.program = "unshare".into();
        Ok(spec)
    }

    fn copy(&self, program: &Path, folder: &Path) -> Result<PathBuf> {
        let copy = folder.with_extension("program");
        fs::copy(program, &copy).with_context(|| program.display().to_string())?;
        fs::set_permissions(&copy, Permissions::from_mode(0o755))?;
        Ok(copy)
    }

    /// Whether a process is within these confines, as the kernel says.
    ///
    /// # Errors
    /// It has gone.
    pub fn hold(&self, process: &Process, capabilities: u64) -> Result<bool> {
        let status = fs::read_to_string(format!("/proc/{}/status", process.pid()))?;
        let user = self.user;
        let has = |line: String| status.lines().any(|other| other == line);
        Ok(has(format!("Uid:\t{user}\t{user}\t{user}\t{user}"))
            && has(format!("CapEff:\t{capabilities:016x}"))
            && has(format!("CapBnd:\t{capabilities:016x}"))
            && has("NoNewPrivs:\t1".to_owned()))
    }
}
