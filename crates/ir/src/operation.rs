//! The operations of pure expressions, and what qualifies them: rounding, precision, conversions,
//! built-in values. All act on vectors component by component.

use crate::types::Scalar;

/// How a result that does not fit is rounded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Rounding {
    /// To the nearest, ties to even.
    #[default]
    NearestEven,
    /// Toward zero.
    TowardZero,
    /// Toward +∞.
    Up,
    /// Toward −∞.
    Down,
    /// To the nearest, ties away from zero.
    NearestAway,
}

/// What a float operation may do besides rounding its exact result once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FloatFlags {
    /// A multiplication and an addition that both carry this may become one fused operation.
    /// The source's plain `*` and `+` carry it; intrinsics such as `__fmul_rn` do not.
    pub contract: bool,
    /// The hardware's approximation will do (`__fdividef`, `__expf`, code built for fast math).
    pub approximate: bool,
    /// Subnormal operands and results are replaced by zeros of the same sign.
    pub flush: bool,
    /// How the result is rounded.
    pub rounding: Rounding,
}

impl FloatFlags {
    /// Rounded once to the nearest, nothing else.
    pub const STRICT: FloatFlags = FloatFlags {
        contract: false,
        approximate: false,
        flush: false,
        rounding: Rounding::NearestEven,
    };
    /// What an operator of the source carries: as [`FloatFlags::STRICT`], and may be contracted.
    pub const SOURCE: FloatFlags = FloatFlags { contract: true, ..FloatFlags::STRICT };

    /// An approximation.
    pub const APPROXIMATE: FloatFlags = FloatFlags { approximate: true, ..FloatFlags::STRICT };

    /// Strict, with this rounding.
    pub fn rounded(rounding: Rounding) -> Self {
        FloatFlags { rounding, ..FloatFlags::STRICT }
    }
}

/// Operations of one operand whose result has the operand's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum UnaryOp {
    /// `-x`. Integers wrap; floats flip the sign bit, NaN's too.
    Negate,
    /// `~x`, of a truth value `!x`.
    Not,
    /// `|x|`. The most negative integer stays; floats clear the sign bit.
    Absolute,
}

/// Operations on two integers of one type; signedness is the type's. `And`, `Or` and `Xor` also
/// act on truth values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum IntegerOp {
    /// Wraps.
    Add,
    /// Wraps.
    Subtract,
    /// Wraps.
    Multiply,
    /// The high half of the product of twice the width.
    MultiplyHigh,
    /// Toward zero. By zero: an unspecified value. The most negative by −1: wraps.
    Divide,
    /// `a - (a / b) * b`. By zero: an unspecified value.
    Remainder,
    /// The smaller.
    Minimum,
    /// The larger.
    Maximum,
    /// Bitwise.
    And,
    /// Bitwise.
    Or,
    /// Bitwise.
    Xor,
    /// By an amount that is read as unsigned; one that is not below the width gives 0.
    ShiftLeft,
    /// Arithmetic if the left type is signed. The amount is read as unsigned; one that is not below
    /// the width gives 0, or the sign in every bit.
    ShiftRight,
}

/// Operations on two floats of one type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FloatOp {
    /// `a + b`
    Add,
    /// `a - b`
    Subtract,
    /// `a * b`
    Multiply,
    /// `a / b`
    Divide,
    /// The smaller; of a number and a NaN the number; −0 is smaller than +0.
    Minimum,
    /// The larger; of a number and a NaN the number; −0 is smaller than +0.
    Maximum,
    /// The smaller, NaN if either is NaN.
    MinimumNan,
    /// The larger, NaN if either is NaN.
    MaximumNan,
}

/// Comparisons, of integers, floats, truth values (`Equal` and `NotEqual`) and pointers. With a NaN
/// all are false but `NotEqual`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CompareOp {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
}

impl CompareOp {
    /// Whether the comparison holds for two values.
    pub fn holds<T: PartialOrd>(self, left: T, right: T) -> bool {
        match self {
            Self::Equal => left == right,
            Self::NotEqual => left != right,
            Self::Less => left < right,
            Self::LessEqual => left <= right,
            Self::Greater => left > right,
            Self::GreaterEqual => left >= right,
        }
    }
}

