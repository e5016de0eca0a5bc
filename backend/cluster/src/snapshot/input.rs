//! Which paths are which cluster.

use super::SnapshotError;
use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

/// The files of one cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotInput {
    /// The cluster's name.
    pub name: String,
    /// Where its files are.
    pub content: Content,
}

/// Where a cluster's files are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// In a folder and its folders.
    Folder(PathBuf),
    /// In a tar archive, compressed by gzip or not.
    Archive(PathBuf),
    /// Single files; `-` is standard input.
    Files(Vec<PathBuf>),
}

impl fmt::Display for SnapshotInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.content {
            Content::Folder(path) | Content::Archive(path) => write!(f, "{}", path.display()),
            Content::Files(paths) => {
                for (index, path) in paths.iter().enumerate() {
                    let separator = if index == 0 { "" } else { ", " };
                    if is_stdin(path) {
                        write!(f, "{separator}standard input")?;
                    } else {
                        write!(f, "{separator}{}", path.display())?;
                    }
                }
                Ok(())
            }
        }
    }
}

/// Groups paths into clusters: each folder and each archive is one; plain files and `-` together are one.
///
/// # Errors
/// When a path does not exist or is there twice, or when one name is given for several clusters.
pub fn inputs(paths: &[PathBuf], name: Option<&str>) -> Result<Vec<SnapshotInput>, SnapshotError> {
    let mut inputs = Vec::new();
    let mut files: Vec<PathBuf> = Vec::new();
    let mut known = BTreeSet::new();
    for path in paths {
        let is_folder = if is_stdin(path) { false } else { look_at(path)? };
        let whole =
            if is_stdin(path) { path.clone() } else { path.canonicalize().unwrap_or_else(|_| path.clone()) };
        if !known.insert(whole.clone()) {
            return Err(SnapshotError::Twice { path: path.clone() });
        }
        if is_folder {
            inputs.push(SnapshotInput { name: folder_name(&whole), content: Content::Folder(path.clone()) });
        } else if let Some(stem) = archive_stem(path) {
            inputs.push(SnapshotInput { name: stem, content: Content::Archive(path.clone()) });
        } else {
            files.push(path.clone());
        }
    }
    if let Some(first) = files.first() {
        inputs.push(SnapshotInput { name: file_name(first), content: Content::Files(files) });
    }
    match name {
        Some(name) if inputs.len() > 1 => {
            return Err(SnapshotError::NameForSeveral { name: name.to_owned(), count: inputs.len() });
        }
        Some(name) => inputs.iter_mut().for_each(|input| name.clone_into(&mut input.name)),
        None => tell_apart(&mut inputs),
    }
    Ok(inputs)
}

pub(super) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

fn look_at(path: &Path) -> Result<bool, SnapshotError> {
    match path.metadata() {
        Ok(metadata) => Ok(metadata.is_dir()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(SnapshotError::NotFound { path: path.to_owned() })
        }
        Err(source) => Err(SnapshotError::Unreadable { path: path.to_owned(), source }),
    }
}

fn folder_name(path: &Path) -> String {
    path.file_name().map_or_else(|| "snapshot".to_owned(), |name| name.to_string_lossy().into_owned())
}

fn file_name(path: &Path) -> String {
    if is_stdin(path) {
        return "stdin".to_owned();
    }
    path.file_stem().map_or_else(|| "snapshot".to_owned(), |stem| stem.to_string_lossy().into_owned())
}

/// The name without the archive's ending; none for what is no archive.
fn archive_stem(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    [".tar.gz", ".tgz", ".tar"].iter().find_map(|ending| name.strip_suffix(ending)).map(str::to_owned)
}

/// Two clusters of one name are told apart by their paths.
fn tell_apart(inputs: &mut [SnapshotInput]) {
    let mut seen = BTreeSet::new();
    let twice: BTreeSet<String> = inputs
        .iter()
        .filter(|input| !seen.insert(input.name.clone()))
        .map(|input| input.name.clone())
        .collect();
    for input in inputs.iter_mut().filter(|input| twice.contains(&input.name)) {
        input.name = input.to_string();
    }
}
