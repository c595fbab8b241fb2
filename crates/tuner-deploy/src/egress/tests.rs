use std::io::{Read, Write};
use std::net::TcpListener;

use super::*;

fn hosts(list: &[&str]) -> Vec<Hosts> {
    list.iter().map(|text| text.parse().unwrap()).collect()
}

#[test]
fn addresses_of_this_machine_and_its_networks_are_inside_in_every_clothing() {
    for text in [
        "127.0.0.1",
        "127.255.0.1",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "192.0.0.8",
        "198.18.0.1",
        "203.0.113.9",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "::ffff:127.0.0.1",
        "::127.0.0.1",
        "64:ff9b::10.0.0.1",
        "2002:7f00:1::",
        "2002:0a00:0001::",
        "fc00::1",
        "fd12::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "2001:db8::1",
        "2001::1",
    ] {
        let address: IpAddr = text.parse().unwrap();
        assert!(inside(address.to_canonical()).is_some(), "{text}");
    }
    for text in
        ["1.1.1.1", "172.32.0.1", "100.128.0.1", "192.0.1.1", "2606:4700::1111", "64:ff9b::1.1.1.1", "2002:101:101::"]
    {
        assert_eq!(inside(text.parse().unwrap()), None, "{text}");
    }
}

#[test]
fn what_is_written_is_checked_before_anything_is_asked() {
    let public = Egress::default();
    assert_eq!(public.check("https://data.example.com/x.jsonl"), Ok(()));
    for url in [
        "http://data.example.com/x",
        "ftp://data.example.com/x",
        "file:///etc/passwd",
        "https://localhost/x",
        "https://a.localhost:8443/",
        "https://127.1/",
        "https://0x7f000001/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://169.254.169.254/latest",
        "nonsense",
        "https://2130706433/",
    ] {
        assert!(public.check(url).is_err(), "{url}");
    }
    let error = public.check("http://me:secret@data.example.com/").unwrap_err();
    assert!(!error.to_string().contains("secret"), "{error}");
    assert_eq!(Egress::open().check("http://127.0.0.1/"), Ok(()));
    assert_eq!(Egress::limited(true, Vec::new()).check("http://data.example.com/"), Ok(()));
}

#[test]
fn a_list_names_the_only_hosts_and_lifts_what_it_names() {
    let listed = Egress::limited(false, hosts(&["data.example.com", "*.mirror.example", "10.1.0.0/16", "[::1]"]));
    for url in [
        "https://data.example.com/x",
        "https://DATA.example.com./x",
        "https://a.b.mirror.example",
        "https://10.1.2.3/",
        "https://[::1]/",
    ] {
        assert_eq!(listed.check(url), Ok(()), "{url}");
    }
    assert!(listed.check("https://10.2.0.1/").is_err() && listed.check("https://1.1.1.1/").is_err());
    let named = Egress::limited(false, hosts(&["data.example.com", "*.mirror.example"]));
    for url in
        ["https://example.com/", "https://evildata.example.com/", "https://mirror.example/", "https://xmirror.example/"]
    {
        assert!(matches!(named.check(url), Err(EgressError::NotListed { .. })), "{url}");
    }
    let Egress(Some(rules)) = &named else { panic!() };
    let private = IpAddr::from([10, 0, 0, 1]);
    assert_eq!(rules.check_address("data.example.com", private), Ok(()), "a host that is named may be inside");
    assert!(rules.check_address("a.mirror.example", private).is_err(), "one that is only below a name may not");
    for wrong in ["", "a b", "http://x", "*.", "10.0.0.0/99"] {
        assert!(wrong.parse::<Hosts>().is_err(), "{wrong}");
    }
}

/// Answers one request on loopback, and says how often it was asked.
fn serve(answer: String) -> (u16, std::sync::mpsc::Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (asked, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = asked.send(());
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    (port, told)
}

fn told(error: reqwest::Error) -> String {
    tuner_core::with_causes(&error)
}

// A name that leads to this machine is a name whose owner chose so: DNS rebinding ends in the same resolver.
#[tokio::test]
async fn a_name_that_leads_inside_is_refused_where_the_connection_is_made() {
    let (port, asked) = serve("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_owned());
    // `localhost` is the one name that resolves without a network; here it stands for any that is not refused by name.
    let rules = Arc::new(Rules { plain_http: true, hosts: Vec::new() });
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder().no_proxy().dns_resolver(Arc::new(Allowed { rules, proxy: None })).build().unwrap();
    let error = client.get(format!("http://localhost:{port}/")).send().await.unwrap_err();
    assert!(told(error).contains("is this machine"));
    assert!(asked.try_recv().is_err(), "nobody was asked");
    let open = Egress::limited(true, hosts(&["localhost"]));
    let url = format!("http://localhost:{port}/");
    let answer = open.client(&url, &Proxies::default()).unwrap().get(&url).send().await.unwrap();
    assert_eq!(answer.text().await.unwrap(), "ok");
}

#[tokio::test]
async fn each_redirect_is_checked_and_there_are_not_many() {
    let (inner, asked) = serve("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_owned());
    let moved =
        |to: String| format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    for to in
        [format!("http://127.0.0.2:{inner}/"), "ftp://127.0.0.1/".to_owned(), "http://169.254.169.254/".to_owned()]
    {
        let (outer, _) = serve(moved(to.clone()));
        let egress = Egress::limited(true, hosts(&["127.0.0.1"]));
        let url = format!("http://127.0.0.1:{outer}/");
        let sent = egress.client(&url, &Proxies::default()).unwrap().get(&url).send().await;
        let (refused, text) = match sent {
            Err(error) => (true, told(error)),
            Ok(answer) => (!answer.status().is_success(), answer.status().to_string()),
        };
        assert!(refused, "{to}: {text}");
    }
    assert!(asked.try_recv().is_err(), "nobody was asked");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let egress = Egress::limited(true, hosts(&["127.0.0.1"]));
    let (around, _) = {
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let answer = moved(format!("http://127.0.0.1:{port}/"));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let _ = stream.read(&mut [0; 1024]);
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        (format!("http://127.0.0.1:{port}/"), thread)
    };
    let error = egress.client(&around, &Proxies::default()).unwrap().get(&around).send().await.unwrap_err();
    assert!(told(error).contains("more than 5 redirects"));
}
