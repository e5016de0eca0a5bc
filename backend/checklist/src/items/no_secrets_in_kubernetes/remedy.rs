//! References to Secrets in place of literals, and ExternalSecrets for Secrets that nobody manages. Never a value.

use super::managers::{SecretName, Stores};
use super::{IN_ENVIRONMENT, UNMANAGED, consumed};
use crate::credentials::CredentialLiteral;
use crate::fingerprint::fingerprint;
use crate::remedy::{Draft, FindingAt, Placed, Stays, Texts, document, remainder, remediation, secret_key};
use crate::workloads::{ContainerType, View};
use rampart_shared::{
    ChosenField, Finding, ItemId, ItemResult, Remainder, Remediation, RemediationDocument, RemediationInput,
    RemediationTarget, Subject,
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The input that names a ClusterSecretStore; secret-manager asks for the same.
const STORE: &str = "secret-store";

pub(super) fn remedy(view: &View<'_>, result: &ItemResult) -> Remediation {
    let texts = Texts {
        changes: "Replaces credentials in environment variables by references to a Secret, and adds an ExternalSecret for \
                  each Secret that no manager produces, where the External Secrets Operator is there: from the store that \
                  other ExternalSecrets name, else from the one that you choose. Change every credential that was found: it \
                  stood where many could read it, and old revisions and backups still have it.",
        may_break: "Pods do not start while their Secret, or a key of it, is not there: put the values into the store, \
                    or make the Secret as the comment of each document says, before you apply it. An ExternalSecret for \
                    a Secret that is there takes it over and writes its data anew from the store.",
        undo: "Apply the former manifests of the workloads: the second file takes the references away, and no file of Rampart \
               has the values. kubectl delete the ExternalSecrets, which deletes their Secrets too.",
    };
    let findings: Vec<&Finding> = result.application_findings().collect();
    if findings.is_empty() {
        return remediation(result, texts, Vec::new());
    }
    let of_rule = |rule: &str| -> Vec<&Finding> {
        findings.iter().copied().filter(|finding| finding.rule == rule).collect()
    };
    let stores = Stores::of(view);
    let mut documents = Vec::new();
    let mut unmanaged = Vec::new();
    for finding in of_rule(UNMANAGED) {
        let Subject { namespace: Some(namespace), name, .. } = &finding.subject else { continue };
        match external_secret(&stores, namespace, name, None) {
            Some(document) => documents.push(document),
            None => unmanaged.push(finding),
        }
    }
    let mut variables = Variables { stores: &stores, taken: BTreeSet::new(), unmanaged: Vec::new() };
    let in_environment = of_rule(IN_ENVIRONMENT);
    if !in_environment.is_empty() {
        variables.taken = consumed::names(view);
    }
    let mut placed = Placed::new(view, in_environment);
    let mut injected = Vec::new();
    for (draft, workload, findings) in std::mem::take(&mut placed.changeable) {
        documents.extend(variables.of_workload(draft, &workload.subject, &findings, &mut injected));
    }
    for finding in injected {
        placed.stay(Stays::Admission, finding);
    }
    let mut made = remediation(result, texts, documents);
    if made.documents.iter().any(|document| !document.choices.is_empty()) {
        made.inputs.push(input());
    }
    made.remaining =
        placed.remaining(view, "valueFrom.secretKeyRef in place of the value of each such variable");
    for rule in ["literal-in-command", "literal-in-config-map", "literal-in-annotation"] {
        let findings = of_rule(rule);
        made.remaining.extend(remainder(move_it(rule, &findings), findings));
    }
    let manager = "Let a secret manager produce these Secrets: install the External Secrets Operator or another manager that \
                   secret-manager names, and export again; then they get ExternalSecrets.";
    made.remaining.extend(remainder(manager, unmanaged));
    if !variables.unmanaged.is_empty() {
        let task = "Let a secret manager produce the new Secrets to which the variables refer, such as the External Secrets \
                    Operator: made by hand as the comments say, they hold no literal any more and have no manager yet.";
        made.remaining.push(Remainder { task: task.to_owned(), findings: variables.unmanaged });
    }
    made
}

/// What moves a credential out of where no reference can stand, with the first places.
fn move_it(rule: &str, findings: &[&Finding]) -> String {
    const SHOWN: usize = 10;
    let (from, to) = match rule {
        "literal-in-command" => (
            "Take the credentials out of these command lines",
            "set an environment variable from a Secret and write $(NAME) in its place, or let the program read a file",
        ),
        "literal-in-config-map" => (
            "Take the credentials out of these ConfigMaps",
            "put the key into a Secret that a manager produces, and mount or refer to that; then delete it here",
        ),
        _ => (
            "Take the credentials out of these annotations",
            "let what reads the annotation read a Secret, and delete it (kubectl annotate KIND NAME ANNOTATION-)",
        ),
    };
    let places: Vec<String> = findings
        .iter()
        .take(SHOWN)
        .map(|finding| {
            let Subject { kind, namespace, name, .. } = &finding.subject;
            format!("{kind} {}/{name} {}", namespace.as_deref().unwrap_or_default(), finding.path)
        })
        .collect();
    let more = findings.len().saturating_sub(SHOWN);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{from}: {to}. Change each credential. {}{more}.", places.join("; "))
}

/// Variables that come to refer to Secrets.
struct Variables<'s> {
    stores: &'s Stores,
    /// The names of Secrets that are used already.
    taken: BTreeSet<SecretName>,
    /// The findings that take the literals' place where nothing makes the new Secrets.
    unmanaged: Vec<rampart_shared::Fingerprint>,
}

