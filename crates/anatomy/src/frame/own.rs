//! Reads a user's table, CSV in the spreadsheet conventions of any country or Parquet, into numeric and text columns.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Read};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, anyhow, bail};
use catalog::answer::Values;

use super::other::OtherCells;

/// Possible separators, the preferred first where several are equally frequent in the first line.
const SEPARATORS: [u8; 3] = [b',', b';', b'\t'];

/// Cells that stand for a missing value in any case (upper or lower), as written by pandas and R.
const ABSENT: [&str; 11] = [
    "nan", "na", "n/a", "<na>", "#n/a", "null", "none", "-nan", "-", "\u{2013}", "?",
];

/// The columns of a file, in their order.
pub(super) struct Own {
    pub(super) columns: Vec<(String, Values)>,
    /// For each text column, its non-numeric cells.
    pub(super) not_numbers: NotNumbers,
    /// Name of the source in messages.
    pub(super) place: String,
    pub(super) sha256: String,
}

/// Argument that stands for standard input.
const STANDARD_INPUT: &str = "-";

/// Content of standard input, read once and cached, since a question may read its data repeatedly.
fn standard_input() -> Result<Vec<u8>> {
    static READ: Mutex<Option<Vec<u8>>> = Mutex::new(None);
    if crate::progress::is_watched() {
        bail!("standard input is not this question's to read: give the data as a file");
    }
    let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(bytes) = &*read {
        return Ok(bytes.clone());
    }
    let mut input = std::io::stdin();
    if input.is_terminal() {
        bail!(
            "`-` reads the data from standard input, and that is a terminal: pipe a CSV file into it, or name the file"
        );
    }
    let mut all = Vec::new();
    input
        .read_to_end(&mut all)
        .context("cannot read the data from standard input")?;
    *read = Some(all.clone());
    Ok(all)
}

/// Reads a table from a local file, an object store or standard input.
///
/// # Errors
/// The source cannot be read or is not a table; the message names it and says what to do.
pub(super) fn read(path: &Path) -> Result<Own> {
    let ends_in = |end: &str| path.extension().is_some_and(|e| e.eq_ignore_ascii_case(end));
    let (bytes, place) = if path.as_os_str() == STANDARD_INPUT {
        (standard_input()?, "standard input".to_owned())
    } else {
        let bytes = catalog::stores::read(path)
            .with_context(|| format!("cannot read the data {}", path.display()))?;
        (Vec::from(bytes), path.display().to_string())
    };
    let sha256 = catalog::sha256(&bytes);
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"\xd0\xcf\x11\xe0") {
        bail!("{place} is a spreadsheet workbook: save the sheet as CSV UTF-8 and give that file");
    }
    if bytes.starts_with(b"\x1f\x8b") || bytes.starts_with(b"\x28\xb5\x2f\xfd") || bytes.starts_with(b"BZh") {
        bail!("{place} is packed: unpack it first, and give the CSV, TSV or Parquet file that is in it");
    }
    if ends_in("parquet") || bytes.starts_with(b"PAR1") {
        let columns = catalog::answer::read_parquet(&place, bytes)?.columns()?;
        let is_empty = columns.iter().all(|(_, values)| match values {
            Values::Numbers(cells) => cells.is_empty(),
            Values::Text(cells) => cells.is_empty(),
        });
        if is_empty {
            bail!("{place} has columns and no row");
        }
        return Ok(Own {
            columns,
            not_numbers: BTreeMap::new(),
            place,
            sha256,
        });
    }
    let is_json = ["json", "jsonl", "ndjson"].into_iter().any(ends_in);
    if is_json || looks_like_json(&bytes) {
        bail!(
            "{place} is JSON, which is not read as data: give a table as CSV, TSV or Parquet (of JSON lines in a file named .json, \
             `anatomy query \"select * from 'FILE.json'\" --parquet FILE.parquet` makes one)"
        );
    }
    let (columns, not_numbers) = table(&bytes, &place)?;
    Ok(Own {
        columns,
        not_numbers,
        place,
        sha256,
    })
}

type Columns = Vec<(String, Values)>;
/// For each text column, its non-numeric cells.
type NotNumbers = BTreeMap<String, OtherCells>;

