//! Matrix operations: a warp's lanes hold a tile together, and its unit multiplies two.

use port_float::matrix::{MatrixModel, Shape};
use port_ir::{Fragment, FragmentElement, Scalar};

use super::access::{Double, S8, U8, U16, Word};
use super::lanes::Kernel;
use super::{CHUNK, Inst, Machine};
use crate::compile::layout::{self, FragmentLayout};

/// A matrix operation.
#[derive(Clone, Debug)]
pub(crate) struct MatrixInst {
    pub(crate) work: MatrixWork,
    pub(crate) reads: Vec<u32>,
    pub(crate) writes: Vec<u32>,
    /// Of an instruction that makes twins: which of what it reads has none.
    pub(crate) plain: Vec<bool>,
}

/// Which.
#[derive(Clone, Debug)]
pub(crate) enum MatrixWork {
    /// Reads pointer and stride; the flag says whether the matrix lies row by row.
    Load(Fragment, bool),
    /// Reads pointer, stride and the fragment.
    Store(Fragment, bool),
    /// Reads the fragments a, b and c.
    Multiply {
        /// a, b, c and the result.
        fragments: [Fragment; 4],
        model: MatrixModel,
        saturate: bool,
    },
}

/// Loads, stores or multiplies.
pub(crate) struct Matrix;
impl Kernel for Matrix {
    #[inline(always)]
    fn run(m: &mut Machine<'_>, i: &Inst) {
        run(m, i);
    }
}

fn run(m: &mut Machine<'_>, i: &Inst) {
    let code = m.code;
    let Some(inst) = code.matrices.get(i.imm as usize) else { return };
    let lanes = m.unit.chunks * CHUNK;
    // A fragment's register becomes a vector once, and is written element by element.
    for register in &inst.writes {
        match is_wide(&inst.work) {
            true => m.unit.d.make_vector(*register),
            false => m.unit.w.make_vector(*register),
        };
    }
    for start in (0..lanes).step_by(m.warp_width) {
        let active = m.active(start);
        if active == 0 {
            continue;
        }
        if active != u64::MAX >> (64 - m.warp_width.clamp(1, 64)) {
            // What lanes that are not there hold is what was there last.
            super::parallel::depends_on_order(m);
        }
        let leader = start + active.trailing_zeros() as usize;
        match &inst.work {
            MatrixWork::Load(fragment, by_rows) => {
                load(m, i, inst, *fragment, *by_rows, start, leader);
            }
            MatrixWork::Store(fragment, by_rows) => {
                store(m, i, inst, *fragment, *by_rows, start, leader);
            }
            MatrixWork::Multiply { fragments, model, saturate } => {
                let [a, b, c, d] = fragments.map(|it| layout::fragment(it, m.warp_width));
                let mut first = 0;
                let mut read = |layout: &FragmentLayout, fragment: Fragment| {
                    let registers = inst.reads.get(first..first + layout.length).unwrap_or(&[]);
                    first += layout.length;
                    entries(m, registers, layout, fragment.element, start)
                };
                let (x, y, z) =
                    (read(&a, fragments[0]), read(&b, fragments[1]), read(&c, fragments[2]));
                let shape = Shape { m: a.rows, n: b.columns, k: a.columns };
                let result = model.multiply(shape, &x, &y, &z, *saturate);
                for (index, bits) in result.into_iter().enumerate() {
                    put(m, &inst.writes, &d, start, index, bits);
                }
            }
        }
        if m.fault.is_some() {
            return;
        }
    }
}

fn is_wide(work: &MatrixWork) -> bool {
    let fragment = match work {
        MatrixWork::Load(fragment, _) | MatrixWork::Store(fragment, _) => fragment,
        MatrixWork::Multiply { fragments, .. } => &fragments[3],
    };
    fragment.element.storage().size() == 8
}

/// The bits of all elements, row by row.
fn entries(
    m: &Machine<'_>,
    registers: &[u32],
    layout: &FragmentLayout,
    element: FragmentElement,
    start: usize,
) -> Vec<u64> {
    let count = layout.rows * layout.columns;
    (0..count)
        .map(|index| {
            let (row, column) = (index / layout.columns, index % layout.columns);
            let index = if layout.by_columns { column * layout.rows + row } else { index };
            let word = get(m, registers, layout, start, index / layout.packed);
            let place = (index % layout.packed) as u32;
            match element {
                FragmentElement::I4 | FragmentElement::U4 => word >> (4 * place) & 15,
                FragmentElement::B1 => word >> place & 1,
                FragmentElement::Scalar(Scalar::I8) => word & 0xff,
                FragmentElement::Scalar(Scalar::I16) => word & 0xffff,
                _ => word,
            }
        })
        .collect()
}

