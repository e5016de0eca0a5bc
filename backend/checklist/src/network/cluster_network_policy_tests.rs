//! Admin, Baseline and Cluster network policies as their documentation shows them.
//!
//! <https://network-policy-api.sigs.k8s.io/reference/examples/>

use super::NetworkPlugin;
use super::testing::{Cluster, EGRESS, INGRESS};

fn admin(name: &str, spec: &str) -> String {
    format!(
        "{{apiVersion: policy.networking.k8s.io/v1alpha1, kind: AdminNetworkPolicy, metadata: {{name: {name}}}, spec: {spec}}}\n---\n"
    )
}

fn baseline(spec: &str) -> String {
    format!(
        "{{apiVersion: policy.networking.k8s.io/v1alpha1, kind: BaselineAdminNetworkPolicy, metadata: {{name: default}}, spec: {spec}}}\n---\n"
    )
}

fn cluster_policy(name: &str, spec: &str) -> String {
    format!(
        "{{apiVersion: policy.networking.k8s.io/v1alpha2, kind: ClusterNetworkPolicy, metadata: {{name: {name}}}, spec: {spec}}}\n---\n"
    )
}

fn deny() -> String {
    "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: k, namespace: shop}, spec: {podSelector: {}, policyTypes: [Ingress, Egress]}}\n---\n".to_owned()
}

fn cluster(policies: &[String]) -> Cluster {
    Cluster::new(NetworkPlugin::Other, &policies.concat())
}

#[test]
fn selecting_isolates_nobody() {
    let some = admin(
        "a",
        "{priority: 5, subject: {namespaces: {}}, ingress: [{action: Deny, from: [{pods: {namespaceSelector: {matchLabels: {team: blue}}, podSelector: {}}}]}]}",
    );
    let some = cluster(&[some]);
    assert_eq!(some.isolation("cart", INGRESS), "open");
    assert_eq!(some.reach("vault", "cart", 80), "denied by a");
    assert_eq!(some.reach("web", "cart", 80), "allowed");
}

#[test]
fn an_admin_allow_from_everywhere_voids_default_deny() {
    for policy in [
        admin(
            "a",
            "{priority: 5, subject: {namespaces: {}}, ingress: [{action: Allow, from: [{namespaces: {}}]}]}",
        ),
        cluster_policy(
            "a",
            "{tier: Admin, priority: 5, subject: {namespaces: {}}, ingress: [{action: Accept, from: [{namespaces: {}}]}]}",
        ),
    ] {
        let open = cluster(&[policy, deny()]);
        assert_eq!(open.default("shop", INGRESS), "open to every pod of the cluster by a");
        assert_eq!(open.default("shop", EGRESS), "isolated by k");
        assert_eq!(open.reach("dns", "cart", 80), "allowed");
    }
    let some = admin(
        "a",
        "{priority: 5, subject: {namespaces: {}}, ingress: [{action: Allow, from: [{namespaces: {}}], ports: [{portNumber: {protocol: TCP, port: 80}}]}]}",
    );
    assert_eq!(cluster(&[some, deny()]).default("shop", INGRESS), "isolated by k");
    let networks = admin(
        "a",
        "{priority: 5, subject: {namespaces: {}}, egress: [{action: Allow, to: [{networks: [0.0.0.0/0]}]}]}",
    );
    assert_eq!(cluster(&[networks, deny()]).default("shop", EGRESS), "open to all of IPv4 by a");
}

#[test]
fn the_lowest_priority_decides_and_pass_leaves_it_to_network_policies() {
    let allow = admin(
        "allow",
        "{priority: 20, subject: {namespaces: {}}, ingress: [{action: Allow, from: [{namespaces: {}}]}]}",
    );
    let first = |action: &str| {
        admin(
            "first",
            &format!(
                "{{priority: 10, subject: {{namespaces: {{}}}}, ingress: [{{action: {action}, from: [{{namespaces: {{matchLabels: {{team: blue}}}}}}]}}]}}"
            ),
        )
    };
    assert_eq!(cluster(&[allow.clone(), first("Deny")]).reach("vault", "cart", 80), "denied by first");
    assert_eq!(cluster(&[allow.clone(), first("Pass"), deny()]).reach("vault", "cart", 80), "denied by k");
    assert_eq!(cluster(&[allow.clone(), first("Pass")]).reach("vault", "cart", 80), "allowed");
    // Tomorrow's pod is reached by all but those of one namespace: that is not every pod.
    assert_eq!(cluster(&[allow, first("Pass"), deny()]).reach("dns", "cart", 80), "allowed");
}

#[test]
fn a_baseline_counts_only_for_pods_that_no_network_policy_selects() {
    let all = baseline(
        "{subject: {namespaces: {}}, ingress: [{action: Deny, from: [{namespaces: {}}]}], egress: [{action: Deny, to: [{networks: [0.0.0.0/0, '::/0']}]}]}",
    );
    let alone = cluster(std::slice::from_ref(&all));
    assert_eq!(alone.reach("vault", "cart", 80), "denied by default");
    assert_eq!(
        alone.default("shop", INGRESS),
        "open",
        "ingress peers are pods only: what is outside gets in"
    );
    assert_eq!(alone.default("shop", EGRESS), "isolated by default");
    let open = "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: open, namespace: shop}, spec: {podSelector: {}, policyTypes: [Ingress, Egress], ingress: [{}], egress: [{}]}}";
    let over = cluster(&[all, open.to_owned()]);
    assert_eq!(over.reach("web", "cart", 80), "allowed");
    assert_eq!(over.default("shop", EGRESS), "open to every peer by open");
    assert_eq!(over.default("bank", EGRESS), "isolated by default");
    let tier = cluster_policy(
        "base",
        "{tier: Baseline, priority: 0, subject: {namespaces: {}}, egress: [{action: Deny, to: [{networks: [0.0.0.0/0]}]}]}",
    );
    assert_eq!(cluster(&[tier]).default("shop", EGRESS), "isolated by base");
}

