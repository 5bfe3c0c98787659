//! `meshlint.yaml` as typed values with their places, and the mesh settings that it may carry.

mod access;
mod date;
mod file;
mod judge;
mod mesh_config;
mod path_glob;
mod problem;
mod settings;

pub use access::{AccessDefault, AccessRow, Allow, Jwt, Named, WorkloadsOf};
pub use date::{Date, NoDate};
pub use file::{Ask, Config, Convention, NotProven, Trusted, WorldSetting, WrittenConvention, read};
pub use mesh_config::{
    CaCertificate, DefaultConfig, ExtAuthz, ExtensionProvider, GatewayTopology, MeshConfig, OutboundTrafficPolicy,
    PathNormalization,
};
pub use path_glob::{PathGlob, Segment};
pub use problem::{Problem, nearest, read_as};
pub use settings::{Level, Override, Severities, Suppression};
