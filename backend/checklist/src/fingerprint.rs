//! Stable names of findings.

use rampart_shared::{Fingerprint, ItemId, Subject};
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// The fingerprint of a finding: over item, rule, group and kind, namespace, owner's name, normalised path and
/// discriminator. The API version, the observed value and positions in lists are left out on purpose.
pub fn fingerprint(
    item: ItemId,
    rule: &str,
    subject: &Subject,
    path: &str,
    discriminator: &str,
) -> Fingerprint {
    Fingerprint(digest(&[
        item.as_str(),
        rule,
        subject.group(),
        &subject.kind,
        subject.namespace.as_deref().unwrap_or_default(),
        &subject.name,
        path,
        discriminator,
    ]))
}

/// The digest of what was observed and what was expected.
pub(crate) fn content(observed: &str, expected: &str) -> String {
    digest(&[observed, expected])
}

/// Each part is preceded by its length, so that no two lists of parts read the same.
fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hex(&hash.finalize()[..16])
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
