//! The search, asked the same of every store.

use std::collections::BTreeMap;

use cart_core::{Currency, FamilyId, LocationId, Money, Product};
use web::{
    catalogue::Catalogue,
    search::{self, Ask, FacetKind, Found, Sight},
    store::{ProductSupply, RollUp},
};

use super::{
    subject::{NOW_MS, Subject, currency, sku},
    till::open,
};

/// SKU, name, category, price, then `option.…`, `attribute.…`, `family` and `text`.
const SHELF: [(&str, &str, &str, i64, &str); 14] = [
    ("MUG-POPPY", "Poppy Mug", "Kitchen", 1_250, "attribute.material=stoneware"),
    ("MUG-COBALT", "Cobalt Mug", "Kitchen", 1_450, "attribute.material=stoneware"),
    ("JUG", "Milk Jug", "Kitchen", 1_900, "attribute.material=stoneware;text=Holds as much as four mugs."),
    ("TOWEL", "Tea Towel, Blue", "Linen", 800, "attribute.material=linen"),
    ("TIN", "Towel and Tea Tin", "Linen", 900, "attribute.material=tin"),
    ("BRULEE", "Crème Brûlée Set", "Kitchen", 3_200, ""),
    ("LANTERN", "Stable Lantern", "Garden", 4_500, "attribute.material=tin"),
    ("85123A", "Hanging Heart", "Garden", 255, ""),
    ("BERRY", "Raspberry Jam", "Larder", 450, ""),
    ("TEE-S", "Work Shirt", "Clothes", 2_500, "family=TEE;option.Size=S;option.Colour=Red"),
    ("TEE-M", "Work Shirt", "Clothes", 2_500, "family=TEE;option.Size=M;option.Colour=Red"),
    ("TEE-L", "Work Shirt", "Clothes", 2_800, "family=TEE;option.Size=L;option.Colour=Blue"),
    ("SECRET", "Secret Poppy Mug", "Kitchen", 1, "hidden"),
    ("CHA", "日本茶", "Larder", 700, ""),
];

fn goods() -> Vec<ProductSupply> {
    let product = |(id, name, category, price, more): &(&str, &str, &str, i64, &str)| {
        let mut product = Product::new(sku(id), *name, Money::new(*price, currency()));
        product.category = (*category).into();
        for pair in more.split(';').filter(|p| !p.is_empty()) {
            match pair.split_once('=') {
                None => product.hidden = true,
                Some(("family", id)) => product.family = Some(FamilyId::parse(id).unwrap()),
                Some(("text", text)) => product.description = text.into(),
                Some((name, value)) => match FacetKind::of_parameter(name).unwrap() {
                    FacetKind::Option(name) => drop(product.options.insert(name, value.into())),
                    FacetKind::Attribute(name) => drop(product.attributes.insert(name, value.into())),
                    FacetKind::Category => product.category = value.into(),
                },
            }
        }
        let supplied = if *id == "MUG-COBALT" { 0 } else { 10 };
        ProductSupply { product, supplied: Some(supplied), safety: None }
    };
    SHELF.iter().map(product).collect()
}

async fn stocked(subject: &Subject) {
    subject.store.put_products(&goods()).await.unwrap();
}

async fn found(subject: &Subject, ask: &Ask) -> Found {
    let catalogue = Catalogue::of(subject.store.catalogue(u64::MAX).await.unwrap().unwrap());
    let matches = match ask.text.is_empty() {
        true => None,
        false => Some(search::matches(&*subject.store, &ask.text).await.unwrap()),
    };
    let sold_out = subject.store.sold_out(&[LocationId::default()]).await.unwrap();
    let sales = subject.store.sales_since(0).await.unwrap();
    let sight =
        Sight { sold_out: &sold_out, sales: &sales, currency: currency(), group: None, now_ms: NOW_MS };
    search::find(&catalogue, ask, matches.as_ref(), &sight, 0, 100)
}

fn ask(parameters: &str) -> Ask {
    let mut ask = Ask::default();
    for pair in parameters.split('&').filter(|p| !p.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap();
        assert_eq!(ask.take(name, value), Ok(true), "{pair}");
    }
    ask
}

