//! Reads structure tables of several projects in one CSV: `model_id, n_layers, d_model …` or
//! `hf_id, layers, d_model …`.
//!
//! Peculiarities that are corrected here: litgpt's `vocab_size` is padded or truncated; `TransformerLens` counts
//! parameters without embeddings and limits positions; feed-forward widths computed from a rounded ratio are not
//! integers; names with `{}` stand for several checkpoints and state what these have in common (`pattern`); the width
//! of a mixture may be that of an expert or of its dense layers, which its parameter count reveals ([`width_of`]).

use crate::clean;
use crate::config::decoders;
use crate::config::stated::Makeup;
use crate::error::Error;
use crate::observed::{DIMENSIONS, Observed, Out};
use crate::sources::table::{Cells, Table};
use crate::words::{Stated, sizes};

/// Name of this kind of source.
pub(crate) const NAME: &str = "structures";

/// Names of the columns, in the order of the dimensions.
const COLUMNS: [&[&str]; 7] = [
    &["n_layers", "layers"],
    &["d_model"],
    &["d_ffn"],
    &["n_heads", "heads"],
    &["n_kv_heads", "kv_heads"],
    &["vocab_size"],
    &["max_position"],
];
const ID: &[&str] = &["model_id", "hf_id"];

fn column(table: &Table, names: &[&str]) -> Option<usize> {
    names.iter().find_map(|name| table.find(name))
}

/// Whether a table is of this kind, by its header.
pub(crate) fn recognises(table: &Table) -> bool {
    let needed = &COLUMNS[..4];
    column(table, ID).is_some() && needed.iter().all(|names| column(table, names).is_some())
}

/// Indices of the columns of one table.
struct Header {
    id: usize,
    dimensions: [Option<usize>; 7],
    source: Option<usize>,
    note: Option<usize>,
    class: Option<usize>,
    head_dim: Option<usize>,
    params: Option<usize>,
    billions: Option<usize>,
    experts: Option<usize>,
    used: Option<usize>,
    downloads: Option<usize>,
    likes: Option<usize>,
    date: Option<usize>,
}

/// Reads the table into `out`.
pub(crate) fn read(table: &mut Table, out: &mut Out<'_>) -> Result<(), Error> {
    let header = Header {
        id: table.need(ID)?,
        dimensions: COLUMNS.map(|names| column(table, names)),
        source: table.find("source"),
        note: table.find("note"),
        class: table.find("architecture"),
        head_dim: table.find("head_dim"),
        params: table.find("params"),
        billions: table.find("params_b"),
        experts: column(table, &["num_experts", "experts"]),
        used: table.find("experts_active"),
        downloads: table.find("downloads"),
        likes: table.find("likes"),
        date: table.find("release_date"),
    };
    while let Some(cells) = table.next()? {
        let Some(name) = cells.text(Some(header.id))? else {
            out.reject_row(cells.row, "model_id", "", "no_name")?;
            continue;
        };
        let note = cells.text(header.note)?.unwrap_or_default();
        if note.contains("not stated") && note.contains("likely") {
            out.reject_row(cells.row, "note", note, "likely_not_stated")?;
            continue;
        }
        let mut observed = row(&cells, name, &header, out)?;
        if let Some(why) = decoders::not_a_decoder(observed.architecture.as_deref(), None) {
            out.reject_row(cells.row, "architecture", why, "not_a_decoder")?;
            continue;
        }
        clean::dimensions(&mut observed, cells.row, out)?;
        out.observe(cells.row, observed)?;
    }
    Ok(())
}

