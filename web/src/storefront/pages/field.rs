//! Form fields with what was entered and what is wrong with it.

use cart_core::{
    Asked, FieldError, FieldRule,
    details::{self, Format, Input},
};
use serde::Serialize;

use super::country::COUNTRIES;

/// Is a labelled field of a checkout form. What a browser may check of it comes from the rule that the shop parses by.
#[derive(Clone, Debug, Serialize)]
pub struct Field {
    name: &'static str,
    label: &'static str,
    hint: &'static str,
    kind: &'static str,
    input_mode: Option<&'static str>,
    autocomplete: &'static str,
    units_max: usize,
    pattern: String,
    /// Says what the pattern means, where it asks for more than a text.
    title: Option<&'static str>,
    width: &'static str,
    required: bool,
    value: String,
    error: Option<String>,
    options: Vec<Choice>,
}

/// Is one option of a list.
#[derive(Clone, Debug, Serialize)]
struct Choice {
    value: String,
    label: String,
}

/// Returns label, hint and width of a field.
fn words(name: &str) -> [&'static str; 3] {
    match name {
        "email" => ["Email", "For questions about this order", "full"],
        "name" => ["Full name", "", "full"],
        "street" => ["Street and number", "", "full"],
        "city" => ["Town or city", "", "half"],
        "postcode" => ["Postcode", "", "half"],
        "country" => ["Country", "", "half"],
        _ => ["State or province", "Its short code, where there is one", "half"],
    }
}

fn field(rule: &FieldRule, required: bool, entered: Option<String>, errors: &[FieldError]) -> Field {
    let [label, hint, width] = words(rule.name);
    let mut value = entered.unwrap_or_default();
    let mut options = vec![];
    if rule.input == Input::List {
        value = value.trim().to_ascii_uppercase();
        options = countries(&value);
    }
    Field {
        error: error_of(rule.name, label, errors),
        name: rule.name,
        label,
        hint,
        kind: if rule.input == Input::List { "select" } else { "text" },
        input_mode: (rule.input == Input::Email).then_some("email"),
        autocomplete: rule.autocomplete,
        units_max: rule.units_max,
        pattern: rule.pattern(required),
        title: (rule.format != Format::Text).then(|| rule.format.mend()),
        width,
        required,
        value,
        options,
    }
}

/// What the field for the note to the shop is called where something is wrong with it.
pub(super) const NOTE: &str = "The note";

/// Builds the address fields around what was entered; the country starts with the shop's guess.
pub(super) fn address(
    asked: Asked,
    entered: impl Fn(&str) -> Option<String>,
    errors: &[FieldError],
) -> Vec<Field> {
    let asks = |rule: &&FieldRule| rule.name != "email" || !asked.knows_email;
    let rules = details::ADDRESS.iter().filter(asks);
    rules.map(|rule| field(rule, asked.needs(rule.name), entered(rule.name), errors)).collect()
}

/// Builds the field of a page that asks for the e-mail address alone.
pub(super) fn contact(entered: Option<String>, errors: &[FieldError]) -> Vec<Field> {
    let rule = FieldRule::named("email");
    rule.map(|rule| field(rule, true, entered, errors)).into_iter().collect()
}

/// Leaves the fields of a bill; those that only some countries need are not required beforehand.
pub(super) fn billing(fields: Vec<Field>, region: bool, postcode: bool) -> Vec<Field> {
    let asked = |field: &Field| match field.name {
        "email" | "country" => true,
        "region" => region,
        "postcode" => postcode,
        _ => false,
    };
    fields.into_iter().filter(asked).collect()
}

/// Lists the countries; a code that is none of them is kept, so that what was entered stays visible.
fn countries(chosen: &str) -> Vec<Choice> {
    let choice = |(code, name): &(&str, &str)| Choice { value: (*code).into(), label: (*name).into() };
    let mut options: Vec<_> = COUNTRIES.iter().map(choice).collect();
    if !chosen.is_empty() && !COUNTRIES.iter().any(|(code, _)| *code == chosen) {
        options.insert(0, Choice { value: chosen.to_owned(), label: chosen.to_owned() });
    }
    options
}

pub(super) fn error_of(name: &str, label: &str, errors: &[FieldError]) -> Option<String> {
    errors.iter().find(|e| e.field == name).map(|e| format!("{label} {}", e.message))
}

/// Is one line of the summary above a form that was refused: it links to the field.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    field: String,
    text: String,
}

/// Sums up the errors in the order in which they were found; a field without a label keeps its own name.
pub(super) fn summary(errors: &[FieldError]) -> Vec<Summary> {
    let label = |name: &str| match FieldRule::named(name) {
        Some(rule) => words(rule.name)[0].to_owned(),
        None if name == "note" => NOTE.into(),
        None if name == "method" => "Delivery".into(),
        None if name == "payment_token" => "The card".into(),
        None => name.to_owned(),
    };
    errors
        .iter()
        .map(|e| Summary { field: e.field.clone(), text: format!("{} {}", label(&e.field), e.message) })
        .collect()
}

/// Is a card that the test provider knows.
#[derive(Clone, Debug, Serialize)]
pub struct TestCard {
    token: &'static str,
    label: &'static str,
    note: &'static str,
    checked: bool,
}

const CARDS: [[&str; 3]; 5] = [
    ["tok_success", "Card ending 4242", "is accepted"],
    ["tok_decline", "Card ending 0002", "is declined"],
    ["tok_challenge", "Card ending 3155", "is to be confirmed with the bank"],
    ["tok_late", "Card ending 0077", "hears back from the bank late"],
    ["tok_timeout", "Card ending 0119", "never hears back from the bank"],
];

