//! Joins the catalog's tables to the rows of the study's parts, once for all parts.

use catalog::Catalog;
use study::abilities::Listed;
use study::board::Board;
use study::dimensions::LeaderboardRow;
use study::leaderboard_v1::StructureRow;
use study::trends::CheckpointRow;

use crate::rows;

/// The rows of all parts.
pub(super) struct Joined {
    pub(super) v1: Vec<StructureRow>,
    /// Number of duplicate rows of leaderboard v1, which `v1` leaves out.
    pub(super) n_repeats: usize,
    pub(super) v2: Vec<LeaderboardRow>,
    pub(super) checkpoints: Vec<CheckpointRow>,
}

impl Joined {
    pub(super) fn of(catalog: &Catalog) -> Self {
        let shapes = rows::Shapes::of(catalog);
        let (v1, n_repeats) = rows::leaderboard_v1(catalog, &shapes);
        Self {
            v1,
            n_repeats,
            v2: rows::leaderboard_v2(catalog, &shapes),
            checkpoints: rows::checkpoints(catalog, &shapes),
        }
    }

    pub(super) fn boards(&self) -> [Board; 2] {
        [Board::v1(&self.v1, self.n_repeats), Board::v2(&self.v2)]
    }

    /// The leaderboard on which a part depends and that has no rows; `None` where the part can be computed.
    pub(super) fn lacks(&self, part: &str) -> Option<&'static str> {
        match part {
            "dimensions" if self.v2.is_empty() => Some("open-llm-leaderboard-v2"),
            "leaderboard_v1" if self.v1.is_empty() => Some("open-llm-leaderboard-v1"),
            _ => None,
        }
    }

    /// The requested board; without one, both Open LLM Leaderboards.
    pub(super) fn asked(&self, catalog: &Catalog, board: Option<&'static Listed>) -> Vec<Board> {
        let [v1, v2] = self.boards();
        match board {
            None => vec![v1, v2],
            Some(listed) if listed.name == v1.name => vec![v1],
            Some(listed) if listed.name == v2.name => vec![v2],
            Some(listed) => vec![rows::listed_board(catalog, &rows::Shapes::of(catalog), listed)],
        }
    }
}
