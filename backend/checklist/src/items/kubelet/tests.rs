use crate::testing::{
    assert_findings, assert_remedied, evaluated, forbid, inventory, remedied_outcome as outcome,
    remedied_result as result,
};

use crate::{Kind, Parameters};
use rampart_shared::Outcome::{Fail, NotApplicable, Pass, Unknown};
use rampart_shared::{Basis, Gap, GapReason, ItemId, Outcome, Remediation};
use serde_json::json;

const ITEMS: [ItemId; 3] =
    [ItemId::KubeletAnonymousAuth, ItemId::KubeletWebhookAuthorization, ItemId::KubeletReadOnlyPort];
const ID: ItemId = ItemId::KubeletAnonymousAuth;
const GOOD: &str =
    "authentication: {anonymous: {enabled: false}}\nauthorization: {mode: Webhook}\nreadOnlyPort: 0\n";
const BAD: &str =
    "authentication: {anonymous: {enabled: true}}\nauthorization: {mode: AlwaysAllow}\nreadOnlyPort: 10255\n";

fn node(name: &str, ready: &str, labels: &str) -> String {
    format!(
        "---\napiVersion: v1\nkind: Node\nmetadata: {{name: {name}, labels: {{{labels}}}}}\n\
         status: {{conditions: [{{type: Ready, status: '{ready}'}}]}}\n"
    )
}

fn configz(node: &str, configuration: &str) -> String {
    format!("---\nkind: KubeletConfiguration\nnode: {node}\n{configuration}")
}

fn read(name: &str, configuration: &str) -> String {
    node(name, "True", "") + &configz(name, configuration)
}

fn config_map(configuration: &str) -> String {
    let text: String = configuration.lines().map(|line| format!("    {line}\n")).collect();
    format!(
        "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: kubelet-config, namespace: kube-system}}\ndata:\n  kubelet: |\n{text}"
    )
}

#[test]
fn an_answer_without_credentials_decides_where_the_configuration_was_not_read() {
    for (anonymous, expected) in [(false, Pass), (true, Fail)] {
        let mut inventory = inventory(&node("a", "True", ""));
        inventory.kubelet_anonymous.insert("a".to_owned(), anonymous);
        let gap = Gap::new(Kind::KubeletConfigz.name(), GapReason::Forbidden, "no");
        inventory.add_gap(Kind::KubeletConfigz, gap.for_objects(vec!["a".to_owned()]));
        let result_of = |id| result(id, &inventory);
        assert_eq!(result_of(ItemId::KubeletAnonymousAuth).outcome(), expected);
        assert_eq!(result_of(ItemId::KubeletWebhookAuthorization).outcome(), Unknown);
        assert_eq!(result_of(ItemId::KubeletReadOnlyPort).outcome(), Unknown);
    }
}

#[test]
fn every_ready_node_decides_windows_included() {
    let yaml = read("a", GOOD) + &node("w", "True", "kubernetes.io/os: windows") + &configz("w", GOOD);
    for id in ITEMS {
        let result = result(id, &inventory(&yaml));
        assert_eq!((result.outcome(), result.basis()), (Pass, Some(Basis::Observed)));
        assert_eq!(result.evidence().examined, 2);
    }
    let yaml = read("a", GOOD) + &node("w", "True", "kubernetes.io/os: windows");
    assert_eq!(outcome(ID, &yaml), Unknown);
}

#[test]
fn one_bad_node_fails_by_name_whatever_was_not_read() {
    let yaml = read("a", GOOD) + &read("b", BAD) + &node("c", "True", "");
    assert_findings(ITEMS[0], &yaml, Fail, &["b kubeletconfig.authentication.anonymous.enabled: true"]);
    assert_findings(ITEMS[1], &yaml, Fail, &["b kubeletconfig.authorization.mode: AlwaysAllow"]);
    assert_findings(ITEMS[2], &yaml, Fail, &["b kubeletconfig.readOnlyPort: 10255"]);
}

#[test]
fn unread_nodes_are_one_gap_with_a_count() {
    let mut inventory = inventory(&(read("a", GOOD) + &node("b", "True", "") + &node("c", "True", "")));
    let gap =
        Gap::new("nodes/configz", GapReason::Failed, "time-out").for_objects(vec!["b".into(), "c".into()]);
    inventory.add_gap(Kind::KubeletConfigz, gap.clone());
    let result = result(ID, &inventory);
    assert_eq!(result.outcome(), Unknown);
    let mine: Vec<&Gap> = result.evidence().gaps.iter().filter(|found| found.detail != gap.detail).collect();
    let [mine] = mine[..] else { panic!("{mine:?}") };
    assert_eq!(mine.detail, "1 of 3 Ready nodes were read; not: b, c (time-out)");
    assert_eq!((mine.reason, &mine.objects[..]), (GapReason::Failed, &["b".to_owned(), "c".to_owned()][..]));
}

