//! TOML → [`Spec`]. Checks fields, forms and names; evaluates nothing.

use std::path::PathBuf;

use port_diag::{Diagnostic, FileId, Finding, SourceMap, Span};
use toml::Spanned;
use toml::de::{DeArray, DeString, DeTable, DeValue};

use super::{ArgumentSpec, BufferSpec, Init, Integer, LaunchSpec, Located, ParameterSet, Spec};
use crate::expression::Expression;
use crate::findings::{
    SpecBadExpression, SpecBadValue, SpecDuplicateName, SpecMissingField, SpecNotToml,
    SpecUnknownField, SpecUnknownName,
};
use crate::tensor::DType;

/// Deepest nesting of struct arguments.
const STRUCT_DEPTH: u32 = 8;

pub(super) fn read(sources: &SourceMap, file: FileId) -> Result<Spec, Vec<Diagnostic>> {
    let source = sources.file(file);
    let mut reader = Reader { file, diagnostics: Vec::new() };
    let (table, errors) = DeTable::parse_recoverable(&source.text);
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        let reason = error.message().trim().replace('\n', ", ");
        reader.report(span, &SpecNotToml { reason });
    }
    if !reader.diagnostics.is_empty() {
        return Err(reader.diagnostics);
    }
    let mut spec = reader.spec(&table);
    spec.directory =
        std::path::Path::new(&*source.path).parent().map(PathBuf::from).unwrap_or_default();
    if reader.diagnostics.is_empty() {
        Ok(spec)
    } else {
        reader.diagnostics.sort_by_key(|d| d.primary.as_ref().map(|label| label.span.start));
        Err(reader.diagnostics)
    }
}

/// The forms of `init`, for messages.
const INIT_FORMS: &str =
    "zeros, ones, full(v), iota, uniform(a, b), normal(m, s), ints(a, b) or file \"x.npy\"";

/// Reads the text of an `init` that stands at a place of a file of its own.
pub(crate) fn init_at(text: &str, span: Span) -> Result<Init, Vec<Diagnostic>> {
    let mut reader = Reader { file: span.file, diagnostics: Vec::new() };
    let init = reader.init_text(text, span.range());
    init.ok_or(reader.diagnostics)
}

struct Reader {
    file: FileId,
    diagnostics: Vec<Diagnostic>,
}

type Value<'text> = Spanned<DeValue<'text>>;

