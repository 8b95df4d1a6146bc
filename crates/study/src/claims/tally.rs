//! How many claims were reproduced: the one count that report, dashboard and command line print.
//!
//! "Reproduced" has one total: the ledger's claims as the works made them. The stricter reading is counted apart, and
//! figures that a work printed and that stand beside a finding of ours "agree"; some of them are claims as well, so
//! the two are never added.

use crate::finding::{Finding, Verdict};

/// How many have each verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    counts: [usize; 4],
    /// Of the reproduced, and of all: cells of tables of the works' own rows, which say nothing of abilities.
    cells: [usize; 2],
}

impl Tally {
    fn of<'a>(findings: impl IntoIterator<Item = &'a Finding>, counts: impl Fn(&str) -> bool) -> Self {
        let mut tally = Self {
            counts: [0; 4],
            cells: [0; 2],
        };
        let counted = findings.into_iter().filter(|finding| counts(&finding.id));
        for finding in counted {
            let Some(verdict) = finding.verdict else { continue };
            if let Some(place) = Verdict::ALL.iter().position(|known| *known == verdict) {
                tally.counts[place] += 1;
            }
            if is_cell(&finding.id) {
                tally.cells[0] += usize::from(verdict == Verdict::Reproduced);
                tally.cells[1] += 1;
            }
        }
        tally
    }

    /// Claims of the ledger as the works made them.
    pub fn claims<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Self {
        Self::of(findings, |id| is_claim(id) && !id.ends_with(".strict"))
    }

    /// The same without cells of tables of the works' own rows: what is claimed of abilities and of how they are predicted.
    pub fn of_abilities<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Self {
        Self::of(findings, |id| {
            is_claim(id) && !id.ends_with(".strict") && !is_cell(id)
        })
    }

    /// The same claims under the stricter reading.
    pub fn stricter<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Self {
        Self::of(findings, |id| is_claim(id) && id.ends_with(".strict"))
    }

    /// Figures that a work printed, beside findings outside the ledger.
    pub fn printed<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Self {
        Self::of(findings, |id| !is_claim(id))
    }

    /// How many have this verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        let place = Verdict::ALL.iter().position(|known| *known == verdict);
        place.map_or(0, |place| self.counts[place])
    }

    /// How many there are.
    pub fn total(&self) -> usize {
        self.counts.iter().sum()
    }

    /// Of the claims, in a sentence; none where there is no ledger.
    pub fn in_words(&self) -> Option<String> {
        (self.total() > 0).then(|| {
            let [same, cells] = self.cells;
            let apart = if cells > 0 {
                format!(
                    " {cells} of them are cells of tables of the works' own rows, {same} of these agree: they say nothing of \
                     abilities."
                )
            } else {
                String::new()
            };
            format!(
                "Of {} claims, read as the works made them, {}.{apart}",
                self.total(),
                self.counts()
            )
        })
    }

    /// The counts alone.
    pub fn counts(&self) -> String {
        let [same, other, open, none] = self.counts;
        format!(
            "{same} agree, {other} are contradicted, {open} are not excluded (intervals or resamples leave both outcomes \
             open) and {none} are untestable on these data"
        )
    }

    /// Of printed figures, in a sentence; none where there are none.
    pub fn printed_in_words(&self) -> Option<String> {
        let [same, other, open, none] = self.counts;
        (self.total() > 0).then(|| {
            format!(
                "Of {} printed figures recomputed, {same} agree within their tolerance, {other} do not, {open} lie inside \
                 our interval only and {none} cannot be recomputed on these data.",
                self.total()
            )
        })
    }
}

/// Start of the ids of claims that are cells of such tables.
const CELLS: &str = "claims.dataset.";

/// Whether a claim of that id is a cell of a table of a work's own rows.
pub fn is_cell(id: &str) -> bool {
    id.starts_with(CELLS)
}

/// Whether a finding of that id is of the ledger.
pub fn is_claim(id: &str) -> bool {
    id.starts_with("claims.")
}
