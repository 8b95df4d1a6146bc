//! From an error to what a person can do about it.

use std::fmt::Write;

/// A reader of ours that went away is no error.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe)
}

/// What is said of something that this program was built without.
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

/// The error with its causes, and after a blank line a hint where there is one.
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

/// How to read the numbers of a column that other cells made text, after what the first of these looks like.
fn numbers_of(clash: &catalog::NotNumbers) -> String {
    let named = |name: &str| {
        let is_plain = name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
            && name
                .chars()
                .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_');
        if is_plain {
            name.to_owned()
        } else {
            format!("\"{name}\"")
        }
    };
    let column = named(&clash.column);
    let is_number = |text: &str| text.parse::<f64>().is_ok();
    let value = clash.value.as_str();
    let groups: Vec<&str> = value.split(',').collect();
    let in_thousands = groups.len() > 1
        && groups[1..].iter().enumerate().all(|(place, group)| {
            let whole = if place + 2 == groups.len() {
                group.split('.').next().unwrap_or_default()
            } else {
                group
            };
            whole.len() == 3
        });
    let (read, why) = if is_number(value.trim()) {
        (format!("trim({column})"), "which takes the blanks away")
    } else if in_thousands && is_number(&value.replace(',', "")) {
        (
            format!("replace({column}, ',', '')"),
            "which takes the commas between thousands away",
        )
    } else if is_number(&value.replace(',', ".")) {
        (
            format!("replace({column}, ',', '.')"),
            "which makes the decimal comma a point",
        )
    } else {
        (column.clone(), "which leaves out the cells that are not numbers")
    };
    let table = if clash.table.contains(['/', '.', ' ', '-']) {
        format!("'{}'", clash.table.replace('\'', "''"))
    } else {
        named(&clash.table)
    };
    format!(
        "write `try_cast({read} as double)` in place of `{column}`, {why}: \
         select avg(try_cast({read} as double)) from {table}"
    )
}

fn catalog_hint(error: &catalog::Error) -> Option<String> {
    use catalog::Error as E;
    let hint = match error {
        E::Empty { .. } => "fetch the file again; an interrupted download leaves it empty",
        E::DoubledColumn { .. } => "rename one of them in the file's first line",
        E::OtherHeader { .. } => {
            "ask the files one by one, and join the answers with `union all`, or fix the headers"
        }
        E::Packed { .. } => {
            "unpack it first, as with `gunzip`, or write it as Parquet, which packs and is read"
        }
        E::NotNumbers(clash) => return Some(numbers_of(clash)),
        E::NotUtf8 { .. } => "save the file as UTF-8, or fetch it again",
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
        E::NotACatalog { .. } => "choose a new or empty folder with --out",
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
