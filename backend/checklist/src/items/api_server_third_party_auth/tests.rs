use super::*;
use crate::Parameters;
use crate::inventory::{ApiServerFlags, ApiServerMetrics, Inventory};
use crate::parameters::Recogniser;
use crate::testing::{
    assert_findings, assert_remedied, evaluated, forbid, inventory, remedied_outcome as outcome,
    remedied_result as result,
};

use rampart_shared::Outcome::{self, Fail, Pass, Unknown};
use rampart_shared::Remediation;

const ID: ItemId = ItemId::ApiServerThirdPartyAuth;
const OIDC: &str = "--oidc-issuer-url=https://id.example";
const WEBHOOK_FLAG: &str = "--authentication-token-webhook-config-file=/w.yaml";
const FILE: &str = "--authentication-config=/a.yaml";
const PATH: &str = "a spec.containers[name=kube-apiserver].command";

fn pod(name: &str, flags: &str) -> String {
    let words: Vec<String> = flags.split_whitespace().map(|word| format!(", {word:?}")).collect();
    format!(
        "---\n{{apiVersion: v1, kind: Pod, metadata: {{name: {name}, namespace: kube-system, labels: {{component: kube-apiserver}}}}, \
         spec: {{containers: [{{name: kube-apiserver, command: [kube-apiserver{}]}}]}}}}\n",
        words.concat()
    )
}

fn node(label: &str) -> String {
    format!("---\n{{apiVersion: v1, kind: Node, metadata: {{name: node-1, labels: {{{label}: 'true'}}}}}}\n")
}

fn deployment(image: &str, ready: u32) -> String {
    format!(
        "---\n{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: auth, namespace: auth}}, \
         spec: {{replicas: 2, template: {{spec: {{serviceAccountName: auth, containers: [{{name: c, image: '{image}'}}]}}}}}}, \
         status: {{replicas: 2, readyReplicas: {ready}}}}}\n"
    )
}

/// A binding of a ClusterRole with this rule.
fn bind(rule: &str, subject: &str) -> String {
    format!(
        "---\n{{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {{name: r}}, rules: [{rule}]}}\n\
         ---\n{{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {{name: b}}, \
         roleRef: {{kind: ClusterRole, name: r}}, subjects: [{subject}]}}\n"
    )
}

const IMPERSONATE: &str = "{apiGroups: [''], resources: [users, groups], verbs: [impersonate]}";
const ACCOUNT: &str = "{kind: ServiceAccount, name: auth, namespace: auth}";

fn flagz(inventory: &mut Inventory, flags: &[(&str, &str)]) {
    let flags = flags.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    inventory.api_server_flags.seen = Some(ApiServerFlags { flags });
}

fn jwt(inventory: &mut Inventory) {
    inventory.api_server_metrics.seen =
        Some(ApiServerMetrics { jwt_authenticator: true, ..ApiServerMetrics::default() });
}

#[test]
fn a_flag_that_names_a_provider_holds() {
    for flags in [OIDC, WEBHOOK_FLAG, &format!("{OIDC} --authentication-config=")] {
        assert_findings(ID, &pod("a", flags), Pass, &[]);
    }
}

#[test]
fn no_provider_fails_and_one_bad_replica_is_enough() {
    let finding = format!("{PATH}[--oidc-issuer-url]: no flag names one");
    assert_findings(ID, &pod("a", ""), Fail, &[&finding]);
    assert_findings(ID, &(pod("a", "") + &pod("b", OIDC)), Fail, &[&finding]);
    assert_eq!(outcome(ID, &pod("a", "--oidc-issuer-url=")), Fail);
}

#[test]
fn static_tokens_fail_whatever_else() {
    for flags in [OIDC, WEBHOOK_FLAG, FILE] {
        let yaml = pod("a", &format!("{flags} --token-auth-file=/tokens.csv"));
        assert_findings(ID, &yaml, Fail, &[&format!("{PATH}[--token-auth-file]: set")]);
    }
}

#[test]
fn a_configuration_file_alone_is_unknown_until_the_metric_shows_a_jwt_authenticator() {
    let yaml = pod("a", FILE);
    assert_eq!(outcome(ID, &yaml), Unknown);
    let mut one = inventory(&yaml);
    jwt(&mut one);
    assert_eq!(result(ID, &one).outcome(), Pass);
    let mut several = inventory(&(yaml + &pod("b", FILE)));
    jwt(&mut several);
    assert_eq!(result(ID, &several).outcome(), Unknown, "one answer is one replica");
}

