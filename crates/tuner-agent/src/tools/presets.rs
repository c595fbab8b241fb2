//! Presets: named sets of parameters.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tuner_app::presets::PresetFilter;
use tuner_policy::chat::{Cost, Risk};
use tuner_policy::{Action, Scope};

use super::{Cx, Forecast, Group, Intent, Kind, Tool, ToolError, does, shown};

pub(super) fn tools() -> Vec<Tool> {
    vec![
        Tool::of::<List>(),
        Tool::of::<GetByName>(),
        Tool::of::<GetById>(),
        Tool::of::<Create>(),
        Tool::of::<Update>(),
        Tool::of::<Delete>(),
    ]
}

struct List;

/// List presets: those that people stored, then those that come with the engines.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListArgs {
    /// Only of this category.
    category: Option<String>,
}

impl Kind for List {
    const NAME: &'static str = "list_presets";
    const GROUP: Group = Group::Preset;
    const UNTRUSTED: bool = true;
    type Args = ListArgs;

    fn intent(_: &ListArgs) -> Intent {
        does("List presets")
    }

    async fn run(cx: Cx, arguments: ListArgs) -> Result<Value, ToolError> {
        let filter = PresetFilter { category: arguments.category, engine: None };
        Ok(shown(&cx.service.list_presets(&cx.permit(Action::PresetRead)?, &filter).await?))
    }
}

struct GetByName;

/// Show a preset.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetByNameArgs {
    /// Its name, which is also its id.
    name: String,
}

impl Kind for GetByName {
    const NAME: &'static str = "get_preset_by_name";
    const GROUP: Group = Group::Preset;
    const UNTRUSTED: bool = true;
    type Args = GetByNameArgs;

    fn intent(arguments: &GetByNameArgs) -> Intent {
        does(format!("Show preset {:?}", arguments.name))
    }

    async fn run(cx: Cx, arguments: GetByNameArgs) -> Result<Value, ToolError> {
        Ok(shown(&cx.service.show_preset(&cx.permit(Action::PresetRead)?, &arguments.name).await?))
    }
}

struct GetById;

/// Show a preset by its id.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetByIdArgs {
    /// Its id, which is also its name.
    preset_id: String,
}

impl Kind for GetById {
    const NAME: &'static str = "get_preset_by_id";
    const GROUP: Group = Group::Preset;
    const UNTRUSTED: bool = true;
    type Args = GetByIdArgs;

    fn intent(arguments: &GetByIdArgs) -> Intent {
        does(format!("Show preset {:?}", arguments.preset_id))
    }

    async fn run(cx: Cx, arguments: GetByIdArgs) -> Result<Value, ToolError> {
        Ok(shown(&cx.service.show_preset(&cx.permit(Action::PresetRead)?, &arguments.preset_id).await?))
    }
}

struct Create;

/// Store a preset.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CreateArgs {
    /// Its name: letters, digits, `-`, `_`, `.`; at most 100 characters.
    name: String,
    /// Flag name to its values, as in a task's search space.
    parameters: Map<String, Value>,
    /// What it is for.
    description: Option<String>,
    /// Where lists file it. Default general.
    category: Option<String>,
    /// The engine whose flags it holds; absent: any.
    engine: Option<String>,
}

impl Kind for Create {
    const NAME: &'static str = "create_preset";
    const GROUP: Group = Group::Preset;
    const SCOPE: Option<Scope> = Some(Scope::PresetWrite);
    const RISK: Risk = Risk::Changes;
    const REPEATABLE: bool = false;
    type Args = CreateArgs;

    fn intent(arguments: &CreateArgs) -> Intent {
        does(format!("Store preset {:?}", arguments.name))
    }

