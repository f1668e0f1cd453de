//! Functions of numbers as values: what a profile gives for a [`MathFunction`], ready to be called
//! once for each lane.

macro_rules! functions {
    ($(#[$doc:meta])* $name:ident, $float:ty) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub enum $name {
            /// One number.
            Unary(fn($float) -> $float),
            /// Two numbers.
            Binary(fn($float, $float) -> $float),
            /// Three numbers.
            Ternary(fn($float, $float, $float) -> $float),
            /// Four numbers.
            Quaternary(fn($float, $float, $float, $float) -> $float),
            /// A number and an integer.
            WithI32(fn($float, i32) -> $float),
            /// An integer and a number.
            I32With(fn(i32, $float) -> $float),
            /// A number to an integer.
            ToI32(fn($float) -> i32),
            /// A number to a truth value.
            Predicate(fn($float) -> bool),
        }

        impl $name {
            /// Number of operands.
            pub fn arity(&self) -> usize {
                match self {
                    Self::Unary(_) | Self::ToI32(_) | Self::Predicate(_) => 1,
                    Self::Binary(_) | Self::WithI32(_) | Self::I32With(_) => 2,
                    Self::Ternary(_) => 3,
                    Self::Quaternary(_) => 4,
                }
            }
        }
    };
}

functions! {
    /// A function of binary32 numbers.
    F32Function, f32
}
functions! {
    /// A function of binary64 numbers.
    F64Function, f64
}
