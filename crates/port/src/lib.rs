//! Ports CUDA C++ to other accelerators: the whole pipeline as pure functions.
//!
//! ```
//! let mut sources = port::SourceMap::new();
//! let root = sources.add("scale.cu", "__global__ void scale(float *x) { x[threadIdx.x] *= 2.0f; }\n");
//! let target: port::Target = "hip".parse().unwrap();
//! let options = port::Options::default();
//! let translations = port::translate(&sources, root, &[target], &options);
//! assert!(translations[0].ported.files[0].text.starts_with("#include <hip/hip_runtime.h>\n"));
//! ```
//!
//! Nothing here reads a file, keeps state or depends on time: the same sources and options give the
//! same bytes. Whoever calls fills the [`SourceMap`] with every file that may be included; [`load`]
//! does that by a function that reads a file.

mod device;
mod load;
mod registry;
mod summary;
mod target;
mod unit;

pub use device::{DeviceCode, DeviceKernel, Dialect, device_code, plain_name};
pub use load::{IncludeRequest, Loaded, Read, Refused, include_requests, load};
pub use port_backend::{
    Architecture, Backend, Cann, FileRole, FloatMode, KernelReport, OutputFile, Ported, Project,
    Status, WarpMode, in_folder,
};
pub use port_diag::{Diagnostic, FileId, Severity, SourceMap};
pub use port_rewrite::{Change, Reason};
pub use registry::{explain, findings};
pub use summary::{KernelSummary, kernels, summary};
pub use target::{Target, TargetError, ascend_name, backends, hip_name};
pub use unit::{Analysis, front_end};

/// What is asked of a run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Folders searched for includes, as the source map spells them.
    pub include_dirs: Vec<String>,
    /// Macros, as `-D` gives them.
    pub defines: Vec<(String, String)>,
    /// Instances of kernel templates to analyse besides those in view: `softmax<float, 128>`.
    pub instantiate: Vec<String>,
    /// Width of a warp in the port.
    pub warp: WarpMode,
    /// The compute capability of the reference, times ten: 80 for sm_80.
    pub cuda_arch: u32,
    /// The folder of generated files that several units share; `None`: beside each root.
    pub shared_folder: Option<String>,
    /// Whose choices the arithmetic of a port to the CPU makes.
    pub float: FloatMode,
    /// The release of CANN that ports to Ascend are for.
    pub cann: Cann,
    /// The layout of a port that is a folder.
    pub project: Project,
    /// Whether to write a binding for PyTorch, where the target has one.
    pub torch: bool,
    /// The text of the specification beside the root, where there is one.
    pub specification: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            include_dirs: Vec::new(),
            defines: Vec::new(),
            instantiate: Vec::new(),
            warp: WarpMode::default(),
            cuda_arch: 80,
            shared_folder: None,
            float: FloatMode::default(),
            cann: Cann::default(),
            project: Project::default(),
            torch: false,
            specification: None,
        }
    }
}

/// The port of one unit to one target.
#[derive(Clone, Debug)]
pub struct Translation {
    /// The target.
    pub target: Target,
    /// Files, kernels and findings; the findings of the front end are among them.
    pub ported: Ported,
}

/// Ports one file, with the headers that it includes, to each target.
pub fn translate(
    sources: &SourceMap,
    root: FileId,
    targets: &[Target],
    options: &Options,
) -> Vec<Translation> {
    let analysis = Analysis::new(sources, root, options);
    targets.iter().map(|target| analysis.port(target)).collect()
}