/// A storage scalar of a fragment.
fn get(
    m: &Machine<'_>,
    registers: &[u32],
    layout: &FragmentLayout,
    start: usize,
    index: usize,
) -> u64 {
    let (lane, number) = (start + index % m.warp_width, index / m.warp_width);
    let Some(register) = registers.get(number) else { return 0 };
    if lane >= m.unit.chunks * CHUNK {
        return 0;
    }
    match layout.storage.size() {
        8 => m.unit.d.get(*register, lane),
        _ => u64::from(m.unit.w.get(*register, lane)),
    }
}

fn put(
    m: &mut Machine<'_>,
    registers: &[u32],
    layout: &FragmentLayout,
    start: usize,
    index: usize,
    bits: u64,
) {
    let (lane, number) = (start + index % m.warp_width, index / m.warp_width);
    let Some(register) = registers.get(number) else { return };
    if lane >= m.unit.chunks * CHUNK {
        return;
    }
    match layout.storage.size() {
        8 => {
            let place = m.unit.d.start(*register) + lane / CHUNK;
            m.unit.d.data[place][lane % CHUNK] = bits;
        }
        _ => {
            let place = m.unit.w.start(*register) + lane / CHUNK;
            m.unit.w.data[place][lane % CHUNK] = bits as u32;
        }
    }
}

/// The address of a storage scalar, from the element that it begins with.
pub(super) fn place(
    layout: &FragmentLayout,
    by_rows: bool,
    pointer: u64,
    stride: u64,
    index: usize,
) -> u64 {
    let index = index * layout.packed;
    let (row, column) = match layout.by_columns {
        true => (index % layout.rows, index / layout.rows),
        false => (index / layout.columns, index % layout.columns),
    };
    let (major, minor) = if by_rows { (row, column) } else { (column, row) };
    let element = (major as u64).wrapping_mul(stride).wrapping_add(minor as u64);
    let size = layout.storage.size();
    pointer.wrapping_add((element / layout.packed as u64).wrapping_mul(size))
}

fn load(
    m: &mut Machine<'_>,
    i: &Inst,
    inst: &MatrixInst,
    fragment: Fragment,
    by_rows: bool,
    start: usize,
    leader: usize,
) {
    let [pointer, stride] =
        [0, 1].map(|n| inst.reads.get(n).map_or(0, |r| m.unit.d.get(*r, leader)));
    let layout = layout::fragment(fragment, m.warp_width);
    for index in 0..(layout.rows * layout.columns).div_ceil(layout.packed) {
        let address = place(&layout, by_rows, pointer, stride, index);
        let lane = start + index % m.warp_width;
        if m.hooked {
            crate::check::before_one(m, i, lane, address, layout.storage.size(), false);
        }
        let bits = match layout.storage {
            Scalar::I8 => m.read_one::<S8>(address, i, lane).into(),
            scalar => match scalar.size() {
                1 => m.read_one::<U8>(address, i, lane).into(),
                2 => m.read_one::<U16>(address, i, lane).into(),
                4 => m.read_one::<Word>(address, i, lane).into(),
                _ => m.read_one::<Double>(address, i, lane),
            },
        };
        put(m, &inst.writes, &layout, start, index, bits);
        if m.fault.is_some() {
            return;
        }
    }
}

fn store(
    m: &mut Machine<'_>,
    i: &Inst,
    inst: &MatrixInst,
    fragment: Fragment,
    by_rows: bool,
    start: usize,
    leader: usize,
) {
    let [pointer, stride] =
        [0, 1].map(|n| inst.reads.get(n).map_or(0, |r| m.unit.d.get(*r, leader)));
    let layout = layout::fragment(fragment, m.warp_width);
    let registers = inst.reads.get(2..).unwrap_or(&[]);
    for index in 0..(layout.rows * layout.columns).div_ceil(layout.packed) {
        let address = place(&layout, by_rows, pointer, stride, index);
        let lane = start + index % m.warp_width;
        let bits = get(m, registers, &layout, start, index);
        if m.hooked {
            crate::check::before_one(m, i, lane, address, layout.storage.size(), true);
        }
        match layout.storage.size() {
            1 => m.write_one::<U8>(address, bits as u32, i, lane),
            2 => m.write_one::<U16>(address, bits as u32, i, lane),
            4 => m.write_one::<Word>(address, bits as u32, i, lane),
            _ => m.write_one::<Double>(address, bits, i, lane),
        }
        if m.fault.is_some() {
            return;
        }
    }
}
