//! Specs: what is read, what is reported where, and what a case holds.

#![allow(clippy::disallowed_methods, reason = "tests write data files")]

use port_check::spec::{Argument, Case, ParameterSet, Spec};
use port_check::tensor::{DType, Tensor};
use port_diag::SourceMap;

fn parse(text: &str) -> Result<Spec, Vec<(String, String)>> {
    let mut sources = SourceMap::new();
    let file = sources.add("k.toml", text);
    Spec::parse(&sources, file).map_err(|diagnostics| {
        let described = diagnostics.iter().map(|d| {
            let span = d.primary.as_ref().map(|label| sources.text(label.span).to_string());
            (format!("{} {}", d.code, d.message), span.unwrap_or_default())
        });
        described.collect()
    })
}

fn case(text: &str, parameters: &ParameterSet) -> Result<Case, Vec<String>> {
    let spec = parse(text).map_err(|errors| errors.into_iter().map(|e| e.0).collect::<Vec<_>>())?;
    spec.case(parameters)
        .map_err(|errors| errors.iter().map(|e| format!("{} {}", e.code, e.message)).collect())
}

const GOOD: &str = r#"
ints = [["rows", "128"], ["cols", 100], ["blocks", "ceil_div(rows * cols, 256)"]]
rule = "ecosystem-fp32"
feedback = { y = "x" }
[buffers]
x = { dtype = "f32", shape = ["rows", "cols"], init = "normal(0, 1)", seed = 1 }
y = { dtype = "f16", shape = "rows", init = "zeros", out = true }
w = { dtype = "i8", values = [1, -2, 3] }
index = { dtype = "i64", shape = [4], init = "ints(0, max(rows, 1))" }
filled = { dtype = "bf16", shape = [2], init = "full(1.0 / 4)" }
[symbols]
scale = { dtype = "f64", init = "full(2.5)" }
[[launch]]
kernel = "k<float, 4>"
grid = ["blocks", 2]
block = [64]
shared = "cols * 4"
args = ["y", "&x[cols]", "cols", "rows - 1", 1e-5, "1.0 / rows", true, "null", { s = 0.5, p = "w", n = { d = 3 } }]
[[sweep]]
rows = 0
[[sweep]]
rows = 1
cols = 7
"#;

#[test]
fn a_case_holds_what_the_spec_says() {
    let spec = parse(GOOD).unwrap();
    assert_eq!(spec.rule.as_deref(), Some("ecosystem-fp32"));
    assert_eq!(spec.feedback, [("y".to_string(), "x".to_string())]);
    let labels: Vec<String> = spec.parameter_sets().iter().map(ParameterSet::label).collect();
    assert_eq!(labels, ["default", "rows=0", "rows=1 cols=7"]);

    let case = spec.case(&ParameterSet::default()).unwrap();
    assert_eq!(case.integer("blocks"), Some(50));
    assert_eq!(case.buffer("x").unwrap().shape(), [128, 100]);
    assert_eq!(case.buffer("y").unwrap().shape(), [128]);
    assert_eq!(case.buffer("w").unwrap().to_i64(), [1, -2, 3]);
    assert_eq!(case.buffer("filled").unwrap().to_f64(), [0.25, 0.25]);
    assert!(case.buffer("index").unwrap().to_i64().iter().all(|v| (0..128).contains(v)));
    assert_eq!(
        case.symbols[0].tensor,
        Tensor::from_bytes(DType::F64, &[], 2.5f64.to_le_bytes().to_vec()).unwrap()
    );
    let outputs: Vec<_> = case.buffers.iter().filter(|b| b.output).map(|b| &b.name[..]).collect();
    assert_eq!(outputs, ["y"]);

    let launch = &case.launches[0];
    assert_eq!((launch.grid, launch.block, launch.shared), ([50, 2, 1], [64, 1, 1], 400));
    let expected = [
        Argument::Buffer { index: 1, offset: 0 },
        Argument::Buffer { index: 0, offset: 100 },
        Argument::Integer(100),
        Argument::Integer(127),
        Argument::Real(1e-5),
        Argument::Real(1.0 / 128.0),
        Argument::Integer(1),
        Argument::Null,
        Argument::Struct(vec![
            ("s".into(), Argument::Real(0.5)),
            ("p".into(), Argument::Buffer { index: 2, offset: 0 }),
            ("n".into(), Argument::Struct(vec![("d".into(), Argument::Integer(3))])),
        ]),
    ];
    assert_eq!(launch.arguments, expected);
}

#[test]
fn overriding_an_integer_moves_what_follows_from_it() {
    let set = ParameterSet::new([("rows", 3), ("cols", 1000)]);
    let case = case(GOOD, &set).unwrap();
    assert_eq!(case.integer("blocks"), Some(12));
    assert_eq!(case.launches[0].grid, [12, 2, 1]);
    let errors = self::case(GOOD, &ParameterSet::new([("row", 3)])).unwrap_err();
    assert_eq!(errors, ["P0605 there is no integer called `row`"]);
}

#[test]
fn zero_sizes_are_cases_too() {
    let zero = case(GOOD, &ParameterSet::new([("cols", 0)])).unwrap();
    assert_eq!(zero.launches[0].grid, [0, 2, 1]);
    assert!(zero.buffer("x").unwrap().is_empty());
}

