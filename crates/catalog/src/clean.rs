//! Cleaning rules for values that no checkpoint can have.
//!
//! | rule | what it says |
//! | --- | --- |
//! | `out_of_range` | no decoder has a dimension outside [`RANGES`] |
//! | `kv_heads_do_not_divide_heads` | every query head belongs to one key head |
//! | `more_heads_than_width` | a head has at least one dimension |
//! | `not_a_decoder` | encoders and encoder-decoders have no `layers` in our sense |

use std::ops::RangeInclusive;

use crate::error::Error;
use crate::observed::{DIMENSIONS, Observed, Out};

/// Plausible range of each dimension, in the order of the dimensions. The largest published values at the time of
/// writing were 126 layers, feed-forward width 53,248, 256 heads, a vocabulary of 262,208 (1,000,000 for some
/// multilingual models) and 10,485,760 positions; the bounds leave room above.
pub const RANGES: [RangeInclusive<i64>; 7] = [
    1..=512,
    1..=131_072,
    1..=1_048_576,
    1..=1_024,
    1..=1_024,
    1..=2_097_152,
    1..=20_971_520,
];

/// Sets every dimension that breaks a rule to null, and records a reject for each.
pub(crate) fn dimensions(observed: &mut Observed, row: u64, out: &mut Out<'_>) -> Result<(), Error> {
    for (index, range) in RANGES.iter().enumerate() {
        if let Some(value) = observed.dimensions[index].filter(|value| !range.contains(value)) {
            out.reject_field(row, DIMENSIONS[index], &value.to_string(), "out_of_range")?;
            observed.dimensions[index] = None;
        }
    }
    let [_, d_model, _, heads, kv_heads, ..] = observed.dimensions;
    if let (Some(width), Some(count)) = (d_model, heads)
        && count > width
    {
        out.reject_field(row, "heads", &count.to_string(), "more_heads_than_width")?;
        observed.dimensions[3] = None;
    }
    if let (Some(all), Some(kv)) = (heads, kv_heads)
        && (kv > all || all % kv != 0)
    {
        out.reject_field(row, "kv_heads", &kv.to_string(), "kv_heads_do_not_divide_heads")?;
        observed.dimensions[4] = None;
    }
    Ok(())
}
