use core::fmt;

use super::reader::{Decode, Reader};
use super::tag::Tag;
use super::writer::{Encode, Writer};
use crate::error::{DecodeError, DecodeErrorKind};

/// The greatest number of elements that a [`SequenceOf`] is read with.
pub const MAX_ELEMENTS: usize = 1024;

/// SEQUENCE OF: either the bytes that were received, every element of which was checked when they
/// were read, or a slice of the caller's. Nothing is allocated for either.
///
/// ```
/// use countersign_token::der::{Decode, Encode, SequenceOf};
///
/// let der = SequenceOf::from(&[18, 17]).to_der();
/// let etypes = SequenceOf::<i32>::from_der(&der)?;
/// assert!(etypes.iter().eq([18, 17]));
/// # Ok::<_, countersign_token::DecodeError>(())
/// ```
pub struct SequenceOf<'a, T> {
    source: Source<'a, T>,
}

enum Source<'a, T> {
    /// The contents of a SEQUENCE of `count` elements, all of which decode.
    Wire {
        contents: &'a [u8],
        count: usize,
    },
    Slice(&'a [T]),
}

impl<'a, T> SequenceOf<'a, T> {
    /// No elements.
    pub const EMPTY: Self = Self {
        source: Source::Slice(&[]),
    };

    /// The elements of a slice.
    #[must_use]
    pub const fn new(elements: &'a [T]) -> Self {
        Self {
            source: Source::Slice(elements),
        }
    }

    /// The number of elements.
    #[must_use]
    pub const fn len(&self) -> usize {
        match self.source {
            Source::Wire { count, .. } => count,
            Source::Slice(elements) => elements.len(),
        }
    }

    /// Whether there are no elements.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The elements, in order.
    #[must_use]
    pub const fn iter(&self) -> Iter<'a, T> {
        Iter {
            source: self.source.duplicate(),
        }
    }
}

impl<T> Source<'_, T> {
    const fn duplicate(&self) -> Self {
        match *self {
            Self::Wire { contents, count } => Self::Wire { contents, count },
            Self::Slice(elements) => Self::Slice(elements),
        }
    }
}

impl<'a, T: Decode<'a> + Clone> SequenceOf<'a, T> {
    /// The first element.
    #[must_use]
    pub fn first(&self) -> Option<T> {
        self.iter().next()
    }

    /// The element at `index`, counted from 0.
    #[must_use]
    pub fn nth(&self, index: usize) -> Option<T> {
        self.iter().nth(index)
    }
}

/// The elements of a [`SequenceOf`].
pub struct Iter<'a, T> {
    source: Source<'a, T>,
}

impl<'a, T: Decode<'a> + Clone> Iterator for Iter<'a, T> {
    type Item = T;

    #[inline]
    fn next(&mut self) -> Option<T> {
        match &mut self.source {
            Source::Wire { contents, count } => {
                let mut reader = Reader::new(contents);
                // Every element was decoded once before, so this one decodes again.
                let element = T::decode(&mut reader).ok()?;
                *contents = reader.remaining();
                *count = count.saturating_sub(1);
                Some(element)
            }
            Source::Slice(elements) => {
                let (first, rest) = elements.split_first()?;
                *elements = rest;
                Some(first.clone())
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let len = match self.source {
            Source::Wire { count, .. } => count,
            Source::Slice(elements) => elements.len(),
        };
        (len, Some(len))
    }
}

impl<'a, T: Decode<'a> + Clone> ExactSizeIterator for Iter<'a, T> {}
impl<'a, T: Decode<'a> + Clone> core::iter::FusedIterator for Iter<'a, T> {}

impl<'a, T: Decode<'a> + Clone> IntoIterator for SequenceOf<'a, T> {
    type Item = T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

impl<'a, T: Decode<'a> + Clone> IntoIterator for &SequenceOf<'a, T> {
    type Item = T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

impl<'a, T> From<&'a [T]> for SequenceOf<'a, T> {
    fn from(elements: &'a [T]) -> Self {
        Self::new(elements)
    }
}

impl<'a, T, const N: usize> From<&'a [T; N]> for SequenceOf<'a, T> {
    fn from(elements: &'a [T; N]) -> Self {
        Self::new(elements)
    }
}

impl<T> Clone for SequenceOf<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for SequenceOf<'_, T> {}

impl<T> Clone for Source<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Source<'_, T> {}

impl<T> Clone for Iter<'_, T> {
    fn clone(&self) -> Self {
        Self {
            source: self.source,
        }
    }
}

impl<T> Default for SequenceOf<'_, T> {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl<'a, T: Decode<'a> + Clone + fmt::Debug> fmt::Debug for SequenceOf<'a, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<'a, T: Decode<'a> + Clone + PartialEq> PartialEq for SequenceOf<'a, T> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<'a, T: Decode<'a> + Clone + Eq> Eq for SequenceOf<'a, T> {}

impl<'a, T: Decode<'a>> Decode<'a> for SequenceOf<'a, T> {
    #[inline]
    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let mut inner = reader.read(Tag::SEQUENCE)?;
        let contents = inner.remaining();
        let mut count = 0_usize;
        while !inner.is_empty() {
            if count >= MAX_ELEMENTS {
                return Err(inner.error(DecodeErrorKind::TooManyElements {
                    limit: MAX_ELEMENTS,
                }));
            }
            T::decode(&mut inner)?;
            count = count.wrapping_add(1);
        }
        Ok(Self {
            source: Source::Wire { contents, count },
        })
    }
}

impl<T: Encode> Encode for SequenceOf<'_, T> {
    fn encode(&self, writer: &mut Writer) {
        match self.source {
            Source::Wire { contents, .. } => writer.element(Tag::SEQUENCE, contents),
            Source::Slice(elements) => writer.nest(Tag::SEQUENCE, |writer| {
                for element in elements {
                    element.encode(writer);
                }
            }),
        }
    }
}
