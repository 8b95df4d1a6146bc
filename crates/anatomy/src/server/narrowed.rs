//! Recomputes sections of the study on evaluations that a visitor selects by family and size, like
//! `anatomy study dimensions|trends|correlations --where`.

use anyhow::Result;
use catalog::Catalog;
use indicatif::ProgressBar;
use study::section::Section;

use super::params::Params;
use super::problem::Problem;
use super::study::Plan;
use crate::narrow::narrowed;
use crate::report::{self, Context, PartChoice};

/// Parameters of [`NarrowedRows::read`].
pub(crate) const NAMES: [&str; 3] = ["architecture", "min_size", "max_size"];

/// Parts of the study that take only seconds; the others are available on all rows only.
const PARTS: [&str; 3] = ["dimensions", "trends", "correlations"];

/// Selects evaluations by family and by size in billions of parameters (inclusive limits), each where given.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NarrowedRows {
    architecture: Option<String>,
    least: Option<f64>,
    most: Option<f64>,
}

impl NarrowedRows {
    /// Parses the query parameters; `None` where they select all rows.
    pub(crate) fn read(params: &Params) -> Result<Option<Self>, Problem> {
        let rows = Self {
            architecture: params.one("architecture")?.map(str::to_owned),
            least: params.number("min_size")?,
            most: params.number("max_size")?,
        };
        let is_all = rows.architecture.is_none() && rows.least.is_none() && rows.most.is_none();
        Ok((!is_all).then_some(rows))
    }

    /// The selection as an SQL condition over `observations`.
    pub(crate) fn condition(&self) -> String {
        let name = self.architecture.as_ref();
        let name = name.map(|name| format!("architecture = '{}'", name.replace('\'', "''")));
        let least = self.least.map(|size| format!("size >= {size:?}"));
        let most = self.most.map(|size| format!("size <= {size:?}"));
        let all: Vec<String> = [name, least, most].into_iter().flatten().collect();
        all.join(" and ")
    }

    /// The query string that [`NarrowedRows::read`] parses.
    pub(crate) fn link(&self) -> String {
        let number = |value: Option<f64>| value.map(|value| value.to_string());
        let values = [self.architecture.clone(), number(self.least), number(self.most)];
        let pairs = NAMES.iter().zip(values);
        let pairs = pairs.filter_map(|(name, value)| Some(((*name).to_owned(), value?)));
        Params::form(pairs.collect()).link(&[], &[])
    }
}

/// The part that computes a section; `None` where it is too slow for a visitor's selection.
pub(crate) fn part(section: &str) -> Option<&'static str> {
    report::part_of(section).filter(|part| PARTS.contains(part))
}

/// The command that prints the same sections.
pub(crate) fn command(part: &str, rows: &NarrowedRows) -> String {
    format!("anatomy study {part} --where \"{}\"", rows.condition())
}

/// Computes the sections of a part on the selected rows.
///
/// # Errors
/// No row is selected, or too few for the part.
pub(crate) fn compute(
    catalog: &Catalog,
    plan: &Plan,
    part: &str,
    rows: &NarrowedRows,
) -> Result<Vec<Section>> {
    let condition = rows.condition();
    let catalog = narrowed(catalog, plan.dir.as_deref(), &condition)?;
    let bar = ProgressBar::hidden();
    let context = Context {
        catalog: &catalog,
        dir: plan.dir.as_deref(),
        resamples: plan.resamples,
        seed: plan.seed,
        board: None,
        probes: None,
        bar: &bar,
    };
    Ok(report::study(&context, &PartChoice::of(part)?, Some(&condition))?.sections)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_is_text_of_ours_whatever_the_visitor_writes() {
        let pairs = |pairs: &[(&str, &str)]| {
            let pairs = pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned()));
            NarrowedRows::read(&Params::form(pairs.collect()))
        };
        assert_eq!(pairs(&[]).expect("empty"), None);
        let hostile = pairs(&[("architecture", "x' or 1=1 --"), ("min_size", "1e3")]);
        let hostile = hostile.expect("read").expect("rows");
        assert_eq!(
            hostile.condition(),
            "architecture = 'x'' or 1=1 --' and size >= 1000.0"
        );
        assert!(pairs(&[("max_size", "1 or 1=1")]).is_err());
        let again: Vec<(String, String)> = hostile
            .link()
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.replace("%27", "'").replace("%20", " ")))
            .map(|(name, value)| (name, value.replace("%3D", "=")))
            .collect();
        assert_eq!(
            NarrowedRows::read(&Params::form(again)).expect("read"),
            Some(hostile)
        );
        assert_eq!(part("scale"), Some("dimensions"));
        assert_eq!(part("regression"), None);
    }
}
