//! Which runs go on and how the last ones ended.

use crate::{format, words};
use rampart_shared::api::{EvaluationAccepted, Event, RunKind, RunSummary};
use uuid::Uuid;

/// How far a run is.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Progress {
    cluster: String,
    run: Uuid,
    step: Option<String>,
    done: u32,
    total: u32,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
enum End {
    Recorded(RunSummary),
    Failed { cluster: String, detail: String },
}

/// The runs that go on, and those that ended since the last time that none did. Lists all of them: they are
/// short, and the code of maps would be larger.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Runs {
    /// At most one of a cluster.
    going_on: Vec<Progress>,
    ended: Vec<End>,
    /// A run may end before the answer to the request that started it arrives.
    ended_ids: Vec<Uuid>,
}

impl Runs {
    /// Takes an event of the stream.
    pub(crate) fn receive(&mut self, event: Event) {
        match event {
            Event::RunStarted { run, cluster } => self.begin(run, cluster),
            Event::RunProgress { run, cluster, step, done, total } => {
                if !self.ended_ids.contains(&run) {
                    self.begin(run, cluster.clone());
                    self.put(Progress { cluster, run, step: Some(step), done, total });
                }
            }
            Event::RunFinished { run } => {
                self.end(run.id, &run.cluster);
                self.ended.push(End::Recorded(run));
            }
            Event::RunFailed { run, cluster, detail } => {
                self.end(run, &cluster);
                self.ended.push(End::Failed { cluster, detail });
            }
        }
    }

    /// Takes the answer to a request for a run.
    pub(crate) fn accepted(&mut self, accepted: &EvaluationAccepted) {
        self.begin(accepted.run, accepted.cluster.clone());
    }

    /// Takes what an answer says about a run that goes on.
    pub(crate) fn going_on_since_before(&mut self, cluster: &str, run: Uuid) {
        self.begin(run, cluster.to_owned());
    }

    /// Forgets everything, after events were missed.
    pub(crate) fn forget(&mut self) {
        *self = Runs { ended_ids: std::mem::take(&mut self.ended_ids), ..Runs::default() };
    }

    /// Whether a run goes on: of the cluster, or of any where none is named.
    pub(crate) fn is_running(&self, cluster: Option<&str>) -> bool {
        match cluster {
            Some(cluster) => self.progress(cluster).is_some(),
            None => !self.going_on.is_empty(),
        }
    }

    /// Steps done and steps in all: of the cluster, or of all together.
    pub(crate) fn steps(&self, cluster: Option<&str>) -> (u32, u32) {
        self.going_on
            .iter()
            .filter(|progress| cluster.is_none_or(|cluster| cluster == progress.cluster))
            .fold((0, 0), |(done, total), progress| (done + progress.done, total + progress.total))
    }

    /// What goes on or how it ended, in words; empty when there is nothing to say.
    pub(crate) fn in_words(&self, cluster: Option<&str>) -> String {
        match cluster {
            Some(cluster) => match self.progress(cluster) {
                Some(progress) => format::capitalised(&progress.in_words()),
                None => self
                    .ended
                    .iter()
                    .rev()
                    .find(|end| end.cluster() == cluster)
                    .map_or_else(String::new, End::in_words),
            },
            None => match self.going_on.len() {
                0 => self.ends_in_words(),
                1 => self.first_in_words(),
                many => format!("Evaluating {many} clusters. {}", self.first_in_words()),
            },
        }
    }

    fn first_in_words(&self) -> String {
        // The one that got furthest says most.
        self.going_on
            .iter()
            .max_by_key(|progress| progress.done)
            .map_or_else(String::new, |progress| format!("{}: {}", progress.cluster, progress.in_words()))
    }

    fn progress(&self, cluster: &str) -> Option<&Progress> {
        self.going_on.iter().find(|progress| progress.cluster == cluster)
    }

    fn put(&mut self, progress: Progress) {
        self.going_on.retain(|other| other.cluster != progress.cluster);
        self.going_on.push(progress);
    }

    fn ends_in_words(&self) -> String {
        if let [only] = self.ended.as_slice() {
            return format!("{}: {}", only.cluster(), only.in_words());
        }
        if self.ended.is_empty() {
            return String::new();
        }
        // A cluster may have been evaluated more than once meanwhile.
        let clusters = self.ended.iter().enumerate().filter(|(index, end)| {
            self.ended.iter().skip(index + 1).all(|later| later.cluster() != end.cluster())
        });
        let bad = self.ended.iter().filter(|end| end.is_bad()).count();
        let clusters = u32::try_from(clusters.count()).unwrap_or(u32::MAX);
        let told = format!("Evaluated {}", format::count(clusters, "cluster"));
        if bad == 0 { format!("{told}.") } else { format!("{told}, {bad} without a result.") }
    }

    fn begin(&mut self, run: Uuid, cluster: String) {
        if self.ended_ids.contains(&run)
            || self.progress(&cluster).is_some_and(|progress| progress.run == run)
        {
            return;
        }
        if self.going_on.is_empty() {
            self.ended.clear();
        }
        self.put(Progress { cluster, run, step: None, done: 0, total: 0 });
    }

