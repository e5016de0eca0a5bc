//! An identity provider for the API servers that have none, and no static tokens.

use super::{CONFIG, ISSUER, PROVIDER, TOKENS, WEBHOOK, k3s_flags};
use crate::distribution::Distribution;
use crate::flags::Setting;
use crate::inventory::Component;
use crate::items::control_plane::{self, Server};
use crate::remedy::control_plane::{
    FlagChanges, FlagValue, NewFlag, control_plane_step, flag, kubeadm_documents, rancher_document,
    rancher_name,
};
use crate::remedy::{Texts, remainder, remediation};
use crate::workloads::View;
use rampart_shared::{Finding, ItemResult, Remediation, RemediationInput, RemediationTarget};
use std::collections::{BTreeMap, BTreeSet};

const TEXTS: Texts = Texts {
    changes: "Lets the API server accept tokens of an identity provider over OpenID Connect, and takes the file of static \
              tokens away.",
    may_break: "Whoever uses a static token is refused: look for requests of its users in the audit log first. An API server \
                that cannot read these flags does not start, and nothing softer can be tried, so change one after the other. \
                People have no rights until bindings name their users or groups with the prefix `oidc:`; keep one certificate \
                of an administrator until that works. Beside the claim `email` the provider has to send email_verified: true.",
    undo: "Each document names the former flags: put them back in the same place; the API server restarts by itself. Delete \
           the file of static tokens from the nodes only when nobody misses it.",
};

const ISSUER_INPUT: &str = "identity-provider-issuer";
const CLIENT_INPUT: &str = "identity-provider-client-id";
const USER_INPUT: &str = "identity-provider-username-claim";
const GROUPS_INPUT: &str = "identity-provider-groups-claim";
/// The flags of an identity provider, which API servers have in common.
const OIDC: [&str; 9] = [
    ISSUER,
    "oidc-client-id",
    "oidc-username-claim",
    "oidc-username-prefix",
    "oidc-groups-claim",
    "oidc-groups-prefix",
    "oidc-required-claim",
    "oidc-signing-algs",
    "oidc-ca-file",
];

pub(super) fn remedy(view: &View<'_>, result: &ItemResult) -> Remediation {
    let mut remediation = remediation(result, TEXTS, Vec::new());
    let findings: Vec<&Finding> = result.application_findings().collect();
    if findings.is_empty() {
        return remediation;
    }
    if let Some(step) = control_plane_step(view.distribution) {
        let (tokens, providers): (Vec<&Finding>, Vec<&Finding>) =
            findings.into_iter().partition(|finding| finding.rule == TOKENS);
        let identity = identity_provider_step(view.distribution).unwrap_or(step);
        remediation.remaining.extend(remainder(format!("Take --{TOKENS} away. {step}"), tokens));
        remediation.remaining.extend(remainder(format!("Name an identity provider. {identity}"), providers));
        return remediation;
    }
    let mut servers = control_plane::servers(view, findings, k3s_flags);
    let mut left: BTreeMap<String, Vec<&Finding>> = BTreeMap::new();
    let provider = provider(&servers);
    for server in &mut servers {
        for finding in std::mem::take(&mut server.findings) {
            if let Some(task) = obstacle(server, finding, &provider) {
                left.entry(task).or_default().push(finding);
            } else if finding.rule == TOKENS {
                server.changes.removed.push(TOKENS);
            } else if let Provider::Flags(flags) = &provider {
                server.changes.set.extend(flags.iter().cloned());
            }
        }
    }
    match rancher_name(view.distribution) {
        Some(name) => by_rancher(&mut remediation, name, servers),
        None => {
            let changes: Vec<FlagChanges<'_>> = servers.into_iter().map(|server| server.changes).collect();
            remediation.documents = kubeadm_documents(Component::ApiServer, &changes, &[]);
        }
    }
    let used: BTreeSet<&str> = remediation
        .documents
        .iter()
        .flat_map(|document| &document.choices)
        .map(|choice| choice.input.as_str())
        .collect();
    remediation.inputs = inputs().into_iter().filter(|input| used.contains(input.name.as_str())).collect();
    remediation.remaining.extend(left.into_iter().filter_map(|(task, findings)| remainder(task, findings)));
    remediation
}

