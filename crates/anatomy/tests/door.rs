//! The doors beside the command line: agents by the Model Context Protocol, workflows of others.

use std::fs;
#[cfg(feature = "sql")]
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
#[cfg(any(feature = "mcp", feature = "sql"))]
use serde_json::json;

#[cfg(feature = "sql")]
use crate::command::ran;
use crate::command::{anatomy, root};

#[cfg(feature = "mcp")]
mod agents {
    use std::io::{BufRead, BufReader, Write};
    use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

    use super::*;

    /// A client that speaks the protocol by hand.
    struct Client {
        child: Child,
        to: ChildStdin,
        from: BufReader<ChildStdout>,
        id: u64,
    }

    impl Client {
        fn new() -> Self {
            let mut child = Command::new(env!("CARGO_BIN_EXE_anatomy"))
                .arg("mcp")
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .expect("the binary starts");
            let to = child.stdin.take().expect("an input");
            let from = BufReader::new(child.stdout.take().expect("an output"));
            let mut client = Self {
                child,
                to,
                from,
                id: 0,
            };
            let told = client.ask(
                "initialize",
                &json!({"protocolVersion": "2025-06-18", "capabilities": {},
                        "clientInfo": {"name": "test", "version": "0"}}),
            );
            assert_eq!(told["serverInfo"]["name"], "anatomy", "{told}");
            client.say(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
            client
        }

        fn say(&mut self, message: &Value) {
            writeln!(self.to, "{message}").expect("it listens");
        }

        fn ask(&mut self, method: &str, parameters: &Value) -> Value {
            self.id += 1;
            let id = self.id;
            self.say(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": parameters}));
            loop {
                let mut line = String::new();
                assert!(self.from.read_line(&mut line).expect("UTF-8") > 0, "it ended");
                let told: Value = serde_json::from_str(&line).expect("JSON");
                if told["id"] == id {
                    return told["result"].clone();
                }
            }
        }

        fn call(&mut self, tool: &str, arguments: &Value) -> (bool, String) {
            let told = self.ask("tools/call", &json!({"name": tool, "arguments": arguments}));
            let text = told["content"][0]["text"].as_str().expect("a text").to_owned();
            (told["isError"] == true, text)
        }
    }

    impl Drop for Client {
        fn drop(&mut self) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }

    #[test]
    fn an_answer_is_the_commands_json() {
        let mut client = Client::new();
        let tools = client.ask("tools/list", &json!({}));
        let names: Vec<&str> = tools["tools"]
            .as_array()
            .expect("tools")
            .iter()
            .map(|tool| tool["name"].as_str().expect("a name"))
            .collect();
        assert_eq!(
            names,
            [
                "query",
                "predict",
                "recommend",
                "compare",
                "claims",
                "finding",
                "describe"
            ]
        );
        for (tool, arguments, words) in [
            (
                "predict",
                // This machine's free memory is another at each call.
                json!({"layers": 32, "d_model": 4096, "benchmarks": ["bbh"], "device": "RTX 4090"}),
                &[
                    "predict",
                    "--layers=32",
                    "--d-model=4096",
                    "--benchmarks=bbh",
                    "--device=RTX 4090",
                    "--format",
                    "json",
                ][..],
            ),
            (
                "compare",
                json!({"ids": ["Qwen/Qwen2.5-7B", "Qwen/Qwen2.5-14B"]}),
                &[
                    "compare",
                    "--format",
                    "json",
                    "Qwen/Qwen2.5-7B",
                    "Qwen/Qwen2.5-14B",
                ],
            ),
            (
                "query",
                json!({"sql": "select count(*) as n from scores"}),
                &["query", "--format", "json", "select count(*) as n from scores"],
            ),
            (
                "describe",
                json!({"tables": ["structures"]}),
                &["catalog", "describe", "--of=structures", "--format", "json"],
            ),
        ] {
            let mut whole = arguments.clone();
            whole["max_tokens"] = json!(1_000_000);
            let (failed, text) = client.call(tool, &whole);
            assert!(!failed, "{tool}: {text}");
            let told: Value = serde_json::from_str(&text).expect("JSON");
            let printed: Value = serde_json::from_str(&anatomy(words).stdout).expect("JSON");
            assert_eq!(told, printed, "{tool}");

            let (failed, text) = client.call(tool, &arguments);
            assert!(!failed && text.len() <= 4600, "{tool}: {} bytes", text.len());
            let cut: Value = serde_json::from_str(&text).expect("JSON");
            assert!(
                cut == printed || cut.get("left_out_why").is_some(),
                "{tool}: {text}"
            );
        }
    }

    #[test]
    fn what_is_refused_is_a_result_that_says_why() {
        let mut client = Client::new();
        for (tool, arguments, says) in [
            ("query", json!({"sql": "select x from scores"}), "x"),
            (
                "compare",
                json!({"ids": ["Qwen/Qwen2.5-7B", "no/such"]}),
                "no checkpoint `no/such`",
            ),
            ("predict", json!({"depth": 3}), "no argument `depth`"),
            ("nothing", json!({}), "no tool named `nothing`"),
        ] {
            let (failed, text) = client.call(tool, &arguments);
            assert!(failed && text.contains(says), "{tool}: {text}");
        }
    }
}

#[cfg(feature = "sql")]
/// Sample files of one checkpoint: item `n` is right where `is_right(n)`.
fn results(folder: &Path, task: &str, is_right: impl Fn(u64) -> bool) {
    use std::fmt::Write;
    let mut lines = String::new();
    for doc in 0..200_u64 {
        let right = is_right(doc);
        let (first, second) = if right { ("-1.0", "-2.0") } else { ("-2.0", "-1.0") };
        writeln!(
            lines,
            r#"{{"doc_id":{doc},"target":"0","filter":"none","filtered_resps":[["{first}","False"],["{second}","False"]],"acc":{}}}"#,
            u8::from(right)
        )
        .expect("text");
    }
    let folder = folder.join("org__name");
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(
        folder.join(format!("samples_{task}_2024-06-12T01-02-03.jsonl")),
        lines,
    )
    .expect("a file");
}

#[cfg(feature = "sql")]
/// Two folders: on one task the candidate loses thirty items and wins five, on the other nothing changes to speak of.
fn two_folders(place: &Path) -> [PathBuf; 2] {
    let [before, after] = ["main", "change"].map(|name| place.join(name));
    results(&before, "mmlu_anatomy", |n| n % 2 == 0);
    results(&after, "mmlu_anatomy", |n| {
        (n % 2 == 0 && n >= 60) || (n % 2 == 1 && n < 10)
    });
    results(&before, "winogrande", |n| n % 3 == 0);
    results(&after, "winogrande", |n| n % 3 == 0 && n != 3);
    [before, after]
}

#[cfg(feature = "sql")]
#[test]
fn a_fall_beyond_noise_fails_and_is_named() {
    let place = tempfile::tempdir().expect("a folder");
    let [before, after] = two_folders(place.path());
    let [before, after] = [&before, &after].map(|path| path.to_str().expect("UTF-8"));
    let summary = place.path().join("summary.md");
    let summary = summary.to_str().expect("UTF-8");
    let words = [
        "compare",
        "--baseline",
        before,
        "--candidate",
        after,
        "--fail-if-worse",
        "--summary",
        summary,
        "--format",
        "json",
    ];
    let told = anatomy(&words);
    assert_eq!(told.code, 1, "{}", told.stderr);
    let told: Value = serde_json::from_str(&told.stdout).expect("JSON");
    assert_eq!(told["worse"], json!(["mmlu_anatomy"]));
    let fell = &told["benchmarks"][0];
    assert_eq!(
        [&fell["only_baseline"], &fell["only_candidate"], &fell["n"]],
        [&json!(30), &json!(5), &json!(200)]
    );
    assert_eq!(fell["difference"], json!(-12.5));
    // Two-sided binomial of 5 of 35 at a half, as scipy.stats.binomtest(5, 35).pvalue gives it.
    let p = fell["p"].as_f64().expect("a p");
    assert!((p - 2.236_152_067_780_494_7e-5).abs() < 1e-12, "{p}");
    assert_eq!(fell["p_adjusted"].as_f64(), Some(2.0 * p));
    assert_eq!(told["benchmarks"][1]["verdict"], "no difference seen");
    let markdown = fs::read_to_string(summary).expect("a summary");
    assert!(
        markdown.contains("| mmlu_anatomy | acc,none | 200 | 50.0 | 37.5 | -12.5 |"),
        "{markdown}"
    );

    let other_way = anatomy(&[
        "compare",
        "--baseline",
        after,
        "--candidate",
        before,
        "--fail-if-worse",
    ]);
    assert_eq!(other_way.code, 0, "{}", other_way.stderr);
    assert!(
        other_way
            .stdout
            .contains("nowhere worse by more than noise, better on mmlu_anatomy"),
        "{}",
        other_way.stdout
    );
    let empty = place.path().join("empty");
    fs::create_dir(&empty).expect("a folder");
    let none = anatomy(&[
        "compare",
        "--baseline",
        before,
        "--candidate",
        empty.to_str().expect("UTF-8"),
    ]);
    assert_eq!(none.code, 2, "{}", none.stdout);
}

#[cfg(feature = "sql")]
#[test]
fn the_action_runs_as_its_shell_steps() {
    let text = fs::read_to_string(root().join("action.yml")).expect("an action");
    let action: Value = serde_saphyr::from_str(&text).expect("YAML");
    let step = &action["runs"]["steps"][1];
    let place = tempfile::tempdir().expect("a folder");
    let [before, after] = two_folders(place.path());
    let program = Path::new(env!("CARGO_BIN_EXE_anatomy"))
        .parent()
        .expect("a folder");
    let path = format!(
        "{}:{}",
        program.display(),
        std::env::var("PATH").unwrap_or_default()
    );
    for (fail, code) in [("true", 1), ("false", 0)] {
        let mut command = Command::new("bash");
        command
            .args([
                "-e",
                "-o",
                "pipefail",
                "-c",
                step["run"].as_str().expect("a script"),
            ])
            .env("PATH", &path)
            .env("RUNNER_TEMP", place.path())
            .env("GITHUB_OUTPUT", place.path().join("output"))
            .env("GITHUB_STEP_SUMMARY", place.path().join("summary.md"));
        // What the action's inputs become.
        for (name, value) in step["env"].as_object().expect("variables") {
            let value = match value.as_str() {
                Some("${{ inputs.baseline }}") => before.display().to_string(),
                Some("${{ inputs.candidate }}") => after.display().to_string(),
                Some("${{ inputs.fail-if-worse }}") => fail.to_owned(),
                other => panic!("{name}: {other:?}"),
            };
            command.env(name, value);
        }
        let told = ran(command);
        assert_eq!(told.code, code, "{}", told.stderr);
    }
    let output = fs::read_to_string(place.path().join("output")).expect("an output");
    assert!(
        output.starts_with("verdict=worse by more than noise on 1 of 2: mmlu_anatomy\n"),
        "{output}"
    );
    let summary = fs::read_to_string(place.path().join("summary.md")).expect("a summary");
    assert!(summary.starts_with("### Candidate against baseline"), "{summary}");
}

#[test]
fn workflows_and_the_action_are_yaml_and_what_they_run_is_here() {
    let text = fs::read_to_string(root().join(".github/workflows/release.yml")).expect("a workflow");
    let workflow: Value = serde_saphyr::from_str(&text).expect("YAML");
    let jobs = workflow["jobs"].as_object().expect("jobs");
    assert_eq!(
        jobs.keys().map(String::as_str).collect::<Vec<_>>(),
        ["wheel", "program", "release"]
    );
    let steps = jobs
        .values()
        .flat_map(|job| job["steps"].as_array().cloned().unwrap_or_default());
    let scripts: Vec<String> = steps
        .filter_map(|step| step["run"].as_str().map(String::from))
        .collect();
    assert!(scripts.iter().any(|script| script.starts_with(".ci/wheel ")));
    assert!(root().join(".ci/wheel").is_file());
    for script in &scripts {
        let plain = script.replace("${{", "$(").replace("}}", ")");
        let parsed = Command::new("bash")
            .args(["-n", "-c", &plain])
            .output()
            .expect("bash");
        assert!(
            parsed.status.success(),
            "{script}: {}",
            String::from_utf8_lossy(&parsed.stderr)
        );
    }
}

/// What the workflow packs and sums, run as it stands on a program of this build.
#[test]
fn the_release_packs_and_sums_what_it_built() {
    let text = fs::read_to_string(root().join(".github/workflows/release.yml")).expect("a workflow");
    let workflow: Value = serde_saphyr::from_str(&text).expect("YAML");
    let place = tempfile::tempdir().expect("a folder");
    let target = "x86_64-unknown-linux-gnu";
    let built = place.path().join("target").join(target).join("release");
    fs::create_dir_all(&built).expect("a folder");
    fs::write(built.join("anatomy"), "a program").expect("written");
    let mut run = 0;
    for (job, name) in [("program", "Pack"), ("release", "Checksums")] {
        let steps = workflow["jobs"][job]["steps"].as_array().expect("steps");
        let step = steps.iter().find(|step| step["name"] == name).expect("the step");
        let script = step["run"].as_str().expect("a script");
        let script = script.replace("${{ matrix.target }}", target);
        assert!(!script.contains("${{"), "{script}");
        let folder = step["working-directory"].as_str().unwrap_or(".");
        let done = Command::new("bash")
            .args(["-eo", "pipefail", "-c", &script])
            .current_dir(place.path().join(folder))
            .output()
            .expect("bash");
        assert!(
            done.status.success(),
            "{name}: {}",
            String::from_utf8_lossy(&done.stderr)
        );
        run += 1;
    }
    assert_eq!(run, 2);
    let sums = fs::read_to_string(place.path().join("dist/SHA256SUMS")).expect("sums");
    assert!(
        sums.lines().count() == 1 && sums.contains(&format!("anatomy-{target}.tar.gz")),
        "{sums}"
    );
    let checked = Command::new("sha256sum")
        .args(["--check", "--quiet", "SHA256SUMS"])
        .current_dir(place.path().join("dist"))
        .status();
    assert!(checked.expect("sha256sum").success());
    let packed = Command::new("tar")
        .args(["-tzf", &format!("dist/anatomy-{target}.tar.gz")])
        .current_dir(place.path())
        .output();
    assert_eq!(
        String::from_utf8_lossy(&packed.expect("tar").stdout).trim(),
        "anatomy"
    );
}

/// The folder of the compiled-in tables has no fits beside it: there all is made anew.
#[test]
fn fits_that_are_kept_change_no_answer() {
    let folder = root().join("crates/catalog/snapshot");
    let folder = folder.to_str().expect("UTF-8");
    for words in [
        &[
            "predict",
            "--layers",
            "32",
            "--d-model",
            "4096",
            "--benchmarks",
            "bbh,arc",
            // Of the machine here, free memory differs from one moment to the next.
            "--device",
            "RTX 4090",
        ][..],
        &[
            "recommend",
            "--memory",
            "24GB",
            "--device",
            "RTX 4090",
            "--task",
            "math",
            "--top",
            "50",
        ],
    ] {
        let asked = |more: &[&str]| -> Value {
            let ran = anatomy(&[words, &["--format", "json"], more].concat());
            assert_eq!(ran.code, 0, "{}", ran.stderr);
            let mut answer: Value = serde_json::from_str(&ran.stdout).expect("JSON");
            answer["provenance"]["command"] = Value::Null;
            answer
        };
        let (kept, made) = (asked(&[]), asked(&["--catalog", folder]));
        same("", &kept, &made);
    }
}

/// Equal but for the last bits of numbers: what is kept may come from another processor.
fn same(place: &str, a: &Value, b: &Value) {
    match (a, b) {
        (Value::Object(left), Value::Object(right)) => {
            assert_eq!(
                left.keys().collect::<Vec<_>>(),
                right.keys().collect::<Vec<_>>(),
                "{place}"
            );
            for (key, value) in left {
                same(&format!("{place}/{key}"), value, &right[key]);
            }
        }
        (Value::Array(left), Value::Array(right)) => {
            assert_eq!(left.len(), right.len(), "{place}");
            for (at, (one, other)) in left.iter().zip(right).enumerate() {
                same(&format!("{place}/{at}"), one, other);
            }
        }
        (Value::Number(left), Value::Number(right)) => {
            let [left, right] = [left, right].map(|number| number.as_f64().expect("a number"));
            assert!(
                (left - right).abs() <= 1e-6 * left.abs().max(1.0),
                "{place}: {left} {right}"
            );
        }
        _ => assert_eq!(a, b, "{place}"),
    }
}
