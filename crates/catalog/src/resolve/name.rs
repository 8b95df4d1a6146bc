//! The way `name`: resolves a checkpoint by the words of its name, weighted by the names of checkpoints with known
//! structure.
//!
//! Candidates are the structures that the architecture and the listed size admit. They are compared by naive Bayes over
//! the words of the name (Maron 1961), using how often each word, each stated size and each quarter of a year occurs
//! with each structure. One further candidate stands for an unseen structure: its prior is the share of structures seen
//! only once for this architecture and size (Good 1953), and its words have their overall frequencies. An answer is
//! given only if its posterior reaches a threshold above which leave-one-out shows nearly all answers to be right, and
//! if a word of the name indicates the answer's blocks.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::known::Known;
use crate::resolve::admit::is_mixture;
use crate::resolve::calibrate::{is_sized, threshold, unseen};
use crate::resolve::listed::{Experts, Listed, closest};
use crate::resolve::memo::{Memo, thin};
use crate::resolve::pool::{Among, Pool};
use crate::resolve::stated::{closeness, said};
use crate::resolve::telling::Telling;
use crate::resolve::template::{Shape, family_of};
use crate::words::{Stated, sizes, words};

/// Number of known checkpoints that are left out to find the thresholds.
const LEFT_OUT: usize = 2_000;
/// Percentage of the known checkpoints of a family and size that must have the most common structure; `UNSEEN` is the
/// greatest accepted probability of a structure not seen so far.
const COMMON: u32 = 98;
const UNSEEN: f64 = 0.02;
/// Number of days that a checkpoint may predate the first of its structure, since dates are of uploads, submissions or
/// releases.
const BEFORE: i32 = 30;

/// Weight of a missing word relative to a present one: names are shortened more often than lengthened.
const ABSENT: f64 = 0.5;

/// Lower limit of the log-likelihood of one word: names are arbitrary, so one word must not outweigh all others.
const LEAST: f64 = -4.0;

/// Classes, and how close each is to the sizes that a name states.
type Admitted = Arc<[(u32, f64)]>;
/// Cache key: family, whether structures with the same blocks are considered, the listing, and the stated sizes.
type Question = (Option<String>, [bool; 2], (u8, u64), Vec<(i64, u64)>);
/// Number of checkpoints of each class within a family and listed size.
type Census = Arc<BTreeMap<u32, u32>>;

/// How often words occur with structures.
#[derive(Default)]
pub(crate) struct Lexicon {
    /// The classes: each is a structure within a family.
    pub(super) classes: Vec<(String, Shape)>,
    index: BTreeMap<(String, Shape), u32>,
    class_of_template: Vec<u32>,
    totals: Vec<u32>,
    /// Number of checkpoints per class whose structure is certain; a class without any is not a candidate.
    exact: Vec<u32>,
    pub(super) example: Vec<u32>,
    /// The first day on which a checkpoint of each class is known to have been published.
    first: Vec<Option<i32>>,
    /// For each word, how often it occurs with each class.
    words: HashMap<String, Vec<(u32, u32)>>,
    /// Words that are usual for some class, sorted.
    usual_words: Vec<String>,
    /// For each class, the words that at least half of its names have (ascending indices into `usual_words`), with the
    /// log-likelihood penalty for a name that lacks the word.
    usual: Vec<Vec<(u32, f64)>>,
    /// For each family and size in whole billions, the number of checkpoints of each class.
    pub(super) census: BTreeMap<(String, i64), BTreeMap<u32, u32>>,
    pub(crate) telling: Telling,
    /// Posterior thresholds for an answer: with a listed or stated size, and without.
    pub(super) sure: [f64; 2],
    admitted: Memo<Question, Admitted>,
    common: Memo<(Option<String>, Option<i64>), Census>,
}

/// The features of a checkpoint: words of its name, stated sizes, and its date.
pub(crate) fn evidence(known: &Known) -> Vec<String> {
    let mut all = words(&known.id);
    for stated in sizes(&known.id) {
        all.push(match stated {
            Stated::Dense(size) => format!("={size}"),
            Stated::Mixture(experts, size) => format!("={experts}x{size}"),
        });
    }
    if let Some(day) = known.published() {
        all.push(format!("~{}", day.div_euclid(91)));
    }
    all.sort();
    all.dedup();
    all
}

pub(super) fn census_key(known: &Known) -> Option<(String, i64)> {
    let (Listed::Rough(size) | Listed::Counted(size)) = Listed::of(known) else {
        return None;
    };
    Some((family_of(known)?, size.floor() as i64))
}

