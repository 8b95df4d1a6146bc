//! Reads Parquet files from elsewhere with answers to items: columns are found by name and cast to the needed type.

use std::fs::File;
use std::path::Path;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, SchemaRef};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::ItemRow;
use super::found::{FileRow, PathFields, Sink};
use crate::error::{Error, cut};

/// Columns, each with all names that are recognised for it.
const ID: &[&str] = &["id", "checkpoint"];
const BENCHMARK: &[&str] = &["benchmark", "task"];
const ITEM: &[&str] = &["item", "doc_id"];
const CORRECT: &[&str] = &["correct"];
const SCORE: &[&str] = &["score"];
const METRIC: &[&str] = &["metric"];
const LOGLIKELIHOOD: &[&str] = &["loglikelihood"];
const PREDICTION: &[&str] = &["prediction"];

/// Passes every row of the file to `sink`.
pub(super) fn read(path: &Path, file: &str, place: &PathFields, sink: Sink<'_>) -> Result<(), Error> {
    let broken = |error: &dyn std::fmt::Display| Error::Parquet {
        file: file.to_owned(),
        message: error.to_string(),
    };
    let source = File::open(path).map_err(Error::io(path))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(source).map_err(|error| broken(&error))?;
    let schema = builder.schema().clone();
    check(&schema, file, place)?;
    let all = [
        ID,
        BENCHMARK,
        ITEM,
        CORRECT,
        SCORE,
        METRIC,
        LOGLIKELIHOOD,
        PREDICTION,
    ];
    let wanted: Vec<usize> = schema
        .fields()
        .iter()
        .enumerate()
        .filter(|(_, field)| all.iter().any(|names| names.contains(&field.name().as_str())))
        .map(|(place, _)| place)
        .collect();
    let mask = ProjectionMask::roots(builder.parquet_schema(), wanted);
    let reader = builder
        .with_projection(mask)
        .with_batch_size(8_192)
        .build()
        .map_err(|error| broken(&error))?;
    let mut row = 0;
    for batch in reader {
        let columns = Columns::of(&batch.map_err(|error| broken(&error))?, file)?;
        for at in 0..columns.rows {
            sink(row, columns.found(at, place))?;
            row += 1;
        }
    }
    Ok(())
}

/// Checks that the table has what is indispensable: a checkpoint, a benchmark (unless the path states them), an item,
/// and an answer.
fn check(schema: &SchemaRef, file: &str, place: &PathFields) -> Result<(), Error> {
    let has = |names: &[&str]| names.iter().any(|name| schema.column_with_name(name).is_some());
    let needs = [
        (ITEM, "text", true),
        (ID, "text", place.id.is_none()),
        (BENCHMARK, "text", place.benchmark.is_none()),
        (CORRECT, "true or false (or `score` as a number)", !has(SCORE)),
    ];
    for (names, wanted, needed) in needs {
        if needed && !has(names) {
            return Err(Error::WrongColumn {
                file: file.to_owned(),
                table: "items".to_owned(),
                column: names[0].to_owned(),
                wanted: wanted.to_owned(),
                found: "none".to_owned(),
            });
        }
    }
    Ok(())
}

/// The columns of a batch, cast to the needed types.
struct Columns {
    rows: usize,
    id: Option<ArrayRef>,
    benchmark: Option<ArrayRef>,
    item: Option<ArrayRef>,
    correct: Option<ArrayRef>,
    score: Option<ArrayRef>,
    metric: Option<ArrayRef>,
    loglikelihood: Option<ArrayRef>,
    prediction: Option<ArrayRef>,
}

impl Columns {
    fn of(batch: &RecordBatch, file: &str) -> Result<Self, Error> {
        let take = |names: &[&str], wanted: DataType| -> Result<Option<ArrayRef>, Error> {
            let Some(array) = names.iter().find_map(|name| batch.column_by_name(name)) else {
                return Ok(None);
            };
            let wrong = || Error::WrongColumn {
                file: file.to_owned(),
                table: "items".to_owned(),
                column: names[0].to_owned(),
                wanted: wanted.to_string(),
                found: array.data_type().to_string(),
            };
            if wanted == DataType::Boolean && array.data_type().is_string() {
                return Err(wrong());
            }
            let cast = cast(array, &wanted).map_err(|_| wrong())?;
            // A cast turns values that it cannot convert into nulls.
            (cast.null_count() == array.null_count())
                .then_some(Some(cast))
                .ok_or_else(wrong)
        };
        Ok(Self {
            rows: batch.num_rows(),
            id: take(ID, DataType::Utf8)?,
            benchmark: take(BENCHMARK, DataType::Utf8)?,
            item: take(ITEM, DataType::Utf8)?,
            correct: take(CORRECT, DataType::Boolean)?,
            score: take(SCORE, DataType::Float64)?,
            metric: take(METRIC, DataType::Utf8)?,
            loglikelihood: take(LOGLIKELIHOOD, DataType::Float64)?,
            prediction: take(PREDICTION, DataType::Utf8)?,
        })
    }

    fn found(&self, at: usize, place: &PathFields) -> FileRow {
        let benchmark = text(self.benchmark.as_ref(), at).or_else(|| place.benchmark.clone());
        let (Some(benchmark), Some(item)) = (benchmark, text(self.item.as_ref(), at)) else {
            return FileRow::LeftOut("no_item");
        };
        let correct = self.correct.as_ref().filter(|array| array.is_valid(at));
        let correct = correct.map(|array| array.as_boolean().value(at));
        let score = number(self.score.as_ref(), at);
        if correct.is_none() && score.is_none() {
            return FileRow::LeftOut("no_answer");
        }
        let row = ItemRow {
            id: text(self.id.as_ref(), at).unwrap_or_default(),
            item,
            correct: correct.or_else(|| {
                let score = score.filter(|&score| score == 0.0 || score == 1.0)?;
                Some(score == 1.0)
            }),
            score: score.or_else(|| Some(f64::from(u8::from(correct?)))),
            metric: text(self.metric.as_ref(), at),
            loglikelihood: number(self.loglikelihood.as_ref(), at),
            prediction: text(self.prediction.as_ref(), at).map(|text| cut(&text)),
        };
        FileRow::Answer(benchmark, row)
    }
}

fn text(array: Option<&ArrayRef>, at: usize) -> Option<String> {
    let array = array.filter(|array| array.is_valid(at))?;
    Some(array.as_string::<i32>().value(at).to_owned()).filter(|text| !text.is_empty())
}

fn number(array: Option<&ArrayRef>, at: usize) -> Option<f64> {
    let array = array.filter(|array| array.is_valid(at))?;
    Some(array.as_primitive::<Float64Type>().value(at)).filter(|value| value.is_finite())
}
