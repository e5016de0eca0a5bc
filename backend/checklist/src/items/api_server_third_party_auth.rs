//! Item 6: a third-party identity provider authenticates people.

mod authenticators;
mod openshift;
mod remedy;

use super::{Item, control_plane};
use crate::Kind;
use crate::authorization::{Authorization, Holder};
use crate::distribution::Distribution;
use crate::flags::{Flags, Setting};
use crate::inventory::{Component, K3sServer, RoleRule};
use crate::judge::{AbsentViolation, Observation, SeenViolation, Violation};
use crate::need::Need;
use crate::workloads::View;
use rampart_shared::{Basis, Category, Gap, GapReason, ItemId, RestsOn, Scope, Subject};

/// The item.
pub(super) const ITEM: Item = Item {
    id: ItemId::ApiServerThirdPartyAuth,
    number: 6,
    category: Category::ClusterComponents,
    title: "A third-party identity provider authenticates people at the API server",
    short_title: "Third-party auth",
    checks: "Every API server's flags, or its /flagz: --oidc-issuer-url or --authentication-token-webhook-config-file; with \
             --authentication-config alone, a metric of a JWT authenticator. Failing these, a known authenticator that is \
             ready in the cluster and that the API server trusts: Pinniped, Rancher, Teleport, or one that you name. On \
             OpenShift the identity providers of OAuth and Authentication; on EKS and GKE the provider's documentation. \
             A --token-auth-file fails whatever else is there. Bindings that make a person or a group cluster-admin are \
             listed and do not decide.",
    why: "A certificate cannot be taken back, a static token only by a restart of the API server; neither carries a second \
          factor, and both outlive the person's employment. An identity provider ends an account in one place, and its tokens expire.",
    cannot_see: "Whether people use the provider, or a certificate that somebody once issued. Membership in system:masters \
                 comes from the organisation in a client certificate and cannot be read from the cluster; recent \
                 CertificateSigningRequests with signer kubernetes.io/kube-apiserver-client are the only trace. The file \
                 that --authentication-config names; it may hold only anonymous settings.",
    references: &[
        (
            "Kubernetes: Authenticating",
            "https://kubernetes.io/docs/reference/access-authn-authz/authentication/",
        ),
        (
            "Kubernetes: hardening guide, authentication mechanisms",
            "https://kubernetes.io/docs/concepts/security/hardening-guide/authentication-mechanisms/",
        ),
        ("Amazon EKS: cluster authentication", EKS_DOCUMENTATION),
        ("Google GKE: API server authentication", GKE_DOCUMENTATION),
        (
            "OpenShift: identity provider configuration",
            "https://docs.redhat.com/en/documentation/openshift_container_platform/4.19/html/authentication_and_authorization/understanding-identity-provider",
        ),
        (
            "CIS Kubernetes Benchmark 1.2: no --token-auth-file; 3.1: no client certificates for people",
            "https://www.cisecurity.org/benchmark/kubernetes",
        ),
    ],
    needs: &[
        Need::required(Kind::Pods),
        Need::conditional(Kind::Nodes),
        Need::conditional(Kind::EndpointSlices),
        Need::conditional(Kind::ConfigMaps),
        Need::conditional(Kind::Deployments),
        Need::conditional(Kind::DaemonSets),
        Need::conditional(Kind::StatefulSets),
        Need::conditional(Kind::ClusterRoles),
        Need::conditional(Kind::ClusterRoleBindings),
        Need::conditional(Kind::JwtAuthenticators),
        Need::conditional(Kind::WebhookAuthenticators),
        Need::conditional(Kind::OpenShiftOAuths),
        Need::conditional(Kind::OpenShiftAuthentications),
        Need::conditional(Kind::ApiServerFlagz),
        Need::conditional(Kind::ApiServerMetrics),
        Need::supporting(Kind::CertificateSigningRequests),
    ],
    observe,
    remedy: remedy::remedy,
};

const ISSUER: &str = "oidc-issuer-url";
const WEBHOOK: &str = "authentication-token-webhook-config-file";
const CONFIG: &str = "authentication-config";
const TOKENS: &str = "token-auth-file";
const PROVIDER: &str = "no-identity-provider";
const EXPECTED: &str = "an identity provider: --oidc-issuer-url, --authentication-config with a JWT authenticator, or \
                        --authentication-token-webhook-config-file";
