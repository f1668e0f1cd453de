//! Which function holds which token, and which kernels reach it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use port_diag::Span;
use port_hir::{ExprKind, FunctionId, Module, Res};
use port_syntax::Parsed;

/// The functions of a unit by the tokens that they cover, and their calls.
#[derive(Debug)]
pub struct Program<'a> {
    module: &'a Module,
    /// For each function with a body: its tokens. Sorted by start; an inner function (a method of a
    /// local record) comes after the one that holds it.
    extents: Vec<Extent>,
    /// For each function, the kernels that reach it, itself included when it is one.
    kernels: BTreeMap<FunctionId, BTreeSet<FunctionId>>,
    /// The tokens that each spelling became.
    tokens: HashMap<Span, Vec<usize>>,
}

#[derive(Debug)]
struct Extent {
    tokens: std::ops::Range<u32>,
    function: FunctionId,
    /// The extent around this one.
    outer: Option<usize>,
}

impl<'a> Program<'a> {
    /// Indexes a module.
    pub fn new(module: &'a Module, parsed: &Parsed) -> Self {
        let mut extents: Vec<_> = module
            .functions
            .iter()
            .map(|(id, function)| (function.tokens.start..function.tokens.end, id))
            .filter(|(range, _)| !range.is_empty())
            .collect();
        extents.sort_by_key(|(range, id)| (range.start, std::cmp::Reverse(range.end), *id));
        let extents = nest(extents);
        let mut tokens: HashMap<Span, Vec<usize>> = HashMap::new();
        for (index, token) in parsed.tokens().iter().enumerate() {
            tokens.entry(token.origin.span).or_default().push(index);
        }
        let mut program = Program { module, extents, kernels: BTreeMap::new(), tokens };
        program.kernels = program.reaching_kernels();
        program
    }

    /// The tokens that these bytes became after preprocessing; several in a macro's body.
    pub fn tokens_of(&self, span: Span) -> Vec<usize> {
        if let Some(tokens) = self.tokens.get(&span) {
            return tokens.clone();
        }
        // Not one token: the tokens inside the span.
        let mut inside: Vec<usize> = self
            .tokens
            .iter()
            .filter(|(token, _)| span.contains(**token))
            .flat_map(|(_, indices)| indices.iter().copied())
            .collect();
        inside.sort_unstable();
        inside
    }

    /// The innermost function that covers a token.
    pub fn function_at(&self, token: usize) -> Option<FunctionId> {
        let token = token as u32;
        let after = self.extents.partition_point(|extent| extent.tokens.start <= token);
        let mut next = after.checked_sub(1);
        while let Some(extent) = next.and_then(|index| self.extents.get(index)) {
            if extent.tokens.contains(&token) {
                return Some(extent.function);
            }
            next = extent.outer;
        }
        None
    }

    /// The kernels that reach one of these tokens, in the order of the text.
    pub fn kernels_at(&self, tokens: &[usize]) -> Vec<FunctionId> {
        let functions: BTreeSet<FunctionId> =
            tokens.iter().filter_map(|token| self.function_at(*token)).collect();
        let kernels: BTreeSet<FunctionId> =
            functions.iter().filter_map(|id| self.kernels.get(id)).flatten().copied().collect();
        kernels.into_iter().collect()
    }

    /// Whether some kernel reaches the function, or it is device code by its qualifiers.
    pub fn is_device(&self, function: FunctionId) -> bool {
        let qualifiers = &self.module.functions[function].qualifiers;
        qualifiers.device || qualifiers.global || self.kernels.contains_key(&function)
    }

    /// Follows names from each kernel: a function that is named in a body may be called by it. A
    /// member call whose object's type is unknown here may call any method of that name.
    fn reaching_kernels(&self) -> BTreeMap<FunctionId, BTreeSet<FunctionId>> {
        let mut named: BTreeMap<FunctionId, BTreeSet<FunctionId>> = BTreeMap::new();
        for (_, expr) in self.module.exprs.iter() {
            let targets: &[FunctionId] = match &expr.kind {
                ExprKind::Name(name) => match &name.resolution {
                    Res::Functions(functions) | Res::Methods { functions, .. } => functions,
                    Res::Dependent | Res::Unresolved | Res::Member { .. } => {
                        name.last().map_or(&[], |part| self.module.functions_named(part.name))
                    }
                    _ => &[],
                },
                ExprKind::Member { member, .. } => {
                    member.last().map_or(&[], |part| self.module.functions_named(part.name))
                }
                _ => &[],
            };
            if targets.is_empty() {
                continue;
            }
            if let Some(holder) = self.function_at(expr.tokens.start as usize) {
                named.entry(holder).or_default().extend(targets);
            }
        }
        let mut reached: BTreeMap<FunctionId, BTreeSet<FunctionId>> = BTreeMap::new();
        for (kernel, _) in self.module.kernels() {
            let mut pending = vec![kernel];
            while let Some(function) = pending.pop() {
                if reached.entry(function).or_default().insert(kernel) {
                    pending.extend(named.get(&function).into_iter().flatten());
                }
            }
        }
        reached
    }
}

/// Gives each extent the one around it. The extents are sorted by start, longer first.
fn nest(sorted: Vec<(std::ops::Range<u32>, FunctionId)>) -> Vec<Extent> {
    let mut extents: Vec<Extent> = Vec::with_capacity(sorted.len());
    let mut open: Vec<usize> = Vec::new();
    for (tokens, function) in sorted {
        while open.last().is_some_and(|index| extents[*index].tokens.end <= tokens.start) {
            open.pop();
        }
        let outer = open.last().copied();
        open.push(extents.len());
        extents.push(Extent { tokens, function, outer });
    }
    extents
}
