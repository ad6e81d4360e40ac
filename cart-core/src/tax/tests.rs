//! Golden cases, worked out by hand; what is not obvious has its arithmetic beside it.

use serde_json::{Value, json};

use super::*;

const UK: &str = r#"{"name":"United Kingdom","places":[{"countries":["GB"]}],"rates":{
    "standard":[{"name":"VAT 20 %","rate_ppm":200000}],
    "energy":[{"name":"VAT 5 %","rate_ppm":50000}],
    "books":[{"name":"VAT 0 %","rate_ppm":0}],
    "insurance":[]},
    "exempt_groups":["charity"]}"#;
const DE: &str = r#"{"name":"Germany","places":[{"countries":["DE"]}],"rates":{
    "standard":[{"name":"USt 19 %","rate_ppm":190000}],
    "books":[{"name":"USt 7 %","rate_ppm":70000}]}}"#;
const NY: &str = r#"{"name":"New York City","places":[{"countries":["US"],"regions":["NY"]}],"rates":{
    "standard":[{"name":"State","rate_ppm":40000},{"name":"City","rate_ppm":45000},{"name":"MCTD","rate_ppm":3750}],
    "shipping":[]}}"#;
const JP: &str = r#"{"name":"Japan","places":[{"countries":["JP"]}],"rates":{
    "standard":[{"name":"10 %","rate_ppm":100000}],
    "food":[{"name":"8 %","rate_ppm":80000}]}}"#;
const KW: &str = r#"{"name":"Kuwait","places":[{"countries":["KW"]}],"rates":{}}"#;
const BH: &str = r#"{"name":"Bahrain","places":[{"countries":["BH"]}],"rates":{
    "standard":[{"name":"VAT 10 %","rate_ppm":100000}]}}"#;
/// Quebec until 2012: the provincial tax was charged on the federal one, 14.975 % together.
const QC: &str = r#"{"name":"Quebec","places":[{"countries":["CA"],"regions":["QC"]}],"rates":{
    "standard":[{"name":"GST","rate_ppm":50000},{"name":"QST","rate_ppm":95000,"compound":true}]}}"#;
const TOWERS: &str = r#"{"name":"Towers","places":[{}],"rates":{"standard":[{"name":"A","rate_ppm":100000},
    {"name":"B","rate_ppm":100000,"compound":true},{"name":"C","rate_ppm":100000,"compound":true}]}}"#;

fn zone(json: &str) -> Value {
    serde_json::from_str(json).unwrap()
}

fn taxes(definition: Value) -> Taxes {
    serde_json::from_value(definition).unwrap()
}

/// Returns a shop with one zone, at home in it where it names a country.
fn shop(zone_json: &str, includes_tax: bool, per: &str, mode: &str) -> Taxes {
    let zone = zone(zone_json);
    let home = zone["places"][0]["countries"][0]
        .as_str()
        .map(|country| json!({"country": country, "region": zone["places"][0]["regions"][0]}));
    taxes(json!({
        "prices_include_tax": includes_tax, "rounding": {"per": per, "mode": mode}, "home": home, "zones": [zone],
    }))
}

fn assess(
    taxes: &Taxes,
    lines: &[(&str, i64)],
    shipping: (Option<&str>, i64),
    to: Option<&str>,
) -> Assessment {
    assess_for(taxes, lines, shipping, to, None)
}

fn assess_for(
    taxes: &Taxes,
    lines: &[(&str, i64)],
    shipping: (Option<&str>, i64),
    to: Option<&str>,
    group: Option<&str>,
) -> Assessment {
    let categories: Vec<_> = lines.iter().map(|(c, _)| TaxCategory::parse(c).unwrap()).collect();
    let lines: Vec<_> = std::iter::zip(&categories, lines)
        .map(|(category, (_, amount_minor))| TaxableLine { category, amount_minor: *amount_minor })
        .collect();
    let shipping_category = shipping.0.map(|c| TaxCategory::parse(c).unwrap());
    let destination = to.map(|to| Destination::country(to.parse().unwrap()));
    let group = group.map(|g| GroupId::parse(g).unwrap());
    let assessment = taxes.assess(&TaxQuestion {
        lines: &lines,
        shipping_minor: shipping.1,
        shipping_category: shipping_category.as_ref(),
        destination: destination.as_ref(),
        group: group.as_ref(),
    });
    let json = serde_json::to_string(&assessment).unwrap();
    assert_eq!(serde_json::from_str::<Assessment>(&json).unwrap(), assessment);
    assessment
}

