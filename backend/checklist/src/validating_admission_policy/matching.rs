//! Which requests a policy and its binding are about.
//!
//! See <https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/>.

use super::policy::{MatchPolicy, MatchResources, ResourceRule};
use super::{Operation, ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding};
use crate::inventory::Labels;

/// What is asked of a policy: a request without its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// What is done.
    pub operation: Operation,
    /// The API group, empty for the core.
    pub group: String,
    /// The API version.
    pub version: String,
    /// The resource, such as `pods`.
    pub resource: String,
    /// The subresource, such as `ephemeralcontainers`; empty for the object itself.
    pub subresource: String,
    /// The name, which is empty where the API server will make one up.
    pub name: String,
    /// The namespace, if the resource has one.
    pub namespace: Option<String>,
    /// The labels of the namespace; `None` if they are not known.
    pub namespace_labels: Option<Labels>,
    /// The labels of the object, new and old; `None` if they are not known.
    pub object_labels: Option<Vec<Labels>>,
}

/// Whether something is matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Match {
    /// It is.
    Yes,
    /// It is not, for this reason.
    No(String),
    /// It depends on something that is not known.
    Unknown(String),
}

/// Whether a policy with a binding sees a request.
pub fn matches(
    policy: &ValidatingAdmissionPolicy,
    binding: &ValidatingAdmissionPolicyBinding,
    target: &Target,
) -> Match {
    if binding.spec.policy_name != policy.metadata.name {
        return Match::No("the binding is for another policy".to_owned());
    }
    let of_policy = policy_matches(policy, target);
    match (&binding.spec.match_resources, of_policy) {
        (None, answer) | (_, answer @ Match::No(_)) => answer,
        (Some(resources), answer) => match part(resources, target, "the binding") {
            Match::Yes => answer,
            other => other,
        },
    }
}

/// Whether a policy sees a request, whatever a binding says.
pub(super) fn policy_matches(policy: &ValidatingAdmissionPolicy, target: &Target) -> Match {
    if target.group == "admissionregistration.k8s.io" {
        return Match::No("policies are not applied to admission configuration".to_owned());
    }
    let Some(constraints) = &policy.spec.match_constraints else {
        return Match::Unknown("the policy has no matchConstraints, which no API server accepts".to_owned());
    };
    part(constraints, target, "the policy")
}

/// One of the two, both of which must match.
fn part(resources: &MatchResources, target: &Target, whose: &str) -> Match {
    let answers = [
        namespace(resources, target, whose),
        object(resources, target, whose),
        excluded(resources, target, whose),
        included(resources, target, whose),
    ];
    let mut unknown = None;
    for answer in answers {
        match answer {
            Match::No(_) => return answer,
            Match::Unknown(_) => unknown = unknown.or(Some(answer)),
            Match::Yes => {}
        }
    }
    unknown.unwrap_or(Match::Yes)
}

fn namespace(resources: &MatchResources, target: &Target, whose: &str) -> Match {
    let selector = &resources.namespace_selector;
    let unselected = target.namespace.is_none() && target.resource != "namespaces";
    if unselected || selector.is_empty() {
        return Match::Yes;
    }
    match &target.namespace_labels {
        None => Match::Unknown("the labels of the namespace are not known".to_owned()),
        Some(labels) if selector.matches(labels) => Match::Yes,
        Some(_) => Match::No(format!("the namespaceSelector of {whose} does not select the namespace")),
    }
}

fn object(resources: &MatchResources, target: &Target, whose: &str) -> Match {
    let selector = &resources.object_selector;
    if selector.is_empty() {
        return Match::Yes;
    }
    match &target.object_labels {
        None => Match::Unknown(format!("the objectSelector of {whose} depends on the object's labels")),
        Some(objects) if objects.iter().any(|labels| selector.matches(labels)) => Match::Yes,
        Some(_) => Match::No(format!("the objectSelector of {whose} does not select the object")),
    }
}

