//! What the lanes of a warp do together. Lanes of one warp lie beside each other in a unit.
//!
//! A lane's outcome is over the lanes of its own mask that are active: lanes of one warp may execute
//! one statement with different masks.

use port_ir::{ReduceOp, Scalar, ShuffleMode, VoteKind};

use super::access::{Double, Element, Word};
use super::lanes::Kernel;
use super::registers::{File, Raw};
use super::{CHUNK, Inst, MAX_CHUNKS, Machine};
use crate::outcome::FindingKind;

/// No register.
pub(crate) const NONE: u32 = u32::MAX;

/// What a warp operation reads and writes beside `d` and `a`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WarpInst {
    pub(crate) kind: WarpKind,
    /// The mask's register, of words or, if `wide`, of double words.
    pub(crate) mask: u32,
    pub(crate) wide_mask: bool,
    /// Whether a mask that is a result is a double word.
    pub(crate) wide_result: bool,
    /// Registers of words: a shuffle's lane and width.
    pub(crate) lane: u32,
    pub(crate) width: u32,
    /// A register of truth values: a second result.
    pub(crate) second: u32,
    pub(crate) scalar: Scalar,
}

/// Which operation.
#[derive(Clone, Copy, Debug)]
pub(crate) enum WarpKind {
    Shuffle(ShuffleMode),
    Vote(VoteKind),
    Match { all: bool },
    ActiveMask,
    Reduce(ReduceOp),
    Elect,
    Barrier,
}

impl Machine<'_> {
    /// The lanes that have not ended of the warp that begins at `start`.
    pub(crate) fn alive(&self, start: usize) -> u64 {
        gather_bits(&self.unit.alive.bits, start, self.warp_width)
    }

    /// The active lanes of the warp that begins at `start`.
    #[inline(always)]
    pub(crate) fn active(&self, start: usize) -> u64 {
        gather_bits(&self.unit.mask.bits, start, self.warp_width)
    }

    /// The lanes that take part with a lane: those of its mask that are active.
    #[inline(always)]
    fn participants(&self, inst: &WarpInst, active: u64, lane: usize) -> u64 {
        match self.mask_of(inst, lane) {
            Some(mask) => mask & active,
            None => active,
        }
    }

    #[inline(always)]
    fn mask_of(&self, inst: &WarpInst, lane: usize) -> Option<u64> {
        match (inst.mask, inst.wide_mask) {
            (NONE, _) => None,
            (mask, true) => Some(self.unit.d.get(mask, lane)),
            (mask, false) => Some(u64::from(self.unit.w.get(mask, lane))),
        }
    }

    /// The first lanes of the warps that have active lanes.
    fn warps(&self) -> Vec<usize> {
        let lanes = self.unit.chunks * CHUNK;
        (0..lanes).step_by(self.warp_width).filter(|start| self.active(*start) != 0).collect()
    }

    /// Reports lanes of the mask that do not execute the statement.
    #[cold]
    fn check_masks(&mut self, inst: &WarpInst, i: &Inst) {
        for start in self.warps() {
            let active = self.active(start);
            let all = self.alive(start);
            // Most often all lanes are here, and the mask names them.
            if !inst.wide_mask
                && inst.mask != NONE
                && active == all
                && let Some(mask) = self.unit.w.uniform(inst.mask)
                && active & !u64::from(mask) == 0
            {
                continue;
            }
            for lane in lanes_of(active) {
                let Some(mask) = self.mask_of(inst, start + lane) else { return };
                // Lanes that have ended, or never were, do not count.
                let missing = mask & all & !active;
                if missing != 0 || mask >> lane & 1 == 0 {
                    let kind = FindingKind::MissingLanes { mask, active };
                    let count = active.count_ones();
                    self.find(kind, i.site, start + lane, count, false, None);
                    break;
                }
            }
        }
    }

    #[inline(always)]
    fn set_mask(&mut self, inst: &WarpInst, register: u32, lane: usize, mask: u64) {
        let (k, l) = (lane / CHUNK, lane % CHUNK);
        if inst.wide_result {
            let start = self.unit.d.start(register);
            self.unit.d.data[start + k][l] = mask;
        } else {
            let start = self.unit.w.start(register);
            self.unit.w.data[start + k][l] = mask as u32;
        }
    }
}

