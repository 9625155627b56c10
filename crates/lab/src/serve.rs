// SPDX-License-Identifier: Apache-2.0
//! The page a node serves: its own name, one request a connection.
//!
//! Runs as a child (`ferrolb-lab serve NAME ADDRESS:PORT…`) inside the node's namespace, and ends
//! when its standard input closes, so that it never outlives the lab. It closes each connection
//! first: the client's ports stay free however often it asks.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    thread,
    time::Duration,
};

use anyhow::{Context, Result};

/// What the child logs once every address is open.
pub const READY: &str = "serving";

/// How long a client may take to send its request.
const PATIENCE: Duration = Duration::from_secs(2);

/// Serves `name` on the addresses until standard input closes.
///
/// # Errors
/// An address cannot be listened on.
pub fn serve(name: &str, addresses: &[SocketAddr]) -> Result<()> {
    for &address in addresses {
        let listener =
            TcpListener::bind(address).with_context(|| format!("cannot listen on {address}"))?;
        let name = name.to_owned();
        thread::spawn(move || accept_all(&listener, &name));
    }
    println!("{READY}");
    io::copy(&mut io::stdin(), &mut io::sink())?;
    Ok(())
}

fn accept_all(listener: &TcpListener, name: &str) {
    for stream in listener.incoming().flatten() {
        // A client that went away is its own loss.
        let _ = answer(stream, name);
    }
}

fn answer(mut stream: TcpStream, name: &str) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut request = [0; 1024];
    let read = stream.read(&mut request)?;
    if read == 0 {
        return Ok(());
    }
    let length = name.len() + 1;
    let page = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{name}\n"
    );
    stream.write_all(page.as_bytes())?;
    stream.shutdown(Shutdown::Write)
}
