//! The compatibility header run by the fiber oracle: CUDA text under CUDA's names, and the same text
//! with the names of the API rows replaced, must give the same bits, under waves of 32 and of 64
//! lanes and in several orders of threads.
//!
//! The CUDA side is the oracle's own implementation of CUDA's names, which shares nothing with the
//! header.

#![allow(clippy::disallowed_methods, reason = "the test reads its kernels")]

use std::collections::BTreeSet;
use std::fmt::Write as _;

use port_api::{Kind, Status};
use port_backend_dialect::compat;
use port_check::oracle::{Executable, Language, Oracle, Order, RunOptions, Source};
use port_check::spec::Case;
use port_check::toolchain::Toolchain;
use port_check::{DType, ParameterSet, Spec, Tensor};

/// The HIP text of a CUDA text by the API rows alone, and the header that it includes.
fn port_by_rows(cuda: &str, warp: compat::WarpMode) -> (String, String) {
    let mut hip = String::from("#include <hip/hip_runtime.h>\n#include <hip/hip_fp16.h>\n");
    writeln!(hip, "#include \"{}\"", compat::FILE_NAME).unwrap();
    let mut names = BTreeSet::new();
    for line in cuda.lines() {
        if line.starts_with("#include <") {
            continue;
        }
        let mut rest = line;
        while let Some(start) = rest.find(|c: char| c.is_ascii_alphabetic() || c == '_') {
            let (before, word) = rest.split_at(start);
            let end = word.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
            let (word, after) = word.split_at(end.unwrap_or(word.len()));
            let name = match port_api::find(word).and_then(|row| row.hip_name()) {
                Some(name) => name.to_string(),
                None => word.to_string(),
            };
            hip.push_str(before);
            hip.push_str(&name);
            names.insert(name);
            rest = after;
        }
        hip.push_str(rest);
        hip.push('\n');
    }
    let options = compat::Options { warp, ..compat::Options::default() };
    let header = compat::assemble(names.iter().map(String::as_str), &options);
    (hip, header.unwrap_or_default())
}

/// A CUDA text, and its port with logical and with native warps, ready to run.
struct Pair {
    cuda: Executable,
    logical: Executable,
    native: Executable,
    spec: Spec,
}

impl Pair {
    fn build(name: &str, cuda: &str, spec: &str) -> Pair {
        let mut sources = port_diag::SourceMap::new();
        let file = sources.add(&format!("{name}.toml"), spec);
        let spec = Spec::parse(&sources, file).unwrap_or_else(|diagnostics| {
            panic!("{name}.toml: {:?}", diagnostics.iter().map(|d| &d.message).collect::<Vec<_>>())
        });
        let oracle = Oracle::new(&Toolchain::discover()).expect("a C++ compiler");
        let source = Source::new(Language::Cuda, &format!("{name}.cu"), cuda);
        let cuda_executable =
            oracle.build(&source, &spec).unwrap_or_else(|error| panic!("{error}"));
        let port = |warp| {
            let (hip, header) = port_by_rows(cuda, warp);
            let source = Source::new(Language::Hip, &format!("{name}.hip"), &hip)
                .with_file(compat::FILE_NAME, &header);
            oracle.build(&source, &spec).unwrap_or_else(|error| panic!("{error}"))
        };
        let logical = port(compat::WarpMode::Logical32);
        let native = port(compat::WarpMode::Native);
        Pair { cuda: cuda_executable, logical, native, spec }
    }

    fn case(&self) -> Case {
        self.spec.case(&ParameterSet::default()).unwrap_or_else(|diagnostics| {
            panic!("{:?}", diagnostics.iter().map(|d| &d.message).collect::<Vec<_>>())
        })
    }

