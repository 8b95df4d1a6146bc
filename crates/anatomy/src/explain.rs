//! Turns errors into messages with advice for the user.

use std::fmt::Write;

/// Whether the error is a broken pipe: the reader of our output has gone, which is not a failure.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe)
}

/// The error for a feature that this program was built without.
#[cfg(not(all(
    feature = "cuda",
    feature = "hub",
    feature = "images",
    feature = "cluster",
    feature = "mcp"
)))]
pub(crate) fn not_built_in(what: &str, feature: &'static str) -> anyhow::Error {
    catalog::Error::NotBuiltIn {
        what: what.to_owned(),
        feature,
    }
    .into()
}

/// The error with its causes, followed by a blank line and a hint where there is one.
pub(crate) fn explain(error: &anyhow::Error) -> String {
    match parts(error) {
        (text, Some(hint)) => format!("{text}\n\nhint: {hint}"),
        (text, None) => text,
    }
}

/// The error with its causes, and a hint where there is one.
pub(crate) fn parts(error: &anyhow::Error) -> (String, Option<String>) {
    let mut text = error.to_string();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        if !text.contains(&cause) {
            let _ = write!(text, ": {cause}");
        }
    }
    (text, hint(error))
}

fn hint(error: &anyhow::Error) -> Option<String> {
    error.chain().find_map(|cause| {
        if let Some(catalog) = cause.downcast_ref::<catalog::Error>() {
            return catalog_hint(catalog);
        }
        if let Some(unknown) = cause.downcast_ref::<crate::answers::known::UnknownId>() {
            return Some(if unknown.near.is_empty() {
                let finds = if catalog::query::needed().is_ok() {
                    "`anatomy query \"select id from checkpoints where id like '%name%'\"` finds ids"
                } else {
                    "the explorer of the dashboard (`anatomy serve`) finds ids"
                };
                format!(
                    "{finds}; of results of your own, `anatomy catalog build --sources DIR --out MINE` makes a catalog for \
                     `--catalog MINE`, and `compare --items DIR` reads what lm-eval wrote with --log_samples"
                )
            } else {
                format!("did you mean {}?", unknown.near.join(", "))
            });
        }
        #[cfg(feature = "hub")]
        if let Some(hub) = cause.downcast_ref::<crate::hub::error::Error>() {
            return crate::hub::hint::hint(hub).map(str::to_owned);
        }
        #[cfg(feature = "cluster")]
        if let Some(cluster) = cause.downcast_ref::<crate::cluster::error::Error>() {
            return Some(cluster.hint().to_owned());
        }
        let io = cause.downcast_ref::<std::io::Error>()?;
        match io.kind() {
            std::io::ErrorKind::PermissionDenied if error.chain().any(|cause| cause.to_string().starts_with("cannot read")) => {
                Some("you may not read it: change its permissions, or copy it to where you may".into())
            }
            std::io::ErrorKind::PermissionDenied => {
                Some("choose a folder you may write to, with --out".into())
            }
            std::io::ErrorKind::NotFound => {
                Some("check the path; relative paths start at the current folder".into())
            }
            std::io::ErrorKind::StorageFull => {
                Some("free some space; nothing half-written was left behind".into())
            }
            _ => None,
        }
    })
}

/// Suggests SQL that reads the numbers of a column which is text because of some other cells.
fn numbers_of(clash: &catalog::NotNumbers) -> String {
    if clash.read == 0 {
        let numbers = if clash.numbers.is_empty() {
            String::new()
        } else {
            format!("; columns of numbers are {}", clash.numbers.join(", "))
        };
        return format!(
            "`{0}` is a column of words: count(distinct {0}), min({0}), max({0}) and `group by {0}` take words, and `{1}` takes a column of \
             numbers{numbers}",
            clash.written, clash.function
        );
    }
    let read = clash
        .replacements
        .iter()
        .fold(clash.written.clone(), |read, (from, to)| {
            format!("replace({read}, {}, {})", sql_text(from), sql_text(to))
        });
    let mut number = format!("try_cast({read} as double)");
    if clash.nans > 0 {
        number = format!("nullif({number}, 'NaN'::double)");
    }
    let mut does: Vec<String> = clash
        .replacements
        .iter()
        .map(|(from, to)| goes(from, to))
        .collect();
    let left = clash.cells - clash.read;
    if left > 0 {
        let which = match (left, left == clash.others) {
            (1, true) => "the cell that is no number".to_owned(),
            (1, false) => "one cell that is no number".to_owned(),
            (left, true) => format!("the {left} cells that are no numbers"),
            (left, false) => format!("{left} cells that are no numbers"),
        };
        does.push(format!("leaves out {which}"));
    }
    let few = match clash.read {
        read if read >= left => String::new(),
        1 => format!("; only 1 of {} cells is a number then", clash.cells),
        read => format!("; only {read} of {} cells are numbers then", clash.cells),
    };
    // A cast takes only the value itself.
    let (new, old) = if clash.function == "cast" {
        (number, clash.written.clone())
    } else {
        (clash.call_of(&number), clash.call_of(&clash.written))
    };
    format!("write `{new}` in place of `{old}`, which {}{few}", joined(&does))
}

