//! Explains why a column of a user's table is not numeric: which cells are not numbers, and how to rewrite them.

/// The non-numeric cells of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OtherCells {
    /// Number of non-empty cells in the column.
    cells: usize,
    /// Number of these that are not numbers.
    others: usize,
    /// The first non-numeric cells, each with its line number.
    first: Vec<(u64, String)>,
}

/// Maximum number of non-numeric cells shown.
const SHOWN: usize = 3;

impl OtherCells {
    /// Summarises the `others` among `cells` non-empty cells; `None` where `others` is empty.
    pub(super) fn of(cells: usize, others: &[&(u64, String)]) -> Option<Self> {
        (!others.is_empty()).then(|| Self {
            cells,
            others: others.len(),
            first: others.iter().take(SHOWN).map(|cell| (*cell).clone()).collect(),
        })
    }

    /// The first non-numeric cell, with its line number.
    #[cfg(test)]
    pub(super) fn first(&self) -> Option<&(u64, String)> {
        self.first.first()
    }

    /// The first non-numeric cell with its line number and suggested form; `None` where it is not like a number.
    pub(super) fn meant(&self) -> Option<(u64, &str, String)> {
        let (line, cell) = self.first.first()?;
        Some((*line, cell.as_str(), meant(cell)?))
    }

    /// Describes why the column is not numeric, and what to do.
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
            // Nearly all cells are words: this is not a typing error.
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

/// The number in a cell, without units, currency signs or separators; `None` where the cell is not like a number.
fn meant(cell: &str) -> Option<String> {
    let bare = cell
        .trim()
        .trim_end_matches('%')
        .trim_start_matches(['$', '€', '£', '~', '≈'])
        .trim();
    // Spaces, points or commas as thousands separators, and decimal commas.
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
