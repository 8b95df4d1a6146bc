//! `study`: the user's own tables, folds, conditions and settings, and what is written of them.

use std::fmt::Write;
use std::path::Path;

use serde_json::Value;

use crate::command::{Ran, anatomy};

/// 60 rows of 12 shapes: `score` rises with layers; `kind` is text; `fold` numbers shapes; row 7 has no score.
fn table(folder: &Path) -> String {
    let mut text = String::from("layers,d_model,d_ffn,heads,kind,score,fold\n");
    for row in 0..60 {
        let shape = row % 12;
        let score = if row == 7 {
            String::new()
        } else {
            format!("{}", 10 + 3 * shape + row % 3)
        };
        let kind = if row % 2 == 0 { "even" } else { "odd" };
        let (layers, width) = (8 + 2 * shape, 64 * (4 + shape % 5));
        writeln!(
            text,
            "{layers},{width},{},{},{kind},{score},{}",
            width * 4,
            width / 64,
            shape % 3
        )
        .expect("a string takes all");
    }
    let path = folder.join("own.csv");
    std::fs::write(&path, text).expect("a writable folder");
    path.display().to_string()
}

/// The arguments of `line`, apart by spaces, then `more`, where values may hold spaces.
fn run(line: &str, more: &[&str]) -> Ran {
    let arguments: Vec<&str> = line.split_whitespace().chain(more.iter().copied()).collect();
    anatomy(&arguments)
}

/// The same, and it must succeed.
fn ran(line: &str, more: &[&str]) -> Ran {
    let ran = run(line, more);
    assert_eq!(ran.code, 0, "{line} {more:?}: {}", ran.stderr);
    ran
}

fn findings(ran: &Ran) -> Vec<Value> {
    let file: Value = serde_json::from_str(&ran.stdout).expect("findings are JSON");
    file["findings"].as_array().expect("a list of findings").clone()
}

/// The value of the finding of that id.
fn value_of(findings: &[Value], id: &str) -> f64 {
    let found = findings.iter().find(|finding| finding["id"] == id);
    let found = found.unwrap_or_else(|| panic!("no {id}"));
    found["value"].as_f64().expect("a value")
}

#[test]
fn predictions_stand_in_row_order_and_give_the_r2_that_is_said() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = table(folder.path());
    let out = folder.path().join("predictions.csv").display().to_string();
    let said = ran(
        "-q study regressions --target score --features layers,heads --methods linear,knn --folds fold --format json",
        &["--data", &data, "--predictions", &out],
    );
    let text = std::fs::read_to_string(&out).expect("predictions were written");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        (lines[0], lines.len()),
        ("row,observed score,fold,linear,knn", 61)
    );
    assert!(
        lines[8].ends_with(",,"),
        "row 7 has no score, so no prediction: {}",
        lines[8]
    );
    let own = std::fs::read_to_string(&data).expect("the table is there");
    let truth: Vec<Option<f64>> = own
        .lines()
        .skip(1)
        .map(|line| line.split(',').nth(5).and_then(|cell| cell.parse().ok()))
        .collect();
    let by_rows = |finding: &&Value| finding["id"].as_str().is_some_and(|id| id.contains(".r2."));
    for (place, finding) in findings(&said).iter().filter(by_rows).enumerate() {
        let pairs: Vec<(f64, f64)> = lines[1..]
            .iter()
            .zip(&truth)
            .filter_map(|(line, truth)| Some(((*truth)?, line.split(',').nth(place + 3)?.parse().ok()?)))
            .collect();
        assert_eq!((pairs.len(), &finding["n"]), (59, &Value::from(59)));
        let mean = pairs.iter().map(|p| p.0).sum::<f64>() / 59.0;
        let error: f64 = pairs.iter().map(|p| (p.0 - p.1).powi(2)).sum();
        let spread: f64 = pairs.iter().map(|p| (p.0 - mean).powi(2)).sum();
        let value = finding["value"].as_f64().expect("an R²");
        assert!((value - (1.0 - error / spread)).abs() < 1e-12, "{finding}");
    }
}

