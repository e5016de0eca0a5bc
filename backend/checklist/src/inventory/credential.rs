//! Credentials that stand as literals in objects, found while the objects are read.
//!
//! Of most objects the texts are dropped then; what is kept of a credential is where it stood, what it is, and its
//! value, hidden until it is fingerprinted.

use super::Labels;
use crate::credentials::{
    CredentialInText, CredentialLiteral, literal_in_variable, literals_in_text, literals_in_words,
};
use std::cell::RefCell;
use std::collections::HashSet;
use std::hash::{BuildHasher, Hash, RandomState};

/// A credential that stands as a literal in an object.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CredentialAt {
    /// Where it stands: relative to the container for environments and commands, else to the object.
    pub path: String,
    /// The line of its text, from 1; none in a text of one line.
    pub line: Option<usize>,
    /// What it is.
    pub literal: CredentialLiteral,
}

/// The credential in the value of an environment variable.
pub(super) fn in_environment(name: &str, value: &str) -> Option<CredentialAt> {
    let found =
        unless_known_quiet(("env", name, value), || literal_in_variable(name, value).into_iter().collect());
    let literal: CredentialLiteral = found.into_iter().next()?;
    Some(CredentialAt { path: format!("env[name={name}].value"), line: None, literal })
}

/// The credentials in a command and its arguments, which are one list of words to the program.
pub(super) fn in_command(command: &[String], args: &[String]) -> Vec<CredentialAt> {
    if command.is_empty() && args.is_empty() {
        return Vec::new();
    }
    let words: Vec<String> = command.iter().chain(args).cloned().collect();
    unless_known_quiet(("words", &words), || literals_in_words(&words))
        .into_iter()
        .map(|found| {
            let field = if found.word < command.len() { "command" } else { "args" };
            CredentialAt {
                path: with_key(field.to_owned(), &found.key),
                line: None,
                literal: found.credential,
            }
        })
        .collect()
}

/// The credentials in annotations.
pub(super) fn in_annotations(annotations: &Labels) -> Vec<CredentialAt> {
    in_texts("metadata.annotations", annotations)
}

/// The credentials in the data of a ConfigMap.
pub(super) fn in_data(data: &Labels) -> Vec<CredentialAt> {
    in_texts("data", data)
}

fn in_texts(field: &str, texts: &Labels) -> Vec<CredentialAt> {
    let of_text = |(name, text): (&String, &String)| {
        let has_lines = text.trim_end().contains('\n');
        let path = format!("{field}[{name}]");
        unless_known_quiet(("text", name, text), || literals_in_text(name, text))
            .into_iter()
            .map(|CredentialInText { line, key, credential }| CredentialAt {
                path: with_key(path.clone(), &key),
                line: has_lines.then_some(line),
                literal: credential,
            })
            .collect::<Vec<_>>()
    };
    texts.iter().flat_map(of_text).collect()
}

fn with_key(path: String, key: &str) -> String {
    if key.is_empty() { path } else { format!("{path}[{key}]") }
}

/// Texts in which nothing was found, by their hashes. Replicas repeat their texts, and looking is dear: thousands of
/// pods have the same few. The hashes are keyed at random, so that nobody can make a text that hashes like another.
struct Quiet {
    state: RandomState,
    hashes: HashSet<u64>,
}

/// How many texts are remembered; with more, remembering begins anew.
const REMEMBERED: usize = 1 << 16;

fn unless_known_quiet<T>(text: impl Hash, find: impl FnOnce() -> Vec<T>) -> Vec<T> {
    thread_local! {
        static QUIET: RefCell<Quiet> =
            RefCell::new(Quiet { state: RandomState::new(), hashes: HashSet::new() });
    }
    // Nothing of this thread is read while it ends, and `find` does not come back here.
    let (hash, is_known) = QUIET.with_borrow(|quiet| {
        let hash = quiet.state.hash_one(&text);
        (hash, quiet.hashes.contains(&hash))
    });
    if is_known {
        return Vec::new();
    }
    let found = find();
    if found.is_empty() {
        QUIET.with_borrow_mut(|quiet| {
            if quiet.hashes.len() >= REMEMBERED {
                quiet.hashes.clear();
            }
            quiet.hashes.insert(hash);
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quiet_stays_so_and_what_is_not_is_found_again() {
        for _ in 0..3 {
            assert_eq!(in_environment("MODE", "fast"), None);
            assert!(in_environment("DB_PASSWORD", "hunter2hunter2").is_some());
            // The same value under another name, and the same name in another place, are other texts.
            assert_eq!(in_environment("DB_NAME", "hunter2hunter2"), None);
            let data = Labels::from([("DB_NAME".to_owned(), "hunter2hunter2".to_owned())]);
            assert_eq!(in_data(&data), []);
            let data = Labels::from([("DB_PASSWORD".to_owned(), "hunter2hunter2".to_owned())]);
            assert_eq!(in_data(&data)[0].path, "data[DB_PASSWORD]");
        }
    }

    #[test]
    fn a_command_and_its_arguments_are_one_list() {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let found = in_command(&words(&["run", "--password"]), &words(&["hunter2hunter2"]));
        assert_eq!(found.iter().map(|found| found.path.as_str()).collect::<Vec<_>>(), ["args[--password]"]);
    }
}
