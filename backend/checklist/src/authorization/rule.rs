//! What one rule allows, as the API server's RBAC authorizer reads it
//! (<https://github.com/kubernetes/kubernetes/blob/master/pkg/apis/rbac/v1/evaluation_helpers.go>).

use crate::inventory::RoleRule;

/// Something to be done with a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Action<'a> {
    /// The verb.
    pub verb: &'a str,
    /// The API group; empty for the core group.
    pub group: &'a str,
    /// The resource, or `resource/subresource`.
    pub resource: &'a str,
}

/// The objects for which a rule allows something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent<'a> {
    /// All of them.
    All,
    /// These alone. A list or watch has to ask for one of them by the field `metadata.name`; of creations, only those
    /// whose request has the name in its path: subresources, and objects that apply or update brings into being.
    Named(&'a [String]),
}

/// Whether a rule allows an action, and for which objects.
pub fn allows<'a>(rule: &'a RoleRule, action: Action<'_>) -> Option<Extent<'a>> {
    let verb = has(&rule.verbs, action.verb);
    let group = has(&rule.api_groups, action.group);
    (verb && group && has_resource(&rule.resources, action.resource)).then_some(
        if rule.resource_names.is_empty() { Extent::All } else { Extent::Named(&rule.resource_names) },
    )
}

fn has(list: &[String], wanted: &str) -> bool {
    list.iter().any(|entry| entry == "*" || entry == wanted)
}

/// `*` is every resource and subresource, `*/scale` that subresource of every resource. `pods/*` and `*/*` are none
/// of these: they mean a subresource whose name is `*`.
fn has_resource(list: &[String], wanted: &str) -> bool {
    let subresource = wanted.split_once('/').map(|(_, subresource)| subresource);
    list.iter().any(|entry| {
        entry == "*" || entry == wanted || subresource.is_some() && entry.strip_prefix("*/") == subresource
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(yaml: &str) -> RoleRule {
        serde_saphyr::from_str(yaml).unwrap()
    }

    fn action<'a>(verb: &'a str, group: &'a str, resource: &'a str) -> Action<'a> {
        Action { verb, group, resource }
    }

    #[test]
    fn wildcards_and_subresources_are_read_as_the_authorizer_reads_them() {
        for (resources, wanted, allowed) in [
            ("['*']", "pods", true),
            ("['*']", "pods/exec", true),
            ("[pods]", "pods", true),
            ("[pods]", "pods/exec", false),
            ("[pods/exec]", "pods", false),
            ("[pods/exec]", "pods/exec", true),
            ("['*/exec']", "pods/exec", true),
            ("['*/exec']", "pods", false),
            ("['*/scale']", "deployments/scale", true),
            ("['*/scale']", "deployments", false),
            ("['pods/*']", "pods/exec", false),
            ("['*/*']", "pods/exec", false),
        ] {
            let rule = rule(&format!("{{apiGroups: [''], verbs: [get], resources: {resources}}}"));
            assert_eq!(allows(&rule, action("get", "", wanted)).is_some(), allowed, "{resources} {wanted}");
        }
        let any = rule("{apiGroups: ['*'], verbs: ['*'], resources: [roles]}");
        assert!(allows(&any, action("escalate", "rbac.authorization.k8s.io", "roles")).is_some());
        let other = rule("{apiGroups: [acme.io], verbs: [get], resources: [secrets]}");
        assert!(allows(&other, action("get", "", "secrets")).is_none(), "another group's secrets");
        assert!(allows(&other, action("list", "acme.io", "secrets")).is_none());
    }

    #[test]
    fn names_narrow_and_paths_are_no_resources() {
        let named = rule("{apiGroups: [''], verbs: [get], resources: [secrets], resourceNames: [tls]}");
        assert_eq!(allows(&named, action("get", "", "secrets")), Some(Extent::Named(&["tls".to_owned()])));
        let paths = rule("{verbs: ['*'], nonResourceURLs: ['*']}");
        assert_eq!(allows(&paths, action("get", "", "secrets")), None);
    }
}
