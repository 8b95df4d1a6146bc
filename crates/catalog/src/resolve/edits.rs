//! What a name says about layers and widths: that they were edited, or how many layers there are.
//!
//! Layers that were stacked, dropped or pruned make a structure other than the base's, whatever else the name says.
//! Such a name inherits nothing from an unedited one; it is resolved from what it states or not at all.

/// Prefixes of words that indicate edited layers or widths.
const STARTS: [&str; 17] = [
    "random",
    "dummy",
    "draft",
    "eagle",
    "dflash",
    "prun",
    "franken",
    "passthrough",
    "upscal",
    "depth",
    "minitron",
    "selfmerge",
    "stacked",
    "brainstorm",
    "shear",
    "expan",
    "duplicat",
];
/// Whole words that indicate the same.
const WORDS: [&str; 5] = ["width", "dus", "shortened", "deeper", "halved"];
/// Plausible numbers of layers in a name.
const LAYERS: std::ops::RangeInclusive<i64> = 4..=256;

/// The words of a name without its organisation: runs of letters, in lower case.
fn letters(id: &str) -> Vec<String> {
    let name = id.rsplit('/').next().unwrap_or(id).to_ascii_lowercase();
    name.split(|letter: char| !letter.is_ascii_alphabetic())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Whether a name indicates that layers or widths were edited.
pub(crate) fn edited(id: &str) -> bool {
    let words = letters(id);
    let says =
        |word: &String| STARTS.iter().any(|start| word.starts_with(start)) || WORDS.contains(&word.as_str());
    words.iter().any(says)
        || words
            .windows(2)
            .any(|two| two[0] == "self" && two[1].starts_with("merge"))
}

/// Words in names that rank a checkpoint by size within its series.
const SCALES: [&str; 14] = [
    "tiny", "mini", "nano", "micro", "xsmall", "small", "medium", "large", "xlarge", "xl", "xxl", "distil",
    "toy", "huge",
];

/// The words in a name that rank it by size within its series: `gpt2-medium` is not `gpt2`.
pub(crate) fn scales(id: &str) -> Vec<String> {
    let mut words = letters(id);
    words.retain(|word| SCALES.contains(&word.as_str()));
    words
}

/// Number of layers that a name states: `24layers`, `24-layer`, `24L`.
pub(crate) fn layers(id: &str) -> Option<i64> {
    let name = id.rsplit('/').next().unwrap_or(id).to_ascii_lowercase();
    let bytes = name.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        while at < bytes.len() && bytes[at].is_ascii_digit() {
            at += 1;
        }
        if at == start {
            at += 1;
            continue;
        }
        let before = start.checked_sub(1).map(|before| bytes[before]);
        let apart = before.is_none_or(|byte| !byte.is_ascii_alphanumeric() && byte != b'.');
        let rest = &name[at..];
        let word = rest.strip_prefix(['-', '_']).unwrap_or(rest);
        let ends = |rest: &str| !rest.starts_with(|letter: char| letter.is_ascii_alphanumeric());
        let spelled = word
            .strip_prefix("layers")
            .or_else(|| word.strip_prefix("layer"))
            .is_some_and(ends);
        let short = rest.strip_prefix('l').is_some_and(ends);
        if let Ok(count) = name[start..at].parse()
            && apart
            && (spelled || short)
            && LAYERS.contains(&count)
        {
            return Some(count);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_of_layers_and_widths_are_told_by_their_words() {
        for id in [
            "x/Tiger-3-Minitron-4B-Width-Base",
            "x/Tiger-12B-Depth",
            "x/FrankenTiger-11b",
            "x/tiger-pruned-6B",
            "x/tiger-passthrough-10b",
            "x/Tiger-8B-self-merge-12B",
            "x/Tiger-UpScaled-10.7B",
        ] {
            assert!(edited(id), "{id}");
        }
        for id in ["x/Tiger-7B-Instruct", "pruned/Tiger-7B", "x/Tiger-Model_Stock-8B"] {
            assert!(!edited(id), "{id}");
        }
    }

    #[test]
    fn words_of_scale_are_told() {
        assert_eq!(scales("x/rutiger_medium_based_on_tiger2"), ["medium"]);
        assert_eq!(scales("x/TinyTiger-1.1B-instruct"), Vec::<String>::new());
    }

    #[test]
    fn layers_are_read_where_they_are_stated() {
        assert_eq!(layers("x/Tiger-24layers"), Some(24));
        assert_eq!(layers("x/tiger-7b-40-layer-v2"), Some(40));
        assert_eq!(layers("x/tiger-22L-v1"), Some(22));
        for id in [
            "x/L3-8B",
            "x/tiger-3l",
            "x/tiger-7b-lora",
            "x/v1.24L",
            "24layers/tiger",
        ] {
            assert_eq!(layers(id), None, "{id}");
        }
    }
}
