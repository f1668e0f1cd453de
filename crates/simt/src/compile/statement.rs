//! Statements.

use std::rc::Rc;

use port_ir::{
    Access, AtomicOp, BarrierReduction, BarrierScope, Block, ClockKind, CompareOp, Expression,
    Function, Handle, IntegerOp, Local, Loop, LoopTest, MatrixLayout, MemoryOrder, MemoryScope,
    Scalar, ShuffleMode, Statement, StatementKind, SwitchCase, Type, Value,
};

use super::layout::{self, Part, class_of};
use super::prelude::*;
use super::{MOST_CALLS, MOST_INSTRUCTIONS};
use crate::machine::access::{self, Double, S8, S16, U8, U16, Word};
use crate::machine::atomic::{self, Change};
use crate::machine::grid;
use crate::machine::matrix::{MatrixInst, MatrixWork};
use crate::machine::print::PrintInst;
use crate::machine::warp::{self, NONE, WarpInst, WarpKind};
use crate::machine::{Exec, convert, integer};
use crate::program::Unsupported;

/// Whether a draft copies a value to a local variable.
pub(super) fn is_move(draft: &Draft) -> bool {
    draft.slot == MOVE
}

/// Whether an operation of this order publishes what came before it.
fn releases(order: MemoryOrder) -> bool {
    !matches!(order, MemoryOrder::Relaxed | MemoryOrder::Acquire)
}

/// Marks moves; they have no slot.
const MOVE: u32 = u32::MAX - 1;

/// The load and store of a scalar in memory.
fn accesses(scalar: Scalar) -> (Exec, Exec) {
    macro_rules! pair {
        ($element:ty) => {
            (select::<access::Load<$element>>(), select::<access::Store<$element>>())
        };
    }
    match scalar {
        Scalar::I8 => pair!(S8),
        Scalar::Bool | Scalar::U8 | Scalar::F8E4M3 | Scalar::F8E5M2 => pair!(U8),
        Scalar::I16 => pair!(S16),
        Scalar::U16 | Scalar::F16 | Scalar::Bf16 => pair!(U16),
        scalar if scalar.size() == 8 => pair!(Double),
        _ => pair!(Word),
    }
}

impl<'m> Compiler<'m> {
    pub(super) fn block(&mut self, block: &'m Block) -> Result<()> {
        for (index, statement) in block.statements.iter().enumerate() {
            if self.drafts.len() > MOST_INSTRUCTIONS {
                return self.unsupported("a kernel of so many instructions");
            }
            self.at(statement.location);
            if let StatementKind::Loop(looping) = &statement.kind
                && self.is_plain()
                && let Some(counted) = super::unroll::counted(
                    self.frame.function,
                    &self.frame.types,
                    &self.frame.prepass.promoted,
                    &block.statements[..index],
                    looping,
                )
            {
                self.unrolled(looping, &counted)?;
                continue;
            }
            self.statement(statement)?;
        }
        Ok(())
    }

    /// A block with its own scope.
    fn inner(&mut self, block: &'m Block) -> Result<()> {
        self.open();
        let result = self.block(block);
        self.close();
        result
    }

    /// Copies a value to a local variable's register; `all` says that lanes which are not active
    /// have nothing to lose.
    pub(super) fn emit_move(&mut self, to: V, from: V, all: bool) {
        let run = integer::mover(self.class(to));
        let draft = self.draft(Op::Exec, run);
        draft.d = Some(to);
        draft.operands[0] = Some(from);
        draft.imm = u64::from(all);
        draft.slot = MOVE;
        draft.may_share = true;
        self.twin_move(to, from, all);
    }

    /// The promoted local and offset that a pointer names.
    fn promoted(&self, pointer: Value) -> Option<(Handle<Local>, u64)> {
        let function = self.frame.function;
        let (mut pointer, mut offset) = (pointer, 0u64);
        loop {
            match function.expressions.get(pointer)? {
                Expression::Local(local) => {
                    let promoted = self.frame.prepass.promoted.get(local.index())?;
                    return promoted.is_some().then_some((*local, offset));
                }
                Expression::Member { base, structure, index } => {
                    let structure = self.module.types.structs().get(*structure)?;
                    offset = offset.wrapping_add(structure.members.get(*index as usize)?.offset);
                    pointer = *base;
                }
                Expression::Element { base, element, index } => {
                    let size = layout::size_of(&self.module.types, *element, self.lanes())?;
                    let index = super::locals::constant(function, *index)?.as_integer()?;
                    offset = offset.wrapping_add(size.wrapping_mul(index as u64));
                    pointer = *base;
                }
                Expression::FragmentElement { base, fragment, index } => {
                    let index = super::locals::constant(function, *index)?.as_integer()?;
                    let size = fragment.element.storage().size();
                    offset = offset.wrapping_add(size.wrapping_mul(index as u64));
                    pointer = *base;
                }
                Expression::Convert { kind: port_ir::Conversion::Space, value, .. } => {
                    pointer = *value;
                }
                _ => return None,
            }
        }
    }

