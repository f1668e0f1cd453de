//! A rotation of each pair of a head by the token's angle: `x cos − y sin`, `y cos + x sin`, with
//! cosines and sines from a table, and the table itself from inverse frequencies.

use port_check::DType;

use super::bounded::{Bounded, F16, F32};
use super::{Expected, Inputs};

#[derive(Clone, Copy, PartialEq)]
enum Layout {
    /// Pairs `(i, i + d/2)`.
    Neox,
    /// Pairs `(2i, 2i + 1)`.
    GptJ,
}

#[derive(Clone, Copy, PartialEq)]
enum Arithmetic {
    Single,
    Half,
}

fn rotated(
    inputs: Inputs<'_>,
    name: &str,
    table: &str,
    heads: usize,
    layout: Layout,
    arithmetic: Arithmetic,
) -> Expected {
    let (head_size, rotary) = (inputs.count("head_size"), inputs.count("rotary_dim"));
    let (positions, table) = (inputs.integers("position"), inputs.values(table));
    let states = inputs.values(name);
    let dtype = inputs.dtype(name);
    let pairs = rotary / 2;
    // Elements past the rotary part stay.
    let mut values = states.clone();
    let mut tolerance = vec![0.0; states.len()];

    for (token, position) in positions.iter().enumerate() {
        let angles = &table[*position as usize * rotary..][..rotary];
        for head in 0..heads {
            let start = (token * heads + head) * head_size;
            for pair in 0..pairs {
                let (first, second) = match layout {
                    Layout::Neox => (start + pair, start + pairs + pair),
                    Layout::GptJ => (start + 2 * pair, start + 2 * pair + 1),
                };
                let (x, y) = (Bounded::exact(states[first]), Bounded::exact(states[second]));
                let (cos, sin) =
                    (Bounded::exact(angles[pair]), Bounded::exact(angles[pairs + pair]));
                let turned = match arithmetic {
                    // Either product, or neither, may be fused into the sum.
                    Arithmetic::Single => [x * cos - y * sin, y * cos + x * sin].map(|value| {
                        if dtype == DType::F32 {
                            value
                        } else {
                            value.rounded(super::Format::of(dtype))
                        }
                    }),
                    // The product with the cosine is rounded, the other is fused.
                    Arithmetic::Half => [
                        (-y).times(sin).plus(x.times(cos).rounded(F16)).rounded(F16),
                        x.times(sin).plus(y.times(cos).rounded(F16)).rounded(F16),
                    ],
                };
                for (index, value) in [first, second].into_iter().zip(turned) {
                    values[index] = value.value;
                    tolerance[index] = value.error;
                }
            }
        }
    }
    Expected { name: name.into(), values, tolerance }
}

/// Row `p`: the cosines of `p·f`, then the sines.
fn cosine_table(inputs: Inputs<'_>, name: &str) -> Expected {
    let pairs = inputs.count("rotary_dim") / 2;
    let frequencies = inputs.symbol("rope::c_inverse_frequency");
    let mut values = Vec::new();
    for position in 0..inputs.count("positions") {
        let angles: Vec<Bounded> = frequencies[..pairs]
            .iter()
            .map(|frequency| Bounded::new(position as f64 * frequency, 0.0).rounded(F32))
            .collect();
        values.extend(angles.iter().map(|angle| angle.cos()));
        values.extend(angles.iter().map(|angle| angle.sin()));
    }
    Expected::stored(name, inputs.dtype(name), values)
}

pub(super) fn reference(inputs: Inputs<'_>) -> Vec<Expected> {
    let (heads, kv_heads) = (inputs.count("heads"), inputs.count("kv_heads"));
    let mut outputs = Vec::new();
    for (suffix, layout) in [
        ("neox_f32", Layout::Neox),
        ("gptj_f32", Layout::GptJ),
        ("neox_f16", Layout::Neox),
        ("gptj_bf16", Layout::GptJ),
    ] {
        let element = suffix.split_once('_').map_or(suffix, |(_, element)| element);
        let table = format!("cos_sin_{element}");
        for (part, heads) in [("query", heads), ("key", kv_heads)] {
            let name = format!("{part}_{suffix}");
            outputs.push(rotated(inputs, &name, &table, heads, layout, Arithmetic::Single));
        }
    }
    let (layout, arithmetic) = (Layout::GptJ, Arithmetic::Half);
    outputs.push(rotated(inputs, "states_half2", "cos_sin_f16", heads, layout, arithmetic));
    outputs.push(cosine_table(inputs, "cache_f32"));
    outputs.push(cosine_table(inputs, "cache_bf16"));
    outputs
}
