//! Credentials by name in the lines of a text: `.env`, properties, INI, YAML, JSON, XML, scripts.

use super::shapes::{is_code_or_prose, looks_random};
use super::{Found, command_line, judge};
use std::ops::Range;

/// Where a text stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Setting {
    /// It is one value: of a variable, or a word of a command.
    Value,
    /// It is a file.
    File,
}

/// Every credential that a name in the text gives away.
pub(super) fn find(text: &str, setting: Setting) -> Vec<Found> {
    let mut found = Vec::new();
    let mut pending = None;
    for (line, offset) in lines(text) {
        if is_comment(line, setting) {
            continue;
        }
        Pairs { line, offset, setting, pending: &mut pending, found: &mut found }.scan();
        command_line::find_in_line(line, offset, &mut found);
    }
    found
}

/// Drops the passwords of connection strings in comments unless they look random: there they are examples.
pub(super) fn without_examples(text: &str, found: &mut Vec<Found>) {
    if !found.iter().any(|found| found.is_password) {
        return;
    }
    let comments: Vec<Range<usize>> = lines(text)
        .filter(|(line, _)| is_comment(line, Setting::File))
        .map(|(line, offset)| offset..offset + line.len())
        .collect();
    found.retain(|found| {
        let next = comments.partition_point(|comment| comment.end < found.range.start);
        let is_in_comment = comments.get(next).is_some_and(|comment| comment.start <= found.range.start);
        !(found.is_password && is_in_comment) || text.get(found.range.clone()).is_some_and(looks_random)
    });
}

/// The lines of a text and where they begin.
pub(super) fn lines(text: &str) -> impl Iterator<Item = (&str, usize)> {
    let mut offset = 0;
    text.split_inclusive('\n').map(move |line| {
        let start = offset;
        offset += line.len();
        (line.trim_end_matches(['\n', '\r']), start)
    })
}

/// The name of the pair that a text ends with, as in `"password": "`.
pub(super) fn last_key(text: &str) -> Option<&str> {
    let text = match text.rsplit_once("://") {
        // Within a URL: the key is before it.
        Some((before, rest)) if !rest.contains(char::is_whitespace) => {
            before.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || "+.-:".contains(c))
        }
        _ => text,
    };
    let trimmed = text.trim_end_matches(['"', '\'', '\\', ' ', '\t']);
    let separator = trimmed.len().checked_sub(1)?;
    matches!(trimmed.as_bytes().last(), Some(b'=' | b':' | b'>'))
        .then(|| key_before(trimmed, separator))
        .flatten()
        .and_then(|key| text.get(key.range))
}

fn is_comment(line: &str, setting: Setting) -> bool {
    let line = line.trim_start();
    setting == Setting::File
        && (["#", "//", ";", "<!--"].iter().any(|mark| line.starts_with(mark)) || line.starts_with("* "))
}

struct Key {
    range: Range<usize>,
    quoted: bool,
}

struct Pairs<'a> {
    line: &'a str,
    offset: usize,
    setting: Setting,
    /// The value of the last `name:`, whose `value:` may follow.
    pending: &'a mut Option<String>,
    found: &'a mut Vec<Found>,
}

