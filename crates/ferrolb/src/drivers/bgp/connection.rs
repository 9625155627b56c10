// SPDX-License-Identifier: Apache-2.0
//! One TCP connection: a task that opens and reads it, and one that writes.

use std::{io, sync::Arc, time::Duration};

use bytes::BytesMut;
use ferrolb_bgp::{ConnId, Connect, Ends, Fault};
use ferrolb_netio::tcp::{self, TcpError};
use tokio::{net::TcpStream, sync::mpsc, task::JoinHandle, time::timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Room for one read: a few messages of ordinary size.
const READ: usize = 16 * 1024;
/// How long a peer may take for the last bytes of a connection that is closed.
const LINGER: Duration = Duration::from_secs(1);

/// What a connection tells the driver.
#[derive(Debug)]
pub(super) enum Happened {
    /// The connection stands.
    Connected(ConnId, TcpStream),
    /// It did not come about.
    ConnectFailed(ConnId, Fault),
    /// Bytes came.
    Received(ConnId, Vec<u8>),
    /// The last buffer is in the kernel.
    Written(ConnId),
    /// It is gone.
    Closed(ConnId, Option<Fault>),
}

/// A connection from the attempt to its end.
#[derive(Debug)]
pub(super) struct Connection {
    /// Whether the speaker has something to write.
    pub(super) wants_write: bool,
    /// Whether the writer still has a buffer.
    pub(super) busy: bool,
    opening: JoinHandle<()>,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    ends: Ends,
    stream: Arc<TcpStream>,
    writer: mpsc::Sender<BytesMut>,
    closing: CancellationToken,
}

impl Connection {
    /// Begins to connect.
    pub(super) fn open(conn: ConnId, how: Connect, happened: mpsc::Sender<Happened>) -> Self {
        let opening = tokio::spawn(async move {
            let told = match connect(how).await {
                Ok(stream) => Happened::Connected(conn, stream),
                Err(fault) => Happened::ConnectFailed(conn, fault),
            };
            // The driver ends before its connections only with the process.
            let _ = happened.send(told).await;
        });
        Self {
            wants_write: false,
            busy: false,
            opening,
            open: None,
        }
    }

    /// Takes the open stream and starts reading and writing.
    pub(super) fn established(
        &mut self,
        conn: ConnId,
        (stream, ends): (TcpStream, Ends),
        happened: &mpsc::Sender<Happened>,
        tasks: &TaskTracker,
    ) {
        let stream = Arc::new(stream);
        let (writer, buffers) = mpsc::channel(1);
        let closing = CancellationToken::new();
        tasks.spawn(read(
            conn,
            Arc::clone(&stream),
            happened.clone(),
            closing.clone(),
        ));
        tasks.spawn(write(
            conn,
            Arc::clone(&stream),
            buffers,
            happened.clone(),
            closing.clone(),
        ));
        self.open = Some(Open {
            ends,
            stream,
            writer,
            closing,
        });
    }

    /// Its ends as the speaker knows them, once it is open.
    pub(super) fn ends(&mut self) -> Option<&mut Ends> {
        self.open.as_mut().map(|open| &mut open.ends)
    }

    /// Hands a buffer to the writer.
    pub(super) fn write(&mut self, buffer: BytesMut) {
        let Some(open) = &self.open else { return };
        if !buffer.is_empty() {
            // A writer that has ended has said so: the connection is closed in the next turn.
            self.busy = open.writer.try_send(buffer).is_ok();
        }
    }

    /// Sets the TTL (or hop limit) of what is sent from now on.
    pub(super) fn set_ttl(&self, ttl: u8) {
        let Some(open) = &self.open else { return };
        if let Err(error) = tcp::set_ttl(&open.stream, ttl) {
            tracing::warn!(%error, ttl, "the TTL of a connection cannot be changed");
        }
    }

    /// Closes after what the writer still has, or gives up the attempt.
    pub(super) fn close(self) {
        self.opening.abort();
        if let Some(open) = self.open {
            open.closing.cancel();
        }
    }
}

async fn connect(how: Connect) -> Result<TcpStream, Fault> {
    let options = tcp::Connect {
        source: how.source,
        password: how.password,
        ttl: Some(how.ttl),
        ..tcp::Connect::to(how.remote)
    };
    let connection = tcp::connect(&options)
        .await
        .map_err(|error| fault(&error))?;
    if let Some(source) = connection.source_missing {
        tracing::warn!(peer = %how.peer, %source, used = %connection.local.ip(),
            "this host does not have the source address: the kernel chose another");
    }
    Ok(connection.stream)
}

fn fault(error: &TcpError) -> Fault {
    match error {
        TcpError::Connect(error) => Fault::from(error),
        other => Fault::Other(other.to_string()),
    }
}

async fn read(
    conn: ConnId,
    stream: Arc<TcpStream>,
    happened: mpsc::Sender<Happened>,
    closing: CancellationToken,
) {
    let mut buffer = vec![0; READ];
    let fault = loop {
        let result = tokio::select! {
            () = closing.cancelled() => return discard(&stream, &mut buffer).await,
            result = receive(&stream, &mut buffer) => result,
        };
        match result {
            Ok(0) => break None,
            Ok(length) => {
                let bytes = buffer.get(..length).unwrap_or_default().to_vec();
                if happened
                    .send(Happened::Received(conn, bytes))
                    .await
                    .is_err()
                {
                    return;
                }
            }
            Err(error) => break Some(Fault::from(&error)),
        }
    };
    // The driver ends before its connections only with the process.
    let _ = happened.send(Happened::Closed(conn, fault)).await;
}

/// Reads on for a moment after we closed: a socket closed with unread bytes sends a reset, and that
/// would take our last NOTIFICATION out of the peer's buffer.
async fn discard(stream: &TcpStream, buffer: &mut [u8]) {
    let until_end = async { while matches!(receive(stream, buffer).await, Ok(1..)) {} };
    // A peer that does not close in time gets its reset.
    let _ = timeout(LINGER, until_end).await;
}

async fn receive(stream: &TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        stream.readable().await?;
        match stream.try_read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            result => return result,
        }
    }
}