/// Bits of `count` lanes (a multiple of a chunk, at most 64) from `start`.
#[inline(always)]
fn gather_bits(bits: &[u16], start: usize, count: usize) -> u64 {
    let chunks = bits.iter().skip(start / CHUNK).take(count / CHUNK);
    chunks.enumerate().fold(0, |sum, (k, bits)| sum | u64::from(*bits) << (CHUNK * k))
}

pub(crate) fn lanes_of(bits: u64) -> impl Iterator<Item = usize> {
    (0..64).filter(move |lane| bits >> lane & 1 == 1)
}

/// Where a shuffle reads from, and whether that was in reach.
#[inline(always)]
pub(super) fn source(
    mode: ShuffleMode,
    own: usize,
    by: u32,
    width: usize,
    warp: usize,
) -> (usize, bool) {
    let by = by as usize & (warp - 1);
    let first = own & !(width - 1);
    let last = first + width - 1;
    match mode {
        ShuffleMode::Index => (first + (by & (width - 1)), true),
        ShuffleMode::Up if own >= first + by => (own - by, true),
        ShuffleMode::Down if own + by <= last => (own + by, true),
        ShuffleMode::Xor if own ^ by <= last => (own ^ by, true),
        _ => (own, false),
    }
}

/// Reads another lane's value.
pub(crate) struct Shuffle<E>(std::marker::PhantomData<E>);
impl<E: Element> Kernel for Shuffle<E> {
    const HOT: bool = true;
    #[inline(always)]
    fn run(m: &mut Machine<'_>, i: &Inst) {
        let code = m.code;
        let Some(inst) = code.warps.get(i.imm as usize) else { return };
        let WarpKind::Shuffle(mode) = inst.kind else { return };
        if m.checks.convergence {
            m.check_masks(inst, i);
            check_sources(m, inst, mode, i);
        }
        if m.tracker.is_some() && reads_others(m, inst, mode) {
            // What such a lane's register holds is what was there last.
            super::parallel::depends_on_order(m);
        }
        let warp = m.warp_width;
        let width_of = |m: &Machine<'_>, lane: usize| {
            let width = match inst.width {
                NONE => warp,
                register => m.unit.w.get(register, lane) as usize,
            };
            if width.is_power_of_two() && width < warp { width } else { warp }
        };
        let chunks = m.unit.chunks;
        let uniform = m.unit.w.uniform(inst.lane);
        let same_width = inst.width == NONE || m.unit.w.uniform(inst.width).is_some();
        if let (Some(by), true, NONE) = (uniform, same_width, inst.second) {
            if m.unit.mask.is_empty() {
                return;
            }
            if let Some(value) = E::file(&mut m.unit).uniform(i.a) {
                return E::file(&mut m.unit).set_uniform(i.d, value);
            }
            let width = width_of(m, m.unit.mask.lowest());
            let mut sources = [0u8; 64];
            for (own, from) in sources.iter_mut().enumerate().take(warp) {
                *from = source(mode, own, by, width, warp).0 as u8;
            }
            let file = E::file(&mut m.unit);
            let operand = file.operand(i.a, 0);
            let target = file.set_vector(i.d);
            let by = by as usize & (warp - 1);
            let reach = Reach { by, width, chunks: warp / CHUNK };
            if warp >= CHUNK && exchange(mode, reach, file, [operand.start, target]) {
                return;
            }
            let per_warp = (warp / CHUNK).min(chunks);
            for first in (0..chunks).step_by(per_warp.max(1)) {
                let there = per_warp.min(chunks - first);
                let mut values = [E::Raw::default(); 64];
                for k in 0..there {
                    values[k * CHUNK..][..CHUNK]
                        .copy_from_slice(&file.data[operand.start + first + k]);
                }
                for k in 0..there {
                    let out = &mut file.data[target + first + k];
                    for (l, out) in out.iter_mut().enumerate() {
                        let from = usize::from(sources[k * CHUNK + l] & 63);
                        // A lane that is not there gives nothing: the own value stays.
                        let from = if from < there * CHUNK { from } else { k * CHUNK + l };
                        *out = values[from];
                    }
                }
            }
            return;
        }
        let lanes = chunks * CHUNK;
        let operand = E::file(&mut m.unit).operand(i.a, 0);
        let read = |m: &mut Machine<'_>, lane: usize| {
            let k = if operand.splat { 0 } else { lane / CHUNK };
            E::file(&mut m.unit).data[operand.start + k][lane % CHUNK]
        };
        // Whoever is read may be overwritten before: results are collected first.
        let mut results = vec![(E::Raw::default(), false); lanes];
        for (lane, result) in results.iter_mut().enumerate() {
            let (start, own) = (lane / warp * warp, lane % warp);
            let by = m.unit.w.get(inst.lane, lane);
            let (from, in_range) = source(mode, own, by, width_of(m, lane), warp);
            let from = if start + from < lanes { start + from } else { lane };
            *result = (read(m, from), in_range);
        }
        let target = E::file(&mut m.unit).set_vector(i.d);
        for (lane, (value, in_range)) in results.into_iter().enumerate() {
            E::file(&mut m.unit).data[target + lane / CHUNK][lane % CHUNK] = value;
            if inst.second != NONE {
                let (k, l) = (lane / CHUNK, lane % CHUNK);
                let start = inst.second as usize * chunks;
                let bits = &mut m.unit.b.data[start + k];
                *bits = *bits & !(1 << l) | u16::from(in_range) << l;
            }
        }
        if inst.second != NONE {
            m.unit.b.finish(inst.second, &m.unit.mask);
        }
    }
}

