//! Benchmarks against lm-evaluation-harness: prompts to the byte, answers on real weights, and taking up again.

use mechanism::checkpoint::Checkpoint;
use mechanism::evaluate::LogLikelihood;
use mechanism::evaluate::answer::{Answer, AnswerSettings, answer, judge};
use mechanism::evaluate::results::{Ran, harness_json, results};
use mechanism::evaluate::table::{Table, shard};
use mechanism::evaluate::tasks::{FEW_SHOT_SEED, Item, SUBJECTS, Task, items};
use serde_json::Value;

use crate::common::{gguf, numbers, oracle, shared};

/// Task, shots, and the oracle's file.
const FILES: [(&str, usize, usize, &str); 8] = [
    ("arc_challenge", 0, 50, "arc_challenge_0shot_limit50"),
    ("arc_challenge", 25, 10, "arc_challenge_25shot_limit10"),
    ("hellaswag", 0, 50, "hellaswag_0shot_limit50"),
    ("mmlu_anatomy", 5, 50, "mmlu_anatomy_5shot_limit50"),
    ("truthfulqa_mc1", 0, 25, "truthfulqa_mc1_0shot_limit25"),
    ("truthfulqa_mc2", 0, 25, "truthfulqa_mc2_0shot_limit25"),
    ("winogrande", 0, 50, "winogrande_0shot_limit50"),
    ("gsm8k", 5, 3, "gsm8k_5shot_limit3"),
];

fn of_task(name: &str, shots: usize, limit: Option<usize>) -> Option<Vec<Item>> {
    let data = shared("data/benchmarks")?;
    let task = Task::named(name).unwrap()[0];
    Some(items(task, &data, shots, limit, FEW_SHOT_SEED).unwrap().items)
}

/// The oracle's rows by document; of GSM8K the first of two rows.
fn expected(file: &str) -> Option<Vec<Value>> {
    let mut rows = oracle(&format!("harness/{file}.json"))?["items"]
        .as_array()
        .unwrap()
        .clone();
    rows.retain(|row| row["filter"].as_str() != Some("flexible-extract"));
    Some(rows)
}

#[test]
fn prompts_are_those_of_the_harness_to_the_byte() {
    for (task, shots, limit, file) in FILES {
        // Rows that were restored exactly are the first of HellaSwag's, as the oracle's are.
        let (Some(items), Some(rows)) = (of_task(task, shots, Some(limit)), expected(file)) else {
            return;
        };
        assert_eq!(items.len(), rows.len(), "{file}");
        for (item, row) in items.iter().zip(rows) {
            assert_eq!(row["doc_id"].as_u64(), Some(item.doc_id as u64), "{file}");
            let contexts = &row["requests"]["context"];
            for (i, request) in item.requests.iter().enumerate() {
                let context = contexts.as_str().or_else(|| contexts[i].as_str()).unwrap();
                assert_eq!(request.context, context, "{file}, document {}", item.doc_id);
                if task != "gsm8k" {
                    let continuation = row["requests"]["continuations"][i].as_str().unwrap();
                    assert_eq!(
                        request.continuation, continuation,
                        "{file}, document {}",
                        item.doc_id
                    );
                }
            }
        }
    }
}

#[test]
fn the_harness_log_likelihoods_give_its_predictions_and_scores() {
    for (task, shots, limit, file) in FILES.into_iter().filter(|(task, ..)| *task != "gsm8k") {
        let (Some(items), Some(rows)) = (of_task(task, shots, Some(limit)), expected(file)) else {
            return;
        };
        let mut answers = Vec::new();
        for (item, row) in items.iter().zip(rows) {
            let scores: Vec<LogLikelihood> = numbers(&row["loglikelihoods"])
                .into_iter()
                .map(|sum| LogLikelihood {
                    sum,
                    is_greedy: false,
                    tokens: 1,
                })
                .collect();
            let judged = judge(item, &scores);
            let close = |metric: &str, key: &str| {
                let difference = judged.metrics[metric] - row[key].as_f64().unwrap();
                assert!(
                    difference.abs() < 1e-12,
                    "{file}, document {}: {metric}",
                    item.doc_id
                );
            };
            close("acc,none", "acc");
            if row["acc_norm"].is_number() {
                close("acc_norm,none", "acc_norm");
            }
            if let Some(prediction) = row["prediction"].as_u64() {
                assert_eq!(judged.prediction, Some(prediction as usize), "{file}");
                assert_eq!(
                    judged.gold,
                    Some(row["gold"].as_u64().unwrap() as usize),
                    "{file}"
                );
            }
            answers.push(judged);
        }
        let oracle = oracle(&format!("harness/{file}.json")).unwrap();
        let ran = Ran {
            task: items[0].task,
            shots,
            documents: items.len(),
            answers,
        };
        let json = harness_json(&results(&[ran]), "oracle", FEW_SHOT_SEED, Some(limit));
        for (metric, value) in oracle["scores"].as_object().unwrap() {
            let ours = json["results"][task][metric].as_f64().unwrap();
            assert!((ours - value.as_f64().unwrap()).abs() < 1e-12, "{file}: {metric}");
        }
    }
}

