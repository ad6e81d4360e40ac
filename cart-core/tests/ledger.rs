//! Accounts hold what their postings say, whatever is paid, undone and tried again.

use std::{collections::BTreeMap, sync::Arc};

use cart_core::{
    AccountId, Balances, Cart, CartEvent, CartId, Currency, GiftCard, GiftCardId, Posting, Tender, VisitorId,
    Workflow, evolve, gift_card, open,
};
use proptest::prelude::*;

fn card(n: usize) -> GiftCard {
    GiftCard { id: GiftCardId::parse(&format!("card{n}")).expect("an id"), last4: "6789".into() }
}

/// A cart that is to be paid with so many cards, and with credit or not.
fn cart(cards: usize, credit: bool) -> Cart {
    let currency = Currency::parse("GBP").expect("a currency");
    let owner = VisitorId::parse("ada").expect("an id");
    let id = CartId::parse("c").expect("an id");
    let opened = open(id, owner, currency, Arc::new(Workflow::classic()), vec![]);
    let mut cart = Cart::from_opened(&opened).expect("an opening");
    for n in 0..cards {
        evolve(&mut cart, &CartEvent::GiftCardApplied { card: card(n) });
    }
    evolve(&mut cart, &CartEvent::StoreCreditSet { on: credit });
    cart
}

proptest! {
    #[test]
    fn purses_pay_what_they_hold_in_order_and_no_more_than_is_due(
        held in prop::collection::vec(prop::option::of(0..5_000_i64), 0..6),
        credit in any::<bool>(),
        total in -100..20_000_i64,
    ) {
        let cart = cart(held.len().saturating_sub(1), credit);
        let purses: Vec<AccountId> = gift_card::purses(&cart).collect();
        let known: Balances =
            purses.iter().zip(&held).filter_map(|(p, held)| Some((p.clone(), (*held)?))).collect();
        let tenders = gift_card::tenders(&cart, &known, total);
        let paid: i64 = tenders.iter().map(|t| t.minor).sum();
        let all: i64 = known.iter().map(|(_, held)| held).sum();
        prop_assert_eq!(paid, all.min(total.max(0)), "as much as there is, as much as is due");
        let mut exhausted = true;
        for tender in &tenders {
            let balance = known.get(&tender.account(cart.currency, &cart.owner)).unwrap_or(0);
            prop_assert!(exhausted && tender.minor > 0 && tender.minor <= balance);
            exhausted = tender.minor == balance;
        }
    }

    #[test]
    fn what_orders_took_comes_back_to_the_last_unit(
        issued in prop::collection::vec(0..5_000_i64, 1..5),
        orders in prop::collection::vec((0..9_000_i64, any::<bool>(), 0..=100_i64), 1..20),
    ) {
        let cart = cart(issued.len(), false);
        let mut balances: BTreeMap<AccountId, i64> = gift_card::purses(&cart).zip(issued.iter().copied()).collect();
        let mut sums = balances.clone();
        let mut post = |posting: &Posting, balances: &mut BTreeMap<AccountId, i64>| {
            *balances.entry(posting.account.clone()).or_default() += posting.delta;
            *sums.entry(posting.account.clone()).or_default() += posting.delta;
        };
        let mut undone = vec![];
        for (total, is_undone, share) in orders {
            let known: Balances = balances.clone().into_iter().collect();
            let tenders = gift_card::tenders(&cart, &known, total);
            let taken: Vec<Posting> =
                tenders.iter().map(|t| Posting { account: t.account(cart.currency, &cart.owner), delta: -t.minor }).collect();
            for posting in &taken {
                post(posting, &mut balances);
            }
            prop_assert!(balances.values().all(|balance| *balance >= 0), "{balances:?}");
            if is_undone {
                // Given back in two parts, each account has back what it paid.
                let paid: i64 = tenders.iter().map(|t| t.minor).sum();
                let account = |t: &Tender| t.account(cart.currency, &cart.owner);
                let first = paid * share / 100;
                let mut back = gift_card::given_back(&tenders, 0, first, account);
                prop_assert_eq!(back.iter().map(|p| p.delta).sum::<i64>(), first);
                back.extend(gift_card::given_back(&tenders, first, paid - first, account));
                let mut sums: BTreeMap<AccountId, i64> = BTreeMap::new();
                for Posting { account, delta } in taken.iter().chain(&back) {
                    *sums.entry(account.clone()).or_default() += delta;
                }
                prop_assert!(sums.values().all(|sum| *sum == 0), "{sums:?}");
                undone.extend(back);
            }
        }
        let before: i64 = balances.values().sum();
        let back: i64 = undone.iter().map(|p| p.delta).sum();
        for posting in &undone {
            post(posting, &mut balances);
        }
        prop_assert_eq!(balances.values().sum::<i64>(), before + back);
        prop_assert_eq!(balances, sums);
    }
}
