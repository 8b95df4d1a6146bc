//! Readers of what people have on disk; and every reader over mutated files: an error or rows, never a panic.

use std::fs;
use std::path::Path;

use catalog::tables::Manifest;
use catalog::{Catalog, Error, build, export};
use proptest::prelude::*;

pub(crate) fn built(files: &[(&str, &[u8])]) -> Result<Catalog, Error> {
    let broken = |source| Error::Io {
        path: "temporary".into(),
        source,
    };
    let folder = tempfile::tempdir().map_err(broken)?;
    let sources = folder.path().join("sources");
    for (name, bytes) in files {
        let path = sources.join(name);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).map_err(broken)?;
        fs::write(&path, bytes).map_err(broken)?;
    }
    let out = folder.path().join("out");
    let _: Manifest = build(&sources, &out, &mut |_| {})?;
    Catalog::open(&out)
}

const MODEL_INFO: &str = "id,size,d_model,d_ffn,heads,layers,kv_heads,vocab_size,pos,date,likes,MMLU,Hellaswag\n\
    a/b-7b,6.74,4096,11008,32,32,32,32000,4096,2023-07-18,12,45.3,77.2\n\
    a/c,,5000,100,5000,8928,,,,,,,\n";

#[test]
fn the_published_datasets_own_table() -> Result<(), Error> {
    let catalog = built(&[("model_info.csv", MODEL_INFO.as_bytes())])?;
    assert_eq!((catalog.structures.len(), catalog.scores.len()), (2, 2));
    assert_eq!(catalog.structures[0].layers, Some(32));
    assert_eq!(catalog.scores[0].value, 45.3);
    let left_out: Vec<_> = catalog
        .rejects
        .iter()
        .map(|reject| (reject.field.as_str(), reject.reason.as_str()))
        .collect();
    assert!(
        left_out.contains(&("layers", "out_of_range")) && left_out.contains(&("heads", "out_of_range")),
        "{left_out:?}"
    );
    Ok(())
}

const CONFIG: &str = r#"{"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 4096, "intermediate_size": 14336,
 "num_attention_heads": 32, "num_key_value_heads": 8, "num_hidden_layers": 32, "vocab_size": 128256, "max_position_embeddings": 131072,
 "rope_theta": 500000.0, "tie_word_embeddings": false, "torch_dtype": "bfloat16"}"#;
const YAML: &str = "- dataset:\n    id: cais/hle\n    task_id: default\n    revision: abc\n  value: 20.90\n  date: \"2025-01-15\"\n  source:\n    name: a page\n- dataset: {id: x/y}\n  value: 3\n";
const HARNESS: &str = r#"{"results": {"arc_challenge": {"alias": "arc_challenge", "acc,none": 0.25, "acc_stderr,none": 0.01, "acc_norm,none": 0.5}},
 "config": {"model": "hf", "model_args": "pretrained=a/b,dtype=float32"}, "n-shot": {"arc_challenge": 25}, "date": 1718000000.5}"#;
const SAMPLES: &str = "{\"doc_id\": 0, \"target\": 1, \"filtered_resps\": [[-3.5, false], [-1.25, true]], \"acc\": 1.0}\n{\"doc_id\": 1, \"target\": \"#### 5\", \"filtered_resps\": [\"5\"], \"exact_match\": 0.0}\n";
const LISTING: &str = r#"[{"id": "a/b", "createdAt": "2022-03-02T23:29:04.000Z", "downloads": 5, "likes": 2, "sha": "x", "pipeline_tag": "text-generation",
 "tags": ["base_model:finetune:c/d", "license:mit"], "config": {"architectures": ["LlamaForCausalLM"], "model_type": "llama"}, "safetensors": {"total": 8030261248}}]"#;

const PERF: &str = "config.name,config.backend.name,config.backend.model,config.backend.torch_dtype,config.environment.gpu,\
    report.prefill.latency.p50,report.decode.latency.p50,report.decode.throughput.value,report.decode.memory.max_allocated,report.traceback\n\
    4bit-awq-gemm-flash_attention_2,pytorch,a/b-7b,float16,['NVIDIA A10G'],0.25,1.5,31.2,5000.5,\n\
    float16-eager,pytorch,a/c-70b,float16,['NVIDIA A10G'],,,,,CUDA out of memory\n";

