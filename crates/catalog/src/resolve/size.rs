//! The way `size`: the only structure that an architecture and a listed size admit.

use std::collections::BTreeMap;

use crate::resolve::listed::{Experts, Listed, closest};
use crate::resolve::pool::{Among, Pool};
use crate::resolve::template::{BySize, Shape};

/// Difference in billions up to which a listed count and a computed one are the same.
const SAME: f64 = 0.0011;

/// Structures that `family` and `listed` admit, not counting checkpoint `left_out`: those of the family itself or,
/// where these give no answer, of families with the same blocks.
pub(crate) fn by_size(pool: &Pool, family: Option<&str>, listed: Listed, left_out: Option<u32>) -> BySize {
    if left_out.is_some() {
        return admitted(pool, family, listed, left_out);
    }
    let key = (family.map(str::to_owned), listed.key());
    pool.by_size.get(key, || admitted(pool, family, listed, None))
}

fn admitted(pool: &Pool, family: Option<&str>, listed: Listed, left_out: Option<u32>) -> BySize {
    if matches!(listed, Listed::Unknown) || (family.is_none() && !matches!(listed, Listed::Counted(_))) {
        return BySize::None;
    }
    let own = family.map_or(Among::Evaluated, Among::Family);
    match settle(pool, family, own, listed, left_out) {
        BySize::None => match family {
            Some(name) => settle(pool, family, Among::Akin(name), listed, left_out),
            None => BySize::None,
        },
        settled => settled,
    }
}

fn settle(
    pool: &Pool,
    family: Option<&str>,
    meant: Among<'_>,
    listed: Listed,
    left_out: Option<u32>,
) -> BySize {
    let experts = Experts::of(family);
    let mut found: BTreeMap<Shape, (f64, usize, u32)> = BTreeMap::new();
    for number in pool.among(meant) {
        let template = &pool.templates[number as usize];
        let (count, Some(first)) = template.without(left_out) else {
            continue;
        };
        let Some(distance) = closest(template, listed, experts, true) else {
            continue;
        };
        let entry = found.entry(template.shape).or_insert((distance, 0, first));
        entry.0 = entry.0.min(distance);
        entry.1 += count;
    }
    let exact: Vec<_> = found
        .iter()
        .filter(|(_, (distance, ..))| *distance <= SAME)
        .collect();
    if matches!(listed, Listed::Counted(_)) && exact.len() == 1 && (found.len() == 1 || !listed.is_nominal())
    {
        let (&shape, &(.., member)) = exact[0];
        return BySize::One(shape, member);
    }
    let all: usize = found.values().map(|(_, count, _)| count).sum();
    match found.iter().max_by_key(|(_, (_, count, _))| *count) {
        None => BySize::None,
        Some((&shape, &(_, count, member))) => {
            let enough = match listed {
                Listed::Counted(_) => false,
                // A rough size admits many structures: nearly all known checkpoints must agree, and there must be
                // enough of them.
                _ => count >= 5 && count * 100 >= all * 98,
            };
            if matches!(listed, Listed::Counted(_)) && exact.len() > 1 {
                BySize::Several(exact.into_iter().map(|(&shape, _)| shape).collect())
            } else if enough {
                BySize::One(shape, member)
            } else {
                BySize::Several(found.into_keys().collect())
            }
        }
    }
}
