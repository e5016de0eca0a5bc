//! Flags of the control plane, as documents in the form in which each distribution takes them.

pub(crate) mod kubeadm;
mod provider;
mod rancher;
mod words;

pub(crate) use kubeadm::kubeadm_documents;
pub(crate) use provider::{control_plane_step, kubelet_step};
pub(crate) use rancher::{rancher_document, rancher_name};
pub(crate) use words::{container_mut, takes_flags, without_flag};

use crate::flags::{Flags, Setting};
use crate::inventory::Pod;
use rampart_shared::ChosenField;

/// The annotation by which a patch of a static pod says for which pod it is, where it is for one alone.
pub(crate) const PATCHED_POD: &str = "rampart-remediation/pod";

/// What a flag is set to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FlagValue {
    /// This text.
    Text(String),
    /// What a person chooses, by the name of the input.
    Chosen(&'static str),
}

impl FlagValue {
    /// The text of a field with this value; of what is chosen, what stands before the choice alone.
    fn field(&self, before: &str) -> String {
        match self {
            FlagValue::Text(text) => format!("{before}{text}"),
            FlagValue::Chosen(_) => before.to_owned(),
        }
    }

    /// The choice that fills the field at this pointer.
    fn choice(&self, before: &str, pointer: String) -> Option<ChosenField> {
        match self {
            FlagValue::Text(_) => None,
            FlagValue::Chosen(input) => {
                Some(ChosenField { pointer, input: (*input).to_owned(), template: format!("{before}{{}}") })
            }
        }
    }
}

/// A flag with the value that it gets.
pub(crate) type NewFlag = (&'static str, FlagValue);

/// A flag with a text as its value.
pub(crate) fn flag(name: &'static str, value: impl Into<String>) -> NewFlag {
    (name, FlagValue::Text(value.into()))
}

/// What has to change in the flags of one instance of a component. One that has nothing to change counts too: what is
/// said for the whole cluster holds for it as well.
#[derive(Debug, Clone)]
pub(crate) struct FlagChanges<'a> {
    /// The pod that runs it; none where an API server told its flags itself.
    pub(crate) pod: Option<&'a Pod>,
    /// The flags that it runs with.
    pub(crate) flags: Flags,
    /// The flags that get a value, each with the whole value.
    pub(crate) set: Vec<NewFlag>,
    /// The flags that go.
    pub(crate) removed: Vec<&'static str>,
}

impl FlagChanges<'_> {
    /// Whether there is anything to change.
    pub(crate) fn changes(&self) -> bool {
        !self.set.is_empty() || !self.removed.is_empty()
    }

    /// Whether the flag would have this value, or has it already.
    fn comes_to(&self, name: &str, value: &FlagValue) -> bool {
        if let Some((_, own)) = self.set.iter().find(|(flag, _)| *flag == name) {
            return own == value;
        }
        let FlagValue::Text(text) = value else { return false };
        let joined = match self.flags.list(name) {
            Setting::Known(list) => list.join(","),
            _ => String::new(),
        };
        joined == *text
            || self.flags.text(name) == Setting::Known(text.clone())
            || matches!(self.flags.boolean(name), Setting::Known(is) if is.to_string() == *text)
    }

    /// What the pod is called; an API server that answered is the one that answered.
    fn name(&self) -> String {
        match self.pod {
            Some(pod) => format!("{}/{}", pod.meta.namespace, pod.meta.name),
            None => "the API server that answered".to_owned(),
        }
    }

    /// The former values of the flags that change, as they would be put back.
    pub(crate) fn former(&self) -> String {
        let names = self.set.iter().map(|(name, _)| *name).chain(self.removed.iter().copied());
        let former: Vec<String> = names.map(|name| self.former_of(name)).collect();
        former.join(" ")
    }

    fn former_of(&self, name: &str) -> String {
        let text = match (self.flags.list(name), self.flags.text(name)) {
            (Setting::Known(list), _) if !list.is_empty() => list.join(","),
            (_, Setting::Known(text) | Setting::Unclear(text)) => text,
            (_, Setting::Unset) if self.flags.boolean(name) != Setting::Unset => return format!("--{name}"),
            (_, Setting::Unset) => return format!("(no --{name})"),
        };
        if holds_credential(&text) {
            return format!("--{name}=(as it stands in the manifest: it holds a credential)");
        }
        format!("--{name}={text}")
    }
}

/// Whether a value names a user before a host. Such a value is never written out.
pub(crate) fn holds_credential(value: &str) -> bool {
    value
        .split("://")
        .skip(1)
        .any(|rest| rest.split(['/', ',', ';']).next().is_some_and(|host| host.contains('@')))
}

/// The first names, and how many more there are.
pub(crate) fn names<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    const SHOWN: usize = 10;
    let more = names.len().saturating_sub(SHOWN);
    let shown: Vec<&str> = names.take(SHOWN).collect();
    let shown = shown.join(", ");
    if more > 0 { format!("{shown} and {more} more") } else { shown }
}

#[cfg(test)]
mod tests;