/// Tells amounts as `net+tax`: lines; shipping; each rate with its components; total.
fn told(assessment: &Assessment) -> String {
    let amount = |t: &Taxed| {
        assert_eq!(t.net_minor + t.tax_minor, t.gross_minor);
        format!("{}+{}", t.net_minor, t.tax_minor)
    };
    let lines: Vec<_> = assessment.lines.iter().map(amount).collect();
    let rates: Vec<_> = assessment
        .rates
        .iter()
        .map(|rate| {
            let parts: Vec<_> =
                rate.components.iter().map(|c| format!("{} {}", c.name, c.tax_minor)).collect();
            format!("{} ({})", amount(&rate.taxed), parts.join(", "))
        })
        .collect();
    let (shipping, total) = (amount(&assessment.shipping), amount(&assessment.total));
    format!("{}; {shipping}; {}; {total}", lines.join(" "), rates.join(", "))
}

const STANDARD: Option<&str> = Some("standard");

#[test]
fn the_united_kingdom_at_20_5_and_0_percent() {
    let basket = [("standard", 999), ("standard", 999), ("books", 500), ("energy", 1_050)];
    let sold =
        |includes, per, mode| told(&assess(&shop(UK, includes, per, mode), &basket, (STANDARD, 495), None));
    // Of a gross of 999, a sixth is tax: 166.5; of 495 it is 82.5; of 1050 at 5 %, 1050/21 = 50.
    assert_eq!(
        sold(true, "line", "half_up"),
        "832+167 832+167 500+0 1000+50; 412+83; 500+0 (VAT 0 % 0), 1000+50 (VAT 5 % 50), 2076+417 (VAT 20 % 417); 3576+467"
    );
    assert_eq!(
        sold(true, "line", "half_even"),
        "833+166 833+166 500+0 1000+50; 413+82; 500+0 (VAT 0 % 0), 1000+50 (VAT 5 % 50), 2079+414 (VAT 20 % 414); 3579+464"
    );
    // (999 + 999 + 495)/6 = 415.5, so 416 either way: 166, 166 and 82, and the two left over go to the first lines.
    for mode in ["half_up", "half_even"] {
        assert_eq!(
            sold(true, "order", mode),
            "832+167 832+167 500+0 1000+50; 413+82; 500+0 (VAT 0 % 0), 1000+50 (VAT 5 % 50), 2077+416 (VAT 20 % 416); 3577+466"
        );
    }
    // Net prices: 199.8 each, 52.5 of energy, 99 of shipping; per order 2 · 999 + 495 = 2493, of which 498.6.
    assert_eq!(
        sold(false, "line", "half_up"),
        "999+200 999+200 500+0 1050+53; 495+99; 500+0 (VAT 0 % 0), 1050+53 (VAT 5 % 53), 2493+499 (VAT 20 % 499); 4043+552"
    );
    assert_eq!(
        sold(false, "order", "half_even"),
        "999+200 999+200 500+0 1050+52; 495+99; 500+0 (VAT 0 % 0), 1050+52 (VAT 5 % 52), 2493+499 (VAT 20 % 499); 4043+551"
    );
}

#[test]
fn germany_at_19_and_7_percent_with_shipping_taxed_as_the_goods() {
    let basket = [("standard", 1_190), ("standard", 999), ("books", 1_070), ("books", 495)];
    let sold = |per| told(&assess(&shop(DE, true, per, "half_up"), &basket, (None, 490), None));
    // Shipping: 490 · 2189/3754 = 285.73 and 490 · 1565/3754 = 204.27, so 286 at 19 % and 204 at 7 %.
    // Per line: 190; 999 · 19/119 = 159.50…; 70; 495 · 7/107 = 32.38; 286 · 19/119 = 45.66; 204 · 7/107 = 13.35.
    assert_eq!(
        sold("line"),
        "1000+190 839+160 1000+70 463+32; 431+59; 1654+115 (USt 7 % 115), 2079+396 (USt 19 % 396); 3733+511"
    );
    // Per order: 2475 · 19/119 = 395.17, where the unit left over goes to the shipping's .66;
    // 1769 · 7/107 = 115.73, where it goes to the second book's .38.
    assert_eq!(
        sold("order"),
        "1000+190 840+159 1000+70 462+33; 431+59; 1653+116 (USt 7 % 116), 2080+395 (USt 19 % 395); 3733+511"
    );
}

