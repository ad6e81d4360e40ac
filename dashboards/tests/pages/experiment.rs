//! The page of an experiment: the verdict first, then what it rests on.

use dashboards::{ADMIN_CSS, samples};

use crate::{page, pages, text};

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
        "Conversion decides 6.10 % 7.45 % +22.3 % +4.5 % to +40.0 % +1.36 points (+0.38 to +2.34 points) better p = 0.005",
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
    assert!(points.contains(" to +2.34 points)"), "{points}");
}
