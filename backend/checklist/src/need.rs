//! What an item has to see.

use crate::Kind;

/// How an item depends on a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Without all of it there is no pass.
    Required,
    /// It decides only where other evidence leaves the question open; `observe` says where.
    Conditional,
    /// It can show a violation or a remark, and is never needed for a pass.
    Supporting,
}

/// A kind that an item reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Need {
    /// The kind.
    pub kind: Kind,
    /// How the item depends on it.
    pub role: Role,
}

impl Need {
    /// Without all of this kind there is no pass.
    pub const fn required(kind: Kind) -> Need {
        Need { kind, role: Role::Required }
    }

    /// This kind decides where other evidence leaves the question open.
    pub const fn conditional(kind: Kind) -> Need {
        Need { kind, role: Role::Conditional }
    }

    /// This kind can show a violation or a remark.
    pub const fn supporting(kind: Kind) -> Need {
        Need { kind, role: Role::Supporting }
    }
}

/// The kinds from which workloads are put together: pods and everything that makes them.
pub(crate) const WORKLOADS: [Need; 7] = [
    Need::required(Kind::Pods),
    Need::required(Kind::Deployments),
    Need::required(Kind::ReplicaSets),
    Need::required(Kind::StatefulSets),
    Need::required(Kind::DaemonSets),
    Need::required(Kind::Jobs),
    Need::required(Kind::CronJobs),
];
