//! A product manager at the dashboards: signs in, reads pages, fills in their forms.

use reqwest::{Client, header::ORIGIN};

use serde_json::Value;

use crate::{TestApp, app::Setup, shopper::Answer};

/// The name of the product manager.
pub const USER: &str = "ada";
/// The password.
pub const PASSWORD: &str = "correct horse battery";

/// Returns the set-up of a standard shop whose dashboards the product manager may enter.
pub fn setup() -> Setup {
    let mut setup = Setup::default();
    setup.config += &format!("\n[admin]\nuser = \"{USER}\"\npassword = \"{PASSWORD}\"\n");
    setup
}

/// Asks the API as the product manager, with a body where there is one.
pub async fn api(app: &TestApp, method: &str, path: &str, body: Option<&Value>) -> Answer {
    let method = method.parse().expect("a method");
    let mut request = Client::new()
        .request(method, app.url(&format!("/api/v1/admin{path}")))
        .basic_auth(USER, Some(PASSWORD));
    if let Some(body) = body {
        request = request.json(body);
    }
    Answer::to(request).await.expect("the server answers")
}

/// Is a page as it was answered, after redirects.
#[derive(Clone, Debug)]
pub struct Page {
    /// The HTTP status.
    pub status: u16,
    /// The path that was answered in the end.
    pub path: String,
    /// The HTML.
    pub html: String,
}

impl Page {
    /// Returns the page's words, without tags, one space between them.
    pub fn text(&self) -> String {
        let words = self
            .html
            .split('<')
            .flat_map(|part| part.split_once('>').map_or(part, |(_, text)| text).split_whitespace());
        words.collect::<Vec<_>>().join(" ")
    }
}

/// Is a signed-in product manager.
#[derive(Clone, Debug)]
pub struct Admin {
    http: Client,
    root: String,
}

impl Admin {
    /// Opens the dashboards without signing in.
    pub fn stranger(app: &TestApp) -> Self {
        let http = Client::builder().cookie_store(true).build().expect("a client");
        Self { http, root: app.url("") }
    }

    /// Signs in to a shop that was started with [`setup`].
    ///
    /// # Panics
    /// Where the server does not let the product manager in.
    pub async fn sign_in(app: &TestApp) -> Self {
        let admin = Self::stranger(app);
        let page = admin.sign_in_with(PASSWORD).await;
        assert_eq!((page.status, page.path.as_str()), (200, "/admin"), "{}", page.html);
        admin
    }

    /// Tries a password.
    pub async fn sign_in_with(&self, password: &str) -> Page {
        let login = self.get("/admin/login").await;
        self.submit(&login, "/admin/login", &[("user", USER), ("password", password)]).await
    }

    /// Opens a page.
    pub async fn get(&self, path: &str) -> Page {
        answered(self.http.get(format!("{}{path}", self.root))).await
    }

    /// Fills in the page's form of that action, its own or one of its buttons', and sends it with all the fields that stand in it.
    ///
    /// # Panics
    /// Where the page has no such form, or the form no such field.
    pub async fn submit(&self, page: &Page, action: &str, filled: &[(&str, &str)]) -> Page {
        self.send(page, action, action, filled).await
    }

    /// Asks what is wrong with a form that is filled in so, as the page does meanwhile.
    ///
    /// # Panics
    /// As [`Admin::submit`], and where the form is not checked, or nobody says so as JSON.
    pub async fn check(&self, page: &Page, action: &str, filled: &[(&str, &str)]) -> Value {
        let mut tags = page.html.split("<form ").skip(1).filter_map(|form| form.split('>').next());
        let tag = tags.find(|tag| attribute(tag, "action").as_deref() == Some(action));
        let to = tag.and_then(|tag| attribute(tag, "data-check")).expect("a form that is checked");
        let checked = self.send(page, action, &to, filled).await;
        assert_eq!(checked.status, 200, "{}", checked.html);
        serde_json::from_str(&checked.html).expect("a check answers JSON")
    }

