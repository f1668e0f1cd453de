//! Instructions that become one with the one that uses their result: an element's address with the
//! access to it, a product with the sum, a sum with the variable that it is for.
//!
//! Only neighbours in straight code are looked at: between the two nothing changes what the first one
//! reads, and nobody else reads its result.

use std::collections::HashMap;

use port_ir::Scalar;

use super::Register;
use super::prelude::*;
use super::stale::{table_reads, table_writes};
use super::statement::is_move;
use crate::machine::access::{Double, S8, S16, U8, U16, Word};
use crate::machine::{Exec, float, fused};
use crate::program::Code;

/// What a draft is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// The address of an element by an index of one word.
    Element {
        signed: bool,
    },
    /// A load or store of a scalar.
    Load(Scalar),
    Store(Scalar),
    /// An atomic change of a word whose old value nobody asks for.
    Change,
    /// A product or sum of f32, rounded to the nearest.
    Multiply {
        flush: bool,
    },
    Add {
        flush: bool,
    },
    /// A load of an element.
    LoadAt {
        signed: bool,
        scalar: Scalar,
    },
    /// A product that is added to, rounded in between.
    MultiplyAdd {
        flush: bool,
        first: bool,
    },
    /// A product that is added to, rounded once.
    Fused {
        flush: bool,
    },
}

/// A draft whose result waits for its use.
#[derive(Clone, Copy)]
struct Waiting {
    at: usize,
    mark: Option<Mark>,
}

/// Joins what can be joined, and closes the gaps.
pub(super) fn fuse(drafts: &mut Vec<Draft>, registers: &[Register], canonical: bool, code: &Code) {
    let mut uses = vec![0u32; registers.len()];
    let mut sets = vec![0u32; registers.len()];
    for draft in drafts.iter() {
        let reads = draft.operands.iter().flatten().copied().chain(table_reads(draft, code));
        for register in reads {
            if let Some(count) = uses.get_mut(register as usize) {
                *count += 1;
            }
        }
        for register in draft.d.into_iter().chain(table_writes(draft, code)) {
            if let Some(count) = sets.get_mut(register as usize) {
                *count += 1;
            }
        }
    }
    let is_single = |register: V| {
        let at = register as usize;
        uses.get(at) == Some(&1) && sets.get(at) == Some(&1)
    };
    let mut gone = vec![false; drafts.len()];
    let mut waiting: HashMap<V, Waiting> = HashMap::new();
    for at in 0..drafts.len() {
        if !matches!(drafts[at].op, Op::Exec | Op::Checked) {
            waiting.clear();
            continue;
        }
        let mark = drafts[at].mark;
        let known = |register: Option<V>| {
            let register = register?;
            waiting.get(&register).copied().map(|known| (register, known))
        };
        match mark {
            Some(Mark::Load(_) | Mark::Store(_) | Mark::Change) => {
                if let Some((address, Waiting { at: first, mark: Some(Mark::Element { signed }) })) =
                    known(drafts[at].operands[0])
                    && let Ok(size) = u32::try_from(drafts[first].imm)
                    && let [Some(base), Some(index), None, None] = drafts[first].operands
                    && let Some(run) = accessing(mark, signed)
                    && super::twin::are_noted(&drafts[at])
                {
                    let draft = &mut drafts[at];
                    (draft.run, draft.target) = (run, size);
                    draft.mark = None;
                    if let Some(Mark::Load(scalar)) = mark {
                        draft.mark = Some(Mark::LoadAt { signed, scalar });
                        draft.operands = [Some(address), Some(base), Some(index), None];
                    } else {
                        draft.d = Some(address);
                        draft.operands = [Some(base), draft.operands[1], Some(index), None];
                    }
                    gone[first] = true;
                }
            }
            Some(Mark::Add { flush }) => {
                let [a, b, ..] = drafts[at].operands;
                let is_product = |it: &(V, Waiting)| it.1.mark == Some(Mark::Multiply { flush });
                let product = match (known(a).filter(is_product), known(b).filter(is_product)) {
                    (Some(product), _) => Some((product, b, true)),
                    (None, Some(product)) => Some((product, a, false)),
                    _ => None,
                };
                if let Some(((_, Waiting { at: first, .. }), Some(other), leads)) = product
                    && let [Some(x), Some(y), None, None] = drafts[first].operands
                    && let Some(twins) = super::twin::merged(&drafts[first], &drafts[at], leads)
                {
                    let draft = &mut drafts[at];
                    draft.run = float::multiply_add(flush, canonical, leads);
                    draft.mark = Some(Mark::MultiplyAdd { flush, first: leads });
                    draft.twins = twins;
                    draft.operands = [Some(x), Some(y), Some(other), None];
                    gone[first] = true;
                }
            }
            _ if is_move(&drafts[at]) && drafts[at].imm != 0 => {
                // Lanes that are not active have nothing to lose: the result goes where it is for.
                if let Some((_, Waiting { at: first, .. })) = known(drafts[at].operands[0])
                    && let Some(to) = drafts[at].d
                    && drafts[first].may_share
                    && drafts[first].op == Op::Exec
                    && !is_move(&drafts[first])
                    && super::twin::may_go(&drafts[first], &drafts[at], to)
                    && !(first + 1..at)
                        .any(|between| !gone[between] && touches(&drafts[between], to, code))
                {
                    super::twin::go(&mut drafts[first], to);
                    drafts[first].d = Some(to);
                    gone[at] = true;
                }
            }
            _ => {}
        }
        // What is set here is what those that wait have read no more.
        let set: Vec<V> = drafts[at].d.into_iter().chain(table_writes(&drafts[at], code)).collect();
        waiting.retain(|_, it| {
            let reads = drafts[it.at].operands.iter().flatten();
            !gone[it.at] && !reads.into_iter().any(|operand| set.contains(operand))
        });
        if let Some(d) = drafts[at].d
            && !gone[at]
            && is_single(d)
            && registers[d as usize].usage == Use::Value
            && drafts[at].may_share
            && drafts[at].table.is_none()
            && drafts[at].op == Op::Exec
        {
            waiting.insert(d, Waiting { at, mark });
        }
    }
    close(drafts, &gone);
}

