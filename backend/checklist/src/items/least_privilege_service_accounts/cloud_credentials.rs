//! How static credentials of clouds reach a container.

use crate::inventory::{Container, EnvironmentVariable};

/// What a variable holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    /// The credential itself.
    Credential,
    /// The path of a file, which is a credential where it comes from a Secret.
    File,
}

/// A variable that a cloud's libraries read.
struct CredentialVariable {
    name: &'static str,
    holds: Holds,
}

const fn credential(name: &'static str) -> CredentialVariable {
    CredentialVariable { name, holds: Holds::Credential }
}

const fn file(name: &'static str) -> CredentialVariable {
    CredentialVariable { name, holds: Holds::File }
}

/// The variables. An entry's name must also be kept of a pod (`inventory/raw_pod_spec.rs`); a test compares them.
const VARIABLES: [CredentialVariable; 10] = [
    // https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-envvars.html
    credential("AWS_ACCESS_KEY_ID"),
    credential("AWS_SECRET_ACCESS_KEY"),
    file("AWS_SHARED_CREDENTIALS_FILE"),
    // https://cloud.google.com/docs/authentication/application-default-credentials
    file("GOOGLE_APPLICATION_CREDENTIALS"),
    // https://learn.microsoft.com/en-us/python/api/overview/azure/identity-readme#environment-variables
    credential("AZURE_CLIENT_SECRET"),
    file("AZURE_CLIENT_CERTIFICATE_PATH"),
    // https://learn.microsoft.com/en-us/cli/azure/storage/account
    credential("AZURE_STORAGE_KEY"),
    credential("AZURE_STORAGE_CONNECTION_STRING"),
    // https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/guides/service_principal_client_secret
    credential("ARM_CLIENT_SECRET"),
    // https://registry.terraform.io/providers/hashicorp/google/latest/docs/guides/provider_reference#credentials-1
    credential("GOOGLE_CREDENTIALS"),
];

/// Folders in which a cloud's libraries look for key files of their own accord.
const FOLDERS: [&str; 3] = [
    // https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-files.html
    "/.aws",
    // https://cloud.google.com/docs/authentication/application-default-credentials#personal
    "/.config/gcloud",
    // https://learn.microsoft.com/en-us/cli/azure/azure-cli-configuration#cli-configuration-file
    "/.azure",
];

/// The static credentials of a container: a path relative to it, and what was found there. Values are never told.
pub(super) fn of(container: &Container) -> Vec<(String, String)> {
    let variables = container.env.iter().filter_map(|variable| {
        let known = VARIABLES.iter().find(|known| known.name == variable.name)?;
        let observed = match (&variable.secret, known.holds) {
            (Some(secret), _) => format!("from Secret {secret}"),
            (None, Holds::Credential) => "set, and not from a Secret".to_owned(),
            (None, Holds::File) => format!("a file of Secret {}", secret_of_file(container, variable)?),
        };
        Some((format!("env[name={}]", variable.name), observed))
    });
    let files = container
        .secret_mounts
        .iter()
        .filter(|mount| FOLDERS.iter().any(|folder| is_in_folder(&mount.path, folder)))
        .map(|mount| {
            (
                format!("volumeMounts[mountPath={}]", mount.path),
                format!("key files of Secret {}", mount.secret),
            )
        });
    variables.chain(files).collect()
}

/// The Secret whose files are mounted where a variable points.
fn secret_of_file<'c>(container: &'c Container, variable: &EnvironmentVariable) -> Option<&'c str> {
    let path = variable.value.as_deref()?;
    container
        .secret_mounts
        .iter()
        .find(|mount| is_under(path, &mount.path))
        .map(|mount| mount.secret.as_str())
}

/// Whole components: `/keys` does not hold `/keys-old/a`.
fn is_under(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder.trim_end_matches('/'))
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether a mount is such a folder of any home, or something in it.
fn is_in_folder(path: &str, folder: &str) -> bool {
    path.find(folder).is_some_and(|at| {
        path.get(at + folder.len()..).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::inventory;

    #[test]
    fn every_variable_is_kept_of_a_pod() {
        for CredentialVariable { name, holds } in VARIABLES {
            let inventory = inventory(&format!(
                "{{apiVersion: v1, kind: Pod, metadata: {{name: p}}, spec: {{containers: [{{name: c, env: [{{name: {name}, value: /x}}]}}]}}}}"
            ));
            let env = &inventory.pods.seen[0].spec.containers[0].env;
            assert_eq!(env.len(), 1, "{name}");
            assert_eq!(
                env[0].value.is_some(),
                holds == Holds::File,
                "{name}: a credential's value is never kept"
            );
        }
    }

    #[test]
    fn folders_match_whole_components() {
        assert!(is_in_folder("/root/.aws", "/.aws") && is_in_folder("/home/a/.aws/credentials", "/.aws"));
        assert!(!is_in_folder("/root/.awsome", "/.aws") && !is_in_folder("/aws", "/.aws"));
        assert!(is_under("/keys/a.json", "/keys/") && !is_under("/keys-old/a.json", "/keys"));
    }
}
