//! What a turn writes: one statement a table, however many rows. Each of them fails where it does not find what was decided
//! on, so that all of them can travel with the commit.

use cart_core::{Movement, StockLevel, StockLevels};
use tokio_postgres::{Error, Statement, types::ToSql};

use super::{
    super::{
        super::{CartWrite, Exposure, Result, Staged, StoreError},
        cells::{bigint, to_json},
        error, experiments, orders,
        outbox::{EventColumns, place, publish},
        payments,
        transaction::{Params, Sending, Transaction, execute_unless},
    },
    Statements,
    compare::LevelColumns,
    post,
};

/// Does what nearly every turn does: changes carts that still have the version that was decided on, moves stock, and publishes
/// events. It is one statement, so that a turn that does no more is one, and the server answers once. Its parts lock in their
/// order, since the last line asks for them in turn. Fails where a row is no longer what was decided on, where a cart was
/// changed by a transaction with a higher place, or where a revision of all levels is given and is another.
///
/// Sweeps are woken for carts that are due before the wake that stands. The wake is compared here, with the row as it is,
/// because sweeps put wakes off without the cart's lock.
pub const CHANGE: &str = concat!(
    "WITH place AS MATERIALIZED (SELECT ",
    place!(),
    " AS own), changed AS (
        UPDATE carts AS c
        SET version = w.version, is_ordered = w.is_ordered, holds_expire_at_ms = w.holds, place = p.own,
            state = w.state, idle_due_ms = CASE WHEN w.is_moved THEN w.due ELSE c.idle_due_ms END,
            wake_ms = least(c.wake_ms, w.wake)
        FROM place AS p CROSS JOIN unnest($1::text[], $2::int8[], $3::int8[], $4::bool[], $5::int8[], $6::text[],
            $7::bool[], $8::int8[], $9::int8[])
            AS w (id, before, version, is_ordered, holds, state, is_moved, due, wake)
        WHERE c.id = w.id AND c.version = w.before AND c.place < p.own
        RETURNING c.id, c.wake_ms, c.wake_ms = w.wake AS is_woken
    ), woken AS (
        INSERT INTO wakes (due_ms, cart) SELECT wake_ms, id FROM changed WHERE is_woken ON CONFLICT DO NOTHING
    ), moved AS (
        UPDATE stock AS s
        SET available = m.available + m.to_available, held = m.held + m.to_held, sold = m.sold + m.to_sold
        FROM unnest($10::text[], $11::text[], $12::int8[], $13::int8[], $14::int8[], $15::int8[], $16::int8[],
                $17::int8[], $18::int8[], $19::int8[])
            AS m (sku, location, available, held, sold, safety, owed_max, to_available, to_held, to_sold)
        WHERE s.sku = m.sku AND s.location = m.location
            AND (s.available, s.held, s.sold, s.safety, s.owed_max)
                = (m.available, m.held, m.sold, m.safety, m.owed_max)
        RETURNING s.sku
    ), told AS (",
    publish!("(SELECT own FROM place)", "$20::uuid[], $21::int8[], $22::text[], $23::text[], $24::text[], $25::text[]"),
    ")
    SELECT 1 / ((SELECT count(*) FROM changed) = cardinality($1)
        AND (SELECT count(*) FROM moved) = cardinality($10)
        AND ($26::int8 IS NULL OR $26 = (SELECT revision FROM revisions WHERE name = 'shelves')))::int"
);

/// Inserts carts; fails where somebody else has opened one meanwhile.
pub const INSERT: &str = concat!(
    "WITH place AS MATERIALIZED (SELECT ",
    place!(),
    " AS own)
    INSERT INTO carts (id, owner, version, is_ordered, holds_expire_at_ms, opened, place, state, idle_due_ms, wake_ms)
    SELECT w.id, w.owner, w.version, w.is_ordered, w.holds, p.own + w.n, p.own, w.state, w.due, w.wake
    FROM place AS p CROSS JOIN unnest($1::text[], $2::text[], $3::int8[], $4::bool[], $5::int8[], $6::text[],
        $7::int8[], $8::int8[]) WITH ORDINALITY AS w (id, owner, version, is_ordered, holds, state, due, wake, n)
    ORDER BY w.id"
);

