//! One of each page in each of its states, for tests and for looking at.
//!
//! The analyses are computed, not written down: totals of made-up looks go through [`experiments::analyze`], so that a
//! sample shows what a shop would.

mod demand;
mod shelf_rules;
mod shelves;
mod stock;
mod webhooks;

use experiments::interaction::Interaction;
use experiments::lifecycle::Move;
use experiments::redraw::Epoch;
use experiments::sample_ratio::PartSplit;
use experiments::verdict::Outlook;
use experiments::{Analysis, ArmSums, Experiment, Look, Metric, Plan, Status, Verdict, analyze};

use crate::demand::DemandPage;
use crate::edit::{Calculator, DefinitionForm, EditPage, MetricChoice, Subject};
use crate::experiment::{Dimension, ExperimentPage, FreshLink, LeftOut, Link, Links, Revision, SegmentSplit};
use crate::login::Login;
use crate::measures::{MetricForm, MetricPage, MetricsPage};
use crate::money::Currency;
use crate::orders::{OrderLine, OrderPage, OrderRow, OrdersPage, PieceToSend, SentParcel, ToSend};
use crate::overview::{ExperimentRow, Overview, Search, ShopFigures};
use crate::pages::{Notice, PageError, Pages, Session};
use crate::purses::{
    CreditPage, CustomersPage, GiftCardPage, GiftCardRow, GiftCardsPage, Movement, NewGiftCard,
};
use crate::shelf_rules::{ShelfRuleForm, ShelfRulesPage};
use crate::shelves::ShelvesPage;
use crate::stock::{ProductStockPage, StockPage};
use crate::webhooks::WebhooksPage;

pub use demand::demand;
pub use shelf_rules::shelf_rules;
pub use shelves::shelves;
pub use stock::{product_stock, stock};
pub use webhooks::{letters, sink, webhooks};

/// When the samples were read: 24 November 2026, 06:24 UTC.
pub const AS_OF_MS: i64 = 1_795_501_440_000;
const DAY_MS: i64 = 86_400_000;
/// A name that would break a page that forgot to escape it.
pub const HOSTILE: &str = r#"<script>alert("x")</script> & '"><img src=x onerror=alert(1)>"#;

/// Holds an experiment with what is known of it.
#[derive(Debug, Clone)]
pub struct Sample {
    /// The definition.
    pub experiment: Experiment,
    /// What its looks come to.
    pub analysis: Analysis,
    /// The effect in segments.
    pub dimensions: Vec<Dimension>,
    /// Units that count nowhere.
    pub left_out: Vec<LeftOut>,
    /// How many looks there were.
    pub looks: u64,
    /// The running experiments.
    pub running: Vec<Experiment>,
    /// What it does beside them.
    pub interactions: Vec<Interaction>,
    /// What the rest of it is worth.
    pub outlook: Option<Outlook>,
    /// The split in segments.
    pub splits: Vec<SegmentSplit>,
    /// Of a bandit, its epochs.
    pub epochs: Vec<Epoch>,
}

/// Describes what the units of an arm do: its share of units, how many of them convert, and what they spend.
#[derive(Debug, Clone, Copy)]
struct Arm {
    share: f64,
    conversion: f64,
    basket_minor: f64,
}

fn arm(share: f64, conversion: f64, basket_minor: f64) -> Arm {
    Arm { share, conversion, basket_minor }
}

/// Returns the definition with these arms, in this status.
fn definition(
    key: &str,
    name: &str,
    hypothesis: &str,
    arms: &[(&str, &str, u32)],
    status: Status,
) -> Experiment {
    let is_aa = key.starts_with("aa-");
    let variation = |(key, name, weight_bp): &(&str, &str, u32)| {
        let steps = if *key == "classic" {
            vec!["address", "shipping", "payment", "review"]
        } else {
            vec!["address", "shipping", "payment"]
        };
        let value = serde_json::json!({"name": key, "steps": steps});
        let value = if is_aa { "Goes with your cart".into() } else { value };
        serde_json::json!({"key": key, "name": name, "weight_bp": weight_bp, "value": value})
    };
    let definition = serde_json::json!({
        "schema_version": 1, "key": key, "name": name, "hypothesis": hypothesis, "flag": "checkout_workflow",
        "variations": arms.iter().map(variation).collect::<Vec<_>>(), "planned_units": 20_000,
        "owner": "mara", "planned_days": 21,
        "guardrails": [{"metric": "page_latency", "margin_bp": 500}],
    });
    let draft = Experiment::parse_value(&definition).expect("a sample's definition is right");
    let running = || draft.clone().moved(Move::Start).expect("a draft starts");
    let stopped = || running().moved(Move::Stop).expect("a running experiment stops");
    match status {
        Status::Draft => draft,
        Status::Running => running(),
        Status::Paused => running().moved(Move::Pause).expect("a running experiment pauses"),
        Status::Stopped => stopped(),
        Status::Archived => stopped().moved(Move::Archive).expect("a stopped experiment is archived"),
    }
}

