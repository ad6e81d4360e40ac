//! What holds for every page: nothing runs in it that it does not bring, and every link leads somewhere.

use dashboards::{
    ADMIN_CSS,
    samples::{self, HOSTILE},
};

use crate::{page, pages, rendered, without_our_script};

#[test]
fn every_page_fits_a_strict_content_security_policy() {
    for (name, html) in rendered() {
        let html = without_our_script(html);
        // A link or a field may name another place; nothing is loaded from there.
        let elsewhere = ["src=\"http", "src=\"//", "stylesheet\" href=\"http", "url(http"];
        for forbidden in ["<script", " style=", "<style", " onclick", " onload", "javascript:"]
            .into_iter()
            .chain(elsewhere)
        {
            assert!(!html.contains(forbidden), "{name} holds {forbidden}");
        }
        assert!(html.starts_with("<!doctype html>"), "{name}");
    }
}

#[test]
fn every_page_is_well_formed_enough_to_trust() {
    for (name, html) in rendered() {
        assert_eq!(html.matches("<h1").count(), 1, "{name} has one heading of the first rank");
        for tag in [
            "div", "section", "table", "form", "svg", "ul", "p", "dl", "details", "fieldset", "span",
            "figure",
        ] {
            let opened =
                html.matches(&format!("<{tag} ")).count() + html.matches(&format!("<{tag}>")).count();
            assert_eq!(opened, html.matches(&format!("</{tag}>")).count(), "{name}: {tag}");
        }
        for wrong in ["NaN", "inf%", "{{", "{%", ">null<", "undefined"] {
            assert!(!html.contains(wrong), "{name} holds {wrong}");
        }
        let ids: Vec<&str> = html.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        let distinct: std::collections::BTreeSet<&&str> = ids.iter().collect();
        assert_eq!(ids.len(), distinct.len(), "{name} uses an id twice: {ids:?}");
        for reference in ["for", "aria-labelledby", "aria-describedby"] {
            for value in
                html.split(&format!(" {reference}=\"")).skip(1).filter_map(|rest| rest.split('"').next())
            {
                for id in value.split(' ') {
                    assert!(ids.contains(&id), "{name}: {reference} names {id}, which is not there");
                }
            }
        }
    }
}

