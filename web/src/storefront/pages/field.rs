//! Form fields with what was entered and what is wrong with it.

use cart_core::FieldError;
use serde::Serialize;

use super::country::COUNTRIES;

/// Is a labelled field of a checkout form.
#[derive(Clone, Debug, Serialize)]
pub struct Field {
    name: &'static str,
    label: &'static str,
    hint: &'static str,
    kind: &'static str,
    autocomplete: &'static str,
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

/// Name, label, hint, input type, autocomplete token of HTML and width of each address field.
const ADDRESS: [[&str; 6]; 7] = [
    ["email", "Email", "For questions about this order", "email", "email", "full"],
    ["name", "Full name", "", "text", "name", "full"],
    ["street", "Street and number", "", "text", "street-address", "full"],
    ["city", "Town or city", "", "text", "address-level2", "half"],
    ["postcode", "Postcode", "", "text", "postal-code", "half"],
    ["country", "Country", "", "select", "country", "half"],
    ["region", "State or province", "Its short code, where there is one", "text", "address-level1", "half"],
];

/// What the field for the note to the shop is called where something is wrong with it.
pub(super) const NOTE: &str = "The note";

/// Builds the address fields around what was entered; the country starts with the shop's guess.
pub(super) fn address(entered: impl Fn(&str) -> Option<String>, errors: &[FieldError]) -> Vec<Field> {
    let field = |[name, label, hint, kind, autocomplete, width]: [&'static str; 6]| {
        let mut value = entered(name).unwrap_or_default();
        let mut options = vec![];
        if kind == "select" {
            value = value.trim().to_ascii_uppercase();
            options = countries(&value);
        }
        Field {
            error: error_of(name, label, errors),
            name,
            label,
            hint,
            kind,
            autocomplete,
            width,
            required: name != "region",
            value,
            options,
        }
    };
    ADDRESS.map(field).into()
}

/// Leaves the fields of a bill; those that only some countries need are not required beforehand.
pub(super) fn billing(fields: Vec<Field>, region: bool, postcode: bool) -> Vec<Field> {
    let asked = |field: &Field| match field.name {
        "email" | "country" => true,
        "region" => region,
        "postcode" => postcode,
        _ => false,
    };
    let ease = |field: Field| Field { required: field.required && field.name != "postcode", ..field };
    fields.into_iter().filter(asked).map(ease).collect()
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
    let label = |name: &str| match ADDRESS.iter().find(|f| f[0] == name) {
        Some(field) => field[1].to_owned(),
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
    use super::*;

    fn error(field: &str, message: &str) -> FieldError {
        FieldError { field: field.into(), message: message.into() }
    }

    #[test]
    fn what_was_entered_stays_and_its_error_stands_beside_it() {
        let errors = [error("email", "must look like name@example.org")];
        let fields = address(|name| (name == "email").then(|| "ada".into()), &errors);
        assert_eq!(
            (fields[0].value.as_str(), fields[0].error.as_deref()),
            ("ada", Some("Email must look like name@example.org"))
        );
        assert!(fields[1..].iter().all(|f| f.error.is_none() && f.value.is_empty()));
        assert_eq!(summary(&errors)[0].text, "Email must look like name@example.org");
    }

    #[test]
    fn an_unlisted_country_is_kept() {
        let country = |code: &str| {
            let fields = address(|_| Some(code.to_owned()), &[]);
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