/// How a value becomes one of another type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Conversion {
    /// Integer or truth value to a wider integer, new bits zero.
    ZeroExtend,
    /// Integer to a wider integer, new bits copies of the sign.
    SignExtend,
    /// Integer to a narrower integer, high bits dropped.
    Truncate,
    /// The same bits as another type of the same size: scalar or vector (`u32` as `f32`, `half2`
    /// as `u32`, `i32` as `u32`).
    Bits,
    /// Integer, signed as its type says, or truth value to float.
    IntegerToFloat(Rounding),
    /// Float to integer, rounded as said; NaN gives 0, what does not fit the nearest that does.
    FloatToInteger(Rounding),
    /// Float to float of another format.
    FloatToFloat {
        /// Used where the result does not fit.
        rounding: Rounding,
        /// Whether what is too large becomes the largest finite number and not infinity (or NaN,
        /// in formats without infinity).
        saturate: bool,
    },
    /// Pointer to a pointer of another space: to generic always, from generic where the address
    /// lies in that space (else the result is unspecified).
    Space,
    /// Pointer to its 64-bit address in the generic space.
    PointerToInteger,
    /// 64-bit address in the generic space to a pointer.
    IntegerToPointer,
    /// Pointer to shared memory to its offset, a `u32`, in the window of the block's shared memory.
    /// Where the window begins is not said; differences of offsets are those of the addresses.
    SharedOffset,
    /// Such an offset to the pointer to shared memory.
    SharedPointer,
}

macro_rules! math_functions {
    ($( $(#[$doc:meta])* $name:ident = $spelling:literal, $arity:literal, $class:ident; )*) => {
        /// Named mathematical and bit functions. Operands and result have one type unless said
        /// otherwise; see [`MathFunction::class`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum MathFunction { $( $(#[$doc])* $name, )* }

        impl MathFunction {
            /// Every function, in declaration order.
            pub const ALL: &[MathFunction] = &[ $(MathFunction::$name,)* ];

            /// The spelling in the text form.
            pub fn name(self) -> &'static str {
                match self { $(MathFunction::$name => $spelling,)* }
            }

            /// Number of operands.
            pub fn arity(self) -> usize {
                match self { $(MathFunction::$name => $arity,)* }
            }

            /// What it takes and gives.
            pub fn class(self) -> MathClass {
                match self { $(MathFunction::$name => MathClass::$class,)* }
            }
        }
    };
}

/// What a [`MathFunction`] takes and gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MathClass {
    /// Floats of one type to that type.
    Float,
    /// One float to a truth value.
    FloatPredicate,
    /// One float to an `i32`.
    FloatToI32,
    /// A float and an `i32` to the float's type.
    FloatWithI32,
    /// An `i32` and a float to the float's type.
    I32WithFloat,
    /// Integers of one type to that type.
    Integer,
    /// One integer to an `i32`.
    IntegerToI32,
    /// `u32`s to `u32`.
    U32,
    /// Two 32-bit integers of packed bytes or halves and a 32-bit sum, to the sum's type.
    Dot,
}

