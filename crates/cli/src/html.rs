//! What the HTML pages of reports share: one file that needs nothing else.

const STYLE: &str = "\
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1f24}
h1{font-size:1.4rem}h2{font-size:1.15rem;margin-top:2rem}h3{font-size:1rem}
table{border-collapse:collapse;margin:.5rem 0}td,th{border:1px solid #d0d7de;padding:.2rem .6rem;text-align:left}
td.n{text-align:right;font-variant-numeric:tabular-nums}summary{cursor:pointer;font-weight:600;margin:.4rem 0}
.equal,.within-rule,.yes,.ported{color:#116329}
.order-noise,.ill-conditioned,.ported-unchecked,.ported-slow{color:#7d4e00}
.port-bug,.target-drift,.unproven,.missing,.manual{color:#a40e26}
pre{background:#f6f8fa;padding:.8rem;overflow-x:auto}svg text{font:11px system-ui,sans-serif}";

/// A page of this title around `body`, which is HTML.
pub fn page(title: &str, body: &str) -> String {
    let title = escaped(title);
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <style>{STYLE}</style></head><body>\n<h1>{title}</h1>\n{body}</body></html>\n"
    )
}

/// Text as HTML shows it.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