/// Whether a draft reads or writes a register.
fn touches(draft: &Draft, register: V, code: &Code) -> bool {
    draft.d == Some(register)
        || draft.operands.contains(&Some(register))
        || table_reads(draft, code).contains(&register)
        || table_writes(draft, code).contains(&register)
}

/// The access to an element.
fn accessing(mark: Option<Mark>, signed: bool) -> Option<Exec> {
    macro_rules! form {
        ($name:ident, $element:ty) => {
            match signed {
                true => select::<fused::$name<$element, true>>(),
                false => select::<fused::$name<$element, false>>(),
            }
        };
    }
    macro_rules! of {
        ($name:ident, $scalar:expr) => {
            match $scalar {
                Scalar::I8 => form!($name, S8),
                Scalar::Bool | Scalar::U8 | Scalar::F8E4M3 | Scalar::F8E5M2 => form!($name, U8),
                Scalar::I16 => form!($name, S16),
                Scalar::U16 | Scalar::F16 | Scalar::Bf16 => form!($name, U16),
                scalar if scalar.size() == 8 => form!($name, Double),
                _ => form!($name, Word),
            }
        };
    }
    Some(match mark? {
        Mark::Load(scalar) => of!(LoadAt, scalar),
        Mark::Store(scalar) => of!(StoreAt, scalar),
        Mark::Change if signed => select::<fused::ChangeAt<true>>(),
        Mark::Change => select::<fused::ChangeAt<false>>(),
        _ => return None,
    })
}

/// Takes the drafts that are gone out; jumps lead where they led.
pub(super) fn close(drafts: &mut Vec<Draft>, gone: &[bool]) {
    let mut places = Vec::with_capacity(drafts.len() + 1);
    let mut count = 0u32;
    for gone in gone {
        places.push(count);
        count += u32::from(!gone);
    }
    places.push(count);
    for draft in drafts.iter_mut() {
        if !matches!(draft.op, Op::Exec | Op::Checked)
            && let Some(place) = places.get(draft.target as usize)
        {
            draft.target = *place;
        }
    }
    let mut gone = gone.iter();
    drafts.retain(|_| gone.next() != Some(&true));
}