/// Returns the metrics of a sample: one that decides, two more and a guardrail.
fn metrics() -> Vec<Metric> {
    let order = serde_json::json!({"type": "order_placed"});
    let of = |value: serde_json::Value| Metric::parse(&value.to_string()).expect("a sample's metric is one");
    vec![
        of(
            serde_json::json!({"key": "conversion", "name": "Conversion", "measure": {"kind": "proportion", "event": order}}),
        ),
        of(
            serde_json::json!({"key": "page_latency", "name": "Page latency", "format": "milliseconds", "better": "lower",
            "measure": {"kind": "mean", "event": {"type": "page"}, "property": "ms"}}),
        ),
        of(serde_json::json!({"key": "revenue_per_unit", "name": "Revenue per visitor", "format": "money",
            "measure": {"kind": "mean", "event": order, "property": "total_minor"}})),
    ]
}

/// Returns the sums so far of an arm with so many units: rates as given, after a wobble that dies out.
fn totals(arm: Arm, units: f64, wobble: f64) -> ArmSums {
    let units = (units * arm.share).round();
    let orders = (units * arm.conversion * (1.0 + wobble)).round().clamp(0.0, units);
    let row =
        |active: f64, sum: f64, squares: f64| format!("{units} {active} {sum:.0} 0 0 {squares:.0} 0 0 0 0 0");
    // Baskets spread about as much as their mean, pages by a third of it.
    let baskets = row(orders, orders * arm.basket_minor, orders * arm.basket_minor.powi(2) * 1.9);
    let pages = row(units, units * 412.0, units * 412.0_f64.powi(2) * 1.1);
    ArmSums::parse(&format!("{units};{};{pages};{baskets}", row(orders, orders, orders)))
        .expect("a sample's sums add up")
}

/// Returns a sample's weeks and devices.
fn dimensions(plan: &Plan, arms: &[Arm], units: f64) -> Vec<Dimension> {
    let segments = |name: &str, parts: &[(&str, f64, f64)]| {
        let of = |(name, share, wobble): &(&str, f64, f64)| {
            let sums = |(index, arm): (usize, &Arm)| totals(*arm, units * share, wobble * index as f64);
            ((*name).to_owned(), arms.iter().enumerate().map(sums).collect())
        };
        let parts: Vec<(String, Vec<ArmSums>)> = parts.iter().map(of).collect();
        Dimension { name: name.into(), segments: experiments::verdict::segments(plan, &parts) }
    };
    vec![
        segments("week", &[("Week 1", 0.52, 0.04), ("Week 2", 0.48, -0.03)]),
        segments("device", &[("phone", 0.63, 0.05), ("desktop", 0.37, -0.09)]),
    ]
}

/// Returns what `count` looks at a growing experiment come to.
fn observed(experiment: Experiment, arms: &[Arm], units: f64, count: u64) -> Sample {
    let look = |number: u64| {
        let share = number as f64 / count as f64;
        let totals_of = |(index, arm): (usize, &Arm)| {
            let phase = number as f64 * 0.9 + index as f64 * 2.4;
            totals(*arm, units * share, 0.05 * (1.0 - share) * phase.sin() / share.sqrt().max(0.2))
        };
        Look {
            at_ms: AS_OF_MS - 14 * DAY_MS + (14.0 * DAY_MS as f64 * share) as i64,
            arms: arms.iter().enumerate().map(totals_of).collect(),
        }
    };
    let mut looks: Vec<Look> = (1..=count).map(look).collect();
    let current =
        looks.pop().unwrap_or_else(|| Look { at_ms: AS_OF_MS, arms: vec![ArmSums::new(3); arms.len()] });
    let plan = Plan::of(&experiment, &metrics()).expect("a sample has metrics");
    let analysis = analyze(&plan, &current, &looks).expect("looks of a sample fit its plan");
    let is_ahead = experiment.status() == Status::Running && !analysis.sample_ratio.is_mismatch;
    let outlook = is_ahead.then(|| experiments::verdict::outlook(&plan, &current, 640));
    let dimensions = dimensions(&plan, arms, if count == 0 { 0.0 } else { units });
    let left_out = |reason: &str, units, p| LeftOut { reason: reason.into(), units, p_of_split: Some(p) };
    let left_out = match count {
        0 => vec![],
        _ => vec![left_out("crossed", 31, 0.59), left_out("robot", 412, 0.92), left_out("staff", 6, 0.41)],
    };
    let splits = if count == 0 { vec![] } else { splits(&[units * 0.315, units * 0.312]) };
    Sample {
        experiment,
        analysis,
        dimensions,
        left_out,
        looks: count,
        running: vec![],
        interactions: vec![],
        outlook,
        splits,
        epochs: vec![],
    }
}

/// Returns the splits of phones, with so many units in two arms, and of what else is the same in all samples.
fn splits(phones: &[f64; 2]) -> Vec<SegmentSplit> {
    let parts: [(&str, &str, Vec<u64>); 3] = [
        ("week", "Week 1", vec![3_130, 3_151]),
        ("device", "phone", phones.map(|units| units as u64).to_vec()),
        ("device", "desktop", vec![2_207, 2_211]),
    ];
    let units: Vec<Vec<u64>> = parts.iter().map(|(_, _, units)| units.clone()).collect();
    let split = |((dimension, segment, _), split): ((&str, &str, _), PartSplit)| SegmentSplit {
        dimension: dimension.into(),
        segment: segment.into(),
        split,
    };
    parts.into_iter().zip(experiments::sample_ratio::parts(&[0.5, 0.5], &units)).map(split).collect()
}

