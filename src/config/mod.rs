//! `meshlint.yaml` as typed values with their places, and the mesh settings that it may carry.

mod access;
mod file;
mod mesh_config;
mod path_glob;

pub use access::{AccessDefault, AccessRow, Allow, Jwt, Named, WorkloadsOf};
pub use file::{Ask, Config, Convention, NotProven, Problem, Trusted, WorldSetting, read};
pub use mesh_config::{
    CaCertificate, DefaultConfig, ExtAuthz, ExtensionProvider, GatewayTopology, MeshConfig, OutboundTrafficPolicy,
    PathNormalization,
};
pub use path_glob::{PathGlob, Segment};
