//! Experiments that cannot win. B2: a level is ended as soon as its experiment surely cannot.

use super::World;

worlds! {
    a_certain_loser_is_ended_at_the_level_that_decides_and_ranks_below_whatever_was_measured_whole: "
        experiments 5
        try 1 2 3 4
        0: 100@50, 150@90
        1: 100@50, 110@90
        2: 130@50, 110@90
        3: 100@50, 125@90
        4: 100@50, 170@90"

    at_the_worst_level_any_level_decides_and_the_rest_is_left_out: "
        experiments 4
        objective minimize_ttft
        blocks 2
        try 1 2 3
        0: 100@50, 150@90
        1: 100@120, 150@80
        2: 100@40, 150@70
        3: 100@30, 150@80"

    nobody_is_a_loser_where_the_task_does_not_want_it: "
        experiments 3
        losing false
        try 1 2
        0: 100@50, 150@90
        1: 50@50, 60@90
        2: 40@50, 50@90"

    neither_the_baseline_nor_a_run_of_the_verification_is_ended_as_a_loser: "
        experiments 2
        blocks 2
        one-level 8
        try 1
        0: 100@50 | 100@50 | 100@50
        1: 150@50 | 60@50 | 60@50"
}
