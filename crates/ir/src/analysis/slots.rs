//! The parts of local variables that are accessed apart from each other.
//!
//! A struct in a local variable is mostly used member by member, and a small array by constant
//! indices. Each range of bytes that is accessed so is a *slot*, and values flow through slots as
//! they would through scalar variables. Ranges that overlap in part are one slot; a local that is
//! indexed by what is not constant is one slot as a whole.

use crate::arena::Handle;
use crate::expression::Expression;
use crate::function::{Function, Local};
use crate::operation::Conversion;
use crate::statement::Value;
use crate::types::{Type, Types};

/// A part of a local.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Slot {
    /// Bytes from the local's start.
    start: u64,
    end: u64,
    /// The type of all accesses to exactly this slot; `None` if they differ.
    ty: Option<Type>,
}

/// Which bytes of a local an access touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// These, with a value of this type.
    Bytes(u64, u64, Type),
    /// Some, or all, known only when the code runs.
    Some,
    /// All: the local holds no bytes that could be told apart, a fragment.
    All(Type),
}

/// An access to the slots of a local.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Touched {
    /// The first slot, counted through all locals.
    pub(super) first: usize,
    /// One past the last slot.
    pub(super) end: usize,
    /// How the access covers them.
    pub(super) cover: Cover,
}

/// How an access covers slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cover {
    /// It is one slot, as the type in which all accesses see it.
    Exact,
    /// It is one or more whole slots.
    Whole,
    /// It is a part of them.
    Part,
}

/// The slots of a function's locals.
pub(super) struct Slots {
    slots: Vec<Slot>,
    /// For each local, its first slot; and the number of all slots at the end.
    first: Vec<usize>,
}

/// A local of which more ranges are accessed is one slot.
const MAX_SLOTS: usize = 256;

/// Where a pointer into a local points: bytes from its start, `None` if that varies.
pub(super) fn offset(function: &Function, types: &Types, pointer: Value) -> Option<u64> {
    let mut offset = 0u64;
    let mut pointer = pointer;
    // Operands are older than their users, so this ends.
    loop {
        match &function.expressions[pointer] {
            Expression::Local(_) => return Some(offset),
            Expression::Convert { kind: Conversion::Space, value, .. } => pointer = *value,
            Expression::Member { base, structure, index } => {
                let member = types.structs().get(*structure)?.members.get(*index as usize)?;
                offset = offset.checked_add(member.offset)?;
                pointer = *base;
            }
            Expression::Element { base, element, index } => {
                let index = match &function.expressions[*index] {
                    Expression::Constant(constant) => u64::try_from(constant.as_integer()?).ok()?,
                    Expression::Zero(_) => 0,
                    _ => return None,
                };
                let moved = types.layout(*element)?.size.checked_mul(index)?;
                offset = offset.checked_add(moved)?;
                pointer = *base;
            }
            _ => return None,
        }
    }
}

impl Slots {
    /// From all accesses to each local.
    pub(super) fn of(function: &Function, types: &Types, accesses: &[Vec<Reach>]) -> Self {
        let mut result = Slots { slots: Vec::new(), first: Vec::new() };
        for (handle, local) in function.locals.iter() {
            result.first.push(result.slots.len());
            let reaches = accesses.get(handle.index()).map_or(&[][..], Vec::as_slice);
            result.add(local, types, reaches);
        }
        result.first.push(result.slots.len());
        result
    }

    fn add(&mut self, local: &Local, types: &Types, reaches: &[Reach]) {
        let size = types.layout(local.ty).map_or(u64::MAX, |layout| layout.size);
        let mut ranges: Vec<(u64, u64)> = Vec::new();
        for reach in reaches {
            match reach {
                Reach::Bytes(start, end, _) if start == end => {}
                Reach::Bytes(start, end, _) if *end <= size => ranges.push((*start, *end)),
                // One slot for all.
                _ => ranges.push((0, u64::MAX)),
            }
        }
        let apart = !ranges.contains(&(0, u64::MAX));
        let mut slots: Vec<(u64, u64)> = Vec::new();
        if apart {
            // Smallest first: a range that only holds what is already there adds no slot.
            ranges.sort_unstable_by_key(|(start, end)| (end - start, *start));
            ranges.dedup();
            if ranges.len() > MAX_SLOTS {
                ranges = vec![(0, size)];
            }
            for (start, end) in ranges {
                let inner = slots.iter().any(|slot| start <= slot.0 && slot.1 <= end);
                let crossed = slots.iter().any(|slot| {
                    slot.0 < end && start < slot.1 && !(start <= slot.0 && slot.1 <= end)
                });
                if crossed {
                    slots.clear();
                    slots.push((0, size));
                    break;
                }
                if !inner {
                    slots.push((start, end));
                }
            }
            slots.sort_unstable();
            // What lies between belongs to accesses of the whole alone.
            let mut gaps = Vec::new();
            let mut position = 0;
            for (start, end) in &slots {
                if position < *start {
                    gaps.push((position, *start));
                }
                position = *end;
            }
            if position < size && size != u64::MAX {
                gaps.push((position, size));
            }
            slots.extend(gaps);
            slots.sort_unstable();
        } else {
            slots.push((0, size));
        }
        if slots.is_empty() {
            slots.push((0, size));
        }
        for (start, end) in slots {
            let mut exact = reaches.iter().filter_map(|reach| match reach {
                Reach::Bytes(from, to, ty) if (*from, *to) == (start, end) => Some(*ty),
                Reach::All(ty) => Some(*ty),
                _ => None,
            });
            let ty = exact.next().filter(|first| exact.all(|other| other == *first));
            self.slots.push(Slot { start, end, ty });
        }
    }