math_functions! {
    /// √x, correctly rounded unless approximate.
    SquareRoot = "sqrt", 1, Float;
    /// 1/√x
    ReciprocalSquareRoot = "rsqrt", 1, Float;
    /// 1/x, correctly rounded unless approximate.
    Reciprocal = "rcp", 1, Float;
    /// ∛x
    CubeRoot = "cbrt", 1, Float;
    /// 1/∛x
    ReciprocalCubeRoot = "rcbrt", 1, Float;
    /// e^x
    Exp = "exp", 1, Float;
    /// 2^x
    Exp2 = "exp2", 1, Float;
    /// 10^x
    Exp10 = "exp10", 1, Float;
    /// e^x − 1
    ExpMinusOne = "expm1", 1, Float;
    /// Natural logarithm.
    Log = "log", 1, Float;
    /// Logarithm to base 2.
    Log2 = "log2", 1, Float;
    /// Logarithm to base 10.
    Log10 = "log10", 1, Float;
    /// ln(1 + x)
    LogOnePlus = "log1p", 1, Float;
    /// The exponent of x as a float.
    LogBinary = "logb", 1, Float;
    /// Sine of radians.
    Sin = "sin", 1, Float;
    /// Cosine of radians.
    Cos = "cos", 1, Float;
    /// Tangent of radians.
    Tan = "tan", 1, Float;
    /// sin(πx)
    SinPi = "sinpi", 1, Float;
    /// cos(πx)
    CosPi = "cospi", 1, Float;
    /// Inverse sine.
    Asin = "asin", 1, Float;
    /// Inverse cosine.
    Acos = "acos", 1, Float;
    /// Inverse tangent.
    Atan = "atan", 1, Float;
    /// Angle of the point (second, first).
    Atan2 = "atan2", 2, Float;
    /// Hyperbolic sine.
    Sinh = "sinh", 1, Float;
    /// Hyperbolic cosine.
    Cosh = "cosh", 1, Float;
    /// Hyperbolic tangent.
    Tanh = "tanh", 1, Float;
    /// Inverse hyperbolic sine.
    Asinh = "asinh", 1, Float;
    /// Inverse hyperbolic cosine.
    Acosh = "acosh", 1, Float;
    /// Inverse hyperbolic tangent.
    Atanh = "atanh", 1, Float;
    /// Error function.
    Erf = "erf", 1, Float;
    /// 1 − erf(x)
    Erfc = "erfc", 1, Float;
    /// e^(x²) · erfc(x)
    ErfcScaled = "erfcx", 1, Float;
    /// Inverse of erf.
    ErfInverse = "erfinv", 1, Float;
    /// Inverse of erfc.
    ErfcInverse = "erfcinv", 1, Float;
    /// Distribution function of the standard normal.
    NormalCdf = "normcdf", 1, Float;
    /// Its inverse.
    NormalCdfInverse = "normcdfinv", 1, Float;
    /// Γ(x)
    Gamma = "tgamma", 1, Float;
    /// ln |Γ(x)|
    LogGamma = "lgamma", 1, Float;
    /// Bessel function J₀.
    BesselJ0 = "j0", 1, Float;
    /// Bessel function J₁.
    BesselJ1 = "j1", 1, Float;
    /// Bessel function Jₙ; the order first.
    BesselJn = "jn", 2, I32WithFloat;
    /// Bessel function Y₀.
    BesselY0 = "y0", 1, Float;
    /// Bessel function Y₁.
    BesselY1 = "y1", 1, Float;
    /// Bessel function Yₙ; the order first.
    BesselYn = "yn", 2, I32WithFloat;
    /// Modified Bessel function I₀.
    BesselI0 = "cyl_i0", 1, Float;
    /// Modified Bessel function I₁.
    BesselI1 = "cyl_i1", 1, Float;
    /// a^b
    Power = "pow", 2, Float;
    /// a^b with an integer exponent.
    PowerInteger = "powi", 2, FloatWithI32;
    /// a · 2^b
    ScaleByPowerOfTwo = "ldexp", 2, FloatWithI32;
    /// The fraction of a in [0.5, 1), with a's sign.
    FrexpFraction = "frexp_fraction", 1, Float;
    /// The exponent that belongs to [`MathFunction::FrexpFraction`].
    FrexpExponent = "frexp_exponent", 1, FloatToI32;
    /// The exponent of x as an integer.
    IntegerLogBinary = "ilogb", 1, FloatToI32;
    /// Remainder of a/b with the quotient truncated.
    FloatModulo = "fmod", 2, Float;
    /// Remainder of a/b with the quotient rounded to nearest even.
    FloatRemainder = "remainder", 2, Float;
    /// √(a² + b²)
    Hypot = "hypot", 2, Float;
    /// 1/√(a² + b²)
    ReciprocalHypot = "rhypot", 2, Float;
    /// √(a² + b² + c²)
    Norm3 = "norm3d", 3, Float;
    /// 1/√(a² + b² + c²)
    ReciprocalNorm3 = "rnorm3d", 3, Float;
    /// √(a² + b² + c² + d²)
    Norm4 = "norm4d", 4, Float;
    /// 1/√(a² + b² + c² + d²)
    ReciprocalNorm4 = "rnorm4d", 4, Float;
    /// a − b if that is positive, else +0.
    PositiveDifference = "fdim", 2, Float;
    /// The magnitude of a, the sign of b.
    CopySign = "copysign", 2, Float;
    /// The float after a in the direction of b.
    NextAfter = "nextafter", 2, Float;
    /// Down to an integer.
    Floor = "floor", 1, Float;
    /// Up to an integer.
    Ceil = "ceil", 1, Float;
    /// Toward zero to an integer.
    Trunc = "trunc", 1, Float;
    /// To the nearest integer, ties away from zero.
    Round = "round", 1, Float;
    /// To the nearest integer, ties to even.
    RoundEven = "rint", 1, Float;
    /// Into [0, 1]; NaN gives 0.
    Saturate = "saturate", 1, Float;
    /// To 10 fraction bits, kept in an `f32`.
    RoundToTf32 = "round_tf32", 1, Float;
    /// Whether it is NaN.
    IsNan = "isnan", 1, FloatPredicate;
    /// Whether it is +∞ or −∞.
    IsInfinite = "isinf", 1, FloatPredicate;
    /// Whether it is neither.
    IsFinite = "isfinite", 1, FloatPredicate;
    /// The sign bit.
    SignBit = "signbit", 1, FloatPredicate;
    /// Number of one bits.
    PopulationCount = "popc", 1, IntegerToI32;
    /// Number of zero bits above the highest one bit; the width for 0.
    CountLeadingZeros = "clz", 1, IntegerToI32;
    /// Position of the lowest one bit, from 1; 0 for 0.
    FindFirstSet = "ffs", 1, IntegerToI32;
    /// The bits in reverse.
    ReverseBits = "brev", 1, Integer;
    /// a + b, the nearest that fits where it does not fit.
    AddSaturate = "add_sat", 2, Integer;
    /// a − b, the nearest that fits where it does not fit.
    SubtractSaturate = "sub_sat", 2, Integer;
    /// (a + b) / 2 without overflow, rounded down.
    AverageDown = "hadd", 2, Integer;
    /// (a + b + 1) / 2 without overflow, rounded down.
    AverageUp = "rhadd", 2, Integer;
    /// The low half of the product of the low 24 bits of each.
    Multiply24 = "mul24", 2, Integer;
    /// |a − b| + c, all three of the result's width; a and b as their type says.
    SumOfAbsoluteDifference = "sad", 3, Integer;
    /// Four bytes chosen from the eight of (b, a) by the nibbles of c.
    BytePermute = "byte_perm", 3, U32;
    /// The high word of (b, a) shifted left by c mod 32: operands low, high, amount.
    FunnelShiftLeft = "funnel_shl", 3, U32;
    /// The low word of (b, a) shifted right by c mod 32: operands low, high, amount.
    FunnelShiftRight = "funnel_shr", 3, U32;
    /// As [`MathFunction::FunnelShiftLeft`], with the amount clamped to 32.
    FunnelShiftLeftClamp = "funnel_shl_clamp", 3, U32;
    /// As [`MathFunction::FunnelShiftRight`], with the amount clamped to 32.
    FunnelShiftRightClamp = "funnel_shr_clamp", 3, U32;
    /// c + the products of four bytes of a and b.
    DotFourBytes = "dp4a", 3, Dot;
    /// c + the products of the two halves of a and the two low bytes of b.
    DotTwoLow = "dp2a_lo", 3, Dot;
    /// c + the products of the two halves of a and the two high bytes of b.
    DotTwoHigh = "dp2a_hi", 3, Dot;
}

