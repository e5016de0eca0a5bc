//! **A secret manager keeps the secrets, and etcd holds them encrypted.**
//!
//! Two parts, both of which must hold: a manager is installed, ready and used by applications; and the API server
//! encrypts Secrets before it writes them. How each manager is recognised and judged stands in `recognise`.

use super::{Item, encryption_at_rest};
use crate::Kind;
use crate::distribution::Distribution;
use crate::judge::Observation;
use crate::need::Need;
use crate::recognise::candidate::{Question, decide};
use crate::recognise::secret_managers;
use crate::remedy::{Texts, document, remediation};
use crate::workloads::View;
use rampart_shared::{
    Category, ItemId, ItemResult, Remediation, RemediationDocument, RemediationTarget, Scope,
};
use serde_json::json;
use std::collections::BTreeSet;

pub(super) const ITEM: Item = Item {
    id: ItemId::SecretManager,
    number: 15,
    category: Category::Data,
    title: "A secret manager keeps the secrets, and etcd holds them encrypted",
    short_title: "Secret manager",
    checks: "Where applications run, a secret manager is installed, ready and used by them: External Secrets Operator with an \
             ExternalSecret in sync, the Secrets Store CSI driver with a SecretProviderClass that a running pod mounts, \
             Vault's agent in pods that ask for it, Vault Secrets Operator, or, in part, Sealed Secrets. More can be recognised \
             by image or label, in the configuration. And the API server encrypts Secrets at rest, as its metrics show, \
             or APIServer/cluster on OpenShift, or --secrets-encryption on k3s; on EKS from Kubernetes 1.28 on, AWS \
             documents it. The flag --encryption-provider-config alone leaves it unknown; where it is missing, the item fails.",
    why: "A Secret is text that anybody who may read Secrets, a backup or etcd's disk can read. A manager issues, rotates and \
          records it in one place. Encryption keeps whoever takes a disk or a backup of etcd from having them all.",
    cannot_see: "Which secrets the manager holds, and whether it is secured itself. What an encryption configuration says: only \
                 /metrics of the API server shows that Secrets are encrypted. Secrets that were written before encryption was \
                 switched on stay as they are until they are written again. Applications that fetch secrets by themselves. On \
                 GKE and AKS encryption of Secrets is a choice that the cluster does not show.",
    references: &[
        (
            "Kubernetes: Encrypting confidential data at rest",
            "https://kubernetes.io/docs/tasks/administer-cluster/encrypt-data/",
        ),
        (
            "Kubernetes: Good practices for Secrets",
            "https://kubernetes.io/docs/concepts/security/secrets-good-practices/",
        ),
        (
            "Amazon EKS: default envelope encryption for all Kubernetes API data",
            encryption_at_rest::EKS_DOCUMENTATION,
        ),
        ("k3s: Secrets encryption", "https://docs.k3s.io/security/secrets-encryption"),
        (
            "CIS Kubernetes Benchmark 1.2: --encryption-provider-config; 5.4.2: consider external secret storage",
            "https://www.cisecurity.org/benchmark/kubernetes",
        ),
    ],
    needs: &[
        Need::required(Kind::Pods),
        Need::conditional(Kind::Deployments),
        Need::conditional(Kind::ReplicaSets),
        Need::conditional(Kind::StatefulSets),
        Need::conditional(Kind::DaemonSets),
        Need::conditional(Kind::Jobs),
        Need::conditional(Kind::CronJobs),
        Need::conditional(Kind::Nodes),
        Need::conditional(Kind::OpenShiftApiServers),
        Need::conditional(Kind::ExternalSecrets),
        Need::conditional(Kind::SecretProviderClasses),
        Need::conditional(Kind::SealedSecrets),
        Need::conditional(Kind::VaultStaticSecrets),
        Need::conditional(Kind::VaultDynamicSecrets),
        Need::conditional(Kind::VaultPkiSecrets),
        Need::conditional(Kind::ApiServerFlagz),
        Need::conditional(Kind::ApiServerMetrics),
    ],
    observe,
    remedy,
};

const UNIT: &str = "secret manager";
/// The kinds that make application pods.
const APPLICATIONS: [Kind; 6] =
    [Kind::Deployments, Kind::ReplicaSets, Kind::StatefulSets, Kind::DaemonSets, Kind::Jobs, Kind::CronJobs];

fn observe(view: &View<'_>) -> Observation {
    let mut observation = Observation { unit: "part", ..Observation::default() };
    let has_applications =
        view.workloads.iter().any(|workload| workload.scope == Scope::Application && workload.has_pods());
    if has_applications {
        observation.examined.insert(UNIT.to_owned());
        let question = Question {
            unit: UNIT,
            none: (
                "no-manager",
                "secret manager",
                format!("none was recognised; looked for: {}", secret_managers::LOOKED_FOR),
            ),
            expected: "a secret manager that is ready and that applications use",
            suppliers: &secret_managers::SUPPLIERS,
        };
        decide(&mut observation, view.inventory, &question, secret_managers::candidates(view));
    } else {
        // What was not listed could be an application.
        for kind in APPLICATIONS {
            observation.undecided.extend_from_slice(view.inventory.gaps(kind));
        }
    }
    encryption_at_rest::observe(&mut observation, view);
    observation
}

