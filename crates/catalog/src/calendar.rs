//! Days and milliseconds from the dates that sources print.

use crate::tables::{Days, Millis};

const DAY: i64 = 86_400_000;

/// The Hub's floor for `created_at`: repositories older than this carry it, so it means unknown.
pub(crate) const HUB_FLOOR: Millis = 1_646_263_744_000;

/// Days since 1970-01-01 of a proleptic Gregorian date (Hinnant, `days_from_civil`), `None` where there is none.
pub(crate) fn days(year: i64, month: i64, day: i64) -> Option<Days> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=longest).contains(&day) || !(1900..=2200).contains(&year) {
        return None;
    }
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let year_of_era = shifted.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Days::try_from(era * 146_097 + day_of_era - 719_468).ok()
}

/// `2024-05-05`, `2024-05-05T12:22:44Z`, `2024-09-27 15:52:33+00:00`, with or without fractions of a second.
/// A date alone is its midnight; offsets other than zero are applied.
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

/// The day of a date or timestamp, as written (its own offset kept).
pub fn day(text: &str) -> Option<Days> {
    let text = text.trim();
    if text.len() == 10 {
        day_part(text)
    } else {
        millis(text).and_then(|_| day_part(text))
    }
}

/// A day as `2024-05-31` (Hinnant, `civil_from_days`).
pub fn text(day: Days) -> String {
    let shifted = i64::from(day) + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
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
        days(part(0..4)?, part(5..7)?, part(8..10)?)
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
        assert_eq!(days(1970, 1, 1), Some(0));
        assert_eq!(days(2000, 3, 1), Some(11_017));
        assert_eq!(days(2024, 2, 29), Some(19_782));
        assert_eq!(days(2023, 2, 29), None);
        assert_eq!(day("2024-05-05T12:22:44Z"), days(2024, 5, 5));
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
        assert_eq!(millis("2022-03-02T23:29:04.000Z"), Some(HUB_FLOOR));
        assert_eq!(millis("2022-03-02T23:29:04Z"), Some(HUB_FLOOR));
        assert_eq!(millis("2022-03-03T00:29:04+01:00"), Some(HUB_FLOOR));
        assert_eq!(millis("2022-03-02 23:29:04+00:00"), Some(HUB_FLOOR));
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
