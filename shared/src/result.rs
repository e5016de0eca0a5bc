//! The result of one item for one cluster.

use crate::{Basis, Finding, Gap, ItemId, Outcome, Scope};
use serde::{Deserialize, Serialize};

/// An outcome together with what it rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It holds, on this basis.
    Pass(Basis),
    /// It falls short, on this basis.
    Fail(Basis),
    /// It is not known; the gaps say why.
    Unknown,
    /// Nothing to examine.
    NotApplicable,
}

impl Verdict {
    /// The outcome alone.
    pub const fn outcome(self) -> Outcome {
        match self {
            Verdict::Pass(_) => Outcome::Pass,
            Verdict::Fail(_) => Outcome::Fail,
            Verdict::Unknown => Outcome::Unknown,
            Verdict::NotApplicable => Outcome::NotApplicable,
        }
    }

    /// The basis; none for unknown and not applicable.
    pub const fn basis(self) -> Option<Basis> {
        match self {
            Verdict::Pass(basis) | Verdict::Fail(basis) => Some(basis),
            Verdict::Unknown | Verdict::NotApplicable => None,
        }
    }
}

/// What was looked at, what violates, and what was not seen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Evidence {
    /// What `examined` and `violating` count: `container`, `node`, `namespace`, …
    pub unit: String,
    /// Units examined in application scope, once per owner.
    pub examined: u32,
    /// Units that violate, of those examined.
    pub violating: u32,
    /// Every violation, those of system namespaces included.
    pub findings: Vec<Finding>,
    /// What was not seen.
    pub gaps: Vec<Gap>,
    /// Remarks that change nothing.
    pub notes: Vec<String>,
}

/// The result of one item for one cluster: an outcome that its evidence supports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "WireResult", into = "WireResult")]
pub struct ItemResult {
    id: ItemId,
    verdict: Verdict,
    evidence: Evidence,
}

/// An outcome and evidence that contradict one another.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the result of {item} contradicts itself: {contradiction}")]
pub struct InconsistentResult {
    item: ItemId,
    contradiction: &'static str,
}

impl ItemResult {
    /// Joins a verdict and its evidence.
    ///
    /// # Errors
    /// When the evidence does not support the verdict: a pass with violations or with nothing examined, a
    /// failure without a violation, an unknown without a gap, a not-applicable with something examined.
    pub fn new(id: ItemId, verdict: Verdict, evidence: Evidence) -> Result<Self, InconsistentResult> {
        let contradiction = if evidence.violating > evidence.examined {
            Some("more units violate than were examined")
        } else {
            match verdict.outcome() {
                Outcome::Pass if evidence.examined == 0 => Some("pass with nothing examined"),
                Outcome::Pass if evidence.violating > 0 => Some("pass with a violation"),
                Outcome::Fail if evidence.violating == 0 => Some("fail without a violation"),
                Outcome::Unknown if evidence.gaps.is_empty() => Some("unknown without a gap"),
                Outcome::Unknown if evidence.violating > 0 => Some("unknown with a violation"),
                Outcome::NotApplicable if evidence.examined > 0 => Some("not applicable, yet examined"),
                _ => None,
            }
        };
        match contradiction {
            Some(contradiction) => Err(InconsistentResult { item: id, contradiction }),
            None => Ok(ItemResult { id, verdict, evidence }),
        }
    }

    /// Which item.
    pub const fn id(&self) -> ItemId {
        self.id
    }

    /// Outcome and basis.
    pub const fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// The outcome.
    pub const fn outcome(&self) -> Outcome {
        self.verdict.outcome()
    }

    /// What it rests on.
    pub const fn basis(&self) -> Option<Basis> {
        self.verdict.basis()
    }

    /// The evidence.
    pub const fn evidence(&self) -> &Evidence {
        &self.evidence
    }

    /// The findings that decide the outcome.
    pub fn application_findings(&self) -> impl Iterator<Item = &Finding> {
        self.evidence.findings.iter().filter(|finding| finding.scope == Scope::Application)
    }
}

/// The flat form in which a result crosses borders.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireResult {
    id: ItemId,
    outcome: Outcome,
    basis: Option<Basis>,
    unit: String,
    examined: u32,
    violating: u32,
    findings: Vec<Finding>,
    gaps: Vec<Gap>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
}

impl From<ItemResult> for WireResult {
    fn from(result: ItemResult) -> Self {
        let Evidence { unit, examined, violating, findings, gaps, notes } = result.evidence;
        WireResult {
            id: result.id,
            outcome: result.verdict.outcome(),
            basis: result.verdict.basis(),
            unit,
            examined,
            violating,
            findings,
            gaps,
            notes,
        }
    }
}

impl TryFrom<WireResult> for ItemResult {
    type Error = InconsistentResult;

    fn try_from(wire: WireResult) -> Result<Self, Self::Error> {
        let contradiction = |contradiction| InconsistentResult { item: wire.id, contradiction };
        let verdict = match (wire.outcome, wire.basis) {
            (Outcome::Pass, Some(basis)) => Verdict::Pass(basis),
            (Outcome::Fail, Some(basis)) => Verdict::Fail(basis),
            (Outcome::Unknown, None) => Verdict::Unknown,
            (Outcome::NotApplicable, None) => Verdict::NotApplicable,
            (Outcome::Pass | Outcome::Fail, None) => {
                return Err(contradiction("a known outcome without a basis"));
            }
            (_, Some(_)) => return Err(contradiction("a basis without a known outcome")),
        };
        let WireResult { id, unit, examined, violating, findings, gaps, notes, .. } = wire;
        ItemResult::new(id, verdict, Evidence { unit, examined, violating, findings, gaps, notes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence(examined: u32, violating: u32) -> Evidence {
        Evidence { unit: "node".into(), examined, violating, ..Evidence::default() }
    }

    #[test]
    fn contradictions_are_refused() {
        let result = |verdict, evidence| ItemResult::new(ItemId::EtcdTls, verdict, evidence);
        assert!(result(Verdict::Pass(Basis::Observed), evidence(0, 0)).is_err());
        assert!(result(Verdict::Pass(Basis::Observed), evidence(2, 1)).is_err());
        assert!(result(Verdict::Fail(Basis::Observed), evidence(2, 0)).is_err());
        assert!(result(Verdict::Unknown, evidence(2, 0)).is_err());
        assert!(result(Verdict::NotApplicable, evidence(2, 0)).is_err());
        assert!(result(Verdict::Pass(Basis::Observed), evidence(2, 0)).is_ok());
    }

    #[test]
    fn deserialising_checks_too() {
        let json = r#"{"id":"etcd-tls","outcome":"pass","basis":"observed","unit":"member",
            "examined":0,"violating":0,"findings":[],"gaps":[]}"#;
        let error = serde_json::from_str::<ItemResult>(json).unwrap_err().to_string();
        assert!(error.contains("pass with nothing examined"), "{error}");
        let good = json.replace("\"examined\":0", "\"examined\":3");
        let result: ItemResult = serde_json::from_str(&good).unwrap();
        assert_eq!(
            serde_json::from_str::<ItemResult>(&serde_json::to_string(&result).unwrap()).unwrap(),
            result
        );
    }
}
