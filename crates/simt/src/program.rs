//! A kernel that is ready to run.

use port_float::{F32Function, F64Function, Profile};
use port_ir::analysis::{divergence, program as flow, progress, uniformity};
use port_ir::{
    BarrierScope, Block, Builtin, Function, FunctionKind, Handle, Location, Module, Scalar,
    StatementKind, Type,
};

use crate::compile::{self, Class, Mode};
use crate::launch::{Launch, Options};
use crate::machine::Inst;
use crate::machine::convert::General;
use crate::machine::grid::{self, Ending, Grouping};
use crate::machine::joined::Joined;
use crate::machine::matrix::MatrixInst;
use crate::machine::print::PrintInst;
use crate::machine::twin::operations::TwinFunction;
use crate::machine::warp::WarpInst;
use crate::memory::{Memory, WINDOW_BITS, WINDOW_ORIGIN};
use crate::outcome::{Fault, Outcome};
use crate::together::{self, Together};
use crate::trace::Point;

/// Why a kernel cannot be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsupported {
    /// The code of the finding that the front end reported, or empty.
    pub code: String,
    /// The place.
    pub location: Option<Location>,
    /// What is not supported.
    pub what: String,
}

/// A parameter of a kernel, as the launch passes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// The user's name.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// Bytes of its value.
    pub size: u64,
    /// Bytes from the start of the parameters.
    pub offset: u64,
}

/// A value that registers hold before the first instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Preset {
    /// A part of an argument, at so many bytes from the start of the parameters.
    Argument {
        offset: u64,
        scalar: Scalar,
    },
    Builtin(Builtin),
    /// The address of a module's variable, by its place among [`Code::symbols`].
    Symbol(u32),
    /// The address of a shared variable, by its place among [`Code::shared`].
    Shared(u32),
}

impl Preset {
    /// Whether blocks of one launch differ in it.
    pub(crate) fn is_of_block(self) -> bool {
        matches!(
            self,
            Preset::Shared(_)
                | Preset::Builtin(
                    Builtin::BlockIndex(_)
                        | Builtin::ClusterIndex(_)
                        | Builtin::ClusterBlockIndex(_)
                        | Builtin::ClusterRank
                )
        )
    }

    /// Whether lanes of a block differ in it.
    pub(crate) fn varies(self) -> bool {
        matches!(
            self,
            Preset::Builtin(
                Builtin::ThreadIndex(_) | Builtin::LaneId | Builtin::WarpId | Builtin::LaneMask(_)
            )
        )
    }
}

/// Registers that can hold vectors.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) words: u32,
    pub(crate) doubles: u32,
    pub(crate) truths: u32,
}

#[derive(Clone, Debug)]
pub(crate) struct SharedObject {
    pub(crate) name: String,
    /// Bytes from the start of the block's shared memory.
    pub(crate) start: u64,
    /// `None` for what the launch says.
    pub(crate) size: Option<u64>,
    pub(crate) align: u64,
    pub(crate) used: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct LocalObject {
    pub(crate) name: String,
    pub(crate) size: u64,
    pub(crate) row: usize,
}

#[derive(Clone, Debug)]
pub(crate) struct Symbol {
    pub(crate) name: String,
    pub(crate) size: u64,
    pub(crate) initial: Vec<u8>,
}

/// Instructions and what they refer to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Code {
    pub(crate) instructions: Vec<Inst>,
    pub(crate) sites: Vec<Location>,
    /// Where a traced program notes what it does.
    pub(crate) points: Vec<Point>,
    pub(crate) counts: Counts,
    /// Constants of each file, after its registers.
    pub(crate) words: Vec<u64>,
    pub(crate) doubles: Vec<u64>,
    pub(crate) truths: Vec<u64>,
    pub(crate) presets: Vec<(Preset, Class, u32)>,
    pub(crate) slots: u32,
    pub(crate) warp_width: usize,
    pub(crate) functions32: Vec<F32Function>,
    pub(crate) functions64: Vec<F64Function>,
    pub(crate) twin_functions: Vec<TwinFunction>,
    /// Whether there are twins, and whether each instruction can say what rounding does there.
    pub(crate) twinned: bool,
    pub(crate) says_errors: bool,
    pub(crate) conversions: Vec<General>,
    pub(crate) warps: Vec<WarpInst>,
    pub(crate) prints: Vec<PrintInst>,
    pub(crate) matrices: Vec<MatrixInst>,
    pub(crate) joined: Vec<Joined>,
    /// The instructions that chains stand for.
    pub(crate) chained: Vec<crate::machine::Inst>,
    pub(crate) steps: Vec<crate::machine::Inst>,
    pub(crate) messages: Vec<String>,
    /// Loads of locals that may be unset.
    pub(crate) unset: Vec<compile::unset::Unset>,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) parameter_bytes: u64,
    pub(crate) shared: Vec<SharedObject>,
    pub(crate) static_shared: u64,
    pub(crate) locals: Vec<LocalObject>,
    pub(crate) local_rows: usize,
    pub(crate) symbols: Vec<Symbol>,
    /// Names of the module's constant variables.
    pub(crate) constants: Vec<String>,
    pub(crate) has_block_barrier: bool,
    pub(crate) has_grid_barrier: bool,
    pub(crate) has_cluster_barrier: bool,
    pub(crate) cluster: Option<[u32; 3]>,
    /// Whether threads of different warps wait for each other without a barrier.
    pub(crate) needs_warps: bool,
    /// Whether lanes of one warp do.
    pub(crate) needs_lanes: bool,
    /// Whether some barrier may be reached by a part of the block.
    pub(crate) may_diverge: bool,
    /// What it may write to; `None` if that is not known.
    pub(crate) writes: Option<compile::writes::Targets>,
    /// Whether a local variable may be read that nobody set.
    pub(crate) reads_stale: bool,
    /// Whether blocks may share a unit.
    pub(crate) together: Together,
}

