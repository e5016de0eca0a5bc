//! The active admission probe: what the API server really answers to bad pods.
//!
//! Every request is a dry run, which the API server promises to leave without effect, webhooks included:
//! <https://kubernetes.io/docs/reference/using-api/api-concepts/#dry-run>.

use super::get::{Bounds, Failure, Server};
use super::list::KindRead;
use futures::future::{BoxFuture, FutureExt};
use futures::{StreamExt, stream};
use http::Method;
use rampart_checklist::admission::{
    Form, Place, Weakness, canary, canary_name, ephemeral_canary, harmless, harmless_ephemeral_container,
    is_still_bad, places,
};
use rampart_checklist::inventory::ProbeAnswer;
use rampart_checklist::rbac::admission_probe;
use rampart_checklist::workloads::View;
use rampart_checklist::{Inventory, Kind, Parameters};
use rampart_shared::{Gap, GapReason, PolicyRule};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

/// A pod comes back, as it would be.
const MAX_POD_BYTES: usize = 4 << 20;
/// Namespaces that are asked about at once.
const NAMESPACES_AT_ONCE: usize = 4;

/// What the probe found.
#[derive(Debug)]
pub(super) struct Probed {
    pub(super) read: KindRead,
    pub(super) answers: Vec<ProbeAnswer>,
    pub(super) gaps: Vec<Gap>,
}

/// Asks in every application namespace.
///
/// # Errors
/// When the credentials are not accepted any more.
pub(super) async fn probe(
    server: &Server,
    inventory: &Inventory,
    parameters: &Parameters,
    time: Duration,
) -> Result<Probed, Failure> {
    let started = Instant::now();
    let view = View::new(inventory, parameters);
    let bounds = Bounds { bytes: MAX_POD_BYTES, time };
    let places = places(&view);
    // Boxed, so that the future of a whole run does not depend on the lifetimes in here.
    let in_each: Vec<BoxFuture<'_, Answered>> =
        places.iter().map(|place| in_namespace(server, place, bounds).boxed()).collect();
    let asked: Vec<Answered> = stream::iter(in_each).buffered(NAMESPACES_AT_ONCE).collect().await;
    let (mut answers, mut gaps) = (Vec::new(), Vec::new());
    for of_namespace in asked {
        let (of_namespace, missing) = of_namespace?;
        answers.extend(of_namespace);
        gaps.extend(missing);
    }
    let (requests, bytes) = server.dry_runs.now();
    let read = KindRead {
        kind: Kind::AdmissionProbe,
        verb: "create (dry run)",
        path: "/api/v1/namespaces/NAMESPACE/pods".to_owned(),
        objects: answers.len() as u64,
        pages: requests,
        bytes,
        milliseconds: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        refused: gaps.iter().any(|gap| gap.reason == GapReason::Forbidden),
    };
    Ok(Probed { read, answers, gaps })
}

/// The answers in a namespace, and why there are not all.
type Answered = Result<(Vec<ProbeAnswer>, Vec<Gap>), Failure>;

async fn in_namespace(server: &Server, place: &Place<'_>, bounds: Bounds) -> Answered {
    let (mut answers, mut gaps) = (Vec::new(), Vec::new());
    for form in Form::ALL {
        let ask = |weakness| ask(server, place, form, weakness, bounds);
        if form == Form::EphemeralContainer && place.pod.is_none() {
            let detail = "no running pod is there to which an ephemeral container could be added";
            gaps.push(skipped(place, form, GapReason::NotCollected, detail, None));
            continue;
        }
        // What refuses a harmless pod tells nothing about a bad one.
        match ask(None).await? {
            Answer::LetIn => {}
            Answer::NotAllowed(words) => {
                gaps.push(skipped(place, form, GapReason::Forbidden, &words, Some(admission_probe())));
                continue;
            }
            Answer::Refused(words) => {
                let detail = format!("a harmless pod is refused as well: {words}");
                gaps.push(skipped(place, form, GapReason::NotCollected, &detail, None));
                continue;
            }
            Answer::None(words) => {
                gaps.push(skipped(place, form, GapReason::Failed, &words, None));
                continue;
            }
        }
        for weakness in Weakness::ALL {
            let refused = match ask(Some(weakness)).await? {
                Answer::LetIn => None,
                Answer::Refused(words) => Some(words),
                Answer::NotAllowed(words) | Answer::None(words) => {
                    gaps.push(skipped(place, form, GapReason::Failed, &words, None));
                    continue;
                }
            };
            let namespace = place.namespace.to_owned();
            answers.push(ProbeAnswer { namespace, canary: canary_name(weakness, form), refused });
        }
    }
    Ok((answers, gaps))
}

