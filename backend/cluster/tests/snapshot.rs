//! Snapshots as people have them: folders, archives and files of kubectl's output, broken ones among them.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use rampart_checklist::{Inventory, Kind};
use rampart_cluster::snapshot::{
    Content, Limits, Problem, ReadOptions, SnapshotError, SnapshotInput, inputs, read,
};
use rampart_shared::{Gap, GapReason};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn input(path: &Path) -> SnapshotInput {
    SnapshotInput { name: "test".to_owned(), content: Content::Folder(path.to_owned()) }
}

fn read_folder(files: &[(&str, &str)]) -> (Inventory, Vec<Problem>) {
    read(&input(folder(files).path()), &ReadOptions::default()).unwrap()
}

fn reasons(gaps: &[Gap]) -> Vec<GapReason> {
    gaps.iter().map(|gap| gap.reason).collect()
}

fn problem(problems: &[Problem]) -> String {
    let [problem] = problems else { panic!("one problem: {problems:?}") };
    problem.to_string()
}

const DEPLOYMENT: &str = "apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
spec:
  template:
    spec:
      containers:
      - name: web
        image: nginx
        securityContext:
          readOnlyRootFilesystem: yes
";

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
fn lists_of_every_form_give_the_same() {
    let items = "items:
- apiVersion: apps/v1
  kind: Deployment
  metadata: {name: web, namespace: shop}
  spec:
    template:
      spec:
        containers: [{name: web, image: nginx, securityContext: {readOnlyRootFilesystem: on}}]
- metadata: {name: db, namespace: shop}
  spec: {template: {spec: {containers: [{name: db, securityContext: {runAsUser: 010}}]}}}
  kind: StatefulSet
  apiVersion: apps/v1
- apiVersion: v1
  kind: Service
  metadata: {name: web}
";
    let (inventory, problems) = read_folder(&[("all.yaml", &format!("apiVersion: v1\n{items}kind: List\n"))]);
    assert_eq!(problems, []);
    assert_eq!(inventory.deployments.seen.len(), 1);
    let template = &inventory.deployments.seen[0].template;
    assert_eq!(template.containers[0].security_context.read_only_root_filesystem, Some(true));
    // kubectl reads 010 as octal.
    assert_eq!(inventory.stateful_sets.seen[0].template.containers[0].security_context.run_as_user, Some(8));

    let json = r#"{"apiVersion":"v1","kind":"PodList","items":[
        {"metadata":{"name":"a"},"spec":{}},
        {"metadata":{"name":"b"},"spec":{},"kind":"Pod","apiVersion":"v1"}]}"#;
    for name in ["list.json", "list.yaml"] {
        let (inventory, problems) = read_folder(&[(name, json)]);
        assert_eq!(problems, []);
        assert_eq!(inventory.pods.seen.len(), 2, "{name}");
    }
    let yaml = "kind: PodList\napiVersion: v1\nitems:\n- metadata: {name: a}\n  spec: {}\n";
    let (inventory, _) = read_folder(&[("list.yaml", yaml)]);
    assert_eq!(inventory.pods.seen.len(), 1);
}

#[test]
fn anchors_and_merge_keys_work() {
    let text = "apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  containers:
  - &first
    name: a
    securityContext: &strict {readOnlyRootFilesystem: true, runAsNonRoot: true}
  - <<: *first
    name: b
  - name: c
    securityContext: *strict
";
    let (inventory, problems) = read_folder(&[("pod.yaml", text)]);
    assert_eq!(problems, []);
    let read_only: Vec<(&str, Option<bool>)> = inventory.pods.seen[0]
        .spec
        .containers
        .iter()
        .map(|container| (container.name.as_str(), container.security_context.read_only_root_filesystem))
        .collect();
    assert_eq!(read_only, [("a", Some(true)), ("b", Some(true)), ("c", Some(true))]);
}

