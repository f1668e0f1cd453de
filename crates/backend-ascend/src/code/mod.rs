//! IR as plain C++ of the device: expressions, addresses and the statements of one thread.
//!
//! The SIMT form prints a kernel nearly one to one with it; the loops of the scalar unit print what
//! stands between two barriers with it. It knows address spaces (`__gm__`, `__ubuf__`), the types
//! that the device has, and what it lacks (`double`), but not where threads come from: a
//! [`Printer`] is told by its [`Form`].
//!
//! Signed additions stay the plain operators that the user wrote: what overflows there is undefined
//! in the source too. Shifts, conversions of floats to integers and half-precision arithmetic are
//! spelled out where C++ and CUDA differ, by small functions that [`helpers`] holds.

pub(crate) mod admit;
pub(crate) mod choices;
pub(crate) mod decided;
mod double_functions;
mod double_math;
mod expression;
pub(crate) mod frame;
mod functions;
pub(crate) mod helpers;
mod math;
pub(crate) mod members;
mod place;
mod printer;
mod scalar_math;
mod spaces;
mod statement;
pub(crate) mod types;

use std::collections::BTreeSet;

use port_diag::{Origin, SourceMap};
use port_ir::analysis::program::Program;
use port_ir::analysis::uniformity::ModuleUniformity;
use port_ir::{CompareOp, Rounding};

use crate::kernel::NotTranslated;

pub(crate) use port_backend::text::{cpp, facts, writer};
pub(crate) use printer::{Printer, has_word};

/// The namespace of all that forms of this crate define for the device.
pub(crate) const NAMESPACE: &str = "port_device";

/// A float as C++ spells it.
pub(crate) fn float_text(value: f32) -> String {
    if value.is_nan() {
        return "__builtin_nanf(\"\")".to_owned();
    }
    if value.is_infinite() {
        let sign = if value < 0.0 { "-" } else { "" };
        return format!("{sign}__builtin_inff()");
    }
    let text = format!("{value:?}");
    let text = if text.contains(['.', 'e']) { text } else { format!("{text}.0") };
    format!("{text}f")
}

/// The `RoundMode` of the instruction `Cast`.
pub(crate) const fn cast_mode(rounding: Rounding) -> &'static str {
    match rounding {
        Rounding::NearestEven => "CAST_RINT",
        Rounding::TowardZero => "CAST_TRUNC",
        Rounding::Up => "CAST_CEIL",
        Rounding::Down => "CAST_FLOOR",
        Rounding::NearestAway => "CAST_ROUND",
    }
}

/// The `CMPMODE` of the instructions that compare.
pub(crate) const fn compare_mode(op: CompareOp) -> &'static str {
    match op {
        CompareOp::Equal => "EQ",
        CompareOp::NotEqual => "NE",
        CompareOp::Less => "LT",
        CompareOp::LessEqual => "LE",
        CompareOp::Greater => "GT",
        CompareOp::GreaterEqual => "GE",
    }
}

/// Who executes the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Threads of the 950.
    Threads,
    /// The scalar unit of a 910B core, which runs the threads of a block one after the other.
    Scalar,
}

/// What the printer looks at: a flattened module and what is known of it.
pub(crate) struct Context<'c, 'a> {
    pub(crate) program: &'c Program<'a>,
    pub(crate) uniformity: &'c ModuleUniformity,
    pub(crate) sources: &'c SourceMap,
    pub(crate) reserved: &'c BTreeSet<String>,
    pub(crate) form: Form,
}

/// A refusal whose place the caller knows.
pub(crate) fn refuse(reason: impl Into<String>) -> NotTranslated {
    let nowhere = Origin::plain(port_diag::Span::new(port_diag::FileId(0), 0, 0));
    NotTranslated { reason: reason.into(), origin: nowhere }
}

/// A refusal with the place where it came up.
pub(crate) fn placed(mut refused: NotTranslated, at: Origin) -> NotTranslated {
    if refused.origin.span.is_empty() {
        refused.origin = at;
    }
    refused
}
