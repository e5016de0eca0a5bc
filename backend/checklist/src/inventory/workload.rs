//! Workload controllers, reduced to what items read.

use super::credential::CredentialAt;
use super::field_owner::FieldOwner;
use super::meta::{ManagedObjectMeta, null_is_default};
use super::raw_pod_spec::{Keep, RawPodSpec};
use super::{Kind, Labels, ObjectMeta, PodSpec};
use serde::Deserialize;
use std::sync::Arc;

/// A Deployment, ReplicaSet, StatefulSet, DaemonSet, Job or CronJob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workload {
    /// Which of them.
    pub kind: Kind,
    /// The version of its group in the object, such as `apps/v1`.
    pub api_version: String,
    /// Its metadata.
    pub meta: ObjectMeta,
    /// The pod template; shared.
    pub template: Arc<PodSpec>,
    /// The labels of its pods; shared.
    pub template_labels: Arc<Labels>,
    /// The annotations of its pods that items read.
    pub template_annotations: Labels,
    /// The credentials in the annotations of its pods.
    pub template_credentials: Vec<CredentialAt>,
    /// Replicas asked for; none where the object does not say.
    pub replicas: Option<i64>,
    /// The revision that a StatefulSet rolls out.
    pub update_revision: Option<String>,
    /// How many of its pods should run and how many are ready; none where its status does not say.
    pub ready: Option<Readiness>,
    /// Whether a Job ended or a CronJob is suspended: it makes no pods.
    pub finished: bool,
    /// The volumes of its template; of those alone that no other workload controls.
    pub volumes: TemplateVolumes,
    /// Who owns the fields that remedies touch; empty where nobody told.
    pub field_owners: Vec<FieldOwner>,
}

/// The volumes of a pod template, and where they are mounted. Pods do without: what is applied is applied to owners.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TemplateVolumes {
    /// The volumes' names.
    pub names: Vec<String>,
    /// Every mount.
    pub mounts: Vec<TemplateMount>,
}

/// A mount of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateMount {
    /// The container.
    pub container: String,
    /// The path in it.
    pub path: String,
    /// The volume.
    pub volume: String,
}

/// How many pods should run, and how many are ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Readiness {
    /// Pods that should run.
    pub desired: i64,
    /// Pods that are ready.
    pub ready: i64,
}

impl Workload {
    /// Whether it would make pods.
    pub fn makes_pods(&self) -> bool {
        self.replicas != Some(0) && !self.finished
    }
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub(super) struct RawWorkload {
    #[serde(default)]
    metadata: ManagedObjectMeta,
    #[serde(default)]
    spec: RawWorkloadSpec,
    #[serde(default, deserialize_with = "null_is_default")]
    status: RawWorkloadStatus,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct RawWorkloadSpec {
    #[serde(default)]
    replicas: Option<i64>,
    #[serde(default)]
    suspend: Option<bool>,
    #[serde(default, deserialize_with = "null_is_default")]
    template: RawTemplate,
    #[serde(default)]
    job_template: Option<RawJobTemplate>,
}

#[derive(Deserialize, Default)]
struct RawTemplate {
    #[serde(default, deserialize_with = "null_is_default")]
    metadata: ObjectMeta,
    #[serde(default)]
    spec: RawPodSpec,
}

#[derive(Deserialize, Default)]
struct RawJobTemplate {
    #[serde(default)]
    spec: RawJobSpec,
}

#[derive(Deserialize, Default)]
struct RawJobSpec {
    #[serde(default)]
    template: RawTemplate,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct RawWorkloadStatus {
    #[serde(default)]
    update_revision: Option<String>,
    #[serde(default)]
    desired_number_scheduled: Option<i64>,
    #[serde(default)]
    number_ready: Option<i64>,
    #[serde(default)]
    replicas: Option<i64>,
    #[serde(default)]
    ready_replicas: Option<i64>,
    #[serde(default, deserialize_with = "null_is_default")]
    conditions: Vec<super::node::Condition>,
}

impl RawWorkload {
    pub(super) fn reduce(self, kind: Kind, api_version: &str) -> Workload {
        let template = self.spec.job_template.map_or(self.spec.template, |job| job.spec.template);
        let ManagedObjectMeta { meta, mut field_owners } = self.metadata;
        let keep = match Keep::of(&meta) {
            Keep::Nothing => Keep::Nothing,
            Keep::Commands | Keep::CommandsAndEnvironment => Keep::Commands,
        };
        let ended = |condition: &super::node::Condition| {
            matches!(condition.kind.as_str(), "Complete" | "Failed") && condition.status == "True"
        };
        let finished = match kind {
            Kind::Jobs => self.status.conditions.iter().any(ended),
            Kind::CronJobs => self.spec.suspend == Some(true),
            _ => false,
        };
        let status = &self.status;
        let ready = match (kind, status.desired_number_scheduled, status.replicas) {
            (Kind::DaemonSets, Some(desired), _) => {
                Some(Readiness { desired, ready: status.number_ready.unwrap_or_default() })
            }
            // A status without replicas is that of a workload that has none, or of a manifest.
            (Kind::Deployments | Kind::StatefulSets | Kind::ReplicaSets, _, Some(replicas)) => {
                Some(Readiness {
                    desired: self.spec.replicas.unwrap_or(replicas),
                    ready: status.ready_replicas.unwrap_or_default(),
                })
            }
            _ => None,
        };
        // The template of what another workload controls is not the one to change.
        let is_controlled = meta.controller().is_some();
        let volumes =
            if is_controlled { TemplateVolumes::default() } else { template.spec.template_volumes() };
        if is_controlled {
            field_owners = Vec::new();
        }
        let reduced = template.spec.reduce(&template.metadata.annotations, keep);
        field_owners.iter_mut().for_each(|owner| owner.keep_relevant(&reduced));
        field_owners.retain(|owner| !owner.fields.is_empty());
        field_owners.shrink_to_fit();
        Workload {
            kind,
            api_version: if api_version.is_empty() { kind.api_version() } else { api_version.to_owned() },
            template: Arc::new(reduced),
            meta,
            template_labels: template.metadata.labels,
            template_annotations: template.metadata.annotations,
            template_credentials: template.metadata.credentials,
            ready,
            replicas: self.spec.replicas,
            update_revision: self.status.update_revision,
            finished,
            volumes,
            field_owners,
        }
    }
}
