//! Lines: quantities, prices, properties, batches and notes.

use super::*;

#[test]
fn a_quantity_set_opens_the_line_that_is_not_there() {
    let mut set_case = Case::new();
    let mut add_case = Case::new();
    assert_eq!(set_case.grant(set("MUG", 3)), add_case.grant(add("MUG", 3)));
    assert_eq!((set_case.mugs(), set_case.cart.version), ((3, 3), 2));
    assert_eq!(set_case.cart, add_case.cart);
}

#[test]
fn a_second_add_joins_the_line_and_renews_its_name_price_and_policy() {
    let mut case = Case::with_mugs();
    let price = Money::new(1_100, currency("GBP"));
    case.product =
        Some(Product { name: "Big mug".into(), price, stock_policy: StockPolicy::TakeAtOrder, ..mug() });
    case.grant(add("MUG", 1));
    let line = &case.cart.lines[0];
    assert_eq!(case.cart.lines.len(), 1);
    assert_eq!(
        (line.name.as_str(), line.unit_price_minor, line.policy),
        ("Big mug", 1_100, StockPolicy::TakeAtOrder)
    );
    // The two mugs that were held stay held; the third one is taken when the order is placed.
    assert_eq!((line.quantity, line.held), (3, 2));
}

#[test]
fn the_price_of_a_tier_goes_with_the_quantity() {
    let mut case = Case::new();
    let tier = SpecialPrice {
        minor: 1_000,
        currency: currency("GBP"),
        group: None,
        min_quantity: 3,
        from_ms: None,
        until_ms: None,
    };
    case.product = Some(Product { prices: vec![tier], ..mug() });
    for (command, unit_minor) in
        [(add("MUG", 2), 1_250), (add("MUG", 1), 1_000), (set("MUG", 2), 1_250), (set("MUG", 5), 1_000)]
    {
        case.grant(command);
        assert_eq!(case.cart.lines[0].unit_price_minor, unit_minor);
    }
}

#[test]
fn a_changed_price_waits_to_be_accepted_where_the_shop_tells() {
    let mut case = Case::checked_out(Workflow::express());
    case.terms.prices = PricePolicy::Tell;
    case.product.as_mut().unwrap().price = Money::new(1_400, currency("GBP"));
    assert_eq!((case.quote().lines[0].was_minor, case.due_minor()), (Some(1_250), 2_800));
    let refused = case.refuse(pay(2_800));
    assert_eq!(refused.to_string(), "the price of MUG has changed; accept the new prices, then order");
    case.grant(Command::AcceptPrices);
    assert_eq!((case.quote().lines[0].was_minor, case.due_minor()), (None, 2_800));
    assert_eq!(case.grant(Command::AcceptPrices), []);
    case.grant(pay(2_800));
}

#[test]
fn purchase_limits_hold_over_all_lines_of_a_product() {
    let limits = crate::QuantityLimits { min: 2, max: Some(5), ..crate::QuantityLimits::default() };
    let mut case = Case::new();
    case.product = Some(Product { limits, ..mug() });
    let said = |case: &Case, command| case.refuse(command).to_string();
    assert_eq!(said(&case, add("MUG", 1)), "MUG: at least 2 pieces are sold at once, not 1");
    case.grant(add("MUG", 2));
    assert_eq!(said(&case, add_engraved(4, "Ada")), "MUG: an order may hold 5 pieces, not 6");
    case.grant(add_engraved(3, "Ada"));
    assert_eq!(said(&case, set("MUG", 3)), "MUG: an order may hold 5 pieces, not 6");
    assert_eq!(said(&case, set("MUG", 1)), "MUG: at least 2 pieces are sold at once, not 1");
    case.product.as_mut().unwrap().limits.max = Some(3);
    let ada = LineId::new(sku("MUG"), &engraved("Ada"));
    case.grant(Command::SetQuantity { line: ada, quantity: 2 });
}

#[test]
fn a_line_has_no_more_pieces_than_the_product_allows() {
    let limits = crate::QuantityLimits { max_per_line: Some(3), ..crate::QuantityLimits::default() };
    let mut case = Case::new();
    case.product = Some(Product { limits, ..mug() });
    let said = |case: &Case, command| case.refuse(command).to_string();
    assert_eq!(said(&case, add("MUG", 4)), "MUG: at most 3 pieces are sold at once, not 4");
    case.grant(add("MUG", 3));
    assert_eq!(said(&case, add("MUG", 1)), "MUG: at most 3 pieces are sold at once, not 4");
    // Another engraving is another line.
    case.grant(add_engraved(2, "Ada"));
    // Whoever has more from an earlier day may take some back, and is not asked to take all of them.
    case.product.as_mut().unwrap().limits.max_per_line = Some(1);
    case.grant(set("MUG", 2));
}

