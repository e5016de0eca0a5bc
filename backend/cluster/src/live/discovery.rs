//! What an API server is and serves.

use super::CollectOptions;
use super::get::{Bounds, Failure, Server};
use crate::malformed;
use futures::{StreamExt, stream};
use rampart_checklist::Kind;
use rampart_checklist::inventory::OTHER_POLICY_KINDS;
use rampart_shared::{Gap, GapReason};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};

/// What an API server is and serves.
#[derive(Debug)]
pub(super) struct Discovery {
    /// Its version, such as `v1.36.3`.
    pub(super) version: String,
    /// What to list for each kind that is served.
    pub(super) served: BTreeMap<Kind, Vec<ServedResource>>,
    /// The kinds that should be served and are not, or of which this is not known, and why.
    pub(super) unserved: BTreeMap<Kind, Gap>,
    /// Kinds that can isolate pods and are not understood.
    pub(super) policy_gaps: Vec<Gap>,
}

/// A resource in the version in which it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ServedResource {
    /// `v1`, `apps/v1`.
    pub(super) api_version: String,
    /// The plural resource.
    pub(super) resource: String,
}

impl ServedResource {
    /// `/api/v1/pods`, `/apis/apps/v1/deployments`.
    pub(super) fn path(&self) -> String {
        format!("{}/{}", version_path(&self.api_version), self.resource)
    }
}

/// Discovery failed as a whole, at this path.
#[derive(Debug)]
pub(super) struct Undiscovered {
    pub(super) path: String,
    pub(super) failure: Failure,
}

/// Gatekeeper makes a resource for each ConstraintTemplate; more than these are not listed.
const MAX_RESOURCES: usize = 500;

#[derive(Deserialize)]
struct Version {
    #[serde(rename = "gitVersion")]
    git_version: String,
}

#[derive(Deserialize)]
struct GroupList {
    #[serde(default)]
    groups: Option<Vec<Group>>,
    kind: String,
}

#[derive(Deserialize)]
struct Group {
    name: String,
    #[serde(default)]
    versions: Vec<GroupVersion>,
}

#[derive(Deserialize)]
struct GroupVersion {
    version: String,
}

#[derive(Deserialize)]
struct ResourceList {
    kind: String,
    #[serde(default)]
    resources: Option<Vec<Resource>>,
}

#[derive(Deserialize)]
struct Resource {
    name: String,
}

/// Asks for the version, the groups and the resources of those groups that matter.
pub(super) async fn discover(
    server: &Server,
    kinds: &BTreeSet<Kind>,
    options: &CollectOptions,
    bounds: Bounds,
) -> Result<Discovery, Undiscovered> {
    let version: Version = whole(server, "/version", bounds).await?;
    let list: GroupList = whole(server, "/apis", bounds).await?;
    if list.kind != "APIGroupList" {
        let failure = Failure::Malformed("no APIGroupList".to_owned());
        return Err(Undiscovered { path: "/apis".to_owned(), failure });
    }
    let mut versions: BTreeMap<String, Vec<String>> = list
        .groups
        .unwrap_or_default()
        .into_iter()
        .map(|group| (group.name, group.versions.into_iter().map(|version| version.version).collect()))
        .collect();
    versions.insert(String::new(), vec!["v1".to_owned()]);

    let listed: Vec<Kind> = kinds.iter().copied().filter(|kind| kind.is_listed()).collect();
    let mut groups = Groups { versions, resources: BTreeMap::new() };
    groups.read(server, &listed, options, bounds).await?;
    let mut discovery = Discovery {
        version: version.git_version.chars().filter(|c| !c.is_control()).take(100).collect(),
        served: BTreeMap::new(),
        unserved: BTreeMap::new(),
        policy_gaps: groups.policy_gaps(),
    };
    for kind in listed {
        match groups.find(kind) {
            Ok(resources) if resources.is_empty() => {}
            Ok(resources) => drop(discovery.served.insert(kind, resources)),
            Err(gap) => drop(discovery.unserved.insert(kind, *gap)),
        }
    }
    let twice: Vec<Kind> = discovery
        .served
        .keys()
        .filter_map(|kind| kind.same_objects().filter(|(first, _)| first == kind))
        .map(|(_, second)| second)
        .collect();
    for kind in twice {
        discovery.served.remove(&kind);
        discovery.unserved.remove(&kind);
    }
    Ok(discovery)
}

/// The groups that an API server serves, and the resources of those that matter.
struct Groups {
    /// The versions of each group.
    versions: BTreeMap<String, Vec<String>>,
    /// The names of the resources of each `group/version`.
    resources: BTreeMap<String, Result<BTreeSet<String>, Failure>>,
}