fn names(found: &Found) -> String {
    found.hits.iter().map(|hit| hit.product.sku.as_str()).collect::<Vec<_>>().join(" ")
}

pub async fn products_are_found_by_their_words(subject: Subject) {
    stocked(&subject).await;
    for (query, expected) in [
        // One word, in any case; of the mugs the one that is there, and then the jug, whose text speaks of them.
        ("mug", "MUG-POPPY MUG-COBALT JUG"),
        ("MUGS", "MUG-POPPY MUG-COBALT JUG"),
        ("poppy mug", "MUG-POPPY"),
        ("mug poppy", "MUG-POPPY"),
        // The last word may go on, the others may not.
        ("po", "MUG-POPPY"),
        ("po mug", ""),
        ("mug po", "MUG-POPPY"),
        ("po ", ""),
        // A phrase follows its order, other words do not.
        ("tea towel", "TOWEL TIN"),
        ("\"tea towel\"", "TOWEL"),
        ("\"towel tea\"", ""),
        // No phrase reaches from one field into the next.
        ("\"lantern garden\"", ""),
        // Accents, on either side.
        ("creme brulee", "BRULEE"),
        ("CRÈME", "BRULEE"),
        ("pöppy", "MUG-POPPY"),
        // Plurals.
        ("raspberries", "BERRY"),
        ("lanterns", "LANTERN"),
        // An article's number, a category, an option, an attribute.
        ("85123a", "85123A"),
        ("mug-cobalt", "MUG-COBALT"),
        ("garden", "85123A LANTERN"),
        ("stoneware", "JUG MUG-POPPY MUG-COBALT"),
        ("shirt blue", "TEE-L"),
        // A script without spaces.
        ("本茶", "CHA"),
        ("茶本", ""),
        ("nothing like it", ""),
    ] {
        assert_eq!(names(&found(&subject, &Ask::text(query)).await), expected, "{query:?}");
    }
}

pub async fn slips_are_mended(subject: Subject) {
    stocked(&subject).await;
    for (query, expected, meant) in [
        ("popy mug", "MUG-POPPY", Some("poppy mug")),
        ("lantren", "LANTERN", Some("lantern")),
        ("rasberry", "BERRY", Some("raspberry")),
        ("cobolt", "MUG-COBALT", Some("cobalt")),
        ("stonwear", "JUG MUG-POPPY MUG-COBALT", Some("stoneware")),
        // A beginning with a slip.
        ("lantrn", "LANTERN", Some("lantern")),
        // Too short, a number, too far, a phrase, a hidden product's word: as they stand.
        ("jgu", "", None),
        ("85124a", "", None),
        ("candelabra", "", None),
        ("\"popy mug\"", "", None),
        ("secert", "", None),
    ] {
        let found = found(&subject, &Ask::text(query)).await;
        assert_eq!((&*names(&found), found.meant.as_deref()), (expected, meant), "{query:?}");
    }
}

pub async fn hostile_queries_are_words(subject: Subject) {
    stocked(&subject).await;
    let long = "mug ".repeat(49);
    for query in [
        "mug AND",
        "mug OR",
        "NEAR(mug",
        "mug*",
        "^mug",
        "-mug",
        "mug:*",
        "text:mug",
        "'mug",
        "mug'; --",
        "mug & | !",
        "<mug>",
        "\"mug",
        "mug\\",
        "(mug",
        "mug\0",
        "search_index:mug",
        "{mug}",
        &long,
        "mug <-> ",
        "mug::tsquery",
        "%mug%",
    ] {
        let found = found(&subject, &Ask::text(query)).await;
        assert!(found.meant.is_none() && found.total <= 3, "{query:?}: {}", names(&found));
    }
    for query in ["\"", "* ^ ( ) : & | !", "''", "\u{202e}", "\0", "-", "{}"] {
        let matches = search::matches(&*subject.store, query).await.unwrap();
        assert!(matches.skus.is_empty(), "{query:?}");
    }
}

