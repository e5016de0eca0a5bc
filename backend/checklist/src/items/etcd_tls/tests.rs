use super::*;
use crate::testing::{assert_findings, inventory, outcome, result};
use crate::{Parameters, evaluate};
use rampart_shared::Outcome::{self, Fail, NotApplicable, Pass, Unknown};

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

#[test]
fn the_remedy_turns_it_green() {
    let etcd = "etcd --auto-tls --listen-client-urls=http://10.0.0.1:2379";
    let api = "kube-apiserver --etcd-servers=http://10.0.0.1:2379";
    let items = evaluate(&inventory(&cluster(etcd, api)), &Parameters::default()).unwrap();
    let remediation = &items.iter().find(|item| item.result.id() == ID).unwrap().remediation;
    let arguments = |document: &RemediationDocument| -> String {
        let value: Value = document.object.clone();
        let list =
            value["etcd"]["local"]["extraArgs"].as_array().or(value["apiServer"]["extraArgs"].as_array());
        let list = list.unwrap().iter();
        list.map(|a| format!(" --{}={}", a["name"].as_str().unwrap(), a["value"].as_str().unwrap())).collect()
    };
    let [first, second] = &remediation.documents[..] else { panic!("{:?}", remediation.documents) };
    let green =
        cluster(&format!("{etcd}{}", arguments(first)), &format!("kube-apiserver{}", arguments(second)));
    assert_findings(ID, &green, Pass, &[]);
}