    fn local_registers(&self, local: Handle<Local>, offset: u64, parts: &[Part]) -> Result<Vec<V>> {
        let registers = &self.frame.locals[local.index()];
        let found: Option<Vec<V>> = parts
            .iter()
            .map(|part| registers.get(&part.offset.wrapping_add(offset)).copied())
            .collect();
        match found {
            Some(found) => Ok(found),
            None => self.unsupported("a part of a local variable that is not there"),
        }
    }

    fn load(&mut self, result: Value, pointer: Value, access: Access) -> Result<()> {
        let parts = self.parts_of(self.ty(result))?;
        if let Some((local, offset)) = self.promoted(pointer) {
            if let Some(counter) = self.counter(local) {
                let register = self.constant(Class::W, Self::bits_of(counter));
                self.know_one(result, register);
                return Ok(());
            }
            let registers = self.local_registers(local, offset, &parts)?;
            self.note_use(local, offset, result);
            if self.frame.prepass.may_alias(local, result, self.frame.position) {
                self.know(result, registers.into());
                return Ok(());
            }
            let mut copies = Vec::new();
            for register in registers {
                let copy = self.value(self.class(register));
                let run = integer::mover(self.class(register));
                self.emit_to(run, copy, &[register], 1);
                self.twin_copy(copy, register);
                copies.push(copy);
            }
            self.know(result, copies.into());
            return Ok(());
        }
        let (address, offset) = self.address(pointer)?;
        let mut out = Vec::new();
        for part in parts {
            let slot = self.access_slot(self.ty(result), access, part.offset);
            out.push(self.load_part(address, offset.wrapping_add(part.offset), part.scalar, slot));
        }
        self.know(result, out.into());
        self.noted(pointer, None);
        Ok(())
    }

    /// What the checks want to know of an access to a part of a value.
    fn access_slot(&self, ty: Type, access: Access, part: u64) -> u32 {
        use crate::check::slot;
        let mut bits = match ty {
            Type::Struct(_) | Type::Array(_) => slot::COPIES,
            _ => 0,
        };
        if let Some(ordering) = access.atomic {
            bits |= slot::ATOMIC;
            bits |= if releases(ordering.order) { slot::RELEASES } else { 0 };
        }
        bits |= if access.volatile { slot::VOLATILE } else { 0 };
        if part == 0
            && let Some(layout) = self.module.types.layout(ty)
        {
            bits |= (layout.align.max(1).trailing_zeros() & 15) << slot::ALIGN;
        }
        bits
    }

    fn load_part(&mut self, address: V, offset: u64, scalar: Scalar, slot: u32) -> V {
        let (load, _) = accesses(scalar);
        let class = if class_of(scalar) == Class::D { Class::D } else { Class::W };
        let d = self.value(class);
        self.emit_checked(load, Some(d), &[address], offset).slot = slot;
        self.mark(Mark::Load(scalar));
        self.twin_load(d, address, offset, scalar);
        match scalar {
            Scalar::Bool => self.emit(select::<convert::WordToBits>(), Class::B, &[d], 0),
            _ => d,
        }
    }

    fn store(&mut self, pointer: Value, value: Value, access: Access) -> Result<()> {
        let ty = self.ty(value);
        let parts = self.parts_of(ty)?;
        let mut values: Vec<V> = self.eval(value)?.to_vec();
        if let Some((local, offset)) = self.promoted(pointer) {
            let targets = self.local_registers(local, offset, &parts)?;
            self.note_effect("assignment", &values);
            self.noted(pointer, Some(value));
            if targets.len() > 1 && values.iter().any(|value| targets.contains(value)) {
                // Parts change places: all are read before one is written.
                for value in &mut values {
                    let class = self.class(*value);
                    let copy = self.emit(integer::mover(class), class, &[*value], 1);
                    self.twin_copy(copy, *value);
                    *value = copy;
                }
            }
            let all = self.frame.prepass.unmasked[local.index()];
            for (target, value) in targets.into_iter().zip(values) {
                if target != value {
                    self.emit_move(target, value, all);
                }
            }
            self.note_set(local);
            return Ok(());
        }
        let (address, offset) = self.address(pointer)?;
        self.note_write("store", address, offset, &values);
        self.noted(pointer, Some(value));
        for (part, value) in parts.into_iter().zip(values) {
            let slot = self.access_slot(ty, access, part.offset);
            self.store_part(address, offset.wrapping_add(part.offset), part.scalar, value, slot);
        }
        Ok(())
    }

