//! Tensors as bytes: the data that goes into a kernel and comes out of it. Holds element types and
//! conversions of single values; knows nothing of how a tensor is filled or compared.

use half::{bf16, f16};

/// The element types of buffers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DType {
    /// IEEE binary64.
    F64,
    /// IEEE binary32.
    F32,
    /// IEEE binary16.
    F16,
    /// The upper half of a binary32.
    BF16,
    /// 8-bit signed.
    I8,
    /// 16-bit signed.
    I16,
    /// 32-bit signed.
    I32,
    /// 64-bit signed.
    I64,
    /// 8-bit unsigned.
    U8,
    /// 16-bit unsigned.
    U16,
    /// 32-bit unsigned.
    U32,
    /// 64-bit unsigned.
    U64,
    /// One byte, 0 or 1.
    Bool,
}

impl DType {
    /// Every element type, in the order of the documentation.
    pub const ALL: [DType; 13] = [
        DType::F64,
        DType::F32,
        DType::F16,
        DType::BF16,
        DType::I8,
        DType::I16,
        DType::I32,
        DType::I64,
        DType::U8,
        DType::U16,
        DType::U32,
        DType::U64,
        DType::Bool,
    ];

    /// The name used in specs: `f32`, `bf16`, `i8`, `bool` …
    pub fn name(self) -> &'static str {
        match self {
            DType::F64 => "f64",
            DType::F32 => "f32",
            DType::F16 => "f16",
            DType::BF16 => "bf16",
            DType::I8 => "i8",
            DType::I16 => "i16",
            DType::I32 => "i32",
            DType::I64 => "i64",
            DType::U8 => "u8",
            DType::U16 => "u16",
            DType::U32 => "u32",
            DType::U64 => "u64",
            DType::Bool => "bool",
        }
    }

    /// The type of a name used in specs.
    pub fn from_name(name: &str) -> Option<DType> {
        DType::ALL.into_iter().find(|dtype| dtype.name() == name)
    }

    /// Bytes of an element.
    pub fn size(self) -> usize {
        match self {
            DType::I8 | DType::U8 | DType::Bool => 1,
            DType::F16 | DType::BF16 | DType::I16 | DType::U16 => 2,
            DType::F32 | DType::I32 | DType::U32 => 4,
            DType::F64 | DType::I64 | DType::U64 => 8,
        }
    }

    /// Whether elements are floating point.
    pub fn is_float(self) -> bool {
        matches!(self, DType::F64 | DType::F32 | DType::F16 | DType::BF16)
    }
}

