//! Building a kernel file with a spec, and running one launch of it.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use port_check::oracle::{
    Executable, Language, Oracle, OracleError, RunOptions, RunResult, Source,
};
use port_check::spec::{Case, ParameterSet, Spec};
use port_check::tensor::Tensor;
use port_check::toolchain::Toolchain;
use port_diag::SourceMap;

/// The compiler with the runtime, once for all tests.
pub fn oracle() -> &'static Oracle {
    static ORACLE: OnceLock<Oracle> = OnceLock::new();
    ORACLE.get_or_init(|| {
        let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("oracle");
        match Oracle::with_cache(&Toolchain::discover(), &cache) {
            Ok(oracle) => oracle,
            Err(error) => panic!("these tests need a C++ compiler: {error}"),
        }
    })
}

pub fn kernel_text(name: &str) -> String {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests/kernels", name].iter().collect();
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub fn parse(spec: &str) -> Spec {
    let mut sources = SourceMap::new();
    let file = sources.add("spec.toml", spec);
    Spec::parse(&sources, file).unwrap_or_else(|diagnostics| {
        panic!("{:?}", diagnostics.iter().map(|d| d.message.clone()).collect::<Vec<_>>())
    })
}

/// A kernel file compiled for all launches of its spec.
pub struct Suite {
    executable: Executable,
    pub case: Case,
}

impl Suite {
    pub fn new(file: &str, spec: &str) -> Suite {
        let language = if file.ends_with(".hip") { Language::Hip } else { Language::Cuda };
        let spec = parse(spec);
        let source = Source::new(language, file, &kernel_text(file));
        let executable =
            oracle().build(&source, &spec).unwrap_or_else(|error| panic!("{file}: {error}"));
        let case = match spec.case(&ParameterSet::default()) {
            Ok(case) => case,
            Err(diagnostics) => panic!("{:?}", diagnostics[0].message),
        };
        Suite { executable, case }
    }

    /// The case with the launches of other kernels switched off.
    pub fn only(&self, kernel: &str) -> Case {
        let mut case = self.case.clone();
        let mut found = 0;
        for launch in &mut case.launches {
            if launch.kernel == kernel {
                found += 1;
            } else {
                launch.grid = [0, 1, 1];
            }
        }
        assert_ne!(found, 0, "no launch of {kernel}");
        case
    }

    pub fn run_case(&self, case: &Case, options: &RunOptions) -> Result<RunResult, OracleError> {
        self.executable.run(case, options)
    }

    pub fn run(&self, kernel: &str) -> RunResult {
        self.run_with(kernel, &RunOptions::default())
    }

    pub fn run_with(&self, kernel: &str, options: &RunOptions) -> RunResult {
        self.run_case(&self.only(kernel), options)
            .unwrap_or_else(|error| panic!("{kernel} {options:?}: {error}"))
    }

    pub fn error(&self, kernel: &str, options: &RunOptions) -> (String, String) {
        match self.run_case(&self.only(kernel), options) {
            Ok(_) => panic!("{kernel} ran without an error"),
            Err(error) => (error.kind().to_string(), error.to_string()),
        }
    }
}

/// Replaces a buffer's initial contents.
pub fn set_buffer(case: &mut Case, name: &str, tensor: Tensor) {
    let index = case.buffer_index(name).unwrap_or_else(|| panic!("no buffer {name}"));
    assert_eq!(case.buffers[index].tensor.shape(), tensor.shape());
    case.buffers[index].tensor = tensor;
}

/// A small generator for test data (SplitMix64).
pub struct Random(pub u64);

impl Random {
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}
