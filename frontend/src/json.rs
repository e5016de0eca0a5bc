//! JSON as the server writes it, read into the types of `rampart-shared`.
//!
//! By hand, because the code of `serde_json` would be a tenth of the dashboard: it also reads structures from
//! lists, keeps lines and columns, and is compiled anew for each source. What is ignored is skipped and not
//! checked.

use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Expected, MapAccess, SeqAccess,
    Unexpected, VariantAccess, Visitor,
};
use std::{borrow::Cow, fmt};

/// Reads a `T` from a text that holds nothing else.
pub(crate) fn read<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    let mut reader = Reader { text, at: 0 };
    T::deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value))
        .map_err(|error| reader.place(&error))
}

/// What is wrong with a text. Boxed: it goes through the code of every type.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.message)]
pub(crate) struct Error(Box<Cause>);

#[derive(Debug)]
struct Cause {
    message: String,
}

impl Error {
    fn new(message: String) -> Self {
        Error(Box::new(Cause { message }))
    }
}

impl de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Error::new(message.to_string())
    }

    // These two would also show the value, and with it bring in how decimals are written.
    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Error::new(format!("expected {expected}"))
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Error::new(format!("expected {expected}"))
    }
}

/// A text and how far it is read.
struct Reader<'de> {
    text: &'de str,
    at: usize,
}

impl<'de> Reader<'de> {
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The next byte that is no white space.
    fn peek(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.byte() {
            self.at += 1;
        }
        self.byte()
    }

    fn take(&mut self, byte: u8, what: &str) -> Result<(), Error> {
        if self.peek() != Some(byte) {
            return Err(expected(what));
        }
        self.at += 1;
        Ok(())
    }

    /// Takes a word, if it stands here.
    fn takes(&mut self, word: &str) -> bool {
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

    fn end(&mut self) -> Result<(), Error> {
        if self.peek().is_none() { Ok(()) } else { Err(expected("the end")) }
    }

    fn place(&self, error: &Error) -> Error {
        Error::new(format!("{error} at byte {}", self.at))
    }

    /// Goes to the next entry of a list or an object; whether there is one.
    fn next_entry(&mut self, first: &mut bool, end: u8) -> Result<bool, Error> {
        if self.peek() == Some(end) {
            self.at += 1;
            return Ok(false);
        }
        if !std::mem::take(first) {
            self.take(b',', "a comma")?;
        }
        Ok(true)
    }

    fn string(&mut self) -> Result<Cow<'de, str>, Error> {
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
    fn number(&mut self) -> Result<&'de str, Error> {
        self.peek();
        let rest = self.rest();
        let end =
            rest.find(|c: char| !matches!(c, '0'..='9' | '-' | '+' | '.' | 'e' | 'E')).unwrap_or(rest.len());
        self.at += end;
        let (number, _) = rest.split_at(end);
        if number.is_empty() { Err(expected("a number")) } else { Ok(number) }
    }

    /// Goes behind a value of any kind.
    fn skip(&mut self) -> Result<(), Error> {
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

fn expected(what: &str) -> Error {
    Error::new(format!("expected {what}"))
}

/// A decimal number. Not by the standard library, whose tables are larger than this file; right to the last bit
/// where there are no more than 15 digits.
fn decimal(number: &str) -> Option<f64> {
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

macro_rules! integers {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            let number = self.number()?;
            if number.starts_with('-') {
                visitor.visit_i64(number.parse().map_err(|_| expected("a whole number"))?)
            } else {
                visitor.visit_u64(number.parse().map_err(|_| expected("a whole number"))?)
            }
        })*
    };
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = Error;

    integers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
    }

    serde::forward_to_deserialize_any! {
        f32 char bytes byte_buf unit unit_struct tuple tuple_struct
    }

    /// For what no answer holds.
    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(expected("a value of another type"))
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let number = self.number()?;
        visitor.visit_f64(decimal(number).ok_or_else(|| expected("a number"))?)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_str(&self.string()?)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.take(b'[', "a list")?;
        visitor.visit_seq(Entries { reader: self, first: true, end: b']' })
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.take(b'{', "an object")?;
        visitor.visit_map(Entries { reader: self, first: true, end: b'}' })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_map(visitor)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.takes("true") {
            visitor.visit_bool(true)
        } else if self.takes("false") {
            visitor.visit_bool(false)
        } else {
            Err(expected("true or false"))
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_string(self.string()?.into_owned())
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.takes("null") { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if self.peek() == Some(b'"') {
            return visitor.visit_enum(Variant { reader: self, has_value: false });
        }
        self.take(b'{', "a name or an object")?;
        let value = visitor.visit_enum(Variant { reader: self, has_value: true })?;
        self.take(b'}', "the end of an object").map(|()| value)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.skip()?;
        visitor.visit_unit()
    }
}

/// The entries of a list or an object.
struct Entries<'a, 'de> {
    reader: &'a mut Reader<'de>,
    first: bool,
    end: u8,
}

impl<'de> SeqAccess<'de> for Entries<'_, 'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        if self.reader.next_entry(&mut self.first, self.end)? {
            seed.deserialize(&mut *self.reader).map(Some)
        } else {
            Ok(None)
        }
    }
}

