// SPDX-License-Identifier: Apache-2.0
//! How a process is to announce.

use std::{io, net::IpAddr, path::PathBuf};

use anyhow::anyhow;
use ferrolb_members::Timing;
use ferrolb_types::{Diagnostic, NodeName, ObjectRef, codes};

use crate::{
    args::bad_path,
    drivers::{heartbeat, layer2},
    exclude,
};

/// How a process is to announce.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// This node.
    pub(crate) node: NodeName,
    /// The `loadBalancerClass` to stand for; without one, the Services that name none.
    pub(crate) lb_class: Option<String>,
    /// Whether the label that takes a node out of load balancing counts for nothing.
    pub(crate) ignore_exclude_lb: bool,
    /// Namespace of the `metallb.io` objects.
    pub(crate) namespace: String,
    /// File with the interfaces that layer 2 leaves alone.
    pub(crate) exclude_l2: PathBuf,
    /// UDP port of the heartbeat.
    pub(crate) heartbeat_port: u16,
    /// The own address the heartbeat is to use.
    pub(crate) heartbeat_address: Option<IpAddr>,
}

impl Settings {
    /// The interfaces that layer 2 leaves alone; none where the file does not exist.
    pub(super) fn exclude(&self) -> anyhow::Result<layer2::Exclude> {
        let path = &self.exclude_l2;
        let refused = |cause: &str, remedy: &str| {
            anyhow!("{}", bad_path("--exclude-l2", path, cause, remedy))
        };
        match std::fs::read_to_string(path) {
            Ok(text) => {
                exclude::parse(&text).map_err(|fault| refused(&fault.to_string(), fault.remedy()))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(layer2::Exclude::default()),
            Err(error) => {
                let cause = format!("it cannot be read: {error}");
                Err(refused(
                    &cause,
                    "name a file that this user may read, or none",
                ))
            }
        }
    }

    /// How the heartbeat is to run.
    pub(super) fn heartbeat(&self) -> heartbeat::Settings {
        heartbeat::Settings {
            own: self.node.clone(),
            port: self.heartbeat_port,
            bind: self.heartbeat_address,
            timing: Timing::default(),
        }
    }

    /// The heartbeat has no socket.
    pub(super) fn no_heartbeat(&self, error: &io::Error) -> anyhow::Error {
        let object = ObjectRef::new("flag", "", "--heartbeat-port");
        let at = self.heartbeat_address;
        let at = at.map_or_else(String::new, |at| format!(" at {at} (--ml-bindaddr)"));
        let cause = format!("the heartbeat cannot use the UDP port{at}: {error}");
        let remedy = "end what holds the port, or choose another one, the same on every node; an \
                      address for it must be one of this node";
        let refusal = Diagnostic::error(codes::command::X007, object, cause, remedy);
        anyhow!("{}", refusal.value(self.heartbeat_port))
    }
}

/// The kernel does not tell a driver of the interfaces.
pub(super) fn no_netlink(driver: &'static str, error: &io::Error) -> anyhow::Error {
    let object = ObjectRef::new("netlink socket", "", driver);
    let cause = format!("the kernel does not tell of its interfaces: {error}");
    let remedy = "allow the process sockets of AF_NETLINK, and see whether it has descriptors left";
    anyhow!(
        "{}",
        Diagnostic::error(codes::command::X007, object, cause, remedy)
    )
}
