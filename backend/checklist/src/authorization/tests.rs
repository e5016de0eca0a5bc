use super::*;
use crate::testing::inventory;

const ROLE: &str = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ";

fn cluster_role(name: &str, rest: &str) -> String {
    format!("---\n{ROLE}ClusterRole\nmetadata: {{name: {name}}}\n{rest}\n")
}

fn role(name: &str, rest: &str) -> String {
    format!("---\n{ROLE}Role\nmetadata: {{name: {name}, namespace: shop}}\n{rest}\n")
}

fn binding(kind: &str, name: &str, role: &str, subject: &str) -> String {
    let (role_kind, role) = role.split_once('/').unwrap();
    let namespace = if kind == "RoleBinding" { ", namespace: shop" } else { "" };
    format!(
        "---\n{ROLE}{kind}\nmetadata: {{name: {name}{namespace}}}\nroleRef: {{kind: {role_kind}, name: {role}}}\n\
         subjects: [{subject}]\n"
    )
}

const SECRETS: &str = "rules: [{apiGroups: [''], resources: [secrets], verbs: [get]}]";
const CART: &str = "{kind: ServiceAccount, name: cart, namespace: shop}";
const ACTION: Action<'static> = Action { verb: "get", group: "", resource: "secrets" };

/// `binding → role`, for what lets an account get Secrets.
fn paths(yaml: &str, account: &str, namespace: Option<&str>) -> Vec<String> {
    let inventory = inventory(yaml);
    let authorization = Authorization::new(&inventory);
    let (account_namespace, name) = account.split_once('/').unwrap();
    authorization
        .grants(Account { namespace: account_namespace, name }, ACTION, namespace)
        .map(|grant| format!("{} → {}", grant.bound.binding.meta.name, grant.rule.role.meta.name))
        .collect()
}

#[test]
fn every_form_of_binding_finds_its_role() {
    let all = cluster_role("reader", SECRETS) + &role("reader", SECRETS);
    let of = |kind: &str, role: &str| all.clone() + &binding(kind, "b", role, CART);
    let everywhere = of("ClusterRoleBinding", "ClusterRole/reader");
    assert_eq!(paths(&everywhere, "shop/cart", None), ["b → reader"]);
    assert_eq!(paths(&everywhere, "shop/cart", Some("other")), ["b → reader"]);
    for role in ["Role/reader", "ClusterRole/reader"] {
        let here = of("RoleBinding", role);
        assert_eq!(paths(&here, "shop/cart", Some("shop")), ["b → reader"]);
        assert!(paths(&here, "shop/cart", None).is_empty());
        assert!(paths(&here, "shop/cart", Some("other")).is_empty());
    }
    for (kind, role) in [
        ("ClusterRoleBinding", "Role/reader"),
        ("ClusterRoleBinding", "ClusterRole/gone"),
        ("RoleBinding", "Role/gone"),
        ("RoleBinding", "Widget/reader"),
    ] {
        assert!(paths(&of(kind, role), "shop/cart", Some("shop")).is_empty(), "{kind} {role}");
    }
}

#[test]
fn subjects_are_accounts_their_user_names_and_their_groups() {
    for (subject, holds) in [
        (CART, true),
        ("{kind: User, name: 'system:serviceaccount:shop:cart'}", true),
        ("{kind: Group, name: 'system:serviceaccounts'}", true),
        ("{kind: Group, name: 'system:serviceaccounts:shop'}", true),
        ("{kind: Group, name: 'system:authenticated'}", true),
        ("{kind: Group, name: 'system:serviceaccounts:shopping'}", false),
        ("{kind: Group, name: 'system:unauthenticated'}", false),
        ("{kind: User, name: cart}", false),
        ("{kind: ServiceAccount, name: cart, namespace: other}", false),
        ("{kind: ServiceAccount, name: cart}", false),
    ] {
        let yaml = cluster_role("reader", SECRETS)
            + &binding("ClusterRoleBinding", "b", "ClusterRole/reader", subject);
        assert_eq!(!paths(&yaml, "shop/cart", None).is_empty(), holds, "{subject}");
    }
    // In a RoleBinding the account's namespace is the binding's where it names none.
    let here = role("reader", SECRETS)
        + &binding("RoleBinding", "b", "Role/reader", "{kind: ServiceAccount, name: cart}");
    assert_eq!(paths(&here, "shop/cart", Some("shop")), ["b → reader"]);
}