/// Lanes `l ^ BY` of a chunk.
#[inline(always)]
fn crossed<R: Raw, const BY: usize>(values: [R; CHUNK]) -> [R; CHUNK] {
    let mut out = values;
    for l in 0..CHUNK {
        out[l] = values[l ^ BY];
    }
    out
}

/// Where lanes read: `by` apart, each within its group of `width` lanes of a warp of `chunks` chunks.
#[derive(Clone, Copy)]
struct Reach {
    by: usize,
    width: usize,
    chunks: usize,
}

/// Lets all lanes read others that are equally far away, from some chunks of a file into others; `false`,
/// and nothing has happened, where that has no form of its own.
#[inline(always)]
fn exchange<R: Raw>(
    mode: ShuffleMode,
    reach: Reach,
    file: &mut File<R>,
    [from, to]: [usize; 2],
) -> bool {
    let chunks = file.chunks;
    let Reach { by, width, chunks: per_warp } = reach;
    let apart = from + chunks <= to || to + chunks <= from;
    if !apart || !chunks.is_multiple_of(per_warp) || !per_warp.is_power_of_two() {
        return false;
    }
    match mode {
        ShuffleMode::Xor if by < width => {
            match by % CHUNK {
                0 => cross::<R, 0>(file, [from, to], by / CHUNK),
                1 => cross::<R, 1>(file, [from, to], by / CHUNK),
                2 => cross::<R, 2>(file, [from, to], by / CHUNK),
                4 => cross::<R, 4>(file, [from, to], by / CHUNK),
                8 => cross::<R, 8>(file, [from, to], by / CHUNK),
                low => {
                    for k in 0..chunks {
                        let mut chunk = file.data[from + (k ^ (by / CHUNK))];
                        if low & 1 != 0 {
                            chunk = crossed::<R, 1>(chunk);
                        }
                        if low & 2 != 0 {
                            chunk = crossed::<R, 2>(chunk);
                        }
                        if low & 4 != 0 {
                            chunk = crossed::<R, 4>(chunk);
                        }
                        if low & 8 != 0 {
                            chunk = crossed::<R, 8>(chunk);
                        }
                        file.data[to + k] = chunk;
                    }
                }
            }
            true
        }
        ShuffleMode::Down => slide::<R, false>(file, [from, to], reach),
        ShuffleMode::Up => slide::<R, true>(file, [from, to], reach),
        ShuffleMode::Index if width >= CHUNK => {
            let per_group = width / CHUNK;
            let (chunk, lane) = ((by & (width - 1)) / CHUNK, by % CHUNK);
            for k in 0..chunks {
                let value = file.data[from + k / per_group * per_group + chunk][lane];
                file.data[to + k] = [value; CHUNK];
            }
            true
        }
        _ => false,
    }
}

/// Lanes that differ in the bits `BY` of their place in a chunk, and `apart` of the chunk's.
#[inline(always)]
fn cross<R: Raw, const BY: usize>(file: &mut File<R>, [from, to]: [usize; 2], apart: usize) {
    for k in 0..file.chunks {
        file.data[to + k] = crossed::<R, BY>(file.data[from + (k ^ apart)]);
    }
}

