//! Words of a command: Kubernetes' `$(NAME)` and a shell script's quoting.

use std::collections::BTreeMap;

/// A word of a command.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Word {
    /// The word; what is not known stands as it was written.
    pub(super) text: String,
    /// Whether a part of it is known only when it runs.
    pub(super) unclear: bool,
}

/// Replaces `$(NAME)` by the container's variables, as the kubelet does; `$$` is one dollar.
pub(super) fn expand(text: &str, variables: &BTreeMap<&str, Option<&str>>) -> Word {
    let mut word = Word::default();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        word.text.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        if let Some(escaped) = after.strip_prefix('$') {
            word.text.push('$');
            rest = escaped;
            continue;
        }
        let reference = after.strip_prefix('(').and_then(|after| after.split_once(')'));
        let Some((name, after_reference)) = reference else {
            word.text.push('$');
            rest = after;
            continue;
        };
        match variables.get(name) {
            Some(Some(value)) if !value.contains("$(") => word.text.push_str(value),
            // A variable from elsewhere, `envFrom` among that, or a command substitution for a shell.
            _ => {
                word.unclear = true;
                word.text.push_str(&format!("$({name})"));
            }
        }
        rest = after_reference;
    }
    word.text.push_str(rest);
    word
}

/// The simple commands of a shell script, as words. Expansions make a word unclear; redirections are left out.
/// None where a quote or substitution does not end, or a here-document is used.
pub(super) fn split_script(script: &str) -> Option<Vec<Vec<Word>>> {
    let mut splitter = Splitter::default();
    let mut characters = script.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some('\n') | None => {}
                Some(escaped) => splitter.push(escaped),
            },
            '\'' => {
                splitter.begin();
                loop {
                    match characters.next()? {
                        '\'' => break,
                        inner => splitter.push(inner),
                    }
                }
            }
            '"' => {
                splitter.begin();
                loop {
                    match characters.next()? {
                        '"' => break,
                        '\\' => match characters.next()? {
                            '\n' => {}
                            escaped @ ('"' | '\\' | '$' | '`') => splitter.push(escaped),
                            other => {
                                splitter.push('\\');
                                splitter.push(other);
                            }
                        },
                        '$' => splitter.expansion(&mut characters)?,
                        '`' => splitter.backticks(&mut characters)?,
                        inner => splitter.push(inner),
                    }
                }
            }
            '$' => splitter.expansion(&mut characters)?,
            '`' => splitter.backticks(&mut characters)?,
            '#' if !splitter.open => while characters.next_if(|next| *next != '\n').is_some() {},
            '\n' | ';' | '|' | '&' | '(' | ')' => splitter.end_command(),
            '<' | '>' => {
                if characters.peek() == Some(&'<') {
                    return None;
                }
                // A descriptor before and after the sign belongs to the redirection.
                if splitter.open && splitter.word.text.chars().all(|c| c.is_ascii_digit()) {
                    splitter.word = Word::default();
                    splitter.open = false;
                }
                splitter.end_word();
                while characters.next_if(|next| matches!(next, '>' | '&' | ' ')).is_some() {}
                splitter.redirected = true;
            }
            character if character.is_whitespace() => splitter.end_word(),
            // Globs and brace expansions make words of their own.
            '*' | '?' | '{' | '}' => {
                splitter.push(character);
                splitter.word.unclear = true;
            }
            character => splitter.push(character),
        }
    }
    splitter.end_command();
    Some(splitter.commands)
}

#[derive(Default)]
struct Splitter {
    commands: Vec<Vec<Word>>,
    command: Vec<Word>,
    word: Word,
    open: bool,
    redirected: bool,
}

impl Splitter {
    fn begin(&mut self) {
        self.open = true;
    }

    fn push(&mut self, character: char) {
        self.open = true;
        self.word.text.push(character);
    }

    fn end_word(&mut self) {
        if self.open {
            let word = std::mem::take(&mut self.word);
            if !std::mem::take(&mut self.redirected) {
                self.command.push(word);
            }
            self.open = false;
        }
    }

    fn end_command(&mut self) {
        self.end_word();
        self.redirected = false;
        if !self.command.is_empty() {
            self.commands.push(std::mem::take(&mut self.command));
        }
    }

    /// What follows a dollar sign: the text stays as it is, and the word is unclear.
    fn expansion(&mut self, characters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<()> {
        self.push('$');
        let (open, close) = match characters.peek() {
            Some('{') => ('{', '}'),
            Some('(') => ('(', ')'),
            _ => {
                self.word.unclear = true;
                return Some(());
            }
        };
        self.word.unclear = true;
        let mut depth = 0;
        loop {
            let character = characters.next()?;
            self.push(character);
            if character == open {
                depth += 1;
            } else if character == close {
                depth -= 1;
                if depth == 0 {
                    return Some(());
                }
            }
        }
    }

    fn backticks(&mut self, characters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<()> {
        self.push('`');
        self.word.unclear = true;
        loop {
            let character = characters.next()?;
            self.push(character);
            if character == '`' {
                return Some(());
            }
        }
    }
}