#[test]
fn an_alias_bomb_is_one_broken_document() {
    let mut bomb = String::from(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: bomb}\na0: &a0 [x, x, x, x, x, x, x, x, x]\n",
    );
    for level in 1..12 {
        let references = vec![format!("*a{}", level - 1); 9].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{references}]\n"));
    }
    let deep = format!("kind: Job\napiVersion: batch/v1\nspec: {}{}\n", "[".repeat(5000), "]".repeat(5000));
    let (inventory, problems) =
        read_folder(&[("bomb.yaml", &bomb), ("deep.yaml", &deep), ("web.yaml", DEPLOYMENT)]);
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert_eq!(inventory.deployments.seen.len(), 1);
    assert_eq!(reasons(&inventory.pods.gaps), [GapReason::Failed]);
    assert_eq!(reasons(&inventory.jobs.gaps), [GapReason::Failed]);
}

#[test]
fn a_broken_document_costs_its_kind() {
    let text = format!(
        "{DEPLOYMENT}---\n# next\napiVersion: batch/v1\nkind: Job\nmetadata:\n  name: [\n---\n{}",
        DEPLOYMENT.replace("name: web", "name: api")
    );
    let (inventory, problems) = read_folder(&[("sub/all.yaml", &text)]);
    assert_eq!(inventory.deployments.seen.len(), 2);
    assert!(inventory.deployments.is_complete());
    assert_eq!(reasons(&inventory.jobs.gaps), [GapReason::Failed]);
    let [gap] = inventory.jobs.gaps.as_slice() else { panic!() };
    assert!(gap.objects.is_empty());
    assert_eq!(gap.kind.as_str(), "jobs.batch");
    assert!(gap.detail.starts_with("sub/all.yaml:"), "{}", gap.detail);
    let [problem] = problems.as_slice() else { panic!("{problems:?}") };
    assert_eq!(problem.file, "sub/all.yaml");
    // The list that line 19 opens ends nowhere before the next document.
    assert!((18..=22).contains(&problem.line.unwrap()), "{problem}");
}

#[test]
fn a_document_whose_kind_cannot_be_read_costs_every_kind() {
    let template = "apiVersion: {{ .Values.version }}\nkind: {{ .Values.kind }}\nspec: {{- toYaml . }}\n";
    let (inventory, problems) = read_folder(&[("chart.yaml", template), ("web.yaml", DEPLOYMENT)]);
    assert_eq!(problems.len(), 1);
    for kind in Kind::ALL {
        assert!(reasons(inventory.gaps(kind)).contains(&GapReason::Failed), "{kind:?}");
    }
    assert_eq!(inventory.deployments.seen.len(), 1);
}

#[test]
fn a_wrong_field_costs_the_object_alone() {
    let bad = DEPLOYMENT.replace("readOnlyRootFilesystem: yes", "runAsUser: s3cret");
    let (inventory, problems) =
        read_folder(&[("bad.yaml", &bad), ("pod.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n")]);
    assert!(inventory.deployments.seen.is_empty());
    let [gap] = inventory.deployments.gaps.as_slice() else { panic!("{:?}", inventory.deployments.gaps) };
    assert_eq!((gap.reason, gap.objects.as_slice()), (GapReason::Failed, ["shop/web".to_owned()].as_slice()));
    assert_eq!(problem(&problems), "bad.yaml:13: a value is no i64");
    assert!(!format!("{gap:?}").contains("s3cret"));
}

#[test]
fn a_wrong_item_costs_itself_in_yaml_and_json() {
    let json = r#"{"apiVersion":"v1","kind":"List","items":[
{"apiVersion":"v1","kind":"Pod","metadata":{"name":"good"},"spec":{}},
{"apiVersion":"v1","kind":"Pod","metadata":{"name":"bad","namespace":"shop"},
 "spec":{"containers":[{"name":"x","securityContext":{"privileged":"s3cret"}}]}},
{"apiVersion":"v1","kind":"Pod","metadata":{"name":"also-good"},"spec":{}}]}"#;
    let yaml = "apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Pod, metadata: {name: good}, spec: {}}
