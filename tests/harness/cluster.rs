//! Private PostgreSQL clusters in temporary folders: one for the whole process, and more for who needs one alone.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use crate::{
    program::{free_address, is_root, succeeded},
    reaper::{Will, folder, quote},
};

/// Is a running cluster, stopped when the process ends.
#[derive(Debug)]
pub struct Cluster {
    programs: PathBuf,
    port: u16,
    _will: Will,
}

/// Says what an acknowledged commit of the cluster survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// A crash of the server under test only: quicker, and all that tests provoke.
    Process,
    /// A power cut: PostgreSQL's defaults, for figures.
    Disk,
}

impl Cluster {
    /// Returns the process's cluster, started at the first call with the durability then asked for.
    ///
    /// # Panics
    /// Where PostgreSQL is missing or does not start, or a later call asks for another durability.
    pub fn shared(durability: Durability) -> &'static Cluster {
        static CLUSTER: OnceLock<(Durability, Cluster)> = OnceLock::new();
        let (started, cluster) = CLUSTER.get_or_init(|| (durability, Self::start(durability)));
        assert_eq!(*started, durability, "one process has one cluster");
        cluster
    }

    /// Starts a cluster that nobody else uses.
    ///
    /// # Panics
    /// Where PostgreSQL is missing or does not start.
    pub fn alone(durability: Durability) -> &'static Cluster {
        Box::leak(Box::new(Self::start(durability)))
    }

    fn start(durability: Durability) -> Self {
        let programs = programs();
        let home = folder("postgres");
        let data = home.join("data");
        let port = free_address().port();
        if is_root() {
            let chown = Command::new("chown").arg("postgres").arg(&home).output().expect("chown runs");
            succeeded("chown postgres", &chown);
        }
        let initdb =
            ["-D", text(&data), "-A", "trust", "-U", "cartwright", "-E", "UTF8", "--locale=C", "--no-sync"];
        succeeded("initdb", &run(&programs.join("initdb"), &initdb));
        let fsync = if durability == Durability::Disk { "on" } else { "off" };
        fs::write(home.join("data/postgresql.auto.conf"), settings(port, &home, fsync)).expect("settings");
        let pg_ctl = programs.join("pg_ctl");
        let will = Will::register(&format!(
            "{} {} -D {} -m immediate stop",
            if is_root() { "cd /; runuser -u postgres --" } else { "" },
            quote(&pg_ctl),
            quote(&data)
        ));
        let log = home.join("log");
        let start = run(&pg_ctl, &["-D", text(&data), "-l", text(&log), "-w", "-t", "60", "start"]);
        succeeded(&fs::read_to_string(&log).unwrap_or_default(), &start);
        Self { programs, port, _will: will }
    }

    /// Makes an empty database and returns its address.
    pub fn new_database(&self) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("shop_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        succeeded("createdb", &self.run("createdb", &[&name]));
        format!("postgres://cartwright@127.0.0.1:{}/{name}", self.port)
    }

    /// Runs one of PostgreSQL's programs against the cluster.
    pub fn run(&self, program: &str, arguments: &[&str]) -> Output {
        let port = self.port.to_string();
        let mut all = vec!["-h", "127.0.0.1", "-p", &port, "-U", "cartwright"];
        all.extend_from_slice(arguments);
        Command::new(self.programs.join(program)).args(all).output().expect("a PostgreSQL program runs")
    }
}

fn settings(port: u16, home: &Path, fsync: &str) -> String {
    format!(
        "port = {port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '{}'\nmax_connections = 300\n\
         fsync = {fsync}\nfull_page_writes = {fsync}\nsynchronous_commit = on\nlog_min_messages = warning\n",
        home.display()
    )
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a temporary folder's name is plain text")
}

/// Runs a program as a user whom PostgreSQL accepts.
fn run(program: &Path, arguments: &[&str]) -> Output {
    let mut command = if is_root() {
        let mut runuser = Command::new("runuser");
        runuser.args(["-u", "postgres", "--"]).arg(program);
        runuser
    } else {
        Command::new(program)
    };
    // `pg_ctl` hands its output to the server it starts; reading it to the end would wait for the server.
    let out = tempfile::tempfile().expect("a temporary file");
    let status = command
        .args(arguments)
        .current_dir("/")
        .stdout(out.try_clone().expect("a file handle"))
        .stderr(out.try_clone().expect("a file handle"))
        .status()
        .expect("a PostgreSQL program runs");
    Output { status, stdout: read_back(out), stderr: Vec::new() }
}

fn read_back(mut file: fs::File) -> Vec<u8> {
    use std::io::{Read, Seek};
    let mut all = Vec::new();
    file.rewind().and_then(|()| file.read_to_end(&mut all)).expect("a temporary file is read");
    all
}

/// Finds the newest installed server's programs.
fn programs() -> PathBuf {
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = debian
        .filter(|entry| entry.path().join("bin/initdb").is_file())
        .max_by_key(|entry| entry.file_name().to_string_lossy().parse::<u32>().unwrap_or(0))
        .map(|entry| entry.path().join("bin"));
    newest.unwrap_or_else(|| {
        let output = Command::new("pg_config").arg("--bindir").output();
        let output = output.expect("PostgreSQL is installed: apt-get install postgresql");
        PathBuf::from(String::from_utf8_lossy(&output.stdout).trim())
    })
}
