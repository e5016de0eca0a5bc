//! The corpus that benchmarks read: the same bytes everywhere, made up, in the mix of a company's repository
//! of manifests. 28 namespaces with 10 applications each, one file of 35 documents per application.

mod choice;
mod manifests;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::workspace;
use choice::Choice;
use manifests::Application;

pub(crate) const FILES: usize = 280;
pub(crate) const DOCUMENTS_PER_FILE: usize = 35;
pub(crate) const DOCUMENTS: usize = FILES * DOCUMENTS_PER_FILE;

const AREAS: [&str; 14] = [
    "accounts",
    "billing",
    "catalog",
    "checkout",
    "delivery",
    "fraud",
    "identity",
    "logistics",
    "messaging",
    "observability",
    "payments",
    "platform",
    "search",
    "storefront",
];
const STAGES: [&str; 2] = ["production", "staging"];
const APPLICATIONS: [&str; 10] =
    ["adapter", "api", "batch", "console", "events", "gateway", "ingest", "ledger", "notifier", "reports"];

/// Writes the corpus to a folder, by default `target/corpus`.
pub(crate) fn run(folder: Option<PathBuf>) -> Result<()> {
    let folder = folder.unwrap_or_else(default_folder);
    let files = files();
    refuse_foreign_files(&folder, &files)?;
    let mut bytes = 0;
    for (path, text) in &files {
        let path = folder.join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
        }
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        bytes += text.len();
    }
    println!("{}: {FILES} files, {DOCUMENTS} manifests, {:.1} MB", folder.display(), bytes as f64 / 1e6);
    Ok(())
}

/// Where benchmarks look for it.
pub(crate) fn default_folder() -> PathBuf {
    workspace::target().join("corpus")
}

/// All files by their path in the corpus.
fn files() -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for stage in STAGES {
        for area in AREAS {
            let namespace = format!("{area}-{stage}");
            for (index, application) in APPLICATIONS.iter().enumerate() {
                let mut choice = Choice::new(files.len() as u64);
                let application = Application { namespace: &namespace, name: application };
                let text = application.manifests(index == 0, DOCUMENTS_PER_FILE, &mut choice).join("---\n");
                files.insert(format!("{namespace}/{}.yaml", application.name), text);
            }
        }
    }
    files
}

/// Other files in the folder would be measured with the corpus; and nobody's folder is to be overwritten.
fn refuse_foreign_files(folder: &Path, files: &BTreeMap<String, String>) -> Result<()> {
    let mut folders = vec![folder.to_path_buf()];
    while let Some(current) = folders.pop() {
        let Ok(entries) = fs::read_dir(&current) else { continue };
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if !files.contains_key(&path.strip_prefix(folder)?.to_string_lossy().replace('\\', "/")) {
                bail!("{} is not of the corpus: name an empty folder or remove that file", path.display());
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::assets;

    fn documents() -> Vec<serde_json::Value> {
        files()
            .values()
            .flat_map(|text| serde_saphyr::from_multiple::<serde_json::Value>(text).unwrap())
            .collect()
    }

    #[test]
    fn the_counts_are_the_promised_ones() {
        let files = files();
        assert_eq!(files.len(), FILES);
        let bytes: usize = files.values().map(String::len).sum();
        assert!((5_800_000..6_200_000).contains(&bytes), "{bytes} bytes");
        assert_eq!(documents().len(), DOCUMENTS);
        assert_eq!(DOCUMENTS, 9_800);
    }

    #[test]
    fn every_object_has_its_own_name() {
        let names: BTreeSet<String> =
            documents().iter().map(|object| format!("{} {}", object["kind"], object["metadata"])).collect();
        assert_eq!(names.len(), DOCUMENTS);
    }

    #[test]
    fn the_mix_holds_good_and_bad() {
        let all: String = files().into_values().collect();
        for (text, at_least) in [
            ("kind: Deployment\n", 1000),
            ("kind: StatefulSet\n", 100),
            ("kind: DaemonSet\n", 50),
            ("kind: CronJob\n", 100),
            ("kind: NetworkPolicy\n", 100),
            ("kind: Ingress\n", 100),
            ("kind: Role\n", 100),
            ("readOnlyRootFilesystem: true\n", 500),
            ("readOnlyRootFilesystem: false\n", 50),
            ("runAsNonRoot: true\n", 500),
            ("runAsUser: 0\n", 50),
            ("privileged: true\n", 20),
            ("type: RuntimeDefault\n", 500),
            ("type: Unconfined\n", 10),
        ] {
            let count = all.matches(text).count();
            assert!(count >= at_least, "{count} times {text:?}");
        }
    }

    /// Results of benchmarks are only comparable if this stays; a change of it is a new corpus.
    #[test]
    fn the_bytes_are_always_the_same() {
        let all: String = files().into_iter().map(|(path, text)| format!("{path}\n{text}")).collect();
        assert_eq!(&assets::digest(all.as_bytes())[..16], "551225c05d205354");
    }

    #[test]
    fn a_folder_with_other_files_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        run(Some(folder.path().to_path_buf())).unwrap();
        run(Some(folder.path().to_path_buf())).unwrap();
        fs::write(folder.path().join("thesis.txt"), "").unwrap();
        let error = run(Some(folder.path().to_path_buf())).unwrap_err();
        assert!(error.to_string().contains("thesis.txt is not of the corpus"), "{error}");
    }
}
