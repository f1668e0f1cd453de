//! The stages, what their inputs start from, and what must hold for any input.
//!
//! An input is one text. For stages that read CUDA it may hold several files: a line
//! `//// file: NAME` begins the next one; the first is the root. So a mutant is one string, and so is
//! what is saved of it.

use std::path::{Path, PathBuf};

use port::{FileId, Options, SourceMap, Target, WarpMode};
use port_ir::analysis::affine::Affine;
use port_ir::analysis::program::Program;
use port_ir::analysis::uniformity::{Assumptions, ModuleUniformity};
use port_ir::analysis::{divergence, progress, warp_size};
use port_ir::passes::flatten;
use port_ir::{FunctionKind, ModuleInfo, PrintOptions};
use port_simt::{Argument, Checks, Launch, Memory, Schedule};
use port_syntax::{Configuration, Parsed};

/// A stage of the pipeline.
#[derive(Clone, Copy)]
pub struct Stage {
    /// As the command line names it.
    pub name: &'static str,
    /// What mutants start from.
    pub seeds: fn() -> Vec<String>,
    /// Runs an input; panics where something does not hold. Returns how far it came.
    pub run: fn(&str) -> usize,
    /// What `run` returns for an input that goes all the way.
    pub whole: usize,
    /// How many times [`BUDGET`](crate::run::BUDGET) an input may take.
    pub patience: u32,
}

impl std::fmt::Debug for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// All stages, in the order of the pipeline. Of an Ascend port, kernels over rows are carried out on symbols
/// for every thread of blocks of six sizes, which takes seconds where they have many instances.
pub const STAGES: [Stage; 11] = [
    Stage { name: "lexer", seeds: programs, run: lexer, whole: 1, patience: 1 },
    Stage { name: "preprocessor", seeds: programs, run: preprocessor, whole: 1, patience: 1 },
    Stage { name: "parser", seeds: programs, run: parser, whole: 1, patience: 1 },
    Stage { name: "hir", seeds: programs, run: hir, whole: 1, patience: 1 },
    Stage { name: "lower", seeds: programs, run: lower, whole: 1, patience: 1 },
    Stage { name: "ir-text", seeds: ir_texts, run: ir_text, whole: 2, patience: 1 },
    Stage { name: "port-hip", seeds: programs, run: port_hip, whole: 1, patience: 1 },
    Stage { name: "port-cpu", seeds: programs, run: port_cpu, whole: 1, patience: 1 },
    Stage { name: "port-ascend", seeds: programs, run: port_ascend, whole: 1, patience: 8 },
    Stage { name: "machine", seeds: programs, run: machine, whole: 2, patience: 1 },
    Stage { name: "spec", seeds: specs, run: spec, whole: 2, patience: 1 },
];

/// Begins a file of an input.
const FILE: &str = "//// file: ";

/// The folder of the workspace.
pub fn workspace() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.ancestors().nth(2).unwrap_or(manifest).to_owned()
}

