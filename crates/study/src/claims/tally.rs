//! Counts of verdicts, used alike by report, dashboard and command line.
//!
//! "Reproduced" has one total: the claims of the ledger in the works' own reading. The stricter reading is counted
//! separately. Printed numbers that are compared with findings outside the ledger "agree"; some of them are also
//! claims, so the two counts are never added.

use crate::finding::{Finding, Verdict};

/// Number of claims by verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    counts: [usize; 4],
    /// Entries of tables on the works' own rows, which say nothing about abilities: number reproduced, and number in
    /// all.
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

    /// Claims of the ledger in the works' own reading.
    pub fn claims<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Self {
        Self::of(findings, |id| is_claim(id) && !id.ends_with(".strict"))
    }

    /// The same without entries of tables on the works' own rows: claims on abilities and their prediction.
    pub fn of_abilities<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Self {
        Self::of(findings, |id| {
            is_claim(id) && !id.ends_with(".strict") && !is_cell(id)
        })
    }

    /// The same claims in the stricter reading.
    pub fn stricter<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Self {
        Self::of(findings, |id| is_claim(id) && id.ends_with(".strict"))
    }

    /// Printed numbers that are compared with findings outside the ledger.
    pub fn printed<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Self {
        Self::of(findings, |id| !is_claim(id))
    }

    /// Number with this verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        let place = Verdict::ALL.iter().position(|known| *known == verdict);
        place.map_or(0, |place| self.counts[place])
    }

    /// Number in all.
    pub fn total(&self) -> usize {
        self.counts.iter().sum()
    }

    /// A sentence on the claims; `None` without a ledger.
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

    /// The counts as text.
    pub fn counts(&self) -> String {
        let [same, other, open, none] = self.counts;
        format!(
            "{same} agree, {other} are contradicted, {open} are not excluded (intervals or resamples leave both outcomes \
             open) and {none} are untestable on these data"
        )
    }

    /// A sentence on printed numbers; `None` where there are none.
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

/// Prefix of the ids of claims that are entries of such tables.
const CELLS: &str = "claims.dataset.";

/// Whether the claim of this id is an entry of a table on a work's own rows.
pub fn is_cell(id: &str) -> bool {
    id.starts_with(CELLS)
}

/// Whether the finding of this id belongs to the ledger.
pub fn is_claim(id: &str) -> bool {
    id.starts_with("claims.")
}
