//! Times every operation. One of them: `cargo bench -p countersign-benches -- accept/aes256`.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn operations(criterion: &mut Criterion) {
    for prepared in countersign_benches::operations() {
        let (group, what) = prepared
            .name
            .split_once('/')
            .unwrap_or(("", &prepared.name));
        let mut group = criterion.benchmark_group(group);
        match prepared.operation() {
            Ok(mut operation) => {
                if let Some(bytes) = operation.bytes {
                    group.throughput(Throughput::Bytes(bytes));
                }
                group.bench_function(what, |bencher| {
                    bencher.iter_custom(|times| {
                        operation.time(u32::try_from(times).unwrap_or(u32::MAX))
                    });
                });
            }
            Err(problem) => eprintln!("{}: {problem}", prepared.name),
        }
        group.finish();
    }
}

criterion_group!(benches, operations);
criterion_main!(benches);
