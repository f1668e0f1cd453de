//! The command line's grammar. Knows flags and their help, and nothing of what they do.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use port::{Cann, FloatMode, Project, Target, WarpMode};

const EXAMPLES: &str = "\
Examples:
  port rms_norm.cu --target hip              writes rms_norm.hip beside the input
  port rms_norm.cu --target hip -o -         prints the port
  port a.cu b.cu --target hip,cpu -o out/    two files to two targets: out/hip/…, out/cpu/…
  port csrc --target hip:gfx90a -o build/hip a folder, paths mirrored
  port - --target hip < k.cu                 standard input to standard output
  port softmax.cu --target ascend            a folder: softmax_ascend/softmax.asc …
  port softmax.cu --target ascend:950 --torch
  port k.cu --target hip --message-format json
  port scan csrc                             what would port, what would not, and why

Where ports go: beside the input (to ascend: a folder beside it); with `-o` where it says; for a
folder, or a file whose headers change with it, below port-out/<target>/. Nothing is overwritten without --force.

Exit status: 0 clean, 1 findings that need a person, 2 wrong usage or a file that cannot be read or
written.";

const SCAN_EXAMPLES: &str = "\
Examples:
  port scan csrc                              every kernel, every target
  port scan csrc --target hip --message-format json > baseline.json
  port scan csrc --target hip --baseline baseline.json
                                              exit status 1 when a kernel ports worse than it did
  port scan csrc --html scan.html             as a page for others to read

Exit status: 0 when everything could be read, whatever would port; 1 when a kernel is worse than in
the baseline; 2 for wrong usage or files that cannot be read.";

const SNAPSHOT_EXAMPLES: &str = "\
Examples:
  port snapshot ops --target hip              shows what changed since the ports were accepted
  port snapshot ops --target hip --check      the same, exit status 1 when something changed
  port snapshot ops --target hip --accept     writes the ports to ops/port-snapshots/hip/

