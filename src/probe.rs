//! One question to one agent, bounded: how long it may take, how much is read, and where it may lead.
//!
//! An agent chooses what it answers, so an answer must not make us ask anybody else: it could mean the machine's metadata
//! service, or whoever listens on the host.

use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use regex::Regex;
use reqwest::{
    Client, ClientBuilder, Response, Url,
    redirect::{Attempt, Policy},
};
use tokio::{net::TcpStream, time::timeout};

use crate::domain::probe::{Answer, Http, Tls};

/// Bytes that are read of an answer.
const BODY_MAX: usize = 64 * 1024;
const REDIRECTS_MAX: usize = 3;

/// Where metadata services of clouds listen, besides the link-local addresses.
const METADATA: [IpAddr; 2] = [
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V4(std::net::Ipv4Addr::new(100, 100, 100, 200)),
];

/// Asks by HTTP and TCP.
#[derive(Clone, Debug)]
pub struct Prober {
    checked: Client,
    unchecked: Client,
}

impl Prober {
    pub fn new() -> Result<Self, reqwest::Error> {
        Ok(Self {
            checked: client().build()?,
            unchecked: client().danger_accept_invalid_certs(true).build()?,
        })
    }

    /// One GET request, all of it within `most`.
    pub async fn http(&self, address: IpAddr, asked: &Http, most: Duration) -> Answer {
        within(most, self.get(address, asked)).await
    }

    /// One connection, closed at once.
    pub async fn tcp(&self, address: IpAddr, port: u16, most: Duration) -> Answer {
        within(most, connect(address, port)).await
    }

    async fn get(&self, address: IpAddr, asked: &Http) -> Answer {
        if let Some(refusal) = refuse(address) {
            return refusal;
        }
        let (client, scheme) = match asked.tls {
            Tls::Off => (&self.checked, "http"),
            Tls::Checked => (&self.checked, "https"),
            Tls::Unchecked => (&self.unchecked, "https"),
        };
        let place = SocketAddr::new(address, asked.port);
        let Ok(url) = Url::parse(&format!("{scheme}://{place}{}", asked.path)) else {
            return Answer::Ill(format!("`{}` is no path", asked.path));
        };
        match client.get(url).send().await {
            Ok(response) => judge(response, asked).await,
            Err(error) => failure(error),
        }
    }
}

/// No proxy, which would ask in our stead and from elsewhere; no connection that is kept, which would prove less.
fn client() -> ClientBuilder {
    Client::builder()
        .use_rustls_tls()
        .no_proxy()
        .pool_max_idle_per_host(0)
        .redirect(Policy::custom(follow))
        .user_agent("yardarm-probe")
}

fn follow(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let place = |url: &Url| {
        (
            url.host_str().map(str::to_owned),
            url.port_or_known_default(),
        )
    };
    let first = attempt.previous().first().map(place);
    if attempt.previous().len() > REDIRECTS_MAX {
        attempt.error(format!("redirects more than {REDIRECTS_MAX} times"))
    } else if first.is_some_and(|first| first != place(attempt.url())) {
        attempt.error("redirects to another place")
    } else {
        attempt.follow()
    }
}

async fn connect(address: IpAddr, port: u16) -> Answer {
    if let Some(refusal) = refuse(address) {
        return refusal;
    }
    match TcpStream::connect((address, port)).await {
        Ok(_) => Answer::Well,
        Err(error) => Answer::Unreachable(error.to_string()),
    }
}

async fn within(most: Duration, answer: impl Future<Output = Answer>) -> Answer {
    timeout(most, answer)
        .await
        .unwrap_or_else(|_| Answer::Unreachable(format!("no answer within {} s", most.as_secs())))
}

async fn judge(mut response: Response, asked: &Http) -> Answer {
    let status = response.status().as_u16();
    if !asked.status.contain(status) {
        return Answer::Ill(format!("status {status} instead of {}", asked.status));
    }
    let Some(pattern) = &asked.body else {
        return Answer::Well;
    };
    let body = match beginning(&mut response).await {
        Ok(body) => body,
        Err(error) => return failure(error),
    };
    match Regex::new(pattern) {
        Ok(regex) if regex.is_match(&String::from_utf8_lossy(&body)) => Answer::Well,
        Ok(_) => Answer::Ill(format!("the answer does not match `{pattern}`")),
        Err(_) => Answer::Ill(format!("`{pattern}` is no pattern")),
    }
}

async fn beginning(response: &mut Response) -> Result<Vec<u8>, reqwest::Error> {
    let mut body = Vec::new();
    while body.len() < BODY_MAX
        && let Some(chunk) = response.chunk().await?
    {
        let room = BODY_MAX - body.len();
        body.extend(chunk.iter().take(room));
    }
    Ok(body)
}

/// The innermost cause alone: the others name the URL or say that something failed.
fn failure(error: reqwest::Error) -> Answer {
    let unreachable = error.is_connect() || error.is_timeout();
    let error = error.without_url();
    let mut cause: &dyn std::error::Error = &error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    if unreachable {
        Answer::Unreachable(cause.to_string())
    } else {
        Answer::Ill(cause.to_string())
    }
}

fn refuse(address: IpAddr) -> Option<Answer> {
    is_forbidden(address.to_canonical())
        .then(|| Answer::Unreachable(format!("{address} is no address of an agent")))
}

fn is_forbidden(address: IpAddr) -> bool {
    let link_local = match address {
        IpAddr::V4(address) => address.is_link_local() || address.is_broadcast(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    link_local || address.is_unspecified() || address.is_multicast() || METADATA.contains(&address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_asked_who_can_be_no_agent() {
        for address in [
            "169.254.169.254",
            "::ffff:169.254.169.254",
            "fe80::1",
            "fd00:ec2::254",
            "100.100.100.200",
            "0.0.0.0",
            "::",
            "224.0.0.1",
            "255.255.255.255",
        ] {
            assert!(refuse(address.parse().unwrap()).is_some(), "{address}");
        }
        for address in ["127.0.0.1", "172.17.0.2", "10.0.0.7", "fd00::2"] {
            assert!(refuse(address.parse().unwrap()).is_none(), "{address}");
        }
    }
}
