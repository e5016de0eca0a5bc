//! What the items about kubelets share: the denominator, the gaps, the receipts and the remedy.

mod remedy;

pub(super) use remedy::{Change, remedy};

use crate::Kind;
use crate::inventory::{Inventory, KubeletConfiguration, Node};
use crate::judge::{Observation, SeenViolation, Violation};
use crate::need::Need;
use crate::remedy::control_plane::names;
use crate::workloads::View;
use rampart_shared::{Basis, Gap, GapReason, RestsOn, Scope, Subject};
use std::collections::{BTreeMap, BTreeSet};

/// Nodes are the denominator. Only the configuration of Ready nodes decides, so the item weighs the gaps of
/// `nodes/configz` itself; the ConfigMap can only show a violation.
pub(super) const NEEDS: &[Need] = &[
    Need::required(Kind::Nodes),
    Need::conditional(Kind::KubeletConfigz),
    Need::supporting(Kind::ConfigMaps),
];

/// One field of a KubeletConfiguration and the only value with which it holds.
pub(super) struct Setting {
    /// The rule that a violation names.
    pub(super) rule: &'static str,
    /// The field, relative to the configuration.
    pub(super) field: &'static str,
    /// The value with which it holds.
    pub(super) expected: &'static str,
    /// What the field says; none where it is left out.
    pub(super) read: fn(&KubeletConfiguration) -> Option<String>,
    /// Whether the effective configuration may leave the field out and still hold.
    pub(super) unset_holds: bool,
    /// The value that the kubelet's answers show where its configuration was not read.
    pub(super) shown: fn(&Inventory, &str) -> Option<bool>,
}

impl Setting {
    /// The bad value of an effective configuration.
    fn effective(&self, configuration: &KubeletConfiguration) -> Option<String> {
        match (self.read)(configuration) {
            Some(value) => (value != self.expected).then_some(value),
            None => (!self.unset_holds).then(|| "unset".to_owned()),
        }
    }

    /// The bad value of a file: what a file leaves out gets the API's default, and that is the good value.
    fn declared(&self, configuration: &KubeletConfiguration) -> Option<String> {
        (self.read)(configuration).filter(|value| value != self.expected)
    }
}

/// Judges one field on every Ready node.
pub(super) fn observe(view: &View<'_>, setting: &Setting) -> Observation {
    let inventory = view.inventory;
    let configurations = &inventory.kubelet_configurations.seen;
    let mut observation = Observation { unit: "node", ..Observation::default() };

    let (virtual_nodes, own): (Vec<&Node>, Vec<&Node>) =
        inventory.nodes.seen.iter().partition(|node| node.is_virtual());
    let (ready, not_ready): (Vec<&Node>, Vec<&Node>) = own.into_iter().partition(|node| node.ready);

    let mut deciding: BTreeSet<&str> = ready.iter().map(|node| node.meta.name.as_str()).collect();
    if !inventory.nodes.is_complete() {
        // A kubelet that answered is there, whether or not its node was among those that were listed.
        let listed: BTreeSet<&str> =
            inventory.nodes.seen.iter().map(|node| node.meta.name.as_str()).collect();
        deciding.extend(configurations.keys().map(String::as_str).filter(|name| !listed.contains(name)));
    }
    let mut unread = Vec::new();
    for name in &deciding {
        let Some(configuration) = configurations.get(*name) else {
            let Some(value) = (setting.shown)(inventory, name).map(|value| value.to_string()) else {
                unread.push(*name);
                continue;
            };
            observation.examined.insert((*name).to_owned());
            if value != setting.expected {
                let mut violation = on_node(setting, name, value);
                violation.note =
                    Some("Shown by the kubelet's answer to a request without credentials.".to_owned());
                observation.seen.push(SeenViolation(violation));
            }
            continue;
        };
        observation.examined.insert((*name).to_owned());
        if let Some(observed) = setting.effective(configuration) {
            observation.seen.push(SeenViolation(on_node(setting, name, observed)));
        }
    }

    observation.undecided = unread_gaps(view, &deciding, &unread);
    if !unread.is_empty()
        && let Some(configuration) = declared(view, &mut observation)
        && let Some(observed) = setting.declared(&configuration)
    {
        observation.examined.insert(CONFIG_MAP.to_owned());
        observation.bases.insert(Basis::Declared);
        observation.seen.push(SeenViolation(on_config_map(setting, observed, unread.len())));
    }

    note_not_ready(&mut observation, &not_ready);
    if !virtual_nodes.is_empty() {
        let names = names(virtual_nodes.iter().map(|node| node.meta.name.as_str()));
        observation.notes.push(format!(
            "{} provider-managed: no kubelet of the cluster's own runs there ({names}).",
            counted(virtual_nodes.len(), "node is", "nodes are")
        ));
        if deciding.is_empty() && not_ready.is_empty() {
            observation.undecided.push(Gap::new(
                Kind::KubeletConfigz.name(),
                GapReason::ProviderManaged,
                "every node is provider-managed and shows no kubelet configuration",
            ));
        }
    }
    observation
}