/// Programs that between them use every form that the front end treats specially.
const SMALL: &[&str] = &[
    r##"#include "b.cuh"
#define DIV_UP(a, b) (((a) + (b) - 1) / (b))
#define STR(x) #x
#define CAT(a, b) a ## b
#define LOG(fmt, ...) printf(fmt __VA_OPT__(,) __VA_ARGS__, ##__VA_ARGS__)
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 700 || CAT(1, 2) > 3
template <typename T, int N = DIV_UP(256, 32)>
__global__ void __launch_bounds__(N, 2) k(const T *__restrict__ x, T *y, int n) {
  extern __shared__ __align__(16) unsigned char smem[];
#pragma unroll N
  for (int i = threadIdx.x; i < n; i += blockDim.x) { y[i] = x[i] >> 2; }
  LOG("%d" STR(a "b" c), __LINE__);
}
#else
#error no
#endif
void f() { k<float, (1 > 2)><<<DIV_UP(n, 256), A<B<int>>()>>>(x, y); }
template class X<float>;
//// file: b.cuh
#ifndef B_CUH
#define B_CUH
#include "c.h"
_Pragma("once") struct API S { explicit API S(int x = {}) : x(x) {} int x; };
#define F(x) G(x) F
#define G(x) F(x)(x) CAT(x, __COUNTER__)
F(F(1)(2))(G)
#endif /* B_CUH */
CHECK(x)
auto g = [=] __device__(int i) { return typename T::X{} + R"d(a)"b)d" "c\
d" 'e'; };
int *p = new int*[3]; asm volatile("x" : "=r"(a) :: "memory");
"##,
    r##"#include <cuda_fp16.h>
#include <cooperative_groups.h>
namespace cg = cooperative_groups;
struct Pair { float value; int index; __device__ bool operator<(const Pair &o) const { return value < o.value; } };
__constant__ float table[16];
__device__ unsigned counter;
template <typename T> __device__ __forceinline__ T warp_max(T v) {
  for (int m = 16; m; m >>= 1) { T o = __shfl_xor_sync(0xffffffffu, v, m); v = v < o ? o : v; }
  return v;
}
template <int N> struct Vec { union { float f[N]; int4 raw[N / 4]; }; };
__global__ void reduce(const half2 *in, Pair *out, int n) {
  __shared__ Pair part[32];
  auto block = cg::this_thread_block();
  Pair best{-1e30f, -1};
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) {
    float2 f = __half22float2(in[i]);
    switch (i & 3) { case 0: f.x += table[i & 15]; break; case 1: f.y *= 2; default: continue; }
    if (best.value < f.x) best = {f.x, i};
  }
  do { best.value = fmaxf(best.value, warp_max(best.value)); } while (__any_sync(-1, best.index < -2));
  if (threadIdx.x % 32 == 0) part[threadIdx.x / 32] = best;
  block.sync();
  if (threadIdx.x == 0) { *out = part[0]; atomicAdd(&counter, 1u); __threadfence(); }
}
extern "C" void launch(const half2 *in, Pair *out, int n, cudaStream_t s) {
  void *args[] = {&in, &out, &n};
  reduce<<<dim3(4), 256, 0, s>>>(in, out, n);
  cudaLaunchKernel((void *)reduce, dim3(1), dim3(32), args, 0, s);
  cudaMemcpyToSymbol(table, in, sizeof(table));
}
"##,
];

/// The operators of `kernels/` with their headers, the fixtures, and [`SMALL`].
fn programs() -> Vec<String> {
    let root = workspace();
    let mut seeds: Vec<String> = SMALL.iter().map(|text| (*text).to_owned()).collect();
    for folder in ["kernels", "fixtures"] {
        for path in files(&root.join(folder), "cu") {
            if !path.starts_with(root.join("fixtures/fuzz")) {
                seeds.push(with_headers(&root, &path));
            }
        }
    }
    seeds
}

/// A program as one text.
fn with_headers(root: &Path, path: &Path) -> String {
    let read = |path: &str| Ok(std::fs::read_to_string(root.join(path)).ok());
    let name = path.strip_prefix(root).unwrap_or(path).to_string_lossy().into_owned();
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let loaded = port::load(&name, &text, &[], &mut |path| read(path));
    let mut whole = String::new();
    for id in loaded.sources.ids() {
        let file = loaded.sources.file(id);
        whole.push_str(&format!("{FILE}{}\n{}", file.path, file.text));
        if !whole.ends_with('\n') {
            whole.push('\n');
        }
    }
    whole
}

fn ir_texts() -> Vec<String> {
    texts(&workspace().join("crates/ir/tests"), "ir")
}

fn specs() -> Vec<String> {
    texts(&workspace().join("kernels"), "toml")
}

fn texts(folder: &Path, extension: &str) -> Vec<String> {
    let paths = files(folder, extension);
    paths.iter().filter_map(|path| std::fs::read_to_string(path).ok()).collect()
}

