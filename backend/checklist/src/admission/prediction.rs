//! What everything that decides would answer to a canary together.

use super::canary::{self, Form, Weakness};
use super::gatekeeper::Gatekeeper;
use super::kyverno::Kyverno;
use super::parameters::ConfigMapParameters;
use super::pod_security::PodSecurityAdmission;
use super::webhook::{Product, Webhook, Webhooks};
use super::{Answer, Attempt, Place, Verdict};
use crate::inventory::{Inventory, Kind, Labels};
use crate::validating_admission_policy::{
    Evaluator, Namespace, Operation, Outcome, Request, ValidatingAdmissionPolicy,
    ValidatingAdmissionPolicyBinding, ValidationAction, defaulted_pod,
};
use crate::workloads::View;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Answers for a cluster.
#[derive(Debug)]
pub struct Predictor<'a> {
    inventory: &'a Inventory,
    pod_security: PodSecurityAdmission,
    policies: Evaluator,
    parameters: ConfigMapParameters<'a>,
    /// Kyverno's ValidatingPolicies have the form of ValidatingAdmissionPolicies, and carry their own binding.
    kyverno_policies: Evaluator,
    webhooks: Webhooks,
    kyverno: Kyverno,
    gatekeeper: Gatekeeper,
    /// Policies that cannot be read.
    unreadable: Vec<Answer>,
    /// Whether a policy reads what is not known of a namespace.
    reads_annotations: bool,
}

/// What becomes of a canary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prediction {
    /// Refused, by these.
    Refused(Vec<String>),
    /// Let in; what could have refused it and why it does not.
    Admitted(Vec<String>),
    /// Not known; why.
    Undecided(Vec<String>),
}

impl<'a> Predictor<'a> {
    /// Compiles the policies of a cluster.
    pub fn new(view: &View<'a>) -> Self {
        let inventory = view.inventory;
        let mut unreadable = Vec::new();
        let policies: Vec<ValidatingAdmissionPolicy> =
            read(inventory, Kind::ValidatingAdmissionPolicies, &mut unreadable);
        let bindings: Vec<ValidatingAdmissionPolicyBinding> =
            read(inventory, Kind::ValidatingAdmissionPolicyBindings, &mut unreadable);
        let (kyverno_policies, kyverno_bindings): (Vec<_>, Vec<_>) =
            read(inventory, Kind::KyvernoValidatingPolicies, &mut unreadable)
                .into_iter()
                .map(|policy: ValidatingAdmissionPolicy| {
                    (policy.clone(), kyverno_binding(inventory, &policy))
                })
                .unzip();
        let text = |resource: &crate::inventory::Resource| resource.body.to_string();
        let reads_annotations = inventory
            .resources(Kind::ValidatingAdmissionPolicies)
            .seen
            .iter()
            .any(|policy| text(policy).contains("namespaceObject.metadata.annotations"));
        Predictor {
            inventory,
            pod_security: PodSecurityAdmission::of(view),
            parameters: ConfigMapParameters::new(inventory, &policies, &bindings),
            policies: Evaluator::new(policies, bindings),
            kyverno_policies: Evaluator::new(kyverno_policies, kyverno_bindings),
            webhooks: Webhooks::of(inventory),
            kyverno: Kyverno::of(inventory),
            gatekeeper: Gatekeeper::of(inventory),
            unreadable,
            reads_annotations,
        }
    }

    /// Policies that no binding puts to use.
    pub fn without_binding(&self) -> &[String] {
        self.policies.without_binding()
    }

    /// Why the labels of namespaces do not tell all about Pod Security Admission; none where they do.
    pub fn pod_security_not_known(&self) -> Option<&str> {
        self.pod_security.not_known()
    }

    /// Whether an image of a registry that nobody knows is refused in a namespace, as a container.
    pub fn refuses_unknown_registries(&self, place: &Place<'_>) -> bool {
        let (weakness, form) = (Weakness::UntrustedRegistry, Form::Container);
        let refuse_all = self.refuse_all(place, form);
        let pod = canary::canary(place.namespace, place.image, weakness, form);
        let prediction = together(self.answers(place, Some(weakness), form, &pod), &refuse_all);
        matches!(prediction, Prediction::Refused(_))
    }

    /// Whether Kyverno is asked about every form of a pod in a namespace, and answers.
    pub fn asks_kyverno(&self, place: &Place<'_>) -> bool {
        Form::ALL.into_iter().all(|form| {
            let pod = defaulted_pod(canary::harmless(place.namespace, place.image));
            let labels = canary_labels();
            let attempt = attempt(place, None, form, &pod, &labels);
            let (webhooks, _) = self.webhooks.that_see(&attempt);
            webhooks.iter().any(|webhook| {
                webhook.is_of_cluster_policies() && webhook.answers == Some(true) && !webhook.conditional
            })
        })
    }

