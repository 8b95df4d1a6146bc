//! Days and milliseconds from the dates that sources print.

use crate::tables::{Days, Millis};

const DAY: i64 = 86_400_000;

/// Dates of the same thing may differ by this many days without contradiction: some are of uploads, some of submissions
/// or releases.
pub(crate) const DATES_APART: Days = 30;

/// The Hub's earliest `created_at`: older repositories carry this value, so it means that the date is unknown.
pub(crate) const HUB_FLOOR_MILLIS: Millis = 1_646_263_744_000;

/// Milliseconds since 1970-01-01T00:00:00Z of `2024-05-05`, `2024-05-05T12:22:44Z` or `2024-09-27 15:52:33+00:00`, with
/// or without fractions of a second. A date alone means its midnight; offsets from UTC are applied.
pub(crate) fn millis(text: &str) -> Option<Millis> {
    let text = text.trim();
    let day = day_part(text)?;
    let rest = text.get(10..)?;
    if rest.is_empty() {
        return Some(i64::from(day) * DAY);
    }
    let clock = rest.strip_prefix(['T', ' '])?;
    let digits = |at: usize| {
        clock
            .get(at..at + 2)
            .filter(|part| part.bytes().all(|b| b.is_ascii_digit()))?
            .parse::<i64>()
            .ok()
    };
    let (hour, minute, second) = (digits(0)?, digits(3)?, digits(6).unwrap_or(0));
    if hour > 23 || minute > 59 || second > 60 || clock.as_bytes().get(2) != Some(&b':') {
        return None;
    }
    let tail = clock.get(8..).unwrap_or("");
    let (fraction, zone) = match tail.strip_prefix('.') {
        Some(after) => after.split_at(after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len())),
        None => ("", tail),
    };
    let thousandths = format!("{fraction:0<3}").get(..3)?.parse::<i64>().ok()?;
    let offset = zone_minutes(zone)?;
    Some(i64::from(day) * DAY + ((hour * 60 + minute - offset) * 60 + second) * 1000 + thousandths)
}

/// The day of a date or timestamp as written, without conversion to UTC; `None` where `text` is neither.
pub fn day(text: &str) -> Option<Days> {
    let text = text.trim();
    if text.len() == 10 {
        day_part(text)
    } else {
        millis(text).and_then(|_| day_part(text))
    }
}

/// A day in ISO 8601, for example `2024-05-31`.
pub fn text(day: Days) -> String {
    common::calendar::text(i64::from(day))
}

fn day_part(text: &str) -> Option<Days> {
    let part = |range: std::ops::Range<usize>| {
        text.get(range)
            .filter(|p| p.bytes().all(|b| b.is_ascii_digit()))?
            .parse::<i64>()
            .ok()
    };
    let dashes = text.as_bytes().get(4) == Some(&b'-') && text.as_bytes().get(7) == Some(&b'-');
    if dashes {
        let days = common::calendar::days(part(0..4)?, part(5..7)?, part(8..10)?)?;
        Days::try_from(days).ok()
    } else {
        None
    }
}

fn zone_minutes(zone: &str) -> Option<i64> {
    if matches!(zone, "" | "Z" | "z") {
        return Some(0);
    }
    let sign = match zone.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digits: String = zone[1..].chars().filter(char::is_ascii_digit).collect();
    if digits.len() != 4 {
        return None;
    }
    let number: i64 = digits.parse().ok()?;
    Some(sign * (number / 100 * 60 + number % 100))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_days() {
        assert_eq!(day("1970-01-01"), Some(0));
        assert_eq!(day("2000-03-01"), Some(11_017));
        assert_eq!(day("2024-02-29"), Some(19_782));
        assert_eq!(day("2023-02-29"), None);
        assert_eq!(day("2024-05-05T12:22:44Z"), day("2024-05-05"));
    }

    #[test]
    fn days_and_their_text_agree() {
        for number in [-719_000, -1, 0, 59, 60, 11_016, 11_017, 19_782, 20_000] {
            assert_eq!(
                day(&text(number)),
                (number > -25_568).then_some(number),
                "{number}"
            );
        }
    }

    #[test]
    fn the_hubs_floor() {
        assert_eq!(millis("2022-03-02T23:29:04.000Z"), Some(HUB_FLOOR_MILLIS));
        assert_eq!(millis("2022-03-02T23:29:04Z"), Some(HUB_FLOOR_MILLIS));
        assert_eq!(millis("2022-03-03T00:29:04+01:00"), Some(HUB_FLOOR_MILLIS));
        assert_eq!(millis("2022-03-02 23:29:04+00:00"), Some(HUB_FLOOR_MILLIS));
    }

    #[test]
    fn what_is_no_date() {
        for text in [
            "",
            "-",
            "2024",
            "2024-13-01",
            "2024/05/05",
            "2024-05-05T",
            "2024-05-05Tab:cd:ef",
            "日本語日本語日本",
        ] {
            assert_eq!(millis(text), None, "{text}");
        }
    }
}