/// Reads lanes further up or down, where they are in the own group; else the own value stays.
#[inline(always)]
fn slide<R: Raw, const UP: bool>(
    file: &mut File<R>,
    [from, to]: [usize; 2],
    Reach { by, width, .. }: Reach,
) -> bool {
    let lanes = file.data.as_flattened();
    let ends = match UP {
        true => from.checked_mul(CHUNK).is_some_and(|first| first >= by),
        false => (from + file.chunks) * CHUNK + by <= lanes.len(),
    };
    if !ends {
        return false;
    }
    for k in 0..file.chunks {
        let first = (from + k) * CHUNK;
        let other = if UP { first - by } else { first + by };
        let lanes = file.data.as_flattened();
        let Some(there) = lanes[other..].first_chunk::<CHUNK>() else { return false };
        let (there, own) = (*there, file.data[from + k]);
        let mut out = own;
        for l in 0..CHUNK {
            let place = (k * CHUNK + l) & (width - 1);
            let is_in = if UP { place >= by } else { place + by < width };
            out[l] = if is_in { there[l] } else { own[l] };
        }
        file.data[to + k] = out;
    }
    true
}

/// Reports reads of lanes that do not take part.
#[cold]
fn check_sources(m: &mut Machine<'_>, inst: &WarpInst, mode: ShuffleMode, i: &Inst) {
    let warp = m.warp_width;
    for start in m.warps() {
        let active = m.active(start);
        // Where all lanes of a warp take part, each reads one that does.
        let mask = match inst.wide_mask {
            _ if inst.mask == NONE => Some(u64::MAX),
            true => m.unit.d.uniform(inst.mask),
            false => m.unit.w.uniform(inst.mask).map(u64::from),
        };
        let full = u64::MAX >> (64 - warp.clamp(1, 64));
        if mask.is_some_and(|mask| mask & active & full == full) {
            continue;
        }
        for own in lanes_of(active) {
            let width = match inst.width {
                NONE => warp,
                register => m.unit.w.get(register, start + own) as usize,
            };
            let width = if width.is_power_of_two() && width < warp { width } else { warp };
            let by = m.unit.w.get(inst.lane, start + own);
            let (from, _) = source(mode, own, by, width, warp);
            if m.participants(inst, active, start + own) >> from & 1 == 0 && from != own {
                let kind = FindingKind::InactiveLane { lane: from as u32 };
                m.find(kind, i.site, start + own, 1, false, None);
                break;
            }
        }
    }
}

/// Whether a lane reads one that is not active.
fn reads_others(m: &Machine<'_>, inst: &WarpInst, mode: ShuffleMode) -> bool {
    let warp = m.warp_width;
    let full = u64::MAX >> (64 - warp.clamp(1, 64));
    m.warps().into_iter().any(|start| {
        let active = m.active(start);
        active != full
            && lanes_of(active).any(|own| {
                let width = match inst.width {
                    NONE => warp,
                    register => m.unit.w.get(register, start + own) as usize,
                };
                let width = if width.is_power_of_two() && width < warp { width } else { warp };
                let by = m.unit.w.get(inst.lane, start + own);
                active >> source(mode, own, by, width, warp).0 & 1 == 0
            })
    })
}

/// Votes, matches, masks, reductions, elections and barriers of warps.
pub(crate) struct Warp;
impl Kernel for Warp {
    #[inline(always)]
    fn run(m: &mut Machine<'_>, i: &Inst) {
        warp(m, i);
    }
}

