use crate::Parameters;
use crate::inventory::{Inventory, Kind, NetworkPolicySpec, Pod};
use crate::network::{Peer, Protocol, Reachability};
use crate::remedy::{chosen, identity, simulate, yaml};
use crate::testing::{assert_remedied, evaluated, inventory};
use crate::workloads::View;
use rampart_shared::{ItemId, Outcome, Remediation, RemediationDocument, RemediationTarget};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const BOTH: [ItemId; 2] = [ItemId::NetworkPoliciesRestrictPods, ItemId::DefaultDeny];
const PLUGIN: &str = "{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: net, namespace: kube-system}, spec: {template: {spec: {containers: [{name: a, image: 'registry.k8s.io/networking/kube-network-policies:v0.9.0'}]}}}}";
const CILIUM: &str = "quay.io/cilium/cilium:v1.18.0";

/// Three namespaces; of `shop` nothing is isolated.
const CLUSTER: &str = "
{apiVersion: v1, kind: Namespace, metadata: {name: shop}}
---
{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, labels: {app: web}}, spec: {serviceAccountName: web, containers: [{name: c, ports: [{name: http, containerPort: 8080}, {containerPort: 9090}]}]}, status: {phase: Running, podIPs: [{ip: 10.1.0.1}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: edge, namespace: shop, labels: {app: edge}}, spec: {automountServiceAccountToken: false, containers: [{name: c}]}, status: {phase: Running, podIPs: [{ip: 10.1.0.2}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: operator, namespace: shop, labels: {app: operator, pod-template-hash: x}}, spec: {serviceAccountName: operator, containers: [{name: c}]}, status: {phase: Running, podIPs: [{ip: 10.1.0.3}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: till, namespace: bank, labels: {app: till}}, spec: {automountServiceAccountToken: false, containers: [{name: c}]}, status: {phase: Running, podIPs: [{ip: 10.1.1.1}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: dns, namespace: kube-system, labels: {k8s-app: kube-dns}}, spec: {containers: [{name: c}]}, status: {phase: Running, podIPs: [{ip: 10.1.2.1}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {selector: {app: web}, ports: [{port: 80, targetPort: http}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: edge, namespace: shop}, spec: {type: LoadBalancer, selector: {app: edge}, ports: [{port: 443, targetPort: 8443}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: hook, namespace: shop}, spec: {selector: {app: operator}, ports: [{name: hook, port: 443, targetPort: 9443}, {name: metrics, port: 8081}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: ledger, namespace: shop}, spec: {ports: [{port: 5432}]}}
---
{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: ledger-x, namespace: shop, labels: {kubernetes.io/service-name: ledger}}, endpoints: [{addresses: [198.51.100.7]}], ports: [{port: 5433}]}
---
{apiVersion: v1, kind: Service, metadata: {name: kube-dns, namespace: kube-system}, spec: {clusterIPs: [10.96.0.10], selector: {k8s-app: kube-dns}, ports: [{name: dns, port: 53, protocol: UDP, targetPort: 1053}, {name: metrics, port: 9153}]}}
---
{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: kube-dns-x, namespace: kube-system, labels: {kubernetes.io/service-name: kube-dns}}, endpoints: [{addresses: [10.1.2.1], targetRef: {kind: Pod, name: dns, namespace: kube-system}}], ports: [{name: dns, port: 1053, protocol: UDP}, {name: metrics, port: 9153}]}
---
{apiVersion: v1, kind: Service, metadata: {name: kubernetes, namespace: default}, spec: {ports: [{name: https, port: 443, targetPort: 6443}]}}
---
{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: kubernetes, namespace: default, labels: {kubernetes.io/service-name: kubernetes}}, endpoints: [{addresses: [172.18.0.2]}, {addresses: ['fd00::2']}], ports: [{name: https, port: 6443}]}
---
{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: hook}, webhooks: [{name: a.example.com, clientConfig: {service: {name: hook, namespace: shop}}}]}
---
{apiVersion: v1, kind: Pod, metadata: {name: injector, namespace: shop, labels: {app: injector}}, spec: {automountServiceAccountToken: false, containers: [{name: c}]}, status: {phase: Running, podIPs: [{ip: 10.1.0.4}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: injector, namespace: shop}, spec: {selector: {app: injector}, ports: [{port: 8443, targetPort: 9444}]}}
---
{apiVersion: admissionregistration.k8s.io/v1, kind: MutatingWebhookConfiguration, metadata: {name: injector}, webhooks: [{name: a.example.com, clientConfig: {service: {name: injector, namespace: shop, port: 8443}}}]}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: operator}, rules: [{apiGroups: [''], resources: [pods], verbs: [list]}]}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: operator}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: operator}, subjects: [{kind: ServiceAccount, name: operator, namespace: shop}]}
";

