//! Experiments that run by themselves on a page: changes of the page, and redirects.

use url::Url;

use super::page::is_targeted;
use super::{Evaluator, Experiment, ExperimentResult};
use crate::json::Json;

/// Says what an experiment does to a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Sends the visitor to another address.
    Redirect,
    /// Changes style, script or elements.
    Visual,
    /// None of these: such an experiment is not run.
    Unknown,
}

/// Holds what an experiment of a page came to.
#[derive(Debug, Clone)]
pub struct PageResult<'a> {
    /// The experiment.
    pub experiment: &'a Experiment,
    /// Where it placed the user.
    pub result: ExperimentResult<'a>,
    /// The address to go to.
    pub redirect: Option<String>,
}

impl Experiment {
    /// Returns what the experiment does to a page.
    pub fn change(&self) -> Change {
        let has = |names: &[&str]| {
            self.variations.iter().any(|variation| names.iter().any(|name| variation.get(name).is_some()))
        };
        let mutates = |variation: &Json| variation.get("domMutations").is_some_and(Json::is_truthy);
        if self.pages.is_some() && has(&["urlRedirect"]) {
            Change::Redirect
        } else if has(&["js", "css"]) || self.variations.iter().any(mutates) {
            Change::Visual
        } else {
            Change::Unknown
        }
    }
}

impl<'a> Evaluator<'a> {
    /// Runs the payload's experiments in order, until one redirects, as the JavaScript SDK does on a page.
    ///
    /// Those that wait to be triggered run where `triggered` names their key.
    pub fn run_page(&mut self, triggered: &[&str]) -> Vec<PageResult<'a>> {
        let mut results = Vec::new();
        for experiment in self.payload.experiments() {
            if experiment.field("manual").is_truthy() && !triggered.contains(&experiment.key()) {
                continue;
            }
            let change = experiment.change();
            if change == Change::Unknown || (change == Change::Redirect && !self.may_redirect(experiment)) {
                continue;
            }
            let result = self.run(experiment);
            let is_last = result.in_experiment && change == Change::Redirect;
            let redirect = if is_last { self.target(experiment, result.value) } else { None };
            results.push(PageResult { experiment, result, redirect });
            if is_last {
                break;
            }
        }
        results
    }

    /// Returns whether the page's address and all targets are addresses.
    fn may_redirect(&self, experiment: &Experiment) -> bool {
        let targets = experiment.variations().iter().filter_map(|variation| variation.get("urlRedirect"));
        let mut targets = targets.filter(|target| target.is_truthy());
        Url::parse(self.user.url).is_ok() && targets.all(|target| Url::parse(&target.to_text()).is_ok())
    }

    /// Returns where to go; nowhere if the experiment would run there again.
    fn target(&self, experiment: &Experiment, variation: &Json) -> Option<String> {
        let target = variation.get("urlRedirect").filter(|target| target.is_truthy())?.to_text();
        let keeps_query = experiment.field("persistQueryString").is_truthy();
        let target = if keeps_query { merge_queries(self.user.url, &target) } else { target.into_owned() };
        let is_there = experiment.pages.as_ref().is_some_and(|pages| is_targeted(&target, pages));
        (!is_there).then_some(target)
    }
}

/// Adds the parameters of an address to another, whose own come first and win.
///
/// ```
/// use experiments::growthbook::redirect::merge_queries;
/// let merged = merge_queries("https://shop.example/home?y=2&x=9", "https://shop.example/new?x=1");
/// assert_eq!(merged, "https://shop.example/new?x=1&y=2");
/// ```
pub fn merge_queries(from: &str, to: &str) -> String {
    let (Ok(current), Ok(mut target)) = (Url::parse(from), Url::parse(to)) else { return to.to_owned() };
    let mut parameters: Vec<(String, String)> = target.query_pairs().into_owned().collect();
    let own = parameters.len();
    for (name, value) in current.query_pairs() {
        if !parameters.iter().any(|(known, _)| *known == name) {
            parameters.push((name.into_owned(), value.into_owned()));
        }
    }
    if parameters.len() > own {
        target.query_pairs_mut().clear().extend_pairs(&parameters);
    }
    target.into()
}
