//! What a line of a kernel computes, value by value, in one thread: the machine's events at the
//! places of that line. Knows nothing of comparing; [`crate::localize`] does that.

use port::DeviceCode;
use port_diag::{FileId, SourceMap};
use port_ir::Scalar;

use crate::machine::{Machine, MachineRun};

/// A value that a line computed.
#[derive(Clone, Debug, PartialEq)]
pub struct Traced {
    /// Which launch of the case.
    pub launch: usize,
    /// Its column.
    pub column: u32,
    /// What was done: `fma`, `load`, `store` …
    pub what: &'static str,
    /// The user's name of the value, where it has one.
    pub name: Option<String>,
    /// Its type, where it is one number.
    pub scalar: Option<Scalar>,
    /// Its bits in the thread that was asked for.
    pub bits: u64,
    /// How many threads did it together.
    pub threads: u32,
}

impl Traced {
    /// The value as people write it; its bits where it is no number.
    pub fn text(&self) -> String {
        let bits = self.bits;
        match self.scalar {
            Some(Scalar::F64) => format!("{:?}", f64::from_bits(bits)),
            Some(Scalar::F32) => format!("{:?}", f32::from_bits(bits as u32)),
            Some(Scalar::F16) => format!("{:?}", half::f16::from_bits(bits as u16).to_f32()),
            Some(Scalar::Bf16) => format!("{:?}", half::bf16::from_bits(bits as u16).to_f32()),
            Some(Scalar::Bool) => (bits != 0).to_string(),
            Some(Scalar::I8) => (bits as i8).to_string(),
            Some(Scalar::I16) => (bits as i16).to_string(),
            Some(Scalar::I32) => (bits as i32).to_string(),
            Some(Scalar::I64) => (bits as i64).to_string(),
            Some(Scalar::U8 | Scalar::U16 | Scalar::U32 | Scalar::U64) => bits.to_string(),
            Some(Scalar::F8E4M3 | Scalar::F8E5M2) | None => format!("{bits:#x}"),
        }
    }
}

/// The values that a line of a file computed in a traced run, in the order in which they were.
pub fn at_line(
    machine: &Machine<'_>,
    run: &MachineRun,
    code: &DeviceCode,
    sources: &SourceMap,
    file: FileId,
    line: u32,
) -> Vec<Traced> {
    let mut found = Vec::new();
    for launch in &run.traces {
        let names = machine.module().functions.get(launch.function).map(|f| &f.names);
        for event in &launch.trace.events {
            let Some(point) = launch.points.get(event.point as usize) else { continue };
            let Some(bits) = event.sample else { continue };
            let span = code.expansions.outermost(point.location.origin);
            if span.file != file {
                continue;
            }
            let place = sources.file(file).line_column(span.start);
            if place.line != line {
                continue;
            }
            let name = point.value.zip(names).and_then(|(value, names)| names.get(&value).cloned());
            found.push(Traced {
                launch: launch.launch,
                column: place.column,
                what: point.what,
                name,
                scalar: point.scalar,
                bits,
                threads: event.threads,
            });
        }
    }
    found
}
