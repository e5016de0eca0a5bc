use super::*;
use crate::testing::{
    assert_findings, assert_remedied, evaluated, inventory, remedied_outcome as outcome,
    remedied_result as result,
};

use crate::Parameters;
use rampart_shared::Outcome::{self, Fail, NotApplicable, Pass, Unknown};
use rampart_shared::RemediationDocument;

const ID: ItemId = ItemId::EtcdTls;
const ETCD: &str = "etcd --cert-file=c --key-file=k --trusted-ca-file=a --client-cert-auth=true --peer-cert-file=c \
                    --peer-key-file=k --peer-trusted-ca-file=a --peer-client-cert-auth=true";
const URLS: &str = "--listen-client-urls=https://127.0.0.1:2379,https://10.0.0.1:2379 \
                    --advertise-client-urls=https://10.0.0.1:2379 --listen-peer-urls=https://10.0.0.1:2380 \
                    --initial-advertise-peer-urls=https://10.0.0.1:2380 --initial-cluster=a=https://10.0.0.1:2380 \
                    --listen-metrics-urls=http://127.0.0.1:2381";
const API: &str =
    "kube-apiserver --etcd-servers=https://127.0.0.1:2379 --etcd-cafile=a --etcd-certfile=c --etcd-keyfile=k";

fn pod(component: &str, name: &str, command: &str, env: &str) -> String {
    let command: Vec<String> = command.split_whitespace().map(|word| format!("{word:?}")).collect();
    format!(
        "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: kube-system, labels: {{component: {component}}}}}\n\
         spec:\n  containers:\n  - name: {component}\n    command: [{}]\n    env: [{env}]\n",
        command.join(", ")
    )
}

fn cluster(etcd: &str, api_server: &str) -> String {
    pod("etcd", "etcd-1", etcd, "") + &pod("kube-apiserver", "kube-apiserver-1", api_server, "")
}

fn k3s(labels: &str, args: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Node\nmetadata:\n  name: server\n  labels: {{node-role.kubernetes.io/control-plane: 'true'{labels}}}\n  \
         annotations: {{k3s.io/node-args: '{args}'}}\nspec: {{providerID: 'k3s://server'}}\n"
    )
}

#[test]
fn kubeadm_as_it_comes_holds() {
    assert_findings(ID, &cluster(&format!("{ETCD} {URLS}"), API), Pass, &[]);
    assert_findings(ID, &cluster(ETCD, API), Pass, &[]);
}

#[test]
fn every_missing_flag_is_a_violation_of_a_single_member_too() {
    for flag in [
        "cert-file",
        "key-file",
        "trusted-ca-file",
        "peer-cert-file",
        "peer-key-file",
        "peer-trusted-ca-file",
    ] {
        let etcd: Vec<&str> =
            ETCD.split(' ').filter(|word| !word.starts_with(&format!("--{flag}="))).collect();
        let path = format!("etcd-1 spec.containers[name=etcd].command[--{flag}]: unset");
        assert_findings(ID, &cluster(&etcd.join(" "), API), Fail, &[&path]);
    }
    let etcd = ETCD.replace(" --peer-client-cert-auth=true", "");
    let path = "etcd-1 spec.containers[name=etcd].command[--peer-client-cert-auth]: unset";
    assert_findings(ID, &cluster(&etcd, API), Fail, &[path]);
    let etcd = ETCD.replace(" --client-cert-auth=true", " --client-cert-auth=false");
    let path = "etcd-1 spec.containers[name=etcd].command[--client-cert-auth]: false";
    assert_findings(ID, &cluster(&etcd, API), Fail, &[path]);
}

#[test]
fn the_environment_counts_where_a_flag_is_missing() {
    let etcd = ETCD.replace(" --client-cert-auth=true", "");
    let env = "{name: ETCD_CLIENT_CERT_AUTH, value: 'true'}";
    let yaml = pod("etcd", "etcd-1", &etcd, env) + &pod("kube-apiserver", "kube-apiserver-1", API, "");
    assert_findings(ID, &yaml, Pass, &[]);
}

#[test]
fn generated_certificates_fail_even_where_they_are_ignored() {
    let yaml = cluster(&format!("{ETCD} --auto-tls --peer-auto-tls=false"), API);
    assert_findings(ID, &yaml, Fail, &["etcd-1 spec.containers[name=etcd].command[--auto-tls]: true"]);
    let notes = |yaml: &str| -> Vec<bool> {
        let result = result(ID, &inventory(yaml));
        let findings = result.evidence().findings.iter();
        findings.filter(|f| f.rule == "auto-tls").map(|f| f.note.is_some()).collect()
    };
    assert_eq!(notes(&yaml), [true]);
    assert_eq!(notes(&cluster("etcd --auto-tls", API)), [false]);
}

