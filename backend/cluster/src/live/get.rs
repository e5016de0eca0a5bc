//! The one way in which a cluster is asked, bounded in size and time.
//!
//! kube's own typed calls log whole bodies when they do not parse, and read them unbounded; nothing here uses them.

use super::Retry;
use super::kubelets::ACCESS_REVIEWS;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, RETRY_AFTER, WARNING};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use kube::client::Body;
use rampart_checklist::Kind;
use rampart_checklist::remedy::FIELD_MANAGER;
use rampart_shared::{Gap, GapReason};
use serde::Deserialize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;
use thiserror::Error;
use tokio::time::{Instant, sleep, timeout_at};

/// Bytes of an answer that says what went wrong.
const MAX_ERROR_BYTES: usize = 64 << 10;
/// Bytes of a line of text.
const MAX_LINE_BYTES: usize = 64 << 10;
/// Warnings of one answer.
const MAX_WARNINGS: usize = 20;
/// The parameter without which something would change.
const DRY_RUN: &str = "dryRun=All";
/// Characters of the server's own words.
const MAX_WORDS: usize = 400;

/// Asks one API server.
#[derive(Clone)]
pub(super) struct Server {
    pub(super) client: kube::Client,
    pub(super) retry: Retry,
    /// When everything has to be done.
    pub(super) deadline: Instant,
    /// What was asked for with `get` and `list` so far.
    pub(super) reads: Arc<Tally>,
    /// The access reviews so far.
    pub(super) reviews: Arc<Tally>,
    /// The tokens that were asked for so far.
    pub(super) tokens: Arc<Tally>,
    /// The dry runs so far.
    pub(super) dry_runs: Arc<Tally>,
}

/// Requests, repeated ones too, and the bytes of what they were answered with.
#[derive(Debug, Default)]
pub(super) struct Tally {
    requests: AtomicU32,
    bytes: AtomicU64,
}

impl Tally {
    /// Requests, and bytes of answers.
    pub(super) fn now(&self) -> (u32, u64) {
        (self.requests.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed))
    }
}

/// How long and how much one answer may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) bytes: usize,
    pub(super) time: Duration,
}

/// Why something was not answered.
#[derive(Debug, Clone, Error)]
pub(super) enum Failure {
    #[error("the API server answered 401: {0}")]
    Unauthorized(String),
    #[error("{0}")]
    Forbidden(String),
    #[error("{0}")]
    NotFound(String),
    #[error("{0}")]
    Gone(String),
    #[error("the API server answered {code}: {words}")]
    Status { code: u16, words: String, retry_after: Option<Duration> },
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
    #[error("no answer within {} ms", .0.as_millis())]
    TimedOut(Duration),
    #[error("the run's time ended before the answer came")]
    OutOfTime,
    #[error("{0}")]
    Broken(String),
    #[error("the answer cannot be used: {0}")]
    Malformed(String),
}

impl Failure {
    /// Whether the same question may get another answer a moment later.
    fn may_pass(&self) -> bool {
        match self {
            Failure::TimedOut(_) | Failure::Broken(_) => true,
            Failure::Status { code, .. } => *code == 429 || *code >= 500,
            _ => false,
        }
    }

    pub(super) fn reason(&self) -> GapReason {
        match self {
            Failure::Forbidden(_) => GapReason::Forbidden,
            Failure::NotFound(_) => GapReason::NotServed,
            _ => GapReason::Failed,
        }
    }

    /// The gap that it leaves in a kind.
    pub(super) fn gap(&self, kind: Kind) -> Gap {
        Gap::new(kind.name(), self.reason(), self.to_string())
    }
}

impl Server {
    /// Nothing was asked yet, and everything has to be done within the time.
    pub(super) fn new(client: kube::Client, retry: Retry, time: Duration) -> Self {
        Server {
            client,
            retry,
            deadline: Instant::now() + time,
            reads: Arc::default(),
            reviews: Arc::default(),
            tokens: Arc::default(),
            dry_runs: Arc::default(),
        }
    }

    /// Asks, and asks again for what may pass.
    pub(super) async fn get(&self, path: &str, bounds: Bounds) -> Result<Vec<u8>, Failure> {
        let request = || Request::get(path).header(ACCEPT, "application/json").body(Body::empty());
        self.ask(request, bounds, &self.reads).await
    }

    /// Asks for another form than plain JSON.
    pub(super) async fn get_as(
        &self,
        path: &str,
        accept: &'static str,
        bounds: Bounds,
    ) -> Result<Vec<u8>, Failure> {
        self.ask(|| Request::get(path).header(ACCEPT, accept).body(Body::empty()), bounds, &self.reads).await
    }

