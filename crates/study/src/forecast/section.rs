//! The findings, tables and figure of what was forecast.

use std::collections::{BTreeMap, BTreeSet};

use super::{Forecasts, LEVEL, Outcome, units};
use crate::calendar::{day_name, month, month_name};
use crate::finding::{Finding, Interval, SourceOf};
use crate::section::{Axis, Bar, Cell, Drawing, Figure, Section, Table};
use crate::statistics::{mean, percentile_interval, resample_groups};

/// Days within which a forecast counts in the findings: a year.
const YEAR: f64 = 365.25;

/// What is counted of a group of forecasts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Measure {
    /// Mean absolute error of the forecast, of the rule by size, of the rule by shape.
    Mae(usize),
    /// Share that intervals hold.
    Coverage,
    /// Mean width of intervals.
    Width,
}

fn said(outcome: &Outcome, which: usize) -> f64 {
    [outcome.value, outcome.by_size, outcome.by_shape][which]
}

impl Measure {
    fn of(self, outcome: &Outcome) -> f64 {
        match self {
            Self::Mae(which) => (outcome.score - said(outcome, which)).abs(),
            Self::Coverage => {
                let (low, high) = outcome.ends;
                f64::from(u8::from((low..=high).contains(&outcome.score)))
            }
            Self::Width => outcome.ends.1 - outcome.ends.0,
        }
    }

    /// The mean of each shape.
    fn by_shape(self, outcomes: &[&Outcome]) -> Vec<f64> {
        let mut shapes: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
        for outcome in outcomes {
            shapes.entry(outcome.shape).or_default().push(self.of(outcome));
        }
        shapes.values().map(|values| mean(values)).collect()
    }

    /// The mean, each shape counting the same.
    pub(super) fn mean(self, outcomes: &[&Outcome]) -> f64 {
        mean(&self.by_shape(outcomes))
    }

    fn interval(self, outcomes: &[&Outcome], resamples: usize, seed: u64) -> Option<Interval> {
        let shapes = self.by_shape(outcomes);
        let n = shapes.len();
        let draws = resample_groups(n, resamples, seed, |drawn| {
            Some(drawn.iter().map(|&group| shapes[group]).sum::<f64>() / n as f64)
        });
        (n > 1)
            .then(|| percentile_interval(&draws, 0.95, format!("bootstrap over {n} shapes ({resamples})")))
            .flatten()
    }
}

/// R² by rows; none where all scores are alike.
fn r2(outcomes: &[&Outcome], which: usize) -> Option<f64> {
    let centre = mean(&outcomes.iter().map(|outcome| outcome.score).collect::<Vec<_>>());
    let total: f64 = outcomes
        .iter()
        .map(|outcome| (outcome.score - centre).powi(2))
        .sum();
    let missed = |outcome: &&Outcome| (outcome.score - said(outcome, which)).powi(2);
    (total > 0.0).then(|| 1.0 - outcomes.iter().map(missed).sum::<f64>() / total)
}

/// Which forecasts a group holds: a word for ids, words, and the test.
type Group = (&'static str, &'static str, fn(&Outcome) -> bool);

/// Groups of forecasts; all but the last are of checkpoints within a year.
const GROUPS: [Group; 8] = [
    ("all", "all within a year", |one| one.horizon < YEAR),
    ("new_shape", "shape not known", |one| {
        one.horizon < YEAR && !one.shape_known
    }),
    ("known_shape", "shape known", |one| {
        one.horizon < YEAR && one.shape_known
    }),
    ("new_family", "family not known", |one| {
        one.horizon < YEAR && !one.family_known
    }),
    ("known_family", "family known", |one| {
        one.horizon < YEAR && one.family_known
    }),
    ("half_year", "within half a year", |one| one.horizon < YEAR / 2.0),
    ("second_half", "from half a year to one", |one| {
        (YEAR / 2.0..YEAR).contains(&one.horizon)
    }),
    ("later", "after a year", |one| one.horizon >= YEAR),
];
/// Groups that have findings of their own.
const FOUND: [&str; 3] = ["all", "new_shape", "new_family"];