fn warp(m: &mut Machine<'_>, i: &Inst) {
    let code = m.code;
    let Some(inst) = code.warps.get(i.imm as usize) else { return };
    if m.checks.convergence && inst.mask != NONE {
        m.check_masks(inst, i);
    }
    if matches!(inst.kind, WarpKind::Barrier) && m.watch.is_some() {
        crate::check::warp_barrier(m, inst);
    }
    let vector_result = matches!(
        inst.kind,
        WarpKind::Vote(VoteKind::Ballot)
            | WarpKind::Match { .. }
            | WarpKind::ActiveMask
            | WarpKind::Reduce(_)
    );
    if vector_result && i.d != NONE {
        // Lanes are written one by one; those of the operand stay.
        match inst.wide_result {
            true => m.unit.d.make_vector(i.d),
            false => m.unit.w.make_vector(i.d),
        };
    }
    let mut truths = [0u16; MAX_CHUNKS];
    for start in m.warps() {
        let active = m.active(start);
        let chunk = start / CHUNK;
        let predicate = match inst.kind {
            WarpKind::Vote(_) => {
                let bits = (0..m.warp_width / CHUNK).filter(|k| chunk + k < m.unit.chunks);
                bits.fold(0, |sum, k| {
                    sum | u64::from(m.unit.b.chunk(i.a, chunk + k)) << (CHUNK * k)
                })
            }
            _ => 0,
        };
        // Most often all lanes have one mask: what was computed for it is kept.
        let mut known: Option<(u64, u64, bool)> = None;
        for lane in lanes_of(active) {
            let among = m.participants(inst, active, start + lane);
            let (mask, truth) = match (known, inst.kind) {
                (Some((same, mask, truth)), _) if same == among => (mask, truth),
                (_, WarpKind::Vote(VoteKind::Ballot)) => (predicate & among, false),
                (_, WarpKind::Vote(VoteKind::Any)) => (0, predicate & among != 0),
                (_, WarpKind::Vote(VoteKind::All)) => (0, !predicate & among == 0),
                (_, WarpKind::Vote(VoteKind::Uniform)) => {
                    let same = predicate & among;
                    (0, same == 0 || same == among)
                }
                (_, WarpKind::ActiveMask) => (active, false),
                (_, WarpKind::Match { all }) => {
                    let own = value(m, inst, i.a, start + lane);
                    let same = lanes_of(among)
                        .filter(|other| value(m, inst, i.a, start + other) == own)
                        .fold(0, |mask, other| mask | 1 << other);
                    match all {
                        true => (if same == among { among } else { 0 }, same == among),
                        false => (same, false),
                    }
                }
                (_, WarpKind::Reduce(op)) => {
                    let values = lanes_of(among).map(|other| value(m, inst, i.a, start + other));
                    (values.reduce(|a, b| reduce(op, inst.scalar, a, b)).unwrap_or(0), false)
                }
                (_, WarpKind::Elect | WarpKind::Barrier | WarpKind::Shuffle(_)) => (0, false),
            };
            known = match inst.kind {
                WarpKind::Match { all: false } => None,
                _ => Some((among, mask, truth)),
            };
            let truth = match inst.kind {
                WarpKind::Elect => among.trailing_zeros() as usize == lane,
                _ => truth,
            };
            if vector_result && i.d != NONE {
                m.set_mask(inst, i.d, start + lane, mask);
            }
            let (k, l) = ((start + lane) / CHUNK, (start + lane) % CHUNK);
            truths[k] |= u16::from(truth) << l;
        }
    }
    let register = if vector_result { inst.second } else { i.d };
    if register != NONE {
        for (k, bits) in truths.iter().enumerate().take(m.unit.chunks) {
            m.unit.b.set_chunk(register, k, *bits);
        }
        m.unit.b.finish(register, &m.unit.mask);
    }
}

fn value(m: &Machine<'_>, inst: &WarpInst, register: u32, lane: usize) -> u64 {
    match inst.scalar.size() {
        8 => m.unit.d.get(register, lane),
        _ => m.unit.w.get(register, lane).to_u64(),
    }
}

fn reduce(op: ReduceOp, scalar: Scalar, a: u64, b: u64) -> u64 {
    let signed = scalar.is_signed();
    let less = match (scalar, scalar.size()) {
        (Scalar::F32, _) => f32::from_bits(b as u32) < f32::from_bits(a as u32),
        (_, 8) if signed => (b as i64) < a as i64,
        (_, 8) => b < a,
        _ if signed => (b as i32) < a as i32,
        _ => (b as u32) < a as u32,
    };
    match op {
        ReduceOp::Add if scalar == Scalar::F32 => {
            u64::from((f32::from_bits(a as u32) + f32::from_bits(b as u32)).to_bits())
        }
        ReduceOp::Add => a.wrapping_add(b),
        ReduceOp::Minimum => {
            if less {
                b
            } else {
                a
            }
        }
        ReduceOp::Maximum => {
            if less {
                a
            } else {
                b
            }
        }
        ReduceOp::And => a & b,
        ReduceOp::Or => a | b,
        ReduceOp::Xor => a ^ b,
    }
}

/// A shuffle of words.
pub(crate) type Shuffle32 = Shuffle<Word>;
/// A shuffle of double words.
pub(crate) type Shuffle64 = Shuffle<Double>;
