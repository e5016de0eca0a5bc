//! What happens, as server-sent events.

use crate::{
    events::Published,
    http::{App, extract::Visible, problem::ApiError},
};
use axum::{
    extract::State,
    http::HeaderMap,
    response::sse::{self, KeepAlive, Sse},
};
use futures::Stream;
use rampart_shared::api::{Event, Problem};
use rampart_store::{ClusterScope, History, StoreError};
use std::{convert::Infallible, time::Duration};
use tokio::sync::broadcast::error::RecvError;

/// How often a quiet stream says that it is alive.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// How many finished runs are told to a reader who missed them. One who missed more reads everything anew.
const MOST_MISSED: u32 = 500;

/// Runs as they begin, get on and end. Each event's data is an `Event`; the id of an ended run is its sequence.
/// A reader that comes back with `Last-Event-ID` is told the runs that ended since.
#[utoipa::path(
    get, path = "/events", tag = "evaluation",
    params(("last-event-id" = Option<i64>, Header, description = "The last id that the reader saw")),
    responses(
        (status = 200, body = Event, content_type = "text/event-stream"),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json")
    )
)]
pub(super) async fn events(
    State(app): State<App>,
    Visible(scope): Visible,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<sse::Event, Infallible>>>, ApiError> {
    // Listening comes before reading, so that nothing falls between the two.
    let mut live = app.events.subscribe();
    let newest = newest_sequence(&app, &scope).await?;
    let last_seen: Option<i64> = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
    // A number that this history has not reached comes from another one.
    let mut last = last_seen.filter(|last| (0..=newest).contains(last)).unwrap_or(newest);
    let missed = missed(&app, &scope, last).await?;
    let running: Vec<Event> = app
        .scheduler
        .clusters()
        .filter(|cluster| scope.sees(cluster))
        .filter_map(|cluster| {
            let run = app.scheduler.status(cluster).running?;
            Some(Event::RunStarted { run, cluster: cluster.to_owned() })
        })
        .collect();

    let stream = async_stream::stream! {
        for event in missed.into_iter().chain(running) {
            let published = Published::from(event);
            last = published.sequence.unwrap_or(last);
            yield Ok(message(&published));
        }
        loop {
            let received = tokio::select! {
                received = live.recv() => received,
                () = app.stop.cancelled() => break,
            };
            match received {
                Ok(published) => {
                    let told = published.sequence.is_some_and(|sequence| sequence <= last);
                    if !told && scope.sees(cluster(&published.event)) {
                        last = published.sequence.unwrap_or(last);
                        yield Ok(message(&published));
                    }
                }
                // Too slow: the history has what was lost.
                Err(RecvError::Lagged(_)) => match self::missed(&app, &scope, last).await {
                    Ok(missed) => for event in missed {
                        let published = Published::from(event);
                        last = published.sequence.unwrap_or(last);
                        yield Ok(message(&published));
                    },
                    // The browser comes back and asks again.
                    Err(_) => break,
                },
                Err(RecvError::Closed) => break,
            }
        }
    };
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

async fn newest_sequence(app: &App, scope: &ClusterScope) -> Result<i64, StoreError> {
    let page = app.store.runs(scope, None, 1, None).await?;
    Ok(page.runs.first().map_or(0, |run| run.sequence))
}

async fn missed(app: &App, scope: &ClusterScope, last: i64) -> Result<Vec<Event>, StoreError> {
    let after = last.max(newest_sequence(app, scope).await? - i64::from(MOST_MISSED));
    let runs = app.store.runs_after(scope, after, MOST_MISSED).await?;
    Ok(runs.into_iter().map(|run| Event::RunFinished { run }).collect())
}

fn cluster(event: &Event) -> &str {
    match event {
        Event::RunStarted { cluster, .. }
        | Event::RunProgress { cluster, .. }
        | Event::RunFailed { cluster, .. } => cluster,
        Event::RunFinished { run } => &run.cluster,
    }
}

fn message(published: &Published) -> sse::Event {
    let event = sse::Event::default().event(published.event.name());
    let event = match published.sequence {
        Some(sequence) => event.id(sequence.to_string()),
        None => event,
    };
    match serde_json::to_string(&published.event) {
        Ok(json) => event.data(json),
        Err(error) => {
            tracing::error!("an event cannot be written as JSON: {error}");
            event.comment("lost")
        }
    }
}