/// Writes buffer after buffer; ends with the last one when the driver lets go of its side.
async fn write(
    conn: ConnId,
    stream: Arc<TcpStream>,
    mut buffers: mpsc::Receiver<BytesMut>,
    happened: mpsc::Sender<Happened>,
    closing: CancellationToken,
) {
    while let Some(buffer) = buffers.recv().await {
        let result = tokio::select! {
            result = send(&stream, &buffer) => result,
            // A peer that has stopped reading would keep the connection for ever.
            () = closed_for(&closing, LINGER) => return,
        };
        let told = match result {
            Ok(()) => Happened::Written(conn),
            Err(error) => Happened::Closed(conn, Some(Fault::from(&error))),
        };
        if happened.send(told).await.is_err() {
            return;
        }
    }
    // The peer sees the end of the stream after the last message.
    let _ = tcp::shut_down_writing(&stream);
}

async fn closed_for(closing: &CancellationToken, time: Duration) {
    closing.cancelled().await;
    tokio::time::sleep(time).await;
}

async fn send(stream: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        stream.writable().await?;
        match stream.try_write(bytes) {
            Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use ferrolb_netio::links::Links;
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_closed_connection_ends_though_its_peer_reads_nothing() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        let (_deaf, _) = listener.accept().await.unwrap();
        let (happened, mut told) = mpsc::channel(4);
        let conn = ferrolb_bgp::Speaker::new(ferrolb_bgp::Options {
            fallback_router_id: ferrolb_types::RouterId([192, 0, 2, 1].into()),
            seed: 1,
        })
        .new_conn();
        let tasks = TaskTracker::new();
        let mut connection = Connection {
            wants_write: false,
            busy: false,
            opening: tokio::spawn(async {}),
            open: None,
        };
        let ends = crate::drivers::bgp::ends::ends(&stream, &Links::default()).unwrap();
        connection.established(conn, (stream, ends), &happened, &tasks);
        connection.write(BytesMut::zeroed(64 << 20));
        let early = timeout(LINGER / 4, told.recv()).await;
        assert!(early.is_err(), "the peer took all of it: {early:?}");
        connection.close();
        tasks.close();
        let ended = timeout(4 * LINGER, tasks.wait()).await;
        assert!(ended.is_ok(), "{} tasks still run", tasks.len());
    }
}
