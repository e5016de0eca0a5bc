//! **A secret manager keeps the secrets, and etcd holds them encrypted.**
//!
//! Two parts, both of which must hold: a manager is installed, ready and used by applications; and the API server
//! encrypts Secrets before it writes them. How each manager is recognised and judged stands in `recognise`.

mod remedy;

use super::{Item, encryption_at_rest};
use crate::Kind;
use crate::judge::Observation;
use crate::need::Need;
use crate::recognise::candidate::{Question, decide};
use crate::recognise::secret_managers;
use crate::workloads::View;
use rampart_shared::{Category, ItemId, Scope};

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
    remedy: remedy::remedy,
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

#[cfg(test)]
mod tests;
