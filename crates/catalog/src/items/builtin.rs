//! Built-in answers: MMLU-Pro's 12,032 items as answered by 29 checkpoints, one byte per answer, compressed.
//!
//! Made from `mmlu-pro-items/responses.csv.gz` by [`pack`]; a test repeats this. Where checkpoints were scored by
//! different keys (33 items of the test were corrected between runs), the answers of the minority are left out, since
//! they are to another item. An answer that could not be extracted from the text counts as wrong, as in the source;
//! MMLU-Pro's own table guesses for those, so its scores are 1 to 2 points higher.

#[cfg(any(feature = "sql", test))]
use std::io::Read;

#[cfg(any(feature = "sql", test))]
use crate::error::Error;
#[cfg(any(feature = "sql", test))]
use crate::items::ItemRow;

/// Name by which `--items` refers to these answers.
pub const BUILTIN: &str = "builtin";
/// The benchmark.
pub const BENCHMARK: &str = "mmlu_pro";
/// Attribution, licence, address and revision of the source.
pub const CREDIT: (&str, &str, &str, &str) = (
    "MMLU-Pro (TIGER-AI-Lab), eval_results",
    "Apache-2.0",
    "https://github.com/TIGER-AI-Lab/MMLU-Pro",
    "f418b116",
);
/// The compressed file.
#[cfg(any(feature = "sql", test))]
pub(crate) static PACKED: &[u8] = include_bytes!("../../answers/mmlu_pro.zst");
/// Greatest size in bytes after decompression.
#[cfg(any(feature = "sql", test))]
const LONGEST: u64 = 4 << 20;

/// Codes: the answer was right, no answer was given, the item was not asked. Codes below 10: the index of a wrong
/// choice.
#[cfg(any(feature = "sql", test))]
const RIGHT: u8 = 11;
#[cfg(any(feature = "sql", test))]
const NONE: u8 = 10;
#[cfg(any(feature = "sql", test))]
const ABSENT: u8 = 15;

/// Names in the file, and the checkpoints they mean by the rules of [`crate::identity`], where exactly one is meant.
#[cfg(test)]
pub(crate) const IDS: [(&str, &str); 24] = [
    ("Llama-2-13b-hf", "meta-llama/Llama-2-13b-hf"),
    ("Llama-2-70b-hf", "meta-llama/Llama-2-70b-hf"),
    ("Llama-2-7b-hf", "meta-llama/Llama-2-7b-hf"),
    ("Meta-Llama-3-70B", "meta-llama/Meta-Llama-3-70B"),
    ("Meta-Llama-3-8B", "meta-llama/Meta-Llama-3-8B"),
    ("Meta-Llama-3_1-70B", "meta-llama/Llama-3.1-70B"),
    ("Meta-Llama-3_1-70B-Instruct", "meta-llama/Llama-3.1-70B-Instruct"),
    ("Meta-Llama-3_1-8B", "meta-llama/Llama-3.1-8B"),
    ("Meta-Llama-3_1-8B-Instruct", "meta-llama/Llama-3.1-8B-Instruct"),
    ("Mistral-7B-Instruct-v0.1", "mistralai/Mistral-7B-Instruct-v0.1"),
    ("Mistral-7B-Instruct-v0.2", "mistralai/Mistral-7B-Instruct-v0.2"),
    ("Mistral-7B-v0.1", "mistralai/Mistral-7B-v0.1"),
    (
        "Mixtral-8x7B-Instruct-v0.1",
        "mistralai/Mixtral-8x7B-Instruct-v0.1",
    ),
    ("Mixtral-8x7B-v0.1", "mistralai/Mixtral-8x7B-v0.1"),
    ("Phi-3-mini-4k-instruct", "microsoft/Phi-3-mini-4k-instruct"),
    ("Qwen1.5-110B", "Qwen/Qwen1.5-110B"),
    ("Qwen1.5-72B-Chat", "Qwen/Qwen1.5-72B-Chat"),
    ("Qwen1.5-7B-Chat", "Qwen/Qwen1.5-7B-Chat"),
    ("Yi-34B", "01-ai/Yi-34B"),
    ("Yi-6B", "01-ai/Yi-6B"),
    ("Yi-6b-Chat", "01-ai/Yi-6B-Chat"),
    ("c4ai-command-r-v01", "CohereForAI/c4ai-command-r-v01"),
    ("gemma-7b", "google/gemma-7b"),
    ("mathstral-7B", "mistralai/mathstral-7B-v0.1"),
];

