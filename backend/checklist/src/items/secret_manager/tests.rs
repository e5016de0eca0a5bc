//! Managers and encryption as their projects document them, good and bad.

mod remedy;

use super::*;
use crate::inventory::{ApiServerFlags, ApiServerMetrics, Inventory};
use crate::testing::{assert_findings, assert_remedied, forbid, inventory, outcome, result};
use crate::{Parameters, evaluate};
use rampart_shared::Outcome::{Fail, Pass, Unknown};
use rampart_shared::{Basis, Outcome};

const ID: ItemId = ItemId::SecretManager;
const MANAGER: &str = "no-manager";

fn app(spec: &str, annotations: &str) -> String {
    format!(
        "\n---\n{{apiVersion: v1, kind: Pod, metadata: {{name: cart, namespace: shop, annotations: {annotations}}}, spec: {{{spec}}}, \
         status: {{phase: Running}}}}"
    )
}

fn plain() -> String {
    app("containers: [{name: cart}]", "{}")
}

fn workload(kind: &str, name: &str, image: &str, ready: u32) -> String {
    format!(
        "\n---\n{{apiVersion: apps/v1, kind: {kind}, metadata: {{name: {name}, namespace: kube-system}}, spec: {{replicas: 1, template: \
         {{spec: {{containers: [{{name: a, image: '{image}'}}]}}}}}}, \
         status: {{replicas: 1, readyReplicas: {ready}, desiredNumberScheduled: 1, numberReady: {ready}}}}}"
    )
}

fn object(api_version: &str, kind: &str, spec: &str, status: &str) -> String {
    format!(
        "\n---\n{{apiVersion: {api_version}, kind: {kind}, metadata: {{name: cart, namespace: shop}}, spec: {spec}, status: {status}}}"
    )
}

fn operator(ready: u32) -> String {
    workload("Deployment", "external-secrets", "ghcr.io/external-secrets/external-secrets:v1.2.0", ready)
}

fn external_secret(conditions: &str) -> String {
    object(
        "external-secrets.io/v1",
        "ExternalSecret",
        "{target: {name: cart}}",
        &format!("{{conditions: [{conditions}]}}"),
    )
}

const SYNCED: &str = "{type: Ready, status: 'True', reason: SecretSynced}";

fn api_server(name: &str, flags: &str) -> String {
    format!(
        "\n---\n{{apiVersion: v1, kind: Pod, metadata: {{name: {name}, namespace: kube-system, labels: {{component: kube-apiserver}}}}, \
         spec: {{containers: [{{name: kube-apiserver, command: [kube-apiserver, {flags}]}}]}}, status: {{phase: Running}}}}"
    )
}

const ENCRYPTED: &str = "--encryption-provider-config=/etc/kubernetes/encryption.yaml";

/// With encryption shown by the metric, so that the manager alone decides.
fn with_metric(yaml: &str) -> Inventory {
    let mut seen = inventory(yaml);
    seen.api_server_metrics.seen =
        Some(ApiServerMetrics { encrypts_secrets: true, ..ApiServerMetrics::default() });
    seen
}

#[track_caller]
fn managed(yaml: &str, expected: Outcome) {
    let seen = with_metric(yaml);
    assert_remedied(ID, &seen, &Parameters::default());
    let result = result(ID, &seen);
    assert_eq!(result.outcome(), expected, "{:?} {:?}", result.evidence().findings, result.evidence().gaps);
}

/// With a manager that works, so that encryption alone decides.
fn encrypted(yaml: &str) -> String {
    plain() + &operator(1) + &external_secret(SYNCED) + yaml
}

/// https://external-secrets.io/latest/api/externalsecret/
#[test]
fn external_secrets_count_when_one_is_in_sync() {
    let base = plain() + &operator(1);
    managed(&(base.clone() + &external_secret(SYNCED)), Pass);
    managed(
        &(base.clone() + &external_secret("{type: Ready, status: 'False', reason: SecretSyncedError}")),
        Fail,
    );
    managed(&(base.clone() + &external_secret("")), Unknown);
    managed(&base, Fail);
    managed(&(plain() + &operator(0) + &external_secret(SYNCED)), Fail);
    managed(&(plain() + &external_secret(SYNCED)), Fail);
    let webhook = operator(1).replace("name: external-secrets,", "name: external-secrets-webhook,");
    managed(&(plain() + &webhook + &external_secret(SYNCED)), Fail);
    let elsewhere = external_secret(SYNCED).replace("namespace: shop", "namespace: kube-system");
    managed(&(base + &elsewhere), Fail);
}