/// All files below a folder with this extension, sorted.
pub fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut pending = vec![folder.to_owned()];
    while let Some(folder) = pending.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                pending.push(path);
            } else if path.extension().is_some_and(|e| e == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The files of an input.
fn unit(text: &str) -> (SourceMap, FileId) {
    let mut sources = SourceMap::new();
    let mut name = "k.cu";
    let mut rest = text;
    if let Some(after) = rest.strip_prefix(FILE) {
        (name, rest) = after.split_once('\n').unwrap_or((after, ""));
    }
    let mut root = None;
    loop {
        let end = rest.find(&format!("\n{FILE}")).map(|at| at + 1);
        let id = sources.add(name.trim(), &rest[..end.unwrap_or(rest.len())]);
        root = root.or(Some(id));
        let Some(end) = end else { break };
        let after = &rest[end + FILE.len()..];
        (name, rest) = after.split_once('\n').unwrap_or((after, ""));
    }
    (sources, root.unwrap_or(FileId(0)))
}

/// The reference's macros for most inputs, the target's for the others: which, the text decides.
fn configuration(text: &str) -> Configuration {
    match text.len() % 3 {
        0 => Configuration::hip(),
        1 => Configuration::cuda(90),
        _ => Configuration::cuda(80),
    }
}

fn lexer(text: &str) -> usize {
    let mut end = 0;
    for token in port_syntax::lex(text) {
        let bytes = token.bytes(text);
        assert_eq!(token.start as usize, end, "tokens leave nothing out");
        assert!(!bytes.is_empty());
        end += bytes.len();
    }
    assert_eq!(end, text.len(), "tokens end with the text");
    1
}

fn preprocessor(text: &str) -> usize {
    let (sources, root) = unit(text);
    let read = port_syntax::preprocess(&sources, root, &configuration(text));
    for finding in &read.diagnostics {
        finding.primary.iter().chain(&finding.secondary).for_each(|l| in_text(&sources, l.span));
    }
    for pair in read.pragmas.windows(2) {
        assert!(pair[0].before <= pair[1].before);
    }
    usize::from(read.diagnostics.is_empty())
}

fn in_text(sources: &SourceMap, span: port_diag::Span) {
    let text = &sources.file(span.file).text;
    assert!(text.get(span.range()).is_some(), "{span:?} is no part of the text");
}

fn parser(text: &str) -> usize {
    let (sources, root) = unit(text);
    let configuration = configuration(text);
    let parsed = port_syntax::read(&sources, root, &configuration);
    promises_of_a_tree(&sources, &parsed);
    if text.len().is_multiple_of(16) {
        let again = port_syntax::read(&sources, root, &configuration);
        assert_eq!(again.tokens(), parsed.tokens());
        assert_eq!(again.buffer, parsed.buffer);
        assert_eq!(again.unit.diagnostics, parsed.unit.diagnostics);
    }
    usize::from(parsed.errors().is_empty())
}

/// What holds for any text.
fn promises_of_a_tree(sources: &SourceMap, parsed: &Parsed) {
    for token in parsed.tokens() {
        in_text(sources, token.origin.span);
        assert!(!token.kind.is_trivia());
        for frame in parsed.expansions().chain(token.origin) {
            in_text(sources, frame.call.span);
        }
        if token.origin.expansion.is_none() {
            // Plain text spells itself, but for splices and a missing end.
            let bytes = sources.text(token.origin.span);
            let spelled = token.text.as_str();
            assert!(
                bytes == spelled || bytes.contains('\\') || spelled.starts_with(bytes),
                "{bytes:?} is spelled {spelled:?}"
            );
        }
    }
    for group in &parsed.unit.conditionals {
        for branch in &group.branches {
            in_text(sources, branch.directive);
            in_text(sources, branch.body);
            assert!(group.reached || !branch.active);
        }
        assert!(group.branches.iter().filter(|branch| branch.active).count() <= 1);
    }
    for pair in parsed.hidden.windows(2) {
        assert!(pair[0].tokens.end <= pair[1].tokens.start);
    }
    let mut cursor = parsed.tree().walk();
    'tree: loop {
        let tokens = parsed.tokens_in(cursor.node());
        assert!(tokens.start <= tokens.end && tokens.end <= parsed.tokens().len());
        in_text(sources, parsed.origin_of(tokens).span);
        if cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                break 'tree;
            }
        }
    }
    for region in parsed.errors() {
        in_text(sources, parsed.origin_of(region.tokens.clone()).span);
    }
    for finding in &parsed.unit.diagnostics {
        finding.primary.iter().chain(&finding.secondary).for_each(|l| in_text(sources, l.span));
    }
}

fn hir(text: &str) -> usize {
    let (sources, root) = unit(text);
    let parsed = port_syntax::read(&sources, root, &configuration(text));
    let module = port_hir::build(&parsed.unit);
    for finding in &module.diagnostics {
        finding.primary.iter().chain(&finding.secondary).for_each(|l| in_text(&sources, l.span));
    }
    usize::from(module.diagnostics.is_empty())
}

