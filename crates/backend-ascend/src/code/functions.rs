//! Device functions that could not be inlined: called as functions, one for each combination of
//! memories that their pointers point into.

use port_ir::analysis::flow::StatementId;
use port_ir::{Function, Handle, Space, Type, Value, Variable};

use super::facts::Facts;
use super::printer::{Printer, has_word};
use super::refuse;
use crate::kernel::NotTranslated;

/// Functions inside functions, at most.
const MAX_DEPTH: usize = 16;

/// What a function is told besides its own parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Extra {
    /// A number of the block or thread, under its one name.
    Number(&'static str),
    /// A variable outside of functions.
    Variable(Handle<Variable>),
}

/// Numbers that a body may name and a function is given: what a form knows under these names.
const NUMBERS: &[(&str, &str)] = &[
    ("uint32_t", "blockX"),
    ("uint32_t", "blockY"),
    ("uint32_t", "blockZ"),
    ("uint32_t", "gridDimX"),
    ("uint32_t", "gridDimY"),
    ("uint32_t", "gridDimZ"),
    ("uint32_t", "dynamicBytes"),
    ("uint32_t", "blockDimX"),
    ("uint32_t", "blockDimY"),
    ("uint32_t", "blockDimZ"),
    ("uint32_t", "threadX"),
    ("uint32_t", "threadY"),
    ("uint32_t", "threadZ"),
    ("uint32_t", "t"),
    ("AscendC::LocalTensor<float>&", "scratch"),
];

/// A function that was written.
#[derive(Clone, Debug)]
pub(crate) struct Called {
    function: Handle<Function>,
    spaces: Vec<Space>,
    name: String,
    extras: Vec<Extra>,
    text: String,
}

impl Printer<'_, '_, '_> {
    /// A call.
    pub(super) fn call(
        &mut self,
        result: Option<Value>,
        function: Handle<Function>,
        arguments: &[Value],
    ) -> Result<(), NotTranslated> {
        let parameters = &self.facts.module.functions[function].parameters;
        let mut spaces = Vec::new();
        for (parameter, argument) in parameters.iter().zip(arguments) {
            spaces.push(match parameter.ty {
                Type::Pointer(Space::Generic | Space::Local) => self.space(*argument),
                Type::Pointer(space) => space,
                _ => Space::Generic,
            });
        }
        let called = self.called(function, &spaces)?;
        let mut texts = Vec::new();
        for (parameter, argument) in parameters.iter().zip(arguments) {
            texts.push(match parameter.ty {
                Type::Pointer(_) => match parameter.pointee.and_then(|ty| self.usable(ty)) {
                    Some(pointee) => self.typed(*argument, pointee)?.text,
                    None => self.bytes(*argument)?.text,
                },
                _ => self.value(*argument)?.text,
            });
        }
        for extra in &called.extras {
            texts.push(match extra {
                Extra::Number(name) => (*name).to_owned(),
                Extra::Variable(variable) => self.variable_name(*variable)?.text,
            });
        }
        let text = super::cpp::Text::primary(format!("{}({})", called.name, texts.join(", ")));
        match result.filter(|result| !self.facts.uses[result.index()].is_empty()) {
            Some(result) => self.define(result, &text),
            None => {
                self.out.line(format!("{};", text.text));
                Ok(())
            }
        }
    }

    /// The function for pointers into these memories; writes it when it is new.
    fn called(
        &mut self,
        function: Handle<Function>,
        spaces: &[Space],
    ) -> Result<Called, NotTranslated> {
        let same = |known: &&Called| known.function == function && known.spaces == spaces;
        if let Some(known) = self.functions.iter().find(same) {
            return Ok(known.clone());
        }
        let module = self.facts.module;
        let called = &module.functions[function];
        if called.body.is_none() || self.inside.contains(&function) || self.inside.len() > MAX_DEPTH
        {
            return Err(refuse(format!(
                "it calls `{}`, which cannot be written here",
                called.name
            )));
        }
        let facts = Facts::of(self.context.program, self.context.uniformity, function);
        let threads = self.context.form == super::Form::Threads;
        if !threads && self.context.program.info(function).convergent.any() {
            return Err(refuse(format!(
                "it calls `{}`, which synchronises threads and could not be inlined",
                called.name
            )));
        }
        let mut inner = Printer::new(self.context, &facts, &mut *self.spelling);
        for (_, name) in NUMBERS {
            inner.names.take(name);
        }
        inner.functions = std::mem::take(&mut self.functions);
        inner.base = self.base.clone();
        inner.inside = self.inside.clone();
        inner.inside.push(function);
        inner.argument_spaces = Some(spaces.to_vec());
        inner.plan_locals(&|block| block == 0);
        let written = inner.block(0);
        let body = std::mem::take(&mut inner.out).finish();
        let mut head = Vec::new();
        let mut result = "void".to_owned();
        if written.is_ok() {
            if let Some(ty) = called.result {
                result = inner.spelling.value(ty)?;
            }
            for (index, parameter) in called.parameters.iter().enumerate() {
                let name = inner.arguments[&(index as u32)].clone();
                let spelled = match parameter.ty {
                    Type::Pointer(_) => {
                        let pointee = parameter.pointee.and_then(|ty| inner.usable(ty));
                        let space = spaces.get(index).copied().unwrap_or(Space::Generic);
                        inner.spelling.pointer(space, pointee)?
                    }
                    ty => inner.spelling.value(ty)?,
                };
                head.push(format!("{spelled} {name}"));
            }
        }
        let mut extras = Vec::new();
        for (ty, name) in NUMBERS.iter().filter(|(_, name)| has_word(&body, name)) {
            head.push(format!("{ty} {name}"));
            extras.push(Extra::Number(name));
        }
        for (variable, name) in inner.variables.clone() {
            if has_word(&body, &name) {
                let pointee = inner.variable_pointee(variable);
                let space = module.variables[variable].space;
                let spelled = inner.spelling.pointer(space, Some(pointee))?;
                head.push(format!("{spelled} {name}"));
                extras.push(Extra::Variable(variable));
            }
        }
        let title = inner.title();
        self.functions = std::mem::take(&mut inner.functions);
        let (place, includes) = (inner.place, std::mem::take(&mut inner.includes));
        self.includes.extend(includes);
        let pointers = inner.check_pointers();
        written.and(pointers).map_err(|refused| super::placed(refused, place))?;
        let identifier = port_backend::text::names::identifier(&called.name);
        let name = format!("{}{}_{identifier}", self.base, self.functions.len());
        let text = format!(
            "// {title}\n__aicore__ inline {result} {name}({})\n{{\n{body}}}\n",
            head.join(", ")
        );
        let called = Called { function, spaces: spaces.to_vec(), name, extras, text };
        self.functions.push(called.clone());
        Ok(called)
    }

    /// The texts of the functions that were called, callees first.
    pub(crate) fn called_texts(&self) -> String {
        self.functions.iter().map(|called| format!("{}\n", called.text)).collect()
    }

    /// Whether the text is that of a called function.
    pub(super) fn is_called(&self) -> bool {
        !self.inside.is_empty()
    }

    /// A return of a called function.
    pub(super) fn return_value(&mut self, id: StatementId) -> Result<(), NotTranslated> {
        let port_ir::StatementKind::Return { value } = self.facts.kind(id) else { return Ok(()) };
        match value {
            Some(value) => {
                let text = self.kept_value(*value)?;
                self.out.line(format!("return {};", text.text));
            }
            None => self.out.line("return;"),
        }
        Ok(())
    }
}
