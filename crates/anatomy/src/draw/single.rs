//! Figures with a single panel: boxes, heat map, points, dendrogram.

use kuva::plot::{BoxPlot, ColorMap, Heatmap, LinePlot, ScatterPlot};
use kuva::render::annotations::TextAnnotation;
use kuva::render::plots::Plot;
use study::section::Figure;

use super::{colour, layout, render};

pub(super) fn boxes(figure: &Figure, groups: &[(String, Vec<f64>)]) -> String {
    let mut plot = BoxPlot::new().with_color(colour(4)).with_width(0.5);
    for (label, values) in groups {
        plot = plot.with_group(label.as_str(), values.iter().copied());
    }
    let never_below = groups
        .iter()
        .flat_map(|(_, values)| values)
        .all(|value| *value >= 0.0);
    let plots = vec![Plot::Box(plot)];
    let layout = layout(figure, &plots);
    render(
        plots,
        if never_below {
            layout.with_y_axis_min(0.0)
        } else {
            layout
        },
    )
}

pub(super) fn heatmap(figure: &Figure, rows: &[String], columns: &[String], values: &[Vec<f64>]) -> String {
    // Black numbers must be legible on every cell, so the scale stays light; a scale with negative values is diverging.
    let ends = values.iter().flatten().filter(|value| value.is_finite());
    let (low, high) = ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &value| {
        (low.min(value), high.max(value))
    });
    let white = if low < 0.0 { 0.0 } else { low };
    let light = ColorMap::Custom(std::sync::Arc::new(move |share: f64| {
        let value = low + share.clamp(0.0, 1.0) * (high - low);
        let (far, [red, green, blue]) = if value >= white {
            ((value - white) / (high - white), [96.0, 178.0, 232.0])
        } else {
            ((white - value) / (white - low).max(high), [240.0, 175.0, 90.0])
        };
        let mix = |to: f64| (255.0 + far.clamp(0.0, 1.0) * (to - 255.0)) as u8;
        format!("#{:02x}{:02x}{:02x}", mix(red), mix(green), mix(blue))
    }));
    let plot = Heatmap::new()
        .with_data(values.iter().map(|row| row.iter().copied()))
        .with_labels(rows.to_vec(), columns.to_vec())
        .with_y_categories(rows.iter().map(String::as_str))
        .with_color_map(light)
        .with_values();
    let from_below = plot.row_labels.clone().unwrap_or_default();
    let plots = vec![Plot::Heatmap(plot)];
    let layout = layout(figure, &plots)
        .with_x_categories(columns.to_vec())
        .with_y_categories(from_below)
        .with_width(760.0)
        .with_height(520.0);
    // Many names side by side are written at an angle.
    let layout = if columns.len() > 8 {
        layout.with_x_tick_rotate(-45.0).with_height(640.0)
    } else {
        layout
    };
    render(plots, layout)
}

pub(super) fn points(
    figure: &Figure,
    series: &[(String, Vec<(f64, f64)>)],
    line: Option<[(f64, f64); 2]>,
    named: &[(String, (f64, f64))],
) -> String {
    let mut plots: Vec<Plot> = Vec::new();
    for (place, (name, points)) in series.iter().enumerate() {
        let mut plot = ScatterPlot::new()
            .with_data(points.iter().copied())
            .with_color(colour(place))
            .with_size(3.0)
            .with_marker_opacity(0.5);
        if series.len() > 1 {
            plot = plot.with_legend(name.as_str());
        }
        plots.push(Plot::Scatter(plot));
    }
    if let Some(ends) = line {
        plots.push(Plot::Line(
            LinePlot::new()
                .with_data(ends)
                .with_color(colour(5))
                .with_stroke_width(2.0),
        ));
    }
    // The last label of a logarithmic axis is half outside the axis; names of series need space.
    let right = if series.len() > 1 { 200.0 } else { 40.0 };
    let mut layout = layout(figure, &plots).with_force_margins(70.0, right);
    for (name, (x, y)) in names_with_room(series, named) {
        layout = layout.with_annotation(TextAnnotation::new(name, x, y).with_font_size(NAME_SIZE));
    }
    render(plots, layout)
}

/// Pixels of a name's letters.
const NAME_SIZE: u32 = 11;

