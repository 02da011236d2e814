//! Scenario 1: the service of the example, unchanged, over every package.

#[path = "../../examples/sspi_service.rs"]
mod example;

use std::net::{TcpListener, TcpStream};

use countersign::sspi::*;

use crate::support::{Domain, PACKAGES, Side};

#[test]
fn the_service_runs_over_every_package_by_its_name_alone() {
    let domain = Domain::new();
    for package in PACKAGES {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let service = example::Service::new(&domain.service, package).unwrap();
        let served = std::thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            service.serve(1, stream).map_err(|error| error.to_string())
        });

        let outbound = domain.outbound(package);
        let mut client = Side::new(&outbound, ISC_REQ_MUTUAL_AUTH | ISC_REQ_CONFIDENTIALITY);
        let (mut progress, mut token) = client.initialize(None).unwrap();
        loop {
            if !token.is_empty() {
                example::send_msg(&mut stream, &token).unwrap();
            }
            if progress.status == SecurityStatus::SEC_E_OK {
                break;
            }
            let answer = example::receive_msg(&mut stream).unwrap().unwrap();
            (progress, token) = client.initialize(Some(&answer)).unwrap();
        }
        let mut context = client.context.take().unwrap();
        let mut message = SecBufferDesc::new([
            SecBuffer::owned(SECBUFFER_TOKEN, Vec::new()),
            SecBuffer::owned(SECBUFFER_DATA, b"who goes there".to_vec()),
        ]);
        encrypt_message(&mut context, 0, &mut message, 0).unwrap();
        let parts: Vec<u8> = message
            .into_buffers()
            .into_iter()
            .flat_map(SecBuffer::into_bytes)
            .collect();
        example::send_msg(&mut stream, &parts).unwrap();
        let mut answer = example::receive_msg(&mut stream).unwrap().unwrap();
        let mut received = SecBufferDesc::new([
            SecBuffer::new(SECBUFFER_STREAM, &mut answer),
            SecBuffer::new(SECBUFFER_DATA, &mut []),
        ]);
        decrypt_message(&mut context, &mut received, 0).unwrap();
        let said = received.find(SECBUFFER_DATA).unwrap().bytes().to_vec();
        drop(stream);
        let client = served.join().unwrap().unwrap();
        assert_eq!(
            said,
            format!("{client} says: who goes there").into_bytes(),
            "{package}"
        );
        assert!(client.ends_with("\\alice"), "{client}");
    }
}
