//! Policies that refuse images from elsewhere. Another image for what runs already cannot be invented.

use crate::image_reference::{DEFAULT_REGISTRY, Pattern};
use crate::remedy::{Texts, document, remediation};
use crate::workloads::View;
use rampart_shared::{ItemResult, Remediation, RemediationTarget, Scope};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const NAME: &str = "rampart-trusted-registries";

pub(super) fn remedy(view: &View<'_>, result: &ItemResult) -> Remediation {
    let texts = Texts {
        changes: "Adds ValidatingAdmissionPolicies that hold every new image against the allow-list: of containers, init \
                  containers, ephemeral containers and image volumes, in pods and in what makes pods, outside of system \
                  namespaces. They only warn and write to the audit log at first. The images that are found now stay \
                  what they are: copy each into a trusted registry, name it there in the workload's source, and roll it \
                  out; nobody but you can say which image that is.",
        may_break: "Nothing while the bindings say Audit and Warn. Look at kubectl's warnings and at the audit log for a \
                    few days; then set validationActions of the three bindings to [Deny, Audit]. From then on a pod with \
                    an image from elsewhere is not made, nor an image changed to one; what runs goes on, and can still \
                    be scaled, changed otherwise and deleted.",
        undo: "kubectl delete validatingadmissionpolicybinding,validatingadmissionpolicy rampart-trusted-registries-pods \
               rampart-trusted-registries-controllers rampart-trusted-registries-cronjobs",
    };
    let allow = &view.parameters.trusted_registries.allow;
    let documents = if allow.is_empty() || result.application_findings().next().is_none() {
        Vec::new()
    } else {
        let trusted = expression(allow);
        let namespaces = system_namespaces(view);
        TARGETS
            .iter()
            .flat_map(|target| {
                [
                    document(
                        RemediationTarget::NewObject,
                        format!("The allow-list, for {}", target.what),
                        &policy(target, &trusted),
                    ),
                    document(
                        RemediationTarget::NewObject,
                        format!("Warns about other images in {}", target.what),
                        &binding(target, &namespaces),
                    ),
                ]
            })
            .collect()
    };
    remediation(result, texts, documents)
}

/// What a policy is for.
struct Target {
    what: &'static str,
    suffix: &'static str,
    /// Where the pod spec stands.
    spec: &'static str,
    /// Groups with their resources.
    resources: &'static [(&'static str, &'static [&'static str])],
}

/// Without a policy for controllers, a Deployment is accepted and its roll-out hangs.
const TARGETS: [Target; 3] = [
    Target {
        what: "pods",
        suffix: "pods",
        spec: "spec",
        resources: &[("", &["pods", "pods/ephemeralcontainers"])],
    },
    Target {
        what: "what makes pods",
        suffix: "controllers",
        spec: "spec.template.spec",
        resources: &[
            ("", &["replicationcontrollers"]),
            ("apps", &["deployments", "replicasets", "statefulsets", "daemonsets"]),
            ("batch", &["jobs"]),
        ],
    },
    Target {
        what: "CronJobs",
        suffix: "cronjobs",
        spec: "spec.jobTemplate.spec.template.spec",
        resources: &[("batch", &["cronjobs"])],
    },
];

/// An update is let through unless an image changes, and is held against the images that it adds: finalizers can be
/// removed from what is there, and `kubectl debug` works on a pod whose own image is not trusted.
fn policy(target: &Target, trusted: &str) -> Value {
    let name = format!("{NAME}-{}", target.suffix);
    let (images, before) = (images("object", target.spec), images("oldObject", target.spec));
    let rules: Vec<Value> = target
        .resources
        .iter()
        .map(|(group, resources)| {
            json!({ "apiGroups": [group], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"],
                    "resources": resources })
        })
        .collect();
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": { "name": name },
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": { "resourceRules": rules },
            "matchConditions": [{
                "name": "an-image-is-new-or-changed",
                "expression": format!("request.operation == 'CREATE' || {images} != {before}"),
            }],
            "variables": [
                { "name": "images", "expression": images },
                { "name": "before", "expression": format!("request.operation == 'CREATE' ? [] : {before}") },
            ],
            "validations": [{
                "expression": format!("variables.images.all(image, image in variables.before || {trusted})"),
                "messageExpression":
                    format!("'Not from a trusted registry: ' + variables.images.filter(image, !(image in variables.before || {trusted})).join(', ')"),
                "message": "An image is not from a trusted registry.",
            }],
        },
    })
}

