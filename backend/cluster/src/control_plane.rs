//! What `/flagz` and `/metrics` of an API server say, reduced to what items read.

use crate::malformed;
use rampart_checklist::inventory::{ApiServerFlags, ApiServerMetrics};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// The form in which `/flagz` is asked for; by default it answers for people.
pub(crate) const FLAGZ: &str = "application/json;v=v1beta1;g=config.k8s.io;as=Flagz";

/// The flags that items read. No other is kept, for the value of a flag may be a credential.
const KEPT_FLAGS: [&str; 19] = [
    "admission-control-config-file",
    "anonymous-auth",
    "authentication-config",
    "authentication-token-webhook-config-file",
    "authorization-config",
    "authorization-mode",
    "client-ca-file",
    "disable-admission-plugins",
    "enable-admission-plugins",
    "encryption-provider-config",
    "etcd-cafile",
    "etcd-certfile",
    "etcd-keyfile",
    "etcd-servers",
    "etcd-servers-overrides",
    "oidc-client-id",
    "oidc-issuer-url",
    "requestheader-client-ca-file",
    "token-auth-file",
];

#[derive(Deserialize)]
struct Flagz {
    kind: String,
    #[serde(default)]
    flags: BTreeMap<String, String>,
}

/// Reads what `/flagz` answered.
///
/// # Errors
/// What is wrong, without anything that the answer holds.
pub(crate) fn flagz(body: &[u8]) -> Result<ApiServerFlags, String> {
    let flagz: Flagz = serde_json::from_slice(body).map_err(|error| malformed::json(&error))?;
    if flagz.kind != "Flagz" {
        return Err("no Flagz".to_owned());
    }
    let kept = flagz.flags.into_iter().filter(|(name, _)| KEPT_FLAGS.contains(&name.as_str()));
    Ok(ApiServerFlags { flags: kept.map(|(name, value)| (name, without_user(&value))).collect() })
}

/// An address may hold a user and a password.
fn without_user(value: &str) -> String {
    let mut kept = String::with_capacity(value.len());
    for (index, part) in value.split("://").enumerate() {
        if index > 0 {
            kept.push_str("://");
            let authority = part.find(['/', ',', ']']).unwrap_or(part.len());
            let user = part[..authority].rfind('@').map_or(0, |at| at + 1);
            kept.push_str(&part[user..]);
        } else {
            kept.push_str(part);
        }
    }
    kept
}

/// Names beyond this are not kept.
const MAX_NAMES: usize = 200;
/// Longer names are none.
const LONGEST_NAME: usize = 200;

/// Takes one line of `/metrics` in.
pub(crate) fn read_metric(metrics: &mut ApiServerMetrics, line: &str) {
    let Some((name, labels)) = line.split_once('{') else {
        metrics.jwt_authenticator |= line.starts_with(JWT_AUTHENTICATOR);
        return;
    };
    if name.starts_with("apiserver_admission_controller_admission_duration_seconds_") {
        keep(&mut metrics.admission_plugins, label(labels, "name"));
    } else if name == "apiserver_authorization_decisions_total" {
        keep(&mut metrics.authorizers, label(labels, "type"));
    } else if name == "apiserver_storage_transformation_operations_total" {
        // What is decrypted may have been written long ago; only what is written now shows that it is encrypted.
        let writes = label(labels, "transformation_type").is_none_or(|sort| sort == "to_storage");
        metrics.encrypts_secrets |= writes
            && label(labels, "resource") == Some("secrets")
            && label(labels, "transformer_prefix").is_some_and(|prefix| prefix.starts_with("k8s:enc:"));
    } else if name.starts_with(JWT_AUTHENTICATOR) {
        metrics.jwt_authenticator = true;
    }
}

const JWT_AUTHENTICATOR: &str = "apiserver_authentication_jwt_authenticator_";

fn keep(names: &mut BTreeSet<String>, name: Option<&str>) {
    if let Some(name) = name
        && names.len() < MAX_NAMES
        && !name.is_empty()
        && name.len() <= LONGEST_NAME
        && !name.contains('\\')
    {
        names.insert(name.to_owned());
    }
}

/// The value of a label in `a="b",c="d"} 1`.
fn label<'a>(labels: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = labels;
    loop {
        let (found, after) = rest.split_once("=\"")?;
        let mut escaped = false;
        let end = after.find(|c| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        })?;
        let (value, after) = after.split_at(end);
        if found.trim_start_matches([',', ' ']) == name {
            return Some(value);
        }
        rest = after.get(1..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_flags_are_kept_and_no_user_in_an_address() {
        let body = br#"{"kind":"Flagz","apiVersion":"config.k8s.io/v1beta1","flags":{
            "etcd-servers":"[https://root:s3cret@10.0.0.1:2379,https://10.0.0.2:2379]",
            "service-account-signing-key-file":"/x","authorization-mode":"[Node,RBAC]"}}"#;
        let flags = flagz(body).unwrap().flags;
        let flags: Vec<(&str, &str)> =
            flags.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(
            flags,
            [
                ("authorization-mode", "[Node,RBAC]"),
                ("etcd-servers", "[https://10.0.0.1:2379,https://10.0.0.2:2379]")
            ]
        );
        assert_eq!(flagz(br#"{"kind":"Status"}"#), Err("no Flagz".to_owned()));
        assert!(!flagz(br#"{"kind":"Flagz","flags":{"a":{"s3cret":1}}}"#).unwrap_err().contains("s3cret"));
    }

    #[test]
    fn the_series_that_items_read() {
        let mut metrics = ApiServerMetrics::default();
        for line in [
            "# HELP apiserver_authentication_jwt_authenticator_latency x",
            r#"apiserver_admission_controller_admission_duration_seconds_bucket{name="NodeRestriction",operation="CREATE",le="0.005"} 12"#,
            r#"apiserver_authorization_decisions_total{decision="allowed",name="n\"}{,type=\"Fake\"",type="Node"} 3"#,
            r#"apiserver_authorization_decisions_total{decision="allowed""#,
            r#"apiserver_storage_transformation_operations_total{resource="secrets",transformation_type="from_storage",transformer_prefix="k8s:enc:aescbc:v1:"} 3"#,
            r#"apiserver_storage_transformation_operations_total{resource="configmaps",transformation_type="to_storage",transformer_prefix="k8s:enc:aescbc:v1:"} 3"#,
        ] {
            read_metric(&mut metrics, line);
        }
        assert_eq!(metrics.admission_plugins, ["NodeRestriction".to_owned()].into());
        assert_eq!(metrics.authorizers, ["Node".to_owned()].into());
        assert!(!metrics.encrypts_secrets && !metrics.jwt_authenticator);
        read_metric(
            &mut metrics,
            r#"apiserver_storage_transformation_operations_total{resource="secrets",status="OK",transformation_type="to_storage",transformer_prefix="k8s:enc:aescbc:v1:"} 3"#,
        );
        read_metric(
            &mut metrics,
            r#"apiserver_authentication_jwt_authenticator_latency_seconds_count{result="success"} 1"#,
        );
        assert!(metrics.encrypts_secrets && metrics.jwt_authenticator);
    }
}
