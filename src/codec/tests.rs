use super::{DecodeError, Reader, Writer, tlv};

#[test]
fn what_is_written_reads_back_and_nothing_may_be_left_over() {
    let mut writer = Writer::new();
    writer.u8(1);
    writer.u16(2);
    writer.u32(3);
    writer.u64(4);
    let mut bytes = writer.into_bytes();
    let read = |r: &mut Reader<'_>| Ok((r.u8("a")?, r.u16("b")?, r.u32("c")?, r.u64("d")?));
    assert_eq!(Reader::all(&bytes, read), Ok((1, 2, 3, 4)));
    for len in 0..bytes.len() {
        assert!(
            matches!(Reader::all(&bytes[..len], read), Err(DecodeError::Truncated { .. })),
            "cut at {len}"
        );
    }
    bytes.push(0);
    assert_eq!(Reader::all(&bytes, read), Err(DecodeError::Trailing { count: 1 }));
}

#[test]
fn fields_end_at_the_first_error() {
    let mut writer = Writer::new();
    tlv::put(&mut writer, 7, b"seat").expect("short");
    let mut bytes = writer.into_bytes();
    bytes.extend([0, 8, 0xff, 0xff, 1]);
    let fields: Vec<_> = tlv::Fields::of(&bytes).collect();
    assert_eq!(fields.len(), 2);
    assert_eq!(fields[0], Ok(tlv::Field { tag: 7, value: b"seat" }));
    assert_eq!(
        fields[1],
        Err(DecodeError::Truncated {
            field: "a field's value"
        })
    );
}

#[test]
fn a_value_longer_than_its_length_field_can_say_is_refused() {
    let mut writer = Writer::new();
    assert!(tlv::put(&mut writer, 1, &vec![0; tlv::VALUE_LEN_MAX + 1]).is_err());
    assert!(writer.is_empty());
    assert!(tlv::put(&mut writer, 1, &vec![0; tlv::VALUE_LEN_MAX]).is_ok());
}
