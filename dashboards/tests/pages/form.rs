//! The form of an experiment and its calculator.

use crate::{page, text};

#[test]
fn a_mistaken_form_keeps_what_was_typed_and_lists_what_is_wrong() {
    let html = page("edit-mistaken");
    for kept in ["value=\"one two\"", "value=\"120\"", "{name: express}"] {
        assert!(html.contains(kept), "{kept}");
    }
    assert!(text(&html).contains("Not saved: 4 things to mend"));
    assert!(html.contains("href=\"#coverage_percent\"") && html.contains("href=\"#variation_2_value\""));
    assert_eq!(html.matches("aria-invalid=\"true\"").count(), 4);
}

#[test]
fn what_is_fixed_cannot_be_typed_over() {
    let html = page("edit-running");
    let field = |name: &str| {
        let at = html.find(&format!("id=\"{name}\"")).unwrap_or_else(|| panic!("{name}"));
        html[at..].split('>').next().unwrap().contains("readonly")
    };
    assert!(
        field("key")
            && field("flag")
            && field("seed")
            && field("variation_1_weight_percent")
            && field("planned_units")
            && field("hypothesis")
            && field("planned_days")
    );
    assert!(!field("name") && !field("owner") && !field("coverage_percent") && !field("variation_1_name"));
    assert!(html.contains("name=\"revision\" value=\"3\""));
}

#[test]
fn the_calculator_says_what_to_plan_and_puts_it_into_the_form() {
    let html = page("edit-calculated");
    let said = text(&html);
    assert!(
        said.contains("Plan 641,229 units and read results “At any time, tuned to a lift of 5 %”"),
        "{said}"
    );
    for (name, value) in [("planned_units", "641229"), ("planned_days", "72")] {
        assert!(html.contains(&format!("name=\"{name}\" value=\"{value}\"")), "{name}");
    }
    assert!(said.contains("does not hold for such looks") && said.contains("needs the fewest"), "{said}");
    assert!(html.contains("<details class=\"card\" id=\"calculator\" open>"));
    let looks = page("edit-calculated-looks");
    assert!(text(&looks).contains("read results “At 4 looks on the way there”"), "{}", text(&looks));
    assert!(looks.contains("value=\"group_sequential:4\""), "what is advised can be chosen");
    let wrong = page("edit-calculated-wrong");
    assert!(text(&wrong).contains("Not answered: one thing to mend"));
    assert!(wrong.contains("href=\"#calculator_rate\""));
    assert!(page("edit-new").contains("id=\"calculator\">"), "it is folded until it is asked");
    assert!(!page("edit-running").contains("How many visitors?"), "what is fixed is not worked out again");
}