impl<'de> MapAccess<'de> for Entries<'_, 'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        if self.reader.next_entry(&mut self.first, self.end)? {
            seed.deserialize(&mut *self.reader).map(Some)
        } else {
            Ok(None)
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        self.reader.take(b':', "a colon")?;
        seed.deserialize(&mut *self.reader)
    }
}

/// A variant of an enumeration: its name, or an object whose one key is its name.
struct Variant<'a, 'de> {
    reader: &'a mut Reader<'de>,
    has_value: bool,
}

impl<'de> EnumAccess<'de> for Variant<'_, 'de> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Error> {
        let variant = seed.deserialize(&mut *self.reader)?;
        if self.has_value {
            self.reader.take(b':', "a colon")?;
        }
        Ok((variant, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_, 'de> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        if self.has_value { self.reader.skip() } else { Ok(()) }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(self.reader)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.reader.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.reader.deserialize_map(visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;
    use rampart_shared::api::{Event, RunKind, RunSummary};
    use serde::Deserialize;
    use std::collections::BTreeMap;
    use uuid::Uuid;

    #[derive(Debug, PartialEq, Deserialize, serde::Serialize)]
    struct Everything {
        text: String,
        whole: i64,
        small: u16,
        share: f64,
        yes: bool,
        none: Option<u32>,
        some: Option<Vec<String>>,
        #[serde(default)]
        absent: Vec<u32>,
        map: BTreeMap<String, String>,
        run: Uuid,
    }

    fn everything() -> Everything {
        Everything {
            text: "a \"b\" \\ /\n\u{1}größe🦀".into(),
            whole: i64::MIN,
            small: 443,
            share: 0.6111,
            yes: true,
            none: None,
            some: Some(vec![String::new(), "]}".into()]),
            absent: vec![],
            map: BTreeMap::from([("a".into(), "b".into()), ("c".into(), "d".into())]),
            run: Uuid::from_u128(7),
        }
    }

    fn error<T: DeserializeOwned + fmt::Debug>(text: &str) -> String {
        read::<T>(text).unwrap_err().to_string()
    }

    #[test]
    fn what_is_written_is_read_back() {
        let text = serde_json::to_string(&everything()).unwrap();
        assert_eq!(read::<Everything>(&text).unwrap(), everything());
        let spaced = serde_json::to_string_pretty(&everything()).unwrap();
        assert_eq!(read::<Everything>(&spaced).unwrap(), everything());
    }

    #[test]
    fn events_are_objects_of_one_key() {
        let at = DateTime::from_timestamp_millis(1_790_000_000_123).unwrap();
        let run = RunSummary {
            id: Uuid::from_u128(1),
            sequence: 1,
            cluster: "eu".into(),
            kind: RunKind::IdentityChanged,
            started_at: at,
            finished_at: at,
            detail: None,
            counts: None,
            changed: false,
        };
        for event in [
            Event::RunFinished { run },
            Event::RunFailed { run: Uuid::from_u128(2), cluster: "eu".into(), detail: "full".into() },
        ] {
            assert_eq!(read::<Event>(&serde_json::to_string(&event).unwrap()).unwrap(), event);
        }
        assert!(error::<Event>(r#"{"run_lost":{}}"#).starts_with("unknown variant `run_lost`"));
    }

    #[test]
    fn what_is_not_known_is_skipped() {
        let text =
            r#" {"of a newer server": [{"a": [true, null, -1.5e3, "]\"}"]}, []], "b": "x", "a": "y"} "#;
        #[derive(Debug, Deserialize)]
        struct Known {
            a: String,
        }
        assert_eq!(read::<Known>(text).unwrap().a, "y");
    }

    #[test]
    fn every_escape_is_understood() {
        let escapes = r#""\"\\\/\b\f\n\r\t\u00fc\ud83e\udd80 \u20AC""#;
        assert_eq!(read::<String>(escapes).unwrap(), "\"\\/\u{8}\u{c}\n\r\tü🦀 €");
        for broken in
            [r#""\ud83e""#, r#""\ud83e\u0041""#, r#""\udd80""#, r#""\x""#, r#""\u12""#, r#""open"#, r#""\"#]
        {
            assert!(read::<String>(broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn decimals_are_those_of_the_standard_library() {
        for number in ["0", "1", "-0.25", "0.6111", "0.9999", "12.5e3", "1E-2", "123456.789012345", "1e+2"] {
            assert_eq!(read::<f64>(number).unwrap(), number.parse::<f64>().unwrap(), "{number}");
        }
        assert_eq!(read::<f64>("1e999999").unwrap(), f64::INFINITY);
        for broken in ["1.2.3", "--1", "e", "1-2", "1e", "."] {
            assert!(read::<f64>(broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        assert_eq!(error::<u32>("<html>"), "expected a number at byte 0");
        assert_eq!(error::<Vec<u32>>("[1,]"), "expected a number at byte 3");
        assert_eq!(error::<Vec<u32>>("[1 2]"), "expected a comma at byte 3");
        assert_eq!(error::<Vec<u32>>("[1"), "expected a comma at byte 2");
        assert_eq!(error::<u32>("1 2"), "expected the end at byte 2");
        assert_eq!(error::<u32>("1.5"), "expected a whole number at byte 3");
        assert_eq!(error::<u32>("-1"), "expected u32 at byte 2");
        assert!(error::<Everything>("{}").starts_with("missing field `text`"));
        assert_eq!(error::<bool>("yes"), "expected true or false at byte 0");
    }
}
