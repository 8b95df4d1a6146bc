//! How many threads a statement runs on. Several threads add up parts of a sum in the order in which they finish, so the
//! last digits of a mean would differ between runs; statements over small tables run on one thread instead.

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::{MemTable, source_as_provider};
use datafusion::execution::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::{DataFrame, SessionContext};

use crate::items::ItemRow;
use crate::schema::{Row, TABLES};

/// The statement planned for one thread if it reads no more than the catalog's own tables and tables in memory; unchanged
/// if it reads files or items, which may be large.
pub(super) fn fewest(context: &SessionContext, statement: DataFrame) -> DataFrame {
    if is_small(statement.logical_plan()) {
        let (_, plan) = statement.into_parts();
        DataFrame::new(one(context), plan)
    } else {
        statement
    }
}

/// The session's state, with its tables and functions, that plans for one thread.
pub(super) fn one(context: &SessionContext) -> SessionState {
    let mut state = context.state();
    *state.config_mut() = state.config().clone().with_target_partitions(1);
    state
}

/// Whether a plan, with its subqueries, scans only tables in memory and the catalog's own but the items.
fn is_small(plan: &LogicalPlan) -> bool {
    let mut is_small = true;
    let walked = plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            let name = scan.table_name.table();
            let is_own = name != ItemRow::TABLE && TABLES.contains(&name);
            let is_in_memory = source_as_provider(&scan.source)
                .is_ok_and(|table| table.downcast_ref::<MemTable>().is_some());
            is_small &= is_own || is_in_memory;
        }
        Ok(TreeNodeRecursion::Continue)
    });
    walked.is_ok() && is_small
}

#[cfg(test)]
mod tests {
    use super::is_small;
    use crate::query::Engine;

    #[test]
    fn the_catalogs_tables_and_views_are_small_and_files_are_not() -> Result<(), Box<dyn std::error::Error>> {
        let engine = Engine::open(None)?;
        let place = tempfile::tempdir()?;
        let file = place.path().join("own.csv");
        std::fs::write(&file, "id,value\na/b,1\n")?;
        let file = file.display();
        for (sql, wanted) in [
            ("select avg(value) from observations".to_owned(), true),
            (
                "select avg(value) from scores where id in (select id from checkpoints)".to_owned(),
                true,
            ),
            (format!("select * from '{file}'"), false),
            (
                format!("select count(*) from scores where id in (select id from '{file}')"),
                false,
            ),
        ] {
            let statement = engine.runtime.block_on(engine.context.sql(&sql))?;
            assert_eq!(is_small(statement.logical_plan()), wanted, "{sql}");
        }
        Ok(())
    }

    /// Means of the same rows are the same to the bit however often they are asked for.
    #[test]
    fn means_do_not_depend_on_which_part_finishes_first() -> Result<(), Box<dyn std::error::Error>> {
        let engine = Engine::open(None)?;
        let ask = || engine.query("select benchmark, avg(value) from observations group by 1 order by 1");
        let first = ask()?;
        for _ in 0..10 {
            assert_eq!(ask()?.batches, first.batches);
        }
        Ok(())
    }
}
