//! `name`: what a checkpoint's name says, weighed by what the names of exactly known checkpoints mean.
//!
//! Candidates are the structures that the architecture and the listed size admit. Among them naive Bayes over the
//! words of the name (Maron 1961): how often each word, each stated size, each quarter of a year goes with each
//! structure. One more candidate is none of these: as likely as what the architecture and size go with was seen only once
//! (Good 1953), with the words that names have in general. Answered only where the posterior reaches a threshold that
//! leaving known checkpoints out shows to be right nearly always, and where a word of the name tells the answer's blocks.

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

/// Known checkpoints left out to find the thresholds.
const LEFT_OUT: usize = 2_000;
/// Per cent of the known checkpoints of a family and size that the common structure must have, and at most one in so many
/// of all such checkpoints may have one that was never seen.
const COMMON: u32 = 98;
const UNSEEN: f64 = 0.02;
/// Days that a checkpoint may be dated before the first of its structure: dates are of uploads, submissions or releases.
const BEFORE: i32 = 30;

/// Weight of a word that is missing against one that is there: names are cut more often than they are padded.
const ABSENT: f64 = 0.5;

/// Logarithm of the least weight of one word: names are whims, one word must not outweigh all others.
const LEAST: f64 = -4.0;

/// Classes, and how near each is to what a name states.
type Admitted = Arc<[(u32, f64)]>;
/// Family, whether those with the same blocks are meant, what is listed, and what is stated.
type Question = (Option<String>, [bool; 2], (u8, u64), Vec<(i64, u64)>);
/// How often checkpoints of a family and listed size have each class.
type Census = Arc<BTreeMap<u32, u32>>;

/// How often words go with structures.
#[derive(Default)]
pub(crate) struct Lexicon {
    /// A family's structure is one class.
    pub(super) classes: Vec<(String, Shape)>,
    index: BTreeMap<(String, Shape), u32>,
    class_of_template: Vec<u32>,
    totals: Vec<u32>,
    /// Checkpoints certain to have the shape: one that none has is no candidate.
    exact: Vec<u32>,
    pub(super) example: Vec<u32>,
    /// The first day on which a checkpoint of each class is known to have been published.
    first: Vec<Option<i32>>,
    /// How often each word goes with each class, and with any.
    words: HashMap<String, Vec<(u32, u32)>>,
    /// Words that are usual for some class, in order.
    usual_words: Vec<String>,
    /// Per class, the places of the words that at least half of its names have, ascending, and what a name that lacks the
    /// word has against it.
    usual: Vec<Vec<(u32, f64)>>,
    /// Per family and whole billions listed, how often each structure has them.
    pub(super) census: BTreeMap<(String, i64), BTreeMap<u32, u32>>,
    pub(crate) telling: Telling,
    /// Posterior from which a name is an answer: where a size is listed or stated, and where none is.
    pub(super) sure: [f64; 2],
    admitted: Memo<Question, Admitted>,
    common: Memo<(Option<String>, Option<i64>), Census>,
}

/// The words of a checkpoint: of its name, its stated sizes, and its time.
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
    /// Learns from checkpoints and their structures, of which the first `certain` are exact or counted.
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

    /// The structure that the name of `known` tells, and a checkpoint that has it.
    pub(crate) fn by_name(&self, pool: &Pool, known: &Known, left_out: bool) -> Option<(Shape, u32)> {
        let (shape, of, posterior) = self.weigh(pool, known, left_out)?;
        (posterior >= self.sure[usize::from(!is_sized(known))]).then_some((shape, of))
    }

    /// The likeliest structure of those for which a word of the name speaks, a checkpoint that has it, and its posterior
    /// among all and none of these.
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
            // A class that has not seen the word is as likely to have it as any.
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

    /// What names of a structure usually say, and this one does not, word after word.
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

    /// Structures that architecture, listed size and stated size admit, with the logarithm of how common each is: those
    /// of the family itself, or of families with the same blocks where it has none. Beside them the same for none of these.
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

    /// How often checkpoints of that family and listed size (where known) have each class.
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

    /// Of the classes that the sizes admit, those that a certain checkpoint has and that are not of later days.
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

    /// Sets the thresholds by leaving known checkpoints out.
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

    /// The structure that nearly all known checkpoints of that family and listed size have, where so many are known that
    /// another is unlikely.
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

/// What a name has against it that lacks a word which `with` of `total` names have.
fn absence(with: u32, total: u32) -> f64 {
    ABSENT * ((f64::from(total - with) + 0.5).ln() - (f64::from(total) + 1.0).ln())
}
