//! The contract of every store: one suite, run against memory, SQLite and PostgreSQL.

/// Makes each function a test on the stores that have tables.
macro_rules! on_tables {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(crate::store_contract::subject::Subject::sqlite().await).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(crate::store_contract::subject::Subject::postgres().await).await;
            })+
        }
    };
}

mod accounts;
mod audit;
mod carts;
mod catalogue;
mod double;
mod experiments;
mod keys;
mod orders;
mod outbox;
mod rollups;
mod schema;
mod subject;
mod till;

/// Makes each function of the rooms a test on every store.
macro_rules! on_every_store {
    ($($room:ident { $($name:ident),+ $(,)? })+) => {
        mod memory {
            $($(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$room::$name(super::subject::Subject::memory()).await;
            })+)+
        }
        mod sqlite {
            $($(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$room::$name(super::subject::Subject::sqlite().await).await;
            })+)+
        }
        mod postgres {
            $($(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$room::$name(super::subject::Subject::postgres().await).await;
            })+)+
        }
    };
}

on_every_store! {
    carts {
        sixty_four_shoppers_buy_no_more_than_fifty,
        commands_to_one_cart_at_once_are_all_applied,
        a_cart_is_opened_once,
        a_write_guarded_by_a_stale_version_is_refused_whole,
        a_cart_that_exists_is_not_opened_over,
        a_movement_below_zero_is_refused_whole,
        a_stale_expectation_is_rejected,
        one_rejection_leaves_its_neighbours_committed,
        a_turn_loads_what_memory_does_not_have,
        a_turn_without_writes_is_answered,
        a_panic_in_a_decision_reaches_its_caller_and_leaves_nothing_open,
        ended_holds_are_found_and_given_back,
        the_newest_cart_that_is_no_order_is_found,
        only_a_shared_store_tells_of_others,
        a_cart_that_cannot_be_read_fails_alone,
    }
    keys {
        a_replay_gives_the_same_answer,
        replays_at_once_have_one_effect,
        a_key_used_for_another_request_is_visible,
        keys_are_forgotten_by_age,
        a_turn_whose_caller_went_away_heals,
    }
    catalogue {
        products_are_put_with_one_outcome_each,
        a_supply_below_what_is_taken_is_refused_alone,
        a_catalogue_is_sent_where_its_revision_is_new,
        tracked_products_without_pieces_are_sold_out,
        supplies_that_change_under_buying_lose_no_piece,
    }
    orders {
        an_order_reads_back_as_it_was_placed,
        an_import_is_idempotent_and_touches_no_stock,
        the_orders_of_a_visitor_come_newest_first,
    }
    experiments {
        a_definition_is_saved_over_the_revision_that_was_read,
        one_of_many_savers_wins,
        definitions_are_sent_where_their_revision_is_new,
        a_unit_is_exposed_once,
        a_turn_exposes_before_what_follows,
    }
    outbox {
        every_event_is_seen_once_while_others_write,
        cursors_remember_and_lag_is_counted,
        a_lease_is_held_by_one_process_until_it_ends,
    }
    rollups {
        roll_ups_read_back_and_looks_stay,
        a_step_from_another_place_is_refused_whole,
        roll_ups_can_be_rebuilt,
    }
    accounts {
        a_user_is_kept_and_changed,
        a_session_ends,
    }
    audit {
        a_shop_that_lived_is_clean,
        pieces_held_by_nobody_are_found,
    }
}
