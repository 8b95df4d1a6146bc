//! What a report says it was made of: the user's own rows, a condition, printed figures only where there are some.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::command::anatomy;

/// Runs a command that writes a folder; its page and its findings file.
fn written(arguments: &[&str], out: &Path) -> (String, Value, String) {
    let all = [arguments, &["-q", "--out", out.to_str().expect("UTF-8")]].concat();
    let ran = anatomy(&all);
    assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.stderr);
    let page = fs::read_to_string(out.join("report.html")).expect("the page");
    let text = fs::read_to_string(out.join("findings.json")).expect("the findings");
    (page, serde_json::from_str(&text).expect("JSON"), ran.stdout)
}

/// Nothing on the page is of the study of the catalog.
fn is_own(page: &str) {
    for wrong in [
        "Which part of a language model",
        "public leaderboards",
        "id=\"published\"",
        "rinted figures",
        "class=\"headlines\"",
        "catalog <code>",
    ] {
        assert!(!page.contains(wrong), "an own report says `{wrong}`");
    }
}

#[test]
#[cfg_attr(not(feature = "sql"), ignore = "SQL is not built in")]
fn a_report_on_own_rows_names_them_and_nothing_of_the_study() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("mine.csv");
    let mut text = String::from("depth,width,kind,gain,unused\n");
    for row in 0..48 {
        let (depth, width) = (4 + row % 12, 64 * (1 + row % 5));
        let kind = if row % 4 == 0 { "b" } else { "a" };
        writeln!(text, "{depth},{width},{kind},{},{row}", 2 * depth + row % 3).expect("a String takes text");
    }
    fs::write(&data, &text).expect("a file");
    let mut sha256 = String::new();
    for byte in Sha256::digest(text.as_bytes()) {
        write!(sha256, "{byte:02x}").expect("a String takes text");
    }
    let file = data.to_str().expect("UTF-8");
    // By address the rows are the same, and so is their hash.
    let by_address = anatomy(&[
        "study",
        "regressions",
        "--methods",
        "linear",
        "--protocol",
        "random_folds",
        "--target",
        "gain",
        "--features",
        "depth,width",
        "--format",
        "json",
        "--quiet",
        "--data",
        &format!("file://{file}"),
    ]);
    assert_eq!(by_address.code, 0, "{}", by_address.stderr);
    assert!(by_address.stdout.contains(&sha256), "{}", by_address.stdout);
    let asked = ["--data", file, "--target", "gain", "--features", "depth,width"];
    let regressions = [
        "study",
        "regressions",
        "--methods",
        "linear",
        "--protocol",
        "random_folds",
    ];
    let importance = [
        "study",
        "importance",
        "--protocol",
        "random_folds",
        "--seeds",
        "1",
    ];
    for (command, condition) in [
        (&regressions[..], None),
        (&regressions[..], Some("kind = 'a'")),
        (&importance[..], None),
    ] {
        let out = folder.path().join("out");
        let rest = condition.map_or_else(Vec::new, |condition| vec!["--where", condition]);
        let (page, findings, _) = written(&[command, &asked, &rest].concat(), &out);
        is_own(&page);
        assert!(page.contains("gain from depth, width in mine.csv"), "the title");
        assert!(page.contains(&format!("made from {file} (48 rows")), "the lead");
        assert!(page.contains("columns used: gain, depth, width;"), "the columns");
        assert_eq!(page.matches(&sha256).count(), 3, "lead, citation and footer");
        assert!(page.contains(&format!("anatomy {}", command[..2].join(" "))));
        let provenance = &findings["provenance"];
        assert_eq!(provenance["data"]["file"], file);
        assert_eq!(provenance["data"]["sha256"], sha256.as_str());
        assert_eq!(provenance["data"]["rows"], 48);
        assert_eq!(
            provenance["data"]["columns"],
            serde_json::json!(["gain", "depth", "width"])
        );
        assert!(provenance.get("catalog_sha256").is_none(), "{provenance}");
        if condition.is_some() {
            let n = page.matches("nly rows where kind = &#39;a&#39;").count();
            // Title twice, lead, caption of the one table.
            assert!(n >= 4, "the condition is said {n} times");
        }
    }
}

#[test]
#[cfg_attr(not(feature = "sql"), ignore = "SQL is not built in")]
fn a_condition_is_in_title_lead_and_captions_and_no_headline_counts_printed_figures() {
    let folder = tempfile::tempdir().expect("a folder");
    let study = ["report", "--only", "scale", "--resamples", "100"];
    let chosen = [&study[..], &["--where", "official_provider"]].concat();
    let (page, _, said) = written(&chosen, &folder.path().join("few"));
    // What is read, without the page's own style and script.
    let read = page
        .split("</style>")
        .nth(1)
        .and_then(|rest| rest.split("<script").next());
    for text in [read.expect("a page"), &said] {
        assert!(
            !text.contains("reproduce") && !text.contains("rinted figures"),
            "{said}"
        );
        assert!(text.contains("nly rows where official_provider."), "{said}");
    }
    assert!(!page.contains("id=\"published\""), "no empty table");
    let captions: Vec<&str> = ["<p class=\"caption\">", "<figcaption>"]
        .iter()
        .flat_map(|mark| page.split(mark).skip(1))
        .collect();
    assert!(captions.len() > 3);
    for caption in captions {
        let words = caption.split('<').next().unwrap_or(caption).trim_end();
        assert!(words.ends_with("Only rows where official_provider."), "{words}");
    }
    let heading = page.split("<h1>").nth(1).and_then(|rest| rest.split('<').next());
    assert_eq!(
        heading.map(|words| words.ends_with("Only rows where official_provider")),
        Some(true)
    );

    let (page, _, said) = written(&study, &folder.path().join("all"));
    assert!(page.contains("id=\"published\""));
    assert!(page.contains("Of 27 printed figures recomputed, "), "{said}");
    assert!(said.contains("Of 27 printed figures recomputed, "), "{said}");
    assert!(!page.contains("Of 0 ") && !page.contains("nly rows where"));
}
