//! Removes statements of sources that cannot be true, before structures are resolved; each removal is recorded as a
//! conflict.
//!
//! | rule | what it says |
//! | --- | --- |
//! | `base_younger_than_checkpoint` | nothing is made from what was published later |
//! | `unlike_its_base` | a table gives a tuned checkpoint (`X-it`, `X-Instruct`, `X-chat`) another shape than `X` has |
//! | `name_over_count` | a mixture's count far below the size that its name states leaves out its experts |
//! | `shape_over_count` | a count below what the checkpoint's own dimensions make leaves out embeddings, or is of packed weights |

use std::sync::Arc;

use crate::calendar::{self, DATES_APART};
use crate::config::stated::Makeup;
use crate::gather::{Clash, Gathered};
use crate::known::Known;
use crate::resolve::admit::is_mixture;
use crate::resolve::formula::by_shape;
use crate::resolve::in_words;
use crate::resolve::lineage::declared;
use crate::resolve::listed::is_packed;
use crate::resolve::template::family_of;
use crate::resolve::weight::APART;
use crate::words::{Stated, sizes};

/// A count below this share of what the dimensions imply does not include all parameters.
const ALL: f64 = 0.93;

/// Removes from `gathered` what cannot be true, by the rules above.
pub(crate) fn refute(gathered: &mut Gathered) {
    for at in 0..gathered.known.len() as u32 {
        let known = &gathered.known[at as usize];
        if let Some((base, day)) = younger_base(gathered, known) {
            let kept = format!("none: published {}", calendar::text(day.0));
            let other = format!("{base}: published {}", calendar::text(day.1));
            let source = known.base_source;
            clash(
                gathered,
                at,
                "base",
                (kept, other),
                source,
                "base_younger_than_checkpoint",
            );
            let known = &mut gathered.known[at as usize];
            known.base = None;
            known.base_relation = None;
        }
        if let Some((base, kept, other)) = unlike_base(gathered, at) {
            let known = &mut gathered.known[at as usize];
            let source = known.details.dimension_places[0].source;
            known.details.dimensions = [None; 7];
            known.details.parameters_total = None;
            known.details.makeup = Makeup::NONE;
            let values = (format!("{kept}: {base}"), other);
            clash(gathered, at, "shape", values, source, "unlike_its_base");
        }
        let known = &gathered.known[at as usize];
        let by_shape = short_count(known).map(|found| (found, "shape_over_count"));
        let short = by_shape.or_else(|| Some((without_experts(known)?, "name_over_count")));
        if let Some(((count, made), rule)) = short {
            let source = known.details.parameters_place.source;
            let values = ((made * 1e9).round().to_string(), count.to_string());
            clash(gathered, at, "parameters_total", values, source, rule);
            gathered.known[at as usize].details.parameters_total = None;
        }
    }
}

fn clash(
    gathered: &mut Gathered,
    at: u32,
    field: &'static str,
    (kept, other): (String, String),
    source: u16,
    rule: &'static str,
) {
    gathered.clashes.push(Clash {
        at,
        field,
        kept: Arc::from(kept),
        other: Arc::from(other),
        kept_source: source,
        other_source: source,
        rule,
    });
}

/// A declared base that was published after the checkpoint, with the days of the checkpoint and of the base.
fn younger_base(gathered: &Gathered, known: &Known) -> Option<(String, (i32, i32))> {
    let base = declared(known.base.as_deref()?)?;
    let day = gathered.known[gathered.find(base)? as usize].published()?;
    let own = known.published()?;
    (day > own + DATES_APART).then(|| (base.to_owned(), (own, day)))
}

/// Endings of names of checkpoints that were tuned from the one with the name before the ending.
const TUNED: [&str; 4] = ["-it", "-instruct", "-chat", "-sft"];

/// For a tuned checkpoint whose layers or width differ from its base's, unless stated by its own config: the base's id,
/// the base's shape and the checkpoint's shape, in words.
fn unlike_base(gathered: &Gathered, at: u32) -> Option<(String, String, String)> {
    let known = &gathered.known[at as usize];
    let shape = known.shape()?;
    if gathered
        .configs
        .contains(&known.details.dimension_places[0].source)
    {
        return None;
    }
    let lower = known.id.to_ascii_lowercase();
    let stem = TUNED.iter().find_map(|end| lower.strip_suffix(end))?;
    let base = gathered.find(&known.id[..stem.len()])?;
    let base = &gathered.known[base as usize];
    let theirs = base.shape()?;
    (theirs[..2] != shape[..2]).then(|| (base.id.to_string(), in_words(theirs), in_words(shape)))
}

