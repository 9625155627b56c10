// SPDX-License-Identifier: Apache-2.0
//! A server of one listener: connections with or without TLS, each bounded in all it may take.
//!
//! A watchdog per connection closes what sends no request: soon before the first one that was answered
//! well, later after it, so that a stranger holds no place for long and a client in good standing can keep
//! its connection between two scrapes.

use std::{
    convert::Infallible,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::Request,
    response::{IntoResponse as _, Response},
};
use ferrolb_telemetry::metrics::Counter;
use ferrolb_types::{Diagnostic, ObjectRef, codes};
use hyper::{StatusCode, body::Incoming, service::Service as _};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
    service::TowerToHyperService,
};
use rustls::ServerConfig;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::Serving;
use crate::args::Refusal;

/// What HTTP/2 is called in a handshake.
pub(super) const H2: &[u8] = b"h2";
/// The head of a request, all lines together.
const HEAD_BYTES: u32 = 64 * 1024;
/// Requests at a time on one connection of HTTP/2.
const STREAMS: u32 = 32;
/// How long requests under way are waited for at the end.
const GRACE: Duration = Duration::from_secs(1);

/// What a connection may take.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Connections at a time; further ones wait.
    pub connections: usize,
    /// Time for the handshake of TLS.
    pub handshake: Duration,
    /// Time until a request is there, on a connection without a good one before it.
    pub head: Duration,
    /// The same after a good one. Longer than the 90 s of Go's clients, so that they close first.
    pub idle: Duration,
    /// Time until a request is answered.
    pub request: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connections: 64,
            handshake: Duration::from_secs(5),
            head: Duration::from_secs(10),
            idle: Duration::from_secs(120),
            request: Duration::from_secs(30),
        }
    }
}

/// Opens a port; an address of every interface is opened for IPv6 and IPv4, as far as there are such.
pub(super) async fn bind(address: SocketAddr, flag: &'static str) -> Result<TcpListener, Refusal> {
    let mut opened = TcpListener::bind(address).await;
    if opened.is_err() && address.ip().is_unspecified() {
        let ipv4 = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), address.port());
        opened = TcpListener::bind(ipv4).await.or(opened);
    }
    opened.map_err(|error| unopened(address, flag, &error))
}

fn unopened(address: SocketAddr, flag: &'static str, error: &io::Error) -> Refusal {
    let object = ObjectRef::new("flag", "", flag);
    let remedy = "end what holds the port, or choose another one";
    let cause = format!("cannot listen: {error}");
    Box::new(Diagnostic::error(codes::command::X007, object, cause, remedy).value(address))
}

/// A server of one listener.
pub(super) struct Server {
    /// How to speak TLS; without it HTTP is plain.
    pub(super) tls: Option<Arc<ServerConfig>>,
    pub(super) router: Router,
    pub(super) bounds: Bounds,
    /// Connections that came to an end by a bound.
    pub(super) refused: Counter,
}

impl Server {
    pub(super) fn new(tls: Option<Arc<ServerConfig>>, router: Router, refused: Counter) -> Self {
        Self {
            tls,
            router,
            bounds: Bounds::default(),
            refused,
        }
    }

    /// Serves in a task of its own; `address` is what the listener was opened for.
    pub(super) fn spawn(
        self,
        listener: TcpListener,
        address: SocketAddr,
        stop: &CancellationToken,
    ) -> Serving {
        let address = listener.local_addr().unwrap_or(address);
        tracing::info!(%address, tls = self.tls.is_some(), "listening");
        let task = tokio::spawn(self.run(listener, stop.clone()));
        Serving { address, task }
    }

