//! What `/api/v1` answers about remediations and their exports.

use crate::{
    ItemId, Remainder, RemediationInput, RemediationStage, RemediationTable, RemediationTarget, Simulation,
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

wire! {
    /// `GET /clusters/{cluster}/items/{item}/remediation`.
    pub struct RemediationView {
        /// The item.
        pub item: ItemId,
        /// What it changes, and why.
        pub changes: String,
        /// What it may break, and how to see that beforehand.
        pub may_break: String,
        /// How to undo it.
        pub undo: String,
        /// What a person chooses.
        pub inputs: Vec<RemediationInput>,
        /// How many documents of which kind each stage has.
        pub documents: Vec<DocumentCount>,
        /// The stage that is shown.
        pub stage: RemediationStage,
        /// The documents of that stage as they are downloaded; of many the first.
        pub yaml: String,
        /// How many documents of that stage are not shown.
        pub more: u32,
        /// What stays to be done by a person.
        pub remaining: Vec<Remainder>,
        /// What would change for what runs.
        pub tables: Vec<RemediationTable>,
        /// What it would lead to; none where that cannot be simulated.
        pub simulation: Option<Simulation>,
        /// Who took it out of Rampart, the last first.
        pub exports: Vec<Export>,
        /// The run that saw it work: the item held for the first time after an export.
        pub verified: Option<VerifiedRun>,
        /// When the run that it was made from finished.
        pub made_at: DateTime<Utc>,
    }
}

wire! {
    /// How many documents of a kind a stage has.
    pub struct DocumentCount {
        /// The stage.
        pub stage: RemediationStage,
        /// The kind.
        pub target: RemediationTarget,
        /// How many.
        pub documents: u32,
    }
}

wire! {
    /// A remediation that somebody took out of Rampart.
    pub struct Export {
        /// When.
        pub at: DateTime<Utc>,
        /// Who, as they called themselves.
        pub by: String,
        /// The stage.
        pub stage: RemediationStage,
        /// The form.
        pub format: ExportFormat,
    }
}

wire! {
    /// The form of an export.
    pub enum ExportFormat {
        /// All documents in one stream.
        Yaml,
        /// What undoes it, in one stream.
        Undo,
        /// A folder that `kubectl apply -k` takes, as a zip.
        Kustomize,
        /// A kustomize Component with patches, as a zip.
        Component,
    }
}

wire! {
    /// A run that saw an item hold.
    pub struct VerifiedRun {
        /// The run.
        pub run: Uuid,
        /// When it finished.
        pub at: DateTime<Utc>,
    }
}

wire! {
    /// `POST /clusters/{cluster}/items/{item}/remediation/dry-run`: what the API server says to each document.
    pub struct DryRun {
        /// When it was asked.
        pub at: DateTime<Utc>,
        /// An answer for each object, in order.
        pub answers: Vec<DryRunAnswer>,
        /// How many objects were not asked about, since there are too many.
        pub more: u32,
    }
}

wire! {
    /// What the API server says to one object.
    pub struct DryRunAnswer {
        /// The object: kind, namespace and name.
        pub object: String,
        /// What it says.
        pub outcome: DryRunOutcome,
        /// The fields that others own, in the server's words; with these taken over the outcome is as told.
        pub conflict: Option<String>,
        /// Why it is refused or unanswered, in the server's words.
        pub words: Option<String>,
        /// What it warns of.
        pub warnings: Vec<String>,
    }
}

wire! {
    /// What the API server says to an object that would be applied.
    pub enum DryRunOutcome {
        /// It would be taken.
        Accepted,
        /// It would be refused.
        Refused,
        /// There was no answer.
        Unanswered,
    }
}
