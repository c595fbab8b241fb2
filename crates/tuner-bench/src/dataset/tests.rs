//! Every format with its mistakes.

use serde_json::json;

use super::*;

fn parse(text: &str) -> Result<Dataset, String> {
    Dataset::parse(Path::new("data"), text).map_err(|e| e.to_string())
}

fn requests(text: &str) -> Vec<Value> {
    parse(text).unwrap().rows.into_iter().map(|row| Value::Object(row.request.unwrap())).collect()
}

#[test]
fn lines_keep_their_roles_and_sampling_parameters() {
    let text = concat!(
        "{\"prompt\": \"a\", \"temperature\": 0.7, \"max_tokens\": 5, \"id\": \"x\"}\n\n",
        "{\"messages\": [{\"role\": \"system\", \"content\": \"s\"}, {\"role\": \"user\", \"content\": \"u\"}]}\n",
        "{\"request_body\": {\"messages\": [{\"role\": \"user\", \"content\": \"u\"}], \"vendor\": 1}}\n",
        "{\"custom_id\": \"1\", \"method\": \"POST\", \"url\": \"/v1/completions\", \"body\": {\"prompt\": \"b\"}}\n",
    );
    let expected = vec![
        json!({"prompt": "a", "max_tokens": 5, "temperature": 0.7}),
        json!({"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]}),
        json!({"messages": [{"role": "user", "content": "u"}], "vendor": 1}),
        json!({"prompt": "b"}),
    ];
    assert_eq!(requests(text), expected);
    let lines: Vec<u64> = parse(text).unwrap().rows.iter().map(|r| r.line).collect();
    assert_eq!(lines, [1, 3, 4, 5]);
    // The same as a list over several lines.
    let list = format!("[\n{}\n]", text.trim_end().replace("\n\n", "\n").replace('\n', ",\n"));
    assert_eq!(requests(&list), expected);
    let lines: Vec<u64> = parse(&list).unwrap().rows.iter().map(|r| r.line).collect();
    assert_eq!(lines, [2, 3, 4, 5]);
}

#[test]
fn an_answer_that_was_given_is_taken_off_and_its_length_kept() {
    let text = "{\"messages\": [{\"role\": \"user\", \"content\": \"u\"}, {\"role\": \"assistant\", \"content\": \"yes\"}], \"at_s\": 7}\n";
    let row = parse(text).unwrap().rows.remove(0);
    assert_eq!((row.answer.as_deref(), row.at_s), (Some("yes"), Some(0.0)));
    assert_eq!(Value::Object(row.request.unwrap()), json!({"messages": [{"role": "user", "content": "u"}]}));
}

#[test]
fn csv_is_quoted_as_the_standard_says() {
    let text = "prompt,max_tokens\r\n\"a, \"\"b\"\"\r\nc\",7\r\nplain,\r\n";
    assert_eq!(requests(text), [json!({"prompt": "a, \"b\"\r\nc", "max_tokens": 7}), json!({"prompt": "plain"})]);
    let body = "request_body\n\"{\"\"prompt\"\": \"\"x\"\", \"\"top_p\"\": 0.5}\"\n";
    assert_eq!(requests(body), [json!({"prompt": "x", "top_p": 0.5})]);
}

#[test]
fn sharegpt_gives_the_first_question_and_its_answer() {
    let text = r#"[
  {"id": "a", "conversations": [
    {"from": "system", "value": "be brief"}, {"from": "human", "value": "why?"}, {"from": "gpt", "value": "because"}]},
  {"id": "b", "conversations": []},
  {"id": "c", "conversations": [{"from": "human", "value": "and?"}]},
  {"id": "d", "conversations": [{"from": "gpt", "value": "hi"}, {"from": "user", "value": "hello"},
                                {"from": "assistant", "value": "you"}]}
]"#;
    let dataset = parse(text).unwrap();
    assert_eq!(dataset.format, Format::ShareGpt);
    let asked: Vec<Value> = dataset.rows.iter().map(|r| Value::Object(r.request.clone().unwrap())).collect();
    let system = json!({"role": "system", "content": "be brief"});
    assert_eq!(asked[0], json!({"messages": [system, {"role": "user", "content": "why?"}]}));
    assert_eq!(asked[1], json!({"messages": [{"role": "user", "content": "hello"}]}));
    let answers: Vec<_> = dataset.rows.iter().map(|r| (r.line, r.answer.clone().unwrap())).collect();
    assert_eq!(answers, [(2, "because".to_owned()), (6, "you".to_owned())]);
    let dropped: Vec<_> = dataset.dropped.iter().map(|d| (d.reason.as_str(), d.rows, d.first_line)).collect();
    assert_eq!(dropped, [("without a question", 1, 4), ("without an answer", 1, 5)]);
}

#[test]
fn traces_keep_lengths_and_times() {
    let azure = "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.6805900,374,44\n\
                 2023-11-16 18:15:50.9951690,396,109\n2023-11-16 18:16:00,1,0\n";
    let zoned = "TIMESTAMP,ContextTokens,GeneratedTokens\n2024-05-10 23:59:59.5+00:00,374,44\n\
                 2024-05-11 00:00:03.814579+00:00,396,109\n";
    let mooncake = "{\"timestamp\": 27482, \"input_length\": 1500, \"output_length\": 52, \"hash_ids\": [46, 47, 48]}\n\
                    {\"timestamp\": 30535, \"input_length\": 1100, \"output_length\": 20, \"hash_ids\": [46, 47, 99]}\n";
    let burst = "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n5,ChatGPT,472,18,490,\
                 Conversation log\n45,ChatGPT,1087,230,1317,Conversation log\n118,GPT-4,417,0,417,API log\n";
    let vidur = "arrived_at,num_prefill_tokens,num_decode_tokens\n0.25,374.0,44.0\n4.5,396.0,109.0\n";
    let rows = |text: &str| -> Vec<(u32, u32, f64)> {
        let rows = parse(text).unwrap().rows;
        rows.iter()
            .map(|r| (r.input_tokens.unwrap(), r.output_tokens.unwrap(), (r.at_s.unwrap() * 1e6).round() / 1e6))
            .collect()
    };
    assert_eq!(rows(azure), [(374, 44, 0.0), (396, 109, 4.314579)]);
    assert_eq!(rows(zoned), rows(azure));
    assert_eq!(rows(mooncake), [(1500, 52, 0.0), (1100, 20, 3.053)]);
    assert_eq!(rows(burst), [(472, 18, 0.0), (1087, 230, 40.0)]);
    assert_eq!(rows(vidur), [(374, 44, 0.0), (396, 109, 4.25)]);
    let formats: Vec<Format> = [azure, mooncake, burst, vidur].iter().map(|t| parse(t).unwrap().format).collect();
    assert_eq!(formats, [Format::Azure, Format::Mooncake, Format::BurstGpt, Format::Vidur]);
    let blocks = parse(mooncake).unwrap().plan_rows(None, 0);
    let runs: Vec<Vec<u32>> = blocks.iter().map(|r| r.shared.iter().map(|run| run.tokens).collect()).collect();
    assert_eq!(runs, [vec![512, 512, 475], vec![512, 512, 75]]);
    assert_eq!(blocks[0].shared[..2], blocks[1].shared[..2]);
    assert_ne!(blocks[0].shared[2].key, blocks[1].shared[2].key);
}

#[test]
fn mistakes_name_their_line() {
    let cases = [
        "{\"prompt\": \"a\"}\n{\"prompt\": }",
        "{\"prompt\": \"a\"}\n[1]\n{\"x\": 1}\n{\"prompt\": \"a\", \"at_s\": -1}",
        "{\"text\": \"a\"}",
        "{\"prompt\": \"a\", \"messages\": []}",
        "{\"messages\": [{\"content\": \"a\"}]}",
        "{\"request_body\": \"x\"}",
        "\n \n",
        "[",
        "[\n{\"prompt\": \"a\"}\n{\"prompt\": \"b\"}]",
        "[\n{\"prompt\": \"a\"},\n{\"prompt\": \"b\"",
        "{\"conversations\": 5}",
        "{\"conversations\": []}",
        "{\"timestamp\": -1, \"input_length\": 5, \"output_length\": 5, \"hash_ids\": []}",
        "{\"timestamp\": 1, \"input_length\": 5, \"output_length\": 5, \"hash_ids\": [\"a\"]}",
        "text\na\n",
        "prompt\n\"a\n",
        "prompt\na\nb,c\n",
        "prompt\n\"a\"b\n",
        "prompt\na\"b\n",
        "TIMESTAMP,ContextTokens,GeneratedTokens\nyesterday,374,44\n",
        "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.68,many,44\n",
        "arrived_at,num_prefill_tokens,num_decode_tokens\n1,2.5,3\n",
    ];
    let errors: Vec<String> = cases.iter().map(|text| parse(text).unwrap_err()).collect();
    insta::assert_snapshot!(errors.join("\n"));
}

#[tokio::test]
async fn what_a_task_does_not_want_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t");
    let mut text = "arrived_at,num_prefill_tokens,num_decode_tokens\n".to_owned();
    (0..100).for_each(|i| text.push_str(&format!("{i},{},10\n", 10 * (i + 1))));
    std::fs::write(&path, &text).unwrap();
    let spec = DatasetSpec {
        from_s: Some(10.0),
        to_s: Some(50.0),
        limit: Some(30),
        max_context: Some(310),
        ..DatasetSpec::file(&path.display().to_string())
    };
    let mut dataset = Dataset::load(&spec).unwrap();
    dataset.count(None, &spec).await.unwrap();
    let lines: Vec<u64> = dataset.rows.iter().map(|r| r.line).collect();
    assert_eq!(lines, (12..=31).collect::<Vec<u64>>());
    let dropped: Vec<_> = dataset.dropped.iter().map(|d| (d.reason.as_str(), d.rows, d.first_line)).collect();
    let expected =
        [("outside from_s and to_s", 60, 2), ("beyond the limit", 10, 42), ("longer than max_context", 10, 32)];
    assert_eq!(dropped, expected);
    let wrong = DatasetSpec { sha256: Some("1".repeat(64)), ..spec.clone() };
    assert!(Dataset::load(&wrong).unwrap_err().to_string().contains("has SHA-256"));
    let found = Dataset::load(&wrong).unwrap_err().to_string();
    let right = found.split("SHA-256 ").nth(1).and_then(|rest| rest.split(',').next()).unwrap().to_owned();
    assert!(Dataset::load(&DatasetSpec { sha256: Some(right.to_uppercase()), ..spec }).is_ok());
}