#[test]
fn new_york_adds_state_city_and_district() {
    let basket = [("standard", 1_000); 3];
    let sold = |per| told(&assess(&shop(NY, false, per, "half_up"), &basket, (Some("shipping"), 500), None));
    // 8.875 % of 1000 is 88.75. Of 267: 120.34, 135.38 and 11.28; the unit left over goes to the city.
    assert_eq!(
        sold("line"),
        "1000+89 1000+89 1000+89; 500+0; 500+0 (), 3000+267 (State 120, City 136, MCTD 11); 3500+267"
    );
    // 8.875 % of 3000 is 266.25. Of 266: 119.89, 134.87 and 11.24.
    assert_eq!(
        sold("order"),
        "1000+89 1000+89 1000+88; 500+0; 500+0 (), 3000+266 (State 120, City 135, MCTD 11); 3500+266"
    );
}

#[test]
fn japan_at_10_and_8_percent_without_decimals() {
    let basket = [("standard", 105), ("standard", 105), ("standard", 105), ("food", 123)];
    let sold =
        |includes, per, mode| told(&assess(&shop(JP, includes, per, mode), &basket, (STANDARD, 500), None));
    assert_eq!(
        sold(false, "line", "half_up"),
        "105+11 105+11 105+11 123+10; 500+50; 123+10 (8 % 10), 815+83 (10 % 83); 938+93"
    );
    assert_eq!(
        sold(false, "line", "half_even"),
        "105+10 105+10 105+10 123+10; 500+50; 123+10 (8 % 10), 815+80 (10 % 80); 938+90"
    );
    // 10 % of 815 is 81.5; both modes make it 82. One rounding for each rate is what a qualified invoice may have
    // (National Tax Agency, "Guide to the invoice system").
    for mode in ["half_up", "half_even"] {
        assert_eq!(
            sold(false, "order", mode),
            "105+11 105+11 105+10 123+10; 500+50; 123+10 (8 % 10), 815+82 (10 % 82); 938+92"
        );
    }
    // 105/11 = 9.55, 123 · 8/108 = 9.11, 500/11 = 45.45; 815/11 = 74.09 hands out 9, 9, 9, 45 and two to the .55s.
    assert_eq!(
        sold(true, "line", "half_up"),
        "95+10 95+10 95+10 114+9; 455+45; 114+9 (8 % 9), 740+75 (10 % 75); 854+84"
    );
    assert_eq!(
        sold(true, "order", "half_up"),
        "95+10 95+10 96+9 114+9; 455+45; 114+9 (8 % 9), 741+74 (10 % 74); 855+83"
    );
}

#[test]
fn three_decimals_without_tax_in_kuwait_and_at_10_percent_in_bahrain() {
    for includes in [false, true] {
        let assessment =
            assess(&shop(KW, includes, "line", "half_up"), &[("standard", 1_005)], (None, 250), None);
        assert_eq!(told(&assessment), "1005+0; 250+0; 1255+0 (); 1255+0");
        assert_eq!(assessment.zone.as_deref(), Some("Kuwait"));
    }
    let sold = |includes, per, mode| {
        told(&assess(
            &shop(BH, includes, per, mode),
            &[("standard", 1_005), ("standard", 1_005)],
            (None, 0),
            None,
        ))
    };
    assert_eq!(sold(false, "line", "half_up"), "1005+101 1005+101; 0+0; 2010+202 (VAT 10 % 202); 2010+202");
    assert_eq!(sold(false, "line", "half_even"), "1005+100 1005+100; 0+0; 2010+200 (VAT 10 % 200); 2010+200");
    assert_eq!(sold(false, "order", "half_up"), "1005+101 1005+100; 0+0; 2010+201 (VAT 10 % 201); 2010+201");
    // 1005/11 = 91.36, 2010/11 = 182.73.
    assert_eq!(sold(true, "line", "half_up"), "914+91 914+91; 0+0; 1828+182 (VAT 10 % 182); 1828+182");
    assert_eq!(sold(true, "order", "half_up"), "913+92 914+91; 0+0; 1827+183 (VAT 10 % 183); 1827+183");
}

