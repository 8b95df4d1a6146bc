//! The child process: reads statements and writes answers, one at a time, until its input ends.

use std::io::{BufRead, Write};
use std::path::Path;

use anyhow::Result;
use catalog::Error;
use catalog::query::{Engine, Format};
use serde_json::json;

use super::reads::plain;
use super::{RowFormat, Said, SqlRequest};
use crate::output;

/// Answers until standard input ends. `memory` is the limit for the engine's operators in bytes.
pub(crate) fn serve(catalog: Option<&Path>, memory: usize) -> Result<()> {
    end_with_parent();
    let engine = Engine::for_visitors(catalog, memory)?;
    output::result("ready\n")?;
    for line in std::io::stdin().lock().lines() {
        let ask: SqlRequest = serde_json::from_str(&line?)?;
        let (said, body) = match answer(&engine, &ask) {
            Ok(answer) => answer,
            Err(error) => refusal(&error),
        };
        let mut bytes = serde_json::to_vec(&said)?;
        bytes.write_all(b"\n")?;
        bytes.extend_from_slice(&body);
        output::result_bytes(&bytes)?;
    }
    Ok(())
}

/// Ends this process when its parent has ended, so that no endless statement survives a killed server.
#[cfg(unix)]
fn end_with_parent() {
    let parent = std::os::unix::process::parent_id();
    std::thread::spawn(move || {
        while std::os::unix::process::parent_id() == parent {
            std::thread::sleep(std::time::Duration::from_secs(1));
        }
        std::process::exit(0);
    });
}

#[cfg(not(unix))]
fn end_with_parent() {}

fn answer(engine: &Engine, ask: &SqlRequest) -> Result<(Said, Vec<u8>), Error> {
    let (answer, more) = engine.query_within(&ask.sql, ask.rows)?;
    let mut body = Vec::new();
    match ask.form {
        RowFormat::Csv => answer.write(Format::Csv, &mut body)?,
        RowFormat::Json => {
            let columns: Vec<_> = answer
                .schema
                .fields()
                .iter()
                .map(|field| json!({ "name": field.name(), "type": field.data_type().to_string() }))
                .collect();
            let mut rows = Vec::new();
            answer.write(Format::JsonRows, &mut rows)?;
            body.extend_from_slice(b"{\"columns\":");
            body.extend_from_slice(json!(columns).to_string().as_bytes());
            body.extend_from_slice(format!(",\"n\":{},\"more\":{more},\"rows\":", answer.rows()).as_bytes());
            body.extend_from_slice(rows.trim_ascii_end());
            body.push(b'}');
        }
    }
    let said = Said {
        ok: true,
        bytes: body.len(),
        rows: answer.rows(),
        more,
        suggestions: Vec::new(),
    };
    Ok((said, body))
}

fn refusal(error: &Error) -> (Said, Vec<u8>) {
    let (message, suggestions) = match error {
        Error::Query { message, suggestions } => (plain(message), suggestions.clone()),
        other => (other.to_string(), Vec::new()),
    };
    let body = message.into_bytes();
    let said = Said {
        ok: false,
        bytes: body.len(),
        rows: 0,
        more: false,
        suggestions,
    };
    (said, body)
}
