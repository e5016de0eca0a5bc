//! The remedy of the items about kubelets: a setting in the form that the distribution takes.

use crate::distribution::Distribution;
use crate::remedy::control_plane::{flag, kubelet_step, names, rancher_document, rancher_name};
use crate::remedy::{Texts, document, remainder, remediation};
use crate::workloads::View;
use rampart_shared::{Finding, ItemResult, Remediation, RemediationDocument, RemediationTarget};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What a setting is, in each form.
pub(in crate::items) struct Change {
    /// Fields of a KubeletConfiguration.
    pub(in crate::items) fields: Value,
    /// The same as flags of the kubelet.
    pub(in crate::items) flags: &'static [(&'static str, &'static str)],
    /// The same in GKE's node system configuration, where that has it.
    pub(in crate::items) gke: Option<Value>,
}

/// What puts the kubelets right that fall short.
pub(in crate::items) fn remedy(
    view: &View<'_>,
    result: &ItemResult,
    texts: Texts,
    change: &Change,
) -> Remediation {
    let (nodes, declared): (Vec<&Finding>, Vec<&Finding>) =
        result.application_findings().partition(|finding| finding.subject.kind == "Node");
    let mut remediation = remediation(result, texts, Vec::new());
    if !nodes.is_empty() {
        match for_nodes(view.distribution, &nodes, change) {
            Ok(document) => remediation.documents.push(document),
            Err(step) => remediation.remaining.extend(remainder(step, nodes)),
        }
    }
    // The ConfigMap is kubeadm's, whoever runs the cluster; one document is for both.
    let is_covered =
        remediation.documents.iter().any(|document| document.object["kind"] == "KubeletConfiguration");
    if !declared.is_empty() && !is_covered {
        remediation.documents.push(kubeadm(&declared, change));
    }
    remediation
}

/// The document for these nodes.
///
/// # Errors
/// Where the distribution takes none: the step that it documents.
fn for_nodes(
    distribution: Distribution,
    findings: &[&Finding],
    change: &Change,
) -> Result<RemediationDocument, &'static str> {
    if let (Distribution::Gke, Some(object)) = (distribution, &change.gke) {
        let comment = format!(
            "{}Save this as FILE and run, for the node pools of these nodes, one after the other:\n\
             gcloud container node-pools update POOL --cluster CLUSTER --location LOCATION --system-config-from-file FILE\n\
             GKE makes the pool's nodes anew. https://cloud.google.com/kubernetes-engine/docs/how-to/node-system-config",
            heading(findings)
        );
        return Ok(document(RemediationTarget::Node, comment, object));
    }
    if let Some(step) = kubelet_step(distribution) {
        return Err(step);
    }
    if let Some(name) = rancher_name(distribution) {
        let flags: Vec<_> = change.flags.iter().map(|(name, value)| flag(name, *value)).collect();
        let nodes: Vec<String> = findings.iter().map(|finding| finding.subject.name.clone()).collect();
        let mut document = rancher_document(RemediationTarget::Node, name, "kubelet-arg", &nodes, &flags);
        document.comment.push_str(&format!("\n{}", former(findings)));
        return Ok(document);
    }
    Ok(if distribution == Distribution::Eks { eks(findings, change) } else { kubeadm(findings, change) })
}

fn eks(findings: &[&Finding], change: &Change) -> RemediationDocument {
    let object = json!({
        "apiVersion": "node.eks.aws/v1alpha1",
        "kind": "NodeConfig",
        "spec": { "kubelet": { "config": change.fields } },
    });
    let comment = format!(
        "{}Put this in the user data of the launch template of their node groups (Amazon Linux 2023), or as the userData of\n\
         Karpenter's EC2NodeClass, and replace the nodes. EKS' own images have it like this already, so look there for what\n\
         sets it otherwise. https://docs.aws.amazon.com/eks/latest/userguide/launch-templates.html",
        heading(findings)
    );
    document(RemediationTarget::Node, comment, &object)
}

fn kubeadm(findings: &[&Finding], change: &Change) -> RemediationDocument {
    let mut object = json!({ "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration" });
    crate::remedy::merge(&mut object, &change.fields);
    let flags: Vec<String> = change.flags.iter().map(|(name, _)| format!("--{name}")).collect();
    let comment = format!(
        "{}kubeadm: merge this into data.kubelet of ConfigMap kube-system/kubelet-config, which alone changes no running node.\n\
         Then, on one node after the other: `kubeadm upgrade node phase kubelet-config` and `systemctl restart kubelet`.\n\
         Flags override it: take {} out of /var/lib/kubelet/kubeadm-flags.env and of KUBELET_EXTRA_ARGS.\n\
         https://kubernetes.io/docs/tasks/administer-cluster/kubeadm/kubeadm-reconfigure/\n\
         Without kubeadm: merge it into the file that the kubelet's --config names; or save it as a file of its own that ends in\n\
         .conf in the directory that --config-dir names, such as /etc/kubernetes/kubelet.conf.d (stable from Kubernetes 1.35 on);\n\
         and restart the kubelet. https://kubernetes.io/docs/tasks/administer-cluster/kubelet-config-file/",
        heading(findings),
        flags.join(", ")
    );
    document(RemediationTarget::Node, comment, &object)
}

/// For whom a document is, and what it takes the place of.
fn heading(findings: &[&Finding]) -> String {
    let nodes: Vec<&str> = findings
        .iter()
        .map(|finding| match finding.subject.kind.as_str() {
            "Node" => finding.subject.name.as_str(),
            _ => "the nodes that are made from ConfigMap kube-system/kubelet-config",
        })
        .collect();
    format!("For {}.\n{}\n", names(nodes.into_iter()), former(findings))
}

/// The values that were there, for whoever undoes it.
fn former(findings: &[&Finding]) -> String {
    let mut by_value: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for finding in findings {
        let field = finding.path.rsplit([' ', '/']).next().unwrap_or_default();
        let field = field.trim_start_matches("kubeletconfig.");
        by_value.entry((field, &finding.observed)).or_default().push(&finding.subject.name);
    }
    let values: Vec<String> = by_value
        .into_iter()
        .map(|((field, value), nodes)| format!("{field} {value} ({})", names(nodes.into_iter())))
        .collect();
    format!("Before: {}.", values.join("; "))
}