    fn store_part(&mut self, address: V, offset: u64, scalar: Scalar, value: V, slot: u32) {
        let (_, store) = accesses(scalar);
        let value = match scalar {
            Scalar::Bool => self.emit(select::<convert::BitsToWord>(), Class::W, &[value], 0),
            _ => value,
        };
        self.emit_checked(store, None, &[address, value], offset).slot = slot;
        self.mark(Mark::Store(scalar));
        self.twin_store(address, offset, scalar, value);
    }

    fn statement(&mut self, statement: &'m Statement) -> Result<()> {
        use StatementKind as S;
        self.frame.position += 1;
        self.statement = crate::names::of_statement(&statement.kind);
        match &statement.kind {
            S::Load { result, pointer, access } => self.load(*result, *pointer, *access)?,
            S::Store { pointer, value, access } => self.store(*pointer, *value, *access)?,
            S::Copy { destination, source, bytes } => {
                let to = self.one(*destination)?;
                let from = self.one(*source)?;
                let bytes = self.double(*bytes)?;
                self.note_write("copy", to, 0, &[bytes]);
                self.emit_checked(select::<access::Copy>(), None, &[to, from, bytes], 0);
            }
            S::Fill { destination, byte, bytes } => {
                let to = self.one(*destination)?;
                let byte = self.word(*byte)?;
                let bytes = self.double(*bytes)?;
                self.emit_checked(select::<access::Fill>(), None, &[to, byte, bytes], 0);
            }
            S::Atomic { result, op, pointer, value, ordering } => {
                self.atomic(*result, *op, *pointer, *value, ordering.order)?;
            }
            S::Prefetch { .. } | S::AsyncCommit | S::AsyncWait { .. } => {}
            S::Fence { ordering } => {
                let beyond = ordering.scope != MemoryScope::Block;
                let draft = self.draft(Op::Exec, select::<crate::check::Fence>());
                draft.imm = u64::from(beyond);
            }
            S::AsyncCopy(copy) => {
                let to = self.one(copy.destination)?;
                let from = self.one(copy.source)?;
                let read = match copy.source_bytes {
                    Some(bytes) => self.double(bytes)?,
                    None => self.constant(Class::D, copy.bytes.into()),
                };
                let run = select::<access::AsyncCopy>();
                self.note_write("async copy", to, 0, &[read]);
                self.emit_checked(run, None, &[to, from, read], copy.bytes.into());
            }
            S::Call { result, function, arguments } => {
                self.call(*result, *function, arguments)?;
            }
            S::Barrier { scope, mask, named, reduce } => match scope {
                BarrierScope::Warp => {
                    self.note_effect("warp barrier", &[]);
                    let inst = self.warp_inst(WarpKind::Barrier, *mask, Scalar::U32)?;
                    self.emit_warp(select::<warp::Warp>(), None, &[], inst);
                }
                _ => {
                    self.note_effect("barrier", &[]);
                    if let Some(named) = named {
                        let all = named.threads.is_none() && !named.arrive_only;
                        if !all {
                            return self.unsupported("a barrier for some threads of the block");
                        }
                    }
                    let mut result = None;
                    let mut kind = 0;
                    let mut predicate = None;
                    if let Some(reduce) = reduce {
                        predicate = Some(self.one(reduce.predicate)?);
                        let (class, number) = match reduce.op {
                            BarrierReduction::Count => (Class::W, 1),
                            BarrierReduction::And => (Class::B, 2),
                            BarrierReduction::Or => (Class::B, 3),
                        };
                        kind = number;
                        let register = self.value(class);
                        self.know_one(reduce.result, register);
                        result = Some(register);
                    }
                    self.code.has_grid_barrier |= *scope == BarrierScope::Grid;
                    self.code.has_block_barrier = true;
                    // First what arrives, then, when all have, what they get.
                    let op = match scope {
                        BarrierScope::Grid => Op::GridBarrier,
                        BarrierScope::Cluster => Op::GridBarrier,
                        _ => Op::BlockBarrier,
                    };
                    let draft = self.draft(Op::Checked, select::<grid::Arrive>());
                    draft.operands[0] = predicate;
                    draft.imm = kind;
                    let draft = self.draft(op, nothing);
                    draft.imm = kind;
                    if result.is_some() {
                        let draft = self.draft(Op::Exec, select::<grid::Leave>());
                        draft.d = result;
                        draft.imm = kind;
                    }
                    if *scope == BarrierScope::Cluster {
                        self.code.has_cluster_barrier = true;
                        self.code.has_grid_barrier = true;
                    }
                }
            },
            S::Shuffle { result, in_range, mode, mask, value, lane, width } => {
                self.shuffle(*result, *in_range, *mode, *mask, *value, *lane, *width)?;
            }
            S::Vote { result, kind, mask, predicate } => {
                let predicate = self.one(*predicate)?;
                let mut inst = self.warp_inst(WarpKind::Vote(*kind), *mask, Scalar::Bool)?;
                let class = match kind {
                    port_ir::VoteKind::Ballot => self.class_of_value(*result),
                    _ => Class::B,
                };
                inst.wide_result = class == Class::D;
                let d = self.value(class);
                self.emit_warp(select::<warp::Warp>(), Some(d), &[predicate], inst);
                self.know_one(*result, d);
            }
            S::Match { result, same, all, mask, value } => {
                let scalar = self.ty(*value).scalar().unwrap_or(Scalar::U64);
                let value = self.one(*value)?;
                let kind = WarpKind::Match { all: *all };
                let mut inst = self.warp_inst(kind, *mask, scalar)?;
                let class = self.class_of_value(*result);
                inst.wide_result = class == Class::D;
                if let Some(same) = same {
                    inst.second = self.value(Class::B);
                    self.know_one(*same, inst.second);
                }
                let d = self.value(class);
                self.emit_warp(select::<warp::Warp>(), Some(d), &[value], inst);
                self.know_one(*result, d);
            }
            S::ActiveMask { result } => {
                let mut inst = self.warp_inst(WarpKind::ActiveMask, None, Scalar::U32)?;
                let class = self.class_of_value(*result);
                inst.wide_result = class == Class::D;
                let d = self.value(class);
                self.emit_warp(select::<warp::Warp>(), Some(d), &[], inst);
                self.know_one(*result, d);
            }
            S::WarpReduce { result, op, mask, value } => {
                let scalar = self.ty(*value).scalar().unwrap_or(Scalar::U32);
                let known = scalar.is_integer() && scalar.size() >= 4 || scalar == Scalar::F32;
                if !known {
                    return self.unsupported(format!("a warp's reduction of {}", scalar.name()));
                }
                let value = self.one(*value)?;
                let mut inst = self.warp_inst(WarpKind::Reduce(*op), *mask, scalar)?;
                inst.wide_result = class_of(scalar) == Class::D;
                let d = self.value(class_of(scalar));
                self.emit_warp(select::<warp::Warp>(), Some(d), &[value], inst);
                self.know_one(*result, d);
            }
            S::Elect { result, mask } => {
                let inst = self.warp_inst(WarpKind::Elect, *mask, Scalar::U32)?;
                let d = self.value(Class::B);
                self.emit_warp(select::<warp::Warp>(), Some(d), &[], inst);
                self.know_one(*result, d);
            }
            S::MatrixLoad { result, pointer, stride, layout } => {
                let Type::Fragment(fragment) = self.ty(*result) else {
                    return self.unsupported("a matrix that is no fragment");
                };
                let pointer = self.one(*pointer)?;
                let stride = self.double(*stride)?;
                let count = self.parts_of(self.ty(*result))?.len();
                let class = class_of(fragment.element.storage());
                let writes: Vec<V> = (0..count).map(|_| self.value(class)).collect();
                self.emit_matrix(MatrixInst {
                    work: MatrixWork::Load(fragment, *layout == MatrixLayout::RowMajor),
                    reads: vec![pointer, stride],
                    writes: writes.clone(),
                    plain: Vec::new(),
                });
                self.know(*result, writes.into());
            }
            S::MatrixStore { pointer, value, stride, layout } => {
                let Type::Fragment(fragment) = self.ty(*value) else {
                    return self.unsupported("a matrix that is no fragment");
                };
                let pointer = self.one(*pointer)?;
                let stride = self.double(*stride)?;
                let mut reads = vec![pointer, stride];
                reads.extend(self.eval(*value)?.iter());
                self.note_write("matrix store", pointer, 0, &reads[1..]);
                self.emit_matrix(MatrixInst {
                    work: MatrixWork::Store(fragment, *layout == MatrixLayout::RowMajor),
                    reads,
                    writes: Vec::new(),
                    plain: Vec::new(),
                });
            }
            S::MatrixMultiply { result, a, b, c, saturate } => {
                let fragments = (self.ty(*a), self.ty(*b), self.ty(*c), self.ty(*result));
                let (
                    Type::Fragment(first),
                    Type::Fragment(second),
                    Type::Fragment(third),
                    Type::Fragment(sum),
                ) = fragments
                else {
                    return self.unsupported("a matrix that is no fragment");
                };
                let storage = sum.element.storage();
                let Some(model) = self.profile.matrix_model(first.element, storage) else {
                    return self.unsupported("this matrix operation on this profile");
                };
                let mut reads = Vec::new();
                for operand in [*a, *b, *c] {
                    reads.extend(self.eval(operand)?.iter());
                }
                let count = self.parts_of(self.ty(*result))?.len();
                let writes: Vec<V> = (0..count).map(|_| self.value(class_of(storage))).collect();
                self.emit_matrix(MatrixInst {
                    work: MatrixWork::Multiply {
                        fragments: [first, second, third, sum],
                        model,
                        saturate: *saturate,
                    },
                    reads,
                    writes: writes.clone(),
                    plain: Vec::new(),
                });
                self.know(*result, writes.into());
            }
            S::Print { result, format, arguments } => {
                let mut list = Vec::new();
                for argument in arguments {
                    let scalar = self.ty(*argument).scalar().unwrap_or(Scalar::U64);
                    for part in self.eval(*argument)?.iter() {
                        list.push((*part, scalar));
                    }
                }
                let d = result.map(|result| {
                    let d = self.value(Class::W);
                    self.know_one(result, d);
                    d
                });
                self.code.prints.push(PrintInst { format: format.clone(), arguments: list });
                let entry = self.code.prints.len() - 1;
                let run = select::<crate::machine::print::Print>();
                self.emit_checked(run, d, &[], entry as u64).table = Some(Table::Print(entry));
            }
            S::Assert { condition, message } => {
                let condition = self.one(*condition)?;
                self.code.messages.push(message.clone());
                let imm = self.code.messages.len() as u64 - 1;
                self.emit_checked(select::<grid::Assert>(), None, &[condition], imm);
            }
            S::Trap => {
                self.note_effect("trap", &[]);
                self.emit_checked(select::<grid::Trap>(), None, &[], 0);
            }
            S::Clock { result, kind } => {
                let class = match kind {
                    ClockKind::Cycles32 => Class::W,
                    _ => Class::D,
                };
                let run = match class {
                    Class::W => select::<grid::Clock32>(),
                    _ => select::<grid::Clock64>(),
                };
                let d = self.value(class);
                self.emit_checked(run, Some(d), &[], 0);
                self.know_one(*result, d);
            }
            S::Sleep { .. } => {
                self.emit_checked(select::<grid::Sleep>(), None, &[], 0);
            }
            S::Block(block) => self.inner(block)?,
            S::If { condition, accept, reject } => self.branch(*condition, accept, reject)?,
            S::Switch { selector, cases } => self.switch(*selector, cases)?,
            S::Loop(looping) => self.looping(looping)?,
            S::Break => match self.frame.targets.last().copied() {
                Some(Target::Loop(slot) | Target::Switch(slot)) => {
                    self.note_effect("break", &[]);
                    self.control_to_merge(Op::Break, slot);
                }
                None => return self.unsupported("a break outside loops"),
            },
            S::Continue => {
                let slot = self.frame.targets.iter().rev().find_map(|target| match target {
                    Target::Loop(slot) => Some(*slot),
                    Target::Switch(_) => None,
                });
                match slot {
                    Some(slot) => {
                        self.note_effect("continue", &[]);
                        self.control_to_merge(Op::Continue, slot);
                    }
                    None => return self.unsupported("a continue outside loops"),
                }
            }
            S::Return { value } => match self.frame.call.clone() {
                Some((slot, results)) => {
                    if let Some(value) = value {
                        let values = self.eval(*value)?;
                        for (result, value) in results.iter().zip(values.iter()) {
                            self.emit_move(*result, *value, false);
                        }
                    }
                    self.control_to_merge(Op::Return, slot);
                }
                None => {
                    self.note_effect("return", &[]);
                    self.control_to_merge(Op::Exit, 0);
                }
            },
            S::Unsupported { code, what } => {
                return Err(Unsupported {
                    code: code.clone(),
                    location: self.location,
                    what: what.clone(),
                });
            }
        }
        Ok(())
    }

