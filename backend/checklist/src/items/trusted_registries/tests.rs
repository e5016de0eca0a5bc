use super::*;
use crate::testing::{assert_remedied, evaluated, forbid, inventory};
use crate::{Inventory, Parameters};
use rampart_shared::{ItemResult, Outcome};

mod remedy;

const ID: ItemId = ItemId::TrustedRegistries;

fn trusting(entries: &[&str]) -> Parameters {
    let mut parameters = Parameters::default();
    parameters.trusted_registries.allow = entries.iter().map(|entry| entry.parse().unwrap()).collect();
    parameters
}

fn judged(yaml: &str, allow: &[&str]) -> ItemResult {
    assert_remedied(ID, &inventory(yaml), &trusting(allow));
    evaluated(ID, &inventory(yaml), &trusting(allow)).result
}

fn found(result: &ItemResult) -> Vec<String> {
    let findings = result.evidence().findings.iter();
    findings.map(|finding| format!("{} {} {}", finding.rule, finding.path, finding.observed)).collect()
}

fn pod(spec: &str) -> String {
    format!(
        "{{apiVersion: v1, kind: Pod, metadata: {{name: cart, namespace: shop}}, spec: {{nodeName: n1, {spec}}}, \
          status: {{phase: Running, ephemeralContainerStatuses: [{{name: debug, state: {{running: {{}}}}}}]}}}}"
    )
}

fn node(runtime: &str) -> String {
    format!(
        "{{apiVersion: v1, kind: Node, metadata: {{name: n1}}, status: {{nodeInfo: {{containerRuntimeVersion: '{runtime}'}}}}}}"
    )
}

fn with_image(image: &str) -> String {
    pod(&format!("containers: [{{name: web, image: '{image}'}}]"))
}

const EVERYWHERE: &str = "initContainers: [{name: init, image: 'IMAGE'}], containers: [{name: web, image: 'IMAGE'}], \
                          ephemeralContainers: [{name: debug, image: 'IMAGE'}], \
                          volumes: [{name: files, image: {reference: 'IMAGE'}}]";

#[test]
fn every_place_that_names_an_image_is_judged() {
    let good = judged(&pod(&EVERYWHERE.replace("IMAGE", "ghcr.io/acme/shop:1")), &["ghcr.io/acme"]);
    assert_eq!((good.outcome(), good.evidence().examined), (Outcome::Pass, 4));
    let bad = judged(&pod(&EVERYWHERE.replace("IMAGE", "ghcr.io/acme-evil/shop:1")), &["ghcr.io/acme"]);
    assert_eq!(bad.outcome(), Outcome::Fail);
    assert_eq!(
        found(&bad),
        [
            "untrusted-registry spec.containers[name=web].image ghcr.io/acme-evil/shop",
            "untrusted-registry spec.ephemeralContainers[name=debug].image ghcr.io/acme-evil/shop",
            "untrusted-registry spec.initContainers[name=init].image ghcr.io/acme-evil/shop",
            "untrusted-registry spec.volumes[name=files].image.reference ghcr.io/acme-evil/shop",
        ]
    );
}

#[test]
fn names_are_read_as_runtimes_read_them() {
    for (image, allow, outcome) in [
        ("nginx", "docker.io/library", Outcome::Pass),
        ("nginx:1.29", "docker.io/library/nginx", Outcome::Pass),
        ("acme/shop", "docker.io/library", Outcome::Fail),
        ("localhost:5000/shop", "localhost:5000", Outcome::Pass),
        ("ghcr.io.evil.com/acme/shop", "ghcr.io", Outcome::Fail),
    ] {
        assert_eq!(judged(&with_image(image), &[allow]).outcome(), outcome, "{image}");
    }
}

#[test]
fn a_new_version_is_no_new_finding() {
    let of = |image: &str| judged(&with_image(image), &["ghcr.io"]).evidence().findings[0].clone();
    let (one, two) = (of("quay.io/acme/shop:1"), of("quay.io/acme/shop:2"));
    assert_eq!((&one.fingerprint, &one.content), (&two.fingerprint, &two.content));
}

