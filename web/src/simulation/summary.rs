//! What shoppers did, added up.

use std::collections::BTreeMap;

use cart_core::{Currency, Money};
use serde::Serialize;

/// Counts what shoppers did; also of one alone.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Summary {
    /// Shoppers who came.
    pub shoppers: u64,
    /// Carts opened.
    pub carts: u64,
    /// Lines put into carts.
    pub lines: u64,
    /// Lines that were taken from the shop's suggestions.
    pub suggested_lines: u64,
    /// Orders placed.
    pub orders: u64,
    /// What the orders cost, in minor units of `currency`.
    pub revenue_minor: i64,
    /// The carts' currency.
    pub currency: Option<Currency>,
    /// Cards that were declined, as they were meant to be.
    pub declined: u64,
    /// Pages looked at.
    pub pages: u64,
    /// Shoppers with a second device on a websocket.
    pub live_shoppers: u64,
    /// Changes that a second device was told of.
    pub live_updates: u64,
    /// Requests sent again because the shop was busy or did not answer.
    pub retries: u64,
    /// Shoppers who could put nothing into their cart.
    pub empty_carts: u64,
    /// Lines that the shop would not put into a cart, by the problem's name.
    pub refused: BTreeMap<String, u64>,
    /// What went wrong, by the name of the problem.
    pub errors: BTreeMap<String, u64>,
    /// Carts and orders by the workflow that shoppers saw.
    pub workflows: BTreeMap<String, WorkflowSummary>,
    /// How long it took, in seconds.
    pub seconds: f64,
}

/// Counts the carts of a workflow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct WorkflowSummary {
    /// Carts opened in it.
    pub carts: u64,
    /// Those that became orders.
    pub orders: u64,
}

impl Summary {
    /// Counts something that went wrong.
    pub fn error(&mut self, name: impl Into<String>) {
        *self.errors.entry(name.into()).or_default() += 1;
    }

    /// Counts a line that was refused.
    pub fn refusal(&mut self, name: impl Into<String>) {
        *self.refused.entry(name.into()).or_default() += 1;
    }

    /// Counts a cart.
    pub fn cart(&mut self, workflow: &str, currency: Currency) {
        self.carts += 1;
        self.currency = Some(currency);
        self.workflows.entry(workflow.to_owned()).or_default().carts += 1;
    }

    /// Counts an order.
    pub fn order(&mut self, workflow: &str, total_minor: i64) {
        self.orders += 1;
        self.revenue_minor = self.revenue_minor.saturating_add(total_minor);
        self.workflows.entry(workflow.to_owned()).or_default().orders += 1;
    }

    /// Adds what others did; the time stays.
    pub fn add(&mut self, other: Self) {
        self.shoppers += other.shoppers;
        self.carts += other.carts;
        self.lines += other.lines;
        self.suggested_lines += other.suggested_lines;
        self.orders += other.orders;
        self.revenue_minor = self.revenue_minor.saturating_add(other.revenue_minor);
        self.currency = other.currency.or(self.currency);
        self.declined += other.declined;
        self.pages += other.pages;
        self.live_shoppers += other.live_shoppers;
        self.live_updates += other.live_updates;
        self.retries += other.retries;
        self.empty_carts += other.empty_carts;
        for (sum, counts) in [(&mut self.refused, other.refused), (&mut self.errors, other.errors)] {
            for (name, count) in counts {
                *sum.entry(name).or_default() += count;
            }
        }
        for (name, workflow) in other.workflows {
            let sum = self.workflows.entry(name).or_default();
            sum.carts += workflow.carts;
            sum.orders += workflow.orders;
        }
    }

    /// Says it to people, in a few lines.
    pub fn text(&self) -> String {
        let revenue =
            self.currency.map(|c| Money::new(self.revenue_minor, c).to_string()).unwrap_or_default();
        let mut lines = vec![
            format!(
                "{} shoppers in {:.1} s: {} carts with {} lines, {} orders, revenue {revenue}",
                self.shoppers, self.seconds, self.carts, self.lines, self.orders
            ),
            format!(
                "{} pages looked at, {} lines from suggestions, {} cards declined at first, {} live updates on {} second \
                 devices",
                self.pages, self.suggested_lines, self.declined, self.live_updates, self.live_shoppers
            ),
        ];
        for (name, workflow) in &self.workflows {
            let share = 100.0 * workflow.orders as f64 / workflow.carts.max(1) as f64;
            lines.push(format!(
                "workflow {name}: {} carts, {} orders ({share:.1} %)",
                workflow.carts, workflow.orders
            ));
        }
        for (count, what) in [
            (self.retries, "requests were sent again because the shop was busy or did not answer"),
            (self.empty_carts, "shoppers could put nothing into their cart"),
        ] {
            if count > 0 {
                lines.push(format!("{count} {what}"));
            }
        }
        if !self.refused.is_empty() {
            lines.push(format!("lines refused by the shop: {}", list(&self.refused)));
        }
        lines.push(format!("errors: {}", list(&self.errors)));
        lines.join("\n")
    }
}

fn list(counts: &BTreeMap<String, u64>) -> String {
    match counts.is_empty() {
        true => "none".to_owned(),
        false => {
            counts.iter().map(|(name, count)| format!("{count} × {name}")).collect::<Vec<_>>().join(", ")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shopper(workflow: &str, total_minor: Option<i64>) -> Summary {
        let mut summary = Summary { shoppers: 1, pages: 4, lines: 2, ..Summary::default() };
        summary.cart(workflow, Currency::parse("GBP").unwrap());
        if let Some(total_minor) = total_minor {
            summary.order(workflow, total_minor);
        }
        summary
    }

    #[test]
    fn a_summary_adds_up_and_says_so() {
        let mut all = Summary { seconds: 2.0, ..Summary::default() };
        all.add(shopper("classic", None));
        all.add(shopper("express", Some(1_999)));
        all.add(shopper("classic", Some(1)));
        let mut unlucky = shopper("classic", None);
        unlucky.refusal("out_of_stock");
        unlucky.refusal("out_of_stock");
        unlucky.error("timed_out");
        all.add(unlucky);
        let revenue = Money::new(2_000, Currency::parse("GBP").unwrap());
        assert_eq!(
            all.text(),
            format!(
                "4 shoppers in 2.0 s: 4 carts with 8 lines, 2 orders, revenue {revenue}\n\
                 16 pages looked at, 0 lines from suggestions, 0 cards declined at first, 0 live updates on 0 second \
                 devices\n\
                 workflow classic: 3 carts, 1 orders (33.3 %)\n\
                 workflow express: 1 carts, 1 orders (100.0 %)\n\
                 lines refused by the shop: 2 × out_of_stock\n\
                 errors: 1 × timed_out"
            )
        );
    }
}