fn lower(text: &str) -> usize {
    let (sources, root) = unit(text);
    let parsed = port_syntax::read(&sources, root, &configuration(text));
    let module = port_hir::build(&parsed.unit);
    let lowered = port_lower::lower(&module, &port_lower::Options::default());
    let info = port_ir::validate(&lowered.module)
        .unwrap_or_else(|errors| panic!("lowering makes valid IR: {errors:?}"));
    analyse(&lowered.module, &info);
    usize::from(lowered.instances.iter().any(port_lower::InstanceReport::is_whole))
}

/// Asks every analysis about everything; what they answer is not the matter here.
fn analyse(module: &port_ir::Module, info: &ModuleInfo) {
    let program = Program::of(module, info);
    let assumptions = Assumptions { warp_width: Some(32), rows_of_whole_warps: true };
    let uniformity = ModuleUniformity::of(&program, assumptions);
    divergence::find(&program, &uniformity);
    warp_size::find(&program, 32);
    progress::find(&program, &uniformity, 32);
    for (_, flow) in program.functions() {
        for access in Affine::new(flow, &module.types).accesses() {
            access.address.offset.text(flow.function);
        }
    }
}

/// Text that is read is printed as it is read; what is valid stays so, flattened too.
fn ir_text(text: &str) -> usize {
    let Ok(module) = port_ir::parse(text, FileId(0)) else { return 0 };
    let printed = port_ir::print(&module, &PrintOptions::default());
    let Ok(info) = port_ir::validate(&module) else { return 1 };
    analyse(&module, &info);
    let flat = flatten(&module, &info);
    match port_ir::validate(&flat) {
        Ok(info) => analyse(&flat, &info),
        Err(errors) => panic!("flattening keeps IR valid: {errors:?}"),
    }
    let again = port_ir::parse(&printed, FileId(0))
        .unwrap_or_else(|error| panic!("what is printed is read: {error}"));
    assert!(port_ir::validate(&again).is_ok(), "what is read back is valid");
    assert_eq!(port_ir::print(&again, &PrintOptions::default()), printed);
    2
}

fn port_hip(text: &str) -> usize {
    port_to("hip", text)
}

fn port_cpu(text: &str) -> usize {
    port_to("cpu", text)
}

fn port_ascend(text: &str) -> usize {
    port_to(if text.len().is_multiple_of(2) { "ascend" } else { "ascend:950" }, text)
}

fn port_to(target: &str, text: &str) -> usize {
    // A target that is not there yet has nothing to fuzz.
    let Ok(target) = target.parse::<Target>() else { return 1 };
    let (sources, root) = unit(text);
    let warp = if text.len().is_multiple_of(3) { WarpMode::Native } else { WarpMode::Logical32 };
    let options = Options { warp, ..Options::default() };
    let first = port::translate(&sources, root, &[target], &options);
    for finding in first.iter().flat_map(|translation| &translation.ported.diagnostics) {
        finding.primary.iter().chain(&finding.secondary).for_each(|l| in_text(&sources, l.span));
    }
    if text.len().is_multiple_of(4) {
        let second = port::translate(&sources, root, &[target], &options);
        for (first, second) in first.iter().zip(&second) {
            assert_eq!(first.ported.files, second.ported.files, "the same port each time");
            assert_eq!(first.ported.diagnostics, second.ported.diagnostics);
        }
    }
    let mut findings = first.iter().flat_map(|translation| &translation.ported.diagnostics);
    usize::from(!findings.any(|finding| finding.severity == port::Severity::Error))
}

/// How many kernels of an input the machine runs.
const MOST_KERNELS: usize = 4;

/// Runs the kernels of an input over small buffers of small numbers: a launch ends, the same way each
/// time, whatever it does to memory.
fn machine(text: &str) -> usize {
    let (sources, root) = unit(text);
    let parsed = port_syntax::read(&sources, root, &configuration(text));
    let hir = port_hir::build(&parsed.unit);
    let lowered = port_lower::lower(&hir, &port_lower::Options::default()).module;
    let Ok(info) = port_ir::validate(&lowered) else { return 0 };
    let flat = flatten(&lowered, &info);
    let profile = ["cpu", "cuda:sm_80", "hip:gfx90a"][text.len() % 3];
    let profile = port_float::Profile::named(profile).expect("it is the name of a profile");
    let module = port_float::resolve(&flat, &profile);
    let mut reached = 0;
    for (handle, function) in module.kernels().take(MOST_KERNELS) {
        let program = match text.len() % 5 {
            0 => port_simt::Program::traced(&module, handle, &profile),
            1 => port_simt::Program::twinned(&module, handle, &profile),
            _ => port_simt::Program::new(&module, handle, &profile),
        };
        let Ok(program) = program else { continue };
        reached = reached.max(1);
        let block = match function.kind {
            FunctionKind::Kernel(bounds) => bounds.max_threads.unwrap_or(96).min(96),
            FunctionKind::Device => 96,
        };
        let first = launch(&program, block, text.len());
        if text.len().is_multiple_of(4) {
            assert_eq!(first, launch(&program, block, text.len()), "the same run each time");
        }
        reached += usize::from(reached == 1 && first.is_some());
    }
    reached
}

