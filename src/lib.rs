//! meshlint
pub mod text;
pub mod yaml;
pub mod space;
