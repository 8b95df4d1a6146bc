//! Reads details of lighteval (`details/OWNER/NAME/TIME/details_SUITE|TASK|SHOTS_TIME.parquet`): one row per item, with
//! a struct of metrics.

use std::fs::File;
use std::path::Path;

use arrow::array::{Array, ArrayRef, AsArray, StructArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::ItemRow;
use super::found::{FileRow, PathFields, Sink, folder_name};
use crate::error::Error;
use crate::sources::harness;

/// Names of the column of metrics, by version, and of the column with the item's own id.
const METRICS: [&str; 2] = ["metric", "metrics"];
const DOCUMENTS: [&str; 2] = ["doc", "specifics"];

/// Checkpoint and benchmark according to a file's path; `None` for a path of another form.
pub(super) fn told_by(file: &str) -> Option<PathFields> {
    let mut parts: Vec<&str> = file.split('/').collect();
    let name = parts.pop()?.strip_prefix("details_")?.strip_suffix(".parquet")?;
    let (task, _time) = name.rsplit_once('_')?;
    let (task, _) = harness::plain_task(task);
    let at = parts.iter().rposition(|part| *part == "details")?;
    let id = match parts.get(at + 1..)? {
        [owner, name, ..] if parts.len() > at + 3 => format!("{owner}/{name}"),
        [name, ..] => (*name).to_owned(),
        [] => return None,
    };
    Some(PathFields {
        id: Some(id),
        benchmark: Some(folder_name(&task)),
    })
}

/// Passes every row to `sink`, with the first metric that states whether an answer is right, else the first numeric
/// one.
pub(super) fn read(path: &Path, file: &str, place: &PathFields, sink: Sink<'_>) -> Result<(), Error> {
    let broken = |error: &dyn std::fmt::Display| Error::Parquet {
        file: file.to_owned(),
        message: error.to_string(),
    };
    let source = File::open(path).map_err(Error::io(path))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(source).map_err(|error| broken(&error))?;
    let schema = builder.schema().clone();
    let find = |names: &[&'static str]| {
        names
            .iter()
            .copied()
            .find(|name| schema.column_with_name(name).is_some())
    };
    let metrics = find(&METRICS).ok_or_else(|| Error::WrongColumn {
        file: file.to_owned(),
        table: "details of lighteval".to_owned(),
        column: METRICS[0].to_owned(),
        wanted: "a struct of numbers".to_owned(),
        found: "none".to_owned(),
    })?;
    let document = find(&DOCUMENTS);
    let wanted: Vec<usize> = schema
        .fields()
        .iter()
        .enumerate()
        .filter(|(_, field)| field.name() == metrics || Some(field.name().as_str()) == document)
        .map(|(place, _)| place)
        .collect();
    let mask = ProjectionMask::roots(builder.parquet_schema(), wanted);
    let reader = builder
        .with_projection(mask)
        .with_batch_size(1_024)
        .build()
        .map_err(|error| broken(&error))?;
    let benchmark = place.benchmark.clone().unwrap_or_default();
    let mut row = 0;
    for batch in reader {
        let batch = batch.map_err(|error| broken(&error))?;
        let column = |name: &str| batch.column_by_name(name).and_then(|array| array.as_struct_opt());
        let numbers = column(metrics).map(numbers).unwrap_or_default();
        let ids = document
            .and_then(column)
            .and_then(|document| cast(document.column_by_name("id")?, &DataType::Utf8).ok());
        for at in 0..batch.num_rows() {
            let told = numbers.iter().find(|(_, values)| values.is_valid(at));
            let Some((metric, values)) = told else {
                sink(row, FileRow::LeftOut("no_answer"))?;
                row += 1;
                continue;
            };
            let score = values.as_primitive::<Float64Type>().value(at);
            if !score.is_finite() {
                sink(row, FileRow::LeftOut("score_is_no_number"))?;
                row += 1;
                continue;
            }
            let own = ids.as_ref().filter(|ids| ids.is_valid(at));
            let own = own.map(|ids| ids.as_string::<i32>().value(at).trim().to_owned());
            let answered = ItemRow {
                id: place.id.clone().unwrap_or_default(),
                item: own.filter(|id| !id.is_empty()).unwrap_or_else(|| row.to_string()),
                correct: (score == 0.0 || score == 1.0).then_some(score == 1.0),
                score: Some(score),
                metric: Some(metric.clone()),
                loglikelihood: None,
                prediction: None,
            };
            sink(row, FileRow::Answer(benchmark.clone(), answered))?;
            row += 1;
        }
    }
    Ok(())
}

/// The numeric fields of a struct in order, except standard errors.
fn numbers(metrics: &StructArray) -> Vec<(String, ArrayRef)> {
    let fields = metrics.fields().iter().zip(metrics.columns());
    fields
        .filter(|(field, array)| {
            let kind = array.data_type();
            (kind.is_numeric() || *kind == DataType::Boolean) && !field.name().contains("stderr")
        })
        .filter_map(|(field, array)| Some((field.name().clone(), cast(array, &DataType::Float64).ok()?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Float64Array, Int64Array, RecordBatch, StringArray, StructArray};
    use arrow::datatypes::Field;
    use parquet::arrow::ArrowWriter;

    use super::*;

    const FILE: &str = "details/org/tiny/2025-07-05T00-00-00/details_leaderboard|arc:challenge|25_2025-07-05T00-00-00.parquet";

    /// A file as lighteval writes it: `doc` with the item's id, `metric` with a standard error beside the score.
    fn file(ids: Vec<Option<&str>>, scores: Vec<Option<f64>>) -> tempfile::NamedTempFile {
        let n = ids.len();
        let field = |name: &str, array: ArrayRef| {
            (Arc::new(Field::new(name, array.data_type().clone(), true)), array)
        };
        let document = StructArray::from(vec![
            field("query", Arc::new(StringArray::from(vec!["?"; n]))),
            field("id", Arc::new(StringArray::from(ids))),
        ]);
        let metric = StructArray::from(vec![
            field("acc_stderr", Arc::new(Float64Array::from(vec![0.1; n]))),
            field("acc", Arc::new(Float64Array::from(scores))),
        ]);
        let batch = RecordBatch::try_from_iter([
            (
                "index",
                Arc::new(Int64Array::from_iter_values(0..n as i64)) as ArrayRef,
            ),
            ("doc", Arc::new(document) as ArrayRef),
            ("metric", Arc::new(metric) as ArrayRef),
        ])
        .expect("columns of one length");
        let out = tempfile::NamedTempFile::new().expect("a file");
        let mut writer =
            ArrowWriter::try_new(out.reopen().expect("opens"), batch.schema(), None).expect("writes");
        writer.write(&batch).expect("writes");
        writer.close().expect("writes");
        out
    }

    #[test]
    fn a_file_says_whose_answers_it_holds() {
        let place = told_by(FILE).expect("details of lighteval");
        assert_eq!(place.id.as_deref(), Some("org/tiny"));
        assert_eq!(place.benchmark.as_deref(), Some("arc_challenge"));
        assert!(told_by("details/org/tiny/2025/other.parquet").is_none());
        assert!(told_by("elsewhere/details_leaderboard|arc|25_2025.parquet").is_none());
    }

    #[test]
    fn every_row_is_an_answer_or_left_out_with_its_reason() {
        let ids = vec![Some("Mercury_7"), Some(" "), None, Some("x"), Some("y")];
        let scores = vec![Some(1.0), Some(0.0), Some(0.25), None, Some(f64::NAN)];
        let out = file(ids, scores);
        let place = told_by(FILE).expect("details of lighteval");
        let (mut answers, mut left_out) = (Vec::new(), Vec::new());
        read(out.path(), FILE, &place, &mut |row, found| {
            match found {
                FileRow::Answer(benchmark, answer) => answers.push((row, benchmark, answer)),
                FileRow::LeftOut(why) => left_out.push((row, why)),
            }
            Ok(())
        })
        .expect("is read");
        let told: Vec<_> = answers
            .iter()
            .map(|(row, _, answer)| (*row, answer.item.as_str(), answer.correct, answer.score))
            .collect();
        let expected = [
            (0, "Mercury_7", Some(true), Some(1.0)),
            (1, "1", Some(false), Some(0.0)),
            (2, "2", None, Some(0.25)),
        ];
        assert_eq!(told, expected);
        assert!(answers.iter().all(|(_, benchmark, answer)| {
            benchmark == "arc_challenge" && answer.id == "org/tiny" && answer.metric.as_deref() == Some("acc")
        }));
        assert_eq!(left_out, [(3, "no_answer"), (4, "score_is_no_number")]);
    }
}
