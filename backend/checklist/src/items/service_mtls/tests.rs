//! Objects as the documentation of the meshes shows them, good and bad.

use super::*;
use crate::inventory::{Inventory, Object};
use crate::testing::{assert_findings, forbid, inventory, outcome, result};
use rampart_shared::{Outcome, Remediation, Source};
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

/// What is observed on the one exposed port, or the outcome where none is.
fn observed(yaml: &str) -> String {
    let result = result(ID, &inventory(yaml));
    match result.evidence().findings.as_slice() {
        [] => result.outcome().as_str().to_owned(),
        findings => findings.iter().map(|finding| finding.observed.as_str()).collect::<Vec<_>>().join("; "),
    }
}

fn remedy_of(inventory: &Inventory) -> Remediation {
    let items = crate::evaluate(inventory, &crate::Parameters::default()).unwrap();
    items.into_iter().find(|item| item.result.id() == ID).unwrap().remediation
}

fn yamls(remediation: &Remediation) -> Vec<Value> {
    remediation.documents.iter().map(|document| serde_saphyr::from_str(&document.yaml).unwrap()).collect()
}

/// https://istio.io/latest/docs/reference/config/security/peer_authentication/
#[test]
fn istio_the_most_specific_peer_authentication_is_in_force() {
    let strict = "{mtls: {mode: STRICT}}";
    let permissive = "{mtls: {mode: PERMISSIVE}}";
    let unset = "{mtls: {mode: UNSET}}";
    let of_workload =
        |mode: &str| format!("{{selector: {{matchLabels: {{app: cart}}}}, mtls: {{mode: {mode}}}}}");
    let of_another = "{selector: {matchLabels: {app: till}}, mtls: {mode: STRICT}}";
    let cases: Vec<(&str, Vec<String>, &str)> = vec![
        ("none is PERMISSIVE", vec![], "PERMISSIVE by default: no PeerAuthentication applies"),
        ("mesh-wide", vec![peer_authentication("istio-system/default", strict)], "pass"),
        (
            "mesh-wide permissive",
            vec![peer_authentication("istio-system/default", permissive)],
            "PERMISSIVE by PeerAuthentication istio-system/default",
        ),
        ("namespace", vec![peer_authentication("shop/default", strict)], "pass"),
        (
            "another namespace's",
            vec![peer_authentication("bank/default", strict)],
            "PERMISSIVE by default: no PeerAuthentication applies",
        ),
        (
            "the namespace's comes before the mesh's",
            vec![
                peer_authentication("istio-system/default", strict),
                peer_authentication("shop/default", permissive),
            ],
            "PERMISSIVE by PeerAuthentication shop/default",
        ),
        (
            "UNSET inherits",
            vec![
                peer_authentication("istio-system/default", strict),
                peer_authentication("shop/default", unset),
            ],
            "pass",
        ),
        (
            "a policy without mtls inherits",
            vec![
                peer_authentication("istio-system/default", strict),
                peer_authentication("shop/default", "{}"),
            ],
            "pass",
        ),
        (
            "UNSET everywhere is PERMISSIVE",
            vec![
                peer_authentication("istio-system/default", unset),
                peer_authentication("shop/default", unset),
            ],
            "PERMISSIVE by default: no PeerAuthentication applies",
        ),
        (
            "the workload's comes first",
            vec![
                peer_authentication("shop/default", strict),
                peer_authentication("shop/cart", &of_workload("DISABLE")),
            ],
            "DISABLE by PeerAuthentication shop/cart",
        ),
        (
            "the workload's STRICT",
            vec![
                peer_authentication("shop/default", permissive),
                peer_authentication("shop/cart", &of_workload("STRICT")),
            ],
            "pass",
        ),
        (
            "the workload's UNSET inherits",
            vec![
                peer_authentication("shop/default", strict),
                peer_authentication("shop/cart", &of_workload("UNSET")),
            ],
            "pass",
        ),
        (
            "a selector that selects others",
            vec![peer_authentication("shop/till", of_another)],
            "PERMISSIVE by default: no PeerAuthentication applies",
        ),
        (
            "selectors in the root namespace are ignored",
            vec![peer_authentication("istio-system/cart", &of_workload("STRICT"))],
            "PERMISSIVE by default: no PeerAuthentication applies",
        ),
        (
            "an empty selector selects everything",
            vec![peer_authentication("shop/default", "{selector: {}, mtls: {mode: STRICT}}")],
            "pass",
        ),
    ];
    for (name, policies, expected) in cases {
        let policies = policies.join("\n---\n");
        let pod = pod(SIDECAR);
        let yaml = if policies.is_empty() { istio(&[&pod]) } else { istio(&[&pod, &policies]) };
        assert_eq!(observed(&yaml), expected, "{name}");
    }
}

