use super::*;

#[test]
fn a_reduced_payload_gives_the_same_values_and_hides_the_targeting() {
    let payload = payload(
        r#"{"status": 200, "dateUpdated": "2026-11-29T00:00:00Z",
        "features": {
            "plain": {"defaultValue": 1},
            "f": {"defaultValue": "off", "rules": [{"key": "e", "variations": ["a", "b"], "condition": {"country": "AT"}, "weights": [0, 1]}]}
        },
        "experiments": [
            {"key": "in", "variations": [{}, {"css": "x"}], "weights": [0, 1], "condition": {"country": "AT"}},
            {"key": "out", "variations": [{}, {"css": "y"}], "condition": {"country": "DE"}}
        ],
        "savedGroups": {"vip": ["u1"]}}"#,
    );
    let attributes = json(r#"{"id": "u", "country": "AT"}"#);
    let (reduced, changed) = super::super::remote::reduce(Evaluator::new(&payload, User::new(&attributes)));
    assert!(changed.is_empty());
    let text = Json::from(reduced.clone()).to_string();
    assert_eq!(
        text,
        concat!(
            r#"{"status":200,"dateUpdated":"2026-11-29T00:00:00Z","features":{"plain":{"defaultValue":1},"#,
            r#""f":{"defaultValue":"b","rules":[{"force":"b","tracks":[{"experiment":"#,
            r#"{"variations":[{},"b"],"key":"e","weights":[0,1]},"#,
            r#""result":{"key":"1","featureId":"f","inExperiment":true,"hashUsed":true,"variationId":1,"value":"b","#,
            r#""hashAttribute":"id","hashValue":"u","stickyBucketUsed":false,"bucket":0.231}}]}]}},"#,
            r#""experiments":[{"variations":[{},{"css":"x"}],"key":"in","weights":[0,1]}]}"#
        )
    );
    // A client needs no attributes to read it, and reports the same exposure.
    let (reduced, nobody) = (Payload::compile(reduced.into()).unwrap(), json("{}"));
    let mut client = Evaluator::new(&reduced, User::new(&nobody)).noting_exposures();
    assert_eq!(client.evaluate("f").value.as_str(), Some("b"));
    assert_eq!(client.take_exposures()[0].key(), "idue1");
    // And a server behind a server hides as much.
    let again = super::super::remote::reduce(client).0;
    assert!(!Json::from(again).to_string().contains("AT"));
}

#[test]
fn parts_of_a_payload_are_sealed_and_opened() {
    let key = "BwcHBwcHBwcHBwcHBwcHBw==";
    let plain =
        json(r#"{"status": 200, "features": {"f": {"defaultValue": 1}}, "savedGroups": {"g": ["u1"]}}"#);
    let plain = plain.as_object().unwrap();
    let mut drawn = 0;
    let sealed = encryption::encrypt_payload(plain, key, || {
        drawn += 1;
        [drawn; 16]
    })
    .unwrap();
    let text = Json::from(sealed.clone()).to_string();
    assert!(text.contains(r#""features":{}"#) && !text.contains("u1"), "{text}");
    let opened = encryption::decrypt_payload(&sealed, key).unwrap();
    for part in ["status", "features", "savedGroups"] {
        assert_eq!(opened.get(part), plain.get(part));
    }
    let other = "AAAAAAAAAAAAAAAAAAAAAA==";
    assert_eq!(encryption::decrypt_payload(&sealed, other), Err(encryption::EncryptionError::Sealed));
    assert_eq!(encryption::encrypt("x", "short", &[0; 16]), Err(encryption::EncryptionError::Key));
}