/// Writes the wakes of new carts.
pub const WAKE: &str = "INSERT INTO wakes (due_ms, cart) SELECT * FROM unnest($1::int8[], $2::text[])";

/// Gives carts to their new owners; fails where one is gone. Few turns do, so it is no part of the statement that every turn
/// runs.
pub const CLAIM: &str = "WITH claimed AS (
        UPDATE carts AS c SET owner = w.owner FROM unnest($1::text[], $2::text[]) AS w (id, owner)
        WHERE c.id = w.id
        RETURNING c.id
    )
    SELECT 1 / (count(*) = cardinality($1))::int FROM claimed";

/// Keeps answers.
pub const KEEP: &str = "INSERT INTO idempotency_keys (cart, key, fingerprint, answer, at_ms)
    SELECT w.cart, w.key, w.fingerprint, w.answer, w.at_ms
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int8[])
        AS w (cart, key, fingerprint, answer, at_ms)";

/// Is what a turn writes, on its way to the server.
pub struct Writes<'w> {
    /// The turn's transaction.
    pub transaction: &'w Transaction,
    /// The turn's statements.
    pub statements: &'w Statements,
    /// What is written.
    pub staged: &'w Staged,
    /// The levels that were decided on.
    pub stock: &'w StockLevels,
    /// The revision of all levels that was decided on, where nothing is locked.
    pub revision: Option<i64>,
}

impl<'w> Writes<'w> {
    /// Reports whether [`CHANGE`] has something to do; then it compares the revision.
    pub fn are_changing(&self) -> bool {
        let Staged { carts, movements, events, .. } = self.staged;
        carts.iter().any(|write| write.before > 0) || !movements.is_empty() || !events.is_empty()
    }

    /// Reports whether [`CHANGE`] is all there is to do.
    pub fn are_one(&self) -> bool {
        let Staged {
            carts,
            movements: _,
            postings,
            balances,
            orders,
            order_updates,
            payments,
            keys,
            exposures,
            events: _,
            outcome: _,
        } = self.staged;
        carts.iter().all(|write| write.before > 0 && !write.is_claimed)
            && postings.is_empty()
            && balances.is_empty()
            && orders.is_empty()
            && order_updates.is_empty()
            && payments.is_empty()
            && keys.is_empty()
            && exposures.is_empty()
            && self.are_changing()
    }

    /// Lists the writes in the one order of locks. The exposures that were new are told behind them.
    pub fn all(&'w self, exposed: &'w mut Vec<Exposure>) -> [Sending<'w>; 13] {
        let Self { transaction, statements, staged, .. } = *self;
        [
            Box::pin(self.insert()),
            Box::pin(self.change(error::of_query)),
            Box::pin(self.claim()),
            Box::pin(self.wake()),
            Box::pin(post::move_old(self)),
            Box::pin(post::begin_new(self)),
            Box::pin(post::enter(self)),
            Box::pin(orders::insert(transaction, &statements.order, &staged.orders)),
            Box::pin(payments::enter(transaction, &statements.enter_payment, &staged.payments)),
            Box::pin(payments::strike(transaction, &statements.strike_payment, &staged.payments)),
            Box::pin(orders::change(transaction, &statements.change_order, &staged.order_updates)),
            Box::pin(self.keep()),
            Box::pin(async {
                *exposed = experiments::log(transaction, &statements.expose, &staged.exposures).await?;
                Ok(())
            }),
        ]
    }

    async fn execute(&self, statement: &Statement, is_needless: bool, params: &Params<'_>) -> Result<()> {
        execute_unless(is_needless, self.transaction, statement, params).await
    }