#[test]
fn findings_say_how_many_are_ready() {
    let seen = with_metric(&(plain() + &operator(0) + &external_secret(SYNCED)));
    let result = result(ID, &seen);
    let finding = &result.evidence().findings[0];
    assert_eq!((finding.rule.as_str(), finding.path.as_str()), ("not-ready", "status.readyReplicas"));
    assert_eq!(finding.observed, "External Secrets Operator: 0 of 1 pods ready");
    assert_eq!((result.evidence().examined, result.evidence().violating), (2, 1));
}

/// https://secrets-store-csi-driver.sigs.k8s.io/getting-started/usage and
/// https://cloud.google.com/secret-manager/docs/secret-manager-managed-csi-component
#[test]
fn the_csi_driver_counts_when_a_running_pod_mounts_a_class() {
    let mounting = |driver: &str| {
        app(
            &format!(
                "containers: [{{name: cart}}], volumes: [{{name: s, csi: {{driver: {driver}, readOnly: true, \
                 volumeAttributes: {{secretProviderClass: cart}}}}}}]"
            ),
            "{}",
        )
    };
    let class = object("secrets-store.csi.x-k8s.io/v1", "SecretProviderClass", "{provider: vault}", "{}");
    let driver = |ready| {
        workload("DaemonSet", "csi-secrets-store", "registry.k8s.io/csi-secrets-store/driver:v1.5.4", ready)
    };
    let app = mounting("secrets-store.csi.k8s.io");
    managed(&(app.clone() + &class + &driver(1)), Pass);
    managed(&(app.clone() + &class + &driver(0)), Fail);
    managed(&(app.clone() + &driver(1)), Fail);
    managed(&(plain() + &class + &driver(1)), Fail);
    managed(&(app.replace("phase: Running", "phase: Pending") + &class + &driver(1)), Fail);
    let azure = driver(1).replace(
        "registry.k8s.io/csi-secrets-store/driver",
        "mcr.microsoft.com/oss/v2/kubernetes-csi/secrets-store/driver",
    );
    managed(&(app.clone() + &class + &azure), Pass);
    managed(&(mounting("secrets-store-gke.csi.k8s.io") + &class), Pass);
    managed(&(app + &class), Fail);
    let template = "\n---\n{apiVersion: apps/v1, kind: Deployment, metadata: {name: cart, namespace: shop}, spec: {template: {spec: \
                    {containers: [{name: c}], volumes: [{name: s, csi: {driver: secrets-store.csi.k8s.io, volumeAttributes: \
                    {secretProviderClass: cart}}}]}}}}";
    managed(&(template.to_owned() + &class + &driver(1)), Unknown);
}

/// https://developer.hashicorp.com/vault/docs/deploy/kubernetes/injector/annotations
#[test]
fn vault_counts_when_its_agent_is_in_a_pod() {
    let injector = |ready| workload("Deployment", "vault-agent-injector", "hashicorp/vault-k8s:1.7.0", ready);
    let annotation = "{vault.hashicorp.com/agent-inject: 'true', vault.hashicorp.com/role: cart}";
    let injected = app(
        "initContainers: [{name: vault-agent-init}], containers: [{name: cart}, {name: vault-agent}]",
        annotation,
    );
    managed(&(injected.clone() + &injector(1)), Pass);
    managed(&(injected.clone() + &injector(0)), Fail);
    managed(&injected, Fail);
    managed(&(app("containers: [{name: cart}]", annotation) + &injector(1)), Fail);
    managed(&(plain() + &injector(1)), Fail);
}

/// https://developer.hashicorp.com/vault/docs/deploy/kubernetes/vso/api-reference
#[test]
fn vault_secrets_operator_counts_when_it_wrote_a_secret() {
    let operator = workload(
        "Deployment",
        "vault-secrets-operator-controller-manager",
        "hashicorp/vault-secrets-operator:1.1.0",
        1,
    );
    let of = |kind: &str, status: &str| {
        plain()
            + &operator
            + &object("secrets.hashicorp.com/v1beta1", kind, "{destination: {name: cart}}", status)
    };
    managed(&of("VaultStaticSecret", "{lastGeneration: 1, secretMAC: abc=}"), Pass);
    managed(&of("VaultDynamicSecret", "{lastGeneration: 1, lastRenewalTime: 1700000000}"), Pass);
    managed(&of("VaultPKISecret", "{lastGeneration: 1, serialNumber: '01:02'}"), Pass);
    managed(
        &of("VaultStaticSecret", "{secretMAC: abc=, conditions: [{type: Healthy, status: 'False'}]}"),
        Fail,
    );
    managed(&of("VaultStaticSecret", "{lastGeneration: 0}"), Fail);
    managed(&of("VaultStaticSecret", "{}"), Unknown);
}

