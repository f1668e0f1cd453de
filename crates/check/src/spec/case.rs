//! A spec evaluated for one set of integers: concrete tensors, grids and arguments.

use port_diag::{Diagnostic, Finding, Span};

use super::{ArgumentSpec, BufferSpec, Init, Located, ParameterSet, Spec};
use crate::expression::Value;
use crate::findings::{SpecBadExpression, SpecBadFile, SpecOutOfRange, SpecUnknownName};
use crate::generate::{Generator, generate};
use crate::npy;
use crate::tensor::Tensor;

/// Most bytes that the buffers of a case may hold together.
pub(super) const MEMORY_LIMIT: u64 = 1 << 32;

/// What a runner executes.
#[derive(Clone, Debug)]
pub struct Case {
    /// The integers, in order of definition.
    pub integers: Vec<(String, i64)>,
    /// Buffers, in the order of the spec, filled.
    pub buffers: Vec<Buffer>,
    /// `__constant__` and `__device__` variables.
    pub symbols: Vec<Buffer>,
    /// One for each launch of the spec, in order.
    pub launches: Vec<Launch>,
}

/// A buffer's initial contents.
#[derive(Clone, Debug)]
pub struct Buffer {
    /// Its name.
    pub name: String,
    /// What it holds before the first launch.
    pub tensor: Tensor,
    /// Whether its final contents are a result.
    pub output: bool,
}

/// A launch with its sizes.
#[derive(Clone, Debug)]
pub struct Launch {
    /// The kernel's text.
    pub kernel: String,
    /// Blocks in x, y, z. With a zero among them the launch is skipped.
    pub grid: [u32; 3],
    /// Threads of a block in x, y, z.
    pub block: [u32; 3],
    /// Bytes of dynamic shared memory.
    pub shared: u32,
    /// The arguments.
    pub arguments: Vec<Argument>,
}

/// An argument's value.
#[derive(Clone, Debug, PartialEq)]
pub enum Argument {
    /// A pointer `offset` elements into a buffer (index into [`Case::buffers`]).
    Buffer {
        /// Which buffer.
        index: usize,
        /// Elements from its start.
        offset: u64,
    },
    /// A null pointer.
    Null,
    /// An integer.
    Integer(i64),
    /// A real.
    Real(f64),
    /// A struct by value.
    Struct(Vec<(String, Argument)>),
}

impl Case {
    /// The index of a buffer.
    pub fn buffer_index(&self, name: &str) -> Option<usize> {
        self.buffers.iter().position(|buffer| buffer.name == name)
    }

    /// The initial contents of a buffer.
    pub fn buffer(&self, name: &str) -> Option<&Tensor> {
        self.buffer_index(name).map(|index| &self.buffers[index].tensor)
    }

    /// The value of an integer.
    pub fn integer(&self, name: &str) -> Option<i64> {
        self.integers.iter().find(|(known, _)| known == name).map(|(_, value)| *value)
    }
}

pub(super) fn evaluate(
    spec: &Spec,
    parameters: &ParameterSet,
    memory_limit: u64,
) -> Result<Case, Vec<Diagnostic>> {
    let mut evaluator = Evaluator { integers: Vec::new(), diagnostics: Vec::new(), memory_limit };
    for (name, _) in &parameters.values {
        if !spec.integers.iter().any(|integer| integer.name == *name) {
            let finding = SpecUnknownName { kind: "integer".into(), name: name.clone() };
            evaluator.diagnostics.push(finding.nowhere());
        }
    }
    for integer in &spec.integers {
        let given = parameters.values.iter().rev().find(|(name, _)| *name == integer.name);
        let value = match given {
            Some((_, value)) => *value,
            None => evaluator.integer(&integer.value),
        };
        evaluator.integers.push((integer.name.clone(), value));
    }
    if !evaluator.diagnostics.is_empty() {
        return Err(evaluator.diagnostics);
    }

    let mut total = 0u128;
    let buffers = evaluator.buffers(spec, &spec.buffers, &mut total);
    let symbols = evaluator.buffers(spec, &spec.symbols, &mut total);
    let launches = spec
        .launches
        .iter()
        .map(|launch| Launch {
            kernel: launch.kernel.clone(),
            grid: evaluator.dimensions("grid", &launch.grid, [i32::MAX as i64, 65_535, 65_535]),
            block: evaluator.block(&launch.block, launch.span),
            shared: evaluator.bounded("`shared`", &launch.shared, 0, 232_448) as u32,
            arguments: launch
                .arguments
                .iter()
                .map(|argument| evaluator.argument(argument, &buffers))
                .collect(),
        })
        .collect();
    if evaluator.diagnostics.is_empty() {
        Ok(Case { integers: evaluator.integers, buffers, symbols, launches })
    } else {
        Err(evaluator.diagnostics)
    }
}

