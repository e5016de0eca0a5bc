//! Objects as the documentation of the meshes shows them, good and bad.

mod cilium;
mod istio;
mod linkerd;
mod remedy;

use super::*;
use crate::Parameters;
use crate::inventory::Object;
use crate::testing::{assert_findings, assert_remedied, forbid, inventory, outcome, result};
use rampart_shared::Outcome;
use serde_json::Value;

const ID: ItemId = ItemId::ServiceMtls;

const SERVICE: &str = "{apiVersion: v1, kind: Service, metadata: {name: cart, namespace: shop}, spec: {selector: {app: cart}, ports: [{port: 80, targetPort: 8080}]}}";
const ISTIO: &str = "{apiVersion: v1, kind: ConfigMap, metadata: {name: istio, namespace: istio-system}, data: {mesh: \"rootNamespace: istio-system\\ntrustDomain: cluster.local\\n\"}}";
const SIDECAR: &str = "containers: [{name: cart, image: cart}, {name: istio-proxy, image: istio/proxyv2}]";
const PROXY: &str = "containers: [{name: cart, image: cart, ports: [{name: http, containerPort: 8080}]}, {name: linkerd-proxy, image: proxy, env: [{name: LINKERD2_PROXY_INBOUND_DEFAULT_POLICY, value: GIVEN}]}]";
const PLAIN: &str = "containers: [{name: cart, image: cart}]";

fn pod_with(annotations: &str, spec: &str) -> String {
    format!(
        "{{apiVersion: v1, kind: Pod, metadata: {{name: cart, namespace: shop, labels: {{app: cart}}, annotations: {{{annotations}}}}}, \
         spec: {{{spec}}}, status: {{phase: Running}}}}"
    )
}

fn pod(spec: &str) -> String {
    pod_with("", spec)
}

fn linkerd(policy: &str) -> String {
    pod(&PROXY.replace("GIVEN", policy))
}

fn peer_authentication(place: &str, spec: &str) -> String {
    let (namespace, name) = place.split_once('/').unwrap();
    format!(
        "{{apiVersion: security.istio.io/v1, kind: PeerAuthentication, metadata: {{name: {name}, namespace: {namespace}, \
         creationTimestamp: '2026-01-01T00:00:00Z'}}, spec: {spec}}}"
    )
}

fn object(api_version: &str, kind: &str, name: &str, spec: &str) -> String {
    format!(
        "{{apiVersion: {api_version}, kind: {kind}, metadata: {{name: {name}, namespace: shop}}, spec: {spec}}}"
    )
}

fn cilium(data: &str) -> String {
    format!(
        "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: cilium-config, namespace: kube-system}}, data: {{{data}}}}}"
    )
}

fn all(documents: &[&str]) -> String {
    documents.join("\n---\n")
}

/// With Istio's configuration and the Service.
fn istio(documents: &[&str]) -> String {
    all(&[&[ISTIO, SERVICE], documents].concat())
}

/// What is observed on the one exposed port, or the outcome where none is. Whatever it is, the remedy keeps its promise.
#[track_caller]
fn observed(yaml: &str) -> String {
    let inventory = inventory(yaml);
    assert_remedied(ID, &inventory, &Parameters::default());
    let result = result(ID, &inventory);
    match result.evidence().findings.as_slice() {
        [] => result.outcome().as_str().to_owned(),
        findings => findings.iter().map(|finding| finding.observed.as_str()).collect::<Vec<_>>().join("; "),
    }
}

/// https://istio.io/latest/docs/setup/additional-setup/sidecar-injection/ and Kubernetes' sidecar containers
#[test]
fn a_sidecar_is_a_container_or_an_init_container_that_is_restarted_always() {
    let strict = peer_authentication("shop/default", "{mtls: {mode: STRICT}}");
    let native = format!("{PLAIN}, initContainers: [{{name: istio-proxy, restartPolicy: Always}}]");
    assert_eq!(observed(&istio(&[&pod(&native), &strict])), "pass");
    let once = format!("{PLAIN}, initContainers: [{{name: istio-proxy}}]");
    assert_eq!(observed(&istio(&[&pod(&once), &strict])), "no proxy of a mesh runs in the pod");
    let native = format!(
        "{PLAIN}, initContainers: [{{name: linkerd-proxy, restartPolicy: Always, env: [{{name: LINKERD2_PROXY_INBOUND_DEFAULT_POLICY, value: deny}}]}}]"
    );
    assert_eq!(observed(&all(&[SERVICE, &pod(&native)])), "pass");
}

