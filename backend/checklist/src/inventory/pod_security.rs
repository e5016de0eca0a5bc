//! What the Pod Security Standards forbid of a pod, reduced to what remedies ask.

use crate::pod_security::{Level, Pod, Version, evaluate};
use serde_json::Value;

/// What the Pod Security Standards forbid of a pod that is made anew, at the newest version that is known.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct PodSecurityBreaches {
    /// What `baseline` forbids, in the API server's words.
    pub baseline: Vec<String>,
    /// The controls of `restricted` that it does not meet, by their names.
    pub restricted: Vec<&'static str>,
}

impl PodSecurityBreaches {
    /// The strictest level that it meets.
    pub fn level(&self) -> Level {
        match (&self.baseline[..], &self.restricted[..]) {
            ([], []) => Level::Restricted,
            ([], _) => Level::Baseline,
            _ => Level::Privileged,
        }
    }

    /// Evaluates `metadata.annotations` and `spec` of a pod. What cannot be read meets nothing.
    pub(super) fn of(pod: &Value) -> PodSecurityBreaches {
        let Ok(pod) = Pod::read(pod) else {
            let baseline = vec!["a field has another form than the API gives it".to_owned()];
            return PodSecurityBreaches { baseline, restricted: Vec::new() };
        };
        let restricted = evaluate(Level::Restricted, Version::Latest, &pod);
        // What restricted allows, baseline allows.
        if restricted.is_empty() {
            return PodSecurityBreaches::default();
        }
        let baseline = evaluate(Level::Baseline, Version::Latest, &pod);
        PodSecurityBreaches {
            baseline: baseline.iter().map(ToString::to_string).collect(),
            restricted: restricted.iter().map(|forbidden| forbidden.control).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::pod_security::Level;
    use crate::testing::inventory;

    fn level(spec: &str) -> Level {
        let yaml =
            format!("{{apiVersion: v1, kind: Pod, metadata: {{name: a, namespace: b}}, spec: {{{spec}}}}}");
        inventory(&yaml).pods.seen[0].spec.pod_security.level()
    }

    #[test]
    fn every_field_that_a_control_reads_arrives() {
        let good = "securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}, containers: [{name: c, \
                    ports: [{containerPort: 80}], securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}}]";
        assert_eq!(level(good), Level::Restricted);
        for (added, expected) in [
            (
                "volumes: [{name: v, emptyDir: {}}, {name: w}, {name: p, persistentVolumeClaim: {claimName: a}}]",
                Level::Restricted,
            ),
            ("volumes: [{name: v, nfs: {server: a, path: /}}]", Level::Baseline),
            ("volumes: [{name: v, nfs: null, emptyDir: {}}]", Level::Restricted),
            ("volumes: [{name: v, hostPath: {path: /}}]", Level::Privileged),
            ("hostPID: true", Level::Privileged),
            ("hostIPC: true", Level::Privileged),
            ("hostNetwork: true", Level::Privileged),
            ("hostPID: null", Level::Restricted),
        ] {
            assert_eq!(level(&format!("{good}, {added}")), expected, "{added}");
        }
        for (from, to, expected) in [
            (
                "runAsNonRoot: true",
                "runAsNonRoot: true, sysctls: [{name: kernel.msgmax, value: '1'}]",
                Level::Privileged,
            ),
            ("containerPort: 80", "containerPort: 80, hostPort: 80", Level::Privileged),
            ("drop: [ALL]", "drop: [ALL], add: [NET_ADMIN]", Level::Privileged),
            ("drop: [ALL]", "drop: [ALL]}, procMount: Unmasked, x: {", Level::Privileged),
            ("drop: [ALL]", "drop: [ALL]}, seLinuxOptions: {user: a", Level::Privileged),
            (
                "name: c,",
                "name: c, livenessProbe: {tcpSocket: {port: 80, host: 127.0.0.1}},",
                Level::Privileged,
            ),
            ("drop: [ALL]", "drop: []", Level::Baseline),
            ("type: RuntimeDefault", "type: Unconfined", Level::Privileged),
            ("allowPrivilegeEscalation: false, ", "", Level::Baseline),
        ] {
            assert_eq!(level(&good.replace(from, to)), expected, "{to}");
        }
    }
}
