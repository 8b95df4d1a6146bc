//! Sizes and words in the names of checkpoints.

/// A size stated in a name.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Stated {
    /// Billions of parameters: `7b`, `350m`, `1B5`.
    Dense(f64),
    /// Number of experts, and billions of parameters of one: `8x7b`.
    Mixture(i64, f64),
}

/// Least size, in billions, that a number of millions can be: `1M` and less is a context length.
const LEAST_MILLIONS: f64 = 0.01;

/// Sizes that a name states, in the order in which they occur. Not counted are the organisation's part, context lengths
/// (`8k`, `1M`), bits (`16bit`), counts of tokens (`100B-tokens`, `33B1000B`) and sizes of the active part (`A3B`,
/// `E4B`, `17B-16E`). Beside billions, millions are a context length or a number of steps and are not counted either.
pub(crate) fn sizes(id: &str) -> Vec<Stated> {
    let all = every_size(id);
    let billions = all.iter().any(|&(_, in_billions)| in_billions);
    all.into_iter()
        .filter(|&(_, in_billions)| in_billions || !billions)
        .map(|(stated, _)| stated)
        .collect()
}

/// Every size in a name, and whether it is stated in billions.
fn every_size(id: &str) -> Vec<(Stated, bool)> {
    let name = id.rsplit('/').next().unwrap_or(id).to_ascii_lowercase();
    let bytes = name.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_digit()
            || (at > 0 && (bytes[at - 1].is_ascii_digit() || bytes[at - 1] == b'.'))
        {
            at += 1;
            continue;
        }
        let (mut number, mut end) = number(&name, at);
        // `1_5b` is 1.5, but `v1_7b` is 7.
        if bytes.get(end) == Some(&b'_') && end == at + 1 && (at == 0 || bytes[at - 1] == b'-') {
            let (tenths, stop) = self::number(&name, end + 1);
            if stop == end + 2 && unit(&name[stop..]) == Some(1.0) {
                (number, end) = (number + tenths / 10.0, stop);
            }
        }
        // `1p5b`.
        if bytes.get(end) == Some(&b'p')
            && end == at + 1
            && bytes.get(end + 1).is_some_and(u8::is_ascii_digit)
        {
            let (tenths, stop) = self::number(&name, end + 1);
            if stop == end + 2 && unit(&name[stop..]) == Some(1.0) {
                (number, end) = (number + tenths / 10.0, stop);
            }
        }
        let rest = &name[end..];
        if let Some(after) = rest.strip_prefix('x')
            && after.starts_with(|c: char| c.is_ascii_digit())
        {
            let (one, stop) = self::number(&name, end + 1);
            if let Some(scale) = unit(&name[stop..])
                && (1.0..=256.0).contains(&number)
                && number.fract() == 0.0
            {
                found.push((Stated::Mixture(number as i64, one * scale), scale >= 1.0));
                at = stop + 1;
                continue;
            }
        } else if let Some(scale) = unit(rest) {
            // `7b` in `7bx2`, `7b-x2`: the number of experts follows the size.
            let after = rest[1..].trim_start_matches('-');
            if let Some(experts) = after
                .strip_prefix('x')
                .filter(|t| t.starts_with(|c: char| c.is_ascii_digit()))
            {
                let (experts, _) = self::number(experts, 0);
                if (2.0..=64.0).contains(&experts) {
                    found.push((Stated::Mixture(experts as i64, number * scale), scale >= 1.0));
                    at = end + 1;
                    continue;
                }
            }
            let billions = number * scale;
            let in_use = at > 0 && matches!(bytes[at - 1], b'a' | b'e') && before_is_mark(bytes, at - 1);
            let least = if scale >= 1.0 { 0.0005 } else { LEAST_MILLIONS };
            let is_size = !in_use && !counts_tokens(&name[..at], &rest[1..]) && !counts_experts(&rest[1..]);
            if (least..=4_000.0).contains(&billions) && is_size {
                found.push((Stated::Dense(billions), scale >= 1.0));
            }
            at = end + 1;
            continue;
        }
        at = end.max(at + 1);
    }
    found
}

/// The separators between words of a name.
const MARKS: [char; 3] = ['-', '_', ' '];