impl Variables<'_> {
    /// The documents for one workload: what makes its Secrets, then what refers to them.
    fn of_workload<'f>(
        &mut self,
        mut draft: Draft<'_>,
        subject: &Subject,
        findings: &[FindingAt<'f>],
        injected: &mut Vec<&'f Finding>,
    ) -> Vec<RemediationDocument> {
        let namespace = subject.namespace.as_deref().unwrap_or_default();
        let shared = self.free_name(namespace, &[&subject.name]);
        let mut by_container: BTreeMap<(ContainerType, &str), Vec<(&str, &'f Finding)>> = BTreeMap::new();
        for FindingAt { container, finding } in findings {
            if let (Some(container), Some(variable)) = (container, variable(&finding.path)) {
                by_container.entry(*container).or_default().push((variable, finding));
            }
        }
        let mut values: HashMap<String, &CredentialLiteral> = HashMap::new();
        let mut secrets: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for ((container_type, container), variables) in by_container {
            let literal = |name: &str| {
                let path = format!("env[name={name}].value");
                let credentials = &draft.container(container_type, container)?.credentials;
                credentials.iter().find(|credential| credential.path == path).map(|found| &found.literal)
            };
            let literals: Vec<_> =
                variables.iter().filter_map(|(name, _)| Some((secret_key(name), literal(name)?))).collect();
            // Two containers may have the same variable with two values.
            let differs =
                literals.iter().any(|(key, literal)| values.get(key).is_some_and(|known| known != literal));
            let secret = if differs {
                self.free_name(namespace, &[&subject.name, container])
            } else {
                values.extend(literals);
                shared.clone()
            };
            for (name, finding) in variables {
                if draft.set_variable(container_type, container, name, &secret) {
                    secrets.entry(secret.clone()).or_default().insert(name);
                } else {
                    injected.push(finding);
                }
            }
        }
        let mut documents = Vec::new();
        let mut told = Vec::new();
        for (secret, variables) in secrets {
            self.taken.insert((namespace.to_owned(), secret.clone()));
            let names: Vec<&str> = variables.iter().copied().collect();
            told.push(format!("{} from Secret {secret}", names.join(", ")));
            let made = external_secret(self.stores, namespace, &secret, Some(&variables));
            if made.as_ref().is_none_or(|made| !made.choices.is_empty()) {
                told.push(format!(
                    "Make the Secret first, with the new values after the equals signs:\n{}\n\
                     A secret manager should produce it; until one does, the item does not hold.",
                    create_command(namespace, &secret, &variables)
                ));
            }
            if made.is_none() {
                self.unmanaged.push(fingerprint(
                    ItemId::NoSecretsInKubernetes,
                    UNMANAGED,
                    &consumed::subject(namespace, &secret),
                    consumed::PATH,
                    "",
                ));
            }
            documents.extend(made);
        }
        documents.extend(draft.document(&told.join("\n")));
        documents
    }

    /// A name that no pod uses yet: what is there must stay as it is.
    fn free_name(&self, namespace: &str, parts: &[&str]) -> String {
        // With what is added, a name may have 253 characters.
        const LONGEST: usize = 200;
        let mut name: String = parts.join("-").chars().take(LONGEST).collect();
        name.push_str("-credentials");
        while self.taken.contains(&(namespace.to_owned(), name.clone())) {
            name.push_str("-rampart");
        }
        name
    }
}

