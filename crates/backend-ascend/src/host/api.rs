//! Names of CUDA's API in host code: ACL's where it has one for the same thing, a function of
//! `port_ascend.h` where it takes more, a finding where neither holds.

use std::collections::{BTreeMap, BTreeSet};

use port_api::{Kind, Row, Side as ApiSide};
use port_diag::{Finding, Span};
use port_hir::{Body, FunctionId};
use port_rewrite::launches::matching;
use port_rewrite::{FileText, NameUse, Reason, Side, call_arguments, uses};
use port_syntax::{TokenKind, token::RawToken};

use super::text::replace_words;
use crate::findings::{ManagedMemory, NoHostForm};
use crate::port::Port;
use crate::section::literal;

/// What a name becomes.
enum Form {
    /// Another name, the rest as it is.
    Name(&'static str),
    /// A call with its arguments laid out anew: `{2}` is the third argument, `{4=x}` the fifth or `x`
    /// without one, `{0*}` the first as a `void**`. What is not named is dropped. Where the arguments
    /// cannot be read, a function of `port_ascend.h` of this name takes them as they are.
    Call { layout: &'static str, helper: &'static str, waits: bool },
    /// A hint to NVIDIA's driver: nothing is to be done, with success.
    Hint,
}

const fn call(layout: &'static str, helper: &'static str) -> Form {
    Form::Call { layout, helper, waits: false }
}

/// A call that CUDA orders after the kernels before it, and ACL does not.
const fn waiting(layout: &'static str, helper: &'static str) -> Form {
    Form::Call { layout, helper, waits: true }
}

/// Every name with a form.
const FORMS: &[(&str, Form)] = &[
    // Types and enumerators.
    ("cudaStream_t", Form::Name("aclrtStream")),
    ("cudaEvent_t", Form::Name("aclrtEvent")),
    ("cudaError_t", Form::Name("aclError")),
    ("cudaError", Form::Name("aclError")),
    ("cudaMemcpyKind", Form::Name("aclrtMemcpyKind")),
    ("cudaMemcpyHostToHost", Form::Name("ACL_MEMCPY_HOST_TO_HOST")),
    ("cudaMemcpyHostToDevice", Form::Name("ACL_MEMCPY_HOST_TO_DEVICE")),
    ("cudaMemcpyDeviceToHost", Form::Name("ACL_MEMCPY_DEVICE_TO_HOST")),
    ("cudaMemcpyDeviceToDevice", Form::Name("ACL_MEMCPY_DEVICE_TO_DEVICE")),
    ("cudaMemcpyDefault", Form::Name("ACL_MEMCPY_DEFAULT")),
    ("cudaDeviceProp", Form::Name("port_acl::DeviceProperties")),
    ("cudaSuccess", Form::Name("ACL_SUCCESS")),
    ("cudaErrorInvalidValue", Form::Name("ACL_ERROR_INVALID_PARAM")),
    ("cudaErrorInvalidConfiguration", Form::Name("ACL_ERROR_INVALID_PARAM")),
    ("cudaErrorInvalidDevice", Form::Name("ACL_ERROR_INVALID_PARAM")),
    ("cudaErrorInvalidMemcpyDirection", Form::Name("ACL_ERROR_INVALID_PARAM")),
    ("cudaErrorInvalidDevicePointer", Form::Name("ACL_ERROR_INVALID_PARAM")),
    ("cudaErrorMemoryAllocation", Form::Name("ACL_ERROR_RT_MEMORY_ALLOCATION")),
    ("cudaErrorNotSupported", Form::Name("ACL_ERROR_API_NOT_SUPPORT")),
    ("cudaErrorNotReady", Form::Name("port_acl::kNotReady")),
    ("cudaErrorUnknown", Form::Name("ACL_ERROR_FAILURE")),
    ("cudaErrorLaunchFailure", Form::Name("ACL_ERROR_FAILURE")),
    ("cudaErrorInitializationError", Form::Name("ACL_ERROR_UNINITIALIZE")),
    ("cudaStreamLegacy", Form::Name("nullptr")),
    ("cudaStreamPerThread", Form::Name("nullptr")),
    // Memory.
    ("cudaMalloc", call("aclrtMalloc({0*}, {1}, ACL_MEM_MALLOC_HUGE_FIRST)", "Malloc")),
    ("cudaFree", call("aclrtFree({0})", "Free")),
    ("cudaMallocHost", call("aclrtMallocHost({0*}, {1})", "MallocHost")),
    ("cudaHostAlloc", call("aclrtMallocHost({0*}, {1})", "MallocHost")),
    ("cudaFreeHost", Form::Name("aclrtFreeHost")),
    ("cudaMallocAsync", call("aclrtMalloc({0*}, {1}, ACL_MEM_MALLOC_HUGE_FIRST)", "MallocAsync")),
    ("cudaFreeAsync", Form::Name("port_acl::FreeAsync")),
    ("cudaMemcpy", waiting("aclrtMemcpy({0}, {2}, {1}, {2}, {3})", "Memcpy")),
    ("cudaMemset", waiting("aclrtMemset({0}, {2}, {1}, {2})", "Memset")),
    (
        "cudaMemcpyAsync",
        call("aclrtMemcpyAsync({0}, {2}, {1}, {2}, {3}, {4=nullptr})", "MemcpyAsync"),
    ),
    ("cudaMemsetAsync", call("aclrtMemsetAsync({0}, {2}, {1}, {2}, {3=nullptr})", "MemsetAsync")),
    ("cudaMallocManaged", Form::Name("port_acl::MallocManaged")),
    ("cudaMallocPitch", Form::Name("port_acl::MallocPitch")),
    ("cudaMemcpy2D", Form::Name("port_acl::Memcpy2D")),
    ("cudaMemcpy2DAsync", Form::Name("port_acl::Memcpy2DAsync")),
    ("cudaMemset2D", Form::Name("port_acl::Memset2D")),
    ("cudaMemGetInfo", call("aclrtGetMemInfo(ACL_HBM_MEM, {0}, {1})", "MemGetInfo")),
    ("cudaMemcpyToSymbol", Form::Name("port_acl::MemcpyToSymbol")),
    ("cudaMemcpyFromSymbol", Form::Name("port_acl::MemcpyFromSymbol")),
    ("cudaMemcpyToSymbolAsync", Form::Name("port_acl::MemcpyToSymbolAsync")),
    ("cudaMemcpyFromSymbolAsync", Form::Name("port_acl::MemcpyFromSymbolAsync")),
    ("cudaGetSymbolAddress", Form::Name("port_acl::GetSymbolAddress")),
    ("cudaGetSymbolSize", Form::Name("port_acl::GetSymbolSize")),
    // Order.
    ("cudaDeviceSynchronize", Form::Name("aclrtSynchronizeDevice")),
    ("cudaThreadSynchronize", Form::Name("aclrtSynchronizeDevice")),
    ("cudaStreamCreate", Form::Name("aclrtCreateStream")),
    ("cudaStreamCreateWithFlags", call("aclrtCreateStream({0})", "StreamCreate")),
    ("cudaStreamCreateWithPriority", call("aclrtCreateStream({0})", "StreamCreate")),
    ("cudaStreamDestroy", Form::Name("aclrtDestroyStream")),
    ("cudaStreamSynchronize", Form::Name("aclrtSynchronizeStream")),
    ("cudaStreamWaitEvent", call("aclrtStreamWaitEvent({0}, {1})", "StreamWaitEvent")),
    ("cudaEventCreate", call("aclrtCreateEvent({0})", "EventCreate")),
    ("cudaEventCreateWithFlags", call("aclrtCreateEvent({0})", "EventCreate")),
    ("cudaEventDestroy", Form::Name("aclrtDestroyEvent")),
    ("cudaEventRecord", call("aclrtRecordEvent({0}, {1=nullptr})", "EventRecord")),
    ("cudaEventSynchronize", Form::Name("aclrtSynchronizeEvent")),
    ("cudaEventElapsedTime", Form::Name("aclrtEventElapsedTime")),
    ("cudaEventQuery", Form::Name("port_acl::EventQuery")),
    ("cudaStreamQuery", Form::Name("port_acl::StreamQuery")),
    // Errors.
    ("cudaGetLastError", call("aclrtGetLastError(ACL_RT_THREAD_LEVEL)", "GetLastError")),
    ("cudaPeekAtLastError", call("aclrtPeekAtLastError(ACL_RT_THREAD_LEVEL)", "PeekAtLastError")),
    ("cudaGetErrorString", Form::Name("port_acl::GetErrorString")),
    ("cudaGetErrorName", Form::Name("port_acl::GetErrorName")),
    // Devices.
    ("cudaSetDevice", Form::Name("aclrtSetDevice")),
    ("cudaGetDevice", Form::Name("aclrtGetDevice")),
    ("cudaGetDeviceCount", Form::Name("port_acl::GetDeviceCount")),
    ("cudaGetDeviceProperties", Form::Name("port_acl::GetDeviceProperties")),
    ("cudaDeviceGetAttribute", Form::Name("port_acl::DeviceGetAttribute")),
    ("cudaDeviceReset", Form::Name("port_acl::DeviceReset")),
    ("cudaDriverGetVersion", Form::Name("port_acl::GetVersion")),
    ("cudaRuntimeGetVersion", Form::Name("port_acl::GetVersion")),
    (
        "cudaOccupancyMaxActiveBlocksPerMultiprocessor",
        Form::Name("port_acl::OccupancyMaxActiveBlocks"),
    ),
    ("cudaOccupancyMaxPotentialBlockSize", Form::Name("port_acl::OccupancyMaxPotentialBlockSize")),
    ("cudaLaunchKernel", Form::Name("port_acl::LaunchKernel")),
    ("cudaLaunchCooperativeKernel", Form::Name("port_acl::LaunchKernel")),
    // Hints.
    ("cudaFuncSetAttribute", Form::Hint),
    ("cudaFuncSetCacheConfig", Form::Hint),
    ("cudaFuncSetSharedMemConfig", Form::Hint),
    ("cudaDeviceSetCacheConfig", Form::Hint),
    ("cudaDeviceSetSharedMemConfig", Form::Hint),
    ("cudaDeviceSetLimit", Form::Hint),
    ("cudaSetDeviceFlags", Form::Hint),
    ("cudaProfilerStart", Form::Hint),
    ("cudaProfilerStop", Form::Hint),
    ("cudaMemAdvise", Form::Hint),
    ("cudaMemPrefetchAsync", Form::Hint),
    ("cudaHostRegister", Form::Hint),
    ("cudaHostUnregister", Form::Hint),
    ("cudaStreamAttachMemAsync", Form::Hint),
    // Conversions of narrow floats.
    ("__half2float", Form::Name("port_acl::HalfToFloat")),
    ("__float2half", Form::Name("port_acl::FloatToHalf")),
    ("__float2half_rn", Form::Name("port_acl::FloatToHalf")),
    ("__bfloat162float", Form::Name("port_acl::BfloatToFloat")),
    ("__float2bfloat16", Form::Name("port_acl::FloatToBfloat")),
    ("__float2bfloat16_rn", Form::Name("port_acl::FloatToBfloat")),
];

/// What is called instead where the program shares memory between host and device.
const MANAGED: &[(&str, &str)] = &[
    ("cudaDeviceSynchronize", "port_acl::DeviceSynchronize"),
    ("cudaThreadSynchronize", "port_acl::DeviceSynchronize"),
    ("cudaStreamSynchronize", "port_acl::StreamSynchronize"),
    ("cudaEventSynchronize", "port_acl::EventSynchronize"),
    ("cudaMemcpy", "port_acl::ManagedMemcpy"),
    ("cudaMemcpyAsync", "port_acl::ManagedMemcpy"),
    ("cudaMemset", "port_acl::ManagedMemset"),
    ("cudaMemsetAsync", "port_acl::ManagedMemset"),
    ("cudaFree", "port_acl::ManagedFree"),
];

/// Types of the device's that host code names, in Ascend's spelling.
const TYPES: &[(&str, &str)] = &[
    ("__half", "half"),
    ("__nv_half", "half"),
    ("__nv_bfloat16", "bfloat16_t"),
    ("nv_bfloat16", "bfloat16_t"),
    ("__half2", "half2"),
    ("__nv_bfloat162", "bfloat162_t"),
    ("nv_bfloat162", "bfloat162_t"),
    ("cudaStream_t", "aclrtStream"),
    ("cudaEvent_t", "aclrtEvent"),
];

/// Enumerators of attributes that `port_ascend.h` answers.
const ATTRIBUTES: &[&str] = &[
    "MaxThreadsPerBlock",
    "MaxBlockDimX",
    "MaxBlockDimY",
    "MaxBlockDimZ",
    "MaxGridDimX",
    "MaxGridDimY",
    "MaxGridDimZ",
    "MaxSharedMemoryPerBlock",
    "MaxSharedMemoryPerBlockOptin",
    "MaxSharedMemoryPerMultiprocessor",
    "MaxThreadsPerMultiProcessor",
    "MultiProcessorCount",
    "WarpSize",
    "ClockRate",
    "L2CacheSize",
    "CooperativeLaunch",
    "ComputeCapabilityMajor",
    "ComputeCapabilityMinor",
];

/// Arguments that stand only in calls that drop them.
const DROPPED: &[&str] = &[
    "cudaFuncAttribute",
    "cudaFuncCache",
    "cudaSharedMem",
    "cudaEventDisableTiming",
    "cudaEventDefault",
    "cudaEventBlockingSync",
    "cudaStreamNonBlocking",
    "cudaStreamDefault",
    "cudaHostAlloc",
    "cudaHostRegister",
    "cudaMemAdvise",
    "cudaMemAttach",
    "cudaDeviceSchedule",
    "cudaDeviceMapHost",
    "cudaLimit",
];

/// The port's spelling of a type of CUDA's.
pub(crate) fn type_name(word: &str) -> Option<&'static str> {
    TYPES.iter().find(|(cuda, _)| *cuda == word).map(|(_, own)| *own)
}

