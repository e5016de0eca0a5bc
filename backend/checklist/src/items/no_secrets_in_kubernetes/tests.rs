use super::*;
use crate::credentials::{redact_text, redact_variable, redact_words};
use crate::inventory::{Inventory, Object};
use crate::testing::{assert_remedied, evaluated, forbid, inventory};
use crate::{EvaluatedItem, Parameters};
use rampart_shared::Outcome;
use serde_json::Value;

const ID: ItemId = ItemId::NoSecretsInKubernetes;
/// Made up, and put together here so that nothing that looks for tokens takes it for one.
const TOKEN: &str = concat!("ghp", "_kE9vZq2Lm4Tt7Yw1Rb3Xc6Ua0sDf5Gh8Jj2K");
const PASSWORD: &str = concat!("kE9v", "Zq2L", "m4Tt");

fn parameters() -> Parameters {
    Parameters { fingerprint_key: Some(FingerprintKey::new([7; 32])), ..Parameters::default() }
}

fn judged(inventory: &Inventory) -> EvaluatedItem {
    evaluated(ID, inventory, &parameters())
}

/// Each finding as `rule path class`.
fn found(yaml: &str) -> Vec<String> {
    let result = judged(&inventory(yaml)).result;
    let findings = result.evidence().findings.iter();
    findings
        .map(|finding| {
            let class = finding.observed.split(" (fingerprint ").next().unwrap();
            format!("{} {} {class}", finding.rule, finding.path)
        })
        .collect()
}

fn outcome(yaml: &str) -> Outcome {
    let inventory = inventory(yaml);
    assert_remedied(ID, &inventory, &parameters());
    judged(&inventory).result.outcome()
}

fn pod(spec: &str) -> String {
    format!(
        "{{apiVersion: v1, kind: Pod, metadata: {{name: cart, namespace: shop}}, spec: {{{spec}}}, \
          status: {{phase: Running, ephemeralContainerStatuses: [{{name: debug, state: {{running: {{}}}}}}]}}}}"
    )
}

fn with_variable(name: &str, value: &str) -> String {
    pod(&format!("containers: [{{name: web, env: [{{name: '{name}', value: '{value}'}}]}}]"))
}

fn config_map(data: &str) -> String {
    format!("{{apiVersion: v1, kind: ConfigMap, metadata: {{name: app, namespace: shop}}, data: {data}}}")
}

fn object(kind: &str, name: &str, rest: &str) -> String {
    let api_version = match kind {
        "ExternalSecret" | "ClusterExternalSecret" => "external-secrets.io/v1",
        "SecretProviderClass" => "secrets-store.csi.x-k8s.io/v1",
        "SealedSecret" => "bitnami.com/v1alpha1",
        "Certificate" => "cert-manager.io/v1",
        _ => "secrets.hashicorp.com/v1beta1",
    };
    format!(
        "{{apiVersion: {api_version}, kind: {kind}, metadata: {{name: {name}, namespace: shop}}, {rest}}}"
    )
}

/// A pod that consumes the Secret `db`, beside these objects.
fn consuming(objects: &[String]) -> String {
    let mut all = vec![pod("containers: [{name: web, envFrom: [{secretRef: {name: db}}]}]")];
    all.extend_from_slice(objects);
    all.join("\n---\n")
}

#[test]
fn variables_that_stay_quiet() {
    for (name, value) in [
        ("server-tokens", "off"),
        ("AUTH_TOKEN_PATH", "/var/run/secrets/tokens/api"),
        ("KEY_ROTATION_DAYS", "30"),
        ("DB_PASSWORD_FILE", "/run/secrets/db"),
        ("DB_PASSWORD", ""),
        ("DB_PASSWORD", "$(FROM_SECRET)"),
        ("DB_PASSWORD", "<password>"),
        ("DB_PASSWORD", "REPLACE_ME"),
        ("TOKEN_ENABLED", "true"),
        ("SECRET_NAME", "shop-db"),
    ] {
        assert_eq!(found(&with_variable(name, value)), [""; 0], "{name}={value}");
        assert_eq!(outcome(&with_variable(name, value)), Outcome::Pass);
    }
}