/// A count that is too small for the checkpoint's own dimensions, and the size those imply, in billions.
fn short_count(known: &Known) -> Option<(i64, f64)> {
    let count = known.details.parameters_total?;
    if is_packed(known) || is_mixture(known) || known.is_multimodal == Some(true) {
        return None;
    }
    let details = &known.details;
    details.dimensions[4]?;
    let made = by_shape(
        &family_of(known)?,
        details.dimensions,
        details.head_dim,
        None,
        None,
    );
    let least = made.iter().copied().min_by(f64::total_cmp)?;
    let usual = *made.first()?;
    ((count as f64) < ALL * least * 1e9).then_some((count, usual))
}

/// A mixture's count that is far below the size stated in its name, and that size, in billions.
fn without_experts(known: &Known) -> Option<(i64, f64)> {
    let count = known.details.parameters_total?;
    if is_packed(known) || !is_mixture(known) {
        return None;
    }
    let stated = sizes(&known.id).into_iter().find_map(|stated| match stated {
        Stated::Dense(size) => Some(size),
        Stated::Mixture(..) => None,
    })?;
    (count as f64 * APART < stated * 1e9).then_some((count, stated))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::known::Detail;
    use crate::observed::Place;

    fn gathered(known: Vec<Known>) -> Gathered {
        let mut gathered = Gathered {
            sources: vec!["a.json".into()],
            ..Gathered::default()
        };
        for (at, one) in known.into_iter().enumerate() {
            gathered.known.push(one);
            gathered.index.add(&gathered.known, at as u32);
        }
        gathered
    }

    #[test]
    fn nothing_is_made_from_what_came_later() {
        let dated = |id: &str, day, base: Option<&str>| Known {
            id: id.into(),
            uploaded: Some(day),
            base: base.map(Into::into),
            base_relation: base.map(|_| "declared".into()),
            ..Known::default()
        };
        let mut all = gathered(vec![
            dated("org/tiger-7B-v1", 100, Some("org/tiger-7B-v3")),
            dated("org/tiger-7B-v3", 400, None),
            dated("org/cub", 395, Some("org/tiger-7B-v3")),
        ]);
        refute(&mut all);
        assert_eq!((&all.known[0].base, &all.known[0].base_relation), (&None, &None));
        assert_eq!(all.known[2].base.as_deref(), Some("org/tiger-7B-v3"));
        assert_eq!(all.clashes.len(), 1);
        assert_eq!(all.conflict(&all.clashes[0]).rule, "base_younger_than_checkpoint");
    }

    #[test]
    fn a_count_without_embeddings_is_none() {
        let counted = |count| Known {
            id: "org/tiger".into(),
            architecture: Some("MistralForCausalLM".into()),
            details: Detail {
                dimensions: [32, 4096, 14_336, 32, 8, 32_000, 4096].map(Some),
                parameters_total: Some(count),
                ..Detail::default()
            }
            .into(),
            ..Known::default()
        };
        for (count, kept) in [
            (6_036_652_032, None),
            (7_241_732_096, Some(7_241_732_096)),
            (7_500_000_000, Some(7_500_000_000)),
        ] {
            let mut all = gathered(vec![counted(count)]);
            refute(&mut all);
            assert_eq!(all.known[0].details.parameters_total, kept);
            assert_eq!(all.clashes.len(), usize::from(kept.is_none()));
        }
    }

    #[test]
    fn a_tuned_checkpoint_has_the_shape_of_its_base() {
        let shaped = |id: &str, layers, source| {
            let mut details = Detail {
                dimensions: [Some(layers), Some(2048), Some(8192), Some(8), None, None, None],
                ..Detail::default()
            };
            details.dimension_places = [Place::new(source, 3); 7];
            Known {
                id: id.into(),
                details: details.into(),
                ..Known::default()
            }
        };
        let mut all = gathered(vec![
            shaped("zoo/cub-2b", 18, 1),
            shaped("zoo/cub-2b-it", 26, 1),
            shaped("zoo/kit-2b", 18, 1),
            shaped("zoo/kit-2b-Instruct", 20, 0),
            shaped("zoo/pup-2b", 18, 1),
            shaped("zoo/pup-2b-chat", 18, 1),
        ]);
        all.configs.insert(0);
        refute(&mut all);
        let kept: Vec<bool> = all.known.iter().map(|known| known.shape().is_some()).collect();
        // The second row's shape is not from its own config, the fourth row's is.
        assert_eq!(kept, [true, false, true, true, true, true]);
        assert_eq!(all.conflict(&all.clashes[0]).rule, "unlike_its_base");
    }
}
