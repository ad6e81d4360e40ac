//! What is viewed next in a session.

use recommender::{Learnt, session::PastSessions};

use super::{CASES_MAX, Part, Past, Questions, Source};
use crate::{
    evaluate::{self, Row},
    sessions,
    train::{Logs, Settings, enough},
    tune::{self, Parameter, parameter},
};

/// Learns what follows on trails, where there are enough of them.
pub struct Next;

const PARAMETERS: [Parameter; 7] = [
    parameter!(Single sessions.nearness.fade: [1.0, 2.0, 4.0, 8.0]),
    parameter!(Single sessions.nearness.age: [0.25, 0.5, 1.0, 2.0, 4.0]),
    parameter!(Single sessions.nearness.shared_fade: [1.0, 2.5, 5.0]),
    parameter!(Single sessions.nearness.after: [1.5, 3.0, 6.0]),
    parameter!(Single sessions.nearness.before: [1.0, 3.0, 6.0]),
    parameter!(Single sessions.nearness.rarity: [0.0, 2.0, 5.0, 10.0]),
    parameter!(Count sessions.nearness.neighbours: [100.0, 200.0, 400.0]),
];

impl Part for Next {
    fn learn(&self, from: &Source<'_>, settings: &Settings, into: &mut Learnt) {
        into.trails =
            enough(from.logs.sessions.all(), settings).map(|all| sessions::learn(all, settings.sessions));
    }

    fn measure(&self, past: &Past<'_>) -> Vec<Row> {
        let Some(views) = past.sessions else { return Vec::new() };
        let model = sessions::learn(views.early, past.settings.sessions);
        let known = |item: u32| model.signals.fame[item as usize].views[0] > 0.0;
        let cases = evaluate::prefixes(views.late, CASES_MAX, known);
        evaluate::sessions(&model, views.early, &past.settings.pairs, &cases)
    }

    fn parameters(&self) -> &'static [Parameter] {
        &PARAMETERS
    }

    fn questions<'a>(&self, logs: &'a Logs, settings: &Settings) -> Option<Questions<'a>> {
        tune::of_sessions(logs, settings)
    }

    fn gain(&self, questions: &Questions<'_>, settings: &Settings) -> f64 {
        let items = questions.early.log().items().len();
        let past = PastSessions::new(settings.sessions.nearness, items, questions.early.entries());
        tune::gain(questions, past)
    }
}
