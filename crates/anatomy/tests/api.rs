//! The API's document beside its answers: every answer is as it says and carries nothing else, every parameter has an effect.

use std::collections::BTreeSet;
use std::fs;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use study::section::{Axis, Bar, Bin, Drawing, Evidence, Figure, Layer, Mark, Matrix, MatrixRow, Panel};
use tempfile::TempDir;

use crate::api_schema::Document;
use crate::command::{anatomy, build, fixtures};
use crate::http::{Answer, get, send};
use crate::probe::made;
use crate::site::Server;

/// A server of the small catalog with a study and results of probes, and its document.
struct Served {
    server: Server,
    document: Document,
    #[expect(dead_code, reason = "dropping them takes the files away")]
    folders: [TempDir; 3],
}

/// Probes of the small checkpoint, with `@` for the folder of what they are given.
const PROBES: [(&str, &str); 6] = [
    (
        "influence",
        "influence --model @model --texts @texts.txt --max-block 1",
    ),
    ("gradients", "gradients --model @model --data @samples.jsonl"),
    ("tokens", "tokens --model @model --text Alice"),
    (
        "prune",
        "prune --model @model --layers 1 --requests @requests.jsonl --tasks winogrande --shots 0 --data @data",
    ),
    (
        "evaluate",
        "evaluate --model @model --tasks winogrande --shots 0 --data @data",
    ),
    (
        "ablate",
        "ablate --model @model --parts d_ffn,heads --shares 30 --how importance --texts @texts.txt --tasks winogrande --shots 0 \
         --data @data --screen zero",
    ),
];

fn served() -> &'static Served {
    static SERVED: OnceLock<Served> = OnceLock::new();
    SERVED.get_or_init(|| {
        let (catalogs, probes) = (
            tempfile::tempdir().expect("a folder"),
            tempfile::tempdir().expect("a folder"),
        );
        let catalog = catalogs.path().join("catalog");
        build(&fixtures(), &catalog);
        let given = made();
        let at = given.path().to_str().expect("UTF-8");
        for (name, arguments) in PROBES {
            let arguments =
                format!("probe {arguments} --quiet --format json").replace('@', &format!("{at}/"));
            let ran = anatomy(&arguments.split_whitespace().collect::<Vec<_>>());
            assert_eq!(ran.code, 0, "{name}: {}", ran.stderr);
            fs::write(probes.path().join(format!("{name}.json")), ran.stdout).expect("written");
        }
        fs::write(probes.path().join("foreign.json"), "[1, 2]").expect("written");
        fs::write(probes.path().join("broken.json"), "{").expect("written");
        let server = Server::start(&format!(
            "--resamples 100 --only dataset,dimensions,trends,correlations --catalog '{}' --probe '{}'",
            catalog.display(),
            probes.path().display()
        ));
        server.ready("study");
        server.ready("fits");
        let document = Document(get(&server.address, "/api/v1/openapi.json").json());
        Served {
            server,
            document,
            folders: [catalogs, probes, given],
        }
    })
}

impl Served {
    /// The answer, once it is there.
    fn ask(&self, route: &str) -> Answer {
        let started = Instant::now();
        loop {
            let answer = get(&self.server.address, &format!("/api/v1/{route}"));
            if answer.status != 202 {
                return answer;
            }
            let later = self.document.faults(self.document.named("Later"), &answer.json());
            assert!(later.is_empty(), "{route}: {later:#?}");
            assert!(started.elapsed().as_secs() < 600, "{route}: {}", answer.text());
            std::thread::sleep(Duration::from_secs(1));
        }
    }

    fn names(&self, route: &str, list: &str, key: &str) -> Vec<String> {
        let answer = self.ask(route).json();
        let all = answer[list].as_array().expect("a list");
        let name = |one: &Value| one.get(key).unwrap_or(one).as_str().map(str::to_owned);
        all.iter().filter_map(name).collect()
    }
}

