//! Which values are the same in all threads of a warp, block or grid, and which statements such
//! threads execute together.
//!
//! A value is uniform at a level if all threads of one warp (block, grid) *that execute the
//! statement defining it together* get the same. The analysis is a fixpoint over the module: data
//! flows through operands, locals, arguments and results; a store under a condition makes the local
//! depend on the condition.
//!
//! What it takes for granted:
//!
//! * The program has no data race. So a plain load from an address that is the same for all
//!   threads gives all of them the same; volatile and atomic loads do not.
//! * What [`Assumptions`] say of the launches.
//!
//! Threads that have left a function or the kernel do not count for values: after `if (i >= n)
//! return;` the others still agree. They do count for what is executed together.

use std::rc::Rc;

use super::flow::{Definition, Flow, Root, StatementId};
use super::program::Program;
use crate::arena::{Handle, Location};
use crate::expression::Expression;
use crate::function::Function;
use crate::module::Module;
use crate::operation::{Axis, Builtin, CompareOp, IntegerOp};
use crate::statement::{Block, CacheHint, LoopTest, ShuffleMode, Statement, StatementKind, Value};
use crate::types::{Space, Type};

/// For which threads something is the same. A smaller one implies the larger ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Uniformity {
    /// For all threads of the grid.
    Grid,
    /// For all threads of a block.
    Block,
    /// For all lanes of a warp.
    Warp,
    /// It may be another for each thread.
    Thread,
}

impl Uniformity {
    /// `grid`, `block`, `warp` or `thread`.
    pub fn name(self) -> &'static str {
        match self {
            Uniformity::Grid => "grid",
            Uniformity::Block => "block",
            Uniformity::Warp => "warp",
            Uniformity::Thread => "thread",
        }
    }
}

/// What is taken for granted about launches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Assumptions {
    /// The lanes of a warp in the source's own model, if it has a fixed number.
    pub warp_width: Option<u32>,
    /// Whether each row of a block (threads that differ in x alone) consists of whole warps, or the
    /// block is one row: so that y and z are the same in all lanes of a warp, and x divided by the
    /// width of a warp is, too.
    pub rows_of_whole_warps: bool,
}

impl Assumptions {
    /// What the launches in view leave open: rows are taken to consist of whole warps unless a
    /// launch says otherwise, because a program that speaks of warps counts on it.
    pub fn from_launches(module: &Module, warp_width: Option<u32>) -> Self {
        let breaks_rows = |launch: &crate::module::LaunchFacts| {
            let extent = |axis: usize| launch.block[axis].and_then(|range| range.single());
            let one_row = extent(1) == Some(1) && extent(2) == Some(1);
            let broken = extent(0)
                .zip(warp_width)
                .is_some_and(|(threads, width)| width > 0 && threads % i64::from(width) != 0);
            broken && !one_row
        };
        Assumptions { warp_width, rows_of_whole_warps: !module.launches.iter().any(breaks_rows) }
    }
}

/// Why threads part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CauseKind {
    /// They take different arms of an if or switch.
    Branch,
    /// They make different numbers of passes through a loop.
    Loop,
    /// Some have gone on with the next pass of a loop.
    Continue,
    /// Some have returned.
    Return,
}

/// A place where threads part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cause {
    /// How.
    pub kind: CauseKind,
    /// The function that it is in: this one, or one that calls it.
    pub function: Handle<Function>,
    /// The branch, loop or jump.
    pub statement: StatementId,
    /// Its place.
    pub location: Location,
    /// Up to which threads stay together.
    pub level: Uniformity,
}

/// How many operations of a thread number are looked through.
const DEPTH: u32 = 8;

/// How many causes are kept for a statement: enough to explain it.
const MAX_CAUSES: usize = 8;

/// Which threads execute a statement together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Together {
    /// All threads of this level, or none of them.
    pub level: Uniformity,
    /// Why not more: one for each place, outermost first.
    pub causes: Rc<Vec<Cause>>,
}

impl Together {
    fn all() -> Self {
        Together { level: Uniformity::Grid, causes: Rc::new(Vec::new()) }
    }

    fn join(&mut self, other: &Together) {
        self.level = self.level.max(other.level);
        for cause in other.causes.iter() {
            self.add(*cause);
        }
    }

