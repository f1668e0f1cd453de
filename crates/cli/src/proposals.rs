//! What `port check --fix` and `--search` found, as text and JSON.

use std::fmt::Write;

use port_check::fixes::{self, Edit, Fix};
use port_check::metrics::Comparison;
use port_check::search::{Distance, Worst};
use port_diag::SourceMap;
use serde_json::{Value, json};

use crate::check::measure;

/// Both for people; nothing where nothing was looked for.
pub fn text(sources: &SourceMap, fixes: &[Fix], worst: &[Worst]) -> String {
    let mut text = String::new();
    if !fixes.is_empty() {
        text.push_str("\nfixes\n");
    }
    for fix in fixes {
        let _ = writeln!(text, "  {} in {}: {}", fix.cause, fix.kernel, fix.advice);
        for effect in &fix.effects {
            let (before, after) = (&effect.before, &effect.after);
            let _ = writeln!(
                text,
                "    {:<16} max ulp {} -> {}, max rel {:.3e} -> {:.3e}, rmse {:.3e} -> {:.3e}",
                effect.output,
                before.max_ulp,
                after.max_ulp,
                before.max_relative,
                after.max_relative,
                before.rmse,
                after.rmse
            );
            if let Some(moved) = &effect.moved {
                let _ = writeln!(
                    text,
                    "    {:<16} the original itself moves by max ulp {}, rmse {:.3e}",
                    "", moved.max_ulp, moved.rmse
                );
            }
        }
        for line in fixes::patch(sources, &fix.edits).lines() {
            let _ = writeln!(text, "    {line}");
        }
    }
    if !worst.is_empty() {
        text.push_str("\nworst inputs\n");
    }
    for found in worst {
        let (before, after) = (&found.before, &found.worst);
        let _ = writeln!(
            text,
            "  {:<16} of scale {:.3e} -> {:.3e}, max rel {:.3e} -> {:.3e}, max ulp {} -> {}",
            found.output,
            before.of_scale,
            after.of_scale,
            before.relative,
            after.relative,
            before.ulp,
            after.ulp
        );
        if found.found_at > 0 {
            let steps = found.steps.join("; ");
            let _ = writeln!(text, "    in run {}: {steps}", found.found_at);
        }
    }
    text
}

/// Puts both into a document, each with what it is about.
pub fn add_json(
    document: &mut Value,
    sources: &SourceMap,
    about: &Value,
    fixes: &[Fix],
    worst: &[Worst],
) {
    let mut add = |list: &str, mut entry: Value| {
        entry["target"] = about["target"].clone();
        if !about["set"].is_null() {
            entry["set"] = about["set"].clone();
        }
        match document[list].as_array_mut() {
            Some(known) => known.push(entry),
            None => document[list] = json!([entry]),
        }
    };
    for fix in fixes {
        let effects: Vec<Value> = fix
            .effects
            .iter()
            .map(|effect| {
                json!({
                    "output": effect.output,
                    "before": comparison(&effect.before),
                    "after": comparison(&effect.after),
                    "original_moves": effect.moved.as_ref().map(comparison),
                })
            })
            .collect();
        let edits: Vec<Value> = fix.edits.iter().map(|edit| edit_json(sources, edit)).collect();
        add(
            "fixes",
            json!({
                "kernel": fix.kernel,
                "cause": fix.cause,
                "advice": fix.advice,
                "effects": effects,
                "edits": edits,
                "patch": fixes::patch(sources, &fix.edits),
            }),
        );
    }
    for found in worst {
        add(
            "worst_inputs",
            json!({
                "output": found.output,
                "before": distance(&found.before),
                "worst": distance(&found.worst),
                "run": found.found_at,
                "steps": found.steps,
            }),
        );
    }
}

fn edit_json(sources: &SourceMap, edit: &Edit) -> Value {
    let file = sources.file(edit.span.file);
    json!({
        "file": file.path.to_string(),
        "line": file.line_column(edit.span.start).line,
        "start": edit.span.start,
        "end": edit.span.end,
        "replacement": edit.text,
    })
}

fn comparison(c: &Comparison) -> Value {
    json!({
        "max_ulp": c.max_ulp,
        "max_rel": measure(c.max_relative),
        "rmse": measure(c.rmse),
        "unequal": c.unequal,
    })
}

fn distance(distance: &Distance) -> Value {
    json!({
        "scale_error": measure(distance.of_scale),
        "max_rel": measure(distance.relative),
        "max_ulp": distance.ulp,
        "index": distance.index,
    })
}
