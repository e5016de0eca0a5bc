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
    for kind in [Kind::Pods, Kind::NetworkPolicies, Kind::KubeletConfigz, Kind::ConfigMaps] {
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
fn policy_kinds_that_are_not_understood_are_gaps() {
    let policies = "apiVersion: crd.antrea.io/v1beta1\nkind: NetworkPolicy\nmetadata: {name: a}\n---
apiVersion: crd.antrea.io/v1beta1\nkind: NetworkPolicy\nmetadata: {name: b}\n---
apiVersion: projectcalico.org/v3\nkind: NetworkPolicy\nmetadata: {name: c}\n---
apiVersion: acme.example/v1\nkind: NetworkPolicy\nmetadata: {name: e}\n";
    let (inventory, problems) = read_folder(&[("policies.yaml", policies)]);
    let kinds: Vec<&str> = inventory.other_policy_kinds.gaps.iter().map(|gap| gap.kind.as_str()).collect();
    assert_eq!(kinds, ["networkpolicies.crd.antrea.io"]);
    assert_eq!(problems, []);
    assert!(inventory.network_policies.seen.is_empty());
    assert_eq!(inventory.resources(Kind::CalicoNetworkPolicies).seen.len(), 1);
}

/// What `kubectl get crd -o json` writes for these resources.
fn definitions(resources: &[(&str, &str)]) -> String {
    let items: Vec<String> = resources
        .iter()
        .map(|(plural, group)| {
            format!(
                r#"{{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{{"name":"{plural}.{group}","uid":"u"}},"spec":{{"group":"{group}","names":{{"plural":"{plural}"}}}}}}"#
            )
        })
        .collect();
    format!(r#"{{"apiVersion":"v1","kind":"List","items":[{}]}}"#, items.join(","))
}

#[test]
fn what_no_definition_defines_is_absent_for_a_fact() {
    let some = definitions(&[
        ("ciliumnetworkpolicies", "cilium.io"),
        ("k8sallowedrepos", "constraints.gatekeeper.sh"),
    ]);
    for name in ["crd.json", "crd.yaml"] {
        let (inventory, problems) = read_folder(&[(name, &some), ("web.yaml", DEPLOYMENT)]);
        assert_eq!(problems, []);
        let unknown: Vec<Kind> = Kind::ALL
            .into_iter()
            .filter(|kind| kind.is_optional() && !inventory.gaps(*kind).is_empty())
            .collect();
        assert_eq!(
            unknown,
            [
                Kind::ValidatingAdmissionPolicies,
                Kind::ValidatingAdmissionPolicyBindings,
                Kind::CiliumNetworkPolicies,
                Kind::GatekeeperConstraints
            ],
            "{name}"
        );
    }
}

#[test]
fn definitions_in_manifests_say_nothing_of_other_kinds() {
    let list = definitions(&[("widgets", "acme.example")]);
    let unapplied = list.replace(r#","uid":"u""#, "");
    let one = list.trim_start_matches(r#"{"apiVersion":"v1","kind":"List","items":["#).trim_end_matches("]}");
    for text in [unapplied.as_str(), one] {
        for name in ["crd.json", "crd.yaml"] {
            let (inventory, _) = read_folder(&[(name, text), ("web.yaml", DEPLOYMENT)]);
            let gaps = inventory.gaps(Kind::SealedSecrets);
            assert_eq!(reasons(gaps), [GapReason::NotCollected], "{name}: {text}");
            assert!(gaps[0].closed_by.contains("kubectl get crd"), "{gaps:?}");
        }
    }
}

#[test]
fn custom_resources_are_read_and_kept_apart_by_kind() {
    let text = "apiVersion: constraints.gatekeeper.sh/v1beta1\nkind: K8sAllowedRepos\nmetadata: {name: a}\n---
apiVersion: constraints.gatekeeper.sh/v1beta1\nkind: K8sRequiredLabels\nmetadata: {name: a}\n---
apiVersion: crd.projectcalico.org/v1\nkind: Tier\nmetadata: {name: default}\n---
apiVersion: security.istio.io/v1beta1\nkind: PeerAuthentication\nmetadata: {name: a, namespace: x}\nspec: {mtls: {mode: STRICT}}\n";
    let (inventory, problems) = read_folder(&[
        ("all.yaml", text),
        ("meshes.kuma.io.yaml", "kind: List\nitems: []\n"),
        ("meshes.yaml", "kind: List\nitems: []\n"),
    ]);
    assert_eq!(problems, []);
    assert_eq!(inventory.resources(Kind::GatekeeperConstraints).seen.len(), 2);
    assert_eq!(
        inventory.resources(Kind::PeerAuthentications).seen[0].api_version,
        "security.istio.io/v1beta1"
    );
    for kind in [Kind::CalicoTiers, Kind::CalicoCrdTiers, Kind::KumaMeshes, Kind::PeerAuthentications] {
        assert!(inventory.gaps(kind).is_empty(), "{kind:?}");
    }
    assert_eq!(reasons(inventory.gaps(Kind::ConsulMeshes)), [GapReason::NotCollected]);
}
