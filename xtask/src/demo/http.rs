//! Requests to a server on this machine, as a browser makes them.
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use anyhow::{Context, Result, ensure};

/// For one request. The servers are on this machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a request was answered with.
#[derive(Debug, PartialEq)]
pub struct Answer {
    pub status: u16,
    pub body: String,
}

/// The body of what a page reads at `path`; an error unless it is found.
pub fn get(server: SocketAddr, path: &str, token: &str) -> Result<String> {
    let answer = request(server, "GET", path, token, "")?;
    ensure!(
        answer.status == 200,
        "GET {path} is answered with {}: {}",
        answer.status,
        answer.body
    );
    Ok(answer.body)
}

/// What the server answers. Version 1.0, so that the answer ends where the connection does.
pub fn request(
    server: SocketAddr,
    method: &str,
    path: &str,
    token: &str,
    body: &str,
) -> Result<Answer> {
    let ask = || -> Result<String> {
        let mut stream = TcpStream::connect_timeout(&server, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        write!(
            stream,
            "{method} {path} HTTP/1.0\r\nHost: {server}\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    let answer = ask().with_context(|| format!("{method} http://{server}{path}"))?;
    read(&answer).with_context(|| format!("{method} http://{server}{path} answered {answer:?}"))
}

fn read(answer: &str) -> Result<Answer> {
    let (head, body) = answer.split_once("\r\n\r\n").context("it has no end")?;
    let status = head.split(' ').nth(1).context("it has no status")?;
    Ok(Answer {
        status: status.parse().context("its status is no number")?,
        body: body.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_a_status_and_a_body() {
        let answer = read("HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\n{}").unwrap();
        assert_eq!((answer.status, answer.body.as_str()), (200, "{}"));
        for torn in [
            "",
            "HTTP/1.0 200 OK\r\n",
            "HTTP/1.0\r\n\r\n",
            "a b c\r\n\r\n",
        ] {
            assert!(read(torn).is_err(), "{torn:?}");
        }
    }
}
