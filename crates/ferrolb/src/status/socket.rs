// SPDX-License-Identifier: Apache-2.0
//! The status socket: a client connects, writes nothing, and reads one JSON document.

use std::{
    fs,
    io::{self, Read as _},
    os::unix::{fs::PermissionsExt as _, net::UnixStream as StdUnixStream},
    path::{Path, PathBuf},
    time::Duration,
};

use ferrolb_types::{Diagnostic, ObjectRef, codes};
use serde_json::Value;
use tokio::{
    io::AsyncWriteExt as _,
    net::{UnixListener, UnixStream},
    sync::{mpsc, oneshot},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use crate::args::Refusal;

/// How long either side waits for the other.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long to wait after a connection that could not be taken.
const RETRY: Duration = Duration::from_millis(100);

/// A question to the role: answered with the report.
pub type Question = oneshot::Sender<Value>;

/// Listens at `path`, readable by the owner alone, and passes each question on until `stop`. The task
/// given ends when the socket is removed.
///
/// # Errors
/// The socket cannot be made; a stale one of a dead process is replaced.
pub fn serve(
    path: &Path,
    questions: mpsc::Sender<Question>,
    stop: CancellationToken,
) -> Result<JoinHandle<()>, Refusal> {
    let listener = bind(path).map_err(|error| {
        let object = ObjectRef::new("flag", "", "--socket");
        let remedy = "name a path in a folder that is there, where nobody else answers";
        let cause = format!("cannot listen: {error}");
        let refusal = Diagnostic::error(codes::command::X007, object, cause, remedy);
        Box::new(refusal.value(path.display()))
    })?;
    let path = path.to_owned();
    Ok(tokio::spawn(async move {
        accept(&listener, &questions, &stop).await;
        // The next process replaces it if this fails.
        let _ = fs::remove_file(path);
    }))
}

fn bind(path: &Path) -> io::Result<UnixListener> {
    if StdUnixStream::connect(path).is_ok() {
        return Err(io::Error::new(
            io::ErrorKind::AddrInUse,
            "another process answers on it",
        ));
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

async fn accept(
    listener: &UnixListener,
    questions: &mpsc::Sender<Question>,
    stop: &CancellationToken,
) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => drop(tokio::spawn(answer(stream, questions.clone()))),
                // Too many open files, for one: that passes.
                Err(_) => tokio::time::sleep(RETRY).await,
            }
        }
    }
}

async fn answer(mut stream: UnixStream, questions: mpsc::Sender<Question>) {
    let (tell, told) = oneshot::channel();
    if questions.send(tell).await.is_err() {
        return;
    }
    if let Ok(report) = told.await {
        // A client that went away needs no answer.
        let _ =
            tokio::time::timeout(PATIENCE, stream.write_all(report.to_string().as_bytes())).await;
    }
}

/// Asks the process behind a socket for its report.
///
/// # Errors
/// Nobody answers, or not in JSON.
pub fn ask(path: &Path) -> io::Result<Value> {
    let mut stream = StdUnixStream::connect(path)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    serde_json::from_str(&text).map_err(io::Error::other)
}

/// The sockets in a state directory, by name.
///
/// # Errors
/// The directory cannot be read.
pub fn sockets(state_dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(state_dir)? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "sock")
        {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
