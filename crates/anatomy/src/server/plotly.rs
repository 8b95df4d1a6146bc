//! Converts the study's figures to Plotly traces and layout.
//!
//! Numbers are taken from the figure; only their arrangement is computed here. Colours and fonts are set by the page's
//! theme (`static/charts.js`).

use serde_json::{Value, json};
use study::section::{Axis, Bar, Bin, Drawing, Figure, Layer};

use crate::draw::names_with_room;

/// `{ data, layout }` for `Plotly.newPlot`.
pub(crate) fn spec(figure: &Figure) -> Value {
    let (data, mut layout) = match &figure.drawing {
        Drawing::Histograms(panels) => panels_of(figure, panels.len(), |place| {
            let (name, values) = &panels[place];
            let trace = json!({ "type": "histogram", "x": values, "name": name, "nbinsx": 25,
                "hovertemplate": "%{x}: %{y} rows<extra></extra>" });
            (format!("{name} (n = {})", values.len()), vec![trace])
        }),
        Drawing::Bins(panels) => panels_of(figure, panels.len(), |place| {
            let (name, bins) = &panels[place];
            (format!("{name} (n = {})", rows(bins)), band(bins, "quartiles"))
        }),
        Drawing::Curves(panels) => panels_of(figure, panels.len(), |place| {
            let (name, bins) = &panels[place];
            (format!("{name} (n = {})", rows(bins)), band(bins, "interval"))
        }),
        Drawing::Panels(panels) if panels.len() == 1 => single(figure, layers(&panels[0].layers, true)),
        Drawing::Panels(panels) => panels_of(figure, panels.len(), |place| {
            (
                panels[place].title.clone(),
                layers(&panels[place].layers, place == 0),
            )
        }),
        Drawing::Intervals { rows, reference } => intervals(figure, rows, *reference),
        Drawing::Boxes(groups) => {
            let traces = groups.iter().map(|(name, values)| {
                json!({ "type": "box", "y": values, "name": format!("{name}<br>n = {}", values.len()),
                    "boxpoints": "outliers", "showlegend": false })
            });
            single(figure, traces.collect())
        }
        Drawing::Heatmap {
            rows,
            columns,
            values,
        } => {
            let text: Vec<Vec<String>> = values
                .iter()
                .map(|row| row.iter().map(|value| crate::output::number(*value)).collect())
                .collect();
            // With gaps, Plotly draws cell by cell. A colour bar would use inline styles, which the security policy
            // forbids; the cells contain the numbers instead.
            let trace = json!({ "type": "heatmap", "x": columns, "y": rows, "z": values, "text": text,
                "texttemplate": "%{text}", "colorscale": "Cividis", "showscale": false, "xgap": 1, "ygap": 1,
                "hovertemplate": "%{y}, %{x}: %{z}<extra></extra>" });
            let (data, mut layout) = single(figure, vec![trace]);
            layout["yaxis"]["autorange"] = json!("reversed");
            layout["yaxis"]["type"] = json!("category");
            layout["xaxis"]["type"] = json!("category");
            (data, layout)
        }
        Drawing::Bars(bars) => single(figure, bar_traces(bars)),
        Drawing::Points { series, line, named } => {
            let mut traces: Vec<Value> = series
                .iter()
                .map(|(name, points)| {
                    let (x, y): (Vec<f64>, Vec<f64>) = points.iter().copied().unzip();
                    json!({ "type": "scatter", "mode": "markers", "name": name, "x": x, "y": y,
                        "marker": { "size": 5, "opacity": 0.55 }, "showlegend": series.len() > 1 })
                })
                .collect();
            if let Some([(x0, y0), (x1, y1)]) = line {
                traces.push(
                    json!({ "type": "scatter", "mode": "lines", "name": "straight line",
                    "x": [x0, x1], "y": [y0, y1], "line": { "width": 2 }, "hoverinfo": "skip" }),
                );
            }
            if !named.is_empty() {
                traces.push(names(series, named));
            }
            single(figure, traces)
        }
        Drawing::Matrix(matrix) => {
            let bars: Vec<Bar> = matrix
                .rows
                .iter()
                .flat_map(|row| {
                    let cells = row.cells.iter().zip(&matrix.columns);
                    let marks =
                        cells.flat_map(|(marks, column)| marks.iter().map(move |mark| (mark, column)));
                    marks.map(|(mark, column)| Bar {
                        group: column.clone(),
                        series: format!("{}, {}", row.name, mark.evidence.words()),
                        value: mark.value,
                        interval: mark.interval,
                    })
                })
                .collect();
            intervals(figure, &bars, 0.0)
        }
        Drawing::Dendrogram { names, merges } => dendrogram(figure, names, merges),
    };
    layout["title"] = json!({ "text": format!("{} (n = {})", figure.title, figure.n), "x": 0.0, "xref": "paper",
        "xanchor": "left", "font": { "size": 15 } });
    layout["hovermode"] = json!("closest");
    json!({ "id": figure.id, "data": data, "layout": layout })
}

