// SPDX-License-Identifier: Apache-2.0
//! How connections to the API server are made.
//!
//! This is what `kube::Client::try_from` puts together, but for the options of TCP. `TCP_NODELAY`: without it
//! the first request of each connection waits until the server has acknowledged the end of the TLS
//! handshake, which it puts off for 40 ms. And the kernel is to notice a peer that vanished without a word
//! (a control-plane node that lost its power), so that a watch that merely is silent need not be ended.
//! Proxies are left to that function, which says what it thinks of them.

use std::time::Duration;

use hyper_timeout::TimeoutConnector;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use kube::client::{Body, ConfigExt as _};
use tower::{BoxError, ServiceBuilder};

/// Silence on a connection after which the kernel asks whether the peer is there, and how often it asks again.
const ASK_AFTER: Duration = Duration::from_secs(10);
const ASK_EVERY: Duration = Duration::from_secs(5);

/// Without a sign of life for so long the connection is dead, whether or not something was sent.
const DEAD_AFTER: Duration = Duration::from_secs(15);

/// A client as `config` says. Nothing is sent yet.
///
/// # Errors
/// Certificates, keys or an authentication that cannot be used.
pub(crate) fn client(config: kube::Config) -> kube::Result<kube::Client> {
    if config.proxy_url.is_some() {
        return kube::Client::try_from(config);
    }
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    // Shared out among the addresses of a name, so that a dead first one leaves time for the others.
    tcp.set_connect_timeout(config.connect_timeout);
    tcp.set_keepalive(Some(ASK_AFTER));
    tcp.set_keepalive_interval(Some(ASK_EVERY));
    tcp.set_tcp_user_timeout(Some(DEAD_AFTER));
    let tls = config.rustls_https_connector_with_connector(tcp)?;
    let mut connector = TimeoutConnector::new(tls);
    connector.set_connect_timeout(config.connect_timeout);
    connector.set_read_timeout(config.read_timeout);
    connector.set_write_timeout(config.write_timeout);
    connector.set_reset_reader_on_write(config.reset_reader_on_write);
    let http: Client<_, Body> = Client::builder(TokioExecutor::new()).build(connector);
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .option_layer(config.auth_layer()?)
        .layer(config.extra_headers_layer()?)
        .map_err(BoxError::from)
        .service(http);
    Ok(kube::Client::new(service, config.default_namespace))
}
