//! `α op(A) op(B) + β C`, with the any-order bound of a sum of `K` products, rounded or fused.

use super::bounded::{Bounded, F32};
use super::{Expected, Inputs};

/// `α sum + β kept`; a zero `β` leaves `kept` unread.
fn combined(
    products: impl IntoIterator<Item = f64>,
    [alpha, beta]: [f64; 2],
    kept: f64,
) -> Bounded {
    let terms = products.into_iter().map(|product| Bounded::exact(product).rounded(F32));
    let scaled = Bounded::exact(alpha) * Bounded::sum(terms, F32);
    if beta == 0.0 { scaled } else { scaled + Bounded::exact(beta) * Bounded::exact(kept) }
}

pub(super) fn reference(inputs: Inputs<'_>) -> Vec<Expected> {
    let (m, n, k) = (inputs.count("M"), inputs.count("N"), inputs.count("K"));
    let (a, b) = (inputs.values("a"), inputs.values("b"));
    let row_major = [("c_naive", [0.5, 2.0]), ("c_coalesced", [-1.25, 1.0])];
    let mut outputs: Vec<Expected> = row_major
        .into_iter()
        .map(|(output, factors)| {
            let c = inputs.values(output);
            let values = c.iter().enumerate().map(|(at, kept)| {
                let (row, column) = (at / n, at % n);
                combined((0..k).map(|i| a[row * k + i] * b[i * n + column]), factors, *kept)
            });
            Expected::stored(output, inputs.dtype(output), values)
        })
        .collect();

    // Column-major: element (row, column) of X is X[column * ld + row].
    let (lda, ldb, ldc) = (inputs.count("lda"), inputs.count("ldb"), inputs.count("ldc"));
    let (a, b) = (inputs.values("a_transposed"), inputs.values("b_transposed"));
    let c = inputs.values("c_batched");
    let mut batched = Expected::exact("c_batched", c.clone());
    for batch in 0..inputs.count("batches") {
        let (a, b) = (&a[batch * m * lda..], &b[batch * k * ldb..]);
        for (row, column) in (0..m).flat_map(|row| (0..n).map(move |column| (row, column))) {
            let at = (batch * n + column) * ldc + row;
            let products = (0..k).map(|i| a[row * lda + i] * b[i * ldb + column]);
            let result = combined(products, [1.5, -0.5], c[at]);
            (batched.values[at], batched.tolerance[at]) = (result.value, result.error);
        }
    }
    outputs.push(batched);

    let (a, b) = (inputs.values("a_shared"), inputs.values("b_plain"));
    let values = (0..inputs.count("batches") * n * m).map(|at| {
        let (row, column_of_all) = (at % m, at / m);
        let products = (0..k).map(|i| a[i * m + row] * b[column_of_all * k + i]);
        combined(products, [1.0, 0.0], f64::NAN)
    });
    outputs.push(Expected::stored("c_shared", inputs.dtype("c_shared"), values));
    outputs
}