impl Lexicon {
    /// Learns from checkpoints and their structures; the first `certain` of these are exact or follow from a counted
    /// size.
    pub(crate) fn learn(pool: &Pool, known: &[Known], lessons: &[(u32, Shape)], certain: usize) -> Self {
        let mut lexicon = Self::default();
        for template in &pool.templates {
            let at = *lexicon
                .index
                .entry((template.family.clone(), template.shape))
                .or_insert_with(|| {
                    lexicon.classes.push((template.family.clone(), template.shape));
                    lexicon.totals.push(0);
                    lexicon.exact.push(0);
                    lexicon.first.push(None);
                    lexicon
                        .example
                        .push(template.members.first().copied().unwrap_or_default());
                    (lexicon.classes.len() - 1) as u32
                });
            lexicon.class_of_template.push(at);
        }
        for (number, &(checkpoint, shape)) in lessons.iter().enumerate() {
            let Some(family) = family_of(&known[checkpoint as usize]) else {
                continue;
            };
            let Some(&at) = lexicon.index.get(&(family, shape)) else {
                continue;
            };
            lexicon.totals[at as usize] += 1;
            let first = &mut lexicon.first[at as usize];
            *first = [*first, known[checkpoint as usize].published()]
                .into_iter()
                .flatten()
                .min();
            lexicon.exact[at as usize] += u32::from(number < certain);
            if let Some(key) = census_key(&known[checkpoint as usize]) {
                *lexicon.census.entry(key).or_default().entry(at).or_insert(0) += 1;
            }
            for word in evidence(&known[checkpoint as usize]) {
                let counts = lexicon.words.entry(word).or_default();
                match counts.iter_mut().find(|held| held.0 == at) {
                    Some(held) => held.1 += 1,
                    None => counts.push((at, 1)),
                }
            }
        }
        lexicon.note_usual();
        lexicon.telling = Telling::learn(known, &lessons[..certain]);
        lexicon.calibrate(pool, known, &lessons[..certain]);
        lexicon
    }

    fn note_usual(&mut self) {
        let mut found: Vec<(&str, u32, u32)> = Vec::new();
        for (word, counts) in &self.words {
            if word.starts_with(|c: char| !c.is_ascii_alphabetic()) {
                continue;
            }
            let usual = |&&(class, count): &&(u32, u32)| {
                let total = self.totals[class as usize];
                total >= 3 && count * 2 >= total
            };
            found.extend(
                counts
                    .iter()
                    .filter(usual)
                    .map(|&(class, count)| (word.as_str(), class, count)),
            );
        }
        found.sort_unstable();
        let mut usual = vec![Vec::new(); self.classes.len()];
        let mut words: Vec<String> = Vec::new();
        for (word, class, count) in found {
            if words.last().is_none_or(|last| last != word) {
                words.push(word.to_owned());
            }
            let place = words.len() as u32 - 1;
            usual[class as usize].push((place, absence(count, self.totals[class as usize])));
        }
        self.usual_words = words;
        self.usual = usual;
    }

    /// The structure that the name of `known` indicates, and a checkpoint that has it; `left_out`: `known` itself is
    /// not counted.
    pub(crate) fn by_name(&self, pool: &Pool, known: &Known, left_out: bool) -> Option<(Shape, u32)> {
        let (shape, of, posterior) = self.weigh(pool, known, left_out)?;
        (posterior >= self.sure[usize::from(!is_sized(known))]).then_some((shape, of))
    }