#[test]
fn a_reference_is_never_a_literal() {
    let by_reference = "containers: [{name: web, envFrom: [{secretRef: {name: db}}], \
                        env: [{name: DB_PASSWORD, valueFrom: {secretKeyRef: {name: db, key: password}}}]}]";
    let yaml = pod(by_reference) + "\n---\n" + &object("ExternalSecret", "db", "spec: {}");
    assert_eq!((found(&yaml), outcome(&yaml)), (vec![], Outcome::Pass));
}

#[test]
fn literals_in_every_container_and_field() {
    let container = |name: &str| {
        format!(
            "{{name: {name}, command: [run, --password={PASSWORD}], args: [--token, {TOKEN}], env: [{{name: DB_PASSWORD, value: {PASSWORD}}}]}}"
        )
    };
    let spec = format!(
        "initContainers: [{}], containers: [{}], ephemeralContainers: [{}]",
        container("init"),
        container("web"),
        container("debug")
    );
    let mut expected: Vec<String> =
        ["containers[name=web]", "ephemeralContainers[name=debug]", "initContainers[name=init]"]
            .iter()
            .flat_map(|at| {
                [
                    format!("literal-in-command spec.{at}.args[--token] GitHub token"),
                    format!("literal-in-command spec.{at}.command[password] password by name"),
                    format!("literal-in-environment spec.{at}.env[name=DB_PASSWORD].value password by name"),
                ]
            })
            .collect();
    let sorted = |mut lines: Vec<String>| {
        lines.sort();
        lines
    };
    expected.sort();
    let found = sorted(found(&pod(&spec)));
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(&expected) {
        // The flag's name is what stands before the value, with or without its dashes.
        assert_eq!(found.replace("[--", "["), expected.replace("[--", "["));
    }
}

#[test]
fn literals_in_config_maps_and_annotations() {
    let data =
        format!("{{mode: fast, app.properties: \"user=shop\\ndb.password={PASSWORD}\\n\", TOKEN: {TOKEN}}}");
    assert_eq!(
        found(&config_map(&data)),
        [
            "literal-in-config-map data[TOKEN] GitHub token",
            "literal-in-config-map data[app.properties][db.password] password by name",
        ]
    );
    let note = judged(&inventory(&config_map(&data))).result.evidence().findings[1].note.clone();
    assert_eq!(note.as_deref(), Some("In line 2."));
    let binary = config_map(&format!("{{}}, binaryData: {{TOKEN: {TOKEN}}}"));
    assert_eq!(outcome(&binary), Outcome::Pass);

    for annotated in [
        "{apiVersion: v1, kind: Service, metadata: {name: x, namespace: shop, annotations: ANNOTATIONS}}",
        "{apiVersion: v1, kind: Namespace, metadata: {name: shop, annotations: ANNOTATIONS}}",
        "{apiVersion: v1, kind: ServiceAccount, metadata: {name: x, namespace: shop, annotations: ANNOTATIONS}}",
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: x, namespace: shop, annotations: ANNOTATIONS}}",
        "{apiVersion: v1, kind: Node, metadata: {name: x, annotations: ANNOTATIONS}}",
        "{apiVersion: apps/v1, kind: Deployment, metadata: {name: x, namespace: shop, annotations: ANNOTATIONS}, spec: {template: {spec: {containers: [{name: web}]}}}}",
    ] {
        let with = |annotations: &str| annotated.replace("ANNOTATIONS", annotations);
        assert_eq!(
            found(&with(&format!("{{acme.io/note: {TOKEN}}}"))),
            ["literal-in-annotation metadata.annotations[acme.io/note] GitHub token"]
        );
        let copy = format!("{{kubectl.kubernetes.io/last-applied-configuration: {TOKEN}}}");
        assert_eq!(found(&with(&copy)), [""; 0]);
        assert_eq!(found(&with(&format!("{{checksum/secret: '{}'}}", "1f".repeat(32)))), [""; 0]);
    }
}