const SCALES: &str = r#"{"results": {
 "truthfulqa_gen": {"bleu_acc,none": 0.2913, "bleu_diff,none": -5.2094, "bleu_max,none": 21.3007, "rouge1_diff,none": 0.5205},
 "wmt_low": {"bleu,none": 0.84},
 "squadv2": {"f1,none": 0.75},
 "mine": {"acc,none": 0.9}, "other": {"acc,none": 45.5}},
 "config": {"model_args": "pretrained=a/b"}, "versions": {}, "date": 1718000000.5}"#;

#[test]
fn a_score_keeps_the_scale_of_its_metric() -> Result<(), Error> {
    let catalog = built(&[("results_2024.json", SCALES.as_bytes())])?;
    let found: Vec<_> = catalog
        .scores
        .iter()
        .map(|score| {
            let metric = score.metric.as_deref().unwrap_or_default();
            (
                format!("{} {metric}", score.benchmark),
                score.value,
                score.unit.as_str(),
            )
        })
        .collect();
    for (name, value, unit) in [
        ("truthfulqa_gen bleu_acc", 29.13, "points"),
        ("truthfulqa_gen bleu_diff", -5.2094, "as reported"),
        ("truthfulqa_gen bleu_max", 21.3007, "points"),
        ("truthfulqa_gen rouge1_diff", 0.5205, "as reported"),
        ("wmt_low bleu", 0.84, "points"),
        ("squadv2 f1", 0.75, "points"),
        ("mine acc", 0.9, "as reported"),
        ("other acc", 45.5, "as reported"),
    ] {
        assert!(
            found
                .iter()
                .any(|(found, score, kind)| found == name && (score - value).abs() < 1e-9 && *kind == unit),
            "{name} {value} {unit}: {found:?}"
        );
    }
    Ok(())
}

#[test]
fn tables_are_told_by_their_columns() -> Result<(), Error> {
    let big = "model,link,moe,size,act_param,type,complete,instruct,date,prefill\n\
        A 7B,https://huggingface.co/a/b-7b,False,7.0,7.0,x,40.5,30.5,2024-06-01,False\n";
    let catalog = built(&[
        ("anything.csv", PERF.as_bytes()),
        ("some/table.csv", big.as_bytes()),
    ])?;
    let mut scores: Vec<_> = catalog
        .scores
        .iter()
        .map(|score| (score.leaderboard.as_str(), score.benchmark.as_str(), score.value))
        .collect();
    scores.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)));
    let wanted = [
        ("bigcodebench", "bigcodebench_complete", 40.5),
        ("bigcodebench", "bigcodebench_instruct", 30.5),
        ("llm-perf-1xA10", "decode_speed", 31.2),
        ("llm-perf-1xA10", "end_to_end_time", 1.75),
        ("llm-perf-1xA10", "memory", 5000.5),
        ("llm-perf-1xA10", "prefill_time", 0.25),
    ];
    assert_eq!(scores, wanted);
    let settings: Vec<_> = catalog
        .scores
        .iter()
        .filter_map(|s| s.setting.as_deref())
        .collect();
    assert!(
        settings.contains(&"1xA10; pytorch; AWQ.4bit; FAv2; AWQ.GEMM"),
        "{settings:?}"
    );
    let reasons: Vec<_> = catalog
        .rejects
        .iter()
        .map(|reject| reject.reason.as_str())
        .collect();
    assert_eq!(reasons, ["no_measurement"]);
    Ok(())
}

#[test]
fn broken_configs_are_rows_left_out() -> Result<(), Error> {
    let crawl = format!("{{\"a/b\": {CONFIG},\n\"a/broken\": \"{{model_type: oh\", \"a/none\": null}}");
    let catalog = built(&[
        ("hub-configs-00000.json", crawl.as_bytes()),
        ("c/d/config.json", CONFIG.as_bytes()),
        ("c/cut/config.json", &CONFIG.as_bytes()[..CONFIG.len() / 2]),
        ("c/empty/config.json", b""),
    ])?;
    let mut left_out: Vec<_> = catalog
        .rejects
        .iter()
        .map(|reject| {
            (
                reject.raw.split(':').next().unwrap_or_default(),
                reject.reason.as_str(),
            )
        })
        .collect();
    left_out.sort_unstable();
    let wanted = ["a/broken", "a/none", "c/cut", "c/empty"].map(|id| (id, "no_json_object"));
    assert_eq!(left_out, wanted);
    assert_eq!(catalog.structures.len(), 2);
    for source in &catalog.manifest.sources {
        assert_eq!(source.rows_in, source.kept + source.rejected, "{}", source.path);
    }
    Ok(())
}

