//! Draws a checkpoint's structure to scale: widths in one unit, one row per layer.

use std::fmt::Write;

use catalog::tables::Structure;

/// Width of the drawing in SVG units.
const WIDE: f64 = 720.0;
/// Space at the left for layer numbers.
const LEFT: f64 = 56.0;
/// Maximum height of all layers together.
const TALL: f64 = 300.0;

/// An SVG with a description; `None` where layers, width or feed-forward width are unknown. CSS classes of the page set
/// the colours.
pub(crate) fn draw(structure: &Structure) -> Option<String> {
    let (layers, d_model, d_ffn) = (structure.layers?, structure.d_model?, structure.d_ffn?);
    if layers <= 0 || d_model <= 0 || d_ffn <= 0 {
        return None;
    }
    let heads = structure.heads.filter(|heads| (1..=512).contains(heads));
    let kv_heads = structure.kv_heads.filter(|heads| (1..=512).contains(heads));
    let gap = 18.0;
    let unit = (WIDE - LEFT - gap - 8.0) / (d_model + d_ffn) as f64;
    let (attention, feed_forward) = (d_model as f64 * unit, d_ffn as f64 * unit);
    let step = (TALL / layers as f64).min(12.0);
    let bar = (step * 0.72).max(0.5);
    let top = 64.0;
    let bottom = top + step * layers as f64;
    let tall = bottom + 62.0;
    let mut svg = String::new();
    let _ = write!(
        svg,
        "<svg class=\"structure\" viewBox=\"0 0 {WIDE} {tall:.0}\" role=\"img\" aria-label=\"{layers} layers; attention \
         {d_model} wide{}; feed-forward {d_ffn} wide; widths to one scale\">",
        match (heads, kv_heads) {
            (Some(heads), Some(kv)) => format!(" in {heads} heads over {kv} key and value heads"),
            (Some(heads), None) => format!(" in {heads} heads"),
            _ => String::new(),
        }
    );
    let _ = write!(
        svg,
        "<text x=\"{LEFT}\" y=\"14\">attention: {d_model} wide</text>\
         <text x=\"{:.1}\" y=\"14\" text-anchor=\"end\">feed-forward: {d_ffn} wide</text>",
        WIDE - 8.0
    );
    ticks(&mut svg, heads, attention, 22.0, "query");
    ticks(&mut svg, kv_heads, attention, 38.0, "key");
    for layer in 0..layers {
        // The first layer, where the input enters, is at the bottom.
        let y = bottom - step * (layer + 1) as f64;
        let _ = write!(
            svg,
            "<rect class=\"attention\" x=\"{LEFT}\" y=\"{y:.2}\" width=\"{attention:.2}\" height=\"{bar:.2}\"/>\
             <rect class=\"feed\" x=\"{:.2}\" y=\"{y:.2}\" width=\"{feed_forward:.2}\" height=\"{bar:.2}\"/>",
            LEFT + attention + gap
        );
        if layer == 0 || layer + 1 == layers {
            let _ = write!(
                svg,
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                LEFT - 6.0,
                y + bar / 2.0 + 4.0,
                layer + 1
            );
        }
    }
    let scale = nice(d_model as f64);
    let _ = write!(
        svg,
        "<path class=\"scale\" d=\"M{LEFT} {y:.1}v6h{w:.2}v-6\" fill=\"none\"/><text x=\"{LEFT}\" y=\"{t:.1}\">{scale} dimensions</text>",
        y = bottom + 12.0,
        w = scale * unit,
        t = bottom + 36.0,
    );
    let _ = write!(
        svg,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{layers} layers, one row each, the first at the bottom</text></svg>",
        WIDE - 8.0,
        bottom + 36.0
    );
    Some(svg)
}

/// One box per head; together they are as wide as the attention.
fn ticks(svg: &mut String, heads: Option<i64>, wide: f64, y: f64, class: &str) {
    let Some(heads) = heads else { return };
    let each = wide / heads as f64;
    for head in 0..heads {
        let _ = write!(
            svg,
            "<rect class=\"{class}\" x=\"{:.2}\" y=\"{y}\" width=\"{:.2}\" height=\"12\"/>",
            LEFT + each * head as f64,
            each * 0.86
        );
    }
}

/// The largest of 1, 2 or 5 times a power of ten that is at most half of `value`.
fn nice(value: f64) -> f64 {
    let power = 10f64.powf((value / 2.0).log10().floor());
    [5.0, 2.0, 1.0]
        .iter()
        .map(|step| step * power)
        .find(|step| *step <= value / 2.0)
        .unwrap_or(power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_stand_to_each_other_as_the_dimensions() {
        let structure = Structure {
            layers: Some(2),
            d_model: Some(4096),
            d_ffn: Some(8192),
            heads: Some(32),
            kv_heads: Some(8),
            ..Structure::default()
        };
        let svg = draw(&structure).expect("known dimensions");
        let widths = |class: &str| -> Vec<f64> {
            svg.split("<rect ")
                .filter(|rect| rect.starts_with(&format!("class=\"{class}\"")))
                .map(|rect| {
                    let (_, rest) = rect.split_once("width=\"").expect("a width");
                    rest.split('"')
                        .next()
                        .expect("its value")
                        .parse()
                        .expect("a number")
                })
                .collect()
        };
        let (attention, feed) = (widths("attention"), widths("feed"));
        assert_eq!((attention.len(), feed.len()), (2, 2));
        assert!((feed[0] / attention[0] - 2.0).abs() < 1e-3);
        assert_eq!((widths("query").len(), widths("key").len()), (32, 8));
        assert!(draw(&Structure::default()).is_none());
    }
}
