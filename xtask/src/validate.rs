//! `cargo xtask validate`: HIP files by the real clang for every architecture and header set, CUDA
//! files by the real nvcc.
//!
//! It compiles what it is given; it must not know how a port is made.

use std::path::{Path, PathBuf};

use port_compilers::{
    ARCHITECTURES, Failure, HipHeaders, HipJob, HipStage, Tools, in_parallel, workspace,
};

/// Options of `cargo xtask validate`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// HIP (`.hip`) and CUDA (`.cu`) files, or folders of them; `kernels` when none is given.
    paths: Vec<PathBuf>,
    /// Folders for the files' own headers; a file's own folder is always searched.
    #[arg(short = 'I', value_name = "DIR")]
    include: Vec<PathBuf>,
    /// Architectures of AMD to compile HIP files for; all when none is given.
    #[arg(long, value_delimiter = ',')]
    arch: Vec<String>,
    /// What nvcc compiles CUDA files for.
    #[arg(long, default_value = "sm_80")]
    cuda_arch: String,
}

/// One compiler run of this task.
enum Job {
    Check { file: PathBuf, architecture: String, headers: HipHeaders },
    Device { file: PathBuf, architecture: String, headers: HipHeaders },
    Cuda { file: PathBuf },
}

impl Job {
    fn name(&self) -> String {
        match self {
            Job::Check { file, architecture, headers } => {
                format!("{} {architecture} {headers} host and device syntax", file.display())
            }
            Job::Device { file, architecture, headers } => {
                format!("{} {architecture} {headers} device code", file.display())
            }
            Job::Cuda { file } => format!("{} nvcc", file.display()),
        }
    }
}

/// Compiles every file; reports each failure, and fails if there is one.
pub fn run(arguments: &Arguments) -> Result<(), String> {
    let tools = Tools::locate();
    let paths = if arguments.paths.is_empty() {
        vec![workspace().join("kernels")]
    } else {
        arguments.paths.clone()
    };
    let mut files = Vec::new();
    for path in &paths {
        collect(path, &mut files)?;
    }
    if files.is_empty() {
        return Err("no .hip or .cu file among the paths".to_string());
    }
    let architectures: Vec<String> = if arguments.arch.is_empty() {
        ARCHITECTURES.iter().map(|name| (*name).to_string()).collect()
    } else {
        arguments.arch.clone()
    };

    let mut jobs = Vec::new();
    for file in files {
        if file.extension().is_some_and(|extension| extension == "cu") {
            jobs.push(Job::Cuda { file });
            continue;
        }
        for headers in HipHeaders::ALL {
            for architecture in &architectures {
                let (file, architecture) = (file.clone(), architecture.clone());
                jobs.push(Job::Check { file, architecture, headers });
            }
            for architecture in &architectures {
                let (file, architecture) = (file.clone(), architecture.clone());
                jobs.push(Job::Device { file, architecture, headers });
            }
        }
    }
    if jobs.iter().any(|job| !matches!(job, Job::Cuda { .. })) {
        for headers in HipHeaders::ALL {
            let missing = tools.missing_for_hip(headers);
            if !missing.is_empty() {
                return Err(format!("missing {}; run `cargo xtask setup`", missing.join(", ")));
            }
        }
    }

    let outcomes = in_parallel(&jobs, |job| compile(&tools, job, arguments));
    let mut failures = 0;
    for (job, outcome) in jobs.iter().zip(&outcomes) {
        if let Err(failure) = outcome {
            failures += 1;
            println!("FAILED {}\n{failure}\n", job.name());
        }
    }
    println!("{} compilations, {failures} failed", jobs.len());
    if failures == 0 { Ok(()) } else { Err(format!("{failures} compilations failed")) }
}

fn compile(tools: &Tools, job: &Job, arguments: &Arguments) -> Result<(), Failure> {
    let (file, architecture, headers, stage) = match job {
        Job::Check { file, architecture, headers } => {
            (file, architecture, *headers, HipStage::Check)
        }
        Job::Device { file, architecture, headers } => {
            (file, architecture, *headers, HipStage::Device)
        }
        Job::Cuda { file } => {
            let output = Path::new("/dev/null");
            return tools.compile_cuda(file, &arguments.cuda_arch, &arguments.include, &[], output);
        }
    };
    tools.compile_hip(&HipJob {
        source: file,
        architecture,
        headers,
        stage,
        include_folders: &arguments.include,
        extra: &[],
        output: None,
        precompiled: None,
    })
}

/// Adds the file, or the `.hip` and `.cu` files under the folder, in the order of their names.
fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let explain = |error: std::io::Error| format!("{}: {error}", path.display());
    if !std::fs::metadata(path).map_err(explain)?.is_dir() {
        files.push(path.to_path_buf());
        return Ok(());
    }
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(path).map_err(explain)? {
        entries.push(entry.map_err(explain)?.path());
    }
    entries.sort();
    for entry in entries {
        let wanted = entry.extension().is_some_and(|name| name == "hip" || name == "cu");
        if entry.is_dir() || wanted {
            collect(&entry, files)?;
        }
    }
    Ok(())
}
