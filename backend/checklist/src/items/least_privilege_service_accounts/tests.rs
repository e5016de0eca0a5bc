use super::*;
use crate::testing::{assert_findings, assert_remedied, evaluated, forbid, inventory, outcome, result};
use crate::{Inventory, Parameters};
use rampart_shared::Outcome::{Fail, NotApplicable, Pass, Unknown};
use rampart_shared::RemediationDocument;

const ID: ItemId = ItemId::LeastPrivilegeServiceAccounts;
const RBAC_VERSION: &str = "rbac.authorization.k8s.io/v1";
const QUIET: &str = "serviceAccountName: cart, automountServiceAccountToken: false";

fn account(name: &str, rest: &str) -> String {
    format!(
        "---\n{{apiVersion: v1, kind: ServiceAccount, metadata: {{name: {name}, namespace: shop}}{rest}}}\n"
    )
}

fn deployment(spec: &str, container: &str) -> String {
    format!(
        "---\n{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: cart, namespace: shop}}, spec: {{template: {{spec: \
         {{{spec}, containers: [{{name: web{container}}}]}}}}}}}}\n"
    )
}

fn pod(spec: &str, container: &str) -> String {
    format!(
        "---\n{{apiVersion: v1, kind: Pod, metadata: {{name: cart, namespace: shop}}, status: {{phase: Running}}, spec: \
         {{{spec}, containers: [{{name: web{container}}}]}}}}\n"
    )
}

fn bind(kind: &str, rules: &str, subject: &str) -> String {
    let role = if kind == "RoleBinding" { "Role" } else { "ClusterRole" };
    format!(
        "---\n{{apiVersion: {RBAC_VERSION}, kind: {role}, metadata: {{name: r, namespace: shop}}, rules: [{rules}]}}\n\
         ---\n{{apiVersion: {RBAC_VERSION}, kind: {kind}, metadata: {{name: b, namespace: shop}}, \
         roleRef: {{kind: {role}, name: r}}, subjects: [{subject}]}}\n"
    )
}

fn rule(groups: &str, resources: &str, verbs: &str) -> String {
    format!("{{apiGroups: [{groups}], resources: [{resources}], verbs: [{verbs}]}}")
}

const CART: &str = "{kind: ServiceAccount, name: cart, namespace: shop}";

/// The rules that are violated where the application's account holds this.
fn dangers(kind: &str, rules: &str) -> Vec<String> {
    let yaml = deployment(QUIET, "") + &bind(kind, rules, CART);
    let result = result(ID, &inventory(&yaml));
    let found: Vec<String> = result.evidence().findings.iter().map(|finding| finding.rule.clone()).collect();
    assert_eq!(result.outcome(), if found.is_empty() { Pass } else { Fail }, "{rules}");
    assert_eq!(assert_remedied(ID, &inventory(&yaml), &Parameters::default()), Pass, "{rules}");
    assert!(result.evidence().findings.iter().all(|finding| finding.subject.name == "b"));
    found
}

#[test]
fn an_account_without_rights_and_without_a_token_holds() {
    assert_findings(ID, &deployment(QUIET, ""), Pass, &[]);
    let on_account = account("cart", ", automountServiceAccountToken: false")
        + &deployment("serviceAccountName: cart", "");
    assert_findings(ID, &on_account, Pass, &[]);
    assert_findings(ID, &account("default", ""), Pass, &[]);
    assert_eq!(outcome(ID, ""), NotApplicable);
}

#[test]
fn static_cloud_credentials_are_found_and_their_values_never_told() {
    let secret = "valueFrom: {secretKeyRef: {name: aws, key: k}}";
    for (container, finding) in [
        (format!(", env: [{{name: AWS_ACCESS_KEY_ID, {secret}}}]"), "env[name=AWS_ACCESS_KEY_ID]: from Secret aws"),
        (
            ", env: [{name: AZURE_CLIENT_SECRET, value: hunter2}]".to_owned(),
            "env[name=AZURE_CLIENT_SECRET]: set, and not from a Secret",
        ),
        (
            ", env: [{name: GOOGLE_APPLICATION_CREDENTIALS, value: /keys/key.json}], volumeMounts: [{name: keys, mountPath: /keys}]"
                .to_owned(),
            "env[name=GOOGLE_APPLICATION_CREDENTIALS]: a file of Secret keys",
        ),
        (
            ", volumeMounts: [{name: keys, mountPath: /root/.aws}]".to_owned(),
            "volumeMounts[mountPath=/root/.aws]: key files of Secret keys",
        ),
    ] {
        let yaml = deployment(&format!("{QUIET}, volumes: [{{name: keys, secret: {{secretName: keys}}}}]"), &container);
        assert_findings(ID, &yaml, Fail, &[&format!("cart spec.template.spec.containers[name=web].{finding}")]);
    }
}

