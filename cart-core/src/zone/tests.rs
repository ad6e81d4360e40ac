use super::*;
use crate::DefinitionError;

fn destination(text: &str) -> Destination {
    let (place, postcode) = text.split_once(' ').map_or((text, None), |(place, code)| (place, Some(code)));
    Destination {
        country: Country::parse(&place[..2]).unwrap(),
        region: place.get(3..).map(|r| Region::parse(r).unwrap()),
        postcode: postcode.map(|p| Postcode::parse(p).unwrap()),
    }
}

fn places(json: &str) -> Vec<Place> {
    serde_json::from_str(json).unwrap()
}

fn check(json: &str) -> Result<(), DefinitionError> {
    let mut faults = Faults::default();
    check_places(&mut faults, &places(json));
    faults.verdict()
}

#[test]
fn codes_are_normalised_and_nonsense_is_refused() {
    assert_eq!(Country::parse("gb").unwrap().code(), "GB");
    for bad in ["", "G", "GBR", "G1", "ß"] {
        assert!(Country::parse(bad).is_err(), "{bad}");
    }
    for (text, code) in
        [("us-ca", "CA"), ("ca", "CA"), ("13", "13"), ("JP-13", "13"), ("X", "X"), ("sct", "SCT")]
    {
        assert_eq!(Region::parse(text).unwrap().code(), code);
    }
    for bad in ["", "CALI", "US-", "-CA", "C A", "Ö", "US-CA-X"] {
        assert!(Region::parse(bad).is_err(), "{bad}");
    }
    for (text, code) in [("sw1a1aa", "SW1A1AA"), (" sw1a  1aa ", "SW1A 1AA"), ("100-0001", "100 0001")] {
        assert_eq!(Postcode::parse(text).unwrap().code(), code);
    }
    for bad in ["", " - ", "12#", "１２３", "123456789012345678901"] {
        assert!(Postcode::parse(bad).is_err(), "{bad}");
    }
    assert_eq!(
        Country::parse("G1").unwrap_err().to_string(),
        r#""G1" is not a country's code of two letters, such as GB"#
    );
    assert_eq!(destination("US-CA 90210").to_string(), "US-CA 90210");
    assert_eq!(destination("GB").to_string(), "GB");
    assert_eq!(Destination::country(Country::parse("GB").unwrap()), destination("GB"));
}