/// Where the flags of a provider come from.
enum Provider {
    /// These, which another API server has, or which a person chooses.
    Flags(Vec<NewFlag>),
    /// This API server has a file, by this flag.
    File(String, &'static str),
}

/// A cluster has one: what one API server has, the others get.
fn provider(servers: &[Server<'_, '_>]) -> Provider {
    let text = |server: &Server<'_, '_>, name: &str| match server.changes.flags.text(name) {
        Setting::Known(text) => Some(text),
        Setting::Unset | Setting::Unclear(_) => None,
    };
    if let Some(server) = servers.iter().find(|server| text(server, ISSUER).is_some()) {
        let flags = OIDC.into_iter().filter_map(|name| Some(flag(name, text(server, name)?)));
        return Provider::Flags(flags.collect());
    }
    for name in [WEBHOOK, CONFIG] {
        if let Some(server) = servers.iter().find(|server| text(server, name).is_some()) {
            return Provider::File(server.name.clone(), name);
        }
    }
    Provider::Flags(vec![
        (ISSUER, FlagValue::Chosen(ISSUER_INPUT)),
        ("oidc-client-id", FlagValue::Chosen(CLIENT_INPUT)),
        ("oidc-username-claim", FlagValue::Chosen(USER_INPUT)),
        flag("oidc-username-prefix", "oidc:"),
        ("oidc-groups-claim", FlagValue::Chosen(GROUPS_INPUT)),
        flag("oidc-groups-prefix", "oidc:"),
    ])
}

/// Why a person has to do it, and how.
fn obstacle(server: &Server<'_, '_>, finding: &Finding, provider: &Provider) -> Option<String> {
    let FlagChanges { pod, flags, .. } = &server.changes;
    if server.is_scripted() {
        return Some(
            "A script starts kube-apiserver, so no document reaches its flags: name an identity provider, and take \
             --token-auth-file out, where the script comes from."
                .to_owned(),
        );
    }
    match provider {
        _ if finding.rule == TOKENS => {
            let is_hidden = pod.is_none() && matches!(flags.text(TOKENS), Setting::Unclear(_));
            is_hidden.then(|| {
                format!("Take --{TOKENS} out of the flags of kube-apiserver; its value is not told.")
            })
        }
        Provider::File(name, flag) if finding.rule == PROVIDER => Some(format!(
            "The cluster has an identity provider already, by --{flag} of {name}: copy its file to the nodes of the API servers \
             without one, and set the same flag there."
        )),
        _ => None,
    }
}

/// k3s and RKE2 add arguments to those that there are; of a flag with one value the last counts, and empty is off.
fn by_rancher(remediation: &mut Remediation, name: &str, servers: Vec<Server<'_, '_>>) {
    let servers = servers.into_iter().filter(|server| server.changes.changes());
    let mut groups: Vec<(Vec<NewFlag>, Vec<String>, String)> = Vec::new();
    for Server { changes, name, .. } in servers {
        let former = changes.former();
        let off = changes.removed.iter().map(|name| flag(name, ""));
        let parts = [changes.set.clone(), off.collect()];
        // What waits for a choice does not keep the rest back.
        for flags in parts.into_iter().filter(|flags: &Vec<NewFlag>| !flags.is_empty()) {
            match groups.iter_mut().find(|(known, ..)| *known == flags) {
                Some((_, names, _)) => names.push(name.clone()),
                None => groups.push((flags, vec![name.clone()], former.clone())),
            }
        }
    }
    for (flags, names, former) in groups {
        let mut document =
            rancher_document(RemediationTarget::ControlPlane, name, "kube-apiserver-arg", &names, &flags);
        if flags.iter().any(|(name, _)| *name == TOKENS) {
            document.comment.push_str(&format!(
                "\nAn empty {TOKENS} switches the file off; better still, take the former argument out where it stands."
            ));
        }
        document.comment.push_str(&format!("\nBefore: {former}"));
        remediation.documents.push(document);
    }
}

/// How people get an identity provider where the control plane takes no flags.
const fn identity_provider_step(distribution: Distribution) -> Option<&'static str> {
    match distribution {
        Distribution::Eks => Some(
            "Associate an OpenID Connect provider with the cluster, `aws eks associate-identity-provider-config`. \
             https://docs.aws.amazon.com/eks/latest/userguide/authenticate-oidc-identity-provider.html",
        ),
        Distribution::Gke => Some(
            "Let people sign in with their Google or workforce identity. \
             https://cloud.google.com/kubernetes-engine/docs/how-to/api-server-authentication",
        ),
        Distribution::Aks => Some(
            "Switch Microsoft Entra ID on, `az aks update --enable-aad`, and local accounts off. \
             https://learn.microsoft.com/azure/aks/enable-authentication-microsoft-entra-id",
        ),
        Distribution::OpenShift => Some(
            "Add a provider of a type other than HTPasswd, such as OpenID, to spec.identityProviders of OAuth cluster, with its \
             client secret in a Secret of openshift-config; where Authentication cluster is of type None, set that to OIDC with \
             oidcProviders or back to IntegratedOAuth. \
             https://docs.redhat.com/en/documentation/openshift_container_platform/4.19/html/authentication_and_authorization/understanding-identity-provider",
        ),
        _ => None,
    }
}

fn inputs() -> Vec<RemediationInput> {
    let input =
        |name: &str, label: &str, help: &str, default: Option<&str>, example: &str| RemediationInput {
            name: name.to_owned(),
            label: label.to_owned(),
            help: help.to_owned(),
            default: default.map(str::to_owned),
            example: example.to_owned(),
            options: Vec::new(),
        };
    vec![
        input(
            ISSUER_INPUT,
            "Issuer of the identity provider",
            "The https address that stands as `iss` in its tokens; /.well-known/openid-configuration is below it.",
            None,
            "https://identity.example.com",
        ),
        input(
            CLIENT_INPUT,
            "Client of the cluster",
            "The client ID for which the provider issues tokens to people who use this cluster.",
            Some("kubernetes"),
            "kubernetes",
        ),
        input(
            USER_INPUT,
            "Claim with the user's name",
            "A claim that nobody can change for themselves, and that is never given to somebody else.",
            Some("email"),
            "email",
        ),
        input(
            GROUPS_INPUT,
            "Claim with the user's groups",
            "A claim that lists the groups that bindings name.",
            Some("groups"),
            "groups",
        ),
    ]
}
