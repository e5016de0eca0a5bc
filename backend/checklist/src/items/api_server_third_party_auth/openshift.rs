//! OpenShift's identity providers.

use super::PROVIDER;
use crate::Kind;
use crate::inventory::Resource;
use crate::judge::{AbsentViolation, Observation, Violation};
use crate::workloads::View;
use rampart_shared::{Basis, RestsOn, Scope, Subject};
use serde_json::Value;

/// OpenShift keeps its identity providers in objects; the API server's own flags stand in a file.
pub(super) fn observe(observation: &mut Observation, view: &View<'_>) {
    let inventory = view.inventory;
    let unit = "the API server of OpenShift".to_owned();
    observation.examined.insert(unit.clone());
    observation.bases.insert(Basis::Declared);
    let cluster =
        |kind: Kind| inventory.resources(kind).seen.iter().find(|object| object.meta.name == "cluster");
    let authentication = cluster(Kind::OpenShiftAuthentications);
    let kind = match authentication.map(|object| object.body["spec"]["type"].as_str().unwrap_or_default()) {
        Some("OIDC") => "OIDC",
        Some("None") => "None",
        _ => "IntegratedOAuth",
    };
    let names = match kind {
        "OIDC" => names(authentication, "oidcProviders", |_| true),
        "None" => Vec::new(),
        // Passwords that the cluster keeps itself are nobody's identity provider.
        _ => names(cluster(Kind::OpenShiftOAuths), "identityProviders", |provider| {
            provider["type"].as_str().is_some_and(|kind| kind != "HTPasswd")
        }),
    };
    if !names.is_empty() {
        observation.notes.push(format!("OpenShift's identity providers: {}.", names.join(", ")));
        return;
    }
    if kind != "IntegratedOAuth"
        && let Some(map) = inventory.config_map("openshift-kube-apiserver", "auth-config")
        && map.data.values().any(|text| has_jwt(text))
    {
        return;
    }
    observation.absent.push(AbsentViolation {
        violation: Violation {
            rule: PROVIDER,
            scope: Scope::Application,
            subject: Subject {
                api_version: Kind::OpenShiftOAuths.api_version(),
                kind: "OAuth".to_owned(),
                namespace: None,
                name: "cluster".to_owned(),
            },
            path: "spec.identityProviders".to_owned(),
            observed: "no identity provider but OpenShift itself".to_owned(),
            expected: "an identity provider of a type other than HTPasswd".to_owned(),
            note: None,
            discriminator: String::new(),
            units: vec![unit],
            rests_on: KINDS.map(|kind| RestsOn { kind: kind.name(), object: None }).to_vec(),
        },
        suppliers: KINDS.to_vec(),
    });
}

pub(super) const KINDS: [Kind; 3] = [Kind::OpenShiftOAuths, Kind::OpenShiftAuthentications, Kind::ConfigMaps];

/// The names of those entries of a list in a spec.
fn names(object: Option<&Resource>, field: &str, is_meant: impl Fn(&Value) -> bool) -> Vec<String> {
    object
        .and_then(|object| object.body["spec"][field].as_array())
        .into_iter()
        .flatten()
        .filter(|entry| is_meant(entry))
        .map(|entry| entry["name"].as_str().unwrap_or("unnamed").to_owned())
        .collect()
}

/// Whether an AuthenticationConfiguration has a JWT authenticator.
fn has_jwt(text: &str) -> bool {
    serde_saphyr::from_str::<Value>(text)
        .is_ok_and(|configuration| configuration["jwt"].as_array().is_some_and(|jwt| !jwt.is_empty()))
}
