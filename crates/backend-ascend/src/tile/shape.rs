//! What differs between the lanes, and where lanes part.
//!
//! A value is *uniform* if all threads that compute it together get the same; it is then a scalar.
//! Unlike the analysis of `port-ir`, this one asks for one particular set of threads: those of a
//! block, or in the flat form those of a tile of the grid, whose blocks' numbers differ too.

use std::collections::BTreeSet;

use port_ir::analysis::flow::{Arm, Flow, Root, StatementId};
use port_ir::{
    Axis, Block, Builtin, Expression, Handle, Local, LoopTest, StatementKind, Type, Types, Value,
    VoteKind,
};

/// The lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lanes {
    /// The threads of a block.
    Block,
    /// A run of threads of the grid's rows: blocks of one row follow each other.
    Grid,
    /// A run of threads of one row of a block.
    Row,
}

/// What the analysis gives.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    varying: Vec<bool>,
    locals: Vec<bool>,
    /// Loops whose lanes make different numbers of passes.
    loops: BTreeSet<StatementId>,
}

impl Shape {
    /// Whether a value may be another for each lane.
    pub fn varies(&self, value: Value) -> bool {
        self.varying.get(value.index()).copied().unwrap_or(true)
    }

    /// Whether a local variable may.
    pub fn local_varies(&self, local: Handle<Local>) -> bool {
        self.locals.get(local.index()).copied().unwrap_or(true)
    }

    /// Whether lanes leave a loop in different passes.
    pub fn loop_parts(&self, statement: StatementId) -> bool {
        self.loops.contains(&statement)
    }

    /// Analyses a function. Variables that are accessed as several types are taken to vary: only
    /// vectors have words to cut them out of.
    pub fn of(flow: &Flow<'_>, types: &Types, lanes: Lanes) -> Shape {
        let shape = Shape {
            varying: vec![false; flow.function.expressions.len()],
            locals: punned(flow, types),
            loops: BTreeSet::new(),
        };
        let homes = homes(flow, types);
        let mut pass =
            Pass { flow, lanes, shape, homes, changed: true, next: 0, around: Vec::new() };
        // Facts only grow, so this ends.
        while std::mem::take(&mut pass.changed) {
            pass.next = 0;
            pass.expressions();
            if let Some(body) = &flow.function.body {
                pass.block(body, false);
            }
        }
        pass.shape
    }
}

/// Which variables are accessed as types that their own does not hold.
fn punned(flow: &Flow<'_>, types: &Types) -> Vec<bool> {
    let scalars = |ty: Type| {
        let mut found = BTreeSet::new();
        let mut work = vec![ty];
        // Types are finite trees, arrays of one element type.
        while let Some(ty) = work.pop() {
            match ty {
                Type::Scalar(scalar) | Type::Vector(scalar, _) => {
                    found.insert(scalar.name());
                }
                Type::Array(handle) => work.extend(types.arrays().get(handle).map(|a| a.element)),
                Type::Struct(handle) => {
                    let members = types.structs().get(handle).map(|s| s.members.as_slice());
                    work.extend(members.unwrap_or_default().iter().map(|member| member.ty));
                }
                Type::Pointer(_) | Type::Fragment(_) => {}
            }
        }
        found
    };
    let mut locals = vec![false; flow.function.locals.len()];
    let own = |local: Handle<Local>| scalars(flow.function.locals[local].ty);
    for (_, entry) in flow.statements() {
        let accessed = match &entry.statement.kind {
            StatementKind::Load { result, pointer, .. } => Some((*pointer, *result)),
            StatementKind::Store { pointer, value, .. } => Some((*pointer, *value)),
            StatementKind::Copy { destination, source, .. } => {
                let ends = [*destination, *source].map(|pointer| flow.root(pointer));
                if let [Root::Local(a), Root::Local(b)] = ends
                    && own(a) != own(b)
                {
                    locals[a.index()] = true;
                    locals[b.index()] = true;
                }
                None
            }
            _ => None,
        };
        if let Some((pointer, value)) = accessed
            && let Root::Local(local) = flow.root(pointer)
            && !scalars(flow.types.get(value)).is_subset(&own(local))
        {
            locals[local.index()] = true;
        }
    }
    locals
}