#[test]
fn a_place_holds_what_it_names() {
    for (place, inside, outside) in [
        (r#"[{}]"#, &["GB", "US-CA 90210"][..], &[][..]),
        (r#"[{"countries":["GB","IE"]}]"#, &["GB", "IE", "GB BT1 1AA"], &["FR"]),
        (
            r#"[{"countries":["US"],"regions":["CA","US-NV"]}]"#,
            &["US-CA", "US-NV 89101"],
            &["US", "US-NY", "CA"],
        ),
        (
            r#"[{"countries":["GB"],"postcodes":[{"prefix":"BT"}]}]"#,
            &["GB BT1 1AA", "GB bt11aa"],
            &["GB", "GB B1 1AA", "IE BT1"],
        ),
        (
            r#"[{"countries":["GB"],"postcodes":[{"district":"BT1"}]}]"#,
            &["GB BT1 1AA", "GB BT11AA"],
            &["GB BT11 8BB", "GB BT118BB", "GB BT1", "GB B1 1AA"],
        ),
        (
            r#"[{"countries":["IE"],"postcodes":[{"district":"D02"}]}]"#,
            &["IE D02 X285", "IE D02"],
            &["IE D03 X285", "IE D02X285"],
        ),
        (
            r#"[{"countries":["DE"],"postcodes":[{"range":{"from":"10000","to":"14199"}}]}]"#,
            &["DE 10000", "DE 14199", "DE 10115"],
            &["DE 09999", "DE 14200", "DE 1011", "AT 10115"],
        ),
        (
            r#"[{"countries":["US"],"postcodes":[{"range":{"from":"90210","to":"90212"}}]}]"#,
            &["US 90210", "US-CA 90211-1234"],
            &["US 90213-0000", "US 9021"],
        ),
        (
            r#"[{"countries":["ES"],"regions":["CN"]},{"countries":["PT"],"regions":["20"]}]"#,
            &["ES-CN", "PT-20"],
            &["ES", "ES-20", "PT-CN"],
        ),
    ] {
        let place = places(place);
        for text in inside {
            assert!(most_special_place(&place, &destination(text)).is_some(), "{place:?} {text}");
        }
        for text in outside {
            assert_eq!(most_special_place(&place, &destination(text)), None, "{place:?} {text}");
        }
    }
}

#[test]
fn the_most_special_zone_counts_and_the_first_of_equals() {
    let zones = [
        ("everywhere", r#"[{}]"#),
        ("america", r#"[{"countries":["US","CA"]}]"#),
        ("california", r#"[{"countries":["US"],"regions":["CA"]}]"#),
        ("california again", r#"[{"countries":["US"],"regions":["CA"]}]"#),
        ("ninety", r#"[{"countries":["US"],"postcodes":[{"prefix":"90"}]}]"#),
        ("ninety of california", r#"[{"countries":["US"],"regions":["CA"],"postcodes":[{"prefix":"90"}]}]"#),
        ("ninety-five", r#"[{"countries":["US"],"postcodes":[{"prefix":"905"}]}]"#),
        (
            "ninety to ninety",
            r#"[{"countries":["US"],"postcodes":[{"range":{"from":"90500","to":"90599"}}]}]"#,
        ),
        ("hills", r#"[{"countries":["US"],"postcodes":[{"prefix":"90210"}]}]"#),
        ("belfast prefix", r#"[{"countries":["GB"],"postcodes":[{"prefix":"BT1"}]}]"#),
        ("belfast", r#"[{"countries":["GB"],"postcodes":[{"district":"BT1"},{"prefix":"BT"}]}]"#),
    ]
    .map(|(name, json)| (name, places(json)));
    for (text, name) in [
        ("FR", Some("everywhere")),
        ("CA-ON", Some("america")),
        ("US", Some("america")),
        ("US-CA", Some("california")),
        ("US-CA 94105", Some("california")),
        ("US-NY 90001", Some("ninety")),
        ("US-CA 90001", Some("ninety of california")),
        ("US-CA 90505", Some("ninety to ninety")),
        ("US-CA 90210", Some("hills")),
        ("GB BT1 1AA", Some("belfast")),
        ("GB BT11 8BB", Some("belfast prefix")),
        ("GB BT9 7AA", Some("belfast")),
    ] {
        let zone = most_special_zone(zones.iter().map(|zone| &zone.1[..]), &destination(text));
        assert_eq!(zone.map(|n| zones[n].0), name, "{text}");
    }
    assert_eq!(most_special_zone(zones[1..].iter().map(|zone| &zone.1[..]), &destination("FR")), None);
}

#[test]
fn places_that_make_no_sense_are_refused_with_a_sentence() {
    assert_eq!(check("[{}]"), Ok(()));
    for (json, fault) in [
        ("[]", "places is empty; write [{}] for everywhere"),
        (
            r#"[{},{"countries":["US","CA"],"regions":["ON"]}]"#,
            "places[1].countries names 2 countries beside regions or postcodes; name the one that these belong to",
        ),
        (
            r#"[{"postcodes":[{"prefix":"9"}]}]"#,
            "places[0].countries names 0 countries beside regions or postcodes; name the one that these belong to",
        ),
        (
            r#"[{"countries":["DE"],"postcodes":[{"range":{"from":"2","to":"10"}}]}]"#,
            "places[0].postcodes[0].range goes from 2 to 10; write two bounds of one length, the lower first",
        ),
        (
            r#"[{"countries":["DE"],"postcodes":[{"range":{"from":"20","to":"10"}}]}]"#,
            "places[0].postcodes[0].range goes from 20 to 10; write two bounds of one length, the lower first",
        ),
    ] {
        assert_eq!(check(json).map_err(|e| e.to_string()), Err(fault.into()));
    }
    for (json, fragment) in [
        (r#"[{"countries":["Gross"]}]"#, "is not a country's code"),
        (r#"[{"country":["GB"]}]"#, "unknown field"),
        (r#"[{"countries":["GB"],"postcodes":[{"suffix":"1"}]}]"#, "unknown variant"),
        (r#"[{"countries":["GB"],"postcodes":[{"prefix":""}]}]"#, "is not a postcode"),
    ] {
        let error = serde_json::from_str::<Vec<Place>>(json).unwrap_err().to_string();
        assert!(error.contains(fragment), "{error}");
    }
}