/// Whether the bytes start with a JSON object, or a list of objects, instead of column names.
fn looks_like_json(bytes: &[u8]) -> bool {
    let start = bytes
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(bytes)
        .trim_ascii_start();
    let of_list = start.strip_prefix(b"[").map(<[u8]>::trim_ascii_start);
    let object = of_list.unwrap_or(start).strip_prefix(b"{");
    object.is_some_and(|inside| inside.trim_ascii_start().starts_with(b"\""))
}

/// Parses the bytes of a CSV file.
fn table(bytes: &[u8], place: &str) -> Result<(Columns, NotNumbers)> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
        let line = before.matches('\n').count() + 1;
        anyhow!(
            "{place}, line {line}: not UTF-8 after byte {}: save the file as UTF-8 (in a spreadsheet: CSV UTF-8)",
            error.valid_up_to()
        )
    })?;
    let text = text.trim_start_matches('\u{feff}');
    let separator = separator(text);
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator)
        .from_reader(text.as_bytes());
    let mut names: Vec<String> = Vec::new();
    let mut cells: Vec<Vec<(u64, String)>> = Vec::new();
    for record in reader.records() {
        let record = record.with_context(|| format!("cannot read {place}"))?;
        let line = record.position().map_or(0, csv::Position::line);
        if names.is_empty() {
            names = header(&record, place)?;
            cells = vec![Vec::new(); names.len()];
            continue;
        }
        // Spreadsheets may end lines with separators of empty columns.
        let beyond = record
            .iter()
            .skip(names.len())
            .any(|cell| !cell.trim().is_empty());
        if record.len() < names.len() || beyond {
            bail!(
                "{place}, line {line}: {} cells, {} columns in the header; cells are divided by {}",
                record.len(),
                names.len(),
                name(separator)
            );
        }
        for (column, cell) in cells.iter_mut().zip(&record) {
            column.push((line, cell.trim().to_owned()));
        }
    }
    if names.is_empty() {
        bail!("{place} is empty: its first line must name the columns");
    }
    if cells.iter().all(Vec::is_empty) {
        bail!("{place} has a header and no row below it");
    }
    let mut not_numbers = BTreeMap::new();
    let columns = names
        .into_iter()
        .zip(cells)
        .map(|(name, cells)| {
            let (values, other) = typed(cells, separator != b',');
            not_numbers.extend(other.map(|other| (name.clone(), other)));
            (name, values)
        })
        .collect();
    Ok((columns, not_numbers))
}

/// The most frequent separator in the first line, outside quotes.
fn separator(text: &str) -> u8 {
    let (mut quoted, mut counts) = (false, [0_usize; SEPARATORS.len()]);
    for byte in text.bytes() {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => break,
            byte if !quoted => {
                if let Some(place) = SEPARATORS.iter().position(|&separator| separator == byte) {
                    counts[place] += 1;
                }
            }
            _ => {}
        }
    }
    let most = counts.iter().max().copied().unwrap_or(0);
    let place = counts.iter().position(|&count| count == most).unwrap_or(0);
    SEPARATORS[place]
}

fn name(separator: u8) -> &'static str {
    match separator {
        b';' => "semicolons",
        b'\t' => "tabs",
        _ => "commas",
    }
}

/// Trimmed column names, without empty ones at the end. Fails on duplicates.
fn header(record: &csv::StringRecord, place: &str) -> Result<Vec<String>> {
    let mut names: Vec<String> = record.iter().map(|name| name.trim().to_owned()).collect();
    while names.len() > 1 && names.last().is_some_and(String::is_empty) {
        names.pop();
    }
    for (at, name) in names.iter().enumerate() {
        if let Some(first) = names[..at].iter().position(|other| other == name) {
            bail!(
                "{place}: columns {} and {} are both named `{name}`: rename one of them in the first line",
                first + 1,
                at + 1
            );
        }
    }
    Ok(names)
}

