// SPDX-License-Identifier: Apache-2.0
//! A server of one listener: connections with or without TLS, each bounded in all it may take.
//!
//! A watchdog per connection closes what sends no request: soon before the first one that was answered
//! well, later after it, so that a stranger holds no place for long and a client in good standing can keep
//! its connection between two scrapes. When every place is taken, who has been idle longest makes room
//! for the next (`places`); a request whose body is not all there counts as none.
//!
//! A listener may stay open for a while after its role was told to end ([`Ends`]): whoever still comes
//! is served, and told that the connection closes.

use std::{
    convert::Infallible,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
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
use hyper::{
    StatusCode,
    body::Incoming,
    header::{CONNECTION, HeaderValue},
    service::Service as _,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
    service::TowerToHyperService,
};
use rustls::ServerConfig;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::task::TaskTracker;

use super::{
    Ends, Serving,
    places::{Arriving, Place, Places, Seen},
};
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
    /// Connections at a time; further ones wait for one of them to end.
    pub connections: usize,
    /// Time without a request after which a connection ends when another one waits. Long enough to shake
    /// hands in, and less than a probe of the kubelet waits.
    pub spare: Duration,
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
            spare: Duration::from_millis(500),
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
    /// Whether a connection lives on after its first answer.
    pub(super) keep_alive: bool,
    /// Connections that came to an end by a bound.
    pub(super) refused: Counter,
}

impl Server {
    pub(super) fn new(tls: Option<Arc<ServerConfig>>, router: Router, refused: Counter) -> Self {
        Self {
            tls,
            router,
            bounds: Bounds::default(),
            keep_alive: true,
            refused,
        }
    }

    /// Serves in a task of its own; `address` is what the listener was opened for.
    pub(super) fn spawn(self, listener: TcpListener, address: SocketAddr, ends: &Ends) -> Serving {
        let address = listener.local_addr().unwrap_or(address);
        tracing::info!(%address, tls = self.tls.is_some(), "listening");
        let task = tokio::spawn(self.run(listener, ends.clone()));
        Serving { address, task }
    }

    /// Serves until the listener is to close, and a moment longer what is under way then.
    async fn run(self, listener: TcpListener, ends: Ends) {
        let places = Places::new(self.bounds);
        let server = Arc::new(self);
        let tasks = TaskTracker::new();
        let accepting = async {
            loop {
                let stream = accept(&listener).await;
                let place = places.take().await;
                let (server, ends) = (Arc::clone(&server), ends.clone());
                tasks.spawn(async move { server.connection(stream, &place, &ends).await });
            }
        };
        tokio::select! {
            () = ends.close.cancelled() => {}
            () = accepting => {}
        }
        drop(listener);
        tasks.close();
        let _ = timeout(GRACE, tasks.wait()).await;
    }

    async fn connection(&self, stream: TcpStream, place: &Place, ends: &Ends) {
        let seen = &place.seen;
        // Answers are small and whole.
        let _ = stream.set_nodelay(true);
        let Some(tls) = &self.tls else {
            return self.requests(stream, false, seen, ends).await;
        };
        let shake = TlsAcceptor::from(Arc::clone(tls)).accept(stream);
        let shaken = tokio::select! {
            () = ends.close.cancelled() => return,
            () = seen.ousted() => return self.refused.inc(),
            shaken = timeout(self.bounds.handshake, shake) => shaken,
        };
        match shaken {
            Ok(Ok(stream)) => {
                seen.shaken();
                let http2 = stream.get_ref().1.alpn_protocol() == Some(H2);
                self.requests(stream, http2, seen, ends).await;
            }
            Ok(Err(error)) => tracing::debug!(%error, "TLS handshake failed"),
            Err(_) => self.refused.inc(),
        }
    }

    async fn requests<S>(&self, stream: S, http2: bool, seen: &Arc<Seen>, ends: &Ends)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let router = TowerToHyperService::new(self.router.clone());
        let limit = self.bounds.request;
        let heard = Arc::clone(seen);
        // HTTP/2 knows no such header, and says GOAWAY at the end.
        let last = (!http2).then(|| ends.stop.clone());
        let service = hyper::service::service_fn(move |request: Request<Incoming>| {
            let (router, seen, last) = (router.clone(), Arc::clone(&heard), last.clone());
            async move {
                let mut response = answer(&router, request, limit, &seen).await;
                if last.is_some_and(|stop| stop.is_cancelled()) {
                    let close = HeaderValue::from_static("close");
                    response.headers_mut().insert(CONNECTION, close);
                }
                Ok::<_, Infallible>(response)
            }
        });
        let builder = protocol(http2, self.keep_alive);
        let mut connection =
            std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
        tokio::select! {
            _ = connection.as_mut() => return,
            () = seen.forsaken(self.bounds) => return self.refused.inc(),
            () = seen.ousted() => {
                self.refused.inc();
                if seen.is_idle() {
                    return;
                }
            }
            () = ends.close.cancelled() => {}
        }
        // Where a request came at the last moment, it is answered.
        connection.as_mut().graceful_shutdown();
        let _ = timeout(GRACE, connection).await;
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

fn protocol(http2: bool, keep_alive: bool) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http2()
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(HEAD_BYTES);
    builder
        .http1()
        .keep_alive(keep_alive)
        .max_buf_size(HEAD_BYTES as usize);
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
    seen: &Arc<Seen>,
) -> Response<Body> {
    let asked = seen.begin();
    let request = request.map(|body| Body::new(Arriving::new(body, &asked)));
    let response = match timeout(limit, router.call(request)).await {
        Ok(Ok(response)) => response,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    };
    asked.end(response.status().is_success());
    response
}
