//! Matrix fragments against products computed in the documented order.

use half::f16;
use port_check::oracle::RunOptions;

use crate::common::Suite;

const SPEC: &str = r#"
[buffers]
a = { dtype = "f16", shape = [16, 24], init = "normal(0, 1)", seed = 1 }
b = { dtype = "f16", shape = [16, 24], init = "normal(0, 1)", seed = 2 }
c = { dtype = "f32", shape = [16, 24], init = "normal(0, 1)", seed = 3 }
c_half = { dtype = "f16", shape = [16, 24], init = "normal(0, 1)", seed = 4 }
a_int = { dtype = "i8", shape = [32, 24], init = "ints(-128, 128)", seed = 5 }
b_int = { dtype = "i8", shape = [8, 24], init = "ints(-128, 128)", seed = 6 }
c_int = { dtype = "i32", shape = [32, 16], init = "ints(-1000, 1000)", seed = 7 }
a_brain = { dtype = "bf16", shape = [8, 24], init = "normal(0, 1)", seed = 8 }
b_brain = { dtype = "bf16", shape = [32, 24], init = "normal(0, 1)", seed = 9 }
c_brain = { dtype = "f32", shape = [8, 40], init = "normal(0, 1)", seed = 10 }
d = { dtype = "f32", shape = [16, 24], init = "zeros", out = true }
d_half = { dtype = "f16", shape = [16, 24], init = "zeros", out = true }
d_int = { dtype = "i32", shape = [32, 16], init = "zeros", out = true }
d_brain = { dtype = "f32", shape = [8, 40], init = "zeros", out = true }
square_a = { dtype = "f16", shape = [16, 16], init = "normal(0, 1)", seed = 11 }
square_b = { dtype = "f16", shape = [16, 16], init = "normal(0, 1)", seed = 12 }
square_d = { dtype = "f32", shape = [16, 16], init = "zeros", out = true }
[[launch]]
kernel = "multiply<half, float, 16, 16, 16>"
grid = [1]
block = [32]
args = ["d", "a", "b", "c"]
[[launch]]
kernel = "multiply<half, half, 16, 16, 16>"
grid = [1]
block = [32]
args = ["d_half", "a", "b", "c_half"]
[[launch]]
kernel = "multiply<signed char, int, 32, 8, 16>"
grid = [1]
block = [32]
args = ["d_int", "a_int", "b_int", "c_int"]
[[launch]]
kernel = "multiply<__nv_bfloat16, float, 8, 32, 16>"
grid = [1]
block = [32]
args = ["d_brain", "a_brain", "b_brain", "c_brain"]
[[launch]]
kernel = "transposed"
grid = [1]
block = [32]
args = ["square_d", "square_a", "square_b"]
[[launch]]
kernel = "half_a_warp"
grid = [1]
block = [32]
args = ["square_d"]
"#;

#[test]
fn fragments_multiply_in_the_documented_order() {
    let suite = Suite::new("matrix.cu", SPEC);
    for (kernel, [d, a, b, c], [rows, columns]) in [
        ("multiply<half, float, 16, 16, 16>", ["d", "a", "b", "c"], [16, 16]),
        ("multiply<half, half, 16, 16, 16>", ["d_half", "a", "b", "c_half"], [16, 16]),
        ("multiply<signed char, int, 32, 8, 16>", ["d_int", "a_int", "b_int", "c_int"], [32, 8]),
        (
            "multiply<__nv_bfloat16, float, 8, 32, 16>",
            ["d_brain", "a_brain", "b_brain", "c_brain"],
            [8, 32],
        ),
    ] {
        let run = suite.run(kernel);
        let out = run.output(d).unwrap();
        let [a, b, c] = [a, b, c].map(|name| suite.case.buffer(name).unwrap());
        for row in 0..rows {
            for column in 0..columns {
                let at = row * (columns + 8) + column;
                let mut sum = c.get_f64(at) as f32;
                for k in 0..16 {
                    sum += a.get_f64(row * 24 + k) as f32 * b.get_f64(column * 24 + k) as f32;
                }
                let expected = match d {
                    "d_half" => f64::from(f16::from_f32(2.0 * f16::from_f32(sum).to_f32())),
                    _ => f64::from(2.0 * sum),
                };
                assert_eq!(out.get_f64(at), expected, "{kernel} ({row}, {column})");
            }
            // What lies between the rows is not written.
            assert_eq!(out.get_f64(row * (columns + 8) + columns), 0.0, "{kernel}");
        }
    }
}

#[test]
fn layouts_say_where_elements_lie() {
    let suite = Suite::new("matrix.cu", SPEC);
    let run = suite.run("transposed");
    let out = run.output("square_d").unwrap();
    let [a, b] = ["square_a", "square_b"].map(|name| suite.case.buffer(name).unwrap());
    for row in 0..16 {
        for column in 0..16 {
            let mut sum = 0.0;
            for k in 0..16 {
                sum += a.get_f64(k * 16 + row) as f32 * b.get_f64(k * 16 + column) as f32;
            }
            assert_eq!(out.get_f64(column * 16 + row) as f32, sum, "({row}, {column})");
        }
    }
}

#[test]
fn all_lanes_of_the_warp_must_take_part() {
    let suite = Suite::new("matrix.cu", SPEC);
    let (kind, message) = suite.error("half_a_warp", &RunOptions::default());
    assert_eq!(kind, "mask-violation", "{message}");
}