#[test]
fn annotations_of_templates_and_of_pods_alone() {
    let deployment = format!(
        "{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: cart, namespace: shop}}, spec: {{template: {{metadata: {{annotations: {{note: {TOKEN}}}}}, spec: {{containers: [{{name: web}}]}}}}}}}}"
    );
    assert_eq!(
        found(&deployment),
        ["literal-in-annotation spec.template.metadata.annotations[note] GitHub token"]
    );
    let pod = format!(
        "{{apiVersion: v1, kind: Pod, metadata: {{name: cart-1, namespace: shop, annotations: {{note: {TOKEN}, more: {TOKEN}}}, ownerReferences: [{{apiVersion: apps/v1, kind: StatefulSet, name: cart, controller: true}}]}}, spec: {{containers: [{{name: web}}]}}}}"
    );
    let set = deployment.replace("Deployment", "StatefulSet");
    assert_eq!(
        found(&(set + "\n---\n" + &pod)),
        [
            "literal-in-annotation pod:metadata.annotations[more] GitHub token",
            "literal-in-annotation spec.template.metadata.annotations[note] GitHub token",
        ]
    );
}

#[test]
fn wrapping_a_pod_keeps_the_outcome_and_names_the_owner() {
    for (kind, api_version, before, path) in [
        ("Deployment", "apps/v1", "template: {spec: ", "spec.template.spec"),
        ("Job", "batch/v1", "template: {spec: ", "spec.template.spec"),
        (
            "CronJob",
            "batch/v1",
            "jobTemplate: {spec: {template: {spec: ",
            "spec.jobTemplate.spec.template.spec",
        ),
    ] {
        let after = "}".repeat(before.matches('{').count());
        let yaml = format!(
            "{{apiVersion: {api_version}, kind: {kind}, metadata: {{name: cart, namespace: shop}}, spec: {{{before}{{containers: [{{name: web, env: [{{name: T, value: {TOKEN}}}]}}]}}{after}}}}}"
        );
        assert_eq!(
            found(&yaml),
            [format!("literal-in-environment {path}.containers[name=web].env[name=T].value GitHub token")]
        );
    }
}

#[test]
fn the_value_is_told_nowhere_and_a_change_of_it_is_seen() {
    let of = |value: &str| {
        judged(&inventory(&with_variable("DB_PASSWORD", value))).result.evidence().findings[0].clone()
    };
    let (one, two) = (of(PASSWORD), of(concat!("zq2L", "kE9v", "m4Tt")));
    assert_eq!(one.fingerprint, two.fingerprint);
    assert_ne!(one.content, two.content);
    let yaml = [with_variable("DB_PASSWORD", PASSWORD), config_map(&format!("{{DB_PASSWORD: {PASSWORD}}}"))]
        .join("\n---\n");
    let seen = inventory(&yaml);
    assert!(!format!("{seen:?}").contains(PASSWORD));
    let item = judged(&seen);
    assert!(!format!("{item:?}").contains(PASSWORD));
    assert!(!serde_json::to_string(&item.result).unwrap().contains(PASSWORD));
    // Without a key there is nothing against which values could be tried.
    let without = evaluated(ID, &seen, &Parameters::default()).result;
    assert_eq!(without.evidence().findings[0].observed, "password by name");
}

