//! What a trend says, in a sentence and in points.

use crate::format;
use chrono::Days;
use rampart_shared::api::TrendPoint;

/// The trend of a score in a sentence.
pub(crate) fn of_score(points: &[TrendPoint]) -> String {
    let known: Vec<&TrendPoint> = points.iter().filter(|point| point.score.is_some()).collect();
    match known.as_slice() {
        [] => "No score yet.".to_owned(),
        [only] => format!("Score on {}: {}.", format::day(only.day), format::spoken_score(only.score)),
        [first, .., last] => format!(
            "Score on {}: {}. On {}: {}.",
            format::day(first.day),
            format::spoken_score(first.score),
            format::day(last.day),
            format::spoken_score(last.score)
        ),
    }
}

/// The trend of violating units in a sentence.
pub(crate) fn of_violating(points: &[TrendPoint], unit: &str) -> String {
    let known: Vec<(&TrendPoint, u32)> =
        points.iter().filter_map(|point| Some((point, point.violating?))).collect();
    let told = |(point, violating): &(&TrendPoint, u32)| {
        format!("On {}: {} short.", format::day(point.day), format::count(*violating, unit))
    };
    match known.as_slice() {
        [] => "No completed run yet.".to_owned(),
        [only] => told(only),
        [first, .., last] => format!("{} {}", told(first), told(last)),
    }
}

/// By how many points the low end of the score changed over the last days; none if it was not known then.
pub(crate) fn score_change(points: &[TrendPoint], days: u64) -> Option<i32> {
    let last = points.iter().rev().find(|point| point.score.is_some())?;
    let then = last.day.checked_sub_days(Days::new(days))?;
    let before = points.iter().find(|point| point.day == then)?;
    let low = |point: &TrendPoint| point.score.and_then(|score| i32::try_from(score.percent().0).ok());
    Some(low(last)? - low(before)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::NaiveDate;
    use rampart_shared::OutcomeCounts;

    fn point(day: u32, pass: u32, unknown: u32, fail: u32, violating: Option<u32>) -> TrendPoint {
        let counts = OutcomeCounts { pass, fail, unknown, not_applicable: 0 };
        let day = NaiveDate::from_ymd_opt(2026, 11, day).unwrap();
        TrendPoint { day, counts, score: counts.score(), violating }
    }

    #[test]
    fn the_ends_of_a_trend_are_told() {
        let points = [point(1, 0, 0, 0, None), point(2, 5, 2, 3, Some(4)), point(9, 8, 0, 2, Some(1))];
        assert_eq!(of_score(&points), "Score on 2 Nov: between 50 and 70 per cent. On 9 Nov: 80 per cent.");
        assert_eq!(
            of_violating(&points, "container"),
            "On 2 Nov: 4 containers short. On 9 Nov: 1 container short."
        );
        assert_eq!(of_score(&points[..1]), "No score yet.");
    }

    #[test]
    fn a_change_needs_both_days() {
        let points = [point(2, 5, 2, 3, None), point(9, 8, 0, 2, None)];
        assert_eq!(score_change(&points, 7), Some(30));
        assert_eq!(score_change(&points, 30), None);
    }
}
