//! Links: percent-encoded once, here.

/// Encodes a text for one path segment or one query value: all but RFC 3986's unreserved characters.
pub fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(byte as char),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// Returns the path of a product's page.
pub fn product(sku: &str) -> String {
    format!("/products/{}", encode(sku))
}

/// Returns the path of the door where one logs in to come back to a path.
pub fn login(next: &str) -> String {
    format!("/login?next={}", encode(next))
}

/// Returns the path of a product's picture, for products without a file of their own.
pub(super) fn picture(sku: &str) -> String {
    format!("/products/{}/picture", encode(sku))
}

/// Returns the path that a cart line's form posts to.
pub(super) fn line(sku: &str) -> String {
    format!("/cart/lines/{}", encode(sku))
}

/// Returns the path of a category's list.
pub(super) fn category(name: &str) -> String {
    listing(&[("category".into(), name.to_owned())], 1)
}

/// Returns the path of a list; the first page leaves no trace in it.
pub(super) fn listing(parameters: &[(String, String)], page: usize) -> String {
    let pair = |(name, value): &(String, String)| format!("{}={}", encode(name), encode(value));
    let mut pairs: Vec<String> = parameters.iter().map(pair).collect();
    if page > 1 {
        pairs.push(format!("page={page}"));
    }
    match pairs.is_empty() {
        true => "/products".into(),
        false => format!("/products?{}", pairs.join("&")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sku_stays_one_segment_and_a_query_one_value() {
        assert_eq!(product("85123A"), "/products/85123A");
        assert_eq!(line("a/b ?#&é"), "/cart/lines/a%2Fb%20%3F%23%26%C3%A9");
        assert_eq!(picture("M-1"), "/products/M-1/picture");
        assert_eq!(listing(&[], 1), "/products");
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            listing(&[pair("q", "tea & jam"), pair("category", "Larder/Tea")], 2),
            "/products?q=tea%20%26%20jam&category=Larder%2FTea&page=2"
        );
    }
}
