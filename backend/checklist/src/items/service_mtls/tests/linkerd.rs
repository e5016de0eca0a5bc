//! Linkerd: default policies, skipped ports, Servers and their authorizations.

use super::*;

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
