//! Token sequences as a tree of shared beginnings, laid out as segments for the decoder.

use std::ops::Range;

use crate::decoder::Segment;
use crate::run::Group;

/// Where the positions of one sequence stand among the rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    /// Rows of consecutive positions, root first.
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

/// Sequences of one group.
#[derive(Debug, Clone)]
pub struct Tree {
    /// Rows and segments.
    pub group: Group,
    /// Number of each sequence and where its positions are.
    pub paths: Vec<(usize, Path)>,
}

/// Divides sequences into trees of about `group_tokens` rows, neighbours in lexicographic order together.
pub fn trees(sequences: &[&[u32]], group_tokens: usize) -> Vec<Tree> {
    let mut order: Vec<usize> = (0..sequences.len()).collect();
    order.sort_by(|a, b| sequences[*a].cmp(sequences[*b]));
    let mut forest = Vec::new();
    let mut start = 0;
    while start < order.len() {
        let mut rows = sequences[order[start]].len();
        let mut end = start + 1;
        while end < order.len() {
            let (previous, next) = (sequences[order[end - 1]], sequences[order[end]]);
            let more = next.len() - common(previous, next);
            if rows + more > group_tokens {
                break;
            }
            rows += more;
            end += 1;
        }
        forest.push(tree(sequences, &order[start..end], forest.len()));
        start = end;
    }
    forest
}

/// Length of the common beginning.
fn common(a: &[u32], b: &[u32]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

fn tree(sequences: &[&[u32]], order: &[usize], number: usize) -> Tree {
    let mut group = Group {
        first_text: number,
        ids: Vec::new(),
        segments: Vec::new(),
    };
    let mut paths = Vec::new();
    // Sequences `range` of `order` share `depth` tokens, which stand at `before`.
    let mut stack = vec![(0..order.len(), 0, Vec::new())];
    while let Some((range, depth, before)) = stack.pop() {
        let (first, last) = (sequences[order[range.start]], sequences[order[range.end - 1]]);
        // In sorted order, what first and last share, all share.
        let shared = common(first, last);
        let mut here: Vec<Range<usize>> = before.clone();
        if shared > depth {
            let rows = group.ids.len()..group.ids.len() + shared - depth;
            group.ids.extend_from_slice(&first[depth..shared]);
            let length = range
                .clone()
                .map(|i| sequences[order[i]].len())
                .max()
                .unwrap_or(0);
            group.segments.push(Segment {
                rows: rows.clone(),
                before,
                position: depth,
                length,
            });
            here.push(rows);
        }
        let mut at = range.start;
        while at < range.end && sequences[order[at]].len() == shared {
            paths.push((order[at], Path { rows: here.clone() }));
            at += 1;
        }
        let mut children = Vec::new();
        while at < range.end {
            let token = sequences[order[at]][shared];
            let end = at
                + order[at..range.end]
                    .iter()
                    .take_while(|i| sequences[**i][shared] == token)
                    .count();
            children.push((at..end, shared, here.clone()));
            at = end;
        }
        stack.extend(children.into_iter().rev());
    }
    Tree { group, paths }
}