fn axis(axis: &Axis) -> Value {
    json!({ "title": { "text": axis.label }, "type": if axis.log { "log" } else { "-" }, "automargin": true })
}

fn single(figure: &Figure, data: Vec<Value>) -> (Value, Value) {
    let layout = json!({ "xaxis": axis(&figure.x), "yaxis": axis(&figure.y), "height": 460, "barmode": "group",
        "margin": { "t": 50, "r": 20 }, "legend": { "orientation": "h", "y": -0.25 } });
    (Value::Array(data), layout)
}

fn rows(bins: &[Bin]) -> usize {
    bins.iter().map(|bin| bin.n).sum()
}

/// Points that have a name: all say it where one points at them, and those with room have it written above.
fn names(series: &[(String, Vec<(f64, f64)>)], named: &[(String, (f64, f64))]) -> Value {
    let written = names_with_room(series, named);
    let written: Vec<&str> = named
        .iter()
        .map(|(name, _)| {
            let has_room = written.iter().any(|(kept, _)| kept == name);
            if has_room { name.as_str() } else { "" }
        })
        .collect();
    let (names, (x, y)): (Vec<&str>, (Vec<f64>, Vec<f64>)) =
        named.iter().map(|(name, point)| (name.as_str(), *point)).unzip();
    json!({ "type": "scatter", "mode": "markers+text", "x": x, "y": y, "text": written, "hovertext": names,
        "textposition": "top center", "hovertemplate": "%{hovertext}: %{y:.1f} at %{x:.1f}<extra></extra>",
        "marker": { "size": 7 }, "cliponaxis": false, "showlegend": false })
}

/// A grid of small charts with separate axes.
fn panels_of(figure: &Figure, n: usize, panel: impl Fn(usize) -> (String, Vec<Value>)) -> (Value, Value) {
    let columns = 3.min(n.max(1));
    let n_rows = n.div_ceil(columns).max(1);
    let mut data = Vec::new();
    let mut notes = Vec::new();
    let mut layout = json!({ "grid": { "rows": n_rows, "columns": columns, "pattern": "independent",
        "xgap": 0.16, "ygap": 0.34 }, "height": 90 + 250 * n_rows, "showlegend": false,
        "margin": { "t": 70, "r": 20 } });
    for place in 0..n {
        let number = if place == 0 {
            String::new()
        } else {
            (place + 1).to_string()
        };
        let (title, traces) = panel(place);
        for mut trace in traces {
            trace["xaxis"] = json!(format!("x{number}"));
            trace["yaxis"] = json!(format!("y{number}"));
            data.push(trace);
        }
        layout[format!("xaxis{number}")] = axis(&figure.x);
        layout[format!("yaxis{number}")] = axis(&figure.y);
        notes.push(
            json!({ "text": title, "showarrow": false, "x": 0.5, "y": 1.0, "yshift": 14,
            "xref": format!("x{number} domain"), "yref": format!("y{number} domain"),
            "xanchor": "center", "yanchor": "middle", "font": { "size": 12 } }),
        );
    }
    layout["annotations"] = json!(notes);
    (json!(data), layout)
}

/// A line of means over a band.
fn band(bins: &[Bin], between: &str) -> Vec<Value> {
    let bins: Vec<&Bin> = bins.iter().filter(|bin| bin.mean.is_finite()).collect();
    let x: Vec<f64> = bins.iter().map(|bin| bin.x).collect();
    let column = |pick: fn(&Bin) -> f64| bins.iter().map(|bin| pick(bin)).collect::<Vec<f64>>();
    let n: Vec<usize> = bins.iter().map(|bin| bin.n).collect();
    let (low, high) = (column(|bin| bin.q1), column(|bin| bin.q3));
    let ends: Vec<Value> = (0..n.len()).map(|at| json!([n[at], low[at], high[at]])).collect();
    vec![
        json!({ "type": "scatter", "mode": "lines", "x": x, "y": low, "line": { "width": 0 }, "hoverinfo": "skip" }),
        json!({ "type": "scatter", "mode": "lines", "x": x, "y": high, "line": { "width": 0 }, "fill": "tonexty",
            "fillcolor": "rgba(86,180,233,0.3)", "hoverinfo": "skip" }),
        json!({ "type": "scatter", "mode": "lines+markers", "x": x, "y": column(|bin| bin.mean), "customdata": ends,
            "line": { "color": "#0072B2" },
            "hovertemplate": format!("%{{x}}: %{{y:.4g}} ({between} %{{customdata[1]:.4g}} to %{{customdata[2]:.4g}}, n = %{{customdata[0]}})<extra></extra>") }),
    ]
}

