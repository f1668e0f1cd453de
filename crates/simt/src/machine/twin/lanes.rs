//! Twins that go from lane to lane: shuffles and fragments of matrices. And what rounding adds, by
//! statement.

use port_ir::{Scalar, ShuffleMode};

use super::dd::Dd;
use super::{Kind, State, kind_of};
use crate::machine::lanes::Kernel;
use crate::machine::matrix::{MatrixInst, MatrixWork};
use crate::machine::warp::{NONE, WarpInst, WarpKind, source};
use crate::machine::{CHUNK, Inst, Machine, matrix};

/// What rounding does at a statement.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct SiteError {
    /// Of the result against its twin, relative.
    pub(crate) total: f64,
    /// Of the operation alone: against the exact result for its operands' values.
    pub(crate) own: f64,
}

fn relative(value: f64, exact: Dd) -> f64 {
    let difference = ((value - exact.hi) - exact.lo).abs();
    match difference {
        0.0 => 0.0,
        _ if !difference.is_finite() || exact.hi == 0.0 => 0.0,
        _ => difference / exact.hi.abs(),
    }
}

/// Notes how far the results of the active lanes are from their twins, and from `exact`.
pub(crate) fn note_error(m: &mut Machine<'_>, i: &Inst, exact: impl Fn(&Machine<'_>, usize) -> Dd) {
    note_error_as(m, i, kind_of(i), exact);
}

#[cold]
#[inline(never)]
pub(crate) fn note_error_as(
    m: &mut Machine<'_>,
    i: &Inst,
    kind: Kind,
    exact: impl Fn(&Machine<'_>, usize) -> Dd,
) {
    let Some(mut errors) = m.errors.take() else { return };
    let state = match kind.is_wide() {
        true => m.unit.double_twins.state(i.d),
        false => m.unit.word_twins.state(i.d),
    };
    if errors.len() <= i.site as usize {
        errors.resize(i.site as usize + 1, SiteError::default());
    }
    let site = &mut errors[i.site as usize];
    for lane in m.unit.mask.lanes(m.unit.chunks) {
        let value = kind.value(m.unit.bits_of(i.d, kind, lane)).hi;
        site.total = site.total.max(relative(value, m.unit.twin_lane(i.d, state, kind, lane)));
        site.own = site.own.max(relative(value, exact(m, lane)));
    }
    m.errors = Some(errors);
}

impl Machine<'_> {
    /// What was noted of rounding, by statement.
    pub(crate) fn site_errors(&mut self) -> Vec<crate::outcome::StatementError> {
        let errors = self.errors.take().unwrap_or_default();
        let sites = errors.into_iter().zip(&self.code.sites);
        let noted = sites.filter(|(error, _)| error.total != 0.0 || error.own != 0.0);
        noted
            .map(|(SiteError { total, own }, location)| crate::outcome::StatementError {
                location: *location,
                total,
                own,
            })
            .collect()
    }
}

/// The twin of what a shuffle gave; what is extra is the shuffle's number.
pub(crate) struct Shuffle;
impl Kernel for Shuffle {
    #[inline(always)]
    fn run(m: &mut Machine<'_>, i: &Inst) {
        let kind = kind_of(i);
        let code = m.code;
        let Some(inst) = code.warps.get((i.imm >> super::EXTRA) as usize) else { return };
        let WarpKind::Shuffle(mode) = inst.kind else { return };
        let state = m.unit.twin_state(i, 0, i.a, kind);
        match state {
            State::Vector => shuffle(m, i, inst, mode, kind),
            state => m.unit.twins(kind.is_wide()).set(i.d, state),
        }
    }
}

