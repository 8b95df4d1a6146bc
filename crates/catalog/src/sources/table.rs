//! Reads a CSV or Parquet source as rows of text cells, without holding the whole file in memory. CSV is hashed while
//! it is read.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use csv::{ByteRecord, ReaderBuilder};
use flate2::read::MultiGzDecoder;
use sha2::{Digest, Sha256};

use crate::calendar;
use crate::config::fields::whole;
use crate::error::{Error, cut};
use crate::hash::hex;
use crate::sources::parquet_rows::ParquetRows;
use crate::tables::Days;

/// SHA-256 and number of the bytes read so far.
#[derive(Default)]
struct Tally {
    hash: Sha256,
    bytes: u64,
}

struct Hashing<R> {
    inner: R,
    tally: Arc<Mutex<Tally>>,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        if let Ok(mut tally) = self.tally.lock() {
            tally.hash.update(&buffer[..read]);
            tally.bytes += read as u64;
        }
        Ok(read)
    }
}

/// A table being read: CSV (plain or gzip) or Parquet.
pub(crate) struct Table {
    /// Path under the sources folder, for errors and rejects.
    pub(crate) file: String,
    /// Column names.
    pub(crate) headers: Vec<String>,
    path: PathBuf,
    reader: Reader,
    record: ByteRecord,
    /// Number of rows read.
    pub(crate) rows: u64,
}

enum Reader {
    Csv(csv::Reader<Box<dyn Read>>, Arc<Mutex<Tally>>),
    Parquet(ParquetRows),
}

impl Table {
    /// Opens `path` and reads its header. `file` is its name in errors and rejects.
    pub(crate) fn open(path: &Path, file: &str) -> Result<Self, Error> {
        let mut source = File::open(path).map_err(Error::io(path))?;
        let mut magic = Vec::with_capacity(4);
        source
            .by_ref()
            .take(4)
            .read_to_end(&mut magic)
            .map_err(Error::io(path))?;
        if magic.is_empty() {
            return Err(Error::Empty {
                file: file.to_owned(),
            });
        }
        if magic == *b"PAR1" || file.ends_with(".parquet") {
            let rows = ParquetRows::open(File::open(path).map_err(Error::io(path))?, file)?;
            return Ok(Self::new(path, file, rows.headers(), Reader::Parquet(rows)));
        }
        let is_gzip = magic.starts_with(&[0x1f, 0x8b]);
        let whole = std::io::Cursor::new(magic).chain(source);
        let tally = Arc::new(Mutex::new(Tally::default()));
        let hashing = BufReader::with_capacity(
            1 << 16,
            Hashing {
                inner: whole,
                tally: tally.clone(),
            },
        );
        let plain: Box<dyn Read> = if is_gzip {
            Box::new(MultiGzDecoder::new(hashing))
        } else {
            Box::new(hashing)
        };
        Self::of_reader(path, file, plain, tally)
    }

    /// A table from a CSV text that is compiled in.
    pub(crate) fn of_text(text: &'static str, file: &str) -> Result<Self, Error> {
        let tally = Arc::new(Mutex::new(Tally::default()));
        Self::of_reader(Path::new(file), file, Box::new(text.as_bytes()), tally)
    }

    fn of_reader(
        path: &Path,
        file: &str,
        plain: Box<dyn Read>,
        tally: Arc<Mutex<Tally>>,
    ) -> Result<Self, Error> {
        let mut reader = ReaderBuilder::new().buffer_capacity(1 << 16).from_reader(plain);
        let header = reader
            .byte_headers()
            .map_err(|error| row_error(file, &error, 0))?
            .clone();
        if header.iter().all(<[u8]>::is_empty) {
            return Err(Error::Empty {
                file: file.to_owned(),
            });
        }
        let headers = header
            .iter()
            .enumerate()
            .map(|(index, cell)| {
                text(cell, file, 0, 1, &format!("number {}", index + 1)).map(|t| t.trim().to_owned())
            })
            .collect::<Result<_, _>>()?;
        Ok(Self::new(path, file, headers, Reader::Csv(reader, tally)))
    }

    fn new(path: &Path, file: &str, headers: Vec<String>, reader: Reader) -> Self {
        Self {
            file: file.to_owned(),
            headers,
            path: path.to_owned(),
            reader,
            record: ByteRecord::new(),
            rows: 0,
        }
    }