pub(super) fn section(all: &[Forecasts], resamples: usize, seed: u64) -> Section {
    let mut section = Section {
        id: "forecast".into(),
        title: "How right were we".into(),
        ..Section::default()
    };
    let mut by_group = Table {
        id: "forecast".into(),
        caption: "Forecasts frozen at the start of each quarter from 2023-06 on, against what came: mean absolute errors \
                  (points), R² by rows, the share of 80 % intervals that held and their width (points). Errors, shares and \
                  widths count each shape the same."
            .into(),
        columns: [
            "benchmark",
            "of which",
            "forecasts",
            "shapes",
            "MAE",
            "MAE by size",
            "MAE by shape",
            "R²",
            "R² by size",
            "R² by shape",
            "held",
            "width",
        ]
        .map(String::from)
        .to_vec(),
        shown: true,
        ..Table::default()
    };
    let mut by_day = Table {
        id: "forecast-by-day".into(),
        caption: "The same within a year, by the quarter that the fit was frozen at.".into(),
        shown: true,
        ..by_group.clone()
    };
    by_day.columns[1] = "frozen at".into();
    let mut bars = Vec::new();
    let mut n_drawn = 0;
    for forecasts in all {
        let question = &forecasts.question;
        for (name, words, is_in) in GROUPS {
            let group: Vec<&Outcome> = forecasts.outcomes.iter().filter(|one| is_in(one)).collect();
            if group.is_empty() {
                continue;
            }
            by_group.rows.push(cells(&question.title, words, &group));
            if FOUND.contains(&name) {
                section
                    .findings
                    .extend(findings(forecasts, (name, words), &group, resamples, seed));
            }
            if name == "all" {
                n_drawn += group.len();
                bars.extend(drawn(&question.title, &group, resamples, seed));
            }
        }
        let days: BTreeSet<i64> = forecasts.outcomes.iter().map(|one| month(one.frozen)).collect();
        for quarter in days {
            let is_in = |one: &&Outcome| month(one.frozen) == quarter && one.horizon < YEAR;
            let group: Vec<&Outcome> = forecasts.outcomes.iter().filter(is_in).collect();
            if !group.is_empty() {
                by_day
                    .rows
                    .push(cells(&question.title, &month_name(quarter), &group));
            }
        }
    }
    for forecasts in all.iter().filter(|own| own.question.later.is_some()) {
        section
            .findings
            .extend(units::findings(forecasts, resamples, seed));
    }
    section.text = words(all);
    section.text.extend(units::words(&section.findings));
    if n_drawn == 0 {
        section
            .text
            .push("Too few shapes were known at any quarter: there is no forecast.".into());
        return section;
    }
    section.tables = vec![by_group, by_day, by_ability(all), rows(all)];
    section.figures = vec![Figure {
        id: "forecast".into(),
        title: "Errors of forecasts".into(),
        caption: "Mean absolute error of what appeared within a year after a fit was frozen, each shape counting the same; \
                  95 % intervals over shapes."
            .into(),
        n: n_drawn,
        x: Axis::linear("benchmark"),
        y: Axis::linear("mean absolute error, points"),
        drawing: Drawing::Bars(bars),
    }];
    section
}

/// One row of a table of groups.
fn cells(title: &str, words: &str, group: &[&Outcome]) -> Vec<Cell> {
    let shapes: BTreeSet<u32> = group.iter().map(|one| one.shape).collect();
    let mut cells: Vec<Cell> = vec![
        title.into(),
        words.into(),
        group.len().into(),
        shapes.len().into(),
    ];
    cells.extend((0..3).map(|which| Cell::from(Measure::Mae(which).mean(group))));
    cells.extend((0..3).map(|which| Cell::from(r2(group, which))));
    cells.push(Measure::Coverage.mean(group).into());
    cells.push(Measure::Width.mean(group).into());
    cells
}

fn findings(
    forecasts: &Forecasts,
    (name, words): (&str, &str),
    group: &[&Outcome],
    resamples: usize,
    seed: u64,
) -> Vec<Finding> {
    let question = &forecasts.question;
    let source = SourceOf {
        work: question.board.clone(),
        place: "rows known before each quarter, against what came after".into(),
    };
    let tail = if name == "all" {
        String::new()
    } else {
        format!(".{name}")
    };
    let title = &question.title;
    let shapes = Measure::Coverage.by_shape(group).len();
    let measured: [(&str, Measure, &str, String); 4] = [
        (
            "mae",
            Measure::Mae(0),
            "points",
            format!("By how much do forecasts of {title} miss ({words})?"),
        ),
        (
            "mae_size",
            Measure::Mae(1),
            "points",
            format!("By how much does the mean of shapes of that size miss {title} ({words})?"),
        ),
        (
            "mae_shape",
            Measure::Mae(2),
            "points",
            format!("By how much does the mean of the same or nearest shape miss {title} ({words})?"),
        ),
        (
            "coverage",
            Measure::Coverage,
            "fraction",
            format!(
                "How often do {:.0} % intervals of {title} hold ({words})?",
                LEVEL * 100.0
            ),
        ),
    ];
    let complete = |finding: Finding| {
        finding
            .with_protocol("forward, rolling origin", &question.names)
            .with_seed(seed)
            .with_figure("forecast")
            .with_note(format!("{shapes} shapes, each counting the same"))
    };
    let mut found: Vec<Finding> = measured
        .into_iter()
        .map(|(id, measure, unit, asked)| {
            complete(
                Finding::new(
                    format!("forecast.{id}.{}{tail}", question.benchmark),
                    asked,
                    &source,
                )
                .with_value(measure.mean(group), unit, group.len(), "mean over shapes")
                .with_interval(measure.interval(group, resamples, seed)),
            )
        })
        .collect();
    for (id, which) in [("r2", 0), ("r2_size", 1), ("r2_shape", 2)] {
        let asked = format!("What share of the variance of {title} is forecast ({words}, {id})?");
        let value = r2(group, which).unwrap_or(f64::NAN);
        found.push(complete(
            Finding::new(
                format!("forecast.{id}.{}{tail}", question.benchmark),
                asked,
                &source,
            )
            .with_value(value, "1", group.len(), "R² by rows"),
        ));
    }
    found
}

