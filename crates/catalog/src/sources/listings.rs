//! Reads plain tables of checkpoints: manually checked numbers of parameters, and old listings of the whole Hub.

use crate::error::Error;
use crate::observed::{Observed, Out};
use crate::sources::table::Table;

/// Name of tables of parameter counts.
pub(crate) const PARAMETERS: &str = "model-parameters";
/// Name of listings of the whole Hub.
pub(crate) const LISTING: &str = "hub-listing";

/// Whether a table holds numbers of parameters, by its header.
pub(crate) fn is_parameters(table: &Table) -> bool {
    table.find("total_params_b").is_some() && table.find("model_id").is_some()
}

/// Whether a table is a listing, by its header: checkpoint, downloads, hash.
pub(crate) fn is_listing(table: &Table) -> bool {
    ["model", "downloads", "sha"]
        .iter()
        .all(|name| table.find(name).is_some())
}

/// Reads numbers of parameters into `out`.
pub(crate) fn read_parameters(table: &mut Table, out: &mut Out<'_>) -> Result<(), Error> {
    let (id, total) = (table.need(&["model_id"])?, table.need(&["total_params_b"])?);
    let [active, moe] = ["active_params_b", "is_moe"].map(|name| table.find(name));
    while let Some(cells) = table.next()? {
        let Some(id) = cells.text(Some(id))? else {
            out.reject_row(cells.row, "model_id", "", "no_name")?;
            continue;
        };
        let count = |size: f64| (size * 1e9).round() as i64;
        out.observe(
            cells.row,
            Observed {
                id: id.to_owned(),
                parameters_total: cells.float(Some(total))?.filter(|&size| size > 0.0).map(count),
                parameters_active: cells.float(active)?.filter(|&size| size > 0.0).map(count),
                is_moe: cells.bool(moe)?,
                ..Observed::default()
            },
        )?;
    }
    Ok(())
}

/// Reads a listing into `out`, only the checkpoints in `known`: being listed alone does not make a row of the catalog.
pub(crate) fn read_listing(
    table: &mut Table,
    known: &dyn Fn(&str) -> bool,
    out: &mut Out<'_>,
) -> Result<(), Error> {
    let (id, downloads) = (table.need(&["model"])?, table.need(&["downloads"])?);
    while let Some(cells) = table.next()? {
        let Some(id) = cells.text(Some(id))? else {
            out.reject_row(cells.row, "model", "", "no_name")?;
            continue;
        };
        if !known(id) {
            out.reject_row(cells.row, "model", "", "known_to_no_other_source")?;
            continue;
        }
        out.observe(
            cells.row,
            Observed {
                id: id.to_owned(),
                downloads: cells.int(Some(downloads))?,
                ..Observed::default()
            },
        )?;
    }
    Ok(())
}
