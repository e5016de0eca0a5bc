//! Pods that a person would want refused, each bad in one way alone.

use serde_json::{Value, json};

/// In what way a canary is bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Weakness {
    /// `privileged: true`.
    Privileged,
    /// `allowPrivilegeEscalation` is left out, which means yes.
    PrivilegeEscalation,
    /// `readOnlyRootFilesystem` is left out, which means no.
    MutableRootFilesystem,
    /// It runs as user 0.
    RootUser,
    /// Its image comes from a registry that nobody trusts.
    UntrustedRegistry,
}

/// How the bad container gets into the pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// As one of its containers.
    Container,
    /// As an init container.
    InitContainer,
    /// As an ephemeral container that `kubectl debug` adds later.
    EphemeralContainer,
}

/// A registry that is in nobody's allow-list: the domain can never be registered (RFC 2606).
pub const UNTRUSTED_IMAGE: &str = "registry.invalid/rampart/canary:1";
/// The image of canaries for which no allow-list names a better one.
pub(super) const TRUSTED_IMAGE: &str = "registry.k8s.io/pause:3.10";
/// The name of the canaries and of the bad container.
pub const NAME: &str = "rampart-canary";

impl Weakness {
    /// Every weakness.
    pub const ALL: [Weakness; 5] = [
        Weakness::Privileged,
        Weakness::PrivilegeEscalation,
        Weakness::MutableRootFilesystem,
        Weakness::RootUser,
        Weakness::UntrustedRegistry,
    ];

    /// Whether admission must refuse it for the item to hold; the others are told.
    pub const fn decides(self) -> bool {
        matches!(self, Weakness::Privileged | Weakness::PrivilegeEscalation | Weakness::MutableRootFilesystem)
    }

    /// Its name in rules and in the answers of the probe.
    pub const fn as_str(self) -> &'static str {
        match self {
            Weakness::Privileged => "privileged",
            Weakness::PrivilegeEscalation => "privilege-escalation",
            Weakness::MutableRootFilesystem => "mutable-root-filesystem",
            Weakness::RootUser => "root-user",
            Weakness::UntrustedRegistry => "untrusted-registry",
        }
    }

    /// The field that makes it bad, in words.
    pub const fn field(self) -> &'static str {
        match self {
            Weakness::Privileged => "privileged: true",
            Weakness::PrivilegeEscalation => "allowPrivilegeEscalation unset",
            Weakness::MutableRootFilesystem => "readOnlyRootFilesystem unset",
            Weakness::RootUser => "runAsUser: 0",
            Weakness::UntrustedRegistry => "an image of an unknown registry",
        }
    }
}

impl Form {
    /// Every form.
    pub const ALL: [Form; 3] = [Form::Container, Form::InitContainer, Form::EphemeralContainer];

    /// The field of the pod spec.
    pub const fn field(self) -> &'static str {
        match self {
            Form::Container => "containers",
            Form::InitContainer => "initContainers",
            Form::EphemeralContainer => "ephemeralContainers",
        }
    }

    /// The resource that a request for it names.
    pub const fn subresource(self) -> Option<&'static str> {
        match self {
            Form::EphemeralContainer => Some("ephemeralcontainers"),
            _ => None,
        }
    }
}

/// Names a canary, in the answers of the probe.
pub fn canary_name(weakness: Weakness, form: Form) -> String {
    format!("{}/{}", weakness.as_str(), form.field())
}

/// A pod that meets the restricted Pod Security Standard and has a read-only root filesystem: nothing but a policy
/// about something else can refuse it.
pub fn harmless(namespace: &str, image: Option<&str>) -> Value {
    let image = image.unwrap_or(TRUSTED_IMAGE);
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": { "name": NAME, "namespace": namespace, "labels": { "app.kubernetes.io/name": NAME } },
        "spec": {
            "automountServiceAccountToken": false,
            "securityContext": { "runAsNonRoot": true, "seccompProfile": { "type": "RuntimeDefault" } },
            "containers": [container("harmless", image)],
        },
    })
}