The ports of a folder, with a report of every kernel and finding, are kept in port-snapshots/<target>/
inside it (of a file: inside the file's folder). Commit them, and review their changes like code.

Exit status: 0 clean, 1 changed under --check, 2 wrong usage or files that cannot be read or written.";

const EXEC_EXAMPLES: &str = "\
Examples:
  port exec nbody.cu --target cpu             ports, compiles, runs
  port exec nbody.cu --target cpu -- 1000 10  with arguments for the program
  port exec nbody.cu --target cpu --keep out  keeps the port and the executable in out/
  CXX=clang++ CXXFLAGS=-march=native port exec nbody.cu --target cpu

Standard input and output are the program's; findings go to standard error.

Exit status: the program's own, 128 + N where signal N ended it, 125 when it did not run.";

const RUN_EXAMPLES: &str = "\
Examples:
  port run saxpy.cu --kernel saxpy --grid 1 --block 128 --arg n=100 --arg a=2.5f \\
      --arg 'x=uniform(0,1):f32[n]' --arg 'y=ones[n]'
  port run softmax.cu --kernel 'softmax<float, 128>' --grid rows --block 128 --arg rows=4 \\
      --arg 'x=normal(0,1)[rows, 128]' --arg 'y=zeros[rows, 128]' --sanitize
  port run test.cu --kernel compute --grid 1 --block 1 --profile cuda:sm_70+fast-math \\
      --arg comp=+1.5983E-42f --arg var_1=5
  port run norm.cu --spec norm.toml --set rows=7 --dump out/
  port run norm.cu --spec norm.toml --trace 42 --trace-thread 0:5

Values: a number as C++ writes it (5, 0x10u, -1.5e-3f, 0x1.8p-3, inf, nan); a buffer
`init:dtype[shape]` with init one of zeros, ones, full(v), iota, uniform(a,b), normal(m,s), ints(a,b),
values(1, 2, 3), file \"x.npy\" (without a dtype, what the parameter points to); `&x[i]`, a pointer into
the buffer of parameter x; null; `{field=value, ...}` for a struct. Shapes and grids may use the integer
arguments. A parameter without a name is named by its number, from 1.

What the kernel prints goes to standard output; outputs are summed up on standard error, and written
as NumPy files with --dump.

Exit status: 0 when every launch ran, 1 when something went wrong in one, 2 for wrong usage.";

const CHECK_EXAMPLES: &str = "\
Examples:
  port check softmax.cu --init                writes softmax.toml: launches, buffers, sizes to look at
  port check softmax.cu --target cpu          runs original and port as softmax.toml says
  port check softmax.cu --target hip:gfx90a,cpu --rule ecosystem --html report.html
  port check softmax.cu --target hip --rule bits --set rows=7
  port check softmax.cu --target ascend --ascend-include /usr/local/Ascend/cann
  port check saxpy.cu --target cpu --kernel saxpy --grid 1 --block 128 --arg n=100 --arg a=2.5f \\
      --arg 'x=uniform(0,1)[n]' --arg 'y=ones[n]'

The original runs on the SIMT machine under a CUDA profile, in several orders and in high precision;
the port runs under the target's arithmetic: for cpu as emitted, compiled with the system's C++
compiler; for hip read back by the front end, and both texts compiled against a fiber runtime. What
could not be done is listed as missing evidence.

Verdicts: equal; within-rule; order-noise (inside what the original itself does in other orders);
ill-conditioned (the original is as far from high precision as the port is from it); target-drift
(equal under the same arithmetic, beyond the rule under the target's own); port-bug (unequal under the
same arithmetic); unproven. `port explain rules` lists the rules.

Exit status: 0 when every output is accepted, 1 for port bugs, target drift and what is unproven, 2 for
wrong usage.";

/// The compute capability whose branches are read where nothing else is asked.
pub const DEFAULT_CUDA_ARCH: u32 = 80;

/// Ports CUDA kernels to other accelerators and proves the ports.
#[derive(Parser)]
#[command(
    name = "port",
    version,
    about,
    after_help = EXAMPLES,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true
)]
pub struct CommandLine {
    #[command(subcommand)]
    pub command: Option<Command>,

    #[command(flatten)]
    pub port: PortArguments,

    #[command(flatten)]
    pub common: CommonArguments,
}

#[derive(Subcommand)]
pub enum Command {
    /// Surveys sources: what would port, what would not, and why; writes nothing.
    /// Example: `port scan csrc`
    #[command(after_help = SCAN_EXAMPLES)]
    Scan(ScanArguments),
    /// Keeps the ports of your operators under version control and shows how they change.
    /// Example: `port snapshot ops --target hip --check`
    #[command(after_help = SNAPSHOT_EXAMPLES)]
    Snapshot(SnapshotArguments),
    /// Executes a kernel on this machine, without a GPU, under the float arithmetic of a chip.
    /// Example: `port run saxpy.cu --kernel saxpy --grid 1 --block 32 --arg n=32 …`
    #[command(after_help = RUN_EXAMPLES)]
    Run(RunArguments),
    /// Runs a kernel and its port, and says what each difference is: a bug of the port, drift of the
    /// target, noise. Example: `port check softmax.cu --target hip`
    #[command(after_help = CHECK_EXAMPLES)]
    Check(CheckArguments),
    /// Ports a whole program, compiles it with the system's C++ compiler and runs it.
    /// Example: `port exec nbody.cu --target cpu -- 1000 10`
    #[command(after_help = EXEC_EXAMPLES)]
    Exec(ExecArguments),
    /// Explains a finding: what it means and what to do; `rules` lists the acceptance rules.
    /// Example: `port explain P0401`
    Explain {
        /// The code, as findings show it; without one, all codes are listed. Example: `P0401`
        code: Option<String>,
    },
    /// Lists the targets and their architectures. Example: `port targets`
    Targets,
    /// Prints a completion script. Example: `port completions bash > port.bash`
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

#[derive(Args)]
pub struct PortArguments {
    /// CUDA sources, folders of them, or `-` for standard input. Example: `port a.cu csrc --target hip`
    #[arg(value_name = "INPUT", required = true)]
    pub inputs: Vec<PathBuf>,

