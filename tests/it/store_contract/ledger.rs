//! Accounts: what is counted, and the entries that move it.

use std::collections::{BTreeMap, BTreeSet};

use cart_core::{AccountId, Balances, Command, Currency, GiftCard, GiftCardId, Posting};
use web::store::{Answer, BalanceWrite, CardQuery, IssuedCard, PostingWrite, Staged, Wants};

use super::{
    subject::{NOW_MS, PRICE_MINOR, Subject, rejected, turn},
    till::{CODE, Fixed, add, buy, command, open},
};

fn account(id: &str) -> AccountId {
    id.parse().unwrap()
}

fn typed(cart: &str) -> super::till::Job {
    command(cart, Command::ApplyCode { code: CODE.parse().unwrap() })
}

async fn balances(subject: &Subject, ids: &[&str]) -> Balances {
    subject.store.balances(&ids.iter().map(|id| account(id)).collect()).await.unwrap()
}

/// A mug less a tenth.
const REDUCED_MINOR: i64 = PRICE_MINOR - PRICE_MINOR / 10;

pub async fn a_code_is_used_no_more_often_than_it_may(subject: Subject) {
    subject.stock_up(&[("MUG", 100)]).await;
    let others = subject.another().await;
    let shoppers = (0..40).map(|n| {
        let store = others.clone().filter(|_| n % 2 == 1).unwrap_or_else(|| subject.store.clone());
        tokio::spawn(async move {
            let cart = format!("c{n}");
            let jobs = vec![open(&cart, &format!("v{n}")), add(&cart, "MUG", 1), typed(&cart)];
            turn(&*store, jobs).await.unwrap();
            let bought = turn(&*store, buy(&cart, REDUCED_MINOR)).await.unwrap();
            match bought.answers.last().unwrap() {
                Answer::Accepted(accepted) => {
                    let order = accepted.order.as_ref().unwrap();
                    assert_eq!(
                        (order.total_minor, order.lines[0].discount_minor),
                        (REDUCED_MINOR, PRICE_MINOR / 10)
                    );
                    true
                }
                // The checkout's first step has told the cart, so that another amount is due.
                other => {
                    assert!(["payment_mismatch", "promotion_used_up"].contains(&rejected(other)));
                    false
                }
            }
        })
    });
    let mut orders = 0;
    for shopper in shoppers.collect::<Vec<_>>() {
        orders += u32::from(shopper.await.unwrap());
    }
    assert_eq!(orders, 10);
    let uses = balances(&subject, &["promotion:ten", "customer:ten:v999"]).await;
    assert_eq!(uses, [(account("promotion:ten"), 10)].into_iter().collect());
    assert_eq!(subject.store.audit().await.unwrap(), [""; 0]);
}

pub async fn a_customer_uses_a_promotion_no_more_often_than_they_may(subject: Subject) {
    subject.stock_up(&[("MUG", 100)]).await;
    let carts = (0..6).map(|n| {
        let store = subject.store.clone();
        tokio::spawn(async move {
            let cart = format!("c{n}");
            turn(&*store, vec![open(&cart, "ann"), add(&cart, "MUG", 1), typed(&cart)]).await.unwrap();
            let bought = turn(&*store, buy(&cart, REDUCED_MINOR)).await.unwrap();
            matches!(bought.answers.last(), Some(Answer::Accepted(_)))
        })
    });
    let mut orders = 0;
    for cart in carts.collect::<Vec<_>>() {
        orders += u32::from(cart.await.unwrap());
    }
    assert_eq!(orders, 2);
    let uses = balances(&subject, &["promotion:ten", "customer:ten:ann"]).await;
    assert_eq!(uses, [(account("promotion:ten"), 2), (account("customer:ten:ann"), 2)].into_iter().collect());
}

fn posts(account: &str, cause: &str, before: Option<i64>, delta: i64) -> (Wants, Box<Fixed>) {
    let account = self::account(account);
    let write = BalanceWrite { before, after: before.unwrap_or(0) + delta };
    let posting = Posting { account: account.clone(), delta };
    let staged = Staged {
        postings: vec![PostingWrite { posting, cause: cause.into(), at_ms: NOW_MS }],
        balances: BTreeMap::from([(account, write)]),
        ..Staged::default()
    };
    (Wants::default(), Box::new(Fixed::new(staged)))
}

pub async fn a_balance_moves_from_where_it_was_read_and_once_a_cause(subject: Subject) {
    let post = async |cause, before, delta| {
        let (wants, decision) = posts("promotion:p", cause, before, delta);
        subject.store.turn(wants, decision).await.unwrap();
    };
    post("order:1", None, 2).await;
    post("order:2", Some(2), -1).await;
    for (cause, before, delta, why) in [
        ("order:3", None, 1, "a row is there"),
        ("order:3", Some(2), 1, "the balance has moved"),
        ("order:3", Some(1), -2, "nothing falls below zero"),
        ("order:1", Some(1), 1, "this cause has moved it"),
    ] {
        println!("{why}");
        let (wants, decision) = posts("promotion:p", cause, before, delta);
        subject.refuses(wants, decision).await;
    }
    let both: BTreeSet<_> = [account("promotion:p"), account("promotion:q")].into();
    let stand = subject.store.balances(&both).await.unwrap();
    assert_eq!(stand, [(account("promotion:p"), 1)].into_iter().collect());
    assert_eq!(subject.store.audit().await.unwrap(), [""; 0]);
}

