//! A cluster at one time, as the files of a snapshot.

use super::DemoError;
use rampart_checklist::Kind;
use rampart_shared::ResourceName;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// What `kubectl get` and the kubelets would have said.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Snapshot {
    /// The server's version.
    version: &'static str,
    /// All objects.
    objects: Vec<Value>,
    /// The kubelets' configurations, by node.
    kubelets: BTreeMap<&'static str, Value>,
    /// What `/metrics` of the API server said, where it was read.
    metrics: Option<String>,
}

/// The kinds that were collected: every kind that is listed, so that there is nothing of those without an object.
fn complete() -> Vec<ResourceName> {
    Kind::ALL.into_iter().filter(|kind| kind.is_listed()).map(Kind::name).collect()
}

impl Snapshot {
    pub(super) fn new(version: &'static str) -> Self {
        Snapshot { version, ..Snapshot::default() }
    }

    /// The same with an object more.
    pub(super) fn with(mut self, object: Value) -> Self {
        self.objects.push(object);
        self
    }

    /// The same with these objects more.
    pub(super) fn with_all(mut self, objects: impl IntoIterator<Item = Value>) -> Self {
        self.objects.extend(objects);
        self
    }

    /// The same with a kubelet that was read.
    pub(super) fn with_kubelet(mut self, node: &'static str, configuration: Value) -> Self {
        self.kubelets.insert(node, configuration);
        self
    }

    /// The same with the API server's metrics.
    pub(super) fn with_metrics(mut self, metrics: String) -> Self {
        self.metrics = Some(metrics);
        self
    }

    /// Writes the files into this folder, in place of what a snapshot left there.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), DemoError> {
        let unwritable = |cause| DemoError::Unwritable { path: folder.to_path_buf(), cause };
        let configurations = folder.join("configz");
        if configurations.exists() {
            std::fs::remove_dir_all(&configurations).map_err(unwritable)?;
        }
        std::fs::create_dir_all(&configurations).map_err(unwritable)?;
        let mut files = vec![
            (
                "rampart-snapshot.json".to_owned(),
                json!({ "schema": "rampart.snapshot/v1", "complete": complete() }),
            ),
            ("version.json".to_owned(), json!({ "serverVersion": { "gitVersion": self.version } })),
            ("objects.json".to_owned(), json!({ "apiVersion": "v1", "kind": "List", "items": self.objects })),
        ];
        files.extend(self.kubelets.iter().map(|(node, configuration)| {
            (format!("configz/{node}.json"), json!({ "kubeletconfig": configuration }))
        }));
        for (name, content) in files {
            std::fs::write(folder.join(name), content.to_string()).map_err(unwritable)?;
        }
        // Every stage of a cluster has metrics, or none has.
        if let Some(metrics) = &self.metrics {
            std::fs::write(folder.join("metrics.txt"), metrics).map_err(unwritable)?;
        }
        Ok(())
    }
}
