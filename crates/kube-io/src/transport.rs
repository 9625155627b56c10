// SPDX-License-Identifier: Apache-2.0
//! How connections to the API server are made.
//!
//! This is what `kube::Client::try_from` puts together, but for `TCP_NODELAY`: without it the first request
//! of each connection waits until the server has acknowledged the end of the TLS handshake, which it puts
//! off for 40 ms. Proxies are left to that function, which says what it thinks of them.

use hyper_timeout::TimeoutConnector;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use kube::client::{Body, ConfigExt as _};
use tower::{BoxError, ServiceBuilder};

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
