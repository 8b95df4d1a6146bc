//! Counts checkpoints and distinct shapes with a score, by board. Mixtures of equal shape with different numbers of
//! experts are distinct shapes, as elsewhere in the study.

use std::collections::{BTreeMap, BTreeSet};

use catalog::Catalog;
use catalog::tables::Structure;
use study::dataset::BoardCount;

use super::{Shapes, shape};

/// Publishers with many boards, which are combined into one row per publisher.
const MANY: [&str; 4] = ["euroeval", "swallow", "proteus", "epoch"];

/// One row per board or combined publisher, then all boards except those of the combined publishers, then all.
pub(crate) fn board_counts(catalog: &Catalog) -> Vec<BoardCount> {
    let numbers = Shapes::of(catalog);
    let mut groups: BTreeMap<&str, Group<'_>> = BTreeMap::new();
    for score in &catalog.scores {
        let board = score.leaderboard.as_str();
        let publisher = board.split('-').next().unwrap_or(board);
        let name = if MANY.contains(&publisher) {
            publisher
        } else {
            board
        };
        let day = score
            .date
            .map_or_else(|| score.version.clone(), catalog::day_text);
        let mut names = vec![name, "all"];
        if !MANY.contains(&publisher) {
            names.push("before");
        }
        for name in names {
            let group = groups.entry(name).or_default();
            group.scores += 1;
            group.ids.insert(&score.id);
            group.newest = day.clone().max(std::mem::take(&mut group.newest));
        }
    }
    let mut counts: Vec<BoardCount> = groups
        .iter()
        .map(|(name, group)| group.count(name, &numbers))
        .collect();
    counts.sort_by_key(|count| (count.name == "all", count.name == "before", count.name.clone()));
    counts
}

#[derive(Default)]
struct Group<'a> {
    scores: usize,
    ids: BTreeSet<&'a str>,
    newest: String,
}

impl Group<'_> {
    fn count(&self, name: &str, numbers: &Shapes<'_>) -> BoardCount {
        let known = |is: &dyn Fn(&Structure) -> bool| -> BTreeSet<u32> {
            let has = |id: &&&str| {
                let structure = numbers.structure(id);
                structure.is_some_and(|row| shape(row).is_some() && is(row))
            };
            self.ids.iter().filter(has).map(|id| numbers.number(id)).collect()
        };
        let shapes = known(&|_| true);
        let whole = known(&|row| row.kv_heads.is_some() && row.vocab_size.is_some() && row.pos.is_some());
        BoardCount {
            name: name.to_owned(),
            scores: self.scores,
            checkpoints: self.ids.len(),
            shapes: shapes.len(),
            whole: whole.len(),
            newest: Some(self.newest.clone()).filter(|day| !day.is_empty()),
        }
    }
}