/// https://github.com/istio/istio/blob/master/pilot/pkg/security/authn/policy_applier.go (ComposePeerAuthentication)
#[test]
fn istio_of_two_policies_at_one_level_the_oldest_is_in_force() {
    let older = peer_authentication("shop/z-older", "{mtls: {mode: STRICT}}").replace("2026-01", "2025-01");
    let younger = peer_authentication("shop/a-younger", "{mtls: {mode: PERMISSIVE}}");
    let pod = pod(SIDECAR);
    assert_eq!(observed(&istio(&[&pod, &younger, &older])), "pass");
    let (older, younger) = (older.replace("STRICT", "DISABLE"), younger.replace("PERMISSIVE", "STRICT"));
    assert_eq!(observed(&istio(&[&pod, &younger, &older])), "DISABLE by PeerAuthentication shop/z-older");
    // Without an age, neither is the answer; where they say the same, both are.
    let ageless = younger.replace("creationTimestamp: '2026-01-01T00:00:00Z'", "labels: {}");
    assert_eq!(observed(&istio(&[&pod, &ageless, &older])), "unknown");
    assert_eq!(observed(&istio(&[&pod, &ageless, &older.replace("DISABLE", "STRICT")])), "pass");
}

/// https://istio.io/latest/docs/reference/config/security/peer_authentication/
#[test]
fn istio_port_level_modes_are_by_the_pods_port_and_with_a_selector_only() {
    let pod = pod(SIDECAR);
    let on = |port: &str, mode: &str| {
        peer_authentication(
            "shop/cart",
            &format!(
                "{{selector: {{matchLabels: {{app: cart}}}}, mtls: {{mode: STRICT}}, portLevelMtls: {{'{port}': {{mode: {mode}}}}}}}"
            ),
        )
    };
    assert_eq!(
        observed(&istio(&[&pod, &on("8080", "DISABLE")])),
        "DISABLE by PeerAuthentication shop/cart, portLevelMtls"
    );
    // The Service's port is not the pod's.
    assert_eq!(observed(&istio(&[&pod, &on("80", "DISABLE")])), "pass");
    assert_eq!(observed(&istio(&[&pod, &on("8080", "UNSET")])), "pass");
    let strict_port = on("8080", "STRICT").replace("mtls: {mode: STRICT}, ", "mtls: {mode: PERMISSIVE}, ");
    assert_eq!(observed(&istio(&[&pod, &strict_port])), "pass");
    let without_selector = on("8080", "DISABLE").replace("selector: {matchLabels: {app: cart}}, ", "");
    assert_eq!(observed(&istio(&[&pod, &without_selector])), "pass");
    let headless =
        all(&[ISTIO, &SERVICE.replace("ports: [{port: 80, targetPort: 8080}]", "clusterIP: None"), &pod]);
    assert_eq!(
        observed(&all(&[&headless, &on("9090", "DISABLE")])),
        "DISABLE by PeerAuthentication shop/cart, portLevelMtls"
    );
}

