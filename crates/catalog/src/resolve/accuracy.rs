//! How right each way of resolving is: every exactly known checkpoint left out once and resolved by the other ways.

use crate::resolve::Resolver;
use crate::resolve::rest::COLUMNS;
use crate::tables::{Accuracy, ResolvedBy};

/// One row per scope (all evaluated checkpoints that are known exactly) and way.
pub(crate) fn leave_one_out(resolver: &Resolver<'_>) -> Vec<Accuracy> {
    let known = &resolver.gathered.known;
    let mut rows = Vec::new();
    for (scope, evaluated) in [("evaluated", true), ("all", false)] {
        let held: Vec<u32> = (0..known.len() as u32)
            .filter(|&at| {
                known[at as usize].shape().is_some() && (!evaluated || known[at as usize].evaluated)
            })
            .collect();
        for way in [
            Some(ResolvedBy::Lineage),
            Some(ResolvedBy::Name),
            Some(ResolvedBy::Size),
            None,
        ] {
            let mut row = Accuracy {
                scope: scope.to_owned(),
                way: way.map_or("all", ResolvedBy::as_str).to_owned(),
                held_out: held.len() as i64,
                ..Accuracy::default()
            };
            for &at in &held {
                let answer = match way {
                    Some(way) => resolver.by(way, at, true).map(|(shape, _)| shape),
                    None => resolver.resolve(at, true).shape,
                };
                let (Some(answer), Some(truth)) = (answer, known[at as usize].shape()) else {
                    continue;
                };
                row.answered += 1;
                row.right += i64::from(answer == truth);
                row.right_layers += i64::from(answer[0] == truth[0]);
                row.right_d_model += i64::from(answer[1] == truth[1]);
                row.right_d_ffn += i64::from(answer[2] == truth[2]);
                row.right_heads += i64::from(answer[3] == truth[3]);
            }
            rows.push(row);
        }
    }
    let nearest = resolver.rest.accuracy(known);
    rows.extend(COLUMNS.iter().zip(nearest).map(|(column, counts)| Accuracy {
        scope: "all".to_owned(),
        way: format!("nearest {column}"),
        held_out: counts.held_out as i64,
        answered: counts.answered as i64,
        right: counts.right as i64,
        ..Accuracy::default()
    }));
    rows
}
