//! Names of files and folders, whatever the objects are called.

use crate::remedy::identity;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// Longer names are cut; file systems take 255 bytes, and folders come before them.
const LONGEST: usize = 100;

/// Names that Windows keeps for devices, whatever follows a dot.
const DEVICES: [&str; 22] = [
    "con", "prn", "aux", "nul", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9",
    "lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
];

/// A text as a name that every file system takes. Where it had to be changed, a digest keeps two texts apart.
pub fn slug(text: &str) -> String {
    let safe: String = text
        .chars()
        .take(LONGEST)
        .map(|c| if c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.' { c } else { '-' })
        .collect();
    let safe = safe.trim_matches(['-', '.']);
    let device = safe.split('.').next().unwrap_or_default();
    if safe == text && !safe.is_empty() && !DEVICES.contains(&device) {
        return safe.to_owned();
    }
    match safe {
        "" => digest(text),
        safe => format!("{safe}-{}", digest(text)),
    }
}

/// The names that are given in one folder.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeSet<String>);

impl Names {
    /// A name of its own for the file of an object.
    pub(super) fn of(&mut self, object: &Value) -> String {
        let [api_version, kind, namespace, name] = identity(object);
        let text = match (kind, name) {
            ("", _) => "settings".to_owned(),
            (kind, "") => kind.to_lowercase(),
            (kind, name) => format!("{}-{name}", kind.to_lowercase()),
        };
        let whole = [api_version, kind, namespace, name, &text].join("\n");
        let mut file = slug(&text);
        let mut number = 0;
        while !self.0.insert(file.clone()) {
            number += 1;
            file = format!("{}-{}", slug(&text), digest(&format!("{whole}\n{number}")));
        }
        file
    }
}

fn digest(text: &str) -> String {
    let hash = Sha256::digest(text.as_bytes());
    hash.iter().take(5).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_are_safe_and_different_where_the_texts_are() {
        assert_eq!(slug("checkout.v2-a"), "checkout.v2-a");
        let texts = [
            "system:a",
            "system/a",
            "../a",
            "..",
            "",
            "A",
            "a",
            "con",
            "com1.x",
            "ü",
            "a\u{0}",
            "-a",
            &"x".repeat(300),
        ];
        let slugs: BTreeSet<String> = texts.iter().map(|text| slug(text)).collect();
        assert_eq!(slugs.len(), texts.len(), "{slugs:?}");
        for slug in &slugs {
            let safe = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
            assert!(slug.chars().all(safe) && slug.len() <= LONGEST + 11, "{slug}");
            assert!(!slug.starts_with(['.', '-']) && !slug.is_empty(), "{slug}");
        }
    }

    #[test]
    fn objects_that_would_share_a_name_do_not() {
        let mut names = Names::default();
        let object = |group: &str, kind: &str, name: &str| json!({ "apiVersion": group, "kind": kind, "metadata": { "name": name } });
        let given: BTreeSet<String> = [
            object("a/v1", "Policy", "x"),
            object("b/v1", "Policy", "x"),
            object("b/v1", "POLICY", "x"),
            object("a/v1", "Policy", "X"),
            json!({ "secrets-encryption": true }),
            json!({ "kubelet-arg+": [] }),
        ]
        .iter()
        .map(|object| names.of(object))
        .collect();
        assert_eq!(given.len(), 6, "{given:?}");
        assert!(given.contains("policy-x") && given.contains("settings"));
    }
}