    /// Where to port to, several separated by commas. Example: `--target hip` or `--target hip:gfx90a`
    #[arg(short, long, value_name = "T[:ARCH]", value_delimiter = ',', required = true,
        value_parser = parse_target)]
    pub target: Vec<Target>,

    /// The output: a file, a folder, or `-` for standard output. Example: `-o build/hip`
    #[arg(short, long, value_name = "PATH")]
    pub output: Option<PathBuf>,

    #[command(flatten)]
    pub reading: ReadingArguments,

    /// Reports only on this kernel; the whole file is ported all the same. Example: `--kernel softmax`
    #[arg(long, value_name = "NAME")]
    pub kernel: Vec<String>,

    /// Overwrites files that exist. Example: `port k.cu --target hip --force`
    #[arg(long)]
    pub force: bool,
}

/// How sources are read and analysed.
#[derive(Args, Clone, Debug)]
pub struct ReadingArguments {
    /// Searches this folder for included files. Example: `-I csrc/include`
    #[arg(short = 'I', value_name = "DIR")]
    pub include: Vec<PathBuf>,

    /// Defines a macro. Example: `-D HEAD_DIM=128`
    #[arg(short = 'D', value_name = "NAME[=VALUE]")]
    pub define: Vec<String>,

    /// Analyses this instance of a kernel template too. Example: `--instantiate 'softmax<float, 128>'`
    #[arg(long, value_name = "INSTANCE")]
    pub instantiate: Vec<String>,

    /// The width of a warp on the target: 32 lanes as in CUDA on any hardware, or the hardware's own.
    /// Example: `--warp native`
    #[arg(long, value_name = "32|native", default_value = "32", value_parser = parse_warp)]
    pub warp: WarpMode,

    /// The compute capability whose `__CUDA_ARCH__` branches are ported. Example: `--cuda-arch 90`
    #[arg(long, value_name = "SM", default_value_t = DEFAULT_CUDA_ARCH,
        value_parser = clap::value_parser!(u32).range(30..=130))]
    pub cuda_arch: u32,

    /// The arithmetic of a port to the CPU: each operation rounded by itself, or products and sums fused
    /// where nvcc fuses them. Example: `--target cpu --float cuda`
    #[arg(long, value_name = "own|cuda", default_value = "own", value_parser = parse_float)]
    pub float: FloatMode,

    /// The release of CANN that ports to Ascend are for. Example: `--target ascend --cann 8`
    #[arg(long, value_name = "8|9", default_value = "9", value_parser = parse_cann)]
    pub cann: Cann,

    /// What a port to Ascend is laid out as: sources with a CMakeLists.txt, or also a custom operator of
    /// msopgen. Example: `--target ascend --project msopgen`
    #[arg(long, value_name = "plain|msopgen", default_value = "plain", value_parser = parse_project)]
    pub project: Project,

    /// Adds a binding for PyTorch to a port to Ascend. Example: `--target ascend --torch`
    #[arg(long)]
    pub torch: bool,
}

#[derive(Args)]
pub struct ScanArguments {
    /// CUDA sources, or folders of them. Example: `port scan csrc`
    #[arg(value_name = "PATH", required = true)]
    pub inputs: Vec<PathBuf>,

    /// The targets to look at; all of them by default. Example: `--target hip,cpu`
    #[arg(short, long, value_name = "T[:ARCH]", value_delimiter = ',', value_parser = parse_target)]
    pub target: Vec<Target>,

    /// An earlier report of `--message-format json`: kernels that port worse than there are
    /// regressions. Example: `--baseline scan.json`
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,

    /// Writes the scan as one HTML page too. Example: `--html scan.html`
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,

    /// Overwrites the file of `--html` if it exists. Example: `--html scan.html --force`
    #[arg(long)]
    pub force: bool,

    #[command(flatten)]
    pub reading: ReadingArguments,
}

