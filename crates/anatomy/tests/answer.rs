//! The answer on the compiled-in tables beside figures worked out apart, and claims of the user's own.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};

use crate::command::anatomy;

/// Findings of the sections that the answer is made of.
fn findings() -> BTreeMap<String, Value> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = folder.path().join("report");
    let ran = anatomy(&[
        "report",
        "--quiet",
        "--only",
        "answer,controlled,pooled",
        "--out",
        out.to_str().expect("UTF-8"),
    ]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(out.join("figures/answer.svg").is_file() && out.join("tables/answer.csv").is_file());
    let page = fs::read_to_string(out.join("report.html")).expect("a page");
    let places = ["id=\"answer\"", "id=\"controlled\""].map(|id| page.find(id).expect("a section"));
    assert!(places[0] < places[1], "the answer comes first");
    let text = fs::read_to_string(out.join("findings.json")).expect("findings");
    let file: Value = serde_json::from_str(&text).expect("JSON");
    let all = file["findings"].as_array().expect("a list").iter();
    all.map(|finding| (finding["id"].as_str().expect("an id").to_owned(), finding.clone()))
        .collect()
}

/// Points per doubling of layers in Gemstones by statsmodels on the published tables, two digits: for operations per token, all
/// parameters, and parameters without embeddings fixed.
#[rustfmt::skip]
const GEMSTONES: [(&str, [f64; 3]); 9] = [
    ("arc", [0.37, 0.45, 0.27]), ("hellaswag", [0.70, 1.12, 0.13]), ("winogrande", [0.24, 0.28, 0.22]),
    ("piqa", [0.27, 0.49, -0.09]), ("openbookqa", [0.15, 0.29, -0.05]), ("commonsense_qa", [-0.06, 0.10, -0.31]),
    ("siqa", [-0.14, -0.10, -0.19]), ("mmlu", [0.10, 0.16, 0.03]), ("arc_easy", [0.15, 0.40, -0.18]),
];

#[test]
fn controlled_effects_are_those_worked_out_apart() {
    let found = findings();
    let value = |id: &str| {
        let finding = found.get(id).unwrap_or_else(|| panic!("no finding {id}"));
        finding["value"]
            .as_f64()
            .unwrap_or_else(|| panic!("{id} has no value"))
    };
    for (benchmark, wanted) in GEMSTONES {
        for (fixed, wanted) in ["flops_token", "parameters", "parameters_body"]
            .into_iter()
            .zip(wanted)
        {
            let ours = value(&format!("controlled.gemstones.{fixed}.layers.{benchmark}"));
            // Norms count as parameters here and did not there.
            assert!(
                (ours - wanted).abs() < 0.011,
                "{fixed} {benchmark}: {ours} is not {wanted}"
            );
        }
    }
    for (fixed, points, doublings) in [
        ("flops_token", 0.34, 0.07),
        ("parameters", 0.46, 0.08),
        ("parameters_body", 0.17, 0.05),
    ] {
        let of = |stem: &str| {
            value(&format!(
                "controlled.{stem}.reasoning.knowledge.gemstones.{fixed}.layers"
            ))
        };
        assert!((of("contrast") - points).abs() < 0.011, "{fixed}");
        assert!((of("contrast_doublings") - doublings).abs() < 0.011, "{fixed}");
    }
    // A feed-forward width that is always four widths tells nothing.
    let none = &found["controlled.gemstones.flops_token.d_ffn.hellaswag"];
    assert!(
        none["value"].is_null()
            && none["notes"][0]
                .as_str()
                .is_some_and(|note| note.starts_with("not identified"))
    );
    // Layers that do nothing change nothing.
    for (benchmark, most) in [("bbh", 0.2), ("mmlu_pro", 0.2), ("ifeval", 0.2), ("gpqa", 0.5)] {
        let ends = &found[&format!("controlled.placebo.{benchmark}")]["interval"];
        for end in ["low", "high"] {
            assert!(
                ends[end].as_f64().expect("a number").abs() <= most,
                "{benchmark}: {ends}"
            );
        }
    }
    // What can be reached on new shapes, chosen inside the training shapes.
    assert!(value("pooled.r2.shapes.v2.shape_out") >= 0.70);
    assert!(value("pooled.mae.shapes.v2.shape_out") <= 4.4);
}

