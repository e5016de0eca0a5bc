//! Cilium: mutual authentication with encryption, and ztunnel.

use super::*;

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