/// A text as an SQL literal; special spaces by their character code.
fn sql_text(text: &str) -> String {
    match text {
        "\u{a0}" => "chr(160)".to_owned(),
        "\u{202f}" => "chr(8239)".to_owned(),
        text => format!("'{}'", text.replace('\'', "''")),
    }
}

/// Describes the effect of a replacement.
fn goes(from: &str, to: &str) -> String {
    match (from, to) {
        (",", ".") => "makes the decimal comma a point".to_owned(),
        ("%", _) => "takes the percent signs away".to_owned(),
        (",", _) => "takes the commas between thousands away".to_owned(),
        (".", _) => "takes the points between thousands away".to_owned(),
        ("'", _) => "takes the apostrophes between thousands away".to_owned(),
        (" " | "\t" | "\u{a0}" | "\u{202f}", _) => "takes the blanks away".to_owned(),
        (from, _) => format!("takes `{from}` away"),
    }
}

/// Joins parts as `a`, `a and b`, `a, b and c`.
fn joined(parts: &[String]) -> String {
    match parts {
        [] => "reads the same numbers".to_owned(),
        [one] => one.clone(),
        [all @ .., last] => format!("{} and {last}", all.join(", ")),
    }
}

fn catalog_hint(error: &catalog::Error) -> Option<String> {
    use catalog::Error as E;
    let hint = match error {
        E::Empty { .. } => {
            "write the table to it, or fetch it again: an interrupted download leaves it empty"
        }
        E::DoubledColumn { .. } => "rename one of them in the file's first line",
        E::OtherHeader { .. } => {
            "ask the files one by one, and join the answers with `union all`, or fix the headers"
        }
        E::Packed { .. } => {
            "unpack it first, as with `gunzip`, or write it as Parquet, which packs and is read"
        }
        E::NotNumbers(clash) => return Some(numbers_of(clash)),
        E::NotUtf8 { .. } => "save the file as UTF-8 (in a spreadsheet: CSV UTF-8)",
        E::NoLicensedSources { .. } => {
            "files of your own have no licence on record here; build without --licensed-only"
        }
        E::MissingColumn { .. } => {
            "is this another version of the table? Its header must name every column read from it"
        }
        E::BadCell { .. } | E::BadRow { .. } => "fix or remove that row, or fetch the file again",
        E::Json { .. } | E::Shape { .. } | E::Parquet { .. } => {
            "the file is damaged or of another kind; fetch it again"
        }
        E::WrongColumn { .. } | E::UnexpectedNull { .. } | E::SchemaVersion { .. } => {
            "build the catalog again with `anatomy catalog build`"
        }
        E::HashMismatch { .. } => {
            "the tables were changed after they were built; run `anatomy catalog build` again"
        }
        E::NoSources { .. } => {
            "`--sources` names a folder of lm-eval results, config.json files or leaderboard tables; `anatomy catalog import --help` lists the dialects that are known"
        }
        E::NoLeaderboard { .. } => {
            "`anatomy query \"select distinct leaderboard from evaluations\"` lists them"
        }
        E::NotACatalog { .. } | E::NotEmpty { .. } => "choose a new or empty folder with --out",
        E::Query { suggestions, .. } if !suggestions.is_empty() => {
            return Some(format!("did you mean {}?", suggestions.join(", ")));
        }
        E::ItemClash(_) => {
            "was it evaluated again with other settings? Name that run with --id, or leave the file out"
        }
        E::NoCheckpoint { .. } => "name it with --id org/name",
        E::BenchmarkName { .. } => "rename the benchmark in the file, or the folder that holds it",
        E::NoItems { .. } => {
            "lm-eval writes answers to items only with --log_samples, as samples_*.jsonl: results_*.json hold scores alone, so run it again \
             with that option; `anatomy catalog import-items --into DIR PATH…` makes a table of items; its help lists the files it takes"
        }
        E::MissingDimensions { .. } => {
            "name them (--layers 32 --d-model 4096 …), or give the checkpoint's own --config config.json"
        }
        E::ConfigLacks { .. } => {
            "add what is missing to a copy of the file, under one of the names looked for, or leave the file out and name the dimensions (--layers 32 --d-model 4096 …)"
        }
        E::NotADecoder { .. } => "decoders alone are counted and predicted here",
        E::NoFormula { .. } => {
            "for an estimate, leave the file out and name the dimensions (--layers 32 --d-model 4096 …): they are counted by Llama's layout"
        }
        E::Address { .. } => {
            "tables can be at s3://BUCKET/PATH, gs://BUCKET/PATH, az://CONTAINER/PATH, hf://datasets/OWNER/NAME/PATH, or in folders"
        }
        E::Store { .. } => {
            "credentials come from the environment (AWS_ACCESS_KEY_ID …, GOOGLE_APPLICATION_CREDENTIALS, AZURE_STORAGE_ACCOUNT_NAME …, HF_TOKEN); `docs/scale.md` lists them"
        }
        E::Uncountable { .. } => "is a dimension mistyped?",
        E::Io { .. } | E::NotBuiltIn { .. } | E::Query { .. } => return None,
    };
    Some(hint.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clash(call: &str, replacements: &[(&str, &str)], cells: [u64; 4]) -> catalog::NotNumbers {
        let [cells, others, nans, read] = cells;
        let replacements = replacements.iter();
        catalog::NotNumbers {
            function: call.split('(').next().unwrap_or_default().to_owned(),
            call: call.replace("{}", "\u{1}"),
            column: "share".to_owned(),
            written: "t.share".to_owned(),
            file: "own.csv".to_owned(),
            table: "own.csv".to_owned(),
            cells,
            others,
            nans,
            value: "x".to_owned(),
            line: 2,
            replacements: replacements
                .map(|(from, to)| ((*from).to_owned(), (*to).to_owned()))
                .collect(),
            read,
            numbers: vec!["id".to_owned(), "score".to_owned()],
        }
    }

    #[test]
    fn cells_that_are_no_numbers_are_read_by_what_they_are() {
        for (call, replacements, cells, wanted) in [
            (
                "avg({})",
                &[] as &[(&str, &str)],
                [7, 1, 0, 6],
                "write `avg(try_cast(t.share as double))` in place of `avg(t.share)`, which leaves out the cell that is no number",
            ),
            (
                "avg({})",
                &[],
                [7, 4, 1, 3],
                "write `avg(nullif(try_cast(t.share as double), 'NaN'::double))` in place of `avg(t.share)`, which leaves out the 4 cells \
                 that are no numbers; only 3 of 7 cells are numbers then",
            ),
            (
                "sum({})",
                &[("%", ""), (" ", ""), (",", ".")],
                [8, 8, 0, 8],
                "write `sum(try_cast(replace(replace(replace(t.share, '%', ''), ' ', ''), ',', '.') as double))` in place of \
                 `sum(t.share)`, which takes the percent signs away, takes the blanks away and makes the decimal comma a point",
            ),
            (
                "corr(id, {})",
                &[("\u{a0}", "")],
                [8, 8, 0, 7],
                "write `corr(id, try_cast(replace(t.share, chr(160), '') as double))` in place of `corr(id, t.share)`, which takes the \
                 blanks away and leaves out one cell that is no number",
            ),
            (
                "max({})",
                &[],
                [8, 8, 0, 0],
                "`t.share` is a column of words: count(distinct t.share), min(t.share), max(t.share) and `group by t.share` take words, \
                 and `max` takes a column of numbers; columns of numbers are id, score",
            ),
        ] {
            assert_eq!(numbers_of(&clash(call, replacements, cells)), wanted);
        }
        let cast = clash("cast", &[(".", "")], [8, 2, 0, 8]);
        assert!(
            numbers_of(&cast)
                .starts_with("write `try_cast(replace(t.share, '.', '') as double)` in place of `t.share`")
        );
    }
}
