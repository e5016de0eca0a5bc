//! Programs in the cluster that authenticate people for the API server.

use crate::authorization::{Account, Action, Authorization, Extent};
use crate::inventory::{Kind, Workload};
use crate::parameters::Recogniser;
use crate::recognise::image;
use crate::workloads::View;

/// How the API server comes to believe an authenticator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// By a flag, which says so itself.
    Flag,
    /// By RBAC: the authenticator's account may act as others.
    Impersonation,
    /// By certificates or impersonation that Pinniped sets up for each authenticator object.
    Pinniped,
}

/// An authenticator that is known.
struct Authenticator {
    name: &'static str,
    /// The image's repository, its last components.
    image: &'static str,
    trust: Trust,
}

/// The table.
const AUTHENTICATORS: [Authenticator; 8] = [
    // https://dexidp.io/docs/guides/kubernetes/
    known("Dex", "dexidp/dex", Trust::Flag),
    // https://github.com/kubernetes-sigs/aws-iam-authenticator
    known("aws-iam-authenticator", "aws-iam-authenticator", Trust::Flag),
    // https://ranchermanager.docs.rancher.com/how-to-guides/new-user-guides/manage-clusters/access-clusters/authorized-cluster-endpoint
    known("Rancher kube-api-auth", "rancher/kube-api-auth", Trust::Flag),
    // https://ranchermanager.docs.rancher.com/reference-guides/rancher-manager-architecture/communicating-with-downstream-user-clusters
    known("Rancher", "rancher/rancher-agent", Trust::Impersonation),
    // https://goteleport.com/docs/enroll-resources/kubernetes-access/
    known("Teleport", "gravitational/teleport", Trust::Impersonation),
    known("Teleport", "gravitational/teleport-distroless", Trust::Impersonation),
    // https://pinniped.dev/docs/background/architecture/
    known("Pinniped", "pinniped/pinniped-server", Trust::Pinniped),
    known("Pinniped", "vmware/pinniped-server", Trust::Pinniped),
];

const fn known(name: &'static str, image: &'static str, trust: Trust) -> Authenticator {
    Authenticator { name, image, trust }
}

/// What was found of an authenticator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// Its name and the workload that runs it.
    pub(super) text: String,
    /// Whether it authenticates people for this API server, and why not.
    pub(super) works: Result<(), String>,
}

/// The authenticators of a cluster. Those that a flag names are none of these: their flag decides.
pub(super) fn of(view: &View<'_>) -> Vec<Found> {
    let inventory = view.inventory;
    let users = &view.parameters.api_server_third_party_auth.recognise;
    let candidates: Vec<(&Workload, &str, Trust)> = inventory
        .workloads()
        .filter(|workload| matches!(workload.kind, Kind::Deployments | Kind::DaemonSets | Kind::StatefulSets))
        .filter_map(|workload| {
            let (name, trust) = recognise(workload, users)?;
            Some((workload, name, trust))
        })
        .filter(|(_, _, trust)| *trust != Trust::Flag)
        .collect();
    if candidates.is_empty() {
        return Vec::new();
    }
    let authorization = Authorization::new(inventory);
    candidates
        .into_iter()
        .map(|(workload, name, trust)| Found {
            text: format!(
                "{name} ({} {}/{})",
                workload.kind.kind(),
                workload.meta.namespace_or_default(),
                workload.meta.name
            ),
            works: readiness(workload).and_then(|()| match trust {
                Trust::Flag => Ok(()),
                Trust::Impersonation => may_impersonate(&authorization, workload),
                Trust::Pinniped => has_authenticator(view),
            }),
        })
        .collect()
}

fn recognise<'w>(workload: &Workload, users: &'w [Recogniser]) -> Option<(&'w str, Trust)> {
    let images = || workload.template.containers.iter().map(|container| container.image.as_str());
    if let Some(known) = AUTHENTICATORS
        .iter()
        .find(|known| images().any(|image| image::is(image::repository(image), known.image)))
    {
        return Some((known.name, known.trust));
    }
    let has_label = |name: &str, value: Option<&str>| {
        [&workload.meta.labels, &workload.template_labels]
            .into_iter()
            .any(|labels| labels.get(name).is_some_and(|found| value.is_none_or(|value| found == value)))
    };
    let is_meant = |user: &&Recogniser| {
        user.image().is_none_or(|wanted| images().any(|image| image::is(image::repository(image), wanted)))
            && user.label().is_none_or(|(name, value)| has_label(name, value))
    };
    // A program that a flag of the API server names needs no recognition, so this one acts as others.
    users.iter().find(is_meant).map(|user| (user.name(), Trust::Impersonation))
}

fn readiness(workload: &Workload) -> Result<(), String> {
    match workload.ready {
        Some(ready) if ready.desired > 0 && ready.ready >= ready.desired => Ok(()),
        Some(ready) => Err(format!("{} of {} ready", ready.ready, ready.desired)),
        None => Err("its status does not say that it is ready".to_owned()),
    }
}

fn may_impersonate(authorization: &Authorization<'_>, workload: &Workload) -> Result<(), String> {
    let account =
        Account { namespace: workload.meta.namespace_or_default(), name: &workload.template.service_account };
    let action = Action { verb: "impersonate", group: "", resource: "users" };
    let may = authorization.grants(account, action, None).any(|grant| grant.extent == Extent::All);
    if may { Ok(()) } else { Err(format!("account {} may not impersonate users", account.full_name())) }
}

/// Pinniped authenticates by its JWTAuthenticators and WebhookAuthenticators.
fn has_authenticator(view: &View<'_>) -> Result<(), String> {
    let ready = view
        .inventory
        .resources_of([Kind::JwtAuthenticators, Kind::WebhookAuthenticators])
        .any(|authenticator| authenticator.body["status"]["phase"] == "Ready");
    if ready { Ok(()) } else { Err("no JWTAuthenticator or WebhookAuthenticator is Ready".to_owned()) }
}
