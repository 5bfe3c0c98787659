//! The request matrix: source × path × entrypoint, asked as questions or listed as cells.

mod client;
mod crossing;
mod delivery;
mod door;
mod table;
mod witness;

pub use crossing::Crossing;
pub(crate) use crossing::arriving;
pub(crate) use delivery::listeners;
pub use delivery::{Delivered, Delivery, Fronts};
pub use door::{Door, Lock, Opening, Place, Question, ask, doors, judge, places};
pub use table::{EntrypointKind, Part, Row, table};
pub(crate) use witness::fill;
pub use witness::{gateway_witness, inbound_witness};
