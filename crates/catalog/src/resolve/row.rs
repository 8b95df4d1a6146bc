//! The row of `structures` for one checkpoint: what is its own, then what its base tells, then its nearest names; each
//! number with the file it came from.

use std::collections::BTreeMap;

use crate::known::Known;
use crate::observed::DIMENSIONS;
use crate::resolve::admit::Asked;
use crate::resolve::pool::family_of;
use crate::resolve::{Resolver, rest, vocabulary, weight};
use crate::tables::{ResolvedBy, Structure};

impl Resolver<'_> {
    /// One structure per checkpoint, in the order in which they were gathered.
    pub(crate) fn structure(&self, at: u32) -> Structure {
        let known = &self.gathered.known[at as usize];
        let asked = Asked::of(known);
        let resolution = self.resolve(at, false);
        let of = resolution
            .from
            .and_then(|of| self.gathered.known.get(of as usize));
        let base = of.filter(|_| resolution.by != ResolvedBy::Exact);
        let mut dimensions = known.details.dimensions;
        let mut told = Vec::new();
        if let Some(shape) = resolution.shape {
            for (cell, value) in dimensions.iter_mut().zip(shape) {
                *cell = Some(value);
            }
            if let Some(base) = base {
                dimensions[4] = dimensions[4].or(base.details.dimensions[4]);
                dimensions[5] =
                    dimensions[5].or_else(|| vocabulary::of_base(&self.pool, &asked, shape, base));
                dimensions[6] = dimensions[6].or(base.details.dimensions[6]);
            }
            if dimensions[4..].iter().any(Option::is_none) {
                let beside = (dimensions[4], of.and_then(|of| of.details.head_dim));
                // What is known of the base's vocabulary, and was refuted, is not made up for by its neighbours.
                let refuted = base.is_some_and(|base| base.details.dimensions[5].is_some());
                let family = asked.family.clone().or_else(|| family_of(of?));
                let admits = |vocab| {
                    let can =
                        |family: &str| vocabulary::can_have(&self.pool, &asked, family, shape, beside, vocab);
                    !refuted && family.as_deref().is_none_or(can)
                };
                let answers = self.rest.tell(known, shape, None, &admits);
                for ((cell, answer), name) in dimensions[4..].iter_mut().zip(answers).zip(rest::COLUMNS) {
                    if cell.is_none() {
                        *cell = answer;
                        told.extend(answer.map(|_| name));
                    }
                }
            }
        }
        let [layers, d_model, d_ffn, heads, kv_heads, vocab_size, pos] = dimensions;
        let size = weight::billions(&self.pool, &asked, dimensions, base);
        let mut source = self.files(known, base);
        if let (Some(source), false) = (&mut source, told.is_empty()) {
            *source = format!("{source}; {} by the nearest names of the shape", told.join(", "));
        }
        let notes: Vec<String> = resolution
            .note
            .into_iter()
            .chain(size_doubt(known, size))
            .collect();
        Structure {
            id: known.id.to_string(),
            size,
            d_model,
            d_ffn,
            heads,
            layers,
            kv_heads,
            vocab_size,
            pos,
            date: known.published(),
            date_by: known.published_by().map(|(_, by)| by.to_owned()),
            resolved_by: resolution.by,
            source,
            conflicts: (!notes.is_empty()).then(|| notes.join("; ")),
        }
    }

    /// The files that the dimensions came from: those of the shape first, then what others add. Of a base its name stands
    /// behind its file.
    fn files(&self, known: &Known, base: Option<&Known>) -> Option<String> {
        let stating = base.unwrap_or(known);
        let file = |one: &Known, column: usize| {
            one.details.dimensions[column]?;
            Some(self.gathered.source(one.details.dimension_sources[column]))
        };
        let mut of_shape: Vec<String> = Vec::new();
        for column in 0..4 {
            of_shape.extend(file(stating, column).filter(|file| !of_shape.contains(file)));
        }
        let mut beside: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for (column, name) in DIMENSIONS.into_iter().enumerate() {
            let own = file(known, column).or_else(|| file(base?, column).filter(|_| column >= 4));
            if let Some(own) = own.filter(|own| !of_shape.contains(own)) {
                beside.entry(own).or_default().push(name);
            }
        }
        if of_shape.is_empty() && beside.is_empty() {
            return None;
        }
        let mut text = of_shape.join(", ");
        if let Some(base) = base {
            text = format!("{text}: {}", base.id);
        }
        for (file, columns) in beside {
            let lead = if text.is_empty() { "" } else { "; " };
            text = format!("{text}{lead}{} of {file}", columns.join(", "));
        }
        Some(text)
    }
}

/// A listed size that is far from the one kept: packed weights, adapters, typing errors.
fn size_doubt(known: &Known, size: Option<f64>) -> Option<String> {
    let (listed, size) = (known.listed_size?, size?);
    (listed > 1.6 * size || size > 1.6 * listed).then(|| format!("size: {listed} listed, {size} kept"))
}
