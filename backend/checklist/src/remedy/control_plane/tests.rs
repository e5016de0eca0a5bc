use super::*;
use crate::inventory::{Component, Kind, Object};
use crate::remedy::merge;
use rampart_shared::RemediationDocument;
use serde_json::json;

fn pod(name: &str, command: &[&str], args: &[&str]) -> Pod {
    let object = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": { "name": name, "namespace": "kube-system", "labels": { "component": "kube-apiserver" } },
        "spec": { "containers": [{ "name": "kube-apiserver", "command": command, "args": args }] },
    });
    match Object::deserialize(Kind::Pods, "v1", object).unwrap() {
        Object::Pod(pod) => pod,
        other => panic!("{other:?}"),
    }
}

fn changes<'a>(pod: &'a Pod, set: &[NewFlag], removed: &[&'static str]) -> FlagChanges<'a> {
    let flags = Flags::of_pod(Component::ApiServer, pod).unwrap();
    FlagChanges { pod: Some(pod), flags, set: set.to_vec(), removed: removed.to_vec() }
}

fn documents(instances: &[FlagChanges<'_>]) -> Vec<RemediationDocument> {
    kubeadm_documents(Component::ApiServer, instances, &[])
}

#[test]
fn a_flag_is_found_whole_with_its_value_wherever_it_stands() {
    let split = |words: &[&str], flag: &str| {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let (kept, gone) = without_flag(&words, flag);
        (kept.join(" "), gone.join(" "))
    };
    for (words, kept, gone) in [
        (&["p", "--a=1", "--ab=2", "--a=3"][..], "p --ab=2", "--a=1 --a=3"),
        (&["p", "--a", "1", "--b"], "p --b", "--a 1"),
        (&["p", "--a", "--b"], "p --b", "--a"),
        (&["p", "-a=1", "x"], "p x", "-a=1"),
        (&["p", "a=1"], "p a=1", ""),
    ] {
        assert_eq!(split(words, "a"), (kept.to_owned(), gone.to_owned()), "{words:?}");
    }
}

#[test]
fn what_all_come_to_is_said_once_and_what_differs_in_a_patch() {
    let (a, b) = (
        pod("a", &["kube-apiserver", "--x=1"], &[]),
        pod("b", &["kube-apiserver", "--y=2"], &["--z", "--x=0"]),
    );
    let all = documents(&[changes(&a, &[], &[]), changes(&b, &[flag("x", "1"), flag("y", "3")], &[])]);
    let [shared, patch] = &all[..] else { panic!("{all:#?}") };
    assert_eq!(shared.object["apiServer"]["extraArgs"], json!([{ "name": "x", "value": "1" }]));
    assert!(shared.comment.starts_with("For kube-system/b.\nBefore: --x=0 --y=2\n"), "{}", shared.comment);
    assert_eq!(
        patch.object["spec"]["containers"],
        json!([{ "name": "kube-apiserver", "$deleteFromPrimitiveList/command": ["--y=2"], "args": ["--z", "--y=3"] }])
    );
    assert_eq!(patch.object["metadata"]["annotations"], json!({ PATCHED_POD: "kube-system/b" }));
}

#[test]
fn a_choice_points_at_its_own_field_in_every_form() {
    let chosen = || [flag("x", "1"), ("y", FlagValue::Chosen("q"))];
    let (a, b) = (pod("a", &["kube-apiserver"], &[]), pod("b", &["kube-apiserver"], &["--z"]));
    let shared = documents(&[changes(&a, &chosen(), &[])]);
    let patch = documents(&[changes(&a, &[], &[]), changes(&b, &chosen(), &[])]);
    let servers = ["s".to_owned()];
    let added = rancher_document(
        rampart_shared::RemediationTarget::ControlPlane,
        "k3s",
        "kube-apiserver-arg",
        &servers,
        &chosen(),
    );
    for (document, field) in [(&shared[0], "answer"), (&patch[0], "--y=answer"), (&added, "y=answer")] {
        let object =
            crate::remedy::chosen(document, &[], |name| (name == "q").then(|| "answer".to_owned())).unwrap();
        assert_eq!(object.pointer(&document.choices[0].pointer).unwrap(), field);
        assert!(!document.object.to_string().contains("answer"));
    }
}

#[test]
fn words_go_from_both_lists_and_twice_is_once() {
    let a = pod("a", &["kube-apiserver", "--t=1", "--u=2"], &["--t", "3"]);
    let [document] = &documents(&[changes(&a, &[], &["t"])])[..] else { panic!() };
    let container = &document.object["spec"]["containers"][0];
    assert_eq!(container["$deleteFromPrimitiveList/command"], json!(["--t=1"]));
    assert_eq!(container["$deleteFromPrimitiveList/args"], json!(["--t", "3"]));
    let mut twice = document.object.clone();
    merge(&mut twice, &document.object);
    assert_eq!(twice, document.object);
}

#[test]
fn credentials_and_hostile_names_stay_out_of_what_is_written() {
    let name = "a\nkind: Secret\u{2028}---";
    let hostile = pod(name, &["kube-apiserver", "--etcd-servers=http://user:hunter2@h:1"], &[]);
    let other = pod("b", &["kube-apiserver"], &[]);
    let all = documents(&[
        changes(&hostile, &[flag("etcd-servers", "https://h:1")], &[]),
        changes(&other, &[], &[]),
    ]);
    let [document] = &all[..] else { panic!("{all:#?}") };
    assert!(!format!("{document:?}").contains("hunter2"), "{document:?}");
    assert!(crate::remedy::comment(&document.comment).lines().all(|line| line.starts_with('#')));
    let text = crate::remedy::yaml(&document.object);
    let back: serde_json::Value = serde_saphyr::from_str(&text).unwrap();
    assert_eq!(back["metadata"]["annotations"][PATCHED_POD], format!("kube-system/{name}"));
}

#[test]
fn a_user_before_a_host_is_a_credential() {
    for (value, expected) in [
        ("http://u:p@h:1", true),
        ("/events#https://h:1;http://u@h", true),
        ("https://h:1,unix:///run/s@x", false),
        ("a@b", false),
    ] {
        assert_eq!(holds_credential(value), expected, "{value}");
    }
}

#[test]
fn every_distribution_has_a_form_or_a_step() {
    use crate::distribution::Distribution::*;
    for distribution in
        [Eks, Gke, Aks, OpenShift, K3s, Rke2, Kind, Minikube, Kops, Talos, MicroK8s, Kubeadm, Unrecognised]
    {
        let steps = [control_plane_step(distribution), kubelet_step(distribution)];
        assert!(steps.into_iter().flatten().all(|step| step.contains("https://")));
        let has_form = matches!(distribution, K3s | Rke2 | Kind | Minikube | Kubeadm | Unrecognised);
        assert_eq!(steps[0].is_none(), has_form, "{distribution}");
        assert_eq!(steps[1].is_none(), has_form || distribution == Eks, "{distribution}");
    }
}
