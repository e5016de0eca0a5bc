//! `rampart scan --format sarif`, against the standard's own schema.

use crate::support::{DEPLOYMENT, Folder};
use rampart_shared::{Outcome, ScanReport, Scope};
use serde_json::Value;
use std::{collections::BTreeSet, path::Path, process::Command};

/// The schema of OASIS comes with this Go module; the Go toolchain fetches it.
const MODULE: &str = "github.com/owenrumney/go-sarif/v3@v3.3.1";

/// The log of a scan, which the schema allows.
fn log(folder: &Folder, arguments: &[&str]) -> Value {
    let all = [&["scan", "--format", "sarif"], arguments].concat();
    let log: Value = serde_json::from_str(&folder.run(&all).stdout).unwrap();
    let schema = jsonschema::options().should_validate_formats(true).build(&schema()).unwrap();
    let errors: Vec<String> =
        schema.iter_errors(&log).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert_eq!(errors, [""; 0]);
    log
}

fn schema() -> Value {
    // Outside of any module, so that the repository's own go.mod plays no part.
    let output = Command::new("go")
        .args(["mod", "download", "-json", MODULE])
        .current_dir(std::env::temp_dir())
        .output()
        .expect("this test needs the Go toolchain to fetch the schema: install Go");
    assert!(output.status.success(), "go mod download {MODULE}: {}", String::from_utf8_lossy(&output.stderr));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let file = Path::new(answer["Dir"].as_str().unwrap()).join("pkg/report/v210/sarif/schema.go");
    let source = std::fs::read_to_string(file).unwrap();
    let schema: Value = serde_json::from_str(source.split('`').nth(1).unwrap()).unwrap();
    assert!(
        schema["id"].as_str().unwrap().ends_with("/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json")
    );
    schema
}

fn strings<'a>(values: &'a Value, pointer: &str) -> Vec<&'a str> {
    values.as_array().unwrap().iter().map(|value| value.pointer(pointer).unwrap().as_str().unwrap()).collect()
}

#[test]
fn the_schema_refuses_what_is_no_log() {
    let schema = jsonschema::validator_for(&schema()).unwrap();
    assert!(!schema.is_valid(&serde_json::json!({ "version": "2.1.0", "runs": [{ "results": [] }] })));
}

#[test]
fn findings_are_results_at_the_lines_of_their_objects() {
    let folder = Folder::new();
    folder.write("deploy/shop/all.yaml", &format!("# first\n---\n{DEPLOYMENT}"));
    let log = log(&folder, &["./deploy", "--assume-complete"]);
    let json: ScanReport = serde_json::from_str(
        &folder.run(&["scan", "deploy", "--assume-complete", "--format", "json"]).stdout,
    )
    .unwrap();
    let run = &log["runs"][0];
    assert_eq!(run["automationDetails"]["id"], "rampart/deploy/");

    let rules = &run["tool"]["driver"]["rules"];
    let ids: Vec<String> = json.clusters[0].items.iter().map(|item| item.id().to_string()).collect();
    assert_eq!(strings(rules, "/id"), ids);
    // GitHub takes no longer ones.
    for rule in rules.as_array().unwrap() {
        assert!(rule["fullDescription"]["text"].as_str().unwrap().chars().count() <= 1024, "{rule}");
        assert!(!rule["help"]["text"].as_str().unwrap().is_empty(), "{rule}");
    }

    let results = run["results"].as_array().unwrap();
    let findings: Vec<_> = json.clusters[0]
        .items
        .iter()
        .flat_map(|item| item.evidence().findings.iter().map(move |finding| (item.id().to_string(), finding)))
        .collect();
    assert_eq!(results.len(), findings.len());
    for (result, (id, finding)) in results.iter().zip(&findings) {
        assert_eq!(result["ruleId"], id.as_str());
        assert_eq!(rules[result["ruleIndex"].as_u64().unwrap() as usize]["id"], id.as_str());
        assert_eq!(result["level"], "error");
        assert_eq!(result["partialFingerprints"]["rampartFingerprint/v1"], finding.fingerprint.0);
        assert_eq!(result["partialFingerprints"]["primaryLocationLineHash"], finding.fingerprint.0);
        assert!(result.get("suppressions").is_none());
    }
    let read_only = results.iter().find(|result| result["ruleId"] == "read-only-root-filesystem").unwrap();
    let location = &read_only["locations"][0];
    assert_eq!(location["physicalLocation"]["artifactLocation"]["uri"], "deploy/shop/all.yaml");
    assert_eq!(location["physicalLocation"]["artifactLocation"]["uriBaseId"], "%SRCROOT%");
    let line = location["physicalLocation"]["region"]["startLine"].as_u64().unwrap();
    assert!((2..=3).contains(&line), "{line}");
    let name = location["logicalLocations"][0]["fullyQualifiedName"].as_str().unwrap();
    assert!(name.starts_with("checkout/Deployment/cart/"), "{name}");
    // A namespace that no file holds is found where the API server has it.
    let deny = results.iter().find(|result| result["ruleId"] == "default-deny").unwrap();
    let artifact = &deny["locations"][0]["physicalLocation"]["artifactLocation"];
    assert_eq!(
        (&artifact["uri"], &artifact["uriBaseId"]),
        (&"api/v1/namespaces/checkout".into(), &"APISERVER".into())
    );
}

