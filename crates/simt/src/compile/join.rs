//! Loads that become one with the arithmetic that alone uses them.
//!
//! A load moves to its use. It may not pass anything that touches memory, ends lanes or can fault, other
//! than loads that move at least as far; so accesses, and what is said of them, stay in order.

use std::collections::HashMap;

use super::Register;
use super::fuse::{Mark, close};
use super::prelude::*;
use super::stale::{table_reads, table_writes};
use crate::machine::Inst;
use crate::machine::joined::{Form, Joined, Work};
use crate::program::Code;

/// A load that may move.
#[derive(Clone, Copy)]
struct Candidate {
    form: Form,
    /// The draft that uses what it loads, and which operand it is there.
    user: usize,
    operand: usize,
}

/// The operation of a draft that can be joined with loads.
fn work(draft: &Draft) -> Option<(Work, bool)> {
    Some(match draft.mark? {
        Mark::Add { flush } => (Work::Add, flush),
        Mark::MultiplyAdd { flush, first } => (Work::MultiplyAdd { first }, flush),
        Mark::Fused { flush } => (Work::Fused, flush),
        _ => return None,
    })
}

/// Joins what can be joined, and closes the gaps.
pub(super) fn join(
    drafts: &mut Vec<Draft>,
    registers: &[Register],
    canonical: bool,
    code: &mut Code,
) {
    let mut uses = vec![0u32; registers.len()];
    for draft in drafts.iter() {
        let writes = draft.d.into_iter().chain(table_writes(draft, code));
        let reads = draft.operands.iter().flatten().copied().chain(table_reads(draft, code));
        for register in reads.chain(writes) {
            if let Some(count) = uses.get_mut(register as usize) {
                *count += 1;
            }
        }
    }
    // One that writes it, one that reads it.
    let is_single = |register: V| {
        let usage = registers.get(register as usize).map(|it| it.usage);
        usage == Some(Use::Value) && uses.get(register as usize) == Some(&2)
    };
    let mut candidates: HashMap<usize, Candidate> = HashMap::new();
    let mut loaded: HashMap<V, (usize, Form)> = HashMap::new();
    for (at, draft) in drafts.iter().enumerate() {
        if !matches!(draft.op, Op::Exec | Op::Checked) {
            loaded.clear();
            continue;
        }
        if work(draft).is_some() && draft.op == Op::Exec && draft.table.is_none() {
            for (operand, register) in draft.operands.iter().enumerate().take(3) {
                let found = register.and_then(|register| loaded.get(&register));
                if let Some((load, form)) = found {
                    candidates.insert(*load, Candidate { form: *form, user: at, operand });
                }
            }
        }
        // What is written here is another address now.
        let written: Vec<V> = draft.d.into_iter().chain(table_writes(draft, code)).collect();
        loaded.retain(|_, (load, _)| {
            !drafts[*load].operands.iter().flatten().any(|operand| written.contains(operand))
        });
        let form = match draft.mark {
            Some(Mark::Load(scalar)) if is_word(scalar) => Some(Form::Address),
            Some(Mark::LoadAt { signed, scalar }) if is_word(scalar) => {
                Some(Form::Element { signed })
            }
            _ => None,
        };
        if let (Some(form), Some(d)) = (form, draft.d)
            && is_single(d)
        {
            loaded.insert(d, (at, form));
        }
    }
    keep_order(drafts, &mut candidates);
    let mut gone = vec![false; drafts.len()];
    let mut by_user: HashMap<usize, Vec<(usize, Candidate)>> = HashMap::new();
    for (load, candidate) in &candidates {
        by_user.entry(candidate.user).or_default().push((*load, *candidate));
    }
    let mut users: Vec<usize> = by_user.keys().copied().collect();
    users.sort_unstable();
    for at in users {
        let Some((work, flush)) = work(&drafts[at]) else { continue };
        let loads = by_user.remove(&at).unwrap_or_default();
        let (run, imm) = (drafts[at].run, drafts[at].imm);
        let mut entry = Joined::new(work, flush, canonical, run, imm);
        for (load, candidate) in loads {
            let draft = &drafts[load];
            let [a, b, c, _] = draft.operands.map(|operand| operand.unwrap_or(NONE));
            let inst = Inst {
                op: draft.op,
                run: draft.run,
                d: draft.d.unwrap_or(NONE),
                a,
                b,
                c,
                imm: draft.imm,
                slot: draft.slot,
                target: draft.target,
                site: draft.site,
            };
            entry.loads[candidate.operand.min(2)] = Some((inst, candidate.form));
            gone[load] = true;
        }
        let own = entry.own;
        code.joined.push(entry);
        let number = code.joined.len() - 1;
        let draft = &mut drafts[at];
        draft.op = Op::Checked;
        draft.run = own;
        draft.imm = number as u64;
        draft.may_share = false;
        draft.table = Some(Table::Joined(number));
        draft.mark = None;
    }
    close(drafts, &gone);
}

/// Whether a scalar is loaded as a word as it is.
fn is_word(scalar: port_ir::Scalar) -> bool {
    use port_ir::Scalar as S;
    matches!(scalar, S::F32 | S::I32 | S::U32)
}

/// Takes those back that would pass what they must not pass.
fn keep_order(drafts: &[Draft], candidates: &mut HashMap<usize, Candidate>) {
    loop {
        let passes = |(load, candidate): (&usize, &Candidate)| {
            let between = *load + 1..candidate.user;
            let same = candidates.iter().any(|(other, it)| {
                // Loads of one operation come in the order of its operands.
                it.user == candidate.user && other > load && it.operand < candidate.operand
            });
            let bad = between.into_iter().any(|at| {
                // What has no result is there for what it does: a fence, say.
                (drafts[at].op == Op::Checked || drafts[at].d.is_none())
                    && candidates.get(&at).is_none_or(|other| other.user < candidate.user)
            });
            (bad || same).then_some(*load)
        };
        let mut bad: Vec<usize> = candidates.iter().filter_map(passes).collect();
        if bad.is_empty() {
            return;
        }
        bad.sort_unstable();
        for load in bad {
            candidates.remove(&load);
        }
    }
}
