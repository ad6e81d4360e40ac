//! Forms as browsers send them.

use actix_web::{
    HttpRequest,
    http::header,
    web::{Payload, Query},
};

use crate::{
    api::request::body_bytes,
    channel::connect::is_origin_allowed,
    problem::{Kind, Problem},
};

/// Is a form that was sent: its fields in order.
#[derive(Clone, Debug, Default)]
pub struct Form(Vec<(String, String)>);

impl Form {
    /// Reads the form of a request.
    ///
    /// # Errors
    /// Where it comes from a page of another site, is of another type, too large or broken.
    pub async fn read(
        request: &HttpRequest,
        body: Payload,
        allowed_origins: &[String],
    ) -> Result<Self, Problem> {
        if !is_origin_allowed(request, allowed_origins) {
            let detail = "the form was sent from another site's page; see allowed_origins";
            return Err(Problem::new(Kind::ForeignForm, detail));
        }
        let content_type =
            request.headers().get(header::CONTENT_TYPE).and_then(|h| h.to_str().ok()).unwrap_or("");
        if content_type.split(';').next().map(str::trim) != Some("application/x-www-form-urlencoded") {
            let detail = format!("send application/x-www-form-urlencoded, not {content_type:?}");
            return Err(Problem::new(Kind::UnsupportedMediaType, detail));
        }
        let bytes = body_bytes(body).await?;
        let text = std::str::from_utf8(&bytes).map_err(|e| Problem::invalid_request(e.to_string()))?;
        let pairs = Query::<Vec<(String, String)>>::from_query(text);
        Ok(Self(pairs.map_err(|e| Problem::invalid_request(e.to_string()))?.into_inner()))
    }

    /// Returns a field's text, empty where the form has none.
    pub fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or("")
    }

    /// Returns a field's text, where the form has one.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// Visits the fields in order.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Returns the fields as they came.
    pub fn into_fields(self) -> Vec<(String, String)> {
        self.0
    }
}