/// A direction of the grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Axis {
    /// The fastest.
    X,
    /// The middle.
    Y,
    /// The slowest.
    Z,
}

impl Axis {
    /// Every axis, fastest first.
    pub const ALL: [Axis; 3] = [Axis::X, Axis::Y, Axis::Z];

    /// `x`, `y` or `z`.
    pub fn name(self) -> &'static str {
        match self {
            Axis::X => "x",
            Axis::Y => "y",
            Axis::Z => "z",
        }
    }
}

/// A value that the machine gives each thread, constant while the thread runs. All are `u32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Builtin {
    /// Index of the thread in its block.
    ThreadIndex(Axis),
    /// Index of the block in the grid.
    BlockIndex(Axis),
    /// Threads in a block.
    BlockDim(Axis),
    /// Blocks in the grid.
    GridDim(Axis),
    /// Index of the cluster in the grid.
    ClusterIndex(Axis),
    /// Blocks in a cluster.
    ClusterDim(Axis),
    /// Clusters in the grid.
    ClusterGridDim(Axis),
    /// Index of the block in its cluster.
    ClusterBlockIndex(Axis),
    /// [`Builtin::ClusterBlockIndex`] as one number, x fastest.
    ClusterRank,
    /// Number of blocks in the cluster.
    ClusterSize,
    /// Number of the lane in its warp. Threads are numbered x fastest, and warps are consecutive
    /// runs of [`Builtin::WarpSize`] of them.
    LaneId,
    /// Number of the warp in its block.
    WarpId,
    /// Lanes in a warp. A symbol: no stage may replace it by a number without knowing the target.
    WarpSize,
    /// A mask with the bits of the lanes that stand in this relation to the own lane.
    LaneMask(CompareOp),
    /// Bytes of dynamic shared memory of the launch.
    DynamicSharedSize,
}

