use std::net::{Ipv4Addr, SocketAddr};

use dns::base::iana::Class;
use dns::base::{Message, MessageBuilder};
use dns::resolv::stub::conf::{ServerConf, Transport};
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

use super::*;

fn record(priority: u16, weight: u16, port: u16, host: &str) -> Record {
    Record {
        priority,
        weight,
        server: Address {
            host: host.to_owned(),
            port,
        },
    }
}

/// A name server that answers every question with these records, or with this code where there is none. It stays silent
/// for the first `silent` questions.
async fn name_server(records: Vec<Record>, code: Rcode, silent: usize) -> (SocketAddr, JoinHandle<()>) {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = socket.local_addr().unwrap();
    let task = tokio::spawn(async move {
        let mut buffer = [0; 1_232];
        for number in 0.. {
            let (len, peer) = socket.recv_from(&mut buffer).await.unwrap();
            if number < silent {
                continue;
            }
            let question = Message::from_octets(buffer[..len].to_vec()).unwrap();
            let owner = question.sole_question().unwrap().into_qname();
            let mut answer = MessageBuilder::new_vec().start_answer(&question, code).unwrap();
            for Record {
                priority,
                weight,
                server,
            } in &records
            {
                let target: Name<Vec<u8>> = server.host.parse().unwrap();
                let data = Srv::new(*priority, *weight, server.port, target);
                answer.push((&owner, Class::IN, 60, data)).unwrap();
            }
            socket.send_to(&answer.finish(), peer).await.unwrap();
        }
    });
    (address, task)
}

fn asking(server: SocketAddr, domains: &[&str]) -> Asking {
    let mut conf = ResolvConf::new();
    conf.servers.push(ServerConf::new(server, Transport::UdpTcp));
    conf.finalize();
    Asking {
        conf,
        domains: domains.iter().map(|&domain| domain.to_owned()).collect(),
    }
}

/// Everything that is told.
async fn told(asking: Asking, wait: Duration) -> Vec<Clue<Named>> {
    let (tell, mut clues) = mpsc::channel(64);
    let mut sources = JoinSet::new();
    begin(asking, Deadline::after(wait), &tell, &mut sources, |named| named);
    drop(tell);
    let mut told = Vec::new();
    while let Some(clue) = clues.recv().await {
        told.push(clue);
    }
    told
}

fn leads(told: &[Clue<Named>]) -> Vec<(String, u16)> {
    let mut leads: Vec<_> = told
        .iter()
        .filter_map(|clue| match clue {
            Clue::Lead(Named { target, way, place }) => {
                assert_eq!(*way, Way::Dns);
                Some((target.to_string(), *place))
            }
            _ => None,
        })
        .collect();
    leads.sort_by_key(|(_, place)| *place);
    leads
}

fn note(told: &[Clue<Named>]) -> String {
    let mut notes = told.iter().filter_map(|clue| match clue {
        Clue::Note(Way::Dns, told) => Some(told.clone()),
        _ => None,
    });
    notes.next().unwrap_or_default()
}

const PLENTY: Duration = Duration::from_secs(30);

#[tokio::test]
async fn the_servers_of_a_domain_are_told_in_the_order_of_their_priorities() {
    let records = vec![
        record(20, 0, 3, "127.0.0.3"),
        record(10, 0, 1, "127.0.0.1"),
        record(30, 0, 0, "127.0.0.9"),
        record(20, 5, 2, "127.0.0.2"),
    ];
    let (server, _task) = name_server(records, Rcode::NOERROR, 0).await;
    let told = told(asking(server, &["site.example"]), PLENTY).await;
    assert!(
        matches!(&told[0], Clue::Asked(Way::Dns, name) if name == "_seatkeeper._tcp.site.example"),
        "{told:?}"
    );
    // The chance of the one without a weight is small, and not none.
    let leads = leads(&told);
    assert_eq!(leads.len(), 3, "port 0 is none: {told:?}");
    assert_eq!(leads[0], ("127.0.0.1:1".to_owned(), 0));
}

#[tokio::test]
async fn a_question_that_is_lost_is_asked_again() {
    let (server, _task) = name_server(vec![record(0, 0, 7, "127.0.0.1")], Rcode::NOERROR, 1).await;
    let told = told(asking(server, &["site.example"]), PLENTY).await;
    assert_eq!(leads(&told), [("127.0.0.1:7".to_owned(), 0)]);
}

#[tokio::test]
async fn every_search_domain_is_asked_about_and_those_of_the_first_stand_first() {
    let (server, _task) = name_server(vec![record(0, 0, 7, "127.0.0.1")], Rcode::NOERROR, 0).await;
    let told = told(asking(server, &["a.example", "b.example"]), PLENTY).await;
    let places: Vec<_> = leads(&told).into_iter().map(|(_, place)| place).collect();
    assert_eq!(usize::from(places[1]), SERVERS_MAX);
    assert_eq!(places[0], 0);
}