#[test]
fn identities_that_the_cloud_gives_are_no_credentials() {
    for container in [
        ", env: [{name: AWS_ROLE_ARN, value: r}, {name: AWS_WEB_IDENTITY_TOKEN_FILE, value: /var/run/t}]",
        ", env: [{name: AZURE_CLIENT_ID, value: c}, {name: AZURE_FEDERATED_TOKEN_FILE, value: /var/run/t}]",
        // A federation's configuration in a ConfigMap holds no key.
        ", env: [{name: GOOGLE_APPLICATION_CREDENTIALS, value: /keys-old/config.json}], volumeMounts: [{name: keys, mountPath: /keys}]",
        ", env: [{name: AWS_SECRET_ACCESS_KEY, value: ''}]",
        ", env: [{name: AWS_REGION, value: eu-1}]",
    ] {
        let spec = format!("{QUIET}, volumes: [{{name: keys, secret: {{secretName: keys}}}}]");
        assert_findings(ID, &deployment(&spec, container), Pass, &[]);
    }
}

#[test]
fn init_and_injected_containers_count() {
    let env = "env: [{name: AWS_ACCESS_KEY_ID, value: a}]";
    let yaml = deployment(&format!("{QUIET}, initContainers: [{{name: init, {env}}}]"), "");
    let path = "cart spec.template.spec.initContainers[name=init].env[name=AWS_ACCESS_KEY_ID]: set, and not from a Secret";
    assert_findings(ID, &yaml, Fail, &[path]);
}

#[test]
fn default_accounts_carry_no_extra_rights() {
    let default = account("default", "");
    let rules = rule("''", "configmaps", "get");
    for subject in [
        "{kind: ServiceAccount, name: default, namespace: shop}",
        "{kind: User, name: 'system:serviceaccount:shop:default'}",
        "{kind: Group, name: 'system:serviceaccounts:shop'}",
        "{kind: Group, name: 'system:serviceaccounts'}",
    ] {
        for kind in ["RoleBinding", "ClusterRoleBinding"] {
            let result = result(ID, &inventory(&(default.clone() + &bind(kind, &rules, subject))));
            assert_eq!(result.outcome(), Fail, "{subject}");
            assert_eq!(result.evidence().findings[0].rule, "default-account-bound");
        }
    }
    let other = "{kind: Group, name: 'system:serviceaccounts:other'}";
    assert_eq!(outcome(ID, &(default.clone() + &bind("ClusterRoleBinding", &rules, other))), Pass);
    assert_eq!(outcome(ID, &(default + &bind("RoleBinding", "", CART))), Pass, "a role without rules");
}

#[test]
fn effective_automount_is_the_pods_then_the_accounts_then_true() {
    for (of_pod, of_account, observed) in [
        ("", "", Some("unset, here and on the account")),
        ("", ", automountServiceAccountToken: true", Some("unset, and true on the account")),
        (", automountServiceAccountToken: true", ", automountServiceAccountToken: false", Some("true")),
        (", automountServiceAccountToken: false", ", automountServiceAccountToken: true", None),
        ("", ", automountServiceAccountToken: false", None),
    ] {
        let yaml =
            account("cart", of_account) + &deployment(&format!("serviceAccountName: cart{of_pod}"), "");
        let finding = observed.map(|observed| {
            format!("cart spec.template.spec.automountServiceAccountToken: {observed}; nothing is bound to account cart")
        });
        let expected: Vec<&str> = finding.as_deref().into_iter().collect();
        assert_findings(ID, &yaml, if observed.is_some() { Fail } else { Pass }, &expected);
    }
}

