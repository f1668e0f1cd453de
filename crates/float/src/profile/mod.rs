//! Profiles: the parts of a side's float arithmetic, by name.

mod chips;
mod evidence;

use std::sync::Arc;

use port_ir::{FloatFlags, FloatOp, FragmentElement, MathFunction, Rounding, Scalar};

pub use evidence::{Envelope, Evidence, Part};

use crate::chunk::ChunkFunction;
use crate::format::NanToInteger;
use crate::function::{F32Function, F64Function};
use crate::matrix::MatrixModel;
use crate::{arithmetic, libm, math, matrix};

/// Whose arithmetic it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// An NVIDIA GPU of this compute capability (80 for sm_80), compiled by nvcc.
    Cuda(u32),
    /// An AMD or Hygon GPU, compiled by clang.
    Hip(&'static str),
    /// A Huawei NPU.
    Ascend(&'static str),
    /// A port to plain C++.
    Cpu,
    /// Mathematics.
    Exact,
}

/// Which products and sums a compiler makes one operation; the rules are in the documentation of the
/// module `resolve`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Contraction {
    /// None.
    Never,
    /// As ptxas does.
    Nvcc,
    /// As clang's AMD back end does.
    Clang {
        /// Whether two additions of one kind become one packed operation rather than two fused ones
        /// (gfx90a, gfx942).
        packed: bool,
    },
}

/// How a quotient, or a square root, is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Division {
    /// Rounded correctly.
    Correct,
    /// Rounded correctly, subnormal operands and results flushed.
    Flushed,
    /// By the hardware's approximations.
    Approximate,
}

/// Where mathematical functions come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Functions {
    /// The C library of this machine.
    Library,
    /// CUDA's library.
    Cuda,
    /// CUDA's library, intrinsics in the place of the functions that have one.
    CudaFast,
    /// The nearest number: what stands in where a chip's bits are not public.
    Nearest,
    /// The nearest number, of the formulas that the chip's headers write.
    Ascend950,
}

/// The bits of a NaN that an operation gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Nan {
    /// The executing processor's.
    Processor,
    /// f32 gives 0x7fffffff, f16 and bf16 0x7fff; f64 as the processor's.
    Canonical,
}

/// Names a part in which two profiles can differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PartId {
    /// Fused multiply-add in f32 and f64.
    Contraction,
    /// Fused multiply-add in f16 and bf16.
    NarrowContraction,
    /// Whether f32 keeps subnormals.
    Subnormals,
    /// `/` of f32.
    Division,
    /// The square root of f32.
    SquareRoot,
    /// One mathematical function.
    Function(MathFunction),
    /// Lanes of a warp.
    WarpWidth,
    /// What the matrix unit computes.
    MatrixUnit,
    /// The bits of NaN.
    Nan,
    /// NaN to integers.
    NanToInteger,
}

/// A part in which two profiles differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Difference {
    /// The part.
    pub part: PartId,
    /// Its name, for people: `contraction`, `exp`, `warp width` …
    pub name: &'static str,
}

/// The parts. One value for each [`PartId`], but for functions, which have one set and exceptions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Parts {
    pub side: Side,
    pub contraction: Contraction,
    /// Whether f16 products and sums are fused.
    pub fuse_f16: bool,
    /// Whether bf16 products and sums are fused (else the product is rounded first).
    pub fuse_bf16: bool,
    pub flush: bool,
    pub division: Division,
    pub square_root: Division,
    pub functions: Functions,
    pub warp_width: u32,
    pub matrix: matrix::Unit,
    pub nan: Nan,
    pub nan_to_integer: NanToInteger,
}

#[derive(Debug)]
struct Data {
    name: String,
    parts: Parts,
    /// Functions that do not come from where the others do.
    exceptions: Vec<(MathFunction, Functions)>,
}

/// A float profile. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Profile {
    data: Arc<Data>,
}

/// No profile has this name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownProfile {
    /// The name.
    pub name: String,
    /// The name that comes nearest.
    pub nearest: Option<String>,
}

impl std::fmt::Display for UnknownProfile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "no float profile is named `{}`", self.name)?;
        if let Some(nearest) = &self.nearest {
            write!(f, "; is it `{nearest}`?")?;
        }
        Ok(())
    }
}