#[tokio::test]
async fn a_site_without_records_or_without_a_name_service_is_told_and_nothing_is_wrong() {
    let (server, _task) = name_server(Vec::new(), Rcode::NXDOMAIN, 0).await;
    let none = note(&told(asking(server, &["site.example"]), PLENTY).await);
    assert_eq!(none, "_seatkeeper._tcp.site.example: no such record");
    // "." says that there is none.
    let (server, _task) = name_server(vec![record(0, 0, 7, ".")], Rcode::NOERROR, 0).await;
    let none = note(&told(asking(server, &["site.example"]), PLENTY).await);
    assert!(none.ends_with("no such record"), "{none}");
    let (server, _task) = name_server(Vec::new(), Rcode::REFUSED, 0).await;
    let refused = note(&told(asking(server, &["site.example"]), PLENTY).await);
    assert!(refused.contains("answers REFUSED"), "{refused}");
    let (server, _task) = name_server(Vec::new(), Rcode::NOERROR, usize::MAX).await;
    let late = note(&told(asking(server, &["site.example"]), Duration::from_millis(200)).await);
    assert!(late.contains("does not tell in time"), "{late}");
}

#[tokio::test]
async fn no_more_records_are_followed_than_are_tried() {
    let records = (1..=40).map(|port| record(port, 0, port, "127.0.0.1")).collect();
    let (server, _task) = name_server(records, Rcode::NOERROR, 0).await;
    let told = told(asking(server, &["site.example"]), PLENTY).await;
    let ports: Vec<_> = leads(&told).into_iter().map(|(target, _)| target).collect();
    assert_eq!(ports.len(), SERVERS_MAX);
    assert_eq!(ports[SERVERS_MAX - 1], format!("127.0.0.1:{SERVERS_MAX}"));
}

#[test]
fn among_equals_chance_decides_in_proportion_to_the_weights() {
    let of = |records: &[(u16, u16)], picks: &[u32]| {
        let records = records
            .iter()
            .map(|&(priority, weight)| record(priority, weight, 1, "h"));
        let (mut picks, mut sums) = (picks.iter(), Vec::new());
        let ordered = in_order(records.collect(), |sum| {
            sums.push(sum);
            *picks.next().unwrap()
        });
        let ordered: Vec<_> = ordered.iter().map(|one| (one.priority, one.weight)).collect();
        (ordered, sums)
    };
    // RFC 2782: a running sum of the weights, those of weight 0 first, and the first that is not below the number drawn.
    let equals = [(1, 10), (1, 0), (1, 60)];
    assert_eq!(of(&equals, &[0, 0, 0]).0, [(1, 0), (1, 10), (1, 60)]);
    assert_eq!(of(&equals, &[1, 1, 0]).0, [(1, 10), (1, 60), (1, 0)]);
    assert_eq!(of(&equals, &[11, 10, 0]).0, [(1, 60), (1, 10), (1, 0)]);
    assert_eq!(
        of(&equals, &[70, 1, 0]),
        (vec![(1, 60), (1, 10), (1, 0)], vec![70, 10, 0])
    );
    // No weight reaches over a priority.
    let (ordered, _) = of(&[(2, 65_535), (1, 0), (2, 1)], &[0, 65_536, 0]);
    assert_eq!(ordered, [(1, 0), (2, 65_535), (2, 1)]);
}

#[test]
fn domains_are_those_that_the_system_searches_or_that_of_the_hosts_own_name() {
    let domains = |text: &str, host: Option<&str>| Asking::parse(text, host).map(|asking| asking.domains);
    let searched = "# comment\nnameserver 192.0.2.53\nlookup file bind\nsearch a.example b.example . a.example\n\
                    options timeout:1\n";
    assert_eq!(
        domains(searched, Some("h.c.example")).unwrap(),
        ["a.example", "b.example"]
    );
    assert_eq!(domains("domain a.example\n", None).unwrap(), ["a.example"]);
    assert_eq!(
        domains("nameserver ::1\n", Some("host.own.example")).unwrap(),
        ["own.example"]
    );
    for (text, host) in [("", None), ("search .\n", Some("host"))] {
        let told = domains(text, host).unwrap_err();
        assert!(told.contains("belongs to no domain"), "{told}");
    }
    let many: Vec<_> = (0..20).map(|number| format!("d{number}.example")).collect();
    let many = domains(&format!("search {}\n", many.join(" ")), None).unwrap();
    assert_eq!(many.len(), DOMAINS_MAX);
    let nonsense = domains("nameserver\n", None).unwrap_err();
    assert!(nonsense.contains("cannot be understood"), "{nonsense}");
}