fn cluster(more: &[&str]) -> Inventory {
    inventory(&[&[PLUGIN, CLUSTER], more].concat().join("\n---\n"))
}

fn remedy(id: ItemId, seen: &Inventory) -> Remediation {
    evaluated(id, seen, &Parameters::default()).remediation
}

/// The documents with the defaults of their inputs.
fn documents(remediation: &Remediation) -> Vec<RemediationDocument> {
    let chosen = |document: &RemediationDocument| RemediationDocument {
        object: chosen(document, &remediation.inputs, |_| None).unwrap(),
        ..document.clone()
    };
    remediation.documents.iter().map(chosen).collect()
}

fn names(remediation: &Remediation) -> Vec<String> {
    let name = |document: &RemediationDocument| {
        let [_, kind, namespace, name] = identity(&document.object);
        let kind = if kind == "NetworkPolicy" { "" } else { kind };
        format!("{kind} {namespace}/{name}").trim().to_owned()
    };
    remediation.documents.iter().map(name).collect()
}

/// From a pod or an address to a pod or an address.
fn reach(seen: &Inventory, from: &str, to: &str, port: u16, protocol: Protocol) -> Option<bool> {
    let parameters = Parameters::default();
    let view = View::new(seen, &parameters);
    let network = &view.network().policies;
    let pod = |name: &str| -> Option<&Pod> {
        seen.pods.seen.iter().find(|pod| pod.meta.name == name).map(|pod| &**pod)
    };
    let reached = match (pod(from), pod(to)) {
        (Some(from), Some(to)) => network.reachable(Peer::Pod(from), to, port, protocol),
        (None, Some(to)) => network.reachable(Peer::Address(from.parse().unwrap()), to, port, protocol),
        (Some(from), None) => network.reaches_address(from, to.parse().unwrap(), port, protocol),
        (None, None) => panic!("{from} to {to}"),
    };
    match reached {
        Reachability::Allowed => Some(true),
        Reachability::Denied { .. } => Some(false),
        Reachability::Undecided(_) => None,
    }
}

/// `from to port[/UDP]`, all reached before, and after as said.
fn assert_reached(seen: &Inventory, connections: &[(&str, bool)]) {
    let parameters = Parameters::default();
    let after = simulate(&View::new(seen, &parameters), &documents(&remedy(ItemId::DefaultDeny, seen)));
    for (connection, expected) in connections {
        let [from, to, port]: [&str; 3] = connection.split(' ').collect::<Vec<_>>().try_into().unwrap();
        let (port, protocol) = match port.strip_suffix("/UDP") {
            Some(port) => (port, Protocol::Udp),
            None => (port, Protocol::Tcp),
        };
        let port = port.parse().unwrap();
        assert_eq!(reach(seen, from, to, port, protocol), Some(true), "before: {connection}");
        assert_eq!(reach(&after, from, to, port, protocol), Some(*expected), "after: {connection}");
    }
}

