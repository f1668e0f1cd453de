//! The instructions that make twins (`machine/twin`): one after each that makes a float.

use std::collections::{HashMap, HashSet};

use port_float::Profile;
use port_ir::{
    Block, Conversion, Expression, FloatFlags, FloatOp, Function, Handle, Local, MathClass,
    MathFunction, Scalar, StatementKind, UnaryOp, Value,
};

use super::prelude::*;
use crate::machine::Exec;
use crate::machine::atomic::Change;
use crate::machine::matrix::MatrixInst;
use crate::machine::twin::operations::{self as o, TwinFunction};
use crate::machine::twin::{self, Kind, lanes, memory};
use crate::machine::warp::WarpInst;

/// Which registers have twins, and what their values are; for a program that is compiled with twins.
pub(super) struct Twinned {
    kinds: HashMap<V, Kind>,
    /// Locals of the function at hand that are integers with the bits of floats.
    carriers: HashSet<Handle<Local>>,
    /// Whose f64 functions stand for the exact ones.
    exact: Option<Profile>,
}

/// Marks moves of twins; they have no slot.
pub(super) const MOVE: u32 = u32::MAX - 2;

impl Twinned {
    pub(super) fn new() -> Self {
        let (kinds, carriers) = (HashMap::new(), HashSet::new());
        Twinned { kinds, carriers, exact: Profile::named("exact").ok() }
    }
}