fn binding(target: &Target, system: &BTreeSet<&str>) -> Value {
    let name = format!("{NAME}-{}", target.suffix);
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": { "name": name },
        "spec": {
            "policyName": name,
            "validationActions": ["Audit", "Warn"],
            "matchResources": { "namespaceSelector": { "matchExpressions": [
                { "key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": system },
            ] } },
        },
    })
}

fn system_namespaces<'a>(view: &'a View<'_>) -> BTreeSet<&'a str> {
    ["kube-system", "kube-public", "kube-node-lease"]
        .into_iter()
        .chain(view.inventory.namespaces.seen.iter().map(|namespace| namespace.name.as_str()))
        .filter(|namespace| view.scope(namespace) == Scope::System)
        .collect()
}

/// Every image of a pod spec, as a list in CEL.
fn images(object: &str, spec: &str) -> String {
    let spec = format!("{object}.{spec}");
    let list = |field: &str| format!("(has({spec}.{field}) ? {spec}.{field} : [])");
    let containers: Vec<String> = ["containers", "initContainers", "ephemeralContainers"]
        .iter()
        .map(|field| format!("{}.map(container, container.image)", list(field)))
        .collect();
    format!(
        "({} + {}.filter(volume, has(volume.image) && has(volume.image.reference)).map(volume, volume.image.reference))",
        containers.join(" + "),
        list("volumes"),
    )
}

/// Whether `image` is in the allow-list, in CEL.
fn expression(allow: &[Pattern]) -> String {
    let (whole_hub, rest): (Vec<&Pattern>, Vec<&Pattern>) =
        allow.iter().partition(|entry| is_docker_hub(entry));
    let mut conditions = Vec::new();
    if !rest.is_empty() {
        let patterns: Vec<String> = rest.iter().map(|entry| regex(entry)).collect();
        conditions.push(format!("image.matches(r'^({})')", patterns.join("|")));
    }
    if !whole_hub.is_empty() {
        conditions
            .push(format!("(image.matches(r'^({WHOLE_DOCKER_HUB})') && !image.startsWith('localhost/'))"));
    }
    format!("({})", conditions.join(" || "))
}

fn is_docker_hub(entry: &Pattern) -> bool {
    entry.registry() == DEFAULT_REGISTRY && entry.repository().is_none() && !entry.is_for_subdomains()
}

const DOCKER_HUB: &str = "(index[.])?docker[.]io/";
/// An image without registry: one word, or words of which the first cannot be a registry. `localhost` can be one, and
/// RE2 has no way of saying that in the same expression.
const WHOLE_DOCKER_HUB: &str = "(index[.])?docker[.]io/|[^/]+$|[a-z0-9_-]+/";

/// What the beginning of an image looks like that an entry stands for, in RE2, without quotes.
fn regex(entry: &Pattern) -> String {
    let registry = escaped(entry.registry());
    let Some(repository) = entry.repository() else {
        return if entry.is_for_subdomains() {
            format!("(?i:[^/]+[.]{registry})/")
        } else {
            format!("(?i:{registry})/")
        };
    };
    let whole = format!("{}([/:@]|$)", escaped(repository));
    if entry.is_for_subdomains() {
        return format!("(?i:[^/]+[.]{registry})/{whole}");
    }
    if entry.registry() != DEFAULT_REGISTRY {
        return format!("(?i:{registry})/{whole}");
    }
    // What Docker Hub leaves out: the registry, and `library`.
    let (first, rest) =
        repository.split_once('/').map_or((repository, None), |(first, rest)| (first, Some(rest)));
    let prefix = if first == "localhost" || first.contains('.') {
        DOCKER_HUB.to_owned()
    } else {
        format!("({DOCKER_HUB})?")
    };
    match rest {
        None if first == "library" => format!("({DOCKER_HUB})?(library/|[^/]+$)"),
        // An account alone: the same word without more is an official image.
        None => format!("{prefix}{}/", escaped(first)),
        Some(image) if first == "library" && !image.contains('/') => {
            format!("({DOCKER_HUB})?(library/{0}([/:@]|$)|{0}([:@]|$))", escaped(image))
        }
        Some(_) => format!("{prefix}{whole}"),
    }
}