    fn class_of_value(&self, value: Value) -> Class {
        self.ty(value).scalar().map_or(Class::D, class_of)
    }

    fn branch(&mut self, condition: Value, accept: &'m Block, reject: &'m Block) -> Result<()> {
        let condition = self.one(condition)?;
        let slot = self.slot();
        let branch = self.control(Op::If, Some(condition), slot);
        self.merges.push(vec![branch]);
        self.inner(accept)?;
        self.meet();
        if !reject.statements.is_empty() {
            let other = self.control(Op::Else, None, slot);
            self.merges.push(vec![other]);
            self.inner(reject)?;
            self.meet();
        }
        self.control_to_merge(Op::EndIf, slot);
        self.slots -= 1;
        Ok(())
    }

    fn switch(&mut self, selector: Value, cases: &'m [SwitchCase]) -> Result<()> {
        let scalar = self.ty(selector).scalar().unwrap_or(Scalar::I32);
        let selector = self.one(selector)?;
        let class = class_of(scalar);
        let mut conditions = Vec::new();
        let mut any: Option<V> = None;
        for case in cases {
            let mut own: Option<V> = None;
            for bits in &case.values {
                let constant = port_ir::Constant::from_bits(scalar, *bits);
                let constant = self.constant(class, Self::bits_of(constant));
                let equal = self.compare(CompareOp::Equal, scalar, selector, constant)?;
                own = Some(match own {
                    Some(own) => self.integer(IntegerOp::Or, Scalar::Bool, own, equal)?,
                    None => equal,
                });
            }
            if let Some(own) = own {
                any = Some(match any {
                    Some(any) => self.integer(IntegerOp::Or, Scalar::Bool, any, own)?,
                    None => own,
                });
            }
            conditions.push(own);
        }
        let never = self.constant(Class::B, 0);
        let default = match any {
            Some(any) => self.emit(select::<integer::NotBits>(), Class::B, &[any, any], 0),
            None => self.constant(Class::B, 1),
        };
        // All conditions are known before the first arm takes lanes away.
        let mut entered = Vec::new();
        for (case, own) in cases.iter().zip(conditions) {
            entered.push(match (own, case.default) {
                (Some(own), true) => self.integer(IntegerOp::Or, Scalar::Bool, own, default)?,
                (Some(own), false) => own,
                (None, true) => default,
                (None, false) => never,
            });
        }
        let slot = self.slot();
        self.control(Op::SwitchBegin, None, slot);
        self.frame.targets.push(Target::Switch(slot));
        for (case, condition) in cases.iter().zip(entered) {
            let begin = self.control(Op::ArmBegin, Some(condition), slot);
            self.merges.push(vec![begin]);
            self.inner(&case.body)?;
            self.meet();
            self.control(if case.fallthrough { Op::ArmFall } else { Op::ArmEnd }, None, slot);
        }
        self.frame.targets.pop();
        self.control_to_merge(Op::SwitchEnd, slot);
        self.slots -= 1;
        Ok(())
    }