#[test]
fn aggregation_is_followed_through_labels_once_and_without_end() {
    let part =
        cluster_role("part", SECRETS).replace("{name: part}", "{name: part, labels: {to: middle, x: b}}");
    let middle = cluster_role(
        "middle",
        "aggregationRule: {clusterRoleSelectors: [{matchLabels: {to: middle, x: b}}]}",
    )
    .replace("{name: middle}", "{name: middle, labels: {to: top}}");
    let top = cluster_role(
        "top",
        "aggregationRule: {clusterRoleSelectors: [{matchLabels: {to: top}}, {matchLabels: {to: middle, x: c}}]}",
    )
    .replace("{name: top}", "{name: top, labels: {to: middle, x: b}}");
    let yaml = part + &middle + &top + &binding("ClusterRoleBinding", "b", "ClusterRole/top", CART);
    assert_eq!(paths(&yaml, "shop/cart", None), ["b → part"]);
    // As a running cluster shows it: filled in, and told once.
    let gathers_top = "aggregationRule: {clusterRoleSelectors: [{matchLabels: {to: top}}";
    let filled = yaml.replace(gathers_top, &format!("{SECRETS}\n{gathers_top}"));
    assert_ne!(filled, yaml);
    assert_eq!(paths(&filled, "shop/cart", None), ["b → part"]);
}

#[test]
fn an_unknown_operator_is_undecided_until_the_controller_has_gathered() {
    let of = |rules: &str| {
        let rule = "aggregationRule: {clusterRoleSelectors: [{matchExpressions: [{key: a, operator: Gt}]}]}";
        let yaml = cluster_role("top", &format!("{rule}\n{rules}"))
            + &binding("ClusterRoleBinding", "b", "ClusterRole/top", CART);
        Authorization::new(&inventory(&yaml)).undecided().len()
    };
    assert_eq!(of(""), 1);
    assert_eq!(of(SECRETS), 0);
}

#[test]
fn what_everybody_has_binds_nobody_unless_it_was_changed() {
    let discovery = "rules: [{nonResourceURLs: [/healthz, /apis/*, /version/], verbs: [get]}, \
                     {apiGroups: [authorization.k8s.io], resources: [selfsubjectaccessreviews], verbs: [create]}]";
    let of = |rules: &str, label: &str, subject: &str| {
        let yaml = cluster_role("system:discovery", rules)
            .replace("name: system:discovery", "name: 'system:discovery'")
            + &binding("ClusterRoleBinding", "b", "ClusterRole/system:discovery", subject)
                .replace("{name: b}", &format!("{{name: b, labels: {{{label}}}}}"))
                .replace("name: system:discovery}", "name: 'system:discovery'}");
        Authorization::new(&inventory(&yaml)).is_bound(Account { namespace: "shop", name: "default" })
    };
    let label = "kubernetes.io/bootstrapping: rbac-defaults";
    for group in ["system:authenticated", "system:serviceaccounts"] {
        let group = format!("{{kind: Group, name: '{group}'}}");
        assert!(!of(discovery, label, &group));
        assert!(of(discovery, "", &group), "not the API server's own binding");
        assert!(of(SECRETS, label, &group), "a changed role");
        assert!(of(&discovery.replace("[get]", "['*']"), label, &group));
        assert!(of(&discovery.replace("/healthz", "'*'"), label, &group));
    }
    assert!(of(discovery, label, "{kind: ServiceAccount, name: default, namespace: shop}"), "bound by name");
}

#[test]
fn thousands_of_bindings_and_accounts_stay_quick() {
    let mut yaml = cluster_role("reader", SECRETS);
    for index in 0..1000 {
        yaml += &binding(
            "ClusterRoleBinding",
            &format!("b{index}"),
            "ClusterRole/reader",
            &CART.replace("cart", &format!("a{index}")),
        );
    }
    let inventory = inventory(&yaml);
    let authorization = Authorization::new(&inventory);
    let first = &authorization.bindings()[0].rules;
    assert!(authorization.bindings().iter().all(|bound| Arc::ptr_eq(&bound.rules, first)), "resolved once");
    for index in 0..1000 {
        let name = format!("a{index}");
        let account = Account { namespace: "shop", name: &name };
        assert_eq!(authorization.of_account(account).count(), 1);
    }
}