#[test]
fn what_was_redacted_is_found_as_it_was() {
    let key = FingerprintKey::new([7; 32]);
    let words = ["run".to_owned(), "--token".to_owned(), TOKEN.to_owned(), format!("--password={PASSWORD}")];
    let file = format!("user=shop\ndb.password={PASSWORD}\n");
    let build = |variable: &str, words: &[String], file: &str| {
        let pod = serde_json::json!({ "metadata": { "name": "cart", "namespace": "shop" },
            "spec": { "containers": [{ "name": "web", "args": words, "env": [{ "name": "DB_PASSWORD", "value": variable }] }] } });
        let map = serde_json::json!({ "metadata": { "name": "app", "namespace": "shop" }, "data": { "app.env": file } });
        let mut inventory = Inventory::empty(rampart_shared::Source::Snapshot);
        inventory.insert(Object::deserialize(Kind::Pods, "v1", pod).unwrap());
        inventory.insert(Object::deserialize(Kind::ConfigMaps, "v1", map).unwrap());
        inventory
    };
    let live = build(PASSWORD, &words, &file);
    let redacted = build(
        &redact_variable("DB_PASSWORD", PASSWORD, &key),
        &redact_words(&words, &key),
        &redact_text("app.env", &file, &key),
    );
    assert_eq!(live.config_maps.seen[0].data, redacted.config_maps.seen[0].data);
    let result = judged(&live).result;
    assert_eq!(result.evidence().findings.len(), 4);
    assert_eq!(result, judged(&redacted).result);
    // It needs no key any more.
    assert_eq!(result, evaluated(ID, &redacted, &Parameters::default()).result);
}

#[test]
fn every_manager_produces() {
    for manager in [
        object("ExternalSecret", "db", "spec: {}"),
        object("ExternalSecret", "x", "spec: {target: {name: db}}"),
        object("ExternalSecret", "x", "spec: {target: {name: db, creationPolicy: Orphan}}"),
        object("ExternalSecret", "x", "spec: {target: {name: db, creationPolicy: CreateOrMerge}}"),
        object(
            "ClusterExternalSecret",
            "x",
            "spec: {externalSecretName: db}, status: {provisionedNamespaces: [shop]}",
        ),
        object(
            "ClusterExternalSecret",
            "x",
            "spec: {externalSecretSpec: {target: {name: db}}}, status: {provisionedNamespaces: [shop]}",
        ),
        object("SecretProviderClass", "x", "spec: {secretObjects: [{secretName: db}]}"),
        object("SealedSecret", "db", "spec: {}"),
        object("VaultStaticSecret", "x", "spec: {destination: {name: db, create: true}}"),
        object("VaultDynamicSecret", "x", "spec: {destination: {name: db, create: true}}"),
        object("VaultPKISecret", "x", "spec: {destination: {name: db, create: true}}"),
    ] {
        let yaml = consuming(std::slice::from_ref(&manager));
        assert_eq!(outcome(&yaml), Outcome::Pass, "{manager}");
        let elsewhere = manager.replace("namespace: shop", "namespace: other").replace("[shop]", "[other]");
        assert_eq!(outcome(&consuming(&[elsewhere])), Outcome::Fail, "{manager}");
    }
}

#[test]
fn what_does_not_produce() {
    for manager in [
        object("ExternalSecret", "db", "spec: {target: {name: other}}"),
        object("ExternalSecret", "db", "spec: {target: {creationPolicy: None}}"),
        object("ExternalSecret", "db", "spec: {target: {creationPolicy: Merge}}"),
        object("ExternalSecret", "db", "spec: {target: {manifest: {apiVersion: v1, kind: ConfigMap}}}"),
        object("SecretProviderClass", "db", "spec: {}"),
        // The controller does not look at the name in the template.
        object("SealedSecret", "x", "spec: {template: {metadata: {name: db}}}"),
        object("VaultStaticSecret", "x", "spec: {destination: {name: db}}"),
    ] {
        let yaml = consuming(std::slice::from_ref(&manager));
        assert_eq!(found(&yaml), ["unmanaged-secret secret manager no manager produces it"], "{manager}");
    }
    let yaml = consuming(&[object("ExternalSecret", "db", "spec: {target: {creationPolicy: Merge}}")]);
    let note = judged(&inventory(&yaml)).result.evidence().findings[0].note.clone().unwrap();
    assert_eq!(
        note,
        "Consumed by Pod cart (spec.containers[name=web].envFrom[0].secretRef). ExternalSecret db writes into it, and \
         does not make it."
    );
}

