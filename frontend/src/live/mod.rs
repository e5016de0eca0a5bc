//! What happens on the server, as it happens.

mod runs;
mod stream;

pub(crate) use runs::Runs;

use leptos::prelude::*;
use rampart_shared::api::Event;
use std::time::Duration;

/// How long finished runs are gathered before pages load again: those of a fleet often end together.
const GATHERING: Duration = Duration::from_millis(200);

/// How the stream of events is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Connection {
    /// Not open yet.
    Connecting,
    /// Events arrive.
    Open,
    /// It broke; the browser tries again.
    Lost,
    /// Closed while nobody looks.
    Paused,
}

/// The events' state for all components.
#[derive(Clone, Copy)]
pub(crate) struct Live {
    connection: RwSignal<Connection>,
    runs: RwSignal<Runs>,
    /// How often something changed of a cluster. A list: a map's code is larger than what it would save.
    news: RwSignal<Vec<(String, u64)>>,
    /// How often everything may have changed.
    news_of_all: RwSignal<u64>,
    gathered: StoredValue<Vec<String>>,
}

impl Live {
    /// Opens the stream for all components below.
    pub(crate) fn provide() {
        let live = Live {
            connection: RwSignal::new(Connection::Connecting),
            runs: RwSignal::new(Runs::default()),
            news: RwSignal::new(Vec::new()),
            news_of_all: RwSignal::new(0),
            gathered: StoredValue::new(Vec::new()),
        };
        provide_context(live);
        stream::follow(live);
    }

    /// The events' state.
    pub(crate) fn get() -> Live {
        expect_context()
    }

    /// How the stream is; tracked.
    pub(crate) fn connection(self) -> Connection {
        self.connection.get()
    }

    /// The runs; tracked.
    pub(crate) fn runs(self) -> RwSignal<Runs> {
        self.runs
    }

    /// A number that grows when something may have changed: of the cluster, or of any where none is named.
    pub(crate) fn news(self, cluster: impl Fn() -> Option<String> + Send + Sync + 'static) -> Memo<u64> {
        Memo::new(move |_| {
            let of_all = self.news_of_all.get();
            let of_clusters = self.news.with(|news| match cluster() {
                Some(cluster) => {
                    news.iter().find(|(name, _)| *name == cluster).map_or(0, |(_, times)| *times)
                }
                None => news.iter().map(|(_, times)| times).sum(),
            });
            of_all + of_clusters
        })
    }

    fn receive(self, event: Event) {
        if let Event::RunFinished { run } = &event {
            let first = self.gathered.with_value(Vec::is_empty);
            self.gathered.update_value(|gathered| gathered.push(run.cluster.clone()));
            if first {
                set_timeout(move || self.announce_news(), GATHERING);
            }
        }
        self.runs.update(|runs| runs.receive(event));
    }

    fn announce_news(self) {
        let clusters = self.gathered.try_update_value(std::mem::take).unwrap_or_default();
        self.news.update(|news| {
            for cluster in clusters {
                match news.iter_mut().find(|(name, _)| *name == cluster) {
                    Some((_, times)) => *times += 1,
                    None => news.push((cluster, 1)),
                }
            }
        });
    }

    /// Events were missed: everything is loaded again.
    fn catch_up(self) {
        self.runs.update(Runs::forget);
        self.news_of_all.update(|news| *news += 1);
    }
}
