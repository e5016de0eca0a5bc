//! Which cluster is being evaluated, and when each is due next: what keeps two runs of one cluster apart.

use super::Status;
use chrono::{DateTime, Utc};
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};
use uuid::Uuid;

/// The state of every cluster.
#[derive(Debug, Default)]
pub(super) struct Runs {
    states: Mutex<BTreeMap<String, State>>,
}

#[derive(Debug)]
enum State {
    Waiting(Option<DateTime<Utc>>),
    Running(Uuid),
}

/// What became of the wish to evaluate a cluster.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// This run is the caller's to carry out.
    Begun(Uuid),
    /// This run is going on already.
    Joined(Uuid),
}

impl Runs {
    /// Makes a cluster known.
    pub(super) fn add(&self, cluster: &str, due: Option<DateTime<Utc>>) {
        self.states().insert(cluster.to_owned(), State::Waiting(due));
    }

    /// Begins this run, unless another one is going on.
    pub(super) fn begin(&self, cluster: &str, run: Uuid) -> Start {
        let mut states = self.states();
        match states.get(cluster) {
            Some(State::Running(other)) => Start::Joined(*other),
            _ => {
                states.insert(cluster.to_owned(), State::Running(run));
                Start::Begun(run)
            }
        }
    }

    /// Ends the run that is going on.
    pub(super) fn end(&self, cluster: &str, due: Option<DateTime<Utc>>) {
        self.add(cluster, due);
    }

    /// The clusters that are due, the longest waiting first.
    pub(super) fn due(&self, now: DateTime<Utc>) -> Vec<String> {
        let mut due: Vec<_> = self
            .states()
            .iter()
            .filter_map(|(name, state)| match state {
                State::Waiting(Some(at)) if *at <= now => Some((*at, name.clone())),
                _ => None,
            })
            .collect();
        due.sort();
        due.into_iter().map(|(_, name)| name).collect()
    }

    /// When the next of those that wait is due.
    pub(super) fn next(&self) -> Option<DateTime<Utc>> {
        self.states().values().filter_map(State::due).min()
    }

    /// What is known about a cluster.
    pub(super) fn status(&self, cluster: &str) -> Status {
        match self.states().get(cluster) {
            Some(State::Running(run)) => Status { running: Some(*run), next_evaluation_at: None },
            Some(state) => Status { running: None, next_evaluation_at: state.due() },
            None => Status::default(),
        }
    }

    fn states(&self) -> MutexGuard<'_, BTreeMap<String, State>> {
        // Every change is a single insertion, so a panic elsewhere leaves nothing half done.
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn due(&self) -> Option<DateTime<Utc>> {
        match self {
            State::Waiting(due) => *due,
            State::Running(_) => None,
        }
    }
}
