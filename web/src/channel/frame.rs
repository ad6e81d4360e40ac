//! Text frames: JSON arrays of join_ref, ref, topic, event and payload. Pure.

use std::borrow::Cow;

use cart_core::FieldError;
use schemars::JsonSchema;
use serde::{Serialize, ser::SerializeTuple};
use serde_json::{Value, json};

use crate::problem::Problem;

/// The event of every reply.
const REPLY: &str = "phx_reply";

/// Is a message from a client.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Names the join that the message belongs to.
    pub join_ref: Option<String>,
    /// Names the message, so that its reply can be told.
    pub reference: Option<String>,
    /// What it is about.
    pub topic: String,
    /// What it says.
    pub event: String,
    /// With what.
    pub payload: Value,
}

/// Is what a reply says that refuses, as a problem document has it.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Refusal<'a> {
    /// The stable name of the problem, to branch on.
    pub reason: Cow<'a, str>,
    /// A sentence about this push.
    pub detail: Cow<'a, str>,
    /// A sentence that says how to mend it.
    pub mend: Cow<'a, str>,
    /// What is wrong, field by field.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub fields: Cow<'a, [FieldError]>,
    /// The seconds after which to ask again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u32>,
}

impl<'a> Refusal<'a> {
    /// Returns what a problem says.
    pub fn of(problem: &'a Problem) -> Self {
        Self {
            reason: problem.name().into(),
            detail: problem.detail().into(),
            mend: problem.mend().into(),
            fields: problem.fields().into(),
            retry_after_s: problem.retry_after_s(),
        }
    }
}

impl Refusal<'_> {
    /// Returns the same in words of its own.
    pub fn into_owned(self) -> Refusal<'static> {
        Refusal {
            reason: self.reason.into_owned().into(),
            detail: self.detail.into_owned().into(),
            mend: self.mend.into_owned().into(),
            fields: self.fields.into_owned().into(),
            retry_after_s: self.retry_after_s,
        }
    }
}

/// Says why a text is no message.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// It is not JSON of the right shape.
    #[error("a frame is [join_ref, ref, topic, event, payload]: {0}")]
    Shape(#[from] serde_json::Error),
}

/// Parses a text frame.
///
/// # Errors
/// [`FrameError`] where it is not an array of five with texts, or null for the first two.
pub fn parse(text: &str) -> Result<Message, FrameError> {
    let (join_ref, reference, topic, event, payload) = serde_json::from_str(text)?;
    Ok(Message { join_ref, reference, topic, event, payload })
}

/// Writes a frame to a client.
pub fn write(
    join_ref: Option<&str>,
    reference: Option<&str>,
    topic: &str,
    event: &str,
    payload: &impl Serialize,
) -> String {
    struct Frame<'a, P>(Option<&'a str>, Option<&'a str>, &'a str, &'a str, &'a P);
    impl<P: Serialize> Serialize for Frame<'_, P> {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut tuple = serializer.serialize_tuple(5)?;
            tuple.serialize_element(&self.0)?;
            tuple.serialize_element(&self.1)?;
            tuple.serialize_element(self.2)?;
            tuple.serialize_element(self.3)?;
            tuple.serialize_element(self.4)?;
            tuple.end()
        }
    }
    serde_json::to_string(&Frame(join_ref, reference, topic, event, payload)).expect("views serialise")
}

impl Message {
    /// Writes the reply that says yes.
    pub fn ok(&self, response: &impl Serialize) -> String {
        self.reply(&json!({"status": "ok", "response": response}))
    }

    /// Writes the reply that says no to what no rule of the shop is asked about.
    pub fn error(&self, reason: &str) -> String {
        self.reply(&json!({"status": "error", "response": {"reason": reason}}))
    }

    /// Writes the reply that says no, how come and how to mend it, as a problem document does.
    pub fn refusal(&self, problem: &Problem) -> String {
        self.refused(&Refusal::of(problem))
    }

    /// Writes the reply that says no in words that are at hand.
    pub fn refused(&self, refusal: &Refusal<'_>) -> String {
        self.reply(&json!({"status": "error", "response": refusal}))
    }

    fn reply(&self, payload: &Value) -> String {
        write(self.join_ref.as_deref(), self.reference.as_deref(), &self.topic, REPLY, payload)
    }
}

/// Writes the news that a join has come to its end.
pub fn close(join_ref: Option<&str>, topic: &str) -> String {
    write(join_ref, join_ref, topic, "phx_close", &json!({}))
}

/// Writes the news that a channel broke down: the client joins again by itself, with back-off.
pub fn crash(join_ref: Option<&str>, topic: &str) -> String {
    write(join_ref, join_ref, topic, "phx_error", &json!({"reason": "channel_crash"}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_arrays_of_five() {
        let message = parse(r#"["1","2","cart:a","update_cart",{"item":{}}]"#).unwrap();
        assert_eq!(message.join_ref.as_deref(), Some("1"));
        assert_eq!(message.ok(&json!({})), r#"["1","2","cart:a","phx_reply",{"response":{},"status":"ok"}]"#);
        assert_eq!(
            parse(r#"[null,"9","phoenix","heartbeat",{}]"#).unwrap().error("unmatched topic"),
            r#"[null,"9","phoenix","phx_reply",{"response":{"reason":"unmatched topic"},"status":"error"}]"#
        );
        let fields = vec![FieldError { field: "email".into(), message: "is needed".into() }];
        let refusal: Value =
            serde_json::from_str(&message.refusal(&Problem::invalid_details(fields))).unwrap();
        let response = &refusal[4]["response"];
        assert_eq!(
            (&refusal[4]["status"], &response["reason"]),
            (&json!("error"), &json!("invalid_details"))
        );
        assert_eq!(response["fields"], json!([{"field": "email", "message": "is needed"}]));
        assert!(response["mend"].is_string() && response["detail"].is_string());
        assert_eq!(close(Some("1"), "cart:a"), r#"["1","1","cart:a","phx_close",{}]"#);
        assert_eq!(
            crash(Some("1"), "cart:a"),
            r#"["1","1","cart:a","phx_error",{"reason":"channel_crash"}]"#
        );
        for bad in ["", "{}", "[]", "[1,2,3,4,5]", r#"["1","2","t","e"]"#, r#"[null,null,null,"e",{}]"#] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
