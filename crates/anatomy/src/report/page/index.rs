//! Index of all findings for the search on the page.

use anyhow::Result;
use study::section::Section;

use crate::output::number;

/// Ids and titles of the sections, and for each finding its section, id, question, value with interval, and n; as JSON
/// that can be embedded in HTML.
pub(super) fn json(sections: &[Section]) -> Result<String> {
    let names: Vec<[&str; 2]> = sections
        .iter()
        .map(|section| [section.id.as_str(), section.title.as_str()])
        .collect();
    let lines: Vec<(usize, &str, &str, String, usize)> = sections
        .iter()
        .enumerate()
        .flat_map(|(place, section)| section.findings.iter().map(move |finding| (place, finding)))
        .map(|(place, finding)| {
            let value = finding.value.map_or_else(|| "\u{2013}".to_owned(), number);
            let ends = finding.interval.as_ref().filter(|ends| ends.is_bounded());
            let ends = ends.map_or_else(String::new, |ends| {
                format!(" [{}, {}]", number(ends.low), number(ends.high))
            });
            let unit = if finding.unit == "1" {
                String::new()
            } else {
                format!(" {}", finding.unit)
            };
            (
                place,
                finding.id.as_str(),
                finding.question.as_str(),
                format!("{value}{ends}{unit}"),
                finding.n,
            )
        })
        .collect();
    // Escaped so that the text cannot close the enclosing HTML element.
    Ok(serde_json::to_string(&(names, lines))?.replace('<', "\\u003c"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use study::finding::{Finding, SourceOf};

    #[test]
    fn nothing_in_it_ends_the_script_that_it_stands_in() -> Result<()> {
        let source = SourceOf {
            work: "made up".into(),
            place: "rows".into(),
        };
        let finding = Finding::new("a.b", "</script><b>?", &source).with_value(1.5, "points", 3, "mean");
        let section = Section {
            id: "a".into(),
            title: "A".into(),
            findings: vec![finding],
            ..Section::default()
        };
        let text = json(&[section])?;
        assert!(!text.contains('<'), "{text}");
        let read: serde_json::Value = serde_json::from_str(&text)?;
        assert_eq!(read[1][0][2], "</script><b>?");
        assert_eq!(read[1][0][3], "1.500 points");
        Ok(())
    }
}
