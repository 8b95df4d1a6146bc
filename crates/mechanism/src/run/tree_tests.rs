//! Tests that trees hold every sequence, and shared prefixes only once.

use super::trees;

#[test]
fn every_sequence_is_read_back_and_shared_beginnings_stand_once() {
    let sequences: [&[u32]; 7] = [
        &[1, 2, 3, 4],
        &[1, 2, 3, 5, 6],
        &[1, 2],
        &[7],
        &[1, 2, 3, 4],
        &[1, 2, 3, 5, 7],
        &[1, 9],
    ];
    for (group_tokens, least) in [1, 4, 6, 100]
        .into_iter()
        .flat_map(|n| [1, 2, 9].map(|least| (n, least)))
    {
        let forest = trees(&sequences, group_tokens, least);
        let mut seen = vec![false; sequences.len()];
        for tree in &forest {
            for (number, path) in &tree.paths {
                let read: Vec<u32> = (0..sequences[*number].len())
                    .map(|p| tree.group.ids[path.row(p)])
                    .collect();
                assert_eq!(read, sequences[*number]);
                assert!(!std::mem::replace(&mut seen[*number], true));
            }
            let mut at = 0;
            for segment in &tree.group.segments {
                assert_eq!(segment.rows.start, at);
                assert_eq!(
                    segment.before.iter().map(ExactSizeIterator::len).sum::<usize>(),
                    segment.position
                );
                at = segment.rows.end;
            }
            assert_eq!(at, tree.group.ids.len());
        }
        assert!(seen.into_iter().all(|s| s));
        if group_tokens == 100 && least == 1 {
            // 1 2 | 3 | 4 | 5 | 6 | 7 | 9 | 7
            assert_eq!(forest.len(), 1);
            assert_eq!(forest[0].group.ids.len(), 9);
        }
    }
}