#[test]
fn what_people_have_on_disk() -> Result<(), Error> {
    let catalog = built(&[
        ("c/d/config.json", CONFIG.as_bytes()),
        ("listing.json", LISTING.as_bytes()),
        ("a/b/.eval_results/hle.yaml", YAML.as_bytes()),
        ("results_2024.json", HARNESS.as_bytes()),
        (
            "a__b/samples_arc_challenge_2024-06-12T01-02-03.jsonl",
            SAMPLES.as_bytes(),
        ),
    ])?;
    let checkpoint = catalog
        .checkpoints
        .iter()
        .find(|row| row.id == "a/b")
        .expect("listed");
    assert_eq!(
        (checkpoint.created_at, checkpoint.parameters_total),
        (None, Some(8_030_261_248))
    );
    assert_eq!(
        (checkpoint.base.as_deref(), checkpoint.base_relation.as_deref()),
        (Some("c/d"), Some("finetune"))
    );
    assert_eq!(checkpoint.license.as_deref(), Some("mit"));
    let structure = catalog
        .structures
        .iter()
        .find(|row| row.id == "a/b")
        .expect("evaluated");
    assert_eq!(
        (structure.resolved_by.as_str(), structure.layers),
        ("lineage", Some(32))
    );
    let known = catalog
        .checkpoints
        .iter()
        .find(|row| row.id == "c/d")
        .expect("its config is there");
    assert_eq!(known.parameters_total, Some(8_030_261_248));
    let score = |benchmark: &str| {
        catalog
            .scores
            .iter()
            .find(|row| row.benchmark == benchmark)
            .map(|row| row.value)
    };
    assert_eq!(
        (score("cais/hle"), score("arc"), score("arc_challenge")),
        (Some(20.9), Some(50.0), Some(25.0))
    );
    assert_eq!(catalog.items.len(), 2);
    assert_eq!(
        (catalog.items[0].correct, catalog.items[0].loglikelihood),
        (Some(true), Some(-1.25))
    );
    assert_eq!(
        (catalog.items[1].id.as_str(), catalog.items[1].correct),
        ("a/b", Some(false))
    );
    for source in &catalog.manifest.sources {
        assert_eq!(source.rows_in, source.kept + source.rejected, "{}", source.path);
    }
    Ok(())
}

#[test]
fn flags_travel_along_lineage() -> Result<(), Error> {
    let header = "fullname,Average ⬆️,IFEval,BBH,MATH Lvl 5,GPQA,MUSR,MMLU-PRO,#Params (B),Architecture,Precision,Type,Flagged,Base Model\n";
    let row = |id: &str, flagged: &str, base: &str| {
        format!("{id},1,1,1,1,1,1,1,8.03,LlamaForCausalLM,bfloat16,x,{flagged},{base}\n")
    };
    let table = [
        header.to_owned(),
        row("a/root", "True", "a/root"),
        row("a/child", "False", "a/root"),
        row("a/grandchild", "False", "a/child"),
        row("a/loop", "False", "a/loop2"),
        row("a/loop2", "False", "a/loop"),
    ]
    .concat();
    let catalog = built(&[("v2.csv", table.as_bytes())])?;
    let by = |id: &str| {
        catalog
            .checkpoints
            .iter()
            .find(|row| row.id == id)
            .and_then(|row| row.flagged_by.clone())
    };
    assert_eq!(
        (
            by("a/grandchild").as_deref(),
            by("a/child").as_deref(),
            by("a/root"),
            by("a/loop")
        ),
        (Some("a/root"), Some("a/root"), None, None)
    );
    Ok(())
}