#[test]
fn what_is_evidently_used_is_reached_and_nothing_else_is() {
    let seen = cluster(&[]);
    assert_reached(
        &seen,
        &[
            ("till web 8080", true),
            ("edge web 8080", true),
            ("till web 9090", false),
            ("edge web 9090", false),
            ("192.0.2.1 web 8080", false),
            ("192.0.2.1 edge 8443", true),
            ("192.0.2.1 edge 443", false),
            ("192.0.2.1 operator 9443", true),
            ("192.0.2.1 operator 8081", false),
            ("192.0.2.1 injector 9444", true),
            ("till operator 8081", true),
            ("till dns 1053/UDP", true),
            ("till dns 53/UDP", false),
            ("till dns 22", false),
            ("operator 172.18.0.2 6443", true),
            ("operator fd00::2 6443", true),
            ("operator 172.18.0.2 443", false),
            ("operator 172.18.0.3 6443", false),
            // Nothing is bound to its account.
            ("web 172.18.0.2 6443", false),
            ("web 198.51.100.7 5433", true),
            ("till 198.51.100.7 5433", false),
            ("web 192.0.2.1 443", false),
            ("web 169.254.20.10 53/UDP", false),
        ],
    );
    for id in BOTH {
        assert_eq!(assert_remedied(id, &seen, &Parameters::default()), Outcome::Pass);
        assert!(remedy(id, &seen).remaining.is_empty());
    }
}

#[test]
fn a_cache_of_dns_on_the_node_is_reached_at_both_its_addresses() {
    let cache = "{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: node-local-dns, namespace: kube-system}, spec: {template: {spec: {containers: [{name: a}]}}}}";
    assert_reached(
        &cluster(&[cache]),
        &[("web 169.254.20.10 53/UDP", true), ("web 10.96.0.10 53", true), ("web 169.254.20.10 80", false)],
    );
}

#[test]
fn ingress_controllers_on_the_network_of_their_node_reach_services() {
    let controller = "{apiVersion: v1, kind: Pod, metadata: {name: door, namespace: kube-system}, spec: {hostNetwork: true, containers: [{name: c, ports: [{containerPort: 80}]}]}, status: {phase: Running, podIPs: [{ip: 172.18.0.9}]}}";
    let seen = cluster(&[controller]);
    assert_reached(
        &seen,
        &[("172.18.0.9 web 8080", true), ("172.18.0.9 web 9090", false), ("172.18.0.8 web 8080", false)],
    );
}

#[test]
fn an_ambient_mesh_keeps_its_tunnel_and_its_probes() {
    let labelled = "{apiVersion: v1, kind: Pod, metadata: {name: meshed, namespace: shop, labels: {istio.io/dataplane-mode: ambient}}, spec: {containers: [{name: c}]}, status: {phase: Running, podIPs: [{ip: 10.1.0.9}]}}";
    assert_reached(
        &cluster(&[labelled]),
        &[
            ("meshed web 15008", true),
            ("till web 15008", false),
            ("169.254.7.127 web 9090", true),
            ("192.0.2.1 web 15008", false),
        ],
    );
}

#[test]
fn both_items_ask_for_the_same_objects() {
    let seen = cluster(&[
        "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: open, namespace: bank}, spec: {podSelector: {}, policyTypes: [Ingress, Egress], ingress: [{}], egress: [{}]}}",
    ]);
    let [pods, namespaces] = BOTH.map(|id| remedy(id, &seen));
    let shared: Vec<_> = pods
        .documents
        .iter()
        .map(|one| {
            namespaces
                .documents
                .iter()
                .find(|other| identity(&one.object) == identity(&other.object))
                .unwrap()
        })
        .collect();
    assert!(shared.len() > 4, "{:?}", names(&pods));
    for (one, other) in pods.documents.iter().zip(shared) {
        if one.target == RemediationTarget::NewObject {
            assert_eq!(one, other);
        } else {
            assert_eq!(one.object["spec"]["ingress"], other.object["spec"]["ingress"]);
            assert_eq!(one.object["spec"]["policyTypes"], other.object["spec"]["policyTypes"]);
        }
    }
    assert_eq!(
        names(&pods),
        [
            "shop/allow-ingress-edge",
            "shop/allow-ingress-hook",
            "shop/allow-ingress-injector",
            "shop/allow-ingress-web",
            "shop/default-deny-ingress",
            "bank/open",
        ]
    );
    let all: BTreeSet<String> = names(&namespaces).into_iter().collect();
    assert_eq!(all.len(), namespaces.documents.len(), "each object once");
}

