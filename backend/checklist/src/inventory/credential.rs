//! Credentials that stand as literals in objects, found while the objects are read.
//!
//! Of most objects the texts are dropped then; what is kept of a credential is where it stood, what it is, and its
//! value, hidden until it is fingerprinted.

use super::Labels;
use crate::credentials::{
    CredentialInText, CredentialLiteral, literal_in_variable, literals_in_text, literals_in_words,
};

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
    let literal = literal_in_variable(name, value)?;
    Some(CredentialAt { path: format!("env[name={name}].value"), line: None, literal })
}

/// The credentials in a command and its arguments, which are one list of words to the program.
pub(super) fn in_command(command: &[String], args: &[String]) -> Vec<CredentialAt> {
    if command.is_empty() && args.is_empty() {
        return Vec::new();
    }
    let words: Vec<String> = command.iter().chain(args).cloned().collect();
    literals_in_words(&words)
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
        literals_in_text(name, text)
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