impl Groups {
    /// Asks for the resources of every group of these kinds, and of the policy kinds that are not understood.
    async fn read(
        &mut self,
        server: &Server,
        kinds: &[Kind],
        options: &CollectOptions,
        bounds: Bounds,
    ) -> Result<(), Undiscovered> {
        let mut wanted: BTreeSet<String> = BTreeSet::new();
        for kind in kinds {
            for version in self.versions.get(kind.group()).into_iter().flatten() {
                // Of a custom resource it matters too whether it is served in versions that are not understood.
                if kind.is_optional() || kind.versions().contains(&version.as_str()) {
                    wanted.insert(kind.api_version_of(version));
                }
            }
        }
        for other in OTHER_POLICY_KINDS {
            let versions = self.versions.get(other.group).into_iter().flatten();
            wanted.extend(versions.map(|version| format!("{}/{version}", other.group)));
        }
        // What becomes part of a path must be nothing but a name.
        wanted.retain(|api_version| api_version.split('/').all(is_name));
        let mut answers = stream::iter(wanted)
            .map(|api_version| async move {
                let names = resource_names(server, &version_path(&api_version), bounds).await;
                (api_version, names)
            })
            .buffer_unordered(options.list_concurrency.max(1));
        while let Some((api_version, names)) = answers.next().await {
            // The core group is in every API server: without it there is no discovery.
            if let (false, Err(failure)) = (api_version.contains('/'), &names) {
                return Err(Undiscovered { path: version_path(&api_version), failure: failure.clone() });
            }
            self.resources.insert(api_version, names);
        }
        Ok(())
    }

    /// What to list for a kind: nothing where the cluster does without it.
    fn find(&self, kind: Kind) -> Result<Vec<ServedResource>, Box<Gap>> {
        let mut failed = None;
        for version in kind.versions() {
            let api_version = kind.api_version_of(version);
            match self.resources.get(&api_version) {
                Some(Ok(names)) => {
                    let resources = matching(kind, &api_version, names);
                    if resources.len() > MAX_RESOURCES {
                        let detail = format!("{} resources are in {api_version}", resources.len());
                        return Err(Box::new(Gap::new(kind.name(), GapReason::Failed, detail)));
                    }
                    if !resources.is_empty() {
                        return Ok(resources);
                    }
                }
                Some(Err(failure)) => failed = Some((api_version, failure)),
                None => {}
            }
        }
        if !kind.is_optional() && failed.is_none() {
            let detail =
                format!("the API server does not serve {} in {}", kind.resource(), kind.api_version());
            return Err(Box::new(Gap::new(kind.name(), GapReason::NotServed, detail)));
        }
        let mut others = Vec::new();
        for version in self.versions.get(kind.group()).into_iter().flatten() {
            let api_version = kind.api_version_of(version);
            match self.resources.get(&api_version) {
                Some(Ok(names)) if !matching(kind, &api_version, names).is_empty() => {
                    others.push(version.as_str());
                }
                Some(Err(failure)) => failed = failed.or(Some((api_version, failure))),
                _ => {}
            }
        }
        if let Some((api_version, failure)) = failed {
            let detail = format!("discovery of {api_version} failed: {failure}");
            return Err(Box::new(Gap::new(kind.name(), failure.reason(), detail)));
        }
        if others.is_empty() {
            return Ok(Vec::new());
        }
        let detail = format!(
            "the API server serves {} only in {}; this version of Rampart understands {}",
            kind.name(),
            others.join(", "),
            kind.versions().join(", ")
        );
        Err(Box::new(Gap::new(kind.name(), GapReason::NotServed, detail)))
    }

    /// Kinds count only if they really are in their group: others have kinds in the same groups.
    fn policy_gaps(&self) -> Vec<Gap> {
        let mut gaps = Vec::new();
        for kind in OTHER_POLICY_KINDS {
            let mut is_served = false;
            for version in self.versions.get(kind.group).into_iter().flatten() {
                let api_version = format!("{}/{version}", kind.group);
                match self.resources.get(&api_version) {
                    Some(Ok(names)) => is_served |= names.contains(kind.resource),
                    Some(Err(failure)) => {
                        let detail = format!("discovery of {api_version} failed: {failure}");
                        gaps.push(Gap::new(kind.name(), failure.reason(), detail));
                    }
                    None => {}
                }
            }
            if is_served {
                gaps.push(kind.gap("The API server serves"));
            }
        }
        gaps
    }
}

/// The resources of a version that are of a kind: one of its name, or every one of a group whose kinds are many.
fn matching(kind: Kind, api_version: &str, names: &BTreeSet<String>) -> Vec<ServedResource> {
    let served =
        |name: &str| ServedResource { api_version: api_version.to_owned(), resource: name.to_owned() };
    if !kind.resource().is_empty() {
        return names.get(kind.resource()).map(|name| served(name)).into_iter().collect();
    }
    // A subresource, such as `k8sallowedrepos/status`, is no name.
    names.iter().filter(|name| is_name(name)).map(|name| served(name)).collect()
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && !text.contains("..")
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.'))
}

/// `/api/v1`, `/apis/apps/v1`.
fn version_path(api_version: &str) -> String {
    let root = if api_version.contains('/') { "apis" } else { "api" };
    format!("/{root}/{api_version}")
}

async fn resource_names(server: &Server, path: &str, bounds: Bounds) -> Result<BTreeSet<String>, Failure> {
    let list: ResourceList = json(&server.get(path, bounds).await?)?;
    if list.kind != "APIResourceList" {
        return Err(Failure::Malformed("no APIResourceList".to_owned()));
    }
    Ok(list.resources.unwrap_or_default().into_iter().map(|resource| resource.name).collect())
}

async fn whole<T: DeserializeOwned>(server: &Server, path: &str, bounds: Bounds) -> Result<T, Undiscovered> {
    let answer = server.get(path, bounds).await.and_then(|body| json(&body));
    answer.map_err(|failure| Undiscovered { path: path.to_owned(), failure })
}

fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(|error| Failure::Malformed(malformed::json(&error)))
}