/// The block of a statement: the statement around it, and which of its blocks; `None` for the body.
type Home = Option<(StatementId, Arm)>;

/// For each variable that lives in one block, that block: the first statement that touches it is a store of all
/// of it there, so that the lanes which execute the block see nothing of the others, nor of an earlier pass.
fn homes(flow: &Flow<'_>, types: &Types) -> Vec<Option<Home>> {
    let mut homes = vec![None; flow.function.locals.len()];
    let mut touched = vec![false; homes.len()];
    for (id, entry) in flow.statements() {
        let (pointer, stored) = match &entry.statement.kind {
            StatementKind::Store { pointer, value, .. } => (*pointer, Some(*value)),
            StatementKind::Load { pointer, .. } | StatementKind::Atomic { pointer, .. } => {
                (*pointer, None)
            }
            StatementKind::Copy { destination, source, .. } => {
                for pointer in [*destination, *source] {
                    if let Root::Local(local) = flow.root(pointer) {
                        touched[local.index()] = true;
                        homes[local.index()] = None;
                    }
                }
                continue;
            }
            StatementKind::Fill { destination, .. } => (*destination, None),
            _ => continue,
        };
        let Root::Local(local) = flow.root(pointer) else { continue };
        let index = local.index();
        if std::mem::replace(&mut touched[index], true) {
            let is_inside =
                |home: &Home| home.is_none() || flow.parents(id).any(|p| Some(p) == *home);
            homes[index] = homes[index].filter(is_inside);
            continue;
        }
        let size = |ty: Type| types.layout(ty).map(|layout| layout.size);
        let is_whole = stored.is_some_and(|value| {
            size(flow.types.get(value)) == size(flow.function.locals[local].ty)
        });
        if is_whole && !flow.escapes(local) {
            homes[index] = Some(entry.parent);
        }
    }
    homes
}

struct Pass<'f, 'a> {
    flow: &'f Flow<'a>,
    lanes: Lanes,
    shape: Shape,
    homes: Vec<Option<Home>>,
    changed: bool,
    next: u32,
    /// Loops and switches around: the number, whether it is a loop, whether lanes were parted there.
    around: Vec<(StatementId, bool, bool)>,
}

impl Pass<'_, '_> {
    fn set(&mut self, value: Value, varies: bool) {
        if varies && !self.shape.varying[value.index()] {
            self.shape.varying[value.index()] = true;
            self.changed = true;
        }
    }

    fn expressions(&mut self) {
        let function = self.flow.function;
        for (handle, expression) in function.expressions.iter() {
            let varies = match expression {
                Expression::Builtin(builtin) => match builtin {
                    Builtin::ThreadIndex(Axis::X) => true,
                    Builtin::ThreadIndex(_) => self.lanes == Lanes::Block,
                    Builtin::LaneId | Builtin::WarpId | Builtin::LaneMask(_) => true,
                    Builtin::BlockIndex(Axis::X) => self.lanes == Lanes::Grid,
                    _ => false,
                },
                // Its own address: decided by what is stored there.
                Expression::Local(_) | Expression::Result(_) => false,
                other => {
                    let mut varies = false;
                    other.for_each_operand(|o| varies |= self.shape.varying[o.index()]);
                    varies
                }
            };
            self.set(handle, varies);
        }
    }

    fn mark_local(&mut self, pointer: Value) {
        let root = self.flow.root(pointer);
        let all: Vec<usize> = match root {
            Root::Local(local) => vec![local.index()],
            // Somewhere: any whose address is used so.
            Root::Unknown | Root::Value(_) => (0..self.shape.locals.len())
                .filter(|index| self.flow.escapes(Handle::from_index(*index)))
                .collect(),
            _ => Vec::new(),
        };
        for index in all {
            if !self.shape.locals[index] {
                self.shape.locals[index] = true;
                self.changed = true;
            }
        }
    }

    /// Whether of the lanes that see what a statement stores some do not execute it.
    fn parts_from_home(&self, id: StatementId, pointer: Value, parted: bool) -> bool {
        let Root::Local(local) = self.flow.root(pointer) else { return parted };
        let Some(home) = self.homes[local.index()] else { return parted };
        let mut around = self.flow.parents(id).take_while(|parent| Some(*parent) != home);
        around.any(|(outer, _)| match &self.flow.entry(outer).statement.kind {
            StatementKind::If { condition, .. } => self.shape.varies(*condition),
            StatementKind::Switch { selector, .. } => self.shape.varies(*selector),
            StatementKind::Loop(_) => self.shape.loop_parts(outer),
            _ => false,
        })
    }

