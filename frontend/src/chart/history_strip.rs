//! The outcomes of an item over the last days.

use super::scale::Scale;
use crate::{clock::Clock, components::OutcomeWord, format, words};
use chrono::{DateTime, TimeDelta, Utc};
use leptos::prelude::*;
use rampart_shared::{Outcome, api::OutcomeInterval};

/// How many days the strip spans.
const DAYS: i64 = 90;

/// A strip with a stretch an interval, and the same as a table.
#[component]
pub(crate) fn HistoryStrip(
    /// The intervals, oldest first.
    history: Vec<OutcomeInterval>,
    /// When the state was last evaluated, where that is too long ago to count.
    stale_since: Option<DateTime<Utc>>,
) -> impl IntoView {
    let now = Clock::get().now_untracked();
    let history = match stale_since {
        Some(since) => ended(history, since),
        None => history,
    };
    let from = now - TimeDelta::days(DAYS);
    let stretches: Vec<_> = stretches(&history, from, now)
        .into_iter()
        .map(|stretch| {
            let class = words::outcome_class(stretch.outcome);
            view! {
                <i
                    class=class
                    title=stretch.in_words
                    style:left=format::css_percent(stretch.start)
                    style:width=format::css_percent(stretch.width)
                >
                    {(stretch.width > 0.03).then(|| words::outcome_sign(stretch.outcome, 0))}
                </i>
            }
        })
        .collect();
    let rows: Vec<_> = history
        .iter()
        .rev()
        .map(|interval| view! {
            <tr>
                <td><OutcomeWord outcome=interval.outcome findings=0/></td>
                <td>{interval.basis.map(words::basis)}</td>
                <td>{format::full_day(interval.from.date_naive())}</td>
                <td>{interval.to.map_or_else(|| "now".to_owned(), |to| format::full_day(to.date_naive()))}</td>
                <td>{format::span(interval.to.unwrap_or(now) - interval.from)}</td>
            </tr>
        })
        .collect();
    view! {
        <figure class="history">
            <div class="strip" role="img" aria-label=summary(&history, now)>{stretches}</div>
            <div class="strip-ends muted" aria-hidden="true">
                <span>{format::day(from.date_naive())}</span>
                <span>"today"</span>
            </div>
            <details>
                <summary>"History as a table"</summary>
                <table class="rows">
                    <thead>
                        <tr>
                            <th scope="col">"Outcome"</th>
                            <th scope="col">"Basis"</th>
                            <th scope="col">"From"</th>
                            <th scope="col">"Until"</th>
                            <th scope="col">"For"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </details>
        </figure>
    }
    .into_any()
}

/// What stands on is not known any more since then.
fn ended(mut history: Vec<OutcomeInterval>, since: DateTime<Utc>) -> Vec<OutcomeInterval> {
    if let Some(last) =
        history.last_mut().filter(|last| last.to.is_none() && last.outcome != Outcome::Unknown)
    {
        last.to = Some(since);
        history.push(OutcomeInterval { outcome: Outcome::Unknown, basis: None, from: since, to: None });
    }
    history
}

/// A part of the strip, in shares of its width.
#[derive(Debug, PartialEq)]
struct Stretch {
    outcome: Outcome,
    start: f64,
    width: f64,
    in_words: String,
}

fn stretches(history: &[OutcomeInterval], from: DateTime<Utc>, now: DateTime<Utc>) -> Vec<Stretch> {
    let seconds = |at: DateTime<Utc>| at.timestamp() as f64;
    let across = Scale { values: (seconds(from), seconds(now)), coordinates: (0.0, 1.0) };
    history
        .iter()
        .filter_map(|interval| {
            let start = interval.from.max(from);
            let end = interval.to.unwrap_or(now).min(now);
            (start < end).then(|| Stretch {
                outcome: interval.outcome,
                start: across.place(seconds(start)),
                width: across.place(seconds(end)) - across.place(seconds(start)),
                in_words: format!(
                    "{} from {} {}",
                    words::outcome(interval.outcome),
                    format::day(interval.from.date_naive()),
                    interval.to.map_or_else(
                        || "until now".to_owned(),
                        |to| format!("to {}", format::day(to.date_naive()))
                    )
                ),
            })
        })
        .collect()
}

fn summary(history: &[OutcomeInterval], now: DateTime<Utc>) -> String {
    let Some(last) = history.last() else { return "No outcome yet.".to_owned() };
    let changes = u32::try_from(history.len() - 1).unwrap_or(u32::MAX);
    format!(
        "Outcome over {DAYS} days: {} for {}, {} before.",
        words::outcome(last.outcome),
        format::span(last.to.unwrap_or(now) - last.from),
        format::count(changes, "change")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_are_cut_to_the_days_shown() {
        let now = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        let ago = |days| now - TimeDelta::days(days);
        let interval = |outcome, from, to: Option<i64>| OutcomeInterval {
            outcome,
            basis: None,
            from: ago(from),
            to: to.map(ago),
        };
        let history = [
            interval(Outcome::Fail, 200, Some(100)),
            interval(Outcome::Unknown, 100, Some(45)),
            interval(Outcome::Pass, 45, None),
        ];
        let places: Vec<(Outcome, f64, f64)> = stretches(&history, ago(90), now)
            .into_iter()
            .map(|stretch| (stretch.outcome, stretch.start, stretch.width))
            .collect();
        assert_eq!(places, [(Outcome::Unknown, 0.0, 0.5), (Outcome::Pass, 0.5, 0.5)]);
        assert_eq!(summary(&history, now), "Outcome over 90 days: holds for 45 days, 2 changes before.");
    }

    #[test]
    fn a_stale_outcome_does_not_reach_today() {
        let now = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        let holds = OutcomeInterval {
            outcome: Outcome::Pass,
            basis: None,
            from: now - TimeDelta::days(20),
            to: None,
        };
        let history = ended(vec![holds], now - TimeDelta::days(5));
        let told: Vec<_> = history.iter().map(|interval| (interval.outcome, interval.to)).collect();
        assert_eq!(told, [(Outcome::Pass, Some(now - TimeDelta::days(5))), (Outcome::Unknown, None)]);
    }
}
