//! Makes the row of `structures` for one checkpoint, from its own values, then its base's, then those of its nearest
//! names; each cell with the row of the source it came from.

use std::collections::BTreeMap;

use crate::config::stated;
use crate::known::Known;
use crate::observed::{DIMENSIONS, DimensionValues, Outside, Place};
use crate::origins;
use crate::resolve::admit::Asked;
use crate::resolve::inside::{From, Head, inside};
use crate::resolve::template::family_of;
use crate::resolve::weight::{self, SizeOrigin};
use crate::resolve::{Resolver, formula, heads, rest, vocabulary};
use crate::schema::Row;
use crate::tables::{Provenance, ResolvedBy, Structure};

/// Where the value of a cell comes from.
#[derive(Debug, Clone, Copy)]
struct Origin<'a> {
    how: &'static str,
    /// The checkpoint for which a source states it, and the position in that source.
    of: Option<(&'a Known, Place)>,
}

impl Resolver<'_> {
    /// The structure of checkpoint `at`, and the origin of each of its cells.
    pub(crate) fn structure(&self, at: u32) -> (Structure, Vec<Provenance>) {
        let known = &self.gathered.known[at as usize];
        let asked = Asked::of(known);
        let resolution = self.resolve(at, false);
        let of = resolution
            .from
            .and_then(|of| self.gathered.known.get(of as usize));
        let base = of.filter(|_| resolution.by != ResolvedBy::Exact);
        let mut dimensions = known.details.dimensions;
        let mut told = Vec::new();
        let mut open = false;
        if let Some(shape) = resolution.shape {
            for (cell, value) in dimensions.iter_mut().zip(shape) {
                *cell = Some(value);
            }
            if let Some(base) = base {
                dimensions[4] = dimensions[4].or(base.details.dimensions[4]);
                dimensions[5] =
                    dimensions[5].or_else(|| vocabulary::of_base(&self.pool, &asked, shape, base));
                // A name or a size only determines a shape; its vocabulary is filled in only where nearly all
                // checkpoints of the shape share one.
                let is_declared =
                    resolution.by == ResolvedBy::Lineage || known.details.dimensions[5].is_some();
                open = !is_declared
                    && dimensions[5].is_some_and(|vocab| {
                        !vocabulary::is_agreed(&self.pool, &asked, &self.gathered.known, shape, vocab)
                    });
                if open {
                    dimensions[5] = None;
                }
                dimensions[6] = dimensions[6].or(base.details.dimensions[6]);
            }
            if dimensions[4..].iter().any(Option::is_none) {
                let beside = (dimensions[4], of.and_then(|of| of.details.head_dim));
                // If the base's vocabulary is known and was refuted, neighbours must not replace it.
                let refuted = (!open || known.published().is_none())
                    && base.is_some_and(|base| base.details.dimensions[5].is_some());
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
        let outside = self.gathered.outside.get(&*known.id);
        let by_board = outside
            .filter(|_| known.details.dimensions[5].is_none())
            .and_then(|(outside, _)| proved_vocabulary(&asked, base, dimensions, outside))
            .filter(|&vocab| dimensions[5] != Some(vocab));
        if let Some(vocab) = by_board {
            dimensions[5] = Some(vocab);
            told.retain(|&name| name != DIMENSIONS[5]);
        }
        let [layers, d_model, d_ffn, heads, kv_heads, vocab_size, pos] = dimensions;
        let count = outside.and_then(|(outside, _)| outside.parameters);
        let head = self.head(&asked, base, dimensions, count);
        let tied = known.details.makeup.tied.or(head.map(Head::tied));
        let size = weight::billions(&self.pool, &asked, dimensions, base, tied);
        // A declared base determines its values; a name or a size only selects one of several checkpoints that share
        // the shape.
        let shared = resolution.shape.filter(|_| resolution.by != ResolvedBy::Lineage);
        let agreed = shared.and_then(|shape| self.agreed.get(&shape));
        let inside = inside(
            &asked,
            base,
            dimensions,
            agreed,
            (head, size.map(|(size, _)| size)),
        );
        let made = inside.makeup.counts.map(|counts| counts.total);
        // For a mixture the number of experts was determined after its size.
        let size = match (size, made) {
            (Some((_, SizeOrigin::Shape)), Some(made)) if asked.mixture => {
                Some((made as f64 / 1e9, SizeOrigin::Shape))
            }
            _ => size,
        };
        let size = weight::or_counted(size, count, made);
        let mut source = self.files(known, base);
        if let (Some(source), false) = (&mut source, told.is_empty()) {
            *source = format!("{source}; {} by the nearest names of the shape", told.join(", "));
        }
        let notes: Vec<String> = resolution
            .note
            .into_iter()
            .chain(size_doubt(known, size.map(|(size, _)| size)))
            .collect();
        let counts = inside.makeup.counts;
        let from = inside.from;
        let makeup = inside.makeup;
        let structure = Structure {
            id: known.id.to_string(),
            size: size.map(|(size, _)| size),
            d_model,
            d_ffn,
            heads,
            layers,
            kv_heads,
            vocab_size,
            pos,
            experts: makeup.experts,
            experts_per_token: makeup.experts_per_token,
            shared_experts: makeup.shared_experts,
            d_ffn_dense: makeup.d_ffn_dense,
            d_ffn_total_active: makeup.d_ffn_total_active,
            head_dim: makeup.head_dim,
            tied_embeddings: makeup.tied,
            attention: makeup.attention,
            parameters_by_shape: counts.map(|counts| counts.total),
            parameters_body: counts.map(|counts| counts.total - counts.outside),
            parameters_active_by_shape: counts.map(|counts| counts.active),
            date: known.published(),
            date_by: known.published_by().map(|(_, by, _)| by.to_owned()),
            resolved_by: resolution.by,
            source,
            conflicts: (!notes.is_empty()).then(|| notes.join("; ")),
        };
        let way = resolution.by.as_str();
        let origin = |field: &str| -> Option<Origin<'_>> {
            if let Some(column) = DIMENSIONS.iter().position(|name| *name == field) {
                if let (5, Some(_), Some(&(_, place))) = (column, by_board, outside) {
                    return Some(Origin {
                        how: "listed",
                        of: Some((known, place)),
                    });
                }
                let by_names = told.contains(&field);
                return Some(dimension(
                    known,
                    base,
                    (way, dimensions[column], by_names),
                    column,
                ));
            }
            if let Some(column) = stated::COLUMNS.iter().position(|name| *name == field) {
                return from[column].map(|from| match from {
                    From::Own(place) => stated(known, place),
                    From::Base(place) => Origin {
                        how: way,
                        of: base.map(|base| (base, place)),
                    },
                    From::Name => NAMED,
                    From::Formula => FORMULA,
                    From::Width => dimension(known, base, (way, dimensions[WIDTH], false), WIDTH),
                });
            }
            match field {
                "size" => Some(match size?.1 {
                    SizeOrigin::Counted => stated(known, known.details.parameters_place),
                    SizeOrigin::Base => Origin {
                        how: way,
                        of: base.map(|base| (base, base.details.parameters_place)),
                    },
                    SizeOrigin::Listed => Origin {
                        how: "listed",
                        of: Some((known, known.listed_place)),
                    },
                    SizeOrigin::Name => NAMED,
                    SizeOrigin::Shape => FORMULA,
                    SizeOrigin::Outside => Origin {
                        how: "listed",
                        of: outside.map(|&(_, place)| (known, place)),
                    },
                }),
                "date" => known.published_by().map(|(_, _, place)| stated(known, place)),
                "parameters_by_shape" | "parameters_body" | "parameters_active_by_shape" => Some(FORMULA),
                _ => None,
            }
        };
        let provenance = self.provenance(&structure, &origin);
        (structure, provenance)
    }

    /// Whether the output head is tied: by counted parameters of the checkpoint, else as most checkpoints of its shape.
    fn head(
        &self,
        asked: &Asked<'_>,
        base: Option<&Known>,
        dimensions: DimensionValues,
        outside: Option<f64>,
    ) -> Option<Head> {
        let [
            Some(layers),
            Some(d_model),
            Some(d_ffn),
            Some(heads),
            _,
            Some(vocab),
            _,
        ] = dimensions
        else {
            return None;
        };
        let family = asked.family.clone().or_else(|| family_of(base?))?;
        if asked.mixture {
            return None;
        }
        let head_dim = asked.head_dim(base);
        let counted = heads::counted(asked.known, outside);
        // A base with the same vocabulary has the same embedding and output head.
        let of_base = || {
            let base = base.filter(|base| base.details.dimensions[5] == Some(vocab))?;
            heads::told(self.gathered, base, &family)
        };
        let by_count = formula::head_of_count(&family, dimensions, head_dim, &counted);
        let by_listing = || heads::listed_tied(asked.known, dimensions, head_dim, &family);
        // A fine-tune's count may include a head that was stored separately; where the checkpoint's own config is
        // known, the count is that of the network.
        by_count
            .filter(|&tied| tied || base.is_none())
            .or_else(by_listing)
            .map(Head::Counted)
            .or_else(|| of_base().map(Head::Agreed))
            .or_else(|| {
                let shape = [layers, d_model, d_ffn, heads];
                self.heads.agreed(&family, shape, vocab).map(Head::Agreed)
            })
            .or(by_count.map(Head::Counted))
    }

    /// The provenance: one row for each cell that has an origin.
    fn provenance<'a>(
        &self,
        structure: &Structure,
        origin: &dyn Fn(&str) -> Option<Origin<'a>>,
    ) -> Vec<Provenance> {
        let cells = Structure::columns().iter().filter_map(|column| {
            let value = origins::text((column.get)(structure))?;
            let Origin { how, of } = origin(column.name)?;
            Some(Provenance {
                id: structure.id.clone(),
                field: column.name.to_owned(),
                value,
                how: how.to_owned(),
                of: of.map(|(of, _)| of.id.to_string()),
                source: of.map(|(_, place)| self.gathered.source(place.source)),
                row: of.map(|(_, place)| i64::from(place.row)),
            })
        });
        cells.collect()
    }

    /// The source files of the dimensions: those of the shape first, then further ones. Where they are of the base, its
    /// name is appended.
    fn files(&self, known: &Known, base: Option<&Known>) -> Option<String> {
        let stating = base.unwrap_or(known);
        let file = |one: &Known, column: usize| {
            one.details.dimensions[column]?;
            Some(self.gathered.source(one.details.dimension_places[column].source))
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

/// The vocabulary that a board lists, provided that with it the formula of the structure gives the number of parameters
/// that the same board counts; boards also list the sizes of tokenizers, which are smaller than the number of embedding
/// rows.
fn proved_vocabulary(
    asked: &Asked<'_>,
    base: Option<&Known>,
    mut dimensions: DimensionValues,
    outside: &Outside,
) -> Option<i64> {
    let (vocab, count) = (outside.vocabulary?, outside.parameters? / 1e9);
    let family = asked.family.clone().or_else(|| family_of(base?))?;
    let head_dim = asked.head_dim(base);
    let vocab = (vocab.fract() == 0.0 && (1.0..1e9).contains(&vocab)).then_some(vocab as i64)?;
    dimensions[5] = Some(vocab);
    let is_made =
        !asked.mixture && formula::makes(&family, dimensions, head_dim, (count, heads::SAME * count));
    is_made.then_some(vocab)
}

/// Index of `d_ffn` among the dimensions.
const WIDTH: usize = 2;
/// Computed by the formula of the structure.
const FORMULA: Origin<'_> = Origin {
    how: "formula",
    of: None,
};
/// Stated by the checkpoint's own name.
const NAMED: Origin<'_> = Origin {
    how: "named",
    of: None,
};

