//! Runs and findings, as tests need them.

#![allow(dead_code, reason = "each test binary uses its part of them")]

use chrono::{DateTime, TimeDelta, Utc};
use rampart_shared::{
    Basis, Evidence, Finding, Fingerprint, Gap, GapReason, ItemId, ItemResult, Remediation, RestsOn, Scope,
    Source, Subject, Verdict,
};
use rampart_store::{ClusterRegistration, EvaluatedItem, RunOutcome, RunRecord};
use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
use uuid::Uuid;

pub(crate) const HOUR: Duration = Duration::from_secs(3600);
pub(crate) const CONTAINERS: ItemId = ItemId::NonRootContainers;
pub(crate) const KUBELETS: ItemId = ItemId::KubeletAnonymousAuth;

/// So many hours after the midnight at which every test begins.
pub(crate) fn at(hour: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_772_409_600, 0).unwrap() + TimeDelta::hours(hour)
}

/// An active, live cluster that is evaluated every hour.
pub(crate) fn cluster(name: &str) -> ClusterRegistration {
    ClusterRegistration {
        name: name.into(),
        labels: BTreeMap::from([("environment".into(), "test".into())]),
        source: Source::Live,
        interval: HOUR,
        active: true,
    }
}

/// A run that evaluated these items of the cluster `prod` and finished at that hour.
pub(crate) fn run(hour: i64, items: Vec<EvaluatedItem>) -> RunRecord {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    RunRecord {
        id: Uuid::from_u64_pair(NEXT.fetch_add(1, Ordering::Relaxed), 0),
        cluster: "prod".into(),
        started_at: at(hour) - TimeDelta::seconds(4),
        finished_at: at(hour),
        identity: Some("uid-of-prod".into()),
        catalogue: "1".into(),
        parameters_digest: "defaults".into(),
        version: Some("v1.36.0".into()),
        distribution: None,
        details: serde_json::json!({ "read": { "pods": 3 } }),
        outcome: RunOutcome::Evaluated { items, gaps: Vec::new() },
    }
}

/// The same run, of another cluster.
pub(crate) fn of(cluster: &str, mut run: RunRecord) -> RunRecord {
    run.cluster = cluster.into();
    run.identity = Some(format!("uid-of-{cluster}"));
    run
}

/// A run that reached nothing.
pub(crate) fn unreachable(hour: i64) -> RunRecord {
    let mut run = run(hour, Vec::new());
    run.outcome = RunOutcome::Unreachable { detail: "connection refused".into() };
    run.identity = None;
    run
}

/// It holds, for three units.
pub(crate) fn passing(item: ItemId) -> EvaluatedItem {
    evaluated(item, Verdict::Pass(Basis::Observed), Vec::new(), Vec::new())
}

/// It falls short by these findings.
pub(crate) fn failing(item: ItemId, findings: Vec<Finding>) -> EvaluatedItem {
    evaluated(item, Verdict::Fail(Basis::Observed), findings, Vec::new())
}

/// It is not known, for these gaps.
pub(crate) fn unknown(item: ItemId, gaps: Vec<Gap>) -> EvaluatedItem {
    evaluated(item, Verdict::Unknown, Vec::new(), gaps)
}

/// It does not apply.
pub(crate) fn not_applicable(item: ItemId) -> EvaluatedItem {
    evaluated(item, Verdict::NotApplicable, Vec::new(), Vec::new())
}

pub(crate) fn evaluated(
    item: ItemId,
    verdict: Verdict,
    findings: Vec<Finding>,
    gaps: Vec<Gap>,
) -> EvaluatedItem {
    let violating = findings.iter().filter(|finding| finding.scope == Scope::Application).count() as u32;
    let examined = if verdict == Verdict::NotApplicable { 0 } else { violating + 3 };
    let evidence =
        Evidence { unit: "container".into(), examined, violating, findings, gaps, notes: Vec::new() };
    EvaluatedItem {
        result: ItemResult::new(item, verdict, evidence).unwrap(),
        remediation: remediation(item),
    }
}

pub(crate) fn remediation(item: ItemId) -> Remediation {
    Remediation::new(item, "Sets a field.", "Nothing.", "Unset it.")
}

/// A Deployment of the namespace `checkout` whose container runs as root; it rests on the pods.
pub(crate) fn finding(name: &str) -> Finding {
    Finding {
        fingerprint: Fingerprint(format!("fingerprint-{name}")),
        content: "content-unset".into(),
        rule: "run-as-non-root".into(),
        scope: Scope::Application,
        subject: Subject {
            api_version: "apps/v1".into(),
            kind: "Deployment".into(),
            namespace: Some("checkout".into()),
            name: name.into(),
        },
        path: "spec.template.spec.containers[name=app].securityContext.runAsNonRoot".into(),
        observed: "unset".into(),
        expected: "true".into(),
        note: None,
        rests_on: vec![RestsOn { kind: "pods".into(), object: None }],
    }
}

/// A kubelet that lets anybody in; it rests on the list of nodes and on that node's configuration.
pub(crate) fn kubelet_finding(node: &str) -> Finding {
    Finding {
        fingerprint: Fingerprint(format!("fingerprint-{node}")),
        rule: "anonymous".into(),
        subject: Subject {
            api_version: "v1".into(),
            kind: "Node".into(),
            namespace: None,
            name: node.into(),
        },
        path: "authentication.anonymous.enabled".into(),
        observed: "true".into(),
        expected: "false".into(),
        rests_on: vec![
            RestsOn { kind: "nodes".into(), object: None },
            RestsOn { kind: "nodes/configz".into(), object: Some(node.into()) },
        ],
        ..finding(node)
    }
}

/// The API server refused the pods.
pub(crate) fn no_pods() -> Gap {
    Gap::new("pods", GapReason::Forbidden, "pods is forbidden")
}

/// These nodes' kubelets did not answer.
pub(crate) fn no_configz(nodes: &[&str]) -> Gap {
    Gap::new("nodes/configz", GapReason::Failed, "time-out")
        .for_objects(nodes.iter().map(|node| (*node).to_owned()).collect())
}
