//! Where the objects of a snapshot were found.

use rampart_checklist::Kind;
use rampart_shared::Subject;
use std::collections::HashMap;

/// Where the objects of a snapshot were found.
#[derive(Debug, Default)]
pub struct Places {
    files: Vec<String>,
    objects: HashMap<(Kind, String), Place>,
}

/// A place in one of the files.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Which of the files.
    pub(super) file: usize,
    /// The line where it begins; none where the file does not show it.
    pub(super) line: Option<u64>,
}

impl Places {
    pub(super) fn new(files: Vec<String>, objects: HashMap<(Kind, String), Place>) -> Self {
        Places { files, objects }
    }

    /// The file, relative to the folder or archive, and the line where the object begins; none for what is not in the
    /// snapshot, such as a policy that is missing.
    pub fn of(&self, subject: &Subject) -> Option<(&str, Option<u64>)> {
        let kind = Kind::of(&subject.api_version, &subject.kind)?;
        let mut name = match &subject.namespace {
            Some(namespace) => format!("{namespace}/{}", subject.name),
            None => subject.name.clone(),
        };
        if kind == Kind::GatekeeperConstraints {
            name = format!("{} {name}", subject.kind);
        }
        let place = self.objects.get(&(kind, name))?;
        Some((self.files.get(place.file)?, place.line))
    }
}
