//! Literals: from their spelling to their value.

use std::sync::Arc;

use port_syntax::{Keyword, Symbol, TokenKind};

use super::{Builder, Parse};
use crate::*;

impl Builder<'_> {
    /// The literal at the current token; adjacent strings are one.
    pub(super) fn literal(&mut self) -> Parse<ExprId> {
        let start = self.bump();
        let text = self.tokens[start].text;
        let value = match self.tokens[start].kind {
            TokenKind::Number => match number(text.as_str()) {
                Some(value) => value,
                None => {
                    self.position = start;
                    return self.expected("number");
                }
            },
            TokenKind::Character => character(text.as_str()),
            TokenKind::String => return Ok(self.string(start)),
            _ => match self.tokens[start].keyword() {
                Some(Keyword::True) => LiteralValue::Bool(true),
                Some(Keyword::False) => LiteralValue::Bool(false),
                _ => LiteralValue::NullPointer,
            },
        };
        Ok(self.add_expr(ExprKind::Literal(Literal { value, spelling: text }), start))
    }

    /// A name directly before a string.
    pub(super) fn macro_string(&mut self, start: usize) -> Parse<ExprId> {
        self.mean(start, Meaning::Unresolved);
        self.position = start + 2;
        Ok(self.string(start + 1))
    }

    /// `"a" "b"`; a macro that is not in view may stand between: `"%" PRId64 "\n"`.
    fn string(&mut self, start: usize) -> ExprId {
        let mut spelling = self.tokens[start].text;
        let (mut encoding, mut value) = string(spelling.as_str());
        loop {
            let at = self.position;
            match self.kind() {
                TokenKind::String => {}
                TokenKind::Identifier
                    if self.is_name_at(at)
                        && (self.kind_at(at + 1) == TokenKind::String
                            || self.is_upper_case(at)) =>
                {
                    self.mean(at, Meaning::Unresolved);
                    self.bump();
                    continue;
                }
                _ => break,
            }
            let next = self.tokens[self.bump()].text;
            let (other, bytes) = string(next.as_str());
            if encoding == Encoding::Ordinary {
                encoding = other;
            }
            value.extend_from_slice(&bytes);
            spelling = Symbol::new(&format!("{spelling} {next}"));
        }
        let value = LiteralValue::String { value: Arc::from(value), encoding };
        self.add_expr(ExprKind::Literal(Literal { value, spelling }), start)
    }
}

/// The value of a number; `None` for what is no number of C++ or too large.
fn number(spelling: &str) -> Option<LiteralValue> {
    let text: String = spelling.chars().filter(|c| *c != '\'').collect();
    let lower = text.to_ascii_lowercase();
    let hexadecimal = lower.starts_with("0x");
    let is_float = if hexadecimal {
        lower.contains('p')
    } else {
        lower.contains('.') || (lower.contains('e') && !lower.starts_with("0b"))
    };
    if is_float {
        return float(&lower, hexadecimal);
    }
    let (digits, base): (&str, u8) = if hexadecimal {
        (&lower[2..], 16)
    } else if let Some(digits) = lower.strip_prefix("0b") {
        (digits, 2)
    } else if lower.len() > 1 && lower.starts_with('0') {
        (&lower[1..], 8)
    } else {
        (&lower, 10)
    };
    let end = digits.find(|c: char| !c.is_digit(u32::from(base))).unwrap_or(digits.len());
    let (digits, suffix) = digits.split_at(end);
    let suffix = match integer_suffix(suffix) {
        Some(suffix) => suffix,
        // `0` followed by letters is a user's literal too; `08` is none.
        None if suffix.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') => {
            return Some(LiteralValue::User);
        }
        None => return None,
    };
    let value =
        if digits.is_empty() { 0 } else { u64::from_str_radix(digits, u32::from(base)).ok()? };
    if digits.is_empty() && base != 8 {
        return None;
    }
    Some(LiteralValue::Integer { value, base, suffix })
}

fn integer_suffix(suffix: &str) -> Option<IntegerSuffix> {
    Some(match suffix {
        "" => IntegerSuffix { unsigned: false, long: 0 },
        "u" => IntegerSuffix { unsigned: true, long: 0 },
        "l" | "z" => IntegerSuffix { unsigned: false, long: 1 },
        "ll" => IntegerSuffix { unsigned: false, long: 2 },
        "ul" | "lu" | "uz" | "zu" => IntegerSuffix { unsigned: true, long: 1 },
        "ull" | "llu" => IntegerSuffix { unsigned: true, long: 2 },
        _ => return None,
    })
}

