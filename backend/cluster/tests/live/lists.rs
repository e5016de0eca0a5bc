//! Discovery and lists.

use crate::server::{BUILT_IN, Reply, Server, groups, list, options, pod, resources, started_at};
use rampart_checklist::Kind;
use rampart_cluster::live::{CollectOptions, Collected, Progress};
use rampart_shared::{Gap, GapReason, Source};
use serde_json::json;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const SWITCHED_OFF: [Kind; 4] =
    [Kind::KubeletConfigz, Kind::ApiServerFlagz, Kind::ApiServerMetrics, Kind::AdmissionProbe];
const PODS: &str = "GET /api/v1/pods";

/// The one gap of a kind.
fn gap(collected: &Collected, kind: Kind) -> &Gap {
    let [gap] = collected.inventory.gaps(kind) else {
        panic!("one gap: {:?}", collected.inventory.gaps(kind))
    };
    gap
}

fn names(collected: &Collected) -> Vec<&str> {
    collected.inventory.pods.seen.iter().map(|pod| pod.meta.name.as_str()).collect()
}

#[tokio::test]
async fn a_well_cluster_has_no_gap_but_what_is_switched_off() {
    let server = Server::start().await;
    server.on(PODS, [list("Pod", &[pod("a")], "")]);
    let map = json!({"metadata": {"name": "kubelet-config", "namespace": "kube-system"},
        "data": {"kubelet": "readOnlyPort: 10255\n"}});
    server.on("GET /api/v1/configmaps", [list("ConfigMap", &[map], "")]);
    let collected = server.collect(&options()).await.unwrap();
    let inventory = &collected.inventory;
    for gap in inventory.all_gaps() {
        assert_eq!(gap.reason, GapReason::NotCollected, "{gap:?}");
    }
    let gaps = Kind::ALL.into_iter().filter(|kind| !inventory.gaps(*kind).is_empty());
    assert_eq!(gaps.collect::<Vec<_>>(), SWITCHED_OFF);
    assert_eq!(inventory.source, Source::Live);
    assert_eq!(inventory.collected_at, Some(started_at()));
    assert_eq!(inventory.identity.as_deref(), Some("uid-1"));
    assert_eq!(inventory.version.as_deref(), Some("v1.36.3"));
    assert_eq!(inventory.config_maps.seen.len(), 1);
    let pods = collected.read.iter().find(|read| read.kind == Kind::Pods).unwrap();
    assert_eq!((pods.objects, pods.pages, pods.refused), (1, 1, false));
    assert!(pods.bytes > 100);
    assert_eq!((pods.verb, pods.path.as_str()), ("list", "/api/v1/pods"));
    let [discovery] = collected.besides.as_slice() else { panic!("{:?}", collected.besides) };
    assert_eq!((discovery.name, discovery.verb), ("discovery", "get"));
    assert!(discovery.requests > 2 && discovery.bytes > 100, "{discovery:?}");
    assert!(collected.not_served.iter().all(|kind| kind.is_optional()), "{:?}", collected.not_served);
    assert!(collected.not_served.contains(&Kind::CiliumNetworkPolicies));
}

#[tokio::test]
async fn pages_follow_each_other_and_replicas_share() {
    let server = Server::start().await;
    server
        .on(PODS, [list("Pod", &[pod("a"), pod("b")], "a/+=")])
        .on("GET /api/v1/pods?limit=2&continue=a%2F%2B%3D", [list("Pod", &[pod("c")], "")]);
    let options = CollectOptions { page_size: 2, ..options() };
    let collected = server.collect(&options).await.unwrap();
    assert_eq!(names(&collected), ["a", "b", "c"]);
    let pods = &collected.inventory.pods;
    assert!(pods.is_complete());
    assert!(Arc::ptr_eq(&pods.seen[0].spec, &pods.seen[2].spec));
    assert!(Arc::ptr_eq(&pods.seen[0].meta.labels, &pods.seen[2].meta.labels));
    let read = collected.read.iter().find(|read| read.kind == Kind::Pods).unwrap();
    assert_eq!((read.objects, read.pages), (3, 2));
}

