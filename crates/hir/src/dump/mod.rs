//! A text form of a module, for tests and for people. It is not read back.
//!
//! Expressions are written with all parentheses, and every name says what it means: `local x`,
//! `param T`, `fn f` (with the number of overloads if there are several), `method f`, `field x`,
//! `var x`, `enum A`, `type S`, `api threadIdx`, `lib std::x`, `member a::b` (looked up after
//! substitution), `dependent x`, `unknown x`.

mod exprs;
mod stmts;

use std::fmt::Write;

use crate::*;

/// The text form of a module.
pub fn dump(module: &Module) -> String {
    let mut writer = Writer { module, text: String::new(), indent: 0 };
    writer.module();
    writer.text
}

/// The text form of an expression.
pub fn expression(module: &Module, id: ExprId) -> String {
    Writer { module, text: String::new(), indent: 0 }.expr(id)
}

/// The text form of a type.
pub fn ty(module: &Module, id: TyId) -> String {
    Writer { module, text: String::new(), indent: 0 }.ty(id)
}

struct Writer<'m> {
    module: &'m Module,
    text: String,
    indent: usize,
}

impl Writer<'_> {
    fn line(&mut self, text: &str) {
        for _ in 0..self.indent {
            self.text.push_str("  ");
        }
        self.text.push_str(text);
        self.text.push('\n');
    }

    fn module(&mut self) {
        let module = self.module;
        for (id, _) in module.enums.iter() {
            self.enumeration(id);
        }
        for (id, _) in module.aliases.iter() {
            let alias = &module.aliases[id];
            let name = module.qualified_name(alias.parent, alias.name.as_str());
            let template = self.template(alias.template_parameters.as_ref());
            let ty = self.ty(alias.ty);
            self.line(&format!("{template}alias {name} = {ty}"));
        }
        for (id, _) in module.records.iter() {
            self.record(id);
        }
        for (_, variable) in module.variables.iter() {
            let name = module.qualified_name(variable.parent, variable.name.as_str());
            let template = self.template(variable.template_parameters.as_ref());
            let special = self.specialisation(variable.specialisation.as_ref());
            let storage = self.storage(&variable.storage);
            let ty = self.ty(variable.ty);
            let initializer = self.initializer(variable.initializer.as_ref());
            self.line(&format!("{template}{storage}var {name}{special}: {ty}{initializer}"));
        }
        for (id, _) in module.functions.iter() {
            self.function(id);
        }
        for instantiation in &module.instantiations {
            let name = self.name(&instantiation.name);
            let parameters = match &instantiation.parameters {
                Some(list) => {
                    let list: Vec<String> = list.iter().map(|ty| self.ty(*ty)).collect();
                    format!("({})", list.join(", "))
                }
                None => String::new(),
            };
            let which = if instantiation.is_extern { "extern " } else { "" };
            self.line(&format!("{which}instantiate {name}{parameters}"));
        }
        for kernel in &module.kernel_uses {
            let name = self.expr(kernel.name);
            let call = kernel.call.map_or(String::new(), |call| format!(" by {call}"));
            self.line(&format!("kernel use {name}{call}"));
        }
        for other in &module.others {
            self.stmt(other.stmt);
        }
        for diagnostic in &module.diagnostics {
            let kernel =
                diagnostic.kernel.as_ref().map_or(String::new(), |name| format!(" in {name}"));
            self.line(&format!("{}: {}{kernel}", diagnostic.code, diagnostic.message));
        }
    }

    fn enumeration(&mut self, id: EnumId) {
        let module = self.module;
        let data = &module.enums[id];
        let name = module.qualified_name(data.parent, data.name.as_str());
        let scoped = if data.scoped { "class " } else { "" };
        let underlying = data.underlying.map_or(String::new(), |ty| format!(": {}", self.ty(ty)));
        let constants: Vec<String> = data
            .constants
            .iter()
            .map(|constant| match constant.value {
                Some(value) => format!("{} = {}", constant.name, self.expr(value)),
                None => constant.name.to_string(),
            })
            .collect();
        self.line(&format!("enum {scoped}{name}{underlying} {{ {} }}", constants.join(", ")));
    }

    fn template(&self, list: Option<&TemplateParameterList>) -> String {
        let Some(list) = list else { return String::new() };
        let parameters: Vec<String> = list
            .parameters
            .iter()
            .map(|parameter| {
                let pack = if parameter.pack { "..." } else { "" };
                let name = parameter.name;
                match &parameter.kind {
                    TemplateParameterKind::Type { default } => {
                        let default =
                            default.map_or(String::new(), |ty| format!(" = {}", self.ty(ty)));
                        format!("type{pack} {name}{default}")
                    }
                    TemplateParameterKind::Value { ty, default } => {
                        let default =
                            default.map_or(String::new(), |e| format!(" = {}", self.expr(e)));
                        format!("{}{pack} {name}{default}", self.ty(*ty))
                    }
                    TemplateParameterKind::Template { .. } => format!("template{pack} {name}"),
                    TemplateParameterKind::Abbreviated => String::from("auto"),
                }
            })
            .collect();
        format!("template@{}<{}> ", list.depth, parameters.join(", "))
    }

    fn specialisation(&self, specialisation: Option<&Specialisation>) -> String {
        let Some(specialisation) = specialisation else { return String::new() };
        let mut text = format!(" for <{}>", self.arguments(&specialisation.arguments));
        if !specialisation.record_arguments.is_empty() {
            let _ = write!(text, " of <{}>", self.arguments(&specialisation.record_arguments));
        }
        text
    }

    fn record(&mut self, id: RecordId) {
        let module = self.module;
        let record = &module.records[id];
        let kind = match record.kind {
            RecordKind::Struct => "struct",
            RecordKind::Class => "class",
            RecordKind::Union => "union",
        };
        let name = module.qualified_name(record.parent, record.name.as_str());
        let name = if record.name.as_str().is_empty() { format!("{name}{{{id:?}}}") } else { name };
        let template = self.template(record.template_parameters.as_ref());
        let special = self.specialisation(record.specialisation.as_ref());
        let bases: Vec<String> = record
            .bases
            .iter()
            .map(|base| format!("{}{}", self.ty(base.ty), if base.pack { "..." } else { "" }))
            .collect();
        let bases =
            if bases.is_empty() { String::new() } else { format!(": {}", bases.join(", ")) };
        let align = self.alignments(&record.alignments);
        let packed = if record.packed { "packed " } else { "" };
        let declared = if record.defined { "" } else { ";" };
        let poison = poison(record.poison.as_ref());
        self.line(&format!(
            "{template}{packed}{align}{kind} {name}{special}{bases}{declared}{poison}"
        ));
        self.indent += 1;
        for field in &record.fields {
            let storage = self.storage(&field.storage);
            let ty = self.ty(field.ty);
            let width =
                field.width.map_or(String::new(), |width| format!(" : {}", self.expr(width)));
            let initializer = self.initializer(field.initializer.as_ref());
            self.line(&format!("{storage}field {}: {ty}{width}{initializer}", field.name));
        }
        self.indent -= 1;
    }

    fn alignments(&self, alignments: &[Alignment]) -> String {
        let mut text = String::new();
        for alignment in alignments {
            let value = match alignment {
                Alignment::Value(value) => self.expr(*value),
                Alignment::Type(ty) => self.ty(*ty),
            };
            let _ = write!(text, "align({value}) ");
        }
        text
    }

    fn storage(&self, storage: &Storage) -> String {
        let mut text = String::new();
        for (set, word) in [
            (storage.is_static, "static "),
            (storage.is_extern, "extern "),
            (storage.constexpr, "constexpr "),
            (storage.inline, "inline "),
            (storage.thread_local, "thread_local "),
            (storage.register, "register "),
            (storage.mutable, "mutable "),
            (storage.shared, "shared "),
            (storage.constant, "constant "),
            (storage.device, "device "),
            (storage.managed, "managed "),
            (storage.grid_constant, "grid_constant "),
        ] {
            if set {
                text.push_str(word);
            }
        }
        text.push_str(&self.alignments(&storage.alignments));
        text
    }

    fn initializer(&self, initializer: Option<&Initializer>) -> String {
        match initializer {
            None => String::new(),
            Some(Initializer::Copy(value)) => format!(" = {}", self.expr(*value)),
            Some(Initializer::Direct(values)) => format!(" ({})", self.exprs(values)),
            Some(Initializer::Brace(value)) => format!(" {}", self.expr(*value)),
        }
    }

    fn function(&mut self, id: FunctionId) {
        let module = self.module;
        let function = &module.functions[id];
        let q = &function.qualifiers;
        let mut words = self.template(function.template_parameters.as_ref());
        for (set, word) in [
            (q.friend, "friend "),
            (q.is_static, "static "),
            (q.is_extern, "extern "),
            (q.c_linkage, "\"C\" "),
            (q.is_virtual, "virtual "),
            (q.explicit, "explicit "),
            (q.constexpr, "constexpr "),
            (q.force_inline, "forceinline "),
            (q.inline && !q.force_inline, "inline "),
            (q.no_inline, "noinline "),
            (q.host, "host "),
            (q.device, "device "),
            (q.global, "kernel "),
        ] {
            if set {
                words.push_str(word);
            }
        }
        if !q.launch_bounds.is_empty() {
            let _ = write!(words, "launch_bounds({}) ", self.exprs(&q.launch_bounds));
        }
        let kind = match &function.kind {
            FunctionKind::Ordinary | FunctionKind::Operator(_) | FunctionKind::Literal(_) => "fn",
            FunctionKind::Conversion(_) => "conversion",
            FunctionKind::Constructor => "constructor",
            FunctionKind::Destructor => "destructor",
            FunctionKind::DeductionGuide => "guide",
        };
        let name = module.function_name(id);
        let special = self.specialisation(function.specialisation.as_ref());
        let mut parameters: Vec<String> =
            function.parameters.iter().map(|local| self.local(*local)).collect();
        if function.variadic {
            parameters.push(String::from("..."));
        }
        let result = match module.types[function.return_type].kind {
            TyKind::None => String::new(),
            _ => format!(" -> {}", self.ty(function.return_type)),
        };
        let constant = if q.const_this { " const" } else { "" };
        let body = match function.body {
            Body::None => ";",
            Body::Block(_) => "",
            Body::Defaulted => " = default",
            Body::Deleted => " = delete",
            Body::Pure => " = 0",
        };
        let poison = poison(function.poison.as_ref());
        self.line(&format!(
            "{words}{kind} {name}{special}({}){constant}{result}{body}{poison}",
            parameters.join(", ")
        ));
        self.indent += 1;
        for initializer in &function.initializers {
            let target = match &initializer.target {
                InitializerTarget::Field(index) => match function.parent {
                    Parent::Record(record) => module.records[record]
                        .fields
                        .get(*index as usize)
                        .map_or(String::new(), |field| format!("field {}", field.name)),
                    _ => String::new(),
                },
                InitializerTarget::Type(ty) => self.ty(*ty),
                InitializerTarget::Unresolved(name) => format!("unknown {name}"),
            };
            let value = self.initializer(Some(&initializer.value));
            self.line(&format!("init {target}{value}"));
        }
        if let Body::Block(block) = function.body {
            self.contents(block);
        }
        self.indent -= 1;
    }

    fn local(&self, id: LocalId) -> String {
        let local = &self.module.locals[id];
        let storage = self.storage(&local.storage);
        let ty = self.ty(local.ty);
        let initializer = self.initializer(local.initializer.as_ref());
        format!("{storage}{}: {ty}{initializer}", local.name)
    }
}

fn poison(poison: Option<&Poison>) -> String {
    poison.map_or(String::new(), |poison| format!(" poisoned({})", poison.code))
}