const ARMS: [(&str, &str, u32); 2] =
    [("classic", "Classic checkout", 5000), ("express", "Express checkout", 5000)];
const HYPOTHESIS: &str =
    "One checkout page instead of four steps lets more visitors finish, above all on phones.";

fn express(status: Status) -> Experiment {
    definition("checkout-express", "Express checkout", HYPOTHESIS, &ARMS, status)
}

/// Returns an experiment whose treatment is better.
pub fn better() -> Sample {
    observed(express(Status::Running), &[arm(0.5, 0.061, 4_130.0), arm(0.5, 0.0745, 4_080.0)], 24_310.0, 48)
}

/// Returns one whose treatment is worse, stopped.
pub fn worse() -> Sample {
    let experiment = definition("basket-drawer", "Basket in a drawer", HYPOTHESIS, &ARMS, Status::Stopped)
        .teaching(
            "The drawer hides the sum, and who does not see it goes on looking for it.\nShow the sum first.",
        )
        .expect("a stopped experiment teaches");
    observed(experiment, &[arm(0.5, 0.0745, 4_130.0), arm(0.5, 0.061, 4_080.0)], 24_310.0, 48)
}

/// Returns an A/A experiment: nothing differs.
pub fn undecided() -> Sample {
    let arms = [("a", "Heading as it is", 5000), ("b", "The same again", 5000)];
    let experiment = definition(
        "aa-shelf-heading",
        "A/A: shelf heading",
        "Nothing changes, so nothing may be found.",
        &arms,
        Status::Running,
    );
    observed(experiment, &[arm(0.501, 0.0652, 4_100.0), arm(0.499, 0.0655, 4_115.0)], 18_022.0, 36)
}

/// Returns one that has just begun.
pub fn early() -> Sample {
    let experiment = definition("free-shipping-bar", "Free-shipping bar", HYPOTHESIS, &ARMS, Status::Running);
    observed(experiment, &[arm(0.5, 0.06, 4_000.0), arm(0.5, 0.07, 4_000.0)], 214.0, 1)
}

/// Returns one with a single drawable look.
pub fn first_look() -> Sample {
    observed(express(Status::Running), &[arm(0.5, 0.06, 4_000.0), arm(0.5, 0.07, 4_000.0)], 900.0, 1)
}

/// Returns one whose split is wrong.
pub fn mismatched() -> Sample {
    let experiment =
        definition("image-zoom", "Zoom on product images", "Seeing more sells more.", &ARMS, Status::Running);
    observed(experiment, &[arm(0.56, 0.06, 4_000.0), arm(0.44, 0.07, 4_000.0)], 9_000.0, 20)
}

/// Returns one with three arms of which nobody converts in one.
pub fn three_arms() -> Sample {
    let arms = [
        ("classic", "Classic checkout", 3334),
        ("express", "Express checkout", 3333),
        ("one-step", "One-step checkout", 3333),
    ];
    let experiment = definition("checkout-three", "Three checkouts", HYPOTHESIS, &arms, Status::Running);
    observed(
        experiment,
        &[arm(0.3334, 0.061, 4_130.0), arm(0.3333, 0.079, 4_080.0), arm(0.3333, 0.064, 4_500.0)],
        30_000.0,
        40,
    )
}

/// Returns a draft that nobody has seen.
pub fn draft() -> Sample {
    observed(express(Status::Draft), &[arm(0.5, 0.0, 0.0), arm(0.5, 0.0, 0.0)], 0.0, 0)
}

/// Returns a draft that says too little to start.
pub fn incomplete() -> Sample {
    let mut definition = express(Status::Draft).to_value();
    for (field, value) in
        [("hypothesis", "".into()), ("owner", "".into()), ("planned_days", serde_json::Value::Null)]
    {
        definition[field] = value;
    }
    let experiment = Experiment::parse_value(&definition).expect("a draft may say little");
    observed(experiment, &[arm(0.5, 0.0, 0.0), arm(0.5, 0.0, 0.0)], 0.0, 0)
}

/// Returns one whose every text is hostile.
pub fn hostile() -> Sample {
    let arms = [("classic", HOSTILE, 5000), ("express", HOSTILE, 5000)];
    let experiment = definition("hostile", HOSTILE, HOSTILE, &arms, Status::Running);
    observed(experiment, &[arm(0.5, 0.06, 4_000.0), arm(0.5, 0.07, 4_000.0)], 20_000.0, 10)
}

/// Returns one whose coverage rises by schedule.
pub fn ramping() -> Sample {
    ramp_of(early())
}

/// Returns one whose coverage would rise, were the split not wrong.
pub fn ramp_held() -> Sample {
    ramp_of(mismatched())
}

fn ramp_of(sample: Sample) -> Sample {
    let mut definition = sample.experiment.to_value();
    definition["coverage_bp"] = 2_000.into();
    let step =
        |(hours, coverage): (u32, u32)| serde_json::json!({"after_hours": hours, "coverage_bp": coverage});
    let steps = [(24, 2_000), (72, 5_000), (168, 10_000)].map(step);
    definition["ramp"] = steps.to_vec().into();
    let experiment = Experiment::parse_value(&definition).expect("the sample's ramp rises");
    Sample { experiment, ..sample }
}

