//! Answers of several networks to the same items, with one table for each network.

use std::fmt::Debug;
use std::fs;

use super::AblateSettings;
use crate::error::{Error, Result};
use crate::evaluate::answer::{Answer, chunks, encoded, generated, judged, rough_tokens};
use crate::evaluate::log_likelihoods_of_many;
use crate::evaluate::table::Table;
use crate::evaluate::tasks::{Gold, Item};
use crate::run::{Network, Progress};

/// What room for a new token takes, in tokens that are scored: for progress alone. SmolLM2-135M and 16 cuts of it took 23.6 minutes for
/// 100 answers to GSM8K each and 8.5 for five benchmarks (two cores with matrix tiles), which is some forty; less without tiles.
const NEW_TOKEN: usize = 30;

/// A network with its identifiers.
pub(super) struct Named<'a> {
    /// Identifier in the rows of the table.
    pub(super) id: String,
    /// File name of its table, without the extension.
    pub(super) file: String,
    pub(super) network: Network<'a>,
}

/// A hash of 16 hexadecimal digits (64-bit FNV-1a of the `Debug` representation).
pub(super) fn fingerprint(of: &impl Debug) -> String {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in format!("{of:?}").bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    format!("{hash:016x}")
}

/// Rows of one network, and the table they are written to, if any.
struct Rows {
    table: Option<Table>,
    rows: Vec<Answer>,
}

impl Rows {
    fn add(&mut self, mut row: Answer, id: &str) -> Result<()> {
        id.clone_into(&mut row.id);
        if let Some(table) = &mut self.table {
            table.add(&row)?;
        }
        self.rows.push(row);
        Ok(())
    }
}

/// Answers of each network, in the order of `items`. Layers that networks share are computed once.
pub(super) fn score(
    networks: &[Named<'_>],
    items: &[Item],
    settings: &AblateSettings,
    progress: &mut dyn FnMut(Progress),
) -> Result<Vec<Vec<Answer>>> {
    let mut all: Vec<Rows> = Vec::with_capacity(networks.len());
    if let Some(folder) = &settings.items {
        fs::create_dir_all(folder).map_err(|source| Error::Write {
            path: folder.clone(),
            source,
        })?;
    }
    for named in networks {
        all.push(match &settings.items {
            None => Rows {
                table: None,
                rows: Vec::new(),
            },
            Some(folder) => {
                let path = folder.join(format!("{}.jsonl", named.file));
                let (table, rows) = Table::open(&path, &named.id, items)?;
                Rows {
                    table: Some(table),
                    rows,
                }
            }
        });
    }
    let cost = |item: &Item| {
        let new = match item.gold {
            Gold::Answer(_) => NEW_TOKEN * settings.max_new_tokens,
            _ => 0,
        };
        rough_tokens(item) + new
    };
    let total: usize = items.iter().map(cost).sum();
    let mut before = 0;
    for range in chunks(items, settings.chunk_tokens) {
        let chunk = &items[range.clone()];
        let tokens: usize = chunk.iter().map(cost).sum();
        let waiting: Vec<usize> = (0..networks.len())
            .filter(|i| all[*i].rows.len() < range.end)
            .collect();
        let mut tell = |stage, done: usize, of: usize| {
            progress(Progress {
                stage,
                done: before + tokens * done / of.max(1),
                total,
                tokens: 0,
            });
        };
        if matches!(chunk[0].gold, Gold::Answer(_)) {
            for (done, &i) in waiting.iter().enumerate() {
                let network = &networks[i].network;
                let (rows, id) = (&mut all[i], &networks[i].id);
                let mut there = rows.rows.len().saturating_sub(range.start);
                tell(
                    "generating",
                    done * chunk.len() + there,
                    waiting.len() * chunk.len(),
                );
                generated(
                    network.checkpoint,
                    &chunk[there..],
                    &network.layers,
                    settings.max_new_tokens,
                    &mut |row| {
                        rows.add(row, id)?;
                        there += 1;
                        tell(
                            "generating",
                            done * chunk.len() + there,
                            waiting.len() * chunk.len(),
                        );
                        Ok(())
                    },
                )?;
            }
        } else if let Some(first) = waiting.first() {
            let requests = encoded(networks[*first].network.checkpoint, chunk)?;
            let asked: Vec<Network<'_>> = waiting.iter().map(|i| networks[*i].network.clone()).collect();
            log_likelihoods_of_many(
                &asked,
                &requests,
                &settings.run,
                &mut |inner| tell("scoring", inner.done, inner.total),
                &mut |number, scores| {
                    let (rows, id) = (&mut all[waiting[number]], &networks[waiting[number]].id);
                    let there = rows.rows.len().saturating_sub(range.start);
                    let mut new = judged(chunk, &scores).into_iter().skip(there);
                    new.try_for_each(|row| rows.add(row, id))
                },
            )?;
        }
        before += tokens;
    }
    progress(Progress {
        stage: "scoring",
        done: total,
        total,
        tokens: 0,
    });
    Ok(all.into_iter().map(|rows| rows.rows).collect())
}
