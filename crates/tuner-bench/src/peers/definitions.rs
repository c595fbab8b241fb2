//! Known reasons why a peer's own figure is not ours by its rules on the same server.
//!
//! Only what our records cannot follow stands here; the rules themselves, which ours do follow, are in
//! `docs/measuring.md`, "Other tools' figures".

use crate::compat::Tool;

const VLLM_SPAN: &str =
    "its run begins before its first request is built and ends after the last answer was read to its end";
const VLLM_FIRST: &str = "its clock starts before its request is built and a connection found, and stops when its event \
     loop hands over the first text; ours stops when the kernel received it";
const VLLM_END: &str =
    "its latency ends at the last event with choices: the finish event, where the engine sends it apart";
const GUIDELLM_SPAN: &str =
    "its worker processes do not begin and end at the same moment, and its rates are over all of them";
const GUIDELLM_FIRST: &str =
    "its clock stops when its event loop hands over the first text; ours stops when the kernel received it";
const GUIDELLM_END: &str = "its latency ends when its client has dealt with the end of the body";
const AIPERF_SPAN: &str = "its streams are started one by one; its span ends at the last content";
const GENAI_SPAN: &str = "it starts its users over a second and looks once a second whether the requests are done: it sends \
     more than was asked for, and the waiting is in its rates";
const GENAI_CONNECTION: &str = "it opens a connection for every request";
const GENAI_END: &str = "it opens a connection for every request, and its latency ends at the end of the stream";

/// Why `figure` of `tool` may differ, if something is known.
pub(super) fn difference(tool: Tool, figure: &str) -> Option<&'static str> {
    let of = |span, first, end| match figure {
        "duration_s" | "request_throughput" | "output_throughput" => span,
        "ttft_mean_ms" | "ttft_p50_ms" | "ttft_p99_ms" => first,
        "tpot_mean_ms" | "e2e_mean_ms" => end,
        _ => None,
    };
    match tool {
        Tool::Vllm => of(Some(VLLM_SPAN), Some(VLLM_FIRST), Some(VLLM_END)),
        Tool::Guidellm => {
            of(Some(GUIDELLM_SPAN), Some(GUIDELLM_FIRST), Some(GUIDELLM_END).filter(|_| figure == "e2e_mean_ms"))
        }
        Tool::Aiperf => of(Some(AIPERF_SPAN), None, None),
        Tool::GenaiBench if figure == "completed" => Some(GENAI_SPAN),
        Tool::GenaiBench => of(Some(GENAI_SPAN), Some(GENAI_CONNECTION), Some(GENAI_END)),
        Tool::Sglang => None,
    }
}
