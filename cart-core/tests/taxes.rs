//! What holds of every assessment, whatever the rates, the rounding and the amounts.

use std::collections::BTreeMap;

use cart_core::{
    Assessment, Destination, Place, Region, TaxCategory, TaxComponent, TaxDefinition, TaxQuestion, TaxZone,
    TaxableLine, Taxed, Taxes,
    limits::{CART_LINES_MAX, LINE_QUANTITY_MAX, PRICE_MINOR_MAX},
    tax::{InclusivePrices, Rounding, RoundingMode, RoundingScope},
};
use proptest::{collection::vec, prelude::*, test_runner::FileFailurePersistence};

/// The dearest cart: 500 lines of 9,999 pieces at the highest price, and shipping as dear.
const LINE_MINOR_MAX: i64 = LINE_QUANTITY_MAX as i64 * PRICE_MINOR_MAX;
const ORDER_MINOR_MAX: i64 = CART_LINES_MAX as i64 * LINE_MINOR_MAX;

const CATEGORIES: [&str; 4] = ["standard", "books", "food", "unlisted"];

fn config() -> ProptestConfig {
    let regressions = FileFailurePersistence::Direct("tests/taxes-regressions.txt");
    ProptestConfig { cases: 512, failure_persistence: Some(Box::new(regressions)), ..Default::default() }
}

fn category(name: &str) -> TaxCategory {
    TaxCategory::parse(name).expect("a category")
}

/// Up to four components of 0 to 50 % each, of which at most two are compound.
fn rate() -> impl Strategy<Value = Vec<TaxComponent>> {
    vec((0_u32..=500_000, any::<bool>()), 0..=4).prop_map(|drafts| {
        let mut compounds = 0;
        let component = |(n, (rate_ppm, wants_compound)): (usize, (u32, bool))| {
            let compound = wants_compound && n > 0 && compounds < 2;
            compounds += u32::from(compound);
            TaxComponent { name: format!("C{n}"), rate_ppm, compound }
        };
        drafts.into_iter().enumerate().map(component).collect()
    })
}

fn rates() -> impl Strategy<Value = BTreeMap<TaxCategory, Vec<TaxComponent>>> {
    vec(rate(), 3).prop_map(|rates| CATEGORIES.into_iter().map(category).zip(rates).collect())
}

fn zone(country: &str, rates: BTreeMap<TaxCategory, Vec<TaxComponent>>, includes: Option<bool>) -> TaxZone {
    TaxZone {
        name: country.into(),
        places: vec![Place::countries([country.parse().expect("a country")])],
        prices_include_tax: includes,
        rates,
        exempt_groups: ["exempt".parse().expect("a group")].into(),
    }
}

/// A shop in GB that also collects in FR, and in one region of US.
fn taxes() -> impl Strategy<Value = Taxes> {
    let mode = prop_oneof![Just(RoundingMode::HalfUp), Just(RoundingMode::HalfEven)];
    let per = prop_oneof![Just(RoundingScope::Line), Just(RoundingScope::Order)];
    let words = (any::<bool>(), any::<bool>(), proptest::option::of(any::<bool>()));
    (vec(rates(), 3), per, mode, words).prop_map(|(rates, per, mode, (includes, keeps_net, own_word))| {
        let [gb, fr, us] = <[_; 3]>::try_from(rates).expect("three zones");
        let mut new_york = zone("US", us, None);
        new_york.places[0].regions = [Region::parse("NY").expect("a region")].into();
        let definition = TaxDefinition {
            prices_include_tax: includes,
            inclusive_prices: if keeps_net && includes {
                InclusivePrices::KeepNet
            } else {
                InclusivePrices::KeepGross
            },
            rounding: Rounding { per, mode },
            home: Some(Destination::country("GB".parse().expect("a country"))),
            zones: vec![zone("GB", gb, None), zone("FR", fr, own_word), new_york],
        };
        Taxes::new(definition).expect("the drafts make sense")
    })
}

fn amount() -> impl Strategy<Value = i64> {
    prop_oneof![4 => 0_i64..=20_000, 1 => 0..=LINE_MINOR_MAX, 1 => Just(0), 1 => Just(LINE_MINOR_MAX)]
}

#[derive(Clone, Debug)]
struct Basket {
    lines: Vec<(TaxCategory, i64)>,
    shipping_minor: i64,
    shipping_category: Option<TaxCategory>,
    destination: Option<Destination>,
    exempt: bool,
}