struct Evaluator {
    integers: Vec<(String, i64)>,
    diagnostics: Vec<Diagnostic>,
    /// Most bytes of all buffers together.
    memory_limit: u64,
}

impl Evaluator {
    fn value(&mut self, located: &Located) -> Value {
        let integers = &self.integers;
        let lookup =
            |name: &str| integers.iter().rev().find(|(n, _)| n == name).map(|(_, value)| *value);
        located.expression.evaluate(&lookup).unwrap_or_else(|error| {
            let finding = SpecBadExpression { expression: located.text.clone(), reason: error.0 };
            self.diagnostics.push(finding.at_span(located.span));
            Value::Integer(0)
        })
    }

    fn integer(&mut self, located: &Located) -> i64 {
        match self.value(located) {
            Value::Integer(value) => value,
            Value::Real(_) => {
                let finding = SpecBadExpression {
                    expression: located.text.clone(),
                    reason: "an integer is needed here".into(),
                };
                self.diagnostics.push(finding.at_span(located.span));
                0
            }
        }
    }

    fn real(&mut self, located: &Located) -> f64 {
        self.value(located).to_f64()
    }

    fn bounded(&mut self, what: &str, located: &Located, low: i64, high: i64) -> i64 {
        let value = self.integer(located);
        if (low..=high).contains(&value) {
            return value;
        }
        self.out_of_range(what, value, &format!("it must be {low} to {high}"), located.span);
        low
    }

    fn out_of_range(&mut self, what: &str, value: i64, limit: &str, span: Span) {
        let finding =
            SpecOutOfRange { what: what.into(), value: value.to_string(), limit: limit.into() };
        self.diagnostics.push(finding.at_span(span));
    }

    fn dimensions(&mut self, what: &str, extents: &[Located], limits: [i64; 3]) -> [u32; 3] {
        let mut result = [1; 3];
        for ((slot, extent), limit) in result.iter_mut().zip(extents).zip(limits) {
            *slot = self.bounded(&format!("an extent of `{what}`"), extent, 0, limit) as u32;
        }
        result
    }

    fn block(&mut self, extents: &[Located], span: Span) -> [u32; 3] {
        let block = self.dimensions("block", extents, [1024, 1024, 64]);
        let threads: u64 = block.iter().map(|extent| u64::from(*extent)).product();
        if threads > 1024 || threads == 0 {
            let limit = "a block has 1 to 1024 threads";
            self.out_of_range("the number of threads", threads as i64, limit, span);
        }
        block
    }

    fn buffers(&mut self, spec: &Spec, buffers: &[BufferSpec], total: &mut u128) -> Vec<Buffer> {
        buffers
            .iter()
            .map(|buffer| Buffer {
                name: buffer.name.clone(),
                tensor: self.tensor(spec, buffer, total),
                output: buffer.output,
            })
            .collect()
    }

