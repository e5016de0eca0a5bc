//! Credentials written as literals: in variables, in the words of a command, in the files of a ConfigMap.
//!
//! A known format is one wherever it stands. A value that only its name gives away must look like one: a password is
//! any literal, a secret, token or key must look random, for names of Secrets are called so too. Nothing of a value
//! leaves this module but its class and a keyed fingerprint.
//!
//! What it cannot see: a secret in words under a name that is not a password's, and passwords that are encoded.

mod command_line;
mod fingerprint;
mod formats;
mod lines;
mod names;
mod redact;
mod shapes;

pub use fingerprint::{CredentialFingerprint, FingerprintKey};
pub use redact::{redact_text, redact_variable, redact_words};

use lines::Setting;
use std::ops::Range;

/// A credential that was found: what it is, and what tells it from others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Credential {
    /// What it is, for a person: `AWS access key`, `password by name`.
    pub class: &'static str,
    /// Its keyed fingerprint.
    pub fingerprint: CredentialFingerprint,
}

/// A credential in a text of several lines.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CredentialInText {
    /// The line, from 1.
    pub line: usize,
    /// The key before it in that line; empty when there is none.
    pub key: String,
    /// What was found.
    pub credential: Credential,
}

/// The annotation in which `kubectl apply` keeps a copy of the whole object.
pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The first credential in the value of a variable.
pub fn in_variable(name: &str, value: &str, key: &FingerprintKey) -> Option<Credential> {
    let found = redact::marks(value).into_iter().next();
    found.or_else(|| {
        let first = find_in_variable(name, value).into_iter().next()?;
        Some(first.credential(value, key))
    })
}

/// The credentials in the words of a command and its arguments, with the index of their word.
pub fn in_words(words: &[String], key: &FingerprintKey) -> Vec<(usize, Credential)> {
    let marks: Vec<_> = words
        .iter()
        .enumerate()
        .flat_map(|(index, word)| redact::marks(word).into_iter().map(move |mark| (index, mark)))
        .collect();
    if !marks.is_empty() {
        return marks;
    }
    let found = find_in_words(words);
    let credentials = words.iter().zip(found).enumerate();
    credentials
        .flat_map(|(index, (word, found))| {
            found.into_iter().map(move |found| (index, found.credential(word, key)))
        })
        .collect()
}

/// The credentials in a value of a ConfigMap or an annotation. The copy that `kubectl apply` keeps repeats the object
/// and is not read.
pub fn in_text(key_of_text: &str, text: &str, key: &FingerprintKey) -> Vec<CredentialInText> {
    if key_of_text == LAST_APPLIED {
        return Vec::new();
    }
    let marks = redact::ranges_of_marks(text);
    let (ranges, credentials): (Vec<_>, Vec<_>) = if marks.is_empty() {
        let found = find_in_text(key_of_text, text);
        found.into_iter().map(|found| (found.range.clone(), found.credential(text, key))).unzip()
    } else {
        marks.into_iter().unzip()
    };
    place(text, &ranges)
        .into_iter()
        .zip(credentials)
        .map(|((line, key), credential)| CredentialInText { line, key, credential })
        .collect()
}

/// Where a credential stands in a text.
struct Found {
    class: &'static str,
    range: Range<usize>,
    /// Whether it is the password of a connection string.
    is_password: bool,
}

impl Found {
    fn credential(&self, text: &str, key: &FingerprintKey) -> Credential {
        let value = text.get(self.range.clone()).unwrap_or_default();
        Credential { class: self.class, fingerprint: key.fingerprint(value) }
    }
}

fn find_in_variable(name: &str, value: &str) -> Vec<Found> {
    let setting = if value.trim().contains('\n') { Setting::File } else { Setting::Value };
    let found = find(value, setting);
    if !found.is_empty() {
        return found;
    }
    let trimmed = value.trim();
    let start = value.len() - value.trim_start().len();
    judge(name, trimmed)
        .map(|class| Found { class, range: start..start + trimmed.len(), is_password: false })
        .into_iter()
        .collect()
}

