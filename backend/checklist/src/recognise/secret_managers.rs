//! Secret managers: each counts when it is installed, ready, and applications use it.

use super::candidate::{Candidate, Standing, ready};
use super::object::{condition, resource_subject};
use super::program::Program;
use super::{Installed, recognised_by, subject};
use crate::inventory::{Kind, Pod, PodPhase, PodSpec, Resource, Volume, Workload};
use crate::workloads::View;
use rampart_shared::{Basis, Gap, GapReason, Scope};
use std::collections::BTreeSet;

/// Every kind in which a secret manager could show itself.
pub const SUPPLIERS: [Kind; 10] = [
    Kind::Pods,
    Kind::Deployments,
    Kind::StatefulSets,
    Kind::DaemonSets,
    Kind::ExternalSecrets,
    Kind::SecretProviderClasses,
    Kind::SealedSecrets,
    Kind::VaultStaticSecrets,
    Kind::VaultDynamicSecrets,
    Kind::VaultPkiSecrets,
];

/// What is looked for, in words.
pub const LOOKED_FOR: &str = "External Secrets Operator, Secrets Store CSI driver (Azure Key Vault, AWS and Google Cloud's \
                              add-ons among its providers), Vault Agent Injector, Vault Secrets Operator, Sealed Secrets";

const CSI_DRIVER: &str = "secrets-store.csi.k8s.io";
/// GKE's Secret Manager add-on runs a driver of its own.
const GKE_CSI_DRIVER: &str = "secrets-store-gke.csi.k8s.io";

/// Whether applications use a manager.
enum Use {
    /// They do; in words.
    Yes(String),
    /// They do not, or not successfully; in words.
    No(String),
    /// It was not seen.
    NotKnown(Gap),
}

/// Every secret manager that was recognised, and how it stands.
pub fn candidates(view: &View<'_>) -> Vec<Candidate> {
    let installed = Installed::of(view.inventory);
    let mut candidates = Vec::new();
    candidates.extend(external_secrets(view, &installed));
    candidates.extend(secrets_store(view, &installed));
    candidates.extend(gke_secrets_store(view));
    candidates.extend(vault_agent(view, &installed));
    candidates.extend(vault_secrets_operator(view, &installed));
    candidates.extend(sealed_secrets(view, &installed));
    for recogniser in &view.parameters.secret_manager.recognise {
        let workloads = recognised_by(view.inventory, recogniser);
        if !workloads.is_empty() {
            candidates.push(match ready(recogniser.name(), &workloads) {
                Ok(()) => {
                    let note =
                        "recognised by the configuration, which says that applications use it".to_owned();
                    let standing = Standing::Works(Basis::Declared, vec![note]);
                    Candidate { name: recogniser.name().to_owned(), standing }
                }
                Err(candidate) => *candidate,
            });
        }
    }
    candidates
}

fn external_secrets(view: &View<'_>, installed: &Installed<'_>) -> Option<Candidate> {
    // The same image runs the operator's webhook and its certificate controller, which fetch nothing.
    let operators: Vec<&Workload> = installed
        .workloads(Program::ExternalSecrets)
        .iter()
        .copied()
        .filter(|workload| {
            !["webhook", "cert-controller"].iter().any(|helper| workload.meta.name.contains(helper))
        })
        .collect();
    let objects = of_applications(view, &[Kind::ExternalSecrets]);
    let used = synced(&objects, "ExternalSecrets", |object| {
        condition(object, "Ready").map(|status| status == "True")
    });
    manager(Program::ExternalSecrets, &operators, &objects, used)
}

fn sealed_secrets(view: &View<'_>, installed: &Installed<'_>) -> Option<Candidate> {
    let objects = of_applications(view, &[Kind::SealedSecrets]);
    let used = match synced(&objects, "SealedSecrets", |object| {
        condition(object, "Synced").map(|status| status == "True")
    }) {
        Use::Yes(note) => Use::Yes(format!(
            "{note}. It counts, and only in part: it keeps secrets out of git in readable form, and neither rotates them nor \
             records who reads them"
        )),
        other => other,
    };
    manager(Program::SealedSecrets, installed.workloads(Program::SealedSecrets), &objects, used)
}