    fn tensor(&mut self, spec: &Spec, buffer: &BufferSpec, total: &mut u128) -> Tensor {
        let what = format!("an extent of `{}`", buffer.name);
        let shape: Vec<usize> = buffer
            .shape
            .iter()
            .map(|extent| self.bounded(&what, extent, 0, i64::from(u32::MAX)) as usize)
            .collect();
        let bytes = shape
            .iter()
            .fold(buffer.dtype.size() as u128, |size, n| size.saturating_mul(*n as u128));
        *total = total.saturating_add(bytes);
        if *total > u128::from(self.memory_limit) {
            let limit = format!("all buffers together may have {} bytes", self.memory_limit);
            let what = format!("the size of `{}`", buffer.name);
            let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
            self.out_of_range(&what, bytes, &limit, buffer.span);
            return Tensor::zeros(buffer.dtype, &[0]);
        }
        let generator = match &buffer.init {
            Init::Full(value) => Generator::Full(self.real(value)),
            Init::Iota => Generator::Iota,
            Init::Uniform(low, high) => {
                Generator::Uniform { low: self.real(low), high: self.real(high) }
            }
            Init::Normal(mean, deviation) => {
                Generator::Normal { mean: self.real(mean), deviation: self.real(deviation) }
            }
            Init::Integers(low, high) => {
                Generator::Integers { low: self.integer(low), high: self.integer(high) }
            }
            Init::File { path, span } => return self.file(spec, buffer, &shape, path, *span),
            Init::Values(values) => return self.values(buffer, &shape, values),
        };
        generate(&generator, buffer.dtype, &shape, buffer.seed)
    }

    /// `values`, repeated to fill the shape; without any, zeros.
    fn values(&mut self, buffer: &BufferSpec, shape: &[usize], values: &[f64]) -> Tensor {
        let mut tensor = Tensor::zeros(buffer.dtype, shape);
        if values.is_empty() {
            return tensor;
        }
        for index in 0..tensor.len() {
            tensor.set_f64(index, values[index % values.len()]);
        }
        tensor
    }

    #[allow(clippy::disallowed_methods, reason = "a spec's data lie beside it")]
    fn file(
        &mut self,
        spec: &Spec,
        buffer: &BufferSpec,
        shape: &[usize],
        path: &str,
        span: Span,
    ) -> Tensor {
        let read = std::fs::read(spec.directory.join(path))
            .map_err(|error| error.to_string())
            .and_then(|bytes| npy::read(&bytes, buffer.dtype))
            .and_then(|tensor| {
                if tensor.shape() == shape {
                    Ok(tensor)
                } else {
                    Err(format!("its shape is {:?}, the buffer's {shape:?}", tensor.shape()))
                }
            });
        read.unwrap_or_else(|reason| {
            let finding = SpecBadFile { path: path.to_string(), reason };
            self.diagnostics.push(finding.at_span(span));
            Tensor::zeros(buffer.dtype, shape)
        })
    }

    fn argument(&mut self, argument: &ArgumentSpec, buffers: &[Buffer]) -> Argument {
        match argument {
            ArgumentSpec::Null => Argument::Null,
            ArgumentSpec::Bool(value) => Argument::Integer(i64::from(*value)),
            ArgumentSpec::Buffer(index, None) => Argument::Buffer { index: *index, offset: 0 },
            ArgumentSpec::Buffer(index, Some(offset)) => {
                let length = buffers.get(*index).map_or(0, |buffer| buffer.tensor.len());
                let offset = self.bounded("an offset", offset, 0, length as i64);
                Argument::Buffer { index: *index, offset: offset as u64 }
            }
            ArgumentSpec::Value(located) => match self.value(located) {
                Value::Integer(value) => Argument::Integer(value),
                Value::Real(value) => Argument::Real(value),
            },
            ArgumentSpec::Struct(fields) => Argument::Struct(
                fields
                    .iter()
                    .map(|(name, field)| (name.clone(), self.argument(field, buffers)))
                    .collect(),
            ),
        }
    }
}
