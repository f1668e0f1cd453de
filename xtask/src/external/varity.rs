//! LLNL/Varity's CUDA examples (github.com/LLNL/Varity): random programs with the results that CUDA
//! 9.2 gave on a V100, at `-O3` and with `-use_fast_math`, against `port run`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A compilation of the suite: its name there, and the profile that stands for it.
const MODES: [(&str, &str); 2] = [("O3", "cuda:sm_70"), ("O3_nostrict", "cuda:sm_70+fast-math")];

/// Runs the cases of a range such as `1..100`, both ends included.
pub fn run(path: &Path, cases: &str, binary: Option<&Path>) -> Result<(), String> {
    let (first, last) = range(cases)?;
    let root = path.join("cuda_examples");
    let (sources, results) = if root.is_dir() {
        (root.join("src"), root.join("outputs.txt"))
    } else {
        (path.to_path_buf(), path.join("outputs.txt"))
    };
    let results = read(&results)?;
    let binary = match binary {
        Some(binary) => binary.to_path_buf(),
        None => built()?,
    };
    for (mode, profile) in MODES {
        let (mut equal, mut total) = (0, 0);
        for case in first..=last {
            let folder = sources.join(format!("case_{case}"));
            let Some(recorded) = recorded(&results, case, mode) else {
                return Err(format!("no result of case {case} for {mode}"));
            };
            total += 1;
            let printed = execute(&binary, &folder, profile);
            match printed {
                Ok(printed) if same(&printed, &recorded) => equal += 1,
                Ok(printed) => println!("{mode} case {case}: {printed}, recorded {recorded}"),
                Err(error) => println!("{mode} case {case}: {error}"),
            }
        }
        println!("{mode} as {profile}: {equal} of {total} equal");
    }
    Ok(())
}

fn range(text: &str) -> Result<(u32, u32), String> {
    let wrong = || format!("`{text}` is no range such as 1..100");
    let (first, last) = text.split_once("..").ok_or_else(wrong)?;
    let number = |text: &str| text.trim().parse().map_err(|_| wrong());
    Ok((number(first)?, number(last)?))
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// `port`, built beside this program.
fn built() -> Result<PathBuf, String> {
    let status = Command::new("cargo")
        .args(["build", "--quiet", "--package", "port-cli"])
        .status()
        .map_err(|error| format!("cargo: {error}"))?;
    if !status.success() {
        return Err("port-cli does not build".to_owned());
    }
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let name = format!("port{}", std::env::consts::EXE_SUFFIX);
    Ok(own.with_file_name(name))
}

/// The result of a case in a mode: blocks of lines begin with `Case: N`.
fn recorded(results: &str, case: u32, mode: &str) -> Option<String> {
    let number = case.to_string();
    let block = results
        .split("Case:")
        .find(|block| block.split_whitespace().next() == Some(number.as_str()))?;
    block.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        (name.trim() == mode).then(|| value.trim().to_owned())
    })
}

fn execute(binary: &Path, folder: &Path, profile: &str) -> Result<String, String> {
    let source = folder.join("test.cu");
    let parameters = parameters(&read(&source)?)?;
    let inputs = read(&folder.join("input.txt"))?;
    let mut command = Command::new(binary);
    command.arg("run").arg(&source);
    command.args(["--kernel", "compute", "--grid", "1", "--block", "1", "--profile", profile]);
    for ((ty, name), value) in parameters.iter().zip(inputs.split_whitespace()) {
        let value = value.trim_end_matches('f').trim_start_matches('+');
        // The host program fills ten elements of each array with the value.
        let value = if ty.contains('*') { format!("full({value}):f32[10]") } else { value.into() };
        command.arg("--arg").arg(format!("{name}={value}"));
    }
    let output = command.output().map_err(|error| format!("{}: {error}", binary.display()))?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr);
        return Err(message.lines().next().unwrap_or("failed").to_owned());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The kernel's parameters: type and name.
fn parameters(source: &str) -> Result<Vec<(String, String)>, String> {
    let list = source
        .split_once("void compute(")
        .and_then(|(_, rest)| rest.split_once(')'))
        .ok_or("no kernel `compute`")?
        .0;
    list.split(',')
        .map(|parameter| {
            let (ty, name) = parameter.trim().rsplit_once(' ').ok_or("a parameter without name")?;
            Ok((ty.trim().to_owned(), name.trim().to_owned()))
        })
        .collect()
}

/// Equal text, but for the sign of NaN, which neither side defines.
fn same(printed: &str, recorded: &str) -> bool {
    let unsigned = |text: &str| text.strip_prefix('-').filter(|t| *t == "nan").map(str::to_owned);
    let plain = |text: &str| unsigned(text).unwrap_or_else(|| text.to_owned());
    plain(printed) == plain(recorded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_found_by_case_and_mode() {
        let results = "Case: 1\nInput: +1.0f\nO3_nostrict: 0\nO3: 1.5\n\nCase: 11\nO3: -nan\n";
        assert_eq!(recorded(results, 1, "O3").as_deref(), Some("1.5"));
        assert_eq!(recorded(results, 1, "O3_nostrict").as_deref(), Some("0"));
        assert_eq!(recorded(results, 11, "O3").as_deref(), Some("-nan"));
        assert_eq!(recorded(results, 2, "O3"), None);
    }

    #[test]
    fn only_the_sign_of_nan_is_ignored() {
        assert!(same("-nan", "nan"));
        assert!(!same("-inf", "inf"));
        assert!(!same("-0", "0"));
    }

    #[test]
    fn parameters_are_read_from_the_text() {
        let text = "__global__\nvoid compute(float comp, int var_1,float* var_2) {\n}";
        let expected = [("float", "comp"), ("int", "var_1"), ("float*", "var_2")];
        let expected = expected.map(|(ty, name)| (ty.to_owned(), name.to_owned()));
        assert_eq!(parameters(text), Ok(expected.to_vec()));
    }
}
