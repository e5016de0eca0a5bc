//! Objects as YAML that every reader of Kubernetes' takes for the same objects.

use serde_json::Value;

/// An object as YAML. Texts that YAML 1.1 or 1.2 would read as something else are quoted; kubectl reads 1.1.
pub fn yaml(object: &Value) -> String {
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
    // A JSON value holds nothing that YAML cannot; were it otherwise, the document would say so itself.
    serde_saphyr::to_string_with_options(object, options)
        .unwrap_or_else(|error| format!("# not rendered: {error}\n"))
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

    #[test]
    fn texts_that_look_like_yaml_come_back_as_the_same_texts() {
        let texts = [
            "no",
            "y",
            "1e3",
            "0o7",
            "1_000",
            "12:30:45",
            "~",
            "--- ",
            "*a",
            "&a",
            "!!int 3",
            "a: b",
            "{{ x }}",
            "\u{85}",
            "",
            "é\u{2028}",
            "# c",
            "<<",
            "=",
            "2024-01-01",
            ".inf",
            "%YAML",
            "- a",
            "?",
            "'",
            "\"",
            "\t",
        ];
        for text in texts {
            let object =
                json!({ "metadata": { "labels": { text: text } }, "list": [text, { "name": text }] });
            let back: Value = serde_saphyr::from_str(&yaml(&object)).unwrap();
            assert_eq!(back, object, "{}", yaml(&object));
        }
    }

    #[test]
    fn a_comment_cannot_end_itself() {
        assert_eq!(comment("a\nb\u{85}kind: Secret\r\u{2028}x"), "# a\n# b kind: Secret  x\n");
    }
}