/// What a dry run was answered.
enum Answer {
    LetIn,
    /// Admission refused, in these words.
    Refused(String),
    /// The account may not ask.
    NotAllowed(String),
    /// Neither is known.
    None(String),
}

async fn ask(
    server: &Server,
    place: &Place<'_>,
    form: Form,
    weakness: Option<Weakness>,
    bounds: Bounds,
) -> Result<Answer, Failure> {
    let pods = format!("/api/v1/namespaces/{}/pods", place.namespace);
    let answer = match (form, place.pod) {
        (Form::EphemeralContainer, Some(pod)) => {
            let container = match weakness {
                Some(weakness) => ephemeral_canary(place.image, weakness),
                None => harmless_ephemeral_container(place.image),
            };
            let patch = json!({ "spec": { "ephemeralContainers": [container] } });
            let path = format!("{pods}/{pod}/ephemeralcontainers");
            server.dry_run(Method::PATCH, &path, &bytes(&patch)?, bounds).await
        }
        _ => {
            let pod = match weakness {
                Some(weakness) => canary(place.namespace, place.image, weakness, form),
                None => harmless(place.namespace, place.image),
            };
            server.dry_run(Method::POST, &pods, &bytes(&pod)?, bounds).await
        }
    };
    Ok(match answer {
        Ok(pod) => match weakness {
            Some(weakness) if !is_bad(&pod, weakness, form) => Answer::Refused(format!(
                "admission takes {} away before it lets the pod in",
                weakness.field()
            )),
            _ => Answer::LetIn,
        },
        Err(failure @ Failure::Unauthorized(_)) => return Err(failure),
        Err(Failure::Forbidden(words)) if is_about_the_account(&words) => Answer::NotAllowed(words),
        Err(Failure::Forbidden(words)) => Answer::Refused(words),
        // A webhook that knows no dry runs.
        Err(Failure::Status { code: 400, words, .. }) if words.contains("does not support dry run") => {
            Answer::None(words)
        }
        Err(Failure::Status { code: 400..=499, words, .. }) => Answer::Refused(words),
        Err(failure) => Answer::None(failure.to_string()),
    })
}

/// Whether the pod that would come to be is bad; what cannot be read was let in as it is.
fn is_bad(pod: &[u8], weakness: Weakness, form: Form) -> bool {
    serde_json::from_slice::<Value>(pod).map_or(true, |pod| is_still_bad(&pod, weakness, form))
}

/// Authorization and admission both answer 403; authorization names the user and what was to be done.
fn is_about_the_account(words: &str) -> bool {
    words.contains("is forbidden: User \"")
        && (words.contains("cannot create") || words.contains("cannot patch"))
}

fn bytes(document: &Value) -> Result<Vec<u8>, Failure> {
    serde_json::to_vec(document).map_err(|error| Failure::Malformed(error.to_string()))
}

fn skipped(place: &Place<'_>, form: Form, reason: GapReason, detail: &str, rule: Option<PolicyRule>) -> Gap {
    let mut gap = Gap::new(Kind::AdmissionProbe.name(), reason, format!("{}: {detail}", form.field()))
        .for_objects(vec![place.namespace.to_owned()]);
    gap.rule = rule;
    gap
}