    fn add(&mut self, cause: Cause) {
        if cause.level == Uniformity::Grid {
            return;
        }
        self.level = self.level.max(cause.level);
        let known = self.causes.iter().position(|known| {
            (known.function, known.statement, known.kind)
                == (cause.function, cause.statement, cause.kind)
        });
        match known {
            Some(index) if self.causes[index].level < cause.level => {
                Rc::make_mut(&mut self.causes)[index].level = cause.level;
            }
            Some(_) => {}
            None if self.causes.len() < MAX_CAUSES => Rc::make_mut(&mut self.causes).push(cause),
            None => {}
        }
    }
}

/// The uniformity of a function.
#[derive(Clone, Debug)]
pub struct FunctionUniformity {
    values: Vec<Uniformity>,
    together: Vec<Together>,
    /// For each statement that writes a local, what it makes of it.
    stored: Vec<Uniformity>,
    arguments: Vec<Uniformity>,
    /// Whether an argument may be the address of some thread's local.
    argument_is_local: Vec<bool>,
    result: Uniformity,
    entry: Together,
    /// For each loop, who leaves it early: by `break`, and by `return`.
    left: Vec<Option<(Together, Together)>>,
}

impl FunctionUniformity {
    /// For which threads a value is the same.
    pub fn value(&self, value: Value) -> Uniformity {
        self.values.get(value.index()).copied().unwrap_or(Uniformity::Thread)
    }

    /// Which threads execute a statement together.
    ///
    /// # Panics
    /// If the statement is not one of the function's.
    pub fn together(&self, statement: StatementId) -> &Together {
        &self.together[statement.index()]
    }

    /// For which threads what the function returns is the same.
    pub fn result(&self) -> Uniformity {
        self.result
    }
}

/// The uniformity of a module.
#[derive(Clone, Debug)]
pub struct ModuleUniformity {
    functions: Vec<FunctionUniformity>,
}

impl ModuleUniformity {
    /// Analyses a module.
    pub fn of(program: &Program<'_>, assumptions: Assumptions) -> Self {
        let mut functions: Vec<FunctionUniformity> =
            program.functions().map(|(handle, flow)| start(program, handle, flow)).collect();
        // Each pass only raises levels, of which there are four, so this ends.
        let mut due = vec![true; functions.len()];
        while due.contains(&true) {
            for (handle, flow) in program.functions() {
                while std::mem::take(&mut due[handle.index()]) {
                    let functions = &mut functions;
                    let due = &mut due;
                    let mut pass = Pass { program, assumptions, handle, flow, functions, due };
                    pass.values();
                    pass.body();
                }
            }
        }
        ModuleUniformity { functions }
    }

    /// The uniformity of a function.
    ///
    /// # Panics
    /// If the function is not one of the module's.
    pub fn function(&self, function: Handle<Function>) -> &FunctionUniformity {
        &self.functions[function.index()]
    }
}

/// The least that could be true; passes raise it.
fn start(program: &Program<'_>, handle: Handle<Function>, flow: &Flow<'_>) -> FunctionUniformity {
    let function = flow.function;
    let called = !program.callers(handle).is_empty();
    let statements = flow.statements().count();
    // What nobody here calls may be called with anything.
    let unknown = !called && !function.is_kernel();
    let argument = if unknown { Uniformity::Thread } else { Uniformity::Grid };
    FunctionUniformity {
        values: vec![Uniformity::Grid; function.expressions.len()],
        together: vec![Together::all(); statements],
        stored: vec![Uniformity::Grid; statements],
        arguments: vec![argument; function.parameters.len()],
        argument_is_local: vec![unknown; function.parameters.len()],
        result: if function.body.is_some() { Uniformity::Grid } else { Uniformity::Thread },
        entry: Together::all(),
        left: vec![None; statements],
    }
}

/// Under what a block is executed.
#[derive(Clone)]
struct Context {
    /// For which threads the conditions around are the same: what a store here makes of a local.
    control: Uniformity,
    /// Which threads are here together.
    together: Together,
}

impl Context {
    fn with(&self, cause: Cause) -> Self {
        let mut inner = self.clone();
        inner.control = inner.control.max(cause.level);
        inner.together.add(cause);
        inner
    }
}

/// Who has jumped away so far: they are missing in what follows.
#[derive(Clone)]
struct Gone {
    breaks: Together,
    continues: Together,
    returns: Together,
}

impl Gone {
    fn none() -> Self {
        Gone { breaks: Together::all(), continues: Together::all(), returns: Together::all() }
    }

