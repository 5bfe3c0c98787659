//! `meshlint.yaml` as typed values with their places, and the mesh settings that it may carry.

mod file;
mod mesh_config;

pub use file::{Ask, Config, Convention, NotProven, Problem, Trusted, WorldSetting, read};
pub use mesh_config::{
    CaCertificate, DefaultConfig, ExtAuthz, ExtensionProvider, GatewayTopology, MeshConfig, OutboundTrafficPolicy,
    PathNormalization,
};
