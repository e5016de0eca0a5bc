//! From days and numbers to places on a chart.

use crate::format;
use chrono::{Datelike, NaiveDate};

/// A linear map from values to coordinates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scale {
    /// The values at the ends.
    pub(crate) values: (f64, f64),
    /// The coordinates at the ends.
    pub(crate) coordinates: (f64, f64),
}

impl Scale {
    /// Where a value is. A scale over a single value puts it in the middle.
    pub(crate) fn place(self, value: f64) -> f64 {
        let (from, to) = self.values;
        let (start, end) = self.coordinates;
        let share = if to == from { 0.5 } else { (value - from) / (to - from) };
        start + share * (end - start)
    }
}

/// A day as a number that grows by one a day.
pub(crate) fn day_number(day: NaiveDate) -> f64 {
    f64::from(day.num_days_from_ce())
}

/// The smallest round number at or above the value that has whole quarters: 4, 8 or 20 times a power of ten.
pub(crate) fn round_above(value: u32) -> u32 {
    let mut power = 1_u64;
    loop {
        for factor in [4, 8, 20] {
            if factor * power >= u64::from(value) {
                return u32::try_from(factor * power).unwrap_or(u32::MAX);
            }
        }
        power *= 10;
    }
}

/// The days at which a new month begins, with its name; a short span is marked by single days instead.
pub(crate) fn day_ticks(first: NaiveDate, last: NaiveDate) -> Vec<(NaiveDate, String)> {
    let days = (last - first).num_days();
    if days < 35 {
        let step = usize::try_from(days / 4).unwrap_or(0).max(1);
        return first
            .iter_days()
            .take_while(|day| *day <= last)
            .step_by(step)
            .map(|day| (day, format::day(day)))
            .collect();
    }
    first
        .iter_days()
        .take_while(|day| *day <= last)
        .filter(|day| day.day() == 1)
        .map(|day| (day, format::month(day).to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(month: u32, day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, month, day).unwrap()
    }

    #[test]
    fn places_are_linear_and_may_be_reversed() {
        let scale = Scale { values: (0.0, 1.0), coordinates: (100.0, 0.0) };
        assert_eq!([scale.place(0.0), scale.place(0.25), scale.place(1.0)], [100.0, 75.0, 0.0]);
        let single = Scale { values: (3.0, 3.0), coordinates: (0.0, 10.0) };
        assert_eq!(single.place(3.0), 5.0);
    }

    #[test]
    fn round_numbers_are_above() {
        let all: Vec<u32> =
            [0, 4, 5, 6, 14, 21, 50, 51, 999].iter().map(|value| round_above(*value)).collect();
        assert_eq!(all, [4, 4, 8, 8, 20, 40, 80, 80, 2_000]);
        assert!(all.iter().all(|round| round % 4 == 0));
    }

    #[test]
    fn long_spans_are_marked_by_months_and_short_ones_by_days() {
        let months: Vec<String> =
            day_ticks(date(8, 25), date(11, 23)).into_iter().map(|tick| tick.1).collect();
        assert_eq!(months, ["Sep", "Oct", "Nov"]);
        let days: Vec<String> =
            day_ticks(date(11, 15), date(11, 23)).into_iter().map(|tick| tick.1).collect();
        assert_eq!(days, ["15 Nov", "17 Nov", "19 Nov", "21 Nov", "23 Nov"]);
        assert_eq!(day_ticks(date(11, 15), date(11, 15)).len(), 1);
    }
}
