//! Statements that the engine refuses because a column is text where it wants numbers, in words that name column and cell.

use std::ops::ControlFlow;

use datafusion::catalog::TableProvider;
use datafusion::config::Dialect;
use datafusion::execution::context::SessionState;
use datafusion::prelude::SessionContext;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, UnaryOperator, Visit,
    Visitor,
};

use crate::error::{Error, NotNumbers};
use crate::stores::csv;

/// What an engine's message about types leaves unsaid: the column that is text, and for CSV the cell that made it so. `None`
/// where no column of the statement explains the message.
pub(super) async fn told(context: &SessionContext, sql: &str, message: &str) -> Option<Error> {
    let state = context.state();
    let statement = state.sql_to_statement(sql, &Dialect::Generic).ok()?;
    let mut uses = Uses::default();
    if let Statement::Statement(inner) = &statement {
        let _: ControlFlow<()> = inner.visit(&mut uses);
    }
    uses.0.retain(|found| found.is_in(message));
    if uses.0.is_empty() {
        return None;
    }
    for reference in state.resolve_table_references(&statement).ok()? {
        let name = reference.table().to_owned();
        let Ok(table) = context.table_provider(reference).await else {
            continue;
        };
        for found in &uses.0 {
            let schema = table.schema();
            let column = schema.field_with_name(&found.column).ok();
            if column.is_some_and(|column| csv::is_text(column.data_type())) {
                return Some(about(&state, table.as_ref(), &name, found).await);
            }
        }
    }
    None
}

async fn about(state: &SessionState, table: &dyn TableProvider, name: &str, found: &Use) -> Error {
    let surveys = csv::of_table(state, table).await.unwrap_or_default();
    let (mut cells, mut others) = (0, 0);
    let mut first = None;
    for survey in surveys {
        for column in survey.columns {
            if column.name == found.column {
                cells += column.numbers + column.others;
                others += column.others;
                first = first.or(column
                    .other
                    .map(|(line, value)| (survey.file.clone(), line, value)));
            }
        }
    }
    match first {
        Some((file, line, value)) => Error::NotNumbers(Box::new(NotNumbers {
            function: found.name.clone(),
            column: found.column.clone(),
            file,
            table: name.to_owned(),
            cells,
            others,
            value,
            line,
        })),
        None => Error::Query {
            message: format!(
                "`{}` takes numbers, and column `{}` of `{name}` is text",
                found.name, found.column
            ),
            suggestions: Vec::new(),
        },
    }
}

/// A column that something takes.
#[derive(Debug)]
struct Use {
    /// A function, an operator, or `cast`, `between`, `in`.
    name: String,
    column: String,
}

impl Use {
    /// Whether a message of the engine's is about this.
    fn is_in(&self, message: &str) -> bool {
        let name = &self.name;
        match name.as_str() {
            "cast" | "=" | "<>" | "<" | "<=" | ">" | ">=" | "between" | "in" => {
                message.contains("Cannot cast string")
            }
            "+" | "-" | "*" | "/" | "%" => {
                message.contains(&format!(" {name} ")) && message.contains("arithmetic")
                    || name == "-" && message.contains("Unary operator '-'")
            }
            _ => message.contains(&format!("'{name}'")) || message.contains(&format!("'{name}(")),
        }
    }
}

/// What takes which columns, the innermost first.
#[derive(Debug, Default)]
struct Uses(Vec<Use>);

impl Uses {
    fn add(&mut self, name: &str, of: &Expr) {
        let mut columns = Vec::new();
        gather(of, &mut columns);
        let uses = columns.into_iter().map(|column| Use {
            name: name.to_owned(),
            column,
        });
        self.0.extend(uses);
    }
}

impl Visitor for Uses {
    type Break = ();

    fn post_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
        match expression {
            Expr::Function(function) => {
                let name = function.name.to_string().to_ascii_lowercase();
                if let FunctionArguments::List(list) = &function.args {
                    for argument in &list.args {
                        let (FunctionArg::Unnamed(value)
                        | FunctionArg::Named { arg: value, .. }
                        | FunctionArg::ExprNamed { arg: value, .. }) = argument;
                        if let FunctionArgExpr::Expr(of) = value {
                            self.add(&name, of);
                        }
                    }
                }
            }
            Expr::BinaryOp { left, op, right } => {
                if let Some(name) = of_numbers(op) {
                    self.add(name, left);
                    self.add(name, right);
                }
            }
            Expr::UnaryOp {
                op: UnaryOperator::Minus,
                expr,
            } => self.add("-", expr),
            Expr::Cast { expr, .. } => self.add("cast", expr),
            Expr::Between { expr, low, high, .. } => {
                for of in [expr, low, high] {
                    self.add("between", of);
                }
            }
            Expr::InList { expr, .. } => self.add("in", expr),
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// The name of an operator that takes numbers, or whose other side may make it take them.
fn of_numbers(operator: &BinaryOperator) -> Option<&'static str> {
    Some(match operator {
        BinaryOperator::Plus => "+",
        BinaryOperator::Minus => "-",
        BinaryOperator::Multiply => "*",
        BinaryOperator::Divide => "/",
        BinaryOperator::Modulo => "%",
        BinaryOperator::Eq => "=",
        BinaryOperator::NotEq => "<>",
        BinaryOperator::Lt => "<",
        BinaryOperator::LtEq => "<=",
        BinaryOperator::Gt => ">",
        BinaryOperator::GtEq => ">=",
        _ => return None,
    })
}

/// The columns whose values an expression passes on.
fn gather(expression: &Expr, columns: &mut Vec<String>) {
    match expression {
        Expr::Identifier(name) => columns.push(column(name)),
        Expr::CompoundIdentifier(parts) => columns.extend(parts.last().map(column)),
        Expr::Nested(inner) | Expr::UnaryOp { expr: inner, .. } => gather(inner, columns),
        Expr::BinaryOp { left, right, .. } => {
            gather(left, columns);
            gather(right, columns);
        }
        Expr::Case {
            conditions,
            else_result,
            ..
        } => {
            for when in conditions {
                gather(&when.result, columns);
            }
            if let Some(last) = else_result {
                gather(last, columns);
            }
        }
        _ => {}
    }
}

/// The column that a name means: in small letters unless it is quoted.
fn column(name: &Ident) -> String {
    match name.quote_style {
        Some(_) => name.value.clone(),
        None => name.value.to_ascii_lowercase(),
    }
}
