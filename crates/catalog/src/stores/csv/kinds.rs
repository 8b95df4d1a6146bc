//! Classifies the cells of a column, and determines the type that fits all of them.
//!
//! A cell is classified by what the engine will make of it: each kind is tested with the engine's own parser, so that
//! no cell accepted here fails when rows are read.

use arrow::array::timezone::Tz;
use arrow::compute::kernels::cast_utils::{Parser, string_to_datetime};
use arrow::datatypes::{DataType, Date32Type, Float64Type, Int64Type, TimeUnit};

const TRUTH: u16 = 1;
const WHOLE: u16 = 1 << 1;
const REAL: u16 = 1 << 2;
const DAY: u16 = 1 << 3;
const SECOND: u16 = 1 << 4;
const MILLISECOND: u16 = 1 << 5;
const MICROSECOND: u16 = 1 << 6;
const NANOSECOND: u16 = 1 << 7;
const TEXT: u16 = 1 << 8;
/// A time outside the range of 64-bit nanoseconds.
const FAR: u16 = 1 << 9;

const TIMES: u16 = DAY | SECOND | MILLISECOND | MICROSECOND | NANOSECOND | FAR;

/// The set of kinds of cells that a column holds, ignoring empty cells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Kinds(u16);

impl Kinds {
    /// Adds the kind of a non-empty cell.
    pub(super) fn add(&mut self, cell: &str) {
        self.0 |= kind(cell);
    }

    /// Adds all kinds of another column.
    pub(super) fn join(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// The type that fits every cell; null where there are no cells.
    pub(super) fn data_type(self) -> DataType {
        let only = |kinds: u16| self.0 & !kinds == 0;
        let time = |unit| DataType::Timestamp(unit, None);
        let has = |kind: u16| self.0 & kind != 0;
        match self.0 {
            0 => DataType::Null,
            TRUTH => DataType::Boolean,
            WHOLE => DataType::Int64,
            DAY => DataType::Date32,
            _ if only(WHOLE | REAL) => DataType::Float64,
            _ if only(TIMES) && has(NANOSECOND) && has(FAR) => DataType::Utf8,
            _ if only(TIMES) && has(NANOSECOND) => time(TimeUnit::Nanosecond),
            _ if only(TIMES) && has(MICROSECOND) => time(TimeUnit::Microsecond),
            _ if only(TIMES) && has(MILLISECOND) => time(TimeUnit::Millisecond),
            _ if only(TIMES) && has(SECOND) => time(TimeUnit::Second),
            _ if only(DAY | FAR) => DataType::Date32,
            _ => DataType::Utf8,
        }
    }
}

/// Whether a cell is a number that fits into 64 bits.
pub(super) fn is_number(cell: &str) -> bool {
    kind(cell) & (WHOLE | REAL) != 0
}

fn kind(cell: &str) -> u16 {
    let digits = cell.strip_prefix('-').unwrap_or(cell);
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        // An integer that does not fit into 64 bits is an identifier, not a measurement: rounding would change it.
        return if Int64Type::parse(cell).is_some() {
            WHOLE
        } else {
            TEXT
        };
    }
    if is_real(cell) {
        return REAL;
    }
    if cell.eq_ignore_ascii_case("true") || cell.eq_ignore_ascii_case("false") {
        return TRUTH;
    }
    time(cell).unwrap_or(TEXT)
}

/// Whether a cell is a float: `1.5`, `.5`, `-1e-3`, or a word for NaN or infinity.
fn is_real(cell: &str) -> bool {
    let looks = cell.starts_with(|first: char| first.is_ascii_digit() || first == '-' || first == '.')
        && cell
            .bytes()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+' | b'e' | b'E'));
    (looks || matches!(cell, "NaN" | "nan" | "inf" | "-inf")) && Float64Type::parse(cell).is_some()
}

/// The kind of a date or time: `2024-05-01`, `2024-05-01 12:00:00`, `2024-05-01T12:00:00.123Z`.
fn time(cell: &str) -> Option<u16> {
    let bytes = cell.as_bytes();
    let is_like = |form: &[u8], bytes: &[u8]| {
        form.iter().zip(bytes).all(|(form, byte)| match form {
            b'0' => byte.is_ascii_digit(),
            b'T' => matches!(byte, b'T' | b' '),
            _ => form == byte,
        })
    };
    let (date, whole) = (b"0000-00-00", b"0000-00-00T00:00:00");
    if bytes.len() == date.len() && is_like(date, bytes) {
        return Date32Type::parse(cell).map(|_| DAY);
    }
    if bytes.len() < whole.len() || !is_like(whole, bytes) {
        return None;
    }
    let rest = &bytes[whole.len()..];
    let fraction = match rest.split_first() {
        Some((b'.', rest)) => rest.iter().take_while(|byte| byte.is_ascii_digit()).count(),
        _ => 0,
    };
    let utc: Tz = "+00:00".parse().ok()?;
    let time = string_to_datetime(&utc, cell).ok()?;
    let kind = match fraction {
        0 => SECOND,
        1..=3 => MILLISECOND,
        4..=6 => MICROSECOND,
        7..=9 => NANOSECOND,
        _ => return None,
    };
    Some(match time.timestamp_nanos_opt() {
        Some(_) => kind,
        None => kind | FAR,
    })
}
