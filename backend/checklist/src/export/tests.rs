use super::plan::check_choices;
use super::*;
use crate::remedy::document;
use rampart_shared::{
    ChosenField, FieldConflict, Fingerprint, Remainder, Remediation, RemediationDocument, RemediationInput,
    RemediationTarget, api::ExportFormat,
};
use serde_json::{Value, json};

fn deployment(name: &str, container: &Value) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": name, "namespace": "shop" },
        "spec": { "template": { "spec": { "containers": [container] } } },
    })
}

fn policy(namespace: &str) -> Value {
    json!({ "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": { "name": "default-deny", "namespace": namespace } })
}

fn remediation(item: ItemId, documents: Vec<RemediationDocument>) -> Remediation {
    Remediation { documents, ..Remediation::new(item, "It changes.", "It breaks.", "It undoes.") }
}

/// Two items about one Deployment, one with a choice; new objects; settings of nodes and control plane.
fn remediations() -> Vec<Remediation> {
    use RemediationTarget::{Apply, ControlPlane, NewObject, Node};
    let root =
        deployment("cart", &json!({ "name": "a", "securityContext": { "readOnlyRootFilesystem": true } }));
    let user = deployment("cart", &json!({ "name": "a", "securityContext": { "runAsNonRoot": true } }));
    let mut root = document(Apply, "Deployment shop/cart: a", &root);
    root.conflicts = vec![FieldConflict { path: "spec.x".into(), manager: "helm".into() }];
    let mut user = document(Apply, "Deployment shop/cart: a", &user);
    user.undo = Some(deployment("cart", &json!({ "name": "a", "securityContext": { "runAsUser": 0 } })));
    let registry = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "registries" }, "data": { "allow": "" } });
    let mut registry = document(NewObject, "The registries", &registry);
    registry.choices =
        vec![ChosenField { pointer: "/data/allow".into(), input: "registry".into(), template: "{}/".into() }];
    let mut trusted = remediation(ItemId::TrustedRegistries, vec![registry]);
    trusted.inputs = vec![RemediationInput {
        name: "registry".into(),
        label: "Which registry?".into(),
        help: String::new(),
        default: None,
        example: "ghcr.io/acme".into(),
        options: Vec::new(),
    }];
    let argument = |name: &str| {
        json!({ "apiVersion": "kubeadm.k8s.io/v1beta4", "kind": "ClusterConfiguration",
        "apiServer": { "extraArgs": [{ "name": name, "value": "x" }] } })
    };
    let mut non_root =
        remediation(ItemId::NonRootContainers, vec![user, document(NewObject, "Deny", &policy("shop"))]);
    non_root.remaining =
        vec![Remainder { task: "Choose a user.".into(), findings: vec![Fingerprint("f".into())] }];
    vec![
        remediation(ItemId::ReadOnlyRootFilesystem, vec![root]),
        non_root,
        remediation(
            ItemId::DefaultDeny,
            vec![document(NewObject, "Deny", &policy("shop")), document(NewObject, "Deny", &policy("web"))],
        ),
        trusted,
        remediation(
            ItemId::KubeletReadOnlyPort,
            vec![document(
                Node,
                "Nodes",
                &json!({ "kind": "KubeletConfiguration", "apiVersion": "kubelet.config.k8s.io/v1beta1", "readOnlyPort": 0 }),
            )],
        ),
        remediation(ItemId::EtcdTls, vec![document(ControlPlane, "One", &argument("a"))]),
        remediation(ItemId::KubeletNodeRestriction, vec![document(ControlPlane, "Two", &argument("b"))]),
    ]
}

fn plan(selection: &Selection) -> Plan {
    Plan::new("prod", &remediations(), selection)
}

fn documents(yaml: &str) -> Vec<Value> {
    serde_saphyr::from_multiple::<Value>(yaml)
        .unwrap()
        .into_iter()
        .filter(|document| !document.is_null())
        .collect()
}

fn named(plan: &Plan) -> Vec<String> {
    documents(&yaml(plan, usize::MAX))
        .iter()
        .map(|document| {
            let metadata = &document["metadata"];
            let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
            format!(
                "{} {}/{}",
                text(&document["kind"]),
                text(&metadata["namespace"]),
                text(&metadata["name"])
            )
        })
        .collect()
}

fn choosing(name: &str, answer: &str) -> Selection {
    Selection { choices: BTreeMap::from([(name.to_owned(), answer.to_owned())]), ..Selection::default() }
}

