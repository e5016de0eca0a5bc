//! Colours for YAML: enough for what remediations hold, and never a character lost.

/// What a piece of YAML is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// Indentation, punctuation and everything that needs no colour.
    Plain,
    /// From `#` to the end of the line.
    Comment,
    /// The key of a mapping.
    Key,
    /// Text, quoted or not, and the lines of a block scalar.
    Text,
    /// A number, a boolean or null.
    Literal,
    /// `---`.
    Separator,
}

/// A piece of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    /// What it is.
    pub(crate) kind: TokenKind,
    /// The piece as it stands there.
    pub(crate) text: String,
}

/// The lines of a YAML stream in pieces; a line's pieces together are the line.
pub(crate) fn lines(yaml: &str) -> Vec<Vec<Token>> {
    // The indentation of the line that opened a block scalar: deeper lines belong to it.
    let mut block: Option<usize> = None;
    yaml.lines()
        .map(|line| {
            let indent = line.len() - line.trim_start_matches(' ').len();
            if let Some(opened_at) = block {
                if line.trim().is_empty() || indent > opened_at {
                    return pieces([(TokenKind::Text, line)]);
                }
                block = None;
            }
            let tokens = line_tokens(line);
            if opens_block(&tokens) {
                block = Some(indent);
            }
            tokens
        })
        .collect()
}

fn line_tokens(line: &str) -> Vec<Token> {
    let trimmed = line.trim_start();
    if trimmed.starts_with('#') {
        return pieces([(TokenKind::Comment, line)]);
    }
    if line == "---" || line == "..." {
        return pieces([(TokenKind::Separator, line)]);
    }
    // Indentation and the dashes of list entries.
    let mut start = line.len() - trimmed.len();
    while line[start..].starts_with("- ") || &line[start..] == "-" {
        start = (start + 2).min(line.len());
        start += line[start..].len() - line[start..].trim_start().len();
    }
    let (lead, rest) = line.split_at(start);
    match key_end(rest) {
        Some(end) => {
            let (key, value) = rest.split_at(end);
            let mut tokens =
                pieces([(TokenKind::Plain, lead), (TokenKind::Key, key), (TokenKind::Plain, &value[..1])]);
            tokens.extend(value_tokens(&value[1..]));
            tokens
        }
        None => {
            let mut tokens = pieces([(TokenKind::Plain, lead)]);
            tokens.extend(value_tokens(rest));
            tokens
        }
    }
}

/// Where the colon after a key is.
fn key_end(text: &str) -> Option<usize> {
    let search_from = match text.chars().next()? {
        quote @ ('"' | '\'') => quoted_length(text, quote)?,
        '{' | '[' | '|' | '>' | '&' | '*' | '!' | '#' => return None,
        _ => 0,
    };
    let rest = &text[search_from..];
    let colon = rest.match_indices(':').map(|(at, _)| at).find(|at| {
        let after = &rest[at + 1..];
        after.is_empty() || after.starts_with(' ')
    })?;
    // A quoted key ends right before its colon; otherwise the quotes were a value's.
    if search_from > 0 && colon > 0 {
        return None;
    }
    // ` #` before the colon makes it part of a comment.
    (!rest[..colon].contains(" #")).then_some(search_from + colon)
}

/// The length of a quoted scalar at the beginning of the text, quotes included.
fn quoted_length(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if escaped {
            escaped = false;
        } else if c == '\\' && quote == '"' {
            escaped = true;
        } else if c == quote {
            return Some(at + c.len_utf8());
        }
    }
    None
}

fn value_tokens(text: &str) -> Vec<Token> {
    let value = text.trim_start();
    let (space, _) = text.split_at(text.len() - value.len());
    let end = match value.chars().next() {
        Some(quote @ ('"' | '\'')) => quoted_length(value, quote).unwrap_or(value.len()),
        _ => value.find(" #").unwrap_or(value.len()),
    };
    let (scalar, rest) = value.split_at(end);
    let kind = match scalar.trim_end() {
        "" | "{}" | "[]" => TokenKind::Plain,
        scalar if is_block_header(scalar) => TokenKind::Plain,
        scalar if is_literal(scalar) => TokenKind::Literal,
        _ => TokenKind::Text,
    };
    let after = if rest.trim_start().starts_with('#') { TokenKind::Comment } else { TokenKind::Plain };
    pieces([(TokenKind::Plain, space), (kind, scalar), (after, rest)])
}

