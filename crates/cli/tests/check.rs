//! `port check`, as a user runs it: verdicts, causes, evidence, specs that it writes.

#![allow(clippy::disallowed_methods, reason = "a test of the binary runs it over files")]

mod common;

use std::fs;
use std::path::Path;
use std::process::Output;

use common::{SCALE, port, put, status, text};
use serde_json::Value;

/// A kernel whose product and sum nvcc fuses; the plain port to C++ does not.
const AXPB: &str = "\
__global__ void axpb(float *y, const float *x, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) {
    y[i] = x[i] * 0.1f + 0.3f;
  }
}

void launch(float *y, const float *x, int n) { axpb<<<(n + 127) / 128, 128>>>(y, x, n); }
";

const SPEC: &str = "\
ints = [[\"n\", \"1000\"]]
[buffers]
x = { dtype = \"f32\", shape = [\"n\"], init = \"uniform(-4, 4)\", seed = 1 }
y = { dtype = \"f32\", shape = [\"n\"], init = \"zeros\", out = true }
[[launch]]
kernel = \"axpb\"
grid = [\"ceil_div(n, 128)\"]
block = [128]
args = [\"y\", \"x\", \"n\"]
";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    put(folder.path(), "axpb.cu", AXPB);
    put(folder.path(), "axpb.toml", SPEC);
    folder
}

fn check(folder: &Path, arguments: &[&str]) -> Output {
    port(folder, &[&["check", "axpb.cu"], arguments].concat())
}

fn json(folder: &Path, arguments: &[&str]) -> (i32, Value) {
    let output = check(folder, &[arguments, &["--message-format", "json"]].concat());
    let document = serde_json::from_slice(&output.stdout);
    let document = document.unwrap_or_else(|e| panic!("{e}: {}", text(&output.stderr)));
    (status(&output), document)
}

fn has_compiler() -> bool {
    let found = port_check::toolchain::Toolchain::discover().cxx.is_some();
    if !found {
        eprintln!("not run: no C++ compiler");
    }
    found
}

#[test]
fn drift_is_told_from_bugs_and_traced_to_its_cause() {
    if !has_compiler() {
        return;
    }
    let folder = folder();
    let (code, document) = json(folder.path(), &["--target", "cpu", "--rule", "bits"]);
    let kernel = &document["kernels"][0];
    assert_eq!(code, 1, "{document}");
    assert_eq!(kernel["name"], "axpb");
    assert_eq!(kernel["target"], "cpu");
    assert_eq!(kernel["verdict"], "target-drift", "{kernel}");
    let cause = &kernel["causes"][0];
    assert_eq!((cause["cause"].as_str(), cause["line"].as_u64()), (Some("contraction"), Some(4)));
    assert!(cause["share"].as_f64().is_some_and(|share| share > 0.99), "{cause}");
    let output = &kernel["outputs"][0];
    assert_eq!(output["pass"]["bits"], false);
    assert_eq!(output["pass"]["torch"], true);
    // One rounding less on numbers around 0.3 ± 0.4: a few ulp at most where the sum cancels.
    assert!(output["max_ulp"].as_u64().is_some_and(|ulp| (1..1 << 20).contains(&ulp)), "{output}");
    // The same difference is accepted by the usual rule.
    let (code, document) = json(folder.path(), &["--target", "cpu"]);
    assert_eq!((code, document["kernels"][0]["verdict"].as_str()), (0, Some("within-rule")));
    // A port that fuses what nvcc fuses has the original's bits.
    let arguments = ["--target", "cpu", "--rule", "bits", "--float", "cuda"];
    let (code, document) = json(folder.path(), &arguments);
    let (kernel, evidence) = (&document["kernels"][0], &document["evidence"]);
    assert_eq!((code, kernel["verdict"].as_str()), (0, Some("equal")), "{document}");
    let missing = |note: &serde_json::Value| !note["missing"].is_null();
    assert!(!evidence.as_array().expect("evidence").iter().any(missing), "{evidence}");
}

#[test]
fn the_document_has_the_documented_fields_and_is_always_the_same() {
    if !has_compiler() {
        return;
    }
    let folder = folder();
    let (_, document) = json(folder.path(), &["--target", "cpu,hip"]);
    let keys = |value: &Value| -> Vec<String> {
        value.as_object().map(|map| map.keys().cloned().collect()).unwrap_or_default()
    };
    assert_eq!(keys(&document), ["schema", "kernels", "evidence", "diagnostics"]);
    let kernels = document["kernels"].as_array().expect("kernels");
    let targets: Vec<&str> =
        kernels.iter().filter_map(|kernel| kernel["target"].as_str()).collect();
    assert_eq!(targets, ["cpu", "hip"]);
    for kernel in kernels {
        assert_eq!(
            keys(kernel),
            ["name", "target", "verdict", "outputs", "causes", "rule", "profiles"]
        );
        let output = &kernel["outputs"][0];
        let documented = [
            "name",
            "dtype",
            "count",
            "max_ulp",
            "max_rel",
            "mean_rel",
            "bias",
            "cosine",
            "rmse",
            "nan_mismatch",
            "pass",
        ];
        let present = keys(output);
        for field in documented {
            assert!(present.iter().any(|key| key == field), "{field} is missing: {present:?}");
        }
        assert_eq!((output["name"].as_str(), output["count"].as_u64()), (Some("y"), Some(1000)));
    }
    let again = json(folder.path(), &["--target", "cpu,hip", "--jobs", "1"]).1;
    assert_eq!(again, document);
}

#[test]
fn without_a_compiler_it_says_what_is_missing() {
    let folder = folder();
    let (code, document) = json(folder.path(), &["--target", "cpu", "--no-compiler"]);
    let kernel = &document["kernels"][0];
    assert_eq!((code, kernel["verdict"].as_str()), (1, Some("unproven")));
    // The drift is measured all the same.
    assert!(kernel["outputs"][0]["max_ulp"].as_u64().is_some(), "{kernel}");
    let evidence = document["evidence"].as_array().expect("evidence");
    assert!(evidence.iter().any(|note| note["missing"] == "--no-compiler"), "{evidence:?}");
    let human = check(folder.path(), &["--target", "cpu", "--no-compiler"]);
    let said = text(&human.stdout);
    assert!(said.starts_with("axpb.cu -> cpu: unproven"), "{said}");
    assert!(said.contains("missing  the port, compiled"), "{said}");
    assert!(text(&human.stderr).contains("P0653"), "{}", text(&human.stderr));
}

#[test]
fn a_hip_port_is_equal_where_no_arithmetic_differs() {
    if !has_compiler() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    put(folder.path(), "scale.cu", SCALE);
    let launch =
        ["--kernel", "scale", "--grid", "2", "--block", "32", "--arg", "n=50", "--arg", "a=3"];
    let data = ["--arg", "x=uniform(-1,1)[n]", "--message-format", "json"];
    let output = port(
        folder.path(),
        &[&["check", "scale.cu", "--target", "hip"], &launch[..], &data].concat(),
    );
    let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(document["kernels"][0]["verdict"], "equal", "{document}");
    assert_eq!(status(&output), 0);
}

#[test]
fn a_spec_is_written_once_and_can_be_checked() {
    let folder = tempfile::tempdir().expect("a folder");
    put(folder.path(), "axpb.cu", AXPB);
    let init =
        |more: &[&str]| check(folder.path(), &[&["--target", "cpu", "--init"], more].concat());
    let output = init(&[]);
    assert_eq!(status(&output), 0, "{}", text(&output.stderr));
    let path = folder.path().join("axpb.toml");
    let spec = fs::read_to_string(&path).expect("a spec");
    assert!(spec.contains("kernel = \"axpb\"") && spec.contains("block = [128]"), "{spec}");
    let run = port(folder.path(), &["run", "axpb.cu", "--sanitize"]);
    assert_eq!(status(&run), 0, "{}", text(&run.stderr));
    fs::write(&path, format!("{spec}# mine\n")).expect("a file");
    assert_eq!(status(&init(&[])), 2, "an edited spec is kept");
    assert!(fs::read_to_string(&path).expect("a spec").ends_with("# mine\n"));
    assert_eq!(status(&init(&["--force"])), 0);
    assert_eq!(fs::read_to_string(&path).expect("a spec"), spec);
    put(folder.path(), "none.cu", "int main() { return 0; }\n");
    let none = port(folder.path(), &["check", "none.cu", "--init"]);
    assert_eq!(status(&none), 2);
    assert!(!folder.path().join("none.toml").exists());
}

/// Integers come from the file's own launch, and buffers are as large as the launch needs; what is left is
/// said at the launch.
#[test]
fn a_spec_fits_the_launches() {
    const ROWS: &str = "\
template <typename T>
__global__ void rows(T *y, const T *x, int count, unsigned width, float scale, int shift) {
  for (unsigned i = threadIdx.x; i < width; i += blockDim.x) {
    y[blockIdx.x * width + i] = x[blockIdx.x * width + i + shift] * T(scale);
  }
}

// As often, the function that launches has the kernel's name.
void rows(float *y, const float *x, float scale) {
  const int count = 37;
  const unsigned width = 5 * 120;
  rows<float><<<count, 128>>>(y, x, count, width, scale, SHIFT);
}
";
    let folder = tempfile::tempdir().expect("a folder");
    let init = |shift: &str| {
        put(folder.path(), "rows.cu", ROWS.replace("SHIFT", shift));
        let output = port(folder.path(), &["check", "rows.cu", "--init", "--force"]);
        assert_eq!(status(&output), 0, "{}", text(&output.stderr));
        fs::read_to_string(folder.path().join("rows.toml")).expect("a spec")
    };
    let spec = init("3");
    assert!(spec.contains("args = [\"y\", \"x\", 37, 600, 0.5, 3]"), "{spec}");
    assert!(spec.contains("grid = [37]") && !spec.contains("As it is"), "{spec}");
    // 37 rows of 600, which the first power of two holds; more would not be compared with anything.
    let has = |start: &str, end: &str| {
        spec.lines().any(|line| line.starts_with(start) && line.ends_with(end))
    };
    assert!(has("x = { dtype = \"f32\", shape = [32768]", "seed = 2 }"), "{spec}");
    assert!(has("y = { dtype = \"f32\", shape = [22200]", "out = true }"), "{spec}");
    let run = port(folder.path(), &["run", "rows.cu", "--sanitize"]);
    assert_eq!(status(&run), 0, "{}", text(&run.stderr));
    if has_compiler() {
        let (code, document) = {
            let arguments = ["check", "rows.cu", "--target", "cpu", "--message-format", "json"];
            let output = port(folder.path(), &arguments);
            (status(&output), serde_json::from_slice::<Value>(&output.stdout).expect("JSON"))
        };
        assert_eq!(code, 0, "{document}");
        assert_eq!(document["kernels"][0]["verdict"], "equal", "{document}");
    }
    let before = init("-3");
    assert!(before.contains("# As it is here, P0630: out of bounds: reads 4 bytes"), "{before}");
}

#[test]
fn wrong_usage_says_what_there_is() {
    let folder = folder();
    for (arguments, expected) in [
        (&["--target", "cpu", "--rule", "nope"][..], "ecosystem"),
        (&["--target", "vulkan"], "hip"),
        (&["--target", "cpu", "--set", "n"], "NAME=INTEGER"),
        (&["--target", "cpu", "--kernel", "other"], "axpb"),
        (&["--target", "cpu", "--block", "3"], "--block"),
    ] {
        let output = check(folder.path(), arguments);
        assert_eq!(status(&output), 2, "{arguments:?}: {}", text(&output.stderr));
        assert!(text(&output.stderr).contains(expected), "{}", text(&output.stderr));
    }
    let rules = port(folder.path(), &["explain", "rules"]);
    assert!(text(&rules.stdout).contains("torch.testing.assert_close"));
    // An output that no launch writes proves nothing.
    put(folder.path(), "axpb.toml", SPEC.replace(", out = true", ""));
    let nothing = check(folder.path(), &["--target", "cpu", "--no-compiler"]);
    assert_eq!(status(&nothing), 1);
    assert!(text(&nothing.stderr).contains("out = true"), "{}", text(&nothing.stderr));
}

#[test]
fn the_page_needs_nothing_else() {
    let folder = folder();
    let run = || check(folder.path(), &["--target", "cpu", "--no-compiler", "--html", "r.html"]);
    run();
    let page = fs::read_to_string(folder.path().join("r.html")).expect("a page");
    assert!(page.starts_with("<!doctype html>") && page.contains("<svg"), "{page}");
    assert!(!page.contains("http://") && !page.contains("https://"));
    fs::write(folder.path().join("r.html"), "mine").expect("a file");
    assert_eq!(status(&run()), 2);
}

/// Sums as people write them: in a statement, to a variable, of what is fused itself.
const SUMS: &str = "\
__global__ void sums(float *y, const float *x, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  float sum = 0.0f;
  for (int k = 0; k < 8; ++k) {
    sum += x[(i + k) % n] * 0.1f;
    sum -= x[i] * x[(i + k) % n];
  }
  y[i] = sum * 0.7f - (x[i] * 0.3f + 1.0f);
}
";

#[test]
fn a_fix_is_measured_and_does_what_it_says() {
    if !has_compiler() {
        return;
    }
    let folder = folder();
    put(folder.path(), "sums.cu", SUMS);
    put(folder.path(), "sums.toml", SPEC.replace("axpb", "sums"));
    let run = |arguments: &[&str]| {
        let all = ["check", "sums.cu", "--target", "cpu", "--rule", "bits"];
        let output = port(folder.path(), &[&all, arguments].concat());
        (status(&output), text(&output.stdout), text(&output.stderr))
    };
    let (_, document, errors) = run(&["--fix", "--message-format", "json"]);
    let document: Value =
        serde_json::from_str(&document).unwrap_or_else(|e| panic!("{e}: {errors}"));
    let fix = &document["fixes"][0];
    assert_eq!(fix["cause"], "contraction");
    let effect = &fix["effects"][0];
    assert!(effect["before"]["unequal"].as_u64() > Some(0), "{fix:#}");
    assert_eq!(effect["after"]["unequal"], 0, "{fix:#}");
    let kept = fs::read_to_string(folder.path().join("sums.cu")).expect("the file");
    assert_eq!(kept, SUMS, "nothing is written");
    // As it says: with its edits the port has the original's bits.
    let mut edited = SUMS.to_owned();
    for edit in fix["edits"].as_array().expect("edits").iter().rev() {
        let at = |name: &str| edit[name].as_u64().expect("a place") as usize;
        let replacement = edit["replacement"].as_str().expect("a text");
        edited.replace_range(at("start")..at("end"), replacement);
    }
    assert!(edited.contains("sum = fmaf(x[(i + k) % n], 0.1f, sum);"), "{edited}");
    fs::write(folder.path().join("sums.cu"), &edited).expect("written");
    let (code, human, errors) = run(&[]);
    assert_eq!(code, 0, "{human}{errors}");
    assert!(human.contains("sums: equal"), "{human}");
}

#[test]
fn worst_inputs_are_searched_for_the_same_way_each_time() {
    let folder = folder();
    let run = || json(folder.path(), &["--target", "cpu", "--no-compiler", "--search", "60"]).1;
    let document = run();
    let found = &document["worst_inputs"][0];
    assert_eq!(found["output"], "y");
    let error = |which: &str| found[which]["scale_error"].as_f64().expect("a number");
    assert!(error("worst") >= error("before") && error("before") > 0.0, "{found:#}");
    assert!(found["run"].as_u64().expect("a run") > 0, "60 runs find something worse: {found:#}");
    assert_eq!(document, run());
}

#[test]
fn a_sweep_checks_every_parameter_set() {
    let folder = folder();
    put(folder.path(), "axpb.toml", format!("sweep = [{{ n = 1 }}, {{ n = 77 }}]\n{SPEC}"));
    let (_, document) = json(folder.path(), &["--target", "cpu", "--no-compiler", "--sweep"]);
    let kernels = document["kernels"].as_array().expect("kernels");
    let sets: Vec<&str> = kernels.iter().filter_map(|kernel| kernel["set"].as_str()).collect();
    assert_eq!(sets, ["default", "n=1", "n=77"]);
    let counts: Vec<&Value> = kernels.iter().map(|kernel| &kernel["outputs"][0]["count"]).collect();
    assert_eq!(counts, [1000, 1, 77]);
}

#[test]
fn a_port_that_was_edited_by_hand_is_checked_as_it_is() {
    let folder = folder();
    let made = port(folder.path(), &["axpb.cu", "--target", "hip", "-o", "axpb.hip"]);
    assert_eq!(status(&made), 0, "{}", text(&made.stderr));
    let asked = ["--target", "hip", "--no-compiler", "--port", "axpb.hip"];
    let (code, document) = json(folder.path(), &asked);
    assert_eq!(code, 0, "{document:#}");
    let path = folder.path().join("axpb.hip");
    let written = fs::read_to_string(&path).expect("the port");
    assert!(written.contains("+ 0.3f"), "{written}");
    fs::write(&path, written.replace("+ 0.3f", "+ 0.4f")).expect("written");
    let (code, document) = json(folder.path(), &asked);
    assert_eq!(code, 1);
    assert_eq!(document["kernels"][0]["verdict"], "port-bug");
    assert_eq!(document["kernels"][0]["causes"][0]["line"], 4);
    let two = check(folder.path(), &["--target", "hip,cpu", "--port", "axpb.hip"]);
    assert_eq!(status(&two), 2);
}

#[test]
fn headers_that_are_not_there_are_wrong_usage() {
    let folder = folder();
    if !has_compiler() {
        return;
    }
    let output = check(folder.path(), &["--target", "ascend", "--ascend-include", "nowhere/cann"]);
    assert_eq!(status(&output), 2);
    let said = text(&output.stderr);
    assert!(said.contains("--ascend-include: nowhere/cann: "), "{said}");
}

/// What has no end uses up its budget once: not again for every piece of evidence.
#[test]
fn a_kernel_without_an_end_is_run_once() {
    let folder = folder();
    let forever = AXPB.replace("if (i < n) {", "while (i < n) {");
    put(folder.path(), "axpb.cu", &forever);
    let (code, document) = json(folder.path(), &["--target", "hip", "--fuel", "100000", "--fix"]);
    assert_eq!(code, 1);
    let all = document.to_string();
    assert!(all.contains("P0640") && all.contains("\"unproven\""), "{all}");
    let evidence = |what: &str| all.contains(what);
    assert!(evidence("the original has no end within its budget"), "{all}");
    for what in ["in high precision", "read back", "fiber runtime"] {
        assert!(!evidence(what), "{what}: {all}");
    }
}
