//! What a person picked of a remediation, as queries and forms say it: `stage`, and `choice.NAME` for each input.

use crate::http::problem::ApiError;
use rampart_checklist::export::Selection;
use rampart_shared::RemediationStage;

/// The longest answer to an input.
const LONGEST: usize = 1000;

/// Takes what is about the selection; `false` where a field is about something else.
pub(super) fn take(selection: &mut Selection, name: &str, value: &str) -> Result<bool, ApiError> {
    if name == "stage" {
        selection.stage =
            RemediationStage::ALL.into_iter().find(|stage| stage.as_str() == value).ok_or_else(|| {
                ApiError::bad_request(format!(
                    "stage `{}` is none: write observe, warn or enforce.",
                    value.escape_debug()
                ))
            })?;
    } else if let Some(input) = name.strip_prefix("choice.") {
        if value.len() > LONGEST || value.chars().any(char::is_control) {
            return Err(ApiError::bad_request(format!(
                "The choice `{}` is longer than {LONGEST} characters or holds control characters.",
                input.escape_debug()
            )));
        }
        selection.choices.insert(input.to_owned(), value.to_owned());
    } else {
        return Ok(false);
    }
    Ok(true)
}

/// The selection of a query.
pub(super) fn of_query(query: Option<&str>) -> Result<Selection, ApiError> {
    let mut selection = Selection::default();
    for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        if !take(&mut selection, &name, &value)? {
            return Err(ApiError::bad_request(format!(
                "The parameter `{}` is not known: there are stage and choice.NAME.",
                name.escape_debug()
            )));
        }
    }
    Ok(selection)
}
