//! The table of machines as the ORM sees it.

/// Where a worker is deployed to, or how one that was started otherwise is called.
pub(crate) mod machines {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, serde::Serialize, serde::Deserialize)]
    #[sea_orm(table_name = "machines")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) id: String,
        pub(crate) name: String,
        pub(crate) host: Option<String>,
        pub(crate) target: Option<String>,
        pub(crate) options: String,
        pub(crate) created_at: DateTimeUtc,
        pub(crate) deployed_at: Option<DateTimeUtc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