    fn end(&mut self, run: Uuid, cluster: &str) {
        self.going_on.retain(|progress| progress.cluster != cluster);
        self.ended_ids.push(run);
        // No answer is on its way for so long that it would be one of the first.
        if self.ended_ids.len() > 500 {
            self.ended_ids.remove(0);
        }
    }
}

impl Progress {
    fn in_words(&self) -> String {
        match &self.step {
            None => "starting".to_owned(),
            Some(step) if self.total > 0 => format!("{step}, {} of {}", self.done, self.total),
            Some(step) => step.clone(),
        }
    }
}

impl End {
    fn cluster(&self) -> &str {
        match self {
            End::Recorded(run) => &run.cluster,
            End::Failed { cluster, .. } => cluster,
        }
    }

    fn is_bad(&self) -> bool {
        match self {
            End::Recorded(run) => matches!(run.kind, RunKind::Unreachable | RunKind::IdentityChanged),
            End::Failed { .. } => true,
        }
    }

    fn in_words(&self) -> String {
        match self {
            End::Failed { detail, .. } => format!("The run could not be recorded: {detail}"),
            End::Recorded(run) => {
                let told = match run.kind {
                    RunKind::Complete => "Evaluated".to_owned(),
                    RunKind::Partial => "Evaluated in part".to_owned(),
                    kind => format::capitalised(words::run(kind)),
                };
                match (&run.detail, run.changed) {
                    (Some(detail), _) if self.is_bad() => format!("{told}: {detail}"),
                    (_, true) => format!("{told}, with changes."),
                    (_, false) => format!("{told}, nothing changed."),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;

    fn id(number: u128) -> Uuid {
        Uuid::from_u128(number)
    }

    fn started(run: u128, cluster: &str) -> Event {
        Event::RunStarted { run: id(run), cluster: cluster.into() }
    }

    fn progress(run: u128, cluster: &str, done: u32) -> Event {
        Event::RunProgress {
            run: id(run),
            cluster: cluster.into(),
            step: "reading pods".into(),
            done,
            total: 9,
        }
    }

    fn finished(run: u128, cluster: &str, kind: RunKind, detail: Option<&str>) -> Event {
        let at = DateTime::from_timestamp(0, 0).unwrap();
        Event::RunFinished {
            run: RunSummary {
                id: id(run),
                sequence: 1,
                cluster: cluster.into(),
                kind,
                started_at: at,
                finished_at: at,
                detail: detail.map(str::to_owned),
                counts: None,
                changed: false,
            },
        }
    }

    fn after(events: impl IntoIterator<Item = Event>) -> Runs {
        let mut runs = Runs::default();
        events.into_iter().for_each(|event| runs.receive(event));
        runs
    }

    #[test]
    fn a_run_is_told_from_its_start_to_its_end() {
        let mut runs = after([started(1, "eu")]);
        assert_eq!(runs.in_words(Some("eu")), "Starting");
        runs.receive(progress(1, "eu", 3));
        assert_eq!(runs.in_words(Some("eu")), "Reading pods, 3 of 9");
        assert_eq!(runs.in_words(None), "eu: reading pods, 3 of 9");
        assert_eq!(runs.steps(None), (3, 9));
        assert!(runs.is_running(Some("eu")) && !runs.is_running(Some("us")));
        runs.receive(finished(1, "eu", RunKind::Complete, None));
        assert_eq!(runs.in_words(Some("eu")), "Evaluated, nothing changed.");
        assert!(!runs.is_running(None));
        let partial = after([started(2, "eu"), finished(2, "eu", RunKind::Partial, Some("no configz"))]);
        assert_eq!(partial.in_words(Some("eu")), "Evaluated in part, nothing changed.");
    }

    #[test]
    fn several_runs_are_told_together() {
        let mut runs = after([started(1, "eu"), started(2, "us"), progress(2, "us", 4)]);
        assert_eq!(runs.in_words(None), "Evaluating 2 clusters. us: reading pods, 4 of 9");
        runs.receive(finished(1, "eu", RunKind::Complete, None));
        runs.receive(finished(2, "us", RunKind::Unreachable, Some("connection refused")));
        assert_eq!(runs.in_words(None), "Evaluated 2 clusters, 1 without a result.");
        assert_eq!(runs.in_words(Some("us")), "Unreachable: connection refused");
        runs.receive(started(3, "us"));
        assert_eq!(runs.in_words(Some("eu")), "", "a new round forgets the ends of the last");
    }

    #[test]
    fn an_answer_that_comes_after_the_end_starts_nothing() {
        let mut runs = after([started(1, "eu"), finished(1, "eu", RunKind::Complete, None)]);
        runs.accepted(&EvaluationAccepted { run: id(1), cluster: "eu".into(), joined: false });
        runs.receive(progress(1, "eu", 9));
        assert!(!runs.is_running(None));
    }

    #[test]
    fn a_run_that_was_not_recorded_says_why() {
        let failed = Event::RunFailed { run: id(1), cluster: "eu".into(), detail: "the disk is full".into() };
        assert_eq!(
            after([started(1, "eu"), failed]).in_words(None),
            "eu: The run could not be recorded: the disk is full"
        );
    }

    #[test]
    fn what_was_missed_is_forgotten() {
        let mut runs = after([progress(1, "eu", 3)]);
        runs.forget();
        assert_eq!((runs.in_words(None), runs.is_running(None)), (String::new(), false));
    }
}
