//! Deployments through the loader.

use ballast_client::{Keypair, Signer};
use ballast_localnet::LocalnetExt;

use crate::node::Node;

#[tokio::test(flavor = "multi_thread")]
async fn deployed_once_unchanged_then_upgraded() {
    let node = Node::start().await;
    let payer = node.net.payer();
    let program = Keypair::new();
    let key = node.key_file(&program);
    let key = key.to_str().unwrap();
    let small = &node.net.programs().pyth.file;
    // Bytes behind the last section mean nothing to the loader.
    let mut bytes = std::fs::read(small).unwrap();
    let length = bytes.len();
    bytes.resize(length + 2_000, 7);
    let large = node.key_file(&Keypair::new()).with_extension("so");
    std::fs::write(&large, bytes).unwrap();
    let [small, large] = [small, &large].map(|file| file.to_str().unwrap());

    let address = program.pubkey().to_string();
    let deploy = async |program: &str, key: &str| {
        let line = [
            "deploy",
            "--program",
            program,
            "--program-keypair",
            key,
            "--no-migrate",
        ];
        node.json(payer, &line).await
    };
    let error = node
        .refused(
            payer,
            &[
                "deploy",
                "--program",
                small,
                "--program-keypair",
                &address,
                "--no-migrate",
            ],
        )
        .await;
    assert!(error.contains("does not exist yet"), "{error}");
    let error = node
        .refused(
            payer,
            &["deploy", "--program", small, "--program-keypair", key],
        )
        .await;
    assert!(error.contains("--no-migrate"), "{error}");

    let first = deploy(small, key).await;
    assert_eq!(
        (&first["outcome"], &first["verified"]),
        (&"deployed".into(), &true.into()),
        "{first}"
    );
    assert_eq!(first["bytes"], length);
    let again = deploy(small, key).await;
    assert_eq!(
        (&again["outcome"], &again["signature"]),
        (&"unchanged".into(), &().into()),
        "{again}"
    );
    // Longer than before: the program's account is extended. Its address is enough.
    let upgraded = deploy(large, &address).await;
    assert_eq!(
        (&upgraded["outcome"], &upgraded["verified"]),
        (&"upgraded".into(), &true.into()),
        "{upgraded}"
    );
    // A stranger may not.
    let stranger = Keypair::new();
    let error = node
        .refused(
            &stranger,
            &[
                "deploy",
                "--program",
                small,
                "--program-keypair",
                &address,
                "--no-migrate",
            ],
        )
        .await;
    assert!(error.contains("may only be upgraded by"), "{error}");
}

/// Anyone can send lamports to where an account is to be, and the system program creates none there.
#[tokio::test(flavor = "multi_thread")]
async fn lamports_at_the_programs_or_the_buffers_address_stop_no_deployment() {
    let node = Node::start().await;
    let payer = node.net.payer();
    let (program, buffer) = (Keypair::new(), Keypair::new());
    let [program_file, buffer_file] = [&program, &buffer].map(|key| node.key_file(key));
    for key in [&program, &buffer] {
        node.net.fund(&key.pubkey(), 1_000_000).await.unwrap();
    }
    let file = node.net.programs().pyth.file.clone();
    let [file, program_file, buffer_file] =
        [&file, &program_file, &buffer_file].map(|path| path.to_str().unwrap());
    let deployed = node
        .json(
            payer,
            &[
                "deploy",
                "--program",
                file,
                "--program-keypair",
                program_file,
                "--buffer",
                buffer_file,
                "--no-migrate",
            ],
        )
        .await;
    assert_eq!(
        (&deployed["outcome"], &deployed["verified"]),
        (&"deployed".into(), &true.into()),
        "{deployed}"
    );
    // Where the code itself is to be, the loader fails for good: that is said before anything is uploaded.
    let other = Keypair::new();
    let data = solana_loader_v3_interface::get_program_data_address(&other.pubkey());
    node.net.fund(&data, 1_000_000).await.unwrap();
    let other_file = node.key_file(&other);
    let other_file = other_file.to_str().unwrap();
    let deploy = [
        "deploy",
        "--program",
        file,
        "--program-keypair",
        other_file,
        "--no-migrate",
    ];
    let error = node.refused(payer, &deploy).await;
    assert!(error.contains("can never be deployed"), "{error}");
    assert!(error.contains(&data.to_string()), "{error}");
}
