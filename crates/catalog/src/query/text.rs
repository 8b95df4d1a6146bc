//! Explains statements that the engine rejects because of a value of the wrong kind, naming the column and the cell.

use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::array::AsArray;
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion::catalog::TableProvider;
use datafusion::config::Dialect;
use datafusion::datasource::MemTable;
use datafusion::execution::context::SessionState;
use datafusion::physical_plan::execute_stream;
use datafusion::prelude::SessionContext;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, Statement as Inner,
    UnaryOperator, Visit, Visitor, visit_expressions_mut,
};
use futures::StreamExt;

use super::compared;
use super::holds::Holds;
use super::mixed::uncast;
use super::readings::{BestReading, Readings};
use super::refusal::Refusal;
use crate::error::{Error, NotNumbers, cut};
use crate::stores::csv;

/// Greatest number of numeric columns suggested in place of a text column.
const NUMBERS: usize = 12;

/// A table that a statement reads, by the name in the statement.
type Read = (String, Arc<dyn TableProvider>);

/// Completes an engine's message about types: the column that holds another kind and, for CSV, the cell that made it
/// so. `None` where no column of the statement explains the message.
pub(super) async fn told(context: &SessionContext, sql: &str, message: &str) -> Option<Error> {
    let state = context.state();
    let statement = state.sql_to_statement(sql, &Dialect::Generic).ok()?;
    let Statement::Statement(inner) = &statement else {
        return None;
    };
    let refusal = Refusal::of(message);
    let cell = uncast(message);
    let mut uses = uses(inner);
    uses.retain(|found| found.is_in(message));
    if refusal.is_none() && cell.is_none() && uses.is_empty() {
        return None;
    }
    let mut tables: Vec<Read> = Vec::new();
    for reference in state.resolve_table_references(&statement).ok()? {
        let name = reference.table().to_owned();
        if let Ok(table) = context.table_provider(reference).await {
            tables.push((name, table));
        }
    }
    if let Some(refusal) = refusal
        && let Some(told) = of_call(context, &tables, inner, &refusal).await
    {
        return Some(told);
    }
    for found in &uses {
        if let Some(told) = about(context, &tables, found).await {
            return Some(told);
        }
    }
    let plan = state.statement_to_plan(statement).await.ok()?;
    let message = compared::told(&plan, &cell?.0)?;
    Some(query(message))
}

/// The arguments of the first call of function `name` in the statement, as written there.
pub(super) fn arguments(state: &SessionState, sql: &str, name: &str) -> Option<Vec<String>> {
    let statement = state.sql_to_statement(sql, &Dialect::Generic).ok()?;
    let Statement::Statement(inner) = statement else {
        return None;
    };
    calls(&inner, name).into_iter().next().map(|call| call.arguments)
}

fn query(message: String) -> Error {
    Error::Query {
        message,
        suggestions: Vec::new(),
    }
}

/// Visits every expression, innermost first, with a closure.
struct Each<F>(F);

impl<F: FnMut(&Expr)> Visitor for Each<F> {
    type Break = ();

    fn post_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
        (self.0)(expression);
        ControlFlow::Continue(())
    }
}

fn each(statement: &Inner, show: impl FnMut(&Expr)) {
    let _: ControlFlow<()> = statement.visit(&mut Each(show));
}

/// A call of a function.
struct Call {
    whole: Expr,
    /// The arguments, as written in the statement.
    arguments: Vec<String>,
    /// The arguments that are expressions; `None` for others.
    values: Vec<Option<Expr>>,
}

/// The calls of a function in a statement, innermost first.
fn calls(statement: &Inner, name: &str) -> Vec<Call> {
    let mut found = Vec::new();
    each(statement, |expression| {
        if let Expr::Function(function) = expression
            && function.name.to_string().eq_ignore_ascii_case(name)
        {
            let mut call = Call {
                whole: expression.clone(),
                arguments: Vec::new(),
                values: Vec::new(),
            };
            if let FunctionArguments::List(list) = &function.args {
                for argument in &list.args {
                    call.arguments.push(argument.to_string());
                    call.values.push(value(argument).cloned());
                }
            }
            found.push(call);
        }
    });
    found
}

fn value(argument: &FunctionArg) -> Option<&Expr> {
    let (FunctionArg::Unnamed(value)
    | FunctionArg::Named { arg: value, .. }
    | FunctionArg::ExprNamed { arg: value, .. }) = argument;
    match value {
        FunctionArgExpr::Expr(of) => Some(of),
        _ => None,
    }
}

