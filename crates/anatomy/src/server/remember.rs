//! Caches responses that do not change: the tables are fixed while the server runs, as is the study once computed.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, Response, StatusCode, header};
use axum::middleware::Next;

use super::memory::Keep;
use super::state::Shared;

/// Maximum size of a cached response in bytes; Plotly's script must fit.
const LARGEST: usize = 8 << 20;
/// Maximum length of an address whose response is cached.
const LONGEST: usize = 512;

/// Returns a cached response, or forwards the request and caches the response if it is marked cacheable. Placed outside
/// the compression, so that a response is compressed once.
pub(crate) async fn remember(State(state): State<Shared>, request: Request, next: Next) -> Response<Body> {
    if request.method() != Method::GET {
        return next.run(request).await;
    }
    let gzip = request
        .headers()
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.contains("gzip"));
    let address = request
        .uri()
        .path_and_query()
        .map_or("", axum::http::uri::PathAndQuery::as_str)
        .to_owned();
    let wanted = request.headers().get(header::IF_NONE_MATCH).cloned();
    let key = (gzip, address);
    if let Some(answer) = state.memory.get(&key) {
        return unchanged(answer, wanted.as_ref());
    }
    let round = state.round();
    let answer = next.run(request).await;
    let keeps = answer.extensions().get::<Keep>().is_some() && answer.status() == StatusCode::OK;
    if !keeps || key.1.len() > LONGEST {
        return answer;
    }
    let (mut parts, body) = answer.into_parts();
    // Cacheable responses are built in memory and within our own limits, so this limit only guards against bugs.
    let Ok(bytes) = axum::body::to_bytes(body, 64 << 20).await else {
        return Response::builder()
            .status(StatusCode::INTERNAL_SERVER_ERROR)
            .body(Body::empty())
            .unwrap_or_default();
    };
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.remove(header::TRANSFER_ENCODING);
    if let Ok(tag) = HeaderValue::from_str(&tag(&bytes)) {
        parts.headers.insert(header::ETAG, tag);
    }
    if bytes.len() <= LARGEST && round == state.round() {
        state.memory.put(key, parts.clone(), bytes.clone());
    }
    unchanged(Response::from_parts(parts, Body::from(bytes)), wanted.as_ref())
}

/// Responds 304 where the client already has these bytes.
fn unchanged(answer: Response<Body>, wanted: Option<&HeaderValue>) -> Response<Body> {
    let same = wanted.is_some() && answer.headers().get(header::ETAG) == wanted;
    if !same {
        return answer;
    }
    let (mut parts, _) = answer.into_parts();
    parts.status = StatusCode::NOT_MODIFIED;
    Response::from_parts(parts, Body::empty())
}

fn tag(bytes: &[u8]) -> String {
    format!("\"{}\"", &catalog::sha256(bytes)[..24])
}
