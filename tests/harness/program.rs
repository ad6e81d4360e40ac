//! Finds the programs that tests run, and says how to get one that is missing.

use std::{
    env,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::atomic::{AtomicU16, Ordering},
};

/// Returns the path of a binary of this workspace, which stands in the folder of the running one (or above it, for tests).
///
/// # Panics
/// Where it was not built.
pub fn built(name: &str) -> PathBuf {
    let me = env::current_exe().expect("the running binary has a path");
    me.ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
        .unwrap_or_else(|| panic!("{name} is not built beside {}: run tests/run", me.display()))
}

/// Returns the repository's folder.
///
/// Cargo says where it is. Only where a test's binary is started by hand does the place that it was compiled at count: clones
/// that share a build folder may share the binary.
pub fn repository() -> PathBuf {
    let package = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let mut folders = Path::new(&package).ancestors();
    folders.find(|folder| folder.join("Cargo.lock").is_file()).expect("a package is in the repository").into()
}

/// Runs a script of `tests/clients` with Node, and returns what it printed.
///
/// # Panics
/// Where Node or the pinned packages are missing.
pub async fn node_script(script: &str, arguments: &[String]) -> Output {
    let folder = repository().join("tests/clients");
    assert!(folder.join("node_modules").is_dir(), "run `npm ci` in tests/clients (tests/run does)");
    tokio::process::Command::new("node")
        .arg(folder.join(script))
        .args(arguments)
        .current_dir(&folder)
        .kill_on_drop(true)
        .output()
        .await
        .expect("node starts: install nodejs")
}

/// Returns a command of a Python package that `tests/run` has installed beside the other tools.
///
/// # Panics
/// Where it is missing.
pub fn python_tool(name: &str) -> tokio::process::Command {
    let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| env::home_dir().map(|home| home.join(".cache"))).expect("there is a home");
    let program = cache.join("cartwright/tools/python/bin").join(name);
    assert!(program.is_file(), "{} is not installed: run tests/run", program.display());
    let mut command = tokio::process::Command::new(program);
    command.kill_on_drop(true);
    command
}

/// Asserts that a program ended well, and returns its standard output.
pub fn succeeded(what: &str, output: &Output) -> String {
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{what}: {}\n{stdout}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    stdout
}

/// Says whether the process runs as root, who may not run PostgreSQL.
pub fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().expect("id runs");
    output.stdout.trim_ascii() == b"0"
}

/// Returns an address that nothing listens on.
///
/// The port is below those that the kernel gives to outgoing connections, so that none of them takes it meanwhile.
pub fn free_address() -> SocketAddr {
    const FIRST: u16 = 20_000;
    const COUNT: u16 = 12_000;
    static STEP: AtomicU16 = AtomicU16::new(0);
    let start = (std::process::id() % u32::from(COUNT)) as u16;
    for _ in 0..COUNT {
        let step = STEP.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + (start.wrapping_add(step.wrapping_mul(7)) % COUNT);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
    panic!("no free port between {FIRST} and {}", FIRST + COUNT)
}
