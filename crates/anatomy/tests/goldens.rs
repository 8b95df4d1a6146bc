//! Golden snapshots of what the binary prints: every `--help`, and the forms of every command's answer on a small
//! catalog of made-up checkpoints (`fixtures/catalog`). A change of output shows as a diff that a reviewer reads.
//!
//! `INSTA_UPDATE=always cargo test -p anatomy goldens` renews them; `git diff` then shows what changed.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::command::{Ran, anatomy, build, fixtures};
use crate::http::get;
use crate::probe::made;
use crate::site::Server;

/// Where the snapshots are, and what in them differs from run to run.
fn settings(catalog: Option<&Path>) -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("goldens");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    // The last digits of a number may differ between processors.
    settings.add_filter(r"(\d\.\d{8})\d+", "$1");
    settings.add_filter(&regex_free(env!("CARGO_PKG_VERSION")), "[VERSION]");
    if let Some(folder) = catalog {
        settings.add_filter(&regex_free(&folder.to_string_lossy()), "[CATALOG]");
    }
    settings
}

/// A text as a pattern that matches it alone.
fn regex_free(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let special = !c.is_alphanumeric() && c.is_ascii();
            special.then_some('\\').into_iter().chain([c])
        })
        .collect()
}

/// The small catalog, built once per run of the tests.
fn small_catalog() -> &'static Path {
    static BUILT: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = BUILT.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("catalog");
        build(&fixtures(), &path);
        (folder, path)
    });
    path
}

/// Exit status and both streams as one text.
fn whole(ran: &Ran) -> String {
    let mut text = format!("exit status {}\n", ran.code);
    for (name, stream) in [("standard output", &ran.stdout), ("standard error", &ran.stderr)] {
        if !stream.is_empty() {
            write!(text, "--- {name}\n{stream}").expect("a String takes text");
            if !stream.ends_with('\n') {
                text.push('\n');
            }
        }
    }
    text
}

/// The subcommands that a help text lists, in its order.
fn subcommands(help: &str) -> Vec<String> {
    help.lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(String::from)
        .collect()
}

#[test]
fn every_help_is_as_reviewed() {
    let settings = settings(None);
    let mut open: Vec<Vec<String>> = vec![Vec::new()];
    let mut seen = 0;
    while let Some(path) = open.pop() {
        let mut arguments: Vec<&str> = path.iter().map(String::as_str).collect();
        arguments.push("--help");
        let ran = anatomy(&arguments);
        assert_eq!(ran.code, 0, "{path:?}: {}", ran.stderr);
        for name in subcommands(&ran.stdout) {
            open.push(path.iter().cloned().chain([name]).collect());
        }
        let name = format!(
            "help_{}",
            if path.is_empty() {
                "anatomy".into()
            } else {
                path.join("_")
            }
        );
        settings.bind(|| insta::assert_snapshot!(name, whole(&ran)));
        seen += 1;
    }
    assert!(seen > 25, "{seen} help texts: subcommands are no longer found");
}

