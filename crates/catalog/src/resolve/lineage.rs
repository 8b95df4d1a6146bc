//! `lineage`: the structure of a checkpoint's base, or its base's base, to the root.

use crate::gather::Gathered;
use crate::known::Known;
use crate::resolve::listed::{Experts, Listed, closest};
use crate::resolve::names::Names;
use crate::resolve::pool::{Pool, Shape, block, family_of};

/// Steps after which a chain of bases is given up: longer than any that is declared, shorter than a cycle.
const LONGEST: usize = 32;

/// A declared base as printed, without what leaderboards append: `org/name (Merge)`.
pub(crate) fn declared(base: &str) -> Option<&str> {
    let base = base.split(" (").next().unwrap_or(base).trim();
    (!base.is_empty() && base != "Removed").then_some(base)
}

/// The structure of the nearest ancestor of number `at` that is known exactly and can be this checkpoint's.
pub(crate) fn by_lineage(
    gathered: &Gathered,
    pool: &Pool,
    names: &Names,
    at: u32,
    left_out: Option<u32>,
) -> Option<(Shape, u32)> {
    let child = gathered.known.get(at as usize)?;
    let mut current = child;
    for _ in 0..LONGEST {
        let base = declared(current.base.as_deref()?)?;
        let next = gathered.find(base);
        if next == Some(at) {
            return None;
        }
        let own = next.and_then(|number| Some((gathered.known.get(number as usize)?.settled()?, number)));
        if let Some((shape, number)) = own.or_else(|| names.equal(&gathered.known, base, left_out)) {
            return fits(pool, child, gathered.known.get(number as usize)?, shape).then_some((shape, number));
        }
        current = gathered.known.get(next? as usize)?;
    }
    None
}

/// Whether `child` can have its ancestor's structure: the same blocks, and a size that the structure admits.
/// Depth-extended merges and pruned checkpoints cannot.
pub(crate) fn fits(pool: &Pool, child: &Known, ancestor: &Known, shape: Shape) -> bool {
    let (of_child, of_ancestor) = (family_of(child), family_of(ancestor));
    if let (Some(one), Some(two)) = (&of_child, &of_ancestor)
        && block(one) != block(two)
    {
        return false;
    }
    let listed = Listed::of(child);
    if listed == Listed::Unknown {
        return true;
    }
    let experts = Experts::of(of_child.as_deref());
    pool.of_shape(shape)
        .any(|template| closest(template, listed, experts).is_some())
}
