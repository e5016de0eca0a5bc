//! What an evaluation may say, and what it rests on.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The outcome of one item for one cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Everything that the item needs was seen, and nothing violates it.
    Pass,
    /// A violation was seen, or an absence established.
    Fail,
    /// No violation was seen, and not everything that could show one was.
    Unknown,
    /// The complete listing holds nothing that the item speaks of.
    NotApplicable,
}

impl Outcome {
    /// The form used in the API and the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Outcome::Pass => "pass",
            Outcome::Fail => "fail",
            Outcome::Unknown => "unknown",
            Outcome::NotApplicable => "not_applicable",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a known outcome rests on. The order is from the weakest to the strongest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// A person said so, with a reason and an expiry.
    Attested,
    /// A documented property of the managed service.
    Provider,
    /// Read from a configuration that should be in force.
    Declared,
    /// Read from the running thing.
    Observed,
}

impl Basis {
    /// The form used in the API and the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Basis::Attested => "attested",
            Basis::Provider => "provider",
            Basis::Declared => "declared",
            Basis::Observed => "observed",
        }
    }
}

impl fmt::Display for Basis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