fn row(cells: &Cells<'_>, name: &str, header: &Header, out: &mut Out<'_>) -> Result<Observed, Error> {
    let source = cells.text(header.source)?.unwrap_or_default();
    let mut dimensions = [None; 7];
    for (index, column) in header.dimensions.into_iter().enumerate() {
        let Some(value) = cells.float(column)?.filter(|&value| value > 0.0) else {
            continue;
        };
        let rounded = value.round();
        if (value - rounded).abs() < 1e-3 {
            dimensions[index] = Some(rounded as i64);
        } else {
            let raw = value.to_string();
            out.reject_field(cells.row, DIMENSIONS[index], &raw, "not_a_whole_number")?;
        }
    }
    let is_litgpt = source == "litgpt_config" || source.contains("litgpt");
    if let Some(value) = dimensions[5].take_if(|_| is_litgpt) {
        out.reject_field(cells.row, "vocab_size", &value.to_string(), "padded_vocabulary")?;
    }
    if let Some(value) = dimensions[6].take_if(|_| source == "transformerlens_table") {
        out.reject_field(cells.row, "pos", &value.to_string(), "positions_cut_by_source")?;
    }
    let mut makeup = Makeup {
        experts: cells.int(header.experts)?.filter(|&experts| experts > 1),
        experts_per_token: cells.int(header.used)?,
        head_dim: cells.int(header.head_dim)?,
        ..Makeup::default()
    };
    let billions = cells.float(header.billions)?.filter(|&size| size > 0.0);
    if let (Some(experts), [Some(layers), Some(d_model), Some(width), ..]) = (makeup.experts, dimensions) {
        let stated = expert_width(cells.text(header.note)?.unwrap_or_default());
        let total = billions.or_else(|| of_name(name));
        let one_layer = experts as f64 * 3.0 * d_model as f64 * layers as f64 / 1e9;
        match (stated, width_of(one_layer * width as f64, total)) {
            (Some(stated), _) => {
                dimensions[2] = Some(stated);
                makeup.d_ffn_dense = Some(width).filter(|&width| width != stated);
            }
            (None, Width::Expert) => {}
            (None, not_of_an_expert) => {
                dimensions[2] = None;
                let reason = match not_of_an_expert {
                    Width::Dense => "width_of_no_expert",
                    _ => "width_of_experts_or_of_dense_layers",
                };
                out.reject_field(cells.row, "d_ffn", &width.to_string(), reason)?;
            }
        }
    }
    Ok(Observed {
        id: name.to_owned(),
        dimensions,
        head_dim: cells.int(header.head_dim)?,
        is_moe: makeup.experts.map(|_| true),
        makeup,
        // Only one of the projects counts all parameters.
        parameters_total: cells.int(header.params)?.filter(|_| source == "njsl_annotations"),
        architecture: cells.text(header.class)?.map(str::to_owned),
        downloads: cells.int(header.downloads)?,
        likes: cells.int(header.likes)?,
        date: cells.day(header.date)?,
        ..Observed::default()
    })
}

/// Which layer the stated width of a mixture refers to.
#[derive(Debug, PartialEq, Eq)]
enum Width {
    Expert,
    Dense,
    Unclear,
}

/// Which layer a width refers to. `experts` is the number of parameters, in billions, that all experts of all layers
/// would have with this width; the experts hold most of a mixture's `total` (in every layer, or in every second), and
/// never more than all of it.
fn width_of(experts: f64, total: Option<f64>) -> Width {
    let Some(total) = total else {
        return Width::Unclear;
    };
    let share = experts / total;
    if (0.6..=1.02).contains(&share) || (0.8..=1.02).contains(&(share / 2.0)) {
        Width::Expert
    } else if share > 2.5 {
        Width::Dense
    } else {
        Width::Unclear
    }
}

/// Billions of parameters in all according to a name; the experts of `8x22B` share part of their parameters.
fn of_name(name: &str) -> Option<f64> {
    sizes(name).into_iter().next().map(|stated| match stated {
        Stated::Dense(size) => size,
        Stated::Mixture(experts, each) => experts as f64 * each * 0.8,
    })
}

/// The width of an expert in a note: `moe_ffn 1792`.
fn expert_width(note: &str) -> Option<i64> {
    let (_, after) = note.split_once("moe_ffn ")?;
    let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok().filter(|&width| width > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_tells_whose_width_it_is() {
        let experts = |count: i64, d_model: i64, width: i64, layers: i64| {
            (count * 3 * d_model) as f64 * (width * layers) as f64 / 1e9
        };
        // Qwen3-235B-A22B by its dense width and by its experts' width; Llama 4 Maverick has experts in every second
        // layer.
        assert_eq!(
            width_of(experts(128, 4096, 12_288, 94), Some(235.0)),
            Width::Dense
        );
        assert_eq!(width_of(experts(128, 4096, 1536, 94), Some(235.0)), Width::Expert);
        assert_eq!(width_of(experts(128, 5120, 8192, 48), Some(400.0)), Width::Expert);
        assert_eq!(
            width_of(experts(8, 6144, 16_384, 56), of_name("m/Mixtral-8x22B-v0.1")),
            Width::Expert
        );
        assert_eq!(
            width_of(experts(128, 2048, 6144, 48), of_name("Q/Qwen3-30B-A3B")),
            Width::Dense
        );
        assert_eq!(width_of(130.0, Some(100.0)), Width::Unclear);
        assert_eq!(width_of(1.0, None), Width::Unclear);
    }

    #[test]
    fn a_note_states_the_width_of_an_expert() {
        assert_eq!(expert_width("lfm2_8B_A1B.yaml; moe_ffn 1792"), Some(1792));
        assert_eq!(expert_width("grok2.yaml: moe_ffn_hidden_size"), None);
    }
}