#[test]
#[cfg_attr(not(feature = "sql"), ignore = "SQL is not built in")]
fn a_condition_keeps_the_rows_it_says_also_by_text() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = table(folder.path());
    let said = ran(
        "-q study regressions --target score --features layers --methods linear --protocol random_folds --format json",
        &["--data", &data, "--where", "kind = 'even' and score < 40"],
    );
    let expected = (0..60)
        .filter(|row| row % 2 == 0 && 10 + 3 * (row % 12) + row % 3 < 40)
        .count();
    assert_eq!(findings(&said)[0]["n"], Value::from(expected));
    let wrong = run(
        "study regressions --target score",
        &["--data", &data, "--where", "knd = 'even'"],
    );
    assert_eq!(wrong.code, 2);
    assert!(wrong.stderr.contains("kind"), "{}", wrong.stderr);
}

#[test]
#[cfg_attr(not(feature = "sql"), ignore = "SQL is not built in")]
fn parquet_is_read_as_csv_is() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = table(folder.path());
    let parquet = folder.path().join("own.parquet").display().to_string();
    ran(
        "-q query",
        &[&format!("select * from '{data}'"), "--parquet", &parquet],
    );
    let of = |path: &str| {
        let line =
            "-q study regressions --target score --features layers,d_model --methods random_forest,ridge";
        ran(line, &["--data", path, "--format", "csv"]).stdout
    };
    assert_eq!(of(&data), of(&parquet));
}

#[test]
fn settings_are_taken_and_wrong_ones_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = table(folder.path());
    let with = |setting: &str| {
        run(
            "-q study regressions --target score --features layers --methods knn --format csv",
            &["--data", &data, "--set", setting],
        )
    };
    let (one, five) = (with("knn.neighbours=1"), with("knn.neighbours=12"));
    assert_eq!((one.code, five.code), (0, 0));
    assert_ne!(one.stdout, five.stdout);
    let wrong = with("knn.trees=3");
    assert_eq!(wrong.code, 2);
    assert!(wrong.stderr.contains("it has neighbours"), "{}", wrong.stderr);
    assert_eq!(
        with("ridge.penalty=3").code,
        2,
        "a setting of a method that is not asked for"
    );
}

#[test]
fn a_kept_fit_is_versioned_json() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = table(folder.path());
    let fit = folder.path().join("fit.json").display().to_string();
    ran(
        "-q study regressions --target score --features layers,heads --methods decision_tree",
        &["--data", &data, "--save", &fit],
    );
    let text = std::fs::read_to_string(&fit).expect("the fit was written");
    let saved: study::regression::SavedFit = serde_json::from_str(&text).expect("a saved fit");
    assert_eq!(
        (saved.version, saved.method.as_str()),
        (study::regression::VERSION, "decision_tree")
    );
    let design = study::Design::new(vec!["layers".into(), "heads".into()], vec![vec![8.0], vec![4.0]])
        .expect("two columns of one row");
    let predicted = saved
        .open()
        .expect("sound")
        .predict(&design)
        .expect("its columns");
    assert!((10.0..12.5).contains(&predicted[0]), "{predicted:?}");
}

#[test]
fn importance_of_a_table_finds_the_column_that_makes_the_score() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = table(folder.path());
    let out = folder.path().join("importance");
    let said = ran(
        "-q study importance --target score --features layers,d_model,heads --protocol random_folds --seeds 1 --pairs --format json",
        &["--data", &data, "--out", &out.display().to_string()],
    );
    let findings = findings(&said);
    let value = |id: &str| value_of(&findings, id);
    for kind in ["mdi", "permutation", "shap"] {
        let of = |column: &str| value(&format!("importance.{kind}.own.score.{column}"));
        assert!(
            of("layers") > of("d_model") && of("layers") > of("heads"),
            "{kind}"
        );
    }
    let total: f64 = ["layers", "d_model", "heads"]
        .iter()
        .map(|column| value(&format!("importance.mdi.own.score.{column}")))
        .sum();
    assert!((total - 1.0).abs() < 1e-9, "shares sum to one, not {total}");
    // Columns of the same values move as one.
    value("importance.grouped.own.score.d_model+heads");
    for figure in [
        "importance-score",
        "importance-clusters-score",
        "importance-curves-score",
    ] {
        assert!(out.join(format!("figures/{figure}.svg")).is_file(), "{figure}");
    }
}

