//! Middleware of all requests: metrics and headers outermost, then limits, then caching and compression.

use std::time::{Duration, Instant};

use axum::error_handling::HandleErrorLayer;
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::{BoxError, Router};
use tower::ServiceBuilder;
use tower::limit::GlobalConcurrencyLimitLayer;
use tower::load_shed::LoadShedLayer;
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::{RequestBodyTimeoutLayer, TimeoutLayer};

use super::connection::Peer;
use super::problem::Problem;
use super::remember::remember;
use super::state::Shared;

/// Maximum number of concurrent requests; further ones are told to retry.
const AT_ONCE: usize = 512;
/// Maximum size of a request body in bytes.
pub(crate) const BODY: usize = 64 << 10;
/// Timeout from a request's head to its response.
const ANSWER: Duration = Duration::from_secs(30);
/// Timeout between two pieces of a request body.
const PIECE: Duration = Duration::from_secs(5);

/// Content security policy: resources from this server only, no embedding in frames, no forms to other sites.
const POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
    connect-src 'self'; font-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; \
    frame-ancestors 'none'";

/// Adds the layers around the routes, the innermost first.
pub(crate) fn around(router: Router<Shared>, state: &Shared) -> Router {
    let limits = ServiceBuilder::new()
        .layer(HandleErrorLayer::new(refused))
        .layer(LoadShedLayer::new())
        .layer(GlobalConcurrencyLimitLayer::new(AT_ONCE));
    router
        // Fast compression: cached responses are compressed only once, and others should not be delayed by it.
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest))
        .layer(middleware::from_fn_with_state(state.clone(), remember))
        .layer(RequestBodyLimitLayer::new(BODY))
        .layer(RequestBodyTimeoutLayer::new(PIECE))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            ANSWER,
        ))
        .layer(limits)
        .layer(CatchPanicLayer::custom(|_: Box<dyn std::any::Any + Send>| {
            Problem::fault("internal error: a bug of anatomy, please report it").into_response()
        }))
        .layer(middleware::from_fn_with_state(state.clone(), outside))
        .with_state(state.clone())
}

async fn refused(_: BoxError) -> Problem {
    Problem::overloaded()
}

/// Updates the connection's state and the metrics, sets common headers, and gives empty error responses a body.
async fn outside(State(state): State<Shared>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let watch = request
        .extensions()
        .get::<ConnectInfo<Peer>>()
        .map(|ConnectInfo(peer)| peer.0.clone());
    if let Some(watch) = &watch {
        watch.busy();
    }
    let route = request.extensions().get::<MatchedPath>().cloned();
    let is_api = request.uri().path().starts_with("/api/");
    let mut response = next.run(request).await;
    let status = response.status();
    let untyped = !response.headers().contains_key(header::CONTENT_TYPE);
    let plain = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/plain"));
    let is_ours = status == StatusCode::SERVICE_UNAVAILABLE;
    if (status.is_client_error() || is_ours) && (untyped || is_api && plain) {
        response = worded(response, status, is_api);
    }
    guard(response.headers_mut());
    let name = route.as_ref().map_or("none", MatchedPath::as_str);
    state.metrics.record(name, status.as_u16(), started.elapsed());
    if let Some(watch) = &watch {
        watch.answered();
    }
    response
}

/// Rewrites errors of the framework in our format, keeping the header `Allow`.
fn worded(response: Response, status: StatusCode, is_api: bool) -> Response {
    let detail = match status {
        StatusCode::METHOD_NOT_ALLOWED => "this address does not take that method",
        StatusCode::PAYLOAD_TOO_LARGE => "the body is larger than this server takes",
        StatusCode::SERVICE_UNAVAILABLE => "this took longer than the server waits for an answer",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "the body must be JSON (`Content-Type: application/json`)",
        _ => "the request cannot be read",
    };
    let problem = Problem::of_status(status, detail);
    let (parts, _) = response.into_parts();
    let mut worded = if is_api {
        problem.into_response()
    } else {
        super::pages::error(&problem)
    };
    if let Some(allow) = parts.headers.get(header::ALLOW) {
        worded.headers_mut().insert(header::ALLOW, allow.clone());
    }
    worded
}

fn guard(headers: &mut HeaderMap) {
    let set: [(HeaderName, &'static str); 6] = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(), geolocation=(), microphone=()",
        ),
    ];
    for (name, value) in set {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-cache"));
}