impl Code {
    /// Numbers of objects.
    pub(crate) const PARAMETERS: u64 = 1;
    pub(crate) const FIRST_SHARED: u64 = 2;

    /// The number of the first local object.
    pub(crate) fn first_local(&self) -> u64 {
        Self::FIRST_SHARED + self.shared.len() as u64
    }

    /// The name of a shared or local object.
    pub(crate) fn object_name(&self, index: u64) -> String {
        let shared = index.checked_sub(Self::FIRST_SHARED).map(|index| index as usize);
        let local = index.checked_sub(self.first_local()).map(|index| index as usize);
        match (local.and_then(|index| self.locals.get(index)), shared) {
            (Some(local), _) => local.name.clone(),
            (None, Some(shared)) => {
                self.shared.get(shared).map_or(String::new(), |shared| shared.name.clone())
            }
            _ => String::new(),
        }
    }

    /// A pointer into shared memory as an offset in the block's.
    pub(crate) fn shared_offset(&self, address: u64) -> u32 {
        let index = (address >> WINDOW_BITS).wrapping_sub(Self::FIRST_SHARED);
        let start = self.shared.get(index as usize).map_or(0, |shared| shared.start);
        let place = (address & ((1 << WINDOW_BITS) - 1)).wrapping_sub(WINDOW_ORIGIN);
        start.wrapping_add(place) as u32
    }

    /// The pointer for such an offset: into the object that lies there.
    pub(crate) fn shared_pointer(&self, offset: u32) -> u64 {
        let offset = u64::from(offset);
        let mut found = (0, 0);
        for (index, shared) in self.shared.iter().enumerate() {
            let holds = shared.used
                && offset >= shared.start
                && shared.size.is_none_or(|size| offset < shared.start + size);
            if holds {
                found = (index as u64, shared.start);
            }
        }
        ((Self::FIRST_SHARED + found.0) << WINDOW_BITS)
            .wrapping_add(WINDOW_ORIGIN)
            .wrapping_add(offset.wrapping_sub(found.1))
    }
}

/// A kernel with what it calls, compiled for the machine.
#[derive(Clone, Debug)]
pub struct Program {
    name: String,
    code: Code,
}

impl Program {
    /// Compiles a kernel. The module is valid, flattened and resolved for the profile.
    pub fn new(
        module: &Module,
        kernel: Handle<Function>,
        profile: &Profile,
    ) -> Result<Program, Unsupported> {
        Self::compiled(module, kernel, profile, Mode::Plain)
    }

    /// As [`Program::new`], with a point after each value, store, barrier and jump, which
    /// [`Options::trace`] makes use of.
    pub fn traced(
        module: &Module,
        kernel: Handle<Function>,
        profile: &Profile,
    ) -> Result<Program, Unsupported> {
        Self::compiled(module, kernel, profile, Mode::Traced)
    }

    /// As [`Program::new`], with a twin of each float: what it would be if nothing were rounded, while
    /// control flow is that of the rounded values. [`Memory::twins`] has those of buffers after a run.
    pub fn twinned(
        module: &Module,
        kernel: Handle<Function>,
        profile: &Profile,
    ) -> Result<Program, Unsupported> {
        Self::compiled(module, kernel, profile, Mode::FastTwins)
    }

    /// As [`Program::twinned`], and slower: [`Options::errors`] asks it for what rounding does at each
    /// statement.
    pub fn twinned_by_statement(
        module: &Module,
        kernel: Handle<Function>,
        profile: &Profile,
    ) -> Result<Program, Unsupported> {
        Self::compiled(module, kernel, profile, Mode::Twinned)
    }