#[test]
fn a_refused_configz_never_passes_and_is_said_once() {
    let mut refused = inventory(&(node("a", "True", "") + &node("b", "True", "")));
    forbid(&mut refused, Kind::KubeletConfigz);
    for id in ITEMS {
        let result = result(id, &refused);
        assert_eq!(result.outcome(), Unknown);
        assert_eq!(result.evidence().gaps.len(), 1, "{:?}", result.evidence().gaps);
        assert!(result.evidence().gaps[0].rule.is_some());
    }
    let mut read_all = inventory(&read("a", GOOD));
    read_all.add_gap(Kind::KubeletConfigz, Gap::new("nodes/configz", GapReason::Failed, "broken"));
    assert_eq!(result(ID, &read_all).outcome(), Unknown);
}

#[test]
fn nodes_that_are_not_ready_are_listed_and_do_not_decide() {
    for ready in ["False", "Unknown"] {
        let yaml = read("a", GOOD) + &node("b", ready, "") + &configz("b", BAD);
        let result = result(ID, &inventory(&yaml));
        assert_eq!(result.outcome(), Pass);
        assert!(result.evidence().gaps[0].hides(&Kind::KubeletConfigz.name(), Some("b")));
        assert!(result.evidence().notes[0].contains('b'));
    }
    assert_eq!(outcome(ID, &node("b", "False", "")), Unknown, "nothing was judged");
}

#[test]
fn virtual_nodes_are_counted_apart() {
    for label in ["type: virtual-kubelet", "eks.amazonaws.com/compute-type: fargate"] {
        let yaml = read("a", GOOD) + &node("v", "True", label);
        let result = result(ID, &inventory(&yaml));
        assert_eq!((result.outcome(), result.evidence().examined), (Pass, 1));
        assert!(result.evidence().notes[0].contains("1 node is provider-managed"));
        assert_eq!(outcome(ID, &node("v", "True", label)), Unknown);
    }
}

#[test]
fn without_nodes_there_is_nothing_to_judge_if_the_list_is_complete() {
    assert_eq!(outcome(ID, ""), NotApplicable);
    let mut refused = inventory(&configz("a", BAD));
    assert_eq!(result(ID, &refused).outcome(), NotApplicable, "the node is gone");
    forbid(&mut refused, Kind::Nodes);
    assert_eq!(result(ID, &refused).outcome(), Fail, "the kubelet answered");
    let mut refused = inventory(&configz("a", GOOD));
    forbid(&mut refused, Kind::Nodes);
    assert_eq!(result(ID, &refused).outcome(), Unknown);
}

#[test]
fn the_config_map_shows_a_violation_where_a_node_was_not_read() {
    let unread = node("a", "True", "");
    for id in ITEMS {
        let result = result(id, &inventory(&(unread.clone() + &config_map(BAD))));
        assert_eq!((result.outcome(), result.basis()), (Fail, Some(Basis::Declared)));
        assert_eq!(result.evidence().findings[0].subject.name, "kubelet-config");
        assert_eq!(outcome(id, &(unread.clone() + &config_map(GOOD))), Unknown, "it never shows a pass");
        assert_eq!(
            outcome(id, &(unread.clone() + &config_map("maxPods: 9"))),
            Unknown,
            "the defaults are good"
        );
        assert_eq!(
            outcome(id, &(read("a", GOOD) + &config_map(BAD))),
            Pass,
            "the nodes say what is in force"
        );
    }
}

#[test]
fn only_the_exact_value_holds() {
    let with = |id, configuration: &str| outcome(id, &read("a", configuration));
    assert_eq!(with(ITEMS[0], "maxPods: 9\n"), Fail);
    assert_eq!(with(ITEMS[1], "maxPods: 9\n"), Fail);
    assert_eq!(with(ITEMS[1], "authorization: {mode: webhook}\n"), Fail);
    assert_eq!(with(ITEMS[2], "maxPods: 9\n"), Pass, "absent is 0");
    assert_eq!(with(ITEMS[2], "readOnlyPort: 1\n"), Fail);
}