/// A numeric column if every cell is a number or empty ([`ABSENT`] counts as empty), else text with the non-numeric
/// cells. With a separator other than a comma, the column may use decimal commas throughout.
fn typed(cells: Vec<(u64, String)>, may_be_decimal: bool) -> (Values, Option<OtherCells>) {
    let is_empty = |cell: &str| cell.is_empty() || ABSENT.iter().any(|word| cell.eq_ignore_ascii_case(word));
    let number = |cell: &str| cell.parse::<f64>().ok().filter(|value| value.is_finite());
    let all = |read: &dyn Fn(&str) -> Option<f64>| {
        cells
            .iter()
            .map(|(_, cell)| match read(cell) {
                Some(value) => Some(Some(value)),
                None => is_empty(cell).then_some(None),
            })
            .collect::<Option<Vec<Option<f64>>>>()
    };
    if let Some(numbers) = all(&number) {
        return (Values::Numbers(numbers), None);
    }
    let with_comma = |cell: &str| {
        let one = !cell.contains('.') && cell.bytes().filter(|&byte| byte == b',').count() <= 1;
        number(&cell.replace(',', ".")).filter(|_| one)
    };
    if may_be_decimal && let Some(numbers) = all(&with_comma) {
        return (Values::Numbers(numbers), None);
    }
    let is_number = |cell: &str| number(cell).is_some() || may_be_decimal && with_comma(cell).is_some();
    let others: Vec<&(u64, String)> = cells
        .iter()
        .filter(|(_, cell)| !is_empty(cell) && !is_number(cell))
        .collect();
    // All cells are numbers, but with mixed decimal signs: the column counts as text.
    let others = if others.is_empty() {
        cells
            .iter()
            .filter(|(_, cell)| !is_empty(cell) && number(cell).is_none())
            .collect()
    } else {
        others
    };
    let n_cells = cells.iter().filter(|(_, cell)| !is_empty(cell)).count();
    let other = OtherCells::of(n_cells, &others);
    let text = |(_, cell): (u64, String)| (!is_empty(&cell)).then_some(cell);
    (Values::Text(cells.into_iter().map(text).collect()), other)
}

