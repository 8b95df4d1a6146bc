//! Findings, tables and text of the section.

use super::{Anchor, AnchoredQuestion, LEVEL, Tested, tested};
use crate::finding::{Finding, Interval, SourceOf};
use crate::section::{Cell, Section, Table};
use crate::statistics::{GroupBootstrap, group_bootstrap, mean};

const METHOD: &str =
    "gaussian processes along principal directions, parameters by likelihood on training rows";

/// Mean absolute errors of one method, `(n_groups, n_benchmarks)`, and the number of checkpoints in each group.
struct Errors {
    name: String,
    anchor: Anchor,
    of_groups: Vec<Vec<f64>>,
    counts: Vec<usize>,
}

impl Errors {
    fn of(
        (name, anchor): (&str, Anchor),
        question: &AnchoredQuestion,
        all: &[Tested],
        said: impl Fn(&Tested) -> &Vec<f64>,
    ) -> Self {
        let mut groups: Vec<usize> = all.iter().map(|own| own.group).collect();
        groups.dedup();
        let members = |group: usize| all.iter().filter(move |own| own.group == group);
        let error = |group: usize, place: usize| {
            let missed = |own: &Tested| (said(own)[place] - question.rows[own.row].scores[place]).abs();
            mean(&members(group).map(missed).collect::<Vec<f64>>())
        };
        let n = question.benchmarks.len();
        Self {
            name: name.to_owned(),
            anchor,
            of_groups: groups
                .iter()
                .map(|&group| (0..n).map(|place| error(group, place)).collect())
                .collect(),
            counts: groups.iter().map(|&group| members(group).count()).collect(),
        }
    }

    fn groups(&self) -> Vec<f64> {
        self.of_groups.iter().map(|own| mean(own)).collect()
    }

    /// Mean over groups of the means over their checkpoints, as in the published table.
    fn by_groups(&self) -> f64 {
        mean(&self.groups())
    }

    /// Mean over checkpoints.
    fn by_checkpoints(&self) -> f64 {
        let all = self.groups().into_iter().zip(&self.counts);
        let (sum, n) = all.fold((0.0, 0.0), |(sum, n), (own, &count)| {
            (sum + own * count as f64, n + count as f64)
        });
        sum / n
    }

    fn on(&self, place: usize) -> f64 {
        mean(&self.of_groups.iter().map(|own| own[place]).collect::<Vec<f64>>())
    }

    fn interval(&self, resamples: usize, seed: u64) -> Option<Interval> {
        let groups = self.groups();
        let labels: Vec<u32> = (0..groups.len() as u32).collect();
        group_bootstrap(&labels, GroupBootstrap { resamples, seed }, 0.95, |drawn| {
            mean(&drawn.iter().map(|&group| groups[group]).collect::<Vec<f64>>())
        })
    }

    fn n(&self) -> usize {
        self.counts.iter().sum()
    }
}

/// Published errors by method, in the order given.
fn saved(question: &AnchoredQuestion) -> Vec<Errors> {
    let mut all: Vec<Errors> = Vec::new();
    for own in &question.saved {
        let place = all.iter().position(|errors| errors.name == own.method);
        let place = place.unwrap_or_else(|| {
            all.push(Errors {
                name: own.method.clone(),
                anchor: Anchor::One,
                of_groups: Vec::new(),
                counts: Vec::new(),
            });
            all.len() - 1
        });
        all[place].of_groups.push(own.errors.clone());
        all[place].counts.push(own.checkpoints);
    }
    all
}

