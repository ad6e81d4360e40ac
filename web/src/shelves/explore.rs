//! What a recipe does with what its algorithm suggests: products of one category do not crowd out the others, and new products get
//! their chance.
//!
//! A product is new that the model knows from fewer than [`NEW_ORDERS`] orders: no model that learns from orders puts it forward by
//! itself, and what nobody is shown nobody buys. New ones take turns from day to day.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use cart_core::Product;
use recommender::Index;

use super::{Shelf, Suggested, Why};

/// The orders from which on a product is no longer new: pairs say something of it from then on.
pub const NEW_ORDERS: u32 = 5;

/// Puts behind all others what comes after the `most` first products of its category; what has no category is of none.
pub fn spread(shelf: Shelf, most: usize) -> Shelf {
    let mut of_category: BTreeMap<String, usize> = BTreeMap::new();
    let (mut first, mut later) = (vec![], vec![]);
    for suggested in shelf {
        let category = &suggested.product.category;
        let so_far = of_category.entry(category.clone()).or_default();
        *so_far += 1;
        if category.is_empty() || *so_far <= most { first.push(suggested) } else { later.push(suggested) }
    }
    first.append(&mut later);
    first
}

/// Chooses from products those that are new, in the order of their turns on a day; those of the wanted kind come first.
pub fn new_ones<'a>(
    products: impl Iterator<Item = &'a Arc<Product>>,
    index: &Index,
    is_alike: impl Fn(&Product) -> bool,
    day: i64,
    most: usize,
) -> Vec<Arc<Product>> {
    let turn = |product: &Product| {
        let mut hasher = DefaultHasher::new();
        (day, product.sku.as_str()).hash(&mut hasher);
        (!is_alike(product), hasher.finish())
    };
    let is_new = |product: &&Arc<Product>| index.orders(&product.sku) < NEW_ORDERS;
    let mut new: Vec<_> = products.filter(is_new).map(|product| (turn(product), product)).collect();
    new.sort_unstable_by_key(|(turn, _)| *turn);
    new.into_iter().take(most).map(|(_, product)| product.clone()).collect()
}

/// Gives new products `percent` of the places among those that stand there for a reason of their own; what only fills the shelf up
/// comes after all of these.
pub fn explore(
    shelf: Shelf,
    new: Vec<Arc<Product>>,
    percent: usize,
    is_own: impl Fn(&Suggested) -> bool,
) -> Shelf {
    let is_new = |suggested: &Suggested| new.iter().any(|product| product.sku == suggested.product.sku);
    let (own, rest): (Shelf, Shelf) = shelf.into_iter().partition(|one| is_own(one));
    let rest: Shelf = rest.into_iter().filter(|one| !is_new(one)).collect();
    let own: Shelf = own.into_iter().filter(|one| !is_new(one)).collect();
    let (mut own, mut new) = (own.into_iter(), new.into_iter());
    let mut mixed = vec![];
    for place in 1.. {
        let is_turn = place * percent / 100 > (place - 1) * percent / 100;
        let product = if is_turn { new.next() } else { None };
        let next = product.map(|product| Suggested { product, why: Why::New }).or_else(|| own.next());
        let Some(next) = next else { break };
        mixed.push(next);
    }
    mixed.extend(rest);
    mixed
}

#[cfg(test)]
mod tests {
    use cart_core::{Currency, Money, Sku};
    use recommender::{About, Learnt, Model, Reason};

    use super::*;

    fn product(sku: &str, category: &str) -> Arc<Product> {
        let price = Money::new(100, Currency::parse("GBP").unwrap());
        let mut product = Product::new(Sku::parse(sku).unwrap(), sku, price);
        product.category = category.to_owned();
        Arc::new(product)
    }

    fn shelf(products: &[(&str, &str)]) -> Shelf {
        let why = || Why::Learnt(Reason::SimilarBaskets);
        products.iter().map(|(sku, of)| Suggested { product: product(sku, of), why: why() }).collect()
    }

    fn said(shelf: &[Suggested]) -> String {
        shelf.iter().map(|one| one.product.sku.to_string()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_crowds_out_other_categories_stands_behind_them() {
        let shelf = || shelf(&[("A1", "a"), ("A2", "a"), ("A3", "a"), ("B1", "b"), ("X", ""), ("Y", "")]);
        assert_eq!(said(&spread(shelf(), 2)), "A1 A2 B1 X Y A3");
        assert_eq!(said(&spread(shelf(), 1)), "A1 B1 X Y A2 A3");
        assert_eq!(said(&spread(shelf(), 9)), "A1 A2 A3 B1 X Y");
    }

    #[test]
    fn new_products_get_their_part_of_the_places_and_no_more() {
        let own = || shelf(&[("A", ""), ("B", ""), ("C", ""), ("D", ""), ("E", ""), ("F", "")]);
        let new = || vec![product("N1", ""), product("N2", ""), product("N3", "")];
        assert_eq!(said(&explore(own(), new(), 25, |_| true)), "A B C N1 D E F N2");
        assert_eq!(said(&explore(own(), new(), 50, |_| true)), "A N1 B N2 C N3 D E F");
        let filled = |suggested: &Suggested| suggested.product.sku.as_str() < "C";
        assert_eq!(said(&explore(own(), new(), 50, filled)), "A N1 B N2 C D E F", "beside two of its own");
        assert_eq!(said(&explore(own(), vec![], 50, |_| true)), "A B C D E F");
        let again = vec![product("B", "")];
        assert_eq!(said(&explore(own(), again, 50, |_| true)), "A B C D E F", "nothing stands there twice");
    }

    #[test]
    fn those_of_the_kind_come_first_and_each_day_others() {
        let model = Model::new(About::default(), vec![], Learnt::default()).unwrap();
        let index = Index::new(model);
        let products: Vec<_> =
            (0..20).map(|n| product(&format!("P{n}"), if n < 3 { "a" } else { "b" })).collect();
        let of = |day: i64| -> Vec<String> {
            let new = new_ones(products.iter(), &index, |product| product.category == "a", day, 4);
            new.iter().map(|product| product.sku.to_string()).collect()
        };
        let mut alike = of(1)[..3].to_vec();
        alike.sort();
        assert_eq!(alike, ["P0", "P1", "P2"]);
        assert_eq!(of(1), of(1));
        assert!((2..9).any(|day| of(day)[3] != of(1)[3]), "another one's turn");
    }
}
