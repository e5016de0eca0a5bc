//! What an API server is and serves.

use super::get::{Bounds, Failure, Server};
use super::list::version_path;
use crate::malformed;
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
    /// The kinds that are not served, or of which this is not known, and why.
    pub(super) unserved: BTreeMap<Kind, Gap>,
    /// Kinds that can isolate pods and are not understood.
    pub(super) policy_gaps: Vec<Gap>,
}

/// Discovery failed as a whole, at this path.
#[derive(Debug)]
pub(super) struct Undiscovered {
    pub(super) path: String,
    pub(super) failure: Failure,
}

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
    bounds: Bounds,
) -> Result<Discovery, Undiscovered> {
    let version: Version = whole(server, "/version", bounds).await?;
    let list: GroupList = whole(server, "/apis", bounds).await?;
    if list.kind != "APIGroupList" {
        let failure = Failure::Malformed("no APIGroupList".to_owned());
        return Err(Undiscovered { path: "/apis".to_owned(), failure });
    }
    let groups: BTreeMap<String, Vec<String>> = list
        .groups
        .unwrap_or_default()
        .into_iter()
        .map(|group| (group.name, group.versions.into_iter().map(|version| version.version).collect()))
        .collect();

    let mut unserved = BTreeMap::new();
    let mut resources: BTreeMap<String, Result<BTreeSet<String>, Failure>> = BTreeMap::new();
    for kind in kinds.iter().copied().filter(|kind| kind.is_listed()) {
        let has_version = |versions: &Vec<String>| versions.iter().any(|version| version == kind.version());
        if !kind.group().is_empty() && !groups.get(kind.group()).is_some_and(has_version) {
            unserved.insert(kind, not_served(kind));
            continue;
        }
        let path = version_path(kind);
        if !resources.contains_key(&path) {
            let served = resource_names(server, &path, bounds).await;
            // The core group is in every API server: without it there is no discovery.
            if let (true, Err(failure)) = (kind.group().is_empty(), &served) {
                return Err(Undiscovered { path, failure: failure.clone() });
            }
            resources.insert(path.clone(), served);
        }
        match resources.get(&path) {
            Some(Ok(names)) if names.contains(kind.resource()) => {}
            Some(Err(failure)) => {
                let detail = format!("discovery of {} failed: {failure}", kind.api_version());
                unserved.insert(kind, Gap::new(kind.name(), failure.reason(), detail));
            }
            _ => {
                unserved.insert(kind, not_served(kind));
            }
        }
    }
    let version: String = version.git_version.chars().filter(|c| !c.is_control()).take(100).collect();
    Ok(Discovery { version, unserved, policy_gaps: policy_gaps(server, &groups, bounds).await })
}

/// Kinds count only if they really are in their group: others have kinds in the same groups.
async fn policy_gaps(server: &Server, groups: &BTreeMap<String, Vec<String>>, bounds: Bounds) -> Vec<Gap> {
    let known: BTreeSet<&str> = OTHER_POLICY_KINDS.iter().map(|kind| kind.group).collect();
    let mut gaps = Vec::new();
    for group in known {
        let mut served = BTreeSet::new();
        for version in groups.get(group).into_iter().flatten() {
            match resource_names(server, &format!("/apis/{group}/{version}"), bounds).await {
                Ok(names) => served.extend(names),
                Err(failure) => {
                    let detail = format!("discovery of {group}/{version} failed: {failure}");
                    let kinds = OTHER_POLICY_KINDS.iter().filter(|kind| kind.group == group);
                    gaps.extend(kinds.map(|kind| Gap::new(kind.name(), failure.reason(), detail.clone())));
                }
            }
        }
        let kinds =
            OTHER_POLICY_KINDS.iter().filter(|kind| kind.group == group && served.contains(kind.resource));
        gaps.extend(kinds.map(|kind| kind.gap("The API server serves")));
    }
    gaps
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

fn not_served(kind: Kind) -> Gap {
    let detail = format!("the API server does not serve {} in {}", kind.resource(), kind.api_version());
    Gap::new(kind.name(), GapReason::NotServed, detail)
}
