//! Parses quantities with units and dates as users write them.

use anyhow::{Context, Result, bail};

/// Parses a quantity with a decimal or binary prefix: `24GB`, `24 GiB`, `936GB/s`, `142T`, `8k`, `16000000000`.
///
/// # Errors
/// The text is not a positive number, or has an unknown unit.
pub(crate) fn quantity(text: &str) -> Result<f64> {
    let trimmed = text.trim();
    let end = trimmed
        .find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '_'))
        .unwrap_or(trimmed.len());
    let number: Option<f64> = trimmed[..end].replace('_', "").parse().ok();
    let unit = trimmed[end..].trim().to_ascii_lowercase();
    let unit = unit
        .trim_end_matches("/s")
        .trim_end_matches("flops")
        .trim_end_matches("flop");
    let scale = match unit.trim_end_matches('b').trim() {
        "" => 1.0,
        "k" => 1e3,
        "m" => 1e6,
        "g" => 1e9,
        "t" => 1e12,
        "p" => 1e15,
        "ki" => 1024.0,
        "mi" => 1_048_576.0,
        "gi" => 1_073_741_824.0,
        "ti" => 1_099_511_627_776.0,
        _ => f64::NAN,
    };
    match number.map(|number| number * scale) {
        Some(value) if value.is_finite() && value > 0.0 => Ok(value),
        _ => bail!("`{text}` is not a quantity above zero like 24GB, 80GiB, 936GB/s or 142T"),
    }
}

/// Parses a date, `2024-05-31`, to days since 1970-01-01.
pub(crate) fn day(text: &str) -> Result<catalog::tables::Days> {
    catalog::day_of_text(text).with_context(|| format!("`{text}` is not a date like 2024-05-31"))
}

/// Amounts of memory below this many bytes are rejected as mistakes.
const LEAST_MEMORY: f64 = 1e6;

/// Parses an amount of memory to bytes: `24GB`, `7.5GiB`, `500M`; a number without a unit is in bytes.
///
/// # Errors
/// The text is not a quantity, or is less than a megabyte, as when its unit is missing.
pub(crate) fn memory(text: &str) -> Result<f64> {
    let bytes = quantity(text)?;
    if text.trim().ends_with(|c: char| c.is_ascii_digit()) && bytes < LEAST_MEMORY {
        bail!("`{text}` is an amount of memory without a unit: write {text}GB, or {text}GiB");
    }
    if bytes < LEAST_MEMORY {
        bail!("`{text}` is less than a megabyte of memory; write it like 24GB, 7.5GiB or 0.5TB");
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_has_a_unit() {
        assert_eq!(memory("24GB").ok(), Some(24e9));
        assert_eq!(memory("24 GiB").ok(), Some(24.0 * 1_073_741_824.0));
        assert_eq!(memory("16000000000").ok(), Some(16e9));
        let said = memory("24").expect_err("no unit").to_string();
        assert!(said.contains("write 24GB"), "{said}");
        assert!(memory("24kB").is_err());
        assert!(memory("GB").is_err());
    }
}