/// The decompressed table.
#[cfg(any(feature = "sql", test))]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answers {
    ids: Vec<String>,
    /// Index of each item in the benchmark.
    items: Vec<u32>,
    /// Index of the right choice of each item.
    keys: Vec<u8>,
    /// Codes, item after item, one byte per checkpoint.
    cells: Vec<u8>,
}

#[cfg(any(feature = "sql", test))]
impl Answers {
    /// Decompresses the built-in table.
    pub(crate) fn unpack(packed: &[u8]) -> Result<Self, Error> {
        let broken = |what: &str| Error::Shape {
            file: "the answers that come along".to_owned(),
            message: what.to_owned(),
        };
        let mut bytes = Vec::new();
        zstd::stream::read::Decoder::new(packed)
            .and_then(|decoder| decoder.take(LONGEST).read_to_end(&mut bytes))
            .map_err(|error| broken(&error.to_string()))?;
        let end = bytes
            .iter()
            .position(|&byte| byte == b'\n')
            .ok_or_else(|| broken("no first line"))?;
        let (ids, items): (Vec<String>, Vec<u32>) =
            serde_json::from_slice(&bytes[..end]).map_err(|error| broken(&error.to_string()))?;
        let keys: Vec<u8> = bytes[end + 1..].iter().copied().take(items.len()).collect();
        let cells: Vec<u8> = bytes[end + 1 + keys.len()..].to_vec();
        if keys.len() != items.len() || cells.len() != items.len() * ids.len() {
            return Err(broken(
                "other numbers of items and answers than its first line says",
            ));
        }
        Ok(Self {
            ids,
            items,
            keys,
            cells,
        })
    }

    /// The rows of the table, checkpoint after checkpoint.
    pub(crate) fn rows(&self) -> impl Iterator<Item = ItemRow> {
        let letter = |choice: u8| Some(char::from(b'A' + choice).to_string());
        (0..self.ids.len()).flat_map(move |checkpoint| {
            self.items.iter().enumerate().filter_map(move |(at, item)| {
                let cell = self.cells[at * self.ids.len() + checkpoint];
                let is_right = cell == RIGHT;
                (cell != ABSENT).then(|| ItemRow {
                    id: self.ids[checkpoint].clone(),
                    item: item.to_string(),
                    correct: Some(is_right),
                    score: Some(f64::from(u8::from(is_right))),
                    metric: Some("exact_match".to_owned()),
                    loglikelihood: None,
                    prediction: match cell {
                        RIGHT => letter(self.keys[at]),
                        NONE => None,
                        wrong => letter(wrong),
                    },
                })
            })
        })
    }
}

