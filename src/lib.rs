//! meshlint proves, from Istio manifests alone, who can reach what in a mesh.

pub mod config;
pub mod matrix;
pub mod model;
pub mod query;
pub mod semantics;
pub mod space;
pub mod text;
pub mod yaml;
