//! Links to an experiment's report, for those who have no login.
//!
//! The link's token is the whole right: whoever holds it reads the report as it stands, and nothing else, until the link
//! ends or is taken back. Archived experiments keep theirs.

use actix_web::{
    HttpResponse,
    http::{StatusCode, header},
    web::{Data, Path},
};
use dashboards::{FreshLink, Link, Links, Notice, Pages};
use uuid::Uuid;

use super::{
    super::{
        login::Sent,
        report::{Format, Report, headed},
        see_other,
    },
    Said, currency, find, show,
};
use crate::{
    clock,
    problem::{Kind, Problem},
    search::sellers::DAY_MS,
    share_link::LinkTo,
    shop::Shop,
    store::{ReportLink, report_links::REPORT_LINKS_MAX},
};

/// The longest life of a link, in days: a leap year.
pub const LINK_DAYS_MAX: i64 = 366;
/// The longest note of whom a link is for, in bytes: a few words.
pub const LINK_NOTE_BYTES_MAX: usize = 80;

/// Lists the links of an experiment.
///
/// # Errors
/// What the store says.
pub(super) async fn of(shop: &Shop, key: &str, fresh: Option<FreshLink>) -> Result<Links, Problem> {
    let link = |link: ReportLink| Link {
        id: link.id,
        note: link.note,
        made_by: link.made_by,
        created_at_ms: link.created_at_ms,
        ends_at_ms: link.ends_at_ms,
    };
    let living = shop.store.report_links(key, clock::now_ms()).await?.into_iter().map(link).collect();
    Ok(Links { living, fresh })
}

/// `POST /admin/experiments/{key}/links`: makes a link, and shows it this once.
pub(in crate::admin) async fn make(
    shop: Data<Shop>,
    pages: Data<Pages>,
    key: Path<String>,
    Sent { session, form, .. }: Sent,
) -> Result<HttpResponse, Problem> {
    let (experiment, _) = find(&shop, &key).await?;
    let refused =
        async |status, why: &str| show(&shop, &pages, &session, &key, Said::refused(status, why)).await;
    if !experiment.status().has_started() {
        let why = "A draft has no report yet: start the experiment first.";
        return refused(StatusCode::CONFLICT, why).await;
    }
    let note = form.text("note").trim();
    let days = form.text("days").trim().parse().ok().filter(|days| (1..=LINK_DAYS_MAX).contains(days));
    let (Some(days), true) = (days, note.len() <= LINK_NOTE_BYTES_MAX && !note.chars().any(char::is_control))
    else {
        let why = format!(
            "A link lives 1 to {LINK_DAYS_MAX} days, and is for somebody of at most {LINK_NOTE_BYTES_MAX} bytes: mend the form."
        );
        return refused(StatusCode::UNPROCESSABLE_ENTITY, &why).await;
    };
    let (now_ms, (token, token_hash)) = (clock::now_ms(), LinkTo::Report.fresh_token());
    let link = ReportLink {
        token_hash,
        id: Uuid::now_v7().simple().to_string(),
        experiment: key.clone(),
        note: note.to_owned(),
        made_by: session.user.clone(),
        created_at_ms: now_ms,
        ends_at_ms: now_ms + days * DAY_MS,
    };
    if !shop.store.add_report_link(&link).await? {
        let why =
            format!("The experiment has {REPORT_LINKS_MAX} links, the most allowed. Take one back first.");
        return refused(StatusCode::CONFLICT, &why).await;
    }
    let fresh = FreshLink { url: LinkTo::Report.url(&shop.config.shop.public_url, &token) };
    let notice = Notice::Done("The link is made. It is shown this once: copy it now.".into());
    let said =
        Said { status: StatusCode::CREATED, notice: Some(notice), fresh: Some(fresh), ..Said::default() };
    show(&shop, &pages, &session, &key, said).await
}

/// `POST /admin/experiments/{key}/links/{id}/end`: takes a link back, at once and on every node.
pub(in crate::admin) async fn end(
    shop: Data<Shop>,
    path: Path<(String, String)>,
    _: Sent,
) -> Result<HttpResponse, Problem> {
    let (key, id) = path.into_inner();
    let did = match shop.store.end_report_link(&key, &id).await? {
        true => "did=unlinked",
        false => "refused=unlinked",
    };
    Ok(see_other(&format!("/admin/experiments/{key}?{did}")))
}

/// `GET /reports/{token}`: the report, for whoever has the link.
pub(in crate::admin) async fn read(
    shop: Data<Shop>,
    pages: Data<Pages>,
    token: Path<String>,
) -> Result<HttpResponse, Problem> {
    let link = shop.store.report_link(&LinkTo::Report.digest_of(&token), clock::now_ms()).await?;
    let unknown = || {
        Problem::new(
            Kind::UnknownReportLink,
            "the link leads nowhere: it was taken back, or its time is over",
        )
    };
    let link = link.ok_or_else(unknown)?;
    shop.definitions.refresh(&*shop.store).await?;
    let definitions = shop.definitions.get();
    let metrics = &shop.experiment_metrics;
    let report = Report::of(&*shop.store, &definitions, metrics, currency(&shop), &link.experiment).await?;
    let mut answer = headed(Format::Html);
    // The address is the right to read it, so no other site and no search engine may learn it.
    answer.insert_header((header::REFERRER_POLICY, "no-referrer")).insert_header(("x-robots-tag", "noindex"));
    Ok(answer.body(report.written(Format::Html, &pages)?))
}
