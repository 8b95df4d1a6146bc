//! Checks comparisons whose two sides have different kinds of values: days with numbers, which the engine runs with a
//! wrong result, and others, which it rejects with messages that are hard to read.

use arrow::datatypes::DataType;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, Operator};

use super::days;
use super::headers::values;
use super::holds::{Holds, quoted, written};
use crate::error::Error;

/// One side of a comparison.
#[derive(Debug, Clone)]
struct Side {
    /// Its text in the statement.
    shown: String,
    holds: Holds,
    /// The string, where this side is a string literal.
    text: Option<String>,
    /// Whether this side is a literal in the statement.
    is_stated: bool,
}

/// A comparison of one value with another or with several.
#[derive(Debug)]
struct Comparison {
    /// `=`, `<`, `between`, `not in` …
    operator: &'static str,
    left: Side,
    right: Vec<Side>,
}

/// Rejects a plan that compares a day with a number (which the engine would take for days since 1970), or a Boolean
/// with anything else.
///
/// # Errors
/// [`Error::Query`], as [`DataFusionError::External`].
pub(super) fn check(plan: &LogicalPlan) -> Result<()> {
    let wrong = all(plan).iter().find_map(|comparison| {
        let told = comparison.of_day_and_number();
        told.or_else(|| comparison.of_truth())
    });
    match wrong {
        None => Ok(()),
        Some(message) => Err(DataFusionError::External(Box::new(Error::Query {
            message,
            suggestions: Vec::new(),
        }))),
    }
}

/// An explanation of how a comparison in the plan led to the engine's failure to convert the text `cell`; `None` if
/// none did.
pub(super) fn told(plan: &LogicalPlan, cell: &str) -> Option<String> {
    let all = all(plan);
    let stated = all.iter().find_map(|comparison| comparison.of_text(cell));
    stated.or_else(|| all.iter().find_map(Comparison::of_text_and_number))
}