const CONFIG_MAP: &str = "kube-system/kubelet-config";

/// What ConfigMap `kube-system/kubelet-config` declares.
fn declared(view: &View<'_>, observation: &mut Observation) -> Option<KubeletConfiguration> {
    match view.inventory.config_map("kube-system", "kubelet-config")?.kubelet_configuration()? {
        Ok(configuration) => Some(configuration),
        Err(_) => {
            let detail = "what stands in its key `kubelet` is no KubeletConfiguration";
            let gap = Gap::new(Kind::ConfigMaps.name(), GapReason::Failed, detail);
            observation.listed.push(gap.for_objects(vec![CONFIG_MAP.to_owned()]));
            None
        }
    }
}

fn on_node(setting: &Setting, node: &str, observed: String) -> Violation {
    Violation {
        rule: setting.rule,
        scope: Scope::Application,
        subject: Subject {
            api_version: "v1".to_owned(),
            kind: "Node".to_owned(),
            namespace: None,
            name: node.to_owned(),
        },
        path: format!("kubeletconfig.{}", setting.field),
        observed,
        expected: setting.expected.to_owned(),
        note: None,
        discriminator: String::new(),
        units: vec![node.to_owned()],
        rests_on: vec![
            RestsOn { kind: Kind::Nodes.name(), object: None },
            RestsOn { kind: Kind::KubeletConfigz.name(), object: Some(node.to_owned()) },
        ],
    }
}

fn on_config_map(setting: &Setting, observed: String, unread: usize) -> Violation {
    Violation {
        rule: setting.rule,
        scope: Scope::Application,
        subject: Subject {
            api_version: "v1".to_owned(),
            kind: "ConfigMap".to_owned(),
            namespace: Some("kube-system".to_owned()),
            name: "kubelet-config".to_owned(),
        },
        path: format!("data.kubelet: {}", setting.field),
        observed,
        expected: setting.expected.to_owned(),
        note: Some(format!(
            "Declared for kubelets that kubeadm sets up; {} not read, so what is in force there is not known.",
            counted(unread, "Ready node was", "Ready nodes were")
        )),
        discriminator: String::new(),
        units: vec![CONFIG_MAP.to_owned()],
        rests_on: vec![
            RestsOn { kind: Kind::Nodes.name(), object: None },
            RestsOn { kind: Kind::ConfigMaps.name(), object: None },
        ],
    }
}

/// Why Ready nodes were not read: a gap over the whole kind as it is, the others by reason, with a count.
fn unread_gaps(view: &View<'_>, deciding: &BTreeSet<&str>, unread: &[&str]) -> Vec<Gap> {
    let fact = &view.inventory.kubelet_configurations;
    let whole: Vec<Gap> = fact.gaps.iter().filter(|gap| gap.objects.is_empty()).cloned().collect();
    if deciding.is_empty() || !whole.is_empty() {
        return if deciding.is_empty() { Vec::new() } else { whole };
    }
    let mut by_reason: BTreeMap<GapReason, (Vec<String>, BTreeSet<&Gap>)> = BTreeMap::new();
    for name in unread {
        let cause = fact.gaps.iter().find(|gap| gap.objects.iter().any(|object| object == name));
        let reason = cause.map_or(GapReason::NotCollected, |gap| gap.reason);
        let (names, causes) = by_reason.entry(reason).or_default();
        names.push((*name).to_owned());
        causes.extend(cause);
    }
    by_reason
        .into_iter()
        .map(|(reason, (objects, causes))| {
            let detail = format!(
                "{} of {} Ready nodes were read; not: {}",
                deciding.len() - unread.len(),
                deciding.len(),
                names(objects.iter().map(String::as_str))
            );
            let mut gap = Gap::new(Kind::KubeletConfigz.name(), reason, detail);
            if let Some(cause) = causes.first() {
                gap.closed_by.clone_from(&cause.closed_by);
                gap.rule.clone_from(&cause.rule);
            }
            if causes.len() == 1 {
                gap.detail.extend(causes.iter().map(|cause| format!(" ({})", cause.detail)));
            }
            gap.for_objects(objects)
        })
        .collect()
}

/// Nodes that are not Ready decide nothing, and their findings must not count as resolved either.
fn note_not_ready(observation: &mut Observation, not_ready: &[&Node]) {
    if not_ready.is_empty() {
        return;
    }
    let objects: Vec<String> = not_ready.iter().map(|node| node.meta.name.clone()).collect();
    let listed = names(objects.iter().map(String::as_str));
    let gap = Gap::new(Kind::KubeletConfigz.name(), GapReason::NotCollected, format!("not Ready: {listed}"))
        .for_objects(objects)
        .closed_by("A node counts again when it is Ready.");
    // Without any Ready node nothing was judged, and that is not the same as nothing to judge.
    if observation.examined.is_empty() && observation.undecided.is_empty() {
        observation.undecided.push(gap);
    } else {
        observation.listed.push(gap);
    }
    observation.notes.push(format!(
        "{} not Ready and decide nothing: {listed}.",
        counted(not_ready.len(), "node is", "nodes are")
    ));
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests;
