//! What counts as collected.

use crate::{DEPLOYMENT, folder, input, problem, read_folder, reasons};
use rampart_checklist::Kind;
use rampart_cluster::snapshot::{ReadOptions, read};
use rampart_shared::GapReason;

#[test]
fn a_kind_is_collected_when_there_is_one_of_it() {
    let (inventory, problems) = read_folder(&[("web.yaml", DEPLOYMENT)]);
    assert_eq!(problems, []);
    assert!(inventory.deployments.is_complete());
    assert_eq!(inventory.collected_at, None);
    for kind in Kind::ALL {
        let expected: &[GapReason] = match kind {
            Kind::Deployments | Kind::OtherPolicyKinds => &[],
            _ => &[GapReason::NotCollected],
        };
        assert_eq!(reasons(inventory.gaps(kind)), expected, "{kind:?}");
    }
    let web = &inventory.deployments.seen[0];
    assert_eq!((web.meta.namespace.as_str(), web.api_version.as_str()), ("shop", "apps/v1"));
    assert_eq!(web.template.containers[0].security_context.read_only_root_filesystem, Some(true));
}

#[test]
fn assume_complete_leaves_no_kind_uncollected() {
    let folder = folder(&[("web.yaml", DEPLOYMENT)]);
    let options = ReadOptions { assume_complete: true, ..ReadOptions::default() };
    let (inventory, _) = read(&input(folder.path()), &options).unwrap();
    assert_eq!(inventory.all_gaps().count(), 0);
}

#[test]
fn assume_complete_does_not_heal_what_is_broken() {
    let folder = folder(&[("web.yaml", DEPLOYMENT), ("pod.yaml", "kind: Pod\nspec: [\n")]);
    let options = ReadOptions { assume_complete: true, ..ReadOptions::default() };
    let (inventory, problems) = read(&input(folder.path()), &options).unwrap();
    assert_eq!(reasons(&inventory.pods.gaps), [GapReason::Failed]);
    assert_eq!(problems.len(), 1);
}

#[test]
fn an_empty_list_counts_in_a_file_named_for_its_resource() {
    let empty = "apiVersion: v1\nitems: []\nkind: List\nmetadata:\n  resourceVersion: \"\"\n";
    let json = r#"{"apiVersion":"v1","items":[],"kind":"List"}"#;
    let typed = "apiVersion: batch/v1\nkind: JobList\nitems: []\n";
    let (inventory, problems) = read_folder(&[
        ("networkpolicies.networking.k8s.io.yaml", empty),
        ("deployments.apps.json", json),
        ("pods.yml", empty),
        ("nodes.yaml", "apiVersion: v1\nkind: List\nitems: null\n"),
        ("some.yaml", empty),
        ("typed.yaml", typed),
        ("cronjobs.yaml", ""),
    ]);
    assert_eq!(problems, []);
    let complete: Vec<Kind> = Kind::ALL.into_iter().filter(|kind| inventory.gaps(*kind).is_empty()).collect();
    assert_eq!(
        complete,
        [
            Kind::Nodes,
            Kind::Pods,
            Kind::Deployments,
            Kind::Jobs,
            Kind::NetworkPolicies,
            Kind::OtherPolicyKinds
        ]
    );
}

#[test]
fn the_manifest_says_when_and_what() {
    let manifest = r#"{"schema":"rampart.snapshot/v1","collectedAt":"2026-11-23T17:42:54Z",
        "complete":["pods","networkpolicies.networking.k8s.io","nodes/configz","configmaps"],"later":1}"#;
    let (inventory, _) = read_folder(&[("a/rampart-snapshot.json", manifest), ("web.yaml", DEPLOYMENT)]);
    assert_eq!(inventory.collected_at.unwrap().to_rfc3339(), "2026-11-23T17:42:54+00:00");
    for kind in [Kind::Pods, Kind::NetworkPolicies, Kind::KubeletConfigz, Kind::KubeletConfigMap] {
        assert!(inventory.gaps(kind).is_empty(), "{kind:?}");
    }
    assert_eq!(reasons(&inventory.nodes.gaps), [GapReason::NotCollected]);

    let other = r#"{"schema":"rampart.snapshot/v9","complete":["pods"]}"#;
    let (inventory, problems) = read_folder(&[("rampart-snapshot.json", other), ("web.yaml", DEPLOYMENT)]);
    assert_eq!(reasons(&inventory.pods.gaps), [GapReason::NotCollected]);
    assert!(problem(&problems).contains("schema is not rampart.snapshot/v1"));
}

