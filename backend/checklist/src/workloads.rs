//! Pods and templates put together under the controllers that own them.

use crate::admission::Predictor;
use crate::distribution::Distribution;
use crate::enforcement::EnforcedNetwork;
use crate::inventory::{Container, Inventory, Kind, Pod, PodSpec, Workload};
use crate::parameters::Parameters;
use rampart_shared::{RestsOn, Scope, Subject};
use std::collections::{BTreeMap, HashMap};
use std::sync::OnceLock;

/// An inventory with what every item derives from it, derived once.
#[derive(Debug)]
pub struct View<'a> {
    /// What was seen.
    pub inventory: &'a Inventory,
    /// What a person set.
    pub parameters: &'a Parameters,
    /// Who runs the cluster.
    pub distribution: Distribution,
    /// Everything that runs or would run containers, by owner.
    pub workloads: Vec<OwnedWorkload<'a>>,
    admission: OnceLock<Predictor<'a>>,
    network: OnceLock<EnforcedNetwork<'a>>,
}

/// A top controller, or a bare pod, with what is judged of it.
#[derive(Debug)]
pub struct OwnedWorkload<'a> {
    /// The owner.
    pub subject: Subject,
    /// Whether it decides.
    pub scope: Scope,
    /// Where the owner keeps its pod spec; none where that is not known.
    pub template_path: Option<&'static str>,
    /// The pods that decide: active ones of the current revision.
    pub pods: Vec<&'a Pod>,
    /// How many active pods are of an older revision.
    pub older_pods: usize,
    /// The owner's template, where it was seen.
    pub template: Option<&'a PodSpec>,
    /// The owner itself, where it was seen and is no pod.
    pub controller: Option<&'a Workload>,
    /// Whether the owner makes pods: not scaled to zero, suspended or finished.
    pub makes_pods: bool,
    /// What must be seen before the absence of a finding means that it is resolved.
    pub rests_on: Vec<RestsOn>,
}

/// Where in a pod spec a container stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ContainerType {
    /// `initContainers`, sidecars among them.
    Init,
    /// `containers`.
    Regular,
    /// `ephemeralContainers`.
    Ephemeral,
}

/// One container of an owner, with each place where it was seen.
#[derive(Debug)]
pub struct ContainerUnit<'a> {
    /// Names the unit across the cluster.
    pub unit: String,
    /// Where in the pod spec it stands.
    pub container_type: ContainerType,
    /// Its name.
    pub name: &'a str,
    /// The container's path, relative to the owner.
    pub path: String,
    /// Every pod and template in which it is judged.
    pub instances: Vec<ContainerInstance<'a>>,
}

/// A container in one pod or template.
#[derive(Debug, Clone, Copy)]
pub struct ContainerInstance<'a> {
    /// The pod spec that it is in.
    pub spec: &'a PodSpec,
    /// The container.
    pub container: &'a Container,
    /// The pod; none for a template.
    pub pod: Option<&'a Pod>,
}

impl ContainerType {
    /// The field of the pod spec.
    pub const fn field(self) -> &'static str {
        match self {
            ContainerType::Init => "initContainers",
            ContainerType::Regular => "containers",
            ContainerType::Ephemeral => "ephemeralContainers",
        }
    }
}

impl<'a> View<'a> {
    /// Derives the view.
    pub fn new(inventory: &'a Inventory, parameters: &'a Parameters) -> Self {
        let distribution = Distribution::of(inventory);
        let workloads = own(inventory, parameters, distribution);
        View {
            inventory,
            parameters,
            distribution,
            workloads,
            admission: OnceLock::new(),
            network: OnceLock::new(),
        }
    }

    /// What admission would answer; its policies are compiled once, when somebody asks.
    pub fn admission(&self) -> &Predictor<'a> {
        self.admission.get_or_init(|| Predictor::new(self))
    }

    /// The network policies and who enforces them; put together once, when somebody asks.
    pub fn network(&self) -> &EnforcedNetwork<'a> {
        self.network.get_or_init(|| EnforcedNetwork::of(self))
    }

    /// The workload that a finding names.
    pub fn workload(&self, subject: &Subject) -> Option<&OwnedWorkload<'a>> {
        // They are gathered by this key, and so stand in its order.
        fn key(of: &Subject) -> (&str, &str, &str, &str) {
            (of.group(), &of.kind, of.namespace.as_deref().unwrap_or_default(), &of.name)
        }
        let at =
            self.workloads.binary_search_by(|workload| key(&workload.subject).cmp(&key(subject))).ok()?;
        self.workloads.get(at)
    }

    /// Whether a namespace decides.
    pub fn scope(&self, namespace: &str) -> Scope {
        scope(self.parameters, self.distribution, namespace)
    }
}

