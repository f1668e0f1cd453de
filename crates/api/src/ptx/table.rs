//! What each instruction does, as C++: which file knows it, and an opcode in parts.
//!
//! Cache hints and eviction priorities say nothing about values and are passed over. Approximate
//! functions become the function that CUDA's headers make of them. `.ftz` flushes operands and result,
//! as the instruction does.

use super::parse::Instruction;
use super::registers::{Registers, Space, Type};
use super::{convert, matrix, memory, number, threads};

/// An opcode in parts.
pub(super) struct Op<'t> {
    pub(super) base: &'t str,
    pub(super) modifiers: Vec<&'t str>,
    /// The types among the modifiers, in order.
    pub(super) types: Vec<Type>,
}

impl<'t> Op<'t> {
    fn new(opcode: &'t str) -> Option<Self> {
        let mut parts = opcode.split('.');
        let base = parts.next()?;
        let modifiers: Vec<&str> = parts.collect();
        let types = modifiers.iter().filter_map(|part| Type::of(part)).collect();
        Some(Op { base, modifiers, types })
    }

    pub(super) fn has(&self, modifier: &str) -> bool {
        self.modifiers.contains(&modifier)
    }

    /// One of the modifiers of a list.
    pub(super) fn any<'m>(&self, list: &[&'m str]) -> Option<&'m str> {
        list.iter().copied().find(|modifier| self.has(modifier))
    }

    pub(super) fn last_type(&self) -> Option<Type> {
        self.types.last().copied()
    }

    /// The suffix that CUDA's intrinsics have for the rounding.
    pub(super) fn rounding(&self) -> Option<&'static str> {
        let map = [("rn", "rn"), ("rz", "rz"), ("rm", "rd"), ("rp", "ru"), ("rna", "rna")];
        map.iter().find(|(modifier, _)| self.has(modifier)).map(|(_, suffix)| *suffix)
    }

    /// The suffix for rounding to an integer.
    pub(super) fn integer_rounding(&self) -> Option<&'static str> {
        let map = [("rni", "rn"), ("rzi", "rz"), ("rmi", "rd"), ("rpi", "ru")];
        map.iter().find(|(modifier, _)| self.has(modifier)).map(|(_, suffix)| *suffix)
    }

    pub(super) fn space(&self) -> Option<Space> {
        let shared = self.modifiers.iter().any(|part| *part == "shared" || *part == "shared::cta");
        // Another block's shared memory, and the parameters of a call, have no address here.
        if self.has("shared::cluster") || self.modifiers.iter().any(|m| m.starts_with("param")) {
            return None;
        }
        Some(if shared { Space::Shared } else { Space::Generic })
    }

    /// How many elements a vector access moves.
    pub(super) fn elements(&self) -> usize {
        match self.any(&["v2", "v4", "v8"]) {
            Some("v2") => 2,
            Some("v4") => 4,
            Some(_) => 8,
            None => 1,
        }
    }
}

/// The code of an instruction; `None` if it is not in the table.
pub(super) fn instruction(r: &mut Registers<'_>, i: &Instruction) -> Option<String> {
    let op = Op::new(&i.opcode)?;
    let operands = &i.operands[..];
    match op.base {
        "mov" | "ld" | "ldu" | "st" | "cvta" | "atom" | "red" | "cp" | "prefetch" | "prefetchu"
        | "createpolicy" | "applypriority" => memory::instruction(r, &op, operands),
        "ldmatrix" | "stmatrix" | "mma" => matrix::instruction(r, &op, operands),
        "shfl" | "vote" | "match" | "redux" | "activemask" | "bar" | "barrier" | "membar"
        | "fence" | "nanosleep" | "trap" | "griddepcontrol" => {
            threads::instruction(r, &op, operands)
        }
        "cvt" => convert::instruction(r, &op, operands),
        "setp" | "set" | "selp" | "slct" => convert::compare(r, &op, operands),
        _ => number::instruction(r, &op, operands),
    }
}
