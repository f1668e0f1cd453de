//! `α A x + β y` and `y + Aᵀ x`. Products of halves are exact in single precision; their sum has the
//! any-order bound. The fast form adds four products in half precision before each goes to a float:
//! those four carry the bound of a half-precision sum.

use super::bounded::{Bounded, F16, F32};
use super::{Expected, Inputs};

fn product(a: f64, x: f64) -> Bounded {
    Bounded::exact(a * x)
}

/// `(output, A, elements used of a row, stride, α, β, half accumulation)`.
type Launch = (&'static str, &'static str, usize, usize, f64, f64, bool);

fn rows(inputs: Inputs<'_>, launch: Launch) -> Expected {
    let (output, a, cols, stride, alpha, beta, fast) = launch;
    let (a, x, y) = (inputs.values(a), inputs.values("x"), inputs.values(output));
    let (alpha, beta) = (Bounded::exact(alpha), Bounded::exact(beta));
    let values = y.iter().enumerate().map(|(row, y)| {
        let products = || (0..cols).map(|col| product(a[row * stride + col], x[col]));
        let sum = if fast {
            // The first product of four is rounded by itself, the others as they are added; an f16
            // sum of four terms covers both. Groups of four lie two apart inside a pack of eight.
            let products: Vec<Bounded> = products().collect();
            let groups = products.chunks_exact(8).flat_map(|pack| {
                [0, 1].map(|lane| {
                    let group = pack[lane..].iter().step_by(2);
                    Bounded::sum(group.map(|term| term.rounded(F16)), F16)
                })
            });
            Bounded::sum(groups, F32)
        } else {
            Bounded::sum(products(), F32)
        };
        let scaled = alpha * sum;
        if beta.value == 0.0 { scaled } else { scaled + beta * Bounded::exact(*y) }
    });
    Expected::stored(output, inputs.dtype(output), values)
}

fn transposed(inputs: Inputs<'_>) -> Expected {
    let (a, x, y) = (inputs.values("a_split"), inputs.values("x_rows"), inputs.values("y_split"));
    let values = y.iter().enumerate().map(|(col, kept)| {
        let products = x.iter().enumerate().map(|(row, x)| product(a[row * y.len() + col], *x));
        // Three splits each add a possibly empty sum to what was there.
        let empty = [Bounded::exact(0.0); 3];
        Bounded::sum(products.chain([Bounded::exact(*kept)]).chain(empty), F32)
    });
    Expected::stored("y_split", inputs.dtype("y_split"), values)
}

pub(super) fn reference(inputs: Inputs<'_>) -> Vec<Expected> {
    let (cols, wide) = (inputs.count("cols"), inputs.count("wide"));
    let (stride, odd) = (inputs.count("stride"), inputs.count("odd_stride"));
    let mut outputs: Vec<Expected> = [
        ("y_one", "a", wide, stride, 0.5, -1.0, false),
        ("y_four", "a", wide, stride, 1.0, 0.0, false),
        ("y_fast", "a", wide, stride, 1.0, 0.0, true),
        ("y_scalar", "a_odd", cols, odd, 2.0, 0.25, false),
    ]
    .into_iter()
    .map(|launch| rows(inputs, launch))
    .collect();
    outputs.push(transposed(inputs));
    outputs
}
