//! Values with intervals, one row each and one panel per group: a table of effects as a figure.

use kuva::backend::svg::SvgBackend;
use kuva::plot::ForestPlot;
use kuva::render::figure::Figure as Grid;
use kuva::render::layout::Layout;
use kuva::render::plots::Plot;
use study::section::{Bar, Figure};

use super::{FONT, bars::distinct, colour, without_gaps};

/// Number of panels side by side.
const COLUMNS: usize = 3;
/// Height of one row, and of a panel without its rows, in pixels.
const ROW: f64 = 22.0;
const AROUND: f64 = 110.0;

pub(super) fn intervals(figure: &Figure, rows: &[Bar], reference: f64) -> String {
    let groups = distinct(rows.iter().map(|row| row.group.as_str()));
    let ends = |row: &Bar| row.interval.unwrap_or((row.value, row.value));
    let most = groups
        .iter()
        .map(|group| rows.iter().filter(|row| row.group == **group).count())
        .max()
        .unwrap_or(1);
    let widest = rows
        .iter()
        .map(|row| row.series.chars().count())
        .max()
        .unwrap_or(0);
    let mut plots = Vec::new();
    let mut layouts = Vec::new();
    for group in &groups {
        let of_group: Vec<&Bar> = rows
            .iter()
            .filter(|row| row.group == *group && row.value.is_finite())
            .collect();
        let mut plot = ForestPlot::new()
            .with_color(colour(0))
            .with_marker_size(4.0)
            .with_whisker_width(1.6)
            .with_cap_size(4.0)
            .with_null_value(reference)
            .with_show_null_line(reference.is_finite());
        for row in &of_group {
            let (low, high) = ends(row);
            plot = plot.with_row(row.series.as_str(), row.value, low, high);
        }
        let all = of_group.iter().flat_map(|row| {
            let (low, high) = ends(row);
            [
                low,
                high,
                if reference.is_finite() {
                    reference
                } else {
                    row.value
                },
            ]
        });
        let (low, high) = all.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| {
            (low.min(x), high.max(x))
        });
        let pad = 0.05 * (high - low).max(1e-9);
        let panel = vec![Plot::Forest(plot)];
        layouts.push(
            Layout::auto_from_plots(&panel)
                .with_title(if groups.len() > 1 { group } else { "" })
                .with_x_label(&figure.x.label)
                .with_font_family(FONT)
                .with_title_size(13)
                .with_label_size(11)
                .with_tick_size(10)
                .with_ticks(4)
                .with_x_axis_min(low - pad)
                .with_x_axis_max(high + pad),
        );
        plots.push(panel);
    }
    let columns = COLUMNS.min(groups.len().max(1));
    let width = (190.0 + 6.2 * widest as f64).max(if columns == 1 { 760.0 } else { 330.0 });
    let scene = Grid::new(groups.len().div_ceil(columns), columns)
        .with_title(&figure.title)
        .with_title_size(15)
        .with_plots(plots)
        .with_layouts(layouts)
        .with_cell_size(width, AROUND + ROW * most as f64)
        .render();
    without_gaps(&SvgBackend::new().render_scene(&scene))
}