#[test]
fn exports_are_whole() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let place = folder.path().join("hub");
    let files = export(None, catalog::export::Target::HuggingFace, &place, &mut |_| {})?;
    assert!(files.contains(&"README.md".to_owned()) && files.contains(&"data/structures.parquet".to_owned()));
    let card = fs::read_to_string(place.join("README.md"))?;
    assert!(
        card.starts_with("---\n")
            && card.contains("config_name: structures\n  data_files: data/structures.parquet"),
        "{card}"
    );
    assert!(
        card.contains("\nlicense: other\nlicense_name: by-source\n"),
        "{card}"
    );
    if catalog::query::needed().is_ok() {
        assert!(files.contains(&"data/observations.parquet".to_owned()));
        let bytes = fs::read(place.join("data/observations.parquet"))?;
        let rows = catalog::answer::read_parquet("observations", bytes)?.rows();
        assert_eq!(rows, Catalog::snapshot()?.scores.len());
    }
    let again = folder.path().join("again");
    export(None, catalog::export::Target::Parquet, &again, &mut |_| {})?;
    assert_eq!(Catalog::open(&again)?, Catalog::snapshot()?);
    assert!(
        export(None, catalog::export::Target::Parquet, &again, &mut |_| {}).is_err(),
        "a folder that is not empty stays"
    );
    Ok(())
}

/// Bytes of `seed` with a few of them changed, dropped, repeated or replaced by telling ones.
fn mutated(seed: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let telling: Vec<&[u8]> = vec![
        b"\"",
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b"\n",
        b"\0",
        b"\xff",
        b"-1",
        b"1e999",
        b"NaN",
        b"9223372036854775808",
        b": ",
        b"- ",
        b"&a [*a]",
        b"null",
    ];
    let change = (
        any::<prop::sample::Index>(),
        0..4_u8,
        any::<prop::sample::Index>(),
    );
    prop::collection::vec(change, 1..6).prop_map(move |changes| {
        let mut bytes = seed.clone();
        for (place, how, what) in changes {
            if bytes.is_empty() {
                break;
            }
            let at = place.index(bytes.len());
            let word = telling[what.index(telling.len())];
            match how {
                0 => bytes.truncate(at),
                1 => drop(bytes.splice(at..at, word.iter().copied())),
                2 => bytes[at] = word[0],
                _ => drop(bytes.splice(at..(at + 3).min(bytes.len()), [])),
            }
        }
        bytes
    })
}

/// The first lines of a real file where it is at hand, `fallback` elsewhere.
fn real(file: &str, lines: usize, fallback: &str) -> Vec<u8> {
    let text = crate::shared_data().and_then(|data| fs::read_to_string(data.join(file)).ok());
    text.map_or_else(
        || fallback.to_owned(),
        |text| text.split_inclusive('\n').take(lines).collect(),
    )
    .into_bytes()
}

const V1: &str = "Model,Average ⬆️,ARC,HellaSwag,MMLU,TruthfulQA,Winogrande,GSM8K,Type,Architecture,Precision,#Params (B)\na/b,1,1,1,1,1,1,1,x,LlamaForCausalLM,float16,7\n";

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_reader_panics(
        which in 0..7_usize,
        config in mutated(real("configs/google--gemma-4-26B-A4B_config.json", 400, CONFIG)),
        table in mutated(real("open-llm-leaderboard-v1/results.csv", 6, V1)),
        v2 in mutated(real("open-llm-leaderboard-v2/contents-2025-02-08.csv", 4, V1)),
        yaml in mutated(YAML.as_bytes().to_vec()),
        harness in mutated(HARNESS.as_bytes().to_vec()),
        samples in mutated(SAMPLES.as_bytes().to_vec()),
        listing in mutated(LISTING.as_bytes().to_vec()),
    ) {
        let (name, bytes): (&str, &[u8]) = match which {
            0 => ("a/b/config.json", &config),
            1 => ("v1.csv", &table),
            2 => ("v2.csv", &v2),
            3 => ("a/b/.eval_results/x.yaml", &yaml),
            4 => ("results_x.json", &harness),
            5 => ("a__b/samples_arc_2024-01-01T00.jsonl", &samples),
            _ => ("listing.json", &listing),
        };
        if let Ok(catalog) = built(&[(name, bytes)]) {
            for source in &catalog.manifest.sources {
                prop_assert_eq!(source.rows_in, source.kept + source.rejected);
            }
        }
    }

    #[test]
    fn a_broken_parquet_is_an_error_and_no_panic(bytes in mutated(include_bytes!("../snapshot/resolution.parquet").to_vec())) {
        let _ = catalog::parquet_file::read_rows::<catalog::tables::Accuracy, _>(bytes::Bytes::from(bytes), "x");
    }
}