#[test]
fn every_unknown_item_is_told_and_a_cluster_that_was_not_evaluated_too() {
    let folder = Folder::new();
    folder.write("shop/cart.yaml", DEPLOYMENT);
    folder.write("empty/notes.txt", "nothing");
    let log = log(&folder, &["shop", "empty"]);
    let json: ScanReport =
        serde_json::from_str(&folder.run(&["scan", "shop", "--format", "json"]).stdout).unwrap();
    let unknown: Vec<String> = json.clusters[0]
        .items
        .iter()
        .filter(|item| item.outcome() == Outcome::Unknown)
        .map(|item| item.id().to_string())
        .collect();
    assert!(!unknown.is_empty());

    let invocation = &log["runs"][0]["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], true);
    let notifications = &invocation["toolExecutionNotifications"];
    assert_eq!(strings(notifications, "/associatedRule/id"), unknown);
    assert_eq!(
        strings(notifications, "/level").into_iter().collect::<BTreeSet<_>>(),
        BTreeSet::from(["warning"])
    );
    assert!(strings(notifications, "/message/text").iter().all(|text| text.contains("not collected")));

    let run = &log["runs"][1];
    assert_eq!(run["automationDetails"]["id"], "rampart/empty/");
    assert_eq!(run["invocations"][0]["executionSuccessful"], false);
    let cause = run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"].as_str().unwrap();
    assert!(cause.contains("holds no .yaml"), "{cause}");
}

#[test]
fn findings_of_system_namespaces_are_notes() {
    let folder = Folder::new();
    folder.write("shop/cart.yaml", &DEPLOYMENT.replace("namespace: checkout", "namespace: kube-system"));
    let log = log(&folder, &["shop", "--assume-complete"]);
    let results = log["runs"][0]["results"].as_array().unwrap();
    let system = serde_json::to_value(Scope::System).unwrap();
    assert!(results.iter().any(|result| result["properties"]["scope"] == system));
    for result in results.iter().filter(|result| result["properties"]["scope"] == system) {
        assert_eq!(result["level"], "note", "{result}");
    }
}

#[test]
fn names_of_objects_are_text_and_nothing_else() {
    let folder = Folder::new();
    let hostile = DEPLOYMENT.replace("name: cart,", "name: \"[a](https://example.org) {0} \\u001b[31m\",");
    folder.write("my shop/cart.yaml", &hostile);
    let log = log(&folder, &["my shop", "--assume-complete"]);
    let results = log["runs"][0]["results"].as_array().unwrap();
    let result = results.iter().find(|result| result["ruleId"] == "read-only-root-filesystem").unwrap();
    let text = result["message"]["text"].as_str().unwrap();
    assert!(text.contains(r"\[a\](https://example.org) {{0}} \u{{1b}}"), "{text}");
    let uri = &result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    assert_eq!(uri, "my%20shop/cart.yaml");
}
