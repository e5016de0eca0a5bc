//! Outcomes counted, and the score as a range.

use crate::Outcome;
use serde::{Deserialize, Serialize};
use std::ops::{Add, AddAssign};

/// How many items have which outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct OutcomeCounts {
    /// Items that hold.
    pub pass: u32,
    /// Items that fall short.
    pub fail: u32,
    /// Items of which it is not known.
    pub unknown: u32,
    /// Items that do not apply; they count in no score.
    pub not_applicable: u32,
}

impl OutcomeCounts {
    /// Counts one more outcome.
    pub fn count(&mut self, outcome: Outcome) {
        *match outcome {
            Outcome::Pass => &mut self.pass,
            Outcome::Fail => &mut self.fail,
            Outcome::Unknown => &mut self.unknown,
            Outcome::NotApplicable => &mut self.not_applicable,
        } += 1;
    }

    /// Items that count in the score.
    pub const fn applicable(self) -> u32 {
        self.pass + self.fail + self.unknown
    }

    /// The score; none when nothing applies.
    pub fn score(self) -> Option<Score> {
        let applicable = self.applicable();
        (applicable > 0).then(|| Score {
            low: four_places(self.pass, applicable),
            high: four_places(self.pass + self.unknown, applicable),
        })
    }

    /// The same counts with every applicable item unknown, as they stand for a stale cluster.
    #[must_use]
    pub const fn all_unknown(self) -> Self {
        OutcomeCounts { pass: 0, fail: 0, unknown: self.applicable(), not_applicable: self.not_applicable }
    }
}

impl FromIterator<Outcome> for OutcomeCounts {
    fn from_iter<I: IntoIterator<Item = Outcome>>(outcomes: I) -> Self {
        let mut counts = OutcomeCounts::default();
        for outcome in outcomes {
            counts.count(outcome);
        }
        counts
    }
}

impl Add for OutcomeCounts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        OutcomeCounts {
            pass: self.pass + other.pass,
            fail: self.fail + other.fail,
            unknown: self.unknown + other.unknown,
            not_applicable: self.not_applicable + other.not_applicable,
        }
    }
}

impl AddAssign for OutcomeCounts {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl std::iter::Sum for OutcomeCounts {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(OutcomeCounts::default(), Add::add)
    }
}

/// The share of applicable items that hold: at least `low`, at most `high`; both from 0 to 1, to four places.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Score {
    /// Counting only what is known to hold.
    pub low: f64,
    /// Counting the unknown as if it held.
    pub high: f64,
}

impl Score {
    /// Whole per cent of `low` and `high`, rounded down, so that 100 means all.
    pub fn percent(self) -> (u32, u32) {
        (whole_percent(self.low), whole_percent(self.high))
    }
}

fn whole_percent(share: f64) -> u32 {
    // Shares have four places: scaling to ten-thousandths first keeps 0.29 from becoming 28 %.
    ((share * 10_000.0).round() as u32) / 100
}

fn four_places(part: u32, whole: u32) -> f64 {
    let exact = f64::from(part) / f64::from(whole);
    let rounded = (exact * 10_000.0).round() / 10_000.0;
    // 99,999 of 100,000 must not read as all.
    if part < whole { rounded.min(0.9999) } else { rounded }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn score_is_a_range_over_applicable_items() {
        let counts = OutcomeCounts { pass: 11, fail: 5, unknown: 2, not_applicable: 4 };
        let score = counts.score().unwrap();
        assert_eq!((score.low, score.high), (0.6111, 0.7222));
        assert_eq!(score.percent(), (61, 72));
    }

    #[test]
    fn nothing_applicable_has_no_score() {
        assert_eq!(OutcomeCounts { not_applicable: 9, ..Default::default() }.score(), None);
    }

    #[test]
    fn only_all_is_a_hundred_per_cent() {
        let almost = OutcomeCounts { pass: 199_999, fail: 1, ..Default::default() };
        assert_eq!(almost.score().unwrap().percent(), (99, 99));
        let all = OutcomeCounts { pass: 3, ..Default::default() };
        assert_eq!(all.score().unwrap().percent(), (100, 100));
        let share = OutcomeCounts { pass: 29, fail: 71, ..Default::default() };
        assert_eq!(share.score().unwrap().percent(), (29, 29));
    }
}
