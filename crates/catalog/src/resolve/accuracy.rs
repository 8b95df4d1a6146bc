//! How right each way of resolving is: every exactly known checkpoint left out once and resolved by the other ways.
//!
//! Names are learned once, with the left-out checkpoint's own counts taken away; what it taught others (their names were
//! read with its help) stays, so the measured accuracy of `name` is an upper bound, if a close one.

use crate::resolve::Resolver;
use crate::resolve::pool::Shape;
use crate::resolve::rest::COLUMNS;
use crate::tables::{Accuracy, ResolvedBy};

const WAYS: [ResolvedBy; 3] = [ResolvedBy::Lineage, ResolvedBy::Name, ResolvedBy::Size];

/// One row per scope (checkpoints that a leaderboard evaluated; all) and way, of those that are known exactly.
pub(crate) fn leave_one_out(resolver: &Resolver<'_>) -> Vec<Accuracy> {
    let known = &resolver.gathered.known;
    let mut rows = Vec::new();
    for scope in ["evaluated", "all"] {
        for way in WAYS.map(ResolvedBy::as_str).into_iter().chain(["all"]) {
            rows.push(Accuracy {
                scope: scope.to_owned(),
                way: way.to_owned(),
                ..Accuracy::default()
            });
        }
    }
    for (at, checkpoint) in known.iter().enumerate() {
        let Some(truth) = checkpoint.shape() else { continue };
        let answers = WAYS.map(|way| resolver.by(way, at as u32, true).map(|(shape, _)| shape));
        let together = answers.iter().copied().flatten().next();
        if std::env::var("CAT_DEBUG").is_ok() && checkpoint.evaluated && together != Some(truth) {
            eprintln!("LOO {} {:?} {:?} {:?} truth {truth:?} got {answers:?}", checkpoint.id, checkpoint.architecture, checkpoint.listed_size, checkpoint.parameters_total);
        }
        for (row, answer) in answers.into_iter().chain([together]).enumerate() {
            if checkpoint.evaluated {
                note(&mut rows[row], answer, truth);
            }
            note(&mut rows[WAYS.len() + 1 + row], answer, truth);
        }
    }
    let nearest = resolver.rest.accuracy(known);
    rows.extend(COLUMNS.iter().zip(nearest).map(|(column, counts)| Accuracy {
        scope: "all".to_owned(),
        way: format!("nearest {column}"),
        held_out: counts.held_out as i64,
        answered: counts.answered as i64,
        right: counts.equal as i64,
        ..Accuracy::default()
    }));
    rows
}

fn note(row: &mut Accuracy, answer: Option<Shape>, truth: Shape) {
    row.held_out += 1;
    let Some(answer) = answer else { return };
    row.answered += 1;
    row.right += i64::from(answer == truth);
    row.right_layers += i64::from(answer[0] == truth[0]);
    row.right_d_model += i64::from(answer[1] == truth[1]);
    row.right_d_ffn += i64::from(answer[2] == truth[2]);
    row.right_heads += i64::from(answer[3] == truth[3]);
}

