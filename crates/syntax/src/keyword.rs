//! The reserved words of C++ and the qualifiers of CUDA, so that later stages match on an enum and
//! not on text. Which words a stage treats as what is its own business.

macro_rules! keywords {
    ($($variant:ident $text:literal,)*) => {
        /// A word with a fixed meaning in C++ or CUDA C++.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Keyword {
            $(#[doc = concat!("`", $text, "`")] $variant,)*
        }

        impl Keyword {
            /// Every keyword.
            pub const ALL: &'static [Keyword] = &[$(Keyword::$variant,)*];

            /// How it is spelled.
            pub fn as_str(self) -> &'static str {
                match self { $(Keyword::$variant => $text,)* }
            }
        }
    };
}

keywords! {
    Alignas "alignas", Alignof "alignof", And "and", AndEq "and_eq", Asm "asm", Auto "auto",
    Bitand "bitand", Bitor "bitor", Bool "bool", Break "break", Case "case", Catch "catch",
    Char "char", Char8 "char8_t", Char16 "char16_t", Char32 "char32_t", Class "class",
    Compl "compl", Concept "concept", Const "const", Consteval "consteval",
    Constexpr "constexpr", Constinit "constinit", ConstCast "const_cast", Continue "continue",
    CoAwait "co_await", CoReturn "co_return", CoYield "co_yield", Decltype "decltype",
    Default "default", Delete "delete", Do "do", Double "double", DynamicCast "dynamic_cast",
    Else "else", Enum "enum", Explicit "explicit", Export "export", Extern "extern",
    False "false", Float "float", For "for", Friend "friend", Goto "goto", If "if",
    Inline "inline", Int "int", Long "long", Mutable "mutable", Namespace "namespace", New "new",
    Noexcept "noexcept", Not "not", NotEq "not_eq", Nullptr "nullptr", Operator "operator",
    Or "or", OrEq "or_eq", Private "private", Protected "protected", Public "public",
    Register "register", ReinterpretCast "reinterpret_cast", Requires "requires",
    Return "return", Short "short", Signed "signed", Sizeof "sizeof", Static "static",
    StaticAssert "static_assert", StaticCast "static_cast", Struct "struct", Switch "switch",
    Template "template", This "this", ThreadLocal "thread_local", Throw "throw", True "true",
    Try "try", Typedef "typedef", Typeid "typeid", Typename "typename", Union "union",
    Unsigned "unsigned", Using "using", Virtual "virtual", Void "void", Volatile "volatile",
    Wchar "wchar_t", While "while", Xor "xor", XorEq "xor_eq", Override "override",
    Final "final",
    GnuAsm "__asm__", GnuAsmShort "__asm", GnuVolatile "__volatile__",
    GnuVolatileShort "__volatile", GnuInline "__inline__", GnuInlineShort "__inline",
    GnuRestrict "__restrict__", GnuRestrictShort "__restrict", GnuAttribute "__attribute__",
    GnuAttributeShort "__attribute", GnuExtension "__extension__", GnuTypeof "__typeof__",
    GnuAlignof "__alignof__", GnuConst "__const", GnuConstLong "__const__",
    GnuSigned "__signed__", GnuThread "__thread", Int128 "__int128", Declspec "__declspec",
    MsForceInline "__forceinline",
    Global "__global__", Device "__device__", Host "__host__", Shared "__shared__",
    Constant "__constant__", Managed "__managed__", GridConstant "__grid_constant__",
    ForceInline "__forceinline__", NoInline "__noinline__", InlineHint "__inline_hint__",
    LaunchBounds "__launch_bounds__", MaxRegisters "__maxnreg__", ClusterDims "__cluster_dims__",
    BlockSize "__block_size__", Align "__align__", BuiltinAlign "__builtin_align__",
    NvPure "__nv_pure__", DeviceBuiltin "__device_builtin__", CudartBuiltin "__cudart_builtin__",
}
