//! A launch given on a command line, as a spec: `--arg n=100 --arg 'x=uniform(0,1):f32[n]'`. Reads
//! values for the parameters of a kernel; runs nothing.
//!
//! A value is a number as C++ writes it (`5`, `0x10u`, `-1.5e-3f`, `0x1.8p-3`, `inf`, `nan`, `true`), a
//! buffer `init:dtype[shape]` (the forms of `init` are those of a spec, and `values(1, 2, 3)`; without
//! `dtype`, what the parameter points to), `&name[i]` (a pointer into another argument's buffer),
//! `null`, or `{field=value, …}` for a struct. Shapes and grids are expressions over the arguments that
//! are integers.

use port_diag::{Diagnostic, Finding as _, SourceMap, Span};

use crate::expression::Expression;
use crate::findings::{SpecBadExpression, SpecBadValue, SpecUnknownName};
use crate::spec::read::{init_at, is_identifier, split_arguments};
use crate::spec::{ArgumentSpec, BufferSpec, Init, Integer, LaunchSpec, Located, Spec};
use crate::tensor::DType;

/// Deepest nesting of struct values.
const DEPTH: u32 = 8;

/// A launch as flags give it.
#[derive(Clone, Debug, Default)]
pub struct InlineLaunch {
    /// The kernel's name or instance.
    pub kernel: String,
    /// `64`, `64,2` or `64x2`; expressions over integer arguments.
    pub grid: String,
    /// As `grid`.
    pub block: String,
    /// Bytes of dynamic shared memory, an expression; empty for none.
    pub shared: String,
    /// (name, value), in the order given.
    pub arguments: Vec<(String, String)>,
    /// `__constant__` and `__device__` variables: (name, buffer).
    pub symbols: Vec<(String, String)>,
}

/// What is to be known of a parameter to read its value.
#[derive(Clone, Debug)]
pub struct InlineParameter {
    /// Its name; where it has none, its number from 1 is.
    pub name: String,
    /// Whether it is a pointer.
    pub pointer: bool,
    /// Element type of what it points to, if that is one.
    pub dtype: Option<DType>,
    /// Whether the kernel only reads through it.
    pub read_only: bool,
}

/// Why there is no spec.
#[derive(Clone, Debug)]
pub enum InlineError {
    /// The arguments do not fit the parameters: one clause.
    Mismatch(String),
    /// A value cannot be read.
    Bad(Vec<Diagnostic>),
}

