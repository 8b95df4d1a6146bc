//! Renders numbers and tables as plain text: aligned columns, decimals chosen per column, optionally a maximum width.

use study::section::{Cell, Table};

/// Text columns are never cut below this width, in characters.
const LEAST: usize = 12;
/// Spaces between two columns.
const GAP: usize = 2;

/// Renders a table as aligned text. With a `width`, the widest text columns are truncated (`…`); where that is not
/// enough, columns are dropped from the right and named in a last line.
pub(crate) fn text(table: &Table, width: Option<usize>) -> String {
    let (header, rows) = cells(table);
    let n = header.len();
    let numeric: Vec<bool> = (0..n).map(|column| is_numeric(table, column)).collect();
    let natural: Vec<usize> = (0..n)
        .map(|column| {
            let of_rows = rows
                .iter()
                .filter_map(|row| row.get(column))
                .map(|text| letters(text));
            of_rows.chain([letters(&header[column])]).max().unwrap_or(0)
        })
        .collect();
    let (widths, shown) = fitted(&natural, &numeric, width);
    let mut text = String::new();
    for row in std::iter::once(&header).chain(&rows) {
        let mut line = String::new();
        for column in 0..shown {
            let cell = cut(row.get(column).map_or("", String::as_str), widths[column]);
            let gap = " ".repeat(widths[column].saturating_sub(letters(&cell)));
            if column > 0 {
                line.push_str(&" ".repeat(GAP));
            }
            if numeric[column] {
                line.push_str(&gap);
                line.push_str(&cell);
            } else {
                line.push_str(&cell);
                line.push_str(&gap);
            }
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    if shown < n {
        let left_out = header[shown..].join(", ");
        let line = format!("({} more columns: {left_out}; --wide shows all)\n", n - shown);
        text.push_str(&line);
    }
    text
}

fn letters(text: &str) -> usize {
    text.chars().count()
}

fn cut(text: &str, width: usize) -> String {
    if letters(text) <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// Widths of the columns in characters, and how many columns (from the left) are shown.
fn fitted(natural: &[usize], numeric: &[bool], width: Option<usize>) -> (Vec<usize>, usize) {
    let mut widths = natural.to_vec();
    let Some(width) = width else {
        return (widths, natural.len());
    };
    let total = |widths: &[usize]| widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1);
    let mut shown = widths.len();
    loop {
        while total(&widths[..shown]) > width {
            let longest = (0..shown)
                .filter(|&column| !numeric[column] && widths[column] > LEAST)
                .max_by_key(|&column| widths[column]);
            let Some(column) = longest else { break };
            let over = total(&widths[..shown]) - width;
            widths[column] = widths[column]
                .saturating_sub(over)
                .max(LEAST.max(widths[column] / 2));
        }
        if total(&widths[..shown]) <= width || shown <= 1 {
            return (widths, shown);
        }
        shown -= 1;
        widths = natural.to_vec();
    }
}

fn is_numeric(table: &Table, column: usize) -> bool {
    table
        .rows
        .iter()
        .all(|row| !matches!(row.get(column), Some(Cell::Text(_))))
}

/// Column names and rows as text; numbers in one column share a number of decimals.
fn cells(table: &Table) -> (Vec<String>, Vec<Vec<String>>) {
    let decimals: Vec<Option<usize>> = (0..table.columns.len())
        .map(|column| decimals(table, column))
        .collect();
    let rows = table.rows.iter().map(|row| {
        row.iter()
            .enumerate()
            .map(
                |(column, one)| match (one, decimals.get(column).copied().flatten()) {
                    (Cell::Number(value), Some(decimals)) if value.is_finite() => {
                        format!("{value:.decimals$}")
                    }
                    (other, _) => cell(other),
                },
            )
            .collect()
    });
    (table.columns.clone(), rows.collect())
}

/// Number of decimals for a column, such that its largest value has four significant figures. `None`: each number is
/// formatted by itself, because all are integers, some would round to 0, or the largest lies outside [0.001, 10 000).
fn decimals(table: &Table, column: usize) -> Option<usize> {
    let numbers: Vec<f64> = table
        .rows
        .iter()
        .filter_map(|row| match row.get(column) {
            Some(Cell::Number(value)) if value.is_finite() => Some(value.abs()),
            _ => None,
        })
        .collect();
    let largest = numbers.iter().copied().fold(0.0, f64::max);
    let smallest = numbers
        .iter()
        .copied()
        .filter(|&value| value > 0.0)
        .fold(f64::INFINITY, f64::min);
    if numbers.iter().all(|value| value.fract() == 0.0) || !(0.001..10_000.0).contains(&largest) {
        return None;
    }
    let decimals =
        3_usize.saturating_sub(largest.log10().floor().max(0.0) as usize) + usize::from(largest < 1.0);
    // If one number would be shown as 0, the whole column keeps its own formatting.
    (smallest >= 0.5 * 10_f64.powi(-(decimals as i32))).then_some(decimals)
}

/// Formats a number for display: integers in full, others with four significant digits.
pub(crate) fn number(value: f64) -> String {
    if !value.is_finite() {
        return "–".into();
    }
    let size = value.abs();
    if value == value.trunc() && size < 1e15 {
        return grouped(value);
    }
    if size >= 1000.0 {
        return grouped(value.round());
    }
    if size < 1e-4 {
        return format!("{value:.2e}");
    }
    let digits = (3 - size.log10().floor() as i32).clamp(0, 6) as usize;
    format!("{value:.digits$}")
}

/// Groups the digits by thousands with a thin space, from five digits on.
fn grouped(value: f64) -> String {
    let plain = format!("{value:.0}");
    let (sign, digits) = plain
        .strip_prefix('-')
        .map_or(("", plain.as_str()), |digits| ("−", digits));
    if digits.len() < 5 {
        return format!("{sign}{digits}");
    }
    let mut text = String::from(sign);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// Splits a text into its first sentence and the rest.
pub(crate) fn first_sentence(text: &str) -> (&str, &str) {
    let mut from = 0;
    while let Some(at) = text[from..].find(". ") {
        let end = from + at + 1;
        let rest = text[end..].trim_start();
        if rest.starts_with(|first: char| first.is_uppercase()) && end > 20 {
            return (&text[..end], rest);
        }
        from = end;
    }
    (text, "")
}

/// Formats a cell for display.
pub(crate) fn cell(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => text.clone(),
        Cell::Number(value) => number(*value),
        Cell::Missing => "–".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(columns: &[&str], rows: Vec<Vec<Cell>>) -> Table {
        Table {
            columns: columns.iter().map(ToString::to_string).collect(),
            rows,
            ..Table::default()
        }
    }

    #[test]
    fn numbers_of_a_column_have_as_many_decimals() {
        let shown = text(
            &table(
                &["what", "score", "n", "p"],
                vec![
                    vec!["a".into(), 30.2.into(), 12_000.0.into(), 1.2e-9.into()],
                    vec!["b".into(), 8.904.into(), 7.0.into(), 0.04.into()],
                ],
            ),
            None,
        );
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines[1], "a     30.20  12\u{202f}000  1.20e-9");
        assert_eq!(lines[2], "b      8.90       7  0.04000");
    }

    #[test]
    fn a_terminal_cuts_the_longest_text_first_and_names_what_is_left_out() {
        let wide = table(
            &["checkpoint", "score", "why", "more", "last"],
            vec![vec![
                "organisation/a-checkpoint-of-some-length".into(),
                31.25.into(),
                "a long sentence that says why this one is the first of all of them here".into(),
                "another sentence that nobody needs".into(),
                1.0.into(),
            ]],
        );
        for width in [200, 120, 80, 60, 40, 10] {
            let shown = text(&wide, Some(width));
            let longest = shown
                .lines()
                .filter(|line| !line.starts_with('('))
                .map(letters)
                .max()
                .unwrap_or(0);
            assert!(longest <= width.max(LEAST), "{width}: {longest}\n{shown}");
            assert!(shown.contains("organisat") || width < 20);
        }
        let narrow = text(&wide, Some(40));
        assert!(
            narrow.contains("more columns: ") && narrow.contains("--wide"),
            "{narrow}"
        );
        assert!(!text(&wide, None).contains('…'));
    }
}
