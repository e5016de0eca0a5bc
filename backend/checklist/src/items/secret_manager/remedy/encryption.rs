//! What makes the API server encrypt Secrets, for each way in which one is run. No key ever stands in it.

use super::super::super::encryption_at_rest::documentation;
use crate::distribution::Distribution;
use crate::remedy::{document, remainder};
use crate::workloads::View;
use rampart_shared::{
    ChosenField, Finding, Remediation, RemediationDocument, RemediationInput, RemediationTarget,
};
use serde_json::json;

const ENDPOINT: &str = "kms-endpoint";
const DIRECTORY: &str = "kms-directory";

/// Adds the documents and what they ask, or the provider's own step.
pub(super) fn add(remediation: &mut Remediation, view: &View<'_>, findings: &[&Finding]) {
    match view.distribution {
        Distribution::OpenShift => remediation.documents.push(openshift(findings)),
        Distribution::K3s => remediation.documents.push(rancher("k3s")),
        Distribution::Rke2 => remediation.documents.push(rancher("rke2")),
        provider @ (Distribution::Eks | Distribution::Gke | Distribution::Aks) => {
            let task = format!(
                "{provider} runs the API server: switch encryption of Secrets on as it documents, with a key that you keep in its \
                 key service: {}. Nothing in the cluster takes this setting.",
                documentation(provider)
            );
            remediation.remaining.extend(remainder(task, findings.iter().copied()));
        }
        _ => {
            remediation.documents.extend(kubeadm());
            remediation.inputs.extend(inputs());
        }
    }
}

/// KMS v2, so that no key stands in a file.
fn kubeadm() -> [RemediationDocument; 2] {
    let configuration = json!({
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "EncryptionConfiguration",
        "resources": [{
            "resources": ["secrets"],
            "providers": [
                { "kms": { "apiVersion": "v2", "name": "kms", "endpoint": "", "timeout": "3s" } },
                { "identity": {} },
            ],
        }],
    });
    let comment = "On every control-plane node: run the KMS v2 plugin of your key service so that it listens on this socket\n\
                   (https://kubernetes.io/docs/tasks/administer-cluster/kms-provider/), and save this as\n\
                   /etc/kubernetes/encryption/configuration.yaml, readable by root alone. `identity` at the end reads what was\n\
                   written before.\n\
                   Without a key service: put `secretbox` in the place of `kms`, with a key that is made on the node by\n\
                   `head -c 32 /dev/urandom | base64` and stands in that file alone, the same on every control-plane node\n\
                   (https://kubernetes.io/docs/tasks/administer-cluster/encrypt-data/).";
    let mut configuration = document(RemediationTarget::ControlPlane, comment, &configuration);
    configuration.choices.push(chosen("/resources/0/providers/0/kms/endpoint", ENDPOINT));

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
                { "name": "kms", "hostPath": "", "mountPath": "", "pathType": "Directory" },
            ],
        },
    });
    let comment = "kubeadm: merge this into the ClusterConfiguration of ConfigMap kube-system/kubeadm-config, save that as FILE, and\n\
                   on each control-plane node, one after the other, run `kubeadm init phase control-plane apiserver --config FILE`.\n\
                   Elsewhere: set the same flag of kube-apiserver. Then write every Secret again:\n\
                   kubectl get secrets --all-namespaces -o json | kubectl replace -f -\n\
                   The flag alone leaves the item unknown: that Secrets are encrypted is seen when Rampart may read /metrics of\n\
                   the API server.";
    let mut flags = document(RemediationTarget::ControlPlane, comment, &flags);
    flags.choices.push(chosen("/apiServer/extraVolumes/1/hostPath", DIRECTORY));
    flags.choices.push(chosen("/apiServer/extraVolumes/1/mountPath", DIRECTORY));
    [configuration, flags]
}

fn inputs() -> [RemediationInput; 2] {
    let input = |name: &str, label: &str, help: &str, default: &str| RemediationInput {
        name: name.to_owned(),
        label: label.to_owned(),
        help: help.to_owned(),
        default: Some(default.to_owned()),
        example: default.to_owned(),
        options: Vec::new(),
    };
    [
        input(
            ENDPOINT,
            "Socket of the KMS plugin",
            "Where the KMS v2 plugin of your key service listens on each control-plane node",
            "unix:///var/run/kmsplugin/socket.sock",
        ),
        input(
            DIRECTORY,
            "Directory of that socket",
            "The directory on each control-plane node that the API server's container mounts to reach the socket",
            "/var/run/kmsplugin",
        ),
    ]
}

fn chosen(pointer: &str, input: &str) -> ChosenField {
    ChosenField { pointer: pointer.to_owned(), input: input.to_owned(), template: "{}".to_owned() }
}

/// <https://docs.k3s.io/security/secrets-encryption> and <https://docs.rke2.io/security/secrets_encryption>
fn rancher(name: &str) -> RemediationDocument {
    let documentation = if name == "k3s" {
        "https://docs.k3s.io/cli/secrets-encrypt"
    } else {
        "https://docs.rke2.io/security/secrets_encryption"
    };
    let comment = format!(
        "On each server, one after the other: write this to /etc/rancher/{name}/config.yaml.d/secrets-encryption.yaml, take\n\
         another value of secrets-encryption out of the command line and of other files, and restart {name}, which makes the\n\
         key itself. Then, on one server: `{name} secrets-encrypt status`, and to encrypt what is there already follow\n\
         {documentation}"
    );
    document(RemediationTarget::ControlPlane, comment, &json!({ "secrets-encryption": true }))
}

/// <https://docs.redhat.com/en/documentation/openshift_container_platform/latest/html/etcd/etcd-encrypt>
fn openshift(findings: &[&Finding]) -> RemediationDocument {
    let api_version = findings.iter().find(|finding| finding.subject.kind == "APIServer");
    let with = |kind: &str| {
        json!({
            "apiVersion": api_version.map_or("config.openshift.io/v1", |finding| &finding.subject.api_version),
            "kind": "APIServer",
            "metadata": { "name": "cluster" },
            "spec": { "encryption": { "type": kind } },
        })
    };
    let comment = "OpenShift makes the key, rolls the API servers and writes every Secret again; that can take twenty minutes and more.";
    let mut document = document(RemediationTarget::Apply, comment, &with("aescbc"));
    // Decrypting is asked for, too: a field that is merely given up says nothing.
    document.undo = Some(with("identity"));
    document
}