/// A file of findings of our own making.
fn made_up() -> Value {
    let finding = |id: &str, low: f64, high: f64| {
        json!({ "id": id, "question": "?", "value": 0.5 * (low + high), "unit": "points", "n": 20, "method": "mean",
            "interval": { "low": low, "high": high, "level": 0.95, "method": "test" }, "protocol": "all_rows", "features": [],
            "seed": null, "source": { "work": "made up", "place": "rows" }, "published": null, "verdict": null,
            "figure": null, "notes": [] })
    };
    json!({ "findings": [finding("a.up", 1.0, 3.0), finding("a.open", -1.0, 1.0), finding("a.down", -3.0, -1.0),
        finding("controlled.minitron.parameters.layers.gsm8k", 21.0, 27.0)] })
}

#[test]
fn claims_of_the_users_own_are_checked_and_judged() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let at = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    fs::write(at("findings.json"), made_up().to_string()).expect("written");
    let claim = |id: &str, finding: &str| {
        format!(
            "[[claim]]\nid = \"{id}\"\nstatement = \"It rises\"\nwork = \"mine\"\nplace = \"section 1\"\n\n[[claim.reading]]\n\
             reading = \"controlled\"\nfindings = [\"{finding}\"]\nrule = {{ above = 0.0 }}\n\n"
        )
    };
    let all = ["up", "open", "down", "missing"].map(|name| claim(name, &format!("a.{name}")));
    fs::write(at("mine.toml"), all.concat()).expect("written");
    let (file, findings) = (at("mine.toml"), at("findings.json"));
    let ran = anatomy(&[
        "claims",
        "check",
        &file,
        "--findings",
        &findings,
        "--format",
        "json",
    ]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let told: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(
        (&told["kind"], &told["provenance"]["program"]),
        (&Value::from("claims"), &Value::from("anatomy"))
    );
    let verdicts: Vec<&str> = told["claims"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|claim| claim["readings"][0]["verdict"].as_str().expect("a verdict"))
        .collect();
    assert_eq!(
        verdicts,
        ["reproduced", "cannot_tell", "contradicted", "not_testable"]
    );
    for field in ["statement", "work", "place"] {
        assert!(told["claims"][0][field].is_string(), "{field}");
    }
    for field in ["reading", "verdict", "value", "interval", "why"] {
        assert!(told["claims"][0]["readings"][0].get(field).is_some(), "{field}");
    }
    fs::write(at("broken.toml"), claim("a", "a.up").replace("above", "over")).expect("written");
    let ran = anatomy(&["claims", "check", &at("broken.toml"), "--findings", &findings]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("broken.toml is not a file of claims") && ran.stderr.contains("over"),
        "{}",
        ran.stderr
    );
}

#[test]
fn claims_are_chosen_by_work_statement_and_verdict() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("findings.json");
    fs::write(&path, made_up().to_string()).expect("written");
    let findings = path.to_str().expect("UTF-8");
    let chosen = |more: &[&str]| -> Vec<Value> {
        let arguments = [
            &["study", "claims", "--findings", findings, "--format", "json"],
            more,
        ]
        .concat();
        let ran = anatomy(&arguments);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let told: Value = serde_json::from_str(&ran.stdout).expect("JSON");
        told["claims"].as_array().expect("a list").clone()
    };
    let all = chosen(&[]);
    assert!(
        all.len() > 200,
        "the ledger and the claims that are data: {}",
        all.len()
    );
    let of_work = chosen(&["--work", "2408.11796", "--statement", "gsm8k"]);
    assert!(!of_work.is_empty() && of_work.len() < 5);
    // Twenty-four points for a doubling of layers are more than the three that the statement allows.
    let against = chosen(&["--only", "contradicted"]);
    assert!(
        against.iter().any(|claim| claim["id"] == "layers_not_for_gsm8k"),
        "{against:?}"
    );
    let ran = anatomy(&["study", "claims", "--only", "false"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("unknown verdict `false`"), "{}", ran.stderr);
}
