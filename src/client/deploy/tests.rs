use super::*;
use crate::client::connect;
use crate::client::testing::{Stub, hello_ok, identities};
use crate::tls::PinRule;
use crate::wire::messages::deploy::{HeldRow, ReservationsOk, ReserveOk, SettleOk};

const SERIAL: &str = "0123456789ABCDEF";

fn product() -> ProductName {
    ProductName {
        vendor: None,
        product: "BKSRV".parse().unwrap(),
    }
}

fn machine(last: u8) -> Mac {
    Mac::new([2, 0, 0, 0, 0, last]).unwrap()
}

async fn deployer(answer: impl FnMut(&Request) -> Option<Response> + Send + 'static) -> (Stub, Deployer) {
    let [client, server] = identities();
    let stub = Stub::start(&server, hello_ok(), answer).await;
    let deadline = Deadline::after(Duration::from_secs(20));
    let connection = connect(stub.address.into(), &client, PinRule::Any, deadline)
        .await
        .unwrap();
    let wait = Duration::from_secs(20);
    (stub, Deployer::new(connection, product(), wait))
}

fn row(last: u8) -> ReservationRow {
    ReservationRow {
        reservation: [last; 16],
        product: "BKSRV".to_owned(),
        lapses_at: 9,
        machines: vec![ReservedRow {
            mac: [2, 0, 0, 0, 0, last],
            reserved: wire::Reserved::UNIT,
            serial: Some(SERIAL.to_owned()),
        }],
        held: vec![HeldRow {
            serial: SERIAL.to_owned(),
            count: 3,
        }],
        ..ReservationRow::default()
    }
}

// proves X2
#[tokio::test]
async fn a_reservation_is_asked_for_as_set_and_told_with_what_it_has() {
    let (stub, deployer) = deployer(|request| match request {
        Request::Reserve(ask) => Some(Response::Reserve(ReserveOk {
            server_time: 1,
            reservation: ReservationRow {
                reservation: ask.reservation,
                ..row(1)
            },
        })),
        _ => None,
    })
    .await;
    let mut deployer = deployer.lasting(60).preferred_only();
    let id = new_reservation().unwrap();
    assert_ne!(id, new_reservation().unwrap());
    let told = deployer.reserve(id, &Wanted::Machines(vec![machine(1)])).await.unwrap();
    let license = SERIAL.parse().unwrap();
    assert_eq!((told.id, told.lapses_at), (id, Timestamp(9)));
    assert_eq!(told.machines, [(machine(1), Reserved::Unit(license))]);
    assert_eq!(told.held, [(license, 3)]);
    deployer.reserve(id, &Wanted::Seats(5)).await.unwrap();
    let asked = stub.asked();
    let [Request::Reserve(machines), Request::Reserve(seats)] = &asked[..] else {
        panic!("{asked:?}");
    };
    assert_eq!((machines.secs, machines.preferred_only), (Some(60), Some(true)));
    assert_eq!((machines.macs.len(), machines.count), (1, None));
    assert_eq!((seats.macs.len(), seats.count), (0, Some(5)));
}

// proves X2
#[tokio::test]
async fn each_machine_is_told_on_its_own() {
    let outcomes = [
        wire::Settled::ALREADY_COMMITTED,
        wire::Settled::COMMITTED,
        wire::Settled::COVERED,
        wire::Settled::ENGAGED,
        wire::Settled::GIVEN_BACK,
        wire::Settled::NOTHING_RESERVED,
        wire::Settled::REFUSED,
    ];
    let rows = (1..).zip(outcomes).map(|(last, outcome)| SettledRow {
        mac: [2, 0, 0, 0, 0, last],
        outcome,
        serial: (outcome.0 < 6).then(|| SERIAL.to_owned()),
        status: (outcome == wire::Settled::REFUSED).then_some(Status::SEATS_EXHAUSTED),
    });
    let reply = SettleOk {
        rows: rows.collect(),
        ..SettleOk::default()
    };
    let (_stub, mut deployer) = deployer(move |_| Some(Response::Settle(reply.clone()))).await;
    let told = deployer.commit(ReservationId([1; 16]), &[]).await.unwrap();
    let license = SERIAL.parse().unwrap();
    let settled: Vec<_> = told.into_iter().map(|(_, settled)| settled).collect();
    let expected = [
        Settled::AlreadyCommitted(license),
        Settled::Committed(license),
        Settled::Covered(license),
        Settled::Engaged(license),
        Settled::GivenBack(license),
        Settled::NothingReserved,
        Settled::Refused(Status::SEATS_EXHAUSTED),
    ];
    assert_eq!(settled, expected);
    assert_eq!(
        deployer
            .abort(ReservationId([1; 16]), &[machine(1)])
            .await
            .unwrap()
            .len(),
        7
    );
}

#[tokio::test]
async fn all_pages_of_reservations_are_asked_for() {
    let (stub, mut deployer) = deployer(|request| match request {
        Request::Reservations(ask) => {
            let last = ask.after.map_or(0, |[first, ..]| first);
            Some(Response::Reservations(ReservationsOk {
                server_time: 1,
                more: last < 2,
                rows: vec![row(last + 1)],
            }))
        }
        _ => None,
    })
    .await;
    let told = deployer.reservations().await.unwrap();
    assert_eq!(told.len(), 3);
    assert_eq!(stub.asked().len(), 3);
}

#[tokio::test]
async fn a_refusal_and_a_newer_servers_answer_are_told_apart() {
    let mut asked = 0;
    let (_stub, mut deployer) = deployer(move |_| {
        asked += 1;
        Some(if asked == 1 {
            let text = "no seat; buy one".to_owned();
            Response::Refused(
                Status::SEATS_EXHAUSTED,
                Refusal {
                    text,
                    ..Refusal::default()
                },
            )
        } else {
            let mut row = row(1);
            row.machines[0].reserved = wire::Reserved(99);
            Response::Reserve(ReserveOk {
                server_time: 1,
                reservation: row,
            })
        })
    })
    .await;
    let wanted = Wanted::Seats(1);
    let error = deployer.reserve(ReservationId([1; 16]), &wanted).await.unwrap_err();
    assert_eq!(error.to_string(), "no seat; buy one");
    assert!(matches!(error, DeployError::Refused(Status::SEATS_EXHAUSTED, _)));
    let error = deployer.reserve(ReservationId([1; 16]), &wanted).await.unwrap_err();
    assert!(matches!(error, DeployError::Newer(_)));
    let many = vec![machine(1); MACHINES_MAX + 1];
    let error = deployer.commit(ReservationId([1; 16]), &many).await.unwrap_err();
    assert!(matches!(error, DeployError::TooMany(1_025)));
}
