//! Readers of `EuroEval`, Swallow, Proteus and Epoch AI on small files: what is kept, under which name, and what is left out.

use catalog::tables::{Score, Source};
use catalog::{Catalog, Error};

use crate::readers::built;

fn scores<'a>(catalog: &'a Catalog, id: &str) -> Vec<&'a Score> {
    catalog.scores.iter().filter(|score| score.id == id).collect()
}

fn adds_up(source: &Source) -> bool {
    source.rows_in == source.kept + source.rejected
        && source.rejected == source.rejected_by_reason.values().sum::<u64>()
}

const EUROEVAL: &str = "Task Type,dummy,,,,,,Knowledge,~~~Named entity recognition~~~,hidden,\n\
Model,Type,Parameters,Vocabulary,Merge,Open,Trained from scratch,quiz,names,quiz_version,names_version\n\
<a href='https://hf.co/a/base-7b'>a/base-7b</a>,🧠,7000000000.0,32000.0,✗,(✓),✓,-1.50 ± 2.00 / 24.90 ± 1.00@@-1.50,50.00 ± 3.00 / 40.00 ± 4.00@@50.00,16.9.0@@160900,9.1.0@@90100\n\
<a href='https://hf.co/a/base-7b'>A/Base-7B#thinking (val)</a>,🤔,7000000000.0,32000.0,✗,✗,✗,60.00 ± 2.00 / 70.00 ± 1.00@@60.00,-@@-1,16.9.0@@160900,-@@0\n\
<a href='https://hf.co/b/enc'>b/enc</a>,🔍,100000000.0,32000.0,✗,(✓),✓,1.00 ± 1.00 / 1.00 ± 1.00@@1,-@@-1,9.0.0@@90000,-@@0\n\
<a href='https://x.org'>closed-1 (zero-shot)</a>,📝,?,?,✗,✗,✓,1.00 ± 1.00 / 1.00 ± 1.00@@1,-@@-1,9.0.0@@90000,-@@0\n\
<a href='https://hf.co/a/other'>a/other</a>,📝,?,?,✗,(✓),✓,torn@@1,1.00 ± 1.00 / 1.00 ± 1.00@@1,9.0.0@@90000,9.0.0@@90000\n";

#[test]
fn euroeval_tells_runs_apart_and_keeps_intervals() -> Result<(), Error> {
    let catalog = built(&[("leaderboards/klingon_all.csv", EUROEVAL.as_bytes())])?;
    let own = scores(&catalog, "a/base-7b");
    let quiz = own
        .iter()
        .find(|score| score.benchmark == "euroeval_quiz")
        .expect("is there");
    assert_eq!(
        (quiz.value, quiz.half_width, quiz.metric.as_deref()),
        (-1.5, Some(2.0), Some("mcc"))
    );
    assert_eq!(
        (quiz.scale.as_deref(), quiz.split.as_deref()),
        (Some("normalised"), Some("test"))
    );
    assert_eq!(quiz.harness.as_deref(), Some("euroeval 16.9.0"));
    assert_eq!(quiz.leaderboard, "euroeval-klingon");
    let second = own
        .iter()
        .find(|score| score.benchmark == "euroeval_quiz_accuracy")
        .expect("is there");
    assert_eq!((second.value, second.scale.as_deref()), (24.9, Some("raw")));
    let beside = own
        .iter()
        .find(|score| score.benchmark == "euroeval_names")
        .expect("is there");
    assert!(
        beside
            .setting
            .as_deref()
            .is_some_and(|text| text.contains("beside the official mean"))
    );
    // The validation split is another board, and another benchmark, of the same checkpoint or of one spelt otherwise.
    let val: Vec<&Score> = catalog
        .scores
        .iter()
        .filter(|score| score.benchmark == "euroeval_val_quiz")
        .collect();
    assert_eq!(val.len(), 1);
    assert_eq!(
        (val[0].mode.as_deref(), val[0].leaderboard.as_str()),
        (Some("thinking"), "euroeval-klingon-val")
    );
    let source = &catalog.manifest.sources[0];
    assert!(adds_up(source), "{source:?}");
    assert_eq!((source.rows_in, source.kept), (6, 3));
    assert!(
        catalog
            .rejects
            .iter()
            .any(|reject| reject.reason == "not_two_scores_with_intervals")
    );
    for reason in ["second_header", "not_a_decoder", "not_a_checkpoint"] {
        assert_eq!(source.rejected_by_reason.get(reason), Some(&1), "{reason}");
    }
    Ok(())
}