    /// What becomes of every canary in a namespace. A policy that refuses the harmless pod too refuses for another
    /// reason, and does not count.
    pub fn predict(&self, place: &Place<'_>) -> Vec<(Weakness, Form, Prediction)> {
        let mut predictions = Vec::new();
        for form in Form::ALL {
            let refuse_all = self.refuse_all(place, form);
            for weakness in Weakness::ALL {
                let pod = canary::canary(place.namespace, place.image, weakness, form);
                let answers = self.answers(place, Some(weakness), form, &pod);
                predictions.push((weakness, form, together(answers, &refuse_all)));
            }
        }
        predictions
    }

    /// The policies that refuse even the harmless pod.
    fn refuse_all(&self, place: &Place<'_>, form: Form) -> BTreeSet<String> {
        let harmless = canary::harmless(place.namespace, place.image);
        self.answers(place, None, form, &harmless)
            .into_iter()
            .filter(|answer| answer.verdict == Verdict::Rejects)
            .map(|answer| answer.policy)
            .collect()
    }

    fn answers(&self, place: &Place<'_>, weakness: Option<Weakness>, form: Form, pod: &Value) -> Vec<Answer> {
        let labels = canary_labels();
        let pod = defaulted_pod(pod.clone());
        let attempt = attempt(place, weakness, form, &pod, &labels);
        let mut answers = vec![self.pod_security.answer(&attempt)];
        let request = self.request(place, form, &pod);
        answers.extend(of_policies("ValidatingAdmissionPolicy", &self.policies, &request, &self.parameters));
        answers.extend(self.of_webhooks(&attempt, &request));
        answers.extend(self.unreadable.iter().cloned());
        if !self.inventory.resources(Kind::SecurityContextConstraints).seen.is_empty() && weakness.is_some() {
            answers.push(Answer::undecided(
                "OpenShift's SecurityContextConstraints",
                "depend on who asks, and on what that account may use",
            ));
        }
        answers
    }

    fn request(&self, place: &Place<'_>, form: Form, pod: &Value) -> Request {
        let updates = form == Form::EphemeralContainer;
        let namespace = json!({
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": { "name": place.namespace, "labels": place.labels },
        });
        Request {
            operation: if updates { Operation::Update } else { Operation::Create },
            group: String::new(),
            version: "v1".to_owned(),
            kind: "Pod".to_owned(),
            resource: "pods".to_owned(),
            subresource: form.subresource().unwrap_or_default().to_owned(),
            name: canary::NAME.to_owned(),
            namespace: Some(Namespace {
                name: place.namespace.to_owned(),
                object: (!self.reads_annotations).then_some(namespace),
            }),
            object: pod.clone(),
            old_object: if updates {
                defaulted_pod(canary::harmless(place.namespace, place.image))
            } else {
                Value::Null
            },
            user_info: None,
            options: None,
            dry_run: false,
        }
    }

    fn of_webhooks(&self, attempt: &Attempt<'_>, request: &Request) -> Vec<Answer> {
        let (webhooks, unreadable) = self.webhooks.that_see(attempt);
        let mut answers: Vec<Answer> = unreadable
            .into_iter()
            .map(|name| Answer::undecided(format!("Webhook {name}"), "whom it sees is not understood"))
            .collect();
        for (product, of_product) in [
            (Product::Kyverno, self.kyverno.answers(attempt)),
            (
                Product::Kyverno,
                of_policies("Kyverno ValidatingPolicy", &self.kyverno_policies, request, &self.parameters),
            ),
            (Product::Gatekeeper, self.gatekeeper.answers(attempt)),
        ] {
            let of_webhook: Vec<&Webhook> =
                webhooks.iter().filter(|webhook| webhook.product() == product).collect();
            answers.extend(of_product.into_iter().map(|answer| through(answer, &of_webhook)));
        }
        let others = webhooks.iter().filter(|webhook| {
            matches!(webhook.product(), Product::Kubewarden | Product::Other)
                && webhook.answers != Some(false)
        });
        if attempt.weakness.is_some() {
            answers.extend(others.map(|webhook| {
                Answer::undecided(
                    format!("Webhook {}", webhook.name),
                    "sees it, and what it answers is not known",
                )
            }));
        }
        answers
    }
}

fn canary_labels() -> Labels {
    Labels::from([("app.kubernetes.io/name".to_owned(), canary::NAME.to_owned())])
}

fn attempt<'p>(
    place: &'p Place<'_>,
    weakness: Option<Weakness>,
    form: Form,
    pod: &'p Value,
    labels: &'p Labels,
) -> Attempt<'p> {
    Attempt {
        namespace: place.namespace,
        namespace_labels: &place.labels,
        weakness,
        form,
        pod,
        labels,
        image: match weakness {
            Some(Weakness::UntrustedRegistry) => canary::UNTRUSTED_IMAGE,
            _ => place.image.unwrap_or(canary::TRUSTED_IMAGE),
        },
    }
}