#[test]
fn templates_and_owners() {
    for (kind, api_version, before, path) in [
        ("Deployment", "apps/v1", "template: {spec: ", "spec.template.spec"),
        (
            "CronJob",
            "batch/v1",
            "jobTemplate: {spec: {template: {spec: ",
            "spec.jobTemplate.spec.template.spec",
        ),
    ] {
        let after = "}".repeat(before.matches('{').count());
        let spec = EVERYWHERE.replace("IMAGE", "quay.io/acme/shop");
        let yaml = format!(
            "{{apiVersion: {api_version}, kind: {kind}, metadata: {{name: cart, namespace: shop}}, spec: {{{before}{{{spec}}}{after}}}}}"
        );
        let result = judged(&yaml, &["ghcr.io"]);
        assert_eq!(
            found(&result),
            [
                "containers[name=web].image",
                "initContainers[name=init].image",
                "volumes[name=files].image.reference"
            ]
            .map(|field| format!("untrusted-registry {path}.{field} quay.io/acme/shop"))
        );
    }
}

#[test]
fn without_a_list_it_is_unknown_and_says_what_to_write() {
    let yaml = [with_image("nginx:1"), with_image("ghcr.io/acme/shop:1").replace("cart", "shop-api")]
        .join("\n---\n");
    let result = judged(&yaml, &[]);
    assert_eq!(result.outcome(), Outcome::Unknown);
    assert_eq!(
        result.evidence().notes[..2],
        ["Registry in use: docker.io/library (1 image)", "Registry in use: ghcr.io/acme (1 image)"]
    );
    let gap = &result.evidence().gaps[0];
    assert!(gap.closed_by.ends_with(
        "[checklist.trusted-registries]\nallow = [\n  \"docker.io/library\",\n  \"ghcr.io/acme\",\n]"
    ));
    // What it says to write is an allow-list with which the item passes.
    let entries: Vec<&str> = gap.closed_by.split('"').skip(1).step_by(2).collect();
    assert_eq!(judged(&yaml, &entries).outcome(), Outcome::Pass);
}

#[test]
fn an_image_that_cannot_be_read_falls_short_without_a_list_too() {
    for image in ["ghcr.io/Acme/shop", "ghcr.io/acme/shop:", "", "a b"] {
        let result = judged(&with_image(image), &[]);
        assert_eq!(result.outcome(), Outcome::Fail, "{image}");
        assert_eq!(result.evidence().findings[0].rule, "unreadable-image");
    }
}

#[test]
fn a_name_without_registry_on_cri_o_is_a_finding_of_its_own() {
    let on = |runtime: &str, image: &str| format!("{}\n---\n{}", node(runtime), with_image(image));
    let result = judged(&on("cri-o://1.34.1", "nginx:1"), &["docker.io"]);
    assert_eq!(found(&result), ["unqualified-name spec.containers[name=web].image nginx"]);
    assert_eq!(judged(&on("cri-o://1.34.1", "nginx:1"), &[]).outcome(), Outcome::Fail);
    assert_eq!(
        judged(&on("cri-o://1.34.1", "docker.io/library/nginx:1"), &["docker.io"]).outcome(),
        Outcome::Pass
    );
    assert_eq!(judged(&on("containerd://2.1.4", "nginx:1"), &["docker.io"]).outcome(), Outcome::Pass);
    assert_eq!(judged(&on("", "nginx:1"), &["docker.io"]).outcome(), Outcome::Unknown);
    let mut seen = inventory(&with_image("nginx"));
    forbid(&mut seen, Kind::Nodes);
    let of = |seen: &Inventory| evaluated(ID, seen, &trusting(&["docker.io"])).result.outcome();
    assert_eq!(of(&seen), Outcome::Unknown);
    let mut seen = inventory(&with_image("docker.io/library/nginx"));
    forbid(&mut seen, Kind::Nodes);
    assert_eq!(of(&seen), Outcome::Pass);
}