const EKS_DOCUMENTATION: &str = "https://docs.aws.amazon.com/eks/latest/userguide/cluster-auth.html";
const GKE_DOCUMENTATION: &str =
    "https://cloud.google.com/kubernetes-engine/docs/how-to/api-server-authentication";
/// Where authenticators in the cluster, and the API server's trust in them, would be seen.
const AUTHENTICATORS: [Kind; 7] = [
    Kind::Deployments,
    Kind::DaemonSets,
    Kind::StatefulSets,
    Kind::ClusterRoles,
    Kind::ClusterRoleBindings,
    Kind::JwtAuthenticators,
    Kind::WebhookAuthenticators,
];

/// What an API server's flags say of an identity provider.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Provider {
    /// There is one.
    Named,
    /// There is none.
    None,
    /// A file says it, and cannot be seen.
    File,
    /// This flag's value is not known.
    Unclear(&'static str, String),
}

fn provider(flags: &Flags) -> Provider {
    let mut open = None;
    for flag in [ISSUER, WEBHOOK] {
        match flags.text(flag) {
            Setting::Known(_) => return Provider::Named,
            Setting::Unclear(text) => open = Some(Provider::Unclear(flag, text)),
            Setting::Unset => {}
        }
    }
    match flags.text(CONFIG) {
        Setting::Unset => open.unwrap_or(Provider::None),
        _ => Provider::File,
    }
}

/// One thing that stands for an API server: its pod, its node, or its answer.
struct Instance {
    name: String,
    kind: Kind,
    flags: Flags,
    /// A violation of one of its flags, to be filled in.
    violation: Violation,
}

fn observe(view: &View<'_>) -> Observation {
    let mut observation = Observation { unit: "API server", ..Observation::default() };
    if view.distribution == Distribution::OpenShift {
        openshift::observe(&mut observation, view);
    } else {
        observe_flags(&mut observation, view);
    }
    observe_cluster_admins(&mut observation, view);
    if !observation.examined.is_empty() {
        observe_certificates(&mut observation, view);
    }
    observation
}

fn observe_flags(observation: &mut Observation, view: &View<'_>) {
    let pods = control_plane::pods(view, Component::ApiServer);
    let answered = control_plane::flagz(view);
    let mut instances = Vec::new();
    for pod in &pods {
        match Flags::of_pod(Component::ApiServer, pod) {
            Ok(flags) => instances.push(Instance {
                name: control_plane::name(pod),
                kind: Kind::Pods,
                violation: control_plane::violation(pod, &flags, TOKENS, String::new(), ""),
                flags,
            }),
            // The one API server that there is has told its flags itself.
            Err(_) if answered.is_some() && pods.len() == 1 => {}
            Err(error) => observation.undecided.push(control_plane::unreadable(pod, &error)),
        }
    }
    if let Some(flags) = answered
        && instances.is_empty()
    {
        observation.undecided.extend(control_plane::others(view, Kind::ApiServerFlagz));
        instances.push(Instance {
            name: control_plane::ANSWERED.to_owned(),
            kind: Kind::ApiServerFlagz,
            violation: control_plane::flagz_violation(&flags, TOKENS, String::new(), ""),
            flags,
        });
    } else if pods.is_empty() {
        instances.extend(observe_hidden(observation, view));
    }
    observe_instances(observation, view, instances);
}

