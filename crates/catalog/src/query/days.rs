//! Suggestions for dates in statements: what a text that is no valid date, or a number in place of one, probably meant.

use super::holds::quoted;

/// How to write a date, for messages.
const FORM: &str = "a day is written '2024-01-31' (year-month-day)";

/// What to write in place of a text that is no valid date.
pub(super) fn instead_of_text(text: &str) -> String {
    let meant: Vec<String> = iso(text).iter().map(|day| quoted(day)).collect();
    match meant.as_slice() {
        [] => FORM.to_owned(),
        all => format!("write {} (year-month-day)", all.join(" or ")),
    }
}

/// What to write in place of a comparison of `column`, which holds days, with numbers: one, two for `between`, any
/// number for `in`.
pub(super) fn instead_of_numbers(column: &str, operator: &str, numbers: &[String]) -> String {
    let years: Option<Vec<i64>> = numbers.iter().map(|number| year(number)).collect();
    let first = |year: i64| format!("'{year}-01-01'");
    let last = |year: i64| format!("'{year}-12-31'");
    match (operator, years.as_deref()) {
        (">" | ">=", Some([year])) => format!("write {column} >= {}", first(*year)),
        ("<", Some([year])) => format!("write {column} < {}", first(*year)),
        ("<=", Some([year])) => format!("write {column} <= {}", last(*year)),
        ("=" | "is not distinct from", Some([year])) => {
            format!("write {column} between {} and {}", first(*year), last(*year))
        }
        ("<>" | "is distinct from", Some([year])) => {
            format!("write {column} not between {} and {}", first(*year), last(*year))
        }
        ("between" | "not between", Some([from, to])) => {
            format!("write {column} {operator} {} and {}", first(*from), last(*to))
        }
        ("in" | "not in", Some(_)) => format!(
            "write date_part('year', {column}) {operator} ({})",
            numbers.join(", ")
        ),
        _ => match numbers {
            [number] if !iso(number).is_empty() => {
                format!("write {column} {operator} {}", quoted(&iso(number)[0]))
            }
            _ => format!("{FORM}, and date_part('year', {column}) is a number"),
        },
    }
}

/// A number that can be a year.
fn year(number: &str) -> Option<i64> {
    number.parse().ok().filter(|year| (1000..=9999).contains(year))
}

/// The dates that a text may mean, as a statement writes them: two where day and month may be in either order.
fn iso(text: &str) -> Vec<String> {
    let text = text.trim();
    let parts: Vec<&str> = text.split(['.', '/', '-', ' ']).collect();
    let numbers: Option<Vec<u32>> = parts
        .iter()
        .map(|part| {
            part.parse()
                .ok()
                .filter(|_| part.bytes().all(|byte| byte.is_ascii_digit()))
        })
        .collect();
    let Some(numbers) = numbers else {
        return Vec::new();
    };
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    let is_day = |[year, month, day]: [u32; 3]| {
        (1000..=9999).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day)
    };
    let meant: Vec<[u32; 3]> = match (numbers.as_slice(), lengths.as_slice()) {
        (&[year], [4]) => vec![[year, 1, 1]],
        (&[all], [8]) => vec![[all / 10_000, all / 100 % 100, all % 100]],
        (&[year, month], [4, _]) => vec![[year, month, 1]],
        (&[year, month, day], [4, _, _]) => vec![[year, month, day]],
        // In dates with points the day always comes first.
        (&[day, month, year], [_, _, 4]) if text.contains('.') => vec![[year, month, day]],
        (&[one, two, year], [_, _, 4]) if one == two => vec![[year, one, two]],
        (&[one, two, year], [_, _, 4]) => vec![[year, one, two], [year, two, one]],
        _ => Vec::new(),
    };
    meant
        .into_iter()
        .filter(|day| is_day(*day))
        .map(|[year, month, day]| format!("{year:04}-{month:02}-{day:02}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_no_day_is_written_as_one() {
        for (text, wanted) in [
            ("01.02.2024", "write '2024-02-01' (year-month-day)"),
            ("31/12/2024", "write '2024-12-31' (year-month-day)"),
            ("12/31/2024", "write '2024-12-31' (year-month-day)"),
            (
                "01/02/2024",
                "write '2024-01-02' or '2024-02-01' (year-month-day)",
            ),
            ("2024", "write '2024-01-01' (year-month-day)"),
            ("2024/5/3", "write '2024-05-03' (year-month-day)"),
            ("20240503", "write '2024-05-03' (year-month-day)"),
            ("May 2024", FORM),
            ("2024-13-13", FORM),
            ("x", FORM),
            ("", FORM),
        ] {
            assert_eq!(instead_of_text(text), wanted, "{text}");
        }
    }

    #[test]
    fn a_number_in_the_place_of_a_day_is_a_year_where_it_can_be() {
        let told = |operator: &str, numbers: &[&str]| {
            let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
            instead_of_numbers("date", operator, &numbers)
        };
        assert_eq!(told(">", &["2024"]), "write date >= '2024-01-01'");
        assert_eq!(told("<", &["2024"]), "write date < '2024-01-01'");
        assert_eq!(told("<=", &["2024"]), "write date <= '2024-12-31'");
        assert_eq!(
            told("=", &["2024"]),
            "write date between '2024-01-01' and '2024-12-31'"
        );
        assert_eq!(
            told("between", &["2023", "2024"]),
            "write date between '2023-01-01' and '2024-12-31'"
        );
        assert_eq!(
            told("not in", &["2023", "2024"]),
            "write date_part('year', date) not in (2023, 2024)"
        );
        assert_eq!(told(">", &["20240131"]), "write date > '2024-01-31'");
        assert!(told(">", &["5.5"]).starts_with(FORM));
        assert!(told("=", &[]).starts_with(FORM));
    }
}
