//! Kernels as C++ loops: IR in, text out. Knows nothing of the user's text.
//!
//! [`emit`] turns each kernel that it is asked for into a *compiled form*: a function that runs a
//! whole grid. A block's threads advance together. What needs no other thread (a *region*) becomes
//! one loop over the threads with plain C++ inside; barriers and warp operations stand between the
//! loops, and control flow that holds them stands around the loops: as a plain `if` or `for` where
//! all threads of the block agree, else with a mask of the threads that take part.
//!
//! * [`types`]: types in C++.
//! * `admit`: what has no compiled form.
//! * `facts`: the tree of a kernel's blocks, and where its values are used.
//! * `schedule`: which statements are loops of their own, and where values live between loops.
//! * `affine`, `loops`: what neighbouring threads do with neighbouring memory.
//! * `expression`, `place`, `region`, `steps`, `block`, `warp`: the text.
//!
//! The text belongs into the namespace `port_cpu::compiled`; it uses what the headers under
//! `assets/port_cpu` define and nothing else.

mod admit;
mod affine;
mod block;
mod expression;
mod lockstep;
mod loops;
mod names;
mod place;
mod region;
mod schedule;
mod statement;
mod steps;
pub mod types;
mod warp;

use std::collections::{BTreeMap, BTreeSet};

use port_backend::text::{facts, writer};
use port_diag::{Origin, SourceMap};
use port_float::Profile;
use port_ir::analysis::program::Program;
use port_ir::analysis::uniformity::{Assumptions, ModuleUniformity};
use port_ir::{Function, Handle, Module, Variable, validate};

use names::Names;
use types::Spelling;

/// A compiled form to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The kernel.
    pub function: Handle<Function>,
    /// The name of the C++ function that runs it.
    pub name: String,
}

/// What the emitter is told besides the IR.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// The files, for comments that name lines.
    pub sources: &'a SourceMap,
    /// Identifiers that the text must not use: macros of the user's text.
    pub reserved: &'a BTreeSet<String>,
    /// The C++ expression for the address of a global or constant variable; `None` if it has none.
    pub address: &'a dyn Fn(Handle<Variable>) -> Option<String>,
    /// The arithmetic that decides what is fused; `None`: what the source fuses.
    pub fusing: Option<&'a Profile>,
}

/// The shared variable by which lanes of a kernel exchange values though nothing makes them wait, and the
/// load that counts on it: thread by thread such a kernel is wrong.
pub fn exchanges_in_step(
    module: &Module,
    functions: &[Handle<port_ir::Function>],
) -> Vec<Option<(String, Origin)>> {
    let none = || vec![None; functions.len()];
    let Ok(info) = validate(module) else { return none() };
    let module = port_ir::passes::flatten(module, &info);
    let Ok(info) = validate(&module) else { return none() };
    let program = Program::of(&module, &info);
    let one = |handle: &Handle<port_ir::Function>| {
        let flow = program.flow(*handle);
        let load = lockstep::loads(flow, &module).into_iter().next()?;
        let statement = flow.entry(load).statement;
        let port_ir::StatementKind::Load { pointer, .. } = &statement.kind else { return None };
        let affine = port_ir::analysis::affine::Affine::new(flow, &module.types).address(*pointer);
        let Some(port_ir::analysis::flow::Root::Variable(variable)) = affine.map(|a| a.root) else {
            return None;
        };
        Some((module.variables[variable].name.clone(), statement.location.origin))
    };
    functions.iter().map(one).collect()
}

/// Why a kernel has no compiled form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotCompiled {
    /// In words that end a sentence: "… because `reason`".
    pub reason: String,
    /// The place that asks for it.
    pub origin: Origin,
}

/// A compiled form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compiled {
    /// The function `static void NAME(const Launch& launch, void* const* arguments)` with all that it
    /// alone needs. `arguments[i]` points to the value of the i-th parameter.
    pub text: String,
}

/// What [`emit`] gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Emitted {
    /// Types and functions that several compiled forms use; it comes first.
    pub declarations: String,
    /// One for each request, in order.
    pub kernels: Vec<Result<Compiled, NotCompiled>>,
}

/// Makes the compiled forms of kernels of a valid module. `module` is what lowering gave: it is
/// inlined and analysed here.
pub fn emit(module: &Module, requests: &[Request], options: &Options<'_>) -> Emitted {
    let nowhere = Origin::plain(port_diag::Span::new(port_diag::FileId(0), 0, 0));
    let fail = |reason: &str| Emitted {
        declarations: String::new(),
        kernels: requests
            .iter()
            .map(|_| Err(NotCompiled { reason: reason.to_string(), origin: nowhere }))
            .collect(),
    };
    let Ok(info) = validate(module) else { return fail("its translation is not valid") };
    let mut module = port_ir::passes::flatten(module, &info);
    if let Some(profile) = options.fusing {
        module = port_float::resolve(&module, profile);
    }
    let Ok(info) = validate(&module) else { return fail("its translation is not valid") };
    let program = Program::of(&module, &info);
    let assumptions = Assumptions { warp_width: Some(32), rows_of_whole_warps: false };
    let uniformity = ModuleUniformity::of(&program, assumptions);
    let mut spelling = Spelling::new(&module, options.reserved);
    let waits = port_ir::analysis::progress::find(&program, &uniformity, 32);
    let doubts = port_ir::analysis::divergence::find(&program, &uniformity);
    let mut doubts_of: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for doubt in doubts {
        doubts_of.entry(doubt.function).or_default().push(doubt);
    }
    let mut functions = BTreeSet::new();
    let mut kernels = Vec::new();
    let mut of_called = Vec::new();
    for (handle, function) in module.functions.iter() {
        if !function.is_kernel() && function.body.is_some() {
            of_called.extend(program.info(handle).variables.iter().copied());
        }
    }
    let context =
        Context { program: &program, uniformity: &uniformity, options, of_called: &of_called };
    for request in requests {
        let doubts = doubts_of.get(&request.function).map_or(&[][..], Vec::as_slice);
        let made = admit::admit(&program, doubts, &waits, request.function).and_then(|callees| {
            let text = block::kernel(&context, &mut spelling, request)?;
            functions.extend(callees);
            Ok(Compiled { text })
        });
        kernels.push(made);
    }
    let mut declarations = String::new();
    let called = statement::functions(&context, &mut spelling, &functions);
    match called {
        Ok(text) => {
            declarations.push_str(&spelling.declarations());
            declarations.push_str(&text);
        }
        Err(refused) => {
            // A called function that has no form: every kernel that calls one goes without.
            for (request, kernel) in requests.iter().zip(&mut kernels) {
                let calls = admit::callees(&program, request.function);
                if kernel.is_ok() && !calls.is_empty() {
                    *kernel = Err(refused.clone());
                }
            }
            declarations.push_str(&spelling.declarations());
        }
    }
    Emitted { declarations, kernels }
}

/// What the emission of a function looks at.
struct Context<'c, 'a> {
    program: &'c Program<'a>,
    uniformity: &'c ModuleUniformity,
    options: &'c Options<'c>,
    /// The variables of the functions that kernels call.
    of_called: &'c [Handle<Variable>],
}

impl<'c, 'a> Context<'c, 'a> {
    fn module(&self) -> &'a Module {
        self.program.module
    }

    fn names(&self) -> Names {
        names::names(self.options.reserved)
    }
}
