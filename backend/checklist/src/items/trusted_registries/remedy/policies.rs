//! Policies that refuse images from elsewhere.

use crate::image_reference::{DEFAULT_REGISTRY, Pattern};
use crate::remedy::admission::{POD_MAKERS, ValidatingPolicy};
use serde_json::{Value, json};

/// The beginning of the policies' names.
const NAME: &str = "rampart-trusted-registries";

/// One policy for each place where a pod spec stands.
pub(super) fn policies(allow: &[Pattern]) -> Vec<ValidatingPolicy> {
    let trusted = expression(allow);
    let of_pods = json!([{
        "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"],
        "resources": ["pods", "pods/ephemeralcontainers"],
    }]);
    let policy = |what: &str, suffix: &str, spec: &str, rules: Value| ValidatingPolicy {
        comment: format!("The allow-list, for {what}"),
        name: format!("{NAME}-{suffix}"),
        spec: spec_of(spec, &rules, &trusted),
    };
    let of_makers = POD_MAKERS.iter().map(|makers| {
        policy(makers.what, makers.suffix, &format!("{}.spec", makers.template), json!(makers.rules()))
    });
    std::iter::once(policy("pods", "pods", "spec", of_pods)).chain(of_makers).collect()
}

/// An update is let through unless an image changes, and is held against the images that it adds: finalizers can be
/// removed from what is there, and `kubectl debug` works on a pod whose own image is not trusted.
fn spec_of(spec: &str, rules: &Value, trusted: &str) -> Value {
    let (images, before) = (images("object", spec), images("oldObject", spec));
    json!({
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
    })
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
