use crate::support::{DEPLOYMENT, Folder};
use rampart_shared::{Basis, GapReason, Outcome, ScanReport, Source};
use std::{
    io::Write,
    process::{Command, Stdio},
};

fn report(json: &str) -> ScanReport {
    serde_json::from_str(json).unwrap()
}

#[test]
fn a_folder_is_a_cluster_that_falls_short() {
    let folder = Folder::new();
    folder.write("shop/deployment.yaml", DEPLOYMENT);
    let ended = folder.run(&["scan", "shop", "--assume-complete", "--format", "json"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(1), ""));
    let report = report(&ended.stdout);
    assert_eq!(report.schema, "rampart.scan/v1");
    assert_eq!(report.catalogue, rampart_checklist::CATALOGUE);
    let shop = &report.clusters[0];
    assert_eq!((shop.name.as_str(), shop.source, shop.collected_at), ("shop", Source::Snapshot, None));
    let ids: Vec<_> = shop.items.iter().map(rampart_shared::ItemResult::id).collect();
    assert_eq!(ids, rampart_shared::ItemId::ALL);
    let item = shop.items.iter().find(|item| item.id().as_str() == "read-only-root-filesystem").unwrap();
    assert_eq!(item.outcome(), Outcome::Fail);
    assert_eq!((item.evidence().examined, item.evidence().violating), (1, 1));
}

