//! Writes every sample page into a folder, the style sheet inside, to be looked at in a browser:
//! `cargo run -p dashboards --example render_samples -- FOLDER`.
#![expect(
    clippy::disallowed_methods,
    reason = "an example is a program of its own: it reads its arguments and writes files"
)]

use std::path::PathBuf;

use dashboards::{ADMIN_CSS, Pages, samples};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("name a folder to write to")?);
    std::fs::create_dir_all(&folder)?;
    let link = r#"<link rel="stylesheet" href="/admin/static/admin.css">"#;
    for (name, page) in samples::render_all(&Pages::new()?)? {
        std::fs::write(
            folder.join(name + ".html"),
            page.replace(link, &format!("<style>{ADMIN_CSS}</style>")),
        )?;
    }
    for (name, report) in samples::render_reports(&Pages::new()?)? {
        std::fs::write(folder.join(name + ".html"), report)?;
    }
    Ok(())
}
