use super::*;
use crate::inventory::{ApiServerFlags, ApiServerMetrics};
use crate::testing::{
    assert_findings, assert_remedied, evaluated, forbid, inventory, remedied_outcome as outcome,
    remedied_result as result,
};

use crate::Parameters;
use rampart_shared::Outcome::{Fail, Pass, Unknown};
use rampart_shared::{Outcome, Remediation};

const ID: ItemId = ItemId::KubeletNodeRestriction;
const GOOD: &str = "--enable-admission-plugins=NodeRestriction --authorization-mode=Node,RBAC";
const PATH: &str = "spec.containers[name=kube-apiserver].command";

fn pod(name: &str, arguments: &str) -> String {
    let words: Vec<String> = arguments.split_whitespace().map(|word| format!("{word:?}")).collect();
    format!(
        "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: kube-system, labels: {{component: kube-apiserver}}}}\n\
         spec:\n  containers:\n  - name: kube-apiserver\n    command: [kube-apiserver, {}]\n",
        words.join(", ")
    )
}

fn k3s(args: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Node\nmetadata:\n  name: server\n  labels: {{node-role.kubernetes.io/control-plane: 'true'}}\n  \
         annotations: {{k3s.io/node-args: '{args}'}}\nspec: {{providerID: 'k3s://server'}}\n"
    )
}

#[test]
fn good_forms_hold() {
    for arguments in [
        GOOD,
        "--enable-admission-plugins=A --enable-admission-plugins=NodeRestriction,B --authorization-mode Node --authorization-mode RBAC",
        "--admission-control=NodeRestriction --authorization-mode=RBAC,Node",
    ] {
        assert_findings(ID, &pod("a", arguments), Pass, &[]);
    }
}

#[test]
fn each_missing_part_is_a_violation() {
    for (arguments, finding) in [
        ("--authorization-mode=Node", "[--enable-admission-plugins]: unset"),
        (
            "--authorization-mode=Node --enable-admission-plugins=NoNodeRestriction",
            "[--enable-admission-plugins]: NoNodeRestriction",
        ),
        ("--enable-admission-plugins=NodeRestriction", "[--authorization-mode]: unset"),
        (
            "--enable-admission-plugins=NodeRestriction --authorization-mode=RBAC",
            "[--authorization-mode]: RBAC",
        ),
        (
            &format!("{GOOD} --disable-admission-plugins=X,NodeRestriction"),
            "[--disable-admission-plugins]: X,NodeRestriction",
        ),
    ] {
        assert_findings(ID, &pod("a", arguments), Fail, &[&format!("a {PATH}{finding}")]);
    }
}

#[test]
fn one_bad_api_server_fails_all() {
    let yaml = pod("a", GOOD) + &pod("b", "--authorization-mode=Node");
    assert_findings(ID, &yaml, Fail, &[&format!("b {PATH}[--enable-admission-plugins]: unset")]);
}

#[test]
fn an_authorization_file_is_a_gap_and_hides_no_missing_plugin() {
    let file = "--authorization-config=/etc/authorization.yaml";
    assert_eq!(
        outcome(ID, &pod("a", &format!("--enable-admission-plugins=NodeRestriction {file}"))),
        Unknown
    );
    assert_eq!(outcome(ID, &pod("a", file)), Fail);
}

#[test]
fn what_is_not_seen_is_a_gap() {
    assert_eq!(outcome(ID, ""), Unknown, "no API server is seen");
    let shell = pod("a", GOOD)
        .replace("command: [kube-apiserver, ", "command: [sh, -c, \"exec kube-apiserver $FLAGS\", ");
    assert_eq!(outcome(ID, &shell), Unknown);
    let gke =
        "apiVersion: v1\nkind: Node\nmetadata: {name: node-1, labels: {cloud.google.com/gke-nodepool: p}}\n";
    assert_eq!(outcome(ID, gke), Unknown);
    let mut refused = inventory(&pod("a", GOOD));
    forbid(&mut refused, Kind::Pods);
    assert_eq!(result(ID, &refused).outcome(), Unknown);
}

