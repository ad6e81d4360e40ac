//! Every benefit with amounts worked out by hand, in currencies of two, none and three decimals.

use super::*;

type Case = (&'static str, &'static str, &'static [(&'static str, u32, i64)], &'static [i64], &'static str);

const TEN_PERCENT: &str = r#"{"kind": "percentage", "on": {"all": true}, "off_bp": 1000}"#;
const FIVE_OFF: &str =
    r#"{"kind": "fixed", "on": {"all": true}, "off_minor": {"GBP": 500, "JPY": 100, "KWD": 1000}}"#;
const TIERS_BY_PIECES: &str = r#"{"kind": "tiered", "on": {"all": true}, "tiers": [
    {"from_pieces": 3, "off_bp": 1000}, {"from_pieces": 6, "off_bp": 2000}]}"#;
const TIERS_BY_SUM: &str = r#"{"kind": "tiered", "on": {"categories": ["books"]}, "tiers": [
    {"from_minor": {"GBP": 5000}, "off_minor": {"GBP": 500}},
    {"from_minor": {"GBP": 10000, "JPY": 9000}, "off_minor": {"GBP": 1500, "JPY": 700}}]}"#;
const THREE_FOR_TWO: &str = r#"{"kind": "buy_get", "buy": {"categories": ["books"]}, "buy_pieces": 2,
    "get": {"categories": ["books"]}, "get_pieces": 1}"#;
const HALF_TEA_WITH_A_MUG: &str = r#"{"kind": "buy_get", "buy": {"categories": ["mugs"]}, "buy_pieces": 1,
    "get": {"categories": ["tea"]}, "get_pieces": 1, "off_bp": 5000}"#;
const THIRD_FREE: &str = r#"{"kind": "cheapest_free", "on": {"categories": ["books"]}, "of_pieces": 3}"#;
const MUG_AND_TEA: &str = r#"{"kind": "bundle_price", "price_minor": {"GBP": 1200},
    "parts": [{"on": {"categories": ["mugs"]}}, {"on": {"categories": ["tea"]}}]}"#;
const TWO_OF_TEA_AND_MUGS: &str = r#"{"kind": "bundle_price", "price_minor": {"GBP": 500},
    "parts": [{"on": {"categories": ["mugs"]}}, {"on": {"categories": ["tea", "mugs"]}}]}"#;
const THREE_BOOKS: &str = r#"{"kind": "bundle_price", "price_minor": {"GBP": 2000, "JPY": 1000, "KWD": 2500},
    "parts": [{"on": {"categories": ["books"]}, "pieces": 3}]}"#;

