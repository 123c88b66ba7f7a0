//! Seatkeeper on networks: hosts in network namespaces, the real binary on each.
//!
//! Needs Linux, `unshare`, `nsenter` and `ip`, and permission to make user namespaces; where that is missing the tests
//! count as ignored, or as failed with `SEATKEEPER_LAN=require`. So do those that need root or systemd besides. Those that
//! need `strace`, `dnsmasq` or `seatprobe` count as ignored where there is none.

#![expect(
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a helper that panics fails its test, as it should"
)]

mod addresses;
mod crowd;
mod disk;
mod doctor;
mod finding;
mod guides;
mod lab;
mod least;
mod machine;
#[path = "../support/process.rs"]
#[expect(dead_code, reason = "shared with the system tests, which need more of it")]
mod process;
mod routes;
mod servers;
mod shop;
mod silence;
mod syncs;
#[path = "../support/vendor.rs"]
#[expect(dead_code, reason = "shared with the system tests, which need more of it")]
mod vendor;
#[path = "../support/wire.rs"]
mod wire;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

/// A test: its name, which is its claim, and what proves it.
type Test = (&'static str, fn());

const TESTS: &[Test] = &[
    (
        "a_server_that_listens_on_one_subnet_is_found_on_no_other",
        routes::listening_on_one_subnet,
    ),
    (
        "a_server_that_moved_is_found_again_by_its_identity",
        routes::moved_server,
    ),
    (
        "a_server_with_two_interfaces_is_found_on_both_subnets",
        routes::two_subnets,
    ),
    (
        "a_server_is_found_where_the_default_route_leads_elsewhere",
        routes::default_route_elsewhere,
    ),
    (
        "a_server_is_found_where_there_is_no_route_at_all",
        routes::no_default_route,
    ),
    (
        "on_a_full_disk_held_seats_go_on_no_new_one_is_given_and_room_is_noticed",
        disk::full_disk,
    ),
    (
        "both_of_two_servers_are_listed_and_a_pinned_agent_uses_only_its_own",
        servers::two_servers,
    ),
    (
        "a_server_with_the_wanted_product_is_preferred",
        servers::the_one_with_the_product,
    ),
    (
        "an_agent_without_server_ends_with_3_inside_its_deadline",
        servers::no_server,
    ),
    (
        "a_server_that_falls_silent_does_not_hang_its_agent",
        servers::silent_server,
    ),
    (
        "a_container_has_no_mac_to_offer_and_is_told_both_options",
        addresses::no_mac,
    ),
    (
        "a_server_is_found_over_ipv6_link_local_alone",
        addresses::link_local_only,
    ),
    (
        "a_server_behind_a_router_is_found_by_those_who_are_told_of_it_and_each_path_says_what_came_of_it",
        finding::behind_a_router,
    ),
    (
        "a_server_is_used_where_the_network_passes_no_broadcasts",
        finding::without_broadcasts,
    ),
    (
        "an_adapter_that_comes_goes_and_comes_again_is_picked_up_by_a_running_server",
        finding::plugged_in_late,
    ),
    (
        "everybody_is_asked_on_the_interfaces_that_the_site_chose_and_on_no_other",
        finding::on_chosen_interfaces,
    ),
    (
        "a_server_is_used_by_a_link_local_address_with_its_interface",
        finding::on_one_link,
    ),
    (
        "a_server_opens_no_connection_and_sends_nothing_that_was_not_asked_for",
        silence::counted,
    ),
    ("what_a_guide_shows_is_compared_with_what_is_printed", guides::comparing),
    (
        "three_hundred_identities_in_three_namespaces_get_exactly_two_hundred_seats",
        crowd::three_namespaces,
    ),
];

/// A test that not every machine can run on which labs can be made: what it needs as well.
type Demanding = (&'static str, fn(), fn() -> Result<(), String>);

const DEMANDING: &[Demanding] = &[
    (
        "doctor_says_that_nothing_listens_there_or_that_there_is_no_network",
        doctor::nothing_listens,
        doctor::built,
    ),
    (
        "doctor_tells_a_firewall_that_drops_tcp_from_one_that_drops_udp",
        doctor::firewalls,
        doctor::built,
    ),
    (
        "doctor_tells_a_server_that_is_not_trusted_from_the_one_that_is",
        doctor::rogue,
        doctor::built,
    ),
    (
        "doctor_looks_wherever_agents_look_and_says_of_each_path_what_came_of_it",
        doctor::beyond_a_router,
        doctor::built,
    ),
    (
        "doctor_tells_an_unknown_product_no_free_seat_and_a_conflict_and_engages_nothing",
        doctor::rules,
        doctor::built,
    ),
    (
        "a_listener_beside_a_server_hears_who_asks_and_who_answers",
        doctor::listening,
        doctor::built,
    ),
    (
        "doctor_says_that_enrolment_is_closed_until_the_component_is_enrolled",
        doctor::enrolment,
        doctor::built,
    ),
    (
        "as_the_unit_runs_it_the_server_serves_imports_checkpoints_and_restarts",
        least::hardened,
        least::root,
    ),
    (
        "the_servers_of_the_sites_dns_are_used_in_the_order_of_their_records_across_a_router",
        finding::by_dns,
        finding::dnsmasq,
    ),
    (
        "systemd_enforces_what_the_unit_says_on_the_server_that_it_runs",
        least::enforced,
        machine::possible,
    ),
    (
        "the_unit_is_sound_and_leaves_little_exposed",
        least::sound_unit,
        least::systemd,
    ),
    (
        "an_administrator_and_a_vendor_who_type_what_the_guides_say_get_what_they_say",
        guides::every_day,
        machine::possible,
    ),
    (
        "whoever_is_woken_at_night_and_types_what_the_guide_says_has_the_server_back",
        guides::at_night,
        machine::possible,
    ),
    (
        "a_server_moves_and_keys_are_changed_by_what_the_guide_says",
        guides::moving,
        machine::possible,
    ),
    (
        "nothing_counts_before_it_is_on_the_disk_as_the_system_calls_of_a_server_show",
        syncs::in_order,
        least::tracing,
    ),
    (
        "every_system_call_is_one_that_the_unit_allows_and_none_connects_or_writes_elsewhere",
        least::system_calls,
        least::tracing,
    ),
];

fn main() -> ExitCode {
    if let Some(part) = crowd::part().or_else(least::part) {
        return part;
    }
    let mut arguments = Arguments::from_args();
    let possible = if arguments.list { Ok(()) } else { lab::enter() };
    if let Err(reason) = &possible {
        eprintln!("\nNO LAN TESTS: this machine cannot make network namespaces ({reason})\n");
        if lab::is_required() {
            return ExitCode::FAILURE;
        }
    }
    let mut demanding = Vec::new();
    for &(name, test, needs) in DEMANDING {
        let met = match &possible {
            Ok(()) if !arguments.list => needs(),
            other => other.clone(),
        };
        if let (Ok(()), Err(reason)) = (&possible, &met) {
            eprintln!("\nNOT TESTED: {name} ({reason})\n");
            if lab::is_required() && least::is_essential(needs) {
                return ExitCode::FAILURE;
            }
        }
        let run = move || {
            test();
            Ok(())
        };
        demanding.push(Trial::test(name, run).with_ignored_flag(met.is_err()));
    }
    // Each waits much more than it works: for questions, silence and starts.
    arguments.test_threads = arguments.test_threads.or(Some(6));
    let trial = |&(name, test): &Test| {
        let run = move || {
            test();
            Ok(())
        };
        Trial::test(name, run).with_ignored_flag(possible.is_err())
    };
    // Those that take longest begin first.
    let trials = demanding.into_iter().chain(TESTS.iter().map(trial)).collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}
