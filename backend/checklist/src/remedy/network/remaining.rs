//! What only a person can do: run something that enforces policies, and take away what other policies open.

use super::{Openers, Wanted, ignores_network_policies};
use crate::inventory::Kind;
use crate::network::PolicyReference;
use crate::remedy::remainder;
use crate::workloads::View;
use rampart_shared::{Finding, Remainder, Subject};
use std::collections::{BTreeMap, BTreeSet};

/// What these findings leave to a person, each task once.
pub(super) fn of<'f>(
    view: &View<'_>,
    findings: impl Iterator<Item = &'f Finding>,
    wanted: &Wanted<'_>,
    openers: &Openers,
) -> Vec<Remainder> {
    let mut by_task: BTreeMap<String, Vec<&Finding>> = BTreeMap::new();
    for finding in findings {
        by_task.entry(task(view, finding, wanted, openers)).or_default().push(finding);
    }
    by_task.into_iter().filter_map(|(task, findings)| remainder(task, findings)).collect()
}

fn task(view: &View<'_>, finding: &Finding, wanted: &Wanted<'_>, openers: &Openers) -> String {
    match finding.rule.as_str() {
        "not-enforced" => enforce(&finding.subject, &finding.observed),
        "not-enforced-on-node" => {
            "Run these pods on nodes where NetworkPolicies take effect: take their namespace or labels out of the \
             Fargate profile, or give them Linux nodes. Where they have to stay, restrict them with what the provider \
             has, such as security groups for pods, and waive the finding with that reason. No object of the cluster \
             moves a running pod."
                .to_owned()
        }
        _ if ignores_network_policies(view) => {
            "Set enable-k8s-networkpolicy to \"true\" in ConfigMap kube-system/cilium-config (in Cilium's chart, \
             k8sNetworkPolicy.enabled), and restart the agents: kubectl --namespace kube-system rollout restart \
             daemonset/cilium. Until then Cilium leaves NetworkPolicies out of account, and any that Rampart could add \
             would do nothing; then every one that is there comes into force at once. Evaluate again afterwards."
                .to_owned()
        }
        _ => open(finding, wanted, openers),
    }
}

/// How the network plugin comes to enforce policies. Each takes a restart or an installation, and brings every policy
/// that is there into force at once: a person picks the time.
fn enforce(subject: &Subject, observed: &str) -> String {
    let how = match (subject.kind.as_str(), subject.name.as_str()) {
        ("ConfigMap", "cilium-config") => {
            "Set enable-policy to \"default\" and policy-audit-mode to \"false\" in ConfigMap \
             kube-system/cilium-config (in Cilium's chart, policyEnforcementMode and policyAuditMode), and restart the \
             agents: kubectl --namespace kube-system rollout restart daemonset/cilium."
        }
        ("ConfigMap", _) => {
            "Set enable-network-policy-controller to \"true\" in ConfigMap kube-system/amazon-vpc-cni, and \
             networkPolicy: DefaultAllow in the NodeClass: \
             https://docs.aws.amazon.com/eks/latest/userguide/auto-net-pol.html."
        }
        ("Node", _) => {
            "Take --disable-network-policy out of the options of every k3s server and restart k3s: \
             https://docs.k3s.io/networking/networking-services#network-policy-controller."
        }
        _ if observed.contains("VPC CNI") => {
            "Set enableNetworkPolicy to \"true\" in the configuration of the EKS add-on vpc-cni: \
             https://docs.aws.amazon.com/eks/latest/userguide/cni-network-policy-configure.html."
        }
        _ if observed.contains("kindnetd") => {
            "Make the cluster again with the node image of kind v0.24 or later, whose kindnetd enforces \
             NetworkPolicies."
        }
        _ => {
            "Install what enforces NetworkPolicies: kube-network-policies beside flannel, which leaves the network as \
             it is (https://github.com/kubernetes-sigs/kube-network-policies); Calico for policies with flannel for \
             the network, known as Canal (https://docs.tigera.io/calico/latest/getting-started/kubernetes/flannel/install-for-flannel); \
             or another plugin in its place, such as Cilium or Calico."
        }
    };
    format!("{how} Every policy that is there comes into force at once, so pick the time.")
}

/// Policies that go on allowing everything: of administrators, of Cilium's or Calico's kinds, or several together.
fn open(finding: &Finding, wanted: &Wanted<'_>, openers: &Openers) -> String {
    let Subject { namespace, name, kind, .. } = &finding.subject;
    let of_namespace = if kind == "Namespace" {
        openers.get(name)
    } else {
        openers.get(namespace.as_deref().unwrap_or_default())
    };
    let is_meant = |policy: &PolicyReference| {
        policy.namespace.as_ref().is_none_or(|of_policy| Some(of_policy) == namespace.as_ref())
            && (policy.subject() == finding.subject || finding.observed.contains(&policy.to_string()))
    };
    let of_finding = wanted.open.iter().map(|(policy, _)| policy).filter(|policy| is_meant(policy));
    let named: BTreeSet<&PolicyReference> = of_finding.chain(of_namespace.into_iter().flatten()).collect();
    let commands: Vec<String> = named.into_iter().map(delete).collect();
    let how = match commands.as_slice() {
        [] => "Find the policies that allow it in what the item says of this object.".to_owned(),
        commands => format!("To delete them: {}.", commands.join("; ")),
    };
    format!(
        "Narrow or delete the policies that allow everything: peers or ports have to be named. What they are for is not \
         in them, and others may rest on it. {how}"
    )
}

fn delete(policy: &PolicyReference) -> String {
    let kind =
        Kind::of(&policy.api_version, &policy.kind).map_or_else(|| policy.kind.clone(), |kind| kind.name().0);
    let namespace = policy
        .namespace
        .as_deref()
        .map_or_else(String::new, |namespace| format!(" --namespace {}", quoted(namespace)));
    format!("kubectl delete {kind}{namespace} {}", quoted(&policy.name))
}

/// A name as one word of a shell; those that Kubernetes takes need nothing.
fn quoted(name: &str) -> String {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
    if !name.is_empty() && !name.starts_with('-') && name.chars().all(plain) {
        name.to_owned()
    } else {
        format!("'{}'", name.replace('\'', "'\\''"))
    }
}
