//! Cells of a table of the user's own that are no numbers where numbers are wanted: which they are, and what to write instead.

/// Cells of a column that are no numbers, and keep it from being one of numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OtherCells {
    /// Cells of the column that are not empty.
    cells: usize,
    /// Of these the ones that are no numbers.
    others: usize,
    /// The first of these, each with its line.
    first: Vec<(u64, String)>,
}

/// Cells that are shown of those that are no numbers, at most.
const SHOWN: usize = 3;

impl OtherCells {
    /// `others` of so many cells are no numbers; none where all are.
    pub(super) fn of(cells: usize, others: &[&(u64, String)]) -> Option<Self> {
        (!others.is_empty()).then(|| Self {
            cells,
            others: others.len(),
            first: others.iter().take(SHOWN).map(|cell| (*cell).clone()).collect(),
        })
    }

    /// The first cell that is no number, with its line.
    #[cfg(test)]
    pub(super) fn first(&self) -> Option<&(u64, String)> {
        self.first.first()
    }

    /// The first cell that is no number with its line, and how to write it where it is one with something around or in it.
    pub(super) fn meant(&self) -> Option<(u64, &str, String)> {
        let (line, cell) = self.first.first()?;
        Some((*line, cell.as_str(), meant(cell)?))
    }

    /// What keeps the column from being one of numbers, and what to do.
    pub(super) fn words(&self) -> String {
        let Self { cells, others, first } = self;
        let shown: Vec<String> = first
            .iter()
            .take(if others == cells { 1 } else { SHOWN })
            .map(|(line, cell)| format!("{cell:?} (line {line})"))
            .collect();
        let shown = shown.join(", ");
        let found = match (others, cells) {
            (others, cells) if others == cells => {
                format!("none of its {cells} cells is a number, the first is {shown}")
            }
            (1, cells) => format!("1 of its {cells} cells is no number: {shown}"),
            (others, cells) => {
                let more = match others - first.len() {
                    0 => String::new(),
                    more => format!(" and {more} more"),
                };
                format!("{others} of its {cells} cells are no numbers: {shown}{more}")
            }
        };
        let remedy = match self.meant() {
            Some((_, _, written)) => format!(
                "write it as {written}, and so all cells of the column: numbers as 2391.9, without units, percent signs or separators of \
                 thousands; leave cells without a value empty"
            ),
            // Nearly all of them: it is no slip.
            None if others * 10 >= cells * 9 => {
                let word = first.first().map_or("", |(_, cell)| cell.as_str());
                format!(
                    "a column of words cannot be used as numbers: give a column of 0 and 1 for each word (is {word:?}: 1, else 0), or \
                     leave the column out with --features"
                )
            }
            None if *others == 1 => "leave it empty or make it a number".to_owned(),
            None => "leave them empty or make them numbers".to_owned(),
        };
        format!("{found}; {remedy}")
    }
}

/// What to write in place of a cell that is no number, where it is one with something around or in it.
fn meant(cell: &str) -> Option<String> {
    let bare = cell
        .trim()
        .trim_end_matches('%')
        .trim_start_matches(['$', '€', '£', '~', '≈'])
        .trim();
    // Blanks, points or commas between thousands, and a decimal comma.
    let blanks = [' ', '\u{a0}', '\u{202f}', '_', '\''];
    let plain: String = bare.chars().filter(|letter| !blanks.contains(letter)).collect();
    let in_threes = |text: &str, mark: char| {
        let mut groups = text.split(mark);
        let first = groups.next().unwrap_or_default().trim_start_matches(['-', '+']);
        (1..=3).contains(&first.len())
            && groups.all(|group| group.len() == 3 && group.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let (whole, part) = plain.split_once('.').unwrap_or((&plain, ""));
    let written = if !plain.contains(',') && plain.matches('.').count() > 1 && in_threes(&plain, '.') {
        plain.replace('.', "")
    } else if whole.contains(',') && in_threes(whole, ',') {
        plain.replace(',', "")
    } else if let Some((whole, end)) = plain
        .rsplit_once(',')
        .filter(|(whole, _)| whole.contains('.') && in_threes(whole, '.'))
    {
        format!("{}.{end}", whole.replace('.', ""))
    } else if plain.matches(',').count() == 1 && part.is_empty() {
        plain.replace(',', ".")
    } else {
        plain.clone()
    };
    written.parse::<f64>().ok().filter(|value| value.is_finite())?;
    (written != cell).then_some(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_cell_was_meant_to_be_is_told() {
        for (cell, written) in [
            ("53.7 %", "53.7"),
            ("53.7%", "53.7"),
            ("1,024", "1024"),
            ("-2,391,000.5", "-2391000.5"),
            ("2.391,9", "2391.9"),
            ("12,5 %", "12.5"),
            ("1 024", "1024"),
            ("~7", "7"),
            ("5.668.477", "5668477"),
            ("5.668.477,5", "5668477.5"),
        ] {
            assert_eq!(meant(cell).as_deref(), Some(written), "{cell}");
        }
        for cell in ["north", "7B", "1-2", "", "%", "1,2,3", "1.2.3", "01.02.2024"] {
            assert_eq!(meant(cell), None, "{cell}");
        }
    }
}
