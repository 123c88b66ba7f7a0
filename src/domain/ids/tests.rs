use super::*;

#[test]
fn macs_are_read_as_people_write_them() {
    let mac = Mac::new([0, 0x1a, 0x2b, 0x3c, 0x4d, 0x5e]).expect("unicast");
    for text in [
        "00:1a:2b:3c:4d:5e",
        "00-1A-2B-3C-4D-5E",
        "001a.2b3c.4d5e",
        "001A2B3C4D5E",
    ] {
        assert_eq!(text.parse(), Ok(mac), "{text}");
    }
    for text in [
        "",
        "00:1a:2b:3c:4d",
        "00:1a:2b:3c:4d:5e:6f",
        "00:00:00:00:00:00",
        "01:00:5e:00:00:01",
        "zz",
    ] {
        assert!(text.parse::<Mac>().is_err(), "{text}");
    }
    assert_eq!(mac.to_string(), "00:1a:2b:3c:4d:5e");
}

#[test]
fn ids_have_one_canonical_form_and_sort_as_their_text() {
    assert_eq!("bksrv".parse::<ProductId>(), ProductId::from_canonical(b"BKSRV"));
    assert!(ProductId::from_canonical(b"bksrv").is_err());
    assert_eq!(
        "Agent".parse::<ComponentId>().map(|id| id.to_string()),
        Ok("agent".to_owned())
    );
    assert!("A".parse::<ProductId>().ok() < "A1".parse::<ProductId>().ok());
    assert!("A".repeat(24).parse::<ProductId>().is_ok());
    for text in ["", "-A", "A B", "A\0", "Ä", &"A".repeat(25)] {
        assert!(text.parse::<ProductId>().is_err(), "{text:?}");
    }
}

#[test]
fn serials_are_sixteen_base32_digits() {
    let serial = Serial::from_random([0xff; 10]);
    assert_eq!(serial.as_str(), "ZZZZZZZZZZZZZZZZ");
    assert_eq!(Serial::from_random([0; 10]).as_str(), "0000000000000000");
    assert_eq!(
        "0123-4567-89ab-cdeo".parse::<Serial>().map(|s| s.to_string()),
        Ok("0123456789ABCDE0".to_owned())
    );
    assert!(Serial::from_canonical(b"0123456789abcdef").is_err());
    assert!("0123456789ABCDEU".parse::<Serial>().is_err());
}