/// Where neither a pod nor an answer shows flags.
fn observe_hidden(observation: &mut Observation, view: &View<'_>) -> Vec<Instance> {
    let documented = match view.distribution {
        Distribution::Eks => {
            Some(("AWS documents that EKS authenticates people through IAM", EKS_DOCUMENTATION))
        }
        Distribution::Gke => {
            Some(("Google documents that GKE authenticates people by their accounts", GKE_DOCUMENTATION))
        }
        _ => None,
    };
    if let Some((text, link)) = documented {
        observation.examined.insert(format!("the API server of {}", view.distribution));
        observation.bases.insert(Basis::Provider);
        observation.notes.push(format!("{text}: {link}"));
        return Vec::new();
    }
    if view.distribution == Distribution::K3s {
        match control_plane::k3s_servers(view) {
            Ok(servers) => {
                observation.bases.insert(Basis::Declared);
                return servers
                    .iter()
                    .filter_map(|node| Some((node, node.k3s.as_ref()?)))
                    .map(|(node, server)| k3s_instance(&node.meta.name, server))
                    .collect();
            }
            Err(gap) => observation.undecided.push(*gap),
        }
    } else {
        observation.undecided.push(control_plane::no_api_server(view));
    }
    observation.undecided.extend_from_slice(&view.inventory.api_server_flags.gaps);
    Vec::new()
}

/// The arguments of a k3s server for its API server.
fn k3s_flags(server: &K3sServer) -> Flags {
    let arguments: Vec<String> = server
        .api_server_args
        .iter()
        .map(|argument| format!("--{}", argument.trim_start_matches("--")))
        .collect();
    Flags::of_arguments(Component::ApiServer, "metadata.annotations[k3s.io/node-args]", &arguments)
}

fn k3s_instance(node: &str, server: &K3sServer) -> Instance {
    let flags = k3s_flags(server);
    let violation = Violation {
        rule: TOKENS,
        scope: Scope::Application,
        subject: Subject {
            api_version: "v1".to_owned(),
            kind: "Node".to_owned(),
            namespace: None,
            name: node.to_owned(),
        },
        path: flags.path(TOKENS),
        observed: String::new(),
        expected: String::new(),
        note: None,
        discriminator: String::new(),
        units: vec![node.to_owned()],
        rests_on: vec![RestsOn { kind: Kind::Nodes.name(), object: Some(node.to_owned()) }],
    };
    Instance { name: node.to_owned(), kind: Kind::Nodes, flags, violation }
}

fn observe_instances(observation: &mut Observation, view: &View<'_>, instances: Vec<Instance>) {
    let without_flag = instances.iter().any(|instance| provider(&instance.flags) != Provider::Named);
    let found = if without_flag { authenticators::of(view) } else { Vec::new() };
    let working = found.iter().find(|found| found.works.is_ok());
    if let Some(working) = working {
        observation.notes.push(format!("{} authenticates people for the API server.", working.text));
    }
    let only_one = instances.len() == 1;
    for Instance { name, kind, flags, violation } in instances {
        observation.examined.insert(name.clone());
        match flags.text(TOKENS) {
            Setting::Unset => {}
            Setting::Known(_) | Setting::Unclear(_) => {
                observation.seen.push(SeenViolation(Violation {
                    observed: "set".to_owned(),
                    expected: "unset".to_owned(),
                    ..violation.clone()
                }));
            }
        }
        let named = provider(&flags);
        if named == Provider::Named || working.is_some() {
            continue;
        }
        match named {
            Provider::Named => {}
            Provider::None => {
                let mut observed = "no flag names one".to_owned();
                for found in &found {
                    let reason = found.works.as_ref().err().map_or("", String::as_str);
                    observed.push_str(&format!("; {}: {reason}", found.text));
                }
                let rests_on = violation.rests_on.iter().cloned().chain(
                    AUTHENTICATORS.into_iter().map(|kind| RestsOn { kind: kind.name(), object: None }),
                );
                observation.absent.push(AbsentViolation {
                    violation: Violation {
                        rule: PROVIDER,
                        path: flags.path(ISSUER),
                        observed,
                        expected: EXPECTED.to_owned(),
                        rests_on: rests_on.collect(),
                        ..violation
                    },
                    suppliers: AUTHENTICATORS.to_vec(),
                });
            }
            Provider::File => observe_file(observation, view, &name, kind, only_one),
            Provider::Unclear(flag, text) => {
                let detail = format!("{name}: --{flag} is {text}, which is known only when it runs");
                observation.undecided.push(
                    Gap::new(kind.name(), GapReason::NotCollected, detail)
                        .for_objects(vec![name])
                        .closed_by(control_plane::FLAGZ),
                );
            }
        }
    }
}

