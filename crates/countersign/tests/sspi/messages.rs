//! Messages in the layouts of Windows.

use countersign::sspi::*;

use crate::support::{Domain, PACKAGES, Pair, pair};

const MESSAGE: &[u8] = b"the countersign is thunder";
type S = SecurityStatus;

fn established(domain: &Domain, package: &str, isc: u32) -> Pair {
    pair(domain, package, isc, 0)
}

/// TOKEN, DATA and PADDING as they are sent.
fn encrypted(context: &mut CtxtHandle, qop: u32) -> Result<Vec<Vec<u8>>, SspiError> {
    let sizes: SecPkgContextSizes = query_context_attribute(context).unwrap();
    let (mut token, mut data) = (vec![0; sizes.security_trailer], MESSAGE.to_vec());
    let mut padding = vec![0; sizes.block_size];
    let mut message = SecBufferDesc::new([
        SecBuffer::new(SECBUFFER_TOKEN, &mut token),
        SecBuffer::new(SECBUFFER_DATA, &mut data),
        SecBuffer::new(SECBUFFER_PADDING, &mut padding),
    ]);
    encrypt_message(context, qop, &mut message, 0)?;
    Ok(message
        .into_buffers()
        .into_iter()
        .map(SecBuffer::into_bytes)
        .collect())
}

/// Opens a stream; the quality and what was inside.
fn opened(context: &mut CtxtHandle, mut whole: Vec<u8>) -> Result<(u32, Vec<u8>), SspiError> {
    let mut received = SecBufferDesc::new([
        SecBuffer::new(SECBUFFER_STREAM, &mut whole),
        SecBuffer::new(SECBUFFER_DATA, &mut []),
    ]);
    let qop = decrypt_message(context, &mut received, 0)?;
    Ok((qop, received.find(SECBUFFER_DATA).unwrap().bytes().to_vec()))
}

#[test]
fn encrypted_messages_are_opened_apart_and_as_a_stream_lent_and_owned() {
    let domain = Domain::new();
    for package in PACKAGES {
        let mut pair = established(&domain, package, ISC_REQ_CONFIDENTIALITY);
        let parts = encrypted(&mut pair.client, 0).unwrap();
        assert_ne!(parts[1], MESSAGE, "{package}");
        let kinds = [SECBUFFER_TOKEN, SECBUFFER_DATA, SECBUFFER_PADDING];
        let buffers = kinds.into_iter().zip(parts);
        let buffers: Vec<_> = buffers
            .map(|(kind, part)| SecBuffer::owned(kind, part))
            .collect();
        let mut apart = SecBufferDesc::new(buffers);
        assert_eq!(decrypt_message(&mut pair.server, &mut apart, 0), Ok(0));
        assert_eq!(apart.find(SECBUFFER_DATA).unwrap().bytes(), MESSAGE);

        let whole = encrypted(&mut pair.client, 0).unwrap().concat();
        assert_eq!(opened(&mut pair.server, whole), Ok((0, MESSAGE.to_vec())));

        let whole = encrypted(&mut pair.client, 0).unwrap().concat();
        let mut owned = SecBufferDesc::new([
            SecBuffer::owned(SECBUFFER_DATA, Vec::new()),
            SecBuffer::owned(SECBUFFER_STREAM, whole),
        ]);
        assert_eq!(decrypt_message(&mut pair.server, &mut owned, 0), Ok(0));
        assert_eq!(owned.find(SECBUFFER_DATA).unwrap().bytes(), MESSAGE);
    }
}

#[test]
fn a_message_that_is_not_encrypted_says_so() {
    let domain = Domain::new();
    for package in PACKAGES {
        let mut pair = established(&domain, package, ISC_REQ_INTEGRITY);
        let error = encrypted(&mut pair.client, 0).unwrap_err();
        assert_eq!(error.status(), S::SEC_E_QOP_NOT_SUPPORTED, "{package}");
        let parts = encrypted(&mut pair.client, SECQOP_WRAP_NO_ENCRYPT).unwrap();
        assert_eq!(parts[1], MESSAGE, "{package}");
        let (qop, message) = opened(&mut pair.server, parts.concat()).unwrap();
        assert_eq!(
            (qop, &message[..]),
            (SECQOP_WRAP_NO_ENCRYPT, MESSAGE),
            "{package}"
        );
    }
    // On a context that encrypts, NTLM has no message that does not; Kerberos has both.
    for package in PACKAGES {
        let mut pair = established(&domain, package, ISC_REQ_CONFIDENTIALITY);
        let result = encrypted(&mut pair.client, SECQOP_WRAP_NO_ENCRYPT);
        assert_eq!(result.is_ok(), *package != "NTLM", "{package}");
    }
}