- {apiVersion: v1, kind: Pod, metadata: {name: bad, namespace: shop}, spec: {containers: [{name: x, securityContext: {privileged: s3cret}}]}}
- {apiVersion: v1, kind: Pod, metadata: {name: also-good}, spec: {}}
";
    for (name, text, line) in
        [("pods.json", json, "pods.json:4: "), ("pods.yaml", yaml, "pods.yaml:1: items[1]: ")]
    {
        let (inventory, problems) = read_folder(&[(name, text)]);
        let names: Vec<&str> = inventory.pods.seen.iter().map(|pod| pod.meta.name.as_str()).collect();
        assert_eq!(names, ["good", "also-good"], "{name}");
        let [gap] = inventory.pods.gaps.as_slice() else { panic!("{name}: {:?}", inventory.pods.gaps) };
        assert_eq!(gap.objects, ["shop/bad"]);
        assert!(problem(&problems).starts_with(line), "{}", problem(&problems));
        assert!(!format!("{gap:?}{problems:?}").contains("s3cret"));
    }
}

#[test]
fn a_truncated_list_costs_the_kinds_that_it_names() {
    let text = r#"{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Pod","metadata":{"na"#;
    let (inventory, problems) = read_folder(&[("all.json", text), ("web.yaml", DEPLOYMENT)]);
    assert_eq!(reasons(&inventory.pods.gaps), [GapReason::Failed]);
    assert!(inventory.deployments.is_complete());
    assert_eq!(problem(&problems), "all.json:1: cut off within its JSON");
}

