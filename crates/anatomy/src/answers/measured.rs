//! Scores as leaderboards measured them: the settings of each run, which runs are comparable, and the sampling error
//! that follows from the number of items.

use catalog::tables::Score;
use serde::Serialize;
use study::finding::Interval;
use study::noise::{Items, items_of};

use super::known::Known;

/// The settings behind a score: everything that decides whether two scores are comparable.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Run {
    pub(crate) leaderboard: String,
    /// Version of the leaderboard's table.
    pub(crate) version: String,
    /// Key of the evaluation in the catalog.
    pub(crate) evaluation: String,
    /// Metric: `acc`, `acc_norm`, `exact_match` …
    pub(crate) metric: Option<String>,
    /// `raw`, or `normalised`: 0 at chance, 100 at best.
    pub(crate) scale: Option<String>,
    /// Number of few-shot examples in the prompt.
    pub(crate) shots: Option<i64>,
    pub(crate) chat_template: Option<bool>,
    /// Number format of the weights during the run.
    pub(crate) precision: Option<String>,
    pub(crate) setting: Option<String>,
    /// Reasoning mode of the checkpoint, where one was set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mode: Option<String>,
    /// `test` or `validation`, where the board distinguishes them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) split: Option<String>,
    /// Evaluation harness and its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) harness: Option<String>,
    /// Date of the evaluation.
    pub(crate) date: Option<String>,
}

/// One score of one checkpoint.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Measured {
    pub(crate) benchmark: String,
    pub(crate) value: f64,
    pub(crate) unit: String,
    /// 95 % interval over other items, as published or from the number of items; `None` where neither is known.
    pub(crate) interval: Option<Interval>,
    /// Number of items; `None` where not known.
    pub(crate) n: Option<usize>,
    /// Standard error, points, as published by the board or derived from its published interval.
    #[serde(skip)]
    published: Option<f64>,
    #[serde(flatten)]
    pub(crate) run: Run,
}

impl Run {
    /// Settings in which two runs differ so that their scores are not comparable, each as `setting: one against other`;
    /// empty where the runs are comparable.
    pub(crate) fn unlike(&self, other: &Self) -> Vec<String> {
        let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "not stated".to_owned());
        let sides: [(&str, [String; 2]); 9] = [
            (
                "leaderboard",
                [self.leaderboard.clone(), other.leaderboard.clone()],
            ),
            ("metric", [self, other].map(|run| text(&run.metric))),
            ("scale", [self, other].map(|run| text(&run.scale))),
            (
                "few-shot examples",
                [self, other].map(|run| text(&run.shots.map(|shots| shots.to_string()))),
            ),
            (
                "chat template",
                [self, other].map(|run| text(&run.chat_template.map(|with| template(with).to_owned()))),
            ),
            ("precision", [self, other].map(|run| text(&run.bits()))),
            ("setting", [self, other].map(Self::told_by_setting)),
            ("mode", [self, other].map(|run| text(&run.mode))),
            ("split", [self, other].map(|run| text(&run.split))),
        ];
        sides
            .into_iter()
            .filter(|(_, [one, two])| one != two)
            .map(|(what, [one, two])| format!("{what}: {one} against {two}"))
            .collect()
    }

    /// The precision, reduced to its bits: `bfloat16` and `float16` both count as 16 bits.
    fn bits(&self) -> Option<String> {
        let name = self.precision.as_ref()?;
        let bits = match name.to_ascii_lowercase().as_str() {
            "bfloat16" | "float16" | "bf16" | "fp16" | "half" => "16 bits",
            "float32" | "fp32" | "float" => "32 bits",
            "8bit" | "int8" => "8 bits",
            "4bit" | "int4" => "4 bits",
            _ => name,
        };
        Some(bits.to_owned())
    }

    /// The setting without the context length, which is a property of the checkpoint and not of the run.
    fn told_by_setting(&self) -> String {
        let parts: Vec<&str> = self
            .parts_of_setting()
            .filter(|part| !part.starts_with("context "))
            .collect();
        if parts.is_empty() {
            "none".to_owned()
        } else {
            parts.join("; ")
        }
    }

    /// The settings of the run for display, one element per setting in a fixed order.
    pub(crate) fn parts(&self) -> [Option<String>; 8] {
        [
            self.metric.clone(),
            self.scale.clone(),
            self.shots.map(|shots| format!("{shots}-shot")),
            self.chat_template
                .map(|with| format!("{} chat template", template(with))),
            self.precision.clone(),
            self.setting.clone(),
            self.mode.clone(),
            self.split.as_ref().map(|split| format!("{split} split")),
        ]
    }

    /// Whether the scale maps chance to 0.
    fn is_stretched(&self) -> bool {
        self.scale.as_deref() != Some("raw")
    }

    /// The benchmark's items; `None` where the run did not answer all of them.
    fn items(&self, benchmark: &str) -> Option<&'static Items> {
        let is_cut = self.parts_of_setting().any(|part| part.starts_with("limit "));
        let answered = self.answered();
        items_of(benchmark).filter(|items| !is_cut && answered.is_none_or(|n| n == items.n))
    }

    /// Number of items that the run answered, where its results state it.
    fn answered(&self) -> Option<usize> {
        self.parts_of_setting()
            .find_map(|part| part.strip_prefix("items ")?.parse().ok())
    }

    fn parts_of_setting(&self) -> impl Iterator<Item = &str> {
        self.setting.iter().flat_map(|setting| setting.split("; "))
    }
}

