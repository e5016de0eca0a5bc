use crate::support::{GatedCollector, Server, cluster, request};
use axum::{
    body::Body,
    http::{Method, StatusCode},
};
use chrono::TimeDelta;
use http_body_util::BodyExt;
use std::time::Duration;
use tower::ServiceExt;

/// A stream of server-sent events, read as a browser does.
struct Stream {
    body: Body,
    buffer: String,
}

#[derive(Debug)]
struct Message {
    event: String,
    id: Option<i64>,
    data: serde_json::Value,
}

impl Stream {
    async fn open(server: &Server, last_event_id: Option<&str>) -> Stream {
        let mut request = request(Method::GET, "/api/v1/events");
        if let Some(id) = last_event_id {
            request.headers_mut().insert("last-event-id", id.parse().unwrap());
        }
        let response = server.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Stream { body: response.into_body(), buffer: String::new() }
    }

    /// The next message; none when the stream ends.
    async fn next(&mut self) -> Option<Message> {
        loop {
            if let Some((message, rest)) = self.buffer.split_once("\n\n") {
                let field = |name: &str| {
                    message
                        .lines()
                        .find_map(|line| line.strip_prefix(name))
                        .map(|value| value.trim().to_owned())
                };
                let event = field("event:").unwrap();
                let mut data: serde_json::Value = serde_json::from_str(&field("data:").unwrap()).unwrap();
                assert_eq!(data.as_object().unwrap().len(), 1, "the event's name is the one key");
                let message = Message {
                    id: field("id:").map(|id| id.parse().unwrap()),
                    data: data[&event].take(),
                    event,
                };
                self.buffer = rest.to_owned();
                return Some(message);
            }
            let frame = tokio::time::timeout(Duration::from_secs(10), self.body.frame()).await.unwrap();
            let data = frame?.unwrap().into_data().unwrap();
            self.buffer.push_str(std::str::from_utf8(&data).unwrap());
        }
    }
}

#[tokio::test]
async fn a_run_is_told_from_beginning_to_end() {
    let server = Server::evaluated().await;
    let mut stream = Stream::open(&server, None).await;
    let run = server.post("/api/v1/clusters/prod/evaluate").await.json()["run"].clone();
    let mut names = Vec::new();
    let last = loop {
        let message = stream.next().await.unwrap();
        names.push(message.event.clone());
        if message.event == "run_finished" {
            break message;
        }
        assert_eq!(message.data["run"], run);
        assert_eq!(message.id, None);
    };
    assert_eq!(names, ["run_started", "run_progress", "run_progress", "run_finished"]);
    assert_eq!(last.data["run"]["id"], run);
    assert_eq!(last.id, Some(2));
}

#[tokio::test]
async fn a_reader_that_comes_back_is_told_what_it_missed() {
    let server = Server::evaluated().await;
    for _ in 0..2 {
        server.clock.advance(TimeDelta::minutes(1));
        server.evaluate("prod").await;
    }
    let mut stream = Stream::open(&server, Some("1")).await;
    assert_eq!(stream.next().await.unwrap().id, Some(2));
    assert_eq!(stream.next().await.unwrap().id, Some(3));
    server.evaluate("prod").await;
    let mut ids = Vec::new();
    while ids.is_empty() {
        ids.extend(stream.next().await.unwrap().id);
    }
    assert_eq!(ids, [4]);
}

#[tokio::test]
async fn a_new_reader_is_told_what_is_going_on_and_nothing_old() {
    let server = Server::of(vec![cluster("prod", GatedCollector::closed())]).await;
    let run = server.scheduler.evaluate("prod").unwrap().run;
    for id in [None, Some("999"), Some("nonsense"), Some("-5")] {
        let mut stream = Stream::open(&server, id).await;
        let message = stream.next().await.unwrap();
        assert_eq!(message.event, "run_started", "{id:?}");
        assert_eq!(message.data["run"], run.to_string());
    }
}

#[tokio::test]
async fn streams_end_when_rampart_stops() {
    let server = Server::evaluated().await;
    let mut stream = Stream::open(&server, None).await;
    server.stop.cancel();
    assert!(stream.next().await.is_none());
}
