//! Whatever reads as a message is written so that it reads as the same message, and is written the same again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use seatkeeper::wire::messages::{Request, Response, TABLE};
use seatkeeper::wire::{Opcode, Status};

fuzz_target!(|input: (u16, u16, &[u8])| {
    let (opcode, status, body) = input;
    let (opcode, status) = (Opcode(opcode), Status(status));
    if let Ok(Some(request)) = Request::decode(opcode, body) {
        assert_eq!(request.opcode(), opcode);
        let written = request.to_body().expect("it was read, so it is within its bounds");
        assert_eq!(Request::decode(opcode, &written), Ok(Some(request)));
    }
    if let Ok(Some(response)) = Response::decode(opcode, status, body) {
        assert_eq!(response.status(), status);
        assert!(response.answers(opcode));
        let written = response.to_body().expect("it was read, so it is within its bounds");
        assert_eq!(Response::decode(opcode, status, &written), Ok(Some(response)));
    }
    for row in TABLE {
        if let Ok(written) = (row.recode)(body) {
            assert_eq!((row.recode)(&written).as_ref(), Ok(&written), "{}", row.name);
        }
    }
});