/// Edits every use, and reports what has no form.
pub(crate) fn apply(port: &mut Port<'_>) {
    let mut unsupported: Vec<(Span, &'static Row)> = Vec::new();
    let mut managed_uses: Vec<Span> = Vec::new();
    for index in 0..port.files.len() {
        let (all, _) = uses(&port.files[index], port.unit.module);
        let mut dropped: Vec<Span> = Vec::new();
        for found in all {
            if found.overloaded
                || port.is_removed(found.span)
                || dropped.iter().any(|span| span.contains(found.span))
            {
                continue;
            }
            let managed = MANAGED.iter().find(|(cuda, _)| port.managed && *cuda == found.row.name);
            if found.row.name == "cudaMallocManaged" {
                managed_uses.push(found.span);
            }
            let edits = match managed {
                Some((_, own)) => Some(rename(found.qualified, *own)),
                None => edits(&port.files[index], &found),
            };
            match edits {
                Some(edits) => {
                    let reason = Reason::Row(found.row.name);
                    for edit in edits {
                        if edit.text.is_empty() || edit.whole {
                            dropped.push(edit.span);
                        }
                        if edit.whole {
                            port.changes.remove_inside(edit.span);
                            port.removed.push(edit.span);
                        }
                        if edit.span.is_empty() {
                            let (file, at) = (edit.span.file, edit.span.start);
                            port.changes.insert(file, at, Side::After, edit.text, reason.clone());
                        } else {
                            port.changes.replace(edit.span, edit.text, reason.clone());
                        }
                    }
                }
                None if is_unsupported(port, &port.files[index], &found) => {
                    unsupported.push((found.span, found.row));
                }
                None => {}
            }
        }
    }
    for span in managed_uses {
        port.report_at(&ManagedMemory {}, span);
    }
    casts(port);
    device_lambdas(port);
    guard(port, unsupported);
    session(port);
}

/// A change of a use.
struct ApiEdit {
    span: Span,
    text: String,
    /// Whether the span holds text that goes with all that is in it.
    whole: bool,
}

fn rename(span: Span, text: impl Into<String>) -> Vec<ApiEdit> {
    vec![ApiEdit { span, text: text.into(), whole: false }]
}

/// The changes of a use; `None` for a name without a form.
fn edits(file: &FileText<'_>, found: &NameUse) -> Option<Vec<ApiEdit>> {
    let name = found.row.name;
    if let Some((_, own)) = TYPES.iter().find(|(cuda, _)| *cuda == name) {
        return Some(rename(found.qualified, *own));
    }
    if let Some(attribute) = name.strip_prefix("cudaDevAttr") {
        let known = ATTRIBUTES.iter().find(|known| **known == attribute)?;
        return Some(rename(found.qualified, format!("port_acl::kDeviceAttribute{known}")));
    }
    let (_, form) = FORMS.iter().find(|(cuda, _)| *cuda == name)?;
    if name == "cudaFree" && may_run(file, found.token) {
        return Some(rename(found.qualified, "port_acl::Free"));
    }
    match form {
        Form::Name(own) => Some(rename(found.qualified, *own)),
        Form::Hint => {
            let close = call_close(file, found.token);
            let Some(close) = close else {
                return Some(rename(found.qualified, "port_acl::Hint"));
            };
            let span = found.qualified.to(file.span(&file.tokens[close]));
            if is_statement(file, found, close) {
                let end = file.span(&file.tokens[close + 1]);
                return Some(vec![ApiEdit {
                    span: whole_line(file, span.to(end)),
                    text: String::new(),
                    whole: true,
                }]);
            }
            Some(vec![ApiEdit { span, text: "aclError(ACL_SUCCESS)".to_owned(), whole: true }])
        }
        Form::Call { layout, helper, waits } => {
            let laid = laid_out(file, found, layout, *waits);
            Some(laid.unwrap_or_else(|| rename(found.qualified, format!("port_acl::{helper}"))))
        }
    }
}

/// Whether a kernel may still run where a name stands: going back in its function, a launch comes
/// before what waits for it, or neither does.
fn may_run(file: &FileText<'_>, token: usize) -> bool {
    const WAIT: &[&str] =
        &["cudaMemcpy", "cudaDeviceSynchronize", "cudaStreamSynchronize", "cudaEventSynchronize"];
    let mut depth = 0_usize;
    for before in (0..token).rev() {
        let kind = file.tokens[before].kind;
        match kind {
            TokenKind::LaunchOpen => return true,
            TokenKind::RightBrace => depth += 1,
            TokenKind::LeftBrace if depth == 0 => {
                // A block's brace, or the function's.
                let opens = before.checked_sub(1).map(|at| &file.tokens[at]);
                let opens = opens.map_or("", |token| file.bytes(token));
                if !matches!(opens, ")" | "else" | "do" | "try" | "{" | ";" | "}") {
                    return true;
                }
            }
            TokenKind::LeftBrace => depth -= 1,
            TokenKind::Identifier if WAIT.contains(&file.bytes(&file.tokens[before])) => {
                return false;
            }
            _ => {}
        }
    }
    true
}

/// The `)` of a call.
fn call_close(file: &FileText<'_>, callee: usize) -> Option<usize> {
    let open = callee + 1;
    if file.tokens.get(open)?.kind != TokenKind::LeftParen {
        return None;
    }
    let close = matching(file, open)?;
    let directive = |at| file.directive_of(at).map(|found| found.tokens.start);
    (directive(open) == directive(close)).then_some(close)
}

/// Whether a call is a statement of its own.
fn is_statement(file: &FileText<'_>, found: &NameUse, close: usize) -> bool {
    let first = file.tokens.partition_point(|token| token.start < found.qualified.start);
    let before = first.checked_sub(1);
    let begins = before.is_none_or(|before| {
        let ends = [TokenKind::Semicolon, TokenKind::LeftBrace, TokenKind::RightBrace];
        ends.contains(&file.tokens[before].kind) || file.directive_of(before).is_some()
    });
    let ends = file.tokens.get(close + 1).is_some_and(|t| t.kind == TokenKind::Semicolon);
    begins && ends && file.directive_of(found.token).is_none()
}

/// A statement with its line, where nothing else is on it.
fn whole_line(file: &FileText<'_>, span: Span) -> Span {
    let before = file.text.get(..span.start as usize).unwrap_or("");
    let line = before.rfind('\n').map_or(0, |newline| newline + 1);
    let rest = file.text.get(span.end as usize..).unwrap_or("");
    let end = rest.find('\n').map_or(rest.len(), |newline| newline + 1);
    if before[line..].trim().is_empty() && rest[..end].trim().is_empty() {
        return Span::new(span.file, line as u32, span.end + end as u32);
    }
    span
}

/// A piece of a layout.
enum Piece<'l> {
    Text(&'l str),
    Argument { index: usize, pointer: bool, otherwise: Option<&'l str> },
}

fn pieces(layout: &str) -> Vec<Piece<'_>> {
    let mut out = Vec::new();
    let mut rest = layout;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((inside, after)) = after.split_once('}') else { break };
        if !before.is_empty() {
            out.push(Piece::Text(before));
        }
        let (inside, otherwise) = match inside.split_once('=') {
            Some((inside, otherwise)) => (inside, Some(otherwise)),
            None => (inside, None),
        };
        let pointer = inside.ends_with('*');
        let index = inside.trim_end_matches('*').parse().unwrap_or(0);
        out.push(Piece::Argument { index, pointer, otherwise });
        rest = after;
    }
    out.push(Piece::Text(rest));
    out
}

