//! The grants of the identity that tries remediations in dry runs; the one that reads has none of them.

use super::rule_yaml;
use rampart_shared::PolicyRule;

/// What remediations touch, by API group. Objects that are there are patched; others are created too.
const TOUCHED: [(&str, &[&str], &[&str]); 10] = [
    ("", &["namespaces"], &["patch"]),
    ("", &["configmaps", "serviceaccounts"], &["create", "patch"]),
    ("apps", &["daemonsets", "deployments", "replicasets", "statefulsets"], &["patch"]),
    ("batch", &["cronjobs"], &["patch"]),
    ("networking.k8s.io", &["networkpolicies"], &["create", "patch"]),
    ("cilium.io", &["ciliumnetworkpolicies"], &["create", "patch"]),
    (
        "admissionregistration.k8s.io",
        &[
            "mutatingadmissionpolicies",
            "mutatingadmissionpolicybindings",
            "validatingadmissionpolicies",
            "validatingadmissionpolicybindings",
        ],
        &["create", "patch"],
    ),
    ("kyverno.io", &["clusterpolicies"], &["create", "patch"]),
    (
        "rbac.authorization.k8s.io",
        &["clusterrolebindings", "clusterroles", "rolebindings", "roles"],
        &["create", "patch"],
    ),
    ("external-secrets.io", &["externalsecrets"], &["create", "patch"]),
];
/// What the remedies of a mesh touch, by API group.
const OF_MESHES: [(&str, &[&str]); 2] = [
    ("security.istio.io", &["peerauthentications"]),
    ("policy.linkerd.io", &["authorizationpolicies", "meshtlsauthentications", "servers"]),
];

/// The ClusterRole as YAML.
pub fn remediation_dry_run() -> String {
    let of_meshes = OF_MESHES.map(|(group, resources)| (group, resources, ["create", "patch"].as_slice()));
    let rules: String = TOUCHED
        .into_iter()
        .chain(of_meshes)
        .map(|(group, resources, verbs)| {
            let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
            rule_yaml(&PolicyRule {
                api_groups: vec![group.to_owned()],
                resources: owned(resources),
                verbs: owned(verbs),
                ..PolicyRule::default()
            })
        })
        .collect();
    format!(
        "# What it takes to try remediations with dryRun=All. Careful: RBAC cannot grant dry-run alone, so whoever holds this\n\
         # can change these objects. Bind it to an identity of its own, which Rampart uses for nothing else, and name that\n\
         # under remediation_dry_run of the cluster. RBAC lets nobody make roles with rights that they do not hold: such\n\
         # documents are told as refused.\n\
         apiVersion: rbac.authorization.k8s.io/v1\n\
         kind: ClusterRole\n\
         metadata:\n  name: rampart-remediation-dry-run\n\
         rules:\n{rules}"
    )
}
