//! Reads runs whose structure was changed on purpose, one score per row, in this project's own columns: published
//! results that are compiled in, and files of the user's own.

use crate::error::Error;
use crate::observed::Out;
use crate::sources::table::Table;
use crate::tables::Intervention;

/// Name of this kind of source.
pub(crate) const NAME: &str = "interventions";

/// Scores printed in works that pruned or reshaped a network and trained the remainder.
const PUBLISHED: &str = include_str!("surgery.csv");

/// Columns that identify such a table.
const NEEDED: [&str; 6] = ["suite", "pair_or_run", "id", "dimension", "benchmark", "score"];

/// Whether a table is of this kind, by its header.
pub(crate) fn recognises(table: &Table) -> bool {
    NEEDED.iter().all(|name| table.find(name).is_some())
}

/// Reads the table into `out`.
pub(crate) fn read(table: &mut Table, out: &mut Out<'_>) -> Result<(), Error> {
    let [suite, pair, id, dimension, benchmark] = {
        let mut places = [0; 5];
        for (place, name) in places
            .iter_mut()
            .zip(["suite", "pair_or_run", "id", "dimension", "benchmark"])
        {
            *place = table.need(&[name])?;
        }
        places
    };
    let at = |name: &str| table.find(name);
    let [source, licence, held_fixed, ability, flops, score, stderr] = [
        "source",
        "licence",
        "held_fixed",
        "ability",
        "flops_token",
        "score",
        "stderr",
    ]
    .map(at);
    let counts = [
        "n_body",
        "n_embedding",
        "layers",
        "d_model",
        "d_ffn",
        "heads",
        "kv_heads",
        "experts",
        "tokens",
        "step",
    ]
    .map(at);
    let file = table.file.clone();
    while let Some(cells) = table.next()? {
        let word = |place: usize| {
            cells
                .text(Some(place))
                .map(|text| text.unwrap_or_default().to_owned())
        };
        let mut row = Intervention {
            suite: word(suite)?,
            pair_or_run: word(pair)?,
            id: word(id)?,
            dimension: word(dimension)?,
            benchmark: word(benchmark)?,
            source: cells.text(source)?.unwrap_or(&file).to_owned(),
            licence: cells.text(licence)?.map(str::to_owned),
            held_fixed: cells.text(held_fixed)?.unwrap_or_default().to_owned(),
            ability: cells.text(ability)?.unwrap_or_default().to_owned(),
            flops_token: cells.float(flops)?,
            stderr: cells.float(stderr)?,
            ..Intervention::default()
        };
        for (place, field) in counts.into_iter().zip([
            &mut row.n_body,
            &mut row.n_embedding,
            &mut row.layers,
            &mut row.d_model,
            &mut row.d_ffn,
            &mut row.heads,
            &mut row.kv_heads,
            &mut row.experts,
            &mut row.tokens,
            &mut row.step,
        ]) {
            *field = cells.int(place)?;
        }
        let read = cells.float(score)?;
        match read {
            Some(points) if (0.0..=100.0).contains(&points) => {
                row.score = Some(points);
                out.intervention(cells.row, row)?;
            }
            _ => {
                let raw = cells.text(score)?.unwrap_or_default().to_owned();
                out.reject_row(cells.row, "score", &raw, "score_in_points")?;
            }
        }
    }
    Ok(())
}

/// The published results that are compiled in.
///
/// # Errors
/// The reader's errors where the compiled-in table is damaged, which the tests rule out.
pub(crate) fn published() -> Result<Vec<Intervention>, Error> {
    let file = "surgery.csv";
    let mut table = Table::of_text(PUBLISHED, file)?;
    let mut rows = Vec::new();
    let mut sink = |fact| {
        if let crate::observed::Fact::Intervention(row) = fact {
            rows.push(*row);
        }
        Ok(())
    };
    read(&mut table, &mut Out::new(file, &mut sink))?;
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_facts_are_pairs_with_their_source() {
        let rows = published().expect("read");
        assert!(!rows.is_empty());
        for row in &rows {
            assert!(row.score.is_some(), "{row:?}");
            let has_a_place = ["arXiv", "github.com/"]
                .iter()
                .any(|place| row.source.contains(place));
            assert!(has_a_place, "{row:?}");
            let sides = rows
                .iter()
                .filter(|other| other.pair_or_run == row.pair_or_run && other.benchmark == row.benchmark);
            assert_eq!(sides.count(), 2, "{} {}", row.pair_or_run, row.benchmark);
        }
        let gsm8k = |id: &str| {
            let found = rows
                .iter()
                .find(|row| row.id == id && row.benchmark == "gsm8k" && row.held_fixed == "params_total");
            found.and_then(|row| row.score).expect("printed")
        };
        let lost = gsm8k("nvidia/Llama-3.1-Minitron-4B-Depth-Base")
            - gsm8k("nvidia/Llama-3.1-Minitron-4B-Width-Base");
        assert!((lost + 24.4).abs() < 1e-9);
    }
}