#[test]
fn protocols_and_ports_of_both_versions() {
    let old = |ports: &str| {
        admin(
            "a",
            &format!(
                "{{priority: 1, subject: {{pods: {{namespaceSelector: {{}}, podSelector: {{matchLabels: {{app: cart}}}}}}}}, ingress: [{{action: Deny, from: [{{namespaces: {{}}}}], ports: [{ports}]}}]}}"
            ),
        )
    };
    let new = |protocols: &str| {
        cluster_policy(
            "a",
            &format!(
                "{{tier: Admin, priority: 1, subject: {{namespaces: {{}}}}, ingress: [{{action: Deny, from: [{{namespaces: {{}}}}], protocols: [{protocols}]}}]}}"
            ),
        )
    };
    for policy in [
        old("{portNumber: {protocol: TCP, port: 8080}}"),
        old("{portRange: {start: 8000, end: 8080}}"),
        old("{namedPort: http}"),
        new("{tcp: {destinationPort: {number: 8080}}}"),
        new("{tcp: {destinationPort: {range: {start: 8080, end: 8090}}}}"),
        new("{destinationNamedPort: http}"),
    ] {
        let one = cluster(std::slice::from_ref(&policy));
        assert_eq!(one.reach("web", "cart", 8080), "denied by a", "{policy}");
        assert_eq!(one.reach("web", "cart", 81), "allowed", "{policy}");
    }
    assert_eq!(cluster(&[new("{udp: {}}")]).reach("web", "cart", 81), "allowed");
    assert_eq!(cluster(&[new("{tcp: {}}")]).reach("web", "cart", 81), "denied by a");
}

#[test]
fn what_is_not_understood_is_undecided() {
    for rule in [
        "{action: Allow, from: [{nodes: {}}]}",
        "{action: Allow, from: [{sameLabels: [team]}]}",
        "{action: Allow, from: [{namespaces: {sameLabels: [team]}}]}",
        "{action: Log, from: [{namespaces: {}}]}",
        "{action: Allow, from: [{namespaces: {}}], surprise: true}",
        "{action: Allow, from: [{namespaces: {}}], ports: [{surprise: 1}]}",
    ] {
        let one = cluster(&[
            admin("a", &format!("{{priority: 1, subject: {{namespaces: {{}}}}, ingress: [{rule}]}}")),
            deny(),
        ]);
        assert_eq!(one.reach("dns", "cart", 80), "undecided", "{rule}");
    }
    let names = admin(
        "a",
        "{priority: 1, subject: {namespaces: {}}, egress: [{action: Allow, to: [{domainNames: ['*.example.com']}]}]}",
    );
    assert_eq!(cluster(&[names, deny()]).default("shop", EGRESS), "undecided");
    let tier = cluster_policy("a", "{tier: Middle, priority: 1, subject: {namespaces: {}}}");
    let tier = cluster(&[tier]);
    assert_eq!((tier.isolation("cart", INGRESS).as_str(), tier.network().gaps().len()), ("undecided", 1));
}

#[test]
fn kinds_of_the_same_name_in_other_groups_are_others() {
    use crate::inventory::Kind;
    assert_eq!(
        Kind::of("policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy"),
        Some(Kind::ClusterNetworkPolicies)
    );
    assert_eq!(Kind::of("crd.antrea.io/v1beta1", "ClusterNetworkPolicy"), None);
    assert_eq!(Kind::of("projectcalico.org/v3", "NetworkPolicy"), Some(Kind::CalicoNetworkPolicies));
    for staged in ["StagedNetworkPolicy", "StagedGlobalNetworkPolicy", "StagedKubernetesNetworkPolicy"] {
        assert_eq!(Kind::of("projectcalico.org/v3", staged), None, "staged policies enforce nothing");
    }
}

#[test]
fn calicos_own_tiers_stand_between() {
    let tier = "{apiVersion: projectcalico.org/v3, kind: Tier, metadata: {name: early}, spec: {order: 10, defaultAction: Pass}}\n---\n{apiVersion: projectcalico.org/v3, kind: GlobalNetworkPolicy, metadata: {name: early.deny}, spec: {tier: early, types: [Ingress], ingress: [{action: Deny, source: {selector: 'app == \"vault\"'}}]}}\n---\n";
    let allow = admin(
        "allow",
        "{priority: 20, subject: {namespaces: {}}, ingress: [{action: Allow, from: [{namespaces: {}}]}]}",
    );
    let both = Cluster::new(NetworkPlugin::Calico, &(tier.to_owned() + &allow));
    assert_eq!(both.reach("vault", "cart", 80), "denied by early.deny");
    assert_eq!(both.reach("web", "cart", 80), "allowed");
}