fn bar_traces(bars: &[Bar]) -> Vec<Value> {
    let mut names: Vec<&str> = Vec::new();
    for bar in bars {
        if !names.contains(&bar.series.as_str()) {
            names.push(&bar.series);
        }
    }
    names
        .iter()
        .map(|name| {
            let own: Vec<&Bar> = bars.iter().filter(|bar| bar.series == *name).collect();
            let ends = |pick: fn(&Bar, (f64, f64)) -> f64| -> Vec<Option<f64>> {
                own.iter().map(|bar| bar.interval.map(|ends| pick(bar, ends))).collect()
            };
            json!({ "type": "bar", "name": name,
                "x": own.iter().map(|bar| bar.group.as_str()).collect::<Vec<_>>(),
                "y": own.iter().map(|bar| bar.value).collect::<Vec<_>>(),
                "error_y": { "type": "data", "symmetric": false, "visible": true, "thickness": 1.2, "width": 3,
                    "array": ends(|bar, (_, high)| high - bar.value),
                    "arrayminus": ends(|bar, (low, _)| bar.value - low) },
                "showlegend": names.len() > 1 })
        })
        .collect()
}

/// Okabe and Ito's colours, as in the page's script: a series keeps its colour in all panels.
const COLOURS: [&str; 8] = [
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#999999", "#F0E442",
];

/// Traces for points, lines and bands of one panel; each series is in the legend once.
fn layers(layers: &[Layer], in_legend: bool) -> Vec<Value> {
    let mut names: Vec<&str> = Vec::new();
    let mut told: Vec<&str> = Vec::new();
    let mut traces = Vec::new();
    for layer in layers {
        if let Layer::Markers { name, .. } | Layer::Line { name, .. } | Layer::Band { name, .. } = layer
            && !names.contains(&name.as_str())
        {
            names.push(name);
        }
    }
    for layer in layers {
        let (name, mut trace) = match layer {
            Layer::Markers { name, points, sizes } => {
                let (x, y): (Vec<f64>, Vec<f64>) = points.iter().copied().unzip();
                let most = sizes.iter().copied().fold(0.0, f64::max);
                let size = if sizes.is_empty() || most <= 0.0 {
                    json!(6)
                } else {
                    // The area of a marker is proportional to its value.
                    json!(
                        sizes
                            .iter()
                            .map(|size| 3.0 + 15.0 * (size / most).sqrt())
                            .collect::<Vec<_>>()
                    )
                };
                (
                    name,
                    json!({ "type": "scatter", "mode": "markers", "x": x, "y": y, "customdata": sizes,
                    "marker": { "size": size, "opacity": 0.7 } }),
                )
            }
            Layer::Line { name, points, step } => {
                let (x, y): (Vec<f64>, Vec<f64>) = points.iter().copied().unzip();
                let shape = if *step { "hv" } else { "linear" };
                (
                    name,
                    json!({ "type": "scatter", "mode": "lines", "x": x, "y": y, "line": { "shape": shape, "width": 2 } }),
                )
            }
            Layer::Band { name, points } => {
                let forth = points.iter().map(|point| (point.0, point.2));
                let back = points.iter().rev().map(|point| (point.0, point.1));
                let (x, y): (Vec<f64>, Vec<f64>) = forth.chain(back).unzip();
                (
                    name,
                    json!({ "type": "scatter", "mode": "lines", "x": x, "y": y, "fill": "toself", "opacity": 0.25,
                    "line": { "width": 0 }, "hoverinfo": "skip", "showlegend": false }),
                )
            }
            Layer::Level { y, label } => {
                let xs: Vec<f64> = layers.iter().flat_map(places).collect();
                let (low, high) = xs
                    .iter()
                    .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| {
                        (low.min(*x), high.max(*x))
                    });
                if low <= high {
                    traces.push(json!({ "type": "scatter", "mode": "lines+text", "x": [low, high], "y": [y, y],
                        "text": [label, ""], "textposition": "top right", "showlegend": false, "hoverinfo": "skip",
                        "line": { "dash": "dash", "width": 1, "color": "#999999" } }));
                }
                continue;
            }
        };
        let place = names.iter().position(|other| other == name).unwrap_or_default();
        let colour = COLOURS[place % COLOURS.len()];
        if trace["mode"] == "markers" {
            trace["marker"]["color"] = json!(colour);
        } else {
            trace["line"]["color"] = json!(colour);
        }
        if trace["fill"] == "toself" {
            trace["fillcolor"] = json!(colour);
        } else {
            trace["showlegend"] = json!(in_legend && names.len() > 1 && !told.contains(&name.as_str()));
            told.push(name);
        }
        trace["name"] = json!(name);
        trace["legendgroup"] = json!(name);
        traces.push(trace);
    }
    traces
}

