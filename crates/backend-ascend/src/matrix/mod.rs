//! Products of matrices, recognised and given to the cube by the high-level `Matmul`.

use port_diag::Origin;

use crate::kernel::{Context, Declarations, DeviceKernel, NotTranslated, Request};

/// The form of a kernel.
pub(crate) fn kernel(
    _context: &Context<'_, '_>,
    _request: &Request,
    _declarations: &mut Declarations,
) -> Result<DeviceKernel, NotTranslated> {
    let nowhere = Origin::plain(port_diag::Span::new(port_diag::FileId(0), 0, 0));
    Err(NotTranslated { reason: "no form holds it".to_owned(), origin: nowhere })
}
