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

use std::collections::{BTreeMap, HashMap, HashSet};

use port_ir::{Block, Function, Handle, Module, Space, Statement, StatementKind, Struct, Variable};

use crate::check::Checker;
use crate::context::{ChainLink, ClassId, Context, FunctionInstanceId, GlobalId, Unit};
use crate::findings::UnsupportedConstruct;
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

    /// Functions that are no valid IR become a statement that says so, with a finding at the place of the
    /// first rule that they break: what else is in the file does not suffer from them.
    pub(crate) fn leave_out_invalid(&mut self) {
        // A body that went may have been what gave another function its form.
        for keeps_signature in [true, false, false] {
            let Err(errors) = port_ir::validate(&self.module) else { return };
            let mut broken = BTreeMap::new();
            for error in errors {
                if let Some(function) = error.function {
                    broken.entry(function).or_insert((error.location, error.message));
                }
            }
            for (handle, (location, message)) in broken {
                let own = self.module.functions.location(handle);
                let Some(location) = location.or(own) else { continue };
                let what = format!("this operation ({message})");
                let function = &mut self.module.functions[handle];
                let mut left = Function::new(std::mem::take(&mut function.name), function.kind);
                if keeps_signature {
                    left.parameters = std::mem::take(&mut function.parameters);
                    left.result = function.result;
                }
                let link = ChainLink { name: left.name.clone(), at: location.origin };
                self.cx.chain = vec![link];
                let finding = UnsupportedConstruct::new(what.clone());
                let code = self.cx.report(Unit::USER, location.origin, finding);
                self.cx.chain.clear();
                let kind = StatementKind::Unsupported { code: code.to_owned(), what };
                left.body = Some(Block { statements: vec![Statement { kind, location }] });
                self.module.functions[handle] = left;
                self.reports.entry(handle).or_default().codes.push(code);
            }
        }
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
