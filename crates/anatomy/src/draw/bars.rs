//! Bar charts with error bars: grouped side by side, or with one panel per group where there are many series.

use kuva::plot::{BarPlot, LegendPosition};
use kuva::render::plots::Plot;
use study::section::{Axis, Bar, Figure};

use super::{colour, layout, panels, render};

/// Maximum number of series side by side, told apart by colour; more are drawn in panels and told apart by position.
const SIDE_BY_SIDE: usize = 4;

pub(super) fn bars(figure: &Figure, bars: &[Bar]) -> String {
    let groups = distinct(bars.iter().map(|bar| bar.group.as_str()));
    let series = distinct(bars.iter().map(|bar| bar.series.as_str()));
    if series.len() > SIDE_BY_SIDE {
        in_panels(figure, bars, &groups, &series)
    } else {
        side_by_side(figure, bars, &groups, &series)
    }
}

fn side_by_side(figure: &Figure, bars: &[Bar], groups: &[&str], series: &[&str]) -> String {
    let mut plot = BarPlot::new();
    let mut errors = Vec::new();
    for group in groups {
        let found: Vec<(f64, (f64, f64))> = series.iter().map(|name| find(bars, group, name)).collect();
        plot = plot.with_group(
            *group,
            found
                .iter()
                .enumerate()
                .map(|(place, (value, _))| (*value, colour(place))),
        );
        errors.extend(found.into_iter().map(|(_, ends)| ends));
    }
    if series.len() > 1 {
        plot = plot.with_legend(series.to_vec());
    }
    let plots = vec![Plot::Bar(plot.with_asymmetric_error(errors))];
    let layout = layout(figure, &plots).with_legend_position(LegendPosition::OutsideRightTop);
    render(plots, layout)
}

/// One panel per group with one horizontal bar per series, the first on top.
fn in_panels(figure: &Figure, bars: &[Bar], groups: &[&str], series: &[&str]) -> String {
    let all = groups
        .iter()
        .map(|group| {
            let mut plot = BarPlot::new().with_horizontal(true);
            let mut errors = Vec::new();
            for name in series.iter().rev() {
                let (value, ends) = find(bars, group, name);
                plot = plot.with_colored_bar(*name, value, colour(0));
                errors.push(ends);
            }
            (
                (*group).to_string(),
                vec![Plot::Bar(plot.with_asymmetric_error(errors))],
            )
        })
        .collect();
    let turned = Figure {
        x: figure.y.clone(),
        y: Axis::linear(""),
        ..figure.clone()
    };
    panels::grid(&turned, all)
}

/// Length of a bar and how far its interval reaches below and above; NaN where not known, which is not drawn.
fn find(bars: &[Bar], group: &str, series: &str) -> (f64, (f64, f64)) {
    let Some(bar) = bars.iter().find(|bar| bar.group == group && bar.series == series) else {
        return (f64::NAN, (f64::NAN, f64::NAN));
    };
    let ends = |(low, high): (f64, f64)| ((bar.value - low).max(0.0), (high - bar.value).max(0.0));
    (bar.value, bar.interval.map_or((f64::NAN, f64::NAN), ends))
}

/// Distinct names in the order of first occurrence.
pub(super) fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = Vec::new();
    for name in names {
        if !seen.contains(&name) {
            seen.push(name);
        }
    }
    seen
}
