//! Snapshots as people have them: folders, archives and files of kubectl's output, broken ones among them.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod documents;
mod files;
mod kinds;

use rampart_checklist::Inventory;
use rampart_cluster::snapshot::{Content, Problem, ReadOptions, SnapshotInput, read};
use rampart_shared::{Gap, GapReason};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn input(path: &Path) -> SnapshotInput {
    SnapshotInput { name: "test".to_owned(), content: Content::Folder(path.to_owned()) }
}

fn read_folder(files: &[(&str, &str)]) -> (Inventory, Vec<Problem>) {
    read(&input(folder(files).path()), &ReadOptions::default()).unwrap()
}

fn reasons(gaps: &[Gap]) -> Vec<GapReason> {
    gaps.iter().map(|gap| gap.reason).collect()
}

fn problem(problems: &[Problem]) -> String {
    let [problem] = problems else { panic!("one problem: {problems:?}") };
    problem.to_string()
}

const DEPLOYMENT: &str = "apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
spec:
  template:
    spec:
      containers:
      - name: web
        image: nginx
        securityContext:
          readOnlyRootFilesystem: yes
";
