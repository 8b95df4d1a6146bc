//! Reads files of a ZIP archive, the format of packed logs: the files listed in its directory, one at a time, each up
//! to a size limit.
//!
//! Sizes stated in an archive are never trusted: decompression stops at the limit, and positions outside the file are
//! an error.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Take};
use std::path::Path;

use crate::error::Error;

/// The first bytes of an archive.
pub(crate) const MAGIC: &[u8] = b"PK\x03\x04";
/// Bytes of the record that ends a directory, and the greatest length of the comment after it.
const END: u64 = 22;
const COMMENT: u64 = 65_535;
/// Greatest size in bytes of a directory; a log's is smaller.
const DIRECTORY: u64 = 256 << 20;

/// Compression method, compressed size and position of one file in the archive.
#[derive(Debug, Clone, Copy)]
struct Entry {
    method: u16,
    packed: u64,
    at: u64,
}

/// An open archive.
#[derive(Debug)]
pub(crate) struct Archive {
    file: File,
    name: String,
    entries: BTreeMap<String, Entry>,
}

/// The little-endian integer with `width` bytes at position `at`; `None` beyond the end.
fn number(bytes: &[u8], at: usize, width: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(width)?)?;
    Some(
        bytes
            .iter()
            .rev()
            .fold(0, |number, &byte| number << 8 | u64::from(byte)),
    )
}

impl Archive {
    /// Opens the archive at `path` and reads its directory; `name` is its name in errors.
    pub(crate) fn open(path: &Path, name: &str) -> Result<Self, Error> {
        let mut file = File::open(path).map_err(Error::io(path))?;
        let length = file.metadata().map_err(Error::io(path))?.len();
        let mut archive = Self {
            name: name.to_owned(),
            entries: BTreeMap::new(),
            file: file.try_clone().map_err(Error::io(path))?,
        };
        let tail = length.min(END + COMMENT + 20);
        file.seek(SeekFrom::Start(length - tail))
            .map_err(Error::io(path))?;
        let mut end = Vec::new();
        file.take(tail).read_to_end(&mut end).map_err(Error::io(path))?;
        let found = end.windows(4).rposition(|four| four == b"PK\x05\x06");
        let at = found.ok_or_else(|| {
            archive.broken("no end of central directory: the file is truncated, or not a zip archive")
        })?;
        let (mut count, mut size, mut start) = (
            number(&end, at + 10, 2).unwrap_or_default(),
            number(&end, at + 12, 4).unwrap_or_default(),
            number(&end, at + 16, 4).unwrap_or_default(),
        );
        if count == 0xffff || size == 0xffff_ffff || start == 0xffff_ffff {
            (count, size, start) = archive.large(&end, at, length)?;
        }
        if start.checked_add(size).is_none_or(|end| end > length) || size > DIRECTORY {
            return Err(archive.broken(&format!(
                "its directory would be {size} bytes from byte {start} on, and the file has {length}"
            )));
        }
        let directory = archive.part(start, size)?;
        let mut at = 0;
        for _ in 0..count {
            at = archive.entry(&directory, at, length)?;
        }
        Ok(archive)
    }

    /// Number of files, size and position of the directory in an archive that exceeds the limits of the original format
    /// (ZIP64).
    fn large(&mut self, end: &[u8], at: usize, length: u64) -> Result<(u64, u64, u64), Error> {
        let found = at
            .checked_sub(20)
            .filter(|&place| end.get(place..place + 4) == Some(b"PK\x06\x07"))
            .and_then(|place| number(end, place + 8, 8))
            .filter(|place| place.checked_add(56).is_some_and(|end| end <= length));
        let place =
            found.ok_or_else(|| self.broken("it claims to be of the large kind and names no directory"))?;
        let record = self.part(place, 56)?;
        let read = |at| number(&record, at, 8);
        if record.starts_with(b"PK\x06\x06")
            && let (Some(count), Some(size), Some(start)) = (read(32), read(40), read(48))
        {
            return Ok((count, size, start));
        }
        Err(self.broken("it claims to be of the large kind and has no such directory"))
    }

