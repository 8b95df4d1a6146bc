//! Accuracy of each way of resolving structures, by leave-one-out: each checkpoint with a known structure is resolved
//! by the other ways.
//!
//! Names are learned once, and the left-out checkpoint's own counts are subtracted; its influence on others (whose
//! names were read with its help) remains, so the measured accuracy of `name` is an upper bound. The scope
//! `organisation out` gives a lower bound: everything is learned anew without the checkpoints of a fifth of the
//! organisations (those of one organisation stay together), names are read only once, and the checkpoints that were
//! left out are resolved.
//!
//! Results are also broken down by [`Stratum`]: where a checkpoint equals its base, names are easily right. Where a
//! source holds counts of parameters and vocabulary sizes from outside boards, all ways are compared with those.

use crate::config::recipe::recipe;
use crate::gather::Gathered;
use crate::known::Known;
use crate::labels::labels;
use crate::resolve::admit::{Asked, is_mixture};
use crate::resolve::memo::thin;
use crate::resolve::rest::COLUMNS;
use crate::resolve::template::{Shape, family_of};
use crate::resolve::{Resolver, edits, lineage, listed, vocabulary};
use crate::tables::{Accuracy, Conflict, Provenance, ResolvedBy, Structure};

/// Number of folds of organisations.
const FOLDS: u64 = 5;
/// Greatest number of checkpoints for which everything is learned anew per fold; this is meant for catalogs of ordinary
/// size, since learning takes about a second per hundred thousand.
const LEARNED_ANEW: usize = 200_000;
/// Greatest number of checkpoints that are left out one at a time; of more, an evenly spaced selection.
const MOST_LEFT_OUT: usize = 50_000;

const WAYS: [ResolvedBy; 3] = [ResolvedBy::Lineage, ResolvedBy::Name, ResolvedBy::Size];

/// How a checkpoint differs from its base.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stratum {
    Usual,
    Vocabulary,
    Edited,
    Packed,
    Mixture,
    Unknown,
}

impl Stratum {
    const ALL: [Self; 6] = [
        Self::Usual,
        Self::Vocabulary,
        Self::Edited,
        Self::Packed,
        Self::Mixture,
        Self::Unknown,
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Usual => "usual",
            Self::Vocabulary => "vocabulary changed",
            Self::Edited => "depth or width edited",
            Self::Packed => "packed",
            Self::Mixture => "mixture",
            Self::Unknown => "unknown architecture",
        }
    }

    /// The first stratum that applies to checkpoint `at`, rarest first.
    fn of(resolver: &Resolver<'_>, at: u32) -> Self {
        let all = &resolver.gathered.known;
        let known = &all[at as usize];
        let base = lineage::ancestor(resolver.gathered, &resolver.names, at, Some(at));
        let differs = |column: usize| {
            let theirs = base.and_then(|(_, of)| all[of as usize].details.dimensions[column]);
            let own = known.details.dimensions[column];
            theirs.is_some() && own.is_some() && theirs != own
        };
        if is_mixture(known) {
            Self::Mixture
        } else if edits::edited(&known.id) || (0..4).any(differs) {
            Self::Edited
        } else if known.quantized || listed::is_packed(known) {
            Self::Packed
        } else if differs(5) {
            Self::Vocabulary
        } else if family_of(known).is_none() {
            Self::Unknown
        } else {
            Self::Usual
        }
    }
}

/// Leave-one-out accuracy: one row per scope and way. Scopes are the checkpoints that a leaderboard evaluated, all, and
/// all of one stratum. Also returns a conflict for each checkpoint that was resolved to a structure other than its own.
pub(crate) fn leave_one_out(resolver: &Resolver<'_>) -> (Vec<Accuracy>, Vec<Conflict>) {
    let known = &resolver.gathered.known;
    let exact = (0..known.len() as u32).filter(|&at| known[at as usize].shape().is_some());
    let left_out = thin(exact.collect(), MOST_LEFT_OUT);
    let (mut rows, mut off) = (Vec::new(), Vec::new());
    for scope in ["evaluated", "all"]
        .into_iter()
        .chain(Stratum::ALL.map(Stratum::as_str))
    {
        for way in WAYS.map(ResolvedBy::as_str).into_iter().chain(["all"]) {
            rows.push(Accuracy {
                scope: scope.to_owned(),
                way: way.to_owned(),
                ..Accuracy::default()
            });
        }
    }
    // Learning anew takes as long as everything else here, and the two are independent.
    std::thread::scope(|scope| {
        let anew = (known.len() <= LEARNED_ANEW).then(|| scope.spawn(|| organisation_out(resolver)));
        off = each_left_out(resolver, &left_out, &mut rows);
        rows.extend(anew.map(|thread| {
            thread
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        }));
    });
    let can_have = |known: &Known, shape: Shape, vocab: i64| {
        let beside = (known.details.dimensions[4], known.details.head_dim);
        let can = |family: String| {
            vocabulary::can_have(&resolver.pool, &Asked::of(known), &family, shape, beside, vocab)
        };
        family_of(known).is_none_or(can)
    };
    let nearest = resolver.rest.accuracy(known, &left_out, &can_have);
    rows.extend(COLUMNS.iter().zip(nearest).map(|(column, counts)| Accuracy {
        scope: "all".to_owned(),
        way: format!("nearest {column}"),
        held_out: counts.held_out as i64,
        answered: counts.answered as i64,
        right: counts.equal as i64,
        ..Accuracy::default()
    }));
    (rows, off)
}