fn float(lower: &str, hexadecimal: bool) -> Option<LiteralValue> {
    let digits_end = if hexadecimal {
        let exponent = lower.find('p')? + 1;
        let sign = usize::from(lower[exponent..].starts_with(['+', '-']));
        let digits = exponent + sign;
        lower[digits..].find(|c: char| !c.is_ascii_digit()).map_or(lower.len(), |end| digits + end)
    } else {
        let mut end = lower.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(lower.len());
        if lower[end..].starts_with('e') {
            let sign = usize::from(lower[end + 1..].starts_with(['+', '-']));
            let digits = end + 1 + sign;
            let after =
                lower[digits..].find(|c: char| !c.is_ascii_digit()).unwrap_or(lower.len() - digits);
            if after > 0 {
                end = digits + after;
            }
        }
        end
    };
    let (body, suffix) = lower.split_at(digits_end);
    let suffix = match suffix {
        "" => FloatSuffix::None,
        "f" => FloatSuffix::Float,
        "l" => FloatSuffix::Long,
        _ => return Some(LiteralValue::User),
    };
    let (value, single) = if hexadecimal {
        hexadecimal_float(body)?
    } else {
        // Rust reads `.5` and `5.`, and rounds each type from the decimal digits.
        (body.parse::<f64>().ok()?, body.parse::<f32>().ok()?)
    };
    Some(LiteralValue::Float { value, single, suffix })
}

/// `0x1.8p3`, rounded to nearest even in each type.
fn hexadecimal_float(body: &str) -> Option<(f64, f32)> {
    let (mantissa, exponent) = body.strip_prefix("0x")?.split_once('p')?;
    let mut exponent: i64 = exponent.parse::<i64>().ok()?.clamp(-100_000, 100_000);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut bits: u128 = 0;
    let mut sticky = false;
    let mut any = false;
    for (index, digit) in whole.chars().chain(fraction.chars()).enumerate() {
        let digit = digit.to_digit(16)?;
        any = true;
        if bits >> 116 == 0 {
            bits = bits << 4 | u128::from(digit);
            if index >= whole.len() {
                exponent -= 4;
            }
        } else {
            sticky |= digit != 0;
            if index < whole.len() {
                exponent += 4;
            }
        }
    }
    if !any {
        return None;
    }
    Some((round_binary(bits, sticky, exponent, 53, -1074), {
        let single = round_binary(bits, sticky, exponent, 24, -149);
        if single > f64::from(f32::MAX) { f32::INFINITY } else { single as f32 }
    }))
}

/// `bits · 2^exponent` with a precision, and a smallest exponent of the last place.
fn round_binary(bits: u128, sticky: bool, exponent: i64, precision: i64, least: i64) -> f64 {
    if bits == 0 {
        return 0.0;
    }
    let width = 128 - i64::from(bits.leading_zeros());
    let last = (exponent + width - precision).max(least);
    let drop = last - exponent;
    let kept = if drop <= 0 {
        bits
    } else if drop > 127 {
        0
    } else {
        let kept = bits >> drop;
        let rest = bits & ((1u128 << drop) - 1);
        let half = 1u128 << (drop - 1);
        let up = rest > half || (rest == half && (sticky || kept & 1 == 1));
        kept + u128::from(up)
    };
    // `kept` fits a double exactly; the scale is applied in two steps, each exact or overflowing.
    let scale = if drop <= 0 { exponent } else { last };
    let first = scale.clamp(-1000, 1000) as i32;
    let second = (scale - i64::from(first)).clamp(-1000, 1000) as i32;
    kept as f64 * 2f64.powi(first) * 2f64.powi(second)
}

fn encoding(prefix: &str) -> Encoding {
    match prefix.trim_end_matches('R') {
        "L" => Encoding::Wide,
        "u8" => Encoding::Utf8,
        "u" => Encoding::Utf16,
        "U" => Encoding::Utf32,
        _ => Encoding::Ordinary,
    }
}

fn character(spelling: &str) -> LiteralValue {
    let Some(open) = spelling.find('\'') else { return LiteralValue::User };
    let encoding = encoding(&spelling[..open]);
    let Some(close) = spelling.rfind('\'').filter(|close| *close > open) else {
        return LiteralValue::User;
    };
    if close + 1 != spelling.len() {
        return LiteralValue::User;
    }
    let body = &spelling[open + 1..close];
    let mut value = 0u32;
    if encoding == Encoding::Ordinary {
        // Several characters: each a byte, the first in the highest place, as GCC has it.
        for byte in unescape(body) {
            value = value << 8 | u32::from(byte);
        }
    } else {
        let bytes = unescape(body);
        value = std::str::from_utf8(&bytes)
            .ok()
            .and_then(|text| text.chars().next())
            .map_or(0, u32::from);
    }
    LiteralValue::Char { value, encoding }
}

fn string(spelling: &str) -> (Encoding, Vec<u8>) {
    let Some(open) = spelling.find('"') else { return (Encoding::Ordinary, Vec::new()) };
    let prefix = &spelling[..open];
    let encoding = encoding(prefix);
    let end = spelling.rfind('"').filter(|end| *end > open).unwrap_or(spelling.len());
    let body = spelling.get(open + 1..end).unwrap_or("");
    if prefix.ends_with('R') {
        let text = body.find('(').and_then(|open| {
            let close = body.rfind(')')?;
            body.get(open + 1..close)
        });
        return (encoding, text.unwrap_or("").as_bytes().to_vec());
    }
    (encoding, unescape(body))
}

