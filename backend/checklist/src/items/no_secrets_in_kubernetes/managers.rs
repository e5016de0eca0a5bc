//! Which Secrets a manager produces, by what the managers' own objects say.

use crate::Kind;
use crate::inventory::Resource;
use crate::recognise::Installed;
use crate::recognise::program::Program;
use crate::workloads::View;
use rampart_shared::{Gap, GapReason};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// The kinds whose objects produce Secrets, managers and others.
pub(super) const SUPPLIERS: [Kind; 8] = [
    Kind::ExternalSecrets,
    Kind::ClusterExternalSecrets,
    Kind::SecretProviderClasses,
    Kind::SealedSecrets,
    Kind::VaultStaticSecrets,
    Kind::VaultDynamicSecrets,
    Kind::VaultPkiSecrets,
    Kind::Certificates,
];

/// A Secret, by namespace and name.
pub(super) type SecretName = (String, String);

/// Where Secrets come from.
#[derive(Default)]
pub(super) struct Produced {
    /// Those that a secret manager makes.
    pub(super) managed: BTreeSet<SecretName>,
    /// Those that something else makes whose business it is, and what that is.
    pub(super) apart: BTreeMap<SecretName, &'static str>,
    /// Those that a manager writes into and does not make, and the object that does.
    pub(super) written_into: BTreeMap<SecretName, String>,
    /// Names that may be produced in namespaces that are not known.
    pub(super) unclear: BTreeMap<String, Gap>,
    /// Objects that could not be read.
    pub(super) unreadable: Vec<Gap>,
}

impl Produced {
    pub(super) fn of(view: &View<'_>) -> Produced {
        let mut produced = Produced::default();
        for resource in view.inventory.resources_of(SUPPLIERS) {
            let read = match resource.kind {
                Kind::ExternalSecrets => produced.external_secret(resource),
                Kind::ClusterExternalSecrets => produced.cluster_external_secret(resource),
                Kind::SecretProviderClasses => produced.secret_provider_class(resource),
                Kind::SealedSecrets => produced.sealed_secret(resource),
                Kind::Certificates => produced.certificate(resource),
                _ => produced.vault_secret(resource),
            };
            if read.is_err() {
                let detail =
                    format!("{} {} has another form than is known", resource.object_kind, resource.name());
                produced.unreadable.push(
                    Gap::new(resource.kind.name(), GapReason::Failed, detail)
                        .for_objects(vec![resource.name()]),
                );
            }
        }
        for service in &view.inventory.services.seen {
            for annotation in SERVING_CERTIFICATE {
                if let Some(secret) = service.meta.annotations.get(annotation) {
                    let name = (service.meta.namespace_or_default().to_owned(), secret.clone());
                    produced.apart.insert(name, "serving certificates of OpenShift");
                }
            }
        }
        produced
    }

    /// <https://external-secrets.io/latest/guides/ownership-deletion-policy/>
    fn external_secret(&mut self, resource: &Resource) -> Result<(), serde_json::Error> {
        let Spec { spec } = resource.parse::<Spec<ExternalSecretSpec>>()?;
        let name = in_namespace_of(resource, spec.target.name.unwrap_or_else(|| resource.meta.name.clone()));
        // Another target than a Secret makes none.
        if spec.target.manifest.is_some_and(|manifest| manifest.kind != "Secret") {
            return Ok(());
        }
        match spec.target.creation_policy.as_deref() {
            Some("Merge") => {
                self.written_into.insert(name, format!("ExternalSecret {}", resource.meta.name));
            }
            Some("None") => {}
            _ => {
                self.managed.insert(name);
            }
        }
        Ok(())
    }

    /// It makes an ExternalSecret in each of its namespaces, which are known from its status.
    fn cluster_external_secret(&mut self, resource: &Resource) -> Result<(), serde_json::Error> {
        let ClusterExternalSecret { spec, status } = resource.parse()?;
        let own = spec.external_secret_name.unwrap_or_else(|| resource.meta.name.clone());
        let target = spec.external_secret_spec.target;
        if matches!(target.creation_policy.as_deref(), Some("Merge" | "None")) {
            return Ok(());
        }
        let secret = target.name.unwrap_or(own);
        match status {
            Some(status) => {
                let namespaces = status.provisioned_namespaces.into_iter();
                self.managed.extend(namespaces.map(|namespace| (namespace, secret.clone())));
            }
            None => {
                let detail = format!(
                    "ClusterExternalSecret {} has no status: in which namespaces it makes its Secret is not known",
                    resource.meta.name
                );
                let gap = Gap::new(resource.kind.name(), GapReason::NotCollected, detail)
                    .for_objects(vec![resource.name()])
                    .closed_by(
                        "Let Rampart read it from the cluster in which the External Secrets Operator runs.",
                    );
                self.unclear.insert(secret, gap);
            }
        }
        Ok(())
    }

    fn secret_provider_class(&mut self, resource: &Resource) -> Result<(), serde_json::Error> {
        let Spec { spec } = resource.parse::<Spec<SecretProviderClassSpec>>()?;
        let names = spec.secret_objects.unwrap_or_default().into_iter();
        self.managed.extend(names.map(|object| in_namespace_of(resource, object.secret_name)));
        Ok(())
    }