/// The harmless pod with a container that is bad in one way; for an ephemeral container, the pod after the update.
pub fn canary(namespace: &str, image: Option<&str>, weakness: Weakness, form: Form) -> Value {
    let mut pod = harmless(namespace, image);
    let bad = match form {
        Form::EphemeralContainer => ephemeral_canary(image, weakness),
        _ => bad_container(image, weakness),
    };
    match form {
        Form::Container => pod["spec"]["containers"] = json!([bad]),
        form => pod["spec"][form.field()] = json!([bad]),
    }
    pod
}

fn bad_container(image: Option<&str>, weakness: Weakness) -> Value {
    let mut bad = container(NAME, image.unwrap_or(TRUSTED_IMAGE));
    match weakness {
        Weakness::Privileged => {
            bad["securityContext"]["privileged"] = json!(true);
            // The API server refuses privileged without it.
            bad["securityContext"]["allowPrivilegeEscalation"] = json!(true);
        }
        Weakness::PrivilegeEscalation => remove(&mut bad, "allowPrivilegeEscalation"),
        Weakness::MutableRootFilesystem => remove(&mut bad, "readOnlyRootFilesystem"),
        Weakness::RootUser => {
            bad["securityContext"]["runAsUser"] = json!(0);
            bad["securityContext"]["runAsNonRoot"] = json!(false);
        }
        Weakness::UntrustedRegistry => bad["image"] = json!(UNTRUSTED_IMAGE),
    }
    bad
}

/// Whether the bad container of a canary is still bad in the pod that admission made of it: a policy may set what was
/// left out instead of refusing it. An answer that does not show the container says nothing, so the canary was let in.
pub fn is_still_bad(pod: &Value, weakness: Weakness, form: Form) -> bool {
    let mut containers = pod["spec"][form.field()].as_array().into_iter().flatten();
    containers.find(|container| container["name"] == NAME).is_none_or(|container| {
        let context = &container["securityContext"];
        match weakness {
            Weakness::Privileged => context["privileged"] == true,
            Weakness::PrivilegeEscalation => context["allowPrivilegeEscalation"] != false,
            Weakness::MutableRootFilesystem => context["readOnlyRootFilesystem"] != true,
            Weakness::RootUser => context["runAsUser"] == 0,
            Weakness::UntrustedRegistry => container["image"] == UNTRUSTED_IMAGE,
        }
    })
}

/// A harmless container to be added to a running pod.
pub fn harmless_ephemeral_container(image: Option<&str>) -> Value {
    ephemeral(container(NAME, image.unwrap_or(TRUSTED_IMAGE)))
}

/// A bad container to be added to a running pod.
pub fn ephemeral_canary(image: Option<&str>, weakness: Weakness) -> Value {
    ephemeral(bad_container(image, weakness))
}

/// Ephemeral containers may ask for no resources.
fn ephemeral(mut container: Value) -> Value {
    if let Some(container) = container.as_object_mut() {
        container.remove("resources");
    }
    container
}

fn container(name: &str, image: &str) -> Value {
    json!({
        "name": name,
        "image": image,
        // Quotas and limit ranges ask for these.
        "resources": { "requests": { "cpu": "1m", "memory": "4Mi" }, "limits": { "cpu": "10m", "memory": "16Mi" } },
        "securityContext": {
            "allowPrivilegeEscalation": false,
            "readOnlyRootFilesystem": true,
            "runAsNonRoot": true,
            "capabilities": { "drop": ["ALL"] },
        },
    })
}

fn remove(container: &mut Value, field: &str) {
    if let Some(context) = container["securityContext"].as_object_mut() {
        context.remove(field);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canary_is_bad_until_admission_makes_it_harmless() {
        for weakness in Weakness::ALL {
            for form in Form::ALL {
                assert!(
                    is_still_bad(&canary("shop", None, weakness, form), weakness, form),
                    "{weakness:?} {form:?}"
                );
            }
        }
        let (weakness, form) = (Weakness::PrivilegeEscalation, Form::InitContainer);
        let mut pod = canary("shop", None, weakness, form);
        pod["spec"]["initContainers"][0]["securityContext"]["allowPrivilegeEscalation"] = json!(false);
        assert!(!is_still_bad(&pod, weakness, form));
    }
}