/// The entries of a table in the order of the text.
fn in_order<'table, 'text>(
    table: &'table DeTable<'text>,
) -> Vec<(&'table Spanned<DeString<'text>>, &'table Value<'text>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

fn integer_of(value: &DeValue<'_>) -> Option<i64> {
    let integer = value.as_integer()?;
    i64::from_str_radix(&integer.as_str().replace('_', ""), integer.radix()).ok()
}

fn real_of(value: &DeValue<'_>) -> Option<f64> {
    match value {
        DeValue::Integer(_) => integer_of(value).map(|v| v as f64),
        DeValue::Float(float) => float.as_str().replace('_', "").parse().ok(),
        DeValue::Boolean(value) => Some(f64::from(u8::from(*value))),
        _ => None,
    }
}

impl Reader {
    fn span(&self, range: std::ops::Range<usize>) -> Span {
        Span::new(self.file, range.start as u32, range.end.max(range.start) as u32)
    }

    fn report(&mut self, range: std::ops::Range<usize>, finding: &impl Finding) {
        let span = self.span(range);
        self.diagnostics.push(finding.at_span(span));
    }

    fn bad(&mut self, range: std::ops::Range<usize>, what: &str, expected: &str) {
        self.report(range, &SpecBadValue { what: what.into(), expected: expected.into() });
    }

    fn spec(&mut self, table: &Spanned<DeTable<'_>>) -> Spec {
        let mut spec = Spec {
            directory: PathBuf::new(),
            integers: Vec::new(),
            rule: None,
            feedback: Vec::new(),
            buffers: Vec::new(),
            symbols: Vec::new(),
            launches: Vec::new(),
            sweep: Vec::new(),
        };
        let root = table.get_ref();
        let known = ["ints", "rule", "feedback", "buffers", "symbols", "launch", "sweep"];
        self.only_known("a spec", root, &known);
        if let Some(value) = root.get("ints") {
            spec.integers = self.integers(value);
        }
        if let Some(value) = root.get("rule") {
            match value.get_ref().as_str() {
                Some(rule) => spec.rule = Some(rule.to_string()),
                None => self.bad(value.span(), "`rule`", "a string"),
            }
        }
        for (key, target) in [("buffers", &mut spec.buffers), ("symbols", &mut spec.symbols)] {
            let Some(value) = root.get(key) else { continue };
            match value.get_ref().as_table() {
                Some(table) => {
                    for (name, value) in in_order(table) {
                        if let Some(buffer) = self.buffer(name, value, key == "symbols") {
                            target.push(buffer);
                        }
                    }
                }
                None => self.bad(value.span(), &format!("`{key}`"), "a table"),
            }
        }
        self.report_duplicates(&spec);
        for (name, value) in self.named(root, "feedback") {
            let target = value.get_ref().as_str().unwrap_or_default().to_string();
            for (name, span) in
                [(name.get_ref().to_string(), name.span()), (target.clone(), value.span())]
            {
                if !spec.buffers.iter().any(|buffer| buffer.name == name) {
                    self.report(span, &SpecUnknownName { kind: "buffer".into(), name });
                }
            }
            spec.feedback.push((name.get_ref().to_string(), target));
        }
        for (table, span) in self.tables(root, "launch") {
            if let Some(launch) = self.launch(table, span, &spec.buffers) {
                spec.launches.push(launch);
            }
        }
        for (table, _) in self.tables(root, "sweep") {
            let set = self.parameter_set(table, &spec.integers);
            spec.sweep.push(set);
        }
        spec
    }

    fn report_duplicates(&mut self, spec: &Spec) {
        let integers = spec.integers.iter().map(|integer| (&integer.name, integer.value.span));
        let buffers = spec.buffers.iter().chain(&spec.symbols);
        let named = integers.chain(buffers.map(|buffer| (&buffer.name, buffer.span)));
        let mut seen = Vec::new();
        for (name, span) in named {
            if seen.contains(&name) {
                let finding = SpecDuplicateName { name: name.clone() };
                self.diagnostics.push(finding.at_span(span));
            }
            seen.push(name);
        }
    }

    fn only_known(&mut self, place: &str, table: &DeTable<'_>, known: &[&str]) {
        for (name, _) in in_order(table) {
            if !known.contains(&name.get_ref().as_ref()) {
                let finding = SpecUnknownField {
                    place: place.into(),
                    field: name.get_ref().to_string(),
                    known: known.join(", "),
                };
                self.report(name.span(), &finding);
            }
        }
    }

    /// The entries of an optional table.
    fn named<'table, 'text>(
        &mut self,
        root: &'table DeTable<'text>,
        key: &str,
    ) -> Vec<(&'table Spanned<DeString<'text>>, &'table Value<'text>)> {
        let Some(value) = root.get(key) else { return Vec::new() };
        match value.get_ref().as_table() {
            Some(table) => in_order(table),
            None => {
                self.bad(value.span(), &format!("`{key}`"), "a table");
                Vec::new()
            }
        }
    }

    /// The tables of an optional `[[key]]`.
    fn tables<'table, 'text>(
        &mut self,
        root: &'table DeTable<'text>,
        key: &str,
    ) -> Vec<(&'table DeTable<'text>, std::ops::Range<usize>)> {
        let Some(value) = root.get(key) else { return Vec::new() };
        let mut tables = Vec::new();
        for item in value.get_ref().as_array().into_iter().flat_map(|array| array.iter()) {
            match item.get_ref().as_table() {
                Some(table) => tables.push((table, item.span())),
                None => self.bad(item.span(), &format!("`{key}`"), &format!("tables: [[{key}]]")),
            }
        }
        if value.get_ref().as_array().is_none() {
            self.bad(value.span(), &format!("`{key}`"), &format!("tables: [[{key}]]"));
        }
        tables
    }

    fn integers(&mut self, value: &Value<'_>) -> Vec<Integer> {
        let expected = "an array of [name, expression] pairs";
        let mut integers: Vec<Integer> = Vec::new();
        let Some(array) = value.get_ref().as_array() else {
            self.bad(value.span(), "`ints`", expected);
            return integers;
        };
        for item in array.iter() {
            let pair: Option<&DeArray<'_>> = item.get_ref().as_array();
            let parts: Vec<&Value<'_>> = pair.into_iter().flat_map(|pair| pair.iter()).collect();
            let [name, value] = parts[..] else {
                self.bad(item.span(), "`ints`", expected);
                continue;
            };
            let Some(name) = name.get_ref().as_str() else {
                self.bad(name.span(), "a name", "a string");
                continue;
            };
            if !is_identifier(name) {
                self.bad(item.span(), "a name", "an identifier");
                continue;
            }
            if let Some(value) = self.expression(value, "an integer") {
                integers.push(Integer { name: name.to_string(), value });
            }
        }
        integers
    }

    /// An integer, a real, or a string that holds an expression.
    fn expression(&mut self, value: &Value<'_>, what: &str) -> Option<Located> {
        let located = |expression, text: String, span| Some(Located { expression, text, span });
        let span = self.span(value.span());
        match value.get_ref() {
            DeValue::Integer(_) => match integer_of(value.get_ref()) {
                Some(v) => located(Expression::integer(v), v.to_string(), span),
                None => {
                    self.bad(value.span(), what, "an integer of 64 bits");
                    None
                }
            },
            DeValue::Float(_) => {
                let v = real_of(value.get_ref())?;
                located(Expression::real(v), v.to_string(), span)
            }
            DeValue::String(text) => self.expression_text(text, value.span()),
            _ => {
                self.bad(value.span(), what, "a number or an expression in a string");
                None
            }
        }
    }

    fn expression_text(&mut self, text: &str, range: std::ops::Range<usize>) -> Option<Located> {
        match Expression::parse(text) {
            Ok(expression) => {
                Some(Located { expression, text: text.to_string(), span: self.span(range) })
            }
            Err(error) => {
                let finding = SpecBadExpression { expression: text.into(), reason: error.0 };
                self.report(range, &finding);
                None
            }
        }
    }

    fn extents(&mut self, value: &Value<'_>, what: &str) -> Vec<Located> {
        match value.get_ref() {
            DeValue::Array(array) => {
                array.iter().filter_map(|item| self.expression(item, what)).collect()
            }
            DeValue::Integer(_) | DeValue::String(_) => {
                self.expression(value, what).into_iter().collect()
            }
            _ => {
                self.bad(value.span(), what, "an array of integers and expressions");
                Vec::new()
            }
        }
    }

    fn buffer(
        &mut self,
        name: &Spanned<DeString<'_>>,
        value: &Value<'_>,
        symbol: bool,
    ) -> Option<BufferSpec> {
        let kind = if symbol { "symbol" } else { "buffer" };
        let place = format!("{kind} `{}`", name.get_ref());
        let parts: Vec<&str> = name.get_ref().split("::").collect();
        if !parts.iter().all(|part| is_identifier(part)) || (!symbol && parts.len() > 1) {
            self.bad(name.span(), &format!("the name of {place}"), "an identifier");
            return None;
        }
        let Some(table) = value.get_ref().as_table() else {
            self.bad(value.span(), &place, "a table: { dtype = …, shape = […], init = … }");
            return None;
        };
        self.only_known(&place, table, &["dtype", "shape", "init", "values", "seed", "out"]);
        let dtype = match table.get("dtype") {
            None => {
                self.report(name.span(), &SpecMissingField { place, field: "dtype".into() });
                return None;
            }
            Some(value) => match value.get_ref().as_str().and_then(DType::from_name) {
                Some(dtype) => dtype,
                None => {
                    let names: Vec<_> = DType::ALL.iter().map(|dtype| dtype.name()).collect();
                    self.bad(value.span(), "`dtype`", &format!("one of {}", names.join(", ")));
                    return None;
                }
            },
        };
        let seed = match table.get("seed").map(|value| (integer_of(value.get_ref()), value.span()))
        {
            None => 0,
            Some((Some(seed), _)) => seed as u64,
            Some((None, span)) => {
                self.bad(span, "`seed`", "an integer");
                0
            }
        };
        let output = match table.get("out").map(|value| (value.get_ref().as_bool(), value.span())) {
            None => false,
            Some((Some(output), _)) => output,
            Some((None, span)) => {
                self.bad(span, "`out`", "true or false");
                false
            }
        };
        let mut shape = match table.get("shape") {
            Some(value) => self.extents(value, "an extent"),
            None => Vec::new(),
        };
        let init = match (table.get("init"), table.get("values")) {
            (Some(value), Some(_)) => {
                self.bad(value.span(), &place, "filled by `init` or by `values`, not by both");
                return None;
            }
            (Some(value), None) => self.init(value)?,
            (None, Some(value)) => self.values(value)?,
            (None, None) => {
                self.report(name.span(), &SpecMissingField { place, field: "init".into() });
                return None;
            }
        };
        if table.get("shape").is_none() {
            match &init {
                Init::Values(values) => shape.push(Located {
                    expression: Expression::integer(values.len() as i64),
                    text: values.len().to_string(),
                    span: self.span(value.span()),
                }),
                // A symbol without a shape is a scalar.
                _ if symbol => {}
                _ => {
                    self.report(name.span(), &SpecMissingField { place, field: "shape".into() });
                    return None;
                }
            }
        }
        let span = self.span(value.span());
        Some(BufferSpec {
            name: name.get_ref().to_string(),
            dtype,
            shape,
            init,
            seed,
            output,
            span,
        })
    }

    fn values(&mut self, value: &Value<'_>) -> Option<Init> {
        let mut values = Vec::new();
        let Some(array) = value.get_ref().as_array() else {
            self.bad(value.span(), "`values`", "an array of numbers");
            return None;
        };
        for item in array.iter() {
            match real_of(item.get_ref()) {
                Some(value) => values.push(value),
                None => {
                    self.bad(item.span(), "a value", "a number");
                    return None;
                }
            }
        }
        Some(Init::Values(values))
    }

    fn init(&mut self, value: &Value<'_>) -> Option<Init> {
        let Some(text) = value.get_ref().as_str() else {
            self.bad(value.span(), "`init`", INIT_FORMS);
            return None;
        };
        self.init_text(text, value.span())
    }

    fn init_text(&mut self, text: &str, range: std::ops::Range<usize>) -> Option<Init> {
        let text = text.trim();
        if let Some(path) = text.strip_prefix("file") {
            let path = path.trim().trim_start_matches('(').trim_end_matches(')');
            let path = path.trim().trim_matches(['"', '\'']).to_string();
            return Some(Init::File { path, span: self.span(range) });
        }
        let (name, rest) = match text.split_once('(') {
            Some((name, rest)) => (name.trim(), rest.strip_suffix(')')),
            None => (text, Some("")),
        };
        let mut arguments = Vec::new();
        for argument in split_arguments(rest.unwrap_or_default()) {
            arguments.push(self.expression_text(argument, range.clone())?);
        }
        let mut arguments = arguments.into_iter();
        let init = match (name, rest.is_some(), arguments.len()) {
            ("zeros" | "ones", true, 0) => {
                let one = i64::from(name == "ones");
                Init::Full(Located {
                    expression: Expression::integer(one),
                    text: one.to_string(),
                    span: self.span(range.clone()),
                })
            }
            ("iota", true, 0) => Init::Iota,
            ("full", true, 1) => Init::Full(arguments.next()?),
            ("uniform", true, 2) => Init::Uniform(arguments.next()?, arguments.next()?),
            ("normal", true, 2) => Init::Normal(arguments.next()?, arguments.next()?),
            ("ints", true, 2) => Init::Integers(arguments.next()?, arguments.next()?),
            _ => {
                self.bad(range.clone(), "`init`", INIT_FORMS);
                return None;
            }
        };
        Some(init)
    }

    fn launch(
        &mut self,
        table: &DeTable<'_>,
        range: std::ops::Range<usize>,
        buffers: &[BufferSpec],
    ) -> Option<LaunchSpec> {
        self.only_known("a launch", table, &["kernel", "grid", "block", "shared", "args"]);
        let mut missing = false;
        for field in ["kernel", "grid", "block", "args"] {
            if table.get(field).is_none() {
                let place = "a launch".into();
                self.report(range.clone(), &SpecMissingField { place, field: field.into() });
                missing = true;
            }
        }
        if missing {
            return None;
        }
        let kernel = table.get("kernel")?;
        let Some(kernel) = kernel.get_ref().as_str() else {
            self.bad(kernel.span(), "`kernel`", "a string");
            return None;
        };
        let mut dimensions = Vec::new();
        for field in ["grid", "block"] {
            let value = table.get(field)?;
            let extents = self.extents(value, &format!("`{field}`"));
            if extents.is_empty() || extents.len() > 3 {
                self.bad(value.span(), &format!("`{field}`"), "one to three extents");
            }
            dimensions.push(extents);
        }
        let block = dimensions.pop()?;
        let grid = dimensions.pop()?;
        let shared = match table.get("shared") {
            Some(value) => self.expression(value, "`shared`")?,
            None => Located {
                expression: Expression::integer(0),
                text: "0".into(),
                span: self.span(range.clone()),
            },
        };
        let value = table.get("args")?;
        let Some(array) = value.get_ref().as_array() else {
            self.bad(value.span(), "`args`", "an array");
            return None;
        };
        let mut arguments = Vec::new();
        for item in array.iter() {
            arguments.push(self.argument(item, buffers, 0)?);
        }
        let span = self.span(range);
        Some(LaunchSpec { kernel: kernel.to_string(), grid, block, shared, arguments, span })
    }

    fn argument(
        &mut self,
        value: &Value<'_>,
        buffers: &[BufferSpec],
        depth: u32,
    ) -> Option<ArgumentSpec> {
        if depth > STRUCT_DEPTH {
            self.bad(value.span(), "an argument", "nested less deeply");
            return None;
        }
        let find = |name: &str| buffers.iter().position(|buffer| buffer.name == name);
        match value.get_ref() {
            DeValue::Boolean(value) => Some(ArgumentSpec::Bool(*value)),
            DeValue::Table(table) => {
                let mut fields = Vec::new();
                for (name, value) in in_order(table) {
                    let argument = self.argument(value, buffers, depth + 1)?;
                    fields.push((name.get_ref().to_string(), argument));
                }
                Some(ArgumentSpec::Struct(fields))
            }
            DeValue::String(text) => {
                let text = text.trim();
                if text == "null" {
                    return Some(ArgumentSpec::Null);
                }
                if let Some(index) = find(text) {
                    return Some(ArgumentSpec::Buffer(index, None));
                }
                if let Some(rest) = text.strip_prefix('&') {
                    let (name, offset) = match rest.split_once('[') {
                        Some((name, offset)) => (name.trim(), offset.trim_end().strip_suffix(']')),
                        None => (rest.trim(), None),
                    };
                    let Some(index) = find(name) else {
                        let finding =
                            SpecUnknownName { kind: "buffer".into(), name: name.to_string() };
                        self.report(value.span(), &finding);
                        return None;
                    };
                    let Some(offset) = offset else {
                        self.bad(value.span(), "a pointer into a buffer", "`&buffer[expression]`");
                        return None;
                    };
                    let offset = self.expression_text(offset, value.span())?;
                    return Some(ArgumentSpec::Buffer(index, Some(offset)));
                }
                self.expression_text(text, value.span()).map(ArgumentSpec::Value)
            }
            _ => self.expression(value, "an argument").map(ArgumentSpec::Value),
        }
    }

    fn parameter_set(&mut self, table: &DeTable<'_>, integers: &[Integer]) -> ParameterSet {
        let mut set = ParameterSet::default();
        for (name, value) in in_order(table) {
            let text = name.get_ref().to_string();
            if !integers.iter().any(|integer| integer.name == text) {
                let finding = SpecUnknownName { kind: "integer".into(), name: text };
                self.report(name.span(), &finding);
                continue;
            }
            match integer_of(value.get_ref()) {
                Some(value) => set.values.push((text, value)),
                None => self.bad(value.span(), "a sweep's value", "an integer"),
            }
        }
        set
    }
}

pub(crate) fn is_identifier(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The arguments of `f(a, g(b, c))`, split at the commas outside parentheses.
pub(crate) fn split_arguments(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0usize, 0);
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    if !text.trim().is_empty() {
        parts.push(&text[start..]);
    }
    parts
}
