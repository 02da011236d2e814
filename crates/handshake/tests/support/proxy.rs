//! KDC proxies that do what a test tells them, on loopback, and who vouches for them.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use countersign_handshake::context::token::der::Encode;
use countersign_handshake::context::token::kerberos::kkdcp::{self, KdcProxyMessage};
use countersign_handshake::kdc::Anchors;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::kdc::tcp_on;

/// A certificate authority that nobody else trusts.
pub(crate) struct Authority(pub(crate) CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap());
        Self(issuer.unwrap())
    }

    pub(crate) fn anchors(&self) -> Anchors {
        Anchors::from_pem(self.0.pem().as_bytes()).unwrap()
    }

    /// What a server for this name needs.
    pub(crate) fn server(
        &self,
        name: &str,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Arc<ServerConfig> {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        change(&mut params);
        let certificate = params.signed_by(&key, &self.0).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key);
        Arc::new(config.unwrap())
    }
}

pub(crate) type Tls = StreamOwned<ServerConnection, TcpStream>;

/// Head and body of an HTTP request.
pub(crate) fn receive(stream: &mut Tls) -> Option<(String, Vec<u8>)> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        // A client that does not trust us ends here.
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("Content-Length: "))
        .unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    stream.read_exact(&mut body).unwrap();
    Some((head, body))
}

/// A proxy that gives this answer to each request.
pub(crate) fn proxy(
    config: Arc<ServerConfig>,
    script: impl FnMut(&str, &[u8]) -> Vec<u8> + Send + 'static,
) -> u16 {
    proxy_on(TcpListener::bind("127.0.0.1:0").unwrap(), config, script)
}

pub(crate) fn proxy_on(
    listener: TcpListener,
    config: Arc<ServerConfig>,
    mut script: impl FnMut(&str, &[u8]) -> Vec<u8> + Send + 'static,
) -> u16 {
    tcp_on(listener, move |socket| {
        let tls = ServerConnection::new(Arc::clone(&config)).unwrap();
        let mut stream = StreamOwned::new(tls, socket);
        if let Some((head, body)) = receive(&mut stream) {
            // A client that has read enough may be gone.
            let _ = stream.write_all(&script(&head, &body));
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
    })
}

pub(crate) fn body(message: &[u8]) -> Vec<u8> {
    let kerb_message = kkdcp::with_length(message).unwrap();
    KdcProxyMessage {
        kerb_message: &kerb_message,
        target_domain: None,
        dclocator_hint: None,
    }
    .to_der()
}

pub(crate) fn ok(body: &[u8]) -> Vec<u8> {
    let mut out = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/kerberos\r\nContent-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    out.extend(body);
    out
}
