//! Points, lines and bands in layers: one panel with its legend beside it, or several panels with a shared legend.

use kuva::backend::svg::SvgBackend;
use kuva::plot::legend::{LegendEntry, LegendPosition, LegendShape};
use kuva::plot::{BandPlot, LinePlot, LineStyle, MarkerShape, ScatterPlot};
use kuva::render::annotations::ReferenceLine;
use kuva::render::figure::Figure as Grid;
use kuva::render::layout::{Layout, TickFormat};
use kuva::render::plots::Plot;
use study::section::{Figure, Layer, Panel};

use super::{FONT, bars::distinct, colour, layout, panels::COLUMNS, render, scales, without_gaps};

/// Series are distinguished by marker or dashes as well as by colour.
const MARKERS: [MarkerShape; 6] = [
    MarkerShape::Circle,
    MarkerShape::Triangle,
    MarkerShape::Square,
    MarkerShape::Diamond,
    MarkerShape::Cross,
    MarkerShape::Plus,
];
const DASHES: [Option<&str>; 6] = [
    None,
    Some("8 4"),
    Some("2 4"),
    Some("8 4 2 4"),
    Some("14 4"),
    Some("4 2"),
];

/// Above this number, points are thinned to one per cell of a grid with this many cells along each axis.
const CROWD: usize = 1000;
const SPOTS: f64 = 160.0;

pub(super) fn panels(figure: &Figure, panels: &[Panel]) -> String {
    let names = distinct(
        panels
            .iter()
            .flat_map(|panel| panel.layers.iter().filter_map(name)),
    );
    let entries: Vec<LegendEntry> = names
        .iter()
        .enumerate()
        .map(|(place, name)| legend_entry(panels, name, place))
        .collect();
    if let [panel] = panels {
        let plots = plots(figure, panel, &names);
        let mut layout = levels(layout(figure, &plots), panel);
        layout = ticks(layout, figure, 0.5);
        if names.len() > 1 {
            layout = layout
                .with_legend_entries(entries)
                .with_legend_position(LegendPosition::OutsideRightTop);
        }
        return render(plots, layout);
    }
    let all: Vec<Vec<Plot>> = panels.iter().map(|panel| plots(figure, panel, &names)).collect();
    let layouts = panels
        .iter()
        .zip(&all)
        .map(|(panel, plots)| {
            let layout = Layout::auto_from_plots(plots)
                .with_title(&panel.title)
                .with_x_label(&figure.x.label)
                .with_y_label(&figure.y.label)
                .with_font_family(FONT)
                .with_title_size(13)
                .with_label_size(11)
                .with_tick_size(10);
            levels(ticks(scales(layout, figure), figure, 1.0), panel)
        })
        .collect();
    let mut grid = Grid::new(panels.len().div_ceil(COLUMNS), COLUMNS.min(panels.len()))
        .with_title(&figure.title)
        .with_title_size(15)
        .with_plots(all)
        .with_layouts(layouts)
        .with_cell_size(330.0, 260.0);
    if names.len() > 1 {
        grid = grid
            .with_shared_legend_bottom()
            .with_shared_legend_entries(entries);
    }
    without_gaps(&SvgBackend::new().render_scene(&grid.render()))
}

fn name(layer: &Layer) -> Option<&str> {
    match layer {
        Layer::Markers { name, .. } | Layer::Line { name, .. } | Layer::Band { name, .. } => Some(name),
        Layer::Level { .. } => None,
    }
}

