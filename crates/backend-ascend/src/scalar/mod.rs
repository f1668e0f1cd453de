//! Loops of the scalar unit: the form for what has no vector form. Right, and slow.
