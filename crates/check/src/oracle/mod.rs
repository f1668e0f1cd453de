//! The fiber oracle: compiles a text as it stands with the machine's C++ compiler against the
//! runtime in `oracle/`, and runs its kernels thread by thread.
//!
//! The original CUDA text and the HIP text of a port run on the same machine model, under a warp of
//! 32 or 64 lanes and several orders of threads, so their results can be compared bit for bit. It
//! uses nothing of the front end: the text goes to the C++ compiler with a few lexical replacements
//! ([`scan`]), which are reported.
//!
//! ## The machine
//! - **Blocks** run one after the other; each thread of a block is a fiber. A block whose threads all
//!   wait for the grid, or spin on memory, is put aside until other blocks have run.
//! - **Barriers** count arrivals of the threads that have not exited, as GPUs do since Volta, so an
//!   early return before a barrier is no error. Threads that wait at barriers on different lines
//!   are one (`divergent-barrier`).
//! - **`*_sync` warp operations** meet the lanes that their mask names, wherever they call from. A
//!   caller that its mask does not name, or a named lane that never comes, is an error
//!   (`mask-violation`); lanes that have exited do not count.
//! - **Operations without a mask** (HIP's `__shfl`, `__ballot`, …; CUDA's `__activemask`) meet the
//!   lanes that execute the same call, as lockstep lanes do. Which lanes those are is decided when
//!   no lane of the wave can run otherwise; the group whose call comes first in the code goes first,
//!   so lanes that are behind catch up, and lanes reconverge after branches and loops.
//! - **A shuffle from a lane that takes no part** gives poison (all bits set) and a note.
//! - **Shared and device memory** is poisoned with `0xff`; device memory ends at a guard page.
//! - **Arithmetic** is the processor's: each operation rounded once, no contraction; 16-bit floats
//!   round once to nearest even. Library functions are the C library's on both sides.

pub(crate) mod assets;
pub(crate) mod build;
pub(crate) mod driver;
mod elf;
mod error;
pub(crate) mod execute;
pub mod scan;

use std::path::PathBuf;
use std::time::Duration;

pub use build::{Executable, Oracle, Program};
pub use error::OracleError;
pub use execute::{Note, ProgramResult, RunResult};

/// Which headers a text is compiled against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Language {
    /// CUDA's names; `cuda_runtime.h` is included before the text, as nvcc does.
    Cuda,
    /// HIP's names; the text includes `hip/hip_runtime.h` itself.
    Hip,
    /// None: a port for the processor, which brings its own header ([`crate::cpu`]).
    Cpu,
    /// Ascend C, which [`crate::ascend`] runs on a model.
    Ascend,
}

impl Language {
    /// `CUDA`, `HIP` or `C++`.
    pub fn name(self) -> &'static str {
        match self {
            Language::Cuda => "CUDA",
            Language::Hip => "HIP",
            Language::Cpu => "C++",
            Language::Ascend => "Ascend C",
        }
    }
}

/// A text to run, with the files that it includes.
#[derive(Clone, Debug)]
pub struct Source {
    /// The names that it uses.
    pub language: Language,
    /// (path, text): the main file first, then the files it includes, at paths relative to the same
    /// folder.
    pub files: Vec<(String, String)>,
    /// Folders of the disk to look for other headers in.
    pub include_directories: Vec<PathBuf>,
    /// (name, value) of further macros.
    pub defines: Vec<(String, String)>,
    /// Identifiers of the spec's kernel texts that are spelt differently in this text: (spec's,
    /// this text's).
    pub renames: Vec<(String, String)>,
}

impl Source {
    /// A text of one file.
    pub fn new(language: Language, path: &str, text: &str) -> Source {
        Source {
            language,
            files: vec![(path.to_string(), text.to_string())],
            include_directories: Vec::new(),
            defines: Vec::new(),
            renames: Vec::new(),
        }
    }

    /// Adds a file that the text includes.
    pub fn with_file(mut self, path: &str, text: &str) -> Source {
        self.files.push((path.to_string(), text.to_string()));
        self
    }

    /// Adds a macro.
    pub fn with_define(mut self, name: &str, value: &str) -> Source {
        self.defines.push((name.to_string(), value.to_string()));
        self
    }

    /// Adds a folder to look for headers in.
    pub fn with_include_directory(mut self, directory: impl Into<PathBuf>) -> Source {
        self.include_directories.push(directory.into());
        self
    }

    /// Renames an identifier of the spec's kernel texts for this text.
    pub fn with_rename(mut self, from: &str, to: &str) -> Source {
        self.renames.push((from.to_string(), to.to_string()));
        self
    }
}

/// An order in which things run that have no order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// By number, upwards.
    #[default]
    Ascending,
    /// By number, downwards.
    Descending,
    /// By a permutation of this seed.
    Shuffled(u64),
}

impl Order {
    fn setting(self) -> String {
        match self {
            Order::Ascending => "ascending".into(),
            Order::Descending => "descending".into(),
            Order::Shuffled(seed) => format!("shuffled:{seed}"),
        }
    }
}

/// How to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunOptions {
    /// Lanes of a warp or wave: 32 or 64.
    pub warp: u32,
    /// The order of the warps of a block and of the lanes of a warp.
    pub order: Order,
    /// The order of the blocks of a grid.
    pub blocks: Order,
    /// Longest time of the whole run.
    pub time_limit: Duration,
    /// Most bytes of address space.
    pub memory_limit: u64,
}

impl Default for RunOptions {
    fn default() -> RunOptions {
        RunOptions {
            warp: 32,
            order: Order::Ascending,
            blocks: Order::Ascending,
            time_limit: Duration::from_secs(60),
            memory_limit: 4 << 30,
        }
    }
}
