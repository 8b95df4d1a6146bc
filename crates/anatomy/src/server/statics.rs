//! Static files of the pages: styles, scripts, and the Plotly library.

use std::io::Read;
use std::sync::LazyLock;

use axum::Router;
use axum::body::Bytes;
use axum::extract::Path;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::api::kept_bytes;
use super::problem::Problem;
use super::state::Shared;

const FILES: [(&str, &str, &str); 9] = [
    (
        "first.css",
        "text/css; charset=utf-8",
        include_str!("../../templates/first.css"),
    ),
    (
        "first.js",
        "text/javascript; charset=utf-8",
        include_str!("../../templates/first.js"),
    ),
    (
        "jobs.js",
        "text/javascript; charset=utf-8",
        include_str!("static/jobs.js"),
    ),
    (
        "style.css",
        "text/css; charset=utf-8",
        include_str!("static/style.css"),
    ),
    (
        "plotly.css",
        "text/css; charset=utf-8",
        include_str!("static/plotly.css"),
    ),
    (
        "theme.js",
        "text/javascript; charset=utf-8",
        include_str!("static/theme.js"),
    ),
    (
        "page.js",
        "text/javascript; charset=utf-8",
        include_str!("static/page.js"),
    ),
    (
        "charts.js",
        "text/javascript; charset=utf-8",
        include_str!("static/charts.js"),
    ),
    ("icon.svg", "image/svg+xml", include_str!("static/icon.svg")),
];

pub(super) fn add(router: Router<Shared>) -> Router<Shared> {
    router.route("/static/{file}", get(file))
}

async fn file(Path(name): Path<String>) -> Result<Response, Problem> {
    let mut response = if name == "plotly.js" {
        kept_bytes(PLOTLY.clone(), "text/javascript; charset=utf-8")
    } else {
        match FILES.iter().find(|(file, _, _)| *file == name) {
            Some((_, kind, text)) => kept_bytes(*text, kind),
            None => {
                return Ok(super::pages::error(&Problem::missing(format!(
                    "no file `{name}`"
                ))));
            }
        }
    };
    response.headers_mut().insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=300, must-revalidate"),
    );
    Ok(response.into_response())
}

/// Plotly's script, decompressed on first use.
static PLOTLY: LazyLock<Bytes> = LazyLock::new(|| plotly().into());

fn plotly() -> Vec<u8> {
    let packed: &[u8] = include_bytes!("static/plotly.min.js.gz");
    let mut script = Vec::new();
    flate2::read::GzDecoder::new(packed)
        .read_to_end(&mut script)
        .expect("the file compiled in is whole");
    script
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_script_is_the_library() {
        let script = super::plotly();
        let script = std::str::from_utf8(&script).expect("text");
        assert!(
            script.trim_start().starts_with("/**\n* plotly.js v"),
            "{}",
            &script[..80]
        );
        assert!(script.len() > 1_000_000 && !script.contains("</script>"));
    }
}