/// The spec of a launch. Values are added to the sources, so that findings show them.
pub fn spec(
    sources: &mut SourceMap,
    launch: &InlineLaunch,
    parameters: &[InlineParameter],
) -> Result<Spec, InlineError> {
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in &launch.arguments {
        if names.contains(&name.as_str()) {
            return Err(InlineError::Mismatch(format!("`{name}` is given twice")));
        }
        if !parameters.iter().any(|parameter| parameter.name == *name) {
            return Err(InlineError::Mismatch(format!("there is no parameter `{name}`")));
        }
        names.push(name);
    }
    let missing: Vec<String> = parameters
        .iter()
        .filter(|parameter| !names.contains(&parameter.name.as_str()))
        .map(|parameter| format!("`{}`", parameter.name))
        .collect();
    if !missing.is_empty() {
        let (noun, verb) =
            if missing.len() == 1 { ("argument", "is") } else { ("arguments", "are") };
        let missing = missing.join(", ");
        return Err(InlineError::Mismatch(format!("{noun} {missing} {verb} missing")));
    }

    let mut reader = Reader { sources, diagnostics: Vec::new(), buffers: Vec::new() };
    let value_of = |name: &str| {
        launch.arguments.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    };
    let mut integers = Vec::new();
    for parameter in parameters.iter().filter(|parameter| !parameter.pointer) {
        let Some(text) = value_of(&parameter.name) else { continue };
        if let Some(Number::Integer(value)) = number(text)
            && is_identifier(&parameter.name)
        {
            let span = reader.place(&format!("--arg {}", parameter.name), text);
            let expression = Expression::integer(value);
            let value = Located { expression, text: text.to_owned(), span };
            integers.push(Integer { name: parameter.name.clone(), value });
        }
    }
    // Pointers into buffers need those to be known.
    let buffers = parameters.iter().enumerate().filter(|(_, parameter)| parameter.pointer);
    for (index, parameter) in buffers {
        let text = value_of(&parameter.name).unwrap_or_default().trim();
        if !is_buffer(text) {
            continue;
        }
        let flag = format!("--arg {}", parameter.name);
        let seed = index as u64 + 1;
        if let Some(mut buffer) = reader.buffer(&flag, &parameter.name, text, parameter.dtype, seed)
        {
            // Bytes may be given for anything, and anything for words; a float is meant as one.
            if let Some(known) = parameter.dtype.filter(|known| {
                known.is_float() && buffer.dtype.size() != known.size() && buffer.dtype.size() > 1
            }) {
                let (name, known, given) = (&parameter.name, known.name(), buffer.dtype.name());
                let problem = format!("`{name}` points to {known}, the buffer holds {given}");
                return Err(InlineError::Mismatch(problem));
            }
            buffer.output = !parameter.read_only;
            reader.buffers.push(buffer);
        }
    }
    let mut arguments = Vec::new();
    for parameter in parameters {
        let text = value_of(&parameter.name).unwrap_or_default();
        let span = reader.place(&format!("--arg {}", parameter.name), text);
        arguments.extend(reader.argument(parameter, text.trim(), span, 0));
    }
    let mut symbols = Vec::new();
    for (index, (name, text)) in launch.symbols.iter().enumerate() {
        let flag = format!("--symbol {name}");
        if let Some(mut symbol) = reader.buffer(&flag, name, text, None, 1000 + index as u64) {
            symbol.output = true;
            symbols.push(symbol);
        }
    }
    let grid = reader.extents("--grid", &launch.grid);
    let block = reader.extents("--block", &launch.block);
    let shared = match launch.shared.trim() {
        "" => "0",
        text => text,
    };
    let span = reader.place("--shared", shared);
    let shared = reader.expression(shared, span);
    let span = reader.place("--kernel", &launch.kernel);
    if !reader.diagnostics.is_empty() {
        return Err(InlineError::Bad(reader.diagnostics));
    }
    let Some(shared) = shared else { return Err(InlineError::Bad(reader.diagnostics)) };
    let kernel = launch.kernel.clone();
    let launch = LaunchSpec { kernel, grid, block, shared, arguments, span };
    Ok(Spec {
        directory: std::path::PathBuf::new(),
        integers,
        rule: None,
        feedback: Vec::new(),
        buffers: reader.buffers,
        symbols,
        launches: vec![launch],
        sweep: Vec::new(),
    })
}

/// A number as C++ writes it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// An integer; those of 64 unsigned bits wrap.
    Integer(i64),
    /// A real. With the suffix `f` it was rounded to `float` at once.
    Real(f64),
}

/// Reads a literal, `None` where the text is something else.
pub fn number(text: &str) -> Option<Number> {
    let text = text.trim();
    let (negative, body) = match text.as_bytes().first()? {
        b'-' => (true, text[1..].trim_start()),
        b'+' => (false, text[1..].trim_start()),
        _ => (false, text),
    };
    let signed = |value: f64| Some(Number::Real(if negative { -value } else { value }));
    match body.to_ascii_lowercase().as_str() {
        "true" if !negative => return Some(Number::Integer(1)),
        "false" if !negative => return Some(Number::Integer(0)),
        "inf" | "infinity" | "inff" => return signed(f64::INFINITY),
        "nan" | "nanf" => return signed(f64::NAN),
        _ => {}
    }
    let lower = body.to_ascii_lowercase();
    if let Some(hex) = lower.strip_prefix("0x") {
        if hex.contains('p') {
            return signed(hex_float(hex)?);
        }
        return integer(hex, 16, negative);
    }
    if !lower.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    let is_real = lower.contains(['.', 'e']) || lower.ends_with('f');
    if !is_real {
        return integer(&lower, 10, negative);
    }
    // Rust reads a superset of C's decimal reals; the first character rules out its words.
    match lower.strip_suffix('f') {
        Some(digits) => signed(f64::from(digits.parse::<f32>().ok()?)),
        None => signed(lower.strip_suffix('l').unwrap_or(&lower).parse::<f64>().ok()?),
    }
}

fn integer(digits: &str, radix: u32, negative: bool) -> Option<Number> {
    let digits = digits.trim_end_matches(['u', 'l']).replace(['\'', '_'], "");
    if !digits.starts_with(|c: char| c.is_ascii_hexdigit()) {
        return None;
    }
    let value = u64::from_str_radix(&digits, radix).ok()?;
    let value = value as i64;
    Some(Number::Integer(if negative { value.wrapping_neg() } else { value }))
}