pub(super) fn section(question: &AnchoredQuestion, resamples: usize, seed: u64) -> Section {
    let mut section = Section {
        id: "anchored".into(),
        title: "Larger members of a family from its smallest".into(),
        ..Section::default()
    };
    let source = SourceOf {
        work: question.work.clone(),
        place: question.place.clone(),
    };
    let mut all: Vec<Errors> = Vec::new();
    for anchor in Anchor::ALL {
        let Some(told) = tested(question, anchor).filter(|told| !told.is_empty()) else {
            return section;
        };
        let new = |id: &str, words: &str| {
            Finding::new(
                format!("anchored.{id}.{}.{}", anchor.name(), question.name),
                format!(
                    "{words} {} ({}, {})?",
                    question.work,
                    anchor.words(),
                    "raw points"
                ),
                &source,
            )
            .with_protocol(
                &format!("groups of families in turn, {}", anchor.words()),
                &["size", "tokens", "tuned", "family"].map(String::from),
            )
            .with_seed(seed)
        };
        let ours = Errors::of(("this", anchor), question, &told, |own| &own.process);
        let by_size = Errors::of(("five nearest in size", anchor), question, &told, |own| {
            &own.by_size
        });
        section.findings.push(
            new("mae", "By how much is a larger member of a family missed on")
                .with_value(ours.by_groups(), "points", ours.n(), METHOD)
                .with_interval(ours.interval(resamples, seed))
                .with_note(format!(
                    "mean over {} groups of the mean over their checkpoints; over checkpoints {:.2}",
                    ours.counts.len(),
                    ours.by_checkpoints()
                )),
        );
        for (place, known) in question.benchmarks.iter().enumerate() {
            section.findings.push(
                new(
                    &format!("mae.{}", known.name),
                    &format!("The same on {} of", known.title),
                )
                .with_value(ours.on(place), "points", ours.n(), METHOD),
            );
        }
        section.findings.push(
            new(
                "mae_size",
                "By how much does the mean of the five nearest in size miss on",
            )
            .with_value(by_size.by_groups(), "points", by_size.n(), "mean of five rows")
            .with_interval(by_size.interval(resamples, seed)),
        );
        let inside = told.iter().flat_map(|own| {
            let scores = &question.rows[own.row].scores;
            own.ends
                .iter()
                .zip(scores)
                .map(|((low, high), score)| f64::from(u8::from((*low..=*high).contains(score))))
        });
        let inside: Vec<f64> = inside.collect();
        section.findings.push(
            new(
                "coverage",
                &format!(
                    "Which share of scores do {:.0} % intervals hold on",
                    100.0 * LEVEL
                ),
            )
            .with_value(mean(&inside), "fraction", inside.len(), METHOD),
        );
        if anchor == Anchor::One {
            all.push(Errors::of(
                ("the smallest's own scores", anchor),
                question,
                &told,
                |own| &own.copied,
            ));
        }
        all.extend([ours, by_size]);
    }
    for theirs in saved(question) {
        section.findings.push(
            Finding::new(
                format!("anchored.saved.{}.{}", theirs.name, question.name),
                format!(
                    "By how much does {} of {} miss, by the errors that it saved?",
                    theirs.name, question.work
                ),
                &source,
            )
            .with_protocol(
                "groups of families in turn, the smallest of each family known",
                &[],
            )
            .with_value(theirs.by_groups(), "points", theirs.n(), "mean of saved errors")
            .with_interval(theirs.interval(resamples, seed))
            .with_seed(seed),
        );
        all.push(theirs);
    }
    all.sort_by(|a, b| a.by_groups().total_cmp(&b.by_groups()));
    section.text = words(question, &section.findings, &all);
    section.tables.push(table(question, &all, resamples, seed));
    section
}

fn table(question: &AnchoredQuestion, all: &[Errors], resamples: usize, seed: u64) -> Table {
    let mut columns: Vec<String> = [
        "method",
        "of the family known",
        "error",
        "from",
        "to",
        "by checkpoints",
    ]
    .map(String::from)
    .to_vec();
    columns.extend(question.benchmarks.iter().map(|known| known.title.clone()));
    let row = |own: &Errors| -> Vec<Cell> {
        let ends = own.interval(resamples, seed);
        let known = match own.anchor {
            Anchor::One => "its smallest",
            Anchor::None => "nothing",
        };
        let mut cells: Vec<Cell> = vec![
            own.name.clone().into(),
            known.into(),
            own.by_groups().into(),
            ends.as_ref().map(|ends| ends.low).into(),
            ends.as_ref().map(|ends| ends.high).into(),
            own.by_checkpoints().into(),
        ];
        cells.extend((0..question.benchmarks.len()).map(|place| Cell::from(own.on(place))));
        cells
    };
    Table {
        id: "anchored".into(),
        caption: format!(
            "Mean absolute errors in raw points on {}: mean over its groups of families, 95 % interval over groups; over \
             checkpoints; by benchmark. `this` is the process here; what is not among the first three kinds is a method of \
             that work by the errors that it saved (_faminter: an intercept a family; the number: its factors or components).",
            question.work
        ),
        columns,
        rows: all.iter().map(row).collect(),
        shown: true,
    }
}

fn words(question: &AnchoredQuestion, findings: &[Finding], all: &[Errors]) -> Vec<String> {
    let number = |id: &str| {
        let id = format!("anchored.{id}.{}", question.name);
        findings.iter().find(|own| own.id == id).and_then(|own| own.value)
    };
    let best = all
        .iter()
        .find(|own| question.saved.iter().any(|saved| saved.method == own.name));
    let (Some(one), Some(none), Some(size), Some(best)) = (
        number("mae.one"),
        number("mae.none"),
        number("mae_size.none"),
        best,
    ) else {
        return Vec::new();
    };
    let held = |anchor: &str| 100.0 * number(&format!("coverage.{anchor}")).unwrap_or(f64::NAN);
    vec![
        format!(
            "With the smallest member of a family known its larger ones are missed by {one:.1} points, with nothing known of \
             it by {none:.1} (the five nearest in size: {size:.1}). The best of the work's own methods, {}, misses \
             by {:.1} with the smallest known; which of them that is was read off these same checkpoints.",
            best.name,
            best.by_groups()
        ),
        format!(
            "80 % intervals hold {:.0} % of scores with the smallest known and {:.0} % with nothing known.",
            held("one"),
            held("none")
        ),
        "These are not errors on unseen families unless nothing of the family is known; the two are different questions."
            .into(),
    ]
}