#[test]
fn plain_http_counts_beyond_loopback_alone() {
    let loopback =
        URLS.replace("https://127.0.0.1:2379", "http://[::1]:2379,http://localhost:2379,unix://etcd:0");
    assert_findings(ID, &cluster(&format!("{ETCD} {loopback}"), API), Pass, &[]);
    for (flag, value) in [
        ("listen-client-urls", "http://0.0.0.0:2379"),
        ("listen-client-http-urls", "http://10.0.0.1:2382"),
        ("advertise-client-urls", "http://etcd.example:2379"),
        ("listen-peer-urls", "http://[::]:2380"),
        ("initial-advertise-peer-urls", "http://10.0.0.1:2380"),
    ] {
        let path = format!("etcd-1 spec.containers[name=etcd].command[--{flag}]: {value}");
        assert_findings(ID, &cluster(&format!("{ETCD} --{flag}={value}"), API), Fail, &[&path]);
    }
    let path = "etcd-1 spec.containers[name=etcd].command[--initial-cluster]: http://10.0.0.2:2380";
    let initial = "--initial-cluster=a=https://10.0.0.1:2380,b=http://10.0.0.2:2380";
    assert_findings(ID, &cluster(&format!("{ETCD} {initial}"), API), Fail, &[path]);
}

#[test]
fn metrics_beyond_loopback_are_a_note() {
    let yaml = cluster(&format!("{ETCD} --listen-metrics-urls=http://0.0.0.0:2381"), API);
    assert_findings(ID, &yaml, Pass, &[]);
    assert_eq!(result(ID, &inventory(&yaml)).evidence().notes.len(), 1);
}

#[test]
fn the_api_server_needs_https_even_on_loopback_and_a_certificate() {
    let plain = API.replace("https://127", "http://127");
    let path = "kube-apiserver-1 spec.containers[name=kube-apiserver].command[--etcd-servers]: http://127.0.0.1:2379";
    assert_findings(ID, &cluster(ETCD, &plain), Fail, &[path]);
    let overrides =
        format!("{API} --etcd-servers-overrides=/events#https://10.0.0.1:4001;http://u:p@10.0.0.2:4001");
    let path = "kube-apiserver-1 spec.containers[name=kube-apiserver].command[--etcd-servers-overrides]: http://10.0.0.2:4001";
    assert_findings(ID, &cluster(ETCD, &overrides), Fail, &[path]);
    let path = "kube-apiserver-1 spec.containers[name=kube-apiserver].command[--etcd-certfile]: unset";
    assert_findings(ID, &cluster(ETCD, &API.replace("--etcd-certfile=c ", "")), Fail, &[path]);
    assert_findings(ID, &cluster(ETCD, "kube-apiserver --etcd-servers=unix:///run/etcd.sock"), Pass, &[]);
}

#[test]
fn one_bad_replica_fails_the_item() {
    let yaml =
        cluster(ETCD, API) + &pod("kube-apiserver", "kube-apiserver-2", &API.replace("https:", "http:"), "");
    let path = "kube-apiserver-2 spec.containers[name=kube-apiserver].command[--etcd-servers]: http://127.0.0.1:2379";
    assert_findings(ID, &yaml, Fail, &[path]);
}

#[test]
fn what_is_not_seen_is_a_gap() {
    let api = |servers: &str| pod("kube-apiserver", "a", &API.replace("127.0.0.1", servers), "");
    assert_eq!(outcome(ID, &api("127.0.0.1")), Unknown, "loopback without an etcd pod");
    assert_eq!(outcome(ID, &api("10.9.9.9")), Unknown, "external: the peers are not seen");
    assert_eq!(outcome(ID, &pod("etcd", "etcd-1", ETCD, "")), Unknown, "no API server");
    assert_eq!(outcome(ID, ""), Unknown, "nothing at all");
    assert_eq!(outcome(ID, &cluster("etcd --config-file=/e.yaml", API)), Unknown);
    assert_eq!(outcome(ID, &cluster(&ETCD.replace("=c ", "=$(X) "), API)), Unknown);
    let external = pod("kube-apiserver", "a", &API.replace("https://127.0.0.1", "http://10.9.9.9"), "");
    assert_eq!(outcome(ID, &external), Fail, "external, and plain");
}