/// Returns one whose variations are compared within devices.
pub fn within() -> Sample {
    let mut definition = express(Status::Running).to_value();
    definition["strata"] = "device".into();
    let experiment = Experiment::parse_value(&definition).expect("the sample's strata are an attribute");
    let of = |units: f64, conversions: [f64; 2]| -> Vec<ArmSums> {
        conversions.iter().map(|conversion| totals(arm(0.5, *conversion, 4_100.0), units, 0.0)).collect()
    };
    let strata = [of(15_300.0, [0.031, 0.040]), of(9_010.0, [0.118, 0.131])];
    let mut whole = strata[0].clone();
    whole.iter_mut().zip(&strata[1]).for_each(|(sum, arm)| sum.merge(arm));
    let plan = Plan::of(&experiment, &metrics()).expect("a sample has metrics");
    let current = Look { at_ms: AS_OF_MS, arms: whole };
    let analysis = experiments::verdict::analyze_within(&plan, &current, &[], &strata);
    Sample { experiment, analysis: analysis.expect("strata of a sample fit its plan"), ..better() }
}

/// Returns a bandit that has drawn its weights again every day for two weeks.
pub fn bandit() -> Sample {
    bandit_of(&[
        [3_334, 3_333, 3_333],
        [2_211, 3_120, 4_669],
        [1_480, 2_905, 5_615],
        [820, 1_933, 7_247],
        [560, 1_402, 8_038],
        [500, 1_718, 7_782],
        [500, 960, 8_540],
        [500, 611, 8_889],
    ])
}

/// Returns one that has just begun.
pub fn bandit_young() -> Sample {
    bandit_of(&[[3_334, 3_333, 3_333]])
}

/// Epochs of two days with these weights; the shop converts better from day to day.
fn bandit_of(weights_bp: &[[u32; 3]]) -> Sample {
    let three = three_arms().experiment;
    let mut definition = three.to_value();
    let past: Vec<serde_json::Value> = (0_i64..)
        .zip(weights_bp)
        .take(weights_bp.len() - 1)
        .map(|(at, weights)| {
            let until_ms = AS_OF_MS - 14 * DAY_MS + (at + 1) * 2 * DAY_MS - DAY_MS / 2;
            serde_json::json!({"until_ms": until_ms, "weights_bp": weights})
        })
        .collect();
    for (variation, weight) in
        definition["variations"].as_array_mut().into_iter().flatten().zip(weights_bp[weights_bp.len() - 1])
    {
        variation["weight_bp"] = weight.into();
    }
    definition["bandit"] =
        serde_json::json!({"policy": "thompson", "every_hours": 48, "floor_bp": 500, "past": past});
    let experiment = Experiment::parse_value(&definition).expect("the sample's bandit is one");
    let epoch = |(at, weights): (usize, &[u32; 3])| {
        let level = 1.0 + 0.04 * at as f64;
        let arms = [0.058, 0.061, 0.074].iter().zip(weights).map(|(conversion, weight)| {
            totals(arm(f64::from(*weight) / 10_000.0, conversion * level, 4_100.0), 5_200.0, 0.0)
        });
        Epoch {
            until_ms: experiment.draws().and_then(|draws| Some(draws.past.get(at)?.until_ms)),
            weights_bp: weights.to_vec(),
            arms: arms.collect(),
        }
    };
    let epochs: Vec<Epoch> = weights_bp.iter().enumerate().map(epoch).collect();
    let mut whole = vec![ArmSums::new(3); 3];
    for epoch in &epochs {
        whole.iter_mut().zip(&epoch.arms).for_each(|(sum, arm)| sum.merge(arm));
    }
    let plan = Plan::of(&experiment, &metrics()).expect("a sample has metrics");
    let analysis =
        experiments::verdict::analyze_epochs(&plan, &Look { at_ms: AS_OF_MS, arms: whole }, &epochs);
    let analysis = analysis.expect("epochs of a sample fit its plan");
    let looks = epochs.len() as u64;
    Sample {
        experiment,
        analysis,
        dimensions: vec![],
        splits: vec![],
        outlook: None,
        looks,
        epochs,
        ..better()
    }
}

/// Returns one whose winner everybody gets.
pub fn shipped() -> Sample {
    let experiment =
        express(Status::Running).ship("express", AS_OF_MS - DAY_MS).expect("a running experiment ships");
    observed(experiment, &[arm(0.5, 0.061, 4_130.0), arm(0.5, 0.0745, 4_080.0)], 24_310.0, 48)
}

/// Returns one that is held for a while.
pub fn paused() -> Sample {
    let experiment = definition("gift-wrap", "Gift wrap in the cart", HYPOTHESIS, &ARMS, Status::Paused);
    observed(experiment, &[arm(0.5, 0.061, 4_130.0), arm(0.5, 0.062, 4_080.0)], 6_020.0, 20)
}

/// Two running experiments on one flag, of which one takes a third.
fn rivals() -> Vec<Experiment> {
    let first = definition("checkout-bar", "Free-shipping bar", HYPOTHESIS, &ARMS, Status::Running);
    let mut first = first.to_value();
    first["coverage_bp"] = 3_333.into();
    vec![Experiment::parse_value(&first).expect("a sample's definition is right"), express(Status::Running)]
}

