//! Findings for programs: one object each, in the shape that the command line documents.

use serde_json::{Map, Value, json};

use super::{place, shown_span};
use crate::finding::Diagnostic;
use crate::source::SourceMap;
use crate::span::Span;

/// One finding. Lines and columns count from 1; `null` where a finding has no place. A finding
/// inside a macro gives the place of the outermost use, and the macro's own line in `labels`.
pub fn value(sources: &SourceMap, diagnostic: &Diagnostic) -> Value {
    let mut object = Map::new();
    object.insert("code".into(), diagnostic.code.into());
    object.insert("severity".into(), diagnostic.severity.as_str().into());
    object.insert("message".into(), diagnostic.message.clone().into());
    object.extend(position(sources, shown_span(diagnostic)));
    object.insert("help".into(), diagnostic.help.clone().into());
    let fix = diagnostic.fix.as_ref().map(|fix| {
        let edits: Vec<Value> = fix
            .edits
            .iter()
            .map(|edit| {
                let mut object = position(sources, Some(edit.span));
                object.insert("text".into(), edit.text.clone().into());
                Value::Object(object)
            })
            .collect();
        json!({ "title": fix.title, "applicability": applicability(fix.applicability), "edits": edits })
    });
    object.insert("fix".into(), fix.unwrap_or(Value::Null));
    object.insert("kernel".into(), diagnostic.kernel.clone().into());
    let mut labels = Vec::new();
    if let (Some(primary), false) = (&diagnostic.primary, diagnostic.frames.is_empty()) {
        labels.push(label(sources, primary.span, "in this macro"));
    }
    labels.extend(diagnostic.secondary.iter().map(|l| label(sources, l.span, &l.message)));
    object.insert("labels".into(), labels.into());
    Value::Object(object)
}

fn label(sources: &SourceMap, span: Span, message: &str) -> Value {
    let mut object = position(sources, Some(span));
    object.insert("message".into(), message.into());
    Value::Object(object)
}

fn applicability(value: crate::Applicability) -> &'static str {
    match value {
        crate::Applicability::Safe => "safe",
        crate::Applicability::Unsafe => "unsafe",
        crate::Applicability::DisplayOnly => "display-only",
    }
}

fn position(sources: &SourceMap, span: Option<Span>) -> Map<String, Value> {
    let mut object = Map::new();
    let place = span.map(|span| place(sources, span));
    let mut put = |key: &str, value: Option<Value>| {
        object.insert(key.into(), value.unwrap_or(Value::Null));
    };
    put("file", place.as_ref().map(|p| p.path.into()));
    put("line", place.as_ref().map(|p| p.start.line.into()));
    put("column", place.as_ref().map(|p| p.start.column.into()));
    put("end_line", place.as_ref().map(|p| p.end.line.into()));
    put("end_column", place.as_ref().map(|p| p.end.column.into()));
    object
}
