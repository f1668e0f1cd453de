//! Convolution from its definition. A sum of products and perhaps a bias in single precision, in any
//! order, products fused or rounded; a rectifier moves no two values apart.

use super::bounded::{Bounded, F32};
use super::window::Axis;
use super::{Expected, Inputs};

struct Launch {
    output: &'static str,
    input: &'static str,
    /// A buffer, or the symbol in constant memory.
    weights: &'static str,
    bias: Option<&'static str>,
    size: usize,
    rectified: bool,
    depthwise: bool,
}

fn convolved(inputs: Inputs<'_>, launch: &Launch) -> Expected {
    let (batch, channels) = (inputs.count("batch"), inputs.count("channels"));
    let out_channels = inputs.count(if launch.depthwise { "channels" } else { "out_channels" });
    let size = launch.size;
    let axis = |extent| Axis {
        size: inputs.count(extent),
        kernel: size,
        pad: inputs.count("pad") + (size - 3) / 2 * inputs.count("dilation"),
        stride: inputs.count("stride"),
        dilation: inputs.count("dilation"),
    };
    let (rows, columns) = (axis("height"), axis("width"));
    let x = inputs.values(launch.input);
    let weights = match launch.weights {
        "c_weights" => inputs.symbol("c_weights"),
        buffer => inputs.values(buffer),
    };
    let bias = launch.bias.map(|bias| inputs.values(bias));

    let mut results = Vec::new();
    for n in 0..batch {
        for out_channel in 0..out_channels {
            // The channels that this one sees, and which of the filter's planes each meets.
            let seen: Vec<(usize, usize)> = match launch.depthwise {
                true => vec![(out_channel, out_channel)],
                false => (0..channels).map(|c| (c, out_channel * channels + c)).collect(),
            };
            for oy in 0..rows.windows() {
                for ox in 0..columns.windows() {
                    let taps = seen.iter().flat_map(|(channel, plane)| {
                        (0..size * size).map(move |tap| (*channel, *plane, tap / size, tap % size))
                    });
                    let products = taps.filter_map(|(channel, plane, ky, kx)| {
                        let (y, column) = rows.input(oy, ky).zip(columns.input(ox, kx))?;
                        let at = ((n * channels + channel) * rows.size + y) * columns.size + column;
                        let weight = weights[(plane * size + ky) * size + kx];
                        Some(Bounded::exact(x[at]) * Bounded::exact(weight))
                    });
                    let bias = bias.iter().map(|bias| Bounded::exact(bias[out_channel]));
                    let sum = Bounded::sum(products.chain(bias), F32);
                    let floor = Bounded::exact(0.0);
                    results.push(if launch.rectified { sum.max(floor) } else { sum });
                }
            }
        }
    }
    Expected::stored(launch.output, inputs.dtype(launch.output), results)
}

pub(super) fn reference(inputs: Inputs<'_>) -> Vec<Expected> {
    let constant = Launch {
        output: "y_constant3",
        input: "x_f32",
        weights: "c_weights",
        bias: None,
        size: 3,
        rectified: false,
        depthwise: false,
    };
    let bias = Some("bias_f32");
    let depthwise = Launch {
        output: "y_depthwise3",
        input: "x_f16",
        weights: "filter3_f16",
        depthwise: true,
        ..constant
    };
    let launches = [
        Launch { output: "y_constant3_relu", bias, rectified: true, ..constant },
        Launch { output: "y_constant5", bias, size: 5, ..constant },
        Launch { output: "y_shared_f32", weights: "w_f32", ..constant },
        Launch {
            output: "y_shared_f16",
            input: "x_f16",
            weights: "w_f16",
            bias: Some("bias_f16"),
            ..constant
        },
        Launch { output: "y_depthwise5", weights: "filter5_f16", size: 5, ..depthwise },
        constant,
        depthwise,
    ];
    launches.iter().map(|launch| convolved(inputs, launch)).collect()
}