/// The changes of a call whose arguments are laid out anew. Each argument stays where it is, so that
/// what is edited inside it is kept; what stands twice is copied.
fn laid_out(
    file: &FileText<'_>,
    found: &NameUse,
    layout: &str,
    waits: bool,
) -> Option<Vec<ApiEdit>> {
    let close = call_close(file, found.token)?;
    let arguments = call_arguments(file, found.token, 9)?;
    let text = |span: Span| file.text.get(span.range()).unwrap_or("");
    let pieces = pieces(layout);
    let mut places: BTreeMap<usize, usize> = BTreeMap::new();
    for (at, piece) in pieces.iter().enumerate() {
        if let Piece::Argument { index, otherwise, .. } = piece {
            if *index >= arguments.len() && otherwise.is_none() {
                return None;
            }
            places.insert(*index, at);
        }
    }
    let mut out = Vec::new();
    // From here on, text is due.
    let mut from = found.qualified.start;
    let mut due = String::new();
    let statement = waits && is_statement(file, found, close);
    if statement {
        let before = file.text.get(..from as usize).unwrap_or("");
        let line = before.rfind('\n').map_or(0, |newline| newline + 1);
        let indent: String =
            before[line..].chars().take_while(|c| matches!(c, ' ' | '\t')).collect();
        let newline = if file.text.contains("\r\n") { "\r\n" } else { "\n" };
        due.push_str(&format!("aclrtSynchronizeDevice();{newline}{indent}"));
    } else if waits {
        due.push_str("(aclrtSynchronizeDevice(), ");
    }
    for (at, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Text(words) => due.push_str(words),
            Piece::Argument { index, pointer, otherwise } => {
                let Some(argument) = arguments.get(*index).copied() else {
                    due.push_str(otherwise.unwrap_or(""));
                    continue;
                };
                if places.get(index) != Some(&at) {
                    let copied = text(argument);
                    if has_effect(file, argument) {
                        return None;
                    }
                    let copied = replace_words(copied, &|word| {
                        let known = FORMS.iter().find(|(cuda, _)| *cuda == word);
                        match known {
                            Some((_, Form::Name(own))) => Some((*own).to_owned()),
                            _ => type_name(word).map(str::to_owned),
                        }
                    });
                    due.push_str(&copied);
                    continue;
                }
                if argument.start < from {
                    return None;
                }
                let mut closing = "";
                if *pointer && !is_void_pointer(text(argument)) {
                    due.push_str("(void**)");
                    if !is_simple(file, argument) {
                        due.push('(');
                        closing = ")";
                    }
                }
                let between = Span::new(file.id, from, argument.start);
                // The user's own comma and line break.
                let kept = due == ", " && text(between).trim() == ",";
                if !kept {
                    out.push(ApiEdit {
                        span: between,
                        text: std::mem::take(&mut due),
                        whole: true,
                    });
                }
                due = closing.to_owned();
                from = argument.end;
            }
        }
    }
    if waits && !statement {
        due.push(')');
    }
    let end = file.tokens.get(close)?.end;
    let span = Span::new(file.id, from, end);
    if text(span) != due {
        out.push(ApiEdit { span, text: due, whole: true });
    }
    Some(out)
}