#[test]
fn what_no_server_takes_is_no_silent_nothing() {
    let old = DEPLOYMENT.replace("apps/v1", "extensions/v1beta1");
    let none = "kind: NetworkPolicy\nmetadata: {name: a}\n";
    let (inventory, problems) = read_folder(&[("old.yaml", &old), ("none.yaml", none)]);
    assert_eq!(reasons(&inventory.deployments.gaps), [GapReason::Failed]);
    assert_eq!(reasons(&inventory.network_policies.gaps), [GapReason::Failed]);
    assert_eq!(problems.len(), 2);
    assert!(problems[1].cause.contains("it should be apps/v1"), "{problems:?}");
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

#[test]
fn the_same_object_twice_counts_once() {
    let other = DEPLOYMENT.replace("readOnlyRootFilesystem: yes", "readOnlyRootFilesystem: false");
    let (inventory, problems) = read_folder(&[("a.yaml", DEPLOYMENT), ("b.yaml", DEPLOYMENT)]);
    assert_eq!(inventory.deployments.seen.len(), 1);
    assert_eq!((problems, inventory.deployments.gaps.len()), (vec![], 0));

    let (inventory, problems) = read_folder(&[("a.yaml", DEPLOYMENT), ("b.yaml", &other)]);
    assert_eq!(inventory.deployments.seen.len(), 1);
    let template = &inventory.deployments.seen[0].template;
    assert_eq!(template.containers[0].security_context.read_only_root_filesystem, Some(false));
    assert_eq!(inventory.deployments.gaps[0].objects, ["shop/web"]);
    assert!(problem(&problems).starts_with("b.yaml:1: Deployment shop/web is different in a.yaml:1"));
}

#[test]
fn what_is_no_manifest_is_left_alone() {
    let folder = folder(&[
        ("web.yaml", DEPLOYMENT),
        ("notes.txt", "kind: Pod\nspec: [\n"),
        ("_helpers.tpl", "{{ define }}"),
        (".git/config.yaml", "kind: Pod\nspec: [\n"),
        ("values.yaml", "replicas: 3\nimage: {}\n"),
        ("list.yaml", "- a\n- b\n"),
        ("text.yaml", "just words\n"),
        ("empty.yaml", ""),
        ("comments.yaml", "# nothing\n---\n# here\n"),
        ("kustomization.yaml", "resources: [web.yaml]\n"),
    ]);
    let (inventory, problems) = read(&input(folder.path()), &ReadOptions::default()).unwrap();
    assert_eq!(problems, []);
    assert_eq!(inventory.deployments.seen.len(), 1);
    assert!(inventory.deployments.is_complete());
}

#[test]
fn encodings_that_editors_and_shells_write() {
    let folder = folder(&[]);
    fs::write(folder.path().join("bom.yaml"), format!("\u{feff}{}", DEPLOYMENT.replace('\n', "\r\n")))
        .unwrap();
    let pod = "apiVersion: v1\r\nkind: Pod\r\nmetadata:\r\n  name: a\r\n";
    let wide: Vec<u8> =
        [0xff, 0xfe].into_iter().chain(pod.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    fs::write(folder.path().join("wide.yaml"), wide).unwrap();
    fs::write(
        folder.path().join("latin.yaml"),
        b"apiVersion: batch/v1\nkind: Job\nmetadata: {name: a\xe9}\n",
    )
    .unwrap();
    let (inventory, problems) = read(&input(folder.path()), &ReadOptions::default()).unwrap();
    assert_eq!((inventory.deployments.seen.len(), inventory.pods.seen.len()), (1, 1));
    assert_eq!(reasons(&inventory.jobs.gaps), [GapReason::Failed]);
    assert_eq!(problem(&problems), "latin.yaml: not UTF-8 text");
}

#[cfg(unix)]
#[test]
fn links_are_followed_within_the_folder_alone() {
    use std::os::unix::fs::symlink;
    let outside = folder(&[("secret.yaml", DEPLOYMENT)]);
    let mounted = folder(&[("..data_1/web.yaml", DEPLOYMENT)]);
    symlink(mounted.path().join("..data_1"), mounted.path().join("..data")).unwrap();
    symlink("..data/web.yaml", mounted.path().join("web.yaml")).unwrap();
    symlink(".", mounted.path().join("again")).unwrap();
    let (inventory, problems) = read(&input(mounted.path()), &ReadOptions::default()).unwrap();
    assert_eq!((inventory.deployments.seen.len(), problems.len()), (1, 0));

    symlink(outside.path().join("secret.yaml"), mounted.path().join("pods.yaml")).unwrap();
    let (inventory, problems) = read(&input(mounted.path()), &ReadOptions::default()).unwrap();
    assert!(problem(&problems).contains("link to outside"), "{problems:?}");
    assert_eq!(reasons(&inventory.pods.gaps), [GapReason::Failed]);
    assert!(inventory.deployments.is_complete());
}

fn archive(path: &Path, files: &[(&str, &str)]) {
    let gzip = flate2::write::GzEncoder::new(fs::File::create(path).unwrap(), flate2::Compression::default());
    let mut archive = tar::Builder::new(gzip);
    for (name, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, text.as_bytes()).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap();
}

#[test]
fn an_archive_is_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("prod.tar.gz");
    let configz = r#"{"kubeletconfig":{"readOnlyPort":0}}"#;
    archive(
        &path,
        &[
            ("./prod/web.yaml", DEPLOYMENT),
            ("./prod/._web.yaml", "kind: ["),
            ("./prod/configz/n1.json", configz),
            ("./prod/readme.md", "x"),
        ],
    );
    let [input] = inputs(std::slice::from_ref(&path), None).unwrap().try_into().unwrap();
    assert_eq!(input.name, "prod");
    let (inventory, problems) = read(&input, &ReadOptions::default()).unwrap();
    assert_eq!(problems, []);
    assert_eq!(inventory.deployments.seen.len(), 1);
    assert_eq!(inventory.kubelet_configurations.seen["n1"].read_only_port, Some(0));

    let small = ReadOptions { limits: Limits { file: 100, archive: 1 << 20 }, ..ReadOptions::default() };
    let (inventory, problems) = read(&input, &small).unwrap();
    assert!(problem(&problems).contains("prod/web.yaml: larger than 100 bytes"), "{problems:?}");
    assert!(inventory.deployments.seen.is_empty());
    assert!(reasons(&inventory.deployments.gaps).contains(&GapReason::Failed));

    let tiny = ReadOptions { limits: Limits { file: 100, archive: 200 }, ..ReadOptions::default() };
    assert!(matches!(read(&input, &tiny), Err(SnapshotError::TooLarge { .. })));

    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    assert!(matches!(read(&input, &ReadOptions::default()), Err(SnapshotError::Archive { .. })));
}

#[test]
fn a_bomb_of_zeros_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bomb.tgz");
    archive(&path, &[("a.yaml", &" ".repeat(4 << 20)), ("b.txt", &" ".repeat(4 << 20))]);
    let [input] = inputs(&[path], None).unwrap().try_into().unwrap();
    let options =
        ReadOptions { limits: Limits { file: 8 << 20, archive: 5 << 20 }, ..ReadOptions::default() };
    assert!(matches!(read(&input, &options), Err(SnapshotError::TooLarge { .. })));
}