    /// The index of column `name`.
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.headers.iter().position(|header| header == name)
    }

    /// The index of the first column among `names` that exists; an error if none does.
    pub(crate) fn need(&self, names: &[&str]) -> Result<usize, Error> {
        names
            .iter()
            .find_map(|name| self.find(name))
            .ok_or_else(|| Error::MissingColumn {
                file: self.file.clone(),
                column: names.first().copied().unwrap_or_default().to_owned(),
                present: cut(&self.headers.join(", ")),
            })
    }

    /// The next row; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Cells<'_>>, Error> {
        let row = self.rows;
        let more = match &mut self.reader {
            Reader::Csv(reader, _) => reader
                .read_byte_record(&mut self.record)
                .map_err(|error| row_error(&self.file, &error, row))?,
            Reader::Parquet(rows) => rows.next_into(&mut self.record, &self.file)?,
        };
        if !more {
            return Ok(None);
        }
        self.rows += 1;
        let line = self.record.position().map_or(0, csv::Position::line);
        Ok(Some(Cells {
            file: &self.file,
            headers: &self.headers,
            record: &self.record,
            row,
            line,
        }))
    }

    /// SHA-256 (hexadecimal) and size in bytes of the file; to be called after the last row.
    pub(crate) fn finish(self) -> Result<(String, u64), Error> {
        match self.reader {
            Reader::Csv(mut reader, tally) => {
                std::io::copy(reader.get_mut(), &mut std::io::sink()).map_err(Error::io(&self.path))?;
                let tally = tally
                    .lock()
                    .map(|tally| (hex(&tally.hash.clone().finalize()), tally.bytes));
                Ok(tally.unwrap_or_default())
            }
            Reader::Parquet(_) => {
                let bytes = std::fs::metadata(&self.path)
                    .map_err(Error::io(&self.path))?
                    .len();
                Ok((crate::hash::sha256_of(&self.path)?, bytes))
            }
        }
    }
}

/// One row's cells.
pub(crate) struct Cells<'a> {
    file: &'a str,
    headers: &'a [String],
    record: &'a ByteRecord,
    /// Index of the row, from 0.
    pub(crate) row: u64,
    line: u64,
}

/// Texts that tables print for missing values.
const ABSENT: [&str; 9] = ["", "-", "nan", "NaN", "None", "none", "null", "N/A", "n/a"];

impl<'a> Cells<'a> {
    /// The cell in column `index`, trimmed; `None` where the value is missing or there is no such column.
    pub(crate) fn text(&self, index: Option<usize>) -> Result<Option<&'a str>, Error> {
        let Some(index) = index else { return Ok(None) };
        let cell = self.record.get(index).unwrap_or_default();
        let cell = text(
            cell,
            self.file,
            self.row,
            self.line,
            &format!("`{}`", self.name(index)),
        )?
        .trim();
        Ok((!ABSENT.contains(&cell)).then_some(cell))
    }

    /// A finite number.
    pub(crate) fn float(&self, index: Option<usize>) -> Result<Option<f64>, Error> {
        self.parse(index, "a number", |cell| {
            cell.parse().ok().filter(|value: &f64| value.is_finite())
        })
    }

    /// An integer; `12.0` is accepted.
    pub(crate) fn int(&self, index: Option<usize>) -> Result<Option<i64>, Error> {
        self.parse(index, "a whole number", whole)
    }

    /// A Boolean: `True` or `False`, also as 1 or 0.
    pub(crate) fn bool(&self, index: Option<usize>) -> Result<Option<bool>, Error> {
        self.parse(index, "true or false", |cell| match cell {
            "True" | "true" | "TRUE" | "1" => Some(true),
            "False" | "false" | "FALSE" | "0" => Some(false),
            _ => None,
        })
    }

    /// The day of a date or timestamp.
    pub(crate) fn day(&self, index: Option<usize>) -> Result<Option<Days>, Error> {
        self.parse(
            index,
            "a date (2024-05-31, with or without a time)",
            calendar::day,
        )
    }

    /// The cell converted by `read`; [`Error::BadCell`] where `read` returns `None`.
    pub(crate) fn parse<T>(
        &self,
        index: Option<usize>,
        wanted: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        let Some(cell) = self.text(index)? else {
            return Ok(None);
        };
        match read(cell) {
            Some(value) => Ok(Some(value)),
            None => Err(Error::BadCell {
                file: self.file.to_owned(),
                row: self.row,
                line: self.line,
                column: self.name(index.unwrap_or_default()).to_owned(),
                value: cut(cell),
                wanted,
            }),
        }
    }

    fn name(&self, index: usize) -> &'a str {
        self.headers.get(index).map_or("", String::as_str)
    }
}

fn text<'a>(cell: &'a [u8], file: &str, row: u64, line: u64, column: &str) -> Result<&'a str, Error> {
    std::str::from_utf8(cell).map_err(|error| Error::NotUtf8 {
        file: file.to_owned(),
        row,
        line,
        column: column.to_owned(),
        valid_up_to: error.valid_up_to(),
    })
}

fn row_error(file: &str, error: &csv::Error, row: u64) -> Error {
    let line = error.position().map_or(0, csv::Position::line);
    Error::BadRow {
        file: file.to_owned(),
        row,
        line,
        message: error.to_string(),
    }
}
