//! What people meet who ask a thing slightly wrong, or read two numbers of one name.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::command::anatomy;
use crate::r#use::{answer, list, number};

const OWN: &str = "id,layers,width,kind,share,score\n";

fn own(folder: &std::path::Path) -> String {
    let mut text = String::from(OWN);
    for row in 0..40 {
        let (layers, width) = (6 + row % 10, 256 * (1 + row % 7));
        let _ = writeln!(
            text,
            "m{row},{layers},\"{},{:03}\",{},{}.5 %,{}",
            1 + width / 1000,
            width % 1000,
            ["dense", "moe"][row % 2],
            row,
            3 * layers + row % 3
        );
    }
    let path = folder.join("own.csv");
    fs::write(&path, text).expect("a file");
    path.display().to_string()
}

#[test]
fn cells_that_are_no_numbers_are_refused_with_what_to_write() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = own(folder.path());
    let asked = |features: &str, target: &str| {
        let ran = anatomy(&[
            "study",
            "regressions",
            "--data",
            &path,
            "--target",
            target,
            "--features",
            features,
            "--methods",
            "linear",
        ]);
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        ran.stderr
    };
    let said = asked("width", "score");
    assert!(
        said.contains("`width`") && said.contains("\"1,256\" (line 2)") && said.contains("write it as 1256"),
        "{said}"
    );
    let said = asked("layers", "share");
    assert!(
        said.contains("\"0.5 %\" (line 2)") && said.contains("write it as 0.5"),
        "{said}"
    );
    let said = asked("kind", "score");
    assert!(
        said.contains("`kind`") && said.contains("\"dense\" (line 2)") && said.contains("0 and 1"),
        "{said}"
    );
}