fn remedy(view: &View<'_>, result: &ItemResult) -> Remediation {
    let texts = Texts {
        changes: "For each Secret that applications use, an ExternalSecret that writes it from an external store; and a \
                  configuration by which the API server encrypts Secrets.",
        may_break: "An ExternalSecret overwrites its Secret with what the store has: put the present values there first. The \
                    External Secrets Operator and a ClusterSecretStore of the name that the documents give must be there, or \
                    they are refused or stay without effect. An API server whose key service does not answer neither \
                    reads nor writes Secrets: keep it running on every control-plane node, and never lose its key. Each \
                    API server restarts: do one at a time.",
        undo: "Delete the ExternalSecrets: the Secrets stay. For encryption put `identity` first in the list of providers, \
               restart the API servers, write every Secret again (kubectl get secrets -A -o json | kubectl replace -f -), and \
               only then take the other providers out.",
    };
    let rules: BTreeSet<&str> = result.application_findings().map(|finding| finding.rule.as_str()).collect();
    let mut documents = Vec::new();
    if rules.contains("no-manager") {
        documents.extend(external_secrets(view));
    }
    if rules.contains(encryption_at_rest::RULE) {
        documents.extend(match view.distribution {
            Distribution::OpenShift => vec![openshift()],
            Distribution::K3s => vec![k3s()],
            _ => kubeadm(),
        });
    }
    remediation(result, texts, documents)
}

/// One for each Secret that application pods refer to.
fn external_secrets(view: &View<'_>) -> Vec<RemediationDocument> {
    let mut secrets: BTreeSet<(&str, &str)> = BTreeSet::new();
    for workload in view.workloads.iter().filter(|workload| workload.scope == Scope::Application) {
        let specs = workload.template.into_iter().chain(workload.pods.iter().map(|pod| &*pod.spec));
        for reference in specs.flat_map(|spec| &spec.secret_references) {
            if !reference.secret.is_empty() {
                secrets.insert((workload.namespace(), &reference.secret));
            }
        }
    }
    secrets
        .into_iter()
        .map(|(namespace, secret)| {
            let object = json!({
                "apiVersion": "external-secrets.io/v1",
                "kind": "ExternalSecret",
                "metadata": { "name": secret, "namespace": namespace },
                "spec": {
                    "refreshInterval": "1h",
                    "secretStoreRef": { "kind": "ClusterSecretStore", "name": "secret-store" },
                    // The Secret outlives the ExternalSecret.
                    "target": { "name": secret, "creationPolicy": "Orphan" },
                    "dataFrom": [{ "extract": { "key": format!("{namespace}/{secret}") } }],
                },
            });
            let comment = format!(
                "Secret {namespace}/{secret}: from the key {namespace}/{secret} of a ClusterSecretStore named secret-store, which\n\
                 you make for your store: https://external-secrets.io/latest/introduction/overview/"
            );
            document(RemediationTarget::NewObject, comment, &object)
        })
        .collect()
}

/// KMS v2, so that no key stands in a file.
fn kubeadm() -> Vec<RemediationDocument> {
    let configuration = json!({
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "EncryptionConfiguration",
        "resources": [{
            "resources": ["secrets"],
            "providers": [
                { "kms": {
                    "apiVersion": "v2",
                    "name": "kms",
                    "endpoint": "unix:///var/run/kmsplugin/socket.sock",
                    "timeout": "3s",
                } },
                { "identity": {} },
            ],
        }],
    });
    let comment = "On every control-plane node: run the KMS v2 plugin of your key service so that it listens on this socket\n\
                   (https://kubernetes.io/docs/tasks/administer-cluster/kms-provider/), and save this as\n\
                   /etc/kubernetes/encryption/configuration.yaml, readable by root alone. `identity` at the end reads what was\n\
                   written before.";
    let flags = json!({
        "apiVersion": "kubeadm.k8s.io/v1beta4",
        "kind": "ClusterConfiguration",
        "apiServer": {
            "extraArgs": [{ "name": "encryption-provider-config", "value": "/etc/kubernetes/encryption/configuration.yaml" }],
            "extraVolumes": [
                {
                    "name": "encryption",
                    "hostPath": "/etc/kubernetes/encryption",
                    "mountPath": "/etc/kubernetes/encryption",
                    "readOnly": true,
                    "pathType": "Directory",
                },
                {
                    "name": "kms",
                    "hostPath": "/var/run/kmsplugin",
                    "mountPath": "/var/run/kmsplugin",
                    "pathType": "Directory",
                },
            ],
        },
    });
    let flags_comment = "kubeadm: merge this into the ClusterConfiguration of ConfigMap kube-system/kubeadm-config, save that as FILE, and\n\
                         on each control-plane node, one after the other, run `kubeadm init phase control-plane apiserver --config FILE`.\n\
                         Elsewhere: set the same flag of kube-apiserver. Then write every Secret again:\n\
                         kubectl get secrets --all-namespaces -o json | kubectl replace -f -";
    vec![
        document(RemediationTarget::ControlPlane, comment, &configuration),
        document(RemediationTarget::ControlPlane, flags_comment, &flags),
    ]
}

fn k3s() -> RemediationDocument {
    let comment = "On each server, one after the other: write this to /etc/rancher/k3s/config.yaml.d/secrets-encryption.yaml and restart\n\
                   k3s, which makes the key itself. Then, on one server: `k3s secrets-encrypt status`, and to encrypt what is there\n\
                   already follow https://docs.k3s.io/cli/secrets-encrypt";
    document(RemediationTarget::ControlPlane, comment, &json!({ "secrets-encryption": true }))
}

fn openshift() -> RemediationDocument {
    let object = json!({
        "apiVersion": "config.openshift.io/v1",
        "kind": "APIServer",
        "metadata": { "name": "cluster" },
        "spec": { "encryption": { "type": "aescbc" } },
    });
    let comment = "OpenShift makes the key, rolls the API servers and writes every Secret again; that can take twenty minutes and more.";
    document(RemediationTarget::Apply, comment, &object)
}

#[cfg(test)]
mod tests;
