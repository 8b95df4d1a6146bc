//! Days to months and years, without a clock (Hinnant 2013, <https://howardhinnant.github.io/date_algorithms.html>).

/// Year, month (1 to 12) and day of a number of days since 1970-01-01.
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

/// Months since January 1970 of a day.
pub fn month(days: f64) -> i64 {
    let (year, month, _) = civil(days.floor() as i64);
    (year - 1970) * 12 + i64::from(month) - 1
}

/// A month as `2024-06`.
pub fn month_name(month: i64) -> String {
    format!("{}-{:02}", 1970 + month.div_euclid(12), month.rem_euclid(12) + 1)
}

/// A day as `2024-06-30`.
pub fn day_name(days: f64) -> String {
    let (year, month, day) = civil(days.floor() as i64);
    format!("{year}-{month:02}-{day:02}")
}

/// A day as a year with decimals, for axes: 365.25 days are one.
pub fn decimal_year(days: f64) -> f64 {
    1970.0 + days / 365.25
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_become_dates() {
        for (days, name) in [
            (0.0, "1970-01-01"),
            (-1.0, "1969-12-31"),
            (19_053.0, "2022-03-02"),
            (19_782.0, "2024-02-29"),
            (20_146.0, "2025-02-27"),
        ] {
            assert_eq!(day_name(days), name);
        }
        assert_eq!(month_name(month(19_782.0)), "2024-02");
        assert_eq!(month(31.0), 1);
    }
}
