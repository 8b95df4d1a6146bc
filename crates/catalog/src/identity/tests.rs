//! Names printed by boards, matched manually, compared with the ids of the compiled-in catalog.

use super::{ANY, Identities, Joined, mode_of};
use crate::catalog::Catalog;
use crate::error::Error;

/// Name, organisation, and the checkpoint that a person matches it to; empty where no checkpoint of the Hub is meant or
/// none can be determined: services' names whose model changes, closed models, sizes without a version.
const BY_HAND: [(&str, &str, &str); 66] = [
    ("Llama-2-7b", "Meta AI", "meta-llama/Llama-2-7b-hf"),
    ("Llama-2-13b-chat", "Meta AI", "meta-llama/Llama-2-13b-chat-hf"),
    ("Llama-2-70b-hf ", "Meta AI", "meta-llama/Llama-2-70b-hf"),
    (
        "Meta-Llama-3-8B-Instruct",
        "Meta AI",
        "meta-llama/Meta-Llama-3-8B-Instruct",
    ),
    (
        "Llama-3.3-70B-Instruct",
        "Meta AI",
        "meta-llama/Llama-3.3-70B-Instruct",
    ),
    (
        "Llama-3.2-1B-Instruct",
        "Meta AI",
        "meta-llama/Llama-3.2-1B-Instruct",
    ),
    ("opt-1.3b", "Meta AI", "facebook/opt-1.3b"),
    ("opt-66b", "Meta AI", "facebook/opt-66b"),
    ("qwen2.5-72b-instruct", "Alibaba", "Qwen/Qwen2.5-72B-Instruct"),
    ("qwen1.5-14B", "Alibaba", "Qwen/Qwen1.5-14B"),
    ("Qwen2.5-Coder-32B", "Alibaba", "Qwen/Qwen2.5-Coder-32B"),
    ("Qwen2.5-Coder (32B)", "Alibaba", "Qwen/Qwen2.5-Coder-32B"),
    ("chutes/Qwen3-8B", "Alibaba", "Qwen/Qwen3-8B"),
    ("Qwen3-32B", "Alibaba", "Qwen/Qwen3-32B"),
    ("qwen2-72b-instruct", "Alibaba", "Qwen/Qwen2-72B-Instruct"),
    ("QwQ-32B-Preview", "Alibaba", "Qwen/QwQ-32B-Preview"),
    ("gemma-2-27b-it", "Google DeepMind", "google/gemma-2-27b-it"),
    (
        "chutes/Gemma-3-27b-It",
        "Google DeepMind",
        "google/gemma-3-27b-it",
    ),
    ("Gemma 2 9B", "Google DeepMind", "google/gemma-2-9b"),
    ("Gemma 7B", "Google DeepMind", "google/gemma-7b"),
    ("gemma-2b", "Google DeepMind", "google/gemma-2b"),
    ("Mistral-7B-v0.1", "Mistral AI", "mistralai/Mistral-7B-v0.1"),
    (
        "Mixtral-8x7B-Instruct-v0.1",
        "Mistral AI",
        "mistralai/Mixtral-8x7B-Instruct-v0.1",
    ),
    (
        "Mistral-Nemo-Base-2407",
        "Mistral AI",
        "mistralai/Mistral-Nemo-Base-2407",
    ),
    ("DeepSeek-V3-0324", "DeepSeek", "deepseek-ai/DeepSeek-V3-0324"),
    (
        "DeepSeek-R1-Distill-Qwen-14B",
        "DeepSeek",
        "deepseek-ai/DeepSeek-R1-Distill-Qwen-14B",
    ),
    (
        "deepseek-coder-6.7b-base",
        "DeepSeek,Peking University",
        "deepseek-ai/deepseek-coder-6.7b-base",
    ),
    (
        "deepseek-llm-67b-chat",
        "DeepSeek",
        "deepseek-ai/deepseek-llm-67b-chat",
    ),
    ("phi-2", "Microsoft", "microsoft/phi-2"),
    ("phi-1_5", "Microsoft", "microsoft/phi-1_5"),
    ("Phi-1.5", "Microsoft", "microsoft/phi-1_5"),
    ("Phi-4", "Microsoft Research", "microsoft/phi-4"),
    (
        "Phi-3-medium-128k-instruct",
        "Microsoft",
        "microsoft/Phi-3-medium-128k-instruct",
    ),
    ("falcon-7b", "Technology Innovation Institute", "tiiuae/falcon-7b"),
    (
        "Falcon-180B",
        "Technology Innovation Institute",
        "tiiuae/falcon-180B",
    ),
    (
        "falcon-11b",
        "Technology Innovation Institute",
        "tiiuae/falcon-11B",
    ),
    ("Yi-34B-Chat", "01.AI", "01-ai/Yi-34B-Chat"),
    ("Yi 6B", "01.AI", "01-ai/Yi-6B"),
    ("Yi-1.5-34B", "01.AI", "01-ai/Yi-1.5-34B"),
    ("gpt2-xl", "OpenAI", "openai-community/gpt2-xl"),
    ("gpt-neox-20b", "EleutherAI", "EleutherAI/gpt-neox-20b"),
    ("gpt-j-6b", "EleutherAI,LAION", "EleutherAI/gpt-j-6b"),
    ("mpt-30b-instruct", "MosaicML", "mosaicml/mpt-30b-instruct"),
    ("bloom", "Hugging Face,BigScience", "bigscience/bloom"),
    (
        "starcoder2-3b",
        "Hugging Face,ServiceNow,NVIDIA,BigCode",
        "bigcode/starcoder2-3b",
    ),
    ("dolly-v2-12b", "Databricks", "databricks/dolly-v2-12b"),
    (
        "Cerebras-GPT-13B",
        "Cerebras Systems",
        "cerebras/Cerebras-GPT-13B",
    ),
    (
        "vicuna-13b-v1.3",
        "Large Model Systems Organization",
        "lmsys/vicuna-13b-v1.3",
    ),
    (
        "c4ai-command-r-plus-08-2024",
        "Cohere,Cohere for AI",
        "CohereForAI/c4ai-command-r-plus-08-2024",
    ),
    (
        "OLMo-2-1124-13B-Instruct",
        "Allen Institute for AI",
        "allenai/OLMo-2-1124-13B-Instruct",
    ),
    ("xgen-7b-8k-base", "Salesforce", "Salesforce/xgen-7b-8k-base"),
    (
        "Hermes-2-Theta-Llama-3-70B",
        "Nous Research,Arcee AI",
        "NousResearch/Hermes-2-Theta-Llama-3-70B",
    ),
    // Names that must not be matched.
    ("deepseek-chat", "DeepSeek", ""),
    ("deepseek-reasoner", "DeepSeek", ""),
    ("open-mistral-7b", "Mistral AI", ""),
    ("open-mixtral-8x7b", "Mistral AI", ""),
    ("mistral-large-2402", "Mistral AI", ""),
    ("kimi-k2-0711-preview", "Moonshot", ""),
    ("gpt-4-0613", "OpenAI", ""),
    ("gpt-3.5-turbo-0125", "OpenAI", ""),
    ("qwen-max-2025-01-25", "Alibaba", ""),
    ("LLaMA-7B", "Meta AI", ""),
    ("opt-175b", "Meta AI", ""),
    ("PaLM 2-L", "Google", ""),
    ("Mistral 7B", "Mistral AI", ""),
    ("Phi-2", "An unknown laboratory", ""),
];