const fn template(with: bool) -> &'static str {
    if with { "with" } else { "without" }
}

impl Measured {
    /// Standard error, points: as published by the board, else computed from the number of items.
    pub(crate) fn standard_error(&self) -> Option<f64> {
        self.published.or_else(|| self.error().map(|(error, _)| error))
    }

    /// Standard error (points) computed from the number of items, and that number; `None` where that is not known.
    pub(crate) fn error(&self) -> Option<(f64, usize)> {
        let items = self.run.items(&self.benchmark)?;
        Some((items.error_of(self.value, self.run.is_stretched()), items.n))
    }
}

/// Every score of a checkpoint on one benchmark; duplicates are left out unless there is nothing else.
pub(crate) fn of(known: &Known<'_>, id: &str, benchmark: &str) -> Vec<Measured> {
    kept(known, id, |score| score.benchmark == benchmark)
}

/// Like [`of`], on one leaderboard.
pub(crate) fn on_board(known: &Known<'_>, id: &str, benchmark: &str, leaderboard: &str) -> Vec<Measured> {
    kept(known, id, |score| {
        score.benchmark == benchmark && score.leaderboard == leaderboard
    })
}

fn kept(known: &Known<'_>, id: &str, is_asked: impl Fn(&Score) -> bool) -> Vec<Measured> {
    let (repeats, first): (Vec<&Score>, Vec<&Score>) =
        asked(known, id, is_asked).partition(|score| is_repeat(known, score));
    let kept = if first.is_empty() { repeats } else { first };
    kept.into_iter().map(measured).collect()
}

/// The scores of a checkpoint, in points, that are asked for.
fn asked<'a>(
    known: &Known<'a>,
    id: &str,
    is_asked: impl Fn(&Score) -> bool,
) -> impl Iterator<Item = &'a Score> {
    let all = known.scores.get(id).into_iter().flatten().copied();
    all.filter(move |score| score.unit == "points" && is_asked(score))
}

fn is_repeat(known: &Known<'_>, score: &Score) -> bool {
    known
        .evaluations
        .get(score.evaluation.as_str())
        .is_some_and(|row| row.duplicate_of.is_some())
}

/// Whether any leaderboard has a score of a checkpoint on the benchmark.
pub(crate) fn is_measured(known: &Known<'_>, id: &str, benchmark: &str) -> bool {
    asked(known, id, |score| score.benchmark == benchmark)
        .next()
        .is_some()
}

/// A checkpoint's score on a benchmark of a leaderboard: the first that is not a duplicate, else the first.
pub(crate) fn best(known: &Known<'_>, id: &str, benchmark: &str, leaderboard: &str) -> Option<Measured> {
    let all = || {
        asked(known, id, |score| {
            score.benchmark == benchmark && score.leaderboard == leaderboard
        })
    };
    let first = all().find(|score| !is_repeat(known, score));
    first.or_else(|| all().next()).map(measured)
}

/// Half-width of a two-sided 95 % interval in standard errors.
const TWO_SIDED: f64 = 1.959_964;

