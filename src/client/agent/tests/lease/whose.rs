//! For whom a lease counts, and by whose word.

use super::*;

// proves O3
#[tokio::test]
async fn a_lease_for_somebody_else_or_of_somebody_else_is_not_kept_and_that_is_told() {
    let changes: [(u8, LeaseChange); 7] = [
        (2, |_| ()),
        (1, |lease| lease.mac[5] ^= 1),
        (1, |lease| lease.identity[0] ^= 1),
        (1, |lease| lease.vendor[0] ^= 1),
        (1, |lease| lease.product = "OTHER".to_owned()),
        (1, |lease| lease.component = "console".to_owned()),
        (1, |lease| lease.server[0] ^= 1),
    ];
    for (place, (signer, change)) in changes.into_iter().enumerate() {
        let bench = Bench::new();
        let agent = bench.agent("strict");
        let standing = bench.check_out(&agent, key(signer), change, |_| ()).await;
        assert!(standing.may_run(), "the grant stands: {standing}");
        let told = standing.warnings();
        assert!(
            told.iter().any(|told| told.contains("it is not kept")),
            "{place}: {told:?}"
        );
        assert_eq!(agent.recall().await.unwrap().lease, None, "{place}");
        assert_eq!(left(&agent).await, None, "{place}");
    }
}

// proves O3
#[tokio::test]
async fn a_lease_is_useless_on_another_machine_for_another_component_or_identity_and_with_another_servers_key() {
    let bench = Bench::new();
    let agent = bench.agent("strict");
    bench.license(&agent).await;
    let moved = agent.clone().mac(Mac::new([0, 0x1a, 0x2b, 0, 0, 1]).unwrap());
    let told = moved.acquire().await;
    assert!(
        !told.may_run() && told.to_string().contains("for another machine"),
        "{told}"
    );
    let memory = agent.recall().await.unwrap();

    let console = bench.agent("console");
    let copy = |memory: Memory, to: Agent| async move {
        let mut state = to.open(to.due()).await.unwrap();
        state.memory = memory;
        state.save(Timestamp(T)).await.unwrap();
    };
    // The identity comes along as well when a whole directory is copied and renamed.
    let name = |component: &str, extension: &str| {
        let vendor = agent.owner().product.vendor;
        bench
            .directory
            .path()
            .join(format!("{vendor}~BKSRV~{component}.{extension}"))
    };
    std::fs::copy(name("strict", "pem"), name("console", "pem")).unwrap();
    copy(memory.clone(), console.clone()).await;
    let told = console.acquire().await;
    assert!(
        !told.may_run() && told.to_string().contains("for another component"),
        "{told}"
    );

    let mut other_key = memory.clone();
    other_key.pins[0].lease_key = Some(key(2).public());
    copy(other_key, agent.clone()).await;
    assert_eq!(left(&agent).await, None, "another server's key");
    let mut no_pin = memory.clone();
    no_pin.pins.clear();
    copy(no_pin, agent.clone()).await;
    assert_eq!(left(&agent).await, None, "a server that is not pinned");

    copy(memory.clone(), agent.clone()).await;
    assert_eq!(left(&agent).await, Some(7 * DAY), "as it was");
    std::fs::remove_file(name("strict", "pem")).unwrap();
    let told = agent.acquire().await;
    assert!(
        !told.may_run() && told.to_string().contains("for another identity"),
        "{told}"
    );

    let other_product = Agent {
        owner: Owner {
            product: ProductKey {
                product: "OTHER".parse().unwrap(),
                ..agent.owner().product
            },
            ..agent.owner()
        },
        ..agent
    };
    copy(memory, other_product.clone()).await;
    assert_eq!(left(&other_product).await, None, "another product");
}

// proves O3
#[tokio::test]
async fn a_lease_goes_over_to_the_successor_of_its_server() {
    let bench = Bench::new();
    let agent = bench.agent("strict");
    bench.license(&agent).await;
    let [successor] = identities();
    let statement = Succession::sign(&bench.server, successor.public_key()).unwrap();
    let hello = HelloOk {
        succession: vec![hello::Succession {
            old_spki: statement.old_spki.into(),
            signature: statement.signature.into(),
        }],
        ..hello()
    };
    let stub = Stub::start(&successor, hello, |_| Some(slow_down())).await;
    let standing = agent.clone().servers(of(&[&stub])).acquire().await;
    assert!(matches!(standing, Standing::Denied(_)), "{standing}");
    assert_eq!(left(&agent).await, Some(7 * DAY));
}