fn shuffle(m: &mut Machine<'_>, i: &Inst, inst: &WarpInst, mode: ShuffleMode, kind: Kind) {
    let (warp, chunks) = (m.warp_width, m.unit.chunks);
    let lanes = chunks * CHUNK;
    let width_of = |m: &Machine<'_>, lane: usize| {
        let width = match inst.width {
            NONE => warp,
            register => m.unit.w.get(register, lane) as usize,
        };
        if width.is_power_of_two() && width < warp { width } else { warp }
    };
    let same_width = inst.width == NONE || m.unit.w.uniform(inst.width).is_some();
    let mut known: Option<[u8; 64]> = None;
    if let (Some(by), true) = (m.unit.w.uniform(inst.lane), same_width) {
        let width = width_of(m, m.unit.mask.lowest());
        let mut sources = [0; 64];
        for (own, from) in sources.iter_mut().enumerate().take(warp) {
            *from = source(mode, own, by, width, warp).0 as u8;
        }
        known = Some(sources);
    }
    if let Some(sources) = &known
        && warp.is_multiple_of(CHUNK)
        && lanes.is_multiple_of(warp)
    {
        let twins = m.unit.twins(kind.is_wide());
        let (to, at) = (twins.start[i.d as usize], twins.start[i.a as usize]);
        for start in (0..chunks).step_by(warp / CHUNK) {
            whole(&mut twins.hi, to + start, at + start, &sources[..warp]);
            whole(&mut twins.lo, to + start, at + start, &sources[..warp]);
        }
        twins.set_vector(i.d);
        return;
    }
    for lane in 0..lanes {
        let (start, own) = (lane / warp * warp, lane % warp);
        let from = match &known {
            Some(sources) => usize::from(sources[own & 63]),
            None => source(mode, own, m.unit.w.get(inst.lane, lane), width_of(m, lane), warp).0,
        };
        let from = if start + from < lanes { start + from } else { lane };
        let twins = m.unit.twins(kind.is_wide());
        let (to, at) = (twins.start[i.d as usize], twins.start[i.a as usize]);
        twins.hi[to + lane / CHUNK][lane % CHUNK] = twins.hi[at + from / CHUNK][from % CHUNK];
        twins.lo[to + lane / CHUNK][lane % CHUNK] = twins.lo[at + from / CHUNK][from % CHUNK];
    }
    m.unit.twins(kind.is_wide()).set_vector(i.d);
}

/// Shuffles the lanes of a whole warp.
fn whole(rows: &mut [[f64; CHUNK]], to: usize, at: usize, sources: &[u8]) {
    let chunks = sources.len() / CHUNK;
    let mut before = [0.0; 64];
    for (before, value) in before.iter_mut().zip(rows[at..at + chunks].as_flattened()) {
        *before = *value;
    }
    let out = rows[to..to + chunks].as_flattened_mut();
    for (out, source) in out.iter_mut().zip(sources) {
        *out = before[usize::from(source & 63)];
    }
}

/// The twins of what a matrix instruction loads, stores or computes; `imm` is its number.
pub(crate) struct Matrix;
impl Kernel for Matrix {
    #[inline(always)]
    fn run(m: &mut Machine<'_>, i: &Inst) {
        work(m, i);
    }
}

