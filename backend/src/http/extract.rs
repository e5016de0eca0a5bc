//! What requests say, understood or refused as a problem.

use super::problem::ApiError;
use axum::{
    extract::{FromRequestParts, Path, Query},
    http::request::Parts,
};
use rampart_shared::ItemId;
use rampart_store::ClusterScope;
use serde::de::DeserializeOwned;
use std::{convert::Infallible, ops::RangeInclusive};

/// The clusters that the asker may see. Everybody who reaches Rampart sees all until people sign in.
pub(super) struct Visible(pub(super) ClusterScope);

impl<S: Send + Sync> FromRequestParts<S> for Visible {
    type Rejection = Infallible;

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Visible(ClusterScope::All))
    }
}

/// The query of the address.
pub(super) struct Parameters<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Parameters<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match Query::from_request_parts(parts, state).await {
            Ok(Query(parameters)) => Ok(Parameters(parameters)),
            Err(rejection) => Err(ApiError::bad_request(format!("{}.", rejection.body_text()))),
        }
    }
}

/// The cluster that the address names.
pub(super) struct ClusterName(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for ClusterName {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Path(name) = path(parts, state).await?;
        Ok(ClusterName(name))
    }
}

/// The item of a cluster that the address names.
pub(super) struct ClusterItem {
    pub(super) cluster: String,
    pub(super) item: ItemId,
}

impl<S: Send + Sync> FromRequestParts<S> for ClusterItem {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Path((cluster, item)): Path<(String, String)> = path(parts, state).await?;
        Ok(ClusterItem { cluster, item: item.parse()? })
    }
}

/// A number of the query within its bounds, or what it is when nothing is said.
pub(super) fn within(
    name: &str,
    value: Option<u32>,
    default: u32,
    bounds: RangeInclusive<u32>,
) -> Result<u32, ApiError> {
    let value = value.unwrap_or(default);
    if bounds.contains(&value) {
        Ok(value)
    } else {
        let (least, most) = (bounds.start(), bounds.end());
        Err(ApiError::bad_request(format!(
            "{name} is {value}; it must be at least {least} and at most {most}."
        )))
    }
}

/// An item that the query names.
pub(super) fn item(name: Option<&str>) -> Result<Option<ItemId>, ApiError> {
    Ok(name.map(str::parse).transpose()?)
}

async fn path<T: DeserializeOwned + Send, S: Send + Sync>(
    parts: &mut Parts,
    state: &S,
) -> Result<Path<T>, ApiError> {
    Path::from_request_parts(parts, state)
        .await
        .map_err(|rejection| ApiError::bad_request(rejection.body_text()))
}
