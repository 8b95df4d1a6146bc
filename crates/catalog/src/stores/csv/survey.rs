//! Reads a CSV file from beginning to end, for its header and the kinds of cells in each column.

use std::cell::Cell;
use std::io::{self, Cursor, Read};
use std::rc::Rc;

use bytes::{Buf, Bytes};
use csv::ByteRecord;
use tokio::sync::mpsc::Receiver;

use super::kinds::{Kinds, is_number};
use super::names;
use crate::error::{Error, cut};

/// The bytes of a file in order, for a thread that may block.
pub(super) type CsvSource = Box<dyn Read + Send>;

/// Number of bytes within which the header must end.
const HEADER: u64 = 1 << 20;
/// Greatest size in bytes of a record; a longer one has a quote that is never closed.
const RECORD: u64 = 256 << 20;
/// Possible delimiters; of equally frequent ones the first is chosen.
const DELIMITERS: [u8; 3] = [b',', b';', b'\t'];

/// The result for one file.
#[derive(Debug)]
pub(crate) struct CsvSurvey {
    /// Name of the file, for errors.
    pub(crate) file: String,
    /// The delimiter between cells.
    pub(crate) delimiter: u8,
    /// The columns in order.
    pub(crate) columns: Vec<CsvColumn>,
}

/// The result for one column.
#[derive(Debug)]
pub(crate) struct CsvColumn {
    /// Name of the column.
    pub(crate) name: String,
    /// The kinds of its cells.
    pub(super) kinds: Kinds,
    /// Number of cells that are numbers.
    pub(crate) numbers: u64,
    /// Number of cells that are neither numbers nor empty.
    pub(crate) others: u64,
    /// The first of the latter, with its line from 1.
    pub(crate) other: Option<(u64, String)>,
}

impl CsvSurvey {
    /// Reads a file; `delimiter` is that of its table, or `None` for the table's first file, whose header then
    /// determines it.
    pub(super) fn of(mut source: CsvSource, file: String, delimiter: Option<u8>) -> Result<Self, Error> {
        let failed = |error: io::Error| Error::Io {
            path: file.clone().into(),
            source: error,
        };
        let mut start = Vec::new();
        (&mut source)
            .take(HEADER)
            .read_to_end(&mut start)
            .map_err(failed)?;
        let delimiter = delimiter.unwrap_or_else(|| delimiter_of(&start, &file));
        let since = Rc::new(Cell::new(0));
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .from_reader(Bounded {
                inner: Read::chain(Cursor::new(start), source),
                since: since.clone(),
            });
        let mut record = ByteRecord::new();
        let mut columns: Vec<CsvColumn> = Vec::new();
        let mut rows = 0_u64;
        loop {
            since.set(0);
            let line = reader.position().line();
            match reader.read_byte_record(&mut record) {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    return Err(match error.into_kind() {
                        csv::ErrorKind::Io(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                            Error::BadRow {
                                file,
                                row: rows.saturating_sub(1),
                                line,
                                message: error.to_string(),
                            }
                        }
                        csv::ErrorKind::Io(error) => failed(error),
                        other => Error::Shape {
                            file,
                            message: format!("{other:?}"),
                        },
                    });
                }
            }
            // Blank lines before a record do not belong to it.
            let line = record.position().map_or(line, csv::Position::line);
            if columns.is_empty() {
                columns = header(&record, &file, line)?;
                continue;
            }
            add(&mut columns, &record, &file, rows, line)?;
            rows += 1;
        }
        if columns.is_empty() {
            return Err(Error::Empty { file });
        }
        Ok(Self {
            file,
            delimiter,
            columns,
        })
    }
}

fn header(record: &ByteRecord, file: &str, line: u64) -> Result<Vec<CsvColumn>, Error> {
    let cells: Result<Vec<String>, Error> = record
        .iter()
        .enumerate()
        .map(|(place, cell)| {
            let text = std::str::from_utf8(cell).map_err(|error| Error::NotUtf8 {
                file: file.to_owned(),
                row: 0,
                line,
                column: (place + 1).to_string(),
                valid_up_to: error.valid_up_to(),
            })?;
            Ok(text.to_owned())
        })
        .collect();
    let names = names(&cells?, file)?;
    let column = |name| CsvColumn {
        name,
        kinds: Kinds::default(),
        numbers: 0,
        others: 0,
        other: None,
    };
    Ok(names.into_iter().map(column).collect())
}

fn add(columns: &mut [CsvColumn], record: &ByteRecord, file: &str, row: u64, line: u64) -> Result<(), Error> {
    if record.len() != columns.len() {
        return Err(Error::BadRow {
            file: file.to_owned(),
            row,
            line,
            message: format!(
                "it has {} cells, and the header names {} columns",
                record.len(),
                columns.len()
            ),
        });
    }
    let mut line = line;
    for (column, cell) in columns.iter_mut().zip(record) {
        let text = std::str::from_utf8(cell).map_err(|error| Error::NotUtf8 {
            file: file.to_owned(),
            row,
            line,
            column: column.name.clone(),
            valid_up_to: error.valid_up_to(),
        })?;
        if text.is_empty() {
            continue;
        }
        column.kinds.add(text);
        if is_number(text) {
            column.numbers += 1;
        } else {
            column.others += 1;
            column.other.get_or_insert_with(|| (line, cut(text)));
        }
        line += text.matches('\n').count() as u64;
    }
    Ok(())
}

/// The most frequent delimiter in a header outside quotes; a tab where the file's name implies it.
fn delimiter_of(start: &[u8], file: &str) -> u8 {
    let mut counts = [0_usize; DELIMITERS.len()];
    let mut quoted = false;
    let mut seen = false;
    for byte in start {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' | b'\r' if !quoted && seen => break,
            _ if quoted => {}
            _ => {
                if let Some(place) = DELIMITERS.iter().position(|delimiter| delimiter == byte) {
                    counts[place] += 1;
                }
            }
        }
        seen |= !byte.is_ascii_whitespace();
    }
    let (tabs, promised) = (counts[2] > 0, file.to_ascii_lowercase().ends_with(".tsv"));
    if tabs && promised {
        return b'\t';
    }
    let most = (0..counts.len()).rev().max_by_key(|place| counts[*place]);
    DELIMITERS[most.unwrap_or(0)]
}

/// A reader that fails when a record is too long.
struct Bounded<R> {
    inner: R,
    since: Rc<Cell<u64>>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.since.get() > RECORD {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                format!("the record does not end within {RECORD} bytes: is a quote not closed?"),
            ));
        }
        let read = self.inner.read(buffer)?;
        self.since.set(self.since.get() + read as u64);
        Ok(read)
    }
}

/// The blocks of an object as they arrive; `None` marks the end.
pub(super) struct Parts {
    receiver: Receiver<object_store::Result<Option<Bytes>>>,
    block: Bytes,
    over: bool,
}

impl From<Receiver<object_store::Result<Option<Bytes>>>> for Parts {
    fn from(receiver: Receiver<object_store::Result<Option<Bytes>>>) -> Self {
        Self {
            receiver,
            block: Bytes::new(),
            over: false,
        }
    }
}

impl Read for Parts {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.block.is_empty() && !self.over {
            match self.receiver.blocking_recv() {
                Some(Ok(Some(block))) => self.block = block,
                Some(Ok(None)) => self.over = true,
                Some(Err(error)) => return Err(io::Error::other(error)),
                None => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
        let taken = self.block.len().min(buffer.len());
        self.block.copy_to_slice(&mut buffer[..taken]);
        Ok(taken)
    }
}