#[test]
fn names_are_joined_as_a_person_joins_them() -> Result<(), Error> {
    let catalog = Catalog::snapshot()?;
    let identities = Identities::of(catalog.checkpoints.iter().map(|row| row.id.as_str()));
    // Two spellings of one checkpoint's id count as the same answer.
    let same = |one: &str, other: &str| super::key_of(one) == super::key_of(other);
    let (mut right, mut missed, mut wrong) = (0, Vec::new(), Vec::new());
    for (name, organisation, wanted) in BY_HAND {
        let (bare, _) = mode_of(name);
        match identities.of_name(bare, organisation) {
            Joined::To(id, _) if !wanted.is_empty() && same(&id, wanted) => right += 1,
            Joined::To(id, _) => wrong.push((name, id)),
            Joined::Several(_) | Joined::Unknown if wanted.is_empty() => right += 1,
            Joined::Several(_) | Joined::Unknown => missed.push(name),
        }
    }
    assert!(wrong.is_empty(), "a false join is worse than none: {wrong:?}");
    // Measured on the compiled-in catalog: the remaining ones are not in it, or are kept separate.
    assert!(
        right * 100 >= BY_HAND.len() * 90,
        "{right} of {}: missed {missed:?}",
        BY_HAND.len()
    );
    Ok(())
}

