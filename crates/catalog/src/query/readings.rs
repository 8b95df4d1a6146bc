//! Finds the replacements that turn as many cells of a text column as possible into numbers.

use std::collections::{BTreeMap, BTreeSet};

/// Characters that may precede a number.
const BEFORE: [char; 6] = ['$', '€', '£', '~', '≈', '¥'];
/// Characters other than points and commas that may separate thousands.
const BETWEEN: [char; 5] = [' ', '\u{a0}', '\u{202f}', '\'', '_'];
/// Greatest number of distinct words after numbers that are counted; where there are more, they are not units.
const UNITS: usize = 32;

/// The meaning of points and commas in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Marks {
    /// A decimal point, and no comma.
    Plain,
    /// `1,024.5`.
    CommaThousands,
    /// `1024,5`.
    CommaDecimals,
    /// `1.024`.
    PointThousands,
    /// `1.024,5`.
    PointThousandsCommaDecimals,
}

impl Marks {
    const ALL: [Self; 5] = [
        Self::Plain,
        Self::CommaThousands,
        Self::CommaDecimals,
        Self::PointThousands,
        Self::PointThousandsCommaDecimals,
    ];

    /// The replacements (from, to) that lead to plain numbers.
    fn replacements(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Plain => &[],
            Self::CommaThousands => &[(",", "")],
            Self::CommaDecimals => &[(",", ".")],
            Self::PointThousands => &[(".", "")],
            Self::PointThousandsCommaDecimals => &[(".", ""), (",", ".")],
        }
    }

    /// Whether the separators of thousands are at valid positions.
    fn fits(self, number: &str) -> bool {
        match self {
            Self::Plain | Self::CommaDecimals => true,
            Self::CommaThousands => in_threes(number.split('.').next().unwrap_or_default(), ','),
            Self::PointThousands => in_threes(number, '.'),
            Self::PointThousandsCommaDecimals => in_threes(number.split(',').next().unwrap_or_default(), '.'),
        }
    }
}

/// What the cells of a text column hold, accumulated cell by cell.
#[derive(Debug, Default)]
pub(super) struct Readings {
    /// Number of non-empty cells.
    pub(super) cells: u64,
    /// Number of those that are numbers as they are.
    pub(super) numbers: u64,
    /// Number of those that are `nan`, which the engine reads as a value.
    pub(super) nans: u64,
    /// The first cell that is not a number.
    pub(super) other: Option<String>,
    /// Number of cells that become numbers under each meaning of the marks, in the order of [`Marks::ALL`].
    read: [u64; 5],
    /// Whether a meaning would change the value of a cell.
    spoilt: [bool; 5],
    /// Words after numbers, and the number of cells with each.
    units: BTreeMap<String, u64>,
    /// Other characters in cells that must be removed.
    in_the_way: BTreeSet<char>,
}

/// The best set of replacements.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BestReading {
    /// Replacements (from, to) to apply in order.
    pub(super) replacements: Vec<(String, String)>,
    /// Number of cells that are numbers afterwards.
    pub(super) read: u64,
}

impl BestReading {
    /// No replacements, with `numbers` cells being numbers already.
    pub(super) fn of(numbers: u64) -> Self {
        Self {
            replacements: Vec::new(),
            read: numbers,
        }
    }
}

impl Readings {
    /// Adds a cell.
    pub(super) fn add(&mut self, cell: &str) {
        if cell.is_empty() {
            return;
        }
        self.cells += 1;
        match cell.parse::<f64>() {
            Ok(value) if value.is_nan() => self.nans += 1,
            Ok(_) => self.numbers += 1,
            Err(_) => {}
        }
        let is_number = cell.parse::<f64>().is_ok_and(|value| !value.is_nan());
        if !is_number {
            self.other.get_or_insert_with(|| cell.to_owned());
        }
        let Some(inner) = Inner::of(cell) else {
            // Infinity is a number under every meaning.
            if is_number {
                self.read.iter_mut().for_each(|read| *read += 1);
            }
            return;
        };
        let mut is_read = false;
        for ((marks, read), spoilt) in Marks::ALL.iter().zip(&mut self.read).zip(&mut self.spoilt) {
            let written = marks
                .replacements()
                .iter()
                .fold(inner.number.clone(), |text, (from, to)| text.replace(from, to));
            if written.parse::<f64>().is_err() {
                continue;
            }
            if marks.fits(&inner.number) {
                *read += 1;
                is_read = true;
            } else {
                *spoilt = true;
            }
        }
        if is_read {
            self.in_the_way.extend(inner.in_the_way);
            if !inner.unit.is_empty() && self.units.len() < UNITS {
                *self.units.entry(inner.unit).or_insert(0) += 1;
            }
        }
    }

    /// The best set of replacements; decimal commas are tried first where commas do not separate cells.
    pub(super) fn best(&self, commas_divide: bool) -> BestReading {
        // Numbers with different units do not form one column.
        if self.units.len() > 1 {
            return BestReading::of(self.numbers);
        }
        let order: [usize; 5] = if commas_divide {
            [0, 1, 2, 3, 4]
        } else {
            [0, 2, 1, 3, 4]
        };
        let mut best = order[0];
        for place in order {
            if !self.spoilt[place] && (self.read[place] > self.read[best] || self.spoilt[best]) {
                best = place;
            }
        }
        let mut replacements: Vec<(String, String)> = Vec::new();
        let units = self.units.keys().map(String::as_str);
        let letters = self.in_the_way.iter().map(ToString::to_string);
        let all = units.map(ToOwned::to_owned).chain(letters);
        replacements.extend(all.map(|text| (text, String::new())));
        let marks = Marks::ALL[best].replacements().iter();
        replacements.extend(marks.map(|(from, to)| ((*from).to_owned(), (*to).to_owned())));
        BestReading {
            replacements,
            read: self.read[best],
        }
    }
}

