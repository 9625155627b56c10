// SPDX-License-Identifier: Apache-2.0
//! Network namespaces for tests against the real kernel. Each is removed when dropped, also by a panic.
#![allow(dead_code, clippy::unwrap_used, clippy::panic)]

use std::{
    process::{Command, Output},
    sync::atomic::{AtomicU32, Ordering},
    thread::JoinHandle,
};

/// Whether this process may make namespaces. Where it may not, the reason is printed, and with `CI=true`
/// that is a failure.
pub fn is_able() -> bool {
    let probe = format!("flbl2-{}-probe", std::process::id());
    static PROBES: AtomicU32 = AtomicU32::new(0);
    let name = format!("{probe}{}", PROBES.fetch_add(1, Ordering::Relaxed));
    let able = Command::new("ip").args(["netns", "add", &name]).output();
    let reason = match able {
        Ok(output) if output.status.success() => {
            ip(&["netns", "del", &name]);
            return true;
        }
        Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
        Err(error) => format!("ip: {error}"),
    };
    assert!(
        std::env::var("CI").as_deref() != Ok("true"),
        "no namespaces here: {reason}"
    );
    eprintln!("not tested, no namespaces here (needs root and iproute2): {reason}");
    false
}

/// A network namespace with loopback up and duplicate address detection off.
pub struct Namespace(String);

impl Namespace {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let namespace = Self(format!("flbl2-{}-{number}", std::process::id()));
        ip(&["netns", "add", &namespace.0]);
        for scope in ["all", "default"] {
            namespace.sysctl(&format!("net.ipv6.conf.{scope}.accept_dad=0"));
        }
        namespace.ip("link set lo up");
        namespace
    }

    pub fn name(&self) -> &str {
        &self.0
    }

    /// `ip -n NAMESPACE …`, which must succeed.
    pub fn ip(&self, arguments: &str) -> String {
        let mut all = vec!["-n", &self.0];
        all.extend(arguments.split_whitespace());
        ip(&all)
    }

    pub fn sysctl(&self, setting: &str) {
        let output = self.exec(&["sysctl", "-q", "-w", setting]);
        assert!(output.status.success(), "sysctl {setting}: {output:?}");
    }

    /// Runs a program here, for ten seconds at most.
    pub fn exec(&self, command: &[&str]) -> Output {
        let fixed = ["netns", "exec", &self.0, "timeout", "10"];
        Command::new("ip")
            .args(fixed)
            .args(command)
            .output()
            .unwrap()
    }

    /// Runs a future on a thread of its own here, with a runtime of its own.
    pub fn spawn<F, T>(&self, body: impl FnOnce() -> F + Send + 'static) -> JoinHandle<T>
    where
        F: Future<Output = T>,
        T: Send + 'static,
    {
        let name = self.0.clone();
        std::thread::spawn(move || {
            ferrolb_netio::netns::enter(&name).unwrap();
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.unwrap().block_on(async { body().await })
        })
    }

    /// As [`Self::spawn`], waiting for the result.
    pub fn run<F, T>(&self, body: impl FnOnce() -> F + Send + 'static) -> T
    where
        F: Future<Output = T>,
        T: Send + 'static,
    {
        match self.spawn(body).join() {
            Ok(value) => value,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }

    /// The number of an interface.
    pub fn ifindex(&self, device: &str) -> u32 {
        let line = self.ip(&format!("-o link show dev {device}"));
        line.split(':').next().unwrap().parse().unwrap()
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // In a panic another failure would abort the process.
        let _ = Command::new("ip").args(["netns", "del", &self.0]).output();
    }
}

/// A cable from `device` here to `device` there, both ends up.
pub fn connect(here: &Namespace, there: &Namespace, device: &str) {
    here.ip(&format!(
        "link add {device} type veth peer name {device} netns {}",
        there.name()
    ));
    for end in [here, there] {
        end.ip(&format!("link set {device} up"));
    }
}

/// Runs `ip`, which must succeed.
pub fn ip(arguments: &[&str]) -> String {
    let output = Command::new("ip").args(arguments).output().unwrap();
    assert!(output.status.success(), "ip {arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}