/// https://developer.hashicorp.com/consul/docs/k8s/annotations-and-labels and https://kuma.io/docs/latest/reference/kubernetes-annotations/
#[test]
fn consul_and_kuma_are_recognised_and_unknown() {
    for (container, mesh) in [("consul-dataplane", "Consul"), ("kuma-sidecar", "Kuma")] {
        let yaml = all(&[SERVICE, &pod(&format!("containers: [{{name: cart}}, {{name: {container}}}]"))]);
        let result = result(ID, &inventory(&yaml));
        assert_eq!(result.outcome(), Outcome::Unknown, "{mesh}");
        let gap = &result.evidence().gaps[0];
        assert!(gap.detail.starts_with(mesh), "{gap:?}");
        assert_eq!(gap.objects, ["shop/cart"]);
    }
    let injected = pod_with("consul.hashicorp.com/connect-inject-status: injected", PLAIN);
    assert_eq!(outcome(ID, &all(&[SERVICE, &injected])), Outcome::Unknown);
}

#[test]
fn no_mesh_fails_and_host_network_is_beyond_every_mesh() {
    assert_findings(
        ID,
        &all(&[SERVICE, &pod(PLAIN)]),
        Outcome::Fail,
        &["cart port 8080/TCP: no proxy of a mesh runs in the pod"],
    );
    let strict = peer_authentication("shop/default", "{mtls: {mode: STRICT}}");
    assert_findings(
        ID,
        &istio(&[&pod(&format!("hostNetwork: true, {SIDECAR}")), &strict]),
        Outcome::Fail,
        &["cart port 8080/TCP: hostNetwork: true; no mesh protects the node's network"],
    );
}

#[test]
fn only_running_pods_behind_a_service_count() {
    let without_service = pod(PLAIN);
    assert_eq!(outcome(ID, &without_service), Outcome::NotApplicable);
    for phase in ["Succeeded", "Failed", "Pending"] {
        let ended = pod(PLAIN).replace("phase: Running", &format!("phase: {phase}"));
        assert_eq!(outcome(ID, &all(&[SERVICE, &ended])), Outcome::NotApplicable, "{phase}");
    }
    let external = SERVICE.replace("spec: {", "spec: {type: ExternalName, externalName: a.example, ");
    assert_eq!(outcome(ID, &all(&[&external, &pod(PLAIN)])), Outcome::NotApplicable);
    assert_eq!(outcome(ID, SERVICE), Outcome::NotApplicable);
    let system = all(&[SERVICE, &pod(PLAIN)]).replace("namespace: shop", "namespace: kube-system");
    let result = result(ID, &inventory(&system));
    assert_eq!(result.outcome(), Outcome::NotApplicable);
    assert_eq!(result.evidence().findings[0].scope, Scope::System);
}

#[test]
fn findings_name_the_owner_and_one_bad_replica_is_enough() {
    let replica = |name: &str, spec: &str| {
        format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: {name}, namespace: shop, labels: {{app: cart}}, ownerReferences: \
             [{{apiVersion: apps/v1, kind: StatefulSet, name: cart, controller: true}}]}}, spec: {{{spec}}}, status: {{phase: Running}}}}"
        )
    };
    let strict = peer_authentication("shop/default", "{mtls: {mode: STRICT}}");
    let yaml = istio(&[&replica("cart-0", SIDECAR), &replica("cart-1", PLAIN), &strict]);
    let result = result(ID, &inventory(&yaml));
    assert_eq!(result.outcome(), Outcome::Fail);
    let [finding] = result.evidence().findings.as_slice() else { panic!("{:?}", result.evidence().findings) };
    assert_eq!((finding.subject.kind.as_str(), finding.subject.name.as_str()), ("StatefulSet", "cart"));
    assert_eq!((finding.path.as_str(), finding.rule.as_str()), ("port 8080/TCP", "no-mesh"));
    assert_eq!(finding.note.as_deref(), Some("In 1 of 2 pods."));
    assert_eq!((result.evidence().examined, result.evidence().violating), (1, 1));
}

