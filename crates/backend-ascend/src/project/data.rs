//! Data of a port: a script that writes the inputs, from the specification beside the source or else
//! from the kernels' parameters, and one that compares outputs.

use std::collections::BTreeSet;
use std::fmt::Write;

use port_ir::{Scalar, Type};

use crate::port::Port;
use crate::section::Section;

/// The two scripts.
pub(super) fn files(port: &Port<'_>, section: &Section) -> Vec<(String, String)> {
    let specification = port.options.specification.as_deref();
    let generated = specification
        .and_then(|text| text.parse::<toml::Table>().ok())
        .map_or_else(|| from_parameters(section), |table| from_specification(&table));
    let stem = port.stem();
    let script = format!(
        "#!/usr/bin/env python3\n\"\"\"Writes the inputs of {stem} as binary files. Made by port.\"\"\"\n\
         {GENERATOR}\n{generated}"
    );
    vec![
        ("scripts/gen_data.py".to_owned(), script),
        ("scripts/verify_result.py".to_owned(), VERIFIER.to_owned()),
    ]
}

/// What every generator has.
const GENERATOR: &str = r#"import os

import numpy as np


def ceil_div(a, b):
    return -(-a // b)


def write(name, values, dtype):
    """`bf16` has no type in NumPy: the upper half of a float32, rounded to nearest even."""
    os.makedirs("input", exist_ok=True)
    if dtype == "bf16":
        bits = np.ascontiguousarray(values, dtype=np.float32).view(np.uint32).astype(np.uint64)
        values = ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)
    else:
        values = np.asarray(values).astype(dtype)
    values.tofile(os.path.join("input", name + ".bin"))

"#;

const VERIFIER: &str = r#"#!/usr/bin/env python3
"""Compares an output with what it should be: |a - g| <= atol + rtol * |g| for 99 % of the elements, and
no error beyond the cap of the type. Made by port."""
import argparse
import sys

import numpy as np

RULES = {  # relative, absolute, cap
    "float16": (2.0**-9, 2.0**-9, 0.1),
    "bf16": (2.0**-6, 2.0**-6, 1.0),
    "float32": (2.0**-10, 2.0**-16, 0.01),
    "float64": (2.0**-10, 2.0**-16, 0.01),
}


def read(path, dtype):
    if path.endswith(".npy"):
        values = np.load(path)
    else:
        values = np.fromfile(path, dtype=np.uint16 if dtype == "bf16" else dtype)
    if dtype == "bf16" and values.dtype == np.uint16:
        values = (values.astype(np.uint32) << 16).view(np.float32)
    return values.reshape(-1)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output")
    parser.add_argument("golden")
    parser.add_argument("--dtype", default="float32")
    arguments = parser.parse_args()
    output = read(arguments.output, arguments.dtype)
    golden = read(arguments.golden, arguments.dtype)
    if output.size != golden.size:
        sys.exit(f"{output.size} elements, {golden.size} expected")
    if arguments.dtype not in RULES:
        wrong = int(np.count_nonzero(output != golden))
        print(f"{wrong} of {output.size} elements differ")
        sys.exit(1 if wrong else 0)
    relative, absolute, cap = RULES[arguments.dtype]
    output, golden = output.astype(np.float64), golden.astype(np.float64)
    same = (output == golden) | (np.isnan(output) & np.isnan(golden))
    with np.errstate(invalid="ignore"):
        error = np.where(same, 0.0, np.abs(output - golden))
        error = np.where(np.isnan(error), np.inf, error)
        within = same | (error <= absolute + relative * np.abs(golden))
    share = float(np.mean(within)) if within.size else 1.0
    largest = float(np.max(error)) if error.size else 0.0
    print(f"{share:.4%} of {output.size} elements within the rule, largest error {largest:g}")
    sys.exit(0 if share >= 0.99 and largest <= cap else 1)


if __name__ == "__main__":
    main()
"#;

/// A type of a specification in NumPy's words.
fn numpy(dtype: &str) -> &str {
    match dtype {
        "f16" => "float16",
        "f32" => "float32",
        "f64" => "float64",
        "i8" => "int8",
        "i16" => "int16",
        "i32" => "int32",
        "i64" => "int64",
        "u8" => "uint8",
        "u16" => "uint16",
        "u32" => "uint32",
        "u64" => "uint64",
        "bool" => "uint8",
        other => other,
    }
}

