//! The fields of containers that remedies set: where they stand, and what they are now.

use crate::inventory::{Container, SecurityContext};
use serde_json::{Value, json};

/// A field of a container's security context.
pub(super) struct Field {
    /// Its place in the security context, as a JSON pointer.
    pub(super) pointer: &'static str,
    /// What it is now.
    pub(super) present: fn(&SecurityContext) -> Option<Value>,
    /// Whether a value is what a remedy would set: nothing else is carried forward.
    pub(super) is_good: fn(&Value) -> bool,
}

pub(super) const FIELDS: [Field; 5] = [
    Field {
        pointer: "/readOnlyRootFilesystem",
        present: |context| context.read_only_root_filesystem.map(Value::Bool),
        is_good: |value| *value == Value::Bool(true),
    },
    Field {
        pointer: "/runAsNonRoot",
        present: |context| context.run_as_non_root.map(Value::Bool),
        is_good: |value| *value == Value::Bool(true),
    },
    Field {
        pointer: RUN_AS_USER,
        present: |context| context.run_as_user.map(Value::from),
        is_good: is_not_root,
    },
    Field {
        pointer: "/seccompProfile/type",
        present: |context| Some(json!(context.seccomp_profile.as_ref()?.kind)),
        is_good: |value| *value == "RuntimeDefault",
    },
    Field {
        pointer: "/appArmorProfile/type",
        present: |context| Some(json!(context.app_armor_profile.as_ref()?.kind)),
        is_good: |value| *value == "RuntimeDefault",
    },
];

pub(super) const RUN_AS_USER: &str = "/runAsUser";

fn is_not_root(value: &Value) -> bool {
    *value != 0
}

impl Field {
    /// As `metadata.managedFields` was reduced: `securityContext.seccompProfile.type`.
    pub(super) fn path(&self) -> String {
        format!("securityContext{}", self.pointer.replace('/', "."))
    }

    /// Sets it in a security context.
    pub(super) fn set(&self, context: &mut Value, value: Value) {
        let mut place = context;
        for name in self.pointer.split('/').skip(1) {
            place = &mut place[name];
        }
        *place = value;
    }

    /// What it is now.
    pub(super) fn of(&self, container: &Container) -> Option<Value> {
        (self.present)(&container.security_context)
    }
}
