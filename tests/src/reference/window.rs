//! The geometry of a convolution along one axis: which input a tap of a window reads.

/// One axis of a convolution.
#[derive(Clone, Copy)]
pub(super) struct Axis {
    /// Extent of the input.
    pub(super) size: usize,
    /// Extent of the kernel.
    pub(super) kernel: usize,
    /// Zeros before the first and after the last input.
    pub(super) pad: usize,
    /// Inputs from one window to the next.
    pub(super) stride: usize,
    /// Inputs from one tap to the next.
    pub(super) dilation: usize,
}

impl Axis {
    /// How many windows fit.
    pub(super) fn windows(self) -> usize {
        let span = self.dilation * (self.kernel - 1) + 1;
        (self.size + 2 * self.pad).checked_sub(span).map_or(0, |room| room / self.stride + 1)
    }

    /// The input that `tap` of `window` reads; `None` in the padding.
    pub(super) fn input(self, window: usize, tap: usize) -> Option<usize> {
        let padded = window * self.stride + tap * self.dilation;
        padded.checked_sub(self.pad).filter(|at| *at < self.size)
    }
}
