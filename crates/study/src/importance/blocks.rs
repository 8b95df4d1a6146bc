//! Blocks of correlated columns: these observations cannot tell which column of a block is the most important.

use super::clusters::dendrogram;
use crate::design::Design;
use crate::error::Error;
use crate::finding::{Finding, SourceOf};
use crate::groups::Groups;
use crate::statistics::means_of_groups;

/// Two blocks are merged if the rank correlations of their columns have a mean absolute value of at least this.
pub(crate) const ALIKE: f64 = 0.7;

/// Column indices of each block, in column order: average-linkage clustering with distance 1 − |Spearman's ρ| of shape
/// means, cut at 1 − [`ALIKE`].
fn blocks(design: &Design, shape: &Groups) -> Result<Vec<Vec<usize>>, Error> {
    let columns = design
        .columns()
        .iter()
        .map(|column| means_of_groups(column, shape))
        .collect();
    let once = Design::new(design.names().to_vec(), columns)?;
    Ok(dendrogram(&once)?.groups(1.0 - ALIKE))
}

/// Names, columns and shapes for which blocks are formed.
pub(crate) struct OfBlocks<'a> {
    pub(crate) set: &'a str,
    pub(crate) target: &'a str,
    pub(crate) design: &'a Design,
    pub(crate) shape: &'a Groups,
    pub(crate) source: &'a SourceOf,
}

/// Findings: the number of blocks, and the share of bootstrap draws of shapes (`drawn`: `(n_draws, n_features)`) in
/// which each block has most of the importance.
///
/// # Errors
/// [`Error::NoRows`] if there are no rows.
pub(crate) fn findings(of: &OfBlocks<'_>, drawn: &[Vec<f64>]) -> Result<Vec<Finding>, Error> {
    let (names, shapes) = (of.design.names(), of.shape.n_groups());
    let blocks = blocks(of.design, of.shape)?;
    let told = in_words(&blocks, names);
    let id = |kind: &str| format!("importance.{kind}.{}.{}", of.set, of.target);
    let mut all = vec![
        Finding::new(
            id("blocks"),
            format!(
                "Into how many blocks of columns that move together do those that explain {} fall?",
                of.target
            ),
            of.source,
        )
        .with_value(
            blocks.len() as f64,
            "blocks",
            shapes,
            &format!("average linkage on ranks over shapes, together from a correlation of {ALIKE} on"),
        )
        .with_protocol("one_row_per_shape", names)
        .with_note(match &told {
            Some(told) => format!("together: {told}"),
            None => "each column stands alone".into(),
        }),
    ];
    if blocks.len() > 1 && !drawn.is_empty() && told.is_some() {
        let of_blocks = |shares: &Vec<f64>| -> Vec<f64> {
            let sum = |block: &Vec<usize>| block.iter().map(|&place| shares[place]).sum();
            blocks.iter().map(sum).collect()
        };
        let leads: Vec<Option<usize>> = drawn.iter().map(|shares| first(&of_blocks(shares))).collect();
        for (place, block) in blocks.iter().enumerate() {
            let own: Vec<&str> = block.iter().map(|&place| names[place].as_str()).collect();
            let n = leads.iter().filter(|lead| **lead == Some(place)).count();
            let asked = format!(
                "In which share of draws of shapes does the block of {} have most of the importance for {}?",
                own.join(", "),
                of.target
            );
            let method = format!(
                "impurity decrease, {} draws of {shapes} shapes with replacement",
                drawn.len()
            );
            all.push(
                Finding::new(
                    format!("{}.{}", id("block_first_share"), own.join("_and_")),
                    asked,
                    of.source,
                )
                .with_value(
                    n as f64 / drawn.len() as f64,
                    "fraction",
                    of.design.n_rows(),
                    &method,
                )
                .with_protocol("all_rows", names),
            );
        }
    }
    Ok(all)
}

/// Index of the largest share; `None` on a tie or where none is above 0.
pub(crate) fn first(shares: &[f64]) -> Option<usize> {
    let place = (0..shares.len()).max_by(|&a, &b| shares[a].total_cmp(&shares[b]))?;
    let holders = shares.iter().filter(|share| **share == shares[place]).count();
    (shares[place] > 0.0 && holders == 1).then_some(place)
}

/// Blocks of more than one column as text: `layers, d_model, heads; d_ffn, size`; `None` where there is no such block.
fn in_words(blocks: &[Vec<usize>], names: &[String]) -> Option<String> {
    let together = blocks.iter().filter(|block| block.len() > 1);
    let told: Vec<String> = together
        .map(|block| {
            block
                .iter()
                .map(|&place| names[place].as_str())
                .collect::<Vec<_>>()
                .join(", ")
        })
        .collect();
    (!told.is_empty()).then(|| told.join("; "))
}

#[cfg(test)]
mod tests {
    use super::{OfBlocks, blocks, findings, in_words};
    use crate::design::Design;
    use crate::error::Error;
    use crate::finding::SourceOf;
    use crate::groups::Groups;

    #[test]
    fn columns_that_rise_together_are_one_block() -> Result<(), Error> {
        let names = ["layers", "width", "noise", "falling"].map(String::from).to_vec();
        let x: Vec<f64> = (0..12).map(f64::from).collect();
        let columns = vec![
            x.clone(),
            x.iter().map(|x| x * x).collect(),
            x.iter().map(|x| (x * 7.0) % 12.0).collect(),
            x.iter().map(|x| -x).collect(),
        ];
        let labels: Vec<usize> = (0..12).collect();
        let design = Design::new(names.clone(), columns)?;
        let found = blocks(&design, &Groups::from_labels(&labels))?;
        assert_eq!(found, vec![vec![0, 1, 3], vec![2]]);
        assert_eq!(
            in_words(&found, &names).as_deref(),
            Some("layers, width, falling")
        );
        assert_eq!(in_words(&[vec![0], vec![1]], &names), None);
        // Each of the three is below `noise`, but their sum is above it in two of four draws.
        let drawn = [
            vec![0.2, 0.2, 0.4, 0.2],
            vec![0.2, 0.1, 0.45, 0.25],
            vec![0.1, 0.1, 0.7, 0.1],
            vec![0.0, 0.2, 0.8, 0.0],
        ];
        let source = SourceOf {
            work: "test".into(),
            place: "rows".into(),
        };
        let told = findings(
            &OfBlocks {
                set: "core",
                target: "arc",
                design: &design,
                shape: &Groups::from_labels(&labels),
                source: &source,
            },
            &drawn,
        )?;
        let value = |id: &str| told.iter().find(|one| one.id == id).and_then(|one| one.value);
        assert_eq!(value("importance.blocks.core.arc"), Some(2.0));
        let share = |block: &str| value(&format!("importance.block_first_share.core.arc.{block}"));
        assert_eq!(
            (share("layers_and_width_and_falling"), share("noise")),
            (Some(0.5), Some(0.5))
        );
        Ok(())
    }
}
