//! Bilinear interpolation at the source coordinate of each target pixel.
//!
//! A coordinate `c` is a rounded scale times an exact number, minus one half: three roundings of at
//! most `|c| + 1/2` each, so it may be off by `δ = 4u·(|c| + 1)`, on the other side of a pixel's centre
//! perhaps. The interpolant is continuous, and along one axis no steeper than two neighbours differ:
//! `2M` for values up to `M`. The interpolation itself multiplies and adds with weights that add up
//! to 1: at most eight roundings of terms that add up to `M`.

use port_check::DType;

use super::bounded::{Bounded, F32, F64};
use super::{Expected, Inputs};

/// How an image's elements lie in memory.
#[derive(Clone, Copy)]
enum Layout {
    ChannelsFirst,
    ChannelsLast,
}

#[derive(Clone, Copy)]
struct Image {
    channels: usize,
    height: usize,
    width: usize,
    layout: Layout,
}

impl Image {
    fn index(self, n: usize, channel: usize, y: usize, x: usize) -> usize {
        match self.layout {
            Layout::ChannelsFirst => {
                ((n * self.channels + channel) * self.height + y) * self.width + x
            }
            Layout::ChannelsLast => {
                ((n * self.height + y) * self.width + x) * self.channels + channel
            }
        }
    }
}

/// The source coordinate of a target along one axis.
fn source(target: usize, size: usize, out: usize, corners: bool) -> f64 {
    let (target, size, out) = (target as f64, size as f64, out as f64);
    match corners {
        true if out == 1.0 => 0.0,
        true => target * (size - 1.0) / (out - 1.0),
        false => ((target + 0.5) * size / out - 0.5).max(0.0),
    }
}

/// The neighbours of a coordinate with their weights.
fn neighbours(coordinate: f64, size: usize) -> [(usize, f64); 2] {
    let first = (coordinate as usize).min(size - 1);
    let weight = coordinate - first as f64;
    [(first, 1.0 - weight), ((first + 1).min(size - 1), weight)]
}

fn upsampled(inputs: Inputs<'_>, input: &str, output: &str, from: Image, to: Image) -> Expected {
    let corners = output.starts_with("corners");
    let pixels = inputs.values(input);
    let dtype = inputs.dtype(output);
    // In double precision the reference rounds as much as the kernel does.
    let unit = if dtype == DType::F64 { 2.0 * F64.unit } else { F32.unit };
    let batch = inputs.count("batch");
    let mut results = vec![Bounded::exact(0.0); batch * to.channels * to.height * to.width];
    for n in 0..batch {
        for channel in 0..to.channels {
            let plane = (0..from.height)
                .flat_map(|y| (0..from.width).map(move |x| from.index(n, channel, y, x)));
            let largest = plane.fold(0.0_f64, |most, at| most.max(pixels[at].abs()));
            for y in 0..to.height {
                for x in 0..to.width {
                    let at = [
                        source(y, from.height, to.height, corners),
                        source(x, from.width, to.width, corners),
                    ];
                    let mut value = 0.0;
                    for (row, row_weight) in neighbours(at[0], from.height) {
                        for (column, weight) in neighbours(at[1], from.width) {
                            let pixel = pixels[from.index(n, channel, row, column)];
                            value += row_weight * weight * pixel;
                        }
                    }
                    let astray: f64 = at.iter().map(|c| 4.0 * unit * (c + 1.0)).sum();
                    let error = 2.0 * largest * astray + 8.0 * unit * largest;
                    results[to.index(n, channel, y, x)] = Bounded::new(value, error);
                }
            }
        }
    }
    Expected::stored(output, dtype, results)
}

pub(super) fn reference(inputs: Inputs<'_>) -> Vec<Expected> {
    use Layout::{ChannelsFirst, ChannelsLast};
    let channels = inputs.count("channels");
    [
        ("image_f32", ChannelsFirst, "half_pixel_f32", ChannelsFirst, channels),
        ("image_f32", ChannelsFirst, "corners_f32", ChannelsLast, channels),
        ("image_f64", ChannelsFirst, "corners_f64", ChannelsFirst, channels),
        ("image_f16", ChannelsFirst, "half_pixel_f16", ChannelsFirst, channels),
        ("image_nhwc", ChannelsLast, "half_pixel_nhwc", ChannelsLast, 8 * channels),
        ("image_nhwc", ChannelsLast, "corners_nhwc", ChannelsLast, 8 * channels),
    ]
    .map(|(input, from, output, to, channels)| {
        let image = |height, width, layout| Image {
            channels,
            height: inputs.count(height),
            width: inputs.count(width),
            layout,
        };
        upsampled(inputs, input, output, image("in_h", "in_w", from), image("out_h", "out_w", to))
    })
    .into()
}