/// https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/ (rootNamespace)
#[test]
fn istio_the_root_namespace_is_the_mesh_configurations() {
    let pod = pod(SIDECAR);
    let map = ISTIO.replace("rootNamespace: istio-system", "rootNamespace: mesh-policies");
    let strict = peer_authentication("mesh-policies/default", "{mtls: {mode: STRICT}}");
    assert_eq!(observed(&all(&[&map, SERVICE, &pod, &strict])), "pass");
    let elsewhere = peer_authentication("istio-system/default", "{mtls: {mode: STRICT}}");
    assert_eq!(
        observed(&all(&[&map, SERVICE, &pod, &elsewhere])),
        "PERMISSIVE by default: no PeerAuthentication applies"
    );
    // Istio's own default, where the configuration names none.
    let silent = ISTIO.replace("rootNamespace: istio-system\\n", "");
    assert_eq!(observed(&all(&[&silent, SERVICE, &pod, &elsewhere])), "pass");
    // Not seen: the namespace's own policy decides, the mesh's cannot.
    assert_eq!(observed(&all(&[SERVICE, &pod, &elsewhere])), "unknown");
    let own = peer_authentication("shop/default", "{mtls: {mode: STRICT}}");
    assert_eq!(observed(&all(&[SERVICE, &pod, &own, &elsewhere])), "pass");
    assert_eq!(observed(&all(&[SERVICE, &pod])), "PERMISSIVE by default: no PeerAuthentication applies");
    let broken = ISTIO.replace("rootNamespace: istio-system", "rootNamespace: [");
    assert_eq!(observed(&all(&[&broken, SERVICE, &pod, &elsewhere])), "unknown");
}

/// https://istio.io/latest/docs/reference/config/annotations/
#[test]
fn istio_ports_that_the_proxy_does_not_see_are_violations() {
    let strict = peer_authentication("istio-system/default", "{mtls: {mode: STRICT}}");
    let annotated = |annotations: &str| observed(&istio(&[&pod_with(annotations, SIDECAR), &strict]));
    let exclude = "traffic.sidecar.istio.io/excludeInboundPorts";
    let include = "traffic.sidecar.istio.io/includeInboundPorts";
    for good in [
        format!("{exclude}: '9090'"),
        format!("{exclude}: '15020'"),
        format!("{exclude}: ''"),
        format!("{include}: '*'"),
        format!("{include}: '80,8080'"),
        "sidecar.istio.io/interceptionMode: TPROXY".to_owned(),
    ] {
        assert_eq!(annotated(&good), "pass", "{good}");
    }
    assert_eq!(annotated(&format!("{exclude}: '9090,8080'")), format!("{exclude}: \"9090,8080\""));
    assert_eq!(annotated(&format!("{include}: '80'")), format!("{include}: \"80\" leaves the port out"));
    assert_eq!(annotated(&format!("{include}: ''")), format!("{include}: \"\" leaves the port out"));
    assert_eq!(
        annotated("sidecar.istio.io/interceptionMode: NONE"),
        "sidecar.istio.io/interceptionMode: NONE"
    );
    assert_eq!(annotated(&format!("{exclude}: http")), "unknown");
    assert_eq!(annotated("traffic.sidecar.istio.io/excludeInterfaces: eth1"), "unknown");
    // What the mesh's defaults made of it stands in the init container.
    let init = |args: &str| {
        format!(
            "{SIDECAR}, initContainers: [{{name: istio-init, image: proxyv2, args: [istio-iptables, -p, '15001', {args}]}}]"
        )
    };
    let started = |args: &str| observed(&istio(&[&pod(&init(args)), &strict]));
    assert_eq!(started("-m, REDIRECT, -b, '*', -d, '15090,15021,15020'"), "pass");
    assert_eq!(started("-b, '*', -d, '15090,15021,8080'"), "-d of istio-init: \"15090,15021,8080\"");
}