const SWALLOW: &str = "# Evaluation results in Swallow LLM Leaderboard\n\
- {id: a/tuned-7b, date: '2026-01-02', params: 7.1, active_params: 7.1, reasoning: 'on (high)', url: 'https://huggingface.co/a/tuned-7b',\n\
   results: {en_post: {avg: 0.5, MMLU-Pro: 0.4, GPQA: 1.2, __Hidden: 0.3}, en_pre: {MMLU: 0.65}}}\n\
- {id: closed-1, date: '2025-01-01', params: 0, url: 'https://platform.example', results: {en_post: {GPQA: 0.9}}}\n\
- {id: google/closed-2, date: '2025-01-01', params: 0, url: 'https://huggingface.co/google/closed-2', results: {en_post: {GPQA: 0.9}}}\n";

#[test]
fn swallow_is_a_board_a_suite_and_a_state() -> Result<(), Error> {
    let catalog = built(&[("model-2026-02-20.yml", SWALLOW.as_bytes())])?;
    let own = scores(&catalog, "a/tuned-7b");
    let found: Vec<_> = own
        .iter()
        .map(|score| {
            (
                score.leaderboard.as_str(),
                score.benchmark.as_str(),
                score.value,
                score.shots,
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            (
                "swallow-2026-02-20-en-post",
                "swallow_2026_02_20_en_post_mmlu_pro",
                40.0,
                Some(0)
            ),
            (
                "swallow-2026-02-20-en-pre",
                "swallow_2026_02_20_en_pre_mmlu",
                65.0,
                Some(5)
            ),
        ]
    );
    assert!(
        own.iter()
            .all(|score| score.mode.as_deref() == Some("effort high") && score.version == "2026-02-20")
    );
    let source = &catalog.manifest.sources[0];
    assert_eq!((source.rows_in, source.kept, source.rejected), (3, 1, 2));
    let fields: Vec<&str> = catalog
        .rejects
        .iter()
        .map(|reject| reject.reason.as_str())
        .collect();
    assert!(
        fields.contains(&"score_out_of_range") && fields.contains(&"task_hidden_by_the_board"),
        "{fields:?}"
    );
    let day = catalog::day_of_text("2026-01-02");
    assert_eq!(catalog.checkpoints[0].released, day);
    assert_eq!(
        (
            catalog.structures[0].date,
            catalog.structures[0].date_by.as_deref()
        ),
        (day, Some("stated"))
    );
    Ok(())
}

#[test]
fn proteus_is_made_over_chance_subtask_by_subtask() -> Result<(), Error> {
    let table = "model_id,leaderboard_bbh_acc_norm_none,leaderboard_musr_acc_norm_none,\
leaderboard_musr_murder_mysteries_acc_norm_none,leaderboard_musr_object_placements_acc_norm_none,\
leaderboard_musr_team_allocation_acc_norm_none,leaderboard_mmlu_pro_acc_none,leaderboard_ifeval_prompt_level_strict_acc_none\n\
a/b,0.5,0.6,0.75,0.6,0.2,0.55,0.3\n\
nameless,0.5,,,,,,\n";
    let catalog = built(&[("proteus.csv", table.as_bytes())])?;
    let of = |name: &str| {
        catalog
            .scores
            .iter()
            .find(|score| score.benchmark == name)
            .map(|score| score.value)
    };
    // (50 + 50 + 0) / 3: what is below chance counts as chance.
    assert_eq!(of("proteus_musr"), Some(33.333));
    assert_eq!(
        (of("proteus_musr_raw"), of("proteus_mmlu_pro")),
        (Some(60.0), Some(50.0))
    );
    // Without its subtasks BBH is made over no chance.
    assert_eq!((of("proteus_bbh"), of("proteus_bbh_raw")), (None, Some(50.0)));
    assert_eq!((of("proteus_ifeval_prompt"), of("ifeval")), (Some(30.0), None));
    assert!(adds_up(&catalog.manifest.sources[0]));
    Ok(())
}

const EPOCH: &str = "Model version,mean_score,Best score (across scorers),Release date,Organization,Country,Training compute (FLOP),Training compute notes,stderr,Started at\n\
Qwen3-8B_high,0.5,0.5,2025-04-28,Alibaba,China,1e24,,0.02,2025-06-01T00:00:00.000Z\n\
deepseek-chat,0.9,0.9,2025-01-01,DeepSeek,China,,,0.02,2025-06-01T00:00:00.000Z\n\
,0.9,0.9,2025-01-01,DeepSeek,China,,,0.02,\n";
const MODELS: &str = "Model,Organization,Publication date,Parameters,Training compute (FLOP),Training dataset size (datapoints),Confidence,Model accessibility,Base model\n\
Qwen3-8B,Alibaba,2025-04-29,8.2e9,1.77e24,3.6e13,Confident,Open weights (unrestricted),\n\
Qwen3-8B,Alibaba,2025-04-29,8.2e9,1.77e24,3.6e13,Confident,API access,\n\
Qwen3-9B,Alibaba,2025-04-29,8.2e9,1.77e24,3.6e13,Confident,Open weights (unrestricted),\n\
Qwen3-8B,Alibaba,2025-04-29,8.2e9,1.77e24,3.6e13,Confident,Open weights (unrestricted),Qwen3-8B-Base\n";

#[test]
fn epoch_is_joined_to_what_others_name_and_counts_training() -> Result<(), Error> {
    let config = br#"{"architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "hidden_size": 4096, "intermediate_size": 12288,
 "num_attention_heads": 32, "num_key_value_heads": 8, "num_hidden_layers": 36, "vocab_size": 151936, "max_position_embeddings": 40960}"#;
    let catalog = built(&[
        ("Qwen--Qwen3-8B_config.json", config),
        ("gpqa_diamond.csv", EPOCH.as_bytes()),
        ("models.csv", MODELS.as_bytes()),
    ])?;
    let own = scores(&catalog, "Qwen/Qwen3-8B");
    assert_eq!(own.len(), 1);
    assert_eq!(
        (own[0].benchmark.as_str(), own[0].value, own[0].error),
        ("epoch_gpqa_diamond", 50.0, Some(2.0))
    );
    assert_eq!(
        (own[0].mode.as_deref(), own[0].date),
        (Some("effort high"), catalog::day_of_text("2025-06-01"))
    );
    let row = catalog
        .checkpoints
        .iter()
        .find(|row| row.id == "Qwen/Qwen3-8B")
        .expect("is there");
    assert_eq!(
        (row.training_tokens, row.training_flop),
        (Some(36_000_000_000_000), Some(1.77e24))
    );
    assert_eq!(row.training_tokens_by.as_deref(), Some("models.csv (Confident)"));
    // Tokens of pre-training make no label: this checkpoint is post-trained.
    assert_ne!(
        row.training.map(catalog::tables::Training::as_str),
        Some("pretrained")
    );
    for source in &catalog.manifest.sources {
        assert!(adds_up(source), "{source:?}");
    }
    let reasons: Vec<&str> = catalog
        .rejects
        .iter()
        .map(|reject| reject.reason.as_str())
        .collect();
    for reason in [
        "no_open_checkpoint_of_that_name",
        "weights_not_open",
        "made_from_another_model",
        "no_name",
    ] {
        assert!(reasons.contains(&reason), "{reason} of {reasons:?}");
    }
    Ok(())
}

