//! The way `lineage`: a checkpoint has the structure of its base, or of its base's base, and so on.

use crate::gather::Gathered;
use crate::resolve::names::Names;
use crate::resolve::template::Shape;

/// Greatest number of bases followed: more than in any declared chain, and a stop in case of a cycle.
const LONGEST: usize = 32;

/// A declared base without what leaderboards append to it: `org/name (Merge)`; `None` where none is declared.
pub(crate) fn declared(base: &str) -> Option<&str> {
    let base = base.split(" (").next().unwrap_or(base).trim();
    (!base.is_empty() && base != "Removed").then_some(base)
}

/// The nearest ancestor of checkpoint `at` with a known structure, and that structure; `left_out` counts as unknown.
pub(crate) fn ancestor(
    gathered: &Gathered,
    names: &Names,
    at: u32,
    left_out: Option<u32>,
) -> Option<(Shape, u32)> {
    let mut current = gathered.known.get(at as usize)?;
    for _ in 0..LONGEST {
        let base = declared(current.base.as_deref()?)?;
        let next = gathered.find(base);
        if next == Some(at) {
            return None;
        }
        let own = next.and_then(|number| Some((gathered.known.get(number as usize)?.shape()?, number)));
        if let Some(found) = own.or_else(|| names.equal(&gathered.known, base, left_out)) {
            return Some(found);
        }
        current = gathered.known.get(next? as usize)?;
    }
    None
}