fn excluded(resources: &MatchResources, target: &Target, whose: &str) -> Match {
    match rules(&resources.exclude_resource_rules, resources.match_policy, target) {
        Match::Yes => Match::No(format!("excludeResourceRules of {whose} leave out {}", target.described())),
        Match::No(_) => Match::Yes,
        unknown => unknown,
    }
}

fn included(resources: &MatchResources, target: &Target, whose: &str) -> Match {
    if resources.resource_rules.is_empty() {
        return Match::Yes;
    }
    match rules(&resources.resource_rules, resources.match_policy, target) {
        Match::No(_) => Match::No(format!(
            "{whose} matches {}, not {}",
            described(&resources.resource_rules),
            target.described()
        )),
        answer => answer,
    }
}

fn rules(rules: &[ResourceRule], policy: MatchPolicy, target: &Target) -> Match {
    let mut answer = Match::No(String::new());
    for rule in rules {
        let about =
            rule.operation(target) && rule.scope(target) && rule.resource(target) && rule.name(target);
        if !about {
            continue;
        }
        if contains(&rule.api_groups, &target.group) && contains(&rule.api_versions, &target.version) {
            return Match::Yes;
        }
        if policy == MatchPolicy::Equivalent && !target.has_one_group_version() {
            answer = Match::Unknown(format!(
                "{} may be matched as the same resource in another group or version",
                target.described()
            ));
        }
    }
    answer
}

impl ResourceRule {
    fn operation(&self, target: &Target) -> bool {
        contains(&self.operations, target.operation.as_str())
    }

    fn scope(&self, target: &Target) -> bool {
        // A request for a namespace is about a cluster-scoped object.
        let namespaced =
            target.namespace.is_some() && !(target.group.is_empty() && target.resource == "namespaces");
        match self.scope.as_deref() {
            None | Some("*") => true,
            Some("Namespaced") => namespaced,
            Some("Cluster") => !namespaced,
            Some(_) => false,
        }
    }

    fn resource(&self, target: &Target) -> bool {
        self.resources.iter().any(|rule| {
            let (resource, subresource) = rule.split_once('/').unwrap_or((rule, ""));
            (resource == "*" || resource == target.resource)
                && (subresource == "*" || subresource == target.subresource)
        })
    }

    fn name(&self, target: &Target) -> bool {
        self.resource_names.is_empty() || self.resource_names.contains(&target.name)
    }
}

impl Target {
    /// Whether current API servers, those that have policies at all, serve it in one group and version only, so that
    /// there is nothing equivalent to match.
    fn has_one_group_version(&self) -> bool {
        match (self.group.as_str(), self.resource.as_str()) {
            ("", "events") => false,
            ("", _) | ("apps", _) => true,
            ("batch", "jobs" | "cronjobs") => true,
            ("rbac.authorization.k8s.io", _) => true,
            _ => false,
        }
    }

    fn described(&self) -> String {
        format!("{} {}", self.operation.as_str(), self.path())
    }

    fn path(&self) -> String {
        let group = if self.group.is_empty() { String::new() } else { format!("{}/", self.group) };
        let subresource =
            if self.subresource.is_empty() { String::new() } else { format!("/{}", self.subresource) };
        format!("{group}{}{subresource}", self.resource)
    }
}

fn contains(items: &[String], wanted: &str) -> bool {
    items.iter().any(|item| item == "*" || item == wanted)
}

/// `CREATE, UPDATE pods`, as the rules have it.
fn described(rules: &[ResourceRule]) -> String {
    /// More would not be read.
    const MOST: usize = 4;
    let mut parts: Vec<String> = rules
        .iter()
        .take(MOST)
        .map(|rule| {
            let groups =
                rule.api_groups.iter().filter(|group| !group.is_empty()).cloned().collect::<Vec<_>>();
            let groups = if groups.is_empty() { String::new() } else { format!("{}/", groups.join("|")) };
            format!("{} {groups}{}", rule.operations.join(", "), rule.resources.join(", "))
        })
        .collect();
    if rules.len() > MOST {
        parts.push("more".to_owned());
    }
    parts.join(" and ")
}

#[cfg(test)]
mod tests;