/// What policies that are written in CEL answer.
fn of_policies(
    kind: &str,
    policies: &Evaluator,
    request: &Request,
    parameters: &ConfigMapParameters<'_>,
) -> Vec<Answer> {
    policies
        .decide(request, parameters)
        .into_iter()
        .filter_map(|decision| {
            let verdict = match (&decision.outcome, decision.refuses()) {
                (Outcome::NotMatched(why), _) => Verdict::Admits(Some(format!("does not see it: {why}"))),
                (Outcome::Allowed, _) => Verdict::Admits(Some("sees it, and its rules hold".to_owned())),
                (Outcome::Denied { .. }, Some(true)) => Verdict::Rejects,
                (Outcome::Denied { .. }, _) => {
                    let actions = actions(&decision.validation_actions);
                    Verdict::Admits(Some(format!("{actions} it, and does not deny")))
                }
                // What only warns decides nothing, whatever it says.
                (Outcome::Unknown(_), _)
                    if !decision.validation_actions.contains(&ValidationAction::Deny) =>
                {
                    return None;
                }
                (Outcome::Unknown(why), _) => Verdict::Undecided(why.clone()),
            };
            Some(Answer::new(format!("{kind} {}", decision.policy), verdict))
        })
        .collect()
}

/// The actions that a ValidatingPolicy says itself; left out, they are Deny.
fn kyverno_binding(
    inventory: &Inventory,
    policy: &ValidatingAdmissionPolicy,
) -> ValidatingAdmissionPolicyBinding {
    let body = inventory
        .resources(Kind::KyvernoValidatingPolicies)
        .seen
        .iter()
        .find(|found| found.meta.name == policy.metadata.name);
    let actions = body.and_then(|body| body.body.pointer("/spec/validationActions")).cloned();
    let mut binding = ValidatingAdmissionPolicyBinding::default();
    binding.metadata.name.clone_from(&policy.metadata.name);
    binding.spec.policy_name.clone_from(&policy.metadata.name);
    binding.spec.validation_actions = actions
        .and_then(|actions| serde_json::from_value(actions).ok())
        .filter(|actions: &Vec<ValidationAction>| !actions.is_empty())
        .unwrap_or_else(|| vec![ValidationAction::Deny]);
    binding
}

/// A product's answer, as it gets through its webhook.
fn through(answer: Answer, webhooks: &[&Webhook]) -> Answer {
    if answer.verdict != Verdict::Rejects {
        return answer;
    }
    let verdict = if webhooks.is_empty() {
        Verdict::Admits(Some("would refuse it, and no webhook shows it".to_owned()))
    } else if webhooks.iter().all(|webhook| webhook.answers == Some(false)) {
        Verdict::Admits(Some("would refuse it, and no ready endpoint answers its webhook".to_owned()))
    } else if webhooks.iter().any(|webhook| webhook.answers == Some(true) && !webhook.conditional) {
        return match webhooks.iter().all(|webhook| webhook.soft) {
            true => Answer { policy: format!("{} (not while its webhook is down)", answer.policy), ..answer },
            false => answer,
        };
    } else {
        Verdict::Undecided("would refuse it, and whether its webhook asks it is not known".to_owned())
    };
    Answer { verdict, ..answer }
}

fn together(answers: Vec<Answer>, refuse_all: &BTreeSet<String>) -> Prediction {
    let (mut refused, mut remarks, mut undecided) = (Vec::new(), Vec::new(), Vec::new());
    for Answer { policy, verdict } in answers {
        match verdict {
            Verdict::Rejects if refuse_all.contains(&policy) => {
                remarks.push(format!("{policy} refuses even a harmless pod, so it tells nothing"));
            }
            Verdict::Rejects => refused.push(policy),
            Verdict::Admits(why) => remarks.extend(why.map(|why| format!("{policy} {why}"))),
            Verdict::Undecided(why) => undecided.push(format!("{policy}: {why}")),
        }
    }
    if !refused.is_empty() {
        Prediction::Refused(refused)
    } else if !undecided.is_empty() {
        Prediction::Undecided(undecided)
    } else {
        Prediction::Admitted(remarks)
    }
}

fn actions(actions: &[ValidationAction]) -> String {
    let words: Vec<&str> = actions
        .iter()
        .map(|action| match action {
            ValidationAction::Deny => "denies",
            ValidationAction::Warn => "warns of",
            ValidationAction::Audit => "records",
        })
        .collect();
    words.join(" and ")
}

fn read<T: serde::de::DeserializeOwned>(
    inventory: &Inventory,
    kind: Kind,
    unreadable: &mut Vec<Answer>,
) -> Vec<T> {
    let mut found = Vec::new();
    for resource in &inventory.resources(kind).seen {
        let mut body = resource.body.clone();
        body["metadata"] = json!({ "name": resource.meta.name });
        match serde_json::from_value(body) {
            Ok(policy) => found.push(policy),
            Err(_) => unreadable.push(Answer::undecided(
                format!("{} {}", resource.object_kind, resource.meta.name),
                "it has another form than is known",
            )),
        }
    }
    found
}
