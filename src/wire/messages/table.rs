//! `message!`: a message is a table of tag, name, type, presence and bound; the struct and both directions follow
//! from it, and so does the table that the registry is compared with.

/// Makes a message from its table. A field reads `TAG name: presence type, bound;` where the bound is
/// `max BYTES` for texts and bytes, and `count TIMES` for repeated fields.
macro_rules! message {
    (@type required $t:ty) => { $t };
    (@type optional $t:ty) => { Option<$t> };
    (@type repeated $t:ty) => { Vec<$t> };
    (@slot repeated $t:ty) => { Vec<$t> };
    (@slot $presence:ident $t:ty) => { Option<$t> };
    (@presence required) => { $crate::wire::messages::Presence::Required };
    (@presence optional) => { $crate::wire::messages::Presence::Optional };
    (@presence repeated) => { $crate::wire::messages::Presence::Repeated };
    (@len $t:ty) => { <$t as $crate::wire::messages::field::Value>::LEN_MAX };
    (@len $t:ty, $max:expr) => { $max };
    (@count) => { 1 };
    (@count $count:expr) => { $count };
    (@bound $name:ident $field:ident: $t:ty $(, max $max:expr)? $(, count $count:expr)?) => {
        $crate::wire::messages::field::Bound {
            field: concat!(stringify!($name), ".", stringify!($field)),
            len_max: message!(@len $t $(, $max)?),
            count_max: message!(@count $($count)?),
        }
    };
    (@take repeated) => { $crate::wire::messages::field::take_next };
    (@take $presence:ident) => { $crate::wire::messages::field::take_one };
    (@finish required $slot:expr, $bound:expr) => {
        $slot.ok_or($crate::codec::DecodeError::Missing { field: $bound.field })?
    };
    (@finish $presence:ident $slot:expr, $bound:expr) => { $slot };
    (@put required) => { $crate::wire::messages::field::put };
    (@put optional) => { $crate::wire::messages::field::put_some };
    (@put repeated) => { $crate::wire::messages::field::put_all };
    (@sample required $t:ty, $random:ident, $bound:expr) => {
        <$t as $crate::wire::messages::field::Value>::sample($random, $bound.len_max)
    };
    (@sample optional $t:ty, $random:ident, $bound:expr) => {
        $random.flag().then(|| message!(@sample required $t, $random, $bound))
    };
    (@sample repeated $t:ty, $random:ident, $bound:expr) => {
        (0..$random.below($bound.count_max.min(3) + 1)).map(|_| message!(@sample required $t, $random, $bound)).collect()
    };
    (
        $(#[$meta:meta])*
        $name:ident {
            $(
                $(#[$field_meta:meta])*
                $tag:literal $field:ident: $presence:ident $t:ty $(, max $max:expr)? $(, count $count:expr)?;
            )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, Eq, PartialEq)]
        pub struct $name {
            $( $(#[$field_meta])* pub $field: message!(@type $presence $t), )*
        }

        const _: () = {
            use $crate::codec::{DecodeError, Writer, tlv};
            use $crate::wire::messages::field;

            #[derive(Default)]
            struct Slots {
                $( $field: message!(@slot $presence $t), )*
            }

            impl Slots {
                fn take(&mut self, tag: u16, value: &[u8]) -> Result<(), DecodeError> {
                    match tag {
                        $(
                            $tag => message!(@take $presence)(
                                &mut self.$field,
                                value,
                                message!(@bound $name $field: $t $(, max $max)? $(, count $count)?),
                            ),
                        )*
                        _ => field::skip(value),
                    }
                }
            }

            impl $crate::wire::messages::Message for $name {
                const NAME: &'static str = stringify!($name);
                const FIELDS: &'static [$crate::wire::messages::FieldRow] = &[ $(
                    $crate::wire::messages::FieldRow {
                        tag: $tag,
                        name: stringify!($field),
                        kind: <$t as field::Value>::KIND,
                        presence: message!(@presence $presence),
                        len_max: message!(@len $t $(, $max)?),
                        count_max: message!(@count $($count)?),
                    },
                )* ];

                fn decode(body: &[u8]) -> Result<Self, DecodeError> {
                    let mut slots = Slots::default();
                    for read in tlv::Fields::of(body) {
                        let tlv::Field { tag, value } = read?;
                        slots.take(tag, value)?;
                    }
                    Ok(Self { $(
                        $field: message!(
                            @finish $presence slots.$field,
                            message!(@bound $name $field: $t $(, max $max)? $(, count $count)?)
                        ),
                    )* })
                }

                fn encode(&self, out: &mut Writer) -> Result<(), DecodeError> {
                    let begin = out.len();
                    $(
                        message!(@put $presence)(
                            out,
                            $tag,
                            &self.$field,
                            message!(@bound $name $field: $t $(, max $max)? $(, count $count)?),
                        )?;
                    )*
                    field::check_body(out, begin, stringify!($name))
                }
            }

            impl field::Value for $name {
                const KIND: &'static str = stringify!($name);
                const LEN_MAX: usize = tlv::VALUE_LEN_MAX;

                fn write(&self, out: &mut Writer) -> Result<(), DecodeError> {
                    $crate::wire::messages::Message::encode(self, out)
                }

                fn read(value: &[u8], _field: &'static str) -> Result<Self, DecodeError> {
                    $crate::wire::messages::Message::decode(value)
                }

                #[cfg(test)]
                fn sample(random: &mut $crate::wire::tests::Random, _max: usize) -> Self {
                    random.count();
                    Self { $(
                        $field: message!(
                            @sample $presence $t,
                            random,
                            message!(@bound $name $field: $t $(, max $max)? $(, count $count)?)
                        ),
                    )* }
                }
            }
        };
    };
}
