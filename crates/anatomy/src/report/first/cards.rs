//! The three cards of the first screen: what holds, what does not, what did not reproduce. A statement's interval
//! decides between the first two.

use study::attribution::lead;
use study::claims::{Tally, is_cell, is_claim};
use study::finding::{Finding, Verdict};
use study::leaderboard_v1::BENCHMARKS;
use study::section::Matrix;

use super::{capital, counted, minus, signed};
use crate::output::number;

/// A card with statements.
pub(crate) struct SummaryCard {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    /// Number of statements, in words.
    pub(crate) count: String,
    /// Explanation of the title.
    pub(crate) about: &'static str,
    pub(crate) items: Vec<Item>,
    /// Segments of a stacked bar.
    pub(crate) bar: Vec<Segment>,
}

/// A statement.
pub(crate) struct Item {
    pub(crate) name: String,
    pub(crate) words: String,
    pub(crate) n: String,
    pub(crate) link: String,
}

/// A segment of a stacked bar.
pub(crate) struct Segment {
    pub(crate) name: &'static str,
    pub(crate) words: &'static str,
    pub(crate) n: usize,
    /// Left edge, percent; `width` likewise.
    pub(crate) from: String,
    pub(crate) width: String,
    pub(crate) link: String,
}

/// A statement judged by whether its interval excludes zero: name, finding id, section, and meaning of the value.
struct Question {
    name: &'static str,
    id: &'static str,
    section: &'static str,
    digits: usize,
    words: &'static str,
}

const fn question(
    name: &'static str,
    id: &'static str,
    section: &'static str,
    digits: usize,
    words: &'static str,
) -> Question {
    Question {
        name,
        id,
        section,
        digits,
        words,
    }
}

/// The statements, the most important first.
const ASKED: [Question; 9] = [
    question(
        "Size",
        "scale.difference.medium_small",
        "scale",
        1,
        "points of Average from under 10 to 10\u{2013}50 billion parameters",
    ),
    question(
        "Chat template",
        "chat_template.paired.ifeval",
        "chat_template",
        1,
        "points on IFEval, the same checkpoint with and without",
    ),
    question(
        "Prediction",
        "pooled.r2.shapes.v2.shape_out",
        "pooled",
        2,
        "R\u{b2} of the pooled process on shapes of leaderboard v2 never seen, each counted once",
    ),
    question(
        "More size",
        "scale.difference.large_medium",
        "scale",
        1,
        "points of Average from 10\u{2013}50 to 50 billion parameters and more",
    ),
    question(
        "Likes",
        "popularity.likes.raw",
        "popularity",
        2,
        "rank correlation with Average",
    ),
    question(
        "Merging",
        "merging.effect.either.structure_date.average",
        "merging",
        1,
        "points of Average at one shape and month",
    ),
    question(
        "A year",
        "progress.points_per_year.v2.average",
        "progress",
        1,
        "points of Average at equal size",
    ),
    question(
        "Post-training",
        "progress.post_training.v2.average",
        "progress",
        1,
        "points of Average within one shape",
    ),
    question(
        "Template, all tests",
        "chat_template.paired.average",
        "chat_template",
        1,
        "points of Average, the same checkpoint with and without",
    ),
];

/// Maximum number of statements per card.
const SHOWN: usize = 4;

pub(super) fn cards(all: &[&Finding], matrix: Option<&Matrix>, sections: &str) -> Vec<SummaryCard> {
    let find = |id: &str| {
        all.iter()
            .copied()
            .find(|finding| finding.id == id && finding.value.is_some())
    };
    let link = |section: &str| format!("{sections}{section}");
    let (mut holds, mut fails) = (Vec::new(), Vec::new());
    if let Some(matrix) = matrix {
        let (clear, cells) = counted(matrix);
        fails.push(Item {
            name: "Most parts".into(),
            words: format!(
                "{} of {cells} pairs of part and benchmark cannot be told from no effect",
                cells - clear
            ),
            n: format!("n = {cells} pairs"),
            link: link("answer"),
        });
    }
    fails.extend(order(all, &link("attribution")));
    fails.extend(leak(&find, &link("regression")));
    for asked in &ASKED {
        let Some(finding) = find(asked.id) else { continue };
        let (Some(value), Some(ends)) = (finding.value, &finding.interval) else {
            continue;
        };
        let item = Item {
            name: asked.name.into(),
            words: format!(
                "{} [{}, {}] {}",
                signed(value, asked.digits),
                signed(ends.low, asked.digits),
                signed(ends.high, asked.digits),
                asked.words
            ),
            n: format!("n = {}", number(finding.n as f64)),
            link: link(asked.section),
        };
        if ends.covers(0.0) {
            fails.push(item);
        } else {
            holds.push(item);
        }
    }
    let mut cards = Vec::new();
    for (id, title, about, items) in [
        ("holds", "What holds", "The 95 % interval leaves zero.", holds),
        (
            "fails",
            "What does not",
            "The 95 % interval holds zero, or nothing stands once all are looked at together.",
            fails,
        ),
    ] {
        if !items.is_empty() {
            cards.push(SummaryCard {
                id,
                title,
                count: counted_in_words(items.len().min(SHOWN), items.len()),
                about,
                items: items.into_iter().take(SHOWN).collect(),
                bar: Vec::new(),
            });
        }
    }
    cards.extend(ledger(all, &link("claims")));
    cards
}