    /// Number of slots.
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// What an access to a local touches.
    pub(super) fn touched(&self, local: Handle<Local>, reach: Reach) -> Touched {
        let all = (self.first[local.index()], self.first[local.index() + 1]);
        let (start, end, ty) = match reach {
            Reach::Bytes(start, end, ty) => (start, end, ty),
            Reach::All(ty) => {
                let exact = all.1 - all.0 == 1 && self.slots[all.0].ty == Some(ty);
                let cover = if exact { Cover::Exact } else { Cover::Part };
                return Touched { first: all.0, end: all.1, cover };
            }
            Reach::Some => return Touched { first: all.0, end: all.1, cover: Cover::Part },
        };
        let inside = |slot: &Slot| slot.start < end && start < slot.end;
        let own = &self.slots[all.0..all.1];
        let first = own.iter().position(inside).unwrap_or(0);
        let count = own.iter().skip(first).take_while(|slot| inside(slot)).count();
        if count == 0 {
            return Touched { first: all.0, end: all.1, cover: Cover::Part };
        }
        let touched = &own[first..first + count];
        let covered = touched.iter().all(|slot| start <= slot.start && slot.end <= end);
        let cover = match touched {
            [slot] if (slot.start, slot.end) == (start, end) && slot.ty == Some(ty) => Cover::Exact,
            _ if covered => Cover::Whole,
            _ => Cover::Part,
        };
        Touched { first: all.0 + first, end: all.0 + first + count, cover }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::function::FunctionKind;
    use port_diag::{FileId, Origin, Span};

    /// Slots of a local of 16 bytes.
    fn slots(reaches: &[Reach]) -> Slots {
        let at = Origin::plain(Span::new(FileId(0), 0, 0));
        let mut types = Types::default();
        let ty = types.array(Type::F32, 4, at);
        let mut function = Function::new("f", FunctionKind::Device);
        function.locals.append(Local { name: "x".into(), ty, align: None }, at);
        Slots::of(&function, &types, &[reaches.to_vec()])
    }

    fn f32_at(start: u64) -> Reach {
        Reach::Bytes(start, start + 4, Type::F32)
    }

    #[test]
    fn members_are_apart_and_the_rest_is_one() {
        let local = Handle::from_index(0);
        let slots = slots(&[f32_at(0), f32_at(4), f32_at(4)]);
        // [0, 4), [4, 8), [8, 16)
        assert_eq!(slots.len(), 3);
        let touched = slots.touched(local, f32_at(4));
        assert_eq!(touched, Touched { first: 1, end: 2, cover: Cover::Exact });
        let whole = slots.touched(local, Reach::Bytes(0, 16, Type::F32));
        assert_eq!(whole, Touched { first: 0, end: 3, cover: Cover::Whole });
        let other_type = slots.touched(local, Reach::Bytes(4, 8, Type::I32));
        assert_eq!(other_type.cover, Cover::Whole);
    }

    #[test]
    fn what_overlaps_in_part_is_one_slot() {
        let slots = slots(&[Reach::Bytes(0, 8, Type::F64), Reach::Bytes(4, 12, Type::F64)]);
        assert_eq!(slots.len(), 1);
        assert_eq!(slots.touched(Handle::from_index(0), f32_at(0)).cover, Cover::Part);
    }

    #[test]
    fn an_index_that_varies_makes_one_slot() {
        let slots = slots(&[f32_at(0), f32_at(8), Reach::Some]);
        assert_eq!(slots.len(), 1);
        assert_eq!(slots.touched(Handle::from_index(0), f32_at(8)).cover, Cover::Part);
    }

    #[test]
    fn a_slot_of_two_types_is_never_exact() {
        let slots = slots(&[f32_at(0), Reach::Bytes(0, 4, Type::I32)]);
        assert_eq!(slots.touched(Handle::from_index(0), f32_at(0)).cover, Cover::Whole);
    }
}
