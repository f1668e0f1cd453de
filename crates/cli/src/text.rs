//! Bytes of a file to text and back. Files are UTF-8; a file with other bytes among its text (a
//! comment in Latin-1, GBK or Shift-JIS) is read so that its port has the very same bytes in place.

/// A byte that is no UTF-8 stands in the text as this character plus the byte: a place in a private
/// use area (plane 15), which no file of the field uses.
const RAW: u32 = 0xF_0000;

/// The text of a file.
#[derive(Debug, PartialEq, Eq)]
pub struct Decoded {
    pub text: String,
    /// The first byte that is no UTF-8: where its character stands in the text, and its value.
    pub raw: Option<(u32, u8)>,
}

/// Reads bytes as text, or says why they are none (the rest of a sentence that begins with a path).
pub fn decode(bytes: Vec<u8>) -> Result<Decoded, String> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err("is UTF-16 text; convert it first: `iconv -f UTF-16 -t UTF-8`".to_owned());
    }
    if let Some(at) = bytes.iter().position(|byte| *byte == 0) {
        // Text of Latin letters in UTF-16 is a zero in every other byte.
        let start = &bytes[..bytes.len().min(4096)];
        let zeros =
            |parity: usize| start.iter().skip(parity).step_by(2).filter(|byte| **byte == 0).count();
        let (even, odd) = (zeros(0), zeros(1));
        let utf16 = even.max(odd) * 5 > start.len() * 2 && even.min(odd) * 20 <= start.len();
        return Err(if utf16 {
            "looks like UTF-16 text; convert it first: `iconv -f UTF-16LE -t UTF-8`".to_owned()
        } else {
            format!("is not text: byte {at} is zero")
        });
    }
    let bytes = match String::from_utf8(bytes) {
        Ok(text) => return Ok(Decoded { text, raw: None }),
        Err(error) => error.into_bytes(),
    };
    let control = |byte: &&u8| **byte < 0x20 && !matches!(**byte, b'\t'..=b'\r' | 0x1a | 0x1b);
    if bytes.iter().filter(control).count() * 50 > bytes.len() {
        return Err("is not text: it is full of control characters".to_owned());
    }
    let mut text = String::with_capacity(bytes.len() + bytes.len() / 4);
    let mut raw = None;
    for chunk in bytes.utf8_chunks() {
        if has_raw(chunk.valid()) {
            return Err("mixes bytes that are no UTF-8 with private use characters".to_owned());
        }
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            raw = raw.or(Some((text.len() as u32, *byte)));
            text.extend(char::from_u32(RAW + u32::from(*byte)));
        }
    }
    Ok(Decoded { text, raw })
}

/// The bytes of a text; `raw` tells whether it comes from a file with bytes that are no UTF-8.
pub fn encode(text: &str, raw: bool) -> Vec<u8> {
    if !raw {
        return text.as_bytes().to_vec();
    }
    let mut bytes = Vec::with_capacity(text.len());
    for character in text.chars() {
        match raw_byte(character) {
            Some(byte) => bytes.push(byte),
            None => bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    bytes
}

/// A text for a screen: what stands for a byte becomes the replacement character.
pub fn shown(text: &str) -> String {
    text.chars().map(|c| if raw_byte(c).is_some() { '\u{fffd}' } else { c }).collect()
}

/// Whether a text holds characters that stand for bytes.
pub fn has_raw(text: &str) -> bool {
    text.chars().any(|character| raw_byte(character).is_some())
}

fn raw_byte(character: char) -> Option<u8> {
    let byte = u8::try_from((character as u32).checked_sub(RAW)?).ok()?;
    (byte >= 0x80).then_some(byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_survive() {
        let latin: &[u8] = b"// caf\xe9 \xc3\xa9\nint x;\xff";
        let decoded = decode(latin.to_vec()).expect("text");
        assert_eq!(decoded.raw, Some((6, 0xe9)));
        assert!(decoded.text.starts_with("// caf\u{f00e9} é\n"));
        assert_eq!(encode(&decoded.text, true), latin);
        assert_eq!(shown(&decoded.text), "// caf\u{fffd} é\nint x;\u{fffd}");
        let plain = decode("é\u{feff}".into()).expect("text");
        assert_eq!((plain.text.as_str(), plain.raw), ("é\u{feff}", None));
    }

    #[test]
    fn what_is_no_text_is_told_apart() {
        let utf16 = |text: &str| -> Vec<u8> {
            text.encode_utf16().flat_map(|unit| unit.to_le_bytes()).collect()
        };
        for (bytes, words) in [
            ([vec![0xff, 0xfe], utf16("int x;")].concat(), "is UTF-16"),
            (utf16("int x;\n"), "looks like UTF-16"),
            (b"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00".to_vec(), "is not text"),
            (b"\x80\x01\x02\x03".to_vec(), "control characters"),
        ] {
            let reason = decode(bytes).expect_err("no text");
            assert!(reason.contains(words), "{reason}");
        }
        let both = [b"\xe9".as_slice(), "\u{f00e9}".as_bytes()].concat();
        assert!(decode(both).is_err());
    }
}
