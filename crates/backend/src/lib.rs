//! What every back end is given and what it returns.
//!
//! A back end takes a [`Unit`] (one translation unit, analysed) and returns a [`Ported`]: files,
//! a status for each kernel, and findings. It reads no file and stops at no first error. Back ends
//! never see each other.

mod disambiguators;
pub mod findings;
pub mod text;

pub use disambiguators::unmarked_templates;

use port_diag::{Diagnostic, FileId, SourceMap};
use port_hir::{FunctionId, Module};
use port_rewrite::Change;
use port_syntax::{Configuration, Parsed};

/// Width of a warp in the port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum WarpMode {
    /// 32 lanes, as in CUDA, on any hardware: results and their order are kept.
    #[default]
    Logical32,
    /// The hardware's own width.
    Native,
}

/// Whose choices the arithmetic of a port that is regenerated makes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum FloatMode {
    /// The target's own: on a CPU each operation is rounded once, and fused only where the source says
    /// so.
    #[default]
    Own,
    /// Products and sums are fused where nvcc fuses them.
    Cuda,
}

/// The release of CANN that a port to Ascend is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Cann {
    /// 8.x: `ascendc_library`, `ACLRT_LAUNCH_KERNEL`.
    V8,
    /// 9.x: `.asc` files, `k<<<…>>>`.
    #[default]
    V9,
}

/// How the folder of a port is laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Project {
    /// Sources that build as they are.
    #[default]
    Plain,
    /// Also the custom operators of `msopgen`: `op_host`, `op_kernel`.
    Msopgen,
}

/// What a back end may be asked for.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Width of a warp.
    pub warp: WarpMode,
    /// The architecture, if one was named; one of [`Backend::architectures`].
    pub architecture: Option<&'static str>,
    /// `__CUDA_ARCH__` of the reference, 800 for sm_80.
    pub cuda_arch: u32,
    /// The folder of generated files that units share, as the source map spells paths; `None`: the
    /// folder of the unit's root.
    pub shared_folder: Option<String>,
    /// Whose choices the arithmetic makes, where the target can follow them.
    pub float: FloatMode,
    /// The release of CANN.
    pub cann: Cann,
    /// The layout of a port that is a folder.
    pub project: Project,
    /// Whether to write a binding for PyTorch.
    pub torch: bool,
    /// The text of the specification beside the unit's root, where there is one.
    pub specification: Option<String>,
}

/// One translation unit, analysed under the reference configuration.
#[derive(Clone, Copy, Debug)]
pub struct Unit<'a> {
    /// All files in reach.
    pub sources: &'a SourceMap,
    /// The file that the user named.
    pub root: FileId,
    /// The macros and folders that the reference is compiled with.
    pub configuration: &'a Configuration,
    /// The tokens and the tree that CUDA compiles.
    pub parsed: &'a Parsed,
    /// Names, types, and what each token means.
    pub module: &'a Module,
    /// The kernel instances in view.
    pub instances: &'a [KernelInstance],
    /// The instances as IR.
    pub ir: &'a port_ir::Module,
    /// The findings so far. An error among them keeps what holds it from being ported.
    pub findings: &'a [Diagnostic],
}

/// An instance of a kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct KernelInstance {
    /// The kernel.
    pub kernel: FunctionId,
    /// Its template arguments, `<float, 4>`; empty for a kernel that is no template.
    pub arguments: String,
    /// Its IR; `None` when it could not be lowered.
    pub function: Option<port_ir::Handle<port_ir::Function>>,
    /// Why it could not be lowered: the first finding.
    pub failure: Option<Diagnostic>,
}

/// What became of a kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Status {
    /// Ported; everything that can differ on the target was looked at.
    Ported,
    /// The text is ported; its semantics could not be analysed.
    PortedUnchecked,
    /// Right, with a note on what it costs.
    PortedSlow,
    /// Not translated: a person has to.
    Manual,
}

impl Status {
    /// As reports spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Ported => "ported",
            Status::PortedUnchecked => "ported-unchecked",
            Status::PortedSlow => "ported-slow",
            Status::Manual => "manual",
        }
    }
}

/// What became of an instance of a kernel. A kernel shows the worst of its instances.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KernelReport {
    /// The qualified name.
    pub name: String,
    /// The template arguments, `<float, 4>`; empty for a kernel that is no template.
    pub instance: String,
    /// The file that holds the definition.
    pub file: FileId,
    /// The line of the definition, from 1.
    pub line: u32,
    /// What became of it.
    pub status: Status,
    /// How: `edits` for a dialect.
    pub lowering: &'static str,
    /// The codes of the findings that concern it, sorted, each once.
    pub codes: Vec<&'static str>,
}

/// A file of a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputFile {
    /// What it is.
    pub role: FileRole,
    /// Its text.
    pub text: String,
    /// The changes that made it, in the order of the input's text; empty for a generated file.
    pub changes: Vec<Change>,
}

/// Which file of a port an [`OutputFile`] is. Where it goes is for the caller to decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FileRole {
    /// The port of the file that the user named.
    Root,
    /// The port of a repository header; it keeps its name.
    Header(FileId),
    /// A generated file of this name, or path below the port's folder. Names that are made at run
    /// time are interned ([`generated`]).
    Generated(&'static str),
}

/// The role of a generated file whose name is made at run time.
pub fn generated(name: &str) -> FileRole {
    FileRole::Generated(port_syntax::Symbol::new(name).as_str())
}

/// Where a header of the user's stands in a folder that holds a whole port: by its way from the root's
/// folder, without the steps upwards.
pub fn in_folder(root: &str, header: &str) -> String {
    let split = |path: &str| -> Vec<String> {
        path.split('/').filter(|part| !part.is_empty() && *part != ".").map(str::to_owned).collect()
    };
    let (mut from, to) = (split(root), split(header));
    from.pop();
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let rest: Vec<&str> =
        to[common..].iter().map(String::as_str).filter(|part| *part != "..").collect();
    rest.join("/")
}

/// The result of a back end.
#[derive(Clone, Debug, Default)]
pub struct Ported {
    /// The files; the root's first.
    pub files: Vec<OutputFile>,
    /// Kernel instances in the order of the text.
    pub kernels: Vec<KernelReport>,
    /// All findings, those of the unit included.
    pub diagnostics: Vec<Diagnostic>,
}

/// A target.
pub trait Backend: Sync {
    /// The name on the command line.
    fn name(&self) -> &'static str;

    /// One line for people.
    fn description(&self) -> &'static str;

    /// The architectures that may follow the name, the default first.
    fn architectures(&self) -> &'static [Architecture];

    /// The extension of the root's port, without the dot.
    fn extension(&self) -> &'static str;

    /// For a target whose port of a unit is a folder of its own: what follows the root's stem in the
    /// folder's name. All files of the port are in it, headers by [`in_folder`].
    fn folder_suffix(&self) -> Option<&'static str> {
        None
    }

    /// One text that serves wherever any of these generated files of this name would; `None` when
    /// they cannot be joined (one is not a file that this back end wrote, or they contradict).
    fn merge_generated(&self, name: &str, texts: &[&str]) -> Option<String>;

    /// Ports one unit.
    fn port(&self, unit: &Unit<'_>, options: &Options) -> Ported;
}

/// An architecture of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Architecture {
    /// As written after the target's name.
    pub name: &'static str,
    /// Lanes of a hardware wave.
    pub wave: u32,
    /// What a user should know: that the compiler checks stand on another chip, for example.
    pub note: Option<&'static str>,
}
