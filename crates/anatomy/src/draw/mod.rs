//! Draws the study's figures as SVG, and converts these documents to other formats.
//!
//! Colours are those of Okabe and Ito (2008), distinguishable with any colour vision; series also differ in position,
//! marker or label, so that no figure depends on colour.

mod bars;
mod form;
mod intervals;
mod layers;
mod matrix;
#[cfg(feature = "images")]
mod paint;
mod panels;
mod single;

pub(crate) use form::Form;
use kuva::backend::svg::SvgBackend;
use kuva::render::layout::{Layout, TickFormat};
use kuva::render::plots::Plot;
use kuva::render::render::render_multiple;
pub(crate) use single::names_with_room;
use study::section::{Drawing, Figure};

/// Okabe and Ito's colours, the most legible first.
const COLOURS: [&str; 8] = [
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#999999", "#F0E442",
];

/// The figure as an SVG document.
pub(crate) fn svg(figure: &Figure) -> String {
    let text = match &figure.drawing {
        Drawing::Panels(panels) => layers::panels(figure, panels),
        Drawing::Intervals { rows, reference } => intervals::intervals(figure, rows, *reference),
        Drawing::Histograms(panels) => panels::histograms(figure, panels),
        Drawing::Bins(panels) => panels::bins(figure, panels),
        Drawing::Boxes(groups) => single::boxes(figure, groups),
        Drawing::Heatmap {
            rows,
            columns,
            values,
        } => single::heatmap(figure, rows, columns, values),
        Drawing::Points { series, line, named } => single::points(figure, series, *line, named),
        Drawing::Bars(bars) => bars::bars(figure, bars),
        Drawing::Curves(panels) => panels::curves(figure, panels),
        Drawing::Matrix(drawn) => matrix::matrix(figure, drawn),
        Drawing::Dendrogram { names, merges } => single::dendrogram(figure, names, merges),
    };
    scalable(&own_names(&text, &figure.id), &figure.title)
}

/// Adds a `viewBox`, without which a page that rescales the drawing would crop it, and a label for screen readers.
fn scalable(svg: &str, title: &str) -> String {
    let attribute = |name: &str| {
        let (_, rest) = svg.split_once(&format!(" {name}=\""))?;
        rest.split_once('"')?.0.parse::<f64>().ok()
    };
    let (Some(width), Some(height)) = (attribute("width"), attribute("height")) else {
        return svg.to_owned();
    };
    let title = title
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;");
    let head = format!("<svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{title}\"");
    svg.replacen("<svg", &head, 1)
}

/// Fonts available on most machines.
const FONT: &str = "DejaVu Sans, Helvetica, Arial, sans-serif";

fn colour(place: usize) -> &'static str {
    COLOURS[place % COLOURS.len()]
}

/// Title, axes and fonts shared by all figures.
fn layout(figure: &Figure, plots: &[Plot]) -> Layout {
    let layout = Layout::auto_from_plots(plots)
        .with_title(&figure.title)
        .with_x_label(&figure.x.label)
        .with_y_label(&figure.y.label)
        .with_font_family(FONT)
        .with_title_size(15)
        .with_label_size(12)
        .with_tick_size(11)
        .with_body_size(11)
        .with_width(860.0)
        .with_height(460.0);
    scales(layout, figure)
}

/// Logarithmic axes with powers of ten written out.
fn scales(layout: Layout, figure: &Figure) -> Layout {
    let plain = || TickFormat::Custom(std::sync::Arc::new(plain_number));
    match (figure.x.log, figure.y.log) {
        (true, true) => layout
            .with_log_scale()
            .with_x_tick_format(plain())
            .with_y_tick_format(plain()),
        (true, false) => layout.with_log_x().with_x_tick_format(plain()),
        (false, true) => layout.with_log_y().with_y_tick_format(plain()),
        (false, false) => layout,
    }
}

/// Formats a number with as few digits as necessary: 0.01, 0.1, 1, 1000.
fn plain_number(value: f64) -> String {
    let digits = if value > 0.0 && value < 1.0 {
        (-value.log10()).ceil().clamp(0.0, 9.0) as usize
    } else {
        0
    };
    let text = format!("{value:.digits$}");
    if value >= 1.0 && value.fract() > 1e-9 {
        value.to_string()
    } else {
        text
    }
}

fn render(plots: Vec<Plot>, layout: Layout) -> String {
    without_gaps(&SvgBackend::new().render_scene(&render_multiple(plots, layout)))
}

/// Removes elements with NaN coordinates: bars and intervals of unknown values.
fn without_gaps(svg: &str) -> String {
    let mut text = String::with_capacity(svg.len());
    for (number, piece) in svg.split('<').enumerate() {
        let is_gap = piece
            .split_once("/>")
            .is_some_and(|(element, _)| element.contains("\"NaN\""));
        match piece.split_once("/>") {
            Some((_, rest)) if is_gap => text.push_str(rest),
            _ if number > 0 => {
                text.push('<');
                text.push_str(piece);
            }
            _ => text.push_str(piece),
        }
    }
    text
}

/// Prefixes the ids inside an SVG with the figure's id, since several SVGs share one page.
fn own_names(svg: &str, id: &str) -> String {
    svg.replace(" id=\"", &format!(" id=\"{id}-"))
        .replace("url(#", &format!("url(#{id}-"))
        .replace("href=\"#", &format!("href=\"#{id}-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawing_knows_its_own_size() {
        let svg = scalable("<svg width=\"1040\" height=\"303.46\"><rect/></svg>", "a < \"b\"");
        let head = "<svg viewBox=\"0 0 1040 303.46\" role=\"img\" aria-label=\"a &lt; &quot;b&quot;\" width=\"1040\"";
        assert!(svg.starts_with(head), "{svg}");
    }
}
