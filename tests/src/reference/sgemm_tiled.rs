//! `α A B + β C`, with the any-order bound of a sum of `K` products, rounded or fused.

use super::bounded::{Bounded, F32, F64, Format};
use super::{Expected, Inputs};

struct Launch {
    a: &'static str,
    transposed: bool,
    b: &'static str,
    c: &'static str,
    columns: &'static str,
    inner: &'static str,
    /// Elements between rows of C.
    c_stride: &'static str,
    alpha: f64,
    beta: f64,
    format: Format,
}

fn multiplied(inputs: Inputs<'_>, launch: &Launch) -> Expected {
    let (m, n, k) = (inputs.count("M"), inputs.count(launch.columns), inputs.count(launch.inner));
    let stride = inputs.count(launch.c_stride);
    let (a, b, c) = (inputs.values(launch.a), inputs.values(launch.b), inputs.values(launch.c));
    let format = launch.format;
    let (alpha, beta) = (Bounded::exact(launch.alpha), Bounded::exact(launch.beta));
    // The padding of C's rows stays.
    let mut values = c.clone();
    let mut tolerance = vec![0.0; c.len()];
    for row in 0..m {
        for column in 0..n {
            let products = (0..k).map(|i| {
                let left = if launch.transposed { a[i * m + row] } else { a[row * k + i] };
                Bounded::exact(left).times(Bounded::exact(b[i * n + column])).rounded(format)
            });
            let mut result = alpha.times(Bounded::sum(products, format)).rounded(format);
            let at = row * stride + column;
            if launch.beta != 0.0 {
                let kept = beta.times(Bounded::exact(c[at])).rounded(format);
                result = result.plus(kept).rounded(format);
            }
            values[at] = result.value;
            tolerance[at] = result.error;
        }
    }
    Expected { name: launch.c.into(), values, tolerance }
}

pub(super) fn reference(inputs: Inputs<'_>) -> Vec<Expected> {
    let launch = Launch {
        a: "a",
        transposed: false,
        b: "b",
        c: "c_tile",
        columns: "N",
        inner: "K",
        c_stride: "ldc",
        alpha: 1.5,
        beta: -0.5,
        format: F32,
    };
    let launches = [
        Launch {
            a: "a_transposed",
            transposed: true,
            c: "c_transposed",
            c_stride: "N",
            alpha: 1.0,
            beta: 0.0,
            ..launch
        },
        Launch {
            a: "a_f64",
            b: "b_f64",
            c: "c_f64",
            c_stride: "N",
            alpha: 1.0,
            beta: 1.0,
            format: F64,
            ..launch
        },
        Launch { c: "c_blocked", c_stride: "N", alpha: 0.75, beta: 2.0, ..launch },
        Launch {
            a: "a_aligned",
            b: "b_aligned",
            c: "c_aligned",
            columns: "N4",
            inner: "K4",
            c_stride: "N4",
            alpha: 1.0,
            beta: 0.0,
            ..launch
        },
        launch,
    ];
    launches.iter().map(|launch| multiplied(inputs, launch)).collect()
}