    /// Asks for text, once, and gives it line by line without holding it. Longer lines than a name and its labels
    /// take are left out.
    pub(super) async fn lines(
        &self,
        path: &str,
        bounds: Bounds,
        mut line: impl FnMut(&str),
    ) -> Result<u64, Failure> {
        let own = Instant::now() + bounds.time;
        let read = async {
            let request = Request::get(path).header(ACCEPT, "text/plain").body(Body::empty());
            let request = request.map_err(|error| Failure::Broken(error.to_string()))?;
            let (_, mut body) = self.open(request).await?;
            let mut rest: Vec<u8> = Vec::new();
            let mut bytes = 0;
            let mut tell = |row: &[u8]| std::str::from_utf8(row).map(&mut line).unwrap_or_default();
            while let Some(frame) = body.frame().await {
                let frame = frame.map_err(|error| Failure::Broken(causes(&error)))?;
                let Ok(data) = frame.into_data() else { continue };
                bytes += data.len();
                if bytes > bounds.bytes {
                    return Err(Failure::TooLarge(bounds.bytes));
                }
                let mut rows = data.split(|byte| *byte == b'\n');
                let last = rows.next_back().unwrap_or_default();
                for row in rows {
                    if rest.is_empty() {
                        tell(row);
                    } else {
                        rest.extend_from_slice(row);
                        tell(&rest);
                        rest.clear();
                    }
                }
                if rest.len() + last.len() <= MAX_LINE_BYTES {
                    rest.extend_from_slice(last);
                }
            }
            tell(&rest);
            Ok(bytes as u64)
        };
        match timeout_at(own.min(self.deadline), read).await {
            Ok(answer) => answer,
            Err(_) if own < self.deadline => Err(Failure::TimedOut(bounds.time)),
            Err(_) => Err(Failure::OutOfTime),
        }
    }

    /// Sends a JSON document, and sends it again for what may pass: only for what changes nothing.
    pub(super) async fn post(
        &self,
        path: &str,
        document: Vec<u8>,
        bounds: Bounds,
    ) -> Result<Vec<u8>, Failure> {
        let request = || {
            Request::post(path)
                .header(ACCEPT, "application/json")
                .header(CONTENT_TYPE, "application/json")
                .body(Body::from(document.clone()))
        };
        let tally = if path == ACCESS_REVIEWS { &self.reviews } else { &self.tokens };
        self.ask(request, bounds, tally).await
    }

    /// Asks what would become of a JSON document, or of a strategic merge patch, and asks again for what may pass.
    pub(super) async fn dry_run(
        &self,
        method: Method,
        path: &str,
        document: &[u8],
        bounds: Bounds,
    ) -> Result<Vec<u8>, Failure> {
        let sort = match method {
            Method::PATCH => "application/strategic-merge-patch+json",
            _ => "application/json",
        };
        let uri = format!("{path}?{DRY_RUN}&fieldManager=rampart-probe");
        let request = || {
            Request::builder()
                .method(method.clone())
                .uri(uri.as_str())
                .header(ACCEPT, "application/json")
                .header(CONTENT_TYPE, sort)
                .body(Body::from(document.to_vec()))
        };
        self.ask(request, bounds, &self.dry_runs).await
    }

    /// Asks, once, what would become of a server-side apply of an object or of a part of one. What the API server warns
    /// of comes back.
    pub(super) async fn dry_run_apply(
        &self,
        path: &str,
        object: &serde_json::Value,
        force: bool,
        bounds: Bounds,
    ) -> Result<Vec<String>, Failure> {
        let document = serde_json::to_vec(object).map_err(|error| Failure::Malformed(error.to_string()))?;
        let request = Request::patch(format!(
            "{path}?{DRY_RUN}&fieldManager={FIELD_MANAGER}&fieldValidation=Strict&force={force}"
        ))
        .header(ACCEPT, "application/json")
        .header(CONTENT_TYPE, "application/apply-patch+yaml")
        .body(Body::from(document))
        .map_err(|error| Failure::Broken(error.to_string()))?;
        self.dry_runs.requests.fetch_add(1, Ordering::Relaxed);
        let own = Instant::now() + bounds.time;
        let asked = async {
            let (headers, body) = self.open(request).await?;
            self.dry_runs.bytes.fetch_add(whole(body, bounds.bytes).await?.len() as u64, Ordering::Relaxed);
            Ok(warnings(&headers))
        };
        match timeout_at(own.min(self.deadline), asked).await {
            Ok(answer) => answer,
            Err(_) if own < self.deadline => Err(Failure::TimedOut(bounds.time)),
            Err(_) => Err(Failure::OutOfTime),
        }
    }