fn vault_secrets_operator(view: &View<'_>, installed: &Installed<'_>) -> Option<Candidate> {
    let kinds = [Kind::VaultStaticSecrets, Kind::VaultDynamicSecrets, Kind::VaultPkiSecrets];
    let objects = of_applications(view, &kinds);
    let used = synced(&objects, "Vault secrets", |object| {
        let status = object.body["status"].as_object().filter(|status| !status.is_empty())?;
        let number =
            |field: &str| status.get(field).and_then(serde_json::Value::as_i64).unwrap_or_default() > 0;
        let text = |field: &str| {
            status.get(field).and_then(serde_json::Value::as_str).is_some_and(|text| !text.is_empty())
        };
        let healthy = ["Ready", "SecretSynced", "Healthy"]
            .into_iter()
            .all(|kind| condition(object, kind).is_none_or(|status| status == "True"));
        let written = text("secretMAC")
            || text("serialNumber")
            || number("lastRenewalTime")
            || condition(object, "SecretSynced") == Some("True");
        Some(healthy && written)
    });
    manager(Program::VaultSecretsOperator, installed.workloads(Program::VaultSecretsOperator), &objects, used)
}

fn secrets_store(view: &View<'_>, installed: &Installed<'_>) -> Option<Candidate> {
    let drivers: Vec<&Workload> = installed
        .workloads(Program::SecretsStoreCsiDriver)
        .iter()
        .copied()
        .filter(|workload| workload.kind == Kind::DaemonSets && !workload.template.windows)
        .collect();
    let classes = of_applications(view, &[Kind::SecretProviderClasses]);
    manager(Program::SecretsStoreCsiDriver, &drivers, &classes, mounted(view, CSI_DRIVER))
}

/// The driver of the add-on is Google's to run: a pod that runs with its volume shows that it works.
fn gke_secrets_store(view: &View<'_>) -> Option<Candidate> {
    const NAME: &str = "Secret Manager add-on for GKE";
    match mounted(view, GKE_CSI_DRIVER) {
        Use::Yes(note) => Some(Candidate::works(NAME, vec![note])),
        Use::NotKnown(gap) => Some(Candidate::open(NAME, gap)),
        Use::No(_) => None,
    }
}

fn vault_agent(view: &View<'_>, installed: &Installed<'_>) -> Option<Candidate> {
    let is_annotated = |pod: &&Pod| {
        pod.meta.annotations.get("vault.hashicorp.com/agent-inject").is_some_and(|value| value == "true")
    };
    let has_agent = |pod: &&Pod| {
        let spec = &pod.spec;
        spec.containers
            .iter()
            .chain(&spec.init_containers)
            .any(|container| container.name.starts_with("vault-agent"))
    };
    let (injected, without): (Vec<&Pod>, Vec<&Pod>) =
        application_pods(view).filter(is_annotated).partition(has_agent);
    let used = if injected.is_empty() {
        Use::No(format!("{} application pods ask for its agent, and none has it", without.len()))
    } else {
        Use::Yes(format!("{} application pods have its agent", injected.len()))
    };
    manager(Program::VaultAgentInjector, installed.workloads(Program::VaultAgentInjector), &[], used)
}

/// Puts a candidate together; none where nothing of the manager was seen.
fn manager(program: Program, workloads: &[&Workload], objects: &[&Resource], used: Use) -> Option<Candidate> {
    let name = program.name();
    let Some(first) = workloads.first() else {
        let object = objects.first()?;
        let observed = format!("{} {} without {name}", object.object_kind, object.name());
        let path = "controller";
        return Some(Candidate::falls(
            name,
            "not-ready",
            resource_subject(object),
            path,
            observed,
            format!("{name}, ready"),
        ));
    };
    if let Err(candidate) = ready(name, workloads) {
        return Some(*candidate);
    }
    Some(match used {
        Use::Yes(note) => Candidate::works(name, vec![note]),
        Use::No(observed) => Candidate::falls(
            name,
            "not-used",
            subject(first),
            "use by applications",
            observed,
            "at least one application uses it",
        ),
        Use::NotKnown(gap) => Candidate::open(name, gap),
    })
}

