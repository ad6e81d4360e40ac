//! The yardstick of reads: an actix-web handler that knows one answer, in a process of its own.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
};

use actix_web::{App, HttpResponse, HttpServer, web};
use harness::reaper::{Will, folder};

/// Is a running server; it is killed when dropped.
pub struct Bare {
    child: Child,
    address: SocketAddr,
    _will: Will,
}

/// Starts a server that returns these bytes as JSON, whatever it is asked.
pub fn start(bytes: &[u8]) -> Bare {
    let file = folder("bare").join("answer.json");
    fs::write(&file, bytes).expect("the answer is written");
    let program = std::env::current_exe().expect("the program knows its file");
    let mut child = Command::new(program)
        .arg("bare")
        .arg(&file)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the bare server starts");
    let will = Will::register(&format!("kill -9 {}", child.id()));
    let mut line = String::new();
    let out = child.stdout.take().expect("its output is piped");
    BufReader::new(out).read_line(&mut line).expect("it says where it listens");
    Bare { child, address: line.trim().parse().expect("an address"), _will: will }
}

impl Bare {
    /// Returns where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Is the server's process: serves the bytes of a file until it is killed.
pub fn serve(file: &str) {
    let bytes = web::Bytes::from(fs::read(file).expect("the answer is there"));
    actix_web::rt::System::new().block_on(async move {
        let answer = move || {
            let bytes = bytes.clone();
            async move { HttpResponse::Ok().content_type("application/json").body(bytes) }
        };
        let server = HttpServer::new(move || App::new().default_service(web::to(answer.clone())));
        let server = server.bind(("127.0.0.1", 0)).expect("a free port");
        println!("{}", server.addrs()[0]);
        server.run().await.expect("it serves");
    });
}