    /// Serves until `stop`, and a moment longer what is under way then.
    async fn run(self, listener: TcpListener, stop: CancellationToken) {
        let server = Arc::new(self);
        let places = Arc::new(Semaphore::new(server.bounds.connections));
        let tasks = TaskTracker::new();
        let accepting = async {
            // The semaphore is never closed.
            while let Ok(place) = Arc::clone(&places).acquire_owned().await {
                let stream = accept(&listener).await;
                let (server, stop) = (Arc::clone(&server), stop.clone());
                tasks.spawn(async move {
                    server.connection(stream, &stop).await;
                    drop(place);
                });
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = accepting => {}
        }
        drop(listener);
        tasks.close();
        let _ = timeout(GRACE, tasks.wait()).await;
    }

    async fn connection(&self, stream: TcpStream, stop: &CancellationToken) {
        // Answers are small and whole.
        let _ = stream.set_nodelay(true);
        let Some(tls) = &self.tls else {
            return self.requests(stream, false, stop).await;
        };
        let shake = TlsAcceptor::from(Arc::clone(tls)).accept(stream);
        let shaken = tokio::select! {
            () = stop.cancelled() => return,
            shaken = timeout(self.bounds.handshake, shake) => shaken,
        };
        match shaken {
            Ok(Ok(stream)) => {
                let http2 = stream.get_ref().1.alpn_protocol() == Some(H2);
                self.requests(stream, http2, stop).await;
            }
            Ok(Err(error)) => tracing::debug!(%error, "TLS handshake failed"),
            Err(_) => self.refused.inc(),
        }
    }

    async fn requests<S>(&self, stream: S, http2: bool, stop: &CancellationToken)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let seen = Arc::new(Seen::new());
        let router = TowerToHyperService::new(self.router.clone());
        let limit = self.bounds.request;
        let heard = Arc::clone(&seen);
        let service = hyper::service::service_fn(move |request: Request<Incoming>| {
            let (router, seen) = (router.clone(), Arc::clone(&heard));
            async move { Ok::<_, Infallible>(answer(&router, request, limit, &seen).await) }
        });
        let builder = protocol(http2);
        let mut connection =
            std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
        tokio::select! {
            _ = connection.as_mut() => {}
            () = seen.forsaken(self.bounds) => self.refused.inc(),
            () = stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                let _ = timeout(GRACE, connection).await;
            }
        }
    }
}

/// The next connection. What fails now, for want of descriptors for example, may succeed soon.
async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(_) => sleep(Duration::from_millis(50)).await,
        }
    }
}

fn protocol(http2: bool) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http2()
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(HEAD_BYTES);
    builder.http1().max_buf_size(HEAD_BYTES as usize);
    if http2 {
        builder.http2_only()
    } else {
        builder.http1_only()
    }
}

async fn answer(
    router: &TowerToHyperService<Router>,
    request: Request<Incoming>,
    limit: Duration,
    seen: &Seen,
) -> Response<Body> {
    seen.begin();
    let response = match timeout(limit, router.call(request)).await {
        Ok(Ok(response)) => response,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    };
    seen.end(response.status().is_success());
    response
}

/// What the watchdog of a connection knows of it.
struct Seen(Mutex<Activity>);

#[derive(Clone, Copy)]
struct Activity {
    under_way: usize,
    last: Instant,
    good: bool,
}

impl Seen {
    fn new() -> Self {
        Self(Mutex::new(Activity {
            under_way: 0,
            last: Instant::now(),
            good: false,
        }))
    }

    fn with<T>(&self, act: impl FnOnce(&mut Activity) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn begin(&self) {
        self.with(|activity| activity.under_way += 1);
    }

    fn end(&self, good: bool) {
        self.with(|activity| {
            activity.under_way = activity.under_way.saturating_sub(1);
            activity.last = Instant::now();
            activity.good = good;
        });
    }

    /// Ends when the connection has had no request for too long.
    async fn forsaken(&self, bounds: Bounds) {
        loop {
            let Activity {
                under_way,
                last,
                good,
            } = self.with(|activity| *activity);
            let now = Instant::now();
            let limit = if good { bounds.idle } else { bounds.head };
            // A request under way has a bound of its own.
            let at = if under_way > 0 {
                now + limit
            } else {
                last + limit
            };
            if at <= now {
                return;
            }
            sleep_until(at).await;
        }
    }
}
