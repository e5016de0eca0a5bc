//! How the API server words what it forbids.

use super::pod::{Container, Pod, SecurityContext};
use std::fmt;

/// Why a control forbids a pod.
#[derive(Debug)]
pub(super) struct Violation {
    /// In a few words.
    pub(super) reason: &'static str,
    /// What in the pod breaks it.
    pub(super) detail: String,
}

/// What sets a field that pods and containers share to a value that is not allowed.
pub(super) struct Setters<'a> {
    pod: bool,
    containers: Vec<&'a str>,
}

impl<'a> Setters<'a> {
    /// Asks about the pod first, then about each container.
    pub(super) fn of(pod: &Pod<'a>, mut is_bad: impl FnMut(&SecurityContext<'a>) -> bool) -> Setters<'a> {
        Setters {
            pod: is_bad(&pod.security_context),
            containers: bad_containers(pod, |container| is_bad(&container.security_context)),
        }
    }

    /// Whether nothing does.
    pub(super) fn is_empty(&self) -> bool {
        !self.pod && self.containers.is_empty()
    }
}

impl fmt::Display for Setters<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pod {
            formatter.write_str(if self.containers.is_empty() { "pod" } else { "pod and " })?;
        }
        if !self.containers.is_empty() {
            formatter.write_str(&containers(&self.containers))?;
        }
        Ok(())
    }
}

/// The names of the containers that break a rule.
pub(super) fn bad_containers<'a>(
    pod: &Pod<'a>,
    mut is_bad: impl FnMut(&Container<'a>) -> bool,
) -> Vec<&'a str> {
    pod.containers().filter(|container| is_bad(container)).map(|container| container.name).collect()
}

/// `container "a"` or `containers "a", "b"`.
pub(super) fn containers(names: &[&str]) -> String {
    format!("{} {}", counted("container", names.len()), quoted(names))
}

/// Items in quotes, with commas between them.
pub(super) fn quoted<T: fmt::Display>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| format!("\"{item}\"")).collect::<Vec<_>>().join(", ")
}

/// A noun in singular or plural.
pub(super) fn counted(noun: &str, count: usize) -> String {
    format!("{noun}{}", if count == 1 { "" } else { "s" })
}

/// `uses` after one, `use` after several.
pub(super) fn uses(count: usize) -> &'static str {
    if count == 1 { "uses" } else { "use" }
}

/// An annotation with its value.
pub(super) fn annotation(name: &str, value: &str) -> String {
    format!("{name}={value:?}")
}