#[test]
fn paths_are_grouped_into_clusters() {
    let root =
        folder(&[("a/prod/x.yaml", DEPLOYMENT), ("b/prod/x.yaml", DEPLOYMENT), ("one.yaml", DEPLOYMENT)]);
    let path = |name: &str| root.path().join(name);
    archive(&path("stage.tgz"), &[]);

    let found =
        inputs(&[path("one.yaml"), PathBuf::from("-"), path("stage.tgz"), path("a/prod")], None).unwrap();
    let names: Vec<&str> = found.iter().map(|input| input.name.as_str()).collect();
    assert_eq!(names, ["stage", "prod", "one"]);
    assert_eq!(found[2].content, Content::Files(vec![path("one.yaml"), PathBuf::from("-")]));

    let found = inputs(&[path("a/prod"), path("b/prod")], None).unwrap();
    assert_ne!(found[0].name, found[1].name);
    assert_eq!(inputs(&[PathBuf::from("-")], None).unwrap()[0].name, "stdin");
    assert_eq!(inputs(&[path("a/prod")], Some("mine")).unwrap()[0].name, "mine");

    let refused = |paths: &[PathBuf], name: Option<&str>| inputs(paths, name).unwrap_err().to_string();
    assert!(refused(&[path("a/prod"), path("b/prod")], Some("x")).contains("--name x names one cluster"));
    assert!(refused(&[path("nowhere")], None).contains("does not exist"));
    assert!(refused(&[path("one.yaml"), path("a/../one.yaml")], None).contains("twice"));
}

#[test]
fn nothing_to_evaluate_is_an_error_that_says_what_to_add() {
    let refused = |files: &[(&str, &str)]| {
        let folder = folder(files);
        read(&input(folder.path()), &ReadOptions::default()).unwrap_err()
    };
    assert!(matches!(refused(&[]), SnapshotError::NoFiles { .. }));
    assert!(matches!(refused(&[("a.txt", "x")]), SnapshotError::NoFiles { .. }));
    let error = refused(&[("values.yaml", "a: 1\n")]);
    assert!(matches!(error, SnapshotError::NoObjects { .. }));
    assert!(error.to_string().contains("kubectl get pods -A -o yaml > pods.yaml"));
}

#[test]
fn single_files_are_one_cluster() {
    let root =
        folder(&[("web.yaml", DEPLOYMENT), ("configz/n1.json", r#"{"kubeletconfig":{"readOnlyPort":0}}"#)]);
    let paths = [root.path().join("web.yaml"), root.path().join("configz/n1.json")];
    let [input] = inputs(&paths, None).unwrap().try_into().unwrap();
    let (inventory, problems) = read(&input, &ReadOptions::default()).unwrap();
    assert_eq!(problems, []);
    assert_eq!(inventory.deployments.seen.len(), 1);
    assert!(inventory.kubelet_configurations.seen.contains_key("n1"));
}
