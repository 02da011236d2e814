//! A SEQUENCE as a table: the struct, its `Decode` and its `Encode` from one list of fields.

/// Defines a struct that is a SEQUENCE of explicitly tagged fields.
///
/// `application N` wraps it in `[APPLICATION N]`; `const [n] = v` is a field that can have one
/// value only and gets no member. A member of type `Option<T>` is `T OPTIONAL`. `...` after the
/// fields is the extension marker of ASN.1: later fields of higher numbers are passed over.
macro_rules! sequence {
    (
        $(#[$meta:meta])*
        pub struct $name:ident $(<$life:lifetime>)? $(: application $application:literal)? {
            $(const [$constant:literal] = $value:literal;)*
            $($(#[$field_meta:meta])* [$number:literal] $field:ident: $type:ty,)*
            $(... $extensible:ident)?
        }
    ) => {
        $(#[$meta])*
        pub struct $name $(<$life>)? {
            $($(#[$field_meta])* pub $field: $type,)*
        }

        impl<'a> $crate::der::Decode<'a> for $name $(<$life>)? {
            #[inline]
            fn decode(
                reader: &mut $crate::der::Reader<'a>,
            ) -> Result<Self, $crate::error::DecodeError> {
                $(
                    let mut outer = reader.read($crate::der::Tag::application($application))?;
                    let reader = &mut outer;
                )?
                let mut fields = reader.read($crate::der::Tag::SEQUENCE)?;
                $(
                    let _: u8 = $application;
                    reader.finish()?;
                )?
                $(fields.constant_field($constant, $value)?;)*
                $(let $field = $crate::der::Field::decode_field(&mut fields, $number)?;)*
                $crate::kerberos::macros::finish!(fields, [$($number),*] $(, $extensible)?)?;
                Ok(Self { $($field),* })
            }
        }

        impl $(<$life>)? $crate::der::Encode for $name $(<$life>)? {
            fn encode(&self, writer: &mut $crate::der::Writer) {
                let body = |writer: &mut $crate::der::Writer| {
                    writer.nest($crate::der::Tag::SEQUENCE, |writer| {
                        $(writer.constant_field($constant, $value);)*
                        $(writer.field($number, &self.$field);)*
                    });
                };
                $crate::kerberos::macros::wrapped!(writer, body $(, $application)?);
            }
        }
    };
}

/// Writes `body`, in `[APPLICATION n]` if there is an `n`.
macro_rules! wrapped {
    ($writer:ident, $body:ident, $application:literal) => {
        $writer.nest($crate::der::Tag::application($application), $body)
    };
    ($writer:ident, $body:ident) => {
        $body($writer)
    };
}

/// Ends the fields, after what a later version added if the type is extensible.
macro_rules! finish {
    ($fields:ident, [$($number:literal),*], extensible) => {
        $fields.finish_extensible(&[$($number),*])
    };
    ($fields:ident, [$($number:literal),*]) => {
        $fields.finish()
    };
}

pub(super) use {finish, sequence, wrapped};