/// https://istio.io/latest/docs/ops/deployment/application-requirements/ (traffic that is not TCP is not captured)
#[test]
fn istio_udp_is_not_protected() {
    let service = SERVICE.replace(
        "ports: [{port: 80, targetPort: 8080}]",
        "ports: [{name: dns, port: 53, protocol: UDP}, {name: tcp, port: 53}]",
    );
    let strict = peer_authentication("istio-system/default", "{mtls: {mode: STRICT}}");
    let yaml = all(&[ISTIO, &service, &pod(SIDECAR), &strict]);
    assert_findings(ID, &yaml, Outcome::Fail, &["cart port 53/UDP: UDP: Istio's sidecar takes TCP alone"]);
    let result = result(ID, &inventory(&yaml));
    assert_eq!((result.evidence().examined, result.evidence().violating), (2, 1));
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

/// https://istio.io/latest/docs/ambient/usage/verify-mtls-enabled/
#[test]
fn istio_ambient_without_strict_still_takes_plaintext() {
    let redirected = pod_with("ambient.istio.io/redirection: enabled", PLAIN);
    let strict = peer_authentication("istio-system/default", "{mtls: {mode: STRICT}}");
    assert_eq!(observed(&istio(&[&redirected, &strict])), "pass");
    assert_eq!(observed(&istio(&[&redirected])), "PERMISSIVE by default: no PeerAuthentication applies");
    let pending = redirected.replace("redirection: enabled", "redirection: pending");
    assert_eq!(observed(&istio(&[&pending, &strict])), "no proxy of a mesh runs in the pod");
    let bypassed = pod_with(
        "ambient.istio.io/redirection: enabled, ambient.istio.io/bypass-inbound-capture: 'true'",
        PLAIN,
    );
    assert_eq!(observed(&istio(&[&bypassed, &strict])), "ambient.istio.io/bypass-inbound-capture: true");
}

#[test]
fn istio_gateways_and_policies_that_cannot_be_read_are_gaps() {
    let strict = peer_authentication("shop/default", "{mtls: {mode: STRICT}}");
    let gateway = pod("containers: [{name: istio-proxy}]");
    assert_eq!(observed(&istio(&[&gateway, &strict])), "unknown");
    for spec in ["{mtls: {mode: strict}}", "{mtls: STRICT}", "{targetRefs: [], mtls: {mode: STRICT}}"] {
        let policy = peer_authentication("shop/default", spec);
        assert_eq!(observed(&istio(&[&pod(SIDECAR), &policy])), "unknown", "{spec}");
        // Of another namespace: listed, and nothing here rests on it.
        let policy = peer_authentication("bank/default", spec);
        let result = result(ID, &inventory(&istio(&[&pod(SIDECAR), &strict, &policy])));
        assert_eq!((result.outcome(), result.evidence().gaps.len()), (Outcome::Pass, 1), "{spec}");
    }
}

/// https://linkerd.io/2/reference/authorization-policy/ (default policies)
#[test]
fn linkerd_default_policies_that_enforce_and_those_that_do_not() {
    for policy in ["all-authenticated", "cluster-authenticated", "deny"] {
        assert_eq!(observed(&all(&[SERVICE, &linkerd(policy)])), "pass", "{policy}");
    }
    for policy in ["all-unauthenticated", "cluster-unauthenticated", "audit"] {
        let expected = format!("{policy} by the default inbound policy");
        assert_eq!(observed(&all(&[SERVICE, &linkerd(policy)])), expected);
    }
    assert_eq!(observed(&all(&[SERVICE, &linkerd("whatever")])), "unknown");
    let unset =
        linkerd("x").replace("env: [{name: LINKERD2_PROXY_INBOUND_DEFAULT_POLICY, value: x}]", "env: []");
    assert_eq!(observed(&all(&[SERVICE, &unset])), "all-unauthenticated by the default inbound policy");
    // The policy controller reads the pod's annotation while the pod runs.
    let annotated = |annotations: &str, policy: &str| {
        observed(&all(&[SERVICE, &pod_with(annotations, &PROXY.replace("GIVEN", policy))]))
    };
    assert_eq!(
        annotated("config.linkerd.io/default-inbound-policy: audit", "deny"),
        "audit by the default inbound policy"
    );
    let required = "config.linkerd.io/proxy-require-identity-inbound-ports";
    assert_eq!(annotated(&format!("{required}: '8080'"), "all-unauthenticated"), "pass");
    assert_eq!(
        annotated(&format!("{required}: '80'"), "all-unauthenticated"),
        "all-unauthenticated by the default inbound policy"
    );
    assert_eq!(annotated(&format!("{required}: '8080'"), "audit"), "audit by the default inbound policy");
}

/// https://linkerd.io/2/reference/proxy-configuration/ (skip-inbound-ports)
#[test]
fn linkerd_skipped_ports_are_violations() {
    let skip = "config.linkerd.io/skip-inbound-ports";
    let annotated = |ports: &str| {
        let spec = PROXY.replace("GIVEN", "deny");
        observed(&all(&[SERVICE, &pod_with(&format!("{skip}: '{ports}'"), &spec)]))
    };
    assert_eq!(annotated("8000-8100"), format!("{skip}: \"8000-8100\""));
    assert_eq!(annotated("9090,25"), "pass");
    assert_eq!(annotated("http"), "unknown");
    let of_namespace = format!(
        "{{apiVersion: v1, kind: Namespace, metadata: {{name: shop, annotations: {{{skip}: '8080'}}}}}}"
    );
    assert_eq!(observed(&all(&[SERVICE, &linkerd("deny"), &of_namespace])), format!("{skip}: \"8080\""));
    let done = pod(&format!(
        "{}, initContainers: [{{name: linkerd-init, args: [--incoming-proxy-port, '4143', --inbound-ports-to-ignore, '4190,4191,8080']}}]",
        PROXY.replace("GIVEN", "deny")
    ));
    assert_eq!(
        observed(&all(&[SERVICE, &done])),
        "--inbound-ports-to-ignore of linkerd-init: \"4190,4191,8080\""
    );
    // What was done counts, whatever the namespace asks for by now.
    let done = done.replace("4191,8080", "4191");
    assert_eq!(observed(&all(&[SERVICE, &done, &of_namespace])), "pass");
    let udp = SERVICE.replace("port: 80,", "port: 80, protocol: UDP,");
    assert_eq!(observed(&all(&[&udp, &linkerd("deny")])), "UDP: Linkerd's proxy takes TCP alone");
}

/// https://linkerd.io/2/reference/authorization-policy/ (Server, ServerAuthorization, AuthorizationPolicy)
#[test]
fn linkerd_servers_replace_the_default_policy_and_all_their_authorizations_count() {
    let server = |rest: &str| {
        object(
            "policy.linkerd.io/v1beta3",
            "Server",
            "web",
            &format!("{{podSelector: {{matchLabels: {{app: cart}}}}, {rest}}}"),
        )
    };
    let authorization = |client: &str| {
        object(
            "policy.linkerd.io/v1beta1",
            "ServerAuthorization",
            "clients",
            &format!("{{server: {{name: web}}, client: {client}}}"),
        )
    };
    let policy = |kind: &str, name: &str, authentications: &str| {
        object(
            "policy.linkerd.io/v1alpha1",
            "AuthorizationPolicy",
            "routes",
            &format!(
                "{{targetRef: {{kind: {kind}, name: {name}}}, requiredAuthenticationRefs: [{authentications}]}}"
            ),
        )
    };
    let with = |default: &str, documents: &[&str]| {
        observed(&all(&[&[SERVICE, linkerd(default).as_str()], documents].concat()))
    };
    let plain = server("port: 8080, proxyProtocol: HTTP/2");
    let open = "all-unauthenticated";
    assert_eq!(with(open, &[&plain]), "pass", "a Server denies by default");
    assert_eq!(with(open, &[&server("port: http")]), "pass");
    for other in ["port: 9090", "port: metrics"] {
        assert_eq!(with(open, &[&server(other)]), "all-unauthenticated by the default inbound policy");
    }
    for access in ["deny", "all-authenticated", "cluster-authenticated"] {
        assert_eq!(with(open, &[&server(&format!("port: 8080, accessPolicy: {access}"))]), "pass");
    }
    for access in ["audit", "all-unauthenticated", "cluster-unauthenticated"] {
        let server = server(&format!("port: 8080, accessPolicy: {access}"));
        assert_eq!(with("deny", &[&server]), format!("accessPolicy {access} of Server shop/web"));
    }
    for client in [
        "{meshTLS: {identities: ['*']}}",
        "{meshTLS: {serviceAccounts: [{name: till}]}, networks: [{cidr: 10.0.0.0/8}]}",
    ] {
        assert_eq!(with(open, &[&plain, &authorization(client)]), "pass", "{client}");
    }
    assert_eq!(
        with("deny", &[&plain, &authorization("{unauthenticated: true, networks: [{cidr: 10.0.0.0/8}]}")]),
        "unauthenticated by ServerAuthorization shop/clients for Server shop/web"
    );
    assert_eq!(
        with("deny", &[&plain, &authorization("{meshTLS: {unauthenticatedTLS: true}}")]),
        "meshTLS.unauthenticatedTLS by ServerAuthorization shop/clients for Server shop/web"
    );
    let elsewhere =
        authorization("{unauthenticated: true}").replace("{name: web}", "{selector: {matchLabels: {a: b}}}");
    assert_eq!(with("deny", &[&plain, &elsewhere]), "pass");
    let mesh = "{kind: MeshTLSAuthentication, group: policy.linkerd.io, name: till}";
    let network = "{kind: NetworkAuthentication, group: policy.linkerd.io, name: nodes}";
    assert_eq!(with(open, &[&plain, &policy("Server", "web", mesh)]), "pass");
    assert_eq!(with(open, &[&plain, &policy("Server", "web", &format!("{mesh}, {network}"))]), "pass");
    assert_eq!(with(open, &[&plain, &policy("Server", "web", "{kind: ServiceAccount, name: till}")]), "pass");
    let refused = "no MeshTLSAuthentication in AuthorizationPolicy shop/routes for Server shop/web";
    assert_eq!(with("deny", &[&plain, &policy("Server", "web", network)]), refused);
    assert_eq!(with("deny", &[&plain, &policy("Namespace", "shop", "")]), refused);
    assert_eq!(with("deny", &[&plain, &policy("Server", "other", network)]), "pass");
    // A route's Server is not read.
    assert_eq!(with("deny", &[&plain, &policy("HTTPRoute", "probes", network)]), "unknown");
    assert_eq!(with("deny", &[&plain, &policy("HTTPRoute", "probes", mesh)]), "pass");
    assert_eq!(with("deny", &[&plain, &server("port: {}").replace("name: web", "name: odd")]), "unknown");
}

/// https://docs.cilium.io/en/stable/network/servicemesh/mutual-authentication/mutual-authentication-example/
#[test]
fn cilium_mutual_authentication_needs_the_policy_and_the_encryption() {
    let mutual =
        cilium("mesh-auth-enabled: 'true', mesh-auth-mutual-enabled: 'true', enable-wireguard: 'true'");
    let policy = |authentication: &str| {
        object(
            "cilium.io/v2",
            "CiliumNetworkPolicy",
            "echo",
            &format!(
                "{{endpointSelector: {{matchLabels: {{app: cart}}}}, ingress: [{{fromEndpoints: [{{matchLabels: {{app: till}}}}], \
                 {authentication} toPorts: [{{ports: [{{port: '8080', protocol: TCP}}]}}]}}]}}"
            ),
        )
    };
    let required = policy("authentication: {mode: required},");
    let with = |config: &str, policies: &[&str]| {
        observed(&all(&[&[SERVICE, pod(PLAIN).as_str(), config], policies].concat()))
    };
    assert_eq!(with(&mutual, &[&required]), "pass");
    assert_eq!(with(&mutual.replace("enable-wireguard", "enable-ipsec"), &[&required]), "pass");
    let result = result(ID, &inventory(&all(&[SERVICE, &pod(PLAIN), &mutual, &required])));
    assert_eq!(result.verdict(), rampart_shared::Verdict::Pass(Basis::Declared));
    assert!(
        result.evidence().notes[0].contains("deprecated in Cilium 1.20"),
        "{:?}",
        result.evidence().notes
    );

    let admitted = "CiliumNetworkPolicy shop/echo admits traffic without authentication.mode: required";
    assert_eq!(with(&mutual, &[&policy("")]), admitted);
    assert_eq!(with(&mutual, &[&policy("authentication: {mode: disabled},")]), admitted);
    let none = "no policy isolates the pod at ingress, so that none demands authentication";
    assert_eq!(with(&mutual, &[]), none);
    assert_eq!(with(&mutual, &[&required.replace("app: cart", "app: other")]), none);
    assert_eq!(
        with(&mutual.replace("enable-wireguard: 'true'", "x: none"), &[&required]),
        "no proxy of a mesh runs in the pod; Cilium authenticates, and encrypts with neither WireGuard nor IPsec"
    );
    assert_eq!(
        with(&cilium("enable-wireguard: 'true', mesh-auth-enabled: 'true'"), &[&required]),
        "no proxy of a mesh runs in the pod; Cilium encrypts with WireGuard, which is not mutual authentication"
    );
    assert_eq!(with(&cilium("enable-ipv4: 'true'"), &[]), "no proxy of a mesh runs in the pod");
    assert_eq!(
        with(&mutual.replace("enable-wireguard", "enable-policy: never, enable-wireguard"), &[&required]),
        "enable-policy: never in cilium-config, so that no policy demands authentication"
    );
    // A rule for another port admits nothing here; one that says nothing beside one that demands it is not guessed.
    let other = policy("").replace("8080", "9090").replace("name: echo", "name: other");
    assert_eq!(with(&mutual, &[&required, &other]), "pass");
    assert_eq!(with(&mutual, &[&required, &policy("").replace("name: echo", "name: other")]), "unknown");
    assert_eq!(
        with(
            &mutual,
            &[&required, &policy("authentication: {mode: strict},").replace("name: echo", "name: other")]
        ),
        "unknown"
    );
    // Kubernetes' own policies admit without authentication.
    let network = |rules: &str| {
        object(
            "networking.k8s.io/v1",
            "NetworkPolicy",
            "np",
            &format!("{{podSelector: {{}}, ingress: [{rules}]}}"),
        )
    };
    assert_eq!(with(&mutual, &[&required, &network("")]), "pass");
    assert_eq!(with(&mutual, &[&required, &network("{ports: [{port: 9090}]}")]), "pass");
    assert_eq!(
        with(&mutual, &[&required, &network("{ports: [{port: 8080}]}")]),
        "NetworkPolicy shop/np admits traffic, and knows no authentication"
    );
    // A cluster-wide policy counts where it selects the pod, by its namespace too.
    let clusterwide = |namespace: &str| {
        format!(
            "{{apiVersion: cilium.io/v2, kind: CiliumClusterwideNetworkPolicy, metadata: {{name: wide}}, spec: {{endpointSelector: \
             {{matchLabels: {{'k8s:io.kubernetes.pod.namespace': {namespace}}}}}, ingress: [{{fromEntities: [cluster], \
             authentication: {{mode: disabled}}}}]}}}}"
        )
    };
    assert_eq!(with(&mutual, &[&required, &clusterwide("bank")]), "pass");
    assert_eq!(
        with(&mutual, &[&required, &clusterwide("shop")]),
        "CiliumClusterwideNetworkPolicy wide admits traffic without authentication.mode: required"
    );
}

/// https://docs.cilium.io/en/latest/security/network/encryption-ztunnel/
#[test]
fn cilium_ztunnel_protects_enrolled_namespaces() {
    let config = cilium("enable-ztunnel: 'true'");
    let namespace =
        "{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {io.cilium/mtls-enabled: 'true'}}}";
    let pod = pod(PLAIN);
    assert_eq!(observed(&all(&[SERVICE, &pod, &config, namespace])), "pass");
    let not_enrolled = "no proxy of a mesh runs in the pod, and namespace shop is not enrolled to Cilium's ztunnel (io.cilium/mtls-enabled)";
    assert_eq!(
        observed(&all(&[SERVICE, &pod, &config, &namespace.replace("'true'", "'false'")])),
        not_enrolled
    );
    assert_eq!(observed(&all(&[SERVICE, &pod, &config])), not_enrolled);
    let udp = SERVICE.replace("port: 80,", "port: 80, protocol: UDP,");
    assert_eq!(observed(&all(&[&udp, &pod, &config, namespace])), "UDP: Cilium's ztunnel takes TCP alone");
    // It protects a pod whose own proxy lets everybody in.
    assert_eq!(observed(&all(&[SERVICE, ISTIO, &self::pod(SIDECAR), &config, namespace])), "pass");
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

/// Applies documents as server-side apply does to maps, and inserts them.
fn applied(yaml: &str, documents: Vec<Value>) -> Inventory {
    let mut objects: Vec<Value> = serde_saphyr::from_multiple(yaml).unwrap();
    for document in documents {
        let same = |object: &&mut Value| {
            object["kind"] == document["kind"]
                && object["metadata"]["name"] == document["metadata"]["name"]
                && object["metadata"]["namespace"] == document["metadata"]["namespace"]
        };
        match objects.iter_mut().find(same) {
            Some(object) => merge(object, document),
            None => objects.push(document),
        }
    }
    let mut inventory = Inventory::empty(Source::Snapshot);
    for object in objects {
        let api_version = object["apiVersion"].as_str().unwrap().to_owned();
        let kind = Kind::of(&api_version, object["kind"].as_str().unwrap()).unwrap();
        inventory.insert(Object::deserialize(kind, &api_version, object).unwrap());
    }
    inventory
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

#[test]
fn the_remedy_makes_istio_and_linkerd_strict() {
    let server = object(
        "policy.linkerd.io/v1beta3",
        "Server",
        "web",
        "{podSelector: {}, port: 8080, accessPolicy: all-unauthenticated}",
    );
    let authorized = [
        object("policy.linkerd.io/v1beta3", "Server", "web", "{podSelector: {}, port: 8080}"),
        object(
            "policy.linkerd.io/v1beta1",
            "ServerAuthorization",
            "clients",
            "{server: {name: web}, client: {unauthenticated: true}}",
        ),
    ]
    .join("\n---\n");
    let on_port = peer_authentication(
        "shop/cart",
        "{selector: {matchLabels: {app: cart}}, mtls: {mode: STRICT}, portLevelMtls: {'8080': {mode: DISABLE}}}",
    );
    for yaml in [
        istio(&[&pod(SIDECAR)]),
        istio(&[&pod(SIDECAR), &peer_authentication("istio-system/default", "{mtls: {mode: PERMISSIVE}}")]),
        istio(&[&pod(SIDECAR), &peer_authentication("shop/default", "{mtls: {mode: PERMISSIVE}}")]),
        istio(&[&pod(SIDECAR), &peer_authentication("shop/inherits", "{}")]),
        istio(&[&pod(SIDECAR), &on_port]),
        all(&[SERVICE, &linkerd("deny"), &server]),
        all(&[SERVICE, &linkerd("deny"), &authorized]),
    ] {
        let seen = inventory(&yaml);
        assert_eq!(result(ID, &seen).outcome(), Outcome::Fail, "{yaml}");
        let documents = yamls(&remedy_of(&seen));
        assert_eq!(documents.len(), 1, "{documents:?}");
        let fixed = applied(&yaml, documents);
        assert_eq!(result(ID, &fixed).outcome(), Outcome::Pass, "{yaml}");
        assert!(remedy_of(&fixed).documents.is_empty(), "a second time there is nothing to do");
    }
}

#[test]
fn the_remedy_enrols_into_the_mesh_that_is_there_and_chooses_none() {
    let istiod = |labels: &str| {
        format!(
            "{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: istiod, namespace: istio-system, labels: {{app: istiod{labels}}}}}, \
             spec: {{template: {{spec: {{containers: []}}}}}}}}"
        )
    };
    let linkerd_control = "{apiVersion: apps/v1, kind: Deployment, metadata: {name: linkerd-destination, namespace: linkerd, labels: {linkerd.io/control-plane-component: destination}}, spec: {template: {spec: {containers: []}}}}";
    let of = |documents: &[&str]| {
        let yaml = all(&[&[SERVICE, pod(PLAIN).as_str()], documents].concat());
        remedy_of(&inventory(&yaml))
    };
    let none = of(&[]);
    assert!(none.documents.is_empty() && none.changes.contains("for a person to choose"), "{}", none.changes);
    let istio = yamls(&of(&[ISTIO, &istiod("")]));
    assert_eq!(istio[0]["metadata"]["labels"]["istio-injection"], "enabled");
    assert_eq!(istio[1]["spec"]["mtls"]["mode"], "STRICT");
    let revised = yamls(&of(&[ISTIO, &istiod(", istio.io/rev: canary")]));
    assert_eq!(revised[0]["metadata"]["labels"]["istio.io/rev"], "canary");
    let linkerd = yamls(&of(&[linkerd_control]));
    assert_eq!(
        linkerd[0]["metadata"]["annotations"]["config.linkerd.io/default-inbound-policy"],
        "all-authenticated"
    );
    assert!(of(&[linkerd_control, &istiod("")]).documents.is_empty());
    let config = cilium("enable-ztunnel: 'true'");
    let yaml = all(&[SERVICE, &pod(PLAIN), &config]);
    let documents = yamls(&remedy_of(&inventory(&yaml)));
    assert_eq!(result(ID, &applied(&yaml, documents)).outcome(), Outcome::Pass);
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
