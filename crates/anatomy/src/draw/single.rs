//! Figures of one panel: boxes, heatmap, points, dendrogram.

use kuva::plot::{BoxPlot, ColorMap, Heatmap, LinePlot, ScatterPlot};
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
    // Black numbers must be read on every cell, so the scale stays light; below zero it turns from blue to orange.
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
    // Many names side by side stand slanted.
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
    // The last label of a logarithmic axis stands half outside; names of series need room.
    let right = if series.len() > 1 { 200.0 } else { 40.0 };
    let layout = layout(figure, &plots).with_force_margins(70.0, right);
    render(plots, layout)
}

/// Leaves at the left in the order of the merges, joined at their distance.
pub(super) fn dendrogram(figure: &Figure, names: &[String], merges: &[(usize, usize, f64)]) -> String {
    let p = names.len();
    // Each cluster's leaves, so that those merged stand side by side.
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