impl Pairs<'_> {
    fn scan(self) {
        let mut at = 0;
        let mut is_first = true;
        // Where the value of one pair ends, that of the next within it ends too: nothing is measured twice.
        let mut ends = Ends::default();
        while let Some(separator) = self.next_separator(at) {
            at = separator + 1;
            let Some(key) = key_before(self.line, separator) else { continue };
            let starts_line = std::mem::take(&mut is_first) && self.starts_line(key.range.start);
            if !self.separates(separator, key.quoted || starts_line) {
                continue;
            }
            let Some(name) = self.line.get(key.range) else { continue };
            let role = Role::of(name);
            let name = match (&role, self.pending.take()) {
                (Role::Value, Some(pending)) => pending,
                (_, pending) => {
                    *self.pending = pending;
                    name.to_owned()
                }
            };
            let announces = super::names::announced(&name).is_some();
            if role == Role::Other && !announces {
                continue;
            }
            let whole_line = self.setting == Setting::File && starts_line;
            let Some((value, quoted)) = self.value_after(separator, whole_line, &mut ends) else { continue };
            let Some(text) = self.line.get(value.clone()) else { continue };
            if role == Role::Name {
                *self.pending = Some(text.chars().take(128).collect());
            }
            if self.setting == Setting::File && is_code_or_prose(text, quoted) {
                // Not its first word either.
                if starts_line && announces {
                    at = at.max(value.start);
                }
                continue;
            }
            if announces && let Some(class) = judge(&name, text) {
                at = value.end.max(at);
                self.found.push(Found {
                    class,
                    range: self.offset + value.start..self.offset + value.end,
                    is_password: false,
                });
            }
        }
    }

    fn next_separator(&self, at: usize) -> Option<usize> {
        let rest = self.line.as_bytes().get(at..)?;
        rest.iter().position(|byte| matches!(byte, b'=' | b':' | b'>')).map(|step| at + step)
    }

    fn byte(&self, at: usize) -> u8 {
        self.line.as_bytes().get(at).copied().unwrap_or(b' ')
    }

    fn starts_line(&self, key: usize) -> bool {
        self.line.get(..key).is_some_and(|before| {
            let before = before.trim_matches([' ', '\t', '-', '"', '\'', '{']);
            matches!(
                before,
                "" | "export" | "set" | "SET" | "ENV" | "declare" | "local" | "const" | "let" | "var"
            )
        })
    }

    /// Whether the separator is one here: not of a comparison, a namespace or a reference such as `vault:path`.
    fn separates(&self, at: usize, is_certain: bool) -> bool {
        let (before, next) = (self.byte(at.saturating_sub(1)), self.byte(at + 1));
        match self.byte(at) {
            b'=' => next != b'=' && !matches!(before, b'=' | b'!' | b'<' | b'>'),
            b':' => {
                !matches!(next, b':' | b'=')
                    && before != b':'
                    && (is_certain || matches!(next, b' ' | b'\t' | b'"' | b'\'' | b'\\'))
            }
            _ => true,
        }
    }

    fn value_after(
        &self,
        separator: usize,
        whole_line: bool,
        ends: &mut Ends,
    ) -> Option<(Range<usize>, bool)> {
        let bytes = self.line.as_bytes();
        if self.byte(separator) == b'>' {
            let start = separator + 1;
            return Some((start..ends.next(bytes, start, |byte| byte == b'<', 0), true));
        }
        let spaced = |at: usize| matches!(self.byte(at), b' ' | b'\t');
        let mut start = separator + 1;
        if self.byte(start) == b'>' {
            start += 1;
        }
        while start < bytes.len() && spaced(start) {
            start += 1;
        }
        let escaped = usize::from(self.byte(start) == b'\\');
        let quote = self.byte(start + escaped);
        if matches!(quote, b'"' | b'\'') {
            start += escaped + 1;
            let slot = if quote == b'"' { 1 } else { 2 };
            let mut end = ends.next(bytes, start, |byte| byte == quote, slot);
            // A quote within the value is escaped; step over a few, no more.
            for _ in 0..16 {
                if escaped == 0 && end > start && end < bytes.len() && self.byte(end - 1) == b'\\' {
                    end = bytes
                        .get(end + 1..)
                        .and_then(|rest| rest.iter().take(4096).position(|byte| *byte == quote))
                        .map_or(end, |step| end + 1 + step);
                }
            }
            return Some((start..end.saturating_sub(escaped).max(start), true));
        }
        let spaced_separator =
            self.byte(separator) == b':' || spaced(separator + 1) || spaced(separator.saturating_sub(1));
        if whole_line && spaced_separator {
            let rest = self.line.get(start..)?;
            let end = rest.find(" #").unwrap_or(rest.len());
            let value = rest.get(..end)?.trim_end_matches([' ', '\t', ',', ';']);
            return Some((start..start + value.len(), false));
        }
        let is_space = |byte: u8| byte == b' ' || byte == b'\t';
        let end = if whole_line {
            ends.next(bytes, start, is_space, 3)
        } else {
            ends.next(bytes, start, |byte| is_space(byte) || b";,&}])'\"`<>\\|".contains(&byte), 4)
        };
        let value = self.line.get(start..end)?.trim_end_matches([';', ',']);
        Some((start..start + value.len(), false))
    }
}

/// Where the next byte of each kind is, remembered.
#[derive(Default)]
struct Ends([Option<Range<usize>>; 5]);

impl Ends {
    fn next(&mut self, bytes: &[u8], from: usize, is_end: impl Fn(u8) -> bool, slot: usize) -> usize {
        if let Some(Some(known)) = self.0.get(slot)
            && (known.start..=known.end).contains(&from)
        {
            return known.end;
        }
        let rest = bytes.get(from..).unwrap_or_default();
        let end = from + rest.iter().position(|byte| is_end(*byte)).unwrap_or(rest.len());
        if let Some(known) = self.0.get_mut(slot) {
            *known = Some(from..end);
        }
        end
    }
}

#[derive(PartialEq, Eq)]
enum Role {
    /// `name`: its value names the value that follows.
    Name,
    /// `value`: its name may have come before.
    Value,
    Other,
}

impl Role {
    fn of(name: &str) -> Role {
        match name.to_ascii_lowercase().as_str() {
            "name" | "key" => Role::Name,
            "value" => Role::Value,
            _ => Role::Other,
        }
    }
}

/// The key that ends before a separator; none when what stands there is no key.
fn key_before(line: &str, separator: usize) -> Option<Key> {
    let bytes = line.as_bytes();
    let byte = |at: usize| bytes.get(at).copied();
    let is_key = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./".contains(&byte);
    let is_tag = byte(separator) == Some(b'>');
    let mut end = separator;
    while !is_tag
        && end > 0
        && separator - end < 16
        && matches!(byte(end - 1), Some(b' ' | b'\t' | b':' | b'?' | b'+' | b']'))
    {
        end -= 1;
    }
    let mut quoted = false;
    for mark in [&b"\"'"[..], &b"\\"[..]] {
        if !is_tag && end > 0 && byte(end - 1).is_some_and(|byte| mark.contains(&byte)) {
            end -= 1;
            quoted = true;
        }
    }
    let key = bytes.get(..end)?;
    let start = key.iter().rposition(|byte| !is_key(*byte)).map_or(0, |at| at + 1);
    let opens = start > 0 && byte(start - 1) == Some(b'<');
    (start < end && (!is_tag || opens)).then_some(Key { range: start..end, quoted })
}
