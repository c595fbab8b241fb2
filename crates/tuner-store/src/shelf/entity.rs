//! The tables of the shelf as the ORM sees them.

/// Named sets of parameters.
pub(crate) mod presets {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, serde::Serialize, serde::Deserialize)]
    #[sea_orm(table_name = "presets")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) name: String,
        pub(crate) category: String,
        pub(crate) engine: Option<String>,
        pub(crate) preset: String,
        pub(crate) created_at: DateTimeUtc,
        pub(crate) updated_at: DateTimeUtc,
        pub(crate) made_by: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Data sets that were uploaded or fetched. The rows of their files are not in the database.
pub(crate) mod datasets {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, serde::Serialize, serde::Deserialize)]
    #[sea_orm(table_name = "datasets")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) name: String,
        pub(crate) host: String,
        pub(crate) path: String,
        pub(crate) bytes: i64,
        pub(crate) sha256: String,
        pub(crate) format: String,
        pub(crate) rows: i64,
        pub(crate) origin: String,
        pub(crate) created_at: DateTimeUtc,
        pub(crate) made_by: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
