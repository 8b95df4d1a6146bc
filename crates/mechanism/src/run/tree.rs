//! Token sequences as a tree of shared prefixes, laid out as segments for the decoder.

use std::ops::Range;

use super::Group;
use crate::decoder::Segment;

/// Maps the positions of one sequence to rows of the activations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    /// Rows of consecutive positions, from the root of the tree on.
    pub rows: Vec<Range<usize>>,
}

impl Path {
    /// Row of position `position`.
    ///
    /// # Panics
    /// If the sequence has no such position.
    pub fn row(&self, position: usize) -> usize {
        let mut before = 0;
        for rows in &self.rows {
            if position < before + rows.len() {
                return rows.start + position - before;
            }
            before += rows.len();
        }
        unreachable!("position {position} of a sequence of {before}")
    }
}

/// The sequences of one group, arranged as a tree.
#[derive(Debug, Clone)]
pub struct Tree {
    /// The rows of all sequences and their segments.
    pub group: Group,
    /// Index of each sequence, with the rows of its positions.
    pub paths: Vec<(usize, Path)>,
}

/// Divides sequences into trees of at most `group_tokens` rows (unless a single sequence is longer), neighbours in
/// lexicographic order together. Prefixes of fewer than `least` tokens are not shared: short segments cost more than
/// the rows they save.
pub fn trees(sequences: &[&[u32]], group_tokens: usize, least: usize) -> Vec<Tree> {
    let mut order: Vec<usize> = (0..sequences.len()).collect();
    order.sort_by(|a, b| sequences[*a].cmp(sequences[*b]));
    let mut forest = Vec::new();
    let mut start = 0;
    while start < order.len() {
        let mut rows = sequences[order[start]].len();
        let mut end = start + 1;
        while end < order.len() {
            let (previous, next) = (sequences[order[end - 1]], sequences[order[end]]);
            let shared = Some(common(previous, next)).filter(|shared| *shared >= least);
            let more = next.len() - shared.unwrap_or(0);
            if rows + more > group_tokens {
                break;
            }
            rows += more;
            end += 1;
        }
        forest.push(tree(sequences, &order[start..end], forest.len(), least));
        start = end;
    }
    forest
}

impl Group {
    /// Adds rows for `ids`, which start at `position` of a text of `length` tokens and follow the rows `before`.
    fn append(
        &mut self,
        ids: &[u32],
        before: &[Range<usize>],
        position: usize,
        length: usize,
    ) -> Range<usize> {
        let rows = self.ids.len()..self.ids.len() + ids.len();
        self.ids.extend_from_slice(ids);
        self.segments.push(Segment {
            rows: rows.clone(),
            before: before.to_vec(),
            position,
            length,
        });
        rows
    }
}

/// Length of the common prefix.
fn common(a: &[u32], b: &[u32]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

fn tree(sequences: &[&[u32]], order: &[usize], number: usize, least: usize) -> Tree {
    let mut group = Group {
        first_text: number,
        ids: Vec::new(),
        segments: Vec::new(),
    };
    let mut paths = Vec::new();
    // Each entry: a range of `order`, the number of common tokens that already have rows, and these rows.
    let mut stack = vec![(0..order.len(), 0, Vec::new())];
    while let Some((range, depth, before)) = stack.pop() {
        let (first, last) = (sequences[order[range.start]], sequences[order[range.end - 1]]);
        // As the sequences are sorted, what the first and the last share is shared by all.
        let shared = common(first, last);
        let mut here: Vec<Range<usize>> = before;
        let mut stands = depth;
        let ended = order[range.clone()]
            .iter()
            .take_while(|i| sequences[**i].len() == shared)
            .count();
        if shared > depth && shared - depth >= least {
            let lengths = order[range.clone()].iter().map(|i| sequences[*i].len());
            let rows = group.append(
                &first[depth..shared],
                &here,
                depth,
                lengths.max().unwrap_or(shared),
            );
            here.push(rows);
            stands = shared;
        }
        if ended > 0 {
            let mut rows = here.clone();
            if stands < shared {
                rows.push(group.append(&first[depth..], &here, depth, shared));
            }
            let path = Path { rows };
            paths.extend(
                order[range.start..range.start + ended]
                    .iter()
                    .map(|i| (*i, path.clone())),
            );
        }
        let mut at = range.start + ended;
        let mut children = Vec::new();
        while at < range.end {
            let token = sequences[order[at]][shared];
            let end = at
                + order[at..range.end]
                    .iter()
                    .take_while(|i| sequences[**i][shared] == token)
                    .count();
            children.push((at..end, stands, here.clone()));
            at = end;
        }
        stack.extend(children.into_iter().rev());
    }
    Tree { group, paths }
}

#[cfg(test)]
#[path = "tree_tests.rs"]
mod tests;