pub async fn families_are_one_hit_and_facets_count_them(subject: Subject) {
    stocked(&subject).await;
    let all = found(&subject, &ask("")).await;
    assert_eq!(all.total, 11, "fourteen products, of which three are one family and one is hidden");
    let shirt = found(&subject, &ask("q=shirt")).await;
    assert_eq!(names(&shirt), "TEE-L");
    assert_eq!(shirt.hits[0].variants.len(), 3);

    let count = |found: &Found, kind: &str, value: &str| {
        let kind = FacetKind::of_parameter(kind).unwrap();
        let facet = found.facets.iter().find(|f| f.kind.is(&kind));
        facet.and_then(|f| f.values.iter().find(|v| v.value == value)).map(|v| (v.count, v.is_selected))
    };
    assert_eq!(count(&all, "category", "Kitchen"), Some((4, false)));
    assert_eq!(count(&all, "category", "Clothes"), Some((1, false)));
    assert_eq!(count(&all, "option.Colour", "Red"), Some((1, false)), "a family counts once");

    // A facet's own filter does not take its other values away; other filters do.
    let tin = found(&subject, &ask("attribute.material=tin&category=garden")).await;
    assert_eq!(names(&tin), "LANTERN");
    assert_eq!(count(&tin, "attribute.material", "tin"), Some((1, true)));
    assert_eq!(count(&tin, "category", "Linen"), Some((1, false)));
    assert_eq!(count(&tin, "category", "Garden"), Some((1, true)));
    assert_eq!(count(&tin, "attribute.material", "stoneware"), None);
    let either = found(&subject, &ask("attribute.material=tin&attribute.material=linen&sort=name")).await;
    assert_eq!(names(&either), "LANTERN TOWEL TIN");

    // One variant must pass all filters.
    assert_eq!(names(&found(&subject, &ask("option.size=m&option.colour=red")).await), "TEE-M");
    assert_eq!(found(&subject, &ask("option.size=m&option.colour=blue")).await.total, 0);
    assert_eq!(found(&subject, &ask("option.weave=plain")).await.total, 0);

    // What is sold out counts, but not where only the rest is asked for.
    assert_eq!(all.in_stock, 10);
    assert_eq!(names(&found(&subject, &ask("q=mug&in_stock=true")).await), "MUG-POPPY JUG");

    // Prices: both ends are in, variants count with their own.
    assert_eq!(names(&found(&subject, &ask("price=2500..2800&sort=price")).await), "TEE-L");
    assert_eq!(names(&found(&subject, &ask("price=..450&sort=price")).await), "85123A BERRY");
    assert_eq!(found(&subject, &ask("currency=EUR")).await.total, 0);
    assert!(all.prices.iter().map(|r| r.count).sum::<u32>() == 11);
}

