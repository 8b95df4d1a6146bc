//! Builds from the real sources, and from broken ones.

use std::fs;
use std::path::Path;

use catalog::{Catalog, Error, build};

#[test]
fn a_build_is_the_snapshot_to_the_byte() -> Result<(), Error> {
    let report = catalog::check(None, crate::shared_data().as_deref(), &mut |_| {})?;
    let broken: Vec<_> = report.rules.iter().filter(|rule| rule.broken > 0).collect();
    assert!(broken.is_empty(), "{broken:#?}");
    assert!(report.holds(), "{:#?}", report.tables);
    Ok(())
}

const HEADER: &str = "Model,Average ⬆️,ARC,HellaSwag,MMLU,TruthfulQA,Winogrande,GSM8K,Type,Architecture,Precision,#Params (B),Merged,Flagged,MoE,date";
const ROW: &str = "a/b-7b,50,50,50,50,50,50,50,🟢 pretrained,LlamaForCausalLM,float16,7,True,True,True,2024-05-05T12:22:44Z";

/// Builds from one file; returns what is left in the folder of the output.
fn build_one(name: &str, bytes: &[u8]) -> Result<(Result<Catalog, Error>, Vec<String>), std::io::Error> {
    let folder = tempfile::tempdir()?;
    let sources = folder.path().join("sources");
    fs::create_dir(&sources)?;
    fs::write(sources.join(name), bytes)?;
    let out = folder.path().join("out");
    let built = build(&sources, &out, &mut |_| {}).and_then(|_| Catalog::open(&out));
    let mut left = Vec::new();
    for entry in fs::read_dir(folder.path())? {
        left.push(entry?.file_name().to_string_lossy().into_owned());
    }
    left.sort();
    Ok((built, left))
}

#[test]
fn broken_input_names_file_row_and_column_and_leaves_nothing() -> Result<(), std::io::Error> {
    let good = format!("{HEADER}\n{ROW}\n");
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        (
            "x.csv",
            good.replace("HellaSwag,", "")
                .replacen("50,50,", "50,", 1)
                .into_bytes(),
            "x.csv: column `HellaSwag` is missing",
        ),
        (
            "x.csv",
            good.replacen("50,50,50", "50,5o,50", 1).into_bytes(),
            "x.csv, line 2, column `ARC`: \"5o\" is not a number",
        ),
        (
            "x.csv",
            good.replace("05T12", "33T12").into_bytes(),
            "x.csv, line 2, column `date`: \"2024-05-33T12:22:44Z\" is not a date",
        ),
        ("x.csv", Vec::new(), "x.csv: the file is empty"),
        (
            "x.csv",
            [good.as_bytes(), b"\xff\xfe,1\n"].concat(),
            "x.csv, line 3",
        ),
        (
            "x.csv",
            [
                good.as_bytes(),
                ROW.replace("a/b", "a/\u{0}").replace('\u{0}', "?").as_bytes(),
            ]
            .concat(),
            "",
        ),
        (
            "x.parquet",
            b"PAR1 and then nothing that is Parquet".to_vec(),
            "x.parquet: ",
        ),
        (
            "x.json",
            b"{\"architectures\": [\"LlamaForCausalLM\"".to_vec(),
            "x.json, line 1",
        ),
        (
            "notes.txt",
            b"nothing".to_vec(),
            "no known source under this folder",
        ),
    ];
    for (name, bytes, expected) in cases {
        let (built, left) = build_one(name, &bytes)?;
        match built {
            Ok(catalog) => assert!(
                expected.is_empty() && catalog.evaluations.len() == 2,
                "{name} {expected}"
            ),
            Err(error) => {
                let text = error.to_string();
                assert!(!expected.is_empty() && text.contains(expected), "{text}");
                assert_eq!(left, ["sources"], "nothing half-written: {text}");
            }
        }
    }
    Ok(())
}

#[test]
fn not_utf8_names_its_column() -> Result<(), std::io::Error> {
    let mut bytes = format!("{HEADER}\n{ROW}\n").into_bytes();
    let at = bytes
        .windows(5)
        .rposition(|window| window == b"Llama")
        .unwrap_or(0);
    bytes[at] = 0xff;
    let (built, _) = build_one("x.csv", &bytes)?;
    let text = built.map_err(|error| error.to_string()).err().unwrap_or_default();
    assert_eq!(
        text,
        "x.csv, line 2, column `Architecture`: not UTF-8 after byte 0 of the cell"
    );
    Ok(())
}

#[test]
fn a_folder_of_something_else_is_not_replaced() -> Result<(), std::io::Error> {
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("precious.txt"), "mine")?;
    let result = build(Path::new("/nonexistent"), folder.path(), &mut |_| {});
    assert!(matches!(result, Err(Error::NotACatalog { .. })));
    assert_eq!(fs::read_to_string(folder.path().join("precious.txt"))?, "mine");
    Ok(())
}

#[test]
fn the_opposites_of_the_first_leaderboard_are_turned() -> Result<(), Box<dyn std::error::Error>> {
    let (built, _) = build_one("x.csv", format!("{HEADER}\n{ROW}\n").as_bytes())?;
    let catalog = built?;
    let row = &catalog.evaluations[0];
    assert_eq!(
        (row.merged, row.flagged, row.moe),
        (Some(false), Some(false), Some(false))
    );
    assert_eq!(row.kind.as_deref(), Some("pretrained"));
    assert_eq!(catalog.scores.len(), 6);
    Ok(())
}

#[test]
fn leaderboard_v2_reads_the_same_from_parquet_and_csv() -> Result<(), Box<dyn std::error::Error>> {
    use arrow::array::{ArrayRef, BooleanArray, Float64Array, RecordBatch, StringArray};
    use std::sync::Arc;
    let header = "fullname,Average ⬆️,IFEval,BBH,MATH Lvl 5,GPQA,MUSR,MMLU-PRO,#Params (B),Architecture,Precision,Type,Merged,Flagged,MoE,Submission Date";
    let row =
        "a/b,30,30.5,30,30,30,30,30,8.03,LlamaForCausalLM,bfloat16,🟢 pretrained,True,False,False,2024-06-12";
    let (from_csv, _) = build_one("v2.csv", format!("{header}\n{row}\n").as_bytes())?;
    let columns: Vec<(&str, ArrayRef)> = header
        .split(',')
        .zip(row.split(','))
        .map(|(name, cell)| {
            let array: ArrayRef = match (cell.parse::<f64>(), cell) {
                (Ok(value), _) => Arc::new(Float64Array::from(vec![value])),
                (_, "True" | "False") => Arc::new(BooleanArray::from(vec![cell == "True"])),
                _ => Arc::new(StringArray::from(vec![cell])),
            };
            (name, array)
        })
        .collect();
    let batch = RecordBatch::try_from_iter(columns)?;
    let mut bytes = Vec::new();
    let mut writer = parquet::arrow::ArrowWriter::try_new(&mut bytes, batch.schema(), None)?;
    writer.write(&batch)?;
    writer.close()?;
    let (from_parquet, _) = build_one("v2.parquet", &bytes)?;
    let (one, two) = (from_csv?, from_parquet?);
    assert_eq!(one.evaluations, two.evaluations);
    assert_eq!(one.evaluations[0].merged, Some(true));
    assert_eq!(one.scores.len(), 6);
    Ok(())
}
