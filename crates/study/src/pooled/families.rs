//! Families by name: checkpoints that share data and training recipe.

/// Each family with the strings that mark its names, after removing hyphens, underscores and spaces; the first match
/// counts.
#[rustfmt::skip]
const FAMILIES: [(&str, &[&str]); 62] = [
    ("llama-3.2", &["llama3.2"]), ("llama-3.3", &["llama3.3"]), ("llama-3.1", &["llama3.1", "tulu3"]),
    ("llama-3", &["llama3", "llama.3"]), ("codellama", &["codellama"]),
    ("llama-2", &["llama2", "vicuna", "tigerbot", "mythomax", "platypus2", "stablebeluga", "orcaminiv3", "orca2", "airorosl2"]),
    ("mixtral", &["mixtral", "x7b", "x22b"]), ("nemotron", &["nemotron", "minitron"]), ("mistral-nemo", &["nemo"]),
    ("mistral-small", &["mistralsmall", "codestral", "devstral", "magistral"]),
    ("qwen3", &["qwen3"]), ("qwen2.5", &["qwen2.5", "qwen25", "qwq", "r1distillqwen"]), ("qwen2", &["qwen2"]),
    ("qwen1.5", &["qwen1.5"]), ("qwen1", &["qwen"]),
    ("gemma-3", &["gemma3"]), ("gemma-2", &["gemma2"]), ("gemma-1", &["gemma"]),
    ("yi-1.5", &["yi1.5"]), ("yi", &["/yi6b", "/yi9b", "/yi34b", "/yi"]),
    ("phi-4", &["phi4"]), ("phi-3", &["phi3"]), ("phi-2", &["phi2", "phi1"]),
    ("falcon3", &["falcon3"]), ("falcon", &["falcon"]), ("pythia", &["pythia", "dolly"]), ("opt", &["/opt"]),
    ("bloom", &["bloom"]), ("cerebras", &["cerebras"]), ("gpt-neo", &["gptneo", "gptj"]), ("gpt2", &["gpt2"]),
    ("mpt", &["mpt"]), ("stablelm", &["stablelm"]), ("olmo-2", &["olmo2", "olmo0325", "olmo0425"]), ("olmo-3", &["olmo3"]),
    ("olmo", &["olmo"]), ("smollm3", &["smollm3"]), ("smollm2", &["smollm2"]), ("smollm", &["smollm"]),
    ("internlm2", &["internlm2"]), ("internlm", &["internlm"]), ("deepseek", &["deepseek"]), ("solar", &["solar"]),
    ("tinyllama", &["tinyllama"]), ("open_llama", &["openllama"]), ("redpajama", &["redpajama"]),
    ("granite-3", &["granite3"]), ("granite", &["granite"]), ("starcoder2", &["starcoder2"]),
    ("starcoder", &["starcoder", "santacoder"]), ("rwkv", &["rwkv"]), ("xglm", &["xglm"]), ("gpt-oss", &["gptoss"]),
    ("baichuan", &["baichuan"]), ("minicpm", &["minicpm"]), ("danube", &["danube"]), ("exaone", &["exaone"]),
    ("eurollm", &["eurollm"]), ("salamandra", &["salamandra"]), ("gpt-sw3", &["gptsw3"]),
    ("llama-1", &["llama", "alpaca", "guanaco", "wizardlm"]), ("mistral-7b", &["mistral", "zephyr", "openchat", "starling"]),
];

/// The family that a checkpoint's name indicates; `None` where no name matches.
pub fn family_of_name(id: &str) -> Option<&'static str> {
    let plain: String = format!("/{id}")
        .to_ascii_lowercase()
        .chars()
        .filter(|c| !matches!(c, '-' | '_' | ' '))
        .collect();
    let found = FAMILIES
        .iter()
        .find(|(_, marks)| marks.iter().any(|mark| plain.contains(mark)));
    found.map(|(family, _)| *family)
}
