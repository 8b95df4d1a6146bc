//! What the table holds already of the checkpoints a file names: a row again is a repeat, another answer is a clash.

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
    /// No.
    New,
    /// The same row is there.
    Repeat,
}

/// Answers by checkpoint, benchmark and item, as far as one file needs them.
pub(super) struct Kept<'a> {
    store: &'a Store,
    /// Checkpoint and benchmark whose earlier files were looked for.
    looked: BTreeSet<(String, String)>,
    last: (String, String),
    /// Files that were read, and the place of each answer's file among `names`.
    names: Vec<String>,
    answers: HashMap<u128, (u64, u32)>,
}

impl<'a> Kept<'a> {
    /// Of `store`, for the import of `file`.
    pub(super) fn new(store: &'a Store, file: &str) -> Self {
        Self {
            store,
            looked: BTreeSet::new(),
            last: Default::default(),
            names: vec![file.to_owned()],
            answers: HashMap::new(),
        }
    }

    /// Whether the table, or an earlier row of the same file, has this answer.
    pub(super) fn meet(&mut self, benchmark: &str, row: &ItemRow) -> Result<Novelty, Error> {
        // Rows of one checkpoint mostly stand together.
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

/// 128 bits of what names an answer: a chance of 1e-22 that two among 1e8 rows share them.
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