#[test]
fn flagz_shows_the_api_servers_side() {
    let told = |yaml: &str, servers: &str| {
        let mut inventory = inventory(yaml);
        let files =
            ["etcd-cafile", "etcd-certfile", "etcd-keyfile"].map(|flag| (flag.to_owned(), "f".to_owned()));
        let mut flags = std::collections::BTreeMap::from(files);
        flags.insert(SERVERS.to_owned(), format!("[{servers}]"));
        flags.insert(OVERRIDES.to_owned(), "[]".to_owned());
        inventory.api_server_flags.seen = Some(crate::inventory::ApiServerFlags { flags });
        result(ID, &inventory).outcome()
    };
    let node = "---\napiVersion: v1\nkind: Node\nmetadata: {name: n1, labels: {node-role.kubernetes.io/control-plane: ''}}\n";
    let etcd = pod("etcd", "etcd-1", ETCD, "");
    let good = "https://127.0.0.1:2379";
    assert_eq!(told(&(etcd.clone() + node), good), Pass);
    assert_eq!(
        told(&(etcd.clone() + node + &node.replace("n1", "n2")), good),
        Unknown,
        "one answer is one replica"
    );
    assert_eq!(told(node, good), Unknown, "etcd is not seen");
    assert_eq!(told("", "http://10.0.0.1:2379"), Fail);
    assert_eq!(told(&cluster(ETCD, &API.replace("https:", "http:")), good), Fail, "the pod's flags are seen");
}

#[test]
fn a_provider_hides_the_control_plane() {
    let node =
        "apiVersion: v1\nkind: Node\nmetadata: {name: node-1, labels: {cloud.google.com/gke-nodepool: p}}\n";
    let result = result(ID, &inventory(node));
    assert_eq!(result.outcome(), Unknown);
    assert_eq!(result.evidence().gaps[0].reason, GapReason::ProviderManaged);
}

