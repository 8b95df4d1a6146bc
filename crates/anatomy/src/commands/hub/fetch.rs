//! `anatomy hub fetch`: fetches named checkpoints.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::{Value, json};
use study::section::{Cell, Table};

use super::FetchArgs;
use super::session::{Session, with_session};
use crate::global::{Format, Global};
use crate::hub::fetch::{Had, by_name};
use crate::hub::{export, state::Standing};
use crate::output;
use crate::provenance::Provenance;

pub(crate) fn run(global: &Global, args: &FetchArgs) -> Result<ExitCode> {
    let sources = args.connection.hub.join("sources");
    let all: Vec<Had> = with_session(&args.connection, async |session: &Session| {
        let mut all = Vec::new();
        for id in &args.ids {
            all.push(by_name(&session.client, &session.store, &session.writer, id).await?);
        }
        export::sources(&session.store, &sources)?;
        Ok(all)
    })?;
    let whole = all.iter().all(|had| had.standing == Some(Standing::Stored));
    if global.format() == Format::Json {
        let rows: Vec<Value> = all
            .iter()
            .map(|had| {
                json!({"asked": had.asked, "id": had.id, "standing": had.standing, "revision": had.revision,
                       "tag": had.tag, "reason": had.reason})
            })
            .collect();
        output::json("fetch", &json!({ "checkpoints": rows }), Provenance::bare())?;
    } else {
        let table = table(&all)?;
        if global.format() == Format::Csv {
            output::result_bytes(&output::csv(&table)?)?;
        } else {
            output::result(&output::table(&table))?;
        }
    }
    Ok(if whole {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}

fn table(all: &[Had]) -> Result<Table> {
    let text = |text: &Option<String>| text.clone().map_or(Cell::Missing, Cell::Text);
    let mut rows = Vec::new();
    for had in all {
        let standing = serde_json::to_value(had.standing)?;
        rows.push(vec![
            Cell::from(had.asked.as_str()),
            text(&had.id),
            text(&standing.as_str().map(str::to_owned)),
            text(&had.revision),
            text(&had.reason),
        ]);
    }
    Ok(Table {
        id: "fetched".into(),
        columns: ["asked", "id", "standing", "revision", "because"]
            .map(String::from)
            .to_vec(),
        rows,
        ..Table::default()
    })
}
