//! Request metrics in Prometheus' text format (version 0.0.4).

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Upper limits of the histogram's buckets, seconds.
const BUCKETS: [f64; 8] = [0.001, 0.005, 0.02, 0.05, 0.1, 0.5, 2.0, 10.0];

#[derive(Debug, Default)]
struct Counts {
    /// Number of requests by route and status.
    requests: BTreeMap<(String, u16), u64>,
    buckets: [u64; BUCKETS.len() + 1],
    seconds: f64,
}

/// All request metrics.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    counts: Mutex<Counts>,
}

/// Values from other modules, printed with the metrics.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gauges {
    pub(crate) connections: usize,
    pub(crate) uptime: Duration,
    pub(crate) remembered: usize,
    pub(crate) study_ready: bool,
    pub(crate) fits_ready: bool,
    pub(crate) sql_answered: u64,
    pub(crate) sql_refused: u64,
    pub(crate) sql_stopped: u64,
}

impl Metrics {
    /// Records a response. `route` is the matched pattern, so that visitors cannot create new time series.
    pub(crate) fn record(&self, route: &str, status: u16, took: Duration) {
        let seconds = took.as_secs_f64();
        let bucket = BUCKETS
            .iter()
            .position(|end| seconds <= *end)
            .unwrap_or(BUCKETS.len());
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.requests.entry((route.to_owned(), status)).or_default() += 1;
        counts.buckets[bucket] += 1;
        counts.seconds += seconds;
    }

    /// All metrics as text.
    pub(crate) fn text(&self, gauges: &Gauges) -> String {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::new();
        let head = |text: &mut String, name: &str, kind: &str, help: &str| {
            let _ = writeln!(text, "# HELP anatomy_{name} {help}\n# TYPE anatomy_{name} {kind}");
        };
        head(
            &mut text,
            "http_requests_total",
            "counter",
            "Requests answered, by route and status.",
        );
        for ((route, status), count) in &counts.requests {
            let _ = writeln!(
                text,
                "anatomy_http_requests_total{{route=\"{}\",status=\"{status}\"}} {count}",
                route.replace('\\', "\\\\").replace('"', "\\\"")
            );
        }
        head(
            &mut text,
            "http_request_seconds",
            "histogram",
            "Time from a request's head to its answer's.",
        );
        let mut below = 0;
        for (end, count) in BUCKETS.iter().zip(counts.buckets) {
            below += count;
            let _ = writeln!(
                text,
                "anatomy_http_request_seconds_bucket{{le=\"{end}\"}} {below}"
            );
        }
        let all: u64 = counts.buckets.iter().sum();
        let _ = writeln!(text, "anatomy_http_request_seconds_bucket{{le=\"+Inf\"}} {all}");
        let _ = writeln!(text, "anatomy_http_request_seconds_sum {}", counts.seconds);
        let _ = writeln!(text, "anatomy_http_request_seconds_count {all}");
        let sql = [
            ("answered", gauges.sql_answered),
            ("refused", gauges.sql_refused),
            ("stopped", gauges.sql_stopped),
        ];
        head(
            &mut text,
            "sql_statements_total",
            "counter",
            "Statements of visitors, by outcome.",
        );
        for (outcome, count) in sql {
            let _ = writeln!(
                text,
                "anatomy_sql_statements_total{{outcome=\"{outcome}\"}} {count}"
            );
        }
        let plain = [
            ("connections", "Open connections.", gauges.connections as f64),
            (
                "uptime_seconds",
                "Seconds since the start.",
                gauges.uptime.as_secs_f64(),
            ),
            (
                "remembered_bytes",
                "Bytes of answers kept.",
                gauges.remembered as f64,
            ),
            (
                "study_ready",
                "1 once the study is computed.",
                f64::from(u8::from(gauges.study_ready)),
            ),
            (
                "fits_ready",
                "1 once the fits behind predictions are made.",
                f64::from(u8::from(gauges.fits_ready)),
            ),
        ];
        for (name, help, value) in plain {
            head(&mut text, name, "gauge", help);
            let _ = writeln!(text, "anatomy_{name} {value}");
        }
        text
    }
}