/// The x coordinates of a layer.
fn places(layer: &Layer) -> Vec<f64> {
    match layer {
        Layer::Markers { points, .. } | Layer::Line { points, .. } => {
            points.iter().map(|point| point.0).collect()
        }
        Layer::Band { points, .. } => points.iter().map(|point| point.0).collect(),
        Layer::Level { .. } => Vec::new(),
    }
}

/// One row per value with its interval along x, one panel per group.
fn intervals(figure: &Figure, rows: &[Bar], reference: f64) -> (Value, Value) {
    let mut groups: Vec<&str> = Vec::new();
    for row in rows {
        if !groups.contains(&row.group.as_str()) {
            groups.push(&row.group);
        }
    }
    let (data, mut layout) = panels_of(figure, groups.len(), |place| {
        let own: Vec<&Bar> = rows.iter().filter(|row| row.group == groups[place]).collect();
        let ends = |pick: fn(&Bar, (f64, f64)) -> f64| -> Vec<Option<f64>> {
            own.iter()
                .map(|row| row.interval.map(|ends| pick(row, ends)))
                .collect()
        };
        let names: Vec<&str> = own.iter().map(|row| row.series.as_str()).collect();
        let mut traces = vec![json!({ "type": "scatter", "mode": "markers", "y": names,
            "x": own.iter().map(|row| row.value).collect::<Vec<_>>(),
            "marker": { "size": 7, "color": COLOURS[0] },
            "error_x": { "type": "data", "symmetric": false, "thickness": 1.2, "width": 3,
                "array": ends(|row, (_, high)| high - row.value),
                "arrayminus": ends(|row, (low, _)| row.value - low) },
            "hovertemplate": "%{y}: %{x:.4g}<extra></extra>" })];
        if reference.is_finite()
            && let (Some(first), Some(last)) = (names.first(), names.last())
        {
            traces.push(
                json!({ "type": "scatter", "mode": "lines", "x": [reference, reference], "y": [first, last],
                "hoverinfo": "skip", "line": { "dash": "dash", "width": 1, "color": "#999999" } }),
            );
        }
        (groups[place].to_owned(), traces)
    });
    for (key, axis) in layout.as_object_mut().into_iter().flatten() {
        if key.starts_with("yaxis") {
            axis["autorange"] = json!("reversed");
            axis["type"] = json!("category");
        }
    }
    let most = groups
        .iter()
        .map(|group| rows.iter().filter(|row| row.group == **group).count())
        .max()
        .unwrap_or(1);
    let lines = groups.len().div_ceil(3).max(1);
    layout["height"] = json!(110 + lines * (60 + 22 * most).max(230));
    (data, layout)
}

/// Dendrogram with leaves in merge order, joined at their merge distance.
fn dendrogram(figure: &Figure, names: &[String], merges: &[(usize, usize, f64)]) -> (Value, Value) {
    let mut members: Vec<Vec<usize>> = (0..names.len()).map(|leaf| vec![leaf]).collect();
    for &(left, right, _) in merges {
        members.push([members[left].clone(), members[right].clone()].concat());
    }
    let order = members.last().cloned().unwrap_or_default();
    let mut spot = vec![(0.0, 0.0); members.len()];
    for (y, &leaf) in order.iter().enumerate() {
        spot[leaf] = (0.0, y as f64);
    }
    let mut traces = Vec::new();
    for (k, &(left, right, distance)) in merges.iter().enumerate() {
        let ((x0, y0), (x1, y1)) = (spot[left], spot[right]);
        traces.push(
            json!({ "type": "scatter", "mode": "lines", "showlegend": false, "line": { "color": "#0072B2" },
            "x": [x0, distance, distance, x1], "y": [y0, y0, y1, y1],
            "hovertemplate": "joined at %{x:.3f}<extra></extra>" }),
        );
        spot[names.len() + k] = (distance, f64::midpoint(y0, y1));
    }
    let (data, mut layout) = single(figure, traces);
    layout["yaxis"]["tickvals"] = json!((0..order.len()).collect::<Vec<_>>());
    layout["yaxis"]["ticktext"] = json!(order.iter().map(|&leaf| &names[leaf]).collect::<Vec<_>>());
    (data, layout)
}