fn is_void_pointer(text: &str) -> bool {
    let plain: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    plain.starts_with("(void**)") || plain.starts_with("reinterpret_cast<void**>")
}

/// The tokens inside a span.
fn tokens_in<'f>(file: &'f FileText<'_>, span: Span) -> &'f [RawToken] {
    let from = file.tokens.partition_point(|token| token.start < span.start);
    let to = file.tokens.partition_point(|token| token.end <= span.end);
    file.tokens.get(from..to.max(from)).unwrap_or(&[])
}

/// Whether evaluating an expression twice is not the same as once.
fn has_effect(file: &FileText<'_>, span: Span) -> bool {
    tokens_in(file, span).iter().any(|token| {
        let bytes = file.bytes(token);
        matches!(bytes, "++" | "--" | "=")
            || bytes.ends_with('=') && !matches!(bytes, "==" | "!=" | "<=" | ">=")
    })
}

/// Whether a cast may stand before an expression without parentheses.
fn is_simple(file: &FileText<'_>, span: Span) -> bool {
    let mut depth = 0_i32;
    tokens_in(file, span).iter().enumerate().all(|(index, token)| {
        let inside = depth > 0;
        match token.kind {
            kind if kind.is_open() => depth += 1,
            kind if kind.is_close() => depth -= 1,
            _ => {}
        }
        let plain = matches!(
            token.kind,
            TokenKind::Identifier
                | TokenKind::ColonColon
                | TokenKind::Dot
                | TokenKind::Arrow
                | TokenKind::Number
        );
        inside
            || plain
            || token.kind.is_open()
            || token.kind.is_close()
            || (index == 0 && token.kind == TokenKind::Ampersand)
    })
}

