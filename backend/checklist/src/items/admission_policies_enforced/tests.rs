use crate::inventory::{Kind, ProbeAnswer};
use crate::testing::{assert_remedied, evaluated, forbid, inventory, result};
use crate::{Inventory, Parameters};
use rampart_shared::{
    Basis, Gap, GapReason, ItemId, ItemResult, Outcome, RemediationStage, RemediationTarget,
};
use std::collections::BTreeSet;

mod remedy;

const ID: ItemId = ItemId::AdmissionPoliciesEnforced;

/// An API server that shows its flags, a namespace with a pod.
fn cluster(labels: &str, more: &str) -> Inventory {
    inventory(&format!(
        "apiVersion: v1
kind: Pod
metadata: {{name: kube-apiserver-a, namespace: kube-system, labels: {{component: kube-apiserver}}}}
spec: {{containers: [{{name: kube-apiserver, command: [kube-apiserver, --authorization-mode=Node]}}]}}
status: {{phase: Running}}
---
apiVersion: v1
kind: Namespace
metadata: {{name: shop, labels: {{{labels}}}}}
---
apiVersion: v1
kind: Pod
metadata: {{name: cart, namespace: shop}}
spec: {{containers: [{{name: cart, image: ghcr.io/acme/cart}}]}}
status: {{phase: Running}}
---
{more}"
    ))
}

/// What is let in, as `rule field`.
fn admitted(inventory: &Inventory) -> BTreeSet<String> {
    assert_remedied(ID, inventory, &Parameters::default());
    let result = result(ID, inventory);
    let words = |path: &str| path.rsplit(' ').next().unwrap_or_default().to_owned();
    result
        .evidence()
        .findings
        .iter()
        .map(|finding| format!("{} {}", finding.rule.trim_start_matches("admits-"), words(&finding.path)))
        .collect()
}

fn set(texts: &[&str]) -> BTreeSet<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

const EVERYTHING: [&str; 9] = [
    "mutable-root-filesystem containers",
    "mutable-root-filesystem ephemeralContainers",
    "mutable-root-filesystem initContainers",
    "privilege-escalation containers",
    "privilege-escalation ephemeralContainers",
    "privilege-escalation initContainers",
    "privileged containers",
    "privileged ephemeralContainers",
    "privileged initContainers",
];

fn remedied() -> Inventory {
    cluster("", &remedied_policies(RemediationStage::Enforce))
}

fn gaps(result: &ItemResult) -> Vec<&Gap> {
    result.evidence().gaps.iter().collect()
}

#[test]
fn nothing_refuses_anything() {
    assert_eq!(admitted(&cluster("", "")), set(&EVERYTHING));
}

#[test]
fn the_remedy_turns_it_green() {
    let result = result(ID, &remedied());
    assert_eq!(result.outcome(), Outcome::Pass, "{result:#?}");
}

#[test]
fn pod_security_admission_alone_never_passes() {
    let restricted = cluster("pod-security.kubernetes.io/enforce: restricted", "");
    assert_eq!(
        admitted(&restricted),
        set(&[
            "mutable-root-filesystem containers",
            "mutable-root-filesystem ephemeralContainers",
            "mutable-root-filesystem initContainers",
        ])
    );
    let baseline = cluster("pod-security.kubernetes.io/enforce: baseline", "");
    let found = admitted(&baseline);
    assert!(found.contains("privilege-escalation containers") && !found.contains("privileged containers"));
    assert_eq!(admitted(&cluster("pod-security.kubernetes.io/warn: restricted", "")), set(&EVERYTHING));
}

#[test]
fn labels_alone_are_a_gap_where_a_file_may_say_otherwise() {
    let text = "--authorization-mode=Node";
    let mut seen = cluster("pod-security.kubernetes.io/enforce: restricted", "");
    for pod in &mut seen.pods.seen {
        let spec = std::sync::Arc::make_mut(&mut std::sync::Arc::make_mut(pod).spec);
        for word in &mut spec.containers[0].command {
            if word == text {
                *word = "--admission-control-config-file=/etc/kubernetes/admission.yaml".to_owned();
            }
        }
    }
    let result = result(ID, &seen);
    // The root filesystem is nothing that Pod Security Admission looks at: that fails all the same.
    assert_eq!(result.outcome(), Outcome::Fail);
    assert!(gaps(&result).iter().any(|gap| gap.detail.contains("/etc/kubernetes/admission.yaml")));
}