impl<'a> OwnedWorkload<'a> {
    /// The namespace.
    pub fn namespace(&self) -> &str {
        self.subject.namespace.as_deref().unwrap_or_default()
    }

    /// Whether there are pods of it, or would be.
    pub fn has_pods(&self) -> bool {
        !self.pods.is_empty() || self.older_pods > 0 || self.makes_pods
    }

    /// Whether the template is judged: where no pod of the current revision runs, or pods of an older one do.
    pub fn judges_template(&self) -> bool {
        self.pods.is_empty() || self.older_pods > 0
    }

    /// Every container that is judged, in a stable order.
    pub fn containers(&self) -> Vec<ContainerUnit<'a>> {
        let mut units: BTreeMap<(ContainerType, &str), Vec<ContainerInstance<'a>>> = BTreeMap::new();
        let mut add = |spec: &'a PodSpec, pod: Option<&'a Pod>| {
            for (container_type, containers) in lists(spec) {
                for container in containers {
                    if container_type == ContainerType::Ephemeral && !runs(pod, &container.name) {
                        continue;
                    }
                    units
                        .entry((container_type, container.name.as_str()))
                        .or_default()
                        .push(ContainerInstance { spec, container, pod });
                }
            }
        };
        for pod in &self.pods {
            add(&pod.spec, Some(pod));
        }
        if let Some(template) = self.template
            && self.judges_template()
        {
            add(template, None);
        }
        units
            .into_iter()
            .map(|((container_type, name), instances)| {
                let in_pod_only = container_type == ContainerType::Ephemeral
                    && self.template_path != Some("spec")
                    || self.template.is_some_and(|template| !has(template, container_type, name));
                let prefix = match self.template_path {
                    Some(prefix) if !in_pod_only => prefix,
                    _ => "pod:spec",
                };
                ContainerUnit {
                    unit: format!(
                        "{}/{}/{}/{}/{}",
                        self.namespace(),
                        self.subject.kind,
                        self.subject.name,
                        container_type.field(),
                        name
                    ),
                    container_type,
                    name,
                    path: format!("{prefix}.{}[name={name}]", container_type.field()),
                    instances,
                }
            })
            .collect()
    }
}

/// An ephemeral container counts while it runs.
fn runs(pod: Option<&Pod>, name: &str) -> bool {
    pod.is_some_and(|pod| pod.running_ephemeral.iter().any(|running| running == name))
}

fn lists(spec: &PodSpec) -> [(ContainerType, &[Container]); 3] {
    [
        (ContainerType::Init, &spec.init_containers),
        (ContainerType::Regular, &spec.containers),
        (ContainerType::Ephemeral, &spec.ephemeral_containers),
    ]
}

fn has(spec: &PodSpec, container_type: ContainerType, name: &str) -> bool {
    lists(spec)
        .into_iter()
        .any(|(found, containers)| found == container_type && containers.iter().any(|c| c.name == name))
}

fn scope(parameters: &Parameters, distribution: Distribution, namespace: &str) -> Scope {
    if parameters.include_system_namespaces || !parameters.is_system(namespace, distribution) {
        Scope::Application
    } else {
        Scope::System
    }
}

/// Names an owner: group, kind, namespace, name.
type OwnerKey<'a> = (String, String, &'a str, String);

/// The pods of an owner, and its own object where it was seen.
struct Gathered<'a> {
    api_version: String,
    controller: Option<&'a Workload>,
    pods: Vec<&'a Pod>,
    older_pods: usize,
    bare: Option<&'a Pod>,
}