#[test]
fn an_inspection_tells_lengths_arrivals_and_sharing() {
    let mut text = "arrived_at,num_prefill_tokens,num_decode_tokens\n".to_owned();
    (0..1001).for_each(|i| text.push_str(&format!("{},{},{}\n", f64::from(i) * 0.5, i + 1, 10)));
    let found = inspect(&parse(&text).unwrap());
    let input = found.input_tokens.unwrap();
    assert_eq!((input.min, input.p50, input.p90, input.p99, input.max), (1, 501.0, 901.0, 991.0, 1001));
    assert_eq!(input.histogram.iter().map(|(_, n)| n).sum::<u64>(), 1001);
    assert_eq!((input.mean, input.known, input.unknown), (501.0, 1001, 0));
    let arrivals = found.arrivals.unwrap();
    assert_eq!((arrivals.span_s, arrivals.rate, arrivals.burstiness), (500.0, 2.0, None));
    assert_eq!(found.output_tokens.unwrap().histogram, [(10, 1001)]);
    let line = |ids: &str| {
        format!("{{\"timestamp\": 0, \"input_length\": 1024, \"output_length\": 1, \"hash_ids\": [{ids}]}}\n")
    };
    let mooncake = [line("1, 2"), line("1, 3"), line("9, 2")].concat();
    // Of the second the first block is known; the third begins otherwise, so its second block is no prefix.
    assert_eq!(inspect(&parse(&mooncake).unwrap()).shared, Some(512.0 / 3072.0));
}

#[test]
fn a_salt_stands_in_front_of_the_prompt_whatever_its_form() {
    let salt = |value: Value| match value {
        Value::Object(fields) => Value::Object(salted(fields, "[s]")),
        _ => unreachable!(),
    };
    assert_eq!(salt(json!({"prompt": "a"})), json!({"prompt": "[s]\na"}));
    assert_eq!(salt(json!({"prompt": [1, 2]})), json!({"prompt": [1, 2]}));
    assert_eq!(salt(json!({"prompt": ["a", "b"]})), json!({"prompt": ["[s]\na", "b"]}));
    let system = json!({"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]});
    let expected = json!({"messages": [{"role": "system", "content": "[s]\ns"}, {"role": "user", "content": "u"}]});
    assert_eq!(salt(system), expected);
    let parts = json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "u"}]}]});
    let expected = json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "[s]\nu"}]}]});
    assert_eq!(salt(parts), expected);
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "(\\PC|[\\n\",\\[\\]{}:]){0,80}") {
        let _ = parse(&text);
    }
}
