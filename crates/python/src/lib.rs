//! The Python module: commands answered in this process, and tables as Arrow streams.
//!
//! What a user sees is `python/anatomy`, written in Python with types and docstrings; here is what it stands on. Every answer but
//! a table is a command's own JSON ([`::anatomy::ask`]), so the two are equal to the bit.

#![allow(
    unsafe_code,
    reason = "the C data interface of Arrow passes pointers, and PyO3's macros make the module's entry"
)]

mod asking;
mod estimator;
mod table;

use pyo3::prelude::*;

/// What `anatomy` stands on.
#[pymodule]
fn _anatomy(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_function(wrap_pyfunction!(asking::ask, module)?)?;
    module.add_function(wrap_pyfunction!(asking::main, module)?)?;
    module.add_function(wrap_pyfunction!(table::query, module)?)?;
    module.add_function(wrap_pyfunction!(table::write_parquet, module)?)?;
    module.add_function(wrap_pyfunction!(estimator::fit, module)?)?;
    module.add_class::<estimator::Regressed>()?;
    module.add_class::<table::Table>()?;
    Ok(())
}