#[derive(Args)]
pub struct SnapshotArguments {
    /// CUDA sources, or folders of them. Example: `port snapshot ops --target hip`
    #[arg(value_name = "PATH", required = true)]
    pub inputs: Vec<PathBuf>,

    /// The targets whose ports are kept. Example: `--target hip,cpu`
    #[arg(short, long, value_name = "T[:ARCH]", value_delimiter = ',', required = true,
        value_parser = parse_target)]
    pub target: Vec<Target>,

    /// Exit status 1 when a port differs from the accepted one. Example: `--check`
    #[arg(long, conflicts_with = "accept")]
    pub check: bool,

    /// Writes the ports as they are now; accepted ones of files that are gone are removed.
    /// Example: `--accept`
    #[arg(long)]
    pub accept: bool,

    #[command(flatten)]
    pub reading: ReadingArguments,
}

#[derive(Args)]
pub struct RunArguments {
    /// A CUDA source, as it is; host code in it is not run. `-` for standard input.
    /// Example: `port run saxpy.cu --kernel saxpy --grid 1 --block 32 …`
    #[arg(value_name = "INPUT")]
    pub input: PathBuf,

    #[command(flatten)]
    pub data: DataArguments,

    /// Whose float arithmetic: `cuda:sm_80`, `cuda:sm_70+fast-math`, `hip:gfx90a`, `cpu`, `exact` …;
    /// an unknown name lists all. Example: `--profile cuda:sm_90`
    #[arg(long, value_name = "P", default_value = "cuda:sm_80")]
    pub profile: String,

    /// Checks bounds, alignment, initialisation, races, barriers, warp operations and integer
    /// division. Example: `--sanitize`
    #[arg(long)]
    pub sanitize: bool,

    #[command(flatten)]
    pub machine: MachineArguments,

    /// Shows what this line of the input computes, value by value, in one thread.
    /// Example: `--trace 12`
    #[arg(long, value_name = "LINE")]
    pub trace: Option<u32>,

    /// The thread of `--trace`, by the numbers of its block and of itself in the block.
    /// Example: `--trace 12 --trace-thread 3:17`
    #[arg(long, value_name = "BLOCK:THREAD", default_value = "0:0", requires = "trace",
        value_parser = parse_thread)]
    pub trace_thread: (u64, u32),

    /// Writes each output as a NumPy file into this folder. Example: `--dump out/`
    #[arg(long, value_name = "DIR")]
    pub dump: Option<PathBuf>,

    /// Overwrites files of `--dump` that exist. Example: `--dump out/ --force`
    #[arg(long)]
    pub force: bool,

    #[command(flatten)]
    pub reading: ReadingArguments,
}

/// What is launched on which data.
#[derive(Args, Clone, Debug)]
pub struct DataArguments {
    /// The kernel, with template arguments where it is a template; with a spec, only its launches of
    /// this kernel. Example: `--kernel 'softmax<float, 128>'`
    #[arg(long, value_name = "K")]
    pub kernel: Option<String>,

    /// Blocks of the grid in x, y and z. Example: `--grid 64` or `--grid 'ceil_div(n, 256), 2'`
    #[arg(long, value_name = "X[,Y[,Z]]")]
    pub grid: Option<String>,

    /// Threads of a block in x, y and z. Example: `--block 256` or `--block 16x16`
    #[arg(long, value_name = "X[,Y[,Z]]")]
    pub block: Option<String>,

    /// Bytes of dynamic shared memory. Example: `--shared 'n * 4'`
    #[arg(long, value_name = "BYTES")]
    pub shared: Option<String>,

    /// A parameter's value. Example: `--arg n=100` or `--arg 'x=uniform(0,1):f32[100]'`
    #[arg(long = "arg", value_name = "NAME=VALUE", allow_hyphen_values = true)]
    pub arguments: Vec<String>,

    /// The content of a `__constant__` or `__device__` variable.
    /// Example: `--symbol 'taps=values(1, 2, 1):f32'`
    #[arg(long = "symbol", value_name = "NAME=BUFFER")]
    pub symbols: Vec<String>,

