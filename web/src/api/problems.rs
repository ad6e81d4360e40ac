//! The pages that the `type` of a problem document leads to.

use actix_web::{HttpResponse, http::header, web};

use crate::problem::{Kind, Problem};

/// `GET /problems/{name}`: what a problem means and how to mend it.
pub(super) async fn page(name: web::Path<String>) -> Result<HttpResponse, Problem> {
    let kind = Kind::ALL.iter().find(|kind| kind.slug() == *name);
    let kind = kind.ok_or_else(|| Problem::new(Kind::NoSuchRoute, format!("there is no problem {name}")))?;
    let status = kind.status();
    Ok(html(&format!(
        "<title>{title}</title><h1>{title}</h1><p>{means}</p><h2>How to mend it</h2><p>{mend}</p>\
         <p><small>Code <code>{code}</code>, HTTP status {status}. <a href=/problems>All problems</a></small></p>",
        title = kind.title(),
        means = marked(kind.means()),
        mend = marked(kind.mend()),
        code = kind.name(),
    )))
}

/// `GET /problems`: all of them.
pub(super) async fn index() -> HttpResponse {
    let row = |kind: &Kind| {
        format!(
            "<tr><td><a href={uri}>{title}</a><td>{status}<td>{means}",
            uri = kind.uri(),
            title = kind.title(),
            status = kind.status().as_u16(),
            means = marked(kind.means()),
        )
    };
    let rows: String = Kind::ALL.iter().map(row).collect();
    html(&format!(
        "<title>Problems</title><h1>Problems</h1><p>What the shop refuses, it says by one of these. The \
         <a href=/api/openapi.json>API's document</a> lists which operation answers with which.</p>\
         <table><tr><th>Problem<th>Status<th>What it means{rows}</table>"
    ))
}

/// Escapes a sentence and sets what stands between backticks as code.
fn marked(sentence: &str) -> String {
    let escaped = sentence.replace('&', "&amp;").replace('<', "&lt;");
    let part = |(n, part): (usize, &str)| match n % 2 {
        0 => part.to_owned(),
        _ => format!("<code>{part}</code>"),
    };
    escaped.split('`').enumerate().map(part).collect()
}

fn html(page: &str) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, "max-age=300"))
        .insert_header((header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'"))
        .body(format!(
            "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
             <style>body{{font:1rem/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;\
             color-scheme:light dark}}table{{border-collapse:collapse}}td,th{{padding:.3rem .8rem .3rem 0;\
             text-align:left;vertical-align:top;border-bottom:1px solid #8884}}</style>{page}"
        ))
}