/// What one of them does beside the other.
fn interaction() -> Interaction {
    Interaction {
        experiment: "checkout-express".into(),
        variation: 1,
        other: "checkout-bar".into(),
        other_variation: 1,
        units: 16_207,
        lifts: [0.214, -0.031],
        adjusted_p: 0.0004,
        is_significant: true,
    }
}

/// Returns one that acts on another, and one beside which it does the same.
pub fn beside() -> Sample {
    let third = definition("badges", "Badges on products", HYPOTHESIS, &ARMS, Status::Running);
    let calm = Interaction {
        other: "badges".into(),
        lifts: [0.181, 0.204],
        adjusted_p: 1.0,
        is_significant: false,
        ..interaction()
    };
    let running = rivals().into_iter().chain([third]).collect();
    Sample { running, interactions: vec![interaction(), calm], ..better() }
}

/// Returns one that loses visitors of one variation on phones, as many as it gains elsewhere.
pub fn off_on_phones() -> Sample {
    Sample { splits: splits(&[3_420.0, 2_911.0]), ..better() }
}

/// Returns one that gets what another one on its flag leaves.
pub fn behind() -> Sample {
    Sample { running: rivals(), ..better() }
}

/// Returns a draft that would take units from a running experiment.
pub fn refused() -> Sample {
    let before = definition("a-first", "Another checkout", HYPOTHESIS, &ARMS, Status::Draft);
    Sample { experiment: before, running: rivals(), ..draft() }
}

/// Returns every sample by name.
pub fn experiments() -> Vec<(&'static str, Sample)> {
    vec![
        ("better", better()),
        ("worse", worse()),
        ("undecided", undecided()),
        ("early", early()),
        ("first-look", first_look()),
        ("mismatched", mismatched()),
        ("three-arms", three_arms()),
        ("ramping", ramping()),
        ("ramp-held", ramp_held()),
        ("within", within()),
        ("bandit", bandit()),
        ("bandit-young", bandit_young()),
        ("shipped", shipped()),
        ("paused", paused()),
        ("draft", draft()),
        ("incomplete", incomplete()),
        ("hostile", hostile()),
        ("behind", behind()),
        ("off-on-phones", off_on_phones()),
        ("beside", beside()),
        ("refused", refused()),
    ]
}

/// Returns who reads the samples.
pub fn session() -> Session {
    Session { user: "mara".into(), csrf: "csrf-token".into() }
}

/// Returns the list of every sample.
pub fn orders() -> OrdersPage {
    OrdersPage {
        session: session(),
        query: HOSTILE.into(),
        status: "placed".into(),
        orders: vec![order("placed", 0).order, order("cancelled", 2_995).order],
        next: Some("/admin/orders?cursor=abc".into()),
    }
}

/// One order of two mugs in a state, with so much paid back.
pub fn order(status: &'static str, refunded_minor: i64) -> OrderPage {
    OrderPage {
        session: session(),
        key: "0199a1b2".into(),
        notice: (refunded_minor > 0).then(|| Notice::Done("It was paid back.".into())),
        order: OrderRow {
            id: "o5f2c9e".into(),
            placed_at_ms: AS_OF_MS,
            email: HOSTILE.into(),
            status,
            is_sent_in_part: false,
            payment_status: if refunded_minor > 0 { "partially_refunded" } else { "paid" },
            total_minor: 2_995,
            currency: Currency::new("GBP", 2),
        },
        lines: vec![OrderLine {
            id: "MUG".into(),
            name: HOSTILE.into(),
            quantity: 2,
            refunded: u32::from(refunded_minor > 0),
            restocked: 0,
            cost_minor: 2_500,
        }],
        shipping_minor: 495,
        refunded_minor,
        note: HOSTILE.into(),
        sent: if status == "fulfilled" { vec![sent_parcel("Leeds"), sent_parcel(HOSTILE)] } else { vec![] },
        to_send: if status == "placed" { vec![to_send("Leeds"), to_send(HOSTILE)] } else { vec![] },
    }
}

/// The order of which Leeds has sent its mug.
pub fn order_sent_in_part() -> OrderPage {
    let placed = order("placed", 0);
    OrderPage {
        order: OrderRow { is_sent_in_part: true, ..placed.order },
        sent: vec![sent_parcel("Leeds")],
        to_send: vec![to_send(HOSTILE)],
        ..placed
    }
}

fn sent_parcel(place: &str) -> SentParcel {
    SentParcel {
        title: format!("Sent on 24 November 2026 from {place}"),
        contents: vec!["1 × Mug".into(), "2 × Tin".into()],
        tracking: "Royal Mail AB123456785GB".into(),
        url: "https://post.example/AB123456785GB".into(),
    }
}

fn to_send(place: &str) -> ToSend {
    let piece =
        |at: usize, name: &str| PieceToSend { field: format!("piece:{at}.0"), name: name.into(), pieces: 1 };
    ToSend { location: "north".into(), place: place.into(), pieces: vec![piece(0, "Mug"), piece(1, HOSTILE)] }
}

fn movement(cause: &str, delta_minor: i64) -> Movement {
    Movement { cause: cause.into(), delta_minor, at_ms: AS_OF_MS }
}

