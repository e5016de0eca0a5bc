//! What a file turned out to hold.

use super::Manifest;
use super::definition::Definition;
use rampart_checklist::inventory::{ApiServerFlags, ApiServerMetrics, KubeletConfiguration, OtherPolicyKind};
use rampart_checklist::{Kind, Object};
use std::collections::BTreeMap;

/// What one file holds, in order.
#[derive(Debug)]
pub(super) struct FileEntries {
    /// Its path, relative to the folder or archive, with `/`.
    pub(super) file: String,
    /// What it holds.
    pub(super) entries: Vec<Entry>,
}

/// Something that was found.
#[derive(Debug)]
pub(super) struct Entry {
    /// The line where it begins; none where the file does not show it.
    pub(super) line: Option<u64>,
    /// What it is.
    pub(super) what: What,
}

/// What was found.
#[derive(Debug)]
pub(super) enum What {
    /// An object that items read.
    Object(Box<Object>),
    /// A kind of which there are none here, or none that matter: it was collected.
    Collected(Kind),
    /// The effective configuration of a node's kubelet.
    Kubelet {
        /// The node.
        node: String,
        /// Its kubelet's configuration.
        configuration: KubeletConfiguration,
    },
    /// Which kubelets let in requests without credentials, by node.
    KubeletAnonymous(BTreeMap<String, bool>),
    /// What the API server's `/flagz` said.
    Flags(ApiServerFlags),
    /// What the API server's `/metrics` said.
    Metrics(ApiServerMetrics),
    /// The API server's version.
    Version(String),
    /// What the snapshot says of itself.
    Manifest(Manifest),
    /// An object of a kind that can isolate pods and is not understood.
    PolicyKind(OtherPolicyKind),
    /// A CustomResourceDefinition.
    Definition(Definition),
    /// What came before is every CustomResourceDefinition of the cluster.
    EveryDefinition,
    /// An object of a kind that no item reads.
    Other,
    /// A document that cannot be used.
    Broken(Broken),
}

/// A document that cannot be used.
#[derive(Debug)]
pub(super) struct Broken {
    /// Of which kinds it may hold objects.
    pub(super) hides: Hides,
    /// What is wrong.
    pub(super) cause: String,
}

/// Of which kinds a broken document may hold objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Hides {
    /// Its kind cannot be read: any.
    EveryKind,
    /// Of these; none when no item reads its kind.
    Kinds(Vec<Kind>),
    /// This object, by `name` or `namespace/name`.
    Object(Kind, String),
}

impl Entry {
    pub(super) fn at(line: u64, what: What) -> Self {
        Entry { line: Some(line), what }
    }

    pub(super) fn broken(line: Option<u64>, hides: Hides, cause: impl Into<String>) -> Self {
        Entry { line, what: What::Broken(Broken { hides, cause: cause.into() }) }
    }
}
