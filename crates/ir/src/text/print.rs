//! Writes a module as text. Holds the module level, names and expressions; statements are in
//! `print_statement`. Prints invalid modules too, as well as it can.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;

use port_diag::SourceMap;

use super::place::Placement;
use super::spelling::{
    COMPARE, FLOAT, FRAGMENT_ELEMENTS, FRAGMENT_USES, INTEGER, MATRIX_LAYOUTS, ROUNDING, SPACES,
    UNARY, builtin_word, constant_text, flags_suffix, word,
};
use crate::arena::{Arena, Handle, Location};
use crate::expression::Expression;
use crate::function::{Function, FunctionKind, Parameter};
use crate::module::{ArgumentFact, Extent, LaunchFacts, Module, Range, Variable};
use crate::operation::{Conversion, Rounding};
use crate::statement::Value;
use crate::types::{Fragment, FragmentElement, Struct, Type};
use crate::typing::ExpressionTypes;

/// Which origins the text shows.
#[derive(Clone, Copy, Debug, Default)]
pub enum Origins<'a> {
    /// None.
    #[default]
    None,
    /// `; file:line` after each definition and statement.
    Lines(&'a SourceMap),
}

/// What the text shows.
#[derive(Clone, Copy, Debug, Default)]
pub struct PrintOptions<'a> {
    /// Which origins.
    pub origins: Origins<'a>,
}

/// The text of a module.
pub fn print(module: &Module, options: &PrintOptions<'_>) -> String {
    let names = ModuleNames::of(module);
    let mut sections: Vec<String> = Vec::new();
    for (handle, structure) in module.types.structs().iter() {
        sections.push(struct_text(&names, handle, structure));
    }
    let variables: String =
        module.variables.iter().map(|(handle, v)| variable_text(&names, handle, v)).collect();
    if !variables.is_empty() {
        sections.push(variables);
    }
    for (handle, function) in module.functions.iter() {
        sections.push(FunctionPrinter::new(module, &names, function, options).print(handle));
    }
    for launch in &module.launches {
        sections.push(launch_text(module, &names, launch));
    }
    sections.join("\n")
}

/// The text of one function.
pub fn print_function(
    module: &Module,
    function: Handle<Function>,
    options: &PrintOptions<'_>,
) -> String {
    let names = ModuleNames::of(module);
    match module.functions.get(function) {
        Some(body) => FunctionPrinter::new(module, &names, body, options).print(function),
        None => String::new(),
    }
}

/// Whether `name` can stand without quotes.
fn is_identifier(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// A string in quotes.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            other if other.is_control() => {
                let _ = write!(quoted, "\\u{{{:x}}}", other as u32);
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

/// A name as it stands after a sigil.
pub(super) fn bare_or_quoted(name: &str) -> String {
    if is_identifier(name) { name.to_string() } else { quoted(name) }
}

/// The names of an arena's items, with numbers where a name is not unique.
fn numbered<T>(arena: &Arena<T>, name: impl Fn(&T) -> &str) -> Vec<String> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for (_, item) in arena.iter() {
        *counts.entry(name(item)).or_default() += 1;
    }
    let text = |(handle, item): (Handle<T>, &T)| {
        let name = name(item);
        let mut text = bare_or_quoted(name);
        if counts.get(name).is_some_and(|count| *count > 1) {
            let _ = write!(text, ".{}", handle.index());
        }
        text
    };
    arena.iter().map(text).collect()
}

/// The spelled names of a module's items, without sigils.
pub(super) struct ModuleNames<'a> {
    module: &'a Module,
    structs: Vec<String>,
    variables: Vec<String>,
    functions: Vec<String>,
}

impl<'a> ModuleNames<'a> {
    fn of(module: &'a Module) -> Self {
        ModuleNames {
            module,
            structs: numbered(module.types.structs(), |item| &item.name),
            variables: numbered(&module.variables, |item| &item.name),
            functions: numbered(&module.functions, |item| &item.name),
        }
    }