/// Paths of the document and an address of each below `/api/v1/`.
const ADDRESSES: [(&str, &str); 26] = [
    ("health", "health"),
    ("openapi.json", "openapi.json"),
    ("columns", "columns"),
    ("checkpoints", "checkpoints?sort=-size&limit=5"),
    (
        "checkpoints",
        "checkpoints?q=pine&columns=license,merged,date,base,bbh",
    ),
    ("checkpoints/{id}", "checkpoints/east%2Fbirch-7b"),
    (
        "checkpoints/{organisation}/{name}",
        "checkpoints/north/pine-8b-instruct",
    ),
    ("points", "points?x=size&y=date"),
    ("devices", "devices"),
    ("predict", "predict?id=east/birch-7b&device=A100%2080GB"),
    (
        "predict",
        "predict?layers=30&d_model=3840&d_ffn=10240&heads=30&kv_heads=10&vocab_size=128256&benchmarks=bbh&sweep=layers=20..40:10",
    ),
    ("predict/figure", "predict/figure?id=east/birch-7b"),
    (
        "predict/figure",
        "predict/figure?id=east/birch-7b&benchmarks=bbh&sweep=layers=20..40:10",
    ),
    ("recommend", "recommend?memory=24GB&task=math"),
    (
        "recommend",
        "recommend?memory=48GB&device=RTX%204090&gpus=2&license=apache-2.0,mit&since=2023-01-01&min_speed=1&top=3",
    ),
    ("recommend/figure", "recommend/figure?memory=24GB"),
    (
        "compare",
        "compare?id=north/pine-8b-instruct&id=east/birch-7b-instruct&device=A10",
    ),
    ("compare", "compare?id=north/pine-8b&id=east/birch-7b-instruct"),
    (
        "compare/figure",
        "compare/figure?id=north/pine-8b-instruct&id=east/birch-7b-instruct",
    ),
    ("findings", "findings"),
    ("findings", "findings?prefix=scale.mean."),
    ("findings/{id}", "findings/scale.mean.small"),
    ("sections", "sections"),
    ("probes", "probes"),
    ("tables", "tables"),
    (
        "query",
        "query?sql=select%20s.*,%20true%20as%20b,%20%5B1%5D%20as%20l%20from%20scores%20s%20limit%2020",
    ),
];

#[test]
#[cfg_attr(not(feature = "sql"), ignore = "SQL is not built in")]
fn every_answer_is_as_the_document_says_and_carries_nothing_else() {
    let served = served();
    let document = &served.document;
    let mut addresses: Vec<(String, String)> = ADDRESSES
        .iter()
        .map(|(path, address)| ((*path).to_owned(), (*address).to_owned()))
        .collect();
    for id in served.names("sections", "sections", "id") {
        addresses.push(("sections/{id}".into(), format!("sections/{id}")));
        for id in served.names(&format!("sections/{id}"), "figures", "id") {
            addresses.push(("figures/{id}".into(), format!("figures/{id}")));
            addresses.push(("figures/{id}/plotly".into(), format!("figures/{id}/plotly")));
        }
    }
    let probes = served.names("probes", "probes", "");
    assert_eq!(probes.len(), PROBES.len() + 1, "{probes:?}");
    for name in probes {
        addresses.push(("probes/{name}".into(), format!("probes/{name}")));
    }
    let mut walked = BTreeSet::new();
    let mut hold = |path: String, method: &str, address: &str, answer: &Answer| {
        assert_eq!(answer.status, 200, "{address}: {}", answer.text());
        assert_eq!(answer.header("content-type"), "application/json", "{address}");
        let schema = document.answer(&path, method).expect("a schema");
        let faults = document.faults(schema, &answer.json());
        let first: Vec<&String> = faults.iter().take(10).collect();
        assert!(
            faults.is_empty(),
            "{address}: {} faults: {first:#?}",
            faults.len()
        );
        walked.insert((path, method.to_owned()));
    };
    for (path, address) in &addresses {
        hold(format!("/api/v1/{path}"), "get", address, &served.ask(address));
    }
    let body = json!({ "sql": "select * from structures", "limit": 3 }).to_string();
    let answer = send(&served.server.address, "POST", "/api/v1/query", &[], Some(&body));
    hold("/api/v1/query".into(), "post", "the body", &answer);
    for (path, method) in document.operations() {
        let is_json = document.answer(path, method).is_some();
        let is_walked = walked.contains(&(path.to_owned(), method.to_owned()));
        assert_eq!(is_json, is_walked, "{method} {path}");
    }
}