/// `1.8p-3` after `0x`, exact up to 60 bits.
fn hex_float(text: &str) -> Option<f64> {
    let text = text.strip_suffix(['f', 'l']).unwrap_or(text);
    let (digits, exponent) = text.split_once('p')?;
    let exponent: i32 = exponent.parse().ok()?;
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all = format!("{whole}{fraction}");
    if all.is_empty() || all.len() > 15 {
        return None;
    }
    let mantissa = u64::from_str_radix(&all, 16).ok()?;
    let exponent = exponent.checked_sub(4 * fraction.len() as i32)?;
    // In two steps, so that neither power leaves the range while the product is inside.
    let half = exponent / 2;
    Some(mantissa as f64 * 2f64.powi(half) * 2f64.powi(exponent - half))
}

/// Whether a pointer's value makes a buffer.
fn is_buffer(text: &str) -> bool {
    !text.starts_with('&') && !matches!(text, "null" | "nullptr") && number(text).is_none()
}

struct Reader<'s> {
    sources: &'s mut SourceMap,
    diagnostics: Vec<Diagnostic>,
    buffers: Vec<BufferSpec>,
}

impl Reader<'_> {
    /// A place for a flag's value: a file of its own.
    fn place(&mut self, flag: &str, text: &str) -> Span {
        let file = self.sources.add(flag, text);
        Span::new(file, 0, u32::try_from(text.len()).unwrap_or(u32::MAX))
    }

    fn bad(&mut self, span: Span, what: &str, expected: &str) {
        let finding = SpecBadValue { what: what.into(), expected: expected.into() };
        self.diagnostics.push(finding.at_span(span));
    }

    fn expression(&mut self, text: &str, span: Span) -> Option<Located> {
        match Expression::parse(text) {
            Ok(expression) => Some(Located { expression, text: text.trim().to_owned(), span }),
            Err(error) => {
                let finding = SpecBadExpression { expression: text.into(), reason: error.0 };
                self.diagnostics.push(finding.at_span(span));
                None
            }
        }
    }

    fn extents(&mut self, flag: &str, text: &str) -> Vec<Located> {
        let span = self.place(flag, text);
        // `64x2`, as profilers write it.
        let plain = text.chars().all(|c| c.is_ascii_digit() || c == 'x');
        let parts: Vec<&str> =
            if plain { text.split('x').collect() } else { split_arguments(text) };
        if parts.is_empty() || parts.len() > 3 {
            self.bad(span, &format!("`{flag}`"), "one to three extents: 64, 64,2 or 64x2x1");
            return Vec::new();
        }
        parts.into_iter().filter_map(|part| self.expression(part, span)).collect()
    }

    /// `init:dtype[shape]`.
    fn buffer(
        &mut self,
        flag: &str,
        name: &str,
        text: &str,
        known: Option<DType>,
        seed: u64,
    ) -> Option<BufferSpec> {
        let form = "init:dtype[shape], such as uniform(0,1):f32[100]";
        let span = self.place(flag, text);
        let mut rest = text.trim();
        let mut shape = None;
        if let Some(before) = rest.strip_suffix(']')
            && let Some(open) = before.rfind('[')
        {
            let mut extents = Vec::new();
            for part in split_arguments(&before[open + 1..]) {
                extents.push(self.expression(part, span)?);
            }
            shape = Some(extents);
            rest = before[..open].trim_end();
        }
        let mut dtype = known;
        if let Some((init, name)) = rest.rsplit_once(':') {
            match DType::from_name(name.trim()) {
                Some(found) => {
                    dtype = Some(found);
                    rest = init.trim_end();
                }
                // A colon in the name of a file is none of ours.
                None if rest.starts_with("file") => rest = rest.trim_end_matches(':'),
                None => {
                    let names: Vec<&str> = DType::ALL.iter().map(|dtype| dtype.name()).collect();
                    self.bad(
                        span,
                        "the dtype of a buffer",
                        &format!("one of {}", names.join(", ")),
                    );
                    return None;
                }
            }
        }
        let Some(dtype) = dtype else {
            self.bad(span, &format!("`{name}`"), form);
            return None;
        };
        let init = match rest.strip_prefix("values(").and_then(|rest| rest.strip_suffix(')')) {
            Some(list) => {
                let numbers = split_arguments(list).into_iter().map(|part| match number(part)? {
                    Number::Integer(value) => Some(value as f64),
                    Number::Real(value) => Some(value),
                });
                match numbers.collect::<Option<Vec<f64>>>() {
                    Some(values) => Init::Values(values),
                    None => {
                        self.bad(span, "values(…)", "numbers with commas");
                        return None;
                    }
                }
            }
            None => match init_at(rest, span) {
                Ok(init) => init,
                Err(findings) => {
                    self.diagnostics.extend(findings);
                    return None;
                }
            },
        };
        let shape = match (shape, &init) {
            (Some(shape), _) => shape,
            (None, Init::Values(values)) => {
                let expression = Expression::integer(values.len() as i64);
                vec![Located { expression, text: values.len().to_string(), span }]
            }
            (None, _) => {
                self.bad(span, &format!("`{name}`"), form);
                return None;
            }
        };
        let name = name.to_owned();
        Some(BufferSpec { name, dtype, shape, init, seed, output: false, span })
    }

    fn argument(
        &mut self,
        parameter: &InlineParameter,
        text: &str,
        span: Span,
        depth: u32,
    ) -> Option<ArgumentSpec> {
        if depth > DEPTH {
            self.bad(span, "a value", "nested less deeply");
            return None;
        }
        if matches!(text, "null" | "nullptr") {
            return Some(ArgumentSpec::Null);
        }
        let find = |reader: &Self, name: &str| {
            reader.buffers.iter().position(|buffer| buffer.name == name)
        };
        if let Some(rest) = text.strip_prefix('&') {
            let (name, offset) = match rest.split_once('[') {
                Some((name, offset)) => (name.trim(), offset.trim_end().strip_suffix(']')),
                None => (rest.trim(), Some("0")),
            };
            let Some(index) = find(self, name) else {
                let finding = SpecUnknownName { kind: "buffer".into(), name: name.into() };
                self.diagnostics.push(finding.at_span(span));
                return None;
            };
            let Some(offset) = offset else {
                self.bad(span, "a pointer into a buffer", "`&buffer[expression]`");
                return None;
            };
            let offset = self.expression(offset, span)?;
            return Some(ArgumentSpec::Buffer(index, Some(offset)));
        }
        if parameter.pointer && is_buffer(text) {
            // Already read; a buffer that could not be has its finding.
            return find(self, &parameter.name).map(|index| ArgumentSpec::Buffer(index, None));
        }
        if let Some(inner) = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            let mut fields = Vec::new();
            for field in split_fields(inner) {
                let Some((name, value)) = field.split_once('=') else {
                    self.bad(span, "a field", "name=value");
                    return None;
                };
                let (name, value) = (name.trim().to_owned(), value.trim());
                // A field may be a buffer that is another parameter's, by name.
                if let Some(index) = find(self, value) {
                    fields.push((name, ArgumentSpec::Buffer(index, None)));
                    continue;
                }
                let field = InlineParameter {
                    name: name.clone(),
                    pointer: false,
                    dtype: None,
                    read_only: true,
                };
                fields.push((name, self.argument(&field, value, span, depth + 1)?));
            }
            return Some(ArgumentSpec::Struct(fields));
        }
        if let Some(number) = number(text) {
            let expression = match number {
                Number::Integer(value) => Expression::integer(value),
                Number::Real(value) => Expression::real(value),
            };
            let text = text.to_owned();
            return Some(ArgumentSpec::Value(Located { expression, text, span }));
        }
        if text.contains(['[', ':']) {
            let what = format!("`{}`", parameter.name);
            self.bad(span, &what, "a number: the parameter is no pointer");
            return None;
        }
        self.expression(text, span).map(ArgumentSpec::Value)
    }
}