fn opens_block(tokens: &[Token]) -> bool {
    tokens
        .iter()
        .rev()
        .find(|token| token.kind != TokenKind::Comment && !token.text.trim().is_empty())
        .is_some_and(|token| token.kind == TokenKind::Plain && is_block_header(token.text.trim()))
}

fn is_block_header(text: &str) -> bool {
    let mut letters = text.chars();
    matches!(letters.next(), Some('|' | '>')) && letters.all(|c| matches!(c, '+' | '-' | '0'..='9'))
}

/// Whether the text is a boolean, null or a number. Not by parsing a float: its tables are larger than this page.
fn is_literal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    matches!(text, "true" | "false" | "null" | "~")
        || digits.starts_with(|c: char| c.is_ascii_digit())
            && digits.chars().all(|c| c.is_ascii_digit() || c == '.')
            && digits.matches('.').count() <= 1
}

fn pieces<'a>(parts: impl IntoIterator<Item = (TokenKind, &'a str)>) -> Vec<Token> {
    parts
        .into_iter()
        .filter(|(_, text)| !text.is_empty())
        .map(|(kind, text)| Token { kind, text: text.to_owned() })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::TokenKind::{Comment, Key, Literal, Plain, Separator, Text};
    use super::*;

    fn line(text: &str) -> Vec<(TokenKind, String)> {
        let mut all = lines(text);
        assert_eq!(all.len(), 1);
        all.remove(0).into_iter().map(|token| (token.kind, token.text)).collect()
    }

    fn own(parts: &[(TokenKind, &str)]) -> Vec<(TokenKind, String)> {
        parts.iter().map(|(kind, text)| (*kind, (*text).to_owned())).collect()
    }

    #[test]
    fn keys_and_values() {
        assert_eq!(
            line("kind: Deployment"),
            own(&[(Key, "kind"), (Plain, ":"), (Plain, " "), (Text, "Deployment")])
        );
        assert_eq!(
            line("  - name: \"a: b # c\" # why"),
            own(&[
                (Plain, "  - "),
                (Key, "name"),
                (Plain, ":"),
                (Plain, " "),
                (Text, "\"a: b # c\""),
                (Comment, " # why")
            ])
        );
        assert_eq!(line("spec:"), own(&[(Key, "spec"), (Plain, ":")]));
        assert_eq!(
            line("\"a/b\": true"),
            own(&[(Key, "\"a/b\""), (Plain, ":"), (Plain, " "), (Literal, "true")])
        );
    }

    #[test]
    fn colons_inside_values_make_no_keys() {
        assert_eq!(line("- nginx:1.27"), own(&[(Plain, "- "), (Text, "nginx:1.27")]));
        assert_eq!(line("- \"a: b\""), own(&[(Plain, "- "), (Text, "\"a: b\"")]));
    }

    #[test]
    fn separators_comments_and_empty_collections() {
        assert_eq!(line("---"), own(&[(Separator, "---")]));
        assert_eq!(line("  # a: b"), own(&[(Comment, "  # a: b")]));
        assert_eq!(
            line("emptyDir: {}"),
            own(&[(Key, "emptyDir"), (Plain, ":"), (Plain, " "), (Plain, "{}")])
        );
        for (text, kind) in
            [("-1.5", Literal), ("~", Literal), ("1.2.3", Text), ("10s", Text), (".", Text), ("nan", Text)]
        {
            assert_eq!(line(&format!("a: {text}"))[3], (kind, text.to_owned()));
        }
        assert_eq!(line("port: 0"), own(&[(Key, "port"), (Plain, ":"), (Plain, " "), (Literal, "0")]));
    }

    #[test]
    fn block_scalars_reach_to_the_next_shallower_line() {
        let kinds: Vec<Vec<TokenKind>> = lines("a: |-\n  b: 1\n\n  # c\nd: 2")
            .iter()
            .map(|line| line.iter().map(|token| token.kind).collect())
            .collect();
        assert_eq!(
            kinds,
            [
                vec![Key, Plain, Plain, Plain],
                vec![Text],
                vec![],
                vec![Text],
                vec![Key, Plain, Plain, Literal]
            ]
        );
    }

    #[test]
    fn no_character_is_lost() {
        let yaml = "# x\n---\na: 'it''s'\n- - b: \"\\\"\"\n-\n  \"unclosed: 1\nc: >\n  text\n: odd\n🦀: [1, 2] # ü\n";
        let joined: Vec<String> =
            lines(yaml).iter().map(|line| line.iter().map(|token| token.text.as_str()).collect()).collect();
        assert_eq!(joined.join("\n") + "\n", yaml);
    }
}