#[test]
fn kubelet_configurations_and_the_version() {
    let configuration =
        r#""authentication":{"anonymous":{"enabled":false}},"authorization":{"mode":"Webhook"}"#;
    let (inventory, problems) = read_folder(&[
        ("configz/node-1.eu.internal.json", &format!("{{\"kubeletconfig\":{{{configuration}}}}}")),
        ("configz/node-2.json", &format!("{{{configuration}}}")),
        ("configz/node-3.json", r#"{"kind":"Status","apiVersion":"v1","status":"Failure","code":403}"#),
        ("configz/node-4.json", r#"{"kubeletconfig":null}"#),
        (
            "version.json",
            r#"{"clientVersion":{"gitVersion":"v1.1.1"},"serverVersion":{"gitVersion":"v1.36.3"}}"#,
        ),
    ]);
    let nodes: Vec<&str> = inventory.kubelet_configurations.seen.keys().map(String::as_str).collect();
    assert_eq!(nodes, ["node-1.eu.internal", "node-2"]);
    assert_eq!(inventory.version.as_deref(), Some("v1.36.3"));
    let unread: Vec<&[String]> =
        inventory.kubelet_configurations.gaps.iter().map(|gap| gap.objects.as_slice()).collect();
    assert_eq!(unread, [["node-3".to_owned()], ["node-4".to_owned()]]);
    assert_eq!(problems.len(), 2);

    let (inventory, _) =
        read_folder(&[("version.json", r#"{"gitVersion":"v1.30.0"}"#), ("web.yaml", DEPLOYMENT)]);
    assert_eq!(inventory.version.as_deref(), Some("v1.30.0"));
    let (inventory, _) = read_folder(&[
        ("version.json", r#"{"clientVersion":{"gitVersion":"v1.1.1"}}"#),
        ("web.yaml", DEPLOYMENT),
    ]);
    assert_eq!(inventory.version, None);
}

#[test]
fn the_kubelet_config_map() {
    let map = |name: &str| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  namespace: kube-system\ndata:\n  kubelet: |\n    readOnlyPort: 10255\n"
        )
    };
    let (inventory, _) =
        read_folder(&[("maps.yaml", &format!("{}---\n{}", map("kubelet-config"), map("other")))]);
    assert_eq!(inventory.kubelet_config_map.seen.as_ref().unwrap().read_only_port, Some(10255));
    assert!(inventory.kubelet_config_map.is_complete());

    let (inventory, _) = read_folder(&[("maps.yaml", &map("other"))]);
    assert_eq!(inventory.kubelet_config_map.seen, None);
    assert!(inventory.kubelet_config_map.is_complete());
}

#[test]
fn policy_kinds_that_are_not_understood_are_gaps() {
    let policies = "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: a}\n---
apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: b}\n---
apiVersion: projectcalico.org/v3\nkind: NetworkPolicy\nmetadata: {name: c}\n---
apiVersion: policy.networking.k8s.io/v1alpha1\nkind: AdminNetworkPolicy\nmetadata: {name: d}\n---
apiVersion: acme.example/v1\nkind: NetworkPolicy\nmetadata: {name: e}\n";
    let (inventory, problems) = read_folder(&[("policies.yaml", policies)]);
    let kinds: Vec<&str> = inventory.other_policy_kinds.gaps.iter().map(|gap| gap.kind.as_str()).collect();
    assert_eq!(
        kinds,
        [
            "ciliumnetworkpolicies.cilium.io",
            "networkpolicies.projectcalico.org",
            "adminnetworkpolicies.policy.networking.k8s.io"
        ]
    );
    assert_eq!(problems, []);
    assert!(inventory.network_policies.seen.is_empty());
}