/// A signature of the message.
fn signed(context: &mut CtxtHandle) -> Vec<u8> {
    let mut message = SecBufferDesc::new([
        SecBuffer::input(SECBUFFER_DATA, MESSAGE),
        SecBuffer::owned(SECBUFFER_TOKEN, Vec::new()),
    ]);
    make_signature(context, 0, &mut message, 0).unwrap();
    message.token().to_vec()
}

fn verified(context: &mut CtxtHandle, data: &[u8], mic: &[u8]) -> Result<u32, S> {
    let message = SecBufferDesc::new([
        SecBuffer::input(SECBUFFER_DATA, data),
        SecBuffer::input(SECBUFFER_TOKEN, mic),
    ]);
    verify_signature(context, &message, 0).map_err(|error| error.status())
}

#[test]
fn signatures_are_verified_in_order_and_over_what_was_signed() {
    let domain = Domain::new();
    for package in PACKAGES {
        let isc = ISC_REQ_INTEGRITY | ISC_REQ_SEQUENCE_DETECT | ISC_REQ_REPLAY_DETECT;
        let mut pair = established(&domain, package, isc);
        let (first, second) = (signed(&mut pair.client), signed(&mut pair.client));
        let server = &mut pair.server;
        assert_eq!(
            verified(server, b"the countersign is lightning", &first),
            Err(S::SEC_E_MESSAGE_ALTERED)
        );
        assert_eq!(verified(server, MESSAGE, &first), Ok(0), "{package}");
        assert_eq!(
            verified(server, MESSAGE, &first),
            Err(S::SEC_E_OUT_OF_SEQUENCE),
            "{package}"
        );
        assert_eq!(verified(server, MESSAGE, &second), Ok(0), "{package}");
        assert_eq!(
            verified(server, MESSAGE, b"none"),
            Err(S::SEC_E_INVALID_TOKEN),
            "{package}"
        );
    }
}

#[test]
fn what_is_read_only_is_covered_or_left_out_as_its_type_says() {
    let domain = Domain::new();
    for package in PACKAGES {
        let mut pair = established(&domain, package, ISC_REQ_CONFIDENTIALITY);
        let layout = |covered, left| {
            SecBufferDesc::new([
                SecBuffer::owned(SECBUFFER_TOKEN, Vec::new()),
                SecBuffer::input(SECBUFFER_DATA | SECBUFFER_READONLY_WITH_CHECKSUM, covered),
                SecBuffer::input(SECBUFFER_DATA | SECBUFFER_READONLY, left),
                SecBuffer::owned(SECBUFFER_DATA, MESSAGE.to_vec()),
            ])
        };
        let mut sent = |covered, left| {
            let mut message = layout(covered, left);
            encrypt_message(&mut pair.client, 0, &mut message, 0).unwrap();
            let [token, .., data] = &message.buffers() else {
                panic!()
            };
            (token.bytes().to_vec(), data.bytes().to_vec())
        };
        let receive =
            |server: &mut CtxtHandle, (token, data): (Vec<u8>, Vec<u8>), covered, left| {
                let mut message = SecBufferDesc::new([
                    SecBuffer::owned(SECBUFFER_TOKEN, token),
                    SecBuffer::input(SECBUFFER_DATA | SECBUFFER_READONLY_WITH_CHECKSUM, covered),
                    SecBuffer::input(SECBUFFER_DATA | SECBUFFER_READONLY, left),
                    SecBuffer::owned(SECBUFFER_DATA, data),
                ]);
                decrypt_message(server, &mut message, 0).map(|_| ())
            };
        let token = sent(b"header", b"left");
        receive(&mut pair.server, token, b"header", b"different").unwrap();
        let token = sent(b"header", b"left");
        let error = receive(&mut pair.server, token, b"HEADER", b"left").unwrap_err();
        assert_eq!(error.status(), S::SEC_E_MESSAGE_ALTERED, "{package}");
    }
}