/// How many objects a manager turned into secrets; `is_synced` is none where the object has no status.
fn synced(objects: &[&Resource], what: &str, is_synced: impl Fn(&Resource) -> Option<bool>) -> Use {
    let states: Vec<Option<bool>> = objects.iter().map(|object| is_synced(object)).collect();
    let done = states.iter().filter(|state| **state == Some(true)).count();
    if done > 0 {
        return Use::Yes(format!("{done} of {} {what} of applications are in sync", objects.len()));
    }
    match objects.iter().zip(&states).find(|(_, state)| state.is_none()) {
        None => Use::No(format!("{} {what} of applications, none of them in sync", objects.len())),
        Some((object, _)) => {
            let detail = format!(
                "Whether {} {} is in sync stands in its status, which was not seen",
                object.object_kind,
                object.name()
            );
            let gap = Gap::new(object.kind.name(), GapReason::NotCollected, detail)
                .for_objects(vec![object.name()])
                .closed_by("Evaluate the running cluster, or a snapshot of it, rather than manifests.");
            Use::NotKnown(gap)
        }
    }
}

/// How many running application pods mount a SecretProviderClass through a driver. The kubelet starts no container
/// before the volume is mounted.
fn mounted(view: &View<'_>, wanted: &str) -> Use {
    let classes: BTreeSet<(&str, &str)> = view
        .inventory
        .resources(Kind::SecretProviderClasses)
        .seen
        .iter()
        .map(|class| (class.meta.namespace_or_default(), class.meta.name.as_str()))
        .collect();
    let mounts = |spec: &PodSpec, namespace: &str| {
        spec.volumes.iter().any(|volume| match volume {
            Volume::Csi { driver, secret_provider_class: Some(class), .. } => {
                driver == wanted && classes.contains(&(namespace, class.as_str()))
            }
            _ => false,
        })
    };
    let running = application_pods(view)
        .filter(|pod| pod.phase == PodPhase::Running && mounts(&pod.spec, pod.meta.namespace_or_default()))
        .count();
    if running > 0 {
        return Use::Yes(format!("{running} running application pods mount secrets through it"));
    }
    let template = view.workloads.iter().find(|workload| {
        workload.scope == Scope::Application
            && workload.pods.is_empty()
            && workload.makes_pods
            && workload.template.is_some_and(|template| mounts(template, workload.namespace()))
    });
    match template {
        None => Use::No("no running application pod mounts a SecretProviderClass through it".to_owned()),
        Some(workload) => {
            let detail = format!(
                "{} {}/{} mounts a SecretProviderClass, and none of its pods was seen",
                workload.subject.kind,
                workload.namespace(),
                workload.subject.name
            );
            let gap = Gap::new(Kind::Pods.name(), GapReason::NotCollected, detail)
                .closed_by("Evaluate the running cluster, or a snapshot of it, rather than manifests.");
            Use::NotKnown(gap)
        }
    }
}

fn application_pods<'a>(view: &'a View<'_>) -> impl Iterator<Item = &'a Pod> {
    let is_application =
        |pod: &&Pod| pod.is_active() && view.scope(pod.meta.namespace_or_default()) == Scope::Application;
    view.inventory.pods.seen.iter().map(|pod| &**pod).filter(is_application)
}

fn of_applications<'a>(view: &View<'a>, kinds: &[Kind]) -> Vec<&'a Resource> {
    let mut objects: Vec<&Resource> = view
        .inventory
        .resources_of(kinds.to_vec())
        .filter(|object| view.scope(object.meta.namespace_or_default()) == Scope::Application)
        .collect();
    objects.sort_by_key(|object| (object.kind, &object.meta.namespace, &object.meta.name));
    objects
}