fn own<'a>(
    inventory: &'a Inventory,
    parameters: &Parameters,
    distribution: Distribution,
) -> Vec<OwnedWorkload<'a>> {
    let index = Index::new(inventory);
    let mut gathered: BTreeMap<OwnerKey<'a>, Gathered<'a>> = BTreeMap::new();

    for workload in inventory.workloads() {
        let owned_by_workload =
            workload.meta.controller().is_some() && matches!(workload.kind, Kind::ReplicaSets | Kind::Jobs);
        let ended = workload.kind == Kind::Jobs && workload.finished;
        if owned_by_workload || ended {
            continue;
        }
        let namespace = workload.meta.namespace_or_default();
        let key = (
            workload.kind.group().to_owned(),
            workload.kind.kind().to_owned(),
            namespace,
            workload.meta.name.clone(),
        );
        gathered.insert(key, Gathered::new(workload.api_version.clone(), Some(workload)));
    }
    for pod in inventory.pods.seen.iter().filter(|pod| pod.is_active()) {
        let namespace = pod.meta.namespace_or_default();
        let owner = index.owner(inventory, pod, namespace);
        let key = (group(&owner.api_version).to_owned(), owner.kind.to_owned(), namespace, owner.name);
        let entry = gathered.entry(key).or_insert_with(|| Gathered::new(owner.api_version, None));
        if owner.is_pod {
            entry.bare = Some(pod);
        }
        if owner.current {
            entry.pods.push(pod);
        } else {
            entry.older_pods += 1;
        }
    }

    gathered
        .into_iter()
        .map(|((_, kind, namespace, name), gathered)| OwnedWorkload {
            scope: scope(parameters, distribution, namespace),
            template_path: template_path(&kind),
            template: gathered
                .controller
                .map(|controller| &*controller.template)
                .or(gathered.bare.map(|pod| &*pod.spec)),
            controller: gathered.controller,
            makes_pods: gathered.controller.is_none_or(Workload::makes_pods),
            rests_on: rests_on(&kind),
            subject: Subject {
                api_version: gathered.api_version,
                kind,
                namespace: Some(namespace.to_owned()),
                name,
            },
            pods: gathered.pods,
            older_pods: gathered.older_pods,
        })
        .collect()
}

impl<'a> Gathered<'a> {
    fn new(api_version: String, controller: Option<&'a Workload>) -> Self {
        Gathered { api_version, controller, pods: Vec::new(), older_pods: 0, bare: None }
    }
}

fn group(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}

/// Where a kind keeps its pod spec.
fn template_path(kind: &str) -> Option<&'static str> {
    match kind {
        "Pod" => Some("spec"),
        "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet" | "Job" | "ReplicationController" => {
            Some("spec.template.spec")
        }
        "CronJob" => Some("spec.jobTemplate.spec.template.spec"),
        _ => None,
    }
}

/// A pod's owner is known only if every link of the chain is.
fn rests_on(kind: &str) -> Vec<RestsOn> {
    let chain: &[Kind] = match kind {
        "Deployment" => &[Kind::Pods, Kind::ReplicaSets, Kind::Deployments],
        "CronJob" => &[Kind::Pods, Kind::Jobs, Kind::CronJobs],
        "StatefulSet" => &[Kind::Pods, Kind::StatefulSets],
        "DaemonSet" => &[Kind::Pods, Kind::DaemonSets],
        "Job" => &[Kind::Pods, Kind::Jobs],
        "ReplicaSet" => &[Kind::Pods, Kind::ReplicaSets],
        "Pod" => &[Kind::Pods],
        _ => &[Kind::Pods, Kind::ReplicaSets],
    };
    chain.iter().map(|kind| RestsOn { kind: kind.name(), object: None }).collect()
}

/// Workloads by kind, namespace and name, and each Deployment's current ReplicaSet.
struct Index<'a> {
    by_name: HashMap<(Kind, &'a str, &'a str), &'a Workload>,
    current_replica_set: HashMap<(&'a str, &'a str), &'a str>,
}

/// A pod's top owner.
struct Owner {
    api_version: String,
    kind: String,
    name: String,
    /// Whether the pod is of the owner's current revision.
    current: bool,
    /// Whether the pod is its own owner.
    is_pod: bool,
}

impl<'a> Index<'a> {
    fn new(inventory: &'a Inventory) -> Self {
        let by_name: HashMap<_, _> = inventory
            .workloads()
            .map(|workload| {
                ((workload.kind, workload.meta.namespace_or_default(), workload.meta.name.as_str()), workload)
            })
            .collect();
        let mut current: HashMap<(&str, &str), (bool, u64, &str)> = HashMap::new();
        for replica_set in &inventory.replica_sets.seen {
            let Some(owner) = replica_set.meta.controller().filter(|owner| owner.kind == "Deployment") else {
                continue;
            };
            let namespace = replica_set.meta.namespace_or_default();
            let Some(revision) = revision(replica_set) else { continue };
            // The Deployment names its revision; failing that, the highest is the current one.
            let named = by_name
                .get(&(Kind::Deployments, namespace, owner.name.as_str()))
                .and_then(|deployment| self::revision(deployment))
                == Some(revision);
            let candidate = (named, revision, replica_set.meta.name.as_str());
            let entry = current.entry((namespace, owner.name.as_str())).or_insert(candidate);
            *entry = candidate.max(*entry);
        }
        let current_replica_set = current.into_iter().map(|(key, (_, _, name))| (key, name)).collect();
        Index { by_name, current_replica_set }
    }