/// Whether a use is one of CUDA's in text that is compiled, for which nothing stands in.
fn is_unsupported(port: &Port<'_>, file: &FileText<'_>, found: &NameUse) -> bool {
    let row = found.row;
    if row.side == ApiSide::Device || DROPPED.iter().any(|start| row.name.starts_with(start)) {
        return false;
    }
    let directive = file.directive_of(found.token);
    let compiled = found.resolved
        || directive.is_none() && !port.inactive.iter().any(|body| body.contains(found.span));
    if !compiled || directive.is_some_and(|d| d.keyword != "define") {
        return false;
    }
    if super::header::provides(row.name) {
        return false;
    }
    let last = row.name.rsplit("::").next().unwrap_or(row.name);
    let namespace = row.name.split_once("::").map_or("", |(first, _)| first);
    // Members are there when their type is: a wrong one does not compile.
    let of_runtime = namespace.is_empty()
        && (["cuda", "CU", "nccl", "nvtx", "tex"].iter().any(|p| last.starts_with(p))
            || last.starts_with("cu") && last.chars().any(|c| c.is_ascii_uppercase()));
    of_runtime || matches!(namespace, "thrust" | "cub" | "nvcuda" | "cooperative_groups")
}

/// Why, and the way forward.
fn explain(row: &Row) -> (&'static str, &'static str) {
    let ways: &[(&str, &str, &str)] = &[
        ("cublas", "cuBLAS runs on NVIDIA's GPUs", "call aclnnMatmul, or use the catlass library"),
        ("cufft", "cuFFT runs on NVIDIA's GPUs", "call an FFT of the host, or write the kernel"),
        (
            "curand",
            "cuRAND runs on NVIDIA's GPUs",
            "fill the array with aclnnInplaceNormal or aclnnInplaceUniform",
        ),
        ("cusparse", "cuSPARSE runs on NVIDIA's GPUs", "write the loop as a kernel"),
        ("cusolver", "cuSOLVER runs on NVIDIA's GPUs", "call LAPACK on the host"),
        ("cudnn", "cuDNN runs on NVIDIA's GPUs", "call aclnn's operators"),
        (
            "thrust",
            "thrust is CUDA's",
            "write the kernel, or use the standard algorithms on the host",
        ),
        ("cub", "CUB is CUDA's", "write the kernel"),
        ("nccl", "NCCL is NVIDIA's", "call HCCL"),
        ("nvtx", "it marks ranges for NVIDIA's profilers", "leave the call out"),
        ("tex", "an Ascend chip has no texture units", "read the array itself"),
        ("cudaTex", "an Ascend chip has no texture units", "read the array itself"),
        ("cudaCreateTexture", "an Ascend chip has no texture units", "read the array itself"),
        ("cudaSurf", "an Ascend chip has no surfaces", "read and write the array itself"),
        ("cudaArray", "an Ascend chip has no texture arrays", "use plain memory"),
        ("cudaMallocArray", "an Ascend chip has no texture arrays", "use plain memory"),
        ("cudaGraph", "its graphs are CUDA's", "launch the kernels of the graph directly"),
        ("cudaMemAttach", "an Ascend chip does not share addresses with the host", "leave it out"),
        ("cuda", "ACL has no counterpart", "leave it out, or write it with ACL's functions"),
    ];
    let last = row.name.rsplit("::").next().unwrap_or(row.name);
    ways.iter()
        .find(|(prefix, ..)| row.name.starts_with(prefix) || last.starts_with(prefix))
        .map_or(("ACL has no counterpart", "write it with ACL's functions"), |(_, r, w)| (r, w))
}

