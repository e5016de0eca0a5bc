//! Commands that a person is told to run.

use rampart_shared::Subject;

/// A command of kubectl in a namespace; in words where the namespace could be read as more than a name.
pub fn kubectl(namespace: &str, command: &str) -> String {
    if is_word(namespace) {
        format!("kubectl -n {namespace} {command}")
    } else {
        format!("kubectl {command}, in that namespace")
    }
}

/// What shows why an object is not what it should be.
pub fn describe(subject: &Subject) -> String {
    let Some(object) = reference(&subject.kind, &subject.name) else {
        return "kubectl describe".to_owned();
    };
    match &subject.namespace {
        Some(namespace) => kubectl(namespace, &format!("describe {object}")),
        None => format!("kubectl describe {object}"),
    }
}

/// An object as kubectl names it, such as `deployment/cart`; none where a shell could read it as more than a name.
pub fn reference(kind: &str, name: &str) -> Option<String> {
    let reference = format!("{}/{name}", kind.to_ascii_lowercase());
    is_word(&reference).then_some(reference)
}

/// Whether a shell takes a text for one word. The API server lets no other name in, a snapshot may have any.
fn is_word(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '/' | ':' | '_');
    !text.is_empty() && !text.starts_with('-') && text.chars().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_none_stand_in_no_command() {
        let subject = |namespace: Option<&str>, name: &str| Subject {
            api_version: "apps/v1".to_owned(),
            kind: "Deployment".to_owned(),
            namespace: namespace.map(str::to_owned),
            name: name.to_owned(),
        };
        assert_eq!(describe(&subject(Some("shop"), "cart")), "kubectl -n shop describe deployment/cart");
        assert_eq!(describe(&subject(None, "cart")), "kubectl describe deployment/cart");
        for name in ["a; rm -rf /", "$(id)", "a\nb", "a b", "`id`", "a|b"] {
            assert_eq!(describe(&subject(Some("shop"), name)), "kubectl describe", "{name}");
            assert!(!describe(&subject(Some(name), "cart")).contains(name), "{name}");
        }
        assert!(!kubectl("--all", "get pods").contains("--all"));
    }
}