#[test]
fn flagz_and_metrics_speak_for_the_api_server_that_answered() {
    let told = |yaml: &str, flags: &[(&str, &str)], plugins: &[&str], authorizers: &[&str]| {
        let mut inventory = inventory(yaml);
        let map = flags.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        inventory.api_server_flags.seen = (!flags.is_empty()).then_some(ApiServerFlags { flags: map });
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        inventory.api_server_metrics.seen = Some(ApiServerMetrics {
            admission_plugins: set(plugins),
            authorizers: set(authorizers),
            ..ApiServerMetrics::default()
        });
        result(ID, &inventory).outcome()
    };
    let node = "apiVersion: v1\nkind: Node\nmetadata: {name: n1, labels: {node-role.kubernetes.io/control-plane: ''}}\n";
    let two = format!("{node}---\n{}", node.replace("n1", "n2"));
    let good = [(ENABLE, "[NodeRestriction]"), (MODE, "[Node,RBAC]")];
    let file = [(ENABLE, "[NodeRestriction]"), (AUTHORIZATION_CONFIG, "/a.yaml")];
    assert_eq!(told(node, &good, &[], &[]), Pass);
    assert_eq!(told(&two, &good, &[], &[]), Unknown, "one answer is one replica");
    assert_eq!(told("", &good, &[], &[]), Unknown);
    assert_eq!(told(&two, &[(ENABLE, "[A]"), (MODE, "[Node]")], &[], &[]), Fail);
    assert_eq!(told(node, &file, &[], &["Node"]), Pass);
    assert_eq!(told(node, &file, &[], &["RBAC"]), Unknown);
    assert_eq!(told(node, &[], &[PLUGIN], &["Node"]), Pass);
    assert_eq!(told(node, &[], &[PLUGIN], &[]), Unknown, "an absent series says nothing");
    assert_eq!(told(&two, &[], &[PLUGIN], &["Node"]), Unknown);
    let config = pod("a", "--enable-admission-plugins=NodeRestriction --authorization-config=/a.yaml");
    assert_eq!(told(&config, &[], &[], &["Node"]), Pass);
    assert_eq!(told(&(config.clone() + &config.replace("name: a", "name: b")), &[], &[], &["Node"]), Unknown);
    let script = pod("a", "")
        .replace("command: [kube-apiserver, ]", "command: [sh, -c, 'exec kube-apiserver $FLAGS']");
    assert_eq!(told(&script, &good, &[], &[]), Pass);
}

#[test]
fn eks_documents_the_plugin() {
    let node =
        "apiVersion: v1\nkind: Node\nmetadata: {name: node-1, labels: {eks.amazonaws.com/nodegroup: g}}\n";
    let result = result(ID, &inventory(node));
    assert_eq!((result.outcome(), result.basis()), (Pass, Some(Basis::Provider)));
    assert!(result.evidence().notes[0].contains(EKS_DOCUMENTATION));
}