/// A dense, row-major array of elements, little-endian.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tensor {
    dtype: DType,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Tensor {
    /// All elements zero.
    pub fn zeros(dtype: DType, shape: &[usize]) -> Tensor {
        let count: usize = shape.iter().product();
        Tensor { dtype, shape: shape.to_vec(), bytes: vec![0; count * dtype.size()] }
    }

    /// A tensor over the given little-endian bytes; `None` when their number does not fit the shape.
    pub fn from_bytes(dtype: DType, shape: &[usize], bytes: Vec<u8>) -> Option<Tensor> {
        let expected = shape.iter().try_fold(dtype.size(), |size, n| size.checked_mul(*n))?;
        (expected == bytes.len()).then(|| Tensor { dtype, shape: shape.to_vec(), bytes })
    }

    /// A one-dimensional f32 tensor.
    pub fn from_f32(values: &[f32]) -> Tensor {
        let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        Tensor { dtype: DType::F32, shape: vec![values.len()], bytes }
    }

    /// A one-dimensional tensor whose elements are the values rounded as [`Tensor::set_f64`] does.
    pub fn from_f64(dtype: DType, values: &[f64]) -> Tensor {
        let mut tensor = Tensor::zeros(dtype, &[values.len()]);
        for (index, value) in values.iter().enumerate() {
            tensor.set_f64(index, *value);
        }
        tensor
    }

    /// The element type.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// Extents, outermost first; empty for a scalar.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.bytes.len() / self.dtype.size()
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The elements' bytes, little-endian.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bit pattern of an element, zero-extended. Panics past the end.
    pub fn bits(&self, index: usize) -> u64 {
        let size = self.dtype.size();
        let mut word = [0; 8];
        word[..size].copy_from_slice(&self.bytes[index * size..(index + 1) * size]);
        u64::from_le_bytes(word)
    }

    /// Sets the bit pattern of an element; upper bits are dropped. Panics past the end.
    pub fn set_bits(&mut self, index: usize, bits: u64) {
        let size = self.dtype.size();
        self.bytes[index * size..(index + 1) * size].copy_from_slice(&bits.to_le_bytes()[..size]);
    }

    /// An element as f64; 64-bit integers are rounded to nearest. Panics past the end.
    pub fn get_f64(&self, index: usize) -> f64 {
        let bits = self.bits(index);
        match self.dtype {
            DType::F64 => f64::from_bits(bits),
            DType::F32 => f64::from(f32::from_bits(bits as u32)),
            DType::F16 => f16::from_bits(bits as u16).to_f64(),
            DType::BF16 => bf16::from_bits(bits as u16).to_f64(),
            DType::U64 => bits as f64,
            _ => self.get_i64(index) as f64,
        }
    }

    /// An element as an integer: floats are truncated and saturated, `u64` wraps. Panics past the
    /// end.
    pub fn get_i64(&self, index: usize) -> i64 {
        let bits = self.bits(index);
        match self.dtype {
            DType::F64 | DType::F32 | DType::F16 | DType::BF16 => self.get_f64(index) as i64,
            DType::I8 => i64::from(bits as u8 as i8),
            DType::I16 => i64::from(bits as u16 as i16),
            DType::I32 => i64::from(bits as u32 as i32),
            DType::I64 | DType::U64 => bits as i64,
            DType::U8 | DType::U16 | DType::U32 | DType::Bool => bits as i64,
        }
    }

    /// Sets an element from f64: floats round to nearest even, once; integers truncate and saturate;
    /// `bool` is whether the value is not zero. Panics past the end.
    pub fn set_f64(&mut self, index: usize, value: f64) {
        let bits = match self.dtype {
            DType::F64 => value.to_bits(),
            DType::F32 => u64::from((value as f32).to_bits()),
            DType::F16 => u64::from(f16::from_f64(value).to_bits()),
            DType::BF16 => u64::from(bf16::from_f64(value).to_bits()),
            DType::I8 => value as i8 as u64,
            DType::I16 => value as i16 as u64,
            DType::I32 => value as i32 as u64,
            DType::I64 => value as i64 as u64,
            DType::U8 => u64::from(value as u8),
            DType::U16 => u64::from(value as u16),
            DType::U32 => u64::from(value as u32),
            DType::U64 => value as u64,
            DType::Bool => u64::from(value != 0.0),
        };
        self.set_bits(index, bits);
    }

    /// Sets an element from an integer: integers wrap, floats round once. Panics past the end.
    pub fn set_i64(&mut self, index: usize, value: i64) {
        match self.dtype {
            DType::F64 | DType::F32 | DType::F16 | DType::BF16 => self.set_f64(index, value as f64),
            DType::Bool => self.set_bits(index, u64::from(value != 0)),
            _ => self.set_bits(index, value as u64),
        }
    }

    /// All elements as f64.
    pub fn to_f64(&self) -> Vec<f64> {
        (0..self.len()).map(|index| self.get_f64(index)).collect()
    }

    /// All elements as f32 (for f32 tensors this is exact).
    pub fn to_f32(&self) -> Vec<f32> {
        (0..self.len()).map(|index| self.get_f64(index) as f32).collect()
    }

    /// All elements as integers.
    pub fn to_i64(&self) -> Vec<i64> {
        (0..self.len()).map(|index| self.get_i64(index)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_survive_each_type_that_can_hold_them() {
        for dtype in DType::ALL {
            let mut tensor = Tensor::zeros(dtype, &[2, 3]);
            assert_eq!(tensor.len(), 6);
            tensor.set_f64(4, 1.0);
            assert_eq!(tensor.get_f64(4), 1.0, "{dtype:?}");
            assert_eq!(tensor.get_i64(4), 1, "{dtype:?}");
            assert_eq!(tensor.get_i64(3), 0);
            assert_eq!(DType::from_name(dtype.name()), Some(dtype));
        }
    }

    #[test]
    fn integers_saturate_from_floats_and_wrap_from_integers() {
        let mut tensor = Tensor::zeros(DType::I8, &[1]);
        tensor.set_f64(0, -300.0);
        assert_eq!(tensor.get_i64(0), -128);
        tensor.set_i64(0, 255);
        assert_eq!(tensor.get_i64(0), -1);
        assert_eq!(tensor.bits(0), 0xff);
    }

    #[test]
    fn bytes_must_fit_the_shape() {
        assert!(Tensor::from_bytes(DType::F32, &[2], vec![0; 7]).is_none());
        assert!(Tensor::from_bytes(DType::F32, &[usize::MAX, 2], vec![]).is_none());
        assert!(Tensor::from_bytes(DType::F32, &[0], vec![]).is_some());
    }
}
