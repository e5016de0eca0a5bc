//! From the days that the store keeps to the days that a person sees.

use crate::staleness::is_stale;
use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use rampart_shared::{OutcomeCounts, api::TrendPoint};
use std::time::Duration;

/// A day of a cluster, or of one item of it, as the day's last completed run left it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RecordedDay {
    pub(crate) day: NaiveDate,
    pub(crate) finished_at: DateTime<Utc>,
    pub(crate) counts: OutcomeCounts,
    pub(crate) violating: u32,
}

/// The recorded days of one cluster, oldest first, among them the last one before the trend begins.
#[derive(Debug, Clone)]
pub(crate) struct ClusterDays {
    pub(crate) interval: Duration,
    pub(crate) days: Vec<RecordedDay>,
}

/// The first day of a trend of so many days that ends today.
pub(crate) fn first_day(days: u32, now: DateTime<Utc>) -> NaiveDate {
    let back = Days::new(u64::from(days.max(1) - 1));
    now.date_naive().checked_sub_days(back).unwrap_or(NaiveDate::MIN)
}

/// A point a day, by the rules of [`crate::History::trend`].
pub(crate) fn points(clusters: &[ClusterDays], first: NaiveDate, now: DateTime<Utc>) -> Vec<TrendPoint> {
    let mut cursors = vec![0; clusters.len()];
    first
        .iter_days()
        .take_while(|day| *day <= now.date_naive())
        .map(|day| {
            let mut counts = OutcomeCounts::default();
            let mut violating = 0;
            let mut known = false;
            for (cluster, cursor) in clusters.iter().zip(&mut cursors) {
                while cluster.days.get(*cursor).is_some_and(|recorded| recorded.day <= day) {
                    *cursor += 1;
                }
                let Some(recorded) = cursor.checked_sub(1).and_then(|last| cluster.days.get(last)) else {
                    continue;
                };
                if counts_as_recorded(recorded, cluster.interval, day, now) {
                    // Nought violations of an item that nobody could judge would read as none.
                    known |= recorded.day == day && recorded.counts != recorded.counts.all_unknown();
                    counts += recorded.counts;
                    violating += recorded.violating;
                } else {
                    counts += recorded.counts.all_unknown();
                }
            }
            TrendPoint { day, counts, score: counts.score(), violating: known.then_some(violating) }
        })
        .collect()
}

fn counts_as_recorded(
    recorded: &RecordedDay,
    interval: Duration,
    day: NaiveDate,
    now: DateTime<Utc>,
) -> bool {
    if day == now.date_naive() {
        return !is_stale(recorded.finished_at, interval, now);
    }
    recorded.day == day || !is_stale(recorded.finished_at, interval, end_of(day))
}

fn end_of(day: NaiveDate) -> DateTime<Utc> {
    day.succ_opt().unwrap_or(NaiveDate::MAX).and_time(NaiveTime::MIN).and_utc()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    const HOUR: Duration = Duration::from_secs(3600);
    const PASSING: OutcomeCounts = OutcomeCounts { pass: 2, fail: 1, unknown: 0, not_applicable: 1 };

    fn day(number: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 3, number).unwrap()
    }

    fn recorded(number: u32, hour: u32) -> RecordedDay {
        let finished_at = day(number).and_hms_opt(hour, 0, 0).unwrap().and_utc();
        RecordedDay { day: day(number), finished_at, counts: PASSING, violating: 5 }
    }

    fn trend(interval: Duration, days: Vec<RecordedDay>, now: DateTime<Utc>) -> Vec<TrendPoint> {
        points(&[ClusterDays { interval, days }], day(2), now)
    }

    #[test]
    fn a_day_without_a_run_is_unknown_after_three_intervals() {
        let now = recorded(5, 6).finished_at;
        let points = trend(HOUR, vec![recorded(2, 12), recorded(4, 3)], now);
        assert_eq!(points.iter().map(|p| p.day).collect::<Vec<_>>(), [day(2), day(3), day(4), day(5)]);
        assert_eq!(points[0].counts, PASSING, "a past day with a run is known, whatever hour it ran");
        assert_eq!(points[0].violating, Some(5));
        assert_eq!(points[1].counts, PASSING.all_unknown());
        assert_eq!(points[1].violating, None);
        assert_eq!(points[2].counts, PASSING);
        assert_eq!(points[3].counts, PASSING.all_unknown(), "today is judged now");
    }

    #[test]
    fn a_long_interval_carries_the_last_state_over_days_without_a_run() {
        let now = recorded(5, 6).finished_at;
        let points = trend(HOUR * 24, vec![recorded(1, 12)], now);
        assert_eq!(points[0].counts, PASSING);
        assert_eq!(points[0].violating, None, "no run on that day");
        assert_eq!(points[1].counts, PASSING, "2.5 days at its end");
        assert_eq!(points[2].counts, PASSING.all_unknown(), "3.5 days at its end");
    }

    #[test]
    fn before_its_first_run_a_cluster_counts_nowhere() {
        let points = trend(HOUR, vec![recorded(4, 12)], recorded(4, 13).finished_at);
        assert_eq!(points[0].counts, OutcomeCounts::default());
        assert_eq!(points[0].score, None);
        assert_eq!(points[2].counts, PASSING);
    }

    #[test]
    fn today_turns_unknown_as_soon_as_the_cluster_is_stale() {
        let last = recorded(3, 4);
        let at = |delta| trend(HOUR, vec![last], last.finished_at + delta)[1].counts;
        assert_eq!(at(TimeDelta::hours(3)), PASSING);
        assert_eq!(at(TimeDelta::hours(4)), PASSING.all_unknown());
    }

    #[test]
    fn an_unknown_item_has_no_number_of_violations() {
        let unknown = OutcomeCounts { unknown: 1, ..OutcomeCounts::default() };
        let finished_at = day(4).and_hms_opt(9, 0, 0).unwrap().and_utc();
        let recorded = RecordedDay { day: day(4), finished_at, counts: unknown, violating: 0 };
        let clusters = [ClusterDays { interval: HOUR, days: vec![recorded] }];
        let points = points(&clusters, day(4), finished_at);
        assert_eq!(points[0].violating, None);
    }
}