fn plots(figure: &Figure, panel: &Panel, names: &[&str]) -> Vec<Plot> {
    let place = |layer: &Layer| {
        let own = name(layer);
        names.iter().position(|name| Some(*name) == own).unwrap_or(0)
    };
    let draw = |layer: &Layer| {
        let place = place(layer);
        Some(match layer {
            Layer::Markers { points, sizes, .. } => {
                let (points, sizes) = &thinned(figure, points, sizes);
                let plot = ScatterPlot::new()
                    .with_data(points.iter().copied())
                    .with_color(colour(place))
                    .with_marker(MARKERS[place % MARKERS.len()])
                    .with_size(if is_crowd(points) { 2.0 } else { 3.0 })
                    .with_marker_opacity(if is_crowd(points) { 0.25 } else { 0.6 });
                let most = sizes.iter().copied().fold(0.0, f64::max);
                Plot::Scatter(if most > 0.0 {
                    plot.with_sizes(sizes.iter().map(|size| (14.0 * (size / most).sqrt()).max(2.0)))
                } else {
                    plot
                })
            }
            Layer::Line { points, step, .. } => {
                let mut plot = LinePlot::new()
                    .with_data(points.iter().copied())
                    .with_color(colour(place))
                    .with_stroke_width(2.0);
                if let Some(dashes) = DASHES[place % DASHES.len()] {
                    plot = plot.with_line_style(LineStyle::Custom(dashes.into()));
                }
                Plot::Line(if *step { plot.with_step() } else { plot })
            }
            Layer::Band { points, .. } => Plot::Band(
                BandPlot::new(
                    points.iter().map(|point| point.0),
                    points.iter().map(|point| point.1),
                    points.iter().map(|point| point.2),
                )
                .with_color(colour(place))
                .with_opacity(0.2),
            ),
            Layer::Level { .. } => return None,
        })
    };
    panel.layers.iter().filter_map(draw).collect()
}

/// Whether there are so many markers that each must be small and light.
fn is_crowd(points: &[(f64, f64)]) -> bool {
    points.len() > 300
}

fn levels(layout: Layout, panel: &Panel) -> Layout {
    panel.layers.iter().fold(layout, |layout, layer| match layer {
        Layer::Level { y, label } => layout.with_reference_line(
            ReferenceLine::horizontal(*y)
                .with_color("#555555")
                .with_label(label.as_str()),
        ),
        _ => layout,
    })
}

/// Years need no grouped thousands and at most one decimal place.
fn ticks(layout: Layout, figure: &Figure, step: f64) -> Layout {
    if figure.x.label.contains("(year)") {
        layout
            .with_x_tick_format(TickFormat::Fixed(usize::from(step < 1.0)))
            .with_x_tick_step(step)
    } else {
        layout
    }
}

/// Draws only one of several points on the same spot: thousands of markers make a page slow and no clearer.
fn thinned(figure: &Figure, points: &[(f64, f64)], sizes: &[f64]) -> (Vec<(f64, f64)>, Vec<f64>) {
    if points.len() < CROWD || !sizes.is_empty() {
        return (points.to_vec(), sizes.to_vec());
    }
    let scale = |value: f64, log: bool| if log { value.log10() } else { value };
    let placed: Vec<(f64, f64)> = points
        .iter()
        .map(|&(x, y)| (scale(x, figure.x.log), scale(y, figure.y.log)))
        .collect();
    let range = |of: fn(&(f64, f64)) -> f64| {
        let ends = placed
            .iter()
            .map(of)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| {
                (low.min(x), high.max(x))
            });
        (ends.0, (ends.1 - ends.0).max(f64::MIN_POSITIVE))
    };
    let (x, y) = (range(|point| point.0), range(|point| point.1));
    let mut seen = std::collections::BTreeSet::new();
    let kept = points.iter().zip(&placed).filter(|(_, at)| {
        let spot = |value: f64, (low, span): (f64, f64)| ((value - low) / span * SPOTS) as i64;
        seen.insert((spot(at.0, x), spot(at.1, y)))
    });
    (kept.map(|(point, _)| *point).collect(), Vec::new())
}

fn legend_entry(panels: &[Panel], series: &str, place: usize) -> LegendEntry {
    let layers = || panels.iter().flat_map(|panel| &panel.layers);
    let has_markers = layers().any(|layer| matches!(layer, Layer::Markers { name, .. } if name == series));
    LegendEntry {
        label: series.to_string(),
        color: colour(place).into(),
        shape: if has_markers {
            LegendShape::Marker(MARKERS[place % MARKERS.len()])
        } else {
            LegendShape::Line
        },
        dasharray: DASHES[place % DASHES.len()]
            .filter(|_| !has_markers)
            .map(String::from),
    }
}
