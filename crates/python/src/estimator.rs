//! Regressions for Python's estimators: rows and targets as plain numbers in, predictions out.

use ::study::conformal::{Conformal, calibrate};
use ::study::regression::{Fit, Posterior, Structural, with_settings};
use ::study::{Design, Groups};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// The columns of a shape, which never straddles what intervals are calibrated on.
const SHAPE: [&str; 4] = ["layers", "d_model", "d_ffn", "heads"];

enum Fitted {
    /// One that knows how sure it is, and how wide its intervals are; no width with too few shapes.
    Structural(Box<Posterior>, Option<Conformal>),
    Other(Box<dyn Fit>),
}

/// A regression fitted to rows.
#[pyclass(module = "anatomy", frozen)]
pub(crate) struct Regressed {
    names: Vec<String>,
    fitted: Fitted,
}

fn refused(error: impl std::fmt::Display) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// Fits `method` to `columns`, `(n_features, n_rows)`, and `target`, `(n_rows,)`. Intervals of `structural` shall hold `level` of
/// the rows of shapes never seen.
#[expect(clippy::needless_pass_by_value, reason = "Python hands over values")]
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "what Python names, one by one")]
#[pyo3(signature = (method, settings, names, columns, target, seed, level))]
pub(crate) fn fit(
    py: Python<'_>,
    method: &str,
    settings: Vec<(String, String)>,
    names: Vec<String>,
    columns: Vec<Vec<f64>>,
    target: Vec<f64>,
    seed: u64,
    level: f64,
) -> PyResult<Regressed> {
    let design = Design::new(names.clone(), columns).map_err(refused)?;
    let settings: Vec<(&str, &str)> = settings
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect();
    let regression = with_settings(method, &settings)
        .ok_or_else(|| PyValueError::new_err(format!("no method named `{method}`")))?
        .map_err(refused)?;
    let is_structural = method == "structural" && settings.is_empty();
    let fitted = py.detach(|| -> Result<Fitted, ::study::Error> {
        if is_structural {
            structural(&design, &target, level)
        } else {
            Ok(Fitted::Other(regression.fit(&design, &target, None, seed)?))
        }
    });
    Ok(Regressed {
        names,
        fitted: fitted.map_err(refused)?,
    })
}

fn structural(design: &Design, target: &[f64], level: f64) -> Result<Fitted, ::study::Error> {
    let posterior = Structural::default().posterior(design, target)?;
    let known = posterior.out_of_shape()?;
    let errors: Vec<f64> = target.iter().zip(&known).map(|(y, p)| y - p.value).collect();
    let deviations: Vec<f64> = known.iter().map(|p| p.deviation).collect();
    let places: Vec<usize> = SHAPE
        .iter()
        .map(|name| design.position(name))
        .collect::<Result<_, _>>()?;
    let shapes: Vec<Vec<u64>> = (0..design.n_rows())
        .map(|row| {
            places
                .iter()
                .map(|&place| design.column(place)[row].to_bits())
                .collect()
        })
        .collect();
    let width = calibrate(&errors, &deviations, &Groups::from_labels(&shapes), level)?;
    Ok(Fitted::Structural(Box::new(posterior), width))
}

/// Predictions, and the lower and upper ends of their intervals where there are any.
type Predicted = (Vec<f64>, Option<(Vec<f64>, Vec<f64>)>);

#[pymethods]
impl Regressed {
    /// Predictions of `columns`, `(n_features, n_rows)`, in the target's unit, and ends of intervals.
    fn predict(&self, py: Python<'_>, columns: Vec<Vec<f64>>) -> PyResult<Predicted> {
        let design = Design::new(self.names.clone(), columns).map_err(refused)?;
        py.detach(|| match &self.fitted {
            Fitted::Other(fit) => Ok((fit.predict(&design)?, None)),
            Fitted::Structural(posterior, width) => {
                let found = posterior.predict(&design)?;
                let ends = width.as_ref().map(|width| {
                    let ends = found.iter().map(|p| width.interval(p.value, p.deviation));
                    ends.map(|interval| (interval.low, interval.high)).unzip()
                });
                Ok((found.iter().map(|p| p.value).collect(), ends))
            }
        })
        .map_err(|error: ::study::Error| refused(error))
    }
}
