//! Notes in the ledger about sections that it depends on but that are not shown or could not be computed.

/// Note that sections which are not shown were computed for the ledger; `None` where there are none.
pub(super) fn beside(hidden: &[&str]) -> Option<String> {
    (!hidden.is_empty()).then(|| {
        format!(
            "claims are judged on the findings of every section: the {} not asked for are computed too and not shown ({}); verdicts \
             are those of the whole report",
            hidden.len(),
            hidden.join(", ")
        )
    })
}

/// Note on sections that could not be computed, with the board that lacks rows, and the effect on verdicts.
pub(super) fn without(lacking: &[(&str, &[&str])]) -> Option<String> {
    let each: Vec<String> = lacking
        .iter()
        .map(|(board, sections)| {
            format!(
                "{} (no evaluation of {board} is left to compute them from)",
                sections.join(", ")
            )
        })
        .collect();
    (!each.is_empty()).then(|| {
        format!(
            "judged without {}: claims that rest on them are untestable here",
            each.join(" and ")
        )
    })
}

/// Turns a note into a sentence: initial capital and full stop.
pub(super) fn sentence(note: &str) -> String {
    let mut letters = note.chars();
    letters.next().map_or_else(String::new, |first| {
        format!("{}{}.", first.to_uppercase(), letters.as_str())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::PartChoice;

    #[test]
    fn a_ledger_beside_few_sections_says_what_it_rests_on() {
        let said = |names: &str| PartChoice::of(names).expect("known").beside_the_ledger();
        let note = said("scale,claims").expect("a note");
        assert!(
            note.contains("every section") && note.contains("attribution") && !note.contains("scale,"),
            "{note}"
        );
        assert_eq!(said("scale"), None);
        assert_eq!(PartChoice::all().beside_the_ledger(), None);
        let note = without(&[("board-a", &["scale", "merging"])]).expect("a note");
        assert!(
            note.contains("scale, merging (no evaluation of board-a") && note.contains("untestable"),
            "{note}"
        );
        assert_eq!(without(&[]), None);
        assert_eq!(sentence("judged so"), "Judged so.");
    }
}