#[test]
fn one_question_has_one_number_in_the_study_and_on_the_command_line() {
    let asked = ran(
        "-q study importance --target arc --features core --format json",
        &[],
    );
    let asked = findings(&asked);
    let study = ran(
        "-q findings importance.mdi.core.arc importance.permutation.core.arc --format json",
        &[],
    );
    let study = findings(&study);
    let (mut same, parts) = (0, |finding: &Value| {
        [
            &finding["value"],
            &finding["interval"]["low"],
            &finding["interval"]["high"],
        ]
        .map(|number| number.as_f64().expect("a number"))
    });
    for finding in &study {
        let id = finding["id"].as_str().expect("an id");
        let own = asked.iter().find(|own| own["id"] == id).expect(id);
        for (ours, theirs) in parts(own).into_iter().zip(parts(finding)) {
            assert!(
                (ours - theirs).abs() < 1e-9,
                "{id}: {ours}, {theirs} in the study"
            );
        }
        same += 1;
    }
    assert_eq!(same, 8, "two kinds of four columns");
}

#[test]
#[cfg_attr(not(feature = "sql"), ignore = "SQL is not built in")]
fn other_targets_and_the_way_back_are_asked_of_the_catalog() {
    let few = ran(
        "study regressions --target decode_speed --features core --methods random_forest --protocol random_split --format csv",
        &[
            "--where",
            "leaderboard = 'llm-perf-1xA10' and setting like '%Unquantized%'",
        ],
    );
    assert!(few.stderr.contains("too few"), "{}", few.stderr);
    let back = ran(
        "-q study regressions --target layers --features arc,hellaswag,mmlu,truthfulqa,winogrande,gsm8k --methods linear --format json",
        &[],
    );
    assert!(findings(&back)[0]["n"].as_u64().expect("a count") > 4000);
    let unknown = run("study regressions --target mmlux", &[]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.stderr.contains("did you mean mmlu"), "{}", unknown.stderr);
}

#[test]
fn methods_are_set_against_each_other_and_learn_from_more() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = table(folder.path());
    let said = ran(
        "-q study regressions --target score --features layers --methods linear,lasso,knn --against linear --learning-curve --format json",
        &["--data", &data],
    );
    let findings = findings(&said);
    let value = |id: &str| value_of(&findings, id);
    let r2 = |method: &str| value(&format!("regression.r2.own.structure_out.{method}.score"));
    for method in ["lasso", "knn"] {
        let difference = value(&format!(
            "regression.r2_difference.own.structure_out.{method}_linear.score"
        ));
        assert!(
            (difference - (r2(method) - r2("linear"))).abs() < 1e-9,
            "{method}"
        );
    }
    // Four or five rows a shape: with each counted once R² moves little, and it stands beside each.
    for method in ["linear", "lasso", "knn"] {
        let once = value(&format!("regression.r2_shapes.own.structure_out.{method}.score"));
        assert!((once - r2(method)).abs() < 0.05, "{method} {once} {}", r2(method));
        value(&format!(
            "regression.r2_without_largest.own.structure_out.{method}.score"
        ));
    }
    let all = value("regression.learning.own.structure_out.linear.score.rows.100");
    assert!(
        (all - r2("linear")).abs() < 1e-12,
        "all rows are the evaluation itself"
    );
}

#[test]
fn boards_of_today_are_asked_by_name_and_each_on_its_own() {
    let all = findings(&ran("study boards --resamples 100 --format json -q", &[]));
    // Worked out apart, with pandas, on the compiled-in tables; they move with them, and these are what ranks there said.
    for (id, least, most) in [
        ("boards.rank.proteus.proteus_bbh", 0.4, 0.7),
        (
            "boards.rank_given_date.swallow.swallow_2025_06_26_en_basic_mmlu",
            0.65,
            0.9,
        ),
        ("boards.rank.epoch.epoch_mmlu", 0.55, 0.85),
    ] {
        let value = value_of(&all, id);
        assert!((least..most).contains(&value), "{id}: {value}");
    }
    let proteus = findings(&ran(
        "study trends --board proteus --resamples 100 --format json -q",
        &[],
    ));
    assert!(
        proteus
            .iter()
            .all(|finding| finding["id"].as_str().is_some_and(|id| !id.contains(".v2.")))
    );
    assert!(value_of(&proteus, "progress.points_per_doubling.proteus.proteus_bbh") > 0.0);
    let fitted = ran(
        "study regressions --board euroeval --methods linear --features core --format json -q",
        &[],
    );
    assert!(findings(&fitted).iter().any(|finding| {
        finding["id"]
            .as_str()
            .is_some_and(|id| id.contains("euroeval_sst5"))
    }));
    let refused = run("study trends --board mine", &[]);
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("euroeval, swallow"), "{}", refused.stderr);
}