#[test]
fn names_that_are_taken_stay_as_they_are() {
    let there: Vec<String> = ["default-deny-ingress", "default-deny-ingress-rampart", "allow-ingress-web"]
        .map(|name| format!("{{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {{name: {name}, namespace: shop}}, spec: {{podSelector: {{matchLabels: {{a: b}}}}}}}}"))
        .to_vec();
    let there: Vec<&str> = there.iter().map(String::as_str).collect();
    let seen = cluster(&there);
    let found = names(&remedy(ItemId::DefaultDeny, &seen));
    assert!(found.contains(&"shop/default-deny-ingress-rampart-rampart".to_owned()), "{found:?}");
    assert!(found.contains(&"shop/allow-ingress-web-rampart".to_owned()), "{found:?}");
    assert_eq!(assert_remedied(ItemId::DefaultDeny, &seen, &Parameters::default()), Outcome::Pass);
}

#[test]
fn what_is_said_already_is_not_said_again() {
    let allow = "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: mine, namespace: shop}, spec: {podSelector: {matchLabels: {app: edge}}, policyTypes: [Ingress], ingress: [{ports: [{protocol: TCP, port: 8443}]}]}}";
    let found = names(&remedy(ItemId::DefaultDeny, &cluster(&[allow])));
    assert!(found.contains(&"shop/allow-ingress-web".to_owned()), "{found:?}");
    assert!(!found.contains(&"shop/allow-ingress-edge".to_owned()), "{found:?}");
}

#[test]
fn the_api_server_is_asked_for_where_it_was_not_seen() {
    let mut seen = cluster(&[]);
    seen.endpoint_slices.seen.clear();
    let remediation = remedy(ItemId::DefaultDeny, &seen);
    assert_eq!(remediation.inputs.len(), 1);
    let asking: Vec<_> =
        remediation.documents.iter().filter(|document| !document.choices.is_empty()).collect();
    assert_eq!(asking.len(), 1);
    let answered = chosen(asking[0], &remediation.inputs, |_| Some("203.0.113.0/28".to_owned())).unwrap();
    assert_eq!(answered["spec"]["egress"][0]["to"], json!([{ "ipBlock": { "cidr": "203.0.113.0/28" } }]));
    assert_reached(
        &seen,
        &[("operator 192.0.2.1 6443", true), ("operator 192.0.2.1 80", false), ("web 192.0.2.1 443", false)],
    );
}

#[test]
fn cilium_has_a_word_of_its_own_for_the_api_server() {
    let cilium = PLUGIN.replace("registry.k8s.io/networking/kube-network-policies:v0.9.0", CILIUM);
    let seen = inventory(&format!("{cilium}\n---\n{CLUSTER}"));
    let remediation = remedy(ItemId::DefaultDeny, &seen);
    let own: Vec<&Value> = remediation
        .documents
        .iter()
        .map(|document| &document.object)
        .filter(|object| object["kind"] == "CiliumNetworkPolicy")
        .collect();
    assert_eq!(own.len(), 1);
    assert_eq!(
        own[0]["spec"],
        json!({ "endpointSelector": { "matchLabels": { "app": "operator" } }, "egress": [{ "toEntities": ["kube-apiserver"] }] })
    );
    for id in BOTH {
        assert_eq!(assert_remedied(id, &seen, &Parameters::default()), Outcome::Pass);
    }
}