fn work(m: &mut Machine<'_>, i: &Inst) {
    let code = m.code;
    let Some(inst) = code.matrices.get(i.imm as usize) else { return };
    let lanes = m.unit.chunks * CHUNK;
    for start in (0..lanes).step_by(m.warp_width) {
        let active = m.active(start);
        if active == 0 {
            continue;
        }
        let leader = start + active.trailing_zeros() as usize;
        match &inst.work {
            MatrixWork::Load(fragment, by_rows) => {
                let Some(kind) = fragment_kind(fragment.element) else { continue };
                let layout = crate::compile::layout::fragment(*fragment, m.warp_width);
                let [pointer, stride] =
                    [0, 1].map(|n| inst.reads.get(n).map_or(0, |r| m.unit.d.get(*r, leader)));
                for index in 0..layout.rows * layout.columns {
                    let address = matrix::place(&layout, *by_rows, pointer, stride, index);
                    let (lane, register) = element(m, &inst.writes, start, index);
                    let Some((_, register)) = register else { continue };
                    let bits = m.unit.bits_of(register, kind, lane);
                    let twin = super::memory::loaded(m, address, kind, bits, lane);
                    set_lane(m, register, kind, lane, twin);
                }
            }
            MatrixWork::Store(fragment, by_rows) => {
                let Some(kind) = fragment_kind(fragment.element) else { continue };
                let layout = crate::compile::layout::fragment(*fragment, m.warp_width);
                let [pointer, stride] =
                    [0, 1].map(|n| inst.reads.get(n).map_or(0, |r| m.unit.d.get(*r, leader)));
                let registers = inst.reads.get(2..).unwrap_or(&[]);
                for index in 0..layout.rows * layout.columns {
                    let address = matrix::place(&layout, *by_rows, pointer, stride, index);
                    let (lane, register) = element(m, registers, start, index);
                    let Some((number, register)) = register else { continue };
                    let bits = m.unit.bits_of(register, kind, lane);
                    let twin = lane_twin(m, inst, 2 + number, kind, lane);
                    super::memory::stored(m, address, kind, bits, twin, lane);
                }
            }
            MatrixWork::Multiply { fragments, .. } => {
                let kinds = fragments.map(|fragment| fragment_kind(fragment.element));
                let [Some(ka), Some(kb), Some(kc), Some(kd)] = kinds else { continue };
                let layouts =
                    fragments.map(|it| crate::compile::layout::fragment(it, m.warp_width));
                let mut first = 0;
                let mut read = |n: usize, kind: Kind| -> Vec<Dd> {
                    let layout = &layouts[n];
                    let registers = inst.reads.get(first..first + layout.length).unwrap_or(&[]);
                    let before = first;
                    first += layout.length;
                    (0..layout.rows * layout.columns)
                        .map(|index| {
                            let (row, column) = (index / layout.columns, index % layout.columns);
                            let index = match layout.by_columns {
                                true => column * layout.rows + row,
                                false => index,
                            };
                            let (lane, register) = element(m, registers, start, index);
                            register.map_or(Dd::default(), |(number, _)| {
                                lane_twin(m, inst, before + number, kind, lane)
                            })
                        })
                        .collect()
                };
                let (a, b, c) = (read(0, ka), read(1, kb), read(2, kc));
                let (rows, columns, depth) =
                    (layouts[0].rows, layouts[1].columns, layouts[0].columns);
                for row in 0..rows {
                    for column in 0..columns {
                        let at = row * columns + column;
                        let mut sum = c.get(at).copied().unwrap_or_default();
                        for k in 0..depth {
                            if let (Some(x), Some(y)) =
                                (a.get(row * depth + k), b.get(k * columns + column))
                            {
                                sum = x.fused(*y, sum);
                            }
                        }
                        let index = match layouts[3].by_columns {
                            true => column * layouts[3].rows + row,
                            false => at,
                        };
                        let (lane, register) = element(m, &inst.writes, start, index);
                        if let Some((_, register)) = register {
                            set_lane(m, register, kd, lane, sum);
                        }
                    }
                }
            }
        }
    }
}

/// The lane and register of a fragment's element.
fn element(
    m: &Machine<'_>,
    registers: &[u32],
    start: usize,
    index: usize,
) -> (usize, Option<(usize, u32)>) {
    let (lane, number) = (start + index % m.warp_width, index / m.warp_width);
    let there = lane < m.unit.chunks * CHUNK;
    (lane, registers.get(number).map(|register| (number, *register)).filter(|_| there))
}

fn fragment_kind(element: port_ir::FragmentElement) -> Option<Kind> {
    match element {
        port_ir::FragmentElement::Scalar(scalar) if scalar.is_float() => match scalar {
            Scalar::F8E4M3 | Scalar::F8E5M2 => None,
            scalar => Kind::of(scalar),
        },
        // Kept as f32.
        port_ir::FragmentElement::Tf32 => Some(Kind::F32),
        _ => None,
    }
}

/// The twin of what an instruction reads.
fn lane_twin(m: &Machine<'_>, inst: &MatrixInst, number: usize, kind: Kind, lane: usize) -> Dd {
    let Some(register) = inst.reads.get(number).copied() else { return Dd::default() };
    let plain = inst.plain.get(number) != Some(&false);
    let state = match (plain, kind.is_wide()) {
        (true, _) => State::Same,
        (false, true) => m.unit.double_twins.state(register),
        (false, false) => m.unit.word_twins.state(register),
    };
    m.unit.twin_lane(register, state, kind, lane)
}

/// Sets the twin of one lane; the register becomes a vector.
fn set_lane(m: &mut Machine<'_>, register: u32, kind: Kind, lane: usize, twin: Dd) {
    let state = match kind.is_wide() {
        true => m.unit.double_twins.state(register),
        false => m.unit.word_twins.state(register),
    };
    if state != State::Vector {
        for k in 0..m.unit.chunks {
            let (hi, lo) = m.unit.twin_chunk(register, state, kind, k);
            let twins = m.unit.twins(kind.is_wide());
            let start = twins.start[register as usize];
            twins.write(start + k, hi, lo);
        }
        m.unit.twins(kind.is_wide()).set_vector(register);
    }
    let twins = m.unit.twins(kind.is_wide());
    let at = twins.start[register as usize] + lane / CHUNK;
    (twins.hi[at][lane % CHUNK], twins.lo[at][lane % CHUNK]) = (twin.hi, twin.lo);
}