/// Reports what has no form; a function that uses it ends the program.
fn guard(port: &mut Port<'_>, unsupported: Vec<(Span, &'static Row)>) {
    let mut functions: BTreeMap<FunctionId, String> = BTreeMap::new();
    let mut types: BTreeSet<&'static str> = BTreeSet::new();
    let code = NoHostForm::METADATA.code;
    for (span, row) in unsupported {
        let (reason, way) = explain(row);
        let finding = NoHostForm { name: row.name.into(), reason: reason.into(), way: way.into() };
        port.report_at(&finding, span);
        if row.kind == Kind::Type && !row.name.contains("::") {
            types.insert(row.name);
        }
        let holder = port.program.tokens_of(span).first().and_then(|token| {
            let function = port.program.function_at(*token)?;
            body_span(port, function)?.contains(span).then_some(function)
        });
        match holder {
            Some(function) => drop(functions.entry(function).or_insert(finding.message())),
            None => port.stops.push((span, code, finding.message())),
        }
    }
    for (function, message) in functions {
        let Some(span) = body_span(port, function) else { continue };
        let newline = newline(port, span);
        let shown = message.replace(['"', '\\'], "'").replace(['\n', '\r'], " ");
        let open = format!(
            "{newline}#ifndef PORT_ALLOW_MANUAL{newline}#error \"port: {code}: {shown}\"{newline}"
        );
        let text = literal(&format!("{code}: {message}"));
        let close = format!(
            "{newline}#else{newline}    port_acl::Untranslated({text});{newline}#endif{newline}"
        );
        let reason = Reason::Finding(code);
        port.changes.insert(span.file, span.start + 1, Side::Before, open, reason.clone());
        port.changes.insert(span.file, span.end - 1, Side::Before, close, reason);
    }
    // Heads of functions and members may name the types; nothing that uses a value is compiled.
    if !types.is_empty()
        && let Some(file) = port.file(port.unit.root)
    {
        let newline = if file.text.contains("\r\n") { "\r\n" } else { "\n" };
        let lines: Vec<String> = types.iter().map(|name| format!("struct {name} {{}};")).collect();
        let text = format!(
            "#ifdef PORT_ALLOW_MANUAL{newline}{}{newline}#endif{newline}",
            lines.join(newline)
        );
        let includes = file.includes();
        let at = includes.last().map_or(0, |line| line.line.end);
        let id = file.id;
        port.changes.insert(id, at, Side::Before, text, Reason::Finding(code));
    }
}