    fn looping(&mut self, looping: &'m Loop) -> Result<()> {
        self.hoist(&[&looping.condition, &looping.body, &looping.step], looping.test)?;
        let (site, location) = (self.site, self.location);
        let slot = self.slot();
        self.control(Op::LoopBegin, None, slot);
        let head = self.drafts.len() as u32;
        self.open();
        // What finds no lanes left in the condition or step goes to the end.
        let mut leaving = Vec::new();
        if looping.when == LoopTest::Before {
            self.condition(looping, slot, &mut leaving)?;
        }
        self.frame.targets.push(Target::Loop(slot));
        self.merges.push(Vec::new());
        self.inner(&looping.body)?;
        self.meet();
        self.frame.targets.pop();
        leaving.push(self.control(Op::Step, None, slot));
        self.merges.push(Vec::new());
        self.inner(&looping.step)?;
        leaving.extend(self.merges.pop().unwrap_or_default());
        if looping.when == LoopTest::After {
            self.condition(looping, slot, &mut leaving)?;
        }
        self.close();
        self.frame.position += 1;
        (self.site, self.location) = (site, location);
        let back = self.control(Op::Back, None, slot);
        self.drafts[back].target = head;
        for jump in leaving {
            self.aim(jump);
        }
        self.control_to_merge(Op::LoopEnd, slot);
        self.slots -= 1;
        Ok(())
    }

