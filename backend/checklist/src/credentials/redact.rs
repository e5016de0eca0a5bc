//! Texts without their credentials, in which the same credentials are still found.
//!
//! A credential is replaced by a mark with its class and fingerprint. Where a text has a mark, its marks are all that
//! is found in it: so the redacted text gives exactly what the text gave.

use super::{
    Credential, CredentialFingerprint, FingerprintKey, Found, classes, find_in_text, find_in_variable,
    find_in_words, newlines,
};
use regex::Regex;
use std::ops::Range;
use std::sync::LazyLock;

const MARK: &str = "rampart-redacted";
/// What replaces a credential beside marks that somebody wrote: it must not be found, for it was not found before.
const REMOVED: &str = "rampart-removed";

/// The value of a variable without its credentials.
pub fn redact_variable(name: &str, value: &str, key: &FingerprintKey) -> String {
    redact(value, &find_in_variable(name, value), &ranges_of_marks(value), key)
}

/// The words of a command without their credentials.
pub fn redact_words(words: &[String], key: &FingerprintKey) -> Vec<String> {
    let marks: Vec<_> = words.iter().map(|word| ranges_of_marks(word)).collect();
    let has_marks = marks.iter().any(|marks| !marks.is_empty());
    let found = find_in_words(words);
    words
        .iter()
        .zip(found.iter().zip(&marks))
        .map(
            |(word, (found, marks))| {
                if has_marks { remove(word, found, marks) } else { redact(word, found, marks, key) }
            },
        )
        .collect()
}

/// A value of a ConfigMap or an annotation without its credentials; it keeps its lines.
pub fn redact_text(key_of_text: &str, text: &str, key: &FingerprintKey) -> String {
    redact(text, &find_in_text(key_of_text, text), &ranges_of_marks(text), key)
}

/// The credentials of the marks in a text.
pub(super) fn marks(text: &str) -> Vec<Credential> {
    ranges_of_marks(text).into_iter().map(|(_, credential)| credential).collect()
}

/// The marks in a text, and where they are.
pub(super) fn ranges_of_marks(text: &str) -> Vec<(Range<usize>, Credential)> {
    #[expect(clippy::expect_used, reason = "every test of this module compiles it")]
    static PATTERN: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(&format!("{MARK}:([a-z0-9-]{{1,64}}):([0-9a-f]{{16}})")).expect("the mark")
    });
    PATTERN
        .captures_iter(text)
        .filter_map(|captures| {
            let (whole, [class, fingerprint]) = (captures.get(0)?, captures.extract().1);
            let class = classes().find(|known| slug(known) == class)?;
            Some((whole.range(), Credential { class, fingerprint: CredentialFingerprint::read(fingerprint) }))
        })
        .collect()
}

fn redact(text: &str, found: &[Found], marks: &[(Range<usize>, Credential)], key: &FingerprintKey) -> String {
    if !marks.is_empty() {
        return remove(text, found, marks);
    }
    replace(
        text,
        found.iter().map(|found| {
            let Credential { class, fingerprint } = found.credential(text, key);
            (found.range.clone(), format!("{MARK}:{}:{fingerprint}", slug(class)))
        }),
    )
}

/// Takes out what was found and is no mark.
fn remove(text: &str, found: &[Found], marks: &[(Range<usize>, Credential)]) -> String {
    let mut pieces = Vec::new();
    for found in found {
        let mut from = found.range.start;
        let first = marks.partition_point(|(mark, _)| mark.end <= found.range.start);
        let overlapping = marks.iter().skip(first).take_while(|(mark, _)| mark.start < found.range.end);
        for (mark, _) in overlapping {
            pieces.push(from..mark.start.max(from));
            from = mark.end;
        }
        pieces.push(from..found.range.end.max(from));
    }
    replace(
        text,
        pieces.into_iter().filter(|piece| !piece.is_empty()).map(|piece| (piece, REMOVED.to_owned())),
    )
}

/// Replaces ranges, which are in order, and keeps the number of lines.
fn replace(text: &str, replacements: impl Iterator<Item = (Range<usize>, String)>) -> String {
    let mut replaced = String::with_capacity(text.len());
    let mut from = 0;
    for (range, by) in replacements {
        replaced.push_str(text.get(from..range.start).unwrap_or_default());
        replaced.push_str(&by);
        replaced.extend(std::iter::repeat_n('\n', newlines(text.get(range.clone()).unwrap_or_default())));
        from = range.end;
    }
    replaced.push_str(text.get(from..).unwrap_or_default());
    replaced
}

fn slug(class: &str) -> String {
    class.to_ascii_lowercase().replace(|character: char| !character.is_ascii_alphanumeric(), "-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_class_has_its_own_mark() {
        let slugs: BTreeSet<String> = classes().map(slug).collect();
        assert_eq!(slugs.len(), classes().count());
        assert!(slugs.iter().all(|slug| slug.len() <= 64));
    }
}
