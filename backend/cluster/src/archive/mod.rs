//! Writes what was read of a cluster as a snapshot whose evaluation gives the same.
//!
//! Objects are as the API server gave them but for what nobody reads and for what looks like a credential. What was not
//! seen, and why, stands in the manifest.

mod record;

pub(crate) use record::record;

use crate::live::Collected;
use crate::snapshot::{MANIFEST_FILE, Manifest};
use flate2::Compression;
use flate2::write::GzEncoder;
use rampart_checklist::inventory::{ApiServerMetrics, KubeletConfiguration};
use rampart_checklist::{Inventory, Kind};
use rampart_shared::Gap;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{self, Write};

/// The file that says which kubelets let in requests without credentials.
pub(crate) const ANONYMOUS_FILE: &str = "kubelet-anonymous.json";
/// The file that holds `/flagz` of the API server.
pub(crate) const FLAGZ_FILE: &str = "flagz.json";
/// The file that holds `/metrics` of the API server.
pub(crate) const METRICS_FILE: &str = "metrics.txt";

/// Writes a tar archive, compressed by gzip, of what was recorded while a cluster was read.
///
/// # Errors
/// When it cannot be written.
pub fn write(to: impl Write, collected: &Collected) -> io::Result<()> {
    let inventory = &collected.inventory;
    let time = inventory.collected_at.map_or(0, |at| at.timestamp());
    let mut archive = tar::Builder::new(GzEncoder::new(to, Compression::default()));
    let mut add = |name: &str, content: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o600);
        header.set_mtime(u64::try_from(time).unwrap_or_default());
        header.set_cksum();
        archive.append_data(&mut header, name, content)
    };
    add(MANIFEST_FILE, serde_json::to_string_pretty(&manifest(inventory))?.as_bytes())?;
    if let Some(version) = &inventory.version {
        add("version.json", json!({ "serverVersion": { "gitVersion": version } }).to_string().as_bytes())?;
    }
    for (kind, objects) in &collected.recorded {
        if objects.is_empty() {
            continue;
        }
        let name =
            if *kind == Kind::GatekeeperConstraints { "constraints".to_owned() } else { kind.name().0 };
        let list = format!(r#"{{"apiVersion":"v1","kind":"List","items":[{}]}}"#, objects.join(",\n"));
        add(&format!("{name}.json"), list.as_bytes())?;
    }
    for (node, configuration) in &inventory.kubelet_configurations.seen {
        add(&format!("configz/{node}.json"), configz(configuration).to_string().as_bytes())?;
    }
    if !inventory.kubelet_anonymous.is_empty() {
        add(ANONYMOUS_FILE, json!(inventory.kubelet_anonymous).to_string().as_bytes())?;
    }
    if let Some(flags) = &inventory.api_server_flags.seen {
        add(FLAGZ_FILE, json!({ "kind": "Flagz", "flags": flags.flags }).to_string().as_bytes())?;
    }
    if let Some(found) = &inventory.api_server_metrics.seen {
        add(METRICS_FILE, metrics(found).as_bytes())?;
    }
    archive.into_inner()?.finish()?.flush()
}

/// Every kind is complete, or its gaps say why it is not.
fn manifest(inventory: &Inventory) -> Manifest {
    let (complete, incomplete): (Vec<Kind>, Vec<Kind>) =
        Kind::ALL.into_iter().partition(|kind| inventory.gaps(*kind).is_empty());
    let gaps: BTreeMap<_, Vec<Gap>> =
        incomplete.into_iter().map(|kind| (kind.name(), inventory.gaps(kind).to_vec())).collect();
    Manifest {
        schema: Manifest::SCHEMA.to_owned(),
        collected_at: inventory.collected_at,
        complete: complete.into_iter().map(Kind::name).collect(),
        gaps,
    }
}

/// What items read of a kubelet's configuration, in the form in which the kubelet gives it.
fn configz(configuration: &KubeletConfiguration) -> Value {
    // Named one by one, so that a field that is read one day is not forgotten here.
    let KubeletConfiguration { authentication, authorization, read_only_port, seccomp_default } =
        configuration;
    json!({ "kubeletconfig": {
        "authentication": {
            "anonymous": { "enabled": authentication.anonymous.enabled },
            "webhook": { "enabled": authentication.webhook.enabled },
        },
        "authorization": { "mode": authorization.mode },
        "readOnlyPort": read_only_port,
        "seccompDefault": seccomp_default,
    }})
}

/// The series that items read, without their values.
fn metrics(found: &ApiServerMetrics) -> String {
    let ApiServerMetrics { admission_plugins, authorizers, encrypts_secrets, jwt_authenticator } = found;
    let mut text = String::from("# Reduced to the series that Rampart reads; their values are left out.\n");
    for name in admission_plugins {
        text.push_str(&format!(
            "apiserver_admission_controller_admission_duration_seconds_count{{name=\"{name}\"}} NaN\n"
        ));
    }
    for name in authorizers {
        text.push_str(&format!("apiserver_authorization_decisions_total{{type=\"{name}\"}} NaN\n"));
    }
    if *encrypts_secrets {
        text.push_str(
            "apiserver_storage_transformation_operations_total{resource=\"secrets\",\
             transformation_type=\"to_storage\",transformer_prefix=\"k8s:enc:\"} NaN\n",
        );
    }
    if *jwt_authenticator {
        text.push_str("apiserver_authentication_jwt_authenticator_latency_seconds_count NaN\n");
    }
    text
}