#[test]
fn a_table_of_ones_own_says_what_was_found_and_may_come_by_a_pipe() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = own(folder.path());
    let mut asked = Command::new(env!("CARGO_BIN_EXE_anatomy"))
        .args([
            "study",
            "regressions",
            "--data",
            "-",
            "--target",
            "score",
            "--methods",
            "linear,ridge",
            "--resamples",
            "100",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let bytes = fs::read(&path).expect("the file");
    asked
        .stdin
        .take()
        .expect("a pipe")
        .write_all(&bytes)
        .expect("written");
    let done = asked.wait_with_output().expect("it ends");
    let (out, err) = (
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr),
    );
    assert!(done.status.success(), "{err}");
    assert!(
        out.contains("On shapes never trained on (structure_out)") && out.contains("of 2 methods: R²"),
        "{out}"
    );
    assert!(
        err.contains("left out: column `width`") && err.contains("written as 1256"),
        "{err}"
    );
    // The report's section begins with the same finding.
    let report = folder.path().join("report");
    let ran = anatomy(&[
        "study",
        "regressions",
        "--data",
        &path,
        "--target",
        "score",
        "--features",
        "layers",
        "--methods",
        "linear",
        "--resamples",
        "100",
        "--out",
        &report.display().to_string(),
    ]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let page = fs::read_to_string(report.join("report.html")).expect("a page");
    let (_, finding) = page.split_once("<p class=\"finding\">On ").expect("a finding");
    let (finding, _) = finding.split_once("</p>").expect("its end");
    assert!(
        finding.contains("never trained on") && finding.contains("`linear` predicts score"),
        "{finding}"
    );
}

#[test]
fn one_number_is_the_importance_of_a_column() {
    let ran = anatomy(&["findings", "importance", "--wide"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let of_arc = |line: &&str| line.contains("importance.") && line.contains(".arc.layers ");
    let lines: Vec<&str> = ran.stdout.lines().filter(of_arc).collect();
    assert!(lines.len() > 5, "{lines:?}");
    assert!(
        lines[0].starts_with("importance.mdi.core.arc.layers")
            && lines[0].contains("the importance: share of split gain"),
        "{}",
        lines[0]
    );
    assert!(
        lines[1..].iter().all(|line| !line.contains("the importance:")),
        "{lines:?}"
    );
    assert!(
        ran.stdout
            .contains("is one number: `importance.mdi.core.TARGET.COLUMN`"),
        "no rule"
    );
}

#[test]
fn originals_stand_first_among_what_cannot_be_told_apart() {
    let found = answer(&[
        "recommend",
        "--memory",
        "24GB",
        "--task",
        "reasoning",
        "--top",
        "60",
    ]);
    let rows = list(&found, "ranking");
    let key = |row: &serde_json::Value| (number(&row["group"]) as u64, row["is_original"] != true);
    assert!(
        rows.windows(2).all(|pair| key(&pair[0]) <= key(&pair[1])),
        "out of order"
    );
    assert!(rows[0]["is_original"] == true, "{}", rows[0]["id"]);
    assert!(
        rows.iter().any(|row| row["is_original"] == false),
        "nothing else is listed"
    );
}

#[test]
fn what_is_no_better_than_guessing_is_said() {
    let arguments = [
        "predict",
        "--layers",
        "4",
        "--d-model",
        "256",
        "--d-ffn",
        "1024",
        "--heads",
        "4",
        "--vocab-size",
        "32000",
    ];
    let found = answer(&arguments);
    let mmlu = list(&found, "scores")
        .iter()
        .find(|score| score["benchmark"] == "mmlu")
        .expect("mmlu");
    assert_eq!(number(&mmlu["chance"]), 25.0);
    assert!(number(&mmlu["value"]) < 25.0, "{mmlu}");
    assert_eq!(mmlu["floor"], "no better than guessing, which gets 25");
    let said = anatomy(&arguments).stdout;
    assert!(said.contains("no better than guessing, which gets 25"), "{said}");
}

#[test]
fn a_size_is_said_as_it_was_asked() {
    let said = anatomy(&["predict", "deepseek-ai/DeepSeek-V3"]).stdout;
    assert!(
        said.contains("size 671.026 B lies above") && !said.contains("665.1"),
        "{said}"
    );
}

#[test]
fn what_else_was_asked_stands_in_the_answer() {
    let said = anatomy(&[
        "recommend",
        "--device",
        "RTX 4090",
        "--task",
        "math",
        "--min-speed",
        "30",
        "--top",
        "2",
    ])
    .stdout;
    assert!(
        said.contains("fit into 24.0 GB, at 30 tokens/s or more (expected) and were measured"),
        "{said}"
    );
}

#[test]
fn results_without_answers_name_the_option_that_writes_them() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("results_2025.json"), "{\"results\": {}}").expect("a file");
    let place = folder.path().display().to_string();
    let into = folder.path().join("items").display().to_string();
    let ran = anatomy(&["catalog", "import-items", "--into", &into, &place]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("--log_samples"), "{}", ran.stderr);
}

#[cfg(unix)]
#[test]
fn a_folder_in_the_making_goes_when_the_program_is_asked_to_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipe = folder.path().join("sources");
    fs::create_dir(&pipe).expect("a folder");
    let big = pipe.join("samples_x.csv");
    // A source that never ends: reading it waits.
    assert!(
        Command::new("mkfifo")
            .arg(&big)
            .status()
            .expect("mkfifo")
            .success()
    );
    let mut build = Command::new(env!("CARGO_BIN_EXE_anatomy"))
        .args([
            "catalog",
            "import",
            &big.display().to_string(),
            "--out",
            &folder.path().join("out").display().to_string(),
        ])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let half_made = || {
        let all = fs::read_dir(folder.path()).expect("a folder").flatten();
        all.filter(|entry| entry.file_name().to_string_lossy().starts_with(".catalog-"))
            .count()
    };
    for _ in 0..200 {
        if half_made() > 0 {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    if half_made() == 0 {
        // A pipe is no source here: nothing was begun, and nothing can be left.
        let _ = build.kill();
        let _ = build.wait();
        return;
    }
    // The handler is set before the folder is made.
    assert!(
        Command::new("kill")
            .args(["-TERM", &build.id().to_string()])
            .status()
            .expect("kill")
            .success()
    );
    let ended = build.wait().expect("it ends");
    assert!(!ended.success());
    assert_eq!(half_made(), 0, "something is left behind");
}