#[test]
fn what_allows_everything_is_taken_out_and_can_be_put_back() {
    let open = |rules: &str| {
        format!(
            "{{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {{name: open, namespace: shop}}, spec: {{podSelector: {{}}, policyTypes: [Ingress, Egress], ingress: {rules}}}}}"
        )
    };
    let pods = "{from: [{podSelector: {}}], ports: [{protocol: TCP, port: 1, endPort: 9}]}";
    let range = "{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}]}";
    for (rules, kept) in [
        (format!("[{{}}, {pods}, {range}]"), 2),
        (format!("[{{from: [{{ipBlock: {{cidr: 0.0.0.0/1}}}}]}}, {{from: [{{ipBlock: {{cidr: 128.0.0.0/1}}}}]}}, {pods}]"), 1),
        ("[{ports: [{protocol: TCP}]}, {ports: [{protocol: UDP}]}, {ports: [{protocol: SCTP}]}, {ports: [{port: 80}]}]".to_owned(), 1),
    ] {
        let seen = cluster(&[&open(&rules)]);
        for id in BOTH {
            assert_eq!(assert_remedied(id, &seen, &Parameters::default()), Outcome::Pass, "{rules}");
        }
        let remediation = remedy(ItemId::DefaultDeny, &seen);
        let applied = remediation.documents.iter().find(|one| one.target == RemediationTarget::Apply).unwrap();
        assert_eq!(applied.object["spec"]["ingress"].as_array().unwrap().len(), kept, "{rules}");
        let parameters = Parameters::default();
        let after = simulate(&View::new(&seen, &parameters), [applied]);
        let undone = RemediationDocument { object: applied.undo.clone().unwrap(), ..applied.clone() };
        let back = simulate(&View::new(&after, &parameters), [&undone]);
        assert_eq!(back.network_policies.seen, seen.network_policies.seen, "{rules}");
    }
}

#[test]
fn what_other_policies_open_is_left_to_a_person_by_name() {
    let admin = "{apiVersion: policy.networking.k8s.io/v1alpha1, kind: AdminNetworkPolicy, metadata: {name: all}, spec: {priority: 1, subject: {namespaces: {}}, ingress: [{action: Allow, from: [{namespaces: {}}]}]}}";
    let seen = cluster(&[admin]);
    for id in BOTH {
        assert_remedied(id, &seen, &Parameters::default());
        let remaining = remedy(id, &seen).remaining;
        let command = "kubectl delete adminnetworkpolicies.policy.networking.k8s.io all";
        assert!(
            remaining.iter().all(|left| left.task.contains(command)) && !remaining.is_empty(),
            "{remaining:?}"
        );
    }
    // Egress is closed all the same.
    assert!(names(&remedy(ItemId::DefaultDeny, &seen)).contains(&"shop/default-deny-egress".to_owned()));

    let cilium = PLUGIN.replace("registry.k8s.io/networking/kube-network-policies:v0.9.0", CILIUM);
    for spec in [
        "{endpointSelector: {}, ingress: [{fromEntities: [all]}]}",
        "{endpointSelector: {}, enableDefaultDeny: {ingress: false}, ingress: [{fromEntities: [all]}]}",
        "{endpointSelector: {matchLabels: {app: web}}, enableDefaultDeny: {ingress: false}, ingress: [{fromEntities: [all]}]}",
    ] {
        let own = format!(
            "{{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {{name: all, namespace: shop}}, spec: {spec}}}"
        );
        let seen = inventory(&[&cilium, CLUSTER, &own].join("\n---\n"));
        for id in BOTH {
            assert_remedied(id, &seen, &Parameters::default());
            let remaining = remedy(id, &seen).remaining;
            let command = "kubectl delete ciliumnetworkpolicies.cilium.io --namespace shop all";
            assert!(remaining.iter().any(|left| left.task.contains(command)), "{id} {spec} {remaining:?}");
        }
    }
}