/// One gift card, of which half is spent.
pub fn gift_card(is_stopped: bool) -> GiftCardPage {
    GiftCardPage {
        session: session(),
        notice: is_stopped.then(|| Notice::Done("The card is stopped.".into())),
        card: GiftCardRow {
            id: "0a1b2c".into(),
            last4: "6789".into(),
            currency: Currency::new("GBP", 2),
            balance_minor: 1_500,
            is_stopped,
            is_expired: false,
            expires_at_ms: Some(AS_OF_MS + 365 * DAY_MS),
            issued_at_ms: AS_OF_MS - 30 * DAY_MS,
            note: HOSTILE.into(),
        },
        movements: vec![
            movement("refund:o5f2c9e:1", 250),
            movement("order:o5f2c9e", -1_250),
            movement("issue", 2_500),
        ],
    }
}

/// The list of gift cards in each of their states.
pub fn gift_cards(issued: Option<&str>) -> GiftCardsPage {
    let card = || gift_card(false).card;
    let form = NewGiftCard { amount: HOSTILE.into(), currency: "GBP".into(), ..NewGiftCard::default() };
    GiftCardsPage {
        session: session(),
        notice: None,
        last4: HOSTILE.into(),
        cards: vec![
            card(),
            gift_card(true).card,
            GiftCardRow { is_expired: true, expires_at_ms: Some(AS_OF_MS), ..card() },
            GiftCardRow { balance_minor: 0, expires_at_ms: None, note: String::new(), ..card() },
        ],
        next: Some("/admin/gift-cards?cursor=abc".into()),
        issued: issued.map(str::to_owned),
        form: NewGiftCard { code: "WXYZ-EFGH-2345-6789".into(), ..form },
    }
}

/// The credit of a customer.
pub fn credit() -> CreditPage {
    CreditPage {
        session: session(),
        notice: Some(Notice::Refused("The amount must be 1 to 99.".into())),
        customer: "u5f2c9e".into(),
        currency: Currency::new("GBP", 2),
        balance_minor: 500,
        movements: vec![movement(&format!("credit:{HOSTILE}"), 500)],
        amount: "lots".into(),
        reference: HOSTILE.into(),
    }
}

/// The list of experiments, and the shop's figures.
pub fn overview() -> Overview {
    let row = |(_, sample): &(&str, Sample)| ExperimentRow {
        key: sample.experiment.key().into(),
        name: sample.experiment.name().into(),
        status: sample.experiment.status(),
        shipped: sample.experiment.rollout().map(|index| sample.experiment.variations()[index].name().into()),
        units: sample.analysis.arms.iter().map(|arm| arm.units).sum(),
        verdict: Some(sample.analysis.verdict.clone()),
        sentence: sample.analysis.sentence.clone(),
        learned: sample.experiment.learned().into(),
        started_at_ms: (sample.experiment.status().has_started()).then_some(AS_OF_MS - 14 * DAY_MS),
    };
    let shown: Vec<(&str, Sample)> = experiments()
        .into_iter()
        .filter(|(name, _)| {
            !matches!(
                *name,
                "first-look"
                    | "hostile"
                    | "ramping"
                    | "ramp-held"
                    | "behind"
                    | "off-on-phones"
                    | "beside"
                    | "refused"
            )
        })
        .collect();
    Overview {
        session: session(),
        notice: None,
        search: Search::default(),
        owners: vec!["mara".into()],
        flags: vec!["checkout_workflow".into()],
        archived: 2,
        shop: ShopFigures {
            orders: 3_412,
            revenue_minor: 14_103_296,
            carts: 51_877,
            currency: Currency::new("GBP", 2),
        },
        experiments: shown.iter().map(row).collect(),
        running: rivals(),
        interactions: vec![interaction()],
        as_of_ms: AS_OF_MS,
    }
}

/// Returns the list of a shop without experiments.
pub fn empty_overview() -> Overview {
    Overview {
        shop: ShopFigures { orders: 0, revenue_minor: 0, carts: 0, currency: Currency::new("JPY", 0) },
        experiments: Vec::new(),
        archived: 0,
        ..overview()
    }
}

fn measures() -> MetricsPage {
    let (mut usual, own) = (metrics(), metrics().split_off(2));
    usual.truncate(2);
    let event_types = ["line_added", "order_placed"].map(str::to_owned).into();
    MetricsPage { session: session(), revision: 0, notice: None, usual, own, refused: None, event_types }
}

fn metric_form() -> MetricPage {
    MetricPage {
        session: session(),
        key: None,
        form: MetricForm::new(),
        revision: 0,
        errors: vec![],
        event_types: measures().event_types,
    }
}

fn choices() -> Vec<MetricChoice> {
    metrics().iter().map(|m| MetricChoice { key: m.key().into(), name: m.name().into() }).collect()
}

/// Returns what a search finds, and one that finds nothing.
pub fn searches() -> [Overview; 2] {
    let search = |q: &str| Search { q: q.into(), status: "stopped".into(), ..Search::default() };
    let found = overview().experiments.into_iter().filter(|row| row.status.is_over()).collect();
    [
        Overview { search: search("checkout"), experiments: found, ..overview() },
        Overview { search: search(HOSTILE), experiments: Vec::new(), ..overview() },
    ]
}

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
    EditPage { calculator: Calculator::read(asked), ..new_experiment() }
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