#[test]
fn layouts_that_lack_a_buffer_are_refused() {
    let domain = Domain::new();
    let mut pair = established(&domain, "Kerberos", ISC_REQ_CONFIDENTIALITY);
    let client = &mut pair.client;
    let owned = |kind| SecBuffer::owned(kind, vec![0; 100]);
    for (kinds, status) in [
        (vec![SECBUFFER_DATA], S::SEC_E_INVALID_TOKEN),
        (vec![SECBUFFER_TOKEN], S::SEC_E_INVALID_TOKEN),
        (
            vec![SECBUFFER_TOKEN, SECBUFFER_DATA, SECBUFFER_STREAM_TRAILER],
            S::SEC_E_INVALID_PARAMETER,
        ),
        (
            vec![SECBUFFER_TOKEN, SECBUFFER_TOKEN, SECBUFFER_DATA],
            S::SEC_E_INVALID_PARAMETER,
        ),
    ] {
        let buffers: Vec<_> = kinds.into_iter().map(owned).collect();
        let error = encrypt_message(client, 0, &mut SecBufferDesc::new(buffers), 0).unwrap_err();
        assert_eq!(error.status(), status);
    }
    for kinds in [
        vec![SECBUFFER_STREAM],
        vec![SECBUFFER_STREAM, SECBUFFER_STREAM, SECBUFFER_DATA],
    ] {
        let buffers: Vec<_> = kinds.into_iter().map(owned).collect();
        let error = decrypt_message(client, &mut SecBufferDesc::new(buffers), 0).unwrap_err();
        assert_eq!(error.status(), S::SEC_E_INVALID_TOKEN);
    }
    let mut small = [0; 8];
    let mut message = SecBufferDesc::new([
        SecBuffer::new(SECBUFFER_TOKEN, &mut small),
        SecBuffer::input(SECBUFFER_DATA, MESSAGE),
    ]);
    let error = make_signature(client, 0, &mut message, 0).unwrap_err();
    assert_eq!(error.status(), S::SEC_E_BUFFER_TOO_SMALL);
    let sizes: SecPkgContextSizes = query_context_attribute(client).unwrap();
    assert_eq!(error.needed(), Some(sizes.max_signature));
}

#[cfg(feature = "ntlm")]
mod datagrams {
    use super::*;
    use crate::support::Side;

    /// Both sides of datagrams of NTLM.
    fn datagrams(domain: &Domain) -> (CtxtHandle, CtxtHandle) {
        let (outbound, inbound) = (domain.outbound("NTLM"), domain.inbound("NTLM"));
        let isc = ISC_REQ_DATAGRAM | ISC_REQ_CONFIDENTIALITY | ISC_REQ_REPLAY_DETECT;
        let mut client = Side::new(&outbound, isc);
        let mut server = Side::new(&inbound, ASC_REQ_DATAGRAM);
        client.initialize(None).unwrap();
        let (_, challenge) = server.accept(None).unwrap();
        let (_, authenticate) = client.initialize(Some(&challenge)).unwrap();
        server.accept(Some(&authenticate)).unwrap();
        (client.context.unwrap(), server.context.unwrap())
    }

    fn signed(context: &mut CtxtHandle, number: u32) -> Result<Vec<u8>, S> {
        let mut message = SecBufferDesc::new([
            SecBuffer::input(SECBUFFER_DATA, MESSAGE),
            SecBuffer::owned(SECBUFFER_TOKEN, Vec::new()),
        ]);
        make_signature(context, 0, &mut message, number).map_err(|error| error.status())?;
        Ok(message.token().to_vec())
    }

    fn verified(context: &mut CtxtHandle, mic: &[u8], number: u32) -> Result<u32, S> {
        let message = SecBufferDesc::new([
            SecBuffer::input(SECBUFFER_DATA, MESSAGE),
            SecBuffer::input(SECBUFFER_TOKEN, mic),
        ]);
        verify_signature(context, &message, number).map_err(|error| error.status())
    }