fn find_in_text(key_of_text: &str, text: &str) -> Vec<Found> {
    if text.trim().contains('\n') { find(text, Setting::File) } else { find_in_variable(key_of_text, text) }
}

/// For each word what was found in it.
fn find_in_words(words: &[String]) -> Vec<Vec<Found>> {
    let texts: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut found: Vec<Vec<Found>> = texts
        .iter()
        .map(|word| find(word, if word.contains('\n') { Setting::File } else { Setting::Value }))
        .collect();
    for in_word in command_line::find(&texts) {
        if let Some(found) = found.get_mut(in_word.word) {
            found.push(Found { class: in_word.class, range: in_word.range, is_password: false });
        }
    }
    found.into_iter().map(merge).collect()
}

fn find(text: &str, setting: Setting) -> Vec<Found> {
    let mut found = formats::find(text);
    if setting == Setting::File {
        lines::without_examples(text, &mut found);
    }
    found.extend(lines::find(text, setting));
    merge(found)
}

/// Joins what overlaps under the class that was found first, which is the most specific; in order.
fn merge(found: Vec<Found>) -> Vec<Found> {
    let mut ranked: Vec<(usize, Found)> = found.into_iter().enumerate().collect();
    ranked.sort_by_key(|(rank, found)| (found.range.start, *rank));
    let mut merged: Vec<(usize, Found)> = Vec::new();
    for (rank, found) in ranked {
        match merged.last_mut() {
            Some((best, last)) if found.range.start < last.range.end => {
                last.range.end = last.range.end.max(found.range.end);
                if rank < *best {
                    *best = rank;
                    last.class = found.class;
                }
            }
            _ => merged.push((rank, found)),
        }
    }
    merged.into_iter().map(|(_, found)| found).filter(|found| !found.range.is_empty()).collect()
}

/// The class of a value that its name and its shape give away together.
fn judge(name: &str, value: &str) -> Option<&'static str> {
    let (announced, is_last_word) = names::announced(name)?;
    if shapes::is_quiet(value, announced, is_last_word) {
        return None;
    }
    if announced == names::Announced::Password {
        return Some(announced.class());
    }
    if !shapes::looks_random(value) {
        return None;
    }
    let is_aws = value.len() == 40
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'/' || byte == b'+')
        && ["secret", "access", "key"]
            .iter()
            .all(|word| names::words(name).iter().any(|found| found == word));
    Some(if is_aws { AWS_SECRET } else { announced.class() })
}

/// The class of the secret part of an AWS key pair, which has no prefix of its own.
const AWS_SECRET: &str = "AWS secret access key";

/// Every class that can be found.
fn classes() -> impl Iterator<Item = &'static str> {
    formats::FORMATS
        .iter()
        .map(|format| format.class)
        .chain([formats::PRIVATE_KEY, formats::SERVICE_ACCOUNT_KEY, AWS_SECRET, command_line::PASSWORD_FLAG])
        .chain(names::Announced::ALL.into_iter().map(names::Announced::class))
}

/// The line and the key of each range; the ranges are in order. The key depends only on what stands between the
/// previous range and this one, so that it stays the same when the ranges are replaced.
fn place(text: &str, ranges: &[Range<usize>]) -> Vec<(usize, String)> {
    let (mut line, mut from) = (1, 0);
    ranges
        .iter()
        .map(|range| {
            let before = text.get(from..range.start).unwrap_or_default();
            let within = text.get(range.clone()).unwrap_or_default();
            let place = line + newlines(before);
            let last_line = before.rsplit('\n').next().unwrap_or_default();
            line = place + newlines(within);
            from = range.end;
            (place, lines::last_key(last_line).unwrap_or_default().to_owned())
        })
        .collect()
}

fn newlines(text: &str) -> usize {
    text.bytes().filter(|byte| *byte == b'\n').count()
}

#[cfg(test)]
mod tests;
