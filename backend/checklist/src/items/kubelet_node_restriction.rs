//! Item 2: the NodeRestriction admission plugin confines kubelets.

mod remedy;

use super::{Item, control_plane};
use crate::Kind;
use crate::distribution::Distribution;
use crate::flags::{Flags, Setting};
use crate::inventory::{Component, K3sServer, Node, Pod};
use crate::judge::{Observation, SeenViolation, Violation};
use crate::need::Need;
use crate::workloads::View;
use rampart_shared::{Basis, Category, Gap, GapReason, ItemId, RestsOn, Scope, Subject};
use std::collections::BTreeSet;

/// The item.
pub(super) const ITEM: Item = Item {
    id: ItemId::KubeletNodeRestriction,
    number: 2,
    category: Category::ClusterComponents,
    title: "The API server confines each kubelet to its own node",
    short_title: "Node restriction",
    checks: "Every API server's flags: NodeRestriction in --enable-admission-plugins and not in \
             --disable-admission-plugins, and Node in --authorization-mode, without which the plugin does not confine a \
             kubelet. On k3s, which sets both itself, the servers' annotation k3s.io/node-args must not take them away. \
             Where no pod shows an API server's flags, its \
             /flagz does, or its metrics of the plugin and the authorizer; one answer is one API server's. On EKS the \
             provider documents the plugin.",
    why: "A kubelet's credentials lie on its node. Without this plugin, whoever takes one node can change other nodes and \
          their pods, or label the node so that workloads which were kept apart are scheduled to it.",
    cannot_see: "API servers that run in no visible pod and tell neither flags nor metrics: their gap says so. With \
                 --authorization-config the authorizers stand in a file that cannot be seen; a metric shows the Node \
                 authorizer once it decided something. Kubelets with credentials outside the group system:nodes are not confined by the \
                 plugin and not recognised here.",
    references: &[
        (
            "Kubernetes: NodeRestriction",
            "https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#noderestriction",
        ),
        (
            "Kubernetes: Using Node authorization",
            "https://kubernetes.io/docs/reference/access-authn-authz/node/",
        ),
        ("Amazon EKS: platform versions and their admission controllers", EKS_DOCUMENTATION),
        (
            "CIS Kubernetes Benchmark 1.2: --authorization-mode includes Node, NodeRestriction is set",
            "https://www.cisecurity.org/benchmark/kubernetes",
        ),
    ],
    needs: &[
        Need::required(Kind::Pods),
        Need::conditional(Kind::Nodes),
        Need::conditional(Kind::EndpointSlices),
        Need::conditional(Kind::ApiServerFlagz),
        Need::conditional(Kind::ApiServerMetrics),
    ],
    observe,
    remedy: remedy::remedy,
};

const ENABLE: &str = "enable-admission-plugins";
const DISABLE: &str = "disable-admission-plugins";
const MODE: &str = "authorization-mode";
const PLUGIN: &str = "NodeRestriction";
const EKS_DOCUMENTATION: &str = "https://docs.aws.amazon.com/eks/latest/userguide/platform-versions.html";

/// A flag that keeps the plugin from confining kubelets.
struct Fault {
    flag: &'static str,
    observed: String,
    expected: String,
}

