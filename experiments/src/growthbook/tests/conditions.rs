use super::*;

fn is_met(condition: &str, attributes: &str, groups: &str) -> bool {
    Condition::compile(&json(condition)).is_met(&json(attributes), &Groups::compile(&json(groups)))
}

#[test]
fn every_operator_holds_where_javascript_says_so() {
    let cases = [
        // No conditions at all.
        ("{}", "{}", true),
        (r#"{"$or": []}"#, "{}", true),
        (r#"{"$and": []}"#, "{}", true),
        (r#"{"$nor": []}"#, "{}", false),
        // Paths.
        (r#"{"a.0": "x"}"#, r#"{"a": ["x"]}"#, true),
        (r#"{"a.00": "x"}"#, r#"{"a": ["x"]}"#, false),
        (r#"{"a.b": 1}"#, r#"{"a.b": 1}"#, false),
        (r#"{"a.length": {"$gt": 1}}"#, r#"{"a": [1, 2]}"#, true),
        (r#"{"a.b.c": null}"#, r#"{"a": 1}"#, true),
        // Literals.
        (r#"{"a": "null"}"#, "{}", true),
        (r#"{"a": "1"}"#, r#"{"a": 1}"#, true),
        (r#"{"a": "x"}"#, r#"{"a": ["x"]}"#, true),
        (r#"{"a": 1}"#, r#"{"a": "1"}"#, true),
        (r#"{"a": 1}"#, r#"{"a": true}"#, true),
        (r#"{"a": 0}"#, "{}", true),
        (r#"{"a": false}"#, r#"{"a": 0}"#, true),
        (r#"{"a": false}"#, "{}", false),
        (r#"{"a": true}"#, "{}", false),
        (r#"{"a": null}"#, "{}", true),
        (r#"{"a": {"x": 1, "y": 2}}"#, r#"{"a": {"x": 1, "y": 2}}"#, true),
        (r#"{"a": {"x": 1, "y": 2}}"#, r#"{"a": {"y": 2, "x": 1}}"#, false),
        (r#"{"a": {"$eq": 1, "x": 2}}"#, r#"{"a": 1}"#, false),
        (r#"{"a": {}}"#, r#"{"a": {}}"#, true),
        // Strict equality.
        (r#"{"a": {"$eq": 1}}"#, r#"{"a": "1"}"#, false),
        (r#"{"a": {"$eq": 1.0}}"#, r#"{"a": 1}"#, true),
        (r#"{"a": {"$eq": [1]}}"#, r#"{"a": [1]}"#, false),
        (r#"{"a": {"$ne": [1]}}"#, r#"{"a": [1]}"#, true),
        (r#"{"a": {"$eq": null}}"#, "{}", true),
        // Order.
        (r#"{"a": {"$lt": "9"}}"#, r#"{"a": "10"}"#, true),
        (r#"{"a": {"$lt": 9}}"#, r#"{"a": "10"}"#, false),
        (r#"{"a": {"$gt": "x"}}"#, r#"{"a": 1}"#, false),
        (r#"{"a": {"$lte": "x"}}"#, r#"{"a": 1}"#, false),
        (r#"{"a": {"$gt": -1}}"#, "{}", true),
        (r#"{"a": {"$gte": "a"}}"#, "{}", false),
        // Lists.
        (r#"{"a": {"$in": ["1"]}}"#, r#"{"a": 1}"#, false),
        (r#"{"a": {"$in": [1, 2]}}"#, r#"{"a": [3, 2]}"#, true),
        (r#"{"a": {"$in": 1}}"#, r#"{"a": 1}"#, false),
        (r#"{"a": {"$nin": 1}}"#, r#"{"a": 2}"#, false),
        (r#"{"a": {"$nin": ["x"]}}"#, "{}", true),
        (r#"{"a": {"$in": [null]}}"#, "{}", true),
        (r#"{"a": {"$in": [0]}}"#, r#"{"a": -0.0}"#, true),
        (r#"{"a": {"$ini": ["ÉTÉ", 1]}}"#, r#"{"a": "été"}"#, true),
        (r#"{"a": {"$nini": ["ÉTÉ", 1]}}"#, r#"{"a": [1]}"#, false),
        (r#"{"a": {"$all": []}}"#, r#"{"a": []}"#, true),
        (r#"{"a": {"$all": []}}"#, "{}", false),
        (r#"{"a": {"$all": [{"$gt": 1}, "x"]}}"#, r#"{"a": ["x", 2]}"#, true),
        (r#"{"a": {"$all": ["1"]}}"#, r#"{"a": [1]}"#, true),
        (r#"{"a": {"$all": 1}}"#, r#"{"a": [1]}"#, false),
        (r#"{"a": {"$alli": ["X"]}}"#, r#"{"a": ["x"]}"#, true),
        (r#"{"a": {"$elemMatch": {"$eq": 0}}}"#, r#"{"a": [null, 0]}"#, true),
        (r#"{"a": {"$elemMatch": {"$eq": null}}}"#, r#"{"a": [null]}"#, false),
        (r#"{"a": {"$elemMatch": {"b": 1}}}"#, r#"{"a": [3, {"b": 1}]}"#, true),
        (r#"{"a": {"$size": {"$gt": 1}}}"#, r#"{"a": [1, 2]}"#, true),
        (r#"{"a": {"$size": 0}}"#, "{}", false),
        // Patterns see the value's text.
        (r#"{"a": {"$regex": "^null$"}}"#, "{}", true),
        (r#"{"a": {"$regex": "("}}"#, r#"{"a": "("}"#, false),
        (r#"{"a": {"$not": {"$regex": "("}}}"#, r#"{"a": "x"}"#, true),
        (r#"{"a": {"$regex": "^(?!x)"}}"#, r#"{"a": "y"}"#, true),
        (r#"{"a": {"$regexi": "É"}}"#, r#"{"a": "é"}"#, true),
        (r#"{"a": {"$regex": "1,2"}}"#, r#"{"a": [1, 2]}"#, true),
        // The rest.
        (r#"{"a": {"$exists": 1}}"#, r#"{"a": false}"#, true),
        (r#"{"a": {"$exists": 0}}"#, r#"{"a": null}"#, true),
        (r#"{"a": {"$type": "null"}}"#, "{}", true),
        (r#"{"a": {"$type": "undefined"}}"#, "{}", false),
        (r#"{"a": {"$not": 1}}"#, r#"{"a": 2}"#, true),
        (r#"{"a": {"$near": 1}}"#, r#"{"a": 1}"#, false),
        (r#"{"a": {"$not": {"$near": 1}}}"#, r#"{"a": 1}"#, true),
    ];
    for (condition, attributes, expected) in cases {
        assert_eq!(is_met(condition, attributes, "{}"), expected, "{condition} of {attributes}");
    }
}

#[test]
fn versions_compare_by_their_padded_parts() {
    let cases = [
        (r#""1.10.0""#, "$vgt", r#""1.9.0""#, true),
        (r#""1.0.0""#, "$vgt", r#""1.0.0-beta""#, true),
        (r#""1.2""#, "$vlt", r#""1.2.0""#, true),
        (r#""1.2.3.4""#, "$vlt", r#""1.2.3""#, true),
        (r#""1.0.100000""#, "$vlt", r#""1.0.99999""#, true),
        (r#""v1.2.3+build.7""#, "$veq", r#""1.2.3""#, true),
        ("1.5", "$veq", r#""1.5""#, true),
        ("null", "$veq", r#""0""#, true),
        (r#""""#, "$veq", "0", true),
        (r#"["1"]"#, "$veq", r#""0""#, true),
        (r#""1.2.3""#, "$vne", r#""1.2.4""#, true),
        (r#""vv1""#, "$veq", r#""v1""#, false),
    ];
    for (value, operator, operand, expected) in cases {
        let condition = format!(r#"{{"a": {{"{operator}": {operand}}}}}"#);
        let found = is_met(&condition, &format!(r#"{{"a": {value}}}"#), "{}");
        assert_eq!(found, expected, "{value} {operator} {operand}");
    }
}

#[test]
fn saved_groups_match_nobody_where_they_are_broken() {
    let groups = r#"{
        "plain": [1, "a"], "list": {"type": "list", "attributeKey": "id", "values": ["u1"]},
        "condition": {"type": "condition", "condition": {"country": "AT"}},
        "circle": {"type": "condition", "condition": {"$savedGroup": {"id": "circle"}}},
        "outer": {"type": "condition", "condition": {"$savedGroup": {"id": "condition"}}},
        "broken": {"type": "list", "attributeKey": "id"}, "future": {"type": "sql"}
    }"#;
    let cases = [
        (r#"{"a": {"$inGroup": "plain"}}"#, true),
        (r#"{"a": {"$notInGroup": "plain"}}"#, false),
        (r#"{"id": {"$inGroup": "list"}}"#, true),
        (r#"{"a": {"$inGroup": "nobody"}}"#, false),
        (r#"{"a": {"$notInGroup": "nobody"}}"#, true),
        (r#"{"a": {"$inGroup": "condition"}}"#, false),
        (r#"{"a": {"$notInGroup": "condition"}}"#, false),
        (r#"{"a": {"$notInGroup": "broken"}}"#, false),
        (r#"{"$savedGroup": {"id": "list"}}"#, true),
        (r#"{"$savedGroup": {"id": "list", "attributeKey": "other"}}"#, false),
        (r#"{"$savedGroup": {"id": "list", "attributeKey": null}}"#, false),
        (r#"{"$savedGroup": {"id": "outer"}}"#, true),
        (r#"{"$savedGroup": {"id": "plain"}}"#, false),
        (r#"{"$savedGroup": {"id": "circle"}}"#, false),
        (r#"{"$not": {"$savedGroup": {"id": "circle"}}}"#, true),
        (r#"{"$savedGroup": {"id": "future"}}"#, false),
        (r#"{"$savedGroup": "list"}"#, false),
        (r#"{"$savedGroup": {"id": "condition"}, "a": 1}"#, true),
    ];
    for (condition, expected) in cases {
        assert_eq!(
            is_met(condition, r#"{"id": "u1", "country": "AT", "a": 1}"#, groups),
            expected,
            "{condition}"
        );
    }
}
