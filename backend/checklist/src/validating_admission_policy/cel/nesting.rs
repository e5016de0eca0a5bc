//! Parser and interpreter are recursive, so the depth of an expression is bounded before it is parsed.

/// How deep an expression may be nested.
pub(super) const DEEPEST: u16 = 64;
/// How many operands `&&` and `||` may join: they are balanced and do not make an expression deep, only long.
const LONGEST_JUNCTION: usize = 1000;

/// Refuses what could be nested deeper than [`DEEPEST`]. It counts on the side of caution: open brackets, and within
/// each the operators and selections since the last thing that ends a chain of them.
pub(super) fn check(text: &str) -> Result<(), String> {
    let mut levels = vec![Level::default()];
    let mut above = 0;
    let mut junctions = 0;
    let mut tokens = Tokens { bytes: text.as_bytes(), at: 0 };
    while let Some(token) = tokens.next() {
        let outermost = levels.len() == 1;
        // There is always the outermost level.
        let Some(level) = levels.last_mut() else { break };
        match token {
            b'(' | b'[' | b'{' => {
                level.chain += 1;
                above += level.depth();
                levels.push(Level::default());
            }
            b')' | b']' | b'}' if !outermost => {
                levels.pop();
                above -= levels.last().map_or(0, Level::depth);
            }
            b'?' | b':' => {
                level.conditionals += 1;
                level.chain = 0;
            }
            b',' => *level = Level::default(),
            b'&' | b'|' => {
                level.chain = 0;
                junctions += 1;
            }
            b'.' | b'+' | b'-' | b'*' | b'/' | b'%' | b'!' | b'<' | b'>' | b'=' | b'i' => level.chain += 1,
            _ => {}
        }
        let depth = above + levels.last().map_or(0, Level::depth);
        if depth > usize::from(DEEPEST) {
            return Err("the expression is nested too deeply to be evaluated".to_owned());
        }
    }
    if junctions > 2 * LONGEST_JUNCTION {
        return Err("the expression has too many parts to be evaluated".to_owned());
    }
    Ok(())
}

#[derive(Default)]
struct Level {
    chain: usize,
    conditionals: usize,
}

impl Level {
    fn depth(&self) -> usize {
        1 + self.chain + self.conditionals
    }
}

/// The bytes of an expression outside of strings, comments and names; `i` stands for the operator `in`.
struct Tokens<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Tokens<'_> {
    fn next(&mut self) -> Option<u8> {
        loop {
            let rest = self.bytes.get(self.at..)?;
            let first = *rest.first()?;
            if rest.starts_with(b"//") {
                self.at += rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
            } else if first.is_ascii_alphanumeric() || first == b'_' {
                let end = rest.iter().position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_');
                let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
                let raw = matches!(
                    word,
                    b"r" | b"R" | b"br" | b"bR" | b"Br" | b"BR" | b"rb" | b"rB" | b"Rb" | b"RB"
                );
                self.at += word.len();
                if matches!(after.first(), Some(b'"' | b'\'')) && word.len() <= 2 {
                    self.skip_string(raw);
                } else if word == b"in" {
                    return Some(b'i');
                }
            } else if matches!(first, b'"' | b'\'') {
                self.skip_string(false);
            } else if first == b'`' {
                let end = rest.iter().skip(1).position(|&byte| byte == b'`');
                self.at += end.map_or(rest.len(), |end| end + 2);
            } else {
                self.at += 1;
                return Some(first);
            }
        }
    }

    fn skip_string(&mut self, raw: bool) {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let Some(&quote) = rest.first() else { return };
        let width = if rest.starts_with(&[quote; 3]) { 3 } else { 1 };
        let mut at = width;
        while let Some(&byte) = rest.get(at) {
            if byte == b'\\' && !raw {
                at += 2;
            } else if rest.get(at..at + width).is_some_and(|end| end.iter().all(|&byte| byte == quote)) {
                at += width;
                break;
            } else {
                at += 1;
            }
        }
        self.at += at.min(rest.len());
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn real_policies_are_not_too_deep() {
        let long = vec!["object.metadata.name != 'a'"; 200].join(" && ");
        for text in [
            "object.spec.containers.all(c, has(c.securityContext) && c.securityContext.capabilities.drop.exists(d, d == 'ALL'))",
            "((((((((((1))))))))))",
            "'((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((' == 'a'",
            "r'\\' + '''a'b((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((''' == ''",
            long.as_str(),
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn deep_and_long_ones_are_refused() {
        for text in [
            format!("{}1{}", "(".repeat(5000), ")".repeat(5000)),
            "[".repeat(5000),
            format!("{}true", "!".repeat(5000)),
            format!("1{}", "+1".repeat(5000)),
            format!("1{}", " in [1]".repeat(1000)),
            format!("a{}", ".b".repeat(5000)),
            format!("a{}", "[0]".repeat(5000)),
            format!("a{}", ".f()".repeat(2000)),
            format!("{}1", "true ? 1 : ".repeat(1000)),
            format!("true{}", " && true".repeat(2000)),
        ] {
            assert!(check(&text).is_err(), "{}", &text[..20]);
        }
    }
}