/// The comparisons in a plan and its subqueries whose types are known.
fn all(plan: &LogicalPlan) -> Vec<Comparison> {
    let mut found = Vec::new();
    // What is not understood here is left to the engine to reject.
    plan.apply_with_subqueries(|node| {
        let schema = merge_schema(&node.inputs());
        if let LogicalPlan::Join(join) = node {
            for (left, right) in &join.on {
                let sides = (side(left, join.left.schema()), side(right, join.right.schema()));
                if let (Some(left), Some(right)) = sides {
                    found.push(Comparison {
                        operator: "=",
                        left,
                        right: vec![right],
                    });
                }
            }
        }
        node.apply_expressions(|expression| {
            expression.apply(|inner| {
                found.extend(comparisons(inner, &schema));
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })
    .ok();
    found
}

/// The comparisons made by an expression itself.
fn comparisons(expression: &Expr, schema: &DFSchema) -> Vec<Comparison> {
    let one = |operator: &'static str, left: &Expr, right: &[&Expr]| {
        let left = side(left, schema)?;
        let right: Vec<Side> = right.iter().filter_map(|right| side(right, schema)).collect();
        (!right.is_empty()).then_some(Comparison {
            operator,
            left,
            right,
        })
    };
    match expression {
        Expr::BinaryExpr(binary) => named(binary.op)
            .and_then(|operator| one(operator, &binary.left, &[binary.right.as_ref()]))
            .into_iter()
            .collect(),
        Expr::Between(between) => {
            let operator = if between.negated { "not between" } else { "between" };
            let ends = [between.low.as_ref(), between.high.as_ref()];
            one(operator, &between.expr, &ends).into_iter().collect()
        }
        Expr::InList(list) => {
            let operator = if list.negated { "not in" } else { "in" };
            let values: Vec<&Expr> = list.list.iter().collect();
            one(operator, &list.expr, &values).into_iter().collect()
        }
        Expr::InSubquery(of) => {
            let operator = if of.negated { "not in" } else { "in" };
            let given = of.subquery.subquery.schema();
            let right = given.fields().first().and_then(|field| {
                Some(Side {
                    shown: written(field.name()),
                    holds: Holds::of(field.data_type())?,
                    text: None,
                    is_stated: false,
                })
            });
            let sides = side(&of.expr, schema).zip(right);
            sides
                .map(|(left, right)| Comparison {
                    operator,
                    left,
                    right: vec![right],
                })
                .into_iter()
                .collect()
        }
        Expr::Case(case) => case.expr.as_ref().map_or_else(Vec::new, |of| {
            case.when_then_expr
                .iter()
                .filter_map(|(when, _)| one("=", of, &[when.as_ref()]))
                .collect()
        }),
        _ => Vec::new(),
    }
}

fn named(operator: Operator) -> Option<&'static str> {
    Some(match operator {
        Operator::Eq => "=",
        Operator::NotEq => "<>",
        Operator::Lt => "<",
        Operator::LtEq => "<=",
        Operator::Gt => ">",
        Operator::GtEq => ">=",
        Operator::IsDistinctFrom => "is distinct from",
        Operator::IsNotDistinctFrom => "is not distinct from",
        _ => return None,
    })
}

/// The operator for exchanged sides.
fn turned(operator: &'static str) -> &'static str {
    match operator {
        "<" => ">",
        "<=" => ">=",
        ">" => "<",
        ">=" => "<=",
        same => same,
    }
}

fn side(expression: &Expr, schema: &DFSchema) -> Option<Side> {
    let holds = Holds::of(&expression.get_type(schema).ok()?)?;
    let (shown, text) = match expression {
        Expr::Alias(alias) => return side(&alias.expr, schema),
        Expr::Column(column) | Expr::OuterReferenceColumn(_, column) => (written(&column.name), None),
        Expr::Literal(value, _) => stated(value),
        other => (values(&other.human_display().to_string()), None),
    };
    let is_stated = matches!(expression, Expr::Literal(..))
        || matches!(expression, Expr::Negative(of) if matches!(of.as_ref(), Expr::Literal(..)));
    Some(Side {
        shown,
        holds,
        text,
        is_stated,
    })
}

/// A literal as a statement writes it, and its text where it is a string.
fn stated(value: &ScalarValue) -> (String, Option<String>) {
    match value {
        ScalarValue::Utf8(Some(text))
        | ScalarValue::LargeUtf8(Some(text))
        | ScalarValue::Utf8View(Some(text)) => (quoted(text), Some(text.clone())),
        value if value.data_type() == DataType::Date32 => (quoted(&value.to_string()), None),
        value => (value.to_string(), None),
    }
}

impl Comparison {
    /// Each pair of one value with another, and the operator that applies in that order.
    fn pairs(&self) -> impl Iterator<Item = (&'static str, &Side, &Side)> {
        self.right.iter().flat_map(move |right| {
            [
                (self.operator, &self.left, right),
                (turned(self.operator), right, &self.left),
            ]
        })
    }

    /// The message for a day or time compared with a number.
    fn of_day_and_number(&self) -> Option<String> {
        let (operator, day, number) = self.pairs().find(|(_, day, number)| {
            matches!(day.holds, Holds::Day | Holds::Time) && number.holds == Holds::Number
        })?;
        let (column, other) = (&day.shown, &number.shown);
        let what = format!("`{column}` is {}, and", day.holds.one());
        if !number.is_stated || day.is_stated {
            let written = if day.is_stated {
                "the column of days"
            } else {
                column
            };
            return Some(format!(
                "{what} `{other}` is a number: a day is compared with a day, and date_part('year', {written}) is a number"
            ));
        }
        // With several values, all are from one comparison in which the column comes first.
        let numbers: Vec<String> = if self.right.len() > 1 {
            self.right.iter().map(|side| side.shown.clone()).collect()
        } else {
            vec![other.clone()]
        };
        Some(format!(
            "{what} {other} is a number: {}",
            days::instead_of_numbers(column, operator, &numbers)
        ))
    }

    /// The message for a Boolean compared with anything else.
    fn of_truth(&self) -> Option<String> {
        let (_, truth, other) = self
            .pairs()
            .find(|(_, truth, other)| truth.holds == Holds::Truth && other.holds != Holds::Truth)?;
        let column = &truth.shown;
        let shown = if other.is_stated {
            other.shown.clone()
        } else {
            format!("`{}`", other.shown)
        };
        let meant = match other.text.as_deref().unwrap_or(&other.shown) {
            "1" | "true" | "TRUE" | "True" | "yes" | "t" => format!("write {column} = true"),
            "0" | "false" | "FALSE" | "False" | "no" | "f" => format!("write {column} = false"),
            _ => format!("write {column} = true or {column} = false"),
        };
        Some(format!(
            "`{column}` is {}, and {shown} is {}: {meant}",
            Holds::Truth.one(),
            other.holds.one()
        ))
    }

    /// The message for the text `cell` compared with a value that is not text.
    fn of_text(&self, cell: &str) -> Option<String> {
        let (_, column, text) = self.pairs().find(|(_, column, text)| {
            text.text.as_deref() == Some(cell) && column.holds != Holds::Text && !column.is_stated
        })?;
        let instead = match column.holds {
            Holds::Day | Holds::Time => days::instead_of_text(cell),
            _ => "write a number, without quotes".to_owned(),
        };
        Some(format!(
            "`{}` is {}, and {} is none: {instead}",
            column.shown,
            column.holds.one(),
            text.shown
        ))
    }

    /// The message for a text column compared with a number.
    fn of_text_and_number(&self) -> Option<String> {
        let (_, text, number) = self.pairs().find(|(_, text, number)| {
            text.holds == Holds::Text && !text.is_stated && number.holds == Holds::Number
        })?;
        Some(if number.is_stated {
            format!(
                "`{}` is text, and {} is a number: write {}",
                text.shown,
                number.shown,
                quoted(&number.shown)
            )
        } else {
            format!(
                "`{}` is text, and `{}` is a number: write cast({} as text)",
                text.shown, number.shown, number.shown
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::query::{Engine, Values};

    fn engine() -> Engine {
        let engine = Engine::empty().expect("an engine");
        let columns = [
            ("id".to_owned(), Values::Numbers(vec![Some(1.0), Some(2.0)])),
            (
                "word".to_owned(),
                Values::Text(vec![Some("a".into()), Some("b".into())]),
            ),
        ];
        engine.register_columns("raw", &columns).expect("a table");
        let view = "create view own as select id, word, id > 1 as correct, \
                    case when id > 1 then date '2024-05-01' else date '2020-01-01' end as day from raw";
        engine.query(view).expect("a view");
        engine
    }

    fn told(engine: &Engine, condition: &str) -> String {
        let sql = format!("select id from own where {condition}");
        let error = engine.query(&sql).expect_err(condition);
        error.to_string()
    }

    #[test]
    fn a_day_is_not_compared_with_a_number() {
        let engine = engine();
        for (condition, wanted) in [
            (
                "day > 2024",
                "`day` is a day, and 2024 is a number: write day >= '2024-01-01'",
            ),
            (
                "2024 > day",
                "`day` is a day, and 2024 is a number: write day < '2024-01-01'",
            ),
            (
                "not (id = 1 or day = 2024)",
                "`day` is a day, and 2024 is a number: write day between '2024-01-01' and '2024-12-31'",
            ),
            (
                "day <> 2024",
                "`day` is a day, and 2024 is a number: write day not between '2024-01-01' and '2024-12-31'",
            ),
            (
                "day between 2023 and 2024",
                "`day` is a day, and 2023 is a number: write day between '2023-01-01' and '2024-12-31'",
            ),
            (
                "day in (2023, 2024)",
                "`day` is a day, and 2023 is a number: write date_part('year', day) in (2023, 2024)",
            ),
            (
                "day < id",
                "`day` is a day, and `id` is a number: a day is compared with a day, and date_part('year', day) is a number",
            ),
            (
                "cast(day as timestamp) > 20240131",
                "is a time, and 20240131 is a number: write ",
            ),
            (
                "day < 5.5",
                "`day` is a day, and 5.5 is a number: a day is written",
            ),
            ("case day when 2024 then true end", "write day between"),
            (
                "day in (select id from raw)",
                "`day` is a day, and `id` is a number",
            ),
            (
                "exists (select 1 from raw where day > 2024)",
                "write day >= '2024-01-01'",
            ),
        ] {
            let said = told(&engine, condition);
            assert!(said.contains(wanted), "{condition}: {said}");
        }
        for sql in [
            "select id from own group by id, day having max(day) > 2024",
            "select a.id from own a join own b on a.day = b.id",
            "with t as (select day as d from own) select count(*) filter (where d > 2024) from t",
        ] {
            let said = engine.query(sql).expect_err(sql).to_string();
            assert!(said.contains("is a day, and"), "{sql}: {said}");
        }
    }

    #[test]
    fn what_can_be_compared_is_run() {
        let engine = engine();
        for condition in [
            "day > '2024-01-01'",
            "day between '2024-01-01' and '2024-12-31'",
            "date_part('year', day) in (2023, 2024)",
            "correct = true",
            "word = 'b'",
            "id = '2'",
            "id > 1.5",
            "day is not null and id = 2",
        ] {
            let sql = format!("select id from own where {condition}");
            match engine.query(&sql) {
                Ok(answer) => assert_eq!(answer.rows(), 1, "{condition}"),
                Err(error) => panic!("{condition}: {error}"),
            }
        }
    }

    #[test]
    fn text_beside_what_is_none_says_what_to_write() {
        let engine = engine();
        for (condition, wanted) in [
            ("word = 5", "`word` is text, and 5 is a number: write '5'"),
            ("5 <> word", "`word` is text, and 5 is a number: write '5'"),
            ("word in (5, 6)", "`word` is text, and 5 is a number: write '5'"),
            (
                "day > '01.02.2024'",
                "`day` is a day, and '01.02.2024' is none: write '2024-02-01' (year-month-day)",
            ),
            (
                "day = 'x'",
                "`day` is a day, and 'x' is none: a day is written '2024-01-31' (year-month-day)",
            ),
            (
                "id = 'x'",
                "`id` is a number, and 'x' is none: write a number, without quotes",
            ),
            (
                "correct = 1",
                "`correct` is yes or no (true or false), and 1 is a number: write correct = true",
            ),
            (
                "correct in (0, 1)",
                "`correct` is yes or no (true or false), and 0 is a number: write correct = false",
            ),
            (
                "correct = 'yes'",
                "`correct` is yes or no (true or false), and 'yes' is text: write correct = true",
            ),
        ] {
            assert_eq!(told(&engine, condition), wanted, "{condition}");
        }
    }
}