fn basket() -> impl Strategy<Value = Basket> {
    let named = || prop::sample::select(CATEGORIES.to_vec()).prop_map(category);
    let to = prop::sample::select(vec!["GB", "FR", "US", "US-NY", "JP"]).prop_map(|place| Destination {
        country: place[..2].parse().expect("a country"),
        region: place.get(3..).map(|r| r.parse().expect("a region")),
        postcode: None,
    });
    let lines = vec((named(), amount()), 0..12);
    let exempt = prop::bool::weighted(0.1);
    (lines, amount(), proptest::option::of(named()), proptest::option::of(to), exempt).prop_map(
        |(lines, shipping_minor, shipping_category, destination, exempt)| Basket {
            lines,
            shipping_minor,
            shipping_category,
            destination,
            exempt,
        },
    )
}

fn assess(taxes: &Taxes, basket: &Basket) -> Assessment {
    let lines: Vec<_> = basket
        .lines
        .iter()
        .map(|(category, amount_minor)| TaxableLine { category, amount_minor: *amount_minor })
        .collect();
    let group = basket.exempt.then(|| "exempt".parse().expect("a group"));
    taxes.assess(&TaxQuestion {
        lines: &lines,
        shipping_minor: basket.shipping_minor,
        shipping_category: basket.shipping_category.as_ref(),
        destination: basket.destination.as_ref(),
        group: group.as_ref(),
    })
}

fn sum<'a>(parts: impl IntoIterator<Item = &'a Taxed>) -> Taxed {
    parts.into_iter().copied().sum()
}

/// Works a rate out anew, as `tax / net`: a fraction over 10¹⁸.
fn fraction(components: &[TaxComponent]) -> i128 {
    const SCALE: i128 = 1_000_000_000_000_000_000;
    components.iter().fold(0, |tax, component| {
        let base = if component.compound { SCALE + tax } else { SCALE };
        tax + base * i128::from(component.rate_ppm) / 1_000_000
    })
}