/// The characters of registries and repositories that mean something in RE2, so that they mean themselves.
fn escaped(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            '.' => "[.]".to_owned(),
            '[' | ']' => format!("\\{character}"),
            other => other.to_string(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image_reference::ImageReference;
    use regex::Regex;

    /// What the policy says of an image, by the same expressions.
    fn admits(entry: &Pattern, image: &str) -> bool {
        if is_docker_hub(entry) {
            let pattern = Regex::new(&format!("^({WHOLE_DOCKER_HUB})")).unwrap();
            return pattern.is_match(image) && !image.starts_with("localhost/");
        }
        Regex::new(&format!("^({})", regex(entry))).unwrap().is_match(image)
    }

    #[test]
    fn the_policy_admits_what_the_item_trusts_and_nothing_else() {
        let entries = [
            "docker.io",
            "docker.io/library",
            "docker.io/library/nginx",
            "docker.io/acme",
            "docker.io/acme/shop",
            "docker.io/foo.bar",
            "ghcr.io",
            "ghcr.io/acme",
            "ghcr.io/acme/shop",
            "registry.k8s.io",
            "localhost",
            "localhost:5000/team",
            "[fd00::7]:5000",
            "*.dkr.ecr.eu-west-1.amazonaws.com",
            "*.azurecr.io/team",
        ];
        let digest = format!("@sha256:{}", "0a".repeat(32));
        let names = [
            "nginx",
            "nginx-evil",
            "library/nginx",
            "library/nginx/more",
            "docker.io/nginx",
            "docker.io/library/nginx",
            "index.docker.io/nginx",
            "index.docker.io/acme/shop",
            "acme",
            "acme/shop",
            "acme-evil/shop",
            "acme/shop-evil",
            "docker.io/acme",
            "docker.io/acme/shop",
            "docker.io/foo.bar/x",
            "foo.bar/x",
            "docker.io.evil.com/acme/shop",
            "dockerxio/acme/shop",
            "ghcr.io/acme",
            "ghcr.io/acme/shop",
            "GHCR.io/acme/shop",
            "ghcr.io/acme-evil/shop",
            "ghcrxio/acme/shop",
            "ghcr.io:8443/acme/shop",
            "evil.com/ghcr.io/acme/shop",
            "registry.k8s.io/pause",
            "xregistry.k8s.io/pause",
            "localhost/shop",
            "localhost:5000/team/shop",
            "localhost:5000/teams/shop",
            "[fd00::7]:5000/shop",
            "[fd00::8]:5000/shop",
            "1.dkr.ecr.eu-west-1.amazonaws.com/shop",
            "dkr.ecr.eu-west-1.amazonaws.com/shop",
            "a.azurecr.io/team/shop",
            "a.azurecr.io/teams/shop",
        ];
        for entry in entries {
            let pattern = Pattern::parse(entry).unwrap();
            for name in names {
                for image in [name.to_owned(), format!("{name}:v1.2"), format!("{name}:v1{digest}")] {
                    let Ok(reference) = image.parse::<ImageReference>() else { panic!("{image}") };
                    assert_eq!(admits(&pattern, &image), pattern.matches(&reference), "{entry} and {image}");
                }
            }
        }
    }
}
