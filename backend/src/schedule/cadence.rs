//! When a cluster is due. Pure: the same name, cadence and time give the same answer.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use croner::Cron;
use sha2::{Digest, Sha256};
use std::time::Duration;

/// How often a cluster is evaluated.
#[derive(Debug, Clone)]
pub enum Cadence {
    /// Once in every interval.
    Every(Duration),
    /// Whenever a cron expression says so.
    Cron {
        /// The expression.
        pattern: Box<Cron>,
        /// Where its hours are counted.
        timezone: Tz,
    },
}

/// How many times of a cron expression at least tell what the longest time between two of them is: a year of
/// days. Those that come more often are followed through a week and its end.
const OCCURRENCES: usize = 400;
const WEEK: TimeDelta = TimeDelta::days(8);
const MOST_OCCURRENCES: usize = 20_000;

impl Cadence {
    /// Whether there is any time at which it is due.
    pub(crate) fn ever_comes(&self) -> bool {
        self.after(DateTime::UNIX_EPOCH + TimeDelta::days(20_000)).is_some()
    }

    /// The longest time between two evaluations that are due, as it stands at this time.
    pub fn longest_interval(&self, from: DateTime<Utc>) -> Duration {
        match self {
            Cadence::Every(interval) => *interval,
            Cadence::Cron { .. } => {
                let times: Vec<_> = std::iter::successors(self.after(from), |at| self.after(*at))
                    .take(MOST_OCCURRENCES)
                    .enumerate()
                    .take_while(|(number, at)| *number < OCCURRENCES || *at - from <= WEEK)
                    .map(|(_, at)| at)
                    .collect();
                let longest = times.windows(2).filter_map(|pair| (pair[1] - pair[0]).to_std().ok()).max();
                // An expression with one time left, in a year that it names.
                longest.unwrap_or(Duration::from_secs(366 * 24 * 3600))
            }
        }
    }

    /// The first due time after this one, before jitter.
    fn after(&self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self {
            Cadence::Every(interval) => {
                // A grid that starts with the epoch: a restart does not move it.
                let interval = i64::try_from(interval.as_millis()).ok().filter(|interval| *interval > 0)?;
                let next =
                    at.timestamp_millis().div_euclid(interval).checked_add(1)?.checked_mul(interval)?;
                DateTime::from_timestamp_millis(next)
            }
            Cadence::Cron { pattern, timezone } => {
                let next = pattern.find_next_occurrence(&at.with_timezone(timezone), false).ok()?;
                Some(next.with_timezone(&Utc))
            }
        }
    }
}

/// The due times of one cluster.
#[derive(Debug, Clone)]
pub struct DueTimes {
    cadence: Cadence,
    jitter: TimeDelta,
}

impl DueTimes {
    /// The due times of the cluster of this name.
    pub fn new(cadence: Cadence, cluster: &str) -> DueTimes {
        let jitter = jitter(&cadence, cluster);
        DueTimes { cadence, jitter }
    }

    /// The first due time after this one; none when there is none any more.
    pub fn after(&self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        Some(self.cadence.after(at - self.jitter)? + self.jitter)
    }

    /// When to evaluate first after a start: at once if a due time was missed or nothing was ever evaluated.
    pub fn first(&self, last_evaluated: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match last_evaluated {
            None => Some(now),
            // A clock that was set back must not keep a cluster waiting for the time to come again.
            Some(at) => self.after(at.min(now)).map(|due| due.max(now)),
        }
    }

    /// The longest time between two due times.
    pub fn longest_interval(&self, from: DateTime<Utc>) -> Duration {
        self.cadence.longest_interval(from)
    }
}