    pub(super) fn structure(&self, handle: Handle<Struct>) -> String {
        format!("#{}", self.structs.get(handle.index()).map_or("?", String::as_str))
    }

    fn variable(&self, handle: Handle<Variable>) -> String {
        format!("@{}", self.variables.get(handle.index()).map_or("?", String::as_str))
    }

    pub(super) fn function(&self, handle: Handle<Function>) -> String {
        format!("@{}", self.functions.get(handle.index()).map_or("?", String::as_str))
    }

    pub(super) fn ty(&self, ty: Type) -> String {
        // Nested arrays are written from a loop, so that no type is too deep to print.
        let arrays = self.module.types.arrays();
        let mut lengths = Vec::new();
        let mut ty = ty;
        while let Type::Array(handle) = ty {
            let Some(array) = arrays.get(handle) else { break };
            if lengths.len() > arrays.len() {
                break;
            }
            lengths.push(array.length);
            ty = array.element;
        }
        let mut text = String::new();
        for length in &lengths {
            let _ = write!(text, "[{length} x ");
        }
        match ty {
            Type::Scalar(scalar) => text.push_str(scalar.name()),
            Type::Vector(scalar, size) => {
                let _ = write!(text, "{}x{}", scalar.name(), size.count());
            }
            Type::Pointer(space) => {
                let _ = write!(text, "ptr {}", word(SPACES, &space));
            }
            Type::Struct(handle) => text.push_str(&self.structure(handle)),
            Type::Fragment(fragment) => text.push_str(&fragment_text(fragment)),
            Type::Array(_) => text.push('?'),
        }
        text.push_str(&"]".repeat(lengths.len()));
        text
    }
}

pub(super) fn fragment_text(fragment: Fragment) -> String {
    let Fragment { operand, m, n, k, element, layout } = fragment;
    let element = match element {
        FragmentElement::Scalar(scalar) => scalar.name(),
        other => word(FRAGMENT_ELEMENTS, &other),
    };
    let mut text = format!("fragment {} {m} {n} {k} {element}", word(FRAGMENT_USES, &operand));
    if let Some(layout) = layout {
        text.push(' ');
        text.push_str(word(MATRIX_LAYOUTS, &layout));
    }
    text
}

fn struct_text(names: &ModuleNames<'_>, handle: Handle<Struct>, structure: &Struct) -> String {
    let name = names.structure(handle);
    let mut text = format!("struct {name} size {} align {} {{\n", structure.size, structure.align);
    for member in &structure.members {
        let (name, ty) = (bare_or_quoted(&member.name), names.ty(member.ty));
        let _ = writeln!(text, "  {name}: {ty} at {}", member.offset);
    }
    text.push_str("}\n");
    text
}

fn variable_text(names: &ModuleNames<'_>, handle: Handle<Variable>, variable: &Variable) -> String {
    let mut text =
        format!("variable {}: {} ", names.variable(handle), word(SPACES, &variable.space));
    if variable.extent == Extent::Dynamic {
        text.push_str("dynamic ");
    }
    text.push_str(&names.ty(variable.ty));
    if let Some(align) = variable.align {
        let _ = write!(text, " align {align}");
    }
    if let Some(bytes) = &variable.initial {
        text.push_str(" = \"");
        for byte in bytes {
            let _ = write!(text, "{byte:02x}");
        }
        text.push('"');
    }
    text.push('\n');
    text
}

