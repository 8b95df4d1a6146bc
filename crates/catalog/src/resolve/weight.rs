//! How many billions of parameters a checkpoint has: counted, else computed from its structure, else as listed.
//!
//! Leaderboards list whole billions, zeros, halves of packed weights and adapters alone; a structure admits few sizes, so
//! the one nearest to what is listed is better than the listing.

use super::listed::{Experts, Listed, is_packed};
use super::pool::{Pool, Shape, Template, block, family_of};
use crate::known::Known;

/// A counted listing that is further than this from every size its structure admits is not believed.
const BELIEVED: f64 = 0.3;

/// Billions of parameters.
pub(crate) fn billions(pool: &Pool, known: &Known, shape: Option<Shape>) -> Option<f64> {
    let listed = Listed::of(known);
    if let Some(count) = known.details.parameters_total.filter(|_| !is_packed(known)) {
        return Some(count as f64 / 1e9);
    }
    let admitted = shape.map(|shape| sizes(pool, known, shape)).unwrap_or_default();
    let nearest = |to: f64| {
        admitted
            .iter()
            .copied()
            .min_by(|a, b| (a - to).abs().total_cmp(&(b - to).abs()))
    };
    match listed {
        Listed::Counted(size) => match nearest(size) {
            Some(near) if (near - size).abs() > BELIEVED * near => Some(near),
            _ => Some(size),
        },
        // Whole billions are cut (10.73 listed as 10) or nominal (6.74 as 7): the middle of what they can mean.
        Listed::Rough(size) => nearest(size + 0.1)
            .filter(|near| (near - size).abs() <= BELIEVED * near + 1.0)
            .or(Some(size)),
        Listed::Unknown => admitted.first().copied(),
    }
}

/// Sizes that the shape admits: the usual ones of the family, else of any.
fn sizes(pool: &Pool, known: &Known, shape: Shape) -> Vec<f64> {
    let family = family_of(known);
    let experts = match known.is_moe {
        Some(true) => Experts::Several,
        _ => Experts::of(family.as_deref()),
    };
    let of_shape: Vec<&Template> = pool.of_shape(shape).collect();
    let own: Vec<&Template> = of_shape
        .iter()
        .copied()
        .filter(|template| Some(&template.family) == family.as_ref())
        .collect();
    let akin: Vec<&Template> = of_shape
        .iter()
        .copied()
        .filter(|template| {
            family
                .as_deref()
                .is_some_and(|family| block(family) == block(&template.family))
        })
        .collect();
    [own, akin, of_shape]
        .into_iter()
        .map(|templates| {
            let all = templates.into_iter().flat_map(|template| &template.sizes);
            all.filter(|admitted| admitted.usual && experts.admits(admitted))
                .map(|admitted| admitted.size)
                .collect()
        })
        .find(|sizes: &Vec<f64>| !sizes.is_empty())
        .unwrap_or_default()
}
