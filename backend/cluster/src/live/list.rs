//! Every object of a kind, page by page.

use super::CollectOptions;
use super::discovery::ServedResource;
use super::get::{Bounds, Failure, Server};
use super::page::{Page, project_page, record_page};
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
    /// The verb that the API server knows it by.
    pub verb: &'static str,
    /// The path that was asked for; `*` stands for many resources, and `NODE` for many nodes.
    pub path: String,
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
    /// The objects as an archive keeps them, where one is to be written.
    pub(super) recorded: Vec<String>,
    pub(super) gaps: Vec<Gap>,
}

/// Why a list was not read, where the run cannot go on either.
pub(super) type Unauthorized = Failure;

/// Lists a kind: its one resource, or each of the many that Gatekeeper's constraints are. What came before a failure
/// was seen and stays.
pub(super) async fn list(
    server: &Server,
    kind: Kind,
    resources: Vec<ServedResource>,
    options: &CollectOptions,
) -> Result<Listed, Unauthorized> {
    let started = Instant::now();
    let path = match resources.as_slice() {
        [one] => one.path(),
        [first, ..] => ServedResource { resource: "*".to_owned(), ..first.clone() }.path(),
        [] => String::new(),
    };
    let read = KindRead {
        kind,
        verb: "list",
        path,
        objects: 0,
        pages: 0,
        bytes: 0,
        milliseconds: 0,
        refused: false,
    };
    let mut listed = Listed { read, objects: Vec::new(), recorded: Vec::new(), gaps: Vec::new() };
    for resource in &resources {
        list_resource(server, resource, options, &mut listed).await?;
    }
    let Listed { read, gaps, .. } = &mut listed;
    read.milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::debug!(
        kind = kind.name().as_str(),
        objects = read.objects,
        pages = read.pages,
        bytes = read.bytes,
        gaps = gaps.len(),
        "listed"
    );
    Ok(listed)
}

async fn list_resource(
    server: &Server,
    resource: &ServedResource,
    options: &CollectOptions,
    listed: &mut Listed,
) -> Result<(), Unauthorized> {
    let kind = listed.read.kind;
    let mut pages = Pages::new(kind, resource);
    let mut restarts = 0;
    let failure = loop {
        match pages.next(server, options).await {
            Ok(true) => {}
            Ok(false) => break None,
            Err(failure @ Failure::Unauthorized(_)) => return Err(failure),
            Err(Failure::Gone(_)) if restarts < RESTARTS => {
                restarts += 1;
                pages = Pages { pages: pages.pages, bytes: pages.bytes, ..Pages::new(kind, resource) };
            }
            Err(failure) => break Some(failure),
        }
    };
    let Pages { objects, recorded, malformed, pages, bytes, .. } = pages;
    listed.read.objects += objects.len() as u64;
    listed.read.pages += pages;
    listed.read.bytes += bytes;
    listed.read.refused |= matches!(failure, Some(Failure::Forbidden(_)));
    listed.objects.extend(objects);
    listed.recorded.extend(recorded);
    listed.gaps.extend(malformed_gaps(kind, malformed));
    listed.gaps.extend(failure.map(|failure| failure.gap(kind)));
    Ok(())
}

struct Pages<'a> {
    kind: Kind,
    resource: &'a ServedResource,
    pages: u32,
    bytes: u64,
    objects: Vec<Object>,
    recorded: Vec<String>,
    malformed: BTreeMap<String, Vec<Option<String>>>,
    interner: Interner,
    next: Option<String>,
}

impl<'a> Pages<'a> {
    fn new(kind: Kind, resource: &'a ServedResource) -> Self {
        let (objects, malformed) = (Vec::new(), BTreeMap::new());
        Pages {
            kind,
            resource,
            pages: 0,
            bytes: 0,
            objects,
            recorded: Vec::new(),
            malformed,
            interner: Interner::default(),
            next: None,
        }
    }

    /// Reads a page; whether there is another.
    async fn next(&mut self, server: &Server, options: &CollectOptions) -> Result<bool, Failure> {
        if self.pages >= MAX_PAGES {
            return Err(Failure::Malformed(format!("it goes on after {MAX_PAGES} pages")));
        }
        let mut path = format!("{}?limit={}", self.resource.path(), options.page_size);
        if let Some(next) = &self.next {
            path.push_str("&continue=");
            path.extend(utf8_percent_encode(next, NON_ALPHANUMERIC));
        }
        let bounds = Bounds { bytes: options.max_page_bytes, time: options.request_timeout };
        let body = server.get(&path, bounds).await?;
        self.pages += 1;
        self.bytes += body.len() as u64;
        let Page { objects, malformed, next } =
            project_page(self.kind, &self.resource.api_version, &body, &mut self.interner)
                .map_err(Failure::Malformed)?;
        self.objects.extend(objects);
        if let Some(key) = &options.record {
            self.recorded.extend(record_page(self.kind, &self.resource.api_version, &body, key));
        }
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
