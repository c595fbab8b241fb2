//! Rules on conversations and think times.

use super::super::conversation::{Answers, ConversationSpec, Think, Turns};
use super::super::diagnostic::Diagnostic;
use super::super::level::Level;
use super::super::load::{Api, Prompts};
use super::super::read::tree::{Path, at_path};
use super::super::scenario::Mix;
use super::Rules;

impl Rules<'_> {
    /// Conversations of the workload and of its classes.
    pub(super) fn conversations(&mut self) {
        let workload = &self.spec.workload;
        let place = at_path!["workload"];
        if let Some(spec) = &workload.conversation {
            self.conversation(&place.join("conversation"), spec);
        }
        if workload.classes.is_empty() {
            let own = workload.conversation.as_ref().map(|spec| (spec, place.join("conversation")));
            self.talk(&place, "the conversation", own, &workload.prompts, workload.api);
        }
        for (i, class) in workload.classes.iter().enumerate() {
            let at = at_path!["workload", "classes", i];
            if let Some(spec) = &class.conversation {
                self.conversation(&at.join("conversation"), spec);
            }
            let own = class.conversation.as_ref().map(|spec| (spec, at.join("conversation")));
            let own = own.or(workload.conversation.as_ref().map(|spec| (spec, place.join("conversation"))));
            let who = format!("the conversation of class `{}`", class.name);
            self.talk(&at, &who, own, &class.prompts(), class.api.unwrap_or(workload.api));
        }
    }

    /// What a conversation says of itself.
    fn conversation(&mut self, place: &Path, spec: &ConversationSpec) {
        if let Some(Turns::Between(range)) = spec.turns
            && range.low > range.high
        {
            let finding = Diagnostic::error("", format!("the range {} to {} is empty", range.low, range.high));
            self.report(&place.join("turns"), finding.help("`low` is the fewest turns, `high` the most"));
        }
        if let Some(think) = spec.think_s {
            self.think(&place.join("think_s"), think);
        }
    }

    pub(super) fn think(&mut self, place: &Path, think: Think) {
        const FORMS: &str = "2.5 (always), {mean_s: 5} (exponential) or {low_s: 1, high_s: 9} (uniform)";
        let Think::Drawn(spread) = think else { return };
        match (spread.mean_s, spread.low_s, spread.high_s) {
            (Some(_), None, None) => {}
            (None, Some(low), Some(high)) if low > high => {
                let finding = Diagnostic::error("", format!("the range {low} to {high} is empty"));
                self.report(place, finding.help("`low_s` is the shortest time, `high_s` the longest"));
            }
            (None, Some(_), Some(_)) => {}
            (Some(_), ..) => {
                let finding = Diagnostic::error("", "a think time is exponential or uniform, not both");
                self.report(place, finding.allowed(FORMS));
            }
            (None, ..) => {
                let finding = Diagnostic::error("", "the think time has no length");
                self.report(place, finding.allowed(FORMS));
            }
        }
    }

    /// Whether these prompts can be a conversation.
    fn talk(&mut self, place: &Path, who: &str, own: Option<(&ConversationSpec, Path)>, prompts: &Prompts, api: Api) {
        let scenario = prompts.scenario.as_deref();
        let mix = scenario.and_then(|text| text.parse::<Mix>().ok());
        let led = mix.as_ref().and_then(|mix| mix.turns);
        let (given, at) = match &own {
            Some((spec, at)) => (spec.turns, at.clone()),
            None if led.is_some() => (led, place.join("scenario")),
            None => return,
        };
        if let (Some(_), Some(turns)) = (led, own.as_ref().and_then(|(spec, _)| spec.turns)) {
            let message = format!("the scenario and the conversation both say how many turns ({turns})");
            let finding = Diagnostic::error("", message).help("keep one of the two");
            self.report_key(&at.join("turns"), finding);
        }
        if scenario.is_some() && given.is_none() && led.is_none() {
            let finding = Diagnostic::error("", format!("{who} does not say how many turns it has"));
            self.report_key(&at, finding.help("add `turns: 4`, or `turns: {low: 2, high: 8}`"));
        }
        let single = given.or(led).is_some_and(|turns| turns.bounds() == (1, 1));
        if single {
            return;
        }
        if own.as_ref().is_some_and(|(spec, _)| spec.answers == Answers::Recorded) && prompts.dataset().is_none() {
            let finding = Diagnostic::error("", "synthetic prompts come without recorded answers");
            self.report_key(&at.join("answers"), finding.help("remove `answers`: the engine's own answers are used"));
        }
        let odd = mix.iter().flat_map(|mix| &mix.parts).find(|(_, scenario)| !scenario.is_text());
        if let Some((_, scenario)) = odd {
            let message = format!("`{scenario}` cannot be a turn of a conversation");
            self.report(&place.join("scenario"), Diagnostic::error("", message).help("turns are texts: D, N, U or L"));
        } else if matches!(api, Api::Embeddings | Api::Rerank) {
            let message = format!("{} gives no answer that a conversation could go on from", api.name());
            self.report_key(&at, Diagnostic::error("", message).help("set `api` to one that generates text"));
        }
        if self.spec.workload.extra_body.get("n").and_then(serde_json::Value::as_u64).is_some_and(|n| n > 1) {
            let finding = Diagnostic::error("", "a conversation goes on from one answer");
            self.report_key(&at_path!["workload", "extra_body", "n"], finding.help("remove `n`"));
        }
    }

    /// Whether some requests follow each other.
    fn has_conversations(&self) -> bool {
        self.spec.workload.conversations().iter().flatten().any(|spec| spec.turns != Some(Turns::Always(1)))
    }

    /// Users with a schedule of their own, and users who think.
    pub(super) fn users(&mut self, place: &Path, level: &Level) {
        let stray = [
            ("arrival", level.arrival.is_some()),
            ("burstiness", level.burstiness.is_some()),
            ("ramp_to", level.ramp_to.is_some()),
            ("ramp", level.ramp.is_some()),
            ("burst", level.burst.is_some()),
            ("every_s", level.every_s.is_some()),
            ("think_s", level.think_s.is_some()),
        ];
        if level.users.is_some() {
            if level.rate.is_none() {
                let finding = Diagnostic::error("", "`users` need a `rate` that they share");
                let help =
                    "write {users: 15, rate: 1.5}, or {concurrency: 15, think_s: 10} for users who wait for answers";
                self.report_key(&place.join("users"), finding.help(help));
            }
            for (field, _) in stray.into_iter().filter(|(_, given)| *given) {
                let message = format!("`{field}` does not go with `users`, of whom each sends at equal intervals");
                self.report_key(&place.join(field), Diagnostic::error("", message).help("remove one of the two"));
            }
            return;
        }
        let Some(think) = level.think_s else { return };
        self.think(&place.join("think_s"), think);
        if level.is_open_loop() && !self.has_conversations() {
            let finding = Diagnostic::error("", "in an open loop of single requests nobody waits, so nobody thinks");
            let help =
                "write {concurrency: 8, think_s: 5}, or make conversations: `workload: {conversation: {turns: 4}}`";
            self.report_key(&place.join("think_s"), finding.help(help));
        }
    }
}
