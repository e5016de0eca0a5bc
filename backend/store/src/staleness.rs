//! What the passing of time makes of a recorded state. Computed on reading, never stored.

use chrono::{DateTime, Utc};
use rampart_shared::{Outcome, api::Freshness};
use std::time::Duration;

/// After so many intervals without a completed run a cluster is stale.
pub const INTERVALS_UNTIL_STALE: u32 = 3;

/// How current a cluster is whose last completed run finished then.
pub fn freshness(
    last_evaluated_at: Option<DateTime<Utc>>,
    interval: Duration,
    now: DateTime<Utc>,
) -> Freshness {
    match last_evaluated_at {
        None => Freshness::NeverEvaluated,
        Some(at) if is_stale(at, interval, now) => Freshness::Stale,
        Some(_) => Freshness::Current,
    }
}

/// The outcome that counts: what was recorded, or unknown when the cluster is not current. What does not apply
/// stays so, as in [`rampart_shared::OutcomeCounts::all_unknown`]: staleness makes nothing count that did not.
pub const fn effective_outcome(recorded: Outcome, freshness: Freshness) -> Outcome {
    match (recorded, freshness) {
        (Outcome::NotApplicable, _) => Outcome::NotApplicable,
        (recorded, Freshness::Current) => recorded,
        (_, Freshness::Stale | Freshness::NeverEvaluated) => Outcome::Unknown,
    }
}

/// Whether more than three intervals lie between the two. A clock that was set back makes nothing stale.
pub(crate) fn is_stale(evaluated_at: DateTime<Utc>, interval: Duration, at: DateTime<Utc>) -> bool {
    (at - evaluated_at).to_std().is_ok_and(|age| age > interval.saturating_mul(INTERVALS_UNTIL_STALE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    #[test]
    fn three_intervals_are_current_and_a_moment_more_is_stale() {
        let hour = Duration::from_secs(3600);
        let then = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let at = |delta| freshness(Some(then), hour, then + delta);
        assert_eq!(at(TimeDelta::hours(3)), Freshness::Current);
        assert_eq!(at(TimeDelta::hours(3) + TimeDelta::milliseconds(1)), Freshness::Stale);
        assert_eq!(at(TimeDelta::hours(-30)), Freshness::Current);
        assert_eq!(freshness(None, hour, then), Freshness::NeverEvaluated);
    }

    #[test]
    fn nothing_applicable_is_known_of_a_stale_cluster() {
        for outcome in [Outcome::Pass, Outcome::Fail, Outcome::Unknown] {
            assert_eq!(effective_outcome(outcome, Freshness::Stale), Outcome::Unknown);
            assert_eq!(effective_outcome(outcome, Freshness::Current), outcome);
        }
        assert_eq!(effective_outcome(Outcome::NotApplicable, Freshness::Stale), Outcome::NotApplicable);
    }
}
