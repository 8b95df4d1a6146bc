//! Writes a table to a file in a separate thread, so that compression runs while sources are read and resolved. The
//! bytes are the same as if written in one thread.

use std::fs::File;
use std::io::BufWriter;
use std::path::PathBuf;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use crate::error::Error;
use crate::parquet_file::TableWriter;
use crate::schema::Row;

/// Number of rows sent to the thread at a time.
const ROWS: usize = 4_096;
/// Number of batches of rows that may wait for the thread.
const WAITING: usize = 4;

/// A table being written.
pub(crate) struct Writing<R: Row> {
    sender: SyncSender<Vec<R>>,
    pending: Vec<R>,
    ended: Ended,
}

/// A table all of whose rows have been sent. Dropping it waits for its file, so that the folder is not removed while
/// the thread still writes there.
pub(crate) struct Ended {
    thread: Option<JoinHandle<Result<u64, Error>>>,
}

impl<R: Row> Writing<R> {
    /// Starts the file `path`; `level` is the compression level of zstd.
    pub(crate) fn start(path: PathBuf, level: i32) -> Result<Self, Error> {
        let file = BufWriter::new(File::create(&path).map_err(Error::io(&path))?);
        let mut writer = TableWriter::<R, _>::new(file, level)?;
        let (sender, parcels) = sync_channel::<Vec<R>>(WAITING);
        let thread = std::thread::spawn(move || {
            for parcel in parcels {
                parcel.into_iter().try_for_each(|row| writer.push(row))?;
            }
            let (rows, sink) = writer.finish()?;
            sink.into_inner()
                .map_err(|error| Error::io(&path)(error.into_error()))?;
            Ok(rows)
        });
        Ok(Self {
            sender,
            pending: Vec::new(),
            ended: Ended { thread: Some(thread) },
        })
    }

    /// Adds one row. Errors from writing earlier rows are returned here or by [`Ended::rows`].
    pub(crate) fn push(&mut self, row: R) -> Result<(), Error> {
        self.pending.push(row);
        if self.pending.len() < ROWS {
            return Ok(());
        }
        self.hand_over()
    }

    fn hand_over(&mut self) -> Result<(), Error> {
        match self.sender.send(std::mem::take(&mut self.pending)) {
            Ok(()) => Ok(()),
            // The thread ends early only where writing failed.
            Err(_) => self.ended.join().map(drop),
        }
    }

    /// Sends the remaining rows and ends the table.
    pub(crate) fn end(mut self) -> Result<Ended, Error> {
        self.hand_over()?;
        Ok(self.ended)
    }
}

impl Ended {
    /// Waits for the file to be complete; returns its number of rows.
    pub(crate) fn rows(mut self) -> Result<u64, Error> {
        self.join()
    }

    fn join(&mut self) -> Result<u64, Error> {
        match self.thread.take().map(JoinHandle::join) {
            None => Ok(0),
            Some(Ok(rows)) => rows,
            Some(Err(panic)) => std::panic::resume_unwind(panic),
        }
    }
}

impl Drop for Ended {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
