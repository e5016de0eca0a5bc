//! Istio: which PeerAuthentication is in force, and what the proxy sees.

use super::*;

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