/// Every kind of drawing that there is; another one does not compile before it stands here.
fn drawings() -> Vec<Drawing> {
    let bar = |interval| Bar {
        group: "a".into(),
        series: "b".into(),
        value: 1.0,
        interval,
    };
    let bins = || {
        let bin = |mean| Bin {
            x: 1.0,
            mean,
            q1: 0.5,
            q3: 1.5,
            n: 3,
        };
        vec![("a".to_owned(), vec![bin(1.0), bin(f64::NAN)])]
    };
    let values = || vec![("a".to_owned(), vec![1.0, 2.0])];
    let points = vec![(1.0, 2.0), (3.0, 4.0)];
    let layers = vec![
        Layer::Markers {
            name: "a".into(),
            points: points.clone(),
            sizes: vec![1.0, 2.0],
        },
        Layer::Line {
            name: "a".into(),
            points: points.clone(),
            step: true,
        },
        Layer::Band {
            name: "a".into(),
            points: vec![(1.0, 2.0, 3.0)],
        },
        Layer::Level {
            y: 1.0,
            label: "a".into(),
        },
    ];
    let marks = [
        Evidence::Observational,
        Evidence::Controlled,
        Evidence::Surgery,
        Evidence::Cuts,
    ]
    .map(|evidence| Mark {
        evidence,
        value: 1.0,
        interval: Some((0.5, f64::INFINITY)),
        is_clear: false,
        sees: None,
        n: 2,
    });
    let row = MatrixRow {
        name: "a".into(),
        is_yardstick: false,
        sentence: "a".into(),
        cells: vec![marks.to_vec(), Vec::new()],
    };
    let all = vec![
        Drawing::Panels(vec![Panel {
            title: "a".into(),
            layers,
        }]),
        Drawing::Intervals {
            rows: vec![bar(None), bar(Some((0.5, 1.5)))],
            reference: f64::NAN,
        },
        Drawing::Histograms(values()),
        Drawing::Boxes(values()),
        Drawing::Heatmap {
            rows: vec!["a".into()],
            columns: vec!["b".into(), "c".into()],
            values: vec![vec![1.0, f64::NAN]],
        },
        Drawing::Bars(vec![bar(None)]),
        Drawing::Points {
            series: vec![("a".into(), points)],
            line: Some([(0.0, 0.0), (1.0, 1.0)]),
            named: vec![("b".into(), (0.0, 0.0))],
        },
        Drawing::Bins(bins()),
        Drawing::Curves(bins()),
        Drawing::Matrix(Matrix {
            groups: vec![("a".into(), 2)],
            columns: vec!["b".into(), "c".into()],
            rows: vec![row],
            clip: 6.0,
        }),
        Drawing::Dendrogram {
            names: vec!["a".into(), "b".into()],
            merges: vec![(0, 1, 0.5)],
        },
    ];
    let place = |drawing: &Drawing| match drawing {
        Drawing::Panels(_) => 0,
        Drawing::Intervals { .. } => 1,
        Drawing::Histograms(_) => 2,
        Drawing::Boxes(_) => 3,
        Drawing::Heatmap { .. } => 4,
        Drawing::Bars(_) => 5,
        Drawing::Points { .. } => 6,
        Drawing::Bins(_) => 7,
        Drawing::Curves(_) => 8,
        Drawing::Matrix(_) => 9,
        Drawing::Dendrogram { .. } => 10,
    };
    let places: Vec<usize> = all.iter().map(place).collect();
    assert_eq!(places, (0..all.len()).collect::<Vec<_>>());
    all
}

#[test]
fn every_kind_of_drawing_is_described() {
    let document = &served().document;
    for drawing in drawings() {
        let figure = Figure {
            id: "a".into(),
            title: "a".into(),
            caption: "a".into(),
            n: 3,
            x: Axis::log("x"),
            y: Axis::linear("y"),
            drawing,
        };
        let told = serde_json::to_value(&figure).expect("JSON");
        assert_eq!(
            document.faults(document.named("Figure"), &told),
            Vec::<String>::new(),
            "{told}"
        );
    }
}

/// What the walk rests on: an answer with something made up, something missing or something of another type is a fault.
#[test]
fn made_up_missing_and_mistyped_keys_are_faults() {
    let served = served();
    let document = &served.document;
    let schema = document.answer("/api/v1/predict", "get").expect("a schema");
    let whole = served.ask("predict?id=east/birch-7b&device=A10").json();
    let with = |change: &dyn Fn(&mut Value)| {
        let mut changed = whole.clone();
        change(&mut changed);
        document.faults(schema, &changed)
    };
    assert_eq!(with(&|_| {}), Vec::<String>::new());
    for place in [
        "",
        "/structure",
        "/provenance",
        "/memory",
        "/scores/0",
        "/scores/0/coverage",
        "/decode/0",
        "/nearest/0",
    ] {
        let faults = with(&|answer| {
            let part = answer.pointer_mut(place).unwrap_or_else(|| panic!("no {place}"));
            part["made_up"] = json!(1);
        });
        assert!(
            faults.iter().any(|fault| fault.contains("made_up")),
            "{place}: {faults:?}"
        );
    }
    for (place, key) in [("", "seed"), ("/structure", "layers"), ("/scores/0", "chance")] {
        let faults = with(&|answer| {
            let part = answer.pointer_mut(place).and_then(Value::as_object_mut);
            part.and_then(|part| part.remove(key)).expect(key);
        });
        assert!(!faults.is_empty(), "{place} without {key}");
    }
    for (place, value) in [
        ("/seed", json!("42")),
        ("/id", json!(7)),
        ("/structure/resolved_by", json!("guessed")),
        ("/scores/0/drivers", json!({})),
        ("/kind", json!("predictions")),
    ] {
        let faults = with(&|answer| {
            let part = answer.pointer_mut(place).unwrap_or_else(|| panic!("no {place}"));
            *part = value.clone();
        });
        assert!(!faults.is_empty(), "{place} as {value}");
    }
}