    fn part_loop(&mut self, id: StatementId) {
        if self.shape.loops.insert(id) {
            self.changed = true;
        }
    }

    fn block(&mut self, block: &Block, parted: bool) {
        for statement in &block.statements {
            let id = StatementId(self.next);
            self.next += 1;
            self.statement(id, &statement.kind, parted);
        }
    }

    fn statement(&mut self, id: StatementId, kind: &StatementKind, parted: bool) {
        match kind {
            StatementKind::Load { result, pointer, access } => {
                let varies = self.shape.varies(*pointer)
                    || access.volatile
                    || access.atomic.is_some()
                    || match self.flow.root(*pointer) {
                        Root::Local(local) => self.shape.local_varies(local),
                        // Perhaps one whose address went somewhere.
                        Root::Value(_) | Root::Unknown => {
                            (0..self.shape.locals.len()).any(|index| {
                                self.shape.locals[index]
                                    && self.flow.escapes(Handle::from_index(index))
                            })
                        }
                        _ => false,
                    };
                self.set(*result, varies);
            }
            StatementKind::Store { pointer, value, .. } => {
                if self.parts_from_home(id, *pointer, parted)
                    || self.shape.varies(*value)
                    || self.shape.varies(*pointer)
                {
                    self.mark_local(*pointer);
                }
            }
            StatementKind::Copy { destination, .. } | StatementKind::Fill { destination, .. } => {
                self.mark_local(*destination);
            }
            StatementKind::Shuffle { result, in_range, value, .. } => {
                let varies = self.shape.varies(*value);
                self.set(*result, varies);
                if let Some(result) = in_range {
                    self.set(*result, true);
                }
            }
            StatementKind::Vote { result, kind, mask, predicate } => {
                // All lanes of a warp get one answer, warps different ones.
                let same = !self.shape.varies(*predicate)
                    && *kind != VoteKind::Ballot
                    && mask.is_none_or(|m| !self.shape.varies(m));
                self.set(*result, !same);
            }
            StatementKind::Barrier { .. } => {}
            StatementKind::If { condition, accept, reject } => {
                let parted = parted || self.shape.varies(*condition);
                self.block(accept, parted);
                self.block(reject, parted);
            }
            StatementKind::Block(block) => self.block(block, parted),
            StatementKind::Switch { selector, cases } => {
                let inner = parted || self.shape.varies(*selector);
                self.around.push((id, false, parted));
                for case in cases {
                    self.block(&case.body, inner);
                }
                self.around.pop();
            }
            StatementKind::Loop(looping) => {
                if looping.test.is_some_and(|test| self.shape.varies(test)) {
                    self.part_loop(id);
                }
                let inner = parted || self.shape.loop_parts(id);
                self.around.push((id, true, inner));
                if looping.when == LoopTest::Before {
                    self.block(&looping.condition, inner);
                }
                self.block(&looping.body, inner);
                self.block(&looping.step, inner);
                if looping.when == LoopTest::After {
                    self.block(&looping.condition, inner);
                }
                self.around.pop();
            }
            StatementKind::Break => {
                if let Some((id, is_loop, outer)) = self.around.last().copied()
                    && parted
                    && is_loop
                    && !outer
                {
                    self.part_loop(id);
                }
            }
            StatementKind::Continue => {
                // Lanes that go on early come back before the next pass, but code after is parted
                // from code before.
                let found = self.around.iter().rev().find(|(_, is_loop, _)| *is_loop).copied();
                if let Some((id, _, outer)) = found
                    && parted
                    && !outer
                {
                    self.part_loop(id);
                }
            }
            StatementKind::Return { .. } => {
                if parted {
                    let around: Vec<_> = self.around.iter().filter(|a| a.1).map(|a| a.0).collect();
                    for id in around {
                        self.part_loop(id);
                    }
                }
            }
            other => {
                for result in other.results() {
                    self.set(result, true);
                }
            }
        }
    }
}