/// Reports whether a rounded tax is within so many halves of a unit of the exact tax of an amount.
fn is_within_halves(
    halves: i128,
    tax_minor: i64,
    amount_minor: i128,
    fraction: i128,
    includes: bool,
) -> bool {
    const SCALE: i128 = 1_000_000_000_000_000_000;
    let denominator = if includes { SCALE + fraction } else { SCALE };
    let off = i128::from(tax_minor) * denominator - amount_minor * fraction;
    (2 * off).abs() <= halves * denominator
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn net_and_tax_are_gross_and_all_parts_sum_to_the_whole(taxes in taxes(), basket in basket()) {
        let assessment = assess(&taxes, &basket);
        prop_assert_eq!(assessment.lines.len(), basket.lines.len());
        let of_rates = assessment.rates.iter().map(|rate| &rate.taxed);
        for taxed in assessment.lines.iter().chain([&assessment.shipping, &assessment.total]).chain(of_rates.clone()) {
            prop_assert_eq!(taxed.net_minor + taxed.tax_minor, taxed.gross_minor);
            prop_assert!(taxed.net_minor >= 0 && taxed.tax_minor >= 0, "{:?}", taxed);
        }
        prop_assert_eq!(sum(assessment.lines.iter().chain([&assessment.shipping])), assessment.total);
        prop_assert_eq!(sum(of_rates), assessment.total);
        for rate in &assessment.rates {
            let parts: i64 = rate.components.iter().map(|c| c.tax_minor).sum();
            prop_assert_eq!(parts, rate.taxed.tax_minor);
        }
    }

    #[test]
    fn an_amount_stays_what_it_was_read_as(taxes in taxes(), basket in basket()) {
        let assessment = assess(&taxes, &basket);
        let is_collected = assessment.zone.is_some();
        let keeps_net = taxes.definition().inclusive_prices == InclusivePrices::KeepNet;
        for ((_, amount), taxed) in basket.lines.iter().zip(&assessment.lines) {
            if !assessment.prices_include_tax {
                prop_assert_eq!(taxed.net_minor, *amount);
            } else if !keeps_net && !assessment.exempt {
                prop_assert_eq!(taxed.gross_minor, *amount);
            }
            if assessment.exempt || !is_collected {
                prop_assert_eq!(taxed.tax_minor, 0);
            }
        }
    }

    #[test]
    fn every_rounding_stays_within_half_a_unit_of_the_exact_tax(
        rates in rates(),
        lines in vec(amount(), 1..12),
        includes in any::<bool>(),
        per in prop_oneof![Just(RoundingScope::Line), Just(RoundingScope::Order)],
        mode in prop_oneof![Just(RoundingMode::HalfUp), Just(RoundingMode::HalfEven)],
    ) {
        let exact = fraction(&rates[&category("standard")]);
        let definition = TaxDefinition {
            prices_include_tax: includes,
            rounding: Rounding { per, mode },
            home: Some(Destination::country("GB".parse().expect("a country"))),
            zones: vec![zone("GB", rates, None)],
            ..TaxDefinition::default()
        };
        let basket = Basket {
            lines: lines.iter().map(|minor| (category("standard"), *minor)).collect(),
            shipping_minor: 0,
            shipping_category: None,
            destination: None,
            exempt: false,
        };
        let assessment = assess(&Taxes::new(definition).expect("the drafts make sense"), &basket);
        let whole = lines.iter().map(|minor| i128::from(*minor)).sum();
        // A line that a whole is handed down to may be off by less than one, not only by a half.
        let halves = match per {
            RoundingScope::Line => 1,
            RoundingScope::Order => {
                prop_assert!(is_within_halves(1, assessment.total.tax_minor, whole, exact, includes));
                2
            }
        };
        for (minor, taxed) in lines.iter().zip(&assessment.lines) {
            prop_assert!(is_within_halves(halves, taxed.tax_minor, i128::from(*minor), exact, includes));
        }
    }

    #[test]
    fn lines_in_another_order_are_taxed_alike_in_sum(taxes in taxes(), basket in basket()) {
        // Where the net is kept, equal lines share the home's tax in their order, and may fall under two rates abroad.
        prop_assume!(taxes.definition().inclusive_prices == InclusivePrices::KeepGross);
        let mut reversed = basket.clone();
        reversed.lines.reverse();
        prop_assert_eq!(assess(&taxes, &basket).total, assess(&taxes, &reversed).total);
    }

    #[test]
    fn definitions_survive_storage(taxes in taxes(), basket in basket()) {
        let json = serde_json::to_string(&taxes).expect("a definition is JSON");
        let back: Taxes = serde_json::from_str(&json).expect("it comes back");
        prop_assert_eq!(assess(&back, &basket), assess(&taxes, &basket));
        prop_assert_eq!(back, taxes);
    }
}

#[test]
fn the_dearest_order_at_the_highest_rate_is_assessed_exactly() {
    // 399.9999 %: below the limit, with the widest fractions that two compound components can make.
    let component = |name: &str, rate_ppm, compound| TaxComponent { name: name.into(), rate_ppm, compound };
    let components =
        vec![component("A", 499_999, false), component("B", 666_667, true), component("C", 999_999, true)];
    let exact = fraction(&components);
    for (includes, per) in [
        (false, RoundingScope::Line),
        (false, RoundingScope::Order),
        (true, RoundingScope::Line),
        (true, RoundingScope::Order),
    ] {
        let rates = BTreeMap::from([(category("standard"), components.clone())]);
        let definition = TaxDefinition {
            prices_include_tax: includes,
            rounding: Rounding { per, mode: RoundingMode::HalfUp },
            home: Some(Destination::country("GB".parse().expect("a country"))),
            zones: vec![zone("GB", rates, None)],
            ..TaxDefinition::default()
        };
        let basket = Basket {
            lines: vec![(category("standard"), LINE_MINOR_MAX); CART_LINES_MAX],
            shipping_minor: ORDER_MINOR_MAX,
            shipping_category: None,
            destination: None,
            exempt: false,
        };
        let assessment = assess(&Taxes::new(definition).expect("a definition"), &basket);
        let whole = 2 * i128::from(ORDER_MINOR_MAX);
        // Each rounding of a line or of the shipping may add half a unit.
        let halves = if per == RoundingScope::Order { 1 } else { CART_LINES_MAX as i128 + 1 };
        assert!(is_within_halves(halves, assessment.total.tax_minor, whole, exact, includes));
        let kept = if includes { assessment.total.gross_minor } else { assessment.total.net_minor };
        assert_eq!(i128::from(kept), whole);
    }
}