#[test]
fn a_provider_s_control_plane_never_passes_by_silence() {
    let folder = Folder::new();
    folder.write("eks/version.json", r#"{"serverVersion": {"gitVersion": "v1.35.5-eks-3a1b2c4"}}"#);
    folder.write(
        "eks/nodes.yaml",
        "{apiVersion: v1, kind: Node, metadata: {name: n, labels: {eks.amazonaws.com/nodegroup: a}},\n\
         status: {conditions: [{type: Ready, status: 'True'}]}}\n",
    );
    folder.write("eks/deployment.yaml", DEPLOYMENT);
    for assume in [&[][..], &["--assume-complete"]] {
        let ended = folder.run(&[&["scan", "eks", "--format", "json"], assume].concat());
        let items = report(&ended.stdout).clusters.remove(0).items;
        let ids: Vec<_> = items.iter().map(rampart_shared::ItemResult::id).collect();
        assert_eq!((ids.as_slice(), ids.len()), (&rampart_shared::ItemId::ALL[..], 18));
        let item = |id: &str| items.iter().find(|item| item.id().as_str() == id).unwrap();

        let etcd = item("etcd-tls");
        assert_eq!(etcd.outcome(), Outcome::Unknown);
        if !assume.is_empty() {
            let gaps = &etcd.evidence().gaps;
            assert!(gaps.iter().any(|gap| gap.reason == GapReason::ProviderManaged), "{gaps:?}");
        }
        for id in ["kubelet-node-restriction", "api-server-third-party-auth"] {
            let item = item(id);
            let (outcome, basis) = (item.outcome(), item.basis());
            let documented = outcome == Outcome::Pass && basis == Some(Basis::Provider);
            assert!(documented || outcome == Outcome::Unknown, "{id}: {outcome:?} {basis:?}");
            assert_eq!(documented, !assume.is_empty(), "{id}: {outcome:?} {basis:?}");
        }
        for id in ["kubelet-anonymous-auth", "kubelet-webhook-authorization", "kubelet-read-only-port"] {
            assert_ne!(item(id).outcome(), Outcome::Pass, "{id}");
        }
    }
}

#[test]
fn the_table_says_the_same_as_the_json() {
    let folder = Folder::new();
    folder.write("shop/deployment.yaml", DEPLOYMENT);
    let json = report(&folder.run(&["scan", "shop", "--format", "json"]).stdout);
    let table = folder.run(&["scan", "shop"]);
    assert_eq!(table.code, Some(1));
    for item in &json.clusters[0].items {
        let evidence = item.evidence();
        let row =
            table.stdout.lines().find(|line| line.split_whitespace().any(|word| word == item.id().as_str()));
        let words: Vec<_> = row.unwrap().split_whitespace().collect();
        let at = words.iter().position(|word| *word == item.id().as_str()).unwrap();
        assert_eq!(words[0], item.outcome().as_str().split('_').next().unwrap());
        assert_eq!(words[at + 1], evidence.violating.to_string());
        assert_eq!(words[at + 2], evidence.examined.to_string());
        for finding in &evidence.findings {
            assert!(table.stdout.contains(&format!("{} {}", finding.subject.kind, finding.subject.name)));
            assert!(table.stdout.contains(&finding.path));
            assert!(table.stdout.contains(&format!("{} → {}", finding.observed, finding.expected)));
        }
        for gap in &evidence.gaps {
            assert!(table.stdout.contains(gap.kind.as_str()), "{}", gap.kind);
        }
    }
    for line in table.stdout.lines() {
        assert!(line.chars().count() <= 100, "{line}");
    }
}

#[test]
fn the_exit_code_follows_fail_on() {
    let folder = Folder::new();
    folder.write("bad/deployment.yaml", DEPLOYMENT);
    folder.write("unknown/namespace.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: { name: checkout }\n");
    let code = |arguments: &[&str]| folder.run(&[&["scan"], arguments].concat()).code;
    assert_eq!(code(&["bad"]), Some(1));
    assert_eq!(code(&["bad", "--fail-on", "unknown"]), Some(1));
    assert_eq!(code(&["bad", "--fail-on", "never"]), Some(0));
    assert_eq!(code(&["unknown"]), Some(0));
    assert_eq!(code(&["unknown", "--fail-on", "unknown"]), Some(1));
    assert_eq!(code(&["unknown", "--fail-on", "never"]), Some(0));
}

#[test]
fn folders_are_clusters_of_their_own_sorted_by_name() {
    let folder = Folder::new();
    folder.write("west/deployment.yaml", DEPLOYMENT);
    folder.write("east/deployment.yaml", DEPLOYMENT);
    let ended = folder.run(&["scan", "west", "east", "--format", "json"]);
    let names: Vec<_> = report(&ended.stdout).clusters.into_iter().map(|cluster| cluster.name).collect();
    assert_eq!(names, ["east", "west"]);
    folder.run(&["scan", "west", "east", "--name", "both"]).refuses(&["--name both names one cluster"]);
}

#[test]
fn stdin_and_files_are_one_cluster() {
    let folder = Folder::new();
    folder.write("cart.yaml", DEPLOYMENT);
    let mut child = folder
        .command(&["scan", "cart.yaml", "-", "--name", "shop", "--format", "json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let other = DEPLOYMENT.replace("cart", "checkout");
    child.stdin.take().unwrap().write_all(other.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let report = report(std::str::from_utf8(&output.stdout).unwrap());
    assert_eq!(report.clusters.len(), 1);
    assert_eq!(report.clusters[0].name, "shop");
    let item = report.clusters[0].items.iter().find(|item| item.id().as_str() == "seccomp-apparmor").unwrap();
    assert_eq!(item.evidence().violating, 2);
}

#[test]
fn parameters_come_from_the_configuration_in_the_working_folder() {
    let folder = Folder::new();
    folder.write("shop/deployment.yaml", DEPLOYMENT);
    let violating = || {
        let ended = folder.run(&["scan", "shop", "--assume-complete", "--format", "json"]);
        let report = report(&ended.stdout);
        report.clusters[0].items.iter().map(|item| item.evidence().violating).sum::<u32>()
    };
    assert!(violating() > 0);
    folder.write("rampart.toml", "[checklist]\nsystem_namespaces = [\"check*\"]\n");
    assert_eq!(violating(), 0);
}

#[test]
fn names_of_objects_cannot_speak_to_the_terminal() {
    let folder = Folder::new();
    let name = "cart\\u001b[31m\\nPASS";
    folder.write("shop/deployment.yaml", &DEPLOYMENT.replace("name: cart,", &format!("name: \"{name}\",")));
    let table = folder.run(&["scan", "shop"]).stdout;
    assert!(!table.contains('\u{1b}'), "{table}");
    assert!(table.contains(r"cart\u{1b}[31m\nPASS"), "{table}");
}

#[test]
fn a_reader_that_stops_reading_causes_no_panic() {
    let folder = Folder::new();
    for number in 0..200 {
        folder.write(
            &format!("shop/{number}.yaml"),
            &DEPLOYMENT.replace("name: cart,", &format!("name: cart-{number},")),
        );
    }
    let mut child =
        folder.command(&["scan", "shop"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[test]
fn help_names_the_exit_codes() {
    let help = Command::new(env!("CARGO_BIN_EXE_rampart")).args(["scan", "--help"]).output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    assert!(
        help.contains("0 if the checklist holds, 1 if it falls short, 2 if something could not be"),
        "{help}"
    );
}
