//! Sections of the study on only those evaluations that a visitor chooses by family and size: what
//! `anatomy study dimensions|trends|correlations --where` prints.

use anyhow::Result;
use catalog::Catalog;
use indicatif::ProgressBar;
use study::section::Section;

use super::params::Params;
use super::problem::Problem;
use super::study::Plan;
use crate::narrow::narrowed;
use crate::report::{self, Context, PartChoice};

/// Names that [`NarrowedRows::read`] knows.
pub(crate) const NAMES: [&str; 3] = ["architecture", "min_size", "max_size"];

/// Parts of the study that take seconds; the others are computed once, on all rows.
const PARTS: [&str; 3] = ["dimensions", "trends", "correlations"];

/// Evaluations of one family, between two sizes in billions of parameters; each where given.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NarrowedRows {
    architecture: Option<String>,
    least: Option<f64>,
    most: Option<f64>,
}

impl NarrowedRows {
    /// Reads a query string; `None` where it asks for all rows.
    pub(crate) fn read(params: &Params) -> Result<Option<Self>, Problem> {
        let rows = Self {
            architecture: params.one("architecture")?.map(str::to_owned),
            least: params.number("min_size")?,
            most: params.number("max_size")?,
        };
        let is_all = rows.architecture.is_none() && rows.least.is_none() && rows.most.is_none();
        Ok((!is_all).then_some(rows))
    }

    /// SQL over `observations`.
    pub(crate) fn condition(&self) -> String {
        let name = self.architecture.as_ref();
        let name = name.map(|name| format!("architecture = '{}'", name.replace('\'', "''")));
        let least = self.least.map(|size| format!("size >= {size:?}"));
        let most = self.most.map(|size| format!("size <= {size:?}"));
        let all: Vec<String> = [name, least, most].into_iter().flatten().collect();
        all.join(" and ")
    }

    /// The query string that [`NarrowedRows::read`] reads.
    pub(crate) fn link(&self) -> String {
        let number = |value: Option<f64>| value.map(|value| value.to_string());
        let values = [self.architecture.clone(), number(self.least), number(self.most)];
        let pairs = NAMES.iter().zip(values);
        let pairs = pairs.filter_map(|(name, value)| Some(((*name).to_owned(), value?)));
        Params::form(pairs.collect()).link(&[], &[])
    }
}

/// The part that a section is of, where it is quick enough for a visitor's rows.
pub(crate) fn part(section: &str) -> Option<&'static str> {
    report::part_of(section).filter(|part| PARTS.contains(part))
}

/// The command that prints the same.
pub(crate) fn command(part: &str, rows: &NarrowedRows) -> String {
    format!("anatomy study {part} --where \"{}\"", rows.condition())
}

/// The sections of a part on those rows.
///
/// # Errors
/// Rows that are none, or too few for the part.
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