/// Replaces escapes; wide escapes become UTF-8.
fn unescape(body: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(body.len());
    let mut rest = body.chars().peekable();
    let mut buffer = [0; 4];
    while let Some(c) = rest.next() {
        if c != '\\' {
            bytes.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
            continue;
        }
        let Some(escape) = rest.next() else { break };
        let mut digits = |first: Option<char>, radix: u32, most: usize| {
            let mut value = first.and_then(|c| c.to_digit(radix)).unwrap_or(0);
            for _ in 0..most {
                match rest.peek().and_then(|c| c.to_digit(radix)) {
                    Some(digit) => {
                        value = value.wrapping_mul(radix).wrapping_add(digit);
                        rest.next();
                    }
                    None => break,
                }
            }
            value
        };
        match escape {
            'n' => bytes.push(b'\n'),
            't' => bytes.push(b'\t'),
            'r' => bytes.push(b'\r'),
            'a' => bytes.push(7),
            'b' => bytes.push(8),
            'f' => bytes.push(12),
            'v' => bytes.push(11),
            'e' => bytes.push(27),
            '0'..='7' => bytes.push(digits(Some(escape), 8, 2) as u8),
            'x' => bytes.push(digits(None, 16, usize::MAX) as u8),
            'u' | 'U' => {
                let value = digits(None, 16, if escape == 'u' { 4 } else { 8 });
                let c = char::from_u32(value).unwrap_or('\u{fffd}');
                bytes.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
            }
            other => bytes.extend_from_slice(other.encode_utf8(&mut buffer).as_bytes()),
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn float_bits(text: &str) -> (u64, u32) {
        match number(text) {
            Some(LiteralValue::Float { value, single, .. }) => (value.to_bits(), single.to_bits()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn integers() {
        let integer = |value, base, unsigned, long| {
            Some(LiteralValue::Integer { value, base, suffix: IntegerSuffix { unsigned, long } })
        };
        assert_eq!(number("0"), integer(0, 10, false, 0));
        assert_eq!(number("017"), integer(15, 8, false, 0));
        assert_eq!(number("0xFFull"), integer(255, 16, true, 2));
        assert_eq!(number("0b1'01"), integer(5, 2, false, 0));
        assert_eq!(number("1'000'000L"), integer(1_000_000, 10, false, 1));
        assert_eq!(number("18446744073709551615u"), integer(u64::MAX, 10, true, 0));
        assert_eq!(number("18446744073709551616"), None);
        assert_eq!(number("09"), None);
        assert_eq!(number("10_km"), Some(LiteralValue::User));
    }

    #[test]
    fn floats_round_once_for_each_type() {
        assert_eq!(float_bits("1.0f"), (1f64.to_bits(), 1f32.to_bits()));
        assert_eq!(float_bits(".5"), (0.5f64.to_bits(), 0.5f32.to_bits()));
        assert_eq!(float_bits("1e-3f"), (1e-3f64.to_bits(), 1e-3f32.to_bits()));
        assert_eq!(float_bits("5.").0, 5f64.to_bits());
        // Halfway between two floats in double, above it in decimal: through double it would be
        // rounded down.
        let text = "1.00000005960464477540000000001f";
        assert_eq!(float_bits(text).1, 1.0f32.to_bits() + 1);
    }

    #[test]
    fn hexadecimal_floats() {
        assert_eq!(float_bits("0x1.8p3").0, 12f64.to_bits());
        assert_eq!(float_bits("0x1p-149f").1, 1);
        assert_eq!(float_bits("0x1p-1074").0, 1);
        assert_eq!(float_bits("0x1.fffffffffffffp1023").0, f64::MAX.to_bits());
        assert_eq!(float_bits("0x1.000001p0f").1, 1f32.to_bits());
        assert_eq!(float_bits("0x1.0000010000000000000001p0f").1, 1f32.to_bits() + 1);
    }

    #[test]
    fn characters_and_strings() {
        assert_eq!(
            character("'a'"),
            LiteralValue::Char { value: 97, encoding: Encoding::Ordinary }
        );
        assert_eq!(
            character("'\\x41'"),
            LiteralValue::Char { value: 65, encoding: Encoding::Ordinary }
        );
        assert_eq!(character("L'é'"), LiteralValue::Char { value: 0xe9, encoding: Encoding::Wide });
        assert_eq!(string("\"a\\n\\101\\\"\"").1, b"a\nA\"");
        assert_eq!(string("R\"x(a\\n)x\"").1, b"a\\n");
        assert_eq!(string("u8\"\\u00e9\""), (Encoding::Utf8, "é".as_bytes().to_vec()));
    }
}
