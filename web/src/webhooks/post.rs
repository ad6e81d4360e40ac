//! One POST: to an address that was looked at, without redirects, within a time, of an answer that is hardly read.

use std::{sync::Arc, time::Duration};

use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    client::conn::http1,
    header,
};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    task::JoinSet,
    time::timeout,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::ServerName},
};
use url::{Host, Url};

use super::target;

/// How much of an answer is read: enough to see why it says no.
const ANSWER_BYTES_MAX: usize = 4 * 1_024;

/// Is what a receiver answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// How long it asks to be left alone.
    pub retry_after: Option<Duration>,
    /// How its body begins.
    pub body: String,
}

/// Posts to endpoints.
#[derive(Clone)]
pub struct Poster {
    tls: TlsConnector,
    allow_private: bool,
    timeout: Duration,
}

impl Poster {
    /// Returns a poster that trusts whom the system trusts.
    ///
    /// # Errors
    /// Where the system's certificates make no configuration.
    pub fn new(allow_private: bool, timeout: Duration) -> anyhow::Result<Self> {
        let found = rustls_native_certs::load_native_certs();
        let mut roots = RootCertStore::empty();
        let (trusted, _) = roots.add_parsable_certificates(found.certs);
        if trusted == 0 {
            tracing::warn!(
                "the system trusts no certificate authority, so no webhook can be sent over https"
            );
        }
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { tls: TlsConnector::from(Arc::new(config)), allow_private, timeout })
    }

    /// Posts a JSON body with further headers.
    ///
    /// # Errors
    /// Says why there is no answer.
    pub async fn post(
        &self,
        url: &Url,
        headers: &[(&'static str, String)],
        body: Bytes,
    ) -> Result<Answer, String> {
        let spent = format!("no answer within {} ms", self.timeout.as_millis());
        timeout(self.timeout, self.exchange(url, headers, body)).await.unwrap_or(Err(spent))
    }

    async fn exchange(
        &self,
        url: &Url,
        headers: &[(&'static str, String)],
        body: Bytes,
    ) -> Result<Answer, String> {
        let addresses = target::resolve(url, self.allow_private).await?;
        let stream =
            TcpStream::connect(&addresses[..]).await.map_err(|error| format!("no connection: {error}"))?;
        let request = request(url, headers, body)?;
        if url.scheme() != "https" {
            return send(stream, request).await;
        }
        let name = match url.host() {
            Some(Host::Domain(name)) => ServerName::try_from(name.to_owned()).map_err(|e| e.to_string())?,
            Some(Host::Ipv4(ip)) => ServerName::IpAddress(std::net::IpAddr::V4(ip).into()),
            Some(Host::Ipv6(ip)) => ServerName::IpAddress(std::net::IpAddr::V6(ip).into()),
            None => return Err("the address names no host".into()),
        };
        let stream =
            self.tls.connect(name, stream).await.map_err(|error| format!("no secure connection: {error}"))?;
        send(stream, request).await
    }
}

fn request(
    url: &Url,
    headers: &[(&'static str, String)],
    body: Bytes,
) -> Result<Request<Full<Bytes>>, String> {
    let path = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    let host = url.host_str().unwrap_or_default();
    let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let mut request = Request::post(path)
        .header(header::HOST, host)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::USER_AGENT, concat!("Cartwright/", env!("CARGO_PKG_VERSION")))
        .header(header::CONNECTION, "close");
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    request.body(Full::new(body)).map_err(|error| error.to_string())
}

async fn send(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    request: Request<Full<Bytes>>,
) -> Result<Answer, String> {
    let broken = |error: hyper::Error| format!("the exchange broke off: {error}");
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    // Dropped with this call, whatever the receiver still wants to say.
    let mut tasks = JoinSet::new();
    tasks.spawn(connection);
    answer(sender.send_request(request).await.map_err(broken)?).await
}

async fn answer(response: Response<Incoming>) -> Result<Answer, String> {
    let (head, body) = response.into_parts();
    let seconds = head.headers.get(header::RETRY_AFTER).and_then(|v| v.to_str().ok()?.trim().parse().ok());
    let mut answer = Answer {
        status: head.status.as_u16(),
        retry_after: seconds.map(Duration::from_secs),
        body: String::new(),
    };
    if !head.status.is_success() {
        // An answer that is too long, or breaks off, has a status all the same.
        if let Ok(body) = Limited::new(body, ANSWER_BYTES_MAX).collect().await {
            answer.body = String::from_utf8_lossy(&body.to_bytes()).replace(char::is_control, " ");
        }
    }
    Ok(answer)
}
