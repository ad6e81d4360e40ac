use super::*;
use crate::{Money, Sku};

const DECEMBER_MS: i64 = 1_796_083_200_000;

fn currency(code: &str) -> Currency {
    Currency::parse(code).unwrap()
}

fn group(name: &str) -> GroupId {
    GroupId::parse(name).unwrap()
}

fn special(minor: i64) -> SpecialPrice {
    SpecialPrice {
        minor,
        currency: currency("GBP"),
        group: None,
        min_quantity: 1,
        from_ms: None,
        until_ms: None,
    }
}

fn tier(minor: i64, min_quantity: u32) -> SpecialPrice {
    SpecialPrice { min_quantity, ..special(minor) }
}

fn sale(minor: i64) -> SpecialPrice {
    SpecialPrice { from_ms: Some(DECEMBER_MS - 1_000), until_ms: Some(DECEMBER_MS), ..special(minor) }
}

fn trade(price: SpecialPrice) -> SpecialPrice {
    SpecialPrice { group: Some(group("trade")), ..price }
}

fn mug(prices: impl IntoIterator<Item = SpecialPrice>) -> Product {
    let mut mug = Product::new(Sku::parse("MUG").unwrap(), "Mug", Money::new(1_000, currency("GBP")));
    mug.prices = prices.into_iter().collect();
    mug
}

/// Asks in pounds, before the sale.
fn ask(quantity: u32) -> PriceQuestion<'static> {
    PriceQuestion { currency: currency("GBP"), group: None, quantity, now_ms: 0 }
}

#[test]
fn the_most_special_price_holds_and_says_why() {
    let trade_group = group("trade");
    let other_group = group("staff");
    let in_sale = |quantity| PriceQuestion { now_ms: DECEMBER_MS - 1, ..ask(quantity) };
    let as_trade = |question| PriceQuestion { group: Some(&trade_group), ..question };
    let all = mug([tier(900, 10), tier(800, 100), sale(950), trade(special(990)), trade(tier(970, 10)), {
        SpecialPrice { currency: currency("EUR"), ..special(1_150) }
    }]);
    let euros = |question| PriceQuestion { currency: currency("EUR"), ..question };
    for (question, minor, name, sentence) in [
        (ask(1), 1_000, "base", "the product's own price"),
        (ask(9), 1_000, "base", "the product's own price"),
        (ask(10), 900, "tier", "from 10 pieces on"),
        (ask(99), 900, "tier", "from 10 pieces on"),
        (ask(100), 800, "tier", "from 100 pieces on"),
        // A sale comes before a tier, though the tier is lower.
        (in_sale(100), 950, "window", "until 1 December 2026, 00:00 UTC"),
        (
            PriceQuestion { now_ms: DECEMBER_MS - 1_000, ..ask(1) },
            950,
            "window",
            "until 1 December 2026, 00:00 UTC",
        ),
        (PriceQuestion { now_ms: DECEMBER_MS - 1_001, ..ask(1) }, 1_000, "base", "the product's own price"),
        (PriceQuestion { now_ms: DECEMBER_MS, ..ask(1) }, 1_000, "base", "the product's own price"),
        // A group's price comes before a sale and a tier, though both are lower.
        (as_trade(in_sale(9)), 990, "group", "for group trade"),
        (as_trade(in_sale(100)), 970, "group", "for group trade, from 10 pieces on"),
        (PriceQuestion { group: Some(&other_group), ..ask(1) }, 1_000, "base", "the product's own price"),
        (euros(ask(100)), 1_150, "listed", "the price in EUR"),
    ] {
        let selected = all.price_for(&question).unwrap();
        assert_eq!(
            (selected.minor, selected.why.name(), selected.why.to_string().as_str()),
            (minor, name, sentence)
        );
        let json = serde_json::to_string(&selected).unwrap();
        assert!(json.contains(&format!("\"name\":\"{name}\"")), "{json}");
        assert_eq!(serde_json::from_str::<SelectedPrice>(&json).unwrap(), selected);
    }
    let yen = PriceQuestion { currency: currency("JPY"), ..ask(1) };
    assert_eq!(all.price_for(&yen), None);
}