#[test]
fn compound_components_are_charged_on_the_tax_before_them() {
    let sold = |zone, includes, per, lines: &[(&str, i64)]| {
        told(&assess(&shop(zone, includes, per, "half_up"), lines, (None, 0), Some("CA")))
    };
    let quebec = QC.replace(r#","regions":["QC"]"#, "");
    // Of 100.00: 5.00 federal, 9.5 % of 105.00 = 9.975 provincial.
    assert_eq!(
        sold(&quebec, false, "line", &[("standard", 10_000)]),
        "10000+1498; 0+0; 10000+1498 (GST 500, QST 998); 10000+1498"
    );
    assert_eq!(
        sold(&quebec, false, "line", &[("standard", 10_000); 2]),
        "10000+1498 10000+1498; 0+0; 20000+2996 (GST 1000, QST 1996); 20000+2996"
    );
    assert_eq!(
        sold(&quebec, false, "order", &[("standard", 10_000); 2]),
        "10000+1498 10000+1497; 0+0; 20000+2995 (GST 1000, QST 1995); 20000+2995"
    );
    // 11498 · 0.14975/1.14975 = 1497.57.
    assert_eq!(
        sold(&quebec, true, "order", &[("standard", 11_498)]),
        "10000+1498; 0+0; 10000+1498 (GST 500, QST 998); 10000+1498"
    );
    // 1000 · 1.1³ = 1331.
    assert_eq!(
        sold(TOWERS, false, "line", &[("standard", 1_000)]),
        "1000+331; 0+0; 1000+331 (A 100, B 110, C 121); 1000+331"
    );
    assert_eq!(
        sold(TOWERS, true, "order", &[("standard", 1_331)]),
        "1000+331; 0+0; 1000+331 (A 100, B 110, C 121); 1000+331"
    );
}

/// A British shop with prices that include tax, which also collects German tax.
fn exporter(inclusive_prices: &str, includes_tax: bool, german: Option<bool>) -> Taxes {
    let mut germany = zone(DE);
    germany["prices_include_tax"] = json!(german);
    taxes(json!({
        "prices_include_tax": includes_tax, "inclusive_prices": inclusive_prices,
        "home": {"country": "GB"}, "zones": [zone(UK), germany],
    }))
}

#[test]
fn inclusive_prices_keep_their_gross_or_their_net_abroad() {
    let sold = |taxes: &Taxes, to| {
        let assessment = assess(taxes, &[("standard", 1_200), ("books", 500)], (STANDARD, 0), to);
        let lines: Vec<_> =
            assessment.lines.iter().map(|l| format!("{}+{}", l.net_minor, l.tax_minor)).collect();
        (lines.join(" "), assessment.zone)
    };
    for (taxes, to, lines, zone) in [
        // 1200 · 19/119 = 191.60; 500 · 7/107 = 32.71.
        (exporter("keep_gross", true, None), Some("DE"), "1008+192 467+33", Some("Germany")),
        (exporter("keep_gross", true, None), Some("GB"), "1000+200 500+0", Some("United Kingdom")),
        (exporter("keep_gross", true, None), Some("FR"), "1200+0 500+0", None),
        (exporter("keep_gross", true, Some(false)), Some("DE"), "1200+228 500+35", Some("Germany")),
        (exporter("keep_net", true, None), Some("DE"), "1000+190 500+35", Some("Germany")),
        (exporter("keep_net", true, None), Some("GB"), "1000+200 500+0", Some("United Kingdom")),
        (exporter("keep_net", true, None), None, "1000+200 500+0", Some("United Kingdom")),
        (exporter("keep_net", true, None), Some("FR"), "1000+0 500+0", None),
        (exporter("keep_net", true, Some(true)), Some("DE"), "1008+192 467+33", Some("Germany")),
        (exporter("keep_net", true, Some(false)), Some("DE"), "1200+228 500+35", Some("Germany")),
        (exporter("keep_gross", false, None), Some("DE"), "1200+228 500+35", Some("Germany")),
        (exporter("keep_gross", false, Some(true)), Some("DE"), "1008+192 467+33", Some("Germany")),
        (exporter("keep_gross", false, None), Some("FR"), "1200+0 500+0", None),
    ] {
        assert_eq!(
            sold(&taxes, to),
            (lines.to_owned(), zone.map(str::to_owned)),
            "{to:?} {:?}",
            taxes.definition()
        );
    }
}

#[test]
fn at_home_the_gross_is_kept_to_the_penny_also_where_the_net_is_kept_abroad() {
    // Taking 166.5 out of 999 and adding a fifth of the 832 that remain would make 998.
    let shop = exporter("keep_net", true, None);
    for to in [Some("GB"), None] {
        let taxed = Taxed { net_minor: 832, tax_minor: 167, gross_minor: 999 };
        assert_eq!(assess(&shop, &[("standard", 999)], (None, 0), to).total, taxed);
    }
    // Abroad: 19 % of 832 is 158.08; of shipping at 600, of which 100 are tax at home, 95 of 500.
    let abroad = assess(&shop, &[("standard", 999)], (STANDARD, 600), Some("DE"));
    assert_eq!(told(&abroad), "832+158; 500+95; 1332+253 (USt 19 % 253); 1332+253");
}

#[test]
fn the_net_is_kept_as_in_shopifys_own_example() {
    // "Dynamic tax-inclusive pricing": $100.00 with 10 % included at home is $90.91 where no tax is collected and
    // $109.09 at 20 %.
    let home = json!({"name": "Home", "places": [{"countries": ["AU"]}],
        "rates": {"standard": [{"name": "GST", "rate_ppm": 100_000}]}});
    let shop = taxes(json!({"prices_include_tax": true, "inclusive_prices": "keep_net",
        "home": {"country": "AU"}, "zones": [home, zone(UK)]}));
    let paid = |to| assess(&shop, &[("standard", 10_000)], (None, 0), Some(to)).total;
    let taxed = |net_minor, tax_minor, gross_minor| Taxed { net_minor, tax_minor, gross_minor };
    assert_eq!(paid("AU"), taxed(9_091, 909, 10_000));
    assert_eq!(paid("US"), taxed(9_091, 0, 9_091));
    assert_eq!(paid("GB"), taxed(9_091, 1_818, 10_909));
}

#[test]
fn an_exempt_group_pays_the_net() {
    let sold = |taxes: &Taxes, group, to| {
        let assessment = assess_for(taxes, &[("standard", 1_200)], (STANDARD, 600), Some(to), Some(group));
        (told(&assessment), assessment.exempt)
    };
    let inclusive = exporter("keep_gross", true, None);
    for (taxes, group, to, amounts, exempt) in [
        (&inclusive, "charity", "GB", "1000+0; 500+0; 1500+0 (); 1500+0", true),
        (&inclusive, "trade", "GB", "1000+200; 500+100; 1500+300 (VAT 20 % 300); 1500+300", false),
        (&inclusive, "charity", "DE", "1008+192; 504+96; 1512+288 (USt 19 % 288); 1512+288", false),
        (&exporter("keep_gross", false, None), "charity", "GB", "1200+0; 600+0; 1800+0 (); 1800+0", true),
    ] {
        assert_eq!(sold(taxes, group, to), (amounts.to_owned(), exempt), "{group} {to}");
    }
}

#[test]
fn a_cart_without_destination_is_taxed_as_home_and_estimated() {
    let shop = shop(UK, true, "line", "half_up");
    let estimate = assess(&shop, &[("standard", 1_200)], (None, 0), None);
    assert!(estimate.estimated && estimate.prices_include_tax);
    assert_eq!((estimate.zone.as_deref(), estimate.total.tax_minor), (Some("United Kingdom"), 200));
    let known = assess(&shop, &[("standard", 1_200)], (None, 0), Some("GB"));
    assert!(!known.estimated);
    assert_eq!(known.total, estimate.total);
    let homeless = assess(&Taxes::default(), &[("standard", 1_200)], (None, 300), None);
    assert_eq!((told(&homeless).as_str(), homeless.zone), ("1200+0; 300+0; 1500+0 (); 1500+0", None));
}

#[test]
fn categories_and_shipping_find_their_rates() {
    let shop = shop(UK, true, "line", "half_up");
    let sold = |lines: &[(&str, i64)], shipping| told(&assess(&shop, lines, shipping, None));
    // What the zone does not list falls under its standard rate; an exempt category is no zero-rated one.
    assert_eq!(sold(&[("toys", 1_200)], (None, 0)), "1000+200; 0+0; 1000+200 (VAT 20 % 200); 1000+200");
    assert_eq!(sold(&[("insurance", 1_200)], (None, 0)), "1200+0; 0+0; 1200+0 (); 1200+0");
    // Shipping as the goods: with books only, with free goods, with no goods at all.
    assert_eq!(sold(&[("books", 900)], (None, 300)), "900+0; 300+0; 1200+0 (VAT 0 % 0); 1200+0");
    assert_eq!(
        sold(&[("books", 0)], (None, 300)),
        "0+0; 250+50; 0+0 (VAT 0 % 0), 250+50 (VAT 20 % 50); 250+50"
    );
    assert_eq!(sold(&[], (None, 300)), "; 250+50; 250+50 (VAT 20 % 50); 250+50");
    assert_eq!(sold(&[], (None, 0)), "; 0+0; ; 0+0");
}

#[test]
fn definitions_that_make_no_sense_are_refused_with_a_sentence() {
    let parse = |definition: Value| serde_json::from_value::<Taxes>(definition).map_err(|e| e.to_string());
    let with_rates = |rates: Value| json!({"prices_include_tax": false, "zones": [{"name": "Z", "places": [{}], "rates": rates}]});
    let component = |name: &str, rate_ppm: u32, compound: bool| json!({"name": name, "rate_ppm": rate_ppm, "compound": compound});
    let good = with_rates(json!({"standard": [component("VAT", 200_000, false)]}));
    let taxes = parse(good.clone()).unwrap();
    assert_eq!(parse(serde_json::to_value(&taxes).unwrap()), Ok(taxes));
    for (definition, fault) in [
        (
            with_rates(json!({"books": []})),
            "zones[0].rates lacks standard, under which all other categories fall; write [] to exempt these",
        ),
        (
            with_rates(json!({"standard": [component("VAT", 20_000_000, false)]})),
            "zones[0].rates.standard.components[0].rate_ppm is 20000000, the most allowed is 5000000; 20 % is 200000",
        ),
        (
            with_rates(
                json!({"standard": [component("A", 2_000_000, false), component("B", 1_000_000, true)]}),
            ),
            "zones[0].rates.standard comes to 5000000 parts per million, which is not below 5000000; 20 % is 200000",
        ),
        (
            with_rates(json!({"standard": [component("A", 1, true)]})),
            "zones[0].rates.standard begins with a compound component, which has no tax before it to be charged on; \
             leave compound out",
        ),
        (
            with_rates(json!({"standard": [component("A", 1, false), component("A", 1, false)]})),
            "zones[0].rates.standard.components[1].name is \"A\", as another component's is; give each its own",
        ),
        (
            with_rates(
                json!({"standard": [component("A", 1, false), component("B", 1, true), component("C", 1, true),
                component("D", 1, true)]}),
            ),
            "zones[0].rates.standard has 3 compound components, the most allowed is 2",
        ),
        (
            with_rates(json!({"standard": vec![component("", 1, false)]})),
            "zones[0].rates.standard.components[0].name is \"\"; \
             write 1 to 200 bytes without control characters or spaces at the ends",
        ),
        (
            json!({"prices_include_tax": false, "zones": [zone(UK), zone(UK)]}),
            "zones[1].name is \"United Kingdom\", as another zone's is; give each its own",
        ),
        (
            json!({"prices_include_tax": false, "zones": [{"name": "Z", "places": [], "rates": {}}]}),
            "zones[0].places is empty; write [{}] for everywhere",
        ),
        (
            json!({"prices_include_tax": true, "inclusive_prices": "keep_net", "home": {"country": "FR"},
                "zones": [zone(UK)]}),
            "home lies in no zone, so that the tax in the prices is unknown; name a place of a zone, or keep_gross",
        ),
        (
            json!({"prices_include_tax": false, "inclusive_prices": "keep_net", "zones": []}),
            "inclusive_prices is keep_net, but prices do not include tax; leave it out",
        ),
    ] {
        assert_eq!(parse(definition), Err(fault.into()));
    }
    let mut unknown = good;
    unknown["rate"] = json!(1);
    assert!(parse(unknown).unwrap_err().contains("unknown field `rate`"));
}