/// Rule of conflicts between a structure and what the other ways give for it; for information only.
pub(crate) const LEFT_OUT: &str = "left_out_only_compared";

/// Leaves each checkpoint out and updates `rows`, which are in the order of scopes and, within each, ways and all
/// together. Returns a conflict for each checkpoint that was resolved wrongly.
fn each_left_out(resolver: &Resolver<'_>, left_out: &[u32], rows: &mut [Accuracy]) -> Vec<Conflict> {
    let mut wrong = Vec::new();
    for &at in left_out {
        let checkpoint = &resolver.gathered.known[at as usize];
        let Some(truth) = checkpoint.shape() else { continue };
        let answers = WAYS.map(|way| {
            resolver
                .by(way, at, true, &mut Vec::new())
                .map(|answer| answer.shape)
        });
        let resolution = resolver.resolve(at, true);
        let together = resolution.shape;
        if let Some(told) = together.filter(|told| *told != truth) {
            let all = &resolver.gathered.known;
            let of = resolution.from.map_or("", |of| &all[of as usize].id);
            wrong.push(Conflict {
                id: checkpoint.id.to_string(),
                field: "shape".to_owned(),
                kept: in_words(truth),
                kept_source: resolver
                    .gathered
                    .source(checkpoint.details.dimension_places[0].source),
                other: in_words(told),
                other_source: format!("by {}: {of}", resolution.by.as_str()),
                rule: LEFT_OUT.to_owned(),
            });
        }
        let stratum = Stratum::of(resolver, at);
        let scopes = [
            checkpoint.evaluated.then_some(0),
            Some(1),
            Stratum::ALL
                .iter()
                .position(|&other| other == stratum)
                .map(|at| at + 2),
        ];
        for scope in scopes.into_iter().flatten() {
            for (row, answer) in answers.into_iter().chain([together]).enumerate() {
                note(&mut rows[scope * (WAYS.len() + 1) + row], answer, truth);
            }
        }
    }
    wrong
}

/// A shape in words.
pub(crate) fn in_words([layers, d_model, d_ffn, heads]: Shape) -> String {
    format!("layers {layers}, d_model {d_model}, d_ffn {d_ffn}, heads {heads}")
}

/// Rule of conflicts with counts from outside boards; for information only.
pub(crate) const OUTSIDE: &str = "outside_count_only_compared";
/// Relative deviation from the outside count above which a count is considered wrong.
const OFF: f64 = 0.02;

