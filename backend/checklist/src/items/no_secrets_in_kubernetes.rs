//! **No credential stands in a manifest, and no Secret lacks a manager.**
//!
//! Credentials as literals: in the environment and the commands of containers, in ConfigMaps and in annotations. And
//! Secrets that pods consume and no secret manager produces, which is known without reading a Secret. Of a credential
//! the place, the class and a keyed fingerprint are told, and nothing else.

use super::Item;
use crate::Kind;
use crate::credentials::FingerprintKey;
use crate::inventory::{CredentialAt, ObjectMeta, PodSpec};
use crate::judge::{Observation, SeenViolation, Violation};
use crate::need::{Need, Role};
use crate::workloads::{OwnedWorkload, View};
use rampart_shared::{Category, ItemId, RestsOn, Scope, Subject};
use std::collections::{BTreeMap, BTreeSet, HashSet};

mod consumed;
mod managers;
mod remedy;
#[cfg(test)]
mod tests;

pub(super) const ITEM: Item = Item {
    id: ItemId::NoSecretsInKubernetes,
    number: 16,
    category: Category::Data,
    title: "No credential stands in a manifest, and no Secret lacks a manager",
    short_title: "No secrets in Kubernetes",
    checks: "No environment variable, command, argument, ConfigMap or annotation holds a credential as a literal: known \
             formats of tokens and keys, passwords in URLs, and values that their names and their shape give away \
             together. Every Secret that a pod needs is produced by External Secrets, the Secrets Store CSI driver, \
             Sealed Secrets or the Vault Secrets Operator. Secrets are not read. Those that pull images, certificates of \
             cert-manager and OpenShift, tokens of service accounts and optional references are listed and do not decide.",
    why: "Whoever may read a pod or a ConfigMap, and that is most people and every backup, has the credentials in it. A \
          Secret that somebody made by hand is in somebody's shell history or repository too, and nobody rotates it.",
    cannot_see: "Secrets that no pod refers to, credentials that are encoded, compressed or under a name that says \
                 nothing, ConfigMaps' binary data, annotations of kinds that the checklist does not read, managers that \
                 write Secrets in other ways, and whether a credential is still valid.",
    references: &[
        (
            "Kubernetes: Good practices for Kubernetes Secrets",
            "https://kubernetes.io/docs/concepts/security/secrets-good-practices/",
        ),
        ("External Secrets: ExternalSecret", "https://external-secrets.io/latest/api/externalsecret/"),
        (
            "External Secrets: lifecycle and creationPolicy",
            "https://external-secrets.io/latest/guides/ownership-deletion-policy/",
        ),
        (
            "Secrets Store CSI Driver: sync as Kubernetes Secret",
            "https://secrets-store-csi-driver.sigs.k8s.io/topics/sync-as-kubernetes-secret",
        ),
        ("Sealed Secrets", "https://github.com/bitnami-labs/sealed-secrets"),
        (
            "Vault Secrets Operator: API",
            "https://developer.hashicorp.com/vault/docs/deploy/kubernetes/vso/api-reference",
        ),
    ],
    needs: &[
        Need::required(Kind::Pods),
        Need::required(Kind::Deployments),
        Need::required(Kind::ReplicaSets),
        Need::required(Kind::StatefulSets),
        Need::required(Kind::DaemonSets),
        Need::required(Kind::Jobs),
        Need::required(Kind::CronJobs),
        Need::required(Kind::ConfigMaps),
        Need::required(Kind::Namespaces),
        Need::required(Kind::ServiceAccounts),
        Need::required(Kind::Services),
        Need::supporting(Kind::Nodes),
        Need::supporting(Kind::NetworkPolicies),
        // What could produce a Secret: each decides only where a consumed Secret has no producer otherwise.
        Need { kind: Kind::ExternalSecrets, role: Role::Conditional },
        Need { kind: Kind::ClusterExternalSecrets, role: Role::Conditional },
        Need { kind: Kind::SecretProviderClasses, role: Role::Conditional },
        Need { kind: Kind::SealedSecrets, role: Role::Conditional },
        Need { kind: Kind::VaultStaticSecrets, role: Role::Conditional },
        Need { kind: Kind::VaultDynamicSecrets, role: Role::Conditional },
        Need { kind: Kind::VaultPkiSecrets, role: Role::Conditional },
        Need { kind: Kind::Certificates, role: Role::Conditional },
    ],
    observe,
    remedy: remedy::remedy,
};

