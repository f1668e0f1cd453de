//! NumPy `.npy` files, as bytes: version 1.0 and 2.0 read, 1.0 written. Holds the format only; the
//! files themselves are read and written by callers. bf16 has no NumPy name: it is written, and
//! accepted, as `<u2`.
//!
//! Format: <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>

use crate::tensor::{DType, Tensor};

const MAGIC: &[u8] = b"\x93NUMPY";

fn descriptor(dtype: DType) -> &'static str {
    match dtype {
        DType::F64 => "<f8",
        DType::F32 => "<f4",
        DType::F16 => "<f2",
        DType::BF16 | DType::U16 => "<u2",
        DType::I8 => "|i1",
        DType::I16 => "<i2",
        DType::I32 => "<i4",
        DType::I64 => "<i8",
        DType::U8 => "|u1",
        DType::U32 => "<u4",
        DType::U64 => "<u8",
        DType::Bool => "|b1",
    }
}

/// A tensor as the bytes of a version 1.0 file.
pub fn write(tensor: &Tensor) -> Vec<u8> {
    let mut shape: String = tensor.shape().iter().map(|n| format!("{n}, ")).collect();
    if tensor.shape().len() > 1 {
        shape.truncate(shape.len() - 2);
    } else {
        shape = shape.trim_end().to_string();
    }
    let mut header = format!(
        "{{'descr': '{}', 'fortran_order': False, 'shape': ({shape}), }}",
        descriptor(tensor.dtype())
    );
    // The data begin at a multiple of 64 bytes; the header ends with a newline.
    let unpadded = MAGIC.len() + 4 + header.len() + 1;
    header.push_str(&" ".repeat(unpadded.next_multiple_of(64) - unpadded));
    header.push('\n');
    let mut bytes = MAGIC.to_vec();
    bytes.extend([1, 0]);
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(tensor.bytes());
    bytes
}

/// Reads a file's bytes as a tensor of the wanted element type. The error is one clause.
pub fn read(bytes: &[u8], dtype: DType) -> Result<Tensor, String> {
    let broken = || "the header is broken".to_string();
    let rest = bytes.strip_prefix(MAGIC).ok_or("it is not a NumPy file")?;
    let (length_bytes, major) = match rest.first() {
        Some(1) => (2, 1),
        Some(2) => (4, 2),
        _ => return Err("only versions 1 and 2 of the format are read".into()),
    };
    let length = rest.get(2..2 + length_bytes).ok_or_else(broken)?;
    let length = match (major, length) {
        (1, [a, b]) => usize::from(u16::from_le_bytes([*a, *b])),
        (2, [a, b, c, d]) => u32::from_le_bytes([*a, *b, *c, *d]) as usize,
        _ => return Err(broken()),
    };
    let start = 2 + length_bytes;
    let end = start.checked_add(length).ok_or_else(broken)?;
    let header =
        std::str::from_utf8(rest.get(start..end).ok_or_else(broken)?).map_err(|_| broken())?;
    let data = rest.get(end..).ok_or_else(broken)?;

    let field = |name: &str| {
        let at = header.find(&format!("'{name}'"))?;
        header[at..].split_once(':').map(|(_, value)| value.trim_start())
    };
    let found = field("descr")
        .and_then(|value| value.strip_prefix('\''))
        .and_then(|value| value.split_once('\''))
        .map(|(value, _)| value)
        .ok_or_else(broken)?;
    let wanted = descriptor(dtype);
    if found.trim_start_matches(['|', '<', '=']) != wanted.trim_start_matches(['|', '<']) {
        return Err(format!("its elements are `{found}`, not `{wanted}`"));
    }
    if field("fortran_order").ok_or_else(broken)?.starts_with("True") {
        return Err("it is in Fortran order".into());
    }
    let shape = field("shape")
        .and_then(|value| value.strip_prefix('('))
        .and_then(|value| value.split_once(')'))
        .map(|(value, _)| value)
        .ok_or_else(broken)?;
    let shape = shape
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(|part| part.parse::<usize>().map_err(|_| broken()))
        .collect::<Result<Vec<_>, _>>()?;
    Tensor::from_bytes(dtype, &shape, data.to_vec())
        .ok_or_else(|| "its data do not fill its shape".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::{Generator, generate};

    #[test]
    fn what_is_written_is_read() {
        for dtype in DType::ALL {
            for shape in [&[][..], &[0], &[5], &[2, 3], &[2, 0, 3]] {
                let tensor = generate(&Generator::Iota, dtype, shape, 0);
                let bytes = write(&tensor);
                assert_eq!((bytes.len() - tensor.bytes().len()) % 64, 0);
                assert_eq!(read(&bytes, dtype).as_ref(), Ok(&tensor), "{dtype:?} {shape:?}");
            }
        }
    }

    #[test]
    fn a_file_of_numpy_is_read() {
        // numpy.save of numpy.array([[1, -2]], dtype="<i2"), NumPy 1.24.
        let mut bytes =
            b"\x93NUMPY\x01\x00v\x00{'descr': '<i2', 'fortran_order': False, 'shape': (1, 2), }"
                .to_vec();
        bytes.resize(127, b' ');
        bytes.extend(b"\n\x01\x00\xfe\xff");
        let tensor = read(&bytes, DType::I16).unwrap();
        assert_eq!((tensor.shape(), tensor.to_i64()), (&[1, 2][..], vec![1, -2]));
    }

    #[test]
    fn broken_files_are_refused() {
        let good = write(&Tensor::from_f32(&[1.0, 2.0]));
        assert!(read(&good, DType::F64).unwrap_err().contains("<f4"));
        assert!(read(b"", DType::F32).is_err());
        for length in 0..good.len() {
            assert!(read(&good[..length], DType::F32).is_err(), "{length}");
        }
        let fortran = String::from_utf8_lossy(&good[8..]).replace("False", "True ");
        let mut bytes = good[..8].to_vec();
        bytes.extend(fortran.as_bytes());
        assert!(read(&bytes, DType::F32).is_err());
    }
}