#[tokio::test]
async fn an_expired_continuation_begins_the_list_again() {
    let server = Server::start().await;
    let gone = Reply::status(410, "The provided continue parameter is too old");
    server
        .on(PODS, [list("Pod", &[pod("a"), pod("gone-meanwhile")], "x"), list("Pod", &[pod("a")], "x")])
        .on("GET /api/v1/pods?limit=500&continue=x", [gone.clone(), list("Pod", &[pod("b")], "")]);
    let collected = server.collect(&options()).await.unwrap();
    assert_eq!(names(&collected), ["a", "b"]);
    assert!(collected.inventory.pods.is_complete());

    server.on("GET /api/v1/pods?limit=500&continue=x", [gone]);
    let before = server.asked_times(PODS);
    let collected = server.collect(&options()).await.unwrap();
    assert_eq!(gap(&collected, Kind::Pods).reason, GapReason::Failed);
    assert_eq!(server.asked_times(PODS) - before, 8, "four beginnings, each with its continuation");
}

#[tokio::test]
async fn refusals_become_gaps_with_the_servers_words() {
    let server = Server::start().await;
    let words = r#"pods is forbidden: User "rampart" cannot list resource "pods" in API group "" at the cluster scope"#;
    server
        .on(PODS, [Reply::status(403, words)])
        .on("GET /apis/apps/v1/deployments", [Reply::status(404, "not here")])
        .on("GET /api/v1/configmaps", [Reply::status(403, "no")]);
    let collected = server.collect(&options()).await.unwrap();
    let pods = gap(&collected, Kind::Pods);
    assert_eq!((pods.reason, pods.detail.as_str()), (GapReason::Forbidden, words));
    assert!(pods.objects.is_empty());
    assert_eq!(gap(&collected, Kind::Deployments).reason, GapReason::NotServed);
    assert_eq!(gap(&collected, Kind::ConfigMaps).reason, GapReason::Forbidden);
    assert!(collected.read.iter().find(|read| read.kind == Kind::Pods).unwrap().refused);
    assert_eq!(server.asked_times(PODS), 1, "a refusal is not asked again");
    assert!(collected.inventory.jobs.is_complete());
}

#[tokio::test]
async fn what_may_pass_is_tried_again() {
    let server = Server::start().await;
    let full = list("Pod", &[pod("a")], "");
    server.on(
        PODS,
        [Reply::status(500, "etcd changed its leader"), Reply::status(503, "starting"), full.clone()],
    );
    let collected = server.collect(&options()).await.unwrap();
    assert_eq!(names(&collected), ["a"]);
    assert!(collected.inventory.pods.is_complete());

    server.on(PODS, [Reply::With(429, ("retry-after", "3600"), "{}".to_owned()), full.clone()]);
    let collected = server.collect(&options()).await.unwrap();
    assert!(collected.inventory.pods.is_complete(), "a wait of an hour is not waited for");

    server.on(PODS, [Reply::Break("{\"kind\":".to_owned()), full]);
    let collected = server.collect(&options()).await.unwrap();
    assert!(collected.inventory.pods.is_complete());

    server.on(PODS, [Reply::status(500, "etcd is gone")]);
    let before = server.asked_times(PODS);
    let collected = server.collect(&options()).await.unwrap();
    let pods = gap(&collected, Kind::Pods);
    assert_eq!(
        (pods.reason, pods.detail.as_str()),
        (GapReason::Failed, "the API server answered 500: etcd is gone")
    );
    assert_eq!(server.asked_times(PODS) - before, 3);
}

#[tokio::test]
async fn a_failure_after_the_first_page_keeps_what_was_seen() {
    let server = Server::start().await;
    server
        .on(PODS, [list("Pod", &[pod("a")], "x")])
        .on("GET /api/v1/pods?limit=500&continue=x", [Reply::status(500, "no")]);
    let collected = server.collect(&options()).await.unwrap();
    assert_eq!(names(&collected), ["a"]);
    assert_eq!(gap(&collected, Kind::Pods).reason, GapReason::Failed);
}