#[test]
fn of_a_running_pod_the_mounted_volume_is_the_truth() {
    let token = |audience: &str| {
        pod(
            &format!(
                "serviceAccountName: cart, volumes: [{{name: t, projected: {{sources: [{{serviceAccountToken: {{path: t{audience}}}}}]}}}}]"
            ),
            ", volumeMounts: [{name: t, mountPath: /t}]",
        )
    };
    assert_eq!(outcome(ID, &pod("serviceAccountName: cart", "")), Pass, "admission mounted none");
    assert_eq!(outcome(ID, &token("")), Fail);
    assert_eq!(outcome(ID, &token(", audience: 'https://kubernetes.default.svc.cluster.local'")), Fail);
    for audience in ["sts.amazonaws.com", "istio-ca", "vault"] {
        assert_eq!(outcome(ID, &token(&format!(", audience: {audience}"))), Pass, "{audience}");
    }
    let by_hand = token("").replace("serviceAccountName: cart,", &format!("{QUIET},"));
    assert_eq!(outcome(ID, &by_hand), Fail, "a volume written by hand");
    // A token that is used is no violation.
    let bound = token("") + &bind("RoleBinding", &rule("''", "configmaps", "get"), CART);
    assert_eq!(outcome(ID, &bound), Pass);
}

#[test]
fn dangerous_rights_in_the_whole_cluster() {
    for (groups, resources, verbs, expected) in [
        ("'*'", "'*'", "'*'", "wildcard"),
        ("acme.io", "widgets", "'*'", "wildcard"),
        ("''", "'*'", "get", "wildcard"),
        ("''", "secrets", "get", "reads-secrets"),
        ("''", "secrets", "list", "lists-secrets"),
        ("''", "secrets", "watch", "lists-secrets"),
        ("''", "pods", "create", "writes-workloads"),
        ("apps", "daemonsets", "patch", "writes-workloads"),
        ("batch", "cronjobs", "update", "writes-workloads"),
        ("''", "pods/exec", "create", "enters-pods"),
        ("''", "pods/exec", "get", "enters-pods"),
        ("''", "'*/attach'", "create", "enters-pods"),
        ("''", "pods/portforward", "create", "enters-pods"),
        ("''", "pods/ephemeralcontainers", "patch", "debugs-pods"),
        ("''", "nodes/proxy", "get", "proxies-nodes"),
        ("''", "serviceaccounts/token", "create", "requests-tokens"),
        ("rbac.authorization.k8s.io", "clusterroles", "escalate", "escalates-cluster-roles"),
        ("rbac.authorization.k8s.io", "clusterroles", "bind", "binds-roles"),
        ("''", "users", "impersonate", "impersonates"),
        ("''", "serviceaccounts", "impersonate", "impersonates-accounts"),
        ("certificates.k8s.io", "signers", "approve", "approves-certificates"),
        ("admissionregistration.k8s.io", "mutatingwebhookconfigurations", "update", "writes-admission"),
        ("admissionregistration.k8s.io", "validatingadmissionpolicybindings", "delete", "writes-admission"),
        ("''", "persistentvolumes", "create", "creates-persistent-volumes"),
        ("''", "namespaces", "patch", "changes-namespaces"),
    ] {
        let rules = rule(groups, resources, verbs);
        let found = dangers("ClusterRoleBinding", &rules);
        assert!(found.iter().any(|found| found == expected), "{rules}: {found:?}");
    }
}

#[test]
fn a_namespace_allows_more() {
    for (groups, resources, verbs, expected) in [
        ("'*'", "'*'", "'*'", Some("wildcard")),
        ("rbac.authorization.k8s.io", "roles", "escalate", Some("escalates-roles")),
        ("rbac.authorization.k8s.io", "roles", "bind", Some("binds-roles")),
        ("''", "serviceaccounts", "impersonate", Some("impersonates-accounts")),
        ("''", "serviceaccounts/token", "create", Some("requests-tokens")),
        ("''", "secrets", "list", Some("lists-secrets")),
        ("''", "secrets", "get", None),
        ("acme.io", "'*'", "'*'", None),
        ("''", "pods", "create", None),
        ("''", "pods/exec", "create", None),
        // Users and groups are in no namespace, so this gives nothing.
        ("''", "users", "impersonate", None),
    ] {
        let rules = rule(groups, resources, verbs);
        let expected: Vec<String> = expected.into_iter().map(str::to_owned).collect();
        assert_eq!(dangers("RoleBinding", &rules), expected, "{rules}");
    }
}