    fn carts(&self, are_new: bool) -> Result<CartColumns<'w>> {
        CartColumns::of(self.staged.carts.iter().filter(|write| (write.before == 0) == are_new))
    }

    /// Runs [`CHANGE`]; what an error means depends on who commits.
    pub async fn change(&self, meaning: fn(&Error) -> StoreError) -> Result<()> {
        if !self.are_changing() {
            return Ok(());
        }
        let c = self.carts(false)?;
        let movements = &self.staged.movements;
        let before: Vec<StockLevel> =
            movements.keys().map(|slot| self.stock.at(slot).unwrap_or_default()).collect();
        let levels = LevelColumns::of(movements.keys().zip(&before));
        let part = |of: fn(&Movement) -> i64| movements.values().map(of).collect::<Vec<i64>>();
        let (available, held, sold) = (part(|m| m.available), part(|m| m.held), part(|m| m.sold));
        let events = EventColumns::of(&self.staged.events);
        let mut params: Vec<&(dyn ToSql + Sync)> =
            vec![&c.ids, &c.before, &c.versions, &c.ordered, &c.holds, &c.states, &c.moved, &c.due, &c.wakes];
        params.extend(levels.params());
        params.extend([&available as &(dyn ToSql + Sync), &held, &sold]);
        params.extend(events.params());
        params.push(&self.revision);
        let done = self.transaction.execute(&self.statements.change, &params).await;
        done.map(drop).map_err(|e| meaning(&e))
    }

    async fn insert(&self) -> Result<()> {
        let c = self.carts(true)?;
        let params: &Params<'_> =
            &[&c.ids, &c.owners, &c.versions, &c.ordered, &c.holds, &c.states, &c.due, &c.wakes];
        self.execute(&self.statements.insert, c.ids.is_empty(), params).await
    }

    async fn claim(&self) -> Result<()> {
        let claimed = || self.staged.carts.iter().filter(|write| write.is_claimed).map(|write| &write.cart);
        let ids: Vec<&str> = claimed().map(|cart| cart.id.as_str()).collect();
        let owners: Vec<&str> = claimed().map(|cart| cart.owner.as_str()).collect();
        self.execute(&self.statements.claim, ids.is_empty(), &[&ids, &owners]).await
    }

    async fn wake(&self) -> Result<()> {
        let new = self.staged.carts.iter().filter(|write| write.before == 0);
        let due = new.filter_map(|write| Some((write.due_ms()?, write.cart.id.as_str())));
        let (due, carts): (Vec<i64>, Vec<&str>) = due.unzip();
        self.execute(&self.statements.wake, due.is_empty(), &[&due, &carts]).await
    }

    async fn keep(&self) -> Result<()> {
        let keys = &self.staged.keys;
        let carts: Vec<&str> = keys.iter().map(|k| k.key.cart.as_str()).collect();
        let names: Vec<&str> = keys.iter().map(|k| k.key.key.as_str()).collect();
        let fingerprints: Vec<&str> = keys.iter().map(|k| k.fingerprint.as_str()).collect();
        let answers: Vec<String> = keys.iter().map(|k| to_json(&k.answer)).collect::<Result<_>>()?;
        let times: Vec<i64> = keys.iter().map(|k| k.at_ms).collect();
        let params: &Params<'_> = &[&carts, &names, &fingerprints, &answers, &times];
        self.execute(&self.statements.keep, keys.is_empty(), params).await
    }
}

/// Is the part of both statements on carts that is the same, column by column.
struct CartColumns<'w> {
    ids: Vec<&'w str>,
    owners: Vec<&'w str>,
    before: Vec<i64>,
    versions: Vec<i64>,
    ordered: Vec<bool>,
    holds: Vec<Option<i64>>,
    states: Vec<String>,
    moved: Vec<bool>,
    due: Vec<Option<i64>>,
    wakes: Vec<Option<i64>>,
}

impl<'w> CartColumns<'w> {
    fn of(writes: impl Iterator<Item = &'w CartWrite> + Clone) -> Result<Self> {
        let carts = || writes.clone().map(|write| &*write.cart);
        let (moved, due) = writes.clone().map(|write| write.idle.columns()).unzip();
        Ok(Self {
            ids: carts().map(|cart| cart.id.as_str()).collect(),
            owners: carts().map(|cart| cart.owner.as_str()).collect(),
            before: writes.clone().map(|write| bigint(write.before)).collect(),
            versions: carts().map(|cart| bigint(cart.version)).collect(),
            ordered: carts().map(|cart| cart.is_closed()).collect(),
            holds: carts().map(|cart| cart.holds_expire_at_ms).collect(),
            states: carts().map(to_json).collect::<Result<_>>()?,
            moved,
            due,
            wakes: writes.clone().map(|write| write.due_ms()).collect(),
        })
    }
}
