//! Which pages an experiment runs on.

use url::Url;

use super::problem::{Inspector, Step, kind};
use crate::json::Json;
use crate::regexp::Regexp;

/// What stands for `*` while an address is read: an asterisk is no part of a host's name.
const WILDCARD: &str = "_____";

/// Holds a compiled pattern for addresses.
#[derive(Debug, Clone)]
pub(super) struct PagePattern {
    excludes: bool,
    target: Target,
}

#[derive(Debug, Clone)]
enum Target {
    Pattern(Regexp),
    Parts {
        host: Regexp,
        path: Regexp,
        fragment: Option<Regexp>,
        parameters: Vec<(String, Regexp)>,
    },
    /// A broken pattern, or a kind that does not exist.
    Nothing,
}

pub(super) fn compile_patterns<'j>(json: &'j Json, inspector: &mut Inspector<'j>) -> Vec<PagePattern> {
    let Some(items) = json.as_array() else {
        inspector.report(format!("is {} where a list must be: no page matches", kind(json)));
        return Vec::new();
    };
    if items.is_empty() {
        inspector.report("is empty, so no page matches: leave it out to match all");
    }
    let pattern = |(index, item): (usize, &'j Json)| {
        inspector.within(Step::Item(index), |inspector| {
            let excludes = item.get("include") == Some(&Json::Bool(false));
            let target = item.get("pattern").and_then(Json::as_str).and_then(|pattern| {
                match item.get("type")?.as_str()? {
                    "regex" => Regexp::new(pattern, false).ok().map(Target::Pattern),
                    "simple" => simple(pattern),
                    _ => None,
                }
            });
            if target.is_none() {
                inspector.report("matches no page: write a `pattern` of type `simple` or `regex`");
            }
            PagePattern { excludes, target: target.unwrap_or(Target::Nothing) }
        })
    };
    items.iter().enumerate().map(pattern).collect()
}

/// Returns whether an address is excluded by no pattern, and included by one, if any includes.
pub(super) fn is_targeted(url: &str, patterns: &[PagePattern]) -> bool {
    let parsed = read(url);
    let matches = |pattern: &PagePattern| parsed.as_ref().is_some_and(|url| pattern.target.matches(url));
    if patterns.is_empty() || patterns.iter().any(|pattern| pattern.excludes && matches(pattern)) {
        return false;
    }
    let mut including = patterns.iter().filter(|pattern| !pattern.excludes).peekable();
    including.peek().is_none() || including.any(matches)
}

/// Returns whether an old experiment's pattern matches the address or what follows its host.
pub(super) fn matches_old_pattern(pattern: &Regexp, url: &str) -> bool {
    if url.is_empty() {
        return false;
    }
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).unwrap_or(url);
    let path = rest.find('/').map_or(rest, |slash| &rest[slash..]);
    pattern.is_match(url) || pattern.is_match(path)
}

fn read(url: &str) -> Option<Url> {
    let base = Url::parse("https://_").ok()?;
    Url::options().base_url(Some(&base)).parse(url).ok()
}

impl Target {
    fn matches(&self, url: &Url) -> bool {
        match self {
            Target::Nothing => false,
            Target::Pattern(pattern) => {
                let href = url.as_str();
                let origin = url.origin().ascii_serialization();
                pattern.is_match(href) || pattern.is_match(href.get(origin.len()..).unwrap_or_default())
            }
            Target::Parts { host, path, fragment, parameters } => {
                host.is_match(&host_of(url))
                    && path.is_match(url.path())
                    && fragment.as_ref().is_none_or(|fragment| fragment.is_match(&fragment_of(url)))
                    && parameters.iter().all(|(name, pattern)| {
                        let found = url.query_pairs().find(|(key, _)| key == name);
                        pattern.is_match(&found.map(|(_, value)| value).unwrap_or_default())
                    })
            }
        }
    }
}

/// Reads a simple pattern: host, path, and where the pattern has them, fragment and parameters, with `*` for any
/// run of characters.
fn simple(pattern: &str) -> Option<Target> {
    // A host without a protocol gets one: the text before the first `:`, `/` or `?` has a dot.
    let first = pattern.split([':', '/', '?']).next().unwrap_or_default();
    let protocol = if first.contains('.') { "https://" } else { "" };
    let text = format!("{protocol}{pattern}").replace('*', WILDCARD);
    let base = Url::parse(&format!("https://{WILDCARD}")).ok()?;
    let expected = Url::options().base_url(Some(&base)).parse(&text).ok()?;
    let fragment = fragment_of(&expected);
    let parameters =
        expected.query_pairs().map(|(name, value)| Some((name.into_owned(), part(&value, false)?)));
    Some(Target::Parts {
        host: part(&host_of(&expected), false)?,
        path: part(expected.path(), true)?,
        fragment: if fragment.is_empty() { None } else { Some(part(&fragment, false)?) },
        parameters: parameters.collect::<Option<_>>()?,
    })
}

/// Compiles one part of a simple pattern.
fn part(text: &str, is_path: bool) -> Option<Regexp> {
    let mut escaped = String::new();
    for c in text.chars() {
        if "*.+?^${}()|[]\\".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    let escaped = escaped.replace(WILDCARD, ".*");
    if is_path {
        // Slashes at the edges of a path may be there or not.
        let inner = escaped.strip_prefix('/').unwrap_or(&escaped);
        let inner = inner.strip_suffix('/').unwrap_or(inner);
        return Regexp::new(&format!("^\\/?{inner}\\/?$"), true).ok();
    }
    Regexp::new(&format!("^{escaped}$"), true).ok()
}

/// Returns the host with the port, if that is not the protocol's own.
fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Returns the fragment with its `#`; the empty text for an empty one.
fn fragment_of(url: &Url) -> String {
    url.fragment()
        .filter(|fragment| !fragment.is_empty())
        .map(|fragment| format!("#{fragment}"))
        .unwrap_or_default()
}