#[test]
fn what_is_sold_in_other_numbers_today_is_refused_at_the_order() {
    let mut case = Case::new();
    case.grant(add("MUG", 3));
    case.grant(Command::StartCheckout);
    for step in Step::ALL.into_iter().filter(|step| *step != Step::Contact) {
        case.grant(super::step(details(step)));
    }
    let limits = crate::QuantityLimits::default();
    for (limits, said) in [
        (crate::QuantityLimits { min: 4, ..limits }, "MUG: at least 4 pieces are sold at once, not 3"),
        (
            crate::QuantityLimits { step: 2, ..limits },
            "MUG: pieces are sold in multiples of 2: 2 or 4, not 3",
        ),
        (
            crate::QuantityLimits { max_per_line: Some(2), ..limits },
            "MUG: at most 2 pieces are sold at once, not 3",
        ),
        (crate::QuantityLimits { max: Some(2), ..limits }, "MUG: an order may hold 2 pieces, not 3"),
    ] {
        case.product.as_mut().unwrap().limits = limits;
        assert_eq!(case.refuse(pay(3_750)).to_string(), said);
    }
    case.product.as_mut().unwrap().limits = limits;
    case.grant(pay(3_750));
}

#[test]
fn properties_keep_lines_apart_and_equal_ones_meet() {
    let mut case = Case::with_mugs();
    case.grant(add_engraved(1, "Ada"));
    case.grant(add_engraved(1, "Eve"));
    case.grant(add_engraved(1, "Ada"));
    let lines: Vec<_> = case.cart.lines.iter().map(|l| (l.properties.clone(), l.quantity, l.held)).collect();
    assert_eq!(lines, [(Properties::default(), 2, 2), (engraved("Ada"), 2, 2), (engraved("Eve"), 1, 1)]);
    assert_eq!(case.cart.pieces_of(&sku("MUG")), 5);
    // All five mugs are held: the lines of one product share its stock.
    assert_eq!(case.refuse(add("MUG", 1)).name(), "out_of_stock");

    let ada = LineId::new(sku("MUG"), &engraved("Ada"));
    case.grant(Command::SetQuantity { line: ada.clone(), quantity: 1 });
    case.grant(Command::RemoveLine { line: id("MUG") });
    assert_eq!(case.cart.lines.len(), 2);
    case.grant(Command::RemoveLine { line: ada.clone() });
    let gone = case.refuse(Command::SetQuantity { line: ada, quantity: 1 });
    assert_eq!(gone.name(), "line_not_found", "a name alone does not say what to engrave");
}

/// Is a case of the rules of a product's properties: what is added one after the other, and the lines or the refusal that come of it.
type Told<'t> = &'t [(&'t str, &'t str)];

fn told(texts: Told<'_>) -> Properties {
    Properties::parse(texts.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect()).unwrap()
}

