//! Whether the API server encrypts Secrets before it writes them to etcd; a part of item 15.

use super::control_plane;
use crate::Kind;
use crate::distribution::Distribution;
use crate::flags::{Flags, Setting};
use crate::inventory::Component;
use crate::judge::{Observation, SeenViolation, Violation};
use crate::workloads::View;
use rampart_shared::{Basis, Gap, GapReason, RestsOn, Scope, Subject};

/// The unit that is examined.
pub(super) const UNIT: &str = "encryption at rest";
/// The rule of every finding.
pub(super) const RULE: &str = "not-encrypted";
/// Where AWS documents that EKS encrypts every object, from Kubernetes 1.28 on.
pub(super) const EKS_DOCUMENTATION: &str =
    "https://docs.aws.amazon.com/eks/latest/userguide/envelope-encryption.html";

const FLAG: &str = "encryption-provider-config";
const EXPECTED: &str = "a configuration that encrypts Secrets";
/// What is not known where only the flag is.
const FILE: &str = "--encryption-provider-config names a file that cannot be seen. Where its first provider for Secrets is \
                    `identity`, nothing is encrypted";
const METRICS: &str = "Let Rampart read /metrics of the API server: its series \
                       apiserver_storage_transformation_operations_total shows whether Secrets are encrypted. \
                       `rampart rbac --control-plane-metrics` prints the grant.";

/// Looks for evidence in the order in which it decides.
pub(super) fn observe(observation: &mut Observation, view: &View<'_>) {
    observation.examined.insert(UNIT.to_owned());
    let metric =
        view.inventory.api_server_metrics.seen.as_ref().is_some_and(|metrics| metrics.encrypts_secrets);
    let pods = control_plane::pods(view, Component::ApiServer);
    if view.distribution == Distribution::OpenShift {
        openshift(observation, view);
    } else if !pods.is_empty() {
        static_pods(observation, view, metric);
    } else if view.distribution == Distribution::K3s {
        k3s(observation, view, metric);
    } else if metric {
        observation.bases.insert(Basis::Observed);
        observation
            .notes
            .push("The API server that answered encrypts Secrets, as its /metrics shows.".to_owned());
    } else if !flagz(observation, view) {
        hidden(observation, view);
    }
}

/// The flag says that there is a configuration. What it says stands in a file, and its first provider may be
/// `identity`, which encrypts nothing: only the metric shows that.
fn static_pods(observation: &mut Observation, view: &View<'_>, metric: bool) {
    let pods = control_plane::pods(view, Component::ApiServer);
    let mut declared = Vec::new();
    for pod in &pods {
        match Flags::of_pod(Component::ApiServer, pod) {
            Err(error) => observation.undecided.push(control_plane::unreadable(pod, &error)),
            Ok(flags) => match flags.text(FLAG) {
                Setting::Known(_) | Setting::Unclear(_) => declared.push(control_plane::name(pod)),
                Setting::Unset => {
                    let mut violation =
                        control_plane::violation(pod, &flags, FLAG, "unset".to_owned(), EXPECTED);
                    violation.rule = RULE;
                    violation.units = vec![UNIT.to_owned()];
                    observation.seen.push(SeenViolation(violation));
                }
            },
        }
    }
    if metric {
        // The metric is that of the one API server that answered; of the others only the flag is known.
        observation.bases.insert(if pods.len() > 1 { Basis::Declared } else { Basis::Observed });
        observation
            .notes
            .push("The API server that answered encrypts Secrets, as its /metrics shows.".to_owned());
    } else if !declared.is_empty() {
        let gap = Gap::new(Kind::ApiServerMetrics.name(), GapReason::NotCollected, FILE)
            .for_objects(declared)
            .closed_by(METRICS);
        without_metric(observation, view, gap);
    }
}

/// `APIServer/cluster` holds what OpenShift's operators put in force.
fn openshift(observation: &mut Observation, view: &View<'_>) {
    let resources = view.inventory.resources(Kind::OpenShiftApiServers);
    let Some(server) = resources.seen.iter().find(|server| server.meta.name == "cluster") else {
        let detail = "APIServer/cluster, which says how OpenShift encrypts, was not seen";
        let missing = Gap::new(Kind::OpenShiftApiServers.name(), GapReason::NotCollected, detail);
        observation.undecided.push(resources.gaps.first().cloned().unwrap_or(missing));
        return;
    };
    let kind = server.body["spec"]["encryption"]["type"].as_str().unwrap_or_default();
    match kind {
        "aescbc" | "aesgcm" | "KMS" => {
            observation.bases.insert(Basis::Declared);
            observation.notes.push(format!("APIServer cluster asks for encryption by {kind}."));
        }
        "" | "identity" => observation.seen.push(SeenViolation(Violation {
            rule: RULE,
            scope: Scope::Application,
            subject: Subject {
                api_version: server.api_version.clone(),
                kind: server.object_kind.clone(),
                namespace: None,
                name: server.meta.name.clone(),
            },
            path: "spec.encryption.type".to_owned(),
            observed: if kind.is_empty() { "unset" } else { kind }.to_owned(),
            expected: "aescbc, aesgcm or KMS".to_owned(),
            note: None,
            discriminator: String::new(),
            units: vec![UNIT.to_owned()],
            rests_on: vec![RestsOn {
                kind: Kind::OpenShiftApiServers.name(),
                object: Some("cluster".to_owned()),
            }],
        })),
        _ => observation.undecided.push(
            Gap::new(
                Kind::OpenShiftApiServers.name(),
                GapReason::NotCollected,
                "APIServer/cluster asks for an encryption that this version of Rampart does not know",
            )
            .closed_by("Nothing yet: a later version of Rampart may know it."),
        ),
    }
}

