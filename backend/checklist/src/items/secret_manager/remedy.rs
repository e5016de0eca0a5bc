//! ExternalSecrets for the Secrets in use, where their operator runs, and what makes the API server encrypt.

mod encryption;
mod external_secrets;

use super::super::encryption_at_rest;
use crate::recognise::Installed;
use crate::recognise::program::Program;
use crate::remedy::{Texts, describe, remainder, remediation};
use crate::workloads::View;
use rampart_shared::{Finding, ItemResult, Remainder, Remediation};
use std::collections::BTreeMap;

const TEXTS: Texts = Texts {
    changes: "For each Secret that applications use and no manager produces, an ExternalSecret that writes it from an \
              external store, where the External Secrets Operator runs. And a configuration by which the API server \
              encrypts Secrets; that it does is known only when its metrics show it, so the item can be unknown at first.",
    may_break: "An ExternalSecret overwrites its Secret with what the store has: put the present values there first. The \
                store must be a ClusterSecretStore, or the ExternalSecrets stay without effect. An API server whose key \
                service does not answer neither reads nor writes Secrets: keep the service running on every \
                control-plane node, and never lose its key. Each API server restarts: do one at a time.",
    undo: "Delete the ExternalSecrets: the Secrets stay. For encryption put `identity` first in the list of providers, \
           restart the API servers, write every Secret again (kubectl get secrets -A -o json | kubectl replace -f -), and \
           only then take the other providers out. k3s and RKE2 do it by `secrets-encrypt disable`.",
};

pub(super) fn remedy(view: &View<'_>, result: &ItemResult) -> Remediation {
    let mut remediation = remediation(result, TEXTS, Vec::new());
    let (encryption, manager): (Vec<&Finding>, Vec<&Finding>) =
        result.application_findings().partition(|finding| finding.rule == encryption_at_rest::RULE);
    if !manager.is_empty() {
        let installed = Installed::of(view.inventory);
        // One manager that works is enough, whatever is the matter with the others.
        if !external_secrets::add(&mut remediation, view, &installed, &manager) {
            remediation.remaining.extend(managers(&installed, &manager));
        }
    }
    if !encryption.is_empty() {
        encryption::add(&mut remediation, view, &encryption);
    }
    remediation
}

/// Which manager to install, to mend or to use is for a person to say.
fn managers(installed: &Installed<'_>, findings: &[&Finding]) -> Vec<Remainder> {
    let mut tasks: BTreeMap<String, Vec<&Finding>> = BTreeMap::new();
    for finding in findings {
        tasks.entry(task(installed, finding)).or_default().push(finding);
    }
    tasks.into_iter().filter_map(|(task, findings)| remainder(task, findings)).collect()
}

fn task(installed: &Installed<'_>, finding: &Finding) -> String {
    let observed = &finding.observed;
    let look = describe(&finding.subject);
    match (finding.rule.as_str(), finding.path.as_str()) {
        ("no-manager", _) => format!("{INSTALL} {}", use_of(None)),
        ("not-ready", "controller") => format!(
            "{observed}: install what is missing, or take the object away. Rampart cannot install programs. {INSTALL}"
        ),
        ("not-ready", _) => format!(
            "{observed}. Find out why and mend it: `{look}`, the events of its namespace, the logs of its pods. Rampart \
             sees that it is not ready, not what keeps it."
        ),
        _ => {
            let program = USED.iter().find(|(program, _)| {
                installed
                    .workloads(*program)
                    .iter()
                    .any(|workload| crate::recognise::subject(workload) == finding.subject)
            });
            format!("{observed}. {}", use_of(program.map(|(program, _)| *program)))
        }
    }
}

const INSTALL: &str = "Install a secret manager; which is for a person to choose, since it has to fit the store that keeps the \
                       secrets. With a store outside the cluster: the External Secrets Operator (`helm install external-secrets \
                       external-secrets/external-secrets --namespace external-secrets --create-namespace`, \
                       https://external-secrets.io/latest/introduction/getting-started/), for which Rampart then gives the \
                       ExternalSecrets, or the Secrets Store CSI driver \
                       (https://secrets-store-csi-driver.sigs.k8s.io/getting-started/installation). With Vault: the Vault Secrets \
                       Operator (https://developer.hashicorp.com/vault/docs/deploy/kubernetes/vso). Without a store, and in \
                       part only: Sealed Secrets (https://github.com/bitnami-labs/sealed-secrets).";

/// How applications come to use each manager.
const USED: [(Program, &str); 5] = [
    (
        Program::ExternalSecrets,
        "Where an ExternalSecret is not in sync, `kubectl get externalsecrets -A` and its events say why: mostly the store does \
         not answer, or has no such key. Otherwise make one for a secret of an application: \
         https://external-secrets.io/latest/api/externalsecret/.",
    ),
    (
        Program::SecretsStoreCsiDriver,
        "Make a SecretProviderClass for the store and mount it into the application's pods: \
         https://secrets-store-csi-driver.sigs.k8s.io/getting-started/usage.",
    ),
    (
        Program::VaultAgentInjector,
        "Set the annotations vault.hashicorp.com/agent-inject and vault.hashicorp.com/role on the application's pod template, with a \
         role that Vault knows; where they are set and no agent is in the pods, make the pods anew: \
         https://developer.hashicorp.com/vault/docs/deploy/kubernetes/injector/annotations.",
    ),
    (
        Program::VaultSecretsOperator,
        "Make a VaultStaticSecret for a secret of an application, or see from the events of those that are there why they are \
         not in sync: https://developer.hashicorp.com/vault/docs/deploy/kubernetes/vso/api-reference.",
    ),
    (
        Program::SealedSecrets,
        "Seal a secret of an application with kubeseal, or see from the events of those that are there why they are not in sync: \
         https://github.com/bitnami-labs/sealed-secrets.",
    ),
];

fn use_of(program: Option<Program>) -> &'static str {
    USED.iter()
        .find(|(used, _)| Some(*used) == program)
        .map_or("Then have at least one application take its secrets from it.", |(_, how)| how)
}
