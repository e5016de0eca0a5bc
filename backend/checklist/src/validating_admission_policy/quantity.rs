//! Quantities of resources: parsed exactly, compared, and written the way the API server writes them.
//!
//! See <https://pkg.go.dev/k8s.io/apimachinery/pkg/api/resource#Quantity>.

use std::cmp::Ordering;
use std::fmt;

/// Billionths, the smallest unit that a quantity has.
const BILLION: i128 = 1_000_000_000;
/// Beyond this the API server cuts a quantity off.
const LARGEST: i128 = i64::MAX as i128 * BILLION;

/// A quantity, exact to a billionth.
#[derive(Debug, Clone, Copy)]
pub struct Quantity {
    billionths: i128,
    format: Format,
}

/// How a quantity is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    BinarySi,
    DecimalExponent,
    DecimalSi,
}

/// Why a text is no quantity here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// The API server would not take it either.
    #[error("not a quantity")]
    Invalid,
    /// It is larger or finer than what is counted exactly.
    #[error("a quantity beyond the range that is counted exactly")]
    OutOfRange,
}

impl Quantity {
    /// Reads a quantity.
    pub fn parse(text: &str) -> Result<Quantity, QuantityError> {
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let digits_end = unsigned.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(unsigned.len());
        let (number, suffix) = unsigned.split_at(digits_end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.len() + fraction.len() == 0 || fraction.contains('.') {
            return Err(QuantityError::Invalid);
        }
        let (base, exponent, format) = scale(suffix)?;
        let fraction = fraction.trim_end_matches('0');
        let digits: String = [whole.trim_start_matches('0'), fraction].concat();
        if digits.len() > 27 || fraction.len() > 18 {
            return Err(QuantityError::OutOfRange);
        }
        let digits: i128 =
            if digits.is_empty() { 0 } else { digits.parse().map_err(|_| QuantityError::Invalid)? };
        // value = digits · 10^(-fraction) · base^exponent, in billionths.
        let mut up = BILLION;
        let mut down = 10_i128.checked_pow(fraction.len() as u32).ok_or(QuantityError::OutOfRange)?;
        let factor = base.checked_pow(exponent.unsigned_abs()).ok_or(QuantityError::OutOfRange)?;
        let scaled = if exponent < 0 { &mut down } else { &mut up };
        *scaled = scaled.checked_mul(factor).ok_or(QuantityError::OutOfRange)?;
        let common = greatest_common_divisor(up, down);
        let (up, down) = (up / common, down / common);
        let product = digits.checked_mul(up).ok_or(QuantityError::OutOfRange)?;
        // What is finer than a billionth is rounded up.
        let rounded = product / down + i128::from(product % down != 0);
        if rounded > LARGEST {
            return Err(QuantityError::OutOfRange);
        }
        let billionths = if text.starts_with('-') { -rounded } else { rounded };
        Ok(Quantity { billionths, format })
    }

    /// The whole number, if it is one.
    pub fn as_integer(&self) -> Option<i64> {
        (self.billionths % BILLION == 0).then(|| i64::try_from(self.billionths / BILLION).ok()).flatten()
    }

    /// The nearest floating point number.
    pub fn as_approximate_float(&self) -> f64 {
        self.billionths as f64 / BILLION as f64
    }

    /// -1, 0 or 1.
    pub fn sign(&self) -> i64 {
        self.billionths.signum() as i64
    }

    /// The sum, in the format of the first.
    pub fn add(&self, other: &Quantity) -> Option<Quantity> {
        self.with(self.billionths.checked_add(other.billionths)?, other)
    }

    /// The difference, in the format of the first.
    pub fn subtract(&self, other: &Quantity) -> Option<Quantity> {
        self.with(self.billionths.checked_sub(other.billionths)?, other)
    }

    /// The same, but not finer than a thousandth.
    pub fn rounded_up_to_thousandth(&self) -> Quantity {
        const THOUSANDTH: i128 = BILLION / 1000;
        let below = self.billionths.div_euclid(THOUSANDTH) * THOUSANDTH;
        let billionths = if below == self.billionths { below } else { below + THOUSANDTH };
        Quantity { billionths, format: self.format }
    }

    /// A whole number.
    pub fn from_integer(number: i64) -> Quantity {
        Quantity { billionths: i128::from(number) * BILLION, format: Format::DecimalSi }
    }

    fn with(&self, billionths: i128, other: &Quantity) -> Option<Quantity> {
        let format = if self.billionths == 0 { other.format } else { self.format };
        (billionths.abs() <= LARGEST).then_some(Quantity { billionths, format })
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.billionths == other.billionths
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        self.billionths.cmp(&other.billionths)
    }
}

/// The canonical form: no fraction, the largest suffix that allows that.
impl fmt::Display for Quantity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.billionths == 0 {
            return formatter.write_str("0");
        }
        let whole = self.billionths / BILLION;
        let binary = self.format == Format::BinarySi && self.billionths % BILLION == 0 && whole.abs() >= 1024;
        if binary {
            let (number, times) = shortened(whole, 1024, 6);
            return write!(formatter, "{number}{}", ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"][times]);
        }
        let (number, times) = shortened(self.billionths, 1000, 9);
        match self.format {
            Format::DecimalExponent => match times as i64 * 3 - 9 {
                0 => write!(formatter, "{number}"),
                exponent => write!(formatter, "{number}e{exponent}"),
            },
            Format::BinarySi | Format::DecimalSi => {
                write!(formatter, "{number}{}", ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"][times])
            }
        }
    }
}

/// The number without factors of `base`, and how many were taken away, at most `most`.
fn shortened(mut number: i128, base: i128, most: usize) -> (i128, usize) {
    let mut times = 0;
    while times < most && number % base == 0 {
        number /= base;
        times += 1;
    }
    (number, times)
}

/// Base, exponent and format of a suffix.
fn scale(suffix: &str) -> Result<(i128, i32, Format), QuantityError> {
    let decimal = |exponent| Ok((10, exponent, Format::DecimalSi));
    let binary = |exponent| Ok((2, exponent, Format::BinarySi));
    match suffix {
        "n" => decimal(-9),
        "u" => decimal(-6),
        "m" => decimal(-3),
        "" => decimal(0),
        "k" => decimal(3),
        "M" => decimal(6),
        "G" => decimal(9),
        "T" => decimal(12),
        "P" => decimal(15),
        "E" => decimal(18),
        "Ki" => binary(10),
        "Mi" => binary(20),
        "Gi" => binary(30),
        "Ti" => binary(40),
        "Pi" => binary(50),
        "Ei" => binary(60),
        _ => {
            let exponent = suffix.strip_prefix(['e', 'E']).ok_or(QuantityError::Invalid)?;
            let exponent: i32 = exponent.parse().map_err(|_| QuantityError::Invalid)?;
            if exponent.abs() > 27 {
                return Err(QuantityError::OutOfRange);
            }
            Ok((10, exponent, Format::DecimalExponent))
        }
    }
}

fn greatest_common_divisor(mut a: i128, mut b: i128) -> i128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_the_canonical_form() {
        for (text, canonical) in [
            ("0", "0"),
            ("0.0", "0"),
            ("0.5", "500m"),
            (".5", "500m"),
            ("1.", "1"),
            ("1000m", "1"),
            ("1500m", "1500m"),
            ("1000", "1k"),
            ("1024", "1024"),
            ("1024Ki", "1Mi"),
            ("1Ki", "1Ki"),
            ("512Ki", "512Ki"),
            ("0.5Gi", "512Mi"),
            ("0.5Ki", "512"),
            ("0.1Ki", "102400m"),
            ("1e3", "1e3"),
            ("1500e-3", "1500e-3"),
            ("12E3", "12e3"),
            ("-1500m", "-1500m"),
            ("+2", "2"),
            ("100M", "100M"),
            ("1.5Gi", "1536Mi"),
            ("0.0000000001", "1n"),
            ("7E", "7E"),
        ] {
            assert_eq!(
                Quantity::parse(text).map(|quantity| quantity.to_string()).as_deref(),
                Ok(canonical),
                "{text}"
            );
        }
    }