/// Returns what an experiment went through until now: made, mended, started and, of one that is over, stopped.
fn history(experiment: &Experiment) -> Vec<Revision> {
    let changed = |changes: &[(&str, serde_json::Value)]| {
        let mut definition = experiment.to_value();
        for (field, value) in changes {
            definition[field] = value.clone();
        }
        Experiment::parse_value(&definition).ok()
    };
    let (draft, running) = (("status", "draft".into()), ("status", "running".into()));
    let mut life = vec![
        ("", changed(&[draft.clone(), ("coverage_bp", 1_000.into()), ("hypothesis", "".into())])),
        ("", changed(&[draft, ("coverage_bp", 1_000.into())])),
    ];
    if experiment.status().has_started() {
        life.push((
            "The shop is quiet this week.",
            changed(&[running.clone(), ("coverage_bp", 1_000.into())]),
        ));
        life.push(("Nothing is broken on the first tenth.", changed(&[running])));
        if experiment.status() != Status::Running {
            life.push((HOSTILE, Some(experiment.clone())));
        }
    }
    let revision = |(at, (reason, definition)): (usize, (&str, Option<Experiment>))| Revision {
        number: at as u64 + 1,
        at_ms: AS_OF_MS - 16 * DAY_MS + at as i64 * DAY_MS,
        by: "mara".into(),
        reason: reason.into(),
        definition,
    };
    life.into_iter().enumerate().map(revision).collect()
}

/// Renders the page of a sample.
///
/// # Errors
/// [`PageError`], when a template does not fit its model.
pub fn render(pages: &Pages, sample: &Sample, notice: Option<Notice>) -> Result<String, PageError> {
    render_for(pages, sample, Some(&session()), notice)
}

/// Renders the report of every sample that has started, by name.
///
/// # Errors
/// [`PageError`], when a template does not fit its model.
pub fn render_reports(pages: &Pages) -> Result<Vec<(String, String)>, PageError> {
    let started = experiments().into_iter().filter(|(_, sample)| sample.experiment.status().has_started());
    started
        .map(|(name, sample)| Ok((format!("report-{name}"), render_for(pages, &sample, None, None)?)))
        .collect()
}

fn links(has_any: bool) -> Links {
    if !has_any {
        return Links::default();
    }
    let link = |id: &str, note: &str, days: i64| Link {
        id: id.into(),
        note: note.into(),
        made_by: "mara".into(),
        created_at_ms: AS_OF_MS - 2 * DAY_MS,
        ends_at_ms: AS_OF_MS + days * DAY_MS,
    };
    let url = "https://shop.example/reports/0f6c1f7b2d0e4a5c9d3e0f6c1f7b2d0e4a5c9d3e0f6c1f7b2d0e4a5c9d3e";
    Links {
        living: vec![link("1", "the board", 28), link("2", "", 5)],
        fresh: Some(FreshLink { url: url.into() }),
    }
}

fn render_for(
    pages: &Pages,
    sample: &Sample,
    session: Option<&Session>,
    notice: Option<Notice>,
) -> Result<String, PageError> {
    let is_over = sample.experiment.status().is_over();
    let previews: Vec<String> = if is_over || session.is_none() {
        Vec::new()
    } else {
        (0..sample.experiment.variations().len())
            .map(|index| format!("/?{}={index}", sample.experiment.key()))
            .collect()
    };
    pages.experiment(&ExperimentPage {
        session,
        notice,
        reason: "",
        history: &history(&sample.experiment),
        experiment: &sample.experiment,
        is_shipped: sample.experiment.rollout().is_some(),
        step_due_at_ms: sample.experiment.due_at_ms(AS_OF_MS - 14 * DAY_MS, AS_OF_MS - DAY_MS),
        revision: 3,
        saved_at_ms: Some(AS_OF_MS - 14 * DAY_MS),
        started_at_ms: (sample.experiment.status().has_started()).then_some(AS_OF_MS - 14 * DAY_MS),
        stopped_at_ms: is_over.then_some(AS_OF_MS - DAY_MS),
        analysis: &sample.analysis,
        dimensions: &sample.dimensions,
        splits: &sample.splits,
        outlook: sample.outlook,
        epochs: &sample.epochs,
        draw_due_at_ms: sample.experiment.draw_due_at_ms(AS_OF_MS - DAY_MS / 2),
        running: &sample.running,
        interactions: &sample.interactions,
        left_out: &sample.left_out,
        looks: sample.looks,
        previews: &previews,
        links: &links(sample.experiment.status().has_started() && session.is_some()),
        currency: &Currency::new("GBP", 2),
        as_of_ms: AS_OF_MS,
    })
}