impl Compiler<'_> {
    fn has_twin(&self, register: V, kind: Kind) -> bool {
        self.twinned.as_ref().is_some_and(|twinned| twinned.kinds.get(&register) == Some(&kind))
    }

    /// A register whose twin others set: a local variable's, a part of a fragment.
    pub(super) fn twin_register(&mut self, register: V, scalar: Scalar) {
        if let Some(twinned) = &mut self.twinned
            && scalar.is_float()
            && let Some(kind) = Kind::of(scalar)
        {
            twinned.kinds.insert(register, kind);
        }
    }

    /// The twin of `d`, made from operands of a kind.
    fn twin(&mut self, run: Exec, d: V, operands: &[V], kinds: [Kind; 2], extra: u64) {
        let [from, to] = kinds;
        let mut plain = [true; 4];
        for (plain, operand) in plain.iter_mut().zip(operands) {
            *plain = !self.has_twin(*operand, from);
        }
        // What was computed before has its twin.
        let is_new = self.drafts.last().is_some_and(|last| last.d == Some(d));
        if !is_new && self.registers[d as usize].usage == Use::Value && self.has_twin(d, to) {
            return;
        }
        if let Some(twinned) = &mut self.twinned {
            twinned.kinds.insert(d, to);
        }
        let mut all = [None; 4];
        for (place, operand) in all.iter_mut().zip(operands) {
            *place = Some(*operand);
        }
        self.attach(run, Some(d), all, twin::encode(from, plain, extra));
    }

    /// Adds an instruction that makes twins to the one that was emitted last.
    fn attach(&mut self, run: Exec, d: Option<V>, operands: [Option<V>; 4], imm: u64) {
        self.draft(Op::Exec, run);
        let Some(mut twin) = self.drafts.pop() else { return };
        (twin.d, twin.operands, twin.imm) = (d, operands, imm);
        match self.drafts.last_mut() {
            Some(last) => last.twins.push(twin),
            None => self.drafts.push(twin),
        }
    }

    /// The instruction that was attached last.
    fn attached(&mut self) -> Option<&mut Draft> {
        self.drafts.last_mut()?.twins.last_mut()
    }

    /// Lets what was attached last come before the values are made: it does not look at the result,
    /// which may take the place of an operand.
    fn lead(&mut self, d: V) {
        let may_lead = !self.one_by_one;
        if let Some(twin) = self.attached()
            && may_lead
            && twin.d == Some(d)
        {
            twin.leads = true;
        }
    }

    /// The kind of float whose bits a scalar may be.
    fn carried_kind(&self, scalar: Scalar) -> Option<Kind> {
        self.twinned.as_ref()?;
        Kind::carried(scalar)
    }

    /// Which integer locals of a function hold bits of floats: those that are cast to floats after a
    /// load, and those that are copied to such.
    pub(super) fn find_carriers(&mut self, function: &Function) {
        let Some(twinned) = &mut self.twinned else { return };
        twinned.carriers.clear();
        let mut loads: HashMap<Value, Handle<Local>> = HashMap::new();
        let mut stores: Vec<(Handle<Local>, Value)> = Vec::new();
        let local = |pointer: Value| match function.expressions.get(pointer) {
            Some(Expression::Local(local)) => Some(*local),
            _ => None,
        };
        let mut blocks: Vec<&Block> = function.body.iter().collect();
        while let Some(block) = blocks.pop() {
            for statement in &block.statements {
                match &statement.kind {
                    StatementKind::Load { result, pointer, .. } => {
                        loads.extend(local(*pointer).map(|local| (*result, local)));
                    }
                    StatementKind::Store { pointer, value, .. } => {
                        stores.extend(local(*pointer).map(|local| (local, *value)));
                    }
                    _ => {}
                }
                blocks.extend(statement.kind.blocks());
            }
        }
        for (_, expression) in function.expressions.iter() {
            if let Expression::Convert { kind: Conversion::Bits, value, to } = expression
                && to.scalar().is_some_and(Scalar::is_float)
                && let Some(local) = loads.get(value)
            {
                twinned.carriers.insert(*local);
            }
        }
        loop {
            let copied = stores.iter().filter(|(to, _)| twinned.carriers.contains(to));
            let more: Vec<Handle<Local>> = copied
                .filter_map(|(_, value)| loads.get(value).copied())
                .filter(|local| !twinned.carriers.contains(local))
                .collect();
            if more.is_empty() {
                return;
            }
            twinned.carriers.extend(more);
        }
    }

    /// The register of a local variable's part.
    pub(super) fn twin_local(&mut self, local: Handle<Local>, register: V, scalar: Scalar) {
        let carries = self.twinned.as_ref().is_some_and(|it| it.carriers.contains(&local));
        let kind = if carries { self.carried_kind(scalar) } else { self.float_kind(scalar) };
        if let (Some(kind), Some(twinned)) = (kind, &mut self.twinned) {
            twinned.kinds.insert(register, kind);
        }
    }

    /// The kind of a float whose arithmetic has twins.
    fn float_kind(&self, scalar: Scalar) -> Option<Kind> {
        self.twinned.as_ref()?;
        if scalar.is_float() { Kind::of(scalar) } else { None }
    }

    pub(super) fn twin_unary(&mut self, op: UnaryOp, scalar: Scalar, d: V, a: V) {
        let Some(kind) = self.float_kind(scalar) else { return };
        // What has no twin stays so.
        if !self.has_twin(a, kind) {
            return;
        }
        let run = match op {
            UnaryOp::Negate => select::<o::Unary<o::Negate>>(),
            UnaryOp::Absolute => select::<o::Unary<o::Absolute>>(),
            UnaryOp::Not => return,
        };
        self.twin(run, d, &[a], [kind; 2], 0);
        self.lead(d);
    }

    pub(super) fn twin_binary(&mut self, op: FloatOp, scalar: Scalar, d: V, a: V, b: V) {
        let Some(kind) = self.float_kind(scalar) else { return };
        let run = match op {
            FloatOp::Add => select::<o::Binary<o::Add>>(),
            FloatOp::Subtract => select::<o::Binary<o::Subtract>>(),
            FloatOp::Multiply => select::<o::Binary<o::Multiply>>(),
            FloatOp::Divide => select::<o::Binary<o::Divide>>(),
            _ if !self.has_twin(a, kind) && !self.has_twin(b, kind) => return,
            // It looks at the value that was chosen.
            _ => return self.twin(select::<o::Choose>(), d, &[a, b], [kind; 2], 0),
        };
        self.twin(run, d, &[a, b], [kind; 2], 0);
        self.lead(d);
    }

    pub(super) fn twin_fused(&mut self, scalar: Scalar, d: V, operands: [V; 3]) {
        let Some(kind) = self.float_kind(scalar) else { return };
        self.twin(select::<o::Fused>(), d, &operands, [kind; 2], 0);
        self.lead(d);
    }

    /// `d = c ? a : b`, of values of which one has a twin.
    pub(super) fn twin_select(&mut self, d: V, [a, b, c]: [V; 3]) {
        let Some(twinned) = &self.twinned else { return };
        let known = twinned.kinds.get(&a).or_else(|| twinned.kinds.get(&b)).copied();
        let Some(kind) = known else { return };
        self.twin(select::<o::Select>(), d, &[a, b, c], [kind; 2], 0);
        self.lead(d);
    }

    /// `d` is a copy of `a`.
    pub(super) fn twin_copy(&mut self, d: V, a: V) {
        let known = self.twinned.as_ref().and_then(|twinned| twinned.kinds.get(&a));
        if let Some(kind) = known.copied() {
            self.twin(select::<o::Move>(), d, &[a], [kind; 2], 1);
        }
    }

    /// The move of `from` to a local variable's register, which is before that of the value.
    pub(super) fn twin_move(&mut self, to: V, from: V, all: bool) {
        let known = self.twinned.as_ref().and_then(|twinned| twinned.kinds.get(&to));
        let Some(kind) = known.copied() else { return };
        self.twin(select::<o::Move>(), to, &[from], [kind; 2], u64::from(all));
        if let Some(twin) = self.attached() {
            (twin.slot, twin.leads) = (MOVE, true);
        }
    }

    /// `d` is the number `a` in another format.
    pub(super) fn twin_convert(&mut self, from: Scalar, to: Scalar, d: V, a: V) {
        let Some(target) = self.float_kind(to) else { return };
        let Some(kind) = Kind::of(from).filter(|_| d != a) else { return };
        let fits = |scalar: Scalar| match scalar {
            Scalar::F64 => 53,
            Scalar::F32 => 24,
            Scalar::F16 => 11,
            _ => 8,
        };
        let exact = match from.is_float() {
            true => {
                to == Scalar::F64 || to == Scalar::F32 && matches!(from, Scalar::F16 | Scalar::Bf16)
            }
            false => from.bits() <= fits(to) && to != Scalar::F16,
        };
        if exact && !self.has_twin(a, kind) {
            return;
        }
        let extra = target as u64 | u64::from(exact) << 3;
        self.twin(select::<o::Convert>(), d, &[a], [kind, target], extra);
        self.lead(d);
    }

    pub(super) fn twin_function(
        &mut self,
        function: MathFunction,
        scalar: Scalar,
        d: V,
        operands: &[V],
    ) {
        let Some(kind) = self.float_kind(scalar) else { return };
        let integer = match function.class() {
            MathClass::Float => None,
            MathClass::FloatWithI32 => Some(1),
            MathClass::I32WithFloat => Some(0),
            _ => return,
        };
        let exact = self.twinned.as_ref().and_then(|twinned| twinned.exact.as_ref());
        let value = exact.and_then(|exact| exact.f64_function(function, FloatFlags::STRICT));
        let (Some(value), 1..=4) = (value, operands.len()) else { return };
        let operation = TwinFunction { function, value, operands: operands.len(), integer };
        self.code.twin_functions.push(operation);
        let entry = self.code.twin_functions.len() as u64 - 1;
        self.twin(select::<o::Function>(), d, operands, [kind; 2], entry);
    }

    /// After a load of a part.
    pub(super) fn twin_load(&mut self, d: V, address: V, offset: u64, scalar: Scalar) {
        let Some(kind) = self.carried_kind(scalar) else { return };
        self.twin(select::<memory::Load>(), d, &[address], [kind; 2], offset);
    }

    /// After a store of a part. One of an integer makes what was there forgotten.
    pub(super) fn twin_store(&mut self, address: V, offset: u64, scalar: Scalar, value: V) {
        if self.twinned.is_none() || !matches!(scalar.size(), 4 | 8) && !scalar.is_float() {
            return;
        }
        // An integer with a float's bits takes its twin along.
        let carried = self.carried_kind(scalar).filter(|kind| self.has_twin(value, *kind));
        let Some(kind) = carried.or(Kind::of(scalar)) else { return };
        let plain = [true, carried.is_none(), true, true];
        let operands = [Some(address), Some(value), None, None];
        let imm = twin::encode(kind, plain, offset);
        self.attach(select::<memory::Store>(), None, operands, imm);
    }

    /// What an atomic instruction says of its twins in its slot.
    pub(super) fn twin_atomic(
        &mut self,
        what: Change,
        scalar: Scalar,
        value: V,
        result: Option<V>,
    ) -> u32 {
        use Change as C;
        let chooses = matches!(what, C::Exchange | C::CompareExchange | C::Minimum | C::Maximum);
        let Some(kind) = self.carried_kind(scalar).filter(|_| chooses || scalar.is_float()) else {
            return 0;
        };
        if let (Some(result), Some(twinned)) = (result, &mut self.twinned) {
            twinned.kinds.insert(result, kind);
        }
        let plain = if self.has_twin(value, kind) { 0 } else { memory::PLAIN };
        memory::TWINNED | plain
    }

    /// After a shuffle of a part.
    pub(super) fn twin_shuffle(&mut self, d: V, a: V, inst: WarpInst) {
        let known = self.twinned.as_ref().and_then(|twinned| twinned.kinds.get(&a));
        let Some(kind) = known.copied() else { return };
        let none = crate::machine::warp::NONE;
        self.code.warps.push(WarpInst { second: none, mask: none, ..inst });
        let entry = self.code.warps.len() - 1;
        self.twin(select::<lanes::Shuffle>(), d, &[a], [kind; 2], entry as u64);
        if let Some(twin) = self.attached() {
            twin.table = Some(Table::Warp(entry));
        }
    }

    /// After a matrix instruction; `scalars` are those of the registers that it writes.
    pub(super) fn twin_matrix(&mut self, inst: &MatrixInst, result: Option<Scalar>) {
        if self.twinned.is_none() {
            return;
        }
        for register in &inst.writes {
            self.twin_register(*register, result.unwrap_or(Scalar::U8));
        }
        let twinned = self.twinned.as_ref().map(|twinned| &twinned.kinds);
        let plain = inst
            .reads
            .iter()
            .map(|register| twinned.is_none_or(|kinds| !kinds.contains_key(register)));
        let inst = MatrixInst { plain: plain.collect(), ..inst.clone() };
        self.code.matrices.push(inst);
        let entry = self.code.matrices.len() - 1;
        self.attach(select::<lanes::Matrix>(), None, [None; 4], entry as u64);
        if let Some(twin) = self.attached() {
            twin.table = Some(Table::Matrix(entry));
        }
    }
}