#[test]
fn k3s_and_microk8s_without_etcd_have_nothing_to_judge() {
    let of = |labels: &str, args: &str| -> Outcome { outcome(ID, &k3s(labels, args)) };
    assert_eq!(of("", r#"["server"]"#), NotApplicable);
    assert_eq!(of("", r#"["server","--cluster-init"]"#), Unknown);
    assert_eq!(of(", node-role.kubernetes.io/etcd: 'true'", r#"["server"]"#), Unknown);
    assert_eq!(of("", r#"["server","--datastore-endpoint","x"]"#), Unknown);
    assert_eq!(of("", r#"["agent"]"#), Unknown);
    let microk8s =
        "apiVersion: v1\nkind: Node\nmetadata: {name: node-1, labels: {microk8s.io/cluster: 'true'}}\n";
    assert_eq!(outcome(ID, microk8s), NotApplicable);
    let mut partial = inventory(microk8s);
    crate::testing::forbid(&mut partial, Kind::Pods);
    assert_eq!(result(ID, &partial).outcome(), Unknown);
}

fn documents(yaml: &str) -> Vec<RemediationDocument> {
    let inventory = inventory(yaml);
    assert_eq!(assert_remedied(ID, &inventory, &Parameters::default()), Pass);
    evaluated(ID, &inventory, &Parameters::default()).remediation.documents
}

/// The flags that a kubeadm configuration sets, or the words that a patch adds.
fn set(document: &RemediationDocument) -> Vec<String> {
    let object = &document.object;
    let lists = [&object["etcd"]["local"]["extraArgs"], &object["apiServer"]["extraArgs"]];
    let arguments = lists.into_iter().filter_map(|list| list.as_array()).flatten();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let words = object["spec"]["containers"][0]["args"].as_array().into_iter().flatten();
    arguments
        .map(|argument| format!("--{}={}", text(&argument["name"]), text(&argument["value"])))
        .chain(words.map(text))
        .collect()
}

#[test]
fn what_all_members_share_is_configured_and_their_addresses_are_patched() {
    let etcd = |name: &str, host: &str| {
        pod(
            "etcd",
            name,
            &format!(
                "etcd --data-dir=/d --auto-tls --listen-client-urls=http://{host}:2379 --initial-advertise-peer-urls=http://u:p@{host}:2380"
            ),
            "",
        )
    };
    let api = pod(
        "kube-apiserver",
        "kube-apiserver-1",
        "kube-apiserver --etcd-servers=http://127.0.0.1:2379 --x=y",
        "",
    );
    let documents = documents(&(etcd("etcd-1", "10.0.0.1") + &etcd("etcd-2", "10.0.0.2") + &api));
    let [shared, first, second, server] = &documents[..] else { panic!("{documents:#?}") };
    let pki = "/etc/kubernetes/pki";
    assert_eq!(
        set(shared),
        [
            &format!("--cert-file={pki}/etcd/server.crt"),
            &format!("--key-file={pki}/etcd/server.key"),
            &format!("--trusted-ca-file={pki}/etcd/ca.crt"),
            &format!("--peer-cert-file={pki}/etcd/peer.crt"),
            &format!("--peer-key-file={pki}/etcd/peer.key"),
            &format!("--peer-trusted-ca-file={pki}/etcd/ca.crt"),
            "--client-cert-auth=true",
            "--peer-client-cert-auth=true",
            "--auto-tls=false",
        ]
    );
    for (document, host) in [(first, "10.0.0.1"), (second, "10.0.0.2")] {
        assert_eq!(
            set(document),
            [
                format!("--listen-client-urls=https://{host}:2379"),
                "--advertise-client-urls=https://127.0.0.1:2379".to_owned(),
                format!("--initial-advertise-peer-urls=https://{host}:2380"),
            ]
        );
        let told = format!("etcdctl member update ID --peer-urls=https://{host}:2380");
        assert!(document.comment.contains(&told), "{}", document.comment);
        assert!(!format!("{document:?}").contains("u:p"), "{document:?}");
    }
    assert_eq!(
        set(server),
        [
            &format!("--etcd-cafile={pki}/etcd/ca.crt"),
            &format!("--etcd-certfile={pki}/apiserver-etcd-client.crt"),
            &format!("--etcd-keyfile={pki}/apiserver-etcd-client.key"),
            "--etcd-servers=https://127.0.0.1:2379",
        ]
    );
    assert!(server.comment.contains("--etcd-servers=http://127.0.0.1:2379"), "{}", server.comment);
}

#[test]
fn every_address_is_rewritten_in_its_own_form() {
    for (name, before, after) in [
        (SERVERS, "http://a:1,https://b:2,unix:///s@x", "https://a:1,https://b:2,unix:///s@x"),
        (OVERRIDES, "/events#http://u:p@a:1;https://b:2", "/events#https://a:1;https://b:2"),
        ("initial-cluster", "a=http://a:1,b=https://b:2", "a=https://a:1,b=https://b:2"),
        ("listen-peer-urls", "10.0.0.1:1,http://[::1]:2", "https://10.0.0.1:1,https://[::1]:2"),
    ] {
        assert_eq!(remedy::secured(name, before), after);
    }
}

#[test]
fn certificates_that_are_not_kubeadms_are_left_to_a_person() {
    let left = |yaml: &str| {
        let inventory = inventory(yaml);
        assert_eq!(assert_remedied(ID, &inventory, &Parameters::default()), Fail);
        let remediation = evaluated(ID, &inventory, &Parameters::default()).remediation;
        assert!(remediation.documents.is_empty(), "{:?}", remediation.documents);
        remediation.remaining[0].task.clone()
    };
    assert!(left(&cluster(&ETCD.replace(" --key-file=k", ""), API)).contains("--key-file"));
    let external = pod("kube-apiserver", "a", &API.replace("https://127.0.0.1", "http://10.9.9.9"), "");
    assert!(left(&external).contains("etcd.external"));
    let script = cluster(ETCD, API)
        .replace("[\"etcd\", ", "[\"sh\", \"-c\", \"exec etcd --auto-tls --cert-file=c\", ");
    assert!(left(&script).contains("script"));
    let credential = API.replace("https://127.0.0.1", "http://u:p@127.0.0.1");
    let two = cluster(ETCD, &credential) + &pod("kube-apiserver", "kube-apiserver-2", API, "");
    assert!(left(&two).contains("holds a credential"));
    let kops =
        "---\napiVersion: v1\nkind: Node\nmetadata: {name: node-1, labels: {kops.k8s.io/instancegroup: g}}\n";
    assert!(left(&(cluster("etcd", API) + kops)).contains("https://kops.sigs.k8s.io/"));
    let rke2 =
        "---\napiVersion: v1\nkind: Node\nmetadata: {name: node-1}\nspec: {providerID: 'rke2://node-1'}\n";
    assert!(left(&(cluster(ETCD, &API.replace("https:", "http:")) + rke2)).contains("/etc/rancher/rke2"));
}

#[test]
fn minikube_has_kubeadms_files_elsewhere() {
    let node =
        "---\napiVersion: v1\nkind: Node\nmetadata: {name: node-1, labels: {minikube.k8s.io/name: m}}\n";
    let documents = documents(&(cluster("etcd", API) + node));
    assert!(set(&documents[0])[0].contains("/var/lib/minikube/certs/etcd/server.crt"));
}
