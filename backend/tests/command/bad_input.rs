//! What is wrong is named, with what to do, and harms nothing else.

use crate::support::{DEPLOYMENT, Folder, closed_port, kubeconfig};
use std::net::TcpListener;

#[test]
fn paths_that_do_not_exist() {
    let folder = Folder::new();
    folder.run(&["scan", "missing"]).refuses(&["missing does not exist"]);
    folder.write("empty/notes.txt", "nothing");
    folder
        .run(&["scan", "empty", "--format", "table"])
        .refuses(&["empty holds no .yaml, .yml or .json file"]);
}

#[test]
fn a_broken_document_costs_itself_and_is_told_with_file_and_line() {
    let folder = Folder::new();
    folder.write("shop/cart.yaml", DEPLOYMENT);
    let broken = format!("{DEPLOYMENT}---\napiVersion: apps/v1\nkind: Deployment\nmetadata: [not, closed\n");
    folder.write("shop/broken.yaml", &broken.replace("name: cart", "name: pay"));
    let ended = folder.run(&["scan", "shop", "--assume-complete", "--format", "json"]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("broken.yaml:"), "{}", ended.stderr);
    let report: rampart_shared::ScanReport = serde_json::from_str(&ended.stdout).unwrap();
    let item = report.clusters[0].items.iter().find(|item| item.id().as_str() == "seccomp-apparmor").unwrap();
    assert!(item.evidence().violating >= 1);
    assert!(item.evidence().gaps.iter().any(|gap| gap.reason == rampart_shared::GapReason::Failed));
}

#[test]
fn one_cluster_that_fails_leaves_the_others_and_wins_the_exit_code() {
    let folder = Folder::new();
    folder.write("shop/cart.yaml", DEPLOYMENT);
    folder.write("empty/notes.txt", "nothing");
    let ended = folder.run(&["scan", "shop", "empty", "--format", "json"]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("empty holds no"), "{}", ended.stderr);
    let report: rampart_shared::ScanReport = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(report.clusters.len(), 1);
}

#[test]
fn kubeconfigs_that_are_missing_malformed_or_without_the_context() {
    let folder = Folder::new();
    let refused = |arguments: &[&str], words: &[&str]| {
        let ended = folder.run(&[&["scan"], arguments].concat());
        assert_eq!(ended.code, Some(2));
        for words in words {
            assert!(ended.stderr.contains(words), "`{words}` is not in: {}", ended.stderr);
        }
    };
    refused(&["--context", "prod", "--kubeconfig", "missing.yaml"], &["missing.yaml"]);
    refused(&["--all-contexts", "--kubeconfig", "missing.yaml"], &["missing.yaml"]);
    folder.write("malformed.yaml", "clusters: [");
    refused(&["--context", "prod", "--kubeconfig", "malformed.yaml"], &["malformed.yaml"]);
    folder.write("config.yaml", &kubeconfig(closed_port()));
    refused(&["--context", "staging", "--kubeconfig", "config.yaml"], &["staging", "prod"]);
    refused(
        &["--context", "prod", "staging", "--name", "x", "--kubeconfig", "config.yaml"],
        &["--name names one"],
    );
}

#[test]
fn a_cluster_that_is_down_is_named_with_its_address() {
    let folder = Folder::new();
    let port = closed_port();
    folder.write("config.yaml", &kubeconfig(port));
    let ended = folder.run(&["scan", "--context", "prod", "--kubeconfig", "config.yaml", "--timeout", "10s"]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains(&format!("127.0.0.1:{port}")), "{}", ended.stderr);
}

#[test]
fn a_cluster_that_never_answers_ends_with_the_timeout() {
    let folder = Folder::new();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    folder.write("config.yaml", &kubeconfig(silent.local_addr().unwrap().port()));
    let started = std::time::Instant::now();
    let ended = folder.run(&["scan", "--context", "prod", "--kubeconfig", "config.yaml", "--timeout", "2s"]);
    assert_eq!(ended.code, Some(2), "{}{}", ended.stdout, ended.stderr);
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}

#[test]
fn ways_of_reading_kubelets_that_do_not_exist() {
    let folder = Folder::new();
    folder.write("config.yaml", &kubeconfig(1));
    folder
        .run(&["scan", "--context", "prod", "--kubelets", "near"])
        .refuses(&["near", "is none of auto, direct, off, proxy"]);
    folder.run(&["rbac", "--kubelets", "auto"]).refuses(&["say direct, off or proxy"]);
    folder
        .run(&["rbac", "--kubelets", "direct", "--kubelet-service-account", "a/b\nc"])
        .refuses(&["is not namespace/name"]);
}

#[test]
fn nothing_to_scan_and_two_things_to_scan() {
    let folder = Folder::new();
    folder.run(&["scan"]).refuses(&["required"]);
    folder.write("shop/cart.yaml", DEPLOYMENT);
    folder.run(&["scan", "shop", "--context", "prod"]).refuses(&["cannot be used with"]);
    folder.run(&["scan", "--all-contexts", "--assume-complete"]).refuses(&["cannot be used with"]);
}