#[test]
fn k3s_holds_unless_its_arguments_take_it_away() {
    let good = result(ID, &inventory(&k3s(r#"["server"]"#)));
    assert_eq!((good.outcome(), good.basis()), (Pass, Some(Basis::Declared)));
    let of = |value: &str| outcome(ID, &k3s(&format!(r#"["server","--kube-apiserver-arg","{value}"]"#)));
    assert_eq!(of("enable-admission-plugins=PodNodeSelector"), Fail);
    assert_eq!(of("enable-admission-plugins=PodNodeSelector,NodeRestriction"), Pass);
    assert_eq!(of("enable-admission-plugins+=PodNodeSelector"), Pass);
    assert_eq!(of("disable-admission-plugins=NodeRestriction"), Fail);
    assert_eq!(of("authorization-mode=RBAC"), Fail);
    assert_eq!(of("authorization-config=/a.yaml"), Unknown);
    assert_eq!(of("audit-log-path=/a"), Pass);
    assert_eq!(outcome(ID, &k3s(r#"["agent"]"#)), Unknown, "a server that does not say how it was started");
    let mut partial = inventory(&k3s(r#"["server"]"#));
    let gap = Gap::new("nodes", GapReason::Failed, "time-out");
    partial.add_gap(Kind::Nodes, gap);
    assert_eq!(result(ID, &partial).outcome(), Unknown);
}

/// The remedy, which is proved, and how the item comes out then.
#[track_caller]
fn remedied(yaml: &str) -> (Outcome, Remediation) {
    let inventory = inventory(yaml);
    let after = assert_remedied(ID, &inventory, &Parameters::default());
    (after, evaluated(ID, &inventory, &Parameters::default()).remediation)
}

#[test]
fn the_remedy_keeps_every_other_plugin_and_mode() {
    let before = "--enable-admission-plugins=PodNodeSelector --disable-admission-plugins=NodeRestriction,X \
                  --authorization-mode=AlwaysAllow,Webhook --other=1";
    let (after, remediation) = remedied(&pod("a", before));
    let [document] = &remediation.documents[..] else { panic!("{remediation:#?}") };
    assert_eq!(after, Pass);
    assert_eq!(
        document.object["apiServer"]["extraArgs"],
        serde_json::json!([
            { "name": ENABLE, "value": "PodNodeSelector,NodeRestriction" },
            { "name": DISABLE, "value": "X" },
            { "name": MODE, "value": "Node,Webhook" },
        ])
    );
    let former = "Before: --enable-admission-plugins=PodNodeSelector --disable-admission-plugins=NodeRestriction,X \
                  --authorization-mode=AlwaysAllow,Webhook\n";
    assert!(document.comment.contains(former), "{}", document.comment);
    assert!(document.undo.is_none());
}

#[test]
fn a_list_of_which_nothing_is_left_goes() {
    let (after, remediation) =
        remedied(&pod("a", &format!("{GOOD} --disable-admission-plugins=NodeRestriction")));
    let [document] = &remediation.documents[..] else { panic!("{remediation:#?}") };
    assert_eq!(after, Pass);
    assert_eq!(
        document.object["spec"]["containers"][0]["$deleteFromPrimitiveList/command"],
        serde_json::json!(["--disable-admission-plugins=NodeRestriction"])
    );
}

#[test]
fn an_api_server_that_differs_from_the_others_is_patched_alone() {
    let (after, remediation) = remedied(
        &(pod("a", &format!("{GOOD},Webhook"))
            + &pod("b", "--enable-admission-plugins=X --authorization-mode=RBAC")),
    );
    assert_eq!(after, Pass);
    let [document] = &remediation.documents[..] else { panic!("{remediation:#?}") };
    let container = &document.object["spec"]["containers"][0];
    assert_eq!(
        container["args"],
        serde_json::json!(["--enable-admission-plugins=X,NodeRestriction", "--authorization-mode=Node,RBAC"])
    );
    assert_eq!(
        container["$deleteFromPrimitiveList/command"],
        serde_json::json!(["--authorization-mode=RBAC", "--enable-admission-plugins=X"])
    );
    assert!(document.comment.starts_with("For kube-system/b."), "{}", document.comment);
}

#[test]
fn k3s_and_rke2_add_what_is_missing_and_leave_what_has_to_go() {
    let of = |value: &str| remedied(&k3s(&format!(r#"["server","--kube-apiserver-arg","{value}"]"#)));
    for (value, added) in [
        ("enable-admission-plugins=PodNodeSelector", "enable-admission-plugins=NodeRestriction"),
        ("authorization-mode=RBAC", "authorization-mode=Node"),
        ("authorization-mode=", "authorization-mode=Node,RBAC"),
    ] {
        let (after, remediation) = of(value);
        assert_eq!(after, Pass);
        assert_eq!(remediation.documents[0].object, serde_json::json!({ "kube-apiserver-arg+": [added] }));
        assert!(remediation.documents[0].comment.contains("/etc/rancher/k3s/config.yaml.d"));
    }
    for value in ["disable-admission-plugins=NodeRestriction", "authorization-mode=AlwaysAllow"] {
        let (after, remediation) = of(value);
        assert_eq!((after, remediation.documents.len(), remediation.remaining.len()), (Fail, 0, 1));
    }
    let rke2 =
        "---\napiVersion: v1\nkind: Node\nmetadata: {name: node-1}\nspec: {providerID: 'rke2://node-1'}\n";
    let (after, remediation) = remedied(&(pod("a", "--authorization-mode=RBAC") + rke2));
    assert_eq!(after, Pass);
    assert_eq!(
        remediation.documents[0].object,
        serde_json::json!({ "kube-apiserver-arg+": ["authorization-mode=Node", "enable-admission-plugins=NodeRestriction"] })
    );
}

#[test]
fn a_provider_or_a_script_is_left_to_a_person() {
    let script = pod("a", "")
        .replace("[kube-apiserver, ]", "[sh, -c, 'exec kube-apiserver --authorization-mode=RBAC']");
    let kops =
        "---\napiVersion: v1\nkind: Node\nmetadata: {name: node-1, labels: {kops.k8s.io/instancegroup: g}}\n";
    for (yaml, words) in [(script, "script"), (pod("a", "") + kops, "https://kops.sigs.k8s.io/")] {
        let (after, remediation) = remedied(&yaml);
        assert_eq!((after, remediation.documents.len()), (Fail, 0), "{words}");
        assert!(remediation.remaining[0].task.contains(words));
    }
}
