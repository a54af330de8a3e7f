//! One HTML file.

use crate::{style, svg::escape};

/// A page with this title and body: HTML, with pictures as [`fragment`](crate::Chart::fragment)s. Nothing in it is fetched from
/// anywhere; it follows the reader's light or dark setting and fits narrow screens.
pub fn page(title: &str, body: &str) -> String {
    format!(
        r#"<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title><style>{variables}{rules}{own}</style></head>
<body><main>{body}</main></body></html>
"#,
        title = escape(title),
        variables = style::variables(":root"),
        rules = style::rules(),
        own = format_args!(
            "body{{margin:0;background:var(--surface);color:var(--ink);font:15px/1.5 {family}}}\
             main{{max-width:1000px;margin:0 auto;padding:24px 20px 48px}}h1{{font-size:24px}}h2{{font-size:17px;margin-top:32px}}\
             .chart{{max-width:100%;height:auto}}.wide{{overflow-x:auto}}table{{border-collapse:collapse;font-variant-numeric:tabular-nums}}\
             th,td{{padding:3px 16px 3px 0;text-align:right;white-space:nowrap}}th{{color:var(--muted);font-weight:500}}\
             tr{{border-bottom:1px solid var(--grid)}}th:first-child,td:first-child,.words{{text-align:left}}\
             dl{{display:grid;grid-template-columns:max-content 1fr;gap:2px 16px;margin:12px 0}}dt{{color:var(--muted)}}dd{{margin:0}}\
             @media(max-width:700px){{.chart{{max-width:none;width:760px}}main>p{{overflow-x:auto}}}}\
             .note{{color:var(--muted)}}.warning{{color:var(--bad);font-weight:600}}",
            family = crate::text::FAMILY
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_fetched_and_the_title_cannot_leave_its_place() {
        let page = page("</title><script>", "<p>body</p>");
        assert!(page.contains("<title>&lt;/title&gt;&lt;script&gt;</title>"));
        assert!(page.contains("<p>body</p>"));
        for foreign in ["http://", "https://", "src=", "@import", "url(", "<script"] {
            assert!(!page.contains(foreign), "{foreign}");
        }
    }
}