pub async fn amounts_are_booked_once_a_cause(subject: Subject) {
    let book = |account: &str, delta, cause: &str| PostingWrite {
        posting: Posting { account: self::account(account), delta },
        cause: cause.into(),
        at_ms: NOW_MS,
    };
    let first = [book("gift-card:GBP:a", 500, "issue"), book("gift-card:GBP:b", 700, "issue")];
    assert_eq!(subject.store.post(&first).await.unwrap(), 2);
    let next = [
        book("gift-card:GBP:a", 500, "issue"),
        book("gift-card:GBP:a", 30, "issue:more"),
        book("gift-card:GBP:a", 4, "issue:again"),
        book("credit:GBP:ann", 9, "credit:1"),
        book("credit:GBP:ann", 9, "credit:1"),
    ];
    assert_eq!(subject.store.post(&next).await.unwrap(), 3, "some are there already");
    assert_eq!(subject.store.post(&[]).await.unwrap(), 0);
    let all = ["gift-card:GBP:a", "gift-card:GBP:b", "credit:GBP:ann"];
    let expected = all.map(account).into_iter().zip([534, 700, 9]).collect();
    assert_eq!(balances(&subject, &all).await, expected);
    let entries = subject.store.entries(&account("gift-card:GBP:a"), 2).await.unwrap();
    let causes: Vec<_> = entries.iter().map(|e| (e.cause.as_str(), e.posting.delta)).collect();
    assert_eq!(causes, [("issue:more", 30), ("issue:again", 4)], "the newest first");
    assert_eq!(subject.store.audit().await.unwrap(), [""; 0]);
}

pub async fn cards_are_issued_listed_and_stopped(subject: Subject) {
    let card = |id: &str| GiftCard { id: GiftCardId::parse(id).unwrap(), last4: format!("{id:0>4}") };
    let issued = |id: &str, currency: &str, amount_minor, cause: &str, at_ms| IssuedCard {
        card: card(id),
        currency: Currency::parse(currency).unwrap(),
        amount_minor,
        cause: cause.into(),
        expires_at_ms: Some(NOW_MS + at_ms),
        note: format!("for {id}"),
        at_ms: NOW_MS + at_ms,
    };
    let store = &subject.store;
    let first = [issued("a", "GBP", 500, "issue", 1), issued("b", "GBP", 700, "issue", 2)];
    assert_eq!(store.issue_gift_cards(&first).await.unwrap().booked, 2);
    let next = [
        issued("a", "GBP", 500, "issue", 3),
        issued("a", "GBP", 20, "issue:more", 4),
        issued("b", "EUR", 900, "issue:euro", 5),
        issued("c", "JPY", 9, "issue", 2),
    ];
    let said = store.issue_gift_cards(&next).await.unwrap();
    assert_eq!((said.booked, said.in_other_currency), (2, vec![card("b").id]));
    let a = store.gift_card(&card("a").id).await.unwrap().unwrap();
    assert_eq!((a.balance_minor, a.issued_at_ms, a.note.as_str()), (520, NOW_MS + 1, "for a"), "as at first");
    assert_eq!((a.expires_at_ms, a.disabled_at_ms), (Some(NOW_MS + 1), None));
    assert_eq!(store.gift_card(&card("d").id).await.unwrap(), None);

    let list = async |query: CardQuery, limit| {
        let found = store.gift_cards(&query, limit).await.unwrap();
        found.iter().map(|c| (c.card.id.to_string(), c.balance_minor)).collect::<Vec<_>>()
    };
    let all = [("c".into(), 9), ("b".into(), 700), ("a".into(), 520)];
    assert_eq!(list(CardQuery::default(), 9).await, all);
    assert_eq!(list(CardQuery::default(), 1).await, all[..1]);
    let before = Some((NOW_MS + 2, card("c").id));
    assert_eq!(list(CardQuery { before, ..CardQuery::default() }, 9).await, all[1..]);
    let last4 = Some("000b".to_owned());
    assert_eq!(list(CardQuery { last4, ..CardQuery::default() }, 9).await, all[1..2]);

    assert!(store.disable_gift_card(&card("a").id, Some(NOW_MS + 9)).await.unwrap());
    assert!(!store.disable_gift_card(&card("d").id, Some(NOW_MS)).await.unwrap());
    assert!(store.gift_card(&card("a").id).await.unwrap().unwrap().terms().is_disabled);
    assert!(store.disable_gift_card(&card("a").id, None).await.unwrap());
    assert_eq!(store.gift_card(&card("a").id).await.unwrap().unwrap(), a);
    assert_eq!(store.audit().await.unwrap(), [""; 0]);
}

pub async fn a_balance_that_is_not_the_sum_of_its_entries_is_found(subject: Subject) {
    let (wants, decision) = posts("promotion:p", "order:1", None, 2);
    subject.store.turn(wants, decision).await.unwrap();
    subject.sql("UPDATE accounts SET balance = 3 WHERE id = 'promotion:p'").await.unwrap().unwrap();
    assert_eq!(subject.store.audit().await.unwrap(), ["account promotion:p is at 3, its entries make 2"]);
}

on_tables!(a_balance_that_is_not_the_sum_of_its_entries_is_found);