#[test]
fn limit_and_offset_cut_a_file_and_mean_nothing_to_points() {
    let served = served();
    let lines = |query: &str| -> Vec<String> {
        let answer = served.ask(&format!("checkpoints.csv?columns=size{query}"));
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.text().lines().map(str::to_owned).collect()
    };
    let all = lines("");
    let n = served.ask("checkpoints").json()["n"].as_u64().expect("n");
    assert_eq!(all.len() as u64, n + 1);
    assert_eq!(lines("&limit=5"), all[..6]);
    assert_eq!(lines("&limit=2&offset=3")[1..], all[4..6]);
    assert_eq!(lines("&offset=3")[1..], all[4..]);
    assert_eq!(lines("&limit=1000000"), all);
    for parameter in ["limit=5", "offset=1", "sort=size", "columns=size"] {
        let answer = served.ask(&format!("points?{parameter}"));
        let name = parameter.split('=').next().unwrap_or_default();
        assert_eq!(answer.status, 400, "{parameter}");
        assert!(answer.text().contains(&format!("no parameter named `{name}`")));
    }
    for address in ["checkpoints.csv?limit=0", "checkpoints.csv?offset=-1"] {
        assert_eq!(served.ask(address).status, 400, "{address}");
    }
}

#[test]
#[cfg_attr(not(feature = "sql"), ignore = "SQL is not built in")]
fn what_is_refused_is_told_as_on_the_command_line() {
    let served = served();
    let document = &served.document;
    let ask = |body: &str| send(&served.server.address, "POST", "/api/v1/query", &[], Some(body));
    let only_reads = "changes tables, and a statement here only reads them: write `select …`";
    for (answer, status, says) in [
        (
            ask("{\"sql\": \"drop table scores\"}"),
            422,
            format!("`drop` {only_reads}"),
        ),
        (
            served.ask("query?sql=Insert%20into%20scores%20select%20*%20from%20scores"),
            422,
            format!("`Insert` {only_reads}"),
        ),
        (
            served.ask("query?sql=set%20x%20=%201"),
            422,
            "write `select …`".into(),
        ),
        (ask("{\"sq\": \"select 1\"}"), 422, "`sql` is needed".into()),
        (ask("{"), 400, "the body is not valid JSON: EOF".into()),
        (
            served.ask("checkpoints/east/birch-7b-instrukt"),
            404,
            "did you mean east/birch-7b-instruct".into(),
        ),
        (
            served.ask("findings/scale.mean.smal"),
            404,
            "did you mean scale.mean.small".into(),
        ),
        (served.ask("sections/scales"), 404, "did you mean scale?".into()),
        (
            served.ask("recommend?memory=24GB&quant=bf16,nf4"),
            422,
            "llama.cpp is taken where no engine is named; `engine=vllm` or `engine=transformers` runs them"
                .into(),
        ),
        (
            served.ask("recommend?memory=24GB&precision=4bits"),
            400,
            "unknown value `4bits` in `quant`".into(),
        ),
    ] {
        assert_eq!(answer.status, status, "{}", answer.text());
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert!(
            answer.text().replace("\\\"", "\"").contains(&says),
            "{}",
            answer.text()
        );
        let faults = document.faults(document.named("Problem"), &answer.json());
        assert!(faults.is_empty(), "{faults:?}");
    }
    for (address, quant) in [
        ("recommend?memory=24GB&precision=4bit", "Q4_K_M"),
        ("recommend?memory=24GB&quant=4bit&engine=vllm", "awq"),
    ] {
        let answer = served.ask(address).json();
        assert_eq!(answer["budget"]["quants"], json!([quant]), "{address}");
    }
}