    /// Launches and data from this file; `<input>.toml` beside the input where no launch is given.
    /// Example: `--spec softmax.toml`
    #[arg(long, value_name = "F")]
    pub spec: Option<PathBuf>,

    /// Another value for an integer of the spec. Example: `--set rows=7`
    #[arg(long, value_name = "NAME=N")]
    pub set: Vec<String>,
}

/// How the SIMT machine runs.
#[derive(Args, Clone, Debug)]
pub struct MachineArguments {
    /// The order of blocks and of atomics, which a device leaves open: `in-order`, `reversed`, or a
    /// number that shuffles. Example: `--schedule 7`
    #[arg(long, value_name = "S", default_value = "in-order")]
    pub schedule: String,

    /// Instructions after which a kernel is taken to have no end. Example: `--fuel 100000000`
    #[arg(long, value_name = "N", default_value_t = crate::subject::DEFAULT_FUEL)]
    pub fuel: u64,
}

#[derive(Args)]
pub struct CheckArguments {
    /// A CUDA source, as it is. Example: `port check softmax.cu --target hip`
    #[arg(value_name = "INPUT")]
    pub input: PathBuf,

    /// The targets whose ports are checked, several separated by commas.
    /// Example: `--target hip:gfx90a,cpu`
    #[arg(short, long, value_name = "T[:ARCH]", value_delimiter = ',',
        required_unless_present = "init", value_parser = parse_target)]
    pub target: Vec<Target>,

    #[command(flatten)]
    pub data: DataArguments,

    /// When an output is accepted; the spec's `rule`, else `torch`. `port explain rules` lists all.
    /// Example: `--rule ecosystem` or `--rule 'close(1e-3, 1e-5)'`
    #[arg(long, value_name = "R")]
    pub rule: Option<String>,

    /// Whose arithmetic the original has. Example: `--profile cuda:sm_90`
    #[arg(long, value_name = "P", default_value = "cuda:sm_80")]
    pub profile: String,

    /// Writes a spec from the file's own launches and kernels, and checks nothing.
    /// Example: `port check softmax.cu --init`
    #[arg(long)]
    pub init: bool,

    /// Applies the launches this often, outputs becoming inputs as the spec's `feedback` says, and
    /// reports how the drift grows. Example: `--steps 100`
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub steps: Option<u32>,

    /// Proposes what may be done about drift: edits or flags, each with what it does to the outputs.
    /// Writes nothing. Example: `port check softmax.cu --target cpu --fix`
    #[arg(long)]
    pub fix: bool,

    /// Looks for inputs on which original and port lie furthest apart, in so many runs.
    /// Example: `--search 200`
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub search: Option<u32>,

    /// Checks every parameter set of the spec, not its first alone. Example: `--sweep`
    #[arg(long, conflicts_with = "set")]
    pub sweep: bool,

    /// Checks this text as the port, such as one that was edited by hand; headers of the port that lie
    /// beside it are taken from there. Example: `--port build/softmax.hip`
    #[arg(long, value_name = "FILE")]
    pub port: Option<PathBuf>,

    /// Writes the report as one HTML page. Example: `--html report.html`
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,

    /// Overwrites files of `--init` and `--html` that exist. Example: `--init --force`
    #[arg(long)]
    pub force: bool,

    /// Reads Ascend ports with the headers of this CANN release as well; without a folder, of the one
    /// that `$ASCEND_HOME_PATH` names. Example: `--ascend-include /usr/local/Ascend/cann`
    #[arg(long, value_name = "DIR", num_args = 0..=1,
        default_missing_value = "$ASCEND_HOME_PATH")]
    pub ascend_include: Option<PathBuf>,

    /// Does without the C++ compiler: what it would prove is missing evidence.
    /// Example: `--no-compiler`
    #[arg(long)]
    pub no_compiler: bool,

    /// Does not look for what makes the differences. Example: `--no-causes`
    #[arg(long)]
    pub no_causes: bool,

    /// Longest time of a compiled text, in seconds. Example: `--time-limit 300`
    #[arg(long, value_name = "SECONDS", default_value_t = 60,
        value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub time_limit: u64,

    #[command(flatten)]
    pub machine: MachineArguments,

    #[command(flatten)]
    pub reading: ReadingArguments,
}

