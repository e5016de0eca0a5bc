//! What the remedy gives, asks and leaves.

use super::*;
use crate::remedy::{chosen, yaml};
use crate::testing::evaluated;
use rampart_shared::{Remediation, RemediationTarget};
use serde_json::json;

fn remedy_of(seen: &Inventory) -> Remediation {
    evaluated(ID, seen, &Parameters::default()).remediation
}

fn using(secret: &str) -> String {
    app(&format!("containers: [{{name: cart, envFrom: [{{secretRef: {{name: {secret}}}}}]}}]"), "{}")
}

#[test]
fn secrets_in_use_come_from_the_store_that_a_person_names() {
    let seen = with_metric(&(using("cart-db") + &operator(1)));
    let remedy = remedy_of(&seen);
    let [document] = &remedy.documents[..] else { panic!("{:?}", remedy.documents) };
    assert_eq!(document.target, RemediationTarget::NewObject);
    assert_eq!(document.object["apiVersion"], "external-secrets.io/v1");
    assert_eq!(document.object["metadata"], json!({ "name": "cart-db", "namespace": "shop" }));
    assert_eq!(document.object["spec"]["target"]["creationPolicy"], "Orphan");
    let [input] = &remedy.inputs[..] else { panic!("{:?}", remedy.inputs) };
    assert_eq!((input.name.as_str(), input.default.as_deref()), ("secret-store", None));
    assert!(chosen(document, &remedy.inputs, |_| None).is_none(), "without an answer nothing is applied");
    let object = chosen(document, &remedy.inputs, |_| Some("vault".to_owned())).unwrap();
    assert_eq!(object["spec"]["secretStoreRef"], json!({ "kind": "ClusterSecretStore", "name": "vault" }));
    // Whether it is in sync is for the operator to show.
    assert_eq!(assert_remedied(ID, &seen, &Parameters::default()), Unknown);
}

#[test]
fn the_store_and_the_version_are_those_of_the_cluster() {
    let of_system = |version: &str, store: &str| {
        format!(
            "\n---\n{{apiVersion: external-secrets.io/{version}, kind: ExternalSecret, metadata: {{name: {store}, namespace: kube-system}}, \
             spec: {{secretStoreRef: {{kind: ClusterSecretStore, name: {store}}}}}}}"
        )
    };
    let base = using("cart-db") + &operator(1);
    let remedy = |yaml: &str| remedy_of(&with_metric(yaml));
    let one = remedy(&(base.clone() + &of_system("v1beta1", "keeper")));
    assert_eq!(one.inputs[0].default.as_deref(), Some("keeper"));
    assert_eq!(one.documents[0].object["apiVersion"], "external-secrets.io/v1beta1");
    let two = remedy(&(base.clone() + &of_system("v1", "keeper") + &of_system("v1beta1", "other")));
    assert_eq!(two.inputs[0].default, None);
    assert_eq!(two.documents[0].object["apiVersion"], "external-secrets.io/v1");
    let old = remedy(&base.replace(":v1.2.0", ":v0.15.1"));
    assert_eq!(old.documents[0].object["apiVersion"], "external-secrets.io/v1beta1");
}

#[test]
fn without_a_manager_that_runs_the_choice_is_a_persons() {
    let certificate = "\n---\n{apiVersion: cert-manager.io/v1, kind: Certificate, metadata: {name: cart, namespace: shop}, \
                       spec: {secretName: cart-tls}}";
    for (yaml, expected) in [
        (using("cart-db"), "https://external-secrets.io"),
        (using("cart-db") + &operator(0), "describe deployment/external-secrets"),
        (using("cart-db") + &external_secret(SYNCED), "ExternalSecret shop/cart without"),
        (plain() + &operator(1), "external-secrets.io/latest/api/externalsecret"),
        (
            using("cart-db")
                + &operator(1)
                + &external_secret("{type: Ready, status: 'False', reason: SecretSyncedError}"),
            "the store does not answer",
        ),
        // What cert-manager makes is not taken over.
        (using("cart-tls") + &operator(1) + certificate, "external-secrets.io/latest/api/externalsecret"),
        (plain() + &workload("Deployment", "i", "hashicorp/vault-k8s:1.7.0", 1), "agent-inject"),
    ] {
        let seen = with_metric(&yaml);
        let remedy = remedy_of(&seen);
        assert!(remedy.documents.is_empty() && remedy.inputs.is_empty(), "{yaml}: {:?}", remedy.documents);
        assert!(remedy.remaining[0].task.contains(expected), "{}", remedy.remaining[0].task);
        assert_eq!(assert_remedied(ID, &seen, &Parameters::default()), Fail);
    }
}