fn launch_text(module: &Module, names: &ModuleNames<'_>, launch: &LaunchFacts) -> String {
    let range = |range: &Option<Range>| match range {
        None => "*".to_string(),
        Some(range) => match range.single() {
            Some(value) => value.to_string(),
            None => format!("{} to {}", range.low, range.high),
        },
    };
    let ranges =
        |ranges: &[Option<Range>; 3]| ranges.iter().map(range).collect::<Vec<_>>().join(", ");
    let mut text = format!(
        "launch {} grid({}) block({})",
        names.function(launch.kernel),
        ranges(&launch.grid),
        ranges(&launch.block)
    );
    if launch.dynamic_shared.is_some() {
        let _ = write!(text, " shared({})", range(&launch.dynamic_shared));
    }
    text.push_str(" {\n");
    let parameters = module.functions.get(launch.kernel).map_or(&[][..], |f| &f.parameters);
    let argument = |index: u32| argument_text(parameters, index);
    let both = |range: Range| format!("{} to {}", range.low, range.high);
    for fact in &launch.arguments {
        let line = match fact {
            ArgumentFact::Range { parameter, range } => {
                format!("range {} {}", argument(*parameter), both(*range))
            }
            ArgumentFact::Extent { parameter, bytes } => {
                format!("extent {} {}", argument(*parameter), both(*bytes))
            }
            ArgumentFact::Aligned { parameter, align } => {
                format!("aligned {} {align}", argument(*parameter))
            }
            ArgumentFact::Disjoint { first, second } => {
                format!("disjoint {} {}", argument(*first), argument(*second))
            }
            ArgumentFact::Same { first, second } => {
                format!("same {} {}", argument(*first), argument(*second))
            }
        };
        let _ = writeln!(text, "  {line}");
    }
    text.push_str("}\n");
    text
}

/// `%name`, or `arg(0)` where the name does not tell which.
fn argument_text(parameters: &[Parameter], index: u32) -> String {
    match parameters.get(index as usize) {
        Some(parameter)
            if is_identifier(&parameter.name)
                && parameters.iter().filter(|other| other.name == parameter.name).count() == 1 =>
        {
            format!("%{}", parameter.name)
        }
        _ => format!("arg({index})"),
    }
}

/// Prints one function: definitions and statements in order, values numbered as they appear.
pub(super) struct FunctionPrinter<'a> {
    pub(super) names: &'a ModuleNames<'a>,
    pub(super) function: &'a Function,
    pub(super) types: ExpressionTypes,
    pub(super) placement: Placement,
    pub(super) out: String,
    pub(super) indent: usize,
    locals: Vec<String>,
    numbers: BTreeMap<Value, usize>,
    origins: Origins<'a>,
}

/// Whether the text form writes this expression where it is used.
fn is_inline(expression: &Expression) -> bool {
    matches!(
        expression,
        Expression::Constant(_)
            | Expression::Zero(_)
            | Expression::Undefined(_)
            | Expression::Argument(_)
            | Expression::ArgumentAddress(_)
            | Expression::Local(_)
            | Expression::Variable(_)
            | Expression::Builtin(_)
            | Expression::FragmentLength(_)
            | Expression::Poison { .. }
    )
}

impl<'a> FunctionPrinter<'a> {
    fn new(
        module: &'a Module,
        names: &'a ModuleNames<'a>,
        function: &'a Function,
        options: &PrintOptions<'a>,
    ) -> Self {
        FunctionPrinter {
            names,
            function,
            types: ExpressionTypes::of(module, function),
            placement: Placement::of(function, is_inline),
            out: String::new(),
            indent: 1,
            locals: numbered(&function.locals, |local| &local.name),
            numbers: BTreeMap::new(),
            origins: options.origins,
        }
    }

    fn print(mut self, handle: Handle<Function>) -> String {
        let function = self.function;
        let keyword = if function.is_kernel() { "kernel" } else { "function" };
        let parameters: Vec<String> =
            function.parameters.iter().map(|parameter| self.parameter(parameter)).collect();
        let name = self.names.function(handle);
        let _ = write!(self.out, "{keyword} {name}({})", parameters.join(", "));
        if let Some(result) = function.result {
            let _ = write!(self.out, " -> {}", self.names.ty(result));
        }
        if let FunctionKind::Kernel(bounds) = function.kind {
            for (name, value) in [
                ("max_threads", bounds.max_threads),
                ("min_blocks", bounds.min_blocks),
                ("max_cluster_blocks", bounds.max_cluster_blocks),
            ] {
                if let Some(value) = value {
                    let _ = write!(self.out, " {name} {value}");
                }
            }
            if let Some([x, y, z]) = bounds.cluster {
                let _ = write!(self.out, " cluster {x} {y} {z}");
            }
        }
        let Some(body) = &function.body else {
            self.out.push('\n');
            return self.out;
        };
        self.out.push_str(" {\n");
        for (handle, local) in function.locals.iter() {
            let name = &self.locals[handle.index()];
            let _ = write!(self.out, "  local ${name}: {}", self.names.ty(local.ty));
            if let Some(align) = local.align {
                let _ = write!(self.out, " align {align}");
            }
            self.out.push('\n');
        }
        if !function.locals.is_empty() {
            self.out.push('\n');
        }
        self.block(body);
        self.out.push_str("}\n");
        self.out
    }

