//! Registers are shared: a value's register is free again after its last use.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};

use super::Register;
use super::prelude::*;
use crate::machine::joined::{Form, Joined};
use crate::machine::matrix::MatrixInst;
use crate::machine::print::PrintInst;
use crate::machine::warp::WarpInst;
use crate::machine::{Inst, integer};
use crate::program::{Counts, Preset};

/// From when to when a register is needed. An instruction reads at twice its number, and writes
/// one later.
#[derive(Clone, Copy)]
struct Interval {
    start: u32,
    end: u32,
}

/// Tables of what instructions use beside their operands.
pub(super) struct Entries<'c> {
    pub(super) warps: &'c mut [WarpInst],
    pub(super) prints: &'c mut [PrintInst],
    pub(super) matrices: &'c mut [MatrixInst],
    pub(super) joined: &'c mut [Joined],
}

fn index(class: Class) -> usize {
    match class {
        Class::W => 0,
        Class::D => 1,
        Class::B => 2,
    }
}

pub(super) fn allocate(
    drafts: &[Draft],
    registers: &[Register],
    presets: &HashMap<Preset, V>,
    entries: &mut Entries<'_>,
) -> (Vec<Inst>, Counts, Vec<(Preset, Class, u32)>) {
    let loops = find_loops(drafts);
    let mut intervals: Vec<Option<Interval>> = vec![None; registers.len()];
    let mut touch = |register: V, at: u32, position: u32| {
        let usage = registers[register as usize].usage;
        let interval = &mut intervals[register as usize];
        let (mut start, mut end) = (at, at);
        if usage == Use::Local {
            // It may hold its value from one pass to the next.
            if let Some((first, last)) = outermost(&loops, position) {
                (start, end) = (2 * first, 2 * last + 1);
            }
        } else if let Some(known) = interval
            && let Some((first, last)) = outermost_after(&loops, position, known.start / 2)
        {
            let _ = first;
            end = end.max(2 * last + 1);
        }
        match interval {
            Some(known) => {
                known.start = known.start.min(start);
                known.end = known.end.max(end);
            }
            None => *interval = Some(Interval { start, end }),
        }
    };
    for (position, draft) in drafts.iter().enumerate() {
        let position = position as u32;
        let writes = 2 * position + u32::from(draft.may_share);
        for operand in draft.operands.iter().flatten() {
            touch(*operand, 2 * position, position);
        }
        each_table(draft, entries, &mut |register, is_result| {
            let at = if is_result { writes } else { 2 * position };
            touch(*register, at, position);
        });
        if let Some(d) = draft.d {
            touch(d, writes, position);
        }
    }
    // Given registers come first and stay.
    let mut counts = [0u32; 3];
    let mut places = vec![0u32; registers.len()];
    for (place, register) in places.iter_mut().zip(registers) {
        if register.usage == Use::Given {
            let count = &mut counts[index(register.class)];
            *place = *count;
            *count += 1;
        }
    }
    let mut order: Vec<(u32, usize)> = intervals
        .iter()
        .enumerate()
        .filter(|(number, _)| matches!(registers[*number].usage, Use::Value | Use::Local))
        .filter_map(|(number, interval)| Some(((*interval)?.start, number)))
        .collect();
    order.sort_unstable();
    let mut active: BinaryHeap<Reverse<(u32, usize)>> = BinaryHeap::new();
    let mut free: [Vec<u32>; 3] = Default::default();
    for (start, number) in order {
        while let Some(Reverse((end, other))) = active.peek().copied() {
            if end >= start {
                break;
            }
            active.pop();
            free[index(registers[other].class)].push(places[other]);
        }
        let class = index(registers[number].class);
        places[number] = free[class].pop().unwrap_or_else(|| {
            counts[class] += 1;
            counts[class] - 1
        });
        let end = intervals[number].map_or(start, |interval| interval.end);
        active.push(Reverse((end, number)));
    }
    for (place, register) in places.iter_mut().zip(registers) {
        if let Use::Constant(number) = register.usage {
            *place = counts[index(register.class)] + number;
        }
    }
    let place = |register: Option<V>| register.map_or(NONE, |register| places[register as usize]);
    let mut instructions = Vec::with_capacity(drafts.len());
    for (position, draft) in drafts.iter().enumerate() {
        each_table(draft, entries, &mut |register, _| {
            *register = places[*register as usize];
        });
        let [a, b, c, fourth] = draft.operands;
        let mut run = draft.run;
        // The twin's move stands before the value's.
        if let (Some(_), Some(a)) = (draft.d, a)
            && draft.slot == super::twin::MOVE
            && draft.leads
            && registers[a as usize].usage == Use::Value
            && intervals[a as usize].is_some_and(|it| it.end <= 2 * position as u32 + 2)
        {
            run = select::<crate::machine::twin::operations::Swap>();
        }
        if let (Some(d), Some(a)) = (draft.d, a)
            && draft.op == Op::Exec
            && super::statement::is_move(draft)
            && registers[a as usize].usage == Use::Value
            && intervals[a as usize].is_some_and(|interval| interval.end <= 2 * position as u32)
        {
            run = match registers[d as usize].class {
                Class::W => select::<integer::Swap32>(),
                Class::D => select::<integer::Swap64>(),
                Class::B => run,
            };
        }
        instructions.push(Inst {
            op: draft.op,
            run,
            d: place(draft.d),
            a: place(a),
            b: place(b),
            c: place(c),
            imm: draft.imm,
            slot: if fourth.is_some() { place(fourth) } else { draft.slot },
            target: draft.target,
            site: draft.site,
        });
    }
    let mut list: BTreeMap<(usize, u32), (Preset, Class)> = BTreeMap::new();
    for (preset, register) in presets {
        let class = registers[*register as usize].class;
        list.insert((index(class), places[*register as usize]), (*preset, class));
    }
    let presets =
        list.into_iter().map(|((_, place), (preset, class))| (preset, class, place)).collect();
    let counts = Counts { words: counts[0], doubles: counts[1], truths: counts[2] };
    (instructions, counts, presets)
}