/// Packs a file of answers, and counts the rows that were left out because they were scored by another key.
#[cfg(test)]
pub(crate) fn pack(csv: impl Read) -> Result<(Vec<u8>, usize), Error> {
    use std::collections::{BTreeMap, BTreeSet};
    let broken = |what: &str| Error::Shape {
        file: "responses.csv.gz".to_owned(),
        message: what.to_owned(),
    };
    let mut reader = csv::Reader::from_reader(csv);
    let rows: Vec<(String, u32, u8, u8)> = reader
        .deserialize::<(String, u32, String, String, String, u8)>()
        .map(|row| {
            let (model, item, _, key, given, _) = row.map_err(|error| broken(&error.to_string()))?;
            let choice = |text: &str| text.bytes().next().map_or(NONE, |letter| letter - b'A');
            Ok((model, item, choice(&key), choice(&given)))
        })
        .collect::<Result<_, Error>>()?;
    let mut keys: BTreeMap<u32, BTreeMap<u8, usize>> = BTreeMap::new();
    for &(_, item, key, _) in &rows {
        *keys.entry(item).or_default().entry(key).or_insert(0) += 1;
    }
    let key_of = |item: &u32| {
        let (&key, _) = keys[item]
            .iter()
            .max_by_key(|&(&key, &count)| (count, std::cmp::Reverse(key)))?;
        Some(key)
    };
    let names: BTreeSet<&str> = rows.iter().map(|(model, ..)| model.as_str()).collect();
    let items: Vec<u32> = keys.keys().copied().collect();
    let right: Vec<u8> = items.iter().filter_map(key_of).collect();
    let place: BTreeMap<&str, usize> = names.iter().enumerate().map(|(at, &name)| (name, at)).collect();
    let mut cells = vec![ABSENT; items.len() * names.len()];
    let mut left_out = 0;
    for (model, item, key, given) in &rows {
        let at = items.binary_search(item).expect("every item is listed");
        if right[at] == *key {
            cells[at * names.len() + place[model.as_str()]] = if given == key { RIGHT } else { *given };
        } else {
            left_out += 1;
        }
    }
    let ids: Vec<&str> = names
        .iter()
        .map(|name| {
            IDS.iter()
                .find(|(own, _)| own == name)
                .map_or(*name, |(_, id)| *id)
        })
        .collect();
    let mut bytes = serde_json::to_vec(&(ids, items)).expect("names and numbers serialise");
    bytes.push(b'\n');
    bytes.extend(right);
    bytes.extend(cells);
    let packed =
        zstd::stream::encode_all(bytes.as_slice(), 19).map_err(|error| broken(&error.to_string()))?;
    Ok((packed, left_out))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs::{self, File};
    use std::path::Path;

    use super::*;

    #[expect(clippy::print_stderr, reason = "says why it is skipped")]
    #[test]
    fn the_answers_that_come_along_are_what_their_source_makes() {
        let source = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../../shared/data/mmlu-pro-items/responses.csv.gz");
        if !source.is_file() {
            assert!(
                !std::env::var("ANATOMY_REQUIRE")
                    .unwrap_or_default()
                    .contains("data"),
                "{} is not here",
                source.display()
            );
            eprintln!("skipped: ../shared/data is not here");
            return;
        }
        let file = flate2::read::GzDecoder::new(File::open(&source).expect("it is there"));
        let (packed, left_out) = pack(file).expect("it is a table of answers");
        assert_eq!(left_out, 114, "answers to another key");
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("answers/mmlu_pro.zst");
        if std::env::var("INSTA_UPDATE").is_ok_and(|mode| mode == "always") {
            fs::write(&own, &packed).expect("it can be written");
        }
        let made = Answers::unpack(&packed).expect("it unpacks");
        let compiled = Answers::unpack(&fs::read(&own).expect("it is there")).expect("it unpacks");
        assert_eq!(made, compiled);
    }

    #[test]
    fn shares_of_right_answers_are_those_of_the_source() {
        assert!(PACKED.len() < 150_000, "{} bytes", PACKED.len());
        let answers = Answers::unpack(PACKED).expect("it unpacks");
        let mut counts: BTreeMap<String, (u32, u32)> = BTreeMap::new();
        for row in answers.rows() {
            let count = counts.entry(row.id).or_default();
            count.0 += 1;
            count.1 += u32::from(row.correct == Some(true));
        }
        assert_eq!(counts.len(), 29);
        assert_eq!(counts.values().map(|(all, _)| all).sum::<u32>(), 347_215 - 114);
        // Counted in the source independently: rows and right answers, for rows scored by the majority's key.
        assert_eq!(counts["meta-llama/Llama-2-7b-hf"].0, 12_032);
        let share = |id: &str| 100.0 * f64::from(counts[id].1) / f64::from(counts[id].0);
        for (id, points) in [
            ("meta-llama/Llama-2-7b-hf", 18.34),
            ("Qwen/Qwen1.5-110B", 49.20),
            ("google/gemma-7b", 32.36),
            ("DeepSeek-Coder-V2", 63.63),
        ] {
            assert!((share(id) - points).abs() < 0.05, "{id}: {}", share(id));
        }
    }
}