    fn compiled(
        module: &Module,
        kernel: Handle<Function>,
        profile: &Profile,
        mode: Mode,
    ) -> Result<Program, Unsupported> {
        let mut code = compile::compile(module, kernel, profile, mode)?;
        let function = &module.functions[kernel];
        if let FunctionKind::Kernel(bounds) = function.kind {
            code.cluster = bounds.cluster;
        }
        find_needs(module, kernel, &mut code);
        Ok(Program { name: function.name.clone(), code })
    }

    /// The kernel's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The points of a traced program, which [`crate::Event`]s refer to.
    pub fn points(&self) -> &[Point] {
        &self.code.points
    }

    /// The kernel's parameters.
    pub fn parameters(&self) -> &[Parameter] {
        &self.code.parameters
    }

    /// Runs a launch.
    #[allow(clippy::result_large_err, reason = "one for a launch")]
    pub fn run(
        &self,
        memory: &mut Memory,
        launch: &Launch,
        options: &Options,
    ) -> Result<Outcome, Fault> {
        let code = &self.code;
        let grouping = match (code.needs_lanes, code.needs_warps) {
            (true, _) => Grouping::Lane,
            (false, true) => Grouping::Warp,
            _ => Grouping::Block,
        };
        let may_restart = grouping == Grouping::Block && code.may_diverge;
        let before = may_restart.then(|| memory.clone());
        let mut ending = grid::run(code, memory, launch, options, grouping, may_restart);
        if let (Ending::Restart, Some(before)) = (&ending, before) {
            *memory = before;
            ending = grid::run(code, memory, launch, options, Grouping::Warp, false);
        }
        if !options.checks.initialised {
            memory.forget_unwritten();
        }
        match ending {
            Ending::Finished(outcome) => Ok(outcome),
            Ending::Faulted(fault) => Err(*fault),
            Ending::Restart => Ok(Outcome::default()),
        }
    }
}

/// Finds out whether a block's threads may advance together.
fn find_needs(module: &Module, kernel: Handle<Function>, code: &mut Code) {
    let Some(module) = reached_part(module, kernel) else { return };
    let module = &module;
    code.together = together::find(module);
    if !code.has_block_barrier && !may_wait(code) {
        return;
    }
    let Ok(info) = port_ir::validate(module) else { return };
    let program = flow::Program::of(module, &info);
    let width = code.warp_width as u32;
    let assumptions = uniformity::Assumptions::from_launches(module, Some(width));
    let uniformity = uniformity::ModuleUniformity::of(&program, assumptions);
    let reached = reached(&info, kernel);
    code.may_diverge = divergence::find(&program, &uniformity).iter().any(|doubt| {
        matches!(doubt.needs, divergence::Needs::Barrier(scope) if scope != BarrierScope::Warp)
            && !doubt.only_returns()
            && reached.contains(&doubt.function)
    });
    let waits = progress::find(&program, &uniformity, width);
    let mut waits = waits.iter().filter(|wait| reached.contains(&wait.function)).peekable();
    code.needs_warps = waits.peek().is_some();
    // Units of one lane cannot hold operations of a warp.
    let alone = code.warps.is_empty() && code.matrices.is_empty();
    code.needs_lanes = alone && waits.any(|wait| wait.needs == progress::Needs::Lanes);
}

/// A module in which only the kernel, and what it calls, does anything: the other kernels of a file
/// are no reason to wait.
fn reached_part(module: &Module, kernel: Handle<Function>) -> Option<Module> {
    let mut wanted = vec![kernel];
    let mut at = 0;
    while let Some(function) = wanted.get(at).copied() {
        at += 1;
        let mut blocks: Vec<&Block> = module.functions.get(function)?.body.iter().collect();
        while let Some(block) = blocks.pop() {
            for statement in &block.statements {
                if let StatementKind::Call { function, .. } = &statement.kind
                    && !wanted.contains(function)
                {
                    wanted.push(*function);
                }
                blocks.extend(statement.kind.blocks());
            }
        }
    }
    let mut part = Module {
        types: module.types.clone(),
        variables: module.variables.clone(),
        launches: module.launches.iter().filter(|it| it.kernel == kernel).cloned().collect(),
        ..Module::new()
    };
    for (handle, function) in module.functions.iter() {
        let copy = if wanted.contains(&handle) {
            function.clone()
        } else {
            let mut empty = Function::new(function.name.clone(), function.kind);
            empty.body = function.is_kernel().then(Block::new);
            empty
        };
        part.functions.append(copy, module.functions.location(handle)?);
    }
    Some(part)
}

fn reached(info: &port_ir::ModuleInfo, kernel: Handle<Function>) -> Vec<Handle<Function>> {
    let mut reached = vec![kernel];
    let mut at = 0;
    while let Some(function) = reached.get(at).copied() {
        at += 1;
        for callee in &info.function(function).callees {
            if !reached.contains(callee) {
                reached.push(*callee);
            }
        }
    }
    reached
}

/// Whether the program has loops at all.
fn may_wait(code: &Code) -> bool {
    code.instructions.iter().any(|inst| inst.op == crate::machine::Op::Back)
}
