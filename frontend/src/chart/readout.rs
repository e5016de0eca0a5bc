//! The day under the pointer.

use crate::{chart::Measure, format, words};
use rampart_shared::api::TrendPoint;

/// The index of the point nearest to a share of the chart's width.
pub(crate) fn nearest(points: usize, share: f64) -> Option<usize> {
    let last = points.checked_sub(1)?;
    // The share is cut to 0..=1, so the product is a small non-negative number.
    Some((share.clamp(0.0, 1.0) * last as f64).round() as usize)
}

/// What a point says.
pub(crate) fn of_point(point: &TrendPoint, measure: &Measure) -> String {
    let day = format::day(point.day);
    match measure {
        Measure::Score if point.score.is_none() => format!("{day}: no completed run"),
        Measure::Score => format!("{day}: {} ({})", format::score(point.score), words::counts(point.counts)),
        Measure::Violating(unit) => match point.violating {
            None => format!("{day}: {}", why_no_number(point)),
            Some(violating) => format!("{day}: {} short", format::count(violating, unit)),
        },
    }
}

/// Why a day has no number of violating units.
pub(crate) const fn why_no_number(point: &TrendPoint) -> &'static str {
    if point.counts.unknown > 0 {
        "unknown"
    } else if point.counts.not_applicable > 0 {
        "not applicable"
    } else {
        "no completed run"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::NaiveDate;
    use rampart_shared::OutcomeCounts;

    #[test]
    fn the_nearest_point_is_found_also_outside() {
        assert_eq!(nearest(0, 0.5), None);
        assert_eq!([nearest(3, -1.0), nearest(3, 0.3), nearest(3, 2.0)], [Some(0), Some(1), Some(2)]);
    }

    #[test]
    fn a_point_says_its_day_and_value() {
        let counts = OutcomeCounts { pass: 2, fail: 1, unknown: 1, not_applicable: 0 };
        let day = NaiveDate::from_ymd_opt(2026, 11, 7).unwrap();
        let point = TrendPoint { day, counts, score: counts.score(), violating: Some(1) };
        assert_eq!(
            of_point(&point, &Measure::Score),
            "7 Nov: 50–75\u{a0}% (2 hold · 1 falls short · 1 unknown)"
        );
        assert_eq!(of_point(&point, &Measure::Violating("node".into())), "7 Nov: 1 node short");
        let unknown = TrendPoint { violating: None, ..point };
        assert_eq!(of_point(&unknown, &Measure::Violating("node".into())), "7 Nov: unknown");
        let nothing = TrendPoint { counts: OutcomeCounts::default(), ..unknown };
        assert_eq!(of_point(&nothing, &Measure::Violating("node".into())), "7 Nov: no completed run");
    }
}
