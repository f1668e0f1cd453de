//! Keywords by what they begin. Knows nothing but words.

use port_syntax::Keyword;

/// Keywords that spell a fundamental type.
pub(super) fn is_fundamental(keyword: Keyword) -> bool {
    matches!(
        keyword,
        Keyword::Void
            | Keyword::Bool
            | Keyword::Char
            | Keyword::Char8
            | Keyword::Char16
            | Keyword::Char32
            | Keyword::Wchar
            | Keyword::Short
            | Keyword::Int
            | Keyword::Long
            | Keyword::Signed
            | Keyword::Unsigned
            | Keyword::Float
            | Keyword::Double
            | Keyword::Int128
            | Keyword::GnuSigned
            | Keyword::Auto
    )
}

/// `const`, `volatile`, `__restrict__`.
pub(super) fn is_qualifier(keyword: Keyword) -> bool {
    matches!(
        keyword,
        Keyword::Const
            | Keyword::GnuConst
            | Keyword::GnuConstLong
            | Keyword::Volatile
            | Keyword::GnuVolatile
            | Keyword::GnuVolatileShort
            | Keyword::GnuRestrict
            | Keyword::GnuRestrictShort
    )
}

pub(super) fn is_parameter_qualifier(keyword: Keyword) -> bool {
    matches!(keyword, Keyword::GridConstant | Keyword::GnuAttribute | Keyword::GnuAttributeShort)
}

/// Keywords that only a declaration begins with, or has after its type.
pub(super) fn is_declaration_keyword(keyword: Keyword) -> bool {
    is_qualifier(keyword)
        || is_fundamental(keyword)
        || matches!(
            keyword,
            Keyword::Static
                | Keyword::Extern
                | Keyword::Register
                | Keyword::Mutable
                | Keyword::ThreadLocal
                | Keyword::GnuThread
                | Keyword::Inline
                | Keyword::GnuInline
                | Keyword::GnuInlineShort
                | Keyword::Constexpr
                | Keyword::Constinit
                | Keyword::Consteval
                | Keyword::Typedef
                | Keyword::Virtual
                | Keyword::Explicit
                | Keyword::Friend
                | Keyword::Alignas
                | Keyword::Struct
                | Keyword::Class
                | Keyword::Union
                | Keyword::Enum
                | Keyword::Typename
                | Keyword::Shared
                | Keyword::Constant
                | Keyword::Device
                | Keyword::Host
                | Keyword::Global
                | Keyword::Managed
                | Keyword::GridConstant
                | Keyword::ForceInline
                | Keyword::NoInline
                | Keyword::InlineHint
                | Keyword::LaunchBounds
                | Keyword::MaxRegisters
                | Keyword::ClusterDims
                | Keyword::BlockSize
                | Keyword::Align
                | Keyword::BuiltinAlign
                | Keyword::NvPure
                | Keyword::GnuAttribute
                | Keyword::GnuAttributeShort
                | Keyword::Declspec
                | Keyword::DeviceBuiltin
                | Keyword::CudartBuiltin
        )
}