    fn join(&mut self, other: &Gone) {
        self.breaks.join(&other.breaks);
        self.continues.join(&other.continues);
        self.returns.join(&other.returns);
    }
}

/// One pass over one function.
struct Pass<'p, 'a> {
    program: &'p Program<'a>,
    assumptions: Assumptions,
    handle: Handle<Function>,
    flow: &'p Flow<'a>,
    functions: &'p mut [FunctionUniformity],
    /// The functions for which something has changed that another pass must see.
    due: &'p mut [bool],
}

impl Pass<'_, '_> {
    fn own(&self) -> &FunctionUniformity {
        &self.functions[self.handle.index()]
    }

    fn value(&self, value: Value) -> Uniformity {
        self.own().values[value.index()]
    }

    fn raise_value(&mut self, value: Value, level: Uniformity) {
        let known = &mut self.functions[self.handle.index()].values[value.index()];
        if *known < level {
            *known = level;
            self.again();
        }
    }

    /// Asks for another pass over this function.
    fn again(&mut self) {
        self.due[self.handle.index()] = true;
    }

    // Values.

    fn values(&mut self) {
        let function = self.flow.function;
        for (handle, expression) in function.expressions.iter() {
            let level = match expression {
                // Statements set these.
                Expression::Result(_) => continue,
                Expression::Argument(index) => self.own().arguments[*index as usize],
                Expression::Builtin(builtin) => self.builtin(*builtin),
                // The address alone says nothing of whose memory it is.
                Expression::Local(_) => Uniformity::Grid,
                Expression::Poison { .. } | Expression::Undefined(_) => Uniformity::Thread,
                other => {
                    let mut level = Uniformity::Grid;
                    other.for_each_operand(|operand| level = level.max(self.value(operand)));
                    if level == Uniformity::Thread && self.is_same_for_warp(other) {
                        level = Uniformity::Warp;
                    }
                    level
                }
            };
            self.raise_value(handle, level);
        }
    }

    fn builtin(&self, builtin: Builtin) -> Uniformity {
        match builtin {
            Builtin::BlockDim(_)
            | Builtin::GridDim(_)
            | Builtin::ClusterDim(_)
            | Builtin::ClusterGridDim(_)
            | Builtin::ClusterSize
            | Builtin::WarpSize
            | Builtin::DynamicSharedSize => Uniformity::Grid,
            Builtin::BlockIndex(_)
            | Builtin::ClusterIndex(_)
            | Builtin::ClusterBlockIndex(_)
            | Builtin::ClusterRank => Uniformity::Block,
            Builtin::WarpId => Uniformity::Warp,
            Builtin::ThreadIndex(Axis::Y | Axis::Z) if self.assumptions.rows_of_whole_warps => {
                Uniformity::Warp
            }
            Builtin::ThreadIndex(_) | Builtin::LaneId | Builtin::LaneMask(_) => Uniformity::Thread,
        }
    }

    /// Whether this is the same for a warp though it is computed from thread numbers: their warp,
    /// `tid / 32`, or whether it is one of the first, `tid < 64`.
    fn is_same_for_warp(&self, expression: &Expression) -> bool {
        let width = self.assumptions.warp_width.filter(|width| width.is_power_of_two());
        let Some(width) = width.filter(|_| self.assumptions.rows_of_whole_warps) else {
            return false;
        };
        let width = i128::from(width);
        match expression {
            Expression::Integer { op, left, right } => {
                let right = self.constant(*right);
                let splits = match op {
                    IntegerOp::Divide => right.is_some_and(|by| by != 0 && by % width == 0),
                    IntegerOp::ShiftRight => {
                        right.is_some_and(|by| by >= i128::from(width.trailing_zeros()))
                    }
                    IntegerOp::And => right.is_some_and(|mask| mask % width == 0),
                    _ => false,
                };
                splits && self.is_thread_number(*left, width, DEPTH)
            }
            Expression::Compare { op, left, right } => {
                let Some(bound) = self.constant(*right) else { return false };
                let first = match op {
                    CompareOp::Less | CompareOp::GreaterEqual => bound,
                    CompareOp::LessEqual | CompareOp::Greater => bound + 1,
                    CompareOp::Equal | CompareOp::NotEqual => return false,
                };
                first % width == 0 && self.is_thread_number(*left, width, DEPTH)
            }
            _ => false,
        }
    }

    fn constant(&self, value: Value) -> Option<i128> {
        match &self.flow.function.expressions[self.flow.plain(value)] {
            Expression::Builtin(Builtin::WarpSize) => self.assumptions.warp_width.map(i128::from),
            _ => self.flow.constant(value, &mut Vec::new()),
        }
    }