#[test]
fn a_switch_leaves_out_what_has_no_licence() -> Result<(), Error> {
    let broken = |source| Error::Io {
        path: "temporary".into(),
        source,
    };
    let folder = tempfile::tempdir().map_err(broken)?;
    let sources = folder.path().join("sources");
    std::fs::create_dir_all(sources.join("swallow")).map_err(broken)?;
    std::fs::write(sources.join("swallow/model.yml"), SWALLOW).map_err(broken)?;
    std::fs::write(sources.join("swallow/mine.csv"), EUROEVAL).map_err(broken)?;
    let root = catalog::Root {
        path: &sources,
        name: "",
    };
    let out = folder.path().join("out");
    let manifest = catalog::build_from(&[root], true, &out, &mut |_| {})?;
    let paths: Vec<&str> = manifest
        .sources
        .iter()
        .map(|source| source.path.as_str())
        .collect();
    assert_eq!(paths, ["swallow/model.yml"]);
    assert_eq!(manifest.sources[0].license.as_deref(), Some("CC-BY-4.0"));
    assert_eq!(
        manifest.sources[0].attribution.as_deref(),
        Some("Swallow LLM team")
    );
    let all = catalog::build_from(&[root], false, &out, &mut |_| {})?;
    assert_eq!(all.sources.len(), 2);
    std::fs::remove_file(sources.join("swallow/model.yml")).map_err(broken)?;
    let refused = catalog::build_from(&[root], true, &out, &mut |_| {});
    assert!(matches!(refused, Err(Error::NoLicensedSources { found: 1 })));
    Ok(())
}

/// A board says itself how it is told, read and licensed; that it reads what it should is for a test here.
#[test]
fn every_board_is_read_in_a_test() -> Result<(), std::io::Error> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/sources");
    let mut boards = 0;
    for entry in std::fs::read_dir(folder)? {
        let text = std::fs::read_to_string(entry?.path())?;
        if !text.contains("const BOARD: Board") {
            continue;
        }
        boards += 1;
        let name = text
            .split("const NAME: &str = \"")
            .nth(1)
            .and_then(|rest| rest.split('"').next());
        let name = name.unwrap_or_default().replace('-', "_");
        assert!(
            include_str!("boards.rs").contains(&format!("\nfn {name}_")),
            "crates/catalog/tests/boards.rs has no test that reads a small file of the board `{name}`: none is named {name}_…"
        );
    }
    assert!(boards > 3, "{boards} boards are found");
    Ok(())
}
