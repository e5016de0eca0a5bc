//! Validating webhooks: which of them see a request, whether somebody answers, and what it means when nobody does.

use super::Attempt;
use crate::inventory::{Inventory, Kind, LabelSelector, null_is_default};
use serde::Deserialize;

/// A webhook that sees a canary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Webhook {
    /// Its name.
    pub(super) name: String,
    /// Whether the request goes on when nobody answers.
    pub(super) soft: bool,
    /// Whether somebody answers; none where that is not known.
    pub(super) answers: Option<bool>,
    /// Whether it leaves out requests by conditions that are not evaluated.
    pub(super) conditional: bool,
}

/// A product that decides through webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Product {
    Kyverno,
    Gatekeeper,
    Kubewarden,
    Other,
}

impl Webhook {
    /// Whether Kyverno sees by it what its ClusterPolicies are about; it makes others for its newer kinds.
    pub(super) fn is_of_cluster_policies(&self) -> bool {
        self.name.starts_with("validate.kyverno.svc")
    }

    /// By the names that each product gives its webhooks.
    pub(super) fn product(&self) -> Product {
        if self.name.contains(".kyverno.svc") {
            Product::Kyverno
        } else if self.name.ends_with(".gatekeeper.sh") {
            Product::Gatekeeper
        } else if self.name.ends_with(".kubewarden.admission") {
            Product::Kubewarden
        } else {
            Product::Other
        }
    }
}

/// Every validating webhook of a cluster, read once.
#[derive(Debug)]
pub(super) struct Webhooks {
    /// With whether somebody answers; none where that is not known.
    webhooks: Vec<(RawWebhook, Option<bool>)>,
    /// Configurations that cannot be read.
    unreadable: Vec<String>,
}

impl Webhooks {
    pub(super) fn of(inventory: &Inventory) -> Webhooks {
        let (mut webhooks, mut unreadable) = (Vec::new(), Vec::new());
        for configuration in &inventory.resources(Kind::ValidatingWebhookConfigurations).seen {
            match configuration.parse::<Body>() {
                Ok(body) => webhooks.extend(body.webhooks.into_iter().map(|webhook| {
                    let answers = answers(inventory, &webhook.client_config);
                    (webhook, answers)
                })),
                Err(_) => unreadable.push(configuration.meta.name.clone()),
            }
        }
        Webhooks { webhooks, unreadable }
    }

    /// Those that see a canary, and the names of those of which that cannot be told.
    pub(super) fn that_see(&self, attempt: &Attempt<'_>) -> (Vec<Webhook>, Vec<String>) {
        let (mut found, mut unreadable) = (Vec::new(), self.unreadable.clone());
        for (webhook, answers) in &self.webhooks {
            match sees(webhook, attempt) {
                Some(true) => found.push(Webhook {
                    soft: webhook.failure_policy.as_deref() == Some("Ignore"),
                    answers: *answers,
                    conditional: !webhook.match_conditions.is_empty(),
                    name: webhook.name.clone(),
                }),
                Some(false) => {}
                None => unreadable.push(webhook.name.clone()),
            }
        }
        (found, unreadable)
    }
}

#[derive(Deserialize)]
struct Body {
    #[serde(default, deserialize_with = "null_is_default")]
    webhooks: Vec<RawWebhook>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawWebhook {
    #[serde(default)]
    name: String,
    #[serde(default, deserialize_with = "null_is_default")]
    rules: Vec<Rule>,
    #[serde(default)]
    failure_policy: Option<String>,
    #[serde(default, deserialize_with = "null_is_default")]
    namespace_selector: LabelSelector,
    #[serde(default, deserialize_with = "null_is_default")]
    object_selector: LabelSelector,
    #[serde(default, deserialize_with = "null_is_default")]
    match_conditions: Vec<serde::de::IgnoredAny>,
    #[serde(default, deserialize_with = "null_is_default")]
    client_config: ClientConfig,
}

#[derive(Debug, Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Rule {
    #[serde(deserialize_with = "null_is_default")]
    operations: Vec<String>,
    #[serde(deserialize_with = "null_is_default")]
    api_groups: Vec<String>,
    #[serde(deserialize_with = "null_is_default")]
    api_versions: Vec<String>,
    #[serde(deserialize_with = "null_is_default")]
    resources: Vec<String>,
    scope: Option<String>,
}

#[derive(Debug, Deserialize, Default)]
struct ClientConfig {
    #[serde(default)]
    service: Option<ServiceReference>,
}

#[derive(Debug, Deserialize)]
struct ServiceReference {
    #[serde(default)]
    namespace: String,
    #[serde(default)]
    name: String,
}

fn sees(webhook: &RawWebhook, attempt: &Attempt<'_>) -> Option<bool> {
    let subresource = attempt.form.subresource();
    let operation = if subresource.is_some() { "UPDATE" } else { "CREATE" };
    let has = |list: &[String], wanted: &str| list.iter().any(|found| found == "*" || found == wanted);
    let names = |resource: &String| match subresource {
        None => matches!(resource.as_str(), "pods" | "*" | "*/*"),
        Some(subresource) => match resource.split_once('/') {
            Some((resource, part)) => {
                matches!(resource, "pods" | "*") && (part == "*" || part == subresource)
            }
            None => false,
        },
    };
    let rule = webhook.rules.iter().any(|rule| {
        has(&rule.operations, operation)
            && has(&rule.api_groups, "")
            && has(&rule.api_versions, "v1")
            && rule.resources.iter().any(names)
            && rule.scope.as_deref() != Some("Cluster")
    });
    // Somebody who makes a pod chooses its labels.
    if !rule || !webhook.object_selector.matches(attempt.labels)? {
        return Some(false);
    }
    webhook.namespace_selector.matches(attempt.namespace_labels)
}

/// Whether a ready endpoint stands behind the Service; a URL is somewhere else.
fn answers(inventory: &Inventory, config: &ClientConfig) -> Option<bool> {
    let service = config.service.as_ref()?;
    let mut of_service = inventory.endpoint_slices.seen.iter().filter(|slice| {
        slice.meta.namespace == service.namespace
            && slice.meta.labels.get("kubernetes.io/service-name") == Some(&service.name)
    });
    if of_service.any(|slice| slice.endpoints.iter().any(|endpoint| endpoint.ready)) {
        return Some(true);
    }
    inventory.endpoint_slices.is_complete().then_some(false)
}
