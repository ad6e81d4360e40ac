use super::redirect::Change;
use super::*;

fn is_on_page(patterns: &str, url: &str) -> bool {
    let experiment = format!(r#"{{"key": "e", "variations": [0, 1], "urlPatterns": {patterns}}}"#);
    let (experiment, payload, attributes) =
        (Experiment::compile(&json(&experiment)), Payload::default(), json(r#"{"id": "u"}"#));
    Evaluator::new(&payload, User { url, ..User::new(&attributes) }).run(&experiment).in_experiment
}

#[test]
fn pages_are_matched_as_in_the_javascript_sdk() {
    let simple =
        |pattern: &str| format!(r#"[{{"type": "simple", "include": true, "pattern": "{pattern}"}}]"#);
    let cases = [
        ("/a", "https://shop.example/a/", true),
        ("/a/", "https://shop.example/A", true),
        ("/a", "https://shop.example/a/b", false),
        ("/a*", "https://shop.example/a/b?x=1#y", true),
        ("shop.example/a", "https://shop.example/a", true),
        ("*.example/a", "https://shop.example/a", true),
        ("https://other.example/a", "https://shop.example/a", false),
        ("shop.example:8080/", "https://shop.example:8080/", true),
        ("/?x=1", "https://shop.example/?y=2&x=1", true),
        ("/?x=*", "https://shop.example/", true),
        ("/?x=1", "https://shop.example/?x=2", false),
        ("/#top", "https://shop.example/#top", true),
        ("/#top", "https://shop.example/", false),
        ("/a.b", "/a.b", true),
        ("/a.b", "/axb", false),
    ];
    for (pattern, url, expected) in cases {
        assert_eq!(is_on_page(&simple(pattern), url), expected, "{pattern} {url}");
    }
    let regex = |pattern: &str| format!(r#"[{{"type": "regex", "include": true, "pattern": "{pattern}"}}]"#);
    for (pattern, expected) in
        [("^/a", true), ("^https://shop", true), (r"x=\\d$", true), ("(", false), ("^a", false)]
    {
        assert_eq!(is_on_page(&regex(pattern), "https://shop.example/a?x=1"), expected, "{pattern}");
    }
}

#[test]
fn excluding_patterns_win_and_no_including_one_means_all() {
    let including = r#"{"type": "simple", "include": true, "pattern": "/a*"}"#;
    let excluding = r#"{"type": "simple", "include": false, "pattern": "/ab"}"#;
    let cases = [
        ("[]".to_owned(), "/a", false),
        (format!("[{excluding}]"), "/ab", false),
        (format!("[{excluding}]"), "/x", true),
        (format!("[{including}, {excluding}]"), "/ac", true),
        (format!("[{including}, {excluding}]"), "/ab", false),
        (format!("[{including}, {excluding}]"), "/x", false),
    ];
    for (patterns, url, expected) in cases {
        assert_eq!(is_on_page(&patterns, url), expected, "{patterns} {url}");
    }
}

#[test]
fn the_first_redirect_ends_the_run() {
    let payload = payload(
        r#"{"experiments": [
            {"key": "style", "variations": [{}, {"css": "a{}"}], "weights": [0, 1]},
            {"key": "waits", "manual": true, "variations": [{}, {"js": "x()"}], "weights": [0, 1]},
            {"key": "odd", "variations": [1, 2]},
            {"key": "there", "urlPatterns": [{"type": "simple", "include": true, "pattern": "/home"}], "weights": [0, 1],
                "variations": [{}, {"urlRedirect": "https://shop.example/new?x=1"}], "persistQueryString": true},
            {"key": "never", "variations": [{}, {"css": "b{}"}]}
        ]}"#,
    );
    assert_eq!(payload.experiments()[2].change(), Change::Unknown);
    let attributes = json(r#"{"id": "u"}"#);
    let user = User { url: "https://shop.example/home?y=2&x=9", ..User::new(&attributes) };
    let keys = |triggered: &[&str]| {
        let found = Evaluator::new(&payload, user).run_page(triggered);
        found.iter().map(|one| (one.experiment.key().to_owned(), one.redirect.clone())).collect::<Vec<_>>()
    };
    let target = Some("https://shop.example/new?x=1&y=2".to_owned());
    assert_eq!(keys(&[]), [("style".into(), None), ("there".into(), target.clone())]);
    assert_eq!(keys(&["waits"])[1].0, "waits");
    // Nobody is sent to where they are.
    let user = User { url: "https://shop.example/home", ..user };
    let text = payload.source().get("experiments").unwrap().to_string().replace("/new?x=1", "/home/");
    let same = super::payload(&format!(r#"{{"experiments": {text}}}"#));
    let last = Evaluator::new(&same, user).run_page(&[]).pop().unwrap();
    assert_eq!((last.experiment.key(), last.redirect), ("there", None));
}