#[test]
fn flagz_shows_a_violation_and_passes_only_where_it_is_the_only_api_server() {
    let of = |yaml: &str, flags: &[(&str, &str)]| {
        let mut inventory = inventory(yaml);
        flagz(&mut inventory, flags);
        result(ID, &inventory).outcome()
    };
    let server = node("node-role.kubernetes.io/control-plane");
    let named = [("oidc-issuer-url", "https://id.example"), ("token-auth-file", "")];
    assert_eq!(of(&server, &named), Pass);
    assert_eq!(of(&(server.clone() + &server.replace("node-1", "node-2")), &named), Unknown);
    assert_eq!(of("", &named), Unknown, "how many there are is not known");
    assert_eq!(of("", &[("token-auth-file", "/t.csv")]), Fail);
    assert_eq!(of("", &[("oidc-issuer-url", "")]), Fail);
    let slice = |addresses: &str| {
        format!(
            "---\n{{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {{name: kubernetes, namespace: default, \
             labels: {{kubernetes.io/service-name: kubernetes}}}}, endpoints: [{{addresses: [{addresses}]}}]}}\n"
        )
    };
    assert_eq!(of(&slice("10.0.0.1"), &named), Pass);
    assert_eq!(of(&(server + &slice("10.0.0.1, 10.0.0.2")), &named), Unknown);
    let script = pod("a", "").replace("[kube-apiserver]", "[sh, -c, 'exec kube-apiserver $FLAGS']");
    assert_eq!(outcome(ID, &script), Unknown);
    assert_eq!(of(&script, &named), Pass);
}

#[test]
fn an_authenticator_in_the_cluster_counts_ready_and_trusted() {
    let of =
        |image: &str, ready: u32, more: &str| outcome(ID, &(pod("a", "") + &deployment(image, ready) + more));
    let trusted = bind(IMPERSONATE, ACCOUNT);
    for image in ["rancher/rancher-agent:v2.12", "public.ecr.aws/gravitational/teleport-distroless:18"] {
        assert_eq!(of(image, 2, &trusted), Pass);
        assert_eq!(of(image, 1, &trusted), Fail, "not ready");
        assert_eq!(of(image, 2, ""), Fail, "nothing trusts it");
    }
    let authenticator = |phase: &str| {
        format!(
            "---\n{{apiVersion: authentication.concierge.pinniped.dev/v1alpha1, kind: JWTAuthenticator, metadata: {{name: j}}, \
             status: {{phase: {phase}}}}}\n"
        )
    };
    let pinniped = "ghcr.io/vmware/pinniped/pinniped-server:v0.41";
    assert_eq!(of(pinniped, 2, &authenticator("Ready")), Pass);
    assert_eq!(of(pinniped, 2, &authenticator("Error")), Fail);
    assert_eq!(of(pinniped, 2, ""), Fail);
    // Dex and the like count by the flag that names them.
    assert_eq!(of("ghcr.io/dexidp/dex:v2.41", 2, &trusted), Fail);
    assert_eq!(of("nginx", 2, &trusted), Fail);
    let tokens = pod("a", "--token-auth-file=/t") + &deployment("rancher/rancher-agent", 2) + &trusted;
    assert_eq!(outcome(ID, &tokens), Fail);
}

#[test]
fn a_person_can_name_further_authenticators() {
    let mut parameters = Parameters::default();
    parameters.api_server_third_party_auth.recognise =
        vec![Recogniser::new("Gate".to_owned(), Some("acme/gate".to_owned()), None).unwrap()];
    let of = |more: &str| -> Outcome {
        let yaml = pod("a", "") + &deployment("registry.example/acme/gate:1", 2) + more;
        let inventory = inventory(&yaml);
        assert_remedied(ID, &inventory, &parameters);
        evaluated(ID, &inventory, &parameters).result.outcome()
    };
    assert_eq!(of(&bind(IMPERSONATE, ACCOUNT)), Pass);
    assert_eq!(of(""), Fail);
}

#[test]
fn missing_evidence_is_unknown_where_it_could_supply_a_provider() {
    for kind in AUTHENTICATORS {
        let mut absent = inventory(&pod("a", ""));
        forbid(&mut absent, kind);
        assert_eq!(result(ID, &absent).outcome(), Unknown, "{kind:?}");
        let mut named = inventory(&pod("a", OIDC));
        forbid(&mut named, kind);
        assert_eq!(result(ID, &named).outcome(), Pass, "{kind:?}");
    }
    let mut pods = inventory(&pod("a", OIDC));
    forbid(&mut pods, Kind::Pods);
    assert_eq!(result(ID, &pods).outcome(), Unknown);
}

#[test]
fn providers_document_it_or_hide_it() {
    for (label, expected) in [
        ("eks.amazonaws.com/nodegroup", (Pass, Some(Basis::Provider))),
        ("cloud.google.com/gke-nodepool", (Pass, Some(Basis::Provider))),
        ("kubernetes.azure.com/cluster", (Unknown, None)),
    ] {
        let result = result(ID, &inventory(&node(label)));
        assert_eq!((result.outcome(), result.basis()), expected, "{label}");
    }
    assert_eq!(outcome(ID, ""), Unknown);
}

