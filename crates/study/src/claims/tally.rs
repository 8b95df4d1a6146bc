//! How many claims were reproduced: the one count that report, dashboard and command line print.
//!
//! "Reproduced" has one total: the ledger's claims as the works made them. The stricter reading is counted apart, and
//! figures that a work printed and that stand beside a finding of ours "agree"; some of them are claims as well, so
//! the two are never added.

use crate::finding::{Finding, Verdict};

/// How many have each verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally([usize; 4]);

impl Tally {
    fn of<'a>(findings: impl IntoIterator<Item = &'a Finding>, counts: impl Fn(&str) -> bool) -> Self {
        let mut tally = Self([0; 4]);
        let counted = findings.into_iter().filter(|finding| counts(&finding.id));
        for verdict in counted.filter_map(|finding| finding.verdict) {
            if let Some(place) = Verdict::ALL.iter().position(|known| *known == verdict) {
                tally.0[place] += 1;
            }
        }
        tally
    }

    /// Claims of the ledger as the works made them.
    pub fn claims<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Self {
        Self::of(findings, |id| is_claim(id) && !id.ends_with(".strict"))
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
        place.map_or(0, |place| self.0[place])
    }

    /// How many there are.
    pub fn total(&self) -> usize {
        self.0.iter().sum()
    }

    /// Of the claims, in a sentence; none where there is no ledger.
    pub fn in_words(&self) -> Option<String> {
        (self.total() > 0).then(|| {
            format!(
                "Of {} claims, read as the works made them, {}.",
                self.total(),
                self.counts()
            )
        })
    }

    /// The counts alone.
    pub fn counts(&self) -> String {
        let [same, other, open, none] = self.0;
        format!(
            "{same} are reproduced, {other} differ, {open} cannot be decided (intervals or resamples leave \
             both outcomes open) and {none} cannot be tested on these data"
        )
    }

    /// Of printed figures, in a sentence; none where there are none.
    pub fn printed_in_words(&self) -> Option<String> {
        let [same, other, open, none] = self.0;
        (self.total() > 0).then(|| {
            format!(
                "Of {} printed figures recomputed, {same} agree within their tolerance, {other} do not, {open} lie inside \
                 our interval only and {none} cannot be recomputed on these data.",
                self.total()
            )
        })
    }
}

/// Whether a finding of that id is of the ledger.
pub fn is_claim(id: &str) -> bool {
    id.starts_with("claims.")
}