pub async fn what_was_found_is_sorted_and_paged(subject: Subject) {
    stocked(&subject).await;
    let mut newer = goods();
    newer[6].product.description = "It swings.".into();
    let mut newest = newer[7].clone();
    newest.product.sku = sku("STOOL");
    newest.product.name = "Milking Stool".into();
    subject.store.put_products(&[newer[6].clone(), newest]).await.unwrap();
    let first = async |parameters: &str| {
        let found = found(&subject, &ask(parameters)).await;
        names(&found).split(' ').take(3).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(first("sort=price").await, "85123A STOOL BERRY");
    assert_eq!(first("sort=-price").await, "LANTERN BRULEE TEE-L");
    assert_eq!(first("sort=name").await, "MUG-COBALT BRULEE 85123A");
    assert_eq!(first("sort=newest").await, "STOOL 85123A BERRY");

    // What sells: pieces by day, older ones left out.
    subject.ask(open("c", "ann")).await;
    let event = subject.events().await[0].position;
    let sold = |day, id, pieces| ((day, sku(id)), pieces);
    let sales = BTreeMap::from([
        sold(100, "TIN", 7),
        sold(100, "TEE-S", 2),
        sold(101, "TEE-M", 6),
        sold(9, "JUG", 99),
    ]);
    let store = &subject.store;
    let step = RollUp { from: 0, to: event, sales, ..RollUp::default() };
    store.save_roll_up(&step).await.unwrap();
    let again = RollUp { from: event, ..step.clone() };
    store.save_roll_up(&again).await.unwrap();
    assert!(store.save_roll_up(&RollUp { to: event + 1, ..step }).await.is_err());
    let recent = store.sales_since(100).await.unwrap();
    assert_eq!((recent.len(), recent[&sku("TIN")], recent[&sku("TEE-M")]), (3, 14, 12));
    assert_eq!(first("sort=sales").await, "JUG TEE-L TIN");
    assert_eq!(first("q=tea&sort=sales").await, "TIN TOWEL");
    store.reset_roll_ups().await.unwrap();
    assert!(store.sales_since(0).await.unwrap().is_empty());

    // Pages join, whatever they are sorted by, and though something comes in between.
    for sort in ["relevance", "sales", "price", "-price", "newest", "name"] {
        let catalogue = Catalogue::of(store.catalogue(u64::MAX).await.unwrap().unwrap());
        let (sold_out, sales) = Default::default();
        let sight =
            Sight { sold_out: &sold_out, sales: &sales, currency: currency(), group: None, now_ms: NOW_MS };
        let whole = search::find(&catalogue, &ask(&format!("sort={sort}")), None, &sight, 0, 100);
        let (mut pages, mut cursor) = (vec![], None::<search::Cursor>);
        loop {
            let asked = Ask { cursor, ..ask(&format!("sort={sort}")) };
            let page = search::find(&catalogue, &asked, None, &sight, 0, 2);
            assert_eq!(page.total, whole.total);
            pages.push(names(&page));
            match page.next {
                Some(next) => cursor = Some(next),
                None => break,
            }
        }
        assert_eq!(pages.join(" "), names(&whole), "{sort}");
        assert_eq!(pages.len(), 6);
    }
}

pub async fn the_index_follows_the_products(subject: Subject) {
    stocked(&subject).await;
    let mut goods = goods();
    let total = async |query: &str| found(&subject, &Ask::text(query)).await.total;
    goods[0].product.name = "Daisy Cup".into();
    goods[6].product.hidden = true;
    goods[12].product.hidden = false;
    // Twice in one call: the last holds.
    let mut twice = goods[4].clone();
    twice.product.name = "Zinc Tub".into();
    subject
        .store
        .put_products(&[goods[4].clone(), twice, goods[0].clone(), goods[6].clone(), goods[12].clone()])
        .await
        .unwrap();
    assert_eq!((total("poppy").await, total("daisy").await), (2, 1), "a number has the word too");
    assert_eq!((total("lantern").await, total("lantren").await), (0, 0), "its word is forgotten");
    assert_eq!((total("secret").await, total("zinc").await, total("\"tea tin\"").await), (1, 1, 0));
    let known = async |word: &str, is_prefix| subject.store.knows_word(word, is_prefix).await.unwrap();
    assert!(known("daisy", false).await && known("dai", true).await);
    assert!(!known("dai", false).await && !known("lantern", false).await && !known("lantern", true).await);
    assert!(known("cobalt", true).await && !known("cobaltz", true).await);
    let euro = Currency::parse("EUR").unwrap();
    goods[1].product.price = Money::new(5, euro);
    subject.store.put_products(&goods[1..2]).await.unwrap();
    assert_eq!(names(&found(&subject, &ask("currency=EUR")).await), "MUG-COBALT");
}

async fn an_index_of_another_version_is_made_again(subject: Subject) {
    stocked(&subject).await;
    for statement in [
        "DELETE FROM search_texts",
        "DELETE FROM search_words",
        "DELETE FROM search_trigrams",
        "UPDATE revisions SET revision = 0 WHERE name = 'search'",
    ] {
        subject.sql(statement).await.unwrap().unwrap();
    }
    assert!(search::matches(&*subject.store, "mug").await.unwrap().skus.is_empty());
    let again = subject.another().await.unwrap();
    assert_eq!(search::matches(&*again, "mug").await.unwrap().skus.len(), 3);
    assert_eq!(search::matches(&*again, "lantren").await.unwrap().meant.as_deref(), Some("lantern"));
}

on_tables! {
    an_index_of_another_version_is_made_again,
}
