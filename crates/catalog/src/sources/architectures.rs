//! Reads tables that hold only checkpoints and their architecture classes.

use crate::error::Error;
use crate::observed::{Observed, Out};
use crate::sources::table::Table;

/// Name of this kind of source.
pub(crate) const NAME: &str = "model-architectures";

/// Whether a table is of this kind, by its header.
pub(crate) fn recognises(table: &Table) -> bool {
    table.find("architecture_id").is_some() && table.find("model_id").is_some()
}

/// Reads the table into `out`.
pub(crate) fn read(table: &mut Table, out: &mut Out<'_>) -> Result<(), Error> {
    let id = Some(table.need(&["model_id"])?);
    let class = Some(table.need(&["architecture_id"])?);
    while let Some(cells) = table.next()? {
        match (cells.text(id)?, cells.text(class)?) {
            (Some(id), Some(class)) => out.observe(
                cells.row,
                Observed {
                    id: id.to_owned(),
                    architecture: super::leaderboard_v1::architecture(class),
                    ..Observed::default()
                },
            )?,
            (id, _) => out.reject_row(
                cells.row,
                "model_id",
                id.unwrap_or_default(),
                "no_name_or_architecture",
            )?,
        }
    }
    Ok(())
}