    fn parameter(&self, parameter: &Parameter) -> String {
        let (name, ty) = (bare_or_quoted(&parameter.name), self.names.ty(parameter.ty));
        let mut text = format!("%{name}: {ty}");
        if let Some(pointee) = parameter.pointee {
            let _ = write!(text, " of {}", self.names.ty(pointee));
        }
        for (set, name) in [
            (parameter.attributes.restrict, " restrict"),
            (parameter.attributes.read_only, " read_only"),
            (parameter.attributes.grid_constant, " grid_constant"),
        ] {
            if set {
                text.push_str(name);
            }
        }
        text
    }

    /// Begins a line.
    pub(super) fn begin(&mut self) {
        for _ in 0..self.indent {
            self.out.push_str("  ");
        }
    }

    /// Ends a line, with its origin if that is wanted.
    pub(super) fn end(&mut self, location: Option<Location>) {
        if let (Origins::Lines(map), Some(location)) = (self.origins, location) {
            let span = location.origin.span;
            if map.ids().any(|id| id == span.file) {
                let file = map.file(span.file);
                let line = file.line_column(span.start).line;
                let _ = write!(self.out, " ; {}:{line}", file.path);
            }
        }
        self.out.push('\n');
    }

    /// A value where it is defined, or used by number.
    pub(super) fn numbered(&mut self, value: Value) -> String {
        let next = self.numbers.len();
        let number = *self.numbers.entry(value).or_insert(next);
        match self.function.names.get(&value) {
            Some(name) => format!("%{number}.{}", bare_or_quoted(name)),
            None => format!("%{number}"),
        }
    }

    /// A value as an operand.
    pub(super) fn operand(&mut self, value: Value) -> String {
        match self.function.expressions.get(value) {
            Some(expression)
                if is_inline(expression) && !self.function.names.contains_key(&value) =>
            {
                self.leaf(expression)
            }
            _ => self.numbered(value),
        }
    }

    /// Operands with commas between them.
    pub(super) fn operands(&mut self, values: &[Value]) -> String {
        values.iter().map(|value| self.operand(*value)).collect::<Vec<_>>().join(", ")
    }

    fn leaf(&self, expression: &Expression) -> String {
        match expression {
            Expression::Constant(constant) => constant_text(*constant),
            Expression::Zero(ty) => format!("zero({})", self.names.ty(*ty)),
            Expression::Undefined(ty) => format!("undefined({})", self.names.ty(*ty)),
            Expression::Argument(index) => argument_text(&self.function.parameters, *index),
            Expression::ArgumentAddress(index) => {
                format!("&{}", argument_text(&self.function.parameters, *index))
            }
            Expression::Local(local) => {
                format!("${}", self.locals.get(local.index()).map_or("?", String::as_str))
            }
            Expression::Variable(variable) => self.names.variable(*variable),
            Expression::Builtin(builtin) => builtin_word(*builtin),
            Expression::FragmentLength(fragment) => {
                format!("fragment_length({})", fragment_text(*fragment))
            }
            Expression::Poison { ty, code } => {
                format!("poison({}, {})", self.names.ty(*ty), quoted(code))
            }
            _ => "?".to_string(),
        }
    }