impl std::error::Error for UnknownProfile {}

const FAST_MATH: &str = "+fast-math";

impl Profile {
    /// The profile of this name: one of [`Profile::names`].
    pub fn named(name: &str) -> Result<Profile, UnknownProfile> {
        let (base, fast) = match name.strip_suffix(FAST_MATH) {
            Some(base) => (base, true),
            None => (name, false),
        };
        chips::ALL
            .iter()
            .find(|(known, _)| *known == base)
            .and_then(|(_, parts)| if fast { chips::fast_math(*parts) } else { Some(*parts) })
            .map(|parts| Profile::of(name.to_owned(), parts, Vec::new()))
            .ok_or_else(|| UnknownProfile { name: name.to_owned(), nearest: nearest(name) })
    }

    /// Every name, in a fixed order.
    pub fn names() -> Vec<String> {
        let mut names = Vec::new();
        for (name, parts) in chips::ALL {
            names.push((*name).to_owned());
            if chips::fast_math(*parts).is_some() {
                names.push(format!("{name}{FAST_MATH}"));
            }
        }
        names
    }

    fn of(name: String, parts: Parts, exceptions: Vec<(MathFunction, Functions)>) -> Profile {
        Profile { data: Arc::new(Data { name, parts, exceptions }) }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.data.name
    }

    /// Whose arithmetic it is.
    pub fn side(&self) -> Side {
        self.data.parts.side
    }

    /// Lanes of a warp.
    pub fn warp_width(&self) -> u32 {
        self.data.parts.warp_width
    }

    /// The same with another number of lanes in a warp.
    pub fn with_warp_width(&self, lanes: u32) -> Profile {
        if lanes == self.warp_width() {
            return self.clone();
        }
        let parts = Parts { warp_width: lanes, ..self.data.parts };
        let name = format!("{} with warps of {lanes}", self.name());
        Profile::of(name, parts, self.data.exceptions.clone())
    }

    /// The bits of NaN that operations give. What executes a module applies
    /// [`arithmetic::canonical_f32`] to results where it is [`Nan::Canonical`].
    pub fn nan(&self) -> Nan {
        self.data.parts.nan
    }

    /// What NaN becomes as an integer.
    pub fn nan_to_integer(&self) -> NanToInteger {
        self.data.parts.nan_to_integer
    }

    pub(crate) fn contraction(&self) -> Contraction {
        self.data.parts.contraction
    }

    /// Whether products and sums of f16 or bf16 are fused.
    pub(crate) fn fuses_narrow(&self, scalar: Scalar) -> bool {
        match scalar {
            Scalar::F16 => self.data.parts.fuse_f16,
            Scalar::Bf16 => self.data.parts.fuse_bf16,
            _ => false,
        }
    }

    pub(crate) fn division(&self) -> Division {
        self.data.parts.division
    }

    pub(crate) fn flushes(&self) -> bool {
        self.data.parts.flush
    }

    pub(crate) fn functions(&self, function: MathFunction) -> Functions {
        self.data
            .exceptions
            .iter()
            .find(|(known, _)| *known == function)
            .map_or(self.data.parts.functions, |(_, functions)| *functions)
    }

    /// The function on f32; `None` if the profile has none, or it is a function of integers.
    pub fn f32_function(&self, function: MathFunction, flags: FloatFlags) -> Option<F32Function> {
        use MathFunction as M;
        if flags.rounding != Rounding::NearestEven
            && let Some(directed) = directed_f32(function, flags.rounding)
        {
            return Some(directed);
        }
        match (self.functions(function), function) {
            (Functions::Library | Functions::Nearest | Functions::Ascend950, M::SquareRoot)
                if flags.flush =>
            {
                Some(F32Function::Unary(|x| arithmetic::f32::sqrt(x, FLUSHED)))
            }
            (Functions::Library, _) => libm::f32(function),
            (Functions::Cuda | Functions::CudaFast, _) => {
                let sm = match self.side() {
                    Side::Cuda(sm) => sm,
                    // Its functions in a profile of another side.
                    _ => 80,
                };
                math::cuda_f32_on(sm, function, flags).or_else(|| libm::f32(function))
            }
            (Functions::Nearest, _) => math::correct_f32(function),
            (Functions::Ascend950, _) => {
                ascend_950(function).or_else(|| math::correct_f32(function))
            }
        }
    }

