//! Takes indentation and comments out of what browsers load; nobody reads it there.

/// A style sheet of ours. None of its strings holds a comment.
pub(crate) fn style(css: &str) -> String {
    let mut kept = String::with_capacity(css.len());
    let mut rest = css;
    while let Some((before, comment)) = rest.split_once("/*") {
        kept.push_str(before);
        rest = comment.split_once("*/").map_or("", |(_, after)| after);
    }
    kept.push_str(rest);
    lines(&kept, |_| true)
}

/// A script of ours or of wasm-bindgen, whose comments stand on lines of their own. One that has texts over
/// several lines stays as it is: there, indentation is content.
pub(crate) fn script(javascript: &str) -> String {
    if javascript.lines().any(|line| !line.matches('`').count().is_multiple_of(2)) {
        return javascript.to_owned();
    }
    lines(javascript, |line| !["//", "/**", "* ", "*/"].iter().any(|start| line.starts_with(start)))
}

/// Without indentation, without empty lines, and without those that need not be kept.
fn lines(text: &str, keep: impl Fn(&str) -> bool) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && keep(line)).fold(
        String::with_capacity(text.len()),
        |mut kept, line| {
            kept.push_str(line);
            kept.push('\n');
            kept
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_style_sheet_keeps_its_rules() {
        let css = "/* Colours,\n   by theme. */\n@layer base {\n  a { color: red; } /* why */\n\n  b::before { content: \"i\"; }\n}\n";
        assert_eq!(style(css), "@layer base {\na { color: red; }\nb::before { content: \"i\"; }\n}\n");
    }

    #[test]
    fn a_script_keeps_its_statements() {
        let javascript =
            "// Why.\n/**\n * @returns {number}\n */\nget a() {\n    return 4 * this.b; // kept\n}\n";
        assert_eq!(script(javascript), "get a() {\nreturn 4 * this.b; // kept\n}\n");
    }

    #[test]
    fn texts_over_several_lines_are_content() {
        let javascript = "const text = `first\n    second`;\n";
        assert_eq!(script(javascript), javascript);
    }
}