/// The fields of `a=1, b={c=2, d=3}`, split at the commas outside braces.
fn split_fields(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0usize, 0);
    for (at, c) in text.char_indices() {
        match c {
            '{' | '(' => depth += 1,
            '}' | ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    if !text[start..].trim().is_empty() {
        parts.push(&text[start..]);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{Argument, ParameterSet};

    fn parameter(name: &str, dtype: Option<DType>) -> InlineParameter {
        let pointer = dtype.is_some();
        InlineParameter { name: name.into(), pointer, dtype, read_only: false }
    }

    fn launch(arguments: &[(&str, &str)]) -> InlineLaunch {
        InlineLaunch {
            kernel: "k".into(),
            grid: "ceil_div(n, 32)".into(),
            block: "32".into(),
            arguments: arguments.iter().map(|(n, v)| (n.to_string(), v.to_string())).collect(),
            ..InlineLaunch::default()
        }
    }

    #[test]
    fn numbers_are_those_of_cpp() {
        let real = |text: &str| match number(text) {
            Some(Number::Real(value)) => value,
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(real("+1.5983E-42f"), f64::from(1.5983e-42f32));
        assert_eq!(real("-0.1f"), f64::from(-0.1f32));
        assert_eq!(real("0.1"), 0.1);
        assert_eq!(real("1.L"), 1.0);
        assert_eq!(real(".5"), 0.5);
        assert_eq!(real("1e5"), 1e5);
        assert_eq!(real("0x1.8p1f"), 3.0);
        assert_eq!(real("-0x1p-1074"), -f64::from_bits(1));
        assert!(real("-0.0").is_sign_negative() && real("-0.0f").is_sign_negative());
        assert!(real("nan").is_nan() && real("-inf") == f64::NEG_INFINITY);
        for (text, value) in [("5", 5), ("-7", -7), ("+3u", 3), ("0x1f", 31), ("12ULL", 12)] {
            assert_eq!(number(text), Some(Number::Integer(value)), "{text}");
        }
        assert_eq!(number("18446744073709551615u"), Some(Number::Integer(-1)));
        assert_eq!(number("-9223372036854775808"), Some(Number::Integer(i64::MIN)));
        assert_eq!(number("true"), Some(Number::Integer(1)));
        for text in ["", "-", "f", "n", "1e", "0x", "1.2.3", "99999999999999999999", "--1", "é"] {
            assert_eq!(number(text), None, "{text}");
        }
    }

    #[test]
    fn a_launch_is_read_against_its_parameters() {
        let parameters = [
            parameter("x", Some(DType::F32)),
            parameter("y", Some(DType::F32)),
            parameter("n", None),
            parameter("a", None),
            parameter("p", None),
        ];
        let arguments = [
            ("n", "100"),
            ("a", "2.5f"),
            ("x", "uniform(0, 1):f32[n, 2]"),
            ("y", "&x[n - 1]"),
            ("p", "{s=0.5, q={d=x}}"),
        ];
        let mut sources = SourceMap::new();
        let spec = spec(&mut sources, &launch(&arguments), &parameters).unwrap();
        let case = spec.case(&ParameterSet::default()).unwrap();
        assert_eq!(case.launches[0].grid, [4, 1, 1]);
        assert_eq!(case.buffers[0].tensor.shape(), [100, 2]);
        assert!(case.buffers[0].output);
        let given = &case.launches[0].arguments;
        assert_eq!(given[0], Argument::Buffer { index: 0, offset: 0 });
        assert_eq!(given[1], Argument::Buffer { index: 0, offset: 99 });
        assert_eq!(given[2..4], [Argument::Integer(100), Argument::Real(2.5)]);
        let Argument::Struct(fields) = &given[4] else { panic!("{given:?}") };
        assert_eq!(fields[0], ("s".into(), Argument::Real(0.5)));
        let inner = Argument::Buffer { index: 0, offset: 0 };
        assert_eq!(fields[1].1, Argument::Struct(vec![("d".into(), inner)]));
    }

    #[test]
    fn what_does_not_fit_is_said() {
        let parameters = [parameter("x", Some(DType::F32)), parameter("n", None)];
        let fails = |arguments: &[(&str, &str)]| {
            let mut sources = SourceMap::new();
            match spec(&mut sources, &launch(arguments), &parameters) {
                Err(InlineError::Mismatch(problem)) => problem,
                Err(InlineError::Bad(findings)) => {
                    findings.iter().map(|d| format!("{} {}\n", d.code, d.message)).collect()
                }
                Ok(_) => panic!("{arguments:?} is taken"),
            }
        };
        assert!(fails(&[("n", "1")]).contains("`x` is missing"));
        assert!(fails(&[("n", "1"), ("n", "2"), ("x", "zeros[1]")]).contains("twice"));
        assert!(fails(&[("m", "1")]).contains("no parameter `m`"));
        assert!(fails(&[("n", "1"), ("x", "zeros")]).contains("init:dtype[shape]"));
        assert!(fails(&[("n", "1"), ("x", "zeros:f31[2]")]).contains("bf16"));
        assert!(fails(&[("n", "1"), ("x", "noise:f32[2]")]).contains("uniform"));
        assert!(fails(&[("n", "1"), ("x", "&y[0]")]).contains("P0605"));
        assert!(fails(&[("n", "zeros:f32[2]"), ("x", "zeros[1]")]).contains("no pointer"));
        assert!(fails(&[("n", "1 +"), ("x", "zeros[1]")]).contains("P0604"));
    }

    #[test]
    fn a_buffer_may_be_written_out() {
        let parameters = [parameter("x", Some(DType::I32)), parameter("n", None)];
        let mut sources = SourceMap::new();
        let given = launch(&[("x", "values(3, -1, 0x10)"), ("n", "1")]);
        let spec = spec(&mut sources, &given, &parameters).unwrap();
        let case = spec.case(&ParameterSet::default()).unwrap();
        assert_eq!(case.buffers[0].tensor.to_i64(), [3, -1, 16]);
    }
}