fn counted_in_words(shown: usize, all: usize) -> String {
    if shown < all {
        format!("{shown} of {all}")
    } else {
        all.to_string()
    }
}

/// The number of targets for which no column clearly ranks first.
fn order(all: &[&Finding], link: &str) -> Option<Item> {
    let mut targets: Vec<&str> = Vec::new();
    for finding in all {
        let target = finding.id.strip_prefix("importance.first_share.core.");
        if let Some(target) = target.and_then(|rest| rest.split('.').next())
            && !targets.contains(&target)
        {
            targets.push(target);
        }
    }
    let leads: Vec<_> = targets
        .iter()
        .filter_map(|target| lead(all.iter().copied(), "mdi", "core", target))
        .collect();
    let open = leads.iter().filter(|lead| lead.first.is_none()).count();
    (open > 0).then(|| Item {
        name: "Column order".into(),
        words: format!(
            "none of layers, d_model, d_ffn and heads leads for {open} of {} targets",
            leads.len()
        ),
        n: format!("n = {} targets", leads.len()),
        link: link.to_owned(),
    })
}

/// R² of a random forest with rows split at random, compared with unseen shapes.
fn leak<'a>(find: &impl Fn(&str) -> Option<&'a Finding>, link: &str) -> Option<Item> {
    let mean = |protocol: &str| {
        let values: Option<Vec<&Finding>> = BENCHMARKS
            .iter()
            .map(|benchmark| {
                find(&format!(
                    "regression.r2_shapes.structure_date.{protocol}.random_forest.{benchmark}"
                ))
            })
            .collect();
        let values = values?;
        let sum: f64 = values.iter().filter_map(|finding| finding.value).sum();
        Some((sum / values.len() as f64, values[0].n))
    };
    let (random, n) = mean("random_split")?;
    let (unseen, _) = mean("structure_out")?;
    (random > unseen).then(|| Item {
        name: "Random splits".into(),
        words: format!(
            "a forest's R\u{b2} {} on v1 with rows divided at random is {} on shapes never seen, each counted once",
            signed(random, 2).trim_start_matches('+'),
            signed(unseen, 2).trim_start_matches('+')
        ),
        n: format!("n = {}", number(n as f64)),
        link: link.to_owned(),
    })
}

/// Claims of the literature about abilities: their verdicts, and two that are contradicted under both readings.
fn ledger(all: &[&Finding], link: &str) -> Option<SummaryCard> {
    let tally = Tally::of_abilities(all.iter().copied());
    let total = tally.total();
    if total == 0 {
        return None;
    }
    let mut from = 0.0;
    let bar = Verdict::ALL.map(|verdict| {
        let n = tally.count(verdict);
        let width = 100.0 * n as f64 / total as f64;
        let segment = Segment {
            name: verdict.name(),
            words: verdict.words(),
            n,
            from: format!("{from:.2}"),
            width: format!("{width:.2}"),
            link: link.to_owned(),
        };
        from += width;
        segment
    });
    let differs = |finding: &&Finding| {
        is_claim(&finding.id)
            && !finding.id.ends_with(".strict")
            && !is_cell(&finding.id)
            && finding.verdict == Some(Verdict::Differs)
    };
    let twice = |finding: &Finding| {
        let strict = format!("{}.strict", finding.id);
        all.iter()
            .any(|other| other.id == strict && other.verdict == Some(Verdict::Differs))
    };
    let mut shown: Vec<&Finding> = all
        .iter()
        .copied()
        .filter(differs)
        .filter(|one| twice(one))
        .collect();
    // Those on the most rows first.
    shown.sort_by_key(|finding| std::cmp::Reverse(finding.n));
    // Only one per kind of claim, so that the two shown differ in kind.
    let mut kinds: Vec<&str> = Vec::new();
    shown.retain(|finding| {
        let kind = finding.id.split('.').nth(1).unwrap_or_default();
        let is_new = !kinds.contains(&kind);
        kinds.push(kind);
        is_new
    });
    let items = shown.iter().take(2).filter_map(|finding| {
        let theirs = finding.published.as_ref()?;
        let ours = finding.value?;
        let ends = finding.interval.as_ref().map_or_else(String::new, |ends| {
            format!(" [{}, {}]", minus(number(ends.low)), minus(number(ends.high)))
        });
        Some(Item {
            name: capital(&finding.question),
            // A yes-or-no claim has no numeric value.
            words: if theirs.value == 1.0 && ours == 0.0 {
                "not so here, in either reading".to_owned()
            } else {
                format!(
                    "claimed {}, ours {}{ends}",
                    minus(number(theirs.value)),
                    minus(number(ours))
                )
            },
            n: format!("n = {}", number(finding.n as f64)),
            link: link.to_owned(),
        })
    });
    Some(SummaryCard {
        id: "ledger",
        title: "What did not reproduce",
        count: format!("{} of {total} claims", tally.count(Verdict::Differs)),
        about: "Claims of the literature about abilities, without cells of tables of the works' own rows. Contradicted: our number \
                does not agree and its interval leaves the claimed one out.",
        items: items.collect(),
        bar: bar.into_iter().collect(),
    })
}