/// Commands on the small catalog and the forms each of them has.
const ANSWERS: [(&str, &[&str], &[&str]); 12] = [
    (
        "query",
        &[
            "query",
            "select leaderboard, benchmark, count(*) as n from scores group by 1, 2 order by 1, 2",
        ],
        &["table", "json", "csv"],
    ),
    ("query_tables", &["query", "--tables"], &["table"]),
    (
        "catalog_describe",
        &["catalog", "describe"],
        &["table", "json", "csv"],
    ),
    (
        "predict",
        &["predict", "east/birch-7b", "--device", "A100"],
        &["table", "json", "csv"],
    ),
    (
        "predict_structure",
        &[
            "predict",
            "--layers",
            "30",
            "--d-model",
            "3840",
            "--d-ffn",
            "10240",
            "--heads",
            "30",
            "--kv-heads",
            "10",
            "--vocab-size",
            "128256",
            "--device",
            "RTX 4090",
        ],
        &["table", "json"],
    ),
    (
        "recommend",
        &["recommend", "--memory", "24GB", "--task", "math"],
        &["table", "json", "csv"],
    ),
    (
        "compare",
        &["compare", "north/pine-8b-instruct", "east/birch-7b-instruct"],
        &["table", "json", "csv"],
    ),
    (
        "compare_unlike",
        &["compare", "north/pine-8b", "east/birch-7b-instruct"],
        &["table", "json"],
    ),
    (
        "regressions",
        &[
            "study",
            "regressions",
            "--target",
            "bbh",
            "--methods",
            "linear,random_forest",
            "--features",
            "core",
        ],
        &["table", "json", "csv"],
    ),
    (
        "importance",
        &["study", "importance", "--target", "bbh", "--features", "core"],
        &["table", "json"],
    ),
    (
        "dimensions",
        &["study", "dimensions", "--resamples", "100"],
        &["table", "json"],
    ),
    (
        "correlations",
        &["study", "correlations", "--resamples", "100"],
        &["table"],
    ),
];

#[test]
fn answers_on_a_small_catalog_are_as_reviewed() {
    let catalog = small_catalog();
    let settings = settings(Some(catalog));
    for (name, arguments, forms) in ANSWERS {
        if name.starts_with("query") && !cfg!(feature = "sql") {
            continue;
        }
        for form in forms {
            let mut all = arguments.to_vec();
            all.extend([
                "--catalog",
                catalog.to_str().expect("UTF-8"),
                "--format",
                form,
                "--quiet",
            ]);
            let ran = anatomy(&all);
            settings.bind(|| insta::assert_snapshot!(format!("{name}_{form}"), whole(&ran)));
        }
    }
}

