//! The command line's grammar. Knows flags and their help, and nothing of what they do.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use port::{Target, WarpMode};

const EXAMPLES: &str = "\
Examples:
  port rms_norm.cu --target hip              writes rms_norm.hip beside the input
  port rms_norm.cu --target hip -o -         prints the port
  port csrc --target hip:gfx90a -o build/hip a folder, paths mirrored
  port k.cu --target hip --message-format json
  port explain P0301

Exit status: 0 clean, 1 findings that need a person, 2 wrong usage or a file that cannot be read or
written.";

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
    /// Explains a finding: what it means and what to do. Example: `port explain P0401`
    Explain {
        /// The code, as findings show it; without one, all codes are listed.
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
    /// CUDA sources (`.cu`, `.cuh`), folders of them, or `-` for standard input.
    #[arg(value_name = "INPUT", required = true)]
    pub inputs: Vec<PathBuf>,

    /// Where to port to, several separated by commas. Example: `--target hip` or `--target hip:gfx90a`
    #[arg(short, long, value_name = "T[:ARCH]", value_delimiter = ',', required = true,
        value_parser = parse_target)]
    pub target: Vec<Target>,

    /// The output: a file, a folder, or `-` for standard output. Example: `-o build/hip`
    #[arg(short, long, value_name = "PATH")]
    pub output: Option<PathBuf>,

    /// Searches this folder for included files. Example: `-I csrc/include`
    #[arg(short = 'I', value_name = "DIR")]
    pub include: Vec<PathBuf>,

    /// Defines a macro. Example: `-D HEAD_DIM=128`
    #[arg(short = 'D', value_name = "NAME[=VALUE]")]
    pub define: Vec<String>,

    /// Reports only on this kernel; the whole file is ported all the same. Example: `--kernel softmax`
    #[arg(long, value_name = "NAME")]
    pub kernel: Vec<String>,

    /// Analyses this instance of a kernel template too. Example: `--instantiate 'softmax<float, 128>'`
    #[arg(long, value_name = "INSTANCE")]
    pub instantiate: Vec<String>,

    /// The width of a warp on the target: 32 lanes as in CUDA on any hardware, or the hardware's own.
    /// Example: `--warp native`
    #[arg(long, value_name = "32|native", default_value = "32", value_parser = parse_warp)]
    pub warp: WarpMode,

    /// The compute capability whose `__CUDA_ARCH__` branches are ported. Example: `--cuda-arch 90`
    #[arg(long, value_name = "SM", default_value_t = 80,
        value_parser = clap::value_parser!(u32).range(30..=130))]
    pub cuda_arch: u32,

    /// Overwrites files that exist. Example: `port k.cu --target hip --force`
    #[arg(long)]
    pub force: bool,
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

fn parse_warp(text: &str) -> Result<WarpMode, String> {
    match text {
        "32" => Ok(WarpMode::Logical32),
        "native" => Ok(WarpMode::Native),
        other => Err(format!("`{other}` is neither `32` nor `native`")),
    }
}