#[test]
fn ids_of_boards_are_one_by_case_and_by_renamed_owners_alone() {
    let ids = [
        "Qwen/Qwen3-8B",
        "Qwen/Qwen3-8B-Base",
        "CohereForAI/aya-expanse-8b",
        "a/Model-7b",
        "a/model-7B",
        "gpt2-xl",
        "GPT-4-0613",
        "meta-llama/Meta-Llama-3.1-8B",
    ];
    let identities = Identities::of(ids.into_iter());
    let to = |id: &str, rule| Joined::To(id.to_owned(), rule);
    assert_eq!(identities.of_id("Qwen/Qwen3-8B"), to("Qwen/Qwen3-8B", "same"));
    assert_eq!(
        identities.of_id("qwen/qwen3-8b-base"),
        to("Qwen/Qwen3-8B-Base", "case")
    );
    assert_eq!(
        identities.of_id("CohereLabs/aya-expanse-8b"),
        to("CohereForAI/aya-expanse-8b", "owner_renamed")
    );
    assert_eq!(
        identities.of_id("meta-llama/Llama-3.1-8B"),
        to("meta-llama/Meta-Llama-3.1-8B", "case")
    );
    // Two fit, so none is taken.
    assert!(matches!(identities.of_id("a/MODEL-7b"), Joined::Several(ids) if ids.len() == 2));
    // A tuned checkpoint's name must not match the base, and a closed model is no checkpoint.
    assert_eq!(identities.of_id("Qwen/Qwen3-8B-Instruct"), Joined::Unknown);
    assert_eq!(identities.of_name("gpt-4-0613", "OpenAI"), Joined::Unknown);
    assert_eq!(identities.of_name("GPT2-XL", "OpenAI"), to("gpt2-xl", "name"));
    assert_eq!(identities.of_name("Qwen3-8B", ANY), to("Qwen/Qwen3-8B", "name"));
    assert_eq!(identities.apart(), [["a/Model-7b", "a/model-7B"]]);
}

#[test]
fn a_mode_is_a_way_to_run_and_no_part_of_the_name() {
    let cases = [
        ("gpt-oss-120b_high", "gpt-oss-120b", Some("effort high")),
        ("DeepSeek-V3.1_thinking", "DeepSeek-V3.1", Some("thinking")),
        ("QwQ-32B (16K thinking)", "QwQ-32B", Some("16K thinking")),
        ("Qwen/Qwen3-8B#no-thinking", "Qwen/Qwen3-8B", Some("no-thinking")),
        (
            "TildeAI/TildeOpen-30b#slow-tokenizer",
            "TildeAI/TildeOpen-30b",
            Some("slow-tokenizer"),
        ),
        ("Qwen2.5-Coder (32B)", "Qwen2.5-Coder (32B)", None),
        ("Qwen3-4B-Thinking-2507", "Qwen3-4B-Thinking-2507", None),
    ];
    for (name, bare, mode) in cases {
        assert_eq!(mode_of(name), (bare, mode.map(str::to_owned)), "{name}");
    }
}
