// SPDX-License-Identifier: Apache-2.0
//! Roles that run: started, asked, stopped or killed by their own number.

use std::{
    fs::{self, File},
    io::Read as _,
    os::unix::{net::UnixStream, process::ExitStatusExt as _},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use serde_json::Value;

use super::{Folder, PROGRAM, eventually};

/// A running role; killed at the end.
pub struct Running {
    child: Child,
    pub socket: PathBuf,
    log: PathBuf,
}

impl Folder {
    /// The controller of this folder.
    pub fn controller(&self) -> Running {
        self.start(Command::new(PROGRAM), "controller", "controller", &[])
    }

    /// A role that announces, as node `node`, in a network of its own.
    pub fn announcing(&self, role: &str, node: &str) -> Running {
        self.start(connected(), role, node, &["--node-name", node])
    }

    /// Starts `program` as a role, its log in a file beside the folder.
    pub fn start(
        &self,
        mut program: Command,
        role: &str,
        instance: &str,
        more: &[&str],
    ) -> Running {
        let log = self.root().join(format!("{instance}.log"));
        let file = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .unwrap();
        program
            .args([role, "--dir"])
            .arg(self.manifests())
            .arg("--state-dir")
            .arg(self.state())
            .args(more)
            .env_remove("METALLB_NAMESPACE")
            .env_remove("METALLB_NODE_NAME")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(file);
        Running {
            child: program.spawn().unwrap(),
            socket: self.state().join(format!("{instance}.sock")),
            log,
        }
    }
}

impl Running {
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it logged, and what earlier ones of its name did.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Its report; nothing while it does not answer.
    pub fn report(&self) -> Option<Value> {
        report(&self.socket, self.pid())
    }

    /// Waits for a report that is as wanted.
    pub fn await_report(&mut self, what: &str, is_wanted: impl Fn(&Value) -> bool) -> Value {
        let log = self.log.clone();
        let mut last = None;
        let child = &mut self.child;
        let (socket, pid) = (self.socket.clone(), child.id());
        let asked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            eventually(what, || {
                if let Some(status) = child.try_wait().unwrap() {
                    panic!("it ended: {status}");
                }
                let report = report(&socket, pid)?;
                let wanted = is_wanted(&report);
                last = Some(report.clone());
                wanted.then_some(report)
            })
        }));
        asked.unwrap_or_else(|_| {
            let log = fs::read_to_string(log).unwrap_or_default();
            panic!("never came: {what}; last report {last:#?}; log:\n{log}")
        })
    }

    /// Waits until everything is read.
    pub fn await_synced(&mut self) -> Value {
        self.await_report("synced", |report| report["synced"] == true)
    }

    /// Waits until exactly these faults are told, as codes.
    pub fn await_faults(&mut self, codes: &[&str]) -> Value {
        self.await_report(&format!("faults {codes:?}"), |report| {
            faults(report) == codes
        })
    }

    /// `kill -9`, and waits for the end.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end, and waits until it does.
    pub fn stop(mut self) -> ExitStatus {
        signal(self.pid(), "-TERM");
        eventually("its end", || self.child.try_wait().unwrap())
    }

    /// Waits until it ends by itself; gives its exit code.
    pub fn ended(mut self) -> i32 {
        let status = eventually("its end", || self.child.try_wait().unwrap());
        assert_eq!(status.signal(), None);
        status.code().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn report(socket: &PathBuf, pid: u32) -> Option<Value> {
    let mut stream = UnixStream::connect(socket).ok()?;
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    let report: Value = serde_json::from_str(&text).ok()?;
    (report["pid"] == pid).then_some(report)
}

/// The codes of a report's faults.
pub fn faults(report: &Value) -> Vec<&str> {
    let list = report["faults"].as_array().unwrap();
    list.iter()
        .map(|fault| fault["code"].as_str().unwrap())
        .collect()
}

/// The addresses of a Service in a report; none while it waits.
pub fn addresses<'r>(report: &'r Value, service: &str) -> Vec<&'r str> {
    let services = report["services"].as_array().unwrap();
    let found = services.iter().find(|one| one["service"] == service);
    let list = found.and_then(|one| one["addresses"].as_array());
    list.into_iter()
        .flatten()
        .map(|address| address.as_str().unwrap())
        .collect()
}

/// Sends a signal to one process of ours.
pub fn signal(pid: u32, name: &str) {
    let status = Command::new("kill")
        .args([name, &pid.to_string()])
        .status()
        .unwrap();
    assert!(status.success());
}

/// The program in a network of its own, with an interface to announce on: a cable whose other end is there too.
pub fn connected() -> Command {
    let cable =
        "ip link add eth0 type veth peer name eth1 && ip link set eth0 up && ip link set eth1 up";
    let script = format!("{cable} && exec \"$@\"");
    let mut command = Command::new("unshare");
    command.args(["-n", "sh", "-ec", &script, "sh", PROGRAM]);
    command
}

/// Whether this process may make namespaces. Where it may not, the reason is printed, and with `CI=true`
/// that is a failure.
pub fn has_namespaces() -> bool {
    let probe = Command::new("unshare").args(["-n", "-m", "true"]).output();
    let reason = match probe {
        Ok(output) if output.status.success() => return true,
        Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
        Err(error) => format!("unshare: {error}"),
    };
    assert!(
        std::env::var("CI").as_deref() != Ok("true"),
        "no namespaces here: {reason}"
    );
    eprintln!("not tested, no namespaces here (needs root and util-linux): {reason}");
    false
}