#[derive(Args)]
pub struct ExecArguments {
    /// A program of one CUDA source, with the headers that it includes; `-` for standard input.
    /// Example: `port exec nbody.cu --target cpu`
    #[arg(value_name = "INPUT")]
    pub input: PathBuf,

    /// What to run on. Example: `--target cpu`
    #[arg(short, long, value_name = "T", value_parser = parse_target)]
    pub target: Target,

    /// Keeps the port and the executable in this folder, which must be empty. Example: `--keep out`
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,

    /// Runs although some kernels cannot be ported; calling one ends the program.
    /// Example: `--allow-manual`
    #[arg(long)]
    pub allow_manual: bool,

    #[command(flatten)]
    pub reading: ReadingArguments,

    /// Arguments of the program. Example: `-- 1000 10`
    #[arg(last = true, value_name = "ARGS")]
    pub arguments: Vec<std::ffi::OsString>,
}

#[derive(Args)]
pub struct CommonArguments {
    /// How findings are printed. Example: `--message-format sarif > port.sarif`
    #[arg(long, value_enum, default_value_t = MessageFormat::Human, global = true)]
    pub message_format: MessageFormat,

    /// Colours in findings. Example: `--color never`
    #[arg(long, value_enum, default_value_t = Color::Auto, global = true)]
    pub color: Color,

    /// Prints errors only. Example: `port k.cu --target hip -q`
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,

    /// Prints every edit with the API row or finding that asked for it. Example: `port k.cu --target hip -v`
    #[arg(short, long, global = true)]
    pub verbose: bool,

    /// Files ported at the same time; all processors by default. Example: `--jobs 4`
    #[arg(long, value_name = "N", global = true)]
    pub jobs: Option<std::num::NonZeroUsize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MessageFormat {
    /// Source excerpts, for people, on standard error.
    Human,
    /// One JSON document on standard output.
    Json,
    /// SARIF 2.1.0 on standard output, for code scanning services.
    Sarif,
    /// Workflow commands of GitHub Actions on standard output.
    Github,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// When standard error is a terminal and NO_COLOR is not set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

fn parse_target(text: &str) -> Result<Target, String> {
    text.parse().map_err(|error: port::TargetError| error.to_string())
}

fn parse_thread(text: &str) -> Result<(u64, u32), String> {
    let wrong = || format!("`{text}` is no BLOCK:THREAD, such as `0:5`");
    let (block, thread) = text.split_once(':').ok_or_else(wrong)?;
    let block = block.trim().parse().map_err(|_| wrong())?;
    Ok((block, thread.trim().parse().map_err(|_| wrong())?))
}

fn parse_float(text: &str) -> Result<FloatMode, String> {
    match text {
        "own" => Ok(FloatMode::Own),
        "cuda" => Ok(FloatMode::Cuda),
        other => Err(format!("`{other}` is neither `own` nor `cuda`")),
    }
}

fn parse_cann(text: &str) -> Result<Cann, String> {
    match text {
        "8" => Ok(Cann::V8),
        "9" => Ok(Cann::V9),
        other => Err(format!("`{other}` is neither `8` nor `9`")),
    }
}

fn parse_project(text: &str) -> Result<Project, String> {
    match text {
        "plain" => Ok(Project::Plain),
        "msopgen" => Ok(Project::Msopgen),
        other => Err(format!("`{other}` is neither `plain` nor `msopgen`")),
    }
}

fn parse_warp(text: &str) -> Result<WarpMode, String> {
    match text {
        "32" => Ok(WarpMode::Logical32),
        "native" => Ok(WarpMode::Native),
        other => Err(format!("`{other}` is neither `32` nor `native`")),
    }
}