    /// The most likely structure among those that a word of the name supports, a checkpoint that has it, and its
    /// posterior among all candidates including the unseen structure.
    pub(super) fn weigh(&self, pool: &Pool, known: &Known, left_out: bool) -> Option<(Shape, u32, f64)> {
        let own = left_out.then(|| self.class_of(known)).flatten();
        let (mut scores, mut none) = self.candidates(pool, known, own);
        let evidence = evidence(known);
        self.weigh_absent(&evidence, &mut scores);
        let lessons = f64::from(self.totals.iter().sum::<u32>().max(1));
        let mut spoken = vec![false; scores.len()];
        for word in &evidence {
            let Some(counts) = self.words.get(word) else {
                continue;
            };
            let count = |shape: u32| {
                let all = counts
                    .iter()
                    .find(|held| held.0 == shape)
                    .map_or(0, |held| held.1);
                all - u32::from(own == Some(shape) && all > 0)
            };
            if !scores.iter().any(|&(shape, _)| count(shape) > 0) {
                continue;
            }
            // In a class in which the word did not occur it has its overall frequency.
            let rate = f64::from(counts.iter().map(|held| held.1).sum::<u32>()) / lessons;
            none += rate.ln().max(LEAST);
            for ((shape, score), spoken) in scores.iter_mut().zip(&mut spoken) {
                let with = f64::from(count(*shape));
                let total = f64::from(self.totals[*shape as usize] - u32::from(own == Some(*shape)));
                *score += ((with + rate) / (total + 1.0)).ln().max(LEAST);
                *spoken |= count(*shape) > 1
                    && self
                        .telling
                        .tells(word, &self.classes[*shape as usize].0, known, left_out);
            }
        }
        let top = scores
            .iter()
            .map(|(_, score)| *score)
            .max_by(f64::total_cmp)?
            .max(none);
        let mut shapes: BTreeMap<Shape, (f64, u32, bool)> = BTreeMap::new();
        for ((class, score), spoken) in scores.into_iter().zip(spoken) {
            let entry = shapes
                .entry(self.classes[class as usize].1)
                .or_insert((0.0, class, false));
            entry.0 += (score - top).exp();
            entry.2 |= spoken;
        }
        let all: f64 = shapes.values().map(|(weight, ..)| weight).sum::<f64>() + (none - top).exp();
        let (shape, (weight, class, spoken)) = shapes.into_iter().max_by(|a, b| a.1.0.total_cmp(&b.1.0))?;
        spoken.then(|| (shape, self.example[class as usize], weight / all))
    }

    /// Adds to the scores the penalties for words that are usual for a structure and missing in this name.
    fn weigh_absent(&self, evidence: &[String], scores: &mut [(u32, f64)]) {
        let of = |class: u32| &self.usual[class as usize];
        let mut expected: Vec<u32> = scores
            .iter()
            .flat_map(|&(class, _)| of(class))
            .map(|&(word, _)| word)
            .collect();
        expected.sort_unstable();
        expected.dedup();
        let lacks = |word: &u32| {
            let word = &self.usual_words[*word as usize];
            evidence.binary_search(word).is_err()
        };
        expected.retain(lacks);
        for (class, score) in scores {
            let unseen = absence(0, self.totals[*class as usize]);
            let mut own = of(*class).iter().peekable();
            for &word in &expected {
                while own.next_if(|held| held.0 < word).is_some() {}
                *score += own.next_if(|held| held.0 == word).map_or(unseen, |held| held.1);
            }
        }
    }

    pub(super) fn class_of(&self, known: &Known) -> Option<u32> {
        self.index.get(&(family_of(known)?, known.shape()?)).copied()
    }

    /// Structures that architecture, listed size and stated size admit, with their log priors: those of the family
    /// itself or, if there are none, of families with the same blocks. Also the log prior of an unseen structure.
    fn candidates(&self, pool: &Pool, known: &Known, own: Option<u32>) -> (Vec<(u32, f64)>, f64) {
        let family = family_of(known);
        let meant = family.as_deref().map_or(Among::Evaluated, Among::Family);
        let mut admitted = self.admitted(pool, known, own, meant, false);
        if admitted.is_empty()
            && let Some(family) = &family
        {
            admitted = self.admitted(pool, known, own, Among::Akin(family), true);
        }
        let common = self.common(known, family.as_deref());
        let less = |class: u32, count: u32| f64::from(count - u32::from(own == Some(class) && count > 0));
        let prior = |class: u32| {
            let here = less(class, common.get(&class).copied().unwrap_or(0));
            here + 0.02 * less(class, self.totals[class as usize]) + 0.05
        };
        let all: f64 = admitted.iter().map(|&(class, _)| prior(class)).sum();
        let unseen = unseen(common.iter().map(|(&class, &count)| less(class, count) as u32));
        let scores = admitted
            .into_iter()
            .map(|(class, near)| (class, ((1.0 - unseen) * prior(class) / all).ln() + near))
            .collect();
        (scores, unseen.ln())
    }

    /// The number of checkpoints of each class within a family and (where known) listed size.
    fn common(&self, known: &Known, family: Option<&str>) -> Census {
        let size = match Listed::of(known) {
            Listed::Rough(size) | Listed::Counted(size) => Some(size.floor() as i64),
            Listed::Unknown => None,
        };
        let key = (family.map(str::to_owned), size);
        self.common.get(key, || Arc::new(self.counted(family, size)))
    }

