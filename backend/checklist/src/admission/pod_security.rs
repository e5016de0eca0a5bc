//! What Pod Security Admission answers to a canary, by the labels of its namespace.

use super::{Answer, Attempt, Verdict, Weakness};
use crate::flags::{Flags, Setting};
use crate::inventory::{Component, Inventory};
use crate::pod_security::{Level, NamespacePolicy, Pod, rejects, server_minor};
use crate::workloads::View;

/// Pod Security Admission, as the API server runs it.
#[derive(Debug)]
pub(super) struct PodSecurityAdmission {
    state: State,
    server_minor: Option<u64>,
}

#[derive(Debug)]
enum State {
    /// Labels alone decide: no file sets defaults or exemptions.
    ByLabels,
    /// The plugin is switched off.
    Off,
    /// Labels are not all that decides, or that is not known; why.
    NotKnown(String),
}

/// What the flags of one API server say.
struct PluginFlags {
    disabled: bool,
    configuration: Option<String>,
}

const NAME: &str = "Pod Security Admission";

impl PodSecurityAdmission {
    pub(super) fn of(view: &View<'_>) -> Self {
        let server_minor = view.inventory.version.as_deref().and_then(server_minor);
        PodSecurityAdmission { state: state(view), server_minor }
    }

    /// Why labels alone do not tell what happens; none where they do.
    pub(super) fn not_known(&self) -> Option<&str> {
        match &self.state {
            State::NotKnown(why) => Some(why),
            _ => None,
        }
    }

    pub(super) fn answer(&self, attempt: &Attempt<'_>) -> Answer {
        // No Pod Security Standard asks for a read-only root filesystem or looks at the registry.
        if matches!(attempt.weakness, Some(Weakness::MutableRootFilesystem | Weakness::UntrustedRegistry)) {
            return Answer::new(NAME, Verdict::Admits(Some("does not look at it at any level".to_owned())));
        }
        let why = match &self.state {
            State::Off => {
                let why = "is switched off by --disable-admission-plugins";
                return Answer::new(NAME, Verdict::Admits(Some(why.to_owned())));
            }
            State::NotKnown(why) => Some(why),
            State::ByLabels => None,
        };
        let (policy, _) = NamespacePolicy::from_labels(attempt.namespace_labels, NamespacePolicy::default());
        let level = policy.enforce.level;
        let Ok(pod) = Pod::read(attempt.pod) else {
            return Answer::undecided(NAME, "the canary cannot be read");
        };
        let refused = rejects(&policy, &pod, self.server_minor).is_some();
        let known = self.server_minor.is_none_or(|minor| policy.enforce.is_known_on(minor));
        let verdict = match (why, refused) {
            // The harmless pod is refused by no level.
            (Some(why), _) if attempt.weakness.is_some() => Verdict::Undecided(why.clone()),
            _ if !known => Verdict::Undecided(
                "the API server is newer than the standards that are known here".to_owned(),
            ),
            (_, true) => Verdict::Rejects,
            (_, false) if level == Level::Privileged => Verdict::Admits(Some(
                "enforces nothing here (no label pod-security.kubernetes.io/enforce)".to_owned(),
            )),
            (_, false) => Verdict::Admits(Some(format!("enforces {level}, which allows it"))),
        };
        Answer::new(format!("{NAME} ({level})"), verdict)
    }
}

fn state(view: &View<'_>) -> State {
    let not_seen = || {
        State::NotKnown(
            "whether the API server's configuration sets Pod Security defaults or exemptions is not seen"
                .to_owned(),
        )
    };
    let servers = flags(view.inventory);
    let Some(servers) = servers.filter(|servers| !servers.is_empty()) else { return not_seen() };
    if servers.iter().any(|flags| flags.disabled) {
        return State::Off;
    }
    match servers.iter().find_map(|flags| flags.configuration.as_ref()) {
        Some(file) => State::NotKnown(format!(
            "--admission-control-config-file={file} may set Pod Security defaults and exemptions, and is not seen"
        )),
        None => State::ByLabels,
    }
}

/// The flags of every API server that is seen; none where one cannot be read.
fn flags(inventory: &Inventory) -> Option<Vec<PluginFlags>> {
    let pods: Vec<_> = inventory
        .pods
        .seen
        .iter()
        .filter(|pod| pod.component() == Some(Component::ApiServer) && pod.is_active())
        .collect();
    if pods.is_empty() {
        let flagz = inventory.api_server_flags.seen.as_ref()?;
        let disabled = flagz.flags.get("disable-admission-plugins").map_or("", String::as_str);
        let file = flagz.flags.get("admission-control-config-file").filter(|file| !file.is_empty());
        return Some(vec![PluginFlags {
            disabled: disabled.split(',').any(|plugin| plugin == "PodSecurity"),
            configuration: file.cloned(),
        }]);
    }
    pods.into_iter()
        .map(|pod| {
            let flags = Flags::of_pod(Component::ApiServer, pod).ok()?;
            let disabled = match flags.list("disable-admission-plugins") {
                Setting::Unset => false,
                Setting::Known(plugins) => plugins.iter().any(|plugin| plugin == "PodSecurity"),
                Setting::Unclear(_) => return None,
            };
            let configuration = match flags.text("admission-control-config-file") {
                Setting::Unset => None,
                Setting::Known(file) | Setting::Unclear(file) => Some(file),
            };
            Some(PluginFlags { disabled, configuration })
        })
        .collect()
}
