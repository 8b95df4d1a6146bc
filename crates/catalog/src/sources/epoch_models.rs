//! Reads Epoch AI's tables of models: training tokens and operations of those that match an open checkpoint.
//!
//! The first table states who published a model, whether its weights are open, what it was made from and how confident
//! the entry is. The second has only name, operations, parameters and tokens, and is matched where exactly one known
//! publisher has that name. A model made from another one saw more than is counted here, so it is skipped. A count that
//! is too small for the stated operations is one of words, steps or examples, not of tokens.

use crate::calendar;
use crate::error::Error;
use crate::identity::{ANY, Identities, Joined};
use crate::observed::{Observed, Out};
use crate::sources::table::Table;

/// Name of this kind of source.
pub(crate) const NAME: &str = "epoch-models";

/// Least plausible number of training tokens of a language model.
const FEWEST: f64 = 1e9;
/// Operations per parameter and token, and the factor by which they may be larger if the count is of tokens: several
/// epochs over the same tokens.
const PER_TOKEN: f64 = 6.0;
const MORE: f64 = 8.0;

struct Columns {
    model: usize,
    organisation: Option<usize>,
    open: Option<usize>,
    base: Option<usize>,
    tokens: Option<usize>,
    flop: Option<usize>,
    parameters: Option<usize>,
    confidence: Option<usize>,
    day: Option<usize>,
}

/// Whether a table is one of the two, by its header.
pub(crate) fn recognises(table: &Table) -> bool {
    let has = |names: &[&str]| names.iter().all(|name| table.find(name).is_some());
    has(&[
        "Model",
        "Training dataset size (datapoints)",
        "Model accessibility",
    ]) || has(&["Model", "Training compute (FLOP)", "N_actual", "D_actual"])
}

/// Reads the table into `out`.
pub(crate) fn read(table: &mut Table, identities: &Identities, out: &mut Out<'_>) -> Result<(), Error> {
    let find_any = |names: &[&str]| names.iter().find_map(|name| table.find(name));
    let columns = Columns {
        model: table.need(&["Model"])?,
        organisation: table.find("Organization"),
        open: table.find("Model accessibility"),
        base: table.find("Base model"),
        tokens: find_any(&["Training dataset size (datapoints)", "D_actual"]),
        flop: table.find("Training compute (FLOP)"),
        parameters: find_any(&["Parameters", "N_actual"]),
        confidence: table.find("Confidence"),
        day: table.find("Publication date"),
    };
    while let Some(cells) = table.next()? {
        let Some(name) = cells.text(Some(columns.model))? else {
            out.reject_row(cells.row, "Model", "", "no_name")?;
            continue;
        };
        let open = cells.text(columns.open)?;
        if columns.open.is_some() && !open.is_some_and(|open| open.starts_with("Open weights")) {
            out.reject_row(
                cells.row,
                "Model accessibility",
                open.unwrap_or_default(),
                "weights_not_open",
            )?;
            continue;
        }
        if let Some(base) = cells.text(columns.base)? {
            out.reject_row(cells.row, "Base model", base, "made_from_another_model")?;
            continue;
        }
        let owner = match columns.organisation {
            Some(_) => cells.text(columns.organisation)?.unwrap_or_default(),
            None => ANY,
        };
        let id = match identities.of_name(name, owner) {
            Joined::To(id, _) => id,
            Joined::Unknown => {
                out.reject_row(cells.row, "Model", name, "no_open_checkpoint_of_that_name")?;
                continue;
            }
            Joined::Several(ids) => {
                let raw = format!("{name}: {}", ids.join(", "));
                out.reject_row(cells.row, "Model", &raw, "several_checkpoints_of_that_name")?;
                continue;
            }
        };
        let positive = |column| Ok::<_, Error>(cells.float(column)?.filter(|&count: &f64| count > 0.0));
        let (flop, parameters) = (positive(columns.flop)?, positive(columns.parameters)?);
        let counted = positive(columns.tokens)?;
        let tokens = counted.filter(|&tokens| are_tokens(tokens, parameters, flop));
        if let (Some(counted), None) = (counted, tokens) {
            out.reject_field(cells.row, "tokens", &counted.to_string(), "too_few_to_be_tokens")?;
        }
        let day = cells.text(columns.day)?.and_then(calendar::day);
        if tokens.is_none() && flop.is_none() && day.is_none() {
            out.reject_row(cells.row, "tokens", name, "no_tokens")?;
            continue;
        }
        out.observe(
            cells.row,
            Observed {
                id,
                training_tokens: tokens.map(|count| count.round() as i64),
                training_flop: flop,
                confidence: cells.text(columns.confidence)?.map(str::to_owned),
                released: day,
                ..Observed::default()
            },
        )?;
    }
    Ok(())
}

/// Whether a count is of tokens: large enough, and not too small for the operations.
fn are_tokens(count: f64, parameters: Option<f64>, flop: Option<f64>) -> bool {
    let fits = match (parameters, flop) {
        (Some(parameters), Some(flop)) => flop <= MORE * PER_TOKEN * parameters * count,
        _ => true,
    };
    count >= FEWEST && fits
}

#[cfg(test)]
mod tests {
    use super::are_tokens;

    #[test]
    fn a_count_of_words_or_examples_is_none_of_tokens() {
        // Llama 2 7B: 2e12 tokens, 8.4e22 operations.
        assert!(are_tokens(2e12, Some(7e9), Some(8.4e22)));
        // A mixture needs fewer operations than its total parameters suggest.
        assert!(are_tokens(1.48e13, Some(6.71e11), Some(3.4e24)));
        // The same model with a count of documents.
        assert!(!are_tokens(1e10, Some(7e9), Some(8.4e22)));
        assert!(!are_tokens(4.7e6, None, None));
    }
}