    /// A form of [`Profile::f32_function`] for many numbers at once, with the same bits.
    pub fn f32_chunk_function(
        &self,
        function: MathFunction,
        flags: FloatFlags,
    ) -> Option<ChunkFunction> {
        let plain = flags.rounding == Rounding::NearestEven;
        let chunk = match (self.functions(function), function) {
            (Functions::Library, MathFunction::Exp) if plain => ChunkFunction::Exp,
            (Functions::Library, MathFunction::ReciprocalSquareRoot) if plain => {
                ChunkFunction::ReciprocalSquareRoot
            }
            _ => return None,
        };
        chunk.agrees(libm::f32(function)?).then_some(chunk)
    }

    /// The function on f64; `None` if the profile has none, or it is a function of integers.
    pub fn f64_function(&self, function: MathFunction, flags: FloatFlags) -> Option<F64Function> {
        if flags.rounding != Rounding::NearestEven
            && let Some(directed) = directed_f64(function, flags.rounding)
        {
            return Some(directed);
        }
        match self.functions(function) {
            Functions::Library => libm::f64(function),
            Functions::Cuda | Functions::CudaFast => {
                math::cuda_f64(function).or_else(|| libm::f64(function))
            }
            Functions::Nearest | Functions::Ascend950 => math::correct_f64(function),
        }
    }

    /// The function on f16 or bf16: takes the operands as f32, exactly, and gives an f32 that is to
    /// be rounded once more, to the nearest, ties to even.
    pub fn narrow_function(
        &self,
        scalar: Scalar,
        function: MathFunction,
        flags: FloatFlags,
    ) -> Option<F32Function> {
        if !matches!(scalar, Scalar::F16 | Scalar::Bf16) {
            return None;
        }
        let flags = FloatFlags { flush: false, ..flags };
        if matches!(self.functions(function), Functions::Cuda | Functions::CudaFast)
            && let Some(narrow) = math::cuda_narrow(scalar, function, flags)
        {
            return Some(narrow);
        }
        self.f32_function(function, flags)
    }

    /// How f32 is divided with these flags, where they ask for more than the exact quotient
    /// rounded ([`arithmetic::f32::div`]).
    pub fn f32_division(&self, flags: FloatFlags) -> Option<fn(f32, f32) -> f32> {
        let cuda = matches!(self.data.parts.side, Side::Cuda(_));
        match (flags.approximate && cuda, flags.flush) {
            (true, true) => Some(|a, b| math::approximate::divide(a, b, true)),
            (true, false) => Some(|a, b| math::approximate::divide(a, b, false)),
            _ => None,
        }
    }

    /// What the matrix unit computes on inputs of this kind with this accumulator; `None` if the
    /// chip has no such operation.
    pub fn matrix_model(&self, input: FragmentElement, accumulator: Scalar) -> Option<MatrixModel> {
        matrix::model(self.data.parts.matrix, input, accumulator)
    }

    /// How far the chip's own results of a function on f32 may lie from the exact ones, where this
    /// profile computes a stand-in; `None` where it claims the bits.
    pub fn envelope(&self, function: MathFunction) -> Option<Envelope> {
        evidence::envelope(self.side(), self.functions(function), function, false)
    }

    /// The same of a function on f64.
    pub fn f64_envelope(&self, function: MathFunction) -> Option<Envelope> {
        evidence::envelope(self.side(), self.functions(function), function, true)
    }

    /// How far the chip's matrix unit may lie from this profile's; `None` where the bits are claimed.
    pub fn matrix_envelope(&self) -> Option<Envelope> {
        evidence::matrix_envelope(self.data.parts.matrix)
    }

    /// What it is made of, and how well each part is known.
    pub fn parts(&self) -> Vec<Part> {
        evidence::parts(self)
    }