/// Names that can be written above their points without covering each other, earlier ones first. Each has the middle of
/// its lower edge in the figure's units, moved sideways where the name would leave the panel.
pub(crate) fn names_with_room<'a>(
    series: &[(String, Vec<(f64, f64)>)],
    named: &'a [(String, (f64, f64))],
) -> Vec<(&'a str, (f64, f64))> {
    // About the size of the panel, and of a letter with the space around a line.
    const PANEL: (f64, f64) = (590.0, 360.0);
    const LETTER: (f64, f64) = (6.4, 15.0);
    let all = || series.iter().flat_map(|(_, points)| points);
    let span = |pick: fn(&(f64, f64)) -> f64| {
        let values = all().map(pick).filter(|value| value.is_finite());
        let ends = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        (ends.0, (ends.1 - ends.0).max(f64::MIN_POSITIVE))
    };
    let ((left, width), (bottom, height)) = (span(|point| point.0), span(|point| point.1));
    let mut taken: Vec<(f64, f64, f64)> = Vec::new();
    let mut kept = Vec::new();
    for (name, (x, y)) in named {
        let half = LETTER.0 * name.chars().count() as f64 / 2.0;
        let at = (x - left) / width * PANEL.0;
        let at = at.min(PANEL.0 - half).max(half);
        let above = (y - bottom) / height * PANEL.1;
        let meets = |(middle, other, half_of_other): &(f64, f64, f64)| {
            (middle - at).abs() < half + half_of_other && (other - above).abs() < LETTER.1
        };
        if x.is_finite() && y.is_finite() && !taken.iter().any(meets) {
            taken.push((at, above, half));
            kept.push((name.as_str(), (left + at / PANEL.0 * width, *y)));
        }
    }
    kept
}

/// Dendrogram with leaves at the left in merge order, joined at their merge distance.
pub(super) fn dendrogram(figure: &Figure, names: &[String], merges: &[(usize, usize, f64)]) -> String {
    let p = names.len();
    // Leaves of each cluster, kept so that merged clusters are adjacent.
    let mut members: Vec<Vec<usize>> = (0..p).map(|leaf| vec![leaf]).collect();
    for &(left, right, _) in merges {
        members.push([members[left].clone(), members[right].clone()].concat());
    }
    let order = members.last().cloned().unwrap_or_default();
    let mut place = vec![(0.0, 0.0); members.len()];
    for (y, &leaf) in order.iter().enumerate() {
        place[leaf] = (0.0, y as f64 + 1.0);
    }
    let mut plots = Vec::new();
    for (k, &(left, right, distance)) in merges.iter().enumerate() {
        let ((x0, y0), (x1, y1)) = (place[left], place[right]);
        let line = LinePlot::new()
            .with_data([(x0, y0), (distance, y0), (distance, y1), (x1, y1)])
            .with_color(colour(0))
            .with_stroke_width(2.0);
        plots.push(Plot::Line(line));
        place[p + k] = (distance, f64::midpoint(y0, y1));
    }
    let labels = order.iter().map(|&leaf| names[leaf].clone()).collect();
    let layout = layout(figure, &plots)
        .with_y_categories(labels)
        .with_x_axis_min(0.0)
        .with_x_axis_max(1.0)
        .with_y_axis_min(0.5)
        .with_y_axis_max(p as f64 + 0.5);
    render(plots, layout)
}

#[cfg(test)]
mod tests {
    use super::names_with_room;

    #[test]
    fn names_that_would_cover_others_are_left_out_and_none_leaves_the_panel() {
        let series = [("a".to_owned(), vec![(0.0, 0.0), (100.0, 100.0)])];
        let named = |name: &str, x: f64, y: f64| (name.to_owned(), (x, y));
        let all = [
            named("the best of all", 100.0, 100.0),
            named("as good, nearly", 98.0, 99.0),
            named("far below", 50.0, 20.0),
            named("nowhere", f64::NAN, 3.0),
        ];
        let kept = names_with_room(&series, &all);
        let names: Vec<&str> = kept.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["the best of all", "far below"]);
        // The middle of a name at the right end lies half its width further left, and its height stays.
        let (_, (x, y)) = kept[0];
        assert!((85.0..100.0).contains(&x), "{x}");
        assert_eq!((y, kept[1].1), (100.0, (50.0, 20.0)));
    }
}