const CASES: &[Case] = &[
    // Percentages: rounded once over all lines, halves up, then shared by largest remainder.
    (TEN_PERCENT, "GBP", &[("MUG", 2, 1_250)], &[2_250], "2.50 GBP off"),
    // 33.3, 33.3 and 33.4: the unit left goes to the third.
    (TEN_PERCENT, "GBP", &[("A", 1, 333), ("B", 1, 333), ("C", 1, 334)], &[300, 300, 300], "1.00 GBP off"),
    // 1.5 becomes 2; 0.67 each, so the first two get one.
    (TEN_PERCENT, "GBP", &[("A", 1, 5), ("B", 1, 5), ("C", 1, 5)], &[4, 4, 5], "0.02 GBP off"),
    (TEN_PERCENT, "JPY", &[("A", 1, 105)], &[94], "11 JPY off"),
    (TEN_PERCENT, "JPY", &[("A", 1, 104)], &[94], "10 JPY off"),
    // 100.5 becomes 101; 67 and 33.5 exactly, 67.33 and 33.67 of 101.
    (TEN_PERCENT, "KWD", &[("A", 1, 670), ("B", 1, 335)], &[603, 301], "0.101 KWD off"),
    (TEN_PERCENT, "GBP", &[("A", 1, 4)], &[4], "would take off less than the smallest coin"),
    (TEN_PERCENT, "GBP", &[], &[], "add something that it is for"),
    (TEN_PERCENT, "GBP", &[("A", 3, 0)], &[0], "finds nothing left to reduce after the other promotions"),
    (
        r#"{"kind": "percentage", "on": {"families": ["mug"]}, "off_bp": 2000}"#,
        "GBP",
        &[("MUG-S", 1, 1_000), ("TEA", 1, 500), ("MUG-L", 1, 1_500)],
        &[800, 500, 1_200],
        "5.00 GBP off",
    ),
    (
        r#"{"kind": "percentage", "on": {"all": true}, "off_bp": 5000, "max_minor": {"GBP": 300}}"#,
        "GBP",
        &[("A", 1, 1_000)],
        &[700],
        "3.00 GBP off",
    ),
    (
        r#"{"kind": "percentage", "on": {"attributes": {"size": ["large", "huge"]}}, "off_bp": 10000}"#,
        "GBP",
        &[("TEA", 1, 100), ("TEA-L", 2, 150)],
        &[100, 0],
        "3.00 GBP off",
    ),
    // Amounts: shared in proportion, never above the sum.
    (FIVE_OFF, "GBP", &[("A", 1, 1_000), ("B", 1, 500)], &[667, 333], "5.00 GBP off"),
    (FIVE_OFF, "GBP", &[("A", 1, 100), ("B", 2, 100)], &[0, 0], "3.00 GBP off"),
    (FIVE_OFF, "JPY", &[("A", 1, 500), ("B", 1, 500), ("C", 1, 500)], &[466, 467, 467], "100 JPY off"),
    // 857.14 and 142.86 of 1.000.
    (FIVE_OFF, "KWD", &[("A", 1, 1_500), ("B", 1, 250)], &[643, 107], "1.000 KWD off"),
    (FIVE_OFF, "EUR", &[("A", 1, 1_000)], &[1_000], "is not for orders in EUR"),
    (
        r#"{"kind": "fixed", "on": {"categories": ["mugs"]}, "off_minor": {"GBP": 100}, "per": "piece"}"#,
        "GBP",
        &[("MUG", 3, 250), ("MUG-S", 2, 60), ("TEA", 1, 90)],
        &[450, 0, 90],
        "4.20 GBP off",
    ),
    // Tiers: the highest that is reached, and what the next one asks for.
    (TIERS_BY_PIECES, "GBP", &[("A", 2, 200)], &[400], "add 1 more piece"),
    (
        TIERS_BY_PIECES,
        "GBP",
        &[("A", 4, 200), ("B", 1, 200)],
        &[720, 180],
        "1.00 GBP off; for the next tier, add 1 more piece",
    ),
    (TIERS_BY_PIECES, "JPY", &[("A", 6, 200)], &[960], "240 JPY off"),
    (
        TIERS_BY_SUM,
        "GBP",
        &[("BOOK", 1, 4_999), ("A", 1, 900)],
        &[4_999, 900],
        "spend 0.01 GBP more on books",
    ),
    (
        TIERS_BY_SUM,
        "GBP",
        &[("BOOK", 1, 5_000)],
        &[4_500],
        "5.00 GBP off; for the next tier, spend 50.00 GBP more on books",
    ),
    (TIERS_BY_SUM, "GBP", &[("BOOK", 2, 5_000)], &[8_500], "15.00 GBP off"),
    // The first tier has no amount in JPY, so that only the second counts.
    (TIERS_BY_SUM, "JPY", &[("BOOK", 1, 8_000)], &[8_000], "spend 1000 JPY more on books"),
    (TIERS_BY_SUM, "JPY", &[("BOOK", 1, 9_000)], &[8_300], "700 JPY off"),
    (TIERS_BY_SUM, "KWD", &[("BOOK", 1, 9_000)], &[9_000], "is not for orders in KWD"),
    // Buy and get: the cheapest of all are reduced, and a piece counts once.
    (THREE_FOR_TWO, "GBP", &[("BOOK", 3, 500)], &[1_000], "5.00 GBP off"),
    (THREE_FOR_TWO, "GBP", &[("BOOK", 2, 500)], &[1_000], "add 1 more piece of books"),
    (
        THREE_FOR_TWO,
        "GBP",
        &[
            ("BOOK-A", 1, 1_000),
            ("BOOK-B", 1, 900),
            ("BOOK-C", 1, 800),
            ("BOOK-D", 1, 700),
            ("BOOK-E", 1, 600),
            ("BOOK-F", 1, 500),
        ],
        &[1_000, 900, 800, 700, 0, 0],
        "11.00 GBP off",
    ),
    (HALF_TEA_WITH_A_MUG, "GBP", &[("MUG", 1, 1_000), ("TEA", 2, 300)], &[1_000, 450], "1.50 GBP off"),
    (HALF_TEA_WITH_A_MUG, "GBP", &[("MUG", 1, 1_000)], &[1_000], "add 1 more piece of tea"),
    (HALF_TEA_WITH_A_MUG, "GBP", &[("TEA", 5, 300)], &[1_500], "add 1 more piece of mugs"),
    // 1.255 / 2 is 627.5, which becomes 628.
    (HALF_TEA_WITH_A_MUG, "KWD", &[("MUG", 2, 1_000), ("TEA", 1, 1_255)], &[2_000, 627], "0.628 KWD off"),
    (
        r#"{"kind": "buy_get", "buy": {"all": true}, "buy_pieces": 1, "get": {"categories": ["mugs"]}, "get_pieces": 1}"#,
        "GBP",
        &[("MUG", 1, 300)],
        &[300],
        "add 1 more piece",
    ),
    // Both kinds: of five mugs and one tea, three times two; the tea is bought, two mugs too, and three are free.
    (
        r#"{"kind": "buy_get", "buy": {"all": true}, "buy_pieces": 1, "get": {"categories": ["mugs"]}, "get_pieces": 1}"#,
        "GBP",
        &[("MUG", 5, 300), ("TEA", 1, 100)],
        &[600, 100],
        "9.00 GBP off",
    ),
    (
        r#"{"kind": "buy_get", "buy": {"all": true}, "buy_pieces": 1, "get": {"all": true}, "get_pieces": 1,
            "off_bp": 5000, "pick": "dearest", "times_max": 1}"#,
        "GBP",
        &[("A", 1, 400), ("B", 3, 1_000)],
        &[400, 2_500],
        "5.00 GBP off",
    ),
    // The cheapest of each group, from the dearest piece down: of 10, 9, 8 | 7, 6, 5 these are 8 and 5.
    (
        THIRD_FREE,
        "GBP",
        &[
            ("BOOK-A", 1, 1_000),
            ("BOOK-B", 1, 900),
            ("BOOK-C", 1, 800),
            ("BOOK-D", 1, 700),
            ("BOOK-E", 1, 600),
            ("BOOK-F", 1, 500),
        ],
        &[1_000, 900, 0, 700, 600, 0],
        "13.00 GBP off",
    ),
    // 3, 3, 3 | 3, 2, 2 | 2: one of each, and the last two is in no group.
    (THIRD_FREE, "JPY", &[("BOOK-A", 4, 300), ("BOOK-B", 3, 200)], &[900, 400], "500 JPY off"),
    (THIRD_FREE, "GBP", &[("BOOK-A", 1, 300), ("A", 9, 200)], &[300, 1_800], "add 2 more pieces of books"),
    (
        r#"{"kind": "cheapest_free", "on": {"all": true}, "of_pieces": 5, "free_pieces": 2, "times_max": 1}"#,
        "KWD",
        &[("A", 11, 1_005)],
        &[9_045],
        "2.010 KWD off",
    ),
    // Bundles: 14.00 for 12.00, shared 1000 : 400.
    (MUG_AND_TEA, "GBP", &[("MUG", 1, 1_000), ("TEA", 1, 400)], &[857, 343], "2.00 GBP off"),
    (
        MUG_AND_TEA,
        "GBP",
        &[("MUG", 1, 500), ("TEA", 1, 400)],
        &[500, 400],
        "saves nothing; the pieces cost no more than 12.00 GBP together",
    ),
    (MUG_AND_TEA, "GBP", &[("MUG", 3, 1_000)], &[3_000], "add 1 more piece of tea"),
    // A part that lacks pieces alone is named first; of what two lack together, either helps.
    (MUG_AND_TEA, "GBP", &[], &[], "add 1 more piece of mugs"),
    (TWO_OF_TEA_AND_MUGS, "GBP", &[("TEA", 1, 400)], &[400], "add 1 more piece of mugs"),
    (TWO_OF_TEA_AND_MUGS, "GBP", &[("MUG", 1, 400)], &[400], "add 1 more piece of mugs or mugs, tea"),
    (
        r#"{"kind": "bundle_price", "price_minor": {"GBP": 500}, "parts": [{"on": {"categories": ["mugs"]}},
            {"on": {"categories": ["tea", "mugs"]}}, {"on": {"categories": ["books"]}}]}"#,
        "GBP",
        &[("MUG", 1, 400)],
        &[400],
        "add 1 more piece of books",
    ),
    (
        r#"{"kind": "bundle_price", "price_minor": {"JPY": 500}, "parts": [{"on": {"all": true}, "pieces": 2}],
            "times_max": 2}"#,
        "JPY",
        &[("A", 7, 300)],
        &[1_900],
        "200 JPY off",
    ),
    (TWO_OF_TEA_AND_MUGS, "GBP", &[("MUG", 1, 400), ("TEA", 1, 300)], &[286, 214], "2.00 GBP off"),
    // 27.00 for 20.00: 259.26, 233.33 and 207.41; the unit left goes to the third.
    (
        THREE_BOOKS,
        "GBP",
        &[("BOOK-A", 1, 1_000), ("BOOK-B", 1, 900), ("BOOK-C", 1, 800), ("BOOK-D", 1, 700)],
        &[741, 667, 592, 700],
        "7.00 GBP off",
    ),
    (THREE_BOOKS, "JPY", &[("BOOK", 3, 400)], &[1_000], "200 JPY off"),
    (THREE_BOOKS, "KWD", &[("BOOK", 7, 1_005)], &[6_005], "1.030 KWD off"),
    // Two bundles could be made, of which the second would cost 10.00 instead of 8.00.
    (
        r#"{"kind": "bundle_price", "price_minor": {"GBP": 1000}, "parts": [{"on": {"all": true}, "pieces": 2}]}"#,
        "GBP",
        &[("A", 2, 800), ("B", 2, 400)],
        &[1_000, 800],
        "6.00 GBP off",
    ),
    // A second bundle would save nothing, and is not made.
    (
        r#"{"kind": "bundle_price", "price_minor": {"GBP": 1000}, "parts": [{"on": {"all": true}, "pieces": 2}]}"#,
        "GBP",
        &[("A", 2, 800), ("B", 2, 500)],
        &[1_000, 1_000],
        "6.00 GBP off",
    ),
    // The book fills the part of books, though it is also anything; 9.00 for 5.00, shared 600 : 300.
    (
        r#"{"kind": "bundle_price", "price_minor": {"GBP": 500},
            "parts": [{"on": {"all": true}}, {"on": {"categories": ["books"]}}]}"#,
        "GBP",
        &[("BOOK", 1, 600), ("MUG", 1, 300)],
        &[333, 167],
        "4.00 GBP off",
    ),
    // What lines do not pay for.
    (r#"{"kind": "free_shipping"}"#, "GBP", &[("A", 1, 100)], &[100], "free shipping"),
    (r#"{"kind": "free_shipping", "off_bp": 5050}"#, "GBP", &[("A", 1, 100)], &[100], "50.50 % off shipping"),
    (r#"{"kind": "gift", "sku": "TEA", "pieces": 2}"#, "GBP", &[("A", 1, 100)], &[100], "2 × TEA as a gift"),
];

#[test]
fn every_benefit_takes_off_what_was_worked_out_by_hand() {
    for (benefit, code, lines, left, sentence) in CASES {
        let text = format!(r#"{{"name": "P", "benefit": {benefit}}}"#);
        let promotions = promotions([&text[..]]).unwrap();
        let promoted = promote(&promotions, lines, &Occasion::new(0, currency(code)));
        assert_eq!(promoted.left_minor, *left, "{benefit} on {lines:?}");
        assert_eq!(sentences(&promoted), [format!("P: {sentence}")], "{benefit} on {lines:?}");
        let full: i64 = lines.iter().map(|(_, quantity, unit)| i64::from(*quantity) * unit).sum();
        assert_eq!(promoted.discount_minor, full - left.iter().sum::<i64>());
    }
}

#[test]
fn a_free_piece_is_taken_off_what_its_line_still_costs() {
    // A tenth of 9.99 off three books leaves 8.99 for them; a third of it is 2.997.
    let both =
        [r#"{"priority": 1, "benefit": {"kind": "percentage", "on": {"all": true}, "off_bp": 1000}}"#, &{
            format!(r#"{{"benefit": {THIRD_FREE}}}"#)
        }];
    let promoted =
        promote(&promotions(both).unwrap(), &[("BOOK", 3, 333)], &Occasion::new(0, currency("GBP")));
    assert_eq!(sentences(&promoted), ["p0: 1.00 GBP off", "p1: 3.00 GBP off"]);
    assert_eq!(promoted.left_minor, [599]);
    assert_eq!(
        promoted.off_line(0).map(|(id, minor)| (id.as_str(), minor)).collect::<Vec<_>>(),
        [("p0", 100), ("p1", 300)]
    );
}

#[test]
fn shipping_is_reduced_one_after_the_other_and_never_below_zero() {
    let promotions = promotions([
        r#"{"benefit": {"kind": "free_shipping", "methods": ["express"], "off_bp": 5000, "max_minor": {"GBP": 200}}}"#,
        r#"{"benefit": {"kind": "free_shipping", "off_bp": 3333}}"#,
        r#"{"benefit": {"kind": "free_shipping", "methods": ["drone"]}}"#,
    ])
    .unwrap();
    let promoted = promote(&promotions, &[("A", 1, 100)], &Occasion::new(0, currency("GBP")));
    let off = |method: &str, charge| -> Vec<_> {
        let method = method.parse().unwrap();
        promoted
            .off_shipping(&method, charge)
            .into_iter()
            .map(|(id, minor)| (id.to_string(), minor))
            .collect()
    };
    let named =
        |offs: &[(&str, i64)]| -> Vec<_> { offs.iter().map(|(id, m)| ((*id).to_owned(), *m)).collect() };
    // 300, half of it; then 33.33 % of 150 is 49.995.
    assert_eq!(off("express", 300), named(&[("p0", 150), ("p1", 50)]));
    // 500, half of it but 200 at most; then 33.33 % of 300 is 99.99.
    assert_eq!(off("express", 500), named(&[("p0", 200), ("p1", 100)]));
    assert_eq!(off("standard", 300), named(&[("p1", 100)]));
    assert_eq!(off("drone", 300), named(&[("p1", 100), ("p2", 200)]));
    assert_eq!(off("drone", 0), []);
}

#[test]
fn gifts_are_listed_unless_they_are_out_of_stock_and_no_promotion_reaches_them() {
    let promotions = promotions([
        r#"{"benefit": {"kind": "gift", "sku": "TEA"}}"#,
        r#"{"benefit": {"kind": "percentage", "on": {"all": true}, "off_bp": 1000}, "conditions": {"needs": [{"min_pieces": 3}]}}"#,
    ])
    .unwrap();
    let occasion = Occasion::new(0, currency("GBP"));
    let promoted = promote(&promotions, &[("MUG", 2, 500)], &occasion);
    let gift = &promoted.gifts[0];
    assert_eq!((gift.promotion.as_str(), gift.sku.as_str(), gift.pieces), ("p0", "TEA", 1));

    let (mug, tea) = (product("MUG"), product("TEA"));
    let gift = PromotedLine { is_gift: true, ..PromotedLine::new(&tea, 1, 400) };
    let with_gift = promotions.apply(&[gift, PromotedLine::new(&mug, 2, 500)], &occasion);
    assert_eq!(sentences(&with_gift), ["p1: add 1 more piece", "p0: 1 × TEA as a gift"]);
    assert_eq!(with_gift.left_minor, [400, 1_000]);

    let nothing = promote(&promotions, &[], &occasion);
    assert_eq!((sentences(&nothing)[1].as_str(), nothing.gifts), ("p0: add 1 more piece", vec![]));

    let gone = ["p0".parse().unwrap()];
    let declined = Occasion { gifts_declined: &gone, gifts_out_of_stock: &gone, ..occasion };
    let promoted = promote(&promotions, &[("MUG", 2, 500)], &declined);
    assert_eq!(promoted.outcomes[1].to_string(), "p0: gives TEA away, which you declined");
    assert_eq!(promoted.gifts, []);
    let occasion = Occasion { gifts_out_of_stock: &gone, ..occasion };
    let promoted = promote(&promotions, &[("MUG", 2, 500)], &occasion);
    assert_eq!(promoted.gifts, []);
    assert_eq!(promoted.outcomes[1].to_string(), "p0: gives TEA away, which is out of stock");
}