    /// Whether a value is consecutive in the lanes of a warp and a multiple of the width in the
    /// first.
    fn is_thread_number(&self, value: Value, width: i128, depth: u32) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        match &self.flow.function.expressions[self.flow.plain(value)] {
            Expression::Builtin(Builtin::ThreadIndex(Axis::X)) => true,
            Expression::Integer { op: IntegerOp::Add, left, right } => {
                let begins = |value: Value| {
                    self.value(value) <= Uniformity::Warp && self.is_multiple(value, width, depth)
                };
                self.is_thread_number(*left, width, depth) && begins(*right)
                    || self.is_thread_number(*right, width, depth) && begins(*left)
            }
            _ => false,
        }
    }

    /// Whether a value is a multiple of the width: a row of a block is.
    fn is_multiple(&self, value: Value, width: i128, depth: u32) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let value = self.flow.plain(value);
        match &self.flow.function.expressions[value] {
            Expression::Builtin(Builtin::BlockDim(Axis::X)) => true,
            Expression::Integer { op, left, right } => {
                let [left_fits, right_fits] =
                    [*left, *right].map(|side| self.is_multiple(side, width, depth));
                match op {
                    IntegerOp::Multiply => left_fits || right_fits,
                    IntegerOp::Add | IntegerOp::Subtract => left_fits && right_fits,
                    IntegerOp::ShiftLeft => self
                        .constant(*right)
                        .is_some_and(|by| left_fits || by >= i128::from(width.trailing_zeros())),
                    _ => false,
                }
            }
            _ => self.constant(value).is_some_and(|constant| constant % width == 0),
        }
    }

    // Statements.

    fn body(&mut self) {
        let Some(body) = &self.flow.function.body else { return };
        let context = Context { control: Uniformity::Grid, together: self.own().entry.clone() };
        let mut next = 0;
        self.block(body, &context, &mut next);
    }

    fn block(&mut self, block: &Block, context: &Context, next: &mut u32) -> Gone {
        let mut gone = Gone::none();
        for statement in &block.statements {
            let mut here = context.clone();
            here.control = here.control.max(gone.breaks.level).max(gone.continues.level);
            here.together.join(&gone.breaks);
            here.together.join(&gone.continues);
            here.together.join(&gone.returns);
            let id = StatementId(*next);
            *next += 1;
            let after = self.statement(id, statement, here, next);
            gone.join(&after);
        }
        gone
    }

    fn statement(
        &mut self,
        id: StatementId,
        statement: &Statement,
        context: Context,
        next: &mut u32,
    ) -> Gone {
        // Follows from what other passes may still raise, so it cannot make another pass necessary.
        self.functions[self.handle.index()].together[id.index()] = context.together.clone();
        let location = statement.location;
        let cause =
            |kind, level| Cause { kind, function: self.handle, statement: id, location, level };
        let mut gone = Gone::none();
        match &statement.kind {
            StatementKind::Block(block) => gone = self.block(block, &context, next),
            StatementKind::If { condition, accept, reject } => {
                let inner = context.with(cause(CauseKind::Branch, self.value(*condition)));
                gone = self.block(accept, &inner, next);
                let rejected = self.block(reject, &inner, next);
                gone.join(&rejected);
            }
            StatementKind::Switch { selector, cases } => {
                let inner = context.with(cause(CauseKind::Branch, self.value(*selector)));
                let mut falling = Together::all();
                for case in cases {
                    // Who broke off an arm is missing in those that it falls into.
                    let mut entry = inner.clone();
                    entry.control = entry.control.max(falling.level);
                    entry.together.join(&falling);
                    let mut arm = self.block(&case.body, &entry, next);
                    let broken = std::mem::replace(&mut arm.breaks, Together::all());
                    falling = if case.fallthrough { broken } else { Together::all() };
                    gone.join(&arm);
                }
            }
            StatementKind::Loop(looping) => {
                let level = looping.test.map_or(Uniformity::Grid, |test| self.value(test));
                let mut inner = context.with(cause(CauseKind::Loop, level));
                if let Some((breaks, returns)) = self.own().left[id.index()].clone() {
                    inner.control = inner.control.max(breaks.level);
                    inner.together.join(&breaks);
                    inner.together.join(&returns);
                }
                let mut body = Gone::none();
                let before = looping.when == LoopTest::Before;
                if before {
                    self.block(&looping.condition, &inner, next);
                }
                let passed = self.block(&looping.body, &inner, next);
                body.join(&passed);
                self.block(&looping.step, &inner, next);
                if !before {
                    self.block(&looping.condition, &inner, next);
                }
                self.leave(id, &body);
                gone.returns = body.returns;
            }
            StatementKind::Break => {
                gone.breaks = gone_with(cause(CauseKind::Loop, context.control));
            }
            StatementKind::Continue => {
                gone.continues = gone_with(cause(CauseKind::Continue, context.control));
            }
            StatementKind::Return { value } => {
                gone.returns = gone_with(cause(CauseKind::Return, context.control));
                if let Some(value) = value {
                    let level = self.value(*value).max(context.control);
                    let own = &mut self.functions[self.handle.index()];
                    if own.result < level {
                        own.result = level;
                        for site in self.program.callers(self.handle) {
                            self.due[site.caller.index()] = true;
                        }
                    }
                }
            }
            simple => self.simple(id, simple, &context),
        }
        gone
    }

    /// Remembers, for the next pass, who leaves a loop before it ends.
    fn leave(&mut self, id: StatementId, body: &Gone) {
        let left = &mut self.functions[self.handle.index()].left[id.index()];
        let (breaks, returns) = left.get_or_insert((Together::all(), Together::all()));
        let extent = |together: &Together| (together.level, together.causes.len());
        let before = (extent(breaks), extent(returns));
        breaks.join(&body.breaks);
        returns.join(&body.returns);
        if before != (extent(breaks), extent(returns)) {
            self.again();
        }
    }

    /// A statement without blocks: what it makes of its results, of locals and of callees.
    fn simple(&mut self, id: StatementId, kind: &StatementKind, context: &Context) {
        use StatementKind as S;
        let here = context.together.level;
        match kind {
            S::Load { result, pointer, access } => {
                let level = self.load(*result, *pointer, access.cache);
                let sure = !access.volatile && access.atomic.is_none();
                let own = matches!(self.flow.root(*pointer), Root::Local(_));
                self.raise_value(*result, if sure || own { level } else { Uniformity::Thread });
            }
            S::Store { pointer, value, .. } => {
                let level = self.value(*value).max(self.value(*pointer)).max(context.control);
                self.raise_stored(id, level);
            }
            S::Copy { .. } | S::Fill { .. } => self.raise_stored(id, Uniformity::Thread),
            S::Atomic { result, .. } => {
                self.raise_stored(id, Uniformity::Thread);
                if let Some(result) = result {
                    self.raise_value(*result, Uniformity::Thread);
                }
            }
            S::Call { result, function, arguments } => {
                self.call(*result, *function, arguments, context);
            }
            S::Barrier { reduce: Some(reduce), named, .. } => {
                let level = if named.is_some() { Uniformity::Thread } else { Uniformity::Block };
                self.raise_value(reduce.result, level);
            }
            S::Shuffle { result, in_range, mode, value, lane, width, .. } => {
                let own = self.value(*value);
                let from_one_lane = *mode == ShuffleMode::Index
                    && width.is_none()
                    && self.value(*lane) <= Uniformity::Warp
                    && here <= Uniformity::Warp;
                let level = match own {
                    Uniformity::Thread if from_one_lane => Uniformity::Warp,
                    other => other,
                };
                self.raise_value(*result, level);
                if let Some(in_range) = in_range {
                    self.raise_value(*in_range, Uniformity::Thread);
                }
            }
            S::Vote { result, mask, .. } => self.raise_by_warp(*result, *mask, here),
            S::WarpReduce { result, mask, .. } => self.raise_by_warp(*result, *mask, here),
            S::Match { result, same, all, mask, .. } => {
                if *all {
                    self.raise_by_warp(*result, *mask, here);
                    if let Some(same) = same {
                        self.raise_by_warp(*same, *mask, here);
                    }
                } else {
                    self.raise_value(*result, Uniformity::Thread);
                }
            }
            S::ActiveMask { result } => self.raise_by_warp(*result, None, here),
            other => {
                for result in other.results() {
                    self.raise_value(result, Uniformity::Thread);
                }
            }
        }
    }

    /// The result of an operation that gives all participating lanes the same.
    fn raise_by_warp(&mut self, result: Value, mask: Option<Value>, here: Uniformity) {
        let mask = mask.map_or(Uniformity::Grid, |mask| self.value(mask));
        let whole = mask <= Uniformity::Warp && here <= Uniformity::Warp;
        self.raise_value(result, if whole { Uniformity::Warp } else { Uniformity::Thread });
    }

    fn raise_stored(&mut self, id: StatementId, level: Uniformity) {
        let known = &mut self.functions[self.handle.index()].stored[id.index()];
        if *known < level {
            *known = level;
            self.again();
        }
    }

    fn load(&self, result: Value, pointer: Value, cache: CacheHint) -> Uniformity {
        let address = self.value(pointer);
        if let Some(definitions) = self.flow.definitions(result) {
            let stored = |definition: &Definition| match definition {
                Definition::Whole(id, _) | Definition::Part(id, _) | Definition::Bytes(id) => {
                    self.own().stored[id.index()]
                }
                Definition::Undefined => Uniformity::Grid,
            };
            let content = definitions.iter().map(stored).max().unwrap_or(Uniformity::Grid);
            return address.max(content);
        }
        if self.may_be_local(pointer) {
            return Uniformity::Thread;
        }
        let read_only = cache == CacheHint::ReadOnly || self.is_read_only(pointer);
        if read_only { address } else { address.max(Uniformity::Block) }
    }

    /// Whether nobody writes what the pointer reaches while the kernel runs.
    fn is_read_only(&self, pointer: Value) -> bool {
        match self.flow.root(pointer) {
            Root::ArgumentAddress(_) => true,
            Root::Variable(variable) => self
                .program
                .module
                .variables
                .get(variable)
                .is_some_and(|variable| variable.space == Space::Constant),
            Root::Argument(index) => {
                let parameter = self.flow.function.parameters.get(index as usize);
                parameter.is_some_and(|parameter| {
                    parameter.ty == Type::Pointer(Space::Constant)
                        || parameter.attributes.restrict && parameter.attributes.read_only
                })
            }
            _ => false,
        }
    }

    /// Whether a pointer may reach memory that each thread has of its own.
    fn may_be_local(&self, pointer: Value) -> bool {
        match self.flow.types.get(pointer).space() {
            Some(Space::Global | Space::Shared | Space::Constant | Space::Parameter) => false,
            Some(Space::Local) | None => true,
            Some(Space::Generic) => match self.flow.root(pointer) {
                Root::Variable(_) | Root::ArgumentAddress(_) => false,
                Root::Argument(index) => {
                    self.own().argument_is_local.get(index as usize).copied().unwrap_or(true)
                        && self.argument_space(index)
                }
                Root::Local(_) | Root::Value(_) | Root::Unknown => true,
            },
        }
    }

    /// Whether the parameter's own space leaves open that it is local.
    fn argument_space(&self, index: u32) -> bool {
        let parameter = self.flow.function.parameters.get(index as usize);
        let space = parameter.and_then(|parameter| parameter.ty.space());
        !self.flow.function.is_kernel()
            && matches!(space, None | Some(Space::Generic | Space::Local))
    }

    fn call(
        &mut self,
        result: Option<Value>,
        callee: Handle<Function>,
        arguments: &[Value],
        context: &Context,
    ) {
        let levels: Vec<(Uniformity, bool)> = arguments
            .iter()
            .map(|argument| {
                let local = self.flow.types.get(*argument).space().is_some()
                    && self.may_be_local(*argument);
                (self.value(*argument), local)
            })
            .collect();
        let Some(known) = self.functions.get_mut(callee.index()) else { return };
        let extent = |together: &Together| (together.level, together.causes.len());
        let before =
            (known.arguments.clone(), known.argument_is_local.clone(), extent(&known.entry));
        for (index, (level, local)) in levels.into_iter().enumerate() {
            if let Some(argument) = known.arguments.get_mut(index) {
                *argument = level.max(*argument);
            }
            if let Some(flag) = known.argument_is_local.get_mut(index) {
                *flag |= local;
            }
        }
        known.entry.join(&context.together);
        if before.0 != known.arguments
            || before.1 != known.argument_is_local
            || before.2 != extent(&known.entry)
        {
            self.due[callee.index()] = true;
        }
        let returned = known.result;
        if let Some(result) = result {
            self.raise_value(result, returned);
        }
    }
}

/// The threads that are gone after a jump, if those that jump are only some.
fn gone_with(cause: Cause) -> Together {
    let mut gone = Together::all();
    gone.add(cause);
    gone
}