/// The rule of credentials in environment variables; the remedy can do something about these.
const IN_ENVIRONMENT: &str = "literal-in-environment";
/// The rule of consumed Secrets that no manager produces.
pub(super) const UNMANAGED: &str = "unmanaged-secret";

fn observe(view: &View<'_>) -> Observation {
    let mut observation = Observation { unit: "object", ..Observation::default() };
    let mut literals = Literals { key: view.parameters.fingerprint_key.as_ref(), found: BTreeMap::new() };
    for workload in &view.workloads {
        let unit = unit(&workload.subject);
        if workload.scope == Scope::Application && (!workload.pods.is_empty() || workload.judges_template()) {
            observation.examined.insert(unit);
        }
        literals.of_workload(workload);
    }
    for map in &view.inventory.config_maps.seen {
        let place = Place::of(view, Kind::ConfigMaps, &map.meta);
        if place.scope == Scope::Application {
            observation.examined.insert(self::unit(&place.subject));
        }
        literals.add_all(&place, "", &map.credentials);
    }
    for (kind, meta) in annotated(view) {
        if !meta.credentials.is_empty() {
            literals.add_all(&Place::of(view, kind, meta), "", &meta.credentials);
        }
    }
    for violation in literals.violations() {
        if violation.scope == Scope::Application {
            observation.examined.extend(violation.units.iter().cloned());
        }
        observation.seen.push(SeenViolation(violation));
    }
    consumed::observe(view, &mut observation);
    observation
}

fn unit(subject: &Subject) -> String {
    format!("{}/{}/{}", subject.namespace.as_deref().unwrap_or_default(), subject.kind, subject.name)
}

/// Objects whose annotations are read, beside workloads and pods.
fn annotated<'a>(view: &View<'a>) -> impl Iterator<Item = (Kind, &'a ObjectMeta)> {
    let inventory = view.inventory;
    let namespaces = inventory.namespaces.seen.iter().map(|meta| (Kind::Namespaces, meta));
    let config_maps = inventory.config_maps.seen.iter().map(|map| (Kind::ConfigMaps, &map.meta));
    let accounts =
        inventory.service_accounts.seen.iter().map(|account| (Kind::ServiceAccounts, &account.meta));
    let services = inventory.services.seen.iter().map(|service| (Kind::Services, &service.meta));
    let nodes = inventory.nodes.seen.iter().map(|node| (Kind::Nodes, &node.meta));
    let policies = inventory.network_policies.seen.iter().map(|policy| (Kind::NetworkPolicies, &policy.meta));
    let managers =
        inventory.resources_of(managers::SUPPLIERS).map(|resource| (resource.kind, &resource.meta));
    namespaces.chain(config_maps).chain(accounts).chain(services).chain(nodes).chain(policies).chain(managers)
}

/// An object in which credentials are found.
struct Place {
    subject: Subject,
    scope: Scope,
    rests_on: Vec<RestsOn>,
}

impl Place {
    fn of(view: &View<'_>, kind: Kind, meta: &ObjectMeta) -> Place {
        let namespace = kind.is_namespaced().then(|| meta.namespace_or_default().to_owned());
        let scope = match (&namespace, kind) {
            (Some(namespace), _) => view.scope(namespace),
            (None, Kind::Namespaces) => view.scope(&meta.name),
            (None, _) => Scope::Application,
        };
        Place {
            subject: Subject {
                api_version: kind.api_version(),
                kind: kind.kind().to_owned(),
                namespace,
                name: meta.name.clone(),
            },
            scope,
            rests_on: vec![RestsOn { kind: kind.name(), object: None }],
        }
    }
}

/// The credentials at one path of one object: often one, several in a script or a list of arguments.
struct AtPath {
    rule: &'static str,
    scope: Scope,
    rests_on: Vec<RestsOn>,
    told: BTreeSet<String>,
    lines: BTreeSet<usize>,
}