/// Stated by a source about the checkpoint itself.
fn stated(known: &Known, place: Place) -> Origin<'_> {
    Origin {
        how: "stated",
        of: Some((known, place)),
    }
}

/// Origin of a dimension: the nearest names of the shape if the value came from these, else the checkpoint's own
/// sources, else its base's.
fn dimension<'a>(
    known: &'a Known,
    base: Option<&'a Known>,
    (way, value, by_names): (&'static str, Option<i64>, bool),
    column: usize,
) -> Origin<'a> {
    if by_names {
        return Origin {
            how: "nearest_names",
            of: None,
        };
    }
    // The shape is taken from the base as a whole, even where a source states a part of it for the checkpoint too.
    let own = known.details.dimensions[column].is_some();
    match base {
        // A vocabulary other than the base's: the one with which the formula gives the listed size.
        Some(base) if !own && base.details.dimensions[column] != value => FORMULA,
        Some(base) if !own || column < 4 && base.details.dimensions[column].is_some() => Origin {
            how: way,
            of: Some((base, base.details.dimension_places[column])),
        },
        _ => stated(known, known.details.dimension_places[column]),
    }
}

/// A remark where the listed size is far from the one kept: packed weights, adapters, typing errors.
fn size_doubt(known: &Known, size: Option<f64>) -> Option<String> {
    let (listed, size) = (known.listed_size?, size?);
    (listed > 1.6 * size || size > 1.6 * listed).then(|| format!("size: {listed} listed, {size} kept"))
}