    /// Runs the original with warps of 32, the port with logical warps on waves of 32 and 64 and the
    /// port with native warps on waves of 32, each in several orders of threads, and hands each output
    /// of a port to `compare` with that of the original.
    fn check(&self, case: &Case, compare: impl Fn(&str, &Tensor, &Tensor)) {
        let original =
            self.cuda.run(case, &RunOptions::default()).unwrap_or_else(|error| panic!("{error}"));
        let ports = [
            ("logical warps", &self.logical, 32),
            ("logical warps", &self.logical, 64),
            ("native warps", &self.native, 32),
        ];
        for (what, executable, warp) in ports {
            for order in [Order::Ascending, Order::Descending, Order::Shuffled(11)] {
                let what = format!("{what}, waves of {warp}, order {order:?}");
                let options = RunOptions { warp, order, ..RunOptions::default() };
                let port = executable
                    .run(case, &options)
                    .unwrap_or_else(|error| panic!("{what}: {error}"));
                for (name, want) in &original.outputs {
                    let got = port.output(name).expect("the same outputs");
                    compare(&format!("{name}, {what}"), want, got);
                }
            }
        }
    }

    fn check_bits(&self) {
        self.check(&self.case(), |what, want, got| {
            if want.bytes() == got.bytes() {
                return;
            }
            let index = (0..want.len()).find(|&i| want.bits(i) != got.bits(i)).unwrap_or_default();
            panic!(
                "{what}: element {index} is {:#x}, not {:#x}",
                got.bits(index),
                want.bits(index)
            );
        });
    }
}

/// How results of a type are compared: in lanes of this many bytes, each a float with this many bits
/// of exponent where that is not 0. NaNs are equal whatever their bits.
fn result_lanes(result: &str) -> Option<(usize, u32)> {
    Some(match result {
        "float" | "float2" => (4, 8),
        "double" => (8, 11),
        "__half" | "__half2" => (2, 5),
        "__nv_bfloat16" | "__nv_bfloat162" => (2, 8),
        "bool" | "char" | "signed char" | "unsigned char" => (1, 0),
        "short" | "unsigned short" => (2, 0),
        "int" | "unsigned int" => (4, 0),
        "long long" | "unsigned long long" => (8, 0),
        _ => return None,
    })
}

/// Parameter types that any bits are a value of.
const PARAMETER_TYPES: &[&str] = &[
    "float",
    "float2",
    "double",
    "__half",
    "__half2",
    "__nv_bfloat16",
    "__nv_bfloat162",
    "short",
    "unsigned short",
    "int",
    "unsigned int",
    "long long",
    "unsigned long long",
    "char4",
    "uchar4",
    "short2",
    "ushort2",
];

/// A C++ declaration of a function: result type, parameter types.
fn parse_signature(signature: &str, name: &str) -> Option<(String, Vec<String>)> {
    let (result, rest) = signature.split_once(&format!(" {name}("))?;
    let parameters = rest.strip_suffix(')').filter(|text| !text.contains('*'))?;
    let types = parameters.split(',').map(|parameter| {
        let parameter = parameter.trim().trim_start_matches("const ");
        let without_name = parameter.rsplit_once(' ').map_or(parameter, |(head, _)| head);
        let known = |text: &str| PARAMETER_TYPES.iter().find(|known| **known == text);
        known(parameter).or_else(|| known(without_name)).map(|known| (*known).to_string())
    });
    Some((result.to_string(), types.collect::<Option<Vec<_>>>()?))
}

/// A call of a pure function: what it is called with, and how its result is compared.
struct Call {
    signature: &'static str,
    name: &'static str,
    parameters: Vec<String>,
    result: String,
}

/// Every pure function of the API that the header provides, by a name of its own or by an overload
/// for bfloat16 of a name that HIP has.
fn pure_calls() -> Vec<Call> {
    let mut calls = Vec::new();
    for row in port_api::rows().filter(|row| row.kind == Kind::Function) {
        let compat_name = matches!(row.hip.status, Status::Compat(name) if compat::provides(name));
        for signature in row.signatures {
            let overload = matches!(row.hip.status, Status::Same)
                && signature.contains("__nv_bfloat16")
                && compat::provides(row.name);
            // The C library's functions are no part of the header: jn and yn of a random order take
            // as many steps, and the oracle computes the float overloads of the rest otherwise.
            let library = ["jn", "yn", "j0", "j1", "y0", "y1", "rsqrt"].contains(&row.name);
            let callable = row.family != "warp" && !library && !oracle_lacks(row.name, signature);
            if !(compat_name || overload) || !callable {
                continue;
            }
            let Some((result, parameters)) = parse_signature(signature, row.name) else { continue };
            if result_lanes(&result).is_some() {
                calls.push(Call { signature, name: row.name, parameters, result });
            }
        }
    }
    calls
}