#[test]
fn an_image_id_of_another_repository_is_a_note_and_a_bare_digest_nothing() {
    let digest = format!("sha256:{}", "1f".repeat(32));
    let with_id = |id: &str| {
        with_image("ghcr.io/acme/shop:1")
            .replace("status: {", &format!("status: {{containerStatuses: [{{name: web, imageID: '{id}'}}], "))
    };
    for (id, notes) in [
        (format!("quay.io/other/shop@{digest}"), 3),
        (format!("docker-pullable://quay.io/other/shop@{digest}"), 3),
        (format!("ghcr.io/acme/shop@{digest}"), 2),
        (digest.clone(), 2),
        (String::new(), 2),
    ] {
        let result = judged(&with_id(&id), &["ghcr.io/acme"]);
        assert_eq!(result.outcome(), Outcome::Pass, "{id}");
        assert_eq!(result.evidence().notes.len(), notes, "{id}: {:?}", result.evidence().notes);
    }
    let id = format!("quay.io/other/shop@{digest}");
    let note = judged(&with_id(&id), &["ghcr.io/acme"]).evidence().notes[1].clone();
    assert!(note.contains("ghcr.io/acme/shop, which their nodes also know as quay.io/other/shop"), "{note}");
}

#[test]
fn whether_admission_enforces_the_list_is_told() {
    let policy = "apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: registries}
spec:
  matchConstraints:
    resourceRules: [{apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [pods]}]
  validations: [{expression: \"object.spec.containers.all(c, c.image.startsWith('ghcr.io/acme/'))\"}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: registries}
spec: {policyName: registries, validationActions: [Deny]}
";
    let note = |yaml: &str| judged(yaml, &["ghcr.io/acme"]).evidence().notes.last().cloned().unwrap();
    let image = with_image("ghcr.io/acme/shop:1");
    assert!(note(&image).starts_with("No admission policy is known to refuse"), "{}", note(&image));
    let guarded = format!("{image}\n---\n{policy}");
    assert!(note(&guarded).contains("in every application namespace"), "{}", note(&guarded));
}

#[test]
fn latest_and_no_digest_are_remarks() {
    let digest = format!("ghcr.io/acme/shop@sha256:{}", "1f".repeat(32));
    for (image, notes) in
        [("ghcr.io/acme/shop", 3), ("ghcr.io/acme/shop:latest", 3), ("ghcr.io/acme/shop:1", 2), (&digest, 1)]
    {
        let result = judged(&with_image(image), &["ghcr.io"]);
        assert_eq!((result.outcome(), result.evidence().notes.len()), (Outcome::Pass, notes), "{image}");
    }
}

#[test]
fn system_namespaces_do_not_decide_and_missing_kinds_never_pass() {
    let yaml = with_image("ghcr.io/acme/shop:1")
        + "\n---\n"
        + &with_image("quay.io/x/y").replace("namespace: shop", "namespace: kube-system");
    let result = judged(&yaml, &["ghcr.io"]);
    assert_eq!((result.outcome(), result.evidence().findings[0].scope), (Outcome::Pass, Scope::System));
    for need in ITEM.needs.iter().filter(|need| need.role == Role::Required) {
        let mut seen = inventory(&yaml);
        forbid(&mut seen, need.kind);
        assert_eq!(evaluated(ID, &seen, &trusting(&["ghcr.io"])).result.outcome(), Outcome::Unknown);
    }
    assert_eq!(
        judged("{apiVersion: v1, kind: Namespace, metadata: {name: shop}}", &[]).outcome(),
        Outcome::NotApplicable
    );
}

#[test]
fn a_bad_entry_is_an_error_when_settings_are_read() {
    let error =
        serde_json::from_str::<Parameters>(r#"{"trusted-registries": {"allow": ["acme"]}}"#).unwrap_err();
    assert!(error.to_string().contains("`docker.io/acme`"), "{error}");
    assert_ne!(trusting(&["ghcr.io"]).digest(), trusting(&["quay.io"]).digest());
}
