//! Whether a kernel may read a local variable's register that nothing was stored to before: what it
//! holds then depends on what ran there last.

use super::Register;
use super::prelude::*;
use crate::program::Code;

/// Registers that hold what was stored, on every way here; `None` where no lane comes.
type Known = Option<Vec<u64>>;

/// What both have.
fn meet(a: &mut Known, b: &Known) {
    match (a.as_mut(), b) {
        (_, None) => {}
        (None, Some(b)) => *a = Some(b.clone()),
        (Some(a), Some(b)) => a.iter_mut().zip(b).for_each(|(a, b)| *a &= b),
    }
}

/// What a construct that is open has seen.
struct Open {
    slot: u32,
    /// Before it, or before its arms.
    before: Known,
    /// Of the jumps to its end.
    end: Known,
    /// Of the jumps to its next pass.
    step: Known,
}

/// Registers that a draft's table entry reads; those that are none have no number.
pub(super) fn table_reads(draft: &Draft, code: &Code) -> Vec<V> {
    match draft.table {
        Some(Table::Warp(entry)) => {
            let inst = code.warps.get(entry);
            inst.map_or(Vec::new(), |inst| vec![inst.mask, inst.lane, inst.width])
        }
        Some(Table::Print(entry)) => {
            let inst = code.prints.get(entry);
            inst.map_or(Vec::new(), |inst| inst.arguments.iter().map(|it| it.0).collect())
        }
        Some(Table::Matrix(entry)) => {
            code.matrices.get(entry).map_or(Vec::new(), |inst| inst.reads.to_vec())
        }
        // Made when nobody asks any more.
        Some(Table::Joined(_)) | None => Vec::new(),
    }
}

pub(super) fn table_writes(draft: &Draft, code: &Code) -> Vec<V> {
    match draft.table {
        Some(Table::Warp(entry)) => code.warps.get(entry).map_or(Vec::new(), |it| vec![it.second]),
        Some(Table::Matrix(entry)) => {
            code.matrices.get(entry).map_or(Vec::new(), |inst| inst.writes.to_vec())
        }
        _ => Vec::new(),
    }
}

/// Walks the instructions in order; those of the structured IR nest.
pub(super) fn reads_stale(drafts: &[Draft], registers: &[Register], code: &Code) -> bool {
    let mut numbers = vec![None; registers.len()];
    let mut count = 0usize;
    for (number, register) in numbers.iter_mut().zip(registers) {
        if register.usage == Use::Local {
            *number = Some(count);
            count += 1;
        }
    }
    let mut now: Known = Some(vec![0; count.div_ceil(64)]);
    let mut open: Vec<Open> = Vec::new();
    for draft in drafts {
        if let Some(now) = &now {
            let is_unset = |operand: V| {
                let number = numbers.get(operand as usize).copied().flatten();
                number.and_then(|at| Some(now.get(at / 64)? >> (at % 64) & 1 == 0)) == Some(true)
            };
            if draft.operands.iter().flatten().any(|operand| is_unset(*operand))
                || table_reads(draft, code).into_iter().any(is_unset)
            {
                return true;
            }
        }
        if let Some(now) = &mut now {
            for d in draft.d.into_iter().chain(table_writes(draft, code)) {
                if let Some(Some(number)) = numbers.get(d as usize)
                    && let Some(word) = now.get_mut(number / 64)
                {
                    *word |= 1 << (number % 64);
                }
            }
        }
        let slot = draft.slot;
        match draft.op {
            Op::If | Op::LoopBegin | Op::CallBegin | Op::SwitchBegin => {
                open.push(Open { slot, before: now.clone(), end: None, step: None });
                if draft.op == Op::SwitchBegin {
                    now = None;
                }
            }
            Op::Else => {
                let Some(last) = open.last_mut() else { return true };
                last.end = std::mem::replace(&mut now, last.before.take());
            }
            Op::EndIf | Op::CallEnd | Op::LoopEnd | Op::SwitchEnd => {
                let Some(last) = open.pop().filter(|last| last.slot == slot) else { return true };
                meet(&mut now, &last.end);
                // An `if` without another arm, a switch of which no arm was taken.
                if matches!(draft.op, Op::EndIf | Op::SwitchEnd) {
                    meet(&mut now, &last.before);
                }
            }
            Op::LoopTest | Op::Break | Op::Return | Op::ArmEnd | Op::Continue => {
                let Some(target) = open.iter_mut().rev().find(|open| open.slot == slot) else {
                    return true;
                };
                if draft.op == Op::Continue {
                    meet(&mut target.step, &now);
                } else {
                    meet(&mut target.end, &now);
                }
                if draft.op != Op::LoopTest {
                    now = None;
                }
            }
            Op::Step => {
                let Some(target) = open.iter_mut().rev().find(|open| open.slot == slot) else {
                    return true;
                };
                meet(&mut now, &target.step.take());
            }
            Op::ArmBegin => {
                let Some(target) = open.iter().rev().find(|open| open.slot == slot) else {
                    return true;
                };
                meet(&mut now, &target.before);
            }
            Op::Back | Op::Exit => now = None,
            Op::Exec | Op::Checked | Op::ArmFall | Op::BlockBarrier | Op::GridBarrier | Op::End => {
            }
        }
    }
    false
}