    fn owner(&self, inventory: &Inventory, pod: &Pod, namespace: &str) -> Owner {
        let reference = match pod.meta.controller() {
            Some(reference) if !pod.is_mirror() => reference,
            _ => {
                return Owner {
                    api_version: "v1".to_owned(),
                    kind: "Pod".to_owned(),
                    name: pod.meta.name.clone(),
                    current: true,
                    is_pod: true,
                };
            }
        };
        let label = |name: &str| pod.meta.labels.get(name).map(String::as_str);
        let direct = |current| Owner {
            api_version: reference.api_version.clone(),
            kind: reference.kind.clone(),
            name: reference.name.clone(),
            current,
            is_pod: false,
        };
        let known = |kind| self.by_name.get(&(kind, namespace, reference.name.as_str())).copied();
        match Kind::of(&reference.api_version, &reference.kind) {
            Some(Kind::ReplicaSets) => match known(Kind::ReplicaSets) {
                Some(replica_set) => match replica_set.meta.controller() {
                    Some(owner) => Owner {
                        api_version: owner.api_version.clone(),
                        kind: owner.kind.clone(),
                        name: owner.name.clone(),
                        current: owner.kind != "Deployment"
                            || self
                                .current_replica_set
                                .get(&(namespace, owner.name.as_str()))
                                .is_none_or(|current| *current == reference.name),
                        is_pod: false,
                    },
                    None => direct(true),
                },
                // Unseen ReplicaSets must not rename the finding: a Deployment names them after itself and
                // the template's hash, which is a label of the pod.
                None => match label("pod-template-hash").and_then(|hash| {
                    reference.name.strip_suffix(hash).and_then(|name| name.strip_suffix('-'))
                }) {
                    Some(deployment) if !inventory.replica_sets.is_complete() => Owner {
                        api_version: "apps/v1".to_owned(),
                        kind: "Deployment".to_owned(),
                        name: deployment.to_owned(),
                        current: true,
                        is_pod: false,
                    },
                    _ => direct(true),
                },
            },
            Some(Kind::Jobs) => match known(Kind::Jobs) {
                Some(job) => match job.meta.controller() {
                    Some(owner) => Owner {
                        api_version: owner.api_version.clone(),
                        kind: owner.kind.clone(),
                        name: owner.name.clone(),
                        // A CronJob has no revisions: a job of an older template differs from the present one.
                        current: self
                            .by_name
                            .get(&(Kind::CronJobs, namespace, owner.name.as_str()))
                            .is_none_or(|cron_job| cron_job.template == job.template),
                        is_pod: false,
                    },
                    None => direct(true),
                },
                // A CronJob names its jobs after itself and the minute.
                None => match reference.name.rsplit_once('-').and_then(|(name, minute)| {
                    let is_minute = !minute.is_empty() && minute.bytes().all(|byte| byte.is_ascii_digit());
                    self.by_name.get(&(Kind::CronJobs, namespace, name)).filter(|_| is_minute)
                }) {
                    Some(cron_job) if !inventory.jobs.is_complete() => Owner {
                        api_version: cron_job.api_version.clone(),
                        kind: "CronJob".to_owned(),
                        name: cron_job.meta.name.clone(),
                        current: true,
                        is_pod: false,
                    },
                    _ => direct(true),
                },
            },
            Some(Kind::StatefulSets) => {
                let wanted = known(Kind::StatefulSets).and_then(|set| set.update_revision.as_deref());
                direct(same_or_unknown(wanted, label("controller-revision-hash")))
            }
            Some(Kind::DaemonSets) => {
                let wanted = known(Kind::DaemonSets).and_then(|set| {
                    set.meta.annotations.get("deprecated.daemonset.template.generation").map(String::as_str)
                });
                direct(same_or_unknown(wanted, label("pod-template-generation")))
            }
            _ => direct(true),
        }
    }
}

fn same_or_unknown(wanted: Option<&str>, found: Option<&str>) -> bool {
    match (wanted, found) {
        (Some(wanted), Some(found)) => wanted == found,
        _ => true,
    }
}

fn revision(workload: &Workload) -> Option<u64> {
    workload.meta.annotations.get("deployment.kubernetes.io/revision")?.parse().ok()
}
