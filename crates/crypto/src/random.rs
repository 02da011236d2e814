use core::fmt;

/// A source of cryptographically secure random bytes.
///
/// The engine reads no global generator: whoever drives it supplies one, the operating system's in
/// production and a seeded one in tests.
pub trait Random {
    /// Fills all of `out`.
    ///
    /// # Errors
    ///
    /// [`RandomError`] when the generator cannot; `out` must then not be used.
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError>;
}

impl<R: Random + ?Sized> Random for &mut R {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        (**self).fill(out)
    }
}

/// The random number generator failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RandomError;

impl fmt::Display for RandomError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the random number generator failed: do not continue")
    }
}

impl core::error::Error for RandomError {}
