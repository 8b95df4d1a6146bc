//! Conversions of days since 1970-01-01 into months and years; no clock is read.

pub use common::calendar::civil;

/// The month that contains a day, in months since January 1970.
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
    common::calendar::text(days.floor() as i64)
}

/// A day as a decimal year, for axes: 365.25 days are one year.
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
