//! Every operation of a machine against sums in `f64`; for the emulated card see `card.rs`.

use mechanism::decoder::Cpu;
use mechanism::decoder::suite::{Extent, Measured, suite};

/// What is wrong of what was measured, a line each.
pub(crate) fn wrong(found: &[Measured]) -> String {
    let wrong = found.iter().filter(|one| !one.is_right());
    let line = |one: &Measured| {
        let (got, want) = one.worst;
        format!(
            "{}: off by {:.2e}, allowed {:.0e}; {got} instead of {want}",
            one.what, one.error, one.allowed
        )
    };
    wrong.map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_processor_computes_every_operation() {
    let found = suite(&Cpu, Extent::Whole, 2e-5).unwrap();
    assert!(found.len() > 100, "{} operations", found.len());
    assert_eq!(wrong(&found), "");
}