/// <https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/>
fn policy(resources: &str, expression: &str, actions: &str) -> String {
    format!(
        "apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {{name: hardening}}
spec:
  matchConstraints:
    resourceRules: [{{apiGroups: [\"\"], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [{resources}]}}]
  validations: [{{expression: \"{expression}\"}}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {{name: hardening}}
spec: {{policyName: hardening, validationActions: [{actions}]}}
"
    )
}

#[test]
fn a_policy_that_lets_an_unset_field_pass_and_reads_containers_alone_fails() {
    let expression = "object.spec.containers.all(c, !has(c.securityContext) || \
                      !has(c.securityContext.readOnlyRootFilesystem) || c.securityContext.readOnlyRootFilesystem == true)";
    assert_eq!(admitted(&cluster("", &policy("pods", expression, "Deny"))), set(&EVERYTHING));
    let strict = "object.spec.containers.all(c, has(c.securityContext) && \
                  has(c.securityContext.readOnlyRootFilesystem) && c.securityContext.readOnlyRootFilesystem)";
    let found = admitted(&cluster("", &policy("pods", strict, "Deny")));
    assert!(!found.contains("mutable-root-filesystem containers"));
    assert!(found.contains("mutable-root-filesystem initContainers"));
}

#[test]
fn a_policy_that_warns_audits_or_has_no_binding_enforces_nothing() {
    let never = "object.spec.containers.all(c, has(c.securityContext.readOnlyRootFilesystem))";
    assert_eq!(admitted(&cluster("", &policy("pods", never, "Warn, Audit"))), set(&EVERYTHING));
    let text = policy("pods", never, "Deny");
    let (unbound, _) = text.split_once("---").unwrap();
    let seen = cluster("", unbound);
    assert_eq!(admitted(&seen), set(&EVERYTHING));
    let result = result(ID, &seen);
    assert!(result.evidence().notes.iter().any(|note| note.contains("hardening has no binding")));
}

#[test]
fn a_policy_that_refuses_every_pod_is_no_evidence() {
    let seen = cluster(
        "",
        &policy(
            "pods, pods/ephemeralcontainers",
            "has(object.metadata.labels) && 'team' in object.metadata.labels",
            "Deny",
        ),
    );
    assert_eq!(admitted(&seen), set(&EVERYTHING));
    let result = result(ID, &seen);
    let note = result.evidence().findings[0].note.clone().unwrap();
    assert!(note.contains("refuses even a harmless pod"), "{note}");
}

#[test]
fn a_policy_on_pods_does_not_see_kubectl_debug() {
    let text =
        remedied_policies(RemediationStage::Enforce).replace("pods/ephemeralcontainers", "pods/eviction");
    assert_eq!(
        admitted(&cluster("", &text)),
        set(&[
            "mutable-root-filesystem ephemeralContainers",
            "privilege-escalation ephemeralContainers",
            "privileged ephemeralContainers",
        ])
    );
}

fn remedied_policies(stage: RemediationStage) -> String {
    let remediation = evaluated(ID, &cluster("", ""), &Parameters::default()).remediation;
    let documents = remediation.of_stage(stage);
    let policies = documents.filter(|document| document.target == RemediationTarget::NewObject);
    policies.map(|document| crate::remedy::yaml(&document.object)).collect::<Vec<_>>().join("---\n")
}

#[test]
fn what_reads_the_account_is_unknown_and_never_a_pass() {
    let expression = "request.userInfo.username == 'system:admin'";
    let seen = cluster("", &policy("pods, pods/ephemeralcontainers", expression, "Deny"));
    assert_eq!(result(ID, &seen).outcome(), Outcome::Unknown);
}

/// <https://kyverno.io/policies/pod-security/baseline/disallow-privileged-containers/disallow-privileged-containers/>
const KYVERNO: &str = "apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: disallow-privileged-containers}
spec:
  validationFailureAction: Enforce
  rules:
  - name: privileged-containers
    match: {any: [{resources: {kinds: [Pod]}}]}
    validate:
      pattern:
        spec:
          =(ephemeralContainers): [{=(securityContext): {=(privileged): 'false'}}]
          =(initContainers): [{=(securityContext): {=(privileged): 'false'}}]
          containers: [{=(securityContext): {=(privileged): 'false'}}]
";
const KYVERNO_WEBHOOK: &str = "---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: kyverno-resource-validating-webhook-cfg}
webhooks:
- name: validate.kyverno.svc-fail
  failurePolicy: Fail
  clientConfig: {service: {namespace: kyverno, name: kyverno-svc}}
  rules: [{apiGroups: [''], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [pods, pods/ephemeralcontainers]}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: kyverno-svc-a, namespace: kyverno, labels: {kubernetes.io/service-name: kyverno-svc}}
endpoints: [{addresses: [10.0.0.9], conditions: {ready: true}}]
";

#[test]
fn kyverno_refuses_what_its_enforced_rules_refuse() {
    let found = admitted(&cluster("", &format!("{KYVERNO}{KYVERNO_WEBHOOK}")));
    assert!(!found.iter().any(|found| found.starts_with("privileged ")), "{found:?}");
    assert!(found.contains("mutable-root-filesystem containers"));
    for (from, to) in [
        ("validationFailureAction: Enforce", "validationFailureAction: Audit"),
        ("  validationFailureAction: Enforce\n", ""),
        ("conditions: {ready: true}", "conditions: {ready: false}"),
        ("kinds: [Pod]", "kinds: [Service]"),
        ("{resources: {kinds: [Pod]}}", "{resources: {kinds: [Pod], namespaces: [other]}}"),
        ("resources: [pods, pods/ephemeralcontainers]", "resources: [services]"),
    ] {
        let text = format!("{KYVERNO}{KYVERNO_WEBHOOK}").replace(from, to);
        assert!(admitted(&cluster("", &text)).contains("privileged containers"), "{to}");
    }
}

#[test]
fn kyverno_rules_beyond_patterns_are_undecided() {
    let text = format!("{KYVERNO}{KYVERNO_WEBHOOK}").replace("pattern:", "foreach:");
    let found = admitted(&cluster("", &text));
    assert_eq!(found, BTreeSet::new());
    assert_eq!(result(ID, &cluster("", &text)).outcome(), Outcome::Unknown);
}

/// <https://open-policy-agent.github.io/gatekeeper-library/website/validation/read-only-root-filesystem/>
fn gatekeeper(action: &str, rego: &str) -> String {
    format!(
        "apiVersion: templates.gatekeeper.sh/v1
kind: ConstraintTemplate
metadata: {{name: k8spspreadonlyrootfilesystem}}
spec: {{targets: [{{target: admission.k8s.gatekeeper.sh, rego: \"{rego}\"}}]}}
---
apiVersion: constraints.gatekeeper.sh/v1beta1
kind: K8sPSPReadOnlyRootFilesystem
metadata: {{name: read-only}}
spec: {{{action}match: {{kinds: [{{apiGroups: [''], kinds: [Pod]}}]}}}}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {{name: gatekeeper-validating-webhook-configuration}}
webhooks:
- name: validation.gatekeeper.sh
  failurePolicy: Ignore
  clientConfig: {{service: {{namespace: gatekeeper-system, name: gatekeeper-webhook-service}}}}
  rules: [{{apiGroups: ['*'], apiVersions: ['*'], operations: [CREATE, UPDATE], resources: ['*', pods/ephemeralcontainers]}}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: a, namespace: gatekeeper-system, labels: {{kubernetes.io/service-name: gatekeeper-webhook-service}}}}
endpoints: [{{addresses: [10.0.0.9]}}]
"
    )
}

#[test]
fn gatekeeper_denies_unless_it_says_otherwise() {
    let read_only = "mutable-root-filesystem containers";
    let debug = "mutable-root-filesystem ephemeralContainers";
    let rego = "violation { not c.securityContext.readOnlyRootFilesystem }";
    let found = admitted(&cluster("", &gatekeeper("", rego)));
    assert!(!found.contains(read_only) && !found.contains(debug), "{found:?}");
    assert!(admitted(&cluster("", &gatekeeper("enforcementAction: dryrun, ", rego))).contains(read_only));
    // The library's newer templates look at no update.
    let found = admitted(&cluster("", &gatekeeper("", &format!("{rego} not is_update(input.review)"))));
    assert!(!found.contains(read_only) && found.contains(debug), "{found:?}");
    // A template of that name that reads something else is not the library's.
    let seen = cluster("", &gatekeeper("", "violation { true }"));
    assert!(!admitted(&seen).contains(read_only));
    assert_eq!(result(ID, &seen).outcome(), Outcome::Unknown);
}

#[test]
fn an_unknown_webhook_that_sees_pods_leaves_it_unknown() {
    let text =
        KYVERNO_WEBHOOK.trim_start_matches("---\n").replace("validate.kyverno.svc-fail", "pods.example.com");
    let seen = cluster("", &text);
    assert_eq!(result(ID, &seen).outcome(), Outcome::Unknown);
    assert_eq!(admitted(&seen), BTreeSet::new());
}

#[test]
fn the_probe_beats_the_prediction() {
    let answers = |refused: Option<&str>| -> Vec<ProbeAnswer> {
        ["privileged", "privilege-escalation", "mutable-root-filesystem"]
            .into_iter()
            .flat_map(|weakness| {
                ["containers", "initContainers", "ephemeralContainers"]
                    .map(|field| format!("{weakness}/{field}"))
            })
            .map(|canary| ProbeAnswer {
                namespace: "shop".to_owned(),
                canary,
                refused: refused.map(str::to_owned),
            })
            .collect()
    };
    let mut seen = cluster("", "");
    seen.admission_probe.seen = answers(Some("admission webhook \"guard\" denied the request"));
    let passed = result(ID, &seen);
    assert_eq!((passed.outcome(), passed.basis()), (Outcome::Pass, Some(Basis::Observed)));
    assert!(passed.evidence().notes.iter().any(|note| note.contains("guard")));
    let mut seen = remedied();
    seen.admission_probe.seen = answers(None);
    assert_eq!(result(ID, &seen).outcome(), Outcome::Fail);
    // What should refuse it is there already: another policy would change nothing.
    let remediation = evaluated(ID, &seen, &Parameters::default()).remediation;
    assert!(remediation.documents.is_empty());
    assert_eq!(remediation.remaining[0].findings.len(), 9);
    assert_remedied(ID, &seen, &Parameters::default());
    let mut seen = cluster("", "");
    seen.admission_probe.seen = answers(None);
    assert_eq!(assert_remedied(ID, &seen, &Parameters::default()), Outcome::Pass);
}

#[test]
fn missing_evidence_never_fails_and_never_passes() {
    for kind in [
        Kind::Namespaces,
        Kind::ValidatingAdmissionPolicies,
        Kind::ValidatingAdmissionPolicyBindings,
        Kind::ValidatingWebhookConfigurations,
        Kind::KyvernoClusterPolicies,
        Kind::GatekeeperConstraints,
    ] {
        let mut seen = cluster("", "");
        forbid(&mut seen, kind);
        assert_eq!(result(ID, &seen).outcome(), Outcome::Unknown, "{kind:?}");
    }
    for kind in [Kind::ValidatingAdmissionPolicies, Kind::ValidatingAdmissionPolicyBindings, Kind::Pods] {
        let mut seen = remedied();
        seen.refuse(kind, Gap::new(kind.name(), GapReason::Forbidden, "refused"));
        assert_eq!(result(ID, &seen).outcome(), Outcome::Unknown, "{kind:?}");
    }
}

#[test]
fn nothing_runs_nothing_to_refuse() {
    assert_eq!(
        result(ID, &inventory("{apiVersion: v1, kind: Namespace, metadata: {name: shop}}")).outcome(),
        Outcome::NotApplicable
    );
}
