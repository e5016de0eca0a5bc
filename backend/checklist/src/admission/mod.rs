//! What admission would answer to a bad pod, put together from everything that decides: Pod Security Admission,
//! ValidatingAdmissionPolicies, and the policies of Kyverno, Gatekeeper, Kubewarden and OpenShift.

mod canary;
mod gatekeeper;
mod kyverno;
mod kyverno_pattern;
mod parameters;
mod place;
mod pod_security;
mod prediction;
mod webhook;

pub use canary::{
    Form, NAME, UNTRUSTED_IMAGE, Weakness, canary, canary_name, ephemeral_canary, harmless,
    harmless_ephemeral_container, is_still_bad,
};
pub use place::{Place, places};
pub use prediction::{Prediction, Predictor};

use crate::inventory::Labels;
use serde_json::Value;

/// The request by which a canary would get in.
#[derive(Debug, Clone, Copy)]
struct Attempt<'a> {
    namespace: &'a str,
    namespace_labels: &'a Labels,
    /// None for the harmless pod.
    weakness: Option<Weakness>,
    form: Form,
    /// The pod after the request.
    pod: &'a Value,
    labels: &'a Labels,
    image: &'a str,
}

/// What one policy answers.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Verdict {
    /// It refuses.
    Rejects,
    /// It does not; why, where there is something to say.
    Admits(Option<String>),
    /// That cannot be told; why.
    Undecided(String),
}

/// A policy and what it answers.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Answer {
    policy: String,
    verdict: Verdict,
}

impl Answer {
    fn new(policy: impl Into<String>, verdict: Verdict) -> Answer {
        Answer { policy: policy.into(), verdict }
    }

    fn undecided(policy: impl Into<String>, why: &str) -> Answer {
        Answer::new(policy, Verdict::Undecided(why.to_owned()))
    }
}

/// `*` stands for any text, `?` for one character, as Kyverno and Gatekeeper have it.
fn wildcard(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if *c == '?' || Some(c) == text.get(t) => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(p).all(|c| *c == '*')
}