/// https://github.com/bitnami-labs/sealed-secrets
#[test]
fn sealed_secrets_count_and_say_that_they_do_in_part() {
    let controller = workload(
        "Deployment",
        "sealed-secrets-controller",
        "docker.io/bitnami/sealed-secrets-controller:0.33.1",
        1,
    );
    let sealed = |status: &str| {
        plain()
            + &controller
            + &object("bitnami.com/v1alpha1", "SealedSecret", "{encryptedData: {a: x}}", status)
    };
    let synced = sealed("{conditions: [{type: Synced, status: 'True'}]}");
    managed(&synced, Pass);
    assert!(result(ID, &with_metric(&synced)).evidence().notes[0].contains("in part"));
    managed(&sealed("{conditions: [{type: Synced, status: 'False'}]}"), Fail);
}

#[test]
fn no_manager_is_an_absence() {
    let seen = with_metric(&plain());
    let bare = result(ID, &seen);
    assert_eq!((bare.outcome(), bare.evidence().findings[0].rule.as_str()), (Fail, MANAGER));
    for kind in secret_managers::SUPPLIERS {
        let mut seen = seen.clone();
        forbid(&mut seen, kind);
        assert_eq!(result(ID, &seen).outcome(), Unknown, "{kind:?}");
    }
    let system = plain().replace("shop", "kube-system");
    managed(&system, Pass);
    let mut hidden = with_metric(&system);
    forbid(&mut hidden, Kind::CronJobs);
    assert_eq!(result(ID, &hidden).outcome(), Unknown, "an application could be among what was not listed");
}

#[test]
fn a_recogniser_of_ones_own_counts_as_declared() {
    let parameters: Parameters =
        serde_saphyr::from_str("{secret-manager: {recognise: [{name: Keeper, label: app=keeper}]}}").unwrap();
    let keeper = workload("Deployment", "keeper", "acme/keeper", 1)
        .replace("namespace: kube-system}", "namespace: kube-system, labels: {app: keeper}}");
    let items = evaluate(&with_metric(&(plain() + &keeper)), &parameters).unwrap();
    let result = items.into_iter().map(|item| item.result).find(|result| result.id() == ID).unwrap();
    assert_eq!((result.outcome(), result.basis()), (Pass, Some(Basis::Declared)));
}

/// https://kubernetes.io/docs/tasks/administer-cluster/encrypt-data/
#[test]
fn the_flag_alone_is_a_gap_and_the_metric_shows_encryption() {
    let one = encrypted(&api_server("a", ENCRYPTED));
    let flag_alone = result(ID, &inventory(&one));
    assert_eq!(flag_alone.outcome(), Unknown);
    assert!(flag_alone.evidence().gaps[0].detail.contains("identity"), "{:?}", flag_alone.evidence().gaps);
    let shown = result(ID, &with_metric(&one));
    assert_eq!((shown.outcome(), shown.basis()), (Pass, Some(Basis::Observed)));
    let several = one.clone() + &api_server("b", ENCRYPTED);
    let shown = result(ID, &with_metric(&several));
    assert_eq!((shown.outcome(), shown.basis()), (Pass, Some(Basis::Declared)), "one answer is one replica");
    let path = "spec.containers[name=kube-apiserver].command[--encryption-provider-config]: unset";
    assert_findings(ID, &encrypted(&api_server("a", "--v=2")), Fail, &[&format!("a {path}")]);
    let one_without = one + &api_server("b", "--v=2");
    assert_findings(ID, &one_without, Fail, &[&format!("b {path}")]);
    assert_eq!(result(ID, &with_metric(&one_without)).outcome(), Fail);
    let script = encrypted(
        &api_server("a", "x").replace("[kube-apiserver, x]", "[sh, -c, 'exec kube-apiserver $FLAGS']"),
    );
    assert_eq!(outcome(ID, &script), Unknown);
}

#[test]
fn a_refused_metric_is_named() {
    let mut seen = inventory(&encrypted(&api_server("a", ENCRYPTED)));
    forbid(&mut seen, Kind::ApiServerMetrics);
    let result = result(ID, &seen);
    assert_eq!(result.outcome(), Unknown);
    assert!(result.evidence().gaps.iter().any(|gap| gap.detail == "refused in the test"));
}

#[test]
fn flagz_speaks_where_no_static_pod_is_seen() {
    let with_flag = |value: Option<&str>| {
        let mut seen = inventory(&encrypted(""));
        let flags = value.map(|value| ("encryption-provider-config".to_owned(), value.to_owned()));
        seen.api_server_flags.seen = Some(ApiServerFlags { flags: flags.into_iter().collect() });
        let left = assert_remedied(ID, &seen, &Parameters::default());
        let outcome = result(ID, &seen).outcome();
        assert!(
            outcome != Fail || left == Unknown,
            "the flag alone does not show that Secrets are encrypted"
        );
        outcome
    };
    assert_eq!(with_flag(Some("")), Fail);
    assert_eq!(with_flag(Some("/etc/encryption.yaml")), Unknown);
    assert_eq!(with_flag(None), Unknown);
    assert_eq!(outcome(ID, &encrypted("")), Unknown);
}

