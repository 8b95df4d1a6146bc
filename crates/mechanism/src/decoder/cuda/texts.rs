//! Segments as the attention kernels read them: tasks of a few query rows, and the pieces of keys that they may see.

use cudarc::driver::CudaSlice;

use super::{Cuda, brought};
use crate::error::Result;
use crate::segment::Segment;

/// Query rows in a task of the forward pass; the same as in `kernels.cu`.
const QUERIES: usize = 16;
/// Rows in a task of the backward pass; the same as in `kernels.cu`.
const BACK: usize = 8;

/// Tasks and pieces on the device.
#[derive(Debug)]
pub struct Texts {
    pub(super) rows: usize,
    pub(super) tasks: CudaSlice<i32>,
    pub(super) n_tasks: usize,
    pub(super) back: CudaSlice<i32>,
    pub(super) n_back: usize,
    pub(super) pieces: CudaSlice<i32>,
    /// Whether no text has a prefix shared with another.
    pub(super) whole: bool,
}

/// A piece of keys: its first row, number of rows and the position of the first row; padded to four integers.
pub(super) fn piece(row: usize, rows: usize, position: usize) -> [i32; 4] {
    [row as i32, rows as i32, position as i32, 0]
}

/// A task: its first query row, number of rows and the position of the first row, then its first piece and number of
/// pieces; padded to eight integers.
pub(super) fn task(row: usize, rows: usize, position: usize, first: usize, pieces: usize) -> [i32; 8] {
    [
        row as i32,
        rows as i32,
        position as i32,
        first as i32,
        pieces as i32,
        0,
        0,
        0,
    ]
}

/// Tasks of the forward pass, tasks of the backward pass, and pieces.
pub(super) fn laid(segments: &[Segment]) -> [Vec<i32>; 3] {
    let (mut tasks, mut back, mut pieces) = (Vec::new(), Vec::new(), Vec::new());
    for segment in segments {
        let first = pieces.len() / 4;
        let mut at = 0;
        for rows in &segment.before {
            pieces.extend(piece(rows.start, rows.len(), at));
            at += rows.len();
        }
        let n = segment.rows.len();
        pieces.extend(piece(segment.rows.start, n, segment.position));
        for (size, all) in [(QUERIES, &mut tasks), (BACK, &mut back)] {
            for start in (0..n).step_by(size) {
                all.extend(task(
                    segment.rows.start + start,
                    size.min(n - start),
                    segment.position + start,
                    first,
                    segment.before.len() + 1,
                ));
            }
        }
    }
    [tasks, back, pieces]
}

impl Texts {
    pub(super) fn new(card: &Cuda, segments: &[Segment]) -> Result<Self> {
        let [tasks, back, pieces] = laid(segments);
        let held = |values: &[i32]| brought(&card.loads, values);
        let texts = Self {
            rows: segments.iter().map(|segment| segment.rows.end).max().unwrap_or(0),
            n_tasks: tasks.len() / 8,
            n_back: back.len() / 8,
            whole: segments
                .iter()
                .all(|segment| segment.before.is_empty() && segment.position == 0),
            tasks: held(&tasks)?,
            back: held(&back)?,
            pieces: held(&pieces)?,
        };
        card.loaded()?;
        Ok(texts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::single_range_in_vec_init, reason = "one piece stands before")]
    fn tasks_cover_every_row_once_and_pieces_every_position() {
        let segments = [
            Segment {
                rows: 0..35,
                before: Vec::new(),
                position: 0,
                length: 60,
            },
            Segment {
                rows: 35..60,
                before: vec![0..35],
                position: 35,
                length: 60,
            },
        ];
        let [tasks, back, pieces] = laid(&segments);
        for (all, size) in [(tasks, QUERIES), (back, BACK)] {
            let mut next = 0;
            for task in all.chunks_exact(8) {
                assert_eq!(task[0], next);
                assert!(task[1] >= 1 && task[1] <= size as i32);
                assert_eq!(task[2], task[0], "positions are rows here");
                next += task[1];
            }
            assert_eq!(next, 60);
        }
        assert_eq!(pieces, [0, 35, 0, 0, 0, 35, 0, 0, 35, 25, 35, 0]);
    }
}