    /// A loop's condition; what it computes is seen by what follows in the pass.
    fn condition(&mut self, looping: &'m Loop, slot: u32, leaving: &mut Vec<usize>) -> Result<()> {
        self.merges.push(Vec::new());
        self.block(&looping.condition)?;
        leaving.extend(self.merges.pop().unwrap_or_default());
        self.frame.position += 1;
        if let Some(test) = looping.test {
            let test = self.one(test)?;
            leaving.push(self.control(Op::LoopTest, Some(test), slot));
        }
        Ok(())
    }

    fn call(
        &mut self,
        result: Option<Value>,
        handle: Handle<Function>,
        arguments: &[Value],
    ) -> Result<()> {
        let Some(function) = self.module.functions.get(handle) else {
            return self.unsupported("a call of nothing");
        };
        let Some(body) = &function.body else {
            return self.unsupported(format!("`{}` is not defined here", function.name));
        };
        if self.calls.contains(&handle) {
            return self.unsupported(format!("`{}` calls itself", function.name));
        }
        if self.calls.len() >= MOST_CALLS {
            return self.unsupported("calls nested so deep");
        }
        let mut passed = Vec::new();
        for argument in arguments {
            passed.push(self.eval(*argument)?);
        }
        let results: Parts = match function.result {
            Some(ty) => {
                let parts = self.parts_of(ty)?;
                let mut registers = Vec::new();
                for part in parts {
                    let register = self.register(part.class(), Use::Local);
                    self.twin_register(register, part.scalar);
                    registers.push(register);
                }
                registers.into()
            }
            None => Rc::from([]),
        };
        let (types, prepass) = self.facts(handle);
        let depth = self.frame.depth + 1;
        let mut frame = self.frame_of(function, types, prepass, depth)?;
        let slot = self.slot();
        frame.arguments = passed;
        frame.call = Some((slot, results.clone()));
        let outer = std::mem::replace(&mut self.frame, frame);
        self.calls.push(handle);
        self.control(Op::CallBegin, None, slot);
        self.merges.push(Vec::new());
        let (site, location) = (self.site, self.location);
        let compiled = self.block(body);
        self.calls.pop();
        self.frame = outer;
        compiled?;
        (self.site, self.location) = (site, location);
        self.meet();
        self.control_to_merge(Op::CallEnd, slot);
        self.slots -= 1;
        if let Some(result) = result {
            // The callee's registers may be written again by the next call in a loop: copied.
            let mut copies = Vec::new();
            for register in results.iter() {
                let class = self.class(*register);
                let copy = self.emit(integer::mover(class), class, &[*register], 1);
                self.twin_copy(copy, *register);
                copies.push(copy);
            }
            self.know(result, copies.into());
        }
        Ok(())
    }