/// Converts a text column of dates (`2024-05-31`, to days since 1970-01-01) or of yes and no (to 1 and 0); `None` where
/// the non-empty cells are not all of one kind.
pub(super) fn days_or_flags(cells: &[Option<String>]) -> Option<Vec<Option<f64>>> {
    let flag = |cell: &str| match cell.to_ascii_lowercase().as_str() {
        "true" | "yes" => Some(1.0),
        "false" | "no" => Some(0.0),
        _ => None,
    };
    let day = |cell: &str| catalog::day_of_text(cell.get(..10).unwrap_or(cell)).map(f64::from);
    let all = |read: &dyn Fn(&str) -> Option<f64>| {
        let read = cells.iter().map(|cell| match cell {
            None => Some(None),
            Some(cell) => read(cell).map(Some),
        });
        read.collect::<Option<Vec<_>>>()
    };
    if cells.iter().all(Option::is_none) {
        return None;
    }
    all(&flag).or_else(|| all(&day))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<(Columns, NotNumbers)> {
        table(text.as_bytes(), "own.csv")
    }

    fn numbers(values: &Values) -> Vec<f64> {
        match values {
            Values::Numbers(cells) => cells.iter().flatten().copied().collect(),
            Values::Text(cells) => panic!("text: {cells:?}"),
        }
    }

    #[test]
    fn tables_of_every_country_hold_the_same_numbers() {
        for text in [
            "a,b\n1,2391.9\n2,\n",
            "a, b\n1, 2391.9\n2, \n",
            "a;b\n1;2391.9\n2;\n",
            "a;b\n1;2391,9\n2;\n",
            "a\tb\n1\t2391,9\n2\t\n",
            "\u{feff}a,b,,\n1,2391.9,,\n2,,,\n",
            "\"a\",\"b\"\r\n\"1\",\"2391.9\"\r\n2,nan\r\n",
            "a,b\n1,2391.9\n2,NA\n",
            "a,b\n1,2391.9\n2,<NA>\n",
            "a,b\n1,2391.9\n2,-\n",
            "a,b\n1,2391.9\n2,None\n",
        ] {
            let (columns, other) = of(text).expect(text);
            assert_eq!(columns[0].0, "a", "{text}");
            assert_eq!(columns[1].0, "b", "{text}");
            assert_eq!(numbers(&columns[0].1), [1.0, 2.0], "{text}");
            assert_eq!(numbers(&columns[1].1), [2391.9], "{text}");
            assert!(other.is_empty());
        }
    }

    #[test]
    fn what_is_no_number_is_named_with_its_line() {
        let (columns, other) = of("a,b\n1,\"2,391.9\"\n2,5\n").expect("a table");
        assert!(matches!(columns[1].1, Values::Text(_)));
        let first = |other: &NotNumbers, name: &str| other.get(name).and_then(|cells| cells.first().cloned());
        assert_eq!(first(&other, "b"), Some((2, "2,391.9".to_owned())));
        let (_, other) = of("a,name\n1,\n2,south\n").expect("a table");
        assert_eq!(first(&other, "name"), Some((3, "south".to_owned())));
        assert_eq!(other.get("a"), None);
        // Where there is a point as well, a comma separates thousands.
        let (columns, _) = of("a;b\n1;2.391,9\n2;5\n").expect("a table");
        assert!(matches!(columns[1].1, Values::Text(_)));
    }

    #[test]
    fn a_few_words_among_numbers_are_named_one_by_one() {
        let said = |cells: &[&str]| {
            let text = format!("\n1;{}", cells.join("\n1;"));
            let (_, other) = of(&format!("a;b{text}\n")).expect("a table");
            other.get("b").map(OtherCells::words)
        };
        assert_eq!(
            said(&["1", "n.d.", "42 points", "3", "4"]).as_deref(),
            Some(
                "2 of its 5 cells are no numbers: \"n.d.\" (line 3), \"42 points\" (line 4); leave them empty or make them numbers"
            )
        );
        assert_eq!(
            said(&["1,5", "x", "2,5"]).as_deref(),
            Some("1 of its 3 cells is no number: \"x\" (line 3); leave it empty or make it a number")
        );
        let many = said(&["1", "a", "b", "c", "d", "2", "", "NA"]).unwrap_or_default();
        assert!(
            many.starts_with(
                "4 of its 6 cells are no numbers: \"a\" (line 3), \"b\" (line 4), \"c\" (line 5) and 1 more; "
            ),
            "{many}"
        );
        let thousands = said(&["5.668.477", "3.000", "1.000"]).unwrap_or_default();
        assert!(
            thousands.contains("; write it as 5668477, and so all cells"),
            "{thousands}"
        );
        let words = said(&["north", "south"]).unwrap_or_default();
        assert!(
            words.starts_with(
                "none of its 2 cells is a number, the first is \"north\" (line 2); a column of words"
            ),
            "{words}"
        );
        assert!(said(&["1,5", "2.5"]).is_some_and(|said| said.contains("write it as 1.5")));
        assert_eq!(said(&["1", "2"]), None);
    }

    #[test]
    fn what_is_json_is_known_by_its_start() {
        for json in ["{\"a\": 1}", " [ {\"a\": 1}]", "\u{feff}{ \"a\":1}"] {
            assert!(looks_like_json(json.as_bytes()), "{json}");
        }
        for table in ["a,b\n1,2\n", "[a],b\n", "{a},b\n", ""] {
            assert!(!looks_like_json(table.as_bytes()), "{table}");
        }
    }

    #[test]
    fn days_and_flags_are_numbers() {
        let cells = |texts: &[&str]| -> Vec<Option<String>> {
            texts
                .iter()
                .map(|text| (!text.is_empty()).then(|| (*text).to_owned()))
                .collect()
        };
        assert_eq!(
            days_or_flags(&cells(&["1970-01-02", "", "1971-01-01"])),
            Some(vec![Some(1.0), None, Some(365.0)])
        );
        assert_eq!(
            days_or_flags(&cells(&["True", "no"])),
            Some(vec![Some(1.0), Some(0.0)])
        );
        assert_eq!(days_or_flags(&cells(&["north", "no"])), None);
        assert_eq!(days_or_flags(&cells(&["", ""])), None);
    }

    #[test]
    fn what_is_no_table_is_refused_with_its_place() {
        let said = |text: &[u8]| table(text, "own.csv").err().map(|error| error.to_string());
        assert!(
            said(b"a,y,y\n1,2,3\n").is_some_and(|text| text.contains("columns 2 and 3 are both named `y`"))
        );
        assert!(said(b"a,b\n1\n").is_some_and(|text| text.contains("line 2: 1 cells, 2 columns")));
        assert!(said(b"a,b\n1,2\n\xe9,3\n").is_some_and(|text| text.contains("line 3: not UTF-8")));
        assert!(said(b"").is_some_and(|text| text.contains("is empty")));
        assert_eq!(
            said(b"a,b\n").as_deref(),
            Some("own.csv has a header and no row below it")
        );
    }
}
