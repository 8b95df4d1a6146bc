//! Civil calendar arithmetic on day numbers; never reads the clock (Hinnant 2013,
//! <https://howardhinnant.github.io/date_algorithms.html>).

/// 2022-03-02 in days since 1970-01-01: the earliest creation date the Hub reports. A repository dated on this day was
/// created on it or on any earlier day.
pub const HUB_FLOOR: i32 = 19_053;

/// Days since 1970-01-01 of a date in the proleptic Gregorian calendar, years 1900 to 2200; `None` where there is no
/// such date or the year is outside that range.
///
/// ```
/// assert_eq!(common::calendar::days(2024, 2, 29), Some(19_782));
/// assert_eq!(common::calendar::days(2023, 2, 29), None);
/// ```
pub fn days(year: i64, month: i64, day: i64) -> Option<i64> {
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
    Some(era * 146_097 + day_of_era - 719_468)
}

/// Year, month (1 to 12) and day of the month of the day `days` days after 1970-01-01.
pub fn civil(days: i64) -> (i64, u32, u32) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month as u32, day as u32)
}

/// The day `days` days after 1970-01-01 in ISO 8601, for example `2024-05-31`.
///
/// ```
/// assert_eq!(common::calendar::text(19_782), "2024-02-29");
/// assert_eq!(common::calendar::text(-1), "1969-12-31");
/// ```
pub fn text(days: i64) -> String {
    let (year, month, day) = civil(days);
    format!("{year:04}-{month:02}-{day:02}")
}
