//! From the typed tree to the IR.
//!
//! A function of the source becomes one IR function for each combination of address spaces that its
//! pointers are called with: the source does not say what memory a pointer points into, its callers
//! do. What is poisoned becomes a statement that says so; nothing here reports what checking has
//! already reported.

mod aggregate;
mod call;
mod condition;
mod expression;
mod function;
mod global;
mod intrinsic;
mod number;
mod place;
mod space;
mod statement;
mod types;
mod usage;

pub(crate) use usage::{Usage, usage};

use std::collections::{HashMap, HashSet};

use port_ir::{Function, Handle, Module, Space, Struct, Variable};

use crate::check::Checker;
use crate::context::{ClassId, Context, FunctionInstanceId, GlobalId, Unit};
use crate::value::Environment;

/// A function instance and the spaces of its pointer parameters (`None` for others).
pub(crate) type FunctionKey = (FunctionInstanceId, Vec<Option<Space>>);

/// How a class lies in an IR struct.
#[derive(Clone, Debug)]
pub(crate) struct StructMap {
    pub(crate) handle: Handle<Struct>,
    /// The member of each base; `None` for an empty one.
    pub(crate) bases: Vec<Option<u32>>,
    /// The member of each field; `None` for a bit-field, or an array without elements.
    pub(crate) fields: Vec<Option<u32>>,
    /// Whether members overlap, so that no value can be put together from parts.
    pub(crate) overlaps: bool,
}

/// What is wrong in an emitted function, and whom it calls.
#[derive(Clone, Debug, Default)]
pub(crate) struct FunctionReport {
    pub(crate) codes: Vec<&'static str>,
    pub(crate) callees: Vec<Handle<Function>>,
}

/// Makes an IR module.
pub(crate) struct Lowerer<'h> {
    pub(crate) cx: Context<'h>,
    pub(crate) module: Module,
    functions: HashMap<FunctionKey, Handle<Function>>,
    variants: HashMap<FunctionInstanceId, u32>,
    result_spaces: HashMap<FunctionKey, Option<Space>>,
    pub(crate) reports: HashMap<Handle<Function>, FunctionReport>,
    globals: HashMap<GlobalId, Handle<Variable>>,
    strings: HashMap<Vec<u8>, Handle<Variable>>,
    structs: HashMap<ClassId, StructMap>,
    names: HashSet<String>,
    /// Types without a form in the IR, already reported.
    refused: HashMap<crate::ty::TypeId, &'static str>,
}

impl<'h> Lowerer<'h> {
    pub(crate) fn new(cx: Context<'h>) -> Self {
        Lowerer {
            cx,
            module: Module::new(),
            functions: HashMap::new(),
            variants: HashMap::new(),
            result_spaces: HashMap::new(),
            reports: HashMap::new(),
            globals: HashMap::new(),
            strings: HashMap::new(),
            structs: HashMap::new(),
            names: HashSet::new(),
            refused: HashMap::new(),
        }
    }

    /// A checker outside all bodies, for layouts and classes.
    pub(crate) fn checker(&mut self) -> Checker<'_, 'h> {
        Checker::new(&mut self.cx, Environment::top(Unit::USER))
    }

    /// The codes of what is wrong in a function and in all that it calls, in the order of the text.
    pub(crate) fn codes(&self, function: Handle<Function>) -> Vec<&'static str> {
        let mut codes = Vec::new();
        let mut seen = HashSet::new();
        let mut open = vec![function];
        while let Some(function) = open.pop() {
            if !seen.insert(function) {
                continue;
            }
            if let Some(report) = self.reports.get(&function) {
                for code in &report.codes {
                    if !codes.contains(code) {
                        codes.push(code);
                    }
                }
                open.extend(report.callees.iter().rev());
            }
        }
        codes
    }

    /// A name that nothing in the module has yet.
    fn unique_name(&mut self, wanted: &str) -> String {
        let mut name = wanted.to_string();
        let mut number = 1;
        while name.is_empty() || !self.names.insert(name.clone()) {
            number += 1;
            name = format!("{wanted}#{number}");
        }
        name
    }
}