/// https://docs.redhat.com/en/documentation/openshift_container_platform/latest/html/etcd/etcd-encrypt
#[test]
fn openshift_says_it_in_its_api_server_object() {
    let cluster = |spec: &str| {
        encrypted("\n---\n{apiVersion: v1, kind: Namespace, metadata: {name: openshift-apiserver}}")
            + &format!(
                "\n---\n{{apiVersion: config.openshift.io/v1, kind: APIServer, metadata: {{name: cluster}}, spec: {spec}}}"
            )
    };
    for kind in ["aescbc", "aesgcm", "KMS"] {
        let result = result(ID, &inventory(&cluster(&format!("{{encryption: {{type: {kind}}}}}"))));
        assert_eq!((result.outcome(), result.basis()), (Pass, Some(Basis::Declared)), "{kind}");
    }
    assert_findings(
        ID,
        &cluster("{encryption: {type: identity}}"),
        Fail,
        &["cluster spec.encryption.type: identity"],
    );
    assert_findings(ID, &cluster("{}"), Fail, &["cluster spec.encryption.type: unset"]);
    assert_eq!(outcome(ID, &cluster("{encryption: {type: rot13}}")), Unknown);
    let mut refused = inventory(&cluster("{encryption: {type: aescbc}}"));
    forbid(&mut refused, Kind::OpenShiftApiServers);
    assert_eq!(result(ID, &refused).outcome(), Unknown);
}

/// https://docs.k3s.io/security/secrets-encryption
#[test]
fn every_k3s_server_must_be_started_with_encryption() {
    let server = |name: &str, args: &str| {
        format!(
            "\n---\n{{apiVersion: v1, kind: Node, metadata: {{name: {name}, labels: {{node-role.kubernetes.io/control-plane: 'true'}}, \
             annotations: {{k3s.io/node-args: '[\"server\"{args}]'}}}}, spec: {{providerID: 'k3s://{name}'}}}}"
        )
    };
    let flag = ",\"--secrets-encryption\"";
    let good = result(ID, &inventory(&encrypted(&server("a", flag))));
    assert_eq!((good.outcome(), good.basis()), (Pass, Some(Basis::Declared)));
    assert_eq!(outcome(ID, &encrypted(&server("a", ",\"--secrets-encryption\",\"true\""))), Pass);
    let argument = ",\"--kube-apiserver-arg\",\"encryption-provider-config=/a.yaml\"";
    assert_eq!(outcome(ID, &encrypted(&server("a", argument))), Unknown, "the file is not seen");
    let path = "metadata.annotations[k3s.io/node-args][--secrets-encryption]: unset";
    for args in ["", ",\"--secrets-encryption=false\""] {
        let yaml = encrypted(&(server("a", flag) + &server("b", args)));
        assert_findings(ID, &yaml, Fail, &[&format!("b {path}")]);
    }
    let mut refused = inventory(&encrypted(&server("a", flag)));
    forbid(&mut refused, Kind::Nodes);
    assert_eq!(result(ID, &refused).outcome(), Unknown);
}

#[test]
fn providers_count_only_where_they_document_it() {
    let node = |labels: &str, version: &str| {
        encrypted(&format!(
            "\n---\n{{apiVersion: v1, kind: Node, metadata: {{name: node-1, labels: {{{labels}}}}}, status: {{nodeInfo: {{kubeletVersion: '{version}'}}}}}}"
        ))
    };
    let eks = "eks.amazonaws.com/nodegroup: g";
    let documented = result(ID, &inventory(&node(eks, "v1.28.5-eks-5e0fdde")));
    assert_eq!((documented.outcome(), documented.basis()), (Pass, Some(Basis::Provider)));
    assert!(
        documented.evidence().notes.iter().any(|note| note.contains(encryption_at_rest::EKS_DOCUMENTATION))
    );
    assert_eq!(outcome(ID, &node(eks, "v1.27.9-eks-5e0fdde")), Unknown);
    let mut newer = inventory(&node(eks, "v1.27.9-eks-5e0fdde"));
    newer.version = Some("v1.30.1-eks-aaaa".to_owned());
    assert_eq!(result(ID, &newer).outcome(), Pass);
    for labels in ["cloud.google.com/gke-nodepool: p", "kubernetes.azure.com/cluster: c"] {
        let yaml = node(labels, "v1.34.1");
        assert_eq!(outcome(ID, &yaml), Unknown, "{labels}");
        assert_eq!(result(ID, &with_metric(&yaml)).outcome(), Pass, "{labels}");
    }
}