/// A configuration file holds JWT authenticators, anonymous settings, or both; a metric tells the first.
fn observe_file(observation: &mut Observation, view: &View<'_>, name: &str, kind: Kind, only_one: bool) {
    let metrics = &view.inventory.api_server_metrics;
    if metrics.seen.as_ref().is_some_and(|metrics| metrics.jwt_authenticator) {
        // The flags of all were seen, so one that is alone is the one that answered.
        if !(only_one && kind == Kind::Pods) {
            observation.undecided.extend(control_plane::others(view, Kind::ApiServerMetrics));
        }
        return;
    }
    let detail =
        format!("{name}: --{CONFIG} names a file; whether it has a JWT authenticator cannot be seen");
    observation.undecided.push(
        Gap::new(kind.name(), GapReason::NotCollected, detail).for_objects(vec![name.to_owned()]).closed_by(
            "A series apiserver_authentication_jwt_authenticator_* in the API server's /metrics shows one \
             (`rampart rbac --control-plane-metrics`); or attest it.",
        ),
    );
    observation.undecided.extend_from_slice(&metrics.gaps);
}

/// Bindings that let a person do everything: listed, and they decide nothing.
fn observe_cluster_admins(observation: &mut Observation, view: &View<'_>) {
    for kind in [Kind::ClusterRoles, Kind::ClusterRoleBindings] {
        observation.listed.extend_from_slice(view.inventory.gaps(kind));
    }
    let authorization = Authorization::new(view.inventory);
    for bound in authorization.bindings().iter().filter(|bound| bound.namespace.is_none()) {
        if !bound.rules.iter().any(|granted| is_everything(granted.rule)) {
            continue;
        }
        for holder in &bound.holders {
            let who = match holder {
                Holder::User(name) => format!("User {name}"),
                Holder::Group("system:masters" | "kubeadm:cluster-admins") | Holder::ServiceAccount(_) => {
                    continue;
                }
                Holder::Group(name) => format!("Group {name}"),
            };
            observation.seen.push(SeenViolation(Violation {
                rule: "cluster-admin-binding",
                scope: Scope::System,
                subject: Subject {
                    api_version: Kind::ClusterRoleBindings.api_version(),
                    kind: "ClusterRoleBinding".to_owned(),
                    namespace: None,
                    name: bound.binding.meta.name.clone(),
                },
                path: format!("subjects[{who}]"),
                observed: format!(
                    "{who} may do everything, by {} {}",
                    bound.binding.role.kind, bound.binding.role.name
                ),
                expected: "people with the rights that they need, and everything only in an emergency"
                    .to_owned(),
                note: Some("It supports the item and does not decide it.".to_owned()),
                discriminator: String::new(),
                units: Vec::new(),
                rests_on: [Kind::ClusterRoles, Kind::ClusterRoleBindings]
                    .map(|kind| RestsOn { kind: kind.name(), object: None })
                    .to_vec(),
            }));
        }
    }
}

fn is_everything(rule: &RoleRule) -> bool {
    let has_star = |list: &[String]| list.iter().any(|entry| entry == "*");
    has_star(&rule.verbs)
        && has_star(&rule.api_groups)
        && has_star(&rule.resources)
        && rule.resource_names.is_empty()
}

fn observe_certificates(observation: &mut Observation, view: &View<'_>) {
    observation.notes.push(
        "Membership in system:masters comes from the organisation in a client certificate and cannot be read from the \
         cluster."
            .to_owned(),
    );
    let requests: Vec<&str> = view
        .inventory
        .resources(Kind::CertificateSigningRequests)
        .seen
        .iter()
        .filter(|request| request.body["spec"]["signerName"] == "kubernetes.io/kube-apiserver-client")
        .map(|request| request.meta.name.as_str())
        .collect();
    if !requests.is_empty() {
        let more = if requests.len() > 5 { " and others" } else { "" };
        let names = requests.iter().take(5).copied().collect::<Vec<_>>().join(", ");
        observation.notes.push(format!(
            "Client certificates for the API server were asked for lately: CertificateSigningRequest {names}{more}."
        ));
    }
}

#[cfg(test)]
mod tests;