#[test]
fn k3s_says_it_in_its_nodes_arguments() {
    let of = |argument: &str| {
        let args = format!(r#"["server"{argument}]"#);
        outcome(
            ID,
            &format!(
                "apiVersion: v1\nkind: Node\nmetadata:\n  name: server\n  labels: {{node-role.kubernetes.io/control-plane: 'true'}}\n  \
                 annotations: {{k3s.io/node-args: '{args}'}}\nspec: {{providerID: 'k3s://server'}}\n"
            ),
        )
    };
    assert_eq!(of(r#", "--kube-apiserver-arg=oidc-issuer-url=https://id.example""#), Pass);
    assert_eq!(of(""), Fail);
    assert_eq!(of(r#", "--kube-apiserver-arg=token-auth-file=/t""#), Fail);
    assert_eq!(of(r#", "--kube-apiserver-arg=authentication-config=/a""#), Unknown);
}

#[test]
fn openshift_keeps_its_providers_in_objects() {
    let cluster = node("node.openshift.io/os_id");
    let object = |kind: &str, spec: &str| {
        format!(
            "---\n{{apiVersion: config.openshift.io/v1, kind: {kind}, metadata: {{name: cluster}}, spec: {{{spec}}}}}\n"
        )
    };
    let of = |more: &str| outcome(ID, &(cluster.clone() + more));
    let oauth = |kind: &str| object("OAuth", &format!("identityProviders: [{{name: p, type: {kind}}}]"));
    assert_eq!(of(&oauth("OpenID")), Pass);
    assert_eq!(of(&oauth("HTPasswd")), Fail);
    assert_eq!(of(&object("OAuth", "")), Fail);
    let oidc = object("Authentication", "type: OIDC, oidcProviders: [{name: keycloak}]");
    assert_eq!(of(&oidc), Pass);
    let external = object("Authentication", "type: None");
    assert_eq!(of(&(external.clone() + &oauth("OpenID"))), Fail, "the OAuth server is off");
    let map = |configuration: &str| {
        format!(
            "---\n{{apiVersion: v1, kind: ConfigMap, metadata: {{name: auth-config, namespace: openshift-kube-apiserver}}, \
             data: {{auth-config.json: '{configuration}'}}}}\n"
        )
    };
    assert_eq!(of(&(external.clone() + &map(r#"{"jwt": [{"issuer": {}}]}"#))), Pass);
    assert_eq!(of(&(external + &map(r#"{"anonymous": {}}"#))), Fail);
    for kind in openshift::KINDS {
        let mut partial = inventory(&cluster);
        forbid(&mut partial, kind);
        assert_eq!(result(ID, &partial).outcome(), Unknown, "{kind:?}");
    }
}

#[test]
fn people_who_may_do_everything_are_listed_and_decide_nothing() {
    let everything = "{apiGroups: ['*'], resources: ['*'], verbs: ['*']}";
    for (rule, subject, listed) in [
        (everything, "{kind: User, name: jane}", true),
        (everything, "{kind: Group, name: developers}", true),
        (everything, "{kind: Group, name: 'system:masters'}", false),
        (everything, "{kind: Group, name: 'kubeadm:cluster-admins'}", false),
        (everything, ACCOUNT, false),
        ("{apiGroups: [''], resources: ['*'], verbs: ['*']}", "{kind: User, name: jane}", false),
    ] {
        let result = result(ID, &inventory(&(pod("a", OIDC) + &bind(rule, subject))));
        assert_eq!(result.outcome(), Pass);
        assert_eq!(result.evidence().findings.len(), usize::from(listed), "{subject}");
        assert_eq!(result.application_findings().count(), 0);
    }
}

#[test]
fn requests_for_client_certificates_are_told() {
    let request = |signer: &str| {
        format!(
            "---\n{{apiVersion: certificates.k8s.io/v1, kind: CertificateSigningRequest, metadata: {{name: jane}}, spec: {{signerName: {signer}}}}}\n"
        )
    };
    let notes = |signer: &str| {
        result(ID, &inventory(&(pod("a", OIDC) + &request(signer))))
            .evidence()
            .notes
            .join(" ")
            .contains("jane")
    };
    assert!(notes("kubernetes.io/kube-apiserver-client"));
    assert!(!notes("kubernetes.io/kube-apiserver-client-kubelet"));
}

/// The remedy, which is proved, and how the item comes out then.
#[track_caller]
fn remedied(inventory: &Inventory) -> (Outcome, Remediation) {
    let after = assert_remedied(ID, inventory, &Parameters::default());
    (after, evaluated(ID, inventory, &Parameters::default()).remediation)
}

#[test]
fn nothing_is_exported_before_the_issuer_is_known() {
    let (after, remediation) = remedied(&inventory(&pod("a", "--token-auth-file=/t --other=1")));
    assert_eq!(after, Pass);
    let [provider, tokens] = &remediation.documents[..] else { panic!("{remediation:#?}") };
    assert!(!provider.object.to_string().contains("example"), "{}", provider.object);
    let chosen = |answer: Option<&str>| {
        let answer = |name: &str| answer.filter(|_| name == "identity-provider-issuer").map(str::to_owned);
        crate::remedy::chosen(provider, &remediation.inputs, answer)
    };
    assert_eq!(chosen(None), None);
    assert_eq!(
        chosen(Some("https://id")).unwrap()["apiServer"]["extraArgs"],
        serde_json::json!([
            { "name": "oidc-issuer-url", "value": "https://id" },
            { "name": "oidc-client-id", "value": "kubernetes" },
            { "name": "oidc-username-claim", "value": "email" },
            { "name": "oidc-username-prefix", "value": "oidc:" },
            { "name": "oidc-groups-claim", "value": "groups" },
            { "name": "oidc-groups-prefix", "value": "oidc:" },
        ])
    );
    assert!(tokens.choices.is_empty());
    assert_eq!(
        tokens.object["spec"]["containers"][0]["$deleteFromPrimitiveList/command"],
        serde_json::json!(["--token-auth-file=/t"])
    );
    assert!(remedied(&inventory(&pod("a", OIDC))).1.documents.is_empty());
}

#[test]
fn one_cluster_has_one_provider() {
    let known = format!("{OIDC} --oidc-client-id=c --oidc-username-claim=sub");
    let (after, remediation) = remedied(&inventory(&(pod("a", "") + &pod("b", &known))));
    let [document] = &remediation.documents[..] else { panic!("{remediation:#?}") };
    assert_eq!((after, remediation.inputs.len()), (Pass, 0));
    assert_eq!(
        document.object["apiServer"]["extraArgs"],
        serde_json::json!([
            { "name": "oidc-issuer-url", "value": "https://id.example" },
            { "name": "oidc-client-id", "value": "c" },
            { "name": "oidc-username-claim", "value": "sub" },
        ])
    );
    for flag in [WEBHOOK_FLAG, FILE] {
        let (_, remediation) = remedied(&inventory(&(pod("a", "") + &pod("b", flag))));
        assert!(remediation.documents.is_empty());
        assert!(remediation.remaining[0].task.contains("kube-system/b"));
    }
}

#[test]
fn k3s_and_flagz_are_put_right_too() {
    let k3s = |args: &str| {
        inventory(&format!(
            "{{apiVersion: v1, kind: Node, metadata: {{name: s, labels: {{node-role.kubernetes.io/control-plane: 'true'}}, \
             annotations: {{k3s.io/node-args: '[\"server\"{args}]'}}}}, spec: {{providerID: 'k3s://s'}}}}\n"
        ))
    };
    let (after, remediation) = remedied(&k3s(r#", "--kube-apiserver-arg=token-auth-file=/t""#));
    let [provider, tokens] = &remediation.documents[..] else { panic!("{remediation:#?}") };
    assert_eq!(after, Pass);
    assert_eq!(provider.choices[0].template, "oidc-issuer-url={}");
    assert_eq!(tokens.object, serde_json::json!({ "kube-apiserver-arg+": ["token-auth-file="] }));
    for (flags, left) in [
        (vec![("token-auth-file", "/t.csv"), ("oidc-issuer-url", "")], 0),
        (vec![("token-auth-file", "CLASSIFIED"), ("oidc-issuer-url", "https://id")], 1),
    ] {
        let mut answered = inventory(&node("node-role.kubernetes.io/control-plane"));
        flagz(&mut answered, &flags);
        let (after, remediation) = remedied(&answered);
        assert_eq!((after == Pass, remediation.remaining.len()), (left == 0, left));
    }
}

#[test]
fn a_provider_or_a_script_is_left_to_a_person() {
    let script =
        pod("a", "").replace("[kube-apiserver]", "[sh, -c, 'exec kube-apiserver --token-auth-file=/t']");
    let mut azure = inventory(&node("kubernetes.azure.com/cluster"));
    flagz(&mut azure, &[("oidc-issuer-url", "")]);
    let openshift = inventory(&node("node.openshift.io/os_id"));
    for (inventory, words) in
        [(inventory(&script), "script"), (azure, "Entra"), (openshift, "identityProviders")]
    {
        let (after, remediation) = remedied(&inventory);
        assert_eq!((after, remediation.documents.len(), remediation.inputs.len()), (Fail, 0, 0), "{words}");
        assert!(remediation.remaining.iter().any(|left| left.task.contains(words)), "{remediation:#?}");
    }
}