/// A constant number or truth value, by its bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Constant {
    /// Its type.
    pub scalar: Scalar,
    /// Its bits, those above the type's width zero.
    pub bits: u64,
}

impl Constant {
    /// From bits; those above the type's width are dropped.
    pub fn from_bits(scalar: Scalar, bits: u64) -> Self {
        let width = scalar.bits();
        let mask = if width == 64 { u64::MAX } else { (1 << width) - 1 };
        Constant { scalar, bits: bits & mask }
    }

    /// An integer of the given type; high bits are dropped.
    pub fn integer(scalar: Scalar, value: i64) -> Self {
        Self::from_bits(scalar, value as u64)
    }

    /// A truth value.
    pub fn bool(value: bool) -> Self {
        Self::from_bits(Scalar::Bool, u64::from(value))
    }

    /// An `i32`.
    pub fn i32(value: i32) -> Self {
        Self::integer(Scalar::I32, i64::from(value))
    }

    /// A `u32`.
    pub fn u32(value: u32) -> Self {
        Self::integer(Scalar::U32, i64::from(value))
    }

    /// An `f32`.
    pub fn f32(value: f32) -> Self {
        Self::from_bits(Scalar::F32, u64::from(value.to_bits()))
    }

    /// An `f64`.
    pub fn f64(value: f64) -> Self {
        Self::from_bits(Scalar::F64, value.to_bits())
    }

    /// A float of the given format, rounded to the nearest, ties to even. What is too large becomes
    /// infinity, or NaN in a format that has none. `None` if the type is not a float.
    pub fn float(scalar: Scalar, value: f64) -> Option<Self> {
        match scalar {
            Scalar::F64 => return Some(Self::f64(value)),
            Scalar::F32 => return Some(Self::f32(value as f32)),
            _ => {}
        }
        let NarrowFormat { exponent_bits, fraction_bits, has_infinity } = NarrowFormat::of(scalar)?;
        let sign = u64::from(value.is_sign_negative()) << (exponent_bits + fraction_bits);
        let largest = (1u64 << exponent_bits) - 1;
        let nan = largest << fraction_bits | ((1 << fraction_bits) - 1);
        let too_large = if has_infinity { largest << fraction_bits } else { nan };
        if value.is_nan() {
            return Some(Self::from_bits(scalar, sign | nan));
        }
        let smallest_normal = 2 - (1i32 << (exponent_bits - 1));
        let magnitude = value.abs();
        let exponent = ((magnitude.to_bits() >> 52) as i32 - 1023).max(smallest_normal);
        // In units of the last place, exactly: both factors' product fits a binary64.
        let units = (magnitude * 2f64.powi(fraction_bits as i32 - exponent)).round_ties_even();
        if !units.is_finite() {
            return Some(Self::from_bits(scalar, sign | too_large));
        }
        // A carry out of the fraction raises the exponent by itself, and a subnormal has units
        // below the implicit bit, so that its exponent field comes out as 0.
        let field = (exponent - smallest_normal) as u64;
        let bits = (field << fraction_bits) + units as u64;
        let overflows = if has_infinity { bits >= too_large } else { bits >= nan };
        Some(Self::from_bits(scalar, sign | if overflows { too_large } else { bits }))
    }

    /// The value of an integer or truth value (0 or 1).
    pub fn as_integer(self) -> Option<i128> {
        if self.scalar.is_float() {
            return None;
        }
        if self.scalar.is_signed() {
            let shift = 64 - self.scalar.bits();
            return Some(i128::from(((self.bits << shift) as i64) >> shift));
        }
        Some(i128::from(self.bits))
    }

