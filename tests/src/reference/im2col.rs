//! Windows of images as columns and as rows, which are copies, and columns added back onto an image:
//! sums in single precision, in any order, rounded once to the storage type.

use super::bounded::{Bounded, F32};
use super::window::Axis;
use super::{Expected, Inputs};

struct Shape {
    batch: usize,
    channels: usize,
    rows: Axis,
    columns: Axis,
}

impl Shape {
    /// Calls `visit(window row, window column, tap row, tap column, pixel)` for each tap of each window
    /// of an image; `pixel` is `None` in the padding.
    fn for_each_tap(
        &self,
        mut visit: impl FnMut(usize, usize, usize, usize, Option<(usize, usize)>),
    ) {
        for oy in 0..self.rows.windows() {
            for ox in 0..self.columns.windows() {
                for ky in 0..self.rows.kernel {
                    for kx in 0..self.columns.kernel {
                        let pixel = self.rows.input(oy, ky).zip(self.columns.input(ox, kx));
                        visit(oy, ox, ky, kx, pixel);
                    }
                }
            }
        }
    }

    fn column_index(&self, channel: usize, oy: usize, ox: usize, ky: usize, kx: usize) -> usize {
        let row = (channel * self.rows.kernel + ky) * self.columns.kernel + kx;
        (row * self.rows.windows() + oy) * self.columns.windows() + ox
    }
}

fn columns(shape: &Shape, image: &[f64]) -> Vec<f64> {
    let (height, width) = (shape.rows.size, shape.columns.size);
    let taps = shape.rows.kernel * shape.columns.kernel;
    let one = shape.channels * taps * shape.rows.windows() * shape.columns.windows();
    let mut result = vec![0.0; shape.batch * one];
    for n in 0..shape.batch {
        for channel in 0..shape.channels {
            let plane = (n * shape.channels + channel) * height * width;
            shape.for_each_tap(|oy, ox, ky, kx, pixel| {
                if let Some((y, x)) = pixel {
                    result[n * one + shape.column_index(channel, oy, ox, ky, kx)] =
                        image[plane + y * width + x];
                }
            });
        }
    }
    result
}

/// Channels last; `channels` counts the elements of a pixel.
fn rows(shape: &Shape, image: &[f64], channels: usize) -> Vec<f64> {
    let (height, width) = (shape.rows.size, shape.columns.size);
    let mut result = Vec::new();
    for n in 0..shape.batch {
        shape.for_each_tap(|_, _, _, _, pixel| match pixel {
            None => result.extend(std::iter::repeat_n(0.0, channels)),
            Some((y, x)) => {
                let at = ((n * height + y) * width + x) * channels;
                result.extend_from_slice(&image[at..at + channels]);
            }
        });
    }
    result
}

fn folded(shape: &Shape, gradient: &[f64]) -> Vec<Bounded> {
    let (height, width) = (shape.rows.size, shape.columns.size);
    let mut terms = vec![Vec::new(); shape.channels * height * width];
    for channel in 0..shape.channels {
        shape.for_each_tap(|oy, ox, ky, kx, pixel| {
            if let Some((y, x)) = pixel {
                let value = gradient[shape.column_index(channel, oy, ox, ky, kx)];
                terms[(channel * height + y) * width + x].push(Bounded::exact(value));
            }
        });
    }
    terms.into_iter().map(|terms| Bounded::sum(terms, F32)).collect()
}

pub(super) fn reference(inputs: Inputs<'_>) -> Vec<Expected> {
    let axis = |size, kernel| Axis {
        size: inputs.count(size),
        kernel: inputs.count(kernel),
        pad: inputs.count("pad"),
        stride: inputs.count("stride"),
        dilation: inputs.count("dilation"),
    };
    let shape = Shape {
        batch: inputs.count("batch"),
        channels: inputs.count("channels"),
        rows: axis("height", "kh"),
        columns: axis("width", "kw"),
    };
    let mut outputs = Vec::new();
    for (image, output) in [("image_f32", "columns_f32"), ("image_f64", "columns_f64")] {
        outputs.push(Expected::exact(output, columns(&shape, &inputs.values(image))));
    }
    for (gradient, output) in [("gradient_f32", "folded_f32"), ("gradient_f16", "folded_f16")] {
        let sums = folded(&shape, &inputs.values(gradient));
        outputs.push(Expected::stored(output, inputs.dtype(output), sums));
    }
    for (image, output, channels) in [
        ("nhwc_wide", "rows_wide", 8 * shape.channels),
        ("nhwc_f32", "rows_f32", shape.channels),
        ("nhwc_f16", "rows_f16", shape.channels),
    ] {
        outputs.push(Expected::exact(output, rows(&shape, &inputs.values(image), channels)));
    }
    outputs
}
