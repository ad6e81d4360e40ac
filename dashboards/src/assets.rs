//! The files a browser loads beside the pages.

/// The style sheet of every page; served at `/admin/static/admin.css`.
pub const ADMIN_CSS: &str = include_str!("../static/admin.css");
/// What checks forms while they are filled in; served at `/admin/static/form.js`.
pub const FORM_JS: &str = include_str!("../static/form.js");
/// The icon of the browser's tab; served at `/admin/static/icon.svg`.
pub const ADMIN_ICON_SVG: &str = include_str!("../static/icon.svg");

/// Holds a file as it is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asset {
    /// Its media type.
    pub content_type: &'static str,
    /// Its text.
    pub text: &'static str,
}

/// Returns the icon as an address that holds the whole drawing, its own addresses spelt so that nothing looks like a link.
pub(crate) fn icon_address() -> String {
    let spelt = |letter: char| match letter {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '.' => letter.to_string(),
        other => other.to_string().bytes().map(|byte| format!("%{byte:02X}")).collect(),
    };
    format!("data:image/svg+xml,{}", ADMIN_ICON_SVG.trim().chars().map(spelt).collect::<String>())
}

/// Returns the file that is served at `/admin/static/{name}`.
pub fn asset(name: &str) -> Option<Asset> {
    match name {
        "admin.css" => Some(Asset { content_type: "text/css; charset=utf-8", text: ADMIN_CSS }),
        "form.js" => Some(Asset { content_type: "text/javascript; charset=utf-8", text: FORM_JS }),
        "icon.svg" => Some(Asset { content_type: "image/svg+xml", text: ADMIN_ICON_SVG }),
        _ => None,
    }
}
