// SPDX-License-Identifier: Apache-2.0
//! A client that looks at what it is shown instead of judging it.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use rustls::{
    ClientConfig, DigitallySignedStruct, Error, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

const PATIENCE: Duration = Duration::from_secs(30);

/// Takes every certificate, and checks the signatures made with it.
#[derive(Debug)]
struct Anybody(CryptoProvider);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(
            message,
            cert,
            dss,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(
            message,
            cert,
            dss,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// What a server answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: String,
}

#[derive(Clone)]
pub(super) struct Client(ClientConfig);

impl Client {
    pub(super) fn new() -> Self {
        Self::with(rustls::ALL_VERSIONS, ring::default_provider(), &[])
    }

    pub(super) fn with(
        versions: &[&'static rustls::SupportedProtocolVersion],
        provider: CryptoProvider,
        alpn: &[&[u8]],
    ) -> Self {
        let verifier = Arc::new(Anybody(provider.clone()));
        let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(versions)
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
        Self(config)
    }

    pub(super) async fn connect(
        &self,
        address: SocketAddr,
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let stream = TcpStream::connect(address).await?;
        let name = ServerName::try_from("localhost").unwrap();
        let shake = TlsConnector::from(Arc::new(self.0.clone())).connect(name, stream);
        timeout(PATIENCE, shake).await.unwrap()
    }

    /// The certificate shown, as DER.
    pub(super) async fn certificate(&self, address: SocketAddr) -> Vec<u8> {
        let stream = self.connect(address).await.unwrap();
        stream.get_ref().1.peer_certificates().unwrap()[0].to_vec()
    }

    pub(super) async fn get(&self, address: SocketAddr, path: &str, headers: &str) -> Answer {
        let stream = self.connect(address).await.unwrap();
        talk(stream, get(path, headers).as_bytes()).await
    }

    pub(super) async fn post(&self, address: SocketAddr, path: &str, body: &[u8]) -> Answer {
        let stream = self.connect(address).await.unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        talk(stream, &[head.as_bytes(), body].concat()).await
    }
}

pub(super) fn get(path: &str, headers: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n")
}

pub(super) async fn plain(address: SocketAddr, path: &str) -> Answer {
    let stream = TcpStream::connect(address).await.unwrap();
    talk(stream, get(path, "").as_bytes()).await
}

/// Sends all and reads until the end.
pub(super) async fn talk(stream: impl AsyncRead + AsyncWrite + Unpin, request: &[u8]) -> Answer {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let sending = async {
        // A server may answer and leave before it has read everything.
        let _ = writer.write_all(request).await;
        let _ = writer.flush().await;
    };
    let reading = async {
        let mut bytes = Vec::new();
        let _ = reader.read_to_end(&mut bytes).await;
        bytes
    };
    let ((), bytes) = timeout(PATIENCE, async { tokio::join!(sending, reading) })
        .await
        .unwrap();
    parse(&String::from_utf8(bytes).unwrap())
}

pub(super) fn parse(text: &str) -> Answer {
    let (head, body) = text
        .split_once("\r\n\r\n")
        .unwrap_or_else(|| panic!("{text:?}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer {
        status,
        head: head.to_ascii_lowercase(),
        body: body.to_owned(),
    }
}