#[test]
fn names_narrow_what_can_be_narrowed() {
    let named = |groups: &str, resources: &str, verbs: &str, name: &str| {
        let rule = rule(groups, resources, verbs).replace('}', &format!(", resourceNames: [{name}]}}"));
        !dangers("ClusterRoleBinding", &rule).is_empty()
    };
    let rbac = "rbac.authorization.k8s.io";
    assert!(!named("''", "secrets", "get, list, watch", "tls"));
    assert!(!named("''", "pods", "create", "p"), "a creation has no name, so this gives none");
    assert!(!named("''", "namespaces", "patch", "shop"));
    assert!(!named(rbac, "clusterroles", "bind", "view"));
    assert!(named(rbac, "clusterroles", "bind", "cluster-admin"));
    assert!(named(rbac, "clusterroles", "escalate", "view"), "a role that can be given anything");
    assert!(named("''", "groups", "impersonate", "'system:masters'"));
    assert!(!named("certificates.k8s.io", "signers", "approve", "acme.io/clients"));
    assert!(named("certificates.k8s.io", "signers", "approve", "kubernetes.io/kube-apiserver-client"));
    assert!(named("''", "nodes/proxy", "get", "node-1"));
}

#[test]
fn what_gives_nothing_is_no_finding() {
    for rules in [
        rule("''", "pods/*", "create").replace("pods/*", "'pods/*'"),
        rule("''", "'*/scale'", "update"),
        rule("acme.io", "secrets", "list"),
        rule("''", "pods, configmaps", "get, list, watch"),
        "{nonResourceURLs: ['*'], verbs: ['*']}".to_owned(),
    ] {
        assert_eq!(dangers("ClusterRoleBinding", &rules), Vec::<String>::new(), "{rules}");
    }
    let missing =
        bind("ClusterRoleBinding", &rule("'*'", "'*'", "'*'"), CART).replace("name: r}}\n", "name: gone}}\n");
    let missing =
        missing.replace("roleRef: {kind: ClusterRole, name: r}", "roleRef: {kind: ClusterRole, name: gone}");
    assert_eq!(outcome(ID, &(deployment(QUIET, "") + &missing)), Pass, "a binding to no role");
}

#[test]
fn the_finding_names_binding_role_and_aggregated_source() {
    let part = format!(
        "---\n{{apiVersion: {RBAC_VERSION}, kind: ClusterRole, metadata: {{name: part, labels: {{to: r}}}}, rules: [{}]}}\n",
        rule("''", "nodes/proxy", "get")
    );
    let bound = bind("ClusterRoleBinding", "", CART)
        .replace("rules: []", "aggregationRule: {clusterRoleSelectors: [{matchLabels: {to: r}}]}");
    let text = "b roleRef: ClusterRole r (from ClusterRole part): [get] on [nodes/proxy]; runs commands in every container of a \
                node, even with get alone";
    assert_findings(ID, &(deployment(QUIET, "") + &part + &bound), Fail, &[text]);
}

#[test]
fn accounts_of_system_namespaces_are_listed_and_do_not_decide() {
    let yaml = deployment(QUIET, "") + &bind("ClusterRoleBinding", &rule("'*'", "'*'", "'*'"), CART);
    let system = result(ID, &inventory(&yaml.replace("shop", "kube-system")));
    assert_eq!(system.outcome(), NotApplicable);
    assert_eq!(system.evidence().findings[0].scope, Scope::System);
    let unused = bind("ClusterRoleBinding", &rule("'*'", "'*'", "'*'"), CART);
    assert_eq!(
        outcome(ID, &(deployment(QUIET, "").replace("cart", "web") + &unused)),
        Pass,
        "no pod uses it"
    );
}

#[test]
fn a_missing_kind_never_passes_and_hides_no_seen_violation() {
    let absent = deployment("serviceAccountName: cart", "");
    let seen = deployment(QUIET, ", env: [{name: AWS_ACCESS_KEY_ID, value: a}]");
    for need in NEEDS {
        for (yaml, expected) in [(&deployment(QUIET, ""), Unknown), (&absent, Unknown), (&seen, Fail)] {
            let mut partial = inventory(yaml);
            if need.kind != Kind::Deployments {
                forbid(&mut partial, need.kind);
                let workload = matches!(need.kind, Kind::Pods | Kind::ReplicaSets | Kind::StatefulSets)
                    || matches!(need.kind, Kind::DaemonSets | Kind::Jobs | Kind::CronJobs);
                // Workloads that are not seen do not bind the account.
                let expected = if workload && *yaml == absent { Fail } else { expected };
                assert_eq!(result(ID, &partial).outcome(), expected, "{:?}", need.kind);
            }
        }
    }
}