/// Renders every page in every state, by name.
///
/// # Errors
/// [`PageError`], when a template does not fit its model.
pub fn render_all(pages: &Pages) -> Result<Vec<(String, String)>, PageError> {
    let wrong = Login {
        error: Some("Name and password do not belong together.".into()),
        user: "mara".into(),
        ..Login::default()
    };
    let mut rendered = vec![
        ("login".to_owned(), pages.login(&Login { next: "/admin".into(), ..Login::default() })?),
        ("login-refused".to_owned(), pages.login(&wrong)?),
        ("overview".to_owned(), pages.overview(&overview())?),
        ("overview-empty".to_owned(), pages.overview(&empty_overview())?),
        ("overview-found".to_owned(), pages.overview(&searches()[0])?),
        ("overview-nothing".to_owned(), pages.overview(&searches()[1])?),
        ("orders".to_owned(), pages.orders(&orders())?),
        ("orders-none".to_owned(), pages.orders(&OrdersPage { orders: vec![], next: None, ..orders() })?),
        ("order".to_owned(), pages.order(&order("placed", 0))?),
        ("order-sent-in-part".to_owned(), pages.order(&order_sent_in_part())?),
        ("order-refunded".to_owned(), pages.order(&order("fulfilled", 1_250))?),
        ("order-cancelled".to_owned(), pages.order(&order("cancelled", 2_995))?),
        ("gift-cards".to_owned(), pages.gift_cards(&gift_cards(None))?),
        ("gift-cards-issued".to_owned(), pages.gift_cards(&gift_cards(Some("ABCD-EFGH-2345-6789")))?),
        (
            "gift-cards-none".to_owned(),
            pages.gift_cards(&GiftCardsPage { cards: vec![], next: None, ..gift_cards(None) })?,
        ),
        ("gift-card".to_owned(), pages.gift_card(&gift_card(false))?),
        ("gift-card-stopped".to_owned(), pages.gift_card(&gift_card(true))?),
        ("credit".to_owned(), pages.credit(&credit())?),
        ("credit-none".to_owned(), pages.credit(&CreditPage { movements: vec![], ..credit() })?),
        (
            "customers".to_owned(),
            pages.customers(&CustomersPage { session: session(), query: String::new() })?,
        ),
        (
            "customers-nobody".to_owned(),
            pages.customers(&CustomersPage { session: session(), query: HOSTILE.into() })?,
        ),
        ("metrics".to_owned(), pages.metrics(&measures())?),
        ("metrics-refused".to_owned(), {
            let refused = Some(("[{}]".to_owned(), HOSTILE.to_owned()));
            pages.metrics(&MetricsPage { refused, own: vec![], ..measures() })?
        }),
        ("metric-new".to_owned(), pages.metric(&metric_form())?),
        ("metric-mistaken".to_owned(), {
            let form = MetricForm {
                conditions: HOSTILE.into(),
                property: String::new(),
                ..MetricForm::from(&metrics()[2])
            };
            let errors = form.metric().expect_err("the form has mistakes");
            pages.metric(&MetricPage {
                key: Some("revenue_per_unit".into()),
                form,
                errors,
                ..metric_form()
            })?
        }),
        ("demand".to_owned(), pages.demand(&demand())?),
        ("demand-none".to_owned(), {
            let none = DemandPage { are_letters_sent: false, rows: vec![], next: None, ..demand() };
            pages.demand(&none)?
        }),
        ("shelves".to_owned(), pages.shelves(&shelves())?),
        ("shelves-none".to_owned(), {
            pages.shelves(&ShelvesPage {
                funnels: vec![],
                duels: vec![],
                model: None,
                held_back: None,
                ..shelves()
            })?
        }),
        ("shelf-rules".to_owned(), pages.shelf_rules(&shelf_rules())?),
        ("shelf-rules-none".to_owned(), {
            let none = ShelfRulesPage {
                notice: None,
                rows: vec![],
                form: ShelfRuleForm::default(),
                changes: vec![],
                ..shelf_rules()
            };
            pages.shelf_rules(&none)?
        }),
        ("stock".to_owned(), pages.stock(&stock())?),
        ("stock-none".to_owned(), pages.stock(&StockPage { rows: vec![], next: None, ..stock() })?),
        ("product-stock".to_owned(), pages.product_stock(&product_stock())?),
        (
            "product-stock-fresh".to_owned(),
            pages.product_stock(&ProductStockPage {
                notice: None,
                changes: vec![],
                locations: vec![],
                ..product_stock()
            })?,
        ),
        ("webhooks".to_owned(), pages.webhooks(&webhooks())?),
        (
            "webhooks-none".to_owned(),
            pages.webhooks(&WebhooksPage { endpoints: vec![], notice: None, ..webhooks() })?,
        ),
        ("sink".to_owned(), pages.sink(&sink())?),
        ("sink-letters".to_owned(), pages.sink(&letters())?),
        ("edit-new".to_owned(), pages.edit(&new_experiment())?),
        ("edit-mistaken".to_owned(), pages.edit(&mistaken_form())?),
        ("edit-warned".to_owned(), pages.edit(&warned_form())?),
        ("edit-running".to_owned(), pages.edit(&running_form())?),
        ("edit-calculated".to_owned(), pages.edit(&calculated("3.4", "any"))?),
        ("edit-calculated-looks".to_owned(), pages.edit(&calculated("3.4", "some"))?),
        ("edit-calculated-wrong".to_owned(), pages.edit(&calculated("", "any"))?),
    ];
    for (name, sample) in experiments() {
        let notice = match sample.analysis.verdict {
            Verdict::TooFew { .. } if sample.experiment.status() == Status::Running => {
                Some(Notice::Done("The experiment is running.".into()))
            }
            _ => None,
        };
        rendered.push((format!("experiment-{name}"), render(pages, &sample, notice)?));
    }
    Ok(rendered)
}