    fn encrypted(context: &mut CtxtHandle, number: u32) -> Result<[Vec<u8>; 2], S> {
        let mut message = SecBufferDesc::new([
            SecBuffer::owned(SECBUFFER_TOKEN, Vec::new()),
            SecBuffer::owned(SECBUFFER_DATA, MESSAGE.to_vec()),
        ]);
        encrypt_message(context, 0, &mut message, number).map_err(|error| error.status())?;
        let mut parts = message
            .into_buffers()
            .into_iter()
            .map(SecBuffer::into_bytes);
        Ok([parts.next().unwrap(), parts.next().unwrap()])
    }

    /// Apart, or as a stream.
    fn decrypted(
        context: &mut CtxtHandle,
        [token, data]: &[Vec<u8>; 2],
        stream: bool,
        number: u32,
    ) -> Result<Vec<u8>, S> {
        let mut message = if stream {
            SecBufferDesc::new([
                SecBuffer::owned(SECBUFFER_STREAM, [&token[..], data].concat()),
                SecBuffer::owned(SECBUFFER_DATA, Vec::new()),
            ])
        } else {
            SecBufferDesc::new([
                SecBuffer::owned(SECBUFFER_TOKEN, token.clone()),
                SecBuffer::owned(SECBUFFER_DATA, data.clone()),
            ])
        };
        decrypt_message(context, &mut message, number).map_err(|error| error.status())?;
        Ok(message.find(SECBUFFER_DATA).unwrap().bytes().to_vec())
    }

    const OUT_OF_SEQUENCE: S = S::SEC_E_OUT_OF_SEQUENCE;

    #[test]
    fn datagrams_have_the_numbers_of_the_transport() {
        let domain = Domain::new();
        let (mut client, mut server) = datagrams(&domain);
        let third = signed(&mut client, 3).unwrap();
        let tenth = encrypted(&mut client, 10).unwrap();
        let twelfth = encrypted(&mut client, 12).unwrap();
        assert_eq!(third[12..], 3u32.to_le_bytes());
        assert_eq!(tenth[0][12..], 10u32.to_le_bytes());
        // None is used twice, as a key would be.
        for spent in [3, 12] {
            assert_eq!(signed(&mut client, spent), Err(OUT_OF_SEQUENCE));
            assert_eq!(encrypted(&mut client, spent), Err(OUT_OF_SEQUENCE));
        }
        // They come as they come, and a wrong number does not spoil what is right.
        for (message, number) in [(&twelfth, 12), (&tenth, 10)] {
            for stream in [false, true] {
                for wrong in [number - 1, number + 1] {
                    let result = decrypted(&mut server, message, stream, wrong);
                    assert_eq!(result, Err(OUT_OF_SEQUENCE));
                }
            }
            let stream = number == 12;
            let opened = decrypted(&mut server, message, stream, number);
            assert_eq!(opened.as_deref(), Ok(MESSAGE));
            let again = decrypted(&mut server, message, stream, number);
            assert_eq!(again, Err(OUT_OF_SEQUENCE));
        }
        assert_eq!(verified(&mut server, &third, 4), Err(OUT_OF_SEQUENCE));
        assert_eq!(verified(&mut server, &third, 3), Ok(0));
        // A number that was altered to the one that is due.
        let mut altered = signed(&mut client, 20).unwrap();
        altered[12] = 21;
        assert_eq!(
            verified(&mut server, &altered, 21),
            Err(S::SEC_E_MESSAGE_ALTERED)
        );
    }

    #[test]
    fn a_transport_without_numbers_says_0_and_the_package_numbers_datagrams() {
        let domain = Domain::new();
        let (mut client, mut server) = datagrams(&domain);
        for number in 0u32..3 {
            let mic = signed(&mut client, 0).unwrap();
            assert_eq!(mic[12..], number.to_le_bytes());
            assert_eq!(verified(&mut server, &mic, 0), Ok(0));
            assert_eq!(verified(&mut server, &mic, 0), Err(OUT_OF_SEQUENCE));
        }
    }

    #[test]
    fn on_a_connection_the_packages_number_messages_themselves() {
        let domain = Domain::new();
        for package in PACKAGES {
            let isc = ISC_REQ_INTEGRITY | ISC_REQ_SEQUENCE_DETECT;
            let mut pair = established(&domain, package, isc);
            for number in [99, 99, 0, 7] {
                let mic = signed(&mut pair.client, number).unwrap();
                assert_eq!(verified(&mut pair.server, &mic, number + 1), Ok(0));
            }
        }
    }
}
