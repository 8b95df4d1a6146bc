//! Structure tables of three projects in one CSV: `source, model_id, n_layers, d_model …`.
//!
//! Quirks, kept out of the tables: litgpt's `vocab_size` is padded or cut; `TransformerLens` counts parameters
//! without embeddings and cuts positions; feed-forward widths made from a rounded ratio are no whole numbers;
//! names with a `{}` stand for several checkpoints, and say what those have in common (`pattern`).

use crate::clean;
use crate::error::Error;
use crate::observed::{Observed, Out};
use crate::sources::table::{Cells, Table};

/// Name of this kind of source.
pub(crate) const NAME: &str = "structures";

/// Whether a header is this table's.
pub(crate) fn recognises(table: &Table) -> bool {
    ["model_id", "n_layers", "d_model", "d_ffn", "n_heads"]
        .iter()
        .all(|name| table.find(name).is_some())
}

/// Reads the table into `out`.
pub(crate) fn read(table: &mut Table, out: &mut Out<'_>) -> Result<(), Error> {
    let id = table.need(&["model_id"])?;
    let columns = [
        "n_layers",
        "d_model",
        "d_ffn",
        "n_heads",
        "n_kv_heads",
        "vocab_size",
        "max_position",
    ]
    .map(|n| table.find(n));
    let rest = [
        "source",
        "architecture",
        "head_dim",
        "params",
        "downloads",
        "likes",
        "release_date",
    ]
    .map(|n| table.find(n));
    while let Some(cells) = table.next()? {
        let Some(name) = cells.text(Some(id))? else {
            out.reject_row(cells.row, "model_id", "", "no_name")?;
            continue;
        };
        let mut observed = row(&cells, name, columns, rest, out)?;
        if let Some(why) = clean::not_a_decoder(observed.architecture.as_deref(), None) {
            out.reject_row(cells.row, "architecture", why, "not_a_decoder")?;
            continue;
        }
        clean::dimensions(&mut observed, cells.row, out)?;
        out.observe(cells.row, observed)?;
    }
    Ok(())
}

fn row(
    cells: &Cells<'_>,
    name: &str,
    columns: [Option<usize>; 7],
    [source, class, head_dim, params, downloads, likes, date]: [Option<usize>; 7],
    out: &mut Out<'_>,
) -> Result<Observed, Error> {
    let source = cells.text(source)?.unwrap_or_default();
    let mut dimensions = [None; 7];
    for (index, column) in columns.into_iter().enumerate() {
        let Some(value) = cells.float(column)?.filter(|&value| value > 0.0) else {
            continue;
        };
        let rounded = value.round();
        if (value - rounded).abs() < 1e-3 {
            dimensions[index] = Some(rounded as i64);
        } else {
            out.reject_field(
                cells.row,
                crate::observed::DIMENSIONS[index],
                &value.to_string(),
                "not_a_whole_number",
            )?;
        }
    }
    if source == "litgpt_config"
        && let Some(value) = dimensions[5].take()
    {
        out.reject_field(cells.row, "vocab_size", &value.to_string(), "padded_vocabulary")?;
    }
    if source == "transformerlens_table"
        && let Some(value) = dimensions[6].take()
    {
        out.reject_field(cells.row, "pos", &value.to_string(), "positions_cut_by_source")?;
    }
    Ok(Observed {
        id: name.to_owned(),
        dimensions,
        head_dim: cells.int(head_dim)?,
        // Only one of the three projects counts every parameter.
        parameters_total: cells.int(params)?.filter(|_| source == "njsl_annotations"),
        architecture: cells.text(class)?.map(str::to_owned),
        downloads: cells.int(downloads)?,
        likes: cells.int(likes)?,
        date: cells.day(date)?,
        ..Observed::default()
    })
}
