//! The buttons of an experiment: start, pause, resume, stop, ship, archive.

use actix_web::{
    HttpResponse,
    http::StatusCode,
    web::{Data, Path},
};
use dashboards::Pages;
use experiments::{Experiment, Status, definition::WHOLE_BP, lifecycle::Move, rollout};

use super::{super::login::Sent, Said, done, find, show};
use crate::{
    clock, definitions,
    problem::{Kind, Problem},
    revisions::{Saved, write},
    shop::Shop,
    store::StoreError,
    storefront::cart::sentence,
};

/// Most bytes of a reason: a paragraph, which is read in a list.
pub const REASON_BYTES_MAX: usize = 1_000;
/// How often a stop is tried again where somebody else saves the experiment meanwhile.
const STOPS_MAX: usize = 16;

/// Reads a reason; where one is needed, an empty one is none.
///
/// # Errors
/// A sentence that says what to mend.
pub fn reason_of(text: &str, is_needed: bool) -> Result<String, String> {
    let reason = text.trim().replace("\r\n", "\n");
    if is_needed && reason.is_empty() {
        return Err("Say why: a word or two, which stand in the history.".into());
    }
    if reason.len() > REASON_BYTES_MAX {
        let bytes = reason.len();
        return Err(format!("The reason has {bytes} bytes, the most is {REASON_BYTES_MAX}: shorten it."));
    }
    Ok(reason)
}

/// `POST /admin/experiments/{key}/ship/{variation}`: ends the experiment and gives the variation's value to everybody.
pub(in crate::admin) async fn ship(
    shop: Data<Shop>,
    pages: Data<Pages>,
    path: Path<(String, String)>,
    Sent { session, form, .. }: Sent,
) -> Result<HttpResponse, Problem> {
    let (key, variation) = path.into_inner();
    let typed = form.text("reason");
    let again = async |status, why: String| {
        show(&shop, &pages, &session, &key, Said { reason: typed, ..Said::refused(status, why) }).await
    };
    let reason = match reason_of(typed, true) {
        Ok(reason) => reason,
        Err(why) => return again(StatusCode::UNPROCESSABLE_ENTITY, why).await,
    };
    let (experiment, stored) = find(&shop, &key).await?;
    let share = form.text("share_percent");
    let share_bp = if share.trim().is_empty() { Some(WHOLE_BP) } else { dashboards::basis_points(share) };
    let Some(share_bp) = share_bp.filter(|share_bp| *share_bp <= WHOLE_BP) else {
        let why = "The share must be a number from 0 to 100 with at most two decimals, such as 20.";
        return again(StatusCode::UNPROCESSABLE_ENTITY, why.into()).await;
    };
    let shipped = match experiment.ship_to(&variation, share_bp, clock::now_ms()) {
        Ok(shipped) => shipped,
        Err(error) => return again(StatusCode::CONFLICT, sentence(&error.to_string())).await,
    };
    let revision = form.text("revision").parse().unwrap_or(stored.revision);
    let saved = Saved { by: &session.user, reason: &reason };
    let answer = done(&shop, &shipped, revision, saved, "ship").await?;
    if share_bp == WHOLE_BP {
        archive_replaced(&shop, shipped.flag(), &session.user).await;
    }
    Ok(answer)
}

/// `POST /admin/experiments/{key}/ramp/{change}`: takes the next step of the ramp now, or leaves it out.
pub(in crate::admin) async fn ramp(
    shop: Data<Shop>,
    pages: Data<Pages>,
    path: Path<(String, String)>,
    Sent { session, form, .. }: Sent,
) -> Result<HttpResponse, Problem> {
    let (key, change) = path.into_inner();
    let again =
        async |status, why: String| show(&shop, &pages, &session, &key, Said::refused(status, why)).await;
    let reason = match reason_of(form.text("reason"), true) {
        Ok(reason) => reason,
        Err(why) => return again(StatusCode::UNPROCESSABLE_ENTITY, why).await,
    };
    let (experiment, stored) = find(&shop, &key).await?;
    let is_running = experiment.status() == Status::Running;
    let next = match change.as_str() {
        "raise" if is_running && experiment.next_step().is_some() => experiment.raised(),
        "skip" if experiment.next_step().is_some() => experiment.skipping(),
        "raise" | "skip" => {
            let why = "There is no step to take or to skip: the ramp is at its end, or the experiment does not run.";
            return again(StatusCode::CONFLICT, why.into()).await;
        }
        _ => return Err(Problem::new(Kind::NoSuchRoute, format!("a ramp cannot {change}"))),
    };
    if let ("raise", Err(error)) = (change.as_str(), next.check_rivals(shop.definitions.get().experiments()))
    {
        return again(StatusCode::CONFLICT, sentence(&error.to_string())).await;
    }
    let revision = form.text("revision").parse().unwrap_or(stored.revision);
    done(&shop, &next, revision, Saved { by: &session.user, reason: &reason }, &change).await
}

