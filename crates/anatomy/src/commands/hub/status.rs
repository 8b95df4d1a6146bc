//! `anatomy hub status` and `export`: summarises the contents of the folder and exports them.

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;
use serde_json::json;
use study::section::{Cell, Table};

use super::{HubExportArgs, StatusArgs};
use crate::global::{Format, Global};
use crate::hub::error::Error;
use crate::hub::message::{MARK, Mark};
use crate::hub::state::{Counts, Standing};
use crate::hub::store::Store;
use crate::hub::{export, leaderboards};
use crate::output;
use crate::provenance::Provenance;

/// Why checkpoints have no readable config.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Reasons {
    /// Number of checkpoints by standing and reason.
    pub(crate) by_standing: BTreeMap<&'static str, BTreeMap<String, u64>>,
    /// Number of failures that another run may resolve.
    pub(crate) may_pass: u64,
    /// One checkpoint whose request the Hub did not understand (a bug of this program), with the Hub's message.
    pub(crate) to_report: Option<String>,
}

fn name(standing: Standing) -> &'static str {
    match standing {
        Standing::InFlight => "to_fetch",
        Standing::Stored => "stored",
        Standing::WithoutConfig => "without_config",
        Standing::Gated => "gated",
        Standing::Broken => "broken",
        Standing::Failed => "failed",
    }
}

/// Counts over all checkpoints in the store.
pub(crate) fn reasons(store: &Store) -> Result<Reasons, Error> {
    let mut reasons = Reasons::default();
    store.view()?.each_state(|id, state| {
        reasons.may_pass += u64::from(state.may_pass());
        if let Some(reason) = &state.reason
            && state.standing != Standing::InFlight
        {
            if reason == "ours" && reasons.to_report.is_none() {
                reasons.to_report = Some(format!("{id}: {}", state.message.clone().unwrap_or_default()));
            }
            *reasons
                .by_standing
                .entry(name(state.standing))
                .or_default()
                .entry(reason.clone())
                .or_default() += 1;
        }
        Ok(())
    })?;
    Ok(reasons)
}

pub(crate) fn counts_table(counts: &Counts, reasons: &Reasons) -> Table {
    let all = [
        ("listed", counts.listed),
        ("stored", counts.stored),
        ("without_config", counts.without_config),
        ("gated", counts.gated),
        ("broken", counts.broken),
        ("failed", counts.failed),
        ("to_fetch", counts.to_fetch),
    ];
    let because = |standing: &str| -> Cell {
        let Some(reasons) = reasons.by_standing.get(standing) else {
            return Cell::Missing;
        };
        let reasons: Vec<String> = reasons
            .iter()
            .map(|(reason, count)| format!("{reason} {count}"))
            .collect();
        Cell::Text(reasons.join(", "))
    };
    Table {
        id: "hub".into(),
        columns: ["checkpoints", "count", "because"].map(String::from).to_vec(),
        rows: all
            .into_iter()
            .map(|(standing, count)| vec![standing.into(), (count as usize).into(), because(standing)])
            .collect(),
        ..Table::default()
    }
}

pub(crate) fn run(global: &Global, args: &StatusArgs) -> Result<ExitCode> {
    let store = Store::open_to_read(&args.hub)?;
    let (counts, reasons) = (store.view()?.counts()?, reasons(&store)?);
    let mark: Option<Mark> = store
        .meta(MARK)?
        .and_then(|mark| serde_json::from_str(&mark).ok());
    let table = counts_table(&counts, &reasons);
    match global.format() {
        Format::Json => {
            let mut all = json!({});
            if let (Some(all), serde_json::Value::Object(each)) = (all.as_object_mut(), json!(counts)) {
                all.extend(each);
                all.insert("adds_up".into(), json!(counts.sum() == counts.listed));
                all.insert("reasons".into(), json!(reasons.by_standing));
                all.insert("failed_may_pass".into(), json!(reasons.may_pass));
                all.insert("to_report".into(), json!(reasons.to_report));
                all.insert(
                    "listing_complete".into(),
                    json!(mark.as_ref().is_some_and(|mark| mark.next.is_none())),
                );
                all.insert(
                    "listed_by_last_run".into(),
                    json!(mark.as_ref().map(|mark| mark.listed)),
                );
                all.insert("runs".into(), json!(mark.as_ref().map_or(0, |mark| mark.run)));
                all.insert("files".into(), json!(leaderboards::kept(&store)?));
            }
            output::json("crawl_status", &all, Provenance::bare())?;
        }
        Format::Csv => output::result_bytes(&output::csv(&table)?)?,
        Format::Table => {
            output::result(&output::table(&table))?;
            let listing = match mark {
                None => "not begun".to_owned(),
                Some(mark) if mark.next.is_none() => {
                    format!("complete ({} in run {})", mark.listed, mark.run)
                }
                Some(mark) => format!("not complete ({} so far in run {})", mark.listed, mark.run),
            };
            output::say(global.quiet, &format!("Listing: {listing}"));
            if let Some(report) = &reasons.to_report {
                output::say(global.quiet, &format!("Please report this as a bug: {report}"));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn export(global: &Global, args: &HubExportArgs) -> Result<ExitCode> {
    let store = Store::open_to_read(&args.hub)?;
    let many = export::verbatim(&store, &args.out)?;
    output::say(
        global.quiet,
        &format!("Written: {} ({many} configs)", args.out.display()),
    );
    Ok(ExitCode::SUCCESS)
}