    /// The controller gives the Secret the name of the SealedSecret, whatever the template's metadata says.
    /// <https://github.com/bitnami-labs/sealed-secrets/blob/main/pkg/apis/sealedsecrets/v1alpha1/sealedsecret_expansion.go>
    fn sealed_secret(&mut self, resource: &Resource) -> Result<(), serde_json::Error> {
        self.managed.insert(in_namespace_of(resource, resource.meta.name.clone()));
        Ok(())
    }

    fn vault_secret(&mut self, resource: &Resource) -> Result<(), serde_json::Error> {
        let Spec { spec } = resource.parse::<Spec<VaultSecretSpec>>()?;
        let name = in_namespace_of(resource, spec.destination.name);
        if spec.destination.create == Some(true) {
            self.managed.insert(name);
        } else {
            self.written_into.insert(name, format!("{} {}", resource.object_kind, resource.meta.name));
        }
        Ok(())
    }

    fn certificate(&mut self, resource: &Resource) -> Result<(), serde_json::Error> {
        let Spec { spec } = resource.parse::<Spec<CertificateSpec>>()?;
        self.apart.insert(in_namespace_of(resource, spec.secret_name), "certificates of cert-manager");
        Ok(())
    }
}

/// A store of secrets that ExternalSecrets use already.
#[derive(Clone)]
pub(super) struct Store {
    /// The API version of the ExternalSecret.
    pub(super) api_version: String,
    /// `SecretStore` or `ClusterSecretStore`.
    pub(super) kind: String,
    pub(super) name: String,
}

/// The stores that are known.
#[derive(Default)]
pub(super) struct Stores {
    by_namespace: BTreeMap<String, Store>,
    /// One that every namespace may use.
    of_cluster: Option<Store>,
    /// The API version of ExternalSecrets, where the cluster evidently serves them.
    pub(super) served: Option<String>,
}

impl Stores {
    pub(super) fn of(view: &View<'_>) -> Stores {
        let mut stores = Stores::default();
        let kinds = [Kind::ExternalSecrets, Kind::ClusterExternalSecrets];
        let object = view.inventory.resources_of(kinds).next().map(|resource| resource.api_version.clone());
        stores.served = object.or_else(|| {
            let installed = Installed::of(view.inventory);
            let runs = !installed.workloads(Program::ExternalSecrets).is_empty();
            runs.then(|| Kind::ExternalSecrets.api_version())
        });
        for resource in &view.inventory.resources(Kind::ExternalSecrets).seen {
            let Some(store) =
                resource.parse::<Spec<StoreSpec>>().ok().and_then(|read| read.spec.secret_store_ref)
            else {
                continue;
            };
            if store.name.is_empty() {
                continue;
            }
            let store = Store {
                api_version: resource.api_version.clone(),
                kind: store.kind.unwrap_or_else(|| "SecretStore".to_owned()),
                name: store.name,
            };
            if store.kind == "ClusterSecretStore" {
                stores.of_cluster.get_or_insert_with(|| store.clone());
            }
            stores.by_namespace.entry(resource.meta.namespace_or_default().to_owned()).or_insert(store);
        }
        stores
    }

    /// The store of the namespace's own ExternalSecrets, or one of the cluster's.
    pub(super) fn of_namespace(&self, namespace: &str) -> Option<&Store> {
        self.by_namespace.get(namespace).or(self.of_cluster.as_ref())
    }
}

const SERVING_CERTIFICATE: [&str; 2] = [
    "service.beta.openshift.io/serving-cert-secret-name",
    "service.alpha.openshift.io/serving-cert-secret-name",
];

fn in_namespace_of(resource: &Resource, name: String) -> SecretName {
    (resource.meta.namespace_or_default().to_owned(), name)
}

#[derive(Deserialize)]
struct Spec<T> {
    spec: T,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoreSpec {
    secret_store_ref: Option<StoreReference>,
}

#[derive(Deserialize)]
struct StoreReference {
    #[serde(default)]
    name: String,
    kind: Option<String>,
}

#[derive(Deserialize, Default)]
struct ExternalSecretSpec {
    #[serde(default)]
    target: Target,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Target {
    #[serde(deserialize_with = "non_empty", default)]
    name: Option<String>,
    creation_policy: Option<String>,
    manifest: Option<Manifest>,
}

#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    kind: String,
}

#[derive(Deserialize)]
struct ClusterExternalSecret {
    spec: ClusterExternalSecretSpec,
    status: Option<ClusterExternalSecretStatus>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClusterExternalSecretSpec {
    #[serde(deserialize_with = "non_empty", default)]
    external_secret_name: Option<String>,
    #[serde(default)]
    external_secret_spec: ExternalSecretSpec,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClusterExternalSecretStatus {
    #[serde(default)]
    provisioned_namespaces: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SecretProviderClassSpec {
    secret_objects: Option<Vec<SecretObject>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SecretObject {
    #[serde(default)]
    secret_name: String,
}

#[derive(Deserialize)]
struct VaultSecretSpec {
    destination: Destination,
}

#[derive(Deserialize)]
struct Destination {
    name: String,
    create: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CertificateSpec {
    secret_name: String,
}

fn non_empty<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.filter(|text| !text.is_empty()))
}