    async fn send(&self, page: &Page, action: &str, to: &str, filled: &[(&str, &str)]) -> Page {
        let mut fields = fields_of(&page.html, action);
        for (name, value) in filled {
            let field = fields.iter_mut().find(|(found, _)| found == name);
            let field = field.unwrap_or_else(|| panic!("the form {action} has no field {name}"));
            field.1 = (*value).to_owned();
        }
        let request = self.http.post(format!("{}{to}", self.root)).header(ORIGIN, &self.root);
        answered(request.form(&fields)).await
    }
}

async fn answered(request: reqwest::RequestBuilder) -> Page {
    let answer = request.send().await.expect("the server answers");
    let (status, path) = (answer.status().as_u16(), answer.url().path().to_owned());
    Page { status, path, html: answer.text().await.expect("a page is text") }
}

/// Reads the names and present values of a form's fields; of radio buttons and lists, the chosen one.
fn fields_of(html: &str, action: &str) -> Vec<(String, String)> {
    let form = html
        .split("<form ")
        .skip(1)
        .find(|form| {
            let tag = form.split('>').next().unwrap_or_default();
            // A search of the same address is another form.
            let is_sent = attribute(tag, "method").is_none_or(|method| method != "get");
            let buttons = form.split("</form>").next().unwrap_or_default().split("<button ").skip(1);
            let mut targets = buttons.filter_map(|button| attribute(button.split('>').next()?, "formaction"));
            is_sent
                && (attribute(tag, "action").as_deref() == Some(action)
                    || targets.any(|target| target == action))
        })
        .unwrap_or_else(|| panic!("no form {action} in:\n{html}"));
    let form = form.split("</form>").next().unwrap_or_default();
    let mut fields: Vec<(String, String)> = Vec::new();
    for piece in form.split('<').skip(1) {
        let Some((tag, text)) = piece.split_once('>') else { continue };
        if tag.starts_with("option") && tag.contains(" selected") {
            let field = fields.last_mut().expect("an option stands in a field");
            field.1 = attribute(tag, "value").unwrap_or_default();
        }
        let Some(name) = attribute(tag, "name") else { continue };
        if tag.starts_with("input") {
            let is_choice = tag.contains("type=\"radio\"") || tag.contains("type=\"checkbox\"");
            let value = attribute(tag, "value").unwrap_or_default();
            match fields.iter_mut().find(|(found, _)| *found == name) {
                Some(field) if tag.contains(" checked") => field.1 = value,
                Some(_) => {}
                None if is_choice && !tag.contains(" checked") => fields.push((name, String::new())),
                None => fields.push((name, value)),
            }
        } else if tag.starts_with("select") {
            fields.push((name, String::new()));
        } else if tag.starts_with("textarea") {
            fields.push((name, unescape(text.trim_start_matches('\n'))));
        }
    }
    fields
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let start = tag.find(&format!(" {name}=\"")).map(|at| at + name.len() + 3);
    let start = start.or_else(|| tag.starts_with(&format!("{name}=\"")).then_some(name.len() + 2))?;
    Some(unescape(tag[start..].split('"').next()?))
}

/// Undoes the escapes that the templates make.
pub fn unescape(text: &str) -> String {
    let escapes = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    escapes.iter().fold(text.to_owned(), |text, (escape, plain)| text.replace(escape, plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forms_fields_are_read_with_their_values() {
        let html = r#"<form method="get" action="/other"><input name="no" value="1"></form>
            <form method="post" action="/this"><input type="hidden" name="csrf" value="a&quot;b">
            <input type="radio" name="pick" value="x"><input type="radio" name="pick" value="y" checked>
            <select name="which"><option value="a">A</option><option value="b" selected>B</option></select>
            <textarea id="t" name="json">
{&quot;a&quot;: 1}</textarea><button formaction="/that">That</button></form>"#;
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let expected =
            [pair("csrf", "a\"b"), pair("pick", "y"), pair("which", "b"), pair("json", "{\"a\": 1}")];
        assert_eq!(fields_of(html, "/this"), expected);
        assert_eq!(fields_of(html, "/that"), expected);
    }
}