#[test]
fn every_way_of_consuming_counts() {
    for spec in [
        "containers: [{name: web, envFrom: [{secretRef: {name: db}}]}]",
        "containers: [{name: web, env: [{name: P, valueFrom: {secretKeyRef: {name: db, key: p}}}]}]",
        "initContainers: [{name: init, envFrom: [{secretRef: {name: db}}]}], containers: [{name: web}]",
        "containers: [{name: web}], ephemeralContainers: [{name: debug, envFrom: [{secretRef: {name: db}}]}]",
        "containers: [{name: web}], volumes: [{name: v, secret: {secretName: db}}]",
        "containers: [{name: web}], volumes: [{name: v, projected: {sources: [{secret: {name: db}}]}}]",
        "containers: [{name: web}], volumes: [{name: v, csi: {driver: x, nodePublishSecretRef: {name: db}}}]",
    ] {
        assert_eq!(found(&pod(spec)), ["unmanaged-secret secret manager no manager produces it"], "{spec}");
    }
    let ended =
        "containers: [{name: web}], ephemeralContainers: [{name: ended, envFrom: [{secretRef: {name: db}}]}]";
    assert_eq!(outcome(&pod(ended)), Outcome::Pass);
}

#[test]
fn what_is_told_apart() {
    let account = "{apiVersion: v1, kind: ServiceAccount, metadata: {name: web, namespace: shop}}";
    let serving = "{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop, annotations: {service.beta.openshift.io/serving-cert-secret-name: db}}}";
    let mounts = |secret: &str| {
        pod(&format!("containers: [{{name: web}}], volumes: [{{name: v, secret: {{secretName: {secret}}}}}]"))
    };
    for (yaml, note) in [
        (pod("containers: [{name: web}], imagePullSecrets: [{name: db}]"), "pulling images: shop/db."),
        (
            consuming(&[object("Certificate", "x", "spec: {secretName: db}")]),
            "certificates of cert-manager: shop/db.",
        ),
        (consuming(&[serving.to_owned()]), "serving certificates of OpenShift: shop/db."),
        (consuming(&[serving.replace("beta", "alpha")]), "serving certificates of OpenShift: shop/db."),
        (
            mounts("web-token-x7k2p") + "\n---\n" + account,
            "tokens of service accounts: shop/web-token-x7k2p.",
        ),
        (
            pod("containers: [{name: web, envFrom: [{secretRef: {name: db, optional: true}}]}]"),
            "optional references: shop/db.",
        ),
    ] {
        let result = judged(&inventory(&yaml)).result;
        assert_eq!(result.outcome(), Outcome::Pass, "{note}");
        assert_eq!(result.evidence().notes, [format!("Secrets apart, for {note}")]);
    }
    // Only a token of an account that is there.
    assert_eq!(outcome(&mounts("web-token-x7k2p")), Outcome::Fail);
    // One reference that is not optional is enough.
    let both = "containers: [{name: web, envFrom: [{secretRef: {name: db, optional: true}}, {secretRef: {name: db}}]}]";
    assert_eq!(outcome(&pod(both)), Outcome::Fail);
}