    fn counted(&self, family: Option<&str>, size: Option<i64>) -> BTreeMap<u32, u32> {
        if let (Some(family), Some(size)) = (family, size) {
            return self
                .census
                .get(&(family.to_owned(), size))
                .cloned()
                .unwrap_or_default();
        }
        let mut all = BTreeMap::new();
        for ((of_family, of_size), counts) in &self.census {
            if family.is_none_or(|family| family == of_family) && size.is_none_or(|size| size == *of_size) {
                for (&class, count) in counts {
                    *all.entry(class).or_insert(0) += count;
                }
            }
        }
        all
    }

    /// Classes that the sizes admit, that some certain checkpoint has, and that are not too young.
    fn admitted(
        &self,
        pool: &Pool,
        known: &Known,
        own: Option<u32>,
        meant: Among<'_>,
        akin: bool,
    ) -> Vec<(u32, f64)> {
        let (family, listed, stated) = (family_of(known), Listed::of(known), sizes(&known.id));
        let key = |one: &Stated| match *one {
            Stated::Dense(size) => (0, size.to_bits()),
            Stated::Mixture(experts, size) => (experts, size.to_bits()),
        };
        let question = (
            family.clone(),
            [akin, is_mixture(known)],
            listed.key(),
            stated.iter().map(key).collect(),
        );
        let by_size = self.admitted.get(question, || {
            let experts = match (is_mixture(known), family.as_deref()) {
                (true, _) => Experts::Several,
                (false, family) => Experts::of(family),
            };
            self.admitted_by_size(pool, meant, listed, experts, &stated)
        });
        let published = known.published();
        let possible = |class: u32| {
            let too_early = match (self.first[class as usize], published) {
                (Some(first), Some(day)) => day + BEFORE < first,
                _ => false,
            };
            self.exact[class as usize] > u32::from(own == Some(class)) && !too_early
        };
        by_size
            .iter()
            .copied()
            .filter(|&(class, _)| possible(class))
            .collect()
    }

    fn admitted_by_size(
        &self,
        pool: &Pool,
        meant: Among<'_>,
        listed: Listed,
        experts: Experts,
        stated: &[Stated],
    ) -> Admitted {
        let mut found: BTreeMap<u32, f64> = BTreeMap::new();
        for number in pool.among(meant) {
            let class = self.class_of_template[number as usize];
            let template = &pool.templates[number as usize];
            if (listed == Listed::Unknown || closest(template, listed, experts, true).is_some())
                && said(template, stated, experts == Experts::Several)
            {
                let near = closeness(template, stated);
                let best = found.entry(class).or_insert(near);
                *best = best.max(near);
            }
        }
        found.into_iter().collect()
    }

    /// Sets the thresholds by leave-one-out over known checkpoints.
    fn calibrate(&mut self, pool: &Pool, known: &[Known], certain: &[(u32, Shape)]) {
        let mut answers = [Vec::new(), Vec::new()];
        for (at, shape) in thin(certain.to_vec(), LEFT_OUT) {
            let one = &known[at as usize];
            if one.shape().is_some()
                && let Some((told, _, posterior)) = self.weigh(pool, one, true)
            {
                answers[usize::from(!is_sized(one))].push((posterior, told == shape));
            }
        }
        self.sure = answers.map(threshold);
    }

    /// The structure of nearly all known checkpoints of the family and listed size, provided there are so many of these
    /// that another structure is unlikely.
    pub(crate) fn by_census(&self, known: &Known, left_out: bool) -> Option<(Shape, u32)> {
        let own = left_out.then(|| self.class_of(known)).flatten();
        let counts = self.census.get(&census_key(known)?)?;
        let count =
            |(&shape, &count): (&u32, &u32)| (shape, count - u32::from(own == Some(shape) && count > 0));
        let all: u32 = counts.iter().map(|entry| count(entry).1).sum();
        let (shape, most) = counts.iter().map(count).max_by_key(|&(_, count)| count)?;
        let unseen = unseen(counts.iter().map(|entry| count(entry).1));
        (most * 100 >= all * COMMON && unseen <= UNSEEN)
            .then(|| (self.classes[shape as usize].1, self.example[shape as usize]))
    }
}

/// Log-likelihood penalty for a name without a word that `with` of `total` names have.
fn absence(with: u32, total: u32) -> f64 {
    ABSENT * ((f64::from(total - with) + 0.5).ln() - (f64::from(total) + 1.0).ln())
}