#[test]
fn a_product_says_which_properties_it_takes_and_which_keep_lines_apart() {
    let mut engraving = rule("engraving", true);
    engraving.max_chars = Some(4);
    let note = rule("gift_note", false);
    let needed = PropertyRule { required: true, label: "Initials".into(), ..rule("initials", false) };
    type Row<'t> = (&'t [PropertyRule], &'t [Told<'t>], Result<&'t [(Told<'t>, u32)], &'t str>);
    let rows: [Row<'_>; 11] = [
        // Without rules whatever is said keeps lines apart.
        (
            &[],
            &[&[("gift_note", "a")], &[("gift_note", "b")]],
            Ok(&[(&[("gift_note", "a")], 1), (&[("gift_note", "b")], 1)]),
        ),
        (
            &[engraving.clone()],
            &[&[("engraving", "Ada")], &[("engraving", "Eve")], &[], &[("engraving", "Ada")]],
            Ok(&[(&[("engraving", "Ada")], 2), (&[("engraving", "Eve")], 1), (&[], 1)]),
        ),
        // What does not keep lines apart: the newer text holds for the line, and what is not said again stays.
        (
            std::slice::from_ref(&note),
            &[&[], &[("gift_note", "a")], &[("gift_note", "b")], &[]],
            Ok(&[(&[("gift_note", "b")], 4)]),
        ),
        (
            &[engraving.clone(), note.clone()],
            &[
                &[("engraving", "Ada"), ("gift_note", "a")],
                &[("engraving", "Eve"), ("gift_note", "b")],
                &[("engraving", "Ada"), ("gift_note", "c")],
            ],
            Ok(&[
                (&[("engraving", "Ada"), ("gift_note", "c")], 2),
                (&[("engraving", "Eve"), ("gift_note", "b")], 1),
            ]),
        ),
        (
            &[engraving.clone(), note.clone()],
            &[&[("colour", "red")]],
            Err("MUG: it takes no property \"colour\"; leave it out, it takes engraving, gift_note"),
        ),
        (&[engraving.clone()], &[&[("engraving", "Ädaä")]], Ok(&[(&[("engraving", "Ädaä")], 1)])),
        (
            &[engraving.clone()],
            &[&[("engraving", "Ada B")]],
            Err("MUG: engraving has 5 characters, the most allowed is 4; shorten the property \"engraving\""),
        ),
        (
            std::slice::from_ref(&needed),
            &[&[]],
            Err("MUG: Initials is needed; give it as the property \"initials\""),
        ),
        (
            std::slice::from_ref(&needed),
            &[&[("initials", " ")]],
            Err("MUG: Initials is needed; give it as the property \"initials\""),
        ),
        // A line that says it already takes further pieces.
        (std::slice::from_ref(&needed), &[&[("initials", "A")], &[]], Ok(&[(&[("initials", "A")], 2)])),
        (
            &[PropertyRule { splits: true, ..needed.clone() }],
            &[&[("initials", "A")], &[]],
            Err("MUG: Initials is needed; give it as the property \"initials\""),
        ),
    ];
    for (rules, adds, wanted) in rows {
        let mut case = Case::new();
        case.product = Some(Product { properties: rules.to_vec(), ..mug() });
        let (last, before) = adds.split_last().unwrap();
        let add =
            |texts: Told<'_>| Command::AddLine { sku: sku("MUG"), quantity: 1, properties: told(texts) };
        before.iter().for_each(|texts| drop(case.grant(add(texts))));
        match wanted {
            Err(words) => {
                let refused = case.refuse(add(last));
                assert_eq!((refused.name(), refused.to_string().as_str()), ("property_refused", words));
            }
            Ok(lines) => {
                case.grant(add(last));
                let had = case.cart.lines.iter().map(|line| (line.properties.texts().clone(), line.quantity));
                let wanted = lines.iter().map(|(texts, pieces)| (told(texts).texts().clone(), *pieces));
                assert_eq!(had.collect::<Vec<_>>(), wanted.collect::<Vec<_>>(), "{rules:?}");
            }
        }
    }
}

#[test]
fn a_line_goes_by_the_rules_of_the_day() {
    let add = |text: &str| {
        let properties = told(&[("gift_note", text)]);
        Command::AddLine { sku: sku("MUG"), quantity: 1, properties }
    };
    let mut case = Case::new();
    case.grant(add("a"));
    case.grant(add("b"));
    case.product = Some(Product { properties: vec![rule("gift_note", false)], ..mug() });
    // What was kept apart stays so; what comes now does not meet it.
    case.grant(add("c"));
    assert_eq!(case.cart.lines.len(), 3);
    let plain = case.cart.line(&id("MUG")).unwrap();
    assert_eq!(plain.properties.texts(), told(&[("gift_note", "c")]).texts());
    // A line that comes back from what waits comes by today's rules, with its text.
    let a = case.cart.lines[0].id();
    case.grant(Command::SaveLine { line: a.clone() });
    case.grant(Command::RestoreLine { line: a });
    let plain = case.cart.line(&id("MUG")).unwrap();
    assert_eq!((plain.quantity, plain.properties.texts()), (2, told(&[("gift_note", "a")]).texts()));
    // What it takes no longer is forgotten with the next piece.
    case.product = Some(Product { properties: vec![rule("engraving", true)], ..mug() });
    case.grant(super::add("MUG", 1));
    assert!(case.cart.line(&id("MUG")).unwrap().properties.is_empty());
}

