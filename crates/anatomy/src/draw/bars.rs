//! Bars in groups, with the ends of their intervals.

use kuva::plot::BarPlot;
use kuva::plot::LegendPosition;
use kuva::render::plots::Plot;
use study::section::{Bar, Figure};

use super::{colour, layout, render};

pub(super) fn bars(figure: &Figure, bars: &[Bar]) -> String {
    let groups = distinct(bars.iter().map(|bar| bar.group.as_str()));
    let series = distinct(bars.iter().map(|bar| bar.series.as_str()));
    let mut plot = BarPlot::new();
    let mut errors = Vec::new();
    for group in &groups {
        let mut values = Vec::new();
        for (place, name) in series.iter().enumerate() {
            let bar = bars.iter().find(|bar| bar.group == *group && bar.series == *name);
            let value = bar.map_or(0.0, |bar| bar.value);
            let ends = bar.and_then(|bar| bar.interval).map_or((0.0, 0.0), |(low, high)| {
                ((value - low).max(0.0), (high - value).max(0.0))
            });
            values.push((value, colour(place)));
            errors.push(ends);
        }
        plot = plot.with_group(*group, values);
    }
    let several = series.len() > 1;
    if several {
        plot = plot.with_legend(series.clone());
    }
    let plots = vec![Plot::Bar(plot.with_asymmetric_error(errors))];
    let mut layout = layout(figure, &plots);
    if several {
        layout = layout.with_legend_position(LegendPosition::OutsideRightTop);
    }
    render(plots, layout)
}

/// Names in the order in which they first occur.
fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = Vec::new();
    for name in names {
        if !seen.contains(&name) {
            seen.push(name);
        }
    }
    seen
}