/// Calls `visit` with the registers that a draft's table entry names, and whether each is a result.
fn each_table(draft: &Draft, entries: &mut Entries<'_>, visit: &mut dyn FnMut(&mut V, bool)) {
    match draft.table {
        None => {}
        Some(Table::Warp(entry)) => {
            let Some(inst) = entries.warps.get_mut(entry) else { return };
            for register in [&mut inst.mask, &mut inst.lane, &mut inst.width] {
                if *register != NONE {
                    visit(register, false);
                }
            }
            if inst.second != NONE {
                visit(&mut inst.second, true);
            }
        }
        Some(Table::Print(entry)) => {
            let Some(inst) = entries.prints.get_mut(entry) else { return };
            for (register, _) in &mut inst.arguments {
                visit(register, false);
            }
        }
        Some(Table::Matrix(entry)) => {
            let Some(inst) = entries.matrices.get_mut(entry) else { return };
            for register in inst.reads.iter_mut() {
                visit(register, false);
            }
            for register in inst.writes.iter_mut() {
                visit(register, true);
            }
        }
        Some(Table::Joined(entry)) => {
            let Some(joined) = entries.joined.get_mut(entry) else { return };
            for (load, form) in joined.loads.iter_mut().flatten() {
                if *form == Form::Address {
                    visit(&mut load.a, false);
                } else {
                    // The address has a register too.
                    visit(&mut load.a, true);
                    visit(&mut load.b, false);
                    visit(&mut load.c, false);
                }
                visit(&mut load.d, true);
            }
        }
    }
}

/// First and last instruction of each loop, outer ones first.
fn find_loops(drafts: &[Draft]) -> Vec<(u32, u32)> {
    let mut open = Vec::new();
    let mut loops: Vec<(u32, u32)> = Vec::new();
    for (position, draft) in drafts.iter().enumerate() {
        match draft.op {
            Op::LoopBegin => {
                open.push(loops.len());
                loops.push((position as u32, position as u32));
            }
            Op::LoopEnd => {
                if let Some(number) = open.pop() {
                    loops[number].1 = position as u32;
                }
            }
            _ => {}
        }
    }
    loops
}

/// The outermost loop around an instruction.
fn outermost(loops: &[(u32, u32)], position: u32) -> Option<(u32, u32)> {
    // Loops of the outermost level do not overlap and come in order: the last one that begins
    // before the instruction, or one around that.
    let upto = loops.partition_point(|(first, _)| *first <= position);
    loops[..upto].iter().find(|(_, last)| *last >= position).copied()
}

/// The outermost loop around an instruction that begins after another.
fn outermost_after(loops: &[(u32, u32)], position: u32, after: u32) -> Option<(u32, u32)> {
    let from = loops.partition_point(|(first, _)| *first <= after);
    let upto = loops.partition_point(|(first, _)| *first <= position);
    loops.get(from..upto)?.iter().find(|(_, last)| *last >= position).copied()
}
