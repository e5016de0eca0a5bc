//! Documents and lists, broken ones among them.

use crate::{DEPLOYMENT, problem, read_folder, reasons};
use rampart_checklist::Kind;
use rampart_shared::GapReason;

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
    assert_eq!(problem(&problems), "bad.yaml:13: another form than the API gives it");
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