/// Whether the oracle's CUDA headers leave a function out.
fn oracle_lacks(name: &str, signature: &str) -> bool {
    const NAMES: &[&str] = &["h2tanh_approx", "htanh_approx", "__cos2pif", "__sin2pif", "__hcmadd"];
    const PREFIXES: &[&str] = &["__vi", "__fadd2_", "__ffma2_", "__fmul2_", "__nv_bswap"];
    NAMES.contains(&name)
        || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        || (name.starts_with("__dp2a") && signature.contains("short2"))
}

const CASES: usize = 96;
const SLOT: usize = 16;

/// Bytes that are interesting values of many types: random ones, and the ends, zeros, infinities,
/// NaNs and subnormals of floats of every width, repeated over the slot.
fn argument_bytes() -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    const DOUBLES: &[u64] = &[
        0,
        1 << 63,
        1,
        0x3ff0_0000_0000_0000,
        0x7fef_ffff_ffff_ffff,
        0x7ff0_0000_0000_0000,
        0xfff0_0000_0000_0000,
        0x7ff8_0000_0000_0000,
        0x41df_ffff_ffc0_0000,
        0xc1e0_0000_0000_0000,
        0x43e0_0000_0000_0000,
        0x4004_0000_0000_0000,
        0xbfe0_0000_0000_0000,
        0x000f_ffff_ffff_ffff,
    ];
    const FLOATS: &[u32] = &[
        0,
        1 << 31,
        1,
        0x3f80_0000,
        0x7f7f_ffff,
        0x7f80_0000,
        0xff80_0000,
        0x7fc0_0000,
        0x4f00_0000,
        0xcf00_0000,
        0x5f00_0000,
        0x4020_0000,
        0xbf00_0000,
        0x007f_ffff,
        0x4780_0000,
        0x477f_f000,
    ];
    const HALVES: &[u16] = &[
        0, 0x8000, 1, 0x3c00, 0xbc00, 0x7bff, 0x7c00, 0xfc00, 0x7e00, 0x3f80, 0xbf80, 0x7f80,
        0xff80, 0x7fc0, 0x03ff, 0x4049, 0x7f7f, 0x5bff, 0xd800,
    ];
    let mut bytes = Vec::with_capacity(CASES * 3 * SLOT);
    for _ in 0..CASES * 3 {
        let kind = next() % 6;
        let mut slot = Vec::new();
        while slot.len() < SLOT {
            let pick = next();
            match kind {
                0 => slot.extend(pick.to_le_bytes()),
                1 => slot.extend(DOUBLES[pick as usize % DOUBLES.len()].to_le_bytes()),
                2 => slot.extend(FLOATS[pick as usize % FLOATS.len()].to_le_bytes()),
                3 => slot.extend(HALVES[pick as usize % HALVES.len()].to_le_bytes()),
                // About one, as float, so that sums and products stay in range.
                4 => slot.extend((0x3e00_0000 + (pick as u32 & 0x81ff_ffff)).to_le_bytes()),
                _ => slot.extend((pick as i32 % 100).to_le_bytes()),
            }
        }
        bytes.extend(&slot[..SLOT]);
    }
    bytes
}

fn is_nan(bits: u64, width: usize, exponent_bits: u32) -> bool {
    let fraction_bits = width as u32 * 8 - 1 - exponent_bits;
    let exponent = (bits >> fraction_bits) & ((1 << exponent_bits) - 1);
    exponent == (1 << exponent_bits) - 1 && bits & ((1 << fraction_bits) - 1) != 0
}