fn answers_of(checkpoint: &Checkpoint, items: &[Item]) -> Vec<Answer> {
    let mut all = Vec::new();
    let settings = AnswerSettings::usual(checkpoint);
    answer(checkpoint, items, 0, &settings, &mut |_| (), &mut |row| {
        all.push(row);
        Ok(())
    })
    .unwrap();
    all
}

#[test]
fn generated_texts_are_those_of_the_harness() {
    let (Some(gguf), Some(rows)) = (gguf(), expected("gsm8k_5shot_limit3")) else {
        return;
    };
    let Some(items) = of_task("gsm8k", 5, Some(3)) else {
        return;
    };
    let answers = answers_of(&Checkpoint::open(&gguf).unwrap(), &items);
    for (answer, row) in answers.iter().zip(&rows) {
        assert_eq!(answer.generated.as_deref(), row["generated"].as_str());
        assert_eq!(
            answer.metrics["exact_match,strict-match"],
            row["exact_match"].as_f64().unwrap()
        );
    }
}

#[test]
fn answers_on_real_weights_are_those_of_the_harness() {
    let (Some(gguf), Some(rows)) = (gguf(), expected("arc_challenge_25shot_limit10")) else {
        return;
    };
    let Some(items) = of_task("arc_challenge", 25, Some(10)) else {
        return;
    };
    let answers = answers_of(&Checkpoint::open(&gguf).unwrap(), &items);
    for (answer, row) in answers.iter().zip(&rows) {
        for (ours, theirs) in answer.log_likelihoods.iter().zip(numbers(&row["loglikelihoods"])) {
            assert!((ours - theirs).abs() < 1e-3);
        }
        assert_eq!(
            answer.prediction,
            Some(row["prediction"].as_u64().unwrap() as usize)
        );
        assert_eq!(answer.metrics["acc_norm,none"], row["acc_norm"].as_f64().unwrap());
    }
}

#[test]
fn an_evaluation_taken_up_again_gives_the_same_bytes() {
    let (Some(gguf), Some(first), Some(second)) = (
        gguf(),
        of_task("arc_challenge", 0, Some(7)),
        of_task("winogrande", 0, Some(5)),
    ) else {
        return;
    };
    let all = [first, second].concat();
    let checkpoint = Checkpoint::open(&gguf).unwrap();
    let settings = AnswerSettings {
        chunk_tokens: 150,
        ..AnswerSettings::usual(&checkpoint)
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("items.jsonl");
    let run = |items: &[Item]| {
        let (mut table, rows) = Table::open(&path, &settings.id, items).unwrap();
        answer(
            &checkpoint,
            items,
            rows.len(),
            &settings,
            &mut |_| (),
            &mut |row| table.add(&row),
        )
        .unwrap();
        std::fs::read(&path).unwrap()
    };
    let whole = run(&all);
    assert_eq!(String::from_utf8_lossy(&whole).lines().count(), 12);
    for kept in [whole.len() - 1, whole.len() / 2, 10] {
        std::fs::write(&path, &whole[..kept]).unwrap();
        assert_eq!(run(&all), whole, "cut at {kept}");
    }
    // Another order of items is another evaluation.
    let error = Table::open(&path, &settings.id, &all[1..])
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("arc_challenge 0") && error.contains("arc_challenge 1"),
        "{error}"
    );
    // Another checkpoint is another evaluation.
    let error = Table::open(&path, "another", &all).unwrap_err().to_string();
    assert!(error.contains("checkpoint another"), "{error}");
    // Shards hold every item once.
    let mut ids: Vec<(String, usize)> = (0..3)
        .flat_map(|i| shard(all.clone(), i, 3))
        .map(|item| (item.task.to_string(), item.doc_id))
        .collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), all.len());
}

