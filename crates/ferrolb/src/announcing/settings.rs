// SPDX-License-Identifier: Apache-2.0
//! How a process is to announce.

use std::{io, net::IpAddr, path::PathBuf};

use anyhow::Context as _;
use ferrolb_members::Timing;
use ferrolb_types::NodeName;

use crate::drivers::{heartbeat, layer2};

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
        match std::fs::read_to_string(path) {
            Ok(text) => crate::exclude::parse(&text)
                .with_context(|| format!("{} (--exclude-l2)", path.display())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(layer2::Exclude::default()),
            Err(error) => Err(error).with_context(|| format!("{} (--exclude-l2)", path.display())),
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

    /// The heartbeat and the flags it depends on, for an error.
    pub(super) fn name_heartbeat(&self) -> String {
        let port = self.heartbeat_port;
        match self.heartbeat_address {
            Some(address) => {
                format!(
                    "heartbeat at {address} (--ml-bindaddr), UDP port {port} (--heartbeat-port)"
                )
            }
            None => format!("heartbeat on UDP port {port} (--heartbeat-port)"),
        }
    }
}