/// The remedy, which is proved, and how the item comes out then.
#[track_caller]
fn remedied(id: ItemId, yaml: &str) -> (Outcome, Remediation) {
    let inventory = inventory(yaml);
    let after = assert_remedied(id, &inventory, &Parameters::default());
    (after, evaluated(id, &inventory, &Parameters::default()).remediation)
}

fn labelled(label: &str, provider: &str) -> String {
    node("a", "True", label) + &format!("spec: {{providerID: '{provider}'}}\n") + &configz("a", BAD)
}

#[test]
fn each_distribution_takes_the_setting_in_its_own_form() {
    let fields = [
        json!({ "authentication": { "anonymous": { "enabled": false } } }),
        json!({ "authentication": { "webhook": { "enabled": true } }, "authorization": { "mode": "Webhook" } }),
        json!({ "readOnlyPort": 0 }),
    ];
    let arguments = [
        json!(["anonymous-auth=false"]),
        json!(["authentication-token-webhook=true", "authorization-mode=Webhook"]),
        json!(["read-only-port=0"]),
    ];
    for ((id, fields), arguments) in ITEMS.into_iter().zip(fields).zip(arguments) {
        let mut fragment =
            json!({ "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration" });
        crate::remedy::merge(&mut fragment, &fields);
        let eks = json!({
            "apiVersion": "node.eks.aws/v1alpha1",
            "kind": "NodeConfig",
            "spec": { "kubelet": { "config": fields } },
        });
        for (yaml, object) in [
            (labelled("", ""), fragment),
            (labelled("", "k3s://a"), json!({ "kubelet-arg+": arguments })),
            (labelled("", "rke2://a"), json!({ "kubelet-arg+": arguments })),
            (labelled("eks.amazonaws.com/nodegroup: g", ""), eks),
        ] {
            let (after, remediation) = remedied(id, &yaml);
            assert_eq!(after, Pass);
            let [document] = &remediation.documents[..] else { panic!("{remediation:#?}") };
            assert_eq!(document.object, object);
            assert!(document.comment.starts_with("For a."), "{}", document.comment);
            assert!(document.comment.contains("Before: "), "{}", document.comment);
        }
        assert!(remedied(id, &read("a", GOOD)).1.documents.is_empty());
    }
}

#[test]
fn a_provider_without_such_a_setting_has_a_step() {
    for label in [
        "cloud.google.com/gke-nodepool: p",
        "kubernetes.azure.com/cluster: c",
        "node.openshift.io/os_id: rhel",
        "kops.k8s.io/instancegroup: g",
        "microk8s.io/cluster: 'true'",
    ] {
        for id in ITEMS {
            let (after, remediation) = remedied(id, &labelled(label, ""));
            let is_gke_port = label.starts_with("cloud") && id == ItemId::KubeletReadOnlyPort;
            assert_eq!(after, if is_gke_port { Pass } else { Fail });
            assert_eq!(remediation.documents.len(), usize::from(is_gke_port), "{label}");
            assert!(remediation.remaining.iter().all(|left| left.task.contains("https://")));
        }
    }
}

#[test]
fn the_config_map_is_put_right_with_everything_else_in_it() {
    for id in ITEMS {
        let yaml = node("a", "True", "") + &config_map(&format!("maxPods: 9\n{BAD}"));
        let (after, remediation) = remedied(id, &yaml);
        assert_eq!(after, Unknown, "the node was not read");
        assert_eq!(remediation.documents[0].object["kind"], "KubeletConfiguration");
        let before = inventory(&yaml);
        let parameters = Parameters::default();
        let view = crate::workloads::View::new(&before, &parameters);
        let declared = crate::remedy::simulate(&view, &remediation.documents);
        assert!(declared.config_maps.seen[0].data["kubelet"].contains("maxPods: 9"));
        // Both at once are one document.
        let both = read("b", BAD) + &yaml;
        assert_eq!(remedied(id, &both).1.documents.len(), 1);
        let eks = both.replace("name: b, labels: {}", "name: b, labels: {eks.amazonaws.com/nodegroup: g}");
        assert_eq!(remedied(id, &eks).1.documents.len(), 2);
    }
}

#[test]
fn no_node_name_leaves_the_comment() {
    let name = "a\\nkind: Secret\\u2028x";
    let yaml = node(&format!("\"{name}\""), "True", "") + &configz(&format!("\"{name}\""), BAD);
    for id in ITEMS {
        let (after, remediation) = remedied(id, &yaml);
        assert_eq!(after, Pass);
        let document = &remediation.documents[0];
        assert!(!document.object.to_string().contains("Secret"));
        assert!(crate::remedy::comment(&document.comment).lines().all(|line| line.starts_with('#')));
    }
}