/// Keeps clusters from being read all at once: by their names, the same after every start. At most a tenth of
/// the interval; a person who writes a cron expression means that time, so there at most a minute.
fn jitter(cadence: &Cadence, cluster: &str) -> TimeDelta {
    let most = match cadence {
        Cadence::Every(interval) => *interval / 10,
        Cadence::Cron { .. } => Duration::from_secs(60),
    };
    let most = i64::try_from(most.as_millis()).unwrap_or(i64::MAX);
    let digest = Sha256::digest(cluster.as_bytes());
    let fraction = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]);
    let part = i128::from(most) * i128::from(fraction) / (i128::from(u32::MAX) + 1);
    TimeDelta::milliseconds(i64::try_from(part).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn cron(text: &str, timezone: Tz) -> Cadence {
        Cadence::Cron { pattern: Box::new(text.parse().unwrap()), timezone }
    }

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn jitter_is_stable_bounded_and_differs_by_name() {
        let jitters: Vec<_> =
            (0..100).map(|number| jitter(&Cadence::Every(HOUR), &format!("cluster-{number}"))).collect();
        assert!(jitters.iter().all(|jitter| (TimeDelta::zero()..TimeDelta::minutes(6)).contains(jitter)));
        let mut different = jitters.clone();
        different.sort();
        different.dedup();
        assert!(different.len() > 95, "{}", different.len());
        // A literal, so that an upgrade does not move everybody's evaluations.
        assert_eq!(jitter(&Cadence::Every(HOUR), "production"), TimeDelta::milliseconds(241_249));
        assert!(jitter(&cron("0 6 * * *", Tz::UTC), "production") < TimeDelta::minutes(1));
    }

    #[test]
    fn intervals_are_a_grid_that_a_restart_does_not_move() {
        let times = DueTimes { cadence: Cadence::Every(HOUR), jitter: TimeDelta::minutes(2) };
        assert_eq!(times.after(at("2026-11-23T10:00:00Z")), Some(at("2026-11-23T10:02:00Z")));
        assert_eq!(times.after(at("2026-11-23T10:02:00Z")), Some(at("2026-11-23T11:02:00Z")));
    }

    #[test]
    fn one_catch_up_only_where_a_due_time_was_missed() {
        let times = DueTimes { cadence: Cadence::Every(HOUR), jitter: TimeDelta::minutes(2) };
        let now = at("2026-11-23T10:30:00Z");
        assert_eq!(times.first(None, now), Some(now));
        assert_eq!(times.first(Some(at("2026-11-23T10:02:01Z")), now), Some(at("2026-11-23T11:02:00Z")));
        assert_eq!(times.first(Some(at("2026-11-23T10:01:59Z")), now), Some(now));
        assert_eq!(times.first(Some(at("2026-11-20T10:02:00Z")), now), Some(now));
        assert_eq!(times.first(Some(at("2027-01-01T00:00:00Z")), now), Some(at("2026-11-23T11:02:00Z")));
    }

    #[test]
    fn cron_counts_in_its_timezone_through_the_change_of_clocks() {
        let berlin = cron("0 6 * * *", Tz::Europe__Berlin);
        assert_eq!(berlin.after(at("2026-10-24T05:00:00Z")), Some(at("2026-10-25T05:00:00Z")));
        assert_eq!(berlin.after(at("2026-10-23T05:00:00Z")), Some(at("2026-10-24T04:00:00Z")));
        assert_eq!(
            cron("0 6 * * *", Tz::UTC).after(at("2026-10-24T06:00:00Z")),
            Some(at("2026-10-25T06:00:00Z"))
        );
    }

    #[test]
    fn the_longest_interval_of_a_cron_expression_spans_its_gaps() {
        let workdays = cron("0 8 * * 1-5", Tz::UTC);
        assert_eq!(workdays.longest_interval(at("2026-11-23T00:00:00Z")), 72 * HOUR);
        let every_minute_of_workdays = cron("* 8-17 * * 1-5", Tz::UTC);
        let weekend = 62 * HOUR + Duration::from_secs(60);
        assert_eq!(every_minute_of_workdays.longest_interval(at("2026-11-23T08:00:00Z")), weekend);
        assert_eq!(cron("*/15 * * * *", Tz::UTC).longest_interval(at("2026-11-23T00:00:00Z")), HOUR / 4);
    }

    #[test]
    fn a_day_that_never_comes_is_noticed() {
        assert!(!cron("0 0 30 2 *", Tz::UTC).ever_comes());
        assert!(cron("0 0 29 2 *", Tz::UTC).ever_comes());
    }
}