#[test]
fn an_absence_needs_every_supplier() {
    for kind in managers::SUPPLIERS {
        let mut seen = inventory(&consuming(&[]));
        forbid(&mut seen, kind);
        assert_eq!(judged(&seen).result.outcome(), Outcome::Unknown, "{kind:?}");
        // What needs no Secret needs no manager either.
        let mut seen = inventory(&pod("containers: [{name: web}]"));
        forbid(&mut seen, kind);
        assert_eq!(judged(&seen).result.outcome(), Outcome::Pass, "{kind:?}");
        let mut seen = inventory(&with_variable("T", TOKEN));
        forbid(&mut seen, kind);
        assert_eq!(judged(&seen).result.outcome(), Outcome::Fail, "{kind:?}");
    }
    for unclear in [
        object("ClusterExternalSecret", "db", "spec: {namespaceSelectors: [{}]}"),
        object("VaultStaticSecret", "x", "spec: {destination: 3}"),
    ] {
        assert_eq!(outcome(&consuming(std::slice::from_ref(&unclear))), Outcome::Unknown, "{unclear}");
    }
}

#[test]
fn a_missing_kind_never_passes() {
    for need in ITEM.needs.iter().filter(|need| need.role == Role::Required) {
        let mut seen = inventory(&pod("containers: [{name: web}]"));
        forbid(&mut seen, need.kind);
        assert_eq!(judged(&seen).result.outcome(), Outcome::Unknown, "{:?}", need.kind);
    }
}

#[test]
fn system_namespaces_are_listed_and_do_not_decide() {
    let yaml = [
        pod("containers: [{name: web}]"),
        with_variable("T", TOKEN).replace("namespace: shop", "namespace: kube-system"),
        config_map(&format!("{{T: {TOKEN}}}")).replace("namespace: shop", "namespace: kube-system"),
        consuming(&[])
            .replace("namespace: shop", "namespace: kube-system")
            .replace("name: cart", "name: other"),
    ]
    .join("\n---\n");
    let result = judged(&inventory(&yaml)).result;
    assert_eq!(result.outcome(), Outcome::Pass);
    assert_eq!(result.evidence().findings.len(), 3);
    assert!(result.evidence().findings.iter().all(|finding| finding.scope == Scope::System));
}

fn deployment(env: &str) -> String {
    format!(
        "{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: cart, namespace: shop}}, spec: {{template: {{spec: {{containers: [{{name: web, env: {env}}}]}}}}}}}}"
    )
}

#[test]
fn the_remedy_turns_it_green_where_a_store_is_known() {
    let store =
        object("ExternalSecret", "x", "spec: {secretStoreRef: {kind: ClusterSecretStore, name: vault}}");
    let yaml =
        [deployment(&format!("[{{name: T, value: {TOKEN}}}]")), consuming(std::slice::from_ref(&store))]
            .join("\n---\n");
    let remediation = judged(&inventory(&yaml)).remediation;
    assert!(
        !serde_json::to_string(&remediation).unwrap().contains(TOKEN)
            && !serde_json::to_string(&remediation).unwrap().contains("rampart-red")
    );
    let mut fixed = inventory(&consuming(&[store]));
    for document in &remediation.documents {
        let value: Value = document.object.clone();
        let text = |field: &str| value[field].as_str().unwrap().to_owned();
        let (api_version, kind) = (text("apiVersion"), text("kind"));
        let kind = Kind::of(&api_version, &kind).unwrap();
        fixed.insert(Object::deserialize(kind, &api_version, value).unwrap());
    }
    assert_eq!(fixed.deployments.seen.len(), 1);
    let result = judged(&fixed).result;
    assert_eq!(result.outcome(), Outcome::Pass, "{:?}", result.evidence());
}

