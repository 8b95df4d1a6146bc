//! Architectures and scores as text in the wording of the literature, and scores parsed from generated text.

/// The benchmarks, in the order and under the names used in the literature.
pub const BENCHMARKS: [&str; 6] = ["ARC-C", "HellaSwag", "MMLU", "TruthfulQA", "WinoGrande", "GSM8K"];

/// A checkpoint's architecture, size and date.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the names are those of the structure's columns")]
pub struct Described {
    pub heads: u64,
    pub layers: u64,
    pub vocab_size: u64,
    pub pos: u64,
    /// Year, month and day.
    pub date: (u32, u32, u32),
    pub d_model: u64,
    pub d_ffn: u64,
    /// Billions of parameters.
    pub size: f64,
}

/// The prompt that asks for the scores of a checkpoint.
pub fn prompt(of: &Described) -> String {
    let (year, month, day) = of.date;
    format!(
        "You are an AI model expert. Analyze the model structure and predict performance metrics. Model Architecture: Num \
         attention heads: {}, Num hidden layers: {}, Vocab size: {}, Max position embeddings: {}, Year: {year}, Month: \
         {month}, Day: {day}, Model dimension: {}, FFN hidden dimension: {}, Model parameters: {:.3}B",
        of.heads, of.layers, of.vocab_size, of.pos, of.d_model, of.d_ffn, of.size
    )
}

/// The response to be learned, with scores in points (0 to 100), in the order of [`BENCHMARKS`].
pub fn answer(scores: &[f64; 6]) -> String {
    let each: Vec<String> = BENCHMARKS
        .iter()
        .zip(scores)
        .map(|(name, score)| format!("{name}: {score:.2}"))
        .collect();
    format!("\nPrediction: {}", each.join(", "))
}

/// Parses the scores in a generated answer, in points; `None` unless all six are present and between 0 and 100.
pub fn parse(text: &str) -> Option<[f64; 6]> {
    let (_, rest) = text.split_once("Prediction:")?;
    let mut scores = [0.0; 6];
    let mut rest = rest;
    for (name, score) in BENCHMARKS.iter().zip(&mut scores) {
        rest = rest
            .trim_start_matches([' ', ','])
            .strip_prefix(name)?
            .strip_prefix(':')?
            .trim_start();
        let end = rest
            .find(|c: char| !(c.is_ascii_digit() || c == '.'))
            .unwrap_or(rest.len());
        *score = rest[..end].trim_end_matches('.').parse().ok()?;
        rest = &rest[end..];
        if !(0.0..=100.0).contains(score) {
            return None;
        }
    }
    Some(scores)
}

#[cfg(test)]
mod tests {
    use super::{Described, answer, parse, prompt};

    #[test]
    fn the_prompt_is_that_of_the_literature_and_answers_are_read_back() {
        let mistral = Described {
            heads: 32,
            layers: 32,
            vocab_size: 32000,
            pos: 32768,
            date: (2024, 1, 3),
            d_model: 4096,
            d_ffn: 14336,
            size: 7.0,
        };
        assert_eq!(
            prompt(&mistral),
            "You are an AI model expert. Analyze the model structure and predict performance metrics. Model Architecture: \
             Num attention heads: 32, Num hidden layers: 32, Vocab size: 32000, Max position embeddings: 32768, Year: 2024, \
             Month: 1, Day: 3, Model dimension: 4096, FFN hidden dimension: 14336, Model parameters: 7.000B"
        );
        let scores = [55.2, 78.22, 50.0, 40.64, 73.5, 1.82];
        assert_eq!(parse(&answer(&scores)), Some(scores));
        assert_eq!(parse(&(answer(&scores) + ".\nMore")), Some(scores));
        for broken in [
            "",
            "Prediction: ARC-C: 55.20",
            "Prediction: ARC-C: x, HellaSwag: 78.22, MMLU: 1, TruthfulQA: 1, WinoGrande: 1, GSM8K: 1",
            "Prediction: ARC-C: 155, HellaSwag: 78.22, MMLU: 1, TruthfulQA: 1, WinoGrande: 1, GSM8K: 1",
            "Prediction: HellaSwag: 78.22, ARC-C: 55, MMLU: 1, TruthfulQA: 1, WinoGrande: 1, GSM8K: 1",
        ] {
            assert_eq!(parse(broken), None, "{broken}");
        }
    }
}