/// The error for a call whose arguments match no signature of the function.
async fn of_call(
    context: &SessionContext,
    tables: &[Read],
    statement: &Inner,
    refusal: &Refusal,
) -> Option<Error> {
    let misfit = refusal.misfit();
    let could_be = |call: &Call| {
        let Some(misfit) = &misfit else {
            return true;
        };
        let column = call.values[misfit.place].as_ref().and_then(column_of);
        let holds = column.and_then(|(name, _)| holds(tables, &name));
        holds.is_none_or(|holds| holds == misfit.given)
    };
    let call = calls(statement, &refusal.name)
        .into_iter()
        .filter(|call| call.arguments.len() == refusal.given.len())
        .find(could_be)?;
    if let Some(misfit) = &misfit
        && misfit.given == Holds::Text
        && misfit.taken.contains(&Holds::Number)
        && let Some(of) = &call.values[misfit.place]
    {
        let mut found = Vec::new();
        add(&mut found, &refusal.name, of, &call.whole);
        for found in &found {
            if let Some(told) = about(context, tables, found).await {
                return Some(told);
            }
        }
    }
    Some(query(refusal.words(Some(&call.arguments))))
}

/// The kind of values in a column of any of the tables.
fn holds(tables: &[Read], column: &str) -> Option<Holds> {
    tables.iter().find_map(|(_, table)| {
        let schema = table.schema();
        Holds::of(schema.field_with_name(column).ok()?.data_type())
    })
}

/// The error for a text column used where numbers are needed; `None` where no table has such a column and, for a
/// comparison, where the column consists of words.
async fn about(context: &SessionContext, tables: &[Read], found: &Use) -> Option<Error> {
    let (name, table) = tables.iter().find(|(_, table)| {
        let schema = table.schema();
        let column = schema.field_with_name(&found.column);
        column.is_ok_and(|column| csv::is_text(column.data_type()))
    })?;
    if let Some(clash) = clash(context, name, table, found).await {
        return Some(Error::NotNumbers(Box::new(clash)));
    }
    (!found.is_comparison()).then(|| {
        query(format!(
            "`{}` takes numbers, and column `{}` of `{name}` is text",
            found.name, found.column
        ))
    })
}

/// The cells that keep a text column from being numeric; `None` where its cells cannot be read, and where all are words
/// and the column is either compared or not from a file.
async fn clash(
    context: &SessionContext,
    name: &str,
    table: &Arc<dyn TableProvider>,
    found: &Use,
) -> Option<NotNumbers> {
    let surveys = csv::of_table(&context.state(), table.as_ref()).await;
    if surveys.is_none() && table.downcast_ref::<MemTable>().is_none() {
        return None;
    }
    let surveys = surveys.unwrap_or_default();
    let commas_divide = surveys.first().is_none_or(|survey| survey.delimiter == b',');
    let (mut n_numbers, mut n_others, mut first) = (0, 0, None);
    for survey in surveys {
        for column in survey.columns {
            if column.name == found.column {
                n_numbers += column.numbers;
                n_others += column.others;
                let other = column.other.map(|(line, cell)| (survey.file.clone(), line, cell));
                first = first.or(other);
            }
        }
    }
    let readings = readings(context, table, &found.column).await;
    let (cells, others, nans, best) = match &readings {
        Some(read) => (
            read.cells,
            read.cells - read.numbers,
            read.nans,
            read.best(commas_divide),
        ),
        None => (n_numbers + n_others, n_others, 0, BestReading::of(n_numbers)),
    };
    if best.read == 0 && (found.is_comparison() || first.is_none()) {
        return None;
    }
    let (file, line, value) = match first {
        Some(first) => first,
        None => (name.to_owned(), 0, cut(readings?.other.as_deref()?)),
    };
    let schema = table.schema();
    let numbers = schema
        .fields()
        .iter()
        .filter(|field| field.data_type().is_numeric());
    Some(NotNumbers {
        function: found.name.clone(),
        call: found.call.clone(),
        column: found.column.clone(),
        written: found.written.clone(),
        file,
        table: name.to_owned(),
        cells,
        others,
        nans,
        value,
        line,
        replacements: best.replacements,
        read: best.read,
        numbers: numbers.take(NUMBERS).map(|field| field.name().clone()).collect(),
    })
}

