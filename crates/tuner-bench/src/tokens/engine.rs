//! The engine as tokenizer: `POST /tokenize` of vLLM, SGLang and llama.cpp.
//!
//! *Invariant*: it is asked before and after a measured window, never in it.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use super::{TokenError, WordPool};
use crate::client::{Address, Target, call, error_message};

const LIMIT: Duration = Duration::from_secs(30);

/// Common English words: single tokens in nearly every vocabulary, which is checked before they are used.
const WORDS: &str = "about above accept account across action active actual added address after again against age ago air all allow alone along already also always among amount and animal another answer any appear apple area arm army around arrive art ask attack away baby back bad bag ball bank bar base battle beach bear beat beauty because become bed been before began begin behind being believe below best better between beyond big bird black blood blue board boat body bone book born both bottom bought box boy branch bread break bridge bring broad broke brother brought brown build built burn business busy but buy call came camp can capital captain car card care carry case cat catch cause cell center central century certain chain chair chance change character charge chart check chief child choice choose church circle city claim class clean clear climb clock close cloth cloud coast cold collect college color column come common company compare complete condition consider contain continue control cook cool copy corn corner correct cost cotton could count country couple course cover create cross crowd cry current customer cut dance danger dark data date daughter day dead deal dear death decide deep degree demand describe desert design despite detail did die difference dinner direct discuss distance doctor does dog dollar done door double doubt down draw dream dress drink drive drop dry during each early earth ease east easy eat economy edge education effect effort egg eight either election electric else end enemy energy engine enjoy enough enter entire equal even evening event ever every exact example except expect experience explain eye face fact fair fall family famous far farm fast father fear feel feet fell felt few field fight figure fill final find fine finger finish fire first fish fit five flat floor flow flower fly follow food foot for force foreign forest form forward found four free fresh friend from front fruit full fun future game garden gas gave general get girl give glass goal gold gone good got government grand grass great green grew ground group grow growth guess gun hair half hand happen happy hard has hat have head hear heart heat heavy held help her here high hill him his history hit hold hole home hope horse hospital hot hotel hour house how huge human hundred hurt ice idea image imagine important inch include increase indeed industry inside instead interest into iron island issue job join judge just keep key kill kind king knew know lady lake land language large last late laugh law lay lead leader learn least leave left leg length less let letter level lie life light like limit line list listen little live local long look lost lot love low machine made main major make man many map mark market mass master match material matter may mean measure meat meet member men mention method middle might mile milk million mind minute miss model modern moment money month moon more morning most mother motion mountain mouth move much music must name nation nature near necessary neck need never new news next night nine noise none north nose not note nothing notice number object ocean off offer office often oil old once one only open operation opposite order other our out outside over own page paid paint paper parent park part party pass past path pattern pay peace people per perhaps period person phone picture piece place plain plan plane plant play please point police poor popular population position possible power present press pretty price private probably problem process produce product program property protect provide public pull purpose push put quality question quick quiet quite race radio rain raise ran range rate rather reach read ready real reason receive record red region relation remain remember repeat report rest result return rich ride right ring rise river road rock role room rose round rule run safe said salt same sand save saw say scale school science sea search season seat second section security see seem self sell send sense sent series serious serve service set seven several shape share sharp she ship shirt shoe shop short should shoulder show side sight sign silver similar simple since sing single sister sit six size skill skin sky sleep slow small smile snow social soft soil soldier some son song soon sort sound source south space speak special speech speed spend spirit spoke spot spread spring square staff stage stand star start state station stay step still stock stone stood stop store story straight strange stream street strong student study style subject success such sudden sugar suggest summer sun supply support sure surface surprise system table take talk tall task tax teach team tell ten term test than thank that the them then theory there these they thick thin thing think third this those though thought thousand three through time tiny title today together told tone too took top total touch toward town trade train travel tree trial trip trouble truck true trust truth try turn twelve twenty two type under unit until upon use usual valley value various very view village visit voice wait walk wall want war warm was wash watch water wave way wear weather week weight well went were west what wheel when where which while white who whole why wide wife wild will win wind window winter wish with without woman wonder wood word work world worry would write wrong year yellow yes yet you young your";

