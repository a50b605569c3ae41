//! Fake Google held against Google's discovery documents, by Google's official Python client.
//!
//! Owns finding or making the Python environment and running `tests/python/test_fake_google.py`. What is tested
//! stands there.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use fake_google::FakeGoogle;

/// The interpreter with the packages of `tests/python/requirements.txt`: the one that `SHEETWIRE_TEST_PYTHON`
/// names, or one made under `target/venv`.
fn python(root: &Path) -> PathBuf {
    if let Some(given) = std::env::var_os("SHEETWIRE_TEST_PYTHON") {
        return given.into();
    }
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let environment = target.join("venv");
    let python = environment.join("bin").join("python");
    let requirements = root.join("tests/python/requirements.txt");
    let wanted = std::fs::read(&requirements).expect("tests/python/requirements.txt");
    let installed = environment.join("installed-requirements.txt");
    if std::fs::read(&installed).is_ok_and(|installed| installed == wanted) {
        return python;
    }
    run(Command::new("python3")
        .args(["-m", "venv", "--clear"])
        .arg(&environment));
    let pip = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--requirement",
    ];
    run(Command::new(&python).args(pip).arg(&requirements));
    std::fs::write(&installed, wanted).expect("the environment can be written to");
    python
}

fn run(command: &mut Command) -> Output {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?} can't be run: {error}"));
    assert!(
        output.status.success(),
        "{command:?} failed:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_official_client_works_and_all_that_is_said_is_as_google_documents_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .expect("the repository");
    let google = FakeGoogle::start().await.expect("a free port");
    let base_url = google.base_url().to_owned();
    let tested = tokio::task::spawn_blocking(move || {
        let folder = root.join("tests/python");
        let mut command = Command::new(python(&root));
        command
            .current_dir(&folder)
            .arg("test_fake_google.py")
            .env("FAKE_GOOGLE_URL", base_url);
        run(command.env("PYTHONDONTWRITEBYTECODE", "1"))
    });
    let output = tested.await.expect("the tests end");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("\nOK"), "{said}");
    assert!(!said.contains("skipped"), "{said}");
}
