//! What the API server says to remediations: server-side applies that it only pretends to do.
//!
//! Nothing is written: every request is a dry run, which has no effect, webhooks included. Field names are checked
//! strictly: <https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation>.

use super::connection::Connection;
use super::get::{Bounds, Failure, Server};
use super::options::Retry;
use futures::{StreamExt, stream};
use rampart_checklist::remedy::identity;
use rampart_shared::api::{DryRunAnswer, DryRunOutcome};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// An object comes back, as it would be.
const MAX_OBJECT_BYTES: usize = 8 << 20;
const MAX_DISCOVERY_BYTES: usize = 4 << 20;
/// Time for one object.
const TIME: Duration = Duration::from_secs(20);
/// Objects that are asked about at once.
const AT_ONCE: usize = 4;

/// Asks for each object, in order, what the API server would say were it applied. Everything has to be done within the
/// time; what is not is unanswered.
pub async fn dry_run(connection: &Connection, objects: &[&Value], time: Duration) -> Vec<DryRunAnswer> {
    let server = Server::new(connection.client.clone(), Retry::default(), time);
    let mut served: BTreeMap<&str, Result<Vec<ApiResource>, Failure>> = BTreeMap::new();
    for object in objects {
        let [api_version, ..] = identity(object);
        if !served.contains_key(api_version) {
            served.insert(api_version, resources(&server, api_version).await);
        }
    }
    let served = &served;
    // A list, since the closure itself could not be sent between threads.
    let answers: Vec<_> = objects.iter().map(|object| answer(&server, served, object)).collect();
    stream::iter(answers).buffered(AT_ONCE).collect().await
}

#[derive(Deserialize)]
struct ApiResourceList {
    #[serde(default)]
    resources: Vec<ApiResource>,
}

#[derive(Deserialize)]
struct ApiResource {
    name: String,
    kind: String,
    #[serde(default)]
    namespaced: bool,
}

/// The resources of a group and version.
async fn resources(server: &Server, api_version: &str) -> Result<Vec<ApiResource>, Failure> {
    if !api_version.split('/').all(is_segment) {
        return Err(Failure::NotFound(format!("`{}` is no API version", api_version.escape_debug())));
    }
    let path = if api_version.contains('/') {
        format!("/apis/{api_version}")
    } else {
        format!("/api/{api_version}")
    };
    let body = server.get(&path, Bounds { bytes: MAX_DISCOVERY_BYTES, time: TIME }).await?;
    serde_json::from_slice::<ApiResourceList>(&body)
        .map(|list| list.resources)
        .map_err(|error| Failure::Malformed(error.to_string()))
}

async fn answer(
    server: &Server,
    served: &BTreeMap<&str, Result<Vec<ApiResource>, Failure>>,
    object: &Value,
) -> DryRunAnswer {
    let [api_version, kind, namespace, name] = identity(object);
    let mut answer = DryRunAnswer {
        object: if namespace.is_empty() {
            format!("{kind} {name}")
        } else {
            format!("{kind} {namespace}/{name}")
        },
        outcome: DryRunOutcome::Unanswered,
        conflict: None,
        words: None,
        warnings: Vec::new(),
    };
    let path = match served.get(api_version) {
        Some(Ok(resources)) => path(resources, object),
        Some(Err(Failure::NotFound(_))) | None => Err(format!("The cluster does not serve {api_version}.")),
        Some(Err(failure)) => {
            answer.words = Some(failure.to_string());
            return answer;
        }
    };
    let path = match path {
        Ok(path) => path,
        Err(words) => return DryRunAnswer { outcome: DryRunOutcome::Refused, words: Some(words), ..answer },
    };
    let bounds = Bounds { bytes: MAX_OBJECT_BYTES, time: TIME };
    let mut asked = server.dry_run_apply(&path, object, false, bounds).await;
    if let Err(Failure::Status { code: 409, words, .. }) = &asked {
        answer.conflict = Some(words.clone());
        asked = server.dry_run_apply(&path, object, true, bounds).await;
    }
    let (outcome, words) = match asked {
        Ok(warnings) => {
            answer.warnings = warnings;
            (DryRunOutcome::Accepted, None)
        }
        Err(Failure::Forbidden(words)) => (DryRunOutcome::Refused, Some(words)),
        Err(Failure::NotFound(words) | Failure::Status { code: 400..=428 | 430..=499, words, .. }) => {
            (DryRunOutcome::Refused, Some(words))
        }
        Err(failure) => (DryRunOutcome::Unanswered, Some(failure.to_string())),
    };
    DryRunAnswer { outcome, words, ..answer }
}

fn path(resources: &[ApiResource], object: &Value) -> Result<String, String> {
    let [api_version, kind, namespace, name] = identity(object);
    let is_meant = |resource: &&ApiResource| resource.kind == kind && !resource.name.contains('/');
    let Some(resource) = resources.iter().find(is_meant) else {
        return Err(format!("The cluster serves no {kind} of {api_version}."));
    };
    let namespace = if namespace.is_empty() { "default" } else { namespace };
    if !is_segment(name) || !is_segment(namespace) || !is_segment(&resource.name) {
        return Err(format!("`{}` cannot be a name.", name.escape_debug()));
    }
    let root = if api_version.contains('/') { "/apis" } else { "/api" };
    Ok(if resource.namespaced {
        format!("{root}/{api_version}/namespaces/{namespace}/{}/{name}", resource.name)
    } else {
        format!("{root}/{api_version}/{}/{name}", resource.name)
    })
}

/// Whether a text can stand between two slashes of a path as it is; the API server takes no other names.
fn is_segment(text: &str) -> bool {
    !matches!(text, "" | "." | "..")
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | ':' | '@' | '~'))
}