/// An engine with `/tokenize`.
#[derive(Clone, Debug)]
pub struct EngineTokenizer {
    address: Address,
    model: String,
}

impl EngineTokenizer {
    /// Checks that the engine tokenizes.
    ///
    /// # Errors
    /// It does not, or cannot be reached.
    pub async fn connect(target: &Target) -> Result<Self, TokenError> {
        let tokenizer = Self::at(target)?;
        let (one, two) = (tokenizer.count("water").await?, tokenizer.count("water and more water").await?);
        if one == 0 || two <= one {
            return Err(TokenError::Engine(format!("/tokenize counts {one} and {two} tokens in one and four words")));
        }
        Ok(tokenizer)
    }

    pub(super) fn at(target: &Target) -> Result<Self, TokenError> {
        let address = target.address().map_err(|e| TokenError::Engine(e.to_string()))?;
        Ok(Self { address, model: target.model.clone() })
    }

    /// Tokens of a text without special ones.
    ///
    /// # Errors
    /// The engine refuses or cannot be reached.
    pub async fn count(&self, text: &str) -> Result<u32, TokenError> {
        self.tokenize(text, false).await
    }

    async fn tokenize(&self, text: &str, special: bool) -> Result<u32, TokenError> {
        // vLLM and SGLang read `prompt` and `add_special_tokens`, llama.cpp `content` and `add_special`.
        let body = json!({
            "model": self.model, "prompt": text, "add_special_tokens": special,
            "content": text, "add_special": special,
        });
        let answer = call(&self.address, &self.address.post("/tokenize", Bytes::from(body.to_string())), LIMIT).await;
        let (status, body) = answer.map_err(TokenError::Engine)?;
        if status != 200 {
            return Err(TokenError::Engine(format!("/tokenize: HTTP {status}: {}", error_message(&body))));
        }
        let value: Value = serde_json::from_slice(&body).map_err(|e| TokenError::Engine(e.to_string()))?;
        let listed = value.get("tokens").and_then(Value::as_array).map(Vec::len);
        let counted = value.get("count").and_then(Value::as_u64).map(|n| n as usize);
        let count = listed.or(counted).ok_or_else(|| TokenError::Engine("/tokenize names no tokens".to_owned()))?;
        Ok(count as u32)
    }

    /// The common words that are single tokens here.
    pub(super) async fn words(&self) -> Result<WordPool, TokenError> {
        let candidates: Vec<&str> = WORDS.split(' ').collect();
        let mut starts = Vec::new();
        for word in candidates.iter().step_by(20) {
            if self.count(&format!("{word} {word} {word}")).await? == 3 {
                starts.push((*word).to_owned());
            }
        }
        let mut words = Vec::new();
        if let Some(start) = starts.first() {
            // Halve a batch until it counts right: most batches do at once.
            let mut batches: Vec<&[&str]> = candidates.chunks(64).collect();
            while let Some(batch) = batches.pop() {
                if self.count(&format!("{start} {}", batch.join(" "))).await? == batch.len() as u32 + 1 {
                    words.extend(batch.iter().map(|w| (*w).to_owned()));
                } else if batch.len() > 1 {
                    let (left, right) = batch.split_at(batch.len() / 2);
                    batches.extend([left, right]);
                }
            }
        }
        words.sort_unstable();
        let special = self.tokenize("water", true).await?.saturating_sub(self.count("water").await?);
        let found = words.len();
        WordPool::new(starts, words, special).ok_or_else(|| TokenError::NoExactText {
            tokens: 0,
            tokenizer: "the engine's /tokenize".to_owned(),
            what: format!("only {found} common words are single tokens there"),
        })
    }
}