    /// The parts in which another profile differs.
    pub fn differences(&self, other: &Profile) -> Vec<Difference> {
        let (a, b) = (&self.data.parts, &other.data.parts);
        let mut differences = Vec::new();
        let mut differ = |differs: bool, part: PartId, name: &'static str| {
            if differs {
                differences.push(Difference { part, name });
            }
        };
        differ(a.contraction != b.contraction, PartId::Contraction, "contraction");
        differ(
            (a.fuse_f16, a.fuse_bf16) != (b.fuse_f16, b.fuse_bf16),
            PartId::NarrowContraction,
            "f16 contraction",
        );
        differ(a.flush != b.flush, PartId::Subnormals, "subnormals");
        differ(a.division != b.division, PartId::Division, "division");
        differ(a.square_root != b.square_root, PartId::SquareRoot, "square root");
        differ(a.warp_width != b.warp_width, PartId::WarpWidth, "warp width");
        differ(a.matrix != b.matrix, PartId::MatrixUnit, "matrix unit");
        differ(a.nan != b.nan, PartId::Nan, "bits of NaN");
        differ(a.nan_to_integer != b.nan_to_integer, PartId::NanToInteger, "NaN to integer");
        for function in MathFunction::ALL {
            let has_bits = libm::f32(*function).is_some();
            let differs = self.functions(*function) != other.functions(*function);
            differ(has_bits && differs, PartId::Function(*function), function.name());
        }
        differences
    }

    /// This profile with one part of another.
    pub fn with(&self, part: PartId, from: &Profile) -> Profile {
        let (mut parts, other) = (self.data.parts, &from.data.parts);
        let mut exceptions = self.data.exceptions.clone();
        let what = match part {
            PartId::Contraction => {
                parts.contraction = other.contraction;
                "contraction"
            }
            PartId::NarrowContraction => {
                (parts.fuse_f16, parts.fuse_bf16) = (other.fuse_f16, other.fuse_bf16);
                "f16 contraction"
            }
            PartId::Subnormals => {
                parts.flush = other.flush;
                "subnormals"
            }
            PartId::Division => {
                parts.division = other.division;
                "division"
            }
            PartId::SquareRoot => {
                parts.square_root = other.square_root;
                "square root"
            }
            PartId::Function(function) => {
                exceptions.retain(|(known, _)| *known != function);
                exceptions.push((function, from.functions(function)));
                exceptions.sort_by_key(|(known, _)| *known);
                function.name()
            }
            PartId::WarpWidth => {
                parts.warp_width = other.warp_width;
                "warp width"
            }
            PartId::MatrixUnit => {
                parts.matrix = other.matrix;
                "matrix unit"
            }
            PartId::Nan => {
                parts.nan = other.nan;
                "bits of NaN"
            }
            PartId::NanToInteger => {
                parts.nan_to_integer = other.nan_to_integer;
                "NaN to integer"
            }
        };
        Profile::of(format!("{} with {what} of {}", self.name(), from.name()), parts, exceptions)
    }

    /// This profile with products and sums fused where the compiler of another fuses them.
    pub fn fused_as(&self, other: &Profile) -> Profile {
        let mut parts = self.data.parts;
        let (fuse_f16, fuse_bf16) = (other.data.parts.fuse_f16, other.data.parts.fuse_bf16);
        parts.contraction = other.data.parts.contraction;
        (parts.fuse_f16, parts.fuse_bf16) = (fuse_f16, fuse_bf16);
        let name = format!("{} fused as {}", self.name(), other.name());
        Profile::of(name, parts, self.data.exceptions.clone())
    }

    /// The flags with which a function of f32 is computed, from those that the source gives it.
    pub(crate) fn function_flags(&self, function: MathFunction, flags: FloatFlags) -> FloatFlags {
        use MathFunction as M;
        let mut flags = FloatFlags { flush: flags.flush || self.data.parts.flush, ..flags };
        let directed = flags.rounding != Rounding::NearestEven;
        match function {
            M::SquareRoot if !directed => match self.data.parts.square_root {
                Division::Correct => {}
                Division::Flushed => flags.flush = true,
                Division::Approximate => flags.approximate = true,
            },
            M::Reciprocal if !directed => match self.data.parts.division {
                Division::Correct => {}
                Division::Flushed => flags.flush = true,
                Division::Approximate => flags.approximate = true,
            },
            _ if self.functions(function) == Functions::CudaFast => flags.approximate = true,
            _ => {}
        }
        flags
    }

    /// The flags with which f32 operands are combined, from those that the source gives it.
    pub(crate) fn operation_flags(&self, op: FloatOp, flags: FloatFlags) -> FloatFlags {
        let mut flags = FloatFlags { flush: flags.flush || self.data.parts.flush, ..flags };
        if op == FloatOp::Divide && flags.rounding == Rounding::NearestEven {
            match self.data.parts.division {
                Division::Correct => {}
                Division::Flushed => flags.flush = true,
                Division::Approximate => flags.approximate = true,
            }
        }
        flags
    }
}

