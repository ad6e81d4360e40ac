//! The form of an experiment.

use experiments::Status;

use super::sample::metrics;
use super::session;
use super::states::{beside, better, express, three_arms};
use crate::edit::{Calculator, DefinitionForm, EditPage, MetricChoice, Subject};

/// Returns the form of a new experiment.
pub fn new_experiment() -> EditPage {
    EditPage {
        session: session(),
        subject: Subject::New,
        form: DefinitionForm::default(),
        metrics: choices(),
        calculator: Calculator::default(),
        errors: Vec::new(),
        warnings: Vec::new(),
    }
}

/// Returns a form on a flag that running experiments decide, too.
pub fn warned_form() -> EditPage {
    let form = DefinitionForm::from(&express(Status::Draft));
    EditPage { warnings: form.warnings(&beside().running), form, ..new_experiment() }
}

/// Returns a form that was sent with mistakes.
pub fn mistaken_form() -> EditPage {
    let mut form = DefinitionForm::from(&three_arms().experiment);
    form.key = "one two".into();
    form.coverage_percent = "120".into();
    form.variations[0].weight_percent = "50".into();
    form.variations[1].value = "{name: express}".into();
    let errors = form.experiment().expect_err("the form has mistakes");
    EditPage {
        session: session(),
        subject: Subject::New,
        form,
        metrics: choices(),
        calculator: Calculator::default(),
        errors,
        warnings: Vec::new(),
    }
}

/// Returns the form of a new experiment whose calculator was asked for a lift of 5 % over a rate.
pub fn calculated(rate: &str, looks: &str) -> EditPage {
    let asked = [
        ("calculator_rate", rate),
        ("calculator_lift", "5"),
        ("calculator_units_a_day", "9,000"),
        ("calculator_looks", looks),
        ("calculator_looks_count", "4"),
    ];
    new_experiment().calculated(Calculator::read(asked))
}

/// Returns the form of a running experiment, where little may change.
pub fn running_form() -> EditPage {
    let sample = better();
    let subject = Subject::Existing {
        key: sample.experiment.key().into(),
        name: sample.experiment.name().into(),
        status: Status::Running,
        missing: sample.experiment.missing(),
        revision: 3,
    };
    EditPage {
        session: session(),
        subject,
        form: DefinitionForm::from(&sample.experiment),
        metrics: choices(),
        calculator: Calculator::default(),
        errors: Vec::new(),
        warnings: Vec::new(),
    }
}

fn choices() -> Vec<MetricChoice> {
    metrics().iter().map(|m| MetricChoice { key: m.key().into(), name: m.name().into() }).collect()
}