#[test]
fn the_remedy_says_how_to_make_the_secret_where_no_store_is_known() {
    let env = format!(
        "[{{name: T, value: {TOKEN}}}, {{name: DB_PASSWORD, value: {PASSWORD}}}, {{name: MODE, value: fast}}]"
    );
    let remediation = judged(&inventory(&deployment(&env))).remediation;
    assert_eq!(remediation.documents.len(), 1);
    assert!(remediation.documents[0].comment.contains(
        "\nkubectl -n shop create secret generic cart-credentials --from-literal=DB_PASSWORD= --from-literal=T=\n"
    ));
    let document: Value = remediation.documents[0].object.clone();
    let env = &document["spec"]["template"]["spec"]["containers"][0]["env"];
    assert_eq!(
        env[0],
        serde_json::json!({ "name": "DB_PASSWORD", "value": "",
            "valueFrom": { "secretKeyRef": { "name": "cart-credentials", "key": "DB_PASSWORD" } } })
    );
    assert_eq!(env.as_array().unwrap().len(), 2);
    assert!(!serde_json::to_string(&remediation).unwrap().contains(PASSWORD));
}

#[test]
fn a_store_is_asked_for_where_the_operator_is_there_and_none_is_known() {
    let served = object("ExternalSecret", "x", "spec: {secretStoreRef: {name: vault}}")
        .replace("namespace: shop", "namespace: other");
    let yaml = [deployment(&format!("[{{name: T, value: {TOKEN}}}]")), consuming(&[served])].join("\n---\n");
    let remediation = judged(&inventory(&yaml)).remediation;
    assert_eq!(remediation.inputs.len(), 1);
    assert!(remediation.remaining.is_empty(), "{:?}", remediation.remaining);
    let stores: Vec<&Value> = remediation
        .documents
        .iter()
        .filter(|document| !document.choices.is_empty())
        .map(|document| &document.object["spec"]["secretStoreRef"]["kind"])
        .collect();
    assert_eq!(stores, ["ClusterSecretStore", "ClusterSecretStore"]);
    assert_eq!(assert_remedied(ID, &inventory(&yaml), &parameters()), Outcome::Pass);
}

#[test]
fn two_values_of_one_variable_are_two_secrets() {
    let container = |name: &str, value: &str| format!("{{name: {name}, env: [{{name: T, value: {value}}}]}}");
    let with = |other: &str| {
        format!(
            "{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: cart, namespace: shop}}, spec: {{template: {{spec: {{containers: [{}, {}]}}}}}}}}",
            container("a", TOKEN),
            container("b", other)
        )
    };
    for (yaml, secrets) in [
        (with(TOKEN), ["cart-credentials", "cart-credentials"]),
        (
            with(concat!("ghp", "_zq2LkE9vm4TtYw1Rb3Xc6Ua0sDf5Gh8Jj2K7")),
            ["cart-credentials", "cart-b-credentials"],
        ),
    ] {
        let remediation = judged(&inventory(&yaml)).remediation;
        let containers = &remediation.documents[0].object["spec"]["template"]["spec"]["containers"];
        let of = |at: usize| &containers[at]["env"][0]["valueFrom"]["secretKeyRef"]["name"];
        assert_eq!([of(0), of(1)], secrets);
    }
}

#[test]
fn what_no_reference_can_replace_is_left_with_its_place() {
    let command = pod(&format!("containers: [{{name: web, args: [--token, {TOKEN}]}}]"));
    let annotation = "{apiVersion: v1, kind: Namespace, metadata: {name: shop, annotations: {note: TOKEN}}}";
    for (yaml, task) in [
        (command, "Pod shop/cart spec.containers[name=web].args[--token]"),
        (config_map(&format!("{{T: {TOKEN}}}")), "ConfigMap shop/app data[T]"),
        (annotation.replace("TOKEN", TOKEN), "Namespace /shop metadata.annotations[note]"),
        (with_variable("T", TOKEN), "Pod shop/cart"),
        (consuming(&[]), "External Secrets Operator"),
    ] {
        let remaining = judged(&inventory(&yaml)).remediation.remaining;
        assert_eq!(remaining.len(), 1, "{remaining:?}");
        assert!(
            remaining[0].task.contains(task) && !remaining[0].task.contains(TOKEN),
            "{}",
            remaining[0].task
        );
        assert_eq!(outcome(&yaml), Outcome::Fail);
    }
}