#[test]
fn rules_of_properties_that_make_no_sense_are_named() {
    let checked = |json: &str| {
        let properties = serde_json::from_str(json).unwrap();
        Product { properties, ..mug() }.check_properties().map_err(|e| e.to_string())
    };
    assert_eq!(checked(r#"[{"name": "engraving", "max_chars": 500}, {"name": "gift_note"}]"#), Ok(()));
    for (json, place) in [
        (r#"[{"name": ""}]"#, "properties[0].name is \"\"; write 1 to 40 bytes"),
        (r#"[{"name": "a"}, {"name": "a"}]"#, "properties[1].name is that of properties[0]"),
        (r#"[{"name": "a", "max_chars": 0}]"#, "properties[0].max_chars is 0; write 1 to 500"),
        (r#"[{"name": "a", "max_chars": 501}]"#, "properties[0].max_chars is 501"),
        (r#"[{"name": "a", "label": "\n"}]"#, "properties[0].label is"),
    ] {
        let said = checked(json).unwrap_err();
        assert!(said.starts_with(place), "{said}");
    }
    let many: Vec<String> = (0..21).map(|n| format!(r#"{{"name": "p{n}"}}"#)).collect();
    let said = checked(&format!("[{}]", many.join(","))).unwrap_err();
    assert!(said.starts_with("properties holds 21 properties, the most allowed is 20"), "{said}");
}

#[test]
fn a_line_is_laid_aside_and_taken_back_at_the_price_of_the_day() {
    let mut case = Case::with_mugs();
    case.grant(Command::SaveLine { line: id("MUG") });
    assert_eq!((case.cart.lines.len(), case.cart.saved[0].quantity), (0, 2));
    assert_eq!(case.stock.available(&sku("MUG")), 5, "what waits for later holds nothing");
    case.product.as_mut().unwrap().price = Money::new(1_400, currency("GBP"));
    case.grant(Command::RestoreLine { line: id("MUG") });
    assert_eq!((case.cart.lines[0].unit_price_minor, case.mugs(), case.cart.saved.len()), (1_400, (2, 2), 0));
    assert_eq!(case.refuse(Command::RestoreLine { line: id("MUG") }).name(), "line_not_found");
    assert_eq!(case.refuse(Command::DropSavedLine { line: id("MUG") }).name(), "line_not_found");

    // What cannot be had now goes on waiting.
    case.grant(Command::SaveLine { line: id("MUG") });
    case.stock = StockLevels::default();
    assert_eq!(case.refuse(Command::RestoreLine { line: id("MUG") }).name(), "out_of_stock");
    case.grant(Command::DropSavedLine { line: id("MUG") });
    assert_eq!(case.cart.saved, []);
}

#[test]
fn a_batch_is_done_whole_or_not_at_all() {
    let mut case = Case::new();
    let all = case.grant(Command::Batch(vec![
        add("MUG", 2),
        add_engraved(1, "Ada"),
        set("MUG", 3),
        Command::StartCheckout,
    ]));
    assert_eq!(
        all.iter().map(CartEvent::name).collect::<Vec<_>>(),
        ["line_added", "line_added", "quantity_set", "checkout_started"]
    );
    assert_eq!((case.mugs(), case.cart.version), ((3, 3), 5));

    // The second command sees the pieces that the first took.
    let refused = case.refuse(Command::Batch(vec![add("MUG", 1), add("MUG", 1)]));
    let reason = Rejection::OutOfStock { sku: sku("MUG"), available: 0, wanted: 1 };
    assert_eq!((refused.name(), refused.reason()), ("out_of_stock", &reason));
    assert_eq!(
        refused.to_string(),
        "command 1 of the batch: MUG has 0 left, 1 more are wanted; nothing of the batch was done"
    );
    assert_eq!(case.grant(Command::Batch(vec![])), []);
}

#[test]
fn a_note_is_kept_and_goes_with_the_order() {
    let mut case = Case::checked_out(Workflow::classic());
    let note = |text: &str| Command::SetNote { text: text.into() };
    case.grant(note("Ring twice"));
    assert_eq!(case.grant(note("Ring twice")), []);
    let events = case.grant(pay(case.due_minor()));
    assert!(matches!(&events[0], CartEvent::OrderPlaced(order) if order.note == "Ring twice"));
}

#[test]
fn the_properties_of_a_cart_are_bounded_altogether() {
    let engraved = |n: usize| {
        let texts =
            (0..20).map(|text| (format!("{text:02}"), "x".repeat(496))).chain([("n".into(), n.to_string())]);
        Properties::parse(texts.skip(1).collect()).unwrap()
    };
    let add = |n| Command::AddLine { sku: sku("MUG"), quantity: 1, properties: engraved(n) };
    let mut case = Case::new();
    case.stock = StockLevels::from_iter([(sku("MUG"), StockLevel::of_supply(100))]);
    // Six of these lines have 9,464 bytes each; the seventh is too much.
    for n in 0..6 {
        case.grant(add(n));
    }
    assert_eq!(case.refuse(add(6)).name(), "cart_full");
    // More of a line that is there brings no text; nor does one that comes back from the saved ones.
    case.grant(add(5));
    let saved = LineId::new(sku("MUG"), &engraved(5));
    case.grant(Command::SaveLine { line: saved.clone() });
    assert_eq!(case.refuse(add(6)).name(), "cart_full");
    case.grant(Command::RestoreLine { line: saved });
    case.grant(Command::RemoveLine { line: LineId::new(sku("MUG"), &engraved(0)) });
    case.grant(add(6));
}