#[test]
fn kubeadm_encrypts_by_a_key_service_and_no_key_is_made_up() {
    let seen = inventory(&encrypted(&api_server("a", "--v=2")));
    let remedy = remedy_of(&seen);
    let [configuration, flags] = &remedy.documents[..] else { panic!("{:?}", remedy.documents) };
    let answers = |name: &str| match name {
        "kms-endpoint" => Some("unix:///run/kms/kms.sock".to_owned()),
        "kms-directory" => Some("/run/kms".to_owned()),
        _ => None,
    };
    let object = chosen(configuration, &remedy.inputs, answers).unwrap();
    let providers = &object["resources"][0]["providers"];
    assert_eq!(providers[0]["kms"]["endpoint"], "unix:///run/kms/kms.sock");
    assert_eq!(
        (&providers[0]["kms"]["apiVersion"], &providers[1]),
        (&json!("v2"), &json!({ "identity": {} }))
    );
    let object = chosen(flags, &remedy.inputs, answers).unwrap();
    assert_eq!(object["apiServer"]["extraVolumes"][1]["mountPath"], "/run/kms");
    for document in &remedy.documents {
        let object = chosen(document, &remedy.inputs, |_| None).expect("every input has a default");
        assert!(!yaml(&object).contains("secret: "), "no key stands in a document");
    }
    assert_eq!(assert_remedied(ID, &seen, &Parameters::default()), Unknown);
    let shown = with_metric(&encrypted(&api_server("a", "--v=2")));
    assert_eq!(assert_remedied(ID, &shown, &Parameters::default()), Pass);
    assert!(remedy_of(&inventory(&encrypted(&api_server("a", ENCRYPTED)))).documents.is_empty());
}

#[test]
fn k3s_rke2_and_openshift_make_the_key_themselves() {
    let server = |provider: &str| {
        format!(
            "\n---\n{{apiVersion: v1, kind: Node, metadata: {{name: a, labels: {{node-role.kubernetes.io/control-plane: 'true'}}, \
             annotations: {{k3s.io/node-args: '[\"server\"]'}}}}, spec: {{providerID: '{provider}://a'}}}}"
        )
    };
    let cluster = "\n---\n{apiVersion: v1, kind: Namespace, metadata: {name: openshift-apiserver}}\n---\n\
                   {apiVersion: config.openshift.io/v1, kind: APIServer, metadata: {name: cluster}, spec: {}}";
    for (yaml, after) in [
        (server("k3s"), Pass),
        (server("rke2") + &api_server("a", "--v=2"), Unknown),
        (cluster.to_owned(), Pass),
    ] {
        let seen = inventory(&encrypted(&yaml));
        assert_eq!(result(ID, &seen).outcome(), Fail, "{yaml}");
        assert_eq!(assert_remedied(ID, &seen, &Parameters::default()), after, "{yaml}");
    }
    let undo = remedy_of(&inventory(&encrypted(cluster))).documents[0].undo.clone().unwrap();
    assert_eq!(undo["spec"]["encryption"]["type"], "identity");
}

#[test]
fn a_provider_that_runs_the_api_server_has_a_step_of_its_own() {
    let node =
        "\n---\n{apiVersion: v1, kind: Node, metadata: {name: a, labels: {kubernetes.azure.com/cluster: c}}}";
    let mut seen = inventory(&encrypted(node));
    let flags = [("encryption-provider-config".to_owned(), String::new())];
    seen.api_server_flags.seen = Some(ApiServerFlags { flags: flags.into() });
    let remedy = remedy_of(&seen);
    assert!(remedy.documents.is_empty());
    assert!(remedy.remaining[0].task.contains("https://learn.microsoft.com/azure/aks/"));
    assert_eq!(assert_remedied(ID, &seen, &Parameters::default()), Fail);
}