/// Converts a catalog score to the form that answers use.
pub(crate) fn measured(score: &Score) -> Measured {
    let run = Run {
        leaderboard: score.leaderboard.clone(),
        version: score.version.clone(),
        evaluation: score.evaluation.clone(),
        metric: score.metric.clone(),
        scale: score.scale.clone(),
        shots: score.shots,
        chat_template: score.chat_template,
        precision: score.precision.clone(),
        setting: score.setting.clone(),
        mode: score.mode.clone(),
        split: score.split.clone(),
        harness: score.harness.clone(),
        date: score.date.map(catalog::day_text),
    };
    let published = score.error.or(score.half_width.map(|half| half / TWO_SIDED));
    let stated = score.half_width.or(score.error.map(|error| error * TWO_SIDED));
    let stated = stated.map(|half| Interval {
        low: score.value - half,
        high: score.value + half,
        level: 0.95,
        method: "as published".into(),
    });
    let items = run.items(&score.benchmark);
    Measured {
        benchmark: score.benchmark.clone(),
        value: score.value,
        unit: score.unit.clone(),
        interval: stated.or_else(|| items.map(|items| items.interval(score.value, 0.95, run.is_stretched()))),
        published,
        n: run.answered().or(items.map(|items| items.n)),
        run,
    }
}

/// Mean difference (second minus first, points) over the items that both checkpoints answered, its standard error, and
/// the number of those items; `None` unless the catalog has per-item scores of both.
pub(crate) fn items_apart(
    known: &Known<'_>,
    benchmark: &str,
    first: &str,
    second: &str,
) -> Option<(f64, f64, usize)> {
    let (a, b) = (
        known.items.get(&(first, benchmark))?,
        known.items.get(&(second, benchmark))?,
    );
    let pairs: Vec<(f64, f64)> = a
        .iter()
        .filter_map(|(item, value)| Some((*value, *b.get(item)?)))
        .collect();
    let (left, right): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
    let (mean, error) = study::noise::paired(&left, &right)?;
    Some((mean * 100.0, error * 100.0, pairs.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Change = fn(&mut Run);

    fn run() -> Run {
        Run {
            leaderboard: "board".into(),
            version: String::new(),
            evaluation: "board/0".into(),
            metric: Some("acc_norm".into()),
            scale: Some("raw".into()),
            shots: Some(25),
            chat_template: Some(false),
            precision: Some("bfloat16".into()),
            setting: Some("context 128k".into()),
            mode: None,
            split: None,
            harness: None,
            date: None,
        }
    }

    #[test]
    fn runs_are_unlike_by_what_makes_scores_incomparable_and_by_nothing_else() {
        let same = Run {
            precision: Some("float16".into()),
            version: "2024-06-01".into(),
            evaluation: "board/7".into(),
            setting: Some("context 32k".into()),
            ..run()
        };
        assert_eq!(run().unlike(&same), Vec::<String>::new());
        let changed: [(Change, &str); 10] = [
            (
                |run| run.leaderboard = "other".into(),
                "leaderboard: board against other",
            ),
            (
                |run| run.metric = Some("acc".into()),
                "metric: acc_norm against acc",
            ),
            (
                |run| run.scale = Some("normalised".into()),
                "scale: raw against normalised",
            ),
            (|run| run.shots = Some(0), "few-shot examples: 25 against 0"),
            (
                |run| run.chat_template = Some(true),
                "chat template: without against with",
            ),
            (
                |run| run.chat_template = None,
                "chat template: without against not stated",
            ),
            (
                |run| run.precision = Some("4bit".into()),
                "precision: 16 bits against 4 bits",
            ),
            (
                |run| run.setting = Some("filter strict-match".into()),
                "setting: none against filter strict-match",
            ),
            (
                |run| run.mode = Some("thinking".into()),
                "mode: not stated against thinking",
            ),
            (
                |run| run.split = Some("validation".into()),
                "split: not stated against validation",
            ),
        ];
        for (change, wanted) in changed {
            let mut other = run();
            change(&mut other);
            assert_eq!(run().unlike(&other), vec![wanted.to_owned()]);
            assert!(!other.unlike(&run()).is_empty());
        }
    }

    #[test]
    fn a_raw_score_has_no_stretched_error_and_a_cut_run_none() {
        let of = |scale: &str, setting: Option<&str>| Measured {
            benchmark: "gpqa".into(),
            value: 33.0,
            unit: "points".into(),
            interval: None,
            n: None,
            published: None,
            run: Run {
                scale: Some(scale.into()),
                setting: setting.map(str::to_owned),
                ..run()
            },
        };
        let (raw, n) = of("raw", None).error().expect("items are known");
        let (stretched, _) = of("normalised", None).error().expect("items are known");
        // sqrt(0.33 * 0.67 / 493), the binomial standard error of a raw share.
        assert!((raw - 2.118).abs() < 0.01 && n == 546, "{raw}");
        assert!(stretched > raw);
        assert_eq!(of("raw", Some("filter none; limit 20")).error(), None);
    }
}
