//! Passes: from a valid module to another valid module that means the same.
//!
//! Passes keep handles of functions and variables, and every node keeps the user's text that it
//! comes from.
//!
//! * [`inline`]: calls become the bodies that they call.
//! * [`forward`]: what a local variable is known to hold takes the place of loading it, and stores
//!   that nobody loads go.
//! * [`flatten`]: both, until references, closures and `this` pointers are gone: the form in which
//!   the analyses see most.

mod copy;
pub mod forward;
pub mod inline;

use crate::module::Module;
use crate::validate::ModuleInfo;

/// Rounds of forwarding: each can follow one more pointer that lay in a local.
const ROUNDS: usize = 6;

/// Inlines what can be inlined, then forwards through locals until little is left to gain.
pub fn flatten(module: &Module, info: &ModuleInfo) -> Module {
    flatten_within(module, info, inline::Limits::default())
}

/// [`flatten`] with other limits.
pub fn flatten_within(module: &Module, info: &ModuleInfo, limits: inline::Limits) -> Module {
    let mut flat = inline::inline(module, info, limits);
    for handle in flat.functions.handles() {
        for _ in 0..ROUNDS {
            let Some(simpler) = forward::forward(&flat, &flat.functions[handle]) else { break };
            flat.functions[handle] = simpler;
        }
    }
    flat
}