/// What one API server's flags say.
#[derive(Default)]
struct Judgement {
    faults: Vec<Fault>,
    /// Flags whose values are not known, with what is known of them.
    open: Vec<(&'static str, String)>,
}

fn observe(view: &View<'_>) -> Observation {
    let mut observation = Observation { unit: "API server", ..Observation::default() };
    let pods = control_plane::pods(view, Component::ApiServer);
    let answered = control_plane::flagz(view);
    for pod in &pods {
        match Flags::of_pod(Component::ApiServer, pod) {
            Ok(flags) => observe_pod(&mut observation, view, pod, &flags, pods.len() == 1),
            // The one API server that there is tells its flags itself.
            Err(_) if answered.is_some() && pods.len() == 1 => {}
            Err(error) => observation.undecided.push(control_plane::unreadable(pod, &error)),
        }
    }
    if observation.examined.is_empty()
        && let Some(flags) = &answered
        && observe_answer(&mut observation, view, flags)
    {
        return observation;
    }
    if pods.is_empty() && answered.is_none() && is_shown_by_metrics(view) {
        return Observation { examined: [control_plane::ANSWERED.to_owned()].into(), ..observation };
    }
    if pods.is_empty() {
        match view.distribution {
            Distribution::Eks => {
                observation.examined.insert("the API server of EKS".to_owned());
                observation.bases.insert(Basis::Provider);
                observation
                    .notes
                    .push(format!("AWS documents NodeRestriction as enabled for each Kubernetes version: {EKS_DOCUMENTATION}"));
            }
            Distribution::K3s => match control_plane::k3s_servers(view) {
                Ok(servers) => observe_k3s(&mut observation, &servers),
                Err(gap) => observation.undecided.push(*gap),
            },
            _ => {
                observation.undecided.push(match &answered {
                    Some(_) => control_plane::others(view, Kind::ApiServerFlagz)
                        .unwrap_or_else(|| control_plane::no_api_server(view)),
                    None => control_plane::no_api_server(view),
                });
                observation.undecided.extend_from_slice(&view.inventory.api_server_flags.gaps);
            }
        }
    } else if observation.examined.is_empty() && answered.is_some() {
        observation.undecided.extend(control_plane::others(view, Kind::ApiServerFlagz));
    }
    observation
}

/// Judges what `/flagz` tells; whether that decides: a violation always does, a good answer where nobody else could
/// give another.
fn observe_answer(observation: &mut Observation, view: &View<'_>, flags: &Flags) -> bool {
    let Judgement { faults, open } = judge(flags);
    let closed = open.iter().all(|(flag, _)| *flag == AUTHORIZATION_CONFIG && has_node_authorizer(view));
    let is_one = control_plane::others(view, Kind::ApiServerFlagz).is_none();
    if faults.is_empty() && !(closed && is_one) {
        return false;
    }
    observation.examined.insert(control_plane::ANSWERED.to_owned());
    for Fault { flag, observed, expected } in faults {
        observation.seen.push(SeenViolation(control_plane::flagz_violation(flags, flag, observed, expected)));
    }
    true
}

fn has_node_authorizer(view: &View<'_>) -> bool {
    let metrics = view.inventory.api_server_metrics.seen.as_ref();
    metrics.is_some_and(|metrics| metrics.authorizers.contains("Node"))
}

/// Whether the metrics of the one API server that there is show both. What they do not show may be there.
fn is_shown_by_metrics(view: &View<'_>) -> bool {
    let metrics = view.inventory.api_server_metrics.seen.as_ref();
    metrics.is_some_and(|metrics| metrics.admission_plugins.contains(PLUGIN))
        && has_node_authorizer(view)
        && control_plane::others(view, Kind::ApiServerMetrics).is_none()
}

fn observe_pod(observation: &mut Observation, view: &View<'_>, pod: &Pod, flags: &Flags, is_only_one: bool) {
    observation.examined.insert(control_plane::name(pod));
    let Judgement { faults, open } = judge(flags);
    for Fault { flag, observed, expected } in faults {
        observation.seen.push(SeenViolation(control_plane::violation(pod, flags, flag, observed, expected)));
    }
    for (flag, text) in open {
        if flag == AUTHORIZATION_CONFIG && is_only_one && has_node_authorizer(view) {
            continue;
        }
        observation.undecided.push(if flag == AUTHORIZATION_CONFIG {
            authorization_config(Kind::Pods, control_plane::name(pod))
        } else {
            control_plane::unclear(pod, flag, &text)
        });
    }
}

/// k3s enables the plugin and Node authorization itself; only its arguments can take them away.
fn observe_k3s(observation: &mut Observation, servers: &[&Node]) {
    observation.bases.insert(Basis::Declared);
    for node in servers {
        let Some(server) = &node.k3s else { continue };
        observation.examined.insert(node.meta.name.clone());
        let Judgement { faults, open } = judge(&k3s_flags(server));
        for Fault { flag, observed, expected } in faults {
            observation.seen.push(SeenViolation(Violation {
                rule: flag,
                scope: Scope::Application,
                subject: Subject {
                    api_version: "v1".to_owned(),
                    kind: "Node".to_owned(),
                    namespace: None,
                    name: node.meta.name.clone(),
                },
                path: format!("metadata.annotations[k3s.io/node-args][--kube-apiserver-arg={flag}]"),
                observed,
                expected,
                note: None,
                discriminator: String::new(),
                units: vec![node.meta.name.clone()],
                rests_on: vec![RestsOn { kind: Kind::Nodes.name(), object: Some(node.meta.name.clone()) }],
            }));
        }
        if !open.is_empty() {
            observation.undecided.push(authorization_config(Kind::Nodes, node.meta.name.clone()));
        }
    }
}

const AUTHORIZATION_CONFIG: &str = "authorization-config";

fn authorization_config(kind: Kind, object: String) -> Gap {
    let detail = format!(
        "{object}: --authorization-config names a file; whether it has the Node authorizer cannot be seen"
    );
    Gap::new(kind.name(), GapReason::NotCollected, detail).for_objects(vec![object]).closed_by(
        "The metric apiserver_authorization_decisions_total{type=\"Node\"} of the API server shows it; `rampart rbac \
         --control-plane-metrics` prints the grant that reads it.",
    )
}

fn judge(flags: &Flags) -> Judgement {
    let mut judgement = Judgement::default();
    // `--admission-control` is the older name, and excludes the newer ones.
    let (enable, enabled) = match flags.list("admission-control") {
        Setting::Unset => (ENABLE, flags.list(ENABLE)),
        older => ("admission-control", older),
    };
    let plugins =
        |plugins: &[String]| if plugins.is_empty() { "unset".to_owned() } else { plugins.join(",") };
    let missing = |observed| Fault { flag: enable, observed, expected: format!("includes {PLUGIN}") };
    match enabled {
        Setting::Unset => judgement.faults.push(missing("unset".to_owned())),
        Setting::Known(list) if !has(&list, PLUGIN) => judgement.faults.push(missing(plugins(&list))),
        Setting::Known(_) => {}
        Setting::Unclear(text) => judgement.open.push((enable, text)),
    }
    match flags.list(DISABLE) {
        Setting::Known(list) if has(&list, PLUGIN) => judgement.faults.push(Fault {
            flag: DISABLE,
            observed: list.join(","),
            expected: format!("does not include {PLUGIN}"),
        }),
        Setting::Unset | Setting::Known(_) => {}
        Setting::Unclear(text) => judgement.open.push((DISABLE, text)),
    }
    if flags.text(AUTHORIZATION_CONFIG) != Setting::Unset {
        judgement.open.push((AUTHORIZATION_CONFIG, String::new()));
        return judgement;
    }
    let without = |observed| Fault { flag: MODE, observed, expected: "includes Node".to_owned() };
    match flags.list(MODE) {
        // The API server's own default is AlwaysAllow.
        Setting::Unset => judgement.faults.push(without("unset".to_owned())),
        Setting::Known(modes) if !has(&modes, "Node") => judgement.faults.push(without(plugins(&modes))),
        Setting::Known(_) => {}
        Setting::Unclear(text) => judgement.open.push((MODE, text)),
    }
    judgement
}

/// Names match whole.
fn has(list: &[String], name: &str) -> bool {
    list.iter().any(|entry| entry == name)
}

/// The API server's flags as k3s composes them: an argument replaces k3s' default, one whose name ends in `+` or
/// `-` keeps it, and further ones of the same name append.
fn k3s_flags(server: &K3sServer) -> Flags {
    const DEFAULTS: [(&str, &str); 2] = [(ENABLE, PLUGIN), (MODE, "Node,RBAC")];
    let mut arguments = Vec::new();
    let mut seen = BTreeSet::new();
    for argument in &server.api_server_args {
        let argument = argument.strip_prefix("--").unwrap_or(argument);
        let (name, value) = argument.split_once('=').unwrap_or((argument, "true"));
        let clean = name.trim_end_matches(['+', '-']);
        if seen.insert(clean)
            && name != clean
            && let Some((_, default)) = DEFAULTS.iter().find(|(flag, _)| *flag == clean)
        {
            arguments.push(format!("--{clean}={default}"));
        }
        arguments.push(format!("--{clean}={value}"));
    }
    // An authorization configuration takes the place of k3s' default mode.
    seen.extend(seen.contains(AUTHORIZATION_CONFIG).then_some(MODE));
    arguments.extend(
        DEFAULTS
            .iter()
            .filter(|(flag, _)| !seen.contains(flag))
            .map(|(flag, value)| format!("--{flag}={value}")),
    );
    Flags::of_arguments(Component::ApiServer, "k3s.io/node-args", &arguments)
}

#[cfg(test)]
mod tests;
