//! Reads tables of checkpoints and their bases, with downloads and likes. The relation is `declared` where the base is
//! from the checkpoint's tags, and `named` where it is only inferred from the name.

use crate::calendar;
use crate::error::Error;
use crate::observed::{Observed, Out};
use crate::sources::table::Table;

/// Name of this kind of source.
pub(crate) const NAME: &str = "models-by-base";

/// Whether a table is of this kind, by its header.
pub(crate) fn recognises(table: &Table) -> bool {
    table.find("mapped_base_model").is_some() && table.find("model_id").is_some()
}

/// Reads the table into `out`.
pub(crate) fn read(table: &mut Table, out: &mut Out<'_>) -> Result<(), Error> {
    let (id, base) = (table.need(&["model_id"])?, table.need(&["mapped_base_model"])?);
    let [downloads, likes, modified, how] =
        ["downloads", "likes", "last_modified", "match_source"].map(|n| table.find(n));
    while let Some(cells) = table.next()? {
        let Some(id) = cells.text(Some(id))? else {
            out.reject_row(cells.row, "model_id", "", "no_name")?;
            continue;
        };
        // A table that does not say where a base is from inferred it from the name.
        let relation = if how.is_none() || cells.text(how)? == Some("id") {
            "named"
        } else {
            "declared"
        };
        let base = cells.text(Some(base))?.filter(|&base| base != id);
        out.observe(
            cells.row,
            Observed {
                id: id.to_owned(),
                base: base.map(str::to_owned),
                base_relation: base.map(|_| relation.to_owned()),
                downloads: cells.int(downloads)?,
                likes: cells.int(likes)?,
                last_modified: cells.parse(modified, "a date with time", calendar::millis)?,
                ..Observed::default()
            },
        )?;
    }
    Ok(())
}