/// Statements from a specification: its integers and its buffers.
fn from_specification(table: &toml::Table) -> String {
    let mut out = String::new();
    let plain = |name: &str| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    for pair in table.get("ints").and_then(toml::Value::as_array).into_iter().flatten() {
        let pair: Vec<&str> =
            pair.as_array().into_iter().flatten().filter_map(toml::Value::as_str).collect();
        if let [name, value] = pair[..]
            && plain(name)
        {
            let _ = writeln!(out, "{name} = {}", expression(value));
        }
    }
    let buffers = table.get("buffers").and_then(toml::Value::as_table);
    let mut names: Vec<(&String, &toml::Value)> = buffers.into_iter().flatten().collect();
    names.sort_by_key(|(name, _)| name.as_str());
    for (name, buffer) in names {
        if !plain(name) {
            continue;
        }
        let text = |key: &str| buffer.get(key).and_then(toml::Value::as_str);
        let dtype = text("dtype").unwrap_or("f32");
        let shape: Vec<String> = buffer
            .get("shape")
            .and_then(toml::Value::as_array)
            .into_iter()
            .flatten()
            .map(|extent| match extent {
                toml::Value::String(text) => expression(text),
                other => other.to_string(),
            })
            .collect();
        let shape = format!("({},)", shape.join(", "));
        let seed = buffer.get("seed").and_then(toml::Value::as_integer).unwrap_or(0);
        let values = initial(text("init").unwrap_or("zeros"), &shape, seed);
        let dtype = numpy(dtype);
        let _ = writeln!(out, "write(\"{name}\", {values}, \"{dtype}\")");
    }
    out
}

/// An integer expression in Python: C++'s division of what is not negative.
fn expression(text: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || " _+-*/%(),".contains(c);
    match text.chars().all(allowed) {
        true => text.replace("//", "/").replace('/', "//"),
        false => "1".to_owned(),
    }
}

/// The values of a buffer. They are drawn from the same distributions as the checker's, not bit for bit.
fn initial(init: &str, shape: &str, seed: i64) -> String {
    let (kind, rest) = init.split_once('(').unwrap_or((init, ""));
    let arguments = rest.trim_end().trim_end_matches(')');
    let number = |c: char| c.is_ascii_digit() || " .,+-eE".contains(c);
    let arguments = if arguments.chars().all(number) { arguments } else { "" };
    let generator = format!("np.random.default_rng({seed})");
    match (kind.trim(), arguments) {
        ("ones", _) => format!("np.ones({shape})"),
        ("full", value) if !value.is_empty() => format!("np.full({shape}, {value})"),
        ("iota", _) => format!("np.arange(np.prod({shape})).reshape({shape})"),
        ("uniform", range) if range.contains(',') => {
            format!("{generator}.uniform({range}, {shape})")
        }
        ("normal", range) if range.contains(',') => format!("{generator}.normal({range}, {shape})"),
        ("ints", range) if range.contains(',') => {
            format!("{generator}.integers({range}, {shape}, endpoint=True)")
        }
        ("values", list) if !list.is_empty() => format!("np.resize([{list}], {shape})"),
        _ => format!("np.zeros({shape})"),
    }
}

/// Statements from the pointers that the kernels are given.
fn from_parameters(section: &Section) -> String {
    let mut out = String::from("count = 4096\n");
    let mut done: BTreeSet<&str> = BTreeSet::new();
    for made in section.made() {
        for parameter in &made.parameters {
            if !matches!(parameter.ty, Type::Pointer(_)) || !done.insert(&parameter.name) {
                continue;
            }
            let scalar = match parameter.pointee {
                Some(Type::Scalar(scalar) | Type::Vector(scalar, _)) => Some(scalar),
                _ => None,
            };
            let (dtype, values) = match scalar {
                Some(Scalar::F16) => ("float16", "uniform(-1, 1, count)"),
                Some(Scalar::Bf16) => ("bf16", "uniform(-1, 1, count)"),
                Some(Scalar::F32) => ("float32", "uniform(-1, 1, count)"),
                Some(Scalar::F64) => ("float64", "uniform(-1, 1, count)"),
                Some(Scalar::I8) => ("int8", "integers(-128, 128, count)"),
                Some(Scalar::I16) => ("int16", "integers(0, 100, count)"),
                Some(Scalar::U16) => ("uint16", "integers(0, 100, count)"),
                Some(Scalar::I32) => ("int32", "integers(0, 100, count)"),
                Some(Scalar::U32) => ("uint32", "integers(0, 100, count)"),
                Some(Scalar::I64) => ("int64", "integers(0, 100, count)"),
                Some(Scalar::U64) => ("uint64", "integers(0, 100, count)"),
                _ => ("uint8", "integers(0, 256, count)"),
            };
            let seed = done.len();
            let name = &parameter.name;
            let _ = writeln!(
                out,
                "write(\"{name}\", np.random.default_rng({seed}).{values}, \"{dtype}\")"
            );
        }
    }
    out
}
