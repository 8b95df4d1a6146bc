//! Names of an answer's unnamed columns: literals are shown as statements write them, not as the engine does.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow::error::ArrowError;

use super::holds::{Holds, quoted};
use crate::answer::Answer;

/// The answer with simple column names: `1` in place of `Int64(1)`. Names given in the statement are left unchanged,
/// and so are all names if two would become equal.
pub(super) fn plain(sql: &str, answer: Answer) -> Result<Answer, ArrowError> {
    let given: Vec<&str> = answer
        .schema
        .fields()
        .iter()
        .map(|field| field.name().as_str())
        .collect();
    let names: Vec<String> = given
        .iter()
        .map(|name| {
            if sql.contains(name) {
                (*name).to_owned()
            } else {
                values(name)
            }
        })
        .collect();
    let distinct = |names: &[&str]| names.iter().collect::<BTreeSet<_>>().len();
    let new: Vec<&str> = names.iter().map(String::as_str).collect();
    if new == given || distinct(&new) < distinct(&given) {
        return Ok(answer);
    }
    let batches: Result<Vec<RecordBatch>, ArrowError> = answer
        .batches
        .iter()
        .map(|batch| {
            let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
            let schema = named(&batch.schema(), &names);
            RecordBatch::try_new_with_options(schema, batch.columns().to_vec(), &options)
        })
        .collect();
    Ok(Answer {
        schema: named(&answer.schema, &names),
        batches: batches?,
    })
}

fn named(schema: &SchemaRef, names: &[String]) -> SchemaRef {
    let fields: Vec<Field> = schema
        .fields()
        .iter()
        .zip(names)
        .map(|(field, name)| field.as_ref().clone().with_name(name))
        .collect();
    Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()))
}

/// A column name with the literals in it as a statement writes them.
pub(super) fn values(name: &str) -> String {
    let mut plain = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(open) = rest.find('(') {
        let start = rest[..open]
            .rfind(|letter: char| !letter.is_ascii_alphanumeric())
            .map_or(0, |before| {
                before + rest[before..].chars().next().map_or(1, char::len_utf8)
            });
        let (before, kind, inside) = (&rest[..start], &rest[start..open], &rest[open + 1..]);
        plain.push_str(before);
        if let Some((value, after)) = value(kind, inside) {
            plain.push_str(&value);
            rest = after;
        } else {
            plain.push_str(&rest[start..=open]);
            rest = inside;
        }
    }
    plain.push_str(rest);
    plain
}

/// The literal of type `kind` at the start of `inside`, the text after the opening bracket, and the text after the
/// closing one.
fn value<'a>(kind: &str, inside: &'a str) -> Option<(String, &'a str)> {
    match Holds::named(kind)? {
        // Decimals and times are shown by the engine in an internal form.
        Holds::Number if !kind.starts_with("Decimal") => {
            let (value, after) = inside.split_once(')')?;
            value.parse::<f64>().ok()?;
            Some((value.to_owned(), after))
        }
        Holds::Truth => {
            let (value, after) = inside.split_once(')')?;
            matches!(value, "true" | "false").then(|| (value.to_owned(), after))
        }
        Holds::Text | Holds::Day => {
            let (value, after) = inside.strip_prefix('"')?.split_once("\")")?;
            Some((quoted(value), after))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::Int64Array;
    use arrow::datatypes::DataType;

    #[test]
    fn values_are_written_as_statements_write_them() {
        for (name, wanted) in [
            ("Int64(1)", "1"),
            ("Int64(-1) + Int64(2)", "-1 + 2"),
            ("Utf8(\"a\")", "'a'"),
            ("Utf8(\"it's\")", "'it''s'"),
            ("Boolean(true)", "true"),
            (
                "round(Float64(1.234),avg(x.csv.Int64(2)))",
                "round(1.234,avg(x.csv.2))",
            ),
            (
                "CASE WHEN own.day > Date32(\"2024-01-01\") THEN Int64(1) END",
                "CASE WHEN own.day > '2024-01-01' THEN 1 END",
            ),
            ("count(*)", "count(*)"),
            ("replace(x,Utf8(\",\"),Utf8(\"\"))", "replace(x,',','')"),
            ("Utf8(\"cut", "Utf8(\"cut"),
            ("Decimal128(Some(123),5,2)", "Decimal128(Some(123),5,2)"),
            ("größe(Int64(1))", "größe(1)"),
            ("größeInt64(1)", "größeInt64(1)"),
            ("", ""),
        ] {
            assert_eq!(values(name), wanted, "{name}");
        }
    }

    #[test]
    fn two_columns_keep_two_names() {
        let of = |names: &[&str]| {
            let fields: Vec<Field> = names
                .iter()
                .map(|name| Field::new(*name, DataType::Int64, true))
                .collect();
            let schema = Arc::new(Schema::new(fields));
            let column = || Arc::new(Int64Array::from(vec![1])) as arrow::array::ArrayRef;
            let columns = names.iter().map(|_| column()).collect();
            let batches = vec![RecordBatch::try_new(schema.clone(), columns).expect("a batch")];
            Answer { schema, batches }
        };
        let names = |sql: &str, given: &[&str]| -> Vec<String> {
            let answer = plain(sql, of(given)).expect("an answer");
            assert_eq!(answer.batches[0].schema(), answer.schema);
            let fields = answer.schema.fields().iter();
            fields.map(|field| field.name().clone()).collect()
        };
        assert_eq!(names("select 1, 2", &["Int64(1)", "Int64(2)"]), ["1", "2"]);
        assert_eq!(
            names("select 1, 1.0", &["Int64(1)", "Float64(1)"]),
            ["Int64(1)", "Float64(1)"]
        );
        assert_eq!(names("select 1 as \"Int64(1)\"", &["Int64(1)"]), ["Int64(1)"]);
    }
}
