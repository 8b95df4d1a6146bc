//! Figures of several small panels with shared axes.

use kuva::backend::svg::SvgBackend;
use kuva::plot::{BandPlot, Histogram, LinePlot};
use kuva::render::figure::Figure as Grid;
use kuva::render::layout::Layout;
use kuva::render::plots::Plot;
use study::section::{Bin, Drawing, Figure};

use super::colour;

/// Number of panels side by side.
pub(super) const COLUMNS: usize = 3;

pub(super) fn histograms(figure: &Figure, panels: &[(String, Vec<f64>)]) -> String {
    let all = panels.iter().flat_map(|(_, values)| values.iter().copied());
    let (low, high) = all.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    // Values within 0 to 100 are points and keep these limits; other ranges get round limits.
    let within = low >= 0.0 && high <= 100.0 && high > 10.0;
    let (low, high) = if within {
        (0.0, 100.0)
    } else {
        ((low / 5.0).floor() * 5.0, (high / 5.0).ceil() * 5.0)
    };
    let bins = (((high - low) / 2.5) as usize).clamp(1, 80);
    let panels = panels
        .iter()
        .map(|(title, values)| {
            let plot = Histogram::new()
                .with_data(values.iter().copied())
                .with_range((low, high))
                .with_bins(bins)
                .with_color(colour(0));
            (
                format!("{title} (n = {})", values.len()),
                vec![Plot::Histogram(plot)],
            )
        })
        .collect();
    grid(figure, panels)
}

pub(super) fn bins(figure: &Figure, panels: &[(String, Vec<Bin>)]) -> String {
    let panels = panels
        .iter()
        .map(|(title, bins)| {
            let n: usize = bins.iter().map(|bin| bin.n).sum();
            let band = BandPlot::new(
                bins.iter().map(|bin| bin.x),
                bins.iter().map(|bin| bin.q1),
                bins.iter().map(|bin| bin.q3),
            )
            .with_color(colour(4))
            .with_opacity(0.35);
            let line = LinePlot::new()
                .with_data(bins.iter().map(|bin| (bin.x, bin.mean)))
                .with_color(colour(0))
                .with_stroke_width(2.0);
            (
                format!("{title} (n = {n})"),
                vec![Plot::Band(band), Plot::Line(line)],
            )
        })
        .collect();
    grid(figure, panels)
}

/// Largest fraction of a panel's height used by the bars that show the number of rows.
const SUPPORT: f64 = 0.15;

pub(super) fn curves(figure: &Figure, panels: &[(String, Vec<Bin>)]) -> String {
    let panels = panels
        .iter()
        .map(|(title, points)| {
            let ends = points.iter().flat_map(|p| [p.q1, p.q3, p.mean]);
            let (low, high) = ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), y| {
                (low.min(y), high.max(y))
            });
            let height = if high > low { high - low } else { 1.0 };
            let most = points.iter().map(|p| p.n).max().unwrap_or(1).max(1) as f64;
            let floor = low - height * SUPPORT * 1.2;
            let band = BandPlot::new(
                points.iter().map(|p| p.x),
                points.iter().map(|p| p.q1),
                points.iter().map(|p| p.q3),
            )
            .with_color(colour(4))
            .with_opacity(0.35);
            let line = LinePlot::new()
                .with_data(points.iter().map(|p| (p.x, p.mean)))
                .with_color(colour(0))
                .with_stroke_width(2.0);
            let mut plots = vec![Plot::Band(band), Plot::Line(line)];
            plots.extend(points.iter().filter(|p| p.n > 0).map(|p| {
                let top = floor + height * SUPPORT * p.n as f64 / most;
                let bar = LinePlot::new()
                    .with_data([(p.x, floor), (p.x, top)])
                    .with_color(colour(6))
                    .with_stroke_width(3.0);
                Plot::Line(bar)
            }));
            let n: usize = points.iter().map(|p| p.n).sum();
            (format!("{title} (n = {n})"), plots)
        })
        .collect();
    grid(figure, panels)
}

pub(super) fn grid(figure: &Figure, panels: Vec<(String, Vec<Plot>)>) -> String {
    let rows = panels.len().div_ceil(COLUMNS);
    let layouts = panels
        .iter()
        .map(|(title, plots)| {
            let layout = Layout::auto_from_plots(plots)
                .with_title(title)
                .with_x_label(&figure.x.label)
                .with_y_label(&figure.y.label)
                .with_font_family(super::FONT)
                .with_title_size(13)
                .with_label_size(11)
                .with_tick_size(10);
            match &figure.drawing {
                Drawing::Histograms(_) => layout.with_x_tick_step(25.0),
                _ => super::scales(layout, figure),
            }
        })
        .collect();
    let scene = Grid::new(rows, COLUMNS.min(panels.len()))
        .with_title(&figure.title)
        .with_title_size(15)
        .with_plots(panels.into_iter().map(|(_, plots)| plots).collect())
        .with_layouts(layouts)
        .with_cell_size(330.0, 260.0)
        .render();
    super::without_gaps(&SvgBackend::new().render_scene(&scene))
}
