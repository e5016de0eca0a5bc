//! Things that could satisfy an item of which one is enough, and the one function that decides among them.

use super::readiness::{State, state};
use super::{name, subject};
use crate::inventory::{Inventory, Kind, Workload};
use crate::judge::{AbsentViolation, Observation, Violation};
use rampart_shared::{Basis, Gap, GapReason, RestsOn, Scope, Subject};

/// Something that was recognised and could satisfy an item.
#[derive(Debug)]
pub struct Candidate {
    /// What it is called.
    pub name: String,
    /// How it stands.
    pub standing: Standing,
}

/// How a candidate stands.
#[derive(Debug)]
pub enum Standing {
    /// It satisfies the item; what the outcome then rests on, and what a person should know of it.
    Works(Basis, Vec<String>),
    /// It falls short.
    Falls(Box<Shortcoming>),
    /// Whether it works was not seen.
    Open(Box<Gap>),
}

/// Why a candidate does not satisfy.
#[derive(Debug)]
pub struct Shortcoming {
    /// Which rule of the item.
    pub rule: &'static str,
    /// The object.
    pub subject: Subject,
    /// The field, relative to the object.
    pub path: &'static str,
    /// What was found.
    pub observed: String,
    /// What should be there.
    pub expected: String,
}

/// An item of which one candidate is enough.
#[derive(Debug)]
pub struct Question<'q> {
    /// The unit that is examined.
    pub unit: &'q str,
    /// What is missing where nothing was recognised: rule, path and the things that were looked for.
    pub none: (&'static str, &'static str, String),
    /// What should be there.
    pub expected: &'q str,
    /// Every kind that could have shown another candidate.
    pub suppliers: &'q [Kind],
}

impl Candidate {
    /// One that works, as was seen.
    pub fn works(name: impl Into<String>, notes: Vec<String>) -> Self {
        Candidate { name: name.into(), standing: Standing::Works(Basis::Observed, notes) }
    }

    /// One that falls short.
    pub fn falls(
        name: impl Into<String>,
        rule: &'static str,
        subject: Subject,
        path: &'static str,
        observed: impl Into<String>,
        expected: impl Into<String>,
    ) -> Self {
        let shortcoming =
            Shortcoming { rule, subject, path, observed: observed.into(), expected: expected.into() };
        Candidate { name: name.into(), standing: Standing::Falls(Box::new(shortcoming)) }
    }

    /// One of which it was not seen whether it works.
    pub fn open(name: impl Into<String>, gap: Gap) -> Self {
        Candidate { name: name.into(), standing: Standing::Open(Box::new(gap)) }
    }

    /// Whether it satisfies the item.
    pub const fn is_working(&self) -> bool {
        matches!(self.standing, Standing::Works(..))
    }
}

/// What keeps workloads from being ready: every DaemonSet must be, and of others one.
///
/// # Errors
/// The candidate to report in place of one that works.
pub fn ready(what: &str, workloads: &[&Workload]) -> Result<(), Box<Candidate>> {
    let (agents, others): (Vec<&Workload>, Vec<&Workload>) =
        workloads.iter().partition(|workload| workload.kind == Kind::DaemonSets);
    for agent in agents {
        not_ready(what, agent)?;
    }
    if others.iter().any(|workload| state(workload) == State::Ready) {
        return Ok(());
    }
    // One of which nothing is known may be the one that is ready.
    let unknown = others.iter().find(|workload| state(workload) == State::NotKnown);
    unknown.or(others.first()).map_or(Ok(()), |workload| not_ready(what, workload))
}

fn not_ready(what: &str, workload: &Workload) -> Result<(), Box<Candidate>> {
    let candidate = match state(workload) {
        State::Ready => return Ok(()),
        State::NotReady { ready, desired } => {
            let (path, expected) = if workload.kind == Kind::DaemonSets {
                ("status.numberReady", "as many pods ready as are scheduled, and at least one")
            } else {
                ("status.readyReplicas", "at least one pod ready")
            };
            let observed = format!("{what}: {ready} of {desired} pods ready");
            Candidate::falls(what, "not-ready", subject(workload), path, observed, expected)
        }
        State::NotKnown => {
            let detail = format!(
                "{} runs {what}, and its status, which says how many of its pods are ready, was not seen",
                name(workload)
            );
            let gap = Gap::new(workload.kind.name(), GapReason::NotCollected, detail)
                .for_objects(vec![format!("{}/{}", workload.meta.namespace_or_default(), workload.meta.name)])
                .closed_by("Evaluate the running cluster, or a snapshot of it, rather than manifests.");
            Candidate::open(what, gap)
        }
    };
    Err(Box::new(candidate))
}

/// Decides among the candidates. One that works is enough, and then the others are remarks. Otherwise an open question
/// leaves the item open; without one, every shortcoming is a violation. Each is an absence: what is missing is one that
/// works, and a kind that was not seen could hold it.
pub fn decide(
    observation: &mut Observation,
    inventory: &Inventory,
    question: &Question<'_>,
    candidates: Vec<Candidate>,
) {
    let works = candidates.iter().any(Candidate::is_working);
    let hidden = question.suppliers.iter().any(|kind| !inventory.gaps(*kind).is_empty());
    let open = candidates.iter().any(|candidate| matches!(candidate.standing, Standing::Open(_)));
    let mut bases: Vec<Basis> = Vec::new();
    let none = candidates.is_empty();
    for Candidate { name, standing } in candidates {
        match standing {
            Standing::Works(basis, notes) => {
                bases.push(basis);
                observation.notes.extend(notes.into_iter().map(|note| format!("{name}: {note}")));
            }
            Standing::Open(gap) if works => observation.listed.push(*gap),
            Standing::Open(gap) => observation.undecided.push(*gap),
            Standing::Falls(shortcoming) => {
                if works || open || hidden {
                    let Shortcoming { path, observed, .. } = &*shortcoming;
                    observation.notes.push(format!("{name} does not count: {path}: {observed}."));
                }
                if works || open {
                    continue;
                }
                let Shortcoming { rule, subject, path, observed, expected } = *shortcoming;
                observation.absent.push(question.violation(rule, subject, path, observed, &expected));
            }
        }
    }
    // The best of those that work is the one that it rests on.
    observation.bases.extend(bases.into_iter().max());
    if none {
        let (rule, path, observed) = question.none.clone();
        let cluster = Subject {
            api_version: "v1".to_owned(),
            kind: "Namespace".to_owned(),
            namespace: None,
            name: "kube-system".to_owned(),
        };
        observation.absent.push(question.violation(rule, cluster, path, observed, question.expected));
    }
}

impl Question<'_> {
    fn violation(
        &self,
        rule: &'static str,
        subject: Subject,
        path: &str,
        observed: String,
        expected: &str,
    ) -> AbsentViolation {
        let rests_on =
            self.suppliers.iter().map(|kind| RestsOn { kind: kind.name(), object: None }).collect();
        AbsentViolation {
            violation: Violation {
                rule,
                scope: Scope::Application,
                subject,
                path: path.to_owned(),
                observed,
                expected: expected.to_owned(),
                note: None,
                discriminator: String::new(),
                units: vec![self.unit.to_owned()],
                rests_on,
            },
            suppliers: self.suppliers.to_vec(),
        }
    }
}