    #[test]
    fn refuses_what_is_no_quantity() {
        for text in ["", ".", "-", "Mi", "1.2.3", "1 Gi", "1gi", "1KiB", "1e", "abc", "1e1.5", "--1", "1,5"] {
            assert_eq!(Quantity::parse(text), Err(QuantityError::Invalid), "{text}");
        }
        for text in ["1e99", "99999999999999999999", "100E", &"9".repeat(4000)] {
            assert_eq!(Quantity::parse(text), Err(QuantityError::OutOfRange), "{text}");
        }
    }

    #[test]
    fn compares_and_calculates() {
        let of = |text| Quantity::parse(text).unwrap();
        assert!(of("1Gi") > of("1G") && of("1024Mi") == of("1Gi") && of("100m") < of("0.2"));
        assert_eq!(of("1Gi").as_integer(), Some(1 << 30));
        assert_eq!(of("100m").as_integer(), None);
        assert_eq!(of("1500m").as_approximate_float(), 1.5);
        assert_eq!([of("-1").sign(), of("0").sign(), of("5").sign()], [-1, 0, 1]);
        assert_eq!(of("1Gi").add(&of("1Gi")).unwrap().to_string(), "2Gi");
        assert_eq!(of("1").subtract(&of("250m")).unwrap().to_string(), "750m");
        assert_eq!(of("9E").add(&of("9E")), None);
    }
}