#[test]
fn pure_functions_give_the_bits_of_cuda() {
    let calls = pure_calls();
    assert!(calls.len() > 400, "only {} calls were recognised", calls.len());
    let mut cuda = String::from(
        "#include <cuda_runtime.h>\n#include <cuda_fp16.h>\n#include <cuda_bf16.h>\n\
         template <typename T> __device__ T load(const unsigned char *from) {\n\
           T value;\n  memcpy((void *)&value, from, sizeof(T));\n  return value;\n}\n\
         template <typename T> __device__ void store(unsigned char *to, T value) {\n\
           memcpy(to, (const void *)&value, sizeof(T));\n}\n\
         __global__ void calls(const unsigned char *in, unsigned char *out) {\n\
           const unsigned char *from = in + threadIdx.x * 48;\n\
           unsigned char *to = out + threadIdx.x * 16;\n",
    );
    for (index, call) in calls.iter().enumerate() {
        let arguments: Vec<String> = call
            .parameters
            .iter()
            .enumerate()
            .map(|(place, type_name)| format!("load<{type_name}>(from + {})", place * SLOT))
            .collect();
        let offset = index * CASES * SLOT;
        let (result, name) = (&call.result, call.name);
        writeln!(cuda, "  store<{result}>(to + {offset}, {name}({}));", arguments.join(", "))
            .unwrap();
    }
    cuda.push_str("}\n");
    let spec = format!(
        "[buffers]\nin = {{ dtype = \"u8\", shape = [{}], init = \"zeros\" }}\n\
         out = {{ dtype = \"u8\", shape = [{}], init = \"zeros\", out = true }}\n\
         [[launch]]\nkernel = \"calls\"\ngrid = [1]\nblock = [{CASES}]\nargs = [\"in\", \"out\"]\n",
        CASES * 3 * SLOT,
        calls.len() * CASES * SLOT,
    );
    let pair = Pair::build("calls", &cuda, &spec);
    let arguments = argument_bytes();
    let mut case = pair.case();
    case.buffers[0].tensor =
        Tensor::from_bytes(DType::U8, &[arguments.len()], arguments.clone()).expect("a tensor");

    pair.check(&case, |what, want, got| {
        let mut differences = BTreeSet::new();
        for (index, call) in calls.iter().enumerate() {
            let (width, exponent_bits) = result_lanes(&call.result).expect("checked above");
            let lanes = if call.result.ends_with('2') { 2 } else { 1 };
            for sample in 0..CASES {
                let at = (index * CASES + sample) * SLOT;
                for lane in 0..lanes {
                    let range = at + lane * width..at + (lane + 1) * width;
                    let read = |tensor: &Tensor| {
                        let mut bytes = [0; 8];
                        bytes[..width].copy_from_slice(&tensor.bytes()[range.clone()]);
                        u64::from_le_bytes(bytes)
                    };
                    let (want, got) = (read(want), read(got));
                    let both_nan = exponent_bits != 0
                        && is_nan(want, width, exponent_bits)
                        && is_nan(got, width, exponent_bits);
                    if want != got && !both_nan {
                        let from = &arguments[sample * 3 * SLOT..(sample + 1) * 3 * SLOT];
                        let words: Vec<String> = from
                            .chunks(SLOT)
                            .map(|slot| {
                                let mut bytes = [0; 8];
                                bytes.copy_from_slice(&slot[..8]);
                                format!("{:#x}", u64::from_le_bytes(bytes))
                            })
                            .collect();
                        differences.insert(format!(
                            "{}: want {want:#x}, got {got:#x} for {}",
                            call.signature,
                            words[..call.parameters.len()].join(", ")
                        ));
                    }
                }
            }
        }
        // One line for each function, not for each argument.
        let mut functions = BTreeSet::new();
        differences.retain(|line| {
            functions.insert(line.split(": want").next().unwrap_or_default().to_string())
        });
        assert!(
            differences.is_empty(),
            "{what}: {} functions differ:\n{}",
            functions.len(),
            differences.into_iter().collect::<Vec<_>>().join("\n")
        );
    });
}

/// A CUDA file of `tests/compat/` with its spec beside it.
fn check_file(name: &str) {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compat");
    let read = |extension: &str| {
        let path = folder.join(name).with_extension(extension);
        std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    };
    Pair::build(name, &read("cu"), &read("toml")).check_bits();
}

#[test]
fn warp_operations_give_the_bits_of_cuda() {
    check_file("warp");
}

#[test]
fn cooperative_groups_give_the_bits_of_cuda() {
    check_file("groups");
}

#[test]
fn matrix_fragments_give_the_bits_of_cuda() {
    check_file("wmma");
}

#[test]
fn atomics_give_the_bits_of_cuda() {
    check_file("atomic");
}
