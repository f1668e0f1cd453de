//! Values of the IR as registers: each scalar, vector component, pointer and aggregate member is one.

use port_ir::{Fragment, FragmentElement, FragmentUse, MatrixLayout, Scalar, Type, Types};

use super::Class;

/// A register's worth of a value, and where it lies in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) offset: u64,
    /// What it is; a pointer is a `u64`.
    pub(crate) scalar: Scalar,
}

impl Part {
    pub(crate) fn class(self) -> Class {
        class_of(self.scalar)
    }

    pub(crate) fn end(self) -> u64 {
        self.offset + self.scalar.size()
    }
}

/// The registers that hold a scalar.
pub(crate) fn class_of(scalar: Scalar) -> Class {
    match scalar {
        Scalar::Bool => Class::B,
        scalar if scalar.size() == 8 => Class::D,
        _ => Class::W,
    }
}

/// The most registers of one value.
pub(crate) const MOST_PARTS: usize = 2048;

/// How the elements of a fragment are spread over the lanes of a warp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FragmentLayout {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    /// Elements of one storage scalar, neighbours in memory.
    pub(crate) packed: usize,
    /// Whether elements are numbered column by column: packed ones, where their matrix lies so.
    pub(crate) by_columns: bool,
    pub(crate) storage: Scalar,
    /// Storage scalars that each lane holds: number `n` of lane `l` is number `n * lanes + l`.
    pub(crate) length: usize,
}

pub(crate) fn fragment(fragment: Fragment, lanes: usize) -> FragmentLayout {
    let [m, n, k] = [fragment.m, fragment.n, fragment.k].map(usize::from);
    let (rows, columns) = match fragment.operand {
        FragmentUse::A => (m, k),
        FragmentUse::B => (k, n),
        FragmentUse::Accumulator => (m, n),
    };
    let packed = match fragment.element {
        FragmentElement::I4 | FragmentElement::U4 => 8,
        FragmentElement::B1 => 32,
        _ => 1,
    };
    let storage = fragment.element.storage();
    let length = (rows * columns).div_ceil(packed).div_ceil(lanes.max(1));
    let by_columns = packed > 1 && fragment.layout == Some(MatrixLayout::ColumnMajor);
    FragmentLayout { rows, columns, packed, by_columns, storage, length }
}

/// The parts of a type in the order of its members; `None` if they are too many.
pub(crate) fn parts(types: &Types, ty: Type, lanes: usize) -> Option<Vec<Part>> {
    let mut out = Vec::new();
    add(types, ty, 0, lanes, &mut out, 0)?;
    Some(out)
}

fn add(
    types: &Types,
    ty: Type,
    offset: u64,
    lanes: usize,
    out: &mut Vec<Part>,
    depth: usize,
) -> Option<()> {
    if out.len() > MOST_PARTS || depth > 64 {
        return None;
    }
    match ty {
        Type::Scalar(scalar) => out.push(Part { offset, scalar }),
        Type::Pointer(_) => out.push(Part { offset, scalar: Scalar::U64 }),
        Type::Vector(scalar, size) => {
            for index in 0..u64::from(size.count()) {
                out.push(Part { offset: offset + index * scalar.size(), scalar });
            }
        }
        Type::Array(handle) => {
            let array = types.arrays().get(handle)?;
            // Arrays of fragments have no layout in the IR; here they lie one after the other.
            let stride = size_of(types, array.element, lanes)?;
            if array.length > MOST_PARTS as u64 {
                return None;
            }
            for index in 0..array.length {
                add(types, array.element, offset + index * stride, lanes, out, depth + 1)?;
            }
        }
        Type::Struct(handle) => {
            let structure = types.structs().get(handle)?;
            if overlaps(types, ty, lanes) {
                out.extend(raw_parts(offset, structure.size)?);
            } else {
                for member in &structure.members {
                    add(types, member.ty, offset + member.offset, lanes, out, depth + 1)?;
                }
            }
        }
        Type::Fragment(it) => {
            let layout = fragment(it, lanes);
            for index in 0..layout.length as u64 {
                let offset = offset + index * layout.storage.size();
                out.push(Part { offset, scalar: layout.storage });
            }
        }
    }
    (out.len() <= MOST_PARTS).then_some(())
}

/// Bytes of a value in the machine's memory: fragments have a size here.
pub(crate) fn size_of(types: &Types, ty: Type, lanes: usize) -> Option<u64> {
    match ty {
        Type::Fragment(it) => {
            let layout = fragment(it, lanes);
            Some(layout.length as u64 * layout.storage.size())
        }
        Type::Array(handle) => {
            let array = types.arrays().get(handle)?;
            size_of(types, array.element, lanes)?.checked_mul(array.length)
        }
        other => types.layout(other).map(|layout| layout.size),
    }
}

/// Whether some members of a struct share bytes: a union, which is kept as words.
pub(crate) fn overlaps(types: &Types, ty: Type, lanes: usize) -> bool {
    let Type::Struct(handle) = ty else { return false };
    let Some(structure) = types.structs().get(handle) else { return false };
    let mut end = 0;
    let mut ranges: Vec<(u64, u64)> = structure
        .members
        .iter()
        .map(|m| (m.offset, m.offset + size_of(types, m.ty, lanes).unwrap_or(0)))
        .collect();
    ranges.sort_unstable();
    for (start, stop) in ranges {
        if start < end {
            return true;
        }
        end = end.max(stop);
    }
    false
}

/// Words, and bytes where no word fits.
fn raw_parts(offset: u64, size: u64) -> Option<Vec<Part>> {
    if size > 4 * MOST_PARTS as u64 {
        return None;
    }
    let mut out = Vec::new();
    let mut at = offset;
    while at < offset + size {
        let scalar =
            if at.is_multiple_of(4) && offset + size - at >= 4 { Scalar::U32 } else { Scalar::U8 };
        out.push(Part { offset: at, scalar });
        at += scalar.size();
    }
    Some(out)
}
