//! The active admission probe: it asks in dry runs alone, and says what it could not learn.

use crate::server::{Reply, Server, list, options, pod};
use rampart_checklist::{Kind, Parameters, evaluate, rbac};
use rampart_cluster::live::{CollectOptions, Collected};
use rampart_shared::{Gap, GapReason, ItemId, ItemResult, Outcome};
use serde_json::json;

const CREATE: &str = "POST /api/v1/namespaces/shop/pods";
const DEBUG: &str = "PATCH /api/v1/namespaces/shop/pods/web/ephemeralcontainers";
/// Three that decide, and two that are told.
const WEAKNESSES: usize = 5;
const NOT_ALLOWED: &str = "pods is forbidden: User \"system:serviceaccount:rampart:rampart\" cannot create resource \
                           \"pods\" in API group \"\" in the namespace \"shop\"";

fn let_in() -> Reply {
    Reply::json(&json!({"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "rampart-canary"}}))
}

fn refused() -> Reply {
    Reply::status(
        403,
        "pods \"rampart-canary\" is forbidden: ValidatingAdmissionPolicy 'pods' denied request",
    )
}

/// A harmless pod is let in, and then each bad one is answered like this.
fn bad(reply: &Reply) -> Vec<Reply> {
    [vec![let_in()], vec![reply.clone(); WEAKNESSES]].concat()
}

/// The same, with one bad one that is answered otherwise; the first is the privileged one.
fn but(reply: &Reply, index: usize, other: Reply) -> Vec<Reply> {
    let mut replies = bad(reply);
    replies[index + 1] = other;
    replies
}

async fn probed(create: Vec<Reply>, debug: Vec<Reply>) -> (Server, Collected) {
    let server = Server::start().await;
    let mut system = pod("etcd");
    system["metadata"]["namespace"] = json!("kube-system");
    server
        .on("GET /api/v1/pods", [list("Pod", &[pod("web"), system], "")])
        .on(CREATE, create)
        .on(DEBUG, debug);
    let options = CollectOptions { admission_probe: Some(Parameters::default()), ..options() };
    let collected = server.collect(&options).await.unwrap();
    (server, collected)
}

fn item(collected: &Collected) -> ItemResult {
    let items = evaluate(&collected.inventory, &Parameters::default()).unwrap();
    let wanted = |item: &ItemResult| item.id() == ItemId::AdmissionPoliciesEnforced;
    items.into_iter().map(|item| item.result).find(wanted).unwrap()
}

fn gaps(collected: &Collected) -> &[Gap] {
    collected.inventory.gaps(Kind::AdmissionProbe)
}

#[tokio::test]
async fn every_request_is_a_dry_run_and_the_answers_decide_the_item() {
    let (server, collected) = probed([bad(&refused()), bad(&refused())].concat(), bad(&refused())).await;
    let writes: Vec<String> = server.asked().into_iter().filter(|asked| !asked.starts_with("GET ")).collect();
    assert_eq!(writes.len(), 3 * (1 + WEAKNESSES));
    for write in &writes {
        let (_, query) = write.split_once('?').unwrap();
        assert!(query.split('&').any(|parameter| parameter == "dryRun=All"), "{write}");
        assert!(write.starts_with(CREATE) || write.starts_with(DEBUG), "not an application's: {write}");
    }
    assert_eq!(gaps(&collected), []);
    let answers = &collected.inventory.admission_probe.seen;
    assert_eq!(answers.len(), 3 * WEAKNESSES);
    assert!(
        answers.iter().all(|answer| answer.refused.as_deref().is_some_and(|words| words.contains("'pods'")))
    );
    let read = collected.read.iter().find(|read| read.kind == Kind::AdmissionProbe).unwrap();
    assert_eq!((read.pages, read.objects, read.refused), (18, 15, false));
    let item = item(&collected);
    assert_eq!(item.outcome(), Outcome::Pass, "{item:?}");

    // One canary that is let in is enough, whichever form it has.
    for (create, debug) in [
        ([but(&refused(), 0, let_in()), bad(&refused())].concat(), bad(&refused())),
        ([bad(&refused()), but(&refused(), 1, let_in())].concat(), bad(&refused())),
        ([bad(&refused()), bad(&refused())].concat(), but(&refused(), 2, let_in())),
    ] {
        let (_, collected) = probed(create, debug).await;
        let item = self::item(&collected);
        assert_eq!((item.outcome(), item.evidence().findings.len()), (Outcome::Fail, 1), "{item:?}");
    }
}

#[tokio::test]
async fn nothing_follows_where_a_harmless_pod_is_refused() {
    let quota = Reply::status(403, "pods \"rampart-canary\" is forbidden: exceeded quota: compute");
    let (server, collected) = probed(vec![quota.clone()], vec![quota]).await;
    assert_eq!((server.asked_times(CREATE), server.asked_times(DEBUG)), (2, 1));
    assert!(collected.inventory.admission_probe.seen.is_empty());
    assert_eq!(gaps(&collected).len(), 3);
    for gap in gaps(&collected) {
        assert_eq!((gap.reason, gap.objects.as_slice()), (GapReason::NotCollected, &["shop".to_owned()][..]));
        assert!(
            gap.detail.contains("a harmless pod is refused as well") && gap.detail.contains("quota"),
            "{gap:?}"
        );
    }
    assert_ne!(item(&collected).outcome(), Outcome::Pass);
}

#[tokio::test]
async fn what_the_account_may_not_ask_is_skipped_with_the_rule_that_it_lacks() {
    let forbidden = Reply::status(403, NOT_ALLOWED);
    let (server, collected) = probed(vec![forbidden], bad(&refused())).await;
    assert_eq!(server.asked_times(CREATE), 2, "no bad pod is sent");
    assert_eq!(gaps(&collected).len(), 2);
    for gap in gaps(&collected) {
        assert_eq!((gap.reason, gap.rule.clone()), (GapReason::Forbidden, Some(rbac::admission_probe())));
    }
    assert_eq!(collected.inventory.admission_probe.seen.len(), WEAKNESSES, "the others are asked still");
    let read = collected.read.iter().find(|read| read.kind == Kind::AdmissionProbe).unwrap();
    assert!(read.refused);
    assert_ne!(item(&collected).outcome(), Outcome::Pass);
}

#[tokio::test]
async fn a_webhook_without_dry_runs_leaves_its_canary_open() {
    let words = "admission webhook \"pods.acme.example\" does not support dry run";
    let create = [but(&refused(), 0, Reply::status(400, words)), bad(&refused())].concat();
    let (_, collected) = probed(create, bad(&refused())).await;
    let [gap] = gaps(&collected) else { panic!("{:?}", gaps(&collected)) };
    assert_eq!(gap.reason, GapReason::Failed);
    assert!(gap.detail.contains(words), "{gap:?}");
    assert_eq!(collected.inventory.admission_probe.seen.len(), 3 * WEAKNESSES - 1);
    assert_ne!(item(&collected).outcome(), Outcome::Pass);
}