#[test]
fn what_items_do_to_one_object_is_one_document() {
    let plan = plan(&Selection::default());
    assert_eq!(
        named(&plan),
        ["NetworkPolicy shop/default-deny", "NetworkPolicy web/default-deny", "Deployment shop/cart"]
    );
    let text = yaml(&plan, usize::MAX);
    let deployment = documents(&text).pop().unwrap();
    assert_eq!(
        deployment["spec"]["template"]["spec"]["containers"],
        json!([{ "name": "a", "securityContext": { "readOnlyRootFilesystem": true, "runAsNonRoot": true } }])
    );
    let undo = documents(&stream::undo(&plan).unwrap());
    assert_eq!(undo.len(), 1);
    assert_eq!(
        undo[0]["spec"]["template"]["spec"]["containers"][0]["securityContext"],
        json!({ "runAsUser": 0 })
    );
    let deleted = documents(&stream::undo_delete(&plan).unwrap());
    assert_eq!(
        deleted.iter().map(|object| object["metadata"]["namespace"].as_str().unwrap()).collect::<Vec<_>>(),
        ["web", "shop"]
    );
    for words in [
        "kubectl apply --server-side --field-manager=rampart-remediation -f FILE",
        "Deployment shop/cart: spec.x, owned by helm",
        "--force-conflicts takes exactly these fields over",
        "GitOps sync",
        "# Item non-root-containers:\n#   Changes: It changes.\n#   May break: It breaks.\n#   Undo: It undoes.",
        "- Which registry? (choice registry, such as ghcr.io/acme): ConfigMap registries",
        "- non-root-containers, 1 finding: Choose a user.",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[test]
fn what_kubectl_does_not_take_is_a_comment_at_the_end() {
    let text = yaml(&plan(&Selection::default()), usize::MAX);
    let (_, end) = text.split_once("# ---- A setting of nodes").unwrap();
    assert!(end.lines().skip(1).all(|line| line.starts_with('#')), "{end}");
    assert!(end.contains("\n# readOnlyPort: 0\n"), "{end}");
    assert_eq!(end.matches("kind: ClusterConfiguration").count(), 1, "{end}");
    assert!(end.contains("name: a\n") && end.contains("name: b\n") && end.contains("etcd-tls: One"), "{end}");
    let only = Selection { items: BTreeSet::from([ItemId::EtcdTls]), ..Selection::default() };
    assert_eq!(named(&plan(&only)), [""; 0]);
    assert!(yaml(&plan(&only), usize::MAX).contains("nothing here for kubectl"));
}

#[test]
fn a_selection_takes_items_namespaces_objects_and_choices() {
    let of = |selection: Selection| named(&plan(&selection));
    let items = BTreeSet::from([ItemId::ReadOnlyRootFilesystem]);
    assert_eq!(of(Selection { items, ..Selection::default() }), ["Deployment shop/cart"]);
    let namespaces = BTreeSet::from(["web".to_owned()]);
    assert_eq!(of(Selection { namespaces, ..Selection::default() }), ["NetworkPolicy web/default-deny"]);
    let subject = |kind: &str, namespace: Option<&str>, name: &str| Subject {
        api_version: "v1".into(),
        kind: kind.into(),
        namespace: namespace.map(str::to_owned),
        name: name.into(),
    };
    let subjects =
        |subject: Subject| Selection { subjects: BTreeSet::from([subject]), ..choosing("registry", "a") };
    assert_eq!(
        of(subjects(subject("Deployment", Some("shop"), "cart"))),
        ["ConfigMap -/registries", "NetworkPolicy shop/default-deny", "Deployment shop/cart"]
    );
    assert_eq!(
        of(subjects(subject("Namespace", None, "web"))),
        ["ConfigMap -/registries", "NetworkPolicy web/default-deny"]
    );
    assert!(
        plan(&Selection { stage: RemediationStage::Observe, ..Selection::default() })
            .items()
            .next()
            .is_none()
    );
    let chosen = yaml(&plan(&choosing("registry", "x\n---\nkind: Secret")), usize::MAX);
    assert!(
        documents(&chosen).iter().any(|document| document["data"]["allow"] == "x\n---\nkind: Secret/"),
        "{chosen}"
    );
    assert_eq!(plan(&Selection::default()).waiting().collect::<Vec<_>>(), ["registry"]);
}

#[test]
fn choices_are_those_that_are_asked_for() {
    let mut remediations = remediations();
    let check = |remediations: &[Remediation], selection: &Selection| {
        check_choices(selection, remediations).map_err(|error| error.to_string())
    };
    assert_eq!(check(&remediations, &choosing("registry", "x")), Ok(()));
    let unknown = "nothing that was picked asks for the choice `x`: there are registry";
    assert_eq!(check(&remediations, &choosing("x", "x")), Err(unknown.to_owned()));
    remediations[3].inputs[0].options = vec!["a".into(), "b".into()];
    assert_eq!(
        check(&remediations, &choosing("registry", "x")),
        Err("`x` is no answer to the choice `registry`: write a, b".to_owned())
    );
    let other = Selection { items: BTreeSet::from([ItemId::EtcdTls]), ..choosing("registry", "a") };
    assert!(check(&remediations, &other).unwrap_err().ends_with("`registry`"));
}

#[test]
fn a_bundle_has_a_file_for_each_object_and_names_each_once() {
    let files = files(&plan(&Selection::default()), ExportFormat::Kustomize);
    let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "README.md",
            "control-plane/clusterconfiguration.yaml",
            "kustomization.yaml",
            "namespaces/shop/deployment-cart.yaml",
            "namespaces/shop/kustomization.yaml",
            "namespaces/shop/networkpolicy-default-deny.yaml",
            "namespaces/web/kustomization.yaml",
            "namespaces/web/networkpolicy-default-deny.yaml",
            "nodes/kubeletconfiguration.yaml",
            "undo/undo-delete.yaml",
            "undo/undo.yaml",
        ]
    );
    assert_eq!(documents(&files[2].content)[0]["resources"], json!(["namespaces/shop", "namespaces/web"]));
    assert_eq!(
        documents(&files[4].content)[0]["resources"],
        json!(["deployment-cart.yaml", "networkpolicy-default-deny.yaml"])
    );
    assert!(
        files[0]
            .content
            .contains("    kubectl apply --server-side --field-manager=rampart-remediation -k .\n")
    );
}