/// The twins of a product that becomes one with the sum it is for, if they can: the twin of both at
/// once. `leads` says that the product is the sum's first operand.
pub(super) fn merged(product: &Draft, sum: &Draft, leads: bool) -> Option<Vec<Draft>> {
    let (first, last) = match (&product.twins[..], &sum.twins[..]) {
        ([], []) => return Some(Vec::new()),
        ([first], [last]) if first.leads && last.leads => (first, last),
        _ => return None,
    };
    let other = usize::from(leads);
    let ([Some(x), Some(y), ..], Some(z)) = (first.operands, last.operands[other]) else {
        return None;
    };
    let kind = twin::kind_in(first.imm);
    if kind != twin::kind_in(last.imm) {
        return None;
    }
    let [px, py] = [0, 1].map(|operand| twin::plain_in(first.imm, operand));
    let pz = twin::plain_in(last.imm, other as u32);
    Some(vec![Draft {
        op: Op::Exec,
        run: select::<o::Fused>(),
        d: last.d,
        operands: [Some(x), Some(y), Some(z), None],
        imm: twin::encode(kind, [px, py, pz, true], 0),
        slot: last.slot,
        target: 0,
        site: last.site,
        table: None,
        may_share: false,
        mark: None,
        twins: Vec::new(),
        leads: true,
    }])
}