    async fn run(cx: Cx, arguments: CreateArgs) -> Result<Value, ToolError> {
        let mut document = json!({ "name": arguments.name, "parameters": arguments.parameters });
        let more =
            [("description", arguments.description), ("category", arguments.category), ("engine", arguments.engine)];
        for (name, value) in more {
            if let Some(value) = value {
                document[name] = value.into();
            }
        }
        let (service, text) = (cx.service.clone(), document.to_string());
        let entry = cx
            .change(Action::PresetCreate, &format!("preset {}", arguments.name), |permit| async move {
                service.create_preset(&permit, &text).await
            })
            .await?;
        Ok(shown(&entry))
    }
}

struct Update;

/// Change fields of a preset. Tasks that took it over stay as they are.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct UpdateArgs {
    /// The preset's name.
    preset_id: String,
    /// A new name.
    name: Option<String>,
    /// A new description.
    description: Option<String>,
    /// A new category.
    category: Option<String>,
    /// Another engine.
    engine: Option<String>,
    /// New parameters, all of them.
    parameters: Option<Map<String, Value>>,
}

impl Kind for Update {
    const NAME: &'static str = "update_preset";
    const GROUP: Group = Group::Preset;
    const SCOPE: Option<Scope> = Some(Scope::PresetWrite);
    const RISK: Risk = Risk::Changes;
    const REPEATABLE: bool = false;
    type Args = UpdateArgs;

    fn intent(arguments: &UpdateArgs) -> Intent {
        does(format!("Change preset {:?}", arguments.preset_id))
    }

    async fn dry_run(cx: Cx, arguments: UpdateArgs) -> Result<Forecast, ToolError> {
        let entry = cx.service.show_preset(&cx.permit(Action::PresetRead)?, &arguments.preset_id).await?;
        Ok(Forecast { effects: Some(json!({ "before": entry })), cost: Cost::default() })
    }

    async fn run(cx: Cx, arguments: UpdateArgs) -> Result<Value, ToolError> {
        let entry = cx.service.show_preset(&cx.permit(Action::PresetRead)?, &arguments.preset_id).await?;
        let mut document = shown(&entry.preset);
        let texts = [
            ("name", arguments.name),
            ("description", arguments.description),
            ("category", arguments.category),
            ("engine", arguments.engine),
        ];
        for (name, value) in texts {
            if let Some(value) = value {
                document[name] = value.into();
            }
        }
        if let Some(parameters) = arguments.parameters {
            document["parameters"] = Value::Object(parameters);
        }
        let (service, text, name) = (cx.service.clone(), document.to_string(), arguments.preset_id);
        let entry = cx
            .change(Action::PresetEdit, &format!("preset {name}"), |permit| {
                let name = name.clone();
                async move { service.change_preset(&permit, &name, &text).await }
            })
            .await?;
        Ok(shown(&entry))
    }
}

struct Delete;

/// Delete a preset. Tasks that took it over stay as they are; what comes with an engine cannot be deleted.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DeleteArgs {
    /// The preset's name.
    preset_id: String,
}

impl Kind for Delete {
    const NAME: &'static str = "delete_preset";
    const GROUP: Group = Group::Preset;
    const SCOPE: Option<Scope> = Some(Scope::PresetWrite);
    const RISK: Risk = Risk::Shared;
    const REPEATABLE: bool = false;
    type Args = DeleteArgs;

    fn intent(arguments: &DeleteArgs) -> Intent {
        does(format!("Delete preset {:?}", arguments.preset_id))
    }

    async fn dry_run(cx: Cx, arguments: DeleteArgs) -> Result<Forecast, ToolError> {
        let entry = cx.service.show_preset(&cx.permit(Action::PresetRead)?, &arguments.preset_id).await?;
        Ok(Forecast { effects: Some(json!({ "deletes": entry })), cost: Cost::default() })
    }

    async fn run(cx: Cx, arguments: DeleteArgs) -> Result<Value, ToolError> {
        let (service, name) = (cx.service.clone(), arguments.preset_id);
        cx.change(Action::PresetDelete, &format!("preset {name}"), |permit| {
            let name = name.clone();
            async move { service.delete_preset(&permit, &name).await }
        })
        .await?;
        Ok(json!({ "deleted": name }))
    }
}