fn newline(port: &Port<'_>, span: Span) -> &'static str {
    if port.unit.sources.file(span.file).text.contains("\r\n") { "\r\n" } else { "\n" }
}

/// The braces of a function's body, in one file and no macro.
fn body_span(port: &Port<'_>, function: FunctionId) -> Option<Span> {
    let Body::Block(body) = port.unit.module.functions[function].body else { return None };
    let tokens = port.unit.module.stmts[body].tokens;
    let first = port.tokens().get(tokens.range().start)?;
    let span = port.source_span(tokens)?;
    let text = port.unit.sources.text(span);
    let is_block = text.starts_with('{') && text.ends_with('}');
    (first.origin.expansion.is_none() && is_block).then_some(span)
}

/// Opens ACL where a program begins.
fn session(port: &mut Port<'_>) {
    let module = port.unit.module;
    let mains = module.functions_named("main");
    let main = mains.iter().find(|id| {
        let function = &module.functions[**id];
        function.parent == port_hir::Parent::Namespace(module.global())
            && matches!(function.body, Body::Block(_))
    });
    let Some(span) = main.and_then(|id| body_span(port, *id)) else { return };
    let rest = port.unit.sources.file(span.file).text.get(span.start as usize + 1..).unwrap_or("");
    let line_ends = rest.lines().next().is_some_and(|line| line.trim().is_empty());
    let indent: String =
        rest.lines().skip(1).find(|line| !line.trim().is_empty()).map_or(String::new(), |line| {
            line.chars().take_while(|c| matches!(c, ' ' | '\t')).collect()
        });
    let indent = if indent.is_empty() { "    ".to_owned() } else { indent };
    let text = match line_ends {
        true => format!("{}{indent}port_acl::Session session;", newline(port, span)),
        false => " port_acl::Session session;".to_owned(),
    };
    let at = span.start + 1;
    port.changes.insert(span.file, at, Side::Before, text, Reason::Row("cudaSetDevice"));
}

/// `(void*)k` keeps its type: the launcher is called through it.
fn casts(port: &mut Port<'_>) {
    let mut edits: Vec<Span> = Vec::new();
    for kernel_use in &port.unit.module.kernel_uses {
        let tokens = port.unit.module.exprs[kernel_use.name].tokens;
        let Some(span) = port.source_span(tokens) else { continue };
        let Some(file) = port.file(span.file) else { continue };
        let Some(mut at) = file.tokens.partition_point(|t| t.start < span.start).checked_sub(1)
        else {
            continue;
        };
        if file.tokens[at].kind == TokenKind::Ampersand {
            at = at.saturating_sub(1);
        }
        let word = |index: usize| file.bytes(&file.tokens[index]);
        if file.tokens[at].kind == TokenKind::RightParen {
            let open = (at.saturating_sub(5)..at)
                .rev()
                .find(|index| file.tokens[*index].kind == TokenKind::LeftParen);
            if let Some(open) = open.filter(|open| (open + 1..at).any(|i| word(i) == "void")) {
                edits.push(file.span(&file.tokens[open]).to(file.span(&file.tokens[at])));
            }
        } else if file.tokens[at].kind == TokenKind::LeftParen
            && let Some(greater) = at.checked_sub(1).filter(|g| word(*g) == ">")
        {
            let less = (greater.saturating_sub(5)..greater).rev().find(|i| word(*i) == "<");
            if let Some(cast) = less.and_then(|less| less.checked_sub(1))
                && word(cast) == "reinterpret_cast"
            {
                edits.push(file.span(&file.tokens[cast]).to(file.span(&file.tokens[greater])));
            }
        }
    }
    for span in edits {
        if !port.is_removed(span) {
            port.changes.replace(span, "", Reason::Row("cudaLaunchKernel"));
        }
    }
}

/// The body of a closure that only the device runs leaves.
fn device_lambdas(port: &mut Port<'_>) {
    let module = port.unit.module;
    let mut bodies = Vec::new();
    for (_, lambda) in module.lambdas.iter() {
        if !lambda.device || lambda.host {
            continue;
        }
        let Some(span) = port.source_span(module.stmts[lambda.body].tokens) else { continue };
        let text = port.unit.sources.text(span);
        if text.starts_with('{') && text.ends_with('}') && !port.is_removed(span) {
            bodies.push(Span::new(span.file, span.start + 1, span.end - 1));
        }
    }
    for body in bodies {
        port.changes.remove_inside(body);
        port.changes.replace(body, "", Reason::Row("__device__"));
        port.removed.push(body);
    }
}
