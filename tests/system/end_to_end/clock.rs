//! How the server takes its clock, as administrators see it. Clocks that jump are the service's own tests.

use super::cause;
use crate::site::Site;

// proves T2
#[test]
fn a_clock_that_is_fine_is_told_and_there_is_nothing_to_accept() {
    let site = Site::open();
    let clock = site.json(["clock", "show"]);
    assert_eq!(clock["standing"], "fine", "{clock}");
    assert!(clock["mark"].is_string() && clock["jump_secs"].is_null(), "{clock}");
    let told = site.admin(["clock", "show"]).ok();
    assert!(told.contains("the clock is taken as it is"), "{told}");
    for sure in ["--yes", "--dry-run"] {
        let refused = site.admin(["clock", "accept", sure]).failed_with(4);
        assert!(cause(&refused).contains("no jump"), "{refused:?}");
    }
    let status = site.json(["status"]);
    assert_eq!(status["clock"]["standing"], "fine", "{status}");
    let told = site.admin(["status"]).ok();
    assert!(!told.contains("WARNING"), "{told}");
}

// proves T2
#[test]
fn a_reset_makes_the_calendar_the_time_that_counts() {
    let site = Site::open();
    let told = site.admin(["clock", "reset", "--dry-run"]).ok();
    assert!(
        told.contains("dates after") && told.contains("no seat ends by it") && told.contains("nothing was done"),
        "{told}"
    );
    // Nobody is at a terminal here: it says what it would do, and stops.
    let told = site.admin(["clock", "reset"]).failed_with(2);
    assert!(told.stdout.contains("it becomes"), "{told:?}");
    assert!(cause(&told).contains("--yes"), "{told:?}");
    site.admin(["clock", "reset", "--json"]).failed_with(2);
    let clock = site.json(["clock", "reset", "--yes"]);
    assert_eq!(clock["standing"], "fine", "{clock}");
    let told = site.admin(["clock", "reset", "--yes"]).ok();
    assert!(told.contains("is what the server's clock says"), "{told}");
    site.buy(1, "BKSRV", 1);
    site.agent(1, "checkout", "BKSRV", "agent").ok();
    site.audit();
}
