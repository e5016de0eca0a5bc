//! Secrets that pods consume, and whether a manager produces them.

use super::super::listing::some_of;
use super::managers::{Produced, SUPPLIERS, SecretName};
use super::{UNMANAGED, unit};
use crate::Kind;
use crate::inventory::{Pod, PodSpec, SecretReference};
use crate::judge::{AbsentViolation, Observation, Violation};
use crate::workloads::{OwnedWorkload, View};
use rampart_shared::{RestsOn, Scope, Subject};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

pub(super) fn observe(view: &View<'_>, observation: &mut Observation) {
    let produced = Produced::of(view);
    let tokens = Tokens::of(view);
    let mut apart: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (secret, consumed) in secrets(view) {
        let name = format!("{}/{}", secret.0, secret.1);
        let mut tell_apart = |what| {
            if consumed.scope == Scope::Application {
                apart.entry(what).or_default().insert(name.clone());
            }
        };
        if !consumed.pulls_images.is_empty() && consumed.references.is_empty() {
            tell_apart("pulling images");
            continue;
        }
        let subject = self::subject(&secret.0, &secret.1);
        let unit = unit(&subject);
        if consumed.scope == Scope::Application {
            observation.examined.insert(unit.clone());
        }
        if produced.managed.contains(&secret) {
            continue;
        }
        if let Some(what) = produced.apart.get(&secret) {
            tell_apart(what);
        } else if tokens.is_token(&secret) {
            tell_apart("tokens of service accounts");
        } else if consumed.references.values().all(|optional| *optional) {
            tell_apart("optional references");
        } else if let Some(gap) =
            produced.unclear.get(&secret.1).filter(|_| consumed.scope == Scope::Application)
        {
            observation.undecided.push(gap.clone());
        } else if !produced.unreadable.is_empty() && consumed.scope == Scope::Application {
            observation.undecided.extend(produced.unreadable.iter().cloned());
        } else {
            let written = produced.written_into.get(&secret);
            observation.absent.push(AbsentViolation {
                violation: violation(subject, unit, &consumed, written),
                suppliers: SUPPLIERS.into_iter().chain([Kind::Services, Kind::ServiceAccounts]).collect(),
            });
        }
    }
    observation.notes.extend(apart.into_iter().map(|(what, names)| {
        format!("Secrets apart, for {what}: {}.", some_of(names.iter().map(String::as_str)))
    }));
}

/// The path of the findings about a Secret: it has no field that could say it.
pub(super) const PATH: &str = "secret manager";

/// A Secret as findings name it.
pub(super) fn subject(namespace: &str, name: &str) -> Subject {
    Subject {
        api_version: "v1".to_owned(),
        kind: "Secret".to_owned(),
        namespace: Some(namespace.to_owned()),
        name: name.to_owned(),
    }
}

fn violation(subject: Subject, unit: String, consumed: &Consumed, written: Option<&String>) -> Violation {
    let consumers = consumed
        .references
        .iter()
        .filter(|(_, optional)| !**optional)
        .map(|((owner, path), _)| format!("{owner} ({path})"));
    let consumers: Vec<String> = consumers.collect();
    let mut note = format!("Consumed by {}.", some_of(consumers.iter().map(String::as_str)));
    if let Some(written) = written {
        note.push_str(&format!(" {written} writes into it, and does not make it."));
    }
    let kinds = SUPPLIERS.into_iter().chain([Kind::Pods]);
    Violation {
        rule: UNMANAGED,
        scope: consumed.scope,
        subject,
        path: PATH.to_owned(),
        observed: "no manager produces it".to_owned(),
        expected:
            "an ExternalSecret, SecretProviderClass, SealedSecret or Vault Secrets Operator object that does"
                .to_owned(),
        note: Some(note),
        discriminator: String::new(),
        units: vec![unit],
        rests_on: kinds.map(|kind| RestsOn { kind: kind.name(), object: None }).collect(),
    }
}

/// How a Secret is consumed.
struct Consumed {
    /// Its namespace's.
    scope: Scope,
    /// By owner and path, whether every reference there is optional.
    references: BTreeMap<(String, String), bool>,
    /// The owners for which it pulls images.
    pulls_images: BTreeSet<String>,
}

/// Every Secret that a pod consumes, in whatever way.
pub(super) fn names(view: &View<'_>) -> BTreeSet<SecretName> {
    secrets(view).into_keys().collect()
}

fn secrets(view: &View<'_>) -> BTreeMap<SecretName, Consumed> {
    let mut secrets: BTreeMap<SecretName, Consumed> = BTreeMap::new();
    for workload in &view.workloads {
        let namespace = workload.namespace();
        let owner = format!("{} {}", workload.subject.kind, workload.subject.name);
        for (spec, pod) in specs(workload) {
            for reference in spec.secret_references.iter().filter(|reference| counts(reference, pod)) {
                if reference.secret.is_empty() {
                    continue;
                }
                let prefix = workload.template_path.unwrap_or("pod:spec");
                let at = (owner.clone(), format!("{prefix}.{}", reference.path));
                let known = entry(&mut secrets, namespace, &reference.secret, workload.scope);
                *known.references.entry(at).or_insert(true) &= reference.optional;
            }
            for secret in spec.image_pull_secrets.iter().filter(|secret| !secret.is_empty()) {
                entry(&mut secrets, namespace, secret, workload.scope).pulls_images.insert(owner.clone());
            }
        }
    }
    secrets
}

fn entry<'m>(
    secrets: &'m mut BTreeMap<SecretName, Consumed>,
    namespace: &str,
    secret: &str,
    scope: Scope,
) -> &'m mut Consumed {
    secrets.entry((namespace.to_owned(), secret.to_owned())).or_insert_with(|| Consumed {
        scope,
        references: BTreeMap::new(),
        pulls_images: BTreeSet::new(),
    })
}

/// The pod specs of an owner that are judged; replicas share theirs, and each is given once.
fn specs<'a>(workload: &OwnedWorkload<'a>) -> Vec<(&'a PodSpec, Option<&'a Pod>)> {
    let mut known: HashSet<*const PodSpec> = HashSet::new();
    let pods = workload.pods.iter().map(|pod| (&*pod.spec, Some(*pod)));
    let template = workload.template.filter(|_| workload.judges_template()).map(|spec| (spec, None));
    pods.chain(template).filter(|(spec, _)| known.insert(std::ptr::from_ref(*spec))).collect()
}

/// A reference of an ephemeral container counts while that runs.
fn counts(reference: &SecretReference, pod: Option<&Pod>) -> bool {
    match reference.path.strip_prefix("ephemeralContainers[name=").and_then(|rest| rest.split_once(']')) {
        Some((name, _)) => pod.is_some_and(|pod| pod.running_ephemeral.iter().any(|running| running == name)),
        None => true,
    }
}

/// Tokens that the controller made for service accounts, by their names: `ACCOUNT-token-abc12`.
struct Tokens<'a>(HashMap<&'a str, HashSet<&'a str>>);

impl<'a> Tokens<'a> {
    fn of(view: &View<'a>) -> Self {
        let mut accounts: HashMap<&str, HashSet<&str>> = HashMap::new();
        for account in &view.inventory.service_accounts.seen {
            accounts.entry(account.meta.namespace_or_default()).or_default().insert(&account.meta.name);
        }
        Tokens(accounts)
    }

    fn is_token(&self, (namespace, name): &SecretName) -> bool {
        name.rsplit_once("-token-").is_some_and(|(account, suffix)| {
            suffix.len() == 5
                && suffix.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
                && self.0.get(namespace.as_str()).is_some_and(|accounts| accounts.contains(account))
        })
    }
}