/// What the cells of a column hold; `None` where they cannot be read.
async fn readings(
    context: &SessionContext,
    table: &Arc<dyn TableProvider>,
    column: &str,
) -> Option<Readings> {
    let place = vec![table.schema().index_of(column).ok()?];
    let plan = table.scan(&context.state(), Some(&place), &[], None).await.ok()?;
    let mut rows = execute_stream(plan, context.task_ctx()).ok()?;
    let mut all = Readings::default();
    while let Some(batch) = rows.next().await {
        let cells = cast(batch.ok()?.column(0), &DataType::Utf8View).ok()?;
        for cell in cells.as_string_view().iter().flatten() {
            all.add(cell);
        }
    }
    Some(all)
}

/// A use of a column as an operand or argument.
#[derive(Debug)]
struct Use {
    /// The function or operator, or `cast`, `between`, `in`.
    name: String,
    column: String,
    /// The column, as written in the statement.
    written: String,
    /// The whole call as written in the statement, with [`NotNumbers::place`] in place of the column.
    call: String,
}

impl Use {
    fn is_comparison(&self) -> bool {
        NotNumbers::compares(&self.name)
    }

    /// Whether a message of the engine is about this use.
    fn is_in(&self, message: &str) -> bool {
        let name = &self.name;
        // Nothing is known of functions that do not exist.
        if message.contains("Invalid function '") {
            return false;
        }
        let wants_numbers = || uncast(message).is_some_and(|(_, wanted)| wanted == Some(Holds::Number));
        match name.as_str() {
            "cast" => wants_numbers(),
            _ if self.is_comparison() => wants_numbers(),
            "+" | "-" | "*" | "/" | "%" => {
                message.contains(&format!(" {name} ")) && message.contains("arithmetic")
                    || name == "-" && message.contains("Unary operator '-'")
            }
            _ => message.contains(&format!("'{name}'")) || message.contains(&format!("'{name}(")),
        }
    }
}

/// Adds a use for each column whose values `of` passes on to `whole`.
fn add(uses: &mut Vec<Use>, name: &str, of: &Expr, whole: &Expr) {
    let mut columns = Vec::new();
    gather(of, &mut columns);
    uses.extend(columns.into_iter().map(|(column, written)| Use {
        name: name.to_owned(),
        call: with_place(whole, &column),
        column,
        written,
    }));
}

/// The expression as text, with a placeholder in place of the column.
fn with_place(whole: &Expr, column: &str) -> String {
    let mut copy = whole.clone();
    let _: ControlFlow<()> = visit_expressions_mut(&mut copy, |inner: &mut Expr| {
        if column_of(inner).is_some_and(|(name, _)| name == column) {
            *inner = Expr::Identifier(Ident::new(NotNumbers::place()));
        }
        ControlFlow::Continue(())
    });
    copy.to_string()
}

/// The uses of columns in a statement, innermost first.
fn uses(statement: &Inner) -> Vec<Use> {
    let mut found = Vec::new();
    each(statement, |expression| match expression {
        Expr::Function(function) => {
            let name = function.name.to_string().to_ascii_lowercase();
            if let FunctionArguments::List(list) = &function.args {
                for of in list.args.iter().filter_map(value) {
                    add(&mut found, &name, of, expression);
                }
            }
        }
        Expr::BinaryOp { left, op, right } => {
            if let Some(name) = of_numbers(op) {
                add(&mut found, name, left, expression);
                add(&mut found, name, right, expression);
            }
        }
        Expr::UnaryOp {
            op: UnaryOperator::Minus,
            expr,
        } => add(&mut found, "-", expr, expression),
        Expr::Cast { expr, .. } => add(&mut found, "cast", expr, expression),
        Expr::Between { expr, low, high, .. } => {
            for of in [expr, low, high] {
                add(&mut found, "between", of, expression);
            }
        }
        Expr::InList { expr, .. } => add(&mut found, "in", expr, expression),
        _ => {}
    });
    found
}

/// The name of an operator that takes numbers, or that requires numbers if its other side is one.
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

/// The columns whose values an expression passes on, with their texts in the statement.
fn gather(expression: &Expr, columns: &mut Vec<(String, String)>) {
    match expression {
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) => columns.extend(column_of(expression)),
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

/// The column that an expression is, and its text: lower-cased unless quoted.
fn column_of(expression: &Expr) -> Option<(String, String)> {
    let name = match expression {
        Expr::Identifier(name) => name,
        Expr::CompoundIdentifier(parts) => parts.last()?,
        _ => return None,
    };
    let column = match name.quote_style {
        Some(_) => name.value.clone(),
        None => name.value.to_ascii_lowercase(),
    };
    Some((column, expression.to_string()))
}