    async fn ask(
        &self,
        request: impl Fn() -> Result<Request<Body>, http::Error>,
        bounds: Bounds,
        tally: &Tally,
    ) -> Result<Vec<u8>, Failure> {
        let mut wait = self.retry.first_wait;
        for _ in 1..self.retry.attempts {
            let request = request().map_err(|error| Failure::Broken(error.to_string()))?;
            match self.attempt(request, bounds, tally).await {
                Err(failure) if failure.may_pass() => {
                    let asked = match &failure {
                        Failure::Status { retry_after, .. } => retry_after.unwrap_or_default(),
                        _ => Duration::ZERO,
                    };
                    let pause = wait.max(asked).min(self.retry.longest_wait);
                    if Instant::now() + pause >= self.deadline {
                        return Err(failure);
                    }
                    sleep(pause).await;
                    wait *= 2;
                }
                answer => return answer,
            }
        }
        let request = request().map_err(|error| Failure::Broken(error.to_string()))?;
        self.attempt(request, bounds, tally).await
    }

    async fn attempt(
        &self,
        request: Request<Body>,
        bounds: Bounds,
        tally: &Tally,
    ) -> Result<Vec<u8>, Failure> {
        tally.requests.fetch_add(1, Ordering::Relaxed);
        let own = Instant::now() + bounds.time;
        match timeout_at(own.min(self.deadline), self.answer(request, bounds.bytes)).await {
            Ok(answer) => {
                let bytes = answer.as_ref().map_or(0, |body| body.len() as u64);
                tally.bytes.fetch_add(bytes, Ordering::Relaxed);
                answer
            }
            Err(_) if own < self.deadline => Err(Failure::TimedOut(bounds.time)),
            Err(_) => Err(Failure::OutOfTime),
        }
    }

    /// The headers and the body of an answer that is no refusal.
    async fn open(&self, request: Request<Body>) -> Result<(HeaderMap, Body), Failure> {
        let response = self.client.send(request).await.map_err(|error| Failure::Broken(causes(&error)))?;
        let (head, body) = response.into_parts();
        if head.status.is_success() {
            return Ok((head.headers, body));
        }
        let words = match Limited::new(body, MAX_ERROR_BYTES).collect().await {
            Ok(body) => words(&head.headers, &body.to_bytes()),
            Err(_) => None,
        };
        Err(refusal(head.status, &head.headers, words))
    }

    async fn answer(&self, request: Request<Body>, max_bytes: usize) -> Result<Vec<u8>, Failure> {
        let (_, body) = self.open(request).await?;
        whole(body, max_bytes).await
    }
}

async fn whole(body: Body, max_bytes: usize) -> Result<Vec<u8>, Failure> {
    match Limited::new(body, max_bytes).collect().await {
        Ok(body) => Ok(body.to_bytes().into()),
        Err(error) if error.is::<LengthLimitError>() => Err(Failure::TooLarge(max_bytes)),
        Err(error) => Err(Failure::Broken(causes(error.as_ref()))),
    }
}

/// What an answer warns of: `299 - "text"`, as RFC 7234 has it. The words come from the cluster and are bounded.
fn warnings(headers: &HeaderMap) -> Vec<String> {
    let texts = headers.get_all(WARNING).iter().filter_map(|value| {
        let text = value.to_str().ok()?.split_once('"')?.1.rsplit_once('"')?.0;
        Some(text.replace("\\\"", "\"").chars().filter(|c| !c.is_control()).take(MAX_WORDS).collect())
    });
    texts.take(MAX_WARNINGS).collect()
}

fn refusal(status: StatusCode, headers: &HeaderMap, words: Option<String>) -> Failure {
    let code = status.as_u16();
    let words =
        words.unwrap_or_else(|| status.canonical_reason().map_or_else(|| code.to_string(), str::to_owned));
    match code {
        401 => Failure::Unauthorized(words),
        403 => Failure::Forbidden(words),
        404 => Failure::NotFound(words),
        410 => Failure::Gone(words),
        _ => {
            let seconds = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
            Failure::Status { code, words, retry_after: seconds.map(Duration::from_secs) }
        }
    }
}

#[derive(Deserialize)]
struct Status {
    kind: String,
    #[serde(default)]
    message: String,
}

/// The server's own words: a Status' message, or the first line of plain text, which kubelets answer with. Anything
/// else is not shown.
fn words(headers: &HeaderMap, body: &[u8]) -> Option<String> {
    let text = match serde_json::from_slice::<Status>(body) {
        Ok(status) if status.kind == "Status" => status.message,
        _ => {
            let sort = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
            if !sort.starts_with("text/plain") {
                return None;
            }
            std::str::from_utf8(body).ok()?.lines().next().unwrap_or_default().to_owned()
        }
    };
    let text: String = text.chars().filter(|c| !c.is_control()).take(MAX_WORDS).collect();
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// The causes of an error, outermost first, each once.
pub(super) fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        // Some errors say their cause themselves.
        if !parts.iter().any(|part| part.contains(&text)) {
            parts.push(text);
        }
        next = error.source();
    }
    let text: String = parts.join(": ").chars().filter(|c| !c.is_control()).take(MAX_WORDS).collect();
    text
}