#[test]
fn a_missing_kind_never_passes() {
    let strict = peer_authentication("istio-system/default", "{mtls: {mode: STRICT}}");
    let istio = istio(&[&pod(SIDECAR), &strict]);
    let server = object("policy.linkerd.io/v1beta3", "Server", "web", "{podSelector: {}, port: 8080}");
    let linkerd_server = all(&[SERVICE, &linkerd("deny"), &server]);
    let linkerd = all(&[SERVICE, &linkerd("deny")]);
    let ztunnel = all(&[
        SERVICE,
        &pod(PLAIN),
        &cilium("enable-ztunnel: 'true'"),
        "{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {io.cilium/mtls-enabled: 'true'}}}",
    ]);
    let mutual = all(&[
        SERVICE,
        &pod(PLAIN),
        &cilium("mesh-auth-mutual-enabled: 'true', enable-ipsec: 'true', enable-policy: always"),
    ]);
    let required = [Kind::Pods, Kind::Services, Kind::EndpointSlices, Kind::ReplicaSets];
    let cases: [(&str, &[Kind]); 5] = [
        (&istio, &[Kind::PeerAuthentications, Kind::ConfigMaps]),
        (&linkerd, &[Kind::LinkerdServers]),
        (
            &linkerd_server,
            &[Kind::LinkerdServers, Kind::LinkerdServerAuthorizations, Kind::LinkerdAuthorizationPolicies],
        ),
        (&ztunnel, &[Kind::ConfigMaps, Kind::Namespaces]),
        (
            &mutual,
            &[
                Kind::ConfigMaps,
                Kind::NetworkPolicies,
                Kind::CiliumNetworkPolicies,
                Kind::CiliumClusterwideNetworkPolicies,
            ],
        ),
    ];
    for (yaml, kinds) in cases {
        assert_eq!(outcome(ID, yaml), Outcome::Pass, "{yaml}");
        for kind in required.iter().chain(kinds) {
            let mut seen = inventory(yaml);
            forbid(&mut seen, *kind);
            assert_eq!(result(ID, &seen).outcome(), Outcome::Unknown, "{kind:?} {yaml}");
        }
    }
}

#[test]
fn an_absence_needs_its_suppliers_and_a_seen_violation_does_not() {
    let refused = |yaml: &str, kind: Kind| {
        let mut seen = inventory(yaml);
        forbid(&mut seen, kind);
        result(ID, &seen).outcome()
    };
    let no_mesh = all(&[SERVICE, &pod(PLAIN)]);
    assert_eq!(refused(&no_mesh, Kind::ConfigMaps), Outcome::Unknown);
    assert_eq!(refused(&no_mesh, Kind::PeerAuthentications), Outcome::Fail);
    assert_eq!(refused(&istio(&[&pod(SIDECAR)]), Kind::PeerAuthentications), Outcome::Unknown);
    let host = all(&[SERVICE, &pod(&format!("hostNetwork: true, {PLAIN}"))]);
    for kind in [Kind::ConfigMaps, Kind::Namespaces, Kind::EndpointSlices, Kind::PeerAuthentications] {
        assert_eq!(refused(&host, kind), Outcome::Fail, "{kind:?}");
    }
}

/// A cluster of thousands of pods and hundreds of policies is indexed by namespace.
#[test]
fn many_pods_and_policies_are_not_multiplied() {
    let mut seen = inventory(ISTIO);
    let mut insert = |yaml: &str| {
        let document: Value = serde_saphyr::from_str(yaml).unwrap();
        let api_version = document["apiVersion"].as_str().unwrap().to_owned();
        let kind = Kind::of(&api_version, document["kind"].as_str().unwrap()).unwrap();
        seen.insert(Object::deserialize(kind, &api_version, document).unwrap());
    };
    for namespace in 0..100 {
        let place = |yaml: &str| yaml.replace("shop", &format!("n{namespace}"));
        for service in 0..20 {
            insert(&place(SERVICE).replace("cart", &format!("cart-{service}")));
            insert(&place(&pod(SIDECAR)).replace("cart", &format!("cart-{service}")));
            insert(&peer_authentication(
                &format!("n{namespace}/cart-{service}"),
                &format!("{{selector: {{matchLabels: {{app: cart-{service}}}}}, mtls: {{mode: STRICT}}}}"),
            ));
        }
    }
    let started = std::time::Instant::now();
    let result = result(ID, &seen);
    assert_eq!((result.outcome(), result.evidence().examined), (Outcome::Pass, 2000));
    assert!(started.elapsed() < std::time::Duration::from_secs(5), "{:?}", started.elapsed());
}
