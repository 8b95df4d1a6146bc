//! What all clients of stores share: their variables, tries and limits of time.

use std::collections::BTreeMap;
use std::time::Duration;

use object_store::{ClientOptions, RetryConfig};
use url::Url;

/// Environment variables by name.
pub(super) type Variables = BTreeMap<String, String>;

/// A connection that is not made in this time is tried again.
const CONNECT: Duration = Duration::from_secs(10);
/// A request that is not over in this time is tried again.
const WHOLE: Duration = Duration::from_mins(1);

/// Eight tries over at most two and a half minutes: longer than a store's hiccup, shorter than a person's patience.
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

/// The variables of this process.
#[cfg(not(test))]
pub(super) fn environment() -> Variables {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(_, value)| !value.trim().is_empty())
        .collect()
}

/// Without TLS, to this machine: tokens may go there.
pub(super) fn is_loopback(endpoint: Option<String>) -> bool {
    let url = endpoint.and_then(|endpoint| Url::parse(&endpoint).ok());
    url.is_some_and(|url| {
        url.scheme() == "http" && matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
    })
}
