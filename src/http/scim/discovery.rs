//! What we say of ourselves: `/ServiceProviderConfig`, `/ResourceTypes`, `/Schemas`. RFC 7644 §4.

use serde_json::{Value, json};

use super::{base, caller, document_with, list};
use crate::desk::people::scim::PAGE_MAX;
use crate::error::{Error, Result};
use crate::gate::Response;
use crate::http::router::{App, Call};
use crate::protocol::scim::{ERROR_SCHEMA, GROUP_SCHEMA, USER_SCHEMA};

const SCHEMAS: &str = include_str!("../../../static/scim/schemas.json");
const RESOURCE_TYPE_SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:ResourceType";

/// `GET /scim/v2/ServiceProviderConfig`
pub fn get_service_provider_config(app: &App, call: &Call<'_>) -> Result<Response> {
    caller(app, call)?;
    let document = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        "patch": { "supported": true },
        "bulk": { "supported": false, "maxOperations": 0, "maxPayloadSize": 0 },
        "filter": { "supported": true, "maxResults": PAGE_MAX },
        "changePassword": { "supported": true },
        "sort": { "supported": false },
        "etag": { "supported": true },
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "Bearer token",
            "description": "A token that an administrator of the group made for the identity provider.",
            "primary": true,
        }],
        "meta": {
            "resourceType": "ServiceProviderConfig",
            "location": format!("{}/ServiceProviderConfig", base(app, call)),
        },
    });
    Ok(document_with(200, &document))
}

/// `GET /scim/v2/ResourceTypes`
pub fn get_resource_types(app: &App, call: &Call<'_>) -> Result<Response> {
    caller(app, call)?;
    let types = resource_types(&base(app, call));
    Ok(list(types.len(), 1, types))
}

/// `GET /scim/v2/ResourceTypes/{id}`
pub fn get_resource_type(app: &App, call: &Call<'_>) -> Result<Response> {
    caller(app, call)?;
    one(resource_types(&base(app, call)), call.segment("id"))
}

/// `GET /scim/v2/Schemas`
pub fn get_schemas(app: &App, call: &Call<'_>) -> Result<Response> {
    caller(app, call)?;
    let schemas = schemas(&base(app, call))?;
    Ok(list(schemas.len(), 1, schemas))
}

/// `GET /scim/v2/Schemas/{id}`
pub fn get_schema(app: &App, call: &Call<'_>) -> Result<Response> {
    caller(app, call)?;
    one(schemas(&base(app, call))?, call.segment("id"))
}

/// `POST /scim/v2/Bulk`: not supported, as the configuration says.
pub fn post_bulk(app: &App, call: &Call<'_>) -> Result<Response> {
    caller(app, call)?;
    let detail = "Bulk operations are not supported. Send the requests one by one.";
    Ok(document_with(501, &json!({ "schemas": [ERROR_SCHEMA], "status": "501", "detail": detail })))
}

fn one(all: Vec<Value>, id: &str) -> Result<Response> {
    let found = all.into_iter().find(|one| one.get("id").and_then(Value::as_str) == Some(id));
    let unknown = || Error::not_found("scim_unknown", "There is no such resource.");
    Ok(document_with(200, &found.ok_or_else(unknown)?))
}

fn resource_types(base: &str) -> Vec<Value> {
    [("User", "/Users", USER_SCHEMA, "A member of the group."), ("Group", "/Groups", GROUP_SCHEMA, "A role.")]
        .map(|(name, endpoint, schema, description)| {
            json!({
                "schemas": [RESOURCE_TYPE_SCHEMA],
                "id": name,
                "name": name,
                "endpoint": endpoint,
                "description": description,
                "schema": schema,
                "meta": {
                    "resourceType": "ResourceType",
                    "location": format!("{base}/ResourceTypes/{name}"),
                },
            })
        })
        .to_vec()
}

fn schemas(base: &str) -> Result<Vec<Value>> {
    let mut schemas: Vec<Value> =
        serde_json::from_str(SCHEMAS).map_err(|e| Error::fault("scim_schemas", e.to_string()))?;
    for schema in &mut schemas {
        let id = schema.get("id").and_then(Value::as_str).unwrap_or_default();
        let meta = json!({ "resourceType": "Schema", "location": format!("{base}/Schemas/{id}") });
        if let Some(schema) = schema.as_object_mut() {
            schema.insert("meta".into(), meta);
        }
    }
    Ok(schemas)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::model::person::{LINES, Scim};

    #[test]
    fn the_schema_of_a_user_has_every_line_of_text_that_is_read() {
        let schemas = schemas("").unwrap();
        let names = |attributes: &Value| -> Vec<String> {
            attributes
                .as_array()
                .unwrap()
                .iter()
                .map(|one| one["name"].as_str().unwrap().to_owned())
                .collect()
        };
        let attributes = &schemas[0]["attributes"];
        let parts = &attributes.as_array().unwrap().iter().find(|one| one["name"] == "name").unwrap()["subAttributes"];
        for field in LINES {
            let (described, name) = match field.scim {
                Some(Scim::Attribute(name) | Scim::List { name, .. }) => (attributes, name),
                Some(Scim::Name(part)) => (parts, part),
                None => continue,
            };
            assert!(names(described).iter().any(|one| one == name), "{field:?}");
        }
    }
}