/// Every credential that was found, by object and path.
struct Literals<'k> {
    key: Option<&'k FingerprintKey>,
    found: BTreeMap<(Subject, String), AtPath>,
}

impl Literals<'_> {
    fn of_workload(&mut self, workload: &OwnedWorkload<'_>) {
        let place = Place {
            subject: workload.subject.clone(),
            scope: workload.scope,
            rests_on: workload.rests_on.clone(),
        };
        // Replicas share their specs: each is looked at once.
        for unit in workload.containers() {
            let mut judged: HashSet<*const PodSpec> = HashSet::new();
            for instance in &unit.instances {
                let is_new = judged.insert(std::ptr::from_ref(instance.spec));
                if is_new && !instance.container.credentials.is_empty() {
                    self.add_all(&place, &format!("{}.", unit.path), &instance.container.credentials);
                }
            }
        }
        if let Some(controller) = workload.controller {
            self.add_all(&place, "", &controller.meta.credentials);
            let template = workload.template_path.and_then(|path| path.strip_suffix("spec")).unwrap_or("");
            if workload.judges_template() {
                self.add_all(&place, template, &controller.template_credentials);
            }
            for credential in workload.pods.iter().flat_map(|pod| &pod.meta.credentials) {
                let in_template =
                    controller.template_credentials.iter().any(|known| known.path == credential.path);
                self.add(&place, if in_template { template } else { "pod:" }, credential);
            }
        } else {
            let prefix = if workload.template_path == Some("spec") { "" } else { "pod:" };
            for pod in &workload.pods {
                self.add_all(&place, prefix, &pod.meta.credentials);
            }
        }
    }

    fn add_all(&mut self, place: &Place, prefix: &str, credentials: &[CredentialAt]) {
        for credential in credentials {
            self.add(place, prefix, credential);
        }
    }

    fn add(&mut self, place: &Place, prefix: &str, credential: &CredentialAt) {
        let rule = match credential.path.split(['[', '.']).next() {
            Some("env") => IN_ENVIRONMENT,
            Some("command" | "args") => "literal-in-command",
            Some("data") => "literal-in-config-map",
            _ => "literal-in-annotation",
        };
        let literal = &credential.literal;
        let fingerprint = match self.key {
            Some(key) => Some(literal.value.fingerprint(key)),
            None => literal.value.redacted_fingerprint().cloned(),
        };
        let told = match fingerprint {
            Some(fingerprint) => format!("{} (fingerprint {fingerprint})", literal.class),
            None => literal.class.to_owned(),
        };
        let at = self
            .found
            .entry((place.subject.clone(), format!("{prefix}{}", credential.path)))
            .or_insert_with(|| AtPath {
                rule,
                scope: place.scope,
                rests_on: place.rests_on.clone(),
                told: BTreeSet::new(),
                lines: BTreeSet::new(),
            });
        at.told.insert(told);
        at.lines.extend(credential.line);
    }

    fn violations(self) -> impl Iterator<Item = Violation> {
        self.found.into_iter().map(|((subject, path), at)| Violation {
            rule: at.rule,
            scope: at.scope,
            units: vec![unit(&subject)],
            subject,
            path,
            observed: at.told.into_iter().collect::<Vec<_>>().join(", "),
            expected: match at.rule {
                IN_ENVIRONMENT => "valueFrom.secretKeyRef, or a file from a secret manager",
                "literal-in-command" => "no credential in a command line",
                "literal-in-config-map" => "no credential in a ConfigMap",
                _ => "no credential in an annotation",
            }
            .to_owned(),
            note: note(&at.lines),
            discriminator: String::new(),
            rests_on: at.rests_on,
        })
    }
}

fn note(lines: &BTreeSet<usize>) -> Option<String> {
    const SHOWN: usize = 10;
    let shown: Vec<String> = lines.iter().take(SHOWN).map(usize::to_string).collect();
    let more = if lines.len() > SHOWN { " and more" } else { "" };
    (!lines.is_empty()).then(|| format!("In line {}{more}.", shown.join(", ")))
}