#[test]
fn the_remedy_turns_it_green() {
    let rules = format!("{}, {}", rule("''", "secrets", "list"), rule("''", "configmaps", "get"));
    let other = "{kind: ServiceAccount, name: operator, namespace: kube-system}";
    for yaml in [
        deployment(QUIET, "") + &bind("ClusterRoleBinding", &rules, &format!("{CART}, {other}")),
        deployment(QUIET, "") + &bind("RoleBinding", &rules, "{kind: ServiceAccount, name: cart}"),
        account("default", "")
            + &bind("ClusterRoleBinding", &rules, "{kind: Group, name: 'system:serviceaccounts'}"),
        account("cart", "") + &deployment("serviceAccountName: cart, automountServiceAccountToken: true", ""),
    ] {
        assert_eq!(outcome(ID, &yaml), Fail);
        assert_eq!(assert_remedied(ID, &inventory(&yaml), &Parameters::default()), Pass, "{yaml}");
    }
    let narrowed = deployment(QUIET, "") + &bind("ClusterRoleBinding", &rules, CART);
    let documents = documents(&inventory(&narrowed));
    assert!(
        crate::remedy::yaml(&documents[0].object).contains("configmaps")
            && !crate::remedy::yaml(&documents[0].object).contains("secrets"),
        "{documents:?}"
    );
}

fn documents(inventory: &Inventory) -> Vec<RemediationDocument> {
    evaluated(ID, inventory, &Parameters::default()).remediation.documents
}

#[test]
fn who_is_in_a_group_for_other_reasons_keeps_what_it_has_and_undoing_puts_the_group_back() {
    let group = "{kind: Group, name: 'system:serviceaccounts'}";
    let system = deployment(QUIET, "").replace("cart", "operator").replace("shop", "kube-system");
    for (rules, kept) in [
        (rule("''", "configmaps", "get"), vec!["operator", "cart"]),
        (rule("''", "secrets", "list"), vec!["operator"]),
    ] {
        let yaml = account("default", "")
            + &deployment(QUIET, "")
            + &system
            + &bind("ClusterRoleBinding", &rules, group);
        let documents = documents(&inventory(&yaml));
        let applied = documents.last().unwrap();
        let names = |object: &serde_json::Value| -> Vec<String> {
            let subjects = object["subjects"].as_array().unwrap();
            subjects.iter().map(|subject| subject["name"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(names(&applied.object), kept);
        assert_eq!(names(applied.undo.as_ref().unwrap()), ["system:serviceaccounts"]);
        assert_eq!(assert_remedied(ID, &inventory(&yaml), &Parameters::default()), Pass);
    }
}

#[test]
fn an_account_that_loses_its_last_right_loses_its_token_too() {
    let yaml = deployment("serviceAccountName: cart", "")
        + &bind("ClusterRoleBinding", &rule("'*'", "'*'", "'*'"), CART);
    let documents = documents(&inventory(&yaml));
    let token = documents.last().unwrap().object.pointer("/spec/template/spec/automountServiceAccountToken");
    assert_eq!(token, Some(&serde_json::json!(false)));
    assert_eq!(assert_remedied(ID, &inventory(&yaml), &Parameters::default()), Pass);
}

#[test]
fn what_the_documents_cannot_do_is_told() {
    let token = "volumes: [{name: t, projected: {sources: [{serviceAccountToken: {path: t}}]}}]";
    let mount = ", volumeMounts: [{name: t, mountPath: /t}]";
    for (yaml, task) in [
        (deployment(&format!("{QUIET}, {token}"), mount), "written by hand"),
        (
            account("cart", "") + &pod(&format!("serviceAccountName: cart, {token}"), mount),
            "Create these pods anew",
        ),
        (deployment(QUIET, ", env: [{name: AWS_ACCESS_KEY_ID, value: a}]"), "Give each workload an identity"),
    ] {
        let remaining = evaluated(ID, &inventory(&yaml), &Parameters::default()).remediation.remaining;
        assert_eq!(remaining.len(), 1, "{remaining:?}");
        assert!(remaining[0].task.contains(task), "{}", remaining[0].task);
        assert_remedied(ID, &inventory(&yaml), &Parameters::default());
    }
}
