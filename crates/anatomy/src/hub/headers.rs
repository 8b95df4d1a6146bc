//! Parses the Hub's response headers: remaining quota, time to wait, address of the next page.
//!
//! `RateLimit: "api";r=489;t=172` and `RateLimit-Policy: "fixed window";"api";q=500;w=300`: one quota per bucket, in
//! windows of fixed length (Hub documentation, `rate-limits.md`; syntax of draft-ietf-httpapi-ratelimit-headers).

use std::time::Duration;

/// The remaining quota: `r` requests for the next `t` seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Left {
    /// `api`, `resolvers` or `pages`.
    pub(crate) bucket: String,
    /// Requests left in the current window.
    pub(crate) requests: u64,
    /// Time until the window ends, rounded up to whole seconds.
    pub(crate) reset: Duration,
}

/// The quota of a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Policy {
    /// Requests per window.
    pub(crate) quota: u64,
    /// Length of a window.
    pub(crate) window: Duration,
}

/// Parses `RateLimit`.
pub(crate) fn rate_limit(text: &str) -> Option<Left> {
    let item = text.split(',').next()?;
    let mut parts = item.split(';').map(str::trim);
    let bucket = parts.next()?.trim_matches('"').to_owned();
    let (mut requests, mut reset) = (None, None);
    for part in parts {
        match part.split_once('=') {
            Some(("r", value)) => requests = value.trim().parse().ok(),
            Some(("t", value)) => reset = value.trim().parse().ok(),
            _ => {}
        }
    }
    Some(Left {
        bucket,
        requests: requests?,
        reset: Duration::from_secs(reset.filter(|&seconds: &u64| seconds <= 7 * 86_400)?),
    })
}

/// Parses `RateLimit-Policy`.
pub(crate) fn rate_policy(text: &str) -> Option<Policy> {
    let (mut quota, mut window) = (None, None);
    for part in text.split(',').next()?.split(';').map(str::trim) {
        match part.split_once('=') {
            Some(("q", value)) => quota = value.trim().parse().ok(),
            Some(("w", value)) => window = value.trim().parse().ok(),
            _ => {}
        }
    }
    Some(Policy {
        quota: quota?,
        window: Duration::from_secs(window.filter(|&seconds: &u64| (1..=7 * 86_400).contains(&seconds))?),
    })
}

/// Parses `Retry-After`: seconds, or a date relative to the response's own `Date`, so that our clock does not matter.
pub(crate) fn retry_after(text: &str, date: Option<&str>) -> Option<Duration> {
    const LONGEST: u64 = 86_400;
    let text = text.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds.min(LONGEST)));
    }
    let (until, from) = (http_date(text)?, http_date(date?.trim())?);
    Some(Duration::from_secs(until.saturating_sub(from).min(LONGEST)))
}

/// Seconds since 1970 for a date like `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, section 5.6.7).
fn http_date(text: &str) -> Option<u64> {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let mut words = text.split_once(", ")?.1.split(' ');
    let day: u64 = words.next()?.parse().ok()?;
    let name = words.next()?;
    let month = MONTHS.iter().position(|month| *month == name)? as u64 + 1;
    let year: u64 = words.next()?.parse().ok()?;
    let mut clock = words.next()?.split(':').map(str::parse::<u64>);
    let (hour, minute, second) = (clock.next()?.ok()?, clock.next()?.ok()?, clock.next()?.ok()?);
    if !(1970..=9999).contains(&year) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let days = common::calendar::days(year as i64, month as i64, day as i64)? as u64;
    Some(days * 86_400 + hour * 3600 + minute * 60 + second)
}

/// The address marked `rel="next"` in a `Link` header (RFC 8288).
pub(crate) fn next_page(text: &str) -> Option<&str> {
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        let end = rest[start..].find('>')? + start;
        let address = &rest[start + 1..end];
        // The parameters end where the next link begins.
        let after = &rest[end + 1..];
        let parameters = &after[..after.find('<').unwrap_or(after.len())];
        let is_next = parameters
            .split([';', ','])
            .filter_map(|parameter| parameter.trim().split_once('='))
            .any(|(name, value)| {
                name.trim().eq_ignore_ascii_case("rel")
                    && value
                        .trim()
                        .trim_matches('"')
                        .split_ascii_whitespace()
                        .any(|relation| relation.eq_ignore_ascii_case("next"))
            });
        if is_next {
            return Some(address);
        }
        rest = &rest[end + 1..];
    }
    None
}

/// A strong `ETag` without quotes. Weak ones (`W/"…"`) do not promise identical bytes and give `None`.
pub(crate) fn strong_tag(text: &str) -> Option<&str> {
    text.trim().strip_prefix('"')?.strip_suffix('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_as_the_hub_writes_them() {
        let left = rate_limit("\"resolvers\";r=2998;t=172").expect("a limit");
        assert_eq!(
            left,
            Left {
                bucket: "resolvers".into(),
                requests: 2998,
                reset: Duration::from_secs(172)
            }
        );
        let policy = rate_policy("\"fixed window\";\"api\";q=500;w=300").expect("a policy");
        assert_eq!(
            policy,
            Policy {
                quota: 500,
                window: Duration::from_mins(5)
            }
        );
    }

    #[test]
    fn limits_that_say_nothing_are_none() {
        for text in [
            "",
            "api",
            "\"api\";r=-1;t=5",
            "\"api\";r=5",
            "\"api\";r=5;t=99999999999",
        ] {
            assert_eq!(rate_limit(text), None, "{text}");
        }
        for text in ["", "\"api\";q=500", "\"api\";q=5;w=0", "\"api\";q=x;w=300"] {
            assert_eq!(rate_policy(text), None, "{text}");
        }
    }

    #[test]
    fn retry_after_in_both_forms() {
        assert_eq!(retry_after("120", None), Some(Duration::from_mins(2)));
        assert_eq!(retry_after("999999999999", None), Some(Duration::from_hours(24)));
        let (early, late) = ("Thu, 29 Feb 2024 23:59:30 GMT", "Fri, 01 Mar 2024 00:00:15 GMT");
        assert_eq!(retry_after(late, Some(early)), Some(Duration::from_secs(45)));
        assert_eq!(retry_after(early, Some(late)), Some(Duration::ZERO));
        assert_eq!(retry_after(late, None), None);
        assert_eq!(retry_after("soon", Some(early)), None);
    }

    #[test]
    fn dates_count_from_1970() {
        assert_eq!(http_date("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(http_date("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        assert_eq!(http_date("Thu, 41 Jan 1970 00:00:00 GMT"), None);
    }

    #[test]
    fn the_next_page_among_others() {
        let text = "<https://h/a?x=1,2;3>; rel=\"prev\", <https://h/b?cursor=e%3D>; rel=\"next\"";
        assert_eq!(next_page(text), Some("https://h/b?cursor=e%3D"));
        assert_eq!(next_page("</c>;rel=next"), Some("/c"));
        assert_eq!(next_page("<https://h/a>; rel=\"last\""), None);
        assert_eq!(next_page("<https://h/a"), None);
        assert_eq!(next_page(""), None);
    }

    #[test]
    fn only_strong_tags_promise_bytes() {
        assert_eq!(strong_tag("\"abc\""), Some("abc"));
        assert_eq!(strong_tag("W/\"abc\""), None);
    }
}