/// FNV-1a, 64 bits.
fn fingerprint(hash: u64, text: &str) -> u64 {
    text.bytes().chain([0]).fold(hash, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// `oracles/harness_prompts.py` made the file with the harness itself, on other shots and more documents.
#[test]
fn fingerprints_of_prompts_are_those_of_the_harness() {
    let Some(data) = shared("data/benchmarks") else {
        return;
    };
    let oracle: Value = serde_json::from_str(include_str!("harness_prompts.json")).unwrap();
    let mut wrong = Vec::new();
    for row in oracle.as_array().unwrap() {
        let (name, shots) = (
            row["task"].as_str().unwrap(),
            row["shots"].as_u64().unwrap() as usize,
        );
        // Examples of two tasks stand in no file here: the script and this test take the evaluated split for them.
        let folder = tempfile::tempdir().unwrap();
        let task = Task::named(name).unwrap()[0];
        let own = folder.path().join(task.folder());
        std::fs::create_dir(&own).unwrap();
        for entry in std::fs::read_dir(data.join(task.folder())).unwrap() {
            let path = entry.unwrap().path();
            let file = path.file_name().unwrap().to_string_lossy().into_owned();
            std::os::unix::fs::symlink(&path, own.join(&file)).unwrap();
            let ending = file.split_once('.').map_or("", |(_, ending)| ending);
            if matches!(name, "hellaswag" | "winogrande") && ending.starts_with("jsonl") {
                std::os::unix::fs::symlink(&path, own.join(format!("train.{ending}"))).unwrap();
            }
        }
        let found = items(task, folder.path(), shots, Some(150), FEW_SHOT_SEED).unwrap();
        let mut hash = 0xcbf2_9ce4_8422_2325;
        for request in found.items.iter().flat_map(|item| &item.requests) {
            hash = fingerprint(fingerprint(hash, &request.context), &request.continuation);
        }
        if (found.items.len() as u64, format!("{hash:016x}").as_str())
            != (
                row["documents"].as_u64().unwrap(),
                row["fingerprint"].as_str().unwrap(),
            )
        {
            wrong.push(format!("{name}, {shots} shots"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("; "));
}

#[test]
fn task_names_are_known_and_unknown_ones_are_refused() {
    assert_eq!(Task::named("mmlu").unwrap().len(), 57);
    assert_eq!(Task::named("mmlu_stem").unwrap().len(), 19);
    for (i, (subject, _)) in SUBJECTS.iter().enumerate() {
        assert_eq!(Task::named(&format!("mmlu_{subject}")).unwrap(), [Task::Mmlu(i)]);
    }
    assert!(Task::named("mmlu_alchemy").is_err());
    let folder = tempfile::tempdir().unwrap();
    assert!(items(Task::Gsm8k, folder.path(), 0, None, 0).is_err());
    let own = folder.path().join("gsm8k");
    std::fs::create_dir(&own).unwrap();
    std::fs::write(
        own.join("test.jsonl"),
        "{\"question\": \"1?\", \"answer\": \"#### 1\"}\nno\n",
    )
    .unwrap();
    let error = items(Task::Gsm8k, folder.path(), 0, None, 0)
        .unwrap_err()
        .to_string();
    assert!(error.contains("line 2"), "{error}");
    std::fs::write(
        own.join("test.jsonl"),
        "{\"question\": 1, \"answer\": \"#### 1\"}\n",
    )
    .unwrap();
    let error = items(Task::Gsm8k, folder.path(), 0, None, 0)
        .unwrap_err()
        .to_string();
    assert!(error.contains("`question`"), "{error}");
    std::fs::write(own.join("train.jsonl"), "").unwrap();
    let error = items(Task::Gsm8k, folder.path(), 5, None, 0)
        .unwrap_err()
        .to_string();
    assert!(error.contains("5 shots"), "{error}");
}
