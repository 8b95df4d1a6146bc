//! How right each way of resolving is: every exactly known checkpoint left out once and resolved by the other ways.
//!
//! Names are learned once, with the left-out checkpoint's own counts taken away; what it taught others (their names were
//! read with its help) stays, so the measured accuracy of `name` is an upper bound. The scope `organisation out` is none:
//! there everything is learned anew without any checkpoint of a fifth of the organisations, those of one organisation
//! together, names are read once only, and these checkpoints are resolved: a lower bound.

use crate::gather::Gathered;
use crate::known::Known;
use crate::resolve::memo::thin;
use crate::resolve::pool::Shape;
use crate::resolve::rest::COLUMNS;
use crate::resolve::{Resolver, compute};
use crate::tables::{Accuracy, ResolvedBy};

/// Folds of organisations.
const FOLDS: u64 = 5;
/// Checkpoints up to which everything is learned anew per fold: the answer is about the sources that people have, and
/// learning takes a second per hundred thousand.
const LEARNED_ANEW: usize = 200_000;
/// Checkpoints left out one at a time; of more, so many, evenly spread.
const MOST_LEFT_OUT: usize = 50_000;

const WAYS: [ResolvedBy; 3] = [ResolvedBy::Lineage, ResolvedBy::Name, ResolvedBy::Size];

/// One row per scope (checkpoints that a leaderboard evaluated; all) and way, of those that are known exactly.
pub(crate) fn leave_one_out(resolver: &Resolver<'_>) -> Vec<Accuracy> {
    let known = &resolver.gathered.known;
    let exact = (0..known.len() as u32).filter(|&at| known[at as usize].shape().is_some());
    let left_out = thin(exact.collect(), MOST_LEFT_OUT);
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
    // Learning anew takes as long as all else here together, and neither needs the other.
    std::thread::scope(|scope| {
        let anew = (known.len() <= LEARNED_ANEW).then(|| scope.spawn(|| organisation_out(resolver)));
        each_left_out(resolver, &left_out, &mut rows);
        rows.extend(anew.map(|thread| {
            thread
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        }));
    });
    rows.extend(computed(known, &left_out));
    let nearest = resolver.rest.accuracy(known, &left_out);
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

/// Leaves each checkpoint out; `rows` are the ways and all together, of the evaluated ones and of all.
fn each_left_out(resolver: &Resolver<'_>, left_out: &[u32], rows: &mut [Accuracy]) {
    for &at in left_out {
        let checkpoint = &resolver.gathered.known[at as usize];
        let Some(truth) = checkpoint.shape() else { continue };
        let answers = WAYS.map(|way| resolver.by(way, at, true).map(|(shape, _)| shape));
        let together = answers.iter().copied().flatten().next();
        for (row, answer) in answers.into_iter().chain([together]).enumerate() {
            if checkpoint.evaluated {
                note(&mut rows[row], answer, truth);
            }
            note(&mut rows[WAYS.len() + 1 + row], answer, truth);
        }
    }
}

/// Every evaluated checkpoint that is known exactly, resolved by what checkpoints of other organisations teach.
fn organisation_out(resolver: &Resolver<'_>) -> Accuracy {
    let gathered = resolver.gathered;
    let mut row = Accuracy {
        scope: "organisation out".to_owned(),
        way: "all".to_owned(),
        ..Accuracy::default()
    };
    for fold in 0..FOLDS {
        let is_out = |one: &Known| one.shape().is_some() && fold_of(&one.id) == fold;
        let mut without = Gathered {
            known: gathered.known.clone(),
            index: gathered.index.clone(),
            ..Gathered::default()
        };
        for one in without.known.iter_mut().filter(|one| is_out(one)) {
            let details = &mut *one.details;
            details.dimensions = [None; 7];
            details.head_dim = None;
            details.parameters_total = None;
        }
        let learned = Resolver::learn(&without, 0);
        for (at, one) in gathered
            .known
            .iter()
            .enumerate()
            .filter(|(_, one)| one.evaluated && is_out(one))
        {
            if let Some(truth) = one.shape() {
                note(&mut row, learned.resolve(at as u32, false).shape, truth);
            }
        }
    }
    row
}

/// The fold of a checkpoint: a hash (FNV-1a) of its organisation, or of its name where it has none.
fn fold_of(id: &str) -> u64 {
    let organisation = id.split('/').next().unwrap_or(id);
    let hash = organisation
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    hash % FOLDS
}

/// How right computed dimensions are: each of layers and feed-forward width taken from checkpoints that state all.
fn computed(known: &[Known], left_out: &[u32]) -> [Accuracy; 2] {
    let vocabularies = compute::vocabularies(known);
    [(0, "computed layers"), (2, "computed d_ffn")].map(|(missing, way)| {
        let mut row = Accuracy {
            scope: "all".to_owned(),
            way: way.to_owned(),
            ..Accuracy::default()
        };
        for one in left_out.iter().map(|&at| &known[at as usize]) {
            if let Some(truth) = one.shape() {
                let mut dimensions = one.details.dimensions;
                dimensions[missing] = None;
                note(&mut row, compute::compute(one, dimensions, &vocabularies), truth);
            }
        }
        row
    })
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