#[tokio::test]
async fn garbage_is_no_empty_list() {
    let server = Server::start().await;
    for garbage in [
        Reply::Answer(200, "text/html", "<html>log in</html>".to_owned()),
        Reply::Answer(200, "application/json", "{}".to_owned()),
        Reply::Answer(200, "application/json", r#"{"kind":"Status","status":"Success"}"#.to_owned()),
        Reply::Answer(200, "application/json", r#"{"kind":"PodList","items":{}}"#.to_owned()),
        Reply::Answer(200, "application/json", r#"{"kind":"PodList","items":[{"#.to_owned()),
        Reply::Answer(
            200,
            "application/json",
            format!(r#"{{"kind":"PodList","items":{}"#, "[".repeat(100_000)),
        ),
        list("Node", &[], ""),
        list("Pod", &[], "same"),
    ] {
        server.on(PODS, [garbage.clone()]);
        let collected = server.collect(&options()).await.unwrap();
        let gap = gap(&collected, Kind::Pods);
        assert_eq!(gap.reason, GapReason::Failed, "{garbage:?}");
        assert!(gap.detail.starts_with("the answer cannot be used: "), "{gap:?}");
    }
    // Go writes an empty list as null.
    server.on(PODS, [Reply::json(&json!({"kind": "PodList", "items": null}))]);
    assert!(server.collect(&options()).await.unwrap().inventory.pods.is_complete());
}

#[tokio::test]
async fn a_page_beyond_the_bound_is_not_read() {
    let server = Server::start().await;
    server.on(PODS, [list("Pod", &[pod(&"a".repeat(100_000))], "")]);
    let options = CollectOptions { max_page_bytes: 50_000, ..options() };
    let collected = server.collect(&options).await.unwrap();
    assert_eq!(gap(&collected, Kind::Pods).detail, "the answer is larger than 50000 bytes");
}

#[tokio::test]
async fn a_slow_list_costs_its_kind() {
    let server = Server::start().await;
    server.on(PODS, [Reply::Slow(Duration::from_secs(60))]);
    let options = CollectOptions { request_timeout: Duration::from_millis(200), ..options() };
    let collected = server.collect(&options).await.unwrap();
    assert_eq!(gap(&collected, Kind::Pods).detail, "no answer within 200 ms");
    assert!(collected.inventory.deployments.is_complete());

    let options =
        CollectOptions { timeout: Duration::from_millis(600), list_concurrency: 1, ..self::options() };
    let collected = server.collect(&options).await.unwrap();
    assert_eq!(gap(&collected, Kind::Pods).detail, "the run's time ended before the answer came");
}

#[tokio::test]
async fn discovery_says_what_is_not_served() {
    let server = Server::start().await;
    server
        .on(
            "GET /apis",
            [groups(&[("apps", &["v1"]), ("batch", &["v1beta1"]), ("networking.k8s.io", &["v1"])])],
        )
        .on("GET /apis/apps/v1", [resources(&["deployments"])])
        .on("GET /apis/networking.k8s.io/v1", [Reply::status(503, "apiserver not ready")]);
    let collected = server.collect(&options()).await.unwrap();
    assert!(collected.inventory.deployments.is_complete());
    for kind in [Kind::Jobs, Kind::CronJobs, Kind::DaemonSets] {
        assert_eq!(gap(&collected, kind).reason, GapReason::NotServed, "{kind:?}");
        assert_eq!(server.asked_times(&format!("GET /apis/{}/{}", kind.api_version(), kind.resource())), 0);
    }
    let policies = gap(&collected, Kind::NetworkPolicies);
    assert_eq!(policies.reason, GapReason::Failed);
    assert!(policies.detail.contains("discovery of networking.k8s.io/v1 failed"), "{policies:?}");
}

#[tokio::test]
async fn policy_kinds_that_are_not_understood_are_gaps() {
    let server = Server::start().await;
    let mut served = BUILT_IN.to_vec();
    served.push(("cilium.io", &["v2", "v2alpha1"]));
    served.push(("crd.projectcalico.org", &["v1"]));
    served.push(("crd.antrea.io", &["v1beta1"]));
    server
        .on("GET /apis", [groups(&served)])
        .on(
            "GET /apis/cilium.io/v2",
            [resources(&["ciliumnodes", "ciliumnetworkpolicies", "ciliumnetworkpolicies/status"])],
        )
        .on("GET /apis/cilium.io/v2alpha1", [resources(&["ciliumloadbalancerippools"])])
        .on("GET /apis/crd.projectcalico.org/v1", [resources(&["ippools"])])
        .on("GET /apis/crd.antrea.io/v1beta1", [Reply::status(403, "no")]);
    let collected = server.collect(&options()).await.unwrap();
    let gaps: Vec<(&str, GapReason)> = collected
        .inventory
        .other_policy_kinds
        .gaps
        .iter()
        .map(|gap| (gap.kind.as_str(), gap.reason))
        .collect();
    assert_eq!(
        gaps,
        [
            ("networkpolicies.crd.antrea.io", GapReason::Forbidden),
            ("clusternetworkpolicies.crd.antrea.io", GapReason::Forbidden)
        ]
    );
}

/// The server serves these groups, each version with these resources, beside the built-in ones.
fn serve(server: &Server, versions: &[(&'static str, &'static [&'static str], &[&str])]) {
    let mut served = BUILT_IN.to_vec();
    served.extend(versions.iter().map(|(group, versions, _)| (*group, *versions)));
    server.on("GET /apis", [groups(&served)]);
    for (group, versions, names) in versions {
        for version in *versions {
            server.on(&format!("GET /apis/{group}/{version}"), [resources(names)]);
        }
    }
}

fn named(kind: &str, api_version: &str, name: &str) -> serde_json::Value {
    json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": name}})
}

#[tokio::test]
async fn only_custom_resources_that_are_served_are_listed_in_the_best_version() {
    let server = Server::start().await;
    serve(
        &server,
        &[
            ("security.istio.io", &["v1beta1", "v1"], &["peerauthentications", "requestauthentications"]),
            ("external-secrets.io", &["v1alpha1", "v1beta1"], &["externalsecrets"]),
            ("kuma.io", &["v1beta9"], &["meshes"]),
            ("cilium.io", &["v2alpha1"], &["ciliumloadbalancerippools"]),
        ],
    );
    server
        .on(
            "GET /apis/security.istio.io/v1/peerauthentications",
            [list("PeerAuthentication", &[named("PeerAuthentication", "security.istio.io/v1", "a")], "")],
        )
        .on("GET /apis/external-secrets.io/v1beta1/externalsecrets", [Reply::status(404, "gone")]);
    let collected = server.collect(&options()).await.unwrap();
    let found = &collected.inventory.resources(Kind::PeerAuthentications).seen;
    assert_eq!((found.len(), found[0].api_version.as_str()), (1, "security.istio.io/v1"));
    assert_eq!(gap(&collected, Kind::ExternalSecrets).reason, GapReason::NotServed);
    let meshes = gap(&collected, Kind::KumaMeshes);
    assert_eq!(meshes.reason, GapReason::NotServed);
    assert!(meshes.detail.contains("only in v1beta9") && meshes.detail.contains("v1alpha1"), "{meshes:?}");
    for kind in [Kind::CiliumNetworkPolicies, Kind::SealedSecrets, Kind::ClusterExternalSecrets] {
        assert_eq!(collected.inventory.gaps(kind), [], "{kind:?}");
        assert!(!collected.read.iter().any(|read| read.kind == kind), "{kind:?}");
    }
    assert_eq!(server.asked_times("GET /apis/bitnami.com"), 0);
}

#[tokio::test]
async fn a_group_whose_discovery_fails_hides_its_kinds_alone() {
    let server = Server::start().await;
    serve(&server, &[("kyverno.io", &["v1"], &["policies"]), ("cilium.io", &["v2"], &[])]);
    server.on("GET /apis/kyverno.io/v1", [Reply::status(503, "no endpoints")]);
    let collected = server.collect(&options()).await.unwrap();
    for kind in [Kind::KyvernoPolicies, Kind::KyvernoClusterPolicies] {
        assert_eq!(gap(&collected, kind).reason, GapReason::Failed, "{kind:?}");
    }
    assert_eq!(collected.inventory.gaps(Kind::CiliumNetworkPolicies), []);
}

#[tokio::test]
async fn every_kind_of_constraint_is_listed() {
    let server = Server::start().await;
    let api_version = "constraints.gatekeeper.sh/v1beta1";
    serve(
        &server,
        &[(
            "constraints.gatekeeper.sh",
            &["v1alpha1", "v1beta1"],
            &["k8sallowedrepos", "k8sallowedrepos/status", "k8spsp", "../../../api/v1/secrets"],
        )],
    );
    server
        .on(
            "GET /apis/constraints.gatekeeper.sh/v1beta1/k8sallowedrepos",
            [list("K8sAllowedRepos", &[named("K8sAllowedRepos", api_version, "a")], "")],
        )
        .on("GET /apis/constraints.gatekeeper.sh/v1beta1/k8spsp", [Reply::status(403, "no k8spsp")]);
    let collected = server.collect(&options()).await.unwrap();
    let found = &collected.inventory.resources(Kind::GatekeeperConstraints).seen;
    assert_eq!((found.len(), found[0].object_kind.as_str()), (1, "K8sAllowedRepos"));
    assert_eq!(gap(&collected, Kind::GatekeeperConstraints).detail, "no k8spsp");
    let read: Vec<_> =
        collected.read.iter().filter(|read| read.kind == Kind::GatekeeperConstraints).collect();
    assert!(read.len() == 1 && read[0].objects == 1 && read[0].refused, "{read:?}");
    assert!(server.asked().iter().all(|asked| !asked.contains("secrets")));
}

#[tokio::test]
async fn the_same_objects_are_not_listed_twice() {
    let server = Server::start().await;
    let names: &[&str] = &["networkpolicies", "tiers"];
    serve(&server, &[("projectcalico.org", &["v3"], &["tiers"]), ("crd.projectcalico.org", &["v1"], names)]);
    server
        .on("GET /apis/projectcalico.org/v3/tiers", [list("Tier", &[], "")])
        .on("GET /apis/crd.projectcalico.org/v1/networkpolicies", [list("NetworkPolicy", &[], "")]);
    let collected = server.collect(&options()).await.unwrap();
    assert_eq!(server.asked_times("GET /apis/crd.projectcalico.org/v1/tiers"), 0);
    assert_eq!(server.asked_times("GET /apis/crd.projectcalico.org/v1/networkpolicies"), 1);
    for kind in [Kind::CalicoTiers, Kind::CalicoCrdTiers, Kind::CalicoCrdNetworkPolicies] {
        assert_eq!(collected.inventory.gaps(kind), [], "{kind:?}");
    }
}

#[tokio::test]
async fn what_nothing_asked_for_was_not_seen() {
    let server = Server::start().await;
    let options = CollectOptions { kinds: [Kind::Pods].into(), ..options() };
    let collected = server.collect(&options).await.unwrap();
    assert!(collected.inventory.pods.is_complete());
    assert_eq!(collected.inventory.identity.as_deref(), Some("uid-1"));
    assert_eq!(gap(&collected, Kind::Jobs).reason, GapReason::NotCollected);
    assert_eq!(server.asked_times("GET /apis/batch/v1"), 0);
}

#[tokio::test]
async fn progress_counts_to_the_end() {
    let server = Server::start().await;
    let steps = Mutex::new(Vec::new());
    server.collect_with(&options(), |progress: Progress| steps.lock().unwrap().push(progress)).await.unwrap();
    let steps = steps.into_inner().unwrap();
    assert_eq!((steps[0].step.as_str(), steps[0].done), ("discovery", 0));
    let last = steps.last().unwrap();
    assert_eq!(last.done, last.total);
    assert!(steps.windows(2).all(|two| two[0].done <= two[1].done));
}

#[tokio::test]
async fn a_run_can_be_spawned() {
    let server = Server::start().await;
    let connection = server.connection().await;
    let run = tokio::spawn(async move {
        rampart_cluster::live::collect(&connection, &options(), started_at(), |_| {}).await.map(|_| ())
    });
    run.await.unwrap().unwrap();
}
