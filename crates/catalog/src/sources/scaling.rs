//! Reads tables from scaling studies: pre-training tokens per base checkpoint.
//!
//! Only the tokens are read. The scores in these tables are means over the authors' own runs and subsets of tasks, and
//! are not used. The rows of the two tables of families name no organisation (`yi-1.5-34b`), so they cannot be matched
//! to a checkpoint; the annotations of structures are the ones already in `structures.csv`.

use crate::error::Error;
use crate::observed::{Observed, Out};
use crate::sources::table::Table;

/// Name of this kind of source.
pub(crate) const NAME: &str = "scaling";

/// Columns of checkpoints and of tokens, and the unit of the latter.
const TOKENS: [(&str, &str, f64); 2] = [
    ("Model", "Pretraining Data Size (T)", 1e12),
    ("id", "pretraining_summary_total_tokens_billions", 1e9),
];

/// Whether a table is of this kind, by its header: tokens, or one of the accompanying tables.
pub(crate) fn recognises(table: &Table) -> bool {
    let has = |names: &[&str]| names.iter().all(|name| table.find(name).is_some());
    TOKENS.iter().any(|&(id, tokens, _)| has(&[id, tokens]))
        || has(&["id", "mlp_ratio", "attention_variant"])
        || has(&["Model", "leaderboard_bbh", "leaderboard_ifeval"])
}

/// Reads the table into `out`.
pub(crate) fn read(table: &mut Table, out: &mut Out<'_>) -> Result<(), Error> {
    let id = table.find("id").or_else(|| table.find("Model"));
    let tokens = TOKENS
        .iter()
        .find_map(|&(_, name, unit)| Some((table.find(name)?, unit)));
    while let Some(cells) = table.next()? {
        let Some(name) = cells.text(id)? else {
            out.reject_row(cells.row, "Model", "", "no_name")?;
            continue;
        };
        let Some((column, unit)) = tokens else {
            out.reject_row(cells.row, "", name, "no_tokens_in_table")?;
            continue;
        };
        if !name.contains('/') {
            out.reject_row(cells.row, "Model", name, "name_without_organisation")?;
            continue;
        }
        let Some(count) = cells.float(Some(column))?.filter(|&count| count > 0.0) else {
            out.reject_row(cells.row, "tokens", name, "no_tokens")?;
            continue;
        };
        out.observe(
            cells.row,
            Observed {
                id: name.to_owned(),
                training_tokens: Some((count * unit).round() as i64),
                from_scratch: true,
                ..Observed::default()
            },
        )?;
    }
    Ok(())
}
