//! The store as its callers see it. One suite runs on every database; what only files have is in `files`.
// Only functions marked as tests are exempt by themselves.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr)]

mod access;
mod away;
mod chat;
mod files;
mod fixture;
mod helping;
mod interleaved;
mod jobs;
mod leases;
mod library;
mod machines;
mod portable;
mod processes;
mod reading;
mod shelf;
mod tasks;
mod together;
mod versions;
mod wake;
mod workers;
mod writes;

/// Every case of the suite.
macro_rules! suite {
    ($backend:ident) => {
        suite!(
            $backend:
            tasks::a_stored_task_shows_every_default,
            tasks::storing_a_task_twice_is_storing_it_once,
            tasks::a_name_belongs_to_one_task,
            tasks::a_task_is_found_by_id_name_or_beginning_of_its_id,
            tasks::tasks_are_listed_newest_first_page_by_page,
            tasks::a_pending_task_is_cancelled_at_once_and_a_running_one_by_its_worker,
            tasks::a_task_in_use_cannot_be_deleted,
            tasks::a_deleted_task_leaves_only_the_event_of_its_deletion,
            leases::a_second_worker_is_refused_and_told_who_holds_the_task,
            leases::a_lease_can_be_claimed_from_the_moment_it_expires,
            leases::a_heartbeat_prolongs_and_learns_of_cancellation,
            leases::a_late_heartbeat_counts_unless_somebody_took_over,
            leases::fences_only_ever_grow,
            leases::a_lease_is_broken_only_under_the_fence_that_was_seen,
            leases::of_four_workers_racing_for_a_resource_one_wins,
            leases::leases_are_counted_in_real_time_whatever_rows_are_stamped_with,
            writes::every_write_done_twice_equals_the_write_done_once,
            writes::a_gpu_belongs_to_one_live_deployment,
            writes::a_stale_worker_cannot_finish_an_experiment,
            writes::a_stale_worker_can_write_nothing_at_any_step,
            writes::the_same_number_with_other_content_is_refused,
            writes::what_has_ended_stays_as_it_ended,
            writes::a_port_is_held_by_one_live_deployment,
            writes::a_takeover_interrupts_what_was_left_running,
            writes::gpu_seconds_are_counted_once_per_attempt,
            writes::a_cancelled_task_can_be_reopened_but_a_completed_one_cannot,
            writes::a_figure_that_is_not_finite_is_refused,
            writes::a_call_that_is_dropped_halfway_has_happened_or_not,
            reading::refreshing_equals_loading_after_every_write,
            reading::what_was_written_is_loaded_to_the_last_bit,
            reading::events_come_in_order_and_can_be_replayed_from_any_number,
            reading::a_follower_hears_every_event_once,
            reading::rows_and_events_carry_the_time_of_the_clock_given,
            jobs::a_job_is_done_and_its_story_told,
            jobs::every_write_of_a_job_done_twice_equals_the_write_done_once,
            jobs::a_key_belongs_to_one_live_job,
            jobs::of_racing_workers_each_job_goes_to_one,
            jobs::priority_then_time_then_age_decide_the_turn,
            jobs::a_job_goes_where_its_needs_are_met,
            jobs::a_stale_worker_cannot_finish_a_job,
            jobs::a_worker_paused_past_expiry_goes_on_unless_it_was_replaced,
            jobs::a_job_that_kills_its_workers_is_dead_after_its_last_attempt,
            jobs::the_job_of_a_worker_known_to_be_dead_need_not_wait_for_its_lease,
            jobs::a_failed_job_waits_longer_each_time_and_then_dies,
            jobs::a_released_job_keeps_its_turn_and_its_attempts,
            jobs::a_queued_job_is_cancelled_at_once_and_a_running_one_by_its_worker,
            jobs::jobs_are_listed_page_by_page_and_forgotten_when_old,
            together::a_task_and_its_job_are_stored_both_or_neither,
            together::stopping_a_pending_task_takes_its_job_out_of_the_queue,
            together::stopping_a_running_task_reaches_its_worker_through_the_job,
            together::a_completed_task_is_not_queued_again,
            helping::what_is_proposed_is_kept_once_in_order_and_reaches_whoever_plans,
            helping::an_experiment_has_a_lease_of_its_own_that_outlives_its_planner,
            helping::a_helper_that_was_given_up_can_write_nothing,
            helping::experiments_that_share_a_host_are_claimed_one_at_a_time_where_asked,
            helping::stopping_a_task_reaches_its_helpers,
            helping::helpers_that_nobody_has_become_go_with_the_end_of_the_task,
            together::events_become_visible_in_the_order_of_their_numbers,
            workers::a_worker_is_known_with_what_it_has_until_it_is_silent,
            workers::a_worker_obeys_with_its_next_heartbeat,
            workers::a_worker_of_an_older_version_is_refused_by_name,
            access::a_key_stands_for_one_request_until_its_answer_expires,
            access::a_request_of_unknown_end_is_done_again_under_the_same_id,
            access::an_audit_row_is_there_before_its_change_and_learns_its_end,
            access::a_revoked_token_is_listed_and_does_not_work,
            library::an_edit_stores_another_row_and_the_old_one_keeps_its_experiments,
            library::a_task_at_work_is_not_edited_or_archived,
            library::archived_and_replaced_tasks_are_left_out_of_lists,
            library::experiments_are_sorted_with_unknown_figures_last_and_paged_without_gaps,
            shelf::a_preset_is_stored_changed_renamed_and_forgotten_and_each_change_is_told,
            shelf::a_data_set_is_kept_while_a_task_may_read_it,
            machines::a_machine_is_stored_changed_deployed_to_renamed_and_forgotten_and_each_change_is_told,
            machines::a_worker_has_the_name_of_the_machine_that_it_was_deployed_to_or_of_its_host,
            chat::what_followers_of_a_conversation_hear_is_what_its_rows_hold,
            chat::a_grant_is_used_until_it_is_taken_back,
            chat::what_is_said_meanwhile_waits_its_turn,
            chat::conversations_are_listed_and_found,
            chat::a_conversation_is_told_of_a_task_once,
            interleaved::whatever_four_do_at_once_a_call_is_done_at_most_once_and_ends_exactly_once,
            portable::what_is_dumped_is_loaded_to_the_last_bit_on_every_database,
            portable::a_load_that_is_cut_off_or_cannot_be_read_changes_nothing,
            library::what_a_page_shows_is_what_the_rows_hold,
            library::an_ended_experiment_is_shown_as_its_rows_are,
            library::a_probe_writes_and_reads_and_counts_are_by_word,
        );
    };
    ($backend:ident: $($module:ident::$case:ident),* $(,)?) => {
        mod $backend {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    if let Some(fixture) = crate::fixture::Fixture::$backend().await {
                        crate::$module::$case(fixture).await;
                    }
                }
            )*
        }
    };
}

/// What several processes share. A database in memory has only one.
macro_rules! shared {
    ($backend:ident) => {
        suite!(
            $backend:
            processes::jobs_of_workers_killed_at_any_moment_are_each_done_once,
            wake::a_waiting_worker_learns_of_a_job_of_another_process_within_100_ms,
            wake::a_follower_hears_of_another_process_within_100_ms,
            wake::a_waiting_worker_wakes_when_a_scheduled_job_is_in_turn,
            wake::a_lease_that_expires_wakes_whoever_may_take_over,
        );
    };
}

suite!(memory);
suite!(file);
suite!(postgres);

mod between_processes {
    shared!(file);
    shared!(postgres);
}
