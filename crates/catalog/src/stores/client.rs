//! Settings shared by all clients of object stores: environment variables, retries and timeouts.

use std::collections::BTreeMap;
use std::time::Duration;

use object_store::{ClientOptions, RetryConfig};
use url::Url;

/// Environment variables by name.
pub(super) type Variables = BTreeMap<String, String>;

/// Timeout for establishing a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// Timeout for a whole request.
const WHOLE: Duration = Duration::from_mins(1);

/// Up to eight retries within two and a half minutes: longer than a typical outage of a store, shorter than a user
/// would wait.
pub(super) fn retries() -> RetryConfig {
    RetryConfig {
        max_retries: 8,
        retry_timeout: Duration::from_secs(150),
        ..RetryConfig::default()
    }
}

pub(super) fn options() -> ClientOptions {
    ClientOptions::new()
        .with_connect_timeout(CONNECT)
        .with_timeout(WHOLE)
}

#[cfg(test)]
pub(super) use super::tests::environment;

/// The environment variables of this process that are not empty.
#[cfg(not(test))]
pub(super) fn environment() -> Variables {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(_, value)| !value.trim().is_empty())
        .collect()
}

/// Whether an endpoint without TLS is on this machine, so that tokens may be sent there.
pub(super) fn is_loopback(endpoint: Option<String>) -> bool {
    let url = endpoint.and_then(|endpoint| Url::parse(&endpoint).ok());
    url.is_some_and(|url| {
        url.scheme() == "http" && matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
    })
}