/// Whether the text around a number and its unit says that tokens are counted: `100B-tokens`, `tokens84B`, or the
/// second of two numbers without a separator, `33B1000B`.
fn counts_tokens(before: &str, after: &str) -> bool {
    let runs_on = before
        .strip_suffix('b')
        .is_some_and(|number| number.ends_with(|c: char| c.is_ascii_digit()));
    after.trim_start_matches(MARKS).starts_with("token") || before.ends_with("tokens") || runs_on
}

/// Whether a number of experts follows, so that the size is that of the active parameters: `17B-16E`.
fn counts_experts(after: &str) -> bool {
    let rest = after.trim_start_matches(MARKS);
    let end = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    end.len() < rest.len()
        && end
            .strip_prefix('e')
            .is_some_and(|end| !end.starts_with(|c: char| c.is_ascii_alphanumeric()))
}

fn before_is_mark(bytes: &[u8], at: usize) -> bool {
    at == 0 || !bytes[at - 1].is_ascii_alphanumeric()
}

/// The number that starts at byte `at`, and the byte where it ends.
fn number(name: &str, at: usize) -> (f64, usize) {
    let bytes = name.as_bytes();
    let mut end = at;
    while end < bytes.len()
        && (bytes[end].is_ascii_digit()
            || (bytes[end] == b'.' && bytes.get(end + 1).is_some_and(u8::is_ascii_digit)))
    {
        end += 1;
    }
    (
        name.get(at..end)
            .and_then(|digits| digits.parse().ok())
            .unwrap_or(0.0),
        end,
    )
}

/// The unit in billions, where `rest` starts with a complete unit (`7b`, `7b-chat`, `7bv2`, but not `7bit`); `None`
/// otherwise.
fn unit(rest: &str) -> Option<f64> {
    let scale = match rest.as_bytes().first()? {
        b'b' => 1.0,
        b'm' => 1e-3,
        _ => return None,
    };
    let next = &rest[1..];
    let ends = next.is_empty()
        || !next.starts_with(|c: char| c.is_ascii_alphanumeric())
        || next.starts_with('x')
        || runs_into_tokens(next)
        || (scale == 1.0
            && [
                "v1", "v2", "v3", "x", "chat", "instruct", "code", "base", "sft", "dpo", "rp", "moe", "gguf",
                "gptq", "awq", "hf", "slerp", "merge",
            ]
            .iter()
            .any(|word| next.starts_with(word)));
    ends.then_some(scale)
}

/// Whether a number of tokens follows without a separator, in billions or trillions: the rest of `33B1000B`, `7b2t`.
fn runs_into_tokens(rest: &str) -> bool {
    let end = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    end.len() < rest.len()
        && end
            .strip_prefix(['b', 't'])
            .is_some_and(|end| !end.starts_with(|c: char| c.is_ascii_alphanumeric()))
}

/// Words of names that say how a checkpoint was tuned, merged or stored, not what it was made from.
const GENERIC: [&str; 56] = [
    "instruct",
    "chat",
    "base",
    "model",
    "models",
    "merge",
    "merged",
    "slerp",
    "ties",
    "dare",
    "della",
    "linear",
    "stock",
    "moe",
    "dpo",
    "sft",
    "orpo",
    "kto",
    "ppo",
    "grpo",
    "rlhf",
    "lora",
    "qlora",
    "peft",
    "gptq",
    "awq",
    "gguf",
    "bnb",
    "bit",
    "fp",
    "bf",
    "hf",
    "it",
    "ft",
    "finetune",
    "finetuned",
    "tuned",
    "code",
    "coder",
    "math",
    "test",
    "new",
    "full",
    "epoch",
    "epochs",
    "step",
    "steps",
    "checkpoint",
    "preview",
    "beta",
    "alpha",
    "uncensored",
    "abliterated",
    "reasoning",
    "large",
    "small",
];

/// Whether a word from [`words`] can name what a checkpoint was made from.
pub(crate) fn names_a_base(word: &str) -> bool {
    let letters = word.trim_end_matches(|letter: char| !letter.is_ascii_alphabetic());
    word.len() >= 2 && !word.starts_with(['@', '=', '~', '#']) && !GENERIC.contains(&letters)
}

