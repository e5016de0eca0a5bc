//! The pieces that JSON is made of.

use super::{Error, expected};
use std::borrow::Cow;

/// A text and how far it is read.
pub(super) struct Reader<'de> {
    text: &'de str,
    at: usize,
}

impl<'de> Reader<'de> {
    /// At the beginning.
    pub(super) fn new(text: &'de str) -> Self {
        Reader { text, at: 0 }
    }

    /// How far it is read.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Reads on from a place.
    pub(super) fn go_to(&mut self, place: usize) {
        self.at = place;
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The next byte that is no white space.
    pub(super) fn peek(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.byte() {
            self.at += 1;
        }
        self.byte()
    }

    /// Takes a byte that has to stand here.
    pub(super) fn take(&mut self, byte: u8, what: &str) -> Result<(), Error> {
        if self.peek() != Some(byte) {
            return Err(expected(what));
        }
        self.at += 1;
        Ok(())
    }

    /// Takes a word, if it stands here.
    pub(super) fn takes(&mut self, word: &str) -> bool {
        self.peek();
        let is_here = self.rest().starts_with(word);
        if is_here {
            self.at += word.len();
        }
        is_here
    }

    fn rest(&self) -> &'de str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Makes sure that nothing follows.
    pub(super) fn end(&mut self) -> Result<(), Error> {
        if self.peek().is_none() { Ok(()) } else { Err(expected("the end")) }
    }

    /// The error with its place.
    pub(super) fn place(&self, error: &Error) -> Error {
        Error::new(format!("{error} at byte {}", self.at))
    }

    /// Goes to the next entry of a list or an object; whether there is one.
    pub(super) fn next_entry(&mut self, first: &mut bool, end: u8) -> Result<bool, Error> {
        if self.peek() == Some(end) {
            self.at += 1;
            return Ok(false);
        }
        if !std::mem::take(first) {
            self.take(b',', "a comma")?;
        }
        Ok(true)
    }

    /// A text without its quotes and escapes.
    pub(super) fn string(&mut self) -> Result<Cow<'de, str>, Error> {
        self.take(b'"', "a text")?;
        let mut text = Cow::Borrowed("");
        loop {
            let rest = self.rest();
            let stop = rest.find(['"', '\\']).ok_or_else(|| expected("the end of a text"))?;
            let (piece, _) = rest.split_at(stop);
            self.at += stop + 1;
            if text.is_empty() {
                text = Cow::Borrowed(piece);
            } else {
                text.to_mut().push_str(piece);
            }
            if rest.as_bytes()[stop] == b'"' {
                return Ok(text);
            }
            let escaped = self.escaped()?;
            text.to_mut().push(escaped);
        }
    }

    /// The character that stands for what follows a backslash.
    fn escaped(&mut self) -> Result<char, Error> {
        let letter = self.byte();
        self.at += 1;
        Ok(match letter {
            Some(b'n') => '\n',
            Some(b't') => '\t',
            Some(b'r') => '\r',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'u') => {
                let mut code = self.four_digits()?;
                if (0xd800..0xdc00).contains(&code) && self.rest().starts_with("\\u") {
                    self.at += 2;
                    // Subtracting wraps where no second half follows; then it is no character.
                    let low = self.four_digits()?.wrapping_sub(0xdc00);
                    code = if low < 0x400 { 0x1_0000 + ((code - 0xd800) << 10) + low } else { u32::MAX };
                }
                char::from_u32(code).ok_or_else(|| expected("a character"))?
            }
            Some(sign @ (b'"' | b'\\' | b'/')) => char::from(sign),
            _ => return Err(expected("an escape")),
        })
    }

    fn four_digits(&mut self) -> Result<u32, Error> {
        let digits = self.rest().get(..4).ok_or_else(|| expected("four digits"))?;
        self.at += 4;
        u32::from_str_radix(digits, 16).map_err(|_| expected("four digits"))
    }

    /// The digits, signs and letters of a number.
    pub(super) fn number(&mut self) -> Result<&'de str, Error> {
        self.peek();
        let rest = self.rest();
        let end =
            rest.find(|c: char| !matches!(c, '0'..='9' | '-' | '+' | '.' | 'e' | 'E')).unwrap_or(rest.len());
        self.at += end;
        let (number, _) = rest.split_at(end);
        if number.is_empty() { Err(expected("a number")) } else { Ok(number) }
    }

    /// Where the values of these fields are in an object, which is then behind.
    pub(super) fn fields(&mut self, names: &[&str]) -> Result<Vec<Option<usize>>, Error> {
        let mut places = vec![None; names.len()];
        let mut first = true;
        self.take(b'{', "an object")?;
        while self.next_entry(&mut first, b'}')? {
            let key = self.string()?;
            self.take(b':', "a colon")?;
            if let Some((_, place)) = names.iter().zip(&mut places).find(|(name, _)| **name == key) {
                *place = Some(self.at);
            }
            self.skip()?;
        }
        Ok(places)
    }

    /// Goes behind a value of any kind.
    pub(super) fn skip(&mut self) -> Result<(), Error> {
        let mut depth = 0_u32;
        loop {
            match self.peek() {
                None => return Err(expected("a value")),
                Some(b'"') => drop(self.string()?),
                Some(b'[' | b'{') => {
                    depth += 1;
                    self.at += 1;
                }
                Some(b']' | b'}') => {
                    depth = depth.saturating_sub(1);
                    self.at += 1;
                }
                Some(b',' | b':') => self.at += 1,
                Some(b'-' | b'0'..=b'9') => drop(self.number()?),
                Some(_) if self.takes("true") || self.takes("false") || self.takes("null") => (),
                Some(_) => return Err(expected("a value")),
            }
            if depth == 0 {
                return Ok(());
            }
        }
    }
}
/// A decimal number. Not by the standard library, whose tables are larger than this file; right to the last bit
/// where there are no more than 15 digits.
pub(super) fn decimal(number: &str) -> Option<f64> {
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    // Numbers end long before 10 to the power of 400.
    let mut exponent = exponent.parse::<i32>().ok()?.clamp(-400, 400);
    let (sign, digits) = mantissa.strip_prefix('-').map_or((1.0, mantissa), |digits| (-1.0, digits));
    digits.starts_with(|c: char| c.is_ascii_digit()).then_some(())?;
    let (mut value, mut behind_point) = (0.0, false);
    for digit in digits.bytes() {
        match digit {
            b'.' if !behind_point => behind_point = true,
            _ => {
                value = value * 10.0 + f64::from(char::from(digit).to_digit(10)?);
                exponent -= i32::from(behind_point);
            }
        }
    }
    let power = 10_f64.powi(exponent.abs());
    Some(sign * if exponent < 0 { value / power } else { value * power })
}
