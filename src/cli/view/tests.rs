use super::*;

struct Machine {
    name: &'static str,
    address: Option<&'static str>,
    seen: u64,
}

impl Listed for Machine {
    type Json = &'static str;

    const COLUMNS: &'static [Column<Self>] = &[
        Column::<Self>::new("name", 0, |row| Cell::text(row.name)).wrapping(),
        Column::<Self>::new("address", 1, |row| {
            row.address
                .map_or(Cell::Nothing, |text| Cell::Address(text.parse().expect("good")))
        }),
        Column::<Self>::new("seen-times", 2, |row| Cell::number(row.seen)).shown(Shown::Asked),
    ];

    fn json(&self) -> &'static str {
        self.name
    }
}

const MACHINES: [Machine; 4] = [
    machine("b", Some("10.0.0.10"), 9),
    machine("A", Some("10.0.0.9"), 10),
    machine("c", None, 10),
    machine("a", Some("2001:db8::1"), 100),
];

const fn machine(name: &'static str, address: Option<&'static str>, seen: u64) -> Machine {
    Machine { name, address, seen }
}

fn view(form: Form, columns: &[&str], sort: &[&str], search: Option<&str>) -> View<Machine> {
    let [columns, sort] = [columns, sort].map(|names| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
    View::new(form, &columns, &sort, search)
}

fn sorted(by: &[&str]) -> String {
    let view = view(Form::Csv, &[], by, None);
    let mut rows: Vec<&Machine> = MACHINES.iter().collect();
    rows.sort_by_cached_key(|row| view.order(row));
    rows.iter().map(|row| row.name).collect()
}

// proves V1
#[test]
fn numbers_addresses_and_texts_sort_as_what_they_are_and_nothing_comes_last() {
    assert_eq!(sorted(&["seen-times", "name"]), "bAca");
    assert_eq!(sorted(&["-seen-times", "-name"]), "acAb");
    assert_eq!(sorted(&["address"]), "Abac");
    assert_eq!(sorted(&["name"]), "Aabc");
    assert!(
        Order::Date(Timestamp(5)) < Order::Date(Timestamp::MAX),
        "never comes last"
    );
}

// proves V1
#[test]
fn what_is_looked_for_is_looked_for_in_what_is_shown() {
    let found = |form, columns: &[&str], text| {
        let view = view(form, columns, &[], Some(text));
        let rows = MACHINES.iter().filter(|row| view.finds(row));
        rows.map(|row| row.name).collect::<String>()
    };
    assert_eq!(found(Form::Table, &[], "a"), "Aa");
    assert_eq!(found(Form::Table, &[], "10.0.0."), "bA");
    assert_eq!(found(Form::Csv, &["name"], "10"), "", "no name has it");
    assert_eq!(found(Form::Csv, &["seen-times"], "10"), "Aca");
    assert_eq!(found(Form::Json, &[], "100"), "a", "JSON has every column");
}

#[test]
fn what_is_sorted_has_a_bound_and_what_is_not_is_not_held() {
    let lister = |sort: &[&str]| Lister {
        held_max: 3,
        ..Lister::new(view(Form::Table, &[], sort, None))
    };
    let refused = lister(&["name"]).take(MACHINES).expect_err("too many").to_string();
    assert!(
        refused.contains("at most 3") && refused.contains("--csv | sort"),
        "{refused}"
    );
    let mut all = lister(&[]);
    assert!(all.take(MACHINES).is_ok());
    assert_eq!(all.held.len(), MACHINES.len(), "until its table is full");
    let sorted = lister(&["name"]);
    let (mut found, rows) = (sorted, MACHINES.into_iter().take(3));
    assert!(found.take(rows).is_ok_and(|reads_on| reads_on));
}

// proves V1
#[test]
fn columns_stand_in_the_order_in_which_they_were_named() {
    assert_eq!(view(Form::Table, &[], &[], None).heads(), ["name", "address"]);
    let chosen = view(Form::Table, &["seen-times", "name"], &[], None);
    assert_eq!(chosen.heads(), ["seen times", "name"]);
    assert_eq!(chosen.cells(&MACHINES[0]), ["9", "b"]);
}