#[test]
fn policies_that_cilium_leaves_out_of_account_are_not_added() {
    let cilium = PLUGIN.replace("registry.k8s.io/networking/kube-network-policies:v0.9.0", CILIUM);
    let map = "{apiVersion: v1, kind: ConfigMap, metadata: {name: cilium-config, namespace: kube-system}, data: {enable-k8s-networkpolicy: 'false'}}";
    let seen = inventory(&[&cilium, CLUSTER, map].join("\n---\n"));
    for id in BOTH {
        let remediation = remedy(id, &seen);
        assert!(remediation.documents.is_empty());
        assert!(remediation.remaining[0].task.contains("enable-k8s-networkpolicy"));
        assert_remedied(id, &seen, &Parameters::default());
    }
}

#[test]
fn the_table_tells_before_and_after() {
    let seen = cluster(&[]);
    let table = &remedy(ItemId::DefaultDeny, &seen).tables[0];
    let rows: Vec<String> = table.rows.iter().map(|row| row.join(" | ")).collect();
    for expected in [
        "bank/till | shop/web | 8080/TCP | allowed | allowed",
        "bank/till | shop/web | 9090/TCP | allowed | denied",
        "outside the cluster | shop/edge | 8443/TCP | allowed | allowed",
        "shop/web | DNS | 1053/UDP | allowed | allowed",
        "shop/operator | API server | 6443/TCP | allowed | allowed",
        "shop/web | API server | 6443/TCP | allowed | denied",
        "shop/web | outside the cluster | 443/TCP | allowed | denied",
    ] {
        assert!(rows.iter().any(|row| row == expected), "{expected}: {rows:#?}");
    }
    let mut many = seen.clone();
    let till = many.pods.seen.iter().find(|pod| pod.meta.name == "till").unwrap().clone();
    for number in 0..90 {
        let mut pod = (*till).clone();
        pod.meta.name = format!("till-{number}");
        many.pods.seen.push(pod.into());
    }
    let table = &remedy(ItemId::DefaultDeny, &many).tables[0];
    assert_eq!(table.rows.len(), 100);
    assert!(table.more > 0);
    assert_eq!(*table, remedy(ItemId::DefaultDeny, &many).tables[0]);
}

#[test]
fn names_that_look_like_yaml_stay_names() {
    for name in ["y", "a: b", "--- x", "{{ x }}", "*a", "é\u{2028}'\"", "$(reboot)", "no"] {
        let mut seen = cluster(&[]);
        for pod in seen.pods.seen.iter_mut().filter(|pod| pod.meta.namespace == "shop") {
            std::sync::Arc::make_mut(pod).meta.namespace = name.to_owned();
        }
        for service in seen.services.seen.iter_mut().filter(|service| service.meta.namespace == "shop") {
            service.meta.namespace = name.to_owned();
            service.meta.name = format!("{name}-{}", service.meta.name);
        }
        for id in BOTH {
            assert_eq!(assert_remedied(id, &seen, &Parameters::default()), Outcome::Pass, "{name}");
            let remediation = remedy(id, &seen);
            assert!(remediation.documents.iter().any(|one| one.object["metadata"]["namespace"] == name));
            for document in &remediation.documents {
                let back: Value = serde_saphyr::from_str(&yaml(&document.object)).unwrap();
                assert_eq!(back, document.object, "{name}");
            }
        }
    }
}

#[test]
fn every_policy_is_one_that_the_api_takes() {
    let remediation = remedy(ItemId::DefaultDeny, &cluster(&[]));
    assert!(remediation.documents.iter().all(|one| one.object["kind"] == Kind::NetworkPolicies.kind()));
    for document in &remediation.documents {
        let spec = &document.object["spec"];
        let read = NetworkPolicySpec::deserialize(spec).unwrap();
        // Nothing that is written is lost in reading: every field is known.
        let mut written = json!({ "podSelector": read.pod_selector, "policyTypes": read.policy_types });
        for (field, rules) in [("ingress", &read.ingress), ("egress", &read.egress)] {
            if spec.get(field).is_some() {
                written[field] = json!(rules);
            }
        }
        assert_eq!(written, *spec);
    }
}
