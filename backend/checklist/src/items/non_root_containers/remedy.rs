//! Containers that may not run as root. Which user is the right one only the maker of an image knows: it is asked for, or
//! left to the image, and never made up.

use super::RUN_AS_USER_ROOT;
use crate::remedy::{FindingAt, Placed, Stays, Texts, remediation};
use crate::workloads::{ContainerType, OwnedWorkload, View};
use rampart_shared::{Finding, ItemResult, Remediation, RemediationInput};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

const INPUT: &str = "run-as-user";

pub(super) fn remedy(view: &View<'_>, result: &ItemResult) -> Remediation {
    let texts = Texts {
        changes: "Makes the kubelet refuse to start each named container as root. It names no user where the image names one \
                  or the runtime reports one that is not root; containers that run as root, or are told to, take the user \
                  that you choose, and are left out until you do.",
        may_break: "A container whose image runs as root, or names its user by name and not by number, stays in \
                    CreateContainerConfigError; its event says so. Another user than before may not read or write files and \
                    volumes that belong to root: set fsGroup on the pod, or change the image. Try one replica.",
        undo: "Apply the second file: it gives up the fields, or gives them their former values. Or kubectl rollout undo the \
               workload.",
    };
    let mut placed = Placed::new(view, result.application_findings());
    let mut documents = Vec::new();
    let mut unchanged = Vec::new();
    let mut asks = false;
    for (draft, workload, findings) in std::mem::take(&mut placed.changeable) {
        let mut by_container: BTreeMap<(ContainerType, &str), Vec<&Finding>> = BTreeMap::new();
        for FindingAt { container, finding } in findings {
            by_container.entry(container.unwrap_or((ContainerType::Regular, ""))).or_default().push(finding);
        }
        // What waits for an answer must not keep the rest waiting.
        let mut asked = crate::remedy::Draft::of(workload);
        let mut plain = draft;
        let (mut told, mut told_asked) = (Vec::new(), Vec::new());
        for ((container_type, name), findings) in by_container {
            let seen = users(workload, name);
            let is_told_root = findings.iter().any(|finding| finding.rule == RUN_AS_USER_ROOT);
            let context = json!({ "runAsNonRoot": true });
            if let Some(asked) = asked.as_mut().filter(|_| is_told_root || seen.contains(&0)) {
                asked.set_security_context(container_type, name, &context);
                asked.choose_user(container_type, name, INPUT);
                asks = true;
                let why = if is_told_root { "runAsUser: 0 is set" } else { "user 0 was seen" };
                told_asked.push(format!("{name}: runs as root ({why}); it gets the user that you choose"));
            } else if plain.set_security_context(container_type, name, &context) {
                told.push(told_of(name, &seen));
            } else {
                unchanged.extend(findings);
            }
        }
        documents.extend(plain.document(&told.join("\n")));
        documents.extend(asked.and_then(|asked| asked.document(&told_asked.join("\n"))));
    }
    for finding in unchanged {
        placed.stay(Stays::Admission, finding);
    }
    let mut remediation = remediation(result, texts, documents);
    if asks {
        remediation.inputs.push(input());
    }
    remediation.remaining = placed.remaining(
        view,
        "securityContext.runAsNonRoot: true and a runAsUser that is not 0 on every container",
    );
    remediation
}

/// The users that the runtime reports for a container.
fn users(workload: &OwnedWorkload<'_>, container: &str) -> BTreeSet<i64> {
    let users = workload.pods.iter().flat_map(|pod| &pod.user_ids);
    users.filter(|(name, _)| name == container).map(|(_, user)| *user).collect()
}

fn told_of(name: &str, seen: &BTreeSet<i64>) -> String {
    if seen.is_empty() {
        format!(
            "{name}: the image decides as whom it runs, and no runtime reported it. Look before (docker image inspect says \
             Config.User): where that is empty, 0 or a name, set runAsUser in the workload's manifest to a number that the \
             image is made for"
        )
    } else {
        let users: Vec<String> = seen.iter().map(i64::to_string).collect();
        format!(
            "{name}: runs as user {} now, so it starts unless the image gives its user by name; then set runAsUser to that \
             number",
            users.join(", ")
        )
    }
}

fn input() -> RemediationInput {
    RemediationInput {
        name: INPUT.to_owned(),
        label: "User for containers that run as root".to_owned(),
        help: "The number of a user other than 0 that the containers' files may belong to. It becomes runAsUser of every \
               container that was seen to run as root or is told to; which number an image is made for, its documentation \
               says."
            .to_owned(),
        default: None,
        example: "10001".to_owned(),
        options: Vec::new(),
    }
}
