//! Answers that the table already has for the checkpoints in a file: an equal row is a repeat, a different answer is a
//! clash.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::ItemRow;
use super::store::Store;
use crate::error::{Error, ItemClash};
use crate::parquet_file::each_row;
use crate::stores;

/// Whether a row is new to the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Novelty {
    /// The row is new.
    New,
    /// The table already has the same row.
    Repeat,
}

/// Answers by checkpoint, benchmark and item, loaded only as far as one file needs them.
pub(super) struct Kept<'a> {
    store: &'a Store,
    /// Pairs of checkpoint and benchmark whose earlier files were loaded.
    looked: BTreeSet<(String, String)>,
    last: (String, String),
    /// Names of the files that were loaded; each answer refers to its file by an index into `names`.
    names: Vec<String>,
    answers: HashMap<u128, (u64, u32)>,
}

impl<'a> Kept<'a> {
    /// Answers of `store`, for the import of `file`.
    pub(super) fn new(store: &'a Store, file: &str) -> Self {
        Self {
            store,
            looked: BTreeSet::new(),
            last: Default::default(),
            names: vec![file.to_owned()],
            answers: HashMap::new(),
        }
    }

    /// Whether the row is new; an error where the table, or an earlier row of the same file, has another answer.
    pub(super) fn meet(&mut self, benchmark: &str, row: &ItemRow) -> Result<Novelty, Error> {
        // Rows of one checkpoint are mostly consecutive.
        if self.last.0 != row.id || self.last.1 != benchmark {
            self.last = (row.id.clone(), benchmark.to_owned());
            if self.looked.insert(self.last.clone()) {
                self.load()?;
            }
        }
        let (key, answer) = (key(benchmark, row), answer(row));
        match self.answers.get(&key) {
            None => {
                self.answers.insert(key, (answer, 0));
                Ok(Novelty::New)
            }
            Some((earlier, _)) if *earlier == answer => Ok(Novelty::Repeat),
            Some((_, place)) => Err(Error::ItemClash(Box::new(ItemClash {
                file: self.names[0].clone(),
                id: row.id.clone(),
                benchmark: benchmark.to_owned(),
                item: row.item.clone(),
                answer: row
                    .score
                    .map_or_else(|| "no score".to_owned(), |score| format!("score {score}")),
                earlier: self.names[*place as usize].clone(),
            }))),
        }
    }

    fn load(&mut self) -> Result<(), Error> {
        let (id, benchmark) = &self.last;
        for path in self.store.files_with(benchmark, id)? {
            let name = path.display().to_string();
            if self.names.contains(&name) {
                continue;
            }
            let place = self.names.len() as u32;
            let here = stores::fetch(&path)?;
            let source = File::open(here.path()).map_err(Error::io(here.path()))?;
            each_row::<ItemRow, _>(source, &name, &mut |row| {
                self.answers
                    .entry(key(benchmark, &row))
                    .or_insert((answer(&row), place));
                Ok(())
            })?;
            self.names.push(name);
        }
        Ok(())
    }
}

/// A 128-bit hash of benchmark, checkpoint and item: among 1e8 rows a collision has probability 1e-22.
fn key(benchmark: &str, row: &ItemRow) -> u128 {
    let half = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        (salt, benchmark, &row.id, &row.item).hash(&mut hasher);
        u128::from(hasher.finish())
    };
    half(0) << 64 | half(1)
}

fn answer(row: &ItemRow) -> u64 {
    let mut hasher = DefaultHasher::new();
    let bits = |value: Option<f64>| value.map(f64::to_bits);
    (row.correct, bits(row.score), bits(row.loglikelihood), &row.metric).hash(&mut hasher);
    hasher.finish()
}
