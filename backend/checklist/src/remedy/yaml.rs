//! Objects as YAML that every reader of Kubernetes' takes for the same objects.

use serde_json::Value;

/// An object as YAML. Whatever could be read as anything but the same text, by YAML 1.1 (which kubectl reads) or 1.2, is
/// quoted, keys too; nothing is folded, and no text spans lines.
pub fn yaml(object: &Value) -> String {
    let mut text = String::new();
    match object {
        Value::Object(fields) if !fields.is_empty() => {
            let place = |name: &str| FIRST.iter().position(|first| *first == name).unwrap_or(FIRST.len());
            let mut fields: Vec<(&String, &Value)> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| place(name));
            write_fields(&mut text, fields, 0);
        }
        Value::Array(entries) if !entries.is_empty() => write_entries(&mut text, entries, 0),
        scalar => {
            write_scalar(&mut text, scalar);
            text.push('\n');
        }
    }
    text
}

/// A text as a YAML scalar on one line.
pub fn yaml_text(text: &str) -> String {
    let mut scalar = String::with_capacity(text.len() + 2);
    write_text(&mut scalar, text);
    scalar
}

/// What says which object it is stands first, as people write it.
const FIRST: [&str; 3] = ["apiVersion", "kind", "metadata"];

/// Readers take a key for one only if its colon is not further away than 1024 characters.
const LONGEST_KEY: usize = 1000;

fn write_fields<'f>(
    text: &mut String,
    fields: impl IntoIterator<Item = (&'f String, &'f Value)>,
    indent: usize,
) {
    for (position, (name, value)) in fields.into_iter().enumerate() {
        if position > 0 {
            spaces(text, indent);
        }
        let key = yaml_text(name);
        if key.len() > LONGEST_KEY {
            text.push_str("? ");
            text.push_str(&key);
            text.push('\n');
            spaces(text, indent);
        } else {
            text.push_str(&key);
        }
        text.push(':');
        match value {
            Value::Object(fields) if !fields.is_empty() => {
                text.push('\n');
                spaces(text, indent + 2);
                write_fields(text, fields, indent + 2);
            }
            Value::Array(entries) if !entries.is_empty() => {
                text.push('\n');
                spaces(text, indent + 2);
                write_entries(text, entries, indent + 2);
            }
            scalar => {
                text.push(' ');
                write_scalar(text, scalar);
                text.push('\n');
            }
        }
    }
}

fn write_entries(text: &mut String, entries: &[Value], indent: usize) {
    for (position, value) in entries.iter().enumerate() {
        if position > 0 {
            spaces(text, indent);
        }
        text.push_str("- ");
        match value {
            Value::Object(fields) if !fields.is_empty() => write_fields(text, fields, indent + 2),
            Value::Array(entries) if !entries.is_empty() => write_entries(text, entries, indent + 2),
            scalar => {
                write_scalar(text, scalar);
                text.push('\n');
            }
        }
    }
}

fn write_scalar(text: &mut String, value: &Value) {
    match value {
        Value::String(value) => write_text(text, value),
        Value::Object(_) => text.push_str("{}"),
        Value::Array(_) => text.push_str("[]"),
        // Null, booleans and numbers are the same in JSON.
        other => text.push_str(&other.to_string()),
    }
}

fn spaces(text: &mut String, number: usize) {
    text.extend(std::iter::repeat_n(' ', number));
}

fn write_text(text: &mut String, value: &str) {
    if is_plain(value) {
        text.push_str(value);
        return;
    }
    text.push('"');
    for c in value.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\t' => text.push_str("\\t"),
            '\r' => text.push_str("\\r"),
            ' '..='~' => text.push(c),
            // Letters of any script stay readable; marks, line breaks and what is not printable are written as numbers.
            c if c.is_alphanumeric() => text.push(c),
            c if u32::from(c) <= 0xffff => text.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => text.push_str(&format!("\\U{:08x}", u32::from(c))),
        }
    }
    text.push('"');
}

/// Whether a text is itself without quotes to every reader: it begins with a letter or a slash, which no number, date,
/// tag or anchor does, holds no character with a meaning, and is none of the words for a boolean, null or a number.
fn is_plain(text: &str) -> bool {
    const WORDS: [&str; 12] =
        ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf", "infinity"];
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && !text.ends_with(':')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '/' | '-' | ':'))
        && !WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// A text as comment lines. They stay comments: control characters and the line breaks that YAML knows become spaces.
pub fn comment(text: &str) -> String {
    let mut lines = String::new();
    for line in text.lines() {
        lines.push('#');
        if !line.is_empty() {
            lines.push(' ');
        }
        lines.extend(line.chars().map(|c| {
            if c.is_control() || matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}') {
                ' '
            } else {
                c
            }
        }));
        lines.push('\n');
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const TEXTS: &str = "no|y|Y|on|OFF|1e3|012|0x1|0o7|1_000|1:30|12:30:45|~|null|NULL|--- |---|...|*a|&a|!tag|!!int 3|a: b|a:|\
        {{ x }}|# c|a # c|<<|=|2024-01-01|.inf|.NaN|%YAML|- a|-|?|? a|'|\"|\\|@|`|>|[|{|,| a|a |/|/a:b|NaN|infinity|a:1";

    #[test]
    fn texts_that_look_like_yaml_come_back_as_the_same_texts() {
        let long = "word ".repeat(3000);
        let breaks = [
            "",
            "\t",
            "a\n---\nb",
            "\r",
            "\u{85}",
            "é\u{2028}",
            "\u{feff}",
            "\u{0}\u{7f}",
            "\u{1f600}",
            "\u{ffff}",
            &long,
        ];
        for text in TEXTS.split('|').chain(breaks) {
            let object = json!({ "metadata": { "labels": { text: text } }, "list": [text, [text], { text: [text] }, {}, []] });
            let yaml = yaml(&object);
            let back: Value = serde_saphyr::from_str(&yaml).unwrap_or_else(|error| panic!("{error}: {yaml}"));
            assert_eq!(back, object, "{yaml}");
            assert!(yaml.lines().all(|line| !line.starts_with("---")), "{yaml}");
        }
    }

    #[test]
    fn only_what_nobody_takes_for_anything_else_stays_without_quotes() {
        let plain: Vec<&str> = TEXTS.split('|').filter(|text| !yaml_text(text).starts_with('"')).collect();
        assert_eq!(plain, ["/", "/a:b", "a:1"]);
    }

    #[test]
    fn what_is_no_text_stays_what_it_is() {
        let object = json!({ "a": null, "b": true, "c": -1, "d": 1.5, "e": {}, "f": [], "g": [[1, 2], { "h": 1, "i": [] }] });
        let expected =
            "a: null\nb: true\nc: -1\nd: 1.5\ne: {}\nf: []\ng:\n  - - 1\n    - 2\n  - h: 1\n    i: []\n";
        assert_eq!(yaml(&object), expected);
    }

    #[test]
    fn a_comment_cannot_end_itself() {
        assert_eq!(comment("a\nb\u{85}kind: Secret\r\u{2028}x"), "# a\n# b kind: Secret  x\n");
    }
}