/// Lists the test cards; where none is chosen yet, the first is.
pub(super) fn cards(chosen: Option<&str>) -> Vec<TestCard> {
    let chosen = chosen.filter(|c| CARDS.iter().any(|card| card[0] == *c)).unwrap_or(CARDS[0][0]);
    CARDS.map(|[token, label, note]| TestCard { token, label, note, checked: token == chosen }).into()
}

#[cfg(test)]
mod tests {
    use cart_core::{Address, Step, StepDetails, limits};
    use experiments::regexp::Regexp;

    use super::*;

    fn error(field: &str, message: &str) -> FieldError {
        FieldError { field: field.into(), message: message.into() }
    }

    #[test]
    fn what_was_entered_stays_and_its_error_stands_beside_it() {
        let errors = [error("email", "must look like name@example.org")];
        let fields = address(Asked::default(), |name| (name == "email").then(|| "ada".into()), &errors);
        assert_eq!(
            (fields[0].value.as_str(), fields[0].error.as_deref()),
            ("ada", Some("Email must look like name@example.org"))
        );
        assert!(fields[1..].iter().all(|f| f.error.is_none() && f.value.is_empty()));
        assert_eq!(summary(&errors)[0].text, "Email must look like name@example.org");
    }

    /// Reports whether a browser would send a text, by what HTML says of the attributes (4.10.18.6 and 4.10.5.3).
    fn would_be_sent(field: &Field, text: &str) -> bool {
        let pattern = Regexp::new(&format!("^(?:{})$", field.pattern), false).unwrap();
        let is_there = !(field.required && text.is_empty());
        is_there
            && text.encode_utf16().count() <= field.units_max
            && (text.is_empty() || pattern.is_match(text))
    }

    #[test]
    fn the_page_lets_through_what_the_shop_takes_and_nothing_else() {
        let most = limits::FIELD_UNITS_MAX;
        let long =
            |text: &str, len: usize| format!("{}{text}", "x".repeat(len - text.encode_utf16().count()));
        let good = |name: &str| match name {
            "email" => "ada@example.org",
            "country" => "GB",
            "region" => "ENG",
            _ => "Bath",
        };
        let mut texts: Vec<String> = [
            "",
            " ",
            "\u{3000}",
            "\u{feff}",
            "\u{85}",
            "x",
            " x ",
            "\tx\u{a0}",
            "\u{feff}x",
            "x\u{85}",
            "x\u{0}",
            "x\ty",
            "x y",
            "ü",
            "🏺",
            "GB",
            "gb",
            " gb ",
            "G",
            "G1",
            "GBR",
            "ÄÖ",
            "CA",
            "US-CA",
            "us-ca",
            "U-CA",
            "US-",
            "USA-CA",
            "US-CALI",
            "C-A",
            "a@b.c",
            " a@b.c ",
            "müller@exämple.org",
            "🏺@b.c",
            "a@b",
            "a@b.",
            "a@.c",
            "@b.c",
            "a@b..c",
            "a@b@c.d",
            "a b@c.d",
            "a@b c.d",
            "a@b.c\u{7f}",
            "a\u{feff}@b.c",
            "a@b.c.d-e",
        ]
        .map(str::to_owned)
        .into();
        for end in ["", "@b.c", " ", "🏺"] {
            texts.extend([long(end, most - 1), long(end, most), long(end, most + 1)]);
        }
        let (mut taken, mut refused) = (0, 0);
        for (postal, knows_email) in [(true, false), (true, true), (false, false)] {
            let asked = Asked { postal, knows_email, ..Asked::default() };
            for field in address(asked, |_| None, &[]) {
                assert_eq!(field.required, asked.needs(field.name));
                for text in &texts {
                    let entered =
                        |name: &str| Some(if name == field.name { text.as_str() } else { good(name) }.into());
                    let faults = Address::parse(asked, entered).err().unwrap_or_default();
                    assert!(faults.iter().all(|fault| fault.field == field.name), "{faults:?}");
                    let is_taken = faults.is_empty();
                    assert_eq!(would_be_sent(&field, text), is_taken, "{} {text:?} {faults:?}", field.name);
                    *(if is_taken { &mut taken } else { &mut refused }) += 1;
                }
            }
        }
        assert!(taken > 100 && refused > 100, "{taken} {refused}");
        for text in &texts {
            let parsed = StepDetails::parse(Step::Contact, Asked::default(), |_| Some(text.clone()));
            assert_eq!(would_be_sent(&contact(None, &[])[0], text), parsed.is_ok(), "{text:?}");
        }
    }

    #[test]
    fn an_unlisted_country_is_kept() {
        let country = |code: &str| {
            let fields = address(Asked::default(), |_| Some(code.to_owned()), &[]);
            fields.into_iter().find(|field| field.name == "country").unwrap()
        };
        assert_eq!(country(" gb ").value, "GB");
        assert_eq!(country("GB").options.len(), COUNTRIES.len());
        assert_eq!(country("ENGLAND").options[0].label, "ENGLAND");
    }

    #[test]
    fn exactly_one_card_is_chosen() {
        for (chosen, token) in
            [(None, "tok_success"), (Some("tok_decline"), "tok_decline"), (Some("tok_forged"), "tok_success")]
        {
            let cards = cards(chosen);
            let checked: Vec<_> = cards.iter().filter(|c| c.checked).map(|c| c.token).collect();
            assert_eq!(checked, [token]);
        }
    }
}
