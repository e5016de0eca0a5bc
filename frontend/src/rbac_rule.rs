//! A rule of a ClusterRole as YAML, to be pasted below `rules:`.

use rampart_shared::PolicyRule;

/// The rule as an entry of a list.
pub(crate) fn to_yaml(rule: &PolicyRule) -> String {
    let mut yaml = if rule.non_resource_urls.is_empty() {
        format!("- apiGroups: {}\n  resources: {}\n", list(&rule.api_groups), list(&rule.resources))
    } else {
        format!("- nonResourceURLs: {}\n", list(&rule.non_resource_urls))
    };
    if !rule.resource_names.is_empty() {
        yaml.push_str(&format!("  resourceNames: {}\n", list(&rule.resource_names)));
    }
    yaml.push_str(&format!("  verbs: {}\n", list(&rule.verbs)));
    yaml
}

/// A flow sequence of double-quoted strings.
fn list(texts: &[String]) -> String {
    let quoted: Vec<String> =
        texts.iter().map(|text| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))).collect();
    format!("[{}]", quoted.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn a_rule_is_a_list_entry_with_quoted_strings() {
        let rule = PolicyRule {
            api_groups: owned(&[""]),
            resources: owned(&["nodes/proxy", "pods"]),
            verbs: owned(&["get"]),
            ..PolicyRule::default()
        };
        assert_eq!(
            to_yaml(&rule),
            "- apiGroups: [\"\"]\n  resources: [\"nodes/proxy\", \"pods\"]\n  verbs: [\"get\"]\n"
        );
    }

    #[test]
    fn paths_that_are_no_resources_stand_alone() {
        let rule = PolicyRule {
            non_resource_urls: owned(&["/flagz", "/metrics"]),
            verbs: owned(&["get"]),
            ..PolicyRule::default()
        };
        assert_eq!(to_yaml(&rule), "- nonResourceURLs: [\"/flagz\", \"/metrics\"]\n  verbs: [\"get\"]\n");
    }

    #[test]
    fn names_are_written_where_the_rule_has_some() {
        let rule = PolicyRule {
            api_groups: owned(&[""]),
            resources: owned(&["configmaps"]),
            resource_names: owned(&["a\"b"]),
            verbs: owned(&["get"]),
            ..PolicyRule::default()
        };
        assert!(to_yaml(&rule).contains("  resourceNames: [\"a\\\"b\"]\n"));
    }
}
