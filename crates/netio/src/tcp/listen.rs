// SPDX-License-Identifier: Apache-2.0
//! Taking connections.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use ferrolb_types::Secret;
use tokio::net::{TcpListener, TcpStream};

use super::{TcpError, md5, options};

/// Connections that wait to be taken; there are few peers, each with one.
const BACKLOG: i32 = 128;

/// Where to listen.
#[derive(Clone, Debug)]
pub struct Listen {
    /// Address and port. An IPv6 address takes IPv6 connections alone.
    pub address: SocketAddr,
    /// The interface or VRF to listen in.
    pub device: Option<String>,
}

/// A listening socket.
#[derive(Debug)]
pub struct Listener(TcpListener);

impl Listener {
    /// Opens it. A port that was in use a moment ago can be opened again.
    ///
    /// # Errors
    /// [`TcpError`], by the step that failed.
    pub fn open(options: &Listen) -> Result<Self, TcpError> {
        let address = options.address.ip();
        let socket = options::socket(address, options.device.as_deref())?;
        socket.set_reuse_address(true).map_err(TcpError::Socket)?;
        if address.is_ipv6() {
            socket.set_only_v6(true).map_err(TcpError::Socket)?;
        }
        let bound = socket.bind(&options.address.into());
        bound.map_err(|source| TcpError::Address { address, source })?;
        socket.listen(BACKLOG).map_err(TcpError::Socket)?;
        TcpListener::from_std(socket.into())
            .map(Self)
            .map_err(TcpError::Socket)
    }

    /// Sets, changes or removes the TCP MD5 key of a peer. With a key, segments from the peer that are not
    /// signed with it are dropped by the kernel. Connections that are open keep theirs.
    ///
    /// # Errors
    /// [`TcpError::Password`].
    pub fn set_key(&self, peer: IpAddr, key: Option<&Secret>) -> Result<(), TcpError> {
        md5::set_key(&self.0, peer, key).map_err(TcpError::Password)
    }

    /// Where it listens: with the port the kernel chose, if 0 was asked for.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }

    /// Takes the next connection.
    ///
    /// # Errors
    /// What the kernel says: `EMFILE` and the like. The listener can still be used.
    pub async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        self.0.accept().await
    }
}