#[test]
fn a_component_patches_what_is_there_and_adds_what_is_new() {
    let files = files(&plan(&Selection::default()), ExportFormat::Component);
    let component =
        documents(&files.iter().find(|file| file.path == "kustomization.yaml").unwrap().content).remove(0);
    assert_eq!(
        (&component["kind"], &component["apiVersion"]),
        (&json!("Component"), &json!("kustomize.config.k8s.io/v1alpha1"))
    );
    assert_eq!(component["patches"], json!([{ "path": "patches/namespaces/shop/deployment-cart.yaml" }]));
    assert_eq!(component["resources"].as_array().unwrap().len(), 2);
    for path in component["resources"].as_array().unwrap() {
        assert!(files.iter().any(|file| file.path == path.as_str().unwrap()), "{path}");
    }
}

#[test]
fn the_same_input_gives_the_same_bytes_and_each_cluster_a_folder() {
    let mut turned = remediations();
    turned.reverse();
    let selection = Selection::default();
    for format in [ExportFormat::Yaml, ExportFormat::Undo, ExportFormat::Kustomize, ExportFormat::Component] {
        let one = files(&plan(&selection), format);
        assert_eq!(one, files(&plan(&selection), format));
        let paths = |files: &[ExportFile]| files.iter().map(|file| file.path.clone()).collect::<Vec<_>>();
        assert_eq!(paths(&one), paths(&files(&Plan::new("prod", &turned, &selection), format)));
        let plans = [plan(&selection), Plan::new("../Prod", &remediations(), &selection)];
        let fleet = fleet(&plans, format);
        assert_eq!(fleet.len(), 2 * one.len());
        assert!(fleet.iter().all(|file| !file.path.contains("..") && !file.path.starts_with('/')));
    }
}

#[test]
fn names_that_look_like_yaml_or_markdown_stay_names() {
    let name = "a\n---\nkind: Secret # [x](y) <b>";
    let object = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name, "namespace": "../../etc" } });
    let remediations =
        [remediation(ItemId::DefaultDeny, vec![document(RemediationTarget::Apply, name, &object)])];
    let plan = Plan::new("prod\nkind: Secret\n", &remediations, &Selection::default());
    let text = yaml(&plan, usize::MAX);
    assert_eq!(documents(&text), [object]);
    for file in files(&plan, ExportFormat::Kustomize) {
        assert!(!file.path.contains(".."), "{}", file.path);
        assert!(!file.content.contains("\n---\nkind"), "{}", file.content);
        assert!(file.path != "README.md" || !file.content.contains("kind: Secret\n"), "{}", file.content);
    }
}

#[test]
fn patches_of_one_pod_come_together_and_of_others_stay_apart() {
    let patch = |item, pod: &str, argument: &str| {
        let object = json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": { "name": "etcd", "namespace": "kube-system", "annotations": { "rampart-remediation/pod": pod } },
            "spec": { "containers": [{ "name": "etcd", "args": [argument] }] },
        });
        remediation(item, vec![document(RemediationTarget::ControlPlane, pod, &object)])
    };
    let remediations = [
        patch(ItemId::EtcdTls, "a", "--x"),
        patch(ItemId::EtcdTls, "b", "--y"),
        patch(ItemId::KubeletNodeRestriction, "a", "--z"),
    ];
    let plan = Plan::new("prod", &remediations, &Selection::default());
    let arguments: Vec<&Value> =
        plan.documents.iter().map(|planned| &planned.object["spec"]["containers"][0]["args"]).collect();
    assert_eq!(arguments, [&json!(["--x", "--z"]), &json!(["--y"])]);
}