/// The number in a cell, separated from what surrounds it.
struct Inner {
    /// Digits, points, commas, a sign and an exponent.
    number: String,
    /// The word after it, without blanks.
    unit: String,
    /// Characters before it, and blanks within it.
    in_the_way: Vec<char>,
}

impl Inner {
    /// `None` where the cell does not begin with a number.
    fn of(cell: &str) -> Option<Self> {
        let mut in_the_way: Vec<char> = Vec::new();
        let bare = cell.trim_start_matches(|letter: char| {
            let goes = BEFORE.contains(&letter) || letter.is_whitespace();
            if goes {
                in_the_way.push(letter);
            }
            goes
        });
        if !bare.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '-' | '+' | '.')) {
            return None;
        }
        let end = bare.rfind(|letter: char| letter.is_ascii_digit() || letter == '.')? + 1;
        let (number, behind) = bare.split_at(end);
        in_the_way.extend(behind.chars().filter(|letter| letter.is_whitespace()));
        let unit = behind.trim();
        let whole = number.split(['.', ',']).next().unwrap_or_default();
        for mark in BETWEEN {
            if number.contains(mark) {
                if !in_threes(whole, mark) {
                    return None;
                }
                in_the_way.push(mark);
            }
        }
        let number: String = number
            .chars()
            .filter(|letter| !BETWEEN.contains(letter))
            .collect();
        let is_number = number
            .chars()
            .all(|letter| letter.is_ascii_digit() || matches!(letter, '.' | ',' | '-' | '+' | 'e' | 'E'));
        is_number.then(|| Self {
            number,
            unit: unit.to_owned(),
            in_the_way,
        })
    }
}

/// Whether `mark` separates groups of three digits from the right, as in `1,024`, or does not occur.
fn in_threes(text: &str, mark: char) -> bool {
    let mut groups = text.split(mark);
    let first = groups.next().unwrap_or_default().trim_start_matches(['-', '+']);
    let mut rest = groups.peekable();
    rest.peek().is_none()
        || (1..=3).contains(&first.len())
            && rest.all(|group| group.len() == 3 && group.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(cells: &[&str]) -> Readings {
        let mut readings = Readings::default();
        for cell in cells {
            readings.add(cell);
        }
        readings
    }

    #[test]
    fn the_way_that_reads_the_most_is_found() {
        for (cells, commas_divide, replacements, read) in [
            (&["1.5", "NA", "3"] as &[&str], true, &[] as &[(&str, &str)], 2),
            (&["36.5%", "40%"], true, &[("%", "")], 2),
            (&["36.5 %", "40%"], true, &[("%", ""), (" ", "")], 2),
            (&["36,5 %", "40 %"], false, &[("%", ""), (" ", ""), (",", ".")], 2),
            (&["5.668.477", "3.000"], false, &[(".", "")], 2),
            (&["2.391,9", "12,5"], false, &[(".", ""), (",", ".")], 2),
            (&["1,024", "2,048.5"], true, &[(",", "")], 2),
            (&["1,024", "12,5"], true, &[(",", ".")], 2),
            (&["1,024"], false, &[(",", ".")], 1),
            (&["1,024,000"], false, &[(",", "")], 1),
            (&["1 024", "2 391 000"], true, &[(" ", "")], 2),
            (&["1\u{202f}024"], true, &[("\u{202f}", "")], 1),
            (&[" 5", "6 "], true, &[(" ", "")], 2),
            (&["$5", "€6"], true, &[("$", ""), ("€", "")], 2),
            (&["42 points", "7 points"], true, &[("points", ""), (" ", "")], 2),
            (&["42 in all", "7 in all"], true, &[("in all", ""), (" ", "")], 2),
            (&["7B", "500M", "3"], true, &[], 1),
            (&["m0", "m1"], true, &[], 0),
            (&["01.02.2024", "1.2.3"], true, &[], 0),
            (&["inf", "x"], true, &[], 1),
            (&["1 2"], true, &[], 0),
        ] {
            let best = of(cells).best(commas_divide);
            let wanted: Vec<(String, String)> = replacements
                .iter()
                .map(|(from, to)| ((*from).to_owned(), (*to).to_owned()))
                .collect();
            assert_eq!((best.replacements, best.read), (wanted, read), "{cells:?}");
        }
    }

    #[test]
    fn no_way_makes_another_number_of_a_cell() {
        // Without its point, 5.75 would become 575.
        let best = of(&["5.75", "1.200.000", "x"]).best(true);
        assert_eq!((best.replacements.len(), best.read), (0, 1));
        let best = of(&["1,5", "1,024", "2,048"]).best(true);
        assert_eq!(best.replacements, [(",".to_owned(), ".".to_owned())]);
    }

    #[test]
    fn cells_that_say_nan_are_counted_apart() {
        let readings = of(&["1", "nan", "NaN", "NA", ""]);
        assert_eq!((readings.cells, readings.numbers, readings.nans), (4, 1, 2));
        assert_eq!(readings.other.as_deref(), Some("nan"));
        assert_eq!(readings.best(true).read, 1);
    }
}
