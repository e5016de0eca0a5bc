//! Calico's selectors: `role == "db" && !has(old) || env in {"prod", "test"}`.
//!
//! <https://docs.tigera.io/calico/latest/reference/resources/globalnetworkpolicy#selectors>. `||` binds weakest.

use super::selector::{Expression, Key};

/// Calico allows 1024 characters; selectors that are longer are not theirs.
const LONGEST: usize = 4096;
/// How deep parentheses are followed.
const DEEPEST: usize = 32;

/// Reads a selector; `key` says what its labels ask for. An empty one selects everything.
pub(super) fn parse(text: &str, key: &dyn Fn(&str) -> Key) -> Expression {
    if text.len() > LONGEST {
        return Expression::Unreadable("a selector is too long".to_owned());
    }
    let unreadable = || Expression::Unreadable(format!("the selector `{text}` is not understood"));
    let Some(tokens) = tokens(text) else { return unreadable() };
    if tokens.is_empty() {
        return Expression::Everything;
    }
    let mut parser = Parser { tokens: &tokens, key };
    match parser.any(0) {
        Some(expression) if parser.tokens.is_empty() => expression,
        _ => unreadable(),
    }
}

/// Whether it is `global()`, which selects what is in no namespace.
pub(super) fn is_global(text: &str) -> bool {
    tokens(text).is_some_and(|tokens| {
        matches!(&tokens[..], [Token::Word("global"), Token::Sign("("), Token::Sign(")")])
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'t> {
    Sign(&'t str),
    Word(&'t str),
    Text(&'t str),
}

const SIGNS: [&str; 10] = ["==", "!=", "&&", "||", "!", "(", ")", "{", "}", ","];

fn tokens(mut text: &str) -> Option<Vec<Token<'_>>> {
    let mut tokens = Vec::new();
    loop {
        text = text.trim_start();
        let Some(first) = text.chars().next() else { return Some(tokens) };
        if let Some(sign) = SIGNS.into_iter().find(|sign| text.starts_with(sign)) {
            tokens.push(Token::Sign(sign));
            text = text.get(sign.len()..)?;
        } else if matches!(first, '"' | '\'') {
            let (inner, rest) = text.get(1..)?.split_once(first)?;
            tokens.push(Token::Text(inner));
            text = rest;
        } else {
            let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '/' | '-');
            let end = text.find(|c| !is_word(c)).unwrap_or(text.len());
            if end == 0 {
                return None;
            }
            let (word, rest) = text.split_at_checked(end)?;
            tokens.push(Token::Word(word));
            text = rest;
        }
    }
}

struct Parser<'t, 'k> {
    tokens: &'t [Token<'t>],
    key: &'k dyn Fn(&str) -> Key,
}

impl<'t> Parser<'t, '_> {
    fn any(&mut self, depth: usize) -> Option<Expression> {
        let mut all = vec![self.all(depth)?];
        while self.take(Token::Sign("||")) {
            all.push(self.all(depth)?);
        }
        Some(if all.len() == 1 { all.remove(0) } else { Expression::Any(all) })
    }

    fn all(&mut self, depth: usize) -> Option<Expression> {
        let mut operations = vec![self.operation(depth)?];
        while self.take(Token::Sign("&&")) {
            operations.push(self.operation(depth)?);
        }
        Some(Expression::all(operations))
    }

    fn operation(&mut self, depth: usize) -> Option<Expression> {
        let mut negated = false;
        while self.take(Token::Sign("!")) {
            negated = !negated;
        }
        let expression = match self.next()? {
            Token::Sign("(") if depth < DEEPEST => {
                let inner = self.any(depth + 1)?;
                self.take(Token::Sign(")")).then_some(inner)?
            }
            Token::Word(function @ ("all" | "has" | "global")) if self.take(Token::Sign("(")) => {
                let argument = match (function, self.tokens.first()) {
                    ("has", Some(Token::Word(label))) => {
                        self.next();
                        Expression::Has((self.key)(label))
                    }
                    ("all", _) => Expression::Everything,
                    // It selects what is no pod.
                    ("global", _) => Expression::Nothing,
                    _ => return None,
                };
                self.take(Token::Sign(")")).then_some(argument)?
            }
            Token::Word(label) => self.comparison(label)?,
            _ => return None,
        };
        Some(if negated { !expression } else { expression })
    }

    fn comparison(&mut self, label: &str) -> Option<Expression> {
        let key = (self.key)(label);
        match self.next()? {
            Token::Sign("==") => Some(Expression::In(key, vec![self.text()?])),
            Token::Sign("!=") => Some(!Expression::In(key, vec![self.text()?])),
            Token::Word("contains") => Some(Expression::Contains(key, self.text()?)),
            Token::Word("starts") if self.take(Token::Word("with")) => {
                Some(Expression::StartsWith(key, self.text()?))
            }
            Token::Word("ends") if self.take(Token::Word("with")) => {
                Some(Expression::EndsWith(key, self.text()?))
            }
            Token::Word("in") => Some(Expression::In(key, self.set()?)),
            Token::Word("not") if self.take(Token::Word("in")) => Some(!Expression::In(key, self.set()?)),
            _ => None,
        }
    }

    fn set(&mut self) -> Option<Vec<String>> {
        self.take(Token::Sign("{")).then_some(())?;
        let mut values = Vec::new();
        while let Some(Token::Text(value)) = self.tokens.first() {
            values.push((*value).to_owned());
            self.next();
            if !self.take(Token::Sign(",")) {
                break;
            }
        }
        self.take(Token::Sign("}")).then_some(values)
    }

    fn text(&mut self) -> Option<String> {
        match self.next()? {
            Token::Text(text) => Some(text.to_owned()),
            _ => None,
        }
    }

    fn next(&mut self) -> Option<Token<'t>> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(*first)
    }

    fn take(&mut self, wanted: Token<'_>) -> bool {
        let found = self.tokens.first().is_some_and(|token| *token == wanted);
        if found {
            self.next();
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::super::endpoint::PodView;
    use super::super::selector::Truth;
    use super::*;
    use crate::inventory::Labels;

    fn selects(text: &str) -> Truth {
        let labels = Labels::from(
            [("role", "db"), ("env", "prod-1"), ("a.b/c-d_e", "x")]
                .map(|(k, v)| (k.to_owned(), v.to_owned())),
        );
        parse(text, &|name| Key::Label(name.to_owned())).selects(&PodView::of_labels("shop", &labels))
    }

    #[test]
    fn every_operator() {
        for text in [
            "",
            "  ",
            "all()",
            "role == 'db'",
            "role==\"db\"",
            "role != 'web'",
            "none != 'x'",
            "has(role)",
            "!has(none)",
            "role in {'db', 'web'}",
            "role in {'db',}",
            "role not in {'web'}",
            "none not in {'web'}",
            "role not in {}",
            "env starts with 'prod'",
            "env ends with \"-1\"",
            "env contains 'od-'",
            "!!has(role)",
            "a.b/c-d_e == 'x'",
            "role == 'web' && has(none) || has(role)",
            "has(role) || has(none) && has(none)",
            "!(role == 'web' || has(none))",
            "(((has(role))))",
        ] {
            assert_eq!(selects(text), Truth::Yes, "{text}");
        }
        for text in [
            "role == 'web'",
            "none == ''",
            "role != 'db'",
            "has(none)",
            "role in {}",
            "role not in {'db'}",
            "none contains ''",
            "!all()",
            "(has(role) || has(none)) && has(none)",
            "global()",
        ] {
            assert_eq!(selects(text), Truth::No, "{text}");
        }
    }

    #[test]
    fn what_is_not_understood_is_not_guessed() {
        let deep = "(".repeat(40) + "all()" + &")".repeat(40);
        let long = "a".repeat(5000);
        for text in [
            "role",
            "role = 'db'",
            "role == db",
            "role == 'db",
            "has role",
            "has()",
            "all(",
            "&& all()",
            "all() all()",
            "role in 'db'",
            "role in {'db'",
            "role matches 'd'",
            "é == 'x'",
            "(all()",
            "all())",
            &deep,
            &long,
        ] {
            assert_eq!(selects(text), Truth::Unknown, "{text}");
        }
    }
}