/// An ExternalSecret, where the cluster serves them: for these keys, or for all that the store has under one name.
fn external_secret(
    stores: &Stores,
    namespace: &str,
    secret: &str,
    variables: Option<&BTreeSet<&str>>,
) -> Option<RemediationDocument> {
    let known = stores.of_namespace(namespace);
    let (api_version, kind, name) = match known {
        Some(store) => (&store.api_version, store.kind.as_str(), store.name.as_str()),
        None => (stores.served.as_ref()?, "ClusterSecretStore", STORE),
    };
    let remote = format!("{namespace}/{secret}");
    let mut spec = json!({
        "refreshInterval": "1h",
        "secretStoreRef": { "kind": kind, "name": name },
        "target": { "name": secret },
    });
    match variables {
        Some(variables) => {
            let data: Vec<Value> = variables
                .iter()
                .map(|name| {
                    let key = secret_key(name);
                    json!({ "secretKey": key, "remoteRef": { "key": remote, "property": key } })
                })
                .collect();
            spec["data"] = Value::Array(data);
        }
        None => spec["dataFrom"] = json!([{ "extract": { "key": remote } }]),
    }
    let object = json!({
        "apiVersion": api_version,
        "kind": "ExternalSecret",
        "metadata": { "name": secret, "namespace": namespace },
        "spec": spec,
    });
    let store =
        if known.is_some() { format!("{kind} {name}") } else { format!("the {kind} that you choose") };
    let comment = format!("Put the values into {store} under {remote} first");
    let mut document = document(RemediationTarget::NewObject, comment, &object);
    if known.is_none() {
        document.choices.push(ChosenField {
            pointer: "/spec/secretStoreRef/name".to_owned(),
            input: STORE.to_owned(),
            template: "{}".to_owned(),
        });
    }
    Some(document)
}

fn input() -> RemediationInput {
    RemediationInput {
        name: STORE.to_owned(),
        label: "ClusterSecretStore for new ExternalSecrets".to_owned(),
        help: "The name of the ClusterSecretStore of the External Secrets Operator from which Secrets are to be written \
               (kubectl get clustersecretstores)."
            .to_owned(),
        default: None,
        example: "vault".to_owned(),
        options: Vec::new(),
    }
}

/// The variable that a finding's path names: `…env[name=DB_PASSWORD].value`.
fn variable(path: &str) -> Option<&str> {
    path.rsplit_once(".env[name=")?.1.strip_suffix("].value")
}

fn create_command(namespace: &str, secret: &str, variables: &BTreeSet<&str>) -> String {
    let literals: String =
        variables.iter().map(|name| format!(" --from-literal={}=", secret_key(name))).collect();
    format!("kubectl -n {} create secret generic {}{literals}", secret_key(namespace), secret_key(secret))
}