#[test]
fn problems_are_reported_at_their_place() {
    let launch = "[[launch]]\nkernel = \"k\"\ngrid = [1]\nblock = [1]\nargs = []\n";
    for (text, code, words, place) in [
        ("ints = [", "P0600", "TOML", ""),
        ("int = []", "P0601", "`int`", "int"),
        ("ints = [[\"n\"]]", "P0603", "pairs", "[\"n\"]"),
        ("ints = [[\"n\", \"1 +\"]]", "P0604", "too early", "\"1 +\""),
        (
            "[buffers]\nx = { dtype = \"f31\", shape = [1], init = \"zeros\" }",
            "P0603",
            "one of f64",
            "\"f31\"",
        ),
        ("[buffers]\nx = { shape = [1], init = \"zeros\" }", "P0602", "dtype", "x"),
        ("[buffers]\nx = { dtype = \"f32\", shape = [1] }", "P0602", "init", "x"),
        ("[buffers]\nx = { dtype = \"f32\", init = \"zeros\" }", "P0602", "shape", "x"),
        (
            "[buffers]\nx = { dtype = \"f32\", shape = [1], init = \"uniform(1)\" }",
            "P0603",
            "uniform(a, b)",
            "\"uniform(1)\"",
        ),
        (
            "[buffers]\nx = { dtype = \"f32\", shape = [1], init = \"zero\" }",
            "P0603",
            "zeros",
            "\"zero\"",
        ),
        (
            "[buffers]\nx = { dtype = \"f32\", shape = [1], init = \"zeros\", output = true }",
            "P0601",
            "output",
            "output",
        ),
        (
            "ints = [[\"x\", \"1\"]]\n[buffers]\nx = { dtype = \"f32\", shape = [1], init = \"ones\" }",
            "P0608",
            "`x`",
            "{ dtype = \"f32\", shape = [1], init = \"ones\" }",
        ),
        ("feedback = { y = \"x\" }", "P0605", "`y`", "y"),
        ("[[launch]]\nkernel = \"k\"", "P0602", "grid", ""),
        (&launch.replace("[1]", "[1, 1, 1, 1]"), "P0603", "one to three", "[1, 1, 1, 1]"),
        (&launch.replace("args = []", "args = [\"&y[0]\"]"), "P0605", "`y`", "\"&y[0]\""),
        (&launch.replace("args = []", "args = [\"a b\"]"), "P0604", "unexpected", "\"a b\""),
        ("[[sweep]]\nn = 3", "P0605", "`n`", "n"),
        ("ints = [[\"a b\", \"1\"]]", "P0603", "identifier", "[\"a b\", \"1\"]"),
        (
            "[buffers]\n\"a b\" = { dtype = \"f32\", shape = [1], init = \"ones\" }",
            "P0603",
            "identifier",
            "\"a b\"",
        ),
        ("launch = 3", "P0603", "[[launch]]", "3"),
    ] {
        let errors = parse(text).unwrap_err();
        let (message, span) = &errors[0];
        assert!(message.starts_with(code) && message.contains(words), "{text}: {message}");
        assert!(place.is_empty() || span == place, "{text}: {span}");
    }
}

#[test]
fn every_problem_of_a_spec_is_reported() {
    let errors = parse("rule = 3\n[buffers]\nx = 4\ny = { dtype = \"q\" }\nz = {}").unwrap_err();
    assert_eq!(errors.len(), 4, "{errors:?}");
}

#[test]
fn values_out_of_range_are_reported() {
    let with = |ints: &str, block: &str| {
        let text = format!(
            "ints = [{ints}]\n[buffers]\nx = {{ dtype = \"f64\", shape = [\"n\", \"m\"], init = \"iota\" }}\n\
             [[launch]]\nkernel = \"k\"\ngrid = [1]\nblock = {block}\nargs = [\"m / n\"]"
        );
        case(&text, &ParameterSet::default()).unwrap_err()[0].clone()
    };
    let n = "[\"n\", \"1\"], [\"m\", \"2\"]";
    assert!(with("[\"n\", \"-1\"], [\"m\", \"2\"]", "[1]").starts_with("P0606"));
    assert!(with("[\"n\", \"1000000\"], [\"m\", \"1000000\"]", "[1]").contains("all buffers"));
    assert!(with("[\"n\", \"0\"], [\"m\", \"2\"]", "[1]").contains("division by zero"));
    assert!(with("[\"n\", \"m\"], [\"m\", \"2\"]", "[1]").contains("nothing is called `m`"));
    assert!(with(n, "[1025]").contains("1 to 1024") || with(n, "[1025]").contains("0 to 1024"));
    assert!(with(n, "[64, 32]").contains("1 to 1024 threads"));
    assert!(with(n, "[0]").contains("1 to 1024 threads"));
}

#[test]
fn data_files_lie_beside_the_spec() {
    let folder = tempfile::tempdir().unwrap();
    let tensor = Tensor::from_f64(DType::F32, &[1.5, -2.0, 3.25]);
    std::fs::write(folder.path().join("x.npy"), port_check::npy::write(&tensor)).unwrap();
    let spec = |dtype: &str, shape: &str| {
        let text = format!(
            "[buffers]\nx = {{ dtype = \"{dtype}\", shape = [{shape}], init = 'file \"x.npy\"' }}"
        );
        let path = folder.path().join("k.toml");
        std::fs::write(&path, text).unwrap();
        let mut sources = SourceMap::new();
        let spec = Spec::load(&path, &mut sources).unwrap().unwrap();
        spec.case(&ParameterSet::default())
    };
    assert_eq!(spec("f32", "3").unwrap().buffer("x"), Some(&tensor));
    assert!(spec("f32", "4").unwrap_err()[0].message.contains("shape"));
    assert!(spec("f64", "3").unwrap_err()[0].message.contains("`<f4`, not `<f8`"));
}

#[test]
fn no_prefix_of_a_spec_panics() {
    for end in (0..GOOD.len()).filter(|end| GOOD.is_char_boundary(*end)) {
        if let Ok(spec) = parse(&GOOD[..end]) {
            let _ = spec.case(&ParameterSet::default());
        }
    }
}