    /// The value of a float, exactly; `None` for integers and truth values. NaN payloads are lost.
    pub fn as_float(self) -> Option<f64> {
        match self.scalar {
            Scalar::F64 => return Some(f64::from_bits(self.bits)),
            Scalar::F32 => return Some(f64::from(f32::from_bits(self.bits as u32))),
            _ => {}
        }
        let NarrowFormat { exponent_bits, fraction_bits, has_infinity } =
            NarrowFormat::of(self.scalar)?;
        let fraction = self.bits & ((1 << fraction_bits) - 1);
        let exponent = (self.bits >> fraction_bits) & ((1 << exponent_bits) - 1);
        let sign = if self.bits >> (fraction_bits + exponent_bits) & 1 == 1 { -1.0 } else { 1.0 };
        let largest = (1 << exponent_bits) - 1;
        let magnitude = if exponent == largest && has_infinity {
            if fraction == 0 { f64::INFINITY } else { f64::NAN }
        } else if exponent == largest && fraction == (1 << fraction_bits) - 1 {
            // E4M3 (OCP) gives up one pattern for NaN.
            f64::NAN
        } else {
            let bias = (1 << (exponent_bits - 1)) - 1;
            let (significand, power) = if exponent == 0 {
                (fraction, 1 - bias)
            } else {
                (fraction | 1 << fraction_bits, exponent as i32 - bias)
            };
            significand as f64 * 2f64.powi(power - fraction_bits as i32)
        };
        Some(sign * magnitude)
    }
}

/// A float format narrower than `f32`.
struct NarrowFormat {
    exponent_bits: u32,
    fraction_bits: u32,
    /// Whether the largest exponent holds infinity and NaN; otherwise only its last pattern is NaN.
    has_infinity: bool,
}

impl NarrowFormat {
    fn of(scalar: Scalar) -> Option<Self> {
        let (exponent_bits, fraction_bits, has_infinity) = match scalar {
            Scalar::F16 => (5, 10, true),
            Scalar::Bf16 => (8, 7, true),
            Scalar::F8E5M2 => (5, 2, true),
            Scalar::F8E4M3 => (4, 3, false),
            _ => return None,
        };
        Some(NarrowFormat { exponent_bits, fraction_bits, has_infinity })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn narrow_floats_decode_to_known_values() {
        let value = |scalar, bits| Constant::from_bits(scalar, bits).as_float().unwrap();
        // IEEE 754-2019 table 3.5 and the OCP 8-bit float specification, table 2.
        assert_eq!(value(Scalar::F16, 0x3c00), 1.0);
        assert_eq!(value(Scalar::F16, 0x7bff), 65504.0);
        assert_eq!(value(Scalar::F16, 0x0001), 2f64.powi(-24));
        assert_eq!(value(Scalar::F16, 0xfc00), f64::NEG_INFINITY);
        assert_eq!(value(Scalar::Bf16, 0x3f80), 1.0);
        assert_eq!(value(Scalar::Bf16, 0x0001), 2f64.powi(-133));
        assert_eq!(value(Scalar::F8E4M3, 0x7e), 448.0);
        assert!(value(Scalar::F8E4M3, 0x7f).is_nan());
        assert_eq!(value(Scalar::F8E5M2, 0x7b), 57344.0);
        assert_eq!(value(Scalar::F8E5M2, 0x7c), f64::INFINITY);
    }

    #[test]
    fn every_narrow_float_encodes_to_itself() {
        for scalar in [Scalar::F16, Scalar::Bf16, Scalar::F8E4M3, Scalar::F8E5M2] {
            for bits in 0..1u64 << scalar.bits() {
                let constant = Constant::from_bits(scalar, bits);
                let value = constant.as_float().unwrap();
                if !value.is_nan() {
                    assert_eq!(
                        Constant::float(scalar, value),
                        Some(constant),
                        "{scalar:?} {bits:#x}"
                    );
                }
            }
        }
    }

    #[test]
    fn halfway_values_round_to_even() {
        for scalar in [Scalar::F16, Scalar::Bf16, Scalar::F8E4M3, Scalar::F8E5M2] {
            for bits in 0..(1u64 << (scalar.bits() - 1)) - 1 {
                let (low, high) =
                    (Constant::from_bits(scalar, bits), Constant::from_bits(scalar, bits + 1));
                let (Some(a), Some(b)) = (low.as_float(), high.as_float()) else { continue };
                if !(a.is_finite() && b.is_finite()) {
                    continue;
                }
                let even = if bits & 1 == 0 { low } else { high };
                let middle = (a + b) / 2.0;
                assert_eq!(Constant::float(scalar, middle), Some(even));
                assert_eq!(Constant::float(scalar, middle.next_down()), Some(low));
                assert_eq!(Constant::float(scalar, middle.next_up()), Some(high));
            }
        }
        assert_eq!(Constant::float(Scalar::F16, 65520.0).unwrap().bits, 0x7c00);
        assert_eq!(Constant::float(Scalar::F16, 65519.9).unwrap().bits, 0x7bff);
        assert_eq!(Constant::float(Scalar::F8E4M3, 1e9).unwrap().bits, 0x7f);
    }
}
