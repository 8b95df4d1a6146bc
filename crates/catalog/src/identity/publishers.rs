//! Publishers and their accounts on the Hub: which accounts belong together, and the names by which people know them.

/// Accounts in lower case that were renamed or belong to the same publisher, and the canonical account.
const RENAMED: [(&str, &str); 4] = [
    ("cohereforai", "coherelabs"),
    ("thudm", "zai-org"),
    ("openai-community", ""),
    ("wizardlmteam", "wizardlm"),
];

/// The canonical account for `owner`, which must be in lower case.
pub(super) fn canonical(owner: &str) -> &str {
    RENAMED
        .iter()
        .find(|(account, _)| *account == owner)
        .map_or(owner, |(_, canonical)| canonical)
}

/// Names of publishers and their accounts; an empty account stands for the Hub's own old models without an owner.
const PUBLISHERS: [(&str, &[&str]); 56] = [
    ("01.AI", &["01-ai"]),
    ("AI21 Labs", &["ai21labs"]),
    ("Alibaba", &["Qwen"]),
    ("Allen Institute for AI", &["allenai"]),
    ("Apple", &["apple"]),
    ("Arcee AI", &["arcee-ai"]),
    ("Baichuan", &["baichuan-inc"]),
    ("BigCode", &["bigcode"]),
    ("BigScience", &["bigscience"]),
    ("ByteDance", &["ByteDance-Seed"]),
    ("Cerebras Systems", &["cerebras"]),
    ("Cohere", &["CohereLabs"]),
    ("Cohere for AI", &["CohereLabs"]),
    ("Cohere Labs", &["CohereLabs"]),
    ("CyberAgent", &["cyberagent"]),
    ("Databricks", &["databricks"]),
    ("DeepSeek", &["deepseek-ai"]),
    ("EleutherAI", &["EleutherAI"]),
    ("Facebook AI Research", &["facebook", "meta-llama"]),
    ("Google", &["google"]),
    ("Google DeepMind", &["google"]),
    ("Google Research", &["google"]),
    ("Hugging Face", &["HuggingFaceTB", "bigcode", "bigscience"]),
    ("IBM", &["ibm-granite"]),
    ("IBM Research", &["ibm-granite"]),
    ("Inception", &["inceptionai"]),
    ("Kunlun Inc.", &["Skywork"]),
    ("LG AI Research", &["LGAI-EXAONE"]),
    ("Large Model Systems Organization", &["lmsys"]),
    ("Liquid", &["LiquidAI"]),
    ("Meta", &["meta-llama", "facebook"]),
    ("Meta AI", &["meta-llama", "facebook"]),
    ("Microsoft", &["microsoft"]),
    ("Microsoft Research", &["microsoft"]),
    ("MiniMax", &["MiniMaxAI"]),
    ("Mistral AI", &["mistralai"]),
    ("ModelBest", &["openbmb"]),
    ("Moonshot", &["moonshotai"]),
    ("MosaicML", &["mosaicml"]),
    ("NVIDIA", &["nvidia"]),
    ("Nous Research", &["NousResearch"]),
    ("OpenAI", &["openai", ""]),
    ("Reka AI", &["RekaAI"]),
    ("Salesforce", &["Salesforce"]),
    ("ServiceNow", &["bigcode", "ServiceNow-AI"]),
    ("Shanghai AI Lab", &["internlm", "OpenGVLab"]),
    ("Snowflake", &["Snowflake"]),
    ("Stability AI", &["stabilityai"]),
    ("Stockmark", &["stockmark"]),
    ("Swiss AI Initiative", &["swiss-ai"]),
    ("Technology Innovation Institute", &["tiiuae"]),
    ("Tencent", &["tencent"]),
    ("Together", &["togethercomputer"]),
    ("Upstage", &["upstage"]),
    ("XVERSE Technology", &["xverse"]),
    ("xAI", &["xai-org"]),
];

/// Publishers whose name is written with an addition in brackets, by its beginning.
const BEGINS: [(&str, &[&str]); 2] = [("Z.ai", &["zai-org"]), ("Zhipu AI", &["zai-org"])];

/// Stands for any of the publishers known here, where a source names no organisation.
pub(crate) const ANY: &str = "*";

/// The accounts of an organisation as people write it; empty where it is not known.
pub(super) fn accounts(organisation: &str) -> Vec<&'static str> {
    if organisation == ANY {
        // NousResearch republishes other publishers' checkpoints beside its own.
        let mut all: Vec<&str> = PUBLISHERS
            .iter()
            .flat_map(|(_, accounts)| *accounts)
            .copied()
            .filter(|account| *account != "NousResearch")
            .collect();
        all.sort_unstable();
        all.dedup();
        return all;
    }
    let exact = PUBLISHERS
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(organisation));
    let found = exact
        .map(|(_, accounts)| *accounts)
        .or_else(|| {
            let begins = BEGINS.iter().find(|(start, _)| organisation.starts_with(start));
            begins.map(|(_, accounts)| *accounts)
        })
        .unwrap_or_default();
    found.to_vec()
}
