//! Everybody at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use seatkeeper::tls::Identity;
use seatkeeper::wire::Status;
use seatkeeper::wire::messages::Response;
use tokio::sync::Barrier;

use crate::site::Site;
use crate::wire::{Wire, checkout, mac};

const IDENTITIES: u16 = 300;
const SEATS: u32 = 200;
const LIMITS: &str = "[limits]\nconnections_per_source = 400\nnew_seats_per_source_and_minute = 100000\n";

// proves S1
// proves S2
// proves V2
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_hundred_identities_at_a_barrier_get_exactly_two_hundred_seats() {
    let mut site = Site::open_with(LIMITS);
    // Over three licenses: the sum counts.
    site.buy(1, "BKSRV", 100);
    site.buy(2, "BKSRV", 99);
    site.buy(3, "BKSRV", 1);
    let (server, vendor) = (site.server().address(), site.vendor.id());
    let barrier = Arc::new(Barrier::new(usize::from(IDENTITIES)));
    let mut clients = Vec::new();
    for number in 1..=IDENTITIES {
        let barrier = Arc::clone(&barrier);
        clients.push(tokio::spawn(async move {
            let identity = Identity::generate().expect("identity");
            let (mut wire, _) = Wire::hello(server, &identity).await.expect("HELLO");
            barrier.wait().await;
            wire.ask(&checkout(vendor, "BKSRV", "agent", mac(number)))
                .await
                .expect("an answer")
        }));
    }
    let done = Arc::new(AtomicBool::new(false));
    let watcher = {
        let (site, done) = (site, Arc::clone(&done));
        tokio::task::spawn_blocking(move || {
            loop {
                let last = done.load(Ordering::SeqCst);
                site.check_counts();
                if last {
                    return site;
                }
            }
        })
    };
    let (mut granted, mut refused) = (0, 0);
    for client in clients {
        match client.await.expect("client") {
            Response::Checkout(_) => granted += 1,
            Response::Refused(Status::SEATS_EXHAUSTED, refusal) => {
                assert_eq!(
                    (refusal.used, refusal.total),
                    (Some(u64::from(SEATS)), Some(u64::from(SEATS)))
                );
                assert!(refusal.earliest_renew_by.is_some());
                refused += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    done.store(true, Ordering::SeqCst);
    site = watcher.await.expect("the watcher");
    assert_eq!((granted, refused), (SEATS, u32::from(IDENTITIES) - SEATS));
    let before = site.audit();
    assert_eq!(
        before
            .iter()
            .map(|license| license["used"].as_u64().unwrap())
            .sum::<u64>(),
        u64::from(SEATS)
    );
    site.kill();
    site.start();
    assert_eq!(site.audit(), before);
}