#[test]
fn what_a_report_says_is_as_reviewed() {
    let catalog = small_catalog();
    let out = tempfile::tempdir().expect("a temporary folder");
    let folder = out.path().join("report");
    let ran = anatomy(&[
        "report",
        "--quiet",
        "--resamples",
        "100",
        "--only",
        "dataset,dimensions,trends,correlations",
        "--catalog",
        catalog.to_str().expect("UTF-8"),
        "--out",
        folder.to_str().expect("UTF-8"),
    ]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let settings = settings(Some(catalog));
    let text = fs::read_to_string(folder.join("findings.json")).expect("findings");
    let findings: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let mut lines = Vec::new();
    for finding in findings["findings"].as_array().expect("findings") {
        lines.push(format!(
            "{} = {} {} {} n {}",
            finding["id"].as_str().expect("an id"),
            finding["value"],
            finding["interval"],
            finding["unit"],
            finding["n"],
        ));
    }
    assert!(lines.len() > 100, "{} findings", lines.len());
    settings.bind(|| insta::assert_snapshot!("report_findings", lines.join("\n")));
    let mut tables: Vec<PathBuf> = fs::read_dir(folder.join("tables"))
        .expect("tables")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    tables.sort();
    let mut heads = String::new();
    for path in tables {
        let text = fs::read_to_string(&path).expect("UTF-8");
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        writeln!(
            heads,
            "{name}: {} rows: {}",
            text.lines().count() - 1,
            text.lines().next().unwrap_or("")
        )
        .expect("a String takes text");
    }
    settings.bind(|| insta::assert_snapshot!("report_tables", heads));
}

/// Routes of the API, what each snapshot is called.
const ROUTES: [(&str, &str); 15] = [
    ("columns", "columns"),
    (
        "checkpoints",
        "checkpoints?sort=-size&columns=size,layers,bbh&limit=4",
    ),
    ("checkpoints_csv", "checkpoints.csv?columns=size,layers&limit=4"),
    ("checkpoint", "checkpoints/east/birch-7b"),
    ("points", "points?x=size&y=bbh"),
    ("predict", "predict?id=east/birch-7b&device=A100%2080GB"),
    ("recommend", "recommend?memory=24GB&task=math"),
    (
        "compare",
        "compare?id=north/pine-8b-instruct&id=east/birch-7b-instruct",
    ),
    ("sections", "sections"),
    ("findings", "findings?prefix=scale.mean."),
    ("probes", "probes"),
    ("unknown_route", "nothing"),
    ("unknown_checkpoint", "checkpoints/east/birch-8b"),
    ("bad_parameter", "checkpoints?limit=0"),
    ("missing_parameter", "recommend"),
];

#[test]
fn what_the_api_answers_is_as_reviewed() {
    let catalog = small_catalog();
    let server = Server::start(&format!(
        "--resamples 100 --only scale --catalog '{}'",
        catalog.display()
    ));
    server.ready("study");
    server.ready("fits");
    let settings = settings(Some(catalog));
    for (name, route) in ROUTES {
        let answer = get(&server.address, &format!("/api/v1/{route}"));
        let body = answer.text();
        let body = serde_json::from_str::<serde_json::Value>(&body)
            .map_or(body, |value| serde_json::to_string_pretty(&value).expect("JSON"));
        let kind = answer.header("content-type");
        let text = format!("GET /api/v1/{route}\n{} {kind}\n{body}\n", answer.status);
        settings.bind(|| insta::assert_snapshot!(format!("api_{name}"), text));
    }
}

/// Probes of the small checkpoint, with `@` for the folder of what they are given.
const PROBES: [(&str, &str); 8] = [
    (
        "influence",
        "influence --model @model --texts @texts.txt --max-block 1",
    ),
    ("gradients", "gradients --model @model --data @samples.jsonl"),
    ("tokens", "tokens --model @model --text Alice"),
    (
        "prune_requests",
        "prune --model @model --layers 1 --requests @requests.jsonl",
    ),
    (
        "prune_tasks",
        "prune --model @model --layers 1 --tasks winogrande --shots 0 --data @data",
    ),
    (
        "evaluate",
        "evaluate --model @model --tasks winogrande --shots 0 --data @data",
    ),
    (
        "ablate",
        "ablate --model @model --parts layers,d_ffn --shares 30 --how importance --texts @texts.txt --tasks winogrande --shots 0 \
         --data @data",
    ),
    (
        "unknown_task",
        "evaluate --model @model --tasks winograd --data @data",
    ),
];

#[test]
fn what_probes_say_is_as_reviewed() {
    let folder = made();
    let at = folder.path().to_str().expect("UTF-8");
    let mut settings = settings(None);
    settings.add_filter(&regex_free(at), "[FOLDER]");
    // Kernels of processors differ in the last digits of f32.
    settings.add_filter(r"(\d\.\d{3})\d+(e[-+]?\d+)?", "$1");
    settings.add_filter(r"[0-9a-f]{64}", "[SHA256]");
    for (name, arguments) in PROBES {
        for form in ["table", "json"] {
            let arguments =
                format!("probe {arguments} --quiet --format {form}").replace('@', &format!("{at}/"));
            let ran = anatomy(&arguments.split_whitespace().collect::<Vec<_>>());
            settings.bind(|| insta::assert_snapshot!(format!("probe_{name}_{form}"), whole(&ran)));
        }
    }
}

#[test]
fn shells_complete_and_every_command_has_a_manual_page() {
    for shell in ["bash", "zsh", "fish"] {
        let ran = anatomy(&["completions", shell]);
        assert_eq!(ran.code, 0, "{shell}: {}", ran.stderr);
        assert!(
            ran.stdout.contains("regressions") && ran.stdout.contains("--format"),
            "{shell}: {}",
            ran.stdout
        );
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let ran = anatomy(&["man", "--out", folder.path().to_str().expect("UTF-8")]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    for page in ["anatomy.1", "anatomy-predict.1", "anatomy-study-claims.1"] {
        let text = fs::read_to_string(folder.path().join(page)).expect(page);
        assert!(text.contains(".SH OPTIONS"), "{page}: {text}");
    }
}
