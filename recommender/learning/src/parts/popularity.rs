//! What many buy of late; where nothing was ordered yet, what many look at.

use recommender::Learnt;

use super::{Part, Source};
use crate::{pairs, train::Settings};

/// Counts orders, each by its age.
pub struct Popularity;

impl Part for Popularity {
    fn learn(&self, from: &Source<'_>, settings: &Settings, into: &mut Learnt) {
        into.popular = from.together.popular(from.logs.items());
        if into.popular.is_empty() {
            let latest = from.logs.sessions.all().latest(settings.lines);
            into.popular = pairs::popular(latest, settings.pairs.half_life_days);
        }
    }
}
