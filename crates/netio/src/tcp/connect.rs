// SPDX-License-Identifier: Apache-2.0
//! Opening a connection.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use ferrolb_types::Secret;
use socket2::Socket;
use tokio::net::{TcpSocket, TcpStream};

use super::{TcpError, md5, options};

/// Whom to connect to, and how.
#[derive(Clone, Debug)]
pub struct Connect {
    /// The other side; a link-local address with its scope.
    pub remote: SocketAddr,
    /// The address to come from. Where the host does not have it, the kernel chooses.
    pub source: Option<IpAddr>,
    /// The interface or VRF to use.
    pub device: Option<String>,
    /// The TCP MD5 key.
    pub password: Option<Secret>,
    /// Time to live of what is sent: 1 reaches direct neighbours alone. `None` is the system's.
    pub ttl: Option<u8>,
    /// The least time to live of what is taken (RFC 5082); `None` takes all.
    pub min_ttl: Option<u8>,
}

impl Connect {
    /// Without any option.
    #[must_use]
    pub fn to(remote: SocketAddr) -> Self {
        Self {
            remote,
            source: None,
            device: None,
            password: None,
            ttl: None,
            min_ttl: None,
        }
    }
}

/// An open connection.
#[derive(Debug)]
pub struct Connection {
    /// The connection itself.
    pub stream: TcpStream,
    /// Its local end.
    pub local: SocketAddr,
    /// Its remote end.
    pub remote: SocketAddr,
    /// The address asked for as source, where the host does not have it and another is used.
    pub source_missing: Option<IpAddr>,
}

/// Opens a connection. It waits as long as the kernel tries, some minutes: limit it from outside.
///
/// # Errors
/// [`TcpError`], by the step that failed.
pub async fn connect(options: &Connect) -> Result<Connection, TcpError> {
    let peer = options.remote.ip();
    let socket = options::socket(peer, options.device.as_deref())?;
    options::set_ttl(&socket, peer, options.ttl, options.min_ttl)?;
    if options.password.is_some() {
        let set = md5::set_key(&socket, peer, options.password.as_ref());
        set.map_err(TcpError::Password)?;
    }
    let source_missing = bind_source(&socket, options)?;
    let socket = TcpSocket::from_std_stream(socket.into());
    let stream = socket
        .connect(options.remote)
        .await
        .map_err(TcpError::Connect)?;
    let local = stream.local_addr().map_err(TcpError::Socket)?;
    let remote = stream.peer_addr().map_err(TcpError::Socket)?;
    Ok(Connection {
        stream,
        local,
        remote,
        source_missing,
    })
}

/// Binds to the source address; gives it back where the host does not have it.
fn bind_source(socket: &Socket, options: &Connect) -> Result<Option<IpAddr>, TcpError> {
    let Some(address) = options.source else {
        return Ok(None);
    };
    let mut source = SocketAddr::new(address, 0);
    // A link-local source is on the link of the peer.
    if let (SocketAddr::V6(source), SocketAddr::V6(remote)) = (&mut source, options.remote) {
        source.set_scope_id(remote.scope_id());
    }
    match socket.bind(&source.into()) {
        Ok(()) => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => Ok(Some(address)),
        Err(source) => Err(TcpError::Address { address, source }),
    }
}