/// Agreement of the structures with counts from outside boards: for each column and way, the number of checkpoints with
/// such a count, of those with a value to compare, and of those within two per cent. Also returns a conflict for each
/// deviating value.
pub(crate) fn against_outside(
    gathered: &Gathered,
    structure: &dyn Fn(u32) -> (Structure, Vec<Provenance>),
) -> (Vec<Accuracy>, Vec<Conflict>) {
    let columns = ["outside parameters", "outside vocabulary"];
    let mut rows: Vec<Accuracy> = columns
        .into_iter()
        .flat_map(|scope| {
            ResolvedBy::ALL.map(|way| Accuracy {
                scope: scope.to_owned(),
                way: way.as_str().to_owned(),
                ..Accuracy::default()
            })
        })
        .collect();
    let mut off = Vec::new();
    for (id, (outside, place)) in &gathered.outside {
        let Some(at) = gathered.find(id) else { continue };
        let known = &gathered.known[at as usize];
        if !(known.evaluated || known.structured) {
            continue;
        }
        let (own, cells) = structure(at);
        // The checkpoint that the shape was taken from, if it is another.
        let base = cells
            .iter()
            .find(|cell| cell.field == "layers")
            .and_then(|cell| gathered.find(cell.of.as_ref()?))
            .filter(|&base| base != at)
            .map(|at| &gathered.known[at as usize]);
        let is_multimodal = std::iter::once(known)
            .chain(base)
            .any(|one| labels(gathered, one)[1].value == Some(true));
        let board = gathered.source(place.source);
        let is_taken = |field: &str| {
            cells
                .iter()
                .any(|cell| cell.field == field && cell.source.as_ref() == Some(&board))
        };
        let way = ResolvedBy::ALL
            .iter()
            .position(|&way| way == own.resolved_by)
            .unwrap_or_default();
        let pairs = [
            ("size", own.size.map(|size| size * 1e9), outside.parameters),
            (
                "vocab_size",
                own.vocab_size.map(|vocab| vocab as f64),
                outside.vocabulary,
            ),
        ];
        for (column, (field, kept, truth)) in pairs.into_iter().enumerate() {
            let Some(truth) = truth else { continue };
            let row = &mut rows[column * ResolvedBy::ALL.len() + way];
            row.held_out += 1;
            // A value taken from the board itself must not be compared with it.
            let Some(kept) = kept.filter(|_| !is_taken(field)) else {
                continue;
            };
            row.answered += 1;
            let stored = if field == "size" {
                beside(known, &own)
            } else {
                vec![0.0]
            };
            // Where the shape was taken from another checkpoint, the board's count for that one is accepted too.
            let of_base = base
                .filter(|_| field == "size")
                .and_then(|base| gathered.outside.get(&*base.id)?.0.parameters);
            let is_near = |count: f64| (count - truth).abs() <= OFF * truth;
            if stored.iter().any(|more| is_near(kept + more)) || of_base.is_some_and(is_near) {
                row.right += 1;
                continue;
            }
            let text = |value: f64| format!("{value:.0}");
            off.push(Conflict {
                id: id.clone(),
                field: field.to_owned(),
                kept: text(kept),
                kept_source: own.source.clone().unwrap_or_else(|| "as listed".to_owned()),
                other: text(truth),
                other_source: format!("{}{}", board, why(field, is_multimodal, &own, truth)),
                rule: OUTSIDE.to_owned(),
            });
        }
    }
    rows.retain(|row| row.held_out > 0);
    (rows, off)
}

/// Numbers of values that files may hold in addition to parameters, and that counts of files include: none, causal
/// masks, or a tied output head that is stored separately.
fn beside(known: &Known, own: &Structure) -> Vec<f64> {
    let layers = own.layers.unwrap_or(0) as f64;
    let recipe = family_of(known).and_then(|family| recipe(&family));
    let positions = own.pos.map_or_else(|| USUAL_POSITIONS.to_vec(), |pos| vec![pos]);
    let mut all: Vec<f64> = recipe.map_or_else(
        || vec![0.0],
        |recipe| {
            let masks = positions.iter().flat_map(|&pos| recipe.masks(pos));
            masks.map(|mask| mask as f64 * layers).collect()
        },
    );
    let is_tied = own.tied_embeddings.or(recipe.map(|recipe| recipe.tied)) == Some(true);
    if let (true, Some(vocab), Some(width)) = (is_tied, own.vocab_size, own.d_model) {
        let head = vocab as f64 * width as f64;
        all.extend(all.clone().into_iter().map(|more| more + head));
    }
    all
}

/// The usual numbers of positions of networks that store masks, for checkpoints whose number is not known.
const USUAL_POSITIONS: [i64; 2] = [1_024, 2_048];

/// Why a count from outside may differ, where there is evidence. `is_multimodal`: whether the checkpoint, or the one
/// its shape was taken from, is multimodal.
fn why(field: &str, is_multimodal: bool, own: &Structure, truth: f64) -> &'static str {
    let made = own.parameters_by_shape.map(|count| count as f64);
    let kept = own.size.map(|size| size * 1e9);
    let near = |a: f64, b: f64| (a - b).abs() <= OFF / 10.0 * b;
    if field != "size" {
        ""
    } else if is_multimodal {
        "; may count what reads images or sound"
    } else if own.experts.is_some() {
        "; may count heads that predict further tokens, or packed weights"
    } else if made.is_some_and(|made| near(made, truth)) {
        "; the formula of the structure makes that number: the count that is kept leaves something out"
    } else if let (Some(made), Some(kept)) = (made, kept)
        && near(made, kept)
    {
        "; the formula of the structure makes the kept number: the board may count packed weights, or more than the language model"
    } else if made.is_none() && own.resolved_by == ResolvedBy::None {
        "; kept is what the name or a listing states"
    } else if made.is_none() {
        "; no formula of its blocks is known that could decide"
    } else {
        "; neither is the number that the formula of the structure makes"
    }
}

/// Resolves every evaluated checkpoint with a known structure using only what was learned from other organisations.
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

/// The fold of a checkpoint: a hash (FNV-1a) of its organisation, or of its name where there is none.
fn fold_of(id: &str) -> u64 {
    let organisation = id.split('/').next().unwrap_or(id);
    let hash = organisation
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    hash % FOLDS
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
