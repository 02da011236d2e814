//! What the 16-byte secrets have in common.

/// A type for a secret of 16 bytes: wiped when dropped, never printed, copied only where the code says so. The bytes
/// stay in their place on the heap: what is moved leaves none behind.
macro_rules! secret {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        pub struct $name(alloc::boxed::Box<[u8; 16]>);

        impl $name {
            /// From the 16 bytes.
            #[must_use]
            pub fn new(mut bytes: [u8; 16]) -> Self {
                let mut secret = Self::blank();
                secret.0.copy_from_slice(&bytes);
                zeroize::Zeroize::zeroize(&mut bytes);
                secret
            }

            /// To be filled in its place.
            fn blank() -> Self {
                $name(alloc::boxed::Box::new([0; 16]))
            }

            /// The secret bytes.
            #[must_use]
            pub fn expose(&self) -> &[u8; 16] {
                &self.0
            }

            /// A second copy of the secret, wiped on its own.
            #[must_use]
            pub fn duplicate(&self) -> Self {
                $name(self.0.clone())
            }

            /// Whether both are the same, in constant time.
            #[must_use]
            pub fn ct_eq(&self, other: &Self) -> bool {
                $crate::verify_equal(&*self.0, &*other.0)
            }
        }

        impl Drop for $name {
            fn drop(&mut self) {
                zeroize::Zeroize::zeroize(&mut *self.0);
            }
        }

        impl zeroize::ZeroizeOnDrop for $name {}

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    };
}

pub(super) use secret;