/// Whether an access tells its twins where it went, or has none.
pub(super) fn are_noted(draft: &Draft) -> bool {
    draft.twins.iter().all(|twin| twin::kind_in(twin.imm).size() >= memory::LEAST_NOTED)
}

/// Whether the twins of a value can be made where a move would bring them.
pub(super) fn may_go(draft: &Draft, moving: &Draft, to: V) -> bool {
    // Those that come after the value look at its operands.
    let reads = |twin: &Draft| twin.operands.contains(&Some(to));
    let fits = draft.twins.iter().all(|twin| twin.table.is_none() && (twin.leads || !reads(twin)));
    // Where values have no twins, the variable would keep the one it had.
    fits && (moving.twins.is_empty() || draft.twins.iter().any(|twin| twin.d == draft.d))
}

/// Makes the twins of a value where a move would bring them.
pub(super) fn go(draft: &mut Draft, to: V) {
    for twin in &mut draft.twins {
        if twin.d == draft.d {
            twin.d = Some(to);
        }
    }
}

/// Puts the instructions that make twins where they belong; jumps lead where they led.
pub(super) fn spread(drafts: Vec<Draft>) -> Vec<Draft> {
    let mut places = Vec::with_capacity(drafts.len() + 1);
    let mut count = 0;
    for draft in &drafts {
        places.push(count);
        count += 1 + draft.twins.len() as u32;
    }
    places.push(count);
    let mut all = Vec::with_capacity(count as usize);
    for mut draft in drafts {
        if !matches!(draft.op, Op::Exec | Op::Checked)
            && let Some(place) = places.get(draft.target as usize)
        {
            draft.target = *place;
        }
        let twins = std::mem::take(&mut draft.twins);
        let (before, after): (Vec<Draft>, Vec<Draft>) =
            twins.into_iter().partition(|twin| twin.leads);
        all.extend(before);
        all.push(draft);
        all.extend(after);
    }
    all
}
