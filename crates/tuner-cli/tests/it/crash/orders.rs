//! Starts, restarts and stops, also two at once, in any order.

use std::time::{Duration, Instant};

use tuner_testkit::dice::{Dice, setting};
use tuner_testkit::procs::{naming, wait_for};

use super::home::{Home, PATIENCE, Running};

const SERVE: [&str; 3] = ["serve", "--listen", "127.0.0.1:0"];
/// How a server that is not the first one ends.
const BUSY: Option<i32> = Some(5);

/// What somebody asks for.
#[derive(Clone, Copy, Debug)]
enum Order {
    Start,
    StartTwice,
    Stop,
    StopTwice,
    RestartServer,
    RestartWorker,
}

const ORDERS: [Order; 6] =
    [Order::Start, Order::StartTwice, Order::Stop, Order::StopTwice, Order::RestartServer, Order::RestartWorker];

/// The server of a data directory as it was asked for.
struct Asked<'a> {
    home: &'a Home,
    server: Option<Running>,
}

impl Asked<'_> {
    fn do_it(&mut self, order: Order) {
        match order {
            Order::Start => self.start(1),
            Order::StartTwice => self.start(2),
            Order::Stop => self.stop(1),
            Order::StopTwice => self.stop(2),
            Order::RestartServer => {
                self.stop(1);
                self.start(1);
            }
            Order::RestartWorker => self.restart_worker(),
        }
    }

    /// Starts so many at once: one runs, all others are refused.
    fn start(&mut self, many: usize) {
        let mut started: Vec<Running> = (0..many).map(|_| self.home.start(&SERVE)).collect();
        let runs = usize::from(self.server.is_none());
        let began = Instant::now();
        while started.len() > runs {
            started.retain_mut(|one| match one.ended_within(Duration::from_millis(10)) {
                None => true,
                Some(status) => {
                    assert_eq!(status.code(), BUSY, "a server that is not the first one is refused");
                    false
                }
            });
            assert!(began.elapsed() < PATIENCE, "{} servers run", started.len());
        }
        if let Some(first) = started.pop() {
            first.wait_for("the address", |line| line["address"].is_string());
            self.server = Some(first);
        }
    }

    /// Asks so many times at once: all are told that it has ended, and it ends in order.
    fn stop(&mut self, many: usize) {
        let mut asking: Vec<Running> = (0..many).map(|_| self.home.start(&["stop"])).collect();
        asking.iter_mut().for_each(|one| assert_eq!(one.end().0, Some(0)));
        if let Some(mut server) = self.server.take() {
            assert_eq!(server.end().0, Some(0));
        }
    }

    fn restart_worker(&mut self) {
        if self.server.is_none() {
            return;
        }
        let before = self.workers();
        let [(id, pid)] = before.as_slice() else { panic!("{before:?}") };
        assert_eq!(self.home.run(&["workers", "restart", id]).code, Some(0));
        wait_for("another worker", PATIENCE, || {
            let now = self.workers();
            (!now.is_empty() && now.iter().all(|(_, other)| other != pid)).then_some(())
        });
    }

    /// Ids and processes of the workers that are known.
    fn workers(&self) -> Vec<(String, u64)> {
        let known = self.home.json(&["workers", "list"]);
        let known = known.as_array().unwrap().iter();
        known.map(|w| (w["id"].as_str().unwrap().to_owned(), w["owner"]["pid"].as_u64().unwrap())).collect()
    }

    /// One server with one worker, or nothing at all.
    fn assert_as_asked(&self, after: Order) {
        let wanted = self.server.as_ref().map(|server| u64::from(server.pid()));
        assert_eq!(self.home.json(&["status"])["server"]["pid"].as_u64(), wanted, "after {after:?}");
        let place = self.home.data();
        match wanted {
            None => {
                assert_eq!(naming(&place), [], "after {after:?}");
                assert_eq!(self.workers(), [], "after {after:?}");
            }
            Some(_) => wait_for("one worker of the server", PATIENCE, || {
                let processes: Vec<u64> = naming(&place)
                    .into_iter()
                    .filter(|(_, line)| line.contains(" worker --slot "))
                    .map(|(pid, _)| u64::from(pid))
                    .collect();
                let known: Vec<u64> = self.workers().into_iter().map(|(_, pid)| pid).collect();
                assert!(processes.len() <= 1, "two workers in one slot after {after:?}: {processes:?}");
                (processes.len() == 1 && processes == known).then_some(())
            }),
        }
    }
}

/// R7.1, R12.1, R12.2, R12.5: 20 of them; `AUTOTUNER_ORDERS` is how many else, `AUTOTUNER_CRASH_SEED` which.
#[test]
fn starts_restarts_and_stops_in_any_order_leave_what_was_asked_for() {
    let home = Home::new();
    let mut dice = Dice::new(5);
    let mut asked = Asked { home: &home, server: None };
    for _ in 0..setting("AUTOTUNER_ORDERS", 20) {
        let order = ORDERS[dice.below(ORDERS.len())];
        asked.do_it(order);
        asked.assert_as_asked(order);
    }
}
