// SPDX-License-Identifier: Apache-2.0
//! TCP as BGP needs it: MD5 keys (RFC 2385), TTL, source address and device, both ways.
//!
//! Time limits and retries are for the caller: dropping a future closes what it had opened.

mod connect;
mod listen;
mod md5;
mod options;
mod stream;

pub use connect::{Connect, Connection, connect};
pub use listen::{Listen, Listener};
pub use stream::{set_ttl, shut_down_writing};

use std::{io, net::IpAddr};

/// Why there is no connection, or no listener.
#[derive(Debug, thiserror::Error)]
pub enum TcpError {
    /// The kernel gave no socket, or refused a basic option.
    #[error("no socket: {0}")]
    Socket(#[source] io::Error),
    /// The interface or VRF to bind to cannot be used.
    #[error("cannot bind to device {device}: {source}")]
    Device {
        /// Its name.
        device: String,
        /// What the kernel says.
        source: io::Error,
    },
    /// The local address cannot be used, for another reason than its absence.
    #[error("cannot bind to address {address}: {source}")]
    Address {
        /// The address.
        address: IpAddr,
        /// What the kernel says.
        source: io::Error,
    },
    /// The password cannot be used as a TCP MD5 key.
    #[error("the password cannot be used as a TCP MD5 key: {0}")]
    Password(#[source] io::Error),
    /// The time to live cannot be set.
    #[error("cannot set the time to live: {0}")]
    Ttl(#[source] io::Error),
    /// The other side did not take the connection.
    #[error("{0}")]
    Connect(#[source] io::Error),
}
