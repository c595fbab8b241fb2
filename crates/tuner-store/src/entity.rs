//! The tables as the ORM sees them. Columns that hold JSON are text: the store never searches inside them.

/// One tuning effort.
pub(crate) mod tasks {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, serde::Serialize, serde::Deserialize)]
    #[sea_orm(table_name = "tasks")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) id: String,
        pub(crate) name: String,
        pub(crate) engine: String,
        pub(crate) spec: String,
        pub(crate) source: String,
        pub(crate) revision: i64,
        pub(crate) status: String,
        pub(crate) verdict: Option<String>,
        pub(crate) failure: Option<String>,
        pub(crate) created_at: DateTimeUtc,
        pub(crate) started_at: Option<DateTimeUtc>,
        pub(crate) ended_at: Option<DateTimeUtc>,
        pub(crate) cancel_requested: bool,
        pub(crate) fence: i64,
        pub(crate) gpu_seconds: f64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// One configuration tried; `number` counts from 1 within the task.
pub(crate) mod experiments {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, serde::Serialize, serde::Deserialize)]
    #[sea_orm(table_name = "experiments")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) task_id: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) number: i64,
        pub(crate) role: String,
        pub(crate) configuration: String,
        pub(crate) key: String,
        pub(crate) outcome_word: Option<String>,
        pub(crate) outcome: Option<String>,
        pub(crate) score: Option<String>,
        pub(crate) created_at: DateTimeUtc,
        pub(crate) ended_at: Option<DateTimeUtc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// One try at running an experiment.
pub(crate) mod attempts {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, serde::Serialize, serde::Deserialize)]
    #[sea_orm(table_name = "attempts")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) task_id: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) experiment: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) number: i64,
        pub(crate) state: String,
        pub(crate) failure: Option<String>,
        pub(crate) evidence: String,
        pub(crate) started_at: DateTimeUtc,
        pub(crate) ended_at: Option<DateTimeUtc>,
        pub(crate) worker: String,
        pub(crate) fence: i64,
        pub(crate) gpu_seconds: f64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// What one level gave in one attempt.
pub(crate) mod measurements {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, serde::Serialize, serde::Deserialize)]
    #[sea_orm(table_name = "measurements")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) task_id: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) experiment: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) attempt: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) level: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) repeat: i64,
        pub(crate) measurement: String,
        pub(crate) at: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// One launched engine. `held_port` is `port` while the deployment lives and null afterwards: it is unique per host,
/// so that two live deployments cannot hold one port.
pub(crate) mod held_gpus {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, serde::Serialize, serde::Deserialize)]
    #[sea_orm(table_name = "held_gpus")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) host: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) gpu: i64,
        pub(crate) deployment_id: String,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod deployments {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, serde::Serialize, serde::Deserialize)]
    #[sea_orm(table_name = "deployments")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) id: String,
        pub(crate) task_id: String,
        pub(crate) experiment: i64,
        pub(crate) attempt: i64,
        pub(crate) kind: String,
        pub(crate) host: String,
        pub(crate) port: Option<i64>,
        pub(crate) held_port: Option<i64>,
        pub(crate) state: String,
        pub(crate) pid: Option<i64>,
        pub(crate) pgid: Option<i64>,
        pub(crate) start_ticks: Option<i64>,
        pub(crate) address: Option<String>,
        pub(crate) log_path: Option<String>,
        pub(crate) fence: i64,
        pub(crate) created_at: DateTimeUtc,
        pub(crate) stopped_at: Option<DateTimeUtc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Who may work on what. The row outlives its holder, so that fences never repeat.
pub(crate) mod leases {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, serde::Serialize, serde::Deserialize)]
    #[sea_orm(table_name = "leases")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) resource: String,
        pub(crate) task_id: Option<String>,
        pub(crate) owner: Option<String>,
        pub(crate) fence: i64,
        pub(crate) claimed_at: DateTimeUtc,
        pub(crate) heartbeat_at: DateTimeUtc,
        pub(crate) expires_at: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// What happened, in order. `task_id` is no foreign key: the event of a deletion outlives the task.
pub(crate) mod events {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, serde::Serialize, serde::Deserialize)]
    #[sea_orm(table_name = "events")]
    pub(crate) struct Model {
        #[sea_orm(primary_key)]
        pub(crate) seq: i64,
        pub(crate) task_id: Option<String>,
        pub(crate) experiment: Option<i64>,
        pub(crate) kind: String,
        pub(crate) payload: String,
        pub(crate) at: DateTimeUtc,
        #[serde(default)]
        pub(crate) session_id: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// What is to be done. `live_key` is `unique_key` until the job ends and null afterwards: it is unique, so that two live
/// jobs cannot have one key.
pub(crate) mod jobs {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, serde::Serialize, serde::Deserialize)]
    #[sea_orm(table_name = "jobs")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) id: String,
        pub(crate) kind: String,
        pub(crate) task_id: Option<String>,
        pub(crate) payload: String,
        pub(crate) needs: String,
        pub(crate) priority: i64,
        pub(crate) run_after: DateTimeUtc,
        pub(crate) status: String,
        pub(crate) attempts: i64,
        pub(crate) max_attempts: i64,
        pub(crate) fence: i64,
        pub(crate) worker: Option<String>,
        pub(crate) lease_until: Option<DateTimeUtc>,
        pub(crate) heartbeat_at: Option<DateTimeUtc>,
        pub(crate) progress: Option<String>,
        pub(crate) cancel_requested: bool,
        pub(crate) unique_key: Option<String>,
        pub(crate) live_key: Option<String>,
        pub(crate) result: Option<String>,
        pub(crate) last_error: Option<String>,
        pub(crate) created_at: DateTimeUtc,
        pub(crate) claimed_at: Option<DateTimeUtc>,
        pub(crate) ended_at: Option<DateTimeUtc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Who works.
pub(crate) mod workers {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, serde::Serialize, serde::Deserialize)]
    #[sea_orm(table_name = "workers")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) id: String,
        pub(crate) owner: String,
        pub(crate) version: String,
        pub(crate) protocol: i64,
        pub(crate) slots: i64,
        pub(crate) capabilities: String,
        pub(crate) load: String,
        pub(crate) asked: String,
        pub(crate) registered_at: DateTimeUtc,
        pub(crate) heartbeat_at: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// What the versions of the program must agree on.
pub(crate) mod facts {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, serde::Serialize, serde::Deserialize)]
    #[sea_orm(table_name = "facts")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) name: String,
        pub(crate) value: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