/// Archives what was shipped on the flag before: were it to stay, it would come back with the end of the later rollout.
///
/// The later one holds from the moment on that it is saved, so nothing depends on this but what is left to do by hand.
async fn archive_replaced(shop: &Shop, flag: &str, by: &str) {
    let definitions = shop.definitions.get();
    let Some((holder, _)) = rollout::on_flag(definitions.experiments(), flag) else { return };
    let reason = format!("The rollout of {} has replaced its own.", holder.key());
    let on_flag = definitions.experiments().iter().filter(|experiment| experiment.flag() == flag);
    for replaced in on_flag.filter(|e| e.rollout().is_some() && e.key() != holder.key()) {
        let Some(stored) = definitions.stored(replaced.key()) else { continue };
        let Ok(archived) = replaced.clone().moved(Move::Archive) else { continue };
        let saved = Saved { by, reason: &reason };
        if let Err(error) = write(shop, &archived, Some(stored.revision), saved).await {
            tracing::warn!(experiment = replaced.key(), %error, "a replaced rollout could not be archived");
        }
    }
}

/// Lets an experiment begin, with its metrics as they are now.
async fn begun(shop: &Shop, experiment: Experiment) -> Result<Result<Experiment, String>, Problem> {
    shop.experiment_metrics.refresh(&*shop.store).await?;
    let metrics = shop.experiment_metrics.of(&experiment);
    let begun = experiment.beginning(clock::now_ms(), metrics);
    let definitions = shop.definitions.get();
    // What it began with takes room, too.
    let checked = definitions::parse(&begun.to_value().to_string())
        .and_then(|_| definitions.check_beside(&begun, true))
        .map_err(|fault| sentence(&fault.to_string()));
    Ok(checked.map(|()| begun))
}

/// `POST /admin/experiments/{key}/{move}`.
pub(in crate::admin) async fn make(
    shop: Data<Shop>,
    pages: Data<Pages>,
    path: Path<(String, String)>,
    sent: Sent,
) -> Result<HttpResponse, Problem> {
    let (key, did) = path.into_inner();
    let asked = match did.as_str() {
        "start" => Move::Start,
        "pause" => Move::Pause,
        "resume" => Move::Resume,
        "stop" => Move::Stop,
        "archive" => Move::Archive,
        _ => return Err(Problem::new(Kind::NoSuchRoute, format!("an experiment cannot {did}"))),
    };
    let Sent { session, form, .. } = sent;
    let typed = form.text("reason");
    let again = async |status, why: String| {
        show(&shop, &pages, &session, &key, Said { reason: typed, ..Said::refused(status, why) }).await
    };
    let reason = match reason_of(typed, asked != Move::Start) {
        Ok(reason) => reason,
        Err(why) => return again(StatusCode::UNPROCESSABLE_ENTITY, why).await,
    };
    let saved = Saved { by: &session.user, reason: &reason };
    for _ in 0..STOPS_MAX {
        let (experiment, stored) = find(&shop, &key).await?;
        let moved = match experiment.moved(asked) {
            Ok(moved) => moved,
            Err(error) => return again(StatusCode::CONFLICT, sentence(&error.to_string())).await,
        };
        // A draft of before may name what it cannot be judged by.
        let fit = match asked {
            Move::Start => moved.check_fit(&shop.experiment_metrics.of(&moved)),
            _ => Ok(()),
        };
        if let Err(unfit) = fit {
            return again(StatusCode::CONFLICT, sentence(&unfit.to_string())).await;
        }
        if let (true, Err(error)) =
            (moved.status() == Status::Running, moved.check_rivals(shop.definitions.get().experiments()))
        {
            return again(StatusCode::CONFLICT, sentence(&error.to_string())).await;
        }
        let moved = match asked {
            Move::Start => match begun(&shop, moved).await? {
                Ok(moved) => moved,
                Err(why) => return again(StatusCode::CONFLICT, why).await,
            },
            _ => moved,
        };
        if asked != Move::Stop {
            // Nobody starts a definition that they have not seen: the form brings the revision it was shown with.
            let revision = form.text("revision").parse().unwrap_or(stored.revision);
            return done(&shop, &moved, revision, saved, &did).await;
        }
        // Whatever somebody else changes, what is to stop stops.
        match write(&shop, &moved, Some(stored.revision), saved).await {
            Err(StoreError::Conflict(_)) => {}
            written => {
                written?;
                return Ok(super::see_other(&format!("/admin/experiments/{key}?did={did}")));
            }
        }
    }
    let why = "Others change the experiment all the time. It has not stopped: try again.";
    again(StatusCode::CONFLICT, why.into()).await
}
