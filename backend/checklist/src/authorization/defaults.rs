//! What the API server itself gives to everybody
//! (<https://kubernetes.io/docs/reference/access-authn-authz/rbac/#discovery-roles>).

use crate::inventory::{Binding, RoleRule};

/// Whether a binding says that the API server made it. Anybody can write the label, so what it gives is compared too.
pub(super) fn is_bootstrap(binding: &Binding) -> bool {
    binding.meta.labels.get("kubernetes.io/bootstrapping").is_some_and(|value| value == "rbac-defaults")
}

/// Whether upstream's defaults for everybody allow all that a rule allows.
pub(super) fn is_for_everybody(rule: &RoleRule) -> bool {
    let paths = rule.non_resource_urls.iter().all(|path| PATHS.iter().any(|known| covers(known, path)));
    let reads = rule.verbs.iter().all(|verb| verb == "get");
    let creates = rule.verbs.iter().all(|verb| verb == "create");
    let reviews = rule.resources.iter().all(|resource| {
        rule.api_groups.iter().all(|group| REVIEWS.contains(&(group.as_str(), resource.as_str())))
    });
    paths && reviews && (rule.non_resource_urls.is_empty() || reads) && (rule.resources.is_empty() || creates)
}

/// Of `system:discovery`, `system:public-info-viewer` and `system:service-account-issuer-discovery`.
const PATHS: [&str; 15] = [
    "/livez",
    "/readyz",
    "/healthz",
    "/version",
    "/version/",
    "/openapi",
    "/openapi/*",
    "/api",
    "/api/*",
    "/apis",
    "/apis/*",
    "/.well-known/openid-configuration",
    "/.well-known/openid-configuration/",
    "/openid/v1/jwks",
    "/openid/v1/jwks/",
];
/// Of `system:basic-user`.
const REVIEWS: [(&str, &str); 3] = [
    ("authorization.k8s.io", "selfsubjectaccessreviews"),
    ("authorization.k8s.io", "selfsubjectrulesreviews"),
    ("authentication.k8s.io", "selfsubjectreviews"),
];

fn covers(known: &str, path: &str) -> bool {
    known == path || known.strip_suffix('*').is_some_and(|prefix| path.starts_with(prefix))
}