#[test]
fn every_form_that_changes_something_brings_the_token_back() {
    for (name, html) in rendered() {
        for form in html.split("<form").skip(1) {
            let form = form.split("</form>").next().unwrap();
            if form.contains(r#"method="get""#) {
                continue;
            }
            assert!(form.contains(r#"method="post""#) && form.contains(r#"name="csrf""#), "{name}");
        }
    }
}

#[test]
fn hostile_texts_are_shown_and_do_nothing() {
    let html = page("experiment-hostile");
    assert!(!html.contains("<script") && !html.contains("<img"));
    assert!(html.contains("&lt;script&gt;alert(&quot;x&quot;)&lt;"));
    let mut overview = samples::overview();
    overview.session.user = HOSTILE.into();
    overview.experiments[0].name = HOSTILE.into();
    overview.experiments[0].sentence = HOSTILE.into();
    let html = pages().overview(&overview).unwrap();
    assert!(!html.contains("<script") && !html.contains("<img"));
    let mut form = samples::mistaken_form();
    form.form.name = HOSTILE.into();
    form.form.variations[0].value = format!("</textarea>{HOSTILE}");
    form.errors[0].message = HOSTILE.into();
    let html = without_our_script(&pages().edit(&form).unwrap());
    assert!(!html.contains("<script") && !html.contains("<img") && !html.contains("</textarea>&lt;"));
    let html = pages().login(&dashboards::Login {
        error: Some(HOSTILE.into()),
        user: HOSTILE.into(),
        next: HOSTILE.into(),
        csrf: HOSTILE.into(),
    });
    let html = html.unwrap();
    assert!(!html.contains("<script") && !html.contains("<img"));
}

/// The addresses that the server answers; `*` stands for an experiment's key or an order's id.
const ADDRESSES: [&str; 66] = [
    "/",
    "/admin",
    "/admin/login",
    "/admin/logout",
    "/admin/static/admin.css",
    "/admin/static/icon.svg",
    "/admin/experiments",
    "/admin/experiments/new",
    "/admin/experiments/*",
    "/admin/experiments/*/report",
    "/admin/experiments/*/results.csv",
    "/admin/experiments/*/results.json",
    "/admin/experiments/*/edit",
    "/admin/experiments/*/start",
    "/admin/experiments/*/ship/classic",
    "/admin/experiments/*/learned",
    "/admin/experiments/*/metrics",
    "/admin/experiments/*/ramp/skip",
    "/admin/experiments/*/ramp/raise",
    "/admin/experiments/*/links",
    "/admin/experiments/*/links/1/end",
    "/admin/experiments/*/links/2/end",
    "/admin/experiments/*/history.csv",
    "/admin/experiments/*/history.json",
    "/admin/orders",
    "/admin/orders/*",
    "/admin/orders/*/cancel",
    "/admin/orders/*/correct",
    "/admin/orders/*/fulfil",
    "/admin/orders/*/relocate",
    "/admin/orders/*/refund",
    "/admin/gift-cards",
    "/admin/gift-cards/*",
    "/admin/gift-cards/*/disable",
    "/admin/gift-cards/*/enable",
    "/admin/customers",
    "/admin/customers/*",
    "/admin/customers/*/group",
    "/admin/demand",
    "/admin/stock",
    "/admin/stock/*",
    "/admin/stock/*/set",
    "/admin/stock/*/adjust",
    "/admin/stock/*/move",
    "/admin/webhooks",
    "/admin/webhooks/*",
    "/admin/metrics",
    "/admin/metrics/new",
    "/admin/metrics/added",
    "/admin/metrics/own/*",
    "/admin/metrics/own/*/save",
    "/admin/metrics/own/*/remove",
    "/admin/webhooks/*/settings",
    "/admin/webhooks/*/disable",
    "/admin/webhooks/*/enable",
    "/admin/webhooks/*/secret",
    "/admin/webhooks/*/ping",
    "/admin/webhooks/*/replay",
    "/admin/webhooks/*/dead",
    "/admin/webhooks/*/delete",
    "/admin/webhooks/wh_1a2b3c/deliveries/*",
    "/admin/shelves",
    "/admin/shelves/rules",
    "/admin/shelves/rules/all",
    "/admin/shelves/rules/remove",
    "/admin/shelves/rules/rule",
];

#[test]
fn every_link_and_form_leads_to_an_address_that_is_answered() {
    let is_answered = |address: &str| {
        let path = address.split('?').next().unwrap();
        let move_ = path.rsplit('/').next().unwrap().to_owned();
        // A variation's key stands at the end.
        let path = match path.rsplit_once("/ship/") {
            Some((experiment, variation)) if !variation.is_empty() => format!("{experiment}/ship/classic"),
            _ => path.to_owned(),
        };
        let path = match &*move_ {
            "pause" | "resume" | "stop" | "archive" => path.replace(&move_, "start"),
            _ => path,
        };
        ADDRESSES.iter().any(|known| match known.split_once('*') {
            None => path == *known,
            Some((begin, end)) => path
                .strip_prefix(begin)
                .and_then(|rest| rest.strip_suffix(end))
                .is_some_and(|key| !key.is_empty() && !key.contains('/')),
        })
    };
    for (name, html) in rendered() {
        for attribute in [" href=\"", " action=\"", " formaction=\"", " data-check=\""] {
            for address in html.split(attribute).skip(1).filter_map(|rest| rest.split('"').next()) {
                let address = address.split('#').next().unwrap();
                if address.starts_with("https://") {
                    let leaves = format!(r#"<a href="{address}" rel="noopener noreferrer">"#);
                    assert!(html.contains(&leaves), "{name}: {address} learns where its visitors come from");
                    continue;
                }
                assert!(address.is_empty() || is_answered(address), "{name}: {address}");
            }
        }
    }
}

/// A class without a rule is a slip of the pen, in the template or in the sheet.
#[test]
fn every_class_of_a_page_is_in_the_style_sheet() {
    for (name, html) in rendered() {
        for class in html
            .split(" class=\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .flat_map(|all| all.split(' '))
        {
            assert!(
                ADMIN_CSS.contains(&format!(".{class}")) || class == "tone-calm",
                "{name}: class {class}"
            );
        }
    }
}
