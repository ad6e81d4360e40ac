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

mod admins;
mod audit;
mod carts;
mod catalogue;
mod deliveries;
mod documents;
mod double;
mod experiments;
mod histories;
mod keys;
mod ledger;
mod lists;
mod orders;
mod outbox;
mod races;
mod report_links;
mod rollups;
mod schema;
mod search;
mod shares;
mod shelf_counts;
mod stock_requests;
pub mod subject;
mod till;
mod users;
mod webhooks;

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
        bundles_move_the_pieces_of_their_parts,
        gifts_are_held_sold_and_given_back,
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
        a_cart_that_goes_on_is_put_off_and_found_at_its_later_time,
        carts_that_nobody_touches_are_found_when_they_are_due,
        the_newest_cart_that_is_no_order_is_found,
        a_listener_hears_all_that_others_change,
        a_cart_that_cannot_be_read_fails_alone,
    }
    lists {
        a_list_is_written_over_its_version_before_only,
        lists_are_limited_listed_and_deleted_by_owner,
        lists_of_two_devices_at_once_stay_within_the_limit,
        all_lists_of_an_owner_become_anothers,
    }
    documents {
        a_document_is_revised_over_its_last_revision_only,
    }
    shelf_counts {
        counts_of_shelves_add_up_by_days,
    }
    report_links {
        a_link_lives_until_it_ends_or_is_taken_back,
        an_experiment_has_so_many_links_and_no_more,
    }
    shares {
        a_share_lives_until_it_ends,
        a_share_is_ended_by_its_cart_once,
        a_cart_has_so_many_shares_and_no_more,
        what_has_ended_makes_room,
    }
    stock_requests {
        an_address_waits_for_a_product_once,
        the_oldest_requests_are_told_first_and_once,
        a_wave_counts_what_was_told_in_its_span,
        processes_that_tell_at_once_tell_each_request_once,
        requests_are_withdrawn_by_address_and_end_by_themselves,
        demand_is_paged_from_the_most_wanted,
        what_waits_longest_gives_way,
    }
    users {
        an_address_is_one_account,
        a_user_belongs_to_a_group_or_to_none,
        accounts_of_one_address_at_once_are_one,
        a_user_session_lives_until_it_ends,
        a_user_has_a_list_of_devices,
        a_new_password_ends_the_other_sessions,
        attempts_are_counted_by_window,
        other_processes_hear_of_ended_sessions,
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
        stock_of_other_locations_is_changed_by_hand_and_kept_apart,
        pieces_are_owed_up_to_a_limit_and_filled_by_a_supply,
        supplies_that_change_under_buying_lose_no_piece,
    }
    orders {
        an_order_reads_back_as_it_was_placed,
        an_import_is_idempotent_and_touches_no_stock,
        the_orders_of_a_visitor_come_newest_first,
        what_a_visitor_bought_is_known_of_many_orders,
        what_becomes_of_an_order_is_kept_and_found,
        payments_are_listed_until_they_end,
    }
    experiments {
        a_definition_is_saved_over_the_revision_that_was_read,
        one_of_many_savers_wins,
        definitions_are_sent_where_their_revision_is_new,
        imported_features_come_with_the_definitions,
        an_exposure_tells_its_attributes,
        a_tracked_event_is_logged_once_by_its_id,
        a_unit_is_exposed_once,
        a_turn_exposes_before_what_follows,
    }
    outbox {
        every_event_is_seen_once_while_others_write,
        cursors_remember_and_lag_is_counted,
        a_lease_is_held_by_one_process_until_it_ends,
        events_of_some_types_are_read_and_the_rest_is_passed,
    }
    histories {
        what_is_said_of_a_history_is_kept_and_told_once,
        two_who_speak_for_a_unit_at_once_are_told_in_turn,
    }
    deliveries {
        a_new_sink_begins_at_the_end_of_the_outbox,
        a_step_moves_its_cursor_or_writes_nothing,
        deliveries_are_due_listed_and_sent_again,
        the_log_is_bounded_by_age_and_number,
    }
    webhooks {
        an_endpoint_is_saved_over_the_revision_that_was_read,
        an_endpoint_is_deleted_with_all_that_belongs_to_it,
    }
    rollups {
        roll_ups_read_back_and_looks_stay,
        a_step_from_another_place_is_refused_whole,
        roll_ups_can_be_rebuilt,
        what_is_late_is_counted_behind_the_cursor,
    }
    admins {
        a_user_is_kept_and_changed,
        a_session_ends,
    }
    ledger {
        a_code_is_used_no_more_often_than_it_may,
        a_customer_uses_a_promotion_no_more_often_than_they_may,
        amounts_are_booked_once_a_cause,
        cards_are_issued_listed_and_stopped,
        a_balance_moves_from_where_it_was_read_and_once_a_cause,
    }
    search {
        products_are_found_by_their_words,
        slips_are_mended,
        hostile_queries_are_words,
        families_are_one_hit_and_facets_count_them,
        what_was_found_is_sorted_and_paged,
        the_index_follows_the_products,
    }
    audit {
        a_shop_that_lived_is_clean,
        pieces_held_by_nobody_are_found,
    }
}
