//! Columns of the tables: name, type, unit and meaning, and how each is read from and written to a row struct.

use crate::tables::{ResolvedBy, Training};

/// Version of the tables' schema, in every file and in the manifest.
pub const SCHEMA_VERSION: u32 = 3;

/// Names of the catalog's own tables, in the order in which the help lists them.
pub const TABLES: [&str; 12] = [
    "checkpoints",
    "structures",
    "provenance",
    "evaluations",
    "scores",
    "items",
    "interventions",
    "duplicates",
    "conflicts",
    "rejects",
    "resolution",
    "sources",
];

/// Type of a column's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8 text.
    Text,
    /// 64-bit signed integer.
    Int,
    /// 64-bit floating point.
    Float,
    /// True or false.
    Bool,
    /// Days since 1970-01-01 (`Date32`).
    Day,
    /// Milliseconds since 1970-01-01T00:00:00Z (`Timestamp(ms, UTC)`).
    Millis,
}

/// One cell on its way between a row struct and a column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// Absent.
    Null,
    /// Text.
    Text(&'a str),
    /// Integer, day or millisecond.
    Int(i64),
    /// Floating point.
    Float(f64),
    /// True or false.
    Bool(bool),
}

/// A column of the table whose rows have type `R`.
pub struct Column<R: 'static> {
    /// Name in Parquet and SQL.
    pub name: &'static str,
    /// Unit, empty where there is none.
    pub unit: &'static str,
    /// Meaning, in one sentence.
    pub meaning: &'static str,
    /// Type of its values.
    pub kind: Kind,
    /// Whether it may be absent.
    pub nullable: bool,
    pub(crate) get: for<'a> fn(&'a R) -> Value<'a>,
    pub(crate) set: fn(&mut R, Value<'_>) -> bool,
}

/// A struct that is a row of one of the catalog's tables.
pub trait Row: Send + Default + Clone + 'static {
    /// Name of the table.
    const TABLE: &'static str;
    /// Columns in the order of the file.
    fn columns() -> &'static [Column<Self>];
}

/// The type of a field, converted to and from a cell. `set` returns false where the value does not fit.
pub(crate) trait Cell {
    const NULLABLE: bool = false;
    fn get(&self) -> Value<'_>;
    fn set(&mut self, value: Value<'_>) -> bool;
}

macro_rules! cell {
    ($type:ty, $variant:ident, |$s:ident| $get:expr, |$v:ident| $set:expr) => {
        impl Cell for $type {
            fn get(&self) -> Value<'_> {
                let $s = self;
                Value::$variant($get)
            }
            fn set(&mut self, value: Value<'_>) -> bool {
                let Value::$variant($v) = value else {
                    return false;
                };
                let read: Option<$type> = $set;
                let Some(read) = read else { return false };
                *self = read;
                true
            }
        }
    };
}
cell!(String, Text, |s| s.as_str(), |v| Some(v.to_owned()));
cell!(i64, Int, |s| *s, |v| Some(v));
cell!(i32, Int, |s| i64::from(*s), |v| i32::try_from(v).ok());
cell!(u64, Int, |s| i64::try_from(*s).unwrap_or(i64::MAX), |v| {
    u64::try_from(v).ok()
});
cell!(f64, Float, |s| *s, |v| Some(v));
cell!(bool, Bool, |s| *s, |v| Some(v));
cell!(Training, Text, |s| s.as_str(), |v| Training::from_name(v));
cell!(ResolvedBy, Text, |s| s.as_str(), |v| ResolvedBy::from_name(v));

impl<T: Cell + Default> Cell for Option<T> {
    const NULLABLE: bool = true;
    fn get(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Null, Cell::get)
    }
    fn set(&mut self, value: Value<'_>) -> bool {
        if value == Value::Null {
            *self = None;
            return true;
        }
        let mut inner = T::default();
        let fits = inner.set(value);
        *self = Some(inner);
        fits
    }
}

/// Whether the field that `_get` projects may be absent.
pub(crate) const fn nullable<R, T: Cell>(_get: fn(&R) -> &T) -> bool {
    T::NULLABLE
}

/// Declares the columns of a table: `field: Kind "unit" "meaning"`.
macro_rules! table {
    ($row:ty, $name:literal, { $($field:ident: $kind:ident $unit:literal $meaning:literal,)* }) => {
        impl $crate::schema::Row for $row {
            const TABLE: &'static str = $name;
            fn columns() -> &'static [$crate::schema::Column<Self>] {
                const COLUMNS: &[$crate::schema::Column<$row>] = &[$($crate::schema::Column {
                    name: stringify!($field),
                    unit: $unit,
                    meaning: $meaning,
                    kind: $crate::schema::Kind::$kind,
                    nullable: $crate::schema::nullable(|row: &$row| &row.$field),
                    get: |row| $crate::schema::Cell::get(&row.$field),
                    set: |row, value| $crate::schema::Cell::set(&mut row.$field, value),
                }),*];
                COLUMNS
            }
        }
    };
}
pub(crate) use table;