    /// The line that names a pure expression.
    pub(super) fn definition(&mut self, handle: Value) {
        let function = self.function;
        let Some(expression) = function.expressions.get(handle) else { return };
        let text = self.expression(expression);
        self.begin();
        let name = self.numbered(handle);
        let _ = write!(self.out, "{name} = {text}");
        self.end(function.expressions.location(handle));
    }

    fn expression(&mut self, expression: &Expression) -> String {
        match expression {
            Expression::Unary { op, value } => {
                format!("{} {}", word(UNARY, op), self.operand(*value))
            }
            Expression::Integer { op, left, right } => {
                format!("{} {}", word(INTEGER, op), self.operands(&[*left, *right]))
            }
            Expression::Float { op, left, right, flags } => {
                let operands = self.operands(&[*left, *right]);
                format!("{}{} {operands}", word(FLOAT, op), flags_suffix(*flags))
            }
            Expression::FusedMultiplyAdd { a, b, c, flags } => {
                format!("fma{} {}", flags_suffix(*flags), self.operands(&[*a, *b, *c]))
            }
            Expression::Compare { op, left, right } => {
                format!("{} {}", word(COMPARE, op), self.operands(&[*left, *right]))
            }
            Expression::Select { condition, accept, reject } => {
                format!("select {}", self.operands(&[*condition, *accept, *reject]))
            }
            Expression::Convert { kind, value, to } => {
                let value = self.operand(*value);
                format!("{} {value} to {}", conversion_text(*kind), self.names.ty(*to))
            }
            Expression::Math { function, arguments, flags } => {
                let operands = self.operands(arguments);
                format!("{}{} {operands}", function.name(), flags_suffix(*flags))
            }
            Expression::Splat { ty, value } => {
                format!("splat {} {}", self.names.ty(*ty), self.operand(*value))
            }
            Expression::Compose { ty, parts } => {
                format!("compose {} ({})", self.names.ty(*ty), self.operands(parts))
            }
            Expression::Extract { value, index } => {
                format!("extract {}[{index}]", self.operand(*value))
            }
            Expression::Insert { value, index, part } => {
                let value = self.operand(*value);
                format!("insert {value}[{index}], {}", self.operand(*part))
            }
            Expression::Element { base, element, index } => {
                format!("element {} {}", self.names.ty(*element), self.operands(&[*base, *index]))
            }
            Expression::Member { base, structure, index } => {
                let name = self.names.structure(*structure);
                format!("member {name}[{index}] {}", self.operand(*base))
            }
            Expression::FragmentElement { base, fragment, index } => {
                let operands = self.operands(&[*base, *index]);
                format!("fragment_element {} {operands}", fragment_text(*fragment))
            }
            leaf => format!("value {}", self.leaf(leaf)),
        }
    }
}

fn conversion_text(kind: Conversion) -> String {
    let rounded = |name: &str, rounding: Rounding, usual: Rounding| {
        if rounding == usual {
            name.to_string()
        } else {
            format!("{name}.{}", word(ROUNDING, &rounding))
        }
    };
    match kind {
        Conversion::ZeroExtend => "zext".into(),
        Conversion::SignExtend => "sext".into(),
        Conversion::Truncate => "truncate".into(),
        Conversion::Bits => "bits".into(),
        Conversion::IntegerToFloat(rounding) => rounded("itof", rounding, Rounding::NearestEven),
        Conversion::FloatToInteger(rounding) => rounded("ftoi", rounding, Rounding::TowardZero),
        Conversion::FloatToFloat { rounding, saturate } => {
            let name = if saturate { "ftof.saturate" } else { "ftof" };
            rounded(name, rounding, Rounding::NearestEven)
        }
        Conversion::Space => "space".into(),
        Conversion::PointerToInteger => "ptrtoint".into(),
        Conversion::IntegerToPointer => "inttoptr".into(),
        Conversion::SharedOffset => "sharedoffset".into(),
        Conversion::SharedPointer => "sharedptr".into(),
    }
}
