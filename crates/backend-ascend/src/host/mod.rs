//! The user's own text: what of it leaves, and what the host code becomes on ACL.
//!
//! * `device`: device-only text leaves.
//! * `kernels`: a kernel becomes the declaration of its launcher.
//! * `launches`: `k<<<g, b>>>(x)` becomes a call of the launcher.
//! * `pointers`: pointers to kernels.
//! * `qualifiers`: words of CUDA in declarations.
//! * `api`: names of CUDA's API.
//! * `includes`: headers.
//! * `header`: `port_ascend.h`.
//! * `text`: text of tokens.
//! * `torch`: PyTorch's names.

pub(crate) mod api;
pub(crate) mod device;
pub(crate) mod header;
pub(crate) mod includes;
pub(crate) mod kernels;
pub(crate) mod launches;
pub(crate) mod pointers;
pub(crate) mod qualifiers;
pub(crate) mod text;
pub(crate) mod torch;