    fn atomic(
        &mut self,
        result: Option<Value>,
        op: AtomicOp,
        pointer: Value,
        value: Value,
        order: MemoryOrder,
    ) -> Result<()> {
        let change = match op {
            AtomicOp::Add => Change::Add,
            AtomicOp::Subtract => Change::Subtract,
            AtomicOp::Minimum => Change::Minimum,
            AtomicOp::Maximum => Change::Maximum,
            AtomicOp::And => Change::And,
            AtomicOp::Or => Change::Or,
            AtomicOp::Xor => Change::Xor,
            AtomicOp::Exchange => Change::Exchange,
            AtomicOp::CompareExchange { .. } => Change::CompareExchange,
            AtomicOp::IncrementWrap => Change::IncrementWrap,
            AtomicOp::DecrementWrap => Change::DecrementWrap,
        };
        let (address, offset) = self.address(pointer)?;
        let parts = self.parts_of(self.ty(value))?;
        let values = self.eval(value)?;
        self.note_write("atomic update", address, offset, &values);
        let expected = match op {
            AtomicOp::CompareExchange { expected } => Some(self.eval(expected)?),
            _ => None,
        };
        if parts.len() > 1 && expected.is_some() {
            return self.unsupported("an atomic exchange of an aggregate");
        }
        let is_used = result
            .is_some_and(|result| self.frame.prepass.last_use.get(result.index()) != Some(&0));
        let mut out = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            let Some(run) = atomic::atomic(part.scalar) else {
                return self.unsupported(format!("an atomic operation on {}", part.scalar.name()));
            };
            let imm = atomic::encode(change, part.scalar, offset.wrapping_add(part.offset));
            let mut operands = vec![address, values[index]];
            operands.extend(expected.as_ref().map(|expected| expected[index]));
            let d = self.value(part.class());
            let result = is_used.then_some(d);
            let twins = self.twin_atomic(change, part.scalar, values[index], result);
            let draft = self.emit_checked(run, result, &operands, imm);
            draft.slot = u32::from(is_used) | (2 * u32::from(expected.is_some())) | twins;
            if releases(order) {
                draft.slot |= crate::check::slot::RELEASES;
            }
            if !is_used && expected.is_none() && part.scalar.size() == 4 {
                self.mark(Mark::Change);
            }
            out.push(match (is_used, part.scalar) {
                (true, Scalar::I8 | Scalar::I16) => {
                    self.emit(super::normaliser(part.scalar).unwrap_or(nothing), Class::W, &[d], 0)
                }
                _ => d,
            });
        }
        if let Some(result) = result {
            self.know(result, out.into());
        }
        Ok(())
    }

    fn warp_inst(
        &mut self,
        kind: WarpKind,
        mask: Option<Value>,
        scalar: Scalar,
    ) -> Result<WarpInst> {
        let mask = match mask {
            Some(mask) => Some(self.one(mask)?),
            None => None,
        };
        Ok(WarpInst {
            kind,
            mask: mask.unwrap_or(NONE),
            wide_mask: mask.is_some_and(|mask| self.class(mask) == Class::D),
            wide_result: false,
            lane: NONE,
            width: NONE,
            second: NONE,
            scalar,
        })
    }

    fn emit_warp(&mut self, run: Exec, d: Option<V>, operands: &[V], inst: WarpInst) {
        self.code.warps.push(inst);
        let entry = self.code.warps.len() - 1;
        self.emit_checked(run, d, operands, entry as u64).table = Some(Table::Warp(entry));
    }

    fn emit_matrix(&mut self, inst: MatrixInst) {
        let fragment = match &inst.work {
            MatrixWork::Load(fragment, _) => Some(*fragment),
            MatrixWork::Store(..) => None,
            MatrixWork::Multiply { fragments, .. } => Some(fragments[3]),
        };
        self.code.matrices.push(inst.clone());
        let entry = self.code.matrices.len() - 1;
        let run = select::<crate::machine::matrix::Matrix>();
        self.emit_checked(run, None, &[], entry as u64).table = Some(Table::Matrix(entry));
        self.twin_matrix(&inst, fragment.map(|fragment| fragment.element.storage()));
    }

    #[allow(clippy::too_many_arguments, reason = "the fields of the statement")]
    fn shuffle(
        &mut self,
        result: Value,
        in_range: Option<Value>,
        mode: ShuffleMode,
        mask: Option<Value>,
        value: Value,
        lane: Value,
        width: Option<Value>,
    ) -> Result<()> {
        let parts = self.parts_of(self.ty(value))?;
        let values = self.eval(value)?;
        let mut inst = self.warp_inst(WarpKind::Shuffle(mode), mask, Scalar::U32)?;
        inst.lane = self.word(lane)?;
        inst.width = match width {
            Some(width) => self.word(width)?,
            None => NONE,
        };
        let in_range = in_range.map(|value| {
            let register = self.value(Class::B);
            self.know_one(value, register);
            register
        });
        let mut out = Vec::new();
        for (index, (part, value)) in parts.iter().zip(values.iter()).enumerate() {
            let own = WarpInst {
                second: if index == 0 { in_range.unwrap_or(NONE) } else { NONE },
                ..inst
            };
            let (run, class, value) = match part.class() {
                Class::D => (select::<warp::Shuffle64>(), Class::D, *value),
                Class::W => (select::<warp::Shuffle32>(), Class::W, *value),
                Class::B => {
                    let run = select::<convert::BitsToWord>();
                    let word = self.emit(run, Class::W, &[*value], 0);
                    (select::<warp::Shuffle32>(), Class::W, word)
                }
            };
            let d = self.value(class);
            self.emit_warp(run, Some(d), &[value], own);
            self.twin_shuffle(d, value, own);
            out.push(match part.class() {
                Class::B => self.emit(select::<convert::WordToBits>(), Class::B, &[d], 0),
                _ => d,
            });
        }
        self.know(result, out.into());
        Ok(())
    }
}
