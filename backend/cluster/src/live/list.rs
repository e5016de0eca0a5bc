//! Every object of a kind, page by page.

use super::CollectOptions;
use super::get::{Bounds, Failure, Server};
use super::page::{Page, project_page};
use crate::intern::Interner;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rampart_checklist::{Kind, Object};
use rampart_shared::{Gap, GapReason};
use std::collections::BTreeMap;
use tokio::time::Instant;

/// How often a list whose continuation expired is begun again.
const RESTARTS: u32 = 3;
/// Two million objects in pages of 500: a server that never ends is not listened to for ever.
const MAX_PAGES: u32 = 4_000;
/// Malformed items beyond this are not named.
const MAX_NAMED: usize = 1_000;

/// How reading a kind went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KindRead {
    /// The kind.
    pub kind: Kind,
    /// Objects that were read.
    pub objects: u64,
    /// Pages, or single answers, that were read.
    pub pages: u32,
    /// Bytes that were read.
    pub bytes: u64,
    /// How long it took.
    pub milliseconds: u64,
    /// Whether the API server refused.
    pub refused: bool,
}

/// What a list gave.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) read: KindRead,
    pub(super) objects: Vec<Object>,
    pub(super) gaps: Vec<Gap>,
}

/// Why a list was not read, where the run cannot go on either.
pub(super) type Unauthorized = Failure;

/// Lists a kind. What came before a failure was seen and stays.
pub(super) async fn list(
    server: &Server,
    kind: Kind,
    options: &CollectOptions,
) -> Result<Listed, Unauthorized> {
    let started = Instant::now();
    let mut pages = Pages::new(kind);
    let mut restarts = 0;
    let failure = loop {
        match pages.next(server, options).await {
            Ok(true) => {}
            Ok(false) => break None,
            Err(failure @ Failure::Unauthorized(_)) => return Err(failure),
            Err(Failure::Gone(_)) if restarts < RESTARTS => {
                restarts += 1;
                pages = Pages { read: pages.read, ..Pages::new(kind) };
                pages.read.objects = 0;
            }
            Err(failure) => break Some(failure),
        }
    };
    let Pages { mut read, objects, malformed, .. } = pages;
    read.milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    read.refused = matches!(failure, Some(Failure::Forbidden(_)));
    let mut gaps = malformed_gaps(kind, malformed);
    gaps.extend(failure.map(|failure| failure.gap(kind)));
    tracing::debug!(
        kind = kind.resource(),
        objects = read.objects,
        pages = read.pages,
        bytes = read.bytes,
        gaps = gaps.len(),
        "listed"
    );
    Ok(Listed { read, objects, gaps })
}

struct Pages {
    read: KindRead,
    objects: Vec<Object>,
    malformed: BTreeMap<String, Vec<Option<String>>>,
    interner: Interner,
    next: Option<String>,
}

impl Pages {
    fn new(kind: Kind) -> Self {
        let read = KindRead { kind, objects: 0, pages: 0, bytes: 0, milliseconds: 0, refused: false };
        let (objects, malformed) = (Vec::new(), BTreeMap::new());
        Pages { read, objects, malformed, interner: Interner::default(), next: None }
    }

    /// Reads a page; whether there is another.
    async fn next(&mut self, server: &Server, options: &CollectOptions) -> Result<bool, Failure> {
        if self.read.pages >= MAX_PAGES {
            return Err(Failure::Malformed(format!("it goes on after {MAX_PAGES} pages")));
        }
        let mut path = format!("{}?limit={}", list_path(self.read.kind), options.page_size);
        if let Some(next) = &self.next {
            path.push_str("&continue=");
            path.extend(utf8_percent_encode(next, NON_ALPHANUMERIC));
        }
        let bounds = Bounds { bytes: options.max_page_bytes, time: options.request_timeout };
        let body = server.get(&path, bounds).await?;
        self.read.pages += 1;
        self.read.bytes += body.len() as u64;
        let Page { objects, malformed, next } =
            project_page(self.read.kind, &body, &mut self.interner).map_err(Failure::Malformed)?;
        self.read.objects += objects.len() as u64;
        self.objects.extend(objects);
        for (name, cause) in malformed {
            self.malformed.entry(cause).or_default().push(name);
        }
        if next.is_some() && next == self.next {
            return Err(Failure::Malformed("it continues where it is".to_owned()));
        }
        self.next = next;
        Ok(self.next.is_some())
    }
}

/// `/api/v1/pods`, `/apis/apps/v1/deployments`.
pub(super) fn list_path(kind: Kind) -> String {
    format!("{}/{}", version_path(kind), kind.resource())
}

/// `/api/v1`, `/apis/apps/v1`.
pub(super) fn version_path(kind: Kind) -> String {
    let root = if kind.group().is_empty() { "api" } else { "apis" };
    format!("/{root}/{}", kind.api_version())
}

/// One gap for each cause: over the items that it names, or over the kind where it cannot name all.
fn malformed_gaps(kind: Kind, malformed: BTreeMap<String, Vec<Option<String>>>) -> Vec<Gap> {
    malformed
        .into_iter()
        .map(|(cause, names)| {
            let count = names.len();
            let objects: Option<Vec<String>> =
                if count > MAX_NAMED { None } else { names.into_iter().collect() };
            let detail = match count {
                1 => format!("an item of the list is malformed: {cause}"),
                _ => format!("{count} items of the list are malformed: {cause}"),
            };
            let mut objects = objects.unwrap_or_default();
            objects.sort();
            Gap::new(kind.name(), GapReason::Failed, detail).for_objects(objects)
        })
        .collect()
}
