//! `HEAD`: whoever asks how a page would answer, such as a monitor or a checker of links.

use actix_web::{
    Error, HttpMessage, HttpRequest,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::Method,
    middleware::Next,
};

/// Marks a request that is answered as `GET` is, but read by nobody.
struct Peek;

/// Answers `HEAD` of a page, a file or a probe as `GET` would be answered, less the body, which the protocol leaves out by
/// itself (RFC 9110, section 9.3.2). The programs' doors route it themselves: their answers may be endless, or cost much.
///
/// # Errors
/// Those of what answers.
pub async fn as_get<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let is_programs =
        ["/api", "/socket", "/sub", "/ofrep"].iter().any(|door| request.path().starts_with(door));
    if request.method() == Method::HEAD && !is_programs {
        request.head_mut().method = Method::GET;
        request.extensions_mut().insert(Peek);
    }
    next.call(request).await
}

/// Reports whether nobody reads the answer to a request.
pub fn is_peeking(request: &HttpRequest) -> bool {
    request.extensions().contains::<Peek>()
}