#[test]
fn among_equally_special_prices_the_lower_holds_in_whatever_order_they_stand() {
    for prices in [[sale(950), sale(940)], [sale(940), sale(950)]] {
        let question = PriceQuestion { now_ms: DECEMBER_MS - 1, ..ask(1) };
        assert_eq!(mug(prices).price_for(&question).unwrap().minor, 940);
    }
    for (listed, minor, name) in [(999, 999, "listed"), (1_000, 1_000, "base"), (1_001, 1_000, "base")] {
        let selected = mug([special(listed)]).price_for(&ask(1)).unwrap();
        assert_eq!((selected.minor, selected.why.name()), (minor, name));
    }
}

#[test]
fn the_steps_of_a_price_are_listed_for_a_table() {
    let trade_group = group("trade");
    let euros = SpecialPrice { currency: currency("EUR"), min_quantity: 50, ..special(700) };
    let product = mug([tier(800, 100), tier(900, 10), trade(tier(850, 20)), euros]);
    let steps = |question: &PriceQuestion<'_>| {
        product.price_steps(question).into_iter().map(|(from, price)| (from, price.minor)).collect::<Vec<_>>()
    };
    assert_eq!(steps(&ask(7)), [(1, 1_000), (10, 900), (100, 800)]);
    // The group's price stays: it is more special than the lower tier for everybody.
    let as_trade = PriceQuestion { group: Some(&trade_group), ..ask(7) };
    assert_eq!(steps(&as_trade), [(1, 1_000), (10, 900), (20, 850)]);
    assert_eq!(steps(&PriceQuestion { currency: currency("EUR"), ..ask(1) }), [(50, 700)]);
    assert!(steps(&PriceQuestion { currency: currency("JPY"), ..ask(1) }).is_empty());
}

#[test]
fn an_open_window_is_told_by_the_end_it_has() {
    let sentence = |price: SpecialPrice| price.reason().to_string();
    let since = SpecialPrice { until_ms: None, ..sale(1) };
    assert_eq!(sentence(since.clone()), "since 30 November 2026, 23:59 UTC");
    assert_eq!(
        sentence(SpecialPrice { min_quantity: 3, ..since.clone() }),
        "since 30 November 2026, 23:59 UTC, from 3 pieces on"
    );
    assert_eq!(sentence(trade(since)), "for group trade, since 30 November 2026, 23:59 UTC");
    assert_eq!(
        sentence(trade(SpecialPrice { min_quantity: 3, ..sale(1) })),
        "for group trade, from 3 pieces on, until 1 December 2026, 00:00 UTC"
    );
}

#[test]
fn prices_that_make_no_sense_are_refused_with_a_sentence() {
    let faults = |product: Product| product.check_prices().map_err(|e| e.to_string());
    assert_eq!(faults(mug([tier(900, 10), sale(950), trade(special(990)), trade(sale(900))])), Ok(()));
    for (price, fault) in [
        (tier(-1, 2), "prices[0].minor is -1; write an amount from 0 to 100000000000 minor units"),
        (
            tier(100_000_000_001, 2),
            "prices[0].minor is 100000000001; write an amount from 0 to 100000000000 minor units",
        ),
        (trade(tier(1, 0)), "prices[0].min_quantity is 0; write the pieces it holds from, 1 to 9999"),
        (tier(1, 10_000), "prices[0].min_quantity is 10000; write the pieces it holds from, 1 to 9999"),
        (
            SpecialPrice { from_ms: Some(DECEMBER_MS), until_ms: Some(DECEMBER_MS), ..special(1) },
            "prices[0].until_ms is 2026-12-01T00:00:00Z, not after from_ms 2026-12-01T00:00:00Z; \
             let the window end after it begins",
        ),
        (
            special(1),
            "prices[0] has no condition and the currency of the product's own price; change that price instead",
        ),
    ] {
        assert_eq!(faults(mug([price])), Err(fault.into()));
    }
    assert_eq!(
        faults(mug([tier(900, 10), tier(800, 5), tier(800, 10)])),
        Err("prices[2] has the conditions of prices[0]; remove one of the two".into())
    );
    let many = (0..101).map(|n| tier(1, n + 2));
    assert_eq!(faults(mug(many)), Err("prices holds 101 prices, the most allowed is 100".into()));
    let mut free_and_less = mug([]);
    free_and_less.price.minor = -5;
    assert!(faults(free_and_less).unwrap_err().starts_with("price.minor is -5;"));
}
