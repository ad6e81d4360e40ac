//! Every page in every state, as a browser gets it.

use std::sync::LazyLock;

use dashboards::samples::{self, HOSTILE};
use dashboards::{ADMIN_CSS, Pages};

fn pages() -> Pages {
    Pages::new().unwrap_or_else(|error| panic!("{error}"))
}

/// Every sample page by name, rendered once: a calculator that answers for any look integrates for seconds.
fn rendered() -> &'static [(String, String)] {
    static RENDERED: LazyLock<Vec<(String, String)>> =
        LazyLock::new(|| samples::render_all(&pages()).unwrap_or_else(|error| panic!("{error}")));
    &RENDERED
}

fn page(name: &str) -> String {
    let found = rendered().iter().find(|(other, _)| other == name);
    found.unwrap_or_else(|| panic!("no page {name}")).1.clone()
}

/// The text of a page without tags, blanks run together.
fn text(html: &str) -> String {
    let mut text = String::new();
    let mut is_tag = false;
    for letter in html.chars() {
        match letter {
            '<' => is_tag = true,
            '>' => {
                is_tag = false;
                text.push(' ');
            }
            other if !is_tag => text.push(other),
            _ => {}
        }
    }
    text.replace("&#39;", "'")
        .replace("&quot;", "\"")
        .replace('\u{a0}', " ")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

/// The page without the one script that it may have.
fn without_our_script(html: &str) -> String {
    html.replacen(r#"<script src="/admin/static/form.js" defer></script>"#, "", 1)
}

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

#[test]
fn the_verdict_stands_first_and_in_words() {
    let table = [
        ("experiment-better", "Better", "Express checkout is better: conversion rises by"),
        ("experiment-worse", "Worse", "Express checkout is worse: conversion falls by"),
        ("experiment-undecided", "Verdict so far", "No difference yet: The same again may change"),
        ("experiment-early", "Verdict so far", "Too early to say: Classic checkout has 107 visitors"),
        ("experiment-mismatched", "Verdict withheld", "Do not trust these numbers"),
        ("experiment-draft", "Not started", "Nobody has seen this experiment yet."),
    ];
    for (name, label, sentence) in table {
        let text = text(&page(name));
        let at = |words: &str| text.find(words).unwrap_or_else(|| panic!("{name} lacks {words}: {text}"));
        assert!(at(label) < at(sentence), "{name}");
        assert!(at(sentence) < at("Definition"), "{name}");
        if name != "experiment-draft" {
            assert!(at(sentence) < at("What each variation did"), "{name}");
        }
    }
}

#[test]
fn a_wrong_split_withholds_every_comparison_and_says_why() {
    let html = page("experiment-mismatched");
    let text = text(&html);
    assert!(text.contains("What usually causes a wrong split"));
    assert!(text.contains("withheld"));
    assert!(!html.contains("chart-1"), "no lift is drawn");
    assert!(html.contains("id=\"growth\""), "how units came is what leads to the cause");
    assert!(!html.contains("class=\"interval"), "no interval is drawn");
    assert!(!text.contains("For statisticians"));
    assert!(!text.contains('+') || !text.contains("% to"), "no lift is shown: {text}");
}

#[test]
fn a_ramp_says_what_is_next_or_why_it_holds() {
    let goes_on = text(&page("experiment-ramping"));
    assert!(goes_on.contains("50 % of all visitors take part from 25 Nov 2026, 06:24 UTC on"), "{goes_on}");
    let held = text(&page("experiment-ramp-held"));
    assert!(held.contains("It does not go on by itself while the split is not as planned."), "{held}");
    assert!(held.contains("24 hours 20 % taken 72 hours 50 % next 168 hours 100 % later"), "{held}");
    assert!(held.contains("Raise to 50 % now") && held.contains("Skip this step"));
}

#[test]
fn the_table_shows_what_each_variation_did() {
    let text = text(&page("experiment-better"));
    for words in [
        "12,155",
        "control, classic 12,155 50 % of all 741 6.10 %",
        "Conversion decides 6.10 % 7.45 % +22.3 % +4.5 % to +40.0 % +1.36 points (+0.38 points to +2.34 points) better p = 0.005",
        "Page latency guardrail 412 ms 412 ms",
        "safe",
        "Revenue per visitor £2.52 £3.04",
        "By device The effect is the same in all of them",
        "Guardrails page latency (5 %)",
    ] {
        assert!(text.contains(words), "{words} is missing: {text}");
    }
}

#[test]
fn moves_are_offered_only_where_they_lead_on() {
    let offers = |name: &str| {
        let html = page(name);
        let buttons = ["start", "pause", "resume", "stop", "archive"];
        let mut offered =
            buttons.into_iter().filter(|button| html.contains(&format!("/{button}\""))).collect::<Vec<_>>();
        offered.extend(html.contains("?copy=").then_some("copy"));
        offered.join(" ")
    };
    assert_eq!(offers("experiment-draft"), "start");
    assert_eq!(offers("experiment-incomplete"), "", "a draft that says too little does not start");
    assert_eq!(offers("experiment-better"), "pause stop");
    assert_eq!(offers("experiment-paused"), "resume stop");
    assert_eq!(offers("experiment-worse"), "archive copy");
    assert_eq!(offers("experiment-shipped"), "archive copy");
}

#[test]
fn a_stopped_experiment_is_not_told_to_run_on() {
    let text = text(&page("experiment-worse"));
    assert!(text.contains("Keep Classic checkout."));
    assert!(!text.contains("Stop and keep") && !text.contains("Let it run"), "{text}");
}

#[test]
fn a_chart_is_told_as_well_as_drawn() {
    let html = page("experiment-better");
    assert!(html.contains("<title id=\"chart-1-wide-title\">Lift in conversion over time: Express checkout against Classic checkout</title>"));
    assert!(html.contains("The last interval lies above zero.</desc>"));
    assert!(text(&html).contains("Every look, oldest first"));
    assert!(!page("experiment-early").contains("<path class=\"band\""));
    assert!(page("experiment-early").contains("Nothing to draw yet"));
    assert!(
        !page("experiment-early").contains("class=\"interval"),
        "an interval that does not hold is not drawn"
    );
    assert!(page("experiment-first-look").contains("class=\"whisker\""));
}

#[test]
fn every_treatment_is_charted() {
    let html = page("experiment-three-arms");
    assert!(html.contains("chart-1-wide") && html.contains("chart-2-narrow"));
    assert!(text(&html).contains("97.5 % always-valid interval"));
}

/// What a page claims about being looked at is what holds for its method.
#[test]
fn every_method_claims_what_holds_for_it() {
    let anytime = ["look as often as you like", "however often you look", "this page ever claims one"];
    let table: [(&str, &[&str]); 7] = [
        (
            "better",
            &["95 % always-valid intervals", "at most 5 %, however often you look", "Waudby-Smith, Arbour"],
        ),
        (
            "mixture",
            &["95 % always-valid intervals", "at most 5 %, however often you look", "lifts of about 10 %"],
        ),
        (
            "fixed",
            &["95 % intervals of the planned look", "at most 5 %, at the planned look", "Welch’s t (1947)"],
        ),
        (
            "fixed-unread",
            &["Not read yet", "read once, at 20,000 units", "are not read before the planned look"],
        ),
        (
            "groups",
            &["intervals of the last planned look", "at most 5 %, over all 5 looks", "Lan and DeMets"],
        ),
        ("groups-unread", &["Not read yet", "read at 5 of them", "Not drawn before the planned look"]),
        (
            "bayesian",
            &["credible intervals", "is not bounded", "the more of them, the more is found by chance"],
        ),
    ];
    for (name, words) in table {
        let page = text(&page(&format!("experiment-{name}")));
        for words in words {
            assert!(page.contains(words), "{name} lacks {words}: {page}");
        }
        let is_anytime = matches!(name, "better" | "mixture");
        for words in anytime {
            assert_eq!(page.contains(words), is_anytime, "{name}: {words}");
        }
        assert_eq!(page.contains("Guardrails have 5 % of their own"), name != "bayesian", "{name}");
    }
    for name in ["fixed-unread", "groups-unread"] {
        let html = page(&format!("experiment-{name}"));
        assert!(!html.contains("<path class=\"band\"") && !html.contains("class=\"interval"), "{name}");
        assert!(text(&html).contains("Parts are not read before the planned look"), "{name}");
        assert!(!text(&html).contains("By device"), "{name}");
    }
    assert!(page("experiment-fixed").contains("<path class=\"band\""));
}

#[test]
fn a_guardrail_that_cannot_be_read_says_so() {
    let blind = text(&page("experiment-guardrail-blind"));
    for words in [
        "Do not ship it yet: revenue per visitor, which was not to get worse, cannot be read: all visitors of both",
        "Revenue per visitor guardrail £0.00 £0.00 not told in percent of nothing cannot be read all visitors of both",
    ] {
        assert!(blind.contains(words), "{words}: {blind}");
    }
    assert!(!blind.contains("You can stop and ship it"), "{blind}");
    let dead = text(&page("experiment-guardrail-dead"));
    assert!(
        dead.contains("But revenue per visitor falls to nothing from what it is under Classic checkout"),
        "{dead}"
    );
    assert!(dead.contains("harmed") && !dead.contains("You can stop and ship it"), "{dead}");
    let halted = text(&page("experiment-bandit-halted"));
    assert!(halted.contains("No weights are drawn while it is so: the split is not as planned"), "{halted}");
}

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

#[test]
fn a_purse_says_what_moved_it_and_what_was_left_each_time() {
    let html = page("gift-card");
    let rows: Vec<String> = html.split("<tr role=\"row\">").skip(2).map(text).collect();
    for (row, words) in rows.iter().zip([
        ["Given back of order", "o5f2c9e", "+£2.50", "£15.00"],
        ["Paid for order", "o5f2c9e", "−£12.50", "£12.50"],
        ["Issued", "", "+£25.00", "£25.00"],
    ]) {
        assert!(words.iter().all(|word| row.contains(word)), "{words:?} in {row}");
    }
    assert!(page("gift-card-stopped").contains("Let it pay again"));
    assert!(page("gift-cards-issued").contains("<code>ABCD-EFGH-2345-6789</code>"));
    assert!(page("customers-nobody").contains("Nobody found"));
}

#[test]
fn an_empty_shop_invites() {
    let text = text(&page("overview-empty"));
    assert!(
        text.contains("No experiments yet") && text.contains("Create the first one") && text.contains("¥0")
    );
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

#[test]
fn a_report_holds_everything_and_leads_nowhere() {
    let reports = samples::render_reports(&pages()).unwrap_or_else(|error| panic!("{error}"));
    assert!(reports.len() > 5 && !reports.iter().any(|(name, _)| name == "report-draft"));
    for (name, html) in reports {
        assert!(html.starts_with("<!doctype html>") && html.contains(ADMIN_CSS), "{name} holds its style");
        let forbidden = [
            "<script", "<form", "<input", "<button", " src=\"", "/admin", "csrf", "http://", "https://",
            "@import", "Sign out",
        ];
        for forbidden in forbidden {
            assert!(!html.contains(forbidden), "{name} holds {forbidden}");
        }
        for address in html.split(" href=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(
                address.starts_with('#') || address.starts_with("data:image/svg+xml,"),
                "{name}: {address}"
            );
        }
        let text = text(&html[html.find("</head>").unwrap_or_default()..]);
        assert!(text.contains("Verdict") && text.contains("What each variation did"), "{name}: {text}");
        assert!(text.contains("Definition") && text.contains("Figures as of"), "{name}: {text}");
    }
}

#[test]
fn raw_numbers_are_offered_once_there_are_some() {
    let offered = page("experiment-better");
    for file in ["results.csv", "results.json", "report"] {
        assert!(offered.contains(&format!("/admin/experiments/checkout-express/{file}\"")), "{file}");
    }
    let draft = page("experiment-draft");
    assert!(!draft.contains("Raw numbers") && !draft.contains("Links to the report"));
    assert!(draft.contains("/admin/experiments/checkout-express/history.csv\""), "a draft has a history");
    assert!(text(&offered).contains("Take back the link for the board"), "{}", text(&offered));
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

#[test]
fn experiments_on_one_flag_or_on_the_same_visitors_are_told() {
    let behind = text(&page("experiment-behind"));
    assert!(behind.contains(
        "Free-shipping bar comes first and takes 33.33 % of the visitors. 66.67 % are left for this one."
    ));
    let refused = page("experiment-refused");
    assert!(
        text(&refused).contains("It cannot take visitors now: it would take visitors from Express checkout")
    );
    assert!(!refused.contains("/start"), "what is refused is not offered");
    let beside = text(&page("experiment-beside"));
    assert!(beside.contains("Express checkout and Free-shipping bar act on each other"));
    assert!(beside.contains("Badges on products Express checkout 16,207 +18.1 %"), "{beside}");
    let overview = text(&page("overview"));
    assert!(overview.contains("Express checkout decides flag “checkout_workflow” behind Free-shipping bar"));
    assert_eq!(overview.matches("act on each other").count(), 1);
}

#[test]
fn the_list_begins_with_what_needs_a_decision() {
    let read = text(&page("overview"));
    let headings =
        ["Needs a decision", "Broken A", "Broken Nothing", "Running Nothing", "Drafts and past experiments"];
    let at = |words: &str| read.find(words);
    let found: Vec<usize> = headings.iter().filter_map(|heading| at(heading)).collect();
    assert_eq!(found.len(), 4, "{read}");
    assert!(found.is_sorted(), "{read}");
    let html = page("overview");
    let section = |id: &str| {
        let from =
            html.find(&format!("aria-labelledby=\"{id}\"")).unwrap_or_else(|| panic!("no section {id}"));
        text(&html[from..from + html[from..].find("</section>").unwrap()])
    };
    assert!(section("decide").contains("Better") && !section("decide").contains("Verdict withheld"));
    assert!(
        section("broken").contains("Verdict withheld: wrong split")
            && !section("broken").contains("No difference yet")
    );
    assert!(section("others").contains("Draft") && !section("others").contains("Running"));
    assert!(!page("overview-found").contains("id=\"decide\""), "what was looked for is one list");
}

#[test]
fn units_are_drawn_day_by_day_beside_the_check_of_the_split() {
    let html = page("experiment-better");
    let from = html.find("aria-labelledby=\"split\"").unwrap();
    let section = &html[from..from + html[from..].find("</section>").unwrap()];
    assert_eq!(section.matches("class=\"trace trace-2\" d=").count(), 2, "one for each width");
    assert!(
        section.contains("<desc id=\"growth-wide-desc\">From day to day grew Classic checkout from 0 to"),
        "{section}"
    );
    assert!(section.contains("10,000 planned"), "{section}");
    let read = text(section);
    assert!(read.contains("half of the 20,000 units that are planned for two variations"), "{read}");
    assert!(section.contains("tabindex=\"0\" aria-label=\"Units of each variation by day\""));
    assert!(!page("experiment-draft").contains("growth"), "a draft has no visitors");
}

#[test]
fn lifts_are_told_in_the_metric_s_own_unit_too() {
    let better = text(&page("experiment-better"));
    let points =
        better.split("Lift").find(|part| part.contains(" points (+")).unwrap_or_else(|| panic!("{better}"));
    assert!(points.contains(" points to +"), "{points}");
}

#[test]
fn a_part_whose_split_is_off_is_told_and_the_days_that_are_left() {
    let off = text(&page("experiment-off-on-phones"));
    assert!(
        off.contains("Of 3 parts of the visitors that were checked, these are not split as planned."),
        "{off}"
    );
    assert!(off.contains("phone device 3,420 : 2,911"));
    let early = text(&page("experiment-early"));
    assert!(
        early.contains("Days left About 31 days until the 20,000 planned units, at 640 visitors a day"),
        "{early}"
    );
    let better = text(&page("experiment-better"));
    assert!(better.contains("The same holds in each of 3 parts of the visitors"));
    assert!(better.contains("Days left None the planned units have come; a lift of"));
    assert!(!text(&page("experiment-worse")).contains("Days left"), "what is over has none");
    let (bandit, young) = (text(&page("experiment-bandit")), text(&page("experiment-bandit-young")));
    let until = "days until One-step checkout is known as well as planned, at 2,600 visitors a day and these weights; a lift of";
    assert!(bandit.contains("Days left About") && bandit.contains(until), "{bandit}");
    assert!(bandit.contains("adjusted by what they did before: 3"), "{bandit}");
    assert!(bandit.contains("Each part is read epoch by epoch, as the whole is"), "{bandit}");
    assert!(
        bandit.contains("By device: One-step checkout The effect is the same in all of them"),
        "{bandit}"
    );
    assert!(young.contains("Days left Not told yet the weights still move"), "{young}");
}

#[test]
fn a_metric_that_was_added_after_the_start_is_told_as_a_hint() {
    let html = page("experiment-late");
    let read = text(&html);
    assert!(
        read.contains("Revenue per visitor added on 23 Nov 2026, after the start: a hint, no proof"),
        "{read}"
    );
    assert!(read.contains(
        "refunded was added on 23 Nov 2026, after the start, and is being counted for all visitors"
    ));
    assert!(
        read.contains("perhaps better")
            && read.contains("Metrics added later revenue per unit (23 Nov 2026)")
    );
    assert!(html.contains(r#"<option value="orders">"#) && !html.contains(r#"<option value="refunded">"#));
    assert!(!text(&page("experiment-worse")).contains("Was a metric forgotten?"), "it is over");
}

#[test]
fn of_a_models_methods_the_one_that_serves_stands_in_the_open() {
    let html = page("shelves");
    let (_, model) = html.split_once("id=\"model\"").unwrap();
    let (open, folded) = model.split_once("<details>").unwrap();
    let (open, read) = (text(open), text(folded));
    assert!(open.contains("The product taken out of a basket ranked 9,412 44.00 %"), "{open}");
    assert!(open.contains("83.00 % 44.70 % weighted"), "the best of the others beside it: {open}");
    assert!(!open.contains("cosine") && !open.contains("popularity"), "{open}");
    assert!(read.contains("The product taken out of a basket: all 4 methods"), "{read}");
    assert!(read.contains("ranked fills shelves now candidates of many lists"), "{read}");
    let order = ["weighted", "ranked", "cosine", "popularity"];
    let (_, basket) = read.split_once("all 4 methods").unwrap();
    let places = order.map(|method| basket.find(&format!("{method} ")));
    assert!(places.is_sorted() && places[0].is_some(), "the best comes first: {basket}");
    assert!(!read.contains("all 1 methods"), "a method alone has nothing beside it");
}
