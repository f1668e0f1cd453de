//! How a project keeps the ports of its kernels under test: copy this file beside your own kernels.

#[test]
fn gelu() {
    port_insta::assert_port!("tests/kernels/gelu.cu", "hip");
}

/// With options: the hardware's own warps, and a macro as the build defines it.
#[test]
fn gelu_on_native_warps() {
    let options = port_insta::Options {
        warp: port_insta::WarpMode::Native,
        defines: vec![("NDEBUG".to_owned(), "1".to_owned())],
        ..port_insta::Options::default()
    };
    port_insta::assert_port!("tests/kernels/gelu.cu", "hip:gfx90a", &options);
}

/// What is not translated is in the snapshot too: it shows when that changes.
#[test]
fn remote() {
    port_insta::assert_port!("tests/kernels/remote.cu", "hip");
}
