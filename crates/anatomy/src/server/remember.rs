//! Answers that do not change are kept as bytes: the tables are fixed while the server runs, and so is the study once
//! it is computed.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, Response, StatusCode, header};
use axum::middleware::Next;

use super::memory::Keep;
use super::state::Shared;

/// Bytes of one answer that is kept; Plotly's script is one.
const LARGEST: usize = 8 << 20;
/// Characters of an address whose answer is kept.
const LONGEST: usize = 512;

/// Gives a kept answer, or asks on and keeps the answer if it may be kept. Stands outside the compression, so that an
/// answer is compressed once.
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
    // What may be kept was made in memory; a limit of its size is a limit of ours, not of a stranger's.
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

/// 304 where the other side has these bytes.
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