fn k3s(observation: &mut Observation, view: &View<'_>, metric: bool) {
    let servers = match control_plane::k3s_servers(view) {
        Ok(servers) => servers,
        Err(_) if metric => {
            observation.bases.insert(Basis::Observed);
            return;
        }
        Err(gap) => return observation.undecided.push(*gap),
    };
    observation.bases.insert(Basis::Declared);
    for node in servers {
        let Some(server) = &node.k3s else { continue };
        let by_file = server
            .api_server_args
            .iter()
            .any(|argument| argument.trim_start_matches('-').starts_with("encryption-provider-config="));
        if by_file && !metric {
            let name = node.meta.name.clone();
            let gap =
                Gap::new(Kind::ApiServerMetrics.name(), GapReason::NotCollected, format!("{name}: {FILE}"))
                    .for_objects(vec![name])
                    .closed_by(METRICS);
            without_metric(observation, view, gap);
        }
        if !by_file && !server.secrets_encryption {
            observation.seen.push(SeenViolation(Violation {
                rule: RULE,
                scope: Scope::Application,
                subject: Subject {
                    api_version: "v1".to_owned(),
                    kind: "Node".to_owned(),
                    namespace: None,
                    name: node.meta.name.clone(),
                },
                path: "metadata.annotations[k3s.io/node-args][--secrets-encryption]".to_owned(),
                observed: "unset".to_owned(),
                expected: "true".to_owned(),
                note: None,
                discriminator: String::new(),
                units: vec![UNIT.to_owned()],
                rests_on: vec![RestsOn { kind: Kind::Nodes.name(), object: Some(node.meta.name.clone()) }],
            }));
        }
    }
}

/// `/flagz` of the API server that answered; whether it decided.
fn flagz(observation: &mut Observation, view: &View<'_>) -> bool {
    let Some(value) = view.inventory.api_server_flags.seen.as_ref().and_then(|flags| flags.flags.get(FLAG))
    else {
        return false;
    };
    if value.is_empty() {
        observation.seen.push(SeenViolation(Violation {
            rule: RULE,
            scope: Scope::Application,
            subject: Subject {
                api_version: "v1".to_owned(),
                kind: "Namespace".to_owned(),
                namespace: None,
                name: "kube-system".to_owned(),
            },
            path: format!("kube-apiserver /flagz[--{FLAG}]"),
            observed: "unset".to_owned(),
            expected: EXPECTED.to_owned(),
            note: None,
            discriminator: String::new(),
            units: vec![UNIT.to_owned()],
            rests_on: vec![RestsOn { kind: Kind::ApiServerFlagz.name(), object: None }],
        }));
    } else {
        let gap = Gap::new(Kind::ApiServerMetrics.name(), GapReason::NotCollected, FILE).closed_by(METRICS);
        without_metric(observation, view, gap);
    }
    true
}

/// No API server is seen. AWS documents envelope encryption of every object; Google and Microsoft document that of
/// disks, and offer that of Secrets as a choice which nothing in the cluster shows.
fn hidden(observation: &mut Observation, view: &View<'_>) {
    match view.distribution {
        Distribution::Eks if minor_version(view).is_some_and(|minor| minor >= 28) => {
            observation.bases.insert(Basis::Provider);
            observation.notes.push(format!(
                "AWS documents envelope encryption of all Kubernetes API data from Kubernetes 1.28 on: {EKS_DOCUMENTATION}"
            ));
        }
        Distribution::Gke | Distribution::Aks | Distribution::Eks => {
            let distribution = view.distribution;
            let documentation = documentation(distribution);
            let detail = format!(
                "{distribution} runs the API server and does not show whether it encrypts Secrets before they are written; \
                 the provider's encryption of disks does not protect what is read from etcd"
            );
            let gap = Gap::new(Kind::ApiServerMetrics.name(), GapReason::ProviderManaged, detail)
                .closed_by(format!("{METRICS} How to switch it on: {documentation}"));
            without_metric(observation, view, gap);
        }
        _ => observation.undecided.push(control_plane::no_api_server(view).closed_by(METRICS)),
    }
}

/// Where a provider documents how encryption of Secrets is switched on.
pub(super) const fn documentation(provider: Distribution) -> &'static str {
    match provider {
        Distribution::Gke => "https://cloud.google.com/kubernetes-engine/docs/how-to/encrypting-secrets",
        Distribution::Aks => "https://learn.microsoft.com/azure/aks/kms-data-encryption-concepts",
        _ => EKS_DOCUMENTATION,
    }
}

/// The second number of the API server's version, or of a kubelet's, which is never newer.
fn minor_version(view: &View<'_>) -> Option<u32> {
    let kubelets = view.inventory.nodes.seen.iter().map(|node| node.kubelet_version.as_str());
    view.inventory.version.as_deref().into_iter().chain(kubelets).filter_map(minor).max()
}

fn minor(version: &str) -> Option<u32> {
    let (major, rest) = version.trim_start_matches('v').split_once('.')?;
    let minor: String = rest.chars().take_while(char::is_ascii_digit).collect();
    (major == "1").then(|| minor.parse().ok()).flatten()
}

/// A gap that the metric would close, with the reason why the metric itself was not seen, where there is one.
fn without_metric(observation: &mut Observation, view: &View<'_>, gap: Gap) {
    observation.undecided.extend_from_slice(view.inventory.gaps(Kind::ApiServerMetrics));
    observation.undecided.push(gap);
}
