//! The engine in trouble: tools without a licence or memory, guards that are killed, runs that fail beside others,
//! sandboxes, second tapeouts, and what a killed one leaves behind. Each module has the laws of one subject.
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test starts programs, and fails by panic")]

#[path = "../common/mod.rs"]
mod common;
mod confined;
mod crashes;
mod licences;
mod memory;
mod processes;
mod reads;
mod repeat;
mod sandbox;
mod sharing;
mod stopping;
mod tools;
mod why;

fn main() {
    tapeout_engine::serve_if_asked();
    processes::play_if_asked();
    common::run_tests(named![
        licences::tokens_keep_jobs_within_the_seats,
        licences::without_a_licence_a_job_waits_and_nothing_is_recorded,
        licences::a_job_that_waits_for_a_licence_holds_no_core,
        licences::a_stop_ends_the_wait_for_a_licence,
        licences::the_wait_for_a_licence_has_an_end,
        licences::a_second_run_waits_for_a_licence_too,
        licences::no_licence_is_no_result_even_where_the_status_is_one,
        memory::out_of_memory_is_tried_again_with_nothing_else_running,
        memory::out_of_memory_for_the_second_time_is_a_failure_of_the_environment,
        crashes::a_job_that_was_lost_with_its_guard_runs_again_under_another,
        crashes::a_job_that_is_lost_twice_fails,
        crashes::a_time_out_ends_the_whole_tree_and_is_not_tried_again,
        crashes::what_need_not_come_to_an_end_has_a_status_when_its_time_is_over,
        stopping::the_first_failure_ends_the_processes_of_the_run,
        stopping::with_keep_going_only_what_needs_the_failed_job_is_skipped,
        stopping::a_failure_that_its_parent_handles_stops_nothing,
        stopping::a_failure_in_one_run_of_an_engine_leaves_the_other_alone,
        stopping::nothing_starts_after_a_stop,
        sandbox::what_is_not_declared_is_denied_and_named,
        sandbox::a_program_that_is_not_declared_is_denied_and_named,
        sandbox::what_is_declared_and_what_systems_have_can_be_used,
        sandbox::nothing_is_written_outside,
        sandbox::a_tool_in_the_project_does_not_open_the_project,
        sandbox::without_strace_the_failure_says_what_would_help,
        confined::it_reads_what_is_listed_and_writes_nothing,
        confined::it_has_nothing_of_our_environment,
        confined::nothing_is_left_of_one_that_does_not_end,
        confined::what_it_prints_and_what_it_needs_has_limits,
        confined::a_program_that_is_missing_is_named,
        repeat::a_tool_that_fails_the_second_time_is_told_and_its_first_result_stays,
        repeat::a_second_run_tells_which_bytes_differ_and_the_first_result_stays,
        sharing::two_tapeouts_run_the_same_job_once,
        sharing::two_jobs_with_the_same_invocation_run_it_once,
        sharing::who_waits_for_another_tapeout_holds_no_core,
        sharing::when_the_other_one_fails_the_waiting_one_runs_it,
        sharing::the_tools_of_a_killed_tapeout_are_ended_by_the_next,
        reads::a_job_runs_again_only_for_the_parts_that_it_sees,
        reads::equal_metrics_stop_the_wave,
        reads::metrics_with_like_names_are_read_together,
        reads::a_header_counts_when_it_appears_changes_or_vanishes,
        reads::edits_within_one_tick_are_seen,
        reads::what_changes_while_a_job_runs_is_not_recorded_even_if_it_changes_back,
        tools::an_edited_tool_or_companion_runs_its_jobs_again,
        tools::a_tool_elsewhere_with_the_same_content_is_the_same,
        why::changed_parts_are_told_with_old_and_new_values,
        why::changed_files_are_told_by_what_became_of_them,
        why::changed_inputs_are_told_by_their_job,
        why::a_changed_tool_is_told_by_its_version_or_its_path,
        why::a_changed_answer_and_a_lost_file_are_told,
    ])
}