/// The bars of one benchmark.
fn drawn(title: &str, group: &[&Outcome], resamples: usize, seed: u64) -> Vec<Bar> {
    let names = ["forecast", "mean of the size", "mean of the shape"];
    let bar = |(which, name): (usize, &str)| {
        let measure = Measure::Mae(which);
        Bar {
            group: title.to_owned(),
            series: name.to_owned(),
            value: measure.mean(group),
            interval: measure
                .interval(group, resamples, seed)
                .map(|ends| (ends.low, ends.high)),
        }
    };
    names.into_iter().enumerate().map(bar).collect()
}

/// The same by ability: every benchmark that asks for it, forecasts within a year.
fn by_ability(all: &[Forecasts]) -> Table {
    let mut abilities: BTreeMap<&str, Vec<&Forecasts>> = BTreeMap::new();
    for forecasts in all {
        for ability in &forecasts.question.abilities {
            abilities.entry(ability).or_default().push(forecasts);
        }
    }
    let rows = abilities.into_iter().filter_map(|(ability, all)| {
        let groups: Vec<Vec<&Outcome>> = all
            .iter()
            .map(|one| one.outcomes.iter().filter(|one| one.horizon < YEAR).collect())
            .filter(|group: &Vec<&Outcome>| !group.is_empty())
            .collect();
        let over =
            |measure: Measure| mean(&groups.iter().map(|group| measure.mean(group)).collect::<Vec<_>>());
        (!groups.is_empty()).then(|| {
            vec![
                ability.into(),
                groups.len().into(),
                groups.iter().map(Vec::len).sum::<usize>().into(),
                over(Measure::Mae(0)).into(),
                over(Measure::Mae(1)).into(),
                over(Measure::Mae(2)).into(),
                over(Measure::Coverage).into(),
            ]
        })
    });
    Table {
        id: "forecast-by-ability".into(),
        caption: "Forecasts within a year by ability: means over the benchmarks that ask for it.".into(),
        columns: [
            "ability",
            "benchmarks",
            "forecasts",
            "MAE",
            "MAE by size",
            "MAE by shape",
            "held",
        ]
        .map(String::from)
        .to_vec(),
        rows: rows.collect(),
        shown: true,
    }
}

/// Every forecast, for whoever would compute the numbers anew.
fn rows(all: &[Forecasts]) -> Table {
    let columns = [
        "benchmark",
        "id",
        "shape",
        "frozen",
        "horizon",
        "shape_known",
        "family_known",
        "method",
        "score",
        "forecast",
        "low",
        "high",
        "by_size",
        "by_shape",
    ];
    let yes = |is: bool| Cell::from(if is { "true" } else { "false" });
    let row = |name: &str, one: &Outcome| {
        vec![
            name.into(),
            one.id.as_str().into(),
            (one.shape as usize).into(),
            day_name(one.frozen).into(),
            one.horizon.into(),
            yes(one.shape_known),
            yes(one.family_known),
            one.method.into(),
            one.score.into(),
            one.value.into(),
            one.ends.0.into(),
            one.ends.1.into(),
            one.by_size.into(),
            one.by_shape.into(),
        ]
    };
    Table {
        id: "forecast-rows".into(),
        caption: "Every forecast and what came.".into(),
        columns: columns.map(String::from).to_vec(),
        rows: all
            .iter()
            .flat_map(|one| {
                one.outcomes
                    .iter()
                    .map(|outcome| row(&one.question.benchmark, outcome))
            })
            .collect(),
        shown: false,
    }
}

fn words(all: &[Forecasts]) -> Vec<String> {
    let mut text = vec![format!(
        "Each quarter's fit knows only what had been published by then. Its intervals are made of the errors that the same \
         procedure would have made before, and shall hold {:.0} times in a hundred. Beside it stand two rules that fit \
         nothing: the mean of the known shapes of about that size, and the mean of the same shape, else of the nearest.",
        LEVEL * 100.0
    )];
    for forecasts in all {
        let group: Vec<&Outcome> = forecasts
            .outcomes
            .iter()
            .filter(|one| one.horizon < YEAR)
            .collect();
        if group.is_empty() {
            continue;
        }
        let [ours, size, shape] = [0, 1, 2].map(|which| Measure::Mae(which).mean(&group));
        let best = if ours < size.min(shape) {
            "below both rules"
        } else if ours < size.max(shape) {
            "between the two rules"
        } else {
            "above both rules"
        };
        text.push(format!(
            "{}: forecasts miss by {ours:.1} points, {best} ({size:.1} by size, {shape:.1} by shape); intervals held {:.0} % \
             ({} forecasts, {} shapes).",
            forecasts.question.title,
            100.0 * Measure::Coverage.mean(&group),
            group.len(),
            Measure::Coverage.by_shape(&group).len()
        ));
    }
    text
}