/// Whether a text contains any of `marks`.
pub(crate) fn holds(text: &str, marks: &[&str]) -> bool {
    let bytes = text.as_bytes();
    (0..bytes.len()).any(|at| marks.iter().any(|mark| bytes[at..].starts_with(mark.as_bytes())))
}

/// Words of a name: runs of letters, runs of letters with the number that follows (`llama-2` and `llama2` both give
/// `llama2`), and the organisation (`@org`).
pub(crate) fn words(id: &str) -> Vec<String> {
    let lower = id.to_ascii_lowercase();
    let (organisation, name) = lower.split_once('/').unwrap_or(("", &lower));
    let mut words = Vec::new();
    if !organisation.is_empty() {
        words.push(format!("@{organisation}"));
    }
    let bytes = name.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_alphabetic() {
            at += 1;
            continue;
        }
        let start = at;
        while at < bytes.len() && bytes[at].is_ascii_alphabetic() {
            at += 1;
        }
        let word = &name[start..at];
        if word.len() >= 2 {
            words.push(word.to_owned());
            let skip = usize::from(bytes.get(at).is_some_and(|&b| matches!(b, b'-' | b'_')));
            if bytes.get(at + skip).is_some_and(u8::is_ascii_digit) {
                let (_, end) = number(name, at + skip);
                if unit(&name[end..]).is_none() {
                    words.push(format!("{word}{}", &name[at + skip..end]));
                }
            }
        }
    }
    words.sort();
    words.dedup();
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_in_names() {
        let dense = |value| vec![Stated::Dense(value)];
        assert_eq!(sizes("meta-llama/Llama-2-13b-hf"), dense(13.0));
        assert_eq!(sizes("x/Llama2_7B_v3"), dense(7.0));
        assert_eq!(sizes("x/opt125m_10e5"), dense(0.125));
        assert_eq!(sizes("x/SOLAR-10.7B-v1.0"), dense(10.7));
        assert_eq!(
            sizes("mistralai/Mixtral-8x7B-v0.1"),
            vec![Stated::Mixture(8, 7.0)]
        );
        assert_eq!(sizes("x/Minueza-32Mx2-Chat"), vec![Stated::Mixture(2, 0.032)]);
        assert_eq!(sizes("Qwen/Qwen3-30B-A3B"), dense(30.0));
        assert_eq!(sizes("x/phi-3-mini-4k-instruct-bnb-4bit"), vec![]);
        assert_eq!(sizes("70b-org/name"), vec![]);
        assert_eq!(sizes("x/日本語7b"), dense(7.0));
    }

    #[test]
    fn bits_contexts_steps_and_tokens_are_no_sizes() {
        let dense = |value| vec![Stated::Dense(value)];
        for id in [
            "x/tune_merged_16bit",
            "x/tune-4bit",
            "x/tune-8k",
            "x/tune-128k",
            "x/tune-1M",
            "x/tune-100B-tokens",
            "x/tune-A3B",
            "x/tune-E4B-it",
            "meta-llama/Llama-4-Scout-17B-16E-Instruct",
            "x/tune-tokens84B",
        ] {
            assert_eq!(sizes(id), vec![], "{id}");
        }
        assert_eq!(sizes("x/tune-7B-Instruct-1M-merged_16bit"), dense(7.0));
        assert_eq!(sizes("x/tune-14b-step-800m"), dense(14.0));
        assert_eq!(sizes("x/tune-125m-8k"), dense(0.125));
        assert_eq!(sizes("LumiOpen/Viking-33B1000B"), dense(33.0));
        assert_eq!(sizes("x/tune-7b2t"), dense(7.0));
        assert_eq!(sizes("x/movie-qwen1p5b-merged"), dense(1.5));
        assert_eq!(sizes("x/Mix-2x7bRP-v8"), vec![Stated::Mixture(2, 7.0)]);
        assert_eq!(sizes("x/tune-7b-16exp"), dense(7.0));
    }

    #[test]
    fn words_in_names() {
        assert_eq!(words("Org/Llama-2-13b-chat"), ["@org", "chat", "llama", "llama2"]);
        assert_eq!(words("x/Qwen2.5-7B"), ["@x", "qwen", "qwen2.5"]);
        assert_eq!(words("gpt2"), ["gpt", "gpt2"]);
    }
}