const FLUSHED: FloatFlags = FloatFlags { flush: true, ..FloatFlags::STRICT };

/// Square roots and reciprocals that are rounded in a direction.
fn directed_f32(function: MathFunction, rounding: Rounding) -> Option<F32Function> {
    macro_rules! rounded {
        ($rounding:ident) => {{
            const FLAGS: FloatFlags =
                FloatFlags { rounding: Rounding::$rounding, ..FloatFlags::STRICT };
            match function {
                MathFunction::SquareRoot => F32Function::Unary(|x| arithmetic::f32::sqrt(x, FLAGS)),
                MathFunction::Reciprocal => {
                    F32Function::Unary(|x| arithmetic::f32::div(1.0, x, FLAGS))
                }
                _ => return None,
            }
        }};
    }
    Some(match rounding {
        Rounding::NearestEven => return None,
        Rounding::TowardZero => rounded!(TowardZero),
        Rounding::Up => rounded!(Up),
        Rounding::Down => rounded!(Down),
        Rounding::NearestAway => rounded!(NearestAway),
    })
}

fn directed_f64(function: MathFunction, rounding: Rounding) -> Option<F64Function> {
    macro_rules! rounded {
        ($rounding:ident) => {{
            const FLAGS: FloatFlags =
                FloatFlags { rounding: Rounding::$rounding, ..FloatFlags::STRICT };
            match function {
                MathFunction::SquareRoot => F64Function::Unary(|x| arithmetic::f64::sqrt(x, FLAGS)),
                MathFunction::Reciprocal => {
                    F64Function::Unary(|x| arithmetic::f64::div(1.0, x, FLAGS))
                }
                _ => return None,
            }
        }};
    }
    Some(match rounding {
        Rounding::NearestEven => return None,
        Rounding::TowardZero => rounded!(TowardZero),
        Rounding::Up => rounded!(Up),
        Rounding::Down => rounded!(Down),
        Rounding::NearestAway => rounded!(NearestAway),
    })
}

/// The formulas of the chip's headers, over functions that are themselves exact but for rounding:
/// the best that they can give.
fn ascend_950(function: MathFunction) -> Option<F32Function> {
    use crate::arithmetic::flush_f32;
    use MathFunction as M;
    Some(F32Function::Unary(match function {
        M::Tanh => |x| 1.0 - 2.0 / (nearest_exp(2.0 * x) + 1.0),
        M::LogOnePlus => |x| nearest_log(1.0 + x),
        M::Exp => |x| nearest_exp(x),
        M::Log => |x| nearest_log(x),
        M::SquareRoot => |x| flush_f32(flush_f32(x).sqrt()),
        M::Reciprocal => |x| flush_f32(1.0 / flush_f32(x)),
        M::ReciprocalSquareRoot => |x| 1.0 / flush_f32(x).sqrt(),
        _ => return None,
    }))
}

fn nearest_exp(x: f32) -> f32 {
    arithmetic::flush_f32(f64::from(arithmetic::flush_f32(x)).exp() as f32)
}

fn nearest_log(x: f32) -> f32 {
    arithmetic::flush_f32(f64::from(arithmetic::flush_f32(x)).ln() as f32)
}

/// The known name with the longest common start.
fn nearest(name: &str) -> Option<String> {
    let common = |known: &str| known.bytes().zip(name.bytes()).take_while(|(a, b)| a == b).count();
    let mut best: Option<(usize, String)> = None;
    for known in Profile::names() {
        let shared = common(&known);
        if shared > best.as_ref().map_or(2, |(most, _)| *most) {
            best = Some((shared, known));
        }
    }
    best.map(|(_, known)| known)
}