    fn entry(&mut self, directory: &[u8], at: usize, length: u64) -> Result<usize, Error> {
        let read = |offset, width| number(directory, at + offset, width);
        let all = (|| {
            if directory.get(at..at + 4)? != b"PK\x01\x02" {
                return None;
            }
            let (flags, method) = (read(8, 2)?, read(10, 2)? as u16);
            let (mut packed, unpacked, mut place) = (read(20, 4)?, read(24, 4)?, read(42, 4)?);
            let (name, extra, comment) = (
                read(28, 2)? as usize,
                read(30, 2)? as usize,
                read(32, 2)? as usize,
            );
            let text = directory.get(at + 46..at + 46 + name)?;
            let mut more = directory.get(at + 46 + name..at + 46 + name + extra)?;
            // Sizes and positions that do not fit into four bytes are in a separate field, only those needed and in
            // this order.
            while let (Some(kind), Some(size)) = (number(more, 0, 2), number(more, 2, 2)) {
                let field = more.get(4..4 + size as usize)?;
                if kind == 1 {
                    let mut wide = (0..).map(|which| number(field, which * 8, 8));
                    if unpacked == 0xffff_ffff {
                        wide.next();
                    }
                    if packed == 0xffff_ffff {
                        packed = wide.next()??;
                    }
                    if place == 0xffff_ffff {
                        place = wide.next()??;
                    }
                }
                more = &more[4 + size as usize..];
            }
            let next = at + 46 + name + extra + comment;
            let inside = place.checked_add(packed).is_some_and(|end| end <= length);
            let entry = Entry {
                method: if flags & 1 == 1 { u16::MAX } else { method },
                packed,
                at: place,
            };
            inside.then(|| (String::from_utf8_lossy(text).into_owned(), entry, next))
        })();
        let (name, entry, next) =
            all.ok_or_else(|| self.broken("its directory names what is not in the file"))?;
        self.entries.insert(name, entry);
        Ok(next)
    }

    /// Names of the files, sorted.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// The decompressed bytes of a file, at most `limit`; `None` where there is no file with that name.
    pub(crate) fn read(&mut self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, Error> {
        let Some(entry) = self.entries.get(name).copied() else {
            return Ok(None);
        };
        let header = self.part(entry.at, 30)?;
        let skip = (number(&header, 26, 2), number(&header, 28, 2));
        let (Some(named), Some(extra), true) = (skip.0, skip.1, header.starts_with(MAGIC)) else {
            return Err(self.broken(&format!("`{name}` is not where the central directory says")));
        };
        let packed = self.taken(entry.at + 30 + named + extra, entry.packed)?;
        let mut bytes = Vec::new();
        let unpacked = match entry.method {
            0 => packed.take(limit + 1).read_to_end(&mut bytes),
            8 => flate2::read::DeflateDecoder::new(packed)
                .take(limit + 1)
                .read_to_end(&mut bytes),
            93 => zstd::stream::read::Decoder::new(packed)
                .and_then(|decoder| decoder.take(limit + 1).read_to_end(&mut bytes)),
            u16::MAX => return Err(self.broken(&format!("`{name}` is encrypted"))),
            other => {
                return Err(self.broken(&format!(
                    "`{name}` is packed by method {other}; read are 0 (stored), 8 (deflate) and 93 (zstd)"
                )));
            }
        };
        unpacked.map_err(|error| self.broken(&format!("`{name}` cannot be unpacked: {error}")))?;
        if bytes.len() as u64 > limit {
            return Err(self.broken(&format!(
                "`{name}` unpacks to more than {limit} bytes, which no log's does"
            )));
        }
        Ok(Some(bytes))
    }

    fn taken(&mut self, at: u64, length: u64) -> Result<Take<&mut File>, Error> {
        if let Err(error) = self.file.seek(SeekFrom::Start(at)) {
            return Err(self.broken(&error.to_string()));
        }
        Ok((&mut self.file).take(length))
    }

    fn part(&mut self, at: u64, length: u64) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        let read = self.taken(at, length)?.read_to_end(&mut bytes);
        read.map_err(|error| self.broken(&error.to_string()))?;
        Ok(bytes)
    }

    fn broken(&self, what: &str) -> Error {
        Error::Shape {
            file: self.name.clone(),
            message: format!("a ZIP archive that cannot be read: {what}"),
        }
    }
}
