// SPDX-License-Identifier: Apache-2.0
//! How connections to the API server are made.
//!
//! This is what `kube::Client::try_from` puts together, but for two things. Watches share a connection (HTTP/2),
//! or each node would keep a dozen open. And the options of TCP are set. `TCP_NODELAY`: without it
//! the first request of each connection waits until the server has acknowledged the end of the TLS
//! handshake, which it puts off for 40 ms. And the kernel is to notice a peer that vanished without a word
//! (a control-plane node that lost its power), so that a watch that merely is silent need not be ended.

use std::time::Duration;

use http::Uri;
use hyper_rustls::{FixedServerNameResolver, HttpsConnector, HttpsConnectorBuilder};
use hyper_timeout::TimeoutConnector;
use hyper_util::{
    client::{
        legacy::{
            Client,
            connect::{Connection, HttpConnector, proxy::Tunnel},
        },
        proxy::matcher::Intercept,
    },
    rt::TokioExecutor,
};
use kube::client::{Body, ConfigExt as _};
use rustls::pki_types::ServerName;
use tower::{BoxError, Service, ServiceBuilder};

use crate::Error;

/// Silence on a connection after which the kernel asks whether the peer is there, and how often it asks again.
const ASK_AFTER: Duration = Duration::from_secs(10);
const ASK_EVERY: Duration = Duration::from_secs(5);

/// Without a sign of life for so long the connection is dead, whether or not something was sent.
const DEAD_AFTER: Duration = Duration::from_secs(15);

/// What a watch may have under way that its taker has not taken, in octets.
const WATCH_WINDOW: u32 = 256 << 10;

/// The same for all watches of a process: more than each of them may have together, so that one whose taker
/// is slow holds back no other.
const ALL_WATCHES_WINDOW: u32 = 24 * WATCH_WINDOW;

/// Two clients for one API server.
pub(crate) struct Clients {
    /// For requests: HTTP/1.1, a connection for each under way.
    pub(crate) requests: kube::Client,
    /// For watches: one connection for all of them, where the server speaks HTTP/2.
    pub(crate) watches: kube::Client,
}

/// Clients as `config` says, through `proxy`. Nothing is sent yet.
///
/// # Errors
/// Certificates, keys, an authentication or a proxy that cannot be used.
pub(crate) fn clients(config: &kube::Config, proxy: Option<&Intercept>) -> Result<Clients, Error> {
    let client = |http2| match proxy {
        None => over(config, tcp(config), http2),
        Some(proxy) => over(config, tunnel(proxy, tcp(config))?, http2),
    };
    Ok(Clients {
        requests: client(false)?,
        watches: client(true)?,
    })
}

fn tcp(config: &kube::Config) -> HttpConnector {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    // Shared out among the addresses of a name, so that a dead first one leaves time for the others.
    tcp.set_connect_timeout(config.connect_timeout);
    tcp.set_keepalive(Some(ASK_AFTER));
    tcp.set_keepalive_interval(Some(ASK_EVERY));
    tcp.set_tcp_user_timeout(Some(DEAD_AFTER));
    tcp
}

/// Through an HTTP proxy (`CONNECT`, RFC 9110 section 9.3.6).
fn tunnel(proxy: &Intercept, tcp: HttpConnector) -> Result<Tunnel<HttpConnector>, Error> {
    let uri = proxy.uri();
    if uri.scheme_str() != Some("http") {
        return Err(Error::Config(format!(
            "the proxy {uri} cannot be used: a proxy is spoken to as `http://HOST:PORT`; set proxy-url in the \
             kubeconfig, or HTTPS_PROXY, or name the API server in NO_PROXY"
        )));
    }
    let tunnel = Tunnel::new(uri.clone(), tcp);
    Ok(match proxy.basic_auth() {
        Some(credentials) => tunnel.with_auth(credentials.clone()),
        None => tunnel,
    })
}

fn over<C>(config: &kube::Config, connector: C, http2: bool) -> Result<kube::Client, Error>
where
    C: Service<Uri, Error: Into<BoxError>, Future: Send> + Clone + Send + Sync + 'static,
    C::Response: Connection + hyper::rt::Read + hyper::rt::Write + Send + Unpin + 'static,
{
    let mut connector = TimeoutConnector::new(tls(config, connector, http2)?);
    connector.set_connect_timeout(config.connect_timeout);
    connector.set_read_timeout(config.read_timeout);
    connector.set_write_timeout(config.write_timeout);
    connector.set_reset_reader_on_write(config.reset_reader_on_write);
    let http: Client<_, Body> = Client::builder(TokioExecutor::new())
        .http2_initial_stream_window_size(WATCH_WINDOW)
        .http2_initial_connection_window_size(ALL_WATCHES_WINDOW)
        .build(connector);
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .option_layer(config.auth_layer().map_err(unusable)?)
        .layer(config.extra_headers_layer().map_err(unusable)?)
        .map_err(BoxError::from)
        .service(http);
    Ok(kube::Client::new(service, &config.default_namespace))
}

fn tls<C>(config: &kube::Config, connector: C, http2: bool) -> Result<HttpsConnector<C>, Error> {
    let mut builder = HttpsConnectorBuilder::new()
        .with_tls_config(config.rustls_client_config().map_err(unusable)?)
        .https_or_http();
    if let Some(name) = &config.tls_server_name {
        let name = ServerName::try_from(name.clone()).map_err(unusable)?;
        builder = builder.with_server_name_resolver(FixedServerNameResolver::new(name));
    }
    Ok(match http2 {
        true => builder.enable_all_versions().wrap_connector(connector),
        false => builder.enable_http1().wrap_connector(connector),
    })
}

fn unusable(error: impl std::fmt::Display) -> Error {
    Error::Config(error.to_string())
}