/// What is in memory and was printed after a launch with ragged blocks; `None` of one that faults.
fn launch(
    program: &port_simt::Program,
    block: u32,
    choice: usize,
) -> Option<(Vec<Vec<u8>>, Vec<u8>)> {
    let mut memory = Memory::new();
    let mut launch = Launch::new([3, 2, 1], [block, 1, 1]);
    launch.dynamic_shared = 2048;
    let mut buffers = Vec::new();
    for parameter in program.parameters() {
        let bytes: Vec<u8> =
            (0..4096_u32).map(|byte| [byte as u8 % 7, 0, 0, 0][byte as usize % 4]).collect();
        let id = memory.add(&parameter.name, bytes);
        let argument = match parameter.size {
            8 if choice.is_multiple_of(7) => Argument::Bytes(vec![3, 0, 0, 0, 0, 0, 0, 0]),
            8 => Argument::Buffer { id, offset: 0 },
            size => {
                let mut bytes = vec![0; usize::try_from(size).unwrap_or(0).min(4096)];
                if let Some(first) = bytes.first_mut() {
                    *first = 40;
                }
                Argument::Bytes(bytes)
            }
        };
        launch.arguments.push(argument);
        buffers.push(id);
    }
    let options = port_simt::Options {
        checks: if choice.is_multiple_of(2) { Checks::ALL } else { Checks::NONE },
        schedule: if choice.is_multiple_of(11) { Schedule::Seeded(5) } else { Schedule::InOrder },
        fuel: 20_000,
        memory_limit: 64 << 20,
        threads: 1 + choice % 2,
        ..port_simt::Options::default()
    };
    let outcome = program.run(&mut memory, &launch, &options).ok()?;
    let bytes = buffers.iter().map(|id| memory.bytes(*id).to_vec()).collect();
    Some((bytes, outcome.printed))
}

fn spec(text: &str) -> usize {
    let mut sources = SourceMap::new();
    let file = sources.add("k.toml", text);
    let spec = match port_check::Spec::parse(&sources, file) {
        Ok(spec) => spec,
        Err(findings) => {
            assert!(!findings.is_empty(), "a refusal has a reason");
            for finding in findings {
                finding.primary.iter().for_each(|label| in_text(&sources, label.span));
            }
            return 0;
        }
    };
    let sets = spec.parameter_sets();
    let smallest = sets.last().cloned().unwrap_or_default();
    // Gigabytes of numbers are what was asked for, and are not made here.
    1 + usize::from(spec.case_within(&smallest, 1 << 20).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_is_a_root_with_headers() {
        let (sources, root) = unit("a\n//// file: x/b.h\nb\n//// file: c.h");
        assert_eq!(&*sources.file(root).text, "a\n");
        assert_eq!(&*sources.file(FileId(1)).path, "x/b.h");
        assert_eq!(&*sources.file(FileId(1)).text, "b\n");
        assert_eq!(&*sources.file(FileId(2)).text, "");
        let (sources, root) = unit("//// file: y.cu\nint x;");
        assert_eq!((&*sources.file(root).path, &*sources.file(root).text), ("y.cu", "int x;"));
        assert_eq!(unit("").0.ids().count(), 1);
    }

    #[test]
    fn every_stage_has_seeds_that_go_all_the_way() {
        for stage in &STAGES {
            let seeds = (stage.seeds)();
            assert!(seeds.len() > 2, "{}: {} seeds", stage.name, seeds.len());
            let whole = seeds.iter().take(30).any(|seed| (stage.run)(seed) == stage.whole);
            assert!(whole, "{}: nothing passes", stage.name);
        }
    }
}
