//! What is printed from the code, and the files in the repository that hold it.

use crate::support::Folder;
use std::{fs, path::Path};

#[test]
fn the_documentation_is_what_the_code_generates() {
    let folder = Folder::new();
    for (subcommand, file) in [("openapi", "docs/openapi.json"), ("docs-checklist", "docs/checklist.md")] {
        let ended = folder.run(&[subcommand]);
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
        let kept = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file)).unwrap();
        assert!(kept == ended.stdout, "{file} is not what the code generates: run `cargo xtask generate`");
    }
}

#[test]
fn the_checklist_document_has_every_item() {
    let markdown = Folder::new().run(&["docs-checklist"]).stdout;
    for item in rampart_checklist::documentation() {
        assert!(
            markdown.contains(&format!("### {}. {}\n\n`{}`", item.number, item.title, item.id)),
            "{}",
            item.id
        );
        for reference in item.references {
            assert!(markdown.contains(&format!("[{}]({})", reference.title, reference.url)));
        }
    }
}

#[test]
fn the_cluster_role_reads_and_grants_kubelets_only_when_asked() {
    let folder = Folder::new();
    let least = folder.run(&["rbac"]).stdout;
    assert!(least.contains("kind: ClusterRole"), "{least}");
    assert!(!least.contains("resources: [\"nodes/proxy\"]"), "{least}");
    assert_eq!(least, folder.run(&["rbac", "--kubelets", "off"]).stdout);
    let proxy = folder.run(&["rbac", "--kubelets", "proxy"]).stdout;
    assert!(proxy.contains("resources: [\"nodes/proxy\"]"), "{proxy}");
    for verbs in proxy.lines().filter(|line| line.trim_start().starts_with("verbs:")) {
        assert!(["  verbs: [\"list\"]", "  verbs: [\"get\"]"].contains(&verbs), "{verbs}");
    }
    assert!(!proxy.contains("\"secrets\""), "{proxy}");
}

#[test]
fn each_way_of_reading_more_is_granted_by_itself() {
    let folder = Folder::new();
    let direct =
        folder.run(&["rbac", "--kubelets", "direct", "--kubelet-service-account", "sec/reader"]).stdout;
    let parts = [
        "kind: ServiceAccount\nmetadata:\n  name: reader\n  namespace: sec\n",
        "resources: [\"nodes/configz\"]\n  verbs: [\"get\"]",
        "resources: [\"serviceaccounts/token\"]\n  resourceNames: [\"reader\"]\n  verbs: [\"create\"]",
    ];
    for part in parts {
        assert!(direct.contains(part), "`{part}` is not in: {direct}");
    }
    assert!(!direct.contains("nodes/proxy"), "{direct}");
    let least = folder.run(&["rbac"]).stdout;
    for (flag, grant) in [
        ("--control-plane-metrics", "- nonResourceURLs: [\"/flagz\", \"/metrics\"]\n  verbs: [\"get\"]"),
        (
            "--admission-probe",
            "resources: [\"pods\", \"pods/ephemeralcontainers\"]\n  verbs: [\"create\", \"patch\"]",
        ),
    ] {
        assert!(!least.contains(grant), "{least}");
        let more = folder.run(&["rbac", flag]).stdout;
        assert!(more.contains(grant) && more.contains("# "), "{more}");
    }
}
